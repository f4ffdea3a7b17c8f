//! The driver, in tokio's paused time, on a store in memory and against providers that play a script.
#![cfg(feature = "driver")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod clocks;
#[path = "../common/mod.rs"]
mod common;
mod crowded;
mod desk;
mod forgotten;
mod gates;
mod lessons;
mod recovery;
mod scripted;
mod soak;
mod trouble;
mod uneven;
mod wild;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::outcomes::{
    accepted, accepted_as, charging, failed, not_found, not_sent, rejected, succeeded, unavailable,
    unknown,
};
use common::{new_order, person, provider};
use desk::{Desk, pass};
use recharge_core::{
    Account, AccountKind, Doubt, DoubtKind, FaceValue, MerchantId, OrderState, Provider,
    ReviewReason, SubmitOutcome, UpstreamState,
};
use recharge_engine::driver::{ActError, Setup, WaitError, default_routes};
use recharge_engine::{
    AcceptError, Alarm, Clock, Command, CommandError, Epoch, Event, MemoryStore, Order, Purpose,
    Store, SystemClock, Verdict,
};
use scripted::{Called, Scripted, TokioClock};

const REVIEW: fn(ReviewReason) -> OrderState = OrderState::Review;

fn first() -> Scripted {
    Scripted::new("first")
}

