//! [`App`]: what every handler has at hand.

use std::fmt;
use std::sync::Arc;

use recharge_core::{Provider, ProviderId};
use recharge_engine::{Clock, Driver, Store, WallTime};
use recharge_store::Registry;
use tokio::sync::{Notify, watch};

use crate::callbacks::Throttle;
use crate::limits::Asks;
use crate::metrics::Metrics;
use crate::ring::KeyRing;
use crate::settings::Settings;
use crate::trace::RequestIds;
use crate::webhooks::Tally;

/// What every handler has at hand.
pub struct App {
    /// The engine, at work.
    pub driver: Driver,
    /// Who may use it, and files of orders.
    pub registry: Arc<Registry>,
    /// The keys at hand.
    pub ring: Arc<KeyRing>,
    /// The providers that have an account.
    pub providers: Vec<Arc<dyn Provider>>,
    /// The engine's clock.
    pub clock: Arc<dyn Clock>,
    /// How often orders are asked about by their merchants.
    pub asks: Asks,
    /// Told when a file of orders was handed in.
    pub batches: Notify,
    /// How many callbacks are taken.
    pub throttle: Throttle,
    /// Figures for whoever runs it.
    pub metrics: Metrics,
    /// Names for requests.
    pub request_ids: RequestIds,
    /// What became of notices.
    pub tally: Tally,
    /// What the operator has decided.
    pub settings: Settings,
    /// Goes last: whoever waits for its end finds the store let go.
    pub end: End,
}

/// Tells when the last of all who had an [`App`] has let go of it, and with it of the engine and its store.
#[derive(Debug, Default)]
pub struct End(watch::Sender<()>);

impl End {
    /// Comes to its end after the [`App`] has.
    pub fn of_app(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut told = self.0.subscribe();
        // Nothing is ever sent: it ends by the sender's end.
        async move { while told.changed().await.is_ok() {} }
    }
}

impl App {
    /// The store, to read from.
    pub fn store(&self) -> &dyn Store {
        self.driver.store().as_ref()
    }

    /// The time of day.
    pub fn now(&self) -> WallTime {
        self.clock.now().wall
    }

    /// The provider of that name.
    pub fn provider(&self, id: &ProviderId) -> Option<&Arc<dyn Provider>> {
        self.providers.iter().find(|provider| provider.id() == id)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("driver", &self.driver)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
