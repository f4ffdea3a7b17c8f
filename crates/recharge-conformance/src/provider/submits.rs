//! Cases about submits.

use std::time::Instant;

use recharge_core::{
    Account, AccountKind, FaceValue, ProviderExt, SubmitOutcome, SubmitRequest, UpstreamState,
};

use super::law::{Trial, accepted, ensure, found, kinds, submits, submits_once};
use super::{Bench, Failure, OnSubmit, SubmitArm};

/// How many orders meet a situation that varies from order to order.
const VARIANTS: usize = 8;

/// Nothing goes wrong: the order is accepted, and the books have it once, as it was ordered.
pub async fn a_healthy_order_is_accepted_and_booked(bench: &dyn Bench) -> Result<(), Failure> {
    for kind in kinds(bench)? {
        let trial = Trial::healthy(bench, kind);
        ensure!(
            trial.provider.sells(&trial.order),
            "the bench's sample order of kind {kind} is not on offer"
        );
        accepted(&trial).await?;
    }
    Ok(())
}

/// Each face value that is declared is really sold, with each carrier that can be named.
pub async fn every_face_value_on_offer_is_taken(bench: &dyn Bench) -> Result<(), Failure> {
    for offer in &bench.provider().capabilities().offers {
        for amount in &offer.face_values {
            let mut order = bench.order(offer.kind);
            order.amount = *amount;
            accepted(&Trial::of(bench, order)).await?;
        }
        for carrier in &offer.carriers {
            let mut order = bench.order(offer.kind);
            order.carrier = Some(*carrier);
            accepted(&Trial::of(bench, order)).await?;
        }
    }
    Ok(())
}

/// What is not on offer is refused or not even sent: another face value, another kind of account, an
/// order without the carrier that has to be named.
pub async fn what_is_not_on_offer_is_not_taken(bench: &dyn Bench) -> Result<(), Failure> {
    let provider = bench.provider();
    let offered = kinds(bench)?;
    let mut wrong = Vec::new();
    for offer in &provider.capabilities().offers {
        let mut order = bench.order(offer.kind);
        order.amount = other_face_value(&offer.face_values)?;
        wrong.push(order);
        if !offer.carriers.is_empty() {
            let mut order = bench.order(offer.kind);
            order.carrier = None;
            wrong.push(order);
        }
    }
    for kind in AccountKind::ALL {
        if let (false, Some(first)) = (offered.contains(&kind), offered.first()) {
            let like = bench.order(*first);
            wrong.push(SubmitRequest::new(like.number, sample(kind)?, like.amount));
        }
    }
    for order in wrong {
        let trial = Trial::of(bench, order);
        ensure!(
            !trial.provider.sells(&trial.order),
            "the provider says that it sells what it doesn't offer"
        );
        let outcome = trial.submit().await?;
        let arm = SubmitArm::of(&outcome);
        ensure!(
            matches!(arm, SubmitArm::Rejected | SubmitArm::NotSent),
            "an order that is not on offer must be refused; {}",
            trial.what(&outcome)
        );
    }
    Ok(())
}

/// A code that says "not accepted" is believed, and the books agree.
pub async fn a_refusal_is_rejected_and_never_charged(bench: &dyn Bench) -> Result<(), Failure> {
    varied(bench, OnSubmit::Refused).await
}

/// Nobody listens, or the port closes at once.
pub async fn without_a_connection_nothing_was_sent(bench: &dyn Bench) -> Result<(), Failure> {
    submits(bench, &[OnSubmit::NoConnection, OnSubmit::ClosedAtAccept]).await
}

/// A send deadline that has passed keeps the order back.
pub async fn past_its_deadline_an_order_is_not_sent(bench: &dyn Bench) -> Result<(), Failure> {
    for kind in kinds(bench)? {
        let mut order = bench.order(kind);
        // A moment ago by the time that the provider looks at it: the clock never goes back.
        order.send_before = Some(Instant::now());
        let trial = Trial::of(bench, order);
        let outcome = trial.submit().await?;
        ensure!(
            SubmitArm::of(&outcome) == SubmitArm::NotSent,
            "past its deadline an order must not be sent; {}",
            trial.what(&outcome)
        );
    }
    Ok(())
}

/// The request went out and no whole answer came, whether it was taken or not.
pub async fn no_answer_is_unknown(bench: &dyn Bench) -> Result<(), Failure> {
    use OnSubmit::{AnswerLost, CutOff, NeverAnswered, NeverAnsweredTaken, Reset};
    submits(bench, &[Reset, AnswerLost, CutOff]).await?;
    // These take as long as the provider's patience lasts: one kind of account must do.
    for situation in [NeverAnswered, NeverAnsweredTaken] {
        once(bench, situation).await?;
    }
    Ok(())
}

/// The upstream takes an order when its client has long given up.
pub async fn a_late_acceptance_was_unknown(bench: &dyn Bench) -> Result<(), Failure> {
    once(bench, OnSubmit::TakenLate).await
}

/// 5xx says nothing about the order.
pub async fn a_server_error_is_unknown(bench: &dyn Bench) -> Result<(), Failure> {
    submits(bench, &[OnSubmit::ServerError, OnSubmit::ServerErrorTaken]).await
}

