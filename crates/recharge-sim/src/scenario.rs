//! Scenario files (TOML), and the same settings as JSON for `/_sim/faults`.

use std::collections::BTreeMap;
use std::time::Duration;

use recharge_core::Money;
use serde::{Deserialize, Deserializer};

use crate::config::{JisuNoSuchOrder, JisuSignOrder, Settle, Upstream, WorldConfig};
use crate::duration::parse_duration;
use crate::faults::{FaultKind, Stage};
use crate::plan::{FaultPlan, PlanError, Script, Timings};
use crate::presets::Preset;

/// A scenario: everything that a run of the simulator is set up with, as a file.
///
/// Every key is optional; an unknown one is an error. Times are texts such as `300ms` or `2s`.
///
/// ```
/// let scenario = recharge_sim::Scenario::from_toml(r#"
/// preset = "mild"                  # off, mild, hostile or liar; probabilities below come on top
/// seed = 7
/// settle_after = "2s"              # or "never": only when stepped
/// jisu_sign_order = "sorted"       # documented-table or either: what telrecharge/recharge accepts
/// jisu_no_such_order = 210         # the code for it; without: status 0 and an empty result
///
/// [balances]                       # yuan
/// juhe = "1000.00"
/// jisu = "99.65"
///
/// [timings]                        # see `Timings`
/// timeout_hold = "1500ms"
/// delayed_acceptance = "2500ms"
///
/// [probabilities.submit]           # by stage: submit, query, read, callback, end, request_line
/// answer_lost = 0.05
///
/// [[order]]                        # one named order; `provider`, `order_id`, `account`
/// provider = "juhe"
/// order_id = "ABCDEFGH12345678"
/// submit = ["timeout_after"]       # the first submit; later ones go right
/// query = ["not_found", "none", "server_error"]
/// callback = ["callback_doubled"]
/// end = "order_fails"              # or not_taken_on, fails_then_succeeds, succeeds_then_fails
/// settle_after = "10s"
///
/// [aliases]                        # more paths, each with the one it stands for
/// "/telrecharge/goodslist" = "/telrecharge/goods"
/// "#)?;
/// assert_eq!(scenario.seed, Some(7));
///
/// let error = recharge_sim::Scenario::from_toml("presett = \"mild\"").unwrap_err();
/// assert!(error.to_string().contains("unknown field `presett`"));
/// # Ok::<(), recharge_sim::ScenarioError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Scenario {
    /// The seed, if it gives one.
    pub seed: Option<u64>,
    /// When orders end, if it says so.
    pub settle: Option<Settle>,
    /// The balance at Juhe, if it gives one.
    pub juhe_balance: Option<Money>,
    /// The balance at Jisu, if it gives one.
    pub jisu_balance: Option<Money>,
    /// Which signature `telrecharge/recharge` accepts, if it says so.
    pub jisu_sign_order: Option<JisuSignOrder>,
    /// How Jisu says "no such order", if it says so.
    pub jisu_no_such_order: Option<JisuNoSuchOrder>,
    /// More paths, with the documented ones they stand for.
    pub aliases: BTreeMap<String, String>,
    /// The faults; `None` if it names none at all.
    pub faults: Option<FaultPlan>,
}

/// Why a scenario can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// Not TOML, an unknown key, or a value of a wrong kind; the text names the place.
    #[error("the scenario can't be read: line {line}: {message}")]
    Toml {
        /// The line, from 1.
        line: usize,
        /// What is wrong there, with phone numbers masked. The line itself is not repeated.
        message: String,
    },
    /// Not JSON, an unknown key, or a value of a wrong kind; the text names the place.
    #[error("the faults can't be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Faults that can't be.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl Scenario {
    /// Reads a scenario file.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let file: File = toml::from_str(text).map_err(|error| {
            // The error's own text quotes the line, which may hold an account; its message may too.
            let before = text
                .get(..error.span().map_or(0, |span| span.start))
                .unwrap_or(text);
            ScenarioError::Toml {
                line: before.bytes().filter(|b| *b == b'\n').count() + 1,
                message: recharge_core::Redactor::default().redact(error.message(), &[]),
            }
        })?;
        let names_faults = file.preset.is_some()
            || !file.timings.is_empty()
            || !file.probabilities.is_empty()
            || !file.order.is_empty();
        let faults = Faults {
            preset: file.preset,
            timings: file.timings,
            probabilities: file.probabilities,
            order: file.order,
        };
        Ok(Self {
            seed: file.seed,
            settle: file.settle_after.map(|SettleText(settle)| settle),
            juhe_balance: file.balances.juhe.map(|MoneyText(amount)| amount),
            jisu_balance: file.balances.jisu.map(|MoneyText(amount)| amount),
            jisu_sign_order: file.jisu_sign_order.map(|SignOrderText(order)| order),
            jisu_no_such_order: file.jisu_no_such_order.map(JisuNoSuchOrder::Code),
            aliases: file.aliases,
            faults: names_faults.then(|| faults.plan()).transpose()?,
        })
    }

    /// Changes a configuration to what the scenario says; what it does not mention stays.
    pub fn apply(self, config: &mut WorldConfig) {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut config.seed, self.seed);
        set(&mut config.settle, self.settle);
        set(&mut config.juhe_balance, self.juhe_balance);
        set(&mut config.jisu_balance, self.jisu_balance);
        set(&mut config.jisu_sign_order, self.jisu_sign_order);
        set(&mut config.jisu_no_such_order, self.jisu_no_such_order);
        set(&mut config.faults, self.faults);
        config.aliases.extend(self.aliases);
    }
}

