//! Orders as a shop places them, and what came of it, before it is put into an upstream's words.

use recharge_core::{Account, Carrier, FaceValue, OrderId};
use recharge_engine::store::Stored;
use recharge_engine::{AcceptError, NewOrder, ReplyTo, StoreError};

use super::catalogue::Sold;
use super::{Compat, REPLY_TO};
use crate::ring::Key;
use crate::trace;

/// What came of it.
#[derive(Debug)]
pub(super) enum Submitted {
    /// It is accepted, durably.
    New(Box<Stored>),
    /// There is an order of that number. What it charges is not compared in the answer: the original says the
    /// same to either.
    Repeated,
    /// Nothing was taken: the face value is not sold at all.
    WrongAmount,
    /// Nothing was taken: this account can't have this now.
    NotSold,
    /// Nothing was taken, for sure: the store can't be written.
    NotTaken,
    /// Nobody knows whether it was taken.
    InDoubt,
}

/// An order as it came, checked.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) order_id: OrderId,
    pub(super) account: Account,
    pub(super) amount: FaceValue,
    pub(super) carrier: Option<Carrier>,
}

impl Compat {
    /// Places an order under a credential. Neither upstream keeps a second charge of the same number from
    /// being made under another order number, so shops expect none to be: no such guard is asked for here.
    pub(super) async fn submit(&self, key: &Key, wanted: Wanted) -> Submitted {
        let (kind, amount) = (wanted.account.kind(), wanted.amount);
        let Ok(reply_to) = ReplyTo::parse(&[REPLY_TO, &key.stored.id].concat()) else {
            return Submitted::InDoubt;
        };
        trace::order(&wanted.order_id);
        let merchant = key.stored.merchant.clone();
        let mut what = NewOrder::new(merchant, wanted.order_id, wanted.account, amount);
        what.carrier = wanted.carrier;
        what.reply_to = Some(reply_to);
        match self.app.driver.accept(what, true).await {
            Ok(accepted) if accepted.new => Submitted::New(Box::new(accepted.stored)),
            Ok(_) => Submitted::Repeated,
            Err(error) => not_accepted(error, || Sold::of(&self.app.providers, kind, amount)),
        }
    }
}

/// Why an order is not accepted, as its shop is told; what is sold is looked up where it matters.
fn not_accepted(error: AcceptError, sold: impl FnOnce() -> Sold) -> Submitted {
    match error {
        AcceptError::Conflict => Submitted::Repeated,
        AcceptError::NotOffered(_) => match sold() {
            Sold::OtherAmounts => Submitted::WrongAmount,
            Sold::Yes | Sold::No => Submitted::NotSold,
        },
        // The second can't be: it was allowed. If it is, nothing has changed all the same.
        AcceptError::AccountLimit { .. } | AcceptError::Duplicate { .. } => Submitted::NotSold,
        AcceptError::Store(error) => {
            tracing::error!(%error, "the store did not take an order");
            match error {
                StoreError::Unavailable(_) | StoreError::Refused(_) => Submitted::NotTaken,
                _ => Submitted::InDoubt,
            }
        }
        // `Stopping`: a driver says so of orders, too, that it may have accepted a moment before. Also what is
        // added to these later: it is not known to say that nothing was taken.
        _ => Submitted::InDoubt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_is_told_that_nothing_was_taken_only_where_that_is_sure() {
        let why = || String::from("why");
        for (error, told) in [
            (AcceptError::Conflict, "Repeated"),
            (AcceptError::NotOffered(why()), "NotSold"),
            (
                AcceptError::Store(StoreError::Unavailable(why())),
                "NotTaken",
            ),
            (AcceptError::Store(StoreError::Refused(why())), "NotTaken"),
            (AcceptError::Store(StoreError::Unknown(why())), "InDoubt"),
            (AcceptError::Store(StoreError::Damaged(why())), "InDoubt"),
            (AcceptError::Stopping, "InDoubt"),
        ] {
            let text = format!("{error:?}");
            let found = not_accepted(error, || Sold::No);
            assert_eq!(format!("{found:?}"), told, "{text}");
        }
        let found = not_accepted(AcceptError::NotOffered(why()), || Sold::OtherAmounts);
        assert!(matches!(found, Submitted::WrongAmount), "{found:?}");
    }
}
