//! What holds for every call of every case, and the words for when it doesn't.

use std::fmt::Debug;
use std::sync::Arc;

use recharge_core::{
    AccountKind, Answer, Provider, QueryOutcome, SubmitOutcome, SubmitRequest, UpstreamState,
};

use super::{Arranged, Bench, Entry, Failure, OnQuery, OnSubmit, QueryArm, Situation, SubmitArm};

/// Fails the case unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::provider::Failure::new(format!($($text)+)));
        }
    };
}
pub(super) use ensure;

/// The kinds of account that the provider offers.
pub(super) fn kinds(bench: &dyn Bench) -> Result<Vec<AccountKind>, Failure> {
    let provider = bench.provider();
    let offers = &provider.capabilities().offers;
    ensure!(!offers.is_empty(), "the provider offers nothing");
    Ok(offers.iter().map(|offer| offer.kind).collect())
}

/// One order at a bench.
pub(super) struct Trial<'a> {
    pub(super) bench: &'a dyn Bench,
    pub(super) provider: Arc<dyn Provider>,
    pub(super) order: SubmitRequest,
    situation: Option<Situation>,
}

impl<'a> Trial<'a> {
    /// An order with which nothing goes wrong.
    pub(super) fn healthy(bench: &'a dyn Bench, kind: AccountKind) -> Self {
        Self::of(bench, bench.order(kind))
    }

    /// This order, with nothing arranged.
    pub(super) fn of(bench: &'a dyn Bench, order: SubmitRequest) -> Self {
        Self {
            bench,
            provider: bench.provider(),
            order,
            situation: None,
        }
    }

    /// An order that meets a situation; `None` if the bench declares that it can't make it.
    pub(super) async fn arranged(
        bench: &'a dyn Bench,
        kind: AccountKind,
        situation: Situation,
    ) -> Result<Option<Self>, Failure> {
        let order = bench.order(kind);
        let declared = bench
            .cannot()
            .iter()
            .any(|(cannot, _)| *cannot == situation);
        match (bench.arrange(&order, situation).await?, declared) {
            (Arranged::With(provider), false) => Ok(Some(Self {
                bench,
                provider,
                order,
                situation: Some(situation),
            })),
            (Arranged::Cannot, true) => Ok(None),
            (Arranged::With(_), true) => Err(Failure::new(format!(
                "the bench arranges a situation that it lists among those that it can't make ({situation})"
            ))),
            (Arranged::Cannot, false) => Err(Failure::new(format!(
                "the bench can't make a situation and doesn't list it with a reason ({situation})"
            ))),
        }
    }

    /// What the books say about the order.
    pub(super) async fn entry(&self) -> Result<Entry, Failure> {
        self.bench.entry(self.order.number).await
    }

    /// Submits the order and holds the outcome against the books.
    pub(super) async fn submit(&self) -> Result<SubmitOutcome, Failure> {
        let before = self.entry().await?;
        let outcome = self.provider.submit(&self.order).await;
        self.bench.quiet().await?;
        let after = self.entry().await?;
        let what = self.what(&outcome);

        prints_nothing(self.bench, &self.order, &outcome)?;
        let sent = after.submits.saturating_sub(before.submits);
        ensure!(sent <= 1, "one call sent {sent} submits; {what}");
        let asked = after.queries.saturating_sub(before.queries);
        ensure!(asked == 0, "a submit sent {asked} queries; {what}");
        match &outcome {
            SubmitOutcome::Accepted(receipt) => {
                ensure!(sent == 1, "accepted, but nothing arrived; {what}");
                ensure!(
                    after.charges == 1,
                    "accepted, but the books have {} charges; {what}",
                    after.charges
                );
                ensure!(
                    receipt.upstream_order_id.is_none()
                        || receipt.upstream_order_id == after.upstream_order_id,
                    "the receipt's upstream number is not that of the books; {what}"
                );
            }
            SubmitOutcome::Rejected(_) => {
                ensure!(
                    after.charges == 0,
                    "rejected, and yet the order is charged; {what}"
                );
            }
            SubmitOutcome::NotSent(_) => {
                ensure!(sent == 0, "said to be not sent, and yet it arrived; {what}");
                ensure!(
                    after.charges == 0 || before.charges > 0,
                    "said to be not sent, and yet the order is charged; {what}"
                );
            }
            SubmitOutcome::Unknown(_) => {}
        }
        Ok(outcome)
    }

