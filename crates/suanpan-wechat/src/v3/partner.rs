//! Partner mode (服务商): a partner places, asks and closes for its sub-merchants.
//!
//! Source: pay.weixin.qq.com/doc/v3/partner/4012709253 and its neighbours. The
//! partner signs with its own key under `sp_mchid`, and names the sub-merchant in
//! the body or the query; the money is the sub-merchant's. What WeChat answers is
//! a [`Transaction`] with `sp_` and `sub_` members.

#![expect(
    clippy::disallowed_types,
    reason = "the derive of a flattened map names floats; none is used"
)]

use http::{Method, Request};
use serde::{Deserialize, Serialize};

use super::calls::{granted, not_an_error, path_segment, read, signed};
use super::{Account, Amount, OrderDetail, SceneInfo, SettleInfo, Transaction};
use crate::{
    AppId, Call, Error, Fen, Host, MchId, Moment, OpenId, OutTradeNo, PrepayId, Reply,
    TransactionId,
};

const PATH: &str = "/v3/pay/partner/transactions";

/// The order of `POST /v3/pay/partner/transactions/jsapi`, by WeChat's names.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PartnerJsapiOrder {
    /// An app of the partner; bound to `sp_mchid`.
    pub sp_appid: AppId,
    /// The partner; the one that signs.
    pub sp_mchid: MchId,
    /// The sub-merchant's own mini program; needed with `sub_openid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_appid: Option<AppId>,
    /// The sub-merchant; the one that gets the money.
    pub sub_mchid: MchId,
    /// What the payer reads, at most 127 characters.
    pub description: String,
    /// Our number of this attempt.
    pub out_trade_no: OutTradeNo,
    /// The last moment to pay, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_expire: Option<String>,
    /// Comes back in notification, query and bill, at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// Where WeChat tells us of the payment: public https without a query.
    pub notify_url: String,
    /// Names a discount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods_tag: Option<String>,
    /// What is owed.
    pub amount: Amount,
    /// Who pays.
    pub payer: PartnerPayer,
    /// The goods, for discounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<OrderDetail>,
    /// Where it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_info: Option<SceneInfo>,
    /// How it is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_info: Option<SettleInfo>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// Who pays: one of the two, by the app that the payer logged in to.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct PartnerPayer {
    /// As the partner's app knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sp_openid: Option<OpenId>,
    /// As the sub-merchant's app knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_openid: Option<OpenId>,
}

impl PartnerJsapiOrder {
    /// An order with the required members only, for a payer in the partner's app,
    /// or in the sub-merchant's own where `sub_appid` names one.
    pub fn new(
        (sp_mchid, sp_appid): (MchId, AppId),
        (sub_mchid, sub_appid): (MchId, Option<AppId>),
        openid: OpenId,
        out_trade_no: OutTradeNo,
        total: Fen,
        description: String,
        notify_url: String,
    ) -> Self {
        let payer = if sub_appid.is_some() {
            PartnerPayer { sp_openid: None, sub_openid: Some(openid) }
        } else {
            PartnerPayer { sp_openid: Some(openid), sub_openid: None }
        };
        Self {
            sp_appid,
            sp_mchid,
            sub_appid,
            sub_mchid,
            description,
            out_trade_no,
            time_expire: None,
            attach: None,
            notify_url,
            goods_tag: None,
            amount: Amount { total, currency: Some("CNY".to_owned()) },
            payer,
            detail: None,
            scene_info: None,
            settle_info: None,
            other: serde_json::Map::new(),
        }
    }

    /// The app that signs for `wx.requestPayment`: the one that the payer is known to.
    pub fn payer_app(&self) -> &AppId {
        match (&self.payer.sub_openid, &self.sub_appid) {
            (Some(_), Some(sub_appid)) => sub_appid,
            (Some(_) | None, _) => &self.sp_appid,
        }
    }
}

/// Places an order for a sub-merchant; answers the `prepay_id`.
#[derive(Clone, Copy, Debug)]
pub struct PartnerPrepay<'a> {
    /// The partner.
    pub account: Account<'a>,
    /// What is ordered.
    pub order: &'a PartnerJsapiOrder,
}

