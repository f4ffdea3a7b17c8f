//! What is topped up: a mobile number, a landline, a broadband account, or a combined one.

use std::fmt;

/// The kind of an [`Account`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// 手机 a mobile number.
    Mobile,
    /// 固话 a fixed line.
    Landline,
    /// 宽带 a broadband account.
    Broadband,
    /// 固话宽带合账 a landline and broadband on one bill.
    Combined,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Mobile,
        Self::Landline,
        Self::Broadband,
        Self::Combined,
    ];

    /// The name in configuration, files and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Landline => "landline",
            Self::Broadband => "broadband",
            Self::Combined => "combined",
        }
    }

    /// The kind of that [`as_str`](Self::as_str) name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for AccountKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An account of a known kind, in its canonical form.
///
/// `Display` and `Debug` mask the middle of it, so that it can stand in a log; the text itself comes
/// from [`as_str`](Self::as_str), by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    kind: AccountKind,
    text: Box<str>,
}

impl Account {
    /// Reads an account.
    ///
    /// - mobile: 11 digits, the first a 1;
    /// - landline: area code and number, with or without a dash. `057156565366` becomes
    ///   `0571-56565366`, so that both spellings are the same account. 010 and 02x are area codes of
    ///   three digits, all others have four; the number has 7 or 8;
    /// - broadband: 4 to 64 letters and digits, also with `@`, `.`, `_` and `-` inside, as carriers
    ///   hand them out;
    /// - combined: a landline or a broadband account.
    pub fn parse(kind: AccountKind, text: &str) -> Result<Self, ParseAccountError> {
        let text = match kind {
            AccountKind::Mobile => mobile(text).ok_or(ParseAccountError::Mobile)?,
            AccountKind::Landline => landline(text).ok_or(ParseAccountError::Landline)?,
            AccountKind::Broadband => broadband(text).ok_or(ParseAccountError::Broadband)?,
            AccountKind::Combined => landline(text)
                .or_else(|| broadband(text))
                .ok_or(ParseAccountError::Combined)?,
        };
        Ok(Self {
            kind,
            text: text.into(),
        })
    }

    /// What is left of an account that was forgotten: its masked form, and no other. It stands for no account
    /// that can be topped up.
    pub fn forgotten(kind: AccountKind, masked: &str) -> Option<Self> {
        let is_masked = masked.contains(MASK) && mask(masked) == masked;
        is_masked.then(|| Self {
            kind,
            text: masked.into(),
        })
    }

    /// Whether only its masked form is left.
    pub fn is_forgotten(&self) -> bool {
        // No account that can be read has a star.
        self.text.contains(MASK)
    }

    /// The kind.
    pub const fn kind(&self) -> AccountKind {
        self.kind
    }

    /// The full text, as it goes on the wire. Not for logs: print the account itself there.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether an upstream's echo names this account: dashes apart, the same text.
    pub fn is_named_by(&self, echo: &str) -> bool {
        let plain = |b: &u8| *b != b'-';
        echo.trim()
            .bytes()
            .filter(plain)
            .eq(self.text.bytes().filter(plain))
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&mask(&self.text))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({} {})", self.kind, mask(&self.text))
    }
}

/// What stands for the middle of an account.
const MASK: &str = "****";

/// Hides the middle of an account's text: `189****1234`; of a short one all but the ends.
pub(crate) fn mask(text: &str) -> String {
    let (head, tail) = if text.chars().nth(9).is_some() {
        (3, 4)
    } else {
        (1, 2)
    };
    let head = text
        .char_indices()
        .nth(head)
        .map_or(text.len(), |(at, _)| at);
    let tail = text
        .char_indices()
        .nth_back(tail - 1)
        .map_or(0, |(at, _)| at);
    let (head, tail) = (text.get(..head), text.get(tail..));
    [head.unwrap_or_default(), MASK, tail.unwrap_or_default()].concat()
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn mobile(text: &str) -> Option<String> {
    (text.len() == 11 && text.starts_with('1') && all_digits(text)).then(|| text.to_owned())
}

fn landline(text: &str) -> Option<String> {
    let digits = text.replacen('-', "", 1);
    // No area code begins with 00; read as one, it would be another account's digits moved by a place.
    if !digits.starts_with('0') || digits.starts_with("00") || !all_digits(&digits) {
        return None;
    }
    let area_length = if digits.starts_with("010") || digits.starts_with("02") {
        3
    } else {
        4
    };
    let (area, number) = digits.split_at_checked(area_length)?;
    let dash_in_place = text.find('-').is_none_or(|at| at == area_length);
    ((7..=8).contains(&number.len()) && dash_in_place).then(|| format!("{area}-{number}"))
}

fn broadband(text: &str) -> Option<String> {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'.' | b'_' | b'-');
    let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    ((4..=64).contains(&bytes.len())
        && bytes.iter().all(|b| inner(*b))
        && ends(bytes.first())
        && ends(bytes.last()))
    .then(|| text.to_owned())
}

