//! The verdict of a demonstration: what the merchant was told against what was really charged.
//!
//! It is computed from the simulator's ledger and from the states that were told, both as plain text. It
//! shares nothing with the engine, not even its types, so that a mistake there can't hide here.

use std::collections::BTreeMap;

use serde::Serialize;

/// What the merchant was told of one order.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// The account as ordered. No other order has it.
    pub(super) account: String,
    /// `succeeded`, `failed`, `review`, or anything else for an order that was left in between.
    pub(super) state: String,
}

/// One row of the ledger.
#[derive(Debug, Clone)]
pub(super) struct Booked {
    /// The account as the upstream received it.
    pub(super) account: String,
    /// Effective charges.
    pub(super) charges: u32,
}

/// The figures of a demonstration. The field names are what scripts read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Orders placed.
    pub orders: u32,
    /// Told to have succeeded.
    pub succeeded: u32,
    /// Told to have failed.
    pub failed: u32,
    /// On a person's desk, or left in between.
    pub review: u32,
    /// Orders whose customer was charged more than once.
    pub double_charges: u32,
    /// Orders that were left in between, and charges that belong to no order.
    pub lost: u32,
    /// Succeeded without a charge, or failed with one.
    pub wrong_end: u32,
    /// Faults that the simulator injected.
    pub faults_injected: u64,
}

impl Verdict {
    /// Whether nobody was charged twice, nothing was lost, and every end is true.
    pub const fn is_clean(&self) -> bool {
        self.double_charges == 0 && self.lost == 0 && self.wrong_end == 0
    }
}

/// Judges.
pub(super) fn judge(told: &[Told], ledger: &[Booked], faults_injected: u64) -> Verdict {
    // Upstreams write landlines with or without the dash.
    let plain = |account: &str| account.replace('-', "");
    let mut by_account: BTreeMap<String, u32> = BTreeMap::new();
    for row in ledger {
        *by_account.entry(plain(&row.account)).or_default() += row.charges;
    }
    let mut verdict = Verdict {
        orders: 0,
        succeeded: 0,
        failed: 0,
        review: 0,
        double_charges: 0,
        lost: 0,
        wrong_end: 0,
        faults_injected,
    };
    for order in told {
        let charged = by_account.remove(&plain(&order.account)).unwrap_or(0);
        verdict.orders += 1;
        verdict.double_charges += u32::from(charged > 1);
        match order.state.as_str() {
            "succeeded" => {
                verdict.succeeded += 1;
                verdict.wrong_end += u32::from(charged == 0);
            }
            "failed" => {
                verdict.failed += 1;
                verdict.wrong_end += u32::from(charged > 0);
            }
            "review" => verdict.review += 1,
            _ => {
                verdict.review += 1;
                verdict.lost += 1;
            }
        }
    }
    // What is left was charged to accounts that nobody ordered for.
    verdict.lost += by_account
        .values()
        .filter(|charged| **charged > 0)
        .map(|_| 1)
        .sum::<u32>();
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(account: &str, state: &str) -> Told {
        Told {
            account: account.to_owned(),
            state: state.to_owned(),
        }
    }

    fn booked(account: &str, charges: u32) -> Booked {
        Booked {
            account: account.to_owned(),
            charges,
        }
    }

    #[test]
    fn each_kind_of_harm_is_counted() {
        let verdict = judge(
            &[
                told("13800000001", "succeeded"),
                told("13800000002", "succeeded"),
                told("13800000003", "failed"),
                told("13800000004", "failed"),
                told("13800000005", "review"),
                told("13800000006", "charging"),
                told("0571-56565366", "succeeded"),
            ],
            &[
                booked("13800000001", 1),
                booked("13800000003", 1),
                booked("13800000005", 1),
                booked("13800000005", 1),
                booked("057156565366", 1),
                booked("13899999999", 1),
                booked("13899999998", 0),
            ],
            9,
        );
        let expected = Verdict {
            orders: 7,
            succeeded: 3,
            failed: 2,
            review: 2,
            double_charges: 1,
            lost: 2,
            wrong_end: 2,
            faults_injected: 9,
        };
        assert_eq!(verdict, expected);
        assert!(!verdict.is_clean());
        assert_eq!(
            verdict.succeeded + verdict.failed + verdict.review,
            verdict.orders
        );
    }

    #[test]
    fn one_charge_for_a_success_and_none_for_a_failure_is_clean() {
        let told = [
            told("13800000001", "succeeded"),
            told("13800000002", "failed"),
        ];
        let verdict = judge(
            &told,
            &[booked("13800000001", 1), booked("13800000002", 0)],
            0,
        );
        assert!(verdict.is_clean());
    }
}
