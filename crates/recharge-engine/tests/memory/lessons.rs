//! How real clients of such interfaces lose money, and what the driver does instead. Each test has the
//! number of its lesson.

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
    ]);
    assert_eq!(desk.follow().await.state(), OrderState::Succeeded);
    assert_eq!(
        desk.states(),
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
    ]);
    let order = desk.follow().await;
    assert_eq!(order.state(), REVIEW(ReviewReason::ProbablyNotTaken));
    for _ in 0..10 {
        pass(86_400).await;
        desk.ask_again().await;
        desk.follow().await;
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
    ]);
    assert_eq!(desk.follow().await.state(), OrderState::Succeeded);
    assert!(!desk.states().contains(&OrderState::Failed));
}

#[tokio::test(start_paused = true)]
async fn lesson_09_the_intent_is_written_down_before_the_provider_hears_of_it() {
    let desk = Desk::new(vec![
        first()
            .submit(not_sent())
            .submit(accepted())
            .query(succeeded()),
    ]);
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (driver, id, notes) = (Arc::downgrade(&desk.driver), desk.id.clone(), seen.clone());
    desk.providers[0].on_submit(Box::new(move |request| {
        let driver = driver.upgrade().unwrap();
        let log = driver.log("local", &id);
        let intended = log.iter().filter(|recorded| {
            matches!(&recorded.event, Event::SendIntended { number, provider, .. }
                if *number == request.number && provider.as_str() == "first")
        });
        let state = driver.order("local", &id).unwrap().state();
        notes.lock().unwrap().push((intended.count(), state));
    }));
    desk.follow().await;
    assert_eq!(
        *seen.lock().unwrap(),
        [(1, OrderState::Submitting), (2, OrderState::Submitting)]
    );
}

#[tokio::test(start_paused = true)]
async fn lesson_01_a_failure_callback_delivered_again_and_again_fails_nothing() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]);
    desk.follow().await;
    let notices = desk.driver.notices("local", &desk.id);
    for _ in 0..20 {
        assert!(desk.callback(UpstreamState::Failed).await);
        pass(60).await;
    }
    assert_eq!(desk.state(), OrderState::Succeeded);
    assert_eq!(desk.driver.notices("local", &desk.id), notices);
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
    ]);
    let order = loop {
        let order = desk.follow().await;
        if order.state().is_end() {
            break order;
        }
    };
    assert_eq!(order.state(), OrderState::Failed);
    desk.ask_again().await;
    assert_eq!(desk.state(), REVIEW(ReviewReason::Contradiction));
    assert_eq!(
        desk.driver.alarms("local", &desk.id),
        [Alarm::Review(ReviewReason::Contradiction)]
    );
    let notices = desk.driver.notices("local", &desk.id);
    assert_eq!(notices.len(), 2);
    assert!(notices[0].version < notices[1].version);
}

#[tokio::test(start_paused = true)]
async fn lesson_05_what_a_callback_claims_is_asked_and_not_believed() {
    let desk = Desk::new(vec![first().submit(accepted()).query(charging())]);
    let follower = desk.spawn();
    pass(3).await;
    for claims in [UpstreamState::Succeeded, UpstreamState::Failed] {
        desk.callback(claims).await;
        pass(40).await;
        assert_eq!(desk.state(), OrderState::Charging);
    }
    let purposes = desk.events().into_iter().filter(|event| {
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
async fn lesson_12_whoever_follows_and_however_often_an_order_is_sent_once() {
    let desk = Desk::new(vec![first().submit(unknown()).query(not_found())]);
    for _ in 0..30 {
        // A scheduler that comes by every ten seconds.
        let _ = tokio::time::timeout(Duration::from_secs(10), desk.follow()).await;
        desk.driver.accept(&new_order()).unwrap();
    }
    assert_eq!(desk.providers[0].submitted().len(), 1);
    assert_eq!(desk.state(), OrderState::Unknown);
    // And the way leads out of the open state.
    assert_eq!(
        desk.follow().await.state(),
        REVIEW(ReviewReason::ProbablyNotTaken)
    );
}

#[tokio::test(start_paused = true)]
async fn lesson_18_an_acknowledgement_does_not_overwrite_what_was_found_meanwhile() {
    let desk = Desk::new(vec![
        first()
            .submit_after(Duration::from_secs(20), accepted())
            .query(succeeded()),
    ]);
    let follower = desk.spawn();
    pass(2).await;
    desk.callback(UpstreamState::Succeeded).await;
    assert_eq!(follower.await.unwrap().state(), OrderState::Succeeded);
    assert_eq!(desk.states().last(), Some(&OrderState::Succeeded));
    // A failure that overtakes the answer to the submit stays on record too.
    let desk = Desk::new(vec![
        first()
            .submit_after(Duration::from_secs(20), unknown())
            .query(failed()),
    ]);
    let follower = desk.spawn();
    pass(2).await;
    desk.ask_again().await;
    let order = follower.await.unwrap();
    assert_eq!(order.state(), OrderState::Failed);
    assert!(desk.providers[0].asked().len() >= 2);
}

#[tokio::test(start_paused = true)]
async fn lesson_20_an_order_that_is_pending_for_long_is_reviewed_and_never_failed() {
    let desk = Desk::new(vec![first().submit(accepted()).query(charging())]);
    assert_eq!(desk.follow().await.state(), REVIEW(ReviewReason::Overdue));
    assert_eq!(
        desk.order().attempts()[0].upstream_order_id(),
        None,
        "the upstream never gave its number"
    );
    assert_eq!(
        desk.driver.alarms("local", &desk.id),
        [Alarm::Review(ReviewReason::Overdue)]
    );
    let desk = Desk::new(vec![first().submit(unknown()).query(unavailable())]);
    assert_eq!(desk.follow().await.state(), REVIEW(ReviewReason::Overdue));
}

#[tokio::test(start_paused = true)]
async fn lesson_21_a_system_error_that_pays_days_later_is_found_paid() {
    let doubt = Doubt::new(DoubtKind::Code, "10014: system error");
    let mut script = first().submit(SubmitOutcome::Unknown(doubt));
    for _ in 0..12 {
        script = script.query(not_found());
    }
    let desk = Desk::new(vec![script.query(succeeded())]);
    assert_eq!(
        desk.follow().await.state(),
        REVIEW(ReviewReason::ProbablyNotTaken)
    );
    while desk.state() != OrderState::Succeeded {
        pass(86_400).await;
        desk.ask_again().await;
    }
    assert_eq!(desk.providers[0].submitted().len(), 1);
    assert_eq!(
        desk.driver.notices("local", &desk.id).last().unwrap().state,
        OrderState::Succeeded
    );
}
