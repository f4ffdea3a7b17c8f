//! `recharge review decide`: what a person wants, as the engine takes it.

use clap::Args;
use recharge_core::{OrderId, ProviderId};
use recharge_engine::{Command, Decision, Person, Verdict};

use super::args::{Database, Whose, provider};
use crate::choice::choice;
use crate::error::CliError;

pub(super) const HELP: &str = "Decisions:
  succeeded        the customer has the money: one person, with the upstream's proof
  failed           the customer was not charged: two people, unless every attempt is known to be unpaid
  send-again       send the same number once more: two people, if the upstream refuses duplicates
  send-elsewhere   send it by another provider: two people, if it was probably not taken
  cancel           it is no longer wanted: one person, while nothing was sent
  ask-again        ask the upstream about every attempt now: one person; no --evidence and no --seen

Where it takes two, the first one's decision is kept until a second person makes the same one; a new
answer of the upstream makes it void. Only names count that [people] approvers lists, and each is one
person, whoever types it.

Examples:
  recharge review decide A0000001 ask-again --by li.na
  recharge review decide A0000001 succeeded --by li.na --seen 17 \\
    --evidence \"ticket 4711: the upstream's statement, number J1234\"
  recharge review decide A0000001 send-elsewhere --provider jisu --by wang.wei --seen 17 \\
    --evidence \"ticket 4711: Juhe has no such order\"

  0  done, or kept until the second person decides
  2  refused, and nothing has changed: it is said why";

/// What a person can want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The customer has the money.
    Succeeded,
    /// The customer was not charged.
    Failed,
    /// The same number goes out once more.
    SendAgain,
    /// Another provider gets it.
    SendElsewhere,
    /// It is no longer wanted.
    Cancel,
    /// Every attempt is asked about.
    AskAgain,
}

impl Action {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Succeeded,
        Self::Failed,
        Self::SendAgain,
        Self::SendElsewhere,
        Self::Cancel,
        Self::AskAgain,
    ];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::SendAgain => "send-again",
            Self::SendElsewhere => "send-elsewhere",
            Self::Cancel => "cancel",
            Self::AskAgain => "ask-again",
        }
    }
}

/// What `recharge review decide` takes.
#[derive(Debug, Clone, Args)]
pub struct DecideArgs {
    /// The order's name
    #[arg(value_name = "ORDER")]
    pub order: OrderId,
    /// Whose it is.
    #[command(flatten)]
    pub whose: Whose,
    /// What is decided
    #[arg(value_parser = choice(Action::ALL, Action::as_str))]
    pub decision: Action,
    /// Who decides
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// What proves it: the upstream's statement, a ticket, what was said by whom
    #[arg(long, value_name = "TEXT")]
    pub evidence: Option<String>,
    /// The version of the order that you have seen, as `recharge show` prints it
    #[arg(long, value_name = "VERSION")]
    pub seen: Option<u64>,
    /// Whom to send it to; for send-elsewhere
    #[arg(long, value_parser = provider())]
    pub provider: Option<ProviderId>,
    /// Which attempt to send again, from 1; may be left out where there is one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub attempt: Option<u32>,
    /// Where orders are kept.
    #[command(flatten)]
    pub database: Database,
}

impl DecideArgs {
    /// Who decides. Nobody has checked the name; `system_user` is whose login it was typed under.
    pub fn person(&self, system_user: &str) -> Result<Person, CliError> {
        Person::unauthenticated(&self.by, system_user)
            .map_err(|error| CliError::unusable(format!("--by: {error}")))
    }

