//! Our decoding of one answer against plain typed serde_json of the same bytes, as a ratio taken in one
//! run.
//!
//! Plain is a struct of the documented types (numbers as numbers, a price as f64) and `from_slice`. Ours
//! reads numbers and strings alike, keeps the text of numbers, skips a byte order mark and checks for
//! UTF-8.

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;

use recharge_conformance::ratio::{Rows, of_time};
use recharge_http::read::{ReadError, read};
use recharge_juhe::wire::{Envelope, Order};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Decodings timed at a stretch.
const DECODINGS: u32 = 200;
const GOAL: f64 = 1.30;

/// The documented submit answer, with a number of ours, as PHP writes it: 270 bytes.
const SUBMIT: &[u8] = include_bytes!("submit.json");
/// The documented status answer.
const STATUS: &[u8] = r#"{"reason":"查询成功","result":{"uordercash":"1.060","sporder_id":"J201125162114667123456789","game_state":"1"},"error_code":0}"#.as_bytes();

#[derive(Deserialize)]
#[expect(dead_code, reason = "the fields are decoded, not read")]
struct Plain<T> {
    reason: String,
    result: Option<T>,
    error_code: i64,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "the fields are decoded, not read")]
struct PlainSubmit {
    cardid: u64,
    cardnum: u32,
    ordercash: f64,
    cardname: String,
    sporder_id: String,
    uorderid: String,
    game_userid: String,
    game_state: i32,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "the fields are decoded, not read")]
struct PlainStatus {
    uordercash: String,
    sporder_id: String,
    game_state: String,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut rows = Rows::default();
    let submit = against::<Plain<PlainSubmit>>(SUBMIT)?;
    rows.at_most("decode_submit", submit, GOAL);
    let status = against::<Plain<PlainStatus>>(STATUS)?;
    rows.at_most("decode_status", status, GOAL);
    Ok(rows.exit())
}

/// The ratio for an answer that both sides can read.
fn against<P: DeserializeOwned>(answer: &[u8]) -> Result<f64, Box<dyn Error>> {
    let ours = || -> Result<Envelope<Order>, ReadError> { read(black_box(answer)) };
    let plain = || -> serde_json::Result<P> { serde_json::from_slice(black_box(answer)) };
    ours()?;
    plain()?;
    Ok(of_time(DECODINGS, ours, plain))
}
