//! The hold of a restored backup: V8. What was sent since it was made is not in its log.

use std::time::Duration;

use recharge_core::{OrderState, QueryOutcome, ReviewReason, Standing};
use recharge_engine::{Cause, CommandError, Event, Policy, Purpose, Route, Verdict};

use crate::common::outcomes::{
    accepted, charging, failed, not_found, not_sent, rejected, succeeded, unavailable, unknown,
};
use crate::common::{
    Case, HOUR, MINUTE, Probing, SECOND, new_order, policy as usual, probes, provider, queries,
    route, submits,
};

const DESK: OrderState = OrderState::Review(ReviewReason::EarlierAttempt);

/// One "no such order" is believed: that it takes as many as elsewhere has a test of its own.
fn policy(routes: Vec<Route>) -> Policy {
    let mut policy = usual(routes);
    policy.times.not_found_answers = 1;
    policy
}

fn two() -> Policy {
    policy(vec![route("first"), route("second")])
}

/// An order of which the backup knows only that it was accepted.
fn held(policy: Policy) -> Case {
    let mut case = Case::with(policy);
    case.restore();
    case
}

/// The same after the quarantine, with its first question under way.
fn probing(policy: Policy) -> Case {
    let mut case = held(policy);
    assert_eq!(case.due(), []);
    assert_eq!(probes(&case.due()).len(), 1);
    case
}

/// Says "no such order" to questions of the hold until one is under way about this number there.
fn probing_about(case: &mut Case, index: u32, name: &str) {
    while (case.probes[0].attempt, &case.probes[0].provider) != (index, &provider(name)) {
        case.probe_says(not_found());
        case.due();
    }
}

/// Answers all that is asked, "no such order" to the hold's questions and `truth` to the others, until it
/// is over or the order has ended. What the hold asked.
fn through_the_hold(case: &mut Case, truth: &QueryOutcome) -> Vec<(u32, String)> {
    let mut asked = Vec::new();
    for _ in 0..200 {
        if case.order.state().is_end() || !case.order.is_held() {
            return asked;
        }
        let effects = case.due();
        asked.extend(probes(&effects));
        while !case.queries.is_empty() {
            case.query_says(truth.clone());
        }
        while !case.probes.is_empty() {
            case.probe_says(not_found());
        }
    }
    panic!("a hold without end");
}

fn at(list: &[(u32, &str)]) -> Vec<(u32, String)> {
    let owned = |(index, name): &(u32, &str)| (*index, (*name).to_owned());
    list.iter().map(owned).collect()
}

#[test]
fn v08_nothing_is_sent_or_asked_before_the_quarantine_is_over() {
    for mut case in [held(two()), Case::accept(two(), new_order(), true)] {
        assert!(case.order.is_held());
        let quarantine = case.policy.times.quarantine();
        assert_eq!(quarantine, 30 * MINUTE + 45 * SECOND);
        assert_eq!(case.due(), []);
        assert_eq!(case.due_in(), Some(quarantine));
        while case.due_in().unwrap() > MINUTE {
            case.advance(MINUTE);
            assert_eq!(case.due_now(), []);
        }
        case.advance(44 * SECOND);
        assert_eq!(case.due_now(), []);
        assert_eq!(probes(&case.due()), at(&[(0, "first")]));
        assert_eq!(case.state(), OrderState::Pending);
    }
}

#[test]
fn v08_an_upstream_that_loses_sight_of_an_order_for_a_while_is_asked_again() {
    let mut case = held(usual(vec![route("first"), route("second")]));
    case.due();
    let (mut asked, mut waits) = (Vec::new(), Vec::new());
    while case.order.is_held() {
        asked.extend(probes(&case.due()));
        while !case.probes.is_empty() {
            case.probe_says(not_found());
            waits.push(case.due_in().map(|wait| wait.as_secs()));
        }
    }
    let round = at(&[(0, "first"), (0, "second"), (1, "first"), (1, "second")]);
    let six: Vec<_> = std::iter::repeat_n(round, 6).flatten().collect();
    assert_eq!(asked, six, "all of them, six times");
    let now = Some(0);
    let mut expected = Vec::new();
    for gap in [5, 15, 30, 60, 120, 0] {
        expected.extend([now, now, now, Some(gap)]);
    }
    assert_eq!(waits, expected, "as long apart as the schedule asks");
    assert_eq!(case.state(), OrderState::Submitting);
}

