//! Files of orders.

use std::fmt::Write as _;
use std::time::Duration;

use crate::stage::{ALL, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_whole_and_each_of_its_orders_once() {
    let stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    let mut file = "order_id,kind,account,amount\n".to_owned();
    for at in 0..300 {
        writeln!(file, "B{at},mobile,189{at:08},100").unwrap();
    }
    // What no provider sells is refused by itself.
    file.push_str("B300,mobile,18999999999,7\n");
    let taken = stage
        .call("POST", "/v1/batches", Some(&key), Some(&file))
        .await;
    assert_eq!(taken.status, 202, "{taken:?}");
    let batch = taken.json();
    assert_eq!(
        (&batch["rows"], &batch["waiting"]),
        (&301.into(), &301.into())
    );
    let path = format!("/v1/batches/{}", batch["batch_id"].as_str().unwrap());
    let give_up = tokio::time::Instant::now() + Duration::from_mins(1);
    let done = loop {
        let batch = stage.call("GET", &path, Some(&key), None).await.json();
        if batch["orders"]["succeeded"] == 300 && batch["done_at"].is_string() {
            break batch;
        }
        assert!(tokio::time::Instant::now() < give_up, "{batch}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((&done["waiting"], &done["refused"]), (&0.into(), &1.into()));
    assert_eq!(stage.simulator.ledger().len(), 300);
    let mut rows = Vec::new();
    let mut next = Some(0);
    while let Some(after) = next {
        let path = format!("{path}/rows?after={after}");
        let page = stage.call("GET", &path, Some(&key), None).await.json();
        rows.extend(page["rows"].as_array().unwrap().clone());
        next = page["next"].as_u64();
    }
    assert_eq!(rows.len(), 301);
    assert_eq!(rows[0]["state"], "succeeded");
    assert_eq!(
        (&rows[300]["row"], &rows[300]["state"]),
        (&301.into(), &"refused".into())
    );
    assert_eq!(rows[300]["code"], "not_offered");
    let why = rows[300]["refused"].as_str().unwrap();
    assert!(!why.starts_with("not_offered"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_file_with_a_bad_line_nothing_is_accepted() {
    let stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    let file = "order_id,kind,account,amount\nB1,mobile,18900000001,100\nB2,mobile,123,100\n";
    let told = stage
        .call("POST", "/v1/batches", Some(&key), Some(file))
        .await;
    assert_eq!((told.status, told.code().as_str()), (422, "invalid"));
    assert!(told.text.contains("line 3, account"), "{}", told.text);
    let error = &told.json()["errors"][0];
    assert_eq!(
        (&error["line"], &error["column"]),
        (&3.into(), &"account".into())
    );
    assert!(error["detail"].is_string(), "{error}");
    let list = stage.call("GET", "/v1/orders", Some(&key), None).await;
    assert_eq!(list.json()["orders"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_file_keeps_nobody_elses_waiting() {
    let stage = Stage::open().await;
    let (long, short) = (stage.key("long", ALL), stage.key("short", ALL));
    let mut file = "order_id,kind,account,amount\n".to_owned();
    for at in 0..5_000 {
        writeln!(file, "B{at},mobile,189{at:08},100").unwrap();
    }
    let hand_in = async |key: &str, file: &str| {
        let taken = stage.call("POST", "/v1/batches", Some(key), Some(file));
        let taken = taken.await.json();
        format!("/v1/batches/{}", taken["batch_id"].as_str().unwrap())
    };
    let first = hand_in(&long, &file).await;
    let second = "order_id,kind,account,amount\nC1,mobile,18600000001,100\n";
    let second = hand_in(&short, second).await;
    done(&stage, &short, &second).await;
    let batch = stage.call("GET", &first, Some(&long), None).await.json();
    assert!(batch["waiting"].as_u64() > Some(0), "{batch}");
    // Each merchant's orders are its own.
    let listed = stage.call("GET", "/v1/orders", Some(&short), None).await;
    let listed = listed.json()["orders"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["order_id"], "C1");
}

/// Waits until all orders of a file have been accepted or refused.
async fn done(stage: &Stage, key: &str, path: &str) -> serde_json::Value {
    let give_up = tokio::time::Instant::now() + Duration::from_mins(1);
    loop {
        let batch = stage.call("GET", path, Some(key), None).await.json();
        if batch["done_at"].is_string() {
            return batch;
        }
        assert!(tokio::time::Instant::now() < give_up, "{batch}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_placed_as_it_says_and_guarded_as_any_order() {
    let mut stage = Stage::without_gateway().await;
    stage.with_jisu = true;
    stage.start().await;
    let key = stage.key("shop", ALL);
    let earlier = crate::stage::order("A1", 1);
    let placed = stage.call("POST", "/v1/orders", Some(&key), Some(&earlier));
    assert_eq!(placed.await.status, 202);
    // Both charge what A1 charges; only the second says that it is meant.
    let file = "order_id,kind,account,amount,carrier,allow_duplicate,provider\n\
        B1,mobile,18900000001,100,,,\n\
        B2,mobile,18900000001,100,,yes,\n\
        B3,mobile,18900000003,100,,,jisu\n\
        B4,landline,0571-56565366,100,telecom,,\n";
    let taken = stage
        .call("POST", "/v1/batches", Some(&key), Some(file))
        .await;
    assert_eq!(taken.status, 202, "{taken:?}");
    let path = format!("/v1/batches/{}", taken.json()["batch_id"].as_str().unwrap());
    let batch = done(&stage, &key, &path).await;
    assert_eq!(batch["refused"], 1, "{batch}");
    let rows = format!("{path}/rows");
    let rows = stage.call("GET", &rows, Some(&key), None).await.json();
    let refused = rows["rows"][0]["refused"].as_str().unwrap();
    assert!(refused.contains("order A1"), "{refused}");
    for (order_id, provider, carrier) in [
        ("B2", "juhe", None),
        ("B3", "jisu", None),
        ("B4", "jisu", Some("telecom")),
    ] {
        let ended = stage.until(order_id, "succeeded", &key).await;
        assert_eq!(ended["provider"], provider, "{order_id}");
        assert_eq!(ended["carrier"].as_str(), carrier, "{order_id}");
    }
}

/// Fewer than are read at once: whatever was not accepted is on the page that was under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_of_a_file_refuses_and_forgets_none_of_its_orders() {
    let mut stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    let mut file = "order_id,kind,account,amount\n".to_owned();
    for at in 0..190 {
        writeln!(file, "B{at},mobile,189{at:08},100").unwrap();
    }
    let taken = stage
        .call("POST", "/v1/batches", Some(&key), Some(&file))
        .await;
    let path = format!("/v1/batches/{}", taken.json()["batch_id"].as_str().unwrap());
    stage.stop().await;
    stage.start().await;
    let batch = done(&stage, &key, &path).await;
    assert_eq!(
        (&batch["waiting"], &batch["refused"]),
        (&0.into(), &0.into()),
        "{batch}"
    );
    let orders = batch["orders"].as_object().unwrap().values();
    let orders: u64 = orders.map(|many| many.as_u64().unwrap()).sum();
    assert_eq!(orders, 190, "{batch}");
}
