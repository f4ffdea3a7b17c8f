//! Everything that can be said of the code without running it. All steps run, whatever an earlier one
//! found, and the failures are listed at the end.

use std::time::Instant;

use crate::project::{Project, Result};
use crate::{docs, run, tidy};

/// Feature combinations that users build and `--all-features` hides: package and features.
const COMBINATIONS: &[(&str, &str)] = &[
    ("recharge-http", ""),
    ("recharge-http", "hyper"),
    ("recharge", ""),
];

/// Runs every step. `false` when any failed.
pub(crate) fn run(project: &Project) -> bool {
    let mut failed: Vec<String> = Vec::new();
    let mut step = |name: &str, work: &dyn Fn() -> Result<bool>| {
        println!("== {name}");
        let begun = Instant::now();
        let passed = work().unwrap_or_else(|error| {
            eprintln!("error: {error}");
            false
        });
        let verdict = if passed { "ok" } else { "failed" };
        println!(
            "== {name}: {verdict}, {:.1} s",
            begun.elapsed().as_secs_f32()
        );
        if !passed {
            failed.push(name.to_owned());
        }
    };
    let cargo = |words: &[&str]| {
        let mut command = run::cargo(project);
        command.args(words).env("RUSTDOCFLAGS", "-D warnings");
        Ok(run::status(&mut command)?.success())
    };

    step("fmt", &|| cargo(&["fmt", "--all", "--check"]));
    step("tidy", &|| tidy::run(project));
    step("docs --check", &|| docs::check(project));
    step("clippy", &|| {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ])
    });
    for (package, features) in COMBINATIONS {
        // clippy rather than check: with all features on, an unused import hides in the others.
        step(
            &format!("clippy -p {package} --features '{features}'"),
            &|| {
                cargo(&[
                    "clippy",
                    "--package",
                    package,
                    "--no-default-features",
                    "--features",
                    features,
                    "--",
                    "-D",
                    "warnings",
                ])
            },
        );
    }
    step("doc", &|| {
        cargo(&["doc", "--workspace", "--no-deps", "--all-features"])
    });

    if failed.is_empty() {
        println!("lint: ok");
    } else {
        println!("lint: failed: {}", failed.join(", "));
    }
    failed.is_empty()
}
