//! Juhe's calls, codes and field types.

use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;
use recharge_core::Money;
use recharge_sim::{
    Credentials, DEFAULT_JUHE_KEY, DEFAULT_JUHE_OPENID, LedgerState, Request, Settle, Upstream,
    World, WorldConfig, md5,
};
use serde_json::{Value, json as value};

use crate::support::*;

fn world() -> World {
    World::new(WorldConfig::default())
}

fn get(world: &mut World, path: &str, query: &str) -> Value {
    let target = format!("/ofpay/mobile/{path}?key={DEFAULT_JUHE_KEY}&{query}");
    json(&world.handle(Duration::ZERO, &Request::get(&target)))
}

// Proves: juhe.endpoint.submit, juhe.submit.fields, juhe.submit.cardnum, juhe.submit.orderid
// Proves: juhe.submit.orderid-sample, juhe.submit.sign, juhe.submit.encoding.urlencoded
// Proves: juhe.answer.envelope, juhe.answer.error-code-0, juhe.code.0
// Proves: juhe.answer.submit.reason, juhe.answer.submit.fields, juhe.answer.submit.cardnum
// Proves: juhe.answer.submit.ordercash, juhe.answer.submit.cardname, juhe.answer.submit.sporder-id
// Proves: juhe.answer.submit.uorderid, juhe.answer.submit.game-userid, juhe.answer.submit.game-state
#[test]
fn the_documented_sample_is_taken() {
    let mut world = world();
    let request = Request::post(SUBMIT, &juhe_body(PHONE, "1", "111111111"));
    let reply = world.handle(Duration::ZERO, &request);
    let text = String::from_utf8(reply.body.clone()).unwrap();
    assert!(
        text.contains("\"ordercash\":1.06,"),
        "as written, not through a float: {text}"
    );
    let answer = json(&reply);
    assert_eq!(answer["reason"], "订单提交成功,等待充值");
    assert_eq!(answer["error_code"], 0);
    let result = &answer["result"];
    assert!(result["cardid"].is_u64());
    assert_eq!(result["cardnum"], 1);
    assert!(
        result["cardname"]
            .as_str()
            .unwrap()
            .ends_with("电信话费1元"),
        "189 is 电信"
    );
    assert_eq!(result["uorderid"], "111111111");
    assert_eq!(result["game_userid"], PHONE);
    assert_eq!(result["game_state"], 0);
    let id = result["sporder_id"].as_str().unwrap();
    assert!(id.len() == 24 && id.starts_with('J'), "{id}");
    assert!(id[1..].bytes().all(|byte| byte.is_ascii_digit()), "{id}");

    let row = world.row(Upstream::Juhe, "111111111").unwrap();
    assert_eq!(row.upstream_id.as_deref(), Some(id));
    assert_eq!((row.account.as_str(), row.amount.as_str()), (PHONE, "1"));
    assert_eq!(
        (row.state, row.submits, row.charges),
        (LedgerState::Charging, 1, 1)
    );
}

// Proves: juhe.submit.encoding.get, juhe.submit.encoding.multipart, juhe.submit.encoding.urlencoded
#[test]
fn all_three_encodings_in_any_field_order_with_extra_fields() {
    let mut world = world();
    let body = juhe_body(PHONE, "50", "ORDERGET1");
    let mut pairs: Vec<&str> = body.split('&').collect();
    pairs.reverse();
    let query = format!("dtype=json&{}&callback=", pairs.join("&"));
    let by_get = world.handle(Duration::ZERO, &Request::get(&format!("{SUBMIT}?{query}")));
    assert_eq!(json(&by_get)["error_code"], 0);

    let by_post = Request::post(SUBMIT, &juhe_body(PHONE, "50", "ORDERPOST1"));
    assert_eq!(
        json(&world.handle(Duration::ZERO, &by_post))["error_code"],
        0
    );

    let mut multipart = String::new();
    for pair in juhe_body(PHONE, "50", "ORDERMULTI1").split('&') {
        let (name, text) = pair.split_once('=').unwrap();
        multipart.push_str("--------------------------0a1b2c3d4e5f6a7b\r\n");
        let _ = write!(
            multipart,
            "Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n"
        );
    }
    multipart.push_str("--------------------------0a1b2c3d4e5f6a7b--\r\n");
    let by_multipart = Request {
        content_type: Some(
            "multipart/form-data; boundary=------------------------0a1b2c3d4e5f6a7b".to_owned(),
        ),
        ..Request::post(SUBMIT, &multipart)
    };
    assert_eq!(
        json(&world.handle(Duration::ZERO, &by_multipart))["error_code"],
        0
    );
    assert_eq!(world.ledger().iter().map(|row| row.charges).sum::<u32>(), 3);
}

