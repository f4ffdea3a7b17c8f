//! The engine against an upstream with a ledger, through lost answers, late packets, crashes, clock
//! jumps, callbacks and people. The verdict comes from the ledger alone.

use std::time::Duration;

use proptest::prelude::*;
use recharge_core::{
    AttemptNumber, OrderState, ProviderId, ReviewReason, SubmitOutcome, UpstreamState,
};
use recharge_engine::{Effect, Event, Policy, Price, Purpose, Verdict};

use crate::common::outcomes::{accepted, not_sent, rejected, unavailable, unknown};
use crate::common::{Case, HOUR, Sending, policy, provider, route, story};
use crate::upstream::{Fare, Upstream};

/// What happens of itself, at a true time.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Restart,
    Jump(i64),
    Callback(u32, UpstreamState),
    /// A worker that lost its lease reports at last.
    Report(Sending, Told),
    Backup,
    /// The machine is lost, and the backup restored: what the order has been through since then, only the
    /// upstream knows.
    Restore,
}

#[derive(Debug, Clone, Copy)]
enum Told {
    Accepted,
    Rejected,
    NotSent,
    Unknown,
}

impl Told {
    fn outcome(self) -> SubmitOutcome {
        match self {
            Self::Accepted => accepted(),
            Self::Rejected => rejected(),
            Self::NotSent => not_sent(),
            Self::Unknown => unknown(),
        }
    }
}

struct World {
    seed: u64,
    case: Case,
    upstream: Upstream,
    /// True time.
    now: Duration,
    happenings: Vec<(Duration, Happening)>,
    callbacks: bool,
    faults: bool,
    backup: Option<Case>,
    /// How many sends people have allowed that no log knows of any more.
    lost_permits: u32,
    sends: u64,
    questions: u64,
    decisions: u64,
}

impl World {
    fn new(seed: u64, policy: Policy, callbacks: bool) -> Self {
        let mut case = Case::with(policy);
        case.latency = Duration::ZERO;
        let mut world = Self {
            seed,
            case,
            upstream: Upstream::default(),
            now: Duration::ZERO,
            happenings: Vec::new(),
            callbacks,
            faults: true,
            backup: None,
            lost_permits: 0,
            sends: 0,
            questions: 0,
            decisions: 0,
        };
        for n in 0..world.dice("happenings", 0) % 8 {
            let at = Duration::from_secs(world.dice("when", n) % 9_000);
            let happening = match world.dice("what", n) % 5 {
                0 => Happening::Restart,
                1 => Happening::Jump(
                    (world.dice("jump", n) % 200_000_000).cast_signed() - 100_000_000,
                ),
                2 => Happening::Callback(0, UpstreamState::Failed),
                3 => Happening::Callback(1, UpstreamState::Succeeded),
                _ => Happening::Callback(0, UpstreamState::Succeeded),
            };
            world.happenings.push((at, happening));
        }
        if world.dice("backup", 0).is_multiple_of(2) {
            let most = [30, 300, 9_000][(world.dice("backup", 1) % 3) as usize];
            let backup = world.dice("backup", 2) % most;
            let lost = backup + world.dice("backup", 3) % 9_000;
            for (at, happening) in [(backup, Happening::Backup), (lost, Happening::Restore)] {
                let at = Duration::from_secs(at);
                world.happenings.push((at, happening));
            }
        }
        world
    }

