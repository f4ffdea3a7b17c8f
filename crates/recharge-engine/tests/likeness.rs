//! Two orders that write the same likeness behave alike, whatever comes.
//!
//! Many lives are led at random, with short times, so that some of them meet: other versions, tokens,
//! epochs and times, and a different past, but the same likeness. From there on the same is done to both,
//! and both must ask for the same and still be alike.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use common::outcomes;
use common::{KEY, new_order, person, provider, route};
use recharge_core::{ProviderId, UpstreamState};
use recharge_engine::order::Viewpoint;
use recharge_engine::{
    Acceptance, Command, Decision, Effect, Epoch, Input, Jitter, Moment, NumberKey, Order, Policy,
    Purpose, SendToken, Times, Verdict, WallTime, step,
};

const TICK: Duration = Duration::from_secs(1);

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

fn policy(kind: u64) -> Policy {
    let (mut first, mut second) = (route("first"), route("second"));
    match kind % 4 {
        0 => {}
        1 => first.failover_after_failure = true,
        2 => (first.can_query, first.callback_counts) = (false, true),
        _ => second.refuses_duplicates = false,
    }
    Policy::new(vec![first, second], times(), NumberKey::new(KEY))
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// What is under way.
#[derive(Clone)]
enum Under {
    Send(u32, SendToken),
    Question(u32, Purpose, Moment),
    Probe(u32, ProviderId, Moment),
}

#[derive(Clone)]
struct Life {
    order: Order,
    /// Ticks of true time, and a place among all moments.
    tick: u64,
    place: u64,
    wall: i64,
    /// The epochs that still run, and when they began.
    clocks: Vec<(u64, u64)>,
    epochs: u64,
    under: Vec<Under>,
    /// What a person has looked at.
    seen: Option<u64>,
    tokens: u128,
    /// How many more times the wall clock may go back.
    jumps: u32,
}

impl Life {
    fn new(dice: &mut Dice) -> Self {
        // Neither the time of day nor the epoch's number may matter.
        let (wall, epochs) = (1_000_000 + dice.roll(1000).cast_signed(), 1 + dice.roll(5));
        let mut life = Self {
            order: Order::accept(Acceptance {
                what: new_order(),
                at: Moment {
                    wall: WallTime::from_millis(wall * 1000),
                    epoch: Epoch(epochs),
                    monotonic: Duration::ZERO,
                },
                held: false,
            }),
            tick: 0,
            place: 0,
            wall,
            clocks: vec![(epochs, 0)],
            epochs,
            under: Vec::new(),
            seen: None,
            tokens: u128::from(dice.roll(1000)),
            jumps: 2,
        };
        life.place = dice.roll(100);
        life
    }

    fn reads(&self, clock: usize) -> Moment {
        let (epoch, began) = self.clocks[clock];
        Moment {
            wall: WallTime::from_millis(self.wall * 1000),
            epoch: Epoch(epoch),
            monotonic: TICK * u32::try_from(self.tick - began).unwrap()
                + Duration::from_nanos(self.place),
        }
    }

    fn likeness(&self, times: &Times) -> u64 {
        let clocks: Vec<_> = (0..self.clocks.len()).map(|at| self.reads(at)).collect();
        let (mut asked, mut tokens) = (Vec::new(), Vec::new());
        let mut out = DefaultHasher::new();
        for under in &self.under {
            match under {
                Under::Send(attempt, token) => {
                    (0, attempt).hash(&mut out);
                    tokens.push(*token);
                }
                Under::Question(attempt, purpose, at) => {
                    (1, attempt, purpose).hash(&mut out);
                    asked.push(*at);
                }
                Under::Probe(attempt, provider, at) => {
                    (2, attempt, provider).hash(&mut out);
                    asked.push(*at);
                }
            }
        }
        // How old a question is, by which clock.
        for asked in &asked {
            let clock = clocks.iter().position(|clock| clock.epoch == asked.epoch);
            let age = clock.map(|at| {
                clocks[at]
                    .monotonic
                    .saturating_sub(asked.monotonic)
                    .as_secs()
                    .min(4)
            });
            let before = clocks.iter().filter(|it| it.epoch < asked.epoch).count();
            (clock, age, before).hash(&mut out);
        }
        let seen: Vec<u64> = self.seen.into_iter().collect();
        let view = Viewpoint {
            times,
            wall: WallTime::from_millis(self.wall * 1000),
            clocks: &clocks,
            asked: &asked,
            tokens: &tokens,
            seen: &seen,
            back: TICK * 5 * self.jumps,
            grain: TICK,
        };
        (seen.len(), self.jumps).hash(&mut out);
        self.order.likeness(&view, &mut out);
        out.finish()
    }

    /// Makes a move; answers what it came to, names of tokens aside.
    fn act(&mut self, policy: &Policy, dice: &mut Dice) -> String {
        self.place += 1;
        match dice.roll(12) {
            0..3 => {
                self.tick += 1;
                self.wall += 1;
                return String::new();
            }
            3 if dice.roll(3) == 0 => return self.begins(policy, dice),
            _ => {}
        }
        let clock = usize::try_from(dice.roll(self.clocks.len() as u64)).unwrap();
        let now = self.reads(clock);
        let jitter = Jitter::default();
        let input = match dice.roll(12) {
            0..4 => {
                if self.order.due().is_none_or(|due| due > now.wall) {
                    return "not due".to_owned();
                }
                self.tokens += 1;
                let token = SendToken(self.tokens);
                Input::Due { token, jitter }
            }
            4..9 if !self.under.is_empty() => {
                let at = usize::try_from(dice.roll(self.under.len() as u64)).unwrap();
                let outcome = match dice.roll(6) {
                    0 => outcomes::charging(),
                    1 => outcomes::succeeded(),
                    2 => outcomes::failed(),
                    3 => outcomes::unavailable(),
                    _ => outcomes::not_found(),
                };
                match self.under.remove(at) {
                    Under::Send(attempt, token) => Input::SubmitEnded {
                        attempt,
                        token,
                        outcome: match dice.roll(4) {
                            0 => outcomes::accepted(),
                            1 => outcomes::rejected(),
                            2 => outcomes::not_sent(),
                            _ => outcomes::unknown(),
                        },
                        jitter,
                    },
                    Under::Question(attempt, purpose, asked) => Input::QueryEnded {
                        attempt,
                        asked,
                        purpose,
                        outcome,
                        jitter,
                    },
                    Under::Probe(attempt, provider, asked) => Input::Probed {
                        attempt,
                        provider,
                        asked,
                        outcome,
                        jitter,
                    },
                }
            }
            9 => Input::Callback {
                attempt: u32::try_from(dice.roll(2)).unwrap(),
                upstream_order_id: None,
                claims: Some(UpstreamState::ALL[usize::try_from(dice.roll(3)).unwrap()]),
                covers_state: dice.roll(2) == 0,
                jitter,
            },
            10 => {
                self.seen = Some(self.order.version());
                return "looked".to_owned();
            }
            _ => {
                let verdict = match dice.roll(6) {
                    0 => Verdict::Succeeded,
                    1 | 2 => Verdict::Failed,
                    3 => Verdict::SendAgain { attempt: 0 },
                    4 => Verdict::Cancel,
                    _ => Verdict::SendElsewhere {
                        provider: provider("second"),
                    },
                };
                let by = person(["ann", "bob"][usize::try_from(dice.roll(2)).unwrap()]);
                Input::Command(Command::Decide(Decision {
                    verdict,
                    by,
                    evidence: "ticket".to_owned(),
                    seen: self.seen.unwrap_or(self.order.version()),
                }))
            }
        };
        self.steps(policy, input, now)
    }

    /// A start, a takeover or a jump of the clock.
    fn begins(&mut self, policy: &Policy, dice: &mut Dice) -> String {
        self.epochs += 1 + dice.roll(1);
        match dice.roll(3) {
            0 => {
                self.clocks.clear();
                self.under.clear();
            }
            1 if self.jumps > 0 => {
                self.jumps -= 1;
                self.wall += [-5, 5][usize::try_from(dice.roll(2)).unwrap()];
            }
            _ => {}
        }
        self.clocks.push((self.epochs, self.tick));
        if self.clocks.len() > 2 {
            let (gone, _) = self.clocks.remove(0);
            self.under.retain(|under| match under {
                Under::Send(..) => true,
                Under::Question(_, _, at) | Under::Probe(_, _, at) => at.epoch.0 != gone,
            });
        }
        let restored = dice.roll(4) == 0;
        let jitter = Jitter::default();
        let now = self.reads(self.clocks.len() - 1);
        self.steps(policy, Input::Recovered { restored, jitter }, now)
    }

    fn steps(&mut self, policy: &Policy, input: Input, now: Moment) -> String {
        let made = match step(policy, &self.order, input, now) {
            Ok(made) => made,
            Err(error) => return std::mem::discriminant(&error).hash_text(),
        };
        self.order = made.order;
        self.place += 1;
        let asked = Moment {
            monotonic: now.monotonic + Duration::from_nanos(1),
            ..now
        };
        let mut told = format!(
            "{:?} due {:?} notices {:?} alarms {:?}",
            self.order.state(),
            self.order
                .due()
                .map(|due| ((due.millis() - self.wall * 1000).max(0) + 999) / 1000),
            made.notices.iter().map(|it| it.state).collect::<Vec<_>>(),
            made.alarms,
        );
        for effect in made.effects {
            let under = match effect {
                Effect::Submit { attempt, token, .. } => Under::Send(attempt, token),
                Effect::Query {
                    attempt, purpose, ..
                } => Under::Question(attempt, purpose, asked),
                Effect::Probe {
                    attempt, provider, ..
                } => Under::Probe(attempt, provider, asked),
                Effect::Quote { .. } => continue,
            };
            told += match &under {
                Under::Send(attempt, _) => format!(" sends {attempt}"),
                Under::Question(attempt, purpose, _) => format!(" asks {attempt} {purpose:?}"),
                Under::Probe(attempt, provider, _) => format!(" probes {attempt} {provider}"),
            }
            .as_str();
            self.under.push(under);
        }
        // So that nothing is older than the questions' ages are told apart.
        self.under.truncate(4);
        told
    }
}

trait HashText {
    fn hash_text(&self) -> String;
}

impl<T: Hash> HashText for T {
    fn hash_text(&self) -> String {
        let mut out = DefaultHasher::new();
        self.hash(&mut out);
        format!("refused {}", out.finish())
    }
}

#[test]
fn orders_of_equal_likeness_behave_alike() {
    let mut met = 0_u32;
    let mut different = 0_u32;
    for kind in 0..4 {
        let policy = policy(kind);
        let mut lives: HashMap<u64, Life> = HashMap::new();
        for seed in 0..400 {
            let mut dice = Dice(seed * 4 + kind);
            let mut life = Life::new(&mut dice);
            for _ in 0..dice.roll(60) {
                life.act(&policy, &mut dice);
                let met_as = life.likeness(&policy.times);
                let Some(other) = lives.get(&met_as) else {
                    lives.insert(met_as, life.clone());
                    continue;
                };
                met += 1;
                let (mut one, mut two) = (life.clone(), other.clone());
                different += u32::from(one.order.version() != two.order.version());
                for on in 0..3 {
                    let future = dice.roll(u64::MAX);
                    let (mut first, mut second) = (Dice(future), Dice(future));
                    let before = (one.clone(), two.clone());
                    for _ in 0..12 {
                        let did = one.act(&policy, &mut first);
                        let other_did = two.act(&policy, &mut second);
                        assert_eq!(
                            did, other_did,
                            "{:#?}\n{:#?}",
                            before.0.order, before.1.order
                        );
                        assert_eq!(
                            one.likeness(&policy.times),
                            two.likeness(&policy.times),
                            "after {did}, {on}:\n{:#?}\n{:#?}",
                            one.order,
                            two.order
                        );
                    }
                }
            }
        }
    }
    assert!(met > 1_000 && different > 500, "{met} {different}");
}
