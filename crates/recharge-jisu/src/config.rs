//! How to reach Jisu, and as whom.

use std::fmt;

use recharge_core::{
    AccountKind, CodeOverrides, CodeTable, ExposeSecret, FaceValue, Redactor, SecretString,
};
use recharge_http::form::{BaseUrl, BaseUrlError, Encoding};
use recharge_sign::jisu::SignOrder;

use crate::codes::CODES;

/// Jisu's two products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Product {
    /// `telrecharge`: landline, broadband, and both on one bill.
    Landline,
    /// `mobilerecharge`.
    Mobile,
}

impl Product {
    /// The product that tops up such an account.
    pub const fn of(kind: AccountKind) -> Self {
        match kind {
            AccountKind::Mobile => Self::Mobile,
            AccountKind::Landline | AccountKind::Broadband | AccountKind::Combined => {
                Self::Landline
            }
        }
    }
}

/// How the fields of a recharge travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Method {
    /// GET, as documented (S).
    #[default]
    Get,
    /// POST, urlencoded: accepted (H), and no key in a URL.
    Post,
}

impl Method {
    pub(crate) const fn encoding(self) -> Encoding {
        match self {
            Self::Get => Encoding::Query,
            Self::Post => Encoding::Urlencoded,
        }
    }
}

/// Keys, address and habits. `Debug` shows no key.
///
/// ```
/// use recharge_jisu::{JisuConfig, Method, SignOrder};
/// let config = JisuConfig::new("my-app-key".into(), "my-app-secret".into())?
///     .with_sign_order(SignOrder::DocumentedTable)
///     .with_method(Method::Post);
/// assert!(!format!("{config:?}").contains("my-"));
/// assert!(JisuConfig::new("".into(), "my-app-secret".into()).is_err());
/// # Ok::<(), recharge_jisu::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct JisuConfig {
    pub(crate) app_key: SecretString,
    pub(crate) app_secret: SecretString,
    pub(crate) base: BaseUrl,
    pub(crate) method: Method,
    pub(crate) sign_order: SignOrder,
    pub(crate) landline_detail_path: String,
    pub(crate) landline_goods_path: Option<String>,
    pub(crate) landline_face_values: Vec<FaceValue>,
    pub(crate) mobile_face_values: Vec<FaceValue>,
    pub(crate) overrides: CodeOverrides,
}

impl JisuConfig {
    /// Jisu's address (S).
    pub const BASE_URL: &str = "https://api.jisuapi.com";
    /// The face values of `telrecharge` in the merchant's own document (S), in yuan.
    pub const LANDLINE_FACE_VALUES: [u32; 5] = [20, 50, 100, 200, 500];
    /// The face values of `mobilerecharge` (H), in yuan.
    pub const MOBILE_FACE_VALUES: [u32; 8] = [10, 20, 30, 50, 100, 200, 300, 500];
    /// The path of a landline's order detail, by analogy with the mobile one (L).
    pub const LANDLINE_DETAIL_PATH: &str = "/telrecharge/orderdetail";

    /// GET, values signed by their real names, the documented face values and codes.
    ///
    /// `app_key` is the appkey, which travels; `app_secret` the appsecret, which never does.
    pub fn new(app_key: SecretString, app_secret: SecretString) -> Result<Self, ConfigError> {
        check(&app_key, "app_key")?;
        check(&app_secret, "app_secret")?;
        Ok(Self {
            app_key,
            app_secret,
            base: BaseUrl::parse(Self::BASE_URL)?,
            method: Method::Get,
            sign_order: SignOrder::Sorted,
            landline_detail_path: Self::LANDLINE_DETAIL_PATH.to_owned(),
            landline_goods_path: None,
            landline_face_values: documented(&Self::LANDLINE_FACE_VALUES),
            mobile_face_values: documented(&Self::MOBILE_FACE_VALUES),
            overrides: CodeOverrides::new(),
        })
    }

    /// Another address: a proxy, the simulator. Jisu's paths are added to it; a path prefix is kept.
    pub fn with_base_url(mut self, url: &str) -> Result<Self, ConfigError> {
        self.base = BaseUrl::parse(url)?;
        Ok(self)
    }

