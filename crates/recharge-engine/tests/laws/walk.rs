//! Walks of arbitrary inputs, most of which no sane world would send. `Case` checks the laws at every
//! step; here are only the walks, and the comparison of one with callbacks and one without.

use std::time::Duration;

use proptest::prelude::*;
use recharge_core::{Money, OrderState, QueryOutcome, Standing, SubmitOutcome, UpstreamState};
use recharge_engine::{NewOrder, Order, Policy, Price, Purpose, Route, SendToken, Verdict, record};

use crate::common::outcomes::{
    accepted, accepted_as, charging, failed, not_found, not_sent, rejected, succeeded, unavailable,
    unknown,
};
use crate::common::{Asked, Case, Probing, Sending, new_order, policy, provider, route};

const NAMES: [&str; 3] = ["first", "second", "third"];

#[derive(Debug, Clone)]
enum Action {
    /// Wait until the order is due.
    Due,
    /// Say that it is due, whether it is or not.
    DueNow,
    /// A send ends: the one under way, or one of long ago.
    Ends {
        send: usize,
        outcome: SubmitOutcome,
    },
    /// A question under way is answered, once or twice.
    Answer {
        query: usize,
        outcome: QueryOutcome,
        keep: bool,
    },
    /// A question that a callback caused is answered.
    AnswerCallback {
        outcome: QueryOutcome,
    },
    /// An answer to a question of some seconds ago.
    Stray {
        attempt: u32,
        ago: u64,
        outcome: QueryOutcome,
        purpose: Purpose,
    },
    Callback {
        attempt: u32,
        upstream: Option<&'static str>,
        claims: UpstreamState,
        covers_state: bool,
    },
    Decide {
        verdict: Verdict,
        by: &'static str,
        fresh: bool,
    },
    AskAgain,
    /// A restart, with a switch of a route thrown.
    Restart {
        switch: Option<(usize, u8)>,
    },
    Jump {
        millis: i64,
    },
    /// The log is a restored backup's.
    Restore,
    /// A question of the hold is answered, once or twice.
    Probed {
        probe: usize,
        outcome: QueryOutcome,
        keep: bool,
    },
    /// An answer to a question of the hold that nobody asked.
    StrayProbe {
        attempt: u32,
        provider: usize,
        ago: u64,
        outcome: QueryOutcome,
    },
    Priced {
        price: Price,
        keep: bool,
    },
    StrayPrice {
        provider: usize,
        price: Price,
    },
}

fn price() -> impl Strategy<Value = Price> {
    prop_oneof![
        3 => (90_u64..110).prop_map(|yuan| Price::Known(Money::from_yuan(yuan).unwrap())),
        1 => Just(Price::NoQuote),
        1 => Just(Price::Unavailable("timeout".to_owned())),
    ]
}

/// What a hold's question is mostly told.
fn probe_outcome() -> impl Strategy<Value = QueryOutcome> {
    prop_oneof![
        20 => Just(not_found()),
        2 => Just(unavailable()),
        1 => query_outcome(),
    ]
}

fn submit_outcome() -> impl Strategy<Value = SubmitOutcome> {
    prop_oneof![
        Just(accepted()),
        Just(accepted_as("J1")),
        Just(rejected()),
        Just(not_sent()),
        Just(unknown()),
    ]
}

fn query_outcome() -> impl Strategy<Value = QueryOutcome> {
    prop_oneof![
        2 => Just(charging()),
        1 => Just(succeeded()),
        3 => Just(failed()),
        4 => Just(not_found()),
        1 => Just(unavailable()),
    ]
}

