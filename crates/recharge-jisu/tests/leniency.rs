//! What upstreams vary, and where leniency ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    GOODS, NUMBER, ORDERLIST, PHONE, TEL, answering, exchange, landline, learnt, phone, read_query,
    read_submit, refusal, status_answer, submit_answer, told, yuan,
};
use proptest::prelude::*;
use recharge_core::{AccountKind, Provider, QueryOutcome, SubmitOutcome};

// Proves: jisu.answer.status-types, jisu.answer.recharge.types
#[test]
fn every_number_may_be_a_string_and_the_other_way_round() {
    for (text, number) in [
        ("\"status\":\"0\"", "\"status\":0"),
        ("\"amount\":\"100\"", "\"amount\":100"),
        ("\"amount\":\"100\"", "\"amount\":100.00"),
        ("\"totalfee\":\"99.65\"", "\"totalfee\":99.65"),
        ("\"teltype\":\"1\"", "\"teltype\":1"),
        ("\"rechargetype\":\"1\"", "\"rechargetype\":1"),
        ("\"rechargestatus\":\"0\"", "\"rechargestatus\":0"),
        (
            "\"orderno\":\"201604280717555074534\"",
            "\"orderno\":201604280717555074534",
        ),
    ] {
        let SubmitOutcome::Accepted(receipt) = read_submit(submit_answer().replace(text, number))
        else {
            panic!("{number}")
        };
        assert_eq!(receipt.cost.unwrap().thousandths(), 99_650);
        assert_eq!(
            receipt.upstream_order_id.unwrap().as_str(),
            "201604280717555074534"
        );
    }
    for code in ["206", "\"206\""] {
        assert_eq!(told(&read_submit(refusal(code))), "rejected", "{code}");
    }
}

