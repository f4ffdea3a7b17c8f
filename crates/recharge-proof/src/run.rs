//! One case from its beginning to its end.

mod acts;

use std::time::Duration;

use recharge_sim::FaultKind;

use crate::actors;
use crate::case::{Act, Case, CaseId, Part, When};
use crate::cover::Cover;
use crate::dice::Dice;
use crate::executor::{OUTSIDE, Turn};
use crate::invariant::Violation;
use crate::judge::LAST_ASKING;
use crate::lab::{Deed, Lab};
use crate::mail::{Packet, delivered};
use crate::worker;
use crate::world;

/// A case that takes more polls than this goes round in circles.
const POLLS_AT_MOST: u64 = 5_000_000;
/// How often the end is looked for once faults have stopped.
const LOOKS: Duration = Duration::from_mins(30);

/// What became of a case.
#[derive(Debug)]
pub struct Outcome {
    /// How many orders lived.
    pub lives: u64,
    /// What was untrue.
    pub violations: Vec<Violation>,
    /// The same number for the same trace.
    pub trace: u64,
    /// The trace in words, where it was wanted.
    pub lines: Vec<String>,
    /// What was met.
    pub cover: Cover,
    /// How often a task went on.
    pub polls: u64,
    /// How many different states of orders were written down, and how many events.
    pub events: u64,
}

/// Plays a case. It ends at the first violation, or when all is over.
pub fn play(id: CaseId, readable: bool) -> Outcome {
    let case = Case::draw(id);
    let lives = case.orders().count() as u64;
    let mut run = Run::begin(case, readable);
    run.go();
    run.finish(lives)
}

struct Run {
    lab: Lab,
    dice: Dice,
    polls: u64,
    /// Acts that wait for their time, the next one last.
    acts: Vec<(Duration, usize)>,
    phase: Phase,
    /// Whether connections are reset after a request's first line.
    cuts_lines: bool,
}

/// How far a case has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Things go wrong.
    Trouble,
    /// They don't any more; everything must come to an end by then.
    Calm {
        until: Duration,
    },
    /// What has ended is asked about for the last time before then.
    Watch {
        until: Duration,
    },
    Over,
}

impl Run {
    fn begin(case: Case, readable: bool) -> Self {
        let mut acts = Vec::new();
        for (at, part) in case.parts.iter().enumerate() {
            if let Part::Act(When::At(time), _) = part
                && case.keeps(at)
            {
                acts.push((*time, at));
            }
        }
        acts.sort_unstable_by(|a, b| b.cmp(a));
        let dice = Dice::stream(case.id.seed, 9, 0);
        let cuts_lines = case.lies(FaultKind::ResetAtLine);
        let lab = Lab::new(case, readable);
        for (order, plan) in lab.case().orders() {
            let merchant = actors::orders(lab.clone(), order, plan.clone());
            lab.executor().spawn(OUTSIDE, Box::pin(merchant));
        }
        for (at, part) in lab.case().parts.iter().enumerate() {
            if let Part::Act(when @ (When::Desk(..) | When::Since(..)), Act::People(act)) = part
                && lab.case().keeps(at)
            {
                let people = actors::people(lab.clone(), at, *when, act.clone());
                lab.executor().spawn(OUTSIDE, Box::pin(people));
            }
        }
        worker::start(&lab, 0);
        Self {
            lab,
            dice,
            polls: 0,
            acts,
            phase: Phase::Trouble,
            cuts_lines,
        }
    }

    fn go(&mut self) {
        while self.phase != Phase::Over {
            self.deeds();
            match self.lab.executor().turn(&mut self.dice) {
                Turn::Ran => {
                    self.polls += 1;
                    if self.polls > POLLS_AT_MOST {
                        let what = "the engine goes round in circles";
                        self.lab.inner().judge.violated(11, what);
                    }
                }
                Turn::Panicked(what) => self.lab.inner().judge.violated(11, what),
                Turn::Idle(timer) => self.time_passes(timer),
            }
            if !self.lab.inner().judge.violations.is_empty() {
                return;
            }
        }
    }

