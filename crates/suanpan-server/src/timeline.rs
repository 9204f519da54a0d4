//! The story of an order: its journal as text, the same in tests, console, log and support.
//!
//! ```text
//! 2026-01-01 08:00:00 order        created: 9.90 CNY, reference tea-1
//! 2026-01-01 08:00:03 login        code 0b3** is oUpF…6o
//! 2026-01-01 08:00:03 prepay       APIv3 gave wx0108… for SP…
//! ```
//!
//! Times are Beijing's, as on WeChat's merchant platform.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use suanpan_wechat::time::beijing_rfc3339;
use utoipa::ToSchema;

use crate::ids::OrderId;
use crate::order::rfc3339;

/// One line of the story. Nothing in it is secret: openids and codes are masked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Where in the flow.
    pub step: Step,
    /// What happened, for people.
    pub change: String,
    /// The same for machines; may be empty.
    pub detail: Map<String, Value>,
}

/// Where in the flow something happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The merchant's system made or closed the order.
    Order,
    /// The payer logged in.
    Login,
    /// The order was placed at WeChat.
    Prepay,
    /// The payment parameters were signed.
    SecondSign,
    /// WeChat told us.
    Notify,
    /// We asked WeChat.
    Query,
    /// WeChat's bill of the day told us.
    Bill,
    /// We closed an attempt at WeChat.
    Close,
    /// Money goes back.
    Refund,
    /// WeChat is told what is shipped.
    Shipping,
    /// The merchant's system was told.
    Webhook,
}

impl Step {
    pub(crate) const ALL: [Self; 11] = [
        Self::Order,
        Self::Login,
        Self::Prepay,
        Self::SecondSign,
        Self::Notify,
        Self::Query,
        Self::Bill,
        Self::Close,
        Self::Refund,
        Self::Shipping,
        Self::Webhook,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Login => "login",
            Self::Prepay => "prepay",
            Self::SecondSign => "second_sign",
            Self::Notify => "notify",
            Self::Query => "query",
            Self::Bill => "bill",
            Self::Close => "close",
            Self::Refund => "refund",
            Self::Shipping => "shipping",
            Self::Webhook => "webhook",
        }
    }
}

impl FromStr for Step {
    type Err = UnknownStep;

    fn from_str(word: &str) -> Result<Self, UnknownStep> {
        Self::ALL.into_iter().find(|step| step.as_str() == word).ok_or(UnknownStep)
    }
}

/// The text is not a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a step of the flow")]
pub struct UnknownStep;

impl Entry {
    /// A line without facts for machines.
    pub fn new(step: Step, change: impl Into<String>) -> Self {
        Self { step, change: change.into(), detail: Map::new() }
    }

    /// The line with one more fact for machines.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    /// The line with one more fact, where there is one.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Says it in the log. Call it when it is durable.
    pub(crate) fn log(&self, order: &OrderId) {
        let detail = (!self.detail.is_empty()).then(|| json!(self.detail).to_string());
        let (step, order_id) = (self.step.as_str(), order.as_str());
        tracing::info!(target: "suanpan::step", step, order_id, detail, "{}", self.change);
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12} {}", self.step.as_str(), self.change)
    }
}

/// The journal of an order as a text, a line an entry.
pub fn text(journal: &[(i64, Entry)]) -> String {
    journal.iter().map(|(at, entry)| format!("{} {entry}\n", clock(*at))).collect()
}

/// 订单的经过。/ The story of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Timeline)]
pub struct TimelineView {
    /// 订单号 / the order's id
    #[schema(value_type = String, example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")]
    order_id: OrderId,
    /// 每一步，从早到晚 / every step, oldest first
    entries: Vec<EntryView>,
    /// 同样的经过，写成文字，北京时间 / the same as text, in Beijing time
    #[schema(example = "2026-01-01 08:00:00 order        created: 9.90 CNY, tea-1\n")]
    text: String,
}

/// 经过中的一步。/ A step of the story.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
pub struct EntryView {
    /// 什么时候 / when
    #[schema(value_type = String, format = DateTime, example = "2026-01-01T00:00:00Z")]
    at: Timestamp,
    /// 流程的哪一步 / where in the flow
    #[schema(value_type = String, example = "order")]
    step: &'static str,
    /// 发生了什么，给人看 / what happened, for people
    #[schema(example = "created: 9.90 CNY, tea-1")]
    change: String,
    /// 同样的事，给程序看 / the same for machines
    #[schema(value_type = Object, example = json!({ "amount": 990 }))]
    detail: Map<String, Value>,
}

/// The journal of an order in JSON.
pub fn view(order: &OrderId, journal: &[(i64, Entry)]) -> TimelineView {
    let entry = |(at, entry): &(i64, Entry)| EntryView {
        at: rfc3339(*at),
        step: entry.step.as_str(),
        change: entry.change.clone(),
        detail: entry.detail.clone(),
    };
    let entries = journal.iter().map(entry).collect();
    TimelineView { order_id: order.clone(), entries, text: text(journal) }
}

/// `2026-01-01T00:00:00Z`, of unix microseconds.
pub fn utc(micros: i64) -> String {
    rfc3339(micros).to_string()
}

/// `2026-01-01 08:00:00` in Beijing, of unix microseconds.
pub fn clock(micros: i64) -> String {
    let time = beijing_rfc3339(micros.div_euclid(1_000_000));
    time.get(..19).map_or_else(|| time.clone(), |time| time.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_is_a_text() {
        let created = Entry::new(Step::Order, "created: 9.90 CNY").with("amount", 990);
        let signed = Entry::new(Step::SecondSign, "RSA paySign for wx01");
        let journal = [(1_767_225_600_000_000, created), (1_767_225_603_999_999, signed)];
        insta::assert_snapshot!(text(&journal), @r"
        2026-01-01 08:00:00 order        created: 9.90 CNY
        2026-01-01 08:00:03 second_sign  RSA paySign for wx01
        ");
    }

    #[test]
    fn every_word_is_read_back() {
        assert!(Step::ALL.iter().all(|step| step.as_str().parse() == Ok(*step)));
        assert!("".parse::<Step>().is_err());
    }
}
