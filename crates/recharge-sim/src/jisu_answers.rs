//! What Jisu answers when it understood.
//!
//! All values of a result are texts, as in the merchant's sample (S); the envelope's `status` is a
//! number, as in the document. What no source gives is decided here: the order list stands in
//! `result.list` beside `total`, `pagenum` and `pagesize`; goods are an array; an order detail of an
//! order that does not exist is what [`JisuNoSuchOrder`] says.

use recharge_core::Carrier;
use serde::Serialize;

use crate::answer::Answer;
use crate::catalogue;
use crate::config::{JisuNoSuchOrder, WorldConfig};
use crate::form::Fields;
use crate::jisu::{error, ok, recharge_status, two_places};
use crate::juhe::paging;
use crate::order::{Order, Product};
use crate::routes::JisuLine;

#[derive(Serialize)]
struct Recharged<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile: Option<&'a str>,
    amount: &'a str,
    outorderno: &'a str,
    orderno: &'a str,
    totalfee: String,
    /// The merchant's sample code reads this name, the document's table names the other: with both,
    /// a client written after either runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    actuallytotalfee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    teltype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rechargetype: Option<String>,
    rechargestatus: &'static str,
}

/// The answer to a recharge that was taken. Its state is always "charging".
pub(crate) fn recharged(order: &Order) -> Answer {
    let wanted = &order.wanted;
    let (teltype, rechargetype) = line_types(wanted.product);
    let totalfee = two_places(order.price());
    let is_line = teltype.is_some();
    ok(Recharged {
        tel: is_line.then_some(wanted.account.as_str()),
        mobile: (!is_line).then_some(wanted.account.as_str()),
        amount: &wanted.amount,
        outorderno: &wanted.order_id,
        orderno: &order.upstream_id,
        actuallytotalfee: is_line.then(|| totalfee.clone()),
        totalfee,
        teltype,
        rechargetype,
        rechargestatus: "0",
    })
}

fn line_types(product: Product) -> (Option<String>, Option<String>) {
    match product {
        Product::Mobile => (None, None),
        Product::Line {
            tel_type,
            recharge_type,
        } => (Some(tel_type.to_string()), Some(recharge_type.to_string())),
    }
}

#[derive(Serialize)]
struct Detail<'a> {
    orderno: &'a str,
    outorderno: &'a str,
    account: &'a str,
    num: &'static str,
    /// 1: the record of the order is complete. It says nothing about the recharge.
    status: &'static str,
    rechargestatus: &'static str,
    amount: String,
    totalfee: String,
    addtime: String,
    name: &'a str,
    areaid: String,
    company: &'static str,
    /// In lists only.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    teltype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rechargetype: Option<String>,
}

fn row(order: &Order, in_list: bool) -> Detail<'_> {
    let wanted = &order.wanted;
    let (teltype, rechargetype) = if in_list {
        line_types(wanted.product)
    } else {
        (None, None)
    };
    Detail {
        orderno: &order.upstream_id,
        outorderno: &wanted.order_id,
        account: &wanted.account,
        num: "1",
        status: "1",
        rechargestatus: recharge_status(order.phase),
        amount: format!("{}.00", wanted.face),
        totalfee: two_places(order.price()),
        addtime: order.taken_at.to_string(),
        name: &wanted.goods.name,
        areaid: wanted.goods.area_id.to_string(),
        company: wanted.goods.company,
        price: in_list.then(|| two_places(order.price())),
        teltype,
        rechargetype,
    }
}

/// The state of an order.
pub(crate) fn orderdetail(order: &Order) -> Answer {
    ok(row(order, false))
}

/// There is no such order.
pub(crate) fn no_such_order(config: &WorldConfig) -> Answer {
    match config.jisu_no_such_order {
        JisuNoSuchOrder::EmptyResult => ok(""),
        JisuNoSuchOrder::Code(code) => error(i64::from(code)),
    }
}

#[derive(Serialize)]
struct Rows<'a> {
    total: String,
    pagenum: String,
    pagesize: String,
    list: Vec<Detail<'a>>,
}

/// The orders of one product, the newest first.
pub(crate) fn orderlist<'a>(
    fields: &Fields,
    newest_first: impl Iterator<Item = &'a Order>,
) -> Answer {
    let orders: Vec<&Order> = newest_first.collect();
    let (page, size) = paging(fields.get("pagenum"), fields.get("pagesize"), 20, 40);
    ok(Rows {
        total: orders.len().to_string(),
        pagenum: page.to_string(),
        pagesize: size.to_string(),
        list: orders
            .iter()
            .skip((page - 1).saturating_mul(size))
            .take(size)
            .map(|order| row(order, true))
            .collect(),
    })
}

#[derive(Serialize)]
struct GoodsRow {
    name: String,
    areaid: String,
    company: &'static str,
    price: String,
    amount: String,
}

/// Products and prices.
pub(crate) fn goods(config: &WorldConfig, line: JisuLine) -> Answer {
    let (faces, samples): (&[u32], &[(Carrier, &str)]) = match line {
        JisuLine::Mobile => (
            &config.jisu_mobile_face_values,
            &[
                (Carrier::Mobile, "话费"),
                (Carrier::Unicom, "话费"),
                (Carrier::Telecom, "话费"),
            ],
        ),
        JisuLine::Tel => (
            &config.jisu_tel_face_values,
            &[
                (Carrier::Unicom, "固话"),
                (Carrier::Telecom, "固话"),
                (Carrier::Tietong, "固话"),
                (Carrier::Mobile, "固话"),
            ],
        ),
    };
    let rows: Vec<GoodsRow> = samples
        .iter()
        .flat_map(|(carrier, service)| {
            faces
                .iter()
                .map(move |face| (catalogue::line("", *carrier, service, *face), face))
        })
        .map(|(goods, face)| GoodsRow {
            name: goods.name,
            areaid: goods.area_id.to_string(),
            company: goods.company,
            price: two_places(goods.price),
            amount: face.to_string(),
        })
        .collect();
    ok(rows)
}
