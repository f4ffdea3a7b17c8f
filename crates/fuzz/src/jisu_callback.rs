//! Jisu's callbacks.
//!
//! The first byte of an input says how the rest is given: `u` as an urlencoded body, `m` as a multipart one,
//! `n` without a content type, `t` after a line with the content type; `s`: its lines are the six signed
//! values, by their names' order, and are signed here.

use recharge_core::{AttemptNumber, Callback, CallbackError, SecretString, UpstreamState};
use recharge_jisu::callback;
use recharge_sim::md5;

use crate::fields;
use crate::hidden::{Hidden, bounded, same, twice};
use crate::jisu_answers::SECRET;

thread_local! {
    static BENCH: (SecretString, Hidden) = (SECRET.into(), Hidden::new(&[SECRET]));
}

/// The signed fields, in the order in which their values are signed.
const SIGNED: [&str; 6] = [
    "amount",
    "mobile",
    "orderno",
    "outorderno",
    "rechargestatus",
    "totalfee",
];

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

type Told = Result<Callback, CallbackError>;

/// Gives fields to the reader, encoded in one way or the other.
type Reader<'a> = dyn Fn(&[(&str, &str)]) -> Told + 'a;

fn read(kind: Option<&str>, body: &[u8]) -> Told {
    BENCH.with(|(secret, hidden)| {
        let told = callback::read(secret, kind, body);
        match &told {
            Ok(callback) => {
                let ours = AttemptNumber::parse(&callback.number).is_ok();
                assert_eq!(
                    callback.covers_state, ours,
                    "only our own form ends where the state begins"
                );
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
    for (what, text) in [("number of ours", number), ("number of theirs", id)] {
        assert!(
            !text.is_empty() && fields::holds(body, text),
            "a {what} that didn't come"
        );
    }
    let plain = kind.is_none_or(|kind| !kind.trim_start().starts_with(['m', 'M']));
    if plain {
        let read = fields::urlencoded(body);
        let only = |name: &str| {
            let mut all = read.iter().filter(|(given, _)| given == name);
            let value = all.next().map(|(_, value)| value.as_str());
            assert!(all.next().is_none(), "{name} comes twice, and was believed");
            value
        };
        let mut parts: Vec<&str> = SIGNED.iter().filter_map(|name| only(name)).collect();
        assert_eq!(
            parts.len(),
            SIGNED.len(),
            "a field that is missing, and was believed"
        );
        parts.push(SECRET);
        let sign = only("sign").map(str::to_ascii_lowercase);
        assert_eq!(
            sign,
            Some(md5::hex(&parts)),
            "genuine, and nobody has signed it"
        );
        assert_eq!(
            (only("orderno"), only("outorderno")),
            (Some(id), Some(number))
        );
        assert_eq!(
            claims(only("rechargestatus")),
            callback.claims,
            "another state than it claims"
        );
    }
}

fn claims(status: Option<&str>) -> Option<UpstreamState> {
    match status {
        Some("0") => Some(UpstreamState::Charging),
        Some("1") => Some(UpstreamState::Succeeded),
        Some("2") => Some(UpstreamState::Failed),
        Some(_) | None => None,
    }
}

/// What is rightly signed is genuine, whatever its values and however it travels; what is changed in one
/// place is not.
fn signed(text: &str) {
    let mut lines = text.split('\n');
    let values = SIGNED.map(|name| (name, lines.next().unwrap_or_default()));
    let parts: Vec<&str> = values
        .iter()
        .map(|(_, value)| *value)
        .chain([SECRET])
        .collect();
    let sign = md5::hex(&parts);
    let signed_by = |sign: &str, read: &Reader<'_>| {
        let mut fields = values.to_vec();
        fields.push(("sign", sign));
        // Their order on the way makes no difference.
        fields.rotate_left(text.len() % 7);
        read(&fields)
    };
    let plain = |fields: &[(&str, &str)]| read(None, &fields::encoded(fields));
    let multipart = |fields: &[(&str, &str)]| match fields::multipart(fields) {
        Some((kind, body)) => read(Some(kind), body.as_bytes()),
        None => plain(fields),
    };
    let told = signed_by(&sign, &plain);
    same(&signed_by(&sign, &multipart), &told);
    let [_, _, (_, id), (_, number), (_, status), _] = values;
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
            assert_eq!(callback.claims, claims(Some(status)));
        }
        Err(CallbackError::Unusable(_)) => {
            assert!(
                !usable(id) || !usable(number),
                "a genuine one that was not read"
            );
        }
        Err(CallbackError::Forged) => unreachable!("a genuine one that was taken for a forgery"),
    }
    // The state is signed: with another one it is another callback. Moving a digit on to its neighbour would
    // sign the same, and is what a form of our own prevents.
    let other = format!("{status}1");
    let mut changed = values.to_vec();
    if let Some(field) = changed
        .iter_mut()
        .find(|(name, _)| *name == "rechargestatus")
    {
        field.1 = &other;
    }
    changed.push(("sign", &sign));
    assert!(
        plain(&changed).is_err(),
        "another state under the same signature"
    );
    let off = fields::with_another_digit(&sign, text.len());
    assert!(
        signed_by(&off, &plain).is_err(),
        "another digit in the signature"
    );
    let cut = sign.get(1..).unwrap_or_default();
    assert!(signed_by(cut, &plain).is_err(), "a piece of the signature");
}
