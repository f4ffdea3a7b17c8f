//! What must be true when faults have stopped and everything has had its time.

use std::time::Duration;

use recharge_core::OrderState;
use recharge_engine::store::{Filter, Message, OrderKey, Store, Stored, Told};
use recharge_engine::{MemoryStore, Order, Recorded, StoreError};
use recharge_sim::{LedgerState, Upstream, World};

use super::evidence::End;
use super::{File, Judge, LAST_ASKING};
use crate::executor::Process;
use crate::order_name::OrderName;
use crate::store::at_once;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

impl Judge {
    /// A merchant, or an operator, is told something.
    pub(crate) fn told(&mut self, message: &Message) {
        let Some(file) = self.files.get_mut(&message.key) else {
            return;
        };
        let notice = match message.what {
            Told::Notice(notice) => notice,
            Told::Alarm { version, .. } => {
                file.alarm_told = file.alarm_told.max(Some(version));
                return;
            }
        };
        let again = message.id <= file.message;
        let falls = file
            .told
            .is_some_and(|(version, _)| version >= notice.version);
        if !again {
            file.message = message.id;
            file.told = Some((notice.version, notice.state));
        }
        if falls && !again {
            let what = format!(
                "order {} is told as version {} after a later one",
                file.name, notice.version
            );
            self.violated(12, what);
        }
    }

    /// Whether every order has come to an end or to a person.
    pub(crate) fn all_rest(&self, orders: usize) -> bool {
        let told = |file: &File| {
            file.told.map(|(version, _)| version) == file.notice.map(|(it, _)| it)
                && file.alarm_told >= file.alarm
        };
        self.acknowledged.len() >= orders && self.files.values().all(|it| it.rests() && told(it))
    }

    /// Faults have stopped long ago.
    pub(crate) fn calm(
        &mut self,
        world: &World,
        now: Duration,
        accepted: usize,
        alive: &[Process],
    ) {
        let mut complaints = Vec::new();
        let mut intents = self
            .files
            .values()
            .flat_map(|file| file.intents.iter().map(move |intent| (file, intent)));
        // Whoever still lives has had time to write down what it was told, with the lease or without it.
        let dropped = intents.find(|(_, it)| {
            let late = it
                .acknowledged
                .is_some_and(|at| at + HOUR + self.stood_between(at, now) < now);
            late && it.ended != Some(End::Accepted) && !it.ended_by_own && alive.contains(&it.by)
        });
        if let Some((file, intent)) = dropped {
            let what = format!(
                "of order {} number {} was acknowledged, and nobody has written it down",
                file.name, intent.number
            );
            complaints.push((6, what));
        }
        if self.acknowledged.len() < accepted {
            let taken = self.acknowledged.len();
            complaints.push((11, format!("of {accepted} orders {taken} are taken")));
        }
        for file in self.files.values() {
            if file.rests() {
                complaints.extend(self.is_known(file));
            } else {
                let what = format!("order {} is {} for ever", file.name, file.state);
                complaints.push((11, what));
            }
        }
        for (invariant, what) in complaints {
            self.violated(invariant, what);
        }
        self.all_charges(world, now);
    }

    /// Whoever must know where an order rests has heard.
    fn is_known(&self, file: &File) -> Vec<(u8, String)> {
        let (name, state) = (&file.name, file.state);
        let mut complaints = Vec::new();
        if matches!(state, OrderState::Review(_)) && !file.alarmed && self.restored.is_none() {
            complaints.push((11, format!("order {name} is on a desk without an alarm")));
        }
        if file.alarm_told < file.alarm {
            complaints.push((
                11,
                format!("of an alarm about order {name} nobody was told"),
            ));
        }
        let told = file.told.map(|(_, state)| state);
        if told != Some(state) && !(self.restored.is_some() && file.notice.is_none()) {
            let what = format!("order {name} is {state}, and its merchant was told {told:?}");
            complaints.push((12, what));
        }
        complaints
    }

