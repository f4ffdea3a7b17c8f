//! Identifiers: the merchant and its order id, the number sent upstream, the upstream's own number, and
//! the provider's name.

use std::fmt;
use std::str::FromStr;

/// A merchant: 1 to 64 printable ASCII characters, no spaces. [`MerchantId::local`] on the command line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MerchantId(Box<str>);

/// The merchant's name for an order: 1 to 64 printable ASCII characters, no spaces.
///
/// It never travels upstream; what travels is an [`AttemptNumber`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(Box<str>);

/// The order number that one attempt carries upstream: an ASCII letter and 26 characters of RFC 4648
/// base32 (`A`–`Z`, `2`–`7`).
///
/// It is derived from the order by the engine and given from outside; core only holds its form. The
/// fixed length and the leading letter close a hole of both upstreams' signatures, which join fields
/// with nothing between: digits of a face value can't be moved into a number that starts with a letter,
/// and no other split of the text is again a number of this form. 27 letters and digits fit Juhe's
/// 8 to 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptNumber([u8; AttemptNumber::LEN]);

/// The number an upstream gave an order: 1 to 64 printable ASCII characters, no spaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpstreamOrderId(Box<str>);

/// The short name of a provider, as written in configuration and in the ledger: 1 to 32 lower-case
/// letters, digits and dashes, the first a letter. Such as `juhe`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(Box<str>);

/// Why a text is not an identifier of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseIdError {
    /// Not a [`MerchantId`].
    #[error("a merchant's name is 1 to 64 printable ASCII characters without spaces")]
    MerchantId,
    /// Not an [`OrderId`].
    #[error("an order id is 1 to 64 printable ASCII characters without spaces")]
    OrderId,
    /// Not an [`AttemptNumber`].
    #[error("an attempt number is one ASCII letter followed by 26 base32 characters (A-Z, 2-7)")]
    AttemptNumber,
    /// Not an [`UpstreamOrderId`].
    #[error("an upstream's order number is 1 to 64 printable ASCII characters without spaces")]
    UpstreamOrderId,
    /// Not a [`ProviderId`].
    #[error(
        "a provider's name is 1 to 32 lower-case letters, digits and dashes, beginning with a letter"
    )]
    ProviderId,
}

