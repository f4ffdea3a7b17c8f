//! [`KeyRing`]: the keys, as they are at hand, and when they were last used.
//!
//! What is in force is in memory: to look a key up takes no disk. That something has changed, perhaps by
//! another process, is seen by the registry's generation: once a second, and at once when a key comes that
//! isn't known. So a new key works at once, and a revoked one for a second more.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use recharge_core::{MerchantId, SecretString};
use recharge_engine::WallTime;
use recharge_store::registry::{Endpoint, KeyKind, StoredKey};
use recharge_store::{Registry, RegistryError};
use tokio::time::Instant;

use crate::seal::{self, MasterKey, OpenError};

/// How often it is looked for changes.
pub const LOOK: Duration = Duration::from_secs(1);
/// How often it is written down when keys were used.
pub const NOTE: Duration = Duration::from_mins(1);
/// How long after a look for one unknown key the next one waits.
const SOON: Duration = Duration::from_millis(50);

/// A key that is in force.
#[derive(Debug)]
pub struct Key {
    /// As it is kept.
    pub stored: StoredKey,
    /// The secret that signs, where the key speaks an upstream's protocol and a master key opens it.
    pub secret: Option<SecretString>,
    limiter: Option<DefaultDirectRateLimiter>,
}

/// Where a merchant is told, and with what.
#[derive(Debug)]
pub struct Target {
    /// The address of orders that name none.
    pub url: Option<String>,
    /// What signs, where a master key opens it.
    pub secret: Option<SecretString>,
    /// When it was set.
    pub changed: WallTime,
}

#[derive(Debug, Default)]
struct Ring {
    generation: u64,
    keys: HashMap<String, Arc<Key>>,
    targets: HashMap<MerchantId, Arc<Target>>,
    locked: Option<Locked>,
}

/// Secrets in force that can't be opened: the master key is missing, or isn't the one under which they were sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{secrets} secrets of webhooks and drop-in credentials can't be opened; of the first: {why}"
)]
pub struct Locked {
    /// How many.
    pub secrets: usize,
    /// Why the first one can't.
    pub why: OpenError,
}

impl Locked {
    /// Notes one more.
    fn note(locked: &mut Option<Self>, why: OpenError) {
        let noted = locked.get_or_insert(Self { secrets: 0, why });
        noted.secrets += 1;
    }
}

/// The keys at hand.
#[derive(Debug)]
pub struct KeyRing {
    registry: Arc<Registry>,
    master: Option<MasterKey>,
    per_second: Option<NonZeroU32>,
    ring: RwLock<Arc<Ring>>,
    used: Mutex<HashMap<String, WallTime>>,
    looked: tokio::sync::Mutex<Option<Instant>>,
}

impl KeyRing {
    /// The keys of a registry.
    pub fn load(
        registry: Arc<Registry>,
        master: Option<MasterKey>,
        per_second: Option<u32>,
    ) -> Result<Self, RegistryError> {
        let ring = Self {
            registry,
            master,
            per_second: per_second.and_then(NonZeroU32::new),
            ring: RwLock::default(),
            used: Mutex::default(),
            looked: tokio::sync::Mutex::default(),
        };
        ring.reload()?;
        Ok(ring)
    }

    /// The key of that id and kind, if it is in force.
    pub async fn find(self: &Arc<Self>, kind: KeyKind, id: &str) -> Option<Arc<Key>> {
        let known = |ring: &Ring| ring.keys.get(id).cloned();
        let mut found = known(&self.present());
        if found.is_none() {
            self.look_again().await;
            found = known(&self.present());
        }
        found.filter(|key| key.stored.kind == kind && key.stored.revoked.is_none())
    }

    /// The key of that id, in force or not: for what an order was taken under.
    pub fn key(&self, id: &str) -> Option<Arc<Key>> {
        self.present().keys.get(id).cloned()
    }

    /// Where a merchant is told.
    pub fn target(&self, merchant: &MerchantId) -> Option<Arc<Target>> {
        self.present().targets.get(merchant).cloned()
    }

    /// The same, even if it was set a moment ago.
    pub async fn target_now(self: &Arc<Self>, merchant: &MerchantId) -> Option<Arc<Target>> {
        let known = self.target(merchant);
        if known.is_none() {
            self.look_again().await;
            return self.target(merchant);
        }
        known
    }

    /// What can't be opened of that which is in force.
    pub fn locked(&self) -> Option<Locked> {
        self.present().locked.clone()
    }

