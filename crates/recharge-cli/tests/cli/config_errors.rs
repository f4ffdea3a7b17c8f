//! What is wrong with a configuration, and where: never a value, which may be a secret.

use crate::common::{Ended, recharge};

fn check(toml: &str) -> Ended {
    recharge("config check").file("recharge.toml", toml).run()
}

/// What stands in the file, the line that is complained of, and what would be right.
const WRONG: &[(&str, &str, &str)] = &[
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
    (
        "[lifecycle]\nquery_after = []",
        ":2",
        "one or more durations",
    ),
    (
        "[lifecycle]\nquery_after = [\"5s\", \"0s\"]",
        ":2",
        "above zero",
    ),
    (
        "[lifecycle]\nquery_after = \"5s\"",
        ":2",
        "[\"5s\", \"15s\"",
    ),
    (
        "[lifecycle]\nwatch_after = [\"1h\", 5]",
        ":2",
        "one or more durations",
    ),
    (
        "[lifecycle]\nunknown_limit = \"0s\"",
        ":2",
        "longer than zero",
    ),
    ("[lifecycle]\nsend_deadline = 10", ":2", "\"5s\""),
    (
        "[lifecycle]\nnot_found_answers = 0",
        ":2",
        "from 1 to 10000",
    ),
    (
        "[lifecycle]\nnot_found_answers = \"6\"",
        ":2",
        "without quotes",
    ),
    (
        "[limits]\nin_flight = 0",
        ":2",
        "limits.in_flight: write a whole number from 1 to 10000",
    ),
    ("[limits]\nin_flight = 10_001", ":2", "from 1 to 10000"),
    ("[limits]\nin_flight = -1", ":2", "from 1 to 10000"),
    ("[limits]\nin_flight = 0x40", ":2", "from 1 to 10000"),
    ("[limits]\nqueries_per_second = 1.5", ":2", "a whole number"),
    (
        "[store]\nurl = \"postgres://canary\"",
        ":2",
        "\"sqlite:recharge.sqlite\"",
    ),
    ("[store]\nurl = \"sqlite:\"", ":2", "store.url"),
    ("[store]\nurl = \"sqlite://canary\"", ":2", "store.url"),
    ("[store]\nurl = \"sqlite::memory:\"", ":2", "store.url"),
    (
        "[store]\nurl = \"sqlite:canary?mode=ro\"",
        ":2",
        "store.url",
    ),
    (
        "[people]\napprovers = []",
        ":2",
        "people.approvers: write people's names",
    ),
    (
        "[people]\napprovers = [\" \"]",
        ":2",
        "write people's names",
    ),
    (
        "[people]\napprovers = \"canary\"",
        ":2",
        "[\"li.na\", \"wang.wei\"]",
    ),
    ("[route]\nkind = \"mobile\"", ":1", "[[route]]"),
    (
        "[[route]]\nproviders = [\"juhe\"]",
        ":1",
        "route has no kind: write \"mobile\"",
    ),
    (
        "[[route]]\nkind = \"canary\"",
        ":2",
        "route.kind: write \"mobile\"",
    ),
    (
        "[[route]]\nkind = \"mobile\"\nproviders = []",
        ":3",
        "one or more of",
    ),
    (
        "[[route]]\nkind = \"mobile\"\nproviders = [\"canary\"]",
        ":3",
        "\"juhe\" and \"jisu\"",
    ),
    (
        "[[route]]\nkind = \"mobile\"\nproviders = [\"juhe\", \"juhe\"]",
        ":3",
        "each once",
    ),
    (
        "[[route]]\nkind = \"mobile\"\nprice_ceiling = 105",
        ":3",
        "in quotes",
    ),
    (
        "[[route]]\nkind = \"mobile\"\nprice_ceiling = \"0.00\"",
        ":3",
        "above zero",
    ),
    (
        "[[route]]\nkind = \"mobile\"\nface_values = []",
        ":3",
        "route.face_values: write whole yuan",
    ),
    (
        "[[route]]\nkind = \"mobile\"\nenabled = \"canary\"",
        ":3",
        "true or false",
    ),
    (
        "[[route]]\nkind = \"mobile\"\n\n[[route]]\nkind = \"mobile\"",
        ":4",
        "keep one of them",
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
];

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
        (
            "[[route]]\nkind = \"mobile\"\nfailover = true",
            ":3",
            "route.failover",
            "enabled",
        ),
        ("[[routes]]\nkind = \"mobile\"", "", "routes", "[[route]]"),
        (
            "[lifecycle]\nsend_dead_line = \"5s\"",
            ":2",
            "lifecycle.send_dead_line",
            "lifecycle.send_deadline",
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
    for (toml, place, says) in WRONG {
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
            "[[route]]\nkind = \"mobile\"\nproviders = [\"jisu\"]",
            "route.providers: jisu has no account: set jisu.app_key and jisu.app_secret",
        ),
        (
            "[[route]]\nkind = \"landline\"",
            "no provider with an account sells anything for landline accounts",
        ),
        (
            "[lifecycle]\nwatch_after = [\"1h\", \"1h\"]",
            "longer than the one before",
        ),
        (
            "[people]\napprovers = [\"Li Na\", \"li na\"]",
            "stands there twice",
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
