//! What commands print: text for people, tables and colours on a terminal only, JSON for programs.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use comfy_table::{LineStyle, Table, TableStyle, presets};
use indicatif::{ProgressBar, ProgressStyle};
use recharge_core::{Answer, OrderId};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::CliError;

/// Where a command's answer goes: standard output, as text or as JSON.
///
/// Who closes the pipe early, as `head` does, wanted no more: that is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    json: bool,
    terminal: bool,
    colours: bool,
}

/// A line under the head and no other.
const STYLE: TableStyle =
    presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// Look at it.
    Doubtful,
    /// Not well.
    Bad,
}

impl Output {
    /// Standard output; JSON if asked for. Colours on a terminal that has them, unless the environment
    /// says `NO_COLOR`.
    pub fn standard(json: bool) -> Self {
        Self {
            json,
            terminal: io::stdout().is_terminal() && !json,
            colours: has_colours(&io::stdout()) && !json,
        }
    }

    /// Whether JSON was asked for.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person is reading: text, on a terminal.
    pub const fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether colours may be used.
    pub const fn has_colours(&self) -> bool {
        self.colours
    }

    /// A text in the colour of its tone, where colours may be used.
    pub fn tinted(&self, tone: Tone, text: &str) -> String {
        let colour = match tone {
            Tone::Good => 32,
            Tone::Doubtful => 33,
            Tone::Bad => 31,
        };
        if self.colours {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// One or more whole lines of text; the line feed at the end is added.
    pub fn line(&self, text: impl Display) -> Result<(), CliError> {
        self.raw(format!("{text}\n").as_bytes())
    }

    /// One JSON value on one line.
    pub fn json(&self, value: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string(value).map_err(|error| {
            CliError::system("the answer can't be written as JSON", error.into())
        })?;
        self.line(text)
    }

    /// Rows under a head: a table on a terminal, else lines with tabs between their fields. Cells may be
    /// [`tinted`](Self::tinted).
    pub fn table(&self, head: &[&str], rows: &[Vec<String>]) -> Result<(), CliError> {
        self.line(self.table_text(head, rows))
    }

    fn table_text(&self, head: &[&str], rows: &[Vec<String>]) -> String {
        if self.terminal {
            // Not fitted to the terminal's width: it would break numbers that are to be copied.
            let mut table = Table::new();
            table.load_style(STYLE).set_header(head.to_vec());
            table.add_rows(rows.iter().cloned());
            return table.to_string();
        }
        let mut text = head.join("\t");
        for row in rows {
            text.push('\n');
            text.push_str(&row.join("\t"));
        }
        text
    }

    /// Writes to standard error what is allowed, and yet should be looked at: a line each, as text or
    /// as JSON.
    pub fn warn(&self, warnings: &[String]) {
        for warning in warnings {
            to_stderr(&if self.json {
                json!({ "warning": warning }).to_string()
            } else {
                format!("warning: {warning}")
            });
        }
    }

    /// Writes an alarm to standard error, as text or as JSON.
    pub(crate) fn alarm(&self, order_id: &OrderId, what: &str) {
        to_stderr(&if self.json {
            json!({ "alarm": what, "order_id": order_id.as_str() }).to_string()
        } else {
            format!("alarm: order {order_id}: {what}")
        });
    }

    /// Bytes as they are, written out at once.
    pub fn raw(&self, bytes: &[u8]) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(CliError::system("can't write to standard output", error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Whether a stream is a terminal with colours that nobody asked to do without.
pub(crate) fn has_colours(stream: &impl IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    stream.is_terminal() && !refused
}

/// A text from outside on one line: control characters, and those that turn the direction of writing,
/// show as `\u{…}`. An upstream must not draw on a person's terminal or make up lines.
pub(crate) fn plain(text: &str) -> String {
    let shown = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(shown).collect()
}

/// A bar on standard error, where a person is looking: how many of them are `at_rest`.
pub(crate) fn progress(many: u64, output: &Output) -> ProgressBar {
    if !output.is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(many);
    // The template is fixed text; should it not parse, the plain bar does as well.
    if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} at rest, {elapsed}") {
        bar.set_style(style);
    }
    bar
}

/// Writes to standard error. That it can't be written to can't be told anywhere.
pub(crate) fn to_stderr(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

/// An upstream's answer as JSON. Secrets and phone numbers were masked when it was made.
pub(crate) fn answer(answer: &Answer) -> Value {
    json!({ "code": answer.code, "message": answer.message, "raw": answer.raw })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_can_not_draw_on_the_terminal_or_make_up_lines() {
        assert_eq!(plain("充值成功, 10.20"), "充值成功, 10.20");
        assert_eq!(
            plain("a\x1b[2J\r\nstate: paid\u{202e}"),
            "a\\u{1b}[2J\\u{d}\\u{a}state: paid\\u{202e}"
        );
    }

    fn output(terminal: bool, colours: bool) -> Output {
        Output {
            json: false,
            terminal,
            colours,
        }
    }

    fn table(output: &Output) -> String {
        let state = output.tinted(Tone::Good, "succeeded");
        let rows = [
            vec!["A1".to_owned(), state, "1.06".to_owned()],
            vec!["移动".to_owned(), "-".to_owned(), "10.20".to_owned()],
        ];
        output.table_text(&["order", "state", "price"], &rows)
    }

    #[test]
    fn without_a_terminal_a_table_is_lines_with_tabs() {
        let text = table(&output(false, false));
        assert_eq!(
            text,
            "order\tstate\tprice\nA1\tsucceeded\t1.06\n移动\t-\t10.20"
        );
    }

    #[test]
    fn colours_change_nothing_but_the_colour() {
        let plain = table(&output(true, false));
        let coloured = table(&output(true, true));
        assert!(!plain.contains('\x1b') && plain.contains('─'), "{plain}");
        let stripped = coloured.replace("\x1b[32m", "").replace("\x1b[0m", "");
        assert_ne!(coloured, stripped);
        assert_eq!(stripped.replace("\x1b[39m", ""), plain);
    }
}
