//! Every key of `recharge.toml`, as data: reading, the environment, checks and docs all go by it.

use std::time::Duration;

use recharge_core::{FaceValue, SecretString};
use toml::de::DeValue;

use crate::duration;

/// A key of the configuration file.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The table that it stands in.
    pub section: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What holds when it is left out, written as in the environment; `None` where nothing does.
    pub default: Option<&'static str>,
    /// What it is for.
    pub meaning: &'static str,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text that is never shown.
    Secret,
    /// An `http` or `https` address without user, query and fragment.
    BaseUrl,
    /// The address of a proxy. It may hold a password, so it is shown without one.
    Proxy,
    /// A path below a base URL.
    Path,
    /// One of these names.
    Choice(&'static [&'static str]),
    /// A duration as text.
    Duration,
    /// Face values in whole yuan.
    FaceValues,
}

/// A value that was read.
#[derive(Debug, Clone)]
pub enum Value {
    /// Of a [`Kind::Secret`].
    Secret(SecretString),
    /// Of a [`Kind::Proxy`].
    Proxy(recharge_http::ProxyUrl),
    /// Of a [`Kind::BaseUrl`], a [`Kind::Path`] or a [`Kind::Choice`].
    Text(String),
    /// Of a [`Kind::Duration`].
    Duration(Duration),
    /// Of a [`Kind::FaceValues`].
    FaceValues(Vec<FaceValue>),
}

const fn key(
    section: &'static str,
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    meaning: &'static str,
) -> Key {
    Key {
        section,
        name,
        kind,
        default,
        meaning,
    }
}

/// Every key, in the order of the template. `[[code_override]]` is a list and stands apart: see
/// [`OVERRIDE_KEYS`].
pub const KEYS: &[Key] = &[
    key(
        "juhe",
        "app_key",
        Kind::Secret,
        None,
        "Juhe's appkey; it travels with every call",
    ),
    key(
        "juhe",
        "open_id",
        Kind::Secret,
        None,
        "Juhe's OpenID; it signs and never travels",
    ),
    key(
        "juhe",
        "environment",
        Kind::Choice(&["production", "test"]),
        Some("production"),
        "which of Juhe's hosts; in production orders are charged",
    ),
    key(
        "juhe",
        "base_url",
        Kind::BaseUrl,
        None,
        "another address than the environment's: https, a proxy, the simulator",
    ),
    key(
        "juhe",
        "encoding",
        Kind::Choice(&["urlencoded", "multipart", "query"]),
        Some("urlencoded"),
        "how a submit's fields travel",
    ),
    key(
        "juhe",
        "face_values",
        Kind::FaceValues,
        Some("1,2,5,10,20,30,50,100,300"),
        "what Juhe sells to you, in whole yuan",
    ),
    key(
        "jisu",
        "app_key",
        Kind::Secret,
        None,
        "Jisu's appkey; it travels with every call",
    ),
    key(
        "jisu",
        "app_secret",
        Kind::Secret,
        None,
        "Jisu's appsecret; it signs and never travels",
    ),
    key(
        "jisu",
        "base_url",
        Kind::BaseUrl,
        Some("https://api.jisuapi.com"),
        "another address: a proxy, the simulator",
    ),
    key(
        "jisu",
        "sign_order",
        Kind::Choice(&["sorted", "documented-table"]),
        Some("sorted"),
        "the order of the signed values of telrecharge; try the other one on code 206",
    ),
    key(
        "jisu",
        "method",
        Kind::Choice(&["get", "post"]),
        Some("get"),
        "how a recharge's fields travel",
    ),
    key(
        "jisu",
        "landline_detail_path",
        Kind::Path,
        Some("/telrecharge/orderdetail"),
        "the path of a landline's order detail, which no document gives",
    ),
    key(
        "jisu",
        "landline_goods_path",
        Kind::Path,
        None,
        "the path of the landline goods, which no document gives; without it there are no landline quotes",
    ),
    key(
        "jisu",
        "landline_face_values",
        Kind::FaceValues,
        Some("20,50,100,200,500"),
        "what Jisu sells to you for landline and broadband, in whole yuan",
    ),
    key(
        "jisu",
        "mobile_face_values",
        Kind::FaceValues,
        Some("10,20,30,50,100,200,300,500"),
        "what Jisu sells to you for mobile numbers, in whole yuan",
    ),
    key(
        "http",
        "transport",
        Kind::Choice(&["reqwest", "hyper"]),
        Some("reqwest"),
        "reqwest: a fresh connection for each call. hyper: connections reused, no proxy",
    ),
    key(
        "http",
        "connect_timeout",
        Kind::Duration,
        Some("5s"),
        "the most that name resolution, TCP and TLS may take together",
    ),
    key(
        "http",
        "timeout",
        Kind::Duration,
        Some("30s"),
        "the most that a whole call may take; past it a submit's outcome is unknown",
    ),
    key(
        "http",
        "proxy",
        Kind::Proxy,
        None,
        "the HTTP proxy to send through; the environment's http_proxy is never used",
    ),
];