#[test]
fn v08_a_number_that_comes_into_sight_in_the_last_round_is_not_sent_again() {
    let mut case = held(usual(vec![route("first")]));
    case.due();
    for _ in 0..5 {
        case.due();
        case.probe_says(not_found());
    }
    case.due();
    case.probe_says(charging());
    assert_eq!(case.state(), DESK);
    assert_eq!(case.intents(), 0);
}

#[test]
fn v08_every_number_is_asked_about_on_every_route_and_then_it_is_sent() {
    for mut case in [held(two()), Case::accept(two(), new_order(), true)] {
        let asked = through_the_hold(&mut case, &unavailable());
        assert_eq!(
            asked,
            at(&[(0, "first"), (0, "second"), (1, "first"), (1, "second")])
        );
        assert_eq!(case.state(), OrderState::Submitting);
        assert_eq!(case.intents(), 1);
        assert!(!case.order.is_held(), "what comes now is in the log");
        // Its further way is as ever.
        case.submit_ends(not_sent());
        assert_eq!(submits(&case.due()), at(&[(0, "first")]));
    }
}

#[test]
fn a_question_of_the_hold_names_the_number_that_the_order_would_have_used() {
    let mut case = probing(two());
    for index in [0, 0, 1, 1] {
        let effects = case.due_now();
        let [
            recharge_engine::Effect::Probe {
                number, attempt, ..
            },
        ] = effects.as_slice()
        else {
            panic!("{effects:?}");
        };
        let what = case.order.what();
        let numbers = &case.policy.numbers;
        assert_eq!(*attempt, index);
        assert_eq!(
            *number,
            numbers.derive(&what.merchant, &what.order_id, index)
        );
        case.probes.truncate(1);
        case.probe_says(not_found());
    }
}

#[test]
fn unanswered_it_is_asked_again_with_growing_gaps_and_nothing_is_sent() {
    let mut case = probing(two());
    let mut gaps = Vec::new();
    for _ in 0..6 {
        case.probe_says(unavailable());
        assert_eq!(case.state(), OrderState::Pending);
        gaps.push(case.due_in().unwrap().as_secs());
        assert_eq!(probes(&case.due()), at(&[(0, "first")]));
    }
    assert_eq!(gaps, [5, 15, 30, 60, 120, 300]);
    case.probe_says(not_found());
    case.due();
    case.probe_says(unavailable());
    assert_eq!(
        case.due_in(),
        Some(5 * SECOND),
        "another place, another row"
    );
    assert_eq!(case.intents(), 0);
}

#[test]
fn v08_what_the_upstream_knows_is_taken_in_and_is_for_a_person() {
    for (index, name) in [(0, "first"), (0, "second"), (1, "first"), (1, "second")] {
        for (answer, standing) in [(charging(), Standing::Taken), (failed(), Standing::Open)] {
            let mut case = probing(two());
            probing_about(&mut case, index, name);
            case.probe_says(answer);
            assert_eq!(case.state(), DESK);
            assert_eq!(case.alarms.len(), 1);
            assert_eq!(case.order.attempts().len(), index as usize + 1);
            let attempt = &case.order.attempts()[index as usize];
            assert_eq!(attempt.standing(), standing);
            assert_eq!(attempt.provider(), &provider(name));
            // What lies before it was sent somewhere as well.
            for before in 0..index as usize {
                assert_eq!(case.standing(before), Standing::Open);
            }
            for _ in 0..20 {
                let effects = case.due();
                assert_eq!(submits(&effects), []);
                if case.queries.is_empty() {
                    case.probe_says(not_found());
                } else {
                    case.query_says(charging());
                }
            }
            assert_eq!(case.state(), DESK);
            assert!(
                case.log.iter().any(|recorded| matches!(
                    recorded.event,
                    Event::Answered { attempt, purpose: Purpose::Schedule, .. } if attempt == index
                )),
                "it is asked about like any other"
            );
        }
    }
}

