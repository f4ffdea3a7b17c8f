//! The switch of the planted bugs: which one is awake, and whose places were reached.
//!
//! The sources of the workspace carry no bug, and nothing but the proof knows this crate. In the copy that
//! `cargo xtask simulate` makes, each place of a bug asks [`on`] whether to go wrong.
//!
//! In a thread that [watches](reached), `on` also remembers that it was asked. What has not reached the place of a
//! bug went as it would have with that bug awake: nobody has to play it again to know. Nor has anybody where
//! [either] way would have given the same.

#![forbid(unsafe_code)]

mod names;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

/// A planted bug, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bug(u32);

impl Bug {
    /// The bug that has that name.
    ///
    /// # Errors
    ///
    /// [`Unknown`] if no bug of this build has it.
    pub fn named(name: &str) -> Result<Self, Unknown> {
        let mut names = (1..).zip(names::NAMES);
        let found = names.find(|(_, known)| **known == name);
        let (number, _) = found.ok_or_else(|| Unknown(name.to_owned()))?;
        Ok(Self(number))
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = usize::try_from(self.0)
            .ok()
            .and_then(|it| it.checked_sub(1));
        let name = at.and_then(|at| names::NAMES.get(at));
        f.write_str(name.copied().unwrap_or("no bug of this build"))
    }
}

/// No bug of this build has that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown(String);

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if names::NAMES.is_empty() {
            f.write_str(
                "no bug is planted in this build: `cargo xtask simulate` makes one that has them",
            )
        } else {
            write!(f, "no planted bug is called {:?}", self.0)
        }
    }
}

impl std::error::Error for Unknown {}

/// What is awake in threads that were not told otherwise; 0 is no bug.
static EVERYWHERE: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// What is awake in this thread.
    static HERE: Cell<Option<Bug>> = const { Cell::new(None) };
    /// The bugs whose places this thread has reached, while it watches.
    static REACHED: RefCell<Option<BTreeSet<Bug>>> = const { RefCell::new(None) };
}

/// Whether the bug of that number is awake in this thread. Asked at its place.
#[inline]
pub fn on(number: u32) -> bool {
    reach(number);
    is_awake(number)
}

/// What is right, or what is wrong if the bug of that number is awake in this thread. Neither may have effects: a
/// thread that watches asks for both, and has reached the place only if they differ.
#[inline]
pub fn either<T: PartialEq>(
    number: u32,
    right: impl FnOnce() -> T,
    wrong: impl FnOnce() -> T,
) -> T {
    if is_awake(number) {
        return wrong();
    }
    let right = right();
    if REACHED.with_borrow(Option::is_some) && right != wrong() {
        reach(number);
    }
    right
}

fn reach(number: u32) {
    REACHED.with_borrow_mut(|reached| {
        if let Some(reached) = reached {
            reached.insert(Bug(number));
        }
    });
}

fn is_awake(number: u32) -> bool {
    let awake = HERE
        .get()
        .map_or_else(|| EVERYWHERE.load(Ordering::Relaxed), |bug| bug.0);
    awake == number
}

/// Wakes a bug in every thread, for good.
pub fn wake(bug: Bug) {
    EVERYWHERE.store(bug.0, Ordering::Relaxed);
}

/// Plays something in this thread with that bug awake.
pub fn with<T>(bug: Bug, play: impl FnOnce() -> T) -> T {
    let before = HERE.replace(Some(bug));
    let played = play();
    HERE.set(before);
    played
}

/// Plays something in this thread, and answers the bugs whose places it reached.
pub fn reached<T>(play: impl FnOnce() -> T) -> (T, BTreeSet<Bug>) {
    let before = REACHED.replace(Some(BTreeSet::new()));
    let played = play();
    let reached = REACHED.replace(before).unwrap_or_default();
    (played, reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rule with two bugs in one place, as the weaver leaves it.
    fn rule(is_due: bool) -> &'static str {
        if !is_due {
            "waits"
        } else if on(1) {
            "wrong"
        } else if on(2) {
            "worse"
        } else {
            "right"
        }
    }

    #[test]
    fn one_bug_is_awake_and_in_its_thread_only() {
        assert_eq!(rule(true), "right");
        let woken = with(Bug(2), || {
            let other = std::thread::spawn(|| rule(true)).join();
            (
                rule(true),
                with(Bug(1), || rule(true)),
                rule(true),
                other.ok(),
            )
        });
        assert_eq!(woken, ("worse", "wrong", "worse", Some("right")));
        assert_eq!(rule(true), "right");
    }

    #[test]
    fn what_was_passed_is_known_and_what_was_not_as_well() {
        assert_eq!(reached(|| rule(false)), ("waits", BTreeSet::new()));
        let both = BTreeSet::from([Bug(1), Bug(2)]);
        assert_eq!(reached(|| rule(true)), ("right", both));
        let ((), none) = reached(|| ());
        assert_eq!(none, BTreeSet::new(), "nothing is left of before");
    }

    #[test]
    fn where_both_ways_are_the_same_nothing_was_reached() {
        // The second of two bugs in one place, as the weaver leaves them.
        let rule = |sum: u32| either(1, || either(2, || sum > 7, || sum > 5), || true);
        assert_eq!(reached(|| rule(9)), (true, BTreeSet::new()));
        assert_eq!(
            reached(|| rule(6)),
            (false, BTreeSet::from([Bug(1), Bug(2)]))
        );
        assert_eq!(reached(|| rule(3)), (false, BTreeSet::from([Bug(1)])));
        assert!(with(Bug(1), || rule(3)) && with(Bug(2), || rule(6)));
        assert!(!with(Bug(2), || rule(3)) && !rule(6));
    }

    #[test]
    fn the_workspace_itself_has_no_bugs() {
        let unknown = Bug::named("no-alarm").map_err(|error| error.to_string());
        assert!(unknown.is_err_and(|error| error.contains("no bug is planted in this build")));
    }
}
