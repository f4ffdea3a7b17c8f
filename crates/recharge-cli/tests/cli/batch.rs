//! `recharge batch` against the simulator.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use encoding_rs::GB18030;
use serde_json::json;

use crate::shop::{PHONE, Running, Shop, silent, until};

const HEAD: &str = "order_id,kind,account,amount\n";

/// The account of an order of [`file`].
fn account(nth: u32) -> String {
    format!("189{nth:08}")
}

/// A file of so many orders, each for an account of its own.
fn file(orders: u32) -> String {
    let mut text = HEAD.to_owned();
    for nth in 0..orders {
        writeln!(text, "B{nth},mobile,{},10", account(nth)).unwrap();
    }
    text
}

fn put(shop: &Shop, name: &str, bytes: impl AsRef<[u8]>) {
    std::fs::write(shop.path(name), bytes).unwrap();
}

/// The rows of a result, each a list of its values.
fn result(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let head: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        head.join(","),
        "order_id,state,provider,upstream_order_id,cost,message"
    );
    let rows = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

/// The ledger has each of so many orders, received once and charged once.
#[track_caller]
fn each_is_charged_once(shop: &Shop, orders: usize) {
    none_is_sent_twice(shop, orders, 0);
}

/// Each of so many orders was received once and charged once, but for those of which nobody can know
/// whether they were sent; these were received once at most.
#[track_caller]
fn none_is_sent_twice(shop: &Shop, orders: usize, unsure: usize) {
    let ledger = shop.sim.get("/_sim/ledger");
    let rows = ledger.as_array().unwrap();
    let numbers: BTreeSet<_> = rows.iter().map(|row| row["order_id"].as_str()).collect();
    let accounts: BTreeSet<_> = rows.iter().map(|row| row["account"].as_str()).collect();
    let charged = rows.iter().filter(|row| row["charges"] == 1).count();
    assert_eq!((numbers.len(), accounts.len()), (rows.len(), rows.len()));
    assert_eq!(charged, orders - unsure);
    for row in rows {
        assert_eq!(row["submits"], 1, "{row}");
    }
}

#[test]
fn each_order_of_a_file_is_placed_once_however_often_it_is_run() {
    let shop = Shop::open();
    put(&shop, "orders.csv", file(30));
    let ended = shop.run("batch orders.csv").exits(0);
    ended.says("30 orders: 30 succeeded, 0 failed, 0 for a person to review, 0 open, 0 refused; see orders.result.csv");
    let rows = result(&shop.path("orders.result.csv"));
    assert_eq!(rows.len(), 30);
    for (nth, row) in (0_u32..).zip(&rows) {
        let [id, state, provider, upstream, cost, message] = row.as_slice() else {
            panic!()
        };
        assert_eq!(
            (id.as_str(), state.as_str(), provider.as_str()),
            (format!("B{nth}").as_str(), "succeeded", "juhe")
        );
        let truth = &shop.rows(&account(nth))[0];
        assert_eq!(truth["upstream_id"], upstream.as_str());
        assert!(cost.starts_with("10.") && !message.is_empty(), "{row:?}");
    }
    let json = shop.json("batch orders.csv --out again.csv");
    assert_eq!(
        (&json["succeeded"], &json["interrupted"]),
        (&30.into(), &false.into())
    );
    assert_eq!(result(&shop.path("again.csv")), rows);
    each_is_charged_once(&shop, 30);
}

#[test]
fn every_column_and_encoding_is_understood() {
    let shop = Shop::open();
    let text = "amount,account,kind,order_id,carrier,allow_duplicate,provider\r\n\
        10.00,15912345678,mobile,C1,,,jisu\r\n\
        10,15912345678,mobile,C2,移动,是,\r\n\
        100,0571-56565366,landline,C3,中国联通,no,jisu\r\n\
        ,,,,,,\r\n";
    put(&shop, "gb.csv", GB18030.encode(text).0);
    put(
        &shop,
        "bom.csv",
        format!(
            "\u{feff}{}",
            text.replace(",C", ",D")
                .replace("5678", "5677")
                .replace("5366", "5367")
        ),
    );
    for (file, first) in [("gb.csv", "C"), ("bom.csv", "D")] {
        let ended = shop.run(&format!("batch {file} --db other.sqlite --out out-{first}"));
        ended.exits(0).says("3 orders: 3 succeeded");
        let rows = result(&shop.path(&format!("out-{first}")));
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row[0].as_str(), row[2].as_str()))
            .collect();
        let ids = [1, 2, 3].map(|nth| format!("{first}{nth}"));
        assert_eq!(
            told,
            [
                (ids[0].as_str(), "jisu"),
                (&ids[1], "juhe"),
                (&ids[2], "jisu")
            ]
        );
    }
    assert!(!shop.path("recharge.sqlite").exists());
    assert_eq!(shop.sent(PHONE), (2, 2));
}