// Proves: juhe.code.10001, juhe.code.208505, juhe.code.208506, juhe.code.208514, juhe.code.208515
// Proves: juhe.submit.orderid-form, juhe.sign.hex
#[test]
fn what_is_wrong_has_its_code_and_is_not_taken() {
    let mut world = world();
    let good = juhe_body(PHONE, "10", "GOODORDER1");
    let long = "A".repeat(33);
    for (body, code) in [
        (good.replace(DEFAULT_JUHE_KEY, "other"), 10_001),
        (good.replace("key=", "keys="), 10_001),
        (good.replace("GOODORDER1", "GOODORDER2"), 208_515),
        (good.replace("cardnum=10", "cardnum=100"), 208_515),
        (good.replace("sign=", "sign=0"), 208_515),
        (good.replace("&sign=", "&nosign="), 208_515),
        (juhe_body("28900001234", "10", "GOODORDER1"), 208_505),
        (juhe_body("1890000123", "10", "GOODORDER1"), 208_505),
        (juhe_body("", "10", "GOODORDER1"), 208_505),
        (juhe_body(PHONE, "11", "GOODORDER1"), 208_506),
        (juhe_body(PHONE, "10.00", "GOODORDER1"), 208_506),
        (juhe_body(PHONE, "010", "GOODORDER1"), 208_506),
        (juhe_body(PHONE, "10", "SHORT17"), 208_514),
        (juhe_body(PHONE, "10", &long), 208_514),
        (juhe_body(PHONE, "10", "WITH-DASH1"), 208_514),
        (juhe_body(PHONE, "10", ""), 208_514),
    ] {
        let answer = json(&world.handle(Duration::ZERO, &Request::post(SUBMIT, &body)));
        assert_eq!(answer["error_code"], code, "{body}");
        assert_eq!(answer["result"], Value::Null);
        assert!(
            answer["reason"]
                .as_str()
                .is_some_and(|reason| !reason.is_empty())
        );
    }
    assert_eq!(world.ledger().iter().map(|row| row.charges).sum::<u32>(), 0);
    assert_eq!(
        world.balance(Upstream::Juhe),
        Money::from_yuan(1_000_000).unwrap()
    );
    let row = world.row(Upstream::Juhe, "GOODORDER1").unwrap();
    assert_eq!(
        (row.state, row.upstream_id),
        (LedgerState::NotAccepted, None)
    );
}

// Proves: juhe.sign.hex
#[test]
fn the_signature_is_lower_case() {
    let mut world = world();
    let body = juhe_body(PHONE, "10", "UPPERCASE1");
    let (head, sign) = body.split_once("sign=").unwrap();
    let body = format!("{head}sign={}", sign.to_uppercase());
    let answer = json(&world.handle(Duration::ZERO, &Request::post(SUBMIT, &body)));
    assert_eq!(answer["error_code"], 208_515);
}

// Proves: juhe.submit.orderid-unique, juhe.code.208516
#[test]
fn a_second_submit_of_a_number_is_a_duplicate_even_after_the_end() {
    let mut world = world();
    assert_eq!(
        juhe_submit(&mut world, secs(0), "DUPLICATE1")["error_code"],
        0
    );
    assert_eq!(
        juhe_submit(&mut world, secs(1), "DUPLICATE1")["error_code"],
        208_516
    );
    assert_eq!(
        juhe_submit(&mut world, secs(9), "DUPLICATE1")["error_code"],
        208_516
    );
    let row = world.row(Upstream::Juhe, "DUPLICATE1").unwrap();
    assert_eq!(
        (row.state, row.submits, row.charges),
        (LedgerState::Succeeded, 3, 1)
    );
}

