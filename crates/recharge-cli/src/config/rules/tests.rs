//! What the engine is given, from files as people write them.

use recharge_core::{Account, Carrier, FaceValue, MerchantId, Money, OrderId};

use super::*;

const BOTH: &str =
    "[juhe]\napp_key = \"k\"\nopen_id = \"o\"\n[jisu]\napp_key = \"k\"\napp_secret = \"s\"\n";

fn try_rules(toml: &str) -> Result<Rules, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recharge.toml");
    std::fs::write(&file, toml).unwrap();
    let config = Config::load(Some(&file), std::iter::empty()).unwrap();
    let providers = config.providers()?;
    config.rules(&providers)
}

fn rules(toml: &str) -> Rules {
    try_rules(toml).unwrap()
}

#[track_caller]
fn wrong(toml: &str, says: &str) {
    let error = try_rules(toml).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

fn ids(rules: &Rules, kind: AccountKind) -> Vec<(String, bool)> {
    let routes = rules.routes.get(&kind).into_iter().flatten();
    routes
        .map(|route| (route.provider.to_string(), route.enabled))
        .collect()
}

fn order(kind: AccountKind, account: &str, yuan: u32) -> NewOrder {
    NewOrder::new(
        MerchantId::local(),
        OrderId::parse("A1").unwrap(),
        Account::parse(kind, account).unwrap(),
        FaceValue::from_yuan(yuan).unwrap(),
    )
}

#[test]
fn without_a_word_everything_is_as_the_lifecycle_says() {
    let rules = rules("");
    assert_eq!(rules.times, Times::default());
    assert_eq!(rules.limits, Limits::default());
    assert_eq!(rules.caution, Caution::default());
    assert!(rules.routes.is_empty() && rules.approvers.is_empty() && rules.warnings.is_empty());
    let config = Config::default();
    assert_eq!(config.store_file(), PathBuf::from("recharge.sqlite"));
}

#[test]
fn every_setting_reaches_the_rules() {
    let rules = rules(
        "[http]\nconnect_timeout = \"2s\"\ntimeout = \"20s\"\n[lifecycle]\nquery_after = [\"1s\", \"2s\"]\n\
         confirm_failure_after = \"3s\"\nnot_found_quarantine = \"4s\"\nnot_found_answers = 5\n\
         charging_limit = \"6s\"\nunknown_limit = \"7s\"\nsend_deadline = \"8s\"\npending_limit = \"9s\"\n\
         not_sent_tries = 10\ncallback_gap = \"11s\"\nduplicate_window = \"12s\"\nwatch_after = [\"13s\"]\n\
         [people]\napprovers = [\"a\", \"b\"]\n[limits]\nin_flight = 14\nqueries_per_second = 15\n\
         submits_per_second = 16\naccount_orders_per_day = 17\naccount_yuan_per_day = 18\n",
    );
    let seconds = Duration::from_secs;
    assert_eq!(
        rules.times,
        Times {
            query_after: vec![seconds(1), seconds(2)],
            confirm_failure_after: seconds(3),
            not_found_quarantine: seconds(4),
            not_found_answers: 5,
            charging_limit: seconds(6),
            unknown_limit: seconds(7),
            send_deadline: seconds(8),
            request_timeout: seconds(22),
            pending_limit: seconds(9),
            not_sent_tries: 10,
            callback_gap: seconds(11),
            watch_after: vec![seconds(13)],
        }
    );
    assert_eq!(rules.caution.duplicate_window, seconds(12));
    let limits = (rules.limits.in_flight, rules.limits.queries_per_second);
    assert_eq!(
        (limits, rules.limits.submits_per_second),
        ((14, 15), Some(16))
    );
    assert_eq!(rules.caution.account_orders_per_day, Some(17));
    assert_eq!(rules.caution.account_yuan_per_day, Some(18));
    assert_eq!(rules.approvers, ["a", "b"]);
    for name in [
        "confirm_failure_after",
        "not_found_quarantine",
        "not_found_answers",
        "charging_limit",
        "unknown_limit",
        "pending_limit",
        "watch_after",
        "duplicate_window",
    ] {
        let names = |warning: &&String| warning.starts_with(&format!("lifecycle.{name} is "));
        assert_eq!(rules.warnings.iter().filter(names).count(), 1, "{name}");
    }
    assert_eq!(rules.warnings.len(), 8);
}

#[test]
fn without_a_route_every_provider_that_sells_the_kind_is_one_in_the_order_of_the_file() {
    let both = rules(BOTH);
    let on = |names: &[&str]| -> Vec<(String, bool)> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), true))
            .collect()
    };
    assert_eq!(ids(&both, AccountKind::Mobile), on(&["juhe", "jisu"]));
    assert_eq!(ids(&both, AccountKind::Landline), on(&["jisu"]));
    let (juhe, jisu) = BOTH.split_at(BOTH.find("[jisu]").unwrap());
    let turned = rules(&format!("{jisu}{juhe}"));
    assert_eq!(ids(&turned, AccountKind::Mobile), on(&["jisu", "juhe"]));
}

