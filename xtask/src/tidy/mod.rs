//! The rules that no compiler checks. One file a rule; each says what is wrong, where, and what to do.
//! Each has a test with a broken example, because a rule that can't fail checks nothing.

mod absences;
mod adapters;
mod arrows;
mod bans;
mod layout;
mod leftovers;
mod length;
mod links;
mod manifests;
mod module_docs;
mod planted;

use std::time::Instant;

use crate::problem::Problem;
use crate::project::{Project, Result};
use crate::{facts, tree};

/// A rule: its name, and what finds its problems.
type Rule = (&'static str, fn(&Project) -> Result<Vec<Problem>>);

/// Every rule.
const RULES: &[Rule] = &[
    ("arrows: no crate uses one that is not drawn", arrows::rule),
    (
        "manifests: shared lints, version and licence",
        manifests::rule,
    ),
    ("module docs: every file says what it is", module_docs::rule),
    ("adapters: the same file names", adapters::rule),
    ("facts: each proved by a test, or a reason", facts::rule),
    ("length: no long file without a reason", length::rule),
    ("layout: nothing else at the top level", layout::rule),
    (
        "leftovers: nothing ignored, left open, or of one machine",
        leftovers::rule,
    ),
    (
        "links: every link to a file of ours leads to one",
        links::rule,
    ),
    ("absences: what a crate must not have", absences::rule),
    (
        "planted: every bug of the list has its place",
        planted::rule,
    ),
    ("bans: what no build of ours may carry", bans::rule),
    ("deps: how many crates a build may carry", tree::rule),
];

/// Runs every rule and prints what each found. `false` when any found something.
pub(crate) fn run(project: &Project) -> Result<bool> {
    let begun = Instant::now();
    let mut count = 0;
    for (name, rule) in RULES {
        let mut problems = rule(project)?;
        problems.sort();
        if !problems.is_empty() {
            println!("\n{name}");
        }
        for (at, problem) in problems.iter().enumerate() {
            println!("  {problem}");
            // Said once for all that have it in common.
            if problems.get(at + 1).map(|next| &next.remedy) != Some(&problem.remedy) {
                println!("    -> {}", problem.remedy);
            }
        }
        count += problems.len();
    }
    let seconds = begun.elapsed().as_secs_f32();
    println!(
        "tidy: {} rules, {count} problems, {seconds:.1} s",
        RULES.len()
    );
    Ok(count == 0)
}
