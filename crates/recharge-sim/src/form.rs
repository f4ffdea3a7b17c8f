//! The fields of a request: query string, urlencoded body, multipart body. Written for the simulator,
//! so that an error in the adapters' encoding meets a reader that does not share it.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// The fields of one request. A name that occurs twice has its last value, and a body's field wins
/// over the query's, as in PHP's `$_REQUEST`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names only: the values are keys and accounts.
        f.write_str("Fields")?;
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Fields {
    /// Reads query and body. A body of any type but `application/x-www-form-urlencoded` (also
    /// assumed when none is named) and `multipart/form-data` has no fields.
    pub(crate) fn read(query: &str, content_type: Option<&str>, body: &[u8]) -> Self {
        let mut fields = Self::default();
        fields.add_urlencoded(query.as_bytes());
        let content_type = content_type.unwrap_or("application/x-www-form-urlencoded");
        let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        if kind
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        {
            fields.add_urlencoded(body);
        } else if kind.trim().eq_ignore_ascii_case("multipart/form-data")
            && let Some(boundary) = parameter(parameters, "boundary")
        {
            fields.add_multipart(&boundary, body);
        }
        fields
    }

    /// The field's value; empty if it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn add_urlencoded(&mut self, text: &[u8]) {
        for pair in text.split(|byte| *byte == b'&') {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default());
            let value = decode(halves.next().unwrap_or_default());
            if !name.is_empty() {
                self.0.insert(name, value);
            }
        }
    }

    fn add_multipart(&mut self, boundary: &str, body: &[u8]) {
        // The first delimiter may stand at the very beginning, so look for it behind a line break.
        let framed = [b"\r\n", body].concat();
        let delimiter = format!("\r\n--{boundary}");
        let mut rest = framed.as_slice();
        let Some(start) = find(rest, delimiter.as_bytes()) else {
            return;
        };
        rest = rest.get(start + delimiter.len()..).unwrap_or_default();
        while let Some(end) = find(rest, delimiter.as_bytes()) {
            if rest.starts_with(b"--") {
                return;
            }
            self.add_part(rest.get(..end).unwrap_or_default());
            rest = rest.get(end + delimiter.len()..).unwrap_or_default();
        }
    }

    /// One part, from the rest of its delimiter line to before the next delimiter.
    fn add_part(&mut self, part: &[u8]) {
        let Some(line_end) = find(part, b"\r\n") else {
            return;
        };
        // With its line break, so that a part without headers shows the blank line too.
        let part = part.get(line_end..).unwrap_or_default();
        let Some(blank) = find(part, b"\r\n\r\n") else {
            return;
        };
        let head = String::from_utf8_lossy(part.get(..blank).unwrap_or_default()).into_owned();
        let value = part.get(blank + 4..).unwrap_or_default();
        for line in head.split("\r\n") {
            let Some((name, disposition)) = line.split_once(':') else {
                continue;
            };
            if !name.trim().eq_ignore_ascii_case("content-disposition") {
                continue;
            }
            let (_, parameters) = disposition.split_once(';').unwrap_or((disposition, ""));
            // A part with a file name is an upload, not a field.
            if let (Some(name), None) = (
                parameter(parameters, "name"),
                parameter(parameters, "filename"),
            ) {
                self.0
                    .insert(name, String::from_utf8_lossy(value).into_owned());
            }
        }
    }
}

/// A parameter of a header value, quoted or not.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t']);
        let (name, after) = rest.split_once('=')?;
        let (value, next) = if let Some(quoted) = after.strip_prefix('"') {
            let mut value = String::new();
            let mut chars = quoted.char_indices();
            let mut end = quoted.len();
            while let Some((at, c)) = chars.next() {
                match c {
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
                    _ => value.push(c),
                }
            }
            (value, quoted.get(end..).unwrap_or_default())
        } else {
            let end = after.find(';').unwrap_or(after.len());
            let (value, next) = after.split_at_checked(end)?;
            (value.trim().to_owned(), next)
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = next;
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len())
        .position(|window| window == needle)
}

/// Plus is a space, `%XX` a byte; a percent sign that begins no such triple stands for itself.
fn decode(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, next @ ..]) => {
                if let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) {
                    out.push(high * 16 + low);
                    rest = next;
                } else {
                    out.push(b'%');
                }
            }
            (byte, _) => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Writes an urlencoded body: letters, digits and `-._~` as they are, a space as a plus.
