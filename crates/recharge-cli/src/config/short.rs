//! Settings that are taken as they are, and yet weaken what they are there for.

use std::time::Duration;

use recharge_engine::Times;

use crate::duration::show;

/// What should be looked at, a sentence each.
pub(super) fn warnings(times: &Times, duplicate: Duration, approvers: &[String]) -> Vec<String> {
    let mut warnings = Vec::new();
    let default = Times::default();
    let mut shorter = |name: &str, set: Duration, than: Duration, means: &str| {
        if set < than {
            let (set, than) = (show(set), show(than));
            warnings.push(format!(
                "lifecycle.{name} is {set}, less than {than}: {means}"
            ));
        }
    };
    let second = Duration::from_secs(1);
    let soonest = times.query_after.iter().min().copied();
    shorter(
        "query_after",
        soonest.unwrap_or(second),
        second,
        "upstreams may refuse so many questions",
    );
    shorter(
        "confirm_failure_after",
        times.confirm_failure_after,
        default.confirm_failure_after,
        "a provider that takes back its \"failed\" may still pay an order that has failed here",
    );
    shorter(
        "not_found_quarantine",
        times.not_found_quarantine,
        default.not_found_quarantine,
        "a delayed order may arrive after people have sent it elsewhere, and be charged twice",
    );
    shorter(
        "send_deadline",
        times.send_deadline,
        second,
        "on a slow disk nothing may be sent in time",
    );
    shorter(
        "unknown_limit",
        times.unknown_limit,
        times.quarantine(),
        "an order is called overdue before it can be called probably not taken",
    );
    shorter(
        "charging_limit",
        times.charging_limit,
        Duration::from_hours(1),
        "people are called to orders that are on their way",
    );
    shorter(
        "pending_limit",
        times.pending_limit,
        Duration::from_mins(1),
        "orders fail unsent after a short trouble of the network",
    );
    let (watched, week) = (times.watch_after.last(), default.watch_after.last());
    shorter(
        "watch_after",
        watched.copied().unwrap_or_default(),
        week.copied().unwrap_or_default(),
        "an end that turns out wrong later is not noticed",
    );
    shorter(
        "duplicate_window",
        duplicate,
        Duration::from_mins(10),
        "a customer who orders twice by mistake is charged twice",
    );
    if times.not_found_answers < default.not_found_answers {
        warnings.push(format!(
            "lifecycle.not_found_answers is {}, less than {}: an upstream that answers \"no such order\" by mistake is believed sooner",
            times.not_found_answers, default.not_found_answers
        ));
    }
    if approvers.len() == 1 {
        warnings.push(
            "people.approvers has one name: what takes two people can't be decided".to_owned(),
        );
    }
    warnings
}
