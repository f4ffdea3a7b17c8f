//! A whole Juhe submit over the hyper transport — sign, encode, send, read, judge — against a bare
//! hyper-util request of the same bytes, 16 in flight, as a ratio of calls in the same time.

use std::convert::Infallible;
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Collected, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use recharge_conformance::ratio::{Rows, median, seconds};
use recharge_core::{
    Account, AccountKind, AttemptNumber, FaceValue, Provider, SubmitOutcome, SubmitRequest,
};
use recharge_http::{HttpConfig, HyperTransport};
use recharge_juhe::{JuheConfig, JuheProvider};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

const IN_FLIGHT: usize = 16;
/// Calls of each of the 16 in a stretch, and stretches of each side in one setting.
const CALLS: usize = 120;
const ROUNDS: usize = 11;
/// Settings: an upstream and clients anew. Where their threads and buffers happen to lie counts for
/// several hundredths, and stays for as long as they do.
const SETTINGS: usize = 9;

const ANSWER: &str = include_str!("submit.json");
const NUMBER: &str = "RAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut ratios = Vec::new();
    for _ in 0..SETTINGS {
        ratios.extend(setting()?);
    }
    let mut rows = Rows::default();
    rows.at_least("juhe_call", median(ratios), 0.85);
    Ok(rows.exit())
}

fn setting() -> Result<Vec<f64>, Box<dyn Error>> {
    let upstream = upstream()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let config = JuheConfig::new(
        "fedcba9876543210fedcba9876543210".into(),
        "JH0123456789abcdef0123456789abcdef".into(),
    )?
    .with_base_url(&format!("http://{upstream}"))?;
    let transport = {
        let _entered = runtime.enter();
        HyperTransport::new(&HttpConfig::default())?
    };
    let juhe = Arc::new(JuheProvider::new(config, Arc::new(transport)));
    let order = Arc::new(SubmitRequest::new(
        AttemptNumber::parse(NUMBER)?,
        Account::parse(AccountKind::Mobile, "18912345678")?,
        FaceValue::from_yuan(1)?,
    ));
    let same = juhe
        .client()
        .submit_request(&order.account, order.amount, NUMBER)?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let ratio = |_| {
        let bare = seconds(|| bare_calls(&runtime, &client, &same));
        let ours = seconds(|| our_calls(&runtime, &juhe, &order));
        bare / ours
    };
    Ok((0..ROUNDS).map(ratio).collect())
}

fn our_calls(runtime: &Runtime, juhe: &Arc<JuheProvider>, order: &Arc<SubmitRequest>) {
    at_once(runtime, || {
        let (juhe, order) = (juhe.clone(), order.clone());
        async move {
            for _ in 0..CALLS {
                match juhe.submit(&order).await {
                    SubmitOutcome::Accepted(_) => {}
                    SubmitOutcome::Rejected(_)
                    | SubmitOutcome::NotSent(_)
                    | SubmitOutcome::Unknown(_) => broken("the order was not accepted"),
                }
            }
        }
    });
}

fn bare_calls(
    runtime: &Runtime,
    client: &Client<HttpConnector, Full<Bytes>>,
    same: &Request<Bytes>,
) {
    at_once(runtime, || {
        let (client, same) = (client.clone(), same.clone());
        async move {
            for _ in 0..CALLS {
                let answer = client.request(same.clone().map(Full::new)).await;
                let body = match answer {
                    Ok(answer) => answer.into_body().collect().await.map(Collected::to_bytes),
                    Err(_) => broken("the bare request failed"),
                };
                match body {
                    Ok(body) if body.len() == ANSWER.len() => {}
                    Ok(_) | Err(_) => broken("the bare answer is not whole"),
                }
            }
        }
    });
}

fn at_once<F>(runtime: &Runtime, task: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..IN_FLIGHT {
            tasks.spawn(task());
        }
        while let Some(done) = tasks.join_next().await {
            if done.is_err() {
                broken("a task failed");
            }
        }
    });
}

#[expect(clippy::panic, reason = "a side that does no work would be no measure")]
fn broken(what: &str) -> ! {
    panic!("{what}")
}

/// The least upstream there can be, on a thread for each connection: reads a request, writes the answer.
fn upstream() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || serve(connection));
        }
    });
    Ok(address)
}

fn serve(mut connection: TcpStream) -> io::Result<Infallible> {
    connection.set_nodelay(true)?;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json;charset=utf-8\r\ncontent-length: {}\r\n\r\n{ANSWER}",
        ANSWER.len()
    );
    let mut buffer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        while whole(&buffer).is_none() {
            let read = connection.read(&mut chunk)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer.extend(chunk.iter().take(read));
        }
        buffer.drain(..whole(&buffer).unwrap_or(0));
        connection.write_all(answer.as_bytes())?;
    }
}

/// The length of the whole request at the front, once it is there.
fn whole(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(buffer.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>())?
            .ok()
    });
    let end = head + length.unwrap_or(0);
    (buffer.len() >= end).then_some(end)
}