/// A page of HTML says nothing about the order, whatever its status.
pub async fn a_page_of_html_is_unknown(bench: &dyn Bench) -> Result<(), Failure> {
    submits(bench, &[OnSubmit::Html, OnSubmit::HtmlTaken]).await
}

/// What can't be read proves nothing, and its text is kept.
pub async fn an_unreadable_answer_is_unknown(bench: &dyn Bench) -> Result<(), Failure> {
    use OnSubmit::{Dripping, DuplicateKey, Garbled, Huge, Truncated, WrongTyped};
    let unreadable = [Truncated, Garbled, WrongTyped, DuplicateKey, Huge, Dripping];
    submits(bench, &unreadable).await
}

/// Trouble, codes that sound like a failure and codes that nobody knows prove nothing.
pub async fn a_code_that_proves_nothing_is_unknown(bench: &dyn Bench) -> Result<(), Failure> {
    use OnSubmit::{
        SoundsFailed, SoundsFailedTaken, SystemError, SystemErrorTaken, UnlistedCode,
        UnlistedCodeTaken,
    };
    let codes = [
        SystemError,
        SystemErrorTaken,
        SoundsFailed,
        SoundsFailedTaken,
        UnlistedCode,
        UnlistedCodeTaken,
    ];
    submits(bench, &codes).await
}

/// "This number exists" is neither a refusal nor an acceptance: an order of that number may be charging.
pub async fn a_duplicate_number_is_unknown(bench: &dyn Bench) -> Result<(), Failure> {
    submits(
        bench,
        &[OnSubmit::DuplicateCode, OnSubmit::DuplicateCodeTaken],
    )
    .await?;
    if !bench.provider().capabilities().refuses_duplicates {
        return Ok(());
    }
    for kind in kinds(bench)? {
        let trial = Trial::healthy(bench, kind);
        accepted(&trial).await?;
        let outcome = trial.submit().await?;
        let what = trial.what(&outcome);
        ensure!(
            SubmitArm::of(&outcome) == SubmitArm::Unknown,
            "a second submit of a number that was taken must be unknown; {what}"
        );
        let entry = trial.entry().await?;
        ensure!(
            entry.charges == 1,
            "duplicates are declared to be refused, and yet there are {} charges; {what}",
            entry.charges
        );
        found(&trial, UpstreamState::Charging).await?;
    }
    Ok(())
}

/// An answer that names another account or order number is not about this order.
pub async fn an_answer_about_another_order_is_unknown(bench: &dyn Bench) -> Result<(), Failure> {
    varied(bench, OnSubmit::WrongEcho).await
}

/// What upstreams are known to vary without meaning anything is understood.
pub async fn harmless_variations_are_understood(bench: &dyn Bench) -> Result<(), Failure> {
    use OnSubmit::{EmptyEcho, OtherTypes, RepeatedPacket};
    submits(bench, &[OtherTypes, EmptyEcho, RepeatedPacket]).await
}

/// Whatever happens to a submit, it is sent once: no retry, no second connection.
pub async fn one_call_is_one_request(bench: &dyn Bench) -> Result<(), Failure> {
    for kind in kinds(bench)? {
        for situation in OnSubmit::ALL {
            match situation {
                // These take as long as the provider's patience lasts; other cases meet them.
                OnSubmit::NeverAnswered | OnSubmit::NeverAnsweredTaken | OnSubmit::TakenLate => {}
                tempting => {
                    submits_once(bench, kind, *tempting).await?;
                }
            }
        }
    }
    Ok(())
}

async fn once(bench: &dyn Bench, situation: OnSubmit) -> Result<(), Failure> {
    if let Some(kind) = kinds(bench)?.first() {
        submits_once(bench, *kind, situation).await?;
    }
    Ok(())
}

async fn varied(bench: &dyn Bench, situation: OnSubmit) -> Result<(), Failure> {
    for kind in kinds(bench)? {
        for _ in 0..VARIANTS {
            submits_once(bench, kind, situation).await?;
        }
    }
    Ok(())
}

/// A face value of which there is none on the list.
pub(super) fn other_face_value(offered: &[FaceValue]) -> Result<FaceValue, Failure> {
    (1..=u32::MAX)
        .filter_map(|yuan| FaceValue::from_yuan(yuan).ok())
        .find(|amount| !offered.contains(amount))
        .ok_or_else(|| Failure::new("every face value is on offer"))
}

/// Some account of a kind.
fn sample(kind: AccountKind) -> Result<Account, Failure> {
    let text = match kind {
        AccountKind::Mobile => "18900001234",
        AccountKind::Landline | AccountKind::Combined => "0571-56565366",
        AccountKind::Broadband => "hz12345678",
    };
    Account::parse(kind, text).map_err(|error| Failure::new(error.to_string()))
}

/// For use by other cases that need an outcome's arm only.
pub(super) const fn is_accepted(outcome: &SubmitOutcome) -> bool {
    matches!(SubmitArm::of(outcome), SubmitArm::Accepted)
}
