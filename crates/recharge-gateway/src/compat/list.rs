//! Pages of a merchant's orders, where the upstreams have a list with numbered pages.

use recharge_core::{AccountKind, OrderId};
use recharge_engine::StoreError;
use recharge_engine::store::{Filter, Stored};

use super::Compat;
use crate::ring::Key;

/// How many orders are looked at for one page: what is further back is not listed. A store gives pages by
/// their beginning, not by their number, so that a page far back costs all that stand before it.
const DEEPEST: usize = 10_000;
/// How many are read at a time.
const AT_ONCE: usize = 500;

/// Which orders.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// Of these kinds.
    pub(super) kinds: &'a [AccountKind],
    /// For this account, if there is one.
    pub(super) account: &'a str,
    /// Of this number, if there is one.
    pub(super) order_id: &'a str,
    /// The page, from 1.
    pub(super) page: usize,
    /// How many orders a page has.
    pub(super) size: usize,
}

/// A page.
#[derive(Debug)]
pub(super) struct Listed {
    /// Its orders, the newest first.
    pub(super) rows: Vec<Stored>,
    /// How many there are. Those beyond this page are not counted: if there are any, it is one more than there
    /// are up to here, so that whoever turns pages turns on.
    pub(super) total: usize,
}

impl Compat {
    /// A page of the merchant's orders that came by the protocol of this credential.
    pub(super) async fn list(&self, key: &Key, wanted: Wanted<'_>) -> Result<Listed, StoreError> {
        let before = (wanted.page - 1).saturating_mul(wanted.size);
        let none = Listed {
            rows: Vec::new(),
            total: 0,
        };
        let mut filter = Filter::default();
        filter.merchant = Some(key.stored.merchant.clone());
        if !wanted.account.is_empty() {
            filter.account = Some(wanted.account.to_owned());
        }
        let fits = |it: &Stored| {
            let what = it.order.what();
            wanted.kinds.contains(&what.account.kind())
                && (wanted.account.is_empty() || what.account.as_str() == wanted.account)
                && self.speaks(key.stored.kind, &it.order)
        };
        if !wanted.order_id.is_empty() {
            // One at most, and not to be looked for among all.
            let Ok(order_id) = OrderId::parse(wanted.order_id) else {
                return Ok(none);
            };
            let found = self
                .app
                .driver
                .order(&key.stored.merchant, &order_id)
                .await?;
            let rows: Vec<_> = found.into_iter().filter(fits).collect();
            let total = rows.len();
            let shown = rows.into_iter().skip(before).collect();
            return Ok(Listed { rows: shown, total });
        }
        let up_to = before.saturating_add(wanted.size);
        let (mut rows, mut total, mut looked) = (Vec::new(), 0, 0);
        let mut last = None;
        while total <= up_to && looked < DEEPEST {
            // One more than wanted tells whether there are more.
            let limit = (up_to - total).saturating_add(1).clamp(1, AT_ONCE);
            let found = self.app.store().list(&filter, last, limit).await?;
            let exhausted = found.len() < limit;
            looked += found.len();
            last = found.last().map(|it| it.key);
            for order in found.into_iter().filter(fits) {
                total += 1;
                if total > before && total <= up_to {
                    rows.push(order);
                }
            }
            if exhausted {
                break;
            }
        }
        Ok(Listed { rows, total })
    }
}
