//! Sets up a [`Simulator`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::{Credentials, Settle, Upstream, WorldConfig};
use crate::notify::Target;
use crate::plan::FaultPlan;
use crate::scenario::Scenario;
use crate::server::Simulator;

/// Sets up a [`Simulator`]. Later calls win over earlier ones, so a scenario comes before the settings
/// that are to override it.
#[derive(Debug)]
pub struct SimulatorBuilder {
    listen: SocketAddr,
    remote: bool,
    config: WorldConfig,
    started_at: Option<u64>,
    juhe_callback_url: Option<String>,
    jisu_callback_url: Option<String>,
}

/// Why a simulator can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not a loopback one.
    #[error(
        "{0} is not a loopback address: the simulator has no protection, so others must be let in \
         explicitly (`allow_remote`)"
    )]
    NotLoopback(SocketAddr),
    /// The address can't be listened on.
    #[error("can't listen on {address}: choose another port, or 0 for any free one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The callback URL can't be used. It is not repeated, since it may hold a token.
    #[error(
        "the callback URL of {0} can't be used: write one such as http://127.0.0.1:8080/callback"
    )]
    CallbackUrl(Upstream),
}

impl SimulatorBuilder {
    pub(crate) fn new() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            remote: false,
            config: WorldConfig::default(),
            started_at: None,
            juhe_callback_url: None,
            jisu_callback_url: None,
        }
    }

    /// Listens there instead of on any free loopback port.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Lets [`listen`](Self::listen) name an address that others can reach.
    #[must_use]
    pub fn allow_remote(mut self) -> Self {
        self.remote = true;
        self
    }

    /// Everything about the world at once.
    #[must_use]
    pub fn config(mut self, config: WorldConfig) -> Self {
        self.config = config;
        self
    }

    /// Who may call.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.config.credentials = credentials;
        self
    }

    /// The seed of faults.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// When taken orders end.
    #[must_use]
    pub fn settle(mut self, settle: Settle) -> Self {
        self.config.settle = settle;
        self
    }

    /// Taken orders end after this time.
    #[must_use]
    pub fn settle_after(self, delay: Duration) -> Self {
        self.settle(Settle::After(delay))
    }

    /// What goes wrong.
    #[must_use]
    pub fn faults(mut self, plan: FaultPlan) -> Self {
        self.config.faults = plan;
        self
    }

    /// What a scenario says.
    #[must_use]
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        scenario.apply(&mut self.config);
        self
    }

    /// The wall clock at the start, in unix seconds, instead of the real one.
    #[must_use]
    pub fn started_at(mut self, unix: u64) -> Self {
        self.started_at = Some(unix);
        self
    }

    /// Both upstreams call back to this `http` URL.
    #[must_use]
    pub fn callback_url(self, url: &str) -> Self {
        self.juhe_callback_url(url).jisu_callback_url(url)
    }

    /// Juhe calls back to this `http` URL.
    #[must_use]
    pub fn juhe_callback_url(mut self, url: &str) -> Self {
        self.juhe_callback_url = Some(url.to_owned());
        self
    }

    /// Jisu calls back to this `http` URL.
    #[must_use]
    pub fn jisu_callback_url(mut self, url: &str) -> Self {
        self.jisu_callback_url = Some(url.to_owned());
        self
    }

    /// Starts it. Needs a tokio runtime with I/O and time.
    pub async fn start(self) -> Result<Simulator, StartError> {
        if !self.remote && !self.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(self.listen));
        }
        let target = |upstream, url: Option<String>| {
            url.map(|url| Target::parse(&url).ok_or(StartError::CallbackUrl(upstream)))
                .transpose()
        };
        let juhe_callback = target(Upstream::Juhe, self.juhe_callback_url)?;
        let jisu_callback = target(Upstream::Jisu, self.jisu_callback_url)?;
        let mut config = self.config;
        config.started_at = self.started_at.unwrap_or_else(|| {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(config.started_at, |since| since.as_secs())
        });
        config.callbacks = juhe_callback.is_some() || jisu_callback.is_some();

        Simulator::open(self.listen, config, juhe_callback, jisu_callback).await
    }
}
