//! [`Private`]: what comes in or goes out and is not for logs.

use std::fmt;

use recharge_core::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

/// A text that may hold an account, a secret, or a person's words. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct Private(pub String);

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// Writes a secret out, where it is shown this once.
#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
pub(super) fn exposed<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let secret = secret.as_ref().map(SecretString::expose_secret);
    secret.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::super::acts::{Cancel, Decide};
    use super::super::orders::{ListParams, PlaceOrder};
    use super::super::upstreams::What;
    use super::super::webhooks::SetWebhook;
    use super::*;

    fn shown<T: fmt::Debug + serde::de::DeserializeOwned>(json: &str) -> String {
        format!("{:?}", serde_json::from_str::<T>(json).unwrap())
    }

    #[test]
    fn debug_shows_neither_accounts_nor_secrets() {
        for shown in [
            shown::<PlaceOrder>(
                r#"{"order_id":"A1","kind":"mobile","account":"18900001234","amount":"100","notify_url":"https://shop/canary"}"#,
            ),
            shown::<ListParams>(r#"{"account":"18900001234"}"#),
            shown::<What>(r#"{"kind":"mobile","account":"18900001234","amount":"100"}"#),
            shown::<Decide>(r#"{"verdict":"failed","evidence":"canary 18900001234","version":3}"#),
            shown::<Cancel>(r#"{"reason":"canary 18900001234"}"#),
            shown::<SetWebhook>(r#"{"url":"https://shop/canary"}"#),
        ] {
            assert!(shown.contains("****"), "{shown}");
            assert!(
                !shown.contains("1234") && !shown.contains("canary"),
                "{shown}"
            );
        }
    }
}
