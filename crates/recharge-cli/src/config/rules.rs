//! What the engine is given: times, routes, limits and the people who count, from a [`Config`] and the
//! providers that have an account.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use recharge_core::{AccountKind, Provider, ProviderId};
use recharge_engine::driver::{Caution, Limits};
use recharge_engine::{NewOrder, NumberKey, Policy, Route, Times};
use recharge_jisu::JisuProvider;
use recharge_juhe::JuheProvider;
use recharge_store::StoreUrl;

use super::keys::ROUTE;
use super::{Config, ConfigError, Key, Kind, PROVIDERS, Problem, RouteSetting, Value, short};

/// The providers that have an account, in the order in which they are preferred.
pub type Providers = Vec<Arc<dyn Provider>>;

/// What an installation has decided about orders.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How long things take.
    pub times: Times,
    /// For each kind of account that can be topped up, its routes in order of preference; after them,
    /// switched off, every other provider that sells the kind, so that orders which an earlier
    /// configuration sent there are still asked about.
    pub routes: BTreeMap<AccountKind, Vec<Route>>,
    /// Whose names count, where a decision takes two people.
    pub approvers: Vec<String>,
    /// How much is done at once.
    pub limits: Limits,
    /// What stands in a new order's way.
    pub caution: Caution,
    /// What is allowed, and yet should be looked at: each names its key.
    pub warnings: Vec<String>,
}

impl Config {
    /// The providers that have an account, over one transport: in the order of their tables in the
    /// file, then those of the environment.
    pub fn providers(&self) -> Result<Providers, ConfigError> {
        let tables = self.sections.iter().map(String::as_str);
        let mut names: Vec<&str> = tables.filter(|name| PROVIDERS.contains(name)).collect();
        names.extend(
            PROVIDERS
                .into_iter()
                .filter(|name| !self.sections.iter().any(|s| s == name)),
        );
        names.retain(|name| self.has(name));
        let mut providers = Providers::new();
        if names.is_empty() {
            return Ok(providers);
        }
        let transport = self.transport()?;
        for name in names {
            let transport = Arc::clone(&transport);
            providers.push(if name == JuheProvider::ID {
                Arc::new(JuheProvider::new(self.juhe()?, transport))
            } else {
                Arc::new(JisuProvider::new(self.jisu()?, transport))
            });
        }
        Ok(providers)
    }

