//! Prices and ceilings.

use recharge_core::{Money, OrderState};
use recharge_engine::{Cause, Event, Policy, Price, Purpose, Route, Verdict};

use crate::common::outcomes::{
    accepted, charging, failed, not_found, not_sent, rejected, succeeded, unavailable,
};
use crate::common::{Case, HOUR, MINUTE, SECOND, policy, provider, quotes, route, submits};

fn capped(name: &str) -> Route {
    let mut route = route(name);
    route.price_ceiling = Some("100".parse().unwrap());
    route
}

fn known(yuan: &str) -> Price {
    Price::Known(yuan.parse::<Money>().unwrap())
}

fn silent() -> Price {
    Price::Unavailable("timeout".to_owned())
}

fn both_capped() -> Policy {
    policy(vec![capped("first"), capped("second")])
}

fn priced(case: &Case) -> Vec<(Price, bool)> {
    let price = |recorded: &recharge_engine::Recorded| match &recorded.event {
        Event::Priced { price, passes, .. } => Some((price.clone(), *passes)),
        _ => None,
    };
    case.log.iter().filter_map(price).collect()
}

#[test]
fn a_route_with_a_ceiling_is_asked_for_its_price_before_anything_is_sent() {
    for price in ["99.999", "100"] {
        let mut case = Case::with(both_capped());
        let effects = case.due();
        assert_eq!(quotes(&effects), ["first"]);
        assert_eq!(submits(&effects), []);
        assert_eq!(case.quote_says(known(price)), []);
        assert_eq!(submits(&case.due()), [(0, "first".to_owned())]);
        assert_eq!(priced(&case), [(known(price), true)]);
    }
    let mut case = Case::two_routes();
    assert_eq!(quotes(&case.due()).len(), 0, "without a ceiling it isn't");
}

#[test]
fn a_price_above_the_ceiling_sends_it_by_the_next_route() {
    let mut case = Case::with(policy(vec![capped("first"), route("second")]));
    case.due();
    case.quote_says(known("100.001"));
    assert_eq!(submits(&case.due()), [(0, "second".to_owned())]);
    assert_eq!(priced(&case), [(known("100.001"), false)]);
}

#[test]
fn with_no_route_at_its_price_the_order_fails_and_nothing_is_asked_twice() {
    let mut case = Case::with(both_capped());
    let mut asked = Vec::new();
    while case.state() == OrderState::Pending {
        asked.extend(quotes(&case.due()));
        if !case.quotes.is_empty() {
            case.quote_says(known("120"));
        }
    }
    assert_eq!(asked, ["first", "second"]);
    assert_eq!(case.state(), OrderState::Failed);
    assert_eq!(case.last_cause(), Cause::NoRouteLeft);
    assert_eq!(case.intents(), 0);
    assert_eq!(case.notices.len(), 1);
}

#[test]
fn where_there_is_no_price_to_ask_for_the_history_says_so_and_it_goes_out() {
    let mut case = Case::with(both_capped());
    case.due();
    case.quote_says(Price::NoQuote);
    assert_eq!(submits(&case.due()), [(0, "first".to_owned())]);
    assert_eq!(priced(&case), [(Price::NoQuote, true)]);
}

#[test]
fn without_an_answer_nothing_is_sent_and_it_is_asked_again_with_growing_gaps() {
    let mut case = Case::with(policy(vec![capped("first"), route("second")]));
    let mut gaps = Vec::new();
    for _ in 0..5 {
        assert_eq!(quotes(&case.due()), ["first"]);
        case.quote_says(silent());
        gaps.push(case.due_in().unwrap().as_secs());
    }
    assert_eq!(gaps, [5, 15, 30, 60, 120]);
    assert_eq!(priced(&case)[0], (silent(), false));
    case.due();
    case.quote_says(known("99"));
    assert_eq!(submits(&case.due()), [(0, "first".to_owned())]);
}

#[test]
fn an_order_whose_price_is_never_answered_expires() {
    let mut case = Case::with(both_capped());
    while case.state() == OrderState::Pending {
        case.due();
        if !case.quotes.is_empty() {
            case.quote_says(silent());
        }
    }
    assert_eq!(case.last_cause(), Cause::Expired);
    assert_eq!(case.intents(), 0);
}

