//! The simulator's two upstreams as benches of the provider suite.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use recharge_core::{
    Account, AccountKind, AttemptNumber, Provider, ProviderExt, SubmitRequest, UpstreamOrderId,
    UpstreamState,
};
use recharge_sim::socket::{SocketFault, SocketServer, answer};
use recharge_sim::{
    Credentials, LedgerState, Script, Settle, Simulator, Stage, Step, Timings, Upstream,
    WorldConfig,
};

use crate::provider::{
    Arranged, Bench, CallbackSample, End, Entry, Failure, OnQuery, OnSubmit, Situation, number,
};

mod faults;

/// How long a client waits for the healthy simulator: no limit that a slow machine runs into.
const PATIENT: Duration = Duration::from_secs(30);
/// How long a client waits where no answer will come.
const HASTY: Duration = Duration::from_secs(1);

/// A simulated upstream, the provider under test that talks to it, and its books.
///
/// The provider comes from a closure, so that this crate needs to know no adapter. It is called for each
/// port and patience that a situation needs:
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use recharge_conformance::SimBench;
/// use recharge_core::Provider;
///
/// type MyProvider = fn(url: &str, key: &str, open_id: &str, timeout: Duration) -> Arc<dyn Provider>;
///
/// async fn bench(my_provider: MyProvider) -> SimBench {
///     SimBench::juhe(|target| {
///         let keys = &target.credentials;
///         my_provider(&target.base_url, &keys.juhe_key, &keys.juhe_openid, target.timeout)
///     })
///     .await
///     .expect("ports on loopback")
/// }
/// ```
pub struct SimBench {
    upstream: Upstream,
    simulator: Simulator,
    inbox: SocketServer,
    credentials: Credentials,
    usual: Arc<dyn Provider>,
    hasty: Arc<dyn Provider>,
    refused: Arc<dyn Provider>,
    closed: Arc<dyn Provider>,
    orders: AtomicU64,
    arranged: AtomicU64,
}

/// What a provider under test is built for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SimTarget {
    /// In the place of the upstream's address, such as `http://127.0.0.1:40123`.
    pub base_url: String,
    /// Who may call.
    pub credentials: Credentials,
    /// How long the client is to wait for an answer, connecting included.
    pub timeout: Duration,
}

impl fmt::Debug for SimBench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimBench")
            .field("upstream", &self.upstream)
            .finish_non_exhaustive()
    }
}

impl SimBench {
    /// The simulated Juhe.
    pub async fn juhe(build: impl Fn(&SimTarget) -> Arc<dyn Provider>) -> Result<Self, Failure> {
        Self::start(Upstream::Juhe, WorldConfig::default(), build).await
    }

    /// The simulated Jisu.
    pub async fn jisu(build: impl Fn(&SimTarget) -> Arc<dyn Provider>) -> Result<Self, Failure> {
        Self::start(Upstream::Jisu, WorldConfig::default(), build).await
    }

    /// One of them in a world of this kind. Its credentials, faults and settling are the bench's own.
    pub async fn start(
        upstream: Upstream,
        mut config: WorldConfig,
        build: impl Fn(&SimTarget) -> Arc<dyn Provider>,
    ) -> Result<Self, Failure> {
        let failed = |error: &dyn fmt::Display| Failure::new(format!("no simulator: {error}"));
        // Whatever is sent to it is confirmed, so that nothing is sent again.
        let confirmed = SocketFault::Answer(answer(200, &[], b"success"));
        let inbox = SocketServer::start(vec![confirmed; 4096])
            .await
            .map_err(|error| failed(&error))?;
        config.settle = Settle::WhenStepped;
        config.credentials = Credentials {
            juhe_key: "CANARYjuhekey0123456789abcdef000".to_owned(),
            juhe_openid: "CANARYopenid00000000000000000000".to_owned(),
            jisu_appkey: "CANARYappkey0000".to_owned(),
            jisu_appsecret: "CANARYappsecret00000000000000000".to_owned(),
        };
        let credentials = config.credentials.clone();
        config.faults = config.faults.with_timings(Timings {
            // Longer than any client waits.
            timeout_hold: PATIENT * 4,
            delayed_acceptance: HASTY + HASTY / 2,
            repeat_after: Duration::from_millis(50),
            ..Timings::quick()
        });
        let simulator = Simulator::builder()
            .config(config)
            .callback_url(&inbox.url("/callback"))
            .start()
            .await
            .map_err(|error| failed(&error))?;
        let refusing = simulator.refusing_url().map_err(|error| failed(&error))?;
        let provider = |base_url: String, timeout| {
            build(&SimTarget {
                base_url,
                credentials: credentials.clone(),
                timeout,
            })
        };
        Ok(Self {
            upstream,
            usual: provider(simulator.url(), PATIENT),
            hasty: provider(simulator.url(), HASTY),
            refused: provider(refusing, PATIENT),
            closed: provider(simulator.closing_url(), PATIENT),
            simulator,
            inbox,
            credentials,
            orders: AtomicU64::new(0),
            arranged: AtomicU64::new(0),
        })
    }

