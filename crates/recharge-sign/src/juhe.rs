//! Juhe 聚合数据: signatures of submits, balance queries and callbacks.
//!
//! | call | signed | source |
//! |---|---|---|
//! | submit | `openid + key + phoneno + cardnum + orderid` | the merchant's own document (S) |
//! | balance | `openid + key + timestamp` | the vendor's pages, several clients (H) |
//! | callback | `key + sporder_id + orderid` | the merchant's own document (S) |
//!
//! `key` is the appkey; it travels with every call. `openid` never does. All other calls are
//! unsigned.
//!
//! Nothing stands between the texts. So one submit signature is good for every way to cut
//! `cardnum` and `orderid`, and one callback signature for every way to cut `sporder_id` and
//! `orderid`; a callback's state `sta` is not signed at all. A receiver must therefore compare both
//! numbers with those of the stored order, and ask Juhe for the state.

use core::fmt;

use crate::explain::{Explained, Part, digest};
use crate::midstate::Midstate;
use crate::{Digest, Verified, verify_hex};

/// The signature of a submit.
///
/// `amount` is the face value in whole yuan, as sent in `cardnum`; `order_id` the merchant's order
/// number, as sent in `orderid`. For many orders, [`Signer`] does this in three fifths of the time.
#[inline]
pub fn submit(openid: &str, key: &str, phone: &str, amount: &str, order_id: &str) -> Digest {
    digest(submit_parts(openid, key, phone, amount, order_id).into_iter())
}

/// The signature of a balance query (`yue`). `timestamp` is in unix seconds, as sent.
#[inline]
pub fn balance(openid: &str, key: &str, timestamp: &str) -> Digest {
    digest(balance_parts(openid, key, timestamp).into_iter())
}

/// The signature that a genuine callback has. `upstream_id` is its `sporder_id`, `order_id` its
/// `orderid`.
#[inline]
pub fn callback(key: &str, upstream_id: &str, order_id: &str) -> Digest {
    digest(callback_parts(key, upstream_id, order_id).into_iter())
}

/// Whether `given`, the `sign` of a received callback, is the right one, by the rules of
/// [`verify_hex`].
///
/// [`Verified::Genuine`] says that Juhe once signed these two numbers, or two others that read the same when
/// written together. It says nothing about `sta`, and nothing about when.
pub fn verify_callback(key: &str, upstream_id: &str, order_id: &str, given: &str) -> Verified {
    verify_hex(&callback(key, upstream_id, order_id), given)
}

/// [`submit`] with its stages.
pub fn explain_submit(
    openid: &str,
    key: &str,
    phone: &str,
    amount: &str,
    order_id: &str,
) -> Explained {
    Explained::new(submit_parts(openid, key, phone, amount, order_id).into_iter())
}

/// [`balance`] with its stages.
pub fn explain_balance(openid: &str, key: &str, timestamp: &str) -> Explained {
    Explained::new(balance_parts(openid, key, timestamp).into_iter())
}

/// [`callback`] with its stages.
pub fn explain_callback(key: &str, upstream_id: &str, order_id: &str) -> Explained {
    Explained::new(callback_parts(key, upstream_id, order_id).into_iter())
}

/// Signs for one account: `openid + key` is hashed once, and each signature starts from there.
///
/// It holds what openid and key were hashed to, and up to 63 of their last bytes: treat it as a
/// secret. [`Debug`](fmt::Debug) shows nothing of it.
#[derive(Clone)]
pub struct Signer {
    prefix: Midstate,
}

impl Signer {
    /// A signer for the account with this `openid` and appkey.
    pub fn new(openid: &str, key: &str) -> Self {
        let mut prefix = Midstate::START;
        prefix.absorb(openid);
        prefix.absorb(key);
        Self { prefix }
    }

    /// As [`submit`].
    #[inline]
    pub fn submit(&self, phone: &str, amount: &str, order_id: &str) -> Digest {
        self.prefix.digest([phone, amount, order_id].into_iter())
    }

    /// As [`balance`].
    #[inline]
    pub fn balance(&self, timestamp: &str) -> Digest {
        self.prefix.digest([timestamp].into_iter())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

#[inline]
fn submit_parts<'a>(
    openid: &'a str,
    key: &'a str,
    phone: &'a str,
    amount: &'a str,
    order_id: &'a str,
) -> [Part<'a>; 5] {
    [
        Part::secret("openid", openid),
        Part::secret("key", key),
        Part::plain("phoneno", phone),
        Part::plain("cardnum", amount),
        Part::plain("orderid", order_id),
    ]
}

#[inline]
fn balance_parts<'a>(openid: &'a str, key: &'a str, timestamp: &'a str) -> [Part<'a>; 3] {
    [
        Part::secret("openid", openid),
        Part::secret("key", key),
        Part::plain("timestamp", timestamp),
    ]
}

#[inline]
fn callback_parts<'a>(key: &'a str, upstream_id: &'a str, order_id: &'a str) -> [Part<'a>; 3] {
    [
        Part::secret("key", key),
        Part::plain("sporder_id", upstream_id),
        Part::plain("orderid", order_id),
    ]
}
