//! The rules of asking.

use std::time::Duration;

use recharge_core::{OrderState, ReviewReason, Standing};
use recharge_engine::{Alarm, Cause, Event, Purpose, Verdict, WallTime};

use crate::common::outcomes::{
    accepted, charging, failed, not_found, not_sent, rejected, succeeded, unavailable, unknown,
};
use crate::common::{Case, HOUR, MINUTE, SECOND, policy, provider, queries, route};

/// The gaps between `count` questions, each counted from the answer before.
fn gaps(case: &mut Case, count: usize, answer: fn() -> recharge_core::QueryOutcome) -> Vec<u64> {
    (0..count)
        .map(|_| {
            let gap = case.due_in().unwrap().as_secs();
            case.round(answer());
            gap
        })
        .collect()
}

const SCHEDULE: [u64; 11] = [5, 15, 30, 60, 120, 300, 600, 1800, 3600, 3600, 3600];

#[test]
fn the_gaps_between_questions_grow_and_the_last_repeats() {
    let mut case = Case::new().sent(accepted());
    assert_eq!(gaps(&mut case, 11, charging), SCHEDULE);
    let mut case = Case::new().sent(accepted());
    assert_eq!(gaps(&mut case, 11, unavailable), SCHEDULE);
}

#[test]
fn from_unknown_to_charging_and_on_to_the_desk_the_schedule_goes_on() {
    let mut case = Case::new().sent(unknown());
    assert_eq!(gaps(&mut case, 4, not_found), [5, 15, 30, 60]);
    assert_eq!(gaps(&mut case, 2, charging), [120, 300]);
    case.advance(25 * HOUR).due();
    assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
    assert_eq!(gaps(&mut case, 3, charging), [600, 1800, 3600]);
}

#[test]
fn an_order_on_the_desk_is_still_asked_about() {
    let mut case = Case::probably_not_taken(policy(vec![route("first")]));
    for _ in 0..5 {
        assert_eq!(queries(&case.due()), [(0, Purpose::Schedule)]);
        case.query_says(not_found());
    }
    assert!(case.due_in().unwrap() <= HOUR);
}

#[test]
fn every_attempt_is_asked_in_each_round_one_after_the_other() {
    let mut case = Case::probably_not_taken(policy(vec![route("first"), route("second")]));
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    case.round(not_found());
    case.due();
    case.submit_ends(unknown());
    let mut round = Vec::new();
    for gap in [5, 0, 15, 0, 30, 0, 60, 0] {
        assert_eq!(case.due_in(), Some(SECOND * gap), "{round:?}");
        round.push(queries(&case.due())[0].0);
        // One that gives no answer has had its turn too.
        case.query_says(unavailable());
    }
    assert_eq!(round, [0, 1, 0, 1, 0, 1, 0, 1]);
}

#[test]
fn not_found_never_fails_an_order() {
    let mut case = Case::new().sent(unknown());
    case.never_found();
    for _ in 0..300 {
        case.round(not_found());
    }
    assert!(matches!(case.state(), OrderState::Review(_)));
}

#[test]
fn probably_not_taken_takes_six_answers_and_the_quarantine() {
    let mut case = Case::new().sent(unknown());
    let began = case.now.monotonic;
    let mut answers = 0;
    while case.state() == OrderState::Unknown {
        case.round(not_found());
        answers += 1;
    }
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::ProbablyNotTaken)
    );
    assert!(answers >= 6);
    // 30 minutes, counted from when no byte can be under way: 10 s to send and 35 s for the request.
    assert!(case.since(began) >= 30 * MINUTE + 44 * SECOND);

    // Late, but only five answers.
    let mut case = Case::new().sent(unknown());
    for _ in 0..4 {
        case.round(not_found());
    }
    case.advance(31 * MINUTE).round(not_found());
    assert_eq!(case.state(), OrderState::Unknown);
    case.round(not_found());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::ProbablyNotTaken)
    );
}

#[test]
fn the_quarantine_ends_to_the_second() {
    for (waited, state) in [
        (30 * MINUTE + 44 * SECOND, OrderState::Unknown),
        (
            30 * MINUTE + 45 * SECOND,
            OrderState::Review(ReviewReason::ProbablyNotTaken),
        ),
    ] {
        let mut case = Case::new();
        case.latency = Duration::ZERO;
        case = case.sent(unknown());
        let intended = case.now.monotonic;
        for _ in 0..6 {
            case.round(not_found());
        }
        case.advance(waited.saturating_sub(case.since(intended)));
        case.told(0, Purpose::Schedule, not_found());
        assert_eq!(case.state(), state);
    }
}

