//! WeChat's ways to write a time: always Beijing's, UTC+8, the whole year round.
//!
//! Inside, a time is a count of unix seconds; these functions are the edge.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

/// `yyyyMMddHHmmss` at UTC+8, as APIv2 writes times. An impossible time is the epoch.
pub fn beijing_compact(unix: i64) -> String {
    format("%Y%m%d%H%M%S", unix)
}

/// `2018-06-08T10:34:56+08:00`, as APIv3 writes times. An impossible time is the epoch.
pub fn beijing_rfc3339(unix: i64) -> String {
    format("%Y-%m-%dT%H:%M:%S+08:00", unix)
}

/// `2018-06-08T10:34:56.120+08:00`, as order shipping writes times; of unix milliseconds.
pub fn beijing_rfc3339_millis(unix_millis: i64) -> String {
    let seconds = format("%Y-%m-%dT%H:%M:%S", unix_millis.div_euclid(1000));
    format!("{seconds}.{:03}+08:00", unix_millis.rem_euclid(1000))
}

/// `2017-12-15 09:46:01` at UTC+8, as APIv2 writes when a refund arrived. An impossible time is the epoch.
pub fn beijing_spaced(unix: i64) -> String {
    format("%Y-%m-%d %H:%M:%S", unix)
}

/// Reads `2017-12-15 09:46:01` at UTC+8 as unix seconds.
pub fn parse_beijing_spaced(text: &str) -> Option<i64> {
    let time = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok().filter(|_| text.len() == 19)?;
    beijing().to_timestamp(time).ok().map(Timestamp::as_second)
}

/// Reads `yyyyMMddHHmmss` at UTC+8 as unix seconds.
pub fn parse_beijing_compact(text: &str) -> Option<i64> {
    let plain = text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit());
    let time = DateTime::strptime("%Y%m%d%H%M%S", text).ok().filter(|_| plain)?;
    beijing().to_timestamp(time).ok().map(Timestamp::as_second)
}

/// Reads an RFC 3339 time as unix seconds. Fractions and `Z` may occur
/// (`pay.weixin.qq.com/wiki/doc/apiv3/wechatpay/wechatpay2_0.shtml`).
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// The day at UTC+8 that holds this moment, in unix seconds. `None`: no calendar holds it.
pub(crate) fn beijing_date(unix: i64) -> Option<Date> {
    let time = Timestamp::from_second(unix).ok()?;
    Some(beijing().to_datetime(time).date())
}

/// The first second of a day at UTC+8, in unix seconds. An impossible day is the epoch.
pub(crate) fn beijing_midnight(date: Date) -> i64 {
    let time = beijing().to_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
    time.unwrap_or(Timestamp::UNIX_EPOCH).as_second()
}

fn format(pattern: &str, unix: i64) -> String {
    let time = Timestamp::from_second(unix).unwrap_or(Timestamp::UNIX_EPOCH);
    beijing().to_datetime(time).strftime(pattern).to_string()
}

fn beijing() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    // `TZ=Asia/Shanghai date -d @1528425296 +%Y%m%d%H%M%S`
    #[test]
    fn both_forms_are_beijing_time_and_come_back() {
        assert_eq!(beijing_compact(1_528_425_296), "20180608103456");
        assert_eq!(beijing_rfc3339(1_528_425_296), "2018-06-08T10:34:56+08:00");
        assert_eq!(beijing_rfc3339_millis(1_528_425_296_007), "2018-06-08T10:34:56.007+08:00");
        assert_eq!(parse_beijing_compact("20180608103456"), Some(1_528_425_296));
        assert_eq!(beijing_spaced(1_528_425_296), "2018-06-08 10:34:56");
        assert_eq!(parse_beijing_spaced("2018-06-08 10:34:56"), Some(1_528_425_296));
        assert_eq!(parse_rfc3339("2018-06-08T10:34:56+08:00"), Some(1_528_425_296));
        assert_eq!(parse_rfc3339("2018-06-08T02:34:56.789Z"), Some(1_528_425_296));
    }

    #[test]
    fn nonsense_is_none() {
        for text in ["", "2018060810345", "20181308103456", "2018-06-08 10:34:56"] {
            assert_eq!(parse_beijing_compact(text), None, "{text}");
        }
        for text in ["", "2018-06-08 10:34", "2018-6-8 10:34:56", "20180608103456"] {
            assert_eq!(parse_beijing_spaced(text), None, "{text}");
        }
        assert_eq!(parse_rfc3339("yesterday"), None);
    }
}
