//! Juhe's protocol, under `/compat/juhe/ofpay/mobile/`.
//!
//! The credential's `app_key` is the `key` of every call, its `open_id` what a submit and a balance are signed
//! with. A submit is checked in the order key, signature, phone, face value, order number.

mod answers;
mod codes;

use axum::extract::Request;
use axum::response::Response;
use recharge_core::{Account, AccountKind, ExposeSecret, FaceValue, OrderId};
use recharge_engine::StoreError;
use recharge_http::form::{Form, FormError};
use recharge_sign::{Verified, juhe as sign, verify_hex};
use recharge_store::registry::KeyKind;

use self::codes::Code;
use super::catalogue::{NoValue, Sold};
use super::form::{self, field, paging, yuan};
use super::list;
use super::submit::{Submitted, Wanted};
use super::{Compat, NoKey};
use crate::ring::Key;

/// The calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Places an order.
    Onlineorder,
    /// The state of an order.
    Ordersta,
    /// Whether a number can be charged.
    Telcheck,
    /// Product and price.
    Telquery,
    /// The balance.
    Yue,
    /// The merchant's orders.
    Orderlist,
}

impl Call {
    /// Every call.
    pub const ALL: [Self; 6] = [
        Self::Onlineorder,
        Self::Ordersta,
        Self::Telcheck,
        Self::Telquery,
        Self::Yue,
        Self::Orderlist,
    ];

    /// Its path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Onlineorder => "/compat/juhe/ofpay/mobile/onlineorder",
            Self::Ordersta => "/compat/juhe/ofpay/mobile/ordersta",
            Self::Telcheck => "/compat/juhe/ofpay/mobile/telcheck",
            Self::Telquery => "/compat/juhe/ofpay/mobile/telquery",
            Self::Yue => "/compat/juhe/ofpay/mobile/yue",
            Self::Orderlist => "/compat/juhe/ofpay/mobile/orderlist",
        }
    }

    /// The fields that are read.
    pub(super) const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Onlineorder => &["key", "phoneno", "cardnum", "orderid", "sign"],
            Self::Ordersta => &["key", "orderid"],
            Self::Telcheck | Self::Telquery => &["key", "phoneno", "cardnum"],
            Self::Yue => &["key", "timestamp", "sign"],
            Self::Orderlist => &["key", "page", "pagesize", "mobilephone", "orderid"],
        }
    }
}

/// What is answered when nobody knows what was done.
pub(super) fn in_doubt() -> Response {
    Code::INTERNAL.answer()
}

pub(super) async fn answer(compat: &Compat, call: Call, request: Request) -> Response {
    let form = match form::read(request).await {
        Ok(form) => form,
        Err(unread) => return unread,
    };
    let done = match form {
        Ok(form) => carry_out(compat, call, &form).await,
        // Which of the two was signed can't be known; nothing is done for either.
        Err(FormError::Repeated) => Err(Code::BAD_SIGN),
        // No key can be read.
        Err(_) => Err(Code::BAD_KEY),
    };
    done.unwrap_or_else(Code::answer)
}

async fn carry_out(compat: &Compat, call: Call, form: &Form) -> Result<Response, Code> {
    let key = compat.key(KeyKind::Juhe, form.get("key")).await;
    let key = key.map_err(|why| match why {
        NoKey::Unknown => Code::BAD_KEY,
        NoKey::TooMany => Code::OVER_QUOTA,
    })?;
    match call {
        Call::Onlineorder => onlineorder(compat, &key, form).await,
        Call::Ordersta => ordersta(compat, &key, form).await,
        Call::Telcheck => telcheck(compat, form).await,
        Call::Telquery => telquery(compat, form).await,
        Call::Yue => yue(compat, &key, form).await,
        Call::Orderlist => orderlist(compat, &key, form).await,
    }
}

/// Without a master key no signature can be checked. That is the operator's to mend, and says nothing of an
/// order.
fn open_id(key: &Key) -> Result<&str, Code> {
    let open_id = key.secret.as_ref().ok_or(Code::INTERNAL)?;
    Ok(open_id.expose_secret())
}

fn genuine(verified: Verified) -> Result<(), Code> {
    match verified {
        Verified::Genuine => Ok(()),
        Verified::Forged => Err(Code::BAD_SIGN),
    }
}

