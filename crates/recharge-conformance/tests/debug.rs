//! What the benches print shows no full account.

use recharge_conformance::provider::Entry;
use recharge_conformance::{Asked, Booked, Say};
use recharge_core::UpstreamState;

/// A phone, a landline in both forms, a broadband account, and one that is none at all.
const ACCOUNTS: [&str; 5] = [
    "18900001234",
    "0571-56565366",
    "057156565366",
    "hangzhou.user@adsl",
    "56565",
];

/// The text names the order and hides the account.
fn hides(text: &str, account: &str) {
    assert!(!text.contains(account), "{account} in {text}");
    assert!(text.contains("****"), "{text}");
}

#[test]
fn an_entry_masks_its_account() {
    for account in ACCOUNTS {
        let mut entry = Entry::default();
        entry.account = account.to_owned();
        entry.submits = 3;
        let text = format!("{entry:?}");
        hides(&text, account);
        assert!(text.contains("submits: 3"), "{text}");
    }
}

#[test]
fn what_was_asked_masks_its_account() {
    for account in ACCOUNTS {
        let asked = Asked::Submit {
            number: "RNUMBER".to_owned(),
            account: account.to_owned(),
            amount: "50".to_owned(),
        };
        let text = format!("{asked:?}");
        hides(&text, account);
        assert!(text.contains("RNUMBER") && text.contains("50"), "{text}");
    }
}

#[test]
fn a_booked_order_masks_its_account_also_in_what_is_to_be_said() {
    for account in ACCOUNTS {
        let booked = Booked {
            number: "RNUMBER".to_owned(),
            upstream_id: "U1".to_owned(),
            account: account.to_owned(),
            amount: "50".to_owned(),
            state: UpstreamState::Charging,
        };
        for text in [format!("{booked:?}"), format!("{:?}", Say::State(&booked))] {
            hides(&text, account);
            assert!(text.contains("RNUMBER") && text.contains("U1"), "{text}");
        }
    }
}
