//! Every code, on a submit and on a query; and the changes that configuration can make.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    NUMBER, answering, exchange, learnt, phone, read_query, read_submit, refusal, submit_answer,
    told, with_overrides,
};
use recharge_core::{CodeClass, CodeOverrides, Provider, QueryClass, SubmitClass, SubmitOutcome};
use recharge_juhe::CODES;

/// What each code tells on a submit and on a query, written out from the facts: not from the table.
const EXPECTED: [(&str, &str, &str); 32] = [
    ("10001", "rejected", "unavailable Denied"),
    ("10002", "rejected", "unavailable Denied"),
    ("10003", "rejected", "unavailable Denied"),
    ("10004", "rejected", "unavailable Denied"),
    ("10005", "rejected", "unavailable Denied"),
    ("10007", "rejected", "unavailable Denied"),
    ("10008", "rejected", "unavailable Denied"),
    ("10009", "rejected", "unavailable Denied"),
    ("10011", "rejected", "unavailable RateLimited"),
    ("10012", "rejected", "unavailable RateLimited"),
    ("10013", "rejected", "unavailable RateLimited"),
    ("10014", "unknown Code", "unavailable Code"),
    ("10020", "rejected", "unavailable Maintenance"),
    ("10021", "rejected", "unavailable Maintenance"),
    ("19000", "unknown Code", "not found"),
    ("100014", "unknown Code", "unavailable Code"),
    ("208501", "rejected", "unavailable Code"),
    ("208502", "unknown Code", "unavailable Code"),
    ("208503", "rejected", "unavailable Maintenance"),
    ("208504", "unknown Code", "unavailable Code"),
    ("208505", "rejected", "unavailable Code"),
    ("208506", "rejected", "unavailable Code"),
    ("208507", "unknown Code", "unavailable Code"),
    ("208508", "unknown Code", "unavailable Code"),
    ("208509", "unknown Code", "not found"),
    ("208510", "unknown Code", "unavailable Code"),
    ("208511", "unknown Code", "unavailable Code"),
    ("208513", "unknown Code", "not found"),
    ("208514", "rejected", "unavailable Code"),
    ("208515", "rejected", "unavailable Denied"),
    ("208516", "unknown Code", "unavailable Code"),
    ("208517", "rejected", "unavailable Code"),
];

// Proves: juhe.code.10001, juhe.code.10002, juhe.code.10003, juhe.code.10004, juhe.code.10005, juhe.code.10007, juhe.code.10008, juhe.code.10009, juhe.code.10011, juhe.code.10012, juhe.code.10013, juhe.code.10014, juhe.code.100014, juhe.code.10020, juhe.code.10021, juhe.code.19000, juhe.code.208501, juhe.code.208502, juhe.code.208503, juhe.code.208504, juhe.code.208505, juhe.code.208506, juhe.code.208507, juhe.code.208508, juhe.code.208509, juhe.code.208510, juhe.code.208511, juhe.code.208513, juhe.code.208514, juhe.code.208515, juhe.code.208516, juhe.code.208517, juhe.status.not-found, juhe.status.not-found-proves-nothing
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
                "{written} on a submit"
            );
            assert_eq!(
                learnt(&read_query(refusal(&written))),
                query,
                "{written} on a query"
            );
        }
    }
}

// Proves: juhe.codes.never-failed
#[test]
fn the_two_codes_of_the_document_never_fail_an_order() {
    for code in ["10014", "208516"] {
        let SubmitOutcome::Unknown(doubt) = read_submit(refusal(code)) else {
            panic!("{code} is a doubt")
        };
        assert!(doubt.detail.contains(code), "{doubt:?}");
        assert_eq!(doubt.answer.unwrap().code, code);
    }
}