    /// How a recharge's fields travel. Questions are always GET, as documented.
    #[must_use]
    pub fn with_method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// The order of the signed values of `telrecharge`, which the merchant's own document gives in two
    /// ways. `mobilerecharge` has but one.
    #[must_use]
    pub fn with_sign_order(mut self, order: SignOrder) -> Self {
        self.sign_order = order;
        self
    }

    /// The path of a landline's order detail, which no document gives. It begins with a slash.
    pub fn with_landline_detail_path(mut self, path: &str) -> Result<Self, ConfigError> {
        self.landline_detail_path = checked_path(path, "landline_detail_path")?;
        Ok(self)
    }

    /// The path of the landline products and prices. The document mentions this call and gives no path;
    /// without one there is no such call.
    pub fn with_landline_goods_path(mut self, path: &str) -> Result<Self, ConfigError> {
        self.landline_goods_path = Some(checked_path(path, "landline_goods_path")?);
        Ok(self)
    }

    /// The face values that Jisu sells to this merchant. They are declared, not enforced: an order of
    /// another value is sent, and Jisu refuses it.
    pub fn with_face_values(
        mut self,
        product: Product,
        mut values: Vec<FaceValue>,
    ) -> Result<Self, ConfigError> {
        if values.is_empty() {
            return Err(ConfigError::FaceValues);
        }
        values.sort_unstable();
        values.dedup();
        match product {
            Product::Landline => self.landline_face_values = values,
            Product::Mobile => self.mobile_face_values = values,
        }
        Ok(self)
    }

    /// Classes of codes that the merchant's contract defines otherwise. No document names a code of
    /// Jisu for "no such order": where a merchant knows one, it is set here as `not-found`.
    #[must_use]
    pub fn with_code_overrides(mut self, overrides: CodeOverrides) -> Self {
        self.overrides = overrides;
        self
    }

    /// The code table with the changes.
    pub(crate) fn codes(&self) -> CodeTable {
        CodeTable::new(CODES, self.overrides.clone())
    }

    pub(crate) fn redactor(&self) -> Redactor {
        Redactor::new([self.app_key.clone(), self.app_secret.clone()])
    }
}

impl fmt::Debug for JisuConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JisuConfig")
            .field("app_key", &"***")
            .field("app_secret", &"***")
            .field("base_url", &self.base.as_str())
            .field("method", &self.method)
            .field("sign_order", &self.sign_order)
            .field("landline_detail_path", &self.landline_detail_path)
            .field("landline_goods_path", &self.landline_goods_path)
            .field("landline_face_values", &self.landline_face_values)
            .field("mobile_face_values", &self.mobile_face_values)
            .field("code_overrides", &self.overrides)
            .finish()
    }
}

fn documented(yuan: &[u32]) -> Vec<FaceValue> {
    yuan.iter()
        .filter_map(|yuan| FaceValue::from_yuan(*yuan).ok())
        .collect()
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

fn checked_path(path: &str, name: &'static str) -> Result<String, ConfigError> {
    let right = path.starts_with('/')
        && path.bytes().all(|b| b.is_ascii_graphic())
        && !path.contains(['?', '#']);
    if right {
        Ok(path.to_owned())
    } else {
        Err(ConfigError::Path(name))
    }
}

/// Why a configuration is refused. Never repeats a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A secret that is not there.
    #[error("jisu: {0} is empty: take it from the account page at Jisu")]
    Empty(&'static str),
    /// A secret with a space, a line end or a character that is not ASCII, as copying brings along.
    #[error("jisu: {0} has spaces, line ends or characters that are not ASCII: copy it again")]
    Secret(&'static str),
    /// An unusable address.
    #[error("jisu: base_url: {0}")]
    BaseUrl(#[from] BaseUrlError),
    /// An unusable path.
    #[error("jisu: {0} is a path such as /telrecharge/orderdetail: a slash first, no ? and no #")]
    Path(&'static str),
    /// An empty list.
    #[error(
        "jisu: face_values is empty: name at least one, or leave it out for the documented ones"
    )]
    FaceValues,
}
