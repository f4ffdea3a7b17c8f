//! Events are written down, whole and in their place, or not at all.

use recharge_core::UpstreamState;
use recharge_engine::store::{OrderKey, Stored};
use recharge_engine::{AppendError, Order, StoreError};

use super::kit::Scene;

/// A step is of one version, and goes in after it only.
pub async fn events_are_appended_at_their_version_only(scene: Scene) {
    let Stored { key, order } = scene.accept(scene.fresh(0)).await;
    let first = scene.sends(&order, 1, 10);
    let rival = scene.sends(&order, 2, 10);
    let second = scene.acknowledged(&first.order, 1, 20);
    let append = async |step| scene.store.append(key, None, step).await;
    assert_eq!(
        append(&second).await,
        Err(AppendError::Version { found: 0 }),
        "what comes before is missing"
    );
    assert_eq!(scene.store.log(key).await, Ok(Vec::new()));
    assert_eq!(append(&first).await, Ok(()));
    let found = first.order.version();
    for late in [&first, &rival] {
        assert_eq!(append(late).await, Err(AppendError::Version { found }));
    }
    assert_eq!(scene.store.log(key).await, Ok(first.events.clone()));
    assert_eq!(append(&second).await, Ok(()));
    assert_eq!(scene.read(key).await.order, second.order);
    let nobody = scene.store.append(OrderKey(999_999), None, &rival).await;
    assert_eq!(nobody, Err(AppendError::NoSuchOrder));
}

/// A lease is good for the orders that are claimed under it.
pub async fn only_who_has_the_order_appends_under_a_lease(scene: Scene) {
    let Stored { key, order } = scene.accept(scene.fresh(0)).await;
    let lease = Some(scene.lease());
    let step = scene.sends(&order, 1, 10);
    let unclaimed = scene.store.append(key, lease, &step).await;
    assert_eq!(unclaimed, Err(AppendError::LeaseLost));
    assert_eq!(scene.claim_due(0, 10).await, [key]);
    assert_eq!(scene.store.append(key, lease, &step).await, Ok(()));
    scene.store.release(scene.lease(), &[key]).await.unwrap();
    let step = scene.acknowledged(&step.order, 1, 20);
    let released = scene.store.append(key, lease, &step).await;
    assert_eq!(released, Err(AppendError::LeaseLost));
    assert_eq!(scene.store.append(key, None, &step).await, Ok(()));
}

/// Many at once, every other one refused: each answer is that of its own request.
pub async fn a_refused_append_spoils_no_neighbour(mut scene: Scene) {
    let mut orders = Vec::new();
    for _ in 0..32 {
        orders.push(scene.accept(scene.fresh(0)).await);
    }
    let steps: Vec<_> = orders
        .iter()
        .map(|stored| scene.sends(&stored.order, u128::from(stored.key.0), 10))
        .collect();
    let mut writers = Vec::new();
    for (stored, step) in orders.iter().zip(&steps) {
        // Twice the same: one of the two is too late.
        for _ in 0..2 {
            let (store, key, step) = (scene.store.clone(), stored.key, step.clone());
            writers.push(tokio::spawn(
                async move { store.append(key, None, &step).await },
            ));
        }
    }
    let mut done = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(()) => done += 1,
            Err(AppendError::Version { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(done, orders.len());
    scene.crash().await;
    for (stored, step) in orders.iter().zip(steps) {
        assert_eq!(scene.read(stored.key).await.order, step.order);
        assert_eq!(scene.store.log(stored.key).await, Ok(step.events));
    }
}

/// State = fold(log), after every step and after a crash.
pub async fn the_log_is_the_order(mut scene: Scene) {
    let acceptance = scene.fresh(0);
    let Stored { key, order } = scene.accept(acceptance.clone()).await;
    let sent = scene.sends(&order, 1, 10);
    let taken = scene.acknowledged(&sent.order, 1, 20);
    let charging = scene.told(&taken.order, UpstreamState::Charging, 6_000);
    let done = scene.told(&charging.order, UpstreamState::Succeeded, 30_000);
    let mut written = Vec::new();
    for step in [sent, taken, charging, done] {
        written.extend(step.events.iter().cloned());
        let order = scene.append(key, step).await;
        for _ in 0..2 {
            let log = scene.store.log(key).await.unwrap();
            assert_eq!(log, written);
            let folded = Order::replay(acceptance.clone(), &log).unwrap();
            assert_eq!(folded, order);
            assert_eq!(scene.read(key).await, Stored { key, order: folded });
            scene.crash().await;
        }
    }
    assert!(written.iter().zip(1..).all(|(it, n)| it.version == n));
}

/// What isn't there is said not to be.
pub async fn what_is_not_there_is_not_found(scene: Scene) {
    let nobody = OrderKey(999_999);
    assert_eq!(scene.store.read(nobody).await, Ok(None));
    let log = scene.store.log(nobody).await;
    let empty: Result<_, StoreError> = Ok(Vec::new());
    assert_eq!(log, empty);
    let stored = scene.accept(scene.fresh(0)).await;
    let what = stored.order.what();
    let find = scene.store.find(&what.merchant, &what.order_id).await;
    assert_eq!(find, Ok(Some(stored.key)));
    let other = scene.fresh(0).what;
    let find = scene.store.find(&other.merchant, &other.order_id).await;
    assert_eq!(find, Ok(None));
}
