//! A second reading of the log: what an attempt's standing is by the words of the lifecycle, worked out
//! from the whole log with nothing of the engine's own book-keeping.

use recharge_core::{QueryOutcome, Standing, SubmitOutcome, UpstreamState};
use recharge_engine::{Event, Moment, Purpose, Recorded, SendToken, Times};

/// What an answer that counts says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Charging,
    Succeeded,
    Failed,
    NoSuchOrder,
}

/// What a send told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Accepted,
    Rejected,
    NotSent,
    Unknown,
}

/// Something about one attempt, in the order in which it came to be known.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fact {
    Intended {
        token: SendToken,
    },
    Ended {
        token: SendToken,
        told: Told,
        at: Moment,
    },
    Said {
        says: Says,
        asked: Moment,
        at: Moment,
        purpose: Purpose,
    },
    /// Something was written down, about this attempt or not.
    Written {
        at: Moment,
    },
}

/// What came before something that is written down by the clock of a later epoch came no later than that,
/// and nothing more is known: a worker that has been superseded writes down facts as well.
fn no_later(moment: &mut Option<Moment>, at: Moment) {
    if moment.is_some_and(|moment| moment.epoch < at.epoch) {
        *moment = Some(at);
    }
}

pub(crate) fn says(outcome: &QueryOutcome, purpose: Purpose) -> Option<Says> {
    let says = match outcome {
        QueryOutcome::Found(sighting) => match sighting.state {
            UpstreamState::Charging => Says::Charging,
            UpstreamState::Succeeded => Says::Succeeded,
            UpstreamState::Failed => Says::Failed,
        },
        QueryOutcome::NotFound(_) => Says::NoSuchOrder,
        QueryOutcome::Unavailable(_) => return None,
    };
    // "whose answer counts only if it is succeeded" (V10).
    (purpose != Purpose::Callback || says == Says::Succeeded).then_some(says)
}

pub(crate) fn facts(log: &[Recorded], index: u32) -> Vec<Fact> {
    let mut facts = Vec::new();
    for recorded in log {
        let at = recorded.at;
        // Of callbacks not even the time may matter.
        let idle = match &recorded.event {
            Event::CallbackSeen { .. } => true,
            Event::Answered {
                purpose, outcome, ..
            } => *purpose == Purpose::Callback && says(outcome, *purpose).is_none(),
            _ => false,
        };
        if !idle {
            facts.push(Fact::Written { at });
        }
        match &recorded.event {
            Event::SendIntended { attempt, token, .. } if *attempt == index => {
                facts.push(Fact::Intended { token: *token });
            }
            Event::SendEnded {
                attempt,
                token,
                outcome,
            } if *attempt == index => facts.push(Fact::Ended {
                token: *token,
                told: match outcome {
                    SubmitOutcome::Accepted(_) => Told::Accepted,
                    SubmitOutcome::Rejected(_) => Told::Rejected,
                    SubmitOutcome::NotSent(_) => Told::NotSent,
                    SubmitOutcome::Unknown(_) => Told::Unknown,
                },
                at,
            }),
            Event::Answered {
                attempt,
                asked,
                purpose,
                outcome,
                ..
            } if *attempt == index => {
                if let Some(says) = says(outcome, *purpose) {
                    facts.push(Fact::Said {
                        says,
                        asked: *asked,
                        at,
                        purpose: *purpose,
                    });
                }
            }
            // It was sent in the time that the backup doesn't know, and nobody knows how that ended.
            Event::Adopted { attempt, .. } if *attempt == index => {
                let token = SendToken(u128::MAX - u128::from(recorded.version));
                facts.push(Fact::Intended { token });
                let told = Told::Unknown;
                facts.push(Fact::Ended { token, told, at });
            }
            Event::SendIntended { .. }
            | Event::SendEnded { .. }
            | Event::Answered { .. }
            | Event::Adopted { .. }
            | Event::Held
            | Event::Probed { .. }
            | Event::Priced { .. }
            | Event::CallbackSeen { .. }
            | Event::Approved { .. }
            | Event::Decided { .. }
            | Event::AskedAgain { .. }
            | Event::Moved { .. }
            | Event::Recovered
            | Event::Scheduled { .. } => {}
        }
    }
    facts
}

