//! Each answer, word for word. Numbers and times of our own are put out of the way.

use std::fmt::Write as _;
use std::time::Duration;

use recharge_http::form::Encoding;
use recharge_sign::jisu::SignOrder;
use recharge_sim::{Settle, WorldConfig};

use crate::bench::{Bench, json, until};

fn steady(text: &str) -> String {
    let mut steady = text.to_owned();
    for name in ["sporder_id", "orderno", "addtime"] {
        let begin = format!("\"{name}\":\"");
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(&begin) {
            let value = after.split('"').next().unwrap();
            steady = steady.replace(&format!("{begin}{value}\""), &format!("{begin}<{name}>\""));
            rest = after;
        }
    }
    steady
}

#[tokio::test]
async fn each_answer_is_as_documented() {
    let world = WorldConfig {
        settle: Settle::After(Duration::from_hours(1)),
        ..WorldConfig::default()
    };
    let bench = Bench::with(world, |_| {}, |_| {}).await;
    let (ours, get) = (bench.ours(), Encoding::Query);
    let mut said = String::new();
    let mut note = |what: &str, text: &str| writeln!(said, "{what}\n  {}", steady(text)).unwrap();
    let goods = [("phoneno", "18900001234"), ("cardnum", "1")];
    let submit = async |id| {
        ours.submit(Encoding::Multipart, "18900001234", "1", id)
            .await
    };
    let sign = recharge_sign::juhe::balance(ours.juhe.secret, ours.juhe.key, "1800000000");
    let fields = [("timestamp", "1800000000"), ("sign", &sign.to_string())];
    note("yue", &ours.juhe(get, "yue", &fields).await);
    note("submit before any quote", &submit("A0000001").await);
    note("telcheck", &ours.juhe(get, "telcheck", &goods).await);
    note("telquery", &ours.juhe(get, "telquery", &goods).await);
    note("submit after a quote", &submit("A0000002").await);
    note("submit again", &submit("A0000002").await);
    let asked = [("orderid", "A0000001")];
    note("ordersta", &ours.juhe(get, "ordersta", &asked).await);
    note("orderlist", &ours.juhe(get, "orderlist", &asked).await);
    let line = [
        ("tel", "057156565366"),
        ("amount", "100"),
        ("teltype", "1"),
        ("rechargetype", "1"),
        ("outorderno", "L1"),
    ];
    let (table, sorted) = (SignOrder::DocumentedTable, SignOrder::Sorted);
    note(
        "telrecharge, signed as the table has it",
        &ours.recharge(get, table, "telrecharge", &line).await,
    );
    note(
        "telrecharge again, signed as sorted",
        &ours.recharge(get, sorted, "telrecharge", &line).await,
    );
    let mobile = [
        ("mobile", "18900001234"),
        ("amount", "100"),
        ("outorderno", "M1"),
    ];
    note(
        "mobilerecharge",
        &ours.recharge(get, sorted, "mobilerecharge", &mobile).await,
    );
    // What they cost is told by the upstream, a moment later.
    for (product, asked) in [("telrecharge", "L1"), ("mobilerecharge", "M1")] {
        let call = format!("{product}/orderdetail");
        let fields = [("outorderno", asked)];
        let told = |it: &serde_json::Value| it["result"]["totalfee"] == "99.65";
        until(async || ours.jisu(get, &call, &fields).await, told).await;
    }
    for (call, fields) in [
        ("telrecharge/orderdetail", vec![("outorderno", "L1")]),
        ("telrecharge/orderlist", vec![]),
        ("mobilerecharge/orderdetail", vec![("outorderno", "M1")]),
        ("mobilerecharge/orderlist", vec![]),
        ("mobilerecharge/orderdetail", vec![("outorderno", "none")]),
    ] {
        note(call, &ours.jisu(get, call, &fields).await);
    }
    let goods = json(&ours.jisu(get, "telrecharge/goods", &[]).await);
    let (rows, first) = (goods["result"].as_array().unwrap(), &goods["result"][0]);
    note(
        "telrecharge/goods",
        &format!("{} rows, the first {first}", rows.len()),
    );
    insta::assert_snapshot!(said);
}