#[test]
fn the_quarantine_begins_again_after_a_restart_and_after_a_clock_jump() {
    for again in [Case::restart as fn(&mut Case) -> _, |case| {
        case.jump(60_000)
    }] {
        let mut case = Case::new().sent(unknown());
        for _ in 0..7 {
            case.round(not_found());
        }
        assert!(case.now.monotonic >= 10 * MINUTE);
        again(&mut case);
        case.told(0, Purpose::Schedule, not_found());
        case.advance(29 * MINUTE);
        case.told(0, Purpose::Schedule, not_found());
        assert_eq!(case.state(), OrderState::Unknown);
        case.advance(2 * MINUTE);
        case.told(0, Purpose::Schedule, not_found());
        assert_eq!(
            case.state(),
            OrderState::Review(ReviewReason::ProbablyNotTaken)
        );
    }
}

#[test]
fn the_last_no_such_order_has_to_be_asked_after_the_quarantine_of_its_own_epoch() {
    // The fifth is asked after the quarantine; then a restart, and the sixth right away.
    let mut case = Case::new().sent(unknown());
    for _ in 0..4 {
        case.round(not_found());
    }
    case.advance(31 * MINUTE).round(not_found());
    case.restart();
    case.round(not_found());
    assert_eq!(case.state(), OrderState::Unknown);
}

#[test]
fn a_second_send_has_a_quarantine_of_its_own() {
    let mut case = Case::probably_not_taken(policy(vec![route("first")]));
    case.policy.times.unknown_limit = 100 * HOUR;
    case.both_decide(&Verdict::SendAgain { attempt: 0 });
    case.round(not_found());
    case.due();
    let sent = case.now.monotonic;
    case.submit_ends(unknown());
    assert_eq!(
        case.state(),
        OrderState::Unknown,
        "what was not found before it says nothing about it"
    );
    let mut late = case.clone();
    late.advance(40 * MINUTE).round(not_found());
    assert_eq!(late.state(), OrderState::Unknown, "one answer is not six");
    case.never_found();
    assert!(case.since(sent) >= 30 * MINUTE + 45 * SECOND);
}

#[test]
fn a_failure_on_record_is_not_probably_not_taken() {
    let mut case = Case::new().sent(unknown());
    for _ in 0..7 {
        case.round(not_found());
    }
    case.round(failed());
    assert!(case.now.monotonic > 40 * MINUTE);
    assert_eq!(case.state(), OrderState::Unknown);
}

#[test]
fn charging_past_its_limit_is_overdue_whatever_the_answers() {
    for answer in [charging(), not_found(), unavailable()] {
        let mut case = Case::new().sent(accepted());
        let began = case.now.wall;
        while case.state() == OrderState::Charging {
            case.due();
            if case.state() == OrderState::Charging {
                case.query_says(answer.clone());
            }
        }
        assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
        let took = case.now.wall.since(began);
        assert!(took >= 23 * HOUR && took <= 24 * HOUR, "{took:?}");
    }
}

#[test]
fn unknown_past_its_limit_is_overdue_whatever_the_answers() {
    let mut case = Case::new().sent(unknown());
    let began = case.now.wall;
    while case.state() == OrderState::Unknown {
        case.due();
        if case.state() == OrderState::Unknown {
            case.query_says(unavailable());
        }
    }
    assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
    assert!(case.now.wall.since(began) <= 2 * HOUR);
}

#[test]
fn what_can_not_be_asked_is_overdue_at_its_limit() {
    for (outcome, limit) in [(accepted(), 24), (unknown(), 2)] {
        let mut case = Case::deaf().sent(outcome);
        let wait = case.due_in().unwrap();
        assert!(
            wait > HOUR * (limit - 1) && wait <= HOUR * limit,
            "{wait:?}"
        );
        assert_eq!(queries(&case.due()), []);
        assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
        assert_eq!(case.due_in(), None);
    }
}

#[test]
fn limits_count_from_the_first_submitting_by_the_wall_clock() {
    let mut case = Case::new();
    case.advance(20 * MINUTE);
    case = case.sent(accepted());
    case.jump(23 * 3_600_000);
    case.round(charging());
    assert_eq!(case.state(), OrderState::Charging);
    case.jump(3_600_000);
    case.due();
    assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
}

#[test]
fn the_time_spent_unknown_counts_for_the_limit_of_charging() {
    let mut case = Case::new().sent(unknown());
    case.advance(90 * MINUTE).round(charging());
    assert_eq!(case.state(), OrderState::Charging);
    let sent = case.log[0].at.wall;
    overdue_at(&mut case, sent, 24);
}

