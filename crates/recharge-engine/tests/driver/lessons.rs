//! How real clients of such interfaces lose money, and what the driver does instead. Each test has the
//! number of its lesson.

use recharge_engine::store::OrderKey;

use super::*;

#[tokio::test(start_paused = true)]
async fn lesson_07_a_timeout_is_asked_about_and_goes_to_no_second_provider() {
    let desk = Desk::new(vec![
        first()
            .submit_after(Duration::from_secs(30), unknown())
            .query(not_found())
            .query(unavailable())
            .query(charging())
            .query(succeeded()),
        Scripted::new("second"),
    ])
    .await;
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
    assert_eq!(
        desk.states().await,
        [
            OrderState::Submitting,
            OrderState::Unknown,
            OrderState::Charging,
            OrderState::Succeeded
        ]
    );
    assert_eq!(desk.providers[0].submitted().len(), 1);
    assert_eq!(desk.providers[1].calls(), []);
}

#[tokio::test(start_paused = true)]
async fn lesson_08_a_timeout_leads_to_no_second_submit_under_any_number() {
    let desk = Desk::new(vec![
        first().submit(unknown()).query(not_found()),
        Scripted::new("second"),
    ])
    .await;
    let order = desk.rest().await;
    assert_eq!(order.state(), REVIEW(ReviewReason::ProbablyNotTaken));
    for _ in 0..10 {
        pass(86_400).await;
        desk.ask_again().await;
        desk.rest().await;
    }
    assert_eq!(order.attempts().len(), 1);
    assert_eq!(desk.providers[0].submitted().len(), 1);
    assert_eq!(desk.providers[1].calls(), []);
}

#[tokio::test(start_paused = true)]
async fn lesson_06_a_code_that_is_not_on_the_list_gives_no_money_back() {
    let doubt = Doubt::new(DoubtKind::Code, "10014: system error");
    let desk = Desk::new(vec![
        first()
            .submit(SubmitOutcome::Unknown(doubt))
            .query(not_found())
            .query(charging())
            .query(succeeded()),
    ])
    .await;
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
    assert!(!desk.states().await.contains(&OrderState::Failed));
}

#[tokio::test(start_paused = true)]
async fn lesson_09_the_intent_is_written_down_before_the_provider_hears_of_it() {
    let desk = Desk::empty(vec![
        first()
            .submit(not_sent())
            .submit(accepted())
            .query(succeeded()),
    ])
    .await;
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (store, notes) = (desk.store.clone(), seen.clone());
    desk.providers[0].on_submit(Box::new(move |request| {
        // What a crash at this very moment would leave.
        let durable = store.crashed_after(store.writes());
        let stored = tokio::task::unconstrained(durable.read(OrderKey(1)));
        let order = now_or_never(stored).unwrap().unwrap().order;
        let last = order.attempts().last().unwrap();
        let named = last.number() == request.number && last.provider().as_str() == "first";
        let open = last.open_token().is_some();
        notes.lock().unwrap().push((named, open, order.state()));
    }));
    desk.driver.accept(new_order(), false).await.unwrap();
    desk.rest().await;
    assert_eq!(
        *seen.lock().unwrap(),
        [(true, true, OrderState::Submitting); 2]
    );
}

/// What a future that waits for nothing gives.
fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

#[tokio::test(start_paused = true)]
async fn lesson_01_a_failure_callback_delivered_again_and_again_fails_nothing() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]).await;
    desk.rest().await;
    let notices = desk.notices().await;
    for _ in 0..20 {
        desk.callback(UpstreamState::Failed).await;
        pass(60).await;
    }
    assert_eq!(desk.state().await, OrderState::Succeeded);
    assert_eq!(desk.notices().await, notices);
}

#[tokio::test(start_paused = true)]
async fn lesson_04_a_later_answer_flips_no_end() {
    let desk = Desk::new(vec![
        first()
            .submit(accepted())
            .query(failed())
            .query(unavailable())
            .query(failed())
            .query(charging()),
    ])
    .await;
    let order = loop {
        let order = desk.rest().await;
        if order.state().is_end() {
            break order;
        }
    };
    assert_eq!(order.state(), OrderState::Failed);
    desk.ask_again().await;
    assert_eq!(desk.state().await, REVIEW(ReviewReason::Contradiction));
    assert_eq!(
        desk.alarms().await,
        [Alarm::Review(ReviewReason::Contradiction)]
    );
    let notices = desk.notices().await;
    assert_eq!(notices.len(), 2);
    assert!(notices[0].version < notices[1].version);
}

