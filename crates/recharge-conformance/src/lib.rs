//! The suites that every provider and every transport must pass.
pub mod provider;
pub mod ratio;
mod sim_bench;
mod stub_bench;
pub mod transport;

pub use sim_bench::{SimBench, SimTarget};
pub use stub_bench::{Asked, Booked, Form, Say, StubBench, Wire};
