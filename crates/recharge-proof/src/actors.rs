//! Those outside: merchants who order, people who decide, upstreams that call back. Each asks whichever
//! worker is there, and asks again where no answer comes.

use std::future::Future;
use std::time::Duration;

use recharge_core::{FaceValue, OrderState, ReviewReason, Standing, UpstreamState};
use recharge_engine::driver::Driver;
use recharge_engine::{AcceptError, Attempt, Command, Decision, NewOrder, Order, Person, Verdict};
use recharge_sim::{CallbackSend, Upstream};
use tokio::sync::oneshot;

use crate::case::{Act, Decisions, OrderPlan, Part, When, Wish};
use crate::dice::Dice;
use crate::executor::{OUTSIDE, Process};
use crate::lab::Lab;
use crate::order_name::OrderName;

/// How long somebody outside waits for an answer.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long before they ask again.
const AGAIN: Duration = Duration::from_secs(7);
/// How often somebody asks again who could do without.
const TRIES: u32 = 5;

/// A worker that can be asked.
fn worker(lab: &Lab, dice: &mut Dice) -> Option<(Process, Driver)> {
    let inner = lab.inner();
    let there = inner.slots.iter().filter_map(|slot| {
        let process = slot.process?;
        Some((process, slot.driver.clone()?))
    });
    let there: Vec<_> = there.collect();
    dice.pick(&there).cloned()
}

/// Asks a worker. `None`: there is none, it has died, or it takes too long.
async fn ask<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    lab: &Lab,
    dice: &mut Dice,
    what: impl FnOnce(Driver) -> F,
) -> Option<T> {
    let (process, driver) = worker(lab, dice)?;
    let (tell, told) = oneshot::channel();
    let asked = what(driver);
    let task = async move {
        // Whoever asked may have gone.
        let _ = tell.send(asked.await);
    };
    lab.executor().spawn(process, Box::pin(task));
    tokio::select! {
        biased;
        answer = told => answer.ok(),
        () = lab.executor().sleep(OUTSIDE, PATIENCE) => None,
    }
}

fn new_order(order: usize, plan: &OrderPlan) -> Option<NewOrder> {
    let account = plan.account()?;
    let amount = FaceValue::from_yuan(plan.yuan).ok()?;
    let name = OrderName::nth(order)?;
    let mut new = NewOrder::new(name.merchant, name.order_id, account, amount);
    new.provider = plan.provider.and_then(Lab::provider_id);
    if plan.kind != recharge_core::AccountKind::Mobile {
        new.carrier = Some(recharge_core::Carrier::Telecom);
    }
    Some(new)
}

/// A merchant with one order: sends it until it is acknowledged, and again whenever it was forgotten.
pub(crate) async fn orders(lab: Lab, order: usize, plan: OrderPlan) {
    let mut dice = Dice::stream(lab.case().id.seed, 6, order as u64);
    let Some(new) = new_order(order, &plan) else {
        lab.inner()
            .judge
            .violated(11, "a drawn order can't be made");
        return;
    };
    let mut news = lab.news();
    lab.executor().sleep(OUTSIDE, plan.at).await;
    loop {
        if !send(&lab, &mut dice, &new).await {
            return;
        }
        if plan.insists {
            insist(&lab, &mut dice, &new).await;
        }
        // Until a restored backup has forgotten it.
        loop {
            if news.changed().await.is_err() {
                return;
            }
            if !lab.inner().judge.is_acknowledged(&OrderName::of(&new)) {
                break;
            }
        }
    }
}

/// Sends an order until it is acknowledged. `false`: it is refused for good.
async fn send(lab: &Lab, dice: &mut Dice, new: &NewOrder) -> bool {
    loop {
        let what = new.clone();
        let accept = |driver: Driver| async move { driver.accept(what, true).await };
        let backups = lab.inner().disk.backups();
        let answer = ask(lab, dice, accept).await;
        // What was told before a backup was put back is told no more.
        let answer = answer.filter(|_| lab.inner().disk.backups() == backups);
        match answer {
            Some(Ok(accepted)) => {
                let name = OrderName::of(new);
                lab.note("acknowledged", accepted.stored.key.0, || name.to_string());
                lab.inner().judge.acknowledged(&name);
                lab.tell_news();
                return true;
            }
            Some(Err(error)) => {
                says(lab, &error.to_string());
                match error {
                    AcceptError::Store(_) | AcceptError::Stopping => {}
                    _ => {
                        let what = format!("order {} is refused: {error}", OrderName::of(new));
                        lab.inner().judge.violated(9, what);
                        return false;
                    }
                }
            }
            None => {}
        }
        let wait = AGAIN + Duration::from_millis(dice.below(3_000));
        lab.executor().sleep(OUTSIDE, wait).await;
    }
}

