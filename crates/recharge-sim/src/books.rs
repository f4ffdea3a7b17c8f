//! The books: orders are taken, end, and are paid for.

use std::time::Duration;

use recharge_core::Money;

use crate::answer::Answer;
use crate::config::{Settle, Upstream};
use crate::dice::Dice;
use crate::faults::{FaultKind, Stage};
use crate::ledger::LedgerRow;
use crate::order::{Key, Order, Phase, Wanted};
use crate::world::World;
use crate::{jisu, jisu_answers, juhe};

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Event {
    Settle(Key),
    Reverse(Key),
    /// A copy of a submit arrives. `lie`: it is taken though its number was refused, and succeeds.
    Arrive {
        wanted: Box<Wanted>,
        lie: bool,
    },
}

/// What [`World::step`] is to settle: all charging orders unless it names some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// At this upstream only.
    pub upstream: Option<Upstream>,
    /// This order only.
    pub order_id: Option<String>,
    /// To this end, even if it has another already; `None`: charging orders go to their own end.
    pub to: Option<End>,
}

/// An end that a person gives an order by [`World::step`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Juhe 1, Jisu 1.
    Succeeded,
    /// Juhe 9, Jisu 2.
    Failed,
    /// Juhe -1, Jisu 2.
    NotTakenOn,
}

impl World {
    /// Does what is due: orders end, late packets arrive.
    pub fn advance(&mut self, now: Duration) {
        while let Some(next) = self.agenda.first_entry() {
            let (due, _) = *next.key();
            if due > now {
                return;
            }
            match next.remove() {
                Event::Settle(key) => self.settle(due, &key),
                Event::Reverse(key) => {
                    let end = self.order(&key).and_then(|order| order.reversed_end);
                    if let Some(end) = end {
                        self.end(due, &key, end);
                    }
                }
                Event::Arrive { wanted, lie } => self.arrive(due, *wanted, lie),
            }
        }
    }

    /// Settles orders by hand and says how they stand then.
    pub fn step(&mut self, now: Duration, step: &Step) -> Vec<LedgerRow> {
        self.advance(now);
        let keys: Vec<Key> = self
            .taken
            .iter()
            .filter(|(upstream, _)| step.upstream.is_none_or(|wanted| wanted == *upstream))
            .filter(|(_, id)| step.order_id.as_ref().is_none_or(|wanted| wanted == id))
            .cloned()
            .collect();
        let mut rows = Vec::new();
        for key in keys {
            let charging = self
                .order(&key)
                .is_some_and(|order| order.phase == Phase::Charging);
            match step.to {
                // Without a name, an end is given to what is still open; with one, to that order.
                Some(to) if charging || step.order_id.is_some() => self.end(now, &key, to.into()),
                None if charging => self.settle(now, &key),
                Some(_) | None => continue,
            }
            rows.extend(self.records.get(&key).map(|record| record.row(&key)));
        }
        rows
    }

    pub(crate) fn schedule_arrival(
        &mut self,
        now: Duration,
        after: Duration,
        wanted: &Wanted,
        lie: bool,
    ) {
        let wanted = Box::new(wanted.clone());
        self.schedule(now.saturating_add(after), Event::Arrive { wanted, lie });
    }

    fn schedule(&mut self, at: Duration, event: Event) {
        self.ticket += 1;
        self.agenda.insert((at, self.ticket), event);
    }

    /// A packet comes without anyone waiting for its answer.
    fn arrive(&mut self, now: Duration, wanted: Wanted, lie: bool) {
        let refused = self
            .records
            .get(&wanted.key())
            .is_some_and(|record| record.refused);
        // What was refused without being taken is never taken later, unless by a liar.
        if refused && !lie {
            return;
        }
        let key = wanted.key();
        self.process(now, wanted);
        if lie && let Some(order) = self.order_mut(&key) {
            (order.end, order.reversed_end) = (Phase::Succeeded, None);
        }
    }