// Proves: juhe.code.208517
#[test]
fn the_balance_runs_out_and_comes_back_with_a_failure() {
    let mut world = World::new(WorldConfig {
        juhe_balance: "10.300".parse().unwrap(),
        settle: Settle::WhenStepped,
        ..WorldConfig::default()
    });
    assert_eq!(
        juhe_submit(&mut world, secs(0), "FIRSTORDER")["error_code"],
        0
    );
    assert_eq!(world.balance(Upstream::Juhe), "0.100".parse().unwrap());
    assert_eq!(
        juhe_submit(&mut world, secs(1), "SECONDORDER")["error_code"],
        208_517
    );
    let step = recharge_sim::Step {
        to: Some(recharge_sim::End::Failed),
        ..recharge_sim::Step::default()
    };
    world.step(secs(2), &step);
    assert_eq!(world.balance(Upstream::Juhe), "10.300".parse().unwrap());
    assert_eq!(world.row(Upstream::Juhe, "FIRSTORDER").unwrap().charges, 0);
    // A client may send a refused number again; that is a new submit, not a late one.
    assert_eq!(
        juhe_submit(&mut world, secs(3), "SECONDORDER")["error_code"],
        0
    );
}

// Proves: juhe.endpoint.status, juhe.status.fields, juhe.status.unsigned
// Proves: juhe.answer.status.reason, juhe.answer.status.fields, juhe.answer.status.uordercash
// Proves: juhe.state.0, juhe.state.1
#[test]
fn an_order_goes_from_charging_to_succeeded_after_the_delay() {
    let mut world = world();
    let answer = json(&world.handle(
        secs(1),
        &Request::post(SUBMIT, &juhe_body(PHONE, "1", "SETTLES001")),
    ));
    let before = juhe_status(&mut world, Duration::from_millis(2_999), "SETTLES001");
    assert_eq!(before["reason"], "查询成功");
    assert_eq!(before["error_code"], 0);
    assert_eq!(before["result"]["game_state"], "0");
    assert_eq!(before["result"]["uordercash"], "1.060");
    assert_eq!(
        before["result"]["sporder_id"],
        answer["result"]["sporder_id"]
    );
    assert_eq!(juhe_state(&mut world, secs(3), "SETTLES001"), "1");
}

// Proves: juhe.state.9, juhe.state.minus-1
#[test]
fn both_kinds_of_failure() {
    let mut world = world();
    for (id, to, state) in [
        ("FAILS00001", recharge_sim::End::Failed, "9"),
        ("NOTTAKEN01", recharge_sim::End::NotTakenOn, "-1"),
    ] {
        juhe_submit(&mut world, secs(0), id);
        let step = recharge_sim::Step {
            order_id: Some(id.to_owned()),
            to: Some(to),
            upstream: Some(Upstream::Juhe),
        };
        world.step(secs(0), &step);
        let answer = juhe_status(&mut world, secs(5), id);
        assert_eq!(answer["result"]["game_state"], state);
        assert_eq!(
            answer["result"]["uordercash"], "0.000",
            "nothing stays deducted"
        );
        assert_eq!(
            world.row(Upstream::Juhe, id).unwrap().state,
            LedgerState::Failed
        );
    }
}

// Proves: juhe.status.not-found, juhe.code.208509, juhe.code.208513
#[test]
fn no_such_order_has_two_codes() {
    let mut world = world();
    assert_eq!(
        juhe_status(&mut world, secs(0), "NOSUCHORDER")["error_code"],
        208_513
    );
    assert_eq!(
        juhe_status(&mut world, secs(0), "short")["error_code"],
        208_509
    );
    let no_key = Request::get("/ofpay/mobile/ordersta?orderid=NOSUCHORDER");
    assert_eq!(json(&world.handle(secs(0), &no_key))["error_code"], 10_001);
}

