//! What happens to workers, clocks and machines.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::actors;
use crate::case::{Act, Case, Part};
use crate::executor::{OUTSIDE, Process};
use crate::lab::{Lab, Outage};
use crate::store::StoreKind;
use crate::worker;

/// Lets an act happen, to that worker if it came to a point, else to the one in its slot.
/// Counted only if there is something that it happens to.
pub(super) fn carry_out(lab: &Lab, act: &Act, process: Option<Process>) {
    lab.note("act", 0, || format!("{act:?} {process:?}"));
    let now = lab.executor().now();
    let happens = match act {
        Act::Kill { slot, .. }
        | Act::Pause { slot, .. }
        | Act::Jump { slot, .. }
        | Act::Stop { slot, .. } => worker_in(lab, *slot, process).is_some(),
        Act::Replay { .. } => !lab.inner().callbacks.is_empty(),
        Act::TakeOver { .. } | Act::Restore { .. } | Act::People(_) => true,
        // Counted with the first call that meets it.
        Act::NoStore { .. } | Act::NoNetwork { .. } => false,
    };
    if happens {
        lab.inner().cover.acted(act.as_str());
    }
    match act {
        Act::Kill { slot, restart } => {
            if let Some((slot, process)) = worker_in(lab, *slot, process) {
                kill(lab, process);
                restart_after(lab, slot, *restart);
            }
        }
        Act::Pause {
            slot,
            lasts,
            suspended,
        } => {
            if let Some((_, process)) = worker_in(lab, *slot, process) {
                lab.pause(process, *lasts, *suspended);
            }
        }
        Act::TakeOver { slot } => restart(lab, usize::try_from(*slot).unwrap_or(0)),
        Act::Jump { slot, by } => {
            let process = worker_in(lab, *slot, process).map(|(_, process)| process);
            if let Some(process) = process {
                lab.executor().jump_wall(process, *by);
            }
            let mut inner = lab.inner();
            let at = usize::try_from(*slot).unwrap_or(0);
            if let Some(slot) = inner.slots.get_mut(at) {
                slot.wall_offset = slot.wall_offset.saturating_add(*by);
            }
        }
        Act::Restore {
            thousandths,
            other_routes,
        } => {
            lab.inner().other_routes ^= other_routes;
            restore(lab, *thousandths);
        }
        Act::Stop {
            slot,
            patience,
            restart,
        } => stop(lab, *slot, process, *patience, *restart),
        Act::NoStore { lasts } => lab.inner().no_store = Outage::until(now + *lasts),
        Act::NoNetwork { upstream, lasts } => {
            let outage = Outage::until(now + *lasts);
            lab.inner().no_network.insert(*upstream, outage);
        }
        Act::Replay { nth } => {
            let call = {
                let inner = lab.inner();
                let count = inner.callbacks.len() as u64;
                let at = nth
                    .checked_rem(count)
                    .and_then(|at| usize::try_from(at).ok());
                at.and_then(|at| inner.callbacks.get(at).cloned())
            };
            if let Some(call) = call {
                let task = actors::calls_back(lab.clone(), call, true);
                lab.executor().spawn(OUTSIDE, Box::pin(task));
            }
        }
        // They come by themselves.
        Act::People(_) => {}
    }
}

/// The worker that an act is for.
fn worker_in(lab: &Lab, slot: u32, process: Option<Process>) -> Option<(usize, Process)> {
    let inner = lab.inner();
    if let Some(process) = process {
        let of = |slot: &crate::lab::Slot| slot.process == Some(process);
        return Some((inner.slots.iter().position(of)?, process));
    }
    let at = usize::try_from(slot).ok()?;
    Some((at, inner.slots.get(at)?.process?))
}

/// Kills a worker; what it had not made durable is gone.
fn kill(lab: &Lab, process: Process) {
    lab.kill(process);
    let mut inner = lab.inner();
    if lab.case().store == StoreKind::Sqlite {
        inner.disk.crash();
    }
    let memory = inner.disk.memory.clone();
    inner.judge.survived(&memory);
}

