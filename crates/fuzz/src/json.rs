//! A second reading of JSON objects, which forgets nothing: every member in its order, those that come
//! twice too, and numbers as they are written.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object.
#[derive(Debug)]
pub struct Object<'a>(Vec<(Name<'a>, &'a RawValue)>);

/// A member's name, in place where it is written without escapes.
#[derive(Debug, Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Object<'a> {
    /// A body that is one object, with or without a byte order mark.
    pub fn of_body(body: &'a [u8]) -> Option<Self> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        Self::of_text(std::str::from_utf8(body).ok()?)
    }

    /// A text that is one object.
    pub fn of_text(text: &'a str) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let object = reader.deserialize_map(Members).ok()?;
        reader.end().ok().map(|()| object)
    }

    /// The member of that name, as it is written.
    ///
    /// # Panics
    ///
    /// If there are two: what was believed rests on one of them.
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let mut all = self.0.iter().filter(|(Name(key), _)| key == name);
        let first = all.next();
        assert!(all.next().is_none(), "{name} comes twice, and was believed");
        first.map(|(_, value)| *value)
    }

    /// The scalar of that name as text: empty for none, `null`, `""` and `[]`.
    ///
    /// # Panics
    ///
    /// If it is something else than a scalar, or comes twice.
    pub fn text(&self, name: &str) -> String {
        let Some(raw) = self.raw(name) else {
            return String::new();
        };
        let text = scalar(raw.get());
        assert!(text.is_some(), "{name} is no scalar, and was believed");
        text.unwrap_or_default()
    }

    /// The object of that name, if it is one.
    pub fn object(&self, name: &str) -> Option<Self> {
        Self::of_text(self.raw(name)?.get())
    }
}

/// The elements of an array that has nothing but objects.
pub fn rows(text: &str) -> Option<Vec<Object<'_>>> {
    let rows: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    rows.into_iter()
        .map(|row| Object::of_text(row.get()))
        .collect()
}

/// Whether a value says that there is nothing.
pub fn is_nothing(text: &str) -> bool {
    !text.starts_with('{') && scalar(text).is_some_and(|text| text.is_empty())
}

fn scalar(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'{' => None,
        b'[' => {
            let inner: String = raw.split_ascii_whitespace().collect();
            (inner == "[]").then(String::new)
        }
        b'n' => Some(String::new()),
        _ => Some(raw.to_owned()),
    }
}

/// Thousandths of a yuan: digits, and up to three places behind a dot.
pub fn thousandths(text: &str) -> Option<u64> {
    let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(places) || places.len() > 3 {
        return None;
    }
    // Padded to three places, the digits are the number.
    let amount: u128 = format!("{whole}{places:0<3}").parse().ok()?;
    u64::try_from(amount)
        .ok()
        .filter(|amount| *amount <= i64::MAX.unsigned_abs())
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_kept_as_they_are_written() {
        let object =
            Object::of_body(b"\xef\xbb\xbf{\"a\": 1.060, \"\\u0062\": [ ], \"c\": {\"d\": null}}");
        let object = object.unwrap();
        assert_eq!(
            (object.text("a"), object.text("b")),
            ("1.060".to_owned(), String::new())
        );
        assert_eq!(object.object("c").unwrap().text("d"), "");
        assert!(Object::of_body(b"{} x").is_none() && Object::of_body(b"[]").is_none());
        assert!(is_nothing("[ ]") && is_nothing("null") && !is_nothing("0") && !is_nothing("{}"));
        assert_eq!(rows("[{}, {}]").map(|rows| rows.len()), Some(2));
    }

    #[test]
    #[should_panic(expected = "a comes twice")]
    fn what_comes_twice_is_not_to_be_believed() {
        Object::of_text("{\"a\": 1, \"a\": 1}").unwrap().text("a");
    }

    #[test]
    fn amounts_are_thousandths() {
        assert_eq!(thousandths("1.06"), Some(1060));
        assert_eq!(thousandths("10"), Some(10_000));
        assert_eq!(
            thousandths("9223372036854775.807"),
            Some(i64::MAX.unsigned_abs())
        );
        for wrong in [
            "",
            "1.",
            ".5",
            "-1",
            "1e3",
            "1.0000",
            "9223372036854775.808",
        ] {
            assert_eq!(thousandths(wrong), None, "{wrong}");
        }
    }
}
