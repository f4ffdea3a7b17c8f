//! Where a merchant is told, and what has not arrived there.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use recharge_core::{MerchantId, OrderState, SecretString};
use recharge_engine::Notice;
use recharge_engine::store::{Delivery, Message, Told};
use recharge_store::registry::Endpoint;
use recharge_store::{Registry, RegistryError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::closed::StateName;
use super::input::{Json, Named, Params};
use super::private::{Private, exposed};
use crate::app::App;
use crate::auth::Operator;
use crate::problem::{Code, ListRefusals, Problem, refusals};
use crate::ring::purpose_of_endpoint;
use crate::time;
use crate::webhooks::{event, signature};

refusals! {
    /// Why it isn't shown where a merchant is told: keys and addresses are at hand, without the store.
    ToldRefusals: Unauthorized Forbidden NotFound TooMany Timeout Internal;
    /// Why an endpoint isn't set.
    SetRefusals: Unauthorized Forbidden Malformed Invalid TooLarge SlowRequest TooMany Timeout NoMasterKey StoreUnavailable
        OutcomeUnknown Internal;
    /// Why a secret isn't made.
    RotateRefusals: Unauthorized Forbidden NotFound TooMany Timeout NoMasterKey StoreUnavailable OutcomeUnknown
        Internal;
    /// Why a notice isn't sent again.
    ResendRefusals: Unauthorized Forbidden NotFound TooMany Timeout StoreUnavailable OutcomeUnknown Internal;
}

/// Where you are told what becomes of your orders.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// The address of orders that name none; null: only of orders that name one you are told.
    #[schema(value_type = Option<String>, required, example = "https://shop.example.com/recharge")]
    url: Option<Private>,
    /// When address or secret were set.
    changed_at: String,
    /// What signs, shown this once: `whsec_` and base64.
    #[serde(serialize_with = "exposed", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    secret: Option<SecretString>,
}

/// Where you want to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetWebhook {
    /// An `http` or `https` URL in the public internet; null to be told only of orders that name their own.
    #[schema(value_type = Option<String>, example = "https://shop.example.com/recharge")]
    url: Option<Private>,
}

/// Show where you are told
#[utoipa::path(
    get, path = "/v1/webhook", operation_id = "showWebhook", tag = "webhooks",
    responses(
        (status = 200, description = "As it is set, without the secret", body = Webhook),
        ToldRefusals,
    ),
    security(("key" = ["operate"])),
)]
pub async fn show(
    State(app): State<Arc<App>>,
    Operator(caller): Operator,
) -> Result<Response, Problem> {
    let target = app.ring.target_now(caller.merchant()).await;
    let target = target.ok_or_else(|| Problem::not_found("webhook"))?;
    Ok(Answer(Webhook {
        url: target.url.clone().map(Private),
        changed_at: time::rfc3339(target.changed),
        secret: None,
    })
    .into_response())
}

/// Set where you are told
///
/// The first time it makes the secret that signs, and shows it.
#[utoipa::path(
    put, path = "/v1/webhook", operation_id = "setWebhook", tag = "webhooks",
    request_body = SetWebhook,
    responses(
        (status = 200, description = "It holds from now on", body = Webhook),
        SetRefusals,
    ),
    security(("key" = ["operate"])),
)]
pub async fn set(
    State(app): State<Arc<App>>,
    Operator(caller): Operator,
    Json(wanted): Json<SetWebhook>,
) -> Result<Response, Problem> {
    if let Some(Private(url)) = &wanted.url {
        let checked = app.settings.told_at(url);
        checked.map_err(|error| Problem::field("url", error.to_string()))?;
    }
    let (secret, sealed) = new_secret(&app, caller.merchant())?;
    let changed = app.now();
    let endpoint = Endpoint {
        merchant: caller.merchant().clone(),
        url: wanted.url.clone().map(|it| it.0),
        secret: sealed,
        changed,
    };
    let new = with(&app, move |registry| registry.set_endpoint_url(&endpoint)).await?;
    Ok(Answer(Webhook {
        url: wanted.url,
        changed_at: time::rfc3339(changed),
        secret: new.then_some(secret),
    })
    .into_response())
}

