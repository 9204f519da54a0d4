//! APIv3's refunds: asked for, asked about, and rescued.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4013071036.

use http::StatusCode;
use serde_json::Value;
use suanpan_wechat::time::beijing_rfc3339;
use suanpan_wechat::v3::{RefundAmount, RefundResource};
use suanpan_wechat::{Fen, OutRefundNo};

use super::super::Heard;
use super::super::refund_book::{self, No, Wanted};
use super::refusal::{json, missing, required_text, text};
use super::{Granted, Refusal, partner};
use crate::credentials::Api;
use crate::notify_url;
use crate::refund::{End, Refund};
use crate::registry::Merchant;
use crate::world::World;

/// `POST /v3/refund/domestic/refunds`.
pub(super) fn create(
    world: &World,
    heard: &Heard,
    merchant: &Merchant,
) -> Result<Granted, Refusal> {
    let body = json(heard)?;
    let sub_mchid = partner::sub_in_body(world, merchant, &body)?;
    let transaction_id = text(&body, "/transaction_id", "微信支付订单号", 32)?;
    let out_trade_no = text(&body, "/out_trade_no", "商户订单号", 32)?;
    if transaction_id.is_none() && out_trade_no.is_none() {
        return Err(missing("/transaction_id", "微信支付订单号"));
    }
    let number = required_text(&body, "/out_refund_no", "商户退款单号", usize::MAX)?;
    let out_refund_no = refund_number("body", "/out_refund_no", &number)?;
    let reason = text(&body, "/reason", "退款原因", 80)?;
    let notify_url = text(&body, "/notify_url", "退款结果回调url", 256)?;
    if let Some(url) = &notify_url {
        notify_url::check(url, world.switches().notify_url_must_be_public).map_err(|rule| {
            let message = format!(
                "输入源“/body/notify_url”映射到值字段“退款结果回调url”字符串规则校验失败，{rule}"
            );
            Refusal::parameter("body", "/notify_url", url.as_str().into(), message)
        })?;
    }
    let amount = amount(&body, "/amount/refund", "退款金额")?;
    let total = self::amount(&body, "/amount/total", "原订单金额")?;
    let currency = required_text(&body, "/amount/currency", "退款币种", 16)?;
    if currency != "CNY" {
        let message = "输入源“/body/amount/currency”映射到值字段“退款币种”枚举校验失败，境内商户号仅支持人民币CNY";
        return Err(Refusal::parameter("body", "/amount/currency", currency.into(), message));
    }
    let wanted = Wanted {
        transaction_id,
        out_trade_no,
        out_refund_no,
        sub_mchid,
        api: Api::V3,
        request: body,
        total,
        amount,
        reason,
        notify_url,
    };
    let refund = refund_book::refund(world, merchant, wanted).map_err(refused)?;
    tell(&refund, world.now())
}

/// `GET /v3/refund/domestic/refunds/{out_refund_no}`.
pub(super) fn query(world: &World, heard: &Heard, merchant: &Merchant) -> Result<Granted, Refusal> {
    let sub_mchid = partner::sub_in_query(world, merchant, heard)?;
    let number = refund_number("url", "out_refund_no", &heard.segment(4))?;
    let ledger = world.ledger.lock();
    let refund = refund_book::find(&ledger, merchant, sub_mchid.as_deref(), number);
    tell(refund.ok_or_else(no_refund)?, world.now())
}

