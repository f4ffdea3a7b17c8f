//! The service with secrets and phone numbers that stand out: whatever it logs, at the finest level, whatever it
//! answers as an error, and whatever it counts holds none of them, and nobody writes a line of its log but it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::common::{JISU_KEY, JISU_SECRET, KEY, OPEN_ID, Recharge};
use crate::shop::{Shop, until};

/// 64 hexadecimal digits that are nothing else.
const MASTER: &str = "c0ffee00c0ffee11c0ffee22c0ffee33c0ffee44c0ffee55c0ffee66c0ffee77";

/// In the address of the webhook, where shops keep a secret of their own.
const HOOK: &str = "hook-canary-83afe1";

/// Each has an order of its own, or stands where it doesn't belong.
const PHONES: [&str; 12] = [
    "13911110001",
    "13911110002",
    "13911110003",
    "13911110004",
    "13911110005",
    "13911110006",
    "13911110007",
    "13911110008",
    "13911110009",
    "13911110010",
    "13911110011",
    "13911110012",
];

const LANDLINE: &str = "0571-56565366";

/// A service that runs, and all that it has said.
struct Serving {
    child: Child,
    address: String,
    log: Arc<Mutex<Vec<u8>>>,
    reading: Option<JoinHandle<()>>,
    /// Answers that say that something is wrong.
    complaints: Mutex<Vec<String>>,
}

impl Serving {
    fn start(run: Recharge) -> Self {
        let (mut child, _) = run.start();
        let mut line = String::new();
        let out = child.stdout.as_mut().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (mut from, to) = (child.stderr.take().unwrap(), Arc::clone(&log));
        // All the while: one whose log nobody reads stands still.
        let reading = std::thread::spawn(move || {
            let mut some = [0; 8192];
            while let Ok(many @ 1..) = from.read(&mut some) {
                to.lock().unwrap().extend_from_slice(&some[..many]);
            }
        });
        Self {
            address: address.to_owned(),
            child,
            log,
            reading: Some(reading),
            complaints: Mutex::default(),
        }
    }

