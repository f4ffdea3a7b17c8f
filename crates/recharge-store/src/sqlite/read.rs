//! Orders as they are read: the fold of their log.

use std::fmt::Display;

use recharge_core::{
    Account, AccountKind, Carrier, FaceValue, MerchantId, OrderId, OrderState, ParseAccountError,
    ProviderId,
};
use recharge_engine::store::{Brief, Filter, OrderKey, Statistics, Stored};
use recharge_engine::{
    Acceptance, NewOrder, Order, Recorded, ReplyTo, StoreError, WallTime, record,
};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::error::unwritten;
use super::value::{STATES, moment_of, nonsense, signed, state_of, unsigned};

type Result<T> = std::result::Result<T, StoreError>;

/// An order, as its log has it.
pub(super) fn order(connection: &Connection, key: OrderKey) -> Result<Option<Stored>> {
    let row = connection
        .prepare_cached(
            "SELECT merchant, order_id, kind, account, yuan, carrier, provider,
                 accepted, epoch, monotonic, held, state, reason, version, reply_to
             FROM orders WHERE key = ?1",
        )
        .map_err(unwritten)?
        .query_row([signed(key.0)], |row| {
            Ok((
                acceptance(row)?,
                state(row, 11, 12)?,
                unsigned(row.get(13)?),
            ))
        })
        .optional()
        .map_err(|error| of_order(key, error))?;
    let Some((acceptance, state, version)) = row else {
        return Ok(None);
    };
    let order = Order::replay(acceptance, &log(connection, key)?)
        .map_err(|error| StoreError::Damaged(format!("order {}: {error}", key.0)))?;
    if order.version() != version || order.state() != state {
        return Err(StoreError::Damaged(format!(
            "order {}: it is {state} at version {version}, and its log ends {} at version {}",
            key.0,
            order.state(),
            order.version()
        )));
    }
    Ok(Some(Stored { key, order }))
}

/// The log of an order.
pub(super) fn log(connection: &Connection, key: OrderKey) -> Result<Vec<Recorded>> {
    let mut statement = connection
        .prepare_cached("SELECT record FROM log WHERE key = ?1 ORDER BY first")
        .map_err(unwritten)?;
    let mut rows = statement.query([signed(key.0)]).map_err(unwritten)?;
    let mut events = Vec::new();
    while let Some(row) = rows.next().map_err(|error| of_order(key, error))? {
        let text = row.get_ref(0).map_err(unwritten)?;
        let text = text.as_str().map_err(|error| damaged(key, error))?;
        events.extend(record::decode(text).map_err(|error| damaged(key, error))?);
    }
    Ok(events)
}

fn damaged(key: OrderKey, error: impl Display) -> StoreError {
    StoreError::Damaged(format!("order {}: {error}", key.0))
}

fn of_order(key: OrderKey, error: rusqlite::Error) -> StoreError {
    match unwritten(error) {
        StoreError::Damaged(what) => damaged(key, what),
        other => other,
    }
}

fn acceptance(row: &Row<'_>) -> rusqlite::Result<Acceptance> {
    fn text<'a>(row: &'a Row<'_>, at: usize) -> rusqlite::Result<&'a str> {
        row.get_ref(at)?.as_str().map_err(nonsense)
    }
    let some = |at| row.get_ref(at)?.as_str_or_null().map_err(nonsense);
    let kind = AccountKind::parse(text(row, 2)?).ok_or_else(|| nonsense("no kind of account"))?;
    let carrier = |name| Carrier::parse(name).ok_or_else(|| nonsense("no carrier"));
    let mut what = NewOrder::new(
        MerchantId::parse(text(row, 0)?).map_err(nonsense)?,
        OrderId::parse(text(row, 1)?).map_err(nonsense)?,
        account(kind, text(row, 3)?).map_err(nonsense)?,
        FaceValue::from_yuan(row.get(4)?).map_err(nonsense)?,
    );
    what.carrier = some(5)?.map(carrier).transpose()?;
    what.provider = some(6)?
        .map(ProviderId::parse)
        .transpose()
        .map_err(nonsense)?;
    what.reply_to = some(14)?
        .map(ReplyTo::parse)
        .transpose()
        .map_err(nonsense)?;
    Ok(Acceptance {
        what,
        at: moment_of(row.get(7)?, row.get(8)?, row.get(9)?),
        held: row.get(10)?,
    })
}

