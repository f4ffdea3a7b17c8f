//! The proof that nobody is charged twice and nothing is lost, as far as it can be shown.
//!
//! ```text
//!   case ─▶ run ─▶ executor: virtual time, one thread, a seed says who goes on
//!                    │
//!        merchants, people, callbacks ─▶ worker: the real driver and adapters
//!        (actors)                          │               │
//!                                        store            wire ─▶ mail ─▶ the simulator's World
//!                                          └──────┬────────┘
//!                                               judge ─▶ violations;  cover: what was met
//! ```
//!
//! `docs/proof.md` says what is shown and what isn't, `cargo xtask simulate` runs it.
//!
//! | module | what it holds |
//! |---|---|
//! | `case` | what happens: orders, faults, acts; all of it drawn from a seed, each part can be left out |
//! | `run` | one case from beginning to end |
//! | `executor`, `clock` | tasks, processes, virtual time; a worker's clocks |
//! | `lab` | what one case shares: world, disk, network, judge |
//! | `store`, `points` | a store as a worker sees it; where a worker can be stopped |
//! | `wire`, `mail`, `world` | the transport of the adapters, packets under way, the upstreams |
//! | `worker`, `actors` | who works, and those outside |
//! | `judge`, `invariant` | what must be true, and what was found to be untrue |
//! | `cover`, `trace` | what was met; what happened |
//! | `lives`, `shrink` | many cases; the smallest that still shows a violation |
//! | `hunt` | many cases, again with each planted bug that they may catch |
//! | [`search`] | every life of one order, within bounds |

mod actors;
mod case;
mod clock;
mod cover;
mod dice;
mod executor;
mod hunt;
mod invariant;
mod judge;
mod lab;
mod lives;
mod mail;
mod order_name;
mod points;
mod run;
pub mod search;
mod shrink;
mod store;
mod trace;
mod wire;
mod worker;
mod world;

pub use case::{CaseError, CaseId, Wanted, Workers};
pub use cover::Cover;
pub use executor::mute_simulated_panics;
pub use hunt::{Caught, Escaped, Quarry, Unsound, hunt};
pub use invariant::{Invariant, Violation};
pub use lives::{Plan, Shown, live, play_twice};
pub use run::{Outcome, play};
pub use shrink::shrink;
pub use store::StoreKind;
