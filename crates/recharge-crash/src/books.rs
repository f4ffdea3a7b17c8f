//! What the file holds, read with plain SQL from a copy, and whether it can be what was written.
//!
//! The log is the truth; whatever stands beside it must follow from it. This is worked out here anew,
//! from the JSON of the records, and not by the engine's own reader.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::Result;

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Books {
    /// The orders, by id.
    pub(crate) orders: BTreeMap<String, Kept>,
    /// By provider and number: how many times it was to be sent.
    pub(crate) intents: BTreeMap<(String, String), u64>,
    /// What can't be, a sentence each.
    pub(crate) problems: Vec<String>,
}

/// An order in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) account: String,
    pub(crate) yuan: u64,
    /// Without the reason of a review.
    pub(crate) state: String,
    pub(crate) version: u64,
}

impl Books {
    /// How many orders may have a submit under way.
    pub(crate) fn submitting(&self) -> u64 {
        let states = self.orders.values().map(|kept| kept.state.as_str());
        states.filter(|state| *state == "submitting").count() as u64
    }
}

/// Reads the file as it is now, until dropped. While it does, what is written later stays in the log.
pub(crate) fn hold(db: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("BEGIN; SELECT count(*) FROM orders")?;
    Ok(connection)
}

/// The file and its log, copied to another folder as they are. Nobody may be writing them.
pub(crate) fn copy(db: &Path, folder: &Path) -> Result<PathBuf> {
    let copy = folder.join("copy.sqlite");
    for suffix in ["", "-wal", "-shm"] {
        let to = beside(&copy, suffix);
        if to.exists() {
            fs::remove_file(&to)?;
        }
        let from = beside(db, suffix);
        // What is in the shared memory follows from the log, and is made anew.
        if suffix != "-shm" && from.exists() {
            fs::copy(from, to)?;
        }
    }
    Ok(copy)
}

/// The same, with the log cut off at a length.
pub(crate) fn copy_cut(db: &Path, folder: &Path, length: u64) -> Result<PathBuf> {
    let copy = folder.join("copy.sqlite");
    let shared = beside(&copy, "-shm");
    if shared.exists() {
        fs::remove_file(shared)?;
    }
    fs::copy(db, &copy)?;
    let log = fs::File::open(beside(db, "-wal"))?;
    let mut cut = fs::File::create(beside(&copy, "-wal"))?;
    io::copy(&mut log.take(length), &mut cut)?;
    Ok(copy)
}

/// A path with something after its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}

/// Reads a copy. A file that does not exist, or that nothing was written to, holds nothing.
pub(crate) fn read(copy: &Path) -> Result<Books> {
    let mut books = Books::default();
    if !copy.exists() {
        return Ok(books);
    }
    let connection = Connection::open(copy)?;
    let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if whole != "ok" {
        books.problems.push(format!("it is damaged: {whole}"));
        return Ok(books);
    }
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 {
        read_orders(&connection, &mut books)?;
        read_beside(&connection, &mut books)?;
    }
    Ok(books)
}

/// An order's row, as far as it must follow from the log.
struct Row {
    key: i64,
    id: String,
    state: String,
    reason: Option<String>,
    version: u64,
    due: Option<i64>,
    open: bool,
}

fn read_orders(connection: &Connection, books: &mut Books) -> Result<()> {
    let mut statement = connection.prepare(
        "SELECT key, order_id, state, reason, version, due, open, account, yuan FROM orders",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let kept = Kept {
            account: row.get(7)?,
            yuan: count(row, 8)?,
            state: row.get(2)?,
            version: count(row, 4)?,
        };
        let row = Row {
            key: row.get(0)?,
            id: row.get(1)?,
            state: row.get(2)?,
            reason: row.get(3)?,
            version: count(row, 4)?,
            due: row.get(5)?,
            open: row.get(6)?,
        };
        let log = Log::read(connection, row.key)?;
        for problem in row.problems(&log) {
            books.problems.push(format!("{}: {problem}", row.id));
        }
        for key in log.sends {
            *books.intents.entry(key).or_default() += 1;
        }
        if books.orders.insert(row.id.clone(), kept).is_some() {
            books.problems.push(format!("{} is there twice", row.id));
        }
    }
    Ok(())
}

/// A number that is never below zero.
fn count(row: &rusqlite::Row<'_>, column: usize) -> Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?)?)
}

impl Row {
    fn problems(&self, log: &Log) -> Vec<String> {
        let mut problems = log.problems.clone();
        let state = match &self.reason {
            Some(reason) => format!("{}:{reason}", self.state),
            None => self.state.clone(),
        };
        if log.version != self.version {
            let (found, told) = (log.version, self.version);
            problems.push(format!("its log ends at {found}, and its row says {told}"));
        }
        if log.state != state {
            problems.push(format!("its log says {}, and its row {state}", log.state));
        }
        let ended = matches!(self.state.as_str(), "succeeded" | "failed");
        if self.open == ended {
            problems.push(format!("{state} and open: {}", self.open));
        }
        if !ended && self.state != "review" && self.due.is_none() {
            problems.push(format!("{state}, and nothing is ever done about it"));
        }
        problems
    }
}

/// What an order's records come to.
struct Log {
    version: u64,
    /// With the reason of a review.
    state: String,
    /// By provider and number, each time it was to be sent.
    sends: Vec<(String, String)>,
    problems: Vec<String>,
}