#[test]
fn one_bad_line_and_nothing_is_accepted() {
    let shop = Shop::open();
    for (bad, says) in [
        (
            "B0,mobile,15912345678,10\n",
            "line 5, order_id: the same as on line 2",
        ),
        (
            "X,mobile,18900000000,10\n",
            "line 5, account: the same account and amount as on line 2",
        ),
        (
            "X,mobile,15912345678,3\n",
            "line 5: nobody sells this face value",
        ),
        ("X,mobile,159123456789,10\n", "line 5, account: "),
        ("X,mobile,15912345678,10,1\n", "line 5: it has 5 values"),
        ("X,mobil,15912345678,10\n", "line 5, kind: "),
        (
            "X,landline,0571-56565366,100\n",
            "line 5: the carrier has to be named",
        ),
    ] {
        put(&shop, "bad.csv", file(3) + bad);
        let ended = shop.run("batch bad.csv").exits(2);
        ended
            .complains("bad.csv: this run has accepted no order of it")
            .complains(says);
        assert_eq!(ended.out, "");
        assert!(!shop.path("bad.result.csv").exists());
        assert!(!shop.path("recharge.sqlite").exists(), "{bad}");
    }
    put(&shop, "bad.csv", "15912345678,mobile,x\n");
    shop.run("batch bad.csv").exits(2).complains("line 1");
    shop.run("batch missing.csv")
        .exits(8)
        .complains("missing.csv");
    assert_eq!(shop.sim.get("/_sim/ledger"), json!([]));
}

#[test]
fn a_row_that_is_refused_is_in_the_result_and_the_others_go_out() {
    let shop = Shop::open();
    put(&shop, "one.csv", file(3));
    shop.run("batch one.csv").exits(0);
    put(
        &shop,
        "two.csv",
        "order_id,kind,account,amount\nB0,mobile,18900000000,20\nE1,mobile,18900000001,10\nE2,mobile,15912345678,10\n",
    );
    let ended = shop.run("batch two.csv");
    ended
        .says("3 orders: 1 succeeded")
        .says("2 refused")
        .complains("B0: ")
        .complains("E1: ");
    let states: Vec<_> = result(&shop.path("two.result.csv"))
        .into_iter()
        .map(|row| row[1].clone())
        .collect();
    assert_eq!(states, ["refused", "refused", "succeeded"]);
    assert_eq!(ended.code, 5);
    assert_eq!(shop.sent(PHONE), (1, 1));
    each_is_charged_once(&shop, 4);
}

#[test]
fn ends_and_desks_are_told() {
    let shop = Shop::open();
    put(
        &shop,
        "orders.csv",
        format!("{HEAD}F1,mobile,15912345678,10\nF2,mobile,15912345677,10\n"),
    );
    let faults = json!({ "order": [
        { "account": "15912345678", "end": "order_fails" },
        { "account": "15912345677", "settle_after": "never" },
    ]});
    shop.sim.post("/_sim/faults", &faults.to_string());
    let run = shop
        .at("batch orders.csv")
        .variable("RECHARGE_LIFECYCLE_CHARGING_LIMIT", "1s");
    let ended = silent(run.run()).exits(0);
    ended
        .says("0 succeeded, 1 failed, 1 for a person to review")
        .complains("alarm: order F2");
    let rows = result(&shop.path("orders.result.csv"));
    assert_eq!(
        (rows[0][1].as_str(), rows[1][1].as_str()),
        ("failed", "review")
    );
    assert!(rows[1][5].starts_with("overdue: "), "{rows:?}");
}

/// A file whose orders end only when they are told to, half of them at least received.
fn half_way(shop: &Shop) -> Running {
    put(shop, "orders.csv", file(40));
    let run = shop
        .at("batch orders.csv")
        .variable("RECHARGE_LIMITS_SUBMITS_PER_SECOND", "40");
    let running = Running::new(run);
    let received = || shop.sim.get("/_sim/ledger").as_array().unwrap().len();
    until("some were received", || received() >= 10);
    running
}

#[test]
fn told_to_stop_it_writes_what_is_known_and_goes_on_when_run_again() {
    let shop = Shop::with("never", "");
    let ended = half_way(&shop).stopped().exits(5);
    ended
        .says("40 orders: 0 succeeded")
        .complains("run the same command again");
    let rows = result(&shop.path("orders.result.csv"));
    assert_eq!(rows.len(), 40);
    shop.run("orders --limit 1000").exits(0);
    let again = shop.start("batch orders.csv");
    until("all were received", || {
        shop.sim.get("/_sim/ledger").as_array().unwrap().len() == 40
    });
    until("all have ended", || {
        shop.sim.post("/_sim/step", "");
        shop.json("orders --limit 1000 --state succeeded")["orders"]
            .as_array()
            .unwrap()
            .len()
            == 40
    });
    again.ended().exits(0).says("40 succeeded");
    each_is_charged_once(&shop, 40);
}