// Proves: juhe.code.other
#[test]
fn a_code_that_is_not_listed_proves_nothing() {
    for code in [
        "1", "10006", "10015", "208500", "208512", "208518", "-1", "1e5", "200", "\"00\"", "0.0",
        "true",
    ] {
        assert_eq!(told(&read_submit(refusal(code))), "unknown Code", "{code}");
        assert_eq!(
            learnt(&read_query(refusal(code))),
            "unavailable Code",
            "{code}"
        );
    }
}

// Proves: juhe.code.0
#[test]
fn only_zero_is_understood() {
    assert_eq!(told(&read_submit(submit_answer())), "accepted");
    for (code, told_by_it) in [
        // A refusal that shows the order contradicts itself.
        ("208515", "unknown Code"),
        ("10014", "unknown Code"),
        ("1", "unknown Code"),
    ] {
        // With a result that looks like an acceptance.
        let answer = submit_answer().replace("\"error_code\":0", &format!("\"error_code\":{code}"));
        assert_eq!(told(&read_submit(answer)), told_by_it, "{code}");
    }
}

// Proves: juhe.codes.override
#[test]
fn configuration_changes_the_class_of_a_code() {
    let mut overrides = CodeOverrides::new();
    for (code, class) in [
        ("208517", CodeClass::Submit(SubmitClass::Unknown)),
        ("208502", CodeClass::Submit(SubmitClass::NotAccepted)),
        ("99999", CodeClass::Submit(SubmitClass::NotAccepted)),
        ("208509", CodeClass::Query(QueryClass::Other)),
        ("99999", CodeClass::Query(QueryClass::NotFound)),
        ("10014", CodeClass::Query(QueryClass::Maintenance)),
    ] {
        overrides.set(code, class).unwrap();
    }
    let juhe = with_overrides(overrides);
    let submit = |code| told(&juhe.read_submit(NUMBER, &phone(), &exchange(refusal(code))));
    let query = |code| learnt(&juhe.read_query(NUMBER, &phone(), &exchange(refusal(code))));
    assert_eq!(submit("208517"), "unknown Code");
    assert_eq!(submit("208502"), "rejected");
    assert_eq!(submit("99999"), "rejected");
    assert_eq!(submit("10014"), "unknown Code");
    assert_eq!(submit("208515"), "rejected", "untouched");
    assert_eq!(query("208509"), "unavailable Code");
    assert_eq!(query("208513"), "not found", "untouched");
    assert_eq!(query("99999"), "not found");
    assert_eq!(query("10014"), "unavailable Maintenance");
    assert_eq!(query("0"), "unavailable Unreadable");
}

#[test]
fn a_refusal_says_what_to_do() {
    let advice = |code| match read_submit(refusal(code)) {
        SubmitOutcome::Rejected(rejection) => rejection.advice.unwrap(),
        other => panic!("{other:?}"),
    };
    assert!(advice("208515").contains("open_id"));
    assert!(advice("10004").contains("open_id"));
    assert!(advice("208517").contains("top up"));
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

// Proves: juhe.face-values.documented, juhe.face-values.drift
#[test]
fn capabilities_are_as_documented_and_face_values_can_be_changed() {
    use common::{config, provider_with, yuan};
    let juhe = answering("");
    assert_eq!(juhe.id().as_str(), "juhe");
    let capabilities = juhe.capabilities();
    assert!(capabilities.refuses_duplicates, "208516 (S)");
    assert!(!capabilities.callback_covers_state);
    assert_eq!(capabilities.calls, recharge_core::Call::ALL);
    let values = |juhe: &recharge_juhe::JuheProvider| -> Vec<u32> {
        let [offer] = &juhe.capabilities().offers[..] else {
            panic!("one kind of account")
        };
        offer.face_values.iter().map(|value| value.yuan()).collect()
    };
    assert_eq!(values(&juhe), [1, 2, 5, 10, 20, 30, 50, 100, 300]);
    let fewer = config()
        .with_face_values(vec![yuan(100), yuan(50), yuan(100)])
        .unwrap();
    assert_eq!(values(&provider_with(fewer, []).0), [50, 100]);
}