impl Log {
    fn read(connection: &Connection, key: i64) -> Result<Self> {
        let mut log = Self {
            version: 0,
            state: "pending".to_owned(),
            sends: Vec::new(),
            problems: Vec::new(),
        };
        let mut open = BTreeMap::new();
        let mut statement = connection
            .prepare_cached("SELECT first, record FROM log WHERE key = ?1 ORDER BY first")?;
        let mut rows = statement.query([key])?;
        while let Some(row) = rows.next()? {
            let first = count(row, 0)?;
            let record: Value = serde_json::from_str(&row.get::<_, String>(1)?)?;
            if first != log.version + 1 || record["first"].as_u64() != Some(first) {
                log.problems.push(format!("its log has a gap at {first}"));
            }
            for event in record["events"].as_array().into_iter().flatten() {
                log.version += 1;
                log.event(event, &mut open);
            }
        }
        Ok(log)
    }

    /// `open`: by attempt, the token of the send of which it is not known that no byte went out.
    fn event(&mut self, event: &Value, open: &mut BTreeMap<u64, String>) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Some(moved) = event.get("moved") {
            self.state = text(&moved["to"]);
        }
        if let Some(intent) = event.get("send_intended") {
            let attempt = intent["attempt"].as_u64().unwrap_or(u64::MAX);
            self.sends
                .push((text(&intent["provider"]), text(&intent["number"])));
            if open.insert(attempt, text(&intent["token"])).is_some() {
                self.problems
                    .push(format!("attempt {attempt} was sent again"));
            }
        }
        if let Some(ended) = event.get("send_ended")
            && ended["outcome"].get("not_sent").is_some()
        {
            let token = text(&ended["token"]);
            open.retain(|_, open| *open != token);
        }
    }
}

/// What stands beside the orders.
fn read_beside(connection: &Connection, books: &mut Books) -> Result<()> {
    let mut states: BTreeMap<String, i64> = BTreeMap::new();
    for kept in books.orders.values() {
        *states.entry(kept.state.clone()).or_default() += 1;
    }
    let mut statement =
        connection.prepare("SELECT state, sum(n) FROM tally GROUP BY state HAVING sum(n) <> 0")?;
    let tally = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<BTreeMap<String, i64>>>()?;
    if tally != states {
        books
            .problems
            .push(format!("the tally is {tally:?}, and there are {states:?}"));
    }
    let mut statement = connection.prepare("SELECT provider, number FROM asked")?;
    let asked = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<BTreeSet<(String, String)>>>()?;
    for (provider, number) in asked {
        if !books
            .intents
            .contains_key(&(provider.clone(), number.clone()))
        {
            books.problems.push(format!(
                "{number} at {provider} is asked about and was never sent"
            ));
        }
    }
    let strays: i64 = connection.query_row(
        "SELECT count(*) FROM log WHERE key NOT IN (SELECT key FROM orders)",
        [],
        |row| row.get(0),
    )?;
    if strays > 0 {
        books
            .problems
            .push(format!("{strays} records belong to no order"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &str = "
        CREATE TABLE orders (key, order_id, state, reason, version, due, open, account, yuan);
        CREATE TABLE log (key, first, record);
        CREATE TABLE tally (state, n);
        CREATE TABLE asked (provider, number);
        INSERT INTO orders VALUES (1, 'A', 'charging', NULL, 4, 9, 1, '138', 10);
        INSERT INTO tally VALUES ('charging', 1);
        INSERT INTO asked VALUES ('juhe', 'N1');
        INSERT INTO log VALUES (1, 1, '{\"first\":1,\"events\":[
            {\"send_intended\":{\"attempt\":0,\"number\":\"N1\",\"provider\":\"juhe\",\"token\":\"t\"}},
            {\"moved\":{\"to\":\"submitting\"}}]}');
        INSERT INTO log VALUES (1, 3, '{\"first\":3,\"events\":[
            {\"send_ended\":{\"attempt\":0,\"token\":\"t\",\"outcome\":{\"accepted\":{}}}},
            {\"moved\":{\"to\":\"charging\"}}]}');";

    fn problems(change: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("db");
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch(TABLES).unwrap();
        connection.execute_batch(change).unwrap();
        drop(connection);
        let copy = copy(&file, folder.path()).unwrap();
        let books = read(&copy).unwrap();
        assert_eq!(books.intents.len(), 1);
        books.problems
    }

    #[test]
    fn a_file_that_is_whole_has_no_problems() {
        assert_eq!(problems(""), [""; 0]);
    }

    #[test]
    fn nothing_is_a_file_without_orders() {
        let folder = tempfile::tempdir().unwrap();
        let copy = copy(&folder.path().join("db"), folder.path()).unwrap();
        assert_eq!(read(&copy).unwrap(), Books::default());
    }

    #[test]
    fn whatever_does_not_follow_from_the_log_is_found() {
        let again = "INSERT INTO log VALUES (1, 5, '{\"first\":5,\"events\":[
            {\"send_intended\":{\"attempt\":0,\"number\":\"N1\",\"provider\":\"juhe\",\"token\":\"u\"}}]}');
            UPDATE orders SET version = 5;";
        for (change, says) in [
            ("UPDATE orders SET version = 5", "its log ends at 4"),
            ("UPDATE log SET first = 4 WHERE first = 3", "gap at 4"),
            (
                "UPDATE orders SET state = 'failed', open = 0; UPDATE tally SET state = 'failed'",
                "its log says charging, and its row failed",
            ),
            ("UPDATE orders SET open = 0", "charging and open: false"),
            (
                "UPDATE orders SET due = NULL",
                "nothing is ever done about it",
            ),
            ("UPDATE tally SET n = 2", "the tally is"),
            ("INSERT INTO asked VALUES ('jisu', 'N1')", "was never sent"),
            (
                "INSERT INTO log VALUES (2, 1, '{}')",
                "1 records belong to no order",
            ),
            (again, "attempt 0 was sent again"),
        ] {
            let found = problems(change);
            assert!(
                found.len() == 1 && found[0].contains(says),
                "{change}: {found:?}"
            );
        }
    }
}
