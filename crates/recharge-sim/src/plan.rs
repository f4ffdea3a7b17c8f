//! Which faults strike: by probability, or for a named order.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::config::{Settle, Upstream};
use crate::dice::{Dice, MILLION};
use crate::faults::{FaultKind, Stage};
use crate::hidden::Masked;

/// What goes wrong, how often, and how long it takes. Build one from a
/// [`Preset`](crate::Preset) and change it, or start from [`off`](Self::off).
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    /// Per stage, each kind's probability in millionths of the calls it applies to.
    rates: BTreeMap<Stage, BTreeMap<FaultKind, u32>>,
    /// Orders with a script. The first that names an order has it: probabilities then leave that
    /// order alone.
    pub scripts: Vec<Script>,
    /// How long things take.
    pub timings: Timings,
}

/// Why a plan can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The kind never strikes at this stage.
    #[error("{kind} can't strike at stage {stage:?}; there it can be one of {allowed}")]
    WrongStage {
        /// The kind.
        kind: FaultKind,
        /// The stage's name.
        stage: &'static str,
        /// What would be right.
        allowed: String,
    },
    /// Not a probability.
    #[error("the probability of {kind} must lie between 0 and 1, such as 0.05")]
    NotAProbability {
        /// The kind.
        kind: FaultKind,
    },
    /// One call can have one fault at most.
    #[error("the probabilities at stage {stage:?} add up to more than 1: lower some")]
    TooMuch {
        /// The stage's name.
        stage: &'static str,
    },
    /// A script that names no order.
    #[error("a named order needs an `order_id` or an `account`, else it would name every order")]
    NamesNothing,
}

impl FaultPlan {
    /// Nothing goes wrong.
    pub fn off() -> Self {
        Self::default()
    }

    /// Sets the probability (0 to 1) of one kind at one stage; 0 takes it out.
    pub fn set_rate(
        &mut self,
        stage: Stage,
        kind: FaultKind,
        probability: f64,
    ) -> Result<(), PlanError> {
        if !(0.0..=1.0).contains(&probability) {
            return Err(PlanError::NotAProbability { kind });
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and a million, as checked above"
        )]
        let millionths = (probability * f64::from(MILLION)).round() as u32;
        self.set_millionths(stage, kind, millionths)
    }

    pub(crate) fn set_millionths(
        &mut self,
        stage: Stage,
        kind: FaultKind,
        rate: u32,
    ) -> Result<(), PlanError> {
        check_stage(stage, kind)?;
        let mut changed = self.rates.get(&stage).cloned().unwrap_or_default();
        changed.insert(kind, rate);
        if changed.values().map(|rate| u64::from(*rate)).sum::<u64>() > u64::from(MILLION) {
            return Err(PlanError::TooMuch {
                stage: stage.name(),
            });
        }
        self.rates.insert(stage, changed);
        Ok(())
    }

    /// Adds a script.
    pub fn add_script(&mut self, script: Script) -> Result<(), PlanError> {
        if script.order_id.is_none() && script.account.is_none() {
            return Err(PlanError::NamesNothing);
        }
        for (stage, kinds) in [
            (Stage::Submit, &script.submit),
            (Stage::Query, &script.query),
            (Stage::Read, &script.read),
            (Stage::Callback, &script.callback),
        ] {
            for kind in kinds.iter().flatten() {
                check_stage(stage, *kind)?;
            }
        }
        if let Some(end) = script.end {
            check_stage(Stage::End, end)?;
        }
        self.scripts.push(script);
        Ok(())
    }

    /// The same plan with other times.
    #[must_use]
    pub fn with_timings(mut self, timings: Timings) -> Self {
        self.timings = timings;
        self
    }

    /// Every probability, in millionths.
    pub fn rates(&self) -> impl Iterator<Item = (Stage, FaultKind, u32)> {
        self.rates
            .iter()
            .flat_map(|(stage, kinds)| kinds.iter().map(|(kind, rate)| (*stage, *kind, *rate)))
    }

    pub(crate) fn script(&self, upstream: Upstream, order: &str, account: &str) -> Option<&Script> {
        self.scripts
            .iter()
            .find(|script| script.names(upstream, order, account))
    }

    /// The kind that the dice choose, if any. A kind that does not apply to this upstream leaves its
    /// share of the calls alone.
    pub(crate) fn draw(
        &self,
        stage: Stage,
        upstream: Upstream,
        dice: &mut Dice,
    ) -> Option<FaultKind> {
        let kinds = self.rates.get(&stage)?;
        let mut left = dice.millionths();
        for (kind, rate) in kinds {
            if left < *rate {
                return kind.applies(stage, upstream).then_some(*kind);
            }
            left -= rate;
        }
        None
    }
}

