//! Drawing a case from its seed. Each case has faults of its own and few of them, or none: what all of
//! them together would hide, some of them show.

use std::time::Duration;

use recharge_core::AccountKind;
use recharge_sim::{FaultKind, Stage, Upstream};

use super::rare;
use super::{Act, Case, CaseId, Decisions, OrderPlan, Part, Settings, When, Wish};
use crate::dice::Dice;
use crate::points::Point;
use crate::store::StoreKind;

pub(super) const MINUTE: u64 = 60_000;
pub(super) const HOUR: u64 = 60 * MINUTE;

/// Face values that both upstreams sell.
const YUAN: [u32; 4] = [10, 20, 50, 100];

pub(super) fn millis(dice: &mut Dice, low: u64, high: u64) -> Duration {
    Duration::from_millis(dice.magnitude(low, high))
}

impl Case {
    /// The case of that name.
    pub(crate) fn draw(id: CaseId) -> Self {
        let mut dice = Dice::stream(id.seed, 1, 0);
        let drawn = if dice.once_in(2) {
            StoreKind::Sqlite
        } else {
            StoreKind::Postgres
        };
        let store = id.wanted.store.unwrap_or(drawn);
        let workers = match store {
            // One process has the file.
            StoreKind::Sqlite => 1,
            StoreKind::Postgres => id.wanted.workers.number(),
        };
        let mut parts = Vec::new();
        let orders = usize::try_from(dice.between(1, 10)).unwrap_or(1);
        for nth in 0..orders {
            parts.push(Part::Order(order(&mut dice, nth)));
        }
        let liar = dice.once_in(8);
        let mut settings = settings(&mut dice, liar);
        if !dice.once_in(10) {
            parts.push(Part::Callbacks);
        }
        faults(&mut dice, liar, &mut parts);
        if dice.once_in(3) {
            parts.push(Part::StoreFaults(dice.magnitude(4, 120)));
        }
        if dice.once_in(3) {
            parts.push(Part::NetworkFaults(dice.magnitude(10, 250)));
        }
        acts(&mut dice, orders, workers, &settings, &mut parts);
        // With dice of their own, which change nothing in the cases that go their own way.
        let mut dice = Dice::stream(id.seed, 1, 1);
        if dice.once_in(3) {
            rare::lead(&mut dice, workers, &mut settings, &mut parts);
        }
        Self {
            id,
            store,
            settings,
            parts,
        }
    }
}

fn order(dice: &mut Dice, nth: usize) -> OrderPlan {
    let kind = match dice.below(12) {
        0 => AccountKind::Landline,
        1 => AccountKind::Broadband,
        _ => AccountKind::Mobile,
    };
    let provider = match (kind, dice.below(10)) {
        (AccountKind::Mobile, 0) => Some(Upstream::Juhe),
        (AccountKind::Mobile, 1) => Some(Upstream::Jisu),
        _ => None,
    };
    // Now and then the account of the order before.
    let again = u32::from(nth > 0 && dice.once_in(5));
    let yuan = match kind {
        AccountKind::Mobile => dice.pick(&YUAN).copied().unwrap_or(10),
        _ => dice.pick(&YUAN[1..]).copied().unwrap_or(20),
    };
    OrderPlan {
        at: millis(dice, 1, 10 * MINUTE),
        kind,
        account: u32::try_from(nth).unwrap_or(0) - again,
        yuan,
        provider,
        insists: dice.once_in(3),
    }
}