    /// The same number for the same question in the same world, whatever else has happened.
    fn dice(&self, what: &str, n: u64) -> u64 {
        let mut z = self.seed ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in what.bytes() {
            z = (z ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            z ^= z >> 29;
        }
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn wait(&mut self, by: Duration) {
        self.now += by;
        self.case.advance(by);
    }

    /// Lets the next thing happen: something of itself, or the order's due time.
    fn next(&mut self) {
        let due = self.case.due_in();
        let soonest = (0..self.happenings.len()).min_by_key(|at| self.happenings[*at].0);
        let next = soonest.filter(|at| {
            let in_ = self.happenings[*at].0.saturating_sub(self.now);
            due.is_none_or(|due| in_ <= due)
        });
        if let Some(at) = next {
            let (when, happening) = self.happenings.remove(at);
            self.wait(when.saturating_sub(self.now));
            self.happens(happening);
        } else if let Some(due) = due {
            self.wait(due);
            let effects = self.case.due_now();
            self.carry_out(effects);
        } else {
            self.wait(HOUR);
        }
        self.judge();
    }

    fn happens(&mut self, happening: Happening) {
        let effects = match happening {
            Happening::Restart => self.case.restart(),
            Happening::Jump(millis) => self.case.jump(millis),
            Happening::Callback(attempt, claims) if self.callbacks => {
                self.case.callback(attempt, claims)
            }
            Happening::Callback(..) => Vec::new(),
            Happening::Report(send, told) => self.case.send_reported(send, told.outcome()),
            Happening::Backup => {
                self.backup = Some(self.case.clone());
                Vec::new()
            }
            Happening::Restore => self.restore(),
        };
        self.carry_out(effects);
    }

    fn restore(&mut self) -> Vec<Effect> {
        let Some(backup) = self.backup.take() else {
            return Vec::new();
        };
        let (now, tokens) = (self.case.now, self.case.tokens);
        let known = backup.order.permitted_sends();
        self.lost_permits += self.case.order.permitted_sends() - known;
        self.case = backup;
        (self.case.now, self.case.tokens) = (now, tokens);
        self.case.restore()
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Submit {
                    attempt,
                    number,
                    provider,
                    token,
                    ..
                } => {
                    self.case.sends.clear();
                    self.send(Sending { attempt, token }, &provider, number);
                }
                Effect::Query {
                    attempt: _,
                    number,
                    provider,
                    purpose,
                } => self.ask(&provider, number, purpose),
                Effect::Probe {
                    number, provider, ..
                } => self.probe(&provider, number),
                Effect::Quote { provider } => self.quote(provider),
            }
        }
    }

    fn send(&mut self, send: Sending, provider: &ProviderId, number: AttemptNumber) {
        let n = self.sends;
        self.sends += 1;
        let refuses = self
            .case
            .policy
            .route(provider)
            .is_some_and(|route| route.refuses_duplicates);
        let fare = Fare {
            hidden: Duration::from_secs(self.dice("hidden", n) % 120),
            takes: Duration::from_secs(
                self.dice("takes", n) % [60, 3_000, 200_000][(n % 3) as usize],
            ),
            pays: !self.dice("pays", n).is_multiple_of(3),
        };
        let late = Duration::from_secs(self.dice("late", n) % 45);
        let arrive =
            |world: &mut Self, at| world.upstream.arrives(provider, number, at, fare, refuses);
        // What the packet meets, and what its sender would tell of it.
        let meets = if self.faults {
            self.dice("fate", n) % 12
        } else {
            11
        };
        let told = match meets {
            0 | 1 => Told::NotSent,
            // Lost on its way.
            2 => Told::Unknown,
            // Taken after its sender gave up.
            3 | 4 => {
                let at = self.now + late;
                arrive(self, at);
                Told::Unknown
            }
            // Refused without a look; a repeated packet is refused like any other.
            5 | 6 => Told::Rejected,
            7 | 8 => {
                let at = self.now;
                arrive(self, at);
                Told::Unknown
            }
            _ => {
                let at = self.now;
                if arrive(self, at) {
                    Told::Accepted
                } else {
                    // 10014 and the like: on some list, and no proof.
                    Told::Rejected
                }
            }
        };
        match if self.faults {
            self.dice("reported", n) % 8
        } else {
            7
        } {
            0 => self.crash(),
            1 => {
                self.crash();
                let at = self.now + Duration::from_secs(self.dice("report", n) % 5_000);
                self.happenings.push((at, Happening::Report(send, told)));
            }
            _ => {
                self.wait(Duration::from_secs(self.dice("latency", n) % 30));
                let effects = self.case.send_reported(send, told.outcome());
                self.carry_out(effects);
            }
        }
    }

    fn crash(&mut self) {
        let effects = self.case.restart();
        self.carry_out(effects);
    }

