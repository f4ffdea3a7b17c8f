//! The world behind a socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::builder::{SimulatorBuilder, StartError};
use crate::callbacks::CallbackSend;
use crate::config::{Upstream, WorldConfig};
use crate::control;
use crate::ledger::LedgerRow;
use crate::message::{Delivery, Reply, Request};
use crate::notify::Target;
use crate::wire::{BrokenOff, ReplyBody, ResetFlag, Watched};
use crate::world::World;

/// Request bodies beyond this are refused with 413.
const BODY_AT_MOST: usize = 1 << 20;

/// A running simulator. Dropping it stops it.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    closing: SocketAddr,
    /// Bound and not listening: connections are refused, and nobody else gets the port.
    refusing: TcpSocket,
    tasks: Vec<JoinHandle<()>>,
}

/// The world, locked. What was changed through it, such as an order that was stepped, takes effect when
/// the guard is dropped.
#[derive(Debug)]
pub struct WorldGuard<'a> {
    world: MutexGuard<'a, World>,
    changed: &'a Notify,
}

impl Deref for WorldGuard<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for WorldGuard<'_> {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

impl Drop for WorldGuard<'_> {
    fn drop(&mut self) {
        // The one who is told may have to wait for the lock a moment longer, and then sees the change.
        self.changed.notify_one();
    }
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    start: Instant,
    /// Something was changed that may have made something due.
    changed: Notify,
    juhe_callback: Option<Target>,
    jisu_callback: Option<Target>,
}

impl Simulator {
    /// A builder with the documented defaults: any free loopback port, no faults, orders end after two
    /// seconds, no callbacks.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder::new()
    }

    /// Opens the ports and starts the tasks.
    pub(crate) async fn open(
        address: SocketAddr,
        config: WorldConfig,
        juhe_callback: Option<Target>,
        jisu_callback: Option<Target>,
    ) -> Result<Self, StartError> {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (listener, address) = listen(address).await?;
        let (closer, closing) = listen(any_port).await?;
        let refusing = TcpSocket::new_v4()
            .and_then(|socket| socket.bind(any_port).map(|()| socket))
            .map_err(|source| StartError::Listen {
                address: any_port,
                source,
            })?;
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new(config)),
            start: Instant::now(),
            changed: Notify::new(),
            juhe_callback,
            jisu_callback,
        });
        let tasks = vec![
            tokio::spawn(serve(listener, Arc::clone(&shared))),
            tokio::spawn(accept_and_close(closer)),
            tokio::spawn(call_back(Arc::clone(&shared))),
        ];
        Ok(Simulator {
            shared,
            address,
            closing,
            refusing,
            tasks,
        })
    }

    /// Such as `http://127.0.0.1:40123`: put it in the place of `http://op.juhe.cn` and
    /// `https://api.jisuapi.com`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL whose port refuses connections.
    pub fn refusing_url(&self) -> io::Result<String> {
        Ok(format!("http://{}", self.refusing.local_addr()?))
    }

    /// A URL whose port accepts connections and closes them at once.
    pub fn closing_url(&self) -> String {
        format!("http://{}", self.closing)
    }

    /// The time since the start, as the world counts it.
    pub fn now(&self) -> Duration {
        self.shared.now()
    }

    /// The world itself. No call is answered while the guard is held, so don't hold it over an await.
    pub fn world(&self) -> WorldGuard<'_> {
        WorldGuard {
            world: self.shared.world(),
            changed: &self.shared.changed,
        }
    }

    /// What was really charged, up to now.
    pub fn ledger(&self) -> Vec<LedgerRow> {
        let mut world = self.world();
        world.advance(self.now());
        world.ledger()
    }

    /// All faults injected so far.
    pub fn faults_injected(&self) -> u64 {
        self.world().stats().faults_injected()
    }

    /// Stops listening and drops every connection.
    pub async fn shutdown(mut self) {
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            // It was told to end: that it did is all there is to know.
            let _ = task.await;
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, Arc::clone(&shared)));
                }
                // Too many open files, most likely: let some end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, shared: Arc<Shared>) {
    // Small answers must not wait for more. Where it can't be set they are slower, not wrong.
    let _ = stream.set_nodelay(true);
    let reset = ResetFlag::default();
    let at_line = {
        let shared = Arc::clone(&shared);
        Box::new(move |method: &str, path: &str| {
            let now = shared.now();
            shared.world().reset_at_line(now, method, path)
        })
    };
    let io = TokioIo::new(Watched::new(stream, reset.clone(), at_line));
    let service = service_fn(move |request| answer(Arc::clone(&shared), reset.clone(), request));
    // An error is a client that went away or a fault carried out: nothing to do about either.
    let _ = http1::Builder::new()
        .half_close(true)
        // An idle connection stays open: what closes one is a fault, and those are counted.
        .header_read_timeout(None)
        .serve_connection(io, service)
        .await;
}

