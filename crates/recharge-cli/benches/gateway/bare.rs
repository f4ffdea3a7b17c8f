//! The reference: hyper, and one thread that commits whatever has queued, on SQLite with the store's settings.

use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How many requests one transaction takes.
const MOST: usize = 512;

const SCHEMA: &str = "
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY, merchant TEXT NOT NULL, order_id TEXT NOT NULL, kind TEXT NOT NULL,
        account TEXT NOT NULL, amount INTEGER NOT NULL, state TEXT NOT NULL, accepted INTEGER NOT NULL,
        UNIQUE (merchant, order_id)
    ) STRICT;
    -- By which its workers would find what is to be sent.
    CREATE INDEX orders_pending ON orders (accepted) WHERE state = 'pending';
    CREATE TABLE events (
        id INTEGER NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL,
        PRIMARY KEY (id, version)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE callbacks (
        id INTEGER PRIMARY KEY, upstream_id TEXT NOT NULL, number TEXT NOT NULL, state TEXT NOT NULL,
        at INTEGER NOT NULL, handled INTEGER NOT NULL, UNIQUE (number, upstream_id, state)
    ) STRICT;";

/// An order, as it comes.
#[derive(Debug, Deserialize)]
struct Order {
    #[serde(rename = "order_id")]
    id: String,
    kind: String,
    account: String,
    amount: String,
}

/// An order, as it is answered.
#[derive(Debug, Serialize)]
struct Shown {
    order_id: String,
    state: String,
    version: u32,
    kind: String,
    account: String,
    amount: String,
    created_at: i64,
}

/// Something to be written.
enum Job {
    Order(Order, oneshot::Sender<(bool, Shown)>),
    Callback([String; 3], oneshot::Sender<()>),
}

/// What is answered after COMMIT.
enum Done {
    Order(oneshot::Sender<(bool, Shown)>, (bool, Shown)),
    Callback(oneshot::Sender<()>),
}

/// Listens, says where, and serves until it is killed.
pub(super) fn run(file: &Path) -> Result<(), Box<dyn Error>> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(SCHEMA)?;
    let (jobs, waiting) = mpsc::channel();
    std::thread::spawn(move || write(&connection, &waiting));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let jobs = jobs.clone();
            let service = service_fn(move |request| answer(request, jobs.clone()));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}

type Answer = Response<Full<Bytes>>;

async fn answer(request: Request<Incoming>, jobs: mpsc::Sender<Job>) -> Result<Answer, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let answered = match path.as_str() {
        "/v1/orders" => match serde_json::from_slice(&body) {
            Ok(order) => place(order, &jobs).await,
            Err(_) => None,
        },
        "/compat/juhe/ofpay/mobile/onlineorder" => {
            let [id, account, amount] = fields(&body, ["orderid", "phoneno", "cardnum"]);
            let kind = "mobile".to_owned();
            let order = Order {
                id,
                kind,
                account,
                amount,
            };
            place(order, &jobs).await
        }
        "/callbacks/juhe" => {
            let told = fields(&body, ["sporder_id", "orderid", "sta"]);
            let (tell, kept) = oneshot::channel();
            drop(jobs.send(Job::Callback(told, tell)));
            let success = || Response::new(Full::new(Bytes::from_static(b"success")));
            kept.await.ok().map(|()| success())
        }
        _ => None,
    };
    Ok(answered.unwrap_or_else(|| {
        let mut refused = Response::new(Full::default());
        *refused.status_mut() = StatusCode::BAD_REQUEST;
        refused
    }))
}

async fn place(order: Order, jobs: &mpsc::Sender<Job>) -> Option<Answer> {
    let (tell, told) = oneshot::channel();
    jobs.send(Job::Order(order, tell)).ok()?;
    let (new, shown) = told.await.ok()?;
    let status = if new {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    let body = serde_json::to_vec(&shown).ok()?;
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .ok()
}

fn fields<const N: usize>(body: &[u8], names: [&str; N]) -> [String; N] {
    let mut found = names.map(|_| String::new());
    for (name, value) in form_urlencoded::parse(body) {
        let wanted = names.iter().zip(&mut found).find(|(it, _)| **it == name);
        if let Some((_, field)) = wanted {
            *field = value.into_owned();
        }
    }
    found
}

/// Takes all that has queued into one transaction, and answers after COMMIT. Whatever fails ends the process.
fn write(connection: &Connection, waiting: &mpsc::Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let jobs = std::iter::once(first).chain(waiting.try_iter().take(MOST - 1));
        if let Err(error) = transact(connection, jobs) {
            eprintln!("reference: {error}");
            std::process::exit(1);
        }
    }
}

fn transact(connection: &Connection, jobs: impl Iterator<Item = Job>) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut done = Vec::new();
    for job in jobs {
        done.push(match job {
            Job::Order(order, tell) => Done::Order(tell, insert(connection, order)?),
            Job::Callback(told, tell) => {
                keep(connection, &told)?;
                Done::Callback(tell)
            }
        });
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    for done in done {
        // Who has gone away wants no answer.
        match done {
            Done::Order(tell, shown) => drop(tell.send(shown)),
            Done::Callback(tell) => drop(tell.send(())),
        }
    }
    Ok(())
}

fn insert(connection: &Connection, order: Order) -> rusqlite::Result<(bool, Shown)> {
    let now = now();
    let inserted = connection
        .prepare_cached(
            "INSERT INTO orders (merchant, order_id, kind, account, amount, state, accepted)
             VALUES ('shop', ?1, ?2, ?3, ?4, 'pending', ?5) ON CONFLICT DO NOTHING RETURNING id",
        )?
        .query_row(
            params![
                order.id,
                order.kind,
                order.account,
                order.amount.parse::<u32>().unwrap_or_default(),
                now
            ],
            |row| row.get::<_, i64>(0),
        )
        .optional()?;
    let mut shown = Shown {
        order_id: order.id,
        state: "pending".to_owned(),
        version: 1,
        kind: order.kind,
        account: order.account,
        amount: order.amount,
        created_at: now,
    };
    if let Some(id) = inserted {
        connection
            .prepare_cached("INSERT INTO events (id, version, at, what) VALUES (?1, 1, ?2, ?3)")?
            .execute((id, now, r#"{"accepted":{"by":"shop"}}"#))?;
        return Ok((true, shown));
    }
    connection
        .prepare_cached(
            "SELECT kind, account, amount, state, accepted FROM orders
             WHERE merchant = 'shop' AND order_id = ?1",
        )?
        .query_row([&shown.order_id.clone()], |row| {
            shown.kind = row.get(0)?;
            shown.account = row.get(1)?;
            shown.amount = row.get::<_, u32>(2)?.to_string();
            shown.state = row.get(3)?;
            shown.created_at = row.get(4)?;
            Ok(())
        })?;
    Ok((false, shown))
}

fn keep(
    connection: &Connection,
    [upstream_id, number, state]: &[String; 3],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO callbacks (upstream_id, number, state, at, handled)
             VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO NOTHING",
        )?
        .execute((upstream_id, number, state, now()))?;
    Ok(())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.as_ref().map_or(0, Duration::as_millis);
    i64::try_from(millis).unwrap_or(i64::MAX)
}
