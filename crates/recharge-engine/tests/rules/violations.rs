//! The violations that were found in the model, one test each: on code without the rule it fails.

use recharge_core::{OrderState, ReviewReason, Standing, UpstreamState};
use recharge_engine::{CommandError, Effect, Event, NumberKey, Order, Purpose, SendToken, Verdict};

use crate::common::outcomes::{
    accepted, charging, failed, not_found, not_sent, rejected, succeeded, unavailable, unknown,
};
use crate::common::{
    Case, HOUR, KEY, MINUTE, SECOND, Sending, policy, provider, queries, route, submits,
};

#[test]
fn v01_a_confirmed_failure_is_not_sent_elsewhere_by_itself() {
    let mut case = Case::two_routes().sent(accepted());
    case.round(failed());
    case.round(failed());
    assert_eq!(case.state(), OrderState::Failed);
    assert_eq!(case.intents(), 1);
    assert!(!route("first").failover_after_failure, "off by default");
}

#[test]
fn v02_a_send_carries_how_long_its_first_byte_may_wait_and_a_pause_asks_only() {
    let mut case = Case::new();
    let effects = case.due();
    assert!(effects.iter().any(
        |effect| matches!(effect, Effect::Submit { send_within, .. } if *send_within == 10 * SECOND)
    ));
    // The worker pauses, another takes over; the first one's byte was too late.
    let paused = case.sends[0];
    case.advance(5 * MINUTE);
    case.restart();
    assert_eq!(queries(&case.due()).len(), 1);
    case.query_says(not_found());
    case.send_reported(paused, not_sent());
    assert_eq!(case.intents(), 1);
    assert_eq!(case.state(), OrderState::Pending);
}

#[test]
fn v03_no_such_order_asked_before_the_quarantine_ended_does_not_count_after_it() {
    let mut case = Case::new().sent(unknown());
    for _ in 0..6 {
        case.round(not_found());
    }
    case.due();
    let asked_early = *case.queries.front().unwrap();
    case.advance(HOUR);
    case.answered(asked_early, not_found());
    assert_eq!(case.state(), OrderState::Unknown);
    // Nor does the wall clock's word that the time is over.
    let mut case = Case::new().sent(unknown());
    for _ in 0..6 {
        case.round(not_found());
    }
    case.jump(3_600_000);
    case.round(not_found());
    assert_eq!(case.state(), OrderState::Unknown);
}

#[test]
fn v03_an_earlier_attempt_is_asked_before_any_byte_of_a_later_one() {
    let mut case = Case::two_routes().sent(rejected());
    case.query_says(not_found());
    assert_eq!(submits(&case.due()), []);
    case.query_says(charging());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt)
    );
}

#[test]
fn v04_not_failed_while_an_earlier_number_is_open() {
    // The second attempt fails twice; the first, which people gave up, is open.
    let mut case = Case::probably_not_taken(policy(vec![route("first"), route("second")]));
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    case.round(not_found());
    case.due();
    case.submit_ends(accepted());
    for _ in 0..6 {
        case.due();
        let answer = if case.queries[0].attempt == 0 {
            not_found()
        } else {
            failed()
        };
        case.query_says(answer);
    }
    assert_eq!(case.standing(1), Standing::Failed);
    assert_eq!(case.standing(0), Standing::Open);
    assert_eq!(case.state(), OrderState::Charging);
    case.advance(24 * HOUR).due();
    assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
}

#[test]
fn v04_not_failed_by_no_route_left_while_an_earlier_number_is_open() {
    let mut case = Case::two_routes().sent(rejected());
    case.query_says(not_found());
    case.round(not_found());
    case.due();
    case.told(0, Purpose::Person, charging());
    case.submit_ends(rejected());
    case.query_says(not_found());
    assert_eq!(case.standing(1), Standing::Refused);
    assert_eq!(case.state(), OrderState::Charging);
}

#[test]
fn v05_one_person_does_not_fail_a_charging_order() {
    let mut case = Case::new().sent(accepted());
    case.decide(Verdict::Failed, "ann").unwrap();
    assert_eq!(case.state(), OrderState::Charging);
    assert!(case.decide(Verdict::Failed, "ann").is_err());
    assert_eq!(case.state(), OrderState::Charging);
}