/// Make a new secret
///
/// The old one is void at once; notices that are under way may still be signed with it.
#[utoipa::path(
    post, path = "/v1/webhook/rotate", operation_id = "rotateWebhookSecret", tag = "webhooks",
    responses(
        (status = 200, description = "The new secret", body = Webhook),
        RotateRefusals,
    ),
    security(("key" = ["operate"])),
)]
pub async fn rotate(
    State(app): State<Arc<App>>,
    Operator(caller): Operator,
) -> Result<Response, Problem> {
    let (secret, sealed) = new_secret(&app, caller.merchant())?;
    let (changed, merchant) = (app.now(), caller.merchant().clone());
    let found = with(&app, move |registry| {
        registry.set_endpoint_secret(&merchant, &sealed, changed)
    })
    .await?;
    let endpoint = found.ok_or_else(|| Problem::not_found("webhook"))?;
    Ok(Answer(Webhook {
        url: endpoint.url.map(Private),
        changed_at: time::rfc3339(endpoint.changed),
        secret: Some(secret),
    })
    .into_response())
}

/// A secret, as it is shown and as it is kept.
fn new_secret(app: &App, merchant: &MerchantId) -> Result<(SecretString, Vec<u8>), Problem> {
    let none = |detail: &'static str| Problem::new(Code::NoMasterKey, detail);
    let master = app.settings.master_key.as_ref();
    let master = master
        .ok_or_else(|| none("a webhook's secret is kept sealed, and there is no master key"))?;
    if app.ring.locked().is_some() {
        // Under two keys, one of them wrong, something would be lost with either.
        return Err(none(
            "a webhook's secret is kept sealed, and the master key is not the one of the others",
        ));
    }
    let no_random = |_| Problem::new(Code::Internal, "no secret could be made");
    let secret = signature::new_secret().map_err(no_random)?;
    let sealed = master
        .seal(&purpose_of_endpoint(merchant), &secret)
        .map_err(no_random)?;
    Ok((secret, sealed))
}

/// Does something with the registry, which blocks; then everybody sees it.
async fn with<T: Send + 'static>(
    app: &App,
    what: impl FnOnce(&Registry) -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, Problem> {
    let registry = Arc::clone(&app.registry);
    let done = tokio::task::spawn_blocking(move || what(&registry)).await;
    let done = done.map_err(|_| Problem::new(Code::Internal, "something went wrong here"))?;
    app.ring.look().await;
    Ok(done?)
}

/// A notice that was given up.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadNotice {
    /// Its name: the `webhook-id` that it was sent with.
    #[schema(example = "msg_42")]
    id: String,
    /// The order.
    order_id: String,
    /// What was to be told: the state that the order came to.
    #[schema(value_type = StateName)]
    state: &'static str,
    /// In which version.
    version: u64,
    /// How many times it was tried.
    tries: u32,
    /// Why the last try failed.
    #[schema(required)]
    trouble: Option<String>,
    /// When the order came to that state.
    since: String,
}

/// Notices that were given up.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadPage {
    /// The oldest first.
    dead: Vec<DeadNotice>,
    /// What `after` is for the next page, which may be empty; null on the last one.
    #[schema(required)]
    next: Option<String>,
}

/// Which are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeadParams {
    /// Those after this one: the `next` of the page before.
    after: Option<String>,
    /// At most so many, up to 500; 50 if it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

const PAGE: u32 = 50;
const MOST: u32 = 500;
/// How many messages are read at once, and how many times for one page: those of all merchants are read.
const BATCH: usize = 1_000;
const READS: usize = 10;

