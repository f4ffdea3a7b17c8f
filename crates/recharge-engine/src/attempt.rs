//! An attempt: one order number at one provider, with the evidence about it.

use recharge_core::{
    AttemptNumber, Money, ProviderId, QueryOutcome, Standing, SubmitOutcome, UpstreamOrderId,
    UpstreamState,
};

use crate::Moment;
use crate::event::{Purpose, SendToken};

/// One order number at one provider, with the evidence about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent piece of evidence"
)]
pub struct Attempt {
    pub(crate) number: AttemptNumber,
    pub(crate) provider: ProviderId,
    pub(crate) sends: Vec<Sent>,
    pub(crate) upstream_order_id: Option<UpstreamOrderId>,
    pub(crate) cost: Option<Money>,
    pub(crate) taken: bool,
    pub(crate) paid: bool,
    /// When the first "failed" of an unbroken row of them arrived.
    pub(crate) failed_since: Option<Moment>,
    pub(crate) failed_twice: bool,
    pub(crate) not_found: u32,
    pub(crate) not_found_after_quarantine: bool,
    pub(crate) not_found_after_rejection: bool,
    /// The last explicit answer, when its question was sent if it came in the order's present state, and
    /// the answer that was on record when the order last ended.
    pub(crate) last: Option<Said>,
    pub(crate) last_asked: Option<Moment>,
    pub(crate) last_at_end: Option<Said>,
    pub(crate) asked_round: u32,
}

/// One send of an attempt's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) token: SendToken,
    pub(crate) intended: Moment,
    pub(crate) ended: Option<(SendEnd, Moment)>,
}

/// A [`SubmitOutcome`] without its evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SendEnd {
    Accepted,
    Rejected,
    NotSent,
    Unknown,
}

/// An explicit answer about an attempt, without its evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Said {
    Charging,
    Succeeded,
    Failed,
    NoSuchOrder,
}

impl From<UpstreamState> for Said {
    fn from(state: UpstreamState) -> Self {
        match state {
            UpstreamState::Charging => Self::Charging,
            UpstreamState::Succeeded => Self::Succeeded,
            UpstreamState::Failed => Self::Failed,
        }
    }
}

impl Said {
    /// What an answer says, if it says anything that counts: after a callback only "succeeded" does.
    pub(crate) fn in_answer(outcome: &QueryOutcome, purpose: Purpose) -> Option<Self> {
        let said = match outcome {
            QueryOutcome::Found(sighting) => Some(sighting.state.into()),
            QueryOutcome::NotFound(_) => Some(Self::NoSuchOrder),
            QueryOutcome::Unavailable(_) => None,
        };
        match purpose {
            Purpose::Callback => said.filter(|said| *said == Self::Succeeded),
            Purpose::Schedule
            | Purpose::AfterRejection
            | Purpose::BeforeNextAttempt
            | Purpose::Person
            | Purpose::CallbackCounts => said,
        }
    }
}

impl Attempt {
    pub(crate) fn new(number: AttemptNumber, provider: ProviderId) -> Self {
        Self {
            number,
            provider,
            sends: Vec::new(),
            upstream_order_id: None,
            cost: None,
            taken: false,
            paid: false,
            failed_since: None,
            failed_twice: false,
            not_found: 0,
            not_found_after_quarantine: false,
            not_found_after_rejection: false,
            last: None,
            last_asked: None,
            last_at_end: None,
            asked_round: 0,
        }
    }

    /// The number that travels.
    pub const fn number(&self) -> AttemptNumber {
        self.number
    }

    /// Where it was sent.
    pub const fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// The upstream's own number, once an answer has given it.
    pub const fn upstream_order_id(&self) -> Option<&UpstreamOrderId> {
        self.upstream_order_id.as_ref()
    }

    /// What the upstream said that it deducted.
    pub const fn cost(&self) -> Option<Money> {
        self.cost
    }

    /// What is on record about it.
    pub fn standing(&self) -> Standing {
        let with_bytes = self.sends_with_bytes();
        if self.paid {
            Standing::Paid
        } else if self.failed_twice {
            Standing::Failed
        } else if self.taken {
            Standing::Taken
        } else if with_bytes == 0 {
            Standing::Unsent
        } else if with_bytes == 1
            && self.rejected_at().is_some()
            && self.not_found_after_rejection
            && self.failed_since.is_none()
        {
            Standing::Refused
        } else {
            Standing::Open
        }
    }

    /// How many of its sends may have written bytes. A send whose end is not on record may have.
    pub(crate) fn sends_with_bytes(&self) -> usize {
        let not_sent = |send: &&Sent| matches!(send.ended, Some((SendEnd::NotSent, _)));
        self.sends.len() - self.sends.iter().filter(not_sent).count()
    }

    /// When it was rejected, if it was.
    pub(crate) fn rejected_at(&self) -> Option<Moment> {
        self.sends.iter().find_map(|send| match send.ended {
            Some((SendEnd::Rejected, at)) => Some(at),
            Some((SendEnd::Accepted | SendEnd::NotSent | SendEnd::Unknown, _)) | None => None,
        })
    }

    /// The token of the last send, if nothing is known of its end yet: only its holder may send.
    pub fn open_token(&self) -> Option<SendToken> {
        Some(self.send_under_way()?.token)
    }

