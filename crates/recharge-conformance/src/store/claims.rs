//! Who has which order, and when orders are due.

use std::time::Duration;

use recharge_engine::AppendError;
use recharge_engine::store::{Guards, Hold, OrderKey};

use super::kit::{Scene, wall};

/// The longest due first, each once, none before its time.
pub async fn due_orders_are_claimed_once_the_longest_due_first(scene: Scene) {
    let mut keys = Vec::new();
    for millis in [300, 100, 200, 100, 400] {
        keys.push(scene.accept(scene.fresh(millis)).await.key);
    }
    let [c, a, b, a2, d]: [OrderKey; 5] = keys.try_into().unwrap();
    assert_eq!(scene.store.next_due().await, Ok(Some(wall(100))));
    assert_eq!(scene.claim_due(99, 10).await, []);
    assert_eq!(scene.claim_due(100, 1).await, [a]);
    assert_eq!(scene.claim_due(300, 2).await, [a2, b]);
    assert_eq!(scene.store.next_due().await, Ok(Some(wall(300))));
    assert_eq!(
        scene.claim_due(300, 10).await,
        [c],
        "claimed ones are not due"
    );
    assert_eq!(scene.claim_due(399, 10).await, []);
    assert_eq!(scene.store.next_due().await, Ok(Some(wall(400))));
    assert_eq!(scene.claim_due(1_000, 10).await, [d]);
    assert_eq!(scene.store.next_due().await, Ok(None));
}

/// What is given back is due again, as before.
pub async fn a_released_order_is_claimed_again(scene: Scene) {
    let a = scene.accept(scene.fresh(100)).await.key;
    let b = scene.accept(scene.fresh(200)).await.key;
    let c = scene.accept(scene.fresh(300)).await.key;
    assert_eq!(scene.claim_due(300, 10).await, [a, b, c]);
    scene.store.release(scene.lease(), &[b, a]).await.unwrap();
    assert_eq!(scene.store.next_due().await, Ok(Some(wall(100))));
    assert_eq!(scene.claim_due(300, 1).await, [a]);
    // To release what one doesn't have does nothing.
    scene.store.release(scene.lease(), &[b, b]).await.unwrap();
    assert_eq!(scene.claim_due(300, 10).await, [b]);
}

/// A step that puts an order off moves it, claimed or not.
pub async fn what_is_put_off_is_due_later(scene: Scene) {
    let claimed = scene.claimed(100).await;
    let other = scene.accept(scene.fresh(100)).await;
    for stored in [&claimed, &other] {
        let step = scene.sends(&stored.order, 1, 150);
        scene.append(stored.key, step).await;
    }
    scene
        .store
        .release(scene.lease(), &[claimed.key])
        .await
        .unwrap();
    assert_eq!(scene.claim_due(200, 10).await, []);
    let due = scene.store.next_due().await.unwrap().unwrap();
    assert!(due > wall(200), "{due:?}");
    let order = scene.read(claimed.key).await.order;
    assert_eq!(order.due(), Some(due));
    let late = u64::try_from(due.millis() - wall(0).millis()).unwrap();
    assert_eq!(
        scene.claim_due(late, 10).await,
        [claimed.key, other.key],
        "due at one time, the older first"
    );
}

/// An order that comes due before those that are worked on is found.
pub async fn what_comes_due_earlier_is_not_passed_over(scene: Scene) {
    let late = scene.charging(1_000).await;
    let due = late.order.due().unwrap();
    let worked_on = scene.accept(scene.fresh(900)).await.key;
    assert_eq!(scene.claim_due(900, 10).await, [worked_on]);
    assert_eq!(scene.store.next_due().await, Ok(Some(due)));
    let early = scene.accept(scene.fresh(10)).await.key;
    assert_eq!(scene.store.next_due().await, Ok(Some(wall(10))));
    assert_eq!(scene.claim_due(900, 10).await, [early]);
    let newer = scene.accept(scene.fresh(900)).await.key;
    assert_eq!(scene.claim_due(900, 10).await, [newer]);

    // A step brings an order forward, whether somebody has it or not.
    let step = scene.scheduled(&late.order, Some(20));
    let order = scene.append(late.key, step).await;
    assert_eq!(scene.store.next_due().await, Ok(Some(wall(20))));
    assert_eq!(scene.claim_due(900, 10).await, [late.key]);
    let step = scene.scheduled(&order, Some(5));
    let order = scene.append(late.key, step).await;
    assert_eq!(scene.store.next_due().await, Ok(None), "somebody has it");
    let release = async || scene.store.release(scene.lease(), &[late.key]).await;
    release().await.unwrap();
    assert_eq!(scene.store.next_due().await, Ok(Some(wall(5))));
    assert_eq!(scene.claim_due(900, 10).await, [late.key]);
    let step = scene.scheduled(&order, None);
    let order = scene.append(late.key, step).await;
    release().await.unwrap();
    assert_eq!(scene.store.next_due().await, Ok(None), "never");
    let step = scene.scheduled(&order, Some(1));
    scene.append(late.key, step).await;
    assert_eq!(scene.claim_due(900, 10).await, [late.key]);
}

