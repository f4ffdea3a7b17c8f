//! Jisu's calls, codes and field types.

use std::collections::BTreeMap;

use recharge_sim::{
    DEFAULT_JISU_APPSECRET, End, JisuNoSuchOrder, JisuSignOrder, LedgerState, Request, Step,
    Upstream, World, WorldConfig, md5,
};
use serde_json::{Value, json as value};

use crate::support::*;

fn world() -> World {
    World::new(WorldConfig::default())
}

// Proves: jisu.endpoint.telrecharge.recharge, jisu.telrecharge.fields, jisu.telrecharge.tel
// Proves: jisu.telrecharge.amount, jisu.telrecharge.outorderno, jisu.sign.formula
// Proves: jisu.sign.name-order, jisu.sign.sample-code, jisu.sign.default-sorted
// Proves: jisu.answer.envelope, jisu.answer.status-0, jisu.answer.recharge.fields
// Proves: jisu.answer.recharge.amount, jisu.answer.recharge.orderno, jisu.answer.recharge.totalfee
// Proves: jisu.answer.recharge.actuallytotalfee, jisu.answer.recharge.echoed-types
// Proves: jisu.answer.recharge.rechargestatus, jisu.answer.recharge.types
#[test]
fn the_documented_landline_sample_is_taken() {
    let mut world = world();
    let answer = Landline::default().submit(&mut world, secs(0));
    assert_eq!(
        (&answer["status"], &answer["msg"]),
        (&value!(0), &value!("ok"))
    );
    let result = &answer["result"];
    assert_eq!(result["tel"], LINE);
    assert_eq!(result["amount"], "100");
    assert_eq!(result["outorderno"], "T0000000001");
    assert_eq!(result["totalfee"], "99.65");
    assert_eq!(result["actuallytotalfee"], "99.65");
    assert_eq!(
        (&result["teltype"], &result["rechargetype"]),
        (&value!("1"), &value!("1"))
    );
    assert_eq!(result["rechargestatus"], "0");
    assert!(
        result.as_object().unwrap().values().all(Value::is_string),
        "all are texts"
    );
    let id = result["orderno"].as_str().unwrap();
    assert!(
        id.len() == 21 && id.bytes().all(|byte| byte.is_ascii_digit()),
        "{id}"
    );
    let row = world.row(Upstream::Jisu, "T0000000001").unwrap();
    assert_eq!(
        (row.account.as_str(), row.amount.as_str(), row.charges),
        (LINE, "100", 1)
    );
}

// Proves: jisu.endpoint.telrecharge.recharge.post
#[test]
fn post_is_accepted_too() {
    let mut world = world();
    let tel = Landline::default();
    let target = tel.target(&tel.sorted_sign());
    let (path, fields) = target.split_once('?').unwrap();
    assert_eq!(
        json(&world.handle(secs(0), &Request::post(path, fields)))["status"],
        0
    );
}

// Proves: jisu.sign.documented-table, jisu.sign.order-setting
#[test]
fn each_signature_order_is_a_setting() {
    for (setting, sorted, table) in [
        (JisuSignOrder::Sorted, 0, 206),
        (JisuSignOrder::DocumentedTable, 206, 0),
        (JisuSignOrder::Either, 0, 0),
    ] {
        let mut world = World::new(WorldConfig {
            jisu_sign_order: setting,
            ..WorldConfig::default()
        });
        for (tel, by_table, code) in [
            (
                Landline {
                    outorderno: "SORTED1",
                    ..Landline::default()
                },
                false,
                sorted,
            ),
            (
                Landline {
                    outorderno: "TABLE1",
                    ..Landline::default()
                },
                true,
                table,
            ),
        ] {
            let sign = if by_table {
                tel.table_sign()
            } else {
                tel.sorted_sign()
            };
            let answer = json(&world.handle(secs(0), &Request::get(&tel.target(&sign))));
            assert_eq!(answer["status"], code, "{setting:?} {}", tel.outorderno);
        }
    }
}

