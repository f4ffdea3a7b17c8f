//! Which orders are placed.

use std::fmt::Write as _;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// An order, as it is handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Its id. Juhe's protocol takes letters and digits alone.
    pub(crate) order_id: String,
    pub(crate) kind: &'static str,
    /// Its account. No other order has it, so that the ledger can be read by account.
    pub(crate) account: String,
    /// Its face value in whole yuan.
    pub(crate) yuan: u32,
    pub(crate) carrier: &'static str,
}

/// `count` orders that follow from the seed: four of five for mobile numbers, one for a landline.
pub(crate) fn orders(count: usize, seed: u64) -> Vec<Wanted> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (1..=count)
        .map(|at| {
            let landline = rng.random_range(0..5) == 0;
            let salt: u32 = rng.random_range(0..1_000);
            Wanted {
                order_id: format!("crash{at:04}"),
                kind: if landline { "landline" } else { "mobile" },
                account: if landline {
                    format!("0571-5{salt:03}{at:04}")
                } else {
                    format!("1380{salt:03}{at:04}")
                },
                yuan: if landline { 100 } else { 10 },
                carrier: if landline { "telecom" } else { "" },
            }
        })
        .collect()
}

/// The file that the command is given.
pub(crate) fn file(orders: &[Wanted]) -> String {
    let mut text = String::from("order_id,kind,account,amount,carrier\n");
    for order in orders {
        let Wanted {
            order_id,
            kind,
            account,
            yuan,
            carrier,
        } = order;
        // Writing to a String can't fail.
        let _ = writeln!(text, "{order_id},{kind},{account},{yuan},{carrier}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_account_comes_twice_and_the_same_seed_gives_the_same_orders() {
        let first = orders(500, 7);
        let accounts: BTreeSet<_> = first.iter().map(|order| &order.account).collect();
        assert_eq!(accounts.len(), 500);
        assert_eq!(first, orders(500, 7));
        assert_ne!(first, orders(500, 8));
        assert!(first.iter().any(|order| order.kind == "landline"));
    }
}
