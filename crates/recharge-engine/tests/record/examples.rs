//! One event of every kind, with every kind of what it can hold.

use std::time::Duration;

use recharge_core::{
    Answer, AttemptNumber, Doubt, DoubtKind, NotSent, OrderState, ProviderId, QueryOutcome,
    Receipt, Rejection, ReviewReason, Sighting, SubmitOutcome, Unavailable, UnavailableKind,
    UpstreamOrderId, UpstreamState,
};
use recharge_engine::{
    Cause, Decision, Epoch, Event, Moment, Person, Price, Purpose, Recorded, SendToken, Verdict,
    WallTime,
};

/// The names of all kinds of events.
pub(crate) const KINDS: [&str; 14] = [
    "send_intended",
    "send_ended",
    "answered",
    "callback_seen",
    "approved",
    "decided",
    "asked_again",
    "moved",
    "recovered",
    "held",
    "probed",
    "adopted",
    "priced",
    "scheduled",
];

/// The kind of an event. A new kind doesn't compile here before it has a name, and an example below.
pub(crate) const fn kind(event: &Event) -> &'static str {
    match event {
        Event::SendIntended { .. } => "send_intended",
        Event::SendEnded { .. } => "send_ended",
        Event::Answered { .. } => "answered",
        Event::CallbackSeen { .. } => "callback_seen",
        Event::Approved { .. } => "approved",
        Event::Decided { .. } => "decided",
        Event::AskedAgain { .. } => "asked_again",
        Event::Moved { .. } => "moved",
        Event::Recovered => "recovered",
        Event::Held => "held",
        Event::Probed { .. } => "probed",
        Event::Adopted { .. } => "adopted",
        Event::Priced { .. } => "priced",
        Event::Scheduled { .. } => "scheduled",
    }
}

pub(crate) fn moment() -> Moment {
    Moment {
        wall: WallTime::from_millis(1_800_000_000_123),
        epoch: Epoch(7),
        monotonic: Duration::new(61, 5),
    }
}

pub(crate) fn recorded(event: Event) -> Recorded {
    Recorded {
        version: 9,
        at: moment(),
        event,
    }
}

/// Text that JSON has to escape, and text of others.
fn answer() -> Answer {
    Answer::restored(
        "10014".to_owned(),
        "系统内部异常 \"x\"\\\n".to_owned(),
        "{\"error_code\":10014,\"reason\":\"系统内部异常\"}\u{1}".to_owned(),
    )
}

fn number() -> AttemptNumber {
    AttemptNumber::from_bits(&[0xa5; 17])
}

fn provider() -> ProviderId {
    ProviderId::parse("juhe").unwrap()
}

fn upstream() -> UpstreamOrderId {
    UpstreamOrderId::parse("J20270115").unwrap()
}

fn asked() -> Moment {
    Moment {
        wall: WallTime::from_millis(-1),
        epoch: Epoch(0),
        monotonic: Duration::from_nanos(1),
    }
}

const TOKEN: SendToken = SendToken(0x00ab_cdef);

fn submit_outcomes() -> Vec<SubmitOutcome> {
    let mut full = Receipt::new(answer());
    full.upstream_order_id = Some(upstream());
    full.reported = UpstreamState::Succeeded;
    full.cost = Some("99.655".parse().unwrap());
    let mut advised = Rejection::new(answer());
    advised.advice = Some("top up the balance".to_owned());
    let mut outcomes = vec![
        SubmitOutcome::Accepted(Receipt::new(Answer::restored(
            String::new(),
            String::new(),
            String::new(),
        ))),
        SubmitOutcome::Accepted(full),
        SubmitOutcome::Rejected(Rejection::new(answer())),
        SubmitOutcome::Rejected(advised),
        SubmitOutcome::NotSent(NotSent::new("connection refused")),
        SubmitOutcome::Unknown(Doubt::new(DoubtKind::HttpStatus, "502").with_answer(answer())),
    ];
    let doubts = DoubtKind::ALL.map(|kind| SubmitOutcome::Unknown(Doubt::new(kind, "detail")));
    outcomes.extend(doubts);
    outcomes
}

