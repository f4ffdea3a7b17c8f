//! Jisu's answers to every call.
//!
//! The first byte of an input says which call it answers and for which kind of account, the second how the
//! exchange ends (a space: status 200), the rest is the body.

use std::sync::Arc;

use bytes::Bytes;
use recharge_core::{
    Account, AttemptNumber, Carrier, FaceValue, Money, Provider, QueryOutcome, SubmitOutcome,
    SubmitRequest, UpstreamState,
};
use recharge_http::judge::Exchange;
use recharge_jisu::{JisuConfig, JisuProvider};

use crate::hidden::{Hidden, same, twice};
use crate::json::{Object, is_nothing, rows, thousandths};
use crate::upstream::{
    Canned, NUMBER, accounts, at_once, exchange, leaves_open, may_name, names, shown, understood,
};

/// The appkey.
pub const KEY: &str = "simulatorappkey0";
/// The appsecret.
pub const SECRET: &str = "simulatorappsecret00000000000000";

/// The codes that prove "not accepted". Written down here once more: one that is added by mistake sends
/// an order to the next provider while this one charges it.
const REFUSALS: [&str; 18] = [
    "101", "102", "103", "104", "105", "106", "107", "108", "201", "202", "203", "204", "205",
    "206", "207", "208", "209", "211",
];

struct Bench {
    provider: JisuProvider,
    canned: Arc<Canned>,
    secrets: Hidden,
    /// One of each kind, and what must not be shown of it.
    accounts: Vec<(Account, Hidden)>,
    amount: FaceValue,
}

thread_local! {
    static BENCH: Bench = bench();
}

fn bench() -> Bench {
    let canned = Arc::new(Canned::default());
    let secrets = Hidden::new(&[KEY, SECRET]);
    let of = |account: Account| {
        let hidden = secrets.and(&account);
        (account, hidden)
    };
    let config = JisuConfig::new(KEY.into(), SECRET.into())
        .and_then(|config| config.with_landline_goods_path("/telrecharge/goods"));
    match (config, FaceValue::from_yuan(100)) {
        (Ok(config), Ok(amount)) => Bench {
            provider: JisuProvider::new(config, canned.clone()),
            canned,
            accounts: accounts().into_iter().map(of).collect(),
            secrets,
            amount,
        },
        _ => unreachable!("a configuration and a face value of the right form"),
    }
}

/// One call, and whom it is about.
struct Asked<'a> {
    provider: &'a JisuProvider,
    account: &'a Account,
    secrets: &'a Hidden,
    hidden: &'a Hidden,
    amount: FaceValue,
}

/// Reads an answer, and holds what it tells against what it says.
///
/// # Panics
///
/// If a law is broken.
pub fn judge(data: &[u8]) {
    let [call, end, body @ ..] = data else { return };
    let body = Bytes::copy_from_slice(body);
    BENCH.with(|bench| {
        bench.canned.set(*end, &body);
        let of = usize::from(call / 4) % bench.accounts.len().max(1);
        let Some((account, hidden)) = bench.accounts.get(of) else {
            return;
        };
        let (provider, amount) = (&bench.provider, bench.amount);
        let asked = Asked {
            provider,
            account,
            secrets: &bench.secrets,
            hidden,
            amount,
        };
        match call % 4 {
            0 => submit(&asked, &exchange(*end, body), data),
            1 => query(&asked, &exchange(*end, body), data),
            2 => quote(&asked, &body),
            _ => list(&asked, &body),
        }
    });
}

fn submit(asked: &Asked<'_>, exchange: &Exchange, data: &[u8]) {
    let Asked {
        provider,
        account,
        hidden,
        amount,
        ..
    } = *asked;
    let outcome = provider.read_submit(NUMBER, account, amount, exchange);
    if twice(data)
        && let Ok(number) = AttemptNumber::parse(NUMBER)
    {
        let mut request = SubmitRequest::new(number, account.clone(), amount);
        request.carrier = Some(Carrier::Telecom);
        same(&at_once(provider.submit(&request)), &outcome);
    }
    match &outcome {
        SubmitOutcome::Accepted(receipt) => {
            let object = understood(exchange, "status", &["0"]);
            let order = shown(&object);
            let echoes = ["outorderno", "tel", "mobile", "account"];
            let silent = echoes.iter().all(|name| order.text(name).is_empty());
            assert!(!silent, "accepted, and nothing says that it is ours");
            shows(asked, &order, receipt.reported, receipt.cost);
            names(
                hidden,
                &order,
                "orderno",
                receipt.upstream_order_id.as_ref(),
            );
            hidden.keeps_in(&receipt.answer);
        }
        SubmitOutcome::Rejected(rejection) => {
            let object = understood(exchange, "status", &REFUSALS);
            hidden.keeps_in(&rejection.answer);
            let order = object
                .raw("result")
                .and_then(|raw| Object::of_text(raw.get()));
            let taken = order.is_some_and(|order| {
                let others = ["tel", "mobile", "account", "amount", "orderno"];
                order.text("outorderno") == NUMBER
                    && others.iter().all(|name| order.text(name).is_empty())
                    && state(&order).is_some()
            });
            assert!(!taken, "rejected, and the answer shows the order");
        }
        SubmitOutcome::NotSent(_) | SubmitOutcome::Unknown(_) => {
            leaves_open(hidden, exchange, &outcome, data.len());
        }
    }
}

