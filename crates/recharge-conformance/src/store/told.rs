//! What waits to be told, and callbacks that have been heard.

use recharge_core::{UpstreamOrderId, UpstreamState};
use recharge_engine::AppendError;
use recharge_engine::store::{Delivery, KeptCallback, Message, Told};

use super::Fate;
use super::kit::{Scene, provider, wall};

async fn all(scene: &Scene) -> Vec<Message> {
    scene.store.messages(0, 100).await.unwrap()
}

/// In order, page by page, until they are marked; marked ones don't come back, nor do their numbers.
pub async fn messages_wait_until_they_are_delivered(mut scene: Scene) {
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(scene.succeeded(0).await.key);
    }
    let waiting = all(&scene).await;
    assert!(waiting.iter().map(|it| it.key).eq(keys.iter().copied()));
    assert!(waiting.is_sorted_by(|a, b| a.id < b.id));
    let [first, second, third]: [Message; 3] = waiting.clone().try_into().unwrap();
    let page = scene.store.messages(0, 2).await;
    assert_eq!(page, Ok(vec![first.clone(), second.clone()]));
    let page = scene.store.messages(second.id, 2).await;
    assert_eq!(page, Ok(vec![third.clone()]));
    scene.crash().await;
    assert_eq!(all(&scene).await, waiting, "delivered again, if need be");
    scene.store.delivered(&[third.id, first.id]).await.unwrap();
    assert_eq!(all(&scene).await, std::slice::from_ref(&second));
    scene.store.delivered(&[third.id]).await.unwrap();
    scene.crash().await;
    assert_eq!(all(&scene).await, std::slice::from_ref(&second));
    scene.store.delivered(&[second.id]).await.unwrap();
    scene.crash().await;
    assert_eq!(all(&scene).await, []);
    scene.succeeded(0).await;
    let [next]: [Message; 1] = all(&scene).await.try_into().unwrap();
    assert!(next.id > third.id, "{next:?} after {third:?}");
}

/// A notice or an alarm is there if and only if its step is, and says what the step said.
pub async fn messages_come_with_their_step(mut scene: Scene) {
    let charging = scene.charging(0).await;
    assert_eq!(all(&scene).await, []);
    let step = scene.told(&charging.order, UpstreamState::Charging, 90_000_000_000);
    assert_eq!((step.notices.len(), step.alarms.len()), (1, 1));
    for fate in [Fate::Refused, Fate::Lost] {
        scene.next_commit(fate);
        let failed = scene.store.append(charging.key, None, &step).await;
        assert!(failed.is_err());
        assert_eq!(all(&scene).await, []);
    }
    let order = scene.append(charging.key, step.clone()).await;
    for _ in 0..2 {
        let waiting = all(&scene).await;
        let version = order.version();
        let told: Vec<_> = waiting.iter().map(|it| it.what).collect();
        let alarm = step.alarms[0];
        assert_eq!(
            told,
            [
                Told::Notice(step.notices[0]),
                Told::Alarm { version, alarm }
            ]
        );
        for message in waiting {
            assert_eq!(message.merchant, order.what().merchant);
            assert_eq!(message.order_id, order.what().order_id);
        }
        scene.crash().await;
    }
}

async fn due(scene: &Scene, millis: u64) -> Vec<u64> {
    let due = scene.store.messages_due(wall(millis), 100).await.unwrap();
    due.iter().map(|it| it.id).collect()
}

