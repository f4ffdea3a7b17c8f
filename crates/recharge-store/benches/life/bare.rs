//! The rows that the engine wrote, written again by a loop that does nothing else.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use recharge_store::Sqlite;
use rusqlite::{Connection, params_from_iter, types::Value};

/// All rows of a store, by order.
pub(super) struct Script {
    orders: Vec<Life>,
}

/// The rows of one order.
struct Life {
    accepted: Vec<Value>,
    asked: Vec<Vec<Value>>,
    steps: Vec<Step>,
    messages: Vec<Vec<Value>>,
    state: String,
    version: i64,
    due: Option<i64>,
}

struct Step {
    key: i64,
    first: i64,
    record: String,
}

const ACCEPTED: &str = "key, merchant, order_id, kind, account, yuan, carrier, provider, accepted, epoch, monotonic, held";

impl Script {
    /// The rows of the first orders of a store.
    pub(super) fn of(file: &Path, many: usize) -> Result<Self, Box<dyn Error>> {
        let connection = Connection::open(file)?;
        let mut orders = connection.prepare(&format!(
            "SELECT {ACCEPTED}, state, version, due FROM orders ORDER BY key LIMIT {many}"
        ))?;
        let mut steps = connection
            .prepare("SELECT key, first, record FROM log WHERE key = ?1 ORDER BY first")?;
        let mut asked = connection
            .prepare("SELECT number, provider, key, attempt FROM asked WHERE key = ?1")?;
        let outbox = connection.prepare("SELECT id, key, version, kind, what FROM outbox")?;
        let mut messages = by_order(outbox)?;
        let lives = orders.query_map([], |row| {
            let key: i64 = row.get(0)?;
            Ok(Life {
                accepted: values(row, 12)?,
                asked: asked
                    .query_map([key], |row| values(row, 4))?
                    .collect::<rusqlite::Result<_>>()?,
                steps: steps
                    .query_map([key], |row| {
                        Ok(Step {
                            key: row.get(0)?,
                            first: row.get(1)?,
                            record: row.get(2)?,
                        })
                    })?
                    .collect::<rusqlite::Result<_>>()?,
                messages: messages.remove(&key).unwrap_or_default(),
                state: row.get(12)?,
                version: row.get(13)?,
                due: row.get(14)?,
            })
        })?;
        Ok(Self {
            orders: lives.collect::<rusqlite::Result<_>>()?,
        })
    }

    /// Writes the lives on a fresh file: the orders of a group step by step, a commit for each step of
    /// the group. Answers how long that takes.
    pub(super) fn play_on_fresh(&self, file: &Path, group: usize) -> Result<f64, Box<dyn Error>> {
        for end in ["", "-wal", "-shm", ".lock"] {
            let mut name = file.as_os_str().to_owned();
            name.push(end);
            // It may not be there.
            let _ = std::fs::remove_file(name);
        }
        drop(Sqlite::open(file)?);
        self.write(&open(file)?, group, 0)
    }

    /// The same on a file that holds other orders.
    pub(super) fn play_on(&self, file: &Path, group: usize) -> Result<f64, Box<dyn Error>> {
        let connection = open(file)?;
        let last: i64 =
            connection.query_row("SELECT max(key) FROM orders", [], |row| row.get(0))?;
        self.write(&connection, group, last)
    }

    fn write(
        &self,
        connection: &Connection,
        group: usize,
        after: i64,
    ) -> Result<f64, Box<dyn Error>> {
        let begun = Instant::now();
        for lives in self.orders.chunks(group) {
            transact(connection, || {
                lives
                    .iter()
                    .try_for_each(|life| accept(connection, life, after))
            })?;
            let steps = lives.iter().map(|life| life.steps.len()).max().unwrap_or(0);
            for at in 0..steps {
                transact(connection, || {
                    lives
                        .iter()
                        .try_for_each(|life| step(connection, life, at, after))
                })?;
            }
        }
        Ok(begun.elapsed().as_secs_f64())
    }
}

fn values(row: &rusqlite::Row<'_>, many: usize) -> rusqlite::Result<Vec<Value>> {
    (0..many).map(|at| row.get(at)).collect()
}

type ByOrder = HashMap<i64, Vec<Vec<Value>>>;

fn by_order(mut statement: rusqlite::Statement<'_>) -> rusqlite::Result<ByOrder> {
    let mut found = ByOrder::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found.entry(row.get(1)?).or_default().push(values(row, 5)?);
    }
    Ok(found)
}

