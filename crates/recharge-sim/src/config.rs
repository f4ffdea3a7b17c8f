//! What a [`World`](crate::World) is made of: credentials, balances, face values, times.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use recharge_core::Money;
use serde::{Deserialize, Serialize};

use crate::plan::FaultPlan;

/// Which upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upstream {
    /// 聚合数据.
    Juhe,
    /// 极速数据.
    Jisu,
}

impl Upstream {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Juhe, Self::Jisu];

    /// `juhe` or `jisu`, as in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Juhe => "juhe",
            Self::Jisu => "jisu",
        }
    }

    /// The upstream of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|upstream| upstream.as_str() == name)
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The Juhe key that the simulator expects unless told otherwise. Not a secret: it opens nothing else.
pub const DEFAULT_JUHE_KEY: &str = "0123456789abcdef0123456789abcdef";
/// The Juhe OpenID that the simulator expects unless told otherwise.
pub const DEFAULT_JUHE_OPENID: &str = "JHsimulator00000000000000000000000";
/// The Jisu appkey that the simulator expects unless told otherwise.
pub const DEFAULT_JISU_APPKEY: &str = "simulatorappkey0";
/// The Jisu appsecret that the simulator expects unless told otherwise.
pub const DEFAULT_JISU_APPSECRET: &str = "simulatorappsecret00000000000000";

/// Who may call. `Debug` hides all four.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Juhe's appkey, sent as `key`.
    pub juhe_key: String,
    /// Juhe's OpenID: signed, never sent.
    pub juhe_openid: String,
    /// Jisu's appkey, sent as `appkey`.
    pub jisu_appkey: String,
    /// Jisu's appsecret: signed, never sent.
    pub jisu_appsecret: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            juhe_key: DEFAULT_JUHE_KEY.to_owned(),
            juhe_openid: DEFAULT_JUHE_OPENID.to_owned(),
            jisu_appkey: DEFAULT_JISU_APPKEY.to_owned(),
            jisu_appsecret: DEFAULT_JISU_APPSECRET.to_owned(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// Which order of the signed values `telrecharge/recharge` accepts. The merchant's own document
/// contradicts itself, and which order the real upstream wants is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JisuSignOrder {
    /// By the parameters' real names: `amount, outorderno, rechargetype, tel, teltype`.
    #[default]
    Sorted,
    /// As the document's table: `amount, mobile, outorderno, rechargetype, teltype`, the account in
    /// the place of `mobile`.
    DocumentedTable,
    /// Either is accepted.
    Either,
}

impl JisuSignOrder {
    /// Every setting.
    pub const ALL: [Self; 3] = [Self::Sorted, Self::DocumentedTable, Self::Either];

    /// The name in a scenario file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sorted => "sorted",
            Self::DocumentedTable => "documented-table",
            Self::Either => "either",
        }
    }

    /// The setting of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == name)
    }
}

/// How `orderdetail` says that there is no such order. No source shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JisuNoSuchOrder {
    /// `status` 0 with an empty `result` (`""`).
    #[default]
    EmptyResult,
    /// This code.
    Code(u32),
}

/// When a taken order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// This long after it was taken.
    After(Duration),
    /// Only when stepped.
    WhenStepped,
}

/// What a [`World`](crate::World) is made of.
#[derive(Debug, Clone)]
pub struct WorldConfig {
    /// Who may call.
    pub credentials: Credentials,
    /// The seed of everything random. Draws are tied to the order number and to how often it was
    /// called about, so that calls that overtake each other change nothing for other orders.
    pub seed: u64,
    /// When taken orders end. Default: after two seconds.
    pub settle: Settle,
    /// What the merchant has at Juhe. Default: a million yuan.
    pub juhe_balance: Money,
    /// What the merchant has at Jisu. Default: a million yuan.
    pub jisu_balance: Money,
    /// Which signature `telrecharge/recharge` accepts.
    pub jisu_sign_order: JisuSignOrder,
    /// How Jisu answers a query for an order that it does not have.
    pub jisu_no_such_order: JisuNoSuchOrder,
    /// Face values that Juhe sells, in yuan.
    pub juhe_face_values: Vec<u32>,
    /// Face values of Jisu's mobile recharge, in yuan.
    pub jisu_mobile_face_values: Vec<u32>,
    /// Face values of Jisu's landline and broadband recharge, in yuan.
    pub jisu_tel_face_values: Vec<u32>,
    /// More paths, each with the documented one it stands for, such as a goods path of `telrecharge`
    /// that is named otherwise (its real name is not known; `/telrecharge/goods` is served).
    pub aliases: BTreeMap<String, String>,
    /// Unix seconds at the world's start, for `addtime` and the upstream's own order numbers. The
    /// default is fixed, so that a world is repeatable; the server sets the present time.
    pub started_at: u64,
    /// Whether finished orders are called back. The server sets it when it has an address.
    pub callbacks: bool,
    /// What goes wrong. Default: nothing.
    pub faults: FaultPlan,
}

impl Default for WorldConfig {
    fn default() -> Self {
        let million = Money::from_yuan(1_000_000).unwrap_or(Money::MAX);
        Self {
            credentials: Credentials::default(),
            seed: 0,
            settle: Settle::After(Duration::from_secs(2)),
            juhe_balance: million,
            jisu_balance: million,
            jisu_sign_order: JisuSignOrder::default(),
            jisu_no_such_order: JisuNoSuchOrder::default(),
            juhe_face_values: vec![1, 2, 5, 10, 20, 30, 50, 100, 300],
            jisu_mobile_face_values: vec![10, 20, 30, 50, 100, 200, 300, 500],
            jisu_tel_face_values: vec![20, 50, 100, 200, 500],
            aliases: BTreeMap::new(),
            started_at: 1_461_309_295,
            callbacks: false,
            faults: FaultPlan::off(),
        }
    }
}
