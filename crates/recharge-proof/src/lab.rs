//! The laboratory of one case: the world, the disk, the network, and who watches. Everything in it is
//! changed by one thread, and every choice comes from the case's seed.

mod faults;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use recharge_core::ProviderId;
use recharge_engine::driver::{Driver, Observer};
use recharge_engine::store::{Lease, OrderKey, Session, Stored};
use recharge_engine::{Input, Order, Step};
use recharge_sim::{
    CallbackSend, DEFAULT_JISU_APPKEY, DEFAULT_JISU_APPSECRET, DEFAULT_JUHE_KEY,
    DEFAULT_JUHE_OPENID, Upstream, World, WorldConfig,
};
use tokio::sync::watch;

use crate::case::{Case, Part, When};
use crate::clock::Epochs;
use crate::cover::{Cover, Pair};
use crate::dice::Dice;
use crate::executor::{Executor, Process, lock};
use crate::judge::{Judge, Writer};
use crate::mail::Mail;
use crate::order_name::OrderName;
use crate::points::{Op, Point};
use crate::store::Disk;
use crate::trace::Trace;
use crate::world;

pub(crate) use faults::{NetworkFault, Outage};

/// What must never be shown.
pub(crate) const SECRETS: [&str; 4] = [
    DEFAULT_JUHE_KEY,
    DEFAULT_JUHE_OPENID,
    DEFAULT_JISU_APPKEY,
    DEFAULT_JISU_APPSECRET,
];

/// What only signs.
pub(crate) const SIGNED_WITH: [&str; 2] = [DEFAULT_JUHE_OPENID, DEFAULT_JISU_APPSECRET];

/// Whose word counts where it takes two, though nobody has checked their name.
pub(crate) const APPROVERS: [&str; 1] = ["dan"];

/// How many workers there can be.
pub(crate) const SLOTS: usize = 2;

/// A handle to the laboratory.
#[derive(Clone)]
pub(crate) struct Lab(Arc<Shared>);

struct Shared {
    executor: Executor,
    case: Case,
    zero: Instant,
    epochs: Epochs,
    inner: Mutex<Inner>,
}

/// What changes.
pub(crate) struct Inner {
    pub(crate) world: World,
    pub(crate) disk: Disk,
    pub(crate) mail: Mail,
    pub(crate) slots: [Slot; SLOTS],
    pub(crate) judge: Judge,
    pub(crate) cover: Cover,
    pub(crate) trace: Trace,
    /// What is to happen as soon as no task is being polled.
    pub(crate) deeds: VecDeque<Deed>,
    /// Callbacks of before, to be delivered again.
    pub(crate) callbacks: Vec<CallbackSend>,
    /// Counts what somebody may wait for: an order taken, a notice, an alarm, a backup put back.
    pub(crate) news: watch::Sender<u64>,
    /// Who has begun last.
    pub(crate) holder: Option<Process>,
    pub(crate) calm: bool,
    pub(crate) no_store: Outage,
    pub(crate) no_network: BTreeMap<Upstream, Outage>,
    points: u64,
    /// Who stands where.
    standing: BTreeMap<(Process, Point), u32>,
    /// Acts by the number of the point at which they happen, by the visit of a point, and by the commit in doubt.
    at_points: BTreeMap<u64, Vec<usize>>,
    at_visits: BTreeMap<(Point, u64), Vec<usize>>,
    at_doubts: BTreeMap<u64, Vec<usize>>,
    doubts: u64,
    /// Whether the providers come in the other order by now.
    pub(crate) other_routes: bool,
    store_faults: u64,
    network_faults: u64,
    store_dice: Dice,
    network_dice: Dice,
    pace: Dice,
}

/// Where a worker runs.
#[derive(Default)]
pub(crate) struct Slot {
    pub(crate) process: Option<Process>,
    pub(crate) driver: Option<Driver>,
    /// When it is to begin again.
    pub(crate) restart: Option<Duration>,
    /// What its wall clock is off by.
    pub(crate) wall_offset: i64,
    /// Whether it is being stopped.
    pub(crate) stopping: bool,
}

