//! What must hold after every step, whatever came in: the invariants of the lifecycle that can be seen
//! in one order's log and effects.

use recharge_core::{OrderState, ProviderId, QueryOutcome, ReviewReason, Standing};
use recharge_engine::{Alarm, Effect, Event, Order, Policy, Price, Recorded, Step, Verdict};

use super::witness::{self, Fact, Says};
use super::{Case, HOUR, story, submits};

/// Checks a step that `case` has just taken: its log has the step's events after the first `before`, and
/// its order is still the one before the step.
pub(crate) fn check(case: &Case, before: usize, made: &Step) {
    let (earlier, log) = (&case.log[..before], case.log.as_slice());
    folds(case, before, made);
    moves_by_the_table(case, made, log);
    sends_what_was_written_down(case, made);
    sends_only_under_guard(case, earlier, made);
    sends_only_after_the_hold(case, earlier, made);
    sends_only_what_the_ceiling_lets_pass(case, earlier, made);
    tells_merchant_and_operator(case, made);
    ends_by_evidence(case, made, log);
    permits_by_two(log, &made.order);
    has_a_next_action(case, made, log);
    asks_what_can_be_asked(&case.policy, made);
    for (index, attempt) in (0..).zip(made.order.attempts()) {
        assert_eq!(
            attempt.standing(),
            witness::standing(log, index, &case.policy.times),
            "the standing of attempt {index} is not what its evidence says: {}",
            story(log)
        );
    }
}

/// State is the fold of the events, and the log has no gaps. It was so up to the step before.
fn folds(case: &Case, before: usize, made: &Step) {
    let mut folded = case.order.clone();
    for (version, recorded) in (before as u64 + 1..).zip(&made.events) {
        assert_eq!(recorded.version, version, "the log has a gap");
        folded.apply(recorded).unwrap();
    }
    assert_eq!(folded, made.order, "the order is not the fold of its log");
}

fn moves_by_the_table(case: &Case, made: &Step, log: &[Recorded]) {
    let mut state = case.order.state();
    for recorded in &made.events {
        assert_eq!(recorded.at, case.now);
        if let Event::Moved { to, .. } = recorded.event {
            assert!(state.may_become(to), "{state} -> {to} is not in the table");
            state = to;
        }
    }
    assert_eq!(
        state,
        made.order.state(),
        "only an event moves an order: {}",
        story(log)
    );
}

/// No byte without a durable intent that names its number, provider and token, and one step has one.
fn sends_what_was_written_down(case: &Case, made: &Step) {
    let intents: Vec<_> = made
        .events
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::SendIntended {
                attempt,
                number,
                provider,
                token,
            } => Some((*attempt, *number, provider.clone(), *token)),
            _ => None,
        })
        .collect();
    let mut submits = Vec::new();
    for effect in &made.effects {
        if let Effect::Submit {
            attempt,
            number,
            provider,
            token,
            send_within,
        } = effect
        {
            submits.push((*attempt, *number, provider.clone(), *token));
            assert_eq!(*send_within, case.policy.times.send_deadline);
        }
    }
    assert_eq!(
        intents, submits,
        "each send has its intent, and the other way round"
    );
    assert!(submits.len() <= 1, "a step sends once");
    for (index, number, provider, _) in submits {
        let what = case.order.what();
        if case.order.attempts().get(index as usize).is_none() {
            let numbers = &case.policy.numbers;
            let derived = numbers.derive(&what.merchant, &what.order_id, index);
            assert_eq!(number, derived);
            let route = case.policy.route(&provider).unwrap();
            assert!(route.takes(what), "sent where it can't go: {what:?}");
        }
        let attempt = &made.order.attempts()[index as usize];
        assert_eq!((attempt.number(), attempt.provider()), (number, &provider));
        assert_eq!(made.order.state(), OrderState::Submitting);
        if let Some(before) = case.order.attempts().get(index as usize) {
            assert_eq!(
                case.order.request(before),
                made.order.request(attempt),
                "a second send is the first to the byte"
            );
        }
    }
}

/// The verdict that two people have given and that has not been used up.
fn open_permit(log: &[Recorded]) -> Option<Verdict> {
    let mut permit = None;
    for recorded in log {
        match &recorded.event {
            Event::Decided { decision, .. } => {
                permit = match &decision.verdict {
                    Verdict::SendAgain { .. } | Verdict::SendElsewhere { .. } => {
                        Some(decision.verdict.clone())
                    }
                    Verdict::Succeeded | Verdict::Failed | Verdict::Cancel => None,
                }
            }
            Event::SendIntended { .. }
            | Event::Moved {
                to: OrderState::Review(_),
                ..
            } => permit = None,
            _ => {}
        }
    }
    permit
}

