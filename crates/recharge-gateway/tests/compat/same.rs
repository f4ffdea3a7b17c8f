//! The same requests to the original and to the gateway: the same answers, up to order numbers, prices, names
//! and times.

use recharge_http::form::Encoding;
use recharge_sign::jisu::SignOrder;
use serde_json::Value;

use crate::bench::{Bench, Place, json, until};

/// What each side has of its own. Its type must be the same all the same.
const OWN: [&str; 16] = [
    "sporder_id",
    "orderno",
    "ordercash",
    "uordercash",
    "totalfee",
    "actuallytotalfee",
    "inprice",
    "price",
    "addtime",
    "cardid",
    "cardname",
    "name",
    "areaid",
    "uid",
    // Asked for again within half a minute, ours is the one of before. `answers` has the figure.
    "money",
    "game_area",
];

/// The answer with the types in the place of what differs, and of a list its first row.
fn skeleton(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| {
                let field = if OWN.contains(&name.as_str()) {
                    Value::from(match field {
                        Value::String(_) => "a text",
                        Value::Number(_) => "a number",
                        _ => "something else",
                    })
                } else {
                    skeleton(field)
                };
                (name.clone(), field)
            })
            .collect(),
        Value::Array(rows) => rows.first().map(skeleton).into_iter().collect(),
        other => other.clone(),
    }
}

/// All that a shop asks, in every encoding, and what it is answered.
async fn play(place: &Place) -> Vec<(String, Value)> {
    let mut said = Vec::new();
    let mut note = |what: String, text: String| said.push((what, skeleton(&json(&text))));
    let phone = ("phoneno", "18900001234");
    for (number, encoding) in [Encoding::Query, Encoding::Urlencoded, Encoding::Multipart]
        .into_iter()
        .enumerate()
    {
        let id = |letter: &str| format!("{letter}000000{number}");
        for (call, fields) in [
            ("telcheck", [phone, ("cardnum", "10")]),
            ("telcheck", [phone, ("cardnum", "7")]),
            ("telcheck", [("phoneno", "123"), ("cardnum", "10")]),
            ("telquery", [phone, ("cardnum", "10")]),
            ("telquery", [phone, ("cardnum", "010")]),
            ("ordersta", [("orderid", "Z0000000"), ("x", "")]),
            ("ordersta", [("orderid", "Z"), ("x", "")]),
            ("orderlist", [("orderid", "Z0000000"), ("x", "")]),
            ("yue", [("timestamp", "1800000000"), ("sign", "0")]),
            ("onlineorder", [phone, ("sign", "0")]),
        ] {
            note(
                format!("{encoding:?} {call} {fields:?}"),
                place.juhe(encoding, call, &fields).await,
            );
        }
        let time = "1800000000";
        let sign = recharge_sign::juhe::balance(place.juhe.secret, place.juhe.key, time);
        let fields = [("timestamp", time), ("sign", &sign.to_string())];
        note(
            format!("{encoding:?} yue"),
            place.juhe(encoding, "yue", &fields).await,
        );
        for (amount, order_id) in [
            ("10", id("A")),
            ("10", id("A")),
            ("7", id("B")),
            ("10", "short".to_owned()),
        ] {
            note(
                format!("{encoding:?} onlineorder {amount} {order_id}"),
                place.submit(encoding, phone.1, amount, &order_id).await,
            );
        }
        note(
            format!("{encoding:?} onlineorder of no phone"),
            place.submit(encoding, "123", "10", &id("C")).await,
        );
        let asked = [("orderid", id("A"))];
        let fields: Vec<_> = asked.iter().map(|(a, b)| (*a, b.as_str())).collect();
        let end = until(
            async || place.juhe(encoding, "ordersta", &fields).await,
            |it| it["result"]["game_state"] == "1",
        )
        .await;
        note(format!("{encoding:?} ordersta"), end.to_string());
        note(
            format!("{encoding:?} orderlist"),
            place.juhe(encoding, "orderlist", &fields).await,
        );
        for product in ["telrecharge", "mobilerecharge"] {
            jisu(place, encoding, product, number, &mut note).await;
        }
    }
    said
}

