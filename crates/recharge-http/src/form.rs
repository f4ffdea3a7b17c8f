//! Requests of named fields, as both upstreams take them, and forms as callbacks bring them.
//!
//! ```
//! use recharge_http::form::{BaseUrl, Encoding, request};
//!
//! let base = BaseUrl::parse("http://127.0.0.1:8080/proxy/")?;
//! let fields = [("key", "k&1"), ("orderid", "A1")];
//! let get = request(Encoding::Query, &base, "/ordersta", &fields, "JuheData").unwrap();
//! assert_eq!(get.uri(), "http://127.0.0.1:8080/proxy/ordersta?key=k%261&orderid=A1");
//! # Ok::<(), recharge_http::form::BaseUrlError>(())
//! ```

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{Method, Request, Uri};

/// How fields travel. They keep the order in which they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// GET, the fields in the query string.
    Query,
    /// POST, the fields in an `application/x-www-form-urlencoded` body.
    Urlencoded,
    /// POST, the fields in a `multipart/form-data` body.
    Multipart,
}

/// A request of these fields. It has a `User-Agent`, a `Content-Type` when it has a body, and no other
/// header. The same arguments give the same bytes.
pub fn request(
    encoding: Encoding,
    base: &BaseUrl,
    path: &str,
    fields: &[(&str, &str)],
    user_agent: &str,
) -> Result<Request<Bytes>, http::Error> {
    let (method, uri, body) = match encoding {
        Encoding::Query => (
            Method::GET,
            base.join(&format!("{path}?{}", urlencoded(fields)))?,
            None,
        ),
        Encoding::Urlencoded => (
            Method::POST,
            base.join(path)?,
            Some((
                HeaderValue::from_static("application/x-www-form-urlencoded"),
                urlencoded(fields),
            )),
        ),
        Encoding::Multipart => {
            let boundary = boundary(fields);
            let content_type = format!("multipart/form-data; boundary={boundary}").try_into()?;
            let body = multipart(fields, &boundary);
            (Method::POST, base.join(path)?, Some((content_type, body)))
        }
    };
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header(USER_AGENT, user_agent)
        .body(Bytes::new())?;
    if let Some((content_type, body)) = body {
        request.headers_mut().insert(CONTENT_TYPE, content_type);
        *request.body_mut() = body.into();
    }
    Ok(request)
}

fn urlencoded(fields: &[(&str, &str)]) -> String {
    // Room for each with its `=` and `&`, as most of them are written as they are.
    let room = fields
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2);
    let mut text = String::with_capacity(room.sum());
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        push_encoded(&mut text, name);
        text.push('=');
        push_encoded(&mut text, value);
    }
    text
}

fn push_encoded(text: &mut String, part: &str) {
    // Without a way out in between this takes many bytes at a time: the rare part may be slow.
    let is_plain = |plain: bool, b: u8| plain & b.is_ascii_alphanumeric();
    if part.bytes().fold(true, is_plain) {
        text.push_str(part);
    } else {
        text.extend(form_urlencoded::byte_serialize(part.as_bytes()));
    }
}

/// A boundary that stands in no value. Not random: a permitted second send has the same bytes.
fn boundary(fields: &[(&str, &str)]) -> String {
    let mut boundary = "------------------------recharge".to_owned();
    while fields.iter().any(|(_, value)| value.contains(&boundary)) {
        boundary.push('0');
    }
    boundary
}

fn multipart(fields: &[(&str, &str)], boundary: &str) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        // Writing to a String can't fail.
        let _ = write!(
            body,
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    let _ = write!(body, "--{boundary}--\r\n");
    body
}

/// Where an upstream is: scheme, host and port, and a path prefix that is kept.
///
/// `https://api.example.com`, `http://127.0.0.1:8080/juhe/`. A slash at the end changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    scheme: Scheme,
    authority: Authority,
}

impl BaseUrl {
    /// Takes an absolute `http` or `https` URL without user, query or fragment.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        if text.contains(['?', '#']) {
            return Err(BaseUrlError::Query);
        }
        let uri: Uri = text.parse().map_err(|_| BaseUrlError::NotAUrl)?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(BaseUrlError::NotAUrl);
        };
        if !matches!(scheme.as_str(), "http" | "https") || authority.host().is_empty() {
            return Err(BaseUrlError::NotAUrl);
        }
        if authority.as_str().contains('@') {
            return Err(BaseUrlError::User);
        }
        Ok(Self {
            text: text.trim_end_matches('/').to_owned(),
            scheme,
            authority,
        })
    }

    /// The text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address of a path below it. `path` begins with a slash and may have a query.
    pub fn join(&self, path: &str) -> Result<Uri, http::Error> {
        // Scheme and authority were read once; only the path is new.
        let origin = self.scheme.as_str().len() + "://".len() + self.authority.as_str().len();
        let prefix = self.text.get(origin..).unwrap_or_default();
        let path = PathAndQuery::from_maybe_shared([prefix, path].concat())?;
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Ok(Uri::from_parts(parts)?)
    }
}

