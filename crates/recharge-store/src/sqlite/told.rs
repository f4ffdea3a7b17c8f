//! What waits to be told, and what has been heard.

use recharge_core::{MerchantId, OrderId, ProviderId, UpstreamOrderId, UpstreamState};
use recharge_engine::store::{InboxEntry, KeptCallback, Message, OrderKey, Told};
use recharge_engine::{Notice, StoreError, record};
use rusqlite::{Connection, Row};

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
            "SELECT id, key, merchant, order_id, outbox.version, outbox.kind, what
             FROM outbox JOIN orders USING (key) WHERE id > ?1 ORDER BY id LIMIT ?2",
        )
        .and_then(|mut it| it.query_map((signed(after), limit), message)?.collect())
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
