//! The orders that are kept in memory while they wait.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};

use super::core::{Core, Held, lock};
use crate::Order;
use crate::store::OrderKey;

impl Core {
    /// Keeps a claimed order at hand.
    pub(super) fn keep(&self, key: OrderKey, order: Order) -> Arc<Held> {
        let fresh = || {
            Arc::new(Held {
                key,
                order: tokio::sync::Mutex::new(order),
                seen_to: AtomicBool::new(false),
                stepped_in: AtomicU64::new(0),
                asked_by_people: Mutex::default(),
            })
        };
        lock(&self.held).entry(key).or_insert_with(fresh).clone()
    }

    pub(super) fn at_hand(&self, key: OrderKey) -> Option<Arc<Held>> {
        lock(&self.held).get(&key).cloned()
    }

    /// Lets go of an order that nobody else uses, which may be waiting at a gate.
    pub(super) fn let_go(&self, held: &Arc<Held>) -> bool {
        let mut orders = lock(&self.held);
        // This handle and the map's.
        let unused = Arc::strong_count(held) <= 2;
        if unused
            && orders
                .get(&held.key)
                .is_some_and(|it| Arc::ptr_eq(it, held))
        {
            orders.remove(&held.key);
        }
        unused
    }

    pub(super) fn crowded(&self) -> bool {
        lock(&self.held).len() >= self.at_hand
    }

    pub(super) fn half_full(&self) -> bool {
        lock(&self.held).len() > self.at_hand / 2
    }
}
