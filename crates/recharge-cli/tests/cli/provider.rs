//! `recharge provider submit` against the simulator.

use crate::common::{JISU_KEY, OPEN_ID, Sim, recharge};

const JUHE: &str = "--provider juhe --order-id 111111111";
const JUHE_ORDER: &str = "--account 18900001234 --amount 1";
const JISU: &str = "--provider jisu --kind landline --order-id A0000001";
const JISU_ORDER: &str = "--account 0571-56565366 --amount 100 --carrier unicom";

#[test]
fn the_documented_samples_go_out_and_end() {
    let sim = Sim::start();
    for (order, what, cost) in [(JUHE, JUHE_ORDER, "1.06"), (JISU, JISU_ORDER, "99.65")] {
        let number = order.rsplit(' ').next().unwrap();
        let ended = sim
            .with(&format!("provider submit {order} {what}"))
            .run()
            .exits(0);
        ended
            .says("accepted\n")
            .says(&format!("order id: {number}\n"))
            .says("state: charging\n")
            .says("upstream id: ")
            .says(&format!("price: {cost}\n"));
        assert!(ended.err.is_empty(), "{ended:?}");

        let query = format!("provider query {order}");
        sim.with(&query).run().exits(0).says("charging\n");
        sim.post("/_sim/step", &format!("{{\"order_id\": \"{number}\"}}"));
        sim.with(&query).run().exits(0).says("succeeded\n");
        let row = sim.ledger(number);
        assert_eq!(
            (&row["submits"], &row["charges"]),
            (&1.into(), &1.into()),
            "{row}"
        );
    }
}

#[test]
fn every_kind_of_account_and_carrier_is_sent() {
    let sim = Sim::start();
    for (number, rest) in [
        (
            "A0000001",
            "--provider jisu --account 18900001234 --amount 10",
        ),
        (
            "A0000002",
            "--provider jisu --kind landline --account 057156565366 --amount 100 --carrier telecom",
        ),
        (
            "A0000003",
            "--provider jisu --kind broadband --account hz12345678 --amount 20 --carrier tietong",
        ),
        (
            "A0000004",
            "--provider jisu --kind combined --account 0571-56565366 --amount 50 --carrier mobile",
        ),
        (
            "A0000005",
            "--provider juhe --kind mobile --phone 19200001234 --amount 300",
        ),
    ] {
        let line = format!("provider submit --number {number} {rest}");
        sim.with(&line).run().exits(0);
        assert_eq!(sim.ledger(number)["charges"], 1, "{line}");
    }
}

#[test]
fn both_transports_and_every_encoding_reach_the_upstream() {
    let sim = Sim::start();
    let mut number = 10_000_000;
    for transport in ["reqwest", "hyper"] {
        for (variable, values) in [
            (
                "RECHARGE_JUHE_ENCODING",
                ["urlencoded", "multipart", "query"].as_slice(),
            ),
            ("RECHARGE_JISU_METHOD", &["get", "post"]),
        ] {
            let provider = &variable[9..13].to_lowercase();
            for value in values {
                number += 1;
                let line = format!(
                    "provider submit --provider {provider} --order-id {number} --account 18900001234 --amount 10"
                );
                let run = sim.with(&line).variable(variable, value);
                run.variable("RECHARGE_HTTP_TRANSPORT", transport)
                    .run()
                    .exits(0);
                assert_eq!(sim.ledger(&number.to_string())["charges"], 1);
            }
        }
    }
}

#[test]
fn submit_in_json() {
    let sim = Sim::start();
    let json = sim
        .with(&format!("provider submit {JUHE} {JUHE_ORDER} --json"))
        .run()
        .exits(0)
        .json();
    assert_eq!(json["outcome"], "accepted");
    assert_eq!(json["provider"], "juhe");
    assert_eq!(json["order_id"], "111111111");
    assert_eq!(json["state"], "charging");
    assert_eq!(json["cost"], "1.06");
    assert_eq!(json["upstream_id"], sim.ledger("111111111")["upstream_id"]);
    assert_eq!(json["answer"]["code"], "0");

    let json = sim
        .with(&format!("provider query {JUHE} --json"))
        .run()
        .exits(0)
        .json();
    assert_eq!(json["outcome"], "found");
    assert_eq!(json["state"], "charging");
    assert_eq!(json["order_id"], "111111111");
}

