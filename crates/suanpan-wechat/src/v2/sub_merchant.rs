//! Partner mode: the sub-merchant that a message is about.
//!
//! Source: pay.weixin.qq.com/doc/v2/partner. The partner signs, with its own key
//! and under its own `mch_id` and `appid`; the money is the sub-merchant's.

use super::Fields;
use crate::{AppId, MchId};

/// For whom a partner asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SubMerchant<'a> {
    /// `sub_mch_id`.
    pub mch_id: &'a MchId,
    /// `sub_appid`: its own mini program, where the order was placed for it.
    pub app_id: Option<&'a AppId>,
}

impl SubMerchant<'_> {
    /// Names the sub-merchant in a message.
    pub(super) fn set(sub: Option<Self>, fields: &mut Fields) {
        if let Some(sub) = sub {
            fields.set("sub_mch_id", sub.mch_id.as_str());
            fields.set_optional("sub_appid", sub.app_id.map(AppId::as_str));
        }
    }
}
