//! `codes.md`: every code of both upstreams, and what it proves.

use std::fmt::Write as _;

use recharge_core::{Code, CodeClass};

use super::cell;
use crate::project::{Project, Result};

pub(super) fn page(_: &Project) -> Result<String> {
    let classes: Vec<String> = CodeClass::ALL.iter().map(|it| format!("`{it}`")).collect();
    let mut out = format!(
        "# The upstreams' codes\n\n\
         A code is read in two places. In the answer to the *first* submit of an order number it says \
         whether the order was taken. Only `not-accepted` begins the proof that it was not, and a query \
         sent afterwards that finds no such order completes it. In the answer to a question the code says \
         why there is no answer. A code that is not listed proves nothing: `unknown` about a submit, \
         `other` to a question.\n\n\
         The classes are defaults. A merchant whose contract says otherwise gives a code another one in \
         `[[code_override]]`: {}. The class of code 0 can't be changed.\n",
        classes.join(", ")
    );
    table(&mut out, "Juhe", recharge_juhe::CODES)?;
    table(&mut out, "Jisu", recharge_jisu::CODES)?;
    Ok(out)
}

fn table(out: &mut String, upstream: &str, codes: &[Code]) -> Result<()> {
    write!(
        out,
        "\n## {upstream}\n\n\
         | code | meaning | on a submit | on a question | confidence | source | what to do |\n\
         |---|---|---|---|---|---|---|\n"
    )?;
    for code in codes {
        writeln!(
            out,
            "| `{}` | {} ({}) | {} | {} | {} | {} | {} |",
            code.code,
            cell(code.chinese),
            cell(code.english),
            code.on_submit.as_str(),
            code.on_query.as_str(),
            code.confidence.letter(),
            cell(code.source),
            cell(code.advice.unwrap_or_default()),
        )?;
    }
    Ok(())
}
