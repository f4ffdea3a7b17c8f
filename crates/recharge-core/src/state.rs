//! The states of an order, the standing of an attempt, and the table of moves, readable as data.
//!
//! An order is `Pending`, then `Submitting`, and from there evidence alone moves it. `Succeeded` and
//! `Failed` are its ends; later evidence against an end puts it on a person's desk, never silently into
//! the other end. The rules by which moves are made are the lifecycle crate's; which moves exist at all
//! is said here, once.

use std::fmt;

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderState {
    /// Durably accepted; the next attempt may be sent.
    Pending,
    /// The intent to send is durable; bytes may be on the wire.
    Submitting,
    /// The upstream has taken it.
    Charging,
    /// Nobody knows whether the upstream has taken it. A state, not an error.
    Unknown,
    /// On a person's desk, alarmed, and still asked about.
    Review(ReviewReason),
    /// An attempt is paid, or a person decided so.
    Succeeded,
    /// Every attempt is negative, or two people decided so.
    Failed,
}

/// Why an order is on a person's desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReviewReason {
    /// Past the quarantine the upstream has said "no such order" often enough; it was probably not
    /// taken, and only people may say so.
    ProbablyNotTaken,
    /// Charging or unknown for longer than the product ever takes.
    Overdue,
    /// Evidence against an end.
    Contradiction,
    /// Before a later attempt could be sent, an earlier one whose bytes were in doubt answered
    /// something, or could not be asked.
    EarlierAttempt,
}

/// What is on record about one attempt: one order number at one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Minted and nothing written, or "not sent" on every send.
    Unsent,
    /// Rejected on the only send that wrote bytes, and a query sent afterwards found no such order.
    Refused,
    /// Bytes may have gone and nothing final is known.
    Open,
    /// The upstream acknowledged it, or a query says that it is charging.
    Taken,
    /// Two queries, apart in time, said that it failed, with no other explicit answer between.
    Failed,
    /// A query says that it succeeded.
    Paid,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 6] = [
        Self::Unsent,
        Self::Refused,
        Self::Open,
        Self::Taken,
        Self::Failed,
        Self::Paid,
    ];

    /// `Unsent` or `Refused`: nothing of it can be charged, so that another attempt may go out.
    pub const fn is_closed(self) -> bool {
        match self {
            Self::Unsent | Self::Refused => true,
            Self::Open | Self::Taken | Self::Failed | Self::Paid => false,
        }
    }

    /// Closed or `Failed`: an order all of whose attempts are negative may be called failed.
    pub const fn is_negative(self) -> bool {
        match self {
            Self::Unsent | Self::Refused | Self::Failed => true,
            Self::Open | Self::Taken | Self::Paid => false,
        }
    }

    /// The name in files, answers and docs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsent => "unsent",
            Self::Refused => "refused",
            Self::Open => "open",
            Self::Taken => "taken",
            Self::Failed => "failed",
            Self::Paid => "paid",
        }
    }
}

impl ReviewReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [
        Self::ProbablyNotTaken,
        Self::Overdue,
        Self::Contradiction,
        Self::EarlierAttempt,
    ];

    /// The name in files, answers and docs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProbablyNotTaken => "probably_not_taken",
            Self::Overdue => "overdue",
            Self::Contradiction => "contradiction",
            Self::EarlierAttempt => "earlier_attempt",
        }
    }

    /// The reason of that [`as_str`](Self::as_str) name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

impl OrderState {
    /// Where every accepted order begins.
    pub const INITIAL: Self = Self::Pending;

    /// Each state once, in the order of a life: a review stands for one with any reason.
    pub const EACH: [Self; 7] = [
        Self::Pending,
        Self::Submitting,
        Self::Charging,
        Self::Unknown,
        Self::Review(ReviewReason::Overdue),
        Self::Succeeded,
        Self::Failed,
    ];

