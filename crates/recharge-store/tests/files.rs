//! The file itself: who may open it, what it may be, copies of it, and what becomes of a broken one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use recharge_core::{Account, AccountKind, FaceValue, MerchantId, OrderId};
use recharge_engine::store::{Filter, Guards, Hold, Lease, Session, Stored};
use recharge_engine::{Acceptance, Moment, NewOrder, Store, StoreError, WallTime};
use recharge_store::registry::Endpoint;
use recharge_store::sqlite::OpenError;
use recharge_store::{Registry, RegistryError, Sqlite};
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recharge.sqlite");
    (folder, path)
}

fn order(session: &Session, n: u32) -> Acceptance {
    let what = NewOrder::new(
        MerchantId::local(),
        OrderId::parse(&format!("order-{n}")).unwrap(),
        Account::parse(AccountKind::Mobile, "18900001234").unwrap(),
        FaceValue::from_yuan(50).unwrap(),
    );
    let at = Moment {
        wall: WallTime::from_millis(1_800_000_000_000 + i64::from(n)),
        epoch: session.epoch,
        monotonic: std::time::Duration::from_secs(u64::from(n)),
    };
    Acceptance {
        what,
        at,
        held: false,
    }
}

async fn accept(store: &Sqlite, session: &Session, n: u32) -> Stored {
    let accepted = store
        .accept(order(session, n), Guards::default(), None)
        .await;
    accepted.unwrap().stored
}

/// Our schema, as anybody with `sqlite3` sees it.
fn plain(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

async fn all(store: &Sqlite) -> Vec<Stored> {
    store.list(&Filter::default(), None, 10_000).await.unwrap()
}

#[cfg(unix)]
#[test]
fn a_second_handle_is_refused_until_the_first_is_dropped() {
    let (folder, path) = folder();
    let first = Sqlite::open(&path).unwrap();
    let link = folder.path().join("another-name.sqlite");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for spelling in [path.clone(), folder.path().join("./recharge.sqlite"), link] {
        let error = Sqlite::open(&spelling).unwrap_err();
        assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("recharge.sqlite") && text.contains("another process"));
    }
    assert_eq!(first.path(), path.canonicalize().unwrap());
    drop(first);
    drop(Sqlite::open(&path).unwrap());
}

