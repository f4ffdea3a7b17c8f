//! `recharge submit`, `query` and `review decide`: what the engine is asked to do about one order.

use std::time::Duration;

use recharge_core::{MerchantId, OrderId, OrderState, Standing};
use recharge_engine::driver::{ActError, WaitError};
use recharge_engine::store::{OrderKey, Stored};
use recharge_engine::{AcceptError, Command, Event, Order, Purpose, Store};

use super::args::{OneArgs, SubmitArgs};
use super::decide::DecideArgs;
use super::show;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::to_stderr;
use crate::service::{self, Service};
use crate::stop::Stop;

/// How often it is looked whether an answer has come.
const LOOK: Duration = Duration::from_millis(20);

/// Accepts an order and follows it until it rests.
pub(super) async fn submit(args: SubmitArgs, context: &Context) -> Result<Exit, CliError> {
    let prepared = service::prepare(context, &args.database)?;
    let what = args.order()?;
    // One that was accepted before is what it is, whatever is sold now.
    if let Some(why) = prepared.rules.refuses(&what)
        && prepared.known([&what.order_id]).await?.is_empty()
    {
        return Err(CliError::unusable(why));
    }
    let stop = Stop::listen()?;
    let service = prepared.start(context).await?;
    let accepted = service.driver.accept(what, args.allow_duplicate).await;
    let stored = match accepted {
        Ok(accepted) => accepted.stored,
        Err(error) => {
            service.stop().await;
            return Err(refused(error));
        }
    };
    let waited = if args.no_wait {
        Ok(())
    } else {
        wait(&service, &stored.order, stop).await
    };
    service.stop().await;
    waited?;
    let order = print(&service, stored.key, context).await?;
    service.tell().await;
    Ok(if args.no_wait {
        Exit::Success
    } else {
        ended(&order)
    })
}

/// Asks the upstream about an order now.
pub(super) async fn query(args: OneArgs, context: &Context) -> Result<Exit, CliError> {
    let prepared = service::prepare(context, &args.database)?;
    let by = service::person(None)?;
    let stop = Stop::listen()?;
    let service = prepared.start(context).await?;
    let merchant = args.whose.merchant();
    let Some(stored) = find(&service, &merchant, &args.order).await? else {
        service.stop().await;
        return Err(unknown(&merchant, &args.order));
    };
    let asked = Command::AskAgain { by };
    let asked = service.driver.command(&merchant, &args.order, asked).await;
    let answered = match asked {
        Ok(order) => {
            tokio::select! {
                answers = answers(&service, stored.key, &order) => answers,
                () = stop.wait() => Ok(()),
            }
        }
        Err(ActError::Refused(why)) => {
            to_stderr(&format!("note: {why}"));
            Ok(())
        }
        Err(error) => Err(act_error(error)),
    };
    service.stop().await;
    answered?;
    let order = print(&service, stored.key, context).await?;
    service.tell().await;
    Ok(ended(&order))
}

/// Makes a decision, or the first half of one.
pub(super) async fn decide(args: DecideArgs, context: &Context) -> Result<Exit, CliError> {
    let prepared = service::prepare(context, &args.database)?;
    let by = service::person(Some(&args.by))?;
    let stop = Stop::listen()?;
    let service = prepared.start(context).await?;
    let merchant = args.whose.merchant();
    let Some(stored) = find(&service, &merchant, &args.order).await? else {
        service.stop().await;
        return Err(unknown(&merchant, &args.order));
    };
    let done = match args.command(by, stored.order.attempts().len()) {
        Ok(command) => {
            let asks = matches!(command, Command::AskAgain { .. });
            let done = service
                .driver
                .command(&merchant, &args.order, command)
                .await;
            done.map_err(act_error).map(|order| (order, asks))
        }
        Err(error) => Err(error),
    };
    let followed = match done {
        Ok((order, true)) => {
            tokio::select! {
                answers = answers(&service, stored.key, &order) => answers,
                () = stop.wait() => Ok(()),
            }
        }
        // What people allowed to be sent is sent now.
        Ok((order, false)) => wait(&service, &order, stop).await,
        Err(error) => Err(error),
    };
    service.stop().await;
    followed?;
    print(&service, stored.key, context).await?;
    service.tell().await;
    Ok(Exit::Success)
}

