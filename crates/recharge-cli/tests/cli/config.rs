//! `recharge.toml`, the environment, and `recharge config`.

use std::collections::BTreeMap;

use crate::common::recharge;
use recharge_cli::config::{KEYS, TEMPLATE};
use serde_json::Value;

/// The template with every setting that is commented out put in.
fn uncommented() -> String {
    let setting = |line: &str| {
        line.strip_prefix('#').is_some_and(|rest| {
            rest.starts_with('[') || rest.starts_with(|c: char| c.is_ascii_lowercase())
        })
    };
    TEMPLATE
        .lines()
        .map(|line| if setting(line) { &line[1..] } else { line })
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// Key to value, as `config check --json` shows them.
fn settings(json: &Value) -> BTreeMap<String, Value> {
    json["settings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["key"].as_str().unwrap().to_owned(),
                row["value"].clone(),
            )
        })
        .collect()
}

#[test]
fn the_template_is_printed_as_it_is() {
    let ended = recharge("config template").run().exits(0);
    assert_eq!(ended.out, TEMPLATE);
    assert!(ended.err.is_empty());
    let json = recharge("config template --json").run().exits(0).json();
    assert_eq!(json["template"], TEMPLATE);
}

#[test]
fn the_template_changes_nothing() {
    let without = recharge("config check --json").run().exits(0).json();
    let with = recharge("config check --json").file("recharge.toml", TEMPLATE);
    let with = with.run().exits(0).json();
    assert_eq!(without["settings"], with["settings"]);
    assert_eq!(with["file"], "recharge.toml");
    assert_eq!(without["file"], Value::Null);
}

#[test]
fn what_the_template_comments_out_are_the_defaults() {
    // The proxy is an example: nothing may be sent to it, and the hyper transport takes none.
    let json = recharge("config check --json").file("recharge.toml", &uncommented());
    let json = json.run().exits(0).json();
    let shown = settings(&json);
    let defaults = settings(&recharge("config check --json").run().exits(0).json());
    for key in KEYS {
        let path = key.path();
        let (shown, default) = (&shown[&path], &defaults[&path]);
        assert!(!shown.is_null(), "{path} is not in the template");
        match key.default {
            Some(_) => assert_eq!(shown, default, "{path}"),
            None => assert!(default.is_null(), "{path}"),
        }
    }
    assert_eq!(json["code_overrides"][0]["code"], "208502");
    assert_eq!(
        (&json["juhe_usable"], &json["jisu_usable"]),
        (&true.into(), &true.into())
    );
}

#[test]
fn the_template_names_every_key_and_its_variable() {
    for key in KEYS {
        assert!(
            TEMPLATE.contains(&format!("\n#{} = ", key.name)),
            "{}",
            key.path()
        );
        assert!(TEMPLATE.contains(&key.variable()), "{}", key.variable());
    }
    let longest = TEMPLATE.lines().map(str::len).max();
    assert!(longest <= Some(110), "{longest:?}");
}

