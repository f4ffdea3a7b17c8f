//! Juhe's submit signature against bare `md-5` over the same bytes, as ratios taken in one run.
//!
//! All digests are 16 raw bytes; none is turned into hex.

use std::alloc::System;
use std::hint::black_box;
use std::process::ExitCode;

use md5::Digest as _;
use recharge_conformance::ratio::{Rows, of_time};
use recharge_sign::jisu::{self, SignOrder};
use recharge_sign::juhe::{self, Signer};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Digests timed at a stretch.
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

    let mut rows = Rows::default();
    rows.at_most("sign_from_parts", of_time(DIGESTS, from_parts, bare), 1.08);
    rows.at_most(
        "sign_kept_prefix",
        of_time(DIGESTS, kept_prefix, bare),
        0.60,
    );

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
    rows.none(
        "sign_allocations",
        change.allocations + change.reallocations,
    );
    rows.exit()
}