    /// Asks about the order and holds the outcome against the books.
    pub(super) async fn query(&self) -> Result<QueryOutcome, Failure> {
        let before = self.entry().await?;
        let outcome = self.provider.query(&self.order.query()).await;
        let after = self.entry().await?;
        let what = self.what(&outcome);

        prints_nothing(self.bench, &self.order, &outcome)?;
        let asked = after.queries.saturating_sub(before.queries);
        ensure!(asked <= 1, "one call sent {asked} queries; {what}");
        ensure!(
            after.submits == before.submits,
            "a query sent a submit; {what}"
        );
        match &outcome {
            QueryOutcome::Found(sighting) => {
                ensure!(asked == 1, "found without having asked; {what}");
                ensure!(
                    after.state == Some(sighting.state),
                    "the books say {:?}; {what}",
                    after.state
                );
                ensure!(
                    sighting.upstream_order_id.is_none()
                        || sighting.upstream_order_id == after.upstream_order_id,
                    "the upstream number is not that of the books; {what}"
                );
            }
            QueryOutcome::NotFound(_) => {
                ensure!(asked == 1, "not found without having asked; {what}");
                ensure!(
                    after.state.is_none()
                        || self.situation == Some(Situation::Query(OnQuery::NotFoundOnce)),
                    "called not found, though the upstream has it and did not deny it; {what}"
                );
            }
            QueryOutcome::Unavailable(_) => {}
        }
        Ok(outcome)
    }

    /// The outcome and how it came about, for a failure's text.
    pub(super) fn what(&self, outcome: &dyn Debug) -> String {
        let situation = self
            .situation
            .map_or_else(|| "nothing went wrong".to_owned(), |met| met.to_string());
        let kind = self.order.account.kind();
        // The law about what is printed is checked first, so that this text is safe to print; should it
        // not be, then the failure says only that.
        let text = format!("{outcome:?}");
        let text = if leak(self.bench, &self.order, &text).is_some() {
            "an outcome that can't be printed".to_owned()
        } else {
            text.chars().take(600).collect()
        };
        format!("{kind} order, {situation}, came out as {text}")
    }
}

/// Submits one order in each of these situations and holds the outcome against what it allows.
pub(super) async fn submits(bench: &dyn Bench, situations: &[OnSubmit]) -> Result<(), Failure> {
    for kind in kinds(bench)? {
        for situation in situations {
            submits_once(bench, kind, *situation).await?;
        }
    }
    Ok(())
}

/// One order in this situation. Whether the bench could make it.
pub(super) async fn submits_once(
    bench: &dyn Bench,
    kind: AccountKind,
    situation: OnSubmit,
) -> Result<bool, Failure> {
    let Some(trial) = Trial::arranged(bench, kind, Situation::Submit(situation)).await? else {
        return Ok(false);
    };
    let outcome = trial.submit().await?;
    let what = trial.what(&outcome);
    let allowed = situation.allows();
    ensure!(
        allowed.contains(&SubmitArm::of(&outcome)),
        "only {allowed:?} can be said here; {what}"
    );
    let entry = trial.entry().await?;
    if entry.submits > 0 {
        let taken = u32::from(situation.is_taken());
        ensure!(
            entry.charges == taken,
            "the bench is wrong: {} charges in this situation, not {taken}; {what}",
            entry.charges
        );
    }
    if let SubmitOutcome::Unknown(doubt) = &outcome
        && situation.has_text()
    {
        kept(doubt.answer.as_ref(), &what)?;
    }
    Ok(true)
}