#[test]
fn v08_what_is_paid_ends_the_order() {
    for (index, name) in [(0, "first"), (1, "second")] {
        let mut case = probing(two());
        probing_about(&mut case, index, name);
        case.probe_says(succeeded());
        assert_eq!(case.state(), OrderState::Succeeded);
        assert_eq!(case.moves()[0].1, DESK, "the history shows it");
        assert_eq!(case.last_cause(), Cause::QuerySucceeded);
        assert_eq!(case.intents(), 0);
        assert!(case.due_in().is_some(), "and it is watched");
    }
}

#[test]
fn a_find_that_fails_twice_ends_the_order_only_when_all_is_asked_about() {
    let mut case = probing(two());
    case.probe_says(failed());
    let asked = through_the_hold(&mut case, &failed());
    assert_eq!(
        asked,
        at(&[
            (0, "second"),
            (1, "first"),
            (1, "second"),
            (2, "first"),
            (2, "second")
        ])
    );
    assert_eq!(case.state(), OrderState::Failed);
    assert_eq!(case.intents(), 0);
}

#[test]
fn what_the_backup_knows_as_not_sent_may_have_been_sent_since() {
    let mut case = Case::with(two()).sent(not_sent());
    case.restore();
    case.due();
    assert_eq!(probes(&case.due()), at(&[(0, "first")]));
    case.probe_says(charging());
    assert_eq!(case.state(), DESK);
    assert_eq!(case.order.attempts().len(), 1);
    assert_eq!(case.standing(0), Standing::Taken);
}

#[test]
fn a_number_in_the_place_of_another_attempt_is_taken_in_too() {
    let mut case = Case::with(two()).sent(not_sent());
    case.restore();
    case.due();
    case.due();
    probing_about(&mut case, 0, "second");
    case.probe_says(charging());
    assert_eq!(case.state(), DESK);
    let attempts = case.order.attempts();
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0].number(), attempts[1].number());
    assert_eq!(attempts[1].provider(), &provider("second"));
    assert_eq!(attempts[1].standing(), Standing::Taken);
    let asked = case.ask_again().unwrap();
    assert_eq!(queries(&asked), [(1, Purpose::Person)]);
}

#[test]
fn a_find_reported_twice_is_taken_in_once() {
    let mut case = probing(two());
    let probe = case.probes[0].clone();
    case.probe_says(charging());
    let log = case.log.len();
    case.probed(probe, charging());
    assert_eq!(case.order.attempts().len(), 1);
    let adopted = |r: &&recharge_engine::Recorded| matches!(r.event, Event::Adopted { .. });
    assert_eq!(case.log[log..].iter().find(adopted), None);
    assert_eq!(case.state(), DESK);
}

