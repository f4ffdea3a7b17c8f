//! A disk that is full, a foreign lock, a writer that breaks off, callers that go away.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use recharge_core::{Account, AccountKind, FaceValue, MerchantId, OrderId};
use recharge_engine::store::{Filter, Guards, OrderKey, Session};
use recharge_engine::{AcceptError, Acceptance, Moment, NewOrder, Store, StoreError, WallTime};
use recharge_store::Sqlite;
use recharge_store::sqlite::Fate;
use tempfile::TempDir;

const NOW: WallTime = WallTime::from_millis(i64::MAX);

async fn open() -> (TempDir, PathBuf, Arc<Sqlite>, Session) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recharge.sqlite");
    let store = Arc::new(Sqlite::open(&path).unwrap());
    let session = store.begin().await.unwrap();
    (folder, path, store, session)
}

fn order(n: u32) -> Acceptance {
    let what = NewOrder::new(
        MerchantId::local(),
        OrderId::parse(&format!("order-{n}-{}", "x".repeat(40))).unwrap(),
        Account::parse(AccountKind::Mobile, &format!("139{n:08}")).unwrap(),
        FaceValue::from_yuan(50).unwrap(),
    );
    let at = Moment {
        wall: WallTime::from_millis(i64::from(n)),
        epoch: recharge_engine::Epoch(1),
        monotonic: Duration::ZERO,
    };
    Acceptance {
        what,
        at,
        held: false,
    }
}