/// Why a text is not an account of the wanted kind. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseAccountError {
    /// Not a mobile number.
    #[error(
        "a mobile number has 11 digits, the first a 1, such as 18900001234 (no +86, spaces or dashes)"
    )]
    Mobile,
    /// Not a landline.
    #[error(
        "a landline has its area code and 7 or 8 digits, with or without a dash, such as 0571-56565366"
    )]
    Landline,
    /// Not a broadband account.
    #[error(
        "a broadband account has 4 to 64 letters and digits (also @ . _ - inside), such as hz12345678"
    )]
    Broadband,
    /// Neither a landline nor a broadband account.
    #[error(
        "a combined account is a landline such as 0571-56565366 or a broadband account of 4 to 64 letters and digits"
    )]
    Combined,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_full_number_is_never_shown(text in "1[0-9]{10}") {
            let account = Account::parse(AccountKind::Mobile, &text).unwrap();
            prop_assert_eq!(account.as_str(), text.as_str());
            let masked = format!("{}****{}", &text[..3], &text[7..]);
            prop_assert_eq!(account.to_string(), masked.clone());
            prop_assert_eq!(format!("{account:?}"), format!("Account(mobile {masked})"));
        }

        #[test]
        fn both_spellings_of_a_landline_are_one_account(area in "(010|02[0-9]|0[3-9][0-9]{2})", number in "[0-9]{7,8}") {
            let dashed = Account::parse(AccountKind::Landline, &format!("{area}-{number}")).unwrap();
            let plain = Account::parse(AccountKind::Landline, &format!("{area}{number}")).unwrap();
            prop_assert_eq!(&dashed, &plain);
            let plain_text = format!("{area}{number}");
            prop_assert!(dashed.is_named_by(&plain_text) && dashed.is_named_by(dashed.as_str()));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text: String) {
            for kind in AccountKind::ALL {
                let _ = Account::parse(kind, &text).map(|account| account.to_string());
            }
        }

        #[test]
        fn of_a_forgotten_account_the_masked_form_is_left(text in "(1[0-9]{10}|[a-z0-9]{4,64}|0571-[0-9]{8})") {
            for kind in AccountKind::ALL {
                let Ok(account) = Account::parse(kind, &text) else { continue };
                let masked = account.to_string();
                let forgotten = Account::forgotten(kind, &masked).unwrap();
                prop_assert!(forgotten.is_forgotten() && !account.is_forgotten());
                prop_assert_eq!((forgotten.to_string(), forgotten.kind()), (masked.clone(), kind));
                prop_assert!(Account::parse(kind, &masked).is_err() && Account::forgotten(kind, &text).is_none());
                prop_assert!(!forgotten.is_named_by(&text));
            }
        }

        #[test]
        fn another_account_is_not_named(mine in "1[0-9]{10}", other in "1[0-9]{10}") {
            let account = Account::parse(AccountKind::Mobile, &mine).unwrap();
            prop_assert_eq!(account.is_named_by(&other), mine == other);
        }
    }

    #[test]
    fn of_a_short_text_less_is_shown() {
        for (text, masked) in [
            ("hz12", "h****12"),
            ("hz1234567", "h****67"),
            ("hz12345678", "hz1****5678"),
            ("大大大大", "大****大大"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }

    #[test]
    fn kinds_are_read_back() {
        for kind in AccountKind::ALL {
            assert_eq!(AccountKind::parse(&kind.to_string()), Some(kind));
        }
        assert_eq!(AccountKind::parse("Mobile"), None);
    }

    #[test]
    fn the_documented_samples_are_accounts() {
        let sample = Account::parse(AccountKind::Landline, "0571-56565366").unwrap();
        assert_eq!(sample.as_str(), "0571-56565366");
        assert_eq!(sample.to_string(), "057****5366");
        assert!(Account::parse(AccountKind::Mobile, "18900001234").is_ok());
    }

    #[test]
    fn wrong_input_is_refused_with_what_would_be_right() {
        use AccountKind::{Broadband, Combined, Landline, Mobile};
        for (kind, text) in [
            (Mobile, ""),
            (Mobile, "1390000123"),
            (Mobile, "189000012345"),
            (Mobile, "28900001234"),
            (Mobile, "+8618900001234"),
            (Mobile, "189 0000 1234"),
            (Mobile, "1890000123x"),
            (Mobile, "１８９００００１２３４"),
            (Landline, "56565367"),
            (Landline, "05-7156565366"),
            (Landline, "0571-565653666"),
            (Landline, "0571-565654"),
            (Landline, "0571--56565366"),
            (Landline, "0571-5656-5366"),
            (Landline, "010-123456"),
            (Landline, "0010-12345678"),
            (Landline, "1571-56565366"),
            (Landline, "0571-5656536x"),
            (Broadband, "abc"),
            (Broadband, "宽带账号12"),
            (Broadband, "has space"),
            (Broadband, "@abcdef"),
            (Combined, "x!y"),
        ] {
            let error = Account::parse(kind, text).unwrap_err().to_string();
            assert!(
                error.contains("such as") || error.contains("4 to 64"),
                "{text:?}: {error}"
            );
            assert!(
                text.is_empty() || !error.contains(text),
                "the text itself is not repeated"
            );
        }
    }

    #[test]
    fn combined_takes_either_form_and_keeps_the_canonical_one() {
        let read = |text| Account::parse(AccountKind::Combined, text).unwrap();
        assert_eq!(read("057156565366").as_str(), "0571-56565366");
        assert_eq!(read("hz12345678@163.gd").as_str(), "hz12345678@163.gd");
    }
}
