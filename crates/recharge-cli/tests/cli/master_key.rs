//! The master key: what a wrong one breaks is said, and changing it is safe; and what is checked before a key is made.

use std::io::{BufRead as _, BufReader};
use std::process::Child;

use crate::common::{Ended, Recharge};
use crate::shop::Shop;

const MASTER_KEY: &str = "RECHARGE_MASTER_KEY";
const CREATE: &str = "keys create --merchant shop --compat juhe";

fn old() -> String {
    "5e".repeat(32)
}

fn new() -> String {
    "a7".repeat(32)
}

fn shop() -> Shop {
    Shop::with("50ms", "[server]\nlisten = \"127.0.0.1:0\"\n")
}

/// Says neither key.
#[track_caller]
fn silent(ended: Ended) -> Ended {
    for key in [old(), new()] {
        assert!(!ended.out.contains(&key) && !ended.err.contains(&key));
    }
    ended
}

/// Runs it under a master key.
#[track_caller]
fn under(shop: &Shop, key: &str, line: &str) -> Ended {
    silent(shop.at(line).variable(MASTER_KEY, key).run())
}

/// A gateway that listens; dropping it ends it.
struct Gateway {
    child: Child,
    /// What it said first.
    said: [String; 2],
}

impl Gateway {
    fn start(run: Recharge) -> Self {
        let (mut child, _) = run.start();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        let said = [line(), line()];
        Self { child, said }
    }

    /// The first line that begins so on its standard error.
    fn warns(&mut self, begin: &str) -> String {
        let mut lines = BufReader::new(self.child.stderr.take().unwrap()).lines();
        // It ends where the program does.
        let found = lines.find_map(|line| line.ok().filter(|line| line.starts_with(begin)));
        found.unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn it_is_not_changed_under_a_gateway_that_runs() {
    let shop = shop();
    under(&shop, &old(), CREATE).exits(0);
    let rotate = || {
        let rotate = shop.at("keys rotate-master").variable(MASTER_KEY, &old());
        silent(rotate.variable("RECHARGE_NEW_MASTER_KEY", &new()).run())
    };
    {
        let _gateway = Gateway::start(shop.at("serve").variable(MASTER_KEY, &old()));
        rotate()
            .exits(8)
            .complains("a gateway that runs would go on with the old key")
            .complains("stop that one first");
    }
    // Nothing was changed.
    under(&shop, &old(), "doctor").exits(0);
    rotate().exits(0).says("1 secrets are sealed under");
    under(&shop, &new(), "doctor").exits(0);
}

#[test]
fn a_wrong_one_is_told_by_doctor_and_serve_and_nothing_is_sealed_under_it() {
    let shop = shop();
    under(&shop, &old(), CREATE).exits(0);
    let set = "webhooks set --merchant shop --url https://shop.example.com/";
    under(&shop, &old(), set).exits(0);
    let well = under(&shop, &old(), "doctor").exits(0);
    well.says("master key\tok\tit opens every secret that is in force");

    for (key, why) in [
        (new(), "and the one in force is"),
        (String::new(), "none is given: set RECHARGE_MASTER_KEY"),
    ] {
        let ended = under(&shop, &key, "doctor").exits(1);
        ended
            .says("master key\tbad\t2 secrets of webhooks and drop-in credentials can't be opened")
            .says(why);
        let mut gateway = Gateway::start(shop.at("serve").variable(MASTER_KEY, &key));
        let warning = gateway.warns("warning: 2 secrets");
        assert!(warning.contains("/readyz answers 503"), "{warning}");
    }
    under(&shop, &new(), CREATE)
        .exits(3)
        .complains("nothing is added");
    let other = set.replace("--merchant shop", "--merchant other");
    under(&shop, &new(), &other)
        .exits(3)
        .complains("nothing is added");
    // The way out where the old one is lost: all is made anew.
    under(&shop, &new(), &format!("{set} --new-secret")).exits(0);
    let keys = under(&shop, &new(), "keys list --json").exits(0).json();
    let id = keys["keys"][0]["id"].as_str().unwrap();
    under(&shop, &new(), &format!("keys revoke {id}")).exits(0);
    under(&shop, &new(), "doctor").exits(0);
    under(&shop, &new(), CREATE).exits(0);
}

#[test]
fn an_address_to_which_nothing_would_be_sent_is_refused_before_a_credential_is_made() {
    let shop = shop();
    for (url, says) in [
        ("shop.example.com", "begins with http:// or https://"),
        ("ftp://shop.example.com/", "begins with http:// or https://"),
        (
            "https://me@shop.example.com/",
            "without a name and password",
        ),
        ("http://127.0.0.1:8090/", "webhooks.allow_private"),
        ("http://10.0.0.7/juhe.php", "webhooks.allow_private"),
    ] {
        let line = format!("{CREATE} --callback-url {url}");
        under(&shop, &old(), &line)
            .exits(2)
            .complains("--callback-url: ")
            .complains(says);
    }
    let keys = shop.json("keys list");
    assert_eq!(keys["keys"].as_array().unwrap().len(), 0, "{keys}");
    let line = format!("{CREATE} --callback-url http://127.0.0.1:8090/");
    let allowed = shop.at(&line).variable(MASTER_KEY, &old());
    let allowed = allowed.variable("RECHARGE_WEBHOOKS_ALLOW_PRIVATE", "true");
    silent(allowed.run()).exits(0);
}

#[test]
fn serve_says_where_it_is_described_as_others_reach_it() {
    let shop = shop();
    let gateway = Gateway::start(shop.at("serve"));
    let url = gateway.said[0].strip_prefix("listening on ").unwrap();
    let right = format!("described at {url}/docs and {url}/openapi.json");
    assert_eq!(gateway.said[1], right);
    drop(gateway);
    let public = "RECHARGE_SERVER_PUBLIC_URL";
    let gateway = Gateway::start(shop.at("serve").variable(public, "https://r.example.com/"));
    assert!(gateway.said[1].starts_with("described at https://r.example.com/docs and "));
    drop(gateway);
    for variable in [public, "RECHARGE_JUHE_BASE_URL"] {
        let ended = shop.at("serve").variable(variable, "r.example.com").run();
        ended
            .exits(3)
            .complains(variable)
            .complains("write an address that begins with http:// or https://");
    }
}
