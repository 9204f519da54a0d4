//! When something that failed is tried again.

/// The waits between tries, in seconds. When they are used up, it is given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Schedule(&'static [i64]);

/// Webhooks: twelve tries over 29 hours, so a receiver that is down for a whole day misses nothing.
pub const WEBHOOK: Schedule = Schedule(&[
    5,
    30,
    2 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
    6 * HOUR,
    8 * HOUR,
    8 * HOUR,
]);

/// Queries whose answer is in doubt: fifteen tries over 30 hours. Close at first, since somebody waits before the payment
/// sheet; then about as long as WeChat itself repeats a notification.
pub const QUERY: Schedule = Schedule(&[
    5,
    15,
    30,
    MINUTE,
    3 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    2 * HOUR,
    4 * HOUR,
    6 * HOUR,
    6 * HOUR,
    8 * HOUR,
]);

/// Refunds that are under way: each minute, slower after five, then four times a day for ten days.
///
/// Cards take up to three working days, and WeChat itself closes a refund when the merchant's balance is short for seven.
pub const REFUND: Schedule = Schedule(&refund_waits());

const fn refund_waits() -> [i64; 57] {
    let mut waits = [6 * HOUR; 57];
    let first = [
        MINUTE,
        MINUTE,
        MINUTE,
        MINUTE,
        MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        20 * MINUTE,
        30 * MINUTE,
        HOUR,
        HOUR,
        HOUR,
        2 * HOUR,
        2 * HOUR,
        4 * HOUR,
        4 * HOUR,
        4 * HOUR,
    ];
    waits.split_at_mut(first.len()).0.copy_from_slice(&first);
    waits
}

impl Schedule {
    /// How many tries there are in all.
    pub const fn tries(self) -> usize {
        self.0.len().saturating_add(1)
    }

    /// How many seconds to wait after this try failed; 1 is the first. `None`: give up.
    ///
    /// `jitter`, 0 to 999, makes the wait longer by up to a tenth, so that what
    /// failed together does not come back together. Never shorter: the times
    /// that the documentation promises are kept.
    pub fn after(self, attempt: i64, jitter: i64) -> Option<i64> {
        let position = usize::try_from(attempt).ok()?.checked_sub(1)?;
        let wait = *self.0.get(position)?;
        let more = wait.checked_mul(jitter.clamp(0, 999))?.checked_div(10_000)?;
        wait.checked_add(more)
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn table(schedule: Schedule) -> String {
        let waits: Vec<_> = (1..).map_while(|attempt| schedule.after(attempt, 0)).collect();
        assert_eq!(schedule.tries().checked_sub(waits.len()), Some(1));
        assert!(waits.is_sorted());

        let mut at = 0_i64;
        let lines = waits.iter().map(|wait| {
            at = at.saturating_add(*wait);
            format!(
                "after {wait:5} s, at {:02}:{:02}:{:02}",
                at / HOUR,
                at % HOUR / MINUTE,
                at % MINUTE
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_webhook_is_tried_for_more_than_a_day() {
        assert_snapshot!(table(WEBHOOK), @r"
        after     5 s, at 00:00:05
        after    30 s, at 00:00:35
        after   120 s, at 00:02:35
        after   600 s, at 00:12:35
        after  1800 s, at 00:42:35
        after  3600 s, at 01:42:35
        after  7200 s, at 03:42:35
        after 14400 s, at 07:42:35
        after 21600 s, at 13:42:35
        after 28800 s, at 21:42:35
        after 28800 s, at 29:42:35
        ");
    }

    #[test]
    fn a_query_is_asked_soon_and_then_for_more_than_a_day() {
        assert_snapshot!(table(QUERY), @r"
        after     5 s, at 00:00:05
        after    15 s, at 00:00:20
        after    30 s, at 00:00:50
        after    60 s, at 00:01:50
        after   180 s, at 00:04:50
        after   600 s, at 00:14:50
        after  1800 s, at 00:44:50
        after  3600 s, at 01:44:50
        after  7200 s, at 03:44:50
        after  7200 s, at 05:44:50
        after 14400 s, at 09:44:50
        after 21600 s, at 15:44:50
        after 21600 s, at 21:44:50
        after 28800 s, at 29:44:50
        ");
    }

    #[test]
    fn a_refund_is_asked_about_each_minute_and_then_for_more_than_ten_days() {
        let table = table(REFUND);
        let lines: Vec<_> = table.lines().collect();
        assert_snapshot!(format!("{}\n…\n{}", lines[..18].join("\n"), lines[56]), @r"
        after    60 s, at 00:01:00
        after    60 s, at 00:02:00
        after    60 s, at 00:03:00
        after    60 s, at 00:04:00
        after    60 s, at 00:05:00
        after   300 s, at 00:10:00
        after   600 s, at 00:20:00
        after  1200 s, at 00:40:00
        after  1800 s, at 01:10:00
        after  3600 s, at 02:10:00
        after  3600 s, at 03:10:00
        after  3600 s, at 04:10:00
        after  7200 s, at 06:10:00
        after  7200 s, at 08:10:00
        after 14400 s, at 12:10:00
        after 14400 s, at 16:10:00
        after 14400 s, at 20:10:00
        after 21600 s, at 26:10:00
        …
        after 21600 s, at 260:10:00
        ");
    }

    #[track_caller]
    fn check(attempt: i64, jitter: i64, want: Option<i64>) {
        assert_eq!(WEBHOOK.after(attempt, jitter), want, "attempt {attempt}, jitter {jitter}");
    }

    #[test]
    fn jitter_only_adds_and_at_most_a_tenth() {
        check(6, 0, Some(3600));
        check(6, 500, Some(3780));
        check(6, 999, Some(3959));
        check(6, 5000, Some(3959));
        check(6, -1, Some(3600));
    }

    #[test]
    fn there_is_no_wait_before_the_first_try_or_after_the_last() {
        check(0, 0, None);
        check(-3, 0, None);
        check(12, 0, None);
        check(i64::MAX, 0, None);
    }
}
