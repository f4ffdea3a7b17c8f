//! Masking what must not be stored, logged or shown: secrets, and the middle of accounts.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;

use secrecy::{ExposeSecret, SecretString};

use crate::account::mask;

/// Masks an upstream's secrets, the accounts it is given, and whatever looks like a mobile number.
///
/// For texts that came from outside and are to be stored or shown. The default knows no secret.
///
/// ```
/// use recharge_core::Redactor;
/// let redactor = Redactor::new(["s3cret".into()]);
/// let shown = redactor.redact("s3cret for 18900001234 and 0571-56565366", &["0571-56565366"]);
/// assert_eq!(shown, "*** for 189****1234 and 057****5366");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// The longest first: a secret that begins another one would leave the rest of that one standing.
    secrets: Vec<SecretString>,
}

impl Redactor {
    /// One that knows these secrets. Empty ones are as good as none.
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        let mut secrets: Vec<_> = secrets.into_iter().collect();
        secrets.retain(|secret| !secret.expose_secret().is_empty());
        secrets.sort_by_key(|secret| Reverse(secret.expose_secret().len()));
        Self { secrets }
    }

    /// The text with every secret as `***`, and with the middle of each of `accounts`, and of every run
    /// of 11 digits that begins with 1 (13 with 86 before), as `****`.
    ///
    /// Runs of other lengths stay: they are order numbers, and an operator needs them.
    pub fn redact(&self, text: &str, accounts: &[&str]) -> String {
        let mut text = Cow::Borrowed(text);
        for secret in &self.secrets {
            hide(&mut text, secret.expose_secret(), |_| "***".to_owned());
        }
        // Mobile numbers are found by their form, whoever's they are.
        for account in accounts.iter().filter(|account| !is_mobile(account)) {
            for form in forms(account) {
                hide(&mut text, &form, mask);
            }
        }
        mask_mobiles(text, accounts)
    }

    /// Whether a text holds one of the secrets.
    pub fn finds_secret(&self, text: &str) -> bool {
        let mut secrets = self.secrets.iter();
        secrets.any(|secret| text.contains(secret.expose_secret()))
    }

    /// Whether a text holds one of the secrets, or one of these accounts, wherever in it.
    pub fn finds(&self, text: &str, accounts: &[&str]) -> bool {
        let accounts = accounts.iter().filter(|account| !account.is_empty());
        let mut forms = accounts.flat_map(|account| forms(account));
        self.finds_secret(text) || forms.any(|form| text.contains(&*form))
    }
}

/// An account as it may be written: as it is, and without its dash.
fn forms(account: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let bare = account
        .contains('-')
        .then(|| Cow::Owned(account.replace('-', "")));
    std::iter::once(Cow::Borrowed(account)).chain(bare)
}

/// Puts `instead` in every place of a word. Answers rarely hold one, so looking is what must be cheap.
fn hide(text: &mut Cow<'_, str>, word: &str, instead: impl FnOnce(&str) -> String) {
    // Up to 32 bytes the standard library looks at many places at once, beyond that it does not.
    let beginning = word.get(..32).unwrap_or(word);
    if !word.is_empty() && text.contains(beginning) {
        *text = Cow::Owned(text.replace(word, &instead(word)));
    }
}

fn mask_mobiles(text: Cow<'_, str>, accounts: &[&str]) -> String {
    let mut rest = 0;
    let mut out = String::new();
    while let Some(run) = next_long_run(text.as_bytes(), rest) {
        // Runs of digits begin and end between characters, whatever stands around them.
        let digits = text.get(run.clone()).unwrap_or_default();
        if out.is_empty() {
            out.reserve(text.len());
        }
        out.push_str(text.get(rest..run.start).unwrap_or_default());
        let holds_one = |account: &&str| is_mobile(account) && digits.contains(*account);
        if is_mobile(digits) || accounts.iter().any(holds_one) {
            out.push_str(&mask(digits));
        } else {
            out.push_str(digits);
        }
        rest = run.end;
    }
    if rest == 0 {
        return text.into_owned();
    }
    out.push_str(text.get(rest..).unwrap_or_default());
    out
}

/// The next whole run of at least as many digits as a mobile number has. `from` lies in no run.
fn next_long_run(text: &[u8], from: usize) -> Option<Range<usize>> {
    // A run that long covers one in so many places, so looking at those is enough.
    let mut probe = from + MOBILE_DIGITS - 1;
    while let Some(byte) = text.get(probe) {
        if byte.is_ascii_digit() {
            let (before, after) = (text.get(from..probe)?, text.get(probe..)?);
            let start = before.iter().rposition(|b| !b.is_ascii_digit());
            let start = start.map_or(from, |at| from + at + 1);
            let length = after.iter().position(|b| !b.is_ascii_digit());
            let end = length.map_or(text.len(), |length| probe + length);
            let run = start..end;
            if run.len() >= MOBILE_DIGITS {
                return Some(run);
            }
            probe = end;
        }
        probe += MOBILE_DIGITS;
    }
    None
}

/// The digits of a mobile number without 86 before it.
const MOBILE_DIGITS: usize = 11;

