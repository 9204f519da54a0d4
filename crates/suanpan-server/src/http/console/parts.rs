//! What pages are made of: times, amounts, states, ids.

use std::borrow::Cow;

use maud::{Markup, PreEscaped, html};
use suanpan_ledger::{AttemptState, OrderStatus, RefundState, ShippingState};
use suanpan_wechat::Fen;

use super::links;
use super::page::Visit;
use super::words::{self, Say};
use crate::ids::OrderId;
use crate::order::rfc3339;
use crate::timeline;

/// A moment in Beijing, with UTC in its title. `micros` is unix microseconds.
pub(super) fn time(micros: i64) -> Markup {
    titled_time(micros, &timeline::clock(micros))
}

/// The same, the time of day only: for lists that have the date above.
pub(super) fn time_of_day(micros: i64) -> Markup {
    let clock = timeline::clock(micros);
    titled_time(micros, clock.get(11..).unwrap_or(&clock))
}

/// The date of a moment in Beijing.
pub(super) fn date(micros: i64) -> String {
    let clock = timeline::clock(micros);
    clock.get(..10).map_or_else(|| clock.clone(), str::to_owned)
}

fn titled_time(micros: i64, text: &str) -> Markup {
    let utc = rfc3339(micros).to_string();
    html! { time datetime=(utc) title={ (utc) " (UTC)" } { (text) } }
}

/// An amount in yuan, its thousands set apart.
pub(super) fn yuan(amount: Fen) -> Markup {
    html! { span.yuan { span.sign { "¥" } (grouped(&amount.to_string())) } }
}

/// `1234567.00` as `1,234,567.00`.
fn grouped(text: &str) -> String {
    let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
    let mut grouped = String::new();
    for (position, digit) in whole.chars().enumerate() {
        let left = whole.len().saturating_sub(position);
        if position != 0 && left.checked_rem(3) == Some(0) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if cents.is_empty() { grouped } else { format!("{grouped}.{cents}") }
}

/// Where an order stands: a word, a colour and a shape.
pub(super) fn order_badge(visit: &Visit, status: OrderStatus) -> Markup {
    let (tone, shape) = match status {
        OrderStatus::Unpaid => ("idle", RING),
        OrderStatus::Paying => ("wait", CLOCK),
        OrderStatus::Paid => ("good", CHECK),
        OrderStatus::Closed => ("idle", DASH),
    };
    let word = visit.say(words::order_status(status));
    html! { span.badge.(tone) data-status=(status.as_str()) { (shape) (word) } }
}

/// Where an attempt stands.
pub(super) fn attempt_badge(visit: &Visit, state: AttemptState) -> Markup {
    let (tone, shape) = match state {
        AttemptState::Created | AttemptState::Prepaid => ("wait", CLOCK),
        AttemptState::Paid => ("good", CHECK),
        AttemptState::Closed => ("idle", DASH),
        AttemptState::Failed => ("bad", CROSS),
    };
    badge(tone, shape, visit.say(words::attempt_state(state)))
}

/// Where a refund stands.
pub(super) fn refund_badge(visit: &Visit, state: RefundState) -> Markup {
    let (tone, shape) = match state {
        RefundState::Processing => ("wait", CLOCK),
        RefundState::Succeeded => ("good", CHECK),
        RefundState::Closed => ("idle", DASH),
        RefundState::Abnormal => ("bad", BANG),
    };
    badge(tone, shape, visit.say(words::refund_state(state)))
}

/// Where a shipment stands.
pub(super) fn shipping_badge(visit: &Visit, state: ShippingState) -> Markup {
    let (tone, shape) = match state {
        ShippingState::Waiting | ShippingState::Uploading | ShippingState::Uploaded => {
            ("wait", CLOCK)
        }
        ShippingState::Shipped | ShippingState::Confirmed | ShippingState::Settled => {
            ("good", CHECK)
        }
        ShippingState::Refunded | ShippingState::NotManaged => ("idle", DASH),
        ShippingState::Refused => ("bad", CROSS),
    };
    badge(tone, shape, visit.say(words::shipping_state(state)))
}

/// What we made of a notification.
pub(super) fn verdict_badge(visit: &Visit, verdict: &str) -> Markup {
    let (tone, shape) = match verdict {
        "moved" => ("good", CHECK),
        "known" | "asked" => ("idle", DASH),
        "unmatched" => ("wait", BANG),
        _ => ("bad", CROSS),
    };
    badge(tone, shape, words::verdict(verdict).map_or(verdict, |say| visit.say(say)))
}

/// The HTTP status that a receiver answered with, if it did.
pub(super) fn answer_badge(visit: &Visit, status: Option<i64>) -> Markup {
    match status {
        Some(status) if (200..300).contains(&status) => badge("good", CHECK, &status.to_string()),
        Some(status) => badge("bad", CROSS, &status.to_string()),
        None => badge("bad", CROSS, visit.say(words::NO_ANSWER)),
    }
}

/// Something that waits, or was given up.
pub(super) fn waiting_badge(visit: &Visit, gave_up: bool) -> Markup {
    if gave_up {
        badge("bad", BANG, visit.say(words::GAVE_UP))
    } else {
        badge("wait", CLOCK, visit.say(words::NEXT_TRY))
    }
}

pub(super) fn badge(tone: &str, shape: PreEscaped<&str>, word: &str) -> Markup {
    html! { span.badge.(tone) { (shape) (word) } }
}

/// A long id, its middle left out; the whole of it is in the title.
pub(super) fn short_id(id: &str) -> Markup {
    html! { span.mono title=[(22 < id.len()).then_some(id)] { (short_text(id)) } }
}

fn short_text(id: &str) -> Cow<'_, str> {
    let ends = id.get(..12).zip(id.len().checked_sub(6).and_then(|from| id.get(from..)));
    match ends {
        Some((head, tail)) if 22 < id.len() => format!("{head}…{tail}").into(),
        _ => id.into(),
    }
}

