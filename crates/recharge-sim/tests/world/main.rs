//! The world by itself: no sockets, no clock. Signatures are made from the documented formulas with
//! the simulator's MD5, which has the vectors of RFC 1321.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod callbacks;
mod control;
mod faults;
mod jisu;
mod juhe;
mod presets;
mod support;
