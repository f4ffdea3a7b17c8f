//! What tells two worlds apart.

use std::hash::{Hash, Hasher};

use recharge_engine::order::Viewpoint;
use recharge_engine::{Input, Moment, SendToken, WallTime};

use super::hash::Mixer;
use super::part::{Part, TICK};
use super::world::{Wait, Waits, Worker, World};

impl World {
    /// A number that two worlds share only if all that can become of them is the same.
    pub(crate) fn fingerprint(&self, part: &Part) -> u64 {
        let mut out = Mixer::default();
        // The present worker first, so that names of workers don't matter.
        let order = [self.present, 1 - self.present];
        let workers = || order.iter().filter_map(|at| self.worker(*at));
        let mut clocks: Vec<Moment> = workers().map(|worker| self.reads(worker)).collect();
        clocks.sort_by_key(|clock| clock.epoch);
        let waits = || {
            workers()
                .flat_map(|worker| &worker.tasks)
                .filter_map(|task| task.wait.as_ref())
        };
        let facts = || workers().filter_map(|worker| worker.append.as_ref());
        let mut asked: Vec<Moment> = waits()
            .filter_map(|wait| match wait {
                Wait::Asked { at, .. } => Some(*at),
                Wait::Write { .. } | Wait::Sent { .. } => None,
            })
            .collect();
        let mut tokens: Vec<SendToken> = waits()
            .filter_map(|wait| match wait {
                Wait::Write { token, .. } | Wait::Sent { token, .. } => Some(*token),
                Wait::Asked { .. } => None,
            })
            .collect();
        for append in facts() {
            if let Waits::Fact(_, input) = &append.waits {
                match &**input {
                    Input::QueryEnded { asked: at, .. } | Input::Probed { asked: at, .. } => {
                        asked.push(*at);
                    }
                    Input::SubmitEnded { token, .. } => tokens.push(*token),
                    Input::Due { .. }
                    | Input::Callback { .. }
                    | Input::Priced { .. }
                    | Input::Recovered { .. }
                    | Input::Command(_) => {}
                }
            }
        }
        tokens.extend(self.upstream.packets.iter().map(|packet| packet.token));
        let seen: Vec<u64> = self.looked.into_iter().collect();
        let view = Viewpoint {
            times: &part.policy.times,
            wall: WallTime::from_millis(self.wall() * 1000),
            clocks: &clocks,
            asked: &asked,
            tokens: &tokens,
            seen: &seen,
            back: self.back(part),
            grain: TICK,
        };
        self.log.likeness(&view, &mut out);
        let around = self.around(part);
        let back = self.back(part);
        self.ledger.likeness(around, &asked, back, &mut out);
        for at in order {
            match self.worker(at) {
                None => out.write_u8(0),
                Some(worker) => self.worker_likeness(worker, &view, &clocks, &mut out),
            }
        }
        self.upstream_likeness(&mut out);
        (
            self.faults,
            self.people,
            self.callbacks,
            self.reversed,
            self.restored,
        )
            .hash(&mut out);
        self.looked.is_some().hash(&mut out);
        if let Some((order, ledger)) = &self.backup {
            let view = Viewpoint {
                asked: &[],
                tokens: &[],
                seen: &[],
                ..view
            };
            order.likeness(&view, &mut out);
            ledger.likeness(around, &[], back, &mut out);
        }
        out.finish()
    }

    fn worker_likeness(
        &self,
        worker: &Worker,
        view: &Viewpoint<'_>,
        clocks: &[Moment],
        out: &mut Mixer,
    ) {
        out.write_u8(1);
        (worker.lease == self.lease).hash(out);
        (worker.lost, worker.paused, worker.echoes).hash(out);
        (worker.offset - self.offset).hash(out);
        clocks
            .iter()
            .position(|clock| clock.epoch.0 == worker.epoch)
            .hash(out);
        match &worker.at_hand {
            None => out.write_u8(0),
            Some(order) if order.version() == self.log.version() => out.write_u8(1),
            Some(order) => {
                out.write_u8(2);
                order.likeness(view, out);
            }
        }
        if let Some(append) = &worker.append {
            out.write_u8(1);
            append.unknown.hash(out);
            // Whether it could be appended still, or has been.
            let ours = append.made.order == *self.log;
            let next = append
                .made
                .events
                .first()
                .is_some_and(|first| first.version == self.log.version() + 1);
            (ours, next).hash(out);
            append.made.order.likeness(view, out);
            match &append.waits {
                Waits::Turn => out.write_u8(0),
                Waits::Fact(task, input) => {
                    task.hash(out);
                    super::input::likeness(input, out);
                }
            }
        }
        for task in &worker.tasks {
            (2_u8, task.turn, task.todo.len()).hash(out);
            for effect in &task.todo {
                super::input::effect(effect, out);
            }
            match &task.wait {
                None => out.write_u8(0),
                Some(Wait::Write {
                    attempt,
                    number,
                    provider,
                    until,
                    token: _,
                }) => {
                    (1_u8, attempt, number, provider).hash(out);
                    let now = self.reads(worker);
                    let open = now.epoch == until.epoch;
                    let left = until.monotonic.saturating_sub(now.monotonic);
                    open.then_some(left.as_nanos().div_ceil(TICK.as_nanos()))
                        .hash(out);
                }
                Some(Wait::Sent {
                    attempt,
                    limit,
                    told,
                    token: _,
                }) => {
                    (2_u8, attempt, told, limit.saturating_sub(self.tick)).hash(out);
                }
                Some(Wait::Asked {
                    attempt,
                    number,
                    provider,
                    purpose,
                    at,
                    told,
                }) => {
                    (3_u8, attempt, number, provider, purpose, told).hash(out);
                    // How old it is matters for what it may still clear, and by which epoch.
                    let age = u32::try_from(
                        self.reads(worker)
                            .monotonic
                            .saturating_sub(at.monotonic)
                            .as_secs(),
                    );
                    (at.epoch.0 == worker.epoch, age.unwrap_or(u32::MAX).min(4)).hash(out);
                }
            }
        }
    }

    fn upstream_likeness(&self, out: &mut Mixer) {
        for book in &self.upstream.books {
            let mistaken = book
                .mistaken_until
                .map(|until| until.saturating_sub(self.tick));
            (
                book.number,
                book.provider,
                book.truth,
                book.again,
                book.repeated,
                mistaken,
            )
                .hash(out);
        }
        for packet in &self.upstream.packets {
            (packet.number, packet.provider, packet.late).hash(out);
            (self.tick - packet.sent).hash(out);
            // Whether somebody still waits for what it is told.
            let waits = self.workers.iter().flatten().any(|worker| {
                worker.lease == packet.lease
                    && worker.tasks.iter().any(|task| {
                        matches!(&task.wait, Some(Wait::Sent { token, told: None, .. }) if *token == packet.token)
                    })
            });
            waits.hash(out);
        }
    }
}
