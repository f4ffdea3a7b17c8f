//! Jisu's callbacks.
//!
//! The first byte of an input says how the rest is given: `u` as an urlencoded body, `m` as a multipart one,
//! `n` without a content type, `t` after a line with the content type; `s`: its lines are the six signed
//! values, by their names' order, and are signed here.

use recharge_core::{AttemptNumber, SecretString, UpstreamState};
use recharge_jisu::callback;
use recharge_sim::md5;

use crate::callbacks::{Input, Kind, Told, shows_nothing};
use crate::fields;
use crate::hidden::{Hidden, same};
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

const KIND: Kind = Kind {
    read,
    number: "outorderno",
    id: "orderno",
    state: (
        "rechargestatus",
        &[
            ("0", UpstreamState::Charging),
            ("1", UpstreamState::Succeeded),
            ("2", UpstreamState::Failed),
        ],
    ),
    signed: &SIGNED,
    sign: |values| md5::hex(&[values, &[SECRET]].concat()),
};

/// Reads a callback, and holds what it is taken for against its signature.
///
/// # Panics
///
/// If a law is broken.
pub fn judge(data: &[u8]) {
    match Input::read(data) {
        Some(Input::ToSign(lines)) => signed(&String::from_utf8_lossy(lines)),
        Some(Input::Body(kind, body)) => KIND.given(kind, body),
        None => {}
    }
}

/// Gives fields to the reader, encoded in one way or the other.
type Reader<'a> = dyn Fn(&[(&str, &str)]) -> Told + 'a;

fn read(kind: Option<&str>, body: &[u8]) -> Told {
    BENCH.with(|(secret, hidden)| {
        let told = callback::read(secret, kind, body);
        if let Ok(callback) = &told {
            let ours = AttemptNumber::parse(&callback.number).is_ok();
            assert_eq!(
                callback.covers_state, ours,
                "only our own form ends where the state begins"
            );
        }
        shows_nothing(hidden, &told);
        told
    })
}

/// What is rightly signed is genuine, whatever its values and however it travels; what is changed in one
/// place is not.
fn signed(text: &str) {
    let mut lines = text.split('\n');
    let values = SIGNED.map(|name| (name, lines.next().unwrap_or_default()));
    let sign = (KIND.sign)(&values.map(|(_, value)| value));
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
    let usable = told.is_ok();
    KIND.genuine(told, id, number, status);
    // One forgery each: all of them would be most of what an input costs.
    let (forged, what) = match text.len() % 3 {
        // The state is signed: with another one it is another callback. Moving a digit on to its neighbour
        // would sign the same, and is what a form of our own prevents.
        0 => {
            let other = format!("{status}1");
            let mut changed = values.to_vec();
            if let Some(field) = changed
                .iter_mut()
                .find(|(name, _)| *name == "rechargestatus")
            {
                field.1 = &other;
            }
            changed.push(("sign", &sign));
            (plain(&changed), "another state")
        }
        1 => {
            let off = fields::with_another_digit(&sign, text.len());
            (signed_by(&off, &plain), "another digit in the signature")
        }
        _ => {
            let cut = sign.get(1..).unwrap_or_default();
            (signed_by(cut, &plain), "a piece of the signature")
        }
    };
    KIND.forged(&forged, usable, what);
}
