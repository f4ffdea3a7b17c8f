//! The options of the commands that keep orders. Texts here are what `--help` says and docs are made
//! from.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use recharge_core::{
    Account, AccountKind, Carrier, MerchantId, OrderId, OrderState, ProviderId, ReviewReason,
};
use recharge_engine::{NewOrder, WallTime};

use super::decide::DecideArgs;
use crate::choice::choice;
use crate::config::{Config, PROVIDERS};
use crate::error::CliError;
use crate::provider::{AccountText, Kind, What};
use recharge_gateway::time;

/// The commands that keep orders.
#[derive(Debug, Clone, Subcommand)]
pub enum OrderCommand {
    /// Accept an order, send it, and follow it to its end
    #[command(after_help = "Examples:
  recharge submit --order-id A0000001 --account 18900001234 --amount 100
  recharge submit --order-id A0000002 --kind landline --account 0571-56565366 --amount 100 \\
    --carrier unicom --allow-duplicate

The order is on the disk before anything is sent. Interrupted at any moment, it can be run again: the
same --order-id with the same content is the same order, and is not sent twice. With other content it is
refused.

  0  succeeded; with --no-wait: accepted
  1  failed: not charged, as far as anything proves it
  5  it has not ended, or is on a person's desk: ask with `recharge query`, never order it again under
     another id")]
    Submit(SubmitArgs),
    /// Ask the upstream about an order now, and print where it stands
    #[command(after_help = "Example:
  recharge query A0000001

  0  succeeded
  1  failed: not charged, as far as anything proves it
  2  there is no such order in this store
  5  it has not ended, or is on a person's desk")]
    Query(OneArgs),
    /// List orders, the newest first
    #[command(after_help = "Examples:
  recharge orders --state review
  recharge orders --account 18900001234 --since 2027-01-15")]
    Orders(OrdersArgs),
    /// Print an order with all that happened to it
    #[command(after_help = "Example:
  recharge show A0000001

Times are those of China. Attempts are counted from 1.")]
    Show(OneArgs),
    /// List the orders that wait for people, or decide about one
    #[command(subcommand)]
    Review(ReviewCommand),
    /// Accept and send every order of a CSV file, and write down what became of each
    #[command(after_help = "Examples:
  recharge batch orders.csv
  recharge batch orders.csv --out ended.csv --db shop.sqlite

The first line names the columns: order_id, kind, account, amount, and, where needed, carrier,
allow_duplicate, provider. The file is UTF-8 or GB18030, with at most 500000 orders. It is checked as a
whole first: if a line is bad, all bad lines are named and nothing is accepted.

The result has the columns order_id, state, provider, upstream_order_id, cost, message. Where a text of
an upstream would be taken for a formula by a spreadsheet, an apostrophe stands before it.

Interrupted at any moment, it can be run again: orders that were accepted are not sent twice.

  0  every order has ended, or is on a person's desk
  2  the file can't be used; nothing was accepted
  5  interrupted, or not all orders have ended: run it again")]
    Batch(BatchArgs),
    /// Copy the store into a new file, while it is in use
    #[command(after_help = "Example:
  recharge backup recharge-20270115.sqlite

The copy holds the key from which order numbers are derived: keep it as you keep secrets.")]
    Backup(BackupArgs),
    /// Make a store out of a backup
    #[command(after_help = "Examples:
  recharge restore recharge-20270115.sqlite --db recharge.sqlite
  recharge restore recharge-20270115.sqlite --db recharge.sqlite --replace

What was sent since the backup was made is not in it. So orders that could still be sent are held until
the upstream has been asked about every number that they could have used.")]
    Restore(RestoreArgs),
    /// End the hold of a restored backup for new orders
    #[command(after_help = "Example:
  recharge end-hold

For seven days of work after a restore each new order is first asked about at every provider, because its
merchant may have sent it before. End that once no merchant will send again what it sent before the
restore: an order that was sent and is not in the backup would be charged twice. Orders that are held
already stay so until they have been asked about.")]
    EndHold(EndHoldArgs),
    /// Mask the phone numbers of orders that have long ended
    #[command(after_help = "Examples:
  recharge forget --before 2027-01-01
  recharge forget --before 2027-01-01 --yes

Without --yes it only counts. It works whether or not a gateway runs on the store. Orders that have not
ended, lie on a desk, or are still asked about after their end are left as they are. Of the others the
account is masked for good, as in 189****1234; amounts, costs, states, numbers and times stay. Copies that
were made before still hold the accounts.")]
    Forget(ForgetArgs),
    /// Check configuration, store and clock, and say what waits
    #[command(after_help = "Example:
  recharge doctor

