//! Orders made by the engine's own steps, as they are shown.

use std::time::Duration;

use recharge_core::{
    Account, AccountKind, Answer, Call, Capabilities, Doubt, DoubtKind, FaceValue, MerchantId,
    Money, NotSent, Offer, OrderId, OrderState, ProviderId, QueryOutcome, Receipt, Redactor,
    Rejection, ReviewReason, Sighting, SubmitOutcome, Unavailable, UnavailableKind,
    UpstreamOrderId, UpstreamState,
};
use recharge_engine::{
    Acceptance, Command, CommandError, Decision, Effect, Epoch, Input, Jitter, Moment, NewOrder,
    NumberKey, Order, Person, Policy, Price, Purpose, Recorded, Route, SendToken, Times, Verdict,
    WallTime, step,
};

use super::{desk, events, list, show, words};
use crate::output::Output;

const PHONE: &str = "13312345678";

/// An order on its way, with a clock that the test moves.
pub(crate) struct Case {
    pub(crate) policy: Policy,
    pub(crate) order: Order,
    pub(crate) log: Vec<Recorded>,
    pub(crate) now: Moment,
    effects: Vec<Effect>,
}

pub(crate) fn provider(name: &str) -> ProviderId {
    ProviderId::parse(name).unwrap()
}

pub(crate) fn answer(code: &str, message: &str) -> Answer {
    Answer::new(&Redactor::default(), &[PHONE], code, message, "{}")
}

impl Case {
    /// An order for a mobile account that may go to `juhe` and then to `jisu`.
    pub(crate) fn new() -> Self {
        Self::changed(|_| {}, false)
    }

    fn changed(change: impl FnOnce(&mut Policy), held: bool) -> Self {
        let amount = FaceValue::from_yuan(100).unwrap();
        let offer = Offer::new(AccountKind::Mobile, vec![amount]);
        let calls = vec![Call::Submit, Call::Query, Call::Quote];
        let mut capabilities = Capabilities::new(vec![offer.clone()], calls);
        capabilities.refuses_duplicates = true;
        let route = |name| Route::new(provider(name), &capabilities, offer.clone());
        let routes = vec![route("juhe"), route("jisu")];
        let mut policy = Policy::new(routes, Times::default(), NumberKey::new([7; 32]));
        change(&mut policy);
        let now = Moment {
            wall: WallTime::from_millis(1_800_000_000_000),
            epoch: Epoch(1),
            monotonic: Duration::from_mins(1),
        };
        let account = Account::parse(AccountKind::Mobile, PHONE).unwrap();
        let id = OrderId::parse("A1").unwrap();
        let what = NewOrder::new(MerchantId::local(), id, account, amount);
        let acceptance = Acceptance {
            what,
            at: now,
            held,
        };
        Self {
            policy,
            order: Order::accept(acceptance),
            log: Vec::new(),
            now,
            effects: Vec::new(),
        }
    }

    fn wait(&mut self, duration: Duration) -> &mut Self {
        self.now.wall = self.now.wall.after(duration);
        self.now.monotonic += duration;
        self
    }

    fn step(&mut self, input: Input) -> Result<(), CommandError> {
        let made = step(&self.policy, &self.order, input, self.now)?;
        self.log.extend(made.events);
        self.order = made.order;
        self.effects = made.effects;
        Ok(())
    }

    /// The clock goes to when something is due, and it is done.
    pub(crate) fn due(&mut self) -> &mut Self {
        let due = self.order.due().unwrap();
        self.wait(due.since(self.now.wall));
        let token = SendToken(self.log.len() as u128);
        let jitter = Jitter(0);
        self.step(Input::Due { token, jitter }).unwrap();
        self
    }

