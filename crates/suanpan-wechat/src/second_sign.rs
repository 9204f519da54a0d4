//! Step 4 of 6, second sign: what `wx.requestPayment` wants, signed by us.
//!
//! WeChat signs nothing for the mini program. We take the `prepay_id` of the
//! order and sign it with the merchant's key; WeChat's client checks that
//! signature before it shows the payment sheet. The mini program passes the
//! five texts on as they are; `appId` is signed but not passed.

use serde::{Deserialize, Serialize};

use crate::v2::{Fields, SignType};
use crate::v3::PrivateKey;
use crate::{ApiV2Key, AppId, Moment, PrepayId};

/// How a payment request to the payer's client is signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PaySignType {
    /// APIv2, MD5.
    Md5,
    /// APIv2, HMAC-SHA256.
    HmacSha256,
    /// APIv3, RSA with SHA-256.
    Rsa,
}

impl PaySignType {
    /// WeChat's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::Rsa => "RSA",
        }
    }

    /// Reads WeChat's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Md5, Self::HmacSha256, Self::Rsa].into_iter().find(|sign| sign.as_str() == word)
    }
}

/// The object that `wx.requestPayment` takes: exactly five texts.
///
/// Source: developers.weixin.qq.com, `wx.requestPayment`. A `timeStamp` that is
/// a number, or a `package` without `prepay_id=`, fails on the phone; here it
/// cannot be built.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestPayment {
    /// Unix seconds, ten digits, as a text.
    pub time_stamp: String,
    /// A text that is used once, at most 32 characters.
    pub nonce_str: String,
    /// `prepay_id=` and the `prepay_id`.
    pub package: String,
    /// `MD5`, `HMAC-SHA256` or `RSA`; the one that the order was signed with.
    pub sign_type: String,
    /// The second signature.
    pub pay_sign: String,
}

/// Signs the parameters of `wx.requestPayment`, the APIv2 way.
///
/// `sign_type` must be the one of the order; WeChat's client refuses another.
pub fn second_sign_v2(
    app_id: &AppId,
    prepay_id: &PrepayId,
    moment: Moment<'_>,
    sign_type: SignType,
    key: &ApiV2Key,
) -> RequestPayment {
    let (time_stamp, package) = (moment.now.to_string(), format!("prepay_id={prepay_id}"));
    let nonce_str = moment.nonce.as_str().to_owned();
    let fields =
        pay_sign_text_v2(app_id.as_str(), &time_stamp, &nonce_str, &package, sign_type.as_str());

    let pay_sign = fields.sign(sign_type, key);
    let sign_type = sign_type.as_str().to_owned();
    RequestPayment { time_stamp, nonce_str, package, sign_type, pay_sign }
}

/// Signs the parameters of `wx.requestPayment`, the APIv3 way.
pub fn second_sign_v3(
    app_id: &AppId,
    prepay_id: &PrepayId,
    moment: Moment<'_>,
    key: &PrivateKey,
) -> RequestPayment {
    let (time_stamp, package) = (moment.now.to_string(), format!("prepay_id={prepay_id}"));
    let nonce_str = moment.nonce.as_str().to_owned();
    let text = pay_sign_text_v3(app_id.as_str(), &time_stamp, &nonce_str, &package);

    let pay_sign = key.sign(text.as_bytes());
    let sign_type = PaySignType::Rsa.as_str().to_owned();
    RequestPayment { time_stamp, nonce_str, package, sign_type, pay_sign }
}

/// What is signed in APIv2. The names are `appId` and `timeStamp`, with a capital.
pub fn pay_sign_text_v2(
    app_id: &str,
    time_stamp: &str,
    nonce_str: &str,
    package: &str,
    sign_type: &str,
) -> Fields {
    let mut fields = Fields::new();
    fields.set("appId", app_id);
    fields.set("timeStamp", time_stamp);
    fields.set("nonceStr", nonce_str);
    fields.set("package", package);
    fields.set("signType", sign_type);
    fields
}

/// What is signed in APIv3: four lines, each ended by a line feed; `signType` is not among them.
pub fn pay_sign_text_v3(app_id: &str, time_stamp: &str, nonce_str: &str, package: &str) -> String {
    format!("{app_id}\n{time_stamp}\n{nonce_str}\n{package}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_end_gets_exactly_five_texts() {
        let signed = RequestPayment {
            time_stamp: "1414561699".to_owned(),
            nonce_str: "5K8264ILTKCH16CQ2502SI8ZNMTM67VS".to_owned(),
            package: "prepay_id=wx201410272009395522657a690389285100".to_owned(),
            sign_type: "RSA".to_owned(),
            pay_sign: "oR9d8…".to_owned(),
        };
        insta::assert_json_snapshot!(signed, @r#"
        {
          "timeStamp": "1414561699",
          "nonceStr": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
          "package": "prepay_id=wx201410272009395522657a690389285100",
          "signType": "RSA",
          "paySign": "oR9d8…"
        }
        "#);
    }

    #[test]
    fn the_words_of_the_sign_types_come_back() {
        for sign in [PaySignType::Md5, PaySignType::HmacSha256, PaySignType::Rsa] {
            assert_eq!(PaySignType::parse(sign.as_str()), Some(sign));
        }
        assert_eq!(PaySignType::parse("md5"), None);
    }
}
