//! What an operator decides about the service. The defaults are safe on any machine.

use std::net::SocketAddr;
use std::time::Duration;

use http::HeaderValue;
use ipnet::IpNet;
use tokio::sync::Semaphore;

use crate::callbacks::UPSTREAMS;
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

/// What can't be meant, or would leave open what was to be closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// There are no callbacks of that name, and those of whoever was meant would come from anywhere.
    #[error("callback_senders: no provider that sends callbacks is named {0:?}; write one of {names}", names = UPSTREAMS.join(", "))]
    UnknownSender(String),
    /// Of two entries only the first would hold.
    #[error("callback_senders: {0} stands there twice; put all its networks into one entry")]
    SenderTwice(String),
    /// Nobody would be served, or the number is no number of connections.
    #[error("connections: {0} can't be; write a number from 1 to {most}", most = Semaphore::MAX_PERMITS)]
    Connections(usize),
    /// It is no origin, and the pages that are meant would be kept out.
    #[error(
        "cors_origins: {0:?} is no origin; write scheme and host, such as https://shop.example.com, and never *"
    )]
    Origin(String),
}

impl Settings {
    /// Whether a service can be started with them.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let mut named = Vec::new();
        for (name, _) in &self.callback_senders {
            if !UPSTREAMS.contains(&name.as_str()) {
                return Err(SettingsError::UnknownSender(name.clone()));
            }
            if named.contains(&name) {
                return Err(SettingsError::SenderTwice(name.clone()));
            }
            named.push(name);
        }
        if !(1..=Semaphore::MAX_PERMITS).contains(&self.connections) {
            return Err(SettingsError::Connections(self.connections));
        }
        let is_origin = |origin: &&String| {
            let host = origin.split_once("://").map(|(_, host)| host);
            HeaderValue::from_str(origin).is_ok()
                && host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*']))
        };
        match self.cors_origins.iter().find(|it| !is_origin(it)) {
            Some(origin) => Err(SettingsError::Origin(origin.clone())),
            None => Ok(()),
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(decide: impl FnOnce(&mut Settings)) -> SettingsError {
        let mut settings = Settings::default();
        decide(&mut settings);
        settings.validate().unwrap_err()
    }

    #[test]
    fn what_would_leave_something_open_or_shut_is_refused_by_name() {
        assert_eq!(Settings::default().validate(), Ok(()));
        let sender = |name: &str| (name.to_owned(), Vec::new());
        let error = refused(|it| it.callback_senders = vec![sender("juhe"), sender("Jisu")]);
        assert_eq!(error, SettingsError::UnknownSender("Jisu".to_owned()));
        assert!(error.to_string().contains("juhe, jisu"), "{error}");
        let error = refused(|it| it.callback_senders = vec![sender("juhe"), sender("juhe")]);
        assert_eq!(error, SettingsError::SenderTwice("juhe".to_owned()));
        for connections in [0, Semaphore::MAX_PERMITS + 1] {
            let error = refused(|it| it.connections = connections);
            assert_eq!(error, SettingsError::Connections(connections));
        }
        for origin in [
            "*",
            "",
            "https://",
            "shop.example.com",
            "https://a.example.com/",
            "https://*.example.com",
            "https://a\n",
        ] {
            let error = refused(|it| it.cors_origins = vec![origin.to_owned()]);
            assert_eq!(error, SettingsError::Origin(origin.to_owned()));
        }
        let settings = Settings {
            callback_senders: vec![sender("juhe"), sender("jisu")],
            cors_origins: vec!["http://127.0.0.1:3000".to_owned()],
            ..Settings::default()
        };
        assert_eq!(settings.validate(), Ok(()));
    }
}
