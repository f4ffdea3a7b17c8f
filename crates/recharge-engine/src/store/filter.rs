//! Which orders to list.

use std::fmt;

use recharge_core::{MerchantId, OrderState, Redactor};

use crate::{Order, WallTime};

/// Which orders to list: those that meet every condition. The default lets all through.
///
/// Make one from the default, and set what is wanted. `Debug` masks the middle of the account.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filter {
    /// Of this merchant.
    pub merchant: Option<MerchantId>,
    /// In this state; whatever the reason, for a review.
    pub state: Option<OrderState>,
    /// For this account: its text in canonical form, that of
    /// [`Account::as_str`](recharge_core::Account::as_str), of whatever kind.
    pub account: Option<String>,
    /// Accepted at or after this.
    pub from: Option<WallTime>,
    /// Accepted before this.
    pub until: Option<WallTime>,
}

impl Filter {
    /// Whether it lets an order through.
    pub fn passes(&self, order: &Order) -> bool {
        let Self {
            merchant,
            state,
            account,
            from,
            until,
        } = self;
        let (what, at) = (order.what(), order.accepted().wall);
        merchant.as_ref().is_none_or(|it| what.merchant == *it)
            && state.is_none_or(|it| order.state().as_str() == it.as_str())
            && account
                .as_ref()
                .is_none_or(|it| what.account.as_str() == it)
            && from.is_none_or(|from| at >= from)
            && until.is_none_or(|until| at < until)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.account.as_deref();
        f.debug_struct("Filter")
            .field("merchant", &self.merchant)
            .field("state", &self.state)
            .field(
                "account",
                &account.map(|it| Redactor::default().redact(it, &[it])),
            )
            .field("from", &self.from)
            .field("until", &self.until)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_does_not_show_the_account() {
        for account in ["18900001234", "0571-56565366", "home.of.li@163"] {
            let filter = Filter {
                account: Some(account.to_owned()),
                ..Filter::default()
            };
            let shown = format!("{filter:?}");
            assert!(
                !shown.contains(account) && shown.contains("****"),
                "{shown}"
            );
        }
    }
}
