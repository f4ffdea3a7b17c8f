//! What takes several things in a row, each of them rare. Chance alone would come to it once in a hundred
//! thousand cases; some are led there, and chance does the rest.

use std::time::Duration;

use recharge_core::AccountKind;
use recharge_sim::{FaultKind, Stage, Upstream};

use super::draw::{HOUR, MINUTE, millis};
use super::{Act, Decisions, OrderPlan, Part, Settings, When, Wish};
use crate::dice::Dice;
use crate::points::{Op, Point};

/// Leads a case towards one of the stories, and the order that it is about.
pub(super) fn lead(dice: &mut Dice, workers: u32, settings: &mut Settings, parts: &mut Vec<Part>) {
    let mut plans = parts.iter_mut().filter_map(|part| match part {
        Part::Order(plan) => Some(plan),
        _ => None,
    });
    let Some(plan) = plans.next() else { return };
    plan.at = millis(dice, 1, MINUTE);
    let at = plan.at;
    settings.mute = None;
    settings.calm_at = settings.calm_at.max(Duration::from_millis(4 * HOUR));
    let more = match dice.below(18) {
        0 => lost_by_a_backup(dice, workers, settings, at),
        1 => overtaken_by_a_backup(dice, settings, at),
        2 => sent_again(dice),
        3 | 4 => sent_elsewhere(dice, at, plan),
        5 => said_to_have_succeeded(dice, settings),
        6 | 7 => asked_within_the_minute(dice, settings, at),
        8 => taken_and_denied(dice, plan),
        9 | 10 if workers > 1 => doubt_and_another_worker(dice),
        11 if workers > 1 => acknowledged_too_late(dice, settings, plan),
        12 => failed_and_sent_again(dice, settings, plan),
        13 => decided_by_what_is_gone(dice, at),
        14..=16 if workers > 1 => looked_at_late(dice, settings, at),
        _ => decided_by_what_was(dice),
    };
    if settings.off_since_backup.is_some() {
        // Where there is but one provider, nobody takes an order once that is switched off.
        for part in parts.iter_mut() {
            if let Part::Order(plan) = part {
                (plan.kind, plan.provider) = (AccountKind::Mobile, None);
            }
        }
    }
    // What strikes now and then would rarely strike here.
    for part in &more {
        if let Part::Fault(stage, ..) = part {
            parts.retain(|it| !matches!(it, Part::Fault(known, ..) if known == stage));
        }
    }
    parts.extend(more);
}

fn people(wish: Wish, first: u8, second: Option<u8>) -> Act {
    Act::People(Decisions {
        order: 0,
        wish,
        first,
        second,
        gap: Duration::from_secs(30),
        stale: false,
    })
}

/// A backup from before the order was sent, or ended, is put back, while a request may be on its way; somebody
/// doesn't want to wait.
fn lost_by_a_backup(
    dice: &mut Dice,
    workers: u32,
    settings: &mut Settings,
    at: Duration,
) -> Vec<Part> {
    settings.settle = millis(dice, 1_000, 20 * MINUTE);
    let restore = Act::Restore {
        thousandths: dice.between(300, 1000),
        other_routes: dice.once_in(2),
    };
    let latest = if dice.once_in(2) { 40_000 } else { 4 * MINUTE };
    let restored = at + millis(dice, 5, latest);
    if dice.once_in(3) {
        settings.off_since_backup = Some(first_provider(settings));
    }
    let mut parts = vec![
        Part::Fault(Stage::Submit, FaultKind::DelayedAcceptance, 400),
        Part::Fault(Stage::Submit, FaultKind::Refused, 200),
        Part::Fault(Stage::End, FaultKind::OrderFails, 400),
        Part::Act(When::At(restored), restore),
    ];
    for _ in 0..dice.between(0, 2) {
        let wish = if dice.once_in(2) {
            Wish::Cancel
        } else {
            Wish::Fail
        };
        let when = When::Since(0, millis(dice, 1_000, 40 * MINUTE));
        parts.push(Part::Act(when, people(wish, 0, None)));
    }
    if workers > 1 && dice.once_in(2) {
        // Who begins on it is overtaken, by one that dies before it has looked through it.
        let begun = |nth| When::Reached(Point::Durable(Op::Begin), nth);
        let first = u64::from(workers) + 1;
        let pause = Act::Pause {
            slot: 0,
            lasts: millis(dice, 10, 20_000),
            suspended: false,
        };
        let kill = Act::Kill {
            slot: 1,
            restart: millis(dice, MINUTE, HOUR),
        };
        parts.push(Part::Act(begun(first), pause));
        parts.push(Part::Act(begun(first), Act::TakeOver { slot: 1 }));
        parts.push(Part::Act(begun(first + 1), kill));
    }
    if dice.once_in(2) {
        // A merchant may send again what the backup has forgotten, and only days later.
        parts.push(Part::Order(OrderPlan {
            at: restored + millis(dice, MINUTE, 144 * HOUR),
            kind: AccountKind::Mobile,
            account: LATE,
            yuan: 50,
            provider: None,
            insists: false,
        }));
    }
    parts
}

