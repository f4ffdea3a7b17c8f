//! Cases about secrets, dropped futures and orders at the same time.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use recharge_core::{Call, ProviderExt, QueryOutcome, SubmitRequest};

use super::law::{Trial, accepted, ensure, kinds, prints_nothing, submits_once};
use super::submits::is_accepted;
use super::{Bench, Failure, OnSubmit, Situation};

/// How many orders are under way at once.
const AT_ONCE: usize = 32;
/// After how many polls at most a submit is dropped.
const POLLS: usize = 12;

/// Neither the provider's `Debug` nor any outcome shows a secret or a full account. (Outcomes are looked
/// at in every case; here once more where the upstream repeats what it was sent.)
pub async fn nothing_printed_holds_a_secret_or_an_account(
    bench: &dyn Bench,
) -> Result<(), Failure> {
    for kind in kinds(bench)? {
        let order = bench.order(kind);
        prints_nothing(bench, &order, &bench.provider())?;
        for situation in [
            OnSubmit::OtherTypes,
            OnSubmit::Truncated,
            OnSubmit::Garbled,
            OnSubmit::WrongEcho,
            OnSubmit::Refused,
            OnSubmit::NoConnection,
            OnSubmit::AnswerLost,
        ] {
            submits_once(bench, kind, situation).await?;
        }
        let trial = Trial::healthy(bench, kind);
        accepted(&trial).await?;
        prints_nothing(bench, &trial.order, &trial.provider)?;
    }
    Ok(())
}

/// A submit that is dropped, early or late, is never sent again, and can be asked about at once.
pub async fn a_dropped_submit_can_be_asked_about(bench: &dyn Bench) -> Result<(), Failure> {
    let kinds = kinds(bench)?;
    for (polls, kind) in (0..POLLS).zip(kinds.iter().cycle()) {
        let trial = Trial::healthy(bench, *kind);
        drop_after(polls, trial.provider.submit(&trial.order)).await;
        asked_about(&trial).await?;
    }
    // Once more where the request has certainly arrived, and nothing has come back.
    for kind in kinds {
        let situation = Situation::Submit(OnSubmit::NeverAnsweredTaken);
        let Some(trial) = Trial::arranged(bench, kind, situation).await? else {
            continue;
        };
        // A provider or a bench that gives up by itself is as good.
        tokio::select! {
            _ = trial.provider.submit(&trial.order) => {}
            arrived = arrived(&trial) => arrived?,
        }
        asked_about(&Trial::of(bench, trial.order)).await?;
    }
    Ok(())
}

/// Polls a future so many times, unless it ends before, and drops it.
async fn drop_after(polls: usize, future: impl Future) {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 || future.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        left -= 1;
        Poll::Pending
    })
    .await;
}

/// Waits until the books have the order.
async fn arrived(trial: &Trial<'_>) -> Result<(), Failure> {
    while trial.entry().await?.state.is_none() {
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Asks about an order whose submit was dropped: what the books say, whatever that is.
async fn asked_about(trial: &Trial<'_>) -> Result<(), Failure> {
    if trial.provider.can(Call::Query) {
        // What is still on its way may arrive before the query or after it, so the books are read
        // afterwards: what was found must be in them.
        let outcome = trial.provider.query(&trial.order.query()).await;
        prints_nothing(trial.bench, &trial.order, &outcome)?;
        let what = trial.what(&outcome);
        let entry = trial.entry().await?;
        match outcome {
            QueryOutcome::Found(sighting) => ensure!(
                entry.state == Some(sighting.state),
                "after a dropped submit the books say {:?}; {what}",
                entry.state
            ),
            QueryOutcome::NotFound(_) => {}
            QueryOutcome::Unavailable(_) => ensure!(
                entry.state.is_none(),
                "after a dropped submit the order can't be asked about; {what}"
            ),
        }
    }
    trial.bench.quiet().await?;
    let entry = trial.entry().await?;
    ensure!(
        entry.submits <= 1 && entry.charges <= 1,
        "a dropped submit was sent again: {} submits, {} charges",
        entry.submits,
        entry.charges
    );
    Ok(())
}

/// Many orders at once: each is accepted, booked as it was ordered, and found under its own number.
pub async fn orders_at_once_are_kept_apart(bench: &dyn Bench) -> Result<(), Failure> {
    let provider = bench.provider();
    let kinds = kinds(bench)?;
    let orders: Vec<SubmitRequest> = kinds
        .iter()
        .cycle()
        .take(AT_ONCE)
        .map(|kind| bench.order(*kind))
        .collect();
    let mut calls = tokio::task::JoinSet::new();
    for order in orders.clone() {
        let provider = Arc::clone(&provider);
        calls.spawn(async move {
            let submitted = provider.submit(&order).await;
            (
                order.clone(),
                submitted,
                provider.query(&order.query()).await,
            )
        });
    }
    let mut upstream_numbers = BTreeSet::new();
    while let Some(call) = calls.join_next().await {
        let (order, submitted, asked) =
            call.map_err(|error| Failure::new(format!("a call panicked: {error}")))?;
        let trial = Trial::of(bench, order);
        prints_nothing(bench, &trial.order, &(&submitted, &asked))?;
        let what = trial.what(&(&submitted, &asked));
        ensure!(
            is_accepted(&submitted),
            "one of many was not accepted; {what}"
        );
        let entry = trial.entry().await?;
        ensure!(
            entry.submits == 1 && entry.charges == 1,
            "one of many has {} submits and {} charges; {what}",
            entry.submits,
            entry.charges
        );
        ensure!(
            trial.order.account.is_named_by(&entry.account)
                && entry.amount.parse() == Ok(trial.order.amount),
            "one of many arrived with another's account or face value; {what}"
        );
        if let recharge_core::SubmitOutcome::Accepted(receipt) = &submitted
            && let Some(id) = &receipt.upstream_order_id
        {
            ensure!(
                Some(id) == entry.upstream_order_id.as_ref() && upstream_numbers.insert(id.clone()),
                "one of many has another's upstream number; {what}"
            );
        }
        if provider.can(Call::Query) {
            ensure!(
                matches!(&asked, QueryOutcome::Found(sighting) if Some(sighting.state) == entry.state),
                "one of many was not found as the books have it; {what}"
            );
        }
    }
    ensure!(
        orders.len() == AT_ONCE,
        "the bench gave {} orders of {AT_ONCE}",
        orders.len()
    );
    Ok(())
}
