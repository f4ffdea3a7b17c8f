//! Orders: placed, shown, listed.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use recharge_core::{Account, AccountKind, Carrier, MerchantId, OrderId, OrderState, ProviderId};
use recharge_engine::store::{Filter, Stored};
use recharge_engine::{AcceptError, NewOrder, ReplyTo};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::closed::{CarrierName, KindName, StateName};
use super::input::{Json, Named, Params};
use super::private::Private;
use super::view::OrderView;
use super::yuan::Yuan;
use crate::app::App;
use crate::auth::{Reader, Submitter};
use crate::problem::{Code, ListRefusals, Problem, ShowRefusals, refusals};
use crate::{time, trace, webhooks};

refusals! {
    /// Why an order isn't placed.
    PlaceRefusals: Unauthorized Forbidden Malformed Invalid OrderConflict DuplicateOrder AccountLimit NotOffered
        TooLarge SlowRequest TooMany Timeout StoreUnavailable OutcomeUnknown Stopping Internal;
}

/// What would be something else in an address, or might be.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b':');

/// An order as it is placed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// Your name for it: 1 to 64 printable ASCII characters without spaces. The same name with the same content
    /// is the same order. In an address it is percent-encoded; letters, digits, `-`, `_`, `.` and `:` stand for
    /// themselves.
    #[schema(example = "A0000001")]
    pub order_id: String,
    /// What is topped up: mobile, landline, broadband or combined.
    #[schema(value_type = KindName, example = "mobile")]
    pub kind: String,
    /// The number or account.
    #[schema(value_type = String, example = "18900001234")]
    pub account: Private,
    /// The face value.
    pub amount: Yuan,
    /// The only provider that it may go to.
    pub provider: Option<String>,
    /// The carrier, for landline and broadband: unicom, telecom, tietong or mobile.
    #[schema(value_type = Option<CarrierName>)]
    pub carrier: Option<String>,
    /// Whether it may charge the same account with the same amount as an order of the last minutes.
    pub allow_duplicate: Option<bool>,
    /// Where you are told what becomes of it, instead of your usual address: an `http` or `https` URL. It takes
    /// a webhook secret.
    #[schema(value_type = Option<String>)]
    pub notify_url: Option<Private>,
}

impl PlaceOrder {
    /// What would place this order.
    pub(crate) fn of(what: &NewOrder, allow_duplicate: bool) -> Self {
        Self {
            order_id: what.order_id.as_str().to_owned(),
            kind: what.account.kind().as_str().to_owned(),
            account: Private(what.account.as_str().to_owned()),
            amount: what.amount.into(),
            provider: what.provider.as_ref().map(|it| it.as_str().to_owned()),
            carrier: what.carrier.map(|it| it.as_str().to_owned()),
            allow_duplicate: Some(allow_duplicate),
            notify_url: None,
        }
    }

    /// The order, checked.
    pub fn into_order(self, merchant: MerchantId) -> Result<NewOrder, Problem> {
        fn wrong(field: &'static str) -> impl FnOnce(String) -> Problem {
            move |detail| Problem::field(field, detail)
        }
        let order_id =
            OrderId::parse(&self.order_id).map_err(|it| wrong("order_id")(it.to_string()))?;
        if matches!(order_id.as_str(), "." | "..") {
            // Clients take it for a step in the address, and would never see the order.
            return Err(Problem::field(
                "order_id",
                "a name of dots alone can't stand in an address",
            ));
        }
        let kind = AccountKind::parse(&self.kind).ok_or_else(|| {
            Problem::field("kind", "write mobile, landline, broadband or combined")
        })?;
        let account =
            Account::parse(kind, &self.account.0).map_err(|it| wrong("account")(it.to_string()))?;
        let amount = self.amount.face_value()?;
        let mut what = NewOrder::new(merchant, order_id, account, amount);
        what.carrier = match self.carrier {
            None => None,
            Some(name) => Some(Carrier::parse(&name).ok_or_else(|| {
                Problem::field("carrier", "write unicom, telecom, tietong or mobile")
            })?),
        };
        what.provider = self
            .provider
            .map(|name| ProviderId::parse(&name).map_err(|it| wrong("provider")(it.to_string())))
            .transpose()?;
        what.reply_to = self
            .notify_url
            .map(|url| ReplyTo::parse(&url.0).map_err(|it| wrong("notify_url")(it.to_string())))
            .transpose()?;
        Ok(what)
    }
}

