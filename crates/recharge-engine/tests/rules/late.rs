//! Late facts: the outcome of a send that had been given up, in each state in which it can come, and
//! clocks that jump.

use std::time::Duration;

use recharge_core::{OrderState, ReviewReason, Standing};
use recharge_engine::{Alarm, Cause, Purpose, SendToken, Verdict};

use crate::common::outcomes::{
    accepted, charging, failed, not_found, not_sent, rejected, succeeded, unavailable, unknown,
};
use crate::common::{
    Case, HOUR, MINUTE, SECOND, Sending, policy, provider, queries, route, submits,
};

/// An order whose send was found at a start, and the send of which nobody has heard.
fn given_up(mut case: Case) -> (Case, Sending) {
    case.due();
    let send = case.sends[0];
    case.advance(SECOND);
    case.restart();
    assert_eq!(case.state(), OrderState::Unknown);
    (case, send)
}

#[test]
fn a_late_acknowledgement_makes_an_unknown_order_charging() {
    let (mut case, send) = given_up(Case::new());
    case.send_reported(send, accepted());
    assert_eq!(case.state(), OrderState::Charging);
    assert_eq!(case.last_cause(), Cause::Acknowledged);
    assert!(case.due_in().is_some());
}

#[test]
fn a_late_not_sent_lets_the_order_be_sent_again() {
    let (mut case, send) = given_up(Case::two_routes());
    case.send_reported(send, not_sent());
    assert_eq!(case.standing(0), Standing::Unsent);
    assert_eq!(case.state(), OrderState::Pending);
    assert_eq!(case.last_cause(), Cause::NotSent);
    assert_eq!(submits(&case.due()), [(0, "first".to_owned())]);
}

#[test]
fn a_late_rejection_needs_a_question_of_its_own() {
    let (mut case, send) = given_up(Case::two_routes());
    case.round(not_found());
    case.send_reported(send, rejected());
    assert_eq!(case.state(), OrderState::Unknown);
    assert_eq!(case.standing(0), Standing::Open);
    case.round(not_found());
    assert_eq!(case.standing(0), Standing::Refused);
    assert_eq!(case.state(), OrderState::Pending);
}

#[test]
fn an_answer_asked_before_a_late_rejection_does_not_complete_it() {
    let (mut case, send) = given_up(Case::new());
    case.due();
    case.advance(SECOND);
    case.send_reported(send, rejected());
    case.query_says(not_found());
    assert_eq!(case.standing(0), Standing::Open);
    case.round(not_found());
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn a_late_end_on_the_desk_is_kept_and_stays_there() {
    for (outcome, standing) in [
        (accepted(), Standing::Taken),
        (not_sent(), Standing::Unsent),
        (rejected(), Standing::Open),
        (unknown(), Standing::Open),
    ] {
        let (mut case, send) = given_up(Case::two_routes());
        case.never_found();
        assert!(matches!(case.state(), OrderState::Review(_)));
        case.send_reported(send, outcome);
        assert!(matches!(case.state(), OrderState::Review(_)));
        assert_eq!(case.standing(0), standing);
    }
}

#[test]
fn a_late_acknowledgement_in_pending_is_for_a_person() {
    // Two people let the number go out again; then the first send's acknowledgement turns up.
    let (mut case, send) = given_up(Case::new());
    case.never_found();
    case.both_decide(&Verdict::SendAgain { attempt: 0 });
    case.send_reported(send, accepted());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt)
    );
    for _ in 0..3 {
        case.round(not_found());
    }
    assert_eq!(case.intents(), 1, "the permit is gone");
}

#[test]
fn any_other_late_end_leaves_what_people_allowed_to_be_sent() {
    for outcome in [not_sent(), rejected(), unknown()] {
        let (mut case, send) = given_up(Case::new());
        case.never_found();
        case.both_decide(&Verdict::SendAgain { attempt: 0 });
        case.send_reported(send, outcome);
        assert_eq!(case.state(), OrderState::Pending);
        case.due();
        if !case.queries.is_empty() {
            case.query_says(not_found());
            case.due();
        }
        assert_eq!(case.state(), OrderState::Submitting);
        assert_eq!(case.intents(), 2);
    }
}

#[test]
fn an_unanswered_question_of_before_the_desk_takes_nothing_from_its_schedule() {
    let (mut case, send) = given_up(Case::new());
    case.never_found();
    case.both_decide(&Verdict::SendAgain { attempt: 0 });
    case.due();
    case.send_reported(send, accepted());
    assert!(matches!(case.state(), OrderState::Review(_)));
    case.query_says(unavailable());
    case.round(charging());
    assert_eq!(case.due_in(), Some(15 * SECOND));
}

