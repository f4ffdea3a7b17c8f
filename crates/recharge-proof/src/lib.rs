//! The proof that nobody is charged twice and nothing is lost, as far as it can be shown.

mod actors;
mod case;
mod clock;
mod cover;
mod dice;
mod executor;
mod judge;
mod lab;
mod lives;
mod mail;
mod points;
mod run;
pub mod search;
mod shrink;
mod store;
mod trace;
mod wire;
mod worker;
mod world;

pub use case::{CaseId, Wanted};
pub use cover::{Cover, Pair};
pub use judge::{Invariant, Violation};
pub use lives::{Plan, Shown, live};
pub use run::{Outcome, play};
pub use shrink::shrink;
pub use store::StoreKind;
