//! A signature with its stages, for a person who must find out why an upstream refuses it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::Digest;
use crate::midstate::Midstate;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// One text of the string to sign. The digest and its explanation are made from the same parts, so
/// that they can't differ.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    name: &'a str,
    value: &'a str,
    secret: bool,
}

impl<'a> Part<'a> {
    pub(crate) const fn secret(name: &'a str, value: &'a str) -> Self {
        Self {
            name,
            value,
            secret: true,
        }
    }

    pub(crate) const fn plain(name: &'a str, value: &'a str) -> Self {
        Self {
            name,
            value,
            secret: false,
        }
    }

    #[inline]
    pub(crate) const fn value(&self) -> &'a str {
        self.value
    }
}

/// The digest of the parts' values, one after the other.
#[inline]
pub(crate) fn digest<'a>(parts: impl Iterator<Item = Part<'a>> + Clone) -> Digest {
    Midstate::START.digest(parts.map(|part| part.value()))
}

/// A signature with its stages: the parameters as they are signed, the string to sign, the digest.
///
/// The secrets are replaced by `***` before anything is stored, so they can't be had from it. The
/// account, mostly a phone number, is in it: [`Display`](fmt::Display) is for the person who asked,
/// not for a log. [`Debug`](fmt::Debug) shows names and the digest only.
///
/// ```
/// let explained = recharge_sign::juhe::explain_callback("dummykey", "J1234", "567");
/// assert_eq!(explained.string_to_sign(), "***J1234567");
/// assert_eq!(
///     explained.to_string(),
///     "parameters, in the order in which they are signed:\n\
///      \x20 key=***\n\
///      \x20 sporder_id=J1234\n\
///      \x20 orderid=567\n\
///      string to sign: ***J1234567\n\
///      md5: 875e488dc08795631ead0919cc3931ae"
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Explained {
    parameters: Vec<(String, String)>,
    string_to_sign: String,
    digest: Digest,
}

impl Explained {
    pub(crate) fn new<'a>(parts: impl Iterator<Item = Part<'a>> + Clone) -> Self {
        let digest = digest(parts.clone());
        let parameters: Vec<(String, String)> = parts
            .map(|part| {
                (
                    part.name.into(),
                    if part.secret { MASK } else { part.value }.into(),
                )
            })
            .collect();
        let string_to_sign = parameters.iter().map(|(_, value)| value.as_str()).collect();
        Self {
            parameters,
            string_to_sign,
            digest,
        }
    }

    /// Name and value of each signed parameter, in the order in which they are concatenated. The
    /// value of a secret is `***`.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// What is hashed, except that `***` stands for each secret.
    pub fn string_to_sign(&self) -> &str {
        &self.string_to_sign
    }

    /// The signature: the digest of the string with the real secrets in it.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

/// The stages, one below the other, without a line feed at the end.
impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "parameters, in the order in which they are signed:")?;
        for (name, value) in &self.parameters {
            writeln!(f, "  {name}={value}")?;
        }
        writeln!(f, "string to sign: {}", self.string_to_sign)?;
        write!(f, "md5: {}", self.digest)
    }
}

impl fmt::Debug for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .parameters
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("Explained")
            .field("parameters", &names)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}