#[test]
fn a_refusal_is_status_4_and_took_nothing() {
    let sim = Sim::start();
    let line = format!("provider submit {JUHE} --account 18900001234 --amount 3");
    sim.with(&line)
        .run()
        .exits(4)
        .says("rejected: this send was not taken")
        .says("code 208506");
    let json = sim.with(&format!("{line} --json")).run().exits(4).json();
    assert_eq!(json["outcome"], "rejected");
    assert_eq!(json["answer"]["code"], "208506");

    let line = format!("provider submit {JUHE} {JUHE_ORDER}");
    let wrong = sim.with(&line).variable("RECHARGE_JUHE_OPEN_ID", "other");
    wrong.run().exits(4).says("code 208515");
    assert_eq!(sim.ledger("111111111")["charges"], 0);
}

#[test]
fn the_order_of_signed_values_is_one_setting_away_and_206_says_so() {
    let run = recharge(&format!(
        "sim --scenario s.toml --settle-after never --jisu-appkey {JISU_KEY} --jisu-appsecret {}",
        crate::common::JISU_SECRET
    ));
    let sim = Sim::of(run.file("s.toml", "jisu_sign_order = \"documented-table\""));
    let line = format!("provider submit {JISU} {JISU_ORDER}");
    sim.with(&line)
        .run()
        .exits(4)
        .says("code 206")
        .says("sign_order");
    let other = sim
        .with(&line)
        .variable("RECHARGE_JISU_SIGN_ORDER", "documented-table");
    other.run().exits(0).says("accepted");
}

#[test]
fn an_answer_that_is_lost_is_status_5_and_says_to_ask() {
    let sim = Sim::start();
    for (number, fault) in [
        ("111111111", "answer_lost"),
        ("222222222", "html_taken"),
        ("333333333", "duplicate_code_taken"),
        ("444444444", "wrong_echo"),
    ] {
        sim.post(
            "/_sim/faults",
            &format!("{{\"order\": [{{\"order_id\": \"{number}\", \"submit\": [\"{fault}\"]}}]}}"),
        );
        let line = format!("provider submit --provider juhe --order-id {number} {JUHE_ORDER}");
        let ended = sim.with(&line).run().exits(5);
        ended
            .says("unknown: it may have been taken")
            .says(&format!(
                "ask with `recharge provider query --provider juhe --kind mobile --order-id {number}`"
            ))
            .says("never send this order again under another number");
        assert_eq!(sim.ledger(number)["charges"], 1, "{fault}");
        sim.post("/_sim/faults", "{}");
        // The question that it tells to ask finds the order.
        let asked = ended.out.split('`').nth(1).unwrap();
        let asked = asked.strip_prefix("recharge ").unwrap();
        sim.with(asked).run().exits(0).says("charging");
    }
    // Sent again under the same number, the upstream's refusal of duplicates proves nothing either.
    let again = format!("provider submit {JUHE} {JUHE_ORDER} --json");
    let json = sim.with(&again).run().exits(5).json();
    assert_eq!(
        (&json["outcome"], &json["doubt"]),
        (&"unknown".into(), &"code".into())
    );
    assert_eq!(json["answer"]["code"], "208516");
    assert!(json["next"].as_str().unwrap().contains("provider query"));
    assert_eq!(sim.ledger("111111111")["charges"], 1);
}

#[test]
fn no_connection_is_status_6() {
    let line = format!("provider submit {JUHE} {JUHE_ORDER}");
    for transport in ["reqwest", "hyper"] {
        let run = |line: &str| {
            recharge(line)
                .variable("RECHARGE_JUHE_APP_KEY", "canarykey0000000")
                .variable("RECHARGE_JUHE_OPEN_ID", OPEN_ID)
                // Port 1 of loopback: nobody listens there.
                .variable("RECHARGE_JUHE_BASE_URL", "http://127.0.0.1:1")
                .variable("RECHARGE_HTTP_TRANSPORT", transport)
                .run()
        };
        let ended = run(&line).exits(6);
        assert!(
            !ended
                .says("not sent: not one byte left")
                .out
                .contains("canary"),
            "{ended:?}"
        );
        let json = run(&format!("{line} --json")).exits(6).json();
        assert_eq!(json["outcome"], "not_sent");
        let query = format!("provider query {JUHE}");
        run(&query).exits(7).says("not answered");
        let json = run(&format!("{query} --json")).exits(7).json();
        assert_eq!(
            (&json["outcome"], &json["trouble"]),
            (&"unavailable".into(), &"transport".into())
        );
        let error = run("provider balance --provider juhe --json")
            .exits(7)
            .json_error();
        assert_eq!(error["kind"], "unavailable");
    }
}

