//! Jisu 极速数据: one signature scheme for all signed requests and for callbacks.
//!
//! The values of the parameters, in byte order of the parameters' names, with nothing between them
//! and `appsecret` at the end (S: the merchant's own document). `appkey` and `sign` are not signed:
//! they are ignored, so that a whole request or callback can be given. An empty value contributes
//! nothing. `appsecret` never travels; it is not a parameter.
//!
//! The merchant's document contradicts itself for `telrecharge`: see [`SignOrder`].
//!
//! Nothing stands between the values. So one signature is good for every way to cut the values of
//! neighbouring parameters, and it does not say which value had which name.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::explain::{Explained, Part, digest};
use crate::{Digest, Verified, verify_hex};

/// In which order the values are signed.
///
/// The two differ for `telrecharge` (landline and broadband) only, whose account is called `tel`.
/// For `mobilerecharge`, and for callbacks, the account is called `mobile`, and they agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignOrder {
    /// By the real names: `amount, outorderno, rechargetype, tel, teltype`. So does the sample code
    /// in the merchant's document (S).
    #[default]
    Sorted,
    /// As if `tel` were called `mobile`: `amount, tel, outorderno, rechargetype, teltype`. So says
    /// the parameter table in the same document (S); it looks like a copy from the mobile product
    /// (L).
    DocumentedTable,
}

/// Two parameters have the same name, so that their order, hence the signature, is not defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateParameter {
    name: String,
}

impl DuplicateParameter {
    /// The name that was given more than once.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for DuplicateParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        write!(
            f,
            "the parameter {name:?} is given more than once: give it once, or leave it out"
        )
    }
}

impl core::error::Error for DuplicateParameter {}

/// The signature of a request with these parameters, given as (name, value) in any order.
///
/// Names must be unique, those of ignored parameters too. Nothing is allocated for up to 16
/// parameters; no known request or callback has more than 7.
pub fn sign<'a>(
    order: SignOrder,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    secret: &str,
) -> Result<Digest, DuplicateParameter> {
    with_sorted(order, params, |params| digest(parts(params, secret)))
}

/// Whether `given`, the `sign` of a received callback, is the right one for these parameters, by the
/// rules of [`verify_hex`].
///
/// [`Verified::Forged`] is a callback that is not genuine; an error one that can't be judged. The signature
/// covers `rechargestatus`. But a callback can be replayed for ever, and this scheme is known from
/// one source (M): it too is only a reason to ask.
pub fn verify_callback<'a>(
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    secret: &str,
    given: &str,
) -> Result<Verified, DuplicateParameter> {
    let expected = sign(SignOrder::Sorted, params, secret)?;
    Ok(verify_hex(&expected, given))
}

/// [`sign`] with its stages. Ignored parameters do not appear in it.
pub fn explain<'a>(
    order: SignOrder,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    secret: &str,
) -> Result<Explained, DuplicateParameter> {
    with_sorted(order, params, |params| {
        Explained::new(parts(params, secret))
    })
}

/// The parameters that are not signed.
const UNSIGNED: [&str; 2] = ["appkey", "sign"];

/// How many parameters are sorted on the stack.
const INLINE: usize = 16;

/// A parameter's name and value.
type Param<'a> = (&'a str, &'a str);

/// What is signed, for parameters that are in order.
fn parts<'a>(
    params: &'a [Param<'a>],
    secret: &'a str,
) -> impl Iterator<Item = Part<'a>> + Clone + use<'a> {
    params
        .iter()
        .filter(|(name, _)| !UNSIGNED.contains(name))
        .map(|(name, value)| Part::plain(name, value))
        .chain(core::iter::once(Part::secret("appsecret", secret)))
}

/// Collects the parameters, on the stack if there are few, and calls `then` with them in order.
fn with_sorted<'a, T>(
    order: SignOrder,
    params: impl IntoIterator<Item = Param<'a>>,
    then: impl FnOnce(&[Param<'a>]) -> T,
) -> Result<T, DuplicateParameter> {
    let mut params = params.into_iter().fuse();
    let mut inline: [Param<'a>; INLINE] = [("", ""); INLINE];
    let mut count = 0;
    // In this order `zip` takes no parameter that has no slot.
    for (slot, param) in inline.iter_mut().zip(params.by_ref()) {
        *slot = param;
        count += 1;
    }
    match params.next() {
        // `count` is at most the number of slots.
        None => sort(order, &mut inline[..count]).map(then),
        Some(next) => {
            let mut all: Vec<Param<'a>> = inline.to_vec();
            all.push(next);
            all.extend(params);
            sort(order, &mut all).map(then)
        }
    }
}

/// Puts parameters in the order in which they are signed, in place and without allocating.
fn sort<'s, 'a>(
    order: SignOrder,
    params: &'s mut [Param<'a>],
) -> Result<&'s [Param<'a>], DuplicateParameter> {
    // The real name decides between two that are sorted alike, so that the order in which they
    // were given never does, and equal names become neighbours.
    params.sort_unstable_by_key(|&(name, _)| (sorted_as(order, name), name));
    match params
        .iter()
        .zip(params.iter().skip(1))
        .find(|(one, next)| one.0 == next.0)
    {
        Some(((name, _), _)) => Err(DuplicateParameter {
            name: (*name).into(),
        }),
        None => Ok(params),
    }
}

/// The name by which a parameter is sorted.
fn sorted_as(order: SignOrder, name: &str) -> &str {
    match (order, name) {
        (SignOrder::DocumentedTable, "tel") => "mobile",
        (SignOrder::DocumentedTable | SignOrder::Sorted, name) => name,
    }
}
