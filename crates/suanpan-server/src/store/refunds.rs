//! Refunds: read, put in, moved.

use suanpan_ledger::RefundState;
use suanpan_wechat::{Fen, MchId, OutRefundNo};

use super::{Row, StoreError, Tx};
use crate::ids::OrderId;
use crate::metrics::store::{Moved, api};
use crate::order::Order;
use crate::refund::Refund;
use crate::vals;

impl Tx {
    /// Puts a new refund in.
    pub async fn refund_put(&mut self, refund: &Refund) -> Result<(), StoreError> {
        let args = vals![
            &refund.id,
            refund.order_id.as_str(),
            &refund.attempt_id,
            refund.mchid.as_str(),
            refund.appid.as_str(),
            refund.out_trade_no.as_str(),
            refund.transaction_id.as_str(),
            refund.out_refund_no.as_str(),
            refund.reference.as_deref(),
            refund.amount,
            refund.total,
            &refund.currency,
            refund.reason.as_deref(),
            &refund.request,
            refund.state.as_str(),
            refund.created_at,
        ];
        self.exec(PUT, &args).await?;
        self.moved(Moved::Refund(api(&refund.request), refund.state));
        Ok(())
    }

    /// The refund of this id.
    pub async fn refund(&mut self, id: &str) -> Result<Option<Refund>, StoreError> {
        self.row(REFUND, &vals![id]).await?.as_ref().map(Refund::read).transpose()
    }

    /// The refund that WeChat knows by this number.
    pub async fn refund_by_number(
        &mut self,
        mchid: &MchId,
        out_refund_no: &OutRefundNo,
    ) -> Result<Option<Refund>, StoreError> {
        let args = vals![mchid.as_str(), out_refund_no.as_str()];
        self.row(BY_NUMBER, &args).await?.as_ref().map(Refund::read).transpose()
    }

    /// The refund that a merchant account knows by this reference.
    pub async fn refund_by_reference(
        &mut self,
        mchid: &MchId,
        reference: &str,
    ) -> Result<Option<Refund>, StoreError> {
        let args = vals![mchid.as_str(), reference];
        self.row(BY_REFERENCE, &args).await?.as_ref().map(Refund::read).transpose()
    }

    /// All refunds of an order, oldest first.
    pub async fn refunds(&mut self, order: &OrderId) -> Result<Vec<Refund>, StoreError> {
        self.rows(OF_ORDER, &vals![order.as_str()]).await?.iter().map(Refund::read).collect()
    }

    /// Stores how a refund stands now, if it is still as we saw it.
    pub async fn refund_update(&mut self, refund: &Refund) -> Result<(), StoreError> {
        let args = vals![
            &refund.id,
            refund.version,
            refund.state.as_str(),
            refund.refund_id.as_ref().map(|id| id.as_str()),
            refund.received_account.as_deref(),
            refund.problem.as_deref(),
            refund.accepted_at,
            refund.succeeded_at,
        ];
        match self.exec(UPDATE, &args).await? {
            1 => Ok(()),
            _ => Err(StoreError::Stale { what: "refund" }),
        }
    }

    /// Stores what went back of an order that is still as we saw it.
    pub async fn order_refunded(&mut self, order: &Order, sum: Fen) -> Result<(), StoreError> {
        match self.exec(ORDER_REFUNDED, &vals![order.id.as_str(), order.version, sum]).await? {
            1 => Ok(()),
            _ => Err(StoreError::Stale { what: "order" }),
        }
    }
}

impl Refund {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            order_id: row.parse("order_id")?,
            attempt_id: row.text("attempt_id")?,
            mchid: row.parse("mchid")?,
            appid: row.parse("appid")?,
            out_trade_no: row.parse("out_trade_no")?,
            transaction_id: row.parse("transaction_id")?,
            out_refund_no: row.parse("out_refund_no")?,
            reference: row.opt_text("reference")?,
            amount: row.fen("amount")?,
            total: row.fen("total")?,
            currency: row.text("currency")?,
            reason: row.opt_text("reason")?,
            request: row.text("request")?,
            state: row.parse::<RefundState>("state")?,
            refund_id: row.opt_parse("refund_id")?,
            received_account: row.opt_text("received_account")?,
            problem: row.opt_text("problem")?,
            created_at: row.int("created_at")?,
            accepted_at: row.opt_int("accepted_at")?,
            succeeded_at: row.opt_int("succeeded_at")?,
            version: row.int("version")?,
        })
    }
}

const PUT: &str =
    "INSERT INTO refund (id, order_id, attempt_id, mchid, appid, out_trade_no, transaction_id,
        out_refund_no, reference, amount, total, currency, reason, request, state, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
const REFUND: &str = "SELECT * FROM refund WHERE id = $1";
const BY_NUMBER: &str = "SELECT * FROM refund WHERE mchid = $1 AND out_refund_no = $2";
const BY_REFERENCE: &str = "SELECT * FROM refund WHERE mchid = $1 AND reference = $2";
const OF_ORDER: &str = "SELECT * FROM refund WHERE order_id = $1 ORDER BY created_at, id";
const UPDATE: &str =
    "UPDATE refund SET state = $3, refund_id = $4, received_account = $5, problem = $6,
        accepted_at = $7, succeeded_at = $8, version = version + 1
    WHERE id = $1 AND version = $2";
const ORDER_REFUNDED: &str =
    "UPDATE orders SET amount_refunded = $3, version = version + 1 WHERE id = $1 AND version = $2";
