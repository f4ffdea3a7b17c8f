//! One `[[route]]`: for a kind of account, where its orders go. Reading it; what it means beside the
//! providers is for [`rules`](super::rules) to say.

use recharge_core::{AccountKind, FaceValue, Money, ProviderId};
use toml::de::DeValue;

use super::keys::{ROUTE, ROUTE_KEYS};
use super::kind::{Kind, Value};
use super::nearest;
use super::read::Reader;
use super::{Config, PROVIDERS};

/// A `[[route]]` as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSetting {
    /// For this kind of account.
    pub kind: AccountKind,
    /// Where its orders go, in order of preference; `None`: to every provider with an account.
    pub providers: Option<Vec<ProviderId>>,
    /// The face values that are taken; `None`: all that are sold.
    pub face_values: Option<Vec<FaceValue>>,
    /// The most that an order may cost.
    pub price_ceiling: Option<Money>,
    /// Whether anything new is sent.
    pub enabled: bool,
    /// Whether an order is sent on by itself after a confirmed failure. The first provider may still
    /// pay.
    pub failover_after_failure: bool,
    /// Where it is written.
    pub place: String,
}

const KIND: &str = "write \"mobile\", \"landline\", \"broadband\" or \"combined\"";
const NAMES: &str =
    "write one or more of \"juhe\" and \"jisu\", each once, such as [\"juhe\", \"jisu\"]";
const CEILING: &str = "write an amount in yuan above zero, in quotes, such as \"105.50\"";
const SWITCH: &str = "write true or false";

/// Reads one, and says all that is wrong with it.
pub(super) fn read(reader: &mut Reader<'_>, at: usize, item: &DeValue<'_>, config: &mut Config) {
    let DeValue::Table(table) = item else {
        reader.complain(at, "write it with double brackets: [[route]]");
        return;
    };
    let mut route = RouteSetting {
        kind: AccountKind::Mobile,
        providers: None,
        face_values: None,
        price_ceiling: None,
        enabled: true,
        failover_after_failure: false,
        place: reader.place(at),
    };
    let (mut kind, mut wrong) = (None, false);
    for (name, value) in table {
        let at = name.span().start;
        let name = name.get_ref().as_ref();
        let value = value.get_ref();
        let complaint = match name {
            "kind" => {
                kind = Some(value.as_str().and_then(AccountKind::parse));
                kind.flatten().is_none().then_some(KIND.to_owned())
            }
            "providers" => {
                route.providers = providers(value);
                route.providers.is_none().then_some(NAMES.to_owned())
            }
            "face_values" => match Kind::FaceValues.read_toml(value) {
                Ok(Value::FaceValues(values)) => {
                    route.face_values = Some(values);
                    None
                }
                Ok(_) => Some(Kind::FaceValues.right()),
                Err(right) => Some(right),
            },
            "price_ceiling" => {
                route.price_ceiling = ceiling(value);
                route.price_ceiling.is_none().then_some(CEILING.to_owned())
            }
            "enabled" | "failover_after_failure" => match value.as_bool() {
                Some(on) if name == "enabled" => {
                    route.enabled = on;
                    None
                }
                Some(on) => {
                    route.failover_after_failure = on;
                    None
                }
                None => Some(SWITCH.to_owned()),
            },
            _ => {
                let nearest = nearest(name, ROUTE_KEYS.iter().map(|(name, _)| *name));
                Some(format!("no such key; did you mean {nearest}?"))
            }
        };
        if let Some(complaint) = complaint {
            wrong = true;
            reader.complain(at, format!("{ROUTE}.{name}: {complaint}"));
        }
    }
    match kind {
        None => reader.complain(at, format!("{ROUTE} has no kind: {KIND}")),
        Some(None) => {}
        Some(Some(kind)) => {
            if let Some(earlier) = config.routes.iter().find(|route| route.kind == kind) {
                let text = format!(
                    "{ROUTE}.kind: {kind} has a route already, at {}: keep one of them, with all its providers",
                    earlier.place
                );
                reader.complain(at, text);
            } else if !wrong {
                config.routes.push(RouteSetting { kind, ..route });
            }
        }
    }
}

fn providers(value: &DeValue<'_>) -> Option<Vec<ProviderId>> {
    let mut providers: Vec<ProviderId> = Vec::new();
    for item in value.as_array()? {
        let name = item.get_ref().as_str()?;
        let name = PROVIDERS.into_iter().find(|known| *known == name)?;
        let provider = ProviderId::parse(name).ok()?;
        if providers.contains(&provider) {
            return None;
        }
        providers.push(provider);
    }
    (!providers.is_empty()).then_some(providers)
}

fn ceiling(value: &DeValue<'_>) -> Option<Money> {
    let ceiling: Money = value.as_str()?.parse().ok()?;
    (ceiling > Money::ZERO).then_some(ceiling)
}
