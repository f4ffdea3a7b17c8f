//! Where one merchant is told: looked up, and changed in part.

use recharge_core::MerchantId;
use recharge_engine::WallTime;
use rusqlite::{OptionalExtension, Row, params};

use super::{Endpoint, Registry, Result, error};

impl Registry {
    /// Where a merchant is told.
    pub fn endpoint(&self, merchant: &MerchantId) -> Result<Option<Endpoint>> {
        self.lock()
            .prepare_cached("SELECT url, secret, changed FROM endpoints WHERE merchant = ?1")
            .and_then(|mut it| {
                it.query_row([merchant.as_str()], |row| endpoint(merchant, row))
                    .optional()
            })
            .map_err(error)
    }

    /// Sets a merchant's address. Of the secret that is given one holds only if there was none before, which
    /// is what this answers: so of two that do this at once, one learns the secret.
    pub fn set_endpoint_url(&self, endpoint: &Endpoint) -> Result<bool> {
        self.change(|transaction| {
            let (merchant, changed) = (endpoint.merchant.as_str(), endpoint.changed.millis());
            let known = transaction
                .execute(
                    "UPDATE endpoints SET url = ?2, changed = ?3 WHERE merchant = ?1",
                    params![merchant, endpoint.url, changed],
                )
                .map_err(error)?;
            if known == 0 {
                transaction
                    .execute(
                        "INSERT INTO endpoints (merchant, url, secret, changed) VALUES (?1, ?2, ?3, ?4)",
                        params![merchant, endpoint.url, endpoint.secret, changed],
                    )
                    .map_err(error)?;
            }
            Ok(known == 0)
        })
    }

    /// Replaces a merchant's secret, and answers what holds from then on; `None` if there was none to be
    /// replaced. The address stays.
    pub fn set_endpoint_secret(
        &self,
        merchant: &MerchantId,
        secret: &[u8],
        changed: WallTime,
    ) -> Result<Option<Endpoint>> {
        self.change(|transaction| {
            transaction
                .query_row(
                    "UPDATE endpoints SET secret = ?2, changed = ?3 WHERE merchant = ?1
                     RETURNING url, secret, changed",
                    params![merchant.as_str(), secret, changed.millis()],
                    |row| endpoint(merchant, row),
                )
                .optional()
                .map_err(error)
        })
    }
}

fn endpoint(merchant: &MerchantId, row: &Row<'_>) -> rusqlite::Result<Endpoint> {
    Ok(Endpoint {
        merchant: merchant.clone(),
        url: row.get(0)?,
        secret: row.get(1)?,
        changed: WallTime::from_millis(row.get(2)?),
    })
}
