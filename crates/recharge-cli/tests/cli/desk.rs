//! `recharge review decide`: who may decide what, on the real binary.

use serde_json::{Value, json};

use crate::common::Ended;
use crate::shop::{NOBODY, PHONE, Running, Shop, silent, until};

const PEOPLE: &str = "[people]\napprovers = [\"li.na\", \"wang.wei\"]\n";

/// An order that the first provider never had, on the desk for that.
fn not_taken(shop: &Shop, submit: &[&str]) {
    shop.script(PHONE, &json!({ "provider": "juhe", "submit": submit }));
    let line = format!("submit --order-id A1 --account {PHONE} --amount 10");
    shop.run(&line).exits(5).says("review (probably_not_taken)");
    assert_eq!(shop.sent(PHONE).1, 0);
}

fn version(shop: &Shop) -> Value {
    shop.json("show A1")["version"].clone()
}

fn decide(shop: &Shop, what: &str, by: &str) -> Ended {
    let seen = version(shop);
    let line = format!("review decide A1 {what} --by {by} --evidence ticket-1 --seen {seen}");
    shop.run(&line)
}

#[test]
fn two_people_send_it_elsewhere_and_one_can_not() {
    let shop = Shop::with("50ms", PEOPLE).hurried();
    not_taken(&shop, &["reset"]);
    let list = shop.run("review list").exits(0);
    list.says("send-elsewhere --provider jisu (2 people)");
    let elsewhere = "send-elsewhere --provider jisu";
    decide(&shop, elsewhere, "zhao.yun")
        .exits(2)
        .complains("approvers");
    decide(&shop, "send-elsewhere", "li.na")
        .exits(2)
        .complains("--provider");
    decide(&shop, "send-elsewhere --provider juhe", "li.na")
        .exits(2)
        .complains("has not used");
    decide(&shop, "cancel", "li.na")
        .exits(2)
        .complains("can't be cancelled");
    decide(&shop, elsewhere, "li.na")
        .exits(0)
        .says("waits for a second person: li.na");
    let list = shop.run("review list").exits(0);
    list.says("send-elsewhere --provider jisu (one more person; li.na has approved)");
    for same in ["li.na", "LI.NA", "Li.Na"] {
        decide(&shop, elsewhere, same)
            .exits(2)
            .complains("it takes a second person");
    }
    assert!(shop.rows(PHONE).iter().all(|row| row["provider"] == "juhe"));
    decide(&shop, elsewhere, "wang.wei")
        .exits(0)
        .says("succeeded\n")
        .says("attempt 2: paid at jisu");
    assert_eq!(shop.sent(PHONE).1, 1);
    let told = shop.run("show A1");
    told.says("li.na").says("wang.wei").says("ticket-1");
    decide(&shop, elsewhere, "wang.wei").exits(2);
    assert_eq!(shop.sent(PHONE).1, 1);
}

#[test]
fn two_people_send_it_again_and_it_is_the_same_number() {
    let shop = Shop::with("50ms", PEOPLE).hurried();
    not_taken(&shop, &["reset"]);
    let number = shop.json("show A1")["attempts"][0]["number"].clone();
    let line = "review decide A1 send-again --by li.na --evidence ticket-1";
    shop.run(line).exits(2).complains("--seen");
    let seen = version(&shop);
    shop.run(&format!(
        "review decide A1 send-again --by li.na --seen {seen}"
    ))
    .exits(2)
    .complains("--evidence");
    for nothing in ["-", "。", "\u{200b}"] {
        let line =
            format!("review decide A1 send-again --by li.na --seen {seen} --evidence={nothing}");
        shop.run(&line).exits(2).complains("say what proves");
    }
    shop.run(&format!("{line} --seen 1"))
        .exits(2)
        .complains("new evidence");
    shop.run(&format!("{line} --seen 1000000")).exits(2);
    let again = decide(&shop, "send-again", "li.na");
    if again.code == 2 {
        // Not where the upstream isn't known to refuse duplicates.
        again.complains("refuse duplicates");
        return;
    }
    decide(&shop, "send-again", "wang.wei")
        .exits(0)
        .says("succeeded\n");
    let rows = shop.rows(PHONE);
    assert_eq!(
        (rows.len(), &rows[0]["order_id"], &rows[0]["charges"]),
        (1, &number, &1.into())
    );
}

