//! When something that failed is tried again, and when WeChat is asked about an attempt.
//!
//! A [`Schedule`] counts tries: it is for work that failed. [`Ages`] count from
//! the moment that a payer could pay: whoever was down for an hour looks once
//! and goes on where the clock is, instead of making up for each look missed.

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

/// A bill that WeChat has not made yet, or that could not be had: each half an hour, as WeChat asks, for fourteen hours;
/// then more and more rarely, three days in all.
pub const BILL: Schedule = Schedule(&bill_waits());

/// Shipping information that WeChat does not take yet: it learns of a payment 10 s to 2 min after it, so often for ten
/// minutes; then slower, to the deadline.
pub const SHIPPING: Schedule = Schedule(&[
    10,
    20,
    30,
    MINUTE,
    MINUTE,
    2 * MINUTE,
    2 * MINUTE,
    3 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
]);

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

const fn bill_waits() -> [i64; 40] {
    let mut waits = [6 * HOUR; 40];
    let (first, rest) = waits.split_at_mut(28);
    first.copy_from_slice(&[30 * MINUTE; 28]);
    rest.split_at_mut(4).0.copy_from_slice(&[2 * HOUR; 4]);
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

impl Schedule {
    /// As [`after`](Self::after), for what must never be given up: when the waits are used up, the last one once more.
    pub fn after_or_last(self, attempt: i64, jitter: i64) -> i64 {
        let last = i64::try_from(self.0.len()).unwrap_or(i64::MAX);
        self.after(attempt.clamp(1, last.max(1)), jitter).unwrap_or(MINUTE)
    }
}

/// How old an attempt is when WeChat is asked about it, in seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ages(&'static [i64]);

/// A payment whose notification may be lost.
///
/// Close at first, since somebody waits for the goods; once more when the `prepay_id` has opened its last sheet, after two hours; then about as rarely as WeChat repeats a notification, and
/// daily to the end of the order's life.
pub const ATTEMPT: Ages = Ages(&[
    5,
    15,
    30,
    MINUTE,
    3 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR + 5 * MINUTE,
    6 * HOUR,
    12 * HOUR,
    DAY,
]);

/// Goods that are on their way: asked about rarely, since nothing depends on the answer but what people read.
pub const SHIPPED: Ages = Ages(&[DAY, 3 * DAY, 7 * DAY, 15 * DAY, 30 * DAY]);

impl Ages {
    /// The age at which to look next, for something of this age; after the last one it is daily. Both in microseconds,
    /// so that jitter spreads even the first seconds.
    ///
    /// `jitter`, 0 to 999, makes the wait longer by up to a tenth of the step, as in [`Schedule::after`].
    pub fn next(self, age: i64, jitter: i64) -> i64 {
        let ends = self.0.iter().map(|seconds| seconds.saturating_mul(SECOND));
        let steps = [0].into_iter().chain(ends.clone()).zip(ends);
        let (from, to) = steps.into_iter().find(|(_, to)| age < *to).unwrap_or_else(|| {
            let day = DAY.saturating_mul(SECOND);
            let from = age.saturating_sub(age.checked_rem(day).unwrap_or_default());
            (from, from.saturating_add(day))
        });
        // Divided first: a step is seconds, and so at least thousands.
        let part = to.saturating_sub(from).checked_div(10_000).unwrap_or_default();
        to.saturating_add(part.saturating_mul(jitter.clamp(0, 999)))
    }
}

/// In microseconds.
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

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
    fn shipping_is_told_until_wechat_knows_the_payment() {
        assert_snapshot!(table(SHIPPING), @r"
        after    10 s, at 00:00:10
        after    20 s, at 00:00:30
        after    30 s, at 00:01:00
        after    60 s, at 00:02:00
        after    60 s, at 00:03:00
        after   120 s, at 00:05:00
        after   120 s, at 00:07:00
        after   180 s, at 00:10:00
        after   600 s, at 00:20:00
        after  1800 s, at 00:50:00
        after  3600 s, at 01:50:00
        after  7200 s, at 03:50:00
        after 14400 s, at 07:50:00
        ");
    }

    #[test]
    fn a_bill_is_asked_for_each_half_an_hour_and_then_for_days() {
        let table = table(BILL);
        let lines: Vec<_> = table.lines().collect();
        let some = [lines[0], "…", lines[27], lines[28], "…", lines[39]];
        assert_snapshot!(some.join("\n"), @r"
        after  1800 s, at 00:30:00
        …
        after  1800 s, at 14:00:00
        after  7200 s, at 16:00:00
        …
        after 21600 s, at 70:00:00
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

    #[test]
    fn an_attempt_is_asked_about_while_anybody_may_pay_it() {
        let mut age = 0;
        let looks = (0..15).map(|_| {
            age = ATTEMPT.next(age, 0);
            let age = age / SECOND;
            let (days, hours) = (age / DAY, age % DAY / HOUR);
            format!("{days} d {hours:02}:{:02}:{:02}", age % HOUR / MINUTE, age % MINUTE)
        });
        assert_snapshot!(looks.collect::<Vec<_>>().join("\n"), @r"
        0 d 00:00:05
        0 d 00:00:15
        0 d 00:00:30
        0 d 00:01:00
        0 d 00:03:00
        0 d 00:10:00
        0 d 00:30:00
        0 d 01:00:00
        0 d 02:05:00
        0 d 06:00:00
        0 d 12:00:00
        1 d 00:00:00
        2 d 00:00:00
        3 d 00:00:00
        4 d 00:00:00
        ");
    }

    #[test]
    fn an_age_that_was_slept_through_is_not_made_up_for() {
        let next = |age: i64, jitter, want: i64| {
            assert_eq!(ATTEMPT.next(age * SECOND, jitter), want * 1000, "{age} s, jitter {jitter}");
        };
        next(-3, 0, 5_000);
        next(4, 0, 5_000);
        next(5, 0, 15_000);
        next(7 * MINUTE, 0, 600_000);
        next(3 * DAY + 1, 0, 4 * DAY * 1000);
        // Steps of five seconds and of seven minutes, and nearly a tenth of each.
        assert_eq!(ATTEMPT.next(0, 999), 5_499_500);
        next(7 * MINUTE, 999, 641_958);
        assert_eq!(ATTEMPT.next(i64::MAX, 999), i64::MAX);
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
    fn what_must_not_be_given_up_waits_as_long_as_the_last_time() {
        let waits =
            [-1, 1, 2, 11, 12, 1000, i64::MAX].map(|attempt| WEBHOOK.after_or_last(attempt, 0));
        assert_eq!(waits, [5, 5, 30, 28_800, 28_800, 28_800, 28_800]);
    }

    #[test]
    fn there_is_no_wait_before_the_first_try_or_after_the_last() {
        check(0, 0, None);
        check(-3, 0, None);
        check(12, 0, None);
        check(i64::MAX, 0, None);
    }
}
