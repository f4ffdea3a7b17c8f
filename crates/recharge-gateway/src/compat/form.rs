//! What comes in: the fields of query and body together, however they are encoded.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::CONTENT_TYPE;
use recharge_http::form::{Form, FormError};

use crate::api::input::whole;
use crate::problem::{Code, Problem};

/// Reads the fields of a request: GET with a query, POST urlencoded or multipart, or both. The outer error is
/// a body that did not arrive or is too large, or HEAD, which neither upstream has a code for.
pub(super) async fn read(request: Request) -> Result<Result<Form, FormError>, Response> {
    // It would do what GET does, and show nothing of it.
    if request.method() == Method::HEAD {
        let what = "there is no such method here";
        return Err(Problem::new(Code::MethodNotAllowed, what).into_response());
    }
    let query = request.uri().query().map(str::to_owned);
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    let body = whole(request).await.map_err(IntoResponse::into_response)?;
    let content_type = content_type.as_ref().and_then(|it| it.to_str().ok());
    Ok(Form::of_request(query.as_deref(), content_type, &body))
}

/// The value of a field; one that is missing is as good as empty.
pub(super) fn field<'a>(form: &'a Form, name: &str) -> &'a str {
    form.get(name).unwrap_or_default()
}

/// A number of whole yuan as it is signed: digits alone, none of them a zero in front. Other spellings of the
/// same number are refused, as the upstreams' face values are texts of a list.
pub(super) fn yuan(text: &str) -> Option<recharge_core::FaceValue> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let yuan = text.parse().ok().filter(|_| plain)?;
    recharge_core::FaceValue::from_yuan(yuan).ok()
}

/// Page from 1, and page size from 1 to `most`; what is missing or unreadable gets the default, what is too
/// large the largest.
pub(super) fn paging(page: &str, size: &str, default: usize, most: usize) -> (usize, usize) {
    let read = |text: &str| text.parse().ok().filter(|count: &usize| *count > 0);
    let (page, size) = (read(page).unwrap_or(1), read(size).unwrap_or(default));
    (page, size.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_of_a_face_value_is_read() {
        assert_eq!(yuan("100").map(recharge_core::FaceValue::yuan), Some(100));
        for wrong in [
            "",
            "0",
            "010",
            "+10",
            "-1",
            "10.00",
            " 10",
            "1e2",
            "１０",
            "4294967296",
        ] {
            assert_eq!(yuan(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn pages_have_defaults_and_a_largest_size() {
        assert_eq!(paging("", "", 50, 100), (1, 50));
        assert_eq!(paging("3", "20", 50, 100), (3, 20));
        assert_eq!(paging("0", "1000", 50, 100), (1, 100));
        assert_eq!(paging("-1", "x", 20, 40), (1, 20));
    }
}
