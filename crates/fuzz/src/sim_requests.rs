//! Requests to the simulator, one after the other.
//!
//! The first byte of an input is `h` where calls go wrong, as they do at a hostile upstream. Requests
//! follow, each after an empty line: a line with method, path and query, a line with the content type,
//! and the body. `sign=@` becomes the right signature, or else none would ever be taken.

use std::time::Duration;

use recharge_core::{Account, AccountKind, FaceValue, Money, SubmitOutcome};
use recharge_jisu::{JisuConfig, JisuProvider};
use recharge_juhe::{JuheConfig, JuheProvider};
use recharge_sign::jisu::SignOrder;
use recharge_sim::{
    DEFAULT_JISU_APPKEY, DEFAULT_JISU_APPSECRET, DEFAULT_JUHE_KEY, DEFAULT_JUHE_OPENID, LedgerRow,
    Preset, Reply, Request, Upstream, World, WorldConfig,
};
use std::sync::Arc;

use crate::fields;
use crate::json::Object;
use crate::upstream::{Canned, exchange};

struct Bench {
    quiet: WorldConfig,
    hostile: WorldConfig,
    juhe: JuheProvider,
    jisu: JisuProvider,
}

thread_local! {
    static BENCH: Bench = bench();
}

fn bench() -> Bench {
    let canned = Arc::new(Canned::default());
    let juhe = JuheConfig::new(DEFAULT_JUHE_KEY.into(), DEFAULT_JUHE_OPENID.into());
    let jisu = JisuConfig::new(DEFAULT_JISU_APPKEY.into(), DEFAULT_JISU_APPSECRET.into());
    let (Ok(juhe), Ok(jisu)) = (juhe, jisu) else {
        unreachable!("configurations of the right form")
    };
    let hostile = WorldConfig {
        faults: Preset::Hostile.plan(),
        ..WorldConfig::default()
    };
    Bench {
        quiet: WorldConfig::default(),
        hostile,
        juhe: JuheProvider::new(juhe, canned.clone()),
        jisu: JisuProvider::new(jisu, canned),
    }
}

/// The most requests of an input.
const AT_MOST: usize = 6;

/// Sends requests, and holds the ledger against the signatures, the balance and the answers.
///
/// # Panics
///
/// If a law is broken.
pub fn judge(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let honest = *first != b'h';
    BENCH.with(|bench| {
        let mut world = World::new(if honest {
            bench.quiet.clone()
        } else {
            bench.hostile.clone()
        });
        let mut before = Books(Vec::new());
        let mut requests = Vec::with_capacity(AT_MOST);
        for (text, second) in pieces(rest).take(AT_MOST).zip(0..) {
            let request = request(text);
            let reply = world.handle(Duration::from_secs(second), &request);
            let after = Books(world.ledger());
            after.add_up(&before, &request);
            after.agree(&world, bench.quiet.juhe_balance);
            if honest {
                told(bench, &before, &after, &request, &reply);
            }
            before = after;
            requests.push(request);
            answered(&requests, &reply, honest);
        }
        before.show_no_account();
    });
}

/// What stands between empty lines.
fn pieces(rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(rest);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = text.windows(2).position(|two| two == b"\n\n");
        let (piece, after) = text.split_at(at.unwrap_or(text.len()));
        rest = at.and_then(|_| after.get(2..));
        Some(piece)
    })
}

fn request(text: &[u8]) -> Request {
    let mut lines = text.splitn(3, |b| *b == b'\n');
    let [first, kind, body] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let first = String::from_utf8_lossy(first);
    let (method, target) = first.split_once(' ').unwrap_or(("GET", &first));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body = match String::from_utf8(body.to_vec()) {
        Ok(body) => signed(path, &body).into_bytes(),
        Err(error) => error.into_bytes(),
    };
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: signed(path, query),
        content_type: (!kind.is_empty()).then(|| String::from_utf8_lossy(kind).into_owned()),
        body,
    }
}