/// Reads what `POST /_sim/faults` takes: the keys `preset`, `timings`, `probabilities` and `order` of a
/// scenario, as JSON.
pub(crate) fn faults_from_json(text: &[u8]) -> Result<FaultPlan, ScenarioError> {
    let faults: Faults = serde_json::from_slice(text)?;
    Ok(faults.plan()?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    preset: Option<PresetText>,
    seed: Option<u64>,
    settle_after: Option<SettleText>,
    jisu_sign_order: Option<SignOrderText>,
    jisu_no_such_order: Option<u32>,
    #[serde(default)]
    balances: Balances,
    #[serde(default)]
    timings: TimingTexts,
    #[serde(default)]
    probabilities: Probabilities,
    #[serde(default)]
    order: Vec<OrderTexts>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    preset: Option<PresetText>,
    #[serde(default)]
    timings: TimingTexts,
    #[serde(default)]
    probabilities: Probabilities,
    #[serde(default)]
    order: Vec<OrderTexts>,
}

impl Faults {
    fn plan(self) -> Result<FaultPlan, PlanError> {
        let PresetText(preset) = self.preset.unwrap_or_default();
        let mut plan = preset.plan();
        self.timings.apply(&mut plan.timings);
        for (StageText(stage), kinds) in self.probabilities {
            for (kind, probability) in kinds {
                plan.set_rate(stage, kind, probability)?;
            }
        }
        for order in self.order {
            plan.add_script(order.into())?;
        }
        Ok(plan)
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Balances {
    juhe: Option<MoneyText>,
    jisu: Option<MoneyText>,
}

type Probabilities = BTreeMap<StageText, BTreeMap<FaultKind, f64>>;

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
struct TimingTexts {
    timeout_hold: Option<TimeText>,
    delayed_acceptance: Option<TimeText>,
    drip_gap: Option<TimeText>,
    repeat_after: Option<TimeText>,
    late_payment: Option<TimeText>,
    reversal: Option<TimeText>,
    callback_reorder: Option<TimeText>,
    callback_early: Option<TimeText>,
    callback_retry: Option<TimeText>,
}

impl TimingTexts {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn apply(self, timings: &mut Timings) {
        for (place, text) in [
            (&mut timings.timeout_hold, self.timeout_hold),
            (&mut timings.delayed_acceptance, self.delayed_acceptance),
            (&mut timings.drip_gap, self.drip_gap),
            (&mut timings.repeat_after, self.repeat_after),
            (&mut timings.late_payment, self.late_payment),
            (&mut timings.reversal, self.reversal),
            (&mut timings.callback_reorder, self.callback_reorder),
            (&mut timings.callback_early, self.callback_early),
            (&mut timings.callback_retry, self.callback_retry),
        ] {
            if let Some(TimeText(time)) = text {
                *place = time;
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderTexts {
    provider: Option<Upstream>,
    order_id: Option<String>,
    account: Option<String>,
    #[serde(default)]
    submit: Vec<MaybeFault>,
    #[serde(default)]
    query: Vec<MaybeFault>,
    #[serde(default)]
    read: Vec<MaybeFault>,
    #[serde(default)]
    callback: Vec<MaybeFault>,
    end: Option<FaultKind>,
    settle_after: Option<SettleText>,
}

impl From<OrderTexts> for Script {
    fn from(texts: OrderTexts) -> Self {
        let faults =
            |list: Vec<MaybeFault>| list.into_iter().map(|MaybeFault(fault)| fault).collect();
        Self {
            upstream: texts.provider,
            order_id: texts.order_id,
            account: texts.account,
            submit: faults(texts.submit),
            query: faults(texts.query),
            read: faults(texts.read),
            callback: faults(texts.callback),
            end: texts.end,
            settle: texts.settle_after.map(|SettleText(settle)| settle),
        }
    }
}

/// Implements `Deserialize` for a wrapper of a value that is written as text.
macro_rules! from_text {
    ($name:ident($inner:ty), $read:expr) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let read: fn(&str) -> Result<$inner, String> = $read;
                read(&text).map(Self).map_err(serde::de::Error::custom)
            }
        }
    };
}

#[derive(Default)]
struct PresetText(Preset);
from_text!(PresetText(Preset), |text| Preset::parse(text).ok_or_else(
    || format!("no preset is called {text:?}; write off, mild, hostile or liar")
));

struct SignOrderText(JisuSignOrder);
from_text!(SignOrderText(JisuSignOrder), |text| JisuSignOrder::parse(
    text
)
.ok_or_else(|| format!(
    "no signature order is called {text:?}; write sorted, documented-table or either"
)));

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct StageText(Stage);
from_text!(StageText(Stage), |text| Stage::ALL
    .into_iter()
    .find(|stage| stage.name() == text)
    .ok_or_else(|| format!(
        "no stage is called {text:?}; write submit, query, read, callback, end or request_line"
    )));

#[derive(PartialEq, Eq)]
struct TimeText(Duration);
from_text!(TimeText(Duration), parse_duration);

struct SettleText(Settle);
from_text!(SettleText(Settle), |text| if text == "never" {
    Ok(Settle::WhenStepped)
} else {
    parse_duration(text)
        .map(Settle::After)
        .map_err(|error| format!("{error}, or \"never\" for: only when stepped"))
});

struct MoneyText(Money);
from_text!(MoneyText(Money), |text| text
    .parse()
    .map_err(|error| format!("{text:?}: {error}")));

struct MaybeFault(Option<FaultKind>);
from_text!(MaybeFault(Option<FaultKind>), |text| if text == "none" {
    Ok(None)
} else {
    FaultKind::parse(text).map(Some).ok_or_else(|| {
        let all: Vec<&str> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
        format!(
            "no fault is called {text:?}; write none or one of {}",
            all.join(", ")
        )
    })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_names_the_line_and_repeats_no_account() {
        for (text, line) in [
            ("[[order]]\naccount = 18912345678\n", 2),
            ("[[order]]\n\naccount = \"0571-56565366\" junk\n", 3),
        ] {
            let error = Scenario::from_toml(text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(&format!("line {line}: ")), "{shown}");
            assert!(
                !shown.contains("18912345678") && !shown.contains("56565366"),
                "{shown}"
            );
        }
    }

    #[test]
    fn probabilities_come_on_top_of_the_preset() {
        let scenario = Scenario::from_toml(
            "preset = \"mild\"\n[probabilities.submit]\nanswer_lost = 0.25\nrefused = 0\n",
        )
        .unwrap();
        let plan = scenario.faults.unwrap();
        let rate = |kind| {
            plan.rates()
                .find(|(stage, known, _)| *stage == Stage::Submit && *known == kind)
                .map(|(_, _, rate)| rate)
        };
        assert_eq!(rate(FaultKind::AnswerLost), Some(250_000));
        assert_eq!(rate(FaultKind::Refused), Some(0));
        assert_eq!(rate(FaultKind::TimeoutAfter), Some(10_000));
    }

    #[test]
    fn what_is_wrong_is_refused_with_what_would_be_right() {
        for (toml, says) in [
            ("preset = \"bad\"", "off, mild, hostile or liar"),
            ("settle_after = \"2\"", "300ms"),
            ("settle_after = \"soon\"", "never"),
            ("[probabilities.submit]\nnonsense = 0.1", "answer_lost"),
            ("[probabilities.submit]\nnot_found = 0.1", "can be one of"),
            ("[probabilities.sending]\nhtml = 0.1", "request_line"),
            ("[probabilities.submit]\nhtml = 1.5", "between 0 and 1"),
            (
                "[probabilities.submit]\nhtml = 0.6\ndrip = 0.6",
                "more than 1",
            ),
            (
                "[[order]]\nprovider = \"juhe\"",
                "`order_id` or an `account`",
            ),
            (
                "[[order]]\norder_id = \"x\"\nsubmit = [\"order_fails\"]",
                "can be one of",
            ),
            (
                "[[order]]\norder_id = \"x\"\nretries = 3",
                "unknown field `retries`",
            ),
            ("[balances]\njuhe = \"1.0001\"", "three decimal places"),
            ("[timings]\nhold = \"1s\"", "unknown field `hold`"),
            ("jisu_sign_order = \"random\"", "documented-table"),
        ] {
            let error = Scenario::from_toml(toml).unwrap_err().to_string();
            assert!(error.contains(says), "{toml}: {error}");
        }
    }

    #[test]
    fn what_is_not_mentioned_stays() {
        let mut config = WorldConfig {
            seed: 9,
            ..WorldConfig::default()
        };
        Scenario::from_toml("settle_after = \"never\"\n[balances]\njisu = \"5\"")
            .unwrap()
            .apply(&mut config);
        assert_eq!((config.seed, config.settle), (9, Settle::WhenStepped));
        assert_eq!(config.jisu_balance.to_string(), "5.00");
        assert_eq!(config.juhe_balance.to_string(), "1000000.00");
    }

    #[test]
    fn the_same_as_json() {
        let plan = faults_from_json(
            br#"{"preset":"off","timings":{"timeout_hold":"1s"},
                "order":[{"account":"18900001234","query":["not_found","none"],"end":"order_fails"}]}"#,
        )
        .unwrap();
        assert_eq!(plan.timings.timeout_hold, Duration::from_secs(1));
        assert_eq!(plan.scripts[0].query, [Some(FaultKind::NotFound), None]);
        assert!(faults_from_json(br#"{"seed":1}"#).is_err());
    }
}
