//! The transport of the simulated adapters: bytes become packets, packets take their time, and the judge
//! sees each of them leave.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use recharge_http::{Certainty, SendBefore, Transport, TransportError, TransportErrorKind};
use recharge_sim::{Request, Upstream};
use serde::Deserialize;
use tokio::sync::oneshot;

use crate::executor::Process;
use crate::lab::{Lab, NetworkFault};
use crate::mail::{Answer, Packet, closed};
use crate::points::Point;

/// How long a transport waits for a whole answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it tries to connect.
const CONNECTS: Duration = Duration::from_secs(5);

/// One worker's way to one upstream.
pub(crate) struct Wire {
    lab: Lab,
    process: Process,
    upstream: Upstream,
}

impl Wire {
    pub(crate) fn new(lab: Lab, process: Process, upstream: Upstream) -> Self {
        Self {
            lab,
            process,
            upstream,
        }
    }

    /// Lets the bytes go. From here on nobody can take them back. Answers which number they submit, if they do.
    fn lets_go(
        &self,
        request: &http::Request<Bytes>,
        there: Duration,
        back: Option<Duration>,
        arrives: bool,
    ) -> (oneshot::Receiver<Answer>, Option<String>) {
        let executor = self.lab.executor();
        let mut submitted = None;
        let now = executor.now();
        let request = received(request);
        let (tell, told) = oneshot::channel();
        let mut inner = self.lab.inner();
        let inner = &mut *inner;
        let (process, upstream) = (self.process, self.upstream);
        let bytes = [
            request.path.as_bytes(),
            request.query.as_bytes(),
            &request.body,
        ]
        .concat();
        inner.judge.sends(&bytes);
        match about(&request, upstream) {
            About::Submit(number) => {
                inner
                    .judge
                    .submits(executor, process, upstream, &number, &bytes);
                inner.trace.note(now, "submit", u64::from(process.0), || {
                    format!("{process:?} to {upstream} {number}")
                });
                submitted = Some(number);
            }
            About::Query(number) => {
                inner.judge.asks(process, upstream, &number, now);
                inner.trace.note(now, "query", u64::from(process.0), || {
                    format!("{process:?} to {upstream} {number}")
                });
            }
            About::Price => {}
            About::Else => {
                let what = format!(
                    "{upstream} is sent what the judge can't read: {}",
                    request.path
                );
                inner.judge.violated(3, what);
            }
        }
        if arrives {
            let packet = Packet::Request {
                upstream,
                request,
                back,
                tell,
            };
            inner.mail.post(now.saturating_add(there), packet);
        } else {
            // Kept until nobody waits any more: who waits hears nothing.
            inner.mail.post(
                now.saturating_add(PATIENCE * 2),
                Packet::Answer(tell, closed()),
            );
        }
        (told, submitted)
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let error = |certainty, kind| Err(TransportError::new(certainty, kind));
        let executor = self.lab.executor();
        let (there, back, fault) = self.lab.travels(self.upstream);
        self.lab.point(self.process, Point::BeforeFirstByte).await;
        if fault == Some(NetworkFault::NoConnection) {
            self.lab.strikes(self.upstream, NetworkFault::NoConnection);
            executor.sleep(self.process, CONNECTS).await;
            return error(Certainty::NotSent, TransportErrorKind::Connect);
        }
        // Half of the way there is the connection being made.
        executor.sleep(self.process, there / 2).await;
        let deadline = request.extensions().get::<SendBefore>();
        let now = self.lab.zero() + executor.monotonic(self.process);
        if deadline.is_some_and(|SendBefore(at)| now > *at) {
            return error(Certainty::NotSent, TransportErrorKind::Deadline);
        }
        let back = (fault != Some(NetworkFault::AnswerLost)).then_some(back);
        let arrives = fault != Some(NetworkFault::RequestLost);
        let (told, submitted) = self.lets_go(&request, there, back, arrives);
        if let Some(fault) = fault {
            self.lab.strikes(self.upstream, fault);
        }
        self.lab.point(self.process, Point::BytesGone).await;
        let patience = executor.sleep(self.process, PATIENCE);
        let answer = tokio::select! {
            biased;
            answer = told => answer.unwrap_or_else(|_| closed()),
            () = patience => return error(Certainty::MaybeSent, TransportErrorKind::Timeout),
        };
        self.lab.point(self.process, Point::Answered).await;
        if let (Ok(answer), Some(number)) = (&answer, submitted)
            && acknowledges(answer.body(), &number)
        {
            let now = executor.now();
            let mut inner = self.lab.inner();
            inner.judge.is_acknowledged_to(self.process, &number, now);
        }
        answer
    }
}

/// The request as an upstream receives it.
fn received(request: &http::Request<Bytes>) -> Request {
    let uri = request.uri();
    let content_type = request.headers().get(http::header::CONTENT_TYPE);
    Request {
        method: request.method().as_str().to_owned(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        content_type: content_type
            .and_then(|it| it.to_str().ok())
            .map(str::to_owned),
        body: request.body().to_vec(),
    }
}

/// An answer to a submit, read by the letter: what is there twice, or of another type, is none.
#[derive(Deserialize)]
struct Acknowledgement {
    #[serde(alias = "status")]
    error_code: i64,
    result: Echo,
}

#[derive(Deserialize)]
struct Echo {
    #[serde(alias = "outorderno")]
    uorderid: String,
}

/// Whether an answer says of a number that it is taken.
fn acknowledges(body: &[u8], number: &str) -> bool {
    let answer: Result<Acknowledgement, _> = serde_json::from_slice(body);
    answer.is_ok_and(|it| it.error_code == 0 && it.result.uorderid == number)
}

/// What a request is about.
enum About {
    Submit(String),
    Query(String),
    /// What a product costs.
    Price,
    /// Something that could be a submit.
    Else,
}

fn about(request: &Request, upstream: Upstream) -> About {
    let field = match upstream {
        Upstream::Juhe => "orderid",
        Upstream::Jisu => "outorderno",
    };
    let number = || field_of(request, field).unwrap_or_default();
    match request.path.rsplit('/').next() {
        Some("onlineorder" | "recharge") => About::Submit(number()),
        Some("ordersta" | "orderdetail") => About::Query(number()),
        Some("telquery" | "goods") => About::Price,
        Some(_) | None => About::Else,
    }
}

/// A field's value, wherever it stands. Our numbers are letters and digits, so nothing is escaped.
fn field_of(request: &Request, name: &str) -> Option<String> {
    let body = String::from_utf8_lossy(&request.body);
    let pairs = request.query.split('&').chain(body.split('&'));
    let plain = pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name);
    if let Some((_, value)) = plain {
        return Some(value.to_owned());
    }
    let (_, part) = body.split_once(&format!("name=\"{name}\""))?;
    let (_, value) = part.split_once("\r\n\r\n")?;
    Some(value.lines().next().unwrap_or_default().to_owned())
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("process", &self.process)
            .field("upstream", &self.upstream)
            .finish_non_exhaustive()
    }
}
