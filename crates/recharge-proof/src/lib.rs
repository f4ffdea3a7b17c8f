//! The proof that nobody is charged twice and nothing is lost, as far as it can be shown.

pub mod search;
