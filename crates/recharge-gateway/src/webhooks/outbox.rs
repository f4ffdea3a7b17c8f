//! [`Outbox`]: the task that takes what is due out of the store, and delivers it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use recharge_core::MerchantId;
use recharge_engine::store::{Delivery, Message, Stored, Told};
use recharge_engine::{Notice, StoreError, record};
use recharge_store::registry::KeyKind;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};

use super::address::Address;
use super::client::{Client, ClientError, Outgoing};
use super::event::Signed;
use super::pace::Failed;
use super::route::{self, Way};
use super::{event, upstream_form};
use crate::app::App;
use crate::ring::Key;
use crate::trace;

/// How many messages are under way at a time.
pub const AT_ONCE: usize = 64;
/// How many are read at once.
const BATCH: usize = 256;
/// After how long it is tried again to write down what came of a delivery.
const WRITE_AGAIN: Duration = Duration::from_secs(1);
/// How often it is looked whether there is something to sign with by now.
const SIGN_AGAIN: Duration = Duration::from_mins(1);
/// How often it is looked at messages that are not for us to tell.
const NOT_OURS: Duration = Duration::from_hours(24);

/// Delivers what the store has to tell.
#[derive(Debug)]
pub struct Outbox {
    app: Arc<App>,
    client: Client,
}

/// What came of one try.
enum Outcome {
    /// It has arrived, or there is nobody to tell.
    Told,
    /// It isn't for us.
    Leave,
    /// It has not arrived.
    Failed { trouble: String, as_juhe: bool },
    /// The store could not be read: nothing was tried.
    Unread(StoreError),
    /// There is nothing to sign with: nothing was tried, and what is the operator's to mend doesn't count.
    Unsigned,
}

impl Outbox {
    /// An outbox of that service.
    pub fn new(app: Arc<App>) -> Result<Self, ClientError> {
        let settings = &app.settings;
        let client = Client::new(settings.pace.answer_within, settings.allow_private_webhooks)?;
        Ok(Self { app, client })
    }

