//! What can happen next.

use recharge_core::{AttemptNumber, OrderState, UpstreamState};
use recharge_engine::driver::decide;

use super::apply::Commit;
use super::ledger::{Say, ticks};
use super::moves::{Move, Ruling};
use super::part::{Fault, JUMP, Part};
use super::upstream::Truth;
use super::world::{Answer, Wait, World};

impl World {
    /// All that can happen next.
    pub(crate) fn moves(&self, part: &Part) -> Vec<Move> {
        let mut moves = Vec::with_capacity(32);
        let fault = |fault| self.faults > 0 && part.allows(fault);
        // Time goes by only when nobody would do something before, unless they stand still.
        let paused = self
            .worker(self.present)
            .is_some_and(|worker| worker.paused);
        let mut hurry = self.worker_moves(part, self.present, &mut moves) && !paused;
        if hurry && fault(Fault::Pause) {
            moves.push(Move::Pause(self.present));
        }
        self.outsiders(part, &mut moves);
        // A worker that has lost its lease, and doesn't know, may stand still for as long as it likes.
        self.worker_moves(part, 1 - self.present, &mut moves);
        for at in [self.present, 1 - self.present] {
            if self.worker(at).is_some() && fault(Fault::Crash) {
                moves.push(Move::Crash(at));
            }
        }
        let bound = ticks(part.policy.times.request_timeout);
        for (at, packet) in self.upstream.packets.iter().enumerate() {
            hurry |= !packet.late || self.tick - packet.sent >= bound;
            moves.push(Move::Arrives(at, true));
            if self.upstream.book(packet.number, packet.provider).is_none() {
                moves.push(Move::Arrives(at, false));
            }
            if fault(Fault::LostRequest) {
                moves.push(Move::LostRequest(at));
            }
            if fault(Fault::Late) && !packet.late {
                moves.push(Move::Late(at));
            }
            let refuses = part
                .kinds
                .get(usize::from(packet.provider))
                .is_some_and(|kind| kind.refuses_duplicates);
            if fault(Fault::Twice) && refuses && self.upstream.packets.len() < 3 {
                moves.push(Move::Twice(at));
            }
        }
        for (at, book) in self.upstream.books.iter().enumerate() {
            match book.truth {
                // It settles when somebody hears of it: before that nobody could tell.
                Truth::Charging if fault(Fault::Mistaken) && book.mistaken_until.is_none() => {
                    moves.push(Move::Mistaken(at));
                }
                Truth::Paid | Truth::Failed if fault(Fault::Reversal) => {
                    moves.push(Move::Reversal(at));
                }
                Truth::Charging | Truth::Paid | Truth::Failed | Truth::Refused => {}
            }
        }
        let alive = self.worker(self.present).is_some();
        if !alive {
            moves.push(Move::Begin(self.present));
        } else if fault(Fault::Takeover) && self.worker(1 - self.present).is_none() {
            moves.push(Move::Takeover(1 - self.present));
        }
        if fault(Fault::Ahead) {
            moves.push(Move::Jump(JUMP));
        }
        if fault(Fault::Back) {
            moves.push(Move::Jump(-JUMP));
        }
        if part.allows(Fault::Restore) && self.backup.is_none() && self.faults == part.most {
            moves.push(Move::Backup);
        }
        if fault(Fault::Restore) && self.backup.is_some() {
            moves.push(Move::Restore);
        }
        if !hurry {
            moves.push(Move::Tick);
        }
        moves
    }

    /// What a worker can do. Whether it would before time goes by, if it doesn't stand still.
    fn worker_moves(&self, part: &Part, at: usize, moves: &mut Vec<Move>) -> bool {
        let Some(worker) = self.worker(at) else {
            return false;
        };
        let before = moves.len();
        let fault = |fault| self.faults > 0 && part.allows(fault);
        let present = at == self.present;
        match &worker.append {
            Some(append) if append.unknown => moves.push(Move::ReadBack(at)),
            Some(_) => {
                moves.push(Move::Commit(at, Commit::Plain));
                if present && fault(Fault::Landed) {
                    moves.push(Move::Commit(at, Commit::Landed));
                }
                if fault(Fault::Vanished) {
                    moves.push(Move::Commit(at, Commit::Vanished));
                }
            }
            None => {
                if worker.offset != self.offset && present {
                    moves.push(Move::Notice(at));
                }
                let order = worker.at_hand.as_ref().unwrap_or(&self.log);
                let free = !worker.lost
                    && (present || worker.echoes > 0)
                    && !worker.tasks.iter().any(|task| task.turn);
                if free && decide::is_due(order, self.reads(worker)) {
                    moves.push(Move::Turn(at));
                }
            }
        }
        for (index, task) in worker.tasks.iter().enumerate() {
            let told = match &task.wait {
                Some(Wait::Write { .. }) => {
                    moves.push(Move::Write(at, index));
                    if fault(Fault::NoConnection) {
                        moves.push(Move::NoConnection(at, index));
                    }
                    false
                }
                Some(Wait::Sent {
                    told: None, limit, ..
                }) => {
                    if self.tick >= *limit {
                        moves.push(Move::GiveUp(at, index));
                    } else if fault(Fault::LostReply) {
                        moves.push(Move::LostReply(at, index));
                    }
                    false
                }
                Some(Wait::Asked {
                    told: None,
                    number,
                    provider,
                    ..
                }) => {
                    self.answers(part, at, index, *number, *provider, moves);
                    false
                }
                Some(Wait::Sent { told: Some(_), .. } | Wait::Asked { told: Some(_), .. }) => true,
                None => false,
            };
            if told && worker.append.is_none() {
                moves.push(Move::Tell(at, index, Commit::Plain));
                if fault(Fault::Landed) {
                    moves.push(Move::Tell(at, index, Commit::Landed));
                }
                if fault(Fault::Vanished) {
                    moves.push(Move::Tell(at, index, Commit::Vanished));
                }
            }
        }
        moves[before..]
            .iter()
            .any(|it| !matches!(it, Move::LostReply(..)))
    }

