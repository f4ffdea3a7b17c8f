//! Webhooks out, callbacks in: a gateway on a file, the simulator behind it, and a receiver that keeps what
//! it is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod api;
mod callbacks;
mod delivery;
#[path = "../shared/described.rs"]
mod described;
mod forget;
mod kit;
mod master_key;
mod receiver;
mod refused;
mod upstream_form;
