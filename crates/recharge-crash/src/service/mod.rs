//! One round of the command as a service: a shop that goes on placing orders over HTTP while the service is
//! killed, told to stop and started again, and the verdict.
//!
//! | module | what it holds |
//! |---|---|
//! | `deaths` | how the service is to end in a round |
//! | `shop` | the clients |
//! | `answers` | what they were answered, and whether the service kept to it |

mod answers;
mod deaths;
mod shop;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rustix::process::Signal;
use serde_json::Value;

use self::answers::Answers;
use self::deaths::Death;
use self::shop::{Closing, Errand, Keys, Shop};
use crate::Result;
use crate::bench::Bench;
use crate::books::Books;
use crate::http::Reserved;
use crate::life::{Ended, Life, MASTER_KEY};
use crate::round::{Outcome, PACE};
use crate::schedule::Phase;
use crate::strace::{Call, Disk};
use crate::verdict::{self, Known, Verdict};

/// How many new orders the shop has for each life.
const ORDERS_A_LIFE: usize = 6;

/// How many of its clients call at a time.
const CLIENTS: usize = 6;

/// How long something may take that is bound to come soon.
const SOON: Duration = Duration::from_secs(5);

/// How long the service may take to stop: a call to an upstream that is under way ends first.
const STOPS: Duration = Duration::from_secs(20);

/// How long the last life may take until every order rests.
const AT_REST: Duration = Duration::from_secs(90);

/// How soon orders that have not come to rest are looked up again.
const BETWEEN_LOOKS: Duration = Duration::from_millis(400);

/// How soon it is looked again whether something holds.
const LOOK: Duration = Duration::from_millis(4);

/// What a round tries, beside killing the service in each phase.
pub(crate) const TRIED: [&str; 6] = [TOLD, IN_DOUBT, REPEATS, CLASHES, BROKEN, CALLBACKS];
const TOLD: &str = "told to stop, and did";
const IN_DOUBT: &str = "orders in doubt at a kill";
const REPEATS: &str = "repeats answered";
const CLASHES: &str = "other orders under the same id refused";
const BROKEN: &str = "requests broken off";
const CALLBACKS: &str = "callbacks confirmed";

struct Round<'a> {
    bench: &'a Bench,
    shop: &'a Shop<'a>,
    rng: ChaCha8Rng,
    verdict: Verdict,
    kills: BTreeMap<Phase, u64>,
    tried: BTreeMap<&'static str, u64>,
}

/// Plays the round of a seed. Where it is not clean its folder is kept, and named in a complaint.
pub(crate) fn play(recharge: &Path, seed: u64) -> Result<Outcome> {
    let deaths = deaths::deaths(seed);
    let count = ORDERS_A_LIFE * (deaths.len() + 1);
    let reserved = Reserved::take()?;
    let bench = Bench::with_service(recharge, PACE, count, seed, Some(reserved.address))?;
    let shop = Shop::new(reserved.address, keys(&bench)?, &bench.wanted);
    let played = thread::scope(|scope| {
        let closing = Closing(&shop);
        for _ in 0..CLIENTS {
            scope.spawn(|| shop.work());
        }
        let round = Round {
            bench: &bench,
            shop: &shop,
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x5409),
            verdict: Verdict::default(),
            kills: BTreeMap::new(),
            tried: BTreeMap::new(),
        };
        let played = round.play(deaths);
        drop(closing);
        played
    });
    let mut outcome = match played {
        Ok(outcome) => outcome,
        Err(error) => {
            let folder = bench.keep();
            return Err(format!("{error}; what is left of it: {}", folder.display()).into());
        }
    };
    if !outcome.verdict.is_clean() {
        let note = format!("what is left of it: {}", bench.keep().display());
        outcome.verdict.complaints.push(note);
    }
    Ok(outcome)
}

