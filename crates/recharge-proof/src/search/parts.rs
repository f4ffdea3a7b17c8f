//! The parts of the search.

use super::part::{Fault, Kind, Part};

/// Every part.
pub(crate) fn all() -> Vec<Part> {
    let plain = [Kind::PLAIN; 2];
    vec![
        Part::new("quiet", plain, &[]),
        Part::new("crash", plain, &[Fault::Crash]).most(1),
        Part::new("one-of-any", plain, &Fault::ALL[..15]).most(1),
        Part::new("two-of-any", plain, &Fault::ALL[..15]).most(2),
    ]
}
