//! The suite that every [`Transport`] must pass.
//!
//! Each case is a test of its own against the simulator's socket server, which does to the connection
//! what the case is about and keeps what arrived. So the suite can hold every word of a transport
//! against the truth:
//!
//! - `NotSent` is never said when a byte of the request arrived, then or later;
//! - each request arrives at most once, whatever happened to it;
//! - each fault is reported with the certainty that it must have.
//!
//! Use it from a file in `tests/`, in a module for each transport. `reuses_connections` says whether the
//! transport keeps connections, so that the cases on reused ones can't miss them.
//!
//! ```
//! mod mine {
//! #   use recharge_http::fake::NeverTransport as MyTransport;
//!     recharge_conformance::transport_suite!(
//!         |_config| MyTransport,
//!         reuses_connections: true
//!     );
//! }
//! # fn main() {}
//! ```
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use recharge_http::{
    Certainty, HttpConfig, SendBefore, Transport, TransportError, TransportErrorKind,
};
use recharge_sim::socket::{SocketFault, SocketServer};

mod answers;
mod connections;
mod promises;

pub use answers::*;
pub use connections::*;
pub use promises::*;

/// Expands to one `#[test]` for each case of the suite. The first argument is a function from
/// `&HttpConfig` to the transport; it is used in a Tokio runtime.
#[macro_export]
macro_rules! transport_suite {
    ($make:expr, reuses_connections: $reuses:expr) => {
        $crate::transport_suite!(@cases $make, $reuses,
            a_request_arrives_as_given_and_its_answer_comes_back
            any_status_is_a_response
            redirects_are_not_followed
            interim_answers_are_passed_over
            an_answer_of_the_largest_size_is_read
            a_larger_answer_is_refused
            an_encoded_answer_is_refused
            what_is_not_http_is_refused
            a_truncated_answer_is_no_answer
            a_dripping_answer_is_cut_off
            lesson_22_a_call_without_an_answer_ends
            refused_is_not_sent
            a_failed_handshake_is_not_sent
            an_endless_handshake_is_not_sent
            closed_at_accept_is_told_truly
            reset_before_the_request_is_read_is_in_doubt
            reset_in_the_middle_of_the_request_is_in_doubt
            reset_after_the_request_is_in_doubt
            reset_on_a_reused_connection_is_in_doubt
            lesson_19_a_request_closed_upon_is_not_sent_again
            a_connection_that_died_idle_is_told_truly
            a_large_request_arrives_whole_or_in_doubt
            requests_in_flight_arrive_once_each
            what_cannot_be_sent_is_not_sent
            past_its_deadline_nothing_is_sent
            a_dropped_call_is_not_sent_again
            errors_hold_no_secret
            proxies_of_the_environment_are_ignored
        );
    };
    (@cases $make:expr, $reuses:expr, $($case:ident)+) => {
        $(
            #[test]
            fn $case() {
                let bench = $crate::transport::Bench::new($make, $reuses, module_path!());
                $crate::transport::run($crate::transport::$case(bench));
            }
        )+
    };
}

/// Runs one case in a runtime of its own, with two threads: a transport that writes on another thread
/// than the caller's must be as right.
pub fn run(case: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(case);
}

/// The transport under test and what is known about it.
pub struct Bench {
    make: Make,
    reuses: bool,
    module: &'static str,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench")
            .field("module", &self.module)
            .finish_non_exhaustive()
    }
}

impl Bench {
    /// `make` makes the transport; `reuses` says whether it keeps connections; `module` is the
    /// `module_path!()` of the tests.
    pub fn new<T: Transport + 'static>(
        make: impl Fn(&HttpConfig) -> T + 'static,
        reuses: bool,
        module: &'static str,
    ) -> Self {
        Self {
            make: Box::new(move |config| Arc::new(make(config))),
            reuses,
            module,
        }
    }

    /// With limits that no case here runs into on a slow machine.
    fn transport(&self) -> Arc<dyn Transport> {
        (self.make)(&HttpConfig::default())
    }

    fn hasty(&self, timeout: Duration) -> Arc<dyn Transport> {
        (self.make)(&HttpConfig {
            connect_timeout: timeout,
            timeout,
            ..HttpConfig::default()
        })
    }

    /// Sends one request on a fresh transport to a server that does `fault` to it.
    async fn suffer(&self, fault: SocketFault) -> Exchange {
        let scene = Scene::new(self, [fault]).await;
        let exchange = scene.send().await;
        scene.check(&exchange).await;
        exchange
    }
}

