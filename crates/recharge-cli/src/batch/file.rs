//! A file of orders on the disk: its bytes, and what is said of one that can't be used.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use recharge_batch::{BYTES_AT_MOST, BadLine, Row};

use crate::config::Rules;
use crate::error::CliError;

/// How many bad lines are listed; of the others only the number is said.
const LISTED_AT_MOST: usize = 1_000;

/// The bytes of a file, if they are not too many.
pub fn bytes(file: &Path) -> Result<Vec<u8>, CliError> {
    let trouble = |error| CliError::system(format!("can't read {}", file.display()), error);
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(BYTES_AT_MOST + 1).read_to_end(&mut bytes))
        .map_err(trouble)?;
    if bytes.len() as u64 > BYTES_AT_MOST {
        let text = "it has more than 64 MiB: split it";
        return Err(trouble(io::Error::other(text)));
    }
    Ok(bytes)
}

/// The rows that no route takes, and why. Rows that were accepted before need not be asked about.
pub fn unsold<'a>(rows: impl IntoIterator<Item = &'a Row>, rules: &Rules) -> Vec<BadLine> {
    rows.into_iter()
        .filter_map(|row| Some(BadLine::new(row.line, None, rules.refuses(&row.what)?)))
        .collect()
}

/// The bad lines as one error, and that nothing was accepted by this run.
pub fn refused(file: &Path, bad: &[BadLine]) -> CliError {
    let mut text = format!("{}: this run has accepted no order of it", file.display());
    for line in bad.iter().take(LISTED_AT_MOST) {
        text.push('\n');
        text.push_str(&line.to_string());
    }
    if bad.len() > LISTED_AT_MOST {
        let more = bad.len() - LISTED_AT_MOST;
        // Writing to a String can't fail.
        let _ = write!(text, "\nand {more} more bad lines");
    }
    CliError::unusable(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_lists_a_thousand_lines_and_counts_the_rest() {
        let bad: Vec<BadLine> = (2..1_012)
            .map(|line| BadLine::new(line, None, "x"))
            .collect();
        let told = refused(Path::new("f.csv"), &bad).to_string();
        assert_eq!(told.lines().count(), 1_002);
        assert!(told.ends_with("and 10 more bad lines"), "{told}");
        assert!(
            told.starts_with("f.csv: this run has accepted no order of it\nline 2: x\n"),
            "{told}"
        );
    }
}