    /// Delivers until it is told to stop; then lets what is under way come to its end.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        let pace = self.app.settings.pace.clone();
        let this = Arc::new(self);
        let mut queue = VecDeque::new();
        let mut busy: HashMap<Id, Message> = HashMap::new();
        let mut at_work = JoinSet::new();
        loop {
            if queue.is_empty() && at_work.len() < AT_ONCE {
                queue = this.due(&busy).await;
            }
            while at_work.len() < AT_ONCE
                && let Some(message) = queue.pop_front()
            {
                let task = Arc::clone(&this).deliver(message.clone());
                busy.insert(at_work.spawn(task).id(), message);
            }
            tokio::select! {
                biased;
                // Without a sender there is nobody left to serve.
                _ = stopped.changed() => break,
                Some(ended) = at_work.join_next_with_id() => Self::ended(ended, &mut busy),
                () = tokio::time::sleep(pace.look) => {}
            }
            while let Some(ended) = at_work.try_join_next_with_id() {
                Self::ended(ended, &mut busy);
            }
        }
        let rest = async { while at_work.join_next().await.is_some() {} };
        // What is cut off has not been marked, and is told again.
        drop(tokio::time::timeout(pace.answer_within, rest).await);
    }

    fn ended(ended: Result<(Id, ()), JoinError>, busy: &mut HashMap<Id, Message>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!("a delivery broke off");
                error.id()
            }
        };
        drop(busy.remove(&id));
    }

    /// What is due and not under way.
    async fn due(&self, busy: &HashMap<Id, Message>) -> VecDeque<Message> {
        let found = self
            .app
            .store()
            .messages_due(self.app.now(), BATCH + busy.len())
            .await;
        let found = found.unwrap_or_else(|error| {
            tracing::warn!(%error, "what is to be told can't be read");
            Vec::new()
        });
        let under_way = |it: &Message| busy.values().any(|other| other.id == it.id);
        found.into_iter().filter(|it| !under_way(it)).collect()
    }

    /// Tries a message, and writes down what came of it, however long that takes: one that has arrived must
    /// not be told again and again while the store can't be written.
    async fn deliver(self: Arc<Self>, message: Message) {
        let outcome = self.try_once(&message).await;
        let delivery = self.stands(&message, outcome);
        loop {
            let store = self.app.store();
            let written = match &delivery {
                None => store.delivered(&[message.id]).await,
                Some(delivery) => store.put_off(message.id, delivery.clone()).await,
            };
            let Err(error) = written else { return };
            tracing::warn!(message = message.id, %error, "what came of a delivery is not written down yet");
            tokio::time::sleep(WRITE_AGAIN).await;
        }
    }

    /// How the delivery stands after that; `None`: it is done.
    fn stands(&self, message: &Message, outcome: Outcome) -> Option<Delivery> {
        let (tally, pace) = (&self.app.tally, &self.app.settings.pace);
        let now = self.app.now();
        let later = |wait| Delivery {
            next: Some(now.after(wait)),
            ..message.delivery.clone()
        };
        match outcome {
            Outcome::Told => None,
            Outcome::Leave => Some(later(NOT_OURS)),
            Outcome::Unread(error) => {
                tracing::warn!(message = message.id, %error, "an order can't be read, and is told of later");
                Some(later(WRITE_AGAIN))
            }
            Outcome::Unsigned => Some(Delivery {
                trouble: Some(NO_SECRET.to_owned()),
                ..later(SIGN_AGAIN)
            }),
            Outcome::Failed { trouble, as_juhe } => {
                let failed = Failed {
                    before: &message.delivery,
                    since: message.since,
                    as_juhe,
                    trouble: &trouble,
                };
                let delivery = pace.after_failure(&failed, now);
                let given_up = delivery.next.is_none();
                tally.count_failed(given_up);
                let (merchant, order_id) =
                    (message.merchant.as_str(), trace::shown(&message.order_id));
                let tries = delivery.tries;
                if given_up {
                    tracing::error!(
                        message = message.id,
                        merchant,
                        order_id,
                        tries,
                        trouble,
                        "a notice is given up; it can be sent again"
                    );
                } else {
                    tracing::info!(
                        message = message.id,
                        merchant,
                        order_id,
                        tries,
                        trouble,
                        "a notice has not arrived"
                    );
                }
                Some(delivery)
            }
        }
    }

    async fn try_once(&self, message: &Message) -> Outcome {
        // The command line tells its own.
        if message.merchant == MerchantId::local() {
            return Outcome::Leave;
        }
        let notice = match message.what {
            Told::Notice(notice) => notice,
            Told::Alarm { version, alarm } => {
                self.app.tally.count_alarm();
                tracing::warn!(
                    merchant = message.merchant.as_str(),
                    order_id = trace::shown(&message.order_id),
                    version,
                    reason = &*record::alarm_text(alarm),
                    "an order needs a person"
                );
                return Outcome::Told;
            }
        };
        let stored = match self.app.store().read(message.key).await {
            Ok(Some(stored)) => stored,
            // Orders aren't deleted, so nobody can be waiting for this one.
            Ok(None) => return Outcome::Told,
            Err(error) => return Outcome::Unread(error),
        };
        let (tried, as_juhe) = match route::of(&self.app, &stored) {
            Way::Nowhere => return Outcome::Told,
            Way::Webhook { secret: None, .. } => return Outcome::Unsigned,
            Way::UpstreamForm { key, .. } if key.secret.is_none() => return Outcome::Unsigned,
            Way::Webhook {
                url,
                secret: Some(secret),
            } => {
                let tried = self.webhook(message, notice, &stored, &url, &secret);
                (tried.await, false)
            }
            Way::UpstreamForm { url, key } => (
                self.upstream_form(notice, &stored, &url, &key).await,
                key.stored.kind == KeyKind::Juhe,
            ),
        };
        match tried {
            Ok(()) => {
                self.app.tally.count_delivered();
                Outcome::Told
            }
            Err(trouble) => Outcome::Failed { trouble, as_juhe },
        }
    }

    async fn webhook(
        &self,
        message: &Message,
        notice: Notice,
        stored: &Stored,
        url: &str,
        secret: &recharge_core::SecretString,
    ) -> Result<(), String> {
        let to = self.address(url)?;
        let body = event::body(stored, notice, message.since);
        // Of this try: a receiver refuses what was signed long ago.
        let signed = Signed::new(secret, event::id(message), self.app.now(), &body);
        let headers = signed.ok_or(NO_SECRET)?.into_headers();
        let headers = headers.map_err(|error| error.to_string())?;
        let answered = self.client.post(Outgoing { to, headers, body }).await?;
        if answered.status.is_success() {
            Ok(())
        } else {
            Err(format!("the answer was {}", answered.status.as_u16()))
        }
    }

    async fn upstream_form(
        &self,
        notice: Notice,
        stored: &Stored,
        url: &str,
        key: &Key,
    ) -> Result<(), String> {
        let Some(body) = upstream_form::body(key, stored, notice.state) else {
            return Ok(());
        };
        let (to, body) = (self.address(url)?, body?);
        let mut headers = HeaderMap::new();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form);
        let answered = self.client.post(Outgoing { to, headers, body }).await?;
        let status = answered.status;
        if !status.is_success() {
            return Err(format!("the answer was {}", status.as_u16()));
        }
        match answered.body {
            Some(body) if upstream_form::is_success(&body) => Ok(()),
            Some(_) | None => Err("the answer was not `success`".to_owned()),
        }
    }

    fn address(&self, url: &str) -> Result<Address, String> {
        let checked = self.app.settings.told_at(url);
        checked.map_err(|error| error.to_string())
    }
}

const NO_SECRET: &str = "there is no webhook secret that can be opened: the operator looks after the master key, or a new secret is made";
