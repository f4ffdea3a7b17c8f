//! Juhe's answers to every call.
//!
//! The first byte of an input says which call it answers, the second how the exchange ends (a space:
//! status 200), the rest is the body.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use recharge_core::{
    Account, AccountKind, AttemptNumber, FaceValue, Money, Provider, QueryOutcome, SubmitOutcome,
    SubmitRequest, UpstreamState,
};
use recharge_http::judge::Exchange;
use recharge_juhe::{JuheConfig, JuheProvider};

use crate::hidden::{Hidden, same, twice};
use crate::json::{Object, is_nothing, rows, thousandths};
use crate::upstream::{
    Canned, NUMBER, accounts, at_once, exchange, leaves_open, may_name, names, shown, understood,
};

/// The appkey.
pub const KEY: &str = "0123456789abcdef0123456789abcdef";
/// The OpenID.
pub const OPEN_ID: &str = "JHsimulator00000000000000000000000";

/// The codes that prove "not accepted". Written down here once more: one that is added by mistake sends
/// an order to the next provider while this one charges it.
const REFUSALS: [&str; 20] = [
    "10001", "10002", "10003", "10004", "10005", "10007", "10008", "10009", "10011", "10012",
    "10013", "10020", "10021", "208501", "208503", "208505", "208506", "208514", "208515",
    "208517",
];
/// The codes that say that there is no such order, or are none.
const NOT_FOUND: [&str; 3] = ["19000", "208509", "208513"];
/// The codes by which a phone or a face value is refused.
const REFUSED: [&str; 5] = ["208501", "208505", "208506", "208514", "208517"];

struct Bench {
    provider: JuheProvider,
    canned: Arc<Canned>,
    account: Account,
    amount: FaceValue,
    secrets: Hidden,
    hidden: Hidden,
}

thread_local! {
    static BENCH: Bench = bench();
}

fn bench() -> Bench {
    let canned = Arc::new(Canned::default());
    let clock: fn() -> SystemTime = || UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let account = accounts()
        .into_iter()
        .find(|a| a.kind() == AccountKind::Mobile);
    match (
        JuheConfig::new(KEY.into(), OPEN_ID.into()),
        account,
        FaceValue::from_yuan(100),
    ) {
        (Ok(config), Some(account), Ok(amount)) => Bench {
            provider: JuheProvider::new(config.with_clock(clock), canned.clone()),
            canned,
            secrets: Hidden::new(&[KEY, OPEN_ID]),
            hidden: Hidden::new(&[KEY, OPEN_ID]).and(&account),
            account,
            amount,
        },
        _ => unreachable!("a configuration, an account and a face value of the right form"),
    }
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
        match call % 6 {
            0 => submit(bench, &exchange(*end, body), data),
            1 => query(bench, &exchange(*end, body), data),
            2 => check(bench, &body),
            3 => quote(bench, &body),
            4 => balance(bench, &body),
            _ => list(bench, &body),
        }
    });
}

fn submit(bench: &Bench, exchange: &Exchange, data: &[u8]) {
    let Bench {
        provider,
        account,
        hidden,
        ..
    } = bench;
    let outcome = provider.read_submit(NUMBER, account, exchange);
    if twice(data)
        && let Ok(number) = AttemptNumber::parse(NUMBER)
    {
        let request = SubmitRequest::new(number, account.clone(), bench.amount);
        same(&at_once(provider.submit(&request)), &outcome);
    }
    match &outcome {
        SubmitOutcome::Accepted(receipt) => {
            let object = understood(exchange, "error_code", &["0"]);
            let order = shown(&object);
            assert_eq!(
                order.text("uorderid"),
                NUMBER,
                "accepted under another number"
            );
            shows(&order, account, receipt.reported, receipt.cost);
            names(
                hidden,
                &order,
                "sporder_id",
                receipt.upstream_order_id.as_ref(),
            );
            hidden.keeps_in(&receipt.answer);
        }
        SubmitOutcome::Rejected(rejection) => {
            let object = understood(exchange, "error_code", &REFUSALS);
            hidden.keeps_in(&rejection.answer);
            let order = object
                .raw("result")
                .and_then(|raw| Object::of_text(raw.get()));
            let taken = order.is_some_and(|order| {
                let echo = order.text("game_userid");
                order.text("uorderid") == NUMBER
                    && (echo.is_empty() || echo == account.as_str())
                    && order.text("sporder_id").is_empty()
                    && state(&order).is_some()
            });
            assert!(!taken, "rejected, and the answer shows the order");
        }
        SubmitOutcome::NotSent(_) | SubmitOutcome::Unknown(_) => {
            leaves_open(hidden, exchange, &outcome, data.len());
        }
    }
}

