//! The order: a fold of its events, and nothing else.

use recharge_core::{AttemptNumber, OrderState, ProviderId, ReviewReason, Standing, SubmitRequest};

use crate::attempt::Attempt;
use crate::event::{Decision, Event, Person, Recorded, Verdict};
use crate::{Moment, WallTime};

mod accepted;
mod fold;
mod likeness;

pub use accepted::{Acceptance, NewOrder, ReplyTo, ReplyToError};
// For the search of all that can become of an order, and no promise to anybody else.
#[doc(hidden)]
pub use likeness::Viewpoint;

/// Why an event can't be the next of an order's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// Versions rise by one.
    #[error("the log has version {found} where {expected} belongs")]
    Version {
        /// The version that comes next.
        expected: u64,
        /// That of the event.
        found: u64,
    },
    /// The table has no such move.
    #[error("the log moves the order from {from} to {to}, which the table of moves doesn't have")]
    Move {
        /// Where the order stands.
        from: OrderState,
        /// Where the event moves it.
        to: OrderState,
    },
    /// There is no such attempt, or it has another number or provider.
    #[error("the log names attempt {attempt}, which doesn't exist or is another one")]
    Attempt {
        /// Its index.
        attempt: u32,
    },
}

/// An order with all that is on record about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub(crate) acceptance: Box<Acceptance>,
    pub(crate) version: u64,
    pub(crate) state: OrderState,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) due: Option<WallTime>,
    /// When the present state was entered.
    pub(crate) entered: Moment,
    pub(crate) first_submitting: Option<WallTime>,
    /// How many rounds of the present schedule are over.
    pub(crate) round: u32,
    /// How many sends in a row, of the last attempt, wrote nothing.
    pub(crate) not_sent_in_row: u32,
    pub(crate) callback_asked: Option<Moment>,
    pub(crate) callback_seen: bool,
    pub(crate) approval: Option<Decision>,
    /// The version of the newest evidence that a person must have seen to decide.
    pub(crate) evidence_version: u64,
    pub(crate) permit: Option<Verdict>,
    pub(crate) permitted_sends: u32,
    pub(crate) decided_by: Option<Person>,
    pub(crate) held: Option<Held>,
    /// When it was sent that a hold had kept.
    pub(crate) released: Option<WallTime>,
    /// The routes whose price has been asked for since the present state was entered, and whether it
    /// passes.
    pub(crate) priced: Vec<(ProviderId, bool)>,
}

/// The hold of a restored backup, from its beginning until the order is sent or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) since: Moment,
    /// The numbers, by their index and place, that the upstream said not to know, once for each time.
    pub(crate) denied: Vec<(u32, ProviderId)>,
    /// When it last said so.
    pub(crate) denied_at: Option<WallTime>,
    /// How many of its questions in a row were not answered.
    pub(crate) unanswered: u32,
    /// Whether, after one that was not answered, it is the schedule's turn to ask.
    pub(crate) yields: bool,
}

impl Held {
    const fn since(since: Moment) -> Self {
        Self {
            since,
            denied: Vec::new(),
            denied_at: None,
            unanswered: 0,
            yields: false,
        }
    }

    /// How often a provider said not to know the number of this index.
    pub(crate) fn denied(&self, index: u32, provider: &ProviderId) -> u32 {
        let same = self
            .denied
            .iter()
            .filter(|(i, p)| *i == index && p == provider);
        u32::try_from(same.count()).unwrap_or(u32::MAX)
    }

    /// Whether one of its numbers has been denied more often than so many times.
    pub(crate) fn has_begun(&self, round: u32) -> bool {
        let mut denied = self.denied.iter();
        denied.any(|(index, provider)| self.denied(*index, provider) > round)
    }
}

impl Order {
    /// An order as it is accepted: pending, version 0, due at once.
    pub fn accept(acceptance: Acceptance) -> Self {
        let now = acceptance.at;
        Self {
            held: acceptance.held.then(|| Held::since(now)),
            released: None,
            acceptance: Box::new(acceptance),
            priced: Vec::new(),
            version: 0,
            state: OrderState::INITIAL,
            attempts: Vec::new(),
            due: Some(now.wall),
            entered: now,
            first_submitting: None,
            round: 0,
            not_sent_in_row: 0,
            callback_asked: None,
            callback_seen: false,
            approval: None,
            evidence_version: 0,
            permit: None,
            permitted_sends: 0,
            decided_by: None,
        }
    }

    /// What is on record before the first event. With the log it is the whole order:
    /// [`replay`](Self::replay).
    pub const fn acceptance(&self) -> &Acceptance {
        &self.acceptance
    }

    /// What was ordered.
    pub const fn what(&self) -> &NewOrder {
        &self.acceptance.what
    }

    /// When it was accepted.
    pub const fn accepted(&self) -> Moment {
        self.acceptance.at
    }

    /// When it came to where it stands.
    pub const fn entered(&self) -> Moment {
        self.entered
    }

