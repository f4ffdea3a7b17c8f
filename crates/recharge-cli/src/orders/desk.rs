//! What waits for people: why, since when, and which decisions are open to how many of them.
//!
//! What is open is found by asking the engine's own [`step()`]: nothing is decided here.

use std::fmt;
use std::time::Duration;

use recharge_core::{OrderState, ProviderId, ReviewReason};
use recharge_engine::{
    Command, Decision, Event, Input, Moment, Order, Person, Policy, Verdict, step,
};
use serde_json::{Value, json};

use super::list;
use super::words::{counted, reason};
use crate::error::CliError;
use crate::output::{Output, Tone, plain};
use recharge_gateway::time::age;

/// A decision that people can make now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// What; `None`: ask again.
    pub verdict: Option<Verdict>,
    /// How many people it takes in all.
    pub people: u8,
    /// Who has made it already, where a second person is awaited.
    pub approved_by: Option<Person>,
}

impl Open {
    /// The word of `review decide`.
    pub const fn name(&self) -> &'static str {
        match &self.verdict {
            None => "ask-again",
            Some(Verdict::Succeeded) => "succeeded",
            Some(Verdict::Failed) => "failed",
            Some(Verdict::SendAgain { .. }) => "send-again",
            Some(Verdict::SendElsewhere { .. }) => "send-elsewhere",
            Some(Verdict::Cancel) => "cancel",
        }
    }

    fn attempt(&self) -> Option<u32> {
        match &self.verdict {
            Some(Verdict::SendAgain { attempt }) => Some(counted(*attempt)),
            Some(_) | None => None,
        }
    }

    fn provider(&self) -> Option<&ProviderId> {
        match &self.verdict {
            Some(Verdict::SendElsewhere { provider }) => Some(provider),
            Some(_) | None => None,
        }
    }

    fn json(&self) -> Value {
        json!({
            "decision": self.name(),
            "attempt": self.attempt(),
            "provider": self.provider().map(ProviderId::as_str),
            "people": self.people,
            "approved_by": self.approved_by.as_ref().map(Person::name),
        })
    }
}

/// As it is given to `review decide`, and how many people it takes.
impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Some(attempt) = self.attempt() {
            write!(f, " --attempt {attempt}")?;
        }
        if let Some(provider) = self.provider() {
            write!(f, " --provider {provider}")?;
        }
        match (&self.approved_by, self.people) {
            (Some(first), _) => write!(f, " (one more person; {} has approved)", first.name()),
            (None, 1) => f.write_str(" (1 person)"),
            (None, people) => write!(f, " ({people} people)"),
        }
    }
}

/// The decisions that are open about an order, the harmless ones first.
pub fn open(policy: &Policy, order: &Order, now: Moment) -> Vec<Open> {
    let Some(somebody) = somebody(order) else {
        return Vec::new();
    };
    let asks = Command::AskAgain {
        by: somebody.clone(),
    };
    let mut open = Vec::new();
    if step(policy, order, Input::Command(asks), now).is_ok() {
        open.push(Open {
            verdict: None,
            people: 1,
            approved_by: None,
        });
    }
    let again = (0..)
        .zip(order.attempts())
        .map(|(attempt, _)| Verdict::SendAgain { attempt });
    let elsewhere = policy.routes.iter().map(|route| Verdict::SendElsewhere {
        provider: route.provider.clone(),
    });
    let verdicts = [Verdict::Cancel, Verdict::Succeeded, Verdict::Failed];
    for verdict in verdicts.into_iter().chain(again).chain(elsewhere) {
        let decision = Decision {
            verdict: verdict.clone(),
            by: somebody.clone(),
            evidence: "what is open".to_owned(),
            seen: order.version(),
        };
        let Ok(step) = step(
            policy,
            order,
            Input::Command(Command::Decide(decision)),
            now,
        ) else {
            continue;
        };
        let found = step.events.iter().find_map(|recorded| {
            if let Event::Decided { approved_by, .. } = &recorded.event {
                let people = if approved_by.is_some() { 2 } else { 1 };
                return Some((people, approved_by.clone()));
            }
            matches!(recorded.event, Event::Approved { .. }).then_some((2, None))
        });
        if let Some((people, approved_by)) = found {
            open.push(Open {
                verdict: Some(verdict),
                people,
                approved_by,
            });
        }
    }
    open
}

