//! Files of orders, as spreadsheets write them: read and checked as a whole before anything is accepted.
//!
//! | module | what it holds |
//! |---|---|
//! | [`read`](mod@read) | a whole file: its rows, or every bad line of it |
//! | [`columns`] | its header |
//! | [`bad`] | what is wrong with it, line by line |
//! | [`text`] | its bytes as text, in the encodings that spreadsheets write |
//! | [`value`] | single values, and what spreadsheets do to them |

pub mod bad;
pub mod columns;
pub mod read;
pub mod text;
pub mod value;

pub use bad::BadLine;
pub use read::{BYTES_AT_MOST, ROWS_AT_MOST, Row, read};

/// The name that is most like this one; empty if there are none.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> &'a str {
    // Case and dashes are the commonest slips: `appKey`, `app-key`, `appkey`.
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
    let name = plain(name);
    names
        .min_by_key(|right| strsim::damerau_levenshtein(&name, &plain(right)))
        .unwrap_or_default()
}
