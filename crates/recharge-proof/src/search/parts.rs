//! The parts of the search.
//!
//! In their names: `any` are the faults of [`ANY`], `two` stands for a second worker that takes over, `desk`
//! for people who come while the order is on the desk, and the number for how many faults a life may have.

use super::part::Fault::{
    Ahead, Back, Crash, Landed, Late, LostReply, LostRequest, Mistaken, NoAnswer, NoConnection,
    Overlooked, Pause, Restore, Reversal, Takeover, Twice, Vanished,
};
use super::part::{Fault, Kind, Part};

/// What can go wrong on the way to an upstream and back, with commits, and with the one worker that there
/// is.
const ANY: [Fault; 11] = [
    Crash,
    Landed,
    Vanished,
    NoConnection,
    LostRequest,
    LostReply,
    Late,
    Twice,
    NoAnswer,
    Overlooked,
    Mistaken,
];

fn with(more: &[Fault]) -> Vec<Fault> {
    [&ANY[..], more].concat()
}

/// Every part, those first that take the least time.
pub(crate) fn all() -> Vec<Part> {
    let plain = [Kind::PLAIN; 2];
    let first = |kind: Kind| [kind, Kind::PLAIN];
    let deaf = first(Kind {
        can_query: false,
        ..Kind::PLAIN
    });
    let counts = first(Kind {
        can_query: false,
        callback_counts: true,
        ..Kind::PLAIN
    });
    let covered = first(Kind {
        callback_counts: true,
        ..Kind::PLAIN
    });
    let switched = first(Kind {
        failover: true,
        ..Kind::PLAIN
    });
    let loose = [Kind {
        refuses_duplicates: false,
        ..Kind::PLAIN
    }; 2];
    let part = |name: &str, faults: &[Fault], most| Part::new(name, plain, faults).most(most);
    let two =
        |name: &str, faults: &[Fault], most| part(name, &[&[Takeover], faults].concat(), most);
    vec![
        part("quiet", &[], 0),
        Part::new("loose-desk-1", loose, &[LostRequest])
            .most(1)
            .people(2)
            .at_desk(),
        Part::new("loose-restore-2", loose, &[Restore, Late, LostReply]).most(2),
        part("any-3", &ANY, 3),
        Part::new("switched-any-2", switched, &ANY).most(2),
        part("callbacks-any-1", &ANY, 1).callbacks(2),
        Part::new("covered-any-1", covered, &ANY)
            .most(1)
            .callbacks(2),
        part("restore-any-2", &with(&[Restore]), 2),
        part("desk-quiet", &[], 0).people(3).at_desk().looks(),
        part("any-and-pause-2", &with(&[Pause]), 2),
        part("any-and-pause-and-clock-2", &with(&[Pause, Ahead, Back]), 2),
        Part::new("deaf-any-1", deaf, &ANY).most(1).people(2),
        Part::new("counts-any-2", counts, &ANY).most(2).callbacks(2),
        two("two-1", &with(&[Pause, Ahead, Back]), 1),
        part("liar-any-1", &with(&[Reversal]), 1),
        part("liar-people", &[Reversal], 1).people(2),
        two("two-commits-2", &[Landed, Vanished], 2),
        part("restore-desk-1", &[Restore], 1).people(2).at_desk(),
        part("people-2", &[], 0).people(2).looks(),
        Part::new("loose-any-2", loose, &ANY).most(2),
        two("two-sends-3", &[NoConnection, LostRequest, LostReply], 3),
        two("two-answers-2", &[NoAnswer, Overlooked, Mistaken], 2),
        two("two-packets-3", &[Late, Twice], 3),
        two("two-pause-2", &[Pause], 2),
        Part::new("deaf-two-1", deaf, &[Takeover]).most(1).people(2),
        Part::new("switched-two-2", switched, &[Takeover, Mistaken]).most(2),
        part("restore-people-1", &[Restore], 1).people(1),
        part("desk-and-pause-2", &[Pause, NoConnection, LostRequest], 2)
            .people(2)
            .at_desk(),
        part("desk-any-1", &ANY, 1).people(2).at_desk(),
        part("callbacks-any-2", &ANY, 2).callbacks(1),
        part("any-and-clock-3", &with(&[Ahead, Back]), 3),
        part("people-3", &[], 0).people(3).looks(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::all;

    /// Or it would not be seen that a part can't fail.
    #[test]
    fn every_part_has_a_planted_bug_to_find_and_the_bugs_know_the_parts() {
        let parts: BTreeSet<String> = all().into_iter().map(|part| part.name).collect();
        let named: BTreeSet<String> = include_str!("../../planted.toml")
            .lines()
            .filter_map(|line| line.strip_prefix("part = \"")?.strip_suffix('"'))
            .map(str::to_owned)
            .collect();
        assert_eq!(named, parts);
    }
}
