//! A store that fails, and a commit whose fate nobody knows.

use recharge_engine::memory::Fault;
use recharge_engine::{AcceptError, StoreError};

use super::uneven::{AT_ONCE, Fate, Uneven};
use super::*;

#[tokio::test(start_paused = true)]
async fn an_order_that_is_not_durable_is_not_accepted() {
    let desk = Desk::empty(vec![first().submit(accepted()).query(succeeded())]).await;
    desk.store.fail([Fault::Unavailable]);
    let refused = desk.driver.accept(new_order(), false).await;
    assert!(matches!(
        refused,
        Err(AcceptError::Store(StoreError::Unavailable(_)))
    ));
    assert_eq!(desk.providers[0].calls(), []);
    // Sent again by its merchant, it is accepted.
    assert!(desk.driver.accept(new_order(), false).await.unwrap().new);
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn nobody_hears_of_an_end_that_is_not_durable_yet() {
    let store = MemoryStore::new(common::KEY);
    let slow = |call| match call {
        "append" => Fate::Takes(Duration::from_secs(3), Duration::ZERO),
        _ => AT_ONCE,
    };
    let under = Arc::new(Uneven::new(&store, slow));
    let script = Arc::new(first().submit(accepted()).query(succeeded()));
    let desk = Desk::on(store, vec![script], |setup| setup.store = under).await;
    desk.driver.accept(new_order(), false).await.unwrap();
    let mut waits = desk.spawn();
    let told = loop {
        tokio::select! {
            biased;
            told = &mut waits => break told.unwrap(),
            () = pass(1) => {}
        }
    };
    assert_eq!(told.state(), OrderState::Succeeded);
    assert_eq!(desk.states().await.last(), Some(&told.state()));
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_acceptance_is_unknown_is_one_order_whichever_way_it_went() {
    for (fault, new) in [(Fault::Lost, true), (Fault::Landed, false)] {
        let desk = Desk::empty(vec![first().submit(accepted()).query(succeeded())]).await;
        desk.store.fail([fault]);
        let refused = desk.driver.accept(new_order(), false).await;
        assert!(matches!(
            refused,
            Err(AcceptError::Store(StoreError::Unknown(_)))
        ));
        assert_eq!(
            desk.driver.accept(new_order(), false).await.unwrap().new,
            new
        );
        assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
        assert_eq!(desk.providers[0].submitted().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn v7_a_send_goes_out_only_if_its_very_intent_is_read_back() {
    for fault in [Fault::Unavailable, Fault::Lost, Fault::Landed] {
        let desk = Desk::empty(vec![first().submit(accepted()).query(succeeded())]).await;
        let store = desk.store.clone();
        desk.providers[0].on_submit(Box::new(move |_| {
            assert!(
                store.writes() >= 3,
                "begin, accept and the intent are durable"
            );
        }));
        let accepting = desk.driver.accept(new_order(), false).await.unwrap();
        assert!(accepting.new);
        // The next write is the intent.
        desk.store.fail([fault]);
        assert_eq!(
            desk.rest().await.state(),
            OrderState::Succeeded,
            "{fault:?}"
        );
        assert_eq!(desk.providers[0].submitted().len(), 1, "{fault:?}");
        let intents = desk
            .events()
            .await
            .into_iter()
            .filter(|event| matches!(event, Event::SendIntended { .. }));
        assert_eq!(intents.count(), 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fact_is_written_down_however_often_the_store_fails() {
    for fault in [Fault::Unavailable, Fault::Lost, Fault::Landed] {
        let desk = Desk::new(vec![
            first()
                .submit_after(Duration::from_secs(5), accepted_as("J1"))
                .query(succeeded()),
        ])
        .await;
        pass(1).await;
        desk.store.fail([fault; 7]);
        assert_eq!(
            desk.rest().await.state(),
            OrderState::Succeeded,
            "{fault:?}"
        );
        let ended = desk
            .events()
            .await
            .into_iter()
            .filter(|event| matches!(event, Event::SendEnded { .. }));
        assert_eq!(ended.count(), 1, "{fault:?}");
        assert_eq!(desk.providers[0].submitted().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn every_write_of_a_life_fails_once_in_every_way() {
    let whole = Desk::new(vec![
        first()
            .submit(accepted())
            .query(charging())
            .query(succeeded()),
    ])
    .await;
    whole.rest().await;
    for at in 0..whole.store.writes() - 1 {
        for fault in [Fault::Unavailable, Fault::Lost, Fault::Landed] {
            let desk = Desk::empty(vec![
                first()
                    .submit(accepted())
                    .query(charging())
                    .query(succeeded()),
            ])
            .await;
            let fine = std::iter::repeat_n(Fault::None, at);
            desk.store.fail(fine.chain([fault]));
            while desk.driver.accept(new_order(), false).await.is_err() {}
            assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
            assert_eq!(
                desk.providers[0].submitted().len(),
                1,
                "write {at}: {fault:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_and_works_again_is_told_of() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]).await;
    let mut trouble = desk.driver.trouble();
    assert_eq!(*trouble.borrow_and_update(), None);
    tokio::time::sleep(Duration::from_millis(500)).await;
    desk.store.fail([Fault::Unavailable; 3]);
    let told = trouble.wait_for(Option::is_some).await.unwrap().clone();
    assert!(told.unwrap().contains("told to fail"));
    trouble.wait_for(Option::is_none).await.unwrap();
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
}
