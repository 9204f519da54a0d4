//! WeChat Pay APIv2: flat XML, signed with a shared key.
//!
//! Read in this order, always: `return_code` (was the message understood at
//! all? a FAIL is unsigned and says nothing), the signature, `result_code` (was
//! it granted?), then the fields. Source: pay.weixin.qq.com/doc/v2.

mod answer;
mod app_sign;
mod bills;
mod close_order;
mod fields;
mod payment_notice;
mod query_order;
mod query_refund;
mod refund;
mod refund_notice;
mod sign;
mod sub_merchant;
mod unified_order;
mod xml;

pub use app_sign::app_sign;
pub use bills::{DownloadBill, DownloadFundFlow, is_bill_creating, is_no_bill};
pub use close_order::CloseOrder;
pub use fields::Fields;
pub use payment_notice::{Coupon, PaymentNotice};
pub use query_order::{OrderAnswer, QueryOrder};
pub use query_refund::{QueryRefund, RefundsAnswer};
pub use refund::{PlaceRefund, RefundAnswer, RefundOrder};
pub use refund_notice::{RefundNotice, open_req_info, seal_req_info};
pub use sign::SignType;
pub use sub_merchant::SubMerchant;
pub use unified_order::{PlaceOrder, TradeType, UnifiedOrder, UnifiedOrderAnswer};
pub use xml::{MAX_BYTES, MAX_FIELDS};

use crate::{ApiV2Key, MchId};

/// Who asks, and with which key.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// The merchant number (in partner mode the partner's).
    pub mch_id: &'a MchId,
    /// Signs our messages and proves WeChat's.
    pub key: &'a ApiV2Key,
    /// The digest of our requests, and so of WeChat's answers.
    pub sign_type: SignType,
}

/// What a notify URL answers so that WeChat stops repeating the notification:
/// these bytes and nothing around them (pay.weixin.qq.com/doc/v2/partner/4011984734).
pub const fn acknowledge() -> &'static str {
    "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"
}
