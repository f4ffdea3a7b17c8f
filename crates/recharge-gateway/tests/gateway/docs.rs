//! The description, and the page that shows it.

use std::collections::BTreeSet;

use recharge_gateway::problem::Code;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_all_that_it_names_are_served_and_nothing_else_is_fetched() {
    let stage = Stage::open().await;
    let page = stage.call("GET", "/docs", None, None).await;
    assert_eq!(
        (page.status, page.kind.as_str()),
        (200, "text/html; charset=utf-8")
    );
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(
        !policy.contains("http") && !policy.contains('*'),
        "{policy}"
    );
    let named: Vec<&str> = ["href=\"", "src=\"", "spec-url=\""]
        .iter()
        .flat_map(|begin| page.text.split(begin).skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(named.len() >= 3, "{named:?}");
    for name in named {
        assert!(!name.contains("//") && !name.starts_with('/'), "{name}");
        let url = format!("http://{}/{name}", stage.address());
        let file = reqwest::get(url).await.unwrap();
        assert_eq!(file.status(), 200, "{name}");
        let kind = file.headers()["content-type"].to_str().unwrap();
        let right = match name.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "application/json",
        };
        assert_eq!(kind, right, "{name}");
        if right.starts_with("text") {
            assert_eq!(file.headers()["x-content-type-options"], "nosniff");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_whole() {
    let stage = Stage::open().await;
    let told = stage.call("GET", "/openapi.json", None, None).await.json();
    let ours = serde_json::to_value(recharge_gateway::routes::description()).unwrap();
    assert_eq!(told, ours);
    // Whatever it points to is there.
    let text = told.to_string();
    for pointer in text.split("\"$ref\":\"#").skip(1) {
        let pointer = pointer.split('"').next().unwrap();
        assert!(told.pointer(pointer).is_some(), "{pointer}");
    }
    assert!(text.contains("\"$ref\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_the_address_alone_finds_the_description() {
    let stage = Stage::open().await;
    let page = stage.call("GET", "/docs", None, None).await;
    let front = stage.call("GET", "/", None, None).await;
    assert_eq!((front.status, &front.kind), (200, &page.kind));
    assert_eq!(front.text, page.text);
    for path in ["/v1", "/v2/orders", "/index.html"] {
        let told = stage.call("GET", path, None, None).await;
        assert_eq!((told.status, &*told.code()), (404, "not_found"));
        let detail = told.json()["detail"].to_string();
        for place in ["/docs", "/openapi.json"] {
            assert!(detail.contains(place), "{detail}");
        }
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let ours = serde_json::to_value(recharge_gateway::routes::description()).unwrap();
    let mut names = BTreeSet::new();
    for part in ["paths", "webhooks"] {
        for (path, methods) in ours[part].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let name = operation["operationId"].as_str();
                let name = name.unwrap_or_else(|| panic!("{method} {path} has no name"));
                assert!(names.insert(name.to_owned()), "{name} stands twice");
            }
        }
    }
    assert!(names.contains("showOrder") && names.contains("showBatch"));
}

#[test]
fn what_is_one_of_few_words_is_described_as_such() {
    let ours = serde_json::to_value(recharge_gateway::routes::description()).unwrap();
    let schemas = &ours["components"]["schemas"];
    let codes = Code::ALL.map(Code::as_str);
    assert_eq!(schemas["CodeName"]["enum"], serde_json::json!(codes));
    assert_eq!(
        schemas["StateName"]["enum"],
        serde_json::json!([
            "pending",
            "submitting",
            "charging",
            "unknown",
            "review",
            "succeeded",
            "failed"
        ])
    );
    for (schema, property) in [
        ("Order", "state"),
        ("Order", "kind"),
        ("Problem", "code"),
        ("PlaceOrder", "kind"),
    ] {
        let text = schemas[schema]["properties"][property].to_string();
        assert!(text.contains("Name\""), "{schema}.{property}: {text}");
    }
    // What is always written is required, though it may be null.
    for property in ["carrier", "provider", "upstream_order_id", "cost"] {
        let required = schemas["Order"]["required"].as_array().unwrap();
        assert!(required.contains(&property.into()), "{property}");
    }
}
