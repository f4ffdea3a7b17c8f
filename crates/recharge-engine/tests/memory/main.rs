//! The in-memory driver, followed in tokio's paused time against providers that play a script.
#![cfg(feature = "driver")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../common/mod.rs"]
mod common;
mod lessons;
#[path = "../common/scripted.rs"]
mod scripted;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::outcomes::{
    accepted, accepted_as, charging, failed, not_found, not_sent, rejected, succeeded, unavailable,
    unknown,
};
use common::{KEY, new_order, person, provider};
use recharge_core::{
    Account, AccountKind, Callback, Doubt, DoubtKind, FaceValue, OrderId, OrderState, Provider,
    ReviewReason, SubmitOutcome, UpstreamState,
};
use recharge_engine::{
    AcceptError, Alarm, Clock, Command, CommandError, Decision, Epoch, Event, FollowError,
    MemoryDriver, NumberKey, Order, Purpose, SystemClock, Times, Verdict,
};
use scripted::{Called, Scripted, TokioClock};

const REVIEW: fn(ReviewReason) -> OrderState = OrderState::Review;

/// A driver with the order accepted, and its providers.
struct Desk {
    driver: Arc<MemoryDriver>,
    providers: Vec<Arc<Scripted>>,
    id: OrderId,
}

impl Desk {
    fn new(providers: Vec<Scripted>) -> Self {
        let desk = Self::empty(providers);
        desk.driver.accept(&new_order()).unwrap();
        desk
    }

    fn empty(providers: Vec<Scripted>) -> Self {
        let providers: Vec<_> = providers.into_iter().map(Arc::new).collect();
        let driver = MemoryDriver::new(
            providers
                .iter()
                .map(|scripted| scripted.clone() as Arc<dyn Provider>)
                .collect(),
            &NumberKey::new(KEY),
            &Times::default(),
            Arc::new(TokioClock::start()),
            7,
        );
        Self {
            driver: Arc::new(driver),
            providers,
            id: new_order().order_id,
        }
    }

    async fn follow(&self) -> Order {
        self.driver.follow("local", &self.id).await.unwrap()
    }

    fn spawn(&self) -> tokio::task::JoinHandle<Order> {
        let (driver, id) = (self.driver.clone(), self.id.clone());
        tokio::spawn(async move { driver.follow("local", &id).await.unwrap() })
    }

    fn order(&self) -> Order {
        self.driver.order("local", &self.id).unwrap()
    }

    fn state(&self) -> OrderState {
        self.order().state()
    }

    fn events(&self) -> Vec<Event> {
        let log = self.driver.log("local", &self.id);
        log.into_iter().map(|recorded| recorded.event).collect()
    }

    fn states(&self) -> Vec<OrderState> {
        let to = |event| match event {
            Event::Moved { to, .. } => Some(to),
            _ => None,
        };
        self.events().into_iter().filter_map(to).collect()
    }

    async fn command(&self, command: Command) -> Result<(), CommandError> {
        let seen = self.order().version();
        self.driver.command("local", &self.id, command, seen).await
    }

    async fn decide(&self, verdict: Verdict, by: &str) -> Result<(), CommandError> {
        let decision = Decision {
            verdict,
            by: person(by),
            evidence: "ticket 7".to_owned(),
        };
        self.command(Command::Decide(decision)).await
    }

    async fn ask_again(&self) {
        let by = person("ann");
        self.command(Command::AskAgain { by }).await.unwrap();
    }

    async fn callback(&self, claims: UpstreamState) -> bool {
        let number = self.order().attempts()[0].number();
        let mut callback = Callback::new(number.as_str().to_owned());
        callback.claims = Some(claims);
        let id = self.providers[0].id();
        self.driver.callback(id, &callback).await
    }
}

fn first() -> Scripted {
    Scripted::new("first")
}