async fn onlineorder(compat: &Compat, key: &Key, form: &Form) -> Result<Response, Code> {
    let (phone, amount) = (field(form, "phoneno"), field(form, "cardnum"));
    let order_id = field(form, "orderid");
    let expected = sign::submit(open_id(key)?, &key.stored.id, phone, amount, order_id);
    genuine(verify_hex(&expected, field(form, "sign")))?;
    let wanted = Wanted {
        account: mobile(phone)?,
        amount: yuan(amount).ok_or(Code::BAD_AMOUNT)?,
        order_id: number(order_id).ok_or(Code::BAD_ORDER_ID)?,
        carrier: None,
    };
    match compat.submit(key, wanted).await {
        Submitted::New(stored) => Ok(answers::submitted(compat, &stored)),
        Submitted::Repeated => Err(Code::REPEATED),
        Submitted::WrongAmount => Err(Code::BAD_AMOUNT),
        Submitted::NotSold => Err(Code::NOT_ALLOWED),
        Submitted::NotTaken => Err(Code::MAINTENANCE),
        Submitted::InDoubt => Err(Code::INTERNAL),
    }
}

fn mobile(phone: &str) -> Result<Account, Code> {
    Account::parse(AccountKind::Mobile, phone).map_err(|_| Code::BAD_PHONE)
}

/// 8 to 32 letters or digits (H).
fn number(order_id: &str) -> Option<OrderId> {
    let right = (8..=32).contains(&order_id.len())
        && order_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    OrderId::parse(order_id).ok().filter(|_| right)
}

/// What the store could not tell is not known; only a store that has looked may say "no such order".
fn unread(error: &StoreError) -> Code {
    tracing::error!(%error, "the store could not be read");
    Code::INTERNAL
}

async fn ordersta(compat: &Compat, key: &Key, form: &Form) -> Result<Response, Code> {
    let order_id = field(form, "orderid");
    let found = compat.order(key, order_id).await.map_err(|e| unread(&e))?;
    match found {
        Some(stored) => Ok(answers::status(compat, &stored)),
        // The documents name both without saying which is when; the simulator has them so.
        None if number(order_id).is_some() => Err(Code::NOT_FOUND),
        None => Err(Code::WRONG_ORDER_ID),
    }
}

/// The phone and the face value, if any upstream sells such.
fn goods(compat: &Compat, form: &Form) -> Result<(Account, FaceValue), Code> {
    let account = mobile(field(form, "phoneno"))?;
    let amount = yuan(field(form, "cardnum")).ok_or(Code::BAD_AMOUNT)?;
    match Sold::of(&compat.app.providers, account.kind(), amount) {
        Sold::Yes => Ok((account, amount)),
        Sold::OtherAmounts => Err(Code::BAD_AMOUNT),
        Sold::No => Err(Code::NOT_ALLOWED),
    }
}

/// An upstream's "no" keeps its code where that is one of those that speak of the number and the amount.
fn no_value(why: NoValue) -> Code {
    match why {
        NoValue::Refused(code) => code.as_deref().map_or(Code::NOT_ALLOWED, Code::of_goods),
        NoValue::Unavailable => Code::INTERNAL,
    }
}

async fn telcheck(compat: &Compat, form: &Form) -> Result<Response, Code> {
    let (account, amount) = goods(compat, form)?;
    let checked = compat.check(&account, amount).await;
    checked.map(|()| answers::checked()).map_err(no_value)
}

async fn telquery(compat: &Compat, form: &Form) -> Result<Response, Code> {
    let (account, amount) = goods(compat, form)?;
    let quote = compat.quote(&account, amount).await.map_err(no_value)?;
    Ok(answers::quoted(&account, amount, &quote))
}

async fn yue(compat: &Compat, key: &Key, form: &Form) -> Result<Response, Code> {
    let timestamp = field(form, "timestamp");
    let seconds = !timestamp.is_empty() && timestamp.bytes().all(|b| b.is_ascii_digit());
    let expected = sign::balance(open_id(key)?, &key.stored.id, timestamp);
    genuine(verify_hex(&expected, field(form, "sign")))?;
    if !seconds {
        return Err(Code::BAD_SIGN);
    }
    let balance = compat.balance().await.map_err(no_value)?;
    Ok(answers::balance(&key.stored.merchant, balance))
}

async fn orderlist(compat: &Compat, key: &Key, form: &Form) -> Result<Response, Code> {
    let (page, size) = paging(field(form, "page"), field(form, "pagesize"), 50, 100);
    let wanted = list::Wanted {
        kinds: &[AccountKind::Mobile],
        account: field(form, "mobilephone"),
        order_id: field(form, "orderid"),
        page,
        size,
    };
    let listed = compat.list(key, wanted).await.map_err(|e| unread(&e))?;
    Ok(answers::listed(compat, &listed, page, size))
}