    /// A second later the send that is under way has ended.
    pub(crate) fn sent(&mut self, outcome: SubmitOutcome) -> &mut Self {
        self.wait(Duration::from_secs(1));
        let submit = self.effects.iter().find_map(|effect| match effect {
            Effect::Submit { attempt, token, .. } => Some((*attempt, *token)),
            _ => None,
        });
        let (attempt, token) = submit.unwrap();
        let jitter = Jitter(0);
        self.step(Input::SubmitEnded {
            attempt,
            token,
            outcome,
            jitter,
        })
        .unwrap();
        self
    }

    /// A second later the question that is under way is answered.
    pub(crate) fn answered(&mut self, outcome: QueryOutcome) -> &mut Self {
        let query = self.effects.iter().find_map(|effect| match effect {
            Effect::Query {
                attempt, purpose, ..
            } => Some((*attempt, *purpose)),
            _ => None,
        });
        let (attempt, purpose) = query.unwrap();
        let asked = self.now;
        self.wait(Duration::from_secs(1));
        let jitter = Jitter(0);
        self.step(Input::QueryEnded {
            attempt,
            asked,
            purpose,
            outcome,
            jitter,
        })
        .unwrap();
        self
    }

    /// A second later each question that is under way is answered.
    fn each_answered(&mut self, outcome: impl Fn(u32) -> QueryOutcome) -> &mut Self {
        let asked = self.now;
        self.wait(Duration::from_secs(1));
        for effect in std::mem::take(&mut self.effects) {
            if let Effect::Query {
                attempt, purpose, ..
            } = effect
            {
                let (outcome, jitter) = (outcome(attempt), Jitter(0));
                self.step(Input::QueryEnded {
                    attempt,
                    asked,
                    purpose,
                    outcome,
                    jitter,
                })
                .unwrap();
            }
        }
        self
    }

    fn decide(&mut self, by: &str, verdict: Verdict) -> Result<(), CommandError> {
        self.wait(Duration::from_mins(1));
        let by = Person::unauthenticated(by, "ops").unwrap();
        let evidence = format!("ticket 7: {PHONE} says so\u{1b}[2J");
        let seen = self.order.version();
        self.step(Input::Command(Command::Decide(Decision {
            verdict,
            by,
            evidence,
            seen,
        })))
    }

    /// Not found so often and so long that people are called.
    fn not_taken(&mut self) -> &mut Self {
        self.due().sent(unknown());
        for _ in 0..100 {
            if self.order.is_at_rest() {
                return self;
            }
            self.due()
                .answered(QueryOutcome::NotFound(answer("10020", "无此订单")));
        }
        panic!("{:?}", self.order.state());
    }

    fn text(&self) -> String {
        show::text(&self.order, &self.log, &plain_output())
    }
}

fn plain_output() -> Output {
    Output::standard(true)
}

pub(crate) fn unknown() -> SubmitOutcome {
    SubmitOutcome::Unknown(Doubt::new(DoubtKind::NoAnswer, "timed out after 30s"))
}

pub(crate) fn accepted() -> SubmitOutcome {
    let mut receipt = Receipt::new(answer("0", "提交成功"));
    receipt.upstream_order_id = UpstreamOrderId::parse("J1234").ok();
    receipt.cost = Money::from_thousandths(99_650);
    SubmitOutcome::Accepted(receipt)
}

pub(crate) fn found(state: UpstreamState, message: &str) -> QueryOutcome {
    QueryOutcome::Found(Sighting::new(state, answer("0", message)))
}

#[test]
fn an_order_that_succeeds_is_told_line_by_line() {
    let mut case = Case::new();
    case.due().sent(accepted()).due();
    case.answered(QueryOutcome::Unavailable(Unavailable::new(
        UnavailableKind::RateLimited,
        "the upstream says: slower",
    )));
    case.due()
        .answered(found(UpstreamState::Charging, "充值中"))
        .due()
        .answered(found(UpstreamState::Succeeded, "充值成功"));
    insta::assert_snapshot!(case.text());
    let json = show::json(&case.order, &case.log);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
    assert!(!json.to_string().contains(PHONE));
}