fn check_stage(stage: Stage, kind: FaultKind) -> Result<(), PlanError> {
    if kind.stages().contains(&stage) {
        return Ok(());
    }
    Err(PlanError::WrongStage {
        kind,
        stage: stage.name(),
        allowed: FaultKind::names_at(stage),
    })
}

/// What happens to the calls about one named order: the first entry to the first call of that stage,
/// the second to the second; `None` and calls past the end of a list go right. Each order that the
/// script names goes through it from its beginning. `Debug` masks the account.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// At this upstream only.
    pub upstream: Option<Upstream>,
    /// The order of this number.
    pub order_id: Option<String>,
    /// Every order for this account.
    pub account: Option<String>,
    /// Submits.
    pub submit: Vec<Option<FaultKind>>,
    /// Queries.
    pub query: Vec<Option<FaultKind>>,
    /// Other calls that name the account.
    pub read: Vec<Option<FaultKind>>,
    /// Callbacks.
    pub callback: Vec<Option<FaultKind>>,
    /// How the order ends; `None`: it succeeds.
    pub end: Option<FaultKind>,
    /// When it ends, if not like all others.
    pub settle: Option<Settle>,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("upstream", &self.upstream)
            .field("order_id", &self.order_id)
            .field("account", &self.account.as_deref().map(Masked))
            .field("submit", &self.submit)
            .field("query", &self.query)
            .field("read", &self.read)
            .field("callback", &self.callback)
            .field("end", &self.end)
            .field("settle", &self.settle)
            .finish()
    }
}

impl Script {
    fn names(&self, upstream: Upstream, order: &str, account: &str) -> bool {
        let fits = |wanted: &Option<String>, given: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == given)
        };
        self.upstream.is_none_or(|wanted| wanted == upstream)
            && fits(&self.order_id, order)
            && fits(&self.account, account)
    }

    /// The fault of the `nth` (from 0) call of a stage.
    pub(crate) fn fault(&self, stage: Stage, nth: u32) -> Option<FaultKind> {
        let list = match stage {
            Stage::Submit => &self.submit,
            Stage::Query => &self.query,
            Stage::Read => &self.read,
            Stage::Callback => &self.callback,
            Stage::End => return self.end,
            Stage::RequestLine => return None,
        };
        list.get(usize::try_from(nth).ok()?).copied().flatten()
    }
}

/// How long faulty things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// How long a connection stays open without an answer.
    pub timeout_hold: Duration,
    /// After what time an order is taken whose submit seemed to time out.
    pub delayed_acceptance: Duration,
    /// Between two pieces of a dripping answer, which comes in about forty.
    pub drip_gap: Duration,
    /// After what time a repeated packet arrives.
    pub repeat_after: Duration,
    /// After what time a refused order is paid after all.
    pub late_payment: Duration,
    /// After what time an end turns into the other end.
    pub reversal: Duration,
    /// How long a callback is held back to be overtaken.
    pub callback_reorder: Duration,
    /// How long a submit's answer is held back behind its own callback.
    pub callback_early: Duration,
    /// Between two deliveries of a callback that was not answered with `success`. Juhe: about 3 s (M).
    pub callback_retry: Duration,
}

impl Default for Timings {
    /// Times that outlast a client which waits 30 s for an answer, as the merchant's own does (S).
    fn default() -> Self {
        Self {
            timeout_hold: Duration::from_secs(35),
            delayed_acceptance: Duration::from_secs(40),
            drip_gap: Duration::from_millis(200),
            repeat_after: Duration::from_secs(1),
            late_payment: Duration::from_hours(1),
            reversal: Duration::from_mins(5),
            callback_reorder: Duration::from_secs(5),
            callback_early: Duration::from_millis(500),
            callback_retry: Duration::from_secs(3),
        }
    }
}

impl Timings {
    /// Times for a client that waits about one second: a run of sixty orders ends well within a
    /// minute.
    pub const fn quick() -> Self {
        Self {
            timeout_hold: Duration::from_millis(1_500),
            delayed_acceptance: Duration::from_millis(2_500),
            drip_gap: Duration::from_millis(10),
            repeat_after: Duration::from_millis(300),
            late_payment: Duration::from_secs(10),
            reversal: Duration::from_secs(3),
            callback_reorder: Duration::from_millis(500),
            callback_early: Duration::from_millis(200),
            callback_retry: Duration::from_millis(300),
        }
    }
}
