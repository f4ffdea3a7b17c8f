//! The rules of callbacks: a reason to ask, and nothing else.

use std::time::Duration;

use recharge_core::{OrderState, ReviewReason, Standing, UpstreamState};
use recharge_engine::{Event, Purpose, Verdict};

use crate::common::outcomes::{
    accepted, accepted_as, charging, failed, not_found, rejected, succeeded, unavailable, unknown,
};
use crate::common::{Case, HOUR, MINUTE, SECOND, policy, queries, route};

use UpstreamState::{Charging, Failed, Succeeded};

fn callbacks(case: &Case) -> usize {
    let callback = |r: &&recharge_engine::Recorded| matches!(r.event, Event::CallbackSeen { .. });
    case.log.iter().filter(callback).count()
}

/// A policy whose one provider can't be asked and whose callbacks count.
fn counting() -> recharge_engine::Policy {
    let mut route = route("deaf");
    route.can_query = false;
    route.callback_counts = true;
    policy(vec![route])
}

#[test]
fn a_callback_adds_one_question_and_moves_nothing() {
    for claims in [Charging, Succeeded, Failed] {
        let mut case = Case::new().sent(accepted());
        assert!(!case.order.callback_seen());
        let effects = case.callback(0, claims);
        assert_eq!(queries(&effects), [(0, Purpose::Callback)]);
        assert_eq!(case.state(), OrderState::Charging);
        assert!(case.order.callback_seen());
    }
}

