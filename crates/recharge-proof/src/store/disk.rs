//! What is on the disk, and what a crash leaves of it.

use std::collections::{BTreeMap, BTreeSet};

use recharge_core::OrderId;
use recharge_engine::store::{Filter, OrderKey, Store, Stored};
use recharge_engine::{MemoryStore, StoreError};

use super::at_once;

/// What is durable, and what waits to be.
pub(crate) struct Disk {
    pub(crate) memory: MemoryStore,
    /// How many of its writes a crash leaves.
    synced: usize,
    /// What commits that hang keep locked.
    pub(super) locked: BTreeSet<Locked>,
    /// How often a backup was put back: what hung before that never lands.
    restored: u32,
}

/// What a commit locks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Locked {
    Order(OrderKey),
    Name(OrderId),
}

impl Disk {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self {
            memory: MemoryStore::new(key),
            synced: 0,
            locked: BTreeSet::new(),
            restored: 0,
        }
    }

    /// What a crash leaves.
    pub(crate) fn crash(&mut self) {
        if self.synced < self.memory.writes() {
            self.memory = self.memory.crashed_after(self.synced);
        }
    }

    /// A backup made after so many writes, put back.
    pub(crate) fn restore(&mut self, writes: usize) {
        self.memory = self.memory.restored_from(writes);
        self.synced = self.memory.writes();
        self.locked.clear();
        self.restored += 1;
    }

    /// Every order that is there, with its version.
    pub(crate) fn versions(&self) -> BTreeMap<OrderId, u64> {
        let filter = Filter::default();
        let all: Result<_, StoreError> = at_once(self.memory.list(&filter, None, usize::MAX));
        let name = |stored: Stored| {
            let order_id = stored.order.what().order_id.clone();
            (order_id, stored.order.version())
        };
        all.unwrap_or_default().into_iter().map(name).collect()
    }

    /// How often a backup was put back.
    pub(crate) const fn backups(&self) -> u32 {
        self.restored
    }

    pub(super) fn sync(&mut self) {
        self.synced = self.memory.writes();
    }
}