// Proves: juhe.endpoint.telcheck, juhe.telcheck.fields, juhe.telcheck.unsigned, juhe.answer.telcheck
// Proves: juhe.endpoint.telquery, juhe.telquery.fields, juhe.telquery.unsigned, juhe.answer.telquery
#[test]
fn check_and_price() {
    let mut world = world();
    let query = "phoneno=13900001234&cardnum=10";
    assert_eq!(
        get(&mut world, "telcheck", query),
        value!({"reason": "允许充值的手机号码及金额", "result": null, "error_code": 0})
    );
    let quote = get(&mut world, "telquery", query);
    assert_eq!(quote["result"]["inprice"].to_string(), "10.2");
    assert!(
        quote["result"]["cardname"]
            .as_str()
            .unwrap()
            .ends_with("移动话费10元")
    );
    assert!(
        quote["result"]["game_area"]
            .as_str()
            .unwrap()
            .ends_with("移动")
    );
    assert!(quote["result"]["cardid"].is_u64());
    for path in ["telcheck", "telquery"] {
        let wrong = get(&mut world, path, "phoneno=139&cardnum=10");
        assert_eq!(wrong["error_code"], 208_505);
        let wrong = get(&mut world, path, "phoneno=13900001234&cardnum=7");
        assert_eq!(wrong["error_code"], 208_506);
    }
}

// Proves: juhe.endpoint.yue, juhe.yue.fields, juhe.yue.sign, juhe.answer.yue
#[test]
fn balance_is_signed_and_its_timestamp_has_no_age() {
    let mut world = world();
    for timestamp in ["1", "1461309295", "99999999999"] {
        let sign = md5::hex(&[DEFAULT_JUHE_OPENID, DEFAULT_JUHE_KEY, timestamp]);
        let answer = get(
            &mut world,
            "yue",
            &format!("timestamp={timestamp}&sign={sign}"),
        );
        assert_eq!(answer["result"]["money"], "1000000.000");
        assert!(answer["result"]["uid"].is_string());
    }
    let sign = md5::hex(&[DEFAULT_JUHE_OPENID, DEFAULT_JUHE_KEY, "1"]);
    let wrong = get(&mut world, "yue", &format!("timestamp=2&sign={sign}"));
    assert_eq!(wrong["error_code"], 208_515);
}

// Proves: juhe.endpoint.orderlist, juhe.orderlist.fields, juhe.orderlist.paging
// Proves: juhe.orderlist.unsigned, juhe.answer.orderlist, juhe.answer.orderlist.rows
// Proves: juhe.answer.submit.types
#[test]
fn order_history_by_page_and_filter() {
    let mut world = World::new(WorldConfig {
        started_at: 1_461_309_295,
        ..WorldConfig::default()
    });
    for n in 0..105 {
        juhe_submit(&mut world, secs(n), &format!("LISTED{n:04}"));
    }
    let other = Request::post(SUBMIT, &juhe_body("13900001234", "30", "OTHERPHONE"));
    world.handle(secs(105), &other);

    let first = &get(&mut world, "orderlist", "")["result"];
    assert_eq!(
        (&first["totalcount"], &first["totalpage"]),
        (&value!(106), &value!(3))
    );
    assert_eq!(
        (&first["page"], &first["pagesize"]),
        (&value!(1), &value!(50))
    );
    assert_eq!(first["data"].as_array().unwrap().len(), 50);
    assert_eq!(
        first["data"][0]["uorderid"], "OTHERPHONE",
        "the newest first"
    );

    let all = &get(&mut world, "orderlist", "pagesize=1000&page=2")["result"];
    assert_eq!(
        (&all["pagesize"], all["data"].as_array().unwrap().len()),
        (&value!(100), 6)
    );

    let one = &get(&mut world, "orderlist", "orderid=LISTED0003")["result"];
    assert_eq!(one["totalcount"], 1);
    let row = &one["data"][0];
    assert_eq!(row["game_userid"], PHONE);
    assert_eq!(
        (&row["cardnum"], &row["game_state"]),
        (&value!("1"), &value!("1"))
    );
    assert!(row["cardid"].is_string() && row["uordercash"] == "10.200");
    assert_eq!(row["addtime"], "2016-04-22 15:14:58");
    assert!(row["cardname"].is_string() && row["sporder_id"].is_string());

    let by_phone = &get(&mut world, "orderlist", "mobilephone=13900001234")["result"];
    assert_eq!(by_phone["totalcount"], 1);
}

