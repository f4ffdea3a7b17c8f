//! Making a violation small: parts are left out for as long as the same invariant is still violated.

use std::collections::BTreeSet;

use crate::case::{Case, CaseId};
use crate::invariant::Invariant;
use crate::run::play;

/// The smallest case found in which the invariant is violated as well.
pub fn shrink(id: &CaseId, invariant: Invariant) -> CaseId {
    let parts = Case::draw(id.clone()).parts.len();
    let all = match &id.kept {
        Some(kept) => kept.clone(),
        None => (0..parts).collect(),
    };
    let with = |kept: &BTreeSet<usize>| CaseId {
        kept: Some(kept.clone()),
        ..id.clone()
    };
    let fails = |kept: &BTreeSet<usize>| {
        let found = play(with(kept), false).violations;
        found
            .iter()
            .any(|violation| violation.invariant == invariant)
    };
    with(&smallest(all, fails))
}

/// Leaves out halves, quarters, and so on down to single ones, until no single one can be left out.
fn smallest(
    mut kept: BTreeSet<usize>,
    fails: impl Fn(&BTreeSet<usize>) -> bool,
) -> BTreeSet<usize> {
    let mut size = kept.len().div_ceil(2).max(1);
    loop {
        let mut shrunk = false;
        let all: Vec<usize> = kept.iter().copied().collect();
        for some in all.chunks(size) {
            let without = |at: &usize| !some.contains(at);
            let fewer: BTreeSet<usize> = kept.iter().copied().filter(without).collect();
            if fewer.len() < kept.len() && fails(&fewer) {
                kept = fewer;
                shrunk = true;
            }
        }
        match (size, shrunk) {
            (1, false) => return kept,
            (1, true) => {}
            _ => size /= 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_kept_and_nothing_else() {
        for needed in [vec![3], vec![0, 9], vec![2, 5, 6], vec![]] {
            let needed: BTreeSet<usize> = needed.into_iter().collect();
            let found = smallest((0..10).collect(), |kept| needed.is_subset(kept));
            assert_eq!(found, needed);
        }
    }
}
