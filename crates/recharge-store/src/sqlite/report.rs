//! A check-up of the file, for people.

use std::path::{Path, PathBuf};

use recharge_engine::store::OrderKey;
use rusqlite::Connection;

use super::error::OpenError;
use super::value::unsigned;
use super::{copy, file, read, schema};

/// What a check-up found. All is well when [`problems`](Self::problems) is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The file.
    pub path: PathBuf,
    /// The version of SQLite.
    pub library: &'static str,
    /// The format of the file.
    pub format: u32,
    /// The newest format that is known here.
    pub newest_format: u32,
    /// Settings as they read back, by name.
    pub settings: Vec<(&'static str, String)>,
    /// How many rows there are, by what they are.
    pub counts: Vec<(&'static str, u64)>,
    /// Whether the hold of a restored backup is in force.
    pub held: bool,
    /// How often the fate of a commit had to be settled: the disk has had trouble as often.
    pub settled: u64,
    /// What is wrong. Empty when all is well.
    pub problems: Vec<String>,
}

const SETTINGS: &[&str] = &[
    "journal_mode",
    "encoding",
    "page_size",
    "page_count",
    "freelist_count",
];

const COUNTS: &[(&str, &str)] = &[
    ("orders", "SELECT count(*) FROM orders"),
    ("open orders", "SELECT count(*) FROM orders WHERE open = 1"),
    ("steps", "SELECT count(*) FROM log"),
    ("numbers asked about", "SELECT count(*) FROM asked"),
    ("messages", "SELECT count(*) FROM outbox"),
    ("callbacks", "SELECT count(*) FROM inbox"),
];

/// Looks at everything, and changes nothing. It reads the whole file.
pub(super) fn check(path: &Path) -> Result<Report, OpenError> {
    let connection = copy::connect_ours(path)?;
    look(&connection, path).map_err(OpenError::sqlite(path))
}

fn look(connection: &Connection, path: &Path) -> rusqlite::Result<Report> {
    // All of it at one moment, though others write.
    let moment = connection.unchecked_transaction()?;
    let mut problems = copy::problems(connection)?;
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get(0).map(unsigned));
    let miscounted = number(
        "SELECT count(*) FROM (
             SELECT state, sent_by, count(*) AS n FROM orders GROUP BY state, sent_by
             EXCEPT SELECT state, provider, n FROM tally)",
    )?;
    if miscounted > 0 {
        problems.push(format!("{miscounted} states are miscounted"));
    }
    let lost = number("SELECT count(*) FROM log WHERE key NOT IN (SELECT key FROM orders)")?;
    if lost > 0 {
        problems.push(format!("{lost} steps belong to no order"));
    }
    problems.extend(unreadable(connection)?);
    let counted = COUNTS
        .iter()
        .map(|(name, sql)| Ok((*name, number(sql)?)))
        .collect::<rusqlite::Result<_>>()?;
    let settings = SETTINGS
        .iter()
        .map(|name| Ok((*name, file::read_back(connection, name)?)))
        .collect::<rusqlite::Result<_>>()?;
    let format = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let report = Report {
        path: path.to_owned(),
        library: rusqlite::version(),
        format,
        newest_format: schema::newest(schema::MIGRATIONS),
        settings,
        counts: counted,
        held: number("SELECT restored OR hold_left IS NOT NULL FROM meta")? != 0,
        settled: number("SELECT settled FROM meta")?,
        problems,
    };
    moment.commit()?;
    Ok(report)
}

/// Open orders whose log can't be theirs.
fn unreadable(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut open = connection.prepare("SELECT key FROM orders WHERE open = 1")?;
    let keys: Vec<i64> = open
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let of = |key: &i64| read::order(connection, OrderKey(unsigned(*key))).err();
    Ok(keys
        .iter()
        .filter_map(of)
        .map(|it| it.to_string())
        .collect())
}
