//! The upstreams' own protocols, for shops that speak them already.

pub mod number;
