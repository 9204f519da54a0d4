//! Which of the signed fields is wrong.

use suanpan_wechat::PaySignType;
use suanpan_wechat::mistakes::Message;

use super::{Five, Wrong};
use crate::credentials::Api;
use crate::explain;
use crate::ledger::Order;
use crate::world::World;

/// What WeChat's client shows for any of these.
const HEARD: &str = "支付验证签名失败";

/// Checks `appId`, `signType` and `paySign` against the order.
pub(super) fn check(world: &World, order: &Order, five: &Five) -> Result<(), Wrong> {
    let no = |field, why: String| Err(Wrong::new(field, HEARD, why));
    let app = order.payer_app();
    if five.app_id != app.as_str() {
        let why = format!("the order was placed for {app}, not for {}", five.app_id);
        return no("appId", why);
    }
    let Some(merchant) = world.registry.merchant(order.mchid.as_str()) else {
        return no("package", format!("merchant {} is gone", order.mchid));
    };
    let of_order = match (order.api, order.sign_type.as_deref()) {
        (Api::V3, _) => PaySignType::Rsa,
        (Api::V2, Some("HMAC-SHA256")) => PaySignType::HmacSha256,
        (Api::V2, _) => PaySignType::Md5,
    };
    if five.sign_type != of_order.as_str() {
        let why = format!(
            "should be {}, as the order was signed, and is {:?}",
            of_order.as_str(),
            five.sign_type
        );
        return no("signType", why);
    }
    let message = Message::Payment {
        app_id: five.app_id.clone(),
        time_stamp: five.time_stamp.clone(),
        nonce_str: five.nonce_str.clone(),
        package: five.package.clone(),
        sign_type: of_order,
    };
    explain::second_sign(&world.registry, merchant, &message, &five.pay_sign).map_err(
        |(field, why, expected)| Wrong {
            expected: Some(expected),
            ..Wrong::new(field, HEARD, why)
        },
    )
}
