//! Reading an upstream's answer: strictly where a mistake costs money, leniently where upstreams vary.
//!
//! Lenient: a byte order mark; a number where a text is documented and the other way round; `null`,
//! `""` and `[]` for "nothing"; missing fields (with `#[serde(default)]`) and unknown ones.
//! Strict: the body is UTF-8 and one whole JSON value; a field that is read comes at most once; the
//! text of a number is kept exactly as written, so that money never goes through a float.
//!
//! ```
//! use recharge_http::read::{Loose, Text, read};
//!
//! #[derive(serde::Deserialize)]
//! struct Envelope { error_code: Text, result: Loose<Order> }
//! #[derive(serde::Deserialize)]
//! struct Order { #[serde(default)] price: Text }
//!
//! let answer: Envelope = read(br#"{"error_code": "0", "result": {"price": 1.060}}"#)?;
//! assert_eq!(answer.error_code.as_str(), "0");
//! assert_eq!(answer.result.object().unwrap().price.as_str(), "1.060");
//!
//! let empty: Envelope = read(br#"{"error_code": 10001, "result": []}"#)?;
//! assert!(matches!(empty.result, Loose::Empty));
//! # Ok::<(), recharge_http::read::ReadError>(())
//! ```

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

mod text;

pub use text::{AccountText, Text};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads one whole JSON answer, which is an object.
///
/// A byte order mark before it is skipped. A field of `T` that comes twice is an error: which of the
/// two is meant can't be known.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ReadError> {
    Body::new(body).read()
}

/// An answer's body, looked at once whether it is UTF-8.
pub(crate) struct Body<'a> {
    /// How long a byte order mark stood before the text.
    skipped: usize,
    text: Result<&'a str, &'a [u8]>,
}

impl<'a> Body<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        let bytes = body.strip_prefix(BOM).unwrap_or(body);
        Self {
            skipped: body.len() - bytes.len(),
            text: std::str::from_utf8(bytes).map_err(|_| bytes),
        }
    }

    /// As [`read`].
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ReadError> {
        let text = self.text.map_err(|_| ReadError::NotUtf8)?;
        // serde reads a struct from an array too, by position: no upstream means that.
        if text.trim_ascii_start().starts_with('[') {
            return Err(self.array(text));
        }
        serde_json::from_str(text).map_err(|error| ReadError::new(text, self.skipped, &error))
    }

    fn array(&self, text: &str) -> ReadError {
        match serde_json::from_str::<IgnoredAny>(text) {
            Ok(IgnoredAny) => ReadError::Shape {
                at: self.skipped + text.len() - text.trim_ascii_start().len() + 1,
                what: "an array where an object is documented".to_owned(),
            },
            Err(error) => ReadError::new(text, self.skipped, &error),
        }
    }

    /// As text, for a person to look at: bytes that are not UTF-8 become `U+FFFD`.
    pub(crate) fn shown(&self) -> Cow<'a, str> {
        self.text
            .map_or_else(String::from_utf8_lossy, Cow::Borrowed)
    }
}

/// Why an answer can't be read. Never repeats a value of the answer.
///
/// A place is the number of a byte of the body, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No body at all.
    #[error("the answer is empty")]
    Empty,
    /// Bytes that are not UTF-8.
    #[error("the answer is not UTF-8 text")]
    NotUtf8,
    /// A page for people, as gateways and proxies send them.
    #[error("the answer is an HTML page, not JSON")]
    Html,
    /// It ends before the JSON value does.
    #[error("the answer is cut off after byte {0}")]
    CutOff(usize),
    /// Not JSON.
    #[error("the answer is not JSON (byte {0})")]
    NotJson(usize),
    /// JSON of another shape than documented.
    #[error("the answer is JSON of another shape (byte {at}): {what}")]
    Shape {
        /// Where.
        at: usize,
        /// What is wrong: a field twice, a field missing, or a value of another kind.
        what: String,
    },
}

impl ReadError {
    /// `skipped` bytes stand before the text.
    fn new(text: &str, skipped: usize, error: &serde_json::Error) -> Self {
        let trimmed = text.trim_ascii();
        if trimmed.is_empty() {
            return Self::Empty;
        }
        if trimmed.starts_with('<') {
            return Self::Html;
        }
        // serde_json counts bytes anew in each line.
        let lines = text.split_inclusive('\n');
        let before: usize = lines
            .take(error.line().saturating_sub(1))
            .map(str::len)
            .sum();
        let at = skipped + before + error.column();
        match error.classify() {
            Category::Eof => Self::CutOff(at),
            Category::Data => Self::Shape {
                at,
                what: shape(&error.to_string()),
            },
            Category::Syntax | Category::Io => Self::NotJson(at),
        }
    }
}