#[test]
fn a_way_through_both_routes_is_told_line_by_line() {
    let ceiling = Money::from_yuan(100);
    let both = |policy: &mut Policy| {
        for route in &mut policy.routes {
            route.price_ceiling = ceiling;
        }
    };
    let mut case = Case::changed(both, false);
    case.due();
    let priced = |name, price| Input::Priced {
        provider: provider(name),
        price,
        jitter: Jitter(0),
    };
    let unavailable = Price::Unavailable("no answer".to_owned());
    case.step(priced("juhe", unavailable)).unwrap();
    case.due();
    let price = Money::from_thousandths(99_650).unwrap();
    case.step(priced("juhe", Price::Known(price))).unwrap();
    case.due();
    let no = SubmitOutcome::NotSent(NotSent::new("no connection"));
    case.sent(no).due();
    case.step(priced("juhe", Price::Known(price))).unwrap();
    case.due();
    let mut rejection = Rejection::new(answer("208501", "不支持\u{202e}的号码 13312345678"));
    rejection.advice = Some("ask for another face value".to_owned());
    case.sent(SubmitOutcome::Rejected(rejection));
    let none = || QueryOutcome::NotFound(answer("10020", "无此订单"));
    case.answered(none()).due().answered(none()).due();
    case.step(priced("jisu", Price::NoQuote)).unwrap();
    case.due().sent(unknown());
    case.step(Input::Callback {
        attempt: 1,
        upstream_order_id: UpstreamOrderId::parse("S9").ok(),
        claims: Some(UpstreamState::Failed),
        covers_state: false,
        jitter: Jitter(0),
    })
    .unwrap();
    case.answered(found(UpstreamState::Failed, "失败"));
    let answers = |attempt| match attempt {
        0 => none(),
        _ => found(UpstreamState::Failed, "失败"),
    };
    for _ in 0..10 {
        if !case.order.is_at_rest() {
            case.due().each_answered(answers);
        }
    }
    assert_eq!(case.order.state(), OrderState::Failed, "{}", case.text());
    let text = case.text();
    insta::assert_snapshot!(text);
    assert!(
        !text.contains(PHONE) && !text.contains('\u{202e}'),
        "{text}"
    );
    insta::assert_snapshot!(words::latest(&case.order, &case.log));
}

#[test]
fn people_s_decisions_are_told_with_their_reasons() {
    let mut case = Case::new();
    case.not_taken();
    case.policy.approvers = vec!["li.na".to_owned(), "wang.wei".to_owned()];
    let elsewhere = Verdict::SendElsewhere {
        provider: provider("jisu"),
    };
    case.decide("li.na", elsewhere.clone()).unwrap();
    case.decide("wang.wei", elsewhere).unwrap();
    case.due();
    let text = case.text();
    assert!(!text.contains(PHONE) && !text.contains('\u{1b}'), "{text}");
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("li.na")).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_desk_says_what_is_open_and_to_how_many() {
    let mut case = Case::new();
    case.not_taken();
    case.policy.approvers = vec!["li.na".to_owned(), "wang.wei".to_owned()];
    let open = |case: &Case| {
        let open = desk::open(&case.policy, &case.order, case.now);
        open.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        open(&case),
        [
            "ask-again (1 person)",
            "succeeded (1 person)",
            "failed (2 people)",
            "send-again --attempt 1 (2 people)",
            "send-elsewhere --provider jisu (2 people)",
        ]
    );
    case.decide("li.na", Verdict::Failed).unwrap();
    let now = open(&case);
    assert_eq!(now[2], "failed (one more person; li.na has approved)");
    assert_eq!(now[4], "send-elsewhere --provider jisu (2 people)");
    case.wait(Duration::from_hours(30));
    let decisions = desk::open(&case.policy, &case.order, case.now);
    let row = desk::row(&case.order, &decisions, case.now);
    assert_eq!(row.len(), desk::HEAD.len());
    assert_eq!(row[1..4], ["probably_not_taken", "1d 6h", "133****5678"]);
    let json = desk::json(&case.order, &decisions, case.now);
    assert_eq!(json["open"][2]["approved_by"], "li.na");
    assert_eq!(json["open"][4]["provider"], "jisu");
    assert_eq!(json["open"][3]["attempt"], 1);
    assert_eq!(json["open"][2]["people"], 2);
    assert_eq!(json["review_reason"], "probably_not_taken");
    assert!(json["advice"].as_str().unwrap().contains("ask-again"));
}