    /// What is wanted of an order that has so many attempts.
    pub fn command(&self, by: Person, attempts: usize) -> Result<Command, CliError> {
        let wants = |option, for_what| {
            CliError::unusable(format!(
                "{} needs {option}: {for_what}",
                self.decision.as_str()
            ))
        };
        let takes = |option, action: Action| {
            CliError::unusable(format!("{option} is for {} only", action.as_str()))
        };
        if self.provider.is_some() && self.decision != Action::SendElsewhere {
            return Err(takes("--provider", Action::SendElsewhere));
        }
        if self.attempt.is_some() && self.decision != Action::SendAgain {
            return Err(takes("--attempt", Action::SendAgain));
        }
        let verdict = match self.decision {
            Action::AskAgain => return Ok(Command::AskAgain { by }),
            Action::Succeeded => Verdict::Succeeded,
            Action::Failed => Verdict::Failed,
            Action::Cancel => Verdict::Cancel,
            Action::SendAgain => {
                let only = (attempts == 1).then_some(1);
                let counted = self.attempt.or(only);
                let counted = counted.ok_or_else(|| wants("--attempt", "which one, from 1"))?;
                // The engine counts from 0.
                let attempt = counted.saturating_sub(1);
                Verdict::SendAgain { attempt }
            }
            Action::SendElsewhere => {
                let provider = self.provider.clone();
                let provider = provider.ok_or_else(|| wants("--provider", "whom to send it to"))?;
                Verdict::SendElsewhere { provider }
            }
        };
        let seen = "the version that you have seen, as `recharge show` prints it";
        let evidence = "what proves it, such as a ticket or the upstream's statement";
        Ok(Command::Decide(Decision {
            verdict,
            by,
            evidence: self
                .evidence
                .clone()
                .ok_or_else(|| wants("--evidence", evidence))?,
            seen: self.seen.ok_or_else(|| wants("--seen", seen))?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(decision: Action) -> DecideArgs {
        DecideArgs {
            order: OrderId::parse("A1").unwrap(),
            whose: Whose::default(),
            decision,
            by: "li.na".to_owned(),
            evidence: Some("ticket 1".to_owned()),
            seen: Some(3),
            provider: None,
            attempt: None,
            database: Database { db: None },
        }
    }

    fn command(args: &DecideArgs, attempts: usize) -> Result<Command, String> {
        let by = args.person("ops").unwrap();
        args.command(by, attempts)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_wanted_becomes_a_command() {
        let Ok(Command::Decide(decision)) = command(&args(Action::Failed), 1) else {
            panic!();
        };
        assert_eq!((decision.verdict, decision.seen), (Verdict::Failed, 3));
        assert_eq!(decision.by.to_string(), "li.na (not authenticated, as ops)");
        let mut bare = args(Action::AskAgain);
        (bare.evidence, bare.seen) = (None, None);
        assert!(matches!(command(&bare, 1), Ok(Command::AskAgain { .. })));
    }

    #[test]
    fn attempts_are_counted_from_one() {
        let mut again = args(Action::SendAgain);
        let attempt = |args: &DecideArgs, attempts| match command(args, attempts) {
            Ok(Command::Decide(Decision {
                verdict: Verdict::SendAgain { attempt },
                ..
            })) => attempt,
            other => panic!("{other:?}"),
        };
        assert_eq!(attempt(&again, 1), 0);
        assert!(
            command(&again, 2)
                .unwrap_err()
                .contains("send-again needs --attempt")
        );
        again.attempt = Some(2);
        assert_eq!(attempt(&again, 2), 1);
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let mut wrong = args(Action::SendElsewhere);
        assert!(
            command(&wrong, 1)
                .unwrap_err()
                .contains("send-elsewhere needs --provider")
        );
        wrong.decision = Action::Succeeded;
        wrong.provider = ProviderId::parse("jisu").ok();
        assert!(
            command(&wrong, 1)
                .unwrap_err()
                .contains("--provider is for send-elsewhere only")
        );
        let mut wrong = args(Action::Succeeded);
        wrong.attempt = Some(1);
        assert!(
            command(&wrong, 1)
                .unwrap_err()
                .contains("--attempt is for send-again only")
        );
        let mut wrong = args(Action::Succeeded);
        wrong.seen = None;
        assert!(
            command(&wrong, 1)
                .unwrap_err()
                .contains("succeeded needs --seen")
        );
        wrong.evidence = None;
        assert!(
            command(&wrong, 1)
                .unwrap_err()
                .contains("succeeded needs --evidence")
        );
        wrong.by = "a\nb".to_owned();
        assert!(
            wrong
                .person("ops")
                .unwrap_err()
                .to_string()
                .contains("--by: ")
        );
    }
}