    fn ask(&mut self, provider: &ProviderId, number: AttemptNumber, purpose: Purpose) {
        let asked = self
            .case
            .queries
            .pop_back()
            .expect("the question is under way");
        let truth = self.upstream.says(provider, number, self.now);
        let effects = if purpose == Purpose::Callback {
            self.case.answered(asked, truth)
        } else {
            let n = self.questions;
            self.questions += 1;
            let lost = self.faults && self.dice("lost", n).is_multiple_of(4);
            if lost && self.dice("crash", n).is_multiple_of(8) {
                return self.crash();
            }
            self.wait(Duration::from_millis(self.dice("answer", n) % 9_000));
            let answer = if lost { unavailable() } else { truth };
            self.case.answered(asked, answer)
        };
        self.carry_out(effects);
    }

    fn probe(&mut self, provider: &ProviderId, number: AttemptNumber) {
        let asked = self.case.probes.pop_back().expect("it is being probed");
        let n = self.questions;
        self.questions += 1;
        let lost = self.faults && self.dice("lost", n).is_multiple_of(4);
        let truth = self.upstream.says(provider, number, self.now);
        self.wait(Duration::from_millis(self.dice("answer", n) % 9_000));
        let answer = if lost { unavailable() } else { truth };
        let effects = self.case.probed(asked, answer);
        self.carry_out(effects);
    }

    fn quote(&mut self, provider: ProviderId) {
        let n = self.questions;
        self.questions += 1;
        self.case.quotes.clear();
        let price = match self.dice("price", n) % 4 {
            0 if self.faults => Price::Unavailable("timeout".to_owned()),
            1 => Price::Known("120".parse().unwrap()),
            2 => Price::NoQuote,
            _ => Price::Known("99.5".parse().unwrap()),
        };
        let effects = self.case.priced(provider, price);
        self.carry_out(effects);
    }

    /// Two people may let an order out of "probably not taken".
    fn people(&mut self) {
        if self.case.state() != OrderState::Review(ReviewReason::ProbablyNotTaken) {
            return;
        }
        self.decisions += 1;
        let last = u32::try_from(self.case.order.attempts().len()).unwrap() - 1;
        let verdict = match self.dice("people", self.decisions) % 3 {
            0 => return,
            1 => Verdict::SendAgain { attempt: last },
            _ => Verdict::SendElsewhere {
                provider: provider("second"),
            },
        };
        for by in ["ann", "bob"] {
            if self.case.decide(verdict.clone(), by).is_err() {
                return;
            }
        }
    }

    /// What the ledger says of what the engine has done.
    fn judge(&self) {
        let charges = self.upstream.charges(self.now);
        let permitted = self.lost_permits + self.case.order.permitted_sends();
        assert!(
            charges <= 1 + permitted,
            "charged {charges} times: {}",
            story(&self.case.log)
        );
        match self.case.state() {
            OrderState::Failed => assert!(
                !self.upstream.could_charge(self.now),
                "called failed, and charged: {}",
                story(&self.case.log)
            ),
            OrderState::Succeeded => assert!(
                self.upstream.paid(self.now),
                "called succeeded, and not charged: {}",
                story(&self.case.log)
            ),
            OrderState::Review(ReviewReason::Contradiction) => {
                panic!(
                    "an honest upstream contradicts nothing: {}",
                    story(&self.case.log)
                )
            }
            OrderState::Pending
            | OrderState::Submitting
            | OrderState::Charging
            | OrderState::Unknown
            | OrderState::Review(_) => {}
        }
    }

    /// Runs through the faults, and then on without any for long enough.
    fn run(&mut self) {
        for _ in 0..60 {
            self.next();
            self.people();
        }
        self.faults = false;
        while self
            .happenings
            .iter()
            .any(|(_, h)| !matches!(h, Happening::Callback(..)))
        {
            self.next();
        }
        self.happenings.clear();
        let until = self.now + 9 * 24 * HOUR;
        let mut steps = 0;
        while self.now < until {
            steps += 1;
            assert!(
                steps < 2_000,
                "questions without end: {}",
                story(&self.case.log)
            );
            self.next();
        }
    }
}

