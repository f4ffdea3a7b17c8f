//! The calls to a provider, none of which takes longer than it may.

use std::time::Duration;

use recharge_core::{
    AttemptNumber, CallErrorKind, Doubt, DoubtKind, NotSent, QueryOutcome, SubmitOutcome,
    Unavailable, UnavailableKind,
};

use super::core::{Core, Held};
use super::decide::{self, Window};
use super::gate::Upstream;
use super::trace;
use crate::{Moment, Price, SendToken};

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
        let window = {
            let order = held.order.lock().await;
            decide::window(&order, attempt, token, within, self.clock.now())
        };
        let Window {
            mut request,
            intended,
            within,
        } = match window {
            Ok(window) => window,
            Err(why) => return not_sent(why),
        };
        let Some(deadline) = self.clock.instant(intended, within) else {
            return not_sent(decide::JUMPED);
        };
        request.send_before = Some(deadline);
        let now = self.clock.now();
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
        trace::submitted(&outcome);
        upstream.submitted(&outcome, self.clock.now().monotonic);
        outcome
    }

    /// Asks about a number of an order. When it was asked, and what came of it.
    pub(super) async fn ask_about(
        &self,
        held: &Held,
        upstream: &Upstream,
        number: AttemptNumber,
    ) -> (Moment, QueryOutcome) {
        let request = held.order.lock().await.request_with(number).query();
        let asked = self.clock.now();
        let limit = self.times.request_timeout;
        let outcome = tokio::select! {
            biased;
            outcome = upstream.provider.query(&request) => outcome,
            () = self.clock.sleep(limit) => QueryOutcome::Unavailable(Unavailable::new(
                UnavailableKind::Transport,
                format!("the provider took longer than {limit:?}"),
            )),
        };
        trace::asked(&outcome);
        upstream.asked(&outcome, self.clock.now().monotonic);
        (asked, outcome)
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
