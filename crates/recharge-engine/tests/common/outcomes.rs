//! What upstreams tell, without the detail.

use recharge_core::{
    Answer, Doubt, DoubtKind, NotSent, QueryOutcome, Receipt, Redactor, Rejection, Sighting,
    SubmitOutcome, Unavailable, UnavailableKind, UpstreamOrderId, UpstreamState,
};

pub(crate) fn answer(code: &str) -> Answer {
    Answer::new(&Redactor::default(), &[], code, "", "")
}

pub(crate) fn accepted() -> SubmitOutcome {
    SubmitOutcome::Accepted(Receipt::new(answer("0")))
}

pub(crate) fn accepted_as(upstream: &str) -> SubmitOutcome {
    let mut receipt = Receipt::new(answer("0"));
    receipt.upstream_order_id = Some(UpstreamOrderId::parse(upstream).unwrap());
    SubmitOutcome::Accepted(receipt)
}

pub(crate) fn rejected() -> SubmitOutcome {
    SubmitOutcome::Rejected(Rejection::new(answer("208501")))
}

pub(crate) fn not_sent() -> SubmitOutcome {
    SubmitOutcome::NotSent(NotSent::new("connection refused"))
}

pub(crate) fn unknown() -> SubmitOutcome {
    SubmitOutcome::Unknown(Doubt::new(DoubtKind::NoAnswer, "timeout"))
}

pub(crate) fn found(state: UpstreamState) -> QueryOutcome {
    QueryOutcome::Found(Sighting::new(state, answer("0")))
}

pub(crate) fn charging() -> QueryOutcome {
    found(UpstreamState::Charging)
}

pub(crate) fn succeeded() -> QueryOutcome {
    found(UpstreamState::Succeeded)
}

pub(crate) fn failed() -> QueryOutcome {
    found(UpstreamState::Failed)
}

pub(crate) fn not_found() -> QueryOutcome {
    QueryOutcome::NotFound(answer("208509"))
}

pub(crate) fn unavailable() -> QueryOutcome {
    QueryOutcome::Unavailable(Unavailable::new(UnavailableKind::RateLimited, "10012"))
}
