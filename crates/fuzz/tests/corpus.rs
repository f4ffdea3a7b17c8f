//! Every input of the corpora keeps the laws. Here they are tried without a fuzzer; `cargo xtask fuzz` begins
//! with them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use recharge_fuzz::TARGETS;

#[test]
fn every_input_keeps_the_laws() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut broken = Vec::new();
    for (name, judge) in TARGETS {
        let mut inputs: Vec<_> = fs::read_dir(corpus.join(name)).unwrap().collect();
        assert!(inputs.len() >= 5, "{name} has hardly any input");
        inputs.sort_by_key(|entry| entry.as_ref().unwrap().file_name());
        for input in inputs {
            let path = input.unwrap().path();
            let data = fs::read(&path).unwrap();
            if catch_unwind(AssertUnwindSafe(|| judge(&data))).is_err() {
                broken.push(path);
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_target_has_a_program_and_a_corpus_of_its_name() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["targets", "corpus", "dictionaries"] {
        let there: BTreeSet<String> = fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(there, names, "{folder}");
    }
}
