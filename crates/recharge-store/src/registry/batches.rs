//! Files of orders that were handed in, row by row.

use std::collections::BTreeMap;
use std::fmt;

use recharge_core::{MerchantId, OrderId};
use recharge_engine::WallTime;
use rusqlite::params;

use super::keys::merchant;
use super::{Registry, Result, error};
use crate::sqlite::nonsense;

/// An order as it is to be accepted, in the words of whoever accepts it. `Debug` shows none of them: they name
/// an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Ordered(pub String);

impl fmt::Debug for Ordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ordered(****)")
    }
}

/// A file of orders that is handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub merchant: MerchantId,
    /// When it was handed in.
    pub created: WallTime,
    /// The name of each order, and the order.
    pub rows: Vec<(OrderId, Ordered)>,
}

/// A file of orders, without its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBatch {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub merchant: MerchantId,
    /// When it was handed in.
    pub created: WallTime,
    /// When each of its orders had been accepted or refused.
    pub done: Option<WallTime>,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFate {
    /// Nothing yet: this is to be accepted.
    Waits(Ordered),
    /// It was accepted.
    Accepted,
    /// It was refused, for this reason.
    Refused(String),
}

/// How far a file is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchTally {
    /// How many orders it has.
    pub rows: u64,
    /// How many are still to be accepted.
    pub waiting: u64,
    /// How many were refused.
    pub refused: u64,
    /// How many accepted ones are in each state, by its name.
    pub orders: BTreeMap<String, u64>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRow {
    /// Its number: 1 for the first order of the file.
    pub row: u32,
    /// The order's name.
    pub order_id: OrderId,
    /// What became of it.
    pub fate: RowFate,
}

impl Registry {
    /// Keeps a file of orders, whole. From now on each of its orders will be accepted or refused.
    pub fn add_batch(&self, batch: &NewBatch) -> Result<()> {
        self.write(|transaction| {
            transaction
                .execute(
                    "INSERT INTO batches (id, merchant, created) VALUES (?1, ?2, ?3)",
                    (&batch.id, batch.merchant.as_str(), batch.created.millis()),
                )
                .map_err(error)?;
            let mut insert = transaction
                .prepare_cached(
                    "INSERT INTO batch_rows (batch, row, order_id, ordered) VALUES (?1, ?2, ?3, ?4)",
                )
                .map_err(error)?;
            for ((order_id, Ordered(ordered)), row) in batch.rows.iter().zip(1_u32..) {
                insert
                    .execute(params![batch.id, row, order_id.as_str(), ordered])
                    .map_err(error)?;
            }
            Ok(())
        })
    }

    /// The file of that name.
    pub fn batch(&self, id: &str) -> Result<Option<StoredBatch>> {
        let batches = self.batches_where("id = ?1", id, 1)?;
        Ok(batches.into_iter().next())
    }

    /// A merchant's files, the newest first.
    pub fn batches_of(&self, merchant: &MerchantId, limit: u32) -> Result<Vec<StoredBatch>> {
        self.batches_where("merchant = ?1", merchant.as_str(), limit)
    }

    /// Files of which some order is still to be accepted.
    pub fn open_batches(&self) -> Result<Vec<StoredBatch>> {
        self.batches_where("done IS NULL AND ?1 = ''", "", u32::MAX)
    }

    fn batches_where(&self, which: &str, value: &str, limit: u32) -> Result<Vec<StoredBatch>> {
        let sql = format!(
            "SELECT id, merchant, created, done FROM batches WHERE {which}
             ORDER BY created DESC, id LIMIT ?2"
        );
        self.lock()
            .prepare_cached(&sql)
            .and_then(|mut it| {
                let rows = it.query_map((value, limit), |row| {
                    Ok(StoredBatch {
                        id: row.get(0)?,
                        merchant: merchant(row, 1)?,
                        created: WallTime::from_millis(row.get(2)?),
                        done: row.get::<_, Option<i64>>(3)?.map(WallTime::from_millis),
                    })
                })?;
                rows.collect()
            })
            .map_err(error)
    }

