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
//! | module | what it holds |
//! |---|---|
//! | [`mod@step`] | the function; its parts send, weigh answers, and obey people |
//! | [`order`], [`attempt`] | [`Order`] and [`Attempt`]: what is on record, a fold of the events |
//! | [`event`] | [`Event`]: what is written down |
//! | [`input`] | [`Input`], [`Effect`], [`Command`] |
//! | [`policy`] | [`Policy`], [`Route`], [`Times`] |
//! | [`number`] | [`NumberKey`]: attempt numbers are derived, not drawn |
//! | [`clock`] | [`Moment`]: wall clock, epoch and monotonic time |
//! | [`memory`] | the in-memory driver (feature `driver`) |

pub mod attempt;
pub mod clock;
pub mod event;
pub mod input;
#[cfg(feature = "driver")]
pub mod memory;
pub mod number;
pub mod order;
pub mod policy;
pub mod step;

pub use attempt::Attempt;
pub use clock::{Epoch, Moment, WallTime};
pub use event::{Cause, Decision, Event, Person, Purpose, Recorded, SendToken, Verdict};
pub use input::{Alarm, Command, CommandError, Effect, Input, Jitter, Notice};
#[cfg(feature = "driver")]
pub use memory::{AcceptError, Clock, FollowError, MemoryDriver, SystemClock};
pub use number::NumberKey;
pub use order::{ApplyError, NewOrder, Order};
pub use policy::{Policy, Route, Times};
pub use step::{Step, step};
