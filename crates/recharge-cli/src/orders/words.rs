//! Each event in words.

use recharge_core::{
    Answer, Money, OrderState, ProviderId, QueryOutcome, Redactor, SubmitOutcome, UpstreamOrderId,
    UpstreamState,
};
use recharge_engine::{
    Decision, Event, Order, Person, Price, Purpose, Recorded, Verdict, WallTime,
};

use crate::output::plain;
use recharge_gateway::time::local;

/// An event in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What happened.
    pub what: String,
    /// What proves it: an upstream's answer, a person's reason. On one line, phone numbers masked.
    pub evidence: Option<String>,
}

/// Attempts as people count them.
pub(crate) const fn counted(index: u32) -> u32 {
    index.saturating_add(1)
}

/// An event of this order in words.
pub fn words(order: &Order, event: &Event) -> Words {
    let Told { what, evidence } = told(order, event);
    let shown = |text: String| {
        let account = order.what().account.as_str();
        plain(&Redactor::default().redact(&text, &[account]))
    };
    Words {
        what: plain(&what),
        evidence: evidence.filter(|text| !text.is_empty()).map(shown),
    }
}

/// As it is, before it is made fit to be shown.
struct Told {
    what: String,
    evidence: Option<String>,
}

impl Told {
    fn new(what: String, evidence: Option<String>) -> Self {
        Self { what, evidence }
    }
}

fn told(order: &Order, event: &Event) -> Told {
    match event {
        Event::SendIntended {
            attempt,
            number,
            provider,
            ..
        } => {
            let attempt = counted(*attempt);
            let what = format!("attempt {attempt} may go to {provider}, as {number}");
            Told::new(what, None)
        }
        Event::SendEnded {
            attempt, outcome, ..
        } => {
            let (what, evidence) = submit(outcome, &place(order, *attempt));
            Told::new(format!("attempt {}: {what}", counted(*attempt)), evidence)
        }
        Event::Answered {
            attempt,
            purpose,
            outcome,
            confirms_failure,
            after_quarantine,
            ..
        } => {
            let place = place(order, *attempt);
            let asked = asked(*attempt, *purpose, &place);
            let confirms = if *confirms_failure {
                ", for the second time"
            } else {
                ""
            };
            let after = if *after_quarantine {
                ", after the quarantine"
            } else {
                ""
            };
            let (said, evidence) = query(outcome);
            Told::new(format!("{asked}: {said}{confirms}{after}"), evidence)
        }
        Event::CallbackSeen {
            attempt,
            upstream_order_id,
            claims,
            asks,
        } => {
            let claims = claims.map_or("no state", UpstreamState::as_str);
            let then = if *asks { "; it is asked" } else { "" };
            let what = format!(
                "{} sent a genuine callback about attempt {} that claims {claims}{then}",
                place(order, *attempt),
                counted(*attempt)
            );
            Told::new(what, number(upstream_order_id.as_ref()))
        }
        Event::Approved { decision } => {
            let (by, verdict) = (&decision.by, verdict(&decision.verdict));
            let what = format!("{by} approved: {verdict}; it takes a second person");
            Told::new(what, Some(decision.evidence.clone()))
        }
        Event::Decided {
            decision,
            approved_by,
        } => decided(decision, approved_by.as_ref()),
        Event::AskedAgain { by } => Told::new(format!("{by} has it asked again"), None),
        Event::Moved { to, cause } => Told::new(format!("now {to}: {}", cause.meaning()), None),
        Event::Recovered => Told::new(RECOVERED.to_owned(), None),
        Event::Held => Told::new(HELD.to_owned(), None),
        Event::Probed {
            attempt,
            provider,
            outcome,
            ..
        } => {
            let (said, evidence) = query(outcome);
            let what = format!(
                "{provider} was asked about number {}, which may have been sent after the backup: {said}",
                counted(*attempt)
            );
            Told::new(what, evidence)
        }
        Event::Adopted {
            attempt,
            number,
            provider,
        } => {
            let attempt = counted(*attempt);
            let what =
                format!("{provider} knows attempt {attempt}, sent after the backup as {number}");
            Told::new(what, None)
        }
        Event::Priced {
            provider,
            price,
            passes,
        } => priced(provider, price, *passes),
        Event::Scheduled { due } => Told::new(next(*due), None),
    }
}

const RECOVERED: &str =
    "a start, a takeover, or a jump of the clock: what was under way is no longer";

const HELD: &str =
    "held: it comes from a restored backup, and is asked about before anything is sent";

fn asked(attempt: u32, purpose: Purpose, place: &str) -> String {
    let attempt = counted(attempt);
    match purpose {
        Purpose::CallbackCounts => format!("{place}'s callback about attempt {attempt} counts"),
        Purpose::Schedule
        | Purpose::AfterRejection
        | Purpose::BeforeNextAttempt
        | Purpose::Callback
        | Purpose::Person => {
            format!(
                "{place} was asked about attempt {attempt}, {}",
                why(purpose)
            )
        }
    }
}

fn decided(decision: &Decision, first: Option<&Person>) -> Told {
    let first = first.map_or_else(String::new, |first| format!(", after {first}"));
    let (by, verdict) = (&decision.by, verdict(&decision.verdict));
    let what = format!("{by} decided{first}: {verdict}");
    Told::new(what, Some(decision.evidence.clone()))
}

