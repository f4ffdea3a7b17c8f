//! What goes wrong at the store and on the way to an upstream.

use std::time::Duration;

use recharge_sim::Upstream;

use super::{Deed, Lab};
use crate::case::{NO_NETWORK, NO_STORE};
use crate::executor::Process;
use crate::points::Op;
use crate::store::{StoreFault, StoreKind};

/// How a request travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum NetworkFault {
    /// No connection is made.
    NoConnection,
    /// The request never arrives.
    RequestLost,
    /// The answer never arrives.
    AnswerLost,
}

impl NetworkFault {
    pub(crate) const ALL: [Self; 3] = [Self::NoConnection, Self::RequestLost, Self::AnswerLost];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NoConnection => "no connection",
            Self::RequestLost => "request lost",
            Self::AnswerLost => "answer lost on its way",
        }
    }
}

/// A while in which something can't be reached.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outage {
    until: Duration,
    met: bool,
}

impl Outage {
    pub(crate) const fn until(until: Duration) -> Self {
        Self { until, met: false }
    }

    fn lasts(&self, now: Duration) -> bool {
        now < self.until
    }

    /// A call meets it. Answers whether it is the first.
    const fn is_met(&mut self) -> bool {
        !std::mem::replace(&mut self.met, true)
    }
}

impl Lab {
    /// How this call of the store goes wrong, if it does.
    pub(crate) fn store_fault(&self, process: Process, op: Op) -> Option<StoreFault> {
        let now = self.0.executor.now();
        let kind = self.0.case.store;
        let mut inner = self.inner();
        if inner.calm {
            return None;
        }
        let rate = inner.store_faults;
        let fault = if inner.no_store.lasts(now) {
            if inner.no_store.is_met() {
                inner.cover.acted(NO_STORE);
            }
            StoreFault::Unavailable
        } else if rate == 0 || !inner.store_dice.in_thousand(rate) {
            return None;
        } else if !op.writes() {
            StoreFault::Unavailable
        } else {
            let locks = matches!(op, Op::Append | Op::Accept);
            let hangs = locks && kind == StoreKind::Postgres;
            let most = if hangs {
                StoreFault::ALL.len()
            } else {
                StoreFault::ALL.len() - 1
            };
            let at = inner.store_dice.index(most);
            StoreFault::ALL
                .get(at)
                .copied()
                .unwrap_or(StoreFault::Unavailable)
        };
        if fault != StoreFault::Unavailable {
            inner.doubts += 1;
            let nth = inner.doubts;
            for act in inner.at_doubts.remove(&nth).unwrap_or_default() {
                inner.deeds.push_back(Deed::Act(act, Some(process)));
            }
        }
        inner.cover.store(fault);
        inner
            .trace
            .note(now, fault.as_str(), 0, || op.as_str().to_owned());
        Some(fault)
    }

    /// For how long a commit hangs, and whether it lands.
    pub(crate) fn hanging(&self) -> (Duration, bool) {
        let mut inner = self.inner();
        let wait = inner.store_dice.magnitude(10, 120_000);
        (Duration::from_millis(wait), inner.store_dice.once_in(2))
    }

    /// How a request and its answer travel: how long, and what goes wrong.
    pub(crate) fn travels(&self, upstream: Upstream) -> (Duration, Duration, Option<NetworkFault>) {
        let now = self.0.executor.now();
        let slowest = u64::try_from(self.0.case.settings.slow_network.as_micros()).unwrap_or(1);
        let mut inner = self.inner();
        let slow = !inner.calm && inner.network_dice.once_in(6);
        let most = if slow { slowest } else { 40_000 };
        let mut leg = || Duration::from_micros(inner.network_dice.magnitude(500, most.max(500)));
        let (there, back) = (leg(), leg());
        if inner.calm {
            return (there, back, None);
        }
        let outage = inner.no_network.get(&upstream);
        let out = outage.is_some_and(|outage| outage.lasts(now));
        let rate = inner.network_faults;
        let hit = out || rate > 0 && inner.network_dice.in_thousand(rate);
        let fault = hit.then(|| {
            let at = inner.network_dice.index(NetworkFault::ALL.len());
            NetworkFault::ALL
                .get(at)
                .copied()
                .unwrap_or(NetworkFault::NoConnection)
        });
        (there, back, fault)
    }

    /// A request really goes wrong so.
    pub(crate) fn strikes(&self, upstream: Upstream, fault: NetworkFault) {
        let now = self.0.executor.now();
        let mut inner = self.inner();
        let inner = &mut *inner;
        inner.cover.network(fault);
        let outage = inner.no_network.get_mut(&upstream);
        if outage.is_some_and(|outage| outage.lasts(now) && outage.is_met()) {
            inner.cover.acted(NO_NETWORK);
        }
    }
}