// Proves: jisu.endpoint.mobilerecharge.recharge, jisu.mobilerecharge.fields
// Proves: jisu.sign.mobilerecharge, jisu.product.sibling, jisu.sign.unsigned-params
#[test]
fn mobile_recharge_is_taken() {
    let mut world = world();
    let answer = jisu_mobile(&mut world, secs(0), "M0000000001");
    let result = &answer["result"];
    assert_eq!(answer["status"], 0);
    assert_eq!(
        (&result["mobile"], &result["amount"]),
        (&value!(PHONE), &value!("10"))
    );
    assert_eq!(result["totalfee"], "10.20");
    assert_eq!(result["rechargestatus"], "0");
    assert!(result.get("tel").is_none() && result.get("teltype").is_none());
    // Another appkey changes no signature: it is the wrong key, not the wrong signature.
    let target = jisu_mobile_target(PHONE, "10", "M0000000002").replace("appkey=", "appkey=x");
    assert_eq!(
        json(&world.handle(secs(0), &Request::get(&target)))["status"],
        101
    );
}

// Proves: jisu.code.201, jisu.code.202, jisu.code.203, jisu.code.204, jisu.code.205, jisu.code.206
// Proves: jisu.code.211, jisu.code.101, jisu.code.208
// Proves: jisu.telrecharge.all-required, jisu.telrecharge.teltype, jisu.telrecharge.rechargetype
// Proves: jisu.sign.empty-value
#[test]
fn what_is_wrong_has_its_code_and_is_not_taken() {
    let mut world = world();
    let unsigned = |sign: &str| Landline::default().target(sign);
    let signed = |name, value| {
        let wrong = Landline::default().with(name, value);
        wrong.target(&wrong.sorted_sign()).replace(' ', "+")
    };
    let right = signed("amount", "100");
    for (target, code) in [
        (right.replace("appkey=", "appkey=x"), 101),
        (right.replace("appkey=", "key="), 101),
        (signed("tel", ""), 201),
        (signed("amount", ""), 202),
        (signed("outorderno", ""), 211),
        (unsigned(""), 205),
        (unsigned("0"), 206),
        (signed("amount", "30"), 203),
        (signed("amount", "100.00"), 203),
        (signed("tel", "56565366"), 204),
        (signed("tel", "a0571-565"), 204),
        (signed("tel", "0571 56565366"), 204),
        (signed("teltype", "5"), 208),
        (signed("teltype", ""), 208),
        (signed("rechargetype", "4"), 208),
        (signed("rechargetype", ""), 208),
        (jisu_mobile_target("1890000123", "10", "MOBILE1"), 204),
        (jisu_mobile_target(PHONE, "1", "MOBILE1"), 203),
        (jisu_mobile_target("", "10", "MOBILE1"), 201),
    ] {
        let answer = json(&world.handle(secs(0), &Request::get(&target)));
        assert_eq!(answer["status"], code, "{target}");
        assert_eq!(answer["result"], "");
    }
    assert!(
        world
            .ledger()
            .iter()
            .all(|row| row.state == LedgerState::NotAccepted)
    );
}

// Proves: jisu.telrecharge.teltype, jisu.telrecharge.rechargetype, jisu.telrecharge.face-values
// Proves: jisu.mobilerecharge.face-values
#[test]
fn every_documented_carrier_kind_and_face_value_is_taken() {
    let mut world = world();
    let mut number = 0;
    for teltype in ["1", "2", "3", "4"] {
        for (rechargetype, tel) in [
            ("1", "057156565366"),
            ("2", "hz88123456@163.gd"),
            ("3", LINE),
        ] {
            for amount in ["20", "50", "100", "200", "500"] {
                number += 1;
                let outorderno = format!("EVERY{number}");
                let tel = Landline {
                    tel,
                    amount,
                    teltype,
                    rechargetype,
                    outorderno: &outorderno,
                };
                let answer = tel.submit(&mut world, secs(0));
                assert_eq!(answer["status"], 0, "{outorderno}");
                assert_eq!(answer["result"]["teltype"], teltype);
                assert_eq!(answer["result"]["rechargetype"], rechargetype);
            }
        }
    }
    for amount in ["10", "20", "30", "50", "100", "200", "300", "500"] {
        let target = jisu_mobile_target(PHONE, amount, &format!("MOBILE{amount}"));
        assert_eq!(
            json(&world.handle(secs(0), &Request::get(&target)))["status"],
            0,
            "{amount}"
        );
    }
}