#[tokio::test(start_paused = true)]
async fn lesson_05_what_a_callback_claims_is_asked_and_not_believed() {
    let desk = Desk::new(vec![first().submit(accepted()).query(charging())]).await;
    let follower = desk.spawn();
    pass(3).await;
    for claims in [UpstreamState::Succeeded, UpstreamState::Failed] {
        desk.callback(claims).await;
        pass(40).await;
        assert_eq!(desk.state().await, OrderState::Charging);
    }
    let purposes = desk.events().await.into_iter().filter(|event| {
        matches!(
            event,
            Event::Answered {
                purpose: Purpose::Callback,
                ..
            }
        )
    });
    assert_eq!(purposes.count(), 2);
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn lesson_12_whoever_comes_by_and_however_often_an_order_is_sent_once() {
    let desk = Desk::new(vec![first().submit(unknown()).query(not_found())]).await;
    for _ in 0..30 {
        // A scheduler that comes by every ten seconds.
        let _ = tokio::time::timeout(Duration::from_secs(10), desk.rest()).await;
        assert!(!desk.driver.accept(new_order(), false).await.unwrap().new);
    }
    assert_eq!(desk.providers[0].submitted().len(), 1);
    assert_eq!(desk.state().await, OrderState::Unknown);
    // And the way leads out of the open state.
    assert_eq!(
        desk.rest().await.state(),
        REVIEW(ReviewReason::ProbablyNotTaken)
    );
}

#[tokio::test(start_paused = true)]
async fn lesson_18_an_acknowledgement_does_not_overwrite_what_was_found_meanwhile() {
    let desk = Desk::new(vec![
        first()
            .submit_after(Duration::from_secs(20), accepted())
            .query(succeeded()),
    ])
    .await;
    let follower = desk.spawn();
    pass(2).await;
    desk.callback(UpstreamState::Succeeded).await;
    assert_eq!(follower.await.unwrap().state(), OrderState::Succeeded);
    assert_eq!(desk.states().await.last(), Some(&OrderState::Succeeded));
    // A failure that overtakes the answer to the submit stays on record too.
    let desk = Desk::new(vec![
        first()
            .submit_after(Duration::from_secs(20), unknown())
            .query(failed()),
    ])
    .await;
    let follower = desk.spawn();
    pass(2).await;
    desk.ask_again().await;
    let order = follower.await.unwrap();
    assert_eq!(order.state(), OrderState::Failed);
    assert!(desk.providers[0].asked().len() >= 2);
}

#[tokio::test(start_paused = true)]
async fn lesson_20_an_order_that_is_pending_for_long_is_reviewed_and_never_failed() {
    let desk = Desk::new(vec![first().submit(accepted()).query(charging())]).await;
    assert_eq!(desk.rest().await.state(), REVIEW(ReviewReason::Overdue));
    assert_eq!(
        desk.order().await.attempts()[0].upstream_order_id(),
        None,
        "the upstream never gave its number"
    );
    assert_eq!(desk.alarms().await, [Alarm::Review(ReviewReason::Overdue)]);
    let desk = Desk::new(vec![first().submit(unknown()).query(unavailable())]).await;
    assert_eq!(desk.rest().await.state(), REVIEW(ReviewReason::Overdue));
}

#[tokio::test(start_paused = true)]
async fn lesson_21_a_system_error_that_pays_days_later_is_found_paid() {
    let doubt = Doubt::new(DoubtKind::Code, "10014: system error");
    let mut script = first().submit(SubmitOutcome::Unknown(doubt));
    for _ in 0..12 {
        script = script.query(not_found());
    }
    let desk = Desk::new(vec![script.query(succeeded())]).await;
    assert_eq!(
        desk.rest().await.state(),
        REVIEW(ReviewReason::ProbablyNotTaken)
    );
    while desk.state().await != OrderState::Succeeded {
        pass(86_400).await;
        desk.ask_again().await;
    }
    assert_eq!(desk.providers[0].submitted().len(), 1);
    assert_eq!(
        desk.notices().await.last().unwrap().state,
        OrderState::Succeeded
    );
}

#[tokio::test(start_paused = true)]
async fn lesson_02_a_failure_callback_is_taken_and_need_not_come_again() {
    let desk = Desk::new(vec![
        first()
            .submit(accepted())
            .query(failed())
            .query(failed())
            .query(failed()),
    ])
    .await;
    pass(2).await;
    let number = desk.order().await.attempts()[0].number();
    let body = format!("{} failed", number.as_str());
    let id = provider("first");
    for _ in 0..3 {
        let taken = desk.driver.callback(&id, None, body.as_bytes());
        taken.await.unwrap();
        pass(120).await;
    }
    assert_eq!(desk.rest().await.state(), OrderState::Failed);
    // Nor does it come back after a start: it has been heard.
    assert_eq!(desk.store.unhandled(10).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn lesson_03_a_callback_that_overtakes_the_answer_to_the_submit_is_not_lost() {
    let desk = Desk::new(vec![
        first()
            .submit_after(Duration::from_secs(20), unknown())
            .query(succeeded()),
    ])
    .await;
    pass(2).await;
    assert_eq!(desk.state().await, OrderState::Submitting);
    desk.callback(UpstreamState::Succeeded).await;
    // Asked at once, because of the callback; when the send is over, the order has its end.
    assert_eq!(desk.providers[0].asked(), [2]);
    pass(20).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn lesson_17_what_is_decided_twice_at_once_is_done_once() {
    let desk = Desk::new(vec![first().submit(unknown()).query(not_found())]).await;
    desk.rest().await;
    let told = desk.notices().await.len();
    let (one, other) = tokio::join!(
        desk.decide(Verdict::Succeeded, "ann"),
        desk.decide(Verdict::Succeeded, "bob")
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(desk.state().await, OrderState::Succeeded);
    assert_eq!(desk.notices().await.len(), told + 1);
    // Two halves of a decision that takes two people are counted once as well.
    let desk = Desk::new(vec![first().submit(unknown()).query(not_found())]).await;
    desk.rest().await;
    let again = || Verdict::SendAgain { attempt: 0 };
    let all = tokio::join!(
        desk.decide(again(), "ann"),
        desk.decide(again(), "ann"),
        desk.decide(again(), "Ann")
    );
    let done = [all.0, all.1, all.2]
        .iter()
        .filter(|one| one.is_ok())
        .count();
    assert_eq!(done, 1, "one person is one person, however often");
    assert_eq!(desk.providers[0].submitted().len(), 1);
}