fn routes(kind: u64) -> Policy {
    let mut first = route("first");
    let mut second = route("second");
    match kind % 6 {
        5 => {
            let ceiling = Some("100".parse().unwrap());
            (first.price_ceiling, second.price_ceiling) = (ceiling, ceiling);
        }
        0 => return policy(vec![first]),
        1 => {}
        2 => first.failover_after_failure = true,
        3 => second.can_query = false,
        _ => {
            first.refuses_duplicates = false;
            second.failover_after_failure = true;
        }
    }
    policy(vec![first, second, route("third")])
}

proptest! {
    #[test]
    fn nobody_is_charged_twice_and_nothing_is_lost(seed: u64, kind in 0_u64..6) {
        let mut world = World::new(seed, routes(kind), true);
        world.run();
        let state = world.case.state();
        prop_assert!(
            state.is_end() || matches!(state, OrderState::Review(_)),
            "{state:?} after nine quiet days"
        );
        let askable = world.case.order.attempts().iter().all(|attempt| {
            world.case.policy.route(attempt.provider()).is_some_and(|route| route.can_query)
        });
        // What was lost with the machine at a provider that can't be asked, only people can find out.
        let lost = happened(&world, |event| *event == Event::Held)
            && world.case.policy.routes.iter().any(|route| !route.can_query);
        if world.upstream.paid(world.now) && askable && !lost {
            prop_assert_eq!(state, OrderState::Succeeded, "{}", story(&world.case.log));
        }
    }

    /// Adding callbacks changes no end.
    #[test]
    fn with_and_without_callbacks_the_end_is_the_same(seed: u64, kind in 0_u64..6) {
        let mut with = World::new(seed, routes(kind), true);
        let mut without = World::new(seed, routes(kind), false);
        with.run();
        without.run();
        let sooner = with.case.state() == OrderState::Succeeded;
        prop_assert!(
            with.case.state() == without.case.state()
                || sooner && matches!(without.case.state(), OrderState::Review(_)),
            "{:?} and {:?}", with.case.state(), without.case.state()
        );
    }
}

/// A provider that reverses itself: the engine can't prevent it, and finds it at the next asking.
#[test]
fn a_provider_that_pays_after_failing_is_found_out_at_the_next_asking() {
    for asking in 0..6 {
        let mut case = Case::new().sent(accepted());
        case.round(crate::common::outcomes::failed());
        case.round(crate::common::outcomes::failed());
        for _ in 0..asking {
            case.round(crate::common::outcomes::failed());
            assert_eq!(case.state(), OrderState::Failed);
        }
        case.round(crate::common::outcomes::succeeded());
        assert_eq!(
            case.state(),
            OrderState::Review(ReviewReason::Contradiction)
        );
        assert_eq!(case.alarms.len(), 1);
        assert_eq!(case.notices.len(), 2);
    }
}

fn happened(world: &World, wanted: impl Fn(&Event) -> bool) -> bool {
    world
        .case
        .log
        .iter()
        .any(|recorded| wanted(&recorded.event))
}

/// The worlds do reach what they are meant to test.
#[test]
fn the_worlds_reach_every_end_and_every_kind_of_trouble() {
    let mut seen = [0_u32; 11];
    for seed in 0..400 {
        let mut world = World::new(seed, routes(seed), true);
        world.run();
        let order = &world.case.order;
        let review = |wanted| {
            let to = OrderState::Review(wanted);
            world.case.moves().iter().any(|(_, state, _)| *state == to)
        };
        let marks = [
            order.state() == OrderState::Succeeded,
            order.state() == OrderState::Failed,
            review(ReviewReason::ProbablyNotTaken),
            review(ReviewReason::Overdue),
            review(ReviewReason::EarlierAttempt),
            order.attempts().len() > 1,
            order.permitted_sends() > 0,
            happened(&world, |event| *event == Event::Held),
            happened(&world, |event| matches!(event, Event::Adopted { .. })),
            // After a hold that found nothing.
            happened(&world, |event| *event == Event::Held)
                && happened(&world, |event| matches!(event, Event::Probed { .. }))
                && matches!(order.state(), OrderState::Succeeded),
            happened(&world, |event| {
                matches!(event, Event::Priced { passes: false, .. })
            }),
        ];
        for (count, mark) in seen.iter_mut().zip(marks) {
            *count += u32::from(mark);
        }
    }
    assert!(seen.iter().all(|count| *count > 5), "{seen:?}");
}
