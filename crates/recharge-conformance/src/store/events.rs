//! Every kind of event comes back as it was.

use std::collections::BTreeSet;

use recharge_core::{
    Answer, AttemptNumber, Doubt, DoubtKind, Money, NotSent, OrderState, ProviderId, QueryOutcome,
    Receipt, Rejection, ReviewReason, Sighting, SubmitOutcome, Unavailable, UnavailableKind,
    UpstreamOrderId, UpstreamState,
};
use recharge_engine::{Cause, Decision, Event, Order, Person, Price, Purpose, SendToken, Verdict};

use super::kit::{Scene, answer, person, provider, wall};

/// A step of each event, and one of all of them together.
pub async fn every_kind_of_event_comes_back(mut scene: Scene) {
    let number = |scene: &Scene, order: &Order| {
        let what = order.what();
        scene
            .session
            .numbers
            .derive(&what.merchant, &what.order_id, 0)
    };
    let alone = scene.accept(scene.fresh(0)).await;
    let together = scene.accept(scene.fresh(0)).await;
    let mut order = alone.order.clone();
    for event in events(&scene, number(&scene, &order)) {
        order = scene
            .append(alone.key, scene.by_hand(&order, [event]))
            .await;
    }
    let all = events(&scene, number(&scene, &together.order));
    let kinds: BTreeSet<_> = all.iter().map(kind).collect();
    assert!(kinds.into_iter().eq(0..=LAST), "an event is missing here");
    let step = scene.by_hand(&together.order, all);
    let whole = scene.append(together.key, step.clone()).await;
    for _ in 0..2 {
        assert_eq!(scene.store.log(together.key).await.unwrap(), step.events);
        assert_eq!(scene.read(together.key).await.order, whole);
        assert_eq!(scene.read(alone.key).await.order, order);
        scene.crash().await;
    }
}

/// The last of [`kind`].
const LAST: u8 = 13;

/// A number for each kind, without a wildcard: a new one must be given a place here, and an example.
const fn kind(event: &Event) -> u8 {
    match event {
        Event::SendIntended { .. } => 0,
        Event::SendEnded { .. } => 1,
        Event::Answered { .. } => 2,
        Event::CallbackSeen { .. } => 3,
        Event::Approved { .. } => 4,
        Event::Decided { .. } => 5,
        Event::AskedAgain { .. } => 6,
        Event::Moved { .. } => 7,
        Event::Recovered => 8,
        Event::Held => 9,
        Event::Probed { .. } => 10,
        Event::Adopted { .. } => 11,
        Event::Priced { .. } => 12,
        Event::Scheduled { .. } => LAST,
    }
}

/// Texts with what must survive: quotes, backslashes, other scripts, a NUL.
const WILD: &str = "it's \"so\"\\ \u{0} 成功 \u{1f4b0}\n";

fn wild() -> Answer {
    Answer::restored(WILD.to_owned(), WILD.to_owned(), WILD.to_owned())
}

fn events(scene: &Scene, number: AttemptNumber) -> Vec<Event> {
    let mut events = sends(number);
    events.extend(answers(scene));
    events.extend(people());
    events.push(Event::Recovered);
    events.push(Event::Held);
    events.extend(moves());
    let outcome = QueryOutcome::Unavailable(Unavailable::new(UnavailableKind::Denied, WILD));
    events.push(Event::Probed {
        attempt: 3,
        provider: provider(),
        asked: scene.at(77),
        outcome,
    });
    events.push(Event::Adopted {
        attempt: 0,
        number,
        provider: provider(),
    });
    let prices = [
        Price::Known(Money::from_thousandths(49_875).unwrap()),
        Price::NoQuote,
        Price::Unavailable(WILD.to_owned()),
    ];
    for (price, passes) in prices.into_iter().zip([true, false, false]) {
        events.push(Event::Priced {
            provider: provider(),
            price,
            passes,
        });
    }
    for due in [None, Some(wall(123_456_789))] {
        events.push(Event::Scheduled { due });
    }
    events
}

