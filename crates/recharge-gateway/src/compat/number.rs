//! The gateway's own number of an order, where an upstream's protocol has the upstream's: `sporder_id`,
//! `orderno`.
//!
//! `G`, the time of acceptance in China in 14 digits, and the store's key of at least six: such as
//! `G20270115160000000042`. It is made of what is on record and never changes; a shop may keep it, and show it
//! to whoever runs the gateway. Which upstream took the order, and under which number, is not told.

use recharge_core::MerchantId;
use recharge_engine::store::{OrderKey, Stored};
use recharge_engine::{Store, StoreError};

use crate::time;

const LETTER: &str = "G";
const TIME: usize = 14;
const KEY: usize = 6;

/// The number of an order.
pub fn of(order: &Stored) -> String {
    let accepted = time::digits(order.order.accepted().wall);
    format!("{LETTER}{accepted}{:0KEY$}", order.key.0)
}

/// The order of that number, if it is this merchant's.
pub(crate) async fn find(
    store: &dyn Store,
    merchant: &MerchantId,
    number: &str,
) -> Result<Option<Stored>, StoreError> {
    let Some(key) = key(number) else {
        return Ok(None);
    };
    let found = store.read(key).await?;
    // Whoever counts keys up must not learn whether another merchant has an order of that key.
    Ok(found.filter(|it| it.order.what().merchant == *merchant && of(it) == number))
}

fn key(number: &str) -> Option<OrderKey> {
    let digits = number.strip_prefix(LETTER)?;
    let (time, key) = digits.split_at_checked(TIME)?;
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !plain(time) || !plain(key) || key.len() < KEY {
        return None;
    }
    key.parse().ok().map(OrderKey)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use recharge_core::{Account, AccountKind, FaceValue, OrderId};
    use recharge_engine::{Acceptance, Epoch, Moment, NewOrder, Order, WallTime};

    use super::*;

    fn stored(key: u64) -> Stored {
        let what = NewOrder::new(
            MerchantId::parse("shop").unwrap(),
            OrderId::parse("A0000001").unwrap(),
            Account::parse(AccountKind::Mobile, "18900001234").unwrap(),
            FaceValue::from_yuan(10).unwrap(),
        );
        let at = Moment {
            wall: WallTime::from_millis(1_800_000_000_123),
            epoch: Epoch(1),
            monotonic: Duration::ZERO,
        };
        let acceptance = Acceptance {
            what,
            at,
            held: false,
        };
        Stored {
            key: OrderKey(key),
            order: Order::accept(acceptance),
        }
    }

    #[test]
    fn a_number_has_the_time_in_china_and_the_key() {
        assert_eq!(of(&stored(42)), "G20270115160000000042");
        assert_eq!(of(&stored(12_345_678)), "G2027011516000012345678");
    }

    #[test]
    fn the_key_is_read_back_and_nothing_else_is_one() {
        for at in [0, 1, 42, 999_999, 1_000_000, u64::MAX] {
            assert_eq!(key(&of(&stored(at))), Some(OrderKey(at)));
        }
        for wrong in [
            "",
            "G",
            "G20270115160000",
            "G2027011516000000042",
            "J20270115160000000042",
            "G2027011516000x000042",
            "G20270115160000+00042",
            "G2027011516000099999999999999999999",
            "G宽宽宽宽宽000042",
        ] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }
}
