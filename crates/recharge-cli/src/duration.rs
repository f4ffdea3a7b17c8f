//! Durations as text: `300ms`, `5s`, `2m`, `1h`.

use std::time::Duration;

/// The units, largest first, with their milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// What a duration looks like.
pub(crate) const RIGHT: &str =
    "a duration is a whole number with its unit, such as \"300ms\", \"5s\", \"2m\" or \"1h\"";

/// Reads a whole number followed by `ms`, `s`, `m` or `h`.
pub(crate) fn parse(text: &str) -> Result<Duration, &'static str> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let unit = text.strip_prefix(digits).unwrap_or_default();
    let (_, millis) = UNITS
        .into_iter()
        .find(|(name, _)| *name == unit)
        .ok_or(RIGHT)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(RIGHT);
    }
    let count: u64 = digits.parse().map_err(|_| RIGHT)?;
    count
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or(RIGHT)
}

/// The shortest text that [`parse`] reads back. Less than a millisecond is dropped.
pub(crate) fn show(duration: Duration) -> String {
    let millis = duration.as_millis();
    let (unit, per) = UNITS
        .into_iter()
        .map(|(unit, per)| (unit, u128::from(per)))
        .find(|(_, per)| millis >= *per && millis.is_multiple_of(*per))
        .unwrap_or(("s", 1_000));
    format!("{}{unit}", millis / per)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(millis in 0_u64..u64::MAX / 2) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&show(duration)), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = parse(&text);
        }
    }

    #[test]
    fn units_are_read_as_written() {
        for (text, millis) in [
            ("300ms", 300),
            ("5s", 5_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)));
            assert_eq!(show(Duration::from_millis(millis)), text);
        }
        assert_eq!(show(Duration::ZERO), "0s");
        for wrong in [
            "",
            "5",
            "s",
            "ms",
            "1.5s",
            "-1s",
            "+1s",
            "5 s",
            " 5s",
            "5S",
            "1d",
            "1h30m",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert_eq!(parse(wrong), Err(RIGHT), "{wrong:?}");
        }
    }
}
