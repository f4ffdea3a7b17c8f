//! Every planted bug can be woven into the code as it is: one whose place has changed would no longer be
//! tried, and the rule that it stands for no longer be proved.

use crate::planted::{LIST, list, weave_all};
use crate::problem::Problem;
use crate::project::{Project, Result};

pub(super) fn rule(project: &Project) -> Result<Vec<Problem>> {
    let bugs = list(project)?;
    let (_, stale) = weave_all(project, &bugs)?;
    Ok(stale
        .into_iter()
        .map(|stale| {
            let why = format!("bug {}: {}", stale.bug, stale.why);
            Problem::in_file(LIST, why, "a bug that can't be planted proves nothing")
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn a_bug_whose_place_is_gone_is_found() {
        let found = |find: &str| {
            let bug = format!(
                "[[bug]]\nname = \"a\"\nrule = \"V1\"\ninvariant = 1\nwhat = \"Charges.\"\n\
                 file = \"crates/a/src/lib.rs\"\nfind = \"{find}\"\nput = \"2\"\n"
            );
            let sample = Sample::new()
                .member("recharge-proof", "")
                .member("a", "")
                .file("crates/a/src/lib.rs", "//! A crate.\nconst A: u8 = 1;\n")
                .file(LIST, &bug);
            rule(&sample.project()).unwrap().len()
        };
        assert_eq!(found("1"), 0);
        assert_eq!(found("3"), 1);
    }
}
