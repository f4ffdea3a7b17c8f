//! The gateway's own number for an order: what the upstreams call `sporder_id` and `orderno`.
//!
//! `G`, the time of acceptance in China as fourteen digits, and the order's key in at least six: unique,
//! because keys are, and read back without looking anything up.

use recharge_engine::store::{OrderKey, Stored};

use crate::time;

const LETTER: char = 'G';
/// How many digits the time has.
const TIME: usize = 14;
/// How many the key has at least.
const KEY: usize = 6;

/// The number of an order, such as `G20270115160000000042`.
pub fn of(stored: &Stored) -> String {
    let accepted = time::compact(stored.order.accepted().wall);
    format!("{LETTER}{accepted}{:0width$}", stored.key.0, width = KEY)
}

/// The key that a number names. Whether it is that order's number is for [`is`] to say: the time may be
/// another.
pub fn key(number: &str) -> Option<OrderKey> {
    let digits = number.strip_prefix(LETTER)?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let (_, key) = digits.split_at_checked(TIME).filter(|_| plain)?;
    let shortest = key.len() == KEY || (key.len() > KEY && !key.starts_with('0'));
    if !shortest {
        return None;
    }
    key.parse().ok().map(OrderKey)
}

/// Whether this is the order's number, to the letter.
pub fn is(stored: &Stored, number: &str) -> bool {
    of(stored) == number
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use recharge_core::{Account, AccountKind, FaceValue, MerchantId, OrderId};
    use recharge_engine::{Acceptance, Epoch, Moment, NewOrder, Order, WallTime};

    fn stored(key: u64, millis: i64) -> Stored {
        let what = NewOrder::new(
            MerchantId::parse("shop").unwrap(),
            OrderId::parse("A0000001").unwrap(),
            Account::parse(AccountKind::Mobile, "18900001234").unwrap(),
            FaceValue::from_yuan(100).unwrap(),
        );
        let at = Moment {
            wall: WallTime::from_millis(millis),
            epoch: Epoch(1),
            monotonic: std::time::Duration::ZERO,
        };
        Stored {
            key: OrderKey(key),
            order: Order::accept(Acceptance {
                what,
                at,
                held: false,
            }),
        }
    }

    #[test]
    fn a_number_is_the_time_in_china_and_the_key() {
        let order = stored(42, 1_800_000_000_123);
        assert_eq!(of(&order), "G20270115160000000042");
        assert_eq!(key("G20270115160000000042"), Some(OrderKey(42)));
        assert!(is(&order, "G20270115160000000042"));
        assert!(!is(&order, "G20270115160001000042"), "another time");
    }

    #[test]
    fn what_is_not_to_the_letter_a_number_is_none() {
        for wrong in [
            "",
            "G",
            "20270115160000000042",
            "g20270115160000000042",
            "G2027011516000000042",
            "G202701151600000000042",
            "G2027011516000000004x",
            "G20270115160000+00042",
            "G2027011516000099999999999999999999999",
            "G2027011516000\u{661}000042",
        ] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_read_back(key_ in 1..u64::MAX, millis in 0..4_000_000_000_000_i64) {
            let order = stored(key_, millis);
            prop_assert_eq!(key(&of(&order)), Some(order.key));
        }

        #[test]
        fn no_text_is_too_much(text: String) {
            let _ = key(&text);
        }
    }
}
