//! `recharge provider query`, `check`, `quote`, `balance` and `orders` against the simulator.

use crate::common::{Ended, KEY, OPEN_ID, Sim, answers, recharge};

const JUHE: &str = "--provider juhe --order-id 111111111";
const JUHE_ORDER: &str = "--account 18900001234 --amount 1";
const JISU: &str = "--provider jisu --kind landline --order-id A0000001";
const JISU_ORDER: &str = "--account 0571-56565366 --amount 100 --carrier unicom";

#[test]
fn no_such_order_is_status_1_and_proves_nothing() {
    let sim = Sim::start();
    for order in [JUHE, JISU, "--provider jisu --order-id A0000001"] {
        let line = format!("provider query {order}");
        sim.with(&line)
            .run()
            .exits(1)
            .says("no such order; a delayed submit may still arrive");
        let json = sim.with(&format!("{line} --json")).run().exits(1).json();
        assert_eq!(json["outcome"], "not_found");
    }
}

#[test]
fn an_answer_about_another_order_is_no_answer() {
    let sim = Sim::start();
    sim.with(&format!("provider submit {JISU} {JISU_ORDER}"))
        .run()
        .exits(0);
    let query = format!("provider query {JISU}");
    sim.with(&format!("{query} --account 0571-56565366 --amount 100"))
        .run()
        .exits(0);
    let other = sim.with(&format!("{query} --account 0571-56565367"));
    other.run().exits(7).says("another account");
    let other = sim.with(&format!("{query} --amount 50"));
    other.run().exits(7).says("another face value");
}

#[test]
fn a_failed_order_is_found_as_failed() {
    let sim = Sim::start();
    sim.with(&format!("provider submit {JUHE} {JUHE_ORDER}"))
        .run()
        .exits(0);
    sim.post("/_sim/step", "{\"to\": \"failed\"}");
    let json = sim
        .with(&format!("provider query {JUHE} --json"))
        .run()
        .exits(0)
        .json();
    assert_eq!(json["state"], "failed");
}

#[test]
fn questions_about_products_are_answered() {
    let sim = Sim::start();
    let phone = "--provider juhe --account 18900001234";
    sim.with(&format!("provider check {phone} --amount 10"))
        .run()
        .exits(0)
        .says("can be charged");
    sim.with(&format!("provider check {phone} --amount 3"))
        .run()
        .exits(1)
        .says("can't be charged");
    let json = sim
        .with(&format!("provider check {phone} --amount 3 --json"))
        .run()
        .exits(1)
        .json();
    assert_eq!(json["chargeable"], false);

    sim.with(&format!("provider quote {phone} --amount 10"))
        .run()
        .exits(0)
        .says("price: ")
        .says("product: ");
    let json = sim
        .with(&format!("provider quote {phone} --amount 10 --json"))
        .run()
        .exits(0)
        .json();
    assert!(
        json["price"]
            .as_str()
            .unwrap()
            .parse::<recharge_core::Money>()
            .is_ok()
    );
    let goods =
        "provider quote --provider jisu --kind landline --account 0571-56565366 --amount 100";
    sim.with(goods)
        .run()
        .exits(2)
        .complains("landline_goods_path");

    assert_eq!(
        sim.with("provider balance --provider juhe")
            .run()
            .exits(0)
            .out,
        "1000000.00\n"
    );
    let json = sim
        .with("provider balance --provider juhe --json")
        .run()
        .exits(0)
        .json();
    assert_eq!(json["balance"], "1000000.00");
}

#[test]
fn a_key_that_is_refused_is_status_4_on_questions() {
    let sim = Sim::start();
    let wrong = sim.with("provider balance --provider juhe --json");
    let error = wrong
        .variable("RECHARGE_JUHE_APP_KEY", "other")
        .run()
        .exits(4)
        .json_error();
    assert_eq!(error["answer"]["code"], "10001");
    // On a query of an order nothing follows from it.
    let wrong = sim.with(&format!("provider query {JUHE}"));
    wrong
        .variable("RECHARGE_JUHE_APP_KEY", "other")
        .run()
        .exits(7);
}

#[test]
fn orders_are_listed_by_page_and_product() {
    let sim = Sim::start();
    sim.with(&format!("provider submit {JUHE} {JUHE_ORDER}"))
        .run()
        .exits(0);
    sim.with(&format!("provider submit {JISU} {JISU_ORDER}"))
        .run()
        .exits(0);
    let mobile = "--provider jisu --order-id M0000001 --account 18900001234 --amount 10";
    sim.with(&format!("provider submit {mobile}"))
        .run()
        .exits(0);
    for (list, number) in [
        ("--provider juhe", "111111111"),
        ("--provider jisu --kind landline", "A0000001"),
        ("--provider jisu", "M0000001"),
    ] {
        let ended = sim.with(&format!("provider orders {list}")).run().exits(0);
        let lines: Vec<&str> = ended.out.lines().collect();
        assert_eq!(lines.len(), 2, "{ended:?}");
        assert_eq!(lines[0], "order id\tupstream id\tstate\tprice");
        assert!(
            lines[1].starts_with(number) && lines[1].contains("\tcharging\t"),
            "{ended:?}"
        );
        let json = sim
            .with(&format!("provider orders {list} --json"))
            .run()
            .exits(0)
            .json();
        assert_eq!(json["orders"][0]["order_id"], number);
        assert_eq!((&json["page"], &json["more"]), (&1.into(), &false.into()));
        let next = sim
            .with(&format!("provider orders {list} --page 2 --json"))
            .run()
            .exits(0)
            .json();
        assert_eq!(next["orders"], serde_json::json!([]));
    }
}

/// A query at Juhe that is answered with this echo of the phone.
fn asked(echo: &str, rest: &str) -> Ended {
    let answer = format!(
        r#"{{"reason": "", "error_code": 0, "result": {{"game_state": 1, "uordercash": "1.060", "game_userid": "{echo}"}}}}"#
    );
    let line = format!("provider query {JUHE} {rest}");
    recharge(&line)
        .variable("RECHARGE_JUHE_APP_KEY", KEY)
        .variable("RECHARGE_JUHE_OPEN_ID", OPEN_ID)
        .variable("RECHARGE_JUHE_BASE_URL", &answers(answer))
        .run()
}

#[test]
fn an_account_is_compared_where_it_is_given_and_named() {
    for (echo, rest) in [
        ("", ""),
        ("", "--account 18900001234"),
        ("18900001234", ""),
        ("18900001234", "--account 18900001234"),
        ("189****1234", "--account 18900001234"),
    ] {
        asked(echo, rest)
            .exits(0)
            .says("succeeded")
            .says("price: 1.06");
    }
    let other = asked("18900001235", "--account 18900001234").exits(7);
    other.says("another phone");
    let masked = asked("189****1234", "").exits(2);
    assert!(
        !masked
            .complains("ask again with --account")
            .err
            .contains("1234")
    );
}
