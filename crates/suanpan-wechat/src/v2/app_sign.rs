//! The second sign of a payment inside the merchant's own app.

use super::{Fields, SignType};
use crate::{ApiV2Key, AppId, MchId, Moment, PrepayId};

/// Signs for the app SDK: six fields, all in small letters, and no `signType`.
///
/// `sign_type` must be the one of the order.
pub fn app_sign(
    app_id: &AppId,
    mch_id: &MchId,
    prepay_id: &PrepayId,
    moment: Moment<'_>,
    sign_type: SignType,
    key: &ApiV2Key,
) -> String {
    let mut fields = Fields::new();
    fields.set("appid", app_id.as_str());
    fields.set("partnerid", mch_id.as_str());
    fields.set("prepayid", prepay_id.as_str());
    fields.set("package", "Sign=WXPay");
    fields.set("noncestr", moment.nonce.as_str());
    fields.set("timestamp", &moment.now.to_string());
    fields.sign(sign_type, key)
}
