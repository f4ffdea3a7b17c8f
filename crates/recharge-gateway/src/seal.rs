//! Secrets that must be readable again, sealed under a master key that isn't in the store.
//!
//! XChaCha20-Poly1305 under a random nonce; what a secret is for is authenticated with it, so that one can't
//! be put in another's place. A sealed secret says under which key it is, by a mark that tells nothing else.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use recharge_core::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The form of a sealed secret: the version, the mark of the key, the nonce, and what is sealed.
const VERSION: u8 = 1;
const MARK: usize = 4;
const NONCE: usize = 24;

/// What seals. `Debug` shows its mark alone.
#[derive(Clone)]
pub struct MasterKey {
    key: Key,
    mark: [u8; MARK],
}

/// Why a text is not a master key. It isn't repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 64 hexadecimal digits, such as `openssl rand -hex 32` prints")]
pub struct MasterKeyError;

/// Why a secret can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It was sealed under another key.
    #[error(
        "this secret is sealed under the master key {sealed}, and the one in force is {given}: give the right one, or make the credential anew"
    )]
    OtherKey {
        /// The mark of the key under which it is sealed.
        sealed: String,
        /// That of the key at hand.
        given: String,
    },
    /// No key is at hand.
    #[error(
        "this secret is sealed under the master key {sealed}, and none is given: set RECHARGE_MASTER_KEY or server.master_key_file"
    )]
    NoKey {
        /// The mark of the key under which it is sealed.
        sealed: String,
    },
    /// It is not what was sealed.
    #[error("this secret is damaged, or was sealed for something else: make the credential anew")]
    Damaged,
}

/// The system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers: {0}")]
pub struct NoRandom(getrandom::Error);

/// So many random bytes, fit for secrets.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandom)?;
    Ok(bytes)
}

impl MasterKey {
    /// Reads 64 hexadecimal digits; blanks around them are ignored.
    pub fn parse(text: &SecretString) -> Result<Self, MasterKeyError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.expose_secret().trim(), &mut bytes)
            .map_err(|_| MasterKeyError)?;
        let mut mark = [0; MARK];
        let digest = Sha256::new()
            .chain_update(b"recharge master key")
            .chain_update(bytes)
            .finalize();
        for (to, from) in mark.iter_mut().zip(digest) {
            *to = from;
        }
        Ok(Self {
            key: Key::from(bytes),
            mark,
        })
    }

    /// By which it is told from other keys; it tells nothing else.
    pub fn mark(&self) -> String {
        hex::encode(self.mark)
    }

    /// Seals a secret for one purpose, such as `key:JH1234`.
    pub fn seal(&self, purpose: &str, secret: &SecretString) -> Result<Vec<u8>, NoRandom> {
        let nonce: [u8; NONCE] = random()?;
        let payload = Payload {
            msg: secret.expose_secret().as_bytes(),
            aad: purpose.as_bytes(),
        };
        let cipher = XChaCha20Poly1305::new(&self.key);
        let Ok(sealed) = cipher.encrypt(&XNonce::from(nonce), payload) else {
            unreachable!("only texts of more than 256 GB can't be sealed")
        };
        let mut text = vec![VERSION];
        text.extend_from_slice(&self.mark);
        text.extend_from_slice(&nonce);
        text.extend_from_slice(&sealed);
        Ok(text)
    }

    /// Opens what was sealed for that purpose.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<SecretString, OpenError> {
        let (mark, rest) = marked(sealed)?;
        let (nonce, text) = rest
            .split_first_chunk::<NONCE>()
            .ok_or(OpenError::Damaged)?;
        if *mark != self.mark {
            return Err(OpenError::OtherKey {
                sealed: hex::encode(mark),
                given: self.mark(),
            });
        }
        let payload = Payload {
            msg: text,
            aad: purpose.as_bytes(),
        };
        let opened = XChaCha20Poly1305::new(&self.key)
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| OpenError::Damaged)?;
        let opened = String::from_utf8(opened).map_err(|_| OpenError::Damaged)?;
        Ok(opened.into())
    }
}

/// Opens it with the key at hand, if there is one.
pub fn open(
    master: Option<&MasterKey>,
    purpose: &str,
    sealed: &[u8],
) -> Result<SecretString, OpenError> {
    match master {
        Some(master) => master.open(purpose, sealed),
        None => Err(OpenError::NoKey {
            sealed: hex::encode(marked(sealed)?.0),
        }),
    }
}

/// The mark of its key, and what follows.
fn marked(sealed: &[u8]) -> Result<(&[u8; MARK], &[u8]), OpenError> {
    let (version, rest) = sealed.split_first().ok_or(OpenError::Damaged)?;
    if *version != VERSION {
        return Err(OpenError::Damaged);
    }
    rest.split_first_chunk().ok_or(OpenError::Damaged)
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.mark())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: &str) -> MasterKey {
        MasterKey::parse(&digit.repeat(64).into()).unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened_by_its_key_for_its_purpose_alone() {
        let sealed = key("a").seal("key:one", &"s3cret".into()).unwrap();
        let opened = key("a").open("key:one", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "s3cret");
        let other = key("a").open("key:two", &sealed);
        assert_eq!(other.unwrap_err(), OpenError::Damaged);
        let wrong = key("b").open("key:one", &sealed).unwrap_err();
        assert!(matches!(wrong, OpenError::OtherKey { .. }), "{wrong}");
        let again = key("a").seal("key:one", &"s3cret".into()).unwrap();
        assert_ne!(sealed, again, "each under a nonce of its own");
    }

    #[test]
    fn no_changed_bit_passes() {
        let sealed = key("a").seal("key:one", &"s3cret".into()).unwrap();
        for at in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(key("a").open("key:one", &changed).is_err(), "bit {at}");
        }
        for length in 0..sealed.len() {
            assert!(key("a").open("key:one", &sealed[..length]).is_err());
        }
    }

    #[test]
    fn only_64_digits_are_a_key_and_no_error_repeats_them() {
        for wrong in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
            let error = MasterKey::parse(&wrong.into()).unwrap_err();
            assert!(wrong.is_empty() || !error.to_string().contains(wrong) || wrong == "abc");
        }
        let padded = format!(" {}\n", "0123456789abcdefABCDEF0123456789".repeat(2));
        assert!(MasterKey::parse(&padded.into()).is_ok());
        assert_eq!(format!("{:?}", key("a")).len(), "MasterKey(01234567)".len());
    }
}
