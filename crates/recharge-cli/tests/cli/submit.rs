//! `recharge submit` and `query` against the simulator.

use serde_json::json;

use crate::shop::{NOBODY, PHONE, Shop, silent, until};

fn submit(order_id: &str, rest: &str) -> String {
    format!("submit --order-id {order_id} --account {PHONE} --amount {rest}")
}

#[test]
fn an_order_succeeds_and_is_told_in_full() {
    let shop = Shop::open();
    let ended = shop.run(&submit("A1", "10")).exits(0);
    ended
        .says("succeeded\n")
        .says("order id: A1\n")
        .says("account: 159****5678 (mobile)\n")
        .says("amount: 10 yuan\n")
        .says("attempt 1: paid at juhe, number ");
    assert_eq!(shop.sent(PHONE), (1, 1));

    let json = shop.json(&submit("A1", "10"));
    assert_eq!(
        (&json["state"], &json["account"]),
        (&"succeeded".into(), &"159****5678".into())
    );
    assert_eq!(json["attempts"][0]["standing"], "paid");
    let row = &shop.rows(PHONE)[0];
    assert_eq!(json["attempts"][0]["number"], row["order_id"]);
    assert_eq!(json["upstream_id"], row["upstream_id"]);
    assert!(
        json["cost"].is_string() && json["history"].is_array(),
        "{json}"
    );
    assert_eq!(shop.sent(PHONE), (1, 1), "the same order is not sent twice");

    let json = shop.json("show A1");
    assert_eq!(json["state"], "succeeded");
    assert_eq!(shop.json("orders")["orders"][0]["order_id"], "A1");
    assert_eq!(
        shop.json(&format!("orders --phone {PHONE}"))["orders"][0]["order_id"],
        "A1"
    );
    assert_eq!(shop.json("orders --phone 15912345679")["orders"], json!([]));
    assert_eq!(shop.json("orders --state failed")["orders"], json!([]));
}

#[test]
fn what_is_refused_everywhere_and_what_fails_is_status_1() {
    let shop = Shop::open();
    shop.script(PHONE, &json!({ "submit": ["refused"] }));
    let ended = shop.run(&submit("A1", "10")).exits(1);
    ended
        .says("failed\n")
        .says("attempt 1: refused at juhe")
        .says("attempt 2: refused at jisu");
    assert_eq!(shop.sent(PHONE).1, 0);

    shop.script(PHONE, &json!({ "end": "order_fails" }));
    shop.run(&submit("A2", "10"))
        .exits(1)
        .says("attempt 1: failed at juhe");
    shop.run("query A2").exits(1);
    assert_eq!(shop.sent(PHONE).1, 0);
    // A failed order is no duplicate, and its id still stands for it.
    shop.script(PHONE, &json!({}));
    shop.run(&submit("A2", "10")).exits(1);
    shop.run(&submit("A3", "10")).exits(0);
    assert_eq!(shop.sent(PHONE).1, 1);
}

