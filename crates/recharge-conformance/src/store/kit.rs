//! What the cases are made of: a store, a worker on it, and orders that go their way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use recharge_core::{
    Account, AccountKind, Answer, Call, Capabilities, Doubt, DoubtKind, FaceValue, MerchantId,
    Offer, OrderId, ProviderId, QueryOutcome, Receipt, Sighting, SubmitOutcome, UpstreamState,
};
use recharge_engine::store::{Accepted, Guards, Lease, OrderKey, Session, Stored};
use recharge_engine::{
    AcceptError, Acceptance, Command, Decision, Event, Input, Jitter, Moment, NewOrder, Order,
    Person, Policy, Purpose, Recorded, Route, SendToken, Step, Store, Times, Verdict, WallTime,
    step,
};

use super::{Fate, Harness};

/// When the cases begin, in milliseconds.
const BEGINNING: i64 = 1_800_000_000_000;

/// A store, and a worker that has begun on it.
#[derive(Debug)]
pub struct Scene {
    harness: Box<dyn Harness>,
    pub(super) store: Arc<dyn Store>,
    pub(super) session: Session,
    policy: Policy,
    next: AtomicU64,
}

impl Scene {
    /// Opens the store and begins.
    pub async fn open(harness: Box<dyn Harness>) -> Self {
        let store = harness.open().await;
        let session = store.begin().await.unwrap();
        let policy = policy(&session);
        Self {
            harness,
            store,
            session,
            policy,
            next: AtomicU64::new(1),
        }
    }

    /// The process dies, and another begins.
    pub(super) async fn crash(&mut self) {
        self.crash_without_beginning().await;
        self.begin().await;
    }

    pub(super) async fn crash_without_beginning(&mut self) {
        self.store = self.harness.crash().await;
    }

    pub(super) async fn begin(&mut self) -> Session {
        self.session = self.store.begin().await.unwrap();
        self.session.clone()
    }

    pub(super) fn next_commit(&self, fate: Fate) {
        self.harness.next_commit(fate);
    }

    pub(super) const fn lease(&self) -> Lease {
        self.session.lease
    }

    /// So many milliseconds after the beginning.
    pub(super) fn at(&self, millis: u64) -> Moment {
        Moment {
            wall: wall(millis),
            epoch: self.session.epoch,
            monotonic: Duration::from_millis(millis),
        }
    }

    /// An order of its own, with an account of its own.
    pub(super) fn fresh(&self, millis: u64) -> Acceptance {
        let n = self.next.fetch_add(1, Ordering::SeqCst);
        self.order(&format!("order-{n}"), n, 50, millis)
    }

    /// An order by its name, the number of its account, and its face value.
    pub(super) fn order(&self, id: &str, account: u64, yuan: u32, millis: u64) -> Acceptance {
        let account = format!("139{account:08}");
        let what = NewOrder::new(
            MerchantId::local(),
            OrderId::parse(id).unwrap(),
            Account::parse(AccountKind::Mobile, &account).unwrap(),
            FaceValue::from_yuan(yuan).unwrap(),
        );
        Acceptance {
            what,
            at: self.at(millis),
            held: false,
        }
    }

    /// Accepts without guards, unclaimed.
    pub(super) async fn accept(&self, acceptance: Acceptance) -> Stored {
        let accepted = self.try_accept(acceptance, Guards::default()).await;
        accepted.unwrap().stored
    }

    pub(super) async fn try_accept(
        &self,
        acceptance: Acceptance,
        guards: Guards,
    ) -> Result<Accepted, AcceptError> {
        self.store.accept(acceptance, guards, None).await
    }

    /// Accepts and claims.
    pub(super) async fn claimed(&self, millis: u64) -> Stored {
        let lease = Some(self.lease());
        let accepted = self
            .store
            .accept(self.fresh(millis), Guards::default(), lease)
            .await;
        accepted.unwrap().stored
    }

    pub(super) async fn read(&self, key: OrderKey) -> Stored {
        self.store.read(key).await.unwrap().unwrap()
    }

    /// What is due by then, claimed.
    pub(super) async fn claim_due(&self, millis: u64, limit: usize) -> Vec<OrderKey> {
        let claimed = self
            .store
            .claim_due(self.lease(), wall(millis), limit)
            .await;
        claimed.unwrap().iter().map(|stored| stored.key).collect()
    }

    fn step(&self, order: &Order, input: Input, millis: u64) -> Step {
        step(&self.policy, order, input, self.at(millis)).unwrap()
    }

    /// A pending order is due: it is to be sent under this token.
    pub(super) fn sends(&self, order: &Order, token: u128, millis: u64) -> Step {
        let input = Input::Due {
            token: SendToken(token),
            jitter: Jitter::default(),
        };
        self.step(order, input, millis)
    }

    /// The upstream acknowledges the send.
    pub(super) fn acknowledged(&self, order: &Order, token: u128, millis: u64) -> Step {
        let input = Input::SubmitEnded {
            attempt: 0,
            token: SendToken(token),
            outcome: SubmitOutcome::Accepted(Receipt::new(answer())),
            jitter: Jitter::default(),
        };
        self.step(order, input, millis)
    }

