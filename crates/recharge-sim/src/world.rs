//! The world: both upstreams, their books and their faults, as a pure machine.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use recharge_core::Money;

use crate::books::Event;
use crate::callbacks::Outbox;
use crate::config::{Upstream, WorldConfig};
use crate::dice::Dice;
use crate::faults::{FaultKind, Stage};
use crate::form::Fields;
use crate::hidden::Masked;
use crate::ledger::LedgerRow;
use crate::message::{Reply, Request};
use crate::order::{Key, Order, Record};
use crate::plan::FaultPlan;
use crate::routes::{Call, PATHS, squeeze};
use crate::stats::{Log, LogEntry, Stats, mask, millis, safe_path};

/// Both upstreams: what they know, what they answer, what they really charge.
///
/// Pure: no I/O, no clock. Time is the time since the start, it comes with every call and must not go
/// back. The same configuration and the same calls at the same times give the same answers.
///
/// ```
/// use std::time::Duration;
/// use recharge_sim::{DEFAULT_JUHE_KEY, DEFAULT_JUHE_OPENID, Request, World, WorldConfig, md5};
///
/// let mut world = World::new(WorldConfig::default());
/// let sign = md5::hex(&[DEFAULT_JUHE_OPENID, DEFAULT_JUHE_KEY, "18900001234", "1", "111111111"]);
/// let order = format!("key={DEFAULT_JUHE_KEY}&phoneno=18900001234&cardnum=1&orderid=111111111&sign={sign}");
///
/// let reply = world.handle(Duration::ZERO, &Request::post("/ofpay/mobile/onlineorder", &order));
/// assert!(String::from_utf8_lossy(&reply.body).contains("订单提交成功,等待充值"));
/// assert_eq!(world.ledger()[0].charges, 1);
/// ```
#[derive(Debug)]
pub struct World {
    pub(crate) config: WorldConfig,
    pub(crate) plan: FaultPlan,
    pub(crate) records: BTreeMap<Key, Record>,
    /// Taken orders, the oldest first.
    pub(crate) taken: Vec<Key>,
    /// By Jisu's own number.
    pub(crate) by_upstream_id: BTreeMap<String, Key>,
    /// How often each subject was called about.
    counts: BTreeMap<(Upstream, Stage, Subject), u32>,
    pub(crate) agenda: BTreeMap<(Duration, u64), Event>,
    /// Breaks ties in the agenda and the outbox: first scheduled, first done.
    pub(crate) ticket: u64,
    pub(crate) outbox: Outbox,
    pub(crate) juhe_balance: Money,
    pub(crate) jisu_balance: Money,
    pub(crate) stats: Stats,
    log: Log,
}

/// What a call is about: an order number, an account or a path. `Debug` masks it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Subject(String);

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Masked(&self.0).fmt(f)
    }
}

/// A call, its fields, and the fault that was chosen for it.
pub(crate) struct Incoming<'a> {
    pub(crate) now: Duration,
    pub(crate) call: Call,
    pub(crate) fields: &'a Fields,
    pub(crate) order_id: String,
    pub(crate) account: String,
    pub(crate) fault: Option<FaultKind>,
    pub(crate) dice: Dice,
}

impl World {
    /// A world at time zero.
    pub fn new(config: WorldConfig) -> Self {
        Self {
            plan: config.faults.clone(),
            records: BTreeMap::new(),
            taken: Vec::new(),
            by_upstream_id: BTreeMap::new(),
            counts: BTreeMap::new(),
            agenda: BTreeMap::new(),
            ticket: 0,
            outbox: Outbox::default(),
            juhe_balance: config.juhe_balance,
            jisu_balance: config.jisu_balance,
            stats: Stats::default(),
            log: Log::default(),
            config,
        }
    }

    /// What it was made of.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// Forgets orders, counts, log and balances, and goes back to the faults it was made with.
    pub fn reset(&mut self) {
        let ticket = self.ticket;
        *self = Self::new(self.config.clone());
        // Goes on, so that a callback still on its way is not taken for one of the new world.
        self.ticket = ticket;
    }

    /// Other faults from now on.
    pub fn set_faults(&mut self, plan: FaultPlan) {
        self.plan = plan;
    }

    /// The faults in force.
    pub fn faults(&self) -> &FaultPlan {
        &self.plan
    }

    /// One row per order number received, by upstream and number.
    pub fn ledger(&self) -> Vec<LedgerRow> {
        self.records
            .iter()
            .map(|(key, record)| record.row(key))
            .collect()
    }

    /// The row of one order number.
    pub fn row(&self, upstream: Upstream, order_id: &str) -> Option<LedgerRow> {
        let key = (upstream, order_id.to_owned());
        self.records.get(&key).map(|record| record.row(&key))
    }

    /// How often one order number is charged: as its row has it, without the rest of the row.
    pub fn charges(&self, upstream: Upstream, order_id: &str) -> u32 {
        let key = (upstream, order_id.to_owned());
        let record = self.records.get(&key);
        record.map_or(0, Record::charges)
    }

    /// What the merchant has left.
    pub fn balance(&self, upstream: Upstream) -> Money {
        match upstream {
            Upstream::Juhe => self.juhe_balance,
            Upstream::Jisu => self.jisu_balance,
        }
    }

    /// What was counted.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The last ten thousand requests, the oldest first.
    pub fn log(&self) -> impl Iterator<Item = &LogEntry> {
        self.log.entries()
    }

