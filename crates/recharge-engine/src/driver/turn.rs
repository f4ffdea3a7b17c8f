//! A turn: one step of an order that is due, and what comes of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use recharge_core::{
    CallErrorKind, Doubt, DoubtKind, NotSent, QueryOutcome, SubmitOutcome, SubmitRequest,
    Unavailable, UnavailableKind,
};

use super::core::{Core, Held, TellError, Written};
use super::gate::{Lane, Pass, Upstream};
use crate::store::OrderKey;
use crate::{Effect, Input, Order, Price, SendToken, WallTime};

/// An order that is due within this is kept at hand.
const SOON: Duration = Duration::from_mins(1);
/// After this a turn that waits at a gate looks at its order again: it may have become overdue.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// When an order has its turn again after the store, or a task, has failed.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);

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

/// How a turn ended.
enum End {
    /// The order may be due again, or have ended.
    Over,
    /// It waits at a gate, which sees to it.
    Parked,
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
            match core.play(&held, pass).await {
                End::Trouble => {} // as if the task had died
                End::Parked => turn.over = true,
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
                Err(TellError::Store(_)) => {
                    core.pause(AFTER_TROUBLE).await;
                    // Found again when it is due, by whoever claims it.
                    let _ = core.store.release(core.lease, &[key]).await;
                    core.may_be_claimed(core.clock.now().wall);
                }
                Err(_) => {}
            }
        });
    }

    async fn play(self: &Arc<Self>, held: &Arc<Held>, mut pass: Option<Pass>) -> End {
        loop {
            if self.stopping() {
                return End::Over;
            }
            let mut order = held.order.lock().await;
            let now = self.clock.now();
            if order.due().is_none_or(|due| due > now.wall) {
                return End::Over;
            }
            let due = |token, jitter| Input::Due { token, jitter };
            let Ok(made) = self.step(&order, due) else {
                return End::Trouble;
            };
            if made.events.is_empty() && made.effects.is_empty() {
                return End::Trouble; // A due order has something to do; should one not, it must not spin.
            }
            if let Some((upstream, lane)) = made.effects.first().and_then(|e| self.wants(e)) {
                let fits = pass.as_ref().is_some_and(|p| p.is_for(upstream, lane));
                if !fits {
                    // Taken before anything is written down: the send deadline counts from there.
                    pass = upstream.pass(lane, now.monotonic);
                }
                if pass.is_none() {
                    let until = self.look_again(&order, lane, now.wall);
                    drop(order);
                    if self.crowded() {
                        self.let_go(held);
                    }
                    upstream.park(lane, held.key, until);
                    return End::Parked;
                }
            }
            let written = self
                .write(held.key, Some(self.lease), &mut order, made)
                .await;
            drop(order);
            match written {
                Ok(Written::Durable(effects)) => {
                    // More may be due at once: the next attempt to be asked about, say.
                    if !self.carry_out(held, effects, pass.take()).await {
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
        self.tasks.spawn(async move {
            core.carry_out(&held, effects, None).await;
            core.settle(&held).await;
        });
    }

    /// Sees to what an order needs next, if nobody else does.
    pub(super) async fn settle(self: &Arc<Self>, held: &Arc<Held>) {
        if held.seen_to.load(Ordering::Acquire) {
            return;
        }
        let due = held.order.lock().await.due();
        let now = self.clock.now().wall;
        match due {
            Some(due) if due <= now && !self.stopping() => self.take_turn(held.clone(), None),
            Some(due) if due <= now.after(SOON) && !self.crowded() => self.put_down(due, held.key),
            due => {
                if self.let_go(held) {
                    // A claim that is not given back is void at the next start.
                    let _ = self.store.release(self.lease, &[held.key]).await;
                    if let Some(due) = due {
                        self.may_be_claimed(due);
                    }
                }
            }
        }
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
            let granted = match pass.take().filter(|pass| pass.is_for(&upstream, lane)) {
                Some(pass) => Some(pass),
                None => self.passing(&upstream, lane).await,
            };
            // A stop came first. What was to be asked is due again; a send is always let through above.
            let Some(granted) = granted else {
                return true;
            };
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
                    let request = held.order.lock().await.request_with(number);
                    let asked = self.clock.now();
                    let outcome = self.ask(&upstream, &request).await;
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
                    let request = held.order.lock().await.request_with(number);
                    let asked = self.clock.now();
                    let outcome = self.ask(&upstream, &request).await;
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
            pass = upstream.passing(lane, now) => pass,
            () = self.stop_is_called() => None,
        }
    }

    /// Sends. The deadline counts from the moment of the step, which is before the commit: sooner is on
    /// the safe side.
    async fn submit(
        &self,
        held: &Held,
        upstream: &Upstream,
        attempt: u32,
        token: SendToken,
        within: Duration,
    ) -> SubmitOutcome {
        let (request, intended) = {
            let order = held.order.lock().await;
            let known = order.attempt(attempt);
            let ours = known.filter(|attempt| attempt.open_token() == Some(token));
            match ours.and_then(|known| Some((order.request(known), known.last_intended()?))) {
                Some(found) => found,
                None => return not_sent("the order has gone on since"),
            }
        };
        let Some(deadline) = self.clock.instant(intended, within) else {
            return not_sent("the clock has jumped since the intent was written down");
        };
        let now = self.clock.now();
        if now.epoch != intended.epoch || now.elapsed_since(intended) >= within {
            return not_sent("the send deadline has passed");
        }
        let mut request: SubmitRequest = request;
        request.send_before = Some(deadline);
        // The waits after "no such order" count on it that no byte is under way after this; a dropped
        // future sends none.
        let limit = within.saturating_add(self.times.request_timeout);
        let outcome = tokio::select! {
            outcome = upstream.provider.submit(&request) => outcome,
            () = self.clock.sleep(limit) => SubmitOutcome::Unknown(Doubt::new(
                DoubtKind::Dropped,
                format!("the provider took longer than {limit:?}"),
            )),
        };
        upstream.submitted(&outcome, self.clock.now().monotonic);
        outcome
    }

    async fn ask(&self, upstream: &Upstream, request: &SubmitRequest) -> QueryOutcome {
        let limit = self.times.request_timeout;
        let request = request.query();
        let outcome = tokio::select! {
            outcome = upstream.provider.query(&request) => outcome,
            () = self.clock.sleep(limit) => QueryOutcome::Unavailable(Unavailable::new(
                UnavailableKind::Transport,
                format!("the provider took longer than {limit:?}"),
            )),
        };
        upstream.asked(&outcome, self.clock.now().monotonic);
        outcome
    }

    async fn quote(&self, held: &Held, upstream: &Upstream) -> Price {
        let what = held.order.lock().await.what().clone();
        let limit = self.times.request_timeout;
        let quoted = tokio::select! {
            quoted = upstream.provider.quote(&what.account, what.amount) => quoted,
            () = self.clock.sleep(limit) => {
                return Price::Unavailable(format!("the provider took longer than {limit:?}"));
            }
        };
        match quoted {
            Ok(quote) => Price::Known(quote.price),
            Err(error) if error.kind == CallErrorKind::Unsupported => Price::NoQuote,
            Err(error) => Price::Unavailable(error.to_string()),
        }
    }
}

fn not_sent(why: &str) -> SubmitOutcome {
    SubmitOutcome::NotSent(NotSent::new(why))
}
