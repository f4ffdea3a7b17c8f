//! `recharge orders`, `show` and `review list`: reading the store, whoever else uses it.

use recharge_core::{OrderState, ReviewReason};
use recharge_engine::store::{Filter, OrderKey, Stored};
use recharge_engine::{Clock, Store, SystemClock};

use super::args::{ListArgs, OneArgs, OrdersArgs};
use super::{desk, list, place};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::service;

/// How many orders are read at once.
const PAGE: usize = 256;

/// Lists orders.
pub(super) async fn orders(args: OrdersArgs, context: &Context) -> Result<Exit, CliError> {
    let store = service::read(context, &args.database)?;
    let mut filter = Filter::default();
    filter.state = args.state;
    filter.from = args.since;
    filter.until = args.until;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut forms: Vec<_> = args
        .accounts()?
        .into_iter()
        .map(|account| Some(account.as_str().to_owned()))
        .collect();
    forms.sort();
    forms.dedup();
    if forms.is_empty() {
        forms.push(None);
    }
    let mut found = Vec::new();
    for account in forms {
        filter.account = account;
        // One more than wanted tells whether there are more.
        let page = store.list(&filter, None, limit.saturating_add(1)).await;
        found.extend(page.map_err(CliError::store)?);
    }
    found.sort_by_key(|stored| std::cmp::Reverse(stored.key));
    let more = found.len() > limit;
    found.truncate(limit);
    list::print(
        found.iter().map(|stored| &stored.order),
        more,
        &context.output,
    )?;
    Ok(Exit::Success)
}

/// Prints one order.
pub(super) async fn show(args: OneArgs, context: &Context) -> Result<Exit, CliError> {
    let store = service::read(context, &args.database)?;
    let merchant = args.whose.merchant();
    let key = store.find(&merchant, &args.order).await;
    let key = key.map_err(CliError::store)?;
    let key = key.ok_or_else(|| place::unknown(&merchant, &args.order))?;
    place::show_one(store.as_ref(), key, context).await?;
    Ok(Exit::Success)
}

/// Lists what is on the desk.
pub(super) async fn review(args: ListArgs, context: &Context) -> Result<Exit, CliError> {
    let store = service::read(context, &args.database)?;
    let config = context.config()?;
    let rules = config.rules(&config.providers()?)?;
    let waiting = on_desk(store.as_ref(), args.reason).await?;
    let policies: Vec<_> = waiting
        .iter()
        .map(|stored| rules.policy(stored.order.what().account.kind()))
        .collect();
    let orders = waiting.iter().map(|stored| &stored.order);
    let now = SystemClock::default().now();
    desk::print(orders.zip(&policies), now, &context.output)?;
    Ok(Exit::Success)
}

async fn on_desk(store: &dyn Store, reason: Option<ReviewReason>) -> Result<Vec<Stored>, CliError> {
    let mut filter = Filter::default();
    // Whatever the reason.
    filter.state = Some(OrderState::Review(ReviewReason::Overdue));
    let mut waiting = Vec::new();
    let mut before: Option<OrderKey> = None;
    loop {
        let page = store.list(&filter, before, PAGE).await;
        let page = page.map_err(CliError::store)?;
        let Some(last) = page.last() else {
            return Ok(waiting);
        };
        before = Some(last.key);
        waiting.extend(page.into_iter().filter(|stored| {
            reason.is_none_or(|reason| stored.order.state() == OrderState::Review(reason))
        }));
    }
}
