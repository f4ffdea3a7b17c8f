//! Panics of what is simulated: caught, and told by whoever counts them.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{OUTSIDE, Process};

thread_local! {
    /// Whether this thread polls a process of the simulation.
    static SIMULATED: Cell<bool> = const { Cell::new(false) };
}

/// Prints nothing of a panic inside a simulated process: it is told as a violation. Of any other, such as one
/// of the judge between two polls or of the search, is told what would be without this.
pub fn mute_simulated_panics() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !SIMULATED.get() {
            told(panic);
        }
    }));
}

/// Does something in a process. Fails with what a panic said.
pub(super) fn caught<T>(process: Process, what: impl FnOnce() -> T) -> Result<T, String> {
    SIMULATED.set(process != OUTSIDE);
    let done = catch_unwind(AssertUnwindSafe(what));
    SIMULATED.set(false);
    done.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("no message").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::executor::{Executor, Turn};

    #[test]
    fn a_panic_is_printed_unless_it_is_simulated() {
        // Of this thread: other tests panic at the same time.
        thread_local! {
            static PRINTED: Cell<u32> = const { Cell::new(0) };
        }
        std::panic::set_hook(Box::new(|_| PRINTED.set(PRINTED.get() + 1)));
        mute_simulated_panics();
        let executor = Executor::new();
        let mut dice = Dice::stream(1, 1, 1);
        let panics = || Box::pin(async { panic!("on purpose") });
        executor.spawn(executor.start_process(0), panics());
        assert!(matches!(executor.turn(&mut dice), Turn::Panicked(_)));
        assert_eq!(PRINTED.get(), 0, "a worker's");
        executor.spawn(OUTSIDE, panics());
        assert!(matches!(executor.turn(&mut dice), Turn::Panicked(_)));
        assert_eq!(PRINTED.get(), 1, "a merchant's");
        assert!(catch_unwind(|| panic!("on purpose")).is_err());
        assert_eq!(PRINTED.get(), 2, "the judge's");
    }
}
