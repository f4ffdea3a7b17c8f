//! What the configuration says about orders is what happens.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::Ended;
use crate::shop::{NOBODY, PHONE, Shop, silent, until};

fn submit(order_id: &str, rest: &str) -> String {
    format!("submit --order-id {order_id} --account {PHONE} --amount {rest}")
}

/// Runs it with these variables.
fn with(shop: &Shop, line: &str, variables: &[(&str, &str)]) -> Ended {
    let run = variables.iter().fold(shop.at(line), |run, (name, value)| {
        run.variable(&format!("RECHARGE_{name}"), value)
    });
    silent(run.run())
}

#[test]
fn a_price_above_the_ceiling_is_not_paid() {
    let low = "[[route]]\nkind = \"mobile\"\nprice_ceiling = \"1.00\"\n";
    let shop = Shop::with("50ms", low);
    let ended = shop.run(&submit("A1", "10")).exits(1);
    ended.says("above the ceiling");
    assert!(shop.rows(PHONE).is_empty());
    let high = Shop::with("50ms", &low.replace("1.00", "11.00"));
    high.run(&submit("A1", "10"))
        .exits(0)
        .says("within the ceiling");
    assert_eq!(high.sent(PHONE), (1, 1));
}

#[test]
fn after_a_confirmed_failure_another_provider_pays_only_if_that_is_switched_on() {
    for (on, code, charges) in [(false, 1, 0), (true, 0, 1)] {
        let table = format!(
            "[[route]]\nkind = \"mobile\"\nproviders = [\"juhe\", \"jisu\"]\nfailover_after_failure = {on}\n"
        );
        let shop = Shop::with("50ms", &table);
        shop.script(PHONE, &json!({ "provider": "juhe", "end": "order_fails" }));
        shop.run(&submit("A1", "10"))
            .exits(code)
            .says("attempt 1: failed at juhe");
        assert_eq!(shop.sent(PHONE).1, charges);
    }
}

#[test]
fn routes_are_ordered_narrowed_and_closed() {
    let first =
        "[[route]]\nkind = \"mobile\"\nproviders = [\"jisu\", \"juhe\"]\nface_values = [10]\n";
    let shop = Shop::with("50ms", first);
    assert_eq!(shop.json(&submit("A1", "10"))["provider"], "jisu");
    shop.run(&submit("A2", "20"))
        .exits(2)
        .complains("there are 10 yuan");
    let closed = Shop::with("50ms", "[[route]]\nkind = \"mobile\"\nenabled = false\n");
    closed
        .run(&submit("A1", "10"))
        .exits(2)
        .complains("switched off");
    assert!(closed.rows(PHONE).is_empty());
}

#[test]
fn an_account_has_its_limits_for_the_day() {
    let shop = Shop::with(
        "50ms",
        "[limits]\naccount_orders_per_day = 2\naccount_yuan_per_day = 100\n",
    );
    shop.run(&submit("A1", "30")).exits(0);
    shop.run(&submit("A2", "100"))
        .exits(2)
        .complains("limit for the day");
    shop.run(&submit("A3", "50")).exits(0);
    let ended = shop.run(&submit("A4", "10 --allow-duplicate")).exits(2);
    ended.complains("limit for the day");
    shop.run("submit --order-id A5 --account 15912345679 --amount 10")
        .exits(0);
    shop.run(&submit("A1", "30")).exits(0);
    assert_eq!(shop.sent(PHONE), (2, 2));
}

#[test]
fn submits_a_second_are_bounded() {
    let shop = Shop::with("50ms", "[limits]\nsubmits_per_second = 4\nin_flight = 1\n");
    let mut text = "order_id,kind,account,amount\n".to_owned();
    for nth in 0..6 {
        writeln!(text, "B{nth},mobile,1890000000{nth},10").unwrap();
    }
    std::fs::write(shop.path("a.csv"), text).unwrap();
    let began = Instant::now();
    shop.run("batch a.csv").exits(0);
    assert!(began.elapsed() > Duration::from_secs(1));
}

#[test]
fn limits_of_time_call_people_or_end_the_order() {
    let shop = Shop::with("never", "");
    let waits = [
        ("JUHE_BASE_URL", NOBODY),
        ("LIFECYCLE_NOT_SENT_TRIES", "100"),
        ("LIFECYCLE_PENDING_LIMIT", "500ms"),
    ];
    let ended = with(&shop, &submit("A1", "10 --provider juhe"), &waits).exits(1);
    ended.says("failed\n");
    assert!(shop.rows(PHONE).is_empty());

    shop.script(PHONE, &json!({ "submit": ["reset"] }));
    let ended = with(
        &shop,
        &submit("A2", "10"),
        &[("LIFECYCLE_UNKNOWN_LIMIT", "500ms")],
    )
    .exits(5);
    ended
        .says("review (overdue)")
        .complains("lifecycle.unknown_limit is 500ms");
}

#[test]
fn so_many_no_such_order_take_so_many_questions() {
    let shop = Shop::open().hurried();
    shop.script(PHONE, &json!({ "submit": ["reset"] }));
    let line = format!("{} --json", submit("A1", "10"));
    let many = [
        ("LIFECYCLE_NOT_FOUND_ANSWERS", "35"),
        ("LIFECYCLE_UNKNOWN_LIMIT", "1h"),
    ];
    let json = with(&shop, &line, &many).exits(5).json();
    assert_eq!(json["review_reason"], "probably_not_taken");
    let answers = json["history"].as_array().unwrap().iter();
    let answers = answers
        .filter(|event| event["outcome"] == "not_found")
        .count();
    assert!(answers >= 35, "{answers}");
}

#[test]
fn an_end_is_watched_and_a_contradiction_called_out() {
    let shop = Shop::open();
    let faults = json!({
        "timings": { "reversal": "300ms" },
        "order": [
            { "account": PHONE, "end": "succeeds_then_fails" },
            { "account": "15912345679", "settle_after": "never" },
        ],
    });
    shop.sim.post("/_sim/faults", &faults.to_string());
    let watch = [("LIFECYCLE_WATCH_AFTER", "1s,2s,3s")];
    with(&shop, &submit("A1", "10"), &watch).exits(0);
    let other = "submit --order-id A2 --account 15912345679 --amount 10";
    let run = shop
        .at(other)
        .variable("RECHARGE_LIFECYCLE_WATCH_AFTER", "1s,2s,3s");
    let running = crate::shop::Running::new(run);
    let state = |json: &Value| json["review_reason"].clone();
    until("it is called out", || {
        state(&shop.json("show A1")) == "contradiction"
    });
    running.stopped().exits(5).complains("alarm: order A1");
    shop.run("review list").exits(0).says("A1\tcontradiction\t");
}