// Proves: jisu.code.212, jisu.code.207
#[test]
fn duplicates_and_balance() {
    let mut world = World::new(WorldConfig {
        jisu_balance: "100".parse().unwrap(),
        ..WorldConfig::default()
    });
    assert_eq!(Landline::default().submit(&mut world, secs(0))["status"], 0);
    assert_eq!(
        Landline::default().submit(&mut world, secs(1))["status"],
        212
    );
    // One merchant's numbers are one space, whatever the product.
    assert_eq!(
        jisu_mobile(&mut world, secs(1), "T0000000001")["status"],
        212
    );
    let second = Landline {
        outorderno: "T0000000002",
        ..Landline::default()
    };
    assert_eq!(second.submit(&mut world, secs(1))["status"], 207);
    let row = world.row(Upstream::Jisu, "T0000000001").unwrap();
    assert_eq!((row.submits, row.charges), (3, 1));
}

// Proves: jisu.endpoint.telrecharge.orderdetail, jisu.endpoint.mobilerecharge.orderdetail
// Proves: jisu.orderdetail.fields, jisu.orderdetail.unsigned, jisu.answer.orderdetail.fields
// Proves: jisu.answer.orderdetail.amount, jisu.answer.orderdetail.addtime
// Proves: jisu.answer.orderdetail.three-statuses, jisu.answer.orderdetail.row-status
// Proves: jisu.answer.orderdetail.row-status-sample, jisu.answer.recharge.always-charging
// Proves: jisu.state.0, jisu.state.1
#[test]
fn order_detail_by_either_number_until_the_end() {
    let mut world = world();
    let taken = Landline::default().submit(&mut world, secs(0));
    let orderno = taken["result"]["orderno"].as_str().unwrap();
    let path = "/telrecharge/orderdetail";
    let detail = jisu_get(&mut world, secs(1), path, "outorderno=T0000000001");
    assert_eq!(detail["status"], 0);
    let row = &detail["result"];
    assert_eq!(
        (&row["status"], &row["rechargestatus"]),
        (&value!("1"), &value!("0"))
    );
    assert_eq!(
        (&row["orderno"], &row["account"]),
        (&value!(orderno), &value!(LINE))
    );
    assert_eq!(
        (&row["amount"], &row["totalfee"]),
        (&value!("100.00"), &value!("99.65"))
    );
    assert_eq!(
        (&row["addtime"], &row["num"]),
        (&value!("1461309295"), &value!("1"))
    );
    assert_eq!(
        (&row["name"], &row["company"]),
        (&value!("浙江联通固话100元"), &value!("联通"))
    );
    assert!(row.as_object().unwrap().values().all(Value::is_string));

    let by_orderno = format!("orderno={orderno}");
    let detail = jisu_get(&mut world, secs(2), path, &by_orderno);
    assert_eq!(detail["result"]["rechargestatus"], "1");
    // Both given: both must fit.
    let both = format!("orderno={orderno}&outorderno=T0000000002");
    assert_eq!(jisu_get(&mut world, secs(2), path, &both)["result"], "");

    jisu_mobile(&mut world, secs(3), "M0000000001");
    let path = "/mobilerecharge/orderdetail";
    let detail = jisu_get(&mut world, secs(3), path, "outorderno=M0000000001");
    assert_eq!(detail["result"]["amount"], "10.00");
    // Each product knows its own orders.
    assert_eq!(
        jisu_get(&mut world, secs(3), path, "outorderno=T0000000001")["result"],
        ""
    );
}

// Proves: jisu.state.2, jisu.code.209
#[test]
fn failure_nothing_named_and_no_such_order() {
    let mut world = world();
    let path = "/mobilerecharge/orderdetail";
    jisu_mobile(&mut world, secs(0), "M0000000001");
    let step = Step {
        to: Some(End::Failed),
        ..Step::default()
    };
    assert_eq!(world.step(secs(0), &step).len(), 1);
    let detail = jisu_get(&mut world, secs(0), path, "outorderno=M0000000001");
    assert_eq!(detail["result"]["rechargestatus"], "2");
    assert_eq!(jisu_get(&mut world, secs(0), path, "x=1")["status"], 209);
    let none = jisu_get(&mut world, secs(0), path, "outorderno=NONE");
    assert_eq!(none, value!({"status": 0, "msg": "ok", "result": ""}));

    let mut world = World::new(WorldConfig {
        jisu_no_such_order: JisuNoSuchOrder::Code(210),
        ..WorldConfig::default()
    });
    assert_eq!(
        jisu_get(&mut world, secs(0), path, "orderno=1")["status"],
        210
    );
}

