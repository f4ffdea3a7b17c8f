//! What upstreams vary, and where leniency ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    NUMBER, ORDERLIST, PHONE, TELCHECK, TELQUERY, YUE, answering, exchange, learnt, phone,
    read_query, read_submit, refusal, status_answer, submit_answer, told, yuan,
};
use proptest::prelude::*;
use recharge_core::{AccountKind, Provider, QueryOutcome, SubmitOutcome};

/// The number fields of a documented answer, as written.
const NUMBERS: [&str; 5] = [
    "\"cardid\":10423",
    "\"cardnum\":1",
    "\"ordercash\":1.06",
    "\"game_state\":0",
    "\"error_code\":0",
];

// Proves: juhe.answer.error-code-types, juhe.answer.submit.types
#[test]
fn every_number_may_be_a_string() {
    let expected = read_submit(submit_answer());
    let SubmitOutcome::Accepted(expected) = expected else {
        panic!("an acceptance")
    };
    for field in NUMBERS {
        let (name, value) = field.split_once(':').unwrap();
        let answer = submit_answer().replace(field, &format!("{name}:\"{value}\""));
        let SubmitOutcome::Accepted(receipt) = read_submit(answer) else {
            panic!("{field} as a string")
        };
        assert_eq!(receipt.cost, expected.cost, "{field}");
        assert_eq!(receipt.reported, expected.reported, "{field}");
    }
    for code in ["208515", "\"208515\""] {
        assert_eq!(told(&read_submit(refusal(code))), "rejected", "{code}");
    }
    for code in ["208509", "\"208509\""] {
        assert_eq!(learnt(&read_query(refusal(code))), "not found", "{code}");
    }
}

#[test]
fn fields_that_decide_nothing_may_be_nothing_or_missing() {
    for field in [
        "cardid",
        "cardnum",
        "ordercash",
        "cardname",
        "sporder_id",
        "game_userid",
    ] {
        for nothing in ["null", "\"\"", "[]"] {
            let mut answer: serde_json::Value = serde_json::from_str(&submit_answer()).unwrap();
            answer["result"][field] = serde_json::from_str(nothing).unwrap();
            assert_eq!(
                told(&read_submit(answer.to_string())),
                "accepted",
                "{field} {nothing}"
            );
            answer["result"].as_object_mut().unwrap().remove(field);
            assert_eq!(
                told(&read_submit(answer.to_string())),
                "accepted",
                "without {field}"
            );
        }
    }
}

#[test]
fn fields_that_decide_are_needed() {
    for field in ["uorderid", "game_state"] {
        for nothing in ["null", "\"\"", "[]"] {
            let mut answer: serde_json::Value = serde_json::from_str(&submit_answer()).unwrap();
            answer["result"][field] = serde_json::from_str(nothing).unwrap();
            assert!(
                told(&read_submit(answer.to_string())).starts_with("unknown"),
                "{field}"
            );
            answer["result"].as_object_mut().unwrap().remove(field);
            assert!(
                told(&read_submit(answer.to_string())).starts_with("unknown"),
                "{field}"
            );
        }
    }
}

