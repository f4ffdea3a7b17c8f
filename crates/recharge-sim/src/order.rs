//! What the world knows about one order number.

use std::fmt;
use std::time::Duration;

use recharge_core::Money;

use crate::catalogue::Goods;
use crate::config::Upstream;
use crate::hidden::Masked;
use crate::ledger::{LedgerRow, LedgerState};

/// The upstream and the merchant's order number.
pub(crate) type Key = (Upstream, String);

/// Jisu sells mobile and fixed-line recharge as two products, each with its own paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    /// A mobile phone.
    Mobile,
    /// A landline, broadband or both: `teltype`, `rechargetype`.
    Line {
        /// 1 Unicom, 2 Telecom, 3 Tietong, 4 Mobile.
        tel_type: u8,
        /// 1 landline, 2 broadband, 3 combined.
        recharge_type: u8,
    },
}

/// A submit that passed every check but those for duplicates and balance.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) upstream: Upstream,
    pub(crate) product: Product,
    pub(crate) order_id: String,
    pub(crate) account: String,
    /// As received.
    pub(crate) amount: String,
    pub(crate) face: u32,
    pub(crate) goods: Goods,
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wanted")
            .field("upstream", &self.upstream)
            .field("product", &self.product)
            .field("order_id", &self.order_id)
            .field("account", &Masked(&self.account))
            .field("amount", &self.amount)
            .field("face", &self.face)
            .field("goods", &self.goods)
            .finish()
    }
}

impl Wanted {
    pub(crate) fn key(&self) -> Key {
        (self.upstream, self.order_id.clone())
    }
}

/// Where a taken order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Charging,
    Succeeded,
    /// Juhe 9, Jisu 2.
    Failed,
    /// Juhe -1; Jisu has no such state and says 2.
    NotTakenOn,
}

/// An order that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) wanted: Wanted,
    pub(crate) upstream_id: String,
    /// Unix seconds.
    pub(crate) taken_at: u64,
    pub(crate) phase: Phase,
    /// How it will end.
    pub(crate) end: Phase,
    /// What the end turns into later: only a liar's orders have that.
    pub(crate) reversed_end: Option<Phase>,
    /// How long after being taken it ends; `None`: when stepped.
    pub(crate) settle_after: Option<Duration>,
}

impl Order {
    pub(crate) fn price(&self) -> Money {
        self.wanted.goods.price
    }

    /// Whether the merchant's money is gone.
    pub(crate) fn is_charged(&self) -> bool {
        match self.phase {
            Phase::Charging | Phase::Succeeded => true,
            Phase::Failed | Phase::NotTakenOn => false,
        }
    }

    /// What was deducted and not given back.
    pub(crate) fn deducted(&self) -> Money {
        if self.is_charged() {
            self.price()
        } else {
            Money::ZERO
        }
    }
}

/// Everything on record about one order number.
#[derive(Clone, Default)]
pub(crate) struct Record {
    pub(crate) account: String,
    pub(crate) amount: String,
    pub(crate) submits: u32,
    pub(crate) order: Option<Order>,
    /// A plain refusal was shown. Copies of a packet that arrive afterwards must not be taken.
    pub(crate) refused: bool,
    /// A query has shown the order: from then on it is never "not found".
    pub(crate) shown: bool,
    /// How often a query has hidden the order.
    pub(crate) hidden: u32,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("account", &Masked(&self.account))
            .field("amount", &self.amount)
            .field("submits", &self.submits)
            .field("order", &self.order)
            .field("refused", &self.refused)
            .field("shown", &self.shown)
            .field("hidden", &self.hidden)
            .finish()
    }
}

impl Record {
    pub(crate) fn row(&self, key: &Key) -> LedgerRow {
        LedgerRow {
            provider: key.0,
            order_id: key.1.clone(),
            upstream_id: self.order.as_ref().map(|order| order.upstream_id.clone()),
            account: self.account.clone(),
            amount: self.amount.clone(),
            state: match self.order.as_ref().map(|order| order.phase) {
                None => LedgerState::NotAccepted,
                Some(Phase::Charging) => LedgerState::Charging,
                Some(Phase::Succeeded) => LedgerState::Succeeded,
                Some(Phase::Failed | Phase::NotTakenOn) => LedgerState::Failed,
            },
            submits: self.submits,
            charges: self.charges(),
        }
    }

    pub(crate) fn charges(&self) -> u32 {
        u32::from(self.order.as_ref().is_some_and(Order::is_charged))
    }
}
