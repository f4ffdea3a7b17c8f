//! What a worker has in hand: orders, and effects being done one after the other.

use std::sync::Arc;

use recharge_engine::driver::decide;
use recharge_engine::{Effect, Order};

use super::ledger::ticks;
use super::part::Part;
use super::upstream::Reply;
use super::world::{Task, Wait, World};

impl World {
    pub(crate) fn has(&mut self, at: usize, order: Arc<Order>) {
        if let Some(worker) = self.worker_mut(at) {
            worker.at_hand = Some(order);
        }
    }

    pub(crate) fn loses(&mut self, at: usize) {
        if let Some(worker) = self.worker_mut(at) {
            worker.lost = true;
        }
    }

    pub(crate) fn new_task(&mut self, at: usize, turn: bool) -> usize {
        self.worker_mut(at).map_or(0, |worker| {
            worker.tasks.push(Task {
                turn,
                todo: Vec::new(),
                wait: None,
            });
            worker.tasks.len() - 1
        })
    }

    pub(crate) fn begin_task(&mut self, part: &Part, at: usize, turn: bool, effects: Vec<Effect>) {
        let task = self.new_task(at, turn);
        self.goes_on(part, at, task, effects);
    }

    /// Does what a step asks for: the next of it begins as soon as the one before is over.
    pub(crate) fn goes_on(&mut self, part: &Part, at: usize, index: usize, effects: Vec<Effect>) {
        let now = self.now(at);
        let tick = self.tick;
        let Some(worker) = self.worker_mut(at) else {
            return;
        };
        let order = worker.at_hand.clone();
        let Some(task) = worker.tasks.get_mut(index) else {
            return;
        };
        task.wait = None;
        task.todo.extend(effects);
        if task.todo.is_empty() {
            worker.tasks.remove(index);
            return;
        }
        let effect = task.todo.remove(0);
        let times = &part.policy.times;
        task.wait = match effect {
            Effect::Submit {
                attempt,
                provider,
                token,
                send_within,
                ..
            } => {
                let window = order
                    .as_deref()
                    .ok_or("")
                    .and_then(|order| decide::window(order, attempt, token, send_within, now));
                let limit = tick + ticks(times.send_deadline) + ticks(times.request_timeout);
                Some(match window {
                    Err(_) => Wait::Sent {
                        attempt,
                        token,
                        limit,
                        told: Some(Reply::NotSent),
                    },
                    Ok(window) => {
                        let mut until = window.intended;
                        until.monotonic += window.within;
                        Wait::Write {
                            attempt,
                            token,
                            number: window.request.number,
                            provider: part.place(&provider),
                            until,
                        }
                    }
                })
            }
            Effect::Query {
                attempt,
                number,
                provider,
                purpose,
            } => Some(Wait::Asked {
                attempt,
                number,
                provider: part.place(&provider),
                purpose: Some(purpose),
                at: now,
                told: None,
            }),
            Effect::Probe {
                attempt,
                number,
                provider,
            } => Some(Wait::Asked {
                attempt,
                number,
                provider: part.place(&provider),
                purpose: None,
                at: now,
                told: None,
            }),
            Effect::Quote { .. } => None,
        };
    }
}
