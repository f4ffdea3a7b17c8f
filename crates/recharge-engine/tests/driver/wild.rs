//! Providers that answer as they like, and remember what they took, whoever crashes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use recharge_core::{
    Callback, CallbackError, Capabilities, Provider, ProviderId, QueryOutcome, QueryRequest,
    SubmitOutcome, SubmitRequest, Unavailable, UnavailableKind, UpstreamState,
};
use tokio::time::Instant;

use crate::common::outcomes::{
    accepted, found, not_found, not_sent, rejected, unavailable, unknown,
};
use crate::scripted::Scripted;

/// Dice. SplitMix64.
#[derive(Debug)]
pub(crate) struct Chance(Mutex<u64>);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    pub(crate) fn fork(&self) -> Self {
        Self::new(self.next())
    }

    pub(crate) fn below(&self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn one_in(&self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// What became of a number that was taken: from when on it has which end.
type Taken = (Instant, UpstreamState);

#[derive(Debug)]
pub(crate) struct Wild {
    like: Scripted,
    chance: Chance,
    calm: AtomicBool,
    taken: Mutex<BTreeMap<String, Taken>>,
    /// How often bytes of a number came.
    sent: Mutex<BTreeMap<String, u32>>,
}

impl Wild {
    pub(crate) fn new(name: &str, chance: Chance) -> Self {
        Self {
            like: Scripted::new(name),
            chance,
            calm: AtomicBool::new(false),
            taken: Mutex::default(),
            sent: Mutex::default(),
        }
    }

    pub(crate) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self) -> BTreeMap<String, u32> {
        self.sent.lock().unwrap().clone()
    }

    async fn nap(&self, most: u64) {
        tokio::time::sleep(Duration::from_millis(self.chance.below(most))).await;
    }

    async fn submit(&self, request: &SubmitRequest) -> SubmitOutcome {
        let number = request.number.as_str().to_owned();
        let late = request.send_before.unwrap() <= Instant::now().into_std();
        assert!(!late, "it may not be sent any more");
        let fate = self.chance.below(20);
        if fate < 4 {
            self.nap(3_000).await;
            return not_sent();
        }
        *self.sent.lock().unwrap().entry(number.clone()).or_default() += 1;
        if fate >= 7 {
            let end = match self.chance.below(4) {
                0 => UpstreamState::Failed,
                _ => UpstreamState::Succeeded,
            };
            let at = Instant::now() + Duration::from_secs(self.chance.below(2_000));
            let mut taken = self.taken.lock().unwrap();
            taken.entry(number).or_insert((at, end));
        }
        if self.chance.one_in(20) {
            std::future::pending::<()>().await;
        }
        self.nap(if self.chance.one_in(10) {
            30_000
        } else {
            2_000
        })
        .await;
        match fate {
            4 => rejected(),
            5..10 => unknown(),
            _ => accepted(),
        }
    }

    async fn query(&self, request: &QueryRequest) -> QueryOutcome {
        let calm = self.calm.load(Ordering::Relaxed);
        // Longer than a request may take: such an answer is as good as none.
        let slow = !calm && self.chance.one_in(20);
        self.nap(if slow { 40_000 } else { 1_000 }).await;
        if !calm {
            match self.chance.below(10) {
                0 => return unavailable(),
                1 => {
                    let lost = Unavailable::new(UnavailableKind::Transport, "reset");
                    return QueryOutcome::Unavailable(lost);
                }
                _ => {}
            }
        }
        let taken = self.taken.lock().unwrap();
        match taken.get(request.number.as_str()) {
            None => not_found(),
            Some((at, end)) if *at <= Instant::now() => found(*end),
            Some(_) => found(UpstreamState::Charging),
        }
    }
}

/// A worker's line to a provider. Cut off when the worker dies.
pub(crate) struct Line {
    to: Arc<Wild>,
    open: Arc<AtomicBool>,
}

impl Line {
    pub(crate) fn new(to: &Arc<Wild>, open: &Arc<AtomicBool>) -> Self {
        Self {
            to: to.clone(),
            open: open.clone(),
        }
    }

    async fn reach(&self) {
        if !self.open.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({})", self.to.like.id())
    }
}

#[async_trait]
impl Provider for Line {
    fn id(&self) -> &ProviderId {
        self.to.like.id()
    }

    fn capabilities(&self) -> &Capabilities {
        self.to.like.capabilities()
    }

    async fn submit(&self, request: &SubmitRequest) -> SubmitOutcome {
        self.reach().await;
        self.to.submit(request).await
    }

    async fn query(&self, request: &QueryRequest) -> QueryOutcome {
        self.reach().await;
        self.to.query(request).await
    }

    fn parse_callback(&self, kind: Option<&str>, body: &[u8]) -> Result<Callback, CallbackError> {
        self.to.like.parse_callback(kind, body)
    }
}