fn restart_after(lab: &Lab, slot: usize, wait: Duration) {
    let at = lab.executor().now() + wait;
    if let Some(slot) = lab.inner().slots.get_mut(slot) {
        slot.restart = Some(at);
        slot.stopping = false;
    }
}

/// Begins in a slot, whoever was there and whatever another does.
pub(super) fn restart(lab: &Lab, slot: usize) {
    let there = lab.inner().slots.get(slot).and_then(|slot| slot.process);
    if let Some(process) = there {
        kill(lab, process);
    }
    if let Some(slot) = lab.inner().slots.get_mut(slot) {
        slot.stopping = false;
    }
    worker::start(lab, slot);
}

/// Puts a backup back: everybody is stopped before, and one begins on it.
fn restore(lab: &Lab, thousandths: u64) {
    let processes: Vec<Process> = {
        let inner = lab.inner();
        inner.slots.iter().filter_map(|slot| slot.process).collect()
    };
    for process in processes {
        kill(lab, process);
    }
    {
        let now = lab.executor().now();
        let mut inner = lab.inner();
        let writes = inner.disk.memory.writes() as u64 * thousandths / 1000;
        inner.disk.restore(usize::try_from(writes).unwrap_or(0));
        for slot in &mut inner.slots {
            slot.restart = None;
            slot.stopping = false;
        }
        let memory = inner.disk.memory.clone();
        let mut orders = BTreeMap::new();
        for stored in inner.judge.all_of(&memory) {
            let log = inner.judge.log_of(&memory, stored.key);
            orders.insert(stored.key, (stored, log));
        }
        inner.judge.restore(&orders, now);
    }
    lab.tell_news();
    restart_after(lab, 0, Duration::from_secs(30));
}

/// Stops a worker in order: it may finish what it has begun.
fn stop(lab: &Lab, slot: u32, process: Option<Process>, patience: Duration, wait: Duration) {
    let Some((at, process)) = worker_in(lab, slot, process) else {
        return;
    };
    let driver = {
        let mut inner = lab.inner();
        let slot = inner.slots.get_mut(at);
        slot.and_then(|slot| {
            slot.stopping = true;
            slot.driver.clone()
        })
    };
    if let Some(driver) = driver {
        let stops = async move {
            driver.stop(patience).await;
        };
        lab.executor().spawn(process, Box::pin(stops));
    }
    let here = lab.clone();
    let ends = async move {
        let wait_for = patience + Duration::from_secs(1);
        here.executor().sleep(OUTSIDE, wait_for).await;
        // Dead already, or another one by now.
        let of = |slot: &crate::lab::Slot| slot.process == Some(process);
        let still = here.inner().slots.get(at).is_some_and(of);
        if still {
            kill(&here, process);
            restart_after(&here, at, wait);
        }
    };
    lab.executor().spawn(OUTSIDE, Box::pin(ends));
}

/// Whether no wall clock is ever wrong, and no backup is put back: one has forgotten what was asked since.
pub(super) fn clocks_are_steady(case: &Case) -> bool {
    let jumps = case
        .kept()
        .any(|part| matches!(part, Part::Act(_, Act::Jump { .. } | Act::Restore { .. })));
    !jumps && case.settings.wall_offsets == [0, 0]
}

/// For how much longer nobody may look at an order. The limit of one that can't be asked about, or has two
/// numbers of which one was lost, is one of the wall clock, which may have been set back; and a worker without the
/// lease says by its own clock when what it writes down is due next.
pub(super) fn puts_limits_off(case: &Case) -> Duration {
    let two_numbers = case.settings.failover
        || case.kept().any(|part| {
            matches!(part, Part::Act(_, Act::People(people)) if people.wish.may_send_elsewhere())
        });
    if case.settings.mute.is_none() && case.store == StoreKind::Sqlite && !two_numbers {
        return Duration::ZERO;
    }
    let jumps = case.kept().filter_map(|part| match part {
        Part::Act(_, Act::Jump { by, .. }) => Some(by.unsigned_abs()),
        _ => None,
    });
    let skew = case
        .settings
        .wall_offsets
        .iter()
        .map(|it| it.unsigned_abs());
    Duration::from_millis(jumps.chain(skew).sum())
}