#[test]
fn a_provider_that_can_not_be_asked_is_for_a_person_after_the_others() {
    let mut deaf = route("deaf");
    deaf.can_query = false;
    let mut case = held(policy(vec![deaf.clone()]));
    case.due();
    case.due();
    assert_eq!(case.state(), DESK);
    let mut case = probing(policy(vec![deaf, route("second")]));
    assert_eq!(case.probes[0].provider, provider("second"));
    case.probe_says(not_found());
    assert_eq!(probes(&case.due()), at(&[(1, "second")]));
    case.probe_says(not_found());
    case.due();
    assert_eq!(case.state(), DESK);
    assert_eq!(case.intents(), 0);
    case.both_decide(&Verdict::Failed);
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn without_any_route_a_held_order_is_for_a_person() {
    let mut case = held(policy(Vec::new()));
    case.due();
    case.due();
    assert_eq!(case.state(), DESK, "where it may have gone is not known");
}

#[test]
fn a_route_that_is_off_or_sells_something_else_now_is_asked_all_the_same() {
    let mut case = Case::with(two());
    case.policy.routes[0].enabled = false;
    case.policy.routes[1].offer.face_values.clear();
    case.restore();
    let mut asked = Vec::new();
    while case.state() == OrderState::Pending {
        asked.extend(probes(&case.due()));
        if !case.probes.is_empty() {
            case.probe_says(not_found());
        }
    }
    assert_eq!(asked.len(), 4);
    assert_eq!(case.state(), OrderState::Failed);
    assert_eq!(case.last_cause(), Cause::NoRouteLeft);
}

#[test]
fn only_the_provider_that_the_merchant_chose_is_asked() {
    let mut deaf = route("deaf");
    deaf.can_query = false;
    let mut what = new_order();
    what.provider = Some(provider("second"));
    let policy = policy(vec![deaf, route("first"), route("second")]);
    let mut case = Case::accept(policy, what, true);
    let asked = through_the_hold(&mut case, &unavailable());
    assert_eq!(asked, at(&[(0, "second"), (1, "second"), (2, "second")]));
    assert_eq!(case.state(), OrderState::Submitting);
}

#[test]
fn a_held_order_is_not_cancelled_while_it_may_have_been_sent() {
    let mut case = held(policy(vec![route("first")]));
    let refused = |case: &mut Case| {
        let refused = case.decide(Verdict::Cancel, "ann");
        assert!(matches!(refused, Err(CommandError::NotAllowed(_))));
    };
    refused(&mut case);
    case.due();
    case.due();
    refused(&mut case);
    case.probe_says(unavailable());
    refused(&mut case);
    case.due();
    case.probe_says(not_found());
    case.decide(Verdict::Cancel, "ann").unwrap();
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn a_held_order_expires_half_an_hour_after_it_could_be_sent() {
    // However long ago it was accepted, and however long the questions took.
    let mut case = Case::with(policy(vec![route("first")]));
    case.advance(72 * HOUR);
    case.restore();
    case.due();
    case.due();
    for _ in 0..12 {
        case.probe_says(unavailable());
        case.due();
        assert_eq!(case.state(), OrderState::Pending);
    }
    assert!(case.now.wall.since(case.accepted.wall) > 74 * HOUR);
    case.probe_says(not_found());
    let mut expires = case.clone();
    case.advance(29 * MINUTE);
    assert_eq!(submits(&case.due_now()), at(&[(0, "first")]));
    expires.advance(30 * MINUTE).due_now();
    assert_eq!(expires.state(), OrderState::Failed);
    assert_eq!(expires.last_cause(), Cause::Expired);
}

#[test]
fn what_people_allowed_under_a_hold_is_sent_after_it() {
    let mut case = Case::probably_not_taken(two());
    case.restore();
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    let asked = through_the_hold(&mut case, &not_found());
    assert_eq!(asked.len(), 5, "all but the number that is known");
    assert_eq!(case.state(), OrderState::Submitting);
    assert_eq!(case.sends[0].attempt, 1);
    // Unless it was, before the machine was lost.
    let mut case = Case::probably_not_taken(two());
    case.restore();
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    while case.probes.is_empty() {
        case.due();
        while !case.queries.is_empty() {
            case.query_says(not_found());
        }
    }
    case.probe_says(not_found());
    case.due();
    assert_eq!(case.probes[0].attempt, 1);
    case.probe_says(not_found());
    case.due();
    assert_eq!(case.probes[0].provider, provider("second"));
    case.probe_says(charging());
    assert_eq!(case.state(), DESK);
    assert_eq!(case.intents(), 1);
}

#[test]
fn a_send_that_was_under_way_in_the_backup_is_unknown_and_only_asked_about() {
    let mut case = Case::with(two());
    case.due();
    case.restore();
    assert_eq!(case.state(), OrderState::Unknown);
    assert_eq!(case.due_in(), Some(Duration::ZERO));
    let mut asked = Vec::new();
    while case.state() == OrderState::Unknown {
        let effects = case.due();
        assert_eq!(submits(&effects), []);
        asked.extend(probes(&effects));
        if case.queries.is_empty() {
            case.probe_says(not_found());
        } else {
            case.query_says(not_found());
        }
    }
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::ProbablyNotTaken)
    );
    assert_eq!(asked.len(), 5, "the hold asks of every open order");
    assert_eq!(case.order.attempts().len(), 1);
}

