//! The small things that are written: leases, epochs, holds, callbacks, and what was delivered.

use std::time::Duration;

use recharge_engine::store::{Delivery, Hold, KeptCallback, Lease, OrderKey, Session};
use recharge_engine::{Epoch, NumberKey, WallTime};
use rusqlite::{OptionalExtension, params};

use super::batch::Batch;
use super::value::{signed, unsigned};
use super::writer::Op;

/// A worker begins. Alone in its transaction, so that nothing before it is judged by the new lease.
#[derive(Debug)]
pub(super) struct Begin;

impl Op for Begin {
    type Outcome = Session;
    const ALONE: bool = true;

    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<Session> {
        let session = batch
            .prepare(
                "UPDATE meta SET lease = lease + 1, epoch = epoch + 1
                 RETURNING lease, epoch, numbers, restored, hold_left",
            )?
            .query_row([], |row| {
                let left: Option<i64> = row.get(4)?;
                let hold = match (row.get(3)?, left) {
                    (true, _) => Some(Hold::Restored),
                    (false, left) => {
                        left.map(|left| Hold::For(Duration::from_millis(unsigned(left))))
                    }
                };
                Ok(Session {
                    lease: Lease(unsigned(row.get(0)?)),
                    epoch: Epoch(unsigned(row.get(1)?)),
                    numbers: NumberKey::new(row.get(2)?),
                    hold,
                })
            })?;
        batch.begun(session.lease);
        Ok(session)
    }
}

/// The next epoch.
#[derive(Debug)]
pub(super) struct NextEpoch(pub(super) Lease);

impl Op for NextEpoch {
    type Outcome = Option<Epoch>;

    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<Option<Epoch>> {
        batch
            .prepare("UPDATE meta SET epoch = epoch + 1 WHERE lease = ?1 RETURNING epoch")?
            .query_row([signed(self.0.0)], |row| Ok(Epoch(unsigned(row.get(0)?))))
            .optional()
    }
}

/// The hold of a restored backup has got so far.
#[derive(Debug)]
pub(super) struct SetHold(pub(super) Option<Duration>);

impl Op for SetHold {
    type Outcome = ();

    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        batch
            .prepare("UPDATE meta SET restored = 0, hold_left = ?1")?
            .execute([self
                .0
                .map(|left| i64::try_from(left.as_millis()).unwrap_or(i64::MAX))])?;
        Ok(())
    }
}

/// A page is written as it was.
#[derive(Debug)]
pub(super) struct Probe;

impl Op for Probe {
    type Outcome = ();

    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        batch
            .prepare("UPDATE meta SET settled = settled")?
            .execute([])?;
        Ok(())
    }
}

/// A callback is kept.
#[derive(Debug)]
pub(super) struct Keep {
    pub(super) callback: KeptCallback,
    pub(super) at: WallTime,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) id: u64,
    pub(super) whose: Option<(OrderKey, u32)>,
    pub(super) again: bool,
}

impl Op for Keep {
    type Outcome = Kept;

    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<Kept> {
        let KeptCallback {
            provider,
            number,
            upstream_order_id,
            claims,
            covers_state,
            ..
        } = &self.callback;
        let upstream = upstream_order_id.as_ref().map_or("", |id| id.as_str());
        let claims = claims.map_or("", |state| state.as_str());
        let whose: Option<(i64, u32)> = batch
            .prepare("SELECT key, attempt FROM asked WHERE number = ?1 AND provider = ?2")?
            .query_row((number, provider.as_str()), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let (key, attempt) = whose.unzip();
        let inserted = batch
            .prepare(
                "INSERT INTO inbox (provider, number, upstream_order_id, claims,
                     covers_state, at, key, attempt, handled)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)
                 ON CONFLICT (number, provider, upstream_order_id, claims) DO NOTHING",
            )?
            .execute(params![
                provider.as_str(),
                number,
                upstream,
                claims,
                covers_state,
                self.at.millis(),
                key,
                attempt
            ])?;
        let again = inserted == 0;
        let id = if again {
            // It may have been nobody's when it first came.
            batch
                .prepare(
                    "UPDATE inbox SET key = coalesce(key, ?5), attempt = iif(key IS NULL, ?6, attempt)
                     WHERE number = ?1 AND provider = ?2 AND upstream_order_id = ?3 AND claims = ?4
                     RETURNING id",
                )?
                .query_row(
                    params![number, provider.as_str(), upstream, claims, key, attempt],
                    |row| row.get(0),
                )?
        } else {
            batch.connection().last_insert_rowid()
        };
        Ok(Kept {
            id: unsigned(id),
            whose: whose.map(|(key, attempt)| (OrderKey(unsigned(key)), attempt)),
            again,
        })
    }
}

/// The order has heard of a callback.
#[derive(Debug)]
pub(super) struct Handled(pub(super) u64);

impl Op for Handled {
    type Outcome = ();

    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        batch
            .prepare("UPDATE inbox SET handled = 1 WHERE id = ?1")?
            .execute([signed(self.0)])?;
        Ok(())
    }
}

/// The delivery of a message stands so.
#[derive(Debug)]
pub(super) struct PutOff(pub(super) u64, pub(super) Delivery);

impl Op for PutOff {
    type Outcome = ();

    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        let Self(
            id,
            Delivery {
                tries,
                next,
                trouble,
            },
        ) = self;
        let trouble: Option<String> = trouble.as_ref().map(|it| it.chars().take(200).collect());
        batch
            .prepare("UPDATE outbox SET tries = ?2, next = ?3, trouble = ?4 WHERE id = ?1")?
            .execute(params![
                signed(*id),
                tries,
                next.map(WallTime::millis),
                trouble
            ])?;
        Ok(())
    }
}

/// Messages have been delivered.
#[derive(Debug)]
pub(super) struct Delivered(pub(super) Vec<u64>);

impl Op for Delivered {
    type Outcome = ();

    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        let mut delete = batch.prepare("DELETE FROM outbox WHERE id = ?1")?;
        for id in &self.0 {
            delete.execute([signed(*id)])?;
        }
        Ok(())
    }
}

/// For tests: how many pages the file may have, as on a full disk.
#[cfg(feature = "test-util")]
#[derive(Debug)]
pub(super) struct LimitPages(pub(super) Option<u32>);

#[cfg(feature = "test-util")]
impl Op for LimitPages {
    type Outcome = ();

    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<()> {
        let most = self.0.unwrap_or(u32::MAX - 1);
        let pragma = format!("PRAGMA max_page_count = {most}");
        batch.connection().query_row(&pragma, [], |_| Ok(()))
    }
}
