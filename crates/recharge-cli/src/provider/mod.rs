//! `recharge provider`: one call to an upstream, and what it told. Nothing is recorded and nothing is
//! sent again.

mod show;
mod upstream;

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use clap::{Args, Subcommand};
use recharge_core::{
    Account, AccountKind, Carrier, Doubt, DoubtKind, FaceValue, QueryOutcome, Redactor,
    SubmitOutcome,
};

use crate::choice::choice;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::to_stderr;
use crate::stop::Stop;

use self::upstream::Upstream;

/// Which upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// 聚合数据.
    Juhe,
    /// 极速数据.
    Jisu,
}

impl Name {
    const ALL: &[Self] = &[Self::Juhe, Self::Jisu];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Juhe => "juhe",
            Self::Jisu => "jisu",
        }
    }
}

const KINDS: &[AccountKind] = &AccountKind::ALL;
const CARRIERS: &[Carrier] = &Carrier::ALL;

/// What `recharge provider` takes.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Keys and addresses come from the configuration: `recharge config template` \
prints a documented file. Phone numbers are masked in what is printed."
)]
pub struct ProviderArgs {
    /// The call.
    #[command(subcommand)]
    pub call: ProviderCommand,
}

/// The calls.
#[derive(Debug, Clone, Subcommand)]
pub enum ProviderCommand {
    /// Send one order, once. In production it is charged
    #[command(after_help = "Examples:
  recharge provider submit --provider juhe --account 18900001234 --amount 1 --order-id 111111111
  recharge provider submit --provider jisu --kind landline --account 0571-56565366 --amount 100 \\
    --carrier unicom --order-id A0000001

It sends exactly one request and keeps no record. Choose the order number before, write it down, and
use it once: Juhe takes 8 to 32 letters and digits, Jisu 1 to 64.

  0  accepted: charging; the end comes from a query
  4  rejected: nothing was taken
  5  unknown: it may have been taken. Ask with `recharge provider query`, and never send the order
     again under another number
  6  not sent: not one byte left; the same order may be sent again")]
    Submit {
        /// The upstream.
        #[command(flatten)]
        which: Which,
        /// The kind of account.
        #[command(flatten)]
        kind: Kind,
        /// The account and the face value.
        #[command(flatten)]
        what: What,
        /// The order number to send: your own, new for each order
        #[arg(long, visible_alias = "number")]
        order_id: String,
        /// The carrier; Jisu wants it for landline and broadband
        #[arg(long, value_parser = choice(CARRIERS, Carrier::as_str))]
        carrier: Option<Carrier>,
    },
    /// Ask for the state of an order by the number that it was sent with
    #[command(after_help = "Examples:
  recharge provider query --provider juhe --order-id 111111111
  recharge provider query --provider jisu --kind landline --order-id A0000001 \\
    --account 0571-56565366 --amount 100

With --account and --amount an answer about another order is recognised.

  0  found; its state is printed: charging, succeeded or failed
  1  the upstream says that it has no such order; alone that proves nothing, a delayed submit may
     still arrive
  7  the question was not answered")]
    Query {
        /// The upstream.
        #[command(flatten)]
        which: Which,
        /// The kind of account.
        #[command(flatten)]
        kind: Kind,
        /// The order number that was sent
        #[arg(long, visible_alias = "number")]
        order_id: String,
        /// The account that was to be topped up
        #[arg(long, visible_alias = "phone")]
        account: Option<AccountText>,
        /// The face value in whole yuan
        #[arg(long, value_name = "YUAN")]
        amount: Option<FaceValue>,
    },
    /// Ask whether an account can be charged with a face value, without charging it
    #[command(after_help = "Example:
  recharge provider check --provider juhe --account 18900001234 --amount 10

The exit status is 0 for yes and 1 for no. Jisu has no such call.")]
    Check {
        /// The upstream.
        #[command(flatten)]
        which: Which,
        /// The kind of account.
        #[command(flatten)]
        kind: Kind,
        /// The account and the face value.
        #[command(flatten)]
        what: What,
    },
    /// Ask what a face value costs for an account
    #[command(after_help = "Example:
  recharge provider quote --provider juhe --account 18900001234 --amount 10")]
    Quote {
        /// The upstream.
        #[command(flatten)]
        which: Which,
        /// The kind of account.
        #[command(flatten)]
        kind: Kind,
        /// The account and the face value.
        #[command(flatten)]
        what: What,
    },
    /// Ask for the balance of your account with the upstream
    #[command(after_help = "Example:
  recharge provider balance --provider juhe

Juhe allows one such call in 30 seconds. Jisu has no such call.")]
    Balance {
        /// The upstream.
        #[command(flatten)]
        which: Which,
    },
    /// List the orders that the upstream has, one page
    #[command(after_help = "Examples:
  recharge provider orders --provider juhe --page 2
  recharge provider orders --provider jisu --kind landline")]
    Orders {
        /// The upstream.
        #[command(flatten)]
        which: Which,
        /// The kind of account.
        #[command(flatten)]
        kind: Kind,
        /// The page, from 1
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        page: u32,
    },
}