/// Place an order
///
/// It is answered once it is durable. The same order again is answered with 200, as it now stands, and is not
/// sent twice.
#[utoipa::path(
    post, path = "/v1/orders", operation_id = "placeOrder", tag = "orders",
    request_body = PlaceOrder,
    responses(
        (status = 202, description = "It is accepted", body = OrderView<'_>),
        (status = 200, description = "It was accepted before", body = OrderView<'_>),
        PlaceRefusals,
    ),
    security(("key" = ["submit"])),
)]
pub async fn place(
    State(app): State<Arc<App>>,
    Submitter(caller): Submitter,
    Json(order): Json<PlaceOrder>,
) -> Result<Response, Problem> {
    let allow_duplicate = order.allow_duplicate.unwrap_or(false);
    if let Some(Private(url)) = &order.notify_url {
        webhooks::route::check(&app, caller.merchant(), url).await?;
    }
    let what = order.into_order(caller.merchant().clone())?;
    trace::order(&what.order_id);
    let accepted = app
        .driver
        .accept(what, allow_duplicate)
        .await
        .map_err(|error| not_accepted(error, caller.merchant()))?;
    let order = &accepted.stored.order;
    if !accepted.new {
        return Ok(Answer(OrderView::of(order)).into_response());
    }
    let mut response = (StatusCode::ACCEPTED, Answer(OrderView::of(order))).into_response();
    let name = utf8_percent_encode(order.what().order_id.as_str(), ESCAPED);
    let location = format!("/v1/orders/{name}");
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Why an order is not accepted, as its merchant is told.
pub(crate) fn not_accepted(error: AcceptError, merchant: &MerchantId) -> Problem {
    match error {
        AcceptError::Conflict => Problem {
            field: Some("order_id".into()),
            ..Problem::new(
                Code::OrderConflict,
                "this order_id stands for an order with other content",
            )
        },
        AcceptError::Duplicate {
            merchant: other,
            order_id,
            state,
        } => {
            let detail = if other == *merchant {
                format!(
                    "order {order_id} charges the same account with the same amount and is {}",
                    state.as_str()
                )
            } else {
                "another order charges the same account with the same amount".to_owned()
            };
            Problem::new(Code::DuplicateOrder, detail)
        }
        AcceptError::AccountLimit { limit, .. } => Problem::new(
            Code::AccountLimit,
            format!("this account has reached its limit for the day: {limit}"),
        ),
        AcceptError::NotOffered(why) => Problem::new(Code::NotOffered, why),
        AcceptError::Stopping => Problem::new(Code::Stopping, "the service is about to stop")
            .retry_after(Duration::from_secs(2)),
        AcceptError::Store(error) => error.into(),
        _ => Problem::new(Code::Internal, "the order was not accepted"),
    }
}

/// The order of that name, if it is this merchant's.
pub(crate) async fn find(
    app: &App,
    merchant: &MerchantId,
    order_id: &str,
) -> Result<Stored, Problem> {
    let unknown = || Problem::not_found("order");
    let order_id = OrderId::parse(order_id).map_err(|_| unknown())?;
    trace::order(&order_id);
    let found = app.driver.order(merchant, &order_id).await?;
    found.ok_or_else(unknown)
}

/// Show an order
#[utoipa::path(
    get, path = "/v1/orders/{order_id}", operation_id = "showOrder", tag = "orders",
    params(("order_id" = String, Path, description = "Your name for it")),
    responses(
        (status = 200, description = "As it stands", body = OrderView<'_>),
        ShowRefusals,
    ),
    security(("key" = ["read"])),
)]
pub async fn show(
    State(app): State<Arc<App>>,
    Reader(caller): Reader,
    Named(order_id): Named,
) -> Result<Response, Problem> {
    let stored = find(&app, caller.merchant(), &order_id).await?;
    Ok(Answer(OrderView::of(&stored.order)).into_response())
}

/// Which orders are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// In this state: pending, submitting, charging, unknown, review, succeeded or failed.
    #[param(value_type = Option<StateName>)]
    state: Option<String>,
    /// For this account.
    #[param(value_type = Option<String>)]
    account: Option<Private>,
    /// Accepted at or after this time: RFC 3339, or a day in China.
    from: Option<String>,
    /// Accepted before this time.
    to: Option<String>,
    /// Those after this one: the `next` of the page before.
    after: Option<String>,
    /// At most so many, up to 500; 50 if it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderPage<'a> {
    /// The newest first.
    orders: Vec<OrderView<'a>>,
    /// What `after` is for the next page; null on the last one.
    #[schema(required)]
    next: Option<Cow<'a, str>>,
}

const PAGE: u32 = 50;
const MOST: u32 = 500;

/// List orders
#[utoipa::path(
    get, path = "/v1/orders", operation_id = "listOrders", tag = "orders",
    params(ListParams),
    responses(
        (status = 200, description = "A page of them, the newest first", body = OrderPage<'_>),
        ListRefusals,
    ),
    security(("key" = ["read"])),
)]
pub async fn list(
    State(app): State<Arc<App>>,
    Reader(caller): Reader,
    Params(params): Params<ListParams>,
) -> Result<Response, Problem> {
    let mut filter = Filter::default();
    filter.merchant = Some(caller.merchant().clone());
    filter.state = params.state.as_deref().map(state).transpose()?;
    filter.account = params.account.map(|it| it.0);
    let time = |field, text: Option<String>| {
        text.map(|text| time::parse(&text).map_err(|right| Problem::field(field, right)))
            .transpose()
    };
    filter.from = time("from", params.from)?;
    filter.until = time("to", params.to)?;
    let limit = params.limit.unwrap_or(PAGE);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::field("limit", "write a number from 1 to 500"));
    }
    let before = match params.after {
        None => None,
        Some(after) => Some(
            find(&app, caller.merchant(), &after)
                .await
                .map_err(|problem| match problem.code {
                    Code::NotFound => {
                        Problem::field("after", "write the `next` of the page before")
                    }
                    _ => problem,
                })?
                .key,
        ),
    };
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    // One more than wanted tells whether there are more.
    let mut found = app.store().list(&filter, before, wanted + 1).await?;
    let more = found.len() > wanted;
    found.truncate(wanted);
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| Cow::Borrowed(last.order.what().order_id.as_str()));
    let orders = found.iter().map(|it| OrderView::of(&it.order)).collect();
    Ok(Answer(OrderPage { orders, next }).into_response())
}

/// A state as a filter: of a review any reason.
fn state(name: &str) -> Result<OrderState, Problem> {
    let found = OrderState::EACH
        .into_iter()
        .find(|state| state.as_str() == name);
    found.ok_or_else(|| {
        Problem::field(
            "state",
            "write pending, submitting, charging, unknown, review, succeeded or failed",
        )
    })
}
