//! The `recharge` binary.

fn main() {}
