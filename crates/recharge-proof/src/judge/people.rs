//! What people may decide, and how many of them it takes.

use std::time::Duration;

use recharge_core::{OrderState, ReviewReason};
use recharge_engine::{Decision, Person, Verdict};

use super::Judge;
use super::evidence::{Answered, Evidence};
use super::file::{By, File};
use super::log::Complaints;
use crate::lab::APPROVERS;

impl Judge {
    /// A decision has come into force.
    pub(super) fn decided(
        &mut self,
        file: &mut File,
        decision: &Decision,
        approved_by: Option<&Person>,
        at: Duration,
        complaints: &mut Complaints,
    ) {
        let apart = self.times.confirm_failure_after;
        file.waits_since = None;
        file.decided = Some(approved_by.map_or(By::One, |_| By::Two));
        if decision.seen < file.evidence_version {
            complaints.add(6, "is decided by somebody who had not seen the evidence");
        }
        if decision.seen >= file.version {
            complaints.add(6, "is decided by somebody who saw what was not there yet");
        }
        let sends = matches!(
            decision.verdict,
            Verdict::SendAgain { .. } | Verdict::SendElsewhere { .. }
        );
        let doubtful = !file.attempts.iter().all(|attempt| attempt.negative(apart));
        let contradiction = file.state == OrderState::Review(ReviewReason::Contradiction);
        let fails = decision.verdict == Verdict::Failed && (doubtful || contradiction);
        let invariant = match decision.verdict {
            Verdict::Succeeded => 7,
            Verdict::Failed | Verdict::Cancel => 6,
            Verdict::SendAgain { .. } | Verdict::SendElsewhere { .. } => 2,
        };
        if !decision.evidence.contains(char::is_alphabetic) {
            complaints.add(invariant, "is decided, and nothing is said to prove it");
        }
        let fails = fails || decision.verdict == Verdict::Failed && self.is_held(file, at);
        if decision.verdict == Verdict::Cancel && self.is_held(file, at) {
            complaints.add(6, "is cancelled under the hold of a restored backup");
        }
        if sends || fails {
            let both = approved_by.into_iter().chain([&decision.by]);
            if let Some(person) = both.into_iter().find(|it| !counts(it)) {
                let what = format!("is decided by {person}, whom nobody has authenticated");
                complaints.add(invariant, what);
            }
            let approval = file.approval.take();
            match (approved_by, approval) {
                (Some(first), _) if name(first) == name(&decision.by) => {
                    complaints.add(invariant, "is decided by one person twice");
                }
                (Some(by), Some((first, learned)))
                    if first.verdict == decision.verdict && name(&first.by) == name(by) =>
                {
                    if learned {
                        complaints.add(invariant, "is decided on an approval that is void");
                    }
                }
                _ => complaints.add(invariant, "is decided by one person alone"),
            }
        }
        if sends {
            file.permitted = Some((decision.verdict.clone(), at));
            let taken = [Some(Answered::Charging), Some(Answered::Succeeded)];
            if let Some(taken) = file.attempts.iter().find(|it| taken.contains(&it.last)) {
                let what = format!("may be sent, and its number {} is taken", taken.number);
                complaints.add(2, what);
            }
            if let Verdict::SendElsewhere { provider } = &decision.verdict
                && file
                    .attempts
                    .iter()
                    .any(|it| it.provider == provider.as_str())
            {
                complaints.add(2, format!("may be sent by {provider} once more"));
            }
            if matches!(decision.verdict, Verdict::SendAgain { .. }) && !self.refuses_duplicates {
                let what = "may be sent again, and its upstream is not known to refuse duplicates";
                complaints.add(2, what);
            }
            let from = match decision.verdict {
                Verdict::SendElsewhere { .. } => {
                    file.state == OrderState::Review(ReviewReason::ProbablyNotTaken)
                }
                _ => matches!(file.state, OrderState::Review(_)) && !contradiction,
            };
            if !from {
                complaints.add(2, format!("may be sent though it is {}", file.state));
            }
        }
        if decision.verdict == Verdict::Cancel && file.attempts.iter().any(Evidence::may_have_gone)
        {
            complaints.add(6, "is cancelled after it was sent");
        }
        file.approval = None;
    }
}

/// Whose name it is: as people write it, in capitals or not.
fn name(person: &Person) -> String {
    person.name().to_lowercase()
}

/// Whether somebody's word counts where it takes two: their name is checked, or listed.
fn counts(person: &Person) -> bool {
    person.system_user().is_none() || APPROVERS.contains(&name(person).as_str())
}