#[test]
fn v08_an_order_that_fails_twice_under_a_hold_may_have_gone_elsewhere() {
    let mut case = Case::with(two()).sent(accepted());
    case.restore();
    for _ in 0..3 {
        case.round(failed());
    }
    assert_eq!(case.standing(0), Standing::Failed);
    assert_eq!(case.state(), OrderState::Charging);
    let mut elsewhere = case.clone();
    let asked = through_the_hold(&mut case, &failed());
    assert_eq!(
        asked,
        at(&[
            (0, "second"),
            (1, "first"),
            (1, "second"),
            (2, "first"),
            (2, "second")
        ])
    );
    assert_eq!(case.state(), OrderState::Failed);
    let ended = |r: &recharge_engine::Recorded| matches!(r.event, Event::Moved { .. });
    let ended = case.log.iter().rposition(ended).unwrap();
    assert!(
        matches!(case.log[ended - 1].event, Event::Probed { .. }),
        "with the last answer"
    );
    // The switch of its route had sent it on, and the machine was lost.
    while elsewhere.probes.is_empty() {
        elsewhere.due();
        while !elsewhere.queries.is_empty() {
            elsewhere.query_says(failed());
        }
    }
    while elsewhere.probes[0].attempt == 0 || elsewhere.probes[0].provider == provider("first") {
        elsewhere.probe_says(not_found());
        while elsewhere.probes.is_empty() {
            elsewhere.due();
            while !elsewhere.queries.is_empty() {
                elsewhere.query_says(failed());
            }
        }
    }
    elsewhere.probe_says(succeeded());
    assert_eq!(elsewhere.state(), OrderState::Succeeded);
}

#[test]
fn unanswered_the_hold_takes_turns_with_the_schedule() {
    let mut case = Case::with(two()).sent(accepted());
    case.restore();
    case.advance(31 * MINUTE);
    let mut turns = Vec::new();
    for _ in 0..8 {
        let effects = case.due();
        if case.queries.is_empty() {
            assert_eq!(probes(&effects).len(), 1);
            case.probe_says(unavailable());
            turns.push(("hold", case.due_in().unwrap().as_secs()));
        } else {
            case.query_says(unavailable());
            turns.push(("schedule", case.due_in().unwrap().as_secs()));
        }
    }
    // The hold asks when the schedule has, and waits as long as it does.
    let schedule = ("schedule", 0);
    assert_eq!(
        turns,
        [
            ("hold", 5),
            schedule,
            ("hold", 15),
            schedule,
            ("hold", 30),
            schedule,
            ("hold", 60),
            schedule
        ]
    );
}

