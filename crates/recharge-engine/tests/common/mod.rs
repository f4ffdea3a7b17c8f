//! A small language for tests of the lifecycle: an order under test, with a clock that the test moves.
//! Every step that it makes is checked against the laws (`laws.rs`), whatever the test is about.
#![allow(dead_code, reason = "each test file uses the part of it that it needs")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

pub(crate) mod laws;
pub(crate) mod outcomes;
pub(crate) mod witness;

use std::collections::VecDeque;
use std::time::Duration;

use recharge_core::{
    Account, AccountKind, Call, Capabilities, FaceValue, MerchantId, Offer, OrderId, OrderState,
    ProviderId, QueryOutcome, ReviewReason, Standing, SubmitOutcome, UpstreamOrderId,
    UpstreamState,
};
use recharge_engine::{
    Acceptance, Alarm, Cause, Command, CommandError, Decision, Effect, Epoch, Event, Input, Jitter,
    Moment, NewOrder, Notice, NumberKey, Order, Person, Policy, Price, Purpose, Recorded, Route,
    SendToken, Times, Verdict, WallTime, step,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const KEY: [u8; 32] = [7; 32];

pub(crate) fn provider(name: &str) -> ProviderId {
    ProviderId::parse(name).unwrap()
}

pub(crate) fn person(name: &str) -> Person {
    Person::authenticated(name).unwrap()
}

pub(crate) fn yuan(yuan: u32) -> FaceValue {
    FaceValue::from_yuan(yuan).unwrap()
}

/// A route to a provider that can be asked and refuses duplicates, as Juhe does, and that sells what
/// [`new_order`] orders.
pub(crate) fn route(name: &str) -> Route {
    let offer = Offer::new(AccountKind::Mobile, vec![yuan(50), yuan(100)]);
    let calls = vec![Call::Submit, Call::Query];
    let mut capabilities = Capabilities::new(vec![offer.clone()], calls);
    capabilities.refuses_duplicates = true;
    Route::new(provider(name), &capabilities, offer)
}

pub(crate) fn policy(routes: Vec<Route>) -> Policy {
    Policy::new(routes, Times::default(), NumberKey::new(KEY))
}

pub(crate) fn new_order() -> NewOrder {
    NewOrder::new(
        MerchantId::local(),
        OrderId::parse("order-1").unwrap(),
        Account::parse(AccountKind::Mobile, "18900001234").unwrap(),
        yuan(100),
    )
}

/// A question that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) attempt: u32,
    pub(crate) purpose: Purpose,
    pub(crate) at: Moment,
}

/// A question of a restored order that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probing {
    pub(crate) attempt: u32,
    pub(crate) provider: ProviderId,
    pub(crate) at: Moment,
}

/// A send that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sending {
    pub(crate) attempt: u32,
    pub(crate) token: SendToken,
}

/// An order under test.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) policy: Policy,
    pub(crate) order: Order,
    pub(crate) log: Vec<Recorded>,
    /// How long it was after each step.
    pub(crate) step_ends: Vec<usize>,
    pub(crate) now: Moment,
    pub(crate) accepted: Moment,
    pub(crate) jitter: Jitter,
    /// How long an answer takes.
    pub(crate) latency: Duration,
    pub(crate) queries: VecDeque<Asked>,
    pub(crate) sends: VecDeque<Sending>,
    pub(crate) probes: VecDeque<Probing>,
    pub(crate) quotes: VecDeque<ProviderId>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) tokens: u128,
    steps: u32,
}

impl Case {
    /// One route, to a provider that can be asked and refuses duplicates.
    pub(crate) fn new() -> Self {
        Self::with(policy(vec![route("first")]))
    }

    /// Two such routes.
    pub(crate) fn two_routes() -> Self {
        Self::with(policy(vec![route("first"), route("second")]))
    }

    /// One route, to a provider that has no query call.
    pub(crate) fn deaf() -> Self {
        let mut deaf = route("deaf");
        deaf.can_query = false;
        Self::with(policy(vec![deaf]))
    }

    pub(crate) fn with(policy: Policy) -> Self {
        Self::accept(policy, new_order(), false)
    }

