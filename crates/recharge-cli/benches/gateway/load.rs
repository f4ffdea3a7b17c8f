//! Load: requests that are made ready before, on connections that are kept.

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A client's connection.
pub(super) struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Client {
    pub(super) async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let answer = Vec::with_capacity(4096);
        Ok(Self { stream, answer })
    }

    /// Sends a request and reads its answer, which begins so.
    pub(super) async fn ask(&mut self, request: &[u8], expected: &str) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        let length = loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err("the connection was closed".into());
            }
            if let Some(length) = length(&self.answer) {
                break length;
            }
        };
        while self.answer.len() < length {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err("the connection was closed within an answer".into());
            }
        }
        if self.answer.starts_with(expected.as_bytes()) {
            return Ok(&self.answer);
        }
        let answer = String::from_utf8_lossy(&self.answer);
        Err(format!("not as expected: {answer}").into())
    }
}

/// How long the answer is with its head, once that has come.
fn length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(answer.get(..head)?).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    Some(head + length.map_or(Some(0), |(_, value)| value.trim().parse().ok())?)
}

/// Sends these requests, at so many connections, each when the one before it on its connection is answered.
/// Answers how many there were in a second.
pub(super) fn run(
    address: &str,
    connections: usize,
    requests: Vec<Vec<u8>>,
    expected: &'static str,
) -> Result<f64> {
    let count = f64::from(u32::try_from(requests.len())?);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let took = local.block_on(&runtime, async {
        let mut clients = Vec::new();
        for _ in 0..connections {
            clients.push(Client::connect(address).await?);
        }
        let (requests, next) = (Rc::new(requests), Rc::new(Cell::new(0)));
        let begun = Instant::now();
        let mut tasks = Vec::new();
        for mut client in clients {
            let (requests, next) = (Rc::clone(&requests), Rc::clone(&next));
            tasks.push(tokio::task::spawn_local(async move {
                while let Some(request) = requests.get(next.replace(next.get() + 1)) {
                    let asked = client.ask(request, expected).await;
                    asked.map_err(|error| error.to_string())?;
                }
                Ok::<_, String>(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok::<_, Box<dyn Error>>(begun.elapsed().as_secs_f64())
    })?;
    Ok(count / took)
}

/// A request with a body, whole.
pub(super) fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