async fn answer(
    shared: Arc<Shared>,
    reset: ResetFlag,
    request: hyper::Request<Incoming>,
) -> Result<Response<ReplyBody>, BrokenOff> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_AT_MOST).collect().await else {
        let text = r#"{"error":"the request body is longer than 1 MiB or broke off"}"#;
        return Ok(respond(Reply::json_status(413, text)));
    };
    let request = Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        content_type: head
            .headers
            .get(CONTENT_TYPE)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        body: body.to_bytes().to_vec(),
    };
    let reply = shared.answer(&request);
    match reply.delivery {
        Delivery::Whole | Delivery::CutOff(_) | Delivery::Drip(_, _) => Ok(respond(reply)),
        Delivery::Late(after) => {
            tokio::time::sleep(after).await;
            Ok(respond(reply))
        }
        Delivery::Reset => {
            reset.set();
            Err(BrokenOff)
        }
        Delivery::Silence(hold) => {
            tokio::time::sleep(hold).await;
            Err(BrokenOff)
        }
    }
}

fn respond(reply: Reply) -> Response<ReplyBody> {
    let (status, content_type) = (reply.status, reply.content_type);
    let mut response = Response::new(ReplyBody::new(reply));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static(content_type),
    );
    response
}

impl Shared {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // The world is left whole between its calls, so a panic elsewhere does not spoil it.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Reply {
        let mut world = self.world();
        // Read with the lock held, so that time never goes back for the world.
        let now = self.now();
        let reply = if control::is_control(&request.path) {
            control::handle(&mut world, now, request)
        } else {
            world.handle(now, request)
        };
        drop(world);
        self.changed.notify_one();
        reply
    }

    fn target(&self, upstream: Upstream) -> Option<&Target> {
        match upstream {
            Upstream::Juhe => self.juhe_callback.as_ref(),
            Upstream::Jisu => self.jisu_callback.as_ref(),
        }
    }

    async fn deliver(self: Arc<Self>, send: CallbackSend) {
        let answer = match self.target(send.upstream) {
            Some(target) => target.post(send.body).await,
            None => return,
        };
        let now = self.now();
        self.world()
            .callback_answered(now, send.id, answer.as_deref());
        self.changed.notify_one();
    }
}

async fn accept_and_close(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(stream),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Lets time pass for the world, and sends its callbacks.
async fn call_back(shared: Arc<Shared>) {
    let mut deliveries = JoinSet::new();
    loop {
        let (due, next) = {
            let mut world = shared.world();
            let due = world.callbacks_due(shared.now());
            (due, world.next_event())
        };
        for send in due {
            deliveries.spawn(Arc::clone(&shared).deliver(send));
        }
        let wake = async {
            match next.and_then(|at| shared.start.checked_add(at)) {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wake => {}
            () = shared.changed.notified() => {}
            Some(_) = deliveries.join_next() => {}
        }
    }
}
