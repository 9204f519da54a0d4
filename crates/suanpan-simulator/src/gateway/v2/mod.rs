//! APIv2: flat XML.
//!
//! Two ways to say no: `return_code` FAIL where the question was not understood or
//! not signed (then nothing else is there, and no signature), `result_code` FAIL
//! with an `err_code` where it was, and was not granted (signed). HTTP 200 always.

mod bills;
mod order;
mod partner;
mod refund;

use http::StatusCode;
use suanpan_wechat::mistakes::Message;
use suanpan_wechat::time::beijing_compact;
use suanpan_wechat::v2::{Fields, SignType};
use suanpan_wechat::{AppId, MchId, OutTradeNo, TransactionId};

use super::book::{self, No};
use super::{Answer, Heard, Operation, Said};
use crate::explain;
use crate::ledger::{Ledger, Order, Sub};
use crate::registry::{Merchant, openid};
use crate::requests::Mismatch;
use crate::switches::DuplicateOrder;
use crate::tls::Shown;
use crate::world::World;

/// A question that was understood, and is signed by whom it names.
pub(super) struct Asked<'w> {
    merchant: &'w Merchant,
    fields: Fields,
    sign_type: SignType,
    shown: Shown,
    pretend: bool,
}

/// What makes two questions different although they mean the same.
const ENVELOPE: [&str; 4] = ["nonce_str", "sign", "sign_type", "mch_id"];

/// `err_code` and its words.
type Refused = (&'static str, String);

/// Answers a question of APIv2.
pub(super) fn answer<'w>(world: &'w World, operation: Operation, heard: &Heard) -> Answer<'w> {
    let lacks_certificate = match heard.shown {
        Shown::Plain => world.switches().v2_refund_wants_certificate,
        Shown::Nobody => true,
        Shown::Merchant(_) => false,
    };
    if operation.wants_certificate() && lacks_certificate {
        // The web server's word, before WeChat has read anything.
        let words = "No required SSL certificate was sent";
        return Answer {
            said: Said::Page { status: StatusCode::BAD_REQUEST, words },
            mismatch: None,
        };
    }
    let asked = match understand(world, heard) {
        Ok(asked) => asked,
        Err((words, mismatch)) => {
            let mut fields = Fields::new();
            fields.set("return_code", "FAIL");
            fields.set("return_msg", &words);
            return Answer { mismatch, ..Answer::xml(fields, None) };
        }
    };
    let granted = match verify(world, heard, &asked) {
        Ok(())
            if matches!(operation, Operation::V2DownloadBill | Operation::V2DownloadFundFlow) =>
        {
            return bills::answer(world, operation, &asked);
        }
        Ok(()) => grant(world, operation, &asked).map_err(|refused| (refused, None)),
        Err(mismatch) if world.switches().v2_signature_error_is_an_err_code => {
            Err((("SIGNERROR", WRONG_SIGNATURE.to_owned()), Some(mismatch)))
        }
        Err(mismatch) => {
            let mut fields = Fields::new();
            fields.set("return_code", "FAIL");
            fields.set("return_msg", WRONG_SIGNATURE);
            return Answer { mismatch: Some(mismatch), ..Answer::xml(fields, None) };
        }
    };

    let (fields, mismatch) = match granted {
        Ok(fields) => (fields, None),
        Err(((code, words), mismatch)) => (refusal(code, &words), mismatch),
    };
    Answer { mismatch, ..complete(world, &asked, fields) }
}

/// WeChat does not know, or is asked too often: signed, where it can be.
pub(super) fn busy<'w>(world: &'w World, heard: &Heard, code: &str, words: &str) -> Answer<'w> {
    match understand(world, heard) {
        Ok(asked) => complete(world, &asked, refusal(code, words)),
        Err(_) => Answer::xml(refusal(code, words), None),
    }
}

const WRONG_SIGNATURE: &str = "签名错误，请检查后再试";

/// Reads the message, and whom it names.
fn understand<'w>(
    world: &'w World,
    heard: &Heard,
) -> Result<Asked<'w>, (String, Option<Mismatch>)> {
    let no = |words: &str| (words.to_owned(), None);
    if heard.method != "POST" {
        return Err(no("请使用post方法"));
    }
    if heard.body.is_empty() {
        return Err(no("post数据为空"));
    }
    if std::str::from_utf8(&heard.body).is_err() {
        return Err(no("编码格式错误，请使用UTF-8"));
    }
    let fields = Fields::parse(&heard.body).map_err(|_| no("XML格式错误"))?;
    let mch_id = fields.get("mch_id").ok_or_else(|| no("缺少参数mch_id"))?;
    let merchant = world.registry.merchant(mch_id);
    let merchant = merchant.ok_or_else(|| no("商户号mch_id或sub_mch_id不存在"))?;
    let sign_type = fields.declared_sign_type().map_err(|_| no("sign_type参数错误"))?;
    let (shown, pretend) = (heard.shown.clone(), heard.pretend);
    Ok(Asked { merchant, fields, sign_type, shown, pretend })
}

