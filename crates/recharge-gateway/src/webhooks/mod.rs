//! What merchants are told: every notice of the store's outbox, at least once, versions rising.
//!
//! ```text
//!   step ─▶ outbox ─▶ due ─▶ route ─▶ address, checked ─▶ POST ─▶ 2xx: delivered
//!                      ▲                                    └──▶ else: put off, or given up
//!                      └────────────── later ◀──────────────────────┘
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`outbox`] | the task that delivers |
//! | [`route`] | where a notice goes |
//! | [`pace`] | [`Pace`]: when it is tried again |
//! | [`address`] | [`Address`]: where it may go |
//! | [`client`] | one request, bounded in every way |
//! | [`signature`] | [Standard Webhooks](https://www.standardwebhooks.com): secrets, and what is signed |
//! | [`event`] | what is told |
//! | [`upstream_form`] | the same as the upstreams tell it, to shops that know it so |
//!
//! A notice is forgotten only once somebody has answered that it has arrived. What an answer says beyond
//! that is thrown away.

pub mod address;
pub mod client;
pub mod event;
pub mod outbox;
pub mod pace;
pub mod route;
pub mod signature;
pub mod tally;
pub mod upstream_form;

pub use address::Address;
pub use client::ClientError;
pub use outbox::{AT_ONCE, Outbox};
pub use pace::Pace;
pub use tally::Tally;
