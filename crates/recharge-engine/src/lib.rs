//! The order lifecycle: one pure, total function that makes every move, and a driver for it.
//!
//! ```text
//! Input ──▶ step(policy, order, input, now) ──▶ events, notices (write down) ──▶ effects (then do)
//!                        ▲                                                        │
//!                        └──────────────── what became of them ◀──────────────────┘
//! ```
//!
//! Three sentences carry it:
//!
//! 1. **Write before you send.** No byte of a submit leaves before a durable record says that it may.
//! 2. **Only evidence ends an order.** A charge is proved by a query; "not charged" by never having
//!    sent, by a listed refusal, or by two failures apart in time.
//! 3. **In doubt, ask; never send again.** Unknown is a state, not an error.
//!
//! [`step()`] reads no clock, does no I/O and draws no random number: times, tokens and jitter come in.
//! An order is the fold of its events ([`Order::apply`]). A late fact — the outcome of a send that was
//! given up, an answer after the end — is evidence and never an error; only a person's command can be
//! refused.
//!
//! **To use it**, give [`driver::Setup`] a [`Store`] and providers, and [`start`](driver::Setup::start) it:
//! the [`Driver`] then takes orders and follows them. A store in a file is `recharge_store::Sqlite`. The
//! project's `docs/embedding.md` is a service in one page, compiled and run as a test.
//!
//! **To understand it**, read [`mod@step`] beside `docs/lifecycle.md`, which has the rules in words, then
//! [`order`] and [`attempt`], which have what they rest on. [`store`] says what a crash may take and what it
//! must leave, and [`driver`] how the two are put together.
//!
//! Without the feature `driver` the crate is pure: no runtime, no clock, no task.
//!
//! | module | what it holds |
//! |---|---|
//! | [`mod@step`] | the function; its parts send, hold back, weigh answers, and obey people |
//! | [`order`], [`attempt`] | [`Order`] and [`Attempt`]: what is on record, a fold of the events |
//! | [`event`] | [`Event`]: what is written down |
//! | [`input`] | [`Input`], [`Effect`], [`Command`] |
//! | [`policy`], [`times`] | [`Policy`], [`Route`]; [`Times`] |
//! | [`number`] | [`NumberKey`]: attempt numbers are derived, not drawn |
//! | [`clock`] | [`Moment`]: wall clock, epoch and monotonic time; [`Clock`], where a driver reads them |
//! | [`store`] | [`Store`]: the engine's memory, and what each call means after a crash |
//! | [`record`] | how events are written down |
//! | [`memory`] | [`MemoryStore`]: a store that records what became durable, for tests |
//! | [`driver`] | [`Driver`]: hands for [`step()`] (feature `driver`) |

pub mod attempt;
pub mod clock;
#[cfg(feature = "driver")]
pub mod driver;
pub mod event;
pub mod input;
pub mod memory;
pub mod number;
pub mod order;
pub mod policy;
pub mod record;
pub mod step;
pub mod store;
pub mod times;

pub use attempt::Attempt;
#[cfg(feature = "driver")]
pub use clock::SystemClock;
pub use clock::{Clock, Epoch, Moment, WallTime};
#[cfg(feature = "driver")]
pub use driver::Driver;
pub use event::{
    Cause, Decision, Event, Person, PersonError, Price, Purpose, Recorded, SendToken, Verdict,
};
pub use input::{Alarm, Command, CommandError, Effect, Input, Jitter, Notice};
pub use memory::MemoryStore;
pub use number::NumberKey;
pub use order::{Acceptance, ApplyError, NewOrder, Order, ReplyTo, ReplyToError};
pub use policy::{Policy, Route};
pub use step::{Step, step};
pub use store::{AcceptError, AppendError, Store, StoreError};
pub use times::{Times, TimesError};
