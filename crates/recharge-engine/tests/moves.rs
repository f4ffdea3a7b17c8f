//! Every row of the table of moves is reached, and for the reason that the table gives.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::outcomes::{
    accepted, charging, failed, not_found, not_sent, rejected, succeeded, unknown,
};
use common::{Case, HOUR, MINUTE, policy, route};
use recharge_core::MOVES;
use recharge_engine::{Cause, Verdict};

/// A way to make one move.
struct Scenario {
    from: &'static str,
    to: &'static str,
    because: Cause,
    play: fn() -> Case,
}

const fn scenario(
    from: &'static str,
    to: &'static str,
    because: Cause,
    play: fn() -> Case,
) -> Scenario {
    Scenario {
        from,
        to,
        because,
        play,
    }
}

const SCENARIOS: &[Scenario] = &[
    scenario("pending", "submitting", Cause::SendIntended, || {
        let mut case = Case::new();
        case.due();
        case
    }),
    scenario("pending", "failed", Cause::Decided, || {
        let mut case = Case::new();
        case.decide(Verdict::Cancel, "ann").unwrap();
        case
    }),
    scenario("pending", "failed", Cause::Expired, || {
        let mut case = Case::new().sent(not_sent());
        case.advance(30 * MINUTE).due();
        case
    }),
    scenario("pending", "failed", Cause::NoRouteLeft, || {
        let mut case = Case::with(policy(Vec::new()));
        case.due();
        case
    }),
    scenario("pending", "review", Cause::EarlierAttempt, || {
        let mut case = refused_with_a_route_left();
        case.round(charging());
        case
    }),
    scenario("submitting", "pending", Cause::NotSent, || {
        Case::new().sent(not_sent())
    }),
    scenario(
        "submitting",
        "pending",
        Cause::Refused,
        refused_with_a_route_left,
    ),
    scenario("submitting", "charging", Cause::Acknowledged, || {
        Case::new().sent(accepted())
    }),
    scenario("submitting", "charging", Cause::QueryCharging, || {
        let mut case = Case::new().sent(rejected());
        case.query_says(charging());
        case
    }),
    scenario("submitting", "unknown", Cause::Doubt, || {
        Case::new().sent(unknown())
    }),
    scenario("submitting", "unknown", Cause::FoundAtStart, || {
        let mut case = Case::new();
        case.due();
        case.restart();
        case
    }),
    scenario("submitting", "failed", Cause::Refused, || {
        let mut case = Case::new().sent(rejected());
        case.query_says(not_found());
        case
    }),
    scenario("charging", "succeeded", Cause::QuerySucceeded, || {
        let mut case = Case::new().sent(accepted());
        case.round(succeeded());
        case
    }),
    scenario("charging", "succeeded", Cause::Decided, || {
        let mut case = Case::new().sent(accepted());
        case.decide(Verdict::Succeeded, "ann").unwrap();
        case
    }),
    scenario("charging", "failed", Cause::QueryFailedTwice, || {
        let mut case = Case::new().sent(accepted());
        case.round(failed());
        case.round(failed());
        case
    }),
    scenario("charging", "failed", Cause::Decided, || {
        let mut case = Case::new().sent(accepted());
        case.both_decide(&Verdict::Failed);
        case
    }),
    scenario("charging", "review", Cause::Overdue, || {
        let mut case = Case::new().sent(accepted());
        case.advance(24 * HOUR).due();
        case
    }),
    scenario("unknown", "charging", Cause::QueryCharging, || {
        let mut case = Case::new().sent(unknown());
        case.round(charging());
        case
    }),
    scenario("unknown", "succeeded", Cause::QuerySucceeded, || {
        let mut case = Case::new().sent(unknown());
        case.round(succeeded());
        case
    }),
    scenario("unknown", "failed", Cause::QueryFailedTwice, || {
        let mut case = Case::new().sent(unknown());
        case.round(failed());
        case.round(failed());
        case
    }),
    scenario("unknown", "failed", Cause::Refused, || {
        let mut case = doubtful_rejection(vec![route("first")]);
        case.round(not_found());
        case
    }),
    scenario("unknown", "review", Cause::ProbablyNotTaken, || {
        Case::probably_not_taken(policy(vec![route("first")]))
    }),
    scenario("unknown", "review", Cause::Overdue, || {
        let mut case = Case::new().sent(unknown());
        case.advance(2 * HOUR).due();
        case
    }),
    scenario("unknown", "pending", Cause::Refused, || {
        let mut case = doubtful_rejection(vec![route("first"), route("second")]);
        case.round(not_found());
        case
    }),
    scenario("review", "succeeded", Cause::QuerySucceeded, || {
        let mut case = Case::probably_not_taken(policy(vec![route("first")]));
        case.round(succeeded());
        case
    }),
    scenario("review", "succeeded", Cause::Decided, || {
        let mut case = Case::probably_not_taken(policy(vec![route("first")]));
        case.decide(Verdict::Succeeded, "ann").unwrap();
        case
    }),
    scenario("review", "failed", Cause::QueryFailedTwice, || {
        let mut case = Case::probably_not_taken(policy(vec![route("first")]));
        case.round(failed());
        case.round(failed());
        case
    }),
    scenario("review", "failed", Cause::Decided, || {
        let mut case = Case::probably_not_taken(policy(vec![route("first")]));
        case.both_decide(&Verdict::Failed);
        case
    }),
    scenario("review", "pending", Cause::Decided, || {
        let mut case = Case::probably_not_taken(policy(vec![route("first")]));
        case.both_decide(&Verdict::SendAgain { attempt: 0 });
        case
    }),
    scenario("review", "pending", Cause::FailoverSwitch, || {
        let mut first = route("first");
        first.failover_after_failure = true;
        let mut case = Case::with(policy(vec![first, route("second")])).sent(accepted());
        case.round(failed());
        case.round(failed());
        case
    }),
    scenario("succeeded", "review", Cause::Contradiction, || {
        let mut case = Case::new().sent(accepted());
        case.round(succeeded());
        case.round(failed());
        case
    }),
    scenario("failed", "review", Cause::Contradiction, || {
        let mut case = Case::new().sent(accepted());
        case.round(failed());
        case.round(failed());
        case.round(charging());
        case
    }),
];