fn settings(dice: &mut Dice, liar: bool) -> Settings {
    let watched = liar || dice.once_in(3);
    // Every beat costs as much as a question, and a watched case lasts for weeks.
    let heartbeat = match dice.below(40) {
        0 if !watched => MINUTE,
        1..=6 => 10 * MINUTE,
        _ => 2 * HOUR,
    };
    let tight = dice.once_in(4);
    let skewed = dice.once_in(4);
    let mut offset = || -> i64 {
        if !skewed {
            return 0;
        }
        let by = i64::try_from(dice.magnitude(10, 2 * HOUR)).unwrap_or(0);
        if dice.once_in(2) { by } else { -by }
    };
    let wall_offsets = [offset(), offset()];
    let mute = match dice.below(30) {
        0 => Some(Upstream::Juhe),
        1 | 2 => Some(Upstream::Jisu),
        _ => None,
    };
    Settings {
        heartbeat: Duration::from_millis(heartbeat),
        in_flight: if tight { dice.index(2) + 1 } else { 64 },
        queries_per_second: if tight { 1 } else { 500 },
        submits_per_second: (tight && dice.once_in(2)).then_some(1),
        breaker_after: if tight { 2 } else { 20 },
        at_hand: if dice.once_in(4) {
            dice.index(3) + 1
        } else {
            1_000
        },
        failover: dice.once_in(12),
        mute,
        callbacks_count: dice.once_in(2),
        duplicates_pass: dice.once_in(20),
        price_ceiling: dice.once_in(10),
        jisu_first: dice.once_in(2),
        off_since_backup: None,
        encoding: u8::try_from(dice.below(3)).unwrap_or(0),
        settle: match dice.below(12) {
            0 => millis(dice, 3 * HOUR, 40 * HOUR),
            _ => millis(dice, 200, 90 * MINUTE),
        },
        // Within the quarantine: later than that nobody can outwait it.
        delayed_acceptance: millis(dice, 1_000, 30 * MINUTE),
        repeat_after: millis(dice, 10, 5 * MINUTE),
        reversal: millis(dice, 10_000, 100 * HOUR),
        late_payment: millis(dice, 1_000, 48 * HOUR),
        timeout_hold: millis(dice, 5_000, 50_000),
        slow_store: match dice.below(4) {
            0 => millis(dice, 100, 15_000),
            _ => Duration::from_millis(3),
        },
        slow_network: match dice.below(3) {
            0 => millis(dice, 100, 34_000),
            _ => Duration::from_millis(80),
        },
        calm_at: millis(dice, 10 * MINUTE, 30 * HOUR),
        fresh: dice.once_in(6),
        watched,
        wall_offsets,
    }
}

fn faults(dice: &mut Dice, liar: bool, parts: &mut Vec<Part>) {
    // One in ten is a good day.
    let share = if dice.once_in(10) {
        0
    } else {
        dice.between(1, 4)
    };
    for stage in Stage::ALL {
        let most = match stage {
            Stage::End => 400,
            Stage::RequestLine => 60,
            Stage::Callback => 300,
            Stage::Submit | Stage::Query | Stage::Read => 200,
        };
        let lies = |kind: FaultKind| {
            matches!(
                kind,
                FaultKind::LatePayment
                    | FaultKind::FailsThenSucceeds
                    | FaultKind::SucceedsThenFails
            )
        };
        let kinds = FaultKind::ALL.iter().copied();
        let kinds = kinds.filter(|it| it.stages().contains(&stage) && (liar || !lies(*it)));
        let kinds: Vec<FaultKind> = kinds.collect();
        // Some cases have one fault that strikes again and again: what takes two of a kind is rare otherwise.
        let favourite = match stage {
            Stage::Submit | Stage::Query if share > 0 && dice.once_in(2) => {
                dice.pick(&kinds).copied()
            }
            _ => None,
        };
        // What an upstream doesn't know yet is behind most of what can go wrong.
        let denied = (stage == Stage::Query && dice.once_in(2)).then_some(FaultKind::NotFound);
        let mut left = 900;
        for kind in kinds {
            let often = favourite == Some(kind) || denied == Some(kind);
            let wanted = often
                || if lies(kind) {
                    dice.once_in(2)
                } else {
                    dice.below(10) < share
                };
            if !wanted {
                continue;
            }
            let rate = match (often, kind) {
                // A spoilt answer of two megabytes costs as much as a hundred others.
                (_, FaultKind::Huge) => 2,
                (true, _) => dice.magnitude(100, 400),
                (false, _) => dice.magnitude(10.min(most), most),
            };
            let rate = rate.min(left);
            left -= rate;
            parts.push(Part::Fault(stage, kind, rate));
        }
    }
}

