//! When a notice was lost: `POST /pay/orderquery`.
//!
//! Source: pay.weixin.qq.com/doc/v2, "查询订单". Only `out_trade_no`, `attach` and
//! the state are promised while nothing is paid, so all else is optional.

use http::Request;

use super::payment_notice::PaidFields;
use super::{Account, Fields, SubMerchant, answer};
use crate::{AppId, Call, Error, Host, Moment, OutTradeNo, Payment, Reply, TradeState};

const WHAT: &str = "answer of orderquery";

/// Asks how an order stands.
#[derive(Clone, Copy, Debug)]
pub struct QueryOrder<'a> {
    /// Who placed it.
    pub account: Account<'a>,
    /// The mini program that it was placed for; in partner mode the partner's.
    pub app_id: &'a AppId,
    /// Partner mode: for whom it was placed.
    pub sub: Option<SubMerchant<'a>>,
    /// Its number.
    pub out_trade_no: &'a OutTradeNo,
}

/// How an order stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OrderAnswer {
    /// The fact.
    pub payment: Payment,
    /// WeChat's words for the state, for people.
    pub trade_state_desc: Option<String>,
    /// All fields of the answer, those that we do not know too.
    pub fields: Fields,
}

impl Call for QueryOrder<'_> {
    type Answer = OrderAnswer;

    fn operation(&self) -> &'static str {
        "POST /pay/orderquery"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let mut fields = Fields::new();
        fields.set("appid", self.app_id.as_str());
        SubMerchant::set(self.sub, &mut fields);
        fields.set("out_trade_no", self.out_trade_no.as_str());
        answer::post("/pay/orderquery", self.account, fields, moment)
    }

    fn answer(&self, reply: Reply<'_>, _: i64) -> Result<OrderAnswer, Error> {
        let fields = answer::read(WHAT, self.account, reply)?;
        let state = TradeState::parse(fields.required(WHAT, "trade_state")?);
        let payment = PaidFields { what: WHAT, fields: &fields }.payment(state)?;
        if payment.out_trade_no != *self.out_trade_no {
            let given = payment.out_trade_no.as_str();
            return Err(Error::holds(WHAT, "out_trade_no", given));
        }
        let trade_state_desc = fields.owned("trade_state_desc");
        Ok(OrderAnswer { payment, trade_state_desc, fields })
    }
}
