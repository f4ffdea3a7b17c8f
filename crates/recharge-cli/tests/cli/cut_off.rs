//! Commands that are killed or stopped while an order is on its way: it is asked about, never sent again.

use serde_json::json;

use crate::shop::{PHONE, Running, Shop, silent, until};

const SUBMIT: &str = "submit --order-id A1 --account 15912345678 --amount 10";

/// The upstream takes the order and keeps the answer to itself.
fn mute(shop: &Shop) -> Running {
    shop.script(PHONE, &json!({ "submit": ["timeout_after"] }));
    let run = shop.at(SUBMIT).variable("RECHARGE_HTTP_TIMEOUT", "60s");
    let running = Running::new(run);
    shop.waits_for(PHONE);
    running
}

#[test]
fn killed_in_flight_and_submitted_again_it_is_asked_about() {
    let shop = Shop::open();
    mute(&shop).killed();
    let json = shop.json("show A1");
    assert_eq!(json["state"], "submitting");
    let json = shop.json(SUBMIT);
    assert_eq!(json["state"], "succeeded");
    let history = json["history"].as_array().unwrap();
    assert!(
        history.iter().any(|event| event["event"] == "recovered"),
        "{json}"
    );
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn killed_in_flight_and_asked_about_it_ends() {
    let shop = Shop::open();
    mute(&shop).killed();
    until("it has succeeded", || shop.run("query A1").code == 0);
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn killed_again_and_again_it_is_sent_once() {
    let shop = Shop::with("never", "");
    mute(&shop).killed();
    for _ in 0..5 {
        let running = shop.start(SUBMIT);
        let before = shop.sim.get("/_sim/faults")["calls"].clone();
        until("it was asked about", || {
            shop.sim.get("/_sim/faults")["calls"] != before
        });
        running.killed();
    }
    shop.sim.post("/_sim/step", "");
    shop.run(SUBMIT).exits(0);
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn what_the_upstream_never_had_goes_to_the_desk_and_not_out_again() {
    let shop = Shop::open().hurried();
    shop.script(PHONE, &json!({ "submit": ["timeout_before"] }));
    let running = Running::new(shop.at(SUBMIT).variable("RECHARGE_HTTP_TIMEOUT", "60s"));
    until("it was asked to", || {
        shop.sim.get("/_sim/faults")["calls"] != 0
    });
    running.killed();
    let ended = shop.run(SUBMIT).exits(5);
    ended
        .says("review (probably_not_taken)")
        .complains("alarm: order A1");
    assert_eq!(shop.sent(PHONE).1, 0);
    assert!(shop.sent(PHONE).0 <= 1);
}

#[test]
fn told_to_stop_it_ends_in_good_order_and_says_how_to_go_on() {
    let shop = Shop::with("never", "");
    let running = shop.start(SUBMIT);
    until("it is charging", || {
        let ended = shop.run("show A1 --json");
        ended.code == 0 && ended.json()["state"] == "charging"
    });
    let ended = running.stopped().exits(5);
    ended
        .says("charging\n")
        .complains("interrupted")
        .complains("recharge query");
    shop.sim.post("/_sim/step", "");
    shop.run(SUBMIT).exits(0);
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn told_to_stop_in_flight_it_waits_for_the_answer() {
    let shop = Shop::open();
    shop.script(PHONE, &json!({ "submit": ["drip"] }));
    let running = shop.start(SUBMIT);
    shop.waits_for(PHONE);
    let ended = running.stopped();
    assert!([0, 5].contains(&ended.code), "{ended:?}");
    let json = shop.json("show A1");
    assert_ne!(json["state"], "submitting", "{json}");
    shop.run(SUBMIT).exits(0);
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn while_one_writes_others_read_and_a_second_one_is_refused() {
    let shop = Shop::with("never", "");
    let running = shop.start(SUBMIT);
    shop.waits_for(PHONE);
    for line in ["orders", "show A1", "review list", "doctor"] {
        shop.run(line).exits(0);
    }
    shop.json("backup copy.sqlite");
    shop.run("orders --db copy.sqlite").exits(0).says("A1\t");
    let other = "submit --order-id A2 --account 15912345679 --amount 10";
    for line in [
        other,
        "query A1",
        SUBMIT,
        "review decide A1 ask-again --by li.na",
    ] {
        shop.run(line)
            .exits(8)
            .complains("in use by another process");
    }
    std::fs::write(
        shop.path("a.csv"),
        "order_id,kind,account,amount\nA2,mobile,15912345679,10\n",
    )
    .unwrap();
    shop.run("batch a.csv")
        .exits(8)
        .complains("in use by another process");
    assert!(!shop.path("a.result.csv").exists());
    shop.run("restore copy.sqlite --replace")
        .exits(8)
        .complains("in use by another process");
    running.stopped().exits(5);
    assert!(shop.rows("15912345679").is_empty());
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn of_two_that_start_at_once_the_order_is_sent_by_one() {
    let shop = Shop::open();
    for _ in 0..5 {
        let both = [shop.start(SUBMIT), shop.start(SUBMIT)];
        for ended in both.map(Running::ended) {
            assert!([0, 8].contains(&ended.code), "{ended:?}");
        }
    }
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn an_answer_that_can_not_be_printed_is_told_and_the_order_is_what_it_is() {
    let shop = Shop::open();
    let run = format!("exec \"$0\" {SUBMIT} >/dev/full");
    let ended = std::process::Command::new("sh")
        .args(["-c", &run, env!("CARGO_BIN_EXE_recharge")])
        .current_dir(shop.home())
        .env_clear()
        .output()
        .unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(8), "{err}");
    silent(shop.at("show A1").run())
        .exits(0)
        .says("succeeded\n");
    assert_eq!(shop.sent(PHONE), (1, 1));
}
