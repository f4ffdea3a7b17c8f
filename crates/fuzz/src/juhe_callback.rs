//! Juhe's callbacks.
//!
//! The first byte of an input says how the rest is given: `u` as an urlencoded body, `m` as a multipart one,
//! `n` without a content type, `t` after a line with the content type; `s`: its lines are the values of
//! `sporder_id`, `orderid`, `sta` and `err_msg`, and are signed here.

use recharge_core::{Callback, CallbackError, SecretString, UpstreamState};
use recharge_juhe::callback;
use recharge_sim::md5;

use crate::fields;
use crate::hidden::{Hidden, bounded, same, twice};
use crate::juhe_answers::KEY;

thread_local! {
    static BENCH: (SecretString, Hidden) = (KEY.into(), Hidden::new(&[KEY]));
}

/// Reads a callback, and holds what it is taken for against its signature.
///
/// # Panics
///
/// If a law is broken.
pub fn judge(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    match how {
        b's' => signed(&String::from_utf8_lossy(rest)),
        b't' => {
            let at = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            let (kind, body) = rest.split_at(at);
            given(
                Some(&String::from_utf8_lossy(kind)),
                body.get(1..).unwrap_or_default(),
            );
        }
        b'm' => given(Some("multipart/form-data; boundary=fuzz"), rest),
        b'u' => given(Some("application/x-www-form-urlencoded"), rest),
        _ => given(None, rest),
    }
}

fn read(kind: Option<&str>, body: &[u8]) -> Result<Callback, CallbackError> {
    BENCH.with(|(key, hidden)| {
        let told = callback::read(key, kind, body);
        match &told {
            Ok(callback) => {
                assert!(!callback.covers_state, "the signature covers no state");
                hidden.keeps(
                    "the message",
                    callback.message.as_deref().unwrap_or_default(),
                );
            }
            Err(error) => {
                let text = error.to_string();
                hidden.keeps("the error", &text);
                bounded("the error", &text, 200);
            }
        }
        told
    })
}

fn given(kind: Option<&str>, body: &[u8]) {
    let told = read(kind, body);
    if twice(body) {
        same(&told, &read(kind, body));
    }
    let Ok(callback) = told else { return };
    let id = callback
        .upstream_order_id
        .as_ref()
        .map(recharge_core::UpstreamOrderId::as_str);
    let (id, number) = (id.unwrap_or_default(), callback.number.as_str());
    let sign = md5::hex(&[KEY, id, number]);
    for (what, text) in [("number of ours", number), ("number of theirs", id)] {
        assert!(
            !text.is_empty() && fields::holds(body, text),
            "a {what} that didn't come"
        );
    }
    let lower = fields::decoded(body).to_ascii_lowercase();
    assert!(lower.contains(&sign), "genuine, and nobody has signed it");
    let plain = kind.is_none_or(|kind| !kind.trim_start().starts_with(['m', 'M']));
    if plain {
        let read = fields::urlencoded(body);
        let only = |name: &str| {
            let mut all = read.iter().filter(|(given, _)| given == name);
            let value = all.next().map(|(_, value)| value.as_str());
            assert!(all.next().is_none(), "{name} comes twice, and was believed");
            value
        };
        assert_eq!(
            (only("sporder_id"), only("orderid")),
            (Some(id), Some(number))
        );
        assert_eq!(
            claims(only("sta")),
            callback.claims,
            "another state than it claims"
        );
        assert_eq!(
            only("sign").map(str::to_ascii_lowercase),
            Some(sign),
            "another signature"
        );
    }
}

fn claims(sta: Option<&str>) -> Option<UpstreamState> {
    match sta {
        Some("1") => Some(UpstreamState::Succeeded),
        Some("9") => Some(UpstreamState::Failed),
        Some(_) | None => None,
    }
}

/// What is rightly signed is genuine, whatever its values and however it travels; what is changed in one
/// digit is not.
fn signed(text: &str) {
    let mut lines = text.split('\n');
    let [id, number, sta, message] = [(); 4].map(|()| lines.next().unwrap_or_default());
    let sign = md5::hex(&[KEY, id, number]);
    let values = |number, sign| {
        [
            ("sporder_id", id),
            ("orderid", number),
            ("sta", sta),
            ("err_msg", message),
            ("sign", sign),
        ]
    };
    let plain = |number, sign| read(None, &fields::encoded(&values(number, sign)));
    let told = plain(number, &sign);
    if let Some((kind, body)) = fields::multipart(&values(number, &sign)) {
        same(&read(Some(kind), body.as_bytes()), &told);
    }
    let usable =
        |text: &str| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    match told {
        Ok(callback) => {
            assert!(usable(id) && usable(number), "numbers of no form of ours");
            assert_eq!(callback.number, number);
            assert_eq!(
                callback.upstream_order_id.map(|it| it.to_string()),
                Some(id.to_owned())
            );
            assert_eq!(callback.claims, claims(Some(sta)));
        }
        Err(CallbackError::Unusable(_)) => {
            assert!(
                !usable(id) || !usable(number),
                "a genuine one that was not read"
            );
        }
        Err(CallbackError::Forged) => unreachable!("a genuine one that was taken for a forgery"),
    }
    let other = format!("{number}1");
    assert!(
        plain(&other, &sign).is_err(),
        "another number under the same signature"
    );
    let off = fields::with_another_digit(&sign, text.len());
    assert!(
        plain(number, &off).is_err(),
        "another digit in the signature"
    );
    let cut = sign.get(1..).unwrap_or_default();
    assert!(plain(number, cut).is_err(), "a piece of the signature");
}
