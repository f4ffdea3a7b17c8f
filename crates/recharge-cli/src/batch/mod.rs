//! Files of orders: reading one, and writing what became of them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`read`](mod@read) | a whole file, checked before anything of it is accepted |
//! | `run` | placing what was read, and following it |
//! | [`columns`] | its header |
//! | [`bad`] | what is wrong with it, line by line |
//! | [`text`] | its bytes as text, in the encodings that spreadsheets write |
//! | [`value`] | single values, and what spreadsheets do to them |
//! | [`write`](mod@write) | the result |

pub mod bad;
pub mod columns;
pub mod read;
pub(crate) mod run;
pub mod text;
pub mod value;
pub mod write;
