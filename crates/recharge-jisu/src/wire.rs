//! Jisu's answers as they are written, field by field.
//!
//! Every scalar is a [`Text`]: the document's table says int where its sample has strings (S), and a
//! price must not go through a float. A field that is missing, `null`, `""` or `[]` is empty. Unknown
//! fields are ignored; one of these that comes twice makes the answer unreadable.

use std::fmt;
use std::marker::PhantomData;

use recharge_core::{Money, UpstreamState};
use recharge_http::judge;
use recharge_http::read::{AccountText, Loose, Rows, Text};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The outer shape of every answer (S): `{"status": …, "msg": …, "result": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Envelope<T> {
    /// 0 means that the call was understood. The first of **three** things called status.
    #[serde(default)]
    pub status: Text,
    /// The message.
    #[serde(default)]
    pub msg: Text,
    /// What was asked for.
    #[serde(default = "Loose::default")]
    pub result: Loose<T>,
}

impl<T> judge::Envelope for Envelope<T>
where
    Self: serde::de::DeserializeOwned,
{
    fn code(&self) -> &str {
        self.status.as_str()
    }

    fn message(&self) -> &str {
        self.msg.as_str()
    }
}

/// An order, as recharge, order detail and order list show it; each of them gives some of these fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Order {
    /// The account, in the answer to `telrecharge`.
    pub tel: AccountText,
    /// The account, in the answer to `mobilerecharge`.
    pub mobile: AccountText,
    /// The account, in detail and list.
    pub account: AccountText,
    /// The face value: `100` or `10.00`.
    pub amount: Text,
    /// A quantity.
    pub num: Text,
    /// The number that we sent; empty in the sample of a recharge (S).
    pub outorderno: Text,
    /// Jisu's own number.
    pub orderno: Text,
    /// The price in yuan. It may rise while the vendor retries the order; detail is authoritative (H).
    pub totalfee: Text,
    /// Another name of the price, in the document's sample code (S).
    pub actuallytotalfee: Text,
    /// The price of one, in the list.
    pub price: Text,
    /// The carrier's number.
    pub teltype: Text,
    /// The number of the account's kind.
    pub rechargetype: Text,
    /// What became of the money: see [`Order::state`]. The second thing called status.
    pub rechargestatus: Text,
    /// 1: the order's *record* is complete. The third thing called status; it says nothing about the
    /// money.
    pub status: Text,
    /// When it was made, in unix seconds.
    pub addtime: Text,
    /// The product's name.
    pub name: Text,
    /// The region's number.
    pub areaid: Text,
    /// The carrier.
    pub company: Text,
}

impl Order {
    /// The state (H): 0 charging, 1 succeeded, 2 failed. `None` for any other.
    pub fn state(&self) -> Option<UpstreamState> {
        state(self.rechargestatus.as_str())
    }

    /// The price under either name. `None` when neither is a readable amount.
    pub fn cost(&self) -> Option<Money> {
        self.totalfee
            .money()
            .or_else(|| self.actuallytotalfee.money())
    }
}

/// The states that callbacks and answers share.
pub(crate) fn state(text: &str) -> Option<UpstreamState> {
    match text {
        "0" => Some(UpstreamState::Charging),
        "1" => Some(UpstreamState::Succeeded),
        "2" => Some(UpstreamState::Failed),
        _ => None,
    }
}

/// A product and its price (M).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Good {
    /// The product's name.
    pub name: Text,
    /// The region's number.
    pub areaid: Text,
    /// The carrier.
    pub company: Text,
    /// The price in yuan.
    pub price: Text,
    /// The face value.
    pub amount: Text,
}

/// Rows of a list: the answer to order list and goods. Only the rows are documented, not what holds
/// them, so that both a bare array and an object with a `list` are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List<T> {
    /// Rows in all, where the answer says.
    pub total: Text,
    /// The rows; `None` when the answer has none of the known shapes.
    pub list: Option<Vec<T>>,
}

#[derive(Deserialize)]
struct Listed<T> {
    #[serde(default)]
    total: Text,
    #[serde(default = "Option::default")]
    list: Option<Rows<T>>,
}

/// An answer whose result is a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListEnvelope<T> {
    /// 0 means that the call was understood.
    #[serde(default)]
    pub status: Text,
    /// The message.
    #[serde(default)]
    pub msg: Text,
    /// The list.
    #[serde(default = "empty_list", bound(deserialize = "T: Deserialize<'de>"))]
    pub result: List<T>,
}

fn empty_list<T>() -> List<T> {
    List {
        total: Text::default(),
        list: None,
    }
}

impl<T> judge::Envelope for ListEnvelope<T>
where
    Self: serde::de::DeserializeOwned,
{
    fn code(&self) -> &str {
        self.status.as_str()
    }

    fn message(&self) -> &str {
        self.msg.as_str()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array, or an object with a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                let Rows(rows) = Rows::deserialize(SeqAccessDeserializer::new(seq))?;
                Ok(List {
                    list: Some(rows),
                    ..empty_list()
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let Listed { total, list } = Listed::deserialize(MapAccessDeserializer::new(map))?;
                Ok(List {
                    total,
                    list: list.map(|Rows(rows)| rows),
                })
            }

            // An error answer's result may be anything, and its code must be readable all the same.
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(empty_list())
            }

            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(empty_list())
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(empty_list())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(empty_list())
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(empty_list())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(empty_list())
            }
        }

        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}
