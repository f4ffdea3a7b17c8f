//! What the upstreams are asked for directly: whether they sell something, for how much, and our balances.

use std::sync::Arc;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use recharge_core::{
    Account, AccountKind, CallError, CallErrorKind, FaceValue, Provider, ProviderExt as _,
    ProviderId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::closed::KindName;
use super::input::Json;
use super::private::Private;
use super::yuan::Yuan;
use crate::app::App;
use crate::auth::{Operator, Reader};
use crate::problem::{Code, Problem, refusals};

/// The longest that an upstream is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

refusals! {
    /// Why nothing is said of what is sold.
    AskUpstreamRefusals: Unauthorized Forbidden Malformed Invalid NotOffered UpstreamUnavailable TooLarge SlowRequest TooMany
        Timeout Internal;
    /// Why no balances are shown.
    BalancesRefusals: Unauthorized Forbidden TooMany Timeout Internal;
}

/// What would be topped up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct What {
    /// mobile, landline, broadband or combined.
    #[schema(value_type = KindName, example = "mobile")]
    kind: String,
    /// The number or account.
    #[schema(value_type = String, example = "18900001234")]
    account: Private,
    /// The face value.
    amount: Yuan,
    /// Which provider; the first that sells it, if it is left out.
    provider: Option<String>,
}

/// Whether it can be topped up.
#[derive(Debug, Serialize, ToSchema)]
pub struct Checked<'a> {
    /// Who says so.
    provider: &'a str,
    /// Whether it can.
    allowed: bool,
}

/// What it would cost.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quoted<'a> {
    /// Who says so.
    provider: &'a str,
    /// In yuan.
    #[schema(example = "99.65")]
    price: String,
    /// The product's name.
    product: String,
    /// The region, where it says so.
    #[schema(required)]
    region: Option<String>,
}

/// A balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct Balance<'a> {
    /// At which provider.
    provider: &'a str,
    /// In yuan; null when it can't be learnt now, which is not zero.
    #[schema(required)]
    balance: Option<String>,
}

/// All balances.
#[derive(Debug, Serialize, ToSchema)]
pub struct Balances<'a> {
    /// One for each provider.
    balances: Vec<Balance<'a>>,
}

impl What {
    fn read(self) -> Result<(Account, FaceValue, Option<ProviderId>), Problem> {
        let kind = AccountKind::parse(&self.kind).ok_or_else(|| {
            Problem::field("kind", "write mobile, landline, broadband or combined")
        })?;
        let account = Account::parse(kind, &self.account.0)
            .map_err(|error| Problem::field("account", error.to_string()))?;
        let provider = self.provider.map(|name| ProviderId::parse(&name));
        let provider = provider
            .transpose()
            .map_err(|error| Problem::field("provider", error.to_string()))?;
        Ok((account, self.amount.face_value()?, provider))
    }
}

/// The provider that is named, or the first that sells it.
fn who<'a>(
    app: &'a App,
    account: &Account,
    amount: FaceValue,
    named: Option<&ProviderId>,
) -> Result<&'a Arc<dyn Provider>, Problem> {
    let sells = |provider: &&Arc<dyn Provider>| {
        let offer = provider.offer(account.kind());
        offer.is_some_and(|offer| offer.face_values.contains(&amount))
            && named.is_none_or(|named| named == provider.id())
    };
    let found = app.providers.iter().find(sells);
    found.ok_or_else(|| Problem::new(Code::NotOffered, "no provider sells this"))
}

/// What went wrong, without a word of the upstream's.
fn unavailable(error: &CallError) -> Problem {
    match error.kind {
        CallErrorKind::Unsupported => {
            Problem::new(Code::NotOffered, "this provider has no such call")
        }
        _ => Problem::new(Code::UpstreamUnavailable, "the upstream gave no answer"),
    }
}

async fn patiently<T>(call: impl Future<Output = Result<T, CallError>>) -> Result<T, Problem> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answered) => answered.map_err(|error| unavailable(&error)),
        Err(_) => Err(Problem::new(
            Code::UpstreamUnavailable,
            "the upstream took too long",
        )),
    }
}

/// Ask whether an account can be topped up
#[utoipa::path(
    post, path = "/v1/check", operation_id = "checkAccount", tag = "upstreams",
    request_body = What,
    responses((status = 200, description = "Whether it can", body = Checked<'_>), AskUpstreamRefusals),
    security(("key" = ["read"])),
)]
pub async fn check(
    State(app): State<Arc<App>>,
    _: Reader,
    Json(what): Json<What>,
) -> Result<Response, Problem> {
    let (account, amount, named) = what.read()?;
    let provider = who(&app, &account, amount, named.as_ref())?;
    let allowed = patiently(provider.check(&account, amount)).await?.is_ok();
    let provider = provider.id().as_str();
    Ok(Answer(Checked { provider, allowed }).into_response())
}

/// Ask what it would cost
#[utoipa::path(
    post, path = "/v1/quote", operation_id = "quotePrice", tag = "upstreams",
    request_body = What,
    responses((status = 200, description = "The price", body = Quoted<'_>), AskUpstreamRefusals),
    security(("key" = ["read"])),
)]
pub async fn quote(
    State(app): State<Arc<App>>,
    _: Reader,
    Json(what): Json<What>,
) -> Result<Response, Problem> {
    let (account, amount, named) = what.read()?;
    let provider = who(&app, &account, amount, named.as_ref())?;
    let quote = patiently(provider.quote(&account, amount)).await?;
    let quoted = Quoted {
        provider: provider.id().as_str(),
        price: quote.price.to_string(),
        product: quote.product,
        region: quote.region,
    };
    Ok(Answer(quoted).into_response())
}

/// Show our balances with the upstreams
#[utoipa::path(
    get, path = "/v1/balances", operation_id = "showBalances", tag = "upstreams",
    responses((status = 200, description = "One for each provider", body = Balances<'_>), BalancesRefusals),
    security(("key" = ["operate"])),
)]
pub async fn balances(State(app): State<Arc<App>>, _: Operator) -> Result<Response, Problem> {
    let mut balances = Vec::new();
    for provider in &app.providers {
        let balance = patiently(provider.balance()).await.ok();
        balances.push(Balance {
            provider: provider.id().as_str(),
            balance: balance.map(|balance| balance.to_string()),
        });
    }
    Ok(Answer(Balances { balances }).into_response())
}