pub(crate) fn encode(fields: &[(String, String)]) -> String {
    fn push(out: &mut String, text: &str) {
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    out.push(char::from(byte));
                }
                b' ' => out.push('+'),
                _ => {
                    // Writing to a text can't fail.
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }
    }
    let mut out = String::new();
    for (name, value) in fields {
        if !out.is_empty() {
            out.push('&');
        }
        push(&mut out, name);
        out.push('=');
        push(&mut out, value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urlencoded_plus_percent_and_stray_percent() {
        let fields = Fields::read("a=1+2&b=%E4%B8%AD%2b&c=100%&d=%zz&e&=x&f=a=b", None, b"");
        assert_eq!(fields.get("a"), "1 2");
        assert_eq!(fields.get("b"), "中+");
        assert_eq!(fields.get("c"), "100%");
        assert_eq!(fields.get("d"), "%zz");
        assert_eq!(fields.get("e"), "");
        assert_eq!(fields.get("f"), "a=b");
    }

    #[test]
    fn body_wins_over_query_and_the_last_over_the_first() {
        let kind = Some("Application/X-WWW-Form-Urlencoded; charset=GBK");
        let fields = Fields::read("a=query&b=query", kind, b"a=first&a=last");
        assert_eq!((fields.get("a"), fields.get("b")), ("last", "query"));
    }

    #[test]
    fn a_body_of_another_type_has_no_fields() {
        let fields = Fields::read("a=1", Some("application/json"), b"a=2&b=3");
        assert_eq!((fields.get("a"), fields.get("b")), ("1", ""));
    }

    const PHP: &str = "--------------------------d74496d66958873e\r\n\
        Content-Disposition: form-data; name=\"phoneno\"\r\n\r\n\
        18900001234\r\n\
        --------------------------d74496d66958873e\r\n\
        Content-Disposition: form-data; name=\"cardnum\"\r\n\r\n\
        1\r\n\
        --------------------------d74496d66958873e--\r\n";

    #[test]
    fn multipart_as_php_curl_sends_it() {
        let kind = "multipart/form-data; boundary=------------------------d74496d66958873e";
        let fields = Fields::read("", Some(kind), PHP.as_bytes());
        assert_eq!(fields.get("phoneno"), "18900001234");
        assert_eq!(fields.get("cardnum"), "1");
    }

    #[test]
    fn multipart_quoted_boundary_extra_headers_preamble_files_and_dashes_in_values() {
        let body = "a preamble\r\n--b;x\r\n\
            Content-Type: text/plain; charset=utf-8\r\n\
            CONTENT-DISPOSITION: form-data; name=tel\r\n\r\n\
            0571-5656\r\n--b\r\n5365\r\n--b;x \r\n\
            Content-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n\r\nfile\r\n\
            --b;x\r\nContent-Disposition: form-data; name=\"say \\\"hi\\\"\"\r\n\r\n\r\n--b;x--";
        let kind = "multipart/form-data; charset=utf-8; Boundary=\"b;x\"";
        let fields = Fields::read("", Some(kind), body.as_bytes());
        assert_eq!(fields.get("tel"), "0571-5656\r\n--b\r\n5365");
        assert_eq!(fields.get("f"), "");
        assert!(fields.0.contains_key("say \"hi\""));
    }

    #[test]
    fn broken_multipart_is_no_fields_and_no_panic() {
        let kind = Some("multipart/form-data; boundary=b");
        for body in [
            "",
            "--b",
            "--b\r\n",
            "--b\r\n\r\nx\r\n--b--",
            "--b--\r\n--b",
            "junk",
        ] {
            assert_eq!(
                Fields::read("", kind, body.as_bytes()),
                Fields::default(),
                "{body:?}"
            );
        }
        let none = Fields::read("", Some("multipart/form-data"), PHP.as_bytes());
        assert_eq!(none, Fields::default());
    }

    #[test]
    fn what_is_encoded_is_read_back() {
        let written = encode(&[
            ("a b".into(), "中+&=%~".into()),
            ("c".into(), String::new()),
        ]);
        assert_eq!(written, "a+b=%E4%B8%AD%2B%26%3D%25~&c=");
        assert_eq!(Fields::read(&written, None, b"").get("a b"), "中+&=%~");
    }
}