/// List notices that were given up
#[utoipa::path(
    get, path = "/v1/webhooks/dead", operation_id = "listDeadNotices", tag = "webhooks",
    params(DeadParams),
    responses(
        (status = 200, description = "A page of them, the oldest first", body = DeadPage),
        ListRefusals,
    ),
    security(("key" = ["operate"])),
)]
pub async fn dead(
    State(app): State<Arc<App>>,
    Operator(caller): Operator,
    Params(params): Params<DeadParams>,
) -> Result<Response, Problem> {
    let limit = params.limit.unwrap_or(PAGE);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::field("limit", "write a number from 1 to 500"));
    }
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut after = match params.after.as_deref() {
        None => 0,
        Some(name) => number(name)
            .ok_or_else(|| Problem::field("after", "write the `next` of the page before"))?,
    };
    let mut dead = Vec::new();
    let mut more = true;
    for _ in 0..READS {
        let found = app.store().messages(after, BATCH).await?;
        more = found.len() == BATCH;
        for message in found {
            if dead.len() == wanted {
                more = true;
                break;
            }
            after = message.id;
            dead.extend(given_up(&message, caller.merchant()));
        }
        if !more || dead.len() == wanted {
            break;
        }
    }
    let next = more.then(|| format!("msg_{after}"));
    Ok(Answer(DeadPage { dead, next }).into_response())
}

fn given_up(message: &Message, merchant: &MerchantId) -> Option<DeadNotice> {
    let notice = notice_for(message, merchant)?;
    let Delivery {
        tries,
        next: None,
        trouble,
    } = &message.delivery
    else {
        return None;
    };
    Some(DeadNotice {
        id: event::id(message),
        order_id: message.order_id.as_str().to_owned(),
        state: OrderState::as_str(notice.state),
        version: notice.version,
        tries: *tries,
        trouble: trouble.clone(),
        since: time::rfc3339(message.since),
    })
}

/// The notice, if it is one of that merchant's.
fn notice_for(message: &Message, merchant: &MerchantId) -> Option<Notice> {
    match message.what {
        Told::Notice(notice) if message.merchant == *merchant => Some(notice),
        Told::Notice(_) | Told::Alarm { .. } => None,
    }
}

/// What is to be sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Resent {
    /// The notice.
    id: String,
}

/// Send a notice again
///
/// One that was given up is tried anew, as often as the first time; one that waits is tried now.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/resend", operation_id = "resendNotice", tag = "webhooks",
    params(("id" = String, Path, description = "The notice's name, such as `msg_42`")),
    responses(
        (status = 202, description = "It is sent", body = Resent),
        ResendRefusals,
    ),
    security(("key" = ["operate"])),
)]
pub async fn resend(
    State(app): State<Arc<App>>,
    Operator(caller): Operator,
    Named(id): Named,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("notice");
    let wanted = number(&id).filter(|id| *id > 0).ok_or_else(unknown)?;
    let found = app.store().messages(wanted - 1, 1).await?;
    let message = found
        .into_iter()
        .find(|it| it.id == wanted && notice_for(it, caller.merchant()).is_some())
        .ok_or_else(unknown)?;
    app.store()
        .put_off(message.id, Delivery::at(app.now()))
        .await?;
    let resent = Resent {
        id: event::id(&message),
    };
    Ok((StatusCode::ACCEPTED, Answer(resent)).into_response())
}

/// The number in a notice's name.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("msg_")?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_answered_and_not_debugged() {
        let webhook = Webhook {
            url: Some(Private("https://shop.example.com/canary".to_owned())),
            changed_at: String::new(),
            secret: Some("whsec_canary".into()),
        };
        let shown = format!("{webhook:?}");
        assert!(!shown.contains("canary"), "{shown}");
        let answered = serde_json::to_value(&webhook).unwrap();
        assert_eq!(answered["secret"], "whsec_canary");
        assert_eq!(answered["url"], "https://shop.example.com/canary");
    }
}
