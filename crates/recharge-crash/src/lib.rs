//! Kills the `recharge` command and fails its disk, and judges what became of the orders.
//!
//! The supervisor stands outside: it starts the real binary on a real file, against the simulator in a
//! process of its own, and knows three things only: what the command acknowledged or answered before it died, what
//! the file holds (read with plain SQL, from a copy), and what the upstreams' ledger says was charged. It
//! uses no crate of the project, so that a mistake there can't hide here.
//!
//! | module | what it holds |
//! |---|---|
//! | [`crash`] | rounds of orders in which the command is killed and stopped again and again, at files of orders and as a service |
//! | [`sweep`] | each write and each sync of a run failed once |
//! | `torn` | logs that were cut off |
//! | `round` | one round at files of orders |
//! | `schedule` | how the command is to die in it, from the round's seed |
//! | `service` | one round as a service, with a shop that calls it |
//! | `orders` | which orders are placed |
//! | `bench` | a round's folder: the orders, the configuration, the file |
//! | `life` | one process of the command, and how it is watched, stopped and killed |
//! | `strace` | faults of the disk |
//! | `wal` | the frames of a write-ahead log |
//! | `parallel` | many runs at a time |
//! | `http` | requests by hand |
//! | `upstream` | the simulator's process, and its ledger over HTTP |
//! | `books` | what the file holds, and whether it can be what was written |
//! | `verdict` | what is lost, charged twice, or ended wrongly |

mod bench;
mod books;
pub mod crash;
mod http;
mod life;
mod orders;
mod parallel;
mod round;
mod schedule;
mod service;
mod strace;
pub mod sweep;
mod torn;
mod upstream;
mod verdict;
mod wal;

use std::error::Error;

/// A run that can't be held says why in one text; nothing here is recovered from.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
