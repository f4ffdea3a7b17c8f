//! What the judge sees on the wire.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use recharge_sim::Upstream;

use super::Judge;
use super::evidence::End;
use super::file::Intent;
use crate::executor::{Executor, Process};

/// What was sent under one number.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// The bytes of the first submit to each upstream.
    first: Vec<(Upstream, Vec<u8>)>,
    /// When each upstream was asked about it, in the last minute and in the last hour.
    asked: BTreeMap<Upstream, (Recent, Recent)>,
    /// When each question about it left.
    left: BTreeSet<(Upstream, Duration)>,
}

impl Packets {
    /// Forgets how often it was asked about lately.
    pub(super) fn asks_anew(&mut self) {
        self.asked.clear();
    }
}

/// When something happened lately.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Duration>);

impl Recent {
    /// Counts one, and answers how many there were in that while.
    fn count(&mut self, now: Duration, lately: Duration) -> usize {
        self.0.push_back(now);
        while self
            .0
            .front()
            .is_some_and(|at| now.saturating_sub(*at) > lately)
        {
            self.0.pop_front();
        }
        self.0.len()
    }
}

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
/// How often one number may be asked about in a minute without any occasion: five times by the schedule
/// in its first minute, by two workers of which one has not noticed yet that it lost its lease, and once
/// for the attempt that is sent after it.
const ASKED_IN_A_MINUTE: usize = 12;
/// How often in an hour: eight times by the schedule in its first one, and the rest as above. Each occasion may
/// begin the schedule anew.
const ASKED_IN_AN_HOUR: usize = 24;

impl Judge {
    /// Bytes are about to leave, whatever they ask for.
    pub(crate) fn sends(&mut self, bytes: &[u8]) {
        // What is signed with is never sent.
        for secret in crate::lab::SIGNED_WITH {
            let mut windows = bytes.windows(secret.len());
            if windows.any(|window| window == secret.as_bytes()) {
                self.violated(14, format!("{secret:.4}…, which only signs, is sent"));
            }
        }
    }

    /// The first byte of a submit is about to leave.
    pub(crate) fn submits(
        &mut self,
        executor: &Executor,
        process: Process,
        upstream: Upstream,
        number: &str,
        bytes: &[u8],
    ) {
        let packets = self.sent.entry(number.to_owned()).or_default();
        let first = packets.first.iter().find(|(to, _)| *to == upstream);
        let other = first.is_some_and(|(_, first)| first != bytes);
        if first.is_none() {
            packets.first.push((upstream, bytes.to_vec()));
        }
        if other {
            self.violated(4, format!("number {number} is sent again with other bytes"));
        }
        let now = executor.monotonic(process);
        let within = self.times.send_deadline;
        let mut complaints = Vec::new();
        let intents = self
            .files
            .values_mut()
            .flat_map(|file| file.intents.iter_mut());
        let mut last = None;
        for intent in intents.filter(|it| it.number == number) {
            // Its own, as long as that may be carried out; or else whatever came last.
            let own = |it: &Intent| it.by == process && it.is_open();
            if own(intent) || !last.as_deref().is_some_and(own) {
                last = Some(intent);
            }
        }
        if let Some(intent) = last {
            if intent.by != process {
                complaints.push((5, "by a worker that did not write the intent"));
            }
            if intent.used {
                complaints.push((5, "twice for one intent"));
            }
            intent.used = true;
            if now.saturating_sub(intent.at) > within {
                complaints.push((3, "after the deadline of its intent"));
            }
            if intent.ended.is_some_and(|end| end != End::Unknown) {
                complaints.push((3, "after its end is written down"));
            }
        } else {
            complaints.push((3, "without a durable intent"));
        }
        for (invariant, how) in complaints {
            self.violated(invariant, format!("number {number} is sent {how}"));
        }
    }