/// What is wrong with the shape, without any text of the answer: serde's own words name a field of
/// ours when it is repeated or missing, but may quote a value otherwise.
fn shape(message: &str) -> String {
    let ours = ["duplicate field `", "missing field `"]
        .iter()
        .any(|start| message.starts_with(start));
    match message.split(" at line ").next() {
        Some(words) if ours => words.to_owned(),
        Some(_) | None => "a value of an unexpected kind".to_owned(),
    }
}

/// An object where upstreams also send `null`, `""`, `[]` or something else entirely.
///
/// An error answer's `result` may be anything, and its code must be readable all the same; so another
/// shape is not an error here but [`Other`](Self::Other).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Loose<T> {
    /// The object.
    Object(Box<T>),
    /// `null`, `""` or `[]`: the upstream says that there is nothing.
    Empty,
    /// No such field, with `#[serde(default)]`: the upstream says nothing.
    #[default]
    Missing,
    /// Any other shape.
    Other,
}

impl<T> Loose<T> {
    /// The object, if there is one.
    pub const fn object(&self) -> Option<&T> {
        match self {
            Self::Object(object) => Some(object),
            Self::Empty | Self::Missing | Self::Other => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LooseVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for LooseVisitor<T> {
            type Value = Loose<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object, null, an empty string or an empty array")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Box::<T>::deserialize(MapAccessDeserializer::new(map)).map(Loose::Object)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut shape = Loose::Empty;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    shape = Loose::Other;
                }
                Ok(shape)
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(if text.is_empty() {
                    Loose::Empty
                } else {
                    Loose::Other
                })
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Loose::Empty)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Loose::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Loose::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Loose::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Loose::Other)
            }
        }

        deserializer.deserialize_any(LooseVisitor(PhantomData))
    }
}

