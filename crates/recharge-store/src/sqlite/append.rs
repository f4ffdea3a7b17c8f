//! The events of a step are written down, with all that follows from them.

use std::borrow::Cow;

use recharge_core::{AttemptNumber, OrderState, ProviderId};
use recharge_engine::store::{Lease, OrderKey, begun};
use recharge_engine::{AppendError, Step, StoreError, WallTime, record};
use rusqlite::{OptionalExtension, params};

use super::accept::sql;
use super::batch::Batch;
use super::small::Handled;
use super::value::{signed, state, state_of, unsigned};
use super::writer::Op;

/// A step, made ready by its caller so that the writer has little to do.
#[derive(Debug)]
pub(super) struct Append {
    key: OrderKey,
    lease: Option<Lease>,
    /// The version that the step was made of.
    expected: u64,
    /// None when nothing happened.
    record: Option<String>,
    state: OrderState,
    version: u64,
    due: Option<WallTime>,
    /// The numbers of all its attempts; those that the step began come last.
    numbers: Vec<(u32, AttemptNumber, ProviderId)>,
    begun: usize,
    messages: Vec<(u64, &'static str, Cow<'static, str>)>,
    /// When the step was made.
    at: WallTime,
    /// The callback that has thereby been handled.
    heard: Option<u64>,
}

impl Append {
    pub(super) fn new(
        key: OrderKey,
        lease: Option<Lease>,
        step: &Step,
    ) -> Result<Self, StoreError> {
        let order = &step.order;
        let version = order.version();
        let count = u64::try_from(step.events.len()).unwrap_or(u64::MAX);
        let expected = version.saturating_sub(count);
        let in_a_row = step
            .events
            .iter()
            .zip(expected + 1..)
            .all(|(event, version)| event.version == version);
        if !in_a_row || count > version {
            let why = "the events of a step must be those that its order ends with";
            return Err(StoreError::Refused(why.to_owned()));
        }
        let unwritable = |error: record::RecordError| StoreError::Refused(error.to_string());
        let record = record::encode(&step.events).map_err(unwritable)?;
        let new: Vec<u32> = begun(step).map(|(index, ..)| index).collect();
        let mut numbers: Vec<_> = (0..)
            .zip(order.attempts())
            .map(|(index, it)| (index, it.number(), it.provider().clone()))
            .collect();
        numbers.sort_by_key(|(index, ..)| new.contains(index));
        let begun = numbers.len() - numbers.iter().filter(|it| new.contains(&it.0)).count();
        let notices = step.notices.iter().map(|notice| {
            let what = record::state_text(notice.state);
            (notice.version, "notice", what)
        });
        let alarms = step.alarms.iter().map(|alarm| {
            let what = record::alarm_text(*alarm);
            (version, "alarm", what)
        });
        Ok(Self {
            key,
            lease,
            expected,
            record: (!step.events.is_empty()).then_some(record),
            state: order.state(),
            version,
            due: order.due(),
            numbers,
            begun,
            messages: notices.chain(alarms).collect(),
            at: step
                .events
                .last()
                .map_or(WallTime::from_millis(0), |it| it.at.wall),
            heard: None,
        })
    }

    /// The same, made by this callback.
    pub(super) fn heard(self, callback: u64) -> Self {
        Self {
            heard: Some(callback),
            ..self
        }
    }

    /// The provider of its newest attempt.
    fn sent_by(&self) -> &str {
        let newest = self.numbers.iter().max_by_key(|(index, ..)| index);
        newest.map_or("", |(.., provider)| provider.as_str())
    }

