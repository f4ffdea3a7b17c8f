//! The parts of the search.

use super::part::{Fault, Kind, Part};

/// Every part.
pub(crate) fn all() -> Vec<Part> {
    let plain = [Kind::PLAIN; 2];
    let deaf = [
        Kind {
            can_query: false,
            ..Kind::PLAIN
        },
        Kind::PLAIN,
    ];
    let counts = [
        Kind {
            can_query: false,
            callback_counts: true,
            ..Kind::PLAIN
        },
        Kind::PLAIN,
    ];
    let switch = [
        Kind {
            failover: true,
            ..Kind::PLAIN
        },
        Kind::PLAIN,
    ];
    let loose = [Kind {
        refuses_duplicates: false,
        ..Kind::PLAIN
    }; 2];
    let honest = &Fault::ALL[..15];
    vec![
        Part::new("quiet", plain, &[]),
        Part::new("one-of-any", plain, honest).most(1),
        Part::new("people2", plain, &[]).people(2),
        Part::new("people3", plain, &[]).people(3),
        Part::new("people2-one", plain, honest).people(2).most(1),
        Part::new("callbacks2-one", plain, honest)
            .callbacks(2)
            .most(1),
        Part::new("deaf-one", deaf, honest).most(1).people(2),
        Part::new("counts-one", counts, honest).most(1).callbacks(2),
        Part::new("switch-one", switch, honest).most(1),
        Part::new("loose-one", loose, honest).most(1).people(2),
        Part::new("restore", plain, &[Fault::Restore]).most(1),
        Part::new(
            "restore2",
            plain,
            &[Fault::Restore, Fault::Late, Fault::LostReply],
        )
        .most(2),
        Part::new("restore-people", plain, &[Fault::Restore])
            .most(1)
            .people(2),
        Part::new("liar", plain, &[Fault::Reversal]).most(2),
        Part::new("liar-people", plain, &[Fault::Reversal])
            .most(2)
            .people(2),
    ]
}