/// A send is a first one, follows nothing but "not sent", or was allowed by two; and everything before
/// it that may have written bytes has been asked about since, and was not found.
fn sends_only_under_guard(case: &Case, earlier_log: &[Recorded], made: &Step) {
    let Some(index) = made.effects.iter().find_map(|effect| match effect {
        Effect::Submit { attempt, .. } => Some(*attempt),
        Effect::Query { .. } | Effect::Probe { .. } | Effect::Quote { .. } => None,
    }) else {
        return;
    };
    let before = &case.order;
    let permit = open_permit(earlier_log);
    let failover = |attempt: &recharge_engine::Attempt| {
        attempt.standing() == Standing::Failed
            && case
                .policy
                .route(attempt.provider())
                .is_some_and(|route| route.failover_after_failure)
    };
    let others_closed = (0..).zip(before.attempts()).all(|(other, attempt)| {
        other == index || attempt.standing().is_closed() || failover(attempt)
    });
    // People who allowed an attempt allowed it to be tried again while nothing of it is written.
    let others_allowed = (0..).zip(before.attempts()).all(|(other, attempt)| {
        other == index
            || attempt.standing().is_closed()
            || attempt.standing() == Standing::Open && before.permitted_sends() > 0
    });
    match before.attempts().get(index as usize) {
        Some(attempt) => assert!(
            attempt.standing() == Standing::Unsent && (others_closed || others_allowed)
                || permit == Some(Verdict::SendAgain { attempt: index }),
            "attempt {index} is sent again: {}",
            story(earlier_log)
        ),
        None => assert!(
            others_closed || matches!(permit, Some(Verdict::SendElsewhere { .. })),
            "a further attempt while another is not closed: {}",
            story(earlier_log)
        ),
    }
    let pending_since = earlier_log
        .iter()
        .rposition(|recorded| {
            matches!(
                recorded.event,
                Event::Moved {
                    to: OrderState::Pending,
                    ..
                }
            )
        })
        .map_or(0, |at| at + 1);
    let pending_at = earlier_log[..pending_since]
        .last()
        .map_or(case.accepted, |move_| move_.at);
    for (earlier, attempt) in (0..).zip(before.attempts()) {
        if witness::with_bytes(&witness::facts(earlier_log, earlier)).is_empty() {
            continue;
        }
        let answers: Vec<(Says, bool)> = witness::facts(&earlier_log[pending_since..], earlier)
            .into_iter()
            .filter_map(|fact| match fact {
                Fact::Said { says, asked, .. } => Some((says, asked.not_before(pending_at))),
                Fact::Intended { .. } | Fact::Ended { .. } | Fact::Written { .. } => None,
            })
            .collect();
        let clears = |says| says == Says::NoSuchOrder || says == Says::Failed && failover(attempt);
        let cleared = answers.last().is_some_and(|(says, _)| clears(*says))
            && answers
                .iter()
                .any(|(says, asked_since)| clears(*says) && *asked_since);
        assert!(
            cleared,
            "attempt {index} is sent, and attempt {earlier} was not asked: {}",
            story(earlier_log)
        );
    }
}

/// Whether everything that a restored order could have sent since its backup has been asked about, after
/// the quarantine.
fn hold_is_over(case: &Case, log: &[Recorded], after: &Order) -> bool {
    let chosen = &case.order.what().provider;
    let could_take = |p: &ProviderId| chosen.as_ref().is_none_or(|chosen| chosen == p);
    let mut routes = case.policy.routes.iter();
    // With no route to ask by, nobody knows.
    let known = routes.any(|route| could_take(&route.provider));
    hold_leaves(case, log, after).is_none_or(|left| known && left.is_empty())
}

/// What a hold has yet to ask about, if there is one; from the log alone.
fn hold_leaves(case: &Case, log: &[Recorded], after: &Order) -> Option<Vec<(u32, ProviderId)>> {
    let held = |recorded: &Recorded| recorded.event == Event::Held;
    let (began, since) = match log.iter().rposition(held) {
        Some(at) => (at, log[at].at),
        None if case.order.acceptance().held => (0, case.accepted),
        None => return None,
    };
    let since_then = &log[began..];
    let released = |recorded: &Recorded| match recorded.event {
        Event::SendIntended { .. } => true,
        Event::Moved { to, .. } => to.is_end(),
        _ => false,
    };
    if since_then.iter().any(released) {
        return None;
    }
    let quarantine = case.policy.times.quarantine();
    let cleared = |index: u32, wanted: &ProviderId| {
        since_then.iter().any(|recorded| match &recorded.event {
            Event::Probed {
                attempt,
                provider,
                asked,
                outcome: QueryOutcome::NotFound(_),
            } => {
                *attempt == index && provider == wanted && asked.elapsed_since(since) >= quarantine
            }
            _ => false,
        })
    };
    let sent = |index: u32, wanted: &ProviderId| {
        let attempt = after.attempts().get(index as usize);
        attempt.is_some_and(|attempt| attempt.provider() == wanted)
            && !witness::with_bytes(&witness::facts(log, index)).is_empty()
    };
    let chosen = &case.order.what().provider;
    let could_take = |provider: &ProviderId| chosen.as_ref().is_none_or(|p| p == provider);
    let numbers = 0..u32::try_from(after.attempts().len() + case.policy.routes.len()).unwrap();
    let routes = case.policy.routes.iter().map(|route| &route.provider);
    let left = routes
        .filter(|provider| could_take(provider))
        .flat_map(|provider| numbers.clone().map(move |index| (index, provider.clone())))
        .filter(|(index, provider)| !cleared(*index, provider) && !sent(*index, provider));
    Some(left.collect())
}