/// The last word on each send, in the order of the intents.
pub(crate) fn ends(facts: &[Fact]) -> Vec<Option<(Told, Moment)>> {
    let mut sends: Vec<(SendToken, Option<(Told, Moment)>)> = Vec::new();
    for fact in facts {
        match fact {
            Fact::Intended { token } => sends.push((*token, None)),
            Fact::Ended { token, told, at } => {
                for send in sends.iter_mut().filter(|send| send.0 == *token) {
                    send.1 = Some((*told, *at));
                }
            }
            Fact::Said { .. } | Fact::Written { .. } => {}
        }
    }
    sends.into_iter().map(|send| send.1).collect()
}

/// The sends of which bytes may have been written.
pub(crate) fn with_bytes(facts: &[Fact]) -> Vec<Option<(Told, Moment)>> {
    let mut ends = ends(facts);
    ends.retain(|end| !matches!(end, Some((Told::NotSent, _))));
    ends
}

/// Two failures told apart in time: the second *sent* long enough after the first *arrived*, no other
/// explicit answer between, and nothing since that says it was taken.
fn failed_twice(facts: &[Fact], times: &Times) -> bool {
    let mut first: Option<Moment> = None;
    let mut twice = false;
    for fact in facts {
        match fact {
            Fact::Said {
                says: Says::Failed,
                asked,
                at,
                purpose,
            } => match first {
                None => first = Some(*at),
                // Nobody sent a question for a callback that counts, so it can't be the second.
                Some(first) => {
                    twice |= *purpose != Purpose::CallbackCounts
                        && asked.epoch == first.epoch
                        && asked.elapsed_since(first) >= times.confirm_failure_after;
                }
            },
            // A further send has to fail for itself.
            Fact::Said {
                says: Says::Charging,
                ..
            }
            | Fact::Intended { .. } => {
                first = None;
                twice = false;
            }
            Fact::Said {
                says: Says::NoSuchOrder | Says::Succeeded,
                ..
            } => first = None,
            // An acknowledgement, however late it is heard, was given before.
            Fact::Ended { .. } => {}
            Fact::Written { at } => no_later(&mut first, *at),
        }
    }
    twice
}

/// Whether, to a question sent after a rejection, "no such order" was answered.
fn denied(facts: &[Fact]) -> bool {
    let mut rejected: Option<Moment> = None;
    let mut denied = false;
    for fact in facts {
        match fact {
            Fact::Ended {
                told: Told::Rejected,
                at,
                ..
            } => rejected = rejected.or(Some(*at)),
            Fact::Said {
                says: Says::NoSuchOrder,
                asked,
                ..
            } => {
                denied |= rejected.is_some_and(|rejected| {
                    asked.epoch == rejected.epoch && asked.not_before(rejected)
                });
            }
            Fact::Written { at } => no_later(&mut rejected, *at),
            Fact::Said { .. } | Fact::Intended { .. } | Fact::Ended { .. } => {}
        }
    }
    denied
}

pub(crate) fn standing(log: &[Recorded], index: u32, times: &Times) -> Standing {
    let facts = facts(log, index);
    let answers: Vec<(Says, Moment)> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Said { says, asked, .. } => Some((*says, *asked)),
            Fact::Intended { .. } | Fact::Ended { .. } | Fact::Written { .. } => None,
        })
        .collect();
    let said = |wanted| answers.iter().any(|(says, _)| *says == wanted);
    let acknowledged = facts.iter().any(|fact| {
        matches!(
            fact,
            Fact::Ended {
                told: Told::Accepted,
                ..
            }
        )
    });
    if said(Says::Succeeded) {
        return Standing::Paid;
    }
    if failed_twice(&facts, times) {
        return Standing::Failed;
    }
    if acknowledged || said(Says::Charging) {
        return Standing::Taken;
    }
    match with_bytes(&facts).as_slice() {
        [] => Standing::Unsent,
        [Some((Told::Rejected, _))] => {
            let none_since = denied(&facts);
            // An upstream that now says "failed" does know the number.
            let known = answers
                .last()
                .is_some_and(|(says, _)| *says == Says::Failed);
            if none_since && !known {
                Standing::Refused
            } else {
                Standing::Open
            }
        }
        _ => Standing::Open,
    }
}
