//! The upstreams' MD5 request and callback signatures: pure, no_std, verified in constant time.
