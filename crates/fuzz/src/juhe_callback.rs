//! Juhe's callbacks.
//!
//! The first byte of an input says how the rest is given: `u` as an urlencoded body, `m` as a multipart one,
//! `n` without a content type, `t` after a line with the content type; `s`: its lines are the values of
//! `sporder_id`, `orderid`, `sta` and `err_msg`, and are signed here.

use recharge_core::{SecretString, UpstreamState};
use recharge_juhe::callback;
use recharge_sim::md5;

use crate::callbacks::{Input, Kind, Told, shows_nothing};
use crate::fields;
use crate::hidden::{Hidden, same};
use crate::juhe_answers::KEY;

thread_local! {
    static BENCH: (SecretString, Hidden) = (KEY.into(), Hidden::new(&[KEY]));
}

const KIND: Kind = Kind {
    read,
    number: "orderid",
    id: "sporder_id",
    state: (
        "sta",
        &[
            ("1", UpstreamState::Succeeded),
            ("9", UpstreamState::Failed),
        ],
    ),
    signed: &["sporder_id", "orderid"],
    sign: |values| md5::hex(&[&[KEY], values].concat()),
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

fn read(kind: Option<&str>, body: &[u8]) -> Told {
    BENCH.with(|(key, hidden)| {
        let told = callback::read(key, kind, body);
        if let Ok(callback) = &told {
            assert!(!callback.covers_state, "the signature covers no state");
        }
        shows_nothing(hidden, &told);
        told
    })
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
    let usable = told.is_ok();
    KIND.genuine(told, id, number, sta);
    // One forgery each: all of them would be most of what an input costs.
    let (forged, what) = match text.len() % 3 {
        0 => (plain(&format!("{number}1"), &sign), "another number"),
        1 => {
            let off = fields::with_another_digit(&sign, text.len());
            (plain(number, &off), "another digit in the signature")
        }
        _ => {
            let cut = sign.get(1..).unwrap_or_default();
            (plain(number, cut), "a piece of the signature")
        }
    };
    KIND.forged(&forged, usable, what);
}
