//! A case: a few orders, what is set, and what happens to them. All of it follows from a seed, and any
//! part can be left out, which is how a violation is made small.

mod draw;
mod name;
mod rare;

use std::time::Duration;

use recharge_core::{Account, AccountKind};
use recharge_sim::{FaultKind, Stage, Upstream};

use crate::points::Point;
use crate::store::StoreKind;

pub use name::{CaseError, CaseId, Wanted, Workers};

/// A case, drawn.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) id: CaseId,
    pub(crate) store: StoreKind,
    pub(crate) settings: Settings,
    pub(crate) parts: Vec<Part>,
}

/// How the engine is set up, and how things stand around it.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub(crate) struct Settings {
    pub(crate) heartbeat: Duration,
    pub(crate) in_flight: usize,
    pub(crate) queries_per_second: u32,
    pub(crate) submits_per_second: Option<u32>,
    pub(crate) breaker_after: u32,
    pub(crate) at_hand: usize,
    /// Whether an order goes on by itself after a confirmed failure.
    pub(crate) failover: bool,
    /// The provider that can't be asked.
    pub(crate) mute: Option<Upstream>,
    /// Whether Jisu's callbacks count, when it is the mute one.
    pub(crate) callbacks_count: bool,
    /// Whether the providers are not known to refuse a number that they have.
    pub(crate) duplicates_pass: bool,
    pub(crate) price_ceiling: bool,
    pub(crate) jisu_first: bool,
    /// The provider that is switched off from when a backup was put back.
    pub(crate) off_since_backup: Option<Upstream>,
    pub(crate) encoding: u8,
    /// When taken orders end.
    pub(crate) settle: Duration,
    pub(crate) delayed_acceptance: Duration,
    pub(crate) repeat_after: Duration,
    pub(crate) reversal: Duration,
    pub(crate) late_payment: Duration,
    pub(crate) timeout_hold: Duration,
    /// The slowest that the store, the network towards the upstream and back are now and then.
    pub(crate) slow_store: Duration,
    pub(crate) slow_network: Duration,
    /// When nothing goes wrong any more.
    pub(crate) calm_at: Duration,
    /// Whether a worker begins anew then.
    pub(crate) fresh: bool,
    /// Whether the orders are watched to the end of the last asking.
    pub(crate) watched: bool,
    /// How far each worker's wall clock is off at its start, in milliseconds.
    pub(crate) wall_offsets: [i64; 2],
}

/// What can be left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Order(OrderPlan),
    Act(When, Act),
    /// Of a thousand calls.
    Fault(Stage, FaultKind, u64),
    /// Of a thousand calls of the store.
    StoreFaults(u64),
    /// Of a thousand requests: lost on their way, or their answers.
    NetworkFaults(u64),
    /// Callbacks reach a worker at all.
    Callbacks,
}

/// An order that a merchant sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderPlan {
    pub(crate) at: Duration,
    pub(crate) kind: AccountKind,
    pub(crate) account: u32,
    pub(crate) yuan: u32,
    pub(crate) provider: Option<Upstream>,
    /// Whether the merchant sends it again now and then.
    pub(crate) insists: bool,
}

impl OrderPlan {
    /// Whose credit it is for.
    pub(crate) fn account(&self) -> Option<Account> {
        let text = match self.kind {
            AccountKind::Mobile => format!("1890000{:04}", self.account + 1000),
            _ => format!("0571-5656{:04}", self.account + 1000),
        };
        Account::parse(self.kind, &text).ok()
    }
}

/// When something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// At this time.
    At(Duration),
    /// When the workers have come to so many points; to the one that comes to the last.
    Point(u64),
    /// When some worker comes to this point for the nth time; to that worker.
    Reached(Point, u64),
    /// When the commit of so many calls of the store is in doubt; to the worker whose the last one is.
    Doubt(u64),
    /// So long after an order came to the desk.
    Desk(usize, Duration),
    /// So long after an order was accepted.
    Since(usize, Duration),
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// A worker is killed, and begins again after a while.
    Kill { slot: u32, restart: Duration },
    /// A worker stands still; `suspended`: its monotonic clock as well.
    Pause {
        slot: u32,
        lasts: Duration,
        suspended: bool,
    },
    /// A worker begins, whatever the other does.
    TakeOver { slot: u32 },
    /// A wall clock jumps by so many milliseconds.
    Jump { slot: u32, by: i64 },
    /// A backup is put back that was made after so many thousandths of the writes. `other_routes`: from then
    /// on the providers come in the other order.
    Restore {
        thousandths: u64,
        other_routes: bool,
    },
    /// A worker is stopped in order, with so much patience, and begins again.
    Stop {
        slot: u32,
        patience: Duration,
        restart: Duration,
    },
    /// The store can't be reached.
    NoStore { lasts: Duration },
    /// An upstream can't be reached.
    NoNetwork { upstream: Upstream, lasts: Duration },
    /// A callback of before is delivered again, to whichever worker.
    Replay { nth: u64 },
    /// People decide.
    People(Decisions),
}

