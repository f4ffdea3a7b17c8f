//! Jisu's wire: fields, signature, codes and callback of `telrecharge` and `mobilerecharge`. The
//! results are in `jisu_answers.rs`.

use recharge_core::{Carrier, Money};
use serde::Serialize;

use crate::answer::Answer;
use crate::catalogue::{self, shortest};
use crate::config::{Credentials, JisuSignOrder, Upstream, WorldConfig};
use crate::form::Fields;
use crate::juhe::{face_value, is_mobile};
use crate::md5;
use crate::order::{Order, Phase, Product, Wanted};
use crate::routes::JisuLine;

#[derive(Serialize)]
struct Envelope<T> {
    status: i64,
    msg: &'static str,
    result: T,
}

/// An answer that was understood.
pub(crate) fn ok<T: Serialize>(result: T) -> Answer {
    Answer::new(
        0,
        &Envelope {
            status: 0,
            msg: "ok",
            result,
        },
    )
}

/// An answer that says no.
pub(crate) fn error(code: i64) -> Answer {
    let msg = match code {
        101 => "APPKEY为空或不存在",
        102 => "APPKEY已过期",
        103 => "APPKEY无请求此数据权限",
        104 => "请求超过次数限制",
        105 => "IP被禁止",
        106 => "IP请求超过限制",
        107 => "接口维护中",
        108 => "接口已停用",
        201 => "号码为空",
        202 => "充值金额为空",
        203 => "充值金额错误",
        204 => "号码错误",
        205 => "签名为空",
        206 => "签名错误",
        207 => "余额不足",
        208 => "不支持该号码",
        209 => "订单号为空",
        210 => "未知错误",
        211 => "商户订单号为空",
        212 => "商户订单号已存在",
        _ => "其他错误",
    };
    Answer::new(
        code,
        &Envelope {
            status: code,
            msg,
            result: "",
        },
    )
}

/// Checks the appkey of any call.
pub(crate) fn check_key(credentials: &Credentials, fields: &Fields) -> Result<(), Answer> {
    if fields.get("appkey") == credentials.jisu_appkey {
        Ok(())
    } else {
        Err(error(101))
    }
}

/// Checks a recharge of either product: key, then what is empty, then the signature, then what is
/// wrong. Duplicates and balance come after it.
pub(crate) fn check_submit(
    config: &WorldConfig,
    line: JisuLine,
    fields: &Fields,
) -> Result<Wanted, Answer> {
    check_key(&config.credentials, fields)?;
    let (account_field, faces) = match line {
        JisuLine::Mobile => ("mobile", &config.jisu_mobile_face_values),
        JisuLine::Tel => ("tel", &config.jisu_tel_face_values),
    };
    let (account, amount) = (fields.get(account_field), fields.get("amount"));
    let order_id = fields.get("outorderno");
    for (value, code) in [
        (account, 201),
        (amount, 202),
        (order_id, 211),
        (fields.get("sign"), 205),
    ] {
        if value.is_empty() {
            return Err(error(code));
        }
    }
    if !sign_fits(config, line, fields) {
        return Err(error(206));
    }
    let face = face_value(amount, faces).ok_or_else(|| error(203))?;
    let (product, goods) = match line {
        JisuLine::Mobile => {
            if !is_mobile(account) {
                return Err(error(204));
            }
            (Product::Mobile, catalogue::mobile(account, face))
        }
        JisuLine::Tel => {
            let (carrier, tel_type) = carrier(fields.get("teltype")).ok_or_else(|| error(208))?;
            let (service, recharge_type) =
                service(fields.get("rechargetype")).ok_or_else(|| error(208))?;
            if !is_line(account, recharge_type) {
                return Err(error(204));
            }
            (
                Product::Line {
                    tel_type,
                    recharge_type,
                },
                catalogue::line(account, carrier, service, face),
            )
        }
    };
    Ok(Wanted {
        upstream: Upstream::Jisu,
        product,
        order_id: order_id.to_owned(),
        account: account.to_owned(),
        amount: amount.to_owned(),
        face,
        goods,
    })
}

