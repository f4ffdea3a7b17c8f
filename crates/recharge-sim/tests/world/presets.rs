//! What the presets promise, counted and searched for counter-examples.

use std::collections::BTreeMap;

use proptest::prelude::*;
use recharge_sim::{
    Delivery, FaultKind, LedgerState, Preset, Reply, Request, Stage, Timings, Upstream, World,
    WorldConfig,
};
use serde_json::Value;

use crate::support::*;

fn world(preset: Preset, seed: u64) -> World {
    World::new(WorldConfig {
        seed,
        faults: preset.plan(),
        ..WorldConfig::default()
    })
}

/// Places `orders` orders at each upstream, asks `asks` times for each, and makes as many other calls.
fn busy(preset: Preset, seed: u64, orders: u32, asks: u64) -> World {
    let mut world = world(preset, seed);
    for n in 0..orders {
        let at = secs(u64::from(n));
        let id = format!("COUNTED{n:06}");
        juhe_submit_raw(&mut world, at, &id);
        let mobile = jisu_mobile_target(PHONE, "10", &id);
        world.handle(at, &Request::get(&mobile));
        for ask in 1..=asks {
            let at = at + secs(ask);
            juhe_status_raw(&mut world, at, &id);
            let detail = format!("outorderno={id}");
            let target = "/mobilerecharge/orderdetail";
            world.handle(
                at,
                &Request::get(&format!(
                    "{target}?appkey={}&{detail}",
                    recharge_sim::DEFAULT_JISU_APPKEY
                )),
            );
            let check = format!(
                "/ofpay/mobile/telcheck?key={}&phoneno={PHONE}&cardnum=10",
                recharge_sim::DEFAULT_JUHE_KEY
            );
            world.handle(at, &Request::get(&check));
            let goods = format!(
                "/mobilerecharge/goods?appkey={}",
                recharge_sim::DEFAULT_JISU_APPKEY
            );
            world.handle(at, &Request::get(&goods));
        }
    }
    world
}

#[test]
fn at_least_thirty_percent_of_calls_are_hit_by_the_hostile_preset() {
    let world = busy(Preset::Hostile, 1, 400, 6);
    let stats = world.stats();
    assert!(
        stats.hits * 100 >= stats.calls * 30,
        "{} of {}",
        stats.hits,
        stats.calls
    );
    for stage in [Stage::Submit, Stage::Query, Stage::Read] {
        let (calls, hits) = stats.by_stage[&stage];
        assert!(
            calls >= 800 && hits * 100 >= calls * 30,
            "{stage:?}: {hits} of {calls}"
        );
    }
}

#[test]
fn mild_hits_some_and_off_hits_none() {
    let world = busy(Preset::Mild, 1, 200, 6);
    let stats = world.stats();
    let percent = stats.hits * 100 / stats.calls;
    assert!((5..20).contains(&percent), "{percent} %");

    let world = busy(Preset::Off, 1, 50, 10);
    assert_eq!(
        (world.stats().hits, world.stats().faults_injected()),
        (0, 0)
    );
    assert_eq!(world.stats().calls, 50 * 42);
    assert!(
        world
            .ledger()
            .iter()
            .all(|row| row.state == LedgerState::Succeeded)
    );
}

#[test]
fn every_honest_kind_of_submit_and_query_strikes_in_a_long_hostile_run() {
    let world = busy(Preset::Hostile, 2, 800, 2);
    for kind in FaultKind::ALL {
        let of_calls = kind.stages().iter().any(|stage| {
            matches!(
                stage,
                Stage::Submit | Stage::Query | Stage::Read | Stage::End
            )
        });
        let lie = matches!(
            kind,
            FaultKind::LatePayment | FaultKind::FailsThenSucceeds | FaultKind::SucceedsThenFails
        );
        let struck = world.stats().faults.get(kind).copied().unwrap_or_default();
        assert_eq!(struck > 0, of_calls && !lie, "{kind}: {struck}");
    }
}

/// What a careful client learns from an answer to a query: an end, "no such order", or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Learnt {
    Succeeded,
    Failed,
    NoSuchOrder,
    Nothing,
}

fn learn(reply: &Reply) -> Learnt {
    if reply.body.len() > 1 << 20 {
        return Learnt::Nothing;
    }
    let arrives = matches!(
        reply.delivery,
        Delivery::Whole | Delivery::Late(_) | Delivery::Drip(_, _)
    );
    let text = String::from_utf8(reply.body.clone()).unwrap_or_default();
    let twice = text.matches("\"error_code\"").count() > 1;
    if reply.status != 200 || !arrives || twice {
        return Learnt::Nothing;
    }
    let Ok(answer) = serde_json::from_str::<Value>(&text) else {
        return Learnt::Nothing;
    };
    let number = |value: &Value| match value {
        Value::String(text) => text.parse::<i64>().ok(),
        value => value.as_i64(),
    };
    match (
        number(&answer["error_code"]),
        number(&answer["result"]["game_state"]),
    ) {
        (Some(0), Some(1)) => Learnt::Succeeded,
        (Some(0), Some(9 | -1)) => Learnt::Failed,
        (Some(208_509 | 208_513), _) => Learnt::NoSuchOrder,
        _ => Learnt::Nothing,
    }
}

