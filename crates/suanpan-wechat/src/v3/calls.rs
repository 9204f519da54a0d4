//! The calls of APIv3: place, query, close.

use http::{HeaderMap, Method, Request, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::message::is_signed;
use super::{JsapiOrder, KeyRing, Signer, Transaction, authorize, verify_message};
use crate::{ApiV3Key, Call, Error, Host, Moment, OutTradeNo, PrepayId, Refusal, Reply};

/// Who asks, with which key, and whom to believe.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Signs our requests.
    pub signer: &'a Signer,
    /// Proves WeChat's answers.
    pub keys: &'a KeyRing,
    /// Opens what WeChat seals.
    pub api_v3_key: &'a ApiV3Key,
}

/// Places an order; answers the `prepay_id`.
#[derive(Clone, Copy, Debug)]
pub struct Prepay<'a> {
    /// Who places it.
    pub account: Account<'a>,
    /// What is ordered.
    pub order: &'a JsapiOrder,
}

/// Asks how an order stands.
#[derive(Clone, Copy, Debug)]
pub struct QueryByOutTradeNo<'a> {
    /// Who placed it.
    pub account: Account<'a>,
    /// Its number.
    pub out_trade_no: &'a OutTradeNo,
}

/// Closes an order that is not paid.
///
/// WeChat answers 204 also for a number that it does not know, so success does
/// not prove that the number was right.
#[derive(Clone, Copy, Debug)]
pub struct Close<'a> {
    /// Who placed it.
    pub account: Account<'a>,
    /// Its number.
    pub out_trade_no: &'a OutTradeNo,
}

impl Call for Prepay<'_> {
    type Answer = PrepayId;

    fn operation(&self) -> &'static str {
        "POST /v3/pay/transactions/jsapi"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let body = serde_json::to_vec(self.order)
            .map_err(|source| Error::Json { what: "order", source })?;
        signed(self.account, Method::POST, "/v3/pay/transactions/jsapi", body, moment)
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

impl Call for QueryByOutTradeNo<'_> {
    type Answer = Transaction;

    fn operation(&self) -> &'static str {
        "GET /v3/pay/transactions/out-trade-no/{out_trade_no}"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let mchid = &self.account.signer.mchid;
        let path = format!(
            "/v3/pay/transactions/out-trade-no/{}?mchid={mchid}",
            path_segment(self.out_trade_no)
        );
        signed(self.account, Method::GET, &path, Vec::new(), moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<Transaction, Error> {
        const WHAT: &str = "answer of the query";
        let transaction: Transaction = read(WHAT, self.account, reply, now)?;
        let number = transaction.out_trade_no.as_ref();
        if number != Some(self.out_trade_no) {
            let given = number.map_or("", OutTradeNo::as_str);
            return Err(Error::holds(WHAT, "out_trade_no", given));
        }
        Ok(transaction)
    }
}

impl Call for Close<'_> {
    type Answer = ();

    fn operation(&self) -> &'static str {
        "POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let number = path_segment(self.out_trade_no);
        let path = format!("/v3/pay/transactions/out-trade-no/{number}/close");
        let body = format!("{{\"mchid\":\"{}\"}}", self.account.signer.mchid);
        signed(self.account, Method::POST, &path, body.into_bytes(), moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<(), Error> {
        granted(self.account, reply, now)?;
        not_an_error(reply)
    }
}

/// `|` is the one character of an order number that a path cannot hold as it is.
pub(super) fn path_segment(out_trade_no: &OutTradeNo) -> String {
    out_trade_no.as_str().replace('|', "%7C")
}

/// Builds a request and signs exactly the bytes that will be sent.
pub(super) fn signed(
    account: Account<'_>,
    method: Method,
    path_and_query: &str,
    body: Vec<u8>,
    moment: Moment<'_>,
) -> Result<Request<Vec<u8>>, Error> {
    let authorization = authorize(account.signer, method.as_str(), path_and_query, &body, moment);
    let mut request = Request::builder()
        .method(method)
        .uri(path_and_query)
        .header(header::AUTHORIZATION, authorization)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("suanpan/", env!("CARGO_PKG_VERSION")));
    // Tells WeChat which key we can verify with: on every request, or a
    // migration from certificates to the public key never ends.
    if let Some(serial) = account.keys.preferred() {
        request = request.header("Wechatpay-Serial", serial.wire());
    }
    request.body(body).map_err(|cause| Error::Key { what: "request", why: cause.to_string() })
}

/// Signature first, then the JSON.
pub(super) fn read<T: DeserializeOwned>(
    what: &'static str,
    account: Account<'_>,
    reply: Reply<'_>,
    now: i64,
) -> Result<T, Error> {
    granted(account, reply, now)?;
    not_an_error(reply)?;
    serde_json::from_slice(reply.body).map_err(|source| Error::Json { what, source })
}

/// A peer saw an error in the clothes of a success: 200 with a `code`.
pub(super) fn not_an_error(reply: Reply<'_>) -> Result<(), Error> {
    match serde_json::from_slice::<WireError>(reply.body) {
        Ok(wire) if !wire.code.is_empty() => Err(Error::Refused(wire.refusal(reply.status, true))),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A 2xx must be signed; a refusal is believed as far as it is.
pub(super) fn granted(account: Account<'_>, reply: Reply<'_>, now: i64) -> Result<(), Error> {
    let Reply { status, headers, body } = reply;
    if (200..300).contains(&status) && status != 202 {
        return verify_message(headers, body, account.keys, now);
    }

    // WeChat signs refusals of business, and nothing that it says before it has
    // checked our signature; a gateway signs nothing.
    let verified = verified_refusal(account, headers, body, now)?;
    Err(Error::Refused(refusal(reply, verified)))
}

/// What a refusal says; `verified` where its signature matched.
pub(super) fn refusal(reply: Reply<'_>, verified: bool) -> Refusal {
    let Reply { status, body, .. } = reply;
    match serde_json::from_slice::<WireError>(body) {
        Ok(wire) if !wire.code.is_empty() => wire.refusal(status, verified),
        Ok(_) | Err(_) => Refusal {
            status,
            code: format!("HTTP_{status}"),
            message: "the answer is not WeChat's".to_owned(),
            verified,
            detail: None,
        },
    }
}

fn verified_refusal(
    account: Account<'_>,
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
) -> Result<bool, Error> {
    if is_signed(headers) {
        verify_message(headers, body, account.keys, now).map(|()| true)
    } else {
        Ok(false)
    }
}

/// `{"code","message","detail"}`; `detail` can be any JSON.
#[derive(Deserialize)]
struct WireError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    detail: Option<serde_json::Value>,
}

impl WireError {
    fn refusal(self, status: u16, verified: bool) -> Refusal {
        Refusal { status, code: self.code, message: self.message, verified, detail: self.detail }
    }
}
