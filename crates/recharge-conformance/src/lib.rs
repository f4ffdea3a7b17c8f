//! The suites that every provider and every transport must pass.
pub mod ratio;
