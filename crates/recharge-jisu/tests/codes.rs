//! Every code, on a recharge and on a query; and the changes that configuration can make.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    NUMBER, answering, config, exchange, landline, learnt, phone, provider_with, read_query,
    read_submit, refusal, submit_answer, told, with_overrides, yuan,
};
use recharge_core::{
    AccountKind, Call, Carrier, CodeClass, CodeOverrides, Provider, QueryClass, SubmitClass,
    SubmitOutcome,
};
use recharge_jisu::{CODES, JisuProvider, Product};

/// What each code tells on a recharge and on a query, written out from the facts: not from the table.
const EXPECTED: [(&str, &str, &str); 20] = [
    ("101", "rejected", "unavailable Denied"),
    ("102", "rejected", "unavailable Denied"),
    ("103", "rejected", "unavailable Denied"),
    ("104", "rejected", "unavailable RateLimited"),
    ("105", "rejected", "unavailable Denied"),
    ("106", "rejected", "unavailable RateLimited"),
    ("107", "rejected", "unavailable Maintenance"),
    ("108", "rejected", "unavailable Maintenance"),
    ("201", "rejected", "unavailable Code"),
    ("202", "rejected", "unavailable Code"),
    ("203", "rejected", "unavailable Code"),
    ("204", "rejected", "unavailable Code"),
    ("205", "rejected", "unavailable Denied"),
    ("206", "rejected", "unavailable Denied"),
    ("207", "rejected", "unavailable Code"),
    ("208", "rejected", "unavailable Code"),
    ("209", "rejected", "unavailable Code"),
    ("210", "unknown Code", "unavailable Code"),
    ("211", "rejected", "unavailable Code"),
    ("212", "unknown Code", "unavailable Code"),
];

// Proves: jisu.code.101, jisu.code.102, jisu.code.103, jisu.code.104, jisu.code.105, jisu.code.106, jisu.code.107, jisu.code.108, jisu.code.201, jisu.code.202, jisu.code.203, jisu.code.204, jisu.code.205, jisu.code.206, jisu.code.207, jisu.code.208, jisu.code.209, jisu.code.210, jisu.code.211, jisu.code.212
#[test]
fn every_code_tells_what_is_documented() {
    let mut known: Vec<&str> = EXPECTED.iter().map(|(code, ..)| *code).collect();
    known.push("0");
    known.sort_unstable();
    let mut listed: Vec<&str> = CODES.iter().map(|row| row.code).collect();
    listed.sort_unstable();
    assert_eq!(
        listed, known,
        "the table has these codes and no other, each once"
    );
    for (code, submit, query) in EXPECTED {
        for written in [code.to_owned(), format!("\"{code}\"")] {
            assert_eq!(
                told(&read_submit(refusal(&written))),
                submit,
                "{written} on a recharge"
            );
            assert_eq!(
                learnt(&read_query(refusal(&written))),
                query,
                "{written} on a query"
            );
        }
    }
}

// Proves: jisu.code.other
#[test]
fn a_code_that_is_not_listed_proves_nothing() {
    for code in [
        "1", "100", "109", "200", "213", "-1", "2e2", "\"00\"", "0.0", "true",
    ] {
        assert_eq!(told(&read_submit(refusal(code))), "unknown Code", "{code}");
        assert_eq!(
            learnt(&read_query(refusal(code))),
            "unavailable Code",
            "{code}"
        );
    }
}

// Proves: jisu.answer.status-0
#[test]
fn only_zero_is_understood() {
    assert_eq!(told(&read_submit(submit_answer())), "accepted");
    for (code, expected) in [
        // A refusal that shows the order contradicts itself.
        ("206", "unknown Code"),
        ("210", "unknown Code"),
        ("1", "unknown Code"),
    ] {
        // With a result that looks like an acceptance.
        let answer = submit_answer().replace("\"status\":\"0\"", &format!("\"status\":\"{code}\""));
        assert_eq!(told(&read_submit(answer)), expected, "{code}");
    }
}

