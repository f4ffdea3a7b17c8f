//! The whole service, over sockets, with the simulator behind it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod acts;
mod batches;
mod metrics;
mod orders;
mod routes;
mod stage;
