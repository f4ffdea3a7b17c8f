//! Random walks: whatever comes in, the laws hold (`walk`), and against an upstream that keeps a ledger
//! nobody is charged twice, nothing is lost and nothing paid is called failed (`ledger`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../common/mod.rs"]
mod common;
mod ledger;
mod upstream;
mod walk;
