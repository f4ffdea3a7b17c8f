//! Single values of a row: each is read, or it is said what would be right. What was written is never
//! repeated: it may be a phone number in the wrong column.

use recharge_core::{Account, AccountKind, Carrier, FaceValue, Money};

pub(crate) fn kind(text: &str) -> Result<AccountKind, String> {
    AccountKind::parse(text).ok_or_else(|| {
        let names = AccountKind::ALL.map(AccountKind::as_str);
        format!("write one of {}", names.join(", "))
    })
}

pub(crate) fn carrier(text: &str) -> Result<Carrier, String> {
    let plain = text.strip_prefix("中国").unwrap_or(text);
    let is_it = |carrier: &Carrier| carrier.as_str() == text || carrier.chinese() == plain;
    Carrier::ALL.into_iter().find(is_it).ok_or_else(|| {
        let names = Carrier::ALL.map(Carrier::as_str);
        format!("write one of {}, or leave it empty", names.join(", "))
    })
}

/// Whole yuan: `100`, and `100.0` or `100.00`, as spreadsheets write it.
pub(crate) fn amount(text: &str) -> Result<FaceValue, String> {
    let places = text.split_once('.').map_or(0, |(_, places)| places.len());
    let yuan = || {
        let money: Money = text.parse().ok()?;
        let yuan = u32::try_from(money.whole_yuan()?).ok()?;
        FaceValue::from_yuan(yuan).ok()
    };
    let read = if places <= 2 { yuan() } else { None };
    read.ok_or_else(|| {
        "write whole yuan above zero, such as 100 or 100.00, without signs and commas".to_owned()
    })
}

pub(crate) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "是" => Ok(true),
        "false" | "0" | "no" | "否" | "" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}

/// An account. A spreadsheet that takes it for a number damages it, and that is said.
pub(crate) fn account(kind: AccountKind, text: &str) -> Result<Account, String> {
    // Before it is read: in this form it could be a broadband account.
    if is_scientific(text) {
        return Err(
            "a spreadsheet has changed this number into one like 1.38E+10, and its digits are lost: format the column as text and enter the accounts again"
                .to_owned(),
        );
    }
    let error = match Account::parse(kind, text) {
        Ok(account) => return Ok(account),
        Err(error) => error,
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let lost_zero = matches!(kind, AccountKind::Landline | AccountKind::Combined)
        && digits(text)
        && !text.starts_with('0')
        && (9..=11).contains(&text.len());
    Err(if lost_zero {
        format!("the 0 of the area code is missing, as spreadsheets drop it: {error}")
    } else if text
        .strip_suffix(".0")
        .or_else(|| text.strip_suffix(".00"))
        .is_some_and(digits)
    {
        format!("a spreadsheet has added decimal places: format the column as text; {error}")
    } else if text.starts_with(['=', '\'', '"']) {
        format!("write the account alone, without = and quotes: {error}")
    } else {
        error.to_string()
    })
}

/// `1.38E+10` and the like.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, places) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let signed = exponent.starts_with(['+', '-']);
    digits(whole)
        && digits(places)
        && digits(exponent.trim_start_matches(['+', '-']))
        && (signed || mantissa.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_yuan() {
        for (text, yuan) in [("100", 100), ("100.0", 100), ("100.00", 100), ("1", 1)] {
            assert_eq!(amount(text), Ok(FaceValue::from_yuan(yuan).unwrap()));
        }
        for wrong in [
            "",
            "0",
            "0.00",
            "-100",
            "+100",
            "100.5",
            "100.000",
            "1e2",
            "1,000",
            "¥100",
            "100元",
            "１００",
            "100.",
            ".5",
            "4294967296",
            "1 00",
        ] {
            assert!(amount(wrong).unwrap_err().contains("whole yuan"), "{wrong}");
        }
    }

    #[test]
    fn what_a_spreadsheet_did_to_an_account_is_named() {
        use AccountKind::{Broadband, Combined, Landline, Mobile};
        for (kind, text, says) in [
            (Mobile, "1.38E+10", "format the column as text"),
            (Mobile, "1.38001380001e+10", "format the column as text"),
            (Mobile, "1E+10", "format the column as text"),
            (Broadband, "1.38E10", "format the column as text"),
            (Landline, "57156565366", "the 0 of the area code is missing"),
            (Landline, "2112345678", "the 0 of the area code is missing"),
            (Mobile, "13800138000.0", "added decimal places"),
            (Mobile, "=\"13800138000\"", "without = and quotes"),
            (Mobile, "'13800138000", "without = and quotes"),
            (Mobile, "1380013800", "11 digits"),
            (Combined, "x", "4 to 64"),
        ] {
            let told = account(kind, text).unwrap_err();
            assert!(told.contains(says), "{text}: {told}");
            assert!(!told.contains("13800138000"), "{told}");
        }
        assert!(account(Broadband, "abc1e10").is_ok() && account(Broadband, "1e10").is_ok());
    }

    #[test]
    fn carriers_and_switches_are_read_as_people_write_them() {
        assert_eq!(carrier("unicom"), Ok(Carrier::Unicom));
        assert_eq!(carrier("联通"), Ok(Carrier::Unicom));
        assert_eq!(carrier("中国电信"), Ok(Carrier::Telecom));
        assert!(carrier("vodafone").is_err() && carrier("").is_err());
        for yes in ["true", "TRUE", "1", "yes", "Yes", "是"] {
            assert_eq!(yes_or_no(yes), Ok(true), "{yes}");
        }
        for no in ["false", "FALSE", "0", "no", "否", ""] {
            assert_eq!(yes_or_no(no), Ok(false), "{no}");
        }
        assert!(yes_or_no("y").is_err() && yes_or_no("2").is_err());
    }
}
