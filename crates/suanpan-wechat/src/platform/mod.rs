//! The mini program platform beyond login: the token that its calls carry, and
//! order shipping information (发货信息管理).
//!
//! The platform answers HTTP 200 also where it refuses, signs nothing, and leaves
//! `errcode` out or writes 0 where all is well. A call carries its token in the
//! query, so a URL of the platform is a secret; and it wants UTF-8 as it is, since
//! escapes such as `\u4e2d` are shown to people literally.
//!
//! Each question is a struct that serialises to its body; [`Asked`] puts the token
//! to it and is the [`Call`].

mod delivery;
mod managed;
mod query_shipping;
mod receive;
mod shipping;
mod token;

use http::{Method, Request, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use delivery::{DeliveryCompanies, DeliveryCompany, GetDeliveryList};
pub use managed::{Confirmation, IsTradeConfirmed, IsTradeManaged, Managed};
pub use query_shipping::{
    GetOrder, GetOrderList, OneOrder, OrderList, OrderState, ShippedItem, ShippingOrder,
    ShippingStatus, TimeRange,
};
pub use receive::NotifyConfirmReceive;
pub use shipping::{
    Contact, DeliveryMode, LogisticsType, MAX_ITEM_DESC, MAX_PARCELS, OrderKey, Parcel, Payer,
    SubOrder, UploadCombinedShippingInfo, UploadShippingInfo,
};
pub use token::{IssuedToken, StableToken};

use crate::{AccessToken, Call, Error, Host, Moment, Refusal, Reply};

/// A question that carries an access token.
pub trait Question: Serialize {
    /// The typed answer.
    type Answer;

    /// `POST` and the path.
    const OPERATION: &'static str;

    /// Reads an answer that is no refusal.
    ///
    /// # Errors
    /// [`Error::Json`] where it is not what WeChat documents.
    fn read(body: &[u8]) -> Result<Self::Answer, Error>;
}

/// A question with its token: what is sent.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a, Q> {
    /// What is asked.
    pub question: &'a Q,
    /// Which app asks.
    pub token: &'a AccessToken,
}

impl<Q: Question> Call for Asked<'_, Q> {
    type Answer = Q::Answer;

    fn operation(&self) -> &'static str {
        Q::OPERATION
    }

    fn host(&self) -> Host {
        Host::Platform
    }

    fn request(&self, _: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let token = form_urlencoded::byte_serialize(self.token.expose().as_bytes());
        let token: String = token.collect();
        post(&format!("{}?access_token={token}", path(Q::OPERATION)), self.question)
    }

    fn answer(&self, reply: Reply<'_>, _: i64) -> Result<Q::Answer, Error> {
        granted(Q::OPERATION, reply)?;
        Q::read(reply.body)
    }
}

/// A token that WeChat no longer takes: 40001 not the latest, 40014 malformed,
/// 42001 expired. Nothing was done, so the question may be asked again with another.
pub fn is_stale_token(code: &str) -> bool {
    matches!(code, "40001" | "40014" | "42001")
}

/// The path of an operation.
fn path(operation: &str) -> &str {
    operation.strip_prefix("POST ").unwrap_or(operation)
}

/// A POST of JSON as it is: `serde_json` escapes nothing but what it must.
fn post(uri: &str, body: &impl Serialize) -> Result<Request<Vec<u8>>, Error> {
    let unwritable = |why: String| Error::Key { what: "request to the platform", why };
    let body = serde_json::to_vec(body).map_err(|error| unwritable(error.to_string()))?;
    Request::builder()
        .method(Method::POST)
        .uri(uri)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .body(body)
        // The error of the URI would show the token.
        .map_err(|_| unwritable("the address cannot be written".to_owned()))
}

/// An error where the answer is a refusal, or no answer of the platform at all.
pub(crate) fn granted(what: &'static str, reply: Reply<'_>) -> Result<(), Error> {
    let wire = serde_json::from_slice::<Verdict>(reply.body);
    if reply.status >= 300 {
        // A page of some proxy: nothing is known.
        return Err(Error::Refused(Refusal {
            status: reply.status,
            code: format!("HTTP_{}", reply.status),
            message: "the answer is not WeChat's".to_owned(),
            verified: false,
            detail: None,
        }));
    }
    let verdict = wire.map_err(|source| Error::Json { what, source })?;
    if verdict.errcode == 0 {
        return Ok(());
    }
    Err(Error::Refused(Refusal {
        status: reply.status,
        code: verdict.errcode.to_string(),
        message: verdict.errmsg,
        // The platform signs nothing; TLS is all there is.
        verified: false,
        detail: None,
    }))
}

fn read<T: DeserializeOwned>(what: &'static str, body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|source| Error::Json { what, source })
}

/// On success `errcode` is absent or 0.
#[derive(serde::Deserialize)]
struct Verdict {
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

#[cfg(test)]
pub(crate) mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::Nonce;

    /// The URI and the body of a question.
    pub(crate) fn sent<Q: Question>(question: &Q) -> (String, String) {
        let token = AccessToken::parse("75_a-b/c+d").unwrap();
        let call = Asked { question, token: &token };
        let nonce = Nonce::parse("n").unwrap();
        let request = call.request(Moment { now: 0, nonce: &nonce }).unwrap();
        assert_eq!(request.method(), Method::POST);
        let uri = request.uri().to_string();
        (uri, String::from_utf8(request.into_body()).unwrap())
    }

    /// What is made of an answer.
    pub(crate) fn heard<Q: Question>(question: &Q, body: &str) -> Result<Q::Answer, Error> {
        heard_with(question, 200, body)
    }

    fn heard_with<Q: Question>(question: &Q, status: u16, body: &str) -> Result<Q::Answer, Error> {
        let token = AccessToken::parse("75_a").unwrap();
        let reply = Reply { status, headers: &HeaderMap::new(), body: body.as_bytes() };
        Asked { question, token: &token }.answer(reply, 0)
    }

    #[test]
    fn the_token_is_escaped_and_stands_in_the_query_alone() {
        let (uri, body) = sent(&GetDeliveryList {});
        assert_eq!(
            uri,
            "/cgi-bin/express/delivery/open_msg/get_delivery_list?access_token=75_a-b%2Fc%2Bd"
        );
        assert_eq!(body, "{}");
    }

    #[test]
    fn errcode_decides_and_a_page_of_a_proxy_is_doubt() {
        let question = IsTradeManaged::of(&crate::AppId::parse("wx2421b1c4370ec43b").unwrap());
        for (body, doubt) in [
            (r#"{"errcode":40001,"errmsg":"invalid credential, rid: 6-8"}"#, false),
            (r#"{"errcode":-1,"errmsg":"system error"}"#, true),
            (r#"{"errcode":10060012,"errmsg":"system error"}"#, true),
            (r#"{"errcode":10060019,"errmsg":"system error"}"#, true),
            (r#"{"errcode":45011}"#, false),
        ] {
            let Err(Error::Refused(refusal)) = heard(&question, body) else { panic!("{body}") };
            assert_eq!((refusal.is_doubt(), refusal.verified), (doubt, false), "{body}");
        }
        for (status, body) in [(502, "<html>"), (200, "<html>"), (200, "[]"), (504, "{}")] {
            assert!(heard_with(&question, status, body).is_err(), "{status} {body}");
        }
    }

    #[test]
    fn three_codes_ask_for_another_token() {
        let stale: Vec<_> = ["-1", "40001", "40013", "40014", "41001", "42001", "10060001"]
            .into_iter()
            .filter(|code| is_stale_token(code))
            .collect();
        assert_eq!(stale, ["40001", "40014", "42001"]);
    }
}