#[test]
fn v08_a_refusal_under_a_hold_is_no_end_before_all_is_asked_about() {
    let mut case = Case::with(two()).sent(rejected());
    case.policy.routes[1].enabled = false;
    case.restore();
    case.round(not_found());
    assert_eq!(case.standing(0), Standing::Refused);
    assert_eq!(case.state(), OrderState::Pending);
    let mut sent = case.clone();
    through_the_hold(&mut case, &not_found());
    assert_eq!(case.state(), OrderState::Failed);
    assert_eq!(case.last_cause(), Cause::NoRouteLeft);
    // The second had it.
    while sent.probes.is_empty() {
        sent.due();
        while !sent.queries.is_empty() {
            sent.query_says(not_found());
        }
    }
    assert_eq!(sent.probes[0].provider, provider("second"));
    sent.probe_says(charging());
    assert_eq!(sent.state(), DESK);
}

#[test]
fn one_person_does_not_fail_what_may_have_gone_elsewhere() {
    let mut case = Case::with(two());
    case.due();
    let send = case.sends[0];
    case.restart();
    case.never_found();
    case.send_reported(send, not_sent());
    case.restore();
    case.decide(Verdict::Failed, "ann").unwrap();
    assert!(matches!(case.state(), OrderState::Review(_)));
    case.decide(Verdict::Failed, "bob").unwrap();
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn an_order_with_nothing_to_ask_about_but_the_hold_has_a_next_action_on_the_desk() {
    let mut case = Case::with(two());
    case.due();
    let send = case.sends[0];
    case.restart();
    case.never_found();
    case.send_reported(send, not_sent());
    assert_eq!(case.due_in(), None);
    case.restore();
    case.due();
    assert_eq!(case.due_in(), Some(case.policy.times.quarantine()));
    for gap in [5, 15, 30] {
        assert_eq!(probes(&case.due()), at(&[(0, "first")]));
        case.probe_says(unavailable());
        assert_eq!(case.due_in(), Some(gap * SECOND));
    }
    for left in (0..6).rev() {
        assert_eq!(probes(&case.due()).len(), 1);
        case.probe_says(not_found());
        assert_eq!(case.due_in().is_some(), left > 0);
    }
}

#[test]
fn a_restart_in_the_midst_keeps_the_hold_and_begins_the_quarantine_again() {
    let mut case = held(two());
    case.due();
    case.advance(29 * MINUTE);
    case.restart();
    assert!(case.order.is_held());
    case.due();
    case.advance(29 * MINUTE);
    assert_eq!(case.due_now(), []);
    assert_eq!(probes(&case.due()), at(&[(0, "first")]));
    case.probe_says(not_found());
    case.due();
    // Another one: what is known stays known.
    case.restart();
    assert_eq!(case.due(), []);
    assert_eq!(case.due_in(), Some(case.policy.times.quarantine()));
    assert_eq!(probes(&case.due()), at(&[(0, "second")]));
    assert_eq!(case.intents(), 0);
}

#[test]
fn a_clock_that_jumps_makes_no_time_pass_for_a_hold() {
    let mut case = held(two());
    case.due();
    case.jump(3_600_000);
    assert_eq!(case.due(), []);
    assert_eq!(case.due_in(), Some(case.policy.times.quarantine()));
    // An answer from before a jump counts all the same.
    let mut case = probing(two());
    case.jump(-3_600_000);
    case.probes.push_back(Probing {
        attempt: 0,
        provider: provider("first"),
        at: recharge_engine::Moment {
            epoch: recharge_engine::Epoch(case.now.epoch.0 - 1),
            monotonic: HOUR,
            ..case.now
        },
    });
    case.probes.rotate_right(1);
    case.probe_says(not_found());
    case.probes.clear();
    case.due();
    assert_eq!(probes(&case.due()), at(&[(0, "second")]));
}

#[test]
fn a_backup_restored_again_is_asked_about_again() {
    let mut case = probing(two());
    case.probe_says(not_found());
    case.due();
    let old = case.probes[0].clone();
    case.restore();
    case.due();
    assert_eq!(probes(&case.due()), at(&[(0, "first")]));
    // An answer to a question of before the present hold proves nothing.
    let order = case.order.clone();
    case.probed(old, not_found());
    assert_eq!(case.order, order);
}

#[test]
fn an_answer_asked_before_the_quarantine_was_over_clears_nothing() {
    let mut case = held(policy(vec![route("first")]));
    case.due();
    let probe = |case: &Case| Probing {
        attempt: 0,
        provider: provider("first"),
        at: case.now,
    };
    let early = probe(&case);
    let order = case.order.clone();
    case.advance(HOUR).probed(early.clone(), not_found());
    assert_eq!(case.order, order);
    // A find proves itself.
    case.probed(early, charging());
    assert_eq!(case.state(), DESK);
}

#[test]
fn what_has_ended_in_the_backup_is_not_held() {
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    case.restore();
    assert!(!case.order.is_held());
    let mut case = Case::new();
    case.decide(Verdict::Cancel, "ann").unwrap();
    case.restore();
    assert!(!case.order.is_held());
    assert_eq!(case.due_in(), None);
}

#[test]
fn a_late_answer_of_the_hold_takes_no_turn_from_the_watch() {
    let mut case = Case::with(two()).sent(accepted());
    case.restore();
    case.advance(31 * MINUTE);
    case.due();
    let probe = case.probes.pop_front().unwrap();
    case.told(0, Purpose::Person, succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
    assert!(!case.order.is_held());
    let due = case.due_in();
    for late in [unavailable(), not_found()] {
        case.probed(probe.clone(), late);
        assert_eq!(case.due_in(), due);
    }
    let mut asked = 0;
    while case.due_in().is_some() {
        case.round(succeeded());
        asked += 1;
    }
    assert_eq!(asked, 6);
}

#[test]
fn a_find_after_the_end_contradicts_it() {
    let mut case = held(policy(vec![route("first")]));
    case.due();
    case.due();
    let probe = case.probes[0].clone();
    case.probe_says(not_found());
    case.due();
    case.probed(probe.clone(), not_found());
    case.submit_ends(rejected());
    case.query_says(not_found());
    assert_eq!(case.state(), OrderState::Failed);
    case.probed(probe, charging());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );
    assert_eq!(case.order.attempts().len(), 1, "it is the attempt itself");
}

#[test]
fn a_late_find_of_what_the_log_has_as_sent_is_an_answer_about_it_and_for_nobody() {
    let mut case = held(policy(vec![route("first")]));
    case.due();
    case.due();
    let probe = case.probes[0].clone();
    case.probe_says(not_found());
    assert_eq!(submits(&case.due()), at(&[(0, "first")]));
    case.submit_ends(unknown());
    case.probed(probe, charging());
    assert_eq!(case.state(), OrderState::Charging);
    assert_eq!(case.order.attempts().len(), 1);
    assert_eq!(case.alarms, []);
}

#[test]
fn a_find_during_a_later_send_keeps_that_one_from_being_tried_again() {
    // The first was not sent, as far as the backup knows, and has its route no more.
    let mut case = Case::two_routes().sent(not_sent());
    case.policy.routes[0].enabled = false;
    case.restore();
    case.due();
    case.due();
    let first = case.probes[0].clone();
    assert_eq!(first.provider, provider("first"));
    while case.state() == OrderState::Pending {
        if !case.probes.is_empty() {
            case.probe_says(not_found());
        }
        case.due();
    }
    assert_eq!(case.sends[0].attempt, 1);
    case.probed(first, failed());
    case.submit_ends(not_sent());
    assert_eq!(case.state(), OrderState::Pending);
    assert_eq!(case.standing(0), Standing::Open);
    case.round(not_found());
    assert_eq!(submits(&case.due()), []);
    assert_eq!(case.state(), DESK, "nobody has allowed a second one");
}

#[test]
fn a_held_order_in_doubt_goes_to_the_desk_with_what_is_found() {
    let mut case = Case::with(two()).sent(unknown());
    case.restore();
    case.advance(31 * MINUTE).due();
    probing_about(&mut case, 0, "second");
    case.probe_says(charging());
    assert_eq!(case.state(), DESK);
    assert_eq!(case.order.attempts().len(), 2);
}

#[test]
fn a_number_that_the_order_could_not_have_used_changes_nothing() {
    let mut case = probing(two());
    let order = case.order.clone();
    let probe = Probing {
        attempt: 4,
        ..case.probes[0].clone()
    };
    for answer in [charging(), not_found(), unavailable()] {
        case.probed(probe.clone(), answer);
        assert_eq!(case.order, order);
    }
}

#[test]
fn what_fails_twice_and_may_have_gone_where_nobody_can_be_asked_is_for_a_person() {
    let mut deaf = route("deaf");
    deaf.can_query = false;
    let mut case = Case::with(policy(vec![route("first"), deaf])).sent(accepted());
    case.restore();
    while case.state() == OrderState::Charging {
        case.due();
        while !case.queries.is_empty() {
            case.query_says(failed());
        }
        while !case.probes.is_empty() {
            case.probe_says(not_found());
        }
    }
    assert_eq!(case.state(), DESK, "and at once, not when it is overdue");
    assert_eq!(case.standing(0), Standing::Failed);
    for _ in 0..5 {
        case.round(failed());
        assert_eq!(case.state(), DESK);
    }
    case.decide(Verdict::Failed, "ann").unwrap();
    assert_eq!(case.state(), DESK);
    case.decide(Verdict::Failed, "bob").unwrap();
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn what_people_allow_long_after_the_hold_has_half_an_hour_of_its_own() {
    let mut case = Case::probably_not_taken(two());
    case.restore();
    for _ in 0..60 {
        case.due();
        while !case.queries.is_empty() {
            case.query_says(not_found());
        }
        while !case.probes.is_empty() {
            case.probe_says(not_found());
        }
    }
    let asked = |r: &&recharge_engine::Recorded| matches!(r.event, Event::Probed { .. });
    assert_eq!(case.log.iter().filter(asked).count(), 5);
    assert!(case.order.is_held(), "it has not been sent");
    case.both_decide(&Verdict::SendAgain { attempt: 0 });
    case.round(not_found());
    assert_eq!(submits(&case.due()), at(&[(0, "first")]));
    // And once more, long after it was sent.
    case.submit_ends(unknown());
    case.never_found();
    case.advance(5 * HOUR);
    case.both_decide(&Verdict::SendAgain { attempt: 0 });
    case.round(not_found());
    assert_eq!(submits(&case.due()), at(&[(0, "first")]));
}

#[test]
fn a_find_voids_what_one_person_has_approved() {
    let mut case = Case::probably_not_taken(two());
    case.restore();
    case.decide(Verdict::Failed, "ann").unwrap();
    let seen = case.order.version();
    case.advance(31 * MINUTE).due();
    case.probe_says(failed());
    assert_eq!(case.order.approval(), None);
    let refused = case.decide_at(Verdict::Failed, "bob", seen);
    assert!(matches!(refused, Err(CommandError::Stale { .. })));
}

#[test]
fn a_failure_told_before_confirms_none_of_what_was_sent_since_the_backup() {
    let mut case = Case::with(two()).sent(not_sent());
    case.told(0, Purpose::Person, failed());
    assert_eq!(case.state(), DESK);
    assert_eq!(case.standing(0), Standing::Unsent);
    case.restore();
    case.advance(31 * MINUTE).due();
    case.probe_says(failed());
    assert_eq!(
        case.standing(0),
        Standing::Open,
        "it has to fail for itself"
    );
    assert_eq!(case.state(), DESK);
}

#[test]
fn what_comes_from_one_backup_does_not_ask_in_the_same_second() {
    let mut case = held(two());
    case.jitter = recharge_engine::Jitter(u16::MAX);
    case.due();
    let quarantine = case.policy.times.quarantine();
    assert_eq!(case.due_in(), Some(quarantine + quarantine / 10));
}
