//! `planted.md`: the planted bugs, the invariant that must fire for each, and after how many lives it did.

use std::fmt::Write as _;

use super::cell;
use crate::planted;
use crate::project::{Project, Result};
use crate::simulate;

/// Where it is said what the invariants are.
const SAID: &str = "crates/recharge-proof/src/invariant.rs";

pub(super) fn page(project: &Project) -> Result<String> {
    let bugs = planted::list(project)?;
    let lives = simulate::recorded(project)?;
    let mut out = format!(
        "# Planted bugs\n\n\
         What the [simulation](../proof.md) is worth: {} single changes to the code, each of which somebody \
         might make, and each of which it catches. All are woven into one copy of the sources; \
         `cargo xtask simulate` wakes one after another and goes on until the invariant that is named here \
         is violated. *Lives* says how many orders had lived by then, from seed 1; the same case without \
         the bug is clean. Where a part of the search is named, the search finds the bug there as well, by the \
         first law that it breaks. Where a bug goes is said in `crates/recharge-proof/planted.toml`, and there too \
         what can't be planted, and why.\n\n\
         | rule | bug | what is wrong | invariant | lives | search |\n|---|---|---|---:|---:|---|\n",
        bugs.len()
    );
    for bug in &bugs {
        let caught = lives.get(&bug.name);
        let caught = caught.map_or_else(|| "not yet".to_owned(), ToString::to_string);
        writeln!(
            out,
            "| {} | `{}` | {} | {} | {caught} | {} |",
            cell(&bug.rule),
            bug.name,
            cell(&bug.what),
            bug.invariant,
            bug.part
                .as_ref()
                .map_or_else(String::new, |part| format!("`{part}`")),
        )?;
    }
    out.push_str(
        "\n## The invariants\n\nAs the judge of the simulation says them; \
         [the proof](../proof.md) says when each is looked at.\n\n\
         | number | invariant | bugs |\n|---:|---|---:|\n",
    );
    for (number, says) in (1..).zip(invariants(&project.read(SAID)?)?) {
        let of = bugs.iter().filter(|bug| bug.invariant == number).count();
        writeln!(out, "| {number} | {} | {of} |", cell(&says))?;
    }
    Ok(out)
}

/// The invariants in the order of their numbers, as the judge says them. Read, not called: nothing else here
/// needs the whole of the simulation to be built.
fn invariants(source: &str) -> Result<Vec<String>> {
    let list = source.split_once("const SAYS: [&str; 15] = [");
    let list = list.and_then(|(_, rest)| rest.split_once("];"));
    let says = list.map(|(list, _)| list.lines().filter_map(quoted).collect::<Vec<_>>());
    says.filter(|says| says.len() == 15)
        .ok_or_else(|| format!("{SAID} says no more what the fifteen invariants are").into())
}

fn quoted(line: &str) -> Option<String> {
    let text = line.trim().strip_prefix('"')?.strip_suffix("\",")?;
    Some(text.to_owned())
}
