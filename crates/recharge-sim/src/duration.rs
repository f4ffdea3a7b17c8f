//! Durations as text: `300ms`, `2s`, `5m`, `1h`.

use std::time::Duration;

/// Reads a whole number followed by `ms`, `s`, `m` or `h`. The error says what would be right.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(recharge_sim::parse_duration("300ms"), Ok(Duration::from_millis(300)));
/// assert!(recharge_sim::parse_duration("2").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "{text:?} is not a time: write a whole number and a unit, such as 300ms, 2s, 5m or 1h"
        )
    };
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (count, unit) = text.split_at_checked(unit_at).ok_or_else(wrong)?;
    let count: u64 = count.parse().map_err(|_| wrong())?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    count
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(parse_duration("5m"), Ok(Duration::from_mins(5)));
        assert_eq!(parse_duration("1h"), Ok(Duration::from_hours(1)));
        assert_eq!(parse_duration("0s"), Ok(Duration::ZERO));
        for wrong in [
            "",
            "s",
            "2",
            "2 s",
            "-1s",
            "1.5s",
            "1d",
            "99999999999999999999s",
        ] {
            let error = parse_duration(wrong).unwrap_err();
            assert!(error.contains("300ms"), "{error}");
        }
    }
}
