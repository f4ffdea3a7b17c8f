//! A receiver on loopback: keeps what it is told, and answers as it is bidden.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How it answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// With this status and body.
    With(u16, &'static str),
    /// With a redirect to there.
    Redirect(String),
    /// With a status, and then a body without end.
    Endless(u16),
    /// With a status, and then a byte now and then.
    Slow(u16),
    /// Not at all.
    Never,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Debug, Default)]
struct Kept {
    got: Vec<Got>,
    connections: usize,
    /// Of endless answers, in bytes.
    sent: usize,
    answer: Option<Answer>,
}

#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) port: u16,
    kept: Arc<Mutex<Kept>>,
}

impl Receiver {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept = Arc::new(Mutex::new(Kept {
            answer: Some(answer),
            ..Kept::default()
        }));
        let shared = Arc::clone(&kept);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { port, kept }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn answer(&self, answer: Answer) {
        self.kept.lock().unwrap().answer = Some(answer);
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.kept.lock().unwrap().got.clone()
    }

    pub(crate) fn sent(&self) -> usize {
        self.kept.lock().unwrap().sent
    }

    pub(crate) fn connections(&self) -> usize {
        self.kept.lock().unwrap().connections
    }
}

async fn serve(mut stream: TcpStream, kept: Arc<Mutex<Kept>>) -> Option<()> {
    let mut seen = Vec::new();
    let end = loop {
        if let Some(at) = seen.windows(4).position(|it| it == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut seen).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(seen[..end].to_vec()).ok()?;
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length")?.parse::<usize>().ok()?;
    while seen.len() < end + length {
        if stream.read_buf(&mut seen).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(seen[end..].to_vec()).ok()?;
    let answer = {
        let mut kept = kept.lock().unwrap();
        kept.got.push(Got {
            path,
            headers,
            body,
        });
        kept.answer.clone()?
    };
    let text = match &answer {
        Answer::With(status, body) => format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Answer::Redirect(to) => {
            format!(
                "HTTP/1.1 307 X\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        }
        Answer::Endless(status) | Answer::Slow(status) => {
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\n\r\n")
        }
        Answer::Never => String::new(),
    };
    stream.write_all(text.as_bytes()).await.ok()?;
    match answer {
        Answer::With(..) | Answer::Redirect(_) => {}
        // Until the other side has had enough.
        Answer::Endless(_) => loop {
            let some = [b'x'; 16 * 1024];
            stream.write_all(&some).await.ok()?;
            kept.lock().unwrap().sent += some.len();
        },
        Answer::Slow(_) => loop {
            stream.write_all(b"x").await.ok()?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        },
        Answer::Never => while stream.read_buf(&mut seen).await.ok()? > 0 {},
    }
    Some(())
}
