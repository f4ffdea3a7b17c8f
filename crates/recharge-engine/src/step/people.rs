//! Obeying people: one for what is harmless, two for what can cost money.

use recharge_core::{OrderState, ReviewReason, Standing};

use super::Work;
use crate::event::{Cause, Decision, Event, Person, Purpose, Verdict};
use crate::input::{Command, CommandError};

/// How many people a decision takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    One,
    Two,
}

impl Work<'_> {
    /// Carries out a command, or says why not.
    pub(super) fn command(&mut self, command: Command, seen: u64) -> Result<(), CommandError> {
        match command {
            Command::AskAgain { by } => self.ask_again(by),
            Command::Decide(decision) => self.decide(decision, seen),
        }
    }

    fn ask_again(&mut self, by: Person) -> Result<(), CommandError> {
        let askable: Vec<u32> = self
            .indices()
            .filter(|(_, attempt)| self.can_ask(attempt))
            .map(|(index, _)| index)
            .collect();
        if askable.is_empty() {
            return Err(CommandError::NotAllowed(
                "nothing of this order can be asked about",
            ));
        }
        self.emit(Event::AskedAgain { by });
        for index in askable {
            self.ask(index, Purpose::Person);
        }
        Ok(())
    }

    fn decide(&mut self, decision: Decision, seen: u64) -> Result<(), CommandError> {
        let current = self.order.version;
        if seen < self.order.evidence_version || seen > current {
            return Err(CommandError::Stale { seen, current });
        }
        if decision.evidence.trim().is_empty() {
            return Err(CommandError::NoEvidence);
        }
        let needs = self.needs(&decision.verdict)?;
        let approval = self.order.approval.clone();
        let approved_by = match (needs, approval) {
            (Needs::One, _) => None,
            (Needs::Two, Some(first)) if first.verdict == decision.verdict => {
                if first.by == decision.by {
                    return Err(CommandError::SamePerson(decision.by.as_str().to_owned()));
                }
                Some(first.by)
            }
            (Needs::Two, Some(_) | None) => {
                self.emit(Event::Approved { decision });
                return Ok(());
            }
        };
        let verdict = decision.verdict.clone();
        self.emit(Event::Decided {
            decision,
            approved_by,
        });
        let to = match verdict {
            Verdict::Succeeded => OrderState::Succeeded,
            Verdict::Failed | Verdict::Cancel => OrderState::Failed,
            Verdict::SendAgain { .. } | Verdict::SendElsewhere { .. } => OrderState::Pending,
        };
        self.move_to(to, Cause::Decided);
        if to == OrderState::Pending {
            self.schedule(Some(self.now.wall));
        } else {
            self.schedule_round();
        }
        Ok(())
    }

    /// Whether the decision is open to people now, and to how many.
    fn needs(&self, verdict: &Verdict) -> Result<Needs, CommandError> {
        let order = &self.order;
        let state = order.state;
        let not_now = |what| Err(CommandError::NotNow { state, what });
        let in_doubt = matches!(
            state,
            OrderState::Charging | OrderState::Unknown | OrderState::Review(_)
        );
        match verdict {
            Verdict::Cancel => {
                let nothing_sent = order
                    .attempts
                    .iter()
                    .all(|a| a.standing() == Standing::Unsent);
                if state == OrderState::Pending && nothing_sent {
                    Ok(Needs::One)
                } else {
                    not_now("cancelled")
                }
            }
            Verdict::Succeeded if in_doubt => Ok(Needs::One),
            Verdict::Succeeded => not_now("marked succeeded"),
            Verdict::Failed if in_doubt => {
                // A contradiction is settled as failed by two, whatever the attempts say.
                let one = order.all_negative() && !order.is_contradiction();
                Ok(if one { Needs::One } else { Needs::Two })
            }
            Verdict::Failed => not_now("marked failed"),
            Verdict::SendAgain { attempt } => {
                let OrderState::Review(reason) = state else {
                    return not_now("sent again");
                };
                let Some(attempt) = order.attempt(*attempt) else {
                    return Err(CommandError::NotAllowed("there is no such attempt"));
                };
                let refuses = self
                    .policy
                    .route(&attempt.provider)
                    .is_some_and(|route| route.refuses_duplicates);
                if !refuses {
                    return Err(CommandError::NotAllowed(
                        "this provider is not known to refuse duplicates, so the number can't be sent again",
                    ));
                }
                self.may_send(reason)
            }
            Verdict::SendElsewhere { provider } => {
                let OrderState::Review(ReviewReason::ProbablyNotTaken) = state else {
                    return not_now("sent by another provider");
                };
                let used = order
                    .attempts
                    .iter()
                    .any(|attempt| attempt.provider == *provider);
                if used
                    || !self
                        .policy
                        .route(provider)
                        .is_some_and(|route| route.enabled)
                {
                    return Err(CommandError::NotAllowed(
                        "name an enabled route that this order has not used",
                    ));
                }
                self.may_send(ReviewReason::ProbablyNotTaken)
            }
        }
    }

    /// A further send is out of the question where an attempt is known to have been taken, and where an
    /// end has been contradicted.
    fn may_send(&self, reason: ReviewReason) -> Result<Needs, CommandError> {
        let taken = self.order.any(Standing::Taken) || self.order.any(Standing::Paid);
        if taken || reason == ReviewReason::Contradiction {
            return Err(CommandError::NotAllowed(
                "the upstream has taken an attempt of this order, or did; it can't be sent again",
            ));
        }
        Ok(Needs::Two)
    }
}