async fn count(store: &Sqlite) -> usize {
    let all = store.list(&Filter::default(), None, 100_000).await;
    all.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_the_store_goes_on_when_there_is_room() {
    let (_folder, path, store, _) = open().await;
    store.limit_pages(Some(40)).await.unwrap();
    let mut accepted = 0;
    let refusal = loop {
        let answers: Vec<_> = (accepted..accepted + 8)
            .map(|n| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { store.accept(order(n), Guards::default(), None).await })
            })
            .collect();
        let mut refusal = None;
        for answer in answers {
            match answer.await.unwrap() {
                Ok(_) => accepted += 1,
                Err(error) => refusal = Some(error),
            }
        }
        if let Some(refusal) = refusal {
            break refusal;
        }
    };
    assert!(
        matches!(&refusal, AcceptError::Store(StoreError::Unavailable(why)) if why.contains("full")),
        "{refusal:?}"
    );
    let full = usize::try_from(accepted).unwrap();
    assert_eq!(count(&store).await, full, "what was acknowledged, no more");
    store.limit_pages(None).await.unwrap();
    for n in accepted..accepted + 20 {
        let taken = store.accept(order(n), Guards::default(), None).await;
        assert!(taken.is_ok(), "{taken:?}");
    }
    drop(store);
    let report = Sqlite::check(&path).unwrap();
    assert_eq!(report.problems, [""; 0]);
    let statistics = Sqlite::open(&path).unwrap().statistics().await.unwrap();
    assert!(statistics.orders[0].1 >= u64::from(accepted) + 20 - 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_lock_is_told_and_waited_out() {
    let (_folder, path, store, _) = open().await;
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.accept(order(1), Guards::default(), None).await;
    assert!(
        matches!(&refused, Err(AcceptError::Store(StoreError::Unavailable(why))) if why.contains("locked")),
        "{refused:?}"
    );
    assert_eq!(count(&store).await, 0, "to read is possible meanwhile");
    foreign.execute_batch("ROLLBACK").unwrap();
    assert!(
        store
            .accept(order(1), Guards::default(), None)
            .await
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_not_settled_while_the_file_is_locked() {
    let (_folder, path, store, session) = open().await;
    store
        .accept(order(1), Guards::default(), None)
        .await
        .unwrap();
    store.next_commit(Fate::Landed);
    let unknown = store.accept(order(2), Guards::default(), None).await;
    assert!(matches!(
        unknown,
        Err(AcceptError::Store(StoreError::Unknown(_)))
    ));
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..2 {
        let read = store.list(&Filter::default(), None, 10).await;
        assert!(
            matches!(read, Err(StoreError::Unavailable(_))),
            "nobody is told what may not last: {read:?}"
        );
        let refused = store.accept(order(3), Guards::default(), None).await;
        assert!(
            matches!(refused, Err(AcceptError::Store(StoreError::Unavailable(_)))),
            "{refused:?}"
        );
    }
    foreign.execute_batch("ROLLBACK").unwrap();
    assert_eq!(count(&store).await, 2);
    assert_eq!(
        store.claim_due(session.lease, NOW, 10).await.unwrap().len(),
        2
    );
    assert_eq!(Sqlite::check(&path).unwrap().settled, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_panics_leaves_nobody_waiting() {
    let (_folder, path, store, _) = open().await;
    for n in 0..3 {
        store.next_commit(Fate::Panic);
        let answers: Vec<_> = (0..4)
            .map(|m| {
                let store = Arc::clone(&store);
                let order = order(n * 4 + m);
                tokio::spawn(async move { store.accept(order, Guards::default(), None).await })
            })
            .collect();
        let mut unknown = 0;
        for answer in answers {
            match answer.await.unwrap() {
                Ok(_) => {}
                Err(AcceptError::Store(StoreError::Unknown(_))) => unknown += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(unknown >= 1);
    }
    let before = count(&store).await;
    store
        .accept(order(99), Guards::default(), None)
        .await
        .unwrap();
    assert_eq!(count(&store).await, before + 1);
    assert_eq!(Sqlite::check(&path).unwrap().problems, [""; 0]);
}

/// Starts a call and gives it up before its answer is taken; unless the answer was quicker.
fn abandon<T>(call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    let mut context = Context::from_waker(Waker::noop());
    match call.as_mut().poll(&mut context) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_who_has_gone_away_claimed_is_free_again() {
    let (_folder, _, store, session) = open().await;
    let lease = session.lease;
    for n in 1..=3 {
        let accepted = store.accept(order(n), Guards::default(), None).await;
        assert!(accepted.is_ok());
    }
    for _ in 0..20 {
        let mut quick = Vec::new();
        if let Some(orders) = abandon(store.claim_due(lease, NOW, 2)) {
            quick.extend(orders.unwrap());
        }
        if let Some(order) = abandon(store.claim(lease, OrderKey(3))) {
            quick.extend(order.unwrap());
        }
        if let Some(accepted) = abandon(store.accept(order(4), Guards::default(), Some(lease))) {
            let accepted = accepted.unwrap();
            quick.extend(accepted.new.then_some(accepted.stored));
        }
        let keys: Vec<_> = quick.iter().map(|it| it.key).collect();
        store.release(lease, &keys).await.unwrap();
    }
    // What was abandoned is seen to in time: the writer's at once, the readers' by and by.
    store.next_epoch(lease).await.unwrap();
    let mut claimed = Vec::new();
    while claimed.len() < 4 {
        claimed.extend(store.claim_due(lease, NOW, 10).await.unwrap());
        tokio::task::yield_now().await;
    }
    assert_eq!(store.claim_due(lease, NOW, 10).await, Ok(Vec::new()));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_moved_or_deleted_takes_nothing_more() {
    let (_folder, path, store, _) = open().await;
    let accept = |n| store.accept(order(n), Guards::default(), None);
    accept(1).await.unwrap();
    let aside = path.with_extension("aside");
    std::fs::rename(&path, &aside).unwrap();
    let refused = accept(2).await.unwrap_err();
    assert!(
        matches!(&refused, AcceptError::Store(StoreError::Unavailable(why)) if why.contains("put it back")),
        "{refused:?}"
    );
    // Another in its place is not it either.
    std::fs::copy(&aside, &path).unwrap();
    assert!(accept(3).await.is_err());
    std::fs::remove_file(&path).unwrap();
    assert!(accept(4).await.is_err());
    std::fs::rename(&aside, &path).unwrap();
    accept(5).await.unwrap();
    assert_eq!(count(&store).await, 2);
}
