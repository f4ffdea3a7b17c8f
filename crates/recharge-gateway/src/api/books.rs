//! How many orders there were, and statements of a day.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json as Answer;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use recharge_engine::store::{Filter, OrderKey};
use recharge_engine::{Order, StoreError};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};

use super::input::{Named, Params};
use super::view::OrderView;
use crate::app::App;
use crate::auth::Reader;
use crate::problem::{ListRefusals, Problem};
use crate::time;

/// Which orders are counted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CountParams {
    /// Accepted at or after this time: RFC 3339, or a day in China; today, if it is left out.
    from: Option<String>,
    /// Accepted before this time; until now, if it is left out.
    to: Option<String>,
}

/// How many orders there were.
#[derive(Debug, Serialize, ToSchema)]
pub struct Counted {
    /// From when on they were accepted.
    from: String,
    /// Until when.
    to: String,
    /// By state; states without orders are left out.
    orders: BTreeMap<&'static str, u64>,
}

/// Count orders by state
#[utoipa::path(
    get, path = "/v1/statistics", operation_id = "countOrders", tag = "orders",
    params(CountParams),
    responses((status = 200, description = "How many of each state", body = Counted), ListRefusals),
    security(("key" = ["read"])),
)]
pub async fn statistics(
    State(app): State<Arc<App>>,
    Reader(caller): Reader,
    Params(params): Params<CountParams>,
) -> Result<Response, Problem> {
    let now = app.now();
    let time = |field, text: Option<String>, otherwise| match text {
        None => Ok(otherwise),
        Some(text) => time::parse(&text).map_err(|right| Problem::field(field, right)),
    };
    let from = time("from", params.from, now.midnight_in_china())?;
    let to = time(
        "to",
        params.to,
        now.after(std::time::Duration::from_millis(1)),
    )?;
    let mut filter = Filter::default();
    filter.merchant = Some(caller.merchant().clone());
    (filter.from, filter.until) = (Some(from), Some(to));
    let counted = app.store().count(&filter).await?;
    let counted = Counted {
        from: time::rfc3339(from),
        to: time::rfc3339(to),
        orders: counted.into_iter().collect(),
    };
    Ok(Answer(counted).into_response())
}

/// How many orders of a statement are read at once.
const PAGE: usize = 500;

const HEADER: &str = "order_id,kind,account,amount,carrier,state,cost,provider,upstream_order_id,created_at,updated_at\r\n";

/// A statement of a day
///
/// All orders that were accepted on a day in China, the newest first, as they now stand: CSV in UTF-8.
#[utoipa::path(
    get, path = "/v1/statements/{day}", operation_id = "showStatement", tag = "orders",
    params(("day" = String, Path, description = "The day, such as 2027-01-15")),
    responses(
        (status = 200, description = "The orders of the day", body = String, content_type = "text/csv"),
        ListRefusals,
    ),
    security(("key" = ["read"])),
)]
pub async fn statement(
    State(app): State<Arc<App>>,
    Reader(caller): Reader,
    Named(day): Named,
) -> Result<Response, Problem> {
    let day = day.strip_suffix(".csv").unwrap_or(&day);
    let wrong = || Problem::field("day", "write a day, such as 2027-01-15");
    let (from, until) = time::day(day).ok_or_else(wrong)?;
    let mut filter = Filter::default();
    filter.merchant = Some(caller.merchant().clone());
    (filter.from, filter.until) = (Some(from), Some(until));
    // The first page now: what is wrong with the store is answered as a problem.
    let first = page(&app, &filter, None).await?;
    let (rows, body) = mpsc::channel::<Result<Bytes, StoreError>>(2);
    tokio::spawn(send(app, filter, first, rows));
    let body = Body::from_stream(Rows(body));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    let name = format!("attachment; filename=\"statement-{day}.csv\"");
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

struct Rows(mpsc::Receiver<Result<Bytes, StoreError>>);

impl futures_core::Stream for Rows {
    type Item = Result<Bytes, StoreError>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

/// The rows of a page, and after which order the next one begins.
type Rendered = (String, Option<OrderKey>);

async fn page(
    app: &App,
    filter: &Filter,
    before: Option<OrderKey>,
) -> Result<Rendered, StoreError> {
    let orders = app.store().list(filter, before, PAGE).await?;
    let mut text = String::new();
    for stored in &orders {
        row(&mut text, &stored.order);
    }
    let last = orders.last().filter(|_| orders.len() == PAGE);
    Ok((text, last.map(|last| last.key)))
}

/// Sends page after page, no faster than the client reads. One that can't be read breaks the answer off: half
/// a statement must not look like a whole one.
async fn send(
    app: Arc<App>,
    filter: Filter,
    first: Rendered,
    rows: mpsc::Sender<Result<Bytes, StoreError>>,
) {
    let (text, mut next) = first;
    let mut sent = rows.send(Ok([HEADER, &text].concat().into())).await;
    while let (Ok(()), Some(before)) = (&sent, next) {
        let page = page(&app, &filter, Some(before)).await;
        next = page.as_ref().ok().and_then(|(_, next)| *next);
        sent = rows.send(page.map(|(text, _)| text.into())).await;
    }
}

fn row(text: &mut String, order: &Order) {
    let view = OrderView::of(order);
    let values = view.values();
    for (value, at) in values.iter().zip(0..) {
        if at > 0 {
            text.push(',');
        }
        cell(text, value);
    }
    text.push_str("\r\n");
}

/// A value as CSV has it. One that a spreadsheet would take for a formula gets an apostrophe.
fn cell(text: &mut String, value: &str) {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = value.contains([',', '"', '\n', '\r']);
    if quoted {
        text.push('"');
    }
    if formula {
        text.push('\'');
    }
    text.push_str(&value.replace('"', "\"\""));
    if quoted {
        text.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_and_formulas_defused() {
        for (value, cell_) in [
            ("abc", "abc"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("=1+1", "'=1+1"),
            ("@x,y", "\"'@x,y\""),
        ] {
            let mut text = String::new();
            cell(&mut text, value);
            assert_eq!(text, cell_);
        }
    }

    #[test]
    fn a_day_is_that_of_china() {
        let (from, until) = time::day("2027-01-15").unwrap();
        assert_eq!(time::rfc3339(from), "2027-01-15T00:00:00.000+08:00");
        assert_eq!(until, from.after(std::time::Duration::from_hours(24)));
        assert!(time::day("2027-01-15T10:00").is_none() && time::day("x").is_none());
    }
}
