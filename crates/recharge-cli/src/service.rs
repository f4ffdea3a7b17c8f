//! The engine as the commands use it: the configured providers and rules, on the configured store.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use recharge_core::{MerchantId, ProviderId};
use recharge_engine::driver::{Setup, StartError};
use recharge_engine::store::Told;
use recharge_engine::{Driver, Person, Store, SystemClock};
use recharge_store::Sqlite;

use crate::config::{Providers, Rules};
use crate::context::Context;
use crate::error::CliError;
use crate::orders::args::Database;
use crate::output::to_stderr;

/// How many messages are read at once.
const BATCH: usize = 256;

/// What a command that places or settles orders needs.
pub(crate) struct Service {
    /// The engine, at work.
    pub(crate) driver: Driver,
    /// How long a call to a provider takes at most.
    patience: Duration,
}

/// The configuration, its providers and its rules, with warnings printed.
pub(crate) struct Prepared {
    file: PathBuf,
    providers: Providers,
    /// The rules.
    pub(crate) rules: Rules,
}

/// Opens the store for reading, whoever else uses it.
pub(crate) fn read(context: &Context, database: &Database) -> Result<Arc<dyn Store>, CliError> {
    let file = database.file(&context.config()?);
    let store = Sqlite::open_read_only(&file).map_err(|error| trouble(&file, error))?;
    Ok(Arc::new(store))
}

/// Reads the configuration.
pub(crate) fn prepare(context: &Context, database: &Database) -> Result<Prepared, CliError> {
    let (config, providers, rules) = context.rules()?;
    if providers.is_empty() {
        let text = "no upstream account is configured: set juhe.app_key and juhe.open_id, or jisu.app_key and jisu.app_secret; `recharge config check` shows what holds";
        return Err(CliError::unconfigured(text));
    }
    Ok(Prepared {
        file: database.file(&config),
        providers,
        rules,
    })
}

impl Prepared {
    /// The names of the providers that have an account.
    pub(crate) fn provider_ids(&self) -> Vec<ProviderId> {
        self.providers.iter().map(|p| p.id().clone()).collect()
    }

    /// Opens the store for writing, recovers what an earlier process left, and goes to work.
    pub(crate) async fn start(self) -> Result<Service, CliError> {
        let store = Sqlite::open(&self.file).map_err(|error| trouble(&self.file, error))?;
        let seed = getrandom::u64().map_err(|error| {
            CliError::system(
                "the system gives no random number",
                std::io::Error::other(error),
            )
        })?;
        let clock = Arc::new(SystemClock::default());
        let mut setup = Setup::new(Arc::new(store), self.providers, clock, seed);
        let times = &self.rules.times;
        let patience = times.in_flight().saturating_add(Duration::from_secs(1));
        setup.times = self.rules.times;
        setup.routes = self.rules.routes;
        setup.approvers = self.rules.approvers;
        setup.limits = self.rules.limits;
        setup.caution = self.rules.caution;
        let driver = setup.start().await.map_err(|error| match error {
            StartError::Store(error) => trouble(&self.file, error),
            error => CliError::unconfigured(error.to_string()),
        })?;
        Ok(Service { driver, patience })
    }
}

impl Service {
    /// How long a call to a provider takes at most.
    pub(crate) const fn patience(&self) -> Duration {
        self.patience
    }

    /// Stops, once what is in flight has been recorded, and tells what the merchant of the command line
    /// has not been told.
    pub(crate) async fn stop(&self) {
        if !self.driver.stop(self.patience).await {
            to_stderr(
                "warning: some calls were still under way; the orders are in doubt and will be asked about at the next start",
            );
        }
    }

    /// Tells an operator the alarms of the command line's orders. Its notices have been told by the
    /// command's own answer.
    pub(crate) async fn tell(&self) -> Result<(), CliError> {
        let store = self.driver.store();
        let local = MerchantId::local();
        let mut after = 0;
        loop {
            let messages = store
                .messages(after, BATCH)
                .await
                .map_err(CliError::store)?;
            let Some(last) = messages.last() else {
                return Ok(());
            };
            after = last.id;
            let ours = messages.iter().filter(|message| message.merchant == local);
            let mut told = Vec::new();
            for message in ours {
                if let Told::Alarm { alarm, .. } = message.what {
                    let what = recharge_engine::record::alarm_text(alarm);
                    to_stderr(&format!("alarm: order {}: {what}", message.order_id));
                }
                told.push(message.id);
            }
            if !told.is_empty() {
                store.delivered(&told).await.map_err(CliError::store)?;
            }
        }
    }
}

/// A person at the command line: the name that they give, and the system's user. Nobody has checked the
/// name.
pub(crate) fn person(by: Option<&str>) -> Result<Person, CliError> {
    let user = whoami::username()
        .map_err(|error| CliError::system("can't tell who runs this", error.into()))?;
    Person::unauthenticated(by.unwrap_or(&user), &user)
        .map_err(|error| CliError::unusable(format!("--by: {error}")))
}

/// Trouble with the store's file, which is named.
pub(crate) fn trouble(
    file: &Path,
    error: impl std::error::Error + Send + Sync + 'static,
) -> CliError {
    CliError::system(file.display().to_string(), std::io::Error::other(error))
}
