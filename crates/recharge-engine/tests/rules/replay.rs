//! A log read back: it is the order, or it is refused.

use recharge_core::OrderState;
use recharge_engine::{ApplyError, Cause, Event, Order, Recorded};

use crate::common::outcomes::{accepted, charging, succeeded};
use crate::common::{Case, new_order};

/// An order that was taken, asked about twice, and ended.
fn ended() -> Case {
    let mut case = Case::new().sent(accepted());
    case.round(charging());
    case.round(succeeded());
    assert_eq!(case.state(), OrderState::Succeeded);
    case
}

fn replay(case: &Case, log: &[Recorded]) -> Result<Order, ApplyError> {
    Order::replay(new_order(), case.accepted, log)
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
