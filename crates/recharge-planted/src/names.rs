//! The bugs of this build.

/// Their names, by their numbers, which count from 1. None here: `cargo xtask simulate` writes them into the copy
/// of the workspace that has them.
pub(crate) const NAMES: &[&str] = &[];
