//! The second sign of a payment inside the merchant's own app.

use super::PrivateKey;
use crate::{AppId, Moment, PrepayId};

/// Signs for the app SDK: like the mini program's second sign, but over the
/// bare `prepay_id` (pay.weixin.qq.com/doc/v3/merchant/4013070351).
pub fn app_sign(
    app_id: &AppId,
    prepay_id: &PrepayId,
    moment: Moment<'_>,
    key: &PrivateKey,
) -> String {
    let Moment { now, nonce } = moment;
    key.sign(format!("{app_id}\n{now}\n{nonce}\n{prepay_id}\n").as_bytes())
}
