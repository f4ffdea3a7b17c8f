//! A tiny upstream that keeps a ledger: for each number what became of it, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use recharge_core::{AttemptNumber, ProviderId, QueryOutcome};

use crate::common::outcomes::{charging, failed, not_found, succeeded};

/// What became of a number. Times are true ones: no restart and no jump touches them.
#[derive(Debug, Clone)]
struct Taken {
    at: Duration,
    /// Queries see it from here on.
    seen_from: Duration,
    settles: Duration,
    pays: bool,
    /// How many more times it was taken, by an upstream that doesn't refuse duplicates.
    again: u32,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Upstream {
    taken: BTreeMap<(ProviderId, AttemptNumber), Taken>,
}

/// How a number fares that is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fare {
    pub(crate) hidden: Duration,
    pub(crate) takes: Duration,
    pub(crate) pays: bool,
}

impl Upstream {
    /// A packet arrives. Whether the number is new.
    pub(crate) fn arrives(
        &mut self,
        provider: &ProviderId,
        number: AttemptNumber,
        at: Duration,
        fare: Fare,
        refuses_duplicates: bool,
    ) -> bool {
        let key = (provider.clone(), number);
        if let Some(taken) = self.taken.get_mut(&key) {
            if !refuses_duplicates {
                taken.again += 1;
            }
            return false;
        }
        let seen_from = at + fare.hidden;
        let taken = Taken {
            at,
            seen_from,
            settles: seen_from + fare.takes,
            pays: fare.pays,
            again: 0,
        };
        self.taken.insert(key, taken);
        true
    }

    /// What a query is told.
    pub(crate) fn says(
        &self,
        provider: &ProviderId,
        number: AttemptNumber,
        now: Duration,
    ) -> QueryOutcome {
        match self.taken.get(&(provider.clone(), number)) {
            Some(taken) if now >= taken.settles && taken.pays => succeeded(),
            Some(taken) if now >= taken.settles => failed(),
            Some(taken) if now >= taken.seen_from => charging(),
            Some(_) | None => not_found(),
        }
    }

    /// How often the customer is or will be charged, as far as it is decided now.
    pub(crate) fn charges(&self, now: Duration) -> u32 {
        self.taken
            .values()
            .filter(|taken| taken.at <= now && (taken.pays || now < taken.settles))
            .map(|taken| 1 + taken.again)
            .sum()
    }

    /// Whether any number is charging or paid, or will be: packets under way included.
    pub(crate) fn could_charge(&self, now: Duration) -> bool {
        self.taken
            .values()
            .any(|taken| taken.pays || now < taken.settles)
    }

    /// Whether a number is paid.
    pub(crate) fn paid(&self, now: Duration) -> bool {
        self.taken
            .values()
            .any(|taken| taken.pays && now >= taken.settles)
    }
}
