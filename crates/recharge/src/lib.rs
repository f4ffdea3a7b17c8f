//! Recharge in one dependency: the workspace's crates under one name, chosen by feature.
//!
//! | here | crate | what it is for |
//! |---|---|---|
//! | [`core`] | `recharge-core` | money, accounts, states, outcomes, the `Provider` trait |
//! | [`sign`] | `recharge-sign` | the upstreams' signatures, made and verified |
//! | [`http`] | `recharge-http` | the `Transport` trait and its implementations |
//! | [`juhe`] | `recharge-juhe` | adapter, feature `juhe` |
//! | [`jisu`] | `recharge-jisu` | adapter, feature `jisu` |
//! | [`engine`] | `recharge-engine` | the lifecycle and its driver, feature `engine` |
//! | [`store`] | `recharge-store` | the engine's memory in one SQLite file, feature `sqlite` |
//!
//! | feature | on by default | what it brings |
//! |---|---|---|
//! | `juhe`, `jisu` | yes | the adapters |
//! | `engine` | yes | the lifecycle; its driver needs tokio's timers |
//! | `sqlite` | yes | `engine`, and the store; SQLite is compiled in, which needs a C compiler |
//! | `reqwest` | yes | a transport with a fresh connection for each request |
//! | `hyper` | no | a transport that keeps connections and knows whether a byte was written |
//! | `tower` | no | any `tower::Service` as a transport |
//! | `test-util` | no | scripted, recording and never-answering transports, for tests |
//!
//! Without any of them there is no HTTP client, no runtime and no SQLite: types, traits and signatures.
//!
//! The types that most programs name are at the root as well. An order's whole life in a service of your
//! own is in the project's `docs/embedding.md`. Its programs, and the recipes of the README, are compiled
//! and run as tests of this crate.

pub use recharge_core as core;
pub use recharge_http as http;
pub use recharge_sign as sign;

#[cfg(feature = "engine")]
pub use recharge_engine as engine;
#[cfg(feature = "jisu")]
pub use recharge_jisu as jisu;
#[cfg(feature = "juhe")]
pub use recharge_juhe as juhe;
#[cfg(feature = "sqlite")]
pub use recharge_store as store;

pub use recharge_core::{
    Account, AccountKind, AttemptNumber, Carrier, FaceValue, MerchantId, Money, OrderId,
    OrderState, Provider, ProviderExt, ProviderId, QueryOutcome, QueryRequest, SecretString,
    SubmitOutcome, SubmitRequest,
};
pub use recharge_http::Transport;

/// The recipes of the README, as tests.
#[cfg(all(
    doctest,
    feature = "juhe",
    feature = "jisu",
    feature = "sqlite",
    feature = "reqwest",
    feature = "hyper"
))]
#[doc = include_str!("../../../README.md")]
pub struct Readme;

/// The programs of the guide to embedding, as tests.
#[cfg(all(doctest, feature = "juhe", feature = "sqlite", feature = "reqwest"))]
#[doc = include_str!("../../../docs/embedding.md")]
pub struct Embedding;
