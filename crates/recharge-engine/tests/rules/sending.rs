//! The rules of sending.

use std::time::Duration;

use recharge_core::{OrderState, ReviewReason, Standing};
use recharge_engine::{Cause, Effect, Jitter, Purpose, Verdict};

use crate::common::outcomes::{
    accepted, charging, failed, not_found, not_sent, rejected, succeeded, unavailable, unknown,
};
use crate::common::{Case, HOUR, MINUTE, SECOND, policy, provider, queries, route, submits};

fn refused() -> Case {
    let mut case = Case::two_routes().sent(rejected());
    case.query_says(not_found());
    case
}

#[test]
fn a_send_carries_its_number_its_token_and_how_long_it_may_wait() {
    let mut case = Case::new();
    let effects = case.due();
    let [
        Effect::Submit {
            attempt: 0,
            number,
            token,
            send_within,
            ..
        },
    ] = effects.as_slice()
    else {
        panic!("{effects:?}");
    };
    let what = case.order.what().clone();
    assert_eq!(
        *number,
        case.policy
            .numbers
            .derive(&what.merchant, &what.order_id, 0)
    );
    assert_eq!(token.0, case.tokens);
    assert_eq!(*send_within, Duration::from_secs(10));
}

#[test]
fn a_token_is_open_while_nothing_is_known_of_its_send() {
    let open = |case: &Case| case.order.attempts()[0].open_token();
    let mut case = Case::new();
    case.due();
    let first = case.sends[0].token;
    assert_eq!(open(&case), Some(first));
    case.submit_ends(unknown());
    assert_eq!(open(&case), None);
    case.never_found();
    case.both_decide(&Verdict::SendAgain { attempt: 0 });
    case.round(not_found());
    case.due();
    let second = case.sends[0].token;
    assert_ne!(second, first);
    assert_eq!(open(&case), Some(second));
    // It is the second one that has ended, though the first one's end is not known either.
    case.submit_ends(unknown());
    assert_eq!(open(&case), None);
}

#[test]
fn the_next_provider_gets_the_order_only_when_every_attempt_is_closed() {
    let mut case = refused();
    assert_eq!(case.state(), OrderState::Pending);
    case.round(not_found());
    let effects = case.due();
    assert_eq!(submits(&effects), [(1, "second".to_owned())]);
    // An open one blocks it for ever.
    let mut case = Case::two_routes().sent(unknown());
    case.never_found();
    for _ in 0..30 {
        case.round(not_found());
    }
    assert_eq!(case.intents(), 1);
}

#[test]
fn not_sent_is_tried_again_at_the_same_provider_and_then_at_the_next() {
    let mut case = Case::two_routes();
    for (tries, gap) in [(1, 5), (2, 15), (3, 30)] {
        let effects = case.due();
        assert_eq!(submits(&effects), [(0, "first".to_owned())], "try {tries}");
        case.submit_ends(not_sent());
        assert_eq!(case.due_in(), Some(SECOND * gap));
    }
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
    let numbers: Vec<_> = case
        .order
        .attempts()
        .iter()
        .map(recharge_engine::Attempt::number)
        .collect();
    assert_ne!(numbers[0], numbers[1]);
    // Here too, and there is nowhere else to go: until the order expires.
    let mut sends = 0;
    while case.state() != OrderState::Failed {
        case.submit_ends(not_sent());
        case.due();
        sends += 1;
        assert!(sends < 20);
    }
    assert_eq!(case.last_cause(), Cause::Expired);
    assert_eq!(case.due_in(), None, "nothing of it was ever in doubt");
}

#[test]
fn every_provider_has_its_own_tries() {
    let mut case = Case::with(policy(vec![route("a"), route("b"), route("c")]));
    let mut tried = Vec::new();
    for _ in 0..8 {
        tried.push(submits(&case.due())[0].1.clone());
        case.submit_ends(not_sent());
    }
    assert_eq!(tried, ["a", "a", "a", "b", "b", "b", "c", "c"]);
}

#[test]
fn an_unsent_attempt_of_a_route_that_was_switched_off_goes_to_the_next() {
    let mut case = Case::two_routes().sent(not_sent());
    case.policy.routes[0].enabled = false;
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
}

