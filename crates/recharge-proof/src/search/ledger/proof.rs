//! What the log proves about one attempt.

use recharge_core::{AttemptNumber, QueryOutcome, Standing, UpstreamState};
use recharge_engine::{Purpose, SendToken};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Say {
    Charging,
    Succeeded,
    Failed,
    NoSuchOrder,
}

pub(crate) fn say(outcome: &QueryOutcome, purpose: Purpose) -> Option<Say> {
    let say = match outcome {
        QueryOutcome::Found(sighting) => match sighting.state {
            UpstreamState::Charging => Say::Charging,
            UpstreamState::Succeeded => Say::Succeeded,
            UpstreamState::Failed => Say::Failed,
        },
        QueryOutcome::NotFound(_) => Say::NoSuchOrder,
        QueryOutcome::Unavailable(_) => return None,
    };
    (purpose != Purpose::Callback || say == Say::Succeeded).then_some(say)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Told {
    Accepted,
    Rejected,
    NotSent,
    Unknown,
}

/// A moment in true time: the tick, and its place among all moments of the life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct True {
    pub(crate) tick: u32,
    pub(crate) place: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) token: SendToken,
    pub(crate) at: True,
    pub(crate) written: bool,
    pub(crate) told: Option<Told>,
}

/// What the log proves about one attempt.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent piece of evidence"
)]
pub(crate) struct Proof {
    pub(crate) number: AttemptNumber,
    pub(crate) provider: u8,
    pub(crate) sends: Vec<Sent>,
    pub(super) taken: bool,
    pub(crate) paid: bool,
    pub(super) failed_at: Option<True>,
    pub(super) failed_twice: bool,
    pub(super) rejected: Option<True>,
    pub(super) denied: bool,
    pub(super) denials: u32,
    pub(super) last: Option<Say>,
    pub(super) last_asked: Option<True>,
    /// By which epoch's clock.
    pub(super) asked_epoch: u64,
    /// Whether people allowed a send of it, whatever else is open.
    pub(super) permitted: bool,
    pub(crate) at_end: Option<Say>,
    pub(crate) watched: u8,
}

impl Proof {
    pub(crate) fn bytes(&self) -> usize {
        let not_sent = |send: &&Sent| send.told == Some(Told::NotSent);
        self.sends.len() - self.sends.iter().filter(not_sent).count()
    }

    pub(crate) fn standing(&self) -> Standing {
        match self {
            _ if self.paid => Standing::Paid,
            _ if self.failed_twice => Standing::Failed,
            _ if self.taken => Standing::Taken,
            _ if self.bytes() == 0 => Standing::Unsent,
            _ if self.bytes() == 1 && self.denied && self.failed_at.is_none() => Standing::Refused,
            _ => Standing::Open,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.standing(), Standing::Unsent | Standing::Refused)
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.is_closed() || self.standing() == Standing::Failed
    }
}

pub(super) fn proof(number: AttemptNumber, provider: u8) -> Proof {
    Proof {
        number,
        provider,
        sends: Vec::new(),
        taken: false,
        paid: false,
        failed_at: None,
        failed_twice: false,
        rejected: None,
        denied: false,
        denials: 0,
        last: None,
        last_asked: None,
        asked_epoch: 0,
        permitted: false,
        at_end: None,
        watched: 0,
    }
}
