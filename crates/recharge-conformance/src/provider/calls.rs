//! Cases about the bench itself, the declared capabilities and the calls besides submit and query.

use std::collections::BTreeSet;

use recharge_core::{
    Call, CallError, CallErrorKind, CallbackError, Money, Offer, Provider, ProviderExt,
    QueryOutcome, SubmitRequest, UnavailableKind, UpstreamOrder,
};

use super::law::{Trial, accepted, ensure, kinds, prints_nothing};
use super::submits::other_face_value;
use super::{Arranged, Bench, Failure, Situation};

/// The bench declares what it can't make, with reasons, makes all the rest, and leaves out nothing that
/// the suite needs.
pub async fn the_bench_is_whole(bench: &dyn Bench) -> Result<(), Failure> {
    let secrets = bench.secrets();
    ensure!(
        !secrets.is_empty() && secrets.iter().all(|secret| secret.len() >= 8),
        "the bench must give the provider secrets of 8 characters or more, to look for them"
    );
    let mut declared = BTreeSet::new();
    for (situation, reason) in bench.cannot() {
        ensure!(
            !situation.is_required(),
            "the suite proves too little without this situation ({situation}): arrange it"
        );
        ensure!(
            declared.insert(*situation),
            "a situation is declared twice ({situation})"
        );
        ensure!(
            reason.trim().len() >= 10,
            "a situation is left out without a reason ({situation})"
        );
    }
    let kinds = kinds(bench)?;
    let mut numbers = BTreeSet::new();
    for kind in kinds {
        for situation in Situation::all() {
            // A provider without queries is never asked.
            if matches!(situation, Situation::Query(_)) && !bench.provider().can(Call::Query) {
                continue;
            }
            let order = bench.order(kind);
            ensure!(
                order.account.kind() == kind,
                "the sample order of kind {kind} is of another kind"
            );
            ensure!(numbers.insert(order.number), "a number is given out twice");
            let made = match bench.arrange(&order, situation).await? {
                Arranged::With(_) => true,
                Arranged::Cannot => false,
            };
            ensure!(
                made != declared.contains(&situation),
                "what the bench declares and what it arranges differ ({situation})"
            );
        }
    }
    Ok(())
}

/// What a provider declares about itself is well-formed and doesn't change.
pub async fn capabilities_are_sound(bench: &dyn Bench) -> Result<(), Failure> {
    let (provider, again) = (bench.provider(), bench.provider());
    let capabilities = provider.capabilities();
    ensure!(
        provider.id() == again.id() && capabilities == again.capabilities(),
        "two instances declare different things"
    );
    ensure!(
        capabilities.calls.contains(&Call::Submit),
        "every provider has a submit call: declare it"
    );
    let calls: BTreeSet<_> = capabilities.calls.iter().collect();
    ensure!(
        calls.len() == capabilities.calls.len(),
        "a call is declared twice"
    );
    let kinds: BTreeSet<_> = capabilities.offers.iter().map(|offer| offer.kind).collect();
    ensure!(
        !kinds.is_empty() && kinds.len() == capabilities.offers.len(),
        "there is one offer for each kind of account, and at least one"
    );
    for Offer {
        kind, face_values, ..
    } in &capabilities.offers
    {
        ensure!(
            !face_values.is_empty(),
            "no face value is offered for {kind}"
        );
        ensure!(
            face_values.is_sorted_by(|one, next| one < next),
            "the face values for {kind} are not ascending"
        );
    }
    Ok(())
}

/// Each call that is declared gives an answer.
pub async fn declared_calls_work(bench: &dyn Bench) -> Result<(), Failure> {
    let provider = bench.provider();
    let kinds = kinds(bench)?;
    let mut orders = Vec::new();
    for kind in kinds {
        let trial = Trial::healthy(bench, kind);
        accepted(&trial).await?;
        orders.push(trial.order);
    }
    for call in &provider.capabilities().calls {
        match call {
            // Cases of their own.
            Call::Submit | Call::Query | Call::Callback => {}
            Call::Check => {
                for order in &orders {
                    checks(bench, provider.as_ref(), order).await?;
                }
            }
            Call::Quote => quotes(bench, provider.as_ref(), &orders).await?,
            Call::Balance => {
                let balance = provider.balance().await;
                ensure!(balance.is_ok(), "no balance: {balance:?}");
            }
            Call::List => lists(bench, provider.as_ref(), &orders).await?,
        }
    }
    Ok(())
}

