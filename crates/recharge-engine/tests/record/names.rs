//! The names in records.

use std::collections::BTreeSet;

use recharge_core::ReviewReason;
use recharge_engine::record::{alarm_of, alarm_text, state_of, state_text};
use recharge_engine::{Alarm, Cause, Purpose};

use crate::examples::states;

fn snake(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[test]
fn every_cause_has_a_name_of_its_own_and_a_meaning() {
    let names: BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    let meanings: BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.meaning()).collect();
    assert_eq!(
        (names.len(), meanings.len()),
        (Cause::ALL.len(), Cause::ALL.len())
    );
    for cause in Cause::ALL {
        assert_eq!(Cause::parse(cause.as_str()), Some(cause));
        assert!(snake(cause.as_str()), "{cause:?}");
        assert_ne!(cause.as_str(), cause.meaning());
        // So that none is missing from `ALL`: a new one doesn't compile here.
        match cause {
            Cause::SendIntended
            | Cause::NotSent
            | Cause::Refused
            | Cause::Acknowledged
            | Cause::Doubt
            | Cause::FoundAtStart
            | Cause::QueryCharging
            | Cause::QuerySucceeded
            | Cause::QueryFailedTwice
            | Cause::EarlierAttempt
            | Cause::ProbablyNotTaken
            | Cause::Overdue
            | Cause::Contradiction
            | Cause::Expired
            | Cause::NoRouteLeft
            | Cause::Decided
            | Cause::FailoverSwitch => {}
        }
    }
    assert_eq!(Cause::parse("Decided"), None);
    assert_eq!(Cause::parse(""), None);
}

#[test]
fn every_purpose_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = Purpose::ALL.iter().map(|p| p.as_str()).collect();
    assert_eq!(names.len(), Purpose::ALL.len());
    for purpose in Purpose::ALL {
        assert_eq!(Purpose::parse(purpose.as_str()), Some(purpose));
        assert!(snake(purpose.as_str()), "{purpose:?}");
        match purpose {
            Purpose::Schedule
            | Purpose::AfterRejection
            | Purpose::BeforeNextAttempt
            | Purpose::Callback
            | Purpose::Person
            | Purpose::CallbackCounts => {}
        }
    }
    assert_eq!(Purpose::parse("Schedule"), None);
}

#[test]
fn every_state_is_read_back_with_its_reason() {
    let names: BTreeSet<_> = states().into_iter().map(state_text).collect();
    assert_eq!(names.len(), states().len());
    for state in states() {
        assert_eq!(state_of(&state_text(state)).unwrap(), state);
    }
    let texts: Vec<_> = states().into_iter().map(state_text).collect();
    assert_eq!(
        texts.join(" "),
        "pending submitting charging unknown succeeded failed review:probably_not_taken \
         review:overdue review:contradiction review:earlier_attempt"
    );
    for wrong in [
        "",
        "review",
        "review:",
        "review:x",
        "Pending",
        "pending ",
        "paid_twice",
    ] {
        assert!(state_of(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn every_alarm_is_read_back() {
    let mut alarms = vec![Alarm::PaidTwice];
    alarms.extend(ReviewReason::ALL.map(Alarm::Review));
    for alarm in alarms {
        assert_eq!(alarm_of(&alarm_text(alarm)).unwrap(), alarm);
    }
    assert_eq!(alarm_text(Alarm::PaidTwice), "paid_twice");
    let overdue = Alarm::Review(ReviewReason::Overdue);
    assert_eq!(alarm_text(overdue), "review:overdue");
    for wrong in ["", "review", "failed", "paid", "pending"] {
        assert!(alarm_of(wrong).is_err(), "{wrong:?}");
    }
}
