//! Neither upstream's signature has a delimiter between its values. What the form of our order number
//! does about it, as laws over every way to split the text that is signed.

use proptest::prelude::*;
use recharge_core::{Account, AccountKind, AttemptNumber};

/// Any number of the form: not only those that are derived, which begin with `R`.
const NUMBER: &str = "[A-Za-z][A-Z2-7]{26}";
/// A face value in whole yuan.
const AMOUNT: &str = "[1-9][0-9]{0,8}";
const MOBILE: &str = "1[0-9]{10}";
/// An upstream's own number: any that we accept.
const UPSTREAM: &str = "[!-~]{1,40}";

fn is_number(text: &str) -> bool {
    AttemptNumber::parse(text).is_ok()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_mobile(text: &str) -> bool {
    text.len() == 11 && text.starts_with('1') && is_digits(text)
}

/// Every way to read an ASCII text as parts of these forms, one after the other.
fn readings<'a>(text: &'a str, forms: &[&dyn Fn(&str) -> bool]) -> Vec<Vec<&'a str>> {
    let Some((form, forms)) = forms.split_first() else {
        return if text.is_empty() {
            vec![Vec::new()]
        } else {
            Vec::new()
        };
    };
    let mut all = Vec::new();
    for at in 0..=text.len() {
        let (first, rest) = text.split_at(at);
        if form(first) {
            for mut tail in readings(rest, forms) {
                tail.insert(0, first);
                all.push(tail);
            }
        }
    }
    all
}

