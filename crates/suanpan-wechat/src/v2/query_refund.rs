//! How a refund stands: `POST /pay/refundquery`.
//!
//! Source: pay.weixin.qq.com/doc/v2, "查询退款". The answer is a list, each field
//! with the number of its entry behind it; `refund_recv_accout_0` is spelled so.
//! A refund that does not exist is the refusal `REFUNDNOTEXIST`.

use http::Request;

use super::sub_merchant::read_sub_merchant;
use super::{Account, Fields, SubMerchant, answer};
use crate::time::parse_beijing_spaced;
use crate::{AppId, Call, Error, Fen, Host, Moment, OutRefundNo, Refund, RefundStatus, Reply};

const WHAT: &str = "answer of refundquery";

/// Asks how a refund stands, by our number of it.
#[derive(Clone, Copy, Debug)]
pub struct QueryRefund<'a> {
    /// Who asked for it.
    pub account: Account<'a>,
    /// The mini program that the order was placed for; in partner mode the partner's.
    pub app_id: &'a AppId,
    /// Partner mode: for whom the order was placed.
    pub sub: Option<SubMerchant<'a>>,
    /// Its number.
    pub out_refund_no: &'a OutRefundNo,
}

/// How a refund stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefundsAnswer {
    /// The fact: the refund that was asked for.
    pub refund: Refund,
    /// All fields of the answer, those that we do not know too.
    pub fields: Fields,
}

impl Call for QueryRefund<'_> {
    type Answer = RefundsAnswer;

    fn operation(&self) -> &'static str {
        "POST /pay/refundquery"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let mut fields = Fields::new();
        fields.set("appid", self.app_id.as_str());
        SubMerchant::set(self.sub, &mut fields);
        fields.set("out_refund_no", self.out_refund_no.as_str());
        answer::post("/pay/refundquery", self.account, fields, moment)
    }

    fn answer(&self, reply: Reply<'_>, _: i64) -> Result<RefundsAnswer, Error> {
        let fields = answer::read(WHAT, self.account, reply)?;
        let wanted = self.out_refund_no.as_str();
        let index = (0..super::MAX_FIELDS)
            .map_while(|index| Some((index, fields.get(&format!("out_refund_no_{index}"))?)))
            .find(|(_, number)| *number == wanted)
            .map(|(index, _)| index);
        let Some(index) = index else {
            let given = fields.get("out_refund_no_0").unwrap_or_default();
            return Err(Error::holds(WHAT, "out_refund_no_$n", given));
        };
        let refund = Entry { fields: &fields, index }.refund(self.out_refund_no)?;
        Ok(RefundsAnswer { refund, fields })
    }
}

/// One entry of the list.
struct Entry<'a> {
    fields: &'a Fields,
    index: usize,
}

impl Entry<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(&format!("{name}_{}", self.index))
    }

    fn needed(&self, name: &'static str) -> Result<&str, Error> {
        self.get(name).ok_or_else(|| Error::missing(WHAT, name))
    }

    fn refund(&self, out_refund_no: &OutRefundNo) -> Result<Refund, Error> {
        let fields = self.fields;
        let fen =
            |name, text: &str| Fen::parse_count(text).ok_or_else(|| Error::holds(WHAT, name, text));
        let time = self.get("refund_success_time");
        Ok(Refund {
            out_refund_no: out_refund_no.clone(),
            refund_id: self.needed("refund_id")?.parse()?,
            out_trade_no: fields.parsed(WHAT, "out_trade_no")?,
            transaction_id: fields.parsed(WHAT, "transaction_id")?,
            status: RefundStatus::parse(self.needed("refund_status")?),
            total: fen("total_fee", fields.required(WHAT, "total_fee")?)?,
            refund: fen("refund_fee", self.needed("refund_fee")?)?,
            currency: fields.get("fee_type").unwrap_or("CNY").to_owned(),
            success_time: time
                .map(|time| {
                    parse_beijing_spaced(time)
                        .ok_or_else(|| Error::holds(WHAT, "refund_success_time", time))
                })
                .transpose()?,
            received_account: self.get("refund_recv_accout").map(str::to_owned),
            sub_mchid: read_sub_merchant(WHAT, fields)?,
        })
    }
}