    /// The upstream is asked and says this.
    pub(super) fn told(&self, order: &Order, state: UpstreamState, millis: u64) -> Step {
        let input = Input::QueryEnded {
            attempt: 0,
            asked: self.at(millis),
            purpose: Purpose::Schedule,
            outcome: QueryOutcome::Found(Sighting::new(state, answer())),
            jitter: Jitter::default(),
        };
        self.step(order, input, millis)
    }

    /// Nobody wants the order any more.
    pub(super) fn cancelled(&self, order: &Order, millis: u64) -> Step {
        let decision = Decision {
            verdict: Verdict::Cancel,
            by: person("Li Lei"),
            evidence: "the customer called".to_owned(),
            seen: order.version(),
        };
        self.step(order, Input::Command(Command::Decide(decision)), millis)
    }

    /// A step that consists of these events, whatever `step` would make of them.
    pub(super) fn by_hand(&self, order: &Order, events: impl IntoIterator<Item = Event>) -> Step {
        let mut order = order.clone();
        let mut recorded = Vec::new();
        for event in events {
            let next = Recorded {
                version: order.version() + 1,
                at: self.at(1_234),
                event,
            };
            order.apply(&next).unwrap();
            recorded.push(next);
        }
        Step {
            events: recorded,
            notices: Vec::new(),
            alarms: Vec::new(),
            effects: Vec::new(),
            order,
        }
    }

    /// The order is due then, or never.
    pub(super) fn scheduled(&self, order: &Order, millis: Option<u64>) -> Step {
        let due = millis.map(wall);
        self.by_hand(order, [Event::Scheduled { due }])
    }

    /// Appends without a lease, and gives the order as it then is.
    pub(super) async fn append(&self, key: OrderKey, step: Step) -> Order {
        self.store.append(key, None, &step).await.unwrap();
        step.order
    }

    /// An order that is charging.
    pub(super) async fn charging(&self, millis: u64) -> Stored {
        let Stored { key, order } = self.accept(self.fresh(millis)).await;
        let order = self.append(key, self.sends(&order, 7, millis)).await;
        let order = self.append(key, self.acknowledged(&order, 7, millis)).await;
        Stored { key, order }
    }

    /// An order of which nobody knows whether it was taken.
    pub(super) async fn doubtful(&self, millis: u64) -> Stored {
        let Stored { key, order } = self.accept(self.fresh(millis)).await;
        let order = self.append(key, self.sends(&order, 7, millis)).await;
        let input = Input::SubmitEnded {
            attempt: 0,
            token: SendToken(7),
            outcome: SubmitOutcome::Unknown(Doubt::new(DoubtKind::NoAnswer, "it took too long")),
            jitter: Jitter::default(),
        };
        let order = self.append(key, self.step(&order, input, millis)).await;
        Stored { key, order }
    }

    /// An order that succeeded.
    pub(super) async fn succeeded(&self, millis: u64) -> Stored {
        let Stored { key, order } = self.charging(millis).await;
        let step = self.told(&order, UpstreamState::Succeeded, millis);
        let order = self.append(key, step).await;
        Stored { key, order }
    }

    /// An order that has long been charging and is on a desk.
    pub(super) async fn overdue(&self, millis: u64) -> Stored {
        let Stored { key, order } = self.charging(millis).await;
        let later = millis + 2 * 24 * 3_600_000;
        let step = self.told(&order, UpstreamState::Charging, later);
        let order = self.append(key, step).await;
        Stored { key, order }
    }

    /// An order that was cancelled.
    pub(super) async fn failed(&self, acceptance: Acceptance) -> Stored {
        let Stored { key, order } = self.accept(acceptance).await;
        let order = self.append(key, self.cancelled(&order, 0)).await;
        Stored { key, order }
    }
}

/// So many milliseconds after the beginning.
pub(super) fn wall(millis: u64) -> WallTime {
    WallTime::from_millis(BEGINNING).after(Duration::from_millis(millis))
}

pub(super) fn answer() -> Answer {
    let text = |text: &str| text.to_owned();
    Answer::restored(text("0"), text("成功"), text("{\"code\":\"0\"}"))
}

pub(super) fn person(name: &str) -> Person {
    Person::authenticated(name).unwrap()
}

pub(super) fn provider() -> ProviderId {
    ProviderId::parse("first").unwrap()
}

fn policy(session: &Session) -> Policy {
    let yuan = |yuan| FaceValue::from_yuan(yuan).unwrap();
    let offer = Offer::new(AccountKind::Mobile, vec![yuan(20), yuan(50), yuan(100)]);
    let capabilities = Capabilities::new(vec![offer.clone()], vec![Call::Submit, Call::Query]);
    let route = Route::new(provider(), &capabilities, offer);
    Policy::new(vec![route], Times::default(), session.numbers.clone())
}
