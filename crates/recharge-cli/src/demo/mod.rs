//! `recharge demo`: orders through the simulator, each followed to its end, and a verdict; and a gateway to look at
//! them, if it is asked for.

mod orders;
mod play;
mod serve;
mod verdict;

use std::net::SocketAddr;

use clap::Args;
use recharge_core::{OrderState, ParseAccountError, ParseIdError, ParseMoneyError};
use recharge_engine::Order;
use recharge_sim::Preset;

pub use self::verdict::Verdict;

use self::play::Played;
use self::verdict::{Booked, Told, judge};
use crate::choice::choice;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{Output, Tone, progress};
use crate::stop::Stop;

/// The presets of which a clean verdict is promised.
const PRESETS: &[Preset] = &[Preset::Off, Preset::Mild, Preset::Hostile];

/// What `recharge demo` takes.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// How many orders; the first two are the documented samples
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub orders: u32,
    /// What goes wrong at the upstreams
    #[arg(long, value_name = "PRESET", default_value = "off", value_parser = choice(PRESETS, Preset::as_str))]
    pub faults: Preset,
    /// The seed of everything random; the same seed gives the same orders and faults
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Then serve a gateway with these orders, the simulator behind it, until Ctrl-C
    #[arg(long)]
    pub serve: bool,
    /// Where the gateway listens; port 0 is any free one
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:0",
        requires = "serve"
    )]
    pub listen: SocketAddr,
}

/// Why a demonstration could not be held.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(transparent)]
    Id(#[from] ParseIdError),
    #[error(transparent)]
    Account(#[from] ParseAccountError),
    #[error(transparent)]
    Money(#[from] ParseMoneyError),
    #[error("the simulator can't start: {0}")]
    Simulator(#[from] recharge_sim::StartError),
    #[error(transparent)]
    Juhe(#[from] recharge_juhe::ConfigError),
    #[error(transparent)]
    Jisu(#[from] recharge_jisu::ConfigError),
    #[error(transparent)]
    Http(#[from] recharge_http::ConfigError),
    #[error(transparent)]
    Accept(#[from] recharge_engine::AcceptError),
    #[error(transparent)]
    Start(#[from] recharge_engine::driver::StartError),
    #[error(transparent)]
    Store(#[from] recharge_engine::StoreError),
    #[error(transparent)]
    Open(#[from] recharge_store::sqlite::OpenError),
    #[error("there is no room for the demonstration's file: {0}")]
    Folder(std::io::Error),
    #[error("order {0} was accepted and can't be found")]
    Lost(recharge_core::OrderId),
    #[error("a task of the demonstration failed: {0}")]
    Task(#[from] tokio::task::JoinError),
    #[error(transparent)]
    Random(#[from] recharge_gateway::seal::NoRandom),
    #[error(transparent)]
    Master(#[from] recharge_gateway::seal::MasterKeyError),
    #[error(transparent)]
    Registry(#[from] recharge_store::registry::RegistryError),
    #[error(transparent)]
    Serve(#[from] recharge_gateway::ServeError),
}

impl From<DemoError> for CliError {
    fn from(error: DemoError) -> Self {
        Self::system(
            "the demonstration can't be held",
            std::io::Error::other(error),
        )
    }
}

/// Runs the demonstration. The exit status is 0 if and only if the verdict is clean.
pub async fn run(args: DemoArgs, output: &Output) -> Result<Exit, CliError> {
    // Listened to before anybody is told that it runs.
    let stop = if args.serve {
        Some(Stop::listen()?)
    } else {
        None
    };
    let wanted = orders::orders(args.orders, args.seed)?;
    let bar = progress(args.orders.into(), output);
    let Played {
        orders,
        ledger,
        faults_injected,
        stage,
    } = play::play(wanted, args.faults, args.seed, || bar.inc(1)).await?;
    bar.finish_and_clear();

    let told: Vec<Told> = orders.iter().map(told).collect();
    let booked: Vec<Booked> = ledger
        .iter()
        .map(|row| Booked {
            account: row.account.clone(),
            charges: row.charges,
        })
        .collect();
    let verdict = judge(&told, &booked, faults_injected);
    if output.is_json() {
        output.json(&verdict)?;
    } else {
        show(&orders, &verdict, output)?;
    }
    match stop {
        Some(stop) => serve::serve(stage, args.listen, stop, output).await?,
        None => stage.simulator.shutdown().await,
    }
    Ok(if verdict.is_clean() {
        Exit::Success
    } else {
        Exit::No
    })
}

fn told(order: &Order) -> Told {
    Told {
        account: order.what().account.as_str().to_owned(),
        state: order.state().as_str().to_owned(),
    }
}

fn show(orders: &[Order], verdict: &Verdict, output: &Output) -> Result<(), CliError> {
    let rows: Vec<Vec<String>> = orders.iter().map(|order| row(order, output)).collect();
    let head = [
        "order",
        "kind",
        "account",
        "yuan",
        "state",
        "attempts",
        "provider",
        "number there",
        "cost",
    ];
    output.table(&head, &rows)?;
    let Verdict {
        orders,
        succeeded,
        failed,
        review,
        double_charges,
        lost,
        wrong_end,
        faults_injected,
    } = verdict;
    output.line(format!(
        "\n{orders} orders: {succeeded} succeeded, {failed} failed, {review} for a person to review; \
         {faults_injected} faults injected"
    ))?;
    let harm = format!("{double_charges} charged twice, {lost} lost, {wrong_end} with a wrong end");
    if verdict.is_clean() {
        output.line(output.tinted(
            Tone::Good,
            &format!("By the upstreams' ledger: {harm}. Clean."),
        ))
    } else {
        output.line(output.tinted(
            Tone::Bad,
            &format!("By the upstreams' ledger: {harm}. NOT CLEAN."),
        ))
    }
}

fn row(order: &Order, output: &Output) -> Vec<String> {
    let attempt = order.telling_attempt();
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let state = match order.state() {
        OrderState::Succeeded => Tone::Good,
        OrderState::Failed => Tone::Bad,
        OrderState::Pending
        | OrderState::Submitting
        | OrderState::Charging
        | OrderState::Unknown
        | OrderState::Review(_) => Tone::Doubtful,
    };
    vec![
        order.what().order_id.to_string(),
        order.what().account.kind().to_string(),
        order.what().account.to_string(),
        order.what().amount.to_string(),
        output.tinted(state, &order.state().to_string()),
        order.attempts().len().to_string(),
        or_dash(attempt.map(|attempt| attempt.provider().to_string())),
        or_dash(
            attempt
                .and_then(|a| a.upstream_order_id())
                .map(ToString::to_string),
        ),
        or_dash(
            attempt
                .filter(|_| order.state() == OrderState::Succeeded)
                .and_then(recharge_engine::Attempt::cost)
                .map(|cost| cost.to_string()),
        ),
    ]
}
