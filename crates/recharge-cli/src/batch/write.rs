//! What became of a file of orders: `RESULT.csv`.
//!
//! UTF-8 without a byte order mark, one row an order. Texts that come from an upstream and would be
//! taken for a formula by a spreadsheet have an apostrophe put before them: those that begin with `=`,
//! `+`, `-`, `@`, or their full-width forms. The order's own id stays as it was given.

use std::borrow::Borrow;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use recharge_core::{Money, ProviderId, UpstreamOrderId};
use recharge_engine::{Attempt, Order, Recorded};
use tempfile::NamedTempFile;

use crate::error::CliError;
use crate::orders::words;
use crate::output::plain;

/// The columns of the result.
pub const COLUMNS: [&str; 6] = [
    "order_id",
    "state",
    "provider",
    "upstream_order_id",
    "cost",
    "message",
];

/// A row of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// As it was given.
    pub order_id: String,
    /// Where the order stands, in lower case; the reason of a review is in the message.
    pub state: &'static str,
    /// Who paid, or who was tried last.
    pub provider: Option<ProviderId>,
    /// The upstream's number there.
    pub upstream_order_id: Option<UpstreamOrderId>,
    /// What the upstream said that it deducted.
    pub cost: Option<Money>,
    /// Why it stands there, and what was last said about it.
    pub message: String,
}

impl ResultRow {
    /// The row of an order. `log` is what the order is the fold of.
    pub fn of(order: &Order, log: &[Recorded]) -> Self {
        let told = order.telling_attempt();
        let latest = words::latest(order, log);
        Self {
            order_id: order.what().order_id.to_string(),
            state: order.state().as_str(),
            provider: told.map(|attempt| attempt.provider().clone()),
            upstream_order_id: told.and_then(Attempt::upstream_order_id).cloned(),
            cost: told.and_then(Attempt::cost),
            message: match words::reason(order.state()) {
                Some(reason) => format!("{reason}: {latest}"),
                None => latest,
            },
        }
    }

    /// The row of an order that was refused: nothing was sent.
    pub fn refused(order_id: &str, why: &str) -> Self {
        Self::unsent(order_id, REFUSED, why)
    }

    /// The row of an order that was not reached before an interruption: nothing was sent.
    pub fn not_accepted(order_id: &str) -> Self {
        let why = "interrupted before it was accepted; run the batch again";
        Self::unsent(order_id, NOT_ACCEPTED, why)
    }

    fn unsent(order_id: &str, state: &'static str, why: &str) -> Self {
        Self {
            order_id: order_id.to_owned(),
            state,
            provider: None,
            upstream_order_id: None,
            cost: None,
            message: why.to_owned(),
        }
    }

    fn cells(&self) -> [String; 6] {
        let Self {
            order_id,
            state,
            provider,
            upstream_order_id,
            cost,
            message,
        } = self;
        [
            order_id.clone(),
            (*state).to_owned(),
            provider
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            upstream_order_id
                .as_ref()
                .map_or_else(String::new, |id| harmless(id.as_str())),
            cost.as_ref().map(ToString::to_string).unwrap_or_default(),
            harmless(&plain(message)),
        ]
    }
}

/// The state of an order that was not reached.
pub const NOT_ACCEPTED: &str = "not_accepted";

/// The state of an order that was refused.
pub const REFUSED: &str = "refused";

/// Writes the result. It is complete or not there at all: it is written beside its place, and put there
/// when it is on the disk.
pub fn write<R: Borrow<ResultRow>>(
    file: &Path,
    rows: impl IntoIterator<Item = R>,
) -> Result<(), CliError> {
    let trouble = |error| trouble(file, error);
    let beside = beside(file).map_err(trouble)?;
    let beside = fill(beside, rows).map_err(trouble)?;
    beside.persist(file).map_err(|error| trouble(error.error))?;
    Ok(())
}