    /// Whether it is under the hold of a restored backup: it was, and has neither been sent nor ended
    /// since.
    pub const fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Who decided the end that it has, if people did.
    pub const fn decided_by(&self) -> Option<&Person> {
        self.decided_by.as_ref()
    }

    /// Whether it has ended or is on a person's desk.
    pub const fn is_at_rest(&self) -> bool {
        self.state.is_end() || matches!(self.state, OrderState::Review(_))
    }

    /// Where it stands.
    pub const fn state(&self) -> OrderState {
        self.state
    }

    /// The number of events so far.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// When something is next to be done of itself.
    pub const fn due(&self) -> Option<WallTime> {
        self.due
    }

    /// The attempts, oldest first.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Whether a genuine callback has come. A mark for people; it proves nothing.
    pub const fn callback_seen(&self) -> bool {
        self.callback_seen
    }

    /// The decision that waits for a second person.
    pub const fn approval(&self) -> Option<&Decision> {
        self.approval.as_ref()
    }

    /// How many sends two people have allowed.
    pub const fn permitted_sends(&self) -> u32 {
        self.permitted_sends
    }

    /// The attempt that paid, or else the last one.
    pub fn telling_attempt(&self) -> Option<&Attempt> {
        self.attempts
            .iter()
            .find(|attempt| attempt.paid)
            .or(self.attempts.last())
    }

    /// What goes upstream for an attempt.
    pub fn request(&self, attempt: &Attempt) -> SubmitRequest {
        self.request_with(attempt.number)
    }

    /// The same for a number that may not be an attempt's.
    pub fn request_with(&self, number: AttemptNumber) -> SubmitRequest {
        let what = self.what();
        let mut request = SubmitRequest::new(number, what.account.clone(), what.amount);
        request.carrier = what.carrier;
        request
    }

    /// The attempt that an effect or an event names.
    pub fn attempt(&self, index: u32) -> Option<&Attempt> {
        self.attempts.get(usize::try_from(index).ok()?)
    }

    /// The order as its log has it: accepted then, and what came after.
    pub fn replay<'a>(
        acceptance: Acceptance,
        log: impl IntoIterator<Item = &'a Recorded>,
    ) -> Result<Self, ApplyError> {
        let mut order = Self::accept(acceptance);
        for recorded in log {
            order.apply(recorded)?;
        }
        Ok(order)
    }

    /// Applies the next event of a log. One that can't be the next leaves the order as it was: the log
    /// has lost something, or belongs to another order.
    pub fn apply(&mut self, recorded: &Recorded) -> Result<(), ApplyError> {
        let (expected, found) = (self.version + 1, recorded.version);
        if found != expected {
            return Err(ApplyError::Version { expected, found });
        }
        match &recorded.event {
            Event::SendIntended {
                attempt,
                number,
                provider,
                ..
            }
            | Event::Adopted {
                attempt,
                number,
                provider,
            } => match self.attempt(*attempt) {
                Some(known) if known.number == *number && known.provider == *provider => {}
                None if usize::try_from(*attempt) == Ok(self.attempts.len()) => {}
                Some(_) | None => return Err(ApplyError::Attempt { attempt: *attempt }),
            },
            Event::SendEnded { attempt, .. }
            | Event::Answered { attempt, .. }
            | Event::CallbackSeen { attempt, .. } => {
                if self.attempt(*attempt).is_none() {
                    return Err(ApplyError::Attempt { attempt: *attempt });
                }
            }
            Event::Moved { to, .. } => {
                let (from, to) = (self.state, *to);
                if !from.may_become(to) {
                    return Err(ApplyError::Move { from, to });
                }
            }
            Event::Approved { .. }
            | Event::Decided { .. }
            | Event::AskedAgain { .. }
            | Event::Recovered
            | Event::Held
            | Event::Probed { .. }
            | Event::Priced { .. }
            | Event::Scheduled { .. } => {}
        }
        self.fold(recorded);
        Ok(())
    }

    /// Whether a question of the schedule is of the present one. One that was sent before an end, and
    /// answered after it, is not of those that are sent after it.
    pub(crate) fn is_of_this_schedule(&self, asked: Moment) -> bool {
        !self.state.is_end() || asked.not_before(self.entered)
    }

    pub(crate) fn all_negative(&self) -> bool {
        self.attempts
            .iter()
            .all(|attempt| attempt.standing().is_negative())
    }

    pub(crate) fn all_closed(&self) -> bool {
        self.attempts
            .iter()
            .all(|attempt| attempt.standing().is_closed())
    }

    pub(crate) fn any(&self, standing: Standing) -> bool {
        self.attempts
            .iter()
            .any(|attempt| attempt.standing() == standing)
    }

    pub(crate) const fn is_contradiction(&self) -> bool {
        matches!(self.state, OrderState::Review(ReviewReason::Contradiction))
    }
}
