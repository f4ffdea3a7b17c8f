//! Orders: placed, repeated, refused, listed.

use crate::stage::{ALL, Stage, order};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_placed_once_and_comes_to_its_end() {
    let mut stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    let body = order("A1", 1);
    let placed = stage
        .call("POST", "/v1/orders", Some(&key), Some(&body))
        .await;
    assert_eq!(
        (placed.status, placed.kind.as_str()),
        (202, "application/json")
    );
    let placed = placed.json();
    assert_eq!(placed["order_id"], "A1");
    assert_eq!(placed["amount"], "100");
    assert_eq!(placed.get("held"), None);
    assert!(placed["created_at"].as_str().unwrap().ends_with("+08:00"));
    let again = stage
        .call("POST", "/v1/orders", Some(&key), Some(&body))
        .await;
    assert_eq!(
        (again.status, &again.json()["order_id"]),
        (200, &"A1".into())
    );
    let number = body.replace("\"100\"", "100");
    let again = stage
        .call("POST", "/v1/orders", Some(&key), Some(&number))
        .await;
    assert_eq!(again.status, 200, "a number is as good as a text");
    let ended = stage.until("A1", "succeeded", &key).await;
    assert_eq!(
        (&ended["provider"], &ended["cost"]),
        (&"juhe".into(), &"99.65".into())
    );
    assert!(
        ended["upstream_order_id"]
            .as_str()
            .unwrap()
            .starts_with('J')
    );
    assert!(ended["version"].as_u64() > placed["version"].as_u64());
    assert_eq!(stage.simulator.ledger().len(), 1);

    let other = body.replace("\"100\"", "50");
    let refused = stage
        .call("POST", "/v1/orders", Some(&key), Some(&other))
        .await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (409, "order_conflict")
    );
    let twin = body.replace("A1", "A2");
    let refused = stage
        .call("POST", "/v1/orders", Some(&key), Some(&twin))
        .await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (409, "duplicate_order")
    );
    assert!(refused.text.contains("order A1"), "{}", refused.text);
    // Another merchant doesn't learn whose.
    let other = stage.key("other", ALL);
    let refused = stage
        .call("POST", "/v1/orders", Some(&other), Some(&twin))
        .await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (409, "duplicate_order")
    );
    assert!(!refused.text.contains("A1"), "{}", refused.text);
    let meant = twin.replace('}', ",\"allow_duplicate\":true}");
    let taken = stage
        .call("POST", "/v1/orders", Some(&key), Some(&meant))
        .await;
    assert_eq!(taken.status, 202);
    stage.until("A2", "succeeded", &key).await;

    let events = stage
        .call("GET", "/v1/orders/A1/events", Some(&key), None)
        .await;
    assert!(events.text.contains("\"sending\"") && events.text.contains("\"succeeded\""));
    assert!(
        !events.text.contains("error_code"),
        "no raw answer: {}",
        events.text
    );

    // Nothing is lost when it is stopped and started again.
    stage.stop().await;
    stage.start().await;
    assert_eq!(stage.until("A1", "succeeded", &key).await, ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_location_of_an_order_leads_to_it() {
    let stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    for (at, name) in (0..).zip(["p%2Fq", "p/q", "a?b", "a#b", "A-1_2.3:4~"]) {
        let body = order(name, at);
        let placed = stage
            .call("POST", "/v1/orders", Some(&key), Some(&body))
            .await;
        assert_eq!(placed.status, 202, "{placed:?}");
        let location = placed.headers["location"].to_str().unwrap().to_owned();
        let found = stage.call("GET", &location, Some(&key), None).await;
        assert_eq!(found.json()["order_id"], name, "{location}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_with_its_field() {
    let stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    let right = order("A1", 1);
    for (from, to, field) in [
        ("\"A1\"", "\"\"", "order_id"),
        ("\"A1\"", "7", "order_id"),
        ("\"A1\"", "\"..\"", "order_id"),
        ("mobile", "fax", "kind"),
        ("18900000001", "123", "account"),
        ("\"100\"", "\"100.5\"", "amount"),
        ("\"100\"", "-5", "amount"),
        ("\"100\"", "0", "amount"),
        ("\"amount\"", "\"amont\"", "amont"),
        ("\"kind\":\"mobile\",", "", "kind"),
        ("}", ",\"carrier\":\"acme\"}", "carrier"),
        ("}", ",\"provider\":\"No One\"}", "provider"),
        ("}", ",\"allow_duplicate\":\"yes\"}", "allow_duplicate"),
    ] {
        let body = right.replace(from, to);
        assert_ne!(body, right);
        let told = stage
            .call("POST", "/v1/orders", Some(&key), Some(&body))
            .await;
        assert_eq!(
            (told.status, told.code().as_str()),
            (422, "invalid"),
            "{body}"
        );
        assert_eq!(told.json()["field"], field, "{body}: {}", told.text);
        assert!(!told.text.contains("18900000001"), "{}", told.text);
    }
    for body in ["", "{", "[]x", "\u{0}", &"[".repeat(100_000)[..50_000]] {
        let told = stage
            .call("POST", "/v1/orders", Some(&key), Some(body))
            .await;
        assert!(matches!(told.status, 400 | 422), "{body:.20}: {told:?}");
        told.code();
    }
    for (query, field) in [
        ("limit=-1", "limit"),
        ("limit=1&limit=2", "limit"),
        ("lmit=1", "lmit"),
    ] {
        let path = format!("/v1/orders?{query}");
        let told = stage.call("GET", &path, Some(&key), None).await;
        assert_eq!((told.status, told.code().as_str()), (422, "invalid"));
        assert_eq!(told.json()["field"], field, "{}", told.text);
    }
    let large = format!("{right}{}", " ".repeat(100_000));
    let told = stage
        .call("POST", "/v1/orders", Some(&key), Some(&large))
        .await;
    assert_eq!((told.status, told.code().as_str()), (413, "too_large"));
    let unsold = right.replace("\"100\"", "7");
    let told = stage
        .call("POST", "/v1/orders", Some(&key), Some(&unsold))
        .await;
    assert_eq!((told.status, told.code().as_str()), (422, "not_offered"));
    assert!(stage.simulator.ledger().is_empty());
    let list = stage.call("GET", "/v1/orders", Some(&key), None).await;
    assert_eq!(list.json()["orders"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_page_by_page_and_filters_hold() {
    let stage = Stage::open().await;
    let (key, other) = (stage.key("shop", ALL), stage.key("other", ALL));
    for at in 1..=7 {
        let body = order(&format!("A{at}"), at);
        let key = if at == 4 { &other } else { &key };
        let placed = stage
            .call("POST", "/v1/orders", Some(key), Some(&body))
            .await;
        assert_eq!(placed.status, 202);
    }
    for at in [1, 2, 3, 5, 6, 7] {
        stage.until(&format!("A{at}"), "succeeded", &key).await;
    }
    let mut seen = Vec::new();
    let mut path = "/v1/orders?limit=2".to_owned();
    loop {
        let page = stage.call("GET", &path, Some(&key), None).await.json();
        for order in page["orders"].as_array().unwrap() {
            seen.push(order["order_id"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/orders?limit=2&after={next}");
    }
    assert_eq!(seen, ["A7", "A6", "A5", "A3", "A2", "A1"]);
    let count = async |query: &str| {
        let page = stage
            .call("GET", &format!("/v1/orders?{query}"), Some(&key), None)
            .await;
        page.json()["orders"].as_array().unwrap().len()
    };
    assert_eq!(count("state=succeeded").await, 6);
    assert_eq!(count("state=failed").await, 0);
    assert_eq!(count("account=18900000003").await, 1);
    assert_eq!(count("from=2000-01-01&to=2001-01-01").await, 0);
    for (query, field) in [
        ("state=done", "state"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("from=yesterday", "from"),
        ("after=A4", "after"),
        ("page=2", "page"),
    ] {
        let told = stage
            .call("GET", &format!("/v1/orders?{query}"), Some(&key), None)
            .await;
        assert_eq!(
            (told.status, told.json()["field"].as_str()),
            (422, Some(field)),
            "{query}"
        );
    }
    let counted = stage
        .call("GET", "/v1/statistics", Some(&key), None)
        .await
        .json();
    assert_eq!(counted["orders"], serde_json::json!({"succeeded": 6}));
    let day = counted["from"].as_str().unwrap()[..10].to_owned();
    let path = format!("/v1/statements/{day}.csv");
    let statement = stage.call("GET", &path, Some(&key), None).await;
    assert_eq!(statement.kind, "text/csv; charset=utf-8");
    let rows: Vec<&str> = statement.text.lines().collect();
    assert_eq!(rows.len(), 7, "{}", statement.text);
    // Under each name what the order has under it.
    let shown = stage.call("GET", "/v1/orders/A7", Some(&key), None).await;
    let shown = shown.json();
    for (name, value) in rows[0].split(',').zip(rows[1].split(',')) {
        assert_eq!(value, shown[name].as_str().unwrap_or_default(), "{name}");
    }
    assert!(rows[1].contains(",succeeded,99.65,"), "{}", rows[1]);
    let told = stage
        .call("GET", "/v1/statements/today", Some(&key), None)
        .await;
    assert_eq!(told.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_is_whole_yuan_as_text_or_as_a_number_and_answered_as_text() {
    let stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    let place = async |id: u32, amount: &str| {
        let body = order(&format!("A{id}"), id).replace("\"100\"", amount);
        stage
            .call("POST", "/v1/orders", Some(&key), Some(&body))
            .await
    };
    for (id, amount) in [(1, "100"), (2, "\"100\"")] {
        let placed = place(id, amount).await;
        assert_eq!(placed.status, 202, "{placed:?}");
        assert_eq!(placed.json()["amount"], "100");
    }
    for amount in [
        "99.5", "100.0", "\"99.5\"", "0", "-100", "\"\"", "null", "true",
    ] {
        let refused = place(3, amount).await;
        assert_eq!(refused.status, 422, "{amount}: {refused:?}");
        assert_eq!(refused.json()["field"], "amount", "{amount}");
        let detail = refused.json()["detail"].to_string();
        assert!(detail.contains(r#"such as \"100\" or 100"#), "{detail}");
    }
    let described = serde_json::to_value(recharge_gateway::routes::description()).unwrap();
    let amount = &described["components"]["schemas"]["Yuan"]["oneOf"];
    assert_eq!(
        (&amount[0]["type"], &amount[1]["type"]),
        (&"string".into(), &"integer".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_none_is_named_with_those_that_are() {
    let stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    let body = order("A1", 1).replace("\"account\"", "\"phone\"");
    let refused = stage
        .call("POST", "/v1/orders", Some(&key), Some(&body))
        .await;
    assert_eq!(refused.status, 422);
    let problem = refused.json();
    assert_eq!(problem["field"], "phone");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("there is no such field;"), "{detail}");
    for known in ["order_id", "account", "notify_url"] {
        assert!(detail.contains(known), "{detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_a_restored_backup_holds_says_so() {
    use recharge_engine::Store as _;
    let mut stage = Stage::without_gateway().await;
    {
        let store = recharge_store::Sqlite::open(stage.file()).unwrap();
        let week = std::time::Duration::from_hours(168);
        store.set_hold(Some(week)).await.unwrap();
    }
    stage.start().await;
    let key = stage.key("shop", ALL);
    let body = order("A1", 1);
    let placed = stage
        .call("POST", "/v1/orders", Some(&key), Some(&body))
        .await;
    assert_eq!(placed.status, 202, "{placed:?}");
    let shown = stage.call("GET", "/v1/orders/A1", Some(&key), None).await;
    for order in [placed.json(), shown.json()] {
        assert_eq!(order["state"], "pending");
        assert_eq!(order["held"], "restored");
    }
    let listed = stage.call("GET", "/v1/orders", Some(&key), None).await;
    assert_eq!(listed.json()["orders"][0]["held"], "restored");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_where_it_says_and_as_what_it_says() {
    let mut stage = Stage::without_gateway().await;
    stage.with_jisu = true;
    stage.start().await;
    let key = stage.key("shop", ALL);
    let pinned = order("A1", 1).replace('}', ",\"provider\":\"jisu\"}");
    let line = r#"{"order_id":"A2","kind":"landline","account":"0571-56565366","amount":"100","carrier":"telecom"}"#;
    for (body, carrier) in [(&*pinned, None), (line, Some("telecom"))] {
        let placed = stage
            .call("POST", "/v1/orders", Some(&key), Some(body))
            .await;
        assert_eq!(placed.status, 202, "{placed:?}");
        let order_id = placed.json()["order_id"].as_str().unwrap().to_owned();
        let ended = stage.until(&order_id, "succeeded", &key).await;
        assert_eq!(ended["provider"], "jisu");
        assert_eq!(ended["carrier"].as_str(), carrier);
    }
}
