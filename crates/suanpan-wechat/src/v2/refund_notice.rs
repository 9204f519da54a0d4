//! A refund notification, and its ciphertext `req_info`.
//!
//! A refund notification of APIv2 has no signature, and AES-ECB gives no
//! integrity: what comes out of here is a hint to ask WeChat, never a fact.
//! Source: pay.weixin.qq.com/doc/v2, "退款结果通知".

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::Fields;
use crate::time::{beijing_spaced, parse_beijing_spaced};
use crate::{
    ApiV2Key, AppId, Error, Fen, MchId, OutRefundNo, OutTradeNo, Refund, RefundId, RefundStatus,
    TransactionId,
};

const BLOCK: usize = 16;
const WHAT: &str = "refund notification";

/// A refund as the notification tells it. Nothing of it is proven: ask WeChat before it moves anything.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefundNotice {
    /// The mini program.
    pub appid: AppId,
    /// The merchant (in partner mode the partner).
    pub mch_id: MchId,
    /// Partner mode: the sub-merchant's mini program.
    pub sub_appid: Option<AppId>,
    /// Partner mode: the sub-merchant.
    pub sub_mch_id: Option<MchId>,
    /// WeChat's number of the payment.
    pub transaction_id: TransactionId,
    /// The order's number.
    pub out_trade_no: OutTradeNo,
    /// WeChat's number of the refund.
    pub refund_id: RefundId,
    /// Our number of the refund.
    pub out_refund_no: OutRefundNo,
    /// The order's amount.
    pub total_fee: Fen,
    /// The order's amount less coupons that are not settled.
    pub settlement_total_fee: Option<Fen>,
    /// What goes back.
    pub refund_fee: Fen,
    /// What goes back less coupons that are not settled.
    pub settlement_refund_fee: Option<Fen>,
    /// What goes back in cash.
    pub cash_refund_fee: Option<Fen>,
    /// `SUCCESS`, `CHANGE` or `REFUNDCLOSE`.
    pub refund_status: RefundStatus,
    /// When the payer had it back, unix seconds.
    pub success_time: Option<i64>,
    /// Where it went; spelled `refund_recv_accout` on the wire.
    pub received_account: Option<String>,
    /// Whose money it was.
    pub refund_account: Option<String>,
    /// `API` or `VENDOR_PLATFORM`.
    pub refund_request_source: Option<String>,
}

impl RefundNotice {
    /// Whether a message is a refund notification: only those have `req_info`.
    pub fn is_told_by(fields: &Fields) -> bool {
        fields.get("req_info").is_some()
    }

    /// Opens and reads a refund notification.
    ///
    /// # Errors
    /// [`Error::Decrypt`] where it was not made with this key, or the first field that does not fit.
    pub fn open(outer: &Fields, key: &ApiV2Key) -> Result<Self, Error> {
        if outer.required(WHAT, "return_code")? != "SUCCESS" {
            return Err(Error::holds(WHAT, "return_code", outer.get("return_code").unwrap_or("")));
        }
        let inner = Fields::parse(&open_req_info(outer.required(WHAT, "req_info")?, key)?)?;
        let amount = |name| {
            inner.fen(WHAT, name).and_then(|fen| fen.ok_or_else(|| Error::missing(WHAT, name)))
        };
        let time = inner.get("success_time");
        Ok(Self {
            appid: outer.parsed(WHAT, "appid")?,
            mch_id: outer.parsed(WHAT, "mch_id")?,
            sub_appid: outer.get("sub_appid").map(AppId::parse).transpose()?,
            sub_mch_id: outer.get("sub_mch_id").map(MchId::parse).transpose()?,
            transaction_id: inner.parsed(WHAT, "transaction_id")?,
            out_trade_no: inner.parsed(WHAT, "out_trade_no")?,
            refund_id: inner.parsed(WHAT, "refund_id")?,
            out_refund_no: inner.parsed(WHAT, "out_refund_no")?,
            total_fee: amount("total_fee")?,
            settlement_total_fee: inner.fen(WHAT, "settlement_total_fee")?,
            refund_fee: amount("refund_fee")?,
            settlement_refund_fee: inner.fen(WHAT, "settlement_refund_fee")?,
            cash_refund_fee: inner.fen(WHAT, "cash_refund_fee")?,
            refund_status: RefundStatus::parse(inner.required(WHAT, "refund_status")?),
            success_time: time
                .map(|time| {
                    parse_beijing_spaced(time)
                        .ok_or_else(|| Error::holds(WHAT, "success_time", time))
                })
                .transpose()?,
            received_account: inner.owned("refund_recv_accout"),
            refund_account: inner.owned("refund_account"),
            refund_request_source: inner.owned("refund_request_source"),
        })
    }

