//! A turn: one step of an order that is due, and what comes of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::core::{AFTER_TROUBLE, Core, Held, TellError, Written, lock};
use super::decide;
use super::gate::{Lane, Pass, Upstream};
use super::trace;
use crate::event::Purpose;
use crate::store::OrderKey;
use crate::{AppendError, Effect, Input, Order, StoreError, WallTime};

/// After this a turn that waits at a gate looks at its order again: it may have become overdue.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A turn that is under way. Should its task die, the order has another turn a little later.
struct Turn {
    core: Arc<Core>,
    held: Arc<Held>,
    over: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.over {
            self.held.seen_to.store(false, Ordering::Release);
            let again = self.core.clock.now().wall.after(AFTER_TROUBLE);
            self.core.put_down(again, self.held.key);
        }
    }
}

/// A person's question that waits at its gate.
struct Waits {
    held: Arc<Held>,
    attempt: u32,
}

impl Waits {
    /// `None` while another about the same attempt waits.
    fn begin(held: &Arc<Held>, attempt: u32) -> Option<Self> {
        let begun = lock(&held.asked_by_people).insert(attempt);
        begun.then(|| Self {
            held: held.clone(),
            attempt,
        })
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        lock(&self.held.asked_by_people).remove(&self.attempt);
    }
}

/// How a turn ended.
enum End {
    /// The order may be due again, or have ended.
    Over,
    /// It is to wait at a gate, which sees to it, though no longer than that.
    Parked(Arc<Upstream>, Lane, WallTime),
    /// The store failed: another turn, a little later.
    Trouble,
    /// The order is no longer this worker's.
    Lost,
}

impl Core {
    /// Gives an order its turn, unless somebody sees to it already.
    pub(super) fn take_turn(self: &Arc<Self>, held: Arc<Held>, pass: Option<Pass>) {
        if !held.seen_to.swap(true, Ordering::AcqRel) {
            self.turn(held, pass);
        }
    }

    fn turn(self: &Arc<Self>, held: Arc<Held>, pass: Option<Pass>) {
        let core = self.clone();
        self.tasks.spawn(async move {
            let mut turn = Turn {
                core: core.clone(),
                held: held.clone(),
                over: false,
            };
            match trace::about(&held, core.play(&held, pass)).await {
                End::Trouble => {} // as if the task had died
                End::Parked(upstream, lane, until) => {
                    turn.over = true;
                    drop(turn);
                    // Those who wait at one gate must leave room for those who don't. The gate calls by
                    // key, so it is let go of before.
                    if core.half_full() {
                        core.let_go(&held);
                    }
                    upstream.park(lane, held.key, until);
                }
                End::Over => {
                    turn.over = true;
                    held.seen_to.store(false, Ordering::Release);
                    drop(turn);
                    core.settle(&held).await;
                }
                End::Lost => {
                    turn.over = true;
                    held.seen_to.store(false, Ordering::Release);
                    drop(turn);
                    core.let_go(&held);
                    // Should this worker have claimed it again meanwhile, it is not to be forgotten.
                    core.give_back(held, core.clock.now().wall).await;
                }
            }
        });
    }

    /// The turn of an order that waited at a gate.
    pub(super) fn take_turn_of(self: &Arc<Self>, key: OrderKey, pass: Option<Pass>) {
        if let Some(held) = self.at_hand(key) {
            // It waited with its turn taken.
            held.seen_to.store(true, Ordering::Release);
            return self.turn(held, pass);
        }
        let core = self.clone();
        self.tasks.spawn(async move {
            match core.obtain(key).await {
                Ok(held) => core.take_turn(held, pass),
                Err(TellError::Store(StoreError::Unavailable(_) | StoreError::Unknown(_))) => {
                    drop(pass);
                    core.pause(AFTER_TROUBLE).await;
                    if !core.stopping() {
                        core.take_turn_of(key, None);
                    }
                }
                // It is another's, or can't be read at all.
                Err(_) => {}
            }
        });
    }

    async fn play(self: &Arc<Self>, held: &Arc<Held>, mut pass: Option<Pass>) -> End {
        let mut asked = false;
        loop {
            if self.stopping() {
                return End::Over;
            }
            let mut order = held.order.lock().await;
            let now = self.clock.now();
            if !decide::is_due(&order, now) {
                return End::Over;
            }
            let due = |token, jitter| Input::Due { token, jitter };
            let Ok(made) = self.step(&order, due) else {
                return End::Trouble;
            };
            if made.events.is_empty() && made.effects.is_empty() {
                return End::Trouble; // A due order has something to do; should one not, it must not spin.
            }
            // Nothing is written down by a turn that only asks, so nothing would tell a worker whose lease is
            // void, and who sees the order as it was, to stop asking.
            if made.events.is_empty() && asked {
                match self.store.claim(self.lease, held.key).await {
                    Ok(None) => {}
                    Ok(Some(stored)) => {
                        *order = stored.order;
                        continue;
                    }
                    Err(AppendError::Store(_)) => return End::Trouble,
                    Err(_) => return End::Lost,
                }
            }
            asked = true;
            if let Some((upstream, lane)) = made.effects.first().and_then(|e| self.wants(e)) {
                let fits = pass.as_ref().is_some_and(|p| p.is_for(upstream, lane));
                if !fits {
                    // Taken before anything is written down: the send deadline counts from there.
                    pass = upstream.pass(lane, now.monotonic);
                }
                if pass.is_none() {
                    let until = self.look_again(&order, lane, now.wall);
                    return End::Parked(upstream.clone(), lane, until);
                }
            }
            let written = self.write(held, Some(self.lease), &mut order, made).await;
            drop(order);
            match written {
                Ok(Written::Durable(effects)) => {
                    // More may be due at once: the next attempt to be asked about, say.
                    // Apart, because it is large: most turns of a rush only come to wait at a gate.
                    if !Box::pin(self.carry_out(held, effects, pass.take())).await {
                        return End::Trouble;
                    }
                }
                Ok(Written::Again) => {}
                Err(TellError::LeaseLost | TellError::NoSuchOrder) => return End::Lost,
                Err(TellError::Store(_) | TellError::Refused(_)) => {
                    return End::Trouble;
                }
            }
        }
    }

