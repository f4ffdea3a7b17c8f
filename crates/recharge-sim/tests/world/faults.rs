//! What each fault does, and what no preset ever does.

use std::time::Duration;

use recharge_sim::{
    Delivery, FaultKind, FaultPlan, LedgerState, PlanError, Request, Script, Settle, Stage, Step,
    Timings, Upstream, World, WorldConfig,
};
use serde_json::Value;

use crate::support::*;

const ID: &str = "NAMEDORDER1";

/// How many charges one submit that meets this fault leads to, a minute later.
fn charges_after(kind: FaultKind) -> u32 {
    let mut world = scripted(ID, &[kind], &[]);
    juhe_submit_raw(&mut world, secs(0), ID);
    world.advance(secs(60));
    world.row(Upstream::Juhe, ID).unwrap().charges
}

#[test]
fn each_kind_takes_the_order_or_does_not_as_it_says() {
    use FaultKind::*;
    for kind in [
        ServerErrorTaken,
        HtmlTaken,
        Truncated,
        CutOff,
        Garbled,
        WrongTyped,
        DuplicateKey,
        Huge,
        OtherTypes,
        AnswerLost,
        TimeoutAfter,
        DelayedAcceptance,
        Drip,
        SystemErrorTaken,
        DuplicateCodeTaken,
        RechargeFailedTaken,
        RequestFailedTaken,
        UnlistedCodeTaken,
        WrongEcho,
        RepeatedPacket,
        RepeatedPacketSecond,
        RepeatedPacketRefused,
        CallbackEarly,
    ] {
        assert_eq!(charges_after(kind), 1, "{kind}");
    }
    for kind in [
        ServerError,
        Html,
        TimeoutBefore,
        Reset,
        SystemError,
        DuplicateCode,
        RechargeFailed,
        RequestFailed,
        UnlistedCode,
        Refused,
    ] {
        assert_eq!(charges_after(kind), 0, "{kind}");
    }
}

/// What a submit looks like from outside.
fn outside(kind: FaultKind) -> (u16, Delivery, Option<Value>) {
    let mut world = scripted(ID, &[kind], &[]);
    let reply = juhe_submit_raw(&mut world, secs(0), ID);
    assert_eq!(
        world.stats().faults.get(&kind),
        Some(&1),
        "{kind} is counted"
    );
    (
        reply.status,
        reply.delivery,
        serde_json::from_slice(&reply.body).ok(),
    )
}

#[test]
fn the_pairs_look_alike_from_outside() {
    use FaultKind::*;
    for (not_taken, taken) in [
        (ServerError, ServerErrorTaken),
        (Html, HtmlTaken),
        (TimeoutBefore, TimeoutAfter),
        (TimeoutBefore, DelayedAcceptance),
        (Reset, AnswerLost),
        (SystemError, SystemErrorTaken),
        (DuplicateCode, DuplicateCodeTaken),
        (DuplicateCode, RepeatedPacketSecond),
        (RechargeFailed, RechargeFailedTaken),
        (RequestFailed, RequestFailedTaken),
        (UnlistedCode, UnlistedCodeTaken),
    ] {
        assert_eq!(
            outside(not_taken),
            outside(taken),
            "{not_taken} and {taken}"
        );
    }
}

// Proves: juhe.code.10014, juhe.codes.never-failed, juhe.code.208507, juhe.code.208508
// Proves: juhe.code.208516, juhe.code.other
#[test]
fn codes_of_faults() {
    use FaultKind::*;
    for (kind, code) in [
        (SystemError, 10_014),
        (DuplicateCode, 208_516),
        (RechargeFailed, 208_507),
        (RequestFailed, 208_508),
        (UnlistedCode, 299_999),
        (RepeatedPacketRefused, 208_517),
    ] {
        assert_eq!(outside(kind).2.unwrap()["error_code"], code, "{kind}");
    }
}

// Proves: jisu.code.210, jisu.code.212
#[test]
fn codes_of_faults_at_jisu() {
    for (kind, code, charges) in [
        (FaultKind::SystemErrorTaken, 210, 1),
        (FaultKind::SystemError, 210, 0),
        (FaultKind::DuplicateCodeTaken, 212, 1),
        (FaultKind::DuplicateCode, 212, 0),
    ] {
        let mut world = scripted("JISUNAMED", &[kind], &[]);
        assert_eq!(
            jisu_mobile(&mut world, secs(0), "JISUNAMED")["status"],
            code
        );
        assert_eq!(
            world.row(Upstream::Jisu, "JISUNAMED").unwrap().charges,
            charges,
            "{kind}"
        );
    }
}

