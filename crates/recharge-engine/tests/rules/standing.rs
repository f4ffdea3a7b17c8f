//! The standing of an attempt: what each kind of evidence makes of it.

use std::time::Duration;

use recharge_core::{OrderState, Standing};
use recharge_engine::Purpose;

use crate::common::outcomes::{
    accepted, accepted_as, charging, failed, not_found, not_sent, rejected, succeeded, unavailable,
    unknown,
};
use crate::common::{Case, MINUTE};

#[test]
fn an_attempt_of_which_nothing_was_written_is_unsent() {
    let mut case = Case::new().sent(not_sent());
    assert_eq!(case.standing(0), Standing::Unsent);
    case.due();
    assert_eq!(
        case.standing(0),
        Standing::Open,
        "once a send is intended, bytes may have gone"
    );
    case.submit_ends(not_sent());
    assert_eq!(case.standing(0), Standing::Unsent);
}

#[test]
fn an_attempt_is_refused_by_a_rejection_and_a_later_no_such_order() {
    let mut case = Case::new().sent(rejected());
    assert_eq!(case.standing(0), Standing::Open);
    case.query_says(not_found());
    assert_eq!(case.standing(0), Standing::Refused);
}

#[test]
fn no_such_order_before_the_rejection_refuses_nothing() {
    let mut case = Case::new();
    case.due();
    let asked = case.ask_again().unwrap();
    assert_eq!(asked.len(), 1);
    case.submit_ends(rejected());
    case.query_says(not_found());
    assert_eq!(case.standing(0), Standing::Open);
    assert_eq!(case.state(), OrderState::Unknown);
}

#[test]
fn what_is_not_found_however_often_stays_open() {
    let mut case = Case::new().sent(unknown());
    for _ in 0..5 {
        case.round(not_found());
        assert_eq!(case.standing(0), Standing::Open);
    }
}

#[test]
fn an_acknowledgement_and_charging_each_make_it_taken() {
    let case = Case::new().sent(accepted());
    assert_eq!(case.standing(0), Standing::Taken);
    let mut case = Case::new().sent(unknown());
    case.round(charging());
    assert_eq!(case.standing(0), Standing::Taken);
    case.round(not_found());
    assert_eq!(
        case.standing(0),
        Standing::Taken,
        "not found unmakes nothing"
    );
}

#[test]
fn one_failure_proves_nothing_and_two_apart_in_time_do() {
    let mut case = Case::new().sent(accepted());
    case.round(failed());
    assert_eq!(case.standing(0), Standing::Taken);
    assert_eq!(case.due_in(), Some(MINUTE));
    case.round(failed());
    assert_eq!(case.standing(0), Standing::Failed);
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn any_other_explicit_answer_between_two_failures_begins_again() {
    for between in [not_found(), charging()] {
        let mut case = Case::new().sent(accepted());
        case.round(failed());
        case.round(between);
        case.advance(MINUTE).round(failed());
        assert_eq!(case.state(), OrderState::Charging);
        case.round(failed());
        assert_eq!(case.state(), OrderState::Failed);
    }
}

#[test]
fn an_unanswered_question_between_two_failures_does_not() {
    let mut case = Case::new().sent(accepted());
    case.round(failed());
    case.round(unavailable());
    case.round(failed());
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn only_a_query_makes_it_paid_whatever_the_receipt_reports() {
    let mut receipt = recharge_core::Receipt::new(crate::common::outcomes::answer("0"));
    receipt.reported = recharge_core::UpstreamState::Succeeded;
    let mut case = Case::new().sent(recharge_core::SubmitOutcome::Accepted(receipt));
    assert_eq!(case.standing(0), Standing::Taken);
    assert_eq!(case.state(), OrderState::Charging);
    case.round(succeeded());
    assert_eq!(case.standing(0), Standing::Paid);
}

#[test]
fn an_answer_belongs_to_the_attempt_that_was_asked_about() {
    let mut case = Case::two_routes().sent(rejected());
    case.query_says(not_found());
    case.round(not_found());
    case.due();
    case.submit_ends(unknown());
    assert_eq!(case.standing(0), Standing::Refused);
    assert_eq!(case.standing(1), Standing::Open);
    // Both are asked, each for itself.
    case.due();
    assert_eq!(case.queries[0].attempt, 0);
    case.query_says(not_found());
    assert_eq!(
        case.due_in(),
        Some(Duration::ZERO),
        "the same round goes on"
    );
    case.due();
    assert_eq!(case.queries[0].attempt, 1);
    case.query_says(charging());
    assert_eq!(case.standing(0), Standing::Refused);
    assert_eq!(case.standing(1), Standing::Taken);
}

#[test]
fn the_upstreams_number_and_price_are_kept_from_receipt_and_answer() {
    let case = Case::new().sent(accepted_as("J2011"));
    let attempt = &case.order.attempts()[0];
    assert_eq!(attempt.upstream_order_id().unwrap().as_str(), "J2011");
    let mut case = Case::new().sent(unknown());
    let mut sighting = recharge_core::Sighting::new(
        recharge_core::UpstreamState::Charging,
        crate::common::outcomes::answer("0"),
    );
    sighting.upstream_order_id = Some("J2012".parse().unwrap());
    sighting.cost = Some("1.06".parse().unwrap());
    case.round(recharge_core::QueryOutcome::Found(sighting));
    let attempt = &case.order.attempts()[0];
    assert_eq!(attempt.upstream_order_id().unwrap().as_str(), "J2012");
    assert_eq!(attempt.cost().unwrap().thousandths(), 1_060);
    case.round(charging());
    let attempt = &case.order.attempts()[0];
    assert_eq!(attempt.upstream_order_id().unwrap().as_str(), "J2012");
    assert_eq!(attempt.cost().unwrap().thousandths(), 1_060);
}

#[test]
fn the_attempt_that_paid_tells_of_an_order_or_else_the_last_one() {
    let tells = |case: &Case| {
        let told = case.order.telling_attempt();
        told.map(|attempt| attempt.provider().to_string())
    };
    let mut case = Case::two_routes();
    assert_eq!(tells(&case), None);
    case.due();
    case.submit_ends(rejected());
    case.query_says(not_found());
    assert_eq!(tells(&case).unwrap(), "first");
    case.round(not_found());
    case.due();
    case.submit_ends(unknown());
    assert_eq!(tells(&case).unwrap(), "second");
    case.told(0, Purpose::Person, succeeded());
    assert_eq!(tells(&case).unwrap(), "first", "it is the one that paid");
}