/// What is to be done between two polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// This act of the case, to that worker if it is to one.
    Act(usize, Option<Process>),
}

impl Lab {
    pub(crate) fn new(case: Case, readable: bool) -> Self {
        let seed = case.id.seed;
        let mut at_points: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        let mut at_doubts: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        let mut at_visits: BTreeMap<(Point, u64), Vec<usize>> = BTreeMap::new();
        let (mut store_faults, mut network_faults) = (0, 0);
        for (at, part) in case.parts.iter().enumerate() {
            match part {
                _ if !case.keeps(at) => {}
                Part::Act(When::Point(nth), _) => at_points.entry(*nth).or_default().push(at),
                Part::Act(When::Reached(point, nth), _) => {
                    at_visits.entry((*point, *nth)).or_default().push(at);
                }
                Part::Act(When::Doubt(nth), _) => at_doubts.entry(*nth).or_default().push(at),
                Part::StoreFaults(rate) => store_faults = *rate,
                Part::NetworkFaults(rate) => network_faults = *rate,
                _ => {}
            }
        }
        let executor = Executor::new();
        let epochs = Epochs::new(executor.clone());
        let [first, second] = case.settings.wall_offsets;
        let slot = |wall_offset| Slot {
            wall_offset,
            ..Slot::default()
        };
        let mut judge = Judge::new(&case, epochs.clone());
        let world = world::of(&case).unwrap_or_else(|error| {
            judge.violated(11, format!("the drawn faults can't strike: {error}"));
            World::new(WorldConfig::default())
        });
        let inner = Inner {
            world,
            disk: Disk::new([7; 32]),
            mail: Mail::default(),
            slots: [slot(first), slot(second)],
            judge,
            cover: Cover::default(),
            trace: Trace::new(readable),
            deeds: VecDeque::new(),
            callbacks: Vec::new(),
            news: watch::Sender::new(0),
            holder: None,
            calm: false,
            no_store: Outage::default(),
            no_network: BTreeMap::new(),
            points: 0,
            standing: BTreeMap::new(),
            at_points,
            at_visits,
            at_doubts,
            doubts: 0,
            other_routes: false,
            store_faults,
            network_faults,
            store_dice: Dice::stream(seed, 2, 0),
            network_dice: Dice::stream(seed, 3, 0),
            pace: Dice::stream(seed, 4, 0),
        };
        Self(Arc::new(Shared {
            executor,
            case,
            zero: Instant::now(),
            epochs,
            inner: Mutex::new(inner),
        }))
    }

    pub(crate) fn executor(&self) -> &Executor {
        &self.0.executor
    }

    pub(crate) fn case(&self) -> &Case {
        &self.0.case
    }

    pub(crate) fn zero(&self) -> Instant {
        self.0.zero
    }

