//! The simulator over real sockets, with a hand-written HTTP client: the bytes are those that PHP,
//! curl or Python put on the wire, not those that a library of ours would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod callbacks;
mod control;
mod http;
mod raw;
mod sockets;