/// Why a text is not a base URL. Never repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// Not an absolute URL.
    #[error(
        "a base URL begins with http:// or https:// and a host, such as https://example.com/juhe"
    )]
    NotAUrl,
    /// It has a query or a fragment.
    #[error("a base URL has no ? and no #: the fields of each call are added to it")]
    Query,
    /// It has a user or password.
    #[error("a base URL has no user or password before an @: it would end up in logs")]
    User,
}

/// The fields of a form, each of them once.
#[derive(Clone, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body of `application/x-www-form-urlencoded` (also when no type is given) or
    /// `multipart/form-data`.
    pub fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Self, FormError> {
        Self::once(fields(content_type, body)?)
    }

    /// Reads the query of a request and its body together. A body of another kind, such as JSON, has no
    /// fields.
    pub fn of_request(
        query: Option<&str>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, FormError> {
        let query = query.unwrap_or_default().as_bytes();
        let mut all: Vec<_> = form_urlencoded::parse(query).into_owned().collect();
        if !body.is_empty() {
            match fields(content_type, body) {
                Ok(fields) => all.extend(fields),
                Err(FormError::ContentType) => {}
                Err(error) => return Err(error),
            }
        }
        Self::once(all)
    }

    fn once(fields: Vec<(String, String)>) -> Result<Self, FormError> {
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names
            .iter()
            .zip(names.iter().skip(1))
            .any(|(one, next)| one == next)
        {
            return Err(FormError::Repeated);
        }
        Ok(Self(fields))
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(given, _)| given == name);
        field.map(|(_, value)| value.as_str())
    }

    /// The value of a field that must be there.
    pub fn required(&self, name: &'static str) -> Result<&str, FormError> {
        self.get(name).ok_or(FormError::Missing(name))
    }
}

/// Shows the names only: values are numbers, phones and signatures.
impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Why a form can't be used. Never repeats what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// Another kind of body.
    #[error("the body is neither urlencoded nor multipart/form-data")]
    ContentType,
    /// A multipart body that is not one, or that is cut off.
    #[error("the multipart body is malformed or cut off")]
    Malformed,
    /// A field that comes twice: which of the two is meant can't be known.
    #[error("a field comes more than once")]
    Repeated,
    /// A field that is not there.
    #[error("the field {0} is missing")]
    Missing(&'static str),
}

fn fields(content_type: Option<&str>, body: &[u8]) -> Result<Vec<(String, String)>, FormError> {
    let content_type = content_type.unwrap_or_default().trim();
    let media = content_type.split(';').next().unwrap_or_default().trim();
    if media.is_empty() || media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Ok(form_urlencoded::parse(body).into_owned().collect())
    } else if media.eq_ignore_ascii_case("multipart/form-data") {
        let boundary = parameter(content_type, "boundary").ok_or(FormError::Malformed)?;
        parts(body, boundary)
    } else {
        Err(FormError::ContentType)
    }
}

/// A parameter of a header value, without its quotes. `None` if it is missing or comes twice.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut found = header.split(';').skip(1).filter_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    });
    let value = found.next()?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => value,
    };
    (found.next().is_none() && !value.is_empty()).then_some(value)
}

fn parts(body: &[u8], boundary: &str) -> Result<Vec<(String, String)>, FormError> {
    let body = std::str::from_utf8(body).map_err(|_| FormError::Malformed)?;
    let delimiter = format!("\r\n--{boundary}");
    // What comes before the first boundary is a preamble; the first one may begin the body.
    let first = body
        .strip_prefix("--")
        .and_then(|rest| rest.strip_prefix(boundary));
    let rest = match first {
        Some(rest) => rest,
        None => body.split_once(&delimiter).ok_or(FormError::Malformed)?.1,
    };
    let mut sections = rest.split(delimiter.as_str());
    let mut fields = Vec::new();
    loop {
        let section = sections.next().ok_or(FormError::Malformed)?;
        if section.starts_with("--") {
            return Ok(fields);
        }
        fields.push(part(section).ok_or(FormError::Malformed)?);
    }
}