// Proves: juhe.answer.result-shapes
#[test]
fn a_result_that_is_no_object() {
    for result in ["null", "[]", "\"\"", "\"x\"", "0", "[{}]", "true", "{}"] {
        let understood = format!(r#"{{"reason":"","result":{result},"error_code":0}}"#);
        assert!(
            told(&read_submit(understood.clone())).starts_with("unknown"),
            "{result}"
        );
        assert_eq!(
            learnt(&read_query(understood)),
            "unavailable Unreadable",
            "{result}"
        );
        let refused = format!(r#"{{"reason":"","result":{result},"error_code":208517}}"#);
        assert_eq!(told(&read_submit(refused)), "rejected", "{result}");
    }
    assert_eq!(
        told(&read_submit(r#"{"error_code":0}"#)),
        "unknown Unreadable"
    );
    assert_eq!(told(&read_submit(r#"{"error_code":208517}"#)), "rejected");
    assert_eq!(learnt(&read_query(r#"{"error_code":208509}"#)), "not found");
}

#[test]
fn an_answer_without_a_code_is_unreadable() {
    for body in [
        "{}",
        r#"{"reason":"x"}"#,
        r#"{"error_code":null}"#,
        r#"{"error_code":""}"#,
        r#"{"resultcode":"0"}"#,
    ] {
        assert_eq!(told(&read_submit(body)), "unknown Unreadable", "{body}");
        assert_eq!(
            learnt(&read_query(body)),
            "unavailable Unreadable",
            "{body}"
        );
    }
}

#[test]
fn further_fields_and_a_byte_order_mark_change_nothing() {
    let more = submit_answer()
        .replace("{\"cardid\"", "{\"new\":{\"deep\":[[1,null]]},\"cardid\"")
        .replace("{\"reason\"", "{\"resultcode\":\"200\",\"reason\"");
    assert_eq!(told(&read_submit(more)), "accepted");
    assert_eq!(
        told(&read_submit(format!("\u{feff}{}", submit_answer()))),
        "accepted"
    );
    assert_eq!(
        told(&read_submit(format!(" \r\n{}\n", submit_answer()))),
        "accepted"
    );
}

#[test]
fn escaped_text_is_the_same_text() {
    let escaped = submit_answer()
        .replace("订单", "\\u8ba2\\u5355")
        .replace(PHONE, "\\u0031\\u0038912345678");
    let SubmitOutcome::Accepted(receipt) = read_submit(escaped) else {
        panic!("an acceptance")
    };
    assert!(receipt.answer.message.starts_with("订单"));
}

#[test]
fn a_field_that_comes_twice_is_unreadable() {
    for (once, twice) in [
        ("\"error_code\":0", "\"error_code\":0,\"error_code\":0"),
        ("\"error_code\":0", "\"error_code\":208515,\"error_code\":0"),
        ("\"game_state\":0", "\"game_state\":9,\"game_state\":0"),
        ("\"uorderid\":", "\"uorderid\":\"X\",\"uorderid\":"),
        ("\"result\":", "\"result\":null,\"result\":"),
    ] {
        let answer = submit_answer().replace(once, twice);
        assert_eq!(told(&read_submit(answer)), "unknown Unreadable", "{twice}");
    }
    let status =
        status_answer("1").replace("\"game_state\"", "\"game_state\":\"9\",\"game_state\"");
    assert_eq!(learnt(&read_query(status)), "unavailable Unreadable");
    let refused = r#"{"error_code":208515,"error_code":208515}"#;
    assert_eq!(told(&read_submit(refused)), "unknown Unreadable");
}

#[test]
fn an_array_is_not_read_as_an_object_by_position() {
    for body in [
        "[\"\",null,208515]",
        "[\"\",{},0]",
        "[]",
        "208515",
        "null",
        "\"0\"",
    ] {
        assert_eq!(told(&read_submit(body)), "unknown Unreadable", "{body}");
    }
}

// Proves: juhe.codes.no-answer
#[test]
fn an_answer_cut_at_any_byte_is_unreadable_and_kept() {
    for whole in [submit_answer(), refusal("208515")] {
        for cut in 0..whole.len() {
            let SubmitOutcome::Unknown(doubt) = read_submit(whole.as_bytes()[..cut].to_vec())
            else {
                panic!("a doubt at {cut}")
            };
            assert_eq!(doubt.kind, recharge_core::DoubtKind::Unreadable, "at {cut}");
            assert_eq!(
                doubt.answer.unwrap().raw.is_empty(),
                cut == 0,
                "the text is kept"
            );
        }
    }
    for whole in [status_answer("1"), refusal("208509")] {
        for cut in 0..whole.len() {
            let told = learnt(&read_query(whole.as_bytes()[..cut].to_vec()));
            assert_eq!(told, "unavailable Unreadable", "at {cut}");
        }
    }
}

#[tokio::test]
async fn other_answers_cut_at_any_byte_are_errors() {
    for cut in 0..TELCHECK.len() {
        let body = String::from_utf8_lossy(&TELCHECK.as_bytes()[..cut]).into_owned();
        assert!(
            answering(&body).check(&phone(), yuan(1)).await.is_err(),
            "at {cut}"
        );
    }
    for cut in 0..TELQUERY.len() {
        let body = String::from_utf8_lossy(&TELQUERY.as_bytes()[..cut]).into_owned();
        assert!(
            answering(&body).quote(&phone(), yuan(1)).await.is_err(),
            "at {cut}"
        );
    }
    for cut in 0..YUE.len() {
        let body = String::from_utf8_lossy(&YUE.as_bytes()[..cut]).into_owned();
        assert!(answering(&body).balance().await.is_err(), "at {cut}");
    }
    for cut in 0..ORDERLIST.len() {
        let body = String::from_utf8_lossy(&ORDERLIST.as_bytes()[..cut]).into_owned();
        assert!(
            answering(&body).list(AccountKind::Mobile, 1).await.is_err(),
            "at {cut}"
        );
    }
}

#[test]
fn an_echo_of_another_order_is_not_about_this_one() {
    for (ours, other) in [
        (NUMBER, "RBAAAAAAAAAAAAAAAAAAAAAAAAA"),
        (NUMBER, "raaaaaaaaaaaaaaaaaaaaaaaaaa"),
        (PHONE, "18912345679"),
        (PHONE, "188xxxxxxxx"),
        (PHONE, "8618912345678"),
    ] {
        let answer = submit_answer().replace(ours, other);
        assert_eq!(
            told(&read_submit(answer.clone())),
            "unknown Echo",
            "{other}"
        );
        assert_eq!(
            learnt(&read_query(answer)),
            "unavailable Unreadable",
            "{other}"
        );
    }
    let masked = submit_answer().replace(PHONE, "189****5678");
    assert_eq!(told(&read_submit(masked)), "accepted");
}

#[test]
fn an_upstream_number_that_can_be_none_is_unreadable() {
    for wrong in ["J1 2", "订单", &"J".repeat(65)] {
        let answer = submit_answer().replace("J201125162114667xxxxxxxx", wrong);
        assert_eq!(told(&read_submit(answer)), "unknown Unreadable", "{wrong}");
    }
}

#[test]
fn deeply_nested_answers_are_read_or_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = format!(r#"{{"error_code":0,"result":{deep}}}"#);
    assert!(told(&read_submit(body)).starts_with("unknown"));
    let body = format!(r#"{{"error_code":{deep}}}"#);
    assert_eq!(told(&read_submit(body)), "unknown Unreadable");
}

/// The codes that refuse, written out a second time: from the facts, not from the table.
const REFUSING: [&str; 20] = [
    "10001", "10002", "10003", "10004", "10005", "10007", "10008", "10009", "10011", "10012",
    "10013", "10020", "10021", "208501", "208503", "208505", "208506", "208514", "208515",
    "208517",
];

/// An independent reading: what must be in the bytes for an outcome other than a doubt.
fn justified(outcome: &SubmitOutcome, body: &[u8]) -> bool {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let json = serde_json::from_slice::<serde_json::Value>(body).unwrap_or_default();
    let code = text(&json["error_code"]);
    match outcome {
        SubmitOutcome::Accepted(_) => code == "0" && text(&json["result"]["uorderid"]) == NUMBER,
        SubmitOutcome::Rejected(_) => REFUSING.contains(&code.as_str()),
        SubmitOutcome::NotSent(_) => false,
        SubmitOutcome::Unknown(_) => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_a_doubt(body: Vec<u8>) {
        let outcome = read_submit(body.clone());
        prop_assert!(justified(&outcome, &body));
        prop_assert!(matches!(read_query(body), QueryOutcome::Unavailable(_)));
    }

    #[test]
    fn a_damaged_answer_is_believed_only_where_it_still_says_so(
        refuse: bool,
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        digits: bool,
    ) {
        let mut body = if refuse { refusal("208515") } else { submit_answer() }.into_bytes();
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = if digits { b'0' + byte % 10 } else { byte };
        }
        let outcome = read_submit(body.clone());
        prop_assert!(justified(&outcome, &body), "{:?}", String::from_utf8_lossy(&body));
        let _ = read_query(body);
    }

    #[test]
    fn any_code_refuses_only_if_listed(code in "[0-9]{1,7}", quoted: bool) {
        let written = if quoted || code.starts_with('0') { format!("\"{code}\"") } else { code.clone() };
        let body = refusal(&written);
        let outcome = answering("").read_submit(NUMBER, &phone(), &exchange(body.clone()));
        let refused = matches!(outcome, SubmitOutcome::Rejected(_));
        prop_assert_eq!(refused, REFUSING.contains(&code.as_str()));
    }
}