/// Lets time pass, in which others run.
async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_is_sent_once_asked_about_and_succeeds() {
    let desk = Desk::new(vec![
        first()
            .submit(accepted_as("J1"))
            .query(charging())
            .query(succeeded()),
    ]);
    let order = desk.follow().await;
    assert_eq!(order.state(), OrderState::Succeeded);
    assert_eq!(
        desk.states(),
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
    let notices = desk.driver.notices("local", &desk.id);
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].state, OrderState::Succeeded);
    assert_eq!(desk.driver.alarms("local", &desk.id), []);
    // Times are those at which the questions were sent, a second before their answers came.
    for recorded in desk.driver.log("local", &desk.id) {
        if let Event::Answered { asked, .. } = recorded.event {
            assert_eq!(recorded.at.elapsed_since(asked), Duration::from_secs(1));
        }
    }
    // What has ended is at rest.
    assert_eq!(desk.follow().await, order);
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
    ]);
    let order = desk.follow().await;
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
    ]);
    assert_eq!(desk.follow().await.state(), OrderState::Succeeded);
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
async fn a_follower_that_goes_away_in_the_midst_of_a_submit_leaves_a_doubt() {
    let desk = Desk::new(vec![first().hangs().query(not_found()).query(succeeded())]);
    let gave_up = tokio::time::timeout(Duration::from_secs(3), desk.follow()).await;
    assert!(gave_up.is_err());
    assert_eq!(desk.state(), OrderState::Submitting);
    assert_eq!(desk.follow().await.state(), OrderState::Succeeded);
    assert_eq!(desk.providers[0].submitted().len(), 1);
    assert_eq!(desk.states()[1], OrderState::Unknown);
    assert_eq!(desk.providers[0].asked()[0], 3, "it is asked about at once");
}

#[tokio::test(start_paused = true)]
async fn lesson_22_a_provider_that_never_comes_back_holds_nobody_and_leaves_a_doubt() {
    let desk = Desk::new(vec![first().hangs().query(succeeded())]);
    assert_eq!(desk.follow().await.state(), OrderState::Succeeded);
    assert_eq!(desk.states()[1], OrderState::Unknown);
    assert_eq!(desk.providers[0].submitted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_goes_away_after_a_rejection_leaves_a_doubt() {
    let desk = Desk::new(vec![first().submit(rejected()).query(not_found())]);
    // One second for the submit; the question is under way.
    let gave_up = tokio::time::timeout(Duration::from_millis(1_500), desk.follow()).await;
    assert!(gave_up.is_err());
    assert_eq!(desk.providers[0].asked().len(), 1);
    assert_eq!(desk.follow().await.state(), OrderState::Failed);
    assert_eq!(desk.states()[1], OrderState::Unknown);
    assert_eq!(desk.providers[0].asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_first_byte_may_wait_ten_seconds_from_the_step_that_allowed_it() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]);
    let seen = Arc::new(std::sync::Mutex::new(None));
    let notes = seen.clone();
    desk.providers[0].on_submit(Box::new(move |request| {
        *notes.lock().unwrap() = request.send_before;
    }));
    let before = Instant::now();
    desk.follow().await;
    let after = Instant::now();
    let deadline = seen.lock().unwrap().unwrap();
    let wait = Duration::from_secs(10);
    assert!(before + wait <= deadline && deadline <= after + wait);
}

#[tokio::test(start_paused = true)]
async fn the_same_content_is_the_same_order_and_other_content_a_conflict() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]);
    let order = desk.follow().await;
    assert_eq!(desk.driver.accept(&new_order()).unwrap(), order);
    let mut other = new_order();
    other.amount = FaceValue::from_yuan(50).unwrap();
    assert_eq!(desk.driver.accept(&other), Err(AcceptError::Conflict));
    assert_eq!(desk.order(), order, "nothing has changed");
    // Another merchant's order of the same name is another order, with another number.
    let mut theirs = new_order();
    theirs.merchant = "other".to_owned();
    assert_eq!(
        desk.driver.accept(&theirs).unwrap().state(),
        OrderState::Pending
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_has_one_follower_at_a_time() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]);
    let follower = desk.spawn();
    pass(1).await;
    assert_eq!(
        desk.driver.follow("local", &desk.id).await,
        Err(FollowError::Followed)
    );
    assert_eq!(follower.await.unwrap().state(), OrderState::Succeeded);
    assert!(desk.driver.follow("local", &desk.id).await.is_ok());
    let stranger = OrderId::parse("order-2").unwrap();
    assert_eq!(
        desk.driver.follow("local", &stranger).await,
        Err(FollowError::NoSuchOrder)
    );
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
    ]);
    let began = tokio::time::Instant::now();
    let follower = desk.spawn();
    // Five questions in, the next is five minutes away.
    pass(260).await;
    assert_eq!(desk.state(), OrderState::Charging);
    assert!(desk.callback(UpstreamState::Succeeded).await);
    assert_eq!(desk.state(), OrderState::Succeeded);
    assert_eq!(follower.await.unwrap().state(), OrderState::Succeeded);
    assert!(began.elapsed() < Duration::from_secs(270));
}

#[tokio::test(start_paused = true)]
async fn a_callback_for_a_number_that_no_order_has_is_left_to_the_caller() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]);
    desk.follow().await;
    let stranger = Callback::new("A23456789012345678901234567".to_owned());
    assert!(!desk.driver.callback(&provider("first"), &stranger).await);
    // Nor is a number anybody's at another provider.
    let number = desk.order().attempts()[0].number().as_str().to_owned();
    let elsewhere = Callback::new(number);
    assert!(!desk.driver.callback(&provider("second"), &elsewhere).await);
}

