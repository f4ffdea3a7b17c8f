//! The upstreams' MD5 request and callback signatures: pure, no_std, verified in constant time.
//!
//! Both upstreams sign with an MD5 over texts that are concatenated with nothing between them. What
//! is concatenated, and in which order, is in [`juhe`] and [`jisu`]. This crate knows no HTTP, no
//! clock and no random numbers, and nothing is allocated on the way to a [`Digest`].
//!
//! Every text is signed byte for byte as it is given. So give the values exactly as they are sent,
//! before any URL or form encoding.
//!
//! # Juhe 聚合数据: one digest per call
//!
//! ```
//! use recharge_sign::{Verified, juhe};
//!
//! let (openid, key) = ("JHdummyopenid", "dummykey");
//! let sign = juhe::submit(openid, key, "18912345678", "1", "111111111");
//! assert_eq!(sign.to_hex().as_str(), "96cde7a4bd897147c74c3b2f5302c500");
//!
//! // Who signs many orders keeps the hashed openid and key, and gets the same digest for less.
//! let signer = juhe::Signer::new(openid, key);
//! assert_eq!(signer.submit("18912345678", "1", "111111111"), sign);
//!
//! // A callback is checked with the key alone.
//! let given = "875E488DC08795631EAD0919CC3931AE";
//! assert_eq!(juhe::verify_callback(key, "J1234", "567", given), Verified::Genuine);
//! ```
//!
//! # Jisu 极速数据: the whole request, in any order
//!
//! ```
//! use recharge_sign::jisu::{self, SignOrder};
//!
//! let request = [
//!     ("appkey", "dummyappkey"), // not signed, and ignored
//!     ("tel", "0571-56565366"),
//!     ("amount", "100"),
//!     ("teltype", "1"),
//!     ("rechargetype", "1"),
//!     ("outorderno", "A1"),
//! ];
//! let sign = jisu::sign(SignOrder::Sorted, request, "dummysecret")?;
//! assert_eq!(sign.to_string(), "844241f6ca913562f0ee3abed94ed1a7");
//! # Ok::<(), jisu::DuplicateParameter>(())
//! ```
//!
//! # What a signature does not say
//!
//! With nothing between the texts, `"10" + "1A"` and `"101" + "A"` are the same: one signature is
//! good for several requests or callbacks. And a Juhe callback's state is not signed at all. A
//! valid signature is therefore a reason to look, never the proof of a charge.
//!
//! # When an upstream refuses a signature
//!
//! `juhe::explain_…` and [`jisu::explain`] show each stage, with the secrets as `***`:
//! see [`Explained`].
#![no_std]

extern crate alloc;

mod digest;
mod explain;
pub mod jisu;
pub mod juhe;
mod midstate;

pub use digest::{Digest, HexDigest, Verified, verify_hex};
pub use explain::Explained;
