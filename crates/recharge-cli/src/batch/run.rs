//! `recharge batch`: a file of orders, placed and followed until each rests.
//!
//! It may be interrupted at any moment, and run again: an order that was accepted is the same order.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::Arc;

use indicatif::ProgressBar;
use recharge_batch::Row;
use recharge_core::{MerchantId, OrderState};
use recharge_engine::driver::WaitError;
use recharge_engine::store::OrderKey;
use recharge_engine::{AcceptError, Driver, Order, Store};
use serde_json::json;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinError, JoinSet};

use super::file;
use super::write::{self, NOT_ACCEPTED, REFUSED, ResultRow};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::orders::args::BatchArgs;
use crate::output::{progress, to_stderr};
use crate::service;
use crate::stop::Stop;

/// How many orders are handed in at a time.
const AT_ONCE: usize = 256;
/// How many refused orders are listed; the result has all.
const LISTED_AT_MOST: usize = 20;

const CUT_SHORT: &str =
    "interrupted: run the same command again to go on; no order is placed twice";

/// What became of a row.
struct Placed {
    /// Where its order stands; `None` if it was not accepted.
    state: Option<OrderState>,
    row: ResultRow,
}

/// Places the orders of a file and writes what became of them.
pub(crate) async fn run(args: BatchArgs, context: &Context) -> Result<Exit, CliError> {
    let prepared = service::prepare(context, &args.database)?;
    let out = args.result()?;
    let kept = prepared.config.iter().chain([&prepared.file]);
    write::can_be_written(&out, kept)?;
    let bytes = file::bytes(&args.file)?;
    let rows = recharge_batch::read(&bytes, &MerchantId::local(), &prepared.provider_ids())
        .map_err(|bad| file::refused(&args.file, &bad))?;
    if !file::unsold(&rows, &prepared.rules).is_empty() {
        let known = prepared
            .known(rows.iter().map(|row| &row.what.order_id))
            .await?;
        let new = rows
            .iter()
            .filter(|row| !known.contains(&row.what.order_id));
        let unsold = file::unsold(new, &prepared.rules);
        if !unsold.is_empty() {
            return Err(file::refused(&args.file, &unsold));
        }
    }

    // From here on a signal stops in good order.
    let stop = Stop::listen()?;
    let service = prepared.start(context).await?;
    let bar = progress(rows.len() as u64, &context.output);
    let placed = tokio::select! {
        placed = place(&service.driver, &rows, args.verbose, &bar) => Some(placed),
        () = stop.wait() => None,
    };
    bar.finish_and_clear();
    service.stop().await;
    let interrupted = placed.is_none();
    let placed = match placed {
        Some(Ok(placed)) => placed,
        Some(Err(error)) => {
            to_stderr(CUT_SHORT);
            return Err(error);
        }
        None => as_they_stand(service.driver.store().as_ref(), &rows).await?,
    };
    let all_at_rest = placed.iter().all(Placed::is_at_rest);
    // The result first: it is wanted also where nobody reads what is printed.
    write::write(&out, placed.iter().map(|placed| &placed.row))?;
    report(&placed, &out, interrupted, context)?;
    service.tell().await;
    Ok(if !interrupted && all_at_rest {
        Exit::Success
    } else {
        Exit::Unknown
    })
}

/// Hands every row in and waits until its order rests. Answers in the order of the rows.
async fn place(
    driver: &Driver,
    rows: &[Row],
    verbose: bool,
    bar: &ProgressBar,
) -> Result<Vec<Placed>, CliError> {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks: JoinSet<Result<(usize, Placed), CliError>> = JoinSet::new();
    let mut placed = BTreeMap::new();
    // Of two rows for the same account and amount the first goes first: the second allows the duplicate.
    let mut twins: HashMap<_, oneshot::Receiver<()>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        let (done, is_done) = oneshot::channel();
        let twin = twins.insert((&row.what.account, row.what.amount), is_done);
        if let Some(twin) = twin {
            // It is over when its sender is gone, too.
            let _ = twin.await;
        }
        // The semaphore is never closed, so a slot comes.
        let slot = slots.clone().acquire_owned().await;
        let (driver, row, shown) = (driver.clone(), row.clone(), bar.clone());
        tasks.spawn(async move {
            let order_id = row.what.order_id.clone();
            let accepted = driver.accept(row.what, row.allow_duplicate).await;
            drop(slot);
            // Nobody may be waiting for it.
            let _ = done.send(());
            let became = match accepted {
                Ok(accepted) => {
                    let what = accepted.stored.order.what();
                    if verbose {
                        shown.suspend(|| to_stderr(&format!("accepted {}", what.order_id)));
                    }
                    let order = match driver.until_at_rest(&what.merchant, &what.order_id).await {
                        Ok(order) => order,
                        Err(WaitError::Store(error)) => return Err(CliError::store(error)),
                        Err(_) => accepted.stored.order.clone(),
                    };
                    of_order(driver.store().as_ref(), accepted.stored.key, &order).await?
                }
                Err(AcceptError::Store(error)) => return Err(CliError::store(error)),
                Err(error) => refused(order_id.as_str(), &error.to_string()),
            };
            Ok((at, became))
        });
        while let Some(ended) = tasks.try_join_next() {
            take(ended, &mut placed, bar)?;
        }
    }
    while let Some(ended) = tasks.join_next().await {
        take(ended, &mut placed, bar)?;
    }
    Ok(placed.into_values().collect())
}