type Make = Box<dyn Fn(&HttpConfig) -> Arc<dyn Transport>>;

/// The result of an exchange.
type Exchange = Result<Response<Bytes>, TransportError>;

/// A server, a transport, and how much of what came from it is accounted for.
struct Scene<'a> {
    bench: &'a Bench,
    server: SocketServer,
    transport: Arc<dyn Transport>,
}

impl<'a> Scene<'a> {
    async fn new(bench: &'a Bench, script: impl IntoIterator<Item = SocketFault>) -> Self {
        Self {
            bench,
            server: SocketServer::start(script).await.unwrap(),
            transport: bench.transport(),
        }
    }

    async fn hasty(bench: &'a Bench, fault: SocketFault, timeout: Duration) -> Self {
        Self {
            bench,
            server: SocketServer::start([fault]).await.unwrap(),
            transport: bench.hasty(timeout),
        }
    }

    async fn send(&self) -> Exchange {
        self.transport.send(order(&self.server.url(PATH))).await
    }

    /// Sends under a watch: a transport that doesn't keep its own limit fails instead of hanging. Far
    /// beyond any limit that a case sets, and below the default one.
    async fn send_watched(&self) -> Exchange {
        let watched = tokio::time::timeout(Duration::from_secs(25), self.send()).await;
        watched.unwrap_or_else(|_| panic!("the call outlived its limit by far"))
    }

    /// A first exchange that goes well, so that a connection is there to be reused.
    async fn warm_up(&self) {
        let first = order(&self.server.url("/first"));
        assert_eq!(self.transport.send(first).await.unwrap().status(), 200);
    }

    /// How many times the order has arrived whole.
    fn arrived(&self) -> usize {
        let requests = self.server.requests();
        let line = format!("POST {PATH} ");
        requests
            .iter()
            .filter(|request| request.starts_with(line.as_bytes()))
            .count()
    }

    /// Holds the result of the only order against what arrived.
    async fn check(&self, exchange: &Exchange) {
        let before = self.fence().await;
        match exchange {
            Ok(_) => assert_eq!(self.arrived(), 1, "an answered order arrives once"),
            Err(error) => {
                assert!(self.arrived() <= 1, "the order arrived twice: {error}");
                if error.certainty() == Certainty::NotSent {
                    assert_eq!(before, 0, "bytes arrived, yet {error}");
                }
            }
        }
    }

    /// The bytes that had arrived besides the answered exchanges, after giving late ones time to come:
    /// a whole exchange of another transport.
    async fn fence(&self) -> usize {
        let fence = order(&self.server.url("/fence"));
        let answer = self.bench.transport().send(fence).await;
        assert_eq!(answer.unwrap().status(), 200, "the fence must be answered");
        let answered = self.server.requests().into_iter().filter(|request| {
            request.starts_with(b"POST /fence ") || request.starts_with(b"POST /first ")
        });
        self.server.bytes_seen() - answered.map(|request| request.len()).sum::<usize>()
    }
}

/// The path and query of every order here.
const PATH: &str = "/submit?key=CANARY-in-query&sign=a%2Bb";
const BODY: &str = "phone=CANARY-in-body";

fn order(url: &str) -> Request<Bytes> {
    Request::post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-key", "CANARY-in-header")
        .body(Bytes::from_static(BODY.as_bytes()))
        .unwrap()
}

#[track_caller]
fn expect(exchange: &Exchange, certainty: Certainty, kinds: &[TransportErrorKind]) {
    match exchange {
        Ok(response) => panic!("answered with {}, expected {kinds:?}", response.status()),
        Err(error) => {
            assert_eq!(error.certainty(), certainty, "{error:?}");
            assert!(
                kinds.contains(&error.kind()),
                "{error:?}, expected {kinds:?}"
            );
        }
    }
}

/// A deadline that lies behind us.
fn passed() -> SendBefore {
    let at = Instant::now();
    while Instant::now() <= at {
        std::hint::spin_loop();
    }
    SendBefore(at)
}
