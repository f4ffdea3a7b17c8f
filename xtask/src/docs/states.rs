//! `states.md`: an order's states, the moves between them, and the standings of an attempt.

use std::fmt::Write as _;

use recharge_core::{MOVES, OrderState, ReviewReason, Standing};

use super::cell;
use crate::project::{Project, Result};

const STATES: [OrderState; 7] = OrderState::EACH;

pub(super) fn page(_: &Project) -> Result<String> {
    let mut out = String::from(
        "# States and moves\n\n\
         An order is always in one of these states. Only evidence ends it, and an end is never \
         changed silently into the other.\n\n\
         | state | meaning | leads to |\n|---|---|---|\n",
    );
    for state in STATES {
        let name = state.as_str();
        let to: Vec<String> = MOVES
            .iter()
            .filter(|row| row.from == name)
            .map(|row| format!("`{}`", row.to))
            .collect();
        writeln!(
            out,
            "| `{name}` | {} | {} |",
            cell(state.meaning()),
            to.join(", ")
        )?;
    }
    out.push_str("\n```mermaid\nstateDiagram-v2\n");
    writeln!(out, "    [*] --> {}", OrderState::INITIAL.as_str())?;
    for row in MOVES {
        writeln!(out, "    {} --> {}", row.from, row.to)?;
    }
    out.push_str("```\n\n## Every move\n\n| from | to | because |\n|---|---|---|\n");
    for row in MOVES {
        writeln!(
            out,
            "| `{}` | `{}` | {} |",
            row.from,
            row.to,
            cell(row.because)
        )?;
    }
    out.push_str("\n## Why an order is in review\n\n| reason | meaning |\n|---|---|\n");
    for reason in ReviewReason::ALL {
        writeln!(out, "| `{}` | {} |", reason.as_str(), why(reason))?;
    }
    out.push_str(
        "\n## Standing of an attempt\n\n\
         An attempt is one order number at one provider. Another attempt may go out by itself only when \
         every earlier one is closed; an order is called failed only when every attempt is negative.\n\n\
         | standing | evidence | closed | negative |\n|---|---|---|---|\n",
    );
    for standing in Standing::ALL {
        let yes = |is: bool| if is { "yes" } else { "no" };
        writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            standing.as_str(),
            evidence(standing),
            yes(standing.is_closed()),
            yes(standing.is_negative()),
        )?;
    }
    Ok(out)
}

const fn why(reason: ReviewReason) -> &'static str {
    match reason {
        ReviewReason::ProbablyNotTaken => {
            "past the quarantine the upstream has said \"no such order\" often enough; only people may say that it was not taken"
        }
        ReviewReason::Overdue => "charging or unknown for longer than the product ever takes",
        ReviewReason::Contradiction => "evidence against an end: only people settle it",
        ReviewReason::EarlierAttempt => {
            "before a later attempt could be sent, an earlier one in doubt answered something, or could not be asked"
        }
    }
}

const fn evidence(standing: Standing) -> &'static str {
    match standing {
        Standing::Unsent => "nothing was written, or \"not sent\" on every send",
        Standing::Refused => {
            "rejected on the only send that wrote bytes, and a query sent afterwards found no such order"
        }
        Standing::Open => "bytes may have gone, and nothing final is known",
        Standing::Taken => "the upstream acknowledged it, or a query says that it is charging",
        Standing::Failed => {
            "two queries, apart in time, said that it failed, with no other explicit answer between"
        }
        Standing::Paid => "a query says that it succeeded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_the_moves_has_its_row() {
        let names = STATES.map(OrderState::as_str);
        for row in MOVES {
            assert!(
                names.contains(&row.from) && names.contains(&row.to),
                "{row:?}"
            );
        }
    }
}