  0  all is well
  1  something needs a person: it is said what")]
    Doctor(DoctorArgs),
}

/// Where orders are kept.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// The file in which orders are kept; goes before store.url of the configuration
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
}

impl Database {
    /// The file: `--db`, else that of the configuration.
    pub fn file(&self, config: &Config) -> PathBuf {
        self.db.clone().unwrap_or_else(|| config.store_file())
    }
}

const CARRIERS: &[Carrier] = &Carrier::ALL;
const REASONS: &[ReviewReason] = &ReviewReason::ALL;

const STATES: &[OrderState] = &OrderState::EACH;

/// A parser of the providers' names.
pub(super) fn provider() -> impl TypedValueParser<Value = ProviderId> {
    PossibleValuesParser::new(PROVIDERS).try_map(|name| ProviderId::parse(&name))
}

/// What `recharge submit` takes.
#[derive(Debug, Clone, Args)]
pub struct SubmitArgs {
    /// Your own name of the order, 1 to 64 printable ASCII characters
    #[arg(long, value_name = "ORDER")]
    pub order_id: OrderId,
    /// The kind of account.
    #[command(flatten)]
    pub kind: Kind,
    /// The account and the face value.
    #[command(flatten)]
    pub what: What,
    /// The carrier; Jisu wants it for landline and broadband
    #[arg(long, value_parser = choice(CARRIERS, Carrier::as_str))]
    pub carrier: Option<Carrier>,
    /// Send it to this provider and no other
    #[arg(long, value_parser = provider())]
    pub provider: Option<ProviderId>,
    /// Take it though there is another order for the same account and face value, minutes old
    #[arg(long)]
    pub allow_duplicate: bool,
    /// End as soon as the order is accepted and what has begun is over; the next command that places or
    /// asks about an order goes on with it
    #[arg(long)]
    pub no_wait: bool,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

impl SubmitArgs {
    /// The order. Its account is read here and not by the parser, whose errors repeat what they were
    /// given.
    pub fn order(&self) -> Result<NewOrder, CliError> {
        let kind = self.kind.kind;
        let account = account(kind, self.what.account.as_str())?;
        let (id, amount) = (self.order_id.clone(), self.what.amount);
        let mut what = NewOrder::new(MerchantId::local(), id, account, amount);
        what.carrier = self.carrier;
        what.provider.clone_from(&self.provider);
        Ok(what)
    }
}

fn account(kind: AccountKind, text: &str) -> Result<Account, CliError> {
    let unusable = |error| {
        CliError::unusable(format!(
            "--account can't be used for --kind {kind}: {error}"
        ))
    };
    Account::parse(kind, text).map_err(unusable)
}

/// Whose order it is that is named.
#[derive(Debug, Clone, Default, Args)]
pub struct Whose {
    /// The merchant whose order it is, of those that came through a gateway
    #[arg(long = "merchant", value_name = "NAME", value_parser = crate::keys::merchant)]
    pub name: Option<MerchantId>,
}

impl Whose {
    /// The merchant: unless one is named, the command line's own.
    pub fn merchant(&self) -> MerchantId {
        self.name.clone().unwrap_or_else(MerchantId::local)
    }
}

/// What a command about one order takes.
#[derive(Debug, Clone, Args)]
pub struct OneArgs {
    /// The order's name, as it was given with --order-id
    #[arg(value_name = "ORDER")]
    pub order: OrderId,
    /// Whose it is.
    #[command(flatten)]
    pub whose: Whose,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// What `recharge orders` takes.
#[derive(Debug, Clone, Args)]
pub struct OrdersArgs {
    /// Only those that stand there
    #[arg(long, value_parser = choice(STATES, OrderState::as_str))]
    pub state: Option<OrderState>,
    /// Only those for this account
    #[arg(long, visible_alias = "phone")]
    pub account: Option<AccountText>,
    /// Only those accepted then or later: a day, or a day and a time, in China
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub since: Option<WallTime>,
    /// Only those accepted before then
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub until: Option<WallTime>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

impl OrdersArgs {
    /// The account as orders may have it, in each way in which the text can be read: its kind isn't
    /// told. Empty: any account.
    pub fn accounts(&self) -> Result<Vec<String>, CliError> {
        let Some(text) = &self.account else {
            return Ok(Vec::new());
        };
        let read = |kind| Account::parse(kind, text.as_str()).ok();
        let accounts = AccountKind::ALL.into_iter().filter_map(read);
        let mut texts: Vec<String> = accounts.map(|it| it.as_str().to_owned()).collect();
        texts.sort();
        texts.dedup();
        if texts.is_empty() {
            let text = "--account is no account of any kind: write one such as 18900001234 or 0571-56565366";
            return Err(CliError::unusable(text));
        }
        Ok(texts)
    }
}

/// What `recharge review` does.
#[derive(Debug, Clone, Subcommand)]
pub enum ReviewCommand {
    /// List the orders on the desk: why, since when, and which decisions are open to how many people
    #[command(after_help = "Example:
  recharge review list")]
    List(ListArgs),
    /// Make a decision about an order, or the first half of one that takes two people
    #[command(after_help = super::decide::HELP)]
    Decide(DecideArgs),
}

/// What `recharge review list` takes.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Only those on the desk for this reason
    #[arg(long, value_parser = choice(REASONS, ReviewReason::as_str))]
    pub reason: Option<ReviewReason>,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// What `recharge batch` takes.
#[derive(Debug, Clone, Args)]
pub struct BatchArgs {
    /// The CSV file with the orders
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where the result goes [default: FILE with .result.csv at its end]
    #[arg(long, value_name = "RESULT.csv")]
    pub out: Option<PathBuf>,
    /// Say `accepted ORDER_ID` on standard error as soon as an order is safely on the disk
    #[arg(long)]
    pub verbose: bool,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

impl BatchArgs {
    /// Where the result goes: never onto the orders themselves.
    pub fn result(&self) -> Result<PathBuf, CliError> {
        let result = match &self.out {
            Some(out) => out.clone(),
            None => self.file.with_extension("result.csv"),
        };
        let place = |file: &Path| file.canonicalize().unwrap_or_else(|_| file.to_owned());
        if place(&result) == place(&self.file) {
            return Err(CliError::unusable(
                "--out names the file with the orders: write the result to another one",
            ));
        }
        Ok(result)
    }
}

/// What `recharge backup` takes.
#[derive(Debug, Clone, Args)]
pub struct BackupArgs {
    /// The backup; a file that is not there yet
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// What `recharge restore` takes.
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Put it in the place of a store that is there, which is kept beside with .replaced at its end
    #[arg(long)]
    pub replace: bool,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// What `recharge end-hold` takes.
#[derive(Debug, Clone, Args)]
pub struct EndHoldArgs {
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// What `recharge forget` takes.
#[derive(Debug, Clone, Args)]
pub struct ForgetArgs {
    /// Of orders whose last event is older than this, such as 2027-01-15 (in China)
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub before: WallTime,
    /// Do it: what is masked can't be had back
    #[arg(long)]
    pub yes: bool,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

/// What `recharge doctor` takes.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::super::decide::Action;
    use super::*;
    use crate::cli::Global;

