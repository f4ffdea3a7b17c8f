//! A provider that plays a script, and a clock that follows tokio's.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use recharge_core::{
    Account, AccountKind, Call, CallError, CallErrorKind, Callback, CallbackError, Capabilities,
    FaceValue, Money, Offer, Provider, ProviderId, QueryOutcome, QueryRequest, Quote,
    SubmitOutcome, SubmitRequest, UpstreamState,
};
use recharge_engine::{Clock, Epoch, Moment, WallTime};

use crate::common::{outcomes, provider};

type Hook = Box<dyn Fn(&SubmitRequest) + Send>;

/// What was asked of a provider, and when since the script began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Called {
    Submit(String, u64),
    Query(String, u64),
}

/// A provider that plays a script. A submit that is not in it is a failure of the test; a query that is
/// not in it is answered like the last one.
pub(crate) struct Scripted {
    id: ProviderId,
    capabilities: Capabilities,
    submits: Mutex<VecDeque<(Option<Duration>, SubmitOutcome)>>,
    queries: Mutex<VecDeque<QueryOutcome>>,
    calls: Mutex<Vec<Called>>,
    on_submit: Mutex<Option<Hook>>,
    price: Mutex<Option<Money>>,
    /// How many questions for a price are not answered.
    unanswered: AtomicU32,
    began: tokio::time::Instant,
}

impl Scripted {
    pub(crate) fn new(name: &str) -> Self {
        let values = vec![FaceValue::from_yuan(100).unwrap()];
        let offers = vec![Offer::new(AccountKind::Mobile, values)];
        let mut capabilities = Capabilities::new(offers, vec![Call::Submit, Call::Query]);
        capabilities.refuses_duplicates = true;
        Self {
            id: provider(name),
            capabilities,
            submits: Mutex::default(),
            queries: Mutex::default(),
            calls: Mutex::default(),
            on_submit: Mutex::default(),
            price: Mutex::default(),
            unanswered: AtomicU32::new(0),
            began: tokio::time::Instant::now(),
        }
    }

    /// The next submit takes a second and ends so.
    pub(crate) fn submit(self, outcome: SubmitOutcome) -> Self {
        self.submit_after(Duration::from_secs(1), outcome)
    }

    pub(crate) fn submit_after(self, takes: Duration, outcome: SubmitOutcome) -> Self {
        self.submits
            .lock()
            .unwrap()
            .push_back((Some(takes), outcome));
        self
    }

    /// The next submit never comes back.
    pub(crate) fn hangs(self) -> Self {
        let never = outcomes::unknown();
        self.submits.lock().unwrap().push_back((None, never));
        self
    }

    /// The next query takes a second and is answered so.
    pub(crate) fn query(self, outcome: QueryOutcome) -> Self {
        self.queries.lock().unwrap().push_back(outcome);
        self
    }

    /// What it says that a submit costs.
    pub(crate) fn priced(self, price: &str) -> Self {
        *self.price.lock().unwrap() = Some(price.parse().unwrap());
        self
    }

    /// The next questions for a price are not answered.
    pub(crate) fn prices_unanswered(self, many: u32) -> Self {
        self.unanswered.store(many, Ordering::Relaxed);
        self
    }

    pub(crate) fn on_submit(&self, hook: Hook) {
        *self.on_submit.lock().unwrap() = Some(hook);
    }

    /// From now on every query is answered so; without an answer it dies.
    pub(crate) fn answers(&self, outcome: Option<QueryOutcome>) {
        *self.queries.lock().unwrap() = outcome.into_iter().collect();
    }

    pub(crate) fn calls(&self) -> Vec<Called> {
        self.calls.lock().unwrap().clone()
    }

    /// The numbers that were submitted.
    pub(crate) fn submitted(&self) -> Vec<String> {
        let number = |call| match call {
            Called::Submit(number, _) => Some(number),
            Called::Query(..) => None,
        };
        self.calls().into_iter().filter_map(number).collect()
    }

    /// When they were.
    pub(crate) fn sent_at(&self) -> Vec<u64> {
        let at = |call| match call {
            Called::Submit(_, at) => Some(at),
            Called::Query(..) => None,
        };
        self.calls().into_iter().filter_map(at).collect()
    }

