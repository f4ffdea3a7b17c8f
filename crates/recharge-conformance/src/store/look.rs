//! Lists, surveys and numbers.

use std::collections::BTreeMap;

use recharge_core::{MerchantId, OrderState, ReviewReason};
use recharge_engine::store::{Delivery, Filter, OrderKey, Statistics, Stored};

use super::kit::{Scene, wall};

/// Orders of every state.
async fn mixed(scene: &Scene) -> Vec<Stored> {
    let mut orders = Vec::new();
    for millis in [0, 1_000, 2_000] {
        orders.push(scene.accept(scene.fresh(millis)).await);
        orders.push(scene.charging(millis).await);
        orders.push(scene.succeeded(millis).await);
        orders.push(scene.overdue(millis).await);
        orders.push(scene.failed(scene.fresh(millis)).await);
        let mut other = scene.fresh(millis);
        other.what.merchant = MerchantId::parse("shop").unwrap();
        orders.push(scene.accept(other).await);
    }
    orders
}

async fn pages(scene: &Scene, filter: &Filter, limit: usize) -> Vec<Stored> {
    let mut all: Vec<Stored> = Vec::new();
    loop {
        let before = all.last().map(|it| it.key);
        let page = scene.store.list(filter, before, limit).await.unwrap();
        assert!(page.len() <= limit);
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Newest first, whatever the size of a page, also while orders come in.
pub async fn pages_cover_every_order_once(scene: Scene) {
    let mut expected = mixed(&scene).await;
    expected.reverse();
    for limit in [1, 5, 100] {
        let all = pages(&scene, &Filter::default(), limit).await;
        assert_eq!(all, expected, "pages of {limit}");
    }
    let first = scene.store.list(&Filter::default(), None, 2).await.unwrap();
    scene.accept(scene.fresh(3_000)).await;
    let cursor = Some(first[1].key);
    let rest = scene.store.list(&Filter::default(), cursor, 100).await;
    assert_eq!(rest.unwrap(), expected[2..]);
}

/// As many as are listed, by state.
pub async fn what_is_counted_is_what_is_listed(scene: Scene) {
    mixed(&scene).await;
    let mut filter = Filter::default();
    for merchant in [None, Some(MerchantId::local())] {
        filter.merchant = merchant;
        for from in [None, Some(wall(1_000)), Some(wall(1_000_000))] {
            filter.from = from;
            let listed = scene.store.list(&filter, None, 1_000).await.unwrap();
            let counted = scene.store.count(&filter).await.unwrap();
            for (state, n) in &counted {
                let same = listed
                    .iter()
                    .filter(|it| it.order.state().as_str() == *state);
                assert_eq!(same.count() as u64, *n, "{state}");
            }
            let all: u64 = counted.iter().map(|(_, n)| n).sum();
            assert_eq!(all, listed.len() as u64);
        }
    }
}

/// Also where the clock has been set back meanwhile.
pub async fn pages_go_by_the_time_of_acceptance(scene: Scene) {
    let mut orders = Vec::new();
    for millis in [5_000, 1_000, 9_000, 1_000, 7_000] {
        orders.push(scene.accept(scene.fresh(millis)).await);
    }
    let expected = [2, 4, 0, 3, 1].map(|at: usize| orders[at].clone());
    let mut filter = Filter::default();
    for merchant in [None, Some(MerchantId::local())] {
        filter.merchant = merchant;
        for limit in [1, 2, 100] {
            assert_eq!(pages(&scene, &filter, limit).await, expected);
        }
    }
}

/// Each filter alone, and together.
pub async fn filters_let_through_what_they_say(mut scene: Scene) {
    let mut orders = mixed(&scene).await;
    orders.reverse();
    let filter = |change: &dyn Fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        filter
    };
    let account = orders[4].order.what().account.as_str().to_owned();
    let mut filters = vec![
        filter(&|it| it.merchant = MerchantId::parse("shop").ok()),
        filter(&|it| it.merchant = MerchantId::parse("nobody").ok()),
        filter(&|it| it.account = Some(account.clone())),
        filter(&|it| it.account = Some("13900".to_owned())),
        filter(&|it| it.from = Some(wall(1_000))),
        filter(&|it| it.until = Some(wall(1_000))),
        filter(&|it| (it.from, it.until) = (Some(wall(1_000)), Some(wall(1_001)))),
        filter(&|it| {
            it.merchant = Some(MerchantId::local());
            it.state = Some(OrderState::Pending);
            it.from = Some(wall(1));
        }),
        filter(&|it| {
            it.account = Some(account.clone());
            it.state = Some(OrderState::Pending);
        }),
    ];
    for state in [
        OrderState::Pending,
        OrderState::Submitting,
        OrderState::Charging,
        OrderState::Unknown,
        // Whatever the reason.
        OrderState::Review(ReviewReason::Contradiction),
        OrderState::Succeeded,
        OrderState::Failed,
    ] {
        filters.push(filter(&|it| it.state = Some(state)));
    }
    for filter in filters {
        let expected: Vec<_> = orders
            .iter()
            .filter(|it| passes(&filter, it))
            .cloned()
            .collect();
        for limit in [1, 100] {
            assert_eq!(pages(&scene, &filter, limit).await, expected, "{filter:?}");
        }
    }
    scene.crash().await;
    let failed = filter(&|it| it.state = Some(OrderState::Failed));
    assert_eq!(pages(&scene, &failed, 100).await.len(), 3);
}

fn passes(filter: &Filter, stored: &Stored) -> bool {
    let what = stored.order.what();
    let accepted = stored.order.accepted().wall;
    filter
        .merchant
        .as_ref()
        .is_none_or(|it| *it == what.merchant)
        && filter
            .state
            .is_none_or(|it| it.as_str() == stored.order.state().as_str())
        && filter
            .account
            .as_ref()
            .is_none_or(|it| it == what.account.as_str())
        && filter.from.is_none_or(|it| accepted >= it)
        && filter.until.is_none_or(|it| accepted < it)
}

/// In rising order of keys: what has not ended, and what is due only after a time that can't be right.
pub async fn a_survey_finds_the_open_and_the_far_off(mut scene: Scene) {
    let orders = mixed(&scene).await;
    let survey = async |scene: &Scene, beyond| {
        let mut found: Vec<(OrderKey, OrderState)> = Vec::new();
        loop {
            let after = found.last().map(|it| it.0);
            let page = scene.store.survey(beyond, after, 2).await.unwrap();
            if page.is_empty() {
                return found;
            }
            for brief in page {
                let order = scene.read(brief.key).await.order;
                assert_eq!((brief.state, brief.due), (order.state(), order.due()));
                found.push((brief.key, brief.state));
            }
        }
    };
    for beyond in [wall(u64::MAX), wall(300_000), wall(0)] {
        let expected: Vec<_> = orders
            .iter()
            .filter(|it| !it.order.state().is_end() || it.order.due() > Some(beyond))
            .map(|it| (it.key, it.order.state()))
            .collect();
        assert_eq!(survey(&scene, beyond).await, expected, "beyond {beyond:?}");
    }
    let before = survey(&scene, wall(u64::MAX)).await;
    scene.crash().await;
    assert_eq!(survey(&scene, wall(u64::MAX)).await, before);
}

/// As many as there are, after every kind of failure too.
pub async fn statistics_count_what_is_there(mut scene: Scene) {
    assert_eq!(scene.store.statistics().await, Ok(Statistics::default()));
    let at_rest = scene.succeeded(10).await;
    let overdue = scene.overdue(20).await;
    assert!(at_rest.order.is_at_rest() && overdue.order.is_at_rest());
    let statistics = scene.store.statistics().await.unwrap();
    assert_eq!(statistics.oldest_open, None);
    let mut orders = mixed(&scene).await;
    for millis in [5_000, 4_000] {
        orders.push(scene.doubtful(millis).await);
    }
    for _ in 0..2 {
        let mut expected = BTreeMap::new();
        for stored in orders.iter().chain([&at_rest, &overdue]) {
            *expected.entry(stored.order.state().as_str()).or_insert(0) += 1;
        }
        let statistics = scene.store.statistics().await.unwrap();
        let counted: BTreeMap<_, u64> = statistics.orders.iter().copied().collect();
        assert_eq!(counted, expected);
        let mut by_provider = BTreeMap::new();
        for stored in orders.iter().chain([&at_rest, &overdue]) {
            let (state, newest) = (
                stored.order.state().as_str(),
                stored.order.attempts().last(),
            );
            let provider = newest.map(|it| it.provider().clone());
            *by_provider.entry((state, provider)).or_insert(0) += 1;
        }
        let counted: BTreeMap<_, u64> = statistics
            .by_provider
            .iter()
            .map(|(state, provider, n)| ((*state, provider.clone()), *n))
            .collect();
        assert_eq!(counted, by_provider);
        assert_eq!(statistics.given_up, 0);
        let oldest = |state: &str| {
            let all = orders.iter().chain([&at_rest, &overdue]);
            let of = all.filter(|it| it.order.state().as_str() == state);
            of.min_by_key(|it| it.key)
                .map(|it| it.order.accepted().wall)
        };
        assert_eq!(statistics.oldest_unknown, oldest("unknown"));
        assert_eq!(statistics.oldest_review, oldest("review"));
        assert!(oldest("unknown").is_some() && oldest("review").is_some());
        let waiting = scene.store.messages(0, 1_000).await.unwrap().len();
        assert_eq!(statistics.messages, waiting as u64);
        assert_eq!(statistics.oldest_open, Some(wall(0)));
        scene.next_commit(super::Fate::Lost);
        let step = scene.sends(&orders[0].order, 1, 10);
        let lost = scene.store.append(orders[0].key, None, &step).await;
        assert!(lost.is_err());
        scene.crash().await;
    }
    let message = scene.store.messages(0, 1).await.unwrap().remove(0);
    let given_up = Delivery {
        next: None,
        ..message.delivery
    };
    scene.store.put_off(message.id, given_up).await.unwrap();
    let after = scene.store.statistics().await.unwrap();
    assert_eq!((after.given_up, after.oldest_open), (1, Some(wall(0))));
}