async fn checks(
    bench: &dyn Bench,
    provider: &dyn Provider,
    order: &SubmitRequest,
) -> Result<(), Failure> {
    let yes = provider.check(&order.account, order.amount).await;
    prints_nothing(bench, order, &yes)?;
    ensure!(
        matches!(yes, Ok(Ok(()))),
        "what is on offer must pass the check: {yes:?}"
    );
    let offer = provider.offer(order.account.kind());
    let other = other_face_value(offer.map_or(&[], |offer| &offer.face_values))?;
    let no = provider.check(&order.account, other).await;
    prints_nothing(bench, order, &no)?;
    ensure!(
        !matches!(no, Ok(Ok(()))),
        "what is not on offer must not pass the check"
    );
    Ok(())
}

/// At least one order has a price; the others may have none, and say so.
async fn quotes(
    bench: &dyn Bench,
    provider: &dyn Provider,
    orders: &[SubmitRequest],
) -> Result<(), Failure> {
    let mut quoted = 0;
    for order in orders {
        let quote = provider.quote(&order.account, order.amount).await;
        prints_nothing(bench, order, &quote)?;
        match quote {
            Ok(quote) => {
                ensure!(quote.price > Money::ZERO, "a price of nothing is quoted");
                quoted += 1;
            }
            Err(error) => ensure!(
                matches!(
                    error.kind,
                    CallErrorKind::Refused | CallErrorKind::Unsupported
                ),
                "a quote may be refused where there is none, but: {error:?}"
            ),
        }
    }
    ensure!(quoted > 0, "the quote call quotes nothing that is on offer");
    Ok(())
}

/// The lists of the kinds of account show at least one of our orders, and show each as the books have it.
async fn lists(
    bench: &dyn Bench,
    provider: &dyn Provider,
    orders: &[SubmitRequest],
) -> Result<(), Failure> {
    let mut listed = 0;
    for order in orders {
        let page = provider.list(order.account.kind(), 1).await;
        let page = page.map_err(|error| Failure::new(format!("no list: {error:?}")))?;
        prints_nothing(bench, order, &page)?;
        let number = order.number.as_str();
        let of_order = |row: &&UpstreamOrder| row.number == number;
        let Some(row) = page.orders.iter().find(of_order) else {
            continue;
        };
        listed += 1;
        let entry = bench.entry(order.number).await?;
        ensure!(
            row.state == entry.state,
            "the list shows {:?} where the books say {:?}",
            row.state,
            entry.state
        );
        ensure!(
            row.upstream_order_id.is_none() || row.upstream_order_id == entry.upstream_order_id,
            "the list shows another upstream number than the books"
        );
    }
    ensure!(listed > 0, "the list shows none of the orders just taken");
    Ok(())
}

/// Each call that is not declared says that it doesn't exist.
pub async fn other_calls_are_unsupported(bench: &dyn Bench) -> Result<(), Failure> {
    let provider = bench.provider();
    let kind = kinds(bench)?.first().copied();
    let order = bench.order(kind.ok_or_else(|| Failure::new("the provider offers nothing"))?);
    let (account, amount) = (&order.account, order.amount);
    for call in Call::ALL.into_iter().filter(|call| !provider.can(*call)) {
        let unsupported = match call {
            // That it is declared is another case's matter.
            Call::Submit => true,
            Call::Query => matches!(
                provider.query(&order.query()).await,
                QueryOutcome::Unavailable(trouble) if trouble.kind == UnavailableKind::Unsupported
            ),
            Call::Check => says_so(provider.check(account, amount).await),
            Call::Quote => says_so(provider.quote(account, amount).await),
            Call::Balance => says_so(provider.balance().await),
            Call::List => says_so(provider.list(account.kind(), 1).await),
            Call::Callback => matches!(
                provider.parse_callback(None, b""),
                Err(CallbackError::Unusable(_))
            ),
        };
        ensure!(
            unsupported,
            "the {} call is not declared, so it must say that it doesn't exist",
            call.as_str()
        );
    }
    Ok(())
}

fn says_so<T>(result: Result<T, CallError>) -> bool {
    result.is_err_and(|error| error.kind == CallErrorKind::Unsupported)
}