/// Puts the signature where `@` stands for it.
fn signed(path: &str, text: &str) -> String {
    let Some((before, after)) = text.split_once("sign=@") else {
        return text.to_owned();
    };
    let fields = fields::urlencoded(text.as_bytes());
    let field = |name: &str| {
        let found = fields.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let sign = match path {
        "/ofpay/mobile/onlineorder" => sign(
            Upstream::Juhe,
            false,
            [field("phoneno"), field("cardnum"), field("orderid")],
            &[],
        ),
        "/ofpay/mobile/yue" => {
            let (id, key) = (DEFAULT_JUHE_OPENID, DEFAULT_JUHE_KEY);
            recharge_sign::juhe::balance(id, key, field("timestamp"))
                .to_hex()
                .as_str()
                .to_owned()
        }
        _ => {
            let line = path.starts_with("/tel");
            let account = field(if line { "tel" } else { "mobile" });
            let more = [
                ("rechargetype", field("rechargetype")),
                ("teltype", field("teltype")),
            ];
            sign(
                Upstream::Jisu,
                line,
                [account, field("amount"), field("outorderno")],
                &more,
            )
        }
    };
    format!("{before}sign={sign}{after}")
}

/// The signature of a submit by our own crate, which shares no code with the simulator.
fn sign(upstream: Upstream, line: bool, order: [&str; 3], more: &[(&str, &str)]) -> String {
    let [account, amount, number] = order;
    let digest = match upstream {
        Upstream::Juhe => recharge_sign::juhe::submit(
            DEFAULT_JUHE_OPENID,
            DEFAULT_JUHE_KEY,
            account,
            amount,
            number,
        ),
        Upstream::Jisu => {
            let name = if line { "tel" } else { "mobile" };
            let mut fields = vec![(name, account), ("amount", amount), ("outorderno", number)];
            fields.extend(more.iter().filter(|_| line));
            match recharge_sign::jisu::sign(SignOrder::Sorted, fields, DEFAULT_JISU_APPSECRET) {
                Ok(digest) => digest,
                Err(_) => unreachable!("no name comes twice"),
            }
        }
    };
    digest.to_hex().as_str().to_owned()
}

/// An answer is whole JSON where nothing goes wrong, and gives away no secret.
fn answered(requests: &[Request], reply: &Reply, honest: bool) {
    let text = String::from_utf8_lossy(&reply.body);
    for secret in [DEFAULT_JUHE_OPENID, DEFAULT_JISU_APPSECRET] {
        if text.contains(secret) {
            // What a client says itself may come back, with a later answer too: an order number, say.
            let brought = requests.iter().any(|request| holds(request, secret));
            assert!(brought, "a secret is given away");
        }
    }
    if honest {
        assert!(
            matches!(reply.status, 200 | 404),
            "a status that nobody asked for"
        );
        let whole = reply.status == 404 || Object::of_body(&reply.body).is_some();
        assert!(whole, "an answer that is not JSON");
    }
}

fn holds(request: &Request, text: &str) -> bool {
    fields::holds(request.query.as_bytes(), text) || fields::holds(&request.body, text)
}

/// What the ledger says at one time.
struct Books(Vec<LedgerRow>);

impl Books {
    /// The row of an order that another row is of.
    fn same(&self, row: &LedgerRow) -> Option<&LedgerRow> {
        let mut rows = self.0.iter();
        rows.find(|it| it.provider == row.provider && it.order_id == row.order_id)
    }

    /// No number is charged twice, and none without its signature, which a request since then has.
    fn add_up(&self, before: &Self, request: &Request) {
        for row in &self.0 {
            let before = before.same(row);
            if before == Some(row) {
                continue;
            }
            assert!(row.charges <= 1, "a number is charged twice");
            assert!(
                row.charges == 0 || row.upstream_id.is_some(),
                "charged, and never taken"
            );
            match before {
                Some(before) if before.upstream_id.is_some() => {
                    assert!(
                        before.upstream_id == row.upstream_id,
                        "an order that is another one now"
                    );
                    assert!(
                        before.amount == row.amount && before.account == row.account,
                        "an order changed"
                    );
                }
                None if row.upstream_id.is_some() => {
                    assert!(
                        !holds(request, &row.order_id) || is_signed(row, request),
                        "taken, and nobody has signed it"
                    );
                }
                // A packet that arrives late was signed in an earlier request.
                Some(_) | None => {}
            }
        }
        let kept = |old: &LedgerRow| self.same(old).is_some();
        assert!(before.0.iter().all(kept), "an order is forgotten");
    }

    /// The balances say the same.
    fn agree(&self, world: &World, million: Money) {
        for upstream in Upstream::ALL {
            let balance = world.balance(upstream);
            let mut rows = self.0.iter().filter(|row| row.provider == upstream);
            let charged = rows.any(|row| row.charges > 0);
            assert!(balance <= million, "money from nowhere");
            assert_eq!(
                balance < million,
                charged,
                "the balance and the ledger differ"
            );
        }
    }

    fn show_no_account(&self) {
        for row in &self.0 {
            if row.account.len() < 11 || !format!("{row:?}").contains(&row.account) {
                continue;
            }
            // In what else is shown anything may stand, and digits of the upstream's number, or an escape, meet
            // those of an account.
            let others = LedgerRow {
                account: String::new(),
                ..row.clone()
            };
            assert!(
                format!("{others:?}").contains(&row.account),
                "the ledger's Debug shows an account"
            );
        }
    }
}

/// Whether a request has the signature of that order, of one product or the other.
fn is_signed(row: &LedgerRow, request: &Request) -> bool {
    let order = [
        row.account.as_str(),
        row.amount.as_str(),
        row.order_id.as_str(),
    ];
    let has = |sign: &str| holds(request, sign);
    let kinds = ["1", "2", "3"];
    let carriers = ["1", "2", "3", "4"];
    let of_line = || {
        kinds.iter().any(|kind| {
            carriers.iter().any(|carrier| {
                let more = [("rechargetype", *kind), ("teltype", *carrier)];
                has(&sign(Upstream::Jisu, true, order, &more))
            })
        })
    };
    match row.provider {
        Upstream::Juhe => has(&sign(Upstream::Juhe, false, order, &[])),
        Upstream::Jisu => has(&sign(Upstream::Jisu, false, order, &[])) || of_line(),
    }
}

/// What the adapter reads in the answer to a submit is what the ledger says of it.
fn told(bench: &Bench, before: &Books, after: &Books, request: &Request, reply: &Reply) {
    let submits = |row: &LedgerRow| before.same(row).map_or(0, |row| row.submits);
    let submitted = |row: &&LedgerRow| row.submits > submits(row);
    let Some(row) = after.0.iter().find(submitted) else {
        return;
    };
    let was_taken = before
        .same(row)
        .is_some_and(|row| row.upstream_id.is_some());
    let now = row.upstream_id.is_some() && !was_taken;
    let kind = if request.path.contains("/tel") && row.provider == Upstream::Jisu {
        AccountKind::Combined
    } else {
        AccountKind::Mobile
    };
    let account = Account::parse(kind, &row.account);
    let amount = row.amount.parse::<FaceValue>();
    let (Ok(account), Ok(amount)) = (account, amount) else {
        return;
    };
    let exchange = exchange(b' ', reply.body.clone().into());
    let outcome = match row.provider {
        Upstream::Juhe => bench.juhe.read_submit(&row.order_id, &account, &exchange),
        Upstream::Jisu => bench
            .jisu
            .read_submit(&row.order_id, &account, amount, &exchange),
    };
    match outcome {
        SubmitOutcome::Accepted(_) => {
            assert!(now, "the adapter believes what the ledger doesn't have");
        }
        SubmitOutcome::Rejected(_) => {
            // A refusal proves something of a first submit only.
            assert!(
                !now,
                "refused, says the adapter, and the ledger has charged it"
            );
        }
        SubmitOutcome::NotSent(_) => unreachable!("not sent, and answered"),
        SubmitOutcome::Unknown(_) => assert!(!now, "taken, and the adapter can't read it"),
    }
}
