//! What may be sent: of an intent that becomes durable.

use std::time::Duration;

use recharge_engine::{Event, Recorded};

use super::Judge;
use super::evidence::{Evidence, Send};
use super::file::{File, Intent};
use super::log::{Complaints, Writer};
use super::times::in_flight;

impl Judge {
    /// An intent to send has become durable.
    pub(super) fn intended(
        &mut self,
        file: &mut File,
        recorded: &Recorded,
        writer: Writer,
        complaints: &mut Complaints,
    ) {
        let Event::SendIntended {
            attempt,
            number,
            provider,
            token,
        } = &recorded.event
        else {
            return;
        };
        let at = self.truly(recorded.at);
        let waited = file.waits_since.map(|since| recorded.at.wall.since(since));
        if let Some(waited) = waited.filter(|waited| *waited >= self.times.pending_limit) {
            complaints.add(11, format!("is sent {waited:?} after it was accepted"));
        }
        if file.to_be_held {
            complaints.add(1, "comes from a backup, and is sent before it was held");
        }
        file.occasion(writer.now);
        file.learned();
        file.held_since = None;
        let permitted = file.permits(*attempt, provider.as_str());
        if let Some(then) = permitted {
            let allowed = self.allowed.entry(file.name.clone()).or_default();
            allowed.by_people.insert(then);
        }
        let permitted = permitted.is_some();
        self.intends(file, *attempt, permitted, at, complaints);
        let number = number.as_str();
        match file.attempt_or_new(*attempt, number, provider.as_str()) {
            Some(known) => {
                if known.number != number {
                    complaints.add(4, format!("sends attempt {attempt} under another number"));
                }
                known.permitted |= permitted;
                known.sends.push(Send {
                    token: *token,
                    intended: at,
                    heard: known.answers.len(),
                    end: None,
                });
            }
            None => complaints.add(10, format!("has no attempt before attempt {attempt}")),
        }
        self.owns(&file.name, number);
        file.first_intent = file.first_intent.or(Some(at));
        file.permitted = None;
        file.intents.push(Intent {
            number: number.to_owned(),
            token: *token,
            by: writer.process,
            at: writer.monotonic,
            used: false,
            acknowledged: None,
            ended: None,
            ended_by_own: false,
        });
    }

    /// A number is about to be allowed out.
    fn intends(
        &mut self,
        file: &File,
        attempt: u32,
        permitted: bool,
        at: Duration,
        complaints: &mut Complaints,
    ) {
        let apart = self.times.confirm_failure_after;
        let index = usize::try_from(attempt).unwrap_or(usize::MAX);
        let known = file.attempts.get(index);
        let others = || {
            file.attempts
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != index)
        };
        let open = others().find(|(_, other)| !other.negative(apart));
        // What was allowed is this attempt's: one that wrote nothing may be tried again, and no other.
        if let Some((_, open)) = open
            && !permitted
            && !known.is_some_and(|known| known.permitted)
        {
            let what = format!("is sent on, and its number {} is not negative", open.number);
            complaints.add(2, what);
        }
        let failed = others().any(|(_, other)| other.failed_for_good(apart));
        if failed && !permitted {
            if self.lies.failover {
                // Nothing of one that is tried again has been written.
                let allowed = self.allowed.entry(file.name.clone()).or_default();
                allowed.failovers += u32::from(known.is_none());
            } else {
                complaints.add(1, "is sent on by itself after a confirmed failure");
            }
        }
        let unasked = others().find(|(_, other)| {
            let failed = self.lies.failover && other.failed_for_good(apart);
            let asked = file
                .pending_since
                .and_then(|then| other.asked_since(then, failed));
            let until =
                asked.map(|asked| asked + in_flight(&self.times) + self.stood_between(asked, at));
            other.may_have_gone() && until.is_none_or(|until| at > until)
        });
        if let Some((_, unasked)) = unasked {
            let what = format!(
                "is sent on, and {} was not asked about again just before",
                unasked.number
            );
            complaints.add(2, what);
        }
        let again = known.is_some_and(Evidence::may_have_gone);
        if again && !permitted {
            complaints.add(2, "is sent again, and nobody allowed it");
        }
    }
}