    pub(crate) fn epochs(&self) -> Epochs {
        self.0.epochs.clone()
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.0.inner)
    }

    pub(crate) fn note(&self, what: &str, number: u64, words: impl FnOnce() -> String) {
        let now = self.0.executor.now();
        self.inner().trace.note(now, what, number, words);
    }

    /// A worker comes to a point: others may go first, time may pass, and it may be the last thing that
    /// it does.
    pub(crate) async fn point(&self, process: Process, point: Point) {
        let wait = {
            let mut inner = self.inner();
            inner.points += 1;
            let visit = inner.cover.visited(point);
            *inner.standing.entry((process, point)).or_default() += 1;
            let nth = inner.points;
            let reached = inner.at_visits.remove(&(point, visit));
            let acts = [inner.at_points.remove(&nth), reached];
            let acts: Vec<usize> = acts.into_iter().flatten().flatten().collect();
            if !inner.calm {
                let deeds = acts.into_iter().map(|act| Deed::Act(act, Some(process)));
                inner.deeds.extend(deeds);
            }
            let slowest = match point {
                Point::Asked(_) | Point::Durable(_) => self.0.case.settings.slow_store,
                Point::BeforeFirstByte | Point::BytesGone | Point::Answered => {
                    Duration::from_millis(2)
                }
            };
            let waits = !inner.calm && inner.pace.once_in(12);
            let slowest = u64::try_from(slowest.as_micros()).unwrap_or(1);
            waits.then(|| Duration::from_micros(inner.pace.magnitude(1, slowest)))
        };
        Executor::yielded().await;
        if let Some(wait) = wait {
            self.0.executor.sleep(process, wait).await;
        }
        let mut inner = self.inner();
        if let Some(standing) = inner.standing.get_mut(&(process, point)) {
            *standing -= 1;
            if *standing == 0 {
                inner.standing.remove(&(process, point));
            }
        }
    }

    /// Ends a process, as `kill -9` does.
    pub(crate) fn kill(&self, process: Process) {
        {
            let mut inner = self.inner();
            let ends = (process, Point::Asked(Op::Begin))..=(process, Point::Answered);
            let stood: Vec<_> = inner.standing.range(ends).map(|((_, at), _)| *at).collect();
            for point in stood {
                inner.standing.remove(&(process, point));
                inner.cover.killed(point);
            }
            let of = |slot: &&mut Slot| slot.process == Some(process);
            if let Some(slot) = inner.slots.iter_mut().find(of) {
                slot.process = None;
                slot.driver = None;
            }
        }
        self.0.executor.kill(process);
    }

    /// Lets a process stand still.
    pub(crate) fn pause(&self, process: Process, lasts: Duration, suspended: bool) {
        let mut inner = self.inner();
        let ends = (process, Point::Asked(Op::Begin))..=(process, Point::Answered);
        let stood: Vec<_> = inner.standing.range(ends).map(|((_, at), _)| *at).collect();
        for point in stood {
            inner.cover.paused(point);
        }
        let now = self.0.executor.now();
        let until = now.saturating_add(lasts);
        inner.judge.stands(now, until);
        self.0.executor.pause(process, until, suspended);
    }

    /// A worker has begun on the store.
    pub(crate) fn began(&self, process: Process, session: &Session) {
        self.note("begins", session.lease.0, || {
            format!(
                "{process:?} with {:?} and {:?}",
                session.lease, session.epoch
            )
        });
        let mut inner = self.inner();
        inner.holder = Some(process);
        inner.judge.lease = session.lease;
    }

    /// An order has become durable.
    pub(crate) fn accepted(&self, stored: &Stored) {
        self.note("accepted", stored.key.0, || {
            OrderName::of(stored.order.what()).to_string()
        });
        self.inner().judge.accepted(stored);
        self.tell_news();
    }

    /// A step has become durable.
    pub(crate) fn appended(
        &self,
        process: Process,
        key: OrderKey,
        lease: Option<Lease>,
        step: &Step,
    ) {
        let writer = Writer {
            process,
            monotonic: self.0.executor.monotonic(process),
            now: self.0.executor.now(),
            holder: self.inner().holder == Some(process),
        };
        let mut inner = self.inner();
        let inner = &mut *inner;
        let before = inner.judge.files.get(&key).map(|file| file.state);
        inner.judge.appended(writer, key, lease, step);
        inner.cover.moved(before, step);
        let number = key.0 ^ (step.order.version() << 16);
        inner.trace.note(writer.now, "durable", number, || {
            let events = step.events.iter().map(|it| format!("{:?}", it.event));
            let events: Vec<_> = events.collect();
            format!("{:?} {process:?} {}", key, events.join("; "))
        });
        if !step.notices.is_empty() || !step.alarms.is_empty() {
            inner.news.send_modify(|count| *count += 1);
        }
        // What it says of its end is compared with the truth.
        if step.order.state().is_end() {
            let name = OrderName::of(step.order.what());
            inner.judge.charges(&inner.world, writer.now, &name);
        }
    }

    /// Waits for something new.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.inner().news.subscribe()
    }

    pub(crate) fn tell_news(&self) {
        self.inner().news.send_modify(|count| *count += 1);
    }

    pub(crate) fn provider_id(upstream: Upstream) -> Option<ProviderId> {
        ProviderId::parse(upstream.as_str()).ok()
    }
}

impl Observer for Lab {
    fn steps(&self, order: &Order, input: &Input) {
        self.inner().cover.pair(Pair::of(order, input));
    }
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab").finish_non_exhaustive()
    }
}
