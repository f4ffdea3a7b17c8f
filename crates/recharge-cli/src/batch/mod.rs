//! Files of orders: placing what one says, and writing what became of it. What is in one is read by
//! `recharge_batch`.
//!
//! | module | what it holds |
//! |---|---|
//! | `run` | placing what was read, and following it |
//! | [`file`](mod@file) | its bytes, and what is said of one that can't be used |
//! | [`write`](mod@write) | the result |

pub mod file;
pub(crate) mod run;
pub mod write;