fn sends_only_after_the_hold(case: &Case, earlier: &[Recorded], made: &Step) {
    if !submits(&made.effects).is_empty() {
        assert!(
            hold_is_over(case, earlier, &case.order),
            "sent under a hold: {}",
            story(earlier)
        );
    }
    for effect in &made.effects {
        if let Effect::Probe {
            attempt,
            number,
            provider,
        } = effect
        {
            let what = case.order.what();
            let numbers = &case.policy.numbers;
            let derived = numbers.derive(&what.merchant, &what.order_id, *attempt);
            assert_eq!(*number, derived);
            assert!(case.policy.route(provider).unwrap().can_query);
        }
    }
}

/// A send by a route with a ceiling follows a price that it lets pass, or a permit.
fn sends_only_what_the_ceiling_lets_pass(case: &Case, earlier: &[Recorded], made: &Step) {
    for (index, name) in submits(&made.effects) {
        let by = |provider: &ProviderId| provider.as_str() == name;
        let route = case.policy.routes.iter().find(|route| by(&route.provider));
        let Some(ceiling) = route.unwrap().price_ceiling else {
            continue;
        };
        let again = case.order.attempts().len() > index as usize;
        if open_permit(earlier).is_some() || again && case.order.permitted_sends() > 0 {
            continue;
        }
        let moved = |recorded: &Recorded| matches!(recorded.event, Event::Moved { .. });
        let pending = earlier.iter().rposition(moved).map_or(0, |at| at + 1);
        let price = earlier[pending..]
            .iter()
            .find_map(|recorded| match &recorded.event {
                Event::Priced {
                    provider,
                    price: price @ (Price::Known(_) | Price::NoQuote),
                    ..
                } if by(provider) => Some(price),
                _ => None,
            });
        let passes = match price {
            Some(Price::Known(price)) => *price <= ceiling,
            Some(Price::NoQuote) => true,
            Some(Price::Unavailable(_)) | None => false,
        };
        assert!(passes, "sent at {price:?}: {}", story(earlier));
    }
}

/// Every end and every desk is told, with versions that rise; every desk is alarmed.
fn tells_merchant_and_operator(case: &Case, made: &Step) {
    let mut told = made.notices.iter().map(|told| (told.version, told.state));
    let mut alarms = made.alarms.iter().filter_map(|alarm| match alarm {
        Alarm::Review(reason) => Some(*reason),
        Alarm::PaidTwice => None,
    });
    let mut last = case.notices.last().map_or(0, |notice| notice.version);
    for recorded in &made.events {
        if let Event::Moved { to, .. } = recorded.event {
            let at_rest = to.is_end() || matches!(to, OrderState::Review(_));
            if at_rest {
                assert_eq!(told.next(), Some((recorded.version, to)));
                assert!(recorded.version > last);
                last = recorded.version;
            }
            if let OrderState::Review(reason) = to {
                assert_eq!(alarms.next(), Some(reason));
            }
        }
    }
    assert_eq!((told.next(), alarms.next()), (None, None));
}

