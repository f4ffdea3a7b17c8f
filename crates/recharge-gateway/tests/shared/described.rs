//! Holds answers against the description: shared by the test programs, each of which includes it.

use std::sync::LazyLock;

use recharge_gateway::routes;
use serde_json::Value;

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(routes::description()).unwrap());

/// An answer as the description has it: method, path, status.
pub(crate) type Described = (String, String, u16);

/// Every answer that is described.
#[allow(dead_code, reason = "not every test program asks for all")]
pub(crate) fn all() -> impl Iterator<Item = Described> {
    let paths = DESCRIPTION["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.flat_map(move |(method, it)| {
            let statuses = it["responses"].as_object().unwrap().keys();
            let of = move |status: &String| {
                let status = status.parse().unwrap();
                (method.to_uppercase(), path.clone(), status)
            };
            statuses.map(of)
        })
    })
}

/// Holds an answer against the description.
///
/// # Panics
///
/// If the description doesn't know such an answer.
#[allow(dead_code, reason = "not every test program has answers of this type")]
pub(crate) fn check<B>(method: &str, target: &str, answer: &http::Response<B>) {
    let kind = answer.headers().get("content-type");
    let kind = kind.map_or("", |it| it.to_str().unwrap());
    find(method, target, answer.status().as_u16(), kind);
}

/// Finds the answer in the description. `None`: the path or the method is in none, and it was refused as such.
///
/// # Panics
///
/// If the description doesn't know such an answer.
pub(crate) fn find(method: &str, target: &str, status: u16, kind: &str) -> Option<Described> {
    let path = target.split('?').next().unwrap();
    let kind = kind.split(';').next().unwrap();
    let problem = "application/problem+json";
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    let template = paths.keys().find(|it| *it == path).or_else(|| {
        let fits = |template: &&String| {
            let (theirs, ours) = (template.split('/'), path.split('/'));
            theirs.clone().count() == ours.clone().count()
                && theirs
                    .zip(ours)
                    .all(|(it, word)| it == word || (it.starts_with('{') && !word.is_empty()))
        };
        paths.keys().find(fits)
    });
    let Some(template) = template else {
        assert_eq!((status, kind), (404, problem), "{method} {target}");
        return None;
    };
    let operation = &paths[template][method.to_lowercase()];
    if operation.is_null() {
        assert_eq!((status, kind), (405, problem), "{method} {target}");
        return None;
    }
    let content = &operation["responses"][status.to_string()]["content"];
    assert!(
        content.get(kind).is_some(),
        "{method} {target}: {status} {kind} is not described"
    );
    Some((method.to_owned(), template.clone(), status))
}
