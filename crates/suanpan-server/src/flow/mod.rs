//! The steps of a payment, one file each.
//!
//! ```text
//! mini program            suanpan                          WeChat
//!  wx.login ──code──────▶ 1 login        ─ jscode2session ─▶
//!             orderId     2 order        (what is owed, by our own book)
//!                         3 prepay       ─ unifiedorder / JSAPI ─▶
//!  wx.requestPayment ◀─── 4 second sign
//!  pays ───────────────────────────────────────────────────▶
//!                         5 notify     ◀─ signed notification ──
//!  merchant's system ◀─── 6 webhook
//! ```
//!
//! [`pay`] walks the first four for one request of the mini program.

pub mod endpoints;
mod late;
pub mod login;
pub mod notify;
pub mod order;
pub mod paid;
pub mod prepay;
mod refund_notice;
pub mod replay;
pub mod second_sign;
pub mod webhook;

use suanpan_ledger::OrderStatus;
use suanpan_wechat::{LoginCode, RequestPayment};
use tracing::{Instrument as _, info_span};

use crate::Error;
use crate::ids::OrderId;
use crate::world::World;
use prepay::Prepaid;

/// What the mini program gets.
#[derive(Debug)]
pub enum Pay {
    /// What `wx.requestPayment` takes.
    Sheet(RequestPayment),
    /// There is nothing to pay any more.
    AlreadyPaid,
}

/// Steps 1 to 4: from the code of `wx.login` to what `wx.requestPayment` takes.
///
/// # Errors
/// A wrong or used code, an order that is unknown, closed, expired or for
/// another payer, WeChat's no, and [`Error::Unknown`] where its answer was lost.
#[tracing::instrument(skip_all, fields(order_id = %id))]
pub async fn pay(world: &World, code: &LoginCode, id: &OrderId) -> Result<Pay, Error> {
    // Cheap checks first: a login spends the code and the app's quota.
    let order = order::find(world, id).instrument(info_span!("order")).await?;
    if order.status == OrderStatus::Paid {
        return Ok(Pay::AlreadyPaid);
    }
    order::payable(&order, world.now())?;

    let payer = login::login(world, &order, code).instrument(info_span!("login")).await?;
    let prepaid = prepay::prepay(world, &order, &payer).instrument(info_span!("prepay"));
    match prepaid.await? {
        Prepaid::AlreadyPaid => Ok(Pay::AlreadyPaid),
        Prepaid::Ready { attempt, prepay_id } => {
            let signed = second_sign::second_sign(world, &attempt, &prepay_id);
            signed.instrument(info_span!("second_sign")).await.map(Pay::Sheet)
        }
    }
}
