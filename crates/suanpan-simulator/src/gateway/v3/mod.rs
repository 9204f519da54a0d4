//! APIv3: JSON over REST.
//!
//! The gateway checks in this order: is there such a path and method (the
//! router's), `User-Agent` and `Accept` (not for payments), `Authorization`, its
//! clock, its certificate, its signature, and only then what is asked. What it
//! says before the signature is checked is unsigned, and so are 404 and 405.

mod authorization;
mod bills;
mod order;
mod partner;
mod query;
mod refund;
mod refusal;

use http::StatusCode;
use serde_json::json;
use suanpan_wechat::v3::{CertificateEntry, CertificatesAnswer, EncryptCertificate, seal};
use suanpan_wechat::{OutTradeNo, Serial};

use super::book::{self, No};
use super::{Answer, Heard, Operation, Said};
use crate::dice;
use crate::registry::Merchant;
use crate::world::World;

pub(crate) use query::transaction;
pub(crate) use refund::resource as refund_resource;
pub(super) use refusal::Refusal;

/// Answers a question of APIv3.
pub(super) fn answer<'w>(world: &'w World, operation: Operation, heard: &Heard) -> Answer<'w> {
    let merchant = match authorization::who_asks(world, operation, heard) {
        Ok(merchant) => merchant,
        Err(refused) => {
            let (refusal, mismatch) = *refused;
            // Seen on the wire: no Request-ID where a payment call is not authenticated.
            let request_id = !authorization::is_payment(operation);
            let said = refusal.say(None, request_id);
            return Answer { said, mismatch };
        }
    };
    let asked = heard.header("wechatpay-serial").and_then(|name| Serial::normalised(name).ok());
    let key = merchant.key_for_answer(asked.as_ref());

    if operation == Operation::V3BillFile {
        return bills::file(world, heard, merchant)
            .unwrap_or_else(|refusal| Answer { said: refusal.say(None, true), mismatch: None });
    }
    let said = match grant(world, operation, heard, merchant) {
        Ok((status, body)) => Said::Json { status, body, key: Some(key), request_id: true },
        Err(refusal) => {
            let key = Some(key).filter(|_| world.switches().v3_refusals_are_signed);
            refusal.say(key, true)
        }
    };
    Answer { said, mismatch: None }
}

/// WeChat's "I do not know".
pub(super) fn system_error<'w>() -> Answer<'w> {
    Answer { said: Refusal::broken().say(None, true), mismatch: None }
}

/// WeChat's "not so fast".
pub(super) fn too_often<'w>() -> Answer<'w> {
    let refusal = Refusal::new(429, "FREQUENCY_LIMITED", "频率限制");
    Answer { said: refusal.say(None, true), mismatch: None }
}

/// What the merchant gets: a status and a body.
type Granted = (StatusCode, String);

fn grant(
    world: &World,
    operation: Operation,
    heard: &Heard,
    merchant: &Merchant,
) -> Result<Granted, Refusal> {
    partner::may_ask(operation, merchant)?;
    match operation {
        Operation::V3Jsapi | Operation::V3PartnerJsapi => {
            let order = order::read(world, heard, merchant)?;
            let prepay_id = book::place(world, order).map_err(|no| placing_refused(world, no))?;
            Ok((StatusCode::OK, json!({ "prepay_id": prepay_id }).to_string()))
        }
        Operation::V3QueryByNumber | Operation::V3PartnerQueryByNumber => {
            query::by_number(world, heard, merchant)
        }
        Operation::V3QueryById | Operation::V3PartnerQueryById => {
            query::by_id(world, heard, merchant)
        }
        Operation::V3Close | Operation::V3PartnerClose => close(world, heard, merchant),
        Operation::V3Certificates => certificates(world, merchant),
        Operation::V3Refund => refund::create(world, heard, merchant),
        Operation::V3RefundQuery => refund::query(world, heard, merchant),
        Operation::V3AbnormalRefund => refund::rescue(world, heard, merchant),
        Operation::V3TradeBill => bills::trade(world, heard, merchant),
        Operation::V3FundFlowBill => bills::fund_flow(world, heard, merchant),
        Operation::Login
        | Operation::Platform(_)
        | Operation::V3BillFile
        | Operation::V2DownloadBill
        | Operation::V2DownloadFundFlow
        | Operation::V2UnifiedOrder
        | Operation::V2OrderQuery
        | Operation::V2CloseOrder
        | Operation::V2Refund
        | Operation::V2RefundQuery => Err(Refusal::broken()),
    }
}

