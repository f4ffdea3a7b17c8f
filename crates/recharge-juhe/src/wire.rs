//! Juhe's answers as they are written, field by field.
//!
//! Every scalar is a [`Text`]: numbers and strings are mixed in the wild (H), and a price must not go
//! through a float. A field that is missing, `null`, `""` or `[]` is empty. Unknown fields are ignored;
//! one of these that comes twice makes the answer unreadable.

use recharge_core::{Money, UpstreamState};
use recharge_http::judge;
use recharge_http::read::{AccountText, Loose, Rows, Text};
use serde::Deserialize;

/// The outer shape of every answer (S): `{"reason": …, "result": …, "error_code": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Envelope<T> {
    /// The message.
    #[serde(default)]
    pub reason: Text,
    /// What was asked for: an object, `null` or `[]`.
    #[serde(default = "Loose::default")]
    pub result: Loose<T>,
    /// 0 means that the call was understood.
    #[serde(default)]
    pub error_code: Text,
}

impl<T> judge::Envelope for Envelope<T>
where
    Self: serde::de::DeserializeOwned,
{
    fn code(&self) -> &str {
        self.error_code.as_str()
    }

    fn message(&self) -> &str {
        self.reason.as_str()
    }
}

/// An order, as submit, status and list show it; each of them gives some of these fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Order {
    /// The product's number.
    #[serde(default)]
    pub cardid: Text,
    /// A **quantity**, not the face value (S).
    #[serde(default)]
    pub cardnum: Text,
    /// The price in yuan, in the answer to a submit.
    #[serde(default)]
    pub ordercash: Text,
    /// What was deducted, in yuan, in status and list.
    #[serde(default)]
    pub uordercash: Text,
    /// The product's name, such as 江苏电信话费1元. For people: nothing is read out of it.
    #[serde(default)]
    pub cardname: Text,
    /// Juhe's own number.
    #[serde(default)]
    pub sporder_id: Text,
    /// The number that we sent.
    #[serde(default)]
    pub uorderid: Text,
    /// The phone.
    #[serde(default)]
    pub game_userid: AccountText,
    /// The state: see [`Order::state`].
    #[serde(default)]
    pub game_state: Text,
    /// When it was made, in the list.
    #[serde(default)]
    pub addtime: Text,
}

impl Order {
    /// The state (S): 0 charging, 1 succeeded, 9 failed or cancelled, -1 not taken on. `None` for any
    /// other.
    pub fn state(&self) -> Option<UpstreamState> {
        match self.game_state.as_str() {
            "0" => Some(UpstreamState::Charging),
            "1" => Some(UpstreamState::Succeeded),
            "9" | "-1" => Some(UpstreamState::Failed),
            _ => None,
        }
    }

    /// What was deducted, or else the price. `None` when neither is a readable amount.
    pub fn price(&self) -> Option<Money> {
        self.uordercash.money().or_else(|| self.ordercash.money())
    }
}

/// A product and its price: the answer to telquery (S). That to telcheck is empty (H).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Product {
    /// The product's number.
    pub cardid: Text,
    /// The product's name.
    pub cardname: Text,
    /// The price in yuan.
    pub inprice: Text,
    /// Region and carrier, such as 浙江杭州移动.
    pub game_area: Text,
}

/// The answer to yue (M).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Balance {
    /// The merchant's user at Juhe.
    pub uid: Text,
    /// The balance in yuan.
    pub money: Text,
}

/// The answer to orderlist (M).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct OrderList {
    /// Orders in all.
    pub totalcount: Text,
    /// Pages in all.
    pub totalpage: Text,
    /// This page.
    pub page: Text,
    /// Orders to a page.
    pub pagesize: Text,
    /// The orders of this page; `None` when the answer has no such field.
    pub data: Option<Rows<Order>>,
}
