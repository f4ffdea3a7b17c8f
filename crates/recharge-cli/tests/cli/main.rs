//! The real binary, run as scripts run it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[cfg(unix)]
mod batch;
#[cfg(unix)]
mod canary;
mod common;
mod config;
mod config_errors;
#[cfg(unix)]
mod copies;
#[cfg(unix)]
mod cut_off;
mod demo;
#[cfg(unix)]
mod desk;
mod help;
mod keys;
#[cfg(unix)]
mod master_key;
mod provider;
mod questions;
#[cfg(unix)]
mod rules;
mod secrets;
mod serve;
#[cfg(unix)]
mod shop;
mod sign;
mod sim;
#[cfg(unix)]
mod submit;
