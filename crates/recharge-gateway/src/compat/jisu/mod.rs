//! Jisu's protocol, under `/compat/jisu/`: `telrecharge` for landline and broadband, `mobilerecharge`.
//!
//! The credential's `app_key` is the `appkey` of every call, its `app_secret` what a recharge is signed with.
//! A recharge is checked in the order key, what is empty, signature, face value, number.
//!
//! The merchant's document contradicts itself about the order of the signed values of `telrecharge`
//! ([`SignOrder`]). Here both are accepted: whichever a shop was written for, it signs the same values.

mod answers;
mod codes;

use axum::extract::Request;
use axum::response::Response;
use recharge_core::{Account, AccountKind, Carrier, ExposeSecret, OrderId};
use recharge_engine::StoreError;
use recharge_engine::store::Stored;
use recharge_http::form::{Form, FormError};
use recharge_sign::jisu::{self as sign, SignOrder};
use recharge_sign::verify_hex;
use recharge_store::registry::KeyKind;

use self::codes::Code;
use super::form::{self, field, paging, yuan};
use super::submit::{Submitted, Wanted};
use super::{Compat, NoKey, list, number};
use crate::ring::Key;

/// The two products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// `telrecharge`.
    Tel,
    /// `mobilerecharge`.
    Mobile,
}

impl Product {
    /// The kinds of account that it tops up.
    pub const fn kinds(self) -> &'static [AccountKind] {
        match self {
            Self::Tel => &[
                AccountKind::Landline,
                AccountKind::Broadband,
                AccountKind::Combined,
            ],
            Self::Mobile => &[AccountKind::Mobile],
        }
    }
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Places an order.
    Recharge,
    /// The state of an order.
    Orderdetail,
    /// The merchant's orders.
    Orderlist,
    /// What is sold.
    Goods,
}

/// The calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call(pub Product, pub What);

impl Call {
    /// Every call.
    pub fn all() -> impl Iterator<Item = Self> {
        let calls = [
            What::Recharge,
            What::Orderdetail,
            What::Orderlist,
            What::Goods,
        ];
        [Product::Tel, Product::Mobile]
            .into_iter()
            .flat_map(move |product| calls.map(|what| Self(product, what)))
    }

    /// Its path. What the goods of `telrecharge` are called at Jisu is not known; here it is as the sibling's.
    pub const fn path(self) -> &'static str {
        match (self.0, self.1) {
            (Product::Tel, What::Recharge) => "/compat/jisu/telrecharge/recharge",
            (Product::Tel, What::Orderdetail) => "/compat/jisu/telrecharge/orderdetail",
            (Product::Tel, What::Orderlist) => "/compat/jisu/telrecharge/orderlist",
            (Product::Tel, What::Goods) => "/compat/jisu/telrecharge/goods",
            (Product::Mobile, What::Recharge) => "/compat/jisu/mobilerecharge/recharge",
            (Product::Mobile, What::Orderdetail) => "/compat/jisu/mobilerecharge/orderdetail",
            (Product::Mobile, What::Orderlist) => "/compat/jisu/mobilerecharge/orderlist",
            (Product::Mobile, What::Goods) => "/compat/jisu/mobilerecharge/goods",
        }
    }

    /// The fields that are read.
    pub(super) const fn fields(self) -> &'static [&'static str] {
        match (self.0, self.1) {
            (Product::Tel, What::Recharge) => &[
                "appkey",
                "tel",
                "amount",
                "teltype",
                "rechargetype",
                "outorderno",
                "sign",
            ],
            (Product::Mobile, What::Recharge) => {
                &["appkey", "mobile", "amount", "outorderno", "sign"]
            }
            (_, What::Orderdetail) => &["appkey", "orderno", "outorderno"],
            (_, What::Orderlist) => &["appkey", "pagenum", "pagesize"],
            (_, What::Goods) => &["appkey"],
        }
    }
}

/// What is answered when nobody knows what was done.
pub(super) fn in_doubt() -> Response {
    Code::UNKNOWN.answer()
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
    let key = compat.key(KeyKind::Jisu, form.get("appkey")).await;
    let key = key.map_err(|why| match why {
        NoKey::Unknown => Code::BAD_KEY,
        NoKey::TooMany => Code::OVER_QUOTA,
    })?;
    let Call(product, what) = call;
    match what {
        What::Recharge => recharge(compat, product, &key, form).await,
        What::Orderdetail => orderdetail(compat, product, &key, form).await,
        What::Orderlist => orderlist(compat, product, &key, form).await,
        What::Goods => Ok(answers::goods(compat, product)),
    }
}