#[test]
fn a_route_that_is_switched_off_gets_nothing_new_and_is_asked_all_the_same() {
    let mut case = Case::two_routes();
    case.policy.routes[0].enabled = false;
    assert_eq!(submits(&case.due()), [(0, "second".to_owned())]);
    let mut case = Case::new().sent(unknown());
    case.policy.routes[0].enabled = false;
    assert_eq!(queries(&case.due()), [(0, Purpose::Schedule)]);
}

#[test]
fn a_send_found_at_a_start_is_unknown_and_permits_only_queries() {
    let mut case = Case::two_routes();
    case.due();
    case.restart();
    assert_eq!(case.state(), OrderState::Unknown);
    assert_eq!(
        case.due_in(),
        Some(Duration::ZERO),
        "it is asked about at once"
    );
    for _ in 0..40 {
        let effects = case.due();
        assert_eq!(submits(&effects), []);
        assert_eq!(queries(&effects), [(0, Purpose::Schedule)]);
        case.query_says(not_found());
    }
    assert_eq!(case.intents(), 1);
}

#[test]
fn a_send_that_is_never_heard_of_is_given_up_when_no_byte_can_be_under_way() {
    let mut case = Case::new();
    case.due();
    let wait = case.due_in().unwrap();
    assert!(wait >= Duration::from_secs(10 + 35), "{wait:?}");
    let effects = case.due();
    assert_eq!(case.state(), OrderState::Unknown);
    assert_eq!(submits(&effects), []);
}

#[test]
fn after_a_rejection_the_order_stays_submitting_while_one_question_is_asked() {
    let mut case = Case::new();
    case.due();
    let effects = case.submit_ends(rejected());
    assert_eq!(queries(&effects), [(0, Purpose::AfterRejection)]);
    assert_eq!(case.state(), OrderState::Submitting);
}

#[test]
fn a_rejection_without_an_answer_to_its_question_is_unknown() {
    for unanswered in [unavailable(), failed()] {
        let mut case = Case::new().sent(rejected());
        case.query_says(unanswered);
        assert_eq!(case.state(), OrderState::Unknown);
    }
    let mut case = Case::new().sent(rejected());
    case.restart();
    assert_eq!(case.state(), OrderState::Unknown);
    let case = Case::deaf().sent(rejected());
    assert_eq!(case.state(), OrderState::Unknown);
}

