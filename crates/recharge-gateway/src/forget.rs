//! Phone numbers are forgotten by age, once a day, if the operator has said after how long.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;

/// How often.
const DAY: Duration = Duration::from_hours(24);

/// Forgets at once and then daily.
pub async fn daily(app: Arc<App>, after: Duration) {
    loop {
        once(&app, after).await;
        tokio::time::sleep(DAY).await;
    }
}

/// Masks the accounts of orders whose last event is older, and that nobody asks about any more.
pub async fn once(app: &App, after: Duration) {
    let (registry, before) = (Arc::clone(&app.registry), app.now().before(after));
    // It reads all orders; nobody else is to wait for that.
    match tokio::task::spawn_blocking(move || registry.forget(before)).await {
        Ok(Ok(orders)) => tracing::info!(orders, "accounts are forgotten"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "accounts are not forgotten; it is tried again in a day");
        }
        Err(_) => tracing::error!("forgetting accounts broke off"),
    }
}