fn refused_with_a_route_left() -> Case {
    let mut case = Case::two_routes().sent(rejected());
    case.query_says(not_found());
    case
}

/// Rejected, and the one query after it unanswered.
fn doubtful_rejection(routes: Vec<recharge_engine::Route>) -> Case {
    let mut case = Case::with(policy(routes)).sent(rejected());
    case.query_says(common::outcomes::unavailable());
    case
}

#[test]
fn every_row_of_the_table_has_a_scenario() {
    for row in MOVES {
        assert!(
            SCENARIOS
                .iter()
                .any(|scenario| (scenario.from, scenario.to) == (row.from, row.to)),
            "no scenario makes the move from {} to {}",
            row.from,
            row.to
        );
    }
}

#[test]
fn every_scenario_makes_its_move_for_its_reason_and_stops_there() {
    for scenario in SCENARIOS {
        let case = (scenario.play)();
        let last = case
            .moves()
            .pop()
            .map(|(from, to, cause)| (from.as_str(), to.as_str(), cause));
        assert_eq!(
            last,
            Some((scenario.from, scenario.to, scenario.because)),
            "{:#?}",
            case.log
        );
    }
}

#[test]
fn no_scenario_makes_a_move_that_the_table_does_not_have() {
    let mut seen = Vec::new();
    for scenario in SCENARIOS {
        for (from, to, _) in (scenario.play)().moves() {
            assert!(from.may_become(to), "{from} -> {to}");
            seen.push((from.as_str(), to.as_str()));
        }
    }
    let unseen: Vec<_> = MOVES
        .iter()
        .filter(|row| !seen.contains(&(row.from, row.to)))
        .collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
fn an_order_rests_at_its_ends_and_on_a_desk() {
    for scenario in SCENARIOS {
        let case = (scenario.play)();
        let rests = ["review", "succeeded", "failed"].contains(&scenario.to);
        assert_eq!(
            case.order.is_at_rest(),
            rests,
            "{} -> {}",
            scenario.from,
            scenario.to
        );
    }
}

#[test]
fn every_cause_is_a_reason_for_some_move() {
    let causes = [
        Cause::SendIntended,
        Cause::NotSent,
        Cause::Refused,
        Cause::Acknowledged,
        Cause::Doubt,
        Cause::FoundAtStart,
        Cause::QueryCharging,
        Cause::QuerySucceeded,
        Cause::QueryFailedTwice,
        Cause::EarlierAttempt,
        Cause::ProbablyNotTaken,
        Cause::Overdue,
        Cause::Contradiction,
        Cause::Expired,
        Cause::NoRouteLeft,
        Cause::Decided,
        Cause::FailoverSwitch,
    ];
    for cause in causes {
        assert!(!cause.as_str().is_empty());
        assert!(
            SCENARIOS.iter().any(|scenario| scenario.because == cause),
            "{cause:?} moves nothing"
        );
    }
}
