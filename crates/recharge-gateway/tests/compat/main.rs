//! The upstreams' own protocols, as shops speak them: a gateway with the simulator behind it, and the simulator
//! itself as the original to compare with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod answers;
mod bench;
#[path = "../shared/described.rs"]
mod described;
mod php;
mod rules;
mod same;