async fn jisu(
    place: &Place,
    encoding: Encoding,
    product: &str,
    number: usize,
    note: &mut impl FnMut(String, String),
) {
    let order_id = format!("{}{number}", product.to_uppercase());
    let right: Vec<(&str, &str)> = match product {
        "telrecharge" => vec![
            ("tel", "0571-56565366"),
            ("amount", "100"),
            ("teltype", "1"),
            ("rechargetype", "1"),
            ("outorderno", &order_id),
        ],
        _ => vec![
            ("mobile", "18900001234"),
            ("amount", "100"),
            ("outorderno", &order_id),
        ],
    };
    for (name, value) in [
        ("", ""),
        ("", ""),
        ("amount", ""),
        ("amount", "7"),
        ("tel", ""),
        ("tel", "12"),
        ("mobile", ""),
        ("mobile", "12"),
        ("teltype", "9"),
        ("rechargetype", "9"),
        ("outorderno", ""),
    ] {
        // A number of its own for what is wrong: of one that is taken the gateway says so first.
        let wrong = format!("W{order_id}");
        let mut fields = right.clone();
        if let (Some(last), false) = (fields.last_mut(), name.is_empty()) {
            last.1 = &wrong;
        }
        for field in &mut fields {
            if field.0 == name {
                field.1 = value;
            }
        }
        let answer = place
            .recharge(encoding, SignOrder::Sorted, product, &fields)
            .await;
        note(format!("{encoding:?} {product} {name}={value}"), answer);
    }
    let detail = format!("{product}/orderdetail");
    let fields = [("outorderno", order_id.as_str())];
    let end = until(
        async || place.jisu(encoding, &detail, &fields).await,
        |it| it["result"]["rechargestatus"] == "1",
    )
    .await;
    note(format!("{encoding:?} {detail}"), end.to_string());
    // The other one too, which is listed below.
    let fields = [("outorderno", &*format!("W{order_id}"))];
    until(
        async || place.jisu(encoding, &detail, &fields).await,
        |it| it["result"]["rechargestatus"] == "1",
    )
    .await;
    let by_theirs = [("orderno", end["result"]["orderno"].as_str().unwrap())];
    let answer = place.jisu(encoding, &detail, &by_theirs).await;
    note(format!("{encoding:?} {detail} by orderno"), answer);
    // What was taken after it may still be charging.
    let list = format!("{product}/orderlist");
    until(
        async || place.jisu(encoding, &list, &[]).await,
        |it| {
            let rows = it["result"]["list"].as_array();
            rows.is_some_and(|rows| rows.iter().all(|row| row["rechargestatus"] != "0"))
        },
    )
    .await;
    for (call, fields) in [
        ("recharge", vec![("sign", "0")]),
        ("orderdetail", vec![("outorderno", "Z0000000")]),
        ("orderdetail", vec![]),
        ("orderlist", vec![]),
        ("orderlist", vec![("pagenum", "9"), ("pagesize", "100")]),
        ("orderlist", vec![("pagenum", "18446744073709551615")]),
        ("goods", vec![]),
    ] {
        let call = format!("{product}/{call}");
        let answer = place.jisu(encoding, &call, &fields).await;
        note(format!("{encoding:?} {call} {fields:?}"), answer);
    }
}

#[tokio::test]
async fn the_gateway_answers_as_the_original_does() {
    // Two worlds, since the orders that the gateway sends on would stand in the original's lists.
    let (one, two) = (Bench::start().await, Bench::start().await);
    let (original, ours) = tokio::join!(async { play(&one.original()).await }, async {
        play(&two.ours()).await
    });
    assert_eq!(original.len(), ours.len());
    for ((what, original), (_, ours)) in original.iter().zip(&ours) {
        assert_eq!(ours, original, "{what}");
    }
    let strange = [("key", "nobody's"), ("appkey", "nobody's")];
    for (call, path) in [
        ("juhe", "/ofpay/mobile/onlineorder"),
        ("juhe", "/ofpay/mobile/ordersta"),
        ("jisu", "/mobilerecharge/recharge"),
        ("jisu", "/telrecharge/goods"),
    ] {
        let url = |place: Place| {
            if call == "juhe" {
                place.juhe_url
            } else {
                place.jisu_url
            }
        };
        let get =
            async |url: String| crate::bench::text(Encoding::Query, &url, path, &strange).await;
        let (ours, original) = (get(url(one.ours())).await, get(url(one.original())).await);
        assert_eq!(ours, original, "{path}");
    }
}