    /// When its last send was intended.
    #[cfg(feature = "driver")]
    pub(crate) fn last_intended(&self) -> Option<Moment> {
        Some(self.sends.last()?.intended)
    }

    /// Sent in the time that a restored log doesn't know: in doubt.
    pub(crate) fn adopted(&mut self, at: Moment) {
        self.send_intended(Sent {
            token: SendToken(0),
            intended: at,
            ended: Some((SendEnd::Unknown, at)),
        });
    }

    /// The send of which nothing is known yet.
    pub(crate) fn send_under_way(&self) -> Option<&Sent> {
        self.sends.last().filter(|send| send.ended.is_none())
    }

    /// What was not found or failed before this send says nothing about it.
    pub(crate) fn send_intended(&mut self, send: Sent) {
        self.sends.push(send);
        self.not_found = 0;
        self.not_found_after_quarantine = false;
        self.failed_since = None;
        self.failed_twice = false;
    }

    pub(crate) fn send_ended(&mut self, token: SendToken, outcome: &SubmitOutcome, at: Moment) {
        let end = match outcome {
            SubmitOutcome::Accepted(receipt) => {
                self.taken = true;
                // It is older than any answer about this send: a failure told since stands.
                if self.failed_since.is_none() && !self.failed_twice {
                    self.last = Some(Said::Charging);
                }
                // Without a query's word the number is what a callback is compared with.
                self.upstream_order_id = receipt
                    .upstream_order_id
                    .clone()
                    .or(self.upstream_order_id.take());
                self.cost = receipt.cost.or(self.cost);
                SendEnd::Accepted
            }
            SubmitOutcome::Rejected(_) => SendEnd::Rejected,
            SubmitOutcome::NotSent(_) => SendEnd::NotSent,
            SubmitOutcome::Unknown(_) => SendEnd::Unknown,
        };
        // A send found at a start was written down as unknown; its true end may still come, and tells
        // more.
        let open = |send: &&mut Sent| {
            send.token == token && matches!(send.ended, None | Some((SendEnd::Unknown, _)))
        };
        if let Some(send) = self.sends.iter_mut().find(open) {
            send.ended = Some((end, at));
        }
    }

    pub(crate) fn answered(
        &mut self,
        said: Said,
        asked: Moment,
        at: Moment,
        confirms_failure: bool,
        after_quarantine: bool,
    ) {
        self.last = Some(said);
        self.last_asked = Some(asked);
        match said {
            Said::Charging => {
                self.taken = true;
                self.failed_since = None;
                self.failed_twice = false;
            }
            Said::Succeeded => {
                self.paid = true;
                self.failed_since = None;
            }
            Said::Failed => {
                self.failed_since = self.failed_since.or(Some(at));
                self.failed_twice |= confirms_failure;
            }
            Said::NoSuchOrder => {
                self.failed_since = None;
                self.not_found = self.not_found.saturating_add(1);
                // The last one counts: a restart begins the quarantine again.
                self.not_found_after_quarantine = after_quarantine;
                self.not_found_after_rejection |= self
                    .rejected_at()
                    .is_some_and(|at| asked.epoch == at.epoch && asked.not_before(at));
            }
        }
    }

    /// Something is written down by the clock of a later epoch, so all that is on record came before it. A
    /// worker that has been superseded writes facts down by a clock that can't be compared with the new
    /// one's, and may have done so at any time until now.
    pub(crate) fn came_before(&mut self, at: Moment) {
        let came = |moment: &mut Moment| {
            if moment.epoch < at.epoch {
                *moment = at;
            }
        };
        if let Some(first) = &mut self.failed_since {
            came(first);
        }
        for send in &mut self.sends {
            if let Some((SendEnd::Rejected, rejected)) = &mut send.ended {
                came(rejected);
            }
        }
    }

    pub(crate) fn sighted(&mut self, outcome: &QueryOutcome) {
        if let QueryOutcome::Found(sighting) = outcome {
            self.upstream_order_id = sighting
                .upstream_order_id
                .clone()
                .or(self.upstream_order_id.take());
            self.cost = sighting.cost.or(self.cost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Epoch, NumberKey, WallTime};
    use recharge_core::{MerchantId, OrderId};

    /// Lives come to it rarely: a number that has failed twice is on a desk only beside another that is open.
    #[test]
    fn a_failure_says_nothing_about_a_later_send() -> Result<(), Box<dyn std::error::Error>> {
        let at = Moment {
            wall: WallTime::from_millis(0),
            epoch: Epoch(1),
            monotonic: std::time::Duration::ZERO,
        };
        let send = |token| Sent {
            token: SendToken(token),
            intended: at,
            ended: None,
        };
        let (merchant, order_id) = (MerchantId::parse("shop")?, OrderId::parse("order-1")?);
        let number = NumberKey::new([7; 32]).derive(&merchant, &order_id, 0);
        let mut attempt = Attempt::new(number, ProviderId::parse("juhe")?);
        attempt.send_intended(send(1));
        attempt.answered(Said::Failed, at, at, false, false);
        attempt.answered(Said::Failed, at, at, true, false);
        assert_eq!(attempt.standing(), Standing::Failed);
        attempt.answered(Said::NoSuchOrder, at, at, false, false);
        assert_eq!(attempt.standing(), Standing::Failed);
        attempt.send_intended(send(2));
        assert_eq!(attempt.standing(), Standing::Open);
        Ok(())
    }
}
