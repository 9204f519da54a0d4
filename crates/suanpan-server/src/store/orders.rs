//! Orders and their attempts: read, put in, moved.
//!
//! A move says which version it saw; where somebody else was faster it is
//! [`StoreError::Stale`], and nothing of its transaction remains.

use suanpan_ledger::{AttemptState, OrderStatus};
use suanpan_wechat::{MchId, OutTradeNo, PrepayId, TransactionId};

use super::{Row, StoreError, Tx};
use crate::ids::OrderId;
use crate::metrics::store::{Moved, api};
use crate::order::{Attempt, Order, PartnerIds};
use crate::vals;

/// Which orders a list shows, newest first.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// Only these.
    pub status: Option<OrderStatus>,
    /// Only with this reference.
    pub reference: Option<String>,
    /// Only those made after this time, unix microseconds.
    pub created_after: Option<i64>,
    /// Only those made before this time, unix microseconds.
    pub created_before: Option<i64>,
    /// Only those older than this one: its creation time and id.
    pub before: Option<(i64, String)>,
    /// At most so many.
    pub limit: i64,
}

impl OrderFilter {
    /// Where the list begins, which runs backwards. One bound: of two, SQLite looks up the first and goes through all that
    /// lies between them, which is half the history for a page from the middle of it.
    pub(super) fn end(&self) -> (i64, String) {
        let made_before = self.created_before.map(|at| (at, String::new()));
        let ends = [self.before.clone(), made_before].into_iter().flatten();
        ends.min().unwrap_or((i64::MAX, String::new()))
    }
}

impl Tx {
    /// Puts a new order in.
    pub async fn order_put(&mut self, order: &Order) -> Result<(), StoreError> {
        let args = vals![
            order.id.as_str(),
            &order.reference,
            order.mchid.as_str(),
            order.app.as_str(),
            order.amount,
            &order.currency,
            &order.description,
            order.status.as_str(),
            order.payer_openid.as_ref().map(|openid| openid.as_str()),
            &order.trade_type,
            order.metadata.as_deref(),
            order.created_at,
            order.expires_at,
        ];
        self.exec(ORDER_PUT, &args).await?;
        self.moved(Moved::CREATED);
        Ok(())
    }

    /// The order of this id.
    pub async fn order(&mut self, id: &OrderId) -> Result<Option<Order>, StoreError> {
        let row = self.row(ORDER, &vals![id.as_str()]).await?;
        row.as_ref().map(Order::read).transpose()
    }

    /// The order that a merchant account knows by this reference.
    pub async fn order_by_reference(
        &mut self,
        mchid: &MchId,
        reference: &str,
    ) -> Result<Option<Order>, StoreError> {
        let row = self.row(ORDER_BY_REFERENCE, &vals![mchid.as_str(), reference]).await?;
        row.as_ref().map(Order::read).transpose()
    }

    /// Orders, newest first.
    pub async fn orders(&mut self, filter: &OrderFilter) -> Result<Vec<Order>, StoreError> {
        let (at, id) = filter.end();
        let after = filter.created_after.unwrap_or(i64::MIN);
        let status = filter.status.map(OrderStatus::as_str);
        let rows = match (&filter.reference, status) {
            (Some(reference), status) => {
                let args = vals![after, at, id, filter.limit, reference, status];
                self.rows(ORDERS_BY_REFERENCE, &args).await?
            }
            (None, Some(status)) => {
                self.rows(ORDERS_BY_STATUS, &vals![after, at, id, filter.limit, status]).await?
            }
            (None, None) => self.rows(ORDERS, &vals![after, at, id, filter.limit]).await?,
        };
        rows.iter().map(Order::read).collect()
    }

    /// Moves an order that is still as we saw it.
    pub async fn order_move(
        &mut self,
        order: &Order,
        status: OrderStatus,
    ) -> Result<(), StoreError> {
        let args = vals![order.id.as_str(), order.version, status.as_str()];
        moved(self.exec(ORDER_MOVE, &args).await?, "order")?;
        self.moved(Moved::Order(status.as_str()));
        Ok(())
    }

    /// Marks an order as paid that is still as we saw it. `paid_at` in unix microseconds.
    pub async fn order_paid(
        &mut self,
        order: &Order,
        transaction_id: &TransactionId,
        paid_at: i64,
    ) -> Result<(), StoreError> {
        let args = vals![order.id.as_str(), order.version, transaction_id.as_str(), paid_at];
        moved(self.exec(ORDER_PAID, &args).await?, "order")?;
        self.moved(Moved::Order(OrderStatus::Paid.as_str()));
        Ok(())
    }

