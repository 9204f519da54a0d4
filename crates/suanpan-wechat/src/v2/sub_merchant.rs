//! Partner mode: the sub-merchant that a message is about.
//!
//! Source: pay.weixin.qq.com/doc/v2/partner. The partner signs, with its own key
//! and under its own `mch_id` and `appid`; the money is the sub-merchant's.

use super::Fields;
use crate::{AppId, Error, MchId};

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

/// The sub-merchant that WeChat's message is about. Some messages to a direct merchant name that merchant once more:
/// there is no sub-merchant then.
pub(super) fn sub_merchant_of(mch_id: &MchId, named: Option<MchId>) -> Option<MchId> {
    named.filter(|named| named != mch_id)
}

/// The same, of a message.
pub(super) fn read_sub_merchant(
    what: &'static str,
    fields: &Fields,
) -> Result<Option<MchId>, Error> {
    let named = fields.get("sub_mch_id").map(MchId::parse).transpose()?;
    Ok(sub_merchant_of(&fields.parsed(what, "mch_id")?, named))
}
