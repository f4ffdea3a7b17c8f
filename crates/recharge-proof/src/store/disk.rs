//! What is on the disk, and what a backup leaves of it.

use std::collections::BTreeSet;

use recharge_core::OrderId;
use recharge_engine::MemoryStore;
use recharge_engine::store::OrderKey;

/// What is durable, and what is locked by what waits to be.
pub(crate) struct Disk {
    pub(crate) memory: MemoryStore,
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
            locked: BTreeSet::new(),
            restored: 0,
        }
    }

    /// A backup made after so many writes, put back.
    pub(crate) fn restore(&mut self, writes: usize) {
        self.memory = self.memory.restored_from(writes);
        self.locked.clear();
        self.restored += 1;
    }

    /// How often a backup was put back.
    pub(crate) const fn backups(&self) -> u32 {
        self.restored
    }
}
