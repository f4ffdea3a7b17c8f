//! [`Store`]: the memory of the engine, and what each of its methods means after a crash.
//!
//! A store keeps, for each order, what was accepted and the log of its events. Nothing else is the
//! truth: state, version, due time and the numbers of attempts are kept beside the log so that orders can
//! be found, and follow from it. Every method that writes answers only when what it wrote is durable:
//! after any crash that follows, a store that is opened again has it.

mod counts;
mod error;
mod filter;
mod inbox;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use recharge_core::{AttemptNumber, MerchantId, OrderId, OrderState, ProviderId};

pub use counts::{Commits, Statistics};
pub use error::{AcceptError, AccountLimit, AppendError, StoreError};
pub use filter::Filter;
pub use inbox::{InboxEntry, KeptCallback};

use crate::{Acceptance, Alarm, Epoch, Notice, NumberKey, Order, Recorded, Step, WallTime};

/// The store's own name of an order: rising in the order of acceptance, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey(pub u64);

/// Under which a worker claims orders. It dies with the worker: when another begins on the same store, claims,
/// sends and decisions under an earlier one are refused; facts are still taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lease(pub u64);

/// What a worker is given when it [begins](Store::begin).
#[derive(Debug, Clone)]
pub struct Session {
    /// Its lease.
    pub lease: Lease,
    /// The epoch of its clock.
    pub epoch: Epoch,
    /// The installation's key, made when the store was.
    pub numbers: NumberKey,
    /// The hold of a restored backup, if one is in force.
    pub hold: Option<Hold>,
}

/// The hold of a restored backup, which may not know what was sent since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The open orders have not all been held yet.
    Restored,
    /// They have; new ones are held as well, because their merchant may have sent them before, until workers
    /// have run for so much longer. No wall clock has a say: one that was set wrong while nobody ran would end
    /// it early.
    For(Duration),
}

/// An order as a store hands it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: OrderKey,
    /// The order: the fold of its log.
    pub order: Order,
}

/// What [`Store::accept`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The order, as it now stands.
    pub stored: Stored,
    /// Whether it is new. If not, the merchant has sent it again.
    pub new: bool,
}

/// What is looked at, in the same transaction, before a new order is taken. The default looks at nothing.
///
/// Not `non_exhaustive`, so that a store which would pass over a new guard doesn't compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guards {
    /// An order for the same account and face value, accepted since then and not failed, stands in the
    /// way.
    pub duplicate_since: Option<WallTime>,
    /// What an account may be charged with since then, orders that failed not counted.
    pub account: Option<AccountLimits>,
}

/// How much one account, by kind and text, may be charged with. The new order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountLimits {
    /// Orders accepted at or after this count: the beginning of the day.
    pub since: WallTime,
    /// How many orders.
    pub orders: Option<u32>,
    /// How many yuan, by face value.
    pub yuan: Option<u32>,
}

/// Where an order stands, without its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brief {
    /// Its key.
    pub key: OrderKey,
    /// Its state.
    pub state: OrderState,
    /// When it is due.
    pub due: Option<WallTime>,
}

/// A notice or an alarm that waits to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// By which it is [marked as delivered](Store::delivered). Rising.
    pub id: u64,
    /// The order.
    pub key: OrderKey,
    /// Its merchant.
    pub merchant: MerchantId,
    /// Its name.
    pub order_id: OrderId,
    /// What is to be told.
    pub what: Told,
    /// When it became so.
    pub since: WallTime,
    /// How its delivery stands.
    pub delivery: Delivery,
}

/// How the delivery of a message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// How many times it was tried in vain.
    pub tries: u32,
    /// When it is tried next; `None`: it has been given up, and waits for a person.
    pub next: Option<WallTime>,
    /// Why the last try failed: for an operator, without secrets, at most 200 characters are kept.
    pub trouble: Option<String>,
}

impl Delivery {
    /// One that has not been tried.
    pub const fn at(next: WallTime) -> Self {
        Self {
            tries: 0,
            next: Some(next),
            trouble: None,
        }
    }
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// To the merchant.
    Notice(Notice),
    /// To an operator, of the order at this version.
    Alarm {
        /// The version.
        version: u64,
        /// Of what.
        alarm: Alarm,
    },
}

