//! People and their decisions, as they are written down.

use serde::{Deserialize, Serialize};

use super::events::provider_of;
use super::{RecordError, Text, wrong};
use crate::{Decision, Person, Verdict};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonShape<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    system_user: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionShape<'a> {
    #[serde(borrow)]
    verdict: VerdictShape<'a>,
    by: PersonShape<'a>,
    evidence: Text<'a>,
    seen: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum VerdictShape<'a> {
    Succeeded,
    Failed,
    SendAgain {
        attempt: u32,
    },
    SendElsewhere {
        #[serde(borrow)]
        provider: Text<'a>,
    },
    Cancel,
}

impl<'a> PersonShape<'a> {
    pub(super) fn of(person: &'a Person) -> Self {
        Self {
            name: person.name().into(),
            system_user: person.system_user().map(Into::into),
        }
    }

    pub(super) fn person(self) -> Result<Person, RecordError> {
        match self.system_user {
            None => Person::authenticated(&self.name),
            Some(user) => Person::unauthenticated(&self.name, &user),
        }
        .map_err(|_| wrong("person", &self.name))
    }
}

impl<'a> DecisionShape<'a> {
    pub(super) fn of(decision: &'a Decision) -> Self {
        Self {
            verdict: match &decision.verdict {
                Verdict::Succeeded => VerdictShape::Succeeded,
                Verdict::Failed => VerdictShape::Failed,
                Verdict::SendAgain { attempt } => VerdictShape::SendAgain { attempt: *attempt },
                Verdict::SendElsewhere { provider } => VerdictShape::SendElsewhere {
                    provider: provider.as_str().into(),
                },
                Verdict::Cancel => VerdictShape::Cancel,
            },
            by: PersonShape::of(&decision.by),
            evidence: decision.evidence.as_str().into(),
            seen: decision.seen,
        }
    }

    pub(super) fn decision(self) -> Result<Decision, RecordError> {
        Ok(Decision {
            verdict: match self.verdict {
                VerdictShape::Succeeded => Verdict::Succeeded,
                VerdictShape::Failed => Verdict::Failed,
                VerdictShape::SendAgain { attempt } => Verdict::SendAgain { attempt },
                VerdictShape::SendElsewhere { provider } => Verdict::SendElsewhere {
                    provider: provider_of(&provider)?,
                },
                VerdictShape::Cancel => Verdict::Cancel,
            },
            by: self.by.person()?,
            evidence: self.evidence.into_owned(),
            seen: self.seen,
        })
    }
}