/// Which upstream.
#[derive(Debug, Clone, Copy, Args)]
pub struct Which {
    /// The upstream
    #[arg(long, value_parser = choice(Name::ALL, Name::as_str))]
    pub provider: Name,
}

/// Which kind of account.
#[derive(Debug, Clone, Copy, Args)]
pub struct Kind {
    /// The kind of account
    #[arg(long, default_value = "mobile", value_parser = choice(KINDS, AccountKind::as_str))]
    pub kind: AccountKind,
}

/// An account as it was typed, not yet read as one of a kind. `Debug` masks its middle.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountText(String);

impl AccountText {
    /// The text as it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for AccountText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = Redactor::default().redact(&self.0, &[&self.0]);
        write!(f, "AccountText({masked})")
    }
}

/// What is topped up, and by how much.
#[derive(Debug, Clone, Args)]
pub struct What {
    /// The account, such as 18900001234 or 0571-56565366
    #[arg(long, visible_alias = "phone")]
    pub account: AccountText,
    /// The face value in whole yuan
    #[arg(long, value_name = "YUAN")]
    pub amount: FaceValue,
}

/// Makes one call and prints what it told.
pub(crate) async fn run(args: ProviderArgs, context: &Context) -> Result<Exit, CliError> {
    let open = |which: Which| Upstream::open(which.provider, context);
    let output = &context.output;
    match args.call {
        ProviderCommand::Submit {
            which,
            kind,
            what,
            order_id,
            carrier,
        } => {
            let account = account(kind.kind, what.account.as_str())?;
            let upstream = open(which)?;
            let request = upstream.submit_request(&account, what.amount, carrier, &order_id)?;
            let stop = Stop::listen()?;
            let outcome = tokio::select! {
                outcome = upstream.submit(request, &order_id, &account, what.amount) => outcome,
                () = stop.wait() => interrupted(),
            };
            let (exit, word) = match outcome {
                SubmitOutcome::Accepted(_) => (Exit::Success, "accepted"),
                SubmitOutcome::Rejected(_) => (Exit::Refused, "rejected"),
                SubmitOutcome::NotSent(_) => (Exit::NotSent, "not sent"),
                SubmitOutcome::Unknown(_) => (Exit::Unknown, "unknown"),
            };
            // An outcome is never lost over a full disk: it is in the exit status, and said elsewhere.
            if let Err(error) = show::submit(&outcome, which.provider, kind.kind, &order_id, output)
            {
                to_stderr(&format!("error: {error}; order {order_id}: {word}"));
            }
            Ok(exit)
        }
        ProviderCommand::Query {
            which,
            kind,
            order_id,
            account: text,
            amount,
        } => {
            let account = text
                .map(|text| account(kind.kind, text.as_str()))
                .transpose()?;
            let upstream = open(which)?;
            let outcome = upstream
                .query(&order_id, kind.kind, account.as_ref(), amount)
                .await?;
            show::query(&outcome, which.provider, &order_id, output)?;
            Ok(match outcome {
                QueryOutcome::Found(_) => Exit::Success,
                QueryOutcome::NotFound(_) => Exit::No,
                QueryOutcome::Unavailable(_) => Exit::Unavailable,
            })
        }
        ProviderCommand::Check { which, kind, what } => {
            let account = account(kind.kind, what.account.as_str())?;
            let answer = open(which)?.provider().check(&account, what.amount).await?;
            show::check(answer.as_ref().err(), which.provider, output)?;
            Ok(if answer.is_ok() {
                Exit::Success
            } else {
                Exit::No
            })
        }
        ProviderCommand::Quote { which, kind, what } => {
            let account = account(kind.kind, what.account.as_str())?;
            let quote = open(which)?.provider().quote(&account, what.amount).await?;
            show::quote(&quote, which.provider, output)?;
            Ok(Exit::Success)
        }
        ProviderCommand::Balance { which } => {
            let balance = open(which)?.provider().balance().await?;
            show::balance(balance, which.provider, output)?;
            Ok(Exit::Success)
        }
        ProviderCommand::Orders { which, kind, page } => {
            let list = open(which)?.orders(kind.kind, page).await?;
            show::orders(&list, which.provider, page, output)?;
            Ok(Exit::Success)
        }
    }
}

/// Read here and not by the command line's parser, whose errors repeat what they were given.
fn account(kind: AccountKind, text: &str) -> Result<Account, CliError> {
    Account::parse(kind, text).map_err(|error| {
        CliError::unusable(format!(
            "--account can't be used for --kind {kind}: {error}"
        ))
    })
}

fn interrupted() -> SubmitOutcome {
    let detail = "interrupted before the answer; bytes may have gone";
    SubmitOutcome::Unknown(Doubt::new(DoubtKind::Dropped, detail))
}