    /// Notes that a key was used.
    pub fn used(&self, key: &Key, at: WallTime) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match used.get_mut(&key.stored.id) {
            Some(last) => *last = at,
            None => drop(used.insert(key.stored.id.clone(), at)),
        }
    }

    /// Looks for changes, now and then, until the task is aborted; and writes down when keys were used.
    pub async fn keep_up(self: Arc<Self>) {
        let mut noted = Instant::now();
        loop {
            tokio::time::sleep(LOOK).await;
            self.look().await;
            if noted.elapsed() >= NOTE {
                noted = Instant::now();
                self.note().await;
            }
        }
    }

    /// Writes down when keys were used.
    pub async fn note(self: &Arc<Self>) {
        let used = {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *used)
        };
        if used.is_empty() {
            return;
        }
        let used: Vec<_> = used.into_iter().collect();
        let registry = Arc::clone(&self.registry);
        let noted = tokio::task::spawn_blocking(move || registry.keys_used(&used)).await;
        if let Ok(Err(error)) = noted {
            tracing::warn!(%error, "when keys were last used is not written down");
        }
    }

    async fn look_again(self: &Arc<Self>) {
        let came = Instant::now();
        let mut looked = self.looked.lock().await;
        match *looked {
            // Somebody has looked since; all who came before that share it.
            Some(at) if at >= came => return,
            // Whoever tries keys must not keep the disk busy.
            Some(at) => tokio::time::sleep_until(at + SOON).await,
            None => {}
        }
        *looked = Some(Instant::now());
        self.look().await;
    }

    /// Looks for changes now.
    pub async fn look(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || {
            if this.registry.generation()? == this.present().generation {
                Ok(())
            } else {
                this.reload()
            }
        })
        .await;
        if let Ok(Err(error)) = looked {
            tracing::warn!(%error, "keys can't be looked up; those that are known stay in force");
        }
    }

    fn reload(&self) -> Result<(), RegistryError> {
        // Read first: what changes after it is seen at the next look.
        let generation = self.registry.generation()?;
        let before = self.present();
        let mut ring = Ring {
            generation,
            ..Ring::default()
        };
        for stored in self.registry.keys(None)? {
            let same = before.keys.get(&stored.id);
            let secret = self.secret_of(&stored).unwrap_or_else(|why| {
                if stored.revoked.is_none() {
                    Locked::note(&mut ring.locked, why);
                }
                None
            });
            let key = match same.filter(|key| key.stored == stored) {
                // With its limiter.
                Some(key) => Arc::clone(key),
                None => Arc::new(self.key_of(stored, secret)),
            };
            ring.keys.insert(key.stored.id.clone(), key);
        }
        for Endpoint {
            merchant,
            url,
            secret,
            changed,
        } in self.registry.endpoints()?
        {
            let purpose = purpose_of_endpoint(&merchant);
            let opened = seal::open(self.master.as_ref(), &purpose, &secret);
            let secret = opened
                .map_err(|why| Locked::note(&mut ring.locked, why))
                .ok();
            let target = Target {
                url,
                secret,
                changed,
            };
            ring.targets.insert(merchant, Arc::new(target));
        }
        if let Some(locked) = &ring.locked {
            tracing::error!(%locked, "secrets can't be opened: notices that they sign wait");
        }
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }

    /// The secret of a key that has one to be opened.
    fn secret_of(&self, stored: &StoredKey) -> Result<Option<SecretString>, OpenError> {
        match stored.kind {
            KeyKind::Api => Ok(None),
            KeyKind::Juhe | KeyKind::Jisu => {
                let purpose = purpose_of_key(&stored.id);
                seal::open(self.master.as_ref(), &purpose, &stored.secret).map(Some)
            }
        }
    }

    fn key_of(&self, stored: StoredKey, secret: Option<SecretString>) -> Key {
        Key {
            limiter: self
                .per_second
                .map(|most| RateLimiter::direct(Quota::per_second(most))),
            stored,
            secret,
        }
    }

    fn present(&self) -> Arc<Ring> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&ring)
    }
}

impl Key {
    /// Takes one request of those that the key may make; else how long to wait.
    pub fn take(&self) -> Result<(), Duration> {
        match &self.limiter {
            None => Ok(()),
            Some(limiter) => limiter
                .check()
                .map_err(|not_yet| not_yet.wait_time_from(DefaultClock::default().now())),
        }
    }
}

/// What a drop-in credential's secret is sealed for.
pub fn purpose_of_key(id: &str) -> String {
    format!("key:{id}")
}

/// What a webhook's secret is sealed for.
pub fn purpose_of_endpoint(merchant: &MerchantId) -> String {
    format!("endpoint:{merchant}")
}
