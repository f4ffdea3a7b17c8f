//! Phone numbers are forgotten by age: of orders that have long ended, only the masked form is left.

use recharge_core::{Account, AccountKind};
use recharge_engine::store::OrderKey;
use recharge_engine::{StoreError, WallTime};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Registry, Result, error};
use crate::sqlite::last_told;

/// How many orders are looked at in one transaction: a gateway on the same file waits for no more.
const AT_ONCE: usize = 500;

impl Registry {
    /// How many orders [`forget`](Self::forget) would change.
    pub fn forgettable(&self, before: WallTime) -> Result<u64> {
        let connection = self.lock();
        let (mut after, mut found) = (-1, 0);
        while let Some(page) = page(&connection, before, after)? {
            after = page.last;
            found += page.keys.len() as u64;
        }
        Ok(found)
    }

    /// Masks the accounts of orders that ended before then and are no longer asked about, and answers of how
    /// many. Everything else about them stays. What is masked is overwritten in the file too, once nobody
    /// reads what was there before.
    ///
    /// After a crash or an error some are masked and some are not: do it again.
    pub fn forget(&self, before: WallTime) -> Result<u64> {
        let (mut after, mut done) = (-1, 0);
        loop {
            let next = self.write(|transaction| {
                let Some(page) = page(transaction, before, after)? else {
                    return Ok(None);
                };
                for (key, account) in &page.keys {
                    transaction
                        .prepare_cached("UPDATE orders SET account = ?2 WHERE key = ?1")
                        .and_then(|mut it| it.execute(params![key, account.to_string()]))
                        .map_err(error)?;
                }
                Ok(Some((page.last, page.keys.len() as u64)))
            })?;
            let Some((last, many)) = next else { break };
            (after, done) = (last, done + many);
        }
        // What was there before stands in the log of changes until that is folded into the file. Whoever
        // reads at this moment keeps it a little longer.
        self.lock()
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .optional()
            .map_err(|error| StoreError::Unknown(error.to_string()))?;
        Ok(done)
    }
}

/// Some orders, by key.
struct Page {
    /// Those to be forgotten, with their accounts.
    keys: Vec<(i64, Account)>,
    /// The last that was looked at.
    last: i64,
}

/// The next orders after that key; `None` after the last.
fn page(connection: &Connection, before: WallTime, after: i64) -> Result<Option<Page>> {
    let most = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let found: Vec<(i64, String, String)> = connection
        .prepare_cached(
            "SELECT key, account, kind FROM orders NOT INDEXED
             WHERE key > ?1 AND open = 0 AND due IS NULL AND accepted < ?2 AND instr(account, '*') = 0
             ORDER BY key LIMIT ?3",
        )
        .and_then(|mut it| {
            let rows = it.query_map((after, before.millis(), most), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            rows.collect()
        })
        .map_err(error)?;
    let Some((last, ..)) = found.last() else {
        return Ok(None);
    };
    let last = *last;
    let mut keys = Vec::new();
    for (key, account, kind) in found {
        let order = OrderKey(u64::try_from(key).unwrap_or_default());
        // It counts when it was last heard of, and not when it was accepted.
        let told = last_told(connection, order)?;
        if told.is_some_and(|at| at < before) {
            let kind = AccountKind::parse(&kind);
            let account = kind.and_then(|kind| Account::parse(kind, &account).ok());
            let damaged = || StoreError::Damaged(format!("order {key} has no account"));
            keys.push((key, account.ok_or_else(damaged)?));
        }
    }
    Ok(Some(Page { keys, last }))
}
