//! Juhe's callback: `sporder_id`, `orderid`, `sta`, `sign`, and sometimes `err_msg`.
//!
//! The signature covers the two numbers and nothing else: not the state, no time, no delimiter between
//! the numbers. So a genuine callback can be replayed for ever, with another `sta`, and re-split into
//! another pair of numbers. Whoever receives one compares **both** numbers with those of a stored order
//! and then asks Juhe; the state that it claims is never believed.

use recharge_core::{
    Callback, CallbackError, ExposeSecret, OrderId, Redactor, SecretString, UpstreamOrderId,
    UpstreamState,
};
use recharge_http::form::{Form, FormError};
use recharge_sign::Verified;
use recharge_sign::juhe::verify_callback;

/// What to answer, as plain text, once the callback is stored. On anything else Juhe sends again (M).
pub const ACKNOWLEDGEMENT: &str = "success";

/// Reads the body of a callback, urlencoded (also without a content type) or multipart, and verifies it
/// with the appkey, in constant time.
///
/// A field that is missing, repeated or malformed is [`CallbackError::Unusable`]; a signature that is
/// not the right one is [`CallbackError::Forged`].
pub fn read(
    app_key: &SecretString,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Callback, CallbackError> {
    let unusable = |error: FormError| CallbackError::Unusable(error.to_string());
    let form = Form::parse(content_type, body).map_err(unusable)?;
    let upstream_id = form.required("sporder_id").map_err(unusable)?;
    let number = form.required("orderid").map_err(unusable)?;
    let sta = form.required("sta").map_err(unusable)?;
    let sign = form.required("sign").map_err(unusable)?;
    match verify_callback(app_key.expose_secret(), upstream_id, number, sign) {
        Verified::Genuine => {}
        Verified::Forged => return Err(CallbackError::Forged),
    }
    let malformed =
        |field: &str| CallbackError::Unusable(format!("the field {field} is malformed"));
    OrderId::parse(number).map_err(|_| malformed("orderid"))?;
    let upstream_id = UpstreamOrderId::parse(upstream_id).map_err(|_| malformed("sporder_id"))?;

    let mut callback = Callback::new(number.to_owned());
    callback.upstream_order_id = Some(upstream_id);
    callback.claims = match sta {
        "1" => Some(UpstreamState::Succeeded),
        "9" => Some(UpstreamState::Failed),
        _ => None,
    };
    callback.covers_state = false;
    callback.message = form
        .get("err_msg")
        .map(|text| Redactor::new([app_key.clone()]).redact(text, &[]));
    Ok(callback)
}
