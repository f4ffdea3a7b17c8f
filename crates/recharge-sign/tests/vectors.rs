//! Every file in `tests/vectors`: each stage is on disk, and each is compared.
//!
//! The digests are not ours: `jq -j .string_to_sign FILE | md5sum` gives them again. All secrets in
//! the files are made up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use recharge_sign::jisu::{self, SignOrder};
use recharge_sign::{Digest, Explained, Verified, juhe};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    /// For the reader.
    description: String,
    source: String,
    call: Call,
    /// By name.
    secrets: BTreeMap<String, String>,
    /// Name and value, in the order in which they are given.
    parameters: Vec<(String, String)>,
    /// Name and value, in the order in which they are signed, secrets masked.
    signed: Vec<(String, String)>,
    masked: String,
    /// With the secrets.
    string_to_sign: String,
    /// By `md5sum`.
    md5: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
enum Call {
    JuheSubmit,
    JuheBalance,
    JuheCallback,
    JisuSorted,
    JisuDocumentedTable,
    JisuCallback,
}

const CALLS: [Call; 6] = [
    Call::JuheSubmit,
    Call::JuheBalance,
    Call::JuheCallback,
    Call::JisuSorted,
    Call::JisuDocumentedTable,
    Call::JisuCallback,
];

impl Vector {
    fn secret(&self, name: &str) -> &str {
        self.secrets
            .get(name)
            .unwrap_or_else(|| panic!("the vector has no secret {name}"))
    }

    /// The value of a parameter that is there once.
    fn value(&self, name: &str) -> &str {
        let mut found = self.pairs().filter(|pair| pair.0 == name);
        let (Some((_, value)), None) = (found.next(), found.next()) else {
            panic!("the vector must have {name} once");
        };
        value
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The digest, and the same with its stages.
    fn run(&self) -> (Digest, Explained) {
        match self.call {
            Call::JuheSubmit => {
                let (openid, key) = (self.secret("openid"), self.secret("key"));
                let phone = self.value("phoneno");
                let (amount, order_id) = (self.value("cardnum"), self.value("orderid"));
                let digest = juhe::submit(openid, key, phone, amount, order_id);
                let signer = juhe::Signer::new(openid, key);
                assert_eq!(signer.submit(phone, amount, order_id), digest);
                (
                    digest,
                    juhe::explain_submit(openid, key, phone, amount, order_id),
                )
            }
            Call::JuheBalance => {
                let (openid, key) = (self.secret("openid"), self.secret("key"));
                let timestamp = self.value("timestamp");
                let digest = juhe::balance(openid, key, timestamp);
                assert_eq!(juhe::Signer::new(openid, key).balance(timestamp), digest);
                (digest, juhe::explain_balance(openid, key, timestamp))
            }
            Call::JuheCallback => {
                let key = self.secret("key");
                let (upstream_id, order_id) = (self.value("sporder_id"), self.value("orderid"));
                assert!(juhe::verify_callback(key, upstream_id, order_id, &self.md5).is_genuine());
                let digest = juhe::callback(key, upstream_id, order_id);
                (digest, juhe::explain_callback(key, upstream_id, order_id))
            }
            Call::JisuSorted => self.run_jisu(SignOrder::default()),
            Call::JisuDocumentedTable => self.run_jisu(SignOrder::DocumentedTable),
            Call::JisuCallback => {
                let secret = self.secret("appsecret");
                assert_eq!(
                    jisu::verify_callback(self.pairs(), secret, &self.md5),
                    Ok(Verified::Genuine)
                );
                self.run_jisu(SignOrder::Sorted)
            }
        }
    }

    /// The stages as a person sees them.
    fn shown(&self) -> String {
        let line = |(name, value): &(String, String)| format!("  {name}={value}\n");
        let parameters: String = self.signed.iter().map(line).collect();
        format!(
            "parameters, in the order in which they are signed:\n{parameters}string to sign: {}\nmd5: {}",
            self.masked, self.md5
        )
    }

    fn run_jisu(&self, order: SignOrder) -> (Digest, Explained) {
        let secret = self.secret("appsecret");
        let digest = jisu::sign(order, self.pairs(), secret).expect("the names are unique");
        let explained = jisu::explain(order, self.pairs(), secret).expect("the names are unique");
        (digest, explained)
    }
}

/// All vectors with their file names.
fn vectors() -> Vec<(String, Vector)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut vectors: Vec<(String, Vector)> = std::fs::read_dir(folder)
        .expect("the folder of vectors can be read")
        .map(|entry| entry.expect("the folder of vectors can be read").path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).expect("a vector can be read");
            let vector = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, vector)
        })
        .collect();
    vectors.sort_by(|one, other| one.0.cmp(&other.0));
    vectors
}

/// Runs the vectors of these calls, at least one of each.
fn run(calls: &[Call]) {
    let mut seen = BTreeSet::new();
    for (file, vector) in vectors()
        .into_iter()
        .filter(|(_, vector)| calls.contains(&vector.call))
    {
        assert!(
            !vector.description.is_empty() && !vector.source.is_empty(),
            "{file} has no source"
        );
        let (digest, explained) = vector.run();
        assert_eq!(explained.parameters(), vector.signed, "{file}: parameters");
        assert_eq!(
            explained.string_to_sign(),
            vector.masked,
            "{file}: masked string"
        );
        assert_eq!(digest.to_string(), vector.md5, "{file}: digest");
        assert_eq!(explained.digest(), digest, "{file}: explained digest");
        assert_eq!(explained.to_string(), vector.shown(), "{file}: as shown");
        // The stage that the crate never shows, by a hash over the text as it is on disk.
        let hashed: [u8; 16] = md5::Digest::finalize(<md5::Md5 as md5::Digest>::new_with_prefix(
            &vector.string_to_sign,
        ))
        .into();
        assert_eq!(Digest::from_bytes(hashed), digest, "{file}: string to sign");
        seen.insert(vector.call);
    }
    assert_eq!(
        seen,
        calls.iter().copied().collect(),
        "each call has a vector"
    );
}

// Proves: juhe.submit.sign, juhe.sign.hex, juhe.sign.no-delimiter
#[test]
fn juhe_submit() {
    run(&[Call::JuheSubmit]);
}

// Proves: juhe.yue.sign
#[test]
fn juhe_balance() {
    run(&[Call::JuheBalance]);
}

// Proves: juhe.callback.sign
#[test]
fn juhe_callback() {
    run(&[Call::JuheCallback]);
}

// Proves: jisu.sign.formula, jisu.sign.name-order, jisu.sign.no-delimiter, jisu.sign.lower-hex
// Proves: jisu.sign.unsigned-params, jisu.sign.empty-value, jisu.sign.sample-code
// Proves: jisu.sign.default-sorted
#[test]
fn jisu_sorted() {
    run(&[Call::JisuSorted]);
}

// Proves: jisu.sign.documented-table
#[test]
fn jisu_documented_table() {
    run(&[Call::JisuDocumentedTable]);
}

// Proves: jisu.callback.sign, jisu.callback.sign-case
#[test]
fn jisu_callback() {
    run(&[Call::JisuCallback]);
}

#[test]
fn every_file_is_run_by_one_of_these_tests() {
    let vectors = vectors();
    assert!(
        vectors.len() >= CALLS.len(),
        "only {} vectors found",
        vectors.len()
    );
    for (file, vector) in vectors {
        assert!(
            CALLS.contains(&vector.call),
            "{file}: no test runs {:?}",
            vector.call
        );
    }
}