#[test]
fn a_delayed_acceptance_is_taken_when_the_client_has_gone() {
    let mut world = scripted(ID, &[FaultKind::DelayedAcceptance], &[]);
    let timings = Timings::default();
    let reply = juhe_submit_raw(&mut world, secs(0), ID);
    assert_eq!(reply.delivery, Delivery::Silence(timings.timeout_hold));
    let just_before = timings
        .delayed_acceptance
        .saturating_sub(Duration::from_millis(1));
    assert_eq!(juhe_state(&mut world, just_before, ID), "208513");
    assert_eq!(juhe_state(&mut world, timings.delayed_acceptance, ID), "0");
    assert_eq!(
        juhe_state(&mut world, timings.delayed_acceptance + secs(2), ID),
        "1"
    );
    assert_eq!(world.row(Upstream::Juhe, ID).unwrap().submits, 1);
}

#[test]
fn a_late_packet_of_a_number_that_was_refused_meanwhile_is_not_taken() {
    let mut world = scripted(ID, &[FaultKind::DelayedAcceptance, FaultKind::Refused], &[]);
    juhe_submit_raw(&mut world, secs(0), ID);
    juhe_submit_raw(&mut world, secs(1), ID);
    world.advance(secs(600));
    let row = world.row(Upstream::Juhe, ID).unwrap();
    assert_eq!(
        (row.state, row.charges, row.submits),
        (LedgerState::NotAccepted, 0, 2)
    );
}

#[test]
fn a_refusal_of_a_repeated_packet_hides_no_order_from_queries() {
    let hidden = [FaultKind::NotFound; 3];
    let mut world = scripted(ID, &[FaultKind::RepeatedPacketRefused], &hidden);
    let answer = juhe_submit(&mut world, secs(0), ID);
    assert_eq!(answer["error_code"], 208_517);
    assert_eq!(
        juhe_state(&mut world, secs(1), ID),
        "0",
        "the truth, at the first query"
    );
}

#[test]
fn not_found_then_found_and_never_hidden_again() {
    let kinds = [
        FaultKind::NotFound,
        FaultKind::NotFound,
        FaultKind::NotFound,
        FaultKind::NotFound,
        FaultKind::NotFound,
    ];
    let mut world = scripted(ID, &[], &kinds);
    juhe_submit(&mut world, secs(0), ID);
    let states: Vec<String> = (1..6)
        .map(|at| juhe_state(&mut world, secs(at), ID))
        .collect();
    assert_eq!(states, ["208513", "208513", "208513", "1", "1"]);
    assert_eq!(
        world.stats().faults[&FaultKind::NotFound],
        3,
        "only what struck is counted"
    );
}

#[test]
fn the_spoilt_answers_of_a_query() {
    use FaultKind::*;
    let reply_to = |kind| {
        let mut world = scripted(ID, &[], &[kind]);
        juhe_submit(&mut world, secs(0), ID);
        juhe_status_raw(&mut world, secs(5), ID)
    };
    assert!((500..505).contains(&reply_to(ServerError).status));
    let html = reply_to(Html);
    assert_eq!((html.status, html.content_type), (200, "text/html"));
    assert!(html.body.starts_with(b"<html>"));
    for kind in [Truncated, Garbled] {
        let reply = reply_to(kind);
        assert_eq!(reply.status, 200);
        assert!(
            serde_json::from_slice::<Value>(&reply.body).is_err(),
            "{kind}"
        );
    }
    let cut = reply_to(CutOff);
    assert!(matches!(cut.delivery, Delivery::CutOff(sent) if sent < cut.body.len()));
    assert!(matches!(reply_to(Drip).delivery, Delivery::Drip(_, _)));
    assert_eq!(reply_to(Reset).delivery, Delivery::Reset);
    assert_eq!(reply_to(AnswerLost).delivery, Delivery::Reset);
    assert!(reply_to(Huge).body.len() > 1 << 20);
    assert!(json(&reply_to(WrongTyped))["error_code"].is_array());
    let twice = String::from_utf8(reply_to(DuplicateKey).body).unwrap();
    assert_eq!(twice.matches("\"error_code\"").count(), 2);
    let others = json(&reply_to(OtherTypes));
    assert_eq!(
        (&others["error_code"], &others["result"]["game_state"]),
        (&"0".into(), &1.into())
    );
    assert_eq!(json(&reply_to(UnlistedState))["result"]["game_state"], "7");
    assert_eq!(json(&reply_to(SystemError))["error_code"], 10_014);
    let limited = json(&reply_to(RateLimited))["error_code"].as_i64().unwrap();
    assert!([10_011, 10_012, 10_020].contains(&limited), "{limited}");
}