impl Round<'_> {
    fn play(mut self, deaths: Vec<Death>) -> Result<Outcome> {
        for (at, death) in deaths.into_iter().enumerate() {
            self.hand_in(at);
            self.die(death)?;
        }
        let lives = self.bench.wanted.len() / ORDERS_A_LIFE;
        self.hand_in(lives - 1);
        self.rest()?;
        let shop = self.shop;
        let books = self.bench.books()?;
        let counts = self.bench.upstream.counts()?;
        let answers = shop.answers();
        let told = self.told(&answers, &books);
        let judged = verdict::judge(&Known {
            wanted: &self.bench.wanted,
            acknowledged: &answers.acknowledged(),
            books: &books,
            told: &told,
            ledger: &self.bench.upstream.ledger()?,
        });
        self.verdict.add(judged);
        for complaint in answers.lost.values() {
            self.verdict.lost(complaint.clone());
        }
        for complaint in &answers.complaints {
            self.verdict.broken(complaint);
        }
        for (what, n) in [
            (REPEATS, answers.repeats),
            (CLASHES, answers.clashes),
            (BROKEN, answers.broken),
            (CALLBACKS, counts.callbacks),
        ] {
            self.tried.insert(what, n);
        }
        drop(answers);
        Ok(Outcome {
            verdict: self.verdict,
            kills: self.kills,
            tried: self.tried,
            faults: counts.faults,
        })
    }

    /// New orders, some of them twice, and something about those that were placed before.
    fn hand_in(&mut self, life: usize) {
        let new = life * ORDERS_A_LIFE..(life + 1) * ORDERS_A_LIFE;
        let mut errands = Vec::new();
        for at in new.clone() {
            errands.push(Errand::Place(at));
            // Two clients, at the same time.
            if self.rng.random_range(0..3) == 0 {
                errands.push(Errand::Place(at));
            }
            let placed = self.rng.random_range(0..new.end);
            errands.push(match self.rng.random_range(0..4) {
                0 => Errand::Place(placed),
                1 => Errand::Clash(placed),
                _ => Errand::Look(placed),
            });
        }
        self.shop.hand_in(errands);
    }

    /// A life that ends so.
    fn die(&mut self, death: Death) -> Result<()> {
        let begun = Instant::now();
        let (bench, shop) = (self.bench, self.shop);
        let before = bench.upstream.counts()?;
        let answered = shop.answers().answered;
        let disk = match death {
            Death::Committing(injection) => Some(Disk {
                injection: Some(injection),
                slow: None,
            }),
            Death::Slow(_) => Some(Disk {
                injection: None,
                slow: Some(Call::Write),
            }),
            Death::Starting(_)
            | Death::Answering(..)
            | Death::Submitting(..)
            | Death::Querying(..)
            | Death::Anywhere(_)
            | Death::Stopping(..)
            | Death::Told(_) => None,
        };
        let mut life = Life::serve(bench, disk)?;
        let answers = |n: u64| move || Ok(shop.answers().answered >= answered + n);
        let (phase, reached, ended) = match death {
            Death::Starting(after) => {
                thread::sleep(after.saturating_sub(begun.elapsed()));
                let starting = !life.serves();
                (Phase::Starting, starting, life.kill()?)
            }
            Death::Slow(n) => {
                let reached = life.until(SOON, answers(n))?;
                (Phase::Answering, reached, life.kill()?)
            }
            Death::Answering(n, after) => {
                let reached = life.until(SOON, answers(n))?;
                thread::sleep(after);
                (Phase::Answering, reached, life.kill()?)
            }
            Death::Submitting(n, after) => {
                let submits = || Ok(bench.upstream.counts()?.submits >= before.submits + n);
                let reached = life.until(SOON, submits)?;
                thread::sleep(after);
                (Phase::Submitting, reached, life.kill()?)
            }
            Death::Querying(n, after) => {
                let queries = || Ok(bench.upstream.counts()?.queries >= before.queries + n);
                let reached = life.until(SOON, queries)?;
                thread::sleep(after);
                (Phase::Querying, reached, life.kill()?)
            }
            Death::Committing(_) => {
                let ended = life.end(SOON)?;
                // Later it was killed by us: there was no such call.
                (Phase::Committing, begun.elapsed() < SOON, ended)
            }
            Death::Anywhere(after) => {
                thread::sleep(after.saturating_sub(begun.elapsed()));
                (Phase::Anywhere, true, life.kill()?)
            }
            Death::Stopping(n, after) => {
                let reached = life.until(SOON, answers(n))?;
                life.signal(Signal::TERM)?;
                thread::sleep(after);
                (Phase::Stopping, reached, life.kill()?)
            }
            Death::Told(n) => {
                let reached = life.until(SOON, answers(n))?;
                self.stop(life)?;
                *self.tried.entry(TOLD).or_default() += u64::from(reached);
                return Ok(());
            }
        };
        if reached && ended.was_killed() {
            *self.kills.entry(phase).or_default() += 1;
        }
        self.note(&ended);
        *self.tried.entry(IN_DOUBT).or_default() += bench.books()?.submitting();
        Ok(())
    }

    /// Tells a life to stop, which it must do by itself.
    fn stop(&mut self, life: Life) -> Result<()> {
        life.signal(Signal::TERM)?;
        let ended = life.end(STOPS)?;
        self.note(&ended);
        if !ended.status.success() {
            let (status, said) = (ended.status, &ended.said);
            let complaint = format!("told to stop, it ended with {status}: {said}");
            self.verdict.broken(complaint);
        }
        Ok(())
    }

    /// A life that is let alone until every order rests; then one in which everything is done again, which
    /// must do nothing.
    fn rest(&mut self) -> Result<()> {
        let life = Life::serve(self.bench, None)?;
        wait("the shop's last errands", AT_REST, || {
            Ok(self.shop.is_idle())
        })?;
        self.look_up()?;
        self.bench.upstream.come_to_rest()?;
        self.stop(life)?;
        let before = self.bench.upstream.counts()?.submits;
        let life = Life::serve(self.bench, None)?;
        let all = 0..self.bench.wanted.len();
        self.shop.hand_in(all.clone().map(Errand::Place));
        self.shop.hand_in(all.map(Errand::Look));
        wait("everything once more", AT_REST, || Ok(self.shop.is_idle()))?;
        self.stop(life)?;
        let again = self.bench.upstream.counts()?.submits - before;
        if again > 0 {
            let complaint = format!("{again} submits were made when every order had come to rest");
            self.verdict.broken(complaint);
        }
        Ok(())
    }

    /// Looks every order up until it rests.
    fn look_up(&self) -> Result<()> {
        let mut moving: Vec<usize> = (0..self.bench.wanted.len()).collect();
        let until = Instant::now() + AT_REST;
        // An order that never rests is the verdict's to name.
        while !moving.is_empty() && Instant::now() < until {
            self.shop.hand_in(moving.iter().copied().map(Errand::Look));
            wait("a look at every order", AT_REST, || Ok(self.shop.is_idle()))?;
            let answers = self.shop.answers();
            moving.retain(|at| {
                let order = self.bench.wanted.get(*at);
                let last = order.and_then(|it| answers.last(&it.order_id));
                !matches!(last, Some((_, "succeeded" | "failed" | "review")))
            });
            drop(answers);
            thread::sleep(BETWEEN_LOOKS);
        }
        Ok(())
    }

    /// What the shop was told of each order at last. One that has gone on since, on a person's desk say, is told
    /// as the file has it; one that was told of more than the file knows is lost.
    fn told(&mut self, answers: &Answers, books: &Books) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        for (id, kept) in &books.orders {
            let Some((version, state)) = answers.last(id) else {
                continue;
            };
            if version > kept.version {
                let complaint =
                    format!("{id} was shown at {version}, and ends at {}", kept.version);
                self.verdict.broken(complaint);
            }
            let gone_on = version < kept.version;
            let state = if gone_on { &kept.state } else { state };
            told.insert(id.clone(), state.to_owned());
        }
        told
    }

    fn note(&mut self, ended: &Ended) {
        if !ended.was_killed() && ended.status.code().is_none() {
            let complaint = format!("it ended with {}: {}", ended.status, ended.said);
            self.verdict.broken(complaint);
        }
        if ended.said.contains("panicked") {
            self.verdict.broken(format!("it panicked: {}", ended.said));
        }
    }
}