/// `POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund`: it is on its way again, to another account.
pub(super) fn rescue(
    world: &World,
    heard: &Heard,
    merchant: &Merchant,
) -> Result<Granted, Refusal> {
    let body = json(heard)?;
    let sub_mchid = partner::sub_in_body(world, merchant, &body)?;
    let number = required_text(&body, "/out_refund_no", "商户退款单号", usize::MAX)?;
    let number = refund_number("body", "/out_refund_no", &number)?;
    let kind = required_text(&body, "/type", "异常退款处理方式", 32)?;
    let user_card = match kind.as_str() {
        "USER_BANK_CARD" => true,
        "MERCHANT_BANK_CARD" => false,
        _ => {
            let message = "输入源“/body/type”映射到值字段“异常退款处理方式”枚举校验失败";
            return Err(Refusal::parameter("body", "/type", kind.into(), message));
        }
    };
    for (pointer, title) in [("/bank_account", "收款银行卡号"), ("/real_name", "收款用户姓名")]
    {
        if user_card {
            required_text(&body, pointer, title, 1024)?;
        }
    }
    let now = world.now();
    let refund = {
        let ledger = world.ledger.lock();
        refund_book::find(&ledger, merchant, sub_mchid.as_deref(), number).cloned()
    };
    let refund = refund.ok_or_else(no_refund)?;
    if refund.refund_id.as_str() != heard.segment(4) {
        return Err(Refusal::new(400, "INVALID_REQUEST", "微信退款单号与商户退款单号不一致"));
    }
    if refund.ends != End::Abnormal || refund.ends_at.is_none_or(|at| now < at) {
        return Err(Refusal::new(
            400,
            "INVALID_REQUEST",
            "退款单状态不是退款异常，不能发起异常退款",
        ));
    }
    let after = i64::from(world.switches().refund_seconds);
    let refund = refund_book::decide(world, &refund.key(), End::Success, after).map_err(refused)?;
    tell(&refund, now)
}

/// The wire form, as calls answer it.
pub(crate) fn resource(refund: &Refund, now: i64) -> RefundResource {
    let fact = refund.fact(now);
    let amount = Some(refund.amount);
    let total = Some(refund.total);
    RefundResource {
        refund_id: Some(fact.refund_id),
        out_refund_no: Some(fact.out_refund_no),
        transaction_id: Some(fact.transaction_id),
        out_trade_no: Some(fact.out_trade_no),
        channel: Some("ORIGINAL".to_owned()),
        user_received_account: fact.received_account,
        success_time: fact.success_time.map(beijing_rfc3339),
        create_time: Some(beijing_rfc3339(refund.created_at)),
        status: Some(fact.status.as_str().to_owned()),
        funds_account: Some("UNSETTLED".to_owned()),
        amount: Some(RefundAmount {
            total,
            refund: amount,
            payer_total: total,
            payer_refund: amount,
            settlement_refund: amount,
            settlement_total: total,
            discount_refund: Some(Fen::ZERO),
            currency: Some("CNY".to_owned()),
            refund_fee: Some(Fen::ZERO),
            ..RefundAmount::default()
        }),
        ..RefundResource::default()
    }
}

fn tell(refund: &Refund, now: i64) -> Result<Granted, Refusal> {
    let body = serde_json::to_string(&resource(refund, now));
    body.map(|body| (StatusCode::OK, body)).map_err(|_| Refusal::broken())
}

fn refused(no: No) -> Refusal {
    let invalid = |words: &str| Refusal::new(400, "INVALID_REQUEST", words);
    match no {
        No::Unknown => Refusal::new(404, "RESOURCE_NOT_EXISTS", "订单不存在"),
        No::Differs => invalid("您的请求参数与订单信息不一致"),
        No::TooMuch => invalid("订单金额或退款金额与之前请求不一致，请核实后再试"),
        No::TooMany => invalid("一笔订单最多支持50次部分退款"),
        No::TooSoon => Refusal::new(429, "FREQUENCY_LIMITED", "频率限制"),
        No::TooOld => Refusal::new(400, "TRADE_OVERDUE", "订单已经超过可退款的最大期限"),
        No::NotEnough => Refusal::new(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"),
        No::Broken => Refusal::broken(),
    }
}

fn no_refund() -> Refusal {
    Refusal::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
}

fn refund_number(location: &str, field: &str, given: &str) -> Result<OutRefundNo, Refusal> {
    OutRefundNo::parse(given).map_err(|_| {
        let source = format!("/{location}{}{field}", if location == "url" { "/" } else { "" });
        let message = format!("输入源“{source}”映射到值字段“商户退款单号”字符串规则校验失败");
        Refusal::parameter(location, field, given.into(), message)
    })
}

fn amount(body: &Value, pointer: &str, title: &str) -> Result<Fen, Refusal> {
    let given = body.pointer(pointer).ok_or_else(|| missing(pointer, title))?;
    let fen = given.as_i64().and_then(Fen::new).filter(|fen| *fen > Fen::ZERO);
    fen.ok_or_else(|| {
        let message = format!(
            "输入源“/body{pointer}”映射到数值字段“{title}”规则校验失败，此字段需要一个大于 0 的整数"
        );
        Refusal::parameter("body", pointer, given.clone(), message)
    })
}
