//! Days as people of money count them: in Beijing.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::offset;

use super::parts::date;
use crate::Error;

/// When the day began in Beijing that this moment is of; both in unix microseconds.
pub(super) fn day_start(micros: i64) -> i64 {
    let beijing = micros.saturating_add(EIGHT_HOURS);
    beijing.saturating_sub(beijing.rem_euclid(DAY)).saturating_sub(EIGHT_HOURS)
}

/// When this day begins in Beijing, in unix microseconds. `name` is that of the field that it was written in.
pub(super) fn read_day(name: &'static str, text: &str) -> Result<i64, Error> {
    let start = |day: Date| offset(8).to_timestamp(day.to_datetime(Time::midnight())).ok();
    let day = text.parse().ok().and_then(start);
    day.map(Timestamp::as_microsecond)
        .ok_or_else(|| Error::field(name, "must be a day such as 2026-01-31"))
}

/// The day of this moment, as a date field takes it.
pub(super) fn write_day(micros: i64) -> String {
    date(micros)
}

/// In microseconds.
pub(super) const DAY: i64 = 24 * HOUR;
/// In microseconds.
pub(super) const HOUR: i64 = 3_600_000_000;
const EIGHT_HOURS: i64 = 8 * HOUR;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_beijing() {
        let eight = 1_767_225_600_000_000;
        let midnight = eight - EIGHT_HOURS;
        for moment in [midnight, eight, midnight + DAY - 1] {
            assert_eq!(day_start(moment), midnight);
        }
        assert_eq!(day_start(midnight - 1), midnight - DAY);
        assert_eq!(read_day("from", "2026-01-01").unwrap(), midnight);
        assert_eq!(write_day(midnight), "2026-01-01");
        assert!(read_day("from", "2026-02-30").is_err());
        assert!(read_day("from", "1/1/2026").is_err());
    }
}
