//! What an operator decides about the service. The defaults are safe on any machine.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::seal::MasterKey;
use crate::webhooks::Pace;
use crate::webhooks::address::{Address, AddressError};

/// What an operator decides. Set what differs from the default.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where it listens; port 0 is any free one.
    pub listen: SocketAddr,
    /// The address by which others reach it, where that is another one.
    pub public_url: Option<String>,
    /// What seals secrets that must be readable again; without it there are neither drop-in credentials nor
    /// webhooks.
    pub master_key: Option<MasterKey>,
    /// The largest body of a request, in bytes; files of orders apart.
    pub body_limit: usize,
    /// The largest file of orders, in bytes.
    pub batch_limit: usize,
    /// The longest that a request takes, and that its head takes to arrive.
    pub deadline: Duration,
    /// How many connections are open at a time.
    pub connections: usize,
    /// How many requests a key may make in a second, on average; `None`: any number.
    pub requests_per_second: Option<u32>,
    /// How many callbacks are taken in a second, from all senders together.
    pub callbacks_per_second: u32,
    /// From where the callbacks of a provider may come, by its name; from anywhere, if there is no entry.
    pub callback_senders: Vec<(String, Vec<IpNet>)>,
    /// Whose word about a client's address is taken: proxies before this service.
    pub trusted_proxies: Vec<IpNet>,
    /// Which pages of other origins may call it; none by default.
    pub cors_origins: Vec<String>,
    /// How long after the last event of an ended order its account is masked; `None`: never.
    pub forget_after: Option<Duration>,
    /// Whether `GET /metrics` answers; like the health checks it asks for no key.
    pub metrics: bool,
    /// How often the providers are asked for our balances, for the figures; `None` or zero: only when somebody
    /// asks for them.
    pub balances_every: Option<Duration>,
    /// Whether webhooks may go to loopback and private addresses.
    pub allow_private_webhooks: bool,
    /// When notices that don't arrive are sent again.
    pub pace: Pace,
    /// How long what is under way may take once it is told to stop.
    pub drain: Duration,
}

impl Settings {
    /// Checks where somebody is to be told: whoever sets an address and whoever sends to it asks here.
    pub fn told_at(&self, url: &str) -> Result<Address, AddressError> {
        Address::parse(url, self.allow_private_webhooks)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            master_key: None,
            body_limit: 64 * 1024,
            batch_limit: 32 * 1024 * 1024,
            deadline: Duration::from_secs(30),
            connections: 10_000,
            requests_per_second: None,
            callbacks_per_second: 500,
            callback_senders: Vec::new(),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            forget_after: None,
            metrics: true,
            balances_every: Some(Duration::from_mins(10)),
            allow_private_webhooks: false,
            pace: Pace::default(),
            drain: Duration::from_mins(1),
        }
    }
}
