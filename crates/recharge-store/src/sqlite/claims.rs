//! Who has which order. Claims live in memory: they die with the process, which is what they are for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use recharge_engine::WallTime;
use recharge_engine::store::{Lease, OrderKey};

/// A place in the order in which orders are due: the time in milliseconds, then the key.
pub(super) type Place = (i64, u64);

const START: Place = (i64::MIN, 0);

/// The claims of one process.
#[derive(Debug)]
pub(super) struct Claims(Mutex<Table>);

/// The claims, locked. Held across a scan of the due index, and never across a commit.
#[derive(Debug)]
pub(super) struct Table {
    newest: Lease,
    held: HashMap<OrderKey, Held>,
    /// Every order that is due before this place is held: a scan begins here, so that a row that is
    /// worked on is passed over once and not at every scan.
    cursor: Place,
}

#[derive(Debug)]
struct Held {
    lease: Lease,
    /// Of the version at which it is known when the order is due.
    version: u64,
    due: Option<WallTime>,
}

impl Claims {
    pub(super) fn new(newest: Lease) -> Self {
        Self(Mutex::new(Table {
            newest,
            held: HashMap::new(),
            cursor: START,
        }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing here is half done when it panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims an order and gives it back when the grant is dropped unkept.
    pub(super) fn grant(
        self: &Arc<Self>,
        table: &mut Table,
        lease: Lease,
        key: OrderKey,
        due: Option<WallTime>,
    ) -> Option<Grant> {
        table.take(lease, key, due).then(|| Grant {
            claims: Arc::clone(self),
            lease,
            keys: vec![key],
        })
    }

    /// A grant of claims that were taken already.
    pub(super) fn granted(self: &Arc<Self>, lease: Lease, keys: Vec<OrderKey>) -> Grant {
        Grant {
            claims: Arc::clone(self),
            lease,
            keys,
        }
    }
}

impl Table {
    pub(super) const fn newest(&self) -> Lease {
        self.newest
    }

    pub(super) const fn cursor(&self) -> Place {
        self.cursor
    }

    /// Scans begin at the start again.
    pub(super) const fn rewind(&mut self) {
        self.cursor = START;
    }

    /// Every order that is due before this place is held.
    pub(super) fn passed(&mut self, place: Place) {
        self.cursor = self.cursor.max(place);
    }

    /// Whether somebody has it.
    pub(super) fn is_held(&self, key: OrderKey) -> bool {
        self.held.contains_key(&key)
    }

    /// Whether it is claimed under this lease, and no other worker has begun since.
    pub(super) fn is_held_under(&self, key: OrderKey, lease: Lease) -> bool {
        lease == self.newest && self.held.get(&key).is_some_and(|it| it.lease == lease)
    }

    /// Claims an order that nobody has, under the newest lease.
    pub(super) fn take(&mut self, lease: Lease, key: OrderKey, due: Option<WallTime>) -> bool {
        if lease != self.newest || self.is_held(key) {
            return false;
        }
        let version = 0;
        let held = Held {
            lease,
            version,
            due,
        };
        self.held.insert(key, held);
        true
    }

    /// Since this version the order is due then.
    pub(super) fn moved(&mut self, key: OrderKey, version: u64, due: Option<WallTime>) {
        match self.held.get_mut(&key) {
            Some(held) if held.version <= version => {
                held.version = version;
                held.due = due;
            }
            Some(_) => {}
            None => self.waits(key, due),
        }
    }

    fn waits(&mut self, key: OrderKey, due: Option<WallTime>) {
        if let Some(due) = due {
            self.cursor = self.cursor.min((due.millis(), key.0));
        }
    }

    /// Gives orders back that are held under this lease.
    pub(super) fn release(&mut self, lease: Lease, keys: &[OrderKey]) {
        for key in keys {
            if self.held.get(key).is_some_and(|held| held.lease == lease)
                && let Some(held) = self.held.remove(key)
            {
                self.waits(*key, held.due);
            }
        }
    }

    /// Another worker has begun: what earlier ones claimed is void.
    pub(super) fn begin(&mut self, lease: Lease) {
        self.newest = lease;
        self.held.clear();
        self.rewind();
    }

    /// After a failure: what is held is looked up again. What is not there has never been.
    pub(super) fn refresh<E>(
        &mut self,
        newest: Lease,
        mut find: impl FnMut(OrderKey) -> Result<Option<(u64, Option<WallTime>)>, E>,
    ) -> Result<(), E> {
        if newest > self.newest {
            self.begin(newest);
        }
        self.rewind();
        let mut gone = Vec::new();
        for (key, held) in &mut self.held {
            match find(*key)? {
                Some((version, due)) => (held.version, held.due) = (version, due),
                None => gone.push(*key),
            }
        }
        for key in gone {
            self.held.remove(&key);
        }
        Ok(())
    }
}

/// Claims on their way to a caller. A caller who has gone away meanwhile gives them back.
#[derive(Debug)]
pub(super) struct Grant {
    claims: Arc<Claims>,
    lease: Lease,
    keys: Vec<OrderKey>,
}

impl Grant {
    /// Which orders.
    pub(super) fn keys(&self) -> Vec<OrderKey> {
        self.keys.clone()
    }

    /// They have arrived.
    pub(super) fn keep(mut self) {
        self.keys.clear();
    }

    /// Leaves one of them claimed though nobody works on it: it can't be read, and would come up at
    /// every scan.
    pub(super) fn set_aside(&mut self, key: OrderKey) {
        self.keys.retain(|kept| *kept != key);
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if !self.keys.is_empty() {
            self.claims.lock().release(self.lease, &self.keys);
        }
    }
}
