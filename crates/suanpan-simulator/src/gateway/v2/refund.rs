//! APIv2's refunds: asked for over mutual TLS, and asked about.
//!
//! Source: pay.weixin.qq.com/doc/v2, "申请退款" and "查询退款".

use serde_json::Value;
use suanpan_wechat::time::beijing_spaced;
use suanpan_wechat::v2::Fields;
use suanpan_wechat::{Fen, OutRefundNo, RefundStatus};

use super::super::refund_book::{self, No, Wanted};
use super::{Asked, ENVELOPE, Refused, broken, lacks};
use crate::credentials::Api;
use crate::notify_url;
use crate::refund::{RECEIVED, Refund};
use crate::world::World;

/// `POST /secapi/pay/refund`.
pub(super) fn create(
    world: &World,
    asked: &Asked<'_>,
    sub_mchid: Option<String>,
) -> Result<Fields, Refused> {
    let fields = &asked.fields;
    let wrong = |words: &str| ("PARAM_ERROR", words.to_owned());
    let owned = |name: &str| fields.get(name).map(str::to_owned);
    let number = fields.get("out_refund_no").ok_or_else(|| lacks("out_refund_no"))?;
    let out_refund_no =
        OutRefundNo::parse(number).map_err(|_| wrong("out_refund_no参数格式错误"))?;
    let (transaction_id, out_trade_no) = (owned("transaction_id"), owned("out_trade_no"));
    if transaction_id.is_none() && out_trade_no.is_none() {
        return Err(lacks("transaction_id"));
    }
    let amount = |name: &'static str| {
        let given = fields.get(name).ok_or_else(|| lacks(name))?;
        let fen = Fen::parse_count(given).filter(|fen| *fen > Fen::ZERO);
        fen.ok_or_else(|| ("PARAM_ERROR", format!("{name}参数格式错误")))
    };
    let (total, amount) = (amount("total_fee")?, amount("refund_fee")?);
    if !matches!(fields.get("refund_fee_type"), None | Some("CNY")) {
        return Err(wrong("refund_fee_type参数错误，仅支持CNY"));
    }
    if fields.get("refund_desc").is_some_and(|text| 80 < text.chars().count()) {
        return Err(wrong("refund_desc长度超过80"));
    }
    let notify_url = owned("notify_url");
    if let Some(url) = &notify_url {
        notify_url::check(url, world.switches().notify_url_must_be_public)
            .map_err(|_| wrong("notify_url参数格式错误"))?;
    }
    let decided = fields.iter().filter(|(name, _)| !ENVELOPE.contains(name));
    let wanted = Wanted {
        transaction_id,
        out_trade_no,
        out_refund_no,
        sub_mchid,
        api: Api::V2,
        request: decided.map(|(name, value)| (name.to_owned(), Value::from(value))).collect(),
        total,
        amount,
        reason: owned("refund_desc"),
        notify_url,
    };
    let refund = refund_book::refund(world, asked.merchant, wanted).map_err(refused)?;
    Ok(taken(&refund))
}

