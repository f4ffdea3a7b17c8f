//! Amounts of money: integer thousandths of a yuan, parsed from text, never through a float.

use std::fmt;
use std::str::FromStr;

/// An amount in yuan, held as an integer number of thousandths (厘). Never negative.
///
/// Three places because the upstreams write prices such as `"1.060"`. Text is read exactly as
/// written: `"10.2"`, `"10.20"` and `"10.200"` are equal; more than three places, a sign, an exponent
/// or a thousands separator is an error, never a rounding.
///
/// Prints with two places, and with three where the third is not zero.
///
/// ```
/// use recharge_core::Money;
/// let cost: Money = "99.65".parse()?;
/// assert_eq!(cost.thousandths(), 99_650);
/// assert_eq!("0.125".parse::<Money>()?.to_string(), "0.125");
/// assert!("1.0605".parse::<Money>().is_err());
/// # Ok::<(), recharge_core::ParseMoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(u64);

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// The largest amount: as much as fits a database's signed integer of 64 bits.
    pub const MAX: Self = Self(i64::MAX.unsigned_abs());

    /// An amount in thousandths of a yuan; `None` above [`MAX`](Self::MAX).
    pub const fn from_thousandths(thousandths: u64) -> Option<Self> {
        if thousandths <= Self::MAX.0 {
            Some(Self(thousandths))
        } else {
            None
        }
    }

    /// A whole number of yuan; `None` above [`MAX`](Self::MAX).
    pub const fn from_yuan(yuan: u64) -> Option<Self> {
        Self::checked(yuan.checked_mul(1000))
    }

    const fn checked(thousandths: Option<u64>) -> Option<Self> {
        match thousandths {
            Some(thousandths) => Self::from_thousandths(thousandths),
            None => None,
        }
    }

    /// The amount in thousandths of a yuan.
    pub const fn thousandths(self) -> u64 {
        self.0
    }

    /// The amount in whole yuan, when it is one.
    pub const fn whole_yuan(self) -> Option<u64> {
        if self.0.is_multiple_of(1000) {
            Some(self.0 / 1000)
        } else {
            None
        }
    }

    /// The sum; `None` above [`MAX`](Self::MAX).
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        Self::checked(self.0.checked_add(other.0))
    }

    /// The difference; `None` when it would be negative.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (yuan, rest) = (self.0 / 1000, self.0 % 1000);
        if rest % 10 == 0 {
            f.pad(&format!("{yuan}.{:02}", rest / 10))
        } else {
            f.pad(&format!("{yuan}.{rest:03}"))
        }
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money({self})")
    }
}

impl FromStr for Money {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, ParseMoneyError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || fraction.is_some_and(|part| !digits(part)) {
            return Err(ParseMoneyError::NotAnAmount);
        }
        let fraction = fraction.unwrap_or_default();
        if fraction.len() > 3 {
            return Err(ParseMoneyError::TooManyPlaces);
        }
        let yuan: u64 = whole.parse().map_err(|_| ParseMoneyError::TooLarge)?;
        let digit =
            |place: usize| u64::from(fraction.as_bytes().get(place).map_or(0, |b| b - b'0'));
        let thousandths = digit(0) * 100 + digit(1) * 10 + digit(2);
        let amount = yuan.checked_mul(1000);
        Self::checked(amount.and_then(|amount| amount.checked_add(thousandths)))
            .ok_or(ParseMoneyError::TooLarge)
    }
}

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseMoneyError {
    /// Not digits with an optional decimal point.
    #[error(
        "not an amount in yuan: write digits with at most one dot, such as 10 or 99.65 (no sign, exponent or separator)"
    )]
    NotAnAmount,
    /// More than three decimal places.
    #[error(
        "more than three decimal places: an amount is exact to a thousandth of a yuan, such as 1.060"
    )]
    TooManyPlaces,
    /// Above [`Money::MAX`], about 9.2 × 10¹⁵ yuan; or a face value past its own range.
    #[error("the amount is too large")]
    TooLarge,
    /// A face value that is zero or not a whole number of yuan.
    #[error("a face value is a whole number of yuan above zero, such as 50")]
    NotAFaceValue,
}

/// What is topped up: a whole number of yuan above zero. What it costs is a [`Money`].
///
/// Both upstreams sell fixed face values in whole yuan; which ones is said by
/// [`Capabilities`](crate::Capabilities).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaceValue(u32);

impl FaceValue {
    /// A face value in whole yuan; zero is an error.
    pub const fn from_yuan(yuan: u32) -> Result<Self, ParseMoneyError> {
        if yuan == 0 {
            Err(ParseMoneyError::NotAFaceValue)
        } else {
            Ok(Self(yuan))
        }
    }

    /// Whole yuan.
    pub const fn yuan(self) -> u32 {
        self.0
    }

    /// The same as an amount of money.
    pub const fn money(self) -> Money {
        // A u32 times a thousand fits a u64.
        Money(self.0 as u64 * 1000)
    }
}

