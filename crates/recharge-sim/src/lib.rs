//! Simulator of the Juhe and Jisu upstreams, with a ledger of what was really charged and injectable
//! faults.
//!
//! It serves the documented paths to any client: GET query, urlencoded and multipart POST, fields in
//! any order, keep-alive or not. Its wire code and its MD5 are its own, so that an error shared by two
//! adapters can't cancel itself out.
//!
//! - [`World`]: both upstreams as a pure machine. No I/O, no clock; time comes with each call.
//! - [`Simulator`]: the world behind a socket, callbacks and [`control`] calls included.
//! - [`FaultPlan`], [`FaultKind`], [`Preset`], [`Script`]: what goes wrong, by probability or for a
//!   named order.
//! - [`Scenario`]: all of it as a TOML file.
//! - [`LedgerRow`]: the truth, whatever was answered.
//! - [`socket`]: a bare port with scripted socket faults, for the tests of transports.
//!
//! ```
//! # use std::error::Error;
//! use recharge_sim::{Preset, Simulator, Timings};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn Error>> {
//! let simulator = Simulator::builder()
//!     .seed(7)
//!     .faults(Preset::Hostile.plan().with_timings(Timings::quick()))
//!     .start()
//!     .await?;
//!
//! // Point your client at it: only the host name differs from the real one.
//! assert!(simulator.url().starts_with("http://127.0.0.1:"));
//!
//! // What was really charged, to compare with what your code believes.
//! let charges: u32 = simulator.ledger().iter().map(|row| row.charges).sum();
//! assert_eq!(charges, 0);
//! simulator.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What is decided here
//!
//! Where the upstreams' documents are silent, the simulator had to choose. A client should not lean on
//! any of these:
//!
//! - Juhe checks a submit in the order key, signature, phone, face value, order number, duplicate,
//!   balance. "No such order" is 208513 for a number of 8 to 32 characters and 208509 for any other.
//!   An empty order list is understood, with no rows.
//! - Jisu says "no such order" as [`JisuNoSuchOrder`] has it; a `teltype` or `rechargetype` out of range
//!   is 208; `telrecharge/recharge` takes the signature order of [`JisuSignOrder`]; goods of landlines
//!   are at `/telrecharge/goods`, and [`WorldConfig::aliases`] gives that path another name; lists stand
//!   in `result.list`, goods in `result`; a landline's callback calls the account `mobile`.
//! - Signatures are compared as written: lower case. A page size beyond the largest is the largest. A
//!   field that is sent twice has its last value, and a body's field wins over the query's.
//! - A number that was refused may be sent again by its client and is then a new order. What is never
//!   taken is a late copy of an earlier packet.

mod answer;
mod books;
mod builder;
mod calendar;
mod callbacks;
mod calls;
mod catalogue;
mod config;
pub mod control;
mod dice;
mod duration;
mod faults;
mod form;
mod hidden;
mod jisu;
mod jisu_answers;
mod juhe;
mod ledger;
pub mod md5;
mod message;
mod notify;
mod order;
mod plan;
mod presets;
mod routes;
mod scenario;
mod server;
pub mod socket;
mod spoil;
mod stats;
mod submit;
mod wire;
mod world;

pub use books::{End, Step};
pub use builder::{SimulatorBuilder, StartError};
pub use callbacks::CallbackSend;
pub use config::{
    Credentials, DEFAULT_JISU_APPKEY, DEFAULT_JISU_APPSECRET, DEFAULT_JUHE_KEY,
    DEFAULT_JUHE_OPENID, JisuNoSuchOrder, JisuSignOrder, Settle, Upstream, WorldConfig,
};
pub use duration::parse_duration;
pub use faults::{FaultKind, Stage};
pub use ledger::{LedgerRow, LedgerState};
pub use message::{Delivery, Reply, Request};
pub use plan::{FaultPlan, PlanError, Script, Timings};
pub use presets::Preset;
pub use scenario::{Scenario, ScenarioError};
pub use server::{Simulator, WorldGuard};
pub use stats::{LogEntry, Stats};
pub use world::World;
