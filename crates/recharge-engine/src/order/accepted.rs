//! What is on record about an order before anything happens to it.

use std::fmt;

use recharge_core::{Account, Carrier, FaceValue, MerchantId, OrderId, ProviderId};

use crate::Moment;

/// What a merchant orders. The same name with the same content is the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewOrder {
    /// The merchant.
    pub merchant: MerchantId,
    /// The merchant's name for the order.
    pub order_id: OrderId,
    /// What is topped up.
    pub account: Account,
    /// By how much.
    pub amount: FaceValue,
    /// The carrier, where the upstream wants it named.
    pub carrier: Option<Carrier>,
    /// The only provider that it may go to, where the merchant has chosen one.
    pub provider: Option<ProviderId>,
    /// Where the merchant is told what becomes of it, where that was said.
    pub reply_to: Option<ReplyTo>,
}

/// Where a merchant is told what becomes of an order, in the words of whoever took it: the engine keeps
/// them and doesn't read them. `Debug` shows none of them: an address can hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplyTo(Box<str>);

/// Why a text can't say where a merchant is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "where the merchant is told is 1 to 2,048 bytes, without line breaks and other control characters"
)]
pub struct ReplyToError;

impl ReplyTo {
    /// Takes 1 to 2,048 bytes without control characters.
    pub fn parse(text: &str) -> Result<Self, ReplyToError> {
        let plain = !text.is_empty() && !text.chars().any(char::is_control);
        if plain && text.len() <= 2_048 {
            Ok(Self(text.into()))
        } else {
            Err(ReplyToError)
        }
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ReplyTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyTo(***)")
    }
}

impl NewOrder {
    /// An order that names no carrier, no provider and no place to be told.
    pub const fn new(
        merchant: MerchantId,
        order_id: OrderId,
        account: Account,
        amount: FaceValue,
    ) -> Self {
        Self {
            merchant,
            order_id,
            account,
            amount,
            carrier: None,
            provider: None,
            reply_to: None,
        }
    }
}

/// What is on record about an order before its first event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// What was ordered.
    pub what: NewOrder,
    /// When it was accepted.
    pub at: Moment,
    /// Whether it was accepted while a restored backup's hold was in force: then it may have been
    /// accepted, and sent, before.
    pub held: bool,
}