#[test]
fn v06_new_evidence_voids_an_approval() {
    for answer in [charging(), failed()] {
        let mut case = Case::probably_not_taken(policy(vec![route("first")]));
        let verdict = Verdict::SendAgain { attempt: 0 };
        case.decide(verdict.clone(), "ann").unwrap();
        let seen = case.order.version();
        case.round(answer);
        assert_eq!(case.order.approval(), None);
        // The second person had not seen it.
        let refused = case.decide_at(verdict, "bob", seen);
        assert!(matches!(refused, Err(CommandError::Stale { .. })));
        // Having seen it, the second is the first of two again.
        case.decide(Verdict::Failed, "bob").unwrap();
        assert!(matches!(case.state(), OrderState::Review(_)));
    }
    // A late outcome of a send is evidence too.
    let mut case = Case::new();
    case.due();
    let send = case.sends[0];
    case.restart();
    case.decide(Verdict::Failed, "ann").unwrap();
    case.send_reported(send, accepted());
    assert_eq!(case.order.approval(), None);
}

#[test]
fn v06_no_such_order_and_no_answer_void_nothing() {
    for answer in [not_found(), unavailable()] {
        let mut case = Case::probably_not_taken(policy(vec![route("first")]));
        let seen = case.order.version();
        case.decide(Verdict::Failed, "ann").unwrap();
        case.round(answer);
        case.decide_at(Verdict::Failed, "bob", seen).unwrap();
        assert_eq!(case.state(), OrderState::Failed);
    }
}

#[test]
fn v07_only_the_token_of_the_intent_ends_a_send() {
    let mut case = Case::new();
    case.due();
    let Event::SendIntended { token, .. } = case.log[0].event else {
        panic!("{:?}", case.log);
    };
    assert_eq!(token, case.sends[0].token);
    let stranger = Sending {
        attempt: 0,
        token: SendToken(token.0 ^ 1),
    };
    case.send_reported(stranger, not_sent());
    assert_eq!(case.state(), OrderState::Submitting);
    assert_eq!(case.standing(0), Standing::Open);
}

#[test]
fn v08_an_order_from_a_restored_backup_gets_the_same_number() {
    let mut case = Case::new();
    case.due();
    let number = case.order.attempts()[0].number();
    // The backup was taken before the send: the order is accepted, and nothing else.
    let mut restored = Case::new();
    restored.policy.numbers = NumberKey::new(KEY);
    restored.advance(30 * SECOND);
    restored.tokens = 77;
    restored.due();
    assert_eq!(restored.order.attempts()[0].number(), number);
    // And it is the log's, whatever the key is now.
    let mut rebuilt = Order::accept(case.order.acceptance().clone());
    for recorded in &case.log {
        rebuilt.apply(recorded).unwrap();
    }
    assert_eq!(rebuilt, case.order);
}

#[test]
fn v09_the_refusal_of_a_repeated_packet_is_not_believed() {
    let mut case = Case::probably_not_taken(policy(vec![route("first"), route("second")]));
    case.both_decide(&Verdict::SendAgain { attempt: 0 });
    case.round(not_found());
    case.due();
    case.submit_ends(rejected());
    assert_eq!(case.queries.len(), 0, "there is nothing to complete");
    assert_eq!(case.state(), OrderState::Unknown);
    for _ in 0..4 {
        case.round(not_found());
        assert_eq!(case.standing(0), Standing::Open);
    }
    assert_eq!(case.intents(), 2);
}

#[test]
fn v09_a_rejection_alone_refuses_nothing() {
    let case = Case::two_routes().sent(rejected());
    assert_eq!(case.standing(0), Standing::Open);
    assert_eq!(case.state(), OrderState::Submitting);
}

