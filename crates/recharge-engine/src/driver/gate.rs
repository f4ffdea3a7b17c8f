//! The gate of a provider: how much may be under way there, and who waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use recharge_core::{Provider, QueryOutcome, SubmitOutcome};
use tokio::sync::{Notify, oneshot};

use super::Limits;
use super::breaker::{Breaker, Rate, query_reached, submit_reached};
use crate::WallTime;
use crate::store::OrderKey;

/// What is wanted of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Submit,
    Ask,
}

impl Lane {
    pub(super) const BOTH: [Self; 2] = [Self::Submit, Self::Ask];
}

/// A provider behind its gate.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) provider: Arc<dyn Provider>,
    gate: Mutex<Gate>,
    /// Told when something may pass that could not before.
    opened: Arc<Notify>,
}

#[derive(Debug)]
struct Gate {
    submit: Queue,
    ask: Queue,
    breaker: Breaker,
}

#[derive(Debug)]
struct Queue {
    most: usize,
    under_way: usize,
    rate: Option<Rate>,
    parked: VecDeque<Parked>,
}

/// Who waits.
#[derive(Debug)]
enum Parked {
    /// A turn, until the time at which its order must be looked at whatever the gate says.
    Turn(OrderKey, WallTime),
    /// A call that follows from a step which is written down already.
    Call(oneshot::Sender<Pass>),
}

/// Who is called up.
#[derive(Debug)]
pub(super) enum Called {
    /// A turn, with its pass unless only its time has come.
    Turn(OrderKey, Option<Pass>),
    /// A call. To be given its pass once no gate is locked.
    Call(oneshot::Sender<Pass>, Pass),
}

/// The right to one call. Given back when dropped.
#[derive(Debug)]
pub(super) struct Pass {
    upstream: Arc<Upstream>,
    lane: Lane,
}

impl Pass {
    /// Whether it is for this.
    pub(super) fn is_for(&self, upstream: &Arc<Upstream>, lane: Lane) -> bool {
        Arc::ptr_eq(&self.upstream, upstream) && self.lane == lane
    }
}

impl Upstream {
    pub(super) fn new(provider: Arc<dyn Provider>, limits: &Limits, opened: Arc<Notify>) -> Self {
        let queue = |rate: Option<u32>| Queue {
            most: limits.in_flight.max(1),
            under_way: 0,
            rate: rate.map(Rate::per_second),
            parked: VecDeque::new(),
        };
        Self {
            provider,
            gate: Mutex::new(Gate {
                submit: queue(limits.submits_per_second),
                ask: queue(Some(limits.queries_per_second)),
                breaker: Breaker::new(limits.breaker_after, limits.breaker_trial),
            }),
            opened,
        }
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        // Counters and queues are whole between any two calls.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes, unless the gate is shut or others wait.
    pub(super) fn pass(self: &Arc<Self>, lane: Lane, now: Duration) -> Option<Pass> {
        let mut gate = self.gate();
        if !gate.queue(lane).parked.is_empty() {
            return None;
        }
        gate.take(lane, now).ok()?;
        Some(self.passed(lane))
    }

    fn passed(self: &Arc<Self>, lane: Lane) -> Pass {
        Pass {
            upstream: self.clone(),
            lane,
        }
    }

    /// Lets a turn wait until the gate opens, though no longer than `until`.
    pub(super) fn park(&self, lane: Lane, key: OrderKey, until: WallTime) {
        self.wait(lane, Parked::Turn(key, until));
    }

    fn wait(&self, lane: Lane, parked: Parked) {
        self.gate().queue(lane).parked.push_back(parked);
        // The gate may have opened since.
        self.opened.notify_one();
    }

    /// Waits for a pass. Drop the future to wait no longer.
    pub(super) async fn passing(self: &Arc<Self>, lane: Lane, now: Duration) -> Option<Pass> {
        if let Some(pass) = self.pass(lane, now) {
            return Some(pass);
        }
        let (give, given) = oneshot::channel();
        self.wait(lane, Parked::Call(give));
        given.await.ok()
    }

    /// Calls up those who wait and may now pass, or whose time has come; and says when to look again, if
    /// that is known.
    pub(super) fn call_up(
        self: &Arc<Self>,
        lane: Lane,
        now: Duration,
        wall: WallTime,
    ) -> (Vec<Called>, Option<Duration>) {
        let mut called = Vec::new();
        let mut gate = self.gate();
        while let Some(parked) = gate.queue(lane).parked.pop_front() {
            match (parked, gate.take(lane, now)) {
                (Parked::Turn(key, _), Ok(())) => {
                    called.push(Called::Turn(key, Some(self.passed(lane))));
                }
                (Parked::Call(give), Ok(())) => called.push(Called::Call(give, self.passed(lane))),
                (Parked::Turn(key, until), Err(_)) if until <= wall => {
                    called.push(Called::Turn(key, None));
                }
                (parked, Err(again)) => {
                    gate.queue(lane).parked.push_front(parked);
                    return (called, again);
                }
            }
        }
        (called, None)
    }

    pub(super) fn submitted(&self, outcome: &SubmitOutcome, now: Duration) {
        self.gate()
            .breaker
            .record(Some(submit_reached(outcome)), now);
    }

    pub(super) fn asked(&self, outcome: &QueryOutcome, now: Duration) {
        self.gate().breaker.record(query_reached(outcome), now);
    }

    /// The clock begins again.
    pub(super) fn reset_clock(&self) {
        let mut gate = self.gate();
        gate.breaker.reset();
        for lane in Lane::BOTH {
            if let Some(rate) = &mut gate.queue(lane).rate {
                rate.reset();
            }
        }
    }
}

impl Gate {
    fn queue(&mut self, lane: Lane) -> &mut Queue {
        match lane {
            Lane::Submit => &mut self.submit,
            Lane::Ask => &mut self.ask,
        }
    }

    fn take(&mut self, lane: Lane, now: Duration) -> Result<(), Option<Duration>> {
        let queue = self.queue(lane);
        if queue.under_way >= queue.most {
            return Err(None);
        }
        if let Some(rate) = &mut queue.rate {
            rate.take(now).map_err(Some)?;
        }
        // Questions pass a breaker: they cost nothing, and they are how doubt ends.
        if lane == Lane::Submit
            && let Err(until) = self.breaker.take(now)
        {
            if let Some(rate) = &mut self.submit.rate {
                rate.give_back();
            }
            return Err(Some(until));
        }
        self.queue(lane).under_way += 1;
        Ok(())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let waiting = {
            let mut gate = self.upstream.gate();
            let queue = gate.queue(self.lane);
            queue.under_way -= 1;
            !queue.parked.is_empty()
        };
        if waiting {
            self.upstream.opened.notify_one();
        }
    }
}