/// Sends it again, and something else under its name.
async fn insist(lab: &Lab, dice: &mut Dice, new: &NewOrder) {
    // Another content under a name that a restored backup has forgotten would be the merchant's mistake.
    let forgets = lab
        .case()
        .kept()
        .any(|part| matches!(part, Part::Act(_, Act::Restore { .. })));
    let name = OrderName::of(new);
    for _ in 0..2 {
        let wait = Duration::from_millis(dice.magnitude(1, 600_000));
        lab.executor().sleep(OUTSIDE, wait).await;
        let mut what = new.clone();
        let other = dice.once_in(3) && !forgets;
        if other
            && let Ok(amount) = FaceValue::from_yuan(if new.amount.yuan() == 50 { 100 } else { 50 })
        {
            what.amount = amount;
        }
        let accept = |driver: Driver| async move { driver.accept(what, true).await };
        let known = lab.inner().judge.by_name.contains_key(&name);
        match ask(lab, dice, accept).await {
            Some(Ok(accepted)) if known && lab.inner().judge.is_acknowledged(&name) => {
                if other || accepted.new {
                    let what = format!("order {name} is taken again as another one");
                    lab.inner().judge.violated(9, what);
                }
            }
            Some(Ok(_)) | None => {}
            Some(Err(error)) => says(lab, &error.to_string()),
        }
    }
}

fn says(lab: &Lab, text: &str) {
    lab.inner().judge.text(text, None);
}

/// People who look at an order, and decide.
pub(crate) async fn people(lab: Lab, part: usize, when: When, act: Decisions) {
    let mut dice = Dice::stream(lab.case().id.seed, 7, part as u64);
    let Some(name) = OrderName::nth(act.order) else {
        return;
    };
    let wait = match when {
        When::Desk(_, wait) | When::Since(_, wait) | When::At(wait) => wait,
        When::Point(_) | When::Reached(..) | When::Doubt(_) => Duration::ZERO,
    };
    let desk = matches!(when, When::Desk(..));
    let mut news = lab.news();
    loop {
        let is_there = {
            let inner = lab.inner();
            let key = inner.judge.by_name.get(&name);
            let file = key.and_then(|key| inner.judge.files.get(key));
            file.is_some_and(|file| !desk || matches!(file.state, OrderState::Review(_)))
        };
        if is_there {
            break;
        }
        if news.changed().await.is_err() {
            return;
        }
    }
    lab.executor().sleep(OUTSIDE, wait).await;
    let seen = decide(&lab, &mut dice, &name, act.wish, act.first, None).await;
    let Some(second) = act.second else { return };
    lab.executor().sleep(OUTSIDE, act.gap).await;
    let seen = seen.filter(|_| act.stale);
    decide(&lab, &mut dice, &name, act.wish, second, seen).await;
}

/// One person decides, having seen that version, or looking now. Answers what was seen.
async fn decide(
    lab: &Lab,
    dice: &mut Dice,
    name: &OrderName,
    wish: Wish,
    who: u8,
    seen: Option<u64>,
) -> Option<u64> {
    for _ in 0..TRIES {
        let (OrderName { merchant, order_id }, by) = (name.clone(), person(who)?);
        // Two who look at the same order find the same fitting, and name the same attempt.
        let drawn = lab.case().id.seed;
        let asked = ask(lab, dice, |driver: Driver| async move {
            let found = driver.order(&merchant, &order_id).await;
            let Some(found) = found.map_err(|error| error.to_string())? else {
                return Ok(None);
            };
            let seen = seen.unwrap_or(found.order.version());
            let wish = match wish {
                Wish::Fitting => fitting(&found.order, drawn),
                other => other,
            };
            let Some(command) = command(wish, by, seen, &found.order, drawn) else {
                return Ok(None);
            };
            let done = driver.command(&merchant, &order_id, command).await;
            let done = done.map(|_| ()).map_err(|error| error.to_string());
            Ok::<_, String>(Some((seen, done)))
        });
        match asked.await {
            Some(Ok(Some((seen, done)))) => {
                lab.note("decides", u64::from(who), || {
                    format!("{wish:?} on {name}: {done:?}")
                });
                lab.inner().cover.wished(wish, done.is_ok());
                if let Err(text) = done {
                    says(lab, &text);
                }
                return Some(seen);
            }
            Some(Ok(None)) => return None,
            // Who can't see the order looks again.
            Some(Err(text)) => says(lab, &text),
            None => {}
        }
        lab.executor().sleep(OUTSIDE, AGAIN).await;
    }
    None
}

fn person(who: u8) -> Option<Person> {
    let known = |name| Person::authenticated(name).ok();
    match who {
        0 => known("ann"),
        1 => known("bob"),
        2 => known("Ann"),
        _ => Person::unauthenticated(if who == 3 { "dan" } else { "eve" }, "root").ok(),
    }
}