    pub(crate) fn accept(policy: Policy, what: NewOrder, held: bool) -> Self {
        let now = Moment {
            wall: WallTime::from_millis(1_800_000_000_000),
            epoch: Epoch(1),
            monotonic: MINUTE,
        };
        Self {
            policy,
            order: Order::accept(Acceptance {
                what,
                at: now,
                held,
            }),
            log: Vec::new(),
            step_ends: Vec::new(),
            now,
            accepted: now,
            jitter: Jitter(0),
            latency: SECOND,
            queries: VecDeque::new(),
            sends: VecDeque::new(),
            probes: VecDeque::new(),
            quotes: VecDeque::new(),
            notices: Vec::new(),
            alarms: Vec::new(),
            tokens: 0,
            steps: 0,
        }
    }

    /// Makes a step, checks it against the laws, and keeps what it asks for.
    pub(crate) fn try_step(&mut self, input: Input) -> Result<Vec<Effect>, CommandError> {
        self.steps += 1;
        assert!(self.steps < 10_000, "no end in sight");
        let made = step(&self.policy, &self.order, input, self.now)?;
        let before = self.log.len();
        self.log.extend(made.events.iter().cloned());
        laws::check(self, before, &made);
        self.step_ends.push(self.log.len());
        self.order = made.order;
        for effect in &made.effects {
            match effect {
                Effect::Submit { attempt, token, .. } => self.sends.push_back(Sending {
                    attempt: *attempt,
                    token: *token,
                }),
                Effect::Query {
                    attempt, purpose, ..
                } => self.queries.push_back(Asked {
                    attempt: *attempt,
                    purpose: *purpose,
                    at: self.now,
                }),
                Effect::Probe {
                    attempt, provider, ..
                } => self.probes.push_back(Probing {
                    attempt: *attempt,
                    provider: provider.clone(),
                    at: self.now,
                }),
                Effect::Quote { provider } => self.quotes.push_back(provider.clone()),
            }
        }
        self.notices.extend(made.notices);
        self.alarms.extend(made.alarms);
        Ok(made.effects)
    }

    /// The same for a fact, which is never refused.
    pub(crate) fn step(&mut self, input: Input) -> Vec<Effect> {
        self.try_step(input).expect("a fact is never refused")
    }

    pub(crate) fn advance(&mut self, by: Duration) -> &mut Self {
        self.now.wall = self.now.wall.after(by);
        self.now.monotonic += by;
        self
    }

    /// Monotonic time since then, in the present epoch.
    pub(crate) fn since(&self, began: Duration) -> Duration {
        self.now.monotonic.saturating_sub(began)
    }

    pub(crate) fn token(&mut self) -> SendToken {
        self.tokens += 1;
        SendToken(self.tokens)
    }

    /// Waits until the order is due, and tells it so.
    pub(crate) fn due(&mut self) -> Vec<Effect> {
        let due = self.order.due().expect("the order has no next action");
        self.advance(due.since(self.now.wall));
        self.due_now()
    }

    /// Tells the order that it is due, whether it is or not.
    pub(crate) fn due_now(&mut self) -> Vec<Effect> {
        let token = self.token();
        let jitter = self.jitter;
        self.step(Input::Due { token, jitter })
    }

    /// The oldest send under way ends.
    pub(crate) fn submit_ends(&mut self, outcome: SubmitOutcome) -> Vec<Effect> {
        self.advance(self.latency);
        let send = self.sends.pop_front().expect("no send is under way");
        self.send_reported(send, outcome)
    }

    pub(crate) fn send_reported(&mut self, send: Sending, outcome: SubmitOutcome) -> Vec<Effect> {
        self.step(Input::SubmitEnded {
            attempt: send.attempt,
            token: send.token,
            outcome,
            jitter: self.jitter,
        })
    }

    /// The oldest question under way is answered.
    pub(crate) fn query_says(&mut self, outcome: QueryOutcome) -> Vec<Effect> {
        self.advance(self.latency);
        let asked = self.queries.pop_front().expect("no question is under way");
        self.answered(asked, outcome)
    }

    pub(crate) fn answered(&mut self, asked: Asked, outcome: QueryOutcome) -> Vec<Effect> {
        self.step(Input::QueryEnded {
            attempt: asked.attempt,
            asked: asked.at,
            purpose: asked.purpose,
            outcome,
            jitter: self.jitter,
        })
    }

    /// The oldest question of the hold is answered.
    pub(crate) fn probe_says(&mut self, outcome: QueryOutcome) -> Vec<Effect> {
        self.advance(self.latency);
        let probe = self.probes.pop_front().expect("nothing is probed");
        self.probed(probe, outcome)
    }

