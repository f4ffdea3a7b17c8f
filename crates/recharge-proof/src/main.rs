//! `recharge-proof`: what `cargo xtask simulate` runs.

fn main() {}