proptest! {
    /// Juhe's submit signs `phoneno`, `cardnum`, `orderid` in a row, after fixed secrets. With a number
    /// of the form at its end there is one way to read it: nobody can turn our signature into one for
    /// another phone, another face value or another number of ours.
    #[test]
    fn a_submit_of_juhe_can_be_read_in_one_way(
        phone in MOBILE, amount in AMOUNT, number in NUMBER,
    ) {
        let signed = format!("{phone}{amount}{number}");
        let read = readings(&signed, &[&is_mobile, &is_digits, &is_number]);
        prop_assert_eq!(read, vec![vec![phone.as_str(), &amount, &number]]);
    }

    /// The leading letter alone does it as well: even among order numbers of any length, one that
    /// begins with a letter after digits has one place to begin at.
    #[test]
    fn digits_can_not_be_moved_into_a_number_that_begins_with_a_letter(
        amount in AMOUNT, number in NUMBER,
    ) {
        let signed = format!("{amount}{number}");
        let letter_first = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
        let read = readings(&signed, &[&is_digits, &letter_first]);
        prop_assert_eq!(read, vec![vec![amount.as_str(), &number]]);
    }

    /// What the form does *not* do: the text can be split into a smaller face value and a longer number
    /// that Juhe would take. It is no number of ours, so nobody of ours ever signs or expects it.
    // Proves: juhe.submit.sign-resplit
    #[test]
    fn another_split_is_never_a_number_of_ours(amount in "[1-9][0-9]{1,4}", number in NUMBER) {
        let (smaller, digit) = amount.split_at(amount.len() - 1);
        let longer = format!("{digit}{number}");
        prop_assert_eq!(format!("{smaller}{longer}"), format!("{amount}{number}"));
        prop_assert!((8..=32).contains(&longer.len()), "Juhe's form admits it");
        prop_assert!(!is_number(&longer));
    }

    /// Juhe's callback signs `sporder_id` and `orderid` in a row. Whatever Juhe's own number is, one
    /// split only has a number of ours: a genuine pair can't be turned into one about another order.
    #[test]
    fn a_callback_of_juhe_can_be_read_in_one_way(upstream in UPSTREAM, number in NUMBER) {
        let signed = format!("{upstream}{number}");
        let read = readings(&signed, &[&|_: &str| true, &is_number]);
        prop_assert_eq!(read, vec![vec![upstream.as_str(), &number]]);
    }

    /// Jisu's mobile recharge signs `amount`, `mobile`, `outorderno`.
    #[test]
    fn a_mobile_recharge_of_jisu_can_be_read_in_one_way(
        amount in AMOUNT, phone in MOBILE, number in NUMBER,
    ) {
        let signed = format!("{amount}{phone}{number}");
        let read = readings(&signed, &[&is_digits, &is_mobile, &is_number]);
        prop_assert_eq!(read, vec![vec![amount.as_str(), &phone, &number]]);
    }

    /// Jisu's landline recharge, by the real names: `amount`, `outorderno`, `rechargetype`, `tel`,
    /// `teltype`. The letter of the number ends the amount, its length ends the number, and the two
    /// types have one digit each.
    #[test]
    fn a_landline_recharge_of_jisu_can_be_read_in_one_way(
        amount in "[1-9][0-9]{0,2}", number in NUMBER, kind in "[123]",
        tel in "0[0-9]{2,3}-[0-9]{7,8}", carrier in "[1234]",
    ) {
        let one_digit = |text: &str| text.len() == 1 && is_digits(text);
        let any = |_: &str| true;
        // The account is whatever is left, so the other four decide; in two steps, since five parts
        // have too many splits to try.
        let signed = format!("{amount}{number}{kind}{tel}{carrier}");
        let read = readings(&signed, &[&is_digits, &is_number, &any]);
        let rest = format!("{kind}{tel}{carrier}");
        prop_assert_eq!(read, vec![vec![amount.as_str(), &number, &rest]]);
        let read = readings(&rest, &[&one_digit, &any, &one_digit]);
        prop_assert_eq!(read, vec![vec![kind.as_str(), &tel, &carrier]]);
    }

    /// The same in the order of the document's table: `amount`, the account, `outorderno`,
    /// `rechargetype`, `teltype`. The number is found from the end. Amount and account stand side by
    /// side before it; for landlines the next law tells them apart.
    #[test]
    fn in_the_documented_order_the_number_of_jisu_is_found_from_the_end(
        before in "[1-9][0-9]{0,2}0[0-9]{2,3}-[0-9]{7,8}", number in NUMBER,
        types in "[123][1234]",
    ) {
        let signed = format!("{before}{number}{types}");
        let two_digits = |text: &str| text.len() == 2 && is_digits(text);
        let read = readings(&signed, &[&|_: &str| true, &is_number, &two_digits]);
        prop_assert_eq!(read, vec![vec![before.as_str(), &number, &types]]);
    }

    /// Jisu's callback signs `amount`, `mobile`, `orderno`, `outorderno`, `rechargestatus`, `totalfee`.
    /// What stands before our number has no letter (digits, a dot, a dash), so its letter is the first
    /// one; its length ends it, and the state is the one character after. A callback about one order
    /// can't be read as one about another order or with another state. (Amount, account and Jisu's own
    /// number have more than one reading: none of them is believed.) An account with letters, as
    /// broadband ones have, breaks the first step: there the stored order has to be compared.
    #[test]
    fn a_callback_of_jisu_can_be_read_in_one_way_as_to_number_and_state(
        before in "[0-9]{1,3}(\\.00)?(1[0-9]{10}|0[0-9]{3}-[0-9]{8})[0-9]{21}",
        number in NUMBER, state in "[012]", fee in "[0-9]{1,4}\\.[0-9]{2}",
    ) {
        let no_letter = |text: &str| !text.contains(|c: char| c.is_ascii_alphabetic());
        let signed = format!("{before}{number}{state}{fee}");
        let after = format!("{state}{fee}");
        let read = readings(&signed, &[&no_letter, &is_number, &|_: &str| true]);
        prop_assert_eq!(read, vec![vec![before.as_str(), &number, &after]]);
        let one = |text: &str| ["0", "1", "2"].contains(&text);
        let read = readings(&after, &[&one, &|_: &str| true]);
        prop_assert_eq!(read, vec![vec![state.as_str(), &fee]]);
    }

    /// Amount and landline, as they stand side by side in that order: the dash, and that no area code
    /// begins with 00, leave one reading. `10` + `010-12345678` is not `1` + `0010-12345678`.
    #[test]
    fn in_the_documented_order_amount_and_landline_of_jisu_have_one_reading(
        amount in "[1-9][0-9]{0,2}", area in "(010|02[0-9]|0[3-9][0-9]{2})", line in "[0-9]{7,8}",
    ) {
        let landline = format!("{area}-{line}");
        let is_amount = |text: &str| is_digits(text) && !text.starts_with('0');
        let is_landline = |text: &str| {
            Account::parse(AccountKind::Landline, text).is_ok_and(|line| line.as_str() == text)
        };
        let signed = format!("{amount}{landline}");
        let read = readings(&signed, &[&is_amount, &is_landline]);
        prop_assert_eq!(read, vec![vec![amount.as_str(), &landline]]);
    }
}

/// The hole that is closed: with numbers of any form, as others use them, one signature fits two pairs.
// Proves: juhe.callback.no-delimiter
#[test]
fn numbers_of_another_form_can_be_split_again() {
    let free = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let read = readings("J1234567", &[&free, &free]);
    assert!(read.contains(&vec!["J1234", "567"]) && read.contains(&vec!["J123", "4567"]));
}
