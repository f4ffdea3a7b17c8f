//! The format of the record: what is written never changes unseen, and what can't be read says why.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod examples;
mod format;
mod names;
mod trouble;
