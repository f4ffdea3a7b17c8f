//! A transaction that many requests share, and what is done once for all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use recharge_core::OrderState;
use recharge_engine::WallTime;
use recharge_engine::store::{Lease, OrderKey};
use rusqlite::{CachedStatement, Connection, OptionalExtension};

use super::claims::{Claims, Grant};
use super::value::{signed, unsigned};

/// A transaction under way.
pub(super) struct Batch<'a> {
    connection: &'a Connection,
    claims: &'a Arc<Claims>,
    /// How many orders came to each state and provider, less those that left it.
    tally: BTreeMap<(&'static str, String), i64>,
    /// The last number of a message, once one has been given out here.
    message: Option<i64>,
    notes: Vec<Note>,
}

/// What memory is told once the transaction is durable.
enum Note {
    Due(OrderKey, u64, Option<WallTime>),
    Begun(Lease),
}

impl<'a> Batch<'a> {
    pub(super) fn new(connection: &'a Connection, claims: &'a Arc<Claims>) -> Self {
        Self {
            connection,
            claims,
            tally: BTreeMap::new(),
            message: None,
            notes: Vec::new(),
        }
    }

    pub(super) const fn connection(&self) -> &'a Connection {
        self.connection
    }

    pub(super) fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'a>> {
        self.connection.prepare_cached(sql)
    }

    pub(super) fn is_held_under(&self, key: OrderKey, lease: Lease) -> bool {
        self.claims.lock().is_held_under(key, lease)
    }

    /// Claims an order that this transaction makes. Before COMMIT, or somebody could see it unclaimed.
    pub(super) fn claim_new(&self, lease: Lease, key: OrderKey, due: WallTime) -> Option<Grant> {
        let mut table = self.claims.lock();
        self.claims.grant(&mut table, lease, key, Some(due))
    }

    /// At this version the order is due then.
    pub(super) fn due(&mut self, key: OrderKey, version: u64, due: Option<WallTime>) {
        self.notes.push(Note::Due(key, version, due));
    }

    pub(super) fn begun(&mut self, lease: Lease) {
        self.notes.push(Note::Begun(lease));
    }

    /// So many more are in that state, with their newest attempt at that provider.
    pub(super) fn count(&mut self, state: OrderState, provider: &str, by: i64) {
        let key = (state.as_str(), provider.to_owned());
        *self.tally.entry(key).or_default() += by;
    }

    /// The number of the next message.
    pub(super) fn next_message(&mut self) -> rusqlite::Result<i64> {
        let last = match self.message {
            Some(last) => last,
            None => self
                .prepare("SELECT message FROM meta")?
                .query_row([], |row| row.get(0))?,
        };
        self.message = Some(last + 1);
        Ok(last + 1)
    }

    /// Writes what is written once for all requests.
    pub(super) fn finish(&mut self) -> rusqlite::Result<()> {
        for ((state, provider), n) in &self.tally {
            if *n != 0 {
                self.prepare(
                    "INSERT INTO tally (state, provider, n) VALUES (?1, ?2, ?3)
                     ON CONFLICT (state, provider) DO UPDATE SET n = n + excluded.n",
                )?
                .execute((state, provider, n))?;
            }
        }
        if let Some(last) = self.message {
            self.prepare("UPDATE meta SET message = ?1")?
                .execute([last])?;
        }
        Ok(())
    }

    /// The transaction is durable.
    pub(super) fn committed(self) {
        let mut table = self.claims.lock();
        for note in self.notes {
            match note {
                Note::Due(key, version, due) => table.moved(key, version, due),
                Note::Begun(lease) => table.begin(lease),
            }
        }
    }
}

/// The version of an order, and when it is due.
pub(super) fn due_of(
    connection: &Connection,
    key: OrderKey,
) -> rusqlite::Result<Option<(u64, Option<WallTime>)>> {
    connection
        .prepare_cached("SELECT version, due FROM orders WHERE key = ?1")?
        .query_row([signed(key.0)], |row| {
            let due: Option<i64> = row.get(1)?;
            Ok((unsigned(row.get(0)?), due.map(WallTime::from_millis)))
        })
        .optional()
}
