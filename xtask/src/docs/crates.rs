//! `crates.md`: the crates, what each is for, and which may use which.

use std::fmt::Write as _;

use super::cell;
use crate::arrows::{ADAPTERS, FOR_TESTS, LAYERS};
use crate::project::{Project, Result};

pub(super) fn page(_: &Project) -> Result<String> {
    let mut out = String::from(
        "# The crates and their arrows\n\n\
         A crate's code may use the crates that its row names, and no other; `cargo xtask tidy` fails on \
         any other arrow. The table itself is `LAYERS` in `xtask/src/arrows.rs`.\n\n\
         | crate | what it is for | may use |\n|---|---|---|\n",
    );
    for layer in LAYERS {
        let uses: Vec<String> = layer.uses.iter().map(|used| format!("`{used}`")).collect();
        let uses = if uses.is_empty() {
            "nothing of ours".to_owned()
        } else {
            uses.join(", ")
        };
        writeln!(
            out,
            "| `{}` | {} | {uses} |",
            layer.name,
            cell(layer.purpose)
        )?;
    }
    let quoted = |names: &[&str]| {
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
    };
    write!(
        out,
        "\nTests may use more: any lower crate, and {}. The suites are used from files in `tests/` only: in \
         a unit test the traits would exist twice. {} stand side by side: neither knows the other, in \
         tests either.\n\n```mermaid\ngraph TD\n",
        quoted(FOR_TESTS).join(" and "),
        quoted(ADAPTERS).join(" and "),
    )?;
    for layer in LAYERS.iter().rev() {
        for used in layer.uses {
            writeln!(out, "    {} --> {used}", layer.name)?;
        }
    }
    out.push_str("```\n");
    Ok(out)
}
