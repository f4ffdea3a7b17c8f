//! The ledger: what was really charged, whatever was answered.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::Upstream;
use crate::hidden::Masked;

/// How an order number stands in the upstream's own books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// Taken, paid from the balance, not ended.
    Charging,
    /// The account was topped up.
    Succeeded,
    /// Taken and failed: the balance was given back.
    Failed,
    /// Received and never taken.
    NotAccepted,
}

/// One row: an order number that one upstream received. `Debug` masks the account; as JSON the row has
/// it in full.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Who received it.
    pub provider: Upstream,
    /// The merchant's order number.
    pub order_id: String,
    /// The upstream's own number; `None` if the order was never taken.
    pub upstream_id: Option<String>,
    /// The account as received: in full, since nothing here is real.
    pub account: String,
    /// The face value as received, such as `"100"`.
    pub amount: String,
    /// How it stands.
    pub state: LedgerState,
    /// How many submits of this number the client sent that got past the request line. Packets that
    /// the simulator repeats by itself are not counted.
    pub submits: u32,
    /// Effective charges: 1 while charging and after success, 0 for a failed order and for one never
    /// taken. An upstream refuses duplicates, so it is never more than 1 for one number; a merchant's
    /// order that was sent under two numbers has two rows.
    pub charges: u32,
}

impl fmt::Debug for LedgerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerRow")
            .field("provider", &self.provider)
            .field("order_id", &self.order_id)
            .field("upstream_id", &self.upstream_id)
            .field("account", &Masked(&self.account))
            .field("amount", &self.amount)
            .field("state", &self.state)
            .field("submits", &self.submits)
            .field("charges", &self.charges)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_its_account_masked() {
        let row = LedgerRow {
            provider: Upstream::Juhe,
            order_id: "ABCDEFGH12345678".to_owned(),
            upstream_id: None,
            account: "18900001234".to_owned(),
            amount: "10".to_owned(),
            state: LedgerState::NotAccepted,
            submits: 1,
            charges: 0,
        };
        let text = format!("{row:?}");
        assert!(!text.contains("18900001234"), "{text}");
        assert!(text.contains("account: 189****1234"), "{text}");
        assert!(text.contains("ABCDEFGH12345678"), "{text}");
    }
}
