//! The engine as the commands use it: the configured providers and rules, on the configured store.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use recharge_core::{MerchantId, OrderId, ProviderId};
use recharge_engine::driver::{Setup, StartError};
use recharge_engine::store::Told;
use recharge_engine::{Driver, Person, Store, StoreError, SystemClock, record};
use recharge_store::Sqlite;
use recharge_store::sqlite::OpenError;
use tokio::task::JoinHandle;

use crate::config::{Providers, Rules};
use crate::context::Context;
use crate::error::CliError;
use crate::orders::args::Database;
use crate::output::Output;

/// How many messages are read at once.
const BATCH: usize = 256;

/// How often alarms are looked for while a command waits.
const ALARMS: Duration = Duration::from_secs(2);

/// What a command that places or settles orders needs.
pub(crate) struct Service {
    /// The engine, at work.
    pub(crate) driver: Driver,
    /// How long a call to a provider takes at most.
    patience: Duration,
    output: Output,
    /// Tells a person what comes up while a command waits.
    watching: JoinHandle<()>,
}

/// The configuration, its providers and its rules, with warnings printed.
pub(crate) struct Prepared {
    /// Where orders are kept.
    pub(crate) file: PathBuf,
    /// The configuration file, if one was read.
    pub(crate) config: Option<PathBuf>,
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
        config: config.file().map(Path::to_owned),
        providers,
        rules,
    })
}

impl Prepared {
    /// The names of the providers that have an account.
    pub(crate) fn provider_ids(&self) -> Vec<ProviderId> {
        self.providers.iter().map(|p| p.id().clone()).collect()
    }

    /// Those of these ids that the store has an order for. It is only read, and need not be there.
    pub(crate) async fn known<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a OrderId>,
    ) -> Result<HashSet<&'a OrderId>, CliError> {
        let mut known = HashSet::new();
        let store = match Sqlite::open_read_only(&self.file) {
            Ok(store) => store,
            Err(OpenError::Missing { .. }) => return Ok(known),
            Err(error) => return Err(trouble(&self.file, error)),
        };
        let local = MerchantId::local();
        for id in ids {
            if store
                .find(&local, id)
                .await
                .map_err(CliError::store)?
                .is_some()
            {
                known.insert(id);
            }
        }
        Ok(known)
    }

    /// Opens the store for writing, and says what an engine on it is made of.
    pub(crate) fn setup(self) -> Result<Setup, CliError> {
        let store = Sqlite::open(&self.file).map_err(|error| trouble(&self.file, error))?;
        let clock = Arc::new(SystemClock::default());
        let mut setup = Setup::new(Arc::new(store), self.providers, clock);
        setup.times = self.rules.times;
        setup.routes = self.rules.routes;
        setup.approvers = self.rules.approvers;
        setup.limits = self.rules.limits;
        setup.caution = self.rules.caution;
        Ok(setup)
    }

    /// Opens the store for writing, recovers what an earlier process left, and goes to work.
    pub(crate) async fn start(self, context: &Context) -> Result<Service, CliError> {
        let file = self.file.clone();
        let setup = self.setup()?;
        let patience = setup
            .times
            .in_flight()
            .saturating_add(Duration::from_secs(1));
        let driver = setup
            .start()
            .await
            .map_err(|error| not_started(&file, error))?;
        let output = context.output.clone();
        let watching = tokio::spawn(watch(driver.clone(), output.clone()));
        Ok(Service {
            driver,
            patience,
            output,
            watching,
        })
    }
}

/// Why the engine doesn't start on a store.
pub(crate) fn not_started(file: &Path, error: StartError) -> CliError {
    match error {
        StartError::Store(error) => trouble(file, error),
        error => CliError::unconfigured(error.to_string()),
    }
}

/// Warns of a store that can't be used, and tells alarms as they come.
async fn watch(driver: Driver, output: Output) {
    let mut trouble = driver.trouble();
    loop {
        tokio::select! {
            // The sender lives as long as the driver does.
            _ = trouble.changed() => {
                let why = trouble.borrow_and_update().clone();
                output.warn(&[why.map_or_else(
                    || "the store can be used again".to_owned(),
                    |why| format!("the store can't be used: {why}; what the upstreams tell is kept in memory, and this goes on by itself once it can"),
                )]);
            }
            // What can't be told now is told by the next try, or at the end.
            () = tokio::time::sleep(ALARMS) => drop(tell(&driver, &output).await),
        }
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
        self.watching.abort();
        if !self.driver.stop(self.patience).await {
            let text = "some calls were still under way; the orders are in doubt and will be asked about at the next start";
            self.output.warn(&[text.to_owned()]);
        }
    }

    /// Tells the alarms that have not been told. The command's own answer holds whatever the store does
    /// now: what isn't marked as told is told again by the next command.
    pub(crate) async fn tell(&self) {
        if let Err(error) = tell(&self.driver, &self.output).await {
            let text = format!("alarms will be told again: {error}");
            self.output.warn(&[text]);
        }
    }
}

/// Tells a person the alarms of the command line's orders. Its notices are told by the command's own
/// answer.
async fn tell(driver: &Driver, output: &Output) -> Result<(), StoreError> {
    let store = driver.store();
    let local = MerchantId::local();
    let mut after = 0;
    loop {
        let messages = store.messages(after, BATCH).await?;
        let Some(last) = messages.last() else {
            return Ok(());
        };
        after = last.id;
        let ours = messages.iter().filter(|message| message.merchant == local);
        let mut told = Vec::new();
        for message in ours {
            if let Told::Alarm { alarm, .. } = message.what {
                output.alarm(&message.order_id, &record::alarm_text(alarm));
            }
            told.push(message.id);
        }
        if !told.is_empty() {
            store.delivered(&told).await?;
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
