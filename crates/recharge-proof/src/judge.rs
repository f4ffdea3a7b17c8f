//! The judge: what must be true after every step, whatever went wrong.
//!
//! It believes nothing that the engine says of itself. What it knows it has from the ledger of the
//! upstreams, from the bytes that went over the wire, from the events that became durable, and from what
//! people and merchants were told; and it reads the rules from `docs/lifecycle.md` in words of its own.

mod callbacks;
mod end;
mod evidence;
mod file;
mod intents;
mod log;
mod moves;
mod people;
mod times;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use recharge_core::{Account, AccountKind, OrderState, UpstreamState};
use recharge_engine::store::{InboxEntry, Lease, OrderKey};
use recharge_engine::{MemoryStore, Moment, Times};
use recharge_sim::{FaultKind, Upstream, World};

use crate::case::Case;
use crate::clock::Epochs;
use crate::executor::Process;
use crate::invariant::Violation;
use crate::order_name::OrderName;

pub(crate) use file::File;
pub(crate) use log::Writer;
pub(crate) use times::{LAST_ASKING, of_the_lifecycle};

/// What the judge knows.
#[derive(Debug)]
pub(crate) struct Judge {
    pub(crate) files: BTreeMap<OrderKey, File>,
    pub(crate) by_name: BTreeMap<OrderName, OrderKey>,
    /// Whose a number is, for as long as the world stands: no restored backup changes that.
    owners: BTreeMap<String, OrderName>,
    /// The same, from the other end.
    numbers: BTreeMap<OrderName, Vec<String>>,
    /// What was sent under each number.
    sent: BTreeMap<String, wire::Packets>,
    /// What each order may have been charged for.
    pub(crate) allowed: BTreeMap<OrderName, Allowed>,
    acknowledged: BTreeSet<OrderName>,
    /// How often each was charged when that was looked at last.
    charged: BTreeMap<OrderName, u32>,
    rates: BTreeMap<(Process, Upstream), wire::Recent>,
    /// When a worker stood still, one while after the other.
    stood: Vec<(Duration, Duration)>,
    times: Times,
    epochs: Epochs,
    lies: Lies,
    queries_per_second: u32,
    /// What no text may show.
    accounts: BTreeSet<Account>,
    /// When a backup was put back last. Whoever had sent before was stopped then.
    restored: Option<Duration>,
    /// The provider that can't be asked.
    mute: Option<String>,
    /// Whether the limits, which are of the wall clock, can be judged by true time.
    steady: bool,
    callbacks_count: bool,
    /// Whether a number may be sent again at all.
    refuses_duplicates: bool,
    /// The lease of who has begun last.
    pub(crate) lease: Lease,
    /// The callbacks that are durable.
    kept: Vec<InboxEntry>,
    pub(crate) violations: Vec<Violation>,
}

/// What people and switches have allowed an order, whether or not a restored backup knows of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowed {
    /// Sends that two people allowed and that were begun: when it was allowed.
    by_people: BTreeSet<Duration>,
    /// Sends after a confirmed failure, where the switch says so.
    failovers: u32,
}

impl Allowed {
    fn sends(&self) -> u32 {
        let by_people = u32::try_from(self.by_people.len()).unwrap_or(u32::MAX);
        by_people.saturating_add(self.failovers)
    }
}

/// How the upstreams of this case may go back on what they said.
#[derive(Debug, Clone, Copy)]
struct Lies {
    pays_refused: bool,
    reverses: bool,
    failover: bool,
}

impl Judge {
    pub(crate) fn new(case: &Case, epochs: Epochs) -> Self {
        Self {
            files: BTreeMap::new(),
            by_name: BTreeMap::new(),
            owners: BTreeMap::new(),
            numbers: BTreeMap::new(),
            sent: BTreeMap::new(),
            allowed: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            charged: BTreeMap::new(),
            rates: BTreeMap::new(),
            stood: Vec::new(),
            times: times::of_the_lifecycle(),
            epochs,
            lies: Lies {
                pays_refused: case.lies(FaultKind::LatePayment),
                reverses: case.lies(FaultKind::FailsThenSucceeds)
                    || case.lies(FaultKind::SucceedsThenFails),
                failover: case.settings.failover,
            },
            queries_per_second: case.settings.queries_per_second,
            accounts: case.orders().filter_map(|(_, it)| it.account()).collect(),
            restored: None,
            mute: case
                .settings
                .mute
                .map(|upstream| upstream.as_str().to_owned()),
            steady: case.limits_are_steady(),
            callbacks_count: case.settings.callbacks_count
                && case.settings.mute == Some(Upstream::Jisu),
            refuses_duplicates: !case.settings.duplicates_pass,
            lease: Lease(0),
            kept: Vec::new(),
            violations: Vec::new(),
        }
    }

