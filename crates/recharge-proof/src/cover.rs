//! What was really exercised: what a run never met, it says nothing about.

use std::collections::BTreeMap;
use std::fmt;

use recharge_core::{MOVES, OrderState};
use recharge_engine::{Command, Event, Input, Order, Step};
use recharge_sim::FaultKind;

use crate::case::{Act, Wanted, Wish, Workers};
use crate::lab::NetworkFault;
use crate::points::Point;
use crate::store::{StoreFault, StoreKind};

/// How often each thing was met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cover {
    visited: BTreeMap<Point, u64>,
    killed: BTreeMap<Point, u64>,
    paused: BTreeMap<Point, u64>,
    store: BTreeMap<StoreFault, u64>,
    network: BTreeMap<NetworkFault, u64>,
    faults: BTreeMap<FaultKind, u64>,
    moves: BTreeMap<(&'static str, &'static str), u64>,
    pairs: BTreeMap<Pair, u64>,
    acts: BTreeMap<&'static str, u64>,
    wishes: BTreeMap<(&'static str, bool), u64>,
}

/// What came in to an order of which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pair(&'static str, &'static str);

/// The states, reviews together.
const STATES: [&str; 7] = [
    "pending",
    "submitting",
    "charging",
    "unknown",
    "review",
    "succeeded",
    "failed",
];

/// What can come in.
const INPUTS: [&str; 9] = [
    "due",
    "submit ended",
    "query ended",
    "callback",
    "probed",
    "priced",
    "recovered",
    "ask again",
    "decide",
];

/// Pairs that take two rare things at once: an answer that comes just while an order is on its way from one state to
/// the next.
const RARE: [Pair; 3] = [
    Pair("pending", "submit ended"),
    Pair("submitting", "probed"),
    Pair("review", "priced"),
];

/// Pairs that are as rare where one worker never takes over from another: what comes after somebody else has moved
/// the order on.
const LATE: [Pair; 15] = [
    Pair("submitting", "due"),
    Pair("submitting", "priced"),
    Pair("charging", "priced"),
    Pair("unknown", "priced"),
    Pair("succeeded", "priced"),
    Pair("failed", "priced"),
    Pair("succeeded", "probed"),
    Pair("failed", "probed"),
    Pair("charging", "submit ended"),
    Pair("unknown", "submit ended"),
    Pair("review", "submit ended"),
    Pair("succeeded", "submit ended"),
    Pair("failed", "submit ended"),
    Pair("succeeded", "recovered"),
    Pair("failed", "recovered"),
];

/// Something that is to be met, how often it was, and in how many lives it must be once.
struct Met {
    name: String,
    count: u64,
    once_in: u64,
}

/// What can't be met with every store and number of workers.
#[derive(Debug, Clone, Copy)]
struct Reach {
    /// A worker begins while another is at work.
    takeovers: bool,
    /// A commit lands long after nobody knew of it.
    hanging: bool,
}

impl Reach {
    /// A file has one worker, and answers for its commits itself.
    fn of(wanted: Wanted) -> Self {
        let database = wanted.store != Some(StoreKind::Sqlite);
        Self {
            takeovers: database && wanted.workers == Workers::Two,
            hanging: database,
        }
    }
}

/// So many lives for each time that something must have been met.
const ONCE_IN: u64 = 50_000;
/// The same for what takes two rare things at once.
const RARELY: u64 = 2_000_000;

impl Pair {
    /// In how many lives it must be met once.
    fn once_in(&self, reach: Reach) -> u64 {
        let rare = RARE.contains(self) || !reach.takeovers && LATE.contains(self);
        if rare { RARELY } else { ONCE_IN }
    }

    pub(crate) fn of(order: &Order, input: &Input) -> Self {
        let input = match input {
            Input::Due { .. } => "due",
            Input::SubmitEnded { .. } => "submit ended",
            Input::QueryEnded { .. } => "query ended",
            Input::Callback { .. } => "callback",
            Input::Probed { .. } => "probed",
            Input::Priced { .. } => "priced",
            Input::Recovered { .. } => "recovered",
            Input::Command(Command::AskAgain { .. }) => "ask again",
            Input::Command(Command::Decide(_)) => "decide",
        };
        Self(order.state().as_str(), input)
    }
}

impl Cover {
    /// A worker came to a point, for the nth time.
    pub(crate) fn visited(&mut self, at: Point) -> u64 {
        let visited = self.visited.entry(at).or_default();
        *visited += 1;
        *visited
    }

    pub(crate) fn killed(&mut self, at: Point) {
        *self.killed.entry(at).or_default() += 1;
    }

    pub(crate) fn paused(&mut self, at: Point) {
        *self.paused.entry(at).or_default() += 1;
    }

    pub(crate) fn store(&mut self, fault: StoreFault) {
        *self.store.entry(fault).or_default() += 1;
    }

    pub(crate) fn network(&mut self, fault: NetworkFault) {
        *self.network.entry(fault).or_default() += 1;
    }

    pub(crate) fn faults(&mut self, faults: &BTreeMap<FaultKind, u64>) {
        merge(&mut self.faults, faults);
    }

    pub(crate) fn pair(&mut self, pair: Pair) {
        *self.pairs.entry(pair).or_default() += 1;
    }

    pub(crate) fn moved(&mut self, before: Option<OrderState>, step: &Step) {
        let mut from = before.map_or("pending", OrderState::as_str);
        for recorded in &step.events {
            if let Event::Moved { to, .. } = &recorded.event {
                *self.moves.entry((from, to.as_str())).or_default() += 1;
                from = to.as_str();
            }
        }
    }