    /// When it was asked.
    pub(crate) fn asked(&self) -> Vec<u64> {
        let at = |call| match call {
            Called::Query(_, at) => Some(at),
            Called::Submit(..) => None,
        };
        self.calls().into_iter().filter_map(at).collect()
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_secs()
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scripted({})", self.id)
    }
}

#[async_trait]
impl Provider for Scripted {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn submit(&self, request: &SubmitRequest) -> SubmitOutcome {
        let call = Called::Submit(request.number.as_str().to_owned(), self.now());
        self.calls.lock().unwrap().push(call);
        if let Some(hook) = self.on_submit.lock().unwrap().as_ref() {
            hook(request);
        }
        let next = self.submits.lock().unwrap().pop_front();
        let (takes, outcome) = next.expect("a submit that nobody asked for");
        match takes {
            Some(takes) => tokio::time::sleep(takes).await,
            None => std::future::pending().await,
        }
        outcome
    }

    async fn query(&self, request: &QueryRequest) -> QueryOutcome {
        let call = Called::Query(request.number.as_str().to_owned(), self.now());
        self.calls.lock().unwrap().push(call);
        let outcome = {
            let mut queries = self.queries.lock().unwrap();
            let next = queries.front().cloned();
            if queries.len() > 1 {
                queries.pop_front();
            }
            next
        };
        let outcome = outcome.expect("a query without an answer");
        tokio::time::sleep(Duration::from_secs(1)).await;
        outcome
    }

    async fn quote(&self, _account: &Account, _amount: FaceValue) -> Result<Quote, CallError> {
        let unanswered = self.unanswered.load(Ordering::Relaxed);
        if unanswered > 0 {
            self.unanswered.store(unanswered - 1, Ordering::Relaxed);
            return Err(CallError::new(CallErrorKind::Transport, "no answer"));
        }
        match *self.price.lock().unwrap() {
            Some(price) => Ok(Quote::new(price, "100 yuan".to_owned())),
            None => Err(CallError::unsupported(Call::Quote)),
        }
    }

    /// A number, a space, and a state.
    fn parse_callback(
        &self,
        _content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Callback, CallbackError> {
        let forged = || CallbackError::Unusable("forged".to_owned());
        let text = std::str::from_utf8(body).map_err(|_| forged())?;
        let (number, state) = text.split_once(' ').ok_or_else(forged)?;
        let mut callback = Callback::new(number.to_owned());
        callback.claims = UpstreamState::parse(state);
        Ok(callback)
    }
}

/// A clock that follows tokio's, which a test pauses; its wall clock can be made to jump.
#[derive(Debug)]
pub(crate) struct TokioClock {
    began: tokio::time::Instant,
    epoch: Mutex<(Epoch, tokio::time::Instant)>,
    wall: Mutex<i64>,
    naps: AtomicUsize,
}

impl TokioClock {
    pub(crate) fn start() -> Self {
        let began = tokio::time::Instant::now();
        Self {
            began,
            epoch: Mutex::new((Epoch(0), began)),
            wall: Mutex::new(1_800_000_000_000),
            naps: AtomicUsize::new(0),
        }
    }

    /// The clock of another worker on the same machine.
    pub(crate) fn successor(&self) -> Self {
        Self {
            began: self.began,
            epoch: Mutex::new((Epoch(0), tokio::time::Instant::now())),
            wall: Mutex::new(*self.wall.lock().unwrap()),
            naps: AtomicUsize::new(0),
        }
    }

    /// The wall clock is set forward, or back.
    pub(crate) fn jump(&self, millis: i64) {
        *self.wall.lock().unwrap() += millis;
    }

    /// How often somebody has slept.
    pub(crate) fn naps(&self) -> usize {
        self.naps.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Clock for TokioClock {
    fn now(&self) -> Moment {
        let (epoch, began) = *self.epoch.lock().unwrap();
        Moment {
            wall: WallTime::from_millis(*self.wall.lock().unwrap()).after(self.began.elapsed()),
            epoch,
            monotonic: began.elapsed(),
        }
    }

    fn begin(&self, epoch: Epoch) {
        *self.epoch.lock().unwrap() = (epoch, tokio::time::Instant::now());
    }

    fn instant(&self, moment: Moment, later: Duration) -> Option<Instant> {
        let (epoch, began) = *self.epoch.lock().unwrap();
        (moment.epoch == epoch).then(|| (began + moment.monotonic + later).into_std())
    }

    async fn sleep(&self, duration: Duration) {
        self.naps.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(duration).await;
    }
}
