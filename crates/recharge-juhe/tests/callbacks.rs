//! Callbacks: genuine, forged, unusable, and what a genuine one doesn't prove.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{KEY, NUMBER, answering};
use proptest::prelude::*;
use recharge_core::{Callback, CallbackError, Provider, UpstreamState};
use recharge_juhe::callback;
use recharge_sign::juhe;
use std::fmt::Write as _;

const SPORDER_ID: &str = "J201125162114667";
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

fn read(body: &str) -> Result<Callback, CallbackError> {
    answering("").parse_callback(FORM, body.as_bytes())
}

fn sign(upstream_id: &str, number: &str) -> String {
    juhe::callback(KEY, upstream_id, number)
        .to_hex()
        .as_str()
        .to_owned()
}

fn body(upstream_id: &str, number: &str, sta: &str) -> String {
    let sign = sign(upstream_id, number);
    format!("sporder_id={upstream_id}&orderid={number}&sta={sta}&sign={sign}")
}

// Proves: juhe.callback.post, juhe.callback.fields, juhe.callback.sta, juhe.callback.sign
#[test]
fn a_genuine_callback_is_read() {
    for (sta, claims) in [
        ("1", Some(UpstreamState::Succeeded)),
        ("9", Some(UpstreamState::Failed)),
        ("0", None),
        ("7", None),
        ("", None),
    ] {
        let callback = read(&body(SPORDER_ID, NUMBER, sta)).unwrap();
        assert_eq!(callback.number, NUMBER);
        assert_eq!(callback.upstream_order_id.unwrap().as_str(), SPORDER_ID);
        assert_eq!(callback.claims, claims, "{sta:?}");
        assert!(!callback.covers_state);
    }
    // md5sum of key, sporder_id and orderid, one after the other.
    assert_eq!(
        sign(SPORDER_ID, "111111111"),
        "bbd8260bd8504caef448cd559de05ccb"
    );
}

// Proves: juhe.callback.err-msg
#[test]
fn a_message_is_kept_and_masked() {
    let text = format!(
        "{}&err_msg=%E5%A4%B1%E8%B4%A5+18912345678+{KEY}",
        body(SPORDER_ID, NUMBER, "9")
    );
    let message = read(&text).unwrap().message.unwrap();
    assert_eq!(message, "失败 189****5678 ***");
}

// Proves: juhe.callback.ack
#[test]
fn the_acknowledgement_is_plain_success() {
    assert_eq!(callback::ACKNOWLEDGEMENT, "success");
}

#[test]
fn a_multipart_callback_is_read_too() {
    let sign = sign(SPORDER_ID, NUMBER);
    let fields = [
        ("sporder_id", SPORDER_ID),
        ("orderid", NUMBER),
        ("sta", "1"),
        ("sign", &sign),
    ];
    let mut body = String::new();
    for (name, value) in fields {
        write!(
            body,
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
        .unwrap();
    }
    body.push_str("--b--\r\n");
    let juhe = answering("");
    let callback = juhe.parse_callback(Some("multipart/form-data; boundary=b"), body.as_bytes());
    assert_eq!(callback.unwrap().number, NUMBER);
    let json = juhe.parse_callback(Some("application/json"), b"{}");
    assert!(matches!(json, Err(CallbackError::Unusable(_))));
}

#[test]
fn a_field_that_is_missing_or_repeated_is_unusable() {
    let whole = body(SPORDER_ID, NUMBER, "1");
    for field in ["sporder_id", "orderid", "sta", "sign"] {
        let without: Vec<&str> = whole
            .split('&')
            .filter(|pair| !pair.starts_with(field))
            .collect();
        let error = read(&without.join("&")).unwrap_err();
        assert!(
            matches!(&error, CallbackError::Unusable(why) if why.contains(field)),
            "{error}"
        );
        let pair = whole
            .split('&')
            .find(|pair| pair.starts_with(field))
            .unwrap();
        let error = read(&format!("{whole}&{pair}")).unwrap_err();
        assert!(matches!(error, CallbackError::Unusable(_)), "{field} twice");
    }
    assert!(matches!(read(""), Err(CallbackError::Unusable(_))));
}

#[test]
fn genuine_numbers_of_no_possible_form_are_unusable() {
    for (upstream_id, number) in [("", NUMBER), (SPORDER_ID, "")] {
        let error = read(&body(upstream_id, number, "1")).unwrap_err();
        assert!(matches!(error, CallbackError::Unusable(_)), "{error}");
    }
}

// Proves: juhe.callback.loose-compare
#[test]
fn lesson_05_digests_that_are_equal_as_numbers_are_not_equal() {
    // Both begin 0e and go on in digits: a loose comparison takes them for zero.
    let (mut at, zero) = (0_u64, "0e000000000000000000000000000000");
    let number = loop {
        let number = format!("N{at:09}");
        if sign(SPORDER_ID, &number).starts_with("0e") {
            break number;
        }
        at += 1;
    };
    let text = body(SPORDER_ID, &number, "1");
    assert!(read(&text).is_ok());
    let forged = text.replace(&sign(SPORDER_ID, &number), zero);
    assert_eq!(read(&forged), Err(CallbackError::Forged));
    for wrong in ["", "0", "true", "null", "zz"] {
        let forged = text.replace(&sign(SPORDER_ID, &number), wrong);
        assert_eq!(read(&forged), Err(CallbackError::Forged), "{wrong:?}");
    }
}

// Proves: juhe.callback.sta-unsigned, juhe.callback.replay
#[test]
fn lesson_05_the_state_is_a_claim_whatever_the_signature_says() {
    // The same signature is good for both states, and any number of times. So the callback says that
    // its signature doesn't cover the state.
    let failed = body(SPORDER_ID, NUMBER, "9");
    let turned = failed.replace("sta=9", "sta=1");
    for text in [&failed, &turned, &turned] {
        assert!(!read(text).unwrap().covers_state);
    }
}

// Proves: juhe.callback.no-delimiter
#[test]
fn a_genuine_pair_can_be_split_anew_so_that_both_numbers_must_be_compared() {
    let genuine = body("J1234", "567890123", "1");
    let split = genuine
        .replace("sporder_id=J1234", "sporder_id=J123")
        .replace("orderid=567890123", "orderid=4567890123");
    let (one, other) = (read(&genuine).unwrap(), read(&split).unwrap());
    assert_ne!(one.number, other.number);
    assert_ne!(one.upstream_order_id, other.upstream_order_id);
}

// Proves: juhe.callback.sign
#[test]
fn either_letter_case_of_the_signature_is_genuine() {
    let sign = sign(SPORDER_ID, NUMBER);
    let upper = body(SPORDER_ID, NUMBER, "1").replace(&sign, &sign.to_uppercase());
    assert!(read(&upper).is_ok());
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused_without_a_panic(bytes: Vec<u8>, text in "(sporder_id=J1|orderid=1|sta=1|sign=[0-9a-f]{32}|&|=|%){0,12}") {
        let juhe = answering("");
        prop_assert!(juhe.parse_callback(None, &bytes).is_err());
        prop_assert!(juhe.parse_callback(None, text.as_bytes()).is_err());
    }

    #[test]
    fn a_change_of_any_digit_of_the_signature_is_forged(at in 0_usize..32, digit in "[0-9a-f]") {
        let sign = sign(SPORDER_ID, NUMBER);
        let mut changed = sign.clone();
        changed.replace_range(at..=at, &digit);
        let told = read(&body(SPORDER_ID, NUMBER, "1").replace(&sign, &changed));
        prop_assert_eq!(told.is_ok(), changed == sign);
    }
}
