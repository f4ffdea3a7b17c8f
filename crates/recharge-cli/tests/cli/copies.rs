//! `recharge backup`, `restore` and `doctor`.

use crate::shop::{NOBODY, PHONE, Running, Shop, silent, until};

const SUBMIT: &str = "submit --order-id A1 --account 15912345678 --amount 10 --provider juhe";

#[test]
fn what_was_sent_after_the_backup_is_found_and_not_sent_again() {
    let shop = Shop::open().hurried();
    let away = shop.at(SUBMIT).variable("RECHARGE_JUHE_BASE_URL", NOBODY);
    let away = Running::new(away.variable("RECHARGE_LIFECYCLE_NOT_SENT_TRIES", "100"));
    until("it is accepted", || shop.at("show A1").run().code == 0);
    away.stopped().exits(5).says("pending\n");
    let json = shop.json("backup copy.sqlite");
    assert_eq!(
        (&json["from"], &json["backup"]),
        (&"recharge.sqlite".into(), &"copy.sqlite".into())
    );
    shop.run(SUBMIT).exits(0);
    assert_eq!(shop.sent(PHONE), (1, 1));

    shop.run("restore copy.sqlite")
        .exits(8)
        .complains("exists already");
    shop.run("show A1").exits(0).says("succeeded\n");
    let json = shop.json("restore copy.sqlite --replace");
    assert_eq!(json["held"], true);
    assert!(shop.path("recharge.sqlite.replaced").exists());
    shop.run("show A1").exits(0).says("pending\n");
    shop.run("doctor").exits(0).says("it is a restored backup");

    let ended = shop.run(SUBMIT).exits(0);
    ended.says("succeeded\n").says("attempt 1: paid at juhe");
    assert_eq!(shop.sent(PHONE), (1, 1));
    shop.run("restore copy.sqlite --replace").exits(0);
    assert!(shop.path("recharge.sqlite.replaced-1").exists());
}

#[test]
fn a_person_ends_the_hold_for_new_orders() {
    let shop = Shop::open().hurried();
    shop.run("end-hold").exits(8).complains("is not there");
    shop.run(SUBMIT).exits(0);
    shop.run("end-hold").exits(0).says("there is no hold");
    shop.run("backup copy.sqlite").exits(0);
    shop.run("restore copy.sqlite --replace").exits(0);
    shop.run("end-hold").exits(2).complains("start once first");
    shop.run("query A1").exits(0);
    shop.run("doctor").exits(0).says("it is a restored backup");
    assert_eq!(shop.json("end-hold")["was_held"], true);
    let other = SUBMIT.replace("A1", "A2");
    let ended = shop.run(&format!("{other} --allow-duplicate")).exits(0);
    ended.says("succeeded\n");
    assert_eq!(shop.sent(PHONE), (2, 2));
}

