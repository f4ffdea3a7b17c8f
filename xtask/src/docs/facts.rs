//! `facts.md`: each fact about an upstream, and the tests that prove it.

use std::fmt::Write as _;

use crate::facts::{self, Proof};
use crate::project::{Project, Result};

pub(super) fn page(project: &Project) -> Result<String> {
    let facts = facts::read(project)?;
    let rows = || facts.pages.iter().flat_map(|(_, rows)| rows);
    let proved = rows().filter(|fact| facts.proofs.contains_key(&fact.id));
    let mut out = format!(
        "# The facts and their tests\n\n\
         What is known of the upstreams, fact by fact, and which tests prove that Recharge keeps to it. \
         The letters of confidence are explained in the upstreams' own pages. {} facts: {} are proved by \
         tests, the others say why no test of ours can prove them.\n",
        rows().count(),
        proved.count(),
    );
    for (path, rows) in &facts.pages {
        let file = path.rsplit('/').next().unwrap_or_default();
        let upstream = file.trim_end_matches(".md");
        write!(
            out,
            "\n## {upstream}\n\nSources and context: [docs/upstreams/{file}](../upstreams/{file}).\n\n\
             | id | fact | confidence | proved by |\n|---|---|---|---|\n"
        )?;
        for fact in rows {
            let tests = facts.proofs.get(&fact.id).map(Vec::as_slice);
            let proof = match (&fact.reason, tests) {
                (_, Some(tests)) => tests.iter().map(link).collect::<Vec<_>>().join("<br>"),
                (Some(reason), None) => format!("not tested: {reason}"),
                (None, None) => "**nothing yet**".to_owned(),
            };
            let (id, text, confidence) = (&fact.id, &fact.text, &fact.confidence);
            writeln!(out, "| `{id}` | {text} | {confidence} | {proof} |")?;
        }
    }
    Ok(out)
}

/// The test's name, leading to its file. A line number would go stale with every change above it.
fn link(proof: &Proof) -> String {
    let Proof {
        member, path, test, ..
    } = proof;
    let file = path
        .split_once(&format!("{member}/"))
        .map_or(path.as_str(), |(_, rest)| rest);
    format!("[{member} {file}](../../{path}) `{test}`")
}
