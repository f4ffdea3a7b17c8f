//! A log read back: it is the order, or it is refused.

use recharge_core::OrderState;
use recharge_engine::{ApplyError, Cause, Event, Order, Recorded};

use crate::common::Case;
use crate::common::outcomes::{accepted, charging, succeeded};

/// An order that was taken, asked about twice, and ended.
fn ended() -> Case {
    let mut case = Case::new().sent(accepted());
    case.round(charging());
    case.round(succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
    case
}

fn replay(case: &Case, log: &[Recorded]) -> Result<Order, ApplyError> {
    Order::replay(case.order.acceptance().clone(), log)
}

#[test]
fn a_log_is_its_order() {
    let case = ended();
    assert_eq!(replay(&case, &case.log), Ok(case.order.clone()));
    assert_eq!(case.order.accepted(), case.accepted);
}

#[test]
fn a_log_without_one_of_its_events_is_refused() {
    let case = ended();
    for missing in 0..case.log.len() - 1 {
        let mut log = case.log.clone();
        log.remove(missing);
        let expected = case.log[missing].version;
        let found = expected + 1;
        assert_eq!(
            replay(&case, &log),
            Err(ApplyError::Version { expected, found })
        );
    }
}

#[test]
fn an_event_twice_or_out_of_order_is_refused() {
    let case = ended();
    for at in 1..case.log.len() {
        let mut twice = case.log.clone();
        twice.insert(at, case.log[at - 1].clone());
        assert!(matches!(
            replay(&case, &twice),
            Err(ApplyError::Version { .. })
        ));
        let mut swapped = case.log.clone();
        swapped.swap(at - 1, at);
        assert!(matches!(
            replay(&case, &swapped),
            Err(ApplyError::Version { .. })
        ));
    }
}

#[test]
fn a_refused_event_changes_nothing() {
    let case = ended();
    let next = |event| Recorded {
        version: case.order.version() + 1,
        at: case.now,
        event,
    };
    let intended = |at: usize, attempt| {
        let Event::SendIntended {
            number,
            provider,
            token,
            ..
        } = case.log[at].event.clone()
        else {
            panic!("the log begins with the intent");
        };
        next(Event::SendIntended {
            attempt,
            number,
            provider,
            token,
        })
    };
    let other_number = {
        let mut other = intended(0, 0);
        let Event::SendIntended { number, .. } = &mut other.event else {
            panic!("it is one");
        };
        *number = recharge_core::AttemptNumber::from_bits(&[7; 17]);
        other
    };
    let none = |attempt| ApplyError::Attempt { attempt };
    let (from, to) = (OrderState::Succeeded, OrderState::Pending);
    for (recorded, error) in [
        (
            next(Event::Moved {
                to,
                cause: Cause::Decided,
            }),
            ApplyError::Move { from, to },
        ),
        (intended(0, 2), none(2)),
        (other_number, none(0)),
        (
            next(Event::CallbackSeen {
                attempt: 1,
                upstream_order_id: None,
                claims: None,
                asks: false,
            }),
            none(1),
        ),
    ] {
        let mut order = case.order.clone();
        assert_eq!(order.apply(&recorded), Err(error));
        assert_eq!(order, case.order);
    }
    let mut order = case.order.clone();
    assert_eq!(order.apply(&intended(0, 0)), Ok(()));
    assert_eq!(
        order.apply(&Recorded {
            version: order.version() + 1,
            ..intended(0, 1)
        }),
        Ok(())
    );
}

#[test]
fn what_is_taken_in_is_the_next_attempt_or_one_that_exists() {
    let case = ended();
    let attempt = &case.order.attempts()[0];
    let adopted = |index, number, name: &str| Recorded {
        version: case.order.version() + 1,
        at: case.now,
        event: Event::Adopted {
            attempt: index,
            number,
            provider: crate::common::provider(name),
        },
    };
    let other = recharge_core::AttemptNumber::from_bits(&[7; 17]);
    for (recorded, wanted) in [
        (adopted(0, attempt.number(), "first"), Ok(())),
        (adopted(1, other, "second"), Ok(())),
        (adopted(0, other, "first"), Err(0)),
        (adopted(0, attempt.number(), "second"), Err(0)),
        (adopted(2, other, "first"), Err(2)),
    ] {
        let mut order = case.order.clone();
        let wanted = wanted.map_err(|attempt| ApplyError::Attempt { attempt });
        assert_eq!(order.apply(&recorded), wanted);
        assert_eq!(order == case.order, wanted.is_err());
    }
}

#[test]
fn a_log_with_a_hold_and_prices_is_its_order() {
    let mut capped = crate::common::route("first");
    capped.price_ceiling = Some("100".parse().unwrap());
    let mut case = Case::with(crate::common::policy(vec![capped]));
    case.restore();
    case.due();
    while case.quotes.is_empty() {
        case.due();
        // One route and no attempt: the number of its first.
        if !case.probes.is_empty() {
            case.probe_says(crate::common::outcomes::not_found());
        }
    }
    assert_eq!(case.quotes.len(), 1);
    case.quote_says(recharge_engine::Price::NoQuote);
    case.due();
    case.submit_ends(accepted());
    assert_eq!(case.state(), OrderState::Charging);
    for end in 0..=case.log.len() {
        // At each point of its life, and not only at the last.
        let order = replay(&case, &case.log[..end]).unwrap();
        assert_eq!(order.version(), end as u64);
    }
    assert_eq!(replay(&case, &case.log), Ok(case.order.clone()));
}
