//! A second reading of forms: what a body says, for laws to compare with.

use std::fmt::Write as _;

/// The fields of a body of that type, as they follow each other: urlencoded unless it is multipart.
pub fn of(kind: Option<&str>, body: &[u8]) -> Vec<(String, String)> {
    match kind.map(str::trim_start) {
        Some(kind) if kind.starts_with(['m', 'M']) => parts(kind, body),
        Some(_) | None => urlencoded(body),
    }
}

/// The fields of a multipart body. What stands before the first boundary, and after the last, is no field.
fn parts(kind: &str, body: &[u8]) -> Vec<(String, String)> {
    let line = ["\r\n--", parameter(kind, "boundary").unwrap_or_default()].concat();
    // The first boundary may begin the body.
    let whole = [b"\r\n", body].concat();
    let whole = String::from_utf8_lossy(&whole);
    let sections = whole.split(&line).skip(1);
    let fields = sections
        .take_while(|section| !section.starts_with("--"))
        .map(|section| {
            let (_, section) = section.split_once("\r\n").unwrap_or_default();
            let (head, value) = section.split_once("\r\n\r\n").unwrap_or_default();
            let mut names = head.split("\r\n").filter_map(|line| {
                let (header, rest) = line.split_once(':')?;
                let header = header.trim().to_ascii_lowercase();
                (header == "content-disposition").then(|| parameter(rest, "name"))?
            });
            (names.next().unwrap_or_default(), value)
        });
    fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What a header's value says of that name, if it does so once.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let said = header
        .split(';')
        .skip(1)
        .filter_map(|it| it.split_once('='));
    let mut said = said.filter(|(key, _)| key.trim().to_ascii_lowercase() == name);
    let (_, value) = said.next()?;
    let value = value.trim();
    let bare = match value.strip_prefix('"') {
        Some(value) => value.strip_suffix('"'),
        None => Some(value),
    };
    bare.filter(|_| said.next().is_none())
}

/// The fields of an urlencoded body, as they follow each other.
pub fn urlencoded(body: &[u8]) -> Vec<(String, String)> {
    body.split(|b| *b == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(at);
            (decoded(name), decoded(value.get(1..).unwrap_or_default()))
        })
        .collect()
}

/// Plus is a space, `%XX` a byte, and everything else itself.
pub fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        let mut after = rest.clone();
        let hex = |b: Option<u8>| char::from(b?).to_digit(16);
        bytes.push(match (byte, hex(after.next()), hex(after.next())) {
            (b'%', Some(high), Some(low)) => {
                rest = after;
                u8::try_from(high * 16 + low).unwrap_or_default()
            }
            (b'+', _, _) => b' ',
            (byte, _, _) => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An urlencoded body of these fields, every byte of a value by its number.
pub fn encoded(fields: &[(&str, &str)]) -> Vec<u8> {
    let digit = |value: u8| {
        if value < 10 {
            b'0' + value
        } else {
            b'a' + value - 10
        }
    };
    let mut body = Vec::with_capacity(512);
    for (name, value) in fields {
        if !body.is_empty() {
            body.push(b'&');
        }
        body.extend_from_slice(name.as_bytes());
        body.push(b'=');
        for byte in value.bytes() {
            body.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    body
}

/// A multipart body of these fields, and its content type. `None` if a value holds the boundary.
pub fn multipart(fields: &[(&str, &str)]) -> Option<(&'static str, String)> {
    let mut body = String::new();
    for (name, value) in fields {
        if value.contains("--fuzz") {
            return None;
        }
        // Writing to a String can't fail.
        let _ = write!(
            body,
            "--fuzz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    body.push_str("--fuzz--\r\n");
    Some(("multipart/form-data; boundary=fuzz", body))
}

/// A signature with another digit in one place.
pub fn with_another_digit(sign: &str, place: usize) -> String {
    let place = place % sign.len().max(1);
    let other = |digit| if digit == '0' { '1' } else { '0' };
    let digits = sign.chars().enumerate();
    digits
        .map(|(at, digit)| if at == place { other(digit) } else { digit })
        .collect()
}

/// Whether a body, as it is or with its percent signs undone, holds that text.
pub fn holds(body: &[u8], text: &str) -> bool {
    let coded = || body.iter().any(|b| matches!(b, b'%' | b'+'));
    String::from_utf8_lossy(body).contains(text) || coded() && decoded(body).contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_was_written() {
        let read = urlencoded(b"a=%31+%&&b&c=%e5%9c%8");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read,
            [pair("a", "1 %"), pair("b", ""), pair("c", "\u{fffd}%8")]
        );
        let body = encoded(&[("a", "\u{5927} &"), ("b", "")]);
        assert_eq!(urlencoded(&body), [pair("a", "\u{5927} &"), pair("b", "")]);
        let (kind, body) = multipart(&[("a", "\u{5927} &"), ("b", "")]).unwrap();
        for kind in [
            kind,
            "Multipart/form-data; x=1; Boundary=\"fuzz\"; charset=utf-8",
        ] {
            let read = of(Some(kind), format!("before\r\n{body}after").as_bytes());
            assert_eq!(read, [pair("a", "\u{5927} &"), pair("b", "")]);
        }
        assert_eq!(with_another_digit("ab0", 5), "ab1");
        assert!(holds(b"x=%41b", "Ab") && holds(b"x=%41", "%41") && !holds(b"x", "y"));
    }
}