fn is_mobile(text: &str) -> bool {
    let form = text.len() == MOBILE_DIGITS && text.starts_with('1')
        || text.len() == MOBILE_DIGITS + 2 && text.starts_with("861");
    form && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Answer;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lesson_14_no_secret_and_no_mobile_number_survives(
            before in "[a-z \":{,]{0,20}", after in "[a-z \"}]{0,20}",
            key in "[a-f0-9]{32}", phone in "1[0-9]{10}",
        ) {
            let secret = SecretString::from(key.clone());
            let raw = format!("{before}{key} {phone}{after}");
            let answer = Answer::new(&Redactor::new([secret]), &[], "10001", &raw, &raw);
            let shown = format!("{answer:?}");
            prop_assert!(!shown.contains(&key), "{}", shown);
            prop_assert!(!shown.contains(&phone), "{}", shown);
        }

        #[test]
        fn text_without_secrets_is_kept_to_the_letter(text in "[a-zA-Z\u{4e00}-\u{4eff}\":{}]{0,200}") {
            prop_assert_eq!(Redactor::default().redact(&text, &[]), text);
        }
    }

    #[test]
    fn accounts_that_do_not_look_like_one_are_masked_with_and_without_their_dash() {
        let shown = Redactor::default().redact(
            "tel 0571-56565366, 057156565366, order J201125162114667",
            &["0571-56565366"],
        );
        assert_eq!(
            shown,
            "tel 057****5366, 057****5366, order J201125162114667"
        );
    }

    proptest! {
        /// What is looked for in few places is found in all: against a plain split at what is no digit.
        #[test]
        fn runs_of_digits_are_masked_as_if_each_were_looked_at(
            parts in proptest::collection::vec("([0-9]{0,13}|1[0-9]{10}|861[0-9]{10})[a-z充]{0,3}", 0..8),
        ) {
            let text = parts.concat();
            let mut expected = String::new();
            let mut run = String::new();
            for c in text.chars().chain(['.']) {
                if c.is_ascii_digit() {
                    run.push(c);
                    continue;
                }
                expected.push_str(&if is_mobile(&run) { mask(&run) } else { run.clone() });
                expected.push(c);
                run.clear();
            }
            prop_assert_eq!(Redactor::default().redact(&text, &[]) + ".", expected);
        }

        #[test]
        fn a_mobile_number_of_the_order_is_found_in_longer_runs_too(
            before in "[0-9]{0,9}", phone in "1[0-9]{10}", after in "[0-9]{0,9}",
        ) {
            let text = format!("J{before}{phone}{after}!");
            prop_assert!(!Redactor::default().redact(&text, &[&phone]).contains(&phone));
        }
    }

    #[test]
    fn secrets_and_accounts_are_found_wherever_they_stand() {
        let redactor = Redactor::new(["s3cret".into()]);
        let accounts = ["0571-56565366", "18900001234"];
        for text in [
            "s3cret",
            "J0s3cret7",
            "no0571-56565366of",
            "20a057156565366k",
            "7189000012347",
        ] {
            assert!(redactor.finds(text, &accounts), "{text}");
        }
        for text in ["", "s3cre", "J201125162114667", "0571-5656536"] {
            assert!(!redactor.finds(text, &accounts), "{text}");
        }
        assert!(!redactor.finds("057156565366", &[]));
        assert!(!redactor.finds("057156565366", &[""]), "no account at all");
    }

    #[test]
    fn an_order_number_stays_although_the_order_has_a_mobile_number() {
        let text = "order 20112516211466712345 of 18900001234";
        assert_eq!(
            Redactor::default().redact(text, &["18900001234"]),
            "order 20112516211466712345 of 189****1234"
        );
    }

    #[test]
    fn a_secret_that_begins_another_leaves_nothing_of_it() {
        let (short, long) = (SecretString::from("abcd"), SecretString::from("abcd1234"));
        assert_eq!(
            Redactor::new([short, long]).redact("key=abcd1234", &[]),
            "key=***"
        );
        let longer = SecretString::from("0123456789abcdef0123456789abcdef0123456789");
        assert_eq!(
            Redactor::new([longer]).redact("[0123456789abcdef0123456789abcdef0123456789]", &[]),
            "[***]"
        );
    }

    #[test]
    fn a_mobile_number_with_its_country_code_is_masked_and_no_other_run_of_that_length() {
        for (text, shown) in [
            ("8618900001234", "861****1234"),
            ("+8618900001234.", "+861****1234."),
            ("8628900001234", "8628900001234"),
            ("9618900001234", "9618900001234"),
            ("28900001234", "28900001234"),
        ] {
            assert_eq!(Redactor::default().redact(text, &[]), shown);
        }
    }

    #[test]
    fn secrets_are_found_and_an_empty_one_is_none() {
        let redactor = Redactor::new(["".into(), "s3cret".into()]);
        assert!(redactor.finds_secret("is s3cret here"));
        assert!(!redactor.finds_secret("is S3CRET here") && !redactor.finds_secret(""));
        assert_eq!(redactor.redact("ab", &[""]), "ab");
    }

    #[test]
    fn a_long_secret_is_hidden_where_it_stands_whole() {
        let long = "大0123456789".repeat(4);
        let text = format!("{}, {long}", &long[..42]);
        let shown = Redactor::new([long.as_str().into()]).redact(&text, &[]);
        assert_eq!(shown, format!("{}, ***", &long[..42]));
    }
}