    fn deeds(&mut self) {
        while let Some(Deed::Act(at, process)) = {
            let mut inner = self.lab.inner();
            inner.deeds.pop_front()
        } {
            if let Some(Part::Act(_, act)) = self.lab.case().parts.get(at) {
                acts::carry_out(&self.lab, &act.clone(), process);
            }
        }
    }

    /// Nobody can go on: the next thing happens.
    fn time_passes(&mut self, timer: Option<Duration>) {
        let ends = match self.phase {
            Phase::Trouble => self.lab.case().settings.calm_at,
            Phase::Calm { .. } => self.lab.executor().now() + LOOKS,
            Phase::Watch { until, .. } => until,
            Phase::Over => return,
        };
        let next = {
            let inner = self.lab.inner();
            let restarts = inner.slots.iter().filter_map(|slot| slot.restart);
            let others = [
                timer,
                inner.mail.next(),
                inner.world.next_event(),
                self.acts.last().map(|(at, _)| *at),
                Some(ends),
            ];
            restarts
                .chain(others.into_iter().flatten())
                .min()
                .unwrap_or(ends)
        };
        let now = self.lab.executor().now().max(next);
        self.lab.executor().advance(now);
        self.upstreams(now);
        self.starts(now);
        while let Some((at, act)) = self.acts.last().copied() {
            if at > now {
                break;
            }
            self.acts.pop();
            if self.phase == Phase::Trouble {
                self.lab.inner().deeds.push_back(Deed::Act(act, None));
            }
        }
        self.next_phase(now);
    }

    /// Packets arrive, orders end, upstreams call back.
    fn upstreams(&self, now: Duration) {
        let mut inner = self.lab.inner();
        let mut changed = false;
        if inner.world.next_event().is_some_and(|at| at <= now) {
            inner.world.advance(now);
            changed = true;
        }
        while let Some(packet) = inner.mail.arrived(now) {
            match packet {
                Packet::Request {
                    upstream,
                    request,
                    back,
                    tell,
                } => {
                    changed = true;
                    let cut = self.cuts_lines
                        && inner
                            .world
                            .reset_at_line(now, &request.method, &request.path);
                    let (wait, answer) = if cut {
                        (Duration::ZERO, crate::mail::closed())
                    } else {
                        delivered(inner.world.handle(now, &request))
                    };
                    inner
                        .trace
                        .note(now, "arrives", u64::from(answer.is_ok()), || {
                            format!(
                                "at {upstream} {}: {}",
                                request.path,
                                crate::mail::shown(&answer)
                            )
                        });
                    let (wait, answer) = match back {
                        Some(back) => (wait + back, answer),
                        None => (Duration::from_mins(5), crate::mail::closed()),
                    };
                    inner.mail.post(now + wait, Packet::Answer(tell, answer));
                }
                Packet::Answer(tell, answer) => {
                    // Whoever asked may have gone.
                    let _ = tell.send(answer);
                }
            }
        }
        if changed {
            let inner = &mut *inner;
            inner.judge.all_charges(&inner.world, now);
        }
        let calls = inner.world.callbacks_due(now);
        inner.callbacks.extend(calls.iter().cloned());
        drop(inner);
        for call in calls {
            let task = actors::calls_back(self.lab.clone(), call, false);
            self.lab.executor().spawn(OUTSIDE, Box::pin(task));
        }
    }

    /// Workers begin again whose time has come.
    fn starts(&self, now: Duration) {
        let due: Vec<usize> = {
            let inner = self.lab.inner();
            let slots = inner.slots.iter().enumerate();
            slots
                .filter(|(_, slot)| slot.restart.is_some_and(|at| at <= now))
                .map(|(at, _)| at)
                .collect()
        };
        for slot in due {
            worker::start(&self.lab, slot);
        }
    }