    pub(crate) fn violated(&mut self, invariant: u8, what: impl Into<String>) {
        let violation = Violation::of(invariant, what);
        if !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    /// When a moment of the log truly was.
    fn truly(&mut self, moment: Moment) -> Duration {
        self.epochs.truly(moment).unwrap_or_else(|| {
            let what = format!("{moment:?} is of an epoch that nobody began");
            self.violated(10, what);
            Duration::ZERO
        })
    }

    /// A merchant has been told that its order is taken.
    pub(crate) fn acknowledged(&mut self, name: &OrderName) {
        if !self.by_name.contains_key(name) {
            self.violated(
                9,
                format!("order {name} was acknowledged and is not durable"),
            );
        }
        self.acknowledged.insert(name.clone());
    }

    /// A callback has become durable.
    pub(crate) fn keeps(&mut self, entry: &InboxEntry) {
        let mut same = self.kept.iter().filter(|it| it.callback == entry.callback);
        if same.any(|it| it.id != entry.id) {
            let number = &entry.callback.number;
            let what =
                format!("a callback about {number} is kept once more each time that it comes");
            return self.violated(15, what);
        }
        if self.kept.iter().all(|it| it.id != entry.id) {
            self.kept.push(entry.clone());
        }
    }

    /// A callback was answered with success.
    pub(crate) fn heard(&mut self, number: &str, claims: Option<UpstreamState>, genuine: bool) {
        if !genuine {
            self.violated(8, format!("a forged callback about {number} is taken"));
        }
        let mut kept = self.kept.iter().map(|it| &it.callback);
        if !kept.any(|it| it.number == number && it.claims == claims) {
            let what = format!("a callback about {number} is answered for and not kept");
            self.violated(9, what);
        }
    }

    pub(crate) fn is_acknowledged(&self, name: &OrderName) -> bool {
        self.acknowledged.contains(name)
    }

    /// After a crash every acknowledged order is there.
    pub(crate) fn survived(&mut self, memory: &MemoryStore) {
        let there = self.all_of(memory).into_iter();
        let there = there.map(|it| (OrderName::of(it.order.what()), it.order.version()));
        let there: BTreeMap<OrderName, u64> = there.collect();
        let lost: Vec<String> = self
            .acknowledged
            .iter()
            .filter(|name| !there.contains_key(*name))
            .map(|name| format!("order {name} was acknowledged and is lost"))
            .collect();
        let cut = self.files.values().filter_map(|file| {
            let version = there.get(&file.name).copied().unwrap_or_default();
            (version < file.version).then(|| {
                format!(
                    "order {} has version {version} left of {}",
                    file.name, file.version
                )
            })
        });
        for what in lost.into_iter().chain(cut.collect::<Vec<_>>()) {
            self.violated(9, what);
        }
    }

    /// This number is that order's, and no other's.
    pub(super) fn owns(&mut self, name: &OrderName, number: &str) {
        if let Some(owner) = self.owners.get(number) {
            if owner != name {
                let what = format!("number {number} is of {owner}, and {name} is sent under it");
                self.violated(4, what);
            }
            return;
        }
        self.owners.insert(number.to_owned(), name.clone());
        let numbers = self.numbers.entry(name.clone()).or_default();
        numbers.push(number.to_owned());
    }

    /// Looks at the ledger: the truth about one order.
    pub(crate) fn charges(&mut self, world: &World, now: Duration, name: &OrderName) {
        let charges: u32 = charged(world, self.numbers.get(name));
        self.weigh(world, now, name, charges);
    }

    /// The same for all orders.
    pub(crate) fn all_charges(&mut self, world: &World, now: Duration) {
        let charged: Vec<(OrderName, u32)> = self
            .numbers
            .iter()
            .map(|(name, numbers)| (name, charged(world, Some(numbers))))
            .filter(|(_, charges)| *charges > 0)
            .map(|(name, charges)| (name.clone(), charges))
            .collect();
        for (name, charges) in charged {
            self.weigh(world, now, &name, charges);
        }
    }

    fn weigh(&mut self, world: &World, now: Duration, name: &OrderName, charges: u32) {
        let most = 1 + self.allowed.get(name).map_or(0, Allowed::sends);
        if charges > most && !self.lies.pays_refused {
            let numbers = self.numbers.get(name).into_iter().flatten();
            let of: Vec<_> = numbers
                .flat_map(|number| Upstream::ALL.map(|upstream| world.row(upstream, number)))
                .flatten()
                .filter(|row| row.charges > 0)
                .map(|row| format!("{} {}", row.provider, row.order_id))
                .collect();
            let what = format!(
                "order {name} is charged {charges} times, {most} allowed: {}",
                of.join(", ")
            );
            self.violated(1, what);
        }
        if charges > self.charged.get(name).copied().unwrap_or_default() {
            self.is_as_ordered(world, name, charges);
        }
        let honest = !self.lies.pays_refused && !self.lies.reverses;
        let file = self.by_name.get(name).and_then(|key| self.files.get(key));
        if honest
            && charges == 0
            && let Some(file) = file
            && file.state == OrderState::Succeeded
            && file.decided.is_none()
        {
            let what =
                format!("order {name} is called succeeded, and nobody is charged at {now:?}");
            return self.violated(7, what);
        }
        if honest
            && charges > 0
            && let Some(file) = file
            && file.failed_on_evidence()
        {
            let what = format!("order {name} is called failed, and is charged at {now:?}");
            self.violated(6, what);
        }
    }

    /// What is charged is what the merchant ordered.
    fn is_as_ordered(&mut self, world: &World, name: &OrderName, charges: u32) {
        let file = self.by_name.get(name).and_then(|key| self.files.get(key));
        // One that a restored backup has forgotten is looked at when it is known again.
        let Some(file) = file else { return };
        self.charged.insert(name.clone(), charges);
        let account = |text: &str| text.replace('-', "");
        let numbers = self.numbers.get(name).into_iter().flatten();
        let other = numbers
            .flat_map(|number| Upstream::ALL.map(|upstream| world.row(upstream, number)))
            .flatten()
            .filter(|row| row.charges > 0)
            .find(|row| {
                row.amount != file.amount.to_string()
                    || account(&row.account) != account(file.account.as_str())
            });
        if let Some(row) = other {
            let what = format!(
                "order {name} is of {}, and {} is charged, perhaps to another account",
                file.amount, row.amount
            );
            self.violated(1, what);
        }
    }

    /// A text that goes to a log, to a merchant or into the store. Where an upstream's answers are in it that
    /// is `of` one account, a landline of somebody else is not known for one.
    pub(crate) fn text(&mut self, text: &str, of: Option<&Account>) {
        let mut secrets = crate::lab::SECRETS.iter();
        if let Some(secret) = secrets.find(|secret| text.contains(**secret)) {
            let what = format!("a text shows the secret that begins with {secret:.4}");
            self.violated(14, what);
        }
        let known = |account: &Account| {
            of.is_none_or(|of| of == account || account.kind() == AccountKind::Mobile)
        };
        let mut accounts = self.accounts.iter();
        if accounts.any(|account| known(account) && shows(text, account.as_str())) {
            self.violated(14, format!("a text shows a full account: {text:.200}"));
        }
    }
}

/// Whether a text shows an account, with or without its dash.
fn shows(text: &str, account: &str) -> bool {
    text.contains(account)
        || account
            .split_once('-')
            .is_some_and(|(area, line)| text.contains(&[area, line].concat()))
}

fn charged(world: &World, numbers: Option<&Vec<String>>) -> u32 {
    let numbers = numbers.into_iter().flatten();
    let both = numbers.flat_map(|it| Upstream::ALL.map(|upstream| world.charges(upstream, it)));
    both.sum()
}
