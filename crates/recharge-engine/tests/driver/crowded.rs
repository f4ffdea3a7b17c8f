//! A worker that has room for few orders: whoever takes up the room keeps all others waiting.

use std::sync::atomic::{AtomicBool, Ordering};

use super::uneven::{AT_ONCE, Fate, Uneven};
use super::*;

async fn accept(desk: &Desk, name: &str) -> bool {
    let mut what = new_order();
    what.order_id = name.parse().unwrap();
    desk.driver.accept(what, true).await.unwrap().new
}

/// A worker whose store can't take an order back as long as the switch is on. Its one order has ended, and is
/// to be watched in some minutes.
async fn crowded() -> (Desk, Arc<AtomicBool>) {
    let store = MemoryStore::new(common::KEY);
    let fails = Arc::new(AtomicBool::new(true));
    let failing = fails.clone();
    let plan = move |call| match call {
        "release" if failing.load(Ordering::Relaxed) => Fate::Fails,
        _ => AT_ONCE,
    };
    let under = Arc::new(Uneven::new(&store, plan));
    let script = first().submit(accepted()).query(succeeded());
    let script = script.submit(accepted()).query(succeeded());
    let desk = Desk::on(store, vec![Arc::new(script)], |setup| {
        setup.store = under;
        setup.at_hand = 1;
    })
    .await;
    desk.driver.accept(new_order(), false).await.unwrap();
    pass(60).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
    (desk, fails)
}

/// Another order comes, for which there is no room.
async fn another(desk: &Desk) {
    accept(desk, "order-2").await;
    pass(60).await;
    assert_eq!(desk.providers[0].submitted().len(), 1, "there is no room");
}

#[tokio::test(start_paused = true)]
async fn an_order_that_there_is_no_room_for_is_claimed_when_there_is() {
    let script = first().hangs().submit(accepted()).query(succeeded());
    let desk = Desk::with(vec![script], |setup| setup.at_hand = 1).await;
    desk.driver.accept(new_order(), false).await.unwrap();
    // The first is at hand, and under way; when it has gone, the other comes.
    assert!(accept(&desk, "order-2").await);
    pass(120).await;
    assert_eq!(desk.providers[0].submitted().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_given_back_takes_up_room_only_until_it_can() {
    let (desk, fails) = crowded().await;
    another(&desk).await;
    fails.store(false, Ordering::Relaxed);
    pass(60).await;
    assert_eq!(desk.providers[0].submitted().len(), 2);
}

/// What was put down for a moment that is now a day away.
#[tokio::test(start_paused = true)]
async fn nor_does_it_for_longer_when_the_clock_is_set_back() {
    let (desk, fails) = crowded().await;
    desk.clock.jump(-86_400_000);
    another(&desk).await;
    fails.store(false, Ordering::Relaxed);
    pass(60).await;
    assert_eq!(desk.providers[0].submitted().len(), 2);
}

/// Orders that only wait to be asked about, almost a minute away.
#[tokio::test(start_paused = true)]
async fn who_waits_to_be_asked_about_leaves_room_for_who_is_to_be_sent() {
    let mut script = first();
    for _ in 0..3 {
        script = script.submit(accepted());
    }
    let script = script.hangs().hangs().query(charging());
    let desk = Desk::with(vec![script], |setup| {
        setup.times.query_after = vec![Duration::from_secs(50)];
        setup.at_hand = 4;
    })
    .await;
    for at in 0..5 {
        accept(&desk, &format!("order-{at}")).await;
        pass(2).await;
    }
    assert_eq!(desk.providers[0].submitted().len(), 5);
    assert_eq!(desk.providers[0].asked(), Vec::<u64>::new());
}
