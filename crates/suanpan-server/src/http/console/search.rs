//! What a list of orders is narrowed by, as it stands in the address.

use suanpan_ledger::OrderStatus;
use suanpan_wechat::Fen;

use super::super::paging::read_cursor;
use super::days::{DAY, read_day};
use super::links::{self, query_value, with_query};
use super::page::Visit;
use crate::Error;
use crate::store::{Narrow, OrderFilter};

/// What the list is narrowed by.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    pub(super) status: Option<OrderStatus>,
    pub(super) text: Option<String>,
    /// The first day, in Beijing.
    pub(super) from: Option<String>,
    /// The last day, in Beijing.
    pub(super) to: Option<String>,
    pub(super) app: Option<String>,
    /// In yuan.
    pub(super) least: Option<String>,
    /// In yuan.
    pub(super) most: Option<String>,
    pub(super) cursor: Option<String>,
    amounts: (Option<i64>, Option<i64>),
}

impl Search {
    pub(super) fn read(visit: &Visit) -> Result<Self, Error> {
        let given = |name| {
            let value = query_value(visit.here(), name)?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let status = given("status").map(|word| word.parse::<OrderStatus>()).transpose();
        let (least, most) = (given("least"), given("most"));
        let amounts = (fen("least", least.as_deref())?, fen("most", most.as_deref())?);
        Ok(Self {
            status: status
                .map_err(|_| Error::field("status", "must be unpaid, paying, paid or closed"))?,
            text: given("q"),
            from: given("from"),
            to: given("to"),
            app: given("app"),
            least,
            most,
            cursor: given("cursor"),
            amounts,
        })
    }

    /// What an index knows of it; at most `limit` orders.
    pub(super) fn filter(&self, limit: i64) -> Result<OrderFilter, Error> {
        let from = self.from.as_deref().map(|day| read_day("from", day)).transpose()?;
        let to = self.to.as_deref().map(|day| read_day("to", day)).transpose()?;
        Ok(OrderFilter {
            status: self.status,
            reference: self.text.clone(),
            created_after: from.map(|at| at.saturating_sub(1)),
            created_before: to.map(|at| at.saturating_add(DAY)),
            before: self.cursor.as_deref().map(read_cursor).transpose()?,
            limit,
        })
    }

    /// What no index knows. A reference is searched for alone: it is one of few.
    pub(super) fn narrow(&self) -> Option<Narrow> {
        let (least, most) = self.amounts;
        let narrow = Narrow { app: self.app.clone(), least, most };
        (narrow != Narrow::default() && self.text.is_none()).then_some(narrow)
    }

    /// The list narrowed by this status, and all else the same.
    pub(super) fn with_status(&self, status: Option<OrderStatus>) -> String {
        Self { status, cursor: None, ..self.clone() }.link(links::ORDERS)
    }

    pub(super) fn newest(&self) -> String {
        Self { cursor: None, ..self.clone() }.link(links::ORDERS)
    }

    pub(super) fn older(&self, cursor: &str) -> String {
        Self { cursor: Some(cursor.to_owned()), ..self.clone() }.link(links::ORDERS)
    }

    /// All that fit, as a file.
    pub(super) fn export(&self) -> String {
        Self { cursor: None, ..self.clone() }.link(links::ORDERS_CSV)
    }

    fn link(&self, path: &str) -> String {
        let query = [
            ("status", self.status.map(OrderStatus::as_str)),
            ("q", self.text.as_deref()),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("app", self.app.as_deref()),
            ("least", self.least.as_deref()),
            ("most", self.most.as_deref()),
            ("cursor", self.cursor.as_deref()),
        ];
        with_query(path, &query)
    }

    pub(super) const fn is_narrow(&self) -> bool {
        self.status.is_some()
            || self.text.is_some()
            || self.from.is_some()
            || self.to.is_some()
            || self.app.is_some()
            || self.least.is_some()
            || self.most.is_some()
    }
}

fn fen(name: &'static str, yuan: Option<&str>) -> Result<Option<i64>, Error> {
    let amount = yuan.map(|yuan| read_yuan(name, yuan)).transpose()?;
    Ok(amount.map(Fen::get))
}

/// An amount as people write it: `1,234.5` or `¥9.90`.
pub(super) fn read_yuan(name: &'static str, text: &str) -> Result<Fen, Error> {
    let plain = text.trim().replace([',', '¥'], "");
    plain.parse().map_err(|_| Error::field(name, "must be yuan such as 9.90"))
}
