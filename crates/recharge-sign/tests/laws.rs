//! Laws that hold for all inputs, and the two weaknesses of the upstreams' schemes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use recharge_sign::jisu::{self, SignOrder};
use recharge_sign::{Digest, Verified, juhe, verify_hex};

/// `md5` over one contiguous text: nothing of this crate takes part.
fn one_shot(text: &str) -> Digest {
    let digest: [u8; 16] = <md5::Md5 as md5::Digest>::digest(text.as_bytes()).into();
    Digest::from_bytes(digest)
}

/// Any text, most of it printable, Chinese characters too; long enough for three blocks.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[0-9a-zA-Z-]{0,40}", "\\PC{0,20}", "[ -~]{100,180}"]
}

/// Text of one byte a letter, at least one: a bit of it can be changed.
fn ascii() -> impl Strategy<Value = String> {
    "[ -~]{1,40}"
}

/// Parameters with unique names: real ones, which are sorted alike or not signed, and others.
fn params() -> impl Strategy<Value = BTreeMap<String, String>> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "appkey",
            "sign",
            "tel",
            "mobile",
            "mobile_of_another_field",
            "amount",
            "outorderno",
            "teltype",
            "rechargetype"
        ])
        .prop_map(String::from),
        "[a-zA-Z_]{0,3}",
        "\\PC{1,3}",
    ];
    prop::collection::btree_map(name, text(), 0..30)
}

fn order() -> impl Strategy<Value = SignOrder> {
    prop_oneof![Just(SignOrder::Sorted), Just(SignOrder::DocumentedTable)]
}

fn borrowed(params: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    params
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}

/// `text` with one bit changed, among the lower seven, so that it stays ASCII.
fn flip(text: &str, which: prop::sample::Index) -> String {
    let which = which.index(text.len() * 7);
    let mut bytes = text.as_bytes().to_vec();
    bytes[which / 7] ^= 1 << (which % 7);
    String::from_utf8(bytes).unwrap()
}

/// `hex` with the letters in upper case where `mask` has a bit.
fn mixed_case(hex: &str, mask: u32) -> String {
    let upper = |(n, c): (usize, char)| {
        if mask >> n & 1 == 1 {
            c.to_ascii_uppercase()
        } else {
            c
        }
    };
    hex.chars().enumerate().map(upper).collect()
}

