//! The whole service, over sockets, with the simulator behind it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod acts;
mod answers;
mod batches;
mod books;
#[path = "../shared/described.rs"]
mod described;
mod docs;
mod guard;
mod hostile;
mod metrics;
mod orders;
mod routes;
mod stage;
mod stop;
