//! Making a violation small: parts are left out for as long as the same invariant is still violated.

use std::collections::BTreeSet;

use crate::case::{Case, CaseId};
use crate::judge::Invariant;
use crate::run::play;

/// The smallest case found in which the invariant is violated as well.
pub fn shrink(id: &CaseId, invariant: Invariant) -> CaseId {
    let parts = Case::draw(id.clone()).parts.len();
    let mut kept: BTreeSet<usize> = match &id.kept {
        Some(kept) => kept.clone(),
        None => (0..parts).collect(),
    };
    let fails = |kept: &BTreeSet<usize>| {
        let smaller = CaseId {
            kept: Some(kept.clone()),
            ..id.clone()
        };
        let found = play(smaller, false).violations;
        found.iter().any(|violation| violation.invariant == invariant)
    };
    // Halves, quarters, and so on down to single parts, until no single one can be left out.
    let mut size = kept.len().div_ceil(2);
    while size > 0 {
        let mut shrunk = false;
        let all: Vec<usize> = kept.iter().copied().collect();
        for some in all.chunks(size) {
            let fewer: BTreeSet<usize> = kept.iter().copied().filter(|at| !some.contains(at)).collect();
            if fewer.len() < kept.len() && fails(&fewer) {
                kept = fewer;
                shrunk = true;
            }
        }
        if !shrunk || size > 1 {
            size = if size > 1 { size.div_ceil(2).min(size - 1) } else { 0 };
        }
    }
    CaseId {
        kept: Some(kept),
        ..id.clone()
    }
}