#[test]
fn what_the_upstream_never_had_is_sent_once_the_hold_is_over() {
    let shop = Shop::open().hurried();
    let away = shop.at(SUBMIT).variable("RECHARGE_JUHE_BASE_URL", NOBODY);
    let away = Running::new(away.variable("RECHARGE_LIFECYCLE_NOT_SENT_TRIES", "100"));
    until("it is accepted", || shop.at("show A1").run().code == 0);
    away.stopped().exits(5);
    shop.run("backup copy.sqlite").exits(0);
    shop.run("restore copy.sqlite --db new.sqlite").exits(0);
    let early = "review decide A1 cancel --by li.na --evidence ticket-1 --db new.sqlite";
    let running = shop.start(&format!("{SUBMIT} --db new.sqlite"));
    until("it is held", || {
        shop.at("show A1 --db new.sqlite")
            .run()
            .out
            .contains("held: by a restored backup")
    });
    assert_eq!(shop.sent(PHONE), (0, 0));
    running.stopped().exits(5);
    shop.run(&format!("{early} --seen 1000")).exits(2);
    let version = &shop.json("show A1 --db new.sqlite")["version"];
    shop.run(&format!("{early} --seen {version}"))
        .exits(2)
        .complains("restored backup");
    shop.run(&format!("{SUBMIT} --db new.sqlite")).exits(0);
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let shop = Shop::open();
    shop.run(SUBMIT).exits(0);
    std::fs::write(shop.path("text"), "no database").unwrap();
    std::fs::write(shop.path("empty"), "").unwrap();
    for (from, says) in [
        ("text", "not a store"),
        ("empty", "not a store"),
        ("missing", "is not there"),
        (".", ""),
    ] {
        let ended = shop.run(&format!("restore {from} --replace"));
        ended.exits(8).complains(says);
        shop.run("show A1").exits(0).says("succeeded\n");
    }
    shop.run("backup missing/copy.sqlite")
        .exits(8)
        .complains("missing");
    shop.run("backup x.sqlite --db missing.sqlite")
        .exits(8)
        .complains("is not there");
    assert!(!shop.path("x.sqlite").exists() && !shop.path("x.sqlite.part").exists());
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn the_doctor_sees_what_is_well_and_what_is_not() {
    let shop = Shop::open();
    shop.run("doctor").exits(0).says("is not there yet");
    assert!(!shop.path("recharge.sqlite").exists());
    shop.run(SUBMIT).exits(0);
    let json = shop.json("doctor");
    assert_eq!(json["ok"], true, "{json}");
    let well = shop.run("doctor").exits(0);
    well.says("juhe\tok\treached; the balance is")
        .says("nothing waits for a person");

    let away = shop.at("doctor").variable("RECHARGE_JISU_BASE_URL", NOBODY);
    silent(away.run())
        .exits(1)
        .says("jisu\tbad\tit can't be reached");
    let wrong = shop.at("doctor").variable("RECHARGE_JUHE_APP_KEY", "other");
    silent(wrong.run())
        .exits(1)
        .says("juhe\tbad\tit refuses us");
    let none = shop
        .at("doctor")
        .variable("RECHARGE_JUHE_ENVIRONMENT", "tests");
    silent(none.run()).exits(3);

    std::fs::write(
        shop.path("text.sqlite"),
        "no database, and long enough to be looked at",
    )
    .unwrap();
    shop.run("doctor --db text.sqlite")
        .exits(1)
        .says("store\tbad\t")
        .says("not a store");
    shop.run("backup damaged.sqlite").exits(0);
    let mut bytes = std::fs::read(shop.path("damaged.sqlite")).unwrap();
    let middle = bytes.len() / 2;
    bytes[4096..middle].fill(0x5a);
    std::fs::write(shop.path("damaged.sqlite"), bytes).unwrap();
    let ended = shop.run("doctor --db damaged.sqlite").exits(1);
    ended.says("store\tbad\t");
}

#[test]
fn between_commands_the_store_is_one_file_under_one_name() {
    let shop = Shop::open();
    shop.run(SUBMIT).exits(0);
    assert!(!shop.path("recharge.sqlite-wal").exists());
    // A careless copy, and even it derives the same numbers.
    std::fs::copy(shop.path("recharge.sqlite"), shop.path("copy.sqlite")).unwrap();
    shop.run(&format!("{SUBMIT} --db copy.sqlite")).exits(0);
    std::fs::hard_link(shop.path("recharge.sqlite"), shop.path("other.sqlite")).unwrap();
    for db in ["recharge.sqlite", "other.sqlite"] {
        let ended = shop.run(&format!("{SUBMIT} --db {db}")).exits(8);
        ended.complains("another name");
    }
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn accounts_are_forgotten_by_age_and_only_if_that_is_meant() {
    let shop = Shop::open();
    shop.run("forget --before 2027-01-01")
        .exits(8)
        .complains("is not there");
    shop.run(SUBMIT).exits(0);
    shop.run("forget --before 2999-01-01 --yes")
        .exits(2)
        .complains("in the future");
    // It has just ended, and is still asked about.
    for line in [
        "forget --before 2026-01-02",
        "forget --before 2026-01-02 --yes",
    ] {
        assert_eq!(shop.json(line)["orders"], 0);
    }
    shop.run("forget --before 2026-01-02")
        .exits(0)
        .says("0 orders ended before")
        .says("nothing is changed");
    let found = shop.json(&format!("orders --account {PHONE}"));
    assert_eq!(found["orders"].as_array().unwrap().len(), 1, "{found}");
}

#[test]
fn what_is_forgotten_is_shown_masked() {
    // Asked once more after its end, and then no more.
    let shop = Shop::with("50ms", "watch_after = [\"100ms\"]\n");
    shop.run(SUBMIT).exits(0);
    let now = || jiff::Timestamp::now().to_string();
    until("nobody asks about it any more", || {
        shop.run("query A1").exits(0);
        shop.json(&format!("forget --before {}", now()))["orders"] == 1
    });
    let done = shop.json(&format!("forget --before {} --yes", now()));
    assert_eq!(
        (&done["orders"], &done["forgotten"]),
        (&1.into(), &true.into())
    );
    shop.run("show A1").exits(0).says("159****5678");
    let found = shop.json(&format!("orders --account {PHONE}"));
    assert_eq!(found["orders"].as_array().unwrap().len(), 0, "{found}");
    shop.run(SUBMIT).exits(2);
    assert_eq!(shop.sent(PHONE), (1, 1));
}