#[test]
fn a_later_no_such_order_completes_the_refusal() {
    let mut case = Case::new().sent(rejected());
    case.query_says(unavailable());
    case.round(unavailable());
    case.round(not_found());
    assert_eq!(case.standing(0), Standing::Refused);
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn a_rejection_whose_question_is_answered_otherwise_is_followed() {
    let mut case = Case::new().sent(rejected());
    case.query_says(charging());
    assert_eq!(case.state(), OrderState::Charging);
    let mut case = Case::new().sent(rejected());
    case.query_says(succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
}

#[test]
fn a_number_is_sent_again_only_after_not_sent_or_by_two_people() {
    let mut case = Case::probably_not_taken(policy(vec![route("first")]));
    for _ in 0..5 {
        case.round(not_found());
    }
    assert_eq!(case.intents(), 1);
    case.both_decide(&Verdict::SendAgain { attempt: 0 });
    case.round(not_found());
    assert_eq!(submits(&case.due()), [(0, "first".to_owned())]);
}

#[test]
fn what_a_second_send_tells_proves_nothing_about_the_first() {
    for second in [not_sent(), rejected()] {
        let mut case = Case::probably_not_taken(policy(vec![route("first"), route("second")]));
        case.both_decide(&Verdict::SendAgain { attempt: 0 });
        case.round(not_found());
        case.due();
        case.submit_ends(second);
        assert_eq!(case.standing(0), Standing::Open);
        assert_eq!(case.state(), OrderState::Unknown);
        case.round(not_found());
        assert_eq!(case.standing(0), Standing::Open);
        assert_eq!(case.state(), OrderState::Unknown);
    }
}

#[test]
fn before_a_later_attempt_the_earlier_one_is_asked_again() {
    let mut case = refused();
    let effects = case.due();
    assert_eq!(queries(&effects), [(0, Purpose::BeforeNextAttempt)]);
    assert_eq!(submits(&effects), []);
    case.query_says(not_found());
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
}

#[test]
fn the_question_after_the_rejection_does_not_stand_for_the_one_before_the_next_attempt() {
    // Even on a clock that does not move.
    let mut case = Case::two_routes();
    case.latency = Duration::ZERO;
    case.due();
    case.submit_ends(rejected());
    case.query_says(not_found());
    assert_eq!(queries(&case.due()), [(0, Purpose::BeforeNextAttempt)]);
    case.query_says(not_found());
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
}

#[test]
fn an_answer_to_a_question_of_before_does_not_stand_for_it_either() {
    let mut case = Case::two_routes().sent(rejected());
    case.ask_again().unwrap();
    case.query_says(not_found());
    assert_eq!(case.state(), OrderState::Pending);
    // Asked before the order was pending, answered after.
    case.query_says(not_found());
    assert_eq!(queries(&case.due()), [(0, Purpose::BeforeNextAttempt)]);
}

#[test]
fn any_other_explicit_answer_before_a_later_attempt_is_for_a_person() {
    for (answer, state) in [
        (charging(), OrderState::Review(ReviewReason::EarlierAttempt)),
        (failed(), OrderState::Review(ReviewReason::EarlierAttempt)),
        (succeeded(), OrderState::Succeeded),
    ] {
        let mut case = refused();
        case.round(answer);
        assert_eq!(case.state(), state);
        assert!(
            case.moves()
                .iter()
                .any(|(_, to, _)| *to == OrderState::Review(ReviewReason::EarlierAttempt))
        );
        assert_eq!(case.intents(), 1);
    }
}

#[test]
fn an_unanswered_question_before_a_later_attempt_is_asked_again_and_nothing_is_sent() {
    let mut case = refused();
    let mut gaps = Vec::new();
    for _ in 0..4 {
        let effects = case.due();
        assert_eq!(queries(&effects), [(0, Purpose::BeforeNextAttempt)]);
        case.query_says(unavailable());
        assert_eq!(case.state(), OrderState::Pending);
        gaps.push(case.due_in().unwrap().as_secs());
    }
    assert!(gaps.is_sorted() && gaps[3] > gaps[0], "{gaps:?}");
    case.round(not_found());
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
}

#[test]
fn the_gaps_of_that_question_grow_with_several_earlier_attempts_too() {
    let mut case = Case::with(policy(vec![route("a"), route("b"), route("c")])).sent(rejected());
    case.query_says(not_found());
    case.round(not_found());
    case.due();
    case.submit_ends(rejected());
    case.query_says(not_found());
    assert_eq!(case.state(), OrderState::Pending);
    let mut gaps = Vec::new();
    for _ in 0..5 {
        case.round(unavailable());
        gaps.push(case.due_in().unwrap().as_secs());
    }
    assert_eq!(gaps, [15, 30, 60, 120, 300]);
    // Each earlier one is asked, and then the third goes out.
    case.round(not_found());
    assert_eq!(case.due_in(), Some(Duration::ZERO));
    assert_eq!(queries(&case.due()), [(1, Purpose::BeforeNextAttempt)]);
    case.query_says(not_found());
    assert_eq!(submits(&case.due()), [(2, "c".to_owned())]);
}

#[test]
fn an_earlier_attempt_that_can_not_be_asked_is_for_a_person() {
    let mut case = refused();
    case.policy.routes[0].can_query = false;
    case.due();
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt)
    );
    assert_eq!(case.intents(), 1);
}

#[test]
fn an_answer_before_a_restart_does_not_stand_for_one_after_it() {
    let mut case = refused();
    case.round(not_found());
    case.restart();
    assert_eq!(queries(&case.due()), [(0, Purpose::BeforeNextAttempt)]);
}

#[test]
fn an_answer_of_long_ago_does_not_stand_for_one_now() {
    let mut case = refused();
    case.round(not_found());
    case.advance(5 * MINUTE);
    assert_eq!(queries(&case.due_now()), [(0, Purpose::BeforeNextAttempt)]);
}

