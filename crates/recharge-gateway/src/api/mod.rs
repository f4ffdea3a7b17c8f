//! The interface under `/v1`.

pub mod acts;
pub mod batches;
pub mod books;
pub mod closed;
pub mod events;
pub mod input;
pub mod orders;
pub mod private;
pub mod upstreams;
pub mod view;
pub mod webhooks;
pub mod yuan;