/// Makes the shop's keys, as an operator does.
fn keys(bench: &Bench) -> Result<Keys> {
    let make = |options: &[&str]| -> Result<Value> {
        let made = Command::new(&bench.recharge)
            .args(["keys", "create", "--merchant", "shop", "--json"])
            .args(options)
            .arg("--db")
            .arg(bench.db())
            .arg("--config")
            .arg(bench.config())
            .env(MASTER_KEY.0, MASTER_KEY.1)
            .stdin(Stdio::null())
            .output()?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into());
        }
        Ok(serde_json::from_slice(&made.stdout)?)
    };
    let api = make(&["--scope", "submit,read"])?;
    let juhe = make(&["--compat", "juhe"])?;
    Ok(Keys {
        api: text(&api, "key")?,
        app_key: text(&juhe, "app_key")?,
        open_id: text(&juhe, "open_id")?,
    })
}

/// Waits until something holds; says what did not, when it takes too long.
fn wait(what: &str, patience: Duration, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let until = Instant::now() + patience;
    while !holds()? {
        if Instant::now() > until {
            return Err(format!("{what} took longer than {patience:?}").into());
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// A value that an answer must have.
fn text(value: &Value, name: &str) -> Result<String> {
    let text = value[name].as_str().map(str::to_owned);
    Ok(text.ok_or_else(|| format!("there is no {name} in {value}"))?)
}
