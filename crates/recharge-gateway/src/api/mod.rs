//! The interface under `/v1`.

pub mod input;
pub mod orders;
pub mod view;
pub mod webhooks;
