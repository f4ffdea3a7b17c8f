//! The format itself.

use recharge_engine::record::{RecordError, decode, encode};
use recharge_engine::{Event, Recorded};

use crate::examples::{KINDS, events, kind, moment, recorded};

/// A change of this snapshot is a change of every file that there is: old files would no longer be read,
/// or be read as something else. Add; never change.
#[test]
fn the_format_of_every_kind_of_event_never_changes() {
    let lines: Vec<String> = events()
        .into_iter()
        .map(|event| encode(&[recorded(event)]).unwrap())
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_kind_of_event_has_an_example() {
    let mut kinds: Vec<&str> = events().iter().map(kind).collect();
    kinds.dedup();
    assert_eq!(kinds, KINDS);
}

#[test]
fn what_is_written_is_read_back() {
    for event in events() {
        let record = [recorded(event)];
        assert_eq!(decode(&encode(&record).unwrap()).unwrap(), record);
    }
}

/// The events of one step, all kinds of them, as they can't be in life.
fn step() -> Vec<Recorded> {
    let recorded = |(version, event)| Recorded {
        version,
        at: moment(),
        event,
    };
    (1..).zip(events()).map(recorded).collect()
}

#[test]
fn a_step_is_one_record_with_one_moment() {
    let step = step();
    let text = encode(&step).unwrap();
    assert_eq!(decode(&text).unwrap(), step);
    assert_eq!(text.matches("\"at\":").count(), 1);
    assert!(!text.contains('\n'));
}

#[test]
fn a_step_without_events_is_no_text() {
    assert_eq!(encode(&[]).unwrap(), "");
    assert_eq!(decode("").unwrap(), []);
}

#[test]
fn the_events_of_two_steps_are_not_written_as_one() {
    let mut apart = step();
    apart.last_mut().unwrap().at.monotonic += std::time::Duration::from_nanos(1);
    assert!(matches!(encode(&apart), Err(RecordError::NotOneStep)));
    let mut gap = step();
    gap.remove(1);
    assert!(matches!(encode(&gap), Err(RecordError::NotOneStep)));
}

#[test]
fn a_record_can_be_read_by_people() {
    let record = [recorded(Event::Recovered)];
    assert_eq!(
        encode(&record).unwrap(),
        r#"{"first":9,"at":[1800000000123,7,61000000005],"events":["recovered"]}"#
    );
}
