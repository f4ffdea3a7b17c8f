//! `recharge.toml`, the environment, and `recharge config`.

use std::collections::BTreeMap;

use crate::common::{Ended, recharge};
use recharge_cli::config::{KEYS, TEMPLATE};
use serde_json::Value;

fn check(toml: &str) -> Ended {
    recharge("config check").file("recharge.toml", toml).run()
}

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
        ("juhe.face_values", ("7, 8", "7,8")),
        ("jisu.app_key", ("k2", "***")),
        ("jisu.app_secret", ("s2", "***")),
        ("jisu.base_url", ("https://b.example", "https://b.example")),
        ("jisu.sign_order", ("documented-table", "documented-table")),
        ("jisu.method", ("post", "post")),
        ("jisu.landline_detail_path", ("/a", "/a")),
        ("jisu.landline_goods_path", ("/b", "/b")),
        ("jisu.landline_face_values", ("7", "7")),
        ("jisu.mobile_face_values", ("9", "9")),
        ("http.transport", ("reqwest", "reqwest")),
        ("http.connect_timeout", ("300ms", "300ms")),
        ("http.timeout", ("2m", "2m")),
        ("http.proxy", ("http://u:canary@p:1/", "http://p:1")),
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
fn an_unknown_key_names_its_line_and_the_nearest_right_one() {
    for (toml, place, unknown, nearest) in [
        (
            "[juhe]\nenvrionment = \"test\"",
            ":2",
            "juhe.envrionment",
            "juhe.environment",
        ),
        (
            "[juhe]\n\nappkey = \"canary\"",
            ":3",
            "juhe.appkey",
            "juhe.app_key",
        ),
        (
            "[juhe]\nopenId = \"canary\"",
            ":2",
            "juhe.openId",
            "juhe.open_id",
        ),
        (
            "[juhe]\napp_secret = \"canary\"",
            ":2",
            "juhe.app_secret",
            "jisu.app_secret",
        ),
        (
            "[jisu]\nsignorder = \"sorted\"",
            ":2",
            "jisu.signorder",
            "jisu.sign_order",
        ),
        (
            "[jisu]\nface_values = [1]",
            ":2",
            "jisu.face_values",
            "juhe.face_values",
        ),
        (
            "[http]\ntime_out = \"5s\"",
            ":2",
            "http.time_out",
            "http.timeout",
        ),
        ("[jushe]\napp_key = \"canary\"", ":1", "jushe", "[juhe]"),
        (
            "app_secret = \"canary\"",
            ":1",
            "app_secret",
            "jisu.app_secret",
        ),
        ("transport = \"hyper\"", ":1", "transport", "http.transport"),
        (
            "[[code_overide]]\ncode = \"1\"",
            "",
            "code_overide",
            "[[code_override]]",
        ),
        (
            "[[code_override]]\nprovider = \"juhe\"\ncode = \"1\"\nclas = \"unknown\"",
            ":4",
            "code_override.clas",
            "class",
        ),
    ] {
        let ended = check(toml).exits(3);
        ended
            .complains(&format!("recharge.toml{place}"))
            .complains(unknown)
            .complains(&format!("did you mean {nearest}"));
        assert!(!ended.err.contains("canary"), "{ended:?}");
    }
}

#[test]
fn an_unknown_variable_names_the_nearest_right_one() {
    let ended = recharge("config check")
        .variable("RECHARGE_JUHE_APPKEY", "canary")
        .run()
        .exits(3);
    ended
        .complains("RECHARGE_JUHE_APPKEY")
        .complains("did you mean RECHARGE_JUHE_APP_KEY?");
    assert!(!ended.err.contains("canary"), "{ended:?}");
    // Others may have their own.
    recharge("config check")
        .variable("RECHARGE_GATEWAY_PORT", "1")
        .run()
        .exits(0);
}

