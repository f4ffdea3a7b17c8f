//! Which orders are due, and whose they become.
//!
//! The table of claims stays locked while the index is scanned. The writer tells it of a new due time
//! only after COMMIT; so either the scan sees the new row, or the cursor is moved back to it after the
//! scan. In neither case is it passed over.

use std::sync::Arc;

use recharge_engine::store::{Lease, OrderKey, Stored};
use recharge_engine::{AppendError, StoreError, WallTime};
use rusqlite::{CachedStatement, Connection};

use super::claims::{Claims, Grant, Place};
use super::error::unwritten;
use super::read;
use super::value::{signed, unsigned};

/// From a place on, in order.
const SCAN: &str = "SELECT due, key FROM orders INDEXED BY orders_due
    WHERE due >= ?1 AND (due > ?1 OR key >= ?2) AND due <= ?3 ORDER BY due, key";

fn scan(connection: &Connection) -> Result<CachedStatement<'_>, StoreError> {
    connection.prepare_cached(SCAN).map_err(unwritten)
}

/// Claims orders that are due.
pub(super) fn claim(
    connection: &Connection,
    claims: &Arc<Claims>,
    lease: Lease,
    now: WallTime,
    limit: usize,
) -> Result<(Vec<Stored>, Grant), StoreError> {
    let mut grant = claims.granted(lease, take(connection, claims, lease, now, limit)?);
    let mut orders = Vec::new();
    for key in grant.keys() {
        match read::order(connection, key) {
            Ok(Some(stored)) => {
                let (version, due) = (stored.order.version(), stored.order.due());
                claims.lock().moved(key, version, due);
                orders.push(stored);
            }
            Ok(None) => grant.set_aside(key),
            Err(StoreError::Damaged(what)) => {
                // The others are given back, and come without it next time.
                grant.set_aside(key);
                return Err(StoreError::Damaged(what));
            }
            Err(other) => return Err(other),
        }
    }
    Ok((orders, grant))
}

fn take(
    connection: &Connection,
    claims: &Claims,
    lease: Lease,
    now: WallTime,
    limit: usize,
) -> Result<Vec<OrderKey>, StoreError> {
    let mut statement = scan(connection)?;
    let mut table = claims.lock();
    let mut keys = Vec::new();
    if lease != table.newest() {
        return Ok(keys);
    }
    let (due, key) = table.cursor();
    let mut rows = statement
        .query((due, signed(key), now.millis()))
        .map_err(unwritten)?;
    while keys.len() < limit
        && let Some((due, key)) = next_place(&mut rows)?
    {
        if table.take(lease, OrderKey(key), Some(WallTime::from_millis(due))) {
            keys.push(OrderKey(key));
        }
        table.passed((due, key + 1));
    }
    Ok(keys)
}

fn next_place(rows: &mut rusqlite::Rows<'_>) -> Result<Option<Place>, StoreError> {
    let row = rows.next().map_err(unwritten)?;
    row.map(|row| Ok((row.get(0)?, unsigned(row.get(1)?))))
        .transpose()
        .map_err(unwritten)
}

/// Claims one order. The outer error is the store's, the inner one the claim's.
pub(super) fn claim_one(
    connection: &Connection,
    claims: &Arc<Claims>,
    lease: Lease,
    key: OrderKey,
) -> Result<Result<Option<(Stored, Grant)>, AppendError>, StoreError> {
    let mut table = claims.lock();
    if lease != table.newest() {
        return Ok(Err(AppendError::LeaseLost));
    }
    let Some(grant) = claims.grant(&mut table, lease, key, None) else {
        return Ok(Ok(None));
    };
    drop(table);
    let Some(stored) = read::order(connection, key)? else {
        return Ok(Err(AppendError::NoSuchOrder));
    };
    let order = &stored.order;
    claims.lock().moved(key, order.version(), order.due());
    Ok(Ok(Some((stored, grant))))
}

/// When the next order is due that nobody has. Without `alone` another process writes, and where it has
/// put orders is not known here.
pub(super) fn next(
    connection: &Connection,
    claims: &Claims,
    alone: bool,
) -> Result<Option<WallTime>, StoreError> {
    let mut statement = scan(connection)?;
    let mut table = claims.lock();
    if !alone {
        table.rewind();
    }
    let (due, key) = table.cursor();
    let mut rows = statement
        .query((due, signed(key), i64::MAX))
        .map_err(unwritten)?;
    while let Some((due, key)) = next_place(&mut rows)? {
        if !table.is_held(OrderKey(key)) {
            return Ok(Some(WallTime::from_millis(due)));
        }
        table.passed((due, key + 1));
    }
    Ok(None)
}
