//! A driver on a store in memory, with one order and the providers it may go to.

use std::sync::Arc;
use std::time::Duration;

use recharge_core::{MerchantId, OrderId, OrderState, Provider, UpstreamState};
use recharge_engine::driver::{ActError, Setup};
use recharge_engine::store::Told;
use recharge_engine::{
    Alarm, Command, Decision, Driver, Event, MemoryStore, Notice, Order, Recorded, Store, Verdict,
};

use crate::common::{KEY, new_order, person};
use crate::scripted::{Scripted, TokioClock};

/// A driver with the order accepted, and its providers.
pub(crate) struct Desk {
    pub(crate) driver: Driver,
    pub(crate) store: MemoryStore,
    pub(crate) providers: Vec<Arc<Scripted>>,
    pub(crate) clock: Arc<TokioClock>,
    pub(crate) id: OrderId,
}

impl Desk {
    pub(crate) async fn new(providers: Vec<Scripted>) -> Self {
        let desk = Self::empty(providers).await;
        desk.driver.accept(new_order(), false).await.unwrap();
        desk
    }

    pub(crate) async fn empty(providers: Vec<Scripted>) -> Self {
        Self::with(providers, |_| {}).await
    }

    pub(crate) async fn with(providers: Vec<Scripted>, change: impl FnOnce(&mut Setup)) -> Self {
        let providers = providers.into_iter().map(Arc::new).collect();
        Self::on(MemoryStore::new(KEY), providers, change).await
    }

    pub(crate) async fn on(
        store: MemoryStore,
        providers: Vec<Arc<Scripted>>,
        change: impl FnOnce(&mut Setup),
    ) -> Self {
        let clock = Arc::new(TokioClock::start());
        let mut setup = Setup::new(
            Arc::new(store.clone()),
            providers
                .iter()
                .map(|scripted| scripted.clone() as Arc<dyn Provider>)
                .collect(),
            clock.clone(),
        );
        setup.seed = Some(7);
        change(&mut setup);
        Self {
            driver: setup.start().await.unwrap(),
            store,
            providers,
            clock,
            id: new_order().order_id,
        }
    }

    /// The process dies after so many writes, and another begins where it left off.
    pub(crate) async fn crashed_after(&self, writes: usize) -> Self {
        let store = self.store.crashed_after(writes);
        // What the dead one still does reaches the providers no more than the test lets it.
        self.driver.stop(Duration::ZERO).await;
        Self::on(store, self.providers.clone(), |_| {}).await
    }

    /// The order once it rests.
    pub(crate) async fn rest(&self) -> Order {
        let merchant = MerchantId::local();
        self.driver
            .until_at_rest(&merchant, &self.id)
            .await
            .unwrap()
    }

    pub(crate) fn spawn(&self) -> tokio::task::JoinHandle<Order> {
        let (driver, id) = (self.driver.clone(), self.id.clone());
        tokio::spawn(async move {
            let rest = driver.until_at_rest(&MerchantId::local(), &id).await;
            rest.unwrap()
        })
    }

    pub(crate) async fn order(&self) -> Order {
        let stored = self.driver.order(&MerchantId::local(), &self.id).await;
        stored.unwrap().unwrap().order
    }

    pub(crate) async fn state(&self) -> OrderState {
        self.order().await.state()
    }

    pub(crate) async fn log(&self) -> Vec<Recorded> {
        let key = self.store.find(&MerchantId::local(), &self.id).await;
        self.store.log(key.unwrap().unwrap()).await.unwrap()
    }

    pub(crate) async fn events(&self) -> Vec<Event> {
        let log = self.log().await;
        log.into_iter().map(|recorded| recorded.event).collect()
    }

    pub(crate) async fn states(&self) -> Vec<OrderState> {
        let to = |event| match event {
            Event::Moved { to, .. } => Some(to),
            _ => None,
        };
        self.events().await.into_iter().filter_map(to).collect()
    }

    pub(crate) async fn notices(&self) -> Vec<Notice> {
        let notice = |told| match told {
            Told::Notice(notice) => Some(notice),
            Told::Alarm { .. } => None,
        };
        self.told().await.into_iter().filter_map(notice).collect()
    }

    pub(crate) async fn alarms(&self) -> Vec<Alarm> {
        let alarm = |told| match told {
            Told::Alarm { alarm, .. } => Some(alarm),
            Told::Notice(_) => None,
        };
        self.told().await.into_iter().filter_map(alarm).collect()
    }

    async fn told(&self) -> Vec<Told> {
        let messages = self.store.messages(0, 1000).await.unwrap();
        messages.into_iter().map(|message| message.what).collect()
    }

    pub(crate) async fn command(&self, command: Command) -> Result<(), ActError> {
        let merchant = MerchantId::local();
        let done = self.driver.command(&merchant, &self.id, command).await;
        done.map(|_| ())
    }

    pub(crate) async fn decide(&self, verdict: Verdict, by: &str) -> Result<(), ActError> {
        let decision = Decision {
            verdict,
            by: person(by),
            evidence: "ticket 7".to_owned(),
            seen: self.order().await.version(),
        };
        self.command(Command::Decide(decision)).await
    }

    /// A person asks, and the answers come.
    pub(crate) async fn ask_again(&self) {
        let by = person("ann");
        self.command(Command::AskAgain { by }).await.unwrap();
        pass(5).await;
    }

    /// A callback comes, and what it causes has time to happen.
    pub(crate) async fn callback(&self, claims: UpstreamState) {
        let number = self.order().await.attempts()[0].number();
        let body = format!("{} {}", number.as_str(), claims.as_str());
        let id = self.providers[0].id();
        self.driver
            .callback(id, None, body.as_bytes())
            .await
            .unwrap();
        pass(2).await;
    }
}

/// Lets time pass, in which others run.
pub(crate) async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
