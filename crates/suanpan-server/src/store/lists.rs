//! The console's lists: orders narrowed by more than an index knows, refunds, and what happened last.

use suanpan_ledger::{OrderStatus, RefundState};

use super::{OrderFilter, Row, StoreError, Tx};
use crate::ids::OrderId;
use crate::order::Order;
use crate::refund::Refund;
use crate::timeline::Step;
use crate::vals;

/// What narrows a list of orders beside its [`OrderFilter`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Narrow {
    /// Only those of this app.
    pub app: Option<String>,
    /// Only those of at least so much, in fen.
    pub least: Option<i64>,
    /// Only those of at most so much, in fen.
    pub most: Option<i64>,
}

/// Which refunds a list shows, newest first.
#[derive(Clone, Debug, Default)]
pub struct RefundFilter {
    /// Only these.
    pub state: Option<RefundState>,
    /// Only those made at or after this time, unix microseconds.
    pub since: Option<i64>,
    /// Only those older than this one: its creation time and id.
    pub before: Option<(i64, String)>,
    /// At most so many.
    pub limit: i64,
}

/// A line of some order's journal.
#[derive(Clone, Debug)]
pub struct Line {
    /// The order.
    pub order_id: OrderId,
    /// Its number among the lines of the order.
    pub seq: i64,
    /// When, in unix microseconds.
    pub at: i64,
    /// Which step of the flow.
    pub step: Step,
    /// What changed.
    pub change: String,
}

/// Part of a list for which only so many orders were looked at.
#[derive(Clone, Debug)]
pub struct Looked {
    /// Those that fit.
    pub orders: Vec<Order>,
    /// How far was looked, where that was not to the end: time and id.
    pub until: Option<(i64, String)>,
}

impl Tx {
    /// Orders that fit, newest first. Of a long history only the newest [`WINDOW`] from where the list begins are looked
    /// at, so that a list of few among many is not waited for; how far that was is told.
    pub async fn orders_narrow(
        &mut self,
        filter: &OrderFilter,
        narrow: &Narrow,
    ) -> Result<Looked, StoreError> {
        let (at, id) = filter.end();
        let after = filter.created_after.unwrap_or(i64::MIN);
        let (least, most) = (narrow.least.unwrap_or(0), narrow.most.unwrap_or(i64::MAX));
        let app = narrow.app.as_deref();
        let (rows, last) = match filter.status.map(OrderStatus::as_str) {
            Some(status) => {
                let args = vals![after, at, &id, filter.limit, WINDOW, app, least, most, status];
                let rows = self.rows(NARROW_BY_STATUS, &args).await?;
                let end = vals![after, at, id, WINDOW.saturating_sub(1), status];
                (rows, self.row(WINDOW_END_BY_STATUS, &end).await?)
            }
            None => {
                let args = vals![after, at, &id, filter.limit, WINDOW, app, least, most];
                let rows = self.rows(NARROW, &args).await?;
                let end = vals![after, at, id, WINDOW.saturating_sub(1)];
                (rows, self.row(WINDOW_END, &end).await?)
            }
        };
        let until = last.as_ref().map(place).transpose()?;
        let orders = rows.iter().map(Order::read).collect::<Result<_, StoreError>>()?;
        Ok(Looked { orders, until })
    }

    /// Refunds, newest first.
    pub async fn refunds_list(&mut self, filter: &RefundFilter) -> Result<Vec<Refund>, StoreError> {
        let (at, id) = filter.before.clone().unwrap_or((i64::MAX, String::new()));
        let since = filter.since.unwrap_or(i64::MIN);
        let rows = match filter.state {
            Some(state) => {
                let args = vals![since, at, id, filter.limit, state.as_str()];
                self.rows(REFUNDS_BY_STATE, &args).await?
            }
            None => self.rows(REFUNDS, &vals![since, at, id, filter.limit]).await?,
        };
        rows.iter().map(Refund::read).collect()
    }

    /// The newest lines of all journals, newest first, at most `limit`.
    pub async fn journal_latest(&mut self, limit: i64) -> Result<Vec<Line>, StoreError> {
        self.rows(LATEST, &vals![i64::MAX, limit]).await?.iter().map(Line::read).collect()
    }
}

fn place(row: &Row) -> Result<(i64, String), StoreError> {
    Ok((row.int("created_at")?, row.text("id")?))
}

impl Line {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            order_id: row.parse("order_id")?,
            seq: row.int("seq")?,
            at: row.int("at")?,
            step: row.parse("step")?,
            change: row.text("change")?,
        })
    }
}

/// How many orders one page of a narrow list looks at: about 50 ms of work.
pub const WINDOW: i64 = 20_000;

const NARROW: &str = "SELECT * FROM (
        SELECT * FROM orders WHERE created_at > $1 AND (created_at, id) < ($2, $3)
        ORDER BY created_at DESC, id DESC LIMIT $5
    ) AS looked
    WHERE (CAST($6 AS TEXT) IS NULL OR app = $6) AND amount >= $7 AND amount <= $8
    ORDER BY created_at DESC, id DESC LIMIT $4";
const NARROW_BY_STATUS: &str = "SELECT * FROM (
        SELECT * FROM orders WHERE status = $9 AND created_at > $1 AND (created_at, id) < ($2, $3)
        ORDER BY created_at DESC, id DESC LIMIT $5
    ) AS looked
    WHERE (CAST($6 AS TEXT) IS NULL OR app = $6) AND amount >= $7 AND amount <= $8
    ORDER BY created_at DESC, id DESC LIMIT $4";
const WINDOW_END: &str = "SELECT created_at, id FROM orders
    WHERE created_at > $1 AND (created_at, id) < ($2, $3)
    ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET $4";
const WINDOW_END_BY_STATUS: &str = "SELECT created_at, id FROM orders
    WHERE status = $5 AND created_at > $1 AND (created_at, id) < ($2, $3)
    ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET $4";
const REFUNDS: &str = "SELECT * FROM refund
    WHERE created_at >= $1 AND (created_at, id) < ($2, $3)
    ORDER BY created_at DESC, id DESC LIMIT $4";
const REFUNDS_BY_STATE: &str = "SELECT * FROM refund
    WHERE state = $5 AND created_at >= $1 AND (created_at, id) < ($2, $3)
    ORDER BY created_at DESC, id DESC LIMIT $4";
const LATEST: &str = "SELECT order_id, seq, at, step, change FROM journal
    WHERE at < $1 ORDER BY at DESC, order_id DESC, seq DESC LIMIT $2";