#[test]
fn without_approvers_nobody_decides_what_takes_two() {
    let shop = Shop::open().hurried();
    not_taken(&shop, &["reset"]);
    shop.run("review list")
        .exits(0)
        .says("fewer than two names");
    assert_eq!(shop.json("review list")["approvers_missing"], true);
    decide(&shop, "failed", "li.na")
        .exits(2)
        .complains("approvers");
    decide(&shop, "succeeded", "li.na")
        .exits(0)
        .says("succeeded\n");
    // It is no longer on the desk.
    assert_eq!(shop.json("review list")["orders"], json!([]));
    decide(&shop, "succeeded", "li.na")
        .exits(2)
        .complains("can't be marked succeeded");
}

#[test]
fn two_people_fail_what_is_charging_and_a_charge_brings_it_back() {
    let shop = Shop::with("never", PEOPLE);
    let line = format!("submit --order-id A1 --account {PHONE} --amount 10");
    let run = shop
        .at(&line)
        .variable("RECHARGE_LIFECYCLE_CHARGING_LIMIT", "200ms");
    run.run().exits(5).says("review (overdue)");
    // An answer makes an approval void, so it is asked rarely here.
    let rarely = |line: &str| {
        let run = shop
            .at(line)
            .variable("RECHARGE_LIFECYCLE_QUERY_AFTER", "1h");
        silent(run.run())
    };
    let decides = |what: &str, by: &str| {
        let seen = version(&shop);
        let line = format!("review decide A1 {what} --by {by} --evidence ticket-1 --seen {seen}");
        rarely(&line)
    };
    let asked = rarely("review decide A1 ask-again --by zhao.yun").exits(0);
    asked.says("zhao.yun");
    // A question of the schedule that is still due would make the approval void.
    until("the schedule has had its turn", || {
        rarely("query A1");
        let shown = shop.json("show A1");
        let at = |name: &str| shown[name].as_str().unwrap().parse::<jiff::Timestamp>();
        at("next").unwrap().as_second() - at("accepted").unwrap().as_second() > 1_800
    });
    decides("send-again", "li.na").exits(2);
    decides("send-elsewhere --provider jisu", "li.na").exits(2);
    let seen = version(&shop);
    decides("failed", "li.na")
        .exits(0)
        .says("waits for a second person");
    let list = shop.run("review list").exits(0);
    list.says("failed (one more person; li.na has approved)");
    let stale = format!("review decide A1 failed --by wang.wei --evidence ticket-1 --seen {seen}");
    rarely("query A1").exits(5);
    rarely(&stale).exits(2).complains("new evidence");
    decides("failed", "wang.wei")
        .exits(0)
        .says("review (overdue)");
    decides("failed", "li.na").exits(0).says("failed\n");
    rarely("query A1").exits(1);
    shop.sim.post("/_sim/step", "");
    let back = rarely("query A1").exits(5);
    back.says("review (contradiction)")
        .complains("alarm: order A1");
    decides("succeeded", "li.na").exits(0);
    rarely("query A1").exits(0);
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn one_person_cancels_what_was_not_sent() {
    let shop = Shop::open();
    let line = format!("submit --order-id A1 --account {PHONE} --amount 10 --provider juhe");
    let waiting = shop
        .at(&line)
        .variable("RECHARGE_JUHE_BASE_URL", NOBODY)
        .variable("RECHARGE_LIFECYCLE_NOT_SENT_TRIES", "100");
    let running = Running::new(waiting);
    until("it was tried", || {
        let ended = shop.run("show A1");
        ended.code == 0 && ended.out.contains("not one byte")
    });
    running.stopped().exits(5).says("pending\n");
    // The upstream stays away, or it would be sent first. It may just have been tried once more.
    let cancelled = || {
        let seen = version(&shop);
        let line = format!("review decide A1 cancel --by li.na --evidence ticket-1 --seen {seen}");
        let run = shop.at(&line).variable("RECHARGE_JUHE_BASE_URL", NOBODY);
        let ended = silent(run.variable("RECHARGE_LIFECYCLE_QUERY_AFTER", "1h").run());
        ended.code == 0 && ended.out.starts_with("failed\n")
    };
    until("it is cancelled", cancelled);
    shop.run(&format!(
        "submit --order-id A1 --account {PHONE} --amount 10 --provider juhe"
    ))
    .exits(1);
    assert_eq!(shop.sent(PHONE), (0, 0));
}

#[test]
fn an_order_that_is_not_there_is_said_so() {
    let shop = Shop::open();
    shop.run("query A1").exits(2).complains("no order A1");
    shop.run("review decide A1 ask-again --by li.na")
        .exits(2)
        .complains("no order A1");
    shop.run("show A1").exits(2).complains("no order A1");
}
