//! An upstream's answer, and how faults spoil it.

use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::config::Upstream;
use crate::hidden::Size;

/// What an upstream answers: its code, and the whole body.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: i64,
    pub(crate) body: String,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("code", &self.code)
            .field("body", &Size(self.body.len()))
            .finish()
    }
}

impl Answer {
    pub(crate) fn new<T: serde::Serialize>(code: i64, envelope: &T) -> Self {
        Self {
            code,
            // Our envelopes have text keys and no foreign `Serialize`, so writing them can't fail.
            body: serde_json::to_string(envelope).unwrap_or_default(),
        }
    }

    /// Where nothing was worked out and the fault makes its own answer.
    pub(crate) fn nothing() -> Self {
        Self {
            code: 0,
            body: String::new(),
        }
    }

    /// Half of the body. The first half of a JSON object is never JSON.
    pub(crate) fn truncated(&self) -> Vec<u8> {
        let body = self.body.as_bytes();
        body.get(..body.len() / 2).unwrap_or_default().to_vec()
    }

    /// Bytes that are no UTF-8, at the beginning and in the middle. No digit is changed into another,
    /// so that no reader, however lenient, finds a false state in it.
    pub(crate) fn garbled(&self) -> Vec<u8> {
        let mut body = self.body.clone().into_bytes();
        let middle = body.len() / 2;
        for at in [0, middle, middle + 1, middle + 2] {
            if let Some(byte) = body.get_mut(at) {
                *byte = 0xff;
            }
        }
        body
    }

    /// An array for the code and a text for the result.
    pub(crate) fn wrong_typed(&self, upstream: Upstream) -> String {
        let mut value = self.value();
        let code_name = code_name(upstream);
        if let Some(object) = value.as_object_mut() {
            let code = object.remove(code_name).unwrap_or_default();
            let result = object.remove("result").unwrap_or_default();
            object.insert(code_name.to_owned(), Value::Array(vec![code]));
            object.insert("result".to_owned(), Value::String(result.to_string()));
        }
        value.to_string()
    }

    /// The code twice: a false one first. A reader that takes the first believes a refusal of what
    /// was taken; one that takes the last can't tell that it was lied to. Both must say "unreadable".
    pub(crate) fn duplicate_key(&self, upstream: Upstream) -> String {
        let wrong = match (upstream, self.code) {
            (Upstream::Juhe, 0) => 208_505,
            (Upstream::Jisu, 0) => 204,
            _ => 0,
        };
        let rest = self.body.strip_prefix('{').unwrap_or(&self.body);
        format!("{{\"{}\":{wrong},{rest}", code_name(upstream))
    }

    /// Two million spaces before the last brace.
    pub(crate) fn huge(&self) -> String {
        let head = self.body.strip_suffix('}').unwrap_or(&self.body);
        format!("{head}{}}}", " ".repeat(2_000_000))
    }

    /// Numbers as texts, and numeric texts of fields that are numbers by nature as numbers.
    pub(crate) fn other_types(&self) -> String {
        let mut value = self.value();
        swap_types(&mut value);
        value.to_string()
    }

    /// The text fields `names` of the result set to `with` (or, for `None`, to another value like
    /// their own).
    pub(crate) fn with_fields(&self, names: &[&str], with: Option<&Value>) -> String {
        let mut value = self.value();
        for name in names {
            if let Some(field) = value
                .get_mut("result")
                .and_then(|found| found.get_mut(*name))
            {
                *field = with.cloned().unwrap_or_else(|| another(field));
            }
        }
        value.to_string()
    }

    fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

fn code_name(upstream: Upstream) -> &'static str {
    match upstream {
        Upstream::Juhe => "error_code",
        Upstream::Jisu => "status",
    }
}

/// A text of the same length and kind that is certainly another: its last digit or letter changed.
fn another(field: &Value) -> Value {
    let mut text = field.as_str().unwrap_or_default().to_owned();
    let last = text.pop();
    text.push(if last == Some('7') { '3' } else { '7' });
    Value::String(text)
}

const NUMERIC: &[&str] = &[
    "cardid",
    "cardnum",
    "game_state",
    "error_code",
    "status",
    "rechargestatus",
    "teltype",
    "rechargetype",
    "num",
    "areaid",
    "addtime",
];

fn swap_types(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(swap_types),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                let swapped = match &*field {
                    Value::Number(number) => Some(Value::String(number.to_string())),
                    Value::String(text) if NUMERIC.contains(&name.as_str()) => {
                        text.parse::<i64>().ok().map(Value::from)
                    }
                    Value::String(_) | Value::Null | Value::Bool(_) => None,
                    Value::Array(_) | Value::Object(_) => {
                        swap_types(field);
                        None
                    }
                };
                if let Some(swapped) = swapped {
                    *field = swapped;
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A JSON number written exactly so, never through a float. `null` if the text is no number.
pub(crate) fn number(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Answer {
        Answer {
            code: 0,
            body: r#"{"reason":"查询成功","result":{"ordercash":1.06,"game_state":"1","sporder_id":"J7"},"error_code":0}"#
                .to_owned(),
        }
    }

    #[test]
    fn spoilt_answers_are_no_json_at_every_length() {
        for pad in 0..8 {
            let mut answer = sample();
            answer.body = answer.body.replace("查询成功", &"查".repeat(pad));
            assert!(serde_json::from_slice::<Value>(&answer.truncated()).is_err());
            assert!(serde_json::from_slice::<Value>(&answer.garbled()).is_err());
            let lossy = String::from_utf8_lossy(&answer.garbled()).into_owned();
            assert!(serde_json::from_str::<Value>(&lossy).is_err());
        }
    }

    #[test]
    fn other_types_swap_and_keep_the_values() {
        let value: Value = serde_json::from_str(&sample().other_types()).unwrap();
        assert_eq!(value["error_code"], "0");
        assert_eq!(value["result"]["game_state"], 1);
        assert_eq!(value["result"]["ordercash"], "1.06");
        assert_eq!(value["result"]["sporder_id"], "J7");
    }

    #[test]
    fn duplicate_key_contradicts_itself() {
        let text = sample().duplicate_key(Upstream::Juhe);
        assert!(
            text.starts_with(r#"{"error_code":208505,"#) && text.ends_with(r#""error_code":0}"#)
        );
    }

    #[test]
    fn wrong_typed_wrong_echo_and_huge() {
        let value: Value = serde_json::from_str(&sample().wrong_typed(Upstream::Juhe)).unwrap();
        assert!(value["error_code"].is_array() && value["result"].is_string());
        let value: Value =
            serde_json::from_str(&sample().with_fields(&["sporder_id"], None)).unwrap();
        assert_eq!(value["result"]["sporder_id"], "J3");
        assert!(sample().huge().len() > 1 << 20);
        assert_eq!(
            serde_json::from_str::<Value>(&sample().huge()).unwrap(),
            sample().value()
        );
    }
}