    /// What the engine is given beside the providers. All that is wrong is told at once.
    pub fn rules(&self, providers: &[Arc<dyn Provider>]) -> Result<Rules, ConfigError> {
        let mut problems = Vec::new();
        let routes = self.routes(providers, &mut problems);
        let approvers = self.approvers(&mut problems);
        let times = self.times(&mut problems);
        if !problems.is_empty() {
            return Err(ConfigError::Problems(problems));
        }
        let duplicate_window = self.wait("duplicate_window", Duration::from_mins(10));
        Ok(Rules {
            warnings: short::warnings(&times, duplicate_window, &approvers),
            times,
            routes,
            approvers,
            limits: self.limits(),
            caution: self.caution(duplicate_window),
        })
    }

    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(count) = self.count("limits", "in_flight") {
            limits.in_flight = usize::try_from(count).unwrap_or(limits.in_flight);
        }
        if let Some(count) = self.count("limits", "queries_per_second") {
            limits.queries_per_second = count;
        }
        limits.submits_per_second = self.count("limits", "submits_per_second");
        limits
    }

    fn caution(&self, duplicate_window: Duration) -> Caution {
        let mut caution = Caution::default();
        caution.duplicate_window = duplicate_window;
        caution.account_orders_per_day = self.count("limits", "account_orders_per_day");
        caution.account_yuan_per_day = self.count("limits", "account_yuan_per_day");
        caution
    }

    /// The file in which orders are kept.
    pub fn store_file(&self) -> PathBuf {
        let value = self.get("store", "url").map(|setting| &setting.value);
        let url = match value {
            Some(Value::Text(url)) => Some(url.as_str()),
            Some(_) | None => Key::find("store", "url").and_then(|key| key.default),
        };
        match url.map(StoreUrl::parse) {
            Some(Ok(StoreUrl::Sqlite(file))) => file,
            // What was read is an address, and so is the default.
            Some(_) | None => PathBuf::from("recharge.sqlite"),
        }
    }

    fn times(&self, problems: &mut Vec<Problem>) -> Times {
        let default = Times::default();
        let http = self.http();
        let times = Times {
            query_after: self.waits("query_after", &default.query_after),
            confirm_failure_after: self
                .wait("confirm_failure_after", default.confirm_failure_after),
            not_found_quarantine: self.wait("not_found_quarantine", default.not_found_quarantine),
            not_found_answers: self
                .count("lifecycle", "not_found_answers")
                .unwrap_or(default.not_found_answers),
            charging_limit: self.wait("charging_limit", default.charging_limit),
            unknown_limit: self.wait("unknown_limit", default.unknown_limit),
            send_deadline: self.wait("send_deadline", default.send_deadline),
            request_timeout: http.connect_timeout.saturating_add(http.timeout),
            pending_limit: self.wait("pending_limit", default.pending_limit),
            not_sent_tries: self
                .count("lifecycle", "not_sent_tries")
                .unwrap_or(default.not_sent_tries),
            callback_gap: self.wait("callback_gap", default.callback_gap),
            watch_after: self.waits("watch_after", &default.watch_after),
        };
        if !times.watch_after.is_sorted_by(|one, next| one < next) {
            let text = "lifecycle.watch_after: each time counts from the end of the order, so each is longer than the one before, such as [\"10m\", \"1h\", \"6h\"]";
            problems.push(Problem::new(self.place("lifecycle", "watch_after"), text));
        }
        times
    }

    fn approvers(&self, problems: &mut Vec<Problem>) -> Vec<String> {
        let names = match self
            .get("people", "approvers")
            .map(|setting| &setting.value)
        {
            Some(Value::Names(names)) => names.clone(),
            Some(_) | None => Vec::new(),
        };
        let plain: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let twice = |(at, name): (usize, &String)| plain.iter().skip(at + 1).any(|it| it == name);
        if plain.iter().enumerate().any(twice) {
            let text = "people.approvers: a name stands there twice; capitals make no difference. Write each person once";
            problems.push(Problem::new(self.place("people", "approvers"), text));
        }
        names
    }

    fn routes(
        &self,
        providers: &[Arc<dyn Provider>],
        problems: &mut Vec<Problem>,
    ) -> BTreeMap<AccountKind, Vec<Route>> {
        let mut routes = BTreeMap::new();
        for kind in AccountKind::ALL {
            let setting = self.routes.iter().find(|route| route.kind == kind);
            let mut of_kind: Vec<Route> = match setting {
                Some(setting) => match set(setting, providers) {
                    Ok(of_kind) => of_kind,
                    Err(text) => {
                        problems.push(Problem::new(setting.place.clone(), text));
                        continue;
                    }
                },
                None => providers
                    .iter()
                    .filter_map(|p| Route::of(p.as_ref(), kind))
                    .collect(),
            };
            for provider in providers {
                let known = of_kind.iter().any(|route| route.provider == *provider.id());
                if let Some(mut other) = Route::of(provider.as_ref(), kind).filter(|_| !known) {
                    other.enabled = false;
                    of_kind.push(other);
                }
            }
            if !of_kind.is_empty() {
                routes.insert(kind, of_kind);
            }
        }
        routes
    }

    /// Where a key is set, for complaints.
    fn place(&self, section: &str, name: &str) -> String {
        self.get(section, name)
            .map_or_else(String::new, |setting| setting.place.clone())
    }

    fn wait(&self, name: &str, default: Duration) -> Duration {
        match self.get("lifecycle", name).map(|setting| &setting.value) {
            Some(Value::Duration(wait)) => *wait,
            Some(_) | None => default,
        }
    }

    fn waits(&self, name: &str, default: &[Duration]) -> Vec<Duration> {
        match self.get("lifecycle", name).map(|setting| &setting.value) {
            Some(Value::Durations(waits)) => waits.clone(),
            Some(_) | None => default.to_vec(),
        }
    }

    /// A count, or its default in the table of keys.
    pub(super) fn count(&self, section: &str, name: &str) -> Option<u32> {
        let default = || {
            let key = Key::find(section, name)?;
            key.kind.read(key.default?).ok()
        };
        let set = self.get(section, name).map(|setting| setting.value.clone());
        match set.or_else(default) {
            Some(Value::Count(count)) => Some(count),
            Some(_) | None => None,
        }
    }
}