/// It is due when it came to be, then when it is put off to, then never, then when somebody says so; and how
/// often it failed, and why, stays with it.
pub async fn a_delivery_that_fails_is_put_off(mut scene: Scene) {
    for _ in 0..2 {
        scene.succeeded(0).await;
    }
    let [first, second]: [Message; 2] = all(&scene).await.try_into().unwrap();
    assert_eq!(first.delivery, Delivery::at(first.since));
    let since = first.since.max(second.since);
    let now = u64::try_from(since.millis() - wall(0).millis()).unwrap();
    assert_eq!(due(&scene, now).await, [first.id, second.id]);
    let one = scene.store.messages_due(wall(now), 1).await.unwrap();
    assert_eq!(one, std::slice::from_ref(&first));
    let failed = Delivery {
        tries: 3,
        next: Some(wall(now + 5_000)),
        trouble: Some("the address answered 503".to_owned()),
    };
    scene.store.put_off(first.id, failed.clone()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(due(&scene, now + 4_999).await, [second.id]);
        assert_eq!(due(&scene, now + 5_000).await, [second.id, first.id]);
        let next = scene.store.next_message().await;
        assert_eq!(next, Ok(Some(second.since)));
        assert_eq!(all(&scene).await[0].delivery, failed);
        scene.crash().await;
    }
    let given_up = Delivery {
        next: None,
        ..failed
    };
    scene
        .store
        .put_off(first.id, given_up.clone())
        .await
        .unwrap();
    scene.store.delivered(&[second.id]).await.unwrap();
    for _ in 0..2 {
        assert_eq!(due(&scene, now + 90_000_000).await, [] as [u64; 0]);
        assert_eq!(scene.store.next_message().await, Ok(None));
        assert_eq!(all(&scene).await[0].delivery, given_up);
        scene.crash().await;
    }
    let again = Delivery::at(wall(now));
    scene.store.put_off(first.id, again).await.unwrap();
    assert_eq!(due(&scene, now).await, [first.id]);
    assert_eq!(scene.store.put_off(9_999, given_up).await, Ok(()));
}

/// Until it is delivered or given up: versions rise where they are told. Alarms don't wait for notices.
pub async fn of_an_order_the_oldest_is_told_first(scene: Scene) {
    let charging = scene.charging(0).await;
    let later = 90_000_000_000;
    let step = scene.told(&charging.order, UpstreamState::Charging, later);
    let order = scene.append(charging.key, step).await;
    let step = scene.told(&order, UpstreamState::Succeeded, later);
    scene.append(charging.key, step).await;
    let [review, alarm, succeeded]: [Message; 3] = all(&scene).await.try_into().unwrap();
    assert!(matches!(alarm.what, Told::Alarm { .. }));
    assert_eq!(due(&scene, later).await, [review.id, alarm.id]);
    let put_off = Delivery {
        tries: 1,
        next: Some(wall(later + 60_000)),
        trouble: None,
    };
    scene.store.put_off(review.id, put_off).await.unwrap();
    scene.store.delivered(&[alarm.id]).await.unwrap();
    assert_eq!(due(&scene, later).await, [] as [u64; 0]);
    let next = scene.store.next_message().await;
    assert_eq!(
        next,
        Ok(Some(wall(later + 60_000))),
        "not the one that waits"
    );
    let given_up = Delivery {
        tries: 2,
        next: None,
        trouble: None,
    };
    scene.store.put_off(review.id, given_up).await.unwrap();
    assert_eq!(due(&scene, later).await, [succeeded.id]);
}

fn callback(number: &str) -> KeptCallback {
    let mut callback = KeptCallback::new(provider(), number.to_owned());
    callback.upstream_order_id = UpstreamOrderId::parse("J-1").ok();
    callback.claims = Some(UpstreamState::Succeeded);
    callback.covers_state = true;
    callback
}

/// Each part of a callback counts, save whether its signature covers the state.
pub async fn a_callback_is_kept_once(mut scene: Scene) {
    let order = scene.charging(0).await.order;
    let number = order.attempt(0).unwrap().number();
    let first = callback(number.as_str());
    let mut others = vec![first.clone(); 4];
    others[1].upstream_order_id = None;
    others[2].claims = None;
    others[3].claims = Some(UpstreamState::Failed);
    let mut ids = Vec::new();
    for callback in &others {
        let kept = scene.store.keep_callback(callback.clone(), wall(1));
        let kept = kept.await.unwrap();
        assert!(!kept.again, "{callback:?}");
        assert_eq!(&kept.callback, callback);
        ids.push(kept.id);
    }
    for _ in 0..2 {
        for (callback, id) in others.iter().zip(&ids) {
            let kept = scene.store.keep_callback(callback.clone(), wall(2));
            let kept = kept.await.unwrap();
            assert_eq!((kept.again, kept.id), (true, *id), "{callback:?}");
        }
        scene.crash().await;
    }
    let unhandled = scene.store.unhandled(10).await.unwrap();
    assert!(unhandled.iter().map(|it| it.id).eq(ids));
}