#[tokio::test(start_paused = true)]
async fn two_people_send_it_again_and_the_number_is_the_same() {
    let desk = Desk::new(vec![
        first()
            .submit(unknown())
            .submit(accepted())
            .query(not_found()),
    ]);
    desk.follow().await;
    let again = Verdict::SendAgain { attempt: 0 };
    desk.decide(again.clone(), "ann").await.unwrap();
    assert_eq!(
        desk.decide(again.clone(), "ann").await,
        Err(CommandError::SamePerson("ann".to_owned()))
    );
    assert_eq!(desk.providers[0].submitted().len(), 1);
    desk.decide(again, "bob").await.unwrap();
    desk.follow().await;
    let sent = desk.providers[0].submitted();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
}

#[tokio::test(start_paused = true)]
async fn two_people_fail_it_and_one_does_not() {
    let desk = Desk::new(vec![first().submit(unknown()).query(not_found())]);
    desk.follow().await;
    desk.decide(Verdict::Failed, "ann").await.unwrap();
    assert_eq!(desk.state(), REVIEW(ReviewReason::ProbablyNotTaken));
    desk.decide(Verdict::Failed, "bob").await.unwrap();
    assert_eq!(desk.state(), OrderState::Failed);
    assert_eq!(desk.follow().await.state(), OrderState::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_cancels_wakes_the_follower_of_a_waiting_order() {
    let desk = Desk::new(vec![first().submit(not_sent())]);
    let follower = desk.spawn();
    pass(2).await;
    assert_eq!(desk.state(), OrderState::Pending);
    desk.decide(Verdict::Cancel, "ann").await.unwrap();
    assert_eq!(follower.await.unwrap().state(), OrderState::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_command_for_an_order_that_does_not_exist_is_refused() {
    let desk = Desk::empty(vec![first()]);
    let by = person("ann");
    let refused = desk
        .driver
        .command("local", &desk.id, Command::AskAgain { by }, 0)
        .await;
    assert_eq!(refused, Err(CommandError::NoSuchOrder));
}

#[tokio::test(start_paused = true)]
async fn what_no_provider_sells_fails_without_being_sent() {
    let desk = Desk::empty(vec![first()]);
    let mut landline = new_order();
    landline.account = Account::parse(AccountKind::Landline, "0571-56565366").unwrap();
    desk.driver.accept(&landline).unwrap();
    assert_eq!(desk.follow().await.state(), OrderState::Failed);
    assert_eq!(desk.providers[0].calls(), []);
}

#[tokio::test(start_paused = true)]
async fn the_log_folds_to_the_order_and_notices_rise() {
    let desk = Desk::new(vec![
        first().submit(rejected()).query(not_found()),
        Scripted::new("second")
            .submit(accepted())
            .query(succeeded())
            .query(failed()),
    ]);
    let accepted = desk.order();
    desk.follow().await;
    desk.ask_again().await;
    assert_eq!(desk.state(), REVIEW(ReviewReason::Contradiction));
    let mut folded = accepted;
    for (version, recorded) in (1..).zip(desk.driver.log("local", &desk.id)) {
        assert_eq!(recorded.version, version);
        folded.apply(&recorded).unwrap();
    }
    assert_eq!(folded, desk.order());
    let notices = desk.driver.notices("local", &desk.id);
    assert!(notices.is_sorted_by(|a, b| a.version < b.version));
    assert_eq!(notices.last().unwrap().state, desk.state());
}

#[tokio::test(start_paused = true)]
async fn nothing_shows_the_number_key_or_an_account() {
    let desk = Desk::new(vec![first().submit(accepted()).query(succeeded())]);
    desk.follow().await;
    let shown = format!(
        "{:?} {:?} {:?}",
        desk.driver,
        desk.order(),
        desk.driver.log("local", &desk.id)
    );
    assert!(!shown.contains("18900001234"), "{shown}");
    assert!(
        shown.contains("189****1234"),
        "the order itself is shown: {shown}"
    );
}

#[test]
fn the_machines_clocks_go_forward_in_one_epoch() {
    let clock = SystemClock::start(Epoch(1));
    let (earlier, later) = (clock.now(), clock.now());
    assert!(later.not_before(earlier));
    assert_eq!(later.epoch, earlier.epoch);
    // Some time after 2024.
    assert!(later.wall.millis() > 1_704_067_200_000);
}