#[test]
fn killed_it_leaves_no_half_result_and_goes_on_when_run_again() {
    let shop = Shop::with("1s", "");
    half_way(&shop).killed();
    for _ in 0..3 {
        let running = shop.start("batch orders.csv");
        let before = shop.sim.get("/_sim/faults")["calls"].clone();
        until("it went on", || {
            shop.sim.get("/_sim/faults")["calls"] != before
        });
        running.killed();
    }
    assert!(!shop.path("orders.result.csv").exists());
    let json = shop.json("batch orders.csv");
    // Killed between the intent and the first byte: that it was not sent is known to nobody.
    let unsure = usize::try_from(json["review"].as_u64().unwrap()).unwrap();
    assert_eq!(json["succeeded"], 40 - unsure, "{json}");
    let left: Vec<_> = std::fs::read_dir(shop.home())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".recharge-result"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    none_is_sent_twice(&shop, 40, unsure);
}

#[test]
fn a_backup_while_it_runs_is_whole() {
    let shop = Shop::with("1s", "");
    let running = half_way(&shop);
    shop.run("backup copy.sqlite")
        .exits(0)
        .says("checked from end to end");
    shop.run("backup copy.sqlite")
        .exits(8)
        .complains("exists already");
    running.ended().exits(0);
    shop.run("doctor --db copy.sqlite").exits(0);
    let count = |db: &str| {
        shop.json(&format!("orders --limit 1000 --db {db}"))["orders"]
            .as_array()
            .unwrap()
            .len()
    };
    assert!(count("copy.sqlite") >= 10);
    // Run on the copy, which knows the key of the numbers, nothing is sent twice.
    shop.run("restore copy.sqlite --db restored.sqlite")
        .exits(0)
        .says("held");
    shop.run("batch orders.csv --db restored.sqlite --out restored.csv")
        .exits(0)
        .says("40 succeeded");
    each_is_charged_once(&shop, 40);
}

#[test]
fn a_file_that_was_accepted_goes_on_though_a_route_is_closed_since() {
    let shop = Shop::open();
    put(&shop, "orders.csv", file(2));
    shop.run("batch orders.csv").exits(0);
    let closed = |name: &str| {
        let run = shop
            .at(&format!("batch {name}"))
            .variable("RECHARGE_JUHE_FACE_VALUES", "20");
        silent(run.variable("RECHARGE_JISU_MOBILE_FACE_VALUES", "20").run())
    };
    closed("orders.csv").exits(0).says("2 succeeded");
    put(&shop, "more.csv", file(3));
    let ended = closed("more.csv").exits(2);
    ended.complains("line 4: nobody sells this face value");
    assert!(!ended.err.contains("line 2"), "{ended:?}");
    each_is_charged_once(&shop, 2);
}

#[test]
fn a_result_that_can_not_be_written_is_refused_before_anything_is_accepted() {
    let shop = Shop::open();
    put(&shop, "orders.csv", file(2));
    std::fs::create_dir(shop.path("folder")).unwrap();
    for out in [
        "missing/out.csv",
        "folder",
        "/dev/full",
        "/dev/null",
        "recharge.toml/out.csv",
    ] {
        let ended = shop.run(&format!("batch orders.csv --out {out}"));
        assert!([2, 8].contains(&ended.code), "{ended:?}");
        assert!(!shop.path("recharge.sqlite").exists(), "{out}");
    }
    assert_eq!(shop.sim.get("/_sim/ledger"), json!([]));
}

#[test]
fn a_result_never_goes_onto_the_store_or_the_configuration() {
    let shop = Shop::open();
    put(&shop, "orders.csv", file(2));
    for out in [
        "recharge.sqlite",
        "./recharge.sqlite",
        "recharge.sqlite-wal",
        "recharge.sqlite.lock",
        "recharge.toml",
        "orders.csv",
    ] {
        shop.run(&format!("batch orders.csv --out {out}"))
            .exits(2)
            .complains("--out");
        shop.run("doctor");
        assert_eq!(shop.sim.get("/_sim/ledger"), json!([]));
    }
    shop.run("batch orders.csv").exits(0);
    shop.run("batch orders.csv --out recharge.sqlite")
        .exits(2)
        .complains("--out");
    shop.run("show B0").exits(0);
}

#[test]
fn the_result_is_written_though_nobody_reads_what_is_printed() {
    let shop = Shop::open();
    put(&shop, "orders.csv", file(2));
    let ended = std::process::Command::new("sh")
        .args([
            "-c",
            "exec \"$0\" batch orders.csv >/dev/full",
            env!("CARGO_BIN_EXE_recharge"),
        ])
        .current_dir(shop.home())
        .env_clear()
        .status()
        .unwrap();
    assert_eq!(ended.code(), Some(8));
    assert_eq!(result(&shop.path("orders.result.csv")).len(), 2);
}
