//! Callbacks, before anything is sent: what they say, when they are due, when they are repeated.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::config::Upstream;
use crate::dice::Dice;
use crate::faults::{FaultKind, Stage};
use crate::form;
use crate::hidden::Size;
use crate::order::{Key, Order};
use crate::world::World;
use crate::{jisu, juhe, md5};

/// How often Juhe sends a callback *again* after an answer that was empty, missing or not `success`
/// (M: up to 3 times). Of Jisu no repetition is known.
const JUHE_REPETITIONS: u32 = 3;

/// A callback to be sent now: a form POST. `Debug` shows nothing of its body, in which Jisu names the
/// account.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackSend {
    /// Names it towards [`World::callback_answered`].
    pub id: u64,
    /// Who sends it.
    pub upstream: Upstream,
    /// The order it is about (a forged or re-split one may say otherwise).
    pub order_id: String,
    /// The urlencoded body.
    pub body: String,
    /// Whether its signature is that of what it says; a re-split one's is.
    pub genuine: bool,
    /// 1 for the first delivery.
    pub attempt: u32,
}

impl fmt::Debug for CallbackSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackSend")
            .field("id", &self.id)
            .field("upstream", &self.upstream)
            .field("order_id", &self.order_id)
            .field("body", &Size(self.body.len()))
            .field("genuine", &self.genuine)
            .field("attempt", &self.attempt)
            .finish()
    }
}

/// Callbacks that wait and those that are on their way.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: BTreeMap<(Duration, u64), CallbackSend>,
    on_their_way: BTreeMap<u64, CallbackSend>,
}

impl Outbox {
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.waiting.keys().next().map(|(due, _)| *due)
    }
}

impl World {
    /// Takes the callbacks that are due. Each must be answered for with
    /// [`callback_answered`](Self::callback_answered).
    pub fn callbacks_due(&mut self, now: Duration) -> Vec<CallbackSend> {
        self.advance(now);
        let mut due = Vec::new();
        while let Some(first) = self.outbox.waiting.first_entry() {
            if first.key().0 > now {
                break;
            }
            let mut send = first.remove();
            send.attempt += 1;
            self.stats.callbacks_sent += 1;
            self.outbox.on_their_way.insert(send.id, send.clone());
            due.push(send);
        }
        due
    }

    /// Says what a callback was answered with; `None` for no answer. Anything but the text `success`
    /// makes Juhe send it again.
    pub fn callback_answered(&mut self, now: Duration, id: u64, answer: Option<&[u8]>) {
        let Some(send) = self.outbox.on_their_way.remove(&id) else {
            return;
        };
        if answer.is_some_and(|answer| answer.trim_ascii() == b"success") {
            self.stats.callbacks_confirmed += 1;
            return;
        }
        let again = match send.upstream {
            Upstream::Juhe => send.attempt <= JUHE_REPETITIONS,
            Upstream::Jisu => false,
        };
        if again {
            let at = now.saturating_add(self.plan.timings.callback_retry);
            self.outbox.waiting.insert((at, id), send);
        }
    }

    /// Puts the callback of an order that has ended into the outbox, as its fault wants it.
    pub(crate) fn call_back(&mut self, now: Duration, key: &Key) {
        if !self.config.callbacks {
            return;
        }
        let Some(order) = self.order(key) else { return };
        let credentials = &self.config.credentials;
        let (upstream, order_id) = (key.0, key.1.as_str());
        let signed = |order: &Order| match upstream {
            Upstream::Juhe => juhe::callback(credentials, order),
            Upstream::Jisu => jisu::callback(credentials, order),
        };
        let fields = signed(order);
        let mixed_up = signed(&mixed_up(order));
        let account = order.wanted.account.clone();
        let nth = self.count(upstream, Stage::Callback, order_id);
        let mut dice = Dice::new(self.config.seed, upstream, Stage::Callback, order_id, nth);
        let fault = match self.plan.script(upstream, order_id, &account) {
            Some(script) => script.fault(Stage::Callback, nth),
            None => self.plan.draw(Stage::Callback, upstream, &mut dice),
        };
        if let Some(kind) = fault {
            self.stats.fault(kind);
        }
        match fault {
            Some(FaultKind::CallbackDropped) => {}
            Some(FaultKind::CallbackDoubled) => {
                self.post(now, key, &fields, true);
                self.post(now, key, &fields, true);
            }
            Some(FaultKind::CallbackReordered) => {
                let later = now.saturating_add(self.plan.timings.callback_reorder);
                self.post(later, key, &fields, true);
            }
            Some(FaultKind::CallbackForged) => {
                let mut forged = opposite(&fields);
                set(&mut forged, "sign", md5::hex(&["forged", order_id]));
                self.post(now, key, &forged, false);
                self.post(now, key, &fields, true);
            }
            // Juhe's signature doesn't cover it.
            Some(FaultKind::CallbackOtherSta) => {
                self.post(now, key, &opposite(&fields), upstream == Upstream::Juhe);
            }
            Some(FaultKind::CallbackResplit) => self.post(now, key, &resplit(&fields), true),
            Some(FaultKind::CallbackMixedUp) => self.post(now, key, &mixed_up, true),
            // The plan refuses every other kind at this stage.
            Some(_) | None => self.post(now, key, &fields, true),
        }
    }

    fn post(&mut self, at: Duration, key: &Key, fields: &[(String, String)], genuine: bool) {
        self.ticket += 1;
        let send = CallbackSend {
            id: self.ticket,
            upstream: key.0,
            order_id: key.1.clone(),
            body: form::encode(fields),
            genuine,
            attempt: 0,
        };
        self.outbox.waiting.insert((at, self.ticket), send);
    }
}

fn set(fields: &mut [(String, String)], name: &str, value: String) {
    if let Some((_, field)) = fields.iter_mut().find(|(known, _)| known == name) {
        *field = value;
    }
}

fn get<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields
        .iter()
        .find(|(known, _)| known == name)
        .map_or("", |(_, value)| value)
}

/// The same callback with the other state and the signature it had.
fn opposite(fields: &[(String, String)]) -> Vec<(String, String)> {
    let mut fields: Vec<_> = fields
        .iter()
        .filter(|(name, _)| name != "err_msg")
        .cloned()
        .collect();
    for (name, failed) in [("sta", "9"), ("rechargestatus", "2")] {
        let other = if get(&fields, name) == "1" {
            failed
        } else {
            "1"
        };
        set(&mut fields, name, other.to_owned());
    }
    fields
}

/// The same order under another number of the upstream's.
fn mixed_up(order: &Order) -> Order {
    let mut other = order.clone();
    let last = other.upstream_id.pop();
    other
        .upstream_id
        .push(if last == Some('7') { '8' } else { '7' });
    other
}

/// The last character of the upstream's number goes to the front of ours: both numbers are others,
/// their concatenation is the same.
fn resplit(fields: &[(String, String)]) -> Vec<(String, String)> {
    let mut fields = fields.to_vec();
    for (first, second) in [("sporder_id", "orderid"), ("orderno", "outorderno")] {
        let mut head = get(&fields, first).to_owned();
        let Some(moved) = head.pop() else { continue };
        let tail = format!("{moved}{}", get(&fields, second));
        set(&mut fields, first, head);
        set(&mut fields, second, tail);
    }
    fields
}