#[test]
fn limits_count_from_the_first_of_several_sends() {
    let mut case = Case::new().sent(not_sent());
    let sent = case.log[0].at.wall;
    case.advance(20 * MINUTE).due();
    case.submit_ends(unknown());
    overdue_at(&mut case, sent, 2);
}

/// Nothing is learned until the order is overdue, so many hours after it was sent first.
fn overdue_at(case: &mut Case, sent: WallTime, hours: u32) {
    while !matches!(case.state(), OrderState::Review(_)) {
        case.due();
        if !case.queries.is_empty() {
            case.query_says(unavailable());
        }
    }
    assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
    let took = case.now.wall.since(sent);
    assert!(
        took >= HOUR * hours && took < HOUR * hours + MINUTE,
        "{took:?}"
    );
}

#[test]
fn on_the_desk_charging_is_recorded_success_ends_it_and_so_do_two_failures() {
    let desk = || {
        let mut case = Case::new().sent(unknown());
        case.advance(2 * HOUR).due();
        assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
        case
    };
    let mut case = desk();
    case.round(charging());
    assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
    assert_eq!(case.standing(0), Standing::Taken);
    case.round(succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
    let mut case = desk();
    case.round(failed());
    case.round(failed());
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn trouble_with_a_question_teaches_nothing() {
    let mut case = Case::new().sent(unknown());
    for _ in 0..8 {
        case.round(unavailable());
    }
    case.advance(40 * MINUTE).round(unavailable());
    assert_eq!(case.state(), OrderState::Unknown);
    assert_eq!(case.standing(0), Standing::Open);
}

#[test]
fn after_an_end_every_attempt_in_doubt_is_asked_six_times_more() {
    let watched = |case: &mut Case, answer: recharge_core::QueryOutcome| {
        let ended = case.now.wall;
        let mut at = Vec::new();
        while case.order.due().is_some() {
            case.due();
            at.push(case.now.wall.since(ended).as_secs() / 60);
            case.query_says(answer.clone());
        }
        at
    };
    let expected = [10, 60, 360, 1440, 4320, 10080];
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    assert_eq!(watched(&mut case, succeeded()), expected);
    let mut case = Case::new().sent(accepted());
    case.round(failed());
    case.round(failed());
    assert_eq!(watched(&mut case, unavailable()), expected);
    let mut case = Case::new().sent(rejected());
    case.query_says(not_found());
    assert_eq!(watched(&mut case, not_found()), expected);
    let mut case = Case::probably_not_taken(policy(vec![route("first")]));
    case.both_decide(&Verdict::Failed);
    assert_eq!(watched(&mut case, not_found()), expected);
}

#[test]
fn after_an_end_the_attempts_of_a_round_are_asked_one_after_the_other() {
    let mut case = Case::two_routes().sent(rejected());
    case.query_says(not_found());
    case.round(not_found());
    case.due();
    case.submit_ends(accepted());
    case.told(1, Purpose::Person, succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
    let ended = case.now.wall;
    for minutes in [10, 60, 360, 1440, 4320, 10080] {
        for attempt in [0, 1] {
            assert_eq!(queries(&case.due()), [(attempt, Purpose::Schedule)]);
            let at = case.now.wall.since(ended);
            assert_eq!(at, minutes * MINUTE + attempt * SECOND);
            case.query_says(unavailable());
        }
    }
    assert_eq!(case.order.due(), None);
}

#[test]
fn an_end_is_contradicted_by_the_other_side_and_never_flips() {
    for against in [charging(), succeeded()] {
        let mut case = Case::new().sent(accepted());
        case.round(failed());
        case.round(failed());
        let told = case.notices.last().copied().unwrap();
        case.round(against);
        assert_eq!(
            case.state(),
            OrderState::Review(ReviewReason::Contradiction)
        );
        assert_eq!(case.alarms, [Alarm::Review(ReviewReason::Contradiction)]);
        let again = case.notices.last().copied().unwrap();
        assert!(again.version > told.version);
        assert_eq!(again.state, case.state());
    }
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    case.round(failed());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );
}

#[test]
fn no_such_order_contradicts_what_a_person_called_succeeded_and_no_other_success() {
    let mut case = Case::new().sent(accepted());
    case.decide(Verdict::Succeeded, "ann").unwrap();
    case.round(not_found());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    case.round(not_found());
    assert_eq!(case.state(), OrderState::Succeeded);
}

#[test]
fn the_failure_of_an_attempt_that_did_not_pay_contradicts_no_success() {
    let mut case = Case::probably_not_taken(policy(vec![route("first"), route("second")]));
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    case.round(not_found());
    case.due();
    case.submit_ends(accepted());
    case.round(not_found());
    case.round(succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
    case.due();
    assert_eq!(case.queries[0].attempt, 0);
    case.query_says(failed());
    assert_eq!(case.state(), OrderState::Succeeded);
}

#[test]
fn answers_on_the_same_side_do_not_contradict_an_end() {
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    case.round(charging());
    case.round(succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
    let mut case = Case::new().sent(accepted());
    case.round(failed());
    case.round(failed());
    case.round(failed());
    case.round(not_found());
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn a_contradiction_is_settled_by_people_only() {
    let contradiction = || {
        let mut case = Case::new().sent(accepted());
        case.round(failed());
        case.round(failed());
        case.round(charging());
        case
    };
    let review = OrderState::Review(ReviewReason::Contradiction);
    let mut case = contradiction();
    case.round(succeeded());
    case.round(succeeded());
    assert_eq!(case.state(), review);
    let mut case = contradiction();
    case.round(failed());
    case.advance(HOUR).round(failed());
    case.advance(HOUR).round(failed());
    assert_eq!(case.state(), review);
    case.advance(100 * HOUR).round(not_found());
    assert_eq!(case.state(), review);
    // Failed by two, although every attempt is negative; succeeded by one.
    case.decide(Verdict::Failed, "ann").unwrap();
    assert_eq!(case.state(), review);
    case.decide(Verdict::Failed, "bob").unwrap();
    assert_eq!(case.state(), OrderState::Failed);
    let mut case = contradiction();
    case.decide(Verdict::Succeeded, "ann").unwrap();
    assert_eq!(case.state(), OrderState::Succeeded);
}

#[test]
fn a_settled_contradiction_is_watched_again_from_its_new_end() {
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    case.round(failed());
    case.both_decide(&Verdict::Failed);
    assert_eq!(case.due_in(), Some(10 * MINUTE));
}

#[test]
fn a_person_who_asks_takes_nothing_from_the_schedule() {
    let mut case = Case::new().sent(accepted());
    for answer in [charging(), unavailable(), not_found()] {
        assert_eq!(case.ask_again().unwrap().len(), 1);
        case.query_says(answer);
    }
    case.round(charging());
    case.round(charging());
    assert_eq!(case.state(), OrderState::Charging);
    assert!(case.due_in().unwrap() <= MINUTE);
    // Nor after an end.
    case.round(succeeded());
    let due = case.order.due();
    case.advance(9 * MINUTE).ask_again().unwrap();
    case.query_says(succeeded());
    assert_eq!(case.order.due(), due);
    assert_eq!(queries(&case.due()), [(0, Purpose::Schedule)]);
}

#[test]
fn what_a_person_asks_of_one_attempt_is_not_its_turn_in_the_round() {
    let mut case = Case::two_routes().sent(rejected());
    case.query_says(not_found());
    case.round(not_found());
    case.due();
    case.submit_ends(unknown());
    assert_eq!(case.ask_again().unwrap().len(), 2);
    case.query_says(not_found());
    for attempt in [0, 1] {
        assert_eq!(queries(&case.due()), [(attempt, Purpose::Schedule)]);
        let asked = case.queries.pop_back().unwrap();
        case.answered(asked, unavailable());
    }
}

#[test]
fn overdue_is_decided_before_another_question_is_asked() {
    let mut case = Case::new().sent(accepted());
    case.advance(24 * HOUR);
    let effects = case.due_now();
    assert_eq!(queries(&effects), []);
    assert_eq!(case.last_cause(), Cause::Overdue);
}

#[test]
fn an_answer_past_the_limit_finds_the_order_overdue() {
    for answer in [charging(), not_found(), unavailable()] {
        let mut case = Case::new().sent(accepted());
        case.due();
        case.advance(25 * HOUR);
        case.query_says(answer);
        assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
    }
}

#[test]
fn an_answer_past_the_limit_that_ends_the_order_ends_it() {
    let mut case = Case::new().sent(accepted());
    case.due();
    case.advance(25 * HOUR);
    case.query_says(succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
    let reviews = case.log.iter().filter(|r| {
        matches!(
            r.event,
            Event::Moved {
                to: OrderState::Review(_),
                ..
            }
        )
    });
    assert_eq!(reviews.count(), 0);
}
