//! Who calls, and what they may do. A handler that needs a scope takes the extractor of that name, which is
//! also the only way to learn whose orders it may touch.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use recharge_core::MerchantId;
use recharge_engine::Person;
use recharge_store::registry::{KeyKind, Scope};

use crate::app::App;
use crate::keys::Shown;
use crate::problem::{Code, Problem};
use crate::ring::Key;
use crate::trace;

/// Whoever showed a key that is in force.
#[derive(Debug, Clone)]
pub struct Caller {
    key: Arc<Key>,
}

impl Caller {
    /// Whose orders it may touch.
    pub fn merchant(&self) -> &MerchantId {
        &self.key.stored.merchant
    }

    /// The id of its key.
    pub fn key_id(&self) -> &str {
        &self.key.stored.id
    }

    /// The person who decides: whom the key was made for. Nobody knows who holds a key that was made for none,
    /// and one person may hold two of them: where it takes two people it does not count.
    pub fn person(&self) -> Result<Person, Problem> {
        let stored = &self.key.stored;
        let person = match &stored.person {
            Some(name) => Person::authenticated(name),
            None => Person::unauthenticated(&format!("key {}", stored.id), "gateway"),
        };
        person.map_err(|error| Problem::new(Code::Internal, error.to_string()))
    }

    async fn of(parts: &Parts, app: &App, scope: Scope) -> Result<Self, Problem> {
        let key = bearer(parts, app).await?;
        trace::merchant(&key.stored.merchant);
        app.ring.used(&key, app.now());
        // Before the scope is looked at: what is refused counts too.
        key.take().map_err(|wait| {
            Problem::new(Code::TooMany, "this key makes too many requests").retry_after(wait)
        })?;
        if !key.stored.scopes.has(scope) {
            let detail = format!("this key has not the scope {}", scope.as_str());
            return Err(Problem::new(Code::Forbidden, detail));
        }
        Ok(Self { key })
    }
}

async fn bearer(parts: &Parts, app: &App) -> Result<Arc<Key>, Problem> {
    let unauthorized = |detail| Problem::new(Code::Unauthorized, detail);
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let header = headers
        .next()
        .ok_or_else(|| unauthorized("the header Authorization is missing"))?;
    if headers.next().is_some() {
        return Err(unauthorized("there is more than one header Authorization"));
    }
    let not_right = || unauthorized("the key is not right, or is revoked");
    let text = header.to_str().map_err(|_| not_right())?;
    let (scheme, key) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unauthorized(
            "the header Authorization has not the form `Bearer KEY`",
        ));
    }
    let shown = Shown::parse(key.trim()).ok_or_else(not_right)?;
    let key = app.ring.find(KeyKind::Api, shown.id).await;
    key.filter(|key| shown.is(&key.stored.secret))
        .ok_or_else(not_right)
}

macro_rules! extractor {
    ($(#[$doc:meta])* $name:ident, $scope:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(
            /// Who calls.
            pub Caller,
        );

        impl FromRequestParts<Arc<App>> for $name {
            type Rejection = Problem;

            async fn from_request_parts(
                parts: &mut Parts,
                app: &Arc<App>,
            ) -> Result<Self, Problem> {
                Caller::of(parts, app, $scope).await.map(Self)
            }
        }
    };
}

extractor!(
    /// Whose key has the scope `submit`.
    Submitter,
    Scope::Submit
);
extractor!(
    /// Whose key has the scope `read`.
    Reader,
    Scope::Read
);
extractor!(
    /// Whose key has the scope `operate`.
    Operator,
    Scope::Operate
);