/// Asks how an order of a sub-merchant stands.
#[derive(Clone, Copy, Debug)]
pub struct PartnerQueryByOutTradeNo<'a> {
    /// The partner.
    pub account: Account<'a>,
    /// The sub-merchant.
    pub sub_mchid: &'a MchId,
    /// The order's number.
    pub out_trade_no: &'a OutTradeNo,
}

/// Asks how a payment to a sub-merchant stands, by WeChat's number.
#[derive(Clone, Copy, Debug)]
pub struct PartnerQueryById<'a> {
    /// The partner.
    pub account: Account<'a>,
    /// The sub-merchant.
    pub sub_mchid: &'a MchId,
    /// WeChat's number.
    pub transaction_id: &'a TransactionId,
}

/// Closes an order of a sub-merchant that is not paid.
#[derive(Clone, Copy, Debug)]
pub struct PartnerClose<'a> {
    /// The partner.
    pub account: Account<'a>,
    /// The sub-merchant.
    pub sub_mchid: &'a MchId,
    /// The order's number.
    pub out_trade_no: &'a OutTradeNo,
}

impl Call for PartnerPrepay<'_> {
    type Answer = PrepayId;

    fn operation(&self) -> &'static str {
        "POST /v3/pay/partner/transactions/jsapi"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let body = serde_json::to_vec(self.order)
            .map_err(|source| Error::Json { what: "order", source })?;
        signed(self.account, Method::POST, &format!("{PATH}/jsapi"), body, moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<PrepayId, Error> {
        #[derive(Deserialize)]
        struct Wire {
            prepay_id: PrepayId,
        }
        read::<Wire>("answer of the JSAPI order", self.account, reply, now)
            .map(|wire| wire.prepay_id)
    }
}

impl Call for PartnerQueryByOutTradeNo<'_> {
    type Answer = Transaction;

    fn operation(&self) -> &'static str {
        "GET /v3/pay/partner/transactions/out-trade-no/{out_trade_no}"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let number = path_segment(self.out_trade_no);
        let path = format!("{PATH}/out-trade-no/{number}?{}", both(self.account, self.sub_mchid));
        signed(self.account, Method::GET, &path, Vec::new(), moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<Transaction, Error> {
        let transaction: Transaction = read(WHAT, self.account, reply, now)?;
        let number = transaction.out_trade_no.as_ref();
        if number != Some(self.out_trade_no) {
            let given = number.map_or("", OutTradeNo::as_str);
            return Err(Error::holds(WHAT, "out_trade_no", given));
        }
        Ok(transaction)
    }
}

impl Call for PartnerQueryById<'_> {
    type Answer = Transaction;

    fn operation(&self) -> &'static str {
        "GET /v3/pay/partner/transactions/id/{transaction_id}"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let id = self.transaction_id;
        let path = format!("{PATH}/id/{id}?{}", both(self.account, self.sub_mchid));
        signed(self.account, Method::GET, &path, Vec::new(), moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<Transaction, Error> {
        let transaction: Transaction = read(WHAT, self.account, reply, now)?;
        let id = transaction.transaction_id.as_ref();
        if id != Some(self.transaction_id) {
            let given = id.map_or("", TransactionId::as_str);
            return Err(Error::holds(WHAT, "transaction_id", given));
        }
        Ok(transaction)
    }
}

impl Call for PartnerClose<'_> {
    type Answer = ();

    fn operation(&self) -> &'static str {
        "POST /v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let path = format!("{PATH}/out-trade-no/{}/close", path_segment(self.out_trade_no));
        let (sp_mchid, sub_mchid) = (&self.account.signer.mchid, self.sub_mchid);
        let body = format!("{{\"sp_mchid\":\"{sp_mchid}\",\"sub_mchid\":\"{sub_mchid}\"}}");
        signed(self.account, Method::POST, &path, body.into_bytes(), moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<(), Error> {
        granted(self.account, reply, now)?;
        not_an_error(reply)
    }
}

const WHAT: &str = "answer of the query";

/// Both merchants, as a query names them.
fn both(account: Account<'_>, sub_mchid: &MchId) -> String {
    format!("sp_mchid={}&sub_mchid={sub_mchid}", account.signer.mchid)
}
