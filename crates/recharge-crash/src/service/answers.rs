//! What the shop was answered, and whether the service kept to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::orders::Wanted;

/// What is known of an order from answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Heard {
    /// How often it was called new.
    accepted: u64,
    /// What can't change about it: as its first answer had it.
    content: Option<Value>,
    /// The highest version that was shown.
    version: u64,
    /// With that version.
    state: String,
}

/// What was answered, to all clients together.
#[derive(Debug, Default)]
pub(super) struct Answers {
    heard: BTreeMap<String, Heard>,
    /// How often an order was answered for, in all.
    pub(super) answered: u64,
    /// How many repeats were told of the order that there was.
    pub(super) repeats: u64,
    /// How many other orders under the same id were refused.
    pub(super) clashes: u64,
    /// How many requests reached the service and were never answered.
    pub(super) broken: u64,
    /// Orders that were answered for, and of which the service knew nothing later; a sentence each.
    pub(super) lost: BTreeMap<String, String>,
    /// What else must not be, a sentence each.
    pub(super) complaints: Vec<String>,
}

impl Answers {
    /// The orders that were answered for.
    pub(super) fn acknowledged(&self) -> BTreeSet<String> {
        self.heard.keys().cloned().collect()
    }

    /// What an order had come to when it was last heard of: its version and its state.
    pub(super) fn last(&self, order_id: &str) -> Option<(u64, &str)> {
        let heard = self.heard.get(order_id)?;
        Some((heard.version, &heard.state))
    }

    /// The order was accepted, or was there; `new` as the service says.
    pub(super) fn took(&mut self, order_id: &str, new: bool) {
        self.answered += 1;
        self.repeats += u64::from(!new);
        let heard = self.heard.entry(order_id.to_owned()).or_default();
        heard.accepted += u64::from(new);
        if heard.accepted > 1 && new {
            self.lost(order_id, "was accepted as new, and had been before");
        }
    }

    /// An order that was answered for is not known.
    pub(super) fn lost(&mut self, order_id: &str, how: &str) {
        let sentence = format!("{order_id} {how}");
        self.lost.entry(order_id.to_owned()).or_insert(sentence);
    }

    /// The order was shown. `before`: what was known when it was asked for.
    pub(super) fn shown(&mut self, wanted: &Wanted, shown: &Value, before: Option<u64>) {
        let id = &wanted.order_id;
        let content: Value = ["order_id", "kind", "account", "amount", "created_at"]
            .iter()
            .map(|name| ((*name).to_owned(), shown[name].clone()))
            .collect();
        if !is(wanted, &content) {
            self.complaints
                .push(format!("{id} is another order: {content}"));
            return;
        }
        let heard = self.heard.entry(id.clone()).or_default();
        match &heard.content {
            Some(first) if *first != content => {
                let complaint = format!("{id} was {first} and is {content}");
                self.complaints.push(complaint);
            }
            Some(_) | None => heard.content = Some(content),
        }
        let version = shown["version"].as_u64().unwrap_or(0);
        // Of two that were asked for at the same time, either may have been looked up first.
        if before.is_some_and(|before| version < before) {
            let complaint = format!("{id} was shown with version {before:?}, and is at {version}");
            self.complaints.push(complaint);
        }
        if version >= heard.version {
            heard.version = version;
            shown["state"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut heard.state);
        }
    }
}

/// Whether it is the order that was wanted.
fn is(wanted: &Wanted, shown: &Value) -> bool {
    // A landline may be shown with or without its dash.
    let account = shown["account"].as_str().unwrap_or_default();
    shown["order_id"] == wanted.order_id
        && shown["kind"] == wanted.kind
        && account.replace('-', "") == wanted.account.replace('-', "")
        && shown["amount"].as_str() == Some(&wanted.yuan.to_string())
        && shown["created_at"].is_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::orders::orders;

    fn shown(wanted: &Wanted, version: u64) -> Value {
        json!({
            "order_id": wanted.order_id, "kind": wanted.kind, "account": wanted.account,
            "amount": wanted.yuan.to_string(), "created_at": "T", "version": version,
            "state": "charging",
        })
    }

    fn complaints(of: impl FnOnce(&mut Answers, &Wanted)) -> Vec<String> {
        let wanted = orders(1, 1).remove(0);
        let mut answers = Answers::default();
        answers.took(&wanted.order_id, true);
        answers.shown(&wanted, &shown(&wanted, 3), None);
        of(&mut answers, &wanted);
        answers.complaints
    }

    #[test]
    fn the_same_order_again_is_right() {
        let found = complaints(|answers, wanted| {
            answers.took(&wanted.order_id, false);
            answers.shown(wanted, &shown(wanted, 3), Some(3));
            answers.shown(wanted, &shown(wanted, 5), Some(3));
            // Asked for before the last one was answered.
            answers.shown(wanted, &shown(wanted, 4), Some(3));
            assert_eq!(answers.last(&wanted.order_id), Some((5, "charging")));
            assert_eq!((answers.answered, answers.repeats), (2, 1));
        });
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn whatever_else_is_complained_of() {
        complaints(|answers, wanted| {
            answers.took(&wanted.order_id, true);
            let says = format!(
                "{} was accepted as new, and had been before",
                wanted.order_id
            );
            assert_eq!(answers.lost.values().collect::<Vec<_>>(), [&says]);
        });
        for (name, value) in [
            ("order_id", json!("other")),
            ("kind", json!("combined")),
            ("account", json!("13800000000")),
            ("amount", json!("20")),
            ("created_at", Value::Null),
            ("created_at", json!("later")),
            ("version", json!(2)),
        ] {
            let found = complaints(|answers, wanted| {
                let mut shown = shown(wanted, 3);
                shown[name] = value;
                answers.shown(wanted, &shown, Some(3));
            });
            assert_eq!(found.len(), 1, "{name}: {found:?}");
        }
    }
}