/// A person who has not approved anything of this order.
fn somebody(order: &Order) -> Option<Person> {
    ["somebody", "somebody else"]
        .into_iter()
        .filter_map(|name| Person::authenticated(name).ok())
        .find(|person| {
            order
                .approval()
                .is_none_or(|first| !first.by.is_same(person))
        })
}

/// What a person should do about an order that is on the desk for this reason.
pub const fn advice(reason: ReviewReason) -> &'static str {
    match reason {
        ReviewReason::ProbablyNotTaken => {
            "the provider has long said that it has no such order. Ask its people about the number. If they \
             confirm in writing that it never came: failed, send-again or send-elsewhere. If they know it: \
             ask-again"
        }
        ReviewReason::Overdue => {
            "it has taken longer than its limit, and is still asked about. Ask the provider's people how it \
             ended, and decide with their proof. Don't send it again: it may still be charged"
        }
        ReviewReason::Contradiction => {
            "an answer contradicts the end that was recorded. Look at `recharge show`, ask the provider's \
             people which holds, and decide with their proof. The merchant may have acted on the first end"
        }
        ReviewReason::EarlierAttempt => {
            "an earlier attempt answered something, or can't be asked, so that no later one was sent. Find \
             out from its provider what became of it, and decide with their proof"
        }
    }
}

fn on_desk(order: &Order) -> Option<ReviewReason> {
    let is_it = |reason: &ReviewReason| order.state() == OrderState::Review(*reason);
    ReviewReason::ALL.into_iter().find(is_it)
}

/// The head of the desk's table.
pub const HEAD: [&str; 8] = [
    "order id", "reason", "for", "account", "amount", "provider", "version", "open",
];

/// Prints the orders on the desk with what is open about each.
pub fn print<'a>(
    orders: impl IntoIterator<Item = (&'a Order, &'a Policy)>,
    now: Moment,
    output: &Output,
) -> Result<(), CliError> {
    let (mut rows, mut told, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    let mut alone = false;
    for (order, policy) in orders {
        let open = open(policy, order, now);
        alone |= policy.approvers.len() < 2 && open.iter().any(|open| open.people > 1);
        reasons.extend(on_desk(order));
        if output.is_json() {
            told.push(json(order, &open, now));
        } else {
            rows.push(row(order, &open, now));
        }
    }
    reasons.sort_unstable();
    reasons.dedup();
    if output.is_json() {
        return output.json(&json!({ "orders": told, "approvers_missing": alone }));
    }
    output.table(&HEAD, &rows)?;
    for reason in reasons {
        output.line(format!("\n{reason}: {}", advice(reason)))?;
    }
    if alone {
        let text = "\npeople.approvers has fewer than two names: what takes two people can't be decided here";
        output.line(output.tinted(Tone::Doubtful, text))?;
    }
    Ok(())
}

/// The row of one order under [`HEAD`].
pub fn row(order: &Order, open: &[Open], now: Moment) -> Vec<String> {
    let what = order.what();
    let open: Vec<String> = open.iter().map(|open| plain(&open.to_string())).collect();
    let provider = order
        .telling_attempt()
        .map(|attempt| attempt.provider().to_string());
    vec![
        plain(what.order_id.as_str()),
        reason(order.state()).unwrap_or("-").to_owned(),
        age(since(order, now)),
        what.account.to_string(),
        what.amount.to_string(),
        provider.unwrap_or_else(|| "-".to_owned()),
        order.version().to_string(),
        open.join(", "),
    ]
}

/// The order as [`list::json`] has it, for how many seconds it has stood there, the advice, and what is
/// open.
pub fn json(order: &Order, open: &[Open], now: Moment) -> Value {
    let mut told = list::json(order);
    told["age_seconds"] = since(order, now).as_secs().into();
    told["advice"] = on_desk(order).map(advice).into();
    told["open"] = open.iter().map(Open::json).collect();
    told
}

fn since(order: &Order, now: Moment) -> Duration {
    now.wall.since(order.entered().wall)
}