    /// Sees to it that the first call of a stage about this order has this fault.
    fn script(&self, number: AttemptNumber, change: impl FnOnce(&mut Script)) {
        let mut world = self.simulator.world();
        let mut plan = world.faults().clone();
        let named = |script: &&mut Script| script.order_id.as_deref() == Some(number.as_str());
        if let Some(script) = plan.scripts.iter_mut().find(named) {
            change(script);
        } else {
            let mut script = Script {
                order_id: Some(number.as_str().to_owned()),
                ..Script::default()
            };
            change(&mut script);
            plan.scripts.push(script);
        }
        world.set_faults(plan);
    }

    /// The body of the callback about this order, once it has come.
    async fn received(&self, number: AttemptNumber) -> Result<Bytes, Failure> {
        // Far beyond what a slow machine needs.
        let come = tokio::time::timeout(PATIENT, async {
            loop {
                let requests = self.inbox.requests();
                let body = requests.iter().find_map(|request| {
                    let text = String::from_utf8_lossy(request);
                    let (_, body) = text.split_once("\r\n\r\n")?;
                    body.contains(number.as_str())
                        .then(|| Bytes::from(body.to_owned()))
                });
                if let Some(body) = body {
                    return body;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        come.await
            .map_err(|_| Failure::new("the simulator has sent no callback"))
    }
}

#[async_trait]
impl Bench for SimBench {
    fn provider(&self) -> Arc<dyn Provider> {
        Arc::clone(&self.usual)
    }

    fn secrets(&self) -> Vec<String> {
        let Credentials {
            juhe_key,
            juhe_openid,
            jisu_appkey,
            jisu_appsecret,
        } = self.credentials.clone();
        match self.upstream {
            Upstream::Juhe => vec![juhe_key, juhe_openid],
            Upstream::Jisu => vec![jisu_appkey, jisu_appsecret],
        }
    }

    #[expect(clippy::expect_used, reason = "the texts have the form of their kind")]
    fn order(&self, kind: AccountKind) -> SubmitRequest {
        let n = self.orders.fetch_add(1, Ordering::Relaxed);
        let digits = format!("{:07}", (n * 7_919 + 1_234_567) % 10_000_000);
        let account = match kind {
            AccountKind::Mobile => format!("1890{digits}"),
            AccountKind::Landline | AccountKind::Combined => format!("0571-5{digits}"),
            AccountKind::Broadband => format!("hz5{digits}"),
        };
        let account = Account::parse(kind, &account).expect("an account");
        let offer = self.usual.offer(kind).expect("a kind on offer");
        let amount = offer.face_values.first().expect("a face value on offer");
        let mut order = SubmitRequest::new(number(n), account, *amount);
        order.carrier = offer.carriers.first().copied();
        order
    }

    fn cannot(&self) -> &[(Situation, &'static str)] {
        match self.upstream {
            Upstream::Juhe => &[
                (
                    Situation::Submit(OnSubmit::EmptyEcho),
                    "the answer to a submit always names the order number",
                ),
                (
                    Situation::Query(OnQuery::WrongEcho),
                    "the answer to a query names neither number nor phone",
                ),
            ],
            Upstream::Jisu => &[
                (
                    Situation::Submit(OnSubmit::SoundsFailed),
                    "no code is documented that sounds like a failure and proves nothing",
                ),
                (
                    Situation::Submit(OnSubmit::SoundsFailedTaken),
                    "no code is documented that sounds like a failure and proves nothing",
                ),
            ],
        }
    }

    async fn arrange(
        &self,
        order: &SubmitRequest,
        situation: Situation,
    ) -> Result<Arranged, Failure> {
        let (stage, fault) = match situation {
            Situation::Submit(situation) => {
                let is_even = self
                    .arranged
                    .fetch_add(1, Ordering::Relaxed)
                    .is_multiple_of(2);
                (Stage::Submit, faults::of_submit(situation, is_even))
            }
            Situation::Query(situation) => (Stage::Query, faults::of_query(situation)),
        };
        if let Some(fault) = fault {
            if !fault.applies(stage, self.upstream) {
                return Ok(Arranged::Cannot);
            }
            self.script(order.number, |script| match situation {
                Situation::Submit(_) => script.submit = vec![Some(fault)],
                Situation::Query(_) => script.query = vec![Some(fault)],
            });
        }
        Ok(Arranged::With(Arc::clone(match situation {
            Situation::Submit(OnSubmit::NoConnection) | Situation::Query(OnQuery::NoConnection) => {
                &self.refused
            }
            Situation::Submit(OnSubmit::ClosedAtAccept) => &self.closed,
            Situation::Submit(
                OnSubmit::NeverAnswered | OnSubmit::NeverAnsweredTaken | OnSubmit::TakenLate,
            )
            | Situation::Query(OnQuery::NeverAnswered) => &self.hasty,
            Situation::Submit(_) | Situation::Query(_) => &self.usual,
        })))
    }

    async fn end(&self, number: AttemptNumber, end: End) -> Result<(), Failure> {
        let now = self.simulator.now();
        let step = Step {
            upstream: Some(self.upstream),
            order_id: Some(number.as_str().to_owned()),
            to: Some(match end {
                End::Succeeded => recharge_sim::End::Succeeded,
                End::Failed => recharge_sim::End::Failed,
                End::NotTakenOn => recharge_sim::End::NotTakenOn,
            }),
        };
        if self.simulator.world().step(now, &step).is_empty() {
            return Err(Failure::new("there is no taken order of this number"));
        }
        Ok(())
    }

    async fn quiet(&self) -> Result<(), Failure> {
        loop {
            let next = {
                let mut world = self.simulator.world();
                world.advance(self.simulator.now());
                world.next_event()
            };
            match next {
                Some(at) => {
                    let wait = at.saturating_sub(self.simulator.now());
                    // At least a moment, in which the simulator does what is due.
                    tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
                }
                None => return Ok(()),
            }
        }
    }

    async fn entry(&self, number: AttemptNumber) -> Result<Entry, Failure> {
        let mut world = self.simulator.world();
        world.advance(self.simulator.now());
        let queries = world.log().filter(|entry| {
            entry.order_id == number.as_str()
                && (entry.path.ends_with("/ordersta") || entry.path.ends_with("/orderdetail"))
        });
        let mut entry = Entry {
            queries: u32::try_from(queries.count()).unwrap_or(u32::MAX),
            ..Entry::default()
        };
        if let Some(row) = world.row(self.upstream, number.as_str()) {
            entry.submits = row.submits;
            entry.charges = row.charges;
            entry.state = match row.state {
                LedgerState::Charging => Some(UpstreamState::Charging),
                LedgerState::Succeeded => Some(UpstreamState::Succeeded),
                LedgerState::Failed => Some(UpstreamState::Failed),
                LedgerState::NotAccepted => None,
            };
            entry.account = row.account;
            entry.amount = row.amount;
            entry.upstream_order_id = row
                .upstream_id
                .map(|id| UpstreamOrderId::parse(&id))
                .transpose()
                .map_err(|error| Failure::new(error.to_string()))?;
        }
        Ok(entry)
    }

    async fn callback(
        &self,
        order: &SubmitRequest,
        end: End,
    ) -> Result<Option<CallbackSample>, Failure> {
        self.end(order.number, end).await?;
        let body = self.received(order.number).await?;
        let fields = form_urlencoded::parse(&body).into_owned().collect();
        let is_paid = end.state() == UpstreamState::Succeeded;
        Ok(Some(match self.upstream {
            Upstream::Juhe => CallbackSample {
                fields,
                signed: vec!["sporder_id", "orderid", "sign"],
                state: "sta",
                opposite: if is_paid { "9" } else { "1" },
            },
            Upstream::Jisu => CallbackSample {
                fields,
                signed: vec![
                    "orderno",
                    "outorderno",
                    "mobile",
                    "rechargestatus",
                    "amount",
                    "totalfee",
                    "sign",
                ],
                state: "rechargestatus",
                opposite: if is_paid { "2" } else { "1" },
            },
        }))
    }
}