impl fmt::Display for FaceValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for FaceValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaceValue({})", self.0)
    }
}

impl FromStr for FaceValue {
    type Err = ParseMoneyError;

    /// Reads `"100"`, and `"100.00"` as upstreams print it back.
    fn from_str(text: &str) -> Result<Self, ParseMoneyError> {
        let yuan = text
            .parse::<Money>()?
            .whole_yuan()
            .ok_or(ParseMoneyError::NotAFaceValue)?;
        Self::from_yuan(u32::try_from(yuan).map_err(|_| ParseMoneyError::TooLarge)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(thousandths in 0..=Money::MAX.0) {
            let money = Money(thousandths);
            prop_assert_eq!(money.to_string().parse::<Money>(), Ok(money));
        }

        #[test]
        fn trailing_zeros_change_nothing(yuan in 0_u32.., cents in 0_u32..100) {
            let short: Money = format!("{yuan}.{cents:02}").parse().unwrap();
            let long: Money = format!("{yuan}.{cents:02}0").parse().unwrap();
            prop_assert_eq!(short, long);
            prop_assert_eq!(short.thousandths(), u64::from(yuan) * 1000 + u64::from(cents) * 10);
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text: String) {
            let _ = text.parse::<Money>().map(|m| m.to_string());
        }
    }

    #[test]
    fn amounts_are_read_as_written() {
        for (text, thousandths) in [
            ("0", 0),
            ("1.06", 1_060),
            ("1.060", 1_060),
            ("10.2", 10_200),
            ("0.001", 1),
            ("9223372036854775.807", i64::MAX.unsigned_abs()),
        ] {
            assert_eq!(text.parse(), Ok(Money(thousandths)), "{text}");
        }
    }

    #[test]
    fn lesson_15_no_amount_is_guessed_or_rounded() {
        use ParseMoneyError::{NotAnAmount, TooLarge, TooManyPlaces};
        for (text, error) in [
            ("", NotAnAmount),
            (".", NotAnAmount),
            (".5", NotAnAmount),
            ("5.", NotAnAmount),
            ("+1", NotAnAmount),
            ("-1", NotAnAmount),
            ("1e3", NotAnAmount),
            ("1.38E+10", NotAnAmount),
            ("1,000", NotAnAmount),
            ("1.0.0", NotAnAmount),
            (" 1", NotAnAmount),
            ("１", NotAnAmount),
            ("NaN", NotAnAmount),
            ("1.0605", TooManyPlaces),
            ("1.0600", TooManyPlaces),
            ("9223372036854775.808", TooLarge),
            ("18446744073709551.616", TooLarge),
            ("99999999999999999999", TooLarge),
        ] {
            assert_eq!(text.parse::<Money>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn two_places_are_printed_and_three_where_needed() {
        for (thousandths, text) in [
            (0, "0.00"),
            (1_060, "1.06"),
            (1_065, "1.065"),
            (5, "0.005"),
            (100_000, "100.00"),
        ] {
            assert_eq!(Money(thousandths).to_string(), text);
        }
        assert_eq!(format!("{:>8}", Money(1_060)), "    1.06");
        assert_eq!(format!("{:?}", Money(1_060)), "Money(1.06)");
    }

    #[test]
    fn face_values_are_whole_yuan_above_zero() {
        let hundred: FaceValue = "100.00".parse().unwrap();
        assert_eq!(hundred.yuan(), 100);
        assert_eq!(
            format!("{hundred} {hundred:>5} {hundred:?}"),
            "100   100 FaceValue(100)"
        );
        assert_eq!("100".parse::<FaceValue>().unwrap().money(), Money(100_000));
        assert_eq!(
            "0".parse::<FaceValue>(),
            Err(ParseMoneyError::NotAFaceValue)
        );
        assert_eq!(
            "9.9".parse::<FaceValue>(),
            Err(ParseMoneyError::NotAFaceValue)
        );
        assert_eq!(
            "4294967296".parse::<FaceValue>(),
            Err(ParseMoneyError::TooLarge)
        );
    }

    #[test]
    fn sums_never_wrap() {
        assert_eq!(Money::MAX.checked_add(Money(1)), None);
        assert_eq!(Money::MAX.checked_add(Money::MAX), None);
        assert_eq!(Money::from_thousandths(Money::MAX.0 + 1), None);
        assert_eq!(Money::from_thousandths(Money::MAX.0), Some(Money::MAX));
        assert_eq!(Money(1).checked_sub(Money(2)), None);
        assert_eq!(Money(3).checked_sub(Money(2)), Some(Money(1)));
        assert_eq!(Money(3).checked_add(Money(2)), Some(Money(5)));
        assert_eq!(Money::from_yuan(u64::MAX), None);
        assert_eq!(Money::from_yuan(100), Some(Money(100_000)));
    }
}