/// Failed: every attempt negative, or two people. Succeeded: a query or a person.
fn ends_by_evidence(case: &Case, made: &Step, log: &[Recorded]) {
    let decided = made
        .events
        .iter()
        .find_map(|recorded| match &recorded.event {
            Event::Decided {
                decision,
                approved_by,
            } => Some((decision, approved_by.as_ref())),
            _ => None,
        });
    let moved_to = |state| {
        made.events
            .iter()
            .any(|recorded| matches!(recorded.event, Event::Moved { to, .. } if to == state))
    };
    let times = &case.policy.times;
    let standings: Vec<Standing> = (0..)
        .zip(made.order.attempts())
        .map(|(index, _)| witness::standing(log, index, times))
        .collect();
    if moved_to(OrderState::Failed) {
        let two = decided.is_some_and(|(decision, first)| {
            decision.verdict == Verdict::Failed && first.is_some_and(|first| *first != decision.by)
        });
        let contradiction = case.order.state() == OrderState::Review(ReviewReason::Contradiction);
        let failed = |recorded: &Recorded| {
            let to = OrderState::Failed;
            matches!(recorded.event, Event::Moved { to: state, .. } if state == to)
        };
        let before = &log[..log.iter().rposition(failed).unwrap()];
        assert!(
            two || hold_is_over(case, before, &made.order),
            "failed under a hold: {}",
            story(log)
        );
        assert!(
            two || !contradiction && standings.iter().all(|standing| standing.is_negative()),
            "failed without proof: {}",
            story(log)
        );
    }
    if moved_to(OrderState::Succeeded) {
        let person = decided.is_some_and(|(decision, _)| decision.verdict == Verdict::Succeeded);
        assert!(
            person || standings.contains(&Standing::Paid),
            "succeeded without proof: {}",
            story(log)
        );
    }
    if let Some((decision, first)) = decided {
        assert_ne!(first, Some(&decision.by), "one person decided twice");
    }
}

fn permits_by_two(log: &[Recorded], after: &Order) {
    let by_two = log.iter().filter(|recorded| match &recorded.event {
        Event::Decided {
            decision,
            approved_by,
        } => match decision.verdict {
            Verdict::SendAgain { .. } | Verdict::SendElsewhere { .. } => {
                assert!(approved_by.is_some(), "one person allowed a send");
                true
            }
            Verdict::Succeeded | Verdict::Failed | Verdict::Cancel => false,
        },
        _ => false,
    });
    assert_eq!(by_two.count(), after.permitted_sends() as usize);
}

fn askable(
    policy: &Policy,
    attempt: &recharge_engine::Attempt,
    log: &[Recorded],
    index: u32,
) -> bool {
    !witness::with_bytes(&witness::facts(log, index)).is_empty()
        && policy
            .route(attempt.provider())
            .is_some_and(|route| route.can_query)
}

/// No order is without a next action, and none is put off beyond its schedule.
fn has_a_next_action(case: &Case, made: &Step, log: &[Recorded]) {
    let policy = &case.policy;
    let after = &made.order;
    let any_askable = (0..)
        .zip(after.attempts())
        .any(|(index, attempt)| askable(policy, attempt, log, index));
    let hold_asks = hold_leaves(case, log, after).is_some_and(|left| {
        let can_query = |provider| policy.route(provider).is_some_and(|route| route.can_query);
        left.iter().any(|(_, provider)| can_query(provider))
    });
    let wanted = match after.state() {
        OrderState::Pending
        | OrderState::Submitting
        | OrderState::Charging
        | OrderState::Unknown => true,
        OrderState::Review(_) => any_askable || hold_asks,
        OrderState::Succeeded | OrderState::Failed => {
            any_askable && rounds_since_end(log) < policy.times.watch_after.len()
        }
    };
    if !wanted {
        return;
    }
    let Some(due) = after.due() else {
        panic!("{} without a next action: {}", after.state(), story(log));
    };
    let longest = match after.state() {
        OrderState::Succeeded | OrderState::Failed => HOUR * 24 * 8,
        // Nothing to ask: the limit is what is waited for.
        // … which is far off when the clock has been set back.
        _ if !any_askable => HOUR * 24 * 60,
        _ => policy.times.query_after.iter().max().copied().unwrap() * 11 / 10,
    };
    assert!(
        due <= case.now.wall.after(longest),
        "{} is put off by {:?}: {}",
        after.state(),
        due.since(case.now.wall),
        story(log)
    );
}

/// How many scheduled questions have been answered since the order ended: at least as many as rounds.
fn rounds_since_end(log: &[Recorded]) -> usize {
    let ended = log
        .iter()
        .rposition(|recorded| matches!(recorded.event, Event::Moved { .. }))
        .unwrap_or(0);
    log[ended..]
        .iter()
        .filter(|recorded| {
            matches!(
                recorded.event,
                Event::Answered {
                    purpose: recharge_engine::Purpose::Schedule,
                    ..
                }
            )
        })
        .count()
}

/// Only what may have been sent to a provider that can be asked is asked about.
fn asks_what_can_be_asked(policy: &Policy, made: &Step) {
    for effect in &made.effects {
        if let Effect::Query {
            attempt,
            number,
            provider,
            ..
        } = effect
        {
            let asked = &made.order.attempts()[*attempt as usize];
            assert_eq!((asked.number(), asked.provider()), (*number, provider));
            assert!(policy.route(provider).is_some_and(|route| route.can_query));
        }
    }
}
