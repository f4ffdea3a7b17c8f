//! The order number of an attempt: derived, not drawn.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use recharge_core::{AttemptNumber, MerchantId, OrderId};
use sha2::Sha256;

/// The key from which an installation derives its attempt numbers. Made once, and part of every backup:
/// with it the same order gets the same number again even from a restored backup, so that the
/// upstream's duplicate check still protects it.
#[derive(Clone)]
pub struct NumberKey(Hmac<Sha256>);

impl NumberKey {
    /// Takes the 32 bytes of an installation's key.
    pub fn new(key: [u8; 32]) -> Self {
        // HMAC pads a short key with zeros to the hash's block, which is what is done here.
        let mut block = [0; 64];
        let (head, _) = block.split_at_mut(key.len());
        head.copy_from_slice(&key);
        Self(Hmac::new(&block.into()))
    }

    /// The number of attempt `index` of an order: the first 130 bits of HMAC-SHA-256 over the merchant's
    /// name, the order id and the index, each with its length before it, so that no two orders share a
    /// text. The provider is not part of it.
    pub fn derive(&self, merchant: &MerchantId, order_id: &OrderId, index: u32) -> AttemptNumber {
        let mut mac = self.0.clone();
        for part in [
            merchant.as_str().as_bytes(),
            order_id.as_str().as_bytes(),
            &index.to_be_bytes(),
        ] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let digest = mac.finalize().into_bytes();
        let mut bits = [0; 17];
        bits.iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = from);
        AttemptNumber::from_bits(&bits)
    }
}

impl fmt::Debug for NumberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NumberKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn who(text: &str) -> MerchantId {
        MerchantId::parse(text).unwrap()
    }

    fn id(text: &str) -> OrderId {
        OrderId::parse(text).unwrap()
    }

    proptest! {
        #[test]
        fn lesson_16_the_same_order_gets_the_same_number_and_others_get_others(
            key: [u8; 32], merchant in "[a-z]{1,8}", order in "[!-~]{1,64}", index in 0_u32..5,
        ) {
            let numbers = NumberKey::new(key);
            let number = numbers.derive(&who(&merchant), &id(&order), index);
            prop_assert_eq!(NumberKey::new(key).derive(&who(&merchant), &id(&order), index), number);
            prop_assert_ne!(numbers.derive(&who(&merchant), &id(&order), index + 1), number);
            prop_assert_ne!(numbers.derive(&who(&format!("{merchant}x")), &id(&order), index), number);
        }
    }

    #[test]
    fn parts_can_not_be_moved_between_merchant_and_order() {
        let numbers = NumberKey::new([7; 32]);
        assert_ne!(
            numbers.derive(&who("ab"), &id("c"), 0),
            numbers.derive(&who("a"), &id("bc"), 0)
        );
    }

    /// Changing the derivation would give orders of a restored backup new numbers. The value was computed
    /// with Python's `hmac` and `base64` modules.
    #[test]
    fn the_derivation_never_changes() {
        let number = NumberKey::new([7; 32]).derive(&MerchantId::local(), &id("order-1"), 0);
        assert_eq!(number.as_str(), "R2XARRMJ2EXJZSYJLMN5CRZUHLV");
    }

    #[test]
    fn the_key_is_not_shown() {
        assert_eq!(format!("{:?}", NumberKey::new([7; 32])), "NumberKey(***)");
    }
}
