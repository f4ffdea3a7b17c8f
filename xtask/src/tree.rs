//! Limits on what a build carries, counted with `cargo tree`. `tidy` fails on them, `bench` prints them.

use std::collections::BTreeSet;

use crate::problem::Problem;
use crate::project::{Project, Result};
use crate::run;

/// What a crate, built without its default features, may carry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// The name of the row in the table of goals.
    pub(crate) row: &'static str,
    /// The crate.
    package: &'static str,
    /// How many crates its build may take, itself, macros and build scripts included.
    at_most: usize,
    /// Crates that its build must not take.
    without: &'static [&'static str],
}

/// Every limit.
const LIMITS: &[Limit] = &[
    Limit {
        row: "tree.recharge-sign",
        package: "recharge-sign",
        at_most: 16,
        without: &[],
    },
    Limit {
        row: "tree.recharge-juhe",
        package: "recharge-juhe",
        at_most: 40,
        without: TRANSPORTS,
    },
    Limit {
        row: "tree.recharge-jisu",
        package: "recharge-jisu",
        at_most: 40,
        without: TRANSPORTS,
    },
    Limit {
        row: "tree.recharge",
        package: "recharge",
        // What both adapters and the lifecycle need; the point of the row is what is absent.
        at_most: 60,
        without: &["reqwest", "hyper", "tokio", "rusqlite"],
    },
];

const TRANSPORTS: &[&str] = &["reqwest", "hyper", "tokio"];

/// A limit, and what was counted.
#[derive(Debug)]
pub(crate) struct Count {
    /// The limit.
    pub(crate) limit: Limit,
    /// How many crates the build takes.
    pub(crate) crates: usize,
    /// Those it must not take, and does.
    pub(crate) unwanted: Vec<&'static str>,
}

impl Count {
    /// The number that it must not exceed.
    pub(crate) const fn at_most(&self) -> usize {
        self.limit.at_most
    }

    /// Whether the limit is kept.
    pub(crate) const fn is_kept(&self) -> bool {
        self.crates <= self.limit.at_most && self.unwanted.is_empty()
    }
}

/// Counts for every limit.
pub(crate) fn counts(project: &Project) -> Result<Vec<Count>> {
    LIMITS.iter().map(|limit| count(project, *limit)).collect()
}

/// The rule that no limit is exceeded.
pub(crate) fn rule(project: &Project) -> Result<Vec<Problem>> {
    Ok(counts(project)?.iter().filter_map(problem).collect())
}

fn problem(count: &Count) -> Option<Problem> {
    let Limit {
        package, at_most, ..
    } = count.limit;
    let many = if count.crates > at_most {
        format!(", more than {at_most}")
    } else {
        String::new()
    };
    let unwanted = match count.unwanted.join(", ") {
        names if names.is_empty() => names,
        names => format!(", {names} among them"),
    };
    let what = format!(
        "{package} without default features takes {} crates{many}{unwanted}",
        count.crates
    );
    let remedy = format!("see `cargo tree -p {package} --no-default-features -e no-dev`");
    let manifest = format!("crates/{package}/Cargo.toml");
    (!count.is_kept()).then(|| Problem::in_file(manifest, what, remedy))
}

fn count(project: &Project, limit: Limit) -> Result<Count> {
    let listing = run::output(run::cargo(project).args([
        "tree",
        "--package",
        limit.package,
        "--no-default-features",
        "--edges=no-dev",
        "--prefix=none",
        "--no-dedupe",
        "--format={p}",
    ]))?;
    let crates: BTreeSet<&str> = listing.lines().filter(|line| !line.is_empty()).collect();
    let names: BTreeSet<&str> = crates
        .iter()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let unwanted = limit.without.iter().copied();
    Ok(Count {
        limit,
        crates: crates.len(),
        unwanted: unwanted.filter(|name| names.contains(name)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn too_many_crates_and_an_unwanted_one_are_found() {
        let sample = Sample::new()
            .member("low", "")
            .member("only-in-tests", "")
            .member(
                "top",
                "[dependencies]\nlow = { path = \"../low\" }\n\
                 [dev-dependencies]\nonly-in-tests = { path = \"../only-in-tests\" }",
            );
        let project = sample.project();
        let found = |at_most, without| {
            let limit = Limit {
                row: "",
                package: "top",
                at_most,
                without,
            };
            problem(&count(&project, limit).unwrap()).map(|it| it.what)
        };
        let takes = "top without default features takes 2 crates";
        assert_eq!(found(2, &["only-in-tests"]), None);
        assert_eq!(found(1, &[]), Some(format!("{takes}, more than 1")));
        assert_eq!(found(2, &["low"]), Some(format!("{takes}, low among them")));
    }
}