    /// A worker has the acknowledgement of a submit in hand.
    pub(crate) fn is_acknowledged_to(&mut self, process: Process, number: &str, now: Duration) {
        let intents = self.files.values_mut().flat_map(|it| &mut it.intents);
        let mut its = intents.filter(|it| it.by == process && it.number == number && it.used);
        if let Some(intent) = its.next_back() {
            intent.acknowledged = Some(now);
        }
    }

    /// A worker stands still.
    pub(crate) fn stands(&mut self, from: Duration, until: Duration) {
        let from = self
            .stood
            .last()
            .map_or(from, |(_, before)| from.max(*before));
        if from < until {
            self.stood.push((from, until));
        }
    }

    /// Whether a question about a number left in that while.
    pub(super) fn has_asked(
        &self,
        provider: &str,
        number: &str,
        (asked, heard): (Duration, Duration),
    ) -> bool {
        let left = self.sent.get(number).map(|packets| &packets.left);
        left.zip(Upstream::parse(provider))
            .is_some_and(|(left, upstream)| {
                let within = (upstream, asked)..=(upstream, heard);
                left.range(within).next().is_some()
            })
    }

    /// For how long workers stood still in that while.
    pub(super) fn stood_between(&self, from: Duration, to: Duration) -> Duration {
        stood_between(&self.stood, from, to)
    }

    /// A question about a number is about to leave.
    pub(crate) fn asks(
        &mut self,
        process: Process,
        upstream: Upstream,
        number: &str,
        now: Duration,
    ) {
        let packets = self.sent.entry(number.to_owned()).or_default();
        packets.left.insert((upstream, now));
        let asked = packets.asked.entry(upstream).or_default();
        let (asked, in_an_hour) = (asked.0.count(now, MINUTE), asked.1.count(now, HOUR));
        let owner = self.owners.get(number);
        let file = owner.and_then(|name| self.by_name.get(name));
        let file = file.and_then(|key| self.files.get_mut(key));
        let mut occasions = 0;
        // A number that nobody has sent is only asked about by a hold, in rounds of its own.
        let mut most_in_an_hour = None;
        if let Some(file) = file {
            file.asked_since_end += u32::from(file.ended_at.is_some());
            // What an occasion asks for may wait a while at the gate of its provider, and for as long as its worker
            // stands still.
            let within = |window: Duration| {
                let lately = |at: &&Duration| {
                    now.saturating_sub(**at + stood_between(&self.stood, **at, now)) <= window
                };
                file.occasions.iter().filter(lately).count()
            };
            if asked > ASKED_IN_A_MINUTE {
                occasions = within(2 * MINUTE);
            }
            if in_an_hour > ASKED_IN_AN_HOUR {
                most_in_an_hour = Some(ASKED_IN_AN_HOUR * (1 + within(2 * HOUR)));
            }
        }
        if asked > ASKED_IN_A_MINUTE + occasions {
            let what = format!("number {number} is asked about {asked} times in a minute");
            self.violated(15, what);
        }
        if most_in_an_hour.is_some_and(|most| in_an_hour > most) {
            let what = format!("number {number} is asked about {in_an_hour} times in an hour");
            self.violated(15, what);
        }
        // Twice what the rate lets through, because a clock that jumps begins it anew.
        let most = usize::try_from(self.queries_per_second)
            .unwrap_or(usize::MAX)
            .saturating_mul(20);
        let rate = self.rates.entry((process, upstream)).or_default();
        let lately = rate.count(now, Duration::from_secs(10));
        if lately > most.saturating_add(2) {
            let what = format!("{upstream} is asked {lately} times in ten seconds by one worker");
            self.violated(15, what);
        }
    }
}

fn stood_between(stood: &[(Duration, Duration)], from: Duration, to: Duration) -> Duration {
    let overlaps = stood
        .iter()
        .map(|(begins, ends)| to.min(*ends).saturating_sub(from.max(*begins)));
    overlaps.sum()
}
