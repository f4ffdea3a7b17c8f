//! No secret and no full phone number in anything that is printed, whatever goes wrong.

use crate::common::{Ended, JISU_KEY, JISU_SECRET, KEY, OPEN_ID, Recharge, Sim, recharge};

/// Not the one in help texts.
const PHONE: &str = "15912345678";

/// Nothing of what must not be shown, on either stream.
#[track_caller]
fn is_silent(ended: &Ended) {
    for text in [&ended.out, &ended.err] {
        for secret in [KEY, OPEN_ID, JISU_KEY, JISU_SECRET, PHONE] {
            assert!(!text.contains(secret), "{secret} in {ended:?}");
        }
    }
}

/// All four secrets by the environment.
fn keyed(line: &str) -> Recharge {
    recharge(line)
        .variable("RECHARGE_JUHE_APP_KEY", KEY)
        .variable("RECHARGE_JUHE_OPEN_ID", OPEN_ID)
        .variable("RECHARGE_JISU_APP_KEY", JISU_KEY)
        .variable("RECHARGE_JISU_APP_SECRET", JISU_SECRET)
}

#[test]
fn lesson_14_no_key_and_no_phone_in_any_answer_of_an_upstream() {
    let sim = Sim::start();
    let faults = [
        "none",
        "server_error",
        "html",
        "truncated",
        "cut_off",
        "garbled",
        "wrong_typed",
        "duplicate_key",
        "answer_lost",
        "reset",
        "system_error",
        "wrong_echo",
        "unlisted_code",
    ];
    let mut number = 20_000_000;
    for fault in faults {
        for provider in ["juhe", "jisu"] {
            number += 1;
            sim.post(
                "/_sim/faults",
                &format!(
                    "{{\"order\": [{{\"order_id\": \"{number}\", \"submit\": [\"{fault}\"], \"query\": [\"{fault}\"]}}]}}"
                ),
            );
            let order =
                format!("--provider {provider} --order-id {number} --account {PHONE} --amount 10");
            for json in ["", " --json"] {
                is_silent(&sim.with(&format!("provider submit {order}{json}")).run());
                is_silent(&sim.with(&format!("provider query {order}{json}")).run());
            }
        }
    }
    for provider in ["juhe", "jisu"] {
        for call in ["orders", "balance"] {
            is_silent(
                &sim.with(&format!("provider {call} --provider {provider} --json"))
                    .run(),
            );
        }
    }
}

#[test]
fn lesson_14_no_key_in_any_error_of_the_command_line() {
    for line in [
        format!("sign juhe-submit --key {KEY} --openid {OPEN_ID}"),
        format!("sign juhe-submit --key {KEY} --opneid {OPEN_ID}"),
        format!("sign juhe-submit --key={KEY} --opneid={OPEN_ID}"),
        format!("sign juhe-submit {KEY}"),
        format!("sign juhe-submit --explain={KEY}"),
        format!("sign juhe-submit --key {KEY} --key {KEY}"),
        format!("sign {KEY}"),
        format!("sign jisu --appsecret {JISU_SECRET} --param {JISU_SECRET}"),
        KEY.to_owned(),
        format!("--json={KEY}"),
        format!("verify juhe-callback --key {KEY} {KEY}"),
        format!("provider submit --provider {KEY}"),
        format!("provider balance --provider juhe --carrier {KEY}"),
        format!("provider quote --provider juhe --amount {KEY} --account {KEY}"),
        format!("provider quote --provider juhe --amount {PHONE} --account {PHONE}0"),
        format!(
            "provider submit --provider juhe --amount 1 --account x{PHONE} --order-id 12345678"
        ),
        format!("provider orders --provider juhe --page {PHONE}"),
        format!("demo --orders {PHONE}"),
        format!("demo --seed {KEY}"),
        format!("sim --listen {KEY}"),
        format!("sim --seed {KEY}"),
        format!("sim --settle-after {KEY}"),
        format!("sim --callback-url ftp://{KEY}"),
        format!("completions {KEY}"),
        format!("config check --config {KEY}.toml"),
    ] {
        for json in ["", " --json"] {
            let ended = recharge(&format!("{line}{json}")).run();
            assert_ne!(ended.code, 0, "{ended:?}");
            if !line.starts_with("config") {
                // The name of a file is not a secret.
                is_silent(&ended);
            }
        }
    }
}

#[test]
fn lesson_14_no_key_of_the_environment_in_help_or_errors() {
    for line in [
        "--help",
        "sign --help",
        "sign juhe-submit --help",
        "sign juhe-submit",
        "sign jisu --help",
        "verify juhe-callback --help",
        "verify juhe-callback",
        "verify jisu-callback",
        "provider submit --help",
        "provider orders --provider juhe --page 0",
        "config check",
        "config check --json",
        "sign juhe-submit --phone 1 --amount 1 --order-id 1 --explain",
        "sign juhe-submit --phone 1 --amount 1 --order-id 1 --explain --json",
        "sign jisu --param a=1 --explain",
    ] {
        is_silent(&keyed(line).run());
    }
    // A secret that can't be one is not repeated either.
    let broken = recharge("provider balance --provider juhe")
        .variable("RECHARGE_JUHE_APP_KEY", &format!("{KEY} "))
        .variable("RECHARGE_JUHE_OPEN_ID", OPEN_ID);
    is_silent(&broken.run().exits(3));
}

#[test]
fn lesson_14_no_key_of_a_file_in_errors() {
    let good = format!("[juhe]\napp_key = \"{KEY}\"\nopen_id = \"{OPEN_ID}\"\n");
    for toml in [
        format!("{good}app_secret = \"{JISU_SECRET}\"\n"),
        format!("{good}environment = \"{KEY}\"\n"),
        format!("{good}base_url = \"http://{KEY}@host\"\n"),
        format!("{good}base_url = \"http://host?key={KEY}\"\n"),
        format!("{good}[http]\nproxy = \"{KEY}\"\n"),
        format!("{good}[http]\ntransport = \"hyper\"\nproxy = \"http://u:{KEY}@h:1\"\n"),
        format!("{good}app_key = \"{KEY}\"\n"),
        good.replace("\"\n", "\n"),
        good.replace('"', ""),
        good.replace("app_key = ", "app_key "),
        good.replace("app_key = \"", "app_key = \"\u{7f}"),
        format!("[juhe]\napp_key = [\"{KEY}\"]\n"),
        format!("[juhe]\napp_key = {{ a = \"{KEY}\" }}\n"),
        format!("[juhe]\napp_key = '''{KEY}\n'''\n"),
        format!("juhe = \"{KEY}\"\n"),
        format!("[[code_override]]\nprovider = \"{KEY}\"\ncode = \"{KEY}\"\nclass = \"{KEY}\"\n"),
    ] {
        for line in [
            "config check",
            "provider balance --provider juhe",
            "config check --json",
        ] {
            is_silent(&recharge(line).file("recharge.toml", &toml).run().exits(3));
        }
    }
}

#[test]
fn lesson_14_what_runs_shows_no_key() {
    let sim = Sim::start();
    let log = |sim: &Sim| sim.get("/_sim/log").to_string();
    let line =
        format!("provider submit --provider juhe --order-id 12345678 --account {PHONE} --amount 1");
    sim.with(&line).run().exits(0);
    for secret in [KEY, OPEN_ID, PHONE] {
        assert!(!log(&sim).contains(secret), "{}", log(&sim));
    }
}