#[test]
fn v10_a_callbacks_question_neither_replaces_a_scheduled_one_nor_counts_as_a_failure() {
    let mut case = Case::new().sent(accepted());
    case.round(failed());
    let due = case.order.due();
    case.advance(59 * SECOND);
    case.callback(0, UpstreamState::Failed);
    case.query_says(failed());
    assert_eq!(case.state(), OrderState::Charging);
    assert_eq!(case.order.due(), due);
    assert_eq!(queries(&case.due()), [(0, Purpose::Schedule)]);
    // "Charging" in between is not heard either.
    let mut case = Case::new().sent(accepted());
    case.round(failed());
    case.callback(0, UpstreamState::Failed);
    case.query_says(charging());
    case.round(failed());
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn v11_neither_a_callback_nor_endless_not_found_blocks_the_way_out() {
    let mut case = Case::new().sent(unknown());
    case.callback(0, UpstreamState::Charging);
    case.query_says(charging());
    case.never_found();
    assert!(matches!(case.state(), OrderState::Review(_)));
    // Acknowledged, and never found.
    let mut case = Case::new().sent(accepted());
    for _ in 0..200 {
        case.due();
        if case.state() != OrderState::Charging {
            break;
        }
        case.query_says(not_found());
    }
    assert_eq!(case.state(), OrderState::Review(ReviewReason::Overdue));
}

#[test]
fn v12_an_order_on_the_desk_does_not_go_back_to_charging() {
    let mut case = Case::probably_not_taken(policy(vec![route("first")]));
    let moves = case.moves().len();
    for _ in 0..10 {
        case.round(charging());
        case.round(not_found());
    }
    assert_eq!(case.moves().len(), moves);
    assert!(matches!(case.state(), OrderState::Review(_)));
}

#[test]
fn v13_a_settled_contradiction_does_not_reopen_on_the_old_answer() {
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    case.round(failed());
    case.decide(Verdict::Succeeded, "ann").unwrap();
    for _ in 0..3 {
        case.round(failed());
        assert_eq!(case.state(), OrderState::Succeeded);
    }
    // Another kind of answer does.
    case.round(not_found());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );

    let mut case = Case::new().sent(accepted());
    case.round(failed());
    case.round(failed());
    case.round(charging());
    case.both_decide(&Verdict::Failed);
    for _ in 0..3 {
        case.round(charging());
        assert_eq!(case.state(), OrderState::Failed);
    }
    case.round(succeeded());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );
}

#[test]
fn v13_the_same_answer_from_another_attempt_does_reopen_it() {
    let mut case = Case::probably_not_taken(policy(vec![route("first"), route("second")]));
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    case.round(not_found());
    case.due();
    case.submit_ends(accepted());
    case.both_decide(&Verdict::Failed);
    case.due();
    assert_eq!(case.queries[0].attempt, 0);
    case.query_says(not_found());
    case.due();
    case.query_says(charging());
    assert_eq!(case.state(), OrderState::Failed, "the second was charging");
    case.due();
    assert_eq!(case.queries[0].attempt, 0);
    case.query_says(charging());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );
}

#[test]
fn v14_a_succeeded_order_goes_on_being_asked() {
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    for _ in 0..5 {
        assert_eq!(queries(&case.due()), [(0, Purpose::Schedule)]);
        case.query_says(succeeded());
    }
    case.round(failed());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );
}

#[test]
fn v15_a_second_failure_asked_before_the_wait_was_over_confirms_nothing() {
    for (asked_after, state) in [
        (59 * SECOND, OrderState::Charging),
        (MINUTE, OrderState::Failed),
    ] {
        let mut case = Case::new().sent(accepted());
        case.round(failed());
        case.advance(asked_after);
        // However long its answer takes.
        case.latency = 5 * MINUTE;
        case.told(0, Purpose::Schedule, failed());
        assert_eq!(case.state(), state);
    }
}

#[test]
fn v15_the_wait_counts_from_the_first_failure() {
    let mut case = Case::new().sent(accepted());
    for state in [
        OrderState::Charging,
        OrderState::Charging,
        OrderState::Failed,
    ] {
        case.told(0, Purpose::Person, failed());
        assert_eq!(case.state(), state);
        case.advance(35 * SECOND);
    }
}

#[test]
fn v15_a_question_sent_before_the_first_failure_came_confirms_nothing() {
    let mut case = Case::new().sent(accepted());
    case.ask_again().unwrap();
    case.due();
    case.advance(10 * MINUTE);
    case.query_says(failed());
    case.query_says(failed());
    assert_eq!(case.state(), OrderState::Charging);
}
