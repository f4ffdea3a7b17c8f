//! The real binary, run as scripts run it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod config;
mod config_errors;
mod demo;
mod help;
mod provider;
mod questions;
mod secrets;
mod sign;
mod sim;
