//! One test for each rule of the lifecycle that `step` carries out, in the order of the rules, and one
//! for each violation (`v01_…` to `v15_…`) that a rule closes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod asking;
mod callbacks;
#[path = "../common/mod.rs"]
mod common;
mod hold;
mod late;
mod people;
mod prices;
mod replay;
mod routes;
mod sending;
mod standing;
mod violations;
