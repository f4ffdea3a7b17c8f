//! What is answered when it was understood: the fields and types of the documents. A submit has numbers where
//! the merchant's sample shows bare numbers (S); status and list have `game_state`, `cardid` and `cardnum` as
//! texts, as most clients saw them (H).

use axum::response::Response;
use recharge_core::{Account, FaceValue, MerchantId, Money, Quote};
use recharge_engine::store::Stored;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::compat::catalogue::{card_id, company, name, shortest, three_places};
use crate::compat::list::Listed;
use crate::compat::view::Shown;
use crate::compat::{Compat, envelope, number};
use crate::time;

#[derive(Serialize)]
struct Understood<T> {
    reason: &'static str,
    result: T,
    error_code: u32,
}

fn understood<T: Serialize>(reason: &'static str, result: T) -> Response {
    envelope(&Understood {
        reason,
        result,
        error_code: 0,
    })
}

const FOUND: &str = "查询成功";

/// An amount as a JSON number, written exactly so and never through a float.
fn amount(money: Money) -> Box<RawValue> {
    // Digits and at most one dot are a number.
    RawValue::from_string(shortest(money)).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[derive(Serialize)]
struct Submitted<'a> {
    cardid: u64,
    /// A quantity here: one card of the face value.
    cardnum: u32,
    ordercash: Box<RawValue>,
    cardname: String,
    sporder_id: String,
    uorderid: &'a str,
    game_userid: &'a str,
    game_state: u32,
}

/// The answer to a submit that was taken. Its state is always "charging", whatever has come of it meanwhile.
pub(super) fn submitted(compat: &Compat, stored: &Stored) -> Response {
    let what = stored.order.what();
    let account = &what.account;
    understood(
        "订单提交成功,等待充值",
        Submitted {
            cardid: card_id(what.amount),
            cardnum: 1,
            ordercash: amount(compat.cost(&stored.order)),
            cardname: name(company(account, None), account.kind(), what.amount),
            sporder_id: number::of(stored),
            uorderid: what.order_id.as_str(),
            game_userid: account.as_str(),
            game_state: 0,
        },
    )
}

fn game_state(shown: Shown) -> &'static str {
    match shown {
        Shown::Charging => "0",
        Shown::Succeeded => "1",
        Shown::Failed => "9",
    }
}

/// What is deducted: of an order that failed, nothing.
fn deducted(compat: &Compat, stored: &Stored) -> String {
    let deducted = match Shown::of(stored.order.state()) {
        Shown::Charging | Shown::Succeeded => compat.cost(&stored.order),
        Shown::Failed => Money::ZERO,
    };
    three_places(deducted)
}

#[derive(Serialize)]
struct Status {
    uordercash: String,
    sporder_id: String,
    game_state: &'static str,
}

/// The state of an order.
pub(super) fn status(compat: &Compat, stored: &Stored) -> Response {
    understood(
        FOUND,
        Status {
            uordercash: deducted(compat, stored),
            sporder_id: number::of(stored),
            game_state: game_state(Shown::of(stored.order.state())),
        },
    )
}

/// The number can be charged with the amount.
pub(super) fn checked() -> Response {
    understood("允许充值的手机号码及金额", RawValue::NULL)
}

#[derive(Serialize)]
struct Goods<'a> {
    cardid: u64,
    cardname: &'a str,
    inprice: Box<RawValue>,
    game_area: &'a str,
}

/// Product and price.
pub(super) fn quoted(account: &Account, face: FaceValue, quote: &Quote) -> Response {
    let area = quote.region.as_deref();
    understood(
        FOUND,
        Goods {
            cardid: card_id(face),
            cardname: &quote.product,
            inprice: amount(quote.price),
            game_area: area.unwrap_or_else(|| company(account, None)),
        },
    )
}

#[derive(Serialize)]
struct Balance<'a> {
    uid: &'a str,
    money: String,
}

/// The balance.
pub(super) fn balance(merchant: &MerchantId, balance: Money) -> Response {
    understood(
        FOUND,
        Balance {
            uid: merchant.as_str(),
            money: three_places(balance),
        },
    )
}

#[derive(Serialize)]
struct List<'a> {
    totalcount: usize,
    totalpage: usize,
    page: usize,
    pagesize: usize,
    data: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    sporder_id: String,
    uorderid: &'a str,
    cardid: String,
    cardnum: &'static str,
    uordercash: String,
    cardname: String,
    game_state: &'static str,
    game_userid: &'a str,
    addtime: String,
}

/// A page of orders.
pub(super) fn listed(compat: &Compat, listed: &Listed, page: usize, pagesize: usize) -> Response {
    let row = |stored| row(compat, stored);
    understood(
        FOUND,
        List {
            totalcount: listed.total,
            totalpage: listed.total.div_ceil(pagesize),
            page,
            pagesize,
            data: listed.rows.iter().map(row).collect(),
        },
    )
}

fn row<'a>(compat: &Compat, stored: &'a Stored) -> Row<'a> {
    let what = stored.order.what();
    let account = &what.account;
    Row {
        sporder_id: number::of(stored),
        uorderid: what.order_id.as_str(),
        cardid: card_id(what.amount).to_string(),
        cardnum: "1",
        uordercash: deducted(compat, stored),
        cardname: name(company(account, None), account.kind(), what.amount),
        game_state: game_state(Shown::of(stored.order.state())),
        game_userid: account.as_str(),
        addtime: time::plain(stored.order.accepted().wall),
    }
}