/// Whose the order is that comes late.
const LATE: u32 = 500;

fn first_provider(settings: &Settings) -> Upstream {
    if settings.jisu_first {
        Upstream::Jisu
    } else {
        Upstream::Juhe
    }
}

/// A backup from before the order was sent is put back at once, while the request is still on its way; from then on
/// the other provider comes first.
fn overtaken_by_a_backup(dice: &mut Dice, settings: &mut Settings, at: Duration) -> Vec<Part> {
    settings.delayed_acceptance = millis(dice, 2 * MINUTE, 30 * MINUTE);
    let restore = Act::Restore {
        thousandths: dice.between(0, 900),
        other_routes: true,
    };
    let restored = at + millis(dice, 5, MINUTE);
    if dice.once_in(3) {
        settings.off_since_backup = Some(first_provider(settings));
    }
    vec![
        Part::Fault(Stage::Submit, FaultKind::DelayedAcceptance, 600),
        Part::Act(When::At(restored), restore),
    ]
}

/// An order whose request is lost is sent again, and refused.
fn sent_again(dice: &mut Dice) -> Vec<Part> {
    let when = When::Desk(0, millis(dice, 1, 30 * MINUTE));
    vec![
        Part::Fault(Stage::Submit, FaultKind::TimeoutBefore, 400),
        Part::Fault(Stage::Submit, FaultKind::Refused, 400),
        Part::Act(when, people(Wish::SendAgain, 0, Some(1))),
    ]
}

/// An order whose request is lost is sent elsewhere, where nobody can be reached; it was asked about just before.
fn sent_elsewhere(dice: &mut Dice, at: Duration, plan: &mut OrderPlan) -> Vec<Part> {
    (plan.kind, plan.provider) = (AccountKind::Mobile, None);
    let wait = millis(dice, 1, 30 * MINUTE);
    let mut parts = vec![
        Part::Fault(Stage::Submit, FaultKind::TimeoutBefore, 450),
        Part::Fault(Stage::Submit, FaultKind::DelayedAcceptance, 250),
        Part::Act(When::Desk(0, wait), people(Wish::SendElsewhere, 0, Some(1))),
    ];
    if dice.once_in(2) {
        let between = When::Desk(0, wait + Duration::from_secs(10));
        parts.push(Part::Act(between, people(Wish::AskAgain, 0, None)));
    }
    for upstream in [Upstream::Juhe, Upstream::Jisu] {
        if dice.once_in(2) {
            let shut = Act::NoNetwork {
                upstream,
                lasts: millis(dice, 10 * MINUTE, 2 * HOUR),
            };
            let when = When::At(at + millis(dice, 2 * MINUTE, 90 * MINUTE));
            parts.push(Part::Act(when, shut));
        }
    }
    parts
}

