//! What comes in: bodies and parameters, each complaint with its field.

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use bytes::Bytes;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};

/// A body of JSON, whatever content type it is sent as.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await.map_err(unread)?;
        json(&body).map(Self)
    }
}

/// Why a body was not read.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn unread(rejection: BytesRejection) -> Problem {
    if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(Code::TooLarge, "the body is larger than is taken here")
    } else {
        Problem::new(Code::Malformed, "the body did not arrive whole")
    }
}

/// Reads JSON; what is wrong is told with its field.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let (path, error) = (error.path().to_string(), error.into_inner());
        match error.classify() {
            serde_json::error::Category::Data => {
                let detail = without_place(&error);
                let named = missing_or_unknown(&detail).map(str::to_owned);
                let field = named.or_else(|| (path != ".").then_some(path));
                complaint(field, &detail)
            }
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => {
                Problem::new(Code::Malformed, format!("the body is not JSON: {error}"))
            }
        }
    })?;
    reader
        .end()
        .map_err(|_| Problem::new(Code::Malformed, "something follows the JSON"))?;
    Ok(read)
}

/// The error without the line and column: bodies are short, and the field is named.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) => what.to_owned(),
        None => text,
    }
}

/// The field that serde's text names: of a field that is missing the path ends above it.
fn missing_or_unknown(detail: &str) -> Option<&str> {
    let rest = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|begin| detail.strip_prefix(begin))?;
    rest.split('`').next()
}

/// What is wrong, without what was sent: that may be a key, or a phone number, in the wrong place.
fn complaint(field: Option<String>, detail: &str) -> Problem {
    let detail = match detail.split_once("expected ") {
        Some((_, expected)) => ["expected ", expected].concat(),
        None if missing_or_unknown(detail).is_some() => {
            // A name that can be one of ours is told, any other not.
            let (what, _) = detail.split_once(" `").unwrap_or((detail, ""));
            what.to_owned()
        }
        None => "this can't be read".to_owned(),
    };
    match field.filter(|it| is_a_name(it)) {
        Some(field) => Problem::field(field, detail),
        None => Problem::new(Code::Invalid, detail),
    }
}

/// Whether it can be the name of a field: short, of letters, with few digits between.
fn is_a_name(field: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.[]-".contains(&b);
    let digits = field.bytes().filter(u8::is_ascii_digit).count();
    field.len() <= 32 && digits <= 6 && field.bytes().all(plain)
}

/// The parameters of an address.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(read) = Query::<T>::try_from_uri(&parts.uri).map_err(|rejection| {
            let text = rejection.body_text();
            let detail = text.rsplit_once(": ").map_or(text.as_str(), |(_, it)| it);
            complaint(missing_or_unknown(detail).map(str::to_owned), detail)
        })?;
        Ok(Self(read))
    }
}