    #[derive(Debug, Parser)]
    #[command(name = "recharge")]
    struct Line {
        #[command(flatten)]
        global: Global,
        #[command(subcommand)]
        command: OrderCommand,
    }

    /// Words as a shell has them: what stands in quotes is one.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (quoted, part) in line.split('"').enumerate() {
            if quoted % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        words
    }

    fn read(line: &str) -> Result<OrderCommand, String> {
        Line::try_parse_from(words(&format!("recharge {line}")))
            .map(|line| line.command)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_commands_hold_together() {
        Line::command().debug_assert();
    }

    #[test]
    fn every_example_of_the_help_is_a_command_line() {
        fn check(command: &clap::Command, found: &mut u32) {
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_default().replace("\\\n", " ");
            for line in help
                .lines()
                .filter_map(|line| line.trim().strip_prefix("recharge "))
            {
                *found += 1;
                read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
            for inner in command.get_subcommands() {
                check(inner, found);
            }
        }
        let mut found = 0;
        check(&Line::command(), &mut found);
        assert!(found >= 14, "{found}");
    }

    #[test]
    fn an_order_is_read_and_its_account_never_repeated() {
        let line = "submit --order-id A1 --kind landline --account 057156565366 --amount 100 --carrier unicom --provider jisu";
        let Ok(OrderCommand::Submit(args)) = read(line) else {
            panic!("{:?}", read(line));
        };
        let order = args.order().unwrap();
        assert_eq!(order.account.as_str(), "0571-56565366");
        assert!(!format!("{args:?}").contains("56565366"), "{args:?}");
        assert_eq!(order.provider, ProviderId::parse("jisu").ok());
        assert_eq!(order.carrier, Some(Carrier::Unicom));
        let line = "submit --order-id A1 --account 133123456789 --amount 100";
        let Ok(OrderCommand::Submit(args)) = read(line) else {
            panic!("{:?}", read(line));
        };
        let error = args.order().unwrap_err().to_string();
        assert!(
            error.contains("11 digits") && !error.contains("133123"),
            "{error}"
        );
    }

    #[test]
    fn a_list_is_narrowed() {
        let line = "orders --state review --since 2027-01-15 --until 2027-01-16T12:00 --limit 3 --account 0571-56565366";
        let Ok(OrderCommand::Orders(args)) = read(line) else {
            panic!("{:?}", read(line));
        };
        assert!(matches!(args.state, Some(OrderState::Review(_))));
        assert!(args.since < args.until && args.limit == 3);
        assert_eq!(args.accounts().unwrap(), ["0571-56565366"]);
        assert!(!format!("{args:?}").contains("56565366"), "{args:?}");
        let Ok(OrderCommand::Orders(args)) = read("orders --account 057156565366") else {
            panic!();
        };
        // A landline, or a broadband account that looks like one.
        let both = ["0571-56565366", "057156565366"];
        assert_eq!(args.accounts().unwrap(), both);
        assert!(read("orders --limit 0").is_err() && read("orders --since yesterday").is_err());
        assert!(
            read("orders --state lost")
                .unwrap_err()
                .contains("pending, submitting")
        );
    }

    #[test]
    fn the_result_never_goes_onto_the_orders() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orders.csv");
        std::fs::write(&file, "").unwrap();
        let result = |out: Option<PathBuf>| {
            let database = Database { db: None };
            let file = file.clone();
            BatchArgs {
                file,
                out,
                verbose: false,
                database,
            }
            .result()
        };
        assert_eq!(
            result(None).unwrap(),
            folder.path().join("orders.result.csv")
        );
        let other = folder.path().join("x.csv");
        assert_eq!(result(Some(other.clone())).unwrap(), other);
        let same = folder.path().join(".").join("orders.csv");
        assert!(
            result(Some(same))
                .unwrap_err()
                .to_string()
                .contains("--out")
        );
    }

    #[test]
    fn the_store_is_named_by_option_or_configuration() {
        let Ok(OrderCommand::Doctor(args)) = read("doctor --db x.sqlite") else {
            panic!();
        };
        let config = Config::default();
        assert_eq!(args.database.file(&config), PathBuf::from("x.sqlite"));
        let none = Database { db: None };
        assert_eq!(none.file(&config), PathBuf::from("recharge.sqlite"));
    }

    #[test]
    fn decisions_have_their_words() {
        for action in Action::ALL {
            let line = format!(
                "review decide A1 {} --by li.na --seen 3 --evidence x",
                action.as_str()
            );
            let Ok(OrderCommand::Review(ReviewCommand::Decide(args))) = read(&line) else {
                panic!("{line}");
            };
            assert_eq!(args.decision, *action);
        }
        let error = read("review decide A1 succeeded --seen 3").unwrap_err();
        assert!(error.contains("--by"), "{error}");
    }
}
