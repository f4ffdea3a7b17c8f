//! A crash at every point of an order's life, and what the next worker makes of it.

use recharge_core::OrderId;
use recharge_engine::MemoryStore;
use recharge_engine::driver::StartError;
use recharge_engine::memory::Fault;
use recharge_engine::store::{Filter, Hold, OrderKey};

use super::*;

/// Numbers that were submitted by the dead worker and the next, together.
fn sent(desk: &Desk) -> Vec<String> {
    let mut numbers: Vec<_> = desk.providers.iter().flat_map(|p| p.submitted()).collect();
    numbers.sort();
    numbers.dedup();
    numbers
}

#[tokio::test(start_paused = true)]
async fn an_order_is_sent_once_wherever_a_crash_cuts_its_life_off() {
    let whole = Desk::new(vec![first().submit(accepted()).query(succeeded())]).await;
    whole.rest().await;
    let writes = whole.store.writes();
    for cut in 2..=writes {
        let store = whole.store.crashed_after(cut);
        let before = store.read(OrderKey(1)).await.unwrap().unwrap().order;
        // The upstream knows what was sent before the crash.
        let script = if before.attempts().is_empty() {
            first().submit(accepted()).query(succeeded())
        } else {
            first().query(not_found()).query(succeeded())
        };
        let providers = vec![Arc::new(script)];
        let desk = Desk::on(store, providers, |_| {}).await;
        let order = desk.rest().await;
        assert_eq!(order.state(), OrderState::Succeeded, "cut after {cut}");
        assert_eq!(order.attempts().len(), 1);
        if before.state() == OrderState::Submitting {
            assert!(desk.states().await.contains(&OrderState::Unknown));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_submit_that_was_under_way_is_asked_about_at_once_and_never_sent_again() {
    let desk = Desk::new(vec![first().hangs().query(not_found()).query(succeeded())]).await;
    pass(3).await;
    assert_eq!(desk.state().await, OrderState::Submitting);
    let next = desk.crashed_after(desk.store.writes()).await;
    assert_eq!(next.rest().await.state(), OrderState::Succeeded);
    assert_eq!(sent(&next).len(), 1);
    assert_eq!(next.providers[0].submitted().len(), 1);
    assert_eq!(next.states().await[1], OrderState::Unknown);
    assert_eq!(next.providers[0].asked()[0], 3, "it is asked about at once");
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_a_rejection_leaves_a_doubt() {
    let desk = Desk::new(vec![first().submit(rejected()).query(not_found())]).await;
    // One second for the submit; the question is under way.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(desk.providers[0].asked().len(), 1);
    let next = desk.crashed_after(desk.store.writes()).await;
    assert_eq!(next.rest().await.state(), OrderState::Failed);
    assert_eq!(next.states().await[1], OrderState::Unknown);
}

#[tokio::test(start_paused = true)]
async fn v2_a_worker_that_slept_through_a_takeover_sends_nothing_and_decides_nothing() {
    let desk = Desk::new(vec![
        first()
            .submit(not_sent())
            .submit(accepted())
            .query(succeeded()),
    ])
    .await;
    pass(2).await;
    assert_eq!(desk.state().await, OrderState::Pending);
    // Another worker begins on the same store while this one is between two of its turns.
    let other = Desk::on(desk.store.clone(), desk.providers.clone(), |_| {}).await;
    assert_eq!(other.rest().await.state(), OrderState::Succeeded);
    let submitted = other.providers[0].submitted();
    assert_eq!(
        submitted.len(),
        2,
        "the second by one of the two workers alone"
    );
    // The first one's turns came to nothing, and a command through it is refused.
    let by = person("ann");
    let refused = desk.command(Command::AskAgain { by }).await;
    assert_eq!(refused, Err(ActError::Busy));
}

#[tokio::test(start_paused = true)]
async fn two_workers_tell_their_sends_apart_though_they_draw_from_one_seed() {
    let script = (0..2).fold(first(), |script, _| {
        script.submit(accepted()).query(succeeded())
    });
    let mut desk = Desk::new(vec![script]).await;
    let mut tokens = Vec::new();
    for id in ["order-1", "order-2"] {
        if id != "order-1" {
            // The same again, in another worker.
            desk = Desk::on(desk.store.clone(), desk.providers.clone(), |_| {}).await;
            desk.id = OrderId::parse(id).unwrap();
            let mut what = new_order();
            what.order_id = desk.id.clone();
            desk.driver.accept(what, true).await.unwrap();
        }
        assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
        tokens.extend(
            desk.events()
                .await
                .into_iter()
                .find_map(|event| match event {
                    Event::SendIntended { token, .. } => Some(token),
                    _ => None,
                }),
        );
    }
    assert_ne!(tokens[0], tokens[1]);
}

#[tokio::test(start_paused = true)]
async fn v2_what_a_worker_reports_after_a_takeover_is_kept_as_evidence() {
    let desk = Desk::new(vec![
        first()
            .submit_after(Duration::from_secs(20), accepted_as("J1"))
            .query(charging())
            .query(charging())
            .query(succeeded()),
    ])
    .await;
    pass(2).await;
    let other = Desk::on(desk.store.clone(), desk.providers.clone(), |_| {}).await;
    assert_eq!(other.state().await, OrderState::Unknown);
    pass(25).await;
    let ended = desk.events().await.into_iter().filter(|event| {
        matches!(
            event,
            Event::SendEnded {
                outcome: SubmitOutcome::Accepted(_),
                ..
            }
        )
    });
    assert_eq!(ended.count(), 1, "the late acknowledgement is on record");
    assert_eq!(other.rest().await.state(), OrderState::Succeeded);
    assert_eq!(other.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn v8_after_a_restored_backup_nothing_is_sent_before_every_number_has_been_asked_about() {
    let lost = Desk::new(vec![first().submit(accepted()).query(succeeded())]).await;
    lost.rest().await;
    // The backup was made when the order had just been accepted: begin, accept.
    let store: MemoryStore = lost.store.restored_from(2);
    let knows = Arc::new(first().query(succeeded()));
    let desk = Desk::on(store, vec![knows], |_| {}).await;
    pass(60).await;
    assert_eq!(desk.state().await, OrderState::Pending, "held");
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
    assert_eq!(
        desk.states().await,
        [REVIEW(ReviewReason::EarlierAttempt), OrderState::Succeeded]
    );
    assert_eq!(desk.providers[0].submitted(), [""; 0]);
    let number = lost.order().await.attempts()[0].number();
    assert_eq!(desk.order().await.attempts()[0].number(), number);
    assert!(matches!(
        desk.store.begin().await.unwrap().hold,
        Some(Hold::For(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn v8_a_start_that_fails_sends_nothing_of_a_restored_order() {
    let lost = Desk::new(vec![first().submit(accepted())]).await;
    let store = lost.store.restored_from(2);
    // The worker begins; that the order is held can't be written down.
    store.fail([Fault::None, Fault::Unavailable]);
    let knows = Arc::new(first().submit(accepted()));
    let providers: Vec<Arc<dyn Provider>> = vec![knows.clone()];
    let clock = Arc::new(TokioClock::start());
    let started = Setup::new(Arc::new(store.clone()), providers, clock).start();
    assert!(matches!(started.await, Err(StartError::Store(_))));
    pass(2 * 60 * 60).await;
    assert_eq!(knows.submitted(), [""; 0]);
    let key = store
        .find(&MerchantId::local(), &new_order().order_id)
        .await;
    let stored = store.read(key.unwrap().unwrap()).await.unwrap().unwrap();
    assert_eq!(
        stored.order.state(),
        OrderState::Pending,
        "nor does it expire"
    );
}

#[tokio::test(start_paused = true)]
async fn v8_an_order_sent_again_by_its_merchant_after_a_restore_is_held_too() {
    let lost = Desk::empty(vec![first()]).await;
    let store = lost.store.restored_from(1);
    // Denied as often as it takes to believe it.
    let denies = (0..6).fold(first(), |first, _| first.query(not_found()));
    let knows = Arc::new(denies.submit(accepted()).query(succeeded()));
    let desk = Desk::on(store, vec![knows], |_| {}).await;
    desk.driver.accept(new_order(), false).await.unwrap();
    assert!(desk.order().await.is_held());
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
    let calls = desk.providers[0].calls();
    assert!(
        matches!(calls[0], Called::Query(_, at) if at >= 30 * 60),
        "{calls:?}"
    );
    assert!(matches!(calls.last(), Some(Called::Query(..))), "{calls:?}");
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_back_puts_no_order_off() {
    let desk = Desk::new(vec![
        first()
            .submit(accepted())
            .query(charging())
            .query(succeeded()),
    ])
    .await;
    pass(2).await;
    assert_eq!(desk.state().await, OrderState::Charging);
    desk.clock.jump(-86_400_000);
    pass(120).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
    assert!(desk.events().await.contains(&Event::Recovered));
    let epochs: Vec<_> = desk.log().await.iter().map(|r| r.at.epoch).collect();
    assert!(
        epochs.is_sorted() && epochs.first() < epochs.last(),
        "{epochs:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_while_an_order_is_sent_takes_its_acknowledgement_all_the_same() {
    let desk = Desk::new(vec![
        first()
            .submit_after(Duration::from_secs(25), accepted())
            .query(succeeded()),
    ])
    .await;
    pass(1).await;
    desk.clock.jump(3_600_000);
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_was_kept_before_a_crash_is_heard_after_it() {
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
    pass(260).await;
    let writes = desk.store.writes();
    let asked = desk.providers[0].asked().len();
    desk.callback(UpstreamState::Succeeded).await;
    // The very next write was the callback's; what it caused is lost.
    let next = desk.crashed_after(writes + 1).await;
    pass(2).await;
    assert_eq!(next.state().await, OrderState::Succeeded);
    assert_eq!(next.providers[0].asked().len(), asked + 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_under_way_at_a_stop_is_recorded_as_what_it_is() {
    let desk = Desk::new(vec![
        first()
            .submit_after(Duration::from_secs(8), accepted())
            .query(succeeded()),
    ])
    .await;
    pass(2).await;
    assert!(desk.driver.stop(Duration::from_mins(1)).await);
    assert_eq!(desk.state().await, OrderState::Charging);
    assert_eq!(
        desk.driver.accept(new_order(), false).await,
        Err(AcceptError::Stopping)
    );
    let writes = desk.store.writes();
    pass(3_600).await;
    assert_eq!(desk.store.writes(), writes, "nothing goes on after a stop");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_no_longer_than_its_patience() {
    let desk = Desk::new(vec![first().hangs().query(succeeded())]).await;
    pass(2).await;
    assert!(!desk.driver.stop(Duration::from_secs(3)).await);
    assert_eq!(desk.state().await, OrderState::Submitting);
}

#[tokio::test(start_paused = true)]
async fn every_order_that_a_dead_worker_had_accepted_is_sent_by_the_next() {
    let dead = Desk::with(vec![first().hangs()], |setup| setup.limits.in_flight = 1).await;
    for order in 0..300 {
        let mut what = new_order();
        what.order_id = format!("o{order}").parse().unwrap();
        dead.driver.accept(what, true).await.unwrap();
    }
    let mut script = first();
    for _ in 0..300 {
        script = script.submit(accepted());
    }
    let store = dead.store.crashed_after(dead.store.writes());
    let providers = vec![Arc::new(script.query(succeeded()))];
    let next = Desk::on(store, providers, |_| {}).await;
    pass(120).await;
    let all = next
        .store
        .list(&Filter::default(), None, 1000)
        .await
        .unwrap();
    let done = all
        .iter()
        .filter(|stored| stored.order.state() == OrderState::Succeeded);
    assert_eq!((all.len(), done.count()), (300, 300));
    // The one that was being sent when the worker died is not sent again.
    assert_eq!(next.providers[0].submitted().len(), 299);
}

#[tokio::test(start_paused = true)]
async fn v8_the_hold_is_over_after_a_week_of_work_whatever_the_wall_clock_says() {
    const HOUR: u64 = 3_600;
    let restored = MemoryStore::new(crate::common::KEY).restored_from(0);
    let mut desk = Desk::on(restored, vec![Arc::new(first())], |_| {}).await;
    let left = async |desk: &Desk| match desk.store.begin().await.unwrap().hold {
        Some(Hold::For(left)) => left.as_secs(),
        Some(Hold::Restored) => panic!("it has begun"),
        None => 0,
    };
    assert_eq!(left(&desk).await, 7 * 24 * HOUR);
    for day in 1..7 {
        desk.clock.jump(30 * 86_400_000);
        pass(24 * HOUR).await;
        // A crash takes what has not been counted.
        let providers = desk.providers.clone();
        desk = Desk::on(desk.store.clone(), providers, |_| {}).await;
        let left = left(&desk).await;
        let least = (7 - day) * 24 * HOUR;
        assert!(
            (least..=least + day * HOUR).contains(&left),
            "{left} on day {day}"
        );
    }
    pass(32 * HOUR).await;
    assert_eq!(left(&desk).await, 0);
}

/// Each answer makes one more number that the order could have used.
#[tokio::test(start_paused = true)]
async fn an_upstream_that_knows_every_number_is_not_asked_for_ever() {
    let before = Desk::new(vec![first().submit(accepted()).query(charging())]).await;
    pass(200).await;
    let store = before.store.restored_from(before.store.writes());
    let clock = before.clock.successor();
    let provider = Arc::new(first().query(charging()));
    let desk = Desk::on(store, vec![provider], |setup| setup.clock = Arc::new(clock)).await;
    pass(86_400).await;
    let asked = desk.providers[0].asked().len();
    // Sixteen of them, every hour.
    assert!((16..30 * 16).contains(&asked), "{asked}");
    let reason = ReviewReason::EarlierAttempt;
    assert_eq!(desk.state().await, OrderState::Review(reason));
}
