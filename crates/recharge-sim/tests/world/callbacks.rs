//! Callbacks as the world makes them.

use std::time::Duration;

use recharge_sim::{
    CallbackSend, DEFAULT_JISU_APPSECRET, DEFAULT_JUHE_KEY, FaultKind, FaultPlan, Script, Timings,
    World, WorldConfig, md5,
};

use crate::support::*;

const ID: &str = "CALLEDBACK1";

fn world(callback: Option<FaultKind>, end: Option<FaultKind>) -> World {
    let mut faults = FaultPlan::off();
    faults
        .add_script(Script {
            account: Some(PHONE.to_owned()),
            callback: vec![callback],
            end,
            ..Script::default()
        })
        .unwrap();
    World::new(WorldConfig {
        callbacks: true,
        faults,
        ..WorldConfig::default()
    })
}

/// The value of a field whose text needs no decoding.
fn field<'a>(send: &'a CallbackSend, name: &str) -> &'a str {
    send.body
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("no {name} in {}", send.body))
}

fn juhe_sends(callback: Option<FaultKind>) -> Vec<CallbackSend> {
    let mut world = world(callback, None);
    juhe_submit(&mut world, secs(0), ID);
    assert_eq!(world.callbacks_due(Duration::from_millis(1_999)), []);
    assert_eq!(world.next_event(), Some(secs(2)));
    world.callbacks_due(secs(2))
}

fn juhe_verifies(send: &CallbackSend) -> bool {
    let parts = [
        DEFAULT_JUHE_KEY,
        field(send, "sporder_id"),
        field(send, "orderid"),
    ];
    field(send, "sign") == md5::hex(&parts)
}

// Proves: juhe.callback.post, juhe.callback.fields, juhe.callback.sta, juhe.callback.sign
#[test]
fn juhe_calls_back_when_an_order_ends() {
    let sends = juhe_sends(None);
    assert_eq!(sends.len(), 1);
    assert_eq!(
        (field(&sends[0], "orderid"), field(&sends[0], "sta")),
        (ID, "1")
    );
    assert!(field(&sends[0], "sporder_id").starts_with('J'));
    assert!(juhe_verifies(&sends[0]));
    assert!(!sends[0].body.contains("err_msg"));
}

// Proves: juhe.callback.err-msg, juhe.callback.sta
#[test]
fn juhe_calls_back_a_failure_with_a_message() {
    let mut world = world(None, Some(FaultKind::OrderFails));
    juhe_submit(&mut world, secs(0), ID);
    let sends = world.callbacks_due(secs(2));
    assert_eq!(field(&sends[0], "sta"), "9");
    assert_eq!(
        field(&sends[0], "err_msg"),
        "%E5%85%85%E5%80%BC%E5%A4%B1%E8%B4%A5"
    );
}

// Proves: jisu.callback.post, jisu.callback.sign, jisu.callback.covers-state
#[test]
fn jisu_calls_back_once_with_the_state_signed() {
    let mut world = world(None, None);
    jisu_mobile(&mut world, secs(0), ID);
    let sends = world.callbacks_due(secs(2));
    let send = &sends[0];
    let names = [
        "amount",
        "mobile",
        "orderno",
        "outorderno",
        "rechargestatus",
        "totalfee",
    ];
    let mut parts: Vec<&str> = names.iter().map(|name| field(send, name)).collect();
    assert_eq!(parts[..2], ["10", PHONE]);
    assert_eq!(parts[3..], [ID, "1", "10.20"]);
    parts.push(DEFAULT_JISU_APPSECRET);
    assert_eq!(field(send, "sign"), md5::hex(&parts));
    world.callback_answered(secs(2), send.id, None);
    assert_eq!(
        world.callbacks_due(secs(1_000)),
        [],
        "no repetition is known"
    );
}