/// A fact: its name, and what it is.
pub(super) fn fact(visit: &Visit, name: Say, value: &Markup) -> Markup {
    html! { div { dt { (visit.say(name)) } dd { (value) } } }
}

pub(super) fn or_dash(value: Option<Markup>) -> Markup {
    value.unwrap_or_else(|| html! { span.soft { "–" } })
}

/// A part of a page under its heading.
pub(super) fn section(visit: &Visit, title: Say, name: &str, content: &Markup) -> Markup {
    html! {
        section.panel.{ "p-" (name) } data-testid=(name) aria-labelledby={ "h-" (name) } {
            h2 #{ "h-" (name) } { (visit.say(title)) }
            (content)
        }
    }
}

/// Where an event went. Without its query string: some receivers keep a password there.
pub(super) fn address(url: &str) -> String {
    let Ok(url) = url::Url::parse(url) else { return String::new() };
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{host}{port}{}", url.path())
}

/// The way to an order.
pub(super) fn order_link(id: &OrderId) -> Markup {
    html! { a.mono href=(links::order(id.as_str())) title=(id) { (short_text(id.as_str())) } }
}

/// How long, in the largest unit that fits. `micros` is in microseconds.
pub(super) fn span(visit: &Visit, micros: i64) -> String {
    let seconds = micros.max(0).div_euclid(1_000_000);
    let (count, unit) = match seconds {
        0..60 => (seconds, words::SECONDS),
        60..3_600 => (seconds.div_euclid(60), words::MINUTES),
        3_600..172_800 => (seconds.div_euclid(3_600), words::HOURS),
        _ => (seconds.div_euclid(86_400), words::DAYS),
    };
    format!("{count} {}", visit.say(unit))
}

/// A latency: `4 ms`, `1.2 s`.
pub(super) fn latency(micros: i64) -> String {
    let millis = micros.max(0).div_euclid(1_000);
    if millis < 1_000 {
        format!("{millis} ms")
    } else {
        let (seconds, rest) = (millis.div_euclid(1_000), millis.rem_euclid(1_000));
        format!("{seconds}.{} s", rest.div_euclid(100))
    }
}

pub(super) const RING: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="5"/></svg>"#,
);
pub(super) const CLOCK: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6"/><path d="M8 4.8V8l2.3 1.4"/></svg>"#,
);
pub(super) const CHECK: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 8.4l3.4 3.4L13 5"/></svg>"#,
);
pub(super) const DASH: PreEscaped<&str> =
    PreEscaped(r#"<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 8h8"/></svg>"#);
pub(super) const CROSS: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4.2 4.2l7.6 7.6M11.8 4.2l-7.6 7.6"/></svg>"#,
);
pub(super) const BANG: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 3.2v5.6M8 12.4v.2"/></svg>"#,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (fen, want) in [
            (1, "0.01"),
            (990, "9.90"),
            (99_999, "999.99"),
            (100_000, "1,000.00"),
            (123_456_789, "1,234,567.89"),
        ] {
            assert_eq!(grouped(&Fen::new(fen).unwrap().to_string()), want);
        }
    }

    #[test]
    fn a_moment_is_shown_in_beijing_and_told_in_utc() {
        let shown = time(1_767_225_600_000_000).into_string();
        assert_eq!(
            shown,
            r#"<time datetime="2026-01-01T00:00:00Z" title="2026-01-01T00:00:00Z (UTC)">2026-01-01 08:00:00</time>"#
        );
        assert!(time_of_day(1_767_225_600_000_000).into_string().contains(">08:00:00<"));
    }

    #[test]
    fn an_id_keeps_both_of_its_ends() {
        let shown = short_id("ord_019b76da2c007000800000000000000a0123456789abcdef").into_string();
        assert!(shown.contains(">ord_019b76da…abcdef<"), "{shown}");
        assert!(short_id("ord_12345678").into_string().contains(">ord_12345678<"));
        assert!(short_id("编号编号编号编号编号编号编号").into_string().contains(">编号"));
    }

    #[test]
    fn a_latency_has_the_unit_that_fits() {
        assert_eq!(latency(4_499), "4 ms");
        assert_eq!(latency(1_250_000), "1.2 s");
    }
}
