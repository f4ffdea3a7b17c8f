//! Phone numbers are forgotten by age.

use std::time::Duration;

use recharge_gateway::forget;
use recharge_sim::Settle;

use crate::kit::{Scene, order, place, until};

#[tokio::test]
async fn of_an_order_that_has_ended_the_account_is_masked_when_it_is_old_enough() {
    let scene = Scene::new(Settle::After(Duration::ZERO)).await;
    let app = scene.app().await;
    let what = order("shop", "A0000001", "juhe", None);
    let full = what.account.as_str().to_owned();
    let key = app.driver.accept(what, false).await.unwrap().stored.key;
    let account = async || {
        let stored = app.store().read(key).await.unwrap().unwrap();
        stored.order.what().account.as_str().to_owned()
    };
    until("nobody asks about it any more", async || {
        let order = app.store().read(key).await.unwrap().unwrap().order;
        (order.state().is_end() && order.due().is_none()).then_some(())
    })
    .await;
    forget::once(&app, Duration::from_hours(1)).await;
    assert_eq!(account().await, full);
    // A millisecond counts.
    until("it is forgotten", async || {
        forget::once(&app, Duration::ZERO).await;
        (account().await != full).then_some(())
    })
    .await;
    assert!(account().await.contains("****"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_forgets_by_itself_where_it_is_told_to() {
    let mut scene = Scene::new(Settle::After(Duration::ZERO)).await;
    let shop = scene.key("shop");
    let gateway = scene.gateway().await;
    place(&gateway, &shop, "A0000001", None).await;
    let file = rusqlite::Connection::open(scene.file()).unwrap();
    let account = |quiet: &str| {
        let account = format!("SELECT account FROM orders WHERE {quiet}");
        file.query_row(&account, [], |row| row.get::<_, String>(0))
            .ok()
    };
    until("nobody asks about it any more", async || {
        account("open = 0 AND due IS NULL")
    })
    .await;
    assert!(gateway.stop().await);
    scene.settings.forget_after = Some(Duration::ZERO);
    let gateway = scene.gateway().await;
    until("it is forgotten", async || {
        account("true").filter(|it| it.contains("****"))
    })
    .await;
    assert!(gateway.stop().await);
}
