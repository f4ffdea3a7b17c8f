//! Unix seconds as Beijing time.

/// Year, month, day, hour, minute, second in Beijing (UTC+8, no summer time).
pub(crate) fn beijing(unix: u64) -> [u64; 6] {
    let local = unix + 8 * 3600;
    let (days, seconds) = (local / 86_400, local % 86_400);
    // The usual trick: count from 1 March of the year 0, so that the leap day is the last of a year.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    [
        year,
        month,
        day,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
    ]
}

#[cfg(test)]
mod tests {
    use super::beijing;

    #[test]
    fn known_instants() {
        assert_eq!(beijing(0), [1970, 1, 1, 8, 0, 0]);
        assert_eq!(beijing(1_461_309_295), [2016, 4, 22, 15, 14, 55]);
        assert_eq!(beijing(951_782_399), [2000, 2, 29, 7, 59, 59]);
        assert_eq!(beijing(951_782_399 + 86_400), [2000, 3, 1, 7, 59, 59]);
        assert_eq!(beijing(1_704_038_400), [2024, 1, 1, 0, 0, 0]);
    }
}
