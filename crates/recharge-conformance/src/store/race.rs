//! Many at once.

use std::collections::HashSet;
use std::sync::Arc;

use recharge_engine::AppendError;
use recharge_engine::store::{Guards, OrderKey};

use super::kit::Scene;

const WORKERS: u64 = 16;
const ORDERS: u64 = 8;

/// Whatever was acknowledged is there after a crash, in full.
pub async fn racing_workers_lose_nothing(scene: Scene) {
    let scene = Arc::new(scene);
    let workers: Vec<_> = (0..WORKERS)
        .map(|n| tokio::spawn(work(Arc::clone(&scene), n)))
        .collect();
    let mut done = Vec::new();
    for worker in workers {
        done.extend(worker.await.unwrap());
    }
    let mut scene = Arc::into_inner(scene).unwrap();
    scene.crash().await;
    assert_eq!(done.len() as u64, WORKERS * ORDERS);
    for (key, order) in done {
        assert_eq!(scene.read(key).await.order, order);
    }
}

async fn work(scene: Arc<Scene>, n: u64) -> Vec<(OrderKey, recharge_engine::Order)> {
    let mut done = Vec::new();
    for turn in 0..ORDERS {
        let lease = Some(scene.lease());
        let token = u128::from(n * ORDERS + turn);
        let acceptance = scene.fresh(n);
        let accepted = scene.store.accept(acceptance, Guards::default(), lease);
        let stored = accepted.await.unwrap().stored;
        let step = scene.sends(&stored.order, token, 10);
        assert_eq!(scene.store.append(stored.key, lease, &step).await, Ok(()));
        // A rival without a claim comes too late, and doesn't harm.
        let rival = scene.sends(&stored.order, token + 1_000, 10);
        let late = scene.store.append(stored.key, None, &rival).await;
        assert!(matches!(late, Err(AppendError::Version { .. })), "{late:?}");
        let step = scene.acknowledged(&step.order, token, 20);
        assert_eq!(scene.store.append(stored.key, lease, &step).await, Ok(()));
        scene
            .store
            .release(scene.lease(), &[stored.key])
            .await
            .unwrap();
        done.push((stored.key, step.order));
    }
    done
}

/// However many claim, each order is claimed once, and none is left.
pub async fn racing_claims_are_exclusive(scene: Scene) {
    let scene = Arc::new(scene);
    let accepting = tokio::spawn({
        let scene = Arc::clone(&scene);
        async move {
            let mut keys = HashSet::new();
            for n in 0..WORKERS * ORDERS {
                // Each comes before the earlier ones in the order of due times.
                keys.insert(scene.accept(scene.fresh(1_000 - n)).await.key);
            }
            keys
        }
    });
    let claiming: Vec<_> = (0..4)
        .map(|_| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move {
                let mut mine = Vec::new();
                while mine.len() < 2 {
                    mine.extend(scene.claim_due(2_000, 3).await);
                    tokio::task::yield_now().await;
                }
                // Half of it is given back, for somebody else.
                let back = mine.split_off(mine.len() / 2);
                scene.store.release(scene.lease(), &back).await.unwrap();
                mine
            })
        })
        .collect();
    let mut claimed = HashSet::new();
    for task in claiming {
        for key in task.await.unwrap() {
            assert!(claimed.insert(key), "{key:?} was claimed twice");
        }
    }
    let accepted = accepting.await.unwrap();
    for key in scene.claim_due(2_000, 1_000).await {
        assert!(claimed.insert(key), "{key:?} was claimed twice");
    }
    assert_eq!(claimed, accepted, "and none was passed over");
    assert_eq!(scene.store.next_due().await, Ok(None));
    assert!(scene.claim_due(2_000, 1).await.is_empty());
}