/// The process of the test itself, started again: it says `open` once it has the file, and waits.
#[test]
fn another_process_is_refused_until_the_first_has_died() {
    const PATH: &str = "RECHARGE_TEST_HOLDS";
    if let Ok(path) = std::env::var(PATH) {
        let store = Sqlite::open(path).unwrap();
        println!("open");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        drop(store);
        return;
    }
    let (_folder, path) = folder();
    let name = "another_process_is_refused_until_the_first_has_died";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(PATH, &path)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("open") {
        line.clear();
        let read = std::io::BufRead::read_line(&mut said, &mut line).unwrap();
        assert!(read > 0, "the other process has ended");
    }
    let error = Sqlite::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(Sqlite::open(&path).unwrap());
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let (_folder, path) = folder();
    drop(Sqlite::open(&path).unwrap());
    plain(&path)
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let before = fs::read(&path).unwrap();
    for error in [
        Sqlite::open(&path).unwrap_err(),
        Sqlite::open_read_only(&path).unwrap_err(),
        Sqlite::check(&path).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(
            matches!(error, OpenError::Newer { found: 99, .. }),
            "{text}"
        );
        assert!(text.contains("99") && text.contains("newer program"));
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let (_folder, path) = folder();
    plain(&path)
        .execute_batch("CREATE TABLE accounts (id INTEGER)")
        .unwrap();
    let text = path.with_file_name("notes.txt");
    fs::write(&text, "This is no database. ".repeat(100)).unwrap();
    for path in [path, text] {
        let before = fs::read(&path).unwrap();
        for error in [
            Sqlite::open(&path).unwrap_err(),
            Sqlite::open_read_only(&path).unwrap_err(),
            Sqlite::backup(&path, path.with_extension("backup")).unwrap_err(),
        ] {
            assert!(matches!(error, OpenError::NotOurs { .. }), "{error:?}");
        }
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn what_is_not_there_is_made_for_writing_only() {
    let (_folder, path) = folder();
    for error in [
        Sqlite::open_read_only(&path).unwrap_err(),
        Sqlite::check(&path).unwrap_err(),
    ] {
        assert!(matches!(error, OpenError::Missing { .. }), "{error:?}");
    }
    assert!(!path.exists());
    let nowhere = path.join("no/such/folder.sqlite");
    assert!(matches!(Sqlite::open(nowhere), Err(OpenError::Io { .. })));
    drop(Sqlite::open(&path).unwrap());
    assert!(path.exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_can_read_what_is_made() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    let store = Sqlite::open(&path).unwrap();
    let session = store.begin().await.unwrap();
    accept(&store, &session, 1).await;
    Sqlite::backup(&path, folder.path().join("backup")).unwrap();
    Sqlite::restore(
        folder.path().join("backup"),
        folder.path().join("restored"),
        false,
    )
    .unwrap();
    let mut seen = 0;
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
        seen += 1;
    }
    // The database, its log and index, two locks, the backup and the restored one.
    assert_eq!(seen, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_what_another_handle_writes_and_can_not_write() {
    let (_folder, path) = folder();
    let store = Sqlite::open(&path).unwrap();
    let session = store.begin().await.unwrap();
    let reader = Sqlite::open_read_only(&path).unwrap();
    for n in 1..4 {
        let stored = accept(&store, &session, n).await;
        assert_eq!(reader.read(stored.key).await, Ok(Some(stored.clone())));
        assert_eq!(all(&reader).await.len(), usize::try_from(n).unwrap());
        assert!(reader.next_due().await.unwrap().is_some());
    }
    let refused = |error: &StoreError| matches!(error, StoreError::Refused(_));
    assert!(reader.begin().await.is_err_and(|it| refused(&it)));
    assert!(
        reader
            .next_epoch(Lease(0))
            .await
            .is_err_and(|it| refused(&it))
    );
    assert!(reader.set_hold(None).await.is_err_and(|it| refused(&it)));
    assert!(reader.handled(1).await.is_err_and(|it| refused(&it)));
    assert!(reader.delivered(&[1]).await.is_err_and(|it| refused(&it)));
    let now = WallTime::from_millis(i64::MAX);
    let claimed = reader.claim_due(Lease(0), now, 1).await;
    assert!(claimed.is_err_and(|it| refused(&it)));
    let key = all(&reader).await[0].key;
    assert!(reader.claim(Lease(0), key).await.is_err());
    let accepted = reader
        .accept(order(&session, 9), Guards::default(), None)
        .await;
    assert!(accepted.is_err());
    drop(store);
    assert_eq!(all(&reader).await.len(), 3, "with nobody writing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_whole_though_orders_come_in() {
    let (folder, path) = folder();
    let store = Arc::new(Sqlite::open(&path).unwrap());
    let session = store.begin().await.unwrap();
    for n in 0..50 {
        accept(&store, &session, n).await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (store, stop, session) = (Arc::clone(&store), Arc::clone(&stop), session.clone());
        async move {
            let mut n = 50;
            while !stop.load(Ordering::SeqCst) {
                accept(&store, &session, n).await;
                n += 1;
            }
            n
        }
    });
    let backup = folder.path().join("backup.sqlite");
    tokio::task::block_in_place(|| Sqlite::backup(&path, &backup)).unwrap();
    stop.store(true, Ordering::SeqCst);
    let written = writing.await.unwrap();
    assert!(
        !folder.path().join("backup.sqlite-wal").exists(),
        "one file"
    );
    let report = Sqlite::check(&backup).unwrap();
    assert_eq!(report.problems, [""; 0]);
    let copy = Sqlite::open_read_only(&backup).unwrap();
    let copied = all(&copy).await;
    assert!((50..=written).contains(&u32::try_from(copied.len()).unwrap()));
    let originals = all(&store).await;
    assert_eq!(copied, originals[originals.len() - copied.len()..]);

    let before = fs::read(&backup).unwrap();
    let error = Sqlite::backup(&path, &backup).unwrap_err();
    assert!(matches!(error, OpenError::Exists { .. }), "{error:?}");
    assert_eq!(fs::read(&backup).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_holds_its_orders() {
    let (folder, path) = folder();
    let store = Sqlite::open(&path).unwrap();
    let session = store.begin().await.unwrap();
    let stored = accept(&store, &session, 1).await;
    let backup = folder.path().join("backup.sqlite");
    Sqlite::backup(&path, &backup).unwrap();
    let later = accept(&store, &session, 2).await;

    let in_use = Sqlite::restore(&backup, &path, true).unwrap_err();
    assert!(matches!(in_use, OpenError::InUse { .. }), "{in_use:?}");
    drop(store);
    let exists = Sqlite::restore(&backup, &path, false).unwrap_err();
    assert!(matches!(exists, OpenError::Exists { .. }), "{exists:?}");
    Sqlite::restore(&backup, &path, true).unwrap();
    assert!(Sqlite::check(&path).unwrap().held);

    let store = Sqlite::open(&path).unwrap();
    let number = |session: &Session| {
        let what = stored.order.what();
        session.numbers.derive(&what.merchant, &what.order_id, 0)
    };
    for _ in 0..2 {
        let restored = store.begin().await.unwrap();
        assert_eq!(restored.hold, Some(Hold::Restored), "until it is begun");
        assert_eq!(number(&restored), number(&session), "the key came along");
    }
    assert_eq!(store.read(stored.key).await, Ok(Some(stored)));
    assert_eq!(store.read(later.key).await, Ok(None));
    let left = Duration::from_millis(5);
    store.set_hold(Some(left)).await.unwrap();
    assert_eq!(store.begin().await.unwrap().hold, Some(Hold::For(left)));
    store.set_hold(None).await.unwrap();
    assert_eq!(store.begin().await.unwrap().hold, None);
    drop(store);
    assert!(!Sqlite::check(&path).unwrap().held);

    let kept = folder.path().join("recharge.sqlite.replaced");
    let kept = Sqlite::open_read_only(kept).unwrap();
    assert_eq!(all(&kept).await.len(), 2, "what was replaced is kept");
}

#[test]
fn what_is_no_store_is_not_restored() {
    let (folder, path) = folder();
    drop(Sqlite::open(&path).unwrap());
    let before = fs::read(&path).unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "This is no database. ".repeat(100)).unwrap();
    for (from, expected) in [
        (text, "is not a store"),
        (folder.path().join("x"), "not there"),
    ] {
        let error = Sqlite::restore(&from, &path, true).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_page_is_named() {
    let (folder, path) = folder();
    let store = Sqlite::open(&path).unwrap();
    let session = store.begin().await.unwrap();
    for n in 0..500 {
        accept(&store, &session, n).await;
    }
    drop(store);
    // Somewhere in the orders, each of which is spread over them.
    let page: u32 = plain(&path)
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'orders'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = usize::try_from(page - 1).unwrap() * 4096;
    bytes[at..at + 4096].fill(0xa5);
    fs::write(&path, bytes).unwrap();

    let report = Sqlite::check(&path);
    let told = match &report {
        Ok(report) => !report.problems.is_empty(),
        Err(error) => matches!(error, OpenError::Damaged { .. }),
    };
    assert!(told, "{report:?}");
    let backup = folder.path().join("backup");
    let error = Sqlite::backup(&path, &backup).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(!backup.exists(), "no copy of a damaged file is left");
    let store = Sqlite::open(&path).unwrap();
    let read = store.list(&Filter::default(), None, 10).await;
    let damaged = |error: &StoreError| matches!(error, StoreError::Damaged(_));
    assert!(read.as_ref().is_err_and(damaged), "{read:?}");
    let session = store.begin().await.unwrap();
    let written = store
        .accept(order(&session, 1_000), Guards::default(), None)
        .await
        .unwrap_err();
    assert!(written.to_string().contains("damaged"), "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_tampered_with_is_named_with_its_order() {
    let (_folder, path) = folder();
    let store = Sqlite::open(&path).unwrap();
    let session = store.begin().await.unwrap();
    let stored = accept(&store, &session, 1).await;
    let sound = accept(&store, &session, 2).await;
    let tamper = plain(&path);
    let triggers = tamper.execute("UPDATE orders SET yuan = 500", []);
    assert!(triggers.is_err(), "an order stays as it was accepted");
    let triggers = tamper.execute("DELETE FROM orders", []);
    assert!(triggers.is_err(), "an order is never deleted");
    tamper
        .execute(
            "INSERT INTO log (key, first, record) VALUES (?1, 1, '{\"first\":1}')",
            [i64::try_from(stored.key.0).unwrap()],
        )
        .unwrap();
    for statement in ["UPDATE log SET record = ''", "DELETE FROM log"] {
        assert!(tamper.execute(statement, []).is_err(), "{statement}");
    }
    let Err(StoreError::Damaged(what)) = store.read(stored.key).await else {
        unreachable!("it can't be read");
    };
    assert!(what.contains(&format!("order {}", stored.key.0)), "{what}");
    assert_eq!(store.read(sound.key).await, Ok(Some(sound.clone())));

    let now = WallTime::from_millis(i64::MAX);
    let claimed = store.claim_due(session.lease, now, 10).await;
    assert!(matches!(claimed, Err(StoreError::Damaged(_))), "told once");
    let claimed = store.claim_due(session.lease, now, 10).await;
    assert_eq!(claimed, Ok(vec![sound]), "and not in the way of others");
    let problems = Sqlite::check(&path).unwrap().problems;
    assert!(
        problems.iter().any(|it| it.contains("order 1")),
        "{problems:?}"
    );
}

#[tokio::test]
async fn closed_it_is_one_file() {
    let (folder, path) = folder();
    let store = Sqlite::open(&path).unwrap();
    let session = store.begin().await.unwrap();
    accept(&store, &session, 1).await;
    assert_eq!(all(&store).await.len(), 1);
    drop(store);
    assert!(!folder.path().join("recharge.sqlite-wal").exists());
    let copy = folder.path().join("copy.sqlite");
    fs::copy(&path, &copy).unwrap();
    assert_eq!(all(&Sqlite::open(&copy).unwrap()).await.len(), 1);
}

#[tokio::test]
async fn the_key_is_in_the_file_as_soon_as_there_is_one() {
    let (folder, path) = folder();
    let store = Sqlite::open(&path).unwrap();
    let session = store.begin().await.unwrap();
    accept(&store, &session, 1).await;
    // As a careless copy is made: without the log.
    let copy = folder.path().join("copy.sqlite");
    fs::copy(&path, &copy).unwrap();
    let copied = Sqlite::open(&copy).unwrap();
    let number = |session: &Session| {
        let what = order(session, 1).what;
        session.numbers.derive(&what.merchant, &what.order_id, 0)
    };
    let copied = copied.begin().await.unwrap();
    assert_eq!(number(&copied), number(&session));
}

#[cfg(unix)]
#[test]
fn a_file_with_two_names_is_not_used() {
    let (folder, path) = folder();
    drop(Sqlite::open(&path).unwrap());
    let other = folder.path().join("other.sqlite");
    fs::hard_link(&path, &other).unwrap();
    for name in [&path, &other] {
        let error = Sqlite::open(name).unwrap_err();
        assert!(matches!(error, OpenError::Linked { .. }), "{error}");
    }
    fs::remove_file(&other).unwrap();
    drop(Sqlite::open(&path).unwrap());
}

#[test]
fn a_registry_that_is_only_read_shows_what_there_is_and_changes_nothing() {
    let (_folder, path) = folder();
    let missing = Registry::open_read_only(&path).unwrap_err();
    assert!(matches!(missing, OpenError::Missing { .. }), "{missing}");
    assert!(!path.exists());
    let endpoint = Endpoint {
        merchant: MerchantId::parse("shop").unwrap(),
        url: None,
        secret: vec![1],
        changed: WallTime::from_millis(1),
    };
    let registry = Registry::open(&path).unwrap();
    registry.set_endpoint(&endpoint).unwrap();
    // Beside one that writes.
    let only = Registry::open_read_only(&path).unwrap();
    assert!(only.set_endpoint(&endpoint).is_err());
    assert_eq!(only.endpoints().unwrap(), [endpoint]);
    assert_eq!(only.generation().unwrap(), registry.generation().unwrap());
}

#[test]
fn of_a_commit_that_fails_the_registry_does_not_say_that_nothing_was_written() {
    let (_folder, path) = folder();
    let merchant = MerchantId::parse("shop").unwrap();
    let endpoint = Endpoint {
        merchant: merchant.clone(),
        url: Some("https://shop.example.com/".to_owned()),
        secret: vec![1],
        changed: WallTime::from_millis(1),
    };
    let registry = Registry::open(&path).unwrap();
    let secret = |secret: u8, at: i64| {
        registry.set_endpoint_secret(&merchant, &[secret], WallTime::from_millis(at))
    };
    assert_eq!(secret(2, 2), Ok(None), "there is none to be replaced");
    registry.set_endpoint(&endpoint).unwrap();
    let now = Endpoint {
        secret: vec![3],
        changed: WallTime::from_millis(3),
        ..endpoint
    };
    assert_eq!(
        secret(3, 3),
        Ok(Some(now.clone())),
        "as it holds from now on"
    );
    let file = rusqlite::Connection::open(&path).unwrap();
    // What is promised of the rows is looked at by the commit, and not before.
    file.execute_batch(
        "CREATE TABLE promised (id INTEGER PRIMARY KEY);
         CREATE TABLE broken (id INTEGER REFERENCES promised (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER no_endpoint AFTER UPDATE ON endpoints BEGIN INSERT INTO broken VALUES (1); END;",
    )
    .unwrap();
    let unknown = secret(4, 4).unwrap_err();
    assert!(
        matches!(&unknown, RegistryError::Store(StoreError::Unknown(_))),
        "{unknown}"
    );
    // A failure before the commit is another thing.
    file.execute_batch("ALTER TABLE endpoints RENAME TO gone")
        .unwrap();
    let unwritten = secret(5, 5).unwrap_err();
    assert!(
        matches!(&unwritten, RegistryError::Store(StoreError::Unavailable(_))),
        "{unwritten}"
    );
    file.execute_batch("ALTER TABLE gone RENAME TO endpoints")
        .unwrap();
    assert_eq!(registry.endpoint(&merchant), Ok(Some(now)));
}
