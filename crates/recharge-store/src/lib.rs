//! Where the engine's orders are kept: [`Sqlite`], a [`Store`](recharge_engine::Store) in one file. Why a
//! file can't be used is an [`OpenError`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`sqlite`] | [`Sqlite`], its backups and its check-up (feature `sqlite`) |
//! | [`registry`] | [`Registry`]: who may use a gateway, and files of orders that were handed in |
//! | [`url`] | [`StoreUrl`]: the store as configuration names it |
//!
//! Nothing is answered before it is durable: see [`sqlite`] for how, and for what happens when the disk
//! says no.

#[cfg(feature = "sqlite")]
pub mod registry;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod url;

#[cfg(feature = "sqlite")]
pub use registry::{Registry, RegistryError};
#[cfg(feature = "sqlite")]
pub use sqlite::{OpenError, Sqlite};
pub use url::{StoreUrl, StoreUrlError};