    /// The notice as a message without `nonce_str`: what WeChat's side sends.
    pub fn fields(&self, key: &ApiV2Key) -> Fields {
        let fen = |amount: Fen| amount.get().to_string();
        let mut inner = Fields::new();
        inner.set("transaction_id", self.transaction_id.as_str());
        inner.set("out_trade_no", self.out_trade_no.as_str());
        inner.set("refund_id", self.refund_id.as_str());
        inner.set("out_refund_no", self.out_refund_no.as_str());
        inner.set("total_fee", &fen(self.total_fee));
        inner.set_optional("settlement_total_fee", self.settlement_total_fee.map(fen).as_deref());
        inner.set("refund_fee", &fen(self.refund_fee));
        inner.set_optional("settlement_refund_fee", self.settlement_refund_fee.map(fen).as_deref());
        inner.set_optional("cash_refund_fee", self.cash_refund_fee.map(fen).as_deref());
        inner.set("refund_status", self.refund_status.as_v2_str());
        inner.set_optional("success_time", self.success_time.map(beijing_spaced).as_deref());
        inner.set_optional("refund_recv_accout", self.received_account.as_deref());
        inner.set_optional("refund_account", self.refund_account.as_deref());
        inner.set_optional("refund_request_source", self.refund_request_source.as_deref());
        let xml = inner.to_xml().replacen("<xml>", "<root>", 1).replacen("</xml>", "</root>", 1);

        let mut outer = Fields::new();
        outer.set("return_code", "SUCCESS");
        outer.set("appid", self.appid.as_str());
        outer.set("mch_id", self.mch_id.as_str());
        outer.set_optional("sub_appid", self.sub_appid.as_ref().map(AppId::as_str));
        outer.set_optional("sub_mch_id", self.sub_mch_id.as_ref().map(MchId::as_str));
        outer.set_optional("req_info", seal_req_info(xml.as_bytes(), key).as_deref());
        outer
    }

    /// What it tells, unproven.
    pub fn refund(&self) -> Refund {
        Refund {
            out_refund_no: self.out_refund_no.clone(),
            refund_id: self.refund_id.clone(),
            out_trade_no: self.out_trade_no.clone(),
            transaction_id: self.transaction_id.clone(),
            status: self.refund_status.clone(),
            total: self.total_fee,
            refund: self.refund_fee,
            currency: "CNY".to_owned(),
            success_time: self.success_time,
            received_account: self.received_account.clone(),
            sub_mchid: self.sub_mch_id.clone(),
        }
    }
}

/// Seals a text as `req_info`, as WeChat's side does. `None`: no text is that long.
pub fn seal_req_info(text: &[u8], key: &ApiV2Key) -> Option<String> {
    let padding = BLOCK.checked_sub(text.len() % BLOCK)?;
    let mut padded = text.to_vec();
    padded.extend(std::iter::repeat_n(u8::try_from(padding).ok()?, padding));

    let aes_key = hex::encode(Md5::digest(key.expose()));
    let key = UnboundCipherKey::new(&AES_256, aes_key.as_bytes()).ok()?;
    EncryptingKey::ecb(key).ok()?.encrypt(&mut padded).ok()?;
    Some(STANDARD.encode(padded))
}

/// Opens `req_info`: base64 of AES-256-ECB under the lower-case hex of the
/// key's MD5, padded by PKCS#7. Gives the inner XML.
///
/// # Errors
/// [`Error::Decrypt`] where the text is not base64, is cut, or was made with another key.
pub fn open_req_info(req_info: &str, key: &ApiV2Key) -> Result<Vec<u8>, Error> {
    let failed = || Error::Decrypt { what: "refund notification" };

    let mut text = STANDARD.decode(req_info.trim()).map_err(|_| failed())?;
    if text.is_empty() || text.len() % BLOCK != 0 {
        return Err(failed());
    }
    let aes_key = hex::encode(Md5::digest(key.expose()));
    UnboundCipherKey::new(&AES_256, aes_key.as_bytes())
        .and_then(DecryptingKey::ecb)
        .and_then(|key| key.decrypt(&mut text, DecryptionContext::None).map(|_| ()))
        .map_err(|_| failed())?;

    let padding = text.last().copied().map(usize::from).unwrap_or_default();
    let end = text.len().checked_sub(padding).filter(|_| (1..=BLOCK).contains(&padding));
    let padded_well =
        |end: &usize| text.iter().skip(*end).all(|byte| usize::from(*byte) == padding);
    let end = end.filter(padded_well).ok_or_else(failed)?;
    text.truncate(end);
    Ok(text)
}