fn verify(world: &World, heard: &Heard, asked: &Asked<'_>) -> Result<(), Mismatch> {
    let Asked { merchant, fields, sign_type, .. } = asked;
    fields.verify(*sign_type, &merchant.api_v2_key).map_err(|_| {
        // In the order in which they came: who does not sort signs them so.
        let fields = Fields::in_order(&heard.body).unwrap_or_default();
        let message = Message::Fields { fields, sign_type: *sign_type };
        let sign = asked.fields.get("sign").unwrap_or_default();
        explain::mismatch(&world.registry, merchant, &message, sign)
    })
}

/// Adds what every answer has, and says how it is signed: as the question was.
fn complete<'w>(world: &World, asked: &Asked<'w>, mut fields: Fields) -> Answer<'w> {
    let Asked { merchant, fields: question, sign_type, .. } = asked;
    fields.set("return_code", "SUCCESS");
    fields.set("return_msg", "OK");
    fields.set_optional("appid", question.get("appid"));
    fields.set("mch_id", merchant.mchid.as_str());
    fields.set_optional("sub_mch_id", question.get("sub_mch_id"));
    fields.set_optional("sub_appid", question.get("sub_appid"));
    fields.set("nonce_str", world.nonce().as_str());
    Answer::xml(fields, Some((*sign_type, &merchant.api_v2_key)))
}

fn refusal(code: &str, words: &str) -> Fields {
    let mut fields = Fields::new();
    fields.set("return_code", "SUCCESS");
    fields.set("result_code", "FAIL");
    fields.set("err_code", code);
    fields.set("err_code_des", words);
    fields
}

fn grant(world: &World, operation: Operation, asked: &Asked<'_>) -> Result<Fields, Refused> {
    let nonce = asked.fields.get("nonce_str").ok_or_else(|| lacks("nonce_str"))?;
    if nonce.len() > 32 {
        return Err(("PARAM_ERROR", "nonce_str长度超过32".to_owned()));
    }
    // The code is in WeChat's list; what exactly it stands for is not written there.
    if operation.wants_certificate()
        && let Shown::Merchant(mchid) = &asked.shown
        && *mchid != asked.merchant.mchid
    {
        return Err(("CERT_ERROR", "证书校验错误".to_owned()));
    }
    let appid = bound_app(world, asked)?;
    let sub = partner::bound_sub(world, asked.merchant, &asked.fields)?;
    let sub_mchid = sub.as_ref().map(|sub| sub.mchid.to_string());
    let mut granted = match operation {
        Operation::V2UnifiedOrder => place(world, asked, (appid, sub))?,
        Operation::V2OrderQuery => query(world, asked, sub_mchid.as_deref())?,
        Operation::V2CloseOrder => close(world, asked, sub_mchid.as_deref())?,
        Operation::V2Refund => refund::create(world, asked, sub_mchid)?,
        Operation::V2RefundQuery => refund::query(world, asked, sub_mchid.as_deref())?,
        Operation::Login
        | Operation::Platform(_)
        | Operation::V3Jsapi
        | Operation::V3QueryByNumber
        | Operation::V3QueryById
        | Operation::V3Close
        | Operation::V3PartnerJsapi
        | Operation::V3PartnerQueryByNumber
        | Operation::V3PartnerQueryById
        | Operation::V3PartnerClose
        | Operation::V3Certificates
        | Operation::V3Refund
        | Operation::V3RefundQuery
        | Operation::V3AbnormalRefund
        | Operation::V3TradeBill
        | Operation::V3FundFlowBill
        | Operation::V3BillFile
        | Operation::V2DownloadBill
        | Operation::V2DownloadFundFlow => return Err(broken()),
    };
    granted.set("result_code", "SUCCESS");
    Ok(granted)
}

fn place(
    world: &World,
    asked: &Asked<'_>,
    parties: (AppId, Option<Sub>),
) -> Result<Fields, Refused> {
    let order = order::read(world, asked, parties)?;
    let device_info = order.device_info.clone();
    let prepay_id = book::place(world, order).map_err(|no| match no {
        No::Paid => ("ORDERPAID", "该订单已支付".to_owned()),
        No::Closed => ("ORDERCLOSED", "该订单已关闭".to_owned()),
        No::Duplicate => match world.switches().v2_duplicate_order {
            DuplicateOrder::OutTradeNoUsed => ("OUT_TRADE_NO_USED", "商户订单号重复".to_owned()),
            DuplicateOrder::InvalidRequest => ("INVALID_REQUEST", "201 商户订单号重复".to_owned()),
        },
        No::Unknown | No::TooYoung | No::Broken => broken(),
    })?;
    let mut fields = Fields::new();
    fields.set_optional("device_info", device_info.as_deref());
    fields.set("trade_type", "JSAPI");
    fields.set("prepay_id", prepay_id.as_str());
    Ok(fields)
}