#[test]
fn a_refusal_goes_to_the_next_provider_and_a_choice_does_not() {
    let shop = Shop::open();
    shop.script(PHONE, &json!({ "provider": "juhe", "submit": ["refused"] }));
    let json = shop.json(&submit("A1", "10"));
    assert_eq!(
        (&json["state"], &json["provider"]),
        (&"succeeded".into(), &"jisu".into())
    );
    shop.run(&submit("A2", "20 --provider juhe")).exits(1);
    let json = shop.json(&submit("A3", "30 --provider jisu"));
    assert_eq!(
        (&json["state"], &json["provider"]),
        (&"succeeded".into(), &"jisu".into())
    );
    assert_eq!(json["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(shop.sent(PHONE).1, 2);
}

#[test]
fn an_order_that_takes_too_long_is_on_the_desk_and_is_status_5() {
    let shop = Shop::with("never", "");
    let line = submit("A1", "10");
    let late = shop
        .at(&line)
        .variable("RECHARGE_LIFECYCLE_CHARGING_LIMIT", "300ms");
    let ended = silent(late.run()).exits(5);
    ended.says("review (overdue)").complains("alarm: order A1");
    let list = shop.run("review list").exits(0);
    list.says("A1\toverdue\t").says("succeeded (1 person)");
    shop.run("query A1").exits(5);
    shop.sim.post("/_sim/step", "");
    shop.run("query A1").exits(0).says("succeeded\n");
    assert_eq!(shop.run("review list").exits(0).out.lines().count(), 1);
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn an_order_id_stands_for_one_order() {
    let shop = Shop::open();
    shop.run(&submit("A1", "10")).exits(0);
    for other in [
        submit("A1", "20"),
        submit("A1", "10 --provider jisu"),
        submit("A1", "10 --carrier unicom"),
        "submit --order-id A1 --account 15912345679 --amount 10".to_owned(),
    ] {
        let ended = shop.run(&other).exits(2);
        ended.complains("stands for another order already");
    }
    assert_eq!(shop.sim.get("/_sim/ledger").as_array().unwrap().len(), 1);
}

#[test]
fn the_same_again_must_be_allowed() {
    let shop = Shop::open();
    shop.run(&submit("A1", "10")).exits(0);
    let ended = shop.run(&submit("A2", "10")).exits(2);
    ended.complains("A1").complains("--allow-duplicate");
    shop.run("show A2").exits(2).complains("no order A2");
    shop.run(&submit("A2", "20")).exits(0);
    shop.run(&submit("A3", "10 --allow-duplicate")).exits(0);
    assert_eq!(shop.sent(PHONE), (3, 3));
    let later = shop
        .at(&submit("A4", "10"))
        .variable("RECHARGE_LIFECYCLE_DUPLICATE_WINDOW", "1ms");
    silent(later.run()).exits(0);
}

#[test]
fn what_nobody_sells_leaves_no_trace() {
    let shop = Shop::open();
    let ended = shop.run(&submit("A1", "3")).exits(2);
    ended
        .complains("nobody sells this face value")
        .complains("100");
    let line = "submit --order-id A1 --kind landline --account 0571-56565366 --amount 100";
    shop.run(line).exits(2).complains("carrier");
    let ended = shop.run(&format!(
        "submit --order-id A1 --account {PHONE}9 --amount 10"
    ));
    ended.exits(2).complains("11 digits");
    assert!(!shop.path("recharge.sqlite").exists());
    shop.run("show A1").exits(8).complains("is not there");
    shop.run(&format!("{line} --carrier unicom"))
        .exits(0)
        .says("attempt 1: paid at jisu");
}

#[test]
fn who_does_not_wait_finds_it_later() {
    let shop = Shop::open();
    let json = shop.json(&submit("A1", "10 --no-wait"));
    assert_eq!(json["order_id"], "A1");
    until("it has succeeded", || shop.run("query A1").code == 0);
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn an_order_that_was_accepted_goes_on_though_its_route_is_closed() {
    let shop = Shop::open();
    let line = submit("A1", "10");
    shop.run(&line).exits(0);
    for (name, value) in [
        ("JUHE_FACE_VALUES", "20"),
        ("JISU_MOBILE_FACE_VALUES", "20"),
    ] {
        let changed = format!("RECHARGE_{name}");
        let run = shop.at(&line).variable("RECHARGE_JUHE_FACE_VALUES", "20");
        silent(run.variable(&changed, value).run())
            .exits(0)
            .says("succeeded\n");
    }
    let now = |id: &str| {
        let run = shop
            .at(&submit(id, "10"))
            .variable("RECHARGE_JUHE_FACE_VALUES", "20");
        silent(run.variable("RECHARGE_JISU_MOBILE_FACE_VALUES", "20").run())
    };
    now("A2").exits(2).complains("nobody sells this face value");
    assert_eq!(shop.sent(PHONE), (1, 1));
}

#[test]
fn an_upstream_that_is_away_is_passed_over_and_nothing_is_lost() {
    let shop = Shop::open();
    let away = |line: &str, jisu: &str| {
        let run = shop.at(line).variable("RECHARGE_JUHE_BASE_URL", NOBODY);
        let run = run
            .variable("RECHARGE_LIFECYCLE_NOT_SENT_TRIES", "1")
            .variable("RECHARGE_LIFECYCLE_PENDING_LIMIT", "2s");
        let jisu = if jisu.is_empty() {
            format!("http://{}/", shop.sim.address)
        } else {
            jisu.to_owned()
        };
        silent(run.variable("RECHARGE_JISU_BASE_URL", &jisu).run())
    };
    away(&submit("A1", "10"), "")
        .exits(0)
        .says("attempt 1: unsent at juhe")
        .says("attempt 2: paid at jisu");
    // Nobody is there: it fails, unsent, and says so.
    away(&submit("A2", "20"), NOBODY)
        .exits(1)
        .says("attempt 1: unsent");
    assert_eq!(shop.sent(PHONE), (1, 1));
}
