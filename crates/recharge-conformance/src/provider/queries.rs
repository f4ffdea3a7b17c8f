//! Cases about queries.

use recharge_core::{Call, ProviderExt, QueryOutcome, UnavailableKind, UpstreamState};

use super::law::{Trial, accepted, ensure, found, kinds, queries, queries_once};
use super::{Bench, End, Failure, OnQuery};

/// How many orders meet a situation that varies from order to order.
const VARIANTS: usize = 8;

/// A query shows the state that the books have: charging, and each end.
pub async fn a_query_shows_what_the_books_say(bench: &dyn Bench) -> Result<(), Failure> {
    if !has_queries(bench) {
        return Ok(());
    }
    for kind in kinds(bench)? {
        for end in End::ALL {
            let trial = Trial::healthy(bench, kind);
            accepted(&trial).await?;
            found(&trial, UpstreamState::Charging).await?;
            bench.end(trial.order.number, end).await?;
            let entry = trial.entry().await?;
            ensure!(
                entry.state == Some(end.state()),
                "the bench is wrong: the state is {:?} after the end {end:?}",
                entry.state
            );
            found(&trial, end.state()).await?;
        }
    }
    Ok(())
}

/// "Not found" is said where the upstream says so, and what was "not found" is found when it shows.
pub async fn only_an_explicit_no_is_not_found(bench: &dyn Bench) -> Result<(), Failure> {
    if !has_queries(bench) {
        return Ok(());
    }
    queries(bench, &[OnQuery::NeverReceived, OnQuery::NotFoundOnce]).await
}

/// No answer, 5xx, HTML and trouble codes say nothing about the order.
pub async fn trouble_with_a_query_teaches_nothing(bench: &dyn Bench) -> Result<(), Failure> {
    use OnQuery::{
        AnswerLost, CutOff, Html, NeverAnswered, NoConnection, ServerError, SystemError,
        UnlistedCode,
    };
    if !has_queries(bench) {
        return Ok(());
    }
    let trouble = [
        NoConnection,
        AnswerLost,
        CutOff,
        ServerError,
        Html,
        SystemError,
        UnlistedCode,
    ];
    queries(bench, &trouble).await?;
    // As long as the provider's patience lasts: one kind of account must do.
    if let Some(kind) = kinds(bench)?.first() {
        queries_once(bench, *kind, NeverAnswered).await?;
    }
    Ok(())
}

/// What can't be read, a state that nobody knows and an answer about another order teach nothing; a
/// readable variation does.
pub async fn an_unreadable_answer_to_a_query_teaches_nothing(
    bench: &dyn Bench,
) -> Result<(), Failure> {
    use OnQuery::{
        Dripping, DuplicateKey, Garbled, Huge, OtherTypes, Truncated, UnlistedState, WrongEcho,
        WrongTyped,
    };
    if !has_queries(bench) {
        return Ok(());
    }
    let unreadable = [
        Truncated,
        Garbled,
        WrongTyped,
        DuplicateKey,
        Huge,
        Dripping,
        OtherTypes,
        UnlistedState,
    ];
    queries(bench, &unreadable).await?;
    queries(bench, &[WrongEcho; VARIANTS]).await
}

/// A rate limit and maintenance are trouble of that kind, never "not found".
pub async fn a_limit_on_queries_is_named(bench: &dyn Bench) -> Result<(), Failure> {
    if !has_queries(bench) {
        return Ok(());
    }
    for kind in kinds(bench)? {
        for _ in 0..VARIANTS {
            let outcome = queries_once(bench, kind, OnQuery::RateLimited).await?;
            if let Some(QueryOutcome::Unavailable(trouble)) = outcome {
                let named = [UnavailableKind::RateLimited, UnavailableKind::Maintenance];
                ensure!(
                    named.contains(&trouble.kind),
                    "a limit or maintenance must be named as such, not as {:?}",
                    trouble.kind
                );
            }
        }
    }
    Ok(())
}

/// Whether there is anything to ask; that a missing call answers so is another case.
fn has_queries(bench: &dyn Bench) -> bool {
    bench.provider().can(Call::Query)
}