/// An account, or what is left of one that was forgotten.
fn account(kind: AccountKind, text: &str) -> std::result::Result<Account, ParseAccountError> {
    Account::parse(kind, text).or_else(|error| Account::forgotten(kind, text).ok_or(error))
}

/// When the newest event of an order was written down.
pub(crate) fn last_told(connection: &Connection, key: OrderKey) -> Result<Option<WallTime>> {
    let log = log(connection, key)?;
    Ok(log.last().map(|recorded| recorded.at.wall))
}

fn state(row: &Row<'_>, name: usize, reason: usize) -> rusqlite::Result<OrderState> {
    state_of(
        row.get_ref(name)?.as_str().map_err(nonsense)?,
        row.get_ref(reason)?.as_str_or_null().map_err(nonsense)?,
    )
}

/// The key of a merchant's order.
pub(super) fn find(
    connection: &Connection,
    merchant: &MerchantId,
    order_id: &OrderId,
) -> Result<Option<OrderKey>> {
    connection
        .prepare_cached("SELECT key FROM orders WHERE merchant = ?1 AND order_id = ?2")
        .and_then(|mut statement| {
            statement
                .query_row((merchant.as_str(), order_id.as_str()), key_of)
                .optional()
        })
        .map_err(unwritten)
}

fn key_of(row: &Row<'_>) -> rusqlite::Result<OrderKey> {
    Ok(OrderKey(unsigned(row.get(0)?)))
}

/// Orders that a filter lets through, newest first.
pub(super) fn list(
    connection: &Connection,
    filter: &Filter,
    before: Option<OrderKey>,
    limit: usize,
) -> Result<Vec<Stored>> {
    let mut which = Which::of(filter);
    if let Some(before) = before {
        which.and(
            "(accepted, key) < (SELECT accepted, key FROM orders WHERE key = ?)",
            signed(before.0).into(),
        );
    }
    let sql = page(&which, limit);
    let keys: Vec<OrderKey> = connection
        .prepare_cached(&sql)
        .and_then(|mut it| {
            it.query_map(params_from_iter(which.values), key_of)?
                .collect()
        })
        .map_err(unwritten)?;
    keys.into_iter()
        .filter_map(|key| order(connection, key).transpose())
        .collect()
}

/// The keys of a page, as SQL.
fn page(which: &Which, limit: usize) -> String {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    format!(
        "SELECT key FROM orders {} ORDER BY accepted DESC, key DESC LIMIT {limit}",
        which.sql
    )
}

/// How many orders a filter lets through, by state.
pub(super) fn count(connection: &Connection, filter: &Filter) -> Result<Vec<(&'static str, u64)>> {
    let which = Which::of(filter);
    let sql = format!(
        "SELECT state, count(*) FROM orders {} GROUP BY state",
        which.sql
    );
    let counted: Vec<(String, u64)> = connection
        .prepare_cached(&sql)
        .and_then(|mut it| {
            let rows = it.query_map(params_from_iter(which.values), |row| {
                Ok((row.get(0)?, unsigned(row.get(1)?)))
            })?;
            rows.collect()
        })
        .map_err(unwritten)?;
    let named = |name: &'static str| {
        let of = counted.iter().find(|(state, _)| state == name);
        of.map(|(_, n)| (name, *n))
    };
    Ok(STATES.into_iter().filter_map(named).collect())
}