#[tokio::test(start_paused = true)]
async fn an_order_is_sent_once_asked_about_and_succeeds() {
    let desk = Desk::new(vec![
        first()
            .submit(accepted_as("J1"))
            .query(charging())
            .query(succeeded()),
    ])
    .await;
    let order = desk.rest().await;
    assert_eq!(order.state(), OrderState::Succeeded);
    assert_eq!(
        desk.states().await,
        [
            OrderState::Submitting,
            OrderState::Charging,
            OrderState::Succeeded
        ]
    );
    let number = order.attempts()[0].number().as_str().to_owned();
    let asked = desk.providers[0].asked();
    assert_eq!(
        desk.providers[0].calls(),
        [
            Called::Submit(number.clone(), 0),
            Called::Query(number.clone(), asked[0]),
            Called::Query(number, asked[1]),
        ]
    );
    // Five seconds after the answer, and fifteen after the next, a tenth of jitter allowed.
    assert!(
        (6..=7).contains(&asked[0]) && (22..=25).contains(&asked[1]),
        "{asked:?}"
    );
    let notices = desk.notices().await;
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].state, OrderState::Succeeded);
    assert_eq!(desk.alarms().await, []);
    // Times are those at which the questions were sent, a second before their answers came.
    for recorded in desk.log().await {
        if let Event::Answered { asked, .. } = recorded.event {
            assert_eq!(recorded.at.elapsed_since(asked), Duration::from_secs(1));
        }
    }
    // What has ended is at rest.
    assert_eq!(desk.rest().await, order);
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn not_sent_three_times_goes_to_the_second_provider() {
    let desk = Desk::new(vec![
        first()
            .submit(not_sent())
            .submit(not_sent())
            .submit(not_sent()),
        Scripted::new("second")
            .submit(accepted())
            .query(succeeded()),
    ])
    .await;
    let order = desk.rest().await;
    assert_eq!(order.state(), OrderState::Succeeded);
    let tried = desk.providers[0].submitted();
    assert_eq!(tried.len(), 3);
    assert!(tried.iter().all(|number| *number == tried[0]));
    assert_eq!(
        desk.providers[0].asked(),
        [0; 0],
        "there is nothing to ask about"
    );
    let sent = desk.providers[1].submitted();
    assert_eq!(sent.len(), 1);
    assert_ne!(sent[0], tried[0]);
    assert_eq!(order.telling_attempt().unwrap().number().as_str(), sent[0]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_confirmed_and_asked_about_again_before_the_second_provider_is_tried() {
    let desk = Desk::new(vec![
        first().submit(rejected()).query(not_found()),
        Scripted::new("second")
            .submit(accepted())
            .query(succeeded()),
    ])
    .await;
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
    let second_at = match &desk.providers[1].calls()[0] {
        Called::Submit(_, at) => *at,
        Called::Query(..) => panic!("asked before it was sent"),
    };
    let before = desk.providers[0]
        .asked()
        .into_iter()
        .filter(|at| *at <= second_at);
    assert_eq!(before.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn lesson_22_a_provider_that_never_comes_back_holds_nobody_and_leaves_a_doubt() {
    let desk = Desk::new(vec![first().hangs().query(succeeded())]).await;
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
    assert_eq!(desk.states().await[1], OrderState::Unknown);
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_first_byte_may_wait_ten_seconds_from_the_step_that_allowed_it() {
    let desk = Desk::empty(vec![first().submit(accepted()).query(succeeded())]).await;
    let seen = Arc::new(std::sync::Mutex::new(None));
    let notes = seen.clone();
    desk.providers[0].on_submit(Box::new(move |request| {
        *notes.lock().unwrap() = request.send_before;
    }));
    let before = tokio::time::Instant::now().into_std();
    desk.driver.accept(new_order(), false).await.unwrap();
    desk.rest().await;
    let after = tokio::time::Instant::now().into_std();
    let deadline = seen.lock().unwrap().unwrap();
    let wait = Duration::from_secs(10);
    assert!(before + wait <= deadline && deadline <= after + wait);
}

#[tokio::test(start_paused = true)]
async fn a_callback_ends_an_order_sooner_and_wakes_its_follower() {
    let desk = Desk::new(vec![
        first()
            .submit(accepted())
            .query(charging())
            .query(charging())
            .query(charging())
            .query(charging())
            .query(charging())
            .query(succeeded()),
    ])
    .await;
    let began = tokio::time::Instant::now();
    let follower = desk.spawn();
    // Five questions in, the next is five minutes away.
    pass(260).await;
    assert_eq!(desk.state().await, OrderState::Charging);
    desk.callback(UpstreamState::Succeeded).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
    assert_eq!(follower.await.unwrap().state(), OrderState::Succeeded);
    assert!(began.elapsed() < Duration::from_secs(270));
}

#[tokio::test(start_paused = true)]
async fn two_people_send_it_again_and_the_number_is_the_same() {
    let desk = Desk::new(vec![
        first()
            .submit(unknown())
            .submit(accepted())
            .query(not_found()),
    ])
    .await;
    desk.rest().await;
    let again = Verdict::SendAgain { attempt: 0 };
    desk.decide(again.clone(), "ann").await.unwrap();
    assert_eq!(
        desk.decide(again.clone(), "ann").await,
        Err(ActError::Refused(CommandError::SamePerson(
            "ann".to_owned()
        )))
    );
    assert_eq!(desk.providers[0].submitted().len(), 1);
    desk.decide(again, "bob").await.unwrap();
    desk.rest().await;
    let sent = desk.providers[0].submitted();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
}

#[tokio::test(start_paused = true)]
async fn two_people_fail_it_and_one_does_not() {
    let desk = Desk::new(vec![first().submit(unknown()).query(not_found())]).await;
    desk.rest().await;
    desk.decide(Verdict::Failed, "ann").await.unwrap();
    assert_eq!(desk.state().await, REVIEW(ReviewReason::ProbablyNotTaken));
    desk.decide(Verdict::Failed, "bob").await.unwrap();
    assert_eq!(desk.state().await, OrderState::Failed);
    assert_eq!(desk.rest().await.state(), OrderState::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_cancels_wakes_the_follower_of_a_waiting_order() {
    let desk = Desk::new(vec![first().submit(not_sent())]).await;
    let follower = desk.spawn();
    pass(2).await;
    assert_eq!(desk.state().await, OrderState::Pending);
    desk.decide(Verdict::Cancel, "ann").await.unwrap();
    assert_eq!(follower.await.unwrap().state(), OrderState::Failed);
}

#[tokio::test(start_paused = true)]
async fn the_log_folds_to_the_order_and_notices_rise() {
    let desk = Desk::new(vec![
        first().submit(rejected()).query(not_found()),
        Scripted::new("second")
            .submit(accepted())
            .query(succeeded())
            .query(failed()),
    ])
    .await;
    desk.rest().await;
    desk.ask_again().await;
    assert_eq!(desk.state().await, REVIEW(ReviewReason::Contradiction));
    let mut folded = Order::accept(desk.order().await.acceptance().clone());
    for (version, recorded) in (1..).zip(desk.log().await) {
        assert_eq!(recorded.version, version);
        folded.apply(&recorded).unwrap();
    }
    assert_eq!(folded, desk.order().await);
    let notices = desk.notices().await;
    assert!(notices.is_sorted_by(|a, b| a.version < b.version));
    assert_eq!(notices.last().unwrap().state, desk.state().await);
}

#[tokio::test(start_paused = true)]
async fn nothing_shows_the_number_key_or_an_account() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]).await;
    desk.rest().await;
    let shown = format!(
        "{:?} {:?} {:?}",
        desk.driver,
        desk.order().await,
        desk.log().await
    );
    assert!(!shown.contains("18900001234"), "{shown}");
    assert!(
        shown.contains("189****1234"),
        "the order itself is shown: {shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_content_is_the_same_order_and_other_content_a_conflict() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]).await;
    let order = desk.rest().await;
    let again = desk.driver.accept(new_order(), false).await.unwrap();
    assert!(!again.new);
    assert_eq!(again.stored.order, order);
    let mut other = new_order();
    other.amount = FaceValue::from_yuan(50).unwrap();
    assert_eq!(
        desk.driver.accept(other, false).await,
        Err(AcceptError::Conflict)
    );
    assert_eq!(desk.order().await, order, "nothing has changed");
    // Another merchant's order of the same name is another order; to charge the same again must be meant.
    let mut theirs = new_order();
    theirs.merchant = MerchantId::parse("other").unwrap();
    let refused = desk.driver.accept(theirs.clone(), false).await;
    assert!(
        matches!(&refused, Err(AcceptError::Duplicate { merchant, order_id, state })
            if *merchant == MerchantId::local()
                && *order_id == desk.id
                && *state == OrderState::Succeeded),
        "{refused:?}"
    );
    assert!(desk.driver.accept(theirs, true).await.unwrap().new);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_may_go_away_and_nothing_is_cancelled() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]).await;
    let gave_up = tokio::time::timeout(Duration::from_millis(500), desk.rest()).await;
    assert!(gave_up.is_err());
    assert_eq!(desk.state().await, OrderState::Submitting);
    pass(10).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_while_an_order_is_accepted_leaves_it_seen_to() {
    let desk = Desk::empty(vec![first().submit(accepted()).query(succeeded())]).await;
    // Polled once, and dropped.
    let accepting = desk.driver.accept(new_order(), false);
    assert!(
        tokio::time::timeout(Duration::ZERO, accepting)
            .await
            .is_err()
    );
    pass(10).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_callback_of_a_number_that_nobody_has_is_kept_and_changes_nothing() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]).await;
    desk.rest().await;
    let before = desk.log().await;
    let stranger = b"A23456789012345678901234567 succeeded";
    let id = provider("first");
    desk.driver.callback(&id, None, stranger).await.unwrap();
    assert!(desk.driver.callback(&id, None, b"forged").await.is_err());
    let elsewhere = provider("elsewhere");
    assert!(
        desk.driver
            .callback(&elsewhere, None, stranger)
            .await
            .is_err()
    );
    pass(60).await;
    assert_eq!(desk.log().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_command_for_an_order_that_does_not_exist_is_refused() {
    let desk = Desk::empty(vec![first()]).await;
    let by = person("ann");
    let refused = desk.command(Command::AskAgain { by }).await;
    assert_eq!(refused, Err(ActError::NoSuchOrder));
}

#[tokio::test(start_paused = true)]
async fn what_no_route_sells_is_not_accepted() {
    let desk = Desk::empty(vec![first()]).await;
    let mut landline = new_order();
    landline.account = Account::parse(AccountKind::Landline, "0571-56565366").unwrap();
    let mut odd = new_order();
    odd.amount = FaceValue::from_yuan(33).unwrap();
    let mut elsewhere = new_order();
    elsewhere.provider = Some(provider("second"));
    for what in [landline, odd, elsewhere] {
        let refused = desk.driver.accept(what, false).await;
        let Err(AcceptError::NotOffered(why)) = refused else {
            panic!("{refused:?}");
        };
        assert!(
            !why.contains("56565366") && !why.contains("18900001234"),
            "{why}"
        );
    }
    assert_eq!(desk.store.writes(), 1, "the beginning alone");
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_could_not_work_does_not_start() {
    let start = async |providers: Vec<Scripted>, change: fn(&mut Setup)| {
        let providers = providers
            .into_iter()
            .map(|p| Arc::new(p) as Arc<dyn Provider>);
        let store = Arc::new(MemoryStore::new(common::KEY));
        let clock = Arc::new(TokioClock::start());
        let mut setup = Setup::new(store.clone(), providers.collect(), clock);
        change(&mut setup);
        let error = setup.start().await.err().map(|error| error.to_string());
        (error.unwrap_or_default(), store.writes())
    };
    let twice = start(vec![first(), first()], |_| {}).await;
    assert_eq!(twice, ("two providers are called first".to_owned(), 0));
    let (times, writes) = start(vec![first()], |setup| setup.times.query_after.clear()).await;
    assert!(times.contains("query_after") && writes == 0, "{times}");
    let (route, writes) = start(vec![first()], |setup| {
        let second: Vec<Arc<dyn Provider>> = vec![Arc::new(Scripted::new("second"))];
        let routes = default_routes(&second, AccountKind::Mobile);
        setup.routes.insert(AccountKind::Mobile, routes);
    })
    .await;
    assert!(route.contains("second") && writes == 0, "{route}");
}