    /// Every order that is there.
    pub(crate) fn all_of(&mut self, memory: &MemoryStore) -> Vec<Stored> {
        self.read(at_once(memory.list(&Filter::default(), None, usize::MAX)))
    }

    /// All that is on record about one.
    pub(crate) fn log_of(&mut self, memory: &MemoryStore, key: OrderKey) -> Vec<Recorded> {
        self.read(at_once(memory.log(key)))
    }

    /// What is there to be judged. Nothing would be wrong with a store that nobody can read.
    fn read<T>(&mut self, answer: Result<Vec<T>, StoreError>) -> Vec<T> {
        answer.unwrap_or_else(|error| {
            self.violated(10, format!("the store can't be read: {error}"));
            Vec::new()
        })
    }

    /// Every order is what its log makes of it.
    pub(crate) fn replayed(&mut self, memory: &MemoryStore) {
        for Stored { key, order } in self.all_of(memory) {
            let log = self.log_of(memory, key);
            let replayed = Order::replay(order.acceptance().clone(), &log);
            if replayed.as_ref() != Ok(&order) {
                let what = format!(
                    "order {} is not what its log says",
                    OrderName::of(order.what())
                );
                self.violated(10, what);
            }
        }
    }

    /// No callback that was kept before the last start has been forgotten; but for those of orders that only
    /// their upstream still knew when a backup was put back, which are asked about anyway.
    pub(crate) fn all_heard(&mut self, memory: &MemoryStore) {
        if self.restored.is_some() {
            return;
        }
        let unhandled = at_once(memory.unhandled(1));
        if let Some(entry) = self.read(unhandled).first() {
            let what = format!(
                "a callback about {} was kept and not heard of",
                entry.callback.number
            );
            self.violated(11, what);
        }
    }

    /// The last asking after every end is over.
    pub(crate) fn watched(&mut self, world: &World, now: Duration, since: Duration, steady: bool) {
        let last = LAST_ASKING * 11 / 10;
        let watches = u32::try_from(self.times.watch_after.len()).unwrap_or(0);
        let mut complaints = Vec::new();
        for file in self.files.values() {
            // What happened only now may still be on its way to whoever must know.
            let late = file.news_at.is_none_or(|at| at + MINUTE < now);
            if file.rests() && late {
                complaints.extend(self.is_known(file));
            }
            let Some(ended) = file.ended_at.filter(|at| steady && *at + last < now) else {
                continue;
            };
            // Nobody learns what becomes of one at a provider that can't be asked.
            let (asked, mute): (Vec<_>, Vec<_>) = file
                .attempts
                .iter()
                .filter(|it| it.may_have_gone())
                .partition(|it| Some(it.provider.as_str()) != self.mute.as_deref());
            let expected = u32::try_from(asked.len()).unwrap_or(0) * watches;
            // What ended while all went well is asked about every time.
            if ended >= since && file.asked_since_end < expected {
                let what = format!(
                    "order {} is {}, and was asked about {} times since, not {expected}",
                    file.name, file.state, file.asked_since_end
                );
                complaints.push((6, what));
            }
            let charged = asked.iter().any(|it| {
                let row = Upstream::parse(&it.provider).and_then(|of| world.row(of, &it.number));
                row.is_some_and(|row| row.state == LedgerState::Succeeded)
            });
            let unpaid = !asked.is_empty()
                && mute.is_empty()
                && asked.iter().all(|it| {
                    let row =
                        Upstream::parse(&it.provider).and_then(|of| world.row(of, &it.number));
                    row.is_some_and(|row| row.state == LedgerState::Failed)
                });
            if file.failed_on_evidence() && charged {
                let what = format!(
                    "order {} is called failed and was paid, unnoticed",
                    file.name
                );
                complaints.push((6, what));
            }
            if file.state == OrderState::Succeeded && file.decided.is_none() && unpaid {
                let what = format!(
                    "order {} is called succeeded and failed, unnoticed",
                    file.name
                );
                complaints.push((6, what));
            }
        }
        for (invariant, what) in complaints {
            self.violated(invariant, what);
        }
    }
}
