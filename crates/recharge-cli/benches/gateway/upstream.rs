//! Juhe, as far as the gateway asks: it takes every order, and has charged none.

use std::convert::Infallible;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// An upstream in a thread of its own.
pub(super) struct Upstream {
    pub(super) address: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    millis: AtomicU64,
    /// Whether whatever is asked about has been charged.
    charged: AtomicBool,
    taken: Mutex<Vec<String>>,
}

impl Upstream {
    /// One that answers at once.
    pub(super) fn start() -> Result<Self, Box<dyn Error>> {
        let state = Arc::new(State::default());
        let (tell, told) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let shared = Arc::clone(&state);
        std::thread::spawn(move || runtime.block_on(serve(shared, tell)));
        let address = told.recv()?;
        Ok(Self { address, state })
    }

    /// From now on every answer takes so long.
    pub(super) fn takes(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.state.millis.store(millis, Ordering::SeqCst);
    }

    /// From now on orders are charged when they are asked about, or are not.
    pub(super) fn charges(&self, charged: bool) {
        self.state.charged.store(charged, Ordering::SeqCst);
    }

    /// The numbers of the orders that it has taken since it was asked last.
    pub(super) fn taken(&self) -> Vec<String> {
        let taken = self.state.taken.lock();
        std::mem::take(&mut *taken.unwrap_or_else(PoisonError::into_inner))
    }
}

async fn serve(state: Arc<State>, tell: mpsc::Sender<String>) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    drop(tell.send(listener.local_addr()?.to_string()));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(request, Arc::clone(&state)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let submit = request.uri().path().ends_with("/onlineorder");
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = request.into_body().collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let (mut number, mut phone) = (String::new(), String::new());
    let fields = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(&body));
    for (name, value) in fields {
        match &*name {
            "orderid" => number = value.into_owned(),
            "phoneno" => phone = value.into_owned(),
            _ => {}
        }
    }
    let millis = state.millis.load(Ordering::SeqCst);
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    let charged = !submit && state.charged.load(Ordering::SeqCst);
    let text = format!(
        r#"{{"reason":"ok","result":{{"cardid":"157115","cardnum":"1","ordercash":49.825,"uordercash":49.825,"cardname":"全国话费50元","sporder_id":"J{number}","uorderid":"{number}","game_userid":"{phone}","game_state":"{}"}},"error_code":0}}"#,
        u8::from(charged)
    );
    if submit {
        let mut taken = state.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.push(number);
    }
    Ok(Response::builder()
        .header("content-type", "application/json;charset=utf-8")
        .body(Full::new(Bytes::from(text)))
        .unwrap_or_default())
}