fn acts(dice: &mut Dice, orders: usize, workers: u32, settings: &Settings, parts: &mut Vec<Part>) {
    let calm = u64::try_from(settings.calm_at.as_millis()).unwrap_or(u64::MAX);
    let trouble = if dice.once_in(4) {
        0
    } else {
        dice.magnitude(1, 8)
    };
    for _ in 0..trouble {
        let when = match dice.below(4) {
            0 => When::Point(dice.magnitude(1, 1_500)),
            1 => {
                let points = Point::all();
                let point = dice.pick(&points).copied().unwrap_or(Point::BytesGone);
                When::Reached(point, dice.magnitude(1, 30))
            }
            _ => When::At(millis(dice, 1, calm)),
        };
        let slot = u32::try_from(dice.below(u64::from(workers))).unwrap_or(0);
        parts.push(Part::Act(when, trouble_of(dice, slot, workers)));
    }
    if trouble > 0 && dice.once_in(3) {
        let when = When::Doubt(dice.magnitude(1, 12));
        if workers > 1 && dice.once_in(2) {
            // One stands still between a commit that nobody knows of and its reading back; another begins.
            let lasts = millis(dice, 500, 12_000);
            let pause = Act::Pause {
                slot: 0,
                lasts,
                suspended: false,
            };
            parts.push(Part::Act(when, pause));
            parts.push(Part::Act(when, Act::TakeOver { slot: 1 }));
        } else {
            parts.push(Part::Act(when, trouble_of(dice, 0, workers)));
        }
    }
    if dice.once_in(2) {
        for _ in 0..dice.between(1, 5) {
            let nth = dice.below(40);
            parts.push(Part::Act(
                When::At(millis(dice, 100, calm)),
                Act::Replay { nth },
            ));
        }
    }
    if dice.once_in(2) {
        for _ in 0..dice.between(1, 6) {
            let decisions = decisions(dice, orders);
            let order = decisions.order;
            let when = match dice.below(4) {
                0 => When::Since(order, millis(dice, 1, calm)),
                1 => When::Since(order, millis(dice, 1, 3 * MINUTE)),
                _ => When::Desk(order, millis(dice, 1, 4 * HOUR)),
            };
            parts.push(Part::Act(when, Act::People(decisions)));
        }
    }
}

fn trouble_of(dice: &mut Dice, slot: u32, workers: u32) -> Act {
    match dice.below(if workers > 1 { 24 } else { 18 }) {
        0..=5 => Act::Kill {
            slot,
            restart: millis(dice, 1, 2 * HOUR),
        },
        6..=9 => Act::Pause {
            slot,
            lasts: millis(dice, 1, 3 * HOUR),
            suspended: dice.once_in(4),
        },
        10 | 11 => {
            let by = i64::try_from(dice.magnitude(500, 400 * HOUR)).unwrap_or(0);
            Act::Jump {
                slot,
                by: if dice.once_in(2) { by } else { -by },
            }
        }
        12 | 13 => Act::Restore {
            thousandths: dice.between(0, 1000),
            other_routes: dice.once_in(2),
        },
        14 => Act::Stop {
            slot,
            patience: millis(dice, 1, 60_000),
            restart: millis(dice, 1, 10 * MINUTE),
        },
        15 => Act::NoStore {
            lasts: millis(dice, 10, 30 * MINUTE),
        },
        16 | 17 => Act::NoNetwork {
            upstream: if dice.once_in(2) {
                Upstream::Juhe
            } else {
                Upstream::Jisu
            },
            lasts: millis(dice, 100, 2 * HOUR),
        },
        _ => Act::TakeOver { slot },
    }
}

fn decisions(dice: &mut Dice, orders: usize) -> Decisions {
    let wish = match dice.below(20) {
        0..=3 => Wish::AskAgain,
        4 | 5 => Wish::Cancel,
        6 => Wish::Succeed,
        7..=9 => Wish::Fail,
        10 | 11 => Wish::SendAgain,
        12 => Wish::SendElsewhere,
        _ => Wish::Fitting,
    };
    // Mostly two who may; else one person under two names, somebody whom nobody knows, and so on.
    let (first, second) = if dice.once_in(2) {
        (0, Some(1))
    } else {
        let mut anybody = || u8::try_from(dice.below(5)).unwrap_or(0);
        (anybody(), Some(anybody()))
    };
    let second = second.filter(|_| !dice.once_in(5));
    Decisions {
        order: dice.index(orders),
        wish,
        first,
        second,
        gap: millis(dice, 1, HOUR),
        stale: dice.once_in(3),
    }
}
