//! The suite catches what it is there for: SQLite with one defect each, and the case that finds it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use common::InFile;
use recharge_conformance::store::{CASES, Fate, Harness};
use recharge_core::{MerchantId, OrderId};
use recharge_engine::store::{
    Accepted, Brief, Delivery, Filter, Guards, InboxEntry, KeptCallback, Lease, Message, OrderKey,
    Session, Statistics, Stored,
};
use recharge_engine::{
    AcceptError, Acceptance, AppendError, Epoch, Recorded, Step, Store, StoreError, WallTime,
};

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    None,
    NoGuards,
    NoDuplicates,
    NoLimits,
    NoConflict,
    AlwaysNew,
    ForgetsToClaim,
    ClaimsTwice,
    NeverReleases,
    NothingDue,
    LeaseIgnored,
    LeaseRepeats,
    EpochRepeats,
    VersionIgnored,
    UnknownIsDone,
    UnknownIsUnavailable,
    DropsMessages,
    NeverDelivers,
    DeliversAtOnce,
    LaterVersionsFirst,
    NoNextMessage,
    LogLosesTheLast,
    SkipsAtTheEndOfAPage,
    FilterIgnoresTime,
    SurveyForgetsTheFarOff,
    Miscounts,
    AlwaysFirstCallback,
    HandledAtOnce,
    HoldForgotten,
}

use Defect as D;

const CAUGHT: &[(Defect, &str)] = &[
    (D::NoGuards, "of_many_duplicates_at_once_one_is_taken"),
    (D::NoDuplicates, "a_duplicate_is_refused_within_its_time"),
    (D::NoLimits, "an_account_has_its_limits"),
    (
        D::NoConflict,
        "the_same_id_for_something_else_is_a_conflict",
    ),
    (D::AlwaysNew, "an_order_is_taken_once"),
    (D::ForgetsToClaim, "a_new_order_is_claimed_by_its_lease"),
    (
        D::ClaimsTwice,
        "due_orders_are_claimed_once_the_longest_due_first",
    ),
    (D::ClaimsTwice, "racing_claims_are_exclusive"),
    (D::NeverReleases, "a_released_order_is_claimed_again"),
    (D::NothingDue, "what_is_put_off_is_due_later"),
    (D::LeaseIgnored, "a_later_worker_voids_earlier_leases"),
    (
        D::LeaseIgnored,
        "only_who_has_the_order_appends_under_a_lease",
    ),
    (D::LeaseRepeats, "leases_and_epochs_never_repeat"),
    (D::EpochRepeats, "leases_and_epochs_never_repeat"),
    (
        D::VersionIgnored,
        "events_are_appended_at_their_version_only",
    ),
    (D::VersionIgnored, "racing_workers_lose_nothing"),
    (D::UnknownIsDone, "a_lost_commit_is_not_there"),
    (D::UnknownIsUnavailable, "a_landed_commit_is_there"),
    (D::DropsMessages, "messages_come_with_their_step"),
    (D::NeverDelivers, "messages_wait_until_they_are_delivered"),
    (D::DeliversAtOnce, "a_delivery_that_fails_is_put_off"),
    (
        D::LaterVersionsFirst,
        "of_an_order_the_oldest_is_told_first",
    ),
    (D::NoNextMessage, "a_delivery_that_fails_is_put_off"),
    (D::LogLosesTheLast, "the_log_is_the_order"),
    (D::LogLosesTheLast, "every_kind_of_event_comes_back"),
    (D::SkipsAtTheEndOfAPage, "pages_cover_every_order_once"),
    (D::FilterIgnoresTime, "filters_let_through_what_they_say"),
    (
        D::SurveyForgetsTheFarOff,
        "a_survey_finds_the_open_and_the_far_off",
    ),
    (D::Miscounts, "statistics_count_what_is_there"),
    (D::AlwaysFirstCallback, "a_callback_is_kept_once"),
    (D::HandledAtOnce, "unhandled_callbacks_outlive_a_crash"),
    (D::HoldForgotten, "a_hold_stays_until_it_is_over"),
];

