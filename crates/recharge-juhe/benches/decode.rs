//! Our decoding of one answer against plain typed serde_json of the same bytes, as a ratio taken in one
//! run.
//!
//! Plain is a struct of the documented types (numbers as numbers, a price as f64) and `from_slice`. Ours
//! reads numbers and strings alike, keeps the text of numbers, skips a byte order mark and checks for
//! UTF-8. Prints one line per row: `bench NAME ratio=R goal<=G ok`, or the word for a missed goal at its
//! end; the exit status is then 1.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use recharge_http::read::read;
use recharge_juhe::wire::{Envelope, Order};
use serde::Deserialize;

/// Rounds whose ratios give the median, and decodings timed at a stretch in each.
const ROUNDS: usize = 1001;
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

fn main() -> ExitCode {
    let ours = |bytes| {
        let answer = read::<Envelope<Order>>(black_box(bytes)).unwrap_or_else(|_| unreadable());
        black_box(answer);
    };
    let plain_submit = || {
        let answer: Result<Plain<PlainSubmit>, _> = serde_json::from_slice(black_box(SUBMIT));
        black_box(answer.unwrap_or_else(|_| unreadable()));
    };
    let plain_status = || {
        let answer: Result<Plain<PlainStatus>, _> = serde_json::from_slice(black_box(STATUS));
        black_box(answer.unwrap_or_else(|_| unreadable()));
    };
    let (mut submit, mut status) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        submit.push(seconds(|| ours(SUBMIT)) / seconds(plain_submit));
        status.push(seconds(|| ours(STATUS)) / seconds(plain_status));
    }
    let met = [
        row("decode_submit", median(submit)),
        row("decode_status", median(status)),
    ];
    if met.contains(&false) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

#[expect(clippy::panic, reason = "rows that decode nothing would be no measure")]
fn unreadable() -> ! {
    panic!("both sides must be able to read the answer")
}

fn seconds(decode: impl Fn()) -> f64 {
    let start = Instant::now();
    for _ in 0..DECODINGS {
        decode();
    }
    start.elapsed().as_secs_f64()
}

/// The middle one of an odd number of values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints a row and says whether its goal was met.
fn row(name: &str, ratio: f64) -> bool {
    let met = ratio <= GOAL;
    let word = if met { "ok" } else { "MISSED" };
    println!("bench {name} ratio={ratio:.2} goal<={GOAL:.2} {word}");
    met
}