/// Takes one order for each of these situations, asks in it, and asks once more when it is over.
pub(super) async fn queries(bench: &dyn Bench, situations: &[OnQuery]) -> Result<(), Failure> {
    for kind in kinds(bench)? {
        for situation in situations {
            queries_once(bench, kind, *situation).await?;
        }
    }
    Ok(())
}

/// One question in this situation, about a taken order unless the situation is that there is none. The
/// outcome, if the bench could make the situation.
pub(super) async fn queries_once(
    bench: &dyn Bench,
    kind: AccountKind,
    situation: OnQuery,
) -> Result<Option<QueryOutcome>, Failure> {
    let Some(trial) = Trial::arranged(bench, kind, Situation::Query(situation)).await? else {
        return Ok(None);
    };
    // Through the bench's usual provider: only the question is to meet the situation.
    let usual = Trial::of(bench, trial.order.clone());
    let taken = situation != OnQuery::NeverReceived;
    if taken {
        accepted(&usual).await?;
    }
    let outcome = trial.query().await?;
    let what = trial.what(&outcome);
    let allowed = situation.allows();
    ensure!(
        allowed.contains(&QueryArm::of(&outcome)),
        "only {allowed:?} can be said here; {what}"
    );
    if taken {
        found(&usual, UpstreamState::Charging).await?;
    }
    Ok(Some(outcome))
}

/// Submits an order that must be accepted.
pub(super) async fn accepted(trial: &Trial<'_>) -> Result<(), Failure> {
    let outcome = trial.submit().await?;
    let what = trial.what(&outcome);
    ensure!(
        SubmitArm::of(&outcome) == SubmitArm::Accepted,
        "a healthy order must be accepted; {what}"
    );
    let entry = trial.entry().await?;
    ensure!(
        entry.submits == 1 && entry.state == Some(UpstreamState::Charging),
        "the books have {} submits and the state {:?} for an order just taken; {what}",
        entry.submits,
        entry.state
    );
    ensure!(
        trial.order.account.is_named_by(&entry.account),
        "another account arrived than was ordered; {what}"
    );
    ensure!(
        entry.amount.parse() == Ok(trial.order.amount),
        "another face value arrived ({}) than was ordered; {what}",
        entry.amount
    );
    Ok(())
}

/// Asks about an order that must be found in this state.
pub(super) async fn found(trial: &Trial<'_>, state: UpstreamState) -> Result<(), Failure> {
    let outcome = trial.query().await?;
    let what = trial.what(&outcome);
    let QueryOutcome::Found(sighting) = outcome else {
        return Err(Failure::new(format!("the order must be found; {what}")));
    };
    ensure!(
        sighting.state == state,
        "the order is {}; {what}",
        state.as_str()
    );
    Ok(())
}

/// The text of an answer must be there to be looked at.
fn kept(answer: Option<&Answer>, what: &str) -> Result<(), Failure> {
    ensure!(
        answer.is_some_and(|answer| !answer.raw.trim().is_empty()),
        "the text of the answer must be kept; {what}"
    );
    Ok(())
}

/// Whatever is printed, no secret and not this order's account may be in it.
pub(super) fn prints_nothing(
    bench: &dyn Bench,
    order: &SubmitRequest,
    value: &dyn Debug,
) -> Result<(), Failure> {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        if let Some(what) = leak(bench, order, &text) {
            return Err(Failure::new(format!("{what} is printed by a Debug")));
        }
    }
    Ok(())
}

/// What is in a text that must not be there.
pub(super) fn leak(bench: &dyn Bench, order: &SubmitRequest, text: &str) -> Option<&'static str> {
    let secrets = bench.secrets();
    if secrets.iter().any(|secret| text.contains(secret.as_str())) {
        return Some("a secret");
    }
    let account = order.account.as_str();
    let plain = account.replace('-', "");
    (text.contains(account) || text.contains(&plain)).then_some("a full account")
}
