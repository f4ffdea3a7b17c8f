//! `recharge sim`.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::common::{KEY, OPEN_ID, Sim, recharge, request};

#[cfg(unix)]
#[test]
fn it_says_where_it_listens_and_runs_until_it_is_told_to_stop() {
    for signal in ["TERM", "INT"] {
        let mut sim = Sim::start();
        assert_eq!(sim.get("/_sim/ledger"), Value::Array(Vec::new()));
        assert!(sim.address.starts_with("127.0.0.1:"), "{}", sim.address);
        let kill = format!("kill -{signal} {}", sim.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(sim.ended(), 0, "{signal}");
    }
}

#[test]
fn only_loopback_unless_told_otherwise() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let ended = recharge("sim --listen").arg(address).run().exits(2);
        ended.complains("--allow-remote");
    }
    let sim = Sim::of(recharge("sim --listen 0.0.0.0:0 --allow-remote"));
    assert!(sim.address.starts_with("0.0.0.0:"), "{}", sim.address);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let sim = Sim::start();
    let ended = recharge("sim --listen").arg(&sim.address).run().exits(8);
    ended.complains(&sim.address).complains("another port");
}

#[test]
fn what_it_cannot_use_is_refused_before_it_listens() {
    let scenario = recharge("sim --scenario s.toml").file("s.toml", "presett = \"mild\"");
    scenario
        .run()
        .exits(2)
        .complains("s.toml")
        .complains("presett");
    recharge("sim --scenario missing.toml")
        .run()
        .exits(2)
        .complains("missing.toml");
    let ended = recharge("sim --callback-url ftp://canary").run().exits(2);
    assert!(
        !ended.complains("callback").err.contains("canary"),
        "{ended:?}"
    );
}

#[test]
fn options_win_over_the_scenario() {
    let toml = "preset = \"hostile\"\nsettle_after = \"never\"\n[balances]\njuhe = \"5\"\n";
    let run = recharge("sim --scenario s.toml --faults off --settle-after 0s");
    let sim = Sim::of(run.file("s.toml", toml));
    let juhe = format!(
        "[juhe]\napp_key = \"{}\"\nopen_id = \"{}\"\nbase_url = \"http://{}\"\n",
        recharge_sim::DEFAULT_JUHE_KEY,
        recharge_sim::DEFAULT_JUHE_OPENID,
        sim.address
    );
    let ask = |line: &str| recharge(line).file("recharge.toml", &juhe).run();
    // The scenario's balance stays; its faults and its times do not.
    assert_eq!(
        ask("provider balance --provider juhe").exits(0).out,
        "5.00\n"
    );
    let order = "--provider juhe --order-id ABCDEFGH1";
    let submit = format!("provider submit {order} --account 18900001234 --amount 1");
    ask(&submit).exits(0);
    ask(&format!("provider query {order}"))
        .exits(0)
        .says("succeeded");
    for page in 0..20 {
        ask(&format!("provider query {order} --amount {}", page + 1)).exits(0);
    }
    assert_eq!(sim.get("/_sim/faults")["faults_injected"], 0);
}

#[test]
fn in_json_the_line_is_an_object() {
    use std::io::{BufRead as _, BufReader};
    let (mut child, _home) = recharge("sim --json").start();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let json: Value = serde_json::from_str(&line).unwrap();
    assert!(
        json["listening"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
}

#[test]
fn the_same_seed_gives_the_same_faults() {
    let struck = |seed: u32| -> Vec<bool> {
        let run = recharge(&format!(
            "sim --scenario s.toml --juhe-key {KEY} --seed {seed}"
        ));
        let sim = Sim::of(run.file("s.toml", "[probabilities.query]\nhtml = 0.5\n"));
        let strikes = |number: u32| {
            let path = format!("/ofpay/mobile/ordersta?key={KEY}&orderid={number}");
            let body = sim.exchange_text(&format!("GET {path} HTTP/1.0\r\n\r\n"));
            body.contains("<html>")
        };
        (10_000_000..10_000_040).map(strikes).collect()
    };
    let seven = struck(7);
    assert_eq!(seven, struck(7));
    assert_ne!(seven, struck(8));
    assert!(seven.contains(&true) && seven.contains(&false));
}

#[test]
fn a_callback_comes_to_the_url_and_is_genuine() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/back", listener.local_addr().unwrap());
    let sim = Sim::of(recharge(&format!(
        "sim --settle-after 0s --juhe-key {KEY} --juhe-openid {OPEN_ID} --callback-url {url}"
    )));
    let order = "--provider juhe --order-id ABCDEFGH1 --account 18900001234 --amount 1";
    sim.with(&format!("provider submit {order}")).run().exits(0);
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let body = request(&stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsuccess")
            .unwrap();
        send.send(body).unwrap();
    });
    // Only so that a callback that never comes fails the test instead of hanging it.
    let body = receive.recv_timeout(Duration::from_mins(1)).unwrap();
    let verify = recharge(&format!("verify juhe-callback --key {KEY} --json")).input(body);
    let json = verify.run().exits(0).json();
    assert_eq!(json["order_id"], "ABCDEFGH1");
    assert_eq!(json["claims"], "succeeded");
}
