//! Jisu's callback (M): `orderno`, `outorderno`, `mobile`, `rechargestatus`, `amount`, `totalfee`,
//! `sign`.
//!
//! The signature covers the state. Yet nothing stands between the values, so only these six are
//! verified: if any further name were let in, a forger could move a failure's "2" into it and its
//! neighbour's digits into `rechargestatus`. As it is, the state follows our own order number, whose
//! form is fixed. A callback can still be replayed for ever; it too is a reason to query.

use recharge_core::{
    AttemptNumber, Callback, CallbackError, ExposeSecret, OrderId, SecretString, UpstreamOrderId,
};
use recharge_http::form::{Form, FormError};
use recharge_sign::Verified;
use recharge_sign::jisu::verify_callback;

use crate::wire::state;

/// What to answer, as plain text, once the callback is stored.
pub const ACKNOWLEDGEMENT: &str = "success";

/// The signed fields.
const SIGNED: [&str; 6] = [
    "orderno",
    "outorderno",
    "mobile",
    "rechargestatus",
    "amount",
    "totalfee",
];

/// Reads the body of a callback, urlencoded (also without a content type) or multipart, and verifies it
/// with the appsecret, in constant time.
///
/// A field that is missing, repeated or malformed is [`CallbackError::Unusable`]; a signature that is
/// not the right one is [`CallbackError::Forged`]. Further fields are ignored.
pub fn read(
    app_secret: &SecretString,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Callback, CallbackError> {
    let unusable = |error: FormError| CallbackError::Unusable(error.to_string());
    let form = Form::parse(content_type, body).map_err(unusable)?;
    let mut signed = [("", ""); SIGNED.len()];
    for (slot, name) in signed.iter_mut().zip(SIGNED) {
        *slot = (name, form.required(name).map_err(unusable)?);
    }
    let sign = form.required("sign").map_err(unusable)?;
    match verify_callback(signed, app_secret.expose_secret(), sign) {
        Ok(Verified::Genuine) => {}
        Ok(Verified::Forged) => return Err(CallbackError::Forged),
        Err(error) => return Err(CallbackError::Unusable(error.to_string())),
    }
    let number = form.required("outorderno").map_err(unusable)?;
    let upstream_id = form.required("orderno").map_err(unusable)?;
    let malformed =
        |field: &str| CallbackError::Unusable(format!("the field {field} is malformed"));
    OrderId::parse(number).map_err(|_| malformed("outorderno"))?;
    let upstream_id = UpstreamOrderId::parse(upstream_id).map_err(|_| malformed("orderno"))?;

    let mut callback = Callback::new(number.to_owned());
    callback.upstream_order_id = Some(upstream_id);
    callback.claims = state(form.required("rechargestatus").map_err(unusable)?);
    // Nothing parts the signed values. Only numbers of our own form end where the state begins; with any
    // other the state may be a piece of its neighbour.
    callback.covers_state = AttemptNumber::parse(number).is_ok();
    Ok(callback)
}