// Proves: jisu.sign.206-names-setting
#[tokio::test]
async fn a_wrong_signature_names_the_setting() {
    let SubmitOutcome::Rejected(rejection) = read_submit(refusal("206")) else {
        panic!("a refusal")
    };
    let advice = rejection.advice.unwrap();
    assert!(advice.contains("sign_order = \"documented-table\"") && advice.contains("[jisu]"));
    let error = answering(&refusal("206"))
        .list(AccountKind::Mobile, 1)
        .await
        .unwrap_err();
    assert!(error.detail.contains("app_secret"), "{error}");
}

/// No code is documented for "no such order"; a merchant who knows one sets it.
#[test]
fn configuration_changes_the_class_of_a_code() {
    let mut overrides = CodeOverrides::new();
    for (code, class) in [
        ("220", CodeClass::Query(QueryClass::NotFound)),
        ("207", CodeClass::Submit(SubmitClass::Unknown)),
        ("210", CodeClass::Submit(SubmitClass::NotAccepted)),
    ] {
        overrides.set(code, class).unwrap();
    }
    let jisu = with_overrides(overrides);
    let submit =
        |code| told(&jisu.read_submit(NUMBER, &landline(), yuan(100), &exchange(refusal(code))));
    let query =
        |code| learnt(&jisu.read_query(NUMBER, &phone(), yuan(10), &exchange(refusal(code))));
    assert_eq!(query("220"), "not found");
    assert_eq!(submit("220"), "unknown Code", "untouched");
    assert_eq!(query("221"), "unavailable Code", "untouched");
    assert_eq!(submit("207"), "unknown Code");
    assert_eq!(submit("210"), "rejected");
    assert_eq!(submit("206"), "rejected", "untouched");
}

#[test]
fn every_row_is_complete_and_in_order() {
    let number = |code: &str| code.parse::<u32>().unwrap();
    assert!(
        CODES
            .windows(2)
            .all(|pair| number(pair[0].code) < number(pair[1].code))
    );
    for row in CODES {
        assert!(!row.chinese.is_empty() && !row.english.is_empty() && !row.source.is_empty());
        assert_eq!(row.on_submit == SubmitClass::Accepted, row.code == "0");
        assert_eq!(row.on_query == QueryClass::Understood, row.code == "0");
    }
}

// Proves: jisu.telrecharge.face-values, jisu.mobilerecharge.face-values
#[test]
fn capabilities_are_as_documented_and_face_values_can_be_changed() {
    let jisu = answering("");
    assert_eq!(jisu.id().as_str(), "jisu");
    let capabilities = jisu.capabilities();
    assert!(capabilities.refuses_duplicates, "212 (S)");
    assert!(capabilities.callback_covers_state, "M");
    let calls = [
        Call::Submit,
        Call::Query,
        Call::Quote,
        Call::List,
        Call::Callback,
    ];
    assert_eq!(capabilities.calls, calls);
    let values = |jisu: &JisuProvider, kind| -> Vec<u32> {
        let mut offers = jisu.capabilities().offers.iter();
        let offer = offers.find(|offer| offer.kind == kind).unwrap();
        offer.face_values.iter().map(|value| value.yuan()).collect()
    };
    for offer in &capabilities.offers {
        let named = [
            Carrier::Unicom,
            Carrier::Telecom,
            Carrier::Tietong,
            Carrier::Mobile,
        ];
        if offer.kind == AccountKind::Mobile {
            assert_eq!(
                values(&jisu, offer.kind),
                [10, 20, 30, 50, 100, 200, 300, 500]
            );
            assert_eq!(offer.carriers, []);
        } else {
            assert_eq!(values(&jisu, offer.kind), [20, 50, 100, 200, 500]);
            assert_eq!(offer.carriers, named);
        }
    }
    assert_eq!(capabilities.offers.len(), AccountKind::ALL.len());
    let changed = config()
        .with_face_values(Product::Landline, vec![yuan(100), yuan(50), yuan(100)])
        .unwrap();
    let changed = provider_with(changed, []).0;
    assert_eq!(values(&changed, AccountKind::Broadband), [50, 100]);
    assert_eq!(values(&changed, AccountKind::Mobile).len(), 8);
}
