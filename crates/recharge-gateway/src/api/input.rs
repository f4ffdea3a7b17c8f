//! What comes in: bodies and parameters, each complaint with its field.

use std::time::Duration;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bytes::Bytes;
use http::Extensions;
use http::request::Parts;
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::problem::{Code, Problem};

/// A body of JSON, whatever content type it is sent as.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = whole(request).await?;
        json(&body).map(Self)
    }
}

/// The most bytes that are taken of the body of a request: an extension of requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit(pub(crate) usize);

/// When the body of a request must have arrived: an extension of requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival(Instant);

impl Arrival {
    /// While there is time left until the deadline to answer that it did not come.
    pub(crate) fn before(deadline: Duration) -> Self {
        Self(Instant::now() + deadline / 10 * 9)
    }
}

/// The body of a request, whole, if it isn't larger than is taken there.
pub(crate) async fn whole(request: Request) -> Result<Bytes, Problem> {
    let (parts, body) = request.into_parts();
    // Whoever forgot to say takes nothing.
    let limit = parts.extensions.get().copied().unwrap_or(BodyLimit(0));
    read(body, limit, &parts.extensions).await
}

/// Reads the body of a request that has these extensions. One that is announced as too large is not waited for.
pub(crate) async fn read(
    body: Body,
    BodyLimit(most): BodyLimit,
    extensions: &Extensions,
) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Code::TooLarge, "the body is larger than is taken here");
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > most {
        return Err(too_large());
    }
    let arrival = extensions.get().copied();
    let Arrival(arrival) = arrival.unwrap_or_else(|| Arrival::before(Duration::ZERO));
    let arriving = timeout_at(arrival, to_bytes(body, most));
    let arrived = arriving
        .await
        .map_err(|_| Problem::new(Code::SlowRequest, "the body did not arrive whole in time"))?;
    arrived.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            too_large()
        } else {
            Problem::new(Code::Malformed, "the body did not arrive whole")
        }
    })
}

/// Reads JSON; what is wrong is told with its field.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // To follow the path of each field costs as much again, and only what is wrong wants it.
    if let Ok(read) = serde_json::from_slice(body) {
        return Ok(read);
    }
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
    let unknown = detail.starts_with("unknown field `");
    let detail = match detail.split_once("expected ") {
        Some((_, known)) if unknown => {
            let known = known.trim_start_matches("one of ").replace('`', "");
            ["there is no such field; known are: ", &known].concat()
        }
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

/// The name in an address.
#[derive(Debug)]
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // What isn't text names nothing.
        let named = Path::<String>::from_request_parts(parts, state).await;
        named
            .map(|Path(name)| Self(name))
            .map_err(|_| Problem::new(Code::NotFound, "there is no such path"))
    }
}

/// The parameters of an address.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(read) = Query::<T>::try_from_uri(&parts.uri).map_err(|rejection| {
            let text = rejection.body_text();
            // "What failed: field: why", the field only where its value is at fault.
            let (before, detail) = text.rsplit_once(": ").unwrap_or(("", &text));
            let at_fault = before.rsplit_once(": ").map(|(_, field)| field);
            let named = missing_or_unknown(detail).or(at_fault);
            complaint(named.map(str::to_owned), detail)
        })?;
        Ok(Self(read))
    }
}