fn open(file: &Path) -> Result<Connection, Box<dyn Error>> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// A file with so many ended orders, which nobody asks about any more, and some that are open.
pub(super) fn fill(
    script: &Script,
    file: &Path,
    stored: usize,
    open_ones: usize,
) -> Result<(), Box<dyn Error>> {
    drop(Sqlite::open(file)?);
    let connection = open(file)?;
    // Made anew if it breaks off.
    connection.pragma_update(None, "synchronous", "off")?;
    let lives = script.orders.len();
    for first in (0..stored).step_by(lives) {
        let many = lives.min(stored - first);
        transact(&connection, || {
            for life in script.orders.iter().take(many) {
                let after = i64::try_from(first).unwrap_or(i64::MAX);
                accept(&connection, life, after)?;
                for at in 0..life.steps.len() {
                    step(&connection, life, at, after)?;
                }
            }
            // Long ended.
            connection.execute("UPDATE orders SET due = NULL WHERE due IS NOT NULL", [])?;
            connection.execute("DELETE FROM asked", [])?;
            connection.execute("DELETE FROM outbox", [])?;
            Ok(())
        })?;
    }
    let after = i64::try_from(stored).unwrap_or(i64::MAX);
    transact(&connection, || {
        for life in script.orders.iter().take(open_ones) {
            accept(&connection, life, after)?;
            step(&connection, life, 0, after)?;
            step(&connection, life, 1, after)?;
        }
        connection.execute(
            "UPDATE orders SET due = due + 3600000 WHERE due IS NOT NULL",
            [],
        )?;
        connection.execute("DELETE FROM tally", [])?;
        connection.execute(
            "INSERT INTO tally (state, provider, n)
             SELECT state, sent_by, count(*) FROM orders GROUP BY state, sent_by",
            [],
        )?;
        Ok(())
    })?;
    connection.pragma_update(None, "wal_checkpoint", "truncate")?;
    Ok(())
}

/// How long it takes to ask for the next hundred due orders.
pub(super) fn next_due(file: &Path) -> Result<f64, rusqlite::Error> {
    let connection = Connection::open(file)?;
    let mut due = connection
        .prepare("SELECT key, due FROM orders WHERE due IS NOT NULL ORDER BY due, key LIMIT 100")?;
    let mut look = || -> rusqlite::Result<f64> {
        let begun = Instant::now();
        let found = due.query_map([], |row| row.get::<_, i64>(0))?.count();
        debug_assert!(found > 0);
        Ok(begun.elapsed().as_secs_f64())
    };
    let mut times = (0..201)
        .map(|_| look())
        .collect::<rusqlite::Result<Vec<_>>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times.get(100).copied().unwrap_or(f64::NAN))
}

fn transact(
    connection: &Connection,
    work: impl FnOnce() -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    work()?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// The rows of an order, after so many others.
fn accept(connection: &Connection, life: &Life, after: i64) -> rusqlite::Result<()> {
    let mut values = life.accepted.clone();
    if let [Value::Integer(key), _, Value::Text(order_id), ..] = values.as_mut_slice() {
        *key += after;
        if after > 0 {
            *order_id = format!("20270115-{key:010}-s");
        }
    }
    connection
        .prepare_cached(&format!(
            "INSERT INTO orders ({ACCEPTED}, state, version, due, open)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'pending', 0, ?9, 1)"
        ))?
        .execute(params_from_iter(values))?;
    Ok(())
}

fn step(connection: &Connection, life: &Life, at: usize, after: i64) -> rusqlite::Result<()> {
    let Some(step) = life.steps.get(at) else {
        return Ok(());
    };
    let key = step.key + after;
    connection
        .prepare_cached("INSERT INTO log (key, first, record) VALUES (?1, ?2, ?3)")?
        .execute((key, step.first, &step.record))?;
    let last = at + 1 == life.steps.len();
    if last {
        connection
            .prepare_cached(
                "UPDATE orders SET version = ?2, state = ?3, due = ?4, open = 0 WHERE key = ?1",
            )?
            .execute((key, life.version, &life.state, life.due))?;
        for message in &life.messages {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO outbox (id, key, version, kind, what) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params_from_iter(message))?;
        }
        return Ok(());
    }
    // The version that the next step begins after.
    let version = life
        .steps
        .get(at + 1)
        .map_or(life.version, |next| next.first - 1);
    let state = if at == 0 { "submitting" } else { "charging" };
    connection
        .prepare_cached("UPDATE orders SET version = ?2, state = ?3, due = due + 1 WHERE key = ?1")?
        .execute((key, version, state))?;
    if at == 0 {
        for asked in &life.asked {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO asked (number, provider, key, attempt) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params_from_iter(asked))?;
        }
    }
    Ok(())
}