/// What people do to an order: the first, and perhaps a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decisions {
    pub(crate) order: usize,
    pub(crate) wish: Wish,
    /// Their names, by their place in a list.
    pub(crate) first: u8,
    pub(crate) second: Option<u8>,
    pub(crate) gap: Duration,
    /// Whether the second has looked at the order only when the first did.
    pub(crate) stale: bool,
}

/// What is wished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    AskAgain,
    Cancel,
    Succeed,
    Fail,
    SendAgain,
    SendElsewhere,
    /// Something that is open to people when they look.
    Fitting,
}

impl Wish {
    pub(crate) const ALL: [Self; 7] = [
        Self::Fitting,
        Self::AskAgain,
        Self::Cancel,
        Self::Succeed,
        Self::Fail,
        Self::SendAgain,
        Self::SendElsewhere,
    ];
}

impl Wish {
    pub(crate) const fn may_send_elsewhere(self) -> bool {
        matches!(self, Self::SendElsewhere | Self::Fitting)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AskAgain => "ask again",
            Self::Cancel => "cancel",
            Self::Succeed => "mark succeeded",
            Self::Fail => "mark failed",
            Self::SendAgain => "send again",
            Self::SendElsewhere => "send elsewhere",
            Self::Fitting => "what fits",
        }
    }
}

/// What an act is called that is counted with the first call that meets it.
pub(crate) const NO_STORE: &str = "no store";
/// The same of an upstream.
pub(crate) const NO_NETWORK: &str = "no network";

impl Act {
    /// The name of each, but for what people do.
    pub(crate) const NAMES: [&str; 10] = [
        "kill",
        "pause",
        "suspend",
        "takeover",
        "clock jump",
        "restore",
        "stop",
        NO_STORE,
        NO_NETWORK,
        "callback of before",
    ];

    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Kill { .. } => "kill",
            Self::Pause {
                suspended: false, ..
            } => "pause",
            Self::Pause {
                suspended: true, ..
            } => "suspend",
            Self::TakeOver { .. } => "takeover",
            Self::Jump { .. } => "clock jump",
            Self::Restore { .. } => "restore",
            Self::Stop { .. } => "stop",
            Self::NoStore { .. } => NO_STORE,
            Self::NoNetwork { .. } => NO_NETWORK,
            Self::Replay { .. } => "callback of before",
            Self::People(_) => "people",
        }
    }
}

impl Case {
    /// How many orders it has.
    pub(crate) fn orders(&self) -> impl Iterator<Item = (usize, &OrderPlan)> {
        self.parts
            .iter()
            .enumerate()
            .filter_map(|(at, part)| match part {
                Part::Order(plan) if self.keeps(at) => Some((at, plan)),
                _ => None,
            })
    }

    pub(crate) fn keeps(&self, at: usize) -> bool {
        self.id.kept.as_ref().is_none_or(|kept| kept.contains(&at))
    }

    /// The parts that are kept.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Part> {
        let parts = self.parts.iter().enumerate();
        parts
            .filter(|(at, _)| self.keeps(*at))
            .map(|(_, part)| part)
    }

    /// Whether no wall clock jumps, and all show the same.
    pub(crate) fn limits_are_steady(&self) -> bool {
        let [first, second] = self.settings.wall_offsets;
        let jumps = |part: &Part| matches!(part, Part::Act(_, Act::Jump { .. }));
        (first == second || self.store == StoreKind::Sqlite) && !self.kept().any(jumps)
    }

    /// Whether the upstreams may go back on what they said.
    pub(crate) fn lies(&self, kind: FaultKind) -> bool {
        self.kept()
            .any(|part| matches!(part, Part::Fault(_, fault, rate) if *fault == kind && *rate > 0))
    }
}
