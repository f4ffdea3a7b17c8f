//! The rules of people.

use recharge_core::{OrderState, ReviewReason};
use recharge_engine::{
    Command, CommandError, Decision, Event, Input, Person, PersonError, Purpose, SendToken, Verdict,
};

use crate::common::outcomes::{
    accepted, charging, failed, not_found, not_sent, rejected, succeeded, unavailable, unknown,
};
use crate::common::{Case, HOUR, MINUTE, person, policy, provider, queries, route, submits};

fn elsewhere() -> Verdict {
    Verdict::SendElsewhere {
        provider: provider("second"),
    }
}

fn desk() -> Case {
    Case::probably_not_taken(policy(vec![route("first"), route("second")]))
}

const AGAIN: Verdict = Verdict::SendAgain { attempt: 0 };

#[test]
fn one_person_marks_succeeded_and_only_what_is_in_doubt() {
    for mut case in [
        Case::new().sent(accepted()),
        Case::new().sent(unknown()),
        desk(),
    ] {
        case.decide(Verdict::Succeeded, "ann").unwrap();
        assert_eq!(case.state(), OrderState::Succeeded);
    }
    let mut case = Case::new();
    let refused = case.decide(Verdict::Succeeded, "ann");
    assert!(matches!(refused, Err(CommandError::NotNow { .. })));
    case.due();
    let refused = case.decide(Verdict::Succeeded, "ann");
    assert!(matches!(refused, Err(CommandError::NotNow { .. })));
    let mut case = Case::new().sent(accepted());
    case.round(succeeded());
    for verdict in [
        Verdict::Succeeded,
        Verdict::Failed,
        Verdict::Cancel,
        AGAIN,
        elsewhere(),
    ] {
        let refused = case.decide(verdict, "ann");
        assert!(matches!(refused, Err(CommandError::NotNow { .. })));
    }
}

#[test]
fn one_person_cancels_and_only_while_nothing_has_been_sent() {
    let mut case = Case::new();
    case.decide(Verdict::Cancel, "ann").unwrap();
    assert_eq!(case.state(), OrderState::Failed);
    let mut case = Case::new().sent(not_sent());
    case.decide(Verdict::Cancel, "ann").unwrap();
    assert_eq!(case.state(), OrderState::Failed);
    let mut refused = Case::two_routes().sent(rejected());
    refused.query_says(not_found());
    let mut submitting = Case::new();
    submitting.due();
    for mut case in [refused, submitting, Case::new().sent(accepted()), desk()] {
        let state = case.state();
        let refused = case.decide(Verdict::Cancel, "ann");
        assert!(matches!(refused, Err(CommandError::NotNow { .. })));
        assert_eq!(case.state(), state);
    }
}

#[test]
fn one_person_asks_again_about_every_attempt() {
    let mut case = Case::two_routes().sent(rejected());
    case.query_says(not_found());
    case.round(not_found());
    case.due();
    case.submit_ends(accepted());
    let effects = case.ask_again().unwrap();
    assert_eq!(
        queries(&effects),
        [(0, Purpose::Person), (1, Purpose::Person)]
    );
    let mut case = Case::deaf().sent(unknown());
    assert!(matches!(case.ask_again(), Err(CommandError::NotAllowed(_))));
}