/// The routes of a `[[route]]`, or what is wrong with it.
fn set(setting: &RouteSetting, providers: &[Arc<dyn Provider>]) -> Result<Vec<Route>, String> {
    let kind = setting.kind;
    let mut routes = Vec::new();
    match &setting.providers {
        None => routes.extend(providers.iter().filter_map(|p| Route::of(p.as_ref(), kind))),
        Some(names) => {
            for name in names {
                let provider = providers.iter().find(|provider| provider.id() == name);
                let provider = provider.ok_or_else(|| no_account(name))?;
                routes.push(Route::of(provider.as_ref(), kind).ok_or_else(|| {
                    format!("{ROUTE}.providers: {name} sells nothing for {kind} accounts; take it out of the {kind} route")
                })?);
            }
        }
    }
    if routes.is_empty() {
        return Err(format!(
            "{ROUTE}: no provider with an account sells anything for {kind} accounts; set up one that does, or take the {kind} route out"
        ));
    }
    for route in &mut routes {
        if let Some(values) = &setting.face_values {
            route
                .offer
                .face_values
                .retain(|value| values.contains(value));
            if route.offer.face_values.is_empty() {
                let name = &route.provider;
                return Err(format!(
                    "{ROUTE}.face_values: {name} sells none of them for {kind} accounts; change them, or take {name} out of providers"
                ));
            }
        }
        route.price_ceiling = setting.price_ceiling;
        route.enabled = setting.enabled;
        route.failover_after_failure = setting.failover_after_failure;
    }
    for value in setting.face_values.iter().flatten() {
        if !routes
            .iter()
            .any(|route| route.offer.face_values.contains(value))
        {
            return Err(format!(
                "{ROUTE}.face_values: no provider of the {kind} route sells {value} yuan; take it out, or add it to the face values of the provider that sells it to you"
            ));
        }
    }
    Ok(routes)
}

fn no_account(name: &ProviderId) -> String {
    let secrets: Vec<String> = super::KEYS
        .iter()
        .filter(|key| key.section == name.as_str() && key.kind == Kind::Secret)
        .map(Key::path)
        .collect();
    format!(
        "{ROUTE}.providers: {name} has no account: set {}, or take {name} out",
        secrets.join(" and ")
    )
}

impl Rules {
    /// The policy for orders of a kind of account, for telling what could be decided about one. The engine
    /// makes its own, with the key of its store.
    pub fn policy(&self, kind: AccountKind) -> Policy {
        let routes = self.routes.get(&kind).cloned().unwrap_or_default();
        let numbers = NumberKey::new([0; 32]);
        let mut policy = Policy::new(routes, self.times.clone(), numbers);
        policy.approvers.clone_from(&self.approvers);
        policy
    }

    /// Why no route takes an order, and what to do; `None` if one does. It doesn't name the account.
    pub fn refuses(&self, what: &NewOrder) -> Option<String> {
        let kind = what.account.kind();
        let routes = self.routes.get(&kind).map_or(&[][..], Vec::as_slice);
        if routes.iter().any(|route| route.takes(what)) {
            return None;
        }
        if routes.is_empty() {
            return Some(format!(
                "no provider with an account sells anything for {kind} accounts; `recharge config check` says what is set up"
            ));
        }
        let wanted = |route: &&Route| what.provider.as_ref().is_none_or(|p| *p == route.provider);
        let open: Vec<&Route> = routes
            .iter()
            .filter(wanted)
            .filter(|route| route.enabled)
            .collect();
        let whom = what
            .provider
            .as_ref()
            .map_or_else(|| "every provider".to_owned(), ToString::to_string);
        if open.is_empty() {
            return Some(format!(
                "{whom} is switched off for {kind} accounts, or not in their [[{ROUTE}]]"
            ));
        }
        let selling: Vec<&Route> = open
            .iter()
            .copied()
            .filter(|route| route.offer.face_values.contains(&what.amount))
            .collect();
        if selling.is_empty() {
            let mut values: Vec<_> = open
                .iter()
                .flat_map(|route| &route.offer.face_values)
                .collect();
            values.sort();
            values.dedup();
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            return Some(format!(
                "nobody sells this face value for {kind} accounts; there are {} yuan",
                values.join(", ")
            ));
        }
        let mut carriers: Vec<_> = selling
            .iter()
            .flat_map(|route| &route.offer.carriers)
            .collect();
        carriers.sort();
        carriers.dedup();
        let carriers: Vec<&str> = carriers.iter().map(|carrier| carrier.as_str()).collect();
        Some(format!(
            "the carrier has to be named: {}",
            carriers.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests;