fn query(bench: &Bench, exchange: &Exchange, data: &[u8]) {
    let Bench {
        provider,
        account,
        hidden,
        ..
    } = bench;
    let outcome = provider.read_query(NUMBER, account, exchange);
    if twice(data) {
        same(&provider.read_query(NUMBER, account, exchange), &outcome);
    }
    match &outcome {
        QueryOutcome::Found(sighting) => {
            let object = understood(exchange, "error_code", &["0"]);
            let order = shown(&object);
            let number = order.text("uorderid");
            assert!(
                number.is_empty() || number == NUMBER,
                "found under another number"
            );
            shows(&order, account, sighting.state, sighting.cost);
            names(
                hidden,
                &order,
                "sporder_id",
                sighting.upstream_order_id.as_ref(),
            );
            hidden.keeps_in(&sighting.answer);
        }
        QueryOutcome::NotFound(answer) => {
            understood(exchange, "error_code", &NOT_FOUND);
            hidden.keeps_in(answer);
        }
        QueryOutcome::Unavailable(trouble) => {
            let (detail, answer) = (&trouble.detail, trouble.answer.as_ref());
            hidden.keeps_in_doubt("the trouble", detail, answer, data.len());
        }
    }
}

fn state(order: &Object<'_>) -> Option<UpstreamState> {
    match order.text("game_state").as_str() {
        "0" => Some(UpstreamState::Charging),
        "1" => Some(UpstreamState::Succeeded),
        "9" | "-1" => Some(UpstreamState::Failed),
        _ => None,
    }
}

fn cost(order: &Object<'_>) -> Option<u64> {
    thousandths(&order.text("uordercash")).or_else(|| thousandths(&order.text("ordercash")))
}

fn shows(order: &Object<'_>, account: &Account, told: UpstreamState, paid: Option<Money>) {
    let echo = order.text("game_userid");
    assert!(
        echo.is_empty() || may_name(account, &echo),
        "another phone's order"
    );
    assert_eq!(state(order), Some(told), "another state than is written");
    assert_eq!(
        cost(order),
        paid.map(Money::thousandths),
        "another price than is written"
    );
}

/// The object of an answer that was understood.
fn zero(body: &[u8]) -> Object<'_> {
    match Object::of_body(body) {
        Some(object) if object.text("error_code") == "0" => object,
        Some(_) | None => unreachable!("understood, though no code says so"),
    }
}

fn check(bench: &Bench, body: &Bytes) {
    match at_once(bench.provider.check(&bench.account, bench.amount)) {
        Ok(Ok(())) => drop(zero(body)),
        Ok(Err(answer)) => {
            let code = Object::of_body(body).map(|object| object.text("error_code"));
            let code = code.unwrap_or_default();
            let no = REFUSED.contains(&code.as_str()) || NOT_FOUND.contains(&code.as_str());
            assert!(no, "a no that was not said");
            bench.hidden.keeps_in(&answer);
        }
        Err(error) => bench.hidden.keeps_in_error(&error),
    }
}

fn quote(bench: &Bench, body: &Bytes) {
    match at_once(bench.provider.quote(&bench.account, bench.amount)) {
        Ok(quote) => {
            let price = zero(body)
                .object("result")
                .and_then(|it| thousandths(&it.text("inprice")));
            assert_eq!(
                price,
                Some(quote.price.thousandths()),
                "another price than is written"
            );
            bench.hidden.keeps("the product", &quote.product);
            quote
                .region
                .iter()
                .for_each(|region| bench.hidden.keeps("the region", region));
        }
        Err(error) => bench.hidden.keeps_in_error(&error),
    }
}

fn balance(bench: &Bench, body: &Bytes) {
    match at_once(bench.provider.balance()) {
        Ok(balance) => {
            let money = zero(body)
                .object("result")
                .and_then(|it| thousandths(&it.text("money")));
            assert_eq!(
                money,
                Some(balance.thousandths()),
                "another balance than is written"
            );
        }
        Err(error) => bench.secrets.keeps_in_error(&error),
    }
}

fn list(bench: &Bench, body: &Bytes) {
    let page = match at_once(bench.provider.list(AccountKind::Mobile, 1)) {
        Ok(page) => page,
        Err(error) => return bench.secrets.keeps_in_error(&error),
    };
    let Some(object) = Object::of_body(body) else {
        unreachable!("a list from what is no answer")
    };
    let code = object.text("error_code");
    if NOT_FOUND.contains(&code.as_str()) {
        assert!(
            page.orders.is_empty() && !page.more,
            "orders where there are none"
        );
        return;
    }
    assert_eq!(code, "0", "a list from another code");
    let data = object
        .object("result")
        .and_then(|result| result.raw("data"));
    let Some(data) = data else {
        unreachable!("a list that is not there")
    };
    let rows = if is_nothing(data.get()) {
        Some(Vec::new())
    } else {
        rows(data.get())
    };
    let rows = rows.unwrap_or_default();
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
            &bench.secrets,
            row,
            "sporder_id",
            order.upstream_order_id.as_ref(),
        );
        bench.secrets.keeps("an order's number", &order.number);
    }
}
