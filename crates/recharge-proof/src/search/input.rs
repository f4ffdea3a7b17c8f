//! What comes in to a step, and what it asks to be done: made, and compared.

use std::hash::{Hash, Hasher};

use recharge_core::{
    Answer, Doubt, DoubtKind, NotSent, QueryOutcome, Receipt, Redactor, Rejection, Sighting,
    SubmitOutcome, Unavailable, UnavailableKind, UpstreamState,
};
use recharge_engine::{Effect, Input};

use super::ledger::{Say, say};
use super::upstream::Reply;
use super::world::Answer as Told;

fn answer() -> Answer {
    Answer::new(&Redactor::default(), &[], "", "", "")
}

pub(crate) fn submit_outcome(reply: Reply) -> SubmitOutcome {
    match reply {
        Reply::Accepted => SubmitOutcome::Accepted(Receipt::new(answer())),
        Reply::Rejected => SubmitOutcome::Rejected(Rejection::new(answer())),
        Reply::NotSent => SubmitOutcome::NotSent(NotSent::new("")),
        Reply::Unknown => SubmitOutcome::Unknown(Doubt::new(DoubtKind::NoAnswer, "")),
    }
}

pub(crate) fn query_outcome(told: Told) -> QueryOutcome {
    let found = |state| QueryOutcome::Found(Sighting::new(state, answer()));
    match told {
        Told::Says(Say::Charging) => found(UpstreamState::Charging),
        Told::Says(Say::Succeeded) => found(UpstreamState::Succeeded),
        Told::Says(Say::Failed) => found(UpstreamState::Failed),
        Told::Says(Say::NoSuchOrder) => QueryOutcome::NotFound(answer()),
        Told::Nothing => {
            QueryOutcome::Unavailable(Unavailable::new(UnavailableKind::RateLimited, ""))
        }
    }
}

/// What tells two facts apart that are to be stepped again. Their moments and tokens are written down with
/// the order.
pub(crate) fn likeness(input: &Input, out: &mut impl Hasher) {
    match input {
        Input::SubmitEnded {
            attempt, outcome, ..
        } => {
            let outcome = match outcome {
                SubmitOutcome::Accepted(_) => 0_u8,
                SubmitOutcome::Rejected(_) => 1,
                SubmitOutcome::NotSent(_) => 2,
                SubmitOutcome::Unknown(_) => 3,
            };
            (1_u8, attempt, outcome).hash(out);
        }
        Input::QueryEnded {
            attempt,
            purpose,
            outcome,
            ..
        } => {
            let said = say(outcome, recharge_engine::Purpose::Schedule);
            (2_u8, attempt, purpose, said).hash(out);
        }
        Input::Callback {
            attempt,
            claims,
            covers_state,
            ..
        } => (3_u8, attempt, claims, covers_state).hash(out),
        Input::Probed {
            attempt,
            provider,
            outcome,
            ..
        } => {
            let said = say(outcome, recharge_engine::Purpose::Schedule);
            (4_u8, attempt, provider, said).hash(out);
        }
        Input::Due { .. } => out.write_u8(5),
        Input::Recovered { restored, .. } => (6_u8, restored).hash(out),
        Input::Priced { .. } => out.write_u8(7),
        Input::Command(_) => out.write_u8(8),
    }
}

pub(crate) fn effect(effect: &Effect, out: &mut impl Hasher) {
    match effect {
        Effect::Submit { attempt, .. } => (1_u8, attempt).hash(out),
        Effect::Query {
            attempt, purpose, ..
        } => (2_u8, attempt, purpose).hash(out),
        Effect::Probe {
            attempt, provider, ..
        } => (3_u8, attempt, provider).hash(out),
        Effect::Quote { provider } => (4_u8, provider).hash(out),
    }
}
