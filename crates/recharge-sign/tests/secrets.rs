//! Secrets are not to be had from what this crate prints.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recharge_sign::jisu::{self, SignOrder};
use recharge_sign::{Explained, juhe};

/// Short enough that a signer keeps all of it in clear behind the first block.
const OPENID: &str = "CANARY-OPENID";
const KEY: &str = "CANARY-KEY";
const PHONE: &str = "18912345678";

fn explained() -> [Explained; 4] {
    let request = [("appkey", KEY), ("tel", PHONE), ("amount", "100")];
    [
        juhe::explain_submit(OPENID, KEY, PHONE, "100", "A1"),
        juhe::explain_balance(OPENID, KEY, "1461309295"),
        juhe::explain_callback(KEY, "J1", "A1"),
        jisu::explain(SignOrder::Sorted, request, "CANARY-SECRET").unwrap(),
    ]
}

#[test]
fn a_signer_shows_nothing() {
    assert_eq!(
        format!("{:?}", juhe::Signer::new(OPENID, KEY)),
        "Signer { .. }"
    );
}

#[test]
fn lesson_14_an_explanation_masks_the_secrets() {
    for explained in explained() {
        let shown = format!("{explained} {explained:?} {:?}", explained.parameters());
        assert!(!shown.contains("CANARY"), "{shown}");
        assert!(explained.string_to_sign().contains("***"), "{shown}");
    }
}

#[test]
fn debug_of_an_explanation_shows_no_phone_number() {
    for explained in explained() {
        let shown = format!("{explained:?}");
        assert!(!shown.contains(PHONE), "{shown}");
        assert!(shown.contains(&explained.digest().to_string()), "{shown}");
    }
}