#[test]
fn fields_that_decide_nothing_may_be_nothing_or_missing() {
    let decide_nothing = [
        "tel",
        "amount",
        "outorderno",
        "orderno",
        "totalfee",
        "teltype",
        "rechargetype",
    ];
    for field in decide_nothing {
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
    for nothing in ["null", "\"\"", "[]"] {
        let mut answer: serde_json::Value = serde_json::from_str(&submit_answer()).unwrap();
        answer["result"]["rechargestatus"] = serde_json::from_str(nothing).unwrap();
        assert_eq!(
            told(&read_submit(answer.to_string())),
            "unknown Unreadable",
            "{nothing}"
        );
        let mut answer: serde_json::Value = serde_json::from_str(&submit_answer()).unwrap();
        answer["result"]["outorderno"] = serde_json::from_str(nothing).unwrap();
        answer["result"].as_object_mut().unwrap().remove("tel");
        assert_eq!(
            told(&read_submit(answer.to_string())),
            "unknown Echo",
            "names nobody"
        );
    }
}

#[test]
fn a_result_that_is_no_object() {
    for result in ["null", "[]", "\"\"", "\"x\"", "0", "[{}]", "true", "{}"] {
        let understood = format!(r#"{{"msg":"","result":{result},"status":0}}"#);
        assert!(
            told(&read_submit(understood)).starts_with("unknown"),
            "{result}"
        );
        let refused = format!(r#"{{"msg":"","result":{result},"status":207}}"#);
        assert_eq!(told(&read_submit(refused)), "rejected", "{result}");
    }
    assert_eq!(told(&read_submit(r#"{"status":207}"#)), "rejected");
}

#[test]
fn an_answer_without_a_code_is_unreadable() {
    for body in [
        "{}",
        r#"{"msg":"x"}"#,
        r#"{"status":null}"#,
        r#"{"status":""}"#,
        r#"{"code":"0"}"#,
    ] {
        assert_eq!(told(&read_submit(body)), "unknown Unreadable", "{body}");
        assert_eq!(
            learnt(&read_query(body)),
            "unavailable Unreadable",
            "{body}"
        );
    }
    // The row's status is not the envelope's.
    let inner = r#"{"msg":"ok","result":{"status":"0","rechargestatus":"1"}}"#;
    assert_eq!(learnt(&read_query(inner)), "unavailable Unreadable");
}

#[test]
fn further_fields_and_a_byte_order_mark_change_nothing() {
    let more = submit_answer()
        .replace("{\"tel\"", "{\"new\":{\"deep\":[[1,null]]},\"tel\"")
        .replace("{\"status\"", "{\"code\":\"200\",\"status\"");
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
fn a_field_that_comes_twice_is_unreadable() {
    for (once, twice) in [
        ("\"status\":\"0\"", "\"status\":\"0\",\"status\":\"0\""),
        ("\"status\":\"0\"", "\"status\":\"206\",\"status\":\"0\""),
        (
            "\"rechargestatus\":",
            "\"rechargestatus\":\"2\",\"rechargestatus\":",
        ),
        ("\"outorderno\":", "\"outorderno\":\"X\",\"outorderno\":"),
        ("\"result\":", "\"result\":null,\"result\":"),
    ] {
        let answer = submit_answer().replace(once, twice);
        assert_eq!(told(&read_submit(answer)), "unknown Unreadable", "{twice}");
    }
    let detail = status_answer("1").replace(
        "\"rechargestatus\"",
        "\"rechargestatus\":\"2\",\"rechargestatus\"",
    );
    assert_eq!(learnt(&read_query(detail)), "unavailable Unreadable");
}

#[test]
fn an_array_is_not_read_as_an_object_by_position() {
    for body in [
        "[206,\"\",null]",
        "[0,\"\",{}]",
        "[]",
        "206",
        "null",
        "\"0\"",
    ] {
        assert_eq!(told(&read_submit(body)), "unknown Unreadable", "{body}");
        assert_eq!(
            learnt(&read_query(body)),
            "unavailable Unreadable",
            "{body}"
        );
    }
}

// Proves: jisu.codes.no-answer
#[test]
fn an_answer_cut_at_any_byte_is_unreadable_and_kept() {
    for whole in [submit_answer(), refusal("206")] {
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
    let nothing = r#"{"status":0,"msg":"ok","result":null}"#;
    for whole in [status_answer("1"), nothing.to_owned()] {
        for cut in 0..whole.len() {
            let told = learnt(&read_query(whole.as_bytes()[..cut].to_vec()));
            assert_eq!(told, "unavailable Unreadable", "at {cut}");
        }
    }
}

#[tokio::test]
async fn other_answers_cut_at_any_byte_are_errors() {
    for cut in 0..GOODS.len() {
        let body = String::from_utf8_lossy(&GOODS.as_bytes()[..cut]).into_owned();
        assert!(
            answering(&body).quote(&phone(), yuan(10)).await.is_err(),
            "at {cut}"
        );
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
        (TEL, "0571-56565367"),
        (TEL, "0571-xxxx5367"),
        ("\"amount\":\"100\"", "\"amount\":\"50\""),
        ("\"amount\":\"100\"", "\"amount\":\"100.50\""),
        ("\"amount\":\"100\"", "\"amount\":\"x\""),
    ] {
        let answer = submit_answer().replace(ours, other);
        assert_eq!(told(&read_submit(answer)), "unknown Echo", "{other}");
    }
    for same in ["057156565366", "0571-xxxx5366", "0571-****5366"] {
        assert_eq!(
            told(&read_submit(submit_answer().replace(TEL, same))),
            "accepted",
            "{same}"
        );
    }
    for (ours, other) in [
        (NUMBER, "RBAAAAAAAAAAAAAAAAAAAAAAAAA"),
        (PHONE, "18912345679"),
        ("10.00", "20.00"),
    ] {
        let answer = status_answer("1").replace(ours, other);
        assert_eq!(
            learnt(&read_query(answer)),
            "unavailable Unreadable",
            "{other}"
        );
    }
}

#[test]
fn an_upstream_number_that_can_be_none_is_unreadable() {
    for wrong in ["2 1", "订单", &"2".repeat(65)] {
        let answer = submit_answer().replace("201604280717555074534", wrong);
        assert_eq!(told(&read_submit(answer)), "unknown Unreadable", "{wrong}");
    }
}

#[test]
fn deeply_nested_answers_are_read_or_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = format!(r#"{{"status":0,"result":{deep}}}"#);
    assert!(told(&read_submit(body.clone())).starts_with("unknown"));
    assert_eq!(learnt(&read_query(body)), "unavailable Unreadable");
}

/// The codes that refuse, written out a second time: from the facts, not from the table.
const REFUSING: [&str; 18] = [
    "101", "102", "103", "104", "105", "106", "107", "108", "201", "202", "203", "204", "205",
    "206", "207", "208", "209", "211",
];

/// An independent reading: what must be in the bytes for an outcome other than a doubt.
fn justified(outcome: &SubmitOutcome, body: &[u8]) -> bool {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let json = serde_json::from_slice::<serde_json::Value>(body).unwrap_or_default();
    let code = text(&json["status"]);
    let named = |field: &str| text(&json["result"][field]);
    match outcome {
        SubmitOutcome::Accepted(_) => {
            code == "0" && (named("outorderno") == NUMBER || named("tel") == TEL)
        }
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
        let mut body = if refuse { refusal("206") } else { submit_answer() }.into_bytes();
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = if digits { b'0' + byte % 10 } else { byte };
        }
        let outcome = read_submit(body.clone());
        prop_assert!(justified(&outcome, &body), "{:?}", String::from_utf8_lossy(&body));
        let _ = read_query(body);
    }

    #[test]
    fn any_code_refuses_only_if_listed(code in "[0-9]{1,4}", quoted: bool) {
        let written = if quoted || code.starts_with('0') { format!("\"{code}\"") } else { code.clone() };
        let body = refusal(&written);
        let outcome = answering("").read_submit(NUMBER, &landline(), yuan(100), &exchange(body));
        let refused = matches!(outcome, SubmitOutcome::Rejected(_));
        prop_assert_eq!(refused, REFUSING.contains(&code.as_str()));
    }
}
