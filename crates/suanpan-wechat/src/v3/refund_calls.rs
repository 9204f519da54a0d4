//! The calls of APIv3 that give money back: ask, query, and rescue an abnormal one.

use http::{Method, Request};
use serde::Serialize;

use super::calls::{read, signed};
use super::{Account, RefundOrder, RefundResource};
use crate::{Call, Error, Host, MchId, Moment, OutRefundNo, Refund, RefundId, Reply};

const PATH: &str = "/v3/refund/domestic/refunds";

/// Asks for a refund.
#[derive(Clone, Copy, Debug)]
pub struct CreateRefund<'a> {
    /// Who got the money.
    pub account: Account<'a>,
    /// What is to go back.
    pub order: &'a RefundOrder,
}

/// Asks how a refund stands.
#[derive(Clone, Copy, Debug)]
pub struct QueryRefund<'a> {
    /// Who asked for it.
    pub account: Account<'a>,
    /// Its number.
    pub out_refund_no: &'a OutRefundNo,
    /// Partner mode: the sub-merchant.
    pub sub_mchid: Option<&'a MchId>,
}

/// Sends a refund that the bank would not take to another account.
#[derive(Clone, Copy, Debug)]
pub struct ApplyAbnormalRefund<'a> {
    /// Who asked for it.
    pub account: Account<'a>,
    /// WeChat's number of it.
    pub refund_id: &'a RefundId,
    /// Where the money is to go.
    pub order: &'a AbnormalRefund,
}

/// Where the money of an abnormal refund is to go.
///
/// `bank_account` and `real_name` are ciphertexts, sealed with WeChat's key
/// (OAEP): the request must name that key in `Wechatpay-Serial`, which every
/// request of ours does.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AbnormalRefund {
    /// Partner mode: the sub-merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<MchId>,
    /// Our number of the refund.
    pub out_refund_no: OutRefundNo,
    /// `USER_BANK_CARD` or `MERCHANT_BANK_CARD`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Such as `CMB_DEBIT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_type: Option<String>,
    /// The card's number, sealed; with `USER_BANK_CARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<String>,
    /// Its owner, sealed; with `USER_BANK_CARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_name: Option<String>,
}

impl Call for CreateRefund<'_> {
    type Answer = RefundResource;

    fn operation(&self) -> &'static str {
        "POST /v3/refund/domestic/refunds"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let body = serde_json::to_vec(self.order)
            .map_err(|source| Error::Json { what: "refund", source })?;
        signed(self.account, Method::POST, PATH, body, moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<RefundResource, Error> {
        told("answer of the refund", self.account, &self.order.out_refund_no, reply, now)
    }
}

impl Call for QueryRefund<'_> {
    type Answer = RefundResource;

    fn operation(&self) -> &'static str {
        "GET /v3/refund/domestic/refunds/{out_refund_no}"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let number = path_segment(self.out_refund_no);
        let query = self.sub_mchid.map(|mchid| format!("?sub_mchid={mchid}")).unwrap_or_default();
        let path = format!("{PATH}/{number}{query}");
        signed(self.account, Method::GET, &path, Vec::new(), moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<RefundResource, Error> {
        told("answer of the refund's query", self.account, self.out_refund_no, reply, now)
    }
}

impl Call for ApplyAbnormalRefund<'_> {
    type Answer = RefundResource;

    fn operation(&self) -> &'static str {
        "POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let path = format!("{PATH}/{}/apply-abnormal-refund", self.refund_id);
        let body = serde_json::to_vec(self.order)
            .map_err(|source| Error::Json { what: "abnormal refund", source })?;
        signed(self.account, Method::POST, &path, body, moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<RefundResource, Error> {
        let number = &self.order.out_refund_no;
        told("answer of the abnormal refund", self.account, number, reply, now)
    }
}

/// Reads a refund, and holds it to be the one that was asked about, with all that makes it one.
fn told(
    what: &'static str,
    account: Account<'_>,
    asked: &OutRefundNo,
    reply: Reply<'_>,
    now: i64,
) -> Result<RefundResource, Error> {
    let told: RefundResource = read(what, account, reply, now)?;
    let Refund { out_refund_no, .. } = told.refund()?;
    if out_refund_no != *asked {
        return Err(Error::holds(what, "out_refund_no", out_refund_no.as_str()));
    }
    Ok(told)
}

/// `|` and `@` are the characters of a refund number that a path is safer without.
fn path_segment(out_refund_no: &OutRefundNo) -> String {
    out_refund_no.as_str().replace('|', "%7C").replace('@', "%40")
}