async fn recharge(
    compat: &Compat,
    product: Product,
    key: &Key,
    form: &Form,
) -> Result<Response, Code> {
    let account = field(form, account_field(product));
    let (amount, order_id) = (field(form, "amount"), field(form, "outorderno"));
    for (value, empty) in [
        (account, Code::NO_ACCOUNT),
        (amount, Code::NO_AMOUNT),
        (order_id, Code::NO_ORDER_ID),
        (field(form, "sign"), Code::NO_SIGN),
    ] {
        if value.is_empty() {
            return Err(empty);
        }
    }
    if !is_signed(product, key, form)? {
        return Err(Code::BAD_SIGN);
    }
    let face = yuan(amount).ok_or(Code::BAD_AMOUNT)?;
    let (kind, carrier) = match product {
        Product::Mobile => (AccountKind::Mobile, None),
        Product::Tel => {
            let carrier = carrier(field(form, "teltype")).ok_or(Code::NOT_SUPPORTED)?;
            let kind = kind(field(form, "rechargetype")).ok_or(Code::NOT_SUPPORTED)?;
            (kind, Some(carrier))
        }
    };
    let wanted = Wanted {
        account: Account::parse(kind, account).map_err(|_| Code::BAD_ACCOUNT)?,
        amount: face,
        // No document says which numbers are right; one that can't be kept is as good as none.
        order_id: OrderId::parse(order_id).map_err(|_| Code::NO_ORDER_ID)?,
        carrier,
    };
    match compat.submit(key, wanted).await {
        Submitted::New(stored) => Ok(answers::recharged(compat, &stored, account)),
        Submitted::Repeated => Err(Code::REPEATED),
        Submitted::WrongAmount => Err(Code::BAD_AMOUNT),
        Submitted::NotSold => Err(Code::NOT_SUPPORTED),
        Submitted::NotTaken => Err(Code::MAINTENANCE),
        Submitted::InDoubt => Err(Code::UNKNOWN),
    }
}

const fn account_field(product: Product) -> &'static str {
    match product {
        Product::Tel => "tel",
        Product::Mobile => "mobile",
    }
}

/// Whether the documented fields are signed. Others that a shop sends along are neither signed nor read.
fn is_signed(product: Product, key: &Key, form: &Form) -> Result<bool, Code> {
    // Without a master key no signature can be checked. That says nothing of an order.
    let secret = key.secret.as_ref().ok_or(Code::UNKNOWN)?.expose_secret();
    let names: &[&str] = match product {
        Product::Tel => &["tel", "amount", "teltype", "rechargetype", "outorderno"],
        Product::Mobile => &["mobile", "amount", "outorderno"],
    };
    let signed = |order| {
        let fields = names.iter().map(|name| (*name, field(form, name)));
        // No name is there twice.
        let expected = sign::sign(order, fields, secret).map_err(|_| Code::BAD_SIGN)?;
        Ok(verify_hex(&expected, field(form, "sign")).is_genuine())
    };
    let (sorted, table) = (
        signed(SignOrder::Sorted)?,
        signed(SignOrder::DocumentedTable)?,
    );
    Ok(sorted || table)
}

fn carrier(teltype: &str) -> Option<Carrier> {
    Some(match teltype {
        "1" => Carrier::Unicom,
        "2" => Carrier::Telecom,
        "3" => Carrier::Tietong,
        "4" => Carrier::Mobile,
        _ => return None,
    })
}

fn kind(rechargetype: &str) -> Option<AccountKind> {
    Some(match rechargetype {
        "1" => AccountKind::Landline,
        "2" => AccountKind::Broadband,
        "3" => AccountKind::Combined,
        _ => return None,
    })
}

/// What the store could not tell is not known; only a store that has looked may say "no such order".
fn unread(error: &StoreError) -> Code {
    tracing::error!(%error, "the store could not be read");
    Code::UNKNOWN
}

/// By either number; by both, it must have both.
async fn orderdetail(
    compat: &Compat,
    product: Product,
    key: &Key,
    form: &Form,
) -> Result<Response, Code> {
    let (orderno, outorderno) = (field(form, "orderno"), field(form, "outorderno"));
    if orderno.is_empty() && outorderno.is_empty() {
        return Err(Code::NO_NUMBER);
    }
    let found = if outorderno.is_empty() {
        let merchant = &key.stored.merchant;
        number::find(compat.app.store(), merchant, orderno).await
    } else {
        compat.order(key, outorderno).await
    };
    let is_asked_for = |stored: &Stored| {
        product
            .kinds()
            .contains(&stored.order.what().account.kind())
            && compat.speaks(key.stored.kind, &stored.order)
            && (orderno.is_empty() || number::of(stored) == orderno)
    };
    let found = found.map_err(|e| unread(&e))?.filter(is_asked_for);
    Ok(match found {
        Some(stored) => answers::detail(compat, &stored),
        None => answers::no_such_order(),
    })
}

async fn orderlist(
    compat: &Compat,
    product: Product,
    key: &Key,
    form: &Form,
) -> Result<Response, Code> {
    let (page, size) = paging(field(form, "pagenum"), field(form, "pagesize"), 20, 40);
    let wanted = list::Wanted {
        kinds: product.kinds(),
        account: "",
        order_id: "",
        page,
        size,
    };
    let listed = compat.list(key, wanted).await.map_err(|e| unread(&e))?;
    Ok(answers::listed(compat, &listed, page, size))
}
