//! What a submit and a query can tell.
//!
//! These are enums to be matched, not errors to be passed up: each arm asks for another action, and
//! the wrong one charges a customer twice. No accessor, no `?` and no conversion leads to a [`Receipt`]:
//! pattern matching is the only way. An `if let` or a wildcard would compile; write a `match` that names
//! every arm, as all of Recharge does.

use std::borrow::Cow;
use std::ops::Range;

use secrecy::{ExposeSecret, SecretString};

use crate::account::mask;
use crate::{Money, UpstreamOrderId};

/// What a submit told.
///
/// **Dropping the future of a submit means [`Unknown`](Self::Unknown)**: bytes may have gone, and
/// nobody has read the answer. Whoever drops it must treat the order so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "each outcome asks for another action; ignoring one loses money"]
pub enum SubmitOutcome {
    /// The upstream acknowledged the order. It is not yet paid: ask for its state.
    Accepted(Receipt),
    /// The upstream refused it with a code that the adapter lists as "not accepted".
    Rejected(Rejection),
    /// Not one byte of this request was written.
    NotSent(NotSent),
    /// Everything else: the upstream may have taken it. Ask; never send again.
    Unknown(Doubt),
}

/// What a query told about the order number that was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an answer that is not recorded is lost evidence"]
pub enum QueryOutcome {
    /// The upstream knows the order.
    Found(Sighting),
    /// The upstream said explicitly that it has no such order. That alone proves nothing: a delayed
    /// submit may still arrive.
    NotFound(Answer),
    /// The question was not answered: transport trouble, a rate limit, maintenance, an unreadable
    /// answer. It teaches nothing.
    Unavailable(Unavailable),
}

/// The state an upstream reports for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpstreamState {
    /// 充值中.
    Charging,
    /// 充值成功.
    Succeeded,
    /// 充值失败 or 撤销.
    Failed,
}

impl UpstreamState {
    /// The name in files, answers and docs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charging => "charging",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// What an upstream answered, safe to store, log and show: secrets and phone numbers are masked when
/// it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The upstream's code, as text; empty where the answer had none.
    pub code: String,
    /// The upstream's message, or our own words about an answer that had none.
    pub message: String,
    /// The body as received, up to [`Answer::RAW_LIMIT`] characters.
    pub raw: String,
}

impl Answer {
    /// How many characters of a raw answer are kept.
    pub const RAW_LIMIT: usize = 4096;

    /// Keeps an answer, with `secrets` and anything that looks like a mobile number masked, and so is
    /// each of `accounts` (an order's own account, which may not look like one).
    pub fn new(
        code: impl Into<String>,
        message: &str,
        raw: &str,
        secrets: &[&SecretString],
        accounts: &[&str],
    ) -> Self {
        let keep = |text: &str| {
            let mut text = redact(text, secrets, accounts);
            // Only a text of more bytes can have more characters.
            if text.len() > Self::RAW_LIMIT {
                let end = text
                    .char_indices()
                    .nth(Self::RAW_LIMIT)
                    .map_or(text.len(), |(at, _)| at);
                text.truncate(end);
            }
            text
        };
        Self {
            code: keep(&code.into()),
            message: keep(message),
            raw: keep(raw),
        }
    }
}

/// Masks secrets, the named accounts, and every run of 11 digits that begins with 1 (13 with 86 before).
///
/// For texts that came from outside and are to be stored or shown. Runs of other lengths stay: they
/// are order numbers, and an operator needs them.
pub fn redact(text: &str, secrets: &[&SecretString], accounts: &[&str]) -> String {
    let mut text = Cow::Borrowed(text);
    let mut secrets: Vec<&str> = secrets
        .iter()
        .map(|secret| secret.expose_secret())
        .collect();
    // A secret that begins another one would leave the rest of that one standing.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        hide(&mut text, secret, |_| "***".to_owned());
    }
    // Mobile numbers are found by their form, whoever's they are.
    for account in accounts.iter().filter(|account| !is_mobile(account)) {
        hide(&mut text, account, mask);
        if account.contains('-') {
            hide(&mut text, &account.replace('-', ""), mask);
        }
    }
    mask_mobiles(text, accounts)
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
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    // A run that long covers one in so many places, so looking at those is enough.
    let mut probe = from + MOBILE_DIGITS - 1;
    while probe < text.len() {
        if is_digit(probe) {
            let start = (from..probe)
                .rev()
                .find(|at| !is_digit(*at))
                .map_or(from, |at| at + 1);
            let end = (probe..text.len())
                .find(|at| !is_digit(*at))
                .unwrap_or(text.len());
            if end - start >= MOBILE_DIGITS {
                return Some(start..end);
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

/// The upstream's acknowledgement of a submit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The upstream's own number, when it gave one.
    pub upstream_order_id: Option<UpstreamOrderId>,
    /// The state reported with the acknowledgement. Only a query proves an end.
    pub reported: UpstreamState,
    /// The price reported with the acknowledgement.
    pub cost: Option<Money>,
    /// What was answered.
    pub answer: Answer,
}

impl Receipt {
    /// A receipt for an order that is charging, with no number and no price.
    pub const fn new(answer: Answer) -> Self {
        Self {
            upstream_order_id: None,
            reported: UpstreamState::Charging,
            cost: None,
            answer,
        }
    }
}

/// A refusal by a code that proves "not accepted", when it answers a first submit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// What was answered.
    pub answer: Answer,
    /// What the reader can do about it, where the adapter knows.
    pub advice: Option<String>,
}

impl Rejection {
    /// A rejection without advice.
    pub const fn new(answer: Answer) -> Self {
        Self {
            answer,
            advice: None,
        }
    }
}

/// Knowledge that not one byte of a request was written, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotSent {
    /// Why, in words.
    pub reason: String,
}

