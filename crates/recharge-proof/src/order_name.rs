//! What tells one order from another: merchants give the same names.

use std::fmt;

use recharge_core::{MerchantId, OrderId};
use recharge_engine::NewOrder;

/// An order, by its merchant and the merchant's name for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderName {
    pub(crate) merchant: MerchantId,
    pub(crate) order_id: OrderId,
}

impl OrderName {
    /// That of the order of this place in a case: two merchants take turns, and each counts its own.
    pub(crate) fn nth(order: usize) -> Option<Self> {
        let merchant = if order.is_multiple_of(2) {
            "shop"
        } else {
            "shop1"
        };
        // One after the other, "shop1" and "x0" is what "shop" and "1x0" is.
        let turn = order / 2;
        let lead = if turn.is_multiple_of(2) { "" } else { "1" };
        Some(Self {
            merchant: MerchantId::parse(merchant).ok()?,
            order_id: OrderId::parse(&format!("{lead}x{}", turn / 2)).ok()?,
        })
    }

    pub(crate) fn of(order: &NewOrder) -> Self {
        Self {
            merchant: order.merchant.clone(),
            order_id: order.order_id.clone(),
        }
    }
}

impl fmt::Display for OrderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.merchant, self.order_id)
    }
}
