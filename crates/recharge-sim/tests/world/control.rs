//! What the log keeps, and `reset`. The control calls themselves are tested over HTTP in `tests/front`.

use recharge_sim::{
    DEFAULT_JISU_APPKEY, DEFAULT_JUHE_KEY, FaultKind, FaultPlan, Preset, Request, Script, Stage,
    World, WorldConfig,
};

use crate::support::*;

#[test]
fn the_log_masks_accounts_and_never_holds_keys_or_signatures() {
    let mut world = scripted("LOGGED0001", &[FaultKind::Html], &[]);
    juhe_submit_raw(&mut world, secs(1), "LOGGED0001");
    Landline::default().submit(&mut world, secs(2));
    let glued = format!("/{PHONE}?appkey={DEFAULT_JISU_APPKEY}");
    world.handle(secs(3), &Request::get(&glued));
    let log = serde_json::to_string(&world.log().collect::<Vec<_>>()).unwrap();
    for secret in [PHONE, LINE, DEFAULT_JUHE_KEY, DEFAULT_JISU_APPKEY, "sign"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    assert!(
        log.contains("189****1234") && log.contains("057****5366"),
        "{log}"
    );
    let entries: Vec<_> = world.log().collect();
    assert_eq!(entries[0].fault, Some(FaultKind::Html));
    assert_eq!((entries[0].status, entries[0].code), (200, None));
    assert_eq!((entries[1].at_ms, entries[1].code), (2_000, Some(0)));
    assert_eq!(entries[2].status, 404);
}

#[test]
fn debug_shows_no_credentials() {
    let text = format!("{:?}", World::new(WorldConfig::default()));
    assert!(
        !text.contains(DEFAULT_JUHE_KEY) && !text.contains(DEFAULT_JISU_APPKEY),
        "{text}"
    );
}

#[test]
fn debug_shows_no_account_whatever_the_world_went_through() {
    let mut plan = FaultPlan::off();
    plan.scripts.push(Script {
        account: Some("18900005678".to_owned()),
        ..Script::default()
    });
    // Copies of packets wait in the agenda, callbacks in the outbox.
    plan.set_rate(Stage::Submit, FaultKind::DelayedAcceptance, 0.5)
        .unwrap();
    let mut world = World::new(WorldConfig {
        callbacks: true,
        faults: plan,
        ..WorldConfig::default()
    });
    for n in 0..20 {
        juhe_submit_raw(&mut world, secs(n), &format!("UNSEENORDER{n}"));
        juhe_status_raw(&mut world, secs(n), &format!("UNSEENORDER{n}"));
    }
    let check = format!("/ofpay/mobile/telcheck?key={DEFAULT_JUHE_KEY}&phoneno={PHONE}&cardnum=10");
    world.handle(secs(20), &Request::get(&check));
    let line = Landline::default();
    for target in [
        jisu_mobile_target(PHONE, "10", "UNSEENMOBILE"),
        line.target(&line.sorted_sign()),
    ] {
        world.handle(secs(20), &Request::get(&target));
    }
    // Before anything ended, so that orders, copies and callbacks are all there to be seen.
    let early = format!("{world:?}");
    let due = world.callbacks_due(secs(100));
    assert!(!due.is_empty() && !world.ledger().is_empty());
    let text = format!("{early} {world:?} {due:?} {:?}", world.ledger());
    for account in [PHONE, "18900005678", LINE, "057156565366"] {
        assert!(!text.contains(account), "{account} in {text}");
    }
    assert!(text.contains("189****1234") && text.contains("189****5678"));
}

#[test]
fn reset_goes_back_to_the_beginning() {
    let mut world = World::new(WorldConfig::default());
    world.set_faults(Preset::Hostile.plan());
    for n in 0..20 {
        juhe_submit_raw(&mut world, secs(n), &format!("FORGOTTEN{n}"));
    }
    world.reset();
    assert_eq!(
        (world.ledger(), world.stats().calls, world.log().count()),
        (vec![], 0, 0)
    );
    assert_eq!(world.faults().rates().count(), 0);
    assert_eq!(world.next_event(), None);
    assert_eq!(
        juhe_submit(&mut world, secs(100), "FORGOTTEN1")["error_code"],
        0
    );
}