fn placing_refused(world: &World, no: No) -> Refusal {
    let switches = world.switches();
    match no {
        No::Paid => Refusal::new(400, &switches.v3_order_after_payment, "该订单已支付"),
        No::Closed => Refusal::new(400, "ORDER_CLOSED", "该订单已关闭"),
        No::Duplicate => Refusal::duplicate(switches.v3_duplicate_order),
        No::Unknown | No::TooYoung | No::Broken => Refusal::broken(),
    }
}

/// 204 also for a number that was never ordered, and for one that is closed.
fn close(world: &World, heard: &Heard, merchant: &Merchant) -> Result<Granted, Refusal> {
    let body = refusal::json(heard)?;
    let (pointer, title) = partner::own_number(merchant);
    let mchid = refusal::required_text(&body, pointer, title, 32)?;
    refusal::same_merchant(merchant, &mchid)?;
    let sub_mchid = partner::sub_in_body(world, merchant, &body)?;
    let number = partner::last_segment(heard, merchant);
    let switches = world.switches();
    let closed = match OutTradeNo::parse(&number) {
        Ok(number) => {
            let key = (merchant.mchid.clone(), number);
            book::close(world, &key, sub_mchid.as_deref(), 0, heard.pretend)
        }
        Err(_) => return Err(Refusal::order_number("url", "out_trade_no", &number)),
    };
    match closed {
        Ok(()) | Err(No::Closed) => Ok((StatusCode::NO_CONTENT, String::new())),
        Err(No::Unknown) if switches.v3_close_of_unknown_is_204 => {
            Ok((StatusCode::NO_CONTENT, String::new()))
        }
        Err(No::Unknown) => Err(Refusal::no_order()),
        Err(No::Paid) => {
            let code = &switches.v3_close_of_paid;
            let status = if code == "TRADE_ERROR" { 403 } else { 400 };
            Err(Refusal::new(status, code, "订单已支付，不能关闭"))
        }
        Err(No::Duplicate | No::TooYoung | No::Broken) => Err(Refusal::broken()),
    }
}

/// The platform certificates, sealed; none for merchants with the public key only.
fn certificates(world: &World, merchant: &Merchant) -> Result<Granted, Refusal> {
    if !merchant.mode().has_certificates() {
        let words = "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。";
        return Err(Refusal::new(404, "RESOURCE_NOT_EXISTS", words));
    }
    let mut data = Vec::new();
    for platform in merchant.certificates() {
        let (nonce, about) = (dice::alphanumeric(&*world.outside, 12), "certificate");
        let ciphertext = seal(&merchant.api_v3_key, &nonce, about, platform.pem.as_bytes())
            .map_err(|_| Refusal::broken())?;
        let time = suanpan_wechat::time::beijing_rfc3339;
        data.push(CertificateEntry {
            serial_no: platform.signing.serial.to_string(),
            effective_time: time(platform.not_before),
            expire_time: time(platform.not_after),
            encrypt_certificate: EncryptCertificate {
                algorithm: "AEAD_AES_256_GCM".to_owned(),
                nonce,
                associated_data: about.to_owned(),
                ciphertext,
            },
        });
    }
    let body = serde_json::to_string(&CertificatesAnswer { data });
    body.map(|body| (StatusCode::OK, body)).map_err(|_| Refusal::broken())
}
