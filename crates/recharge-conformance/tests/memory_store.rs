//! The store suite on the engine's store in memory.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use recharge_conformance::store::{Fate, Harness};
use recharge_engine::memory::Fault;
use recharge_engine::{MemoryStore, Store};

#[derive(Debug)]
struct InMemory(Mutex<MemoryStore>);

impl InMemory {
    fn new() -> Self {
        Self(Mutex::new(MemoryStore::new([9; 32])))
    }
}

#[async_trait]
impl Harness for InMemory {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.0.lock().unwrap().clone())
    }

    async fn crash(&self) -> Arc<dyn Store> {
        let mut store = self.0.lock().unwrap();
        *store = store.crashed_after(store.writes());
        Arc::new(store.clone())
    }

    fn next_commit(&self, fate: Fate) {
        let fault = match fate {
            Fate::Refused => Fault::Unavailable,
            Fate::Lost => Fault::Lost,
            Fate::Landed => Fault::Landed,
        };
        self.0.lock().unwrap().fail([fault]);
    }
}

mod memory {
    recharge_conformance::store_suite!(super::InMemory::new());
}
