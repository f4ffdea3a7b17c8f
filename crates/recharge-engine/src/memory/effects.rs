//! Doing what a step asks for, and telling the next step what became of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use recharge_core::{
    Doubt, DoubtKind, Provider, ProviderId, QueryOutcome, SubmitOutcome, SubmitRequest,
    Unavailable, UnavailableKind,
};

use super::{MemoryDriver, Name};
use crate::{Effect, Input, Purpose, SendToken};

impl MemoryDriver {
    pub(super) async fn carry_out(&self, name: &Name, effects: Vec<Effect>) {
        let mut todo = VecDeque::from(effects);
        while let Some(effect) = todo.pop_front() {
            let more = match effect {
                Effect::Submit {
                    attempt,
                    provider,
                    token,
                    send_within,
                    ..
                } => {
                    self.submit(name, attempt, &provider, token, send_within)
                        .await
                }
                Effect::Query {
                    attempt,
                    provider,
                    purpose,
                    ..
                } => self.query(name, attempt, &provider, purpose).await,
            };
            todo.extend(more);
        }
    }

    async fn submit(
        &self,
        name: &Name,
        attempt: u32,
        provider: &ProviderId,
        token: SendToken,
        send_within: Duration,
    ) -> Vec<Effect> {
        let Some((provider, mut request)) = self.call(name, attempt, provider) else {
            return Vec::new();
        };
        request.send_before = Instant::now().checked_add(send_within);
        // The times of "no such order" count on it that no byte is under way after this; a dropped future
        // sends none.
        let limit = send_within.saturating_add(self.request_timeout);
        let outcome = match tokio::time::timeout(limit, provider.submit(&request)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => {
                let detail = format!("the provider took longer than {limit:?}");
                SubmitOutcome::Unknown(Doubt::new(DoubtKind::Dropped, detail))
            }
        };
        self.write_down(name, |_, jitter| Input::SubmitEnded {
            attempt,
            token,
            outcome,
            jitter,
        })
        .unwrap_or_default()
    }

    async fn query(
        &self,
        name: &Name,
        attempt: u32,
        provider: &ProviderId,
        purpose: Purpose,
    ) -> Vec<Effect> {
        let Some((provider, request)) = self.call(name, attempt, provider) else {
            return Vec::new();
        };
        let asked = self.clock.now();
        let limit = self.request_timeout;
        let outcome = match tokio::time::timeout(limit, provider.query(&request.query())).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => {
                let detail = format!("the provider took longer than {limit:?}");
                QueryOutcome::Unavailable(Unavailable::new(UnavailableKind::Transport, detail))
            }
        };
        self.write_down(name, |_, jitter| Input::QueryEnded {
            attempt,
            asked,
            purpose,
            outcome,
            jitter,
        })
        .unwrap_or_default()
    }

    /// The provider of an attempt, and what goes there.
    fn call(
        &self,
        name: &Name,
        attempt: u32,
        provider: &ProviderId,
    ) -> Option<(Arc<dyn Provider>, SubmitRequest)> {
        let provider = self.providers.get(provider)?.clone();
        let orders = self.lock();
        let order = &orders.by_name.get(name)?.order;
        Some((provider, order.request(order.attempt(attempt)?)))
    }
}