proptest! {
    #[test]
    fn jisu_does_not_depend_on_the_order_in_which_parameters_are_given(
        (params, shuffled) in params().prop_flat_map(|params| {
            let params: Vec<_> = params.into_iter().collect();
            (Just(params.clone()), Just(params).prop_shuffle())
        }),
        secret in text(),
        order in order(),
    ) {
        let sorted = jisu::sign(order, borrowed(&params), &secret);
        prop_assert!(sorted.is_ok());
        prop_assert_eq!(&jisu::sign(order, borrowed(&shuffled), &secret), &sorted);
        let explained = jisu::explain(order, borrowed(&shuffled), &secret).unwrap();
        prop_assert_eq!(Ok(explained.digest()), sorted);
    }

    // Proves: jisu.sign.formula, jisu.sign.name-order, jisu.sign.unsigned-params
    #[test]
    fn jisu_equals_an_independent_sort_and_concatenation(params in params(), secret in text()) {
        let given: Vec<_> = params.clone().into_iter().rev().collect();
        let mut signed = params;
        signed.remove("appkey");
        signed.remove("sign");
        let mut text: String = signed.into_values().collect();
        text.push_str(&secret);
        prop_assert_eq!(
            jisu::sign(SignOrder::Sorted, borrowed(&given), &secret),
            Ok(one_shot(&text))
        );
    }

    // Proves: jisu.sign.table-is-a-copy, jisu.sign.order-setting
    #[test]
    fn the_documented_table_sorts_tel_as_if_it_were_called_mobile(
        mut params in params(),
        tel in text(),
        secret in text(),
    ) {
        params.remove("mobile");
        params.insert("tel".into(), tel.clone());
        let given: Vec<_> = params.clone().into_iter().collect();
        params.remove("tel");
        params.insert("mobile".into(), tel);
        let renamed: Vec<_> = params.into_iter().collect();
        let expected = jisu::sign(SignOrder::Sorted, borrowed(&renamed), &secret);
        prop_assert_eq!(
            jisu::sign(SignOrder::DocumentedTable, borrowed(&given), &secret),
            expected.clone()
        );
        prop_assert_eq!(
            jisu::sign(SignOrder::DocumentedTable, borrowed(&renamed), &secret),
            expected
        );
    }

    // Proves: jisu.sign.mobilerecharge
    #[test]
    fn without_tel_both_orders_agree(mut params in params(), secret in text()) {
        params.remove("tel");
        let params: Vec<_> = params.into_iter().collect();
        prop_assert_eq!(
            jisu::sign(SignOrder::Sorted, borrowed(&params), &secret),
            jisu::sign(SignOrder::DocumentedTable, borrowed(&params), &secret)
        );
    }

    #[test]
    fn a_name_given_twice_is_an_error_that_says_which(
        (name, params) in params()
            .prop_filter("one is needed to repeat it", |params| !params.is_empty())
            .prop_flat_map(|params| {
                let params: Vec<_> = params.into_iter().collect();
                (prop::sample::select(params.clone()), Just(params))
            })
            .prop_flat_map(|(again, mut params)| {
                params.push((again.0.clone(), "another value".into()));
                (Just(again.0), Just(params).prop_shuffle())
            }),
        order in order(),
    ) {
        let error = jisu::sign(order, borrowed(&params), "secret").unwrap_err();
        prop_assert_eq!(error.name(), name.as_str());
        let message = error.to_string();
        let quoted = format!("{:?}", name.as_str());
        prop_assert!(message.contains(&quoted), "{}", message);
        prop_assert_eq!(jisu::explain(order, borrowed(&params), "secret"), Err(error.clone()));
        prop_assert_eq!(jisu::verify_callback(borrowed(&params), "secret", "0"), Err(error));
    }

    // Proves: juhe.submit.sign, juhe.yue.sign, juhe.callback.sign, juhe.sign.no-delimiter
    #[test]
    fn juhe_equals_one_hash_over_the_texts_in_one_piece(
        openid in text(), key in text(), phone in text(), amount in text(), order_id in text(),
    ) {
        prop_assert_eq!(
            juhe::submit(&openid, &key, &phone, &amount, &order_id),
            one_shot(&format!("{openid}{key}{phone}{amount}{order_id}"))
        );
        prop_assert_eq!(
            juhe::balance(&openid, &key, &amount),
            one_shot(&format!("{openid}{key}{amount}"))
        );
        prop_assert_eq!(
            juhe::callback(&key, &phone, &order_id),
            one_shot(&format!("{key}{phone}{order_id}"))
        );
    }

    #[test]
    fn a_kept_prefix_and_one_shot_agree(
        openid in text(), key in text(), phone in text(), amount in text(), order_id in text(),
    ) {
        let signer = juhe::Signer::new(&openid, &key);
        for signer in [&signer, &signer.clone()] {
            prop_assert_eq!(
                signer.submit(&phone, &amount, &order_id),
                juhe::submit(&openid, &key, &phone, &amount, &order_id)
            );
            prop_assert_eq!(
                signer.balance(&amount),
                juhe::balance(&openid, &key, &amount)
            );
        }
    }

    // Proves: juhe.sign.hex, jisu.sign.lower-hex
    #[test]
    fn lower_case_is_produced_and_either_case_accepted(bytes: [u8; 16], mask: u32) {
        let digest = Digest::from_bytes(bytes);
        let hex = digest.to_hex();
        let expected = format!("{:032x}", u128::from_be_bytes(bytes));
        prop_assert_eq!(hex.as_str(), expected.as_str());
        prop_assert_eq!(hex.as_ref(), expected.as_str());
        prop_assert_eq!(hex.to_string(), expected.as_str());
        prop_assert_eq!(format!("{hex:?}"), format!("{expected:?}"));
        prop_assert_eq!(digest.to_bytes(), bytes);
        prop_assert_eq!(digest.to_string(), expected);
        prop_assert!(verify_hex(&digest, hex.as_str()).is_genuine());
        prop_assert!(verify_hex(&digest, &mixed_case(hex.as_str(), mask)).is_genuine());
    }

    #[test]
    fn any_changed_bit_of_the_sixteen_bytes_is_refused(
        bytes: [u8; 16], mask: u32, key in text(), upstream_id in text(), order_id in text(),
    ) {
        let genuine = juhe::callback(&key, &upstream_id, &order_id).to_bytes();
        for bit in 0..128 {
            for original in [bytes, genuine] {
                let mut changed = original;
                changed[bit / 8] ^= 1 << (bit % 8);
                let given = mixed_case(Digest::from_bytes(changed).to_hex().as_str(), mask);
                prop_assert!(!verify_hex(&Digest::from_bytes(original), &given).is_genuine());
                prop_assert_ne!(Digest::from_bytes(original), Digest::from_bytes(changed));
                prop_assert!(
                    original == bytes
                        || !juhe::verify_callback(&key, &upstream_id, &order_id, &given).is_genuine()
                );
            }
        }
    }

    #[test]
    fn what_is_not_32_hex_digits_is_a_plain_no(
        bytes: [u8; 16],
        cut in 0_usize..32,
        wrong in "[^0-9a-fA-F]",
        any in "\\PC{0,40}",
    ) {
        let digest = Digest::from_bytes(bytes);
        let hex = digest.to_string();
        prop_assert!(!verify_hex(&digest, &hex[..cut]).is_genuine());
        let replaced = format!("{}{wrong}{}", &hex[..cut], &hex[cut + 1..]);
        prop_assert!(!verify_hex(&digest, &replaced).is_genuine(), "{}", replaced);
        for longer in [format!("{hex}0"), format!("{hex}00"), format!(" {hex}"), format!("{hex}\n"),
            format!("0x{hex}"), format!("{hex}{wrong}"), format!("{hex}{hex}")]
        {
            prop_assert!(!verify_hex(&digest, &longer).is_genuine(), "{}", longer);
        }
        prop_assume!(!any.eq_ignore_ascii_case(&hex));
        prop_assert!(!verify_hex(&digest, &any).is_genuine());
    }

    #[test]
    fn a_juhe_callback_is_accepted_as_signed_and_refused_with_any_changed_bit(
        key in ascii(), upstream_id in ascii(), order_id in ascii(),
        which: prop::sample::Index, mask: u32,
    ) {
        let given = juhe::callback(&key, &upstream_id, &order_id).to_string();
        let given = mixed_case(&given, mask);
        prop_assert!(juhe::verify_callback(&key, &upstream_id, &order_id, &given).is_genuine());
        prop_assert!(!juhe::verify_callback(&flip(&key, which), &upstream_id, &order_id, &given).is_genuine());
        prop_assert!(!juhe::verify_callback(&key, &flip(&upstream_id, which), &order_id, &given).is_genuine());
        prop_assert!(!juhe::verify_callback(&key, &upstream_id, &flip(&order_id, which), &given).is_genuine());
    }

    #[test]
    fn a_juhe_submit_is_another_with_any_changed_bit(
        texts in prop::array::uniform5(ascii()), which: prop::sample::Index,
    ) {
        let sign = |[openid, key, phone, amount, order_id]: &[String; 5]| {
            juhe::submit(openid, key, phone, amount, order_id)
        };
        for n in 0..texts.len() {
            let mut changed = texts.clone();
            changed[n] = flip(&texts[n], which);
            prop_assert_ne!(sign(&changed), sign(&texts), "text {} changed", n);
        }
    }

    // Proves: jisu.callback.covers-state
    #[test]
    fn a_jisu_callback_is_accepted_as_signed_and_refused_with_any_changed_bit(
        values in prop::array::uniform6(ascii()), secret in ascii(),
        which: prop::sample::Index, mask: u32,
    ) {
        let names =
            ["orderno", "outorderno", "mobile", "rechargestatus", "amount", "totalfee"];
        let form = |values: &[String; 6]| -> Vec<(String, String)> {
            names.iter().map(|name| (*name).to_owned()).zip(values.clone()).collect()
        };
        let sent = form(&values);
        let given = jisu::sign(SignOrder::Sorted, borrowed(&sent), &secret).unwrap().to_string();
        let given = mixed_case(&given, mask);
        // As it is received: with its own signature among the fields.
        let mut received = sent.clone();
        received.push(("sign".into(), given.clone()));
        prop_assert_eq!(jisu::verify_callback(borrowed(&received), &secret, &given), Ok(Verified::Genuine));
        let other = flip(&secret, which);
        prop_assert_eq!(jisu::verify_callback(borrowed(&received), &other, &given), Ok(Verified::Forged));
        for n in 0..names.len() {
            let mut changed = values.clone();
            changed[n] = flip(&values[n], which);
            let changed = form(&changed);
            prop_assert_eq!(jisu::verify_callback(borrowed(&changed), &secret, &given), Ok(Verified::Forged));
        }
    }

    /// The weakness of both schemes: it holds, and no receiver may forget it.
    // Proves: juhe.submit.sign-resplit
    #[test]
    fn a_juhe_submit_signature_is_good_for_every_cut_of_amount_and_order_number(
        together in "[1-9][0-9A-Za-z]{2,34}", phone in "1[0-9]{10}",
        one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
    ) {
        let sign = |cut: prop::sample::Index| {
            let (amount, order_id) = together.split_at(cut.index(together.len()));
            juhe::submit("openid", "key", &phone, amount, order_id)
        };
        prop_assert_eq!(sign(one), sign(other));
    }

    // Proves: juhe.callback.no-delimiter
    #[test]
    fn a_juhe_callback_signature_is_good_for_every_cut_of_the_two_numbers(
        together in "J[0-9A-Za-z]{2,50}",
        one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
    ) {
        let (upstream_id, order_id) = together.split_at(one.index(together.len()));
        let given = juhe::callback("key", upstream_id, order_id).to_string();
        let (upstream_id, order_id) = together.split_at(other.index(together.len()));
        prop_assert!(juhe::verify_callback("key", upstream_id, order_id, &given).is_genuine());
    }
}

