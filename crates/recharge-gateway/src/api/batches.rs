//! Files of orders: handed in, accepted order by order, and what became of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use recharge_core::{MerchantId, ProviderId};
use recharge_engine::AcceptError;
use recharge_store::registry::{BatchRow, NewBatch, Ordered, RowFate, StoredBatch};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::closed::CodeName;
use super::input::{Named, Params, whole};
use super::orders::{PlaceOrder, not_accepted};
use crate::app::App;
use crate::auth::{Reader, Submitter};
use crate::problem::{Code, LineError, Problem, ShowRefusals, refusals};
use crate::{seal, time};

refusals! {
    /// Why a file isn't taken.
    HandInRefusals: Unauthorized Forbidden Malformed Invalid TooLarge SlowRequest TooMany Timeout StoreUnavailable OutcomeUnknown
        Internal;
    /// Why the rows of a file aren't shown.
    RowRefusals: Unauthorized Forbidden NotFound Invalid TooMany Timeout StoreUnavailable Internal;
}

/// How many bad lines are told.
const BAD_AT_MOST: usize = 100;

/// How many rows are read at once.
const ROWS: u32 = 200;

/// How long to wait when an order can't be accepted now.
const AGAIN: Duration = Duration::from_secs(1);

/// A file of orders that was handed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchView {
    /// Its name.
    batch_id: String,
    /// When it was handed in.
    created_at: String,
    /// When each of its orders had been accepted or refused; null before that.
    #[schema(required)]
    done_at: Option<String>,
    /// How many orders it has.
    rows: u64,
    /// How many are still to be accepted.
    waiting: u64,
    /// How many were refused.
    refused: u64,
    /// How many accepted ones are in each state.
    orders: BTreeMap<String, u64>,
}

/// What became of an order of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowView {
    /// Its place in the file: 1 for the first order.
    row: u32,
    /// Its name.
    order_id: String,
    /// waiting, refused, or the order's state.
    state: &'static str,
    /// Why it was refused, for programs: a problem's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<CodeName>)]
    code: Option<&'static str>,
    /// Why it was refused, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    /// What the provider charges for it, in yuan.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
}

/// A page of what became of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowPage {
    /// In the order of the file.
    rows: Vec<RowView>,
    /// What `after` is for the next page; null on the last one.
    #[schema(required)]
    next: Option<u32>,
}

/// Which rows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RowParams {
    /// Those after this one: the `next` of the page before.
    after: Option<u32>,
}

