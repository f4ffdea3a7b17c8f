//! What is on record about one attempt, and what follows from it: the lifecycle's table of standings,
//! worked out anew from all there is.

use std::time::Duration;

use recharge_core::{QueryOutcome, SubmitOutcome, UpstreamOrderId, UpstreamState};
use recharge_engine::{Epoch, Purpose, SendToken, Times};

use super::times::quarantine;

/// One number at one provider.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    pub(crate) number: String,
    pub(crate) provider: String,
    pub(crate) sends: Vec<Send>,
    pub(crate) answers: Vec<Heard>,
    /// The upstream's own numbers for it, as it has told them.
    pub(crate) upstream_ids: Vec<String>,
    /// What it was last said to be; an acknowledgement says that it is charging, unless a failure was told
    /// since.
    pub(crate) last: Option<Answered>,
    /// The same when the order last ended.
    pub(crate) at_end: Option<Answered>,
    /// Whether two people allowed a send of it, whatever else is open.
    pub(crate) permitted: bool,
}

/// One send. Times are true ones: what the engine makes of its clocks may take longer, never less.
#[derive(Debug, Clone)]
pub(crate) struct Send {
    pub(crate) token: SendToken,
    pub(crate) intended: Duration,
    /// How many answers had been heard before.
    pub(crate) heard: usize,
    pub(crate) end: Option<(End, Duration)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Accepted,
    Rejected,
    NotSent,
    Unknown,
}

impl From<&SubmitOutcome> for End {
    fn from(outcome: &SubmitOutcome) -> Self {
        match outcome {
            SubmitOutcome::Accepted(_) => Self::Accepted,
            SubmitOutcome::Rejected(_) => Self::Rejected,
            SubmitOutcome::NotSent(_) => Self::NotSent,
            SubmitOutcome::Unknown(_) => Self::Unknown,
        }
    }
}

/// An explicit answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    Charging,
    Succeeded,
    Failed,
    NoSuchOrder,
}

/// An explicit answer, when it was asked for and when it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    pub(crate) said: Answered,
    pub(crate) asked: Duration,
    /// By the clock of which worker.
    pub(crate) epoch: Epoch,
    pub(crate) at: Duration,
    pub(crate) purpose: Purpose,
}

impl Answered {
    pub(crate) fn of(outcome: &QueryOutcome) -> Option<Self> {
        match outcome {
            QueryOutcome::Found(sighting) => Some(match sighting.state {
                UpstreamState::Charging => Self::Charging,
                UpstreamState::Succeeded => Self::Succeeded,
                UpstreamState::Failed => Self::Failed,
            }),
            QueryOutcome::NotFound(_) => Some(Self::NoSuchOrder),
            QueryOutcome::Unavailable(_) => None,
        }
    }
}

impl Evidence {
    /// The upstream calls it so.
    pub(crate) fn is_called(&mut self, id: Option<&UpstreamOrderId>) {
        if let Some(id) = id.map(UpstreamOrderId::as_str)
            && self.upstream_ids.iter().all(|known| known != id)
        {
            self.upstream_ids.push(id.to_owned());
        }
    }

    fn with_bytes(&self) -> impl Iterator<Item = &Send> {
        let not_sent = |send: &&Send| !matches!(send.end, Some((End::NotSent, _)));
        self.sends.iter().filter(not_sent)
    }

    /// Whether bytes of it may ever have gone.
    pub(crate) fn may_have_gone(&self) -> bool {
        self.with_bytes().next().is_some()
    }

    /// Nothing written, or "not sent" on every send.
    fn unsent(&self) -> bool {
        !self.may_have_gone()
    }

    /// Rejected on the only send that wrote bytes, and a query sent afterwards answered "no such order".
    fn refused(&self) -> bool {
        let mut sends = self.with_bytes();
        let (Some(only), None) = (sends.next(), sends.next()) else {
            return false;
        };
        let Some((End::Rejected, rejected)) = only.end else {
            return false;
        };
        let known = |heard: &Heard| heard.said != Answered::NoSuchOrder;
        let denied = |heard: &Heard| heard.said == Answered::NoSuchOrder && heard.asked >= rejected;
        self.answers.iter().any(denied) && !self.answers.iter().any(known)
    }

    /// Since it was last sent it says "failed", and said so before, the second asked at least so long after the
    /// first was heard, with nothing else in between; and never that it was paid.
    fn failed(&self, apart: Duration) -> bool {
        if self.paid() {
            return false;
        }
        let after = self
            .answers
            .iter()
            .rposition(|heard| heard.said == Answered::Charging);
        let sent = self.sends.last().map_or(0, |send| send.heard);
        let since = after.map_or(0, |at| at + 1).max(sent);
        let since = self.answers.get(since..).unwrap_or_default();
        let mut row: Vec<&Heard> = Vec::new();
        for heard in since {
            if heard.said != Answered::Failed {
                row.clear();
                continue;
            }
            let confirms = heard.purpose != Purpose::CallbackCounts
                && row.iter().any(|first| heard.asked >= first.at + apart);
            if confirms {
                return true;
            }
            row.push(heard);
        }
        false
    }

    /// A query says that it succeeded.
    pub(crate) fn paid(&self) -> bool {
        self.answers
            .iter()
            .any(|heard| heard.said == Answered::Succeeded)
    }

    /// Denied often enough since it was last sent, the last time by a question of after the quarantine, and
    /// nothing else was said since.
    pub(crate) fn probably_not_taken(&self, times: &Times) -> bool {
        let Some(last) = self.sends.last() else {
            return false;
        };
        let since = self
            .answers
            .get(last.heard..)
            .unwrap_or_default()
            .iter()
            .rev();
        let denied: Vec<&Heard> = since
            .take_while(|it| it.said == Answered::NoSuchOrder)
            .collect();
        let often = denied.len() >= usize::try_from(times.not_found_answers).unwrap_or(usize::MAX);
        let late = denied
            .first()
            .is_some_and(|it| it.asked >= last.intended + quarantine(times));
        often && late
    }

    /// When it was asked about since then, and denied, or failed where that is as good. A worker that has been
    /// superseded can write down what happened then after the new one has asked: the question of the new one will
    /// do.
    pub(crate) fn asked_since(
        &self,
        (then, epoch): (Duration, Epoch),
        failed_is_as_good: bool,
    ) -> Option<Duration> {
        let last = self.answers.last()?;
        let clears = match last.said {
            Answered::NoSuchOrder => true,
            Answered::Failed => failed_is_as_good,
            Answered::Charging | Answered::Succeeded => false,
        };
        (clears && (last.asked >= then || last.epoch > epoch)).then_some(last.asked)
    }

    /// Nothing of it is charged, as far as evidence goes.
    pub(crate) fn negative(&self, apart: Duration) -> bool {
        self.unsent() || self.refused() || self.failed(apart)
    }

    /// Failed in that sense.
    pub(crate) fn failed_for_good(&self, apart: Duration) -> bool {
        !self.unsent() && !self.refused() && self.failed(apart)
    }
}
