//! Orders are taken once, and the guards see every order before.

use std::time::Duration;

use recharge_core::{Account, AccountKind, Carrier, FaceValue, MerchantId, OrderState, ProviderId};
use recharge_engine::store::{AccountLimit, AccountLimits, Guards};
use recharge_engine::{AcceptError, Acceptance, Epoch, Order, ReplyTo};

use super::kit::{Scene, wall};

/// The same order again is the same order, before and after a crash.
pub async fn an_order_is_taken_once(mut scene: Scene) {
    let acceptance = scene.fresh(0);
    let first = scene
        .try_accept(acceptance.clone(), Guards::default())
        .await
        .unwrap();
    assert!(first.new);
    assert_eq!(first.stored.order, Order::accept(acceptance.clone()));
    let later = Acceptance {
        at: scene.at(5_000),
        ..acceptance.clone()
    };
    for _ in 0..2 {
        let again = scene
            .try_accept(later.clone(), Guards::default())
            .await
            .unwrap();
        assert!(!again.new, "it was taken before");
        assert_eq!(again.stored, first.stored, "as it was taken then");
        scene.crash().await;
    }
    let order = &first.stored.order;
    let step = scene.sends(order, 1, 10);
    let order = scene.append(first.stored.key, step).await;
    let again = scene.try_accept(later, Guards::default()).await.unwrap();
    assert!(!again.new);
    assert_eq!(again.stored.order, order, "as it now stands");
}

/// Each part of the content counts; the merchant is part of the name.
pub async fn the_same_id_for_something_else_is_a_conflict(scene: Scene) {
    let acceptance = scene.fresh(0);
    let stored = scene.accept(acceptance.clone()).await;
    let other = |change: &dyn Fn(&mut Acceptance)| {
        let mut other = acceptance.clone();
        change(&mut other);
        other
    };
    let account = |kind, text: &str| Account::parse(kind, text).unwrap();
    let text = acceptance.what.account.as_str();
    let others = [
        other(&|it| it.what.account = account(AccountKind::Mobile, "13900009999")),
        other(&|it| it.what.account = account(AccountKind::Broadband, text)),
        other(&|it| it.what.amount = FaceValue::from_yuan(51).unwrap()),
        other(&|it| it.what.carrier = Some(Carrier::Mobile)),
        other(&|it| it.what.provider = Some(ProviderId::parse("first").unwrap())),
        other(&|it| it.what.reply_to = ReplyTo::parse("https://shop.test/told").ok()),
    ];
    for other in others {
        let refused = scene.try_accept(other, Guards::default()).await;
        assert_eq!(refused, Err(AcceptError::Conflict));
    }
    assert_eq!(scene.read(stored.key).await, stored, "nothing has changed");
    let elsewhere = other(&|it| it.what.merchant = MerchantId::parse("shop").unwrap());
    let elsewhere = scene.try_accept(elsewhere, Guards::default()).await;
    assert!(elsewhere.unwrap().new, "another merchant's id is its own");
}

/// What was accepted is restored to the last nanosecond.
pub async fn an_acceptance_comes_back_exactly(mut scene: Scene) {
    let mut acceptance = scene.fresh(0);
    acceptance.what.account = Account::parse(AccountKind::Landline, "0571-56565366").unwrap();
    acceptance.what.carrier = Some(Carrier::Telecom);
    acceptance.what.provider = Some(ProviderId::parse("only-this").unwrap());
    acceptance.what.reply_to = ReplyTo::parse("https://shop.test/told").ok();
    acceptance.at.epoch = Epoch(41);
    acceptance.at.monotonic = Duration::from_nanos(123_456_789_012_345_677);
    acceptance.held = true;
    let stored = scene.accept(acceptance.clone()).await;
    assert_eq!(stored.order.acceptance(), &acceptance);
    for _ in 0..2 {
        let read = scene.read(stored.key).await;
        assert_eq!(read.order, Order::accept(acceptance.clone()));
        scene.crash().await;
    }
}

/// Keys rise in the order of acceptance, over crashes too.
pub async fn keys_rise(mut scene: Scene) {
    let mut last = None;
    for _ in 0..3 {
        for _ in 0..3 {
            let key = scene.accept(scene.fresh(0)).await.key;
            assert!(last < Some(key), "{last:?} before {key:?}");
            last = Some(key);
        }
        scene.crash().await;
    }
}

