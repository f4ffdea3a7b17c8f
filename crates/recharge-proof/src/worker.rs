//! A worker: the real driver on the modelled store, with the real adapters over the modelled wire.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use recharge_core::{AccountKind, Money, Provider};
use recharge_engine::driver::Setup;
use recharge_engine::{Route, Store};
use recharge_jisu::{JisuConfig, JisuProvider};
use recharge_juhe::{Encoding, JuheConfig, JuheProvider};
use recharge_sim::{
    DEFAULT_JISU_APPKEY, DEFAULT_JISU_APPSECRET, DEFAULT_JUHE_KEY, DEFAULT_JUHE_OPENID, Upstream,
};

use crate::clock::WorkerClock;
use crate::dice::Dice;
use crate::executor::{In, Process};
use crate::judge::of_the_lifecycle;
use crate::lab::{APPROVERS, Lab};
use crate::store::ModelStore;
use crate::wire::Wire;

/// How long a worker waits that could not begin.
const AGAIN: Duration = Duration::from_secs(5);
/// How long it waits for news before it looks for messages all the same.
const LOOKS: Duration = Duration::from_hours(6);
/// The same while somebody has not heard.
const LISTENS: Duration = Duration::from_mins(10);

/// Begins in a slot, as a new process.
pub(crate) fn start(lab: &Lab, slot: usize) {
    let process = {
        let mut inner = lab.inner();
        let Some(slot) = inner.slots.get_mut(slot) else {
            return;
        };
        let process = lab.executor().start_process(slot.wall_offset);
        slot.process = Some(process);
        slot.driver = None;
        slot.restart = None;
        process
    };
    lab.note("starts", u64::from(process.0), || {
        format!("{process:?} in slot {slot}")
    });
    let work = work(lab.clone(), slot, process);
    lab.executor().spawn(process, Box::pin(work));
}

async fn work(lab: Lab, slot: usize, process: Process) {
    let store = Arc::new(ModelStore::new(lab.clone(), process));
    let driver = loop {
        let Some(setup) = setup(&lab, process, store.clone()) else {
            let what = "an adapter can't be made, so there is nothing to simulate";
            return lab.inner().judge.violated(11, what);
        };
        match setup.start().await {
            Ok(driver) => break driver,
            Err(error) => {
                let text = error.to_string();
                lab.inner().judge.text(&text, None);
                lab.note("can't start", u64::from(process.0), || text);
                lab.executor().sleep(process, AGAIN).await;
            }
        }
    };
    if let Some(slot) = lab.inner().slots.get_mut(slot) {
        slot.driver = Some(driver);
    }
    lab.tell_news();
    deliver(&lab, process, &*store).await;
}

/// Tells merchants and operators what is to be told, for ever.
async fn deliver(lab: &Lab, process: Process, store: &dyn Store) {
    let mut news = lab.news();
    let mut dice = Dice::stream(lab.case().id.seed, 10, u64::from(process.0));
    loop {
        let Ok(messages) = store.messages(0, 100).await else {
            lab.executor().sleep(process, AGAIN).await;
            continue;
        };
        let mut ids = Vec::new();
        let mut deaf = Vec::new();
        for message in &messages {
            // Now and then nobody hears of an order; its next messages then wait behind this one.
            if deaf.contains(&message.key) || !lab.inner().calm && dice.once_in(6) {
                deaf.push(message.key);
                continue;
            }
            ids.push(message.id);
            let text = format!("{:?}", message.what);
            lab.inner().judge.text(&text, None);
            lab.note("told", message.id, || text);
            lab.inner().judge.told(message);
        }
        if !ids.is_empty() {
            // What is not marked is told again.
            let marked = store.delivered(&ids).await;
            if marked.is_err() {
                lab.executor().sleep(process, AGAIN).await;
            }
            continue;
        }
        let looks = if deaf.is_empty() { LOOKS } else { LISTENS };
        tokio::select! {
            biased;
            _ = news.changed() => {}
            () = lab.executor().sleep(process, looks) => {}
        }
    }
}

fn setup(lab: &Lab, process: Process, store: Arc<ModelStore>) -> Option<Setup> {
    let settings = &lab.case().settings;
    let providers = providers(lab, process)?;
    let clock = WorkerClock::new(lab.epochs(), process, lab.zero());
    let seed = Dice::stream(lab.case().id.seed, 5, u64::from(process.0)).next();
    let routes = routes(lab, &providers);
    let mut setup = Setup::new(store, providers, Arc::new(clock));
    if setup.times != of_the_lifecycle() {
        let what = "what waits, and for how long, is not as the lifecycle has it";
        lab.inner().judge.violated(11, what);
    }
    setup.seed = Some(seed);
    setup.routes = routes;
    setup.tasks = Arc::new(In(lab.executor().clone(), process));
    setup.heartbeat = settings.heartbeat;
    setup.observer = Some(Arc::new(lab.clone()));
    setup.at_hand = settings.at_hand;
    setup.limits.in_flight = settings.in_flight;
    setup.limits.queries_per_second = settings.queries_per_second;
    setup.limits.submits_per_second = settings.submits_per_second;
    setup.limits.breaker_after = settings.breaker_after;
    setup.approvers = APPROVERS.map(str::to_owned).to_vec();
    Some(setup)
}

fn providers(lab: &Lab, process: Process) -> Option<Vec<Arc<dyn Provider>>> {
    let settings = &lab.case().settings;
    let wire = |upstream| Arc::new(Wire::new(lab.clone(), process, upstream));
    let juhe = JuheConfig::new(DEFAULT_JUHE_KEY.into(), DEFAULT_JUHE_OPENID.into()).ok()?;
    let juhe = juhe.with_encoding(match settings.encoding {
        0 => Encoding::Urlencoded,
        1 => Encoding::Query,
        _ => Encoding::Multipart,
    });
    let jisu = JisuConfig::new(DEFAULT_JISU_APPKEY.into(), DEFAULT_JISU_APPSECRET.into()).ok()?;
    let mut providers: Vec<Arc<dyn Provider>> = vec![
        Arc::new(JuheProvider::new(juhe, wire(Upstream::Juhe))),
        Arc::new(JisuProvider::new(jisu, wire(Upstream::Jisu))),
    ];
    if settings.jisu_first != lab.inner().other_routes {
        providers.reverse();
    }
    Some(providers)
}

fn routes(lab: &Lab, providers: &[Arc<dyn Provider>]) -> BTreeMap<AccountKind, Vec<Route>> {
    let settings = &lab.case().settings;
    let mute = settings.mute.map(Upstream::as_str);
    let off = settings
        .off_since_backup
        .filter(|_| lab.inner().disk.backups() > 0)
        .map(Upstream::as_str);
    let route = |provider: &Arc<dyn Provider>, kind: AccountKind| {
        let mut route = Route::of(provider.as_ref(), kind)?;
        let name = route.provider.as_str();
        if mute == Some(name) {
            route.can_query = false;
            // Of Juhe's it must not, whatever is configured: its signature doesn't cover the state.
            route.callback_counts |= settings.callbacks_count;
        }
        route.enabled = off != Some(name);
        // What is off unless it is switched on is left as it comes.
        route.failover_after_failure |= settings.failover;
        route.refuses_duplicates &= !settings.duplicates_pass;
        if settings.price_ceiling {
            route.price_ceiling = Money::from_yuan(60);
        }
        Some(route)
    };
    let of = |kind: AccountKind| {
        let routes = providers.iter().filter_map(|it| route(it, kind)).collect();
        (kind, routes)
    };
    AccountKind::ALL.into_iter().map(of).collect()
}
