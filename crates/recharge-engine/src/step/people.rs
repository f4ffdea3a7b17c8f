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
    pub(super) fn command(&mut self, command: Command) -> Result<(), CommandError> {
        match command {
            Command::AskAgain { by } => self.ask_again(by),
            Command::Decide(decision) => self.decide(decision),
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

    fn decide(&mut self, decision: Decision) -> Result<(), CommandError> {
        let (seen, current) = (decision.seen, self.order.version);
        if seen > current {
            return Err(CommandError::NotSeen { seen, current });
        }
        if seen < self.order.evidence_version {
            return Err(CommandError::Stale { seen, current });
        }
        // Spaces, dashes and what can't be seen say nothing.
        if !decision.evidence.chars().any(char::is_alphanumeric) {
            return Err(CommandError::NoEvidence);
        }
        let needs = self.needs(&decision.verdict)?;
        if needs == Needs::Two && !self.counts(&decision.by) {
            return Err(CommandError::NotAPerson(decision.by.name().to_owned()));
        }
        let approval = self.order.approval.clone();
        let approved_by = match (needs, approval) {
            (Needs::One, _) => None,
            (Needs::Two, Some(first)) if first.verdict == decision.verdict => {
                if first.by.is_same(&decision.by) {
                    return Err(CommandError::SamePerson(decision.by.name().to_owned()));
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

    /// Whether a person's word counts where it takes two.
    fn counts(&self, person: &Person) -> bool {
        let listed = |name: &String| name.trim().to_lowercase() == person.name().to_lowercase();
        person.system_user().is_none() || self.policy.approvers.iter().any(listed)
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
                if self.is_held_back() {
                    Err(CommandError::NotAllowed(
                        "the order comes from a restored backup and may have been sent; it is asked about first",
                    ))
                } else if state == OrderState::Pending && nothing_sent {
                    Ok(Needs::One)
                } else {
                    not_now("cancelled")
                }
            }
            Verdict::Succeeded if in_doubt => Ok(Needs::One),
            Verdict::Succeeded => not_now("marked succeeded"),
            Verdict::Failed if in_doubt => {
                // A contradiction is settled as failed by two, whatever the attempts say.
                // Under a hold there may be an attempt that the log doesn't have.
                let one = order.all_negative() && !order.is_contradiction() && !self.is_held_back();
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
                if state != OrderState::Review(ReviewReason::ProbablyNotTaken) {
                    return not_now("sent by another provider");
                }
                let used = order
                    .attempts
                    .iter()
                    .any(|attempt| attempt.provider == *provider);
                let open = self
                    .policy
                    .route(provider)
                    .is_some_and(|route| route.takes(self.order.what()));
                if used || !open {
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