    /// The name in files, answers and docs, without the reason of a review.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Submitting => "submitting",
            Self::Charging => "charging",
            Self::Unknown => "unknown",
            Self::Review(_) => "review",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// What the state says, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Pending => "durably accepted; the next attempt may be sent",
            Self::Submitting => "the intent to send is durable; bytes may be on the wire",
            Self::Charging => "the upstream has taken it",
            Self::Unknown => "nobody knows whether the upstream has taken it; it is asked about",
            Self::Review(_) => "on a person's desk, alarmed, and still asked about",
            Self::Succeeded => "an attempt is paid, or a person decided so",
            Self::Failed => "every attempt is negative, or two people decided so",
        }
    }

    /// `Succeeded` or `Failed`.
    pub const fn is_end(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed => true,
            Self::Pending | Self::Submitting | Self::Charging | Self::Unknown | Self::Review(_) => {
                false
            }
        }
    }

    /// Whether the table of [`MOVES`] has a row from this state to that one. A change of a review's
    /// reason is not a move.
    ///
    /// ```
    /// use recharge_core::OrderState::{Charging, Failed, Pending, Succeeded};
    /// assert!(Charging.may_become(Succeeded));
    /// assert!(!Failed.may_become(Succeeded), "an end never flips by itself");
    /// assert!(!Charging.may_become(Pending), "what was taken is never sent again");
    /// ```
    pub const fn may_become(self, to: Self) -> bool {
        // The table itself is for readers: it would be compared by names, and every event asks.
        match self {
            Self::Pending => matches!(to, Self::Submitting | Self::Failed | Self::Review(_)),
            Self::Submitting => matches!(
                to,
                Self::Pending | Self::Charging | Self::Unknown | Self::Failed
            ),
            Self::Charging => matches!(to, Self::Succeeded | Self::Failed | Self::Review(_)),
            Self::Unknown => matches!(
                to,
                Self::Charging | Self::Succeeded | Self::Failed | Self::Review(_) | Self::Pending
            ),
            Self::Review(_) => matches!(to, Self::Succeeded | Self::Failed | Self::Pending),
            Self::Succeeded | Self::Failed => matches!(to, Self::Review(_)),
        }
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Review(reason) => f.pad(&format!("review ({})", reason.as_str())),
            Self::Pending
            | Self::Submitting
            | Self::Charging
            | Self::Unknown
            | Self::Succeeded
            | Self::Failed => f.pad(self.as_str()),
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for ReviewReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One row of the table of moves. States are named by [`OrderState::as_str`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The state before.
    pub from: &'static str,
    /// The state after.
    pub to: &'static str,
    /// What makes the move.
    pub because: &'static str,
}

const fn row(from: OrderState, to: OrderState, because: &'static str) -> Move {
    Move {
        from: from.as_str(),
        to: to.as_str(),
        because,
    }
}

/// Every move that an order can make. Any other is an error in the caller.
pub const MOVES: &[Move] = &{
    use OrderState::{Charging, Failed, Pending, Submitting, Succeeded, Unknown};
    const REVIEW: OrderState = OrderState::Review(ReviewReason::Overdue);
    [
        row(Pending, Submitting, "the intent to send was made durable"),
        row(
            Pending,
            Failed,
            "cancelled, expired, or no route left, with every attempt negative",
        ),
        row(
            Pending,
            REVIEW,
            "an earlier attempt answered something, or can't be asked",
        ),
        row(
            Submitting,
            Pending,
            "not sent, or refused with a route left",
        ),
        row(
            Submitting,
            Charging,
            "the upstream acknowledged it, or a query shows it",
        ),
        row(
            Submitting,
            Unknown,
            "doubt: no answer, an unlisted one, or found at a start",
        ),
        row(
            Submitting,
            Failed,
            "refused or not sent, with no route left",
        ),
        row(
            Charging,
            Succeeded,
            "a query says succeeded, or a person decided with the upstream's proof",
        ),
        row(
            Charging,
            Failed,
            "two queries, apart in time, say failed; or two people decided",
        ),
        row(
            Charging,
            REVIEW,
            "overdue, or on its way to the next route by its switch; or an attempt lost with a backup turned up",
        ),
        row(
            Unknown,
            Charging,
            "a query says charging, or the upstream acknowledged it late",
        ),
        row(
            Unknown,
            Succeeded,
            "a query says succeeded, or a person decided with the upstream's proof",
        ),
        row(
            Unknown,
            Failed,
            "two queries, apart in time, say failed; refused with no route left; or two people decided",
        ),
        row(
            Unknown,
            REVIEW,
            "probably not taken, overdue, or on its way to the next route by its switch; or an attempt lost with a backup turned up",
        ),
        row(
            Unknown,
            Pending,
            "refused after all, with a route left or a hold to be over first",
        ),
        row(
            REVIEW,
            Succeeded,
            "a query says succeeded, or a person decided with the upstream's proof",
        ),
        row(
            REVIEW,
            Failed,
            "two queries, apart in time, say failed; or two people decided",
        ),
        row(
            REVIEW,
            Pending,
            "two people allowed a send, or the route's switch sends it on after a confirmed failure",
        ),
        row(Succeeded, REVIEW, "contradicted by a later answer"),
        row(Failed, REVIEW, "contradicted by a later answer"),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [OrderState; 7] = OrderState::EACH;

    #[test]
    fn the_table_names_only_states_and_has_no_row_twice() {
        let names: Vec<_> = STATES.iter().map(|state| state.as_str()).collect();
        for (at, row) in MOVES.iter().enumerate() {
            assert!(
                names.contains(&row.from) && names.contains(&row.to),
                "{row:?}"
            );
            assert_ne!(row.from, row.to);
            let same = |other: &&Move| other.from == row.from && other.to == row.to;
            assert_eq!(MOVES[at + 1..].iter().find(same), None);
        }
    }

    #[test]
    fn what_may_become_is_the_table_and_nothing_else() {
        let reviews = ReviewReason::ALL.map(OrderState::Review);
        let states: Vec<_> = STATES.into_iter().chain(reviews).collect();
        for from in &states {
            for to in &states {
                let row = |row: &&Move| row.from == from.as_str() && row.to == to.as_str();
                assert_eq!(
                    from.may_become(*to),
                    MOVES.iter().any(|r| row(&r)),
                    "{from} -> {to}"
                );
            }
        }
    }

    #[test]
    fn an_end_leads_only_to_a_desk() {
        let ends = [OrderState::Succeeded, OrderState::Failed];
        for end in STATES {
            assert_eq!(end.is_end(), ends.contains(&end), "{end}");
        }
        for end in ends {
            for to in STATES {
                assert_eq!(
                    end.may_become(to),
                    matches!(to, OrderState::Review(_)),
                    "{end} -> {to}"
                );
            }
        }
    }

    #[test]
    fn what_was_taken_is_sent_again_only_by_way_of_a_desk() {
        assert!(!OrderState::Charging.may_become(OrderState::Pending));
        assert!(!OrderState::Charging.may_become(OrderState::Submitting));
        for from in STATES {
            assert_eq!(
                from.may_become(OrderState::Submitting),
                from == OrderState::Pending,
                "{from}"
            );
        }
    }

    /// They stand in files, answers and logs.
    #[test]
    fn names_never_change() {
        assert_eq!(
            Standing::ALL.map(|standing| standing.to_string()),
            ["unsent", "refused", "open", "taken", "failed", "paid"]
        );
        assert_eq!(
            ReviewReason::ALL.map(|reason| reason.to_string()),
            [
                "probably_not_taken",
                "overdue",
                "contradiction",
                "earlier_attempt"
            ]
        );
        assert_eq!(
            STATES.map(OrderState::as_str),
            [
                "pending",
                "submitting",
                "charging",
                "unknown",
                "review",
                "succeeded",
                "failed"
            ]
        );
        for state in STATES {
            let shown = match state {
                OrderState::Review(_) => "review (overdue)",
                _ => state.as_str(),
            };
            assert_eq!(state.to_string(), shown);
        }
    }

    #[test]
    fn a_reason_is_read_back_from_its_name_and_from_no_other() {
        for reason in ReviewReason::ALL {
            assert_eq!(ReviewReason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(ReviewReason::parse("Overdue"), None);
    }

    #[test]
    fn each_state_says_what_no_other_says() {
        for (at, state) in STATES.iter().enumerate() {
            assert!(state.meaning().split(' ').count() > 3, "{state}");
            for other in &STATES[at + 1..] {
                assert_ne!(state.meaning(), other.meaning());
            }
        }
    }

    #[test]
    fn closed_is_narrower_than_negative() {
        // A provider may pay after saying failed.
        let closed = [Standing::Unsent, Standing::Refused];
        let negative = [Standing::Unsent, Standing::Refused, Standing::Failed];
        for standing in Standing::ALL {
            assert_eq!(standing.is_closed(), closed.contains(&standing));
            assert_eq!(standing.is_negative(), negative.contains(&standing));
        }
    }
}
