//! Which orders a demonstration places.

use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use recharge_core::{Account, AccountKind, Carrier, FaceValue, MerchantId, OrderId};
use recharge_engine::NewOrder;

use super::DemoError;

/// Whose orders they are.
pub(super) const MERCHANT: &str = "demo";

/// Mobile segments of four carriers, and face values that both upstreams sell.
const SEGMENTS: [&str; 6] = ["130", "138", "159", "186", "189", "192"];
const MOBILE_VALUES: [u32; 5] = [10, 20, 30, 50, 100];
const AREAS: [&str; 5] = ["010", "021", "0571", "0755", "0917"];
const FIXED_VALUES: [u32; 4] = [20, 50, 100, 200];
const FIXED_CARRIERS: [Carrier; 4] = [
    Carrier::Unicom,
    Carrier::Telecom,
    Carrier::Tietong,
    Carrier::Mobile,
];

/// `count` orders, each for an account of its own, so that the ledger can be read by account. The first
/// two are the documented samples: a mobile number for 1 yuan by Juhe, and the landline
/// `0571-56565366` of carrier Unicom for 100 yuan by Jisu. The others follow from the seed.
pub(super) fn orders(count: u32, seed: u64) -> Result<Vec<NewOrder>, DemoError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut used = BTreeSet::new();
    let mut orders = Vec::new();
    for index in 1..=count {
        let order = loop {
            let order = match index {
                1 => order(index, AccountKind::Mobile, "18912345678", 1, None),
                2 => order(
                    index,
                    AccountKind::Landline,
                    "0571-56565366",
                    100,
                    Some(Carrier::Unicom),
                ),
                _ => any(index, &mut rng),
            }?;
            if used.insert(order.account.clone()) {
                break order;
            }
        };
        orders.push(order);
    }
    Ok(orders)
}

fn any(index: u32, rng: &mut ChaCha8Rng) -> Result<NewOrder, DemoError> {
    let digits = |rng: &mut ChaCha8Rng, count: u32| {
        format!(
            "{:0width$}",
            rng.random_range(0..10_u32.pow(count)),
            width = count as usize
        )
    };
    let (kind, account) = match rng.random_range(0..10) {
        0..6 => (
            AccountKind::Mobile,
            format!("{}{}", pick(&SEGMENTS, rng), digits(rng, 8)),
        ),
        6 | 7 => (
            AccountKind::Landline,
            format!("{}-{}", pick(&AREAS, rng), digits(rng, 8)),
        ),
        8 => (AccountKind::Broadband, format!("hz{}", digits(rng, 8))),
        _ => (
            AccountKind::Combined,
            format!("{}-{}", pick(&AREAS, rng), digits(rng, 8)),
        ),
    };
    match kind {
        AccountKind::Mobile => order(index, kind, &account, pick(&MOBILE_VALUES, rng), None),
        AccountKind::Landline | AccountKind::Broadband | AccountKind::Combined => {
            let carrier = pick(&FIXED_CARRIERS, rng);
            order(
                index,
                kind,
                &account,
                pick(&FIXED_VALUES, rng),
                Some(carrier),
            )
        }
    }
}

fn pick<T: Copy, const N: usize>(choices: &[T; N], rng: &mut ChaCha8Rng) -> T {
    choices[rng.random_range(0..N)]
}

fn order(
    index: u32,
    kind: AccountKind,
    account: &str,
    yuan: u32,
    carrier: Option<Carrier>,
) -> Result<NewOrder, DemoError> {
    let mut order = NewOrder::new(
        MerchantId::parse(MERCHANT)?,
        OrderId::parse(&format!("demo-{index:04}"))?,
        Account::parse(kind, account)?,
        FaceValue::from_yuan(yuan)?,
    );
    order.carrier = carrier;
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_are_the_documented_samples() {
        let orders = orders(2, 7).unwrap();
        let shown = |order: &NewOrder| {
            (
                order.account.kind(),
                order.account.as_str().to_owned(),
                order.amount.yuan(),
                order.carrier,
            )
        };
        assert_eq!(
            shown(&orders[0]),
            (AccountKind::Mobile, "18912345678".to_owned(), 1, None)
        );
        let landline = (
            AccountKind::Landline,
            "0571-56565366".to_owned(),
            100,
            Some(Carrier::Unicom),
        );
        assert_eq!(shown(&orders[1]), landline);
    }

    #[test]
    fn the_same_seed_gives_the_same_orders_and_no_account_comes_twice() {
        let first = orders(300, 7).unwrap();
        assert_eq!(first, orders(300, 7).unwrap());
        assert_ne!(first, orders(300, 8).unwrap());
        let accounts: BTreeSet<_> = first.iter().map(|order| &order.account).collect();
        assert_eq!(accounts.len(), 300);
    }
}