fn printable(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn provider_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

macro_rules! text_id {
    ($name:ident, $valid:path) => {
        impl $name {
            /// Takes a text of this form, or says what the form is.
            pub fn parse(text: &str) -> Result<Self, ParseIdError> {
                if $valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(ParseIdError::$name)
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        id_text!($name);
    };
}

/// What all identifiers share.
macro_rules! id_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Self::parse(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
    };
}

text_id!(MerchantId, printable);
text_id!(OrderId, printable);
text_id!(UpstreamOrderId, printable);
text_id!(ProviderId, provider_name);
id_text!(AttemptNumber);

impl MerchantId {
    /// The merchant whose orders come from the command line: `local`. Not to be given to anybody else.
    pub fn local() -> Self {
        Self("local".into())
    }
}

impl AttemptNumber {
    /// The length of every attempt number.
    pub const LEN: usize = 27;

    /// Takes a text of this form, or says what the form is.
    pub fn parse(text: &str) -> Result<Self, ParseIdError> {
        let bytes: [u8; Self::LEN] = text
            .as_bytes()
            .try_into()
            .map_err(|_| ParseIdError::AttemptNumber)?;
        let [first, rest @ ..] = &bytes;
        let base32 = |b: &u8| b.is_ascii_uppercase() || (b'2'..=b'7').contains(b);
        if first.is_ascii_alphabetic() && rest.iter().all(base32) {
            Ok(Self(bytes))
        } else {
            Err(ParseIdError::AttemptNumber)
        }
    }

    /// The number made of a letter `R` and the first 130 of these bits in base32. Where the bits come
    /// from is the caller's to say.
    ///
    /// ```
    /// let number = recharge_core::AttemptNumber::from_bits(&[0xff; 17]);
    /// assert_eq!(number.as_str(), "R77777777777777777777777777");
    /// ```
    pub fn from_bits(bits: &[u8; 17]) -> Self {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut text = [b'R'; Self::LEN];
        let (mut buffer, mut buffered) = (0_u32, 0_u32);
        let mut bytes = bits.iter();
        for place in &mut text[1..] {
            if buffered < 5 {
                // 26 characters take 130 of the 136 bits, so there is always a byte left.
                buffer = (buffer << 8) | u32::from(bytes.next().copied().unwrap_or_default());
                buffered += 8;
            }
            buffered -= 5;
            *place = ALPHABET[(buffer >> buffered & 31) as usize];
            buffer &= (1 << buffered) - 1;
        }
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Only ASCII gets past `parse`, so the empty text is never what comes out.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_ids_are_what_the_form_says(text: String) {
            let right = (1..=64).contains(&text.len()) && text.chars().all(|c| ('!'..='~').contains(&c));
            prop_assert_eq!(OrderId::parse(&text).is_ok(), right);
            prop_assert_eq!(UpstreamOrderId::parse(&text).is_ok(), right);
        }

        #[test]
        fn valid_order_ids_are_kept_as_given(text in "[!-~]{1,64}") {
            let id = OrderId::parse(&text).unwrap();
            prop_assert_eq!(id.as_str(), text.as_str());
        }

        #[test]
        fn attempt_numbers_of_the_form_are_kept_as_given(text in "[A-Za-z][A-Z2-7]{26}") {
            let number = AttemptNumber::parse(&text).unwrap();
            prop_assert_eq!(number.as_str(), text.as_str());
        }

        #[test]
        fn numbers_made_of_bits_have_the_form_and_keep_every_bit(bits: [u8; 17], bit in 0_usize..130) {
            let number = AttemptNumber::from_bits(&bits);
            prop_assert_eq!(AttemptNumber::parse(number.as_str()), Ok(number));
            let mut other = bits;
            other[bit / 8] ^= 128 >> (bit % 8);
            prop_assert_ne!(AttemptNumber::from_bits(&other), number);
        }

        #[test]
        fn attempt_numbers_of_another_form_are_refused(text in "[A-Za-z0-9]{0,40}") {
            let form = text.len() == 27
                && text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text[1..].chars().all(|c| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".contains(c));
            prop_assert_eq!(AttemptNumber::parse(&text).is_ok(), form);
        }
    }

    /// As RFC 4648 writes BASE32("foobar") in its section 10, and Python's `base64` the other.
    #[test]
    fn bits_are_written_as_the_rfc_writes_them() {
        let mut bits = [0; 17];
        bits[..6].copy_from_slice(b"foobar");
        let first = AttemptNumber::from_bits(&bits);
        assert_eq!(first.as_str(), "RMZXW6YTBOIAAAAAAAAAAAAAAAA");
        bits.rotate_right(11);
        let last = AttemptNumber::from_bits(&bits);
        assert_eq!(last.as_str(), "RAAAAAAAAAAAAAAAAABTG633CMF");
    }

    #[test]
    fn edges_of_each_form() {
        assert!(OrderId::parse("").is_err());
        assert!(OrderId::parse(&"x".repeat(64)).is_ok());
        assert!(OrderId::parse(&"x".repeat(65)).is_err());
        assert!(OrderId::parse("a b").is_err());
        assert!(OrderId::parse("订单").is_err());
        assert!(ProviderId::parse("juhe").is_ok());
        assert!(ProviderId::parse("juhe-2").is_ok());
        for wrong in ["", "Juhe", "1juhe", "-juhe", "ju he", &"x".repeat(33)] {
            assert_eq!(
                ProviderId::parse(wrong),
                Err(ParseIdError::ProviderId),
                "{wrong:?}"
            );
        }
        assert!(
            AttemptNumber::parse("7AAAAAAAAAAAAAAAAAAAAAAAAAA").is_err(),
            "a digit first"
        );
        assert!(
            AttemptNumber::parse("RAAAAAAAAAAAAAAAAAAAAAAAAA1").is_err(),
            "1 is not base32"
        );
    }
}
