//! Nothing is allocated on the way to a digest, or to the answer whether one is right.
//!
//! One test in this file: the counters are the whole process's.

use std::alloc::System;
use std::hint::black_box;

use recharge_sign::jisu::{self, SignOrder};
use recharge_sign::juhe::{self, Signer};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The fewest allocations of `work` in many runs. The test harness has a thread of its own, which
/// may allocate during some of them; an allocation by `work` itself is in all.
fn allocations<T>(work: impl Fn() -> T) -> usize {
    (0..100)
        .map(|_| {
            let region = Region::new(GLOBAL);
            black_box(work());
            let change = region.change();
            change.allocations + change.reallocations
        })
        .min()
        .unwrap_or(usize::MAX)
}

#[test]
fn nothing_is_allocated_on_the_way_to_a_digest() {
    let (openid, key) = (
        "JHdummyopenid0123456789abcdef01234",
        "dummyappkeyfedcba9876543210fedcb",
    );
    let long = "7".repeat(1000);
    let names: Vec<String> = (0..16).map(|n| format!("name{n}")).collect();
    // Backwards, so that sorting has something to do.
    let request = || names.iter().rev().map(|name| (name.as_str(), "value"));
    let signer = Signer::new(openid, key);
    let sign = juhe::callback(key, "J1", "2").to_hex();

    assert_eq!(allocations(|| String::from("x")), 1, "the counter counts");
    assert_eq!(
        allocations(|| juhe::submit(openid, key, "18912345678", "100", "A1")),
        0
    );
    assert_eq!(
        allocations(|| juhe::submit(openid, key, &long, "100", "A1")),
        0
    );
    assert_eq!(allocations(|| juhe::balance(openid, key, "1461309295")), 0);
    assert_eq!(
        allocations(|| juhe::verify_callback(key, "J1", "2", sign.as_str())),
        0
    );
    assert_eq!(allocations(|| Signer::new(openid, key)), 0);
    assert_eq!(allocations(|| signer.submit("18912345678", "100", "A1")), 0);
    assert_eq!(allocations(|| signer.submit(&long, "100", "A1")), 0);
    assert_eq!(allocations(|| signer.balance("1461309295")), 0);
    for order in [SignOrder::Sorted, SignOrder::DocumentedTable] {
        assert_eq!(allocations(|| jisu::sign(order, request(), key)), 0);
    }
    assert_eq!(
        allocations(|| jisu::verify_callback(request(), key, sign.as_str())),
        0
    );
    assert_eq!(allocations(|| signer.balance("1461309295").to_hex()), 0);
}
