//! The provider suite passes for an honest adapter, and each of its cases fails for a broken one.

mod broken;
mod honest;

recharge_conformance::provider_suite!(async { honest::bench() });
