//! One scalar of an answer, to the letter.

use std::fmt;

use recharge_core::{Money, Redactor};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A scalar as text: what was a JSON string, number or boolean, to the letter; empty for `null`, `""`
/// and `[]`. With `#[serde(default)]` also for a missing field.
///
/// `1.060` and `"1.060"` both give `1.060`; `201604280717555074534` keeps all its digits, though no
/// JSON number type of a programming language has room for them.
///
/// Short texts, which most numbers are, are kept without an allocation.
#[derive(Clone)]
pub struct Text(Repr);

#[derive(Clone)]
enum Repr {
    /// The first so many bytes; together they are UTF-8.
    Short(u8, [u8; SHORT]),
    Long(Box<str>),
}

/// As much as fits beside the length in the space of a String.
const SHORT: usize = 22;

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // Only whole texts are put in, so the empty text is never what comes out by mistake.
            Repr::Short(length, bytes) => bytes
                .get(..usize::from(*length))
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .unwrap_or_default(),
            Repr::Long(text) => text,
        }
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Repr::Short(length, _) => *length == 0,
            Repr::Long(text) => text.is_empty(),
        }
    }

    /// The text, when something was given.
    pub fn given(&self) -> Option<&str> {
        (!self.is_empty()).then_some(self.as_str())
    }

    /// An amount in yuan. `None` when nothing was given or it is not an amount to a thousandth: never
    /// zero in its stead, never rounded.
    pub fn money(&self) -> Option<Money> {
        self.as_str().parse().ok()
    }

    /// A number without sign or fraction.
    pub fn count(&self) -> Option<u32> {
        let digits = self.as_str().bytes().all(|b| b.is_ascii_digit());
        digits.then(|| self.as_str().parse().ok()).flatten()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(text.as_bytes());
                Self(Repr::Short(length, bytes))
            }
            (None, _) | (_, Err(_)) => Self(Repr::Long(text.into())),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(Repr::Short(0, [0; SHORT]))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Masked like an [`Answer`](recharge_core::Answer): a mobile number in it is not shown whole.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Redactor::default().redact(self.as_str(), &[]), f)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The raw text rather than a visitor: a visitor sees a number only after it became an f64.
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        scalar(raw).ok_or_else(|| {
            D::Error::custom("expected a string, a number, a boolean, null or an empty array")
        })
    }
}

/// A [`Text`] that holds an account: `Display` and `Debug` mask the middle of it, whatever its form.
///
/// The whole account is had by [`as_str`](Self::as_str) and [`given`](Self::given) only, so that
/// `to_string` can't print it by oversight.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AccountText(Text);

impl AccountText {
    /// The whole account: to compare, not to print.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole account, when one was given: to compare, not to print.
    pub fn given(&self) -> Option<&str> {
        self.0.given()
    }

    fn masked(&self) -> String {
        let text = self.as_str();
        Redactor::default().redact(text, &[text])
    }
}

impl fmt::Display for AccountText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.masked())
    }
}

impl fmt::Debug for AccountText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.masked(), f)
    }
}

impl<'de> Deserialize<'de> for AccountText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(Self)
    }
}

/// The text of one JSON scalar that the parser has already found to be whole.
fn scalar(raw: &str) -> Option<Text> {
    let inner = |close| raw.get(1..)?.strip_suffix(close);
    match raw.as_bytes().first()? {
        b'"' => {
            let inner = inner('"')?;
            if inner.contains('\\') {
                let text: String = serde_json::from_str(raw).ok()?;
                Some(Text::from(text.as_str()))
            } else {
                Some(inner.into())
            }
        }
        b'[' => inner(']')?.trim_ascii().is_empty().then(Text::default),
        b'{' => None,
        b'n' => Some(Text::default()),
        _ => Some(raw.into()),
    }
}