fn passes(defect: Defect, name: &str) -> bool {
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    let harness = Box::new(Broken(InFile::new(), defect));
    let run = case.run;
    thread::spawn(move || run(harness)).join().is_ok()
}

#[test]
fn each_defect_is_caught_by_its_case() {
    for (defect, case) in CAUGHT {
        assert!(!passes(*defect, case), "{case} doesn't catch {defect:?}");
    }
}

#[test]
fn without_a_defect_the_same_cases_pass() {
    for (_, case) in CAUGHT {
        assert!(passes(D::None, case), "{case}");
    }
}

#[derive(Debug)]
struct Broken(InFile, Defect);

#[async_trait]
impl Harness for Broken {
    async fn open(&self) -> Arc<dyn Store> {
        let (store, defect) = (self.0.open().await, self.1);
        Arc::new(BrokenStore { store, defect })
    }

    async fn crash(&self) -> Arc<dyn Store> {
        let (store, defect) = (self.0.crash().await, self.1);
        Arc::new(BrokenStore { store, defect })
    }

    fn next_commit(&self, fate: Fate) {
        self.0.next_commit(fate);
    }
}

#[derive(Debug)]
struct BrokenStore {
    store: Arc<dyn Store>,
    defect: Defect,
}

impl BrokenStore {
    fn is(&self, defect: Defect) -> bool {
        self.defect == defect
    }
}

#[async_trait]
impl Store for BrokenStore {
    async fn begin(&self) -> Result<Session, StoreError> {
        let mut session = self.store.begin().await?;
        if self.is(D::LeaseRepeats) {
            session.lease = Lease(1);
        }
        if self.is(D::EpochRepeats) {
            session.epoch = Epoch(1);
        }
        Ok(session)
    }

    async fn next_epoch(&self, lease: Lease) -> Result<Option<Epoch>, StoreError> {
        self.store.next_epoch(lease).await
    }

    async fn accept(
        &self,
        acceptance: Acceptance,
        mut guards: Guards,
        mut lease: Option<Lease>,
    ) -> Result<Accepted, AcceptError> {
        let what = acceptance.what.clone();
        if self.is(D::NoGuards) || self.is(D::NoDuplicates) {
            guards.duplicate_since = None;
        }
        if self.is(D::NoGuards) || self.is(D::NoLimits) {
            guards.account = None;
        }
        if self.is(D::ForgetsToClaim) {
            lease = None;
        }
        match self.store.accept(acceptance, guards, lease).await {
            Err(AcceptError::Conflict) if self.is(D::NoConflict) => {
                let key = self.find(&what.merchant, &what.order_id).await?.unwrap();
                let stored = self.read(key).await?.unwrap();
                Ok(Accepted { stored, new: false })
            }
            Ok(Accepted { stored, .. }) if self.is(D::AlwaysNew) => {
                Ok(Accepted { stored, new: true })
            }
            other => other,
        }
    }

    async fn claim_due(
        &self,
        lease: Lease,
        now: WallTime,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let claimed = self.store.claim_due(lease, now, limit).await?;
        if self.is(D::ClaimsTwice) {
            let keys: Vec<_> = claimed.iter().map(|it| it.key).collect();
            self.store.release(lease, &keys).await?;
        }
        Ok(claimed)
    }

    async fn claim(&self, lease: Lease, key: OrderKey) -> Result<Option<Stored>, AppendError> {
        self.store.claim(lease, key).await
    }

    async fn release(&self, lease: Lease, keys: &[OrderKey]) -> Result<(), StoreError> {
        if self.is(D::NeverReleases) {
            return Ok(());
        }
        self.store.release(lease, keys).await
    }

    async fn next_due(&self) -> Result<Option<WallTime>, StoreError> {
        if self.is(D::NothingDue) {
            return Ok(None);
        }
        self.store.next_due().await
    }