#[test]
fn what_a_route_leaves_out_is_switched_off_and_still_asked() {
    let rules = rules(&format!(
        "{BOTH}[[route]]\nkind = \"mobile\"\nproviders = [\"jisu\"]\nprice_ceiling = \"105.5\"\n\
         failover_after_failure = true\nface_values = [100]\n"
    ));
    let mobile = [("jisu".to_owned(), true), ("juhe".to_owned(), false)];
    assert_eq!(ids(&rules, AccountKind::Mobile), mobile);
    let routes = &rules.routes[&AccountKind::Mobile];
    assert_eq!(routes[0].price_ceiling, Money::from_thousandths(105_500));
    assert!(routes[0].failover_after_failure && !routes[1].failover_after_failure);
    assert_eq!(
        routes[0].offer.face_values,
        [FaceValue::from_yuan(100).unwrap()]
    );
    assert!(routes.iter().all(|route| route.can_query));
    let landline = &rules.routes[&AccountKind::Landline];
    assert!(!landline[0].failover_after_failure && landline[0].enabled);
}

#[test]
fn a_route_that_can_not_be_is_refused() {
    let with = |route: &str| format!("{BOTH}[[route]]\n{route}");
    wrong(
        &with("kind = \"landline\"\nproviders = [\"juhe\", \"jisu\"]"),
        "juhe sells nothing for landline accounts; take it out of the landline route",
    );
    wrong(
        &with("kind = \"mobile\"\nface_values = [10, 11]"),
        "no provider of the mobile route sells 11 yuan",
    );
    wrong(
        &with("kind = \"mobile\"\nface_values = [1, 2]"),
        "jisu sells none of them for mobile accounts",
    );
    wrong(
        "[juhe]\napp_key = \"k\"\nopen_id = \"o\"\n[[route]]\nkind = \"mobile\"\nproviders = [\"jisu\"]",
        "recharge.toml:4: route.providers: jisu has no account: set jisu.app_key and jisu.app_secret",
    );
    let two = "kind = \"landline\"\nproviders = [\"juhe\"]\n[[route]]\nkind = \"mobile\"\nface_values = [11]";
    let error = try_rules(&with(two)).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 2, "{error}");
}

#[test]
fn an_order_that_no_route_takes_is_told_why() {
    use AccountKind::{Landline, Mobile};
    let both = rules(BOTH);
    let mobile = |yuan| order(Mobile, "18900001234", yuan);
    assert_eq!(both.refuses(&mobile(50)), None);
    let says = |rules: &Rules, what: &NewOrder, text: &str| {
        let told = rules.refuses(what).unwrap();
        assert!(
            told.contains(text) && !told.contains("18900001234"),
            "{told}"
        );
    };
    says(
        &both,
        &mobile(7),
        "nobody sells this face value for mobile accounts; there are 1, 2, 5, 10",
    );
    says(&rules(""), &mobile(50), "no provider with an account sells");
    let mut landline = order(Landline, "0571-56565366", 100);
    says(&both, &landline, "the carrier has to be named: ");
    landline.carrier = Some(Carrier::Unicom);
    assert_eq!(both.refuses(&landline), None);
    landline.provider = ProviderId::parse("juhe").ok();
    says(
        &both,
        &landline,
        "juhe is switched off for landline accounts",
    );
    let off = rules(&format!(
        "{BOTH}[[route]]\nkind = \"mobile\"\nenabled = false\n"
    ));
    says(
        &off,
        &mobile(50),
        "every provider is switched off for mobile accounts",
    );
    let mut chosen = mobile(1);
    chosen.provider = ProviderId::parse("jisu").ok();
    says(&both, &chosen, "there are 10, 20");
}
