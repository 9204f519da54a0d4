//! What is particular about WeChat's JSON.

use serde::{Deserialize, Deserializer};

/// A member that is `null` means the same as one that is absent: WeChat may leave
/// out the one for the other (`pay.weixin.qq.com/wiki/doc/apiv3/wechatpay/wechatpay2_0.shtml`).
pub(super) fn null_as_default<'de, D, T>(json: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(json).map(Option::unwrap_or_default)
}
