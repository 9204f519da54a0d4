//! Partner mode in APIv2: `sub_mch_id`, `sub_appid`, `sub_openid` beside the partner's own.
//!
//! Source: pay.weixin.qq.com/doc/v2/partner. The paths are those of direct
//! merchants; who signs decides whether a sub-merchant must be named.

use suanpan_wechat::v2::Fields;

use super::{Refused, lacks};
use crate::ledger::Sub;
use crate::registry::{Merchant, openid};
use crate::world::World;

/// The sub-merchant that a message names; none for a direct merchant.
pub(super) fn bound_sub(
    world: &World,
    merchant: &Merchant,
    fields: &Fields,
) -> Result<Option<Sub>, Refused> {
    let named = fields.get("sub_mch_id");
    if !merchant.is_partner() {
        return match named {
            None => Ok(None),
            Some(_) => Err(("NOAUTH", "商户无此接口权限".to_owned())),
        };
    }
    let named = named.ok_or_else(|| lacks("sub_mch_id"))?;
    let unbound = || ("PARAM_ERROR", "sub_mch_id与mch_id不匹配".to_owned());
    let sub = merchant.sub(named).ok_or_else(unbound)?;
    let appid = match fields.get("sub_appid") {
        None => None,
        Some(appid) => match (sub.app(appid), world.registry.app(appid)) {
            (Some(own), _) => Some(own.clone()),
            (None, Some(_)) => {
                let words = "sub_mch_id与sub_appid不匹配".to_owned();
                return Err(("APPID_MCHID_NOT_MATCH", words));
            }
            (None, None) => return Err(("APPID_NOT_EXIST", "sub_appid不存在".to_owned())),
        },
    };
    let payer_is_its = fields.get("sub_openid").is_some();
    Ok(Some(Sub { mchid: sub.mchid.clone(), appid, payer_is_its }))
}

/// What is told of the sub-merchant beside a payment.
pub(super) fn set(fields: &mut Fields, sub: &Sub, user: &str) {
    fields.set("sub_mch_id", sub.mchid.as_str());
    if let Some(appid) = &sub.appid {
        fields.set("sub_appid", appid.as_str());
        fields.set("sub_openid", openid(appid, user).as_str());
        fields.set("sub_is_subscribe", "N");
    }
}