// Proves: juhe.face-values.documented, juhe.face-values.drift
#[test]
fn face_values_are_the_documented_ones_unless_configured() {
    let mut world = world();
    for (n, face) in [1, 2, 5, 10, 20, 30, 50, 100, 300].into_iter().enumerate() {
        let body = juhe_body(PHONE, &face.to_string(), &format!("FACEVALUE{n}"));
        let answer = json(&world.handle(secs(0), &Request::post(SUBMIT, &body)));
        assert_eq!(answer["error_code"], 0, "{face}");
    }
    let mut other = World::new(WorldConfig {
        juhe_face_values: vec![500],
        ..WorldConfig::default()
    });
    assert_eq!(
        juhe_submit(&mut other, secs(0), "FACEVALUE10")["error_code"],
        208_506
    );
}

#[test]
fn other_credentials_and_repeated_slashes() {
    let mut world = World::new(WorldConfig {
        credentials: Credentials {
            juhe_key: "k".to_owned(),
            juhe_openid: "o".to_owned(),
            ..Credentials::default()
        },
        ..WorldConfig::default()
    });
    let sign = md5::hex(&["o", "k", PHONE, "10", "OTHERKEYS1"]);
    let body = format!("key=k&phoneno={PHONE}&cardnum=10&orderid=OTHERKEYS1&sign={sign}");
    let request = Request::post("//ofpay/mobile/onlineorder", &body);
    assert_eq!(json(&world.handle(secs(0), &request))["error_code"], 0);
}

#[test]
fn other_paths_and_methods_are_404_and_leave_no_trace() {
    let mut world = world();
    let body = juhe_body(PHONE, "10", "NOTHANDLED");
    for (method, path) in [
        ("HEAD", SUBMIT),
        ("PUT", SUBMIT),
        ("POST", "/ofpay/mobile/onlineorder/"),
        ("GET", "/"),
    ] {
        let request = Request {
            method: method.to_owned(),
            ..Request::post(path, &body)
        };
        assert_eq!(
            world.handle(secs(0), &request).status,
            404,
            "{method} {path}"
        );
    }
    assert_eq!(world.ledger(), []);
    assert_eq!(world.stats().calls, 0);
}

proptest! {
    // Proves: juhe.submit.sign, juhe.sign.no-delimiter, juhe.submit.sign-resplit
    #[test]
    fn the_border_between_face_value_and_order_number_is_not_signed(tail in "[0-9]{8,20}") {
        let mut world = world();
        // "1" + "0…" and "10" + "…" have one concatenation, so one signature fits both.
        let shifted = juhe_body(PHONE, "1", &format!("0{tail}"));
        let sign = shifted.split_once("sign=").unwrap().1;
        let honest = juhe_body(PHONE, "10", &tail);
        prop_assert!(honest.ends_with(sign));
        let answer = json(&world.handle(secs(0), &Request::post(SUBMIT, &honest)));
        prop_assert_eq!(&answer["error_code"], 0);
    }

    #[test]
    fn no_query_and_no_body_makes_it_panic(
        path in prop::sample::select(vec![SUBMIT, "/ofpay/mobile/yue", "/ofpay/mobile/orderlist", "/telrecharge/recharge", "/mobilerecharge/orderdetail"]),
        query in "[ -~]{0,80}",
        body in prop::collection::vec(any::<u8>(), 0..200),
        kind in prop::sample::select(vec!["multipart/form-data; boundary=a", "application/x-www-form-urlencoded", "multipart/form-data; boundary=\"", "x"]),
    ) {
        let mut world = world();
        let request = Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            query,
            content_type: Some(kind.to_owned()),
            body,
        };
        prop_assert_eq!(world.handle(secs(0), &request).status, 200);
        prop_assert_eq!(world.ledger().iter().map(|row| row.charges).sum::<u32>(), 0);
    }
}
