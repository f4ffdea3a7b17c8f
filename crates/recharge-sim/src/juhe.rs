//! Juhe's wire: fields, signature, codes and answers of `/ofpay/mobile/`.
//!
//! Reasons that the documents give are given exactly; for codes whose Chinese text they don't give,
//! the wording is the simulator's own. JSON types: the submit answer has numbers where the merchant's
//! sample shows bare numbers (S); the status answer and the order list have `game_state`, `cardid` and
//! `cardnum` as texts, as most clients saw them (H). A client must take both, and meets both.

use recharge_core::Money;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::answer::{Answer, number};
use crate::calendar::beijing;
use crate::catalogue::{self, shortest, three_places};
use crate::config::{Credentials, Upstream, WorldConfig};
use crate::form::Fields;
use crate::md5;
use crate::order::{Order, Phase, Product, Wanted};

#[derive(Serialize)]
struct Envelope<T> {
    reason: &'static str,
    result: T,
    error_code: i64,
}

fn ok<T: Serialize>(reason: &'static str, result: T) -> Answer {
    Answer::new(
        0,
        &Envelope {
            reason,
            result,
            error_code: 0,
        },
    )
}

/// An answer that says no.
pub(crate) fn error(code: i64) -> Answer {
    let reason = match code {
        10_001 => "错误的请求KEY",
        10_002 => "该KEY无请求权限",
        10_003 => "KEY过期",
        10_004 => "错误的OPENID",
        10_005 => "应用未审核,请提交认证",
        10_007 => "未知的请求源",
        10_008 => "被禁止的IP",
        10_009 => "被禁止的KEY",
        10_011 => "当前IP请求超过限制",
        10_012 => "请求超过次数限制",
        10_013 => "测试KEY超过请求限制",
        10_014 => {
            "系统内部异常(调用充值类业务时,请务必联系客服或通过订单查询接口核对订单,避免造成损失)"
        }
        10_020 => "接口维护",
        10_021 => "接口停用",
        208_501 => "不允许充值的手机号码及金额",
        208_502 => "请求手机号和面值查询商品信息失败,请重试",
        208_503 => "运营商地区维护,暂不能充值",
        208_504 => "查询商品信息错误",
        208_505 => "错误的手机号码",
        208_506 => "错误的充值金额",
        208_507 => "充值失败",
        208_508 => "请求充值失败,请重试",
        208_509 => "错误的订单号",
        208_510 => "请求充值状态失败,请重试",
        208_511 => "充值中",
        208_513 => "查询订单失败",
        208_514 => "订单号必须是8-32位的字母或数字",
        208_515 => "校验值sign错误",
        208_516 => "重复的订单号",
        208_517 => "当前账户可用余额不足",
        _ => "其他错误",
    };
    Answer::new(
        code,
        &Envelope {
            reason,
            result: RawValue::NULL,
            error_code: code,
        },
    )
}

/// Checks the key of any call.
pub(crate) fn check_key(credentials: &Credentials, fields: &Fields) -> Result<(), Answer> {
    if fields.get("key") == credentials.juhe_key {
        Ok(())
    } else {
        Err(error(10_001))
    }
}

/// Checks a submit, in the order key, signature, phone, face value, order number. Duplicates and
/// balance come after it.
pub(crate) fn check_submit(config: &WorldConfig, fields: &Fields) -> Result<Wanted, Answer> {
    let credentials = &config.credentials;
    check_key(credentials, fields)?;
    let (account, amount) = (fields.get("phoneno"), fields.get("cardnum"));
    let order_id = fields.get("orderid");
    let sign = md5::hex(&[
        &credentials.juhe_openid,
        &credentials.juhe_key,
        account,
        amount,
        order_id,
    ]);
    if fields.get("sign") != sign {
        return Err(error(208_515));
    }
    let face = check_goods(config, fields)?;
    let well_formed = (8..=32).contains(&order_id.len())
        && order_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !well_formed {
        return Err(error(208_514));
    }
    Ok(Wanted {
        upstream: Upstream::Juhe,
        product: Product::Mobile,
        order_id: order_id.to_owned(),
        account: account.to_owned(),
        amount: amount.to_owned(),
        face,
        goods: catalogue::mobile(account, face),
    })
}

/// Checks phone and face value.
fn check_goods(config: &WorldConfig, fields: &Fields) -> Result<u32, Answer> {
    if !is_mobile(fields.get("phoneno")) {
        return Err(error(208_505));
    }
    face_value(fields.get("cardnum"), &config.juhe_face_values).ok_or_else(|| error(208_506))
}

/// Eleven digits, the first a 1.
pub(crate) fn is_mobile(number: &str) -> bool {
    number.len() == 11 && number.starts_with('1') && number.bytes().all(|b| b.is_ascii_digit())
}

/// A face value of the list, written without sign, zeros in front or places.
pub(crate) fn face_value(text: &str, list: &[u32]) -> Option<u32> {
    list.iter().copied().find(|face| face.to_string() == text)
}

#[derive(Serialize)]
struct Submitted<'a> {
    cardid: u32,
    /// A quantity here: one card of the face value.
    cardnum: u32,
    ordercash: Box<RawValue>,
    cardname: &'a str,
    sporder_id: &'a str,
    uorderid: &'a str,
    game_userid: &'a str,
    game_state: i32,
}

/// The answer to a submit that was taken. Its state is always "charging".
pub(crate) fn submitted(order: &Order) -> Answer {
    ok(
        "订单提交成功,等待充值",
        Submitted {
            cardid: order.wanted.goods.card_id,
            cardnum: 1,
            ordercash: number(shortest(order.price())),
            cardname: &order.wanted.goods.name,
            sporder_id: &order.upstream_id,
            uorderid: &order.wanted.order_id,
            game_userid: &order.wanted.account,
            game_state: 0,
        },
    )
}

