//! The order: a fold of its events, and nothing else.

use recharge_core::{
    Account, Carrier, FaceValue, OrderId, OrderState, ReviewReason, Standing, SubmitOutcome,
    SubmitRequest,
};

use crate::attempt::{Attempt, Said, Sent};
use crate::event::{Decision, Event, Person, Purpose, Recorded, Verdict};
use crate::{Moment, WallTime};

/// What a merchant orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The merchant; `local` on the command line.
    pub merchant: String,
    /// The merchant's name for the order.
    pub order_id: OrderId,
    /// What is topped up.
    pub account: Account,
    /// By how much.
    pub amount: FaceValue,
    /// The carrier, where the upstream wants it named.
    pub carrier: Option<Carrier>,
}

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
    pub(crate) what: NewOrder,
    pub(crate) accepted: Moment,
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
}

impl Order {
    /// An order as it is accepted: pending, version 0, due at once.
    pub fn accept(what: NewOrder, now: Moment) -> Self {
        Self {
            what,
            accepted: now,
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

    /// When it was accepted. With [`what`](Self::what) and the log it is the whole order:
    /// [`replay`](Self::replay).
    pub const fn accepted(&self) -> Moment {
        self.accepted
    }

    /// What was ordered.
    pub const fn what(&self) -> &NewOrder {
        &self.what
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
        let mut request =
            SubmitRequest::new(attempt.number, self.what.account.clone(), self.what.amount);
        request.carrier = self.what.carrier;
        request
    }

    /// The attempt that an effect or an event names.
    pub fn attempt(&self, index: u32) -> Option<&Attempt> {
        self.attempts.get(usize::try_from(index).ok()?)
    }

    /// The order as its log has it: accepted then, and what came after.
    pub fn replay<'a>(
        what: NewOrder,
        accepted: Moment,
        log: impl IntoIterator<Item = &'a Recorded>,
    ) -> Result<Self, ApplyError> {
        let mut order = Self::accept(what, accepted);
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
            | Event::Scheduled { .. } => {}
        }
        self.fold(recorded);
        Ok(())
    }

    /// Applies an event that is known to be the next.
    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        self.version = recorded.version;
        let at = recorded.at;
        match &recorded.event {
            Event::SendIntended {
                attempt,
                number,
                provider,
                token,
            } => {
                self.evidence_seen();
                self.permit = None;
                if self.attempt(*attempt).is_none() {
                    self.not_sent_in_row = 0;
                    self.attempts.push(Attempt::new(*number, provider.clone()));
                }
                self.change(*attempt, |attempt| {
                    attempt.send_intended(Sent {
                        token: *token,
                        intended: at,
                        ended: None,
                    });
                });
            }
            Event::SendEnded {
                attempt,
                token,
                outcome,
            } => {
                self.evidence_seen();
                self.not_sent_in_row = match outcome {
                    SubmitOutcome::NotSent(_) => self.not_sent_in_row.saturating_add(1),
                    SubmitOutcome::Accepted(_)
                    | SubmitOutcome::Rejected(_)
                    | SubmitOutcome::Unknown(_) => 0,
                };
                self.change(*attempt, |attempt| attempt.send_ended(*token, outcome, at));
            }
            Event::Answered {
                attempt,
                asked,
                purpose,
                outcome,
                confirms_failure,
                after_quarantine,
                completes_round,
            } => {
                let said = Said::in_answer(outcome, *purpose);
                if said.is_some_and(|said| said != Said::NoSuchOrder) {
                    self.evidence_seen();
                }
                let round = self.round.saturating_add(1);
                self.change(*attempt, |attempt| {
                    // Other questions take no turn of the schedule.
                    if *purpose == Purpose::Schedule {
                        attempt.asked_round = round;
                    }
                    if let Some(said) = said {
                        attempt.answered(said, *asked, at, *confirms_failure, *after_quarantine);
                        attempt.sighted(outcome);
                    }
                });
                if *completes_round {
                    self.round = round;
                }
            }
            Event::CallbackSeen { asks, .. } => {
                self.callback_seen = true;
                if *asks {
                    self.callback_asked = Some(at);
                }
            }
            Event::Approved { decision } => self.approval = Some(decision.clone()),
            Event::Decided { decision, .. } => {
                self.approval = None;
                match &decision.verdict {
                    Verdict::SendAgain { .. } | Verdict::SendElsewhere { .. } => {
                        self.permit = Some(decision.verdict.clone());
                        self.permitted_sends = self.permitted_sends.saturating_add(1);
                    }
                    Verdict::Succeeded | Verdict::Failed | Verdict::Cancel => {
                        self.decided_by = Some(decision.by.clone());
                    }
                }
            }
            Event::Moved { to, .. } => self.moved(*to, at),
            Event::AskedAgain { .. } | Event::Recovered => {}
            Event::Scheduled { due } => self.due = *due,
        }
    }

    fn moved(&mut self, to: OrderState, at: Moment) {
        if self.state.is_end() {
            self.decided_by = None;
        }
        match to {
            OrderState::Submitting => {
                self.first_submitting = self.first_submitting.or(Some(at.wall));
            }
            OrderState::Review(_) => self.permit = None,
            OrderState::Pending
            | OrderState::Charging
            | OrderState::Unknown
            | OrderState::Succeeded
            | OrderState::Failed => {}
        }
        // From unknown to charging and on to a desk the schedule goes on; elsewhere it begins again.
        let goes_on = matches!(to, OrderState::Charging | OrderState::Review(_))
            && matches!(self.state, OrderState::Charging | OrderState::Unknown);
        if !goes_on {
            self.round = 0;
            self.attempts
                .iter_mut()
                .for_each(|attempt| attempt.asked_round = 0);
        }
        for attempt in &mut self.attempts {
            if to.is_end() {
                attempt.last_at_end = attempt.last;
            }
            // Before a later attempt it is asked *again*.
            attempt.last_asked = None;
        }
        self.state = to;
        self.entered = at;
    }

    /// Something other than "no such order" is on record: what people approved before it is void.
    fn evidence_seen(&mut self) {
        self.evidence_version = self.version;
        self.approval = None;
    }

    fn change(&mut self, index: u32, change: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) = usize::try_from(index)
            .ok()
            .and_then(|at| self.attempts.get_mut(at))
        {
            change(attempt);
        }
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