#[test]
fn the_defaults_shown_are_those_that_hold() {
    use recharge_jisu::JisuConfig;
    use recharge_juhe::JuheConfig;
    let shown = settings(&recharge("config check --json").run().exits(0).json());
    let yuan = |values: &[u32]| {
        let texts: Vec<String> = values.iter().map(u32::to_string).collect();
        Value::from(texts.join(","))
    };
    assert_eq!(shown["juhe.face_values"], yuan(&JuheConfig::FACE_VALUES));
    assert_eq!(
        shown["jisu.landline_face_values"],
        yuan(&JisuConfig::LANDLINE_FACE_VALUES)
    );
    assert_eq!(
        shown["jisu.mobile_face_values"],
        yuan(&JisuConfig::MOBILE_FACE_VALUES)
    );
    assert_eq!(shown["jisu.base_url"], JisuConfig::BASE_URL);
    assert_eq!(
        shown["jisu.landline_detail_path"],
        JisuConfig::LANDLINE_DETAIL_PATH
    );
    let durations = |list: &[std::time::Duration]| {
        let texts: Vec<String> = list.iter().map(|it| shown_duration(*it)).collect();
        Value::from(texts.join(","))
    };
    let times = recharge_engine::Times::default();
    for (name, list) in [
        ("query_after", times.query_after.as_slice()),
        ("confirm_failure_after", &[times.confirm_failure_after]),
        ("not_found_quarantine", &[times.not_found_quarantine]),
        ("charging_limit", &[times.charging_limit]),
        ("unknown_limit", &[times.unknown_limit]),
        ("send_deadline", &[times.send_deadline]),
        ("pending_limit", &[times.pending_limit]),
        ("callback_gap", &[times.callback_gap]),
        ("watch_after", times.watch_after.as_slice()),
    ] {
        assert_eq!(
            shown[&format!("lifecycle.{name}")],
            durations(list),
            "{name}"
        );
    }
    assert_eq!(
        shown["lifecycle.not_found_answers"],
        times.not_found_answers.to_string()
    );
    assert_eq!(
        shown["lifecycle.not_sent_tries"],
        times.not_sent_tries.to_string()
    );
    let http = recharge_http::HttpConfig::default();
    assert_eq!(
        shown["http.connect_timeout"],
        format!("{}s", http.connect_timeout.as_secs())
    );
    assert_eq!(
        shown["http.timeout"],
        format!("{}s", http.timeout.as_secs())
    );
}

/// In the largest unit that is whole, but a day or more in hours.
fn shown_duration(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    [("h", 3600), ("m", 60), ("s", 1)]
        .into_iter()
        .find(|(_, per)| seconds.is_multiple_of(*per))
        .map(|(unit, per)| format!("{}{unit}", seconds / per))
        .unwrap()
}