/// Where orders are kept. The store suite of the conformance crate checks an implementation.
///
/// **One worker at a time.** Any number of tasks call a store at once, all of the worker that has begun
/// last. What an earlier one does under its [`Lease`] is refused: [`claim_due`](Self::claim_due) gives it
/// nothing, [`accept`](Self::accept) takes its orders unclaimed, [`claim`](Self::claim) and
/// [`append`](Self::append) answer [`AppendError::LeaseLost`], and [`release`](Self::release) does nothing.
///
/// **Reads** are never older than the last answer of a write, and never show what a crash could undo.
///
/// **A future that is dropped** before it answers has done what it was to do, or nothing of it. A claim
/// that nobody was told of is given back, at the latest when another worker begins.
///
/// **Errors.** [`StoreError`] says for each of its kinds what is known, and what the caller may do.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// A worker begins. Every claim that an earlier one made on this store is void from now on.
    ///
    /// After a crash: lease and epoch that were given out are never given out again.
    async fn begin(&self) -> Result<Session, StoreError>;

    /// The next epoch, after a jump of the clock. `None` once another worker has begun: an epoch given out now would
    /// be later than that worker's, whose waits for what was written down in it would never end.
    ///
    /// After a crash: it is never given out again.
    async fn next_epoch(&self, lease: Lease) -> Result<Option<Epoch>, StoreError>;

    /// Takes an order, once for each merchant and order id: the same content again is the same order,
    /// whatever the guards say; other content is a conflict. The guards see every order accepted before.
    /// With a lease, a new order is claimed at once.
    ///
    /// After a crash: an order that was answered for is there. After [`StoreError::Unknown`] it may be, and
    /// then nobody has claimed it; to accept it again is harmless.
    async fn accept(
        &self,
        acceptance: Acceptance,
        guards: Guards,
        lease: Option<Lease>,
    ) -> Result<Accepted, AcceptError>;

    /// Claims up to `limit` orders that are due at `now` or before and that nobody has claimed, the longest
    /// due first.
    ///
    /// After a crash: claims are gone; the orders are due as before.
    async fn claim_due(
        &self,
        lease: Lease,
        now: WallTime,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError>;

    /// Claims one order, due or not, for a person's command or a callback. `None` when somebody has it,
    /// this worker included. Never answers [`AppendError::Version`].
    ///
    /// After a crash: the claim is gone.
    async fn claim(&self, lease: Lease, key: OrderKey) -> Result<Option<Stored>, AppendError>;

    /// Gives claimed orders back. They are claimed again when they are due. What is not claimed under this
    /// lease is passed over.
    async fn release(&self, lease: Lease, keys: &[OrderKey]) -> Result<(), StoreError>;

    /// When the next order is due that nobody has claimed; a time past is one that can be claimed now.
    async fn next_due(&self) -> Result<Option<WallTime>, StoreError>;

    /// Appends the events of a step, with its notices and alarms, at the version that the step was made
    /// of: all of it or nothing. With a lease only if the order is claimed under it: steps that claim,
    /// send or decide come with one, facts without.
    ///
    /// After a crash: what was answered for is there, whole. After [`StoreError::Unknown`] all of it is
    /// there or nothing is: read back, and compare [`Attempt::open_token`](crate::Attempt::open_token)
    /// before any byte is sent.
    async fn append(
        &self,
        key: OrderKey,
        lease: Option<Lease>,
        step: &Step,
    ) -> Result<(), AppendError>;

    /// Appends the events of a step that a [kept](Self::keep_callback) callback made, a fact, and marks the
    /// callback as [handled](Self::handled).
    ///
    /// After a crash: as after [`append`](Self::append), and the callback may be unhandled again. A store that
    /// can does both in one transaction.
    async fn append_heard(
        &self,
        key: OrderKey,
        step: &Step,
        callback: u64,
    ) -> Result<(), AppendError> {
        self.append(key, None, step).await?;
        // What is not marked is told again at the next start, which is harmless.
        drop(self.handled(callback).await);
        Ok(())
    }

    /// The order, as its log has it.
    async fn read(&self, key: OrderKey) -> Result<Option<Stored>, StoreError>;

    /// The key of a merchant's order.
    async fn find(
        &self,
        merchant: &MerchantId,
        order_id: &OrderId,
    ) -> Result<Option<OrderKey>, StoreError>;

    /// The log of an order: every event, versions 1, 2, 3 and so on. Empty when there is no such order.
    async fn log(&self, key: OrderKey) -> Result<Vec<Recorded>, StoreError>;

    /// Up to `limit` orders that the filter lets through, the newest first: by when they were accepted, and by
    /// key within a millisecond. The key of the last one is the `before` of the next page. A page of one
    /// merchant's orders takes as long among a million as among a few; without a merchant all are looked at.
    async fn list(
        &self,
        filter: &Filter,
        before: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError>;

    /// How many orders the filter lets through, by [the name of their state](OrderState::as_str); states without
    /// orders are left out.
    async fn count(&self, filter: &Filter) -> Result<Vec<(&'static str, u64)>, StoreError>;

    /// For recovery, in rising order of keys after `after`: orders that have not ended, and those that are
    /// due only later than `beyond`.
    async fn survey(
        &self,
        beyond: WallTime,
        after: Option<OrderKey>,
        limit: usize,
    ) -> Result<Vec<Brief>, StoreError>;

    /// Writes something that means nothing, durably: whether the store can be written now.
    async fn probe(&self) -> Result<(), StoreError>;

    /// How many orders there are, and what waits. It takes as long among a million orders as among a few.
    async fn statistics(&self) -> Result<Statistics, StoreError>;

    /// How its writes were made durable, if it counts that.
    fn commits(&self) -> Commits {
        Commits::default()
    }

    /// Keeps a callback, once for each provider, number, upstream number and claim; then it may be
    /// answered.
    ///
    /// After a crash: one that was answered for is there, and [unhandled](Self::unhandled) until it is
    /// marked.
    async fn keep_callback(
        &self,
        callback: KeptCallback,
        at: WallTime,
    ) -> Result<InboxEntry, StoreError>;

    /// Callbacks of known orders that have not been marked as handled, oldest first.
    async fn unhandled(&self, limit: usize) -> Result<Vec<InboxEntry>, StoreError>;

    /// Marks a callback as handled: the order has heard of it. One that is marked already, or isn't there,
    /// is no error.
    ///
    /// After a crash between handling and mark it is [unhandled](Self::unhandled) again.
    async fn handled(&self, id: u64) -> Result<(), StoreError>;

    /// Up to `limit` messages that have not been delivered, the oldest first, with ids above `after`; from 0
    /// all of them.
    async fn messages(&self, after: u64, limit: usize) -> Result<Vec<Message>, StoreError>;

    /// Up to `limit` messages whose time has come at `now`, the longest due first. Of an order's notices, and
    /// of its alarms, only the oldest that has not been given up: so that versions rise where they are told.
    async fn messages_due(&self, now: WallTime, limit: usize) -> Result<Vec<Message>, StoreError>;

    /// When the next message is due; a time past is one that can be delivered now.
    async fn next_message(&self) -> Result<Option<WallTime>, StoreError>;

    /// A delivery has failed, is given up, or begins anew. One that is not there is no error.
    ///
    /// After a crash before it: it is due as before.
    async fn put_off(&self, id: u64, delivery: Delivery) -> Result<(), StoreError>;

    /// Marks messages as delivered. They are forgotten; ids that are not there are no error.
    ///
    /// After a crash between delivery and mark they are delivered again.
    async fn delivered(&self, ids: &[u64]) -> Result<(), StoreError>;

    /// Every open order has been held, and the hold stays for as long as workers run so much longer; or, with
    /// `None`, is over. Milliseconds count.
    ///
    /// After a crash before it: the next worker is told of the hold as it was; one that has not begun holds
    /// every open order again.
    async fn set_hold(&self, left: Option<Duration>) -> Result<(), StoreError>;
}

/// The attempts that a step began: index, number and provider. A store keeps them to tell
/// [whose a callback is](InboxEntry::whose).
pub fn begun(step: &Step) -> impl Iterator<Item = (u32, AttemptNumber, &ProviderId)> {
    use crate::Event::{
        Adopted, Answered, Approved, AskedAgain, CallbackSeen, Decided, Held, Moved, Priced,
        Probed, Recovered, Scheduled, SendEnded, SendIntended,
    };
    step.events
        .iter()
        .filter_map(|recorded| match &recorded.event {
            SendIntended {
                attempt,
                number,
                provider,
                ..
            }
            | Adopted {
                attempt,
                number,
                provider,
            } => Some((*attempt, *number, provider)),
            SendEnded { .. }
            | Answered { .. }
            | CallbackSeen { .. }
            | Approved { .. }
            | Decided { .. }
            | AskedAgain { .. }
            | Moved { .. }
            | Recovered
            | Held
            | Probed { .. }
            | Priced { .. }
            | Scheduled { .. } => None,
        })
}
