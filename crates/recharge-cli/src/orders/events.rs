//! Each event as JSON.

use recharge_core::{Answer, QueryOutcome, SubmitOutcome, UpstreamOrderId, UpstreamState};
use recharge_engine::{Decision, Event, Order, Person, Price, Recorded, Verdict};
use serde_json::{Value, json};

use super::words::{counted, place, reason, words};
use crate::output;
use recharge_gateway::time::rfc3339;

/// An event as JSON. Which fields it has follows from `event`; `what` and `evidence` are for people.
pub fn json(order: &Order, recorded: &Recorded) -> Value {
    let words = words(order, &recorded.event);
    let mut told = fields(order, &recorded.event);
    told["version"] = recorded.version.into();
    told["at"] = rfc3339(recorded.at.wall).into();
    told["what"] = words.what.into();
    told["evidence"] = words.evidence.into();
    told
}

fn fields(order: &Order, event: &Event) -> Value {
    match event {
        Event::SendIntended {
            attempt,
            number,
            provider,
            ..
        } => json!({
            "event": "send_intended",
            "attempt": counted(*attempt),
            "number": number.as_str(),
            "provider": provider.as_str(),
        }),
        Event::SendEnded {
            attempt, outcome, ..
        } => {
            let (outcome, answer) = submit(outcome);
            json!({
                "event": "send_ended",
                "attempt": counted(*attempt),
                "provider": place(order, *attempt),
                "outcome": outcome,
                "answer": answer.map(output::answer),
            })
        }
        Event::Answered {
            attempt,
            asked,
            purpose,
            outcome,
            confirms_failure,
            after_quarantine,
            ..
        } => {
            let mut told = asked_json("answered", *attempt, &place(order, *attempt), outcome);
            told["asked"] = rfc3339(asked.wall).into();
            told["purpose"] = purpose.as_str().into();
            told["confirms_failure"] = (*confirms_failure).into();
            told["after_quarantine"] = (*after_quarantine).into();
            told
        }
        Event::CallbackSeen {
            attempt,
            upstream_order_id,
            claims,
            asks,
        } => json!({
            "event": "callback_seen",
            "attempt": counted(*attempt),
            "upstream_id": upstream_order_id.as_ref().map(UpstreamOrderId::as_str),
            "claims": claims.map(UpstreamState::as_str),
            "asks": asks,
        }),
        Event::Approved { decision } => decision_json("approved", decision, None),
        Event::Decided {
            decision,
            approved_by,
        } => decision_json("decided", decision, approved_by.as_ref()),
        Event::AskedAgain { by } => json!({ "event": "asked_again", "by": person_json(by) }),
        Event::Moved { to, cause } => json!({
            "event": "moved",
            "state": to.as_str(),
            "review_reason": reason(*to),
            "cause": cause.as_str(),
        }),
        Event::Recovered => json!({ "event": "recovered" }),
        Event::Held => json!({ "event": "held" }),
        Event::Probed {
            attempt,
            provider,
            asked,
            outcome,
        } => {
            let mut told = asked_json("probed", *attempt, provider.as_str(), outcome);
            told["asked"] = rfc3339(asked.wall).into();
            told
        }
        Event::Adopted {
            attempt,
            number,
            provider,
        } => json!({
            "event": "adopted",
            "attempt": counted(*attempt),
            "number": number.as_str(),
            "provider": provider.as_str(),
        }),
        Event::Priced {
            provider,
            price,
            passes,
        } => json!({
            "event": "priced",
            "provider": provider.as_str(),
            "price": known(price),
            "passes": passes,
        }),
        Event::Scheduled { due } => json!({ "event": "scheduled", "due": due.map(rfc3339) }),
    }
}

fn known(price: &Price) -> Option<String> {
    match price {
        Price::Known(price) => Some(price.to_string()),
        Price::NoQuote | Price::Unavailable(_) => None,
    }
}

fn submit(outcome: &SubmitOutcome) -> (&'static str, Option<&Answer>) {
    match outcome {
        SubmitOutcome::Accepted(receipt) => ("accepted", Some(&receipt.answer)),
        SubmitOutcome::Rejected(rejection) => ("rejected", Some(&rejection.answer)),
        SubmitOutcome::NotSent(_) => ("not_sent", None),
        SubmitOutcome::Unknown(doubt) => ("unknown", doubt.answer.as_ref()),
    }
}

fn asked_json(event: &str, attempt: u32, provider: &str, outcome: &QueryOutcome) -> Value {
    let (said, answer) = match outcome {
        QueryOutcome::Found(sighting) => (sighting.state.as_str(), Some(&sighting.answer)),
        QueryOutcome::NotFound(answer) => ("not_found", Some(answer)),
        QueryOutcome::Unavailable(trouble) => ("unavailable", trouble.answer.as_ref()),
    };
    json!({
        "event": event,
        "attempt": counted(attempt),
        "provider": provider,
        "outcome": said,
        "answer": answer.map(output::answer),
    })
}

fn decision_json(event: &str, decision: &Decision, first: Option<&Person>) -> Value {
    let (name, attempt, provider) = match &decision.verdict {
        Verdict::Succeeded => ("succeeded", None, None),
        Verdict::Failed => ("failed", None, None),
        Verdict::SendAgain { attempt } => ("send-again", Some(counted(*attempt)), None),
        Verdict::SendElsewhere { provider } => ("send-elsewhere", None, Some(provider.as_str())),
        Verdict::Cancel => ("cancel", None, None),
    };
    json!({
        "event": event,
        "decision": name,
        "attempt": attempt,
        "provider": provider,
        "by": person_json(&decision.by),
        "approved_by": first.map(person_json),
        "seen": decision.seen,
    })
}

fn person_json(person: &Person) -> Value {
    json!({ "name": person.name(), "system_user": person.system_user() })
}