/// A person says too soon that it succeeded, and another would call it failed.
fn said_to_have_succeeded(dice: &mut Dice, settings: &mut Settings) -> Vec<Part> {
    settings.settle = millis(dice, MINUTE, HOUR);
    let soon = When::Since(0, millis(dice, 1_000, 10 * MINUTE));
    let mut later = || When::Desk(0, millis(dice, MINUTE, 4 * HOUR));
    let (fail, send) = (later(), later());
    let mut parts = vec![
        Part::Fault(Stage::End, FaultKind::OrderFails, 800),
        Part::Act(soon, people(Wish::Succeed, 0, None)),
        Part::Act(fail, people(Wish::Fail, 1, None)),
    ];
    if dice.once_in(2) {
        parts.push(Part::Act(send, people(Wish::SendAgain, 0, Some(1))));
    }
    parts
}

/// People ask about a failure before it can be confirmed, the answers take long, and a clock may jump.
fn asked_within_the_minute(dice: &mut Dice, settings: &mut Settings, at: Duration) -> Vec<Part> {
    settings.settle = millis(dice, 200, 20_000);
    settings.slow_network = Duration::from_secs(34);
    settings.failover = dice.once_in(4);
    let mut parts = vec![Part::Fault(Stage::End, FaultKind::OrderFails, 800)];
    for _ in 0..dice.between(2, 4) {
        let when = When::Since(0, Duration::from_secs(dice.between(20, 90)));
        parts.push(Part::Act(when, people(Wish::AskAgain, 0, None)));
    }
    if dice.once_in(2) {
        let by = i64::try_from(dice.magnitude(30_000, HOUR)).unwrap_or(0);
        let when = When::At(at + millis(dice, 3_000, 2 * MINUTE));
        parts.push(Part::Act(when, Act::Jump { slot: 0, by }));
    }
    parts
}

/// An upstream takes an order and says that it doesn't, and then can't be asked well. Where there is no other to go
/// to, the order is over.
fn taken_and_denied(dice: &mut Dice, plan: &mut OrderPlan) -> Vec<Part> {
    if plan.kind == AccountKind::Mobile {
        let only = [Upstream::Juhe, Upstream::Jisu];
        plan.provider = dice.pick(&only).copied();
    }
    let said = dice.pick(&[
        FaultKind::SystemErrorTaken,
        FaultKind::DuplicateCodeTaken,
        FaultKind::RechargeFailedTaken,
        FaultKind::RequestFailedTaken,
        FaultKind::UnlistedCodeTaken,
        FaultKind::RepeatedPacketRefused,
    ]);
    let asked = dice.pick(&[FaultKind::NotFound, FaultKind::RateLimited]);
    let submit = said.map(|kind| Part::Fault(Stage::Submit, *kind, 600));
    let query = asked.map(|kind| Part::Fault(Stage::Query, *kind, dice.between(300, 900)));
    submit.into_iter().chain(query).collect()
}

/// An order that has failed goes to the next provider, where it is taken and mostly denied. The first is asked to
/// take it again before the second has failed for good.
fn failed_and_sent_again(
    dice: &mut Dice,
    settings: &mut Settings,
    plan: &mut OrderPlan,
) -> Vec<Part> {
    (plan.kind, plan.provider) = (AccountKind::Mobile, None);
    settings.failover = true;
    settings.settle = millis(dice, 200, MINUTE);
    settings.calm_at = Duration::from_millis(12 * HOUR);
    let mut parts = vec![
        Part::Fault(Stage::Submit, FaultKind::TimeoutAfter, 900),
        Part::Fault(Stage::Query, FaultKind::NotFound, dice.between(500, 750)),
        Part::Fault(Stage::End, FaultKind::OrderFails, 1000),
    ];
    for _ in 0..4 {
        let when = When::Desk(0, millis(dice, 1_000, 4 * HOUR));
        parts.push(Part::Act(when, people(Wish::SendAgain, 0, Some(1))));
    }
    parts
}

/// People decide by what they saw a while ago, and what the upstream said since is something else.
fn decided_by_what_was(dice: &mut Dice) -> Vec<Part> {
    let mut parts = vec![Part::Fault(Stage::Submit, FaultKind::TimeoutAfter, 500)];
    for wish in [Wish::Succeed, Wish::Fail] {
        let when = When::Since(0, millis(dice, 1, 2 * MINUTE));
        let act = Decisions {
            order: 0,
            wish,
            first: 0,
            second: Some(1),
            gap: millis(dice, 1_000, 5 * MINUTE),
            stale: true,
        };
        parts.push(Part::Act(when, Act::People(act)));
    }
    parts
}