    fn next_phase(&mut self, now: Duration) {
        match self.phase {
            Phase::Trouble if now >= self.lab.case().settings.calm_at => {
                self.calm();
                // Every order that can be asked about ends when its upstream ends it; where the switch is on,
                // when the second one does.
                let failover = self.lab.case().settings.failover;
                let limit = Duration::from_hours(if failover { 92 } else { 46 });
                let latest = self.lab.case().orders().map(|(_, plan)| plan.at).max();
                let until = now.max(latest.unwrap_or_default())
                    + limit
                    + acts::puts_limits_off(self.lab.case());
                self.phase = Phase::Calm { until };
            }
            Phase::Calm { until } => {
                let mut inner = self.lab.inner();
                let orders = self.lab.case().orders().count();
                if !inner.judge.all_rest(orders) && now < until {
                    return;
                }
                let inner = &mut *inner;
                // What the store refused while all went wrong is written down soon after.
                let soon = self.lab.case().settings.calm_at + Duration::from_mins(10);
                let slots = inner.slots.iter().filter(|_| now >= soon);
                let alive: Vec<_> = slots.filter_map(|it| it.process).collect();
                inner.judge.calm(&inner.world, now, orders, &alive);
                inner.judge.replayed(&inner.disk.memory);
                if self.lab.case().settings.fresh {
                    inner.judge.all_heard(&inner.disk.memory);
                }
                self.phase = if self.lab.case().settings.watched {
                    let put_off = until.saturating_sub(now);
                    let until = now + LAST_ASKING * 11 / 10 + LOOKS + put_off;
                    Phase::Watch { until }
                } else {
                    Phase::Over
                };
            }
            Phase::Watch { until } if now >= until => {
                let mut inner = self.lab.inner();
                let inner = &mut *inner;
                let calm = self.lab.case().settings.calm_at;
                let steady = acts::clocks_are_steady(self.lab.case());
                inner.judge.watched(&inner.world, now, calm, steady);
                self.phase = Phase::Over;
            }
            Phase::Trouble | Phase::Watch { .. } | Phase::Over => {}
        }
    }

    /// Faults stop: whoever stood still goes on, and somebody works.
    fn calm(&self) {
        self.lab
            .note("calm", 0, || "nothing goes wrong any more".to_owned());
        self.lab.executor().resume_all();
        let needs_one = {
            let mut inner = self.lab.inner();
            inner.calm = true;
            match world::calm(self.lab.case()) {
                Ok(plan) => inner.world.set_faults(plan),
                Err(error) => inner.judge.violated(11, error.to_string()),
            }
            let holder = inner.holder.filter(|it| self.lab.executor().lives(*it));
            // One that is about to begin may have been overtaken: it won't work.
            let serves = holder.is_some_and(|holder| {
                let mut slots = inner.slots.iter();
                slots.any(|slot| slot.process == Some(holder) && !slot.stopping)
            });
            for slot in &mut inner.slots {
                slot.restart = None;
            }
            !serves
        };
        if needs_one || self.lab.case().settings.fresh {
            acts::restart(&self.lab, 0);
        }
    }

    fn finish(self, lives: u64) -> Outcome {
        let mut inner = self.lab.inner();
        let inner = &mut *inner;
        let mut cover = std::mem::take(&mut inner.cover);
        cover.faults(&inner.world.stats().faults);
        let trace = std::mem::replace(&mut inner.trace, crate::trace::Trace::new(false));
        let events = inner.judge.files.values().map(|file| file.version).sum();
        Outcome {
            lives,
            violations: std::mem::take(&mut inner.judge.violations),
            trace: trace.hash(),
            lines: trace.into_lines(),
            cover,
            polls: self.polls,
            events,
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Tasks hold the laboratory, which holds the tasks.
        self.lab.executor().clear();
        let mut inner = self.lab.inner();
        for slot in &mut inner.slots {
            slot.driver = None;
        }
    }
}
