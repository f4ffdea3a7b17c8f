//! Which routes an order may go by.

use async_trait::async_trait;
use recharge_core::{
    Account, AccountKind, Call, Capabilities, Carrier, Offer, OrderState, Provider, ProviderId,
    SubmitOutcome, SubmitRequest,
};
use recharge_engine::{Cause, CommandError, NewOrder, Route, Verdict};

use crate::common::outcomes::{not_found, not_sent, rejected, unknown};
use crate::common::{Case, new_order, policy, provider, route, submits, yuan};

fn chosen(name: &str) -> NewOrder {
    let mut what = new_order();
    what.provider = Some(provider(name));
    what
}

/// Where an order is sent first; `None` where it fails for want of a route.
fn goes_to(case: &mut Case) -> Option<String> {
    let sent = submits(&case.due()).pop();
    if sent.is_none() {
        assert_eq!(case.state(), OrderState::Failed);
        assert_eq!(case.last_cause(), Cause::NoRouteLeft);
    }
    sent.map(|(_, provider)| provider)
}

#[test]
fn the_provider_that_the_merchant_chose_gets_it_and_no_other_does() {
    let two = || policy(vec![route("first"), route("second")]);
    let mut case = Case::accept(two(), chosen("second"), false);
    assert_eq!(goes_to(&mut case).unwrap(), "second");
    case.submit_ends(rejected());
    case.query_says(not_found());
    assert_eq!(case.state(), OrderState::Failed, "not to the first");
    // However often it is not sent.
    let mut case = Case::accept(two(), chosen("second"), false);
    for _ in 0..6 {
        assert_eq!(goes_to(&mut case).unwrap(), "second");
        case.submit_ends(not_sent());
    }
    let mut case = Case::accept(two(), chosen("third"), false);
    assert_eq!(goes_to(&mut case), None);
}

#[test]
fn people_do_not_send_it_elsewhere_than_the_merchant_chose() {
    let two = policy(vec![route("first"), route("second")]);
    let mut case = Case::accept(two, chosen("first"), false).sent(unknown());
    case.never_found();
    let refused = case.decide(
        Verdict::SendElsewhere {
            provider: provider("second"),
        },
        "ann",
    );
    assert!(matches!(refused, Err(CommandError::NotAllowed(_))));
}

#[test]
fn a_route_that_does_not_sell_the_face_value_is_left_out() {
    let mut small = route("small");
    small.offer.face_values = vec![yuan(10), yuan(50)];
    let mut case = Case::with(policy(vec![small.clone(), route("second")]));
    assert_eq!(goes_to(&mut case).unwrap(), "second");
    let mut case = Case::with(policy(vec![small.clone()]));
    assert_eq!(goes_to(&mut case), None);
    let mut what = new_order();
    what.amount = yuan(50);
    let mut case = Case::accept(policy(vec![small]), what, false);
    assert_eq!(goes_to(&mut case).unwrap(), "small");
}

#[test]
fn a_route_that_wants_another_carrier_is_left_out() {
    let mut mobile = route("mobile");
    mobile.offer.carriers = vec![Carrier::Mobile];
    let routes = || policy(vec![mobile.clone(), route("second")]);
    for (carrier, to) in [
        (None, "second"),
        (Some(Carrier::Telecom), "second"),
        (Some(Carrier::Mobile), "mobile"),
    ] {
        let mut what = new_order();
        what.carrier = carrier;
        let mut case = Case::accept(routes(), what, false);
        assert_eq!(goes_to(&mut case).unwrap(), to, "{carrier:?}");
    }
}

#[test]
fn a_route_for_another_kind_of_account_is_left_out() {
    let mut what = new_order();
    what.account = Account::parse(AccountKind::Landline, "02512345678").unwrap();
    let mut case = Case::accept(policy(vec![route("first")]), what, false);
    assert_eq!(goes_to(&mut case), None);
}

#[test]
fn an_unsent_attempt_of_a_route_that_sells_it_no_more_goes_to_the_next() {
    let mut case = Case::two_routes().sent(not_sent());
    case.policy.routes[0].offer.face_values.clear();
    assert_eq!(submits(&case.due()), [(1, "second".to_owned())]);
}

/// A provider of which nothing matters but what it declares.
#[derive(Debug)]
struct Declares(ProviderId, Capabilities);

#[async_trait]
impl Provider for Declares {
    fn id(&self) -> &ProviderId {
        &self.0
    }

    fn capabilities(&self) -> &Capabilities {
        &self.1
    }

    async fn submit(&self, _: &SubmitRequest) -> SubmitOutcome {
        unknown()
    }
}

#[test]
fn a_route_is_what_its_provider_declares_and_there_is_none_for_what_it_does_not_sell() {
    let mobile = Offer::new(AccountKind::Mobile, vec![yuan(100)]);
    let landline = Offer::new(AccountKind::Landline, vec![yuan(50)]);
    let offers = vec![mobile, landline.clone()];
    for calls in [vec![Call::Submit], vec![Call::Submit, Call::Query]] {
        for refuses in [false, true] {
            let mut capabilities = Capabilities::new(offers.clone(), calls.clone());
            capabilities.refuses_duplicates = refuses;
            let declares = Declares(provider("declares"), capabilities);
            let route = Route::of(&declares, AccountKind::Landline).unwrap();
            assert_eq!(route.provider, provider("declares"));
            assert_eq!(route.offer, landline);
            assert_eq!(route.can_query, calls.contains(&Call::Query));
            assert_eq!(route.refuses_duplicates, refuses);
            // What a provider declares switches nothing on that costs money.
            assert!(!route.callback_counts && !route.failover_after_failure);
            assert_eq!(Route::of(&declares, AccountKind::Broadband), None);
        }
    }
}
