//! Where a notice goes.

use std::sync::Arc;

use recharge_core::{MerchantId, SecretString};
use recharge_engine::ReplyTo;
use recharge_engine::store::Stored;
use recharge_store::registry::KeyKind;

use crate::app::App;
use crate::problem::Problem;
use crate::ring::Key;

/// Before the id of the drop-in credential under which an order was taken.
const COMPAT: &str = "compat:";

/// Where a notice goes.
pub(super) enum Way {
    /// Nobody wants to know.
    Nowhere,
    /// To the merchant, as a webhook.
    Webhook {
        url: String,
        secret: Option<SecretString>,
    },
    /// To a shop that speaks an upstream's protocol, as that upstream tells.
    UpstreamForm { url: String, key: Arc<Key> },
}

/// What an order remembers of the drop-in credential under which it was taken.
pub fn under_credential(key_id: &str) -> String {
    [COMPAT, key_id].concat()
}

/// The way of an order's notices: where the order itself says; else where its credential does; else to the
/// merchant's endpoint.
pub(super) fn of(app: &App, stored: &Stored) -> Way {
    let what = stored.order.what();
    let target = app.ring.target(&what.merchant);
    let secret = || target.as_ref().and_then(|target| target.secret.clone());
    let reply_to = what.reply_to.as_ref().map(ReplyTo::as_str);
    let is_address = |it: &&str| it.starts_with("http://") || it.starts_with("https://");
    if let Some(url) = reply_to.filter(is_address) {
        return Way::Webhook {
            url: url.to_owned(),
            secret: secret(),
        };
    }
    let key = reply_to
        .and_then(|it| it.strip_prefix(COMPAT))
        .and_then(|id| app.ring.key(id))
        .filter(|key| key.stored.kind != KeyKind::Api);
    if let Some(key) = key
        && let Some(url) = key.stored.callback_url.clone()
    {
        return Way::UpstreamForm { url, key };
    }
    match target.as_ref().and_then(|target| target.url.clone()) {
        Some(url) => Way::Webhook {
            url,
            secret: secret(),
        },
        None => Way::Nowhere,
    }
}

/// Checks the address that an order names: its form, and that there is something to sign with.
pub(crate) async fn check(app: &App, merchant: &MerchantId, url: &str) -> Result<(), Problem> {
    let wrong = |detail| Problem::field("notify_url", detail);
    let checked = app.settings.told_at(url);
    checked.map_err(|error| wrong(error.to_string()))?;
    if app.ring.target_now(merchant).await.is_none() {
        let detail = "make a secret first: recharge webhooks set";
        return Err(wrong(detail.to_owned()));
    }
    Ok(())
}
