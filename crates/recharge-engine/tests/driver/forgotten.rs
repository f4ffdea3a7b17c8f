//! Orders that nobody might see to any more, and what a stop or a jump of the clock might lose.

use recharge_core::OrderId;
use recharge_engine::driver::StartError;
use recharge_engine::memory::Fault;

use super::uneven::{AT_ONCE, Fate, Uneven};
use super::*;

/// A desk whose store follows a plan.
async fn uneven(
    providers: Vec<Scripted>,
    plan: impl FnMut(&'static str) -> Fate + Send + 'static,
) -> Desk {
    let store = MemoryStore::new(common::KEY);
    let providers = providers.into_iter().map(Arc::new).collect();
    let under = Arc::new(Uneven::new(&store, plan));
    Desk::on(store, providers, |setup| setup.store = under).await
}

/// Once it comes to this call, that happens; to every other, nothing.
fn once(call: &'static str, fate: Fate) -> impl FnMut(&'static str) -> Fate + Send + 'static {
    let mut open = true;
    move |name| {
        if name == call && std::mem::take(&mut open) {
            fate
        } else {
            AT_ONCE
        }
    }
}

/// Charging for so long that its next question is minutes away.
fn slow_to_charge() -> Scripted {
    let mut script = first().submit(accepted());
    for _ in 0..5 {
        script = script.query(charging());
    }
    script
}

#[tokio::test(start_paused = true)]
async fn a_jump_is_recovered_from_though_the_store_fails_in_the_midst_of_it() {
    let desk = Desk::new(vec![
        first()
            .submit(accepted())
            .query(charging())
            .query(succeeded()),
    ])
    .await;
    pass(2).await;
    // The epoch begins; what the order is told of it fails.
    desk.store.fail([Fault::None, Fault::Unavailable]);
    desk.clock.jump(-86_400_000);
    pass(120).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
}