fn take(
    ended: Result<Result<(usize, Placed), CliError>, JoinError>,
    placed: &mut BTreeMap<usize, Placed>,
    bar: &ProgressBar,
) -> Result<(), CliError> {
    let failed = |error| CliError::system("a task of the batch failed", io::Error::other(error));
    let (at, row) = ended.map_err(failed)??;
    placed.insert(at, row);
    bar.inc(1);
    Ok(())
}

/// Where the orders stand when an interruption cuts the waiting short.
async fn as_they_stand(store: &dyn Store, rows: &[Row]) -> Result<Vec<Placed>, CliError> {
    let mut placed = Vec::new();
    for row in rows {
        let what = &row.what;
        let key = store.find(&what.merchant, &what.order_id).await;
        let stored = match key.map_err(CliError::store)? {
            Some(key) => store.read(key).await.map_err(CliError::store)?,
            None => None,
        };
        placed.push(match stored {
            Some(stored) if stored.order.what() == what => {
                of_order(store, stored.key, &stored.order).await?
            }
            Some(_) => refused(what.order_id.as_str(), &AcceptError::Conflict.to_string()),
            None => Placed {
                state: None,
                row: ResultRow::not_accepted(what.order_id.as_str()),
            },
        });
    }
    Ok(placed)
}

async fn of_order(store: &dyn Store, key: OrderKey, order: &Order) -> Result<Placed, CliError> {
    let log = store.log(key).await.map_err(CliError::store)?;
    Ok(Placed {
        state: Some(order.state()),
        row: ResultRow::of(order, &log),
    })
}

fn refused(order_id: &str, why: &str) -> Placed {
    Placed {
        state: None,
        row: ResultRow::refused(order_id, why),
    }
}

impl Placed {
    /// Whether its order has ended or is on a person's desk.
    const fn is_at_rest(&self) -> bool {
        matches!(
            self.state,
            Some(OrderState::Succeeded | OrderState::Failed | OrderState::Review(_))
        )
    }
}

/// Says why orders were refused, of the first few.
fn list_refused(placed: &[Placed]) {
    let refused = || placed.iter().filter(|row| row.state.is_none());
    for row in refused().take(LISTED_AT_MOST) {
        to_stderr(&format!("{}: {}", row.row.order_id, row.row.message));
    }
    let more = refused().skip(LISTED_AT_MOST).count();
    if more > 0 {
        to_stderr(&format!("and {more} more: see the result"));
    }
}

fn report(
    placed: &[Placed],
    out: &Path,
    interrupted: bool,
    context: &Context,
) -> Result<(), CliError> {
    let count = |wanted: fn(&Option<OrderState>) -> bool| {
        placed.iter().filter(|row| wanted(&row.state)).count()
    };
    let succeeded = count(|state| matches!(state, Some(OrderState::Succeeded)));
    let failed = count(|state| matches!(state, Some(OrderState::Failed)));
    let review = count(|state| matches!(state, Some(OrderState::Review(_))));
    let refused = placed.iter().filter(|row| row.row.state == REFUSED).count();
    let not_accepted = placed
        .iter()
        .filter(|row| row.row.state == NOT_ACCEPTED)
        .count();
    let open = placed.len() - succeeded - failed - review - refused - not_accepted;
    let unreached = match not_accepted {
        0 => String::new(),
        many => format!(", {many} not accepted"),
    };
    if context.output.is_json() {
        context.output.json(&json!({
            "orders": placed.len(),
            "succeeded": succeeded,
            "failed": failed,
            "review": review,
            "open": open,
            "refused": refused,
            "not_accepted": not_accepted,
            "interrupted": interrupted,
            "out": out.display().to_string(),
        }))?;
    } else {
        context.output.line(format!(
            "{} orders: {succeeded} succeeded, {failed} failed, {review} for a person to review, {open} open, {refused} refused{unreached}; see {}",
            placed.len(),
            out.display(),
        ))?;
        if !interrupted {
            list_refused(placed);
        }
    }
    if interrupted {
        to_stderr(CUT_SHORT);
    }
    Ok(())
}