    /// Keeps the row of the order in step. An index is touched only when its column changes.
    fn update(&self, batch: &Batch<'_>, was: &Was) -> rusqlite::Result<()> {
        let (key, version) = (sql(self.key), signed(self.version));
        let due = self.due.map(WallTime::millis);
        let (name, reason) = state(self.state);
        let open = !self.state.is_end();
        let (moved, ended) = (self.state != was.state, open == was.state.is_end());
        let sql = |sql| batch.prepare(sql);
        if self.sent_by() != was.sent_by {
            sql("UPDATE orders SET sent_by = ?2 WHERE key = ?1")?.execute((key, self.sent_by()))?;
        }
        match (moved, ended, due != was.due) {
            (false, _, false) => {
                sql("UPDATE orders SET version = ?2 WHERE key = ?1")?.execute((key, version))
            }
            (false, _, true) => sql("UPDATE orders SET version = ?2, due = ?3 WHERE key = ?1")?
                .execute((key, version, due)),
            (true, false, false) => {
                sql("UPDATE orders SET version = ?2, state = ?3, reason = ?4 WHERE key = ?1")?
                    .execute((key, version, name, reason))
            }
            (true, false, true) => sql(
                "UPDATE orders SET version = ?2, state = ?3, reason = ?4, due = ?5 WHERE key = ?1",
            )?
            .execute((key, version, name, reason, due)),
            (true, true, _) => sql(
                "UPDATE orders SET version = ?2, state = ?3, reason = ?4, due = ?5, open = ?6
                 WHERE key = ?1",
            )?
            .execute((key, version, name, reason, due, open)),
        }?;
        Ok(())
    }

    /// Keeps the numbers that a callback may name.
    fn keep_numbers(&self, batch: &Batch<'_>, was: &Was) -> rusqlite::Result<()> {
        let asked = match (was.due.is_some(), self.due.is_some()) {
            (true, true) => self.numbers.get(self.begun..),
            (false, true) => Some(self.numbers.as_slice()),
            (true, false) => {
                for (_, number, provider) in &self.numbers {
                    batch
                        .prepare(
                            "DELETE FROM asked WHERE number = ?1 AND provider = ?2 AND key = ?3",
                        )?
                        .execute((number.as_str(), provider.as_str(), sql(self.key)))?;
                }
                None
            }
            (false, false) => None,
        };
        for (index, number, provider) in asked.unwrap_or_default() {
            batch
                .prepare(
                    "INSERT INTO asked (number, provider, key, attempt) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET key = excluded.key, attempt = excluded.attempt",
                )?
                .execute((number.as_str(), provider.as_str(), sql(self.key), index))?;
        }
        Ok(())
    }
}

/// The row of the order before the step.
struct Was {
    version: u64,
    state: OrderState,
    due: Option<i64>,
    sent_by: String,
}

impl Op for Append {
    type Outcome = Result<(), AppendError>;

    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<Self::Outcome> {
        let was = batch
            .prepare("SELECT version, state, reason, due, sent_by FROM orders WHERE key = ?1")?
            .query_row([sql(self.key)], |row| {
                let name = row.get_ref(1)?.as_str().map_err(super::value::nonsense)?;
                let reason = row.get_ref(2)?.as_str_or_null();
                Ok(Was {
                    version: unsigned(row.get(0)?),
                    state: state_of(name, reason.map_err(super::value::nonsense)?)?,
                    due: row.get(3)?,
                    sent_by: row.get(4)?,
                })
            })
            .optional()?;
        let Some(was) = was else {
            return Ok(Err(AppendError::NoSuchOrder));
        };
        if let Some(lease) = self.lease
            && !batch.is_held_under(self.key, lease)
        {
            return Ok(Err(AppendError::LeaseLost));
        }
        if was.version != self.expected {
            let found = was.version;
            return Ok(Err(AppendError::Version { found }));
        }
        if let Some(record) = &self.record {
            batch
                .prepare("INSERT INTO log (key, first, record) VALUES (?1, ?2, ?3)")?
                .execute((sql(self.key), signed(self.expected + 1), record))?;
            self.update(batch, &was)?;
            self.keep_numbers(batch, &was)?;
        }
        for (version, kind, what) in &self.messages {
            let id = batch.next_message()?;
            batch
                .prepare(
                    "INSERT INTO outbox (id, key, version, kind, what, since, next)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                )?
                .execute(params![
                    id,
                    sql(self.key),
                    signed(*version),
                    kind,
                    what,
                    self.at.millis()
                ])?;
        }
        if let Some(callback) = self.heard {
            Handled(callback).apply(batch)?;
        }
        // Without a record the row stays as it is, and so must what is counted.
        let to = self
            .record
            .as_ref()
            .map_or(&*was.sent_by, |_| self.sent_by());
        if (self.state, to) != (was.state, &*was.sent_by) {
            batch.count(was.state, &was.sent_by, -1);
            batch.count(self.state, to, 1);
        }
        if self.due.map(WallTime::millis) != was.due {
            batch.due(self.key, self.version, self.due);
        }
        Ok(Ok(()))
    }
}