/// Hand in a file of orders
///
/// CSV with a header, as `recharge batch` takes it: order_id, kind, account, amount, and where needed carrier,
/// allow_duplicate, provider. It is checked as a whole: if a line is bad, nothing is accepted. Answered once
/// the file is durable; its orders are accepted from then on, whatever happens to the service.
#[utoipa::path(
    post, path = "/v1/batches", operation_id = "handInBatch", tag = "batches",
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 202, description = "Its orders will be accepted", body = BatchView),
        HandInRefusals,
    ),
    security(("key" = ["submit"])),
)]
pub async fn hand_in(
    State(app): State<Arc<App>>,
    Submitter(caller): Submitter,
    request: Request,
) -> Result<Response, Problem> {
    let body = whole(request).await?;
    let merchant = caller.merchant().clone();
    let created = app.now();
    let this = Arc::clone(&app);
    let batch = blocking(move || {
        let batch = read(&this, merchant, created, &body)?;
        this.registry.add_batch(&batch)?;
        Ok(batch)
    })
    .await?;
    let stored = StoredBatch {
        id: batch.id.clone(),
        merchant: batch.merchant,
        created,
        done: None,
    };
    let rows = u64::try_from(batch.rows.len()).unwrap_or(u64::MAX);
    let view = BatchView {
        rows,
        waiting: rows,
        ..BatchView::new(&stored)
    };
    app.batches.notify_one();
    let mut response = (StatusCode::ACCEPTED, Answer(view)).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("/v1/batches/{}", batch.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

fn read(
    app: &App,
    merchant: MerchantId,
    created: recharge_engine::WallTime,
    body: &[u8],
) -> Result<NewBatch, Problem> {
    let providers: Vec<ProviderId> = app.providers.iter().map(|it| it.id().clone()).collect();
    let rows = recharge_batch::read(body, &merchant, &providers).map_err(|bad| {
        let mut text = String::from("nothing of the file was accepted");
        if let Some(first) = bad.first() {
            text.extend(["; ", &first.to_string()]);
        }
        if bad.len() > 1 {
            let more = (bad.len() - 1).to_string();
            text.extend(["; and ", &more, " more: see errors"]);
        }
        let errors = bad.into_iter().take(BAD_AT_MOST).map(|bad| LineError {
            line: bad.line,
            column: bad.column,
            detail: bad.text,
        });
        Problem {
            errors: errors.collect(),
            ..Problem::new(Code::Invalid, text)
        }
    })?;
    let id =
        seal::random::<12>().map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    let rows = rows
        .iter()
        .map(|row| {
            let ordered = PlaceOrder::of(&row.what, row.allow_duplicate);
            let ordered = serde_json::to_string(&ordered)
                .map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
            Ok((row.what.order_id.clone(), Ordered(ordered)))
        })
        .collect::<Result<_, Problem>>()?;
    Ok(NewBatch {
        id: hex::encode(id),
        merchant,
        created,
        rows,
    })
}

impl BatchView {
    fn new(batch: &StoredBatch) -> Self {
        Self {
            batch_id: batch.id.clone(),
            created_at: time::rfc3339(batch.created),
            done_at: batch.done.map(time::rfc3339),
            rows: 0,
            waiting: 0,
            refused: 0,
            orders: BTreeMap::new(),
        }
    }
}

/// Show a file of orders
#[utoipa::path(
    get, path = "/v1/batches/{batch_id}", operation_id = "showBatch", tag = "batches",
    params(("batch_id" = String, Path, description = "Its name")),
    responses((status = 200, description = "How far it is", body = BatchView), ShowRefusals),
    security(("key" = ["read"])),
)]
pub async fn show(
    State(app): State<Arc<App>>,
    Reader(caller): Reader,
    Named(id): Named,
) -> Result<Response, Problem> {
    let batch = find(&app, caller.merchant(), id).await?;
    let view = BatchView::new(&batch);
    let registry = Arc::clone(&app.registry);
    let tally = blocking(move || Ok(registry.batch_tally(&batch)?)).await?;
    let view = BatchView {
        rows: tally.rows,
        waiting: tally.waiting,
        refused: tally.refused,
        orders: tally.orders,
        ..view
    };
    Ok(Answer(view).into_response())
}

/// Show what became of each order of a file
#[utoipa::path(
    get, path = "/v1/batches/{batch_id}/rows", operation_id = "listBatchRows", tag = "batches",
    params(("batch_id" = String, Path, description = "Its name"), RowParams),
    responses((status = 200, description = "A page of them", body = RowPage), RowRefusals),
    security(("key" = ["read"])),
)]
pub async fn result(
    State(app): State<Arc<App>>,
    Reader(caller): Reader,
    Named(id): Named,
    Params(params): Params<RowParams>,
) -> Result<Response, Problem> {
    let batch = find(&app, caller.merchant(), id).await?;
    let found = rows(&app, &batch.id, params.after.unwrap_or(0)).await?;
    let full = found.len() == usize::try_from(ROWS).unwrap_or(usize::MAX);
    let next = found.last().filter(|_| full).map(|last| last.row);
    let mut rows = Vec::new();
    for row in found {
        let mut view = RowView {
            row: row.row,
            order_id: row.order_id.as_str().to_owned(),
            state: "waiting",
            code: None,
            refused: None,
            cost: None,
        };
        match row.fate {
            RowFate::Waits(_) => {}
            RowFate::Refused(why) => {
                let (code, why) = Refused::read(why);
                (view.state, view.refused) = ("refused", Some(why));
                view.code = code.map(Code::as_str);
            }
            RowFate::Accepted => {
                let order = app.driver.order(&batch.merchant, &row.order_id).await?;
                if let Some(stored) = order {
                    view.state = stored.order.state().as_str();
                    let attempt = stored.order.telling_attempt();
                    let cost = attempt.and_then(recharge_engine::Attempt::cost);
                    view.cost = cost.map(|cost| cost.to_string());
                }
            }
        }
        rows.push(view);
    }
    Ok(Answer(RowPage { rows, next }).into_response())
}

