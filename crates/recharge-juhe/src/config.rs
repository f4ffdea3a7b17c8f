//! How to reach Juhe, and as whom.

use std::fmt;
use std::time::SystemTime;

use recharge_core::{CodeOverrides, CodeTable, ExposeSecret, FaceValue, Redactor, SecretString};
use recharge_http::form::{BaseUrl, BaseUrlError, Encoding};

use crate::codes::CODES;

/// Which of Juhe's two hosts (both from the merchant's own document, S).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Environment {
    /// `http://op.juhe.cn`: orders are charged.
    #[default]
    Production,
    /// `http://test-v.juhe.cn`. No test address is documented for balance and order list; they are
    /// asked at the same paths.
    Test,
}

impl Environment {
    /// Its base URL. Plain `http` is what the document gives; another address is set by
    /// [`JuheConfig::with_base_url`].
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::Production => "http://op.juhe.cn",
            Self::Test => "http://test-v.juhe.cn",
        }
    }

    /// The name in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Test => "test",
        }
    }

    /// The environment of that [`as_str`](Self::as_str) name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Production, Self::Test]
            .into_iter()
            .find(|environment| environment.as_str() == text)
    }
}

/// Keys, address and habits. `Debug` shows no key.
///
/// ```
/// use recharge_juhe::{Encoding, Environment, JuheConfig};
/// let config = JuheConfig::new("my-app-key".into(), "my-open-id".into())?
///     .with_environment(Environment::Test)?
///     .with_encoding(Encoding::Multipart);
/// assert!(!format!("{config:?}").contains("my-"));
/// assert!(JuheConfig::new("".into(), "my-open-id".into()).is_err());
/// # Ok::<(), recharge_juhe::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct JuheConfig {
    pub(crate) app_key: SecretString,
    pub(crate) open_id: SecretString,
    pub(crate) base: BaseUrl,
    pub(crate) encoding: Encoding,
    pub(crate) face_values: Vec<FaceValue>,
    pub(crate) overrides: CodeOverrides,
    pub(crate) clock: fn() -> SystemTime,
}

impl JuheConfig {
    /// The face values in the merchant's own document (S), in yuan. Other documents list fewer (H).
    pub const FACE_VALUES: [u32; 9] = [1, 2, 5, 10, 20, 30, 50, 100, 300];

    /// The production environment, urlencoded submits, the documented face values and codes.
    ///
    /// `app_key` is the appkey, which travels; `open_id` the OpenID, which never does.
    pub fn new(app_key: SecretString, open_id: SecretString) -> Result<Self, ConfigError> {
        check(&app_key, "app_key")?;
        check(&open_id, "open_id")?;
        Ok(Self {
            app_key,
            open_id,
            base: BaseUrl::parse(Environment::Production.base_url())?,
            encoding: Encoding::Urlencoded,
            face_values: Self::FACE_VALUES
                .into_iter()
                .filter_map(|yuan| FaceValue::from_yuan(yuan).ok())
                .collect(),
            overrides: CodeOverrides::new(),
            clock: SystemTime::now,
        })
    }

    /// One of Juhe's own hosts.
    pub fn with_environment(self, environment: Environment) -> Result<Self, ConfigError> {
        self.with_base_url(environment.base_url())
    }

    /// Another address: https, a proxy, the simulator. Juhe's paths (`/ofpay/mobile/…`) are added to
    /// it; a path prefix is kept.
    pub fn with_base_url(mut self, url: &str) -> Result<Self, ConfigError> {
        self.base = BaseUrl::parse(url)?;
        Ok(self)
    }

    /// How a submit's fields travel. Urlencoded POST is the default: accepted (H), compact, and no key
    /// in a URL. The merchant's own document sends multipart (S); most other clients a query (H).
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// The face values that Juhe sells to this merchant. They are declared, not enforced: an order of
    /// another value is sent, and Juhe refuses it.
    pub fn with_face_values(mut self, mut values: Vec<FaceValue>) -> Result<Self, ConfigError> {
        if values.is_empty() {
            return Err(ConfigError::FaceValues);
        }
        values.sort_unstable();
        values.dedup();
        self.face_values = values;
        Ok(self)
    }

    /// Classes of codes that the merchant's contract defines otherwise.
    #[must_use]
    pub fn with_code_overrides(mut self, overrides: CodeOverrides) -> Self {
        self.overrides = overrides;
        self
    }

    /// Where [`Provider::balance`](recharge_core::Provider::balance) takes the time from, which it must
    /// send. The system's clock by default.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> SystemTime) -> Self {
        self.clock = clock;
        self
    }

    /// The code table with the changes.
    pub(crate) fn codes(&self) -> CodeTable {
        CodeTable::new(CODES, self.overrides.clone())
    }

    pub(crate) fn redactor(&self) -> Redactor {
        Redactor::new([self.app_key.clone(), self.open_id.clone()])
    }
}

impl fmt::Debug for JuheConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JuheConfig")
            .field("app_key", &"***")
            .field("open_id", &"***")
            .field("base_url", &self.base.as_str())
            .field("encoding", &self.encoding)
            .field("face_values", &self.face_values)
            .field("code_overrides", &self.overrides)
            .finish_non_exhaustive()
    }
}

fn check(secret: &SecretString, name: &'static str) -> Result<(), ConfigError> {
    let secret = secret.expose_secret();
    if secret.is_empty() {
        Err(ConfigError::Empty(name))
    } else if secret.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(ConfigError::Secret(name))
    }
}

/// Why a configuration is refused. Never repeats a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A secret that is not there.
    #[error("juhe: {0} is empty: take it from the account page at Juhe")]
    Empty(&'static str),
    /// A secret with a space, a line end or a character that is not ASCII, as copying brings along.
    #[error("juhe: {0} has spaces, line ends or characters that are not ASCII: copy it again")]
    Secret(&'static str),
    /// An unusable address.
    #[error("juhe: base_url: {0}")]
    BaseUrl(#[from] BaseUrlError),
    /// An empty list.
    #[error(
        "juhe: face_values is empty: name at least one, or leave it out for the documented ones"
    )]
    FaceValues,
}