/// A twin stands in the way while it is young enough and not failed.
pub async fn a_duplicate_is_refused_within_its_time(scene: Scene) {
    let since = |millis| Guards {
        duplicate_since: Some(wall(millis)),
        account: None,
    };
    let first = scene.accept(scene.order("first", 1, 50, 1_000)).await;
    let twin = |id| scene.order(id, 1, 50, 2_000);
    let refused = scene.try_accept(twin("twin"), since(1_000)).await;
    let Err(AcceptError::Duplicate {
        merchant,
        order_id,
        state,
    }) = refused
    else {
        panic!("{refused:?}, expected a duplicate");
    };
    assert_eq!(merchant, MerchantId::local());
    assert_eq!(order_id.as_str(), "first");
    assert_eq!(state, OrderState::Pending);
    assert_eq!(
        scene
            .store
            .find(&MerchantId::local(), &twin("twin").what.order_id)
            .await,
        Ok(None),
        "nothing was taken"
    );
    let taken = async |acceptance, guards| {
        let accepted = scene.try_accept(acceptance, guards).await;
        assert!(accepted.unwrap().new);
    };
    taken(scene.order("other-amount", 1, 20, 2_000), since(1_000)).await;
    taken(scene.order("other-account", 2, 50, 2_000), since(1_000)).await;
    let mut kind = scene.order("other-kind", 1, 50, 2_000);
    let text = kind.what.account.as_str().to_owned();
    kind.what.account = Account::parse(AccountKind::Broadband, &text).unwrap();
    taken(kind, since(1_000)).await;
    let step = scene.cancelled(&first.order, 1_500);
    scene.append(first.key, step).await;
    taken(twin("after-a-failure"), since(1_000)).await;
    taken(scene.order("later", 1, 50, 9_000), since(2_001)).await;
    taken(twin("unguarded"), Guards::default()).await;
}

/// Orders and yuan of a day, by account; what failed doesn't count.
pub async fn an_account_has_its_limits(scene: Scene) {
    let limits = |orders, yuan| Guards {
        duplicate_since: None,
        account: Some(AccountLimits {
            since: wall(1_000),
            orders,
            yuan,
        }),
    };
    let order = |id, yuan| scene.order(id, 1, yuan, 1_000);
    let limited = async |acceptance, guards, limit, had| {
        let refused = scene.try_accept(acceptance, guards).await;
        assert_eq!(refused, Err(AcceptError::AccountLimit { limit, had }));
    };
    let (of_orders, of_yuan) = (AccountLimit::Orders, AccountLimit::Yuan);
    let taken = async |acceptance, guards| {
        let accepted = scene.try_accept(acceptance, guards).await;
        assert!(accepted.unwrap().new);
    };
    // Of the day before.
    taken(
        scene.order("before", 1, 100, 999),
        limits(Some(1), Some(100)),
    )
    .await;
    scene.failed(order("failed", 100)).await;
    taken(order("a", 50), limits(Some(1), Some(50))).await;
    limited(order("b", 20), limits(Some(1), None), of_orders(1), 1).await;
    limited(order("b", 20), limits(None, Some(69)), of_yuan(69), 50).await;
    let loose = limits(Some(1), Some(1_000));
    limited(order("b", 20), loose, of_orders(1), 1).await;
    taken(order("b", 20), limits(Some(2), Some(70))).await;
    taken(
        scene.order("other", 2, 50, 1_000),
        limits(Some(1), Some(50)),
    )
    .await;
    limited(order("c", 20), limits(Some(2), None), of_orders(2), 2).await;
    limited(order("c", 20), limits(Some(0), None), of_orders(0), 2).await;
}

/// Guards are for new orders.
pub async fn the_same_order_again_passes_every_guard(scene: Scene) {
    let guards = Guards {
        duplicate_since: Some(wall(0)),
        account: Some(AccountLimits {
            since: wall(0),
            orders: Some(1),
            yuan: Some(50),
        }),
    };
    let acceptance = scene.fresh(10);
    let first = scene.try_accept(acceptance.clone(), guards).await.unwrap();
    let again = scene.try_accept(acceptance, guards).await.unwrap();
    assert!(first.new && !again.new);
    assert_eq!(first.stored, again.stored);
}

/// The guards see what is being accepted at the same time.
pub async fn of_many_duplicates_at_once_one_is_taken(scene: Scene) {
    let guards = Guards {
        duplicate_since: Some(wall(0)),
        account: None,
    };
    let racers: Vec<_> = (0..16)
        .map(|n| {
            let store = scene.store.clone();
            let acceptance = scene.order(&format!("racer-{n}"), 1, 50, 10);
            tokio::spawn(async move { store.accept(acceptance, guards, None).await })
        })
        .collect();
    let mut taken = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(accepted) => taken += u32::from(accepted.new),
            Err(AcceptError::Duplicate { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(taken, 1);
}