#[test]
fn its_question_counts_if_it_says_succeeded() {
    let mut case = Case::new().sent(accepted());
    case.callback(0, Failed);
    case.query_says(succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
    assert_eq!(case.due_in(), Some(10 * MINUTE));
}

// Proves: juhe.callback.query-only, jisu.callback.query-only
#[test]
fn any_other_answer_to_it_leaves_everything_as_it_was() {
    let cases: [fn() -> Case; 5] = [
        || Case::new().sent(accepted()),
        || Case::new().sent(unknown()),
        || Case::new().sent(rejected()),
        || Case::probably_not_taken(policy(vec![route("first")])),
        || {
            let mut case = Case::two_routes().sent(rejected());
            case.query_says(not_found());
            case
        },
    ];
    for make in cases {
        for answer in [charging(), failed(), not_found(), unavailable()] {
            let mut case = make();
            let (state, standing, due) = (case.state(), case.standing(0), case.order.due());
            case.queries.clear();
            case.callback(0, Failed);
            case.query_says(answer);
            assert_eq!(case.state(), state);
            assert_eq!(case.standing(0), standing);
            assert_eq!(case.order.due(), due, "{state}");
        }
    }
}

#[test]
fn there_is_at_most_one_such_question_in_thirty_seconds() {
    let mut case = Case::new().sent(accepted());
    assert_eq!(queries(&case.callback(0, Charging)).len(), 1);
    case.advance(29 * SECOND);
    assert_eq!(queries(&case.callback(0, Charging)).len(), 0);
    case.advance(SECOND);
    assert_eq!(queries(&case.callback(0, Charging)).len(), 1);
}

#[test]
fn a_restart_does_not_shorten_the_thirty_seconds() {
    let mut case = Case::new().sent(accepted());
    case.callback(0, Charging);
    for _ in 0..5 {
        case.advance(20 * SECOND);
        case.restart();
        assert_eq!(queries(&case.callback(0, Charging)).len(), 0);
    }
    case.advance(30 * SECOND);
    assert_eq!(queries(&case.callback(0, Charging)).len(), 1);
    case.jump(-3_600_000);
    assert_eq!(queries(&case.callback(0, Charging)).len(), 0);
}

#[test]
fn the_thirty_seconds_are_the_orders_not_the_attempts() {
    let mut case = Case::two_routes().sent(rejected());
    case.query_says(not_found());
    case.round(not_found());
    case.due();
    case.submit_ends(accepted());
    assert_eq!(queries(&case.callback(0, Charging)).len(), 1);
    assert_eq!(queries(&case.callback(1, Charging)).len(), 0);
}

#[test]
fn replays_do_not_fill_the_log() {
    let mut case = Case::new().sent(accepted());
    case.callback(0, Failed);
    let length = case.log.len();
    for _ in 0..1000 {
        case.callback(0, Failed);
    }
    assert_eq!(case.log.len(), length);
    let mut case = Case::deaf().sent(accepted());
    for _ in 0..1000 {
        case.advance(MINUTE);
        case.callback(0, Failed);
    }
    assert_eq!(callbacks(&case), 1);
}

// Proves: juhe.callback.both-ids
#[test]
fn the_upstreams_number_must_be_the_one_that_is_known() {
    let mut case = Case::new().sent(accepted_as("J1"));
    for other in [Some("J2"), None] {
        let before = case.order.clone();
        let effects = case.callback_of(0, other, Succeeded, true);
        assert_eq!(queries(&effects), []);
        assert_eq!(case.order, before);
    }
    let effects = case.callback_of(0, Some("J1"), Succeeded, true);
    assert_eq!(queries(&effects).len(), 1);
}

#[test]
fn a_number_that_is_not_yet_known_is_kept_unproved() {
    let mut case = Case::new().sent(unknown());
    case.callback_of(0, Some("J9"), Succeeded, false);
    assert_eq!(case.order.attempts()[0].upstream_order_id(), None);
    assert!(case.log.iter().any(|r| matches!(
        &r.event,
        Event::CallbackSeen { upstream_order_id: Some(id), .. } if id.as_str() == "J9"
    )));
    // An answer that does not count proves no number either.
    let mut sighting = recharge_core::Sighting::new(Charging, crate::common::outcomes::answer("0"));
    sighting.upstream_order_id = Some("J9".parse().unwrap());
    case.query_says(recharge_core::QueryOutcome::Found(sighting));
    assert_eq!(case.order.attempts()[0].upstream_order_id(), None);
}

#[test]
fn a_callback_before_the_submits_answer_is_followed_up() {
    let mut case = Case::new();
    case.due();
    assert_eq!(queries(&case.callback(0, Succeeded)).len(), 1);
    case.query_says(succeeded());
    assert_eq!(case.state(), OrderState::Submitting);
    case.submit_ends(unknown());
    assert_eq!(case.state(), OrderState::Succeeded);
}

#[test]
fn a_callback_about_what_was_never_sent_asks_nothing() {
    let mut case = Case::new().sent(crate::common::outcomes::not_sent());
    assert_eq!(queries(&case.callback(0, Succeeded)), []);
    assert_eq!(case.state(), OrderState::Pending);
}

#[test]
fn a_callback_after_the_end_can_only_find_a_success() {
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    let due = case.order.due();
    case.callback(0, Failed);
    case.query_says(failed());
    assert_eq!(case.state(), OrderState::Succeeded);
    assert_eq!(case.order.due(), due);
    let mut case = Case::new().sent(accepted());
    case.round(failed());
    case.round(failed());
    case.callback(0, Succeeded);
    case.query_says(charging());
    assert_eq!(case.state(), OrderState::Failed);
    case.advance(MINUTE);
    case.callback(0, Succeeded);
    case.query_says(succeeded());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );
}

#[test]
fn callbacks_do_not_put_off_what_is_due() {
    // A contradiction is not ended by "succeeded"; the schedule stays what it was all the same.
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    case.round(failed());
    for _ in 0..5 {
        case.round(charging());
    }
    let due = case.order.due();
    for _ in 0..3 {
        case.advance(31 * SECOND);
        case.callback(0, Succeeded);
        case.query_says(succeeded());
    }
    assert_eq!(case.order.due(), due);
}