#[test]
fn an_attempt_that_turns_out_to_be_taken_stops_the_resending_of_a_later_one() {
    let mut case = refused();
    case.round(not_found());
    case.due();
    let second = case.sends[0];
    // While the second is being sent, the first is charging after all.
    case.told(0, Purpose::Person, charging());
    case.advance(SECOND);
    case.send_reported(second, not_sent());
    assert_eq!(case.state(), OrderState::Pending);
    case.round(not_found());
    case.due();
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt),
        "the first is taken, whatever its last answer says"
    );
    assert_eq!(case.intents(), 2);
}

#[test]
fn a_pending_order_expires_after_half_an_hour_under_the_same_guard() {
    let mut case = Case::new();
    case.advance(30 * MINUTE).due();
    assert_eq!(case.state(), OrderState::Failed);
    assert_eq!(case.last_cause(), Cause::Expired);
    assert_eq!(case.order.attempts().len(), 0);

    let mut case = refused();
    case.advance(30 * MINUTE);
    assert_eq!(queries(&case.due()), [(0, Purpose::BeforeNextAttempt)]);
    case.query_says(unavailable());
    assert_eq!(case.state(), OrderState::Pending, "not without an answer");
    case.round(not_found());
    case.due();
    assert_eq!(case.state(), OrderState::Failed);
    assert_eq!(case.last_cause(), Cause::Expired);

    let mut case = refused();
    case.advance(30 * MINUTE).round(charging());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt)
    );
}

#[test]
fn a_minute_before_the_half_hour_it_is_still_sent() {
    let mut case = Case::new();
    case.advance(29 * MINUTE);
    assert_eq!(submits(&case.due()).len(), 1);
}

#[test]
fn what_people_allowed_has_half_an_hour_of_its_own() {
    let mut case = Case::probably_not_taken(policy(vec![route("first")]));
    case.advance(12 * HOUR);
    case.both_decide(&Verdict::SendAgain { attempt: 0 });
    case.round(not_found());
    assert_eq!(submits(&case.due()).len(), 1);

    let mut case = Case::probably_not_taken(policy(vec![route("first")]));
    case.both_decide(&Verdict::SendAgain { attempt: 0 });
    case.advance(31 * MINUTE).round(not_found());
    case.due();
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt),
        "expired, and open: never failed"
    );
    assert_eq!(case.intents(), 1);
    case.round(not_found());
    assert_eq!(case.intents(), 1, "the permit is gone");
}

#[test]
fn a_permitted_attempt_that_was_not_sent_is_tried_again_under_guard() {
    let mut case = Case::probably_not_taken(policy(vec![route("first"), route("second")]));
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    case.round(not_found());
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
    // The order is past the half hour since it was accepted, and its first attempt is open.
    case.submit_ends(not_sent());
    assert_eq!(case.state(), OrderState::Pending);
    case.round(not_found());
    case.due();
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt)
    );
    // With a shorter quarantine it is not, and is tried again.
    let mut short = policy(vec![route("first"), route("second")]);
    short.times.pending_limit = 10 * HOUR;
    let mut case = Case::probably_not_taken(short);
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    case.round(not_found());
    case.due();
    case.submit_ends(not_sent());
    assert_eq!(queries(&case.due()), [(0, Purpose::BeforeNextAttempt)]);
    case.query_says(not_found());
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
    case.submit_ends(accepted());
    assert_eq!(case.state(), OrderState::Charging);
}

#[test]
fn a_permitted_attempt_is_not_tried_again_once_the_open_one_turns_out_to_be_taken() {
    let mut patient = policy(vec![route("first"), route("second")]);
    patient.times.pending_limit = 10 * HOUR;
    let mut case = Case::probably_not_taken(patient);
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    case.round(not_found());
    case.due();
    let second = case.sends[0];
    case.told(0, Purpose::Person, charging());
    case.send_reported(second, not_sent());
    assert_eq!(case.state(), OrderState::Pending);
    case.round(not_found());
    case.due();
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt)
    );
    assert_eq!(case.intents(), 2);
}