// Proves: jisu.answer.recharge.outorderno-empty
#[test]
fn echoes_of_another_order_and_empty_ones() {
    let mut both = (false, false);
    for n in 0..20 {
        let id = format!("ECHOED{n:04}");
        let mut world = scripted(&id, &[FaultKind::WrongEcho], &[]);
        let result = &juhe_submit(&mut world, secs(0), &id)["result"];
        let other_phone = result["game_userid"] != PHONE;
        let other_order = result["uorderid"] != id.as_str();
        assert!(other_phone != other_order, "one of them: {result}");
        both = (both.0 || other_phone, both.1 || other_order);
    }
    assert_eq!(both, (true, true));

    let mut world = scripted("EMPTYECHO", &[FaultKind::EmptyEcho], &[]);
    assert_eq!(
        jisu_mobile(&mut world, secs(0), "EMPTYECHO")["result"]["outorderno"],
        ""
    );
}

fn ending(end: FaultKind) -> World {
    let mut faults = FaultPlan::off();
    faults
        .add_script(Script {
            account: Some(PHONE.to_owned()),
            end: Some(end),
            settle: Some(Settle::After(secs(10))),
            ..Script::default()
        })
        .unwrap();
    World::new(WorldConfig {
        faults,
        ..WorldConfig::default()
    })
}

#[test]
fn planned_ends_and_a_delay_of_its_own() {
    for (end, state) in [(FaultKind::OrderFails, "9"), (FaultKind::NotTakenOn, "-1")] {
        let mut world = ending(end);
        juhe_submit(&mut world, secs(0), ID);
        assert_eq!(juhe_state(&mut world, secs(9), ID), "0");
        assert_eq!(juhe_state(&mut world, secs(10), ID), state);
        assert_eq!(world.stats().faults[&end], 1);
    }
    // Jisu has no -1: the kind does not apply and the order succeeds.
    let mut world = ending(FaultKind::NotTakenOn);
    jisu_mobile(&mut world, secs(0), "JISUORDER");
    world.advance(secs(10));
    assert_eq!(
        world.row(Upstream::Jisu, "JISUORDER").unwrap().state,
        LedgerState::Succeeded
    );
}

#[test]
fn the_liar_takes_back_what_it_said() {
    let reversal = Timings::default().reversal;
    for (end, states, charges) in [
        (FaultKind::FailsThenSucceeds, ["9", "1"], [0, 1]),
        (FaultKind::SucceedsThenFails, ["1", "9"], [1, 0]),
    ] {
        let mut world = ending(end);
        juhe_submit(&mut world, secs(0), ID);
        for (at, n) in [(secs(10), 0), (secs(10) + reversal, 1)] {
            assert_eq!(juhe_state(&mut world, at, ID), states[n]);
            assert_eq!(world.row(Upstream::Juhe, ID).unwrap().charges, charges[n]);
        }
    }
}

#[test]
fn the_liar_pays_what_it_refused() {
    let mut world = scripted(ID, &[FaultKind::LatePayment], &[]);
    let code = juhe_submit(&mut world, secs(0), ID)["error_code"]
        .as_i64()
        .unwrap();
    assert_ne!(code, 0);
    let late = Timings::default().late_payment;
    assert_eq!(
        juhe_state(&mut world, late.saturating_sub(secs(1)), ID),
        "208513"
    );
    assert_eq!(juhe_state(&mut world, late + secs(2), ID), "1");
}

