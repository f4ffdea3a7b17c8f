//! Every key of `recharge.toml`, as data: reading, the environment, checks and docs all go by it.

// Long because: it is one table, a row a key.

use super::Kind;

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

/// Every key, in the order of the template. `[[route]]` and `[[code_override]]` are lists and stand
/// apart: see [`ROUTE_KEYS`] and [`OVERRIDE_KEYS`].
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
    key(
        "lifecycle",
        "query_after",
        Kind::Waits,
        Some("5s,15s,30s,1m,2m,5m,10m,30m,1h"),
        "the gaps between questions about an order; the last repeats",
    ),
    key(
        "lifecycle",
        "confirm_failure_after",
        Kind::Wait,
        Some("1m"),
        "how long after an answer \"failed\" it is asked again; only a second one ends the order",
    ),
    key(
        "lifecycle",
        "not_found_quarantine",
        Kind::Wait,
        Some("30m"),
        "how long \"no such order\" proves nothing; a restart begins it again",
    ),
    key(
        "lifecycle",
        "not_found_answers",
        Kind::Count(10_000),
        Some("6"),
        "how many explicit \"no such order\" it takes before people are called",
    ),
    key(
        "lifecycle",
        "charging_limit",
        Kind::Wait,
        Some("24h"),
        "how long an order may be charging before people are called",
    ),
    key(
        "lifecycle",
        "unknown_limit",
        Kind::Wait,
        Some("2h"),
        "how long nobody may know of an order before people are called",
    ),
    key(
        "lifecycle",
        "send_deadline",
        Kind::Wait,
        Some("10s"),
        "how long after the intent was written down the first byte may go out",
    ),
    key(
        "lifecycle",
        "pending_limit",
        Kind::Wait,
        Some("30m"),
        "how long an order may wait to be sent; then it fails, unsent",
    ),
    key(
        "lifecycle",
        "not_sent_tries",
        Kind::Count(100),
        Some("3"),
        "how many times in a row \"not sent\" is tried again at a provider; then the next route",
    ),
    key(
        "lifecycle",
        "callback_gap",
        Kind::Wait,
        Some("30s"),
        "the least time between two questions that callbacks of one order cause",
    ),
    key(
        "lifecycle",
        "duplicate_window",
        Kind::Wait,
        Some("10m"),
        "how long a second order for the same account and face value is refused, unless it is allowed",
    ),
    key(
        "lifecycle",
        "watch_after",
        Kind::Waits,
        Some("10m,1h,6h,24h,72h,168h"),
        "when, after an end, it is asked again whether the end still holds",
    ),
    key(
        "store",
        "url",
        Kind::Store,
        Some("sqlite:recharge.sqlite"),
        "where orders are kept; --db goes before it",
    ),
    key(
        "store",
        "forget_accounts_after",
        Kind::Wait,
        None,
        "how long after its last event an ended order's account is masked, by `recharge serve`; never unless set",
    ),
    key(
        "people",
        "approvers",
        Kind::Names,
        None,
        "who may decide what takes two people; without two names nobody can on the command line",
    ),
    key(
        "limits",
        "in_flight",
        Kind::Count(10_000),
        Some("64"),
        "submits, and likewise questions, under way at one provider",
    ),
    key(
        "limits",
        "queries_per_second",
        Kind::Count(100_000),
        Some("500"),
        "questions a second to one provider",
    ),
    key(
        "limits",
        "submits_per_second",
        Kind::Count(100_000),
        None,
        "submits a second to one provider; unlimited unless set",
    ),
    key(
        "limits",
        "account_orders_per_day",
        Kind::Count(1_000_000),
        None,
        "orders a day for one account, failed ones not counted; unlimited unless set",
    ),
    key(
        "limits",
        "account_yuan_per_day",
        Kind::Count(1_000_000_000),
        None,
        "yuan a day for one account, by face value, failed orders not counted; unlimited unless set",
    ),
    key(
        "server",
        "listen",
        Kind::Listen,
        Some("127.0.0.1:8080"),
        "where `recharge serve` listens; port 0 is any free one",
    ),
    key(
        "server",
        "public_url",
        Kind::BaseUrl,
        None,
        "the address by which others reach it, behind a proxy say",
    ),
    key(
        "server",
        "master_key_file",
        Kind::File,
        None,
        "a file with the master key, 64 hexadecimal digits; RECHARGE_MASTER_KEY goes before it",
    ),
    key(
        "server",
        "requests_per_second",
        Kind::Count(1_000_000),
        None,
        "requests a second with one key; unlimited unless set",
    ),
    key(
        "server",
        "trusted_proxies",
        Kind::Networks,
        None,
        "proxies before it whose word about a client's address is taken",
    ),
    key(
        "server",
        "cors_origins",
        Kind::Origins,
        None,
        "web pages of these origins may call it; none unless set",
    ),
    key(
        "server",
        "metrics",
        Kind::Flag,
        Some("true"),
        "false: GET /metrics does not answer; it asks for no key and names nobody",
    ),
    key(
        "server",
        "balances_every",
        Kind::Duration,
        Some("10m"),
        "how often the upstreams are asked for our balances, for GET /metrics; 0s: never",
    ),
    key(
        "webhooks",
        "allow_private",
        Kind::Flag,
        Some("false"),
        "true: webhooks may go to loopback and private addresses",
    ),
    key(
        "callbacks",
        "per_second",
        Kind::Count(100_000),
        Some("500"),
        "callbacks a second that are taken, from all senders together",
    ),
    key(
        "callbacks",
        "juhe_from",
        Kind::Networks,
        None,
        "from where Juhe's callbacks may come; from anywhere unless set",
    ),
    key(
        "callbacks",
        "jisu_from",
        Kind::Networks,
        None,
        "from where Jisu's callbacks may come; from anywhere unless set",
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

/// The list of routes.
pub const ROUTE: &str = "route";

/// The keys of a `[[route]]` and what they are for.
pub const ROUTE_KEYS: &[(&str, &str)] = &[
    ("kind", "mobile, landline, broadband or combined"),
    (
        "providers",
        "in order of preference; left out: all that have an account, in the order of the file",
    ),
    ("face_values", "in whole yuan; left out: all that are sold"),
    ("price_ceiling", "the most that an order may cost, in yuan"),
    (
        "enabled",
        "false: nothing new is sent; what was sent is asked about",
    ),
    (
        "failover_after_failure",
        "true: sent on after a confirmed failure, though the first provider may still pay",
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

    /// What the variables of its table begin with, such as `RECHARGE_JUHE_`.
    pub(super) fn prefix(&self) -> String {
        format!("RECHARGE_{}_", self.section).to_ascii_uppercase()
    }

    /// The key of that section and name.
    pub fn find(section: &str, name: &str) -> Option<&'static Self> {
        KEYS.iter()
            .find(|key| key.section == section && key.name == name)
    }
}