/// What is open to people where an order stands so.
fn fitting(order: &Order, dice: u64) -> Wish {
    let some = match order.state() {
        OrderState::Review(ReviewReason::ProbablyNotTaken) => {
            &[Wish::SendElsewhere, Wish::SendAgain, Wish::Fail][..]
        }
        OrderState::Review(ReviewReason::Contradiction) => &[Wish::Succeed, Wish::Fail][..],
        OrderState::Review(_) => &[Wish::SendAgain, Wish::Fail, Wish::AskAgain][..],
        OrderState::Pending => &[Wish::Cancel][..],
        _ => &[Wish::AskAgain, Wish::Fail][..],
    };
    let at = dice
        .checked_rem(some.len() as u64)
        .and_then(|at| usize::try_from(at).ok());
    at.and_then(|at| some.get(at))
        .copied()
        .unwrap_or(Wish::AskAgain)
}

fn command(wish: Wish, by: Person, seen: u64, order: &Order, dice: u64) -> Option<Command> {
    let verdict = match wish {
        Wish::AskAgain | Wish::Fitting => return Some(Command::AskAgain { by }),
        Wish::Cancel => Verdict::Cancel,
        Wish::Succeed => Verdict::Succeeded,
        Wish::Fail => Verdict::Failed,
        Wish::SendAgain => Verdict::SendAgain {
            attempt: u32::try_from(to_send_again(order, dice)?).ok()?,
        },
        Wish::SendElsewhere => {
            let used = |upstream: &Upstream| {
                let mut attempts = order.attempts().iter();
                attempts.any(|attempt| attempt.provider().as_str() == upstream.as_str())
            };
            let other = Upstream::ALL.into_iter().find(|upstream| !used(upstream));
            Verdict::SendElsewhere {
                provider: Lab::provider_id(other.unwrap_or(Upstream::Juhe))?,
            }
        }
    };
    Some(Command::Decide(Decision {
        verdict,
        by,
        // Now and then somebody leaves it blank, as far as a form lets them.
        evidence: if seen % 16 == 3 {
            "- "
        } else {
            "said on the telephone"
        }
        .to_owned(),
        seen,
    }))
}

/// One that has failed for good, if there is one, or any of them. Of an order that was not sent, the first.
fn to_send_again(order: &Order, dice: u64) -> Option<usize> {
    let failed = |attempt: &Attempt| attempt.standing() == Standing::Failed;
    // Cases that follow each other shall not differ in this alone.
    let failed = order.attempts().iter().position(failed);
    if (dice / 8).is_multiple_of(2) && failed.is_some() {
        return failed;
    }
    let any = (dice / 16).checked_rem(order.attempts().len() as u64);
    usize::try_from(any.unwrap_or(0)).ok()
}

/// An upstream calls back, and is told whether it was heard; of what is delivered again nobody is told.
pub(crate) async fn calls_back(lab: Lab, call: CallbackSend, again: bool) {
    let mut dice = Dice::stream(
        lab.case().id.seed,
        8,
        call.id ^ u64::from(call.attempt) << 32,
    );
    let travels = Duration::from_micros(dice.magnitude(200, 400_000));
    lab.executor().sleep(OUTSIDE, travels).await;
    let Some(provider) = Lab::provider_id(call.upstream) else {
        return;
    };
    let body = call.body.clone();
    let backups = lab.inner().disk.backups();
    let heard = ask(&lab, &mut dice, |driver: Driver| async move {
        let form = Some("application/x-www-form-urlencoded");
        let heard = driver.callback(&provider, form, body.as_bytes()).await;
        heard.map_err(|error| error.to_string())
    });
    let heard = heard.await;
    if let Some(Err(text)) = &heard {
        says(&lab, text);
    }
    let now = lab.executor().now();
    let ok = matches!(heard, Some(Ok(()))) && lab.inner().disk.backups() == backups;
    if ok {
        let (number, claims) = said(&call);
        lab.inner().judge.heard(&number, claims, call.genuine);
    }
    lab.note("callback", u64::from(ok), || {
        format!("{} {}", call.upstream, call.order_id)
    });
    let mut inner = lab.inner();
    inner.cover.called_back(ok, again);
    if !again {
        inner
            .world
            .callback_answered(now, call.id, ok.then_some(b"success"));
    }
}

/// What a callback says: our number, and the state. Nothing in either is escaped.
fn said(call: &CallbackSend) -> (String, Option<UpstreamState>) {
    let field = |name: &str| {
        let mut pairs = call.body.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .unwrap_or_default()
    };
    let (number, state, failed) = match call.upstream {
        Upstream::Juhe => ("orderid", "sta", "9"),
        Upstream::Jisu => ("outorderno", "rechargestatus", "2"),
    };
    let claims = match field(state) {
        "1" => Some(UpstreamState::Succeeded),
        other if other == failed => Some(UpstreamState::Failed),
        _ => None,
    };
    (field(number).to_owned(), claims)
}
