//! Hundreds of orders, and everything that can go wrong at once: providers that answer as they like, a
//! store that is slow and fails, crashes, takeovers, jumps of the clock, people, callbacks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use recharge_engine::memory::Fault;
use recharge_engine::store::{Filter, Told};
use recharge_engine::{Decision, Driver};

use super::uneven::{AT_ONCE, Fate, Uneven};
use super::wild::{Chance, Line, Wild};
use super::*;

struct Soak {
    chance: Chance,
    store: MemoryStore,
    wild: Vec<Arc<Wild>>,
    lines: Vec<Arc<AtomicBool>>,
    clock: Arc<TokioClock>,
    calm: Arc<AtomicBool>,
    driver: Driver,
    /// Workers that have been succeeded, and don't know it.
    earlier: Vec<Driver>,
    /// Those that were acknowledged.
    orders: Vec<recharge_core::OrderId>,
}

impl Soak {
    async fn new(seed: u64) -> Self {
        let chance = Chance::new(seed);
        let store = MemoryStore::new(common::KEY);
        let wild = ["first", "second", "third"]
            .map(|name| Arc::new(Wild::new(name, chance.fork())))
            .to_vec();
        let clock = Arc::new(TokioClock::start());
        let calm = Arc::new(AtomicBool::new(false));
        let line = Arc::new(AtomicBool::new(true));
        let driver = begin(&store, &wild, &line, &clock, &calm, &chance).await;
        Self {
            chance,
            store,
            wild,
            lines: vec![line],
            clock,
            calm,
            driver,
            earlier: Vec::new(),
            orders: Vec::new(),
        }
    }

    /// Another worker begins; earlier ones may live on.
    async fn succeed(&mut self) {
        let line = Arc::new(AtomicBool::new(true));
        self.lines.push(line.clone());
        self.clock = Arc::new(self.clock.successor());
        let (store, wild, clock) = (&self.store, &self.wild, &self.clock);
        let driver = begin(store, wild, &line, clock, &self.calm, &self.chance).await;
        self.earlier
            .push(std::mem::replace(&mut self.driver, driver));
    }

    async fn crash(&mut self) {
        for line in self.lines.drain(..) {
            line.store(false, Ordering::Relaxed);
        }
        self.store = self.store.crashed_after(self.store.writes());
        self.succeed().await;
        // What they do to the store of before is of no matter any more; it only takes time.
        for dead in self.earlier.drain(..) {
            dead.stop(Duration::ZERO).await;
        }
    }

    async fn accept(&mut self, at: usize) {
        let mut what = new_order();
        what.order_id = format!("order-{at}").parse().unwrap();
        if self.chance.one_in(4) {
            what.provider = Some(provider("second"));
        }
        if self.driver.accept(what.clone(), true).await.is_ok() {
            self.orders.push(what.order_id);
        }
    }

    async fn some_order(&self) -> Option<Order> {
        let at = self.chance.below(self.orders.len().max(1) as u64);
        let id = self.orders.get(usize::try_from(at).unwrap())?;
        let found = self.driver.order(&MerchantId::local(), id).await;
        found.ok().flatten().map(|stored| stored.order)
    }

    async fn command(&self) {
        let Some(order) = self.some_order().await else {
            return;
        };
        let by = person(["ann", "bob"][usize::from(self.chance.one_in(2))]);
        let verdict = match self.chance.below(6) {
            0 => Verdict::Cancel,
            1 => Verdict::Failed,
            2 | 3 => Verdict::SendAgain { attempt: 0 },
            _ => return drop(self.give(&order, Command::AskAgain { by }).await),
        };
        let seen = order.version();
        let evidence = "ticket 7".to_owned();
        let decision = Decision {
            verdict,
            by,
            evidence,
            seen,
        };
        let _ = self.give(&order, Command::Decide(decision)).await;
    }

    async fn give(&self, order: &Order, command: Command) -> Result<Order, ActError> {
        let what = order.what();
        let given = self.driver.command(&what.merchant, &what.order_id, command);
        // A store that is down keeps people waiting; they go away.
        let waited = tokio::time::timeout(Duration::from_secs(5), given).await;
        waited.unwrap_or(Err(ActError::Busy))
    }

    async fn callback(&self) {
        if let Some(order) = self.some_order().await
            && let Some(attempt) = order.attempts().last()
        {
            let body = format!("{} succeeded", attempt.number().as_str());
            let id = attempt.provider();
            let _ = self.driver.callback(id, None, body.as_bytes()).await;
        }
    }