/// `POST /pay/refundquery`, by the first of `refund_id`, `out_refund_no`, `transaction_id`, `out_trade_no` that is there.
pub(super) fn query(
    world: &World,
    asked: &Asked<'_>,
    sub_mchid: Option<&str>,
) -> Result<Fields, Refused> {
    let given = |name: &str| asked.fields.get(name).map(str::to_owned);
    let by = |name: &'static str| given(name).map(|value| (name, value));
    let (name, value) = by("refund_id")
        .or_else(|| by("out_refund_no"))
        .or_else(|| by("transaction_id"))
        .or_else(|| by("out_trade_no"))
        .ok_or_else(|| lacks("out_refund_no"))?;
    let offset = given("offset").map_or(Ok(0), |text| text.parse::<usize>());
    let offset = offset.map_err(|_| ("PARAM_ERROR", "offset参数格式错误".to_owned()))?;

    let now = world.now();
    let ledger = world.ledger.lock();
    let mut found: Vec<&Refund> = ledger
        .refunds
        .values()
        .filter(|refund| refund.mchid == asked.merchant.mchid)
        .filter(|refund| refund.is_for(sub_mchid))
        .filter(|refund| {
            value
                == match name {
                    "refund_id" => refund.refund_id.as_str(),
                    "out_refund_no" => refund.out_refund_no.as_str(),
                    "transaction_id" => refund.transaction_id.as_str(),
                    _ => refund.out_trade_no.as_str(),
                }
        })
        .collect();
    found.sort_by_key(|refund| (refund.created_at, refund.refund_id.clone()));
    let Some(first) = found.first() else {
        return Err(("REFUNDNOTEXIST", "退款订单查询失败".to_owned()));
    };
    if found.len() <= offset {
        return Err(("PARAM_ERROR", "offset超过退款笔数".to_owned()));
    }
    let mut fields = order_fields(first);
    fields.set("total_refund_count", &found.len().to_string());
    let page: Vec<_> = found.iter().skip(offset).take(PAGE).collect();
    fields.set("refund_count", &page.len().to_string());
    for (index, refund) in page.iter().enumerate() {
        entry(&mut fields, index, refund, now);
    }
    Ok(fields)
}

fn order_fields(refund: &Refund) -> Fields {
    let total = refund.total.get().to_string();
    let fields = [
        ("transaction_id", refund.transaction_id.as_str()),
        ("out_trade_no", refund.out_trade_no.as_str()),
        ("total_fee", &total),
        ("fee_type", "CNY"),
        ("cash_fee", &total),
    ];
    fields.into_iter().collect()
}

/// What is told when it is taken: no state, since it has none yet.
fn taken(refund: &Refund) -> Fields {
    let mut fields = order_fields(refund);
    let fee = refund.amount.get().to_string();
    fields.set("out_refund_no", refund.out_refund_no.as_str());
    fields.set("refund_id", refund.refund_id.as_str());
    fields.set("refund_channel", "ORIGINAL");
    fields.set("refund_fee", &fee);
    fields.set("cash_fee_type", "CNY");
    fields.set("cash_refund_fee", &fee);
    fields.set("coupon_refund_fee", "0");
    fields.set("coupon_refund_count", "0");
    fields
}

fn entry(fields: &mut Fields, index: usize, refund: &Refund, now: i64) {
    let mut set = |name: &str, value: &str| fields.set(&format!("{name}_{index}"), value);
    let status = refund.status(now);
    set("out_refund_no", refund.out_refund_no.as_str());
    set("refund_id", refund.refund_id.as_str());
    set("refund_channel", "ORIGINAL");
    set("refund_fee", &refund.amount.get().to_string());
    set("refund_status", status.as_v2_str());
    set("refund_account", "REFUND_SOURCE_UNSETTLED_FUNDS");
    // Spelled so by WeChat.
    set("refund_recv_accout", RECEIVED);
    if let (RefundStatus::Success, Some(at)) = (status, refund.success_time(now)) {
        set("refund_success_time", &beijing_spaced(at));
    }
}

fn refused(no: No) -> Refused {
    match no {
        No::Unknown => ("ORDERNOTEXIST", "订单不存在".to_owned()),
        No::Differs => {
            ("INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试".to_owned())
        }
        No::TooMuch => ("ERROR", "累计退款金额大于支付金额".to_owned()),
        No::TooMany => ("ERROR", "一笔订单最多支持50次部分退款".to_owned()),
        No::TooSoon => ("FREQUENCY_LIMITED", "频率限制".to_owned()),
        No::TooOld => ("TRADE_OVERDUE", "订单已经超过退款期限".to_owned()),
        No::NotEnough => ("NOTENOUGH", "基本账户余额不足，请充值后重新发起".to_owned()),
        No::Broken => broken(),
    }
}

/// By an order's number, ten at a time.
const PAGE: usize = 10;