#[test]
fn a_late_acknowledgement_while_another_attempt_is_sent_is_weighed_at_its_end() {
    let (mut case, first) = given_up(Case::two_routes());
    case.never_found();
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    case.round(not_found());
    case.due();
    let second = *case.sends.back().unwrap();
    case.send_reported(first, accepted());
    assert_eq!(case.state(), OrderState::Submitting);
    assert_eq!(case.standing(0), Standing::Taken);
    case.advance(SECOND);
    case.send_reported(second, unknown());
    assert_eq!(case.state(), OrderState::Charging);
}

#[test]
fn a_late_end_of_the_first_send_is_not_taken_for_the_second_ones() {
    for late in [accepted(), not_sent(), rejected(), unknown()] {
        let (mut case, first) = given_up(Case::new());
        case.never_found();
        case.both_decide(&Verdict::SendAgain { attempt: 0 });
        case.round(not_found());
        case.due();
        let second = *case.sends.back().unwrap();
        case.send_reported(first, late);
        assert_eq!(case.state(), OrderState::Submitting);
        case.send_reported(second, accepted());
        assert_eq!(case.state(), OrderState::Charging);
    }
}

#[test]
fn a_late_acknowledgement_contradicts_a_failed_order() {
    let (mut case, send) = given_up(Case::new());
    case.never_found();
    case.both_decide(&Verdict::Failed);
    case.send_reported(send, accepted());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );
    assert_eq!(
        case.alarms.last(),
        Some(&Alarm::Review(ReviewReason::Contradiction))
    );
}

#[test]
fn a_late_acknowledgement_that_says_what_people_knew_does_not_reopen_it() {
    let (mut case, send) = given_up(Case::new());
    case.round(charging());
    case.both_decide(&Verdict::Failed);
    case.send_reported(send, accepted());
    assert_eq!(case.state(), OrderState::Failed);
    case.round(charging());
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn a_late_acknowledgement_of_what_has_failed_since_is_no_evidence_against_it() {
    let (mut case, send) = given_up(Case::new());
    case.round(failed());
    case.send_reported(send, accepted());
    assert_eq!(case.state(), OrderState::Charging);
    case.round(failed());
    assert_eq!(case.state(), OrderState::Failed, "the failures stand");

    let (mut case, send) = given_up(Case::new());
    case.round(failed());
    case.round(failed());
    case.send_reported(send, accepted());
    assert_eq!(case.state(), OrderState::Failed);
    assert_eq!(case.standing(0), Standing::Failed);
}

#[test]
fn charging_contradicts_a_failure_although_it_was_acknowledged_late() {
    let (mut case, send) = given_up(Case::new());
    case.round(failed());
    case.send_reported(send, accepted());
    case.both_decide(&Verdict::Failed);
    case.round(failed());
    assert_eq!(case.state(), OrderState::Failed);
    case.round(charging());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );
}

#[test]
fn a_further_send_of_a_number_has_to_fail_for_itself() {
    let mut case = Case::probably_not_taken(policy(vec![route("first"), route("second")]));
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    case.round(not_found());
    case.due();
    case.submit_ends(unknown());
    // The second fails twice, the first stays open, and the order goes to the desk.
    while case.standing(1) != Standing::Failed {
        case.due();
        let second = case.queries[0].attempt == 1;
        case.query_says(if second { failed() } else { not_found() });
    }
    if case.state() == OrderState::Unknown {
        case.advance(3 * HOUR).due();
    }
    assert!(matches!(case.state(), OrderState::Review(_)));
    case.both_decide(&Verdict::SendAgain { attempt: 1 });
    while case.intents() == 2 {
        case.due();
        if !case.queries.is_empty() {
            case.query_says(not_found());
        }
    }
    assert_eq!(case.standing(1), Standing::Open);
}

#[test]
fn other_late_ends_leave_an_end_as_it_is() {
    for outcome in [not_sent(), rejected(), unknown()] {
        let (mut case, send) = given_up(Case::new());
        case.never_found();
        case.both_decide(&Verdict::Failed);
        case.send_reported(send, outcome.clone());
        assert_eq!(case.state(), OrderState::Failed);

        let (mut case, send) = given_up(Case::new());
        case.round(succeeded());
        case.send_reported(send, outcome);
        assert_eq!(case.state(), OrderState::Succeeded);
    }
}

#[test]
fn an_outcome_reported_twice_or_under_another_token_changes_nothing() {
    let mut case = Case::new();
    case.due();
    let send = case.sends[0];
    let stranger = Sending {
        token: SendToken(u128::MAX),
        ..send
    };
    let nowhere = Sending { attempt: 9, ..send };
    let before = case.order.clone();
    case.send_reported(stranger, not_sent());
    case.send_reported(nowhere, accepted());
    assert_eq!(case.order, before);
    case.submit_ends(accepted());
    let before = case.order.clone();
    case.send_reported(send, accepted());
    case.send_reported(send, not_sent());
    case.send_reported(send, unknown());
    assert_eq!(case.order, before);
}

#[test]
fn an_answer_about_an_attempt_that_does_not_exist_changes_nothing() {
    let mut case = Case::new().sent(accepted());
    let before = case.order.clone();
    case.told(7, Purpose::Schedule, succeeded());
    case.callback(7, recharge_core::UpstreamState::Failed);
    assert_eq!(case.order, before);
}