/// Waits until an order rests, or until a signal.
async fn wait(service: &Service, order: &Order, stop: Stop) -> Result<(), CliError> {
    let what = order.what();
    tokio::select! {
        rest = service.driver.until_at_rest(&what.merchant, &what.order_id) => match rest {
            Ok(_) | Err(WaitError::Stopping) => {}
            Err(WaitError::Store(error)) => return Err(CliError::store(error)),
            Err(error) => return Err(CliError::unusable(error.to_string())),
        },
        () = stop.wait() => {
            to_stderr("interrupted: the order stays as it is; `recharge query` asks about it, and the same `recharge submit` goes on with it");
        }
    }
    Ok(())
}

/// Waits until every attempt that a person had asked about has been answered for, or could not be.
async fn answers(service: &Service, key: OrderKey, asked: &Order) -> Result<(), CliError> {
    let sent = |attempt: &&recharge_engine::Attempt| attempt.standing() != Standing::Unsent;
    let wanted = asked.attempts().iter().filter(sent).count();
    let store = service.driver.store();
    let all = async {
        loop {
            let log = store.log(key).await.map_err(CliError::store)?;
            let ours = |event: &Event| matches!(event, Event::Answered { purpose, .. } if *purpose == Purpose::Person);
            let since = log
                .iter()
                .filter(|recorded| recorded.version > asked.version());
            if since.filter(|recorded| ours(&recorded.event)).count() >= wanted {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(service.patience(), all)
        .await
        .unwrap_or_else(|_elapsed| {
            to_stderr("note: not all questions were answered in time");
            Ok(())
        })
}

async fn find(
    service: &Service,
    merchant: &MerchantId,
    order_id: &OrderId,
) -> Result<Option<Stored>, CliError> {
    let stored = service.driver.order(merchant, order_id).await;
    stored.map_err(CliError::store)
}

async fn print(service: &Service, key: OrderKey, context: &Context) -> Result<Order, CliError> {
    show_one(service.driver.store().as_ref(), key, context).await
}

/// Prints an order with its history.
pub(super) async fn show_one(
    store: &dyn Store,
    key: OrderKey,
    context: &Context,
) -> Result<Order, CliError> {
    // The log first: the order may go on between the two.
    let log = store.log(key).await.map_err(CliError::store)?;
    let stored = store.read(key).await.map_err(CliError::store)?;
    let Some(Stored { order, .. }) = stored else {
        return Err(CliError::store(recharge_engine::StoreError::Damaged(
            "an order that was found can't be read".to_owned(),
        )));
    };
    show::print(&order, &log, &context.output)?;
    Ok(order)
}

fn ended(order: &Order) -> Exit {
    match order.state() {
        OrderState::Succeeded => Exit::Success,
        OrderState::Failed => Exit::No,
        OrderState::Pending
        | OrderState::Submitting
        | OrderState::Charging
        | OrderState::Unknown
        | OrderState::Review(_) => Exit::Unknown,
    }
}

/// An order that isn't there.
pub(super) fn unknown(merchant: &MerchantId, order_id: &OrderId) -> CliError {
    let hint = if *merchant == MerchantId::local() {
        "; one that came through a gateway takes --merchant"
    } else {
        ""
    };
    CliError::unusable(format!(
        "there is no order {order_id} of {merchant} in this store; `recharge orders` lists what there is{hint}"
    ))
}

fn refused(error: AcceptError) -> CliError {
    match error {
        AcceptError::Store(error) => CliError::store(error),
        AcceptError::Duplicate { .. } => CliError::unusable(format!("{error}: --allow-duplicate")),
        error => CliError::unusable(error.to_string()),
    }
}

fn act_error(error: ActError) -> CliError {
    match error {
        ActError::Store(error) => CliError::store(error),
        error => CliError::unusable(error.to_string()),
    }
}
