//! A part of the search: which providers there are, and what may go wrong.

use std::time::Duration;

use recharge_core::{
    Account, AccountKind, Call, Capabilities, FaceValue, MerchantId, Offer, OrderId, ProviderId,
};
use recharge_engine::{NewOrder, NumberKey, Policy, Route, Times};

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fault {
    /// A worker dies.
    Crash,
    /// Another worker begins while one is still at work, which goes on without knowing.
    Takeover,
    /// A worker stands still for as long as it likes, between any two of its moves.
    Pause,
    /// A commit of unknown fate that became durable.
    Landed,
    /// A commit of unknown fate that did not.
    Vanished,
    /// No connection: not a byte is written.
    NoConnection,
    /// A request is lost on its way.
    LostRequest,
    /// The answer to a submit is lost.
    LostReply,
    /// A request takes its time, up to the network bound.
    Late,
    /// The network delivers a request twice.
    Twice,
    /// A question is not answered: a rate limit, maintenance, transport trouble.
    NoAnswer,
    /// "No such order" of one that the upstream has.
    Overlooked,
    /// For less than the wait between two failures, "failed" is said of what is not.
    Mistaken,
    /// The wall clock jumps ahead.
    Ahead,
    /// The wall clock jumps back.
    Back,
    /// The machine is lost, and a backup restored.
    Restore,
    /// The upstream goes back on its word: pays what had failed, or takes back what it paid.
    Reversal,
}

impl Fault {
    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// What one provider is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the switches and capabilities of a route"
)]
pub(crate) struct Kind {
    pub(crate) refuses_duplicates: bool,
    pub(crate) can_query: bool,
    pub(crate) callback_counts: bool,
    pub(crate) failover: bool,
}

impl Kind {
    /// As Juhe is.
    pub(crate) const PLAIN: Self = Self {
        refuses_duplicates: true,
        can_query: true,
        callback_counts: false,
        failover: false,
    };
}

/// One complete search.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) name: String,
    faults: u32,
    /// How many faults a life may have.
    pub(crate) most: u8,
    /// How many commands people may give.
    pub(crate) people: u8,
    /// Whether they give them only while the order is on the desk, or waits for a second person.
    pub(crate) at_desk: bool,
    /// Whether the second of them may decide by what they looked at a while before.
    pub(crate) looks: bool,
    /// How many callbacks may come.
    pub(crate) callbacks: u8,
    pub(crate) kinds: [Kind; 2],
    /// How many questions may be under way at once.
    pub(crate) answers: usize,
    /// How many more turns a worker takes of itself when another has the lease.
    pub(crate) echoes: u8,
    pub(crate) policy: Policy,
}

pub(crate) const NAMES: [&str; 2] = ["first", "second"];
/// How far the wall clock jumps, in ticks.
pub(crate) const JUMP: i8 = 5;
/// A tick of the search's clocks. Every time of the policy is a multiple of it.
pub(crate) const TICK: Duration = Duration::from_secs(1);

impl Part {
    pub(crate) fn new(name: impl Into<String>, kinds: [Kind; 2], faults: &[Fault]) -> Self {
        Self {
            name: name.into(),
            faults: faults.iter().fold(0, |all, fault| all | fault.bit()),
            most: 3,
            people: 0,
            at_desk: false,
            looks: false,
            callbacks: 0,
            kinds,
            answers: 4,
            echoes: 1,
            policy: Policy::new(
                routes(kinds).unwrap_or_default(),
                times(),
                NumberKey::new([7; 32]),
            ),
        }
    }

    pub(crate) fn most(mut self, most: u8) -> Self {
        self.most = most;
        self
    }

    pub(crate) fn people(mut self, people: u8) -> Self {
        self.people = people;
        self
    }

    pub(crate) fn at_desk(mut self) -> Self {
        self.at_desk = true;
        self
    }

    pub(crate) fn looks(mut self) -> Self {
        self.looks = true;
        self
    }

    pub(crate) fn callbacks(mut self, callbacks: u8) -> Self {
        self.callbacks = callbacks;
        self
    }

    pub(crate) const fn allows(&self, fault: Fault) -> bool {
        self.faults & fault.bit() != 0
    }

    /// Which provider that is.
    pub(crate) fn place(&self, provider: &ProviderId) -> u8 {
        u8::from(
            self.policy
                .routes
                .first()
                .is_none_or(|route| route.provider != *provider),
        )
    }
}

/// As short as they can be while they differ as those in use do.
fn times() -> Times {
    let ticks = |ticks: u32| TICK * ticks;
    Times {
        query_after: vec![ticks(1)],
        confirm_failure_after: ticks(2),
        not_found_quarantine: ticks(1),
        not_found_answers: 2,
        charging_limit: ticks(6),
        unknown_limit: ticks(5),
        send_deadline: ticks(1),
        request_timeout: ticks(1),
        pending_limit: ticks(3),
        not_sent_tries: 1,
        callback_gap: ticks(2),
        watch_after: vec![ticks(2), ticks(4)],
    }
}

fn routes(kinds: [Kind; 2]) -> Option<Vec<Route>> {
    let value = FaceValue::from_yuan(100).ok()?;
    let offer = Offer::new(AccountKind::Mobile, vec![value]);
    let mut routes = Vec::new();
    for (name, kind) in NAMES.into_iter().zip(kinds) {
        let mut calls = vec![Call::Submit];
        if kind.can_query {
            calls.push(Call::Query);
        }
        let mut capabilities = Capabilities::new(vec![offer.clone()], calls);
        capabilities.refuses_duplicates = kind.refuses_duplicates;
        let provider = ProviderId::parse(name).ok()?;
        let mut route = Route::new(provider, &capabilities, offer.clone());
        route.callback_counts = kind.callback_counts;
        route.failover_after_failure = kind.failover;
        routes.push(route);
    }
    Some(routes)
}

/// What is ordered.
pub(crate) fn what() -> Option<NewOrder> {
    Some(NewOrder::new(
        MerchantId::local(),
        OrderId::parse("order-1").ok()?,
        Account::parse(AccountKind::Mobile, "18900001234").ok()?,
        FaceValue::from_yuan(100).ok()?,
    ))
}
