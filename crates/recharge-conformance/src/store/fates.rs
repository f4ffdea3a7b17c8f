//! Commits that fail, are lost, or land unseen.

use recharge_engine::store::{Guards, Stored};
use recharge_engine::{AcceptError, AppendError, SendToken, StoreError};

use super::Fate;
use super::kit::{Scene, wall};

fn unavailable(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_))
}

fn unknown(error: &StoreError) -> bool {
    matches!(error, StoreError::Unknown(_))
}

/// What failed and says so is not there, and the store goes on.
pub async fn a_refused_commit_changes_nothing(mut scene: Scene) {
    let Stored { key, order } = scene.claimed(0).await;
    let step = scene.sends(&order, 1, 10);
    let lease = Some(scene.lease());
    for _ in 0..2 {
        scene.next_commit(Fate::Refused);
        let refused = scene.store.append(key, lease, &step).await;
        assert!(
            matches!(&refused, Err(AppendError::Store(it)) if unavailable(it)),
            "{refused:?}"
        );
        assert_eq!(scene.read(key).await.order, order);
    }
    let acceptance = scene.fresh(0);
    scene.next_commit(Fate::Refused);
    let refused = scene
        .store
        .accept(acceptance.clone(), Guards::default(), lease)
        .await;
    assert!(
        matches!(&refused, Err(AcceptError::Store(it)) if unavailable(it)),
        "{refused:?}"
    );
    let (merchant, id) = (&acceptance.what.merchant, &acceptance.what.order_id);
    assert_eq!(scene.store.find(merchant, id).await, Ok(None));
    scene.next_commit(Fate::Refused);
    let refused = scene.store.begin().await;
    assert!(
        matches!(&refused, Err(it) if unavailable(it)),
        "{refused:?}"
    );
    assert_eq!(
        scene.store.append(key, lease, &step).await,
        Ok(()),
        "nobody has begun, so the claim holds"
    );
    assert!(scene.accept(acceptance).await.key > key);
    scene.crash().await;
    assert_eq!(scene.read(key).await.order, step.order);
}

/// Nobody knew, and it had not been written.
pub async fn a_lost_commit_is_not_there(scene: Scene) {
    unknown_commits(scene, Fate::Lost).await;
}

/// Nobody knew, and it had been written: the token tells whose it is.
pub async fn a_landed_commit_is_there(scene: Scene) {
    unknown_commits(scene, Fate::Landed).await;
}

async fn unknown_commits(mut scene: Scene, fate: Fate) {
    let landed = fate == Fate::Landed;
    let Stored { key, order } = scene.accept(scene.fresh(0)).await;
    let step = scene.sends(&order, 77, 10);
    scene.next_commit(fate);
    let answer = scene.store.append(key, None, &step).await;
    assert!(
        matches!(&answer, Err(AppendError::Store(it)) if unknown(it)),
        "{answer:?}"
    );
    let found = scene.read(key).await.order;
    let token = found
        .attempt(0)
        .and_then(recharge_engine::Attempt::open_token);
    assert_eq!(token, landed.then_some(SendToken(77)));
    let (there, missing) = (&step.order, &order);
    assert_eq!(found, if landed { there } else { missing }.clone());
    let again = scene.store.append(key, None, &step).await;
    if landed {
        let found = step.order.version();
        assert_eq!(again, Err(AppendError::Version { found }));
    } else {
        assert_eq!(again, Ok(()));
    }

    let acceptance = scene.fresh(0);
    let (merchant, id) = (&acceptance.what.merchant, &acceptance.what.order_id);
    scene.next_commit(fate);
    let lease = Some(scene.lease());
    let answer = scene
        .store
        .accept(acceptance.clone(), Guards::default(), lease)
        .await;
    assert!(
        matches!(&answer, Err(AcceptError::Store(it)) if unknown(it)),
        "{answer:?}"
    );
    let found = scene.store.find(merchant, id).await.unwrap();
    assert_eq!(found.is_some(), landed);
    let again = scene
        .try_accept(acceptance.clone(), Guards::default())
        .await;
    let again = again.unwrap();
    assert_eq!(again.new, !landed, "to accept it again is harmless");
    assert!(
        scene.claim_due(0, 10).await.contains(&again.stored.key),
        "nobody was told that it is theirs"
    );

    let (old, before) = (scene.lease(), scene.session.epoch);
    scene.next_commit(fate);
    let answer = scene.store.begin().await;
    assert!(matches!(&answer, Err(it) if unknown(it)), "{answer:?}");
    let session = scene.begin().await;
    assert!(session.lease > old && session.epoch > before);
    scene.crash().await;
    assert!(scene.session.lease > session.lease);
    assert_eq!(scene.read(key).await.order, step.order);
    assert_eq!(scene.read(again.stored.key).await, again.stored);
}

/// What reading has once said of an unknown commit holds, also after a crash.
pub async fn an_unknown_commit_is_settled_before_a_crash(mut scene: Scene) {
    for fate in [Fate::Lost, Fate::Landed, Fate::Lost, Fate::Landed] {
        let Stored { key, order } = scene.accept(scene.fresh(0)).await;
        let step = scene.sends(&order, 5, 10);
        scene.next_commit(fate);
        let answer = scene.store.append(key, None, &step).await;
        assert!(answer.is_err());
        let read = scene.read(key).await;
        scene.crash().await;
        assert_eq!(scene.read(key).await, read);
        assert_eq!(
            scene.store.log(key).await.unwrap().is_empty(),
            fate == Fate::Lost
        );
    }
}

/// The worker has not died: what it has it keeps, and what it hasn't it can claim.
pub async fn claims_outlive_an_unknown_commit(scene: Scene) {
    for fate in [Fate::Lost, Fate::Landed] {
        let mine = scene.claimed(100).await;
        let others = scene.accept(scene.fresh(200)).await;
        let step = scene.sends(&mine.order, 5, 250);
        let lease = Some(scene.lease());
        scene.next_commit(fate);
        assert!(scene.store.append(mine.key, lease, &step).await.is_err());
        assert_eq!(scene.claim_due(300, 10).await, [others.key]);
        let order = scene.read(mine.key).await.order;
        let next = if fate == Fate::Landed {
            scene.acknowledged(&order, 5, 300)
        } else {
            scene.sends(&order, 6, 300)
        };
        assert_eq!(scene.store.append(mine.key, lease, &next).await, Ok(()));
        scene
            .store
            .release(scene.lease(), &[mine.key])
            .await
            .unwrap();
        assert_eq!(
            scene.store.next_due().await.unwrap(),
            next.order.due(),
            "as it now stands"
        );
        assert!(next.order.due() > Some(wall(300)));
        let far = 1_000_000_000;
        assert_eq!(scene.claim_due(far, 10).await, [mine.key]);
        // Brought forward by a commit that nobody knew of.
        let earlier = scene.scheduled(&next.order, Some(3));
        scene.next_commit(fate);
        let unknown = scene.store.append(mine.key, lease, &earlier).await;
        assert!(unknown.is_err());
        let due = scene.read(mine.key).await.order.due();
        let keys = [mine.key];
        scene.store.release(scene.lease(), &keys).await.unwrap();
        assert_eq!(scene.store.next_due().await.unwrap(), due);
        assert_eq!(scene.claim_due(far, 10).await, [mine.key]);
    }
}
