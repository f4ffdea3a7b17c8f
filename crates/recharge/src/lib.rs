//! Recharge in one dependency: the workspace's crates under one name, chosen by feature.
//!
//! | here | crate | what it is for |
//! |---|---|---|
//! | [`core`] | `recharge-core` | money, accounts, states, outcomes, the `Provider` trait |
//! | [`sign`] | `recharge-sign` | the upstreams' signatures, made and verified |
//! | [`http`] | `recharge-http` | the `Transport` trait and its implementations |
//! | [`juhe`] | `recharge-juhe` | adapter, feature `juhe` |
//! | [`jisu`] | `recharge-jisu` | adapter, feature `jisu` |
//! | [`engine`] | `recharge-engine` | the lifecycle, feature `engine` |
//!
//! The transports are features too: `reqwest`, `hyper`, `tower`, and for tests `test-util`.
//!
//! The types that most programs name are at the root as well. The recipes of the project's README are
//! compiled and run as tests of this crate.

pub use recharge_core as core;
pub use recharge_http as http;
pub use recharge_sign as sign;

#[cfg(feature = "engine")]
pub use recharge_engine as engine;
#[cfg(feature = "jisu")]
pub use recharge_jisu as jisu;
#[cfg(feature = "juhe")]
pub use recharge_juhe as juhe;

pub use recharge_core::{
    Account, AccountKind, AttemptNumber, Carrier, FaceValue, Money, OrderId, OrderState, Provider,
    ProviderExt, QueryOutcome, QueryRequest, SecretString, SubmitOutcome, SubmitRequest,
};
pub use recharge_http::Transport;

/// The recipes of the README, as tests.
#[cfg(all(
    doctest,
    feature = "juhe",
    feature = "jisu",
    feature = "engine",
    feature = "reqwest",
    feature = "hyper"
))]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
