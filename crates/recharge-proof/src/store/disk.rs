//! What is on the disk, what a crash leaves of it, and what a backup does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use recharge_engine::MemoryStore;
use recharge_engine::store::OrderKey;

use crate::lab::Lab;
use crate::order_name::OrderName;

/// What is written, how much of it is durable, and what is locked by what waits to be.
pub(crate) struct Disk {
    pub(crate) memory: MemoryStore,
    /// How many of its writes a crash leaves.
    synced: usize,
    /// What is written and not synced.
    unsynced: VecDeque<Unsynced>,
    /// What commits that hang keep locked, and until when.
    pub(super) locked: BTreeMap<Locked, Duration>,
    /// How often a backup was put back: what hung before that never lands.
    restored: u32,
}

/// A write that a crash takes.
struct Unsynced {
    /// How many writes there are with it.
    writes: usize,
    /// Whoever must hear of it once it is durable.
    told: Telling,
}

/// Says to the laboratory what has become durable.
type Telling = Box<dyn FnOnce(&Lab) + Send>;

/// What a commit locks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Locked {
    Order(OrderKey),
    Name(OrderName),
}

impl Disk {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self {
            memory: MemoryStore::new(key),
            synced: 0,
            unsynced: VecDeque::new(),
            locked: BTreeMap::new(),
            restored: 0,
        }
    }

    /// Something was written. Answers up to which write it takes a sync to make it durable.
    fn written(&mut self, told: Telling) -> usize {
        let writes = self.memory.writes();
        self.unsynced.push_back(Unsynced { writes, told });
        writes
    }

    /// Makes the first of these writes durable that is not, and answers who must hear of it; `None` when all
    /// are.
    fn sync_one(&mut self, writes: usize) -> Option<Telling> {
        let first = self.unsynced.pop_front_if(|it| it.writes <= writes)?;
        self.synced = self.synced.max(first.writes);
        Some(first.told)
    }

    /// What a crash leaves: nobody hears of what it takes.
    pub(crate) fn crash(&mut self) {
        self.unsynced.clear();
        if self.synced < self.memory.writes() {
            self.memory = self.memory.crashed_after(self.synced);
        }
    }

    /// A backup made after so many writes, put back.
    pub(crate) fn restore(&mut self, writes: usize) {
        self.memory = self.memory.restored_from(writes);
        self.synced = self.memory.writes();
        self.unsynced.clear();
        self.locked.clear();
        self.restored += 1;
    }

    /// How often a backup was put back.
    pub(crate) const fn backups(&self) -> u32 {
        self.restored
    }
}

/// Makes a write durable.
pub(super) fn land<T: Clone + Send + 'static, E>(
    lab: &Lab,
    what: impl Fn(&MemoryStore) -> Result<T, E>,
    told: impl Fn(&Lab, &T) + Send + 'static,
) -> Result<T, E> {
    let (done, writes) = write(lab, what, told);
    sync(lab, writes);
    done
}

/// Writes, and answers up to which write it takes a sync to make it durable.
pub(super) fn write<T: Clone + Send + 'static, E>(
    lab: &Lab,
    what: impl Fn(&MemoryStore) -> Result<T, E>,
    told: impl Fn(&Lab, &T) + Send + 'static,
) -> (Result<T, E>, usize) {
    let mut inner = lab.inner();
    let done = what(&inner.disk.memory);
    let writes = match &done {
        Ok(done) => {
            let done = done.clone();
            inner.disk.written(Box::new(move |lab| told(lab, &done)))
        }
        // What it was refused for may not be durable either.
        Err(_) => inner.disk.memory.writes(),
    };
    (done, writes)
}

/// Makes so many writes durable, in their order.
pub(super) fn sync(lab: &Lab, writes: usize) {
    while let Some(told) = {
        let mut inner = lab.inner();
        inner.disk.sync_one(writes)
    } {
        told(lab);
    }
}

#[cfg(test)]
mod tests {
    use recharge_engine::store::Session;
    use recharge_engine::{Store, StoreError};

    use super::*;
    use crate::store::at_once;

    fn writes(disk: &mut Disk) -> usize {
        let begun: Result<Session, StoreError> = at_once(disk.memory.begin());
        assert!(begun.is_ok());
        disk.written(Box::new(|_| {}))
    }

    #[test]
    fn a_crash_takes_what_is_not_synced() {
        let mut disk = Disk::new([7; 32]);
        let first = writes(&mut disk);
        let second = writes(&mut disk);
        assert!(disk.sync_one(first).is_some());
        assert!(disk.sync_one(first).is_none(), "the second is not meant");
        disk.crash();
        assert_eq!(disk.memory.writes(), first);
        assert!(disk.sync_one(second).is_none(), "nobody hears of it");
        let again = writes(&mut disk);
        assert_eq!(again, second);
        while disk.sync_one(again).is_some() {}
        disk.crash();
        assert_eq!(disk.memory.writes(), again);
    }

    #[test]
    fn a_backup_is_durable() {
        let mut disk = Disk::new([7; 32]);
        writes(&mut disk);
        disk.restore(0);
        let writes = disk.memory.writes();
        disk.crash();
        assert_eq!((disk.memory.writes(), disk.backups()), (writes, 1));
    }
}