    async fn append(
        &self,
        key: OrderKey,
        lease: Option<Lease>,
        step: &Step,
    ) -> Result<(), AppendError> {
        let lease = lease.filter(|_| !self.is(D::LeaseIgnored));
        let mut step = step.clone();
        if self.is(D::DropsMessages) {
            step.notices.clear();
        }
        match self.store.append(key, lease, &step).await {
            Err(AppendError::Version { .. }) if self.is(D::VersionIgnored) => Ok(()),
            Err(AppendError::Store(StoreError::Unknown(_))) if self.is(D::UnknownIsDone) => Ok(()),
            Err(AppendError::Store(StoreError::Unknown(why)))
                if self.is(D::UnknownIsUnavailable) =>
            {
                Err(AppendError::Store(StoreError::Unavailable(why)))
            }
            other => other,
        }
    }

    async fn read(&self, key: OrderKey) -> Result<Option<Stored>, StoreError> {
        self.store.read(key).await
    }

    async fn find(
        &self,
        merchant: &MerchantId,
        order_id: &OrderId,
    ) -> Result<Option<OrderKey>, StoreError> {
        self.store.find(merchant, order_id).await
    }

    async fn log(&self, key: OrderKey) -> Result<Vec<Recorded>, StoreError> {
        let mut log = self.store.log(key).await?;
        if self.is(D::LogLosesTheLast) {
            log.pop();
        }
        Ok(log)
    }

    async fn list(
        &self,
        filter: &Filter,
        before: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut filter = filter.clone();
        if self.is(D::FilterIgnoresTime) {
            filter.until = None;
        }
        let mut before = before;
        if self.is(D::SkipsAtTheEndOfAPage) {
            before = before.map(|key| OrderKey(key.0 - 1));
        }
        self.store.list(&filter, before, limit).await
    }

    async fn count(&self, filter: &Filter) -> Result<Vec<(&'static str, u64)>, StoreError> {
        self.store.count(filter).await
    }

    async fn survey(
        &self,
        beyond: WallTime,
        after: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Brief>, StoreError> {
        let beyond = if self.is(D::SurveyForgetsTheFarOff) {
            WallTime::from_millis(i64::MAX)
        } else {
            beyond
        };
        self.store.survey(beyond, after, limit).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.store.probe().await
    }

    async fn statistics(&self) -> Result<Statistics, StoreError> {
        let mut statistics = self.store.statistics().await?;
        if self.is(D::Miscounts) {
            statistics.orders.pop();
        }
        Ok(statistics)
    }

    async fn keep_callback(
        &self,
        callback: KeptCallback,
        at: WallTime,
    ) -> Result<InboxEntry, StoreError> {
        let mut entry = self.store.keep_callback(callback, at).await?;
        if self.is(D::HandledAtOnce) {
            self.store.handled(entry.id).await?;
        }
        entry.again &= !self.is(D::AlwaysFirstCallback);
        Ok(entry)
    }

    async fn unhandled(&self, limit: usize) -> Result<Vec<InboxEntry>, StoreError> {
        self.store.unhandled(limit).await
    }

    async fn handled(&self, id: u64) -> Result<(), StoreError> {
        self.store.handled(id).await
    }

    async fn messages(&self, after: u64, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.store.messages(after, limit).await
    }

    async fn messages_due(&self, now: WallTime, limit: usize) -> Result<Vec<Message>, StoreError> {
        if self.is(D::LaterVersionsFirst) {
            // Those that are not the first of their order come as well.
            let all = self.store.messages(0, limit).await?;
            let due = |it: &Message| it.delivery.next.is_some_and(|next| next <= now);
            return Ok(all.into_iter().filter(due).collect());
        }
        self.store.messages_due(now, limit).await
    }

    async fn next_message(&self) -> Result<Option<WallTime>, StoreError> {
        if self.is(D::NoNextMessage) {
            return Ok(None);
        }
        self.store.next_message().await
    }

    async fn put_off(&self, id: u64, delivery: Delivery) -> Result<(), StoreError> {
        if self.is(D::DeliversAtOnce) {
            return Ok(());
        }
        self.store.put_off(id, delivery).await
    }

    async fn delivered(&self, ids: &[u64]) -> Result<(), StoreError> {
        if self.is(D::NeverDelivers) {
            return Ok(());
        }
        self.store.delivered(ids).await
    }

    async fn set_hold(&self, left: Option<Duration>) -> Result<(), StoreError> {
        if self.is(D::HoldForgotten) {
            return Ok(());
        }
        self.store.set_hold(left).await
    }
}
