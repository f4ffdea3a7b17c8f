//! What a transport can be told, and the errors for what it can't be.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::Uri;

/// Limits and route of a transport.
///
/// ```
/// use std::time::Duration;
/// use recharge_http::HttpConfig;
///
/// let config = HttpConfig { timeout: Duration::from_secs(10), ..HttpConfig::default() };
/// assert_eq!(config.connect_timeout, Duration::from_secs(5));
/// config.validate()?;
/// # Ok::<(), recharge_http::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// The most that name resolution, the TCP connection and the TLS handshake may take together. 5 s
    /// by default. Running out of it is a [`Connect`](crate::TransportErrorKind::Connect) error, and
    /// nothing was sent.
    pub connect_timeout: Duration,
    /// The most that the whole exchange may take, from the call to the last byte of the answer. 30 s by
    /// default. There is no way to have none: a call that never ends would hold its worker for ever.
    pub timeout: Duration,
    /// The HTTP proxy to send through. None by default, and then the environment's `http_proxy` and its
    /// kin are ignored too: an order must not leave by a route that nobody chose. Only
    /// `ReqwestTransport` can use one.
    pub proxy: Option<ProxyUrl>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            proxy: None,
        }
    }
}

impl HttpConfig {
    /// Checks the values against each other. Every transport does this when it is made.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.connect_timeout.is_zero() {
            return Err(ConfigError::Zero("connect_timeout"));
        }
        if self.timeout.is_zero() {
            return Err(ConfigError::Zero("timeout"));
        }
        if self.connect_timeout > self.timeout {
            return Err(ConfigError::ConnectOutlastsTotal {
                connect: self.connect_timeout,
                total: self.timeout,
            });
        }
        Ok(())
    }
}

/// The address of an HTTP proxy: `http://host:port`, or `http://user:password@host:port`. `https` too.
///
/// `Debug` and `Display` leave user and password out.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Uri);

impl ProxyUrl {
    /// The whole address, user and password included, for the client that uses it.
    #[cfg(feature = "reqwest")]
    pub(crate) fn expose(&self) -> String {
        self.0.to_string()
    }
}

impl FromStr for ProxyUrl {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let uri = Uri::from_str(text).map_err(|_| ConfigError::Proxy("it is not a URL"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(ConfigError::Proxy("its scheme is not http or https"));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(ConfigError::Proxy("it names no host"));
        }
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return Err(ConfigError::Proxy("it has a path"));
        }
        Ok(Self(uri))
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let host = self.0.host().unwrap_or_default();
        write!(f, "{scheme}://{host}")?;
        if let Some(port) = self.0.port_u16() {
            write!(f, ":{port}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}

/// Why a transport can't be made. The text says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A time limit is zero.
    #[error("{0} is zero: give a duration such as 5s")]
    Zero(&'static str),
    /// Connecting may take longer than everything together.
    #[error(
        "connect_timeout ({connect:?}) is longer than timeout ({total:?}): raise timeout or lower connect_timeout"
    )]
    ConnectOutlastsTotal {
        /// `connect_timeout` as given.
        connect: Duration,
        /// `timeout` as given.
        total: Duration,
    },
    /// The proxy's address is not usable. The text doesn't repeat it: it may hold a password.
    #[error("the proxy can't be used: {0}; write it as http://host:port")]
    Proxy(&'static str),
    /// The hyper transport was given a proxy.
    #[error("the hyper transport takes no proxy: use the reqwest transport, or remove the proxy")]
    ProxyNeedsReqwest,
    /// TLS or the client below could not be set up.
    #[error("the HTTP client can't be set up: {0}")]
    Client(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: juhe.client.connect-timeout, juhe.client.total-timeout
    #[test]
    fn defaults_are_valid_and_bounded() {
        let config = HttpConfig::default();
        assert_eq!(config.validate(), Ok(()));
        assert_eq!(config.connect_timeout, Duration::from_secs(5));
        assert_eq!(config.timeout, Duration::from_secs(30));
        assert_eq!(config.proxy, None);
    }

    #[test]
    fn impossible_times_are_refused_with_what_to_do() {
        let zero = HttpConfig {
            timeout: Duration::ZERO,
            ..HttpConfig::default()
        };
        assert_eq!(zero.validate(), Err(ConfigError::Zero("timeout")));
        let zero = HttpConfig {
            connect_timeout: Duration::ZERO,
            ..HttpConfig::default()
        };
        assert_eq!(zero.validate(), Err(ConfigError::Zero("connect_timeout")));
        let crossed = HttpConfig {
            timeout: Duration::from_secs(1),
            ..HttpConfig::default()
        };
        let text = crossed.validate().unwrap_err().to_string();
        assert!(text.contains("raise timeout"), "{text}");
    }

    #[test]
    fn a_proxy_hides_its_password() {
        let proxy: ProxyUrl = "http://someone:hunter2@10.0.0.1:3128".parse().unwrap();
        for text in [format!("{proxy:?}"), proxy.to_string()] {
            assert!(
                !text.contains("hunter2") && !text.contains("someone"),
                "{text}"
            );
            assert!(text.contains("http://10.0.0.1:3128"), "{text}");
        }
    }

    #[test]
    fn a_wrong_proxy_is_refused_without_being_repeated() {
        for wrong in [
            "socks5://u:hunter2@h:1",
            "10.0.0.1:3128",
            "http://h:1/hunter2",
            "hunter2 ",
            "",
        ] {
            let error = wrong.parse::<ProxyUrl>().unwrap_err().to_string();
            assert!(error.contains("http://host:port"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
