//! The verdict: what was acknowledged, what the file holds and what the merchant was told, against what
//! was really charged.

use std::collections::{BTreeMap, BTreeSet};

use crate::books::Books;
use crate::orders::Wanted;
use crate::upstream::Booked;

/// What is known from outside when all orders are supposed to rest.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    /// Every order that was handed in.
    pub(crate) wanted: &'a [Wanted],
    /// The ids that the command said it had accepted, in any of its lives.
    pub(crate) acknowledged: &'a BTreeSet<String>,
    /// What the file holds.
    pub(crate) books: &'a Books,
    /// What the result says of each order.
    pub(crate) told: &'a BTreeMap<String, String>,
    /// What was really charged.
    pub(crate) ledger: &'a [Booked],
}

/// The figures. Everything that is wrong has a sentence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) acknowledged: u64,
    /// Ended, or on a person's desk.
    pub(crate) settled: u64,
    /// Acknowledged or charged, and not in the file.
    pub(crate) lost: u64,
    /// Charged more than once.
    pub(crate) double: u64,
    /// Succeeded without a charge, or failed with one.
    pub(crate) wrong_end: u64,
    /// Whatever else can't be.
    pub(crate) broken: u64,
    /// A sentence for each of them.
    pub(crate) complaints: Vec<String>,
}

impl Verdict {
    pub(crate) fn is_clean(&self) -> bool {
        self.lost == 0 && self.double == 0 && self.wrong_end == 0 && self.broken == 0
    }

    /// Something else that can't be.
    pub(crate) fn broken(&mut self, complaint: impl Into<String>) {
        self.broken += 1;
        self.complaints.push(complaint.into());
    }

    /// Adds up.
    pub(crate) fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.settled += other.settled;
        self.lost += other.lost;
        self.double += other.double;
        self.wrong_end += other.wrong_end;
        self.broken += other.broken;
        self.complaints.extend(other.complaints);
    }

    /// An order that was acknowledged or charged is not known.
    pub(crate) fn lost(&mut self, complaint: String) {
        self.lost += 1;
        self.complaints.push(complaint);
    }
}

/// Judges.
pub(crate) fn judge(known: &Known<'_>) -> Verdict {
    let mut verdict = Verdict {
        acknowledged: known.acknowledged.len() as u64,
        ..Verdict::default()
    };
    for problem in &known.books.problems {
        verdict.broken(format!("the file: {problem}"));
    }
    // Upstreams write landlines with or without the dash.
    let plain = |account: &str| account.replace('-', "");
    let mut by_account: BTreeMap<String, u64> = BTreeMap::new();
    for row in known.ledger {
        *by_account.entry(plain(&row.account)).or_default() += row.charges;
        sent(row, known.books, &mut verdict);
    }
    for id in known.acknowledged {
        if !known.books.orders.contains_key(id) {
            verdict.lost(format!("{id} was acknowledged and is not in the file"));
        }
    }
    for wanted in known.wanted {
        let charges = by_account.remove(&plain(&wanted.account)).unwrap_or(0);
        order(wanted, charges, known, &mut verdict);
    }
    for (account, charges) in by_account {
        if charges > 0 {
            verdict.lost(format!("{account} was charged and nobody ordered it"));
        }
    }
    verdict
}

/// No byte goes out before the file says that it may: each number that came in stands in the file, and
/// it came no more often than was intended.
fn sent(row: &Booked, books: &Books, verdict: &mut Verdict) {
    let key = (row.provider.clone(), row.number.clone());
    let intended = books.intents.get(&key).copied().unwrap_or(0);
    if intended == 0 {
        verdict.lost(format!(
            "{} received {}, which is not in the file",
            row.provider, row.number
        ));
    } else if row.submits > intended {
        verdict.broken(format!(
            "{} received {} {} times, and the file intends {intended}",
            row.provider, row.number, row.submits
        ));
    }
}

