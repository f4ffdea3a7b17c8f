//! What to do with the orders that are found at a start, a takeover or a jump of the clock: a plan, made
//! without looking at anything but where each of them stands.

use std::time::Duration;

use recharge_core::OrderState;

use crate::store::Brief;
use crate::{Times, WallTime};

/// Why orders are looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// A worker has begun: what an earlier one had under way is in doubt.
    Start {
        /// The store is a restored backup whose open orders have not been held yet.
        restored: bool,
    },
    /// The wall clock has jumped. What this worker has under way goes on.
    Jump,
}

/// Whether an order must be told that what was under way is no longer: [`Input::Recovered`].
///
/// At a start that is every order that was being sent; on a restored backup every open one. An order that
/// waits for longer than any of its waits can be was put off by a clock that has been set back since.
///
/// [`Input::Recovered`]: crate::Input::Recovered
pub fn must_be_told(occasion: Occasion, brief: &Brief, now: WallTime, times: &Times) -> bool {
    let begins = match occasion {
        Occasion::Start { restored } => {
            restored && !brief.state.is_end() || brief.state == OrderState::Submitting
        }
        Occasion::Jump => false,
    };
    // One that is being sent here reports its end.
    let under_way = occasion == Occasion::Jump && brief.state == OrderState::Submitting;
    let lost = !brief.state.is_end() && brief.due.is_none();
    let put_off = brief
        .due
        .is_some_and(|due| due > now.after(longest_wait(brief.state, times)));
    begins || !under_way && (lost || put_off)
}

/// Later than this after now no order of that state is due, jitter included.
fn longest_wait(state: OrderState, times: &Times) -> Duration {
    let gap = times.query_after.iter().max().copied().unwrap_or_default();
    let longest = match state {
        OrderState::Pending => gap.max(times.quarantine()),
        OrderState::Submitting => times.in_flight().saturating_mul(2),
        OrderState::Charging | OrderState::Unknown | OrderState::Review(_) => {
            gap.max(times.confirm_failure_after)
        }
        OrderState::Succeeded | OrderState::Failed => longest_watch(times),
    };
    stretched(longest)
}

fn longest_watch(times: &Times) -> Duration {
    times.watch_after.iter().max().copied().unwrap_or_default()
}

fn stretched(longest: Duration) -> Duration {
    longest
        .saturating_add(longest / 10)
        .saturating_add(Duration::from_secs(1))
}

/// Orders that have ended need to be looked at only when they are due later than this.
pub(super) fn beyond(now: WallTime, times: &Times) -> WallTime {
    now.after(stretched(longest_watch(times)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OrderKey;

    const NOW: WallTime = WallTime::from_millis(1_800_000_000_000);
    const STATES: [OrderState; 7] = OrderState::EACH;

    fn told(occasion: Occasion, state: OrderState, due: Option<Duration>) -> bool {
        let brief = Brief {
            key: OrderKey(1),
            state,
            due: due.map(|wait| NOW.after(wait)),
        };
        must_be_told(occasion, &brief, NOW, &Times::default())
    }

    #[test]
    fn a_start_tells_what_was_being_sent_and_a_restored_one_all_that_is_open() {
        for state in STATES {
            let soon = Some(Duration::from_secs(1));
            let start = Occasion::Start { restored: false };
            let restored = Occasion::Start { restored: true };
            assert_eq!(told(start, state, soon), state == OrderState::Submitting);
            assert_eq!(told(restored, state, soon), !state.is_end(), "{state}");
            assert!(!told(Occasion::Jump, state, soon), "{state}");
        }
    }

    #[test]
    fn what_a_clock_set_back_has_put_off_is_told() {
        let late = Some(Duration::from_hours(24 * 30));
        for state in STATES {
            let start = Occasion::Start { restored: false };
            assert!(told(start, state, late), "{state}");
            let under_way = state == OrderState::Submitting;
            assert_eq!(told(Occasion::Jump, state, late), !under_way, "{state}");
        }
    }

    #[test]
    fn no_open_order_is_left_without_a_next_action() {
        for state in STATES {
            let start = Occasion::Start { restored: false };
            assert_eq!(told(start, state, None), !state.is_end(), "{state}");
        }
    }
}
