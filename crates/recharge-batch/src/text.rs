//! The bytes of a file as text. Spreadsheets in China write GB18030 (of which GBK and GB2312 are parts),
//! UTF-8 with a byte order mark, or, where one isn't careful, something that is no CSV at all.

use encoding_rs::GB18030;

use super::bad::BadLine;

const AS_CSV: &str = "save it as \"CSV UTF-8 (comma delimited)\"";

/// The text of a file: UTF-8 with or without a byte order mark, else GB18030.
pub fn decode(bytes: &[u8]) -> Result<String, BadLine> {
    for (magic, what) in [
        (&b"\xff\xfe"[..], "the file is UTF-16"),
        (b"\xfe\xff", "the file is UTF-16"),
        (b"PK\x03\x04", "the file is a spreadsheet, not CSV"),
        (b"\xd0\xcf\x11\xe0", "the file is a spreadsheet, not CSV"),
    ] {
        if bytes.starts_with(magic) {
            return Err(BadLine::of_file(format!("{what}: {AS_CSV}")));
        }
    }
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        let text = format!("a NUL byte: the file is damaged, or UTF-16; {AS_CSV}");
        return Err(BadLine::new(line_at(bytes, at), None, text));
    }
    let (marked, rest) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    let error = match std::str::from_utf8(rest) {
        Ok(text) => return Ok(text.to_owned()),
        Err(error) => error,
    };
    // What says that it is UTF-8 is nothing else.
    let decoded = (!marked)
        .then(|| GB18030.decode_without_bom_handling_and_without_replacement(rest))
        .flatten();
    let text = decoded.ok_or_else(|| {
        let text = format!("neither UTF-8 nor GB18030: {AS_CSV}");
        BadLine::new(line_at(rest, error.valid_up_to()), None, text)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

/// The line that a byte is on, from 1.
pub(super) fn line_at(bytes: &[u8], at: usize) -> u64 {
    let mut lines = Lines::default();
    lines.forward(bytes, at)
}

/// Counts the lines of a text as it goes forward through it. A line ends with a line feed, a carriage
/// return, or both.
#[derive(Debug, Default)]
pub(super) struct Lines {
    at: usize,
    ended: u64,
}

impl Lines {
    /// The line of the byte at `to`, from 1. `to` never goes back.
    pub(super) fn forward(&mut self, bytes: &[u8], to: usize) -> u64 {
        while self.at < to {
            let next = bytes.get(self.at + 1);
            match bytes.get(self.at) {
                Some(b'\n') => self.ended += 1,
                Some(b'\r') if next != Some(&b'\n') => self.ended += 1,
                Some(_) => {}
                None => break,
            }
            self.at += 1;
        }
        self.ended + 1
    }
}