#[test]
fn a_permit_for_one_provider_is_none_for_the_next() {
    let mut patient = policy(vec![route("first"), route("second"), route("third")]);
    patient.times.pending_limit = 10 * HOUR;
    let mut case = Case::probably_not_taken(patient);
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    for _ in 0..3 {
        case.round(not_found());
        assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
        case.submit_ends(not_sent());
    }
    case.round(not_found());
    case.due();
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt)
    );
    assert_eq!(case.order.attempts().len(), 2);
}

#[test]
fn a_failed_order_whose_route_has_the_switch_goes_on_by_way_of_the_desk() {
    let mut first = route("first");
    first.failover_after_failure = true;
    let mut case = Case::with(policy(vec![first, route("second")])).sent(accepted());
    case.round(failed());
    case.round(failed());
    assert_eq!(case.state(), OrderState::Pending);
    assert_eq!(case.last_cause(), Cause::FailoverSwitch);
    assert_eq!(queries(&case.due()), [(0, Purpose::BeforeNextAttempt)]);
    case.query_says(failed());
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
    case.submit_ends(accepted());
    // The first one pays after all: an alarm, and the order is not called succeeded twice.
    case.due();
    case.query_says(failed());
    case.due();
    case.query_says(succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
    case.due();
    case.query_says(succeeded());
    let alarmed = case.alarms.len();
    assert_eq!(case.alarms.last(), Some(&recharge_engine::Alarm::PaidTwice));
    case.ask_again().unwrap();
    case.query_says(succeeded());
    case.query_says(succeeded());
    assert_eq!(case.alarms.len(), alarmed, "once is enough");
    assert_eq!(case.state(), OrderState::Succeeded);
}

#[test]
fn the_switch_sends_nothing_on_once_the_first_says_otherwise() {
    for answer in [charging(), succeeded()] {
        let mut first = route("first");
        first.failover_after_failure = true;
        let mut case = Case::with(policy(vec![first, route("second")])).sent(accepted());
        case.round(failed());
        case.round(failed());
        case.round(answer);
        assert_ne!(case.state(), OrderState::Pending);
        assert_eq!(case.intents(), 1);
    }
}

#[test]
fn a_switch_that_is_thrown_back_lets_nothing_pass_that_it_had_let_pass() {
    let mut first = route("first");
    first.failover_after_failure = true;
    let routes = vec![first, route("second"), route("third")];
    let mut case = Case::with(policy(routes)).sent(accepted());
    for _ in 0..3 {
        case.round(failed());
    }
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
    case.submit_ends(unknown());
    while case.state() == OrderState::Unknown {
        case.due();
        let failing = case.queries[0].attempt == 0;
        case.query_says(if failing { failed() } else { not_found() });
    }
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("third"),
    });
    case.round(failed());
    assert_eq!(case.state(), OrderState::Pending, "by the switch");
    case.policy.routes[0].failover_after_failure = false;
    assert_eq!(queries(&case.due()), [(0, Purpose::BeforeNextAttempt)]);
    case.query_says(failed());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt)
    );
    assert_eq!(case.intents(), 2, "whatever people had allowed");
}

#[test]
fn the_switch_does_nothing_for_an_order_on_the_desk() {
    let mut first = route("first");
    first.failover_after_failure = true;
    let mut case = Case::with(policy(vec![first, route("second")])).sent(accepted());
    case.advance(24 * HOUR).due();
    assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
    case.round(failed());
    case.round(failed());
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn the_switch_does_nothing_for_the_last_route() {
    let mut first = route("first");
    first.failover_after_failure = true;
    let mut case = Case::with(policy(vec![first])).sent(accepted());
    case.round(failed());
    case.round(failed());
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn jitter_stretches_a_gap_by_up_to_a_tenth() {
    let mut case = Case::new();
    case.jitter = Jitter(u16::MAX);
    case = case.sent(not_sent());
    assert_eq!(case.due_in(), Some(Duration::from_millis(5_500)));
    let mut case = Case::new();
    case.jitter = Jitter(u16::MAX);
    case = case.sent(accepted());
    assert_eq!(case.due_in(), Some(Duration::from_millis(5_500)));
}