#[test]
fn each_key_is_set_by_its_variable_which_wins_over_the_file() {
    let values: BTreeMap<&str, (&str, &str)> = BTreeMap::from([
        ("juhe.app_key", ("k2", "***")),
        ("juhe.open_id", ("o2", "***")),
        ("juhe.environment", ("test", "test")),
        (
            "juhe.base_url",
            ("https://a.example/juhe/", "https://a.example/juhe"),
        ),
        ("juhe.encoding", ("multipart", "multipart")),
        ("juhe.face_values", ("50, 100", "50,100")),
        ("jisu.app_key", ("k2", "***")),
        ("jisu.app_secret", ("s2", "***")),
        ("jisu.base_url", ("https://b.example", "https://b.example")),
        ("jisu.sign_order", ("documented-table", "documented-table")),
        ("jisu.method", ("post", "post")),
        ("jisu.landline_detail_path", ("/a", "/a")),
        ("jisu.landline_goods_path", ("/b", "/b")),
        ("jisu.landline_face_values", ("7", "7")),
        // The template's route takes 50 and 100.
        ("jisu.mobile_face_values", ("50,100", "50,100")),
        ("http.transport", ("reqwest", "reqwest")),
        ("http.connect_timeout", ("300ms", "300ms")),
        ("http.timeout", ("2m", "2m")),
        ("http.proxy", ("http://u:canary@p:1/", "http://p:1")),
        ("lifecycle.query_after", ("7s, 8s", "7s,8s")),
        ("lifecycle.confirm_failure_after", ("61s", "61s")),
        ("lifecycle.not_found_quarantine", ("31m", "31m")),
        ("lifecycle.not_found_answers", ("7", "7")),
        ("lifecycle.charging_limit", ("25h", "25h")),
        ("lifecycle.unknown_limit", ("3h", "3h")),
        ("lifecycle.send_deadline", ("9s", "9s")),
        ("lifecycle.pending_limit", ("31m", "31m")),
        ("lifecycle.not_sent_tries", ("4", "4")),
        ("lifecycle.callback_gap", ("31s", "31s")),
        ("lifecycle.duplicate_window", ("11m", "11m")),
        ("lifecycle.watch_after", ("1h,200h", "1h,200h")),
        ("store.url", ("sqlite:a/b.db", "sqlite:a/b.db")),
        ("store.forget_accounts_after", ("9601h", "9601h")),
        ("people.approvers", ("Li Na, 王伟", "Li Na,王伟")),
        ("limits.in_flight", ("10000", "10000")),
        ("limits.queries_per_second", ("1", "1")),
        ("limits.submits_per_second", ("2", "2")),
        ("limits.account_orders_per_day", ("3", "3")),
        ("limits.account_yuan_per_day", ("400", "400")),
        ("server.listen", ("127.0.0.2:81", "127.0.0.2:81")),
        (
            "server.public_url",
            ("https://c.example/", "https://c.example"),
        ),
        ("server.master_key_file", ("/etc/key", "/etc/key")),
        ("server.requests_per_second", ("5", "5")),
        (
            "server.trusted_proxies",
            ("10.0.0.1,10.1.0.0/16", "10.0.0.1/32,10.1.0.0/16"),
        ),
        (
            "server.cors_origins",
            ("https://d.example", "https://d.example"),
        ),
        ("server.metrics", ("false", "false")),
        ("server.balances_every", ("0s", "0s")),
        ("webhooks.allow_private", ("true", "true")),
        ("callbacks.per_second", ("6", "6")),
        ("callbacks.juhe_from", ("192.0.2.0/24", "192.0.2.0/24")),
        (
            "callbacks.jisu_from",
            ("198.51.100.0/24", "198.51.100.0/24"),
        ),
    ]);
    let mut run = recharge("config check --json").file("recharge.toml", &uncommented());
    for key in KEYS {
        run = run.variable(&key.variable(), values[key.path().as_str()].0);
    }
    let ended = run.run().exits(0);
    assert!(!ended.out.contains("canary"));
    let json = ended.json();
    for row in json["settings"].as_array().unwrap() {
        let key = row["key"].as_str().unwrap();
        assert_eq!(row["value"], values[key].1, "{key}");
        let variable = format!("RECHARGE_{}", key.replace('.', "_")).to_uppercase();
        assert_eq!(row["from"], variable);
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let toml = "\u{feff}[http]\r\ntimeout = \"7s\"\r\n";
    let run = recharge("config check").file("recharge.toml", toml);
    run.run().exits(0).says("http.timeout\t7s\trecharge.toml:2");
}

#[test]
fn short_times_are_taken_and_warned_of() {
    let toml = "[lifecycle]\nnot_found_quarantine = \"1ms\"\nquery_after = [\"1ms\"]\n";
    let run = || recharge("config check").file("recharge.toml", toml);
    let ended = run().run().exits(0);
    ended
        .says("lifecycle.not_found_quarantine\t1ms\trecharge.toml:2")
        .complains("warning: lifecycle.not_found_quarantine is 1ms, less than 30m")
        .complains("warning: lifecycle.query_after is 1ms");
    let json = recharge("config check --json").file("recharge.toml", toml);
    let ended = json.run().exits(0);
    assert!(ended.err.is_empty(), "{ended:?}");
    let json = ended.json();
    assert_eq!(json["warnings"].as_array().unwrap().len(), 2, "{json}");
    let silent = recharge("config check").run().exits(0);
    assert!(silent.err.is_empty(), "{silent:?}");
}

#[test]
fn routes_are_shown_in_their_order() {
    let toml =
        "[jisu]\napp_key = \"k\"\napp_secret = \"s\"\n[juhe]\napp_key = \"k\"\nopen_id = \"o\"\n";
    let run = recharge("config check").file("recharge.toml", toml);
    run.run()
        .exits(0)
        .says("route mobile\tjisu,juhe\tdefault")
        .says("route landline\tjisu\tdefault");
    let chosen = format!("{toml}[[route]]\nkind = \"mobile\"\nproviders = [\"juhe\"]\n");
    let run = recharge("config check --json").file("recharge.toml", &chosen);
    let json = run.run().exits(0).json();
    let mobile = serde_json::json!({ "kind": "mobile", "providers": ["juhe"] });
    assert_eq!(json["routes"][0], mobile);
}