/// When something is next to be done.
fn next(due: Option<WallTime>) -> String {
    due.map_or_else(
        || "nothing more is to be done".to_owned(),
        |due| format!("next at {}", local(due)),
    )
}

pub(super) fn place(order: &Order, attempt: u32) -> String {
    order
        .attempt(attempt)
        .map_or_else(|| "the provider".to_owned(), |it| it.provider().to_string())
}

const fn why(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Schedule => "on schedule",
        Purpose::AfterRejection => "after the rejection",
        Purpose::BeforeNextAttempt => "before the next attempt",
        Purpose::Callback => "because of a callback, and only \"succeeded\" counts",
        Purpose::Person => "for a person",
        Purpose::CallbackCounts => "by its callback",
    }
}

fn submit(outcome: &SubmitOutcome, place: &str) -> (String, Option<String>) {
    match outcome {
        SubmitOutcome::Accepted(receipt) => {
            let id = receipt.upstream_order_id.as_ref();
            let evidence = joined(&[number(id), price(receipt.cost), said(&receipt.answer)]);
            (format!("{place} acknowledged it"), evidence)
        }
        SubmitOutcome::Rejected(rejection) => {
            let evidence = joined(&[said(&rejection.answer), rejection.advice.clone()]);
            (
                format!("{place} rejected it; this send was not taken"),
                evidence,
            )
        }
        SubmitOutcome::NotSent(not_sent) => (
            "not sent; not one byte left".to_owned(),
            Some(not_sent.reason.clone()),
        ),
        SubmitOutcome::Unknown(doubt) => (
            format!("nobody knows whether {place} took it"),
            joined(&[
                Some(doubt.detail.clone()),
                doubt.answer.as_ref().and_then(said),
            ]),
        ),
    }
}

fn query(outcome: &QueryOutcome) -> (&'static str, Option<String>) {
    match outcome {
        QueryOutcome::Found(sighting) => {
            let id = sighting.upstream_order_id.as_ref();
            let evidence = joined(&[number(id), price(sighting.cost), said(&sighting.answer)]);
            (sighting.state.as_str(), evidence)
        }
        QueryOutcome::NotFound(answer) => ("no such order", said(answer)),
        QueryOutcome::Unavailable(trouble) => (
            "not answered, which teaches nothing",
            joined(&[
                Some(trouble.detail.clone()),
                trouble.answer.as_ref().and_then(said),
            ]),
        ),
    }
}

fn priced(provider: &ProviderId, price: &Price, passes: bool) -> Told {
    match price {
        Price::Known(price) => {
            let verdict = if passes { "within" } else { "above" };
            let what = format!("{provider} would charge {price}, {verdict} the ceiling");
            Told::new(what, None)
        }
        Price::NoQuote => Told::new(
            format!("{provider} can't be asked for a price, so the ceiling can't be kept"),
            None,
        ),
        Price::Unavailable(why) => Told::new(
            format!("{provider} did not tell its price; nothing is sent before it does"),
            Some(why.clone()),
        ),
    }
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Succeeded => "it succeeded".to_owned(),
        Verdict::Failed => "it failed".to_owned(),
        Verdict::SendAgain { attempt } => format!("send attempt {} again", counted(*attempt)),
        Verdict::SendElsewhere { provider } => format!("send it by {provider}"),
        Verdict::Cancel => "cancel it".to_owned(),
    }
}

/// Code and message on one line; `None` where there is neither.
fn said(answer: &Answer) -> Option<String> {
    match (answer.code.as_str(), answer.message.as_str()) {
        ("", "") => None,
        ("", message) => Some(message.to_owned()),
        (code, "") => Some(format!("code {code}")),
        (code, message) => Some(format!("code {code}: {message}")),
    }
}

fn number(id: Option<&UpstreamOrderId>) -> Option<String> {
    id.map(|id| format!("upstream id {id}"))
}

fn price(cost: Option<Money>) -> Option<String> {
    cost.map(|cost| format!("price {cost}"))
}

fn joined(parts: &[Option<String>]) -> Option<String> {
    let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What became of an order, in a sentence: why it stands where it stands, and what was last said about
/// it.
pub fn latest(order: &Order, log: &[Recorded]) -> String {
    let moved = log.iter().rev().find_map(|recorded| {
        if let Event::Moved { cause, .. } = &recorded.event {
            return Some(cause.meaning().to_owned());
        }
        None
    });
    let tells = |event: &&Event| {
        matches!(
            event,
            Event::SendEnded { .. } | Event::Answered { .. } | Event::Decided { .. }
        )
    };
    let mut told = log
        .iter()
        .rev()
        .map(|recorded| &recorded.event)
        .filter(tells);
    let said = told.find_map(|event| words(order, event).evidence);
    joined(&[moved, said]).unwrap_or_default()
}

/// Why an order is on the desk, if it is.
pub(crate) const fn reason(state: OrderState) -> Option<&'static str> {
    match state {
        OrderState::Review(reason) => Some(reason.as_str()),
        OrderState::Pending
        | OrderState::Submitting
        | OrderState::Charging
        | OrderState::Unknown
        | OrderState::Succeeded
        | OrderState::Failed => None,
    }
}
