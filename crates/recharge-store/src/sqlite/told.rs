//! What waits to be told, and what has been heard.

use recharge_core::{MerchantId, OrderId, ProviderId, UpstreamOrderId, UpstreamState};
use recharge_engine::store::{Delivery, InboxEntry, KeptCallback, Message, OrderKey, Told};
use recharge_engine::{Notice, StoreError, WallTime, record};
use rusqlite::{Connection, OptionalExtension, Row};

use super::error::unwritten;
use super::value::{nonsense, signed, unsigned};

/// Messages that have not been delivered.
pub(super) fn messages(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "SELECT id, key, merchant, order_id, outbox.version, outbox.kind, what, since, tries, next,
                 trouble
             FROM outbox JOIN orders USING (key) WHERE id > ?1 ORDER BY id LIMIT ?2",
        )
        .and_then(|mut it| it.query_map((signed(after), limit), message)?.collect())
        .map_err(unwritten)
}

/// The oldest message of each kind and order that has not been given up.
const FIRST: &str = "FROM outbox JOIN orders USING (key)
    WHERE next IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM outbox AS earlier INDEXED BY outbox_order
        WHERE earlier.key = outbox.key AND earlier.kind = outbox.kind AND earlier.next IS NOT NULL
          AND earlier.id < outbox.id)";

/// Messages whose time has come.
pub(super) fn messages_due(
    connection: &Connection,
    now: WallTime,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = format!(
        "SELECT id, key, merchant, order_id, outbox.version, outbox.kind, what, since, tries, next, trouble
         {FIRST} AND next <= ?1 ORDER BY next, id LIMIT ?2"
    );
    connection
        .prepare_cached(&sql)
        .and_then(|mut it| it.query_map((now.millis(), limit), message)?.collect())
        .map_err(unwritten)
}

/// When the next message is due.
pub(super) fn next_message(connection: &Connection) -> Result<Option<WallTime>, StoreError> {
    connection
        .prepare_cached(&format!("SELECT next {FIRST} ORDER BY next LIMIT 1"))
        .and_then(|mut it| {
            let next = it.query_row([], |row| Ok(WallTime::from_millis(row.get(0)?)));
            next.optional()
        })
        .map_err(unwritten)
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let text = |at| row.get::<_, String>(at);
    let version = unsigned(row.get(4)?);
    let what = text(6)?;
    let what = match text(5)?.as_str() {
        "notice" => Told::Notice(Notice {
            version,
            state: record::state_of(&what).map_err(nonsense)?,
        }),
        _ => Told::Alarm {
            version,
            alarm: record::alarm_of(&what).map_err(nonsense)?,
        },
    };
    Ok(Message {
        id: unsigned(row.get(0)?),
        key: OrderKey(unsigned(row.get(1)?)),
        merchant: MerchantId::parse(&text(2)?).map_err(nonsense)?,
        order_id: OrderId::parse(&text(3)?).map_err(nonsense)?,
        what,
        since: WallTime::from_millis(row.get(7)?),
        delivery: Delivery {
            tries: row.get(8)?,
            next: row.get::<_, Option<i64>>(9)?.map(WallTime::from_millis),
            trouble: row.get(10)?,
        },
    })
}

/// Callbacks of known orders that have not been handled.
pub(super) fn unhandled(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<InboxEntry>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "SELECT id, provider, number, upstream_order_id, claims, covers_state, key, attempt
             FROM inbox INDEXED BY inbox_unhandled
             WHERE handled = 0 AND key IS NOT NULL ORDER BY id LIMIT ?1",
        )
        .and_then(|mut it| it.query_map([limit], entry)?.collect())
        .map_err(unwritten)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<InboxEntry> {
    let text = |at| row.get::<_, String>(at);
    let some = |at| Ok::<_, rusqlite::Error>(Some(text(at)?).filter(|it| !it.is_empty()));
    let state = |name: String| UpstreamState::parse(&name).ok_or_else(|| nonsense("no such state"));
    let provider = ProviderId::parse(&text(1)?).map_err(nonsense)?;
    let mut callback = KeptCallback::new(provider, text(2)?);
    callback.upstream_order_id = some(3)?
        .map(|id| UpstreamOrderId::parse(&id))
        .transpose()
        .map_err(nonsense)?;
    callback.claims = some(4)?.map(state).transpose()?;
    callback.covers_state = row.get(5)?;
    Ok(InboxEntry {
        id: unsigned(row.get(0)?),
        callback,
        whose: Some((OrderKey(unsigned(row.get(6)?)), row.get(7)?)),
        again: false,
    })
}
