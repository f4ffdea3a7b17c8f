//! Phone numbers are forgotten by age, and nothing else is.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::time::Duration;

use recharge_core::{Account, AccountKind, FaceValue, MerchantId, OrderId, OrderState};
use recharge_engine::store::{Guards, Session, Stored};
use recharge_engine::{
    AcceptError, Acceptance, Command, Decision, Epoch, Input, Moment, NewOrder, Person, Policy,
    Store as _, Times, Verdict, WallTime, step,
};
use recharge_store::{Registry, Sqlite};

const PHONES: [&str; 3] = ["18911112222", "18911113333", "18911114444"];

fn at(seconds: u64) -> Moment {
    Moment {
        wall: WallTime::from_millis(1_800_000_000_000).after(Duration::from_secs(seconds)),
        epoch: Epoch(1),
        monotonic: Duration::from_secs(seconds),
    }
}

fn order(id: &str, phone: &str) -> Acceptance {
    Acceptance {
        what: NewOrder::new(
            MerchantId::parse("shop").unwrap(),
            OrderId::parse(id).unwrap(),
            Account::parse(AccountKind::Mobile, phone).unwrap(),
            FaceValue::from_yuan(100).unwrap(),
        ),
        at: at(0),
        held: false,
    }
}

/// Nobody wants it any more.
async fn cancel(store: &Sqlite, session: &Session, stored: &Stored, when: u64) {
    let policy = Policy::new(Vec::new(), Times::default(), session.numbers.clone());
    let decision = Decision {
        verdict: Verdict::Cancel,
        by: Person::authenticated("Li Lei").unwrap(),
        evidence: "the customer called".to_owned(),
        seen: stored.order.version(),
    };
    let input = Input::Command(Command::Decide(decision));
    let step = step(&policy, &stored.order, input, at(when)).unwrap();
    store.append(stored.key, None, &step).await.unwrap();
}

fn holds(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|it| it == text.as_bytes())
    })
}

#[tokio::test]
async fn of_what_has_long_ended_only_the_masked_account_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sqlite");
    let store = Sqlite::open(&path).unwrap();
    let session = store.begin().await.unwrap();
    let mut orders = Vec::new();
    for (id, phone) in ["OLD", "NEW", "OPEN"].into_iter().zip(PHONES) {
        let accepted = store.accept(order(id, phone), Guards::default(), None);
        orders.push(accepted.await.unwrap().stored);
    }
    cancel(&store, &session, &orders[0], 1_000).await;
    cancel(&store, &session, &orders[1], 9_000).await;
    let before = store.read(orders[0].key).await.unwrap().unwrap().order;
    assert_eq!((before.state(), before.due()), (OrderState::Failed, None));

    let registry = Registry::open(&path).unwrap();
    let limit = at(5_000).wall;
    assert_eq!(registry.forgettable(limit).unwrap(), 1);
    assert!(holds(folder.path(), PHONES[0]), "nothing is done yet");
    // While the gateway works on it.
    assert_eq!(registry.forget(limit).unwrap(), 1);
    assert_eq!(registry.forget(limit).unwrap(), 0);
    assert_eq!(registry.forgettable(limit).unwrap(), 0);

    let after = store.read(orders[0].key).await.unwrap().unwrap().order;
    let account = &after.what().account;
    assert_eq!(account.as_str(), "189****2222");
    assert!(account.is_forgotten());
    assert_eq!(
        (after.state(), after.version(), after.what().amount),
        (before.state(), before.version(), before.what().amount)
    );
    let log = store.log(orders[0].key).await.unwrap();
    assert_eq!(log.last().map(|it| it.version), Some(before.version()));
    for (stored, phone) in orders.iter().zip(PHONES).skip(1) {
        let order = store.read(stored.key).await.unwrap().unwrap().order;
        assert_eq!(order.what().account.as_str(), phone);
    }
    // The name stays taken, and the account is as good as any other.
    let again = store.accept(order("OLD", PHONES[0]), Guards::default(), None);
    assert_eq!(again.await.unwrap_err(), AcceptError::Conflict);
    drop((store, registry));
    assert!(!holds(folder.path(), PHONES[0]), "not in the file either");
    assert!(holds(folder.path(), PHONES[1]) && holds(folder.path(), PHONES[2]));
    assert_eq!(Sqlite::check(&path).unwrap().problems, [""; 0]);
}

#[tokio::test]
async fn an_account_is_never_changed_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sqlite");
    let store = Sqlite::open(&path).unwrap();
    let session = store.begin().await.unwrap();
    let accepted = store.accept(order("A", PHONES[0]), Guards::default(), None);
    let stored = accepted.await.unwrap().stored;
    let set = |to: &str| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute("UPDATE orders SET account = ?1", [to])
    };
    assert!(set("189****2222").is_err(), "it has not ended");
    assert!(set(PHONES[1]).is_err());
    cancel(&store, &session, &stored, 10).await;
    assert!(set(PHONES[1]).is_err(), "nor to another account after that");
    assert_eq!(set("189****2222"), Ok(1));
}
