//! Records of the log. An input is one record a line; each is the next of an order's log.

use std::time::Duration;

use recharge_core::{
    AccountKind, Answer, FaceValue, MerchantId, Offer, OrderId, ProviderId, QueryOutcome, Sighting,
    UpstreamState,
};
use recharge_engine::record::{decode, encode};
use recharge_engine::{
    Acceptance, Epoch, Event, Input, Jitter, Moment, NewOrder, NumberKey, Order, Policy, Purpose,
    Recorded, Route, SendToken, Times, WallTime, step,
};

use crate::hidden::same;
use crate::upstream::accounts;

struct Bench {
    policy: Policy,
    order: Order,
}

thread_local! {
    static BENCH: Bench = bench();
}

fn bench() -> Bench {
    let account = accounts()
        .into_iter()
        .find(|a| a.kind() == AccountKind::Mobile);
    let (Some(account), Ok(name), Ok(amount)) = (
        account,
        OrderId::parse("A0000001"),
        FaceValue::from_yuan(100),
    ) else {
        unreachable!("of the right form")
    };
    let at = Moment {
        wall: WallTime::from_millis(1_700_000_000_000),
        epoch: Epoch(1),
        monotonic: Duration::from_secs(1),
    };
    let mut capabilities =
        recharge_core::Capabilities::new(Vec::new(), recharge_core::Call::ALL.to_vec());
    capabilities.refuses_duplicates = true;
    let route = |provider| {
        let offer = Offer::new(AccountKind::Mobile, vec![amount]);
        Route::new(provider, &capabilities, offer)
    };
    let names = ["juhe", "jisu"]
        .into_iter()
        .filter_map(|name| ProviderId::parse(name).ok());
    let routes = names.map(route).collect();
    let what = NewOrder::new(MerchantId::local(), name, account, amount);
    Bench {
        policy: Policy::new(routes, Times::default(), NumberKey::new([7; 32])),
        order: Order::accept(Acceptance {
            what,
            at,
            held: false,
        }),
    }
}

/// Reads records, and holds what they are read as against what they would be written as, and against the
/// order that is their fold.
///
/// # Panics
///
/// If a law is broken.
pub fn judge(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    BENCH.with(|bench| {
        let mut order = bench.order.clone();
        for line in text.split('\n') {
            let Ok(events) = decode(line) else { continue };
            written(line, &events);
            let mut sound = true;
            for event in &events {
                sound &= applied(&mut order, event);
            }
            if sound && !events.is_empty() {
                goes_on(&bench.policy, &order, events.last());
            }
        }
    });
}

/// What is read is written as something that is read as the same, in one way only.
fn written(line: &str, events: &[Recorded]) {
    let Ok(text) = encode(events) else {
        unreachable!("what was read can't be written")
    };
    let Ok(again) = decode(&text) else {
        unreachable!("what was written can't be read")
    };
    assert!(
        again == events,
        "what was written is read as something else"
    );
    assert!(
        encode(&again).is_ok_and(|other| other == text),
        "it is written in two ways"
    );
    if line == text {
        return;
    }
    // No word that decides about money comes from nowhere.
    for event in events {
        let Event::Answered {
            outcome,
            confirms_failure,
            after_quarantine,
            completes_round,
            ..
        } = &event.event
        else {
            continue;
        };
        for (flag, word) in [
            (confirms_failure, "confirms_failure"),
            (after_quarantine, "after_quarantine"),
            (completes_round, "completes_round"),
        ] {
            let said = line.contains(word) || line.contains('\\');
            assert!(!flag || said, "a mark that is not written");
        }
        if let QueryOutcome::Found(sighting) = outcome {
            let word = match sighting.state {
                UpstreamState::Charging => "charging",
                UpstreamState::Succeeded => "succeeded",
                UpstreamState::Failed => "failed",
            };
            assert!(
                line.contains(word) || line.contains('\\'),
                "a state that is not written"
            );
        }
    }
}

/// An event that is not the next changes nothing; one that is moves the order along the table.
fn applied(order: &mut Order, event: &Recorded) -> bool {
    let before = order.clone();
    let taken = order.apply(event).is_ok();
    if !taken {
        assert!(
            *order == before,
            "an event that can't be the next has changed the order"
        );
        return false;
    }
    assert_eq!(order.version(), event.version);
    assert_eq!(before.version() + 1, event.version, "an event is missing");
    if let Event::Moved { to, .. } = &event.event {
        assert!(
            before.state().may_become(*to) && order.state() == *to,
            "a move that is not allowed"
        );
    } else {
        assert_eq!(order.state(), before.state(), "moved by what is no move");
    }
    assert!(
        order.attempts().len() >= before.attempts().len(),
        "an attempt is forgotten"
    );
    for (one, other) in before.attempts().iter().zip(order.attempts()) {
        assert!(
            one.number() == other.number() && one.provider() == other.provider(),
            "another attempt"
        );
    }
    true
}

/// Whatever the log says, the next step can be made, and what it says can be written down.
fn goes_on(policy: &Policy, order: &Order, last: Option<&Recorded>) {
    let at = last.map_or(order.accepted(), |event| event.at);
    let now = Moment {
        wall: at.wall.after(Duration::from_mins(10)),
        epoch: at.epoch,
        monotonic: at.monotonic.saturating_add(Duration::from_mins(10)),
    };
    let jitter = Jitter(7);
    let answer = Answer::restored("0".to_owned(), "ok".to_owned(), String::new());
    let inputs = [
        Input::Due {
            token: SendToken(42),
            jitter,
        },
        Input::Recovered {
            restored: false,
            jitter,
        },
        Input::QueryEnded {
            attempt: 0,
            asked: at,
            purpose: Purpose::Schedule,
            outcome: QueryOutcome::Found(Sighting::new(UpstreamState::Failed, answer)),
            jitter,
        },
        Input::Callback {
            attempt: 0,
            upstream_order_id: None,
            claims: Some(UpstreamState::Failed),
            covers_state: true,
            jitter,
        },
    ];
    for input in inputs {
        let Ok(step) = step(policy, order, input, now) else {
            unreachable!("only people are refused")
        };
        let mut folded = order.clone();
        for event in &step.events {
            assert!(
                applied(&mut folded, event),
                "a step's own event can't be the next"
            );
        }
        assert!(
            folded == step.order,
            "a step's order is not the fold of its events"
        );
        assert!(
            !(order.state().is_end() && step.sends()),
            "sent after its end"
        );
        let Ok(text) = encode(&step.events) else {
            unreachable!("what a step says can't be written down")
        };
        same(&decode(&text).ok(), &Some(step.events));
    }
}

trait Sends {
    fn sends(&self) -> bool;
}

impl Sends for recharge_engine::Step {
    fn sends(&self) -> bool {
        let is_send = |effect: &recharge_engine::Effect| match effect {
            recharge_engine::Effect::Submit { .. } => true,
            recharge_engine::Effect::Query { .. }
            | recharge_engine::Effect::Probe { .. }
            | recharge_engine::Effect::Quote { .. } => false,
        };
        self.effects.iter().any(is_send)
    }
}