/// A person decides by what was seen before a backup was put back that has less.
fn decided_by_what_is_gone(dice: &mut Dice, at: Duration) -> Vec<Part> {
    let mut parts = vec![Part::Fault(Stage::Submit, FaultKind::TimeoutAfter, 500)];
    for nth in 0..dice.between(2, 5) {
        let when = When::Since(0, Duration::from_secs(2 + 8 * nth));
        parts.push(Part::Act(when, people(Wish::AskAgain, 0, None)));
    }
    let restore = Act::Restore {
        thousandths: dice.between(300, 900),
        other_routes: false,
    };
    let restored = at + Duration::from_mins(1);
    parts.push(Part::Act(When::At(restored), restore));
    let act = Decisions {
        order: 0,
        wish: Wish::Succeed,
        first: 0,
        second: Some(1),
        gap: Duration::from_secs(dice.between(20, 80)),
        stale: true,
    };
    let when = When::Since(0, Duration::from_secs(50));
    parts.push(Part::Act(when, Act::People(act)));
    parts
}

/// A worker stands still with an acknowledgement in its hands, while two people call the order failed: its provider
/// can't be asked.
fn acknowledged_too_late(
    dice: &mut Dice,
    settings: &mut Settings,
    plan: &mut OrderPlan,
) -> Vec<Part> {
    (plan.kind, plan.provider) = (AccountKind::Mobile, None);
    settings.mute = Some(first_provider(settings));
    let when = When::Reached(Point::Answered, dice.between(1, 3));
    let pause = Act::Pause {
        slot: 0,
        lasts: millis(dice, 5 * MINUTE, 4 * HOUR),
        suspended: false,
    };
    let decided = When::Since(0, millis(dice, 30_000, 3 * HOUR));
    vec![
        Part::Act(when, pause),
        Part::Act(when, Act::TakeOver { slot: 1 }),
        Part::Act(decided, people(Wish::Fail, 0, Some(1))),
    ]
}

/// A worker stands still before it looks at an answer, to a submit, about a price or under the hold of a restored
/// backup; another has moved the order on meanwhile.
fn looked_at_late(dice: &mut Dice, settings: &mut Settings, at: Duration) -> Vec<Part> {
    settings.price_ceiling = true;
    settings.slow_network = Duration::from_secs(34);
    let held = dice.once_in(2);
    let when = When::Reached(Point::Answered, dice.magnitude(1, 12));
    let pause = Act::Pause {
        slot: 0,
        // A hold is over after half an hour.
        lasts: if held && dice.once_in(2) {
            millis(dice, 30 * MINUTE, 50 * MINUTE)
        } else {
            Duration::from_millis(dice.magnitude(1_000, 4 * HOUR))
        },
        suspended: false,
    };
    let mut parts = vec![
        Part::Fault(Stage::Submit, FaultKind::TimeoutAfter, 500),
        Part::Fault(Stage::Query, FaultKind::TimeoutBefore, 200),
        Part::Act(when, pause),
        Part::Act(when, Act::TakeOver { slot: 1 }),
    ];
    if held {
        let restore = Act::Restore {
            thousandths: dice.between(0, 900),
            other_routes: dice.once_in(2),
        };
        let restored = at + millis(dice, 5, MINUTE);
        parts.push(Part::Act(When::At(restored), restore));
    }
    parts
}

/// A worker stands still before it reads back what it may have written down. Another begins meanwhile, and has to
/// wait long for what it sends.
fn doubt_and_another_worker(dice: &mut Dice) -> Vec<Part> {
    let when = When::Doubt(dice.between(1, 4));
    let pause = Act::Pause {
        slot: 0,
        lasts: millis(dice, 500, 12_000),
        suspended: false,
    };
    vec![
        Part::StoreFaults(dice.between(60, 300)),
        Part::Fault(Stage::Submit, FaultKind::TimeoutAfter, 700),
        Part::Act(when, pause),
        Part::Act(when, Act::TakeOver { slot: 1 }),
    ]
}