fn part(section: &str) -> Option<(String, String)> {
    let section = section
        .trim_start_matches([' ', '\t'])
        .strip_prefix("\r\n")?;
    let (headers, value) = section.split_once("\r\n\r\n")?;
    let mut dispositions = headers.split("\r\n").filter_map(|line| {
        let (key, disposition) = line.split_once(':')?;
        let ours = key.trim().eq_ignore_ascii_case("content-disposition");
        ours.then_some(disposition)
    });
    // Of two it can't be known which is meant.
    let (Some(only), None) = (dispositions.next(), dispositions.next()) else {
        return None;
    };
    Some((parameter(only, "name")?.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIELDS: [(&str, &str); 2] = [("tel", "0571-5656 5366"), ("名", "a&b=宽带")];

    fn encoded(encoding: Encoding) -> Request<Bytes> {
        let base = BaseUrl::parse("http://host").unwrap();
        request(encoding, &base, "/p", &FIELDS, "agent").unwrap()
    }

    fn read(request: &Request<Bytes>) -> Result<Form, FormError> {
        let content_type = request
            .headers()
            .get(CONTENT_TYPE)
            .unwrap()
            .to_str()
            .unwrap();
        Form::parse(Some(content_type), request.body())
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(value: String, other: String) {
            let base = BaseUrl::parse("http://host").unwrap();
            let fields = [("a", value.as_str()), ("b", other.as_str())];
            for encoding in [Encoding::Urlencoded, Encoding::Multipart] {
                let request = request(encoding, &base, "/", &fields, "x").unwrap();
                let form = read(&request).unwrap();
                prop_assert_eq!(form.required("a"), Ok(value.as_str()));
                prop_assert_eq!(form.required("b"), Ok(other.as_str()));
            }
        }

        #[test]
        fn any_body_is_read_or_refused_without_a_panic(body: Vec<u8>, text in "(--b|\r\n|--|name=\"?|;| |:|Content-Disposition|x){0,12}") {
            for content_type in [None, Some("multipart/form-data; boundary=b"), Some("")] {
                let _ = Form::parse(content_type, &body);
                let _ = Form::parse(content_type, text.as_bytes());
            }
        }
    }

    /// Each alone: beside another that must be encoded it would be so anyway.
    #[test]
    fn no_sign_between_letters_is_left_as_it_is() {
        for sign in (0..=0x7f_u8).map(char::from) {
            let part = format!("a{sign}1");
            let expected: String = form_urlencoded::byte_serialize(part.as_bytes()).collect();
            let text = urlencoded(&[(&part, &part), ("b", "")]);
            assert_eq!(text, format!("{expected}={expected}&b="), "{sign:?}");
        }
    }

    #[test]
    fn a_query_has_no_body_and_no_content_type() {
        let get = encoded(Encoding::Query);
        assert_eq!(get.method(), Method::GET);
        assert_eq!(
            get.uri(),
            "http://host/p?tel=0571-5656+5366&%E5%90%8D=a%26b%3D%E5%AE%BD%E5%B8%A6"
        );
        assert!(get.body().is_empty() && !get.headers().contains_key(CONTENT_TYPE));
        assert_eq!(
            get.headers().len(),
            1,
            "no Accept-Encoding, nothing but User-Agent"
        );
    }

    #[test]
    fn a_boundary_in_a_value_is_avoided() {
        let base = BaseUrl::parse("http://host").unwrap();
        let hostile = format!("x\r\n--{}--\r\n", boundary(&[]));
        let fields = [("a", hostile.as_str()), ("b", "1")];
        let request = request(Encoding::Multipart, &base, "/", &fields, "x").unwrap();
        assert_eq!(read(&request).unwrap().get("a"), Some(hostile.as_str()));
    }

    #[test]
    fn a_query_and_a_body_are_one_form_and_no_field_comes_twice() {
        let form = |query, content_type, body: &str| {
            Form::of_request(query, content_type, body.as_bytes())
        };
        let both = form(Some("a=1"), None, "b=2").unwrap();
        assert_eq!((both.get("a"), both.get("b")), (Some("1"), Some("2")));
        assert_eq!(form(Some("a=1"), None, "a=1"), Err(FormError::Repeated));
        assert_eq!(form(Some("a=1&a=2"), None, ""), Err(FormError::Repeated));
        let json = form(Some("a=1"), Some("application/json"), r#"{"b":2}"#).unwrap();
        assert_eq!((json.get("a"), json.get("b")), (Some("1"), None));
        let cut_off = form(None, Some("multipart/form-data; boundary=b"), "--b");
        assert_eq!(cut_off, Err(FormError::Malformed));
        assert_eq!(form(None, None, "").unwrap().get("a"), None);
    }

    #[test]
    fn every_cut_of_a_multipart_body_is_refused() {
        let whole = encoded(Encoding::Multipart);
        let end = whole.body().len() - "--\r\n".len();
        for cut in 0..end {
            let mut shorter = whole.clone();
            *shorter.body_mut() = whole.body().slice(..cut);
            assert_eq!(read(&shorter), Err(FormError::Malformed), "at {cut}");
        }
    }

    #[test]
    fn a_part_with_two_names_is_refused() {
        let named = |headers: &str| {
            let body = format!("--b\r\n{headers}\r\n\r\n1\r\n--b--");
            Form::parse(Some("multipart/form-data; boundary=b"), body.as_bytes())
        };
        let one = "Content-Disposition: form-data; name=a";
        assert_eq!(named(one).unwrap().get("a"), Some("1"));
        for other in ["form-data; name=", "form-data", "form-data; name=b"] {
            for headers in [
                format!("content-disposition: {other}\r\n{one}"),
                format!("{one}\r\nContent-Disposition : {other}"),
            ] {
                assert_eq!(named(&headers), Err(FormError::Malformed), "{headers}");
            }
        }
    }

    #[test]
    fn a_base_url_keeps_its_prefix_with_or_without_a_slash() {
        for (text, joined) in [
            ("http://host", "http://host/a?b=1"),
            ("http://host/", "http://host/a?b=1"),
            ("https://host:8080/x/y", "https://host:8080/x/y/a?b=1"),
            ("https://[::1]:80/x/y/", "https://[::1]:80/x/y/a?b=1"),
        ] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!(base.join("/a?b=1").unwrap(), joined, "{text}");
        }
    }

    #[test]
    fn a_wrong_base_url_is_refused_and_not_repeated() {
        for (text, error) in [
            ("", BaseUrlError::NotAUrl),
            ("host/path", BaseUrlError::NotAUrl),
            ("/path", BaseUrlError::NotAUrl),
            ("ftp://canary", BaseUrlError::NotAUrl),
            ("http://", BaseUrlError::NotAUrl),
            ("http://a b", BaseUrlError::NotAUrl),
            ("http://host?key=canary", BaseUrlError::Query),
            ("http://host/#canary", BaseUrlError::Query),
            ("http://user:canary@host", BaseUrlError::User),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(error), "{text}");
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn unusable_forms_are_told_apart() {
        let parse = |content_type, body: &str| Form::parse(content_type, body.as_bytes());
        assert_eq!(parse(None, "a=1&a=1"), Err(FormError::Repeated));
        assert_eq!(parse(None, "a=1&%61=2"), Err(FormError::Repeated));
        assert_eq!(
            parse(Some("application/json"), "{}"),
            Err(FormError::ContentType)
        );
        assert_eq!(
            parse(Some("multipart/form-data"), ""),
            Err(FormError::Malformed)
        );
        let form = parse(
            Some("Application/X-WWW-Form-Urlencoded; charset=UTF-8"),
            "a=1&b=",
        );
        let form = form.unwrap();
        assert_eq!(form.required("a"), Ok("1"));
        assert_eq!(form.required("b"), Ok(""));
        assert_eq!(form.required("c"), Err(FormError::Missing("c")));
        assert_eq!(
            format!("{form:?}"),
            "{\"a\", \"b\"}",
            "values are not shown"
        );
    }

    #[test]
    fn a_multipart_form_as_other_clients_write_it_is_read() {
        let body = "preamble\r\n--b \r\ncontent-disposition: form-data; filename=\"f\"; name=\"a\"\r\nContent-Type: text/plain\r\n\r\n1\r\n2\r\n--b\r\nContent-Disposition: form-data; name=c\r\n\r\n\r\n--b--\r\nepilogue";
        let form = Form::parse(Some("multipart/form-data; boundary=\"b\""), body.as_bytes());
        let form = form.unwrap();
        assert_eq!((form.get("a"), form.get("c")), (Some("1\r\n2"), Some("")));
    }
}