impl NotSent {
    /// Not sent, and why.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// Why it is not known whether an order was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Doubt {
    /// The kind of doubt.
    pub kind: DoubtKind,
    /// The same in words.
    pub detail: String,
    /// What was answered, if anything.
    pub answer: Option<Answer>,
}

impl Doubt {
    /// A doubt without an answer.
    pub fn new(kind: DoubtKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            answer: None,
        }
    }

    /// The same doubt, with what was answered.
    #[must_use]
    pub fn with_answer(mut self, answer: Answer) -> Self {
        self.answer = Some(answer);
        self
    }
}

/// The kinds of [`Doubt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DoubtKind {
    /// No answer: a timeout, a reset, a truncated or oversized one.
    NoAnswer,
    /// An HTTP status other than 200.
    HttpStatus,
    /// An answer that can't be read.
    Unreadable,
    /// A code that proves nothing, or that is not listed.
    Code,
    /// The answer names another phone, order number or face value than ours.
    Echo,
    /// Nobody read the answer: the caller went away, or the process stopped.
    Dropped,
}

/// What a query found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sighting {
    /// The state reported.
    pub state: UpstreamState,
    /// The upstream's own number, when it gave one.
    pub upstream_order_id: Option<UpstreamOrderId>,
    /// What was deducted, when it said.
    pub cost: Option<Money>,
    /// What was answered.
    pub answer: Answer,
}

impl Sighting {
    /// An order in that state, with no number and no price.
    pub const fn new(state: UpstreamState, answer: Answer) -> Self {
        Self {
            state,
            upstream_order_id: None,
            cost: None,
            answer,
        }
    }
}

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unavailable {
    /// The kind of trouble.
    pub kind: UnavailableKind,
    /// The same in words.
    pub detail: String,
    /// What was answered, if anything.
    pub answer: Option<Answer>,
}

impl Unavailable {
    /// Trouble without an answer.
    pub fn new(kind: UnavailableKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            answer: None,
        }
    }

    /// The same trouble, with what was answered.
    #[must_use]
    pub fn with_answer(mut self, answer: Answer) -> Self {
        self.answer = Some(answer);
        self
    }
}

/// The kinds of [`Unavailable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnavailableKind {
    /// Transport trouble: no answer, or an HTTP status other than 200.
    Transport,
    /// Too many calls, or a quota used up.
    RateLimited,
    /// The upstream or the carrier is under maintenance.
    Maintenance,
    /// The upstream refuses our key or address.
    Denied,
    /// An answer that can't be read, a state that is not listed, or one about another order.
    Unreadable,
    /// A code that says nothing about the order.
    Code,
    /// The provider has no such call.
    Unsupported,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lesson_14_no_secret_and_no_mobile_number_survives(
            before in "[a-z \":{,]{0,20}", after in "[a-z \"}]{0,20}",
            key in "[a-f0-9]{32}", phone in "1[0-9]{10}",
        ) {
            let secret = SecretString::from(key.clone());
            let raw = format!("{before}{key} {phone}{after}");
            let answer = Answer::new("10001", &raw, &raw, &[&secret], &[]);
            let shown = format!("{answer:?}");
            prop_assert!(!shown.contains(&key), "{}", shown);
            prop_assert!(!shown.contains(&phone), "{}", shown);
        }

        #[test]
        fn text_without_secrets_is_kept_to_the_letter(text in "[a-zA-Z\u{4e00}-\u{4eff}\":{}]{0,200}") {
            prop_assert_eq!(redact(&text, &[], &[]), text);
        }
    }

    #[test]
    fn accounts_that_do_not_look_like_one_are_masked_with_and_without_their_dash() {
        let shown = redact(
            "tel 0571-56565366, 057156565366, order J201125162114667",
            &[],
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
            prop_assert_eq!(redact(&text, &[], &[]) + ".", expected);
        }

        #[test]
        fn a_mobile_number_of_the_order_is_found_in_longer_runs_too(
            before in "[0-9]{0,9}", phone in "1[0-9]{10}", after in "[0-9]{0,9}",
        ) {
            let text = format!("J{before}{phone}{after}!");
            prop_assert!(!redact(&text, &[], &[&phone]).contains(&phone));
        }
    }

    #[test]
    fn a_secret_that_begins_another_leaves_nothing_of_it() {
        let (short, long) = (SecretString::from("abcd"), SecretString::from("abcd1234"));
        assert_eq!(redact("key=abcd1234", &[&short, &long], &[]), "key=***");
        let longer = SecretString::from("0123456789abcdef0123456789abcdef0123456789");
        assert_eq!(
            redact(
                "[0123456789abcdef0123456789abcdef0123456789]",
                &[&longer],
                &[]
            ),
            "[***]"
        );
    }

    #[test]
    fn a_huge_answer_is_kept_in_part() {
        let answer = Answer::new("", "", &"大".repeat(10_000), &[], &[]);
        assert_eq!(answer.raw.chars().count(), Answer::RAW_LIMIT);
    }
}
