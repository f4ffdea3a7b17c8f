//! How much is under way at a provider, and who waits.

use recharge_engine::driver::Limits;

use super::*;

/// Orders for different accounts.
async fn accept_many(desk: &Desk, many: usize) {
    for at in 0..many {
        let mut what = new_order();
        what.order_id = format!("order-{at}").parse().unwrap();
        let account = format!("189{at:08}");
        what.account = Account::parse(AccountKind::Mobile, &account).unwrap();
        desk.driver.accept(what, false).await.unwrap();
    }
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

#[tokio::test(start_paused = true)]
async fn no_more_submits_are_in_flight_than_allowed_and_all_get_their_turn() {
    let mut script = first();
    for _ in 0..30 {
        script = script.submit_after(Duration::from_secs(2), accepted());
    }
    let desk = Desk::with(vec![script.query(succeeded())], |setup| {
        setup.limits = limits(|limits| limits.in_flight = 3);
    })
    .await;
    accept_many(&desk, 30).await;
    pass(120).await;
    let sent: Vec<u64> = desk.providers[0].sent_at();
    assert_eq!(sent.len(), 30);
    for start in &sent {
        let together = sent.iter().filter(|at| (*start..start + 2).contains(at));
        assert!(together.count() <= 3, "{sent:?}");
    }
    assert_eq!(
        sent.last(),
        Some(&18),
        "and none is held back longer: {sent:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_new_submits_is_kept() {
    let mut script = first();
    for _ in 0..20 {
        script = script.submit_after(Duration::from_millis(1), accepted());
    }
    let desk = Desk::with(vec![script.query(charging())], |setup| {
        setup.limits = limits(|limits| limits.submits_per_second = Some(2));
    })
    .await;
    accept_many(&desk, 20).await;
    pass(12).await;
    let sent = desk.providers[0].sent_at();
    assert_eq!(sent.len(), 20, "{sent:?}");
    for second in 0..10 {
        let many = sent.iter().filter(|at| **at == second).count();
        assert!((1..=3).contains(&many), "{sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_can_not_be_reached_is_tried_once_a_second_and_still_asked() {
    let mut script = first();
    for _ in 0..40 {
        script = script.submit_after(Duration::from_millis(10), unknown());
    }
    let desk = Desk::with(vec![script.query(unavailable())], |setup| {
        setup.limits = limits(|limits| limits.in_flight = 5);
    })
    .await;
    accept_many(&desk, 40).await;
    pass(4).await;
    let early = desk.providers[0].sent_at().len();
    assert!(
        (20..=29).contains(&early),
        "{early} before and after it opened"
    );
    let asked = desk.providers[0].asked().len();
    pass(30).await;
    assert!(
        desk.providers[0].asked().len() > asked + 20,
        "questions pass"
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_expires_though_its_gate_stays_shut() {
    let script = first().hangs().query(charging());
    let desk = Desk::with(vec![script], |setup| {
        setup.limits = limits(|limits| limits.in_flight = 1);
        setup.times.send_deadline = Duration::from_hours(24);
    })
    .await;
    accept_many(&desk, 2).await;
    pass(1_700).await;
    let second = "order-1".parse().unwrap();
    let state = || async {
        let stored = desk.driver.order(&MerchantId::local(), &second).await;
        stored.unwrap().unwrap().order.state()
    };
    assert_eq!(state().await, OrderState::Pending);
    pass(200).await;
    assert_eq!(
        state().await,
        OrderState::Failed,
        "expired, and nothing was sent"
    );
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_waits_at_a_gate_can_be_cancelled() {
    let script = first().hangs().query(charging());
    let desk = Desk::with(vec![script], |setup| {
        setup.limits = limits(|limits| limits.in_flight = 1);
    })
    .await;
    accept_many(&desk, 1).await;
    desk.driver.accept(new_order(), false).await.unwrap();
    pass(1).await;
    desk.decide(Verdict::Cancel, "ann").await.unwrap();
    assert_eq!(desk.rest().await.state(), OrderState::Failed);
    pass(7_200).await;
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_price_above_the_ceiling_goes_to_the_next_route() {
    let desk = Desk::with(
        vec![
            first().priced("99.9"),
            Scripted::new("second")
                .submit(accepted())
                .query(succeeded()),
        ],
        |setup| {
            let mut routes =
                recharge_engine::driver::default_routes(&setup.providers, AccountKind::Mobile);
            for route in &mut routes {
                route.price_ceiling = Some("99.5".parse().unwrap());
            }
            setup.routes.insert(AccountKind::Mobile, routes);
        },
    )
    .await;
    desk.driver.accept(new_order(), false).await.unwrap();
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
    assert_eq!(desk.providers[0].submitted(), [""; 0]);
    assert_eq!(desk.providers[1].submitted().len(), 1);
    let prices = desk
        .events()
        .await
        .into_iter()
        .filter(|event| matches!(event, Event::Priced { .. }));
    assert_eq!(prices.count(), 2, "one too high, one not known");
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_at_one_gate_leave_room_for_those_who_go_to_another() {
    let down = first().hangs().query(charging());
    let mut up = Scripted::new("second");
    for _ in 0..5 {
        up = up.submit(accepted());
    }
    let desk = Desk::with(vec![down, up.query(succeeded())], |setup| {
        setup.limits = limits(|limits| limits.in_flight = 1);
        setup.times.send_deadline = Duration::from_hours(24);
        setup.at_hand = 8;
    })
    .await;
    for (at, name) in (0..40).map(|at| (at, if at < 35 { "first" } else { "second" })) {
        let mut what = new_order();
        what.order_id = format!("order-{at}").parse().unwrap();
        what.provider = Some(provider(name));
        desk.driver.accept(what, true).await.unwrap();
    }
    let before = desk.clock.naps();
    pass(60).await;
    assert_eq!(desk.providers[1].submitted().len(), 5);
    // Nor does the scheduler go round and round, for those that it has no room for.
    assert!(desk.clock.naps() - before < 500);
    // Whom the shut gate keeps expires all the same.
    pass(1_800).await;
    let all = desk.store.statistics().await.unwrap().orders;
    assert_eq!(all, [("failed", 34), ("submitting", 1), ("succeeded", 5)]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_another_has_succeeded_does_not_go_round_and_round() {
    let desk = Desk::new(vec![first().submit(not_sent())]).await;
    pass(2).await;
    // Another has begun, and does nothing.
    desk.store.begin().await.unwrap();
    let before = desk.clock.naps();
    pass(600).await;
    assert!(desk.clock.naps() - before < 2_000);
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_price_that_is_not_told_is_waited_for_and_not_taken_for_none() {
    let script = first()
        .prices_unanswered(2)
        .priced("99.4")
        .submit(accepted())
        .query(succeeded());
    let desk = Desk::with(vec![script], |setup| {
        let mut routes =
            recharge_engine::driver::default_routes(&setup.providers, AccountKind::Mobile);
        for route in &mut routes {
            route.price_ceiling = Some("99.5".parse().unwrap());
        }
        setup.routes.insert(AccountKind::Mobile, routes);
    })
    .await;
    desk.driver.accept(new_order(), false).await.unwrap();
    pass(3).await;
    assert_eq!(desk.providers[0].submitted(), [""; 0], "no price, no send");
    assert_eq!(desk.rest().await.state(), OrderState::Succeeded);
    let passed = desk
        .events()
        .await
        .into_iter()
        .filter_map(|event| match event {
            Event::Priced { passes, .. } => Some(passes),
            _ => None,
        });
    assert_eq!(passed.collect::<Vec<_>>(), [false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn people_who_ask_while_a_question_waits_are_answered_by_that_one() {
    let script = first().submit(accepted()).query(charging());
    let desk = Desk::with(vec![script], |setup| {
        setup.limits = limits(|limits| limits.queries_per_second = 1);
    })
    .await;
    desk.driver.accept(new_order(), false).await.unwrap();
    // The schedule is minutes away.
    pass(260).await;
    let before = desk.providers[0].asked().len();
    for round in 1..=3 {
        for _ in 0..20 {
            let by = person("ann");
            desk.command(Command::AskAgain { by }).await.unwrap();
        }
        pass(10).await;
        let asked = desk.providers[0].asked().len() - before;
        // The first may pass at once, and another waits for those who came after it.
        assert!((round..=2 * round).contains(&asked), "{asked} in {round}");
        let log = desk.events().await;
        let last = |wanted: fn(&Event) -> bool| log.iter().rposition(wanted);
        let asks = last(|it| matches!(it, Event::AskedAgain { .. }));
        let answers = last(|it| matches!(it, Event::Answered { .. }));
        assert!(
            asks.is_some() && asks < answers,
            "the last who asked is answered"
        );
    }
    let log = desk.events().await;
    let asks = log
        .iter()
        .filter(|it| matches!(it, Event::AskedAgain { .. }));
    assert_eq!(asks.count(), 60, "each of them stands in the log");
}
