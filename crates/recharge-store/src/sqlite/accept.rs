//! An order is taken, or something stands in its way.

use recharge_core::{Carrier, MerchantId, OrderId, OrderState, ProviderId};
use recharge_engine::store::{AccountLimit, AccountLimits, Guards, Lease, OrderKey};
use recharge_engine::{AcceptError, Acceptance, NewOrder, ReplyTo};
use rusqlite::{OptionalExtension, Row, params};

use super::batch::Batch;
use super::claims::Grant;
use super::value::{moment, nonsense, signed, state, state_of, unsigned};
use super::writer::Op;

/// Takes an order.
#[derive(Debug)]
pub(super) struct Accept {
    pub(super) acceptance: Acceptance,
    pub(super) guards: Guards,
    pub(super) lease: Option<Lease>,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Taken {
    /// It is new, and claimed if that was wanted.
    New(OrderKey, Option<Grant>),
    /// It has been taken before.
    Known(OrderKey),
    /// It isn't.
    Refused(AcceptError),
}

impl Op for Accept {
    type Outcome = Taken;

    fn apply(&self, batch: &mut Batch<'_>) -> rusqlite::Result<Taken> {
        // Most orders are new and harmless, so whether one is known is only looked at where something stands in
        // its way: a guard, or its name.
        if let Some(refusal) = self.guarded(batch)? {
            let known = self.known(batch)?;
            return Ok(known.unwrap_or(Taken::Refused(refusal)));
        }
        let Acceptance { what, at, held } = &self.acceptance;
        let (accepted, epoch, monotonic) = moment(*at);
        let (pending, _) = state(OrderState::INITIAL);
        let inserted = batch
            .prepare(
                "INSERT INTO orders (merchant, order_id, kind, account, yuan, carrier, provider,
                     accepted, epoch, monotonic, held, state, version, due, open, reply_to)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, ?8, 1,
                     ?13)
                 ON CONFLICT (merchant, order_id) DO NOTHING",
            )?
            .execute(params![
                what.merchant.as_str(),
                what.order_id.as_str(),
                what.account.kind().as_str(),
                what.account.as_str(),
                what.amount.yuan(),
                what.carrier.map(Carrier::as_str),
                what.provider.as_ref().map(ProviderId::as_str),
                accepted,
                epoch,
                monotonic,
                held,
                pending,
                what.reply_to.as_ref().map(ReplyTo::as_str),
            ])?;
        if inserted == 0 {
            let known = self.known(batch)?;
            return known.ok_or_else(|| nonsense("an order is in the way that isn't there"));
        }
        let key = OrderKey(unsigned(batch.connection().last_insert_rowid()));
        batch.count(OrderState::INITIAL, "", 1);
        let due = at.wall;
        let grant = self.lease.and_then(|it| batch.claim_new(it, key, due));
        batch.due(key, 0, Some(due));
        Ok(Taken::New(key, grant))
    }
}

impl Accept {
    /// What is answered if there is an order of that name: it has been taken, or its content is another.
    fn known(&self, batch: &Batch<'_>) -> rusqlite::Result<Option<Taken>> {
        let NewOrder {
            merchant,
            order_id,
            account,
            amount,
            carrier,
            provider,
            reply_to,
            ..
        } = &self.acceptance.what;
        let same = |row: &Row<'_>| -> rusqlite::Result<bool> {
            let text = |at| row.get_ref(at)?.as_str_or_null().map_err(nonsense);
            Ok(text(1)? == Some(account.kind().as_str())
                && text(2)? == Some(account.as_str())
                && row.get::<_, u32>(3)? == amount.yuan()
                && text(4)? == carrier.map(Carrier::as_str)
                && text(5)? == provider.as_ref().map(ProviderId::as_str)
                && text(6)? == reply_to.as_ref().map(ReplyTo::as_str))
        };
        batch
            .prepare(
                "SELECT key, kind, account, yuan, carrier, provider, reply_to
                 FROM orders WHERE merchant = ?1 AND order_id = ?2",
            )?
            .query_row((merchant.as_str(), order_id.as_str()), |row| {
                let key = OrderKey(unsigned(row.get(0)?));
                Ok(if same(row)? {
                    Taken::Known(key)
                } else {
                    Taken::Refused(AcceptError::Conflict)
                })
            })
            .optional()
    }

    fn guarded(&self, batch: &Batch<'_>) -> rusqlite::Result<Option<AcceptError>> {
        if let Some(since) = self.guards.duplicate_since {
            let what = &self.acceptance.what;
            let twin = batch
                .prepare(
                    "SELECT order_id, state, reason, merchant FROM orders
                     WHERE account = ?1 AND accepted >= ?2 AND kind = ?3 AND yuan = ?4
                       AND state <> 'failed'
                     ORDER BY accepted DESC LIMIT 1",
                )?
                .query_row(
                    params![
                        what.account.as_str(),
                        since.millis(),
                        what.account.kind().as_str(),
                        what.amount.yuan()
                    ],
                    |row| {
                        let id = row.get_ref(0)?.as_str().map_err(nonsense)?;
                        let merchant = row.get_ref(3)?.as_str().map_err(nonsense)?;
                        Ok(AcceptError::Duplicate {
                            merchant: MerchantId::parse(merchant).map_err(nonsense)?,
                            order_id: OrderId::parse(id).map_err(nonsense)?,
                            state: state_of(
                                &row.get::<_, String>(1)?,
                                row.get::<_, Option<String>>(2)?.as_deref(),
                            )?,
                        })
                    },
                )
                .optional()?;
            if twin.is_some() {
                return Ok(twin);
            }
        }
        match self.guards.account {
            Some(limits) => self.limited(batch, limits),
            None => Ok(None),
        }
    }

    fn limited(
        &self,
        batch: &Batch<'_>,
        limits: AccountLimits,
    ) -> rusqlite::Result<Option<AcceptError>> {
        let what = &self.acceptance.what;
        let (orders, yuan): (i64, i64) = batch
            .prepare(
                "SELECT count(*), coalesce(sum(yuan), 0) FROM orders
                 WHERE account = ?1 AND accepted >= ?2 AND kind = ?3 AND state <> 'failed'",
            )?
            .query_row(
                params![
                    what.account.as_str(),
                    limits.since.millis(),
                    what.account.kind().as_str()
                ],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
        let reached = |limit, had| {
            let had = unsigned(had);
            Some(AcceptError::AccountLimit { limit, had })
        };
        if let Some(most) = limits.orders
            && orders >= i64::from(most)
        {
            return Ok(reached(AccountLimit::Orders(most), orders));
        }
        if let Some(most) = limits.yuan
            && yuan.saturating_add(i64::from(what.amount.yuan())) > i64::from(most)
        {
            return Ok(reached(AccountLimit::Yuan(most), yuan));
        }
        Ok(None)
    }
}

/// The key of an order as SQL has it.
pub(super) fn sql(key: OrderKey) -> i64 {
    signed(key.0)
}