/// With a lease a new order is claimed; an old one is not.
pub async fn a_new_order_is_claimed_by_its_lease(scene: Scene) {
    let lease = Some(scene.lease());
    let acceptance = scene.fresh(100);
    let mine = scene.store.accept(acceptance, Guards::default(), lease);
    let mine = mine.await.unwrap().stored;
    assert_eq!(scene.claim_due(1_000, 10).await, []);
    let step = scene.sends(&mine.order, 1, 150);
    let appended = scene.store.append(mine.key, lease, &step).await;
    assert_eq!(appended, Ok(()));
    let acceptance = scene.fresh(100);
    let known = scene.accept(acceptance.clone()).await;
    let again = scene.store.accept(acceptance, Guards::default(), lease);
    assert!(!again.await.unwrap().new);
    assert_eq!(scene.claim_due(1_000, 10).await, [known.key]);
}

/// Claiming by name takes orders that are not due, and none that somebody has.
pub async fn one_order_is_claimed_by_name(scene: Scene) {
    let lease = scene.lease();
    let stored = scene.accept(scene.fresh(100)).await;
    let claim = async || scene.store.claim(lease, stored.key).await;
    assert_eq!(claim().await, Ok(Some(stored.clone())));
    assert_eq!(claim().await, Ok(None), "somebody has it");
    assert_eq!(scene.claim_due(1_000, 10).await, []);
    scene.store.release(lease, &[stored.key]).await.unwrap();
    assert_eq!(scene.claim_due(1_000, 10).await, [stored.key]);
    let nobody = scene.store.claim(lease, OrderKey(999_999)).await;
    assert_eq!(nobody, Err(AppendError::NoSuchOrder));
}

/// After a crash nobody has anything, and what was due is due.
pub async fn claims_die_with_the_process(mut scene: Scene) {
    let a = scene.claimed(100).await.key;
    let b = scene.accept(scene.fresh(200)).await.key;
    assert_eq!(scene.claim_due(1_000, 10).await, [b]);
    scene.crash().await;
    assert_eq!(scene.store.next_due().await, Ok(Some(wall(100))));
    assert_eq!(scene.claim_due(1_000, 10).await, [a, b]);
}

/// Nothing is claimed, sent or decided under an earlier lease; facts still go in.
pub async fn a_later_worker_voids_earlier_leases(mut scene: Scene) {
    let stored = scene.claimed(100).await;
    let old = scene.lease();
    let step = scene.sends(&stored.order, 1, 150);
    scene.begin().await;
    let append = async |lease| scene.store.append(stored.key, lease, &step).await;
    assert_eq!(append(Some(old)).await, Err(AppendError::LeaseLost));
    assert_eq!(scene.read(stored.key).await, stored, "nothing is written");
    let claimed = scene.store.claim_due(old, wall(1_000), 10).await;
    assert!(claimed.is_err() || claimed == Ok(Vec::new()), "{claimed:?}");
    let claimed = scene.store.claim(old, stored.key).await;
    assert!(!matches!(claimed, Ok(Some(_))), "{claimed:?}");
    assert_eq!(scene.claim_due(1_000, 10).await, [stored.key]);
    // The old worker can't take it from the new one either.
    scene.store.release(old, &[stored.key]).await.unwrap();
    assert_eq!(scene.claim_due(1_000, 10).await, []);
    assert_eq!(append(Some(old)).await, Err(AppendError::LeaseLost));
    assert_eq!(append(None).await, Ok(()), "a fact needs no lease");
    assert_eq!(scene.read(stored.key).await.order, step.order);
}

/// Given out once, for ever.
pub async fn leases_and_epochs_never_repeat(mut scene: Scene) {
    let (mut lease, mut epoch) = (scene.session.lease, scene.session.epoch);
    for _ in 0..3 {
        let next = scene.store.next_epoch(lease).await.unwrap().unwrap();
        assert!(next > epoch, "{next:?} after {epoch:?}");
        epoch = next;
        scene.crash_without_beginning().await;
        let session = scene.begin().await;
        assert!(session.lease > lease, "{session:?} after {lease:?}");
        assert!(session.epoch > epoch, "{session:?} after {epoch:?}");
        (lease, epoch) = (session.lease, session.epoch);
        let session = scene.begin().await;
        assert!(session.lease > lease && session.epoch > epoch);
        // One that has been superseded begins no epoch above that of its successor.
        assert_eq!(scene.store.next_epoch(lease).await, Ok(None));
        (lease, epoch) = (session.lease, session.epoch);
    }
}

/// The hold of a restored backup outlives crashes, and the key of the numbers is one for ever.
pub async fn a_hold_stays_until_it_is_over(mut scene: Scene) {
    assert_eq!(scene.session.hold, None);
    let acceptance = scene.fresh(0);
    let (merchant, id) = (&acceptance.what.merchant, &acceptance.what.order_id);
    let number = scene.session.numbers.derive(merchant, id, 0);
    let days = |days: u64| Some(Duration::from_hours(24 * days));
    for hold in [days(7), days(2), None] {
        scene.store.set_hold(hold).await.unwrap();
        scene.crash().await;
        assert_eq!(scene.session.hold, hold.map(Hold::For));
        assert_eq!(scene.begin().await.hold, hold.map(Hold::For));
        assert_eq!(scene.session.numbers.derive(merchant, id, 0), number);
    }
}