    fn answers(
        &self,
        part: &Part,
        at: usize,
        task: usize,
        number: AttemptNumber,
        provider: u8,
        moves: &mut Vec<Move>,
    ) {
        let fault = |fault| self.faults > 0 && part.allows(fault);
        let book = self.upstream.book(number, provider);
        let says = match book.map(|book| book.truth) {
            None | Some(Truth::Refused) => Say::NoSuchOrder,
            Some(Truth::Charging) => Say::Charging,
            Some(Truth::Paid) => Say::Succeeded,
            Some(Truth::Failed) => Say::Failed,
        };
        moves.push(Move::Answered(at, task, Answer::Says(says)));
        if says == Say::Charging {
            moves.push(Move::Settled(at, task, true));
            moves.push(Move::Settled(at, task, false));
        }
        let mistaken = book.and_then(|book| book.mistaken_until);
        if mistaken.is_some_and(|until| self.tick < until) && says == Say::Charging {
            moves.push(Move::Answered(at, task, Answer::Says(Say::Failed)));
        }
        if fault(Fault::NoAnswer) {
            moves.push(Move::NoAnswer(at, task));
        }
        if fault(Fault::Overlooked)
            && book.is_some_and(|book| !book.repeated)
            && says != Say::NoSuchOrder
        {
            moves.push(Move::Overlooked(at, task));
        }
    }

    /// Callbacks and people, who come to the worker that has the lease.
    fn outsiders(&self, part: &Part, moves: &mut Vec<Move>) {
        let Some(worker) = self.worker(self.present) else {
            return;
        };
        if worker.append.is_some() {
            return;
        }
        let asked = worker
            .tasks
            .iter()
            .filter(|task| matches!(task.wait, Some(Wait::Asked { .. })))
            .count();
        if asked >= part.answers {
            return;
        }
        if self.callbacks > 0 {
            for (index, attempt) in self.log.attempts().iter().enumerate() {
                let provider = part.place(attempt.provider());
                let covers = part
                    .kinds
                    .get(usize::from(provider))
                    .is_some_and(|kind| kind.callback_counts);
                let truth = self
                    .upstream
                    .book(attempt.number(), provider)
                    .map(|book| book.truth);
                for claims in UpstreamState::ALL {
                    let genuine = matches!(
                        (truth, claims),
                        (
                            Some(Truth::Charging | Truth::Paid),
                            UpstreamState::Succeeded
                        ) | (Some(Truth::Charging | Truth::Failed), UpstreamState::Failed)
                    );
                    // What the signature doesn't cover can be forged.
                    if genuine || !covers && claims != UpstreamState::Charging {
                        moves.push(Move::Callback(
                            u32::try_from(index).unwrap_or(u32::MAX),
                            claims,
                        ));
                    }
                }
            }
        }
        let on_desk = matches!(self.log.state(), OrderState::Review(_));
        if self.people > 0 && (on_desk || self.log.approval().is_some() || !part.at_desk) {
            if part.looks && self.looked.is_none() {
                moves.push(Move::Look);
            }
            moves.push(Move::AskAgain);
            let rulings = [
                Ruling::Succeeded,
                Ruling::Failed,
                Ruling::Again(0),
                Ruling::Again(1),
                Ruling::Elsewhere(0),
                Ruling::Elsewhere(1),
                Ruling::Cancel,
            ];
            for by in 0..2 {
                moves.extend(rulings.iter().map(|ruling| Move::Decide(by, *ruling)));
            }
        }
    }
}