    /// Puts a new attempt in; [`StoreError::Conflict`] where another one of the order is live.
    pub async fn attempt_put(&mut self, attempt: &Attempt) -> Result<(), StoreError> {
        let args = vals![
            &attempt.id,
            attempt.order_id.as_str(),
            attempt.mchid.as_str(),
            attempt.appid.as_str(),
            attempt.out_trade_no.as_str(),
            attempt.openid.as_ref().map(|openid| openid.as_str()),
            &attempt.fingerprint,
            &attempt.request,
            attempt.state.as_str(),
            attempt.created_at,
            attempt.sub_mchid().map(MchId::as_str),
            attempt.partner.as_ref().map(|partner| partner.sp_appid.as_str()),
            attempt.request_id.as_deref(),
        ];
        self.exec(ATTEMPT_PUT, &args).await?;
        self.moved(Moved::Payment(api(&attempt.request), attempt.state));
        Ok(())
    }

    /// The attempt of this id.
    pub async fn attempt(&mut self, id: &str) -> Result<Option<Attempt>, StoreError> {
        let row = self.row(ATTEMPT, &vals![id]).await?;
        row.as_ref().map(Attempt::read).transpose()
    }

    /// The attempt that WeChat knows by this number.
    pub async fn attempt_by_number(
        &mut self,
        mchid: &MchId,
        out_trade_no: &OutTradeNo,
    ) -> Result<Option<Attempt>, StoreError> {
        let args = vals![mchid.as_str(), out_trade_no.as_str()];
        self.row(ATTEMPT_BY_NUMBER, &args).await?.as_ref().map(Attempt::read).transpose()
    }

    /// All attempts of an order, newest first.
    pub async fn attempts(&mut self, order: &OrderId) -> Result<Vec<Attempt>, StoreError> {
        self.rows(ATTEMPTS, &vals![order.as_str()]).await?.iter().map(Attempt::read).collect()
    }

    /// The payer's request that an order was last tried to be paid by; the one that brought the money goes before.
    pub async fn request_of_order(&mut self, order: &str) -> Result<Option<String>, StoreError> {
        let row = self.row(REQUEST, &vals![order]).await?;
        row.map_or(Ok(None), |row| row.opt_text("request_id"))
    }

    /// Notes the `prepay_id` of an attempt that is still as we saw it.
    pub async fn attempt_prepaid(
        &mut self,
        attempt: &Attempt,
        prepay_id: &PrepayId,
        at: i64,
    ) -> Result<(), StoreError> {
        let args = vals![&attempt.id, attempt.version, prepay_id.as_str(), at];
        moved(self.exec(ATTEMPT_PREPAID, &args).await?, "attempt")?;
        self.moved(Moved::Payment(api(&attempt.request), AttemptState::Prepaid));
        Ok(())
    }

    /// Moves an attempt that is still as we saw it.
    pub async fn attempt_move(
        &mut self,
        attempt: &Attempt,
        state: AttemptState,
    ) -> Result<(), StoreError> {
        let args = vals![&attempt.id, attempt.version, state.as_str()];
        moved(self.exec(ATTEMPT_MOVE, &args).await?, "attempt")?;
        self.moved(Moved::Payment(api(&attempt.request), state));
        Ok(())
    }

    /// Marks an attempt as paid that is still as we saw it.
    pub async fn attempt_paid(
        &mut self,
        attempt: &Attempt,
        transaction_id: &TransactionId,
        paid_at: i64,
    ) -> Result<(), StoreError> {
        let args = vals![&attempt.id, attempt.version, transaction_id.as_str(), paid_at];
        moved(self.exec(ATTEMPT_PAID, &args).await?, "attempt")?;
        self.moved(Moved::Payment(api(&attempt.request), AttemptState::Paid));
        Ok(())
    }
}