fn query(asked: &Asked<'_>, exchange: &Exchange, data: &[u8]) {
    let Asked {
        provider,
        account,
        hidden,
        amount,
        ..
    } = *asked;
    let outcome = provider.read_query(NUMBER, account, amount, exchange);
    if twice(data) {
        same(
            &provider.read_query(NUMBER, account, amount, exchange),
            &outcome,
        );
    }
    match &outcome {
        QueryOutcome::Found(sighting) => {
            let object = understood(exchange, "status", &["0"]);
            let order = shown(&object);
            shows(asked, &order, sighting.state, sighting.cost);
            names(
                hidden,
                &order,
                "orderno",
                sighting.upstream_order_id.as_ref(),
            );
            hidden.keeps_in(&sighting.answer);
        }
        QueryOutcome::NotFound(answer) => {
            // No code says so; an empty result does.
            let result = understood(exchange, "status", &["0"]).raw("result");
            assert!(
                result.is_some_and(|raw| is_nothing(raw.get())),
                "not found, and not said"
            );
            hidden.keeps_in(answer);
        }
        QueryOutcome::Unavailable(trouble) => {
            let (detail, answer) = (&trouble.detail, trouble.answer.as_ref());
            hidden.keeps_in_doubt("the trouble", detail, answer, data.len());
        }
    }
}

fn state(order: &Object<'_>) -> Option<UpstreamState> {
    match order.text("rechargestatus").as_str() {
        "0" => Some(UpstreamState::Charging),
        "1" => Some(UpstreamState::Succeeded),
        "2" => Some(UpstreamState::Failed),
        _ => None,
    }
}

fn cost(order: &Object<'_>) -> Option<u64> {
    thousandths(&order.text("totalfee")).or_else(|| thousandths(&order.text("actuallytotalfee")))
}

fn shows(asked: &Asked<'_>, order: &Object<'_>, told: UpstreamState, paid: Option<Money>) {
    let number = order.text("outorderno");
    assert!(
        number.is_empty() || number == NUMBER,
        "another number's order"
    );
    for name in ["tel", "mobile", "account"] {
        let echo = order.text(name);
        assert!(
            echo.is_empty() || may_name(asked.account, &echo),
            "another account's order"
        );
    }
    let amount = order.text("amount");
    let wanted = asked.amount.money().thousandths();
    assert!(
        amount.is_empty() || thousandths(&amount) == Some(wanted),
        "another face value's order"
    );
    assert_eq!(state(order), Some(told), "another state than is written");
    assert_eq!(
        cost(order),
        paid.map(Money::thousandths),
        "another price than is written"
    );
}

/// The rows of an answer that was understood: an array, or an object's list.
fn listed(body: &[u8]) -> Vec<Object<'_>> {
    let object = match Object::of_body(body) {
        Some(object) if object.text("status") == "0" => object,
        Some(_) | None => unreachable!("understood, though no code says so"),
    };
    let result = object.raw("result").map(serde_json::value::RawValue::get);
    let list = result
        .and_then(Object::of_text)
        .map(|result| result.raw("list"));
    let text = match list {
        Some(list) => list.map(serde_json::value::RawValue::get),
        None => result,
    };
    match text {
        Some(text) if is_nothing(text) => Vec::new(),
        Some(text) => rows(text).unwrap_or_default(),
        None => unreachable!("a list that is not there"),
    }
}

fn quote(asked: &Asked<'_>, body: &Bytes) {
    match at_once(asked.provider.quote(asked.account, asked.amount)) {
        Ok(quote) => {
            let wanted = Some(asked.amount.money().thousandths());
            let price = Some(quote.price.thousandths());
            let offered = listed(body).iter().any(|row| {
                thousandths(&row.text("amount")) == wanted
                    && thousandths(&row.text("price")) == price
            });
            assert!(offered, "a price that no row has for this face value");
            asked.hidden.keeps("the product", &quote.product);
            quote
                .region
                .iter()
                .for_each(|region| asked.hidden.keeps("the region", region));
        }
        Err(error) => asked.hidden.keeps_in_error(&error),
    }
}

fn list(asked: &Asked<'_>, body: &Bytes) {
    let page = match at_once(asked.provider.list(asked.account.kind(), 1)) {
        Ok(page) => page,
        Err(error) => return asked.secrets.keeps_in_error(&error),
    };
    let rows = listed(body);
    assert_eq!(
        rows.len(),
        page.orders.len(),
        "an order too many or too few"
    );
    for (row, order) in rows.iter().zip(&page.orders) {
        assert_eq!(state(row), order.state, "another state than is written");
        assert_eq!(
            cost(row),
            order.cost.map(Money::thousandths),
            "another price than is written"
        );
        // Asked without an account, and numbers are compared: only a secret must not be one.
        names(
            asked.secrets,
            row,
            "orderno",
            order.upstream_order_id.as_ref(),
        );
        asked.secrets.keeps("an order's number", &order.number);
    }
}