// Proves: juhe.callback.redelivery, juhe.callback.ack, juhe.callback.short-outage
#[test]
fn juhe_repeats_three_times_three_seconds_apart_until_success() {
    for answer in [None, Some(&b""[..]), Some(b"fail"), Some(b"successful")] {
        let mut world = world(None, None);
        juhe_submit(&mut world, secs(0), ID);
        let mut sent_at = Vec::new();
        for at in 0..60 {
            for send in world.callbacks_due(secs(at)) {
                sent_at.push(at);
                assert_eq!(usize::try_from(send.attempt), Ok(sent_at.len()));
                world.callback_answered(secs(at), send.id, answer);
            }
        }
        assert_eq!(sent_at, [2, 5, 8, 11], "{answer:?}");
    }
    let mut world = world(None, None);
    juhe_submit(&mut world, secs(0), ID);
    let first = world.callbacks_due(secs(2)).remove(0);
    world.callback_answered(secs(2), first.id, None);
    let second = world.callbacks_due(secs(5)).remove(0);
    assert_eq!(second.body, first.body);
    world.callback_answered(secs(5), second.id, Some(b" success\n"));
    assert_eq!(world.callbacks_due(secs(1_000)), []);
    assert_eq!(
        (
            world.stats().callbacks_sent,
            world.stats().callbacks_confirmed
        ),
        (2, 1)
    );
}

// Proves: juhe.callback.sta-unsigned, juhe.callback.no-delimiter
#[test]
fn faulty_callbacks() {
    let right = juhe_sends(None).remove(0);
    assert_eq!(juhe_sends(Some(FaultKind::CallbackDropped)), []);

    let doubled = juhe_sends(Some(FaultKind::CallbackDoubled));
    assert_eq!(doubled.len(), 2);
    assert!(doubled.iter().all(|send| send.body == right.body));

    let forged = juhe_sends(Some(FaultKind::CallbackForged));
    assert_eq!((forged.len(), &forged[1].body), (2, &right.body));
    assert_eq!(field(&forged[0], "sta"), "9");
    assert!(!juhe_verifies(&forged[0]));

    let other = juhe_sends(Some(FaultKind::CallbackOtherSta));
    assert_eq!((other.len(), field(&other[0], "sta")), (1, "9"));
    assert!(juhe_verifies(&other[0]), "the state is not signed");

    let resplit = juhe_sends(Some(FaultKind::CallbackResplit));
    assert_eq!(resplit.len(), 1);
    assert!(juhe_verifies(&resplit[0]), "the border is not signed");
    assert_eq!(field(&resplit[0], "orderid")[1..], *ID);
    assert_ne!(
        field(&resplit[0], "sporder_id"),
        field(&right, "sporder_id")
    );

    let mixed_up = juhe_sends(Some(FaultKind::CallbackMixedUp));
    assert_eq!(mixed_up.len(), 1);
    assert!(juhe_verifies(&mixed_up[0]) && mixed_up[0].genuine);
    assert_eq!(field(&mixed_up[0], "orderid"), ID);
    let (theirs, ours) = (&mixed_up[0], &right);
    assert_ne!(field(theirs, "sporder_id"), field(ours, "sporder_id"));
}

#[test]
fn a_reordered_callback_is_overtaken_and_an_early_one_comes_before_the_answer() {
    let reorder = Timings::default().callback_reorder;
    let mut world = world(Some(FaultKind::CallbackReordered), None);
    juhe_submit(&mut world, secs(0), ID);
    jisu_mobile(&mut world, secs(1), "OVERTAKES1");
    let mut order = Vec::new();
    for at in 0..30 {
        order.extend(
            world
                .callbacks_due(secs(at))
                .into_iter()
                .map(|send| (at, send.order_id)),
        );
    }
    // Both are held back here, since the script names the account: what counts is the delay.
    assert_eq!(order[0], (2 + reorder.as_secs(), ID.to_owned()));

    let mut world = scripted(ID, &[FaultKind::CallbackEarly], &[]);
    let mut config = world.config().clone();
    config.callbacks = true;
    world = World::new(config);
    let reply = juhe_submit_raw(&mut world, secs(0), ID);
    let lead = Timings::default().callback_early;
    assert_eq!(reply.delivery, recharge_sim::Delivery::Late(lead));
    assert_eq!(
        json(&reply)["result"]["game_state"],
        0,
        "a submit is always answered so"
    );
    assert_eq!(world.callbacks_due(secs(0)).len(), 1);
    assert_eq!(juhe_state(&mut world, secs(0), ID), "1");
}

#[test]
fn without_an_address_nothing_is_kept() {
    let mut world = World::new(WorldConfig::default());
    juhe_submit(&mut world, secs(0), ID);
    assert_eq!(world.callbacks_due(secs(10)), []);
    assert_eq!(world.stats().callbacks_sent, 0);
}
