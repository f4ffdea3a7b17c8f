//! Our balances, asked for now and then, so that the figures have them before anybody looks.

use std::sync::Arc;
use std::time::Duration;

use recharge_core::CallErrorKind;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::app::App;

/// The longest that an upstream is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks every provider for our balance, at once and then so often, until the task is aborted. The figures hear the
/// answer where every answer is heard; one that can't be had leaves the last one standing, with its age.
pub async fn keep_up(app: Arc<App>, every: Duration) {
    let mut due = interval(every);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        for provider in &app.providers {
            let told = match timeout(PATIENCE, provider.balance()).await {
                Ok(Ok(_)) => continue,
                Ok(Err(error)) if error.kind == CallErrorKind::Unsupported => continue,
                // What the upstream wrote is not repeated.
                Ok(Err(error)) => format!("{:?}", error.kind),
                Err(_) => "it took too long".to_owned(),
            };
            tracing::warn!(provider = %provider.id(), trouble = told, "the balance can't be learnt");
        }
    }
}