#[test]
fn callbacks_void_no_approval_unless_they_find_a_success() {
    let mut case = Case::new().sent(accepted());
    case.decide(Verdict::Failed, "ann").unwrap();
    case.callback(0, Charging);
    case.query_says(charging());
    assert!(case.order.approval().is_some());
    let mut case = Case::new().sent(accepted());
    case.round(failed());
    case.round(failed());
    case.round(charging());
    case.decide(Verdict::Failed, "ann").unwrap();
    case.callback(0, Charging);
    case.query_says(succeeded());
    assert!(case.order.approval().is_none());
}

#[test]
fn a_callback_counts_as_an_answer_only_where_it_is_configured_to() {
    let mut case = Case::with(counting()).sent(accepted());
    assert_eq!(queries(&case.callback_of(0, None, Succeeded, true)), []);
    assert_eq!(case.state(), OrderState::Succeeded);
    // Not where the signature leaves the state out,
    let mut case = Case::with(counting()).sent(accepted());
    case.callback_of(0, None, Succeeded, false);
    assert_eq!(case.state(), OrderState::Charging);
    // not unless switched on,
    let mut case = Case::deaf().sent(accepted());
    case.callback_of(0, None, Succeeded, true);
    assert_eq!(case.state(), OrderState::Charging);
    // not where the provider can be asked, whatever is switched on,
    let mut asked = counting();
    asked.routes[0].can_query = true;
    let mut case = Case::with(asked).sent(accepted());
    for _ in 0..2 {
        case.callback_of(0, None, Succeeded, true);
        assert_eq!(case.state(), OrderState::Charging);
    }
    // and not about what was never sent.
    let mut case = Case::with(counting()).sent(crate::common::outcomes::not_sent());
    case.callback_of(0, None, Succeeded, true);
    assert_eq!(case.state(), OrderState::Pending);
}

#[test]
fn a_counting_callback_that_is_delivered_again_confirms_no_failure() {
    let mut case = Case::with(counting()).sent(accepted());
    for _ in 0..10 {
        case.callback_of(0, None, Failed, true);
        case.advance(2 * MINUTE);
    }
    assert_eq!(case.state(), OrderState::Charging);
    assert_ne!(case.standing(0), Standing::Failed);
    // Nor does the same one fill the log.
    let answers = case
        .log
        .iter()
        .filter(|r| matches!(r.event, Event::Answered { .. }))
        .count();
    assert_eq!(answers, 1);
    // It is for people in the end.
    case.due();
    assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
    case.callback_of(0, None, Succeeded, true);
    assert_eq!(case.state(), OrderState::Succeeded);
}

#[test]
fn an_upstreams_number_that_holds_the_account_is_as_good_as_none() {
    let account = Case::new().order.what().account.as_str().to_owned();
    let number = format!("20261122{account}7");
    // Neither that of a callback which only asks, nor that of one which counts.
    for (policy, covers_state) in [(policy(vec![route("first")]), false), (counting(), true)] {
        let mut case = Case::with(policy).sent(accepted());
        case.callback_of(0, Some(&number), Succeeded, covers_state);
        assert!(case.order.callback_seen());
        assert_eq!(case.order.attempts()[0].upstream_order_id(), None);
        assert!(!format!("{:?}", case.log).contains(&account));
    }
}

#[test]
fn a_callback_seen_does_not_keep_an_order_from_being_probably_not_taken() {
    let mut case = Case::new().sent(unknown());
    case.callback(0, Charging);
    case.query_says(not_found());
    case.never_found();
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::ProbablyNotTaken)
    );
    assert!(case.order.callback_seen());
}

#[test]
fn a_storm_of_callbacks_leaves_the_schedule_where_it_was() {
    let mut quiet = Case::new().sent(accepted());
    let mut stormy = quiet.clone();
    for _ in 0..6 {
        while stormy.due_in().unwrap() > 40 * SECOND {
            stormy.advance(31 * SECOND);
            stormy.callback(0, Failed);
            stormy.query_says(failed());
        }
        quiet.round(charging());
        stormy.round(charging());
        assert_eq!(stormy.order.due(), quiet.order.due());
    }
    assert_eq!(stormy.due_in(), Some(Duration::from_mins(10)));
    stormy.advance(HOUR);
}