/// Which orders, as SQL: from the index to the conditions.
struct Which {
    sql: String,
    values: Vec<Value>,
}

impl Which {
    fn of(filter: &Filter) -> Self {
        let Filter {
            merchant,
            state,
            account,
            from,
            until,
            ..
        } = filter;
        let (index, is) = match state {
            None => (None, String::new()),
            Some(state) => {
                let name = state.as_str();
                // The states are written into the text: a partial index is only used for what is known to
                // be in it.
                let is = format!(" AND state = '{name}'");
                match state {
                    OrderState::Review(_) => (Some("orders_review"), is),
                    OrderState::Failed => (Some("orders_failed"), is),
                    OrderState::Succeeded => (None, is),
                    OrderState::Pending
                    | OrderState::Submitting
                    | OrderState::Charging
                    | OrderState::Unknown => {
                        let index = merchant
                            .as_ref()
                            .map_or("orders_open", |_| "orders_at_work");
                        (Some(index), format!(" AND open = 1{is}"))
                    }
                }
            }
        };
        let index = match (account, index, merchant) {
            (Some(_), _, _) => "INDEXED BY orders_account".to_owned(),
            (None, Some(index), _) => format!("INDEXED BY {index}"),
            (None, None, Some(_)) => "INDEXED BY orders_merchant".to_owned(),
            (None, None, None) => "NOT INDEXED".to_owned(),
        };
        let mut which = Self {
            sql: format!("{index} WHERE TRUE{is}"),
            values: Vec::new(),
        };
        if let Some(merchant) = merchant {
            which.and("merchant = ?", merchant.as_str().to_owned().into());
        }
        if let Some(account) = account {
            which.and("account = ?", account.clone().into());
        }
        if let Some(from) = from {
            which.and("accepted >= ?", from.millis().into());
        }
        if let Some(until) = until {
            which.and("accepted < ?", until.millis().into());
        }
        which
    }

    fn and(&mut self, condition: &str, value: Value) {
        self.values.push(value);
        self.sql.extend([" AND ", condition]);
    }
}

/// Orders that have not ended and orders that are due far off, by key.
pub(super) fn survey(
    connection: &Connection,
    beyond: WallTime,
    after: Option<OrderKey>,
    limit: usize,
) -> Result<Vec<Brief>> {
    let after = after.map_or(-1, |key| signed(key.0));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "SELECT key, state, reason, due FROM orders WHERE key IN (
                 SELECT key FROM (
                     SELECT key FROM orders INDEXED BY orders_open
                     WHERE open = 1 AND key > ?1 ORDER BY key LIMIT ?3)
                 UNION
                 SELECT key FROM (
                     SELECT key FROM orders INDEXED BY orders_due
                     WHERE due > ?2 AND key > ?1 ORDER BY key LIMIT ?3))
             ORDER BY key LIMIT ?3",
        )
        .and_then(|mut statement| {
            let briefs = statement.query_map((after, beyond.millis(), limit), |row| {
                let due: Option<i64> = row.get(3)?;
                Ok(Brief {
                    key: key_of(row)?,
                    state: state(row, 1, 2)?,
                    due: due.map(WallTime::from_millis),
                })
            })?;
            briefs.collect()
        })
        .map_err(unwritten)
}

// What the figures are made of is asked every few seconds: none of it may look at every order.
const TALLY: &str = "SELECT provider, n FROM tally WHERE state = ?1 AND n <> 0";

const MESSAGES: &str = "SELECT count(*) FROM outbox";

const MESSAGES_DUE: &str = "SELECT count(*) FROM outbox WHERE next IS NOT NULL";

// The oldest by key; where the clock has jumped, that is still the one that waits longest.
const OLDEST_OPEN: &str = "SELECT accepted FROM orders INDEXED BY orders_open
    WHERE open = 1 AND state <> 'review' ORDER BY key LIMIT 1";

