//! What the judge has on one order, read from the events that became durable.

use std::collections::VecDeque;
use std::time::Duration;

use recharge_core::{Account, FaceValue, OrderState, SubmitOutcome};
use recharge_engine::store::Stored;
use recharge_engine::{Decision, Epoch, SendToken, Verdict, WallTime};

use super::evidence::{Answered, End, Evidence};
use super::log::Complaints;
use crate::executor::Process;
use crate::order_name::OrderName;

/// An order's file.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct File {
    pub(crate) name: OrderName,
    pub(crate) account: Account,
    pub(crate) amount: FaceValue,
    pub(crate) state: OrderState,
    pub(crate) version: u64,
    pub(crate) due: Option<WallTime>,
    pub(crate) attempts: Vec<Evidence>,
    /// The intents to send. A worker whose machine was suspended may carry out one that others have followed.
    pub(crate) intents: Vec<Intent>,
    /// Who approved what, and whether something has been learned since.
    pub(crate) approval: Option<(Decision, bool)>,
    /// Who decided on its last move; `None`: nobody, it followed from evidence or time.
    pub(crate) decided: Option<By>,
    /// What two people have allowed to be sent and has not been yet, and when they did.
    pub(crate) permitted: Option<(Verdict, Duration)>,
    /// The highest version that its merchant should hear of, and what was told.
    pub(crate) notice: Option<(u64, OrderState)>,
    pub(crate) told: Option<(u64, OrderState)>,
    /// The version of the last alarm, and of the last that an operator was told.
    pub(crate) alarm: Option<u64>,
    pub(crate) alarm_told: Option<u64>,
    /// When a notice or an alarm became durable last.
    pub(crate) news_at: Option<Duration>,
    pub(crate) message: u64,
    pub(crate) alarmed: bool,
    /// What lets it be asked about out of turn: at those times.
    pub(crate) occasions: VecDeque<Duration>,
    /// When it came to its last end, and how often it was asked about since.
    pub(crate) ended_at: Option<Duration>,
    pub(crate) asked_since_end: u32,
    /// Since when it may be sent, and by whose clock.
    pub(crate) pending_since: Option<(Duration, Epoch)>,
    /// When it was accepted, and when it was first to be sent.
    pub(crate) accepted: Duration,
    /// Since when it waits to be sent, on the wall clock; `None` once a hold, or people, have a say in that.
    pub(crate) waits_since: Option<WallTime>,
    pub(crate) first_intent: Option<Duration>,
    /// When the backup was put back under whose hold it is.
    pub(crate) held_since: Option<Duration>,
    /// Whether it comes from a backup and has not been held yet.
    pub(crate) to_be_held: bool,
    /// When a callback last caused a question, and by whose clock.
    pub(crate) callback_asked: Option<(Duration, Epoch)>,
    /// The version of the newest evidence.
    pub(crate) evidence_version: u64,
    /// Whether the present step has an answer against its end.
    pub(crate) contradicted: bool,
    /// Whether the present step has an answer by which it is paid once more.
    pub(crate) paid_again: bool,
    /// An answer against its end, within the step that records it.
    pub(crate) must_reach_a_person: Option<Answered>,
}

/// How many people it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    One,
    Two,
}

impl Intent {
    /// Whether its bytes may go: whoever gives it up as unknown says that they still may.
    pub(super) fn is_open(&self) -> bool {
        !self.used && self.ended.is_none_or(|end| end == End::Unknown)
    }
}

/// An intent to send.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) number: String,
    pub(crate) token: SendToken,
    pub(crate) by: Process,
    /// On the monotonic clock of that process.
    pub(crate) at: Duration,
    pub(crate) used: bool,
    /// When its worker had the upstream's acknowledgement in hand.
    pub(crate) acknowledged: Option<Duration>,
    /// What it is called to have come to, and whether its worker said so.
    pub(crate) ended: Option<End>,
    pub(crate) ended_by_own: bool,
}

impl File {
    pub(crate) fn new(stored: &Stored, accepted: Duration, restored: Option<Duration>) -> Self {
        let what = stored.order.what();
        Self {
            name: OrderName::of(what),
            account: what.account.clone(),
            amount: what.amount,
            state: OrderState::Pending,
            version: 0,
            due: stored.order.due(),
            attempts: Vec::new(),
            intents: Vec::new(),
            approval: None,
            decided: None,
            permitted: None,
            notice: None,
            told: None,
            alarm: None,
            alarm_told: None,
            news_at: None,
            message: 0,
            alarmed: false,
            occasions: VecDeque::new(),
            ended_at: None,
            asked_since_end: 0,
            pending_since: Some((accepted, stored.order.accepted().epoch)),
            accepted,
            waits_since: (!stored.order.acceptance().held).then(|| stored.order.accepted().wall),
            first_intent: None,
            held_since: restored.filter(|_| stored.order.acceptance().held),
            to_be_held: false,
            callback_asked: None,
            evidence_version: 0,
            contradicted: false,
            paid_again: false,
            must_reach_a_person: None,
        }
    }

