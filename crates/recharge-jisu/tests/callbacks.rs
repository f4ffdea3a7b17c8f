//! Callbacks: genuine, forged, unusable, and what a genuine one doesn't prove.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{NUMBER, PHONE, SECRET, answering};
use proptest::prelude::*;
use recharge_core::{Callback, CallbackError, Provider, UpstreamState};
use recharge_jisu::{SignOrder, callback};
use recharge_sign::jisu;

const ORDERNO: &str = "201604221548299413672";
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

fn read(body: &str) -> Result<Callback, CallbackError> {
    answering("").parse_callback(FORM, body.as_bytes())
}

fn fields(state: &str) -> [(&str, &str); 6] {
    [
        ("orderno", ORDERNO),
        ("outorderno", NUMBER),
        ("mobile", PHONE),
        ("rechargestatus", state),
        ("amount", "10.00"),
        ("totalfee", "9.95"),
    ]
}

fn signed(fields: &[(&str, &str)]) -> String {
    let sign = jisu::sign(SignOrder::Sorted, fields.iter().copied(), SECRET).unwrap();
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{}&sign={}", pairs.join("&"), sign.to_hex().as_str())
}

// Proves: jisu.callback.post, jisu.callback.sign, jisu.callback.covers-state
#[test]
fn a_genuine_callback_is_read() {
    for (state, claims) in [
        ("0", Some(UpstreamState::Charging)),
        ("1", Some(UpstreamState::Succeeded)),
        ("2", Some(UpstreamState::Failed)),
        ("3", None),
        ("", None),
    ] {
        let callback = read(&signed(&fields(state))).unwrap();
        assert_eq!(callback.number, NUMBER);
        assert_eq!(callback.upstream_order_id.unwrap().as_str(), ORDERNO);
        assert_eq!(callback.claims, claims, "{state:?}");
        assert!(callback.covers_state);
    }
    // md5sum of the six values in the order of their names, and the appsecret.
    assert!(signed(&fields("1")).ends_with("&sign=b7921a857dbea1b62038657766489c38"));
}

// Proves: jisu.callback.covers-state
#[test]
fn lesson_05_another_state_needs_another_signature() {
    let failed = signed(&fields("2"));
    for state in ["1", "0", "", "21"] {
        let turned = failed.replace("rechargestatus=2", &format!("rechargestatus={state}"));
        assert_eq!(read(&turned), Err(CallbackError::Forged), "{state:?}");
    }
}

/// Nothing stands between the values, so digits can be moved between neighbours. The state can't be
/// turned by that: before it stands our number, and no further field is let in between.
#[test]
fn lesson_05_a_failure_can_not_be_re_split_into_a_success() {
    // A failure whose price begins with 1: "2" + "1.95".
    let mut values = fields("2");
    values[5].1 = "1.95";
    let genuine = signed(&values);
    assert!(read(&genuine).is_ok());
    let moved = genuine
        .replace("rechargestatus=2", "p=2&rechargestatus=1")
        .replace("totalfee=1.95", "totalfee=.95");
    assert_eq!(
        read(&moved),
        Err(CallbackError::Forged),
        "a field slipped in before the state"
    );
    let moved = genuine
        .replace("rechargestatus=2", "rechargestatus=21")
        .replace("totalfee=1.95", "totalfee=.95");
    assert_eq!(
        read(&moved).unwrap().claims,
        None,
        "no state that is listed"
    );
    let moved = genuine
        .replace(
            &format!("outorderno={NUMBER}"),
            &format!("outorderno={NUMBER}2"),
        )
        .replace("rechargestatus=2", "rechargestatus=1")
        .replace("totalfee=1.95", "totalfee=.95");
    let told = read(&moved).unwrap();
    assert_ne!(told.number, NUMBER, "so it is about no order of ours");
}

// Proves: jisu.callback.sign-case
#[test]
fn either_letter_case_of_the_signature_is_genuine() {
    let text = signed(&fields("1"));
    let (rest, sign) = text.rsplit_once('=').unwrap();
    assert!(read(&format!("{rest}={}", sign.to_uppercase())).is_ok());
}

// Proves: jisu.callback.ack
#[test]
fn the_acknowledgement_is_plain_success() {
    assert_eq!(callback::ACKNOWLEDGEMENT, "success");
}

#[test]
fn a_multipart_callback_is_read_too() {
    let text = signed(&fields("1"));
    let body: String = text
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .chain(["--b--\r\n".to_owned()])
        .collect();
    let jisu = answering("");
    let callback = jisu.parse_callback(Some("multipart/form-data; boundary=b"), body.as_bytes());
    assert_eq!(callback.unwrap().number, NUMBER);
    let json = jisu.parse_callback(Some("application/json"), b"{}");
    assert!(matches!(json, Err(CallbackError::Unusable(_))));
}

#[test]
fn a_field_that_is_missing_or_repeated_is_unusable() {
    let whole = signed(&fields("1"));
    for pair in whole.split('&') {
        let (field, _) = pair.split_once('=').unwrap();
        let without: Vec<&str> = whole.split('&').filter(|other| *other != pair).collect();
        let error = read(&without.join("&")).unwrap_err();
        assert!(
            matches!(&error, CallbackError::Unusable(why) if why.contains(field)),
            "{error}"
        );
        let error = read(&format!("{whole}&{pair}")).unwrap_err();
        assert!(matches!(error, CallbackError::Unusable(_)), "{field} twice");
    }
    assert!(matches!(read(""), Err(CallbackError::Unusable(_))));
}

#[test]
fn genuine_numbers_of_no_possible_form_are_unusable() {
    for at in [0, 1] {
        let mut values = fields("1");
        values[at].1 = "";
        let error = read(&signed(&values)).unwrap_err();
        assert!(matches!(error, CallbackError::Unusable(_)), "{error}");
    }
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused_without_a_panic(bytes: Vec<u8>, text in "(orderno=1|outorderno=1|mobile=1|sign=[0-9a-f]{32}|&|=|%){0,12}") {
        let jisu = answering("");
        prop_assert!(jisu.parse_callback(None, &bytes).is_err());
        prop_assert!(jisu.parse_callback(None, text.as_bytes()).is_err());
    }

    #[test]
    fn a_change_of_any_value_or_of_the_signature_is_forged(field in 0_usize..7, digit in "[0-9]") {
        let text = signed(&fields("1"));
        let mut pairs: Vec<String> = text.split('&').map(str::to_owned).collect();
        let last = pairs[field].pop().unwrap();
        pairs[field].push_str(&digit);
        prop_assert_eq!(read(&pairs.join("&")).is_ok(), last.to_string() == digit);
    }
}
