//! What an installation has decided: routes, times, and the key of its numbers.

use recharge_core::{
    AccountKind, Call, Capabilities, Money, Offer, Provider, ProviderExt as _, ProviderId,
};

use crate::{NewOrder, NumberKey, Times};

/// Everything that [`step`](fn@crate::step) needs to know besides the order: made from configuration and
/// the providers' capabilities.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Policy {
    /// The providers that orders of this kind may go to, in order of preference.
    pub routes: Vec<Route>,
    /// How long things take.
    pub times: Times,
    /// The key from which attempt numbers are derived.
    pub numbers: NumberKey,
    /// Names that count, where a decision takes two people, though nobody has authenticated them.
    pub approvers: Vec<String>,
}

impl Policy {
    /// A policy that takes no unauthenticated person's word where it takes two.
    pub const fn new(routes: Vec<Route>, times: Times, numbers: NumberKey) -> Self {
        Self {
            routes,
            times,
            numbers,
            approvers: Vec::new(),
        }
    }

    /// The route to a provider.
    pub fn route(&self, provider: &ProviderId) -> Option<&Route> {
        self.routes.iter().find(|route| route.provider == *provider)
    }
}

/// One provider that an order may go to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches and declared capabilities"
)]
pub struct Route {
    /// The provider.
    pub provider: ProviderId,
    /// What is sold there, of this kind of account.
    pub offer: Offer,
    /// The most that a submit may cost there. Where the provider can't be asked for a price, the order's
    /// history says that it was not known. What people allow to be sent is not held against it.
    pub price_ceiling: Option<Money>,
    /// Whether new attempts may be sent there. Orders already sent are asked about all the same.
    pub enabled: bool,
    /// Whether it can be asked for an order's state.
    pub can_query: bool,
    /// Whether it is documented to refuse a number that it already has; only then may people allow a
    /// second send of the same number.
    pub refuses_duplicates: bool,
    /// Whether a callback counts as an answer. Only for a provider that can't be queried and whose
    /// callback signature covers the state.
    pub callback_counts: bool,
    /// Whether an order may go to the next route by itself after this one *confirmed* that it failed.
    /// **The first provider may still pay**: there are two charges then. Off unless switched on.
    pub failover_after_failure: bool,
}

impl Route {
    /// The route to a provider with these capabilities, for what it offers of one kind of account.
    pub fn new(provider: ProviderId, capabilities: &Capabilities, offer: Offer) -> Self {
        Self {
            provider,
            offer,
            price_ceiling: None,
            enabled: true,
            can_query: capabilities.calls.contains(&Call::Query),
            refuses_duplicates: capabilities.refuses_duplicates,
            callback_counts: false,
            failover_after_failure: false,
        }
    }

    /// The route to a provider as its adapter declares it; `None` if it doesn't sell the kind.
    pub fn of(provider: &dyn Provider, kind: AccountKind) -> Option<Self> {
        let offer = provider.offer(kind)?.clone();
        Some(Self::new(
            provider.id().clone(),
            provider.capabilities(),
            offer,
        ))
    }

    /// Whether the order may go there at all: the route is on, sells the face value and the carrier, and
    /// is the one that the merchant has chosen, if any.
    pub fn takes(&self, what: &NewOrder) -> bool {
        self.enabled
            && self.offer.kind == what.account.kind()
            && self.offer.sells(what.amount, what.carrier)
            && what.provider.as_ref().is_none_or(|p| *p == self.provider)
    }
}
