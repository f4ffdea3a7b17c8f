//! What a driver decides, without the hands that carry it out: whether an order has its turn, what an append
//! came to, whether a send may still go out, and who is told of a start.
//!
//! The driver makes each of these decisions here, and so does whoever searches through all that can become of
//! an order.

use std::time::Duration;

use recharge_core::SubmitRequest;

pub use super::recovery::{Occasion, must_be_told};
use crate::{AppendError, Moment, Order, SendToken, Step, StoreError};

/// Whether an order has its turn now.
pub fn is_due(order: &Order, now: Moment) -> bool {
    order.due().is_some_and(|due| due <= now.wall)
}

/// What an append came to.
#[derive(Debug)]
pub enum Wrote {
    /// The step is durable; its effects are to be done.
    Durable,
    /// The order had gone on. It is to be read, and stepped once more.
    Behind,
    /// The claim is void. It is to be made again, or the order left to whoever has it.
    Unclaimed,
    /// Nobody knows. What is read back is to be [compared](is_ours).
    Unknown,
    /// A fact, which is worth waiting for: the same is to be tried again.
    Waits(String),
    /// It comes again by itself, or never.
    Fails(AppendError),
}

/// What an append came to, made with a lease or without.
pub fn wrote(result: Result<(), AppendError>, leased: bool) -> Wrote {
    match result {
        Ok(()) => Wrote::Durable,
        Err(AppendError::Version { .. }) => Wrote::Behind,
        Err(AppendError::LeaseLost) => Wrote::Unclaimed,
        Err(AppendError::Store(StoreError::Unknown(_))) => Wrote::Unknown,
        Err(AppendError::Store(StoreError::Unavailable(why))) if !leased => Wrote::Waits(why),
        Err(error @ (AppendError::NoSuchOrder | AppendError::Store(_))) => Wrote::Fails(error),
    }
}

/// Whether these very events are what was read back, token and all; that says who may act on them.
pub fn is_ours(read: &Order, made: &Step) -> bool {
    *read == made.order
}

/// What may be sent, and until when.
#[derive(Debug)]
pub struct Window {
    /// What goes out.
    pub request: SubmitRequest,
    /// The moment from which its deadline counts.
    pub intended: Moment,
    /// How long after that moment the first byte may go out.
    pub within: Duration,
}

/// Whether a send may go out, as far as the order at hand tells: only with the token of the intent, in the
/// epoch in which it was written down, and within its deadline.
pub fn window(
    order: &Order,
    attempt: u32,
    token: SendToken,
    within: Duration,
    now: Moment,
) -> Result<Window, &'static str> {
    let known = order.attempt(attempt);
    let ours = known.filter(|attempt| attempt.open_token() == Some(token));
    let Some((request, intended)) =
        ours.and_then(|known| Some((order.request(known), known.last_intended()?)))
    else {
        return Err("the order has gone on since");
    };
    if now.epoch != intended.epoch {
        return Err(JUMPED);
    }
    if request.account.is_forgotten() {
        return Err("only the masked form of its account is left");
    }
    if now.elapsed_since(intended) >= within {
        return Err("the send deadline has passed");
    }
    Ok(Window {
        request,
        intended,
        within,
    })
}

/// Why a deadline of an earlier epoch is one that has passed.
pub(super) const JUMPED: &str = "the clock has jumped since the intent was written down";
