//! Records that are not what was written.

use proptest::prelude::*;
use recharge_engine::record::{RecordError, decode, encode};
use serde_json::Value;

use crate::examples::{events, recorded};

fn one(event: &str) -> String {
    format!(r#"{{"first":1,"at":[0,1,0],"events":[{event}]}}"#)
}

fn error(text: &str) -> String {
    match decode(text) {
        Ok(read) => panic!("{text} was read as {read:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_value_that_can_not_be_is_named() {
    let moved = r#"{"moved":{"to":"pending","cause":"decided"}}"#;
    assert!(decode(&one(moved)).is_ok());
    for (event, value, what) in [
        (
            moved.replace("pending", "review:bored"),
            "review:bored",
            "reason of review",
        ),
        (moved.replace("pending", "lost"), "lost", "state"),
        (moved.replace("decided", "fate"), "fate", "cause"),
        (
            r#"{"send_intended":{"attempt":0,"number":"R2","provider":"juhe","token":"0"}}"#
                .to_owned(),
            "R2",
            "attempt number",
        ),
        (
            r#"{"priced":{"provider":"JUHE","price":"no_quote","passes":true}}"#.to_owned(),
            "JUHE",
            "provider",
        ),
        (
            r#"{"asked_again":{"by":{"name":" "}}}"#.to_owned(),
            " ",
            "person",
        ),
        (
            format!(
                r#"{{"priced":{{"provider":"juhe","price":{{"known":{}}},"passes":true}}}}"#,
                u64::MAX
            ),
            "18446744073709551615",
            "amount",
        ),
    ] {
        let said = error(&one(&event));
        assert_eq!(
            said,
            format!("a record of the log holds {value:?}, which is no {what}")
        );
    }
    let ended = |token: &str| {
        let outcome = r#"{"not_sent":{"reason":""}}"#;
        one(&format!(
            r#"{{"send_ended":{{"attempt":0,"token":"{token}","outcome":{outcome}}}}}"#
        ))
    };
    assert!(decode(&ended(&"0".repeat(32))).is_ok());
    let plus = format!("+{}", "0".repeat(31));
    for token in ["", "0", "xyz", &"0".repeat(33), &"F".repeat(32), &plus] {
        assert!(
            error(&ended(token)).ends_with("which is no send token"),
            "{token}"
        );
    }
}

#[test]
fn a_long_wrong_value_is_cut_off() {
    let name = "x".repeat(10_000);
    let said = error(&one(&format!(
        r#"{{"asked_again":{{"by":{{"name":"{name}"}}}}}}"#
    )));
    assert!(said.len() < 200, "{said}");
}

/// What is not known might be what matters: a file of a later version is not half read.
#[test]
fn what_is_not_known_is_not_passed_over() {
    let known = r#"{"first":1,"at":[0,1,0],"events":["recovered"]}"#;
    assert!(decode(known).is_ok());
    for unknown in [
        known.replace("recovered", "forgotten"),
        known.replace("\"first\"", "\"last\""),
        known.replace("]}", "],\"more\":1}"),
        known.replace("[0,1,0]", "[0,1]"),
        known.replace("[0,1,0]", "[0,1,0,0]"),
        known.replace("[0,1,0]", "[0,-1,0]"),
        known.replace(":1,", ":-1,"),
        known.replace(":1,", ":1.5,"),
        known[1..].to_owned(),
        known[..known.len() - 1].to_owned(),
        format!("{known}{known}"),
        one(r#"{"moved":{"to":"pending","cause":"decided","why":"x"}}"#),
        one(r#"{"moved":{"to":"pending"}}"#),
        one(r#"{"moved":{"to":"pending","to":"failed","cause":"decided"}}"#),
        one(r#"{"asked_again":{"by":{"name":"ann","age":7}}}"#),
        one(r#"{"scheduled":{"due":null},"held":null}"#),
    ] {
        let said = error(&unknown);
        assert!(
            said.starts_with("a record of the log can't be read: "),
            "{said}"
        );
    }
    // In every object of every example.
    for event in events() {
        let text = encode(&[recorded(event)]).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        for more in surprised(&value) {
            assert!(decode(&more.to_string()).is_err(), "{more}");
        }
    }
}

/// The value with one more field, in each of its objects in turn.
fn surprised(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match value {
        Value::Array(list) => {
            for (at, inner) in list.iter().enumerate() {
                for surprised in surprised(inner) {
                    let mut list = list.clone();
                    list[at] = surprised;
                    all.push(Value::Array(list));
                }
            }
        }
        Value::Object(fields) => {
            let mut more = fields.clone();
            more.insert("surprise".to_owned(), Value::Null);
            all.push(Value::Object(more));
            for (name, inner) in fields {
                for surprised in surprised(inner) {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), surprised);
                    all.push(Value::Object(fields));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    all
}

#[test]
fn versions_beyond_the_last_are_an_error() {
    let text = |events: &str| {
        format!(
            r#"{{"first":{},"at":[0,1,0],"events":[{events}]}}"#,
            u64::MAX
        )
    };
    assert_eq!(decode(&text("")).unwrap(), []);
    assert_eq!(decode(&text(r#""held""#)).unwrap()[0].version, u64::MAX);
    let said = decode(&text(r#""held","held""#));
    assert!(matches!(
        said,
        Err(RecordError::Value {
            what: "version",
            ..
        })
    ));
}

/// A place in a JSON value, and what is put there.
fn mutate(value: &mut Value, at: usize, put: &Value) -> usize {
    if at == 0 {
        *value = put.clone();
        return usize::MAX;
    }
    let mut left = at - 1;
    let inner: Vec<&mut Value> = match value {
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return left,
    };
    for value in inner {
        left = mutate(value, left, put);
        if left == usize::MAX {
            break;
        }
    }
    left
}

fn a_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,80}".prop_map(Value::from),
        prop::sample::select(vec![
            "review:overdue",
            "juhe",
            "charging",
            "held",
            "+1",
            "failed"
        ])
        .prop_map(Value::from),
        Just(serde_json::json!({})),
        Just(serde_json::json!([])),
        Just(serde_json::json!({"succeeded": null})),
    ]
}

/// Whatever is read is what is written again.
fn is_stable(text: &str) {
    if let Ok(read) = decode(text)
        && !read.is_empty()
    {
        let written = encode(&read).unwrap();
        assert_eq!(decode(&written).unwrap(), read, "{text}");
    }
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".*") {
        is_stable(&text);
    }

    #[test]
    fn a_damaged_record_never_panics(
        which: prop::sample::Index, at: prop::sample::Index, cut in 0_usize..6, put in ".{0,3}",
    ) {
        let events = events();
        let event = which.get(&events).clone();
        let text: Vec<char> = encode(&[recorded(event)]).unwrap().chars().collect();
        let at = at.index(text.len());
        let end = text.len().min(at + cut);
        let damaged: String = text[..at].iter().copied()
            .chain(put.chars())
            .chain(text[end..].iter().copied())
            .collect();
        is_stable(&damaged);
    }

    #[test]
    fn another_value_anywhere_never_panics(
        which: prop::sample::Index, at in 0_usize..40, put in a_value(),
    ) {
        let events = events();
        let event = which.get(&events).clone();
        let text = encode(&[recorded(event)]).unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        mutate(&mut value, at, &put);
        is_stable(&value.to_string());
    }
}