/// Codes that say plainly: not accepted.
const REFUSALS: &[i64] = &[
    10_001, 10_011, 10_012, 10_020, 208_501, 208_503, 208_505, 208_506, 208_514, 208_515, 208_517,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn same_seed_same_calls_same_answers(seed in any::<u64>(), preset in prop::sample::select(Preset::ALL.to_vec())) {
        let run = || {
            let mut world = world(preset, seed);
            let mut replies = Vec::new();
            for n in 0..20 {
                let id = format!("REPEATED{n:04}");
                replies.push(juhe_submit_raw(&mut world, secs(n), &id));
                replies.push(juhe_status_raw(&mut world, secs(n + 2), &id));
            }
            (replies, world.ledger(), world.stats().clone())
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn what_happens_to_an_order_does_not_depend_on_who_else_calls(seed in any::<u64>()) {
        let fate = |others: u32| {
            let mut world = world(Preset::Hostile, seed);
            for n in 0..others {
                juhe_submit_raw(&mut world, secs(0), &format!("SOMEONE{n:04}"));
            }
            juhe_submit_raw(&mut world, secs(0), "WATCHED001");
            let asked: Vec<Learnt> = (0..8)
                .map(|at| learn(&juhe_status_raw(&mut world, secs(at), "WATCHED001")))
                .collect();
            world.advance(secs(100));
            (asked, world.row(Upstream::Juhe, "WATCHED001").unwrap().state)
        };
        prop_assert_eq!(fate(0), fate(7));
    }

    #[test]
    fn the_hostile_preset_is_honest_about_ends_and_refusals(
        seed in any::<u64>(),
        quick in any::<bool>(),
        poor in any::<bool>(),
        resend in prop::collection::vec(any::<bool>(), 20),
    ) {
        let timings = if quick { Timings::quick() } else { Timings::default() };
        let mut world = World::new(WorldConfig {
            seed,
            faults: Preset::Hostile.plan().with_timings(timings),
            juhe_balance: if poor { "150" } else { "100000" }.parse().unwrap(),
            ..WorldConfig::default()
        });
        let ids: Vec<String> = (0..20).map(|n| format!("HONEST{n:06}")).collect();
        let mut refused: BTreeMap<&str, bool> = BTreeMap::new();
        for (n, id) in ids.iter().enumerate() {
            let at = secs(n as u64);
            for _ in 0..=usize::from(resend[n]) {
                let reply = juhe_submit_raw(&mut world, at, id);
                if reply.body.len() > 1 << 20 {
                    refused.insert(id, false);
                    continue;
                }
                let code = serde_json::from_slice::<Value>(&reply.body)
                    .ok()
                    .and_then(|answer| answer["error_code"].as_i64())
                    .filter(|_| reply.delivery == Delivery::Whole);
                let taken = world.row(Upstream::Juhe, id).unwrap().upstream_id.is_some();
                // Refused without being taken, at the last send.
                let plainly = code.is_some_and(|code| REFUSALS.contains(&code));
                let twice = reply.body.windows(12).filter(|w| w == b"\"error_code\"").count() > 1;
                refused.insert(id, plainly && !taken && !twice);
            }
        }
        let mut ends: BTreeMap<&str, Learnt> = BTreeMap::new();
        for round in 1..25_u64 {
            for id in &ids {
                let learnt = learn(&juhe_status_raw(&mut world, secs(30 + round * 5), id));
                match (ends.get(id.as_str()), learnt) {
                    (_, Learnt::Nothing) | (None, Learnt::NoSuchOrder) => {}
                    (Some(end), now) => prop_assert_eq!(*end, now, "{} was confirmed", id),
                    (None, end) => { ends.insert(id, end); }
                }
            }
        }
        for row in world.ledger() {
            prop_assert!(row.charges <= 1);
            if refused.get(row.order_id.as_str()) == Some(&true) {
                prop_assert_eq!(row.state, LedgerState::NotAccepted, "{} was refused", row.order_id);
            }
            match ends.get(row.order_id.as_str()) {
                Some(Learnt::Succeeded) => prop_assert_eq!(row.state, LedgerState::Succeeded),
                Some(Learnt::Failed) => prop_assert_eq!(row.state, LedgerState::Failed),
                Some(Learnt::NoSuchOrder | Learnt::Nothing) | None => {}
            }
        }
    }
}