    pub(crate) fn probed(&mut self, probe: Probing, outcome: QueryOutcome) -> Vec<Effect> {
        self.step(Input::Probed {
            attempt: probe.attempt,
            provider: probe.provider,
            asked: probe.at,
            outcome,
            jitter: self.jitter,
        })
    }

    /// The oldest question for a price is answered.
    pub(crate) fn quote_says(&mut self, price: Price) -> Vec<Effect> {
        self.advance(self.latency);
        let provider = self.quotes.pop_front().expect("no price is asked for");
        self.priced(provider, price)
    }

    pub(crate) fn priced(&mut self, provider: ProviderId, price: Price) -> Vec<Effect> {
        self.step(Input::Priced {
            provider,
            price,
            jitter: self.jitter,
        })
    }

    /// An answer to a question asked just now, for a purpose that no effect asked for.
    pub(crate) fn told(&mut self, attempt: u32, purpose: Purpose, outcome: QueryOutcome) {
        let at = self.now;
        self.advance(self.latency);
        self.answered(
            Asked {
                attempt,
                purpose,
                at,
            },
            outcome,
        );
    }

    /// The order is due and asks one question, which is answered.
    pub(crate) fn round(&mut self, outcome: QueryOutcome) -> Vec<Effect> {
        self.due();
        self.query_says(outcome)
    }

    /// Sends the first attempt, with this end.
    pub(crate) fn sent(mut self, outcome: SubmitOutcome) -> Self {
        self.due();
        self.submit_ends(outcome);
        self
    }

    /// A genuine callback without the upstream's number.
    pub(crate) fn callback(&mut self, attempt: u32, claims: UpstreamState) -> Vec<Effect> {
        self.callback_of(attempt, None, claims, false)
    }

    pub(crate) fn callback_of(
        &mut self,
        attempt: u32,
        upstream: Option<&str>,
        claims: UpstreamState,
        covers_state: bool,
    ) -> Vec<Effect> {
        self.step(Input::Callback {
            attempt,
            upstream_order_id: upstream.map(|id| UpstreamOrderId::parse(id).unwrap()),
            claims: Some(claims),
            covers_state,
            jitter: self.jitter,
        })
    }

    /// The process stops and starts again: what was under way is lost, a new epoch begins.
    pub(crate) fn restart(&mut self) -> Vec<Effect> {
        self.stop();
        self.new_epoch(false)
    }

    /// A backup of the order as it is now is restored, after what the machine lost is lost.
    pub(crate) fn restore(&mut self) -> Vec<Effect> {
        self.stop();
        self.new_epoch(true)
    }

    fn stop(&mut self) {
        self.sends.clear();
        self.queries.clear();
        self.probes.clear();
        self.quotes.clear();
    }

    /// The wall clock is set by this many milliseconds.
    pub(crate) fn jump(&mut self, millis: i64) -> Vec<Effect> {
        self.now.wall = WallTime::from_millis(self.now.wall.millis() + millis);
        self.new_epoch(false)
    }

    fn new_epoch(&mut self, restored: bool) -> Vec<Effect> {
        self.now.epoch = Epoch(self.now.epoch.0 + 1);
        self.now.monotonic = Duration::ZERO;
        self.step(Input::Recovered {
            restored,
            jitter: self.jitter,
        })
    }

    /// A person who looks at the order as it stands decides.
    pub(crate) fn decide(&mut self, verdict: Verdict, by: &str) -> Result<(), CommandError> {
        self.decide_at(verdict, by, self.order.version())
    }

    pub(crate) fn decide_at(
        &mut self,
        verdict: Verdict,
        by: &str,
        seen: u64,
    ) -> Result<(), CommandError> {
        self.decide_as(verdict, person(by), seen)
    }

    pub(crate) fn decide_as(
        &mut self,
        verdict: Verdict,
        by: Person,
        seen: u64,
    ) -> Result<(), CommandError> {
        let decision = Decision {
            verdict,
            by,
            evidence: "ticket 7".to_owned(),
            seen,
        };
        self.try_step(Input::Command(Command::Decide(decision)))
            .map(|_| ())
    }

    /// Two people decide.
    pub(crate) fn both_decide(&mut self, verdict: &Verdict) {
        self.decide(verdict.clone(), "ann").unwrap();
        self.decide(verdict.clone(), "bob").unwrap();
    }