fn query_outcomes() -> Vec<QueryOutcome> {
    let mut full = Sighting::new(UpstreamState::Succeeded, answer());
    full.upstream_order_id = Some(upstream());
    full.cost = Some("99.65".parse().unwrap());
    let trouble = Unavailable::new(UnavailableKind::Code, "10020").with_answer(answer());
    let mut outcomes = vec![
        QueryOutcome::Found(full),
        QueryOutcome::NotFound(answer()),
        QueryOutcome::Unavailable(trouble),
    ];
    let found = |state| QueryOutcome::Found(Sighting::new(state, answer()));
    outcomes.extend(UpstreamState::ALL.map(found));
    let trouble = |kind| QueryOutcome::Unavailable(Unavailable::new(kind, "detail"));
    outcomes.extend(UnavailableKind::ALL.map(trouble));
    outcomes
}

fn verdicts() -> [Verdict; 5] {
    [
        Verdict::Succeeded,
        Verdict::Failed,
        Verdict::SendAgain { attempt: 1 },
        Verdict::SendElsewhere {
            provider: provider(),
        },
        Verdict::Cancel,
    ]
}

pub(crate) fn states() -> Vec<OrderState> {
    let mut states = vec![
        OrderState::Pending,
        OrderState::Submitting,
        OrderState::Charging,
        OrderState::Unknown,
        OrderState::Succeeded,
        OrderState::Failed,
    ];
    states.extend(ReviewReason::ALL.map(OrderState::Review));
    states
}

fn decision(verdict: Verdict, by: Person) -> Decision {
    Decision {
        verdict,
        by,
        evidence: "工单 7: the carrier's \"statement\"".to_owned(),
        seen: 8,
    }
}

/// The examples, in the order of [`KINDS`].
pub(crate) fn events() -> Vec<Event> {
    let ann = || Person::authenticated("Ann 安").unwrap();
    let bob = || Person::unauthenticated("bob", "root").unwrap();
    let mut events = vec![Event::SendIntended {
        attempt: 0,
        number: number(),
        provider: provider(),
        token: TOKEN,
    }];
    events.extend(
        submit_outcomes()
            .into_iter()
            .map(|outcome| Event::SendEnded {
                attempt: 1,
                token: SendToken(u128::MAX),
                outcome,
            }),
    );
    let outcomes = query_outcomes();
    let answered = |purpose, outcome: &QueryOutcome, flags: [bool; 3]| Event::Answered {
        attempt: 0,
        asked: asked(),
        purpose,
        outcome: outcome.clone(),
        confirms_failure: flags[0],
        after_quarantine: flags[1],
        completes_round: flags[2],
    };
    for outcome in &outcomes {
        events.push(answered(Purpose::Schedule, outcome, [false; 3]));
    }
    for purpose in Purpose::ALL {
        events.push(answered(purpose, &outcomes[1], [false; 3]));
    }
    for flags in [
        [true, false, false],
        [false, true, false],
        [false, false, true],
    ] {
        events.push(answered(Purpose::Schedule, &outcomes[1], flags));
    }
    events.push(Event::CallbackSeen {
        attempt: 0,
        upstream_order_id: None,
        claims: None,
        asks: true,
    });
    events.extend(UpstreamState::ALL.map(|state| Event::CallbackSeen {
        attempt: 0,
        upstream_order_id: Some(upstream()),
        claims: Some(state),
        asks: false,
    }));
    events.extend(verdicts().map(|verdict| Event::Approved {
        decision: decision(verdict, ann()),
    }));
    events.extend(verdicts().map(|verdict| Event::Decided {
        decision: decision(verdict, bob()),
        approved_by: None,
    }));
    events.extend([ann(), bob()].map(|first| Event::Decided {
        decision: decision(Verdict::Failed, ann()),
        approved_by: Some(first),
    }));
    events.extend([ann(), bob()].map(|by| Event::AskedAgain { by }));
    events.extend(states().into_iter().map(|to| Event::Moved {
        to,
        cause: Cause::Decided,
    }));
    events.extend(Cause::ALL.map(|cause| Event::Moved {
        to: OrderState::Pending,
        cause,
    }));
    events.extend([Event::Recovered, Event::Held]);
    events.extend(outcomes.into_iter().take(3).map(|outcome| Event::Probed {
        attempt: 2,
        provider: provider(),
        asked: asked(),
        outcome,
    }));
    events.push(Event::Adopted {
        attempt: 3,
        number: number(),
        provider: provider(),
    });
    let prices = [
        (Price::Known("99.5".parse().unwrap()), false),
        (Price::NoQuote, true),
        (Price::Unavailable("timeout".to_owned()), false),
    ];
    events.extend(prices.map(|(price, passes)| Event::Priced {
        provider: provider(),
        price,
        passes,
    }));
    let due = [None, Some(WallTime::from_millis(1_800_000_000_000))];
    events.extend(due.map(|due| Event::Scheduled { due }));
    events
}
