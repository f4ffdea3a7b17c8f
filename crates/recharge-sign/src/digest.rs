//! The sixteen bytes of a signature, their text, and the comparison with a received one.

use core::fmt;

use subtle::ConstantTimeEq;

/// A signature: the 16 bytes of an MD5.
///
/// [`Display`](fmt::Display) and [`to_hex`](Self::to_hex) give the form in which both upstreams want
/// it: 32 lower-case hex digits. `==` takes the same time wherever the first difference is.
#[derive(Clone, Copy)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, as MD5 gives them.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// The 32 lower-case hex digits, on the stack.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the only error is a length that is not 2 × 16"
    )]
    pub fn to_hex(&self) -> HexDigest {
        let mut digits = [0; 32];
        hex::encode_to_slice(self.0, &mut digits).expect("16 bytes are 32 hex digits");
        HexDigest(digits)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_hex().as_str())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A [`Digest`] as 32 lower-case hex digits, on the stack.
#[derive(Clone, Copy)]
pub struct HexDigest([u8; 32]);

impl HexDigest {
    /// The 32 digits, each one of `0123456789abcdef`.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "only `Digest::to_hex` makes one, from hex digits"
    )]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).expect("hex digits are ASCII")
    }
}

impl AsRef<str> for HexDigest {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for HexDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for HexDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// What the check of a received signature found.
///
/// Not a `bool`, and never to be dropped: behind a `?`, as on what
/// [`jisu::verify_callback`](crate::jisu::verify_callback) gives, nobody would miss a `bool`.
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// use recharge_sign::jisu::{DuplicateParameter, verify_callback};
///
/// fn handle(sign: &str) -> Result<(), DuplicateParameter> {
///     verify_callback([("rechargestatus", "1")], "dummysecret", sign)?; // the verdict is dropped
///     Ok(())
/// }
/// ```
///
/// The same function with the verdict looked at:
///
/// ```
/// #![deny(unused_must_use)]
/// use recharge_sign::Verified;
/// use recharge_sign::jisu::{DuplicateParameter, verify_callback};
///
/// fn handle(sign: &str) -> Result<&'static str, DuplicateParameter> {
///     Ok(match verify_callback([("rechargestatus", "1")], "dummysecret", sign)? {
///         Verified::Genuine => "ask for the state",
///         Verified::Forged => "refuse",
///     })
/// }
/// assert_eq!(handle("0"), Ok("refuse"));
/// ```
#[must_use = "a forged signature looks like any other: act on the verdict"]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verified {
    /// The signature is the right one.
    Genuine,
    /// It is another one, or no signature at all.
    Forged,
}

impl Verified {
    /// Whether the signature is the right one.
    #[must_use]
    pub const fn is_genuine(self) -> bool {
        match self {
            Self::Genuine => true,
            Self::Forged => false,
        }
    }
}

/// Whether `given`, a signature as it was received, is `expected`.
///
/// The hex digits may be of either letter case. Anything that is not exactly 32 hex digits is plainly
/// [`Forged`](Verified::Forged). The 16 decoded bytes are compared in constant time, so that the answer's delay
/// does not tell a forger how many digits were right.
pub fn verify_hex(expected: &Digest, given: &str) -> Verified {
    let mut bytes = [0; 16];
    // Decoding takes a time that depends on `given` alone, which the sender knows anyway.
    if hex::decode_to_slice(given, &mut bytes).is_ok() && *expected == Digest(bytes) {
        Verified::Genuine
    } else {
        Verified::Forged
    }
}
