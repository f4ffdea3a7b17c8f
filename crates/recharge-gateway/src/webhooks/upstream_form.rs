//! A notice as Juhe or Jisu would tell it, for a shop whose receiver was made for them.

use form_urlencoded::Serializer;
use recharge_core::{ExposeSecret, OrderState};
use recharge_engine::store::Stored;
use recharge_sign::jisu::SignOrder;
use recharge_sign::{jisu, juhe};
use recharge_store::registry::KeyKind;

use crate::compat::number;
use crate::ring::Key;

/// The body of the form; `None` where the upstream would tell nothing: it knows ends only.
pub(super) fn body(
    key: &Key,
    stored: &Stored,
    state: OrderState,
) -> Option<Result<String, String>> {
    let ended = match state {
        OrderState::Succeeded => true,
        OrderState::Failed => false,
        OrderState::Pending
        | OrderState::Submitting
        | OrderState::Charging
        | OrderState::Unknown
        | OrderState::Review(_) => return None,
    };
    let body = match key.stored.kind {
        KeyKind::Api => return None,
        KeyKind::Juhe => Ok(as_juhe(&key.stored.id, stored, ended)),
        KeyKind::Jisu => as_jisu(key, stored, ended),
    };
    Some(body)
}

fn as_juhe(app_key: &str, stored: &Stored, succeeded: bool) -> String {
    let number = number::of(stored);
    let order_id = stored.order.what().order_id.as_str();
    let sign = juhe::callback(app_key, &number, order_id).to_hex();
    form(&[
        ("sporder_id", &number),
        ("orderid", order_id),
        ("sta", if succeeded { "1" } else { "9" }),
        ("sign", sign.as_str()),
    ])
}

fn as_jisu(key: &Key, stored: &Stored, succeeded: bool) -> Result<String, String> {
    let secret = key.secret.as_ref().ok_or(
        "the credential's secret can't be opened: the operator looks after the master key",
    )?;
    let number = number::of(stored);
    let what = stored.order.what();
    let amount = what.amount.yuan().to_string();
    let cost = stored
        .order
        .telling_attempt()
        .and_then(recharge_engine::Attempt::cost)
        .map_or_else(|| "0".to_owned(), |cost| cost.to_string());
    let values = [
        ("orderno", number.as_str()),
        ("outorderno", what.order_id.as_str()),
        ("mobile", what.account.as_str()),
        ("rechargestatus", if succeeded { "1" } else { "2" }),
        ("amount", &amount),
        ("totalfee", &cost),
    ];
    let sign = jisu::sign(SignOrder::Sorted, values, secret.expose_secret())
        .map_err(|error| error.to_string())?
        .to_hex();
    let mut all = values.to_vec();
    all.push(("sign", sign.as_str()));
    Ok(form(&all))
}

fn form(values: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(values).finish()
}

/// Whether the shop has said that it knows: `success`, and nothing else.
pub(super) fn is_success(body: &[u8]) -> bool {
    body.trim_ascii() == b"success"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_is_one_word() {
        for right in ["success", " success\r\n"] {
            assert!(is_success(right.as_bytes()), "{right:?}");
        }
        for wrong in [
            "",
            "Success",
            "success!",
            "\"success\"",
            "ok",
            "success success",
        ] {
            assert!(!is_success(wrong.as_bytes()), "{wrong:?}");
        }
    }
}
