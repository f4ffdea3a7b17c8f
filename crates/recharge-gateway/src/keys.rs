//! Keys of the gateway's own interface: how they are made, and how one that is shown is told to be right.
//!
//! A key is `rk_`, an open part of 16 hexadecimal digits by which it is found, `_`, and a secret of 64. Only
//! the SHA-256 of the secret is kept: 256 random bits need no slow hash.

use std::fmt;

use recharge_core::SecretString;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use recharge_store::registry::KeyKind;

use crate::ring;
use crate::seal::{MasterKey, NoRandom, random};

const PREFIX: &str = "rk_";
const ID: usize = 16;
const SECRET: usize = 64;

/// A key that was just made: the only time that it is there in full.
#[derive(Debug)]
pub struct NewKey {
    /// The open part.
    pub id: String,
    /// The hash of the secret part.
    pub hash: Vec<u8>,
    /// The whole, to be shown once.
    pub key: SecretString,
}

/// A drop-in credential that was just made: the only time that its secret is there unsealed.
#[derive(Debug)]
pub struct NewCredential {
    /// What names the shop in every call.
    pub app_key: String,
    /// What signs: Juhe's openid, Jisu's appsecret.
    pub secret: SecretString,
    /// The same, as it is kept.
    pub sealed: Vec<u8>,
}

/// A key as it came with a request, taken apart. `Debug` shows the open part alone.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The open part.
    pub id: &'a str,
    secret: &'a str,
}

/// Makes a key.
pub fn make() -> Result<NewKey, NoRandom> {
    let id = hex::encode(random::<{ ID / 2 }>()?);
    let secret = hex::encode(random::<{ SECRET / 2 }>()?);
    Ok(NewKey {
        hash: hash(&secret),
        key: [PREFIX, &id, "_", &secret].concat().into(),
        id,
    })
}

/// Makes a credential in the form of an upstream's own.
pub fn make_credential(kind: KeyKind, master: &MasterKey) -> Result<NewCredential, NoRandom> {
    let app_key = hex::encode(random::<16>()?);
    let digits = hex::encode(random::<16>()?);
    let secret = SecretString::from(match kind {
        KeyKind::Juhe => format!("JH{digits}"),
        KeyKind::Jisu | KeyKind::Api => digits,
    });
    let sealed = master.seal(&ring::purpose_of_key(&app_key), &secret)?;
    Ok(NewCredential {
        app_key,
        secret,
        sealed,
    })
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

impl<'a> Shown<'a> {
    /// Takes a key apart; `None` if it has not the form of one.
    pub fn parse(key: &'a str) -> Option<Self> {
        let (id, secret) = key.strip_prefix(PREFIX)?.split_once('_')?;
        let right = id.len() == ID && secret.len() == SECRET;
        let plain = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (right && plain(id) && plain(secret)).then_some(Self { id, secret })
    }

    /// Whether it is the key of this hash. Takes as long whether it is or not.
    pub fn is(&self, kept: &[u8]) -> bool {
        bool::from(hash(self.secret).ct_eq(kept))
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shown({}, ***)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recharge_core::ExposeSecret;

    #[test]
    fn a_key_is_known_by_its_hash_and_no_other() {
        let (one, two) = (make().unwrap(), make().unwrap());
        let shown = Shown::parse(one.key.expose_secret()).unwrap();
        assert_eq!(shown.id, one.id);
        assert!(shown.is(&one.hash) && !shown.is(&two.hash) && !shown.is(&[]));
        assert!(!format!("{one:?} {shown:?}").contains(shown.secret));
    }

    #[test]
    fn what_has_not_the_form_of_a_key_is_none() {
        let key = make().unwrap().key;
        let key = key.expose_secret();
        let upper = key.to_uppercase();
        for wrong in ["", "rk_", "rk__", &key[1..], &key[..key.len() - 1], &upper] {
            assert!(Shown::parse(wrong).is_none(), "{wrong}");
        }
        assert!(Shown::parse(&format!("{key}0")).is_none());
    }
}