fn sign_fits(config: &WorldConfig, line: JisuLine, fields: &Fields) -> bool {
    let digest = |names: &[&str]| {
        let mut parts: Vec<&str> = names.iter().map(|name| fields.get(name)).collect();
        parts.push(&config.credentials.jisu_appsecret);
        md5::hex(&parts)
    };
    let given = fields.get("sign");
    match line {
        JisuLine::Mobile => given == digest(&["amount", "mobile", "outorderno"]),
        JisuLine::Tel => {
            let sorted = digest(&["amount", "outorderno", "rechargetype", "tel", "teltype"]);
            let table = digest(&["amount", "tel", "outorderno", "rechargetype", "teltype"]);
            match config.jisu_sign_order {
                JisuSignOrder::Sorted => given == sorted,
                JisuSignOrder::DocumentedTable => given == table,
                JisuSignOrder::Either => given == sorted || given == table,
            }
        }
    }
}

fn carrier(tel_type: &str) -> Option<(Carrier, u8)> {
    Some(match tel_type {
        "1" => (Carrier::Unicom, 1),
        "2" => (Carrier::Telecom, 2),
        "3" => (Carrier::Tietong, 3),
        "4" => (Carrier::Mobile, 4),
        _ => return None,
    })
}

fn service(recharge_type: &str) -> Option<(&'static str, u8)> {
    Some(match recharge_type {
        "1" => ("固话", 1),
        "2" => ("宽带", 2),
        "3" => ("固话宽带", 3),
        _ => return None,
    })
}

/// A landline: area code and number, with or without a dash between them. Broadband accounts also
/// have letters and the marks that carriers put into them. Combined is either.
fn is_line(account: &str, recharge_type: u8) -> bool {
    let digits = account.replacen('-', "", 1);
    let landline = digits.starts_with('0')
        && (10..=12).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    let broadband = (4..=64).contains(&account.len())
        && account
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"@._-".contains(&byte));
    match recharge_type {
        1 => landline,
        _ => landline || broadband,
    }
}

/// Whether a product is sold under the line's paths.
pub(crate) fn is_of(line: JisuLine, product: Product) -> bool {
    match product {
        Product::Mobile => line == JisuLine::Mobile,
        Product::Line { .. } => line == JisuLine::Tel,
    }
}

/// `rechargestatus`.
pub(crate) fn recharge_status(phase: Phase) -> &'static str {
    match phase {
        Phase::Charging => "0",
        Phase::Succeeded => "1",
        Phase::Failed | Phase::NotTakenOn => "2",
    }
}

/// `"99.65"`, and three places only where the third is not zero.
pub(crate) fn two_places(amount: Money) -> String {
    let text = shortest(amount);
    match text.split_once('.') {
        None => format!("{text}.00"),
        Some((_, places)) if places.len() == 1 => format!("{text}0"),
        Some(_) => text,
    }
}

/// Jisu's own order number: fourteen digits of time and seven of a running number.
pub(crate) fn upstream_id(taken_at: u64, sequence: u64) -> String {
    let [year, month, day, hour, minute, second] = crate::calendar::beijing(taken_at);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}{sequence:07}")
}

/// The callback of an order that has ended: the signature covers the state. The only source shows a
/// mobile order; a landline's account is sent as `mobile` too, since nothing else is known.
pub(crate) fn callback(credentials: &Credentials, order: &Order) -> Vec<(String, String)> {
    let mut fields = vec![
        ("amount".to_owned(), order.wanted.amount.clone()),
        ("mobile".to_owned(), order.wanted.account.clone()),
        ("orderno".to_owned(), order.upstream_id.clone()),
        ("outorderno".to_owned(), order.wanted.order_id.clone()),
        (
            "rechargestatus".to_owned(),
            recharge_status(order.phase).to_owned(),
        ),
        ("totalfee".to_owned(), two_places(order.price())),
    ];
    let mut parts: Vec<&str> = fields.iter().map(|(_, value)| value.as_str()).collect();
    parts.push(&credentials.jisu_appsecret);
    let sign = md5::hex(&parts);
    fields.push(("sign".to_owned(), sign));
    fields
}