fn claims() -> impl Strategy<Value = UpstreamState> {
    prop_oneof![
        Just(UpstreamState::Charging),
        Just(UpstreamState::Succeeded),
        Just(UpstreamState::Failed),
    ]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        1 => Just(Verdict::Succeeded),
        2 => Just(Verdict::Failed),
        1 => Just(Verdict::Cancel),
        3 => (0_u32..3).prop_map(|attempt| Verdict::SendAgain { attempt }),
        3 => (0_usize..3).prop_map(|at| Verdict::SendElsewhere { provider: provider(NAMES[at]) }),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let purpose = prop_oneof![
        3 => Just(Purpose::Schedule),
        1 => Just(Purpose::AfterRejection),
        1 => Just(Purpose::BeforeNextAttempt),
        1 => Just(Purpose::Person),
    ];
    let upstream = prop_oneof![Just(None), Just(Some("J1")), Just(Some("J2"))];
    prop_oneof![
        10 => Just(Action::Due),
        1 => Just(Action::DueNow),
        8 => (0_usize..4, submit_outcome())
            .prop_map(|(send, outcome)| Action::Ends { send, outcome }),
        14 => (0_usize..3, query_outcome(), prop::bool::weighted(0.1))
            .prop_map(|(query, outcome, keep)| Action::Answer { query, outcome, keep }),
        2 => query_outcome().prop_map(|outcome| Action::AnswerCallback { outcome }),
        2 => (0_u32..3, 0_u64..3000, query_outcome(), purpose)
            .prop_map(|(attempt, ago, outcome, purpose)| Action::Stray {
                attempt, ago, outcome, purpose,
            }),
        3 => (0_u32..3, upstream, claims(), any::<bool>())
            .prop_map(|(attempt, upstream, claims, covers_state)| Action::Callback {
                attempt, upstream, claims, covers_state,
            }),
        7 => (verdict(), prop::sample::select(vec!["ann", "bob", "cy"]), prop::bool::weighted(0.9))
            .prop_map(|(verdict, by, fresh)| Action::Decide { verdict, by, fresh }),
        1 => Just(Action::AskAgain),
        1 => prop::option::weighted(0.3, (0_usize..3, 0_u8..5))
            .prop_map(|switch| Action::Restart { switch }),
        1 => (-300_000_000_i64..300_000_000).prop_map(|millis| Action::Jump { millis }),
        1 => Just(Action::Restore),
        10 => (0_usize..3, probe_outcome(), prop::bool::weighted(0.1))
            .prop_map(|(probe, outcome, keep)| Action::Probed { probe, outcome, keep }),
        1 => (0_u32..6, 0_usize..3, 0_u64..5000, query_outcome())
            .prop_map(|(attempt, provider, ago, outcome)| Action::StrayProbe {
                attempt, provider, ago, outcome,
            }),
        4 => (price(), prop::bool::weighted(0.1))
            .prop_map(|(price, keep)| Action::Priced { price, keep }),
        1 => (0_usize..3, price())
            .prop_map(|(provider, price)| Action::StrayPrice { provider, price }),
    ]
}

/// How long nothing happens before an action: mostly seconds, sometimes hours.
fn wait() -> impl Strategy<Value = Duration> {
    prop_oneof![
        6 => (0_u64..20_000).prop_map(Duration::from_millis),
        2 => (0_u64..3_600).prop_map(Duration::from_secs),
        1 => (0_u64..72).prop_map(Duration::from_hours),
    ]
}

fn a_route(name: &'static str) -> impl Strategy<Value = Route> {
    let often = || prop::bool::weighted(0.8);
    let seldom = || prop::bool::weighted(0.2);
    let ceiling = prop::option::weighted(0.3, Just(Money::from_yuan(100).unwrap()));
    (often(), often(), often(), seldom(), seldom(), ceiling).prop_map(
        move |(enabled, can_query, refuses_duplicates, counts, failover, ceiling)| {
            let mut route = route(name);
            route.enabled = enabled;
            route.can_query = can_query;
            route.refuses_duplicates = refuses_duplicates;
            route.callback_counts = counts;
            route.failover_after_failure = failover;
            route.price_ceiling = ceiling;
            route
        },
    )
}

fn a_policy() -> impl Strategy<Value = Policy> {
    let routes = (
        a_route("first"),
        a_route("second"),
        a_route("third"),
        1_usize..4,
    );
    (routes, any::<bool>()).prop_map(|((a, b, c, count), hasty)| {
        let mut routes = vec![a, b, c];
        routes.truncate(count);
        let mut policy = policy(routes);
        if hasty {
            // So that walks get past the long waits.
            policy.times.not_found_answers = 2;
            policy.times.not_found_quarantine = Duration::from_secs(20);
            policy.times.pending_limit = Duration::from_hours(300);
        }
        policy
    })
}

fn a_walk(length: usize) -> impl Strategy<Value = Vec<(Duration, Action)>> {
    prop::collection::vec((wait(), action()), 1..length)
}