/// It was stepped by the clock of before, and is written down when every order has been looked at.
#[tokio::test(start_paused = true)]
async fn what_is_written_down_while_the_clock_is_set_back_is_not_put_off() {
    let script = first()
        .submit(accepted())
        .query(charging())
        .query(succeeded());
    let mut appends = 0;
    let desk = uneven(vec![script], move |call| {
        appends += u32::from(call == "append");
        if call == "append" && appends == 2 {
            Fate::Takes(Duration::from_secs(15), Duration::ZERO)
        } else {
            AT_ONCE
        }
    })
    .await;
    desk.driver.accept(new_order(), false).await.unwrap();
    pass(2).await;
    assert_eq!(desk.state().await, OrderState::Submitting);
    desk.clock.jump(-86_400_000);
    // The epoch has begun; when the order is to be told that it was put off, the store fails.
    pass(11).await;
    desk.store.fail([Fault::None, Fault::Unavailable]);
    pass(120).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn the_store_is_looked_through_after_a_jump_as_often_as_before() {
    let desk = Desk::empty(vec![first().submit(accepted()).query(succeeded())]).await;
    pass(7_200).await;
    desk.clock.jump(3_600_000);
    pass(15).await;
    // It is there, and nobody was told.
    desk.store.fail([Fault::Landed]);
    assert!(desk.driver.accept(new_order(), false).await.is_err());
    pass(30).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_can_not_be_given_back_has_its_turn_all_the_same() {
    let script = slow_to_charge().query(succeeded());
    let desk = uneven(vec![script], once("release", Fate::Fails)).await;
    desk.driver.accept(new_order(), false).await.unwrap();
    pass(600).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_question_dies_is_asked_about_again() {
    let desk = Desk::new(vec![slow_to_charge()]).await;
    pass(260).await;
    desk.providers[0].answers(None);
    let by = person("ann");
    desk.command(Command::AskAgain { by }).await.unwrap();
    pass(2).await;
    desk.providers[0].answers(Some(succeeded()));
    pass(600).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_submit_that_dies_leaves_a_doubt() {
    let desk = Desk::new(vec![first().query(succeeded())]).await;
    pass(600).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
    assert_eq!(desk.states().await[1], OrderState::Unknown);
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_give_up_what_was_told_while_the_store_fails() {
    for fault in [Fault::Unavailable, Fault::Lost] {
        let desk = Desk::new(vec![
            first()
                .submit_after(Duration::from_secs(8), accepted())
                .query(succeeded()),
        ])
        .await;
        pass(2).await;
        desk.store.fail([fault; 3]);
        assert!(desk.driver.stop(Duration::from_mins(1)).await);
        assert_eq!(desk.state().await, OrderState::Charging, "{fault:?}");
    }
    // One that could not be recorded is not said to be.
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]).await;
    pass(0).await;
    desk.store.fail([Fault::Unavailable; 100]);
    assert!(!desk.driver.stop(Duration::from_secs(20)).await);
    assert_eq!(desk.state().await, OrderState::Submitting);
}

#[tokio::test(start_paused = true)]
async fn no_byte_is_under_way_longer_after_the_intent_than_the_quarantine_assumes() {
    let script = first().hangs().query(succeeded());
    let slow = Fate::Takes(Duration::from_secs(8), Duration::ZERO);
    let desk = uneven(vec![script], once("append", slow)).await;
    desk.driver.accept(new_order(), false).await.unwrap();
    desk.rest().await;
    let log = desk.log().await;
    let at = |wanted: fn(&Event) -> bool| log.iter().find(|it| wanted(&it.event)).unwrap().at;
    let intended = at(|event| matches!(event, Event::SendIntended { .. }));
    let ended = at(|event| matches!(event, Event::SendEnded { .. }));
    let flight = ended.elapsed_since(intended);
    assert!(flight <= Duration::from_secs(46), "{flight:?}");
    assert!(flight >= Duration::from_secs(44), "{flight:?}");
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_takes_longer_than_the_send_may_wait_sends_nothing() {
    let script = first().submit(accepted()).query(succeeded());
    let slow = Fate::Takes(Duration::ZERO, Duration::from_secs(10));
    let desk = uneven(vec![script], once("append", slow)).await;
    desk.driver.accept(new_order(), false).await.unwrap();
    pass(11).await;
    assert_eq!(desk.state().await, OrderState::Pending);
    assert_eq!(desk.providers[0].calls(), []);
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_while_the_intent_is_committed_sends_nothing() {
    let script = first().submit(accepted()).query(succeeded());
    let slow = Fate::Takes(Duration::ZERO, Duration::from_secs(5));
    let desk = uneven(vec![script], once("append", slow)).await;
    pass(9).await;
    desk.driver.accept(new_order(), false).await.unwrap();
    desk.clock.jump(600_000);
    pass(6).await;
    assert_eq!(desk.providers[0].calls(), []);
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_callback_is_heard_though_its_order_can_not_be_claimed_at_once() {
    let script = slow_to_charge().query(succeeded());
    let desk = uneven(vec![script], once("claim", Fate::Fails)).await;
    desk.driver.accept(new_order(), false).await.unwrap();
    // The next question is minutes away, and the order is not at hand.
    pass(260).await;
    desk.callback(UpstreamState::Succeeded).await;
    pass(5).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn v8_a_restored_backup_whose_orders_could_not_all_be_held_does_not_start() {
    for fate in [Fate::Dies, Fate::Fails] {
        let lost = Desk::new(vec![first().submit(accepted()).query(succeeded())]).await;
        lost.rest().await;
        let store = lost.store.restored_from(2);
        let start = async |fate| {
            let providers: Vec<Arc<dyn Provider>> = vec![Arc::new(first().query(succeeded()))];
            let under = Arc::new(Uneven::new(&store, once("claim", fate)));
            let clock = Arc::new(TokioClock::start());
            Setup::new(under, providers, clock).start().await
        };
        let failed = start(fate).await;
        assert!(matches!(failed, Err(StartError::Store(_))), "{failed:?}");
        let began = start(AT_ONCE).await.unwrap();
        pass(60).await;
        let order = began.order(&MerchantId::local(), &lost.id).await;
        assert!(order.unwrap().unwrap().order.is_held());
    }
}

#[tokio::test(start_paused = true)]
async fn v8_who_is_overtaken_while_it_holds_a_restored_backup_does_not_cross_it_off() {
    let lost = Desk::new(vec![first().submit(accepted()).query(succeeded())]).await;
    lost.rest().await;
    let store = lost.store.restored_from(2);
    let start = |fate| {
        let providers: Vec<Arc<dyn Provider>> = vec![Arc::new(first().query(succeeded()))];
        let under = Arc::new(Uneven::new(&store, once("claim", fate)));
        let clock = Arc::new(TokioClock::start());
        tokio::spawn(Setup::new(under, providers, clock).start())
    };
    let overtaken = start(Fate::Takes(Duration::from_secs(5), Duration::ZERO));
    pass(2).await;
    // Another worker begins, and dies at once.
    store.begin().await.unwrap();
    let overtaken = overtaken.await.unwrap();
    assert!(
        matches!(overtaken, Err(StartError::Store(_))),
        "{overtaken:?}"
    );
    let began = start(AT_ONCE).await.unwrap().unwrap();
    pass(60).await;
    let order = began.order(&MerchantId::local(), &lost.id).await;
    assert!(order.unwrap().unwrap().order.is_held());
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_put_down_twice_is_asked_about_once() {
    let desk = Desk::new(vec![first().submit(accepted()).query(charging())]).await;
    // Asked after six seconds; the next question comes fifteen later.
    pass(9).await;
    desk.ask_again().await;
    desk.ask_again().await;
    assert_eq!(desk.providers[0].asked().len(), 3);
    pass(10).await;
    let scheduled = |event: &Event| {
        matches!(
            event,
            Event::Answered {
                purpose: Purpose::Schedule,
                ..
            }
        )
    };
    let events = desk.events().await;
    assert_eq!(events.iter().filter(|event| scheduled(event)).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_a_driver_that_has_nothing_to_do_takes_no_time_and_sends_followers_away() {
    let desk = Desk::new(vec![first().submit(not_sent())]).await;
    pass(2).await;
    let driver = desk.driver.clone();
    let id = desk.id.clone();
    let follower =
        tokio::spawn(async move { driver.until_at_rest(&MerchantId::local(), &id).await });
    pass(1).await;
    assert!(desk.driver.stop(Duration::from_millis(10)).await);
    let sent_away = tokio::time::timeout(Duration::from_secs(1), follower).await;
    assert_eq!(sent_away.unwrap().unwrap(), Err(WaitError::Stopping));
    // Nor does anybody wait who comes later.
    let merchant = MerchantId::local();
    let late = desk.driver.until_at_rest(&merchant, &desk.id);
    let sent_away = tokio::time::timeout(Duration::from_secs(1), late).await;
    assert_eq!(sent_away.unwrap(), Err(WaitError::Stopping));
    let unknown = OrderId::parse("nobody-ordered-this").unwrap();
    let nothing = desk.driver.until_at_rest(&merchant, &unknown).await;
    assert_eq!(nothing, Err(WaitError::NoSuchOrder));
    let by = person("ann");
    let refused = desk.command(Command::AskAgain { by }).await;
    assert_eq!(refused, Err(ActError::Stopping));
}

#[tokio::test(start_paused = true)]
async fn what_ends_after_a_stop_leads_to_nothing_new() {
    let desk = Desk::new(vec![
        first().submit(rejected()).query(not_found()),
        Scripted::new("second"),
    ])
    .await;
    // One second for the submit; the question is under way.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(desk.driver.stop(Duration::from_mins(1)).await);
    assert_eq!(desk.state().await, OrderState::Pending);
    assert_eq!(desk.providers[0].asked().len(), 1);
    assert_eq!(desk.providers[1].calls(), []);
}

/// Between the look through the orders at a start and the first look at the clock.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_while_a_worker_starts_puts_nothing_off() {
    let before = Desk::new(vec![slow_to_charge().query(succeeded())]).await;
    pass(200).await;
    let store = before.store.crashed_after(before.store.writes());
    let clock = Arc::new(before.clock.successor());
    let jumps = clock.clone();
    // The last thing that a start asks for.
    let under = Arc::new(Uneven::new(&store, move |call| {
        if call == "unhandled" {
            jumps.jump(-86_400_000);
        }
        AT_ONCE
    }));
    let desk = Desk::on(store, before.providers.clone(), |setup| {
        setup.store = under;
        setup.clock = clock;
    })
    .await;
    pass(600).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
}

/// Between two looks of the scheduler at the clock: while it sees to an earlier jump.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_twice_puts_nothing_off() {
    let store = MemoryStore::new(common::KEY);
    let clock = Arc::new(TokioClock::start());
    let jumps = clock.clone();
    let mut epochs = 0;
    let under = Arc::new(Uneven::new(&store, move |call| {
        epochs += u32::from(call == "next_epoch");
        // When the order is to be asked about is reckoned already.
        if epochs == 1 && call == "append" {
            epochs += 1;
            jumps.jump(-86_400_000);
        }
        AT_ONCE
    }));
    let script = slow_to_charge().query(succeeded());
    let desk = Desk::on(store, vec![Arc::new(script)], |setup| {
        setup.store = under;
        setup.clock = clock.clone();
    })
    .await;
    desk.driver.accept(new_order(), false).await.unwrap();
    pass(200).await;
    clock.jump(-86_400_000);
    pass(1_200).await;
    assert_eq!(desk.state().await, OrderState::Succeeded);
}
