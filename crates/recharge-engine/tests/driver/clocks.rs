//! The clocks of the machine, and what counts by the calendar.

use recharge_core::OrderId;

use super::*;

#[test]
fn the_machines_clocks_go_forward_in_one_epoch() {
    let clock = SystemClock::default();
    clock.begin(Epoch(3));
    let (earlier, later) = (clock.now(), clock.now());
    assert!(later.not_before(earlier));
    assert_eq!((earlier.epoch, later.epoch), (Epoch(3), Epoch(3)));
    // Some time after 2024.
    assert!(later.wall.millis() > 1_704_067_200_000);
    clock.begin(Epoch(4));
    assert_eq!(clock.instant(later, Duration::from_secs(10)), None);
}

#[test]
fn the_machines_clock_counts_from_when_its_epoch_began() {
    let clock = SystemClock::default();
    let until_it_shows = |least: Duration| {
        while clock.now().monotonic < least {
            std::thread::yield_now();
        }
        clock.now()
    };
    clock.begin(Epoch(3));
    until_it_shows(Duration::from_millis(2));
    let before = Instant::now();
    clock.begin(Epoch(4));
    let after = Instant::now();
    let moment = clock.now();
    assert!(moment.monotonic <= before.elapsed(), "{moment:?}");
    // A limit stands where it stood, however late somebody asks for it.
    let later = Duration::from_secs(10);
    until_it_shows(moment.monotonic + (after - before) + Duration::from_millis(2));
    let limit = clock.instant(moment, later).unwrap();
    assert!(before + moment.monotonic + later <= limit);
    assert!(limit <= after + moment.monotonic + later);
}

#[tokio::test(start_paused = true)]
async fn the_day_of_an_account_begins_at_midnight_in_china() {
    let desk = Desk::with(vec![first().submit(accepted())], |setup| {
        setup.caution.account_orders_per_day = Some(1);
    })
    .await;
    let until_midnight = |millis: i64| {
        let day = Duration::from_hours(24);
        let midnight = desk.clock.now().wall.midnight_in_china().after(day);
        desk.clock
            .jump(midnight.millis() - desk.clock.now().wall.millis() + millis);
    };
    let accepts = async |name: &str| {
        let mut order = new_order();
        order.order_id = OrderId::parse(name).unwrap();
        desk.driver.accept(order, true).await
    };
    until_midnight(-2_000);
    accepts("order-1").await.unwrap();
    let refused = accepts("order-2").await.unwrap_err();
    assert!(
        matches!(refused, AcceptError::AccountLimit { .. }),
        "{refused:?}"
    );
    desk.clock.jump(2_000);
    accepts("order-3").await.unwrap();
}