#[test]
fn a_wrong_value_names_its_line_and_what_would_be_right() {
    for (toml, place, says) in [
        (
            "[juhe]\nenvironment = \"canary\"",
            ":2",
            "write \"production\" or \"test\"",
        ),
        (
            "[juhe]\napp_key = 123456",
            ":2",
            "juhe.app_key: write the secret as text",
        ),
        (
            "[juhe]\napp_key = \"\"",
            ":2",
            "juhe.app_key: write the secret as text",
        ),
        (
            "[juhe]\napp_key = \"canary canary\"",
            ":2",
            "without spaces",
        ),
        (
            "[juhe]\nbase_url = \"canary\"",
            ":2",
            "https://example.com/juhe",
        ),
        (
            "[juhe]\nbase_url = \"https://u:canary@h\"",
            ":2",
            "without user",
        ),
        ("[juhe]\nface_values = \"1\"", ":2", "[10, 50, 100]"),
        ("[juhe]\nface_values = []", ":2", "[10, 50, 100]"),
        ("[juhe]\nface_values = [0]", ":2", "above zero"),
        ("[juhe]\nface_values = [1.5]", ":2", "whole yuan"),
        (
            "[jisu]\nsign_order = true",
            ":2",
            "\"sorted\" or \"documented-table\"",
        ),
        (
            "[jisu]\nlandline_goods_path = \"goods\"",
            ":2",
            "a slash first",
        ),
        ("[http]\ntimeout = 30", ":2", "\"5s\""),
        ("[http]\ntimeout = \"30\"", ":2", "\"5s\""),
        ("[http]\nproxy = \"canary\"", ":2", "http://proxy:3128"),
        (
            "[http]\ntransport = \"curl\"",
            ":2",
            "\"reqwest\" or \"hyper\"",
        ),
        ("juhe = 1", ":1", "write [juhe]"),
        ("[code_override]\ncode = \"1\"", ":1", "[[code_override]]"),
        ("code_override = [1]", ":1", "[[code_override]]"),
        (
            "[[code_override]]\nprovider = \"canary\"\ncode = 1\nclass = \"unknown\"",
            ":2",
            "\"juhe\" or \"jisu\"",
        ),
        (
            "[[code_override]]\nprovider = \"juhe\"\ncode = 1\nclass = \"canary\"",
            ":4",
            "not-accepted, unknown",
        ),
        (
            "[[code_override]]\nprovider = \"juhe\"\ncode = 0\nclass = \"unknown\"",
            ":3",
            "code 0",
        ),
        (
            "[[code_override]]\nprovider = \"juhe\"\ncode = 1",
            ":1",
            "has no class",
        ),
        (
            "[[code_override]]\nprovider = \"juhe\"\ncode = 1.5\nclass = \"unknown\"",
            ":3",
            "write a code",
        ),
        ("[juhe\napp_key = \"canary\"", ":1", "not TOML"),
        ("[juhe]\napp_key = canary", ":2", "not TOML"),
        ("[juhe]\napp_key = \"canary", ":2", "not TOML"),
        ("[juhe]\napp_key = \"canary\" \"canary\"", ":2", "not TOML"),
        ("[juhe]\napp_key = 2020-13-45canary", ":2", "not TOML"),
        (
            "[juhe]\napp_key = \"a\"\napp_key = \"canary\"",
            ":3",
            "duplicate key",
        ),
        ("[juhe]\n[http]\n[juhe]", ":3", "duplicate key"),
    ] {
        let ended = check(toml).exits(3);
        ended
            .complains(&format!("recharge.toml{place}: "))
            .complains(says);
        assert!(
            !ended.err.contains("canary") && ended.out.is_empty(),
            "{ended:?}"
        );
    }
    for (variable, value, says) in [
        ("RECHARGE_HTTP_TIMEOUT", "canary", "\"5s\""),
        ("RECHARGE_JUHE_APP_KEY", "canary canary", "without spaces"),
        ("RECHARGE_JISU_MOBILE_FACE_VALUES", "1;2canary", "10,50,100"),
    ] {
        let ended = recharge("config check")
            .variable(variable, value)
            .run()
            .exits(3);
        ended.complains(variable).complains(says);
        assert!(!ended.err.contains("canary"), "{ended:?}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let ended = recharge("config check --json")
        .file("recharge.toml", "[juhe]\nx = 1\n[http]\ntimeout = 1\n")
        .variable("RECHARGE_JISU_METHOD", "put")
        .run()
        .exits(3);
    let message = ended.json_error()["message"].as_str().unwrap().to_owned();
    assert_eq!(message.lines().count(), 3, "{message}");
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    for (toml, says) in [
        ("[juhe]\napp_key = \"k\"", "juhe.open_id is missing"),
        ("[jisu]\nbase_url = \"http://h\"", "jisu.app_key is missing"),
        ("[http]\nconnect_timeout = \"40s\"", "connect_timeout"),
        ("[http]\ntimeout = \"0s\"", "timeout is zero"),
        (
            "[http]\ntransport = \"hyper\"\nproxy = \"http://u:canary@p:1\"",
            "takes no proxy",
        ),
        (
            "[[code_override]]\nprovider = \"juhe\"\ncode = 1\nclass = \"unknown\"\n\
             [[code_override]]\nprovider = \"juhe\"\ncode = \"1\"\nclass = \"not-accepted\"",
            "has a class of this sort already, at recharge.toml:1",
        ),
    ] {
        let ended = check(toml).exits(3);
        ended.complains(says);
        assert!(!ended.err.contains("canary"), "{ended:?}");
    }
    // One class about submits and one about questions agree.
    check(
        "[[code_override]]\nprovider = \"jisu\"\ncode = 299\nclass = \"not-found\"\n\
         [[code_override]]\nprovider = \"jisu\"\ncode = 299\nclass = \"not-accepted\"",
    )
    .exits(0)
    .says("code_override jisu 299\tnot-found");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    for (line, says) in [
        ("config check --config missing.toml", "missing.toml"),
        ("config check --config .", "configuration file ."),
        (
            "--config missing.toml provider balance --provider juhe",
            "missing.toml",
        ),
    ] {
        recharge(line)
            .run()
            .exits(3)
            .complains(says)
            .complains("config template");
    }
    let named = recharge("config check").variable("RECHARGE_CONFIG", "missing.toml");
    named.run().exits(3).complains("missing.toml");
    let long = "#".repeat(2 << 20);
    recharge("config check")
        .file("recharge.toml", &long)
        .run()
        .exits(3)
        .complains("1 MiB");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let toml = "\u{feff}[http]\r\ntimeout = \"7s\"\r\n";
    check(toml)
        .exits(0)
        .says("http.timeout\t7s\trecharge.toml:2");
}