    /// Whether it has ended or is on a desk.
    pub(crate) const fn rests(&self) -> bool {
        self.state.is_end() || matches!(self.state, OrderState::Review(_))
    }

    /// Whether it is called failed, and two people have not said so: one can only where nothing is open.
    pub(crate) fn failed_on_evidence(&self) -> bool {
        self.state == OrderState::Failed && self.decided != Some(By::Two)
    }

    /// When two people have allowed this very send.
    pub(super) fn permits(&self, index: u32, provider: &str) -> Option<Duration> {
        let (verdict, at) = self.permitted.as_ref()?;
        let permits = match verdict {
            Verdict::SendAgain { attempt } => *attempt == index,
            Verdict::SendElsewhere { provider: to } => {
                usize::try_from(index) == Ok(self.attempts.len()) && to.as_str() == provider
            }
            Verdict::Succeeded | Verdict::Failed | Verdict::Cancel => false,
        };
        permits.then_some(*at)
    }

    pub(crate) fn attempt(&mut self, index: u32) -> Option<&mut Evidence> {
        self.attempts.get_mut(usize::try_from(index).ok()?)
    }

    /// The attempt of that index, or the next one.
    pub(super) fn attempt_or_new(
        &mut self,
        index: u32,
        number: &str,
        provider: &str,
    ) -> Option<&mut Evidence> {
        if usize::try_from(index) == Ok(self.attempts.len()) {
            self.attempts.push(Evidence {
                number: number.to_owned(),
                provider: provider.to_owned(),
                ..Evidence::default()
            });
        }
        self.attempt(index)
    }

    /// A send has ended, or its end is told once more.
    pub(super) fn send_ended(
        &mut self,
        by: Process,
        (attempt, token): (u32, SendToken),
        outcome: &SubmitOutcome,
        at: Duration,
        complaints: &mut Complaints,
    ) {
        let end = End::from(outcome);
        self.learned();
        let mut intents = self.intents.iter_mut();
        if let Some(intent) = intents.find(|it| it.token == token) {
            if end == End::NotSent && intent.used {
                complaints.add(3, "is called not sent, and its bytes have gone");
            }
            intent.ended = Some(end);
            intent.ended_by_own |= intent.by == by;
        }
        let failed = self.state == OrderState::Failed;
        let Some(known) = self.attempt(attempt) else {
            return;
        };
        let mut sends = known.sends.iter_mut();
        if let Some(send) = sends.find(|send| send.token == token) {
            send.end = Some((end, at));
        }
        if let SubmitOutcome::Accepted(receipt) = outcome {
            known.is_called(receipt.upstream_order_id.as_ref());
            let news = known.at_end != Some(Answered::Charging);
            // An acknowledgement is older than a failure that was told since.
            let stands = known.last != Some(Answered::Failed);
            if stands {
                known.last = Some(Answered::Charging);
            }
            self.contradicted |= news && failed;
            if news && failed && stands {
                self.must_reach_a_person = Some(Answered::Charging);
            }
        }
    }

    /// Whether an answer is against the end that it has, and was not known when it came to it.
    pub(super) fn contradicts(&self, attempt: u32, said: Answered) -> bool {
        let index = usize::try_from(attempt).unwrap_or(usize::MAX);
        let Some(known) = self.attempts.get(index) else {
            return false;
        };
        let against = match self.state {
            OrderState::Failed => matches!(said, Answered::Charging | Answered::Succeeded),
            OrderState::Succeeded => match said {
                Answered::Failed => self.decided.is_some() || known.paid(),
                Answered::NoSuchOrder => self.decided.is_some(),
                Answered::Charging | Answered::Succeeded => false,
            },
            _ => false,
        };
        against && known.at_end != Some(said)
    }

    /// Something other than "no such order" is known now: what was approved before is void.
    pub(crate) fn learned(&mut self) {
        self.evidence_version = self.version;
        if let Some((_, learned)) = &mut self.approval {
            *learned = true;
        }
    }

    /// Something happened that may cause a question at once.
    pub(crate) fn occasion(&mut self, now: Duration) {
        self.occasions.push_back(now);
        if self.occasions.len() > 64 {
            self.occasions.pop_front();
        }
    }
}