#[test]
fn the_price_is_asked_for_again_when_the_order_comes_back_to_be_sent() {
    let mut case = Case::with(policy(vec![capped("first"), route("second")]));
    case.due();
    case.quote_says(known("99"));
    case.due();
    case.submit_ends(not_sent());
    assert_eq!(quotes(&case.due()), ["first"]);
    case.quote_says(known("100"));
    assert_eq!(submits(&case.due()), [(0, "first".to_owned())]);
    case.submit_ends(not_sent());
    // It has become dearer.
    case.due();
    case.quote_says(known("101"));
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
}

#[test]
fn a_dear_route_is_asked_again_after_the_next_one_refused() {
    let mut case = Case::with(policy(vec![capped("first"), route("second")]));
    case.due();
    case.quote_says(known("101"));
    case.due();
    case.submit_ends(rejected());
    case.query_says(not_found());
    assert_eq!(case.state(), OrderState::Pending);
    case.round(not_found());
    assert_eq!(quotes(&case.due()), ["first"]);
    case.quote_says(known("99"));
    assert_eq!(submits(&case.due()), [(1, "first".to_owned())]);
}

#[test]
fn what_was_not_sent_fails_when_it_has_become_dearer_and_nothing_is_left() {
    let mut case = Case::with(policy(vec![capped("first")]));
    case.due();
    case.quote_says(known("99"));
    case.due();
    case.submit_ends(not_sent());
    case.due();
    case.quote_says(known("101"));
    case.due();
    assert_eq!(case.state(), OrderState::Failed);
    assert_eq!(case.last_cause(), Cause::NoRouteLeft);
}

#[test]
fn what_people_allow_is_not_held_against_a_ceiling() {
    let mut dear = policy(vec![route("first"), capped("second")]);
    dear.times.pending_limit = 10 * HOUR;
    let mut case = Case::probably_not_taken(dear);
    case.both_decide(&Verdict::SendElsewhere {
        provider: provider("second"),
    });
    for _ in 0..2 {
        case.round(not_found());
        assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
        case.submit_ends(not_sent());
    }
}

#[test]
fn a_late_price_changes_nothing_of_an_order_that_has_moved_on() {
    // Being sent.
    let mut case = Case::with(both_capped());
    case.due();
    case.quote_says(known("99"));
    case.due();
    let late = |case: &mut Case| {
        let (state, due) = (case.state(), case.due_in());
        for price in [silent(), known("99"), known("101"), Price::NoQuote] {
            assert_eq!(case.priced(provider("first"), price), []);
        }
        assert_eq!((case.state(), case.due_in()), (state, due));
    };
    late(&mut case);
    // Nor does it stand for the price that is asked for when it comes back.
    case.submit_ends(not_sent());
    assert_eq!(quotes(&case.due()), ["first"]);
    case.quote_says(known("99"));
    case.due();
    case.submit_ends(accepted());
    late(&mut case);
    case.round(charging());
    assert_eq!(case.due_in(), Some(15 * SECOND), "no turn is lost");
    case.round(succeeded());
    late(&mut case);
    let mut asked = 0;
    while case.due_in().is_some() {
        case.round(succeeded());
        asked += 1;
    }
    assert_eq!(asked, 6, "nor of the watch");
}

#[test]
fn a_price_of_a_route_that_is_no_more_changes_nothing() {
    let mut case = Case::with(both_capped());
    case.due();
    let order = case.order.clone();
    case.priced(provider("third"), known("1"));
    assert_eq!(case.order, order);
}

#[test]
fn an_order_whose_price_was_asked_for_when_the_process_stopped_asks_again() {
    let mut case = Case::with(both_capped());
    case.due();
    case.restart();
    assert_eq!(quotes(&case.due()), ["first"]);
}

#[test]
fn earlier_attempts_are_asked_about_before_a_price_is() {
    let mut first = route("first");
    first.failover_after_failure = true;
    let mut case = Case::with(policy(vec![first, capped("second")])).sent(accepted());
    case.round(failed());
    case.round(failed());
    assert_eq!(case.state(), OrderState::Pending);
    case.round(unavailable());
    assert_eq!(case.quotes.len(), 0);
    case.round(failed());
    assert_eq!(quotes(&case.due()), ["second"]);
    // And again, if the price took long.
    case.latency = 2 * MINUTE;
    case.quote_says(known("99"));
    let effects = case.due();
    assert_eq!(
        crate::common::queries(&effects),
        [(0, Purpose::BeforeNextAttempt)]
    );
    case.latency = SECOND;
    case.query_says(failed());
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
}