/// By WeChat's number, which wins, or by the merchant's.
fn query(world: &World, asked: &Asked<'_>, sub_mchid: Option<&str>) -> Result<Fields, Refused> {
    let unknown = || ("ORDERNOTEXIST", "订单不存在".to_owned());
    let mchid = &asked.merchant.mchid;
    let ledger = world.ledger.lock();
    let order = match asked.fields.get("transaction_id") {
        Some(id) => {
            let payment = TransactionId::parse(id).ok().and_then(|id| ledger.payments.get(&id));
            let payment = payment.filter(|payment| payment.mchid == *mchid);
            let key = payment.map(|paid| (paid.mchid.clone(), paid.out_trade_no.clone()));
            key.and_then(|key| ledger.orders.get(&key))
        }
        None => ledger.orders.get(&(mchid.clone(), number(asked)?)),
    };
    let order = order.filter(|order| order.is_for(sub_mchid)).ok_or_else(unknown)?;
    Ok(told(&ledger, order, world.now()))
}

/// An order as it stands. Only the number, `attach` and the state are promised
/// while nothing is paid, and so only they are told.
fn told(ledger: &Ledger, order: &Order, now: i64) -> Fields {
    let mut fields = paid_fields(ledger, order).unwrap_or_default();
    let (word, words) = order.trade_state(now, &ledger.switches);
    fields.set("out_trade_no", order.out_trade_no.as_str());
    fields.set_optional("attach", order.attach.as_deref());
    fields.set_optional("device_info", order.device_info.as_deref());
    fields.set("trade_state", word);
    fields.set("trade_state_desc", words);
    fields
}

/// What is told of a payment, in queries and in notifications.
pub(crate) fn paid_fields(ledger: &Ledger, order: &Order) -> Option<Fields> {
    let payment = ledger.payments.get(order.transaction_id.as_ref()?)?;
    let fee = order.amount.get().to_string();
    let time_end = beijing_compact(payment.paid_at);
    let payer = openid(&order.appid, &payment.user);
    let fields = [
        ("openid", payer.as_str()),
        ("is_subscribe", "N"),
        ("trade_type", "JSAPI"),
        ("bank_type", "OTHERS"),
        ("total_fee", &fee),
        ("fee_type", "CNY"),
        ("cash_fee", &fee),
        ("cash_fee_type", "CNY"),
        ("transaction_id", payment.transaction_id.as_str()),
        ("out_trade_no", order.out_trade_no.as_str()),
        ("time_end", &time_end),
    ];
    let mut fields: Fields = fields.into_iter().collect();
    fields.set_optional("attach", order.attach.as_deref());
    fields.set_optional("device_info", order.device_info.as_deref());
    if let Some(sub) = &order.sub {
        partner::set(&mut fields, sub, &payment.user);
    }
    Some(fields)
}

fn close(world: &World, asked: &Asked<'_>, sub_mchid: Option<&str>) -> Result<Fields, Refused> {
    let key: (MchId, OutTradeNo) = (asked.merchant.mchid.clone(), number(asked)?);
    let wait = world.switches().v2_close_wait_seconds;
    match book::close(world, &key, sub_mchid, wait, asked.pretend) {
        Ok(()) => Ok(Fields::new()),
        Err(No::Paid) => Err(("ORDERPAID", "订单已支付".to_owned())),
        Err(No::Closed) => Err(("ORDERCLOSED", "订单已关闭".to_owned())),
        Err(No::Unknown) => Err(("ORDERNOTEXIST", "订单不存在".to_owned())),
        Err(No::TooYoung) => Err(("TRADE_STATE_ERROR", format!("下单后{wait}秒内不能关闭订单"))),
        Err(No::Duplicate | No::Broken) => Err(broken()),
    }
}

fn number(asked: &Asked<'_>) -> Result<OutTradeNo, Refused> {
    let given = asked.fields.get("out_trade_no").ok_or_else(|| lacks("out_trade_no"))?;
    OutTradeNo::parse(given).map_err(|_| ("PARAM_ERROR", "out_trade_no参数格式错误".to_owned()))
}

fn bound_app(world: &World, asked: &Asked<'_>) -> Result<AppId, Refused> {
    let appid = asked.fields.get("appid").ok_or_else(|| lacks("appid"))?;
    match world.registry.app(appid) {
        Some((known, _)) if asked.merchant.has_app(appid) => Ok(known.clone()),
        Some(_) => Err(("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配".to_owned())),
        None => Err(("APPID_NOT_EXIST", "appid不存在".to_owned())),
    }
}

fn lacks(name: &str) -> Refused {
    ("LACK_PARAMS", format!("缺少参数{name}"))
}

fn broken() -> Refused {
    ("SYSTEMERROR", "系统超时".to_owned())
}