async fn find(app: &Arc<App>, merchant: &MerchantId, id: String) -> Result<StoredBatch, Problem> {
    let registry = Arc::clone(&app.registry);
    let batch = blocking(move || Ok(registry.batch(&id)?)).await?;
    batch
        .filter(|batch| batch.merchant == *merchant)
        .ok_or_else(|| Problem::not_found("batch"))
}

async fn rows(app: &Arc<App>, id: &str, after: u32) -> Result<Vec<BatchRow>, Problem> {
    let (registry, id) = (Arc::clone(&app.registry), id.to_owned());
    blocking(move || Ok(registry.batch_rows(&id, after, ROWS)?)).await
}

async fn blocking<T: Send + 'static>(
    what: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(what).await;
    done.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "something went wrong here")))
}

/// Accepts the orders of the files that were handed in, those of an earlier process first, until the task is
/// aborted. Accepted twice, an order is the same one.
pub async fn accept(app: Arc<App>) {
    // How far each file has been read.
    let mut reached: BTreeMap<String, u32> = BTreeMap::new();
    loop {
        let registry = Arc::clone(&app.registry);
        let open = blocking(move || Ok(registry.open_batches()?)).await;
        let mut stuck = open.is_err();
        let open = open.unwrap_or_default();
        reached.retain(|id, _| open.iter().any(|batch| batch.id == *id));
        // A page of each in turn: a long file keeps nobody else's waiting.
        for batch in &open {
            let after = reached.entry(batch.id.clone()).or_default();
            match accept_page(&app, batch, *after).await {
                Ok(last) => *after = last,
                Err(_) => stuck = true,
            }
        }
        if stuck {
            tokio::time::sleep(AGAIN).await;
        } else if open.is_empty() {
            app.batches.notified().await;
        }
    }
}

/// Accepts a page of the orders of a file, those after this row, and answers which was the last; an error if some
/// could not be accepted for now. A file that has no more is done.
async fn accept_page(app: &Arc<App>, batch: &StoredBatch, after: u32) -> Result<u32, Problem> {
    let rows = rows(app, &batch.id, after).await?;
    let (mut went, mut stopped) = (Vec::new(), None);
    for row in &rows {
        let RowFate::Waits(Ordered(ordered)) = &row.fate else {
            continue;
        };
        match place(app, &batch.merchant, ordered).await {
            Ok(()) => went.push((row.row, None)),
            Err(Refusal::For(problem)) => went.push((row.row, Some(Refused::write(&problem)))),
            Err(Refusal::Now(problem)) => {
                stopped = Some(problem);
                break;
            }
        }
    }
    let done = rows.is_empty().then(|| app.now());
    let (registry, id) = (Arc::clone(&app.registry), batch.id.clone());
    blocking(move || Ok(registry.batch_went(&id, &went, done)?)).await?;
    match stopped {
        Some(problem) => Err(problem),
        None => Ok(rows.last().map_or(after, |last| last.row)),
    }
}

/// Why an order was refused, as it is kept: the code, a colon, and the words.
struct Refused;

impl Refused {
    fn write(problem: &Problem) -> String {
        [problem.code.as_str(), ": ", &problem.detail].concat()
    }

    /// What was kept before there were codes has none.
    fn read(kept: String) -> (Option<Code>, String) {
        let parts = kept.split_once(": ");
        match parts.and_then(|(code, why)| Some((Code::parse(code)?, why))) {
            Some((code, why)) => (Some(code), why.to_owned()),
            None => (None, kept),
        }
    }
}

enum Refusal {
    /// For good.
    For(Problem),
    /// For now.
    Now(Problem),
}

async fn place(app: &App, merchant: &MerchantId, ordered: &str) -> Result<(), Refusal> {
    let read = super::input::json::<PlaceOrder>(ordered.as_bytes());
    let order = read.map_err(Refusal::For)?;
    let allow_duplicate = order.allow_duplicate.unwrap_or(false);
    let what = order.into_order(merchant.clone()).map_err(Refusal::For)?;
    let accepted = app.driver.accept(what, allow_duplicate).await;
    accepted.map(drop).map_err(|error| {
        let for_now = matches!(error, AcceptError::Store(_) | AcceptError::Stopping);
        let problem = not_accepted(error, merchant);
        if for_now {
            Refusal::Now(problem)
        } else {
            Refusal::For(problem)
        }
    })
}