const OLDEST_UNKNOWN: &str = "SELECT accepted FROM orders INDEXED BY orders_unknown
    WHERE state = 'unknown' ORDER BY key LIMIT 1";

const OLDEST_REVIEW: &str = "SELECT accepted FROM orders INDEXED BY orders_review
    WHERE state = 'review' ORDER BY key LIMIT 1";

/// How many orders there are, and what waits.
pub(super) fn statistics(connection: &Connection) -> Result<Statistics> {
    let read = || {
        let mut statistics = Statistics::default();
        for name in STATES {
            let mut tally = connection.prepare_cached(TALLY)?;
            let mut rows = tally.query([name])?;
            let mut total = 0;
            while let Some(row) = rows.next()? {
                let (provider, n) = (row.get_ref(0)?.as_str()?, unsigned(row.get(1)?));
                let provider = (!provider.is_empty()).then(|| ProviderId::parse(provider));
                let provider = provider.transpose().map_err(nonsense)?;
                statistics.by_provider.push((name, provider, n));
                total += n;
            }
            if total > 0 {
                statistics.orders.push((name, total));
            }
        }
        let number = |sql| -> rusqlite::Result<u64> {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row([], |row| Ok(unsigned(row.get(0)?)))
        };
        statistics.messages = number(MESSAGES)?;
        let due = number(MESSAGES_DUE)?;
        statistics.given_up = statistics.messages.saturating_sub(due);
        let oldest = |sql| -> rusqlite::Result<Option<WallTime>> {
            let mut statement = connection.prepare_cached(sql)?;
            let found = statement.query_row([], |row| Ok(WallTime::from_millis(row.get(0)?)));
            found.optional()
        };
        statistics.oldest_open = oldest(OLDEST_OPEN)?;
        statistics.oldest_unknown = oldest(OLDEST_UNKNOWN)?;
        statistics.oldest_review = oldest(OLDEST_REVIEW)?;
        Ok(statistics)
    };
    read().map_err(unwritten)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sqlite;

    fn opened() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        drop(Sqlite::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        (folder, connection)
    }

    fn plan(connection: &Connection, sql: &str) -> String {
        let mut plan = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let none = vec![rusqlite::types::Null; plan.parameter_count()];
        let lines = plan
            .query_map(params_from_iter(none), |row| row.get::<_, String>(3))
            .unwrap();
        let lines: rusqlite::Result<Vec<String>> = lines.collect();
        lines.unwrap().join("; ")
    }

    #[test]
    fn a_page_of_a_merchants_open_orders_looks_at_no_others_and_sorts_nothing() {
        let (_folder, connection) = opened();
        let mut filter = Filter::default();
        filter.merchant = Some(MerchantId::parse("shop").unwrap());
        for state in [OrderState::Pending, OrderState::Charging] {
            filter.state = Some(state);
            let plan = plan(&connection, &page(&Which::of(&filter), 50));
            let found = "SEARCH orders USING INDEX orders_at_work (merchant=?)";
            assert_eq!(plan, found, "{state}");
        }
    }

    #[test]
    fn what_is_asked_every_few_seconds_looks_at_no_order_that_has_ended() {
        let (_folder, connection) = opened();
        let plan = |sql: &str| plan(&connection, sql);
        // What a scan looks like, lest its name change.
        assert_eq!(
            plan("SELECT count(*) FROM orders WHERE reason = ''"),
            "SCAN orders"
        );
        for sql in [TALLY, OLDEST_OPEN, OLDEST_UNKNOWN, OLDEST_REVIEW] {
            let plan = plan(sql);
            assert!(plan.starts_with("SEARCH "), "{sql}: {plan}");
            assert!(
                !plan.contains("SCAN") && !plan.contains("TEMP"),
                "{sql}: {plan}"
            );
        }
        for sql in [MESSAGES, MESSAGES_DUE] {
            let plan = plan(sql);
            assert!(!plan.contains("orders"), "{sql}: {plan}");
        }
    }
}