fn sends(number: AttemptNumber) -> Vec<Event> {
    let token = SendToken(u128::MAX - 5);
    let mut receipt = Receipt::new(wild());
    receipt.cost = Money::from_thousandths(49_900);
    receipt.upstream_order_id = UpstreamOrderId::parse("J-1").ok();
    let mut rejection = Rejection::new(answer());
    rejection.advice = Some(WILD.to_owned());
    let mut outcomes = vec![
        SubmitOutcome::Accepted(receipt),
        SubmitOutcome::Rejected(rejection),
        SubmitOutcome::NotSent(NotSent::new(WILD)),
    ];
    for kind in DoubtKind::ALL {
        let doubt = Doubt::new(kind, WILD).with_answer(wild());
        outcomes.push(SubmitOutcome::Unknown(doubt));
    }
    let mut events = vec![Event::SendIntended {
        attempt: 0,
        number,
        provider: provider(),
        token,
    }];
    events.extend(outcomes.into_iter().map(|outcome| Event::SendEnded {
        attempt: 0,
        token,
        outcome,
    }));
    events
}

fn answers(scene: &Scene) -> Vec<Event> {
    let mut outcomes = vec![QueryOutcome::NotFound(wild())];
    for state in UpstreamState::ALL {
        let mut sighting = Sighting::new(state, wild());
        sighting.cost = Money::from_thousandths(1);
        sighting.upstream_order_id = UpstreamOrderId::parse("J-2").ok();
        outcomes.push(QueryOutcome::Found(sighting));
    }
    for kind in UnavailableKind::ALL {
        outcomes.push(QueryOutcome::Unavailable(Unavailable::new(kind, WILD)));
    }
    let purposes = [
        Purpose::Schedule,
        Purpose::AfterRejection,
        Purpose::BeforeNextAttempt,
        Purpose::Callback,
        Purpose::Person,
        Purpose::CallbackCounts,
    ];
    let mut events: Vec<_> = outcomes
        .into_iter()
        .zip(purposes.into_iter().cycle())
        .zip(0_u8..)
        .map(|((outcome, purpose), n)| Event::Answered {
            attempt: 0,
            asked: scene.at(u64::from(n)),
            purpose,
            outcome,
            confirms_failure: n & 1 != 0,
            after_quarantine: n & 2 != 0,
            completes_round: n & 4 != 0,
        })
        .collect();
    for claims in [None, Some(UpstreamState::Failed)] {
        events.push(Event::CallbackSeen {
            attempt: 0,
            upstream_order_id: claims.and_then(|_| UpstreamOrderId::parse("J-3").ok()),
            claims,
            asks: claims.is_some(),
        });
    }
    events
}

fn people() -> Vec<Event> {
    let verdicts = [
        Verdict::Succeeded,
        Verdict::Failed,
        Verdict::SendAgain { attempt: 0 },
        Verdict::SendElsewhere {
            provider: ProviderId::parse("second").unwrap(),
        },
        Verdict::Cancel,
    ];
    let by = Person::unauthenticated("王 五", "root").unwrap();
    let mut events = vec![Event::AskedAgain { by: by.clone() }];
    for verdict in verdicts {
        let decision = Decision {
            verdict,
            by: by.clone(),
            evidence: WILD.to_owned(),
            seen: 3,
        };
        events.push(Event::Approved {
            decision: decision.clone(),
        });
        events.push(Event::Decided {
            decision: decision.clone(),
            approved_by: Some(person("Han Meimei")),
        });
        events.push(Event::Decided {
            decision,
            approved_by: None,
        });
    }
    events
}

fn moves() -> Vec<Event> {
    let review = OrderState::Review;
    [
        (OrderState::Submitting, Cause::SendIntended),
        (OrderState::Unknown, Cause::Doubt),
        (
            review(ReviewReason::ProbablyNotTaken),
            Cause::ProbablyNotTaken,
        ),
        (OrderState::Failed, Cause::Decided),
        (review(ReviewReason::Contradiction), Cause::Contradiction),
        (OrderState::Succeeded, Cause::Decided),
        (review(ReviewReason::Contradiction), Cause::Contradiction),
    ]
    .map(|(to, cause)| Event::Moved { to, cause })
    .into()
}
