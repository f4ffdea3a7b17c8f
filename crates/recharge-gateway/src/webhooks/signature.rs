//! [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
//! secrets, and what is signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use recharge_core::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::seal::{NoRandom, random};

const PREFIX: &str = "whsec_";
/// How many random bytes a secret has.
const BYTES: usize = 32;

/// A new secret as merchants are shown it: `whsec_` and base64.
pub fn new_secret() -> Result<SecretString, NoRandom> {
    let bytes: [u8; BYTES] = random()?;
    Ok([PREFIX, &STANDARD.encode(bytes)].concat().into())
}

/// The value of `webhook-signature`: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`. `None` if the
/// secret isn't one.
pub fn sign(secret: &SecretString, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let secret = secret.expose_secret().strip_prefix(PREFIX)?;
    let secret = STANDARD.decode(secret).ok().filter(|it| !it.is_empty())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).ok()?;
    for part in [id, ".", &timestamp.to_string(), ".", body] {
        mac.update(part.as_bytes());
    }
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    Some(["v1,", &signature].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's libraries, signed there.
    #[test]
    fn the_published_example_comes_out() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into();
        let signature = sign(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signature.as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }

    #[test]
    fn secrets_differ_and_sign() {
        let (one, two) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one.expose_secret(), two.expose_secret());
        assert_eq!(one.expose_secret().len(), PREFIX.len() + 44);
        assert!(sign(&one, "msg_1", 0, "{}").is_some());
        assert_ne!(sign(&one, "msg_1", 0, "{}"), sign(&two, "msg_1", 0, "{}"));
        for wrong in ["", "whsec_", "whsec_!", "secret"] {
            assert_eq!(sign(&wrong.into(), "msg_1", 0, "{}"), None, "{wrong}");
        }
    }
}