/// By its number and its provider; attempts count.
pub async fn a_callback_is_whose_its_number_is(mut scene: Scene) {
    let stored = scene.charging(0).await;
    let other = scene.charging(0).await;
    let number = |order: &recharge_engine::Order| {
        let attempt = order.attempt(0).unwrap();
        attempt.number().as_str().to_owned()
    };
    for _ in 0..2 {
        for it in [&stored, &other] {
            let kept = scene
                .store
                .keep_callback(callback(&number(&it.order)), wall(1));
            assert_eq!(kept.await.unwrap().whose, Some((it.key, 0)));
        }
        let nobodys = callback("R2XARRMJ2EXJZSYJLMN5CRZUHLV");
        let kept = scene.store.keep_callback(nobodys, wall(1)).await.unwrap();
        assert_eq!(kept.whose, None);
        let mut elsewhere = callback(&number(&stored.order));
        elsewhere.provider = recharge_core::ProviderId::parse("second").unwrap();
        let kept = scene.store.keep_callback(elsewhere, wall(1)).await.unwrap();
        assert_eq!(kept.whose, None, "another provider's");
        scene.crash().await;
    }
    let unhandled = scene.store.unhandled(10).await.unwrap();
    let whose: Vec<_> = unhandled.iter().map(|it| it.whose).collect();
    assert_eq!(
        whose,
        [Some((stored.key, 0)), Some((other.key, 0))],
        "nobody handles what is nobody's"
    );
}

/// Until they are marked.
pub async fn unhandled_callbacks_outlive_a_crash(mut scene: Scene) {
    let mut kept = Vec::new();
    for _ in 0..3 {
        let order = scene.charging(0).await.order;
        let number = order.attempt(0).unwrap().number();
        let entry = scene
            .store
            .keep_callback(callback(number.as_str()), wall(1));
        kept.push(entry.await.unwrap());
    }
    scene.crash().await;
    let unhandled = async |limit| {
        let entries = scene.store.unhandled(limit).await.unwrap();
        let same = |entry: &recharge_engine::store::InboxEntry| {
            (entry.id, entry.callback.clone(), entry.whose)
        };
        entries.iter().map(same).collect::<Vec<_>>()
    };
    let expected: Vec<_> = kept
        .iter()
        .map(|it| (it.id, it.callback.clone(), it.whose))
        .collect();
    assert_eq!(unhandled(10).await, expected);
    assert_eq!(unhandled(2).await, expected[..2]);
    scene.store.handled(kept[1].id).await.unwrap();
    assert_eq!(
        unhandled(10).await,
        [expected[0].clone(), expected[2].clone()]
    );
    let again = kept[1].callback.clone();
    let again = scene.store.keep_callback(again, wall(9)).await.unwrap();
    assert!(again.again);
    scene.store.handled(kept[0].id).await.unwrap();
    scene.store.handled(kept[2].id).await.unwrap();
    assert_eq!(unhandled(10).await, []);
}

/// The step that it makes and its mark become durable together, or the step does not and it is told again.
pub async fn a_callback_is_handled_with_its_step(mut scene: Scene) {
    let mut kept = Vec::new();
    for _ in 0..2 {
        let stored = scene.charging(0).await;
        let number = stored.order.attempt(0).unwrap().number();
        let entry = scene
            .store
            .keep_callback(callback(number.as_str()), wall(1));
        kept.push((stored, entry.await.unwrap()));
    }
    let [(first, heard), (second, waits)] = &kept[..] else {
        unreachable!("two were made");
    };
    let step = scene.told(&first.order, UpstreamState::Charging, 90_000_000_000);
    for fate in [Fate::Refused, Fate::Lost] {
        scene.next_commit(fate);
        let failed = scene.store.append_heard(first.key, &step, heard.id).await;
        assert!(failed.is_err());
        assert_eq!(scene.store.unhandled(10).await.unwrap().len(), 2);
    }
    let told = scene.store.append_heard(first.key, &step, heard.id).await;
    assert_eq!(told, Ok(()));
    // Made of a version that is past.
    let late = scene.store.append_heard(first.key, &step, waits.id).await;
    assert!(matches!(late, Err(AppendError::Version { .. })), "{late:?}");
    scene.crash().await;
    let read = scene.store.read(first.key).await.unwrap().unwrap();
    assert_eq!(read.order, step.order);
    let unhandled = scene.store.unhandled(10).await.unwrap();
    let whose: Vec<_> = unhandled.iter().map(|it| it.whose).collect();
    assert_eq!(whose, [Some((second.key, 0))]);
}