#[test]
fn what_a_person_asks_counts_like_any_question() {
    let mut case = Case::new().sent(accepted());
    case.ask_again().unwrap();
    case.query_says(failed());
    case.ask_again().unwrap();
    case.query_says(failed());
    assert_eq!(case.state(), OrderState::Charging, "not apart in time");
    case.advance(MINUTE);
    case.ask_again().unwrap();
    case.query_says(failed());
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn two_people_mark_failed_what_has_an_attempt_that_is_not_negative() {
    for mut case in [
        Case::new().sent(accepted()),
        Case::new().sent(unknown()),
        desk(),
    ] {
        let state = case.state();
        case.decide(Verdict::Failed, "ann").unwrap();
        assert_eq!(case.state(), state);
        case.decide(Verdict::Failed, "bob").unwrap();
        assert_eq!(case.state(), OrderState::Failed);
    }
}

#[test]
fn one_person_marks_failed_what_has_only_negative_attempts() {
    let mut case = Case::new();
    case.due();
    let send = case.sends[0];
    case.restart();
    case.never_found();
    case.send_reported(send, not_sent());
    assert!(matches!(case.state(), OrderState::Review(_)));
    case.decide(Verdict::Failed, "ann").unwrap();
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn the_second_person_is_another() {
    let mut case = Case::new().sent(accepted());
    case.decide(Verdict::Failed, "ann").unwrap();
    for name in ["ann", " ann "] {
        assert_eq!(
            case.decide(Verdict::Failed, name),
            Err(CommandError::SamePerson("ann".to_owned()))
        );
    }
    assert_eq!(Person::authenticated("  "), Err(PersonError));
    case.decide(Verdict::Failed, "bob").unwrap();
    let Event::Decided {
        decision,
        approved_by,
    } = &case
        .log
        .iter()
        .find(|r| matches!(r.event, Event::Decided { .. }))
        .unwrap()
        .event
    else {
        panic!();
    };
    assert_eq!(decision.by, person("bob"));
    assert_eq!(approved_by, &Some(person("ann")));
}

#[test]
fn the_same_name_in_other_letters_is_not_a_second_person() {
    let mut case = Case::new().sent(accepted());
    case.decide(Verdict::Failed, "Zoë").unwrap();
    for name in ["zoë", "ZOË", " zOË"] {
        let refused = case.decide(Verdict::Failed, name);
        assert!(
            matches!(refused, Err(CommandError::SamePerson(_))),
            "{name}"
        );
    }
    // Nor is the same name, authenticated once and once not.
    case.policy.approvers = vec!["zoë".to_owned()];
    let version = case.order.version();
    let refused = case.decide_as(Verdict::Failed, at_the_machine("ZOË"), version);
    assert!(matches!(refused, Err(CommandError::SamePerson(_))));
    case.decide(Verdict::Failed, "zoe").unwrap();
    assert_eq!(case.state(), OrderState::Failed);
}

fn at_the_machine(name: &str) -> Person {
    Person::unauthenticated(name, "root").unwrap()
}

#[test]
fn somebody_whom_nobody_has_authenticated_counts_for_two_only_if_listed() {
    for verdict in [AGAIN, elsewhere(), Verdict::Failed] {
        let mut case = desk();
        let seen = case.order.version();
        for name in ["ann", "bob"] {
            let refused = case.decide_as(verdict.clone(), at_the_machine(name), seen);
            assert!(matches!(refused, Err(CommandError::NotAPerson(_))));
        }
        assert_eq!(case.order.approval(), None);
        // Nor as the second.
        case.decide(verdict.clone(), "cy").unwrap();
        let refused = case.decide_as(verdict.clone(), at_the_machine("ann"), seen);
        assert!(matches!(refused, Err(CommandError::NotAPerson(_))));
        assert!(matches!(case.state(), OrderState::Review(_)));
        case.policy.approvers = vec!["dan".to_owned(), " Ann ".to_owned()];
        case.decide_as(verdict, at_the_machine("ann"), seen)
            .unwrap();
        assert!(!matches!(case.state(), OrderState::Review(_)));
    }
}

#[test]
fn what_takes_one_person_somebody_whom_nobody_has_authenticated_may_do() {
    let mut case = Case::new();
    case.decide_as(Verdict::Cancel, at_the_machine("ann"), 0)
        .unwrap();
    assert_eq!(case.state(), OrderState::Failed);
    let mut case = Case::new().sent(accepted());
    let seen = case.order.version();
    case.decide_as(Verdict::Succeeded, at_the_machine("ann"), seen)
        .unwrap();
    assert_eq!(case.state(), OrderState::Succeeded);
    let by = case.order.decided_by().unwrap();
    assert_eq!((by.name(), by.system_user()), ("ann", Some("root")));
    assert_eq!(by.to_string(), "ann (not authenticated, as root)");
}

#[test]
fn a_name_is_short_and_plain() {
    let long = "x".repeat(65);
    for name in ["", " \t", "a\nb", "a\u{7f}", &long] {
        assert_eq!(Person::authenticated(name), Err(PersonError), "{name:?}");
        assert_eq!(Person::unauthenticated("ann", name), Err(PersonError));
        assert_eq!(Person::unauthenticated(name, "ann"), Err(PersonError));
    }
    let widest = "大".repeat(64);
    assert_eq!(person(&widest).name(), widest);
    assert_eq!(person(" ann "), person("ann"));
}

#[test]
fn the_version_that_each_had_seen_stands_in_the_log() {
    let mut case = desk();
    let first = case.order.version();
    case.decide(Verdict::Failed, "ann").unwrap();
    case.round(not_found());
    let second = case.order.version();
    case.decide(Verdict::Failed, "bob").unwrap();
    let seen: Vec<u64> = case
        .log
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::Approved { decision } | Event::Decided { decision, .. } => Some(decision.seen),
            _ => None,
        })
        .collect();
    assert_eq!(seen, [first, second]);
    assert!(first < second);
}