#[test]
fn scripts_count_calls_per_order_and_leave_others_alone() {
    let mut faults = FaultPlan::off();
    faults
        .set_rate(Stage::Submit, FaultKind::Html, 1.0)
        .unwrap();
    faults
        .add_script(Script {
            upstream: Some(Upstream::Juhe),
            account: Some(PHONE.to_owned()),
            submit: vec![None, Some(FaultKind::SystemError)],
            ..Script::default()
        })
        .unwrap();
    let mut world = World::new(WorldConfig {
        faults,
        ..WorldConfig::default()
    });
    for id in ["PERORDER01", "PERORDER02"] {
        assert_eq!(juhe_submit(&mut world, secs(0), id)["error_code"], 0);
        assert_eq!(juhe_submit(&mut world, secs(0), id)["error_code"], 10_014);
        assert_eq!(juhe_submit(&mut world, secs(0), id)["error_code"], 208_516);
    }
    // Others get what the probabilities say: here always.
    let other = Request::post(SUBMIT, &juhe_body("13900001234", "10", "OTHERPHONE"));
    assert_eq!(world.handle(secs(0), &other).content_type, "text/html");
    let target = jisu_mobile_target(PHONE, "10", "PERORDER01");
    assert_eq!(
        world.handle(secs(0), &Request::get(&target)).content_type,
        "text/html"
    );
}

#[test]
fn a_kind_that_an_upstream_does_not_have_leaves_its_calls_alone() {
    let mut faults = FaultPlan::off();
    faults
        .set_rate(Stage::Submit, FaultKind::RechargeFailed, 1.0)
        .unwrap();
    let mut world = World::new(WorldConfig {
        faults,
        ..WorldConfig::default()
    });
    assert_eq!(jisu_mobile(&mut world, secs(0), "NOSUCHKIND")["status"], 0);
    assert_eq!(world.stats().hits, 0);
    assert_eq!(juhe_submit(&mut world, secs(0), ID)["error_code"], 208_507);
}

#[test]
fn plans_refuse_what_makes_no_sense() {
    let mut plan = FaultPlan::off();
    assert!(matches!(
        plan.set_rate(Stage::Query, FaultKind::TimeoutAfter, 0.1),
        Err(PlanError::WrongStage { stage: "query", .. })
    ));
    assert!(matches!(
        plan.set_rate(Stage::Query, FaultKind::Html, f64::NAN),
        Err(PlanError::NotAProbability { .. })
    ));
    plan.set_rate(Stage::Query, FaultKind::Html, 0.7).unwrap();
    assert!(matches!(
        plan.set_rate(Stage::Query, FaultKind::Drip, 0.4),
        Err(PlanError::TooMuch { stage: "query" })
    ));
    assert_eq!(plan.rates().count(), 1, "what was refused changed nothing");
    assert_eq!(
        plan.add_script(Script::default()),
        Err(PlanError::NamesNothing)
    );
}

#[test]
fn stepping_settles_what_is_charging_and_nothing_else() {
    let mut world = World::new(WorldConfig {
        settle: Settle::WhenStepped,
        ..WorldConfig::default()
    });
    juhe_submit(&mut world, secs(0), "STEPPED001");
    jisu_mobile(&mut world, secs(0), "STEPPED002");
    world.advance(secs(1_000_000));
    assert!(
        world
            .ledger()
            .iter()
            .all(|row| row.state == LedgerState::Charging)
    );
    let juhe = Step {
        upstream: Some(Upstream::Juhe),
        ..Step::default()
    };
    assert_eq!(world.step(secs(1_000_000), &juhe).len(), 1);
    assert_eq!(world.step(secs(1_000_000), &Step::default()).len(), 1);
    assert_eq!(world.step(secs(1_000_000), &Step::default()), []);
    assert!(
        world
            .ledger()
            .iter()
            .all(|row| row.state == LedgerState::Succeeded)
    );
}

#[test]
fn a_reset_after_the_line_is_its_own_call() {
    let mut faults = FaultPlan::off();
    faults
        .set_rate(Stage::RequestLine, FaultKind::ResetAtLine, 1.0)
        .unwrap();
    let mut world = World::new(WorldConfig {
        faults,
        ..WorldConfig::default()
    });
    assert!(world.reset_at_line(secs(0), "POST", SUBMIT));
    assert!(!world.reset_at_line(secs(0), "GET", "/_sim/ledger"));
    assert!(!world.reset_at_line(secs(0), "GET", "/elsewhere"));
    assert_eq!((world.stats().calls, world.stats().hits), (1, 1));
}