    async fn live(&mut self) {
        for at in 0..150 {
            tokio::time::sleep(Duration::from_millis(self.chance.below(8_000))).await;
            self.accept(at).await;
            match self.chance.below(40) {
                0 => self.crash().await,
                1 => self.succeed().await,
                2 => {
                    self.driver.stop(Duration::from_secs(20)).await;
                    self.succeed().await;
                }
                3 => self
                    .clock
                    .jump(60_000 * (self.chance.below(40).cast_signed() - 20)),
                4..10 => {
                    let fault = [Fault::Unavailable, Fault::Lost, Fault::Landed];
                    let at = usize::try_from(self.chance.below(3)).unwrap();
                    let fine = usize::try_from(self.chance.below(5)).unwrap();
                    let fine = std::iter::repeat_n(Fault::None, fine);
                    self.store.fail(fine.chain([fault[at]]));
                }
                10..20 => self.command().await,
                20..28 => self.callback().await,
                _ => {}
            }
        }
    }

    async fn check(&self) {
        let all = self.store.list(&Filter::default(), None, 10_000).await;
        let all = all.unwrap();
        let now = self.clock.now().wall;
        let mut allowed = BTreeMap::new();
        for stored in &all {
            let order = &stored.order;
            let id = &order.what().order_id;
            let log = self.store.log(stored.key).await.unwrap();
            let told = || format!("{id}: {order:#?}\n{log:#?}");
            assert!(order.is_at_rest(), "does not rest: {}", told());
            let forgotten = order
                .due()
                .is_some_and(|due| due.after(Duration::from_mins(3)) < now);
            assert!(!forgotten, "forgotten at {now:?}: {}", told());
            let folded = Order::replay(order.acceptance().clone(), &log).unwrap();
            assert_eq!(folded, *order);
            for attempt in order.attempts() {
                let number = attempt.number().as_str().to_owned();
                allowed.insert(number, 1 + order.permitted_sends());
            }
        }
        for id in &self.orders {
            let there = self.store.find(&MerchantId::local(), id).await.unwrap();
            assert!(there.is_some(), "{id} was acknowledged and is gone");
        }
        for wild in &self.wild {
            for (number, sent) in wild.sent() {
                let allowed = allowed.get(&number).copied();
                assert!(Some(sent) <= allowed, "{number}: {sent} of {allowed:?}");
            }
        }
        let mut last = BTreeMap::new();
        for message in self.store.messages(0, 100_000).await.unwrap() {
            if let Told::Notice(notice) = message.what {
                let before = last.insert(message.key, notice.version);
                assert!(before < Some(notice.version), "notices rise");
            }
        }
    }
}

async fn begin(
    store: &MemoryStore,
    wild: &[Arc<Wild>],
    line: &Arc<AtomicBool>,
    clock: &Arc<TokioClock>,
    calm: &Arc<AtomicBool>,
    chance: &Chance,
) -> Driver {
    loop {
        let (plan, calm) = (chance.fork(), calm.clone());
        let under = Uneven::new(store, move |_| {
            let takes = |most| Duration::from_millis(plan.below(most));
            match plan.below(100) {
                _ if calm.load(Ordering::Relaxed) => AT_ONCE,
                0..2 => Fate::Fails,
                2..4 => Fate::Takes(takes(12_000), takes(12_000)),
                _ => Fate::Takes(takes(20), takes(20)),
            }
        });
        let line = |wild: &Arc<Wild>| Arc::new(Line::new(wild, line)) as Arc<dyn Provider>;
        let providers = wild.iter().map(line).collect();
        let seed = chance.below(u64::MAX);
        let mut setup = Setup::new(Arc::new(under), providers, clock.clone());
        setup.seed = Some(seed);
        setup.limits.in_flight = 3;
        setup.limits.submits_per_second = Some(5);
        setup.limits.queries_per_second = 20;
        setup.at_hand = 16;
        if let Ok(driver) = setup.start().await {
            return driver;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn soak(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut soak = Soak::new(seed).await;
        soak.live().await;
        soak.calm.store(true, Ordering::Relaxed);
        for wild in &soak.wild {
            wild.calm_down();
        }
        // Nobody knows of an order for two hours at most; then it is on a desk.
        pass(4 * 3_600).await;
        soak.check().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, ..ProptestConfig::default() })]

    #[test]
    fn whatever_goes_wrong_every_order_rests_and_no_number_is_sent_twice(seed: u64) {
        soak(seed);
    }
}
