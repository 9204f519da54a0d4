//! Before a new attempt: `POST /pay/closeorder`.
//!
//! Source: pay.weixin.qq.com/doc/v2, "关闭订单". WeChat refuses it within five
//! minutes of the order; `ORDERPAID` means that the payer was faster.

use http::Request;

use super::{Account, Fields, SubMerchant, answer};
use crate::{AppId, Call, Error, Host, Moment, OutTradeNo, Reply};

/// Closes an order that is not paid.
#[derive(Clone, Copy, Debug)]
pub struct CloseOrder<'a> {
    /// Who placed it.
    pub account: Account<'a>,
    /// The mini program that it was placed for; in partner mode the partner's.
    pub app_id: &'a AppId,
    /// Partner mode: for whom it was placed.
    pub sub: Option<SubMerchant<'a>>,
    /// Its number.
    pub out_trade_no: &'a OutTradeNo,
}

impl Call for CloseOrder<'_> {
    type Answer = ();

    fn operation(&self) -> &'static str {
        "POST /pay/closeorder"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let mut fields = Fields::new();
        fields.set("appid", self.app_id.as_str());
        SubMerchant::set(self.sub, &mut fields);
        fields.set("out_trade_no", self.out_trade_no.as_str());
        answer::post("/pay/closeorder", self.account, fields, moment)
    }

    fn answer(&self, reply: Reply<'_>, _: i64) -> Result<(), Error> {
        answer::read("answer of closeorder", self.account, reply).map(|_| ())
    }
}