/// The list of changed codes.
pub const OVERRIDE: &str = "code_override";

/// The keys of a `[[code_override]]` and what they are for.
pub const OVERRIDE_KEYS: &[(&str, &str)] = &[
    ("provider", "juhe or jisu"),
    ("code", "the code, such as \"208502\""),
    (
        "class",
        "about a submit: not-accepted, unknown; in the answer to a question: not-found, rate-limited, maintenance, denied, refused, other",
    ),
];

impl Key {
    /// Section and name, such as `juhe.app_key`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable that overrides it, such as `RECHARGE_JUHE_APP_KEY`.
    pub fn variable(&self) -> String {
        format!("RECHARGE_{}_{}", self.section, self.name).to_ascii_uppercase()
    }

    /// The key of that section and name.
    pub fn find(section: &str, name: &str) -> Option<&'static Self> {
        KEYS.iter()
            .find(|key| key.section == section && key.name == name)
    }
}

impl Kind {
    /// What a value of this kind looks like in the file.
    pub fn right(self) -> String {
        match self {
            Self::Secret => {
                "write the secret as text in quotes, without spaces and line ends".to_owned()
            }
            Self::BaseUrl => {
                "write an address in quotes, such as \"https://example.com/juhe\", without user, ? and #"
                    .to_owned()
            }
            Self::Proxy => "write an address in quotes, such as \"http://proxy:3128\"".to_owned(),
            Self::Path => {
                "write a path in quotes, such as \"/telrecharge/orderdetail\": a slash first, no ? and no #"
                    .to_owned()
            }
            Self::Choice(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
                format!("write {}", names.join(" or "))
            }
            Self::Duration => duration::RIGHT.to_owned(),
            Self::FaceValues => {
                "write whole yuan above zero, such as [10, 50, 100] (in the environment: 10,50,100)"
                    .to_owned()
            }
        }
    }

    /// Reads a value as the environment has it. The error says what would be right and never what was
    /// given: a secret may have got into the wrong place.
    pub fn read(self, text: &str) -> Result<Value, String> {
        let read = match self {
            Self::Secret => {
                let usable = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
                usable.then(|| Value::Secret(text.into()))
            }
            Self::BaseUrl => recharge_http::form::BaseUrl::parse(text)
                .ok()
                .map(|url| Value::Text(url.as_str().to_owned())),
            Self::Proxy => text.parse().ok().map(Value::Proxy),
            Self::Path => {
                let usable = text.starts_with('/')
                    && text.bytes().all(|b| b.is_ascii_graphic())
                    && !text.contains(['?', '#']);
                usable.then(|| Value::Text(text.to_owned()))
            }
            Self::Choice(names) => names.contains(&text).then(|| Value::Text(text.to_owned())),
            Self::Duration => duration::parse(text).ok().map(Value::Duration),
            Self::FaceValues => face_values(text.split(',').map(str::trim)),
        };
        read.ok_or_else(|| self.right())
    }

    /// Reads a value as the file has it.
    pub(super) fn read_toml(self, value: &DeValue<'_>) -> Result<Value, String> {
        match (self, value) {
            (Self::FaceValues, DeValue::Array(items)) => face_values(
                items
                    .iter()
                    .map(|item| item.get_ref().as_integer().map_or("", |i| i.as_str())),
            )
            .ok_or_else(|| self.right()),
            (Self::FaceValues, _) => Err(self.right()),
            (_, DeValue::String(text)) => self.read(text),
            (_, _) => Err(self.right()),
        }
    }
}

impl Value {
    /// The value as it may be shown: no secret, no password.
    pub fn shown(&self) -> String {
        match self {
            Self::Secret(_) => "***".to_owned(),
            Self::Proxy(proxy) => proxy.to_string(),
            Self::Text(text) => text.clone(),
            Self::Duration(duration) => duration::show(*duration),
            Self::FaceValues(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                values.join(",")
            }
        }
    }
}

fn face_values<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Value> {
    let values = texts
        .map(|text| FaceValue::from_yuan(text.parse().ok()?).ok())
        .collect::<Option<Vec<FaceValue>>>()?;
    (!values.is_empty()).then_some(Value::FaceValues(values))
}
