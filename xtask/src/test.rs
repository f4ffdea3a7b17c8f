//! Every test of the workspace, once, doc tests included; and their sum in the last line.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::process::Stdio;
use std::time::Instant;

use crate::project::{Project, Result};
use crate::run;

/// Runs the tests. The last line is `N passed, N failed`. `false` when any failed, or none ran.
pub(crate) fn run(project: &Project, args: &[String]) -> Result<bool> {
    let begun = Instant::now();
    let references = tempfile::tempdir()?;
    let list = references.path().join("snapshots");
    let mut command = run::cargo(project);
    command.args(["test", "--no-fail-fast"]);
    if !chooses_packages(args) {
        command.arg("--workspace");
    }
    command
        .arg("--all-features")
        .args(args)
        // A snapshot that differs fails its test, and is never written.
        .env("INSTA_UPDATE", "no")
        .env("INSTA_FORCE_PASS", "0")
        .env("INSTA_SNAPSHOT_REFERENCES_FILE", &list)
        .stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().ok_or("cargo test has no output")?;
    let mut total = Total::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        std::io::stdout().flush()?;
        total.add(&line);
    }
    let succeeded = child.wait()?.success();

    let mut complaints = Vec::new();
    if !succeeded && total.failed == 0 {
        // It did not compile, or was killed before its result line. The last line must not look clean.
        total.failed = 1;
        complaints
            .push("cargo test failed before every result was printed (counted as one)".into());
    }
    if total.ignored > 0 {
        complaints.push(format!(
            "{} tests are ignored: mend them or take them out",
            total.ignored
        ));
    }
    if total == Total::default() {
        complaints.push("no test ran: does the name match any?".into());
    }
    // Only a full run has seen every snapshot's test.
    if args.is_empty() && total.failed == 0 {
        let read = fs::read_to_string(&list).unwrap_or_default();
        for path in unread(project, &read) {
            complaints.push(format!(
                "{path} is a snapshot that no test reads: take it out"
            ));
        }
    }
    println!("\ntest: {:.1} s", begun.elapsed().as_secs_f32());
    for complaint in &complaints {
        println!("test: {complaint}");
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(succeeded && complaints.is_empty())
}

/// Whether the caller named packages; cargo would test those *and* the workspace.
fn chooses_packages(args: &[String]) -> bool {
    args.iter().take_while(|arg| *arg != "--").any(|arg| {
        let short = arg.starts_with("-p") && !arg.starts_with("--");
        short || arg == "--package" || arg.starts_with("--package=")
    })
}

/// The snapshots of the project that are not among the paths that the tests wrote down, one a line.
fn unread<'a>(project: &'a Project, read: &str) -> Vec<&'a str> {
    let read: BTreeSet<_> = read
        .lines()
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    project
        .files_of("snap")
        .filter(|path| {
            fs::canonicalize(project.root.join(path)).is_ok_and(|path| !read.contains(&path))
        })
        .collect()
}

/// The sum of cargo's result lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Total {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Total {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; …`; other lines are nothing.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
        for count in counts.split("; ") {
            let Some((number, what)) = count.split_once(' ') else {
                continue;
            };
            let number: u64 = number.parse().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn result_lines_are_summed_and_others_are_not() {
        let mut total = Total::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s",
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
            "test a::b ... ok",
            "  test result: ok. 99 passed; 0 failed;",
        ] {
            total.add(line);
        }
        let expected = Total {
            passed: 13,
            failed: 2,
            ignored: 1,
        };
        assert_eq!(total, expected);
    }

    #[test]
    fn a_named_package_is_tested_alone() {
        let chooses = |args: &[&str]| {
            chooses_packages(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
        };
        assert!(chooses(&["-p", "recharge-core"]));
        assert!(chooses(&["-precharge-core", "money"]));
        assert!(chooses(&["--package=recharge-core"]));
        assert!(!chooses(&["money", "--", "-p"]));
        assert!(!chooses(&[]));
    }

    #[test]
    fn a_snapshot_that_no_test_reads_is_found() {
        let sample = Sample::new()
            .member("a", "")
            .file("crates/a/tests/snapshots/old.snap", "")
            .file("crates/a/tests/snapshots/read.snap", "");
        let project = sample.project();
        let read = project.root.join("crates/a/tests/snapshots/read.snap");
        let found = unread(&project, &format!("{}\n", read.display()));
        assert_eq!(found, ["crates/a/tests/snapshots/old.snap"]);
    }
}
