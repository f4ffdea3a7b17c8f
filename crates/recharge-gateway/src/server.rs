//! [`Gateway`]: listening, draining, and what guards every connection.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use http::HeaderValue;
use http::header::{CONNECTION, TRANSFER_ENCODING};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use recharge_engine::driver::{Setup, StartError};
use recharge_store::{Registry, RegistryError};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use crate::api;
use crate::app::{App, End};
use crate::callbacks::Throttle;
use crate::forget;
use crate::limits::Asks;
use crate::linger::Lingering;
use crate::metrics::{self, Metrics};
use crate::ring::{KeyRing, Locked};
use crate::routes;
use crate::seal::NoRandom;
use crate::settings::{Settings, SettingsError};
use crate::stall::Stalling;
use crate::trace::RequestIds;
use crate::webhooks::{ClientError, Outbox, Tally};

/// The most bytes of a request's head.
const HEAD: usize = 16 * 1024;

/// How many connections may wait until they are let in. One more is lost without a word, and its client waits
/// for an answer that never comes.
const WAITING: u32 = 1024;

/// A service that is running. Dropping it leaves it running: [`stop`](Self::stop) ends it.
#[derive(Debug)]
pub struct Gateway {
    app: Arc<App>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    /// What goes on beside the requests.
    beside: Vec<JoinHandle<()>>,
    telling: JoinHandle<()>,
}

/// Why it can't be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// It was told something that can't be.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nothing can listen there.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The keys can't be read.
    #[error("the keys can't be read: {0}")]
    Registry(#[from] RegistryError),
    /// Requests can't be named.
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
    /// Nobody can be told anything.
    #[error(transparent)]
    Webhooks(#[from] ClientError),
    /// The engine can't be started.
    #[error(transparent)]
    Engine(#[from] StartError),
}

impl Gateway {
    /// Takes its address, starts the engine, and answers requests from then on.
    pub async fn start(
        mut setup: Setup,
        registry: Registry,
        settings: Settings,
    ) -> Result<Self, ServeError> {
        settings.validate()?;
        let listen = |source| ServeError::Listen {
            address: settings.listen,
            source,
        };
        // First of all: a second gateway must not take the store from one that runs.
        let listener = listen_on(settings.listen).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let registry = Arc::new(registry);
        let ring = Arc::new(KeyRing::load(
            Arc::clone(&registry),
            settings.master_key.clone(),
            settings.requests_per_second,
        )?);
        let figures = Metrics::watch(&mut setup);
        let (providers, clock) = (setup.providers.clone(), Arc::clone(&setup.clock));
        let driver = setup.start().await?;
        let app = Arc::new(App {
            driver,
            registry,
            ring,
            providers,
            clock,
            asks: Asks::default(),
            batches: Notify::new(),
            throttle: Throttle::new(settings.callbacks_per_second),
            metrics: figures,
            request_ids: RequestIds::new()?,
            tally: Tally::default(),
            settings,
            end: End::default(),
        });
        let mut beside = vec![
            tokio::spawn(Arc::clone(&app.ring).keep_up()),
            tokio::spawn(api::batches::accept(Arc::clone(&app))),
        ];
        let every = app.settings.balances_every;
        if let Some(every) = every.filter(|it| !it.is_zero()) {
            let asking = metrics::balances::keep_up(Arc::clone(&app), every);
            beside.push(tokio::spawn(asking));
        }
        if let Some(after) = app.settings.forget_after {
            beside.push(tokio::spawn(forget::daily(Arc::clone(&app), after)));
        }
        let (stop, stopped) = watch::channel(false);
        let outbox = Outbox::new(Arc::clone(&app))?;
        let telling = tokio::spawn(outbox.run(stopped.clone()));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&app), stopped));
        Ok(Self {
            app,
            address,
            stop,
            accepting,
            beside,
            telling,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What can't be opened of that which is in force. It serves all the same: orders that may have been paid are
    /// asked about whatever the key, and what needs the key waits. But `/readyz` says no.
    pub fn locked(&self) -> Option<Locked> {
        self.app.ring.locked()
    }

    /// Takes no more requests, answers those that have come, and stops the engine once what is under way has
    /// been recorded. Answers whether everything was, within [`Settings::drain`]; then the store has been let go,
    /// and another may open it.
    pub async fn stop(self) -> bool {
        self.stop.send_replace(true);
        let drain = self.app.settings.drain;
        let accepting = self.accepting;
        // A task that panicked has drained nothing.
        let drained = matches!(tokio::time::timeout(drain, accepting).await, Ok(Ok(())));
        let stopped = self.app.driver.stop(drain).await;
        // What it has not marked as told is told again.
        let telling = self.telling.abort_handle();
        drop(tokio::time::timeout(drain, self.telling).await);
        telling.abort();
        for task in &self.beside {
            task.abort();
        }
        self.app.ring.note().await;
        // A task that was told to end has not ended yet, and each holds the store.
        let end = self.app.end.of_app();
        drop(self.app);
        let let_go = tokio::time::timeout(drain, end).await.is_ok();
        drained && stopped && let_go
    }
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    #[cfg(not(windows))]
    // Started again at once, it finds its port held by connections that have ended.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

async fn accept(listener: TcpListener, app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let settings = &app.settings;
    let room = Arc::new(Semaphore::new(settings.connections));
    let graceful = GracefulShutdown::new();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(settings.deadline)
        .max_buf_size(HEAD)
        .keep_alive(true);
    let router = routes::router(&app);
    loop {
        let next = async {
            // It is never closed.
            let place = Arc::clone(&room).acquire_owned().await;
            (place.ok(), listener.accept().await)
        };
        let (place, (stream, peer)) = tokio::select! {
            // The sender lives as long as the gateway; without it there is nobody to serve for. Full or not: who
            // waits for room must not keep it from stopping.
            _ = stopped.changed() => break,
            (place, accepted) = next => match accepted {
                Ok(accepted) => (place, accepted),
                // Out of files, say: those that are open go on, and may close.
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        // An answer is one write.
        drop(stream.set_nodelay(true));
        let stream = Stalling::new(stream, settings.deadline);
        let connection = serve(&http, stream, peer, router.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // What goes wrong on a connection is its client's to know.
            drop(connection.await);
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn serve(
    http: &hyper::server::conn::http1::Builder,
    stream: Stalling<TcpStream>,
    peer: SocketAddr,
    router: Router,
) -> impl GracefulConnection<Error = hyper::Error> + Send + use<> {
    let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
        // Whoever sends two lengths, one of them this, is read by it, as the standard has it; a proxy may have
        // read the other, and what follows would be a request that it never saw. hyper hides the other length,
        // so no second request is taken after this kind.
        let last = request.headers().contains_key(TRANSFER_ENCODING);
        let mut request = request.map(|body| axum::body::Body::new(Lingering::new(body)));
        request.extensions_mut().insert(ConnectInfo(peer));
        let answering = router.clone().oneshot(request);
        async move {
            let mut answer = answering.await?;
            if last {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(CONNECTION, close);
            }
            Ok::<_, Infallible>(answer)
        }
    });
    http.serve_connection(TokioIo::new(stream), service)
}
