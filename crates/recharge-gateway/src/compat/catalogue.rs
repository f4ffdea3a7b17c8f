//! What is sold, as the upstreams' protocols show it: names, product numbers and prices.
//!
//! The gateway may send an order to any of its upstreams, so it has names and product numbers of its own.
//! A price is what an upstream last quoted for such an account and face value; before any quote it is the face
//! value. What an order really cost is shown once its upstream has said so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use recharge_core::{
    Account, AccountKind, Answer, Call, CallErrorKind, Carrier, CarrierHint, FaceValue, Money,
    Provider, ProviderExt as _, Quote,
};
use recharge_store::registry::KeyKind;
use tokio::time::Instant;

use super::Compat;

/// For how long a balance is shown that was asked for: an upstream allows one such call in 30 s, and may have
/// many shops before it.
const BALANCE: Duration = Duration::from_secs(30);

/// Prices and a balance, as they were last heard.
#[derive(Debug, Default)]
pub(super) struct Prices {
    quoted: Mutex<HashMap<(AccountKind, FaceValue), Money>>,
    balance: tokio::sync::Mutex<Option<(Instant, Money)>>,
}

impl Prices {
    /// What such an order is expected to cost.
    pub(super) fn expected(&self, kind: AccountKind, amount: FaceValue) -> Money {
        let quoted = self.quoted.lock().unwrap_or_else(PoisonError::into_inner);
        quoted
            .get(&(kind, amount))
            .copied()
            .unwrap_or_else(|| amount.money())
    }

    fn note(&self, kind: AccountKind, amount: FaceValue, price: Money) {
        let mut quoted = self.quoted.lock().unwrap_or_else(PoisonError::into_inner);
        quoted.insert((kind, amount), price);
    }
}

/// Whether any configured provider sells something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sold {
    /// One does.
    Yes,
    /// The kind of account, and not this face value.
    OtherAmounts,
    /// Nothing for this kind of account.
    No,
}

impl Sold {
    pub(super) fn of(
        providers: &[Arc<dyn Provider>],
        kind: AccountKind,
        amount: FaceValue,
    ) -> Self {
        let mut offers = providers.iter().filter_map(|it| it.offer(kind)).peekable();
        if offers.peek().is_none() {
            Self::No
        } else if offers.any(|offer| offer.face_values.contains(&amount)) {
            Self::Yes
        } else {
            Self::OtherAmounts
        }
    }
}

/// Why an upstream gave no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoValue {
    /// It says no to this account and face value, with this code.
    Refused(Option<String>),
    /// It can't be asked, or its answer is no answer.
    Unavailable,
}

impl Compat {
    /// The providers, the one that a protocol is named after before the others.
    pub(super) fn providers(&self, protocol: KeyKind) -> Vec<&Arc<dyn Provider>> {
        let mut providers: Vec<_> = self.app.providers.iter().collect();
        providers.sort_by_key(|it| it.id().as_str() != protocol.as_str());
        providers
    }

    /// Those that sell it and have such a call. Only Juhe's protocol asks.
    fn sellers(&self, kind: AccountKind, amount: FaceValue, call: Call) -> Vec<&Arc<dyn Provider>> {
        let mut providers = self.providers(KeyKind::Juhe);
        providers.retain(|provider| {
            let offer = provider.offer(kind);
            provider.can(call) && offer.is_some_and(|it| it.face_values.contains(&amount))
        });
        providers
    }

    /// Asks the first provider that sells it and has such a call whether the account can be charged. Where
    /// none has, what is sold can be.
    pub(super) async fn check(&self, account: &Account, amount: FaceValue) -> Result<(), NoValue> {
        for provider in self.sellers(account.kind(), amount, Call::Check) {
            match provider.check(account, amount).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(answer)) => return Err(NoValue::Refused(Some(answer.code))),
                Err(error) if error.kind == CallErrorKind::Unsupported => {}
                Err(error) => return Err(no_value(error.kind, error.answer)),
            }
        }
        Ok(())
    }

    /// Asks the first provider that sells it and has such a call what it costs, and keeps the price.
    pub(super) async fn quote(
        &self,
        account: &Account,
        amount: FaceValue,
    ) -> Result<Quote, NoValue> {
        for provider in self.sellers(account.kind(), amount, Call::Quote) {
            match provider.quote(account, amount).await {
                Ok(quote) => {
                    self.prices.note(account.kind(), amount, quote.price);
                    return Ok(quote);
                }
                Err(error) if error.kind == CallErrorKind::Unsupported => {}
                Err(error) => return Err(no_value(error.kind, error.answer)),
            }
        }
        Err(NoValue::Unavailable)
    }

    /// The balance of the first provider that tells one.
    pub(super) async fn balance(&self) -> Result<Money, NoValue> {
        // Held while it is asked: whoever asks at the same time gets the same answer.
        let mut known = self.prices.balance.lock().await;
        if let Some((at, balance)) = *known
            && at.elapsed() < BALANCE
        {
            return Ok(balance);
        }
        let providers = self.providers(KeyKind::Juhe);
        let mut able = providers.into_iter().filter(|it| it.can(Call::Balance));
        let provider = able.next().ok_or(NoValue::Unavailable)?;
        match provider.balance().await {
            Ok(balance) => {
                *known = Some((Instant::now(), balance));
                Ok(balance)
            }
            Err(error) => Err(no_value(error.kind, error.answer)),
        }
    }
}

