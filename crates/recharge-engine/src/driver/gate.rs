//! The gate of a provider: how much may be under way there, and who waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use recharge_core::{Provider, QueryOutcome, SubmitOutcome};
use tokio::sync::{Notify, oneshot};

use super::breaker::{Breaker, Rate, query_reached, submit_reached};
use super::{Limits, Load};
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
                breaker: Breaker::new(limits.breaker_after.max(1), limits.breaker_trial),
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
        let first = {
            let mut gate = self.gate();
            let parked_before = &mut gate.queue(lane).parked;
            parked_before.push_back(parked);
            parked_before.len() == 1
        };
        // The gate may have opened since. Where others wait already, somebody was told of the first of them,
        // before whom nobody passes.
        if first {
            self.opened.notify_one();
        }
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

    pub(super) fn load(&self) -> Load {
        let gate = self.gate();
        Load {
            provider: self.provider.id().clone(),
            submits: gate.submit.under_way,
            submits_waiting: gate.submit.parked.len(),
            asks: gate.ask.under_way,
            asks_waiting: gate.ask.parked.len(),
            kept_back: gate.breaker.is_open(),
        }
    }

    pub(super) fn submitted(&self, outcome: &SubmitOutcome, now: Duration) {
        self.gate()
            .breaker
            .record(Some(submit_reached(outcome)), now);
    }

    pub(super) fn asked(&self, outcome: &QueryOutcome, now: Duration) {
        self.gate().breaker.record(query_reached(outcome), now);
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use async_trait::async_trait;
    use recharge_core::{
        Capabilities, NotSent, ProviderId, QueryRequest, SubmitRequest, Unavailable,
        UnavailableKind,
    };

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const NOW: WallTime = WallTime::from_millis(1_800_000_000_000);

    #[derive(Debug)]
    struct Mute(ProviderId, Capabilities);

    #[async_trait]
    impl Provider for Mute {
        fn id(&self) -> &ProviderId {
            &self.0
        }

        fn capabilities(&self) -> &Capabilities {
            &self.1
        }

        async fn submit(&self, _: &SubmitRequest) -> SubmitOutcome {
            not_sent()
        }

        async fn query(&self, _: &QueryRequest) -> QueryOutcome {
            not_reached()
        }
    }

    fn not_sent() -> SubmitOutcome {
        SubmitOutcome::NotSent(NotSent::new("refused"))
    }

    fn not_reached() -> QueryOutcome {
        QueryOutcome::Unavailable(Unavailable::new(UnavailableKind::Transport, "refused"))
    }

    fn upstream(change: impl FnOnce(&mut Limits)) -> (Arc<Upstream>, Arc<Notify>) {
        let mut limits = Limits {
            in_flight: 1,
            breaker_after: 2,
            ..Limits::default()
        };
        change(&mut limits);
        let opened = Arc::new(Notify::new());
        let capabilities = Capabilities::new(Vec::new(), Vec::new());
        let mute = Mute(ProviderId::parse("mute").unwrap(), capabilities);
        let upstream = Upstream::new(Arc::new(mute), &limits, opened.clone());
        (Arc::new(upstream), opened)
    }

    fn keys(called: &[Called]) -> Vec<(u64, bool)> {
        let key = |called: &Called| match called {
            Called::Turn(key, pass) => Some((key.0, pass.is_some())),
            Called::Call(..) => None,
        };
        called.iter().filter_map(key).collect()
    }

    #[test]
    fn those_who_wait_keep_their_order_and_nobody_goes_before_them() {
        let (upstream, _) = upstream(|limits| limits.in_flight = 2);
        let under_way = upstream.pass(Lane::Submit, SECOND).unwrap();
        let other = upstream.pass(Lane::Submit, SECOND).unwrap();
        assert!(upstream.pass(Lane::Submit, SECOND).is_none());
        for key in 1..=3 {
            upstream.park(Lane::Submit, OrderKey(key), NOW.after(SECOND));
        }
        let load = upstream.load();
        assert_eq!((load.submits, load.submits_waiting, load.asks), (2, 3, 0));
        let (called, _) = upstream.call_up(Lane::Submit, SECOND, NOW);
        assert_eq!(keys(&called), []);
        drop(under_way);
        assert!(upstream.pass(Lane::Submit, SECOND).is_none(), "others wait");
        let (called, _) = upstream.call_up(Lane::Submit, SECOND, NOW);
        assert_eq!(keys(&called), [(1, true)]);
        // Their time comes though the gate stays shut.
        let (late, _) = upstream.call_up(Lane::Submit, SECOND, NOW.after(SECOND));
        assert_eq!(keys(&late), [(2, false), (3, false)]);
        drop((called, other));
        let load = upstream.load();
        assert_eq!((load.submits, load.submits_waiting), (0, 0));
        assert!(upstream.pass(Lane::Submit, SECOND).is_some());
    }

    #[test]
    fn a_pass_is_for_one_call_of_one_kind_at_one_provider() {
        let (here, _) = upstream(|limits| limits.in_flight = 0);
        let (there, _) = upstream(|_| {});
        let pass = here.pass(Lane::Ask, SECOND).unwrap();
        assert!(
            here.pass(Lane::Submit, SECOND).is_some(),
            "each has its own"
        );
        assert!(pass.is_for(&here, Lane::Ask));
        assert!(!pass.is_for(&here, Lane::Submit) && !pass.is_for(&there, Lane::Ask));
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_to_wait_when_the_gate_has_opened_is_called_up() {
        let (upstream, opened) = upstream(|_| {});
        drop(upstream.pass(Lane::Ask, SECOND));
        upstream.park(Lane::Ask, OrderKey(1), NOW);
        let told = tokio::time::timeout(SECOND, opened.notified()).await;
        assert!(told.is_ok());
        // And so is who waits when it opens.
        let (called, _) = upstream.call_up(Lane::Ask, SECOND, NOW);
        upstream.park(Lane::Ask, OrderKey(2), NOW);
        opened.notified().await;
        drop(called);
        let told = tokio::time::timeout(SECOND, opened.notified()).await;
        assert!(told.is_ok());
    }

    #[test]
    fn a_breaker_keeps_submits_back_and_takes_nothing_from_their_rate() {
        let reached = |upstream: &Upstream, submit: bool| {
            if submit {
                upstream.submitted(&not_sent(), SECOND);
            } else {
                upstream.asked(&not_reached(), SECOND);
            }
        };
        for submit in [true, false] {
            let (upstream, _) = upstream(|limits| limits.submits_per_second = Some(1));
            reached(&upstream, submit);
            reached(&upstream, submit);
            assert!(upstream.load().kept_back);
            for _ in 0..3 {
                assert!(upstream.pass(Lane::Submit, SECOND).is_none());
            }
            assert!(upstream.pass(Lane::Ask, SECOND).is_some());
            upstream.park(Lane::Submit, OrderKey(1), NOW.after(SECOND));
            let (called, again) = upstream.call_up(Lane::Submit, SECOND, NOW);
            assert_eq!((keys(&called), again), (vec![], Some(SECOND * 2)));
            let (called, _) = upstream.call_up(Lane::Submit, SECOND * 2, NOW);
            assert_eq!(keys(&called), [(1, true)]);
        }
    }
}
