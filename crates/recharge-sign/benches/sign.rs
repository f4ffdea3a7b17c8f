//! Juhe's submit signature against bare `md-5` over the same bytes, as ratios taken in one run.
//!
//! Prints one line per row: `bench NAME ratio=R goal<=G ok`, or the word for a missed goal at its
//! end; the exit status is then 1. All digests are 16 raw bytes; none is turned into hex.

use std::alloc::System;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use md5::Digest as _;
use recharge_sign::jisu::{self, SignOrder};
use recharge_sign::juhe::{self, Signer};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Rounds whose ratios give the median, and digests timed at a stretch in each.
const ROUNDS: usize = 1001;
const DIGESTS: u32 = 500;

fn main() -> ExitCode {
    // 34 + 32 + 11 + 3 + 32 bytes: the longest usual submit, two MD5 blocks.
    let openid = "JH0123456789abcdef0123456789abcdef";
    let key = "fedcba9876543210fedcba9876543210";
    let (phone, amount, order_id) = ("18912345678", "100", "A2345678901234567890123456789012");
    let contiguous = [openid, key, phone, amount, order_id].concat();
    let signer = Signer::new(openid, key);

    let bare = || -> [u8; 16] { md5::Md5::digest(black_box(contiguous.as_bytes())).into() };
    let from_parts = || {
        let (openid, key) = (black_box(openid), black_box(key));
        juhe::submit(
            openid,
            key,
            black_box(phone),
            black_box(amount),
            black_box(order_id),
        )
        .to_bytes()
    };
    let kept_prefix = || {
        let signer = black_box(&signer);
        signer
            .submit(black_box(phone), black_box(amount), black_box(order_id))
            .to_bytes()
    };
    assert_eq!(from_parts(), bare(), "the rows must do the same work");
    assert_eq!(kept_prefix(), bare(), "the rows must do the same work");

    let (mut parts_ratios, mut kept_ratios) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let limit = seconds(bare);
        parts_ratios.push(seconds(from_parts) / limit);
        kept_ratios.push(seconds(kept_prefix) / limit);
    }

    let region = Region::new(GLOBAL);
    for _ in 0..1000 {
        from_parts();
        kept_prefix();
        black_box(signer.balance(black_box("1700000000")));
        black_box(juhe::callback(black_box(key), "J201125162114667", order_id));
        let params = [("tel", phone), ("amount", amount), ("outorderno", order_id)];
        let _ = black_box(jisu::sign(SignOrder::Sorted, black_box(params), key));
    }
    let change = region.change();
    let allocations = change.allocations + change.reallocations;

    let met = [
        ratio_row("sign_from_parts", median(parts_ratios), 1.08),
        ratio_row("sign_kept_prefix", median(kept_ratios), 0.60),
        row(
            "sign_allocations",
            &format!("count={allocations} goal<=0"),
            allocations == 0,
        ),
    ];
    if met.contains(&false) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn seconds(digest: impl Fn() -> [u8; 16]) -> f64 {
    let start = Instant::now();
    for _ in 0..DIGESTS {
        black_box(digest());
    }
    start.elapsed().as_secs_f64()
}

/// The middle one of an odd number of values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn ratio_row(name: &str, ratio: f64, goal: f64) -> bool {
    row(
        name,
        &format!("ratio={ratio:.2} goal<={goal:.2}"),
        ratio <= goal,
    )
}

/// Prints a row and says whether its goal was met.
fn row(name: &str, figures: &str, met: bool) -> bool {
    println!(
        "bench {name} {figures} {}",
        if met { "ok" } else { "MISSED" }
    );
    met
}