fn order(wanted: &Wanted, charges: u64, known: &Known<'_>, verdict: &mut Verdict) {
    let id = &wanted.order_id;
    if charges > 1 {
        verdict.double += 1;
        verdict
            .complaints
            .push(format!("{id} was charged {charges} times"));
    }
    let Some(kept) = known.books.orders.get(id) else {
        if charges > 0 {
            verdict.lost(format!("{id} was charged and is not in the file"));
        } else if known.told.contains_key(id) {
            verdict.broken(format!("{id} is in the result and not in the file"));
        } else {
            verdict.broken(format!("{id} was never accepted"));
        }
        return;
    };
    if kept.account != wanted.account || kept.yuan != u64::from(wanted.yuan) {
        verdict.broken(format!("{id} is another order in the file"));
    }
    let told = known.told.get(id).map(String::as_str);
    if told != Some(kept.state.as_str()) {
        verdict.broken(format!(
            "{id} is {} in the file and {} in the result",
            kept.state,
            told.unwrap_or("absent")
        ));
    }
    let mut wrong = |what: &str| {
        verdict.wrong_end += 1;
        verdict.complaints.push(format!("{id} {what}"));
    };
    match (kept.state.as_str(), charges) {
        ("succeeded", 0) => wrong("succeeded and was not charged"),
        ("failed", 1..) => wrong("failed and was charged"),
        ("succeeded" | "failed" | "review", _) => verdict.settled += 1,
        (state, _) => verdict.broken(format!("{id} was left {state}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::Kept;
    use crate::orders::orders;

    /// Three orders, all of them right: a success, a failure, and one on a desk that was charged.
    struct World {
        wanted: Vec<Wanted>,
        acknowledged: BTreeSet<String>,
        books: Books,
        told: BTreeMap<String, String>,
        ledger: Vec<Booked>,
    }

    fn world() -> World {
        let wanted = orders(3, 1);
        let mut world = World {
            acknowledged: wanted.iter().map(|it| it.order_id.clone()).collect(),
            books: Books::default(),
            told: BTreeMap::new(),
            ledger: Vec::new(),
            wanted,
        };
        let ends = [("succeeded", 1), ("failed", 0), ("review", 1)];
        for (order, (state, charges)) in world.wanted.iter().zip(ends) {
            let kept = Kept {
                account: order.account.clone(),
                yuan: order.yuan.into(),
                state: state.to_owned(),
                version: 1,
            };
            let number = format!("N-{}", order.order_id);
            world.books.orders.insert(order.order_id.clone(), kept);
            world
                .books
                .intents
                .insert(("juhe".to_owned(), number.clone()), 1);
            world.told.insert(order.order_id.clone(), state.to_owned());
            world.ledger.push(Booked {
                provider: "juhe".to_owned(),
                number,
                account: order.account.replace('-', ""),
                submits: 1,
                charges,
            });
        }
        world
    }

    fn figures(change: impl FnOnce(&mut World)) -> [u64; 4] {
        let mut world = world();
        change(&mut world);
        let verdict = judge(&Known {
            wanted: &world.wanted,
            acknowledged: &world.acknowledged,
            books: &world.books,
            told: &world.told,
            ledger: &world.ledger,
        });
        let found = [
            verdict.lost,
            verdict.double,
            verdict.wrong_end,
            verdict.broken,
        ];
        assert_eq!(verdict.is_clean(), found == [0; 4]);
        assert_eq!(
            verdict.complaints.len() as u64,
            found.iter().sum::<u64>(),
            "{verdict:?}"
        );
        found
    }

    #[test]
    fn what_is_right_is_clean() {
        assert_eq!(figures(|_| ()), [0; 4]);
    }

    #[test]
    fn an_acknowledged_order_that_is_gone_is_lost() {
        let found = figures(|world| {
            // Never charged: only the acknowledgement knows of it.
            world.books.orders.remove("crash0002");
            world.told.remove("crash0002");
        });
        assert_eq!(found, [1, 0, 0, 1]);
    }

    #[test]
    fn a_charge_that_the_file_does_not_know_is_lost() {
        let found = figures(|world| {
            world.acknowledged.remove("crash0001");
            world.books.orders.remove("crash0001");
        });
        assert_eq!(found, [1, 0, 0, 0]);
        let found = figures(|world| {
            let mut stray = world.ledger[0].clone();
            stray.account = "13999999999".to_owned();
            world.ledger.push(stray);
        });
        assert_eq!(found, [1, 0, 0, 0]);
    }

    #[test]
    fn a_number_that_was_sent_and_not_written_down_is_lost() {
        let found = figures(|world| world.ledger[1].number = "N-other".to_owned());
        assert_eq!(found, [1, 0, 0, 0]);
        let found = figures(|world| world.ledger[1].submits = 2);
        assert_eq!(found, [0, 0, 0, 1]);
    }

    #[test]
    fn two_charges_are_double_whatever_the_state() {
        for at in [0, 2] {
            let found = figures(|world| {
                let number = format!("second-{at}");
                let mut second = world.ledger[at].clone();
                second.number.clone_from(&number);
                world.ledger.push(second);
                world.books.intents.insert(("juhe".to_owned(), number), 1);
            });
            assert_eq!(found, [0, 1, 0, 0]);
        }
    }

    #[test]
    fn an_end_that_the_ledger_contradicts_is_wrong() {
        assert_eq!(figures(|world| world.ledger[0].charges = 0), [0, 0, 1, 0]);
        assert_eq!(figures(|world| world.ledger[1].charges = 1), [0, 0, 1, 0]);
    }

    #[test]
    fn an_order_in_between_or_told_otherwise_or_damaged_is_broken() {
        let found = figures(|world| {
            let charging = "charging".to_owned();
            world.told.insert("crash0001".to_owned(), charging);
            if let Some(kept) = world.books.orders.get_mut("crash0001") {
                kept.state = "charging".to_owned();
            }
        });
        assert_eq!(found, [0, 0, 0, 1]);
        let found = figures(|world| {
            world
                .told
                .insert("crash0003".to_owned(), "succeeded".to_owned());
        });
        assert_eq!(found, [0, 0, 0, 1]);
        let found = figures(|world| world.books.problems.push("torn".to_owned()));
        assert_eq!(found, [0, 0, 0, 1]);
        let found = figures(|world| {
            if let Some(kept) = world.books.orders.get_mut("crash0001") {
                kept.yuan = 20;
            }
        });
        assert_eq!(found, [0, 0, 0, 1]);
    }
}
