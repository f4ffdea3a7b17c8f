//! A process that is killed in the middle of its work: what it was answered for is there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use recharge_core::{Account, AccountKind, FaceValue, MerchantId, OrderId};
use recharge_engine::store::Guards;
use recharge_engine::{Acceptance, Epoch, Moment, NewOrder, Store, WallTime};
use recharge_store::Sqlite;

const PATH: &str = "RECHARGE_TEST_WRITES";
const WRITERS: u32 = 8;

fn order(name: &str) -> Acceptance {
    let what = NewOrder::new(
        MerchantId::local(),
        OrderId::parse(name).unwrap(),
        Account::parse(AccountKind::Mobile, "18900001234").unwrap(),
        FaceValue::from_yuan(50).unwrap(),
    );
    let at = Moment {
        wall: WallTime::from_millis(0),
        epoch: Epoch(1),
        monotonic: Duration::ZERO,
    };
    Acceptance {
        what,
        at,
        held: false,
    }
}

/// Takes orders without end, and says of each that it was answered for.
async fn write(path: &Path, round: &str) {
    let store = Arc::new(Sqlite::open(path).unwrap());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, round) = (Arc::clone(&store), round.to_owned());
            tokio::spawn(async move {
                for n in 0..u32::MAX {
                    let name = format!("r{round}-{writer}-{n}");
                    let accepted = store.accept(order(&name), Guards::default(), None);
                    assert!(accepted.await.unwrap().new);
                    // One write a line, so that no line is torn.
                    let mut out = std::io::stdout().lock();
                    out.write_all(format!("\nanswered {name}\n").as_bytes())
                        .unwrap();
                    out.flush().unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// The process of the test itself, started again and killed after each so many answers.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_outlives_a_kill() {
    if let Ok(path) = std::env::var(PATH) {
        let (path, round) = path.split_once('#').unwrap();
        return write(Path::new(path), round).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recharge.sqlite");
    let mut answered = BTreeSet::new();
    for (round, answers) in [1_usize, 20, 150, 400].into_iter().enumerate() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "what_was_answered_outlives_a_kill",
                "--exact",
                "--nocapture",
            ])
            .env(PATH, format!("{}#{round}", path.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let before = answered.len();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // What it says until its end counts: it was answered for.
        for line in lines.map_while(Result::ok) {
            if let Some(name) = line.strip_prefix("answered ") {
                answered.insert(name.to_owned());
            }
            if answered.len() == before + answers {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(answered.len() >= before + answers, "it has ended by itself");

        let store = Sqlite::open(&path).unwrap();
        for name in &answered {
            let id = OrderId::parse(name).unwrap();
            let key = store.find(&MerchantId::local(), &id).await.unwrap();
            assert!(key.is_some(), "{name} was answered for");
        }
        drop(store);
        assert_eq!(Sqlite::check(&path).unwrap().problems, [""; 0]);
    }
}