    /// The status and the whole answer to a request, which is written as it is.
    fn send(&self, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let request = format!(
            "{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // It may hang up on what it will not read.
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
        let status = status.unwrap_or(0);
        if !(200..300).contains(&status) || head.contains("/compat/") {
            self.complaints.lock().unwrap().push(answer.clone());
        }
        (status, answer)
    }

    /// A request with a key.
    fn call(&self, line: &str, key: &str, body: &str) -> (u16, String) {
        let head = format!("{line} HTTP/1.1\r\nAuthorization: Bearer {key}");
        self.send(&head, body)
    }

    fn order(&self, key: &str, id: &str, phone: &str, more: &Value) -> u16 {
        let mut order =
            json!({ "order_id": id, "kind": "mobile", "account": phone, "amount": 100 });
        for (name, value) in more.as_object().into_iter().flatten() {
            order[name] = value.clone();
        }
        self.call("POST /v1/orders", key, &order.to_string()).0
    }

    fn state(&self, key: &str, id: &str) -> String {
        let (_, answer) = self.call(&format!("GET /v1/orders/{id}"), key, "");
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let order: Value = serde_json::from_str(body).unwrap_or_default();
        order["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Ends it, and gives its log.
    fn stop(mut self) -> (String, Vec<String>) {
        let kill = format!("kill -TERM {}", self.child.id());
        let sent = std::process::Command::new("sh")
            .args(["-c", &kill])
            .status();
        assert!(sent.unwrap().success());
        assert!(self.child.wait().unwrap().success());
        self.reading.take().unwrap().join().unwrap();
        let log = String::from_utf8(self.log.lock().unwrap().clone()).unwrap();
        let complaints = std::mem::take(&mut *self.complaints.lock().unwrap());
        (log, complaints)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shop's receiver, which answers with an error to every second call. Answers its port.
fn receiver(calls: Arc<Mutex<u32>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            crate::common::request(&stream);
            let mut calls = calls.lock().unwrap();
            *calls += 1;
            let status = if calls.is_multiple_of(2) {
                "200 OK"
            } else {
                "500 No"
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 7\r\n\r\nsuccess"
            );
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    port
}

#[test]
fn lesson_14_no_secret_and_no_phone_in_logs_errors_or_figures() {
    let told = Arc::new(Mutex::new(0));
    let port = receiver(Arc::clone(&told));
    let shop = Shop::with(
        "100ms",
        "[server]\nlisten = \"127.0.0.1:0\"\n[webhooks]\nallow_private = true\n",
    );
    let master = |line: &str| shop.at(line).variable("RECHARGE_MASTER_KEY", MASTER);
    let made = |line: &str| master(&format!("{line} --json")).run().exits(0).json();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let key = made("keys create --merchant shop --scope submit,read,operate");
    let key = text(&key, "key");
    let juhe = made(&format!(
        "keys create --merchant shop --compat juhe --callback-url http://127.0.0.1:{port}/{HOOK}/old"
    ));
    let jisu = made("keys create --merchant shop --compat jisu");
    let hook = made(&format!(
        "webhooks set --merchant shop --url http://127.0.0.1:{port}/{HOOK}/new"
    ));
    let canaries: Vec<String> = [
        KEY,
        OPEN_ID,
        JISU_KEY,
        JISU_SECRET,
        MASTER,
        HOOK,
        LANDLINE,
        "057156565366",
    ]
    .into_iter()
    .chain(PHONES)
    .map(str::to_owned)
    .chain([
        // Its open part is no secret.
        key.rsplit('_').next().unwrap().to_owned(),
        text(&juhe, "app_key"),
        text(&juhe, "open_id"),
        text(&jisu, "app_key"),
        text(&jisu, "app_secret"),
        text(&hook, "secret"),
    ])
    .collect();
    let serving = master("serve").variable("RECHARGE_LOG", "trace");
    // A proxy of the environment's would see what is told, and resolve names for itself: nobody asks it.
    let serving = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        .into_iter()
        .fold(serving, |it, name| it.variable(name, crate::shop::NOBODY));
    let serving = Serving::start(serving);

    // What goes well, and what goes wrong at the upstream.
    let faults = [
        ("none", "none"),
        ("refused", "none"),
        ("html", "none"),
        ("answer_lost", "none"),
        ("wrong_echo", "garbled"),
        ("none", "server_error"),
    ];
    for (at, (submit, query)) in faults.into_iter().enumerate() {
        let script = json!({ "submit": [submit], "query": [query] });
        shop.script(PHONES[at], &script);
        assert_eq!(
            serving.order(&key, &format!("WELL{at}"), PHONES[at], &json!({})),
            202
        );
    }
    // Named by the phone number.
    assert_eq!(serving.order(&key, PHONES[6], PHONES[6], &json!({})), 202);
    for at in [0, 2, 5] {
        until("an order has ended", || {
            serving.state(&key, &format!("WELL{at}")) == "succeeded"
        });
    }
    let (status, _) = serving.call(&format!("GET /v1/orders/{}", PHONES[6]), &key, "");
    assert_eq!(status, 200);
    complain(&serving, &key);
    forge(&serving, &text(&juhe, "app_key"));
    let signed = call_back(&shop, &serving, &key);
    let drop_in = by_compat(&shop, &serving, &juhe);
    assert!(drop_in.contains("\"error_code\":0"), "{drop_in}");
    until("the shop was told", || *told.lock().unwrap() > 4);
    let (_, figures) = serving.send("GET /metrics HTTP/1.1", "");
    assert!(figures.contains("recharge_submits_total"), "{figures}");

    let canaries: Vec<String> = canaries.into_iter().chain(signed).collect();
    let (log, complaints) = serving.stop();
    assert!(complaints.len() > 30, "{}", complaints.len());
    for canary in &canaries {
        for text in complaints.iter().chain([&figures]) {
            assert!(!text.contains(&**canary), "{canary} in {text}");
        }
        let line = log.lines().find(|line| line.contains(&**canary));
        assert!(line.is_none(), "{canary} in {line:?}");
    }
    each_line_is_its_own(&log);
}

/// Requests that are refused, with what must not be repeated in every place.
fn complain(serving: &Serving, key: &str) {
    let phone = PHONES[7];
    let secret = key.rsplit('_').next().unwrap();
    let wrong = format!(
        "{}{}",
        &key[..key.len() - 1],
        if key.ends_with('0') { '1' } else { '0' }
    );
    for (name, value) in [
        ("order_id", json!("two words")),
        ("order_id", json!("A\n{\"level\":\"FORGED\"}")),
        ("order_id", json!(format!("{secret}{secret}"))),
        ("kind", json!(phone)),
        ("kind", json!(secret)),
        ("account", json!(phone.parse::<u64>().unwrap())),
        ("account", json!(format!("{phone}x"))),
        ("account", json!(LANDLINE)),
        ("amount", json!(phone)),
        ("amount", json!({ phone: secret })),
        ("provider", json!(secret)),
        ("provider", json!(phone)),
        ("carrier", json!(phone)),
        ("notify_url", json!(format!("ftp://{secret}@{phone}/"))),
        (
            "notify_url",
            json!(format!("http://10.0.0.1/{HOOK}\u{1b}[31m")),
        ),
        ("allow_duplicate", json!(phone)),
        (phone, json!(1)),
        (secret, json!(1)),
    ] {
        let status = serving.order(key, "WRONG", phone, &json!({ name: value }));
        assert!((400..500).contains(&status), "{name}: {status}");
    }
    // Again, though for somebody else.
    assert_eq!(serving.order(key, "WELL0", phone, &json!({})), 409);
    assert_eq!(serving.order(key, "TWIN", PHONES[0], &json!({})), 409);
    for body in [
        "",
        "{",
        "[1",
        &format!("{{\"account\": {phone} {secret}"),
        &format!("\"{secret}\""),
    ] {
        let (status, _) = serving.call("POST /v1/orders", key, body);
        assert!((400..500).contains(&status), "{body}: {status}");
    }
    for wrong in [&*wrong, secret, "", &format!("{key} {key}"), MASTER] {
        assert_eq!(serving.call("GET /v1/orders", wrong, "").0, 401);
    }
    for line in [
        format!("GET /v1/orders/{key}"),
        format!("GET /v1/orders/{phone}"),
        format!("GET /v1/orders/A%0a%1b%5b31m{phone}"),
        format!("GET /v1/orders?state={phone}"),
        format!("GET /v1/orders?limit={secret}"),
        format!("GET /v1/orders?from={phone}"),
        format!("GET /v1/orders?{phone}={secret}"),
        format!("GET /{key}/{phone}?key={secret}"),
        format!("GET /v1/statements/{phone}"),
        format!("DELETE /v1/orders?key={secret}"),
        format!("POST /v1/orders/{phone}/cancel"),
        format!("POST /v1/webhooks/{phone}/resend"),
    ] {
        let (status, _) = serving.call(&line, key, "{}");
        assert!((400..500).contains(&status), "{line}: {status}");
    }
    let (status, _) = serving.call(
        "POST /v1/batches",
        key,
        &format!("{phone},{secret}\n{phone}"),
    );
    assert!((400..500).contains(&status), "{status}");
    // Not what is to stand in the log.
    let head = format!(
        "GET /v1/orders HTTP/1.1\r\nX-Request-Id: {secret}\r\nUser-Agent: {phone}\t{{\"level\":\"FORGED\"}}\r\nX-Forwarded-For: {phone}\r\nCookie: {secret}\r\nAuthorization: Basic {key}"
    );
    assert_eq!(serving.send(&head, "").0, 401);
    let head = format!("GET /v1/orders HTTP/1.1\r\nX-Odd: \u{1b}[31m{secret}");
    serving.send(&head, "");
    serving.send(&format!("{secret} {phone}\nFORGED"), phone);
}

/// Callbacks that are the upstreams' own, as they sign them, phone number and all: the first time, again, and of an
/// order that nobody knows. Answers their signatures, which are no more to be logged than what they sign.
fn call_back(shop: &Shop, serving: &Serving, key: &str) -> Vec<String> {
    let mut signatures = Vec::new();
    for (provider, phone) in [("juhe", PHONES[10]), ("jisu", PHONES[11])] {
        let id = format!("TOLD-{provider}");
        let order = json!({ "provider": provider });
        assert_eq!(serving.order(key, &id, phone, &order), 202);
        until("an order has ended", || {
            serving.state(key, &id) == "succeeded"
        });
        let (_, shown) = serving.call(&format!("GET /v1/orders/{id}"), key, "");
        let (_, body) = shown.split_once("\r\n\r\n").unwrap();
        let shown: Value = serde_json::from_str(body).unwrap();
        let upstream = shown["upstream_order_id"].as_str().unwrap();
        let ledger = shop.sim.get("/_sim/ledger");
        let rows = ledger.as_array().unwrap().iter();
        let sent = rows.clone().find(|it| it["account"] == phone).unwrap();
        let number = sent["order_id"].as_str().unwrap();
        for number in [number, number, "RZZZZZZZZZZZZZZZZZZZZZZZZZZ"] {
            let (line, fields) = if provider == "juhe" {
                let line = format!(
                    "sign juhe-callback --key {KEY} --upstream-id {upstream} --order-id {number}"
                );
                (
                    line,
                    format!("sporder_id={upstream}&orderid={number}&sta=1"),
                )
            } else {
                let fields = format!(
                    "orderno={upstream}&outorderno={number}&mobile={phone}&rechargestatus=1&amount=100&totalfee=99.65"
                );
                let pairs = fields.replace('&', " --param ");
                (
                    format!("sign jisu --appsecret {JISU_SECRET} --param {pairs}"),
                    fields,
                )
            };
            let sign = shop.at(&line).run().exits(0).out.trim().to_owned();
            let head = format!(
                "POST /callbacks/{provider} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded"
            );
            let (status, _) = serving.send(&head, &format!("{fields}&sign={sign}"));
            let known = sent["order_id"] == number;
            assert!(
                if known { status == 200 } else { status != 403 },
                "{provider}: {status}"
            );
            signatures.push(sign);
        }
    }
    signatures
}

/// Callbacks that are not the upstream's.
fn forge(serving: &Serving, app_key: &str) {
    let phone = PHONES[8];
    let sign = "0".repeat(32);
    for (provider, body) in [
        (
            "juhe",
            format!("sporder_id=J1&orderid=WELL0&sta=1&sign={sign}"),
        ),
        (
            "juhe",
            format!("sporder_id={phone}&orderid={phone}&sta=9&sign={OPEN_ID}"),
        ),
        ("juhe", format!("{app_key}={KEY}&{phone}")),
        ("juhe", phone.to_owned()),
        (
            "jisu",
            format!(
                "orderno=1&outorderno={phone}&mobile={phone}&rechargestatus=1&amount=1&totalfee=1&sign={sign}"
            ),
        ),
        ("jisu", format!("mobile={phone}&appsecret={JISU_SECRET}")),
    ] {
        let head = format!(
            "POST /callbacks/{provider}?key={KEY} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded"
        );
        let (status, _) = serving.send(&head, &body);
        assert!((400..500).contains(&status), "{body}: {status}");
    }
}

/// A shop that talks to Juhe, all of it in the address. Answers what it was told of its order.
fn by_compat(shop: &Shop, serving: &Serving, juhe: &Value) -> String {
    let (app_key, open_id) = (
        juhe["app_key"].as_str().unwrap(),
        juhe["open_id"].as_str().unwrap(),
    );
    let phone = PHONES[9];
    let line = format!(
        "sign juhe-submit --openid {open_id} --key {app_key} --phone {phone} --amount 10 --order-id COMPAT001"
    );
    let sign = shop.at(&line).run().exits(0).out;
    let sign = sign.trim();
    let path = "/compat/juhe/ofpay/mobile/onlineorder";
    let order = format!("phoneno={phone}&cardnum=10&orderid=COMPAT001");
    for query in [
        String::new(),
        format!("{order}&key={app_key}&sign=1"),
        format!("{order}&key={app_key}x&sign={sign}"),
        format!("{order}&key={app_key}&key={app_key}&sign={sign}"),
        format!("{order}&key={open_id}&sign={app_key}"),
    ] {
        serving.send(&format!("GET {path}?{query} HTTP/1.1"), "");
    }
    let form = "Content-Type: application/x-www-form-urlencoded";
    serving.send(
        &format!("POST {path} HTTP/1.1\r\n{form}"),
        &format!("{order}&key={app_key}&sign=0"),
    );
    let jisu =
        format!("appkey={app_key}&mobile={phone}&amount=10&outorderno={phone}&sign={open_id}");
    serving.send(
        &format!("GET /compat/jisu/mobilerecharge/recharge?{jisu} HTTP/1.1"),
        "",
    );
    let query = format!("{order}&key={app_key}&sign={sign}");
    // What it tells of the order holds the phone number, as the original's answer does.
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    let request = format!("GET {path}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Each line is one object that the service wrote, with what makes it useful.
fn each_line_is_its_own(log: &str) {
    assert!(!log.contains('\u{1b}') && !log.contains('\r'));
    // Before it serves, it warns as every command does.
    let lines: Vec<Value> = log
        .lines()
        .skip_while(|line| line.starts_with("warning: "))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    for line in &lines {
        let level = line["level"].as_str().unwrap();
        assert!(
            ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].contains(&level),
            "{line}"
        );
        assert!(
            line["timestamp"].is_string() && line["target"].is_string(),
            "{line}"
        );
    }
    let spans = |name: &str| -> Vec<Value> {
        let all = lines
            .iter()
            .flat_map(|line| line["spans"].as_array().cloned().unwrap_or_default());
        all.filter(|span| span["name"] == name).collect()
    };
    let (requests, orders) = (spans("request"), spans("order"));
    for spans in [&requests, &orders] {
        assert!(
            spans
                .iter()
                .any(|it| it["merchant"] == "shop" && it["order_id"] == "WELL0"),
            "{spans:?}"
        );
        assert!(
            spans.iter().any(|it| it["order_id"] == "139****0007"),
            "{spans:?}"
        );
    }
    assert!(
        requests
            .iter()
            .all(|it| it["id"].is_string() && it["route"].is_string()),
        "{requests:?}"
    );
    let says = |what: &str| lines.iter().any(|line| line["fields"]["message"] == what);
    for what in [
        "answered",
        "submitted",
        "asked",
        "moved",
        "a callback is not taken",
    ] {
        assert!(says(what), "nobody says: {what}");
    }
}
