//! The contract of [`Store`], in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use recharge_core::{MerchantId, OrderId, OrderState};

use super::{Entry, MemoryStore, damaged};
use crate::record;
use crate::store::{
    Accepted, Brief, Delivery, Filter, Guards, InboxEntry, KeptCallback, Lease, Message, OrderKey,
    Session, Statistics, Store, Stored, Told,
};
use crate::{
    AcceptError, Acceptance, AppendError, Epoch, NumberKey, Order, Recorded, Step, StoreError,
    WallTime,
};

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self) -> Result<Session, StoreError> {
        let mut books = self.lock();
        books.write(Entry::Begin)?;
        Ok(Session {
            lease: Lease(books.state.lease),
            epoch: Epoch(books.state.epoch),
            numbers: NumberKey::new(books.key),
            hold: books.state.hold,
        })
    }

    async fn next_epoch(&self, lease: Lease) -> Result<Option<Epoch>, StoreError> {
        let mut books = self.lock();
        if !books.state.present(lease) {
            return Ok(None);
        }
        books.write(Entry::NextEpoch)?;
        Ok(Some(Epoch(books.state.epoch)))
    }

    async fn accept(
        &self,
        acceptance: Acceptance,
        guards: Guards,
        lease: Option<Lease>,
    ) -> Result<Accepted, AcceptError> {
        let mut books = self.lock();
        let what = &acceptance.what;
        let name = (what.merchant.clone(), what.order_id.clone());
        if let Some(key) = books.state.by_name.get(&name)
            && let Some(stored) = books.state.stored(*key)
        {
            return if stored.order.what() == what {
                Ok(Accepted { stored, new: false })
            } else {
                Err(AcceptError::Conflict)
            };
        }
        books.state.guard(what, guards)?;
        books.write(Entry::Accept(acceptance))?;
        let key = OrderKey(books.state.orders.len() as u64);
        if let Some(lease) = lease.filter(|lease| books.state.present(*lease)) {
            books.state.take(lease, key);
        }
        match books.state.stored(key) {
            Some(stored) => Ok(Accepted { stored, new: true }),
            None => Err(damaged("an order that was just accepted is gone").into()),
        }
    }

    async fn claim_due(
        &self,
        lease: Lease,
        now: WallTime,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut books = self.lock();
        if !books.state.present(lease) {
            return Ok(Vec::new());
        }
        let due: Vec<_> = books
            .state
            .free
            .iter()
            .take_while(|(due, _)| *due <= now)
            .take(limit)
            .map(|(_, key)| *key)
            .collect();
        Ok(due
            .into_iter()
            .filter_map(|key| books.state.take(lease, key))
            .collect())
    }

    async fn claim(&self, lease: Lease, key: OrderKey) -> Result<Option<Stored>, AppendError> {
        let mut books = self.lock();
        if books.state.kept(key).is_none() {
            return Err(AppendError::NoSuchOrder);
        }
        if !books.state.present(lease) {
            return Err(AppendError::LeaseLost);
        }
        if books.state.claims.contains_key(&key) {
            return Ok(None);
        }
        Ok(books.state.take(lease, key))
    }

    async fn release(&self, lease: Lease, keys: &[OrderKey]) -> Result<(), StoreError> {
        let mut books = self.lock();
        for key in keys {
            if books.state.claims.get(key) == Some(&lease) {
                books.state.claims.remove(key);
                books.state.free(*key);
            }
        }
        Ok(())
    }

    async fn next_due(&self) -> Result<Option<WallTime>, StoreError> {
        Ok(self.lock().state.free.first().map(|(due, _)| *due))
    }

    async fn append(
        &self,
        key: OrderKey,
        lease: Option<Lease>,
        step: &Step,
    ) -> Result<(), AppendError> {
        let mut books = self.lock();
        let Some(kept) = books.state.kept(key) else {
            return Err(AppendError::NoSuchOrder);
        };
        if lease.is_some_and(|lease| {
            !books.state.present(lease) || books.state.claims.get(&key) != Some(&lease)
        }) {
            return Err(AppendError::LeaseLost);
        }
        let found = kept.order.version();
        let Some(first) = step.events.first() else {
            return Ok(());
        };
        if first.version != found + 1 {
            return Err(AppendError::Version { found });
        }
        let notices = step.notices.iter().copied().map(Told::Notice);
        let alarms = step.alarms.iter().map(|alarm| Told::Alarm {
            version: step.order.version(),
            alarm: *alarm,
        });
        books.write(Entry::Append {
            key,
            record: record::encode(&step.events)
                .map_err(|error| StoreError::Refused(error.to_string()))?,
            told: notices.chain(alarms).collect(),
            at: step.events.last().unwrap_or(first).at.wall,
        })?;
        Ok(())
    }

    async fn read(&self, key: OrderKey) -> Result<Option<Stored>, StoreError> {
        Ok(self.lock().state.stored(key))
    }

    async fn find(
        &self,
        merchant: &MerchantId,
        order_id: &OrderId,
    ) -> Result<Option<OrderKey>, StoreError> {
        let name = (merchant.clone(), order_id.clone());
        Ok(self.lock().state.by_name.get(&name).copied())
    }

    async fn log(&self, key: OrderKey) -> Result<Vec<Recorded>, StoreError> {
        let books = self.lock();
        let kept = books.state.kept(key);
        Ok(kept.map(|kept| kept.log.clone()).unwrap_or_default())
    }

    async fn list(
        &self,
        filter: &Filter,
        before: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let books = self.lock();
        let place = |key| Some((books.state.kept(key)?.order.accepted().wall, key));
        let last = before.and_then(place);
        let wanted = |(key, order): &(OrderKey, &Order)| {
            last.is_none_or(|last| (order.accepted().wall, *key) < last) && filter.passes(order)
        };
        let stored = |(key, order): (OrderKey, &Order)| Stored {
            key,
            order: order.clone(),
        };
        let mut found: Vec<_> = books.state.keys().filter(wanted).collect();
        found.sort_by_key(|(key, order)| Reverse((order.accepted().wall, *key)));
        Ok(found.into_iter().take(limit).map(stored).collect())
    }

    async fn count(&self, filter: &Filter) -> Result<Vec<(&'static str, u64)>, StoreError> {
        let books = self.lock();
        let mut counted: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (_, order) in books.state.keys().filter(|(_, order)| filter.passes(order)) {
            *counted.entry(order.state().as_str()).or_default() += 1;
        }
        Ok(counted.into_iter().collect())
    }

    async fn survey(
        &self,
        beyond: WallTime,
        after: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Brief>, StoreError> {
        let books = self.lock();
        Ok(books
            .state
            .keys()
            .filter(|(key, order)| {
                after.is_none_or(|after| *key > after)
                    && (!order.state().is_end() || order.due().is_some_and(|due| due > beyond))
            })
            .take(limit)
            .map(|(key, order)| Brief {
                key,
                state: order.state(),
                due: order.due(),
            })
            .collect())
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.lock().write(Entry::Nothing)
    }

    async fn statistics(&self) -> Result<Statistics, StoreError> {
        let books = self.lock();
        let mut orders: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut by_provider: BTreeMap<_, u64> = BTreeMap::new();
        for (_, order) in books.state.keys() {
            let (state, newest) = (order.state().as_str(), order.attempts().last());
            *orders.entry(state).or_default() += 1;
            let provider = newest.map(|attempt| attempt.provider().clone());
            *by_provider.entry((state, provider)).or_default() += 1;
        }
        let oldest = |which: fn(&Order) -> bool| {
            let mut orders = books.state.keys().map(|(_, order)| order);
            let found = orders.find(|order| which(order));
            found.map(|order| order.accepted().wall)
        };
        let messages = &books.state.messages;
        let given_up = messages.values().filter(|it| it.delivery.next.is_none());
        Ok(Statistics {
            orders: orders.into_iter().collect(),
            by_provider: by_provider
                .into_iter()
                .map(|((state, provider), n)| (state, provider, n))
                .collect(),
            messages: messages.len() as u64,
            given_up: given_up.count() as u64,
            oldest_open: oldest(|order| !order.is_at_rest()),
            oldest_unknown: oldest(|order| order.state() == OrderState::Unknown),
            oldest_review: oldest(|order| matches!(order.state(), OrderState::Review(_))),
        })
    }

    async fn keep_callback(
        &self,
        callback: KeptCallback,
        _at: WallTime,
    ) -> Result<InboxEntry, StoreError> {
        let mut books = self.lock();
        let known = books.state.callbacks.iter().position(|(kept, _)| {
            (
                &kept.provider,
                &kept.number,
                &kept.upstream_order_id,
                kept.claims,
            ) == (
                &callback.provider,
                &callback.number,
                &callback.upstream_order_id,
                callback.claims,
            )
        });
        let id = if let Some(at) = known {
            at as u64 + 1
        } else {
            books.write(Entry::Callback(callback))?;
            books.state.callbacks.len() as u64
        };
        books
            .state
            .inbox(id, known.is_some())
            .ok_or_else(|| damaged("a callback that was just kept is gone"))
    }

    async fn unhandled(&self, limit: usize) -> Result<Vec<InboxEntry>, StoreError> {
        let books = self.lock();
        let open = books.state.callbacks.iter().enumerate();
        Ok(open
            .filter(|(_, (_, handled))| !handled)
            .filter_map(|(at, _)| books.state.inbox(at as u64 + 1, false))
            .filter(|entry| entry.whose.is_some())
            .take(limit)
            .collect())
    }

    async fn handled(&self, id: u64) -> Result<(), StoreError> {
        self.lock().write(Entry::Handled(id))
    }

    async fn messages(&self, after: u64, limit: usize) -> Result<Vec<Message>, StoreError> {
        let books = self.lock();
        let waiting = books.state.messages.range(after.saturating_add(1)..);
        Ok(waiting.take(limit).map(|(_, m)| m.clone()).collect())
    }

    async fn messages_due(&self, now: WallTime, limit: usize) -> Result<Vec<Message>, StoreError> {
        let books = self.lock();
        let mut due: Vec<_> = books
            .state
            .first_messages()
            .filter(|(next, _)| *next <= now)
            .collect();
        due.sort_by_key(|(next, message)| (*next, message.id));
        let due = due.into_iter().take(limit);
        Ok(due.map(|(_, message)| message.clone()).collect())
    }

    async fn next_message(&self) -> Result<Option<WallTime>, StoreError> {
        let books = self.lock();
        Ok(books.state.first_messages().map(|(next, _)| next).min())
    }

    async fn put_off(&self, id: u64, delivery: Delivery) -> Result<(), StoreError> {
        self.lock().write(Entry::PutOff(id, delivery))
    }

    async fn delivered(&self, ids: &[u64]) -> Result<(), StoreError> {
        self.lock().write(Entry::Delivered(ids.to_vec()))
    }

    async fn set_hold(&self, left: Option<Duration>) -> Result<(), StoreError> {
        self.lock().write(Entry::Hold(left))
    }
}