#[test]
fn two_people_who_want_different_things_have_decided_nothing() {
    let mut case = desk();
    case.decide(Verdict::Failed, "ann").unwrap();
    case.decide(AGAIN, "bob").unwrap();
    case.decide(elsewhere(), "ann").unwrap();
    case.decide(Verdict::Failed, "bob").unwrap();
    assert!(matches!(case.state(), OrderState::Review(_)));
    case.decide(Verdict::Failed, "ann").unwrap();
    assert_eq!(case.state(), OrderState::Failed);
}

#[test]
fn a_decision_needs_evidence() {
    let mut case = Case::new().sent(accepted());
    for evidence in ["", " \n", "-", "...", "\u{200b}\u{feff}"] {
        let decision = Decision {
            verdict: Verdict::Succeeded,
            by: person("ann"),
            evidence: evidence.to_owned(),
            seen: case.order.version(),
        };
        let refused = case.try_step(Input::Command(Command::Decide(decision)));
        assert_eq!(refused, Err(CommandError::NoEvidence));
    }
    assert_eq!(case.state(), OrderState::Charging);
}

#[test]
fn sending_again_needs_two_people_and_an_upstream_that_refuses_duplicates() {
    let mut case = desk();
    case.decide(AGAIN, "ann").unwrap();
    assert_eq!(case.intents(), 1);
    assert!(matches!(case.state(), OrderState::Review(_)));
    case.decide(AGAIN, "bob").unwrap();
    assert_eq!(case.state(), OrderState::Pending);

    let mut lenient = route("first");
    lenient.refuses_duplicates = false;
    let mut case = Case::probably_not_taken(policy(vec![lenient]));
    for verdict in [AGAIN, Verdict::SendAgain { attempt: 4 }] {
        let refused = case.decide(verdict, "ann");
        assert!(matches!(refused, Err(CommandError::NotAllowed(_))));
    }
}

#[test]
fn sending_again_is_decided_at_the_desk_only() {
    for mut case in [Case::new().sent(accepted()), Case::new().sent(unknown())] {
        let refused = case.decide(AGAIN, "ann");
        assert!(matches!(refused, Err(CommandError::NotNow { .. })));
    }
}

#[test]
fn nothing_is_sent_again_once_the_upstream_is_known_to_have_it() {
    let mut case = desk();
    case.round(charging());
    for verdict in [AGAIN, elsewhere()] {
        let refused = case.decide(verdict, "ann");
        assert!(matches!(refused, Err(CommandError::NotAllowed(_))));
    }
    let mut case = Case::new().sent(unknown());
    case.never_found();
    case.both_decide(&Verdict::Failed);
    case.round(charging());
    let refused = case.decide(AGAIN, "ann");
    assert!(matches!(refused, Err(CommandError::NotAllowed(_))));
}

#[test]
fn nothing_is_sent_again_out_of_a_contradiction() {
    let mut case = Case::new().sent(unknown());
    case.round(unavailable());
    case.decide(Verdict::Succeeded, "ann").unwrap();
    case.round(not_found());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );
    let refused = case.decide(AGAIN, "ann");
    assert!(matches!(refused, Err(CommandError::NotAllowed(_))));
}

#[test]
fn an_approval_is_used_up_by_its_decision() {
    let mut case = desk();
    case.both_decide(&AGAIN);
    // Nothing is learned, and the permit expires.
    case.advance(HOUR).round(not_found());
    case.due();
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt)
    );
    case.decide(AGAIN, "cy").unwrap();
    assert!(matches!(case.state(), OrderState::Review(_)));
    assert_eq!(case.order.permitted_sends(), 1);
}

#[test]
fn another_provider_is_for_two_people_from_probably_not_taken_only() {
    let mut case = desk();
    case.decide(elsewhere(), "ann").unwrap();
    case.decide(elsewhere(), "bob").unwrap();
    case.round(not_found());
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);

    let mut overdue = Case::two_routes().sent(unknown());
    overdue.advance(2 * HOUR).due();
    assert_eq!(overdue.state(), OrderState::Review(ReviewReason::Overdue));
    for mut case in [overdue, Case::two_routes().sent(unknown())] {
        let refused = case.decide(elsewhere(), "ann");
        assert!(matches!(refused, Err(CommandError::NotNow { .. })));
    }
}