// Proves: juhe.submit.sign-resplit
#[test]
fn an_order_over_10_yuan_has_the_signature_of_one_over_100() {
    assert_eq!(
        juhe::submit("openid", "key", "18912345678", "10", "0123456789"),
        juhe::submit("openid", "key", "18912345678", "100", "123456789")
    );
}

// Proves: juhe.callback.no-delimiter
#[test]
fn the_callback_of_one_order_has_the_signature_of_another() {
    let given = juhe::callback("key", "J1234", "567").to_string();
    assert!(juhe::verify_callback("key", "J123", "4567", &given).is_genuine());
}

// Proves: juhe.callback.loose-compare
#[test]
fn lesson_05_hashes_that_begin_with_0e_are_not_equal() {
    // A loose comparison reads both as the number 0 × 10^n.
    let expected = juhe::callback("", "24061", "0708");
    assert_eq!(expected.to_string(), "0e462097431906509019562988736854");
    let other = "0e830400451993494058024219903391";
    assert_eq!(one_shot("QNKCDZO").to_string(), other);
    for forged in [
        other,
        "0",
        "00",
        "0e0",
        "0e1",
        "00000000000000000000000000000000",
    ] {
        assert!(
            !juhe::verify_callback("", "24061", "0708", forged).is_genuine(),
            "{forged}"
        );
    }
    assert!(juhe::verify_callback("", "24061", "0708", &expected.to_string()).is_genuine());
}