fn game_state(phase: Phase) -> &'static str {
    match phase {
        Phase::Charging => "0",
        Phase::Succeeded => "1",
        Phase::Failed => "9",
        Phase::NotTakenOn => "-1",
    }
}

#[derive(Serialize)]
struct Status<'a> {
    uordercash: String,
    sporder_id: &'a str,
    game_state: &'static str,
}

/// The state of an order.
pub(crate) fn status(order: &Order) -> Answer {
    ok(
        "查询成功",
        Status {
            uordercash: three_places(order.deducted()),
            sporder_id: &order.upstream_id,
            game_state: game_state(order.phase),
        },
    )
}

/// There is no such order: 208513 for a well-formed number, 208509 for any other. The documents name
/// both without saying which is when.
pub(crate) fn no_such_order(order_id: &str) -> Answer {
    let well_formed = (8..=32).contains(&order_id.len());
    error(if well_formed { 208_513 } else { 208_509 })
}

/// Whether a number can be charged with an amount.
pub(crate) fn telcheck(config: &WorldConfig, fields: &Fields) -> Answer {
    match check_goods(config, fields) {
        Ok(_) => ok("允许充值的手机号码及金额", RawValue::NULL),
        Err(answer) => answer,
    }
}

#[derive(Serialize)]
struct Goods<'a> {
    cardid: u32,
    cardname: &'a str,
    inprice: Box<RawValue>,
    game_area: &'a str,
}

/// Product and price.
pub(crate) fn telquery(config: &WorldConfig, fields: &Fields) -> Answer {
    let face = match check_goods(config, fields) {
        Ok(face) => face,
        Err(answer) => return answer,
    };
    let goods = catalogue::mobile(fields.get("phoneno"), face);
    ok(
        "查询成功",
        Goods {
            cardid: goods.card_id,
            cardname: &goods.name,
            inprice: number(shortest(goods.price)),
            game_area: &goods.area,
        },
    )
}

#[derive(Serialize)]
struct Balance {
    uid: &'static str,
    money: String,
}

/// The account balance. The signature must fit the timestamp; the timestamp's age is not judged.
pub(crate) fn yue(credentials: &Credentials, fields: &Fields, balance: Money) -> Answer {
    let timestamp = fields.get("timestamp");
    let sign = md5::hex(&[&credentials.juhe_openid, &credentials.juhe_key, timestamp]);
    let seconds = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    if !seconds || fields.get("sign") != sign {
        return error(208_515);
    }
    ok(
        "查询成功",
        Balance {
            uid: "1000001",
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
    sporder_id: &'a str,
    uorderid: &'a str,
    cardid: String,
    cardnum: &'static str,
    uordercash: String,
    cardname: &'a str,
    game_state: &'static str,
    game_userid: &'a str,
    addtime: String,
}

/// The order history, the newest first.
pub(crate) fn orderlist<'a>(
    fields: &Fields,
    newest_first: impl Iterator<Item = &'a Order>,
) -> Answer {
    let (phone, order_id) = (fields.get("mobilephone"), fields.get("orderid"));
    let wanted: Vec<&Order> = newest_first
        .filter(|order| phone.is_empty() || order.wanted.account == phone)
        .filter(|order| order_id.is_empty() || order.wanted.order_id == order_id)
        .collect();
    let (page, pagesize) = paging(fields.get("page"), fields.get("pagesize"), 50, 100);
    let data = wanted
        .iter()
        .skip((page - 1).saturating_mul(pagesize))
        .take(pagesize)
        .map(|order| Row {
            sporder_id: &order.upstream_id,
            uorderid: &order.wanted.order_id,
            cardid: order.wanted.goods.card_id.to_string(),
            cardnum: "1",
            uordercash: three_places(order.deducted()),
            cardname: &order.wanted.goods.name,
            game_state: game_state(order.phase),
            game_userid: &order.wanted.account,
            addtime: {
                let [year, month, day, hour, minute, second] = beijing(order.taken_at);
                format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            },
        })
        .collect();
    ok(
        "查询成功",
        List {
            totalcount: wanted.len(),
            totalpage: wanted.len().div_ceil(pagesize),
            page,
            pagesize,
            data,
        },
    )
}

/// Page from 1 and page size from 1 to `max`; what is missing or unreadable gets the default, what is
/// too large the largest.
pub(crate) fn paging(page: &str, size: &str, default: usize, max: usize) -> (usize, usize) {
    let read = |text: &str| text.parse().ok().filter(|count: &usize| *count > 0);
    (
        read(page).unwrap_or(1),
        read(size).unwrap_or(default).min(max),
    )
}

/// Juhe's own order number: J, twelve digits of time, three more, and a running number.
pub(crate) fn upstream_id(taken_at: u64, sequence: u64) -> String {
    let [year, month, day, hour, minute, second] = beijing(taken_at);
    let year = year % 100;
    format!("J{year:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}667{sequence:08}")
}

/// The callback of an order that has ended. `sta` is not signed.
pub(crate) fn callback(credentials: &Credentials, order: &Order) -> Vec<(String, String)> {
    let (id, order_id) = (&order.upstream_id, &order.wanted.order_id);
    let failed = !order.is_charged();
    let mut fields = vec![
        ("sporder_id".to_owned(), id.clone()),
        ("orderid".to_owned(), order_id.clone()),
        ("sta".to_owned(), if failed { "9" } else { "1" }.to_owned()),
        (
            "sign".to_owned(),
            md5::hex(&[&credentials.juhe_key, id, order_id]),
        ),
    ];
    if failed {
        fields.push(("err_msg".to_owned(), "充值失败".to_owned()));
    }
    fields
}
