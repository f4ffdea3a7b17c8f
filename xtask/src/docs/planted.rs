//! `planted.md`: the planted bugs, the invariant that must fire for each, and after how many lives it did.

use std::fmt::Write as _;

use super::cell;
use crate::planted;
use crate::project::{Project, Result};
use crate::simulate;

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
    Ok(out)
}