// Proves: jisu.endpoint.telrecharge.orderlist, jisu.endpoint.mobilerecharge.orderlist
// Proves: jisu.orderlist.fields, jisu.orderlist.paging, jisu.answer.orderlist.rows
// Proves: jisu.answer.orderlist.telrecharge
#[test]
fn order_lists_by_product_and_page() {
    let mut world = world();
    for n in 0..45 {
        jisu_mobile(&mut world, secs(n), &format!("LISTED{n}"));
    }
    Landline::default().submit(&mut world, secs(45));
    let rows = |world: &mut World, path: &str, query: &str| {
        jisu_get(world, secs(46), path, query)["result"]["list"]
            .as_array()
            .unwrap()
            .clone()
    };
    let mobile = "/mobilerecharge/orderlist";
    let first = rows(&mut world, mobile, "");
    assert_eq!(
        (first.len(), &first[0]["outorderno"]),
        (20, &value!("LISTED44"))
    );
    assert_eq!(first[0]["price"], "10.20");
    assert!(first[0].get("teltype").is_none());
    assert_eq!(rows(&mut world, mobile, "pagenum=1&pagesize=100").len(), 40);
    assert_eq!(rows(&mut world, mobile, "pagenum=2&pagesize=40").len(), 5);
    let tel = rows(&mut world, "/telrecharge/orderlist", "pagenum=1");
    assert_eq!(tel.len(), 1);
    assert_eq!(
        (&tel[0]["teltype"], &tel[0]["rechargetype"]),
        (&value!("1"), &value!("1"))
    );
}

// Proves: jisu.endpoint.mobilerecharge.goods, jisu.goods.fields, jisu.answer.goods.rows
#[test]
fn goods_of_both_products_and_a_goods_path_of_another_name() {
    let mut world = World::new(WorldConfig {
        aliases: BTreeMap::from([(
            "/telrecharge/goodslist".to_owned(),
            "/telrecharge/goods".to_owned(),
        )]),
        ..WorldConfig::default()
    });
    for (path, rows) in [
        ("/mobilerecharge/goods", 24),
        ("/telrecharge/goods", 20),
        ("/telrecharge/goodslist", 20),
    ] {
        let goods = jisu_get(&mut world, secs(0), path, "");
        let goods = goods["result"].as_array().unwrap();
        assert_eq!(goods.len(), rows, "{path}");
        for name in ["name", "areaid", "company", "price", "amount"] {
            assert!(
                goods.iter().all(|row| row[name].is_string()),
                "{path} {name}"
            );
        }
    }
}

// Proves: jisu.sign.lower-hex
#[test]
fn the_signature_is_lower_case() {
    let right = Landline::default();
    let target = right.target(&right.sorted_sign().to_uppercase());
    assert_eq!(
        json(&world().handle(secs(0), &Request::get(&target)))["status"],
        206
    );
}

// Proves: jisu.sign.no-delimiter
#[test]
fn the_border_between_two_values_is_not_signed() {
    let mut world = world();
    // amount 10 + mobile 1…, and amount 100 + a mobile without its first digits, and so on: here the
    // border between mobile and outorderno moves.
    let sign = md5::hex(&["10", PHONE, "99ORDER", DEFAULT_JISU_APPSECRET]);
    let target = jisu_mobile_target(PHONE, "10", "99ORDER");
    assert!(target.ends_with(&sign));
    assert_eq!(
        sign,
        md5::hex(&["10", "189000012349", "9ORDER", DEFAULT_JISU_APPSECRET])
    );
    assert_eq!(
        json(&world.handle(secs(0), &Request::get(&target)))["status"],
        0
    );
}