    fn look_again(&self, order: &Order, lane: Lane, now: WallTime) -> WallTime {
        let soon = now.after(LOOK_AGAIN);
        match lane {
            // It waits to be sent until it expires.
            Lane::Submit => soon.max(order.accepted().wall.after(self.times.pending_limit)),
            Lane::Ask => soon,
        }
    }

    /// The gate that an effect must pass.
    fn wants(&self, effect: &Effect) -> Option<(&Arc<Upstream>, Lane)> {
        let (provider, lane) = match effect {
            Effect::Submit { provider, .. } => (provider, Lane::Submit),
            Effect::Query { provider, .. }
            | Effect::Probe { provider, .. }
            | Effect::Quote { provider } => (provider, Lane::Ask),
        };
        Some((self.upstream(provider)?, lane))
    }

    /// Does what a command or a callback asks for, in a task of its own.
    pub(super) fn go_on(self: &Arc<Self>, held: Arc<Held>, effects: Vec<Effect>) {
        let core = self.clone();
        self.tasks
            .spawn(async move { core.follow(held, effects).await });
    }

    /// Does what a command or a callback asks for.
    pub(super) async fn follow(self: &Arc<Self>, held: Arc<Held>, effects: Vec<Effect>) {
        let _care = self.care(held.key);
        if !effects.is_empty() {
            trace::about(&held, self.carry_out(&held, effects, None)).await;
        }
        self.settle(&held).await;
    }

    /// Does what steps ask for, and tells the order what became of it, until nothing is left. `false` if
    /// that could not be written down.
    async fn carry_out(
        self: &Arc<Self>,
        held: &Arc<Held>,
        effects: Vec<Effect>,
        mut pass: Option<Pass>,
    ) -> bool {
        let mut todo = VecDeque::from(effects);
        while let Some(effect) = todo.pop_front() {
            let Some((upstream, lane)) = self.wants(&effect) else {
                return false; // Every route has a provider: the start has seen to it.
            };
            let upstream = upstream.clone();
            // One that still waits is asked after all that has been written down: its answer is for everybody.
            let waits = match &effect {
                Effect::Query {
                    attempt,
                    purpose: Purpose::Person,
                    ..
                } => match Waits::begin(held, *attempt) {
                    None => continue,
                    waits => waits,
                },
                _ => None,
            };
            let granted = match pass.take().filter(|pass| pass.is_for(&upstream, lane)) {
                Some(pass) => Some(pass),
                None => self.passing(&upstream, lane).await,
            };
            // A stop came first. What was to be asked is due again; a send is always let through above.
            let Some(granted) = granted else {
                return true;
            };
            drop(waits);
            let told = match effect {
                Effect::Submit {
                    attempt,
                    provider: _,
                    token,
                    send_within,
                    ..
                } => {
                    let outcome = self
                        .submit(held, &upstream, attempt, token, send_within)
                        .await;
                    drop(granted);
                    let input = |_, jitter| Input::SubmitEnded {
                        attempt,
                        token,
                        outcome: outcome.clone(),
                        jitter,
                    };
                    self.tell(held, None, input).await
                }
                Effect::Query {
                    attempt,
                    number,
                    purpose,
                    ..
                } => {
                    let (asked, outcome) = self.ask_about(held, &upstream, number).await;
                    drop(granted);
                    let input = |_, jitter| Input::QueryEnded {
                        attempt,
                        asked,
                        purpose,
                        outcome: outcome.clone(),
                        jitter,
                    };
                    self.tell(held, None, input).await
                }
                Effect::Probe {
                    attempt,
                    number,
                    provider,
                } => {
                    let (asked, outcome) = self.ask_about(held, &upstream, number).await;
                    drop(granted);
                    let input = |_, jitter| Input::Probed {
                        attempt,
                        provider: provider.clone(),
                        asked,
                        outcome: outcome.clone(),
                        jitter,
                    };
                    self.tell(held, None, input).await
                }
                Effect::Quote { provider } => {
                    let price = self.quote(held, &upstream).await;
                    drop(granted);
                    let input = |_, jitter| Input::Priced {
                        provider: provider.clone(),
                        price: price.clone(),
                        jitter,
                    };
                    self.tell(held, None, input).await
                }
            };
            match told {
                Ok(more) => todo.extend(more),
                // It stays in doubt, and is found so at the next start.
                Err(_) => return false,
            }
        }
        true
    }

    async fn passing(&self, upstream: &Arc<Upstream>, lane: Lane) -> Option<Pass> {
        if self.stopping() {
            return None;
        }
        let now = self.clock.now().monotonic;
        tokio::select! {
            biased;
            pass = upstream.passing(lane, now) => pass,
            () = self.stop_is_called() => None,
        }
    }
}