    pub(crate) fn acted(&mut self, act: &'static str) {
        *self.acts.entry(act).or_default() += 1;
    }

    pub(crate) fn wished(&mut self, wish: Wish, done: bool) {
        *self.wishes.entry((wish.as_str(), done)).or_default() += 1;
    }

    pub(crate) fn called_back(&mut self, heard: bool, again: bool) {
        let name = match (heard, again) {
            (true, false) => "callback heard",
            (false, false) => "callback not heard",
            (true, true) => "callback of before heard",
            (false, true) => "callback of before not heard",
        };
        *self.acts.entry(name).or_default() += 1;
    }

    /// Adds what another run has met.
    pub fn add(&mut self, other: &Self) {
        merge(&mut self.visited, &other.visited);
        merge(&mut self.killed, &other.killed);
        merge(&mut self.paused, &other.paused);
        merge(&mut self.store, &other.store);
        merge(&mut self.network, &other.network);
        merge(&mut self.faults, &other.faults);
        merge(&mut self.moves, &other.moves);
        merge(&mut self.pairs, &other.pairs);
        merge(&mut self.acts, &other.acts);
        merge(&mut self.wishes, &other.wishes);
    }

    /// Everything that should be met, and how often it was.
    fn all(&self, wanted: Wanted) -> Vec<Met> {
        let reach = Reach::of(wanted);
        let mut all = Vec::new();
        let mut say = |group: &str, name: &dyn fmt::Display, count: Option<&u64>| {
            all.push(Met {
                name: format!("{group}: {name}"),
                count: count.copied().unwrap_or_default(),
                once_in: ONCE_IN,
            });
        };
        for point in Point::all() {
            say("visited", &point, self.visited.get(&point));
            say("killed", &point, self.killed.get(&point));
            say("paused", &point, self.paused.get(&point));
        }
        for fault in StoreFault::ALL {
            if reach.hanging || fault != StoreFault::Hanging {
                say("store", &fault.as_str(), self.store.get(&fault));
            }
        }
        for fault in NetworkFault::ALL {
            say("network", &fault.as_str(), self.network.get(&fault));
        }
        for fault in FaultKind::ALL {
            say("upstream", fault, self.faults.get(fault));
        }
        for row in MOVES {
            let (from, to) = (row.from, row.to);
            say(
                "move",
                &format_args!("{from} to {to}"),
                self.moves.get(&(from, to)),
            );
        }
        for act in Act::NAMES {
            if reach.takeovers || act != "takeover" {
                say("act", &act, self.acts.get(act));
            }
        }
        for name in [
            "callback heard",
            "callback not heard",
            "callback of before heard",
        ] {
            say("act", &name, self.acts.get(name));
        }
        for wish in Wish::ALL {
            say(
                "obeyed",
                &wish.as_str(),
                self.wishes.get(&(wish.as_str(), true)),
            );
            if wish != Wish::AskAgain {
                say(
                    "refused",
                    &wish.as_str(),
                    self.wishes.get(&(wish.as_str(), false)),
                );
            }
        }
        for state in STATES {
            for input in INPUTS {
                let pair = Pair(state, input);
                all.push(Met {
                    name: format!("pair: {state}, {input}"),
                    count: self.pairs.get(&pair).copied().unwrap_or_default(),
                    once_in: pair.once_in(reach),
                });
            }
        }
        all
    }

    /// What was met less often than it must be in so many lives.
    pub fn missing(&self, lives: u64, wanted: Wanted) -> Vec<String> {
        let all = self.all(wanted).into_iter();
        all.filter(|met| met.count < lives / met.once_in)
            .map(|met| {
                let floor = lives / met.once_in;
                format!("{}: {}, at least {floor} wanted", met.name, met.count)
            })
            .collect()
    }

    /// Everything, a line each.
    pub fn lines(&self, wanted: Wanted) -> Vec<String> {
        let all = self.all(wanted).into_iter();
        all.map(|met| format!("{}: {}", met.name, met.count))
            .collect()
    }

    /// What was never met, a line each.
    pub fn unmet(&self, wanted: Wanted) -> Vec<String> {
        let all = self.all(wanted).into_iter();
        all.filter(|met| met.count == 0)
            .map(|met| format!("never met: {}", met.name))
            .collect()
    }

    /// How many different things are to be met, and how many were.
    pub fn summary(&self, wanted: Wanted) -> (usize, usize) {
        let all = self.all(wanted);
        let met = all.iter().filter(|met| met.count > 0).count();
        (all.len(), met)
    }
}

fn merge<K: Ord + Clone>(into: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *into.entry(key.clone()).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_hang_with_one_worker_too_and_only_of_two_does_one_take_over() {
        let floors = |store, workers| {
            let missing = Cover::default().missing(ONCE_IN, Wanted { store, workers });
            let has = |name: &str| missing.iter().any(|line| line.starts_with(name));
            (has("act: takeover"), has("store: commit hanging"))
        };
        let database = Some(StoreKind::Postgres);
        for store in [None, database] {
            assert_eq!(floors(store, Workers::Two), (true, true));
            assert_eq!(floors(store, Workers::One), (false, true));
        }
        for workers in [Workers::One, Workers::Two] {
            assert_eq!(floors(Some(StoreKind::Sqlite), workers), (false, false));
        }
    }
}