    /// Up to `limit` rows of a file after this one, in order; from 0 the first ones.
    pub fn batch_rows(&self, id: &str, after: u32, limit: u32) -> Result<Vec<BatchRow>> {
        self.lock()
            .prepare_cached(
                "SELECT row, order_id, ordered, refused FROM batch_rows
                 WHERE batch = ?1 AND row > ?2 ORDER BY row LIMIT ?3",
            )
            .and_then(|mut it| {
                let rows = it.query_map((id, after, limit), |row| {
                    let order_id = row.get::<_, String>(1)?;
                    let fate = match (row.get(2)?, row.get(3)?) {
                        (Some(ordered), _) => RowFate::Waits(Ordered(ordered)),
                        (None, Some(why)) => RowFate::Refused(why),
                        (None, None) => RowFate::Accepted,
                    };
                    Ok(BatchRow {
                        row: row.get(0)?,
                        order_id: OrderId::parse(&order_id).map_err(nonsense)?,
                        fate,
                    })
                })?;
                rows.collect()
            })
            .map_err(error)
    }

    /// How far a file is.
    pub fn batch_tally(&self, batch: &StoredBatch) -> Result<BatchTally> {
        let counted = |(fate, state, n): (u8, Option<String>, u32), tally: &mut BatchTally| {
            let n = u64::from(n);
            tally.rows += n;
            match (fate, state) {
                (0, _) => tally.waiting += n,
                (1, _) => tally.refused += n,
                (_, Some(state)) => *tally.orders.entry(state).or_default() += n,
                // Accepted after the backup that has been put back was made.
                (_, None) => {}
            }
        };
        self.lock()
            .prepare_cached(
                "SELECT CASE WHEN r.ordered IS NOT NULL THEN 0 WHEN r.refused IS NOT NULL THEN 1 ELSE 2 END AS fate,
                        CASE WHEN r.ordered IS NULL AND r.refused IS NULL THEN o.state END AS state, count(*)
                 FROM batch_rows r LEFT JOIN orders o ON o.merchant = ?2 AND o.order_id = r.order_id
                 WHERE r.batch = ?1 GROUP BY 1, 2",
            )
            .and_then(|mut it| {
                let rows = it.query_map((&batch.id, batch.merchant.as_str()), |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?;
                let mut tally = BatchTally::default();
                for row in rows {
                    counted(row?, &mut tally);
                }
                Ok(tally)
            })
            .map_err(error)
    }

    /// Notes what became of rows; with a time, that the whole file is done.
    pub fn batch_went(
        &self,
        id: &str,
        rows: &[(u32, Option<String>)],
        done: Option<WallTime>,
    ) -> Result<()> {
        self.write(|transaction| {
            let mut update = transaction
                .prepare_cached(
                    "UPDATE batch_rows SET ordered = NULL, refused = ?3 WHERE batch = ?1 AND row = ?2",
                )
                .map_err(error)?;
            for (row, refused) in rows {
                update.execute(params![id, row, refused]).map_err(error)?;
            }
            if let Some(done) = done {
                transaction
                    .execute(
                        "UPDATE batches SET done = ?2 WHERE id = ?1",
                        (id, done.millis()),
                    )
                    .map_err(error)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_account() {
        let order_id = OrderId::parse("A1").unwrap();
        let ordered = Ordered(r#"{"account":"18900001234"}"#.to_owned());
        let batch = NewBatch {
            id: "b".to_owned(),
            merchant: MerchantId::local(),
            created: WallTime::from_millis(0),
            rows: vec![(order_id.clone(), ordered.clone())],
        };
        let row = BatchRow {
            row: 1,
            order_id,
            fate: RowFate::Waits(ordered),
        };
        for shown in [format!("{batch:?}"), format!("{row:?}")] {
            assert!(shown.contains("A1") && !shown.contains("1890"), "{shown}");
        }
    }
}