/// What is ordered, and whether while a hold is in force.
fn an_order() -> impl Strategy<Value = (NewOrder, bool)> {
    let chosen = prop::option::weighted(0.2, 0_usize..3);
    (chosen, prop::bool::weighted(0.2)).prop_map(|(chosen, held)| {
        let mut what = new_order();
        what.provider = chosen.map(|at| provider(NAMES[at]));
        (what, held)
    })
}

/// A walker: the order, and every send that it ever made.
struct Walker {
    case: Case,
    sent: Vec<Sending>,
}

impl Walker {
    fn new(policy: Policy, (what, held): (NewOrder, bool)) -> Self {
        let mut case = Case::accept(policy, what, held);
        case.latency = Duration::ZERO;
        Self {
            case,
            sent: Vec::new(),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm an action")]
    fn act(&mut self, wait: Duration, action: &Action) {
        let case = &mut self.case;
        case.advance(wait);
        match action {
            Action::Due => {
                if case.order.due().is_some() {
                    case.due();
                }
            }
            Action::DueNow => {
                case.due_now();
            }
            Action::Ends { send, outcome } => {
                // The newest first.
                let at = self
                    .sent
                    .len()
                    .checked_sub(1 + send % self.sent.len().max(1));
                let stranger = Sending {
                    attempt: 0,
                    token: SendToken(u128::MAX),
                };
                let send = at.map_or(stranger, |at| self.sent[at]);
                case.send_reported(send, outcome.clone());
            }
            Action::Answer {
                query,
                outcome,
                keep,
            } => {
                let others = |asked: &&Asked| asked.purpose != Purpose::Callback;
                let Some(asked) = case.queries.iter().filter(others).nth(*query).copied() else {
                    return;
                };
                if !keep {
                    let at = case.queries.iter().position(|other| *other == asked);
                    case.queries.remove(at.unwrap());
                }
                case.answered(asked, outcome.clone());
            }
            Action::AnswerCallback { outcome } => {
                let caused = |asked: &Asked| asked.purpose == Purpose::Callback;
                if let Some(at) = case.queries.iter().position(caused) {
                    let asked = case.queries.remove(at).unwrap();
                    case.answered(asked, outcome.clone());
                }
            }
            Action::Stray {
                attempt,
                ago,
                outcome,
                purpose,
            } => {
                let mut at = case.now;
                at.monotonic = at.monotonic.saturating_sub(Duration::from_secs(*ago));
                let asked = Asked {
                    attempt: *attempt,
                    purpose: *purpose,
                    at,
                };
                case.answered(asked, outcome.clone());
            }
            Action::Callback {
                attempt,
                upstream,
                claims,
                covers_state,
            } => {
                case.callback_of(*attempt, *upstream, *claims, *covers_state);
            }
            Action::Decide { verdict, by, fresh } => {
                let seen = if *fresh { case.order.version() } else { 0 };
                // A refusal is checked to have changed nothing by the next step's fold.
                let _ = case.decide_at(verdict.clone(), by, seen);
            }
            Action::AskAgain => {
                let _ = case.ask_again();
            }
            Action::Restart { switch } => {
                if let Some((at, which)) = *switch {
                    let count = case.policy.routes.len();
                    let route = &mut case.policy.routes[at % count];
                    let flag = match which {
                        0 => &mut route.enabled,
                        1 => &mut route.can_query,
                        2 => &mut route.refuses_duplicates,
                        3 => &mut route.callback_counts,
                        _ => &mut route.failover_after_failure,
                    };
                    *flag = !*flag;
                }
                case.restart();
            }
            Action::Jump { millis } => {
                case.jump(*millis);
            }
            Action::Restore => {
                case.restore();
            }
            Action::Probed {
                probe,
                outcome,
                keep,
            } => {
                if let Some(asked) = case.probes.get(*probe).cloned() {
                    if !keep {
                        case.probes.remove(*probe);
                    }
                    case.probed(asked, outcome.clone());
                }
            }
            Action::StrayProbe {
                attempt,
                provider: at,
                ago,
                outcome,
            } => {
                let mut asked = case.now;
                asked.monotonic = asked.monotonic.saturating_sub(Duration::from_secs(*ago));
                let probe = Probing {
                    attempt: *attempt,
                    provider: provider(NAMES[*at]),
                    at: asked,
                };
                case.probed(probe, outcome.clone());
            }
            Action::Priced { price, keep } => {
                if let Some(asked) = case.quotes.front().cloned() {
                    if !keep {
                        case.quotes.pop_front();
                    }
                    case.priced(asked, price.clone());
                }
            }
            Action::StrayPrice {
                provider: at,
                price,
            } => {
                case.priced(provider(NAMES[*at]), price.clone());
            }
        }
        self.sent.extend(self.case.sends.drain(..));
    }
}

/// All of an order that callbacks must not touch.
fn seen_by_all(case: &Case) -> (OrderState, Option<i64>, Vec<Standing>, bool, u32, usize) {
    let order = &case.order;
    (
        order.state(),
        order.due().map(recharge_engine::WallTime::millis),
        order
            .attempts()
            .iter()
            .map(recharge_engine::Attempt::standing)
            .collect(),
        order.approval().is_some(),
        order.permitted_sends(),
        case.intents(),
    )
}

/// The order as it comes out of what was written down, step by step.
fn read_back(case: &Case) -> Order {
    let mut log = Vec::new();
    for end in &case.step_ends {
        let step = &case.log[log.len()..*end];
        let text = record::encode(step).unwrap();
        let read = record::decode(&text).unwrap();
        assert_eq!(read, step, "{text}");
        log.extend(read);
    }
    Order::replay(case.order.acceptance().clone(), &log).unwrap()
}

proptest! {
    #[test]
    fn what_was_written_down_is_the_order(
        policy in a_policy(), order in an_order(), walk in a_walk(60),
    ) {
        let mut walker = Walker::new(policy, order);
        for (wait, action) in &walk {
            walker.act(*wait, action);
        }
        prop_assert_eq!(read_back(&walker.case), walker.case.order);
    }

    #[test]
    fn whatever_comes_in_the_laws_hold(
        policy in a_policy(), order in an_order(), walk in a_walk(60),
    ) {
        let mut walker = Walker::new(policy, order);
        for (wait, action) in &walk {
            walker.act(*wait, action);
        }
    }

    /// Callbacks whose questions are not answered "succeeded" change nothing at all.
    #[test]
    fn callbacks_change_nothing_but_to_find_a_success(
        policy in a_policy(), order in an_order(), walk in a_walk(60),
    ) {
        let mut policy = policy;
        for route in &mut policy.routes {
            route.callback_counts = false;
        }
        let mut with = Walker::new(policy.clone(), order.clone());
        let mut without = Walker::new(policy, order);
        for (wait, action) in &walk {
            let left_out = match action {
                Action::AnswerCallback { outcome } if *outcome == succeeded() => continue,
                Action::Restart { switch: Some((_, 3)) } => continue,
                Action::Callback { .. } | Action::AnswerCallback { .. } => true,
                _ => false,
            };
            with.act(*wait, action);
            if left_out {
                without.case.advance(*wait);
            } else {
                without.act(*wait, action);
            }
            prop_assert_eq!(
                seen_by_all(&with.case),
                seen_by_all(&without.case),
                "after {:?}", action
            );
        }
    }

    /// From wherever a walk has led, an upstream that answers ends the order or puts it on a desk, in
    /// bounded time and with a bounded number of questions.
    #[test]
    fn when_faults_stop_each_order_ends_or_is_on_a_desk(
        policy in a_policy(), order in an_order(), walk in a_walk(40),
        truth in prop_oneof![Just(charging()), Just(succeeded()), Just(failed()), Just(not_found())],
        send in submit_outcome(), price in price(),
    ) {
        let mut walker = Walker::new(policy, order);
        for (wait, action) in &walk {
            walker.act(*wait, action);
        }
        let case = &mut walker.case;
        case.latency = Duration::from_millis(300);
        case.restart();
        let mut steps = 0;
        while !(case.state().is_end() || matches!(case.state(), OrderState::Review(_))) {
            steps += 1;
            prop_assert!(steps < 3_000, "no end in sight: {:?}", case.state());
            if !case.sends.is_empty() {
                case.submit_ends(send.clone());
            } else if !case.queries.is_empty() {
                case.query_says(truth.clone());
            } else if !case.probes.is_empty() {
                case.probe_says(truth.clone());
            } else if !case.quotes.is_empty() {
                case.quote_says(price.clone());
            } else {
                case.due();
            }
        }
    }
}
