//! Whatever has a number: found by it, and by nothing but the whole of it.

use suanpan_wechat::{MchId, OutRefundNo, OutTradeNo};

use super::{StoreError, Tx};
use crate::ids::OrderId;
use crate::vals;

/// What a number belongs to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Numbered {
    /// An order, by its own number or that of a payment or refund.
    Order(OrderId),
    /// An event, by its id.
    Event(String),
}

impl Tx {
    /// What has this number: an order's id, an `out_trade_no` or `transaction_id`; a refund's id, `out_refund_no`,
    /// `refund_id` or reference; an event's id. References of orders are not looked at: several may share one.
    pub async fn numbered(
        &mut self,
        text: &str,
        merchants: &[MchId],
    ) -> Result<Option<Numbered>, StoreError> {
        if let Ok(id) = text.parse::<OrderId>()
            && let Some(order) = self.order(&id).await?
        {
            return Ok(Some(Numbered::Order(order.id)));
        }
        if let Some(event) = self.event(text).await? {
            return Ok(Some(Numbered::Event(event.id)));
        }
        for sql in [TRANSACTION, REFUND, WECHATS_REFUND] {
            if let Some(row) = self.rows(sql, &vals![text]).await?.first() {
                return Ok(Some(Numbered::Order(row.parse("order_id")?)));
            }
        }
        for mchid in merchants {
            if let Some(order) = self.numbered_by(mchid, text).await? {
                return Ok(Some(Numbered::Order(order)));
            }
        }
        Ok(None)
    }

    /// Numbers that only a merchant account makes unique.
    async fn numbered_by(
        &mut self,
        mchid: &MchId,
        text: &str,
    ) -> Result<Option<OrderId>, StoreError> {
        if let Ok(number) = OutTradeNo::parse(text)
            && let Some(attempt) = self.attempt_by_number(mchid, &number).await?
        {
            return Ok(Some(attempt.order_id));
        }
        if let Ok(number) = OutRefundNo::parse(text)
            && let Some(refund) = self.refund_by_number(mchid, &number).await?
        {
            return Ok(Some(refund.order_id));
        }
        let refund = self.refund_by_reference(mchid, text).await?;
        Ok(refund.map(|refund| refund.order_id))
    }
}

const TRANSACTION: &str = "SELECT order_id FROM attempt WHERE transaction_id = $1";
const REFUND: &str = "SELECT order_id FROM refund WHERE id = $1";
const WECHATS_REFUND: &str = "SELECT order_id FROM refund WHERE refund_id = $1";