impl Order {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.parse("id")?,
            reference: row.text("reference")?,
            mchid: row.parse("mchid")?,
            app: row.parse("app")?,
            amount: row.fen("amount")?,
            amount_refunded: row.fen("amount_refunded")?,
            currency: row.text("currency")?,
            description: row.text("description")?,
            status: row.parse("status")?,
            payer_openid: row.opt_parse("payer_openid")?,
            trade_type: row.text("trade_type")?,
            metadata: row.opt_text("metadata")?,
            created_at: row.int("created_at")?,
            expires_at: row.opt_int("expires_at")?,
            paid_at: row.opt_int("paid_at")?,
            transaction_id: row.opt_parse("transaction_id")?,
            version: row.int("version")?,
        })
    }
}

impl Attempt {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let (sp_appid, sub_mchid) = (row.opt_parse("sp_appid")?, row.opt_parse("sub_mchid")?);
        let partner = sp_appid.zip(sub_mchid);
        Ok(Self {
            partner: partner.map(|(sp_appid, sub_mchid)| PartnerIds { sp_appid, sub_mchid }),
            id: row.text("id")?,
            order_id: row.parse("order_id")?,
            mchid: row.parse("mchid")?,
            appid: row.parse("appid")?,
            out_trade_no: row.parse("out_trade_no")?,
            openid: row.opt_parse("openid")?,
            fingerprint: row.text("fingerprint")?,
            request: row.text("request")?,
            state: row.parse("state")?,
            prepay_id: row.opt_parse("prepay_id")?,
            prepay_at: row.opt_int("prepay_at")?,
            transaction_id: row.opt_parse("transaction_id")?,
            request_id: row.opt_text("request_id")?,
            created_at: row.int("created_at")?,
            version: row.int("version")?,
        })
    }
}

fn moved(rows: u64, what: &'static str) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Stale { what }) }
}

const ORDER_PUT: &str =
    "INSERT INTO orders (id, reference, mchid, app, amount, currency, description, status,
        payer_openid, trade_type, metadata, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const ORDER: &str = "SELECT * FROM orders WHERE id = $1";
const ORDER_BY_REFERENCE: &str = "SELECT * FROM orders WHERE mchid = $1 AND reference = $2";
// One text for each index.
const ORDERS: &str = "SELECT * FROM orders
    WHERE created_at > $1 AND (created_at, id) < ($2, $3)
    ORDER BY created_at DESC, id DESC LIMIT $4";
const ORDERS_BY_STATUS: &str = "SELECT * FROM orders
    WHERE status = $5 AND created_at > $1 AND (created_at, id) < ($2, $3)
    ORDER BY created_at DESC, id DESC LIMIT $4";
const ORDERS_BY_REFERENCE: &str = "SELECT * FROM orders
    WHERE reference = $5 AND (CAST($6 AS TEXT) IS NULL OR status = $6)
        AND created_at > $1 AND (created_at, id) < ($2, $3)
    ORDER BY created_at DESC, id DESC LIMIT $4";
const ORDER_MOVE: &str =
    "UPDATE orders SET status = $3, version = version + 1 WHERE id = $1 AND version = $2";
const ORDER_PAID: &str =
    "UPDATE orders SET status = 'paid', transaction_id = $3, paid_at = $4, version = version + 1
    WHERE id = $1 AND version = $2";
const ATTEMPT_PUT: &str =
    "INSERT INTO attempt (id, order_id, mchid, appid, out_trade_no, openid, fingerprint, request,
        state, created_at, sub_mchid, sp_appid, request_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const ATTEMPT: &str = "SELECT * FROM attempt WHERE id = $1";
const ATTEMPT_BY_NUMBER: &str = "SELECT * FROM attempt WHERE mchid = $1 AND out_trade_no = $2";
const REQUEST: &str = "SELECT request_id FROM attempt WHERE order_id = $1
    ORDER BY CASE WHEN transaction_id IS NULL THEN 1 ELSE 0 END, created_at DESC, id DESC LIMIT 1";
const ATTEMPTS: &str =
    "SELECT * FROM attempt WHERE order_id = $1 ORDER BY created_at DESC, id DESC";
const ATTEMPT_PREPAID: &str =
    "UPDATE attempt SET state = 'prepaid', prepay_id = $3, prepay_at = $4,
        version = version + 1
    WHERE id = $1 AND version = $2";
const ATTEMPT_MOVE: &str =
    "UPDATE attempt SET state = $3, version = version + 1 WHERE id = $1 AND version = $2";
const ATTEMPT_PAID: &str =
    "UPDATE attempt SET state = 'paid', transaction_id = $3, paid_at = $4, version = version + 1
    WHERE id = $1 AND version = $2";