/// A list where upstreams also send `null` or `""` for an empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RowsVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for RowsVisitor<T> {
            type Value = Rows<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array, null or an empty string")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = seq.next_element()? {
                    match row {
                        Loose::Object(row) => rows.push(*row),
                        Loose::Empty | Loose::Missing | Loose::Other => {
                            return Err(A::Error::custom("expected an array of objects"));
                        }
                    }
                }
                Ok(Rows(rows))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                if text.is_empty() {
                    Ok(Rows(Vec::new()))
                } else {
                    Err(E::custom("expected an array, null or an empty string"))
                }
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Rows(Vec::new()))
            }
        }

        deserializer.deserialize_any(RowsVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use recharge_core::Money;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Sample {
        code: Text,
        #[serde(default)]
        price: Text,
        #[serde(default)]
        result: Loose<Inner>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        #[serde(default)]
        rows: Option<Rows<Inner>>,
        #[serde(default)]
        id: Text,
    }

    fn sample(body: &str) -> Result<Sample, ReadError> {
        read(body.as_bytes())
    }

    fn code(value: &str) -> Option<String> {
        let sample = sample(&format!("{{\"code\":{value}}}")).ok()?;
        Some(sample.code.to_string())
    }

    proptest! {
        #[test]
        fn the_text_of_a_number_is_kept_to_the_letter(number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?") {
            prop_assert_eq!(code(&number), Some(number.clone()));
            prop_assert_eq!(code(&format!(" \"{number}\" ")), Some(number));
        }

        #[test]
        fn the_text_of_a_string_is_kept_to_the_letter(text: String) {
            let escaped = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(code(&escaped), Some(text));
        }

        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes: Vec<u8>) {
            let _ = read::<Sample>(&bytes).map_err(|error| error.to_string());
            let _ = Body::new(&bytes).shown();
        }
    }

    #[test]
    fn nothing_is_spelled_in_five_ways() {
        for nothing in ["null", "\"\"", "[]", "[ ]"] {
            assert_eq!(code(nothing).as_deref(), Some(""), "{nothing}");
            let body = format!("{{\"code\":1,\"price\":{nothing},\"result\":{nothing}}}");
            let read = sample(&body).unwrap();
            assert!(read.price.is_empty(), "{nothing}");
            assert_eq!(read.result, Loose::Empty, "{nothing}");
        }
        let missing = sample("{\"code\":1}").unwrap();
        assert_eq!(missing.price.given(), None);
        assert_eq!(missing.result, Loose::Missing);
    }

    #[test]
    fn other_shapes_are_no_text() {
        for other in ["{}", "{\"a\":1}", "[1]", "[[]]", "[\"\"]"] {
            assert_eq!(code(other), None, "{other}");
        }
        assert_eq!(code("true").as_deref(), Some("true"));
        assert_eq!(code("\"\\u5927\\n\"").as_deref(), Some("大\n"));
        assert_eq!(code("\"\\ud800\""), None, "half a character");
    }

    #[test]
    fn a_result_of_another_shape_leaves_the_code_readable() {
        for other in ["\"no\"", "1", "-1", "1.5", "true", "[1]", "[{}]"] {
            let read = sample(&format!("{{\"result\":{other},\"code\":7}}")).unwrap();
            assert_eq!(read.result, Loose::Other, "{other}");
            assert_eq!(read.code.as_str(), "7");
        }
    }

    #[test]
    fn a_field_that_comes_twice_is_unreadable() {
        for body in [
            "{\"code\":1,\"code\":1}",
            "{\"code\":0,\"result\":{\"id\":\"a\",\"id\":\"b\"}}",
            "{\"code\":0,\"result\":null,\"result\":{}}",
        ] {
            let error = sample(body).unwrap_err();
            assert!(error.to_string().contains("duplicate field"), "{error}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped_once() {
        assert!(read::<Sample>(b"\xef\xbb\xbf{\"code\":1}").is_ok());
        assert!(read::<Sample>(b"\xef\xbb\xbf\xef\xbb\xbf{\"code\":1}").is_err());
        assert_eq!(Body::new(b"\xef\xbb\xbfa\xff").shown(), "a\u{fffd}");
    }

    #[test]
    fn errors_say_what_came_and_repeat_no_value() {
        let told = |body: &[u8]| read::<Sample>(body).unwrap_err();
        assert_eq!(told(b""), ReadError::Empty);
        assert_eq!(told(b" \n"), ReadError::Empty);
        assert_eq!(told(b"\xff"), ReadError::NotUtf8);
        assert_eq!(told(b"<html>18900001234"), ReadError::Html);
        assert_eq!(told(b"{\"code\":1"), ReadError::CutOff(9));
        assert_eq!(told(b"{\"code\":1}}"), ReadError::NotJson(11));
        assert_eq!(told(b"{code}"), ReadError::NotJson(2));
        assert_eq!(told(b"\xef\xbb\xbf{code}"), ReadError::NotJson(5));
        assert_eq!(told(b"{\n\"code\":1,\nx}"), ReadError::NotJson(13));
        let cut = told("{\n\"code\":\n\"大".as_bytes());
        assert_eq!(cut, ReadError::CutOff(14), "a letter has three bytes");
        assert_eq!(cut.to_string(), "the answer is cut off after byte 14");
        assert_eq!(told(b"\xef\xbb\xbf[1"), ReadError::CutOff(5));
        assert_eq!(told(b"\xef\xbb\xbf[1}"), ReadError::NotJson(6));
        match told(b"\xef\xbb\xbf\n[1,null,null]") {
            ReadError::Shape { at, .. } => assert_eq!(at, 5),
            other => panic!("{other:?}"),
        }
        for body in [
            &b"\"18900001234\""[..],
            b"{\"code\":{\"18900001234\":1}}",
            b"[\"18900001234\"]",
        ] {
            let shown = told(body).to_string();
            assert!(shown.contains("another shape"), "{shown}");
            assert!(!shown.contains("18900001234"), "{shown}");
        }
    }

    #[test]
    fn rows_are_a_list_or_nothing() {
        let rows = |value: &str| {
            let body = format!("{{\"code\":0,\"result\":{{\"rows\":{value}}}}}");
            let sample = sample(&body).ok()?;
            sample
                .result
                .object()?
                .rows
                .as_ref()
                .map(|rows| rows.0.len())
        };
        assert_eq!(rows("[{},{\"id\":2}]"), Some(2));
        assert_eq!(rows("[]"), Some(0));
        assert_eq!(rows("\"\""), Some(0));
        assert_eq!(rows("{}"), None);
        assert_eq!(rows("[[1]]"), None);
        assert_eq!(rows("[null]"), None);
        assert_eq!(rows("\"x\""), None);
    }

    #[test]
    fn lesson_15_no_price_is_made_up() {
        for (text, money) in [
            ("1.060", Some(1_060)),
            ("10.2", Some(10_200)),
            ("0", Some(0)),
            ("", None),
            ("-1", None),
            ("1e2", None),
            ("1.0600", None),
            ("abc", None),
        ] {
            let read = Text::from(text).money();
            assert_eq!(read.map(Money::thousandths), money, "{text:?}");
        }
        assert_eq!(Text::from("07").count(), Some(7));
        assert_eq!(Text::from("+7").count(), None);
        assert_eq!(Text::from("").count(), None);
    }

    #[test]
    fn a_phone_number_is_not_shown_whole() {
        let shown = format!("{:?}", Text::from("18900001234"));
        assert_eq!(shown, "\"189****1234\"");
        let landline: AccountText = serde_json::from_str("\"0571-56565366\"").unwrap();
        assert_eq!(landline.as_str(), "0571-56565366");
        assert_eq!(landline.given(), Some("0571-56565366"));
        assert_eq!(format!("{landline:?}"), "\"057****5366\"");
        assert_eq!(landline.to_string(), "057****5366");
        assert_eq!(format!("{landline:>13}|"), "  057****5366|");
        assert!(AccountText::default().is_empty() && AccountText::default().given().is_none());
    }
}
