//! Webhooks out, callbacks in: a gateway on a file, the simulator behind it, and a receiver that keeps what
//! it is told.

mod api;
mod callbacks;
mod delivery;
mod kit;
mod receiver;
mod refused;
mod upstream_form;