/// Whether a result can be put there, looked at before any order is placed. It takes the place of what
/// stands there; so that is a file, and none of those that are `kept`, or what belongs to them.
pub fn can_be_written<'a>(
    file: &Path,
    kept: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<(), CliError> {
    let place = place(file).map_err(|error| trouble(file, error))?;
    if place.exists() && !place.is_file() {
        return Err(CliError::unusable(format!(
            "--out: {} is not a file; name one, or one that is not there yet",
            file.display()
        )));
    }
    for kept in kept {
        // What isn't there and has no folder either can't be overwritten.
        let Ok(kept) = self::place(kept) else {
            continue;
        };
        let is_it = |suffix: &&str| {
            let mut beside = kept.clone().into_os_string();
            beside.push(suffix);
            place.as_os_str() == beside
        };
        if ["", "-wal", "-shm", "-journal", ".lock"].iter().any(is_it) {
            return Err(CliError::unusable(format!(
                "--out: {} belongs to the store or the configuration; write the result to another file",
                file.display()
            )));
        }
    }
    beside(file).map(drop).map_err(|error| trouble(file, error))
}

fn trouble(file: &Path, error: io::Error) -> CliError {
    CliError::system(format!("can't write {}", file.display()), error)
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// The one true path of a file that need not exist, in a folder that must.
fn place(file: &Path) -> io::Result<PathBuf> {
    match (file.canonicalize(), file.file_name()) {
        (Err(_), Some(name)) => Ok(folder(file).canonicalize()?.join(name)),
        (canonical, _) => canonical,
    }
}

fn beside(file: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".recharge-result-")
        .tempfile_in(folder(file))
}

fn fill<R: Borrow<ResultRow>>(
    file: NamedTempFile,
    rows: impl IntoIterator<Item = R>,
) -> io::Result<NamedTempFile> {
    let mut csv = csv::Writer::from_writer(BufWriter::new(file));
    csv.write_record(COLUMNS)?;
    for row in rows {
        csv.write_record(row.borrow().cells())?;
    }
    let mut buffer = csv
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))?;
    buffer.flush()?;
    let file = buffer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// A text that a spreadsheet shows and does not calculate.
fn harmless(text: &str) -> String {
    let formula = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    if text.trim_start().starts_with(formula) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use recharge_core::{Doubt, DoubtKind, QueryOutcome, SubmitOutcome, UpstreamState};

    use super::*;
    use crate::orders::tests::{Case, accepted, answer, found};

    fn written(rows: Vec<ResultRow>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("result.csv");
        write(&file, rows).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        std::fs::read_to_string(&file).unwrap()
    }

    #[test]
    fn each_end_has_its_row() {
        let row = |case: &Case| ResultRow::of(&case.order, &case.log);
        let mut paid = Case::new();
        let good = found(UpstreamState::Succeeded, "充值成功, 谢谢");
        paid.due().sent(accepted()).due().answered(good);
        let mut lost = Case::new();
        let doubt = Doubt::new(DoubtKind::HttpStatus, "=HTTP 502 <\"13312345678\">");
        lost.due().sent(SubmitOutcome::Unknown(doubt));
        lost.due().answered(QueryOutcome::NotFound(answer("", "")));
        let rows = vec![
            row(&paid),
            row(&lost),
            row(&Case::new()),
            ResultRow::refused("A4", "the same account and face value as A1, 3m ago"),
        ];
        insta::assert_snapshot!(written(rows));
    }

    #[test]
    fn an_upstream_can_not_write_formulas_or_lines() {
        for (text, cell) in [
            ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("1=1", "1=1"),
            ("a\r\n=1", "a\\u{d}\\u{a}=1"),
            ("\t=1", "\\u{9}=1"),
        ] {
            let row = ResultRow::refused("-A1", text);
            assert_eq!(row.cells()[5], cell);
            assert_eq!(row.cells()[0], "-A1", "the merchant's own stays as it is");
        }
        let id = UpstreamOrderId::parse("=1+1").ok();
        let row = ResultRow {
            upstream_order_id: id,
            ..ResultRow::refused("A1", "")
        };
        assert_eq!(row.cells()[3], "'=1+1");
    }

    #[test]
    fn what_stood_there_stays_until_the_new_result_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("result.csv");
        std::fs::write(&file, "old").unwrap();
        let rows = std::iter::once_with(|| {
            assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");
            ResultRow::refused("A1", "")
        });
        write(&file, rows).unwrap();
        let new = std::fs::read_to_string(&file).unwrap();
        assert_eq!(
            new,
            "order_id,state,provider,upstream_order_id,cost,message\nA1,refused,,,,\n"
        );
        let nowhere = folder.path().join("missing").join("result.csv");
        let error = write(&nowhere, Vec::<ResultRow>::new())
            .unwrap_err()
            .to_string();
        assert!(error.contains("can't write"), "{error}");
    }
}