    /// Takes an order, or says why not: it exists already, or the balance is too low.
    pub(crate) fn process(&mut self, now: Duration, wanted: Wanted) -> Answer {
        let (upstream, key) = (wanted.upstream, wanted.key());
        let price = wanted.goods.price;
        if self.order(&key).is_some() {
            return match upstream {
                Upstream::Juhe => juhe::error(208_516),
                Upstream::Jisu => jisu::error(212),
            };
        }
        let Some(rest) = self.balance(upstream).checked_sub(price) else {
            self.records.entry(key).or_default().refused = true;
            return low_balance(upstream);
        };
        self.set_balance(upstream, rest);
        let order = self.new_order(now, wanted);
        let answer = match upstream {
            Upstream::Juhe => juhe::submitted(&order),
            Upstream::Jisu => {
                self.by_upstream_id
                    .insert(order.upstream_id.clone(), key.clone());
                jisu_answers::recharged(&order)
            }
        };
        if let Some(after) = order.settle_after {
            self.schedule(now.saturating_add(after), Event::Settle(key.clone()));
        }
        let record = self.records.entry(key.clone()).or_default();
        record.account.clone_from(&order.wanted.account);
        record.amount.clone_from(&order.wanted.amount);
        record.order = Some(order);
        self.taken.push(key);
        answer
    }

    fn new_order(&mut self, now: Duration, wanted: Wanted) -> Order {
        let upstream = wanted.upstream;
        let script = self
            .plan
            .script(upstream, &wanted.order_id, &wanted.account);
        let settle = script
            .and_then(|script| script.settle)
            .unwrap_or(self.config.settle);
        let fault = if let Some(script) = script {
            script.end.filter(|kind| kind.applies(Stage::End, upstream))
        } else {
            let seed = self.config.seed;
            let mut dice = Dice::new(seed, upstream, Stage::End, &wanted.order_id, 0);
            self.plan.draw(Stage::End, upstream, &mut dice)
        };
        let (end, reversed_end) = match fault {
            Some(FaultKind::OrderFails) => (Phase::Failed, None),
            Some(FaultKind::NotTakenOn) => (Phase::NotTakenOn, None),
            Some(FaultKind::FailsThenSucceeds) => (Phase::Failed, Some(Phase::Succeeded)),
            Some(FaultKind::SucceedsThenFails) => (Phase::Succeeded, Some(Phase::Failed)),
            // No other kind has the stage `End`: the plan refuses it.
            Some(_) | None => (Phase::Succeeded, None),
        };
        if let Some(kind) = fault {
            self.stats.fault(kind);
        }
        let taken_at = self.config.started_at + now.as_secs();
        let sequence = self.taken.len() as u64 + 1;
        Order {
            upstream_id: match upstream {
                Upstream::Juhe => juhe::upstream_id(taken_at, sequence),
                Upstream::Jisu => jisu::upstream_id(taken_at, sequence),
            },
            taken_at,
            phase: Phase::Charging,
            end,
            reversed_end,
            settle_after: match settle {
                Settle::After(delay) => Some(delay),
                Settle::WhenStepped => None,
            },
            wanted,
        }
    }

    /// A charging order goes to its own end.
    pub(crate) fn settle(&mut self, now: Duration, key: &Key) {
        let Some(order) = self.order(key) else { return };
        if order.phase != Phase::Charging {
            return;
        }
        let (end, reversed) = (order.end, order.reversed_end.is_some());
        self.end(now, key, end);
        if reversed {
            let at = now.saturating_add(self.plan.timings.reversal);
            self.schedule(at, Event::Reverse(key.clone()));
        }
    }

    /// Gives an order an end, moves the money accordingly, and calls back.
    fn end(&mut self, now: Duration, key: &Key, end: Phase) {
        let Some(order) = self.order_mut(key) else {
            return;
        };
        let (price, was_charged) = (order.price(), order.is_charged());
        order.phase = end;
        let is_charged = order.is_charged();
        let balance = self.balance(key.0);
        let moved = match (was_charged, is_charged) {
            (true, false) => balance.checked_add(price),
            (false, true) => Some(balance.checked_sub(price).unwrap_or_default()),
            (true, true) | (false, false) => None,
        };
        if let Some(moved) = moved {
            self.set_balance(key.0, moved);
        }
        self.call_back(now, key);
    }

    fn order_mut(&mut self, key: &Key) -> Option<&mut Order> {
        self.records
            .get_mut(key)
            .and_then(|record| record.order.as_mut())
    }

    fn set_balance(&mut self, upstream: Upstream, amount: Money) {
        match upstream {
            Upstream::Juhe => self.juhe_balance = amount,
            Upstream::Jisu => self.jisu_balance = amount,
        }
    }
}

impl From<End> for Phase {
    fn from(end: End) -> Self {
        match end {
            End::Succeeded => Self::Succeeded,
            End::Failed => Self::Failed,
            End::NotTakenOn => Self::NotTakenOn,
        }
    }
}

pub(crate) fn low_balance(upstream: Upstream) -> Answer {
    match upstream {
        Upstream::Juhe => juhe::error(208_517),
        Upstream::Jisu => jisu::error(207),
    }
}