    pub(crate) fn ask_again(&mut self) -> Result<Vec<Effect>, CommandError> {
        let command = Command::AskAgain { by: person("ann") };
        self.try_step(Input::Command(command))
    }

    /// Says "no such order" to every scheduled question until the order leaves the state `Unknown`.
    pub(crate) fn never_found(&mut self) {
        for _ in 0..200 {
            if self.state() != OrderState::Unknown {
                return;
            }
            self.round(outcomes::not_found());
        }
        panic!("an order that is never found stays unknown for ever");
    }

    /// An order that is probably not taken.
    pub(crate) fn probably_not_taken(policy: Policy) -> Self {
        let mut case = Self::with(policy).sent(outcomes::unknown());
        case.never_found();
        assert_eq!(
            case.state(),
            OrderState::Review(ReviewReason::ProbablyNotTaken)
        );
        case
    }

    pub(crate) fn state(&self) -> OrderState {
        self.order.state()
    }

    pub(crate) fn standing(&self, attempt: usize) -> Standing {
        self.order.attempts()[attempt].standing()
    }

    /// How long from now the order is due.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        Some(self.order.due()?.since(self.now.wall))
    }

    /// The moves so far: from, to, why.
    pub(crate) fn moves(&self) -> Vec<(OrderState, OrderState, Cause)> {
        let mut from = OrderState::INITIAL;
        let mut moves = Vec::new();
        for recorded in &self.log {
            if let Event::Moved { to, cause } = recorded.event {
                moves.push((from, to, cause));
                from = to;
            }
        }
        moves
    }

    pub(crate) fn last_cause(&self) -> Cause {
        self.moves().last().expect("the order has not moved").2
    }

    /// How many times a send was intended.
    pub(crate) fn intents(&self) -> usize {
        let intent = |r: &&Recorded| matches!(r.event, Event::SendIntended { .. });
        self.log.iter().filter(intent).count()
    }
}

/// The queries among effects.
pub(crate) fn queries(effects: &[Effect]) -> Vec<(u32, Purpose)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Query {
                attempt, purpose, ..
            } => Some((*attempt, *purpose)),
            Effect::Submit { .. } | Effect::Probe { .. } | Effect::Quote { .. } => None,
        })
        .collect()
}

/// The submits among effects: attempt and provider.
pub(crate) fn submits(effects: &[Effect]) -> Vec<(u32, String)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Submit {
                attempt, provider, ..
            } => Some((*attempt, provider.to_string())),
            Effect::Query { .. } | Effect::Probe { .. } | Effect::Quote { .. } => None,
        })
        .collect()
}

/// The questions of the hold among effects: index and provider.
pub(crate) fn probes(effects: &[Effect]) -> Vec<(u32, String)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Probe {
                attempt, provider, ..
            } => Some((*attempt, provider.to_string())),
            Effect::Submit { .. } | Effect::Query { .. } | Effect::Quote { .. } => None,
        })
        .collect()
}

/// The questions for a price among effects.
pub(crate) fn quotes(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Quote { provider } => Some(provider.to_string()),
            Effect::Submit { .. } | Effect::Query { .. } | Effect::Probe { .. } => None,
        })
        .collect()
}

/// A log, one line an event, for those who have to find out why a test failed.
pub(crate) fn story(log: &[Recorded]) -> String {
    let line = |recorded: &Recorded| {
        let event = match &recorded.event {
            Event::SendIntended { attempt, .. } => format!("attempt {attempt}: send intended"),
            Event::SendEnded {
                attempt, outcome, ..
            } => format!("attempt {attempt}: {outcome:?}"),
            Event::Answered {
                attempt,
                asked,
                purpose,
                outcome,
                ..
            } => format!("attempt {attempt}: asked {asked:?} {purpose:?}: {outcome:?}"),
            Event::CallbackSeen { .. }
            | Event::Approved { .. }
            | Event::Decided { .. }
            | Event::AskedAgain { .. }
            | Event::Moved { .. }
            | Event::Recovered
            | Event::Held
            | Event::Probed { .. }
            | Event::Adopted { .. }
            | Event::Priced { .. }
            | Event::Scheduled { .. } => format!("{:?}", recorded.event),
        };
        let mut event = event;
        event.truncate(150);
        format!("\n{:4} {:?} {event}", recorded.version, recorded.at)
    };
    log.iter().map(line).collect()
}
