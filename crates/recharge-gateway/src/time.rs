//! Times as they are shown and written: in China, where there is one offset all year.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone, offset};
use recharge_engine::WallTime;

const CHINA: Offset = offset(8);
const HOUR: u64 = 3_600;

/// For people, such as `2027-01-15 16:00:00+08:00`.
pub fn local(at: WallTime) -> String {
    format(at, "%Y-%m-%d %H:%M:%S%:z")
}

/// For programs, such as `2027-01-15T16:00:00.000+08:00`.
pub fn rfc3339(at: WallTime) -> String {
    format(at, "%Y-%m-%dT%H:%M:%S%.3f%:z")
}

/// As the upstreams write it, such as `2027-01-15 16:00:00`.
pub(crate) fn plain(at: WallTime) -> String {
    format(at, "%Y-%m-%d %H:%M:%S")
}

/// Fourteen digits, such as `20270115160000`.
pub fn digits(at: WallTime) -> String {
    format(at, "%Y%m%d%H%M%S")
}

fn format(at: WallTime, form: &str) -> String {
    match Timestamp::from_millisecond(at.millis()) {
        Ok(time) => time
            .to_zoned(TimeZone::fixed(CHINA))
            .strftime(form)
            .to_string(),
        // Some hundred thousand years away: a clock has gone wrong, and that may be seen.
        Err(_) => format!("{} ms", at.millis()),
    }
}

/// A span in its two largest units, such as `3d 4h` or `5m 0s`.
pub fn age(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours) = (seconds / (24 * HOUR), seconds / HOUR % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m {rest}s"),
        (0, _, _) => format!("{hours}h {minutes}m"),
        (_, _, _) => format!("{days}d {hours}h"),
    }
}

/// The day of that name in China: from its midnight to the next.
pub fn day(text: &str) -> Option<(WallTime, WallTime)> {
    let _: Date = text.parse().ok().filter(|_| text.len() == 10)?;
    let from = parse(text).ok()?;
    Some((from, from.after(Duration::from_hours(24))))
}

/// Reads a day (its midnight), or a day and a time, in China unless it names its offset.
pub fn parse(text: &str) -> Result<WallTime, &'static str> {
    let time = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| CHINA.to_timestamp(text.parse::<DateTime>().ok()?).ok())
        .or_else(|| {
            CHINA
                .to_timestamp(
                    text.parse::<Date>()
                        .ok()?
                        .to_datetime(jiff::civil::Time::midnight()),
                )
                .ok()
        });
    time.map(|time| WallTime::from_millis(time.as_millisecond()))
        .ok_or("write a day or a day and a time, such as 2027-01-15 or 2027-01-15T16:00")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AT: WallTime = WallTime::from_millis(1_800_000_000_123);

    #[test]
    fn times_are_those_of_china() {
        assert_eq!(local(AT), "2027-01-15 16:00:00+08:00");
        assert_eq!(rfc3339(AT), "2027-01-15T16:00:00.123+08:00");
        assert_eq!(plain(AT), "2027-01-15 16:00:00");
        assert_eq!(digits(AT), "20270115160000");
        assert_eq!(
            local(WallTime::from_millis(i64::MAX)),
            format!("{} ms", i64::MAX)
        );
    }

    #[test]
    fn what_is_shown_is_read() {
        for text in [
            "2027-01-15T16:00:00.123+08:00",
            "2027-01-15T08:00:00.123Z",
            "2027-01-15T16:00:00.123",
            "2027-01-15 16:00:00.123",
        ] {
            assert_eq!(parse(text), Ok(AT), "{text}");
        }
        let midnight = AT.midnight_in_china();
        assert_eq!(local(midnight), "2027-01-15 00:00:00+08:00");
        assert_eq!(parse("2027-01-15"), Ok(midnight));
        assert_eq!(parse(&local(midnight)), Ok(midnight));
        for wrong in ["", "today", "15.1.2027", "2027-02-30", "2027-01-15T25:00"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ages_have_two_units() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m 0s"),
            (3_599, "59m 59s"),
            (3_600, "1h 0m"),
            (90_000, "1d 1h"),
        ] {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
    }

    proptest! {
        #[test]
        fn no_time_and_no_text_is_too_much(millis: i64, text: String) {
            let at = WallTime::from_millis(millis);
            let _ = (local(at), rfc3339(at), at.midnight_in_china(), parse(&text));
        }
    }
}