#[test]
fn a_late_not_sent_in_the_midst_of_a_round_leaves_the_others_a_next_action() {
    let mut case = Case::probably_not_taken(policy(vec![route("first"), route("second")]));
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    case.round(not_found());
    case.due();
    let second = *case.sends.back().unwrap();
    case.restart();
    case.advance(3 * HOUR).due();
    assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
    // The first is asked; the second, about to be, turns out not to have been sent.
    case.round(not_found());
    case.send_reported(second, not_sent());
    assert_eq!(queries(&case.due()), [(0, Purpose::Schedule)]);
    case.query_says(succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
}

#[test]
fn a_route_that_loses_its_query_call_in_the_midst_of_a_round_leaves_the_others_asked() {
    let mut case = Case::probably_not_taken(policy(vec![route("first"), route("second")]));
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    case.round(not_found());
    case.due();
    case.submit_ends(unknown());
    case.round(not_found());
    case.policy.routes[1].can_query = false;
    for _ in 0..5 {
        assert_eq!(queries(&case.due()), [(0, Purpose::Schedule)]);
        case.query_says(unavailable());
    }
}

#[test]
fn a_clock_set_back_does_not_keep_an_order_waiting() {
    let year = 365 * 24 * 3_600_000;
    for by in [-year, year] {
        let mut case = Case::new().sent(unknown());
        case.jump(by);
        assert_eq!(case.due_in(), Some(Duration::ZERO));
        let mut case = Case::new().sent(not_sent());
        case.jump(by);
        assert_eq!(case.due_in(), Some(Duration::ZERO));
        let mut case = Case::new().sent(accepted());
        case.round(succeeded());
        case.jump(by);
        let due = case.due_in().unwrap();
        assert!(due <= 10 * MINUTE, "{due:?}");
    }
}

#[test]
fn a_clock_set_forward_does_not_use_up_the_watch_after_the_end() {
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    let forty_days = 40 * 24 * 3_600_000;
    case.jump(forty_days);
    let began = case.now.monotonic;
    let mut asked = 0;
    while case.order.due().is_some() {
        case.round(unavailable());
        asked += 1;
    }
    assert_eq!(asked, 6);
    let took = case.since(began);
    assert!(took >= 24 * HOUR, "six questions in {took:?}");
}

#[test]
fn nightly_restarts_do_not_put_off_the_watch_after_the_end() {
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    let ended = case.now.wall;
    let mut asked = Vec::new();
    for _ in 0..30 * 9 {
        while case.due_in().is_some_and(|due| due.is_zero()) {
            case.round(succeeded());
            asked.push(case.now.wall.since(ended).as_secs() / 3600);
        }
        case.advance(HOUR);
        case.restart();
    }
    assert_eq!(asked, [1, 2, 6, 24, 72, 168]);
}

#[test]
fn an_answer_asked_before_the_end_takes_no_turn_from_the_watch_after_it() {
    let mut case = Case::new().sent(accepted());
    assert_eq!(queries(&case.due()), [(0, Purpose::Schedule)]);
    case.told(0, Purpose::Person, succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
    let due = case.order.due();
    assert_eq!(case.due_in(), Some(10 * MINUTE));
    case.query_says(succeeded());
    assert_eq!(case.order.due(), due);
    let mut asked = 0;
    while case.order.due().is_some() {
        case.round(succeeded());
        asked += 1;
    }
    assert_eq!(asked, 6);
}

#[test]
fn a_jump_during_a_send_gives_it_up_and_its_end_still_counts() {
    let mut case = Case::new();
    case.due();
    case.jump(3_600_000);
    assert_eq!(case.state(), OrderState::Unknown);
    case.submit_ends(accepted());
    assert_eq!(case.state(), OrderState::Charging);
}

#[test]
fn a_wall_clock_that_moves_by_itself_makes_no_time_pass() {
    let mut case = Case::new().sent(accepted());
    case.round(failed());
    case.now.wall = case.now.wall.after(HOUR);
    case.told(0, Purpose::Person, failed());
    assert_eq!(case.state(), OrderState::Charging);
    case.callback(0, recharge_core::UpstreamState::Failed);
    case.now.wall = case.now.wall.after(HOUR);
    let again = case.callback(0, recharge_core::UpstreamState::Failed);
    assert_eq!(queries(&again), []);
}

#[test]
fn failures_across_a_restart_are_apart_only_by_what_the_new_epoch_has_seen() {
    let mut case = Case::new().sent(accepted());
    case.round(failed());
    case.advance(10 * MINUTE);
    case.restart();
    case.round(failed());
    assert_eq!(
        case.state(),
        OrderState::Charging,
        "asked a second after the start"
    );
    case.round(failed());
    assert_eq!(case.state(), OrderState::Failed);
}