#[test]
fn what_is_not_on_the_desk_has_its_decisions_too() {
    let mut case = Case::new();
    let open = |case: &Case| -> Vec<&str> {
        let open = desk::open(&case.policy, &case.order, case.now);
        open.iter().map(desk::Open::name).collect()
    };
    assert_eq!(open(&case), ["cancel"]);
    case.due();
    assert!(!open(&case).contains(&"cancel"));
    case.sent(accepted())
        .due()
        .answered(found(UpstreamState::Succeeded, ""));
    assert_eq!(open(&case), ["ask-again"]);
    case.due().answered(found(UpstreamState::Failed, ""));
    assert_eq!(
        case.order.state(),
        OrderState::Review(ReviewReason::Contradiction)
    );
    assert_eq!(open(&case), ["ask-again", "succeeded", "failed"]);
    assert_eq!(desk::open(&case.policy, &case.order, case.now)[2].people, 2);
}

#[test]
fn a_restored_order_is_told_as_such() {
    let mut case = Case::changed(|_| {}, true);
    case.due().due();
    let asked = case.now;
    let probe = case.effects.iter().find_map(|effect| match effect {
        Effect::Probe {
            attempt, provider, ..
        } => Some((*attempt, provider.clone())),
        _ => None,
    });
    let (attempt, at) = probe.unwrap();
    case.step(Input::Probed {
        attempt,
        provider: at,
        asked,
        outcome: found(UpstreamState::Charging, "充值中"),
        jitter: Jitter(0),
    })
    .unwrap();
    case.step(Input::Recovered {
        restored: false,
        jitter: Jitter(0),
    })
    .unwrap();
    insta::assert_snapshot!(show::timeline(&case.order, &case.log).join("\n"));
    assert_eq!(list::json(&case.order)["held"], case.order.is_held());
}

#[test]
fn every_kind_of_event_has_words_and_json() {
    // Each variant once, as far as steps above don't make it: none may be left without a name.
    let case = Case::new();
    for event in [
        recharge_engine::Event::Held,
        recharge_engine::Event::AskedAgain {
            by: Person::authenticated("li.na").unwrap(),
        },
        recharge_engine::Event::Scheduled { due: None },
        recharge_engine::Event::Answered {
            attempt: 7,
            asked: case.now,
            purpose: Purpose::CallbackCounts,
            outcome: found(UpstreamState::Succeeded, "ok"),
            confirms_failure: false,
            after_quarantine: true,
            completes_round: false,
        },
    ] {
        let recorded = Recorded {
            version: 1,
            at: case.now,
            event,
        };
        let told = words::words(&case.order, &recorded.event);
        let json = events::json(&case.order, &recorded);
        assert!(!told.what.is_empty() && json["event"].is_string(), "{json}");
        assert_eq!(json["what"], told.what);
        assert_eq!(
            (&json["version"], json["at"].is_string()),
            (&1.into(), true)
        );
    }
}

#[test]
fn a_row_of_a_table_masks_the_account() {
    let mut case = Case::new();
    case.due().sent(accepted());
    let row = list::row(&case.order, &plain_output());
    assert_eq!(row.len(), list::HEAD.len());
    assert_eq!(
        row,
        [
            "A1",
            "charging",
            "133****5678",
            "100",
            "juhe",
            "J1234",
            "99.65",
            "2027-01-15 16:00:00+08:00"
        ]
    );
}
