//! What all questions and answers of APIv2 have in common.

use http::{Method, Request, header};

use super::{Account, Fields};
use crate::{Error, Moment, Refusal, Reply};

/// Completes, signs and wraps a question.
pub(super) fn post(
    path: &'static str,
    account: Account<'_>,
    mut fields: Fields,
    moment: Moment<'_>,
) -> Result<Request<Vec<u8>>, Error> {
    fields.set("mch_id", account.mch_id.as_str());
    fields.set("nonce_str", moment.nonce.as_str());
    fields.set("sign_type", account.sign_type.as_str());
    fields.check()?;
    let xml = fields.signed(account.sign_type, account.key).to_xml();

    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::CONTENT_TYPE, "text/xml; charset=utf-8")
        .header(header::USER_AGENT, concat!("suanpan/", env!("CARGO_PKG_VERSION")))
        .body(xml.into_bytes())
        .map_err(|error| Error::Xml { why: error.to_string() })
}

/// Reads `return_code`, checks the signature, reads `result_code`: in that order.
///
/// A FAIL in `return_code` carries no signature (WeChat could not or would not
/// sign), so its refusal is unverified.
pub(super) fn read(
    what: &'static str,
    account: Account<'_>,
    reply: Reply<'_>,
) -> Result<Fields, Error> {
    if reply.status >= 300 {
        return Err(not_of_wechat(reply.status));
    }

    let fields = Fields::parse(reply.body)?;
    if fields.required(what, "return_code")? != "SUCCESS" {
        return Err(refusal(reply.status, &fields, false));
    }
    // An answer does not name its digest: it is the one that we asked with.
    fields.verify(account.sign_type, account.key)?;
    if fields.required(what, "mch_id")? != account.mch_id.as_str() {
        let given = fields.get("mch_id").unwrap_or_default();
        return Err(Error::holds(what, "mch_id", given));
    }
    if fields.required(what, "result_code")? != "SUCCESS" {
        return Err(refusal(reply.status, &fields, true));
    }
    Ok(fields)
}

/// What an answer says that should have been a file: XML, never signed.
pub(super) fn unsigned_refusal(reply: Reply<'_>) -> Error {
    if reply.status < 300 {
        match Fields::parse(reply.body) {
            Ok(fields) => refusal(reply.status, &fields, false),
            Err(error) => error,
        }
    } else {
        not_of_wechat(reply.status)
    }
}

fn not_of_wechat(status: u16) -> Error {
    Error::Refused(Refusal {
        status,
        code: format!("HTTP_{status}"),
        message: "the answer is not WeChat's".to_owned(),
        verified: false,
        detail: None,
    })
}

fn refusal(status: u16, fields: &Fields, verified: bool) -> Error {
    let code = fields.get("err_code").unwrap_or("FAIL").to_owned();
    let message = fields.get("err_code_des").or_else(|| fields.get("return_msg"));
    let message = message.unwrap_or_default().to_owned();
    Error::Refused(Refusal { status, code, message, verified, detail: None })
}
