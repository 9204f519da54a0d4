//! A day by the hour, as a picture and as a table that says the same.

use maud::{Markup, html};
use suanpan_wechat::Fen;

use super::days::{DAY, HOUR};
use super::page::Visit;
use super::parts::yuan;
use super::words::{Say, say};
use crate::store::Hour;

/// The payments and refunds of a day that begins at `start`, unix microseconds.
pub(super) fn day(visit: &Visit, start: i64, paid: &[Hour], refunded: &[Hour]) -> Markup {
    let hours: Vec<_> = (0..24).map(|hour| Bars::of(start, hour, paid, refunded)).collect();
    let most = hours.iter().map(Bars::highest).max().unwrap_or_default();
    html! {
        figure.chart {
            @if most == 0 {
                p.hint { (visit.say(NOTHING_YET)) }
            } @else {
                (picture(visit, &hours, most))
            }
            @if most != 0 {
                details.twin {
                    summary { (visit.say(AS_TABLE)) }
                    (table(visit, &hours))
                }
            }
        }
    }
}

/// What one hour shows.
struct Bars {
    hour: i64,
    paid: Option<Hour>,
    refunded: Option<Hour>,
}

impl Bars {
    fn of(start: i64, hour: i64, paid: &[Hour], refunded: &[Hour]) -> Self {
        let at = start.saturating_add(hour.saturating_mul(HOUR).min(DAY));
        let find = |hours: &[Hour]| hours.iter().find(|hour| hour.at == at).copied();
        Self { hour, paid: find(paid), refunded: find(refunded) }
    }

    fn highest(&self) -> i64 {
        sum(self.paid).max(sum(self.refunded))
    }
}

fn sum(hour: Option<Hour>) -> i64 {
    hour.map_or(0, |hour| hour.sum)
}

/// A bar for the money in and one for the money back; the latter is striped too, for whoever sees no colours.
fn picture(visit: &Visit, hours: &[Bars], most: i64) -> Markup {
    let height = |sum: i64| {
        let high = sum.saturating_mul(HEIGHT).checked_div(most).unwrap_or_default();
        if sum == 0 { 0 } else { high.max(2) }
    };
    let left = |hour: i64| hour.saturating_mul(STEP);
    html! {
        figcaption.legend aria-hidden="true" {
            span.in { (visit.say(MONEY_IN)) }
            span.out { (visit.say(MONEY_BACK)) }
        }
        svg viewBox="0 0 720 190" role="img" aria-label=(visit.say(CHART)) {
            @for line in [0, 75, 150] {
                line.grid x1="0" x2="720" y1=(line + 10) y2=(line + 10) {}
            }
            @for bars in hours {
                @let (paid, refunded) = (height(sum(bars.paid)), height(sum(bars.refunded)));
                rect.in x=(left(bars.hour).saturating_add(4)) width="14" y=(BASE.saturating_sub(paid)) height=(paid) {}
                rect.out x=(left(bars.hour).saturating_add(19)) width="7" y=(BASE.saturating_sub(refunded)) height=(refunded) {}
                @if bars.hour.rem_euclid(3) == 0 {
                    text x=(left(bars.hour).saturating_add(4)) y="180" { (bars.hour) }
                }
            }
        }
    }
}

fn table(visit: &Visit, hours: &[Bars]) -> Markup {
    let with = hours.iter().filter(|bars| bars.highest() != 0);
    html! {
        table {
            caption.unseen { (visit.say(CHART)) }
            thead {
                tr {
                    th scope="col" { (visit.say(HOUR_OF_DAY)) }
                    th.number scope="col" { (visit.say(MONEY_IN)) }
                    th.number scope="col" { (visit.say(MONEY_BACK)) }
                }
            }
            tbody {
                @for bars in with {
                    tr {
                        th scope="row" { (bars.hour) ":00" }
                        td.number { (amount(bars.paid)) }
                        td.number { (amount(bars.refunded)) }
                    }
                }
            }
        }
    }
}

fn amount(hour: Option<Hour>) -> Markup {
    let sum = hour.and_then(|hour| Some((Fen::new(hour.sum)?, hour.count)));
    html! {
        @match sum {
            Some((sum, count)) => { (yuan(sum)) span.sub { (count) } },
            None => "–",
        }
    }
}

/// The highest bar, in units of the picture.
const HEIGHT: i64 = 150;
/// Where the bars stand.
const BASE: i64 = 160;
/// From hour to hour.
const STEP: i64 = 30;

const CHART: Say = say("这一天每小时的收款与退款", "Money in and back by the hour");
const MONEY_IN: Say = say("收款", "Money in");
const MONEY_BACK: Say = say("退款", "Money back");
const HOUR_OF_DAY: Say = say("时段", "Hour");
const AS_TABLE: Say = say("看数字", "The same as a table");
const NOTHING_YET: Say = say("这一天还没有收款。", "No money has come in on this day.");