#[test]
fn what_an_upstream_cannot_take_is_refused_before_anything_is_sent() {
    let sim = Sim::start();
    for (line, says) in [
        (
            "submit --provider juhe --order-id 1234567 --account 18900001234 --amount 1",
            "8 to 32",
        ),
        (
            "submit --provider juhe --order-id A-00000001 --account 18900001234 --amount 1",
            "letters or digits",
        ),
        (
            "submit --provider juhe --order-id 111111111 --account 1890000123 --amount 1",
            "11 digits",
        ),
        (
            "submit --provider juhe --order-id 111111111 --kind landline --account 0571-56565366 --amount 100",
            "mobile numbers only",
        ),
        (
            "submit --provider jisu --order-id A1 --kind landline --account 0571-56565366 --amount 100",
            "--carrier",
        ),
        (
            "submit --provider jisu --order-id A1 --kind landline --account 0571-56565366 --amount 100 --carrier broadnet",
            "unicom",
        ),
        (
            "submit --provider jisu --order-id A1 --kind broadband --account x! --amount 100 --carrier unicom",
            "--kind broadband",
        ),
        (
            "query --provider juhe --kind landline --order-id 111111111",
            "mobile numbers only",
        ),
        ("query --provider juhe --order-id 1", "8 to 32"),
        (
            "check --provider jisu --account 18900001234 --amount 10",
            "no check call",
        ),
        ("balance --provider jisu", "no balance call"),
    ] {
        sim.with(&format!("provider {line}"))
            .run()
            .exits(2)
            .complains(says);
    }
    assert_eq!(sim.get("/_sim/log"), serde_json::json!([]));
}

#[test]
fn a_changed_code_is_believed() {
    let sim = Sim::start();
    let toml = format!(
        "{}[[code_override]]\nprovider = \"juhe\"\ncode = 208506\nclass = \"unknown\"\n",
        sim.toml()
    );
    let line = format!("provider submit {JUHE} --account 18900001234 --amount 3");
    let run = recharge(&line).file("recharge.toml", &toml);
    run.run().exits(5).says("code 208506");
}

#[test]
#[cfg(unix)]
fn an_interrupted_submit_is_unknown() {
    for signal in ["INT", "TERM"] {
        let sim = Sim::start();
        sim.post(
            "/_sim/faults",
            "{\"timings\": {\"timeout_hold\": \"1h\"}, \"order\": [{\"order_id\": \"111111111\", \"submit\": [\"timeout_after\"]}]}",
        );
        let (child, _home) = sim
            .with(&format!("provider submit {JUHE} {JUHE_ORDER}"))
            .start();
        // Once the order is in the ledger its bytes have gone, and the answer never comes.
        while sim.get("/_sim/ledger").as_array().unwrap().is_empty() {
            std::thread::yield_now();
        }
        let kill = format!("kill -{signal} {}", child.id());
        let killed = std::process::Command::new("sh")
            .args(["-c", &kill])
            .status();
        assert!(killed.unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(5), "{signal}");
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(
            out.contains("interrupted before the answer"),
            "{signal}: {out}"
        );
        assert_eq!(sim.ledger("111111111")["charges"], 1);
    }
}

#[test]
fn an_outcome_is_never_lost_over_a_full_disk() {
    let sim = Sim::start();
    let home = tempfile::TempDir::new().unwrap();
    std::fs::write(home.path().join("recharge.toml"), sim.toml()).unwrap();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_recharge"))
        .args(format!("provider submit {JUHE} {JUHE_ORDER}").split(' '))
        .current_dir(home.path())
        .env_clear()
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("order 111111111: accepted"), "{err}");
}
