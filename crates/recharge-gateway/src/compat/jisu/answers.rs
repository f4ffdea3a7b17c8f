//! What is answered when it was understood. All values of a result are texts, as in the merchant's sample (S);
//! the envelope's `status` is a number.
//!
//! What no source gives is as the simulator has it: the list stands in `result.list` beside `total`, `pagenum`
//! and `pagesize`, goods are an array, and an order that does not exist is `status` 0 with an empty `result`:
//! no document names a code for it, and none of those that there are may be taken for a failed order.

use axum::response::Response;
use recharge_core::{AccountKind, Carrier, Money, ProviderExt as _};
use recharge_engine::Order;
use recharge_engine::store::Stored;
use recharge_store::registry::KeyKind;
use serde::Serialize;

use super::Product;
use crate::compat::catalogue::{company, name};
use crate::compat::list::Listed;
use crate::compat::view::Shown;
use crate::compat::{Compat, envelope, number};

#[derive(Serialize)]
struct Understood<T> {
    status: u32,
    msg: &'static str,
    result: T,
}

fn understood<T: Serialize>(result: T) -> Response {
    envelope(&Understood {
        status: 0,
        msg: "ok",
        result,
    })
}

/// Two places, and three where the third is not zero, as in `"99.65"`.
fn places(amount: Money) -> String {
    amount.to_string()
}

#[derive(Serialize)]
struct Recharged<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile: Option<&'a str>,
    amount: String,
    outorderno: &'a str,
    orderno: String,
    totalfee: String,
    /// The merchant's sample code reads this name, the document's table the other (S).
    #[serde(skip_serializing_if = "Option::is_none")]
    actuallytotalfee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    teltype: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rechargetype: Option<&'static str>,
    rechargestatus: &'static str,
}

/// The answer to a recharge that was taken. Its state is always "charging". The account is echoed as it was
/// given: the order has it in one spelling.
pub(super) fn recharged(compat: &Compat, stored: &Stored, given: &str) -> Response {
    let what = stored.order.what();
    let is_line = what.account.kind() != AccountKind::Mobile;
    let totalfee = places(compat.cost(&stored.order));
    understood(Recharged {
        tel: is_line.then_some(given),
        mobile: (!is_line).then_some(given),
        amount: what.amount.to_string(),
        outorderno: what.order_id.as_str(),
        orderno: number::of(stored),
        actuallytotalfee: is_line.then(|| totalfee.clone()),
        totalfee,
        teltype: teltype(what.carrier),
        rechargetype: rechargetype(what.account.kind()),
        rechargestatus: "0",
    })
}

fn teltype(carrier: Option<Carrier>) -> Option<&'static str> {
    Some(match carrier? {
        Carrier::Unicom => "1",
        Carrier::Telecom => "2",
        Carrier::Tietong => "3",
        Carrier::Mobile => "4",
        Carrier::Broadnet => return None,
    })
}

const fn rechargetype(kind: AccountKind) -> Option<&'static str> {
    match kind {
        AccountKind::Mobile => None,
        AccountKind::Landline => Some("1"),
        AccountKind::Broadband => Some("2"),
        AccountKind::Combined => Some("3"),
    }
}

const fn rechargestatus(order: &Order) -> &'static str {
    match Shown::of(order.state()) {
        Shown::Charging => "0",
        Shown::Succeeded => "1",
        Shown::Failed => "2",
    }
}

#[derive(Serialize)]
struct Row<'a> {
    orderno: String,
    outorderno: &'a str,
    account: &'a str,
    num: &'static str,
    /// 1: the record of the order is complete. It says nothing about the recharge.
    status: &'static str,
    rechargestatus: &'static str,
    amount: String,
    totalfee: String,
    addtime: String,
    name: String,
    areaid: &'static str,
    company: &'static str,
    /// In lists only.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    teltype: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rechargetype: Option<&'static str>,
}

/// The region of an account is not known here.
const NO_AREA: &str = "0";

fn row<'a>(compat: &Compat, stored: &'a Stored, in_list: bool) -> Row<'a> {
    let what = stored.order.what();
    let company = company(&what.account, what.carrier);
    let totalfee = places(compat.cost(&stored.order));
    Row {
        orderno: number::of(stored),
        outorderno: what.order_id.as_str(),
        account: what.account.as_str(),
        num: "1",
        status: "1",
        rechargestatus: rechargestatus(&stored.order),
        amount: format!("{}.00", what.amount),
        price: in_list.then(|| totalfee.clone()),
        totalfee,
        addtime: stored
            .order
            .accepted()
            .wall
            .millis()
            .div_euclid(1_000)
            .to_string(),
        name: name(company, what.account.kind(), what.amount),
        areaid: NO_AREA,
        company,
        teltype: teltype(what.carrier).filter(|_| in_list),
        rechargetype: rechargetype(what.account.kind()).filter(|_| in_list),
    }
}

/// The state of an order.
pub(super) fn detail(compat: &Compat, stored: &Stored) -> Response {
    understood(row(compat, stored, false))
}

/// There is no such order.
pub(super) fn no_such_order() -> Response {
    understood("")
}

#[derive(Serialize)]
struct List<'a> {
    total: String,
    pagenum: String,
    pagesize: String,
    #[serde(rename = "list")]
    rows: Vec<Row<'a>>,
}

/// A page of orders.
pub(super) fn listed(compat: &Compat, listed: &Listed, page: usize, size: usize) -> Response {
    let row = |stored| row(compat, stored, true);
    understood(List {
        total: listed.total.to_string(),
        pagenum: page.to_string(),
        pagesize: size.to_string(),
        rows: listed.rows.iter().map(row).collect(),
    })
}

#[derive(Serialize)]
struct Goods {
    name: String,
    areaid: &'static str,
    company: &'static str,
    price: String,
    amount: String,
}

/// What the first provider offers that sells the product, Jisu before others, with a row for each carrier.
pub(super) fn goods(compat: &Compat, product: Product) -> Response {
    let offers = product.kinds().iter().find_map(|kind| {
        let mut providers = compat.providers(KeyKind::Jisu).into_iter();
        providers.find_map(|provider| provider.offer(*kind))
    });
    let mut rows = Vec::new();
    if let Some(offer) = offers {
        // Where none has to be named, those that have mobile numbers of their own.
        let any = [Carrier::Mobile, Carrier::Unicom, Carrier::Telecom];
        let carriers = match offer.carriers.as_slice() {
            [] => any.as_slice(),
            named => named,
        };
        for carrier in carriers {
            for amount in &offer.face_values {
                rows.push(Goods {
                    name: name(carrier.chinese(), offer.kind, *amount),
                    areaid: NO_AREA,
                    company: carrier.chinese(),
                    price: places(compat.prices.expected(offer.kind, *amount)),
                    amount: amount.to_string(),
                });
            }
        }
    }
    understood(rows)
}