fn no_value(kind: CallErrorKind, answer: Option<Answer>) -> NoValue {
    match kind {
        CallErrorKind::Refused => NoValue::Refused(answer.map(|it| it.code)),
        CallErrorKind::Unsupported
        | CallErrorKind::Transport
        | CallErrorKind::RateLimited
        | CallErrorKind::Maintenance
        | CallErrorKind::Denied
        | CallErrorKind::Unreadable => NoValue::Unavailable,
    }
}

/// The carrier of an account: the one that was named, or what a mobile number's segment hints at.
pub(super) fn company(account: &Account, named: Option<Carrier>) -> &'static str {
    let hint = || match account.kind() {
        AccountKind::Mobile => CarrierHint::for_mobile(account.as_str()).map(|it| it.carrier),
        AccountKind::Landline | AccountKind::Broadband | AccountKind::Combined => None,
    };
    named.or_else(hint).map_or("", Carrier::chinese)
}

/// Such as `电信话费10元`.
pub(super) fn name(company: &str, kind: AccountKind, amount: FaceValue) -> String {
    let service = match kind {
        AccountKind::Mobile => "话费",
        AccountKind::Landline => "固话",
        AccountKind::Broadband => "宽带",
        AccountKind::Combined => "固话宽带",
    };
    format!("{company}{service}{amount}元")
}

/// A product number of our own: one for each face value.
pub(super) fn card_id(amount: FaceValue) -> u64 {
    10_000 + u64::from(amount.yuan())
}

/// Three places, as in `"1.060"`.
pub(crate) fn three_places(amount: Money) -> String {
    let amount = amount.thousandths();
    format!("{}.{:03}", amount / 1000, amount % 1000)
}

/// No more places than needed, as a JSON number is written: `1.06`, `10.2`, `100`.
pub(crate) fn shortest(amount: Money) -> String {
    let text = three_places(amount);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_the_samples_have_it() {
        let money = |text: &str| text.parse::<Money>().unwrap();
        assert_eq!(three_places(money("1.06")), "1.060");
        assert_eq!(shortest(money("1.060")), "1.06");
        assert_eq!(shortest(money("10.20")), "10.2");
        assert_eq!(shortest(money("100")), "100");
        assert_eq!(shortest(Money::ZERO), "0");
    }

    #[test]
    fn names_are_those_of_the_samples_without_the_region() {
        let mobile = Account::parse(AccountKind::Mobile, "18900001234").unwrap();
        let line = Account::parse(AccountKind::Landline, "0571-56565366").unwrap();
        let ten = FaceValue::from_yuan(10).unwrap();
        assert_eq!(
            name(company(&mobile, None), AccountKind::Mobile, ten),
            "电信话费10元"
        );
        let unicom = company(&line, Some(Carrier::Unicom));
        assert_eq!(name(unicom, AccountKind::Landline, ten), "联通固话10元");
        assert_eq!(
            name(company(&line, None), AccountKind::Landline, ten),
            "固话10元"
        );
        assert_eq!(card_id(ten), 10_010);
    }

    #[test]
    fn before_any_quote_the_face_value_is_expected() {
        let (prices, ten) = (Prices::default(), FaceValue::from_yuan(10).unwrap());
        assert_eq!(prices.expected(AccountKind::Mobile, ten), ten.money());
        let quoted = "10.2".parse().unwrap();
        prices.note(AccountKind::Mobile, ten, quoted);
        assert_eq!(prices.expected(AccountKind::Mobile, ten), quoted);
        assert_eq!(prices.expected(AccountKind::Landline, ten), ten.money());
    }
}
