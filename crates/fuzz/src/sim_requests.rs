//! Requests to the simulator, one after the other.
//!
//! The first byte of an input is `h` where calls go wrong, as they do at a hostile upstream. Requests
//! follow, each after an empty line: a line with method, path and query, a line with the content type,
//! and the body. `sign=@` becomes the right signature, or else none would ever be taken.

use std::collections::BTreeMap;
use std::time::Duration;

use recharge_core::{Account, AccountKind, FaceValue, SubmitOutcome};
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
        let mut books = Books::default();
        // What a client says itself may come back, with a later answer too: an order number, say.
        let mut brought = Vec::new();
        for (text, second) in pieces(rest).into_iter().take(AT_MOST).zip(0..) {
            let request = request(text);
            let now = Duration::from_secs(second);
            world.advance(now);
            let before = world.ledger();
            let reply = world.handle(now, &request);
            for secret in [DEFAULT_JUHE_OPENID, DEFAULT_JISU_APPSECRET] {
                let query = request.query.as_bytes();
                if fields::holds(&request.body, secret) || fields::holds(query, secret) {
                    brought.push(secret);
                }
            }
            answered(&brought, &reply, honest);
            books.add_up(&world, &request);
            if honest {
                told(bench, &before, &world, &request, &reply);
            }
        }
        shows_no_account(&world);
    });
}

/// What stands between empty lines.
fn pieces(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let Some(at) = rest.windows(2).position(|two| two == b"\n\n") {
        let (piece, after) = rest.split_at(at);
        pieces.push(piece);
        rest = after.get(2..).unwrap_or_default();
    }
    pieces.push(rest);
    pieces
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
fn answered(brought: &[&str], reply: &Reply, honest: bool) {
    for secret in [DEFAULT_JUHE_OPENID, DEFAULT_JISU_APPSECRET] {
        if String::from_utf8_lossy(&reply.body).contains(secret) {
            assert!(brought.contains(&secret), "a secret is given away");
        }
    }
    if honest {
        assert!(
            matches!(reply.status, 200 | 404),
            "a status that nobody asked for"
        );
        let whole = Object::of_body(&reply.body).is_some();
        assert!(reply.status == 404 || whole, "an answer that is not JSON");
    }
}

/// What was charged so far, as the ledger has it.
#[derive(Default)]
struct Books {
    rows: BTreeMap<(Upstream, String), LedgerRow>,
}

impl Books {
    /// No number is charged twice, none without its signature, and the balance says the same.
    fn add_up(&mut self, world: &World, request: &Request) {
        let mut charged = [false; 2];
        for row in world.ledger() {
            let key = (row.provider, row.order_id.clone());
            let before = self.rows.insert(key, row.clone());
            assert!(row.charges <= 1, "a number is charged twice");
            assert!(
                row.charges == 0 || row.upstream_id.is_some(),
                "charged, and never taken"
            );
            let at = usize::from(row.provider == Upstream::Jisu);
            if let Some(charged) = charged.get_mut(at) {
                *charged |= row.charges > 0;
            }
            let was_taken = before.as_ref().is_some_and(|row| row.upstream_id.is_some());
            if row.upstream_id.is_some() && !was_taken {
                // A packet that arrives late was signed in an earlier request.
                let now = fields::holds(request.query.as_bytes(), &row.order_id)
                    || fields::holds(&request.body, &row.order_id);
                assert!(
                    !now || is_signed(&row, request) || before.is_some(),
                    "taken, and nobody has signed it"
                );
            }
            if let Some(before) = before.filter(|before| before.upstream_id.is_some()) {
                assert!(
                    before.upstream_id == row.upstream_id,
                    "an order that is another one now"
                );
                assert!(
                    before.amount == row.amount && before.account == row.account,
                    "an order changed"
                );
            }
        }
        let million = WorldConfig::default().juhe_balance;
        for (upstream, charged) in Upstream::ALL.into_iter().zip(charged) {
            let spent = world.balance(upstream) < million;
            assert!(world.balance(upstream) <= million, "money from nowhere");
            assert_eq!(spent, charged, "the balance and the ledger differ");
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
    let has = |sign: &str| {
        fields::holds(request.query.as_bytes(), sign) || fields::holds(&request.body, sign)
    };
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
fn told(bench: &Bench, before: &[LedgerRow], world: &World, request: &Request, reply: &Reply) {
    let was = |row: &LedgerRow| {
        let mut rows = before.iter();
        rows.find(|old| old.provider == row.provider && old.order_id == row.order_id)
    };
    let submits = |row: &LedgerRow| was(row).map_or(0, |row| row.submits);
    let Some(row) = world
        .ledger()
        .into_iter()
        .find(|row| row.submits > submits(row))
    else {
        return;
    };
    let taken = row.upstream_id.is_some();
    let now = taken && was(&row).is_none_or(|row| row.upstream_id.is_none());
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

fn shows_no_account(world: &World) {
    for row in world.ledger() {
        // In what else is shown anything may stand, and digits of the upstream's number meet those of an account.
        let id = row.upstream_id.as_deref().unwrap_or_default();
        let others = [row.order_id.as_str(), row.amount.as_str(), id];
        if row.account.len() < 11 || others.iter().any(|other| other.contains(&row.account)) {
            continue;
        }
        let shown = format!("{row:?}");
        assert!(
            !shown.contains(&row.account),
            "the ledger's Debug shows an account"
        );
    }
}