    /// Answers a request. GET and POST of the documented paths are served; all else is 404.
    pub fn handle(&mut self, now: Duration, request: &Request) -> Reply {
        self.advance(now);
        let Some(call) = self.call_of(&request.method, &request.path) else {
            self.log.push(LogEntry {
                at_ms: millis(now),
                method: request.method.clone(),
                path: safe_path(&request.path, false),
                provider: None,
                order_id: String::new(),
                account: String::new(),
                status: 404,
                code: None,
                fault: None,
            });
            return not_found();
        };
        let fields = Fields::read(
            &request.query,
            request.content_type.as_deref(),
            &request.body,
        );
        let incoming = self.incoming(now, call, &fields, &request.path);
        let (order_id, account) = (incoming.order_id.clone(), mask(&incoming.account));
        let outcome = match call.stage() {
            Stage::Submit => self.submit(incoming),
            Stage::Query => self.query(incoming),
            Stage::Read | Stage::Callback | Stage::End | Stage::RequestLine => self.read(incoming),
        };
        self.stats.call(call.stage(), outcome.hit);
        self.log.push(LogEntry {
            at_ms: millis(now),
            method: request.method.clone(),
            path: safe_path(&request.path, true),
            provider: Some(call.upstream()),
            order_id,
            account,
            status: outcome.reply.status,
            code: outcome.code,
            fault: outcome.hit,
        });
        outcome.reply
    }

    /// Whether the connection is to be reset now that the first line of a request for this path has
    /// been read. Asked once per request, before [`handle`](Self::handle), which is then not called.
    pub fn reset_at_line(&mut self, now: Duration, method: &str, path: &str) -> bool {
        let Some(call) = self.call_of(method, path) else {
            return false;
        };
        let upstream = call.upstream();
        let nth = self.count(upstream, Stage::RequestLine, path);
        let mut dice = Dice::new(self.config.seed, upstream, Stage::RequestLine, path, nth);
        let hit = self.plan.draw(Stage::RequestLine, upstream, &mut dice);
        if hit.is_some() {
            self.stats.call(Stage::RequestLine, hit);
            self.log.push(LogEntry {
                at_ms: millis(now),
                method: method.to_owned(),
                path: safe_path(path, true),
                provider: Some(upstream),
                order_id: String::new(),
                account: String::new(),
                status: 0,
                code: None,
                fault: hit,
            });
        }
        hit.is_some()
    }

    /// When something will happen by itself: an order ends, a packet arrives, a callback is due.
    pub fn next_event(&self) -> Option<Duration> {
        let agenda = self.agenda.keys().next().map(|(due, _)| *due);
        let outbox = self.outbox.next_due();
        agenda.into_iter().chain(outbox).min()
    }

    fn call_of(&self, method: &str, path: &str) -> Option<Call> {
        if !matches!(method, "GET" | "POST") {
            return None;
        }
        let path = squeeze(path);
        Call::of_path(self.config.aliases.get(&path).unwrap_or(&path))
    }

    /// Finds out what a call is about, counts it and chooses its fault.
    fn incoming<'a>(
        &mut self,
        now: Duration,
        call: Call,
        fields: &'a Fields,
        path: &str,
    ) -> Incoming<'a> {
        let (upstream, stage) = (call.upstream(), call.stage());
        let (order_field, account_fields): (_, [&str; 2]) = match upstream {
            Upstream::Juhe => ("orderid", ["phoneno", "mobilephone"]),
            Upstream::Jisu => ("outorderno", ["mobile", "tel"]),
        };
        let mut order_id = fields.get(order_field).to_owned();
        if order_id.is_empty()
            && stage == Stage::Query
            && let Some((_, known)) = self.by_upstream_id.get(fields.get("orderno"))
        {
            order_id.clone_from(known);
        }
        let mut account = account_fields
            .into_iter()
            .map(|name| fields.get(name))
            .find(|value| !value.is_empty())
            .unwrap_or_default()
            .to_owned();
        if account.is_empty()
            && let Some(record) = self.records.get(&(upstream, order_id.clone()))
        {
            account.clone_from(&record.account);
        }
        let subject = match stage {
            Stage::Submit | Stage::Query => order_id.clone(),
            Stage::Read | Stage::Callback | Stage::End | Stage::RequestLine => {
                format!("{path}|{account}")
            }
        };
        let nth = self.count(upstream, stage, &subject);
        let mut dice = Dice::new(self.config.seed, upstream, stage, &subject, nth);
        let fault = match self.plan.script(upstream, &order_id, &account) {
            Some(script) => script
                .fault(stage, nth)
                .filter(|kind| kind.applies(stage, upstream)),
            None => self.plan.draw(stage, upstream, &mut dice),
        };
        Incoming {
            now,
            call,
            fields,
            order_id,
            account,
            fault,
            dice,
        }
    }

    /// How often the subject was counted before.
    pub(crate) fn count(&mut self, upstream: Upstream, stage: Stage, subject: &str) -> u32 {
        let count = self
            .counts
            .entry((upstream, stage, Subject(subject.to_owned())))
            .or_default();
        let before = *count;
        *count += 1;
        before
    }

    pub(crate) fn order(&self, key: &Key) -> Option<&Order> {
        self.records
            .get(key)
            .and_then(|record| record.order.as_ref())
    }

    /// Taken orders of one upstream, the newest first.
    pub(crate) fn newest_first(&self, upstream: Upstream) -> impl Iterator<Item = &Order> {
        self.taken
            .iter()
            .rev()
            .filter(move |(of, _)| *of == upstream)
            .filter_map(|key| self.order(key))
    }
}

/// 404, with what would be right. No upstream answers so: it is the simulator that speaks.
pub(crate) fn not_found() -> Reply {
    let paths: Vec<&str> = PATHS.iter().map(|(path, _)| *path).collect();
    let body = serde_json::json!({
        "error": "no such path or method: GET and POST of these paths are served, and GET /_sim for the simulator's own",
        "paths": paths,
    });
    Reply::json_status(404, body.to_string())
}
