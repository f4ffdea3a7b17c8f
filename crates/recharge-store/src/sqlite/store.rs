//! The contract of [`Store`] on SQLite: what is asked of the writer, and what of the readers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use recharge_core::{MerchantId, OrderId};
use recharge_engine::store::{
    Accepted, Brief, Commits, Delivery, Filter, Guards, InboxEntry, KeptCallback, Lease, Message,
    OrderKey, Session, Statistics, Stored,
};
use recharge_engine::{
    AcceptError, Acceptance, AppendError, Epoch, Order, Recorded, Step, Store, StoreError, WallTime,
};

use super::accept::Taken;
use super::{Sqlite, accept, append, due, read, small, told, writer};

#[async_trait]
impl Store for Sqlite {
    async fn begin(&self) -> Result<Session, StoreError> {
        self.write(small::Begin).await
    }

    async fn next_epoch(&self, lease: Lease) -> Result<Option<Epoch>, StoreError> {
        self.write(small::NextEpoch(lease)).await
    }

    async fn accept(
        &self,
        acceptance: Acceptance,
        guards: Guards,
        lease: Option<Lease>,
    ) -> Result<Accepted, AcceptError> {
        let order = Order::accept(acceptance.clone());
        let op = accept::Accept {
            acceptance,
            guards,
            lease,
        };
        match self.write(op).await? {
            Taken::New(key, grant) => {
                if let Some(grant) = grant {
                    grant.keep();
                }
                let stored = Stored { key, order };
                Ok(Accepted { stored, new: true })
            }
            Taken::Known(key) => Ok(Accepted {
                stored: self.order(key).await?,
                new: false,
            }),
            Taken::Refused(refusal) => Err(refusal),
        }
    }

    async fn claim_due(
        &self,
        lease: Lease,
        now: WallTime,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        if self.writer.is_none() {
            return self.write(writer::Settle).await.map(|()| Vec::new());
        }
        let claims = Arc::clone(&self.shared.claims);
        let (orders, grant) = self
            .query(move |it| due::claim(it, &claims, lease, now, limit))
            .await?;
        grant.keep();
        Ok(orders)
    }

    async fn claim(&self, lease: Lease, key: OrderKey) -> Result<Option<Stored>, AppendError> {
        if self.writer.is_none() {
            self.write(writer::Settle).await?;
        }
        let claims = Arc::clone(&self.shared.claims);
        let claimed = self
            .query(move |it| due::claim_one(it, &claims, lease, key))
            .await?;
        Ok(claimed?.map(|(stored, grant)| {
            grant.keep();
            stored
        }))
    }

    async fn release(&self, lease: Lease, keys: &[OrderKey]) -> Result<(), StoreError> {
        self.shared.claims.lock().release(lease, keys);
        Ok(())
    }

    async fn next_due(&self) -> Result<Option<WallTime>, StoreError> {
        let claims = Arc::clone(&self.shared.claims);
        let alone = self.writer.is_some();
        self.query(move |it| due::next(it, &claims, alone)).await
    }

    async fn append(
        &self,
        key: OrderKey,
        lease: Option<Lease>,
        step: &Step,
    ) -> Result<(), AppendError> {
        self.write(append::Append::new(key, lease, step)?).await?
    }

    async fn append_heard(
        &self,
        key: OrderKey,
        step: &Step,
        callback: u64,
    ) -> Result<(), AppendError> {
        let append = append::Append::new(key, None, step)?.heard(callback);
        self.write(append).await?
    }

    async fn read(&self, key: OrderKey) -> Result<Option<Stored>, StoreError> {
        self.query(move |it| read::order(it, key)).await
    }

    async fn find(
        &self,
        merchant: &MerchantId,
        order_id: &OrderId,
    ) -> Result<Option<OrderKey>, StoreError> {
        let (merchant, order_id) = (merchant.clone(), order_id.clone());
        self.query(move |it| read::find(it, &merchant, &order_id))
            .await
    }

    async fn log(&self, key: OrderKey) -> Result<Vec<Recorded>, StoreError> {
        self.query(move |it| read::log(it, key)).await
    }

    async fn list(
        &self,
        filter: &Filter,
        before: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let filter = filter.clone();
        self.query(move |it| read::list(it, &filter, before, limit))
            .await
    }

    async fn count(&self, filter: &Filter) -> Result<Vec<(&'static str, u64)>, StoreError> {
        let filter = filter.clone();
        self.query(move |it| read::count(it, &filter)).await
    }

    async fn survey(
        &self,
        beyond: WallTime,
        after: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Brief>, StoreError> {
        self.query(move |it| read::survey(it, beyond, after, limit))
            .await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.write(small::Probe).await
    }

    async fn statistics(&self) -> Result<Statistics, StoreError> {
        self.query(read::statistics).await
    }

    fn commits(&self) -> Commits {
        self.shared.counts.read()
    }

    async fn keep_callback(
        &self,
        callback: KeptCallback,
        at: WallTime,
    ) -> Result<InboxEntry, StoreError> {
        let op = small::Keep {
            callback: callback.clone(),
            at,
        };
        let small::Kept { id, whose, again } = self.write(op).await?;
        Ok(InboxEntry {
            id,
            callback,
            whose,
            again,
        })
    }

    async fn unhandled(&self, limit: usize) -> Result<Vec<InboxEntry>, StoreError> {
        self.query(move |it| told::unhandled(it, limit)).await
    }

    async fn handled(&self, id: u64) -> Result<(), StoreError> {
        self.write(small::Handled(id)).await
    }

    async fn messages(&self, after: u64, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.query(move |it| told::messages(it, after, limit)).await
    }

    async fn messages_due(&self, now: WallTime, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.query(move |it| told::messages_due(it, now, limit))
            .await
    }

    async fn next_message(&self) -> Result<Option<WallTime>, StoreError> {
        self.query(told::next_message).await
    }

    async fn put_off(&self, id: u64, delivery: Delivery) -> Result<(), StoreError> {
        self.write(small::PutOff(id, delivery)).await
    }

    async fn delivered(&self, ids: &[u64]) -> Result<(), StoreError> {
        self.write(small::Delivered(ids.to_vec())).await
    }

    async fn set_hold(&self, left: Option<Duration>) -> Result<(), StoreError> {
        self.write(small::SetHold(left)).await
    }
}
