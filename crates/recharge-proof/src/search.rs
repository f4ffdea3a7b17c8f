//! Every life that one order can have, where the space is small enough to look at all of it.

/// Nothing yet.
pub const PENDING: () = ();
