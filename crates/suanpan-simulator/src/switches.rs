//! What nobody outside WeChat knows for sure, as switches.
//!
//! Where the sources contradict each other or are silent, the simulator does
//! what seems most likely, and lets you choose the other: `GET /_sim/switches`
//! shows them all, `POST /_sim/switches` sets some.

use serde::{Deserialize, Serialize};
use suanpan_wechat::AppId;

use crate::refund::End;

/// All switches; their defaults are what WeChat most likely does.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Switches {
    /// APIv3, an order number again with other parameters: 403 `OUT_TRADE_NO_USED`
    /// (API page), or 400 `INVALID_REQUEST` "201 商户订单号重复" (seen in the field).
    pub(crate) v3_duplicate_order: DuplicateOrder,
    /// APIv2, the same: `INVALID_REQUEST` "201 商户订单号重复" is what the field sees.
    pub(crate) v2_duplicate_order: DuplicateOrder,
    /// APIv3, closing a paid order: 400 `ORDER_PAID`, `INVALID_REQUEST`, or 403 `TRADE_ERROR`.
    pub(crate) v3_close_of_paid: String,
    /// APIv3, ordering again under a paid number: `ORDER_PAID` or `INVALID_REQUEST`.
    pub(crate) v3_order_after_payment: String,
    /// APIv3, an openid of another app: `PARAM_ERROR` or `INVALID_REQUEST`.
    pub(crate) v3_openid_mismatch: String,
    /// APIv3, closing a number that was never ordered: 204 (seen in the field), or 404 `ORDER_NOT_EXIST`.
    pub(crate) v3_close_of_unknown_is_204: bool,
    /// APIv3, a partner names a sub-merchant that is not bound to it: `NO_AUTH` or `PARAM_ERROR`.
    pub(crate) v3_unbound_sub_merchant: String,
    /// Whether refusals of business are signed as grants are.
    pub(crate) v3_refusals_are_signed: bool,
    /// Blanks after the commas of `Authorization`: refused by default.
    pub(crate) v3_blanks_in_authorization: bool,
    /// The same nonce twice within the window: taken by default, since the
    /// official Java SDK repeats a signed request on the spare host.
    pub(crate) v3_repeated_nonce_is_refused: bool,
    /// Characters of four bytes (emoji) are refused with `PARAM_ERROR`.
    pub(crate) v3_emoji_is_refused: bool,
    /// The same order again: the same `prepay_id` while it is young, or a new one each time.
    pub(crate) repeated_order_renews_prepay_id: bool,
    /// APIv2, a wrong signature: `return_code` FAIL without a signature, or
    /// `result_code` FAIL with `SIGNERROR`.
    pub(crate) v2_signature_error_is_an_err_code: bool,
    /// APIv2, no close within so many seconds after the order; the page says 300,
    /// the gateway does not seem to hold people to it.
    pub(crate) v2_close_wait_seconds: u32,
    /// APIv2, an acknowledgement with blanks around the XML does not count.
    pub(crate) v2_acknowledgement_is_strict: bool,
    /// A notify URL must be https, with a public name.
    pub(crate) notify_url_must_be_public: bool,
    /// A repeated notification keeps its id.
    pub(crate) notification_keeps_its_id: bool,
    /// An unpaid order past its `time_expire` is told as CLOSED; otherwise as NOTPAY.
    pub(crate) expired_order_is_closed: bool,
    /// How many seconds a refund is PROCESSING. Some minutes for a balance and days for a
    /// card, with WeChat.
    pub(crate) refund_seconds: u32,
    /// How refunds end that are taken from now on: `SUCCESS`, `CLOSED`, `ABNORMAL`, or
    /// `NEVER`. `POST /_sim/refunds` decides of a single one.
    pub(crate) refund_ends: End,
    /// So many seconds have to lie between two refunds of one payment; the page says 60,
    /// whether the gateway holds people to it is not known.
    pub(crate) refund_wait_seconds: u32,
    /// Refunds are refused for want of money: `NOT_ENOUGH`, in APIv2 `NOTENOUGH`.
    pub(crate) merchant_balance_is_short: bool,
    /// `POST /secapi/pay/refund` over plain http is answered as WeChat's web server answers where
    /// no client certificate is shown; over TLS it always is, unless one is shown.
    pub(crate) v2_refund_wants_certificate: bool,
    /// Logins that one user may exchange in a minute; 0 is no limit.
    pub(crate) logins_a_minute: u32,
    /// `stable_token` of one app in a minute (45011) and in a day (45009); 0 is no limit.
    pub(crate) stable_tokens_a_minute: u32,
    pub(crate) stable_tokens_a_day: u32,
    /// The apps whose money is not held until shipping information is uploaded.
    pub(crate) trade_unmanaged_apps: Vec<AppId>,
    /// How long after it a payment is known to shipping management: 10 s to 2 min in the field.
    pub(crate) shipping_payment_known_after_seconds: u32,
    /// The same shipping information again: 10060023 (nothing changed) or 10060002 (all shipped).
    pub(crate) shipping_repeated_code: i32,
}

impl Switches {
    /// Whether WeChat holds this app's money until it hears of the shipment.
    pub(crate) fn is_trade_managed(&self, appid: &AppId) -> bool {
        !self.trade_unmanaged_apps.contains(appid)
    }
}

/// How an order number that was used is refused.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DuplicateOrder {
    /// The code of the API page.
    OutTradeNoUsed,
    /// `201 商户订单号重复`.
    InvalidRequest,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            v3_duplicate_order: DuplicateOrder::OutTradeNoUsed,
            v2_duplicate_order: DuplicateOrder::InvalidRequest,
            v3_close_of_paid: "ORDER_PAID".to_owned(),
            v3_order_after_payment: "ORDER_PAID".to_owned(),
            v3_openid_mismatch: "PARAM_ERROR".to_owned(),
            v3_close_of_unknown_is_204: true,
            v3_unbound_sub_merchant: "NO_AUTH".to_owned(),
            v3_refusals_are_signed: true,
            v3_blanks_in_authorization: false,
            v3_repeated_nonce_is_refused: false,
            v3_emoji_is_refused: true,
            repeated_order_renews_prepay_id: false,
            v2_signature_error_is_an_err_code: false,
            v2_close_wait_seconds: 0,
            v2_acknowledgement_is_strict: false,
            notify_url_must_be_public: false,
            notification_keeps_its_id: true,
            expired_order_is_closed: true,
            refund_seconds: 2,
            refund_ends: End::Success,
            refund_wait_seconds: 0,
            merchant_balance_is_short: false,
            v2_refund_wants_certificate: false,
            logins_a_minute: 100,
            stable_tokens_a_minute: 10_000,
            stable_tokens_a_day: 500_000,
            trade_unmanaged_apps: Vec::new(),
            shipping_payment_known_after_seconds: 10,
            shipping_repeated_code: 10_060_023,
        }
    }
}
