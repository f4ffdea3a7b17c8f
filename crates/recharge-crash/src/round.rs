//! One round of the command at files of orders: lives that end badly, one that is let alone, and the verdict.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::Result;
use crate::bench::{Bench, Pace};
use crate::life::{Ended, Life};
use crate::schedule::{self, Death, Phase};
use crate::strace::Disk;
use crate::verdict::{self, Known, Verdict};

/// How many new orders each life is given.
const ORDERS_A_LIFE: usize = 6;

/// How long something may take that is bound to come soon.
const SOON: Duration = Duration::from_secs(5);

/// How long the last life may take until every order rests.
const AT_REST: Duration = Duration::from_secs(90);

/// How long the command is stopped: longer than the send deadline and a request may take together.
const STOPPED: Duration = Duration::from_millis(1_800);

/// Everything shortened, so that a round takes seconds. What the simulator does late (2.5 s) lies within
/// the quarantine.
pub(crate) const PACE: Pace = Pace {
    scenario: "
preset = \"hostile\"
settle_after = \"600ms\"

[timings]
timeout_hold = \"1500ms\"
delayed_acceptance = \"2500ms\"
drip_gap = \"10ms\"
repeat_after = \"300ms\"
",
    config: "
[http]
transport = \"hyper\"
connect_timeout = \"500ms\"
timeout = \"1s\"

[lifecycle]
query_after = [\"150ms\", \"300ms\", \"600ms\"]
confirm_failure_after = \"500ms\"
not_found_quarantine = \"3s\"
charging_limit = \"9s\"
unknown_limit = \"9s\"
send_deadline = \"500ms\"
pending_limit = \"20s\"
callback_gap = \"300ms\"
watch_after = [\"2s\"]

[limits]
submits_per_second = 50
",
};

/// What a round tries, beside killing the command in each phase.
pub(crate) const TRIED: [&str; 3] = [STOPS, REFUSED, IN_DOUBT];
const STOPS: &str = "stopped and woken";
const REFUSED: &str = "second processes refused";
const IN_DOUBT: &str = "orders in doubt at a kill";

/// What came of a round.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// Kills that struck, by what the command was doing.
    pub(crate) kills: BTreeMap<Phase, u64>,
    /// What else was tried, how often.
    pub(crate) tried: BTreeMap<&'static str, u64>,
    pub(crate) faults: BTreeMap<String, u64>,
}

struct Round {
    bench: Bench,
    verdict: Verdict,
    kills: BTreeMap<Phase, u64>,
    stops: u64,
    refused: u64,
    in_doubt: u64,
}

/// Plays the round of a seed. Where it is not clean its folder is kept, and named in a complaint.
pub(crate) fn play(recharge: &Path, seed: u64) -> Result<Outcome> {
    let deaths = schedule::deaths(seed);
    let count = ORDERS_A_LIFE * (deaths.len() + 1);
    let mut round = Round {
        bench: Bench::set_up(recharge, PACE, count, seed)?,
        verdict: Verdict::default(),
        kills: BTreeMap::new(),
        stops: 0,
        refused: 0,
        in_doubt: 0,
    };
    for (at, death) in (1..).zip(deaths) {
        round.bench.hand_in(at * ORDERS_A_LIFE)?;
        round.die(death)?;
    }
    round.bench.hand_in(count)?;
    round.rest()?;
    round.bench.upstream.come_to_rest()?;
    round.once_more()?;
    let books = round.bench.books()?;
    let judged = verdict::judge(&Known {
        wanted: &round.bench.wanted,
        acknowledged: &round.bench.acknowledged,
        books: &books,
        told: &round.bench.told()?,
        ledger: &round.bench.upstream.ledger()?,
    });
    let faults = round.bench.upstream.counts()?.faults;
    let mut verdict = round.verdict;
    verdict.add(judged);
    if !verdict.is_clean() {
        let folder = round.bench.keep();
        let note = format!("what is left of it: {}", folder.display());
        verdict.complaints.push(note);
    }
    Ok(Outcome {
        verdict,
        kills: round.kills,
        tried: [
            (STOPS, round.stops),
            (REFUSED, round.refused),
            (IN_DOUBT, round.in_doubt),
        ]
        .into(),
        faults,
    })
}

impl Round {
    /// A life that ends so.
    fn die(&mut self, death: Death) -> Result<()> {
        let begun = Instant::now();
        let before = self.bench.upstream.counts()?;
        let mut life = match death {
            Death::Committing(injection) => {
                let disk = Disk {
                    injection: Some(injection),
                    slow: None,
                };
                Life::begin_with(&self.bench, disk)?
            }
            Death::Starting(_)
            | Death::Submitting(..)
            | Death::Querying(..)
            | Death::Anywhere(_)
            | Death::Stopped(..) => Life::begin(&self.bench)?,
        };
        let upstream = &self.bench.upstream;
        let submits = |n: u64| {
            let wanted = before.submits + n;
            move || Ok(upstream.counts()?.submits >= wanted)
        };
        let queries = |n: u64| {
            let wanted = before.queries + n;
            move || Ok(upstream.counts()?.queries >= wanted)
        };
        let (phase, reached, ended) = match death {
            Death::Starting(after) => {
                thread::sleep(after.saturating_sub(begun.elapsed()));
                let ended = life.kill()?;
                (Phase::Starting, ended.acknowledged.is_empty(), ended)
            }
            Death::Anywhere(after) => {
                thread::sleep(after.saturating_sub(begun.elapsed()));
                (Phase::Anywhere, true, life.kill()?)
            }
            Death::Submitting(n, after) => {
                let reached = life.until(SOON, submits(n))?;
                thread::sleep(after);
                (Phase::Submitting, reached, life.kill()?)
            }
            Death::Querying(n, after) => {
                let reached = life.until(SOON, queries(n))?;
                thread::sleep(after);
                (Phase::Querying, reached, life.kill()?)
            }
            Death::Committing(_) => {
                let ended = life.end(SOON)?;
                // Later it was killed by us: there was no such call.
                let reached = begun.elapsed() < SOON;
                (Phase::Committing, reached, ended)
            }
            Death::Stopped(n, after) => {
                let reached = life.until(SOON, submits(n))?;
                if reached {
                    life.signal(Signal::STOP)?;
                    let refused = refused(&self.bench)?;
                    thread::sleep(STOPPED);
                    life.signal(Signal::CONT)?;
                    self.stops += 1;
                    match refused {
                        Ok(()) => self.refused += 1,
                        Err(complaint) => self.verdict.broken(complaint),
                    }
                }
                thread::sleep(after);
                (Phase::Anywhere, true, life.kill()?)
            }
        };
        if reached && ended.was_killed() {
            *self.kills.entry(phase).or_default() += 1;
        }
        self.note(ended);
        self.in_doubt += self.bench.books()?.submitting();
        Ok(())
    }

    /// A life that is let alone until every order rests.
    fn rest(&mut self) -> Result<()> {
        let ended = Life::begin(&self.bench)?.end(AT_REST)?;
        if !ended.status.success() {
            let said = &ended.said;
            let complaint = format!("the last life ended with {}: {said}", ended.status);
            self.verdict.broken(complaint);
        }
        self.note(ended);
        Ok(())
    }

    /// When all is done, doing it again does nothing.
    fn once_more(&mut self) -> Result<()> {
        let submits = self.bench.upstream.counts()?.submits;
        self.rest()?;
        let again = self.bench.upstream.counts()?.submits - submits;
        if again > 0 {
            let complaint = format!("{again} submits were made when every order had come to rest");
            self.verdict.broken(complaint);
        }
        Ok(())
    }

    fn note(&mut self, ended: Ended) {
        if !ended.was_killed() && ended.status.code().is_none() {
            let complaint = format!("it ended with {}: {}", ended.status, ended.said);
            self.verdict.broken(complaint);
        }
        if ended.said.contains("panicked") {
            self.verdict.broken(format!("it panicked: {}", ended.said));
        }
        self.bench.acknowledged.extend(ended.acknowledged);
    }
}

/// A second process on a file that is in use is refused, and says why.
fn refused(bench: &Bench) -> Result<std::result::Result<(), String>> {
    let second = Life::begin(bench)?.end(SOON)?;
    let code = second.status.code();
    let says_why = second.said.contains("in use by another process");
    Ok(match code {
        Some(1..) if says_why && second.acknowledged.is_empty() => Ok(()),
        _ => Err(format!(
            "a second process on the same file ended with {}, acknowledged {}, and said: {}",
            second.status,
            second.acknowledged.len(),
            second.said
        )),
    })
}
