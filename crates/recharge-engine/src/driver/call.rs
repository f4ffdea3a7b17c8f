//! The calls to a provider, none of which takes longer than it may.

use std::time::Duration;

use recharge_core::{
    CallErrorKind, Doubt, DoubtKind, NotSent, QueryOutcome, SubmitOutcome, SubmitRequest,
    Unavailable, UnavailableKind,
};

use super::core::{Core, Held};
use super::gate::Upstream;
use crate::{Price, SendToken};

impl Core {
    /// Sends. The deadline counts from the moment of the step, which is before the commit: sooner is on
    /// the safe side.
    pub(super) async fn submit(
        &self,
        held: &Held,
        upstream: &Upstream,
        attempt: u32,
        token: SendToken,
        within: Duration,
    ) -> SubmitOutcome {
        let (request, intended) = {
            let order = held.order.lock().await;
            let known = order.attempt(attempt);
            let ours = known.filter(|attempt| attempt.open_token() == Some(token));
            match ours.and_then(|known| Some((order.request(known), known.last_intended()?))) {
                Some(found) => found,
                None => return not_sent("the order has gone on since"),
            }
        };
        let Some(deadline) = self.clock.instant(intended, within) else {
            return not_sent("the clock has jumped since the intent was written down");
        };
        let now = self.clock.now();
        if now.epoch != intended.epoch || now.elapsed_since(intended) >= within {
            return not_sent("the send deadline has passed");
        }
        let mut request: SubmitRequest = request;
        request.send_before = Some(deadline);
        // The waits after "no such order" count on it that no byte is under way after this; a dropped
        // future sends none.
        let limit = within.saturating_sub(now.elapsed_since(intended));
        let limit = limit.saturating_add(self.times.request_timeout);
        let outcome = tokio::select! {
            biased;
            outcome = upstream.provider.submit(&request) => outcome,
            () = self.clock.sleep(limit) => SubmitOutcome::Unknown(Doubt::new(
                DoubtKind::Dropped,
                format!("the provider took longer than {limit:?}"),
            )),
        };
        upstream.submitted(&outcome, self.clock.now().monotonic);
        outcome
    }

    pub(super) async fn ask(&self, upstream: &Upstream, request: &SubmitRequest) -> QueryOutcome {
        let limit = self.times.request_timeout;
        let request = request.query();
        let outcome = tokio::select! {
            biased;
            outcome = upstream.provider.query(&request) => outcome,
            () = self.clock.sleep(limit) => QueryOutcome::Unavailable(Unavailable::new(
                UnavailableKind::Transport,
                format!("the provider took longer than {limit:?}"),
            )),
        };
        upstream.asked(&outcome, self.clock.now().monotonic);
        outcome
    }

    pub(super) async fn quote(&self, held: &Held, upstream: &Upstream) -> Price {
        let what = held.order.lock().await.what().clone();
        let limit = self.times.request_timeout;
        let quoted = tokio::select! {
            biased;
            quoted = upstream.provider.quote(&what.account, what.amount) => quoted,
            () = self.clock.sleep(limit) => {
                return Price::Unavailable(format!("the provider took longer than {limit:?}"));
            }
        };
        match quoted {
            Ok(quote) => Price::Known(quote.price),
            Err(error) if error.kind == CallErrorKind::Unsupported => Price::NoQuote,
            Err(error) => Price::Unavailable(error.to_string()),
        }
    }
}

fn not_sent(why: &str) -> SubmitOutcome {
    SubmitOutcome::NotSent(NotSent::new(why))
}