#[test]
fn another_provider_is_one_that_is_enabled_and_not_yet_used() {
    let mut case = desk();
    case.policy.routes[1].enabled = false;
    for name in ["first", "second", "third"] {
        let verdict = Verdict::SendElsewhere {
            provider: provider(name),
        };
        let refused = case.decide(verdict, "ann");
        assert!(
            matches!(refused, Err(CommandError::NotAllowed(_))),
            "{name}"
        );
    }
}

#[test]
fn a_permit_is_good_for_one_send() {
    let mut case = desk();
    case.both_decide(&AGAIN);
    case.round(not_found());
    case.due();
    case.submit_ends(unknown());
    case.advance(3 * HOUR).due();
    for _ in 0..5 {
        case.round(not_found());
    }
    assert_eq!(case.intents(), 2);
    assert_eq!(case.order.permitted_sends(), 1);
}

#[test]
fn a_permit_is_void_once_the_earlier_attempt_answers() {
    let mut case = desk();
    case.both_decide(&AGAIN);
    case.round(charging());
    assert_eq!(
        case.state(),
        OrderState::Review(ReviewReason::EarlierAttempt)
    );
    case.round(not_found());
    assert_eq!(case.intents(), 1);
    assert!(matches!(
        case.decide(AGAIN, "ann"),
        Err(CommandError::NotAllowed(_))
    ));
}

#[test]
fn a_permit_waits_while_the_earlier_attempt_can_not_be_reached() {
    let mut case = desk();
    case.both_decide(&AGAIN);
    for _ in 0..3 {
        case.round(unavailable());
        assert_eq!(case.state(), OrderState::Pending);
    }
    case.round(not_found());
    assert_eq!(submits(&case.due()), [(0, "first".to_owned())]);
}

#[test]
fn a_version_that_is_yet_to_come_has_not_been_seen() {
    let mut case = Case::new().sent(accepted());
    let current = case.order.version();
    assert_eq!(
        case.decide_at(Verdict::Succeeded, "ann", current + 1),
        Err(CommandError::NotSeen {
            seen: current + 1,
            current
        })
    );
}

#[test]
fn who_and_why_stand_in_the_log() {
    let mut case = desk();
    case.decide(Verdict::Failed, "ann").unwrap();
    let Event::Approved { decision } = &case.log.last().unwrap().event else {
        panic!("{:?}", case.log.last());
    };
    assert_eq!(
        (decision.by.name(), decision.evidence.as_str()),
        ("ann", "ticket 7")
    );
    assert_eq!(case.order.approval(), Some(decision));
}

#[test]
fn who_had_it_asked_again_stands_in_the_log_and_voids_nothing() {
    let mut case = desk();
    case.decide(Verdict::Failed, "ann").unwrap();
    case.ask_again().unwrap();
    let by = person("ann");
    assert_eq!(case.log.last().unwrap().event, Event::AskedAgain { by });
    assert!(case.order.approval().is_some());
}

#[test]
fn a_refused_command_changes_nothing() {
    let case = Case::new().sent(accepted());
    let command = Command::Decide(Decision {
        verdict: AGAIN,
        by: person("ann"),
        evidence: "ticket 7".to_owned(),
        seen: case.order.version(),
    });
    let refused =
        recharge_engine::step(&case.policy, &case.order, Input::Command(command), case.now);
    assert!(refused.is_err());
    // A fact never is.
    for attempt in [0, 5] {
        let fact = Input::SubmitEnded {
            attempt,
            token: SendToken(9),
            outcome: unknown(),
            jitter: case.jitter,
        };
        assert!(recharge_engine::step(&case.policy, &case.order, fact, case.now).is_ok());
    }
}

#[test]
fn what_people_write_is_shown_without_numbers_of_customers() {
    let decision = Decision {
        verdict: Verdict::Failed,
        by: person("ann"),
        evidence: "18900001234 had no credit by telephone".to_owned(),
        seen: 3,
    };
    let shown = format!("{:?}", Command::Decide(decision));
    assert!(shown.contains("189****1234 had no credit"), "{shown}");
    assert!(!shown.contains("18900001234"), "{shown}");
}
