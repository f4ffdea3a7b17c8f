//! The engine as a service.
//!
//! ```text
//!   a shop ──▶ /v1/… ───────┐                                   ┌──▶ its webhook, signed
//!   an old shop ▶ /compat/… ┼─▶ keys ─▶ Driver ◀──▶ store ─▶ outbox ─▶ its old receiver
//!   an upstream ▶ /callbacks ┘            │
//!                                         └──▶ Juhe, Jisu
//! ```
//!
//! What a request may do is decided once, by [`auth`]; what it means, by the engine. A handler translates:
//! it reads what came, calls the driver, and shows what there is. Nothing here knows when to send or ask.
//!
//! | module | what it holds |
//! |---|---|
//! | [`settings`] | [`Settings`]: what an operator decides |
//! | [`server`] | [`Gateway`]: listening, draining, and what guards every connection |
//! | [`guard`], [`stall`], [`linger`] | deadlines, and what else stands around every route and every connection |
//! | [`routes`], [`docs`] | every route with what it takes to use it; the same as a document |
//! | [`api`] | the interface under `/v1` |
//! | [`callbacks`], [`peer`] | what upstreams tell, and who it is that calls |
//! | [`webhooks`] | what merchants are told |
//! | [`compat`] | the upstreams' own protocols, under `/compat` |
//! | [`health`], [`metrics`] | whether it works, and how well |
//! | [`auth`], [`ring`] | who may do what; the keys, as they are at hand |
//! | [`keys`], [`seal`] | how keys are made, and how secrets that must be read again are kept |
//! | [`forget`] | what happens to phone numbers when they are old |
//! | [`limits`] | how often something may be done |
//! | [`problem`] | [`Problem`]: every error that is answered |
//! | [`trace`] | what is logged of a request |
//! | [`time`] | times as they are shown and written |

pub mod api;
pub mod app;
pub mod auth;
pub mod callbacks;
pub mod compat;
pub mod docs;
pub mod forget;
pub mod guard;
pub mod health;
pub mod keys;
pub mod limits;
pub mod linger;
pub mod metrics;
pub mod peer;
pub mod problem;
pub mod ring;
pub mod routes;
pub mod seal;
pub mod server;
pub mod settings;
pub mod stall;
pub mod time;
pub mod trace;
pub mod webhooks;

pub use app::App;
pub use problem::Problem;
pub use server::{Gateway, ServeError};
pub use settings::{Settings, SettingsError};
