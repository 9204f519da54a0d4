//! `POST /v3/pay/transactions/jsapi`: what an order may hold.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4012791897.

use serde_json::Value;
use suanpan_wechat::time::parse_rfc3339;
use suanpan_wechat::{AppId, Fen, OpenId, OutTradeNo};

use super::super::Heard;
use super::super::book::USUAL_LIFE;
use super::refusal::{json, missing, required_text, same_merchant, text};
use super::{Refusal, partner};
use crate::credentials::Api;
use crate::ledger::Order;
use crate::notify_url;
use crate::registry::Merchant;
use crate::world::World;

/// The last moment to pay is at least this far ahead; nearer ones are raised to it.
const SOONEST: i64 = 60;
/// The furthest ceiling that a page of WeChat names; others say 7 or 15 days.
const LATEST: i64 = 90 * 24 * 3600;

/// Reads and checks an order, in the gateway's order.
pub(super) fn read(world: &World, heard: &Heard, merchant: &Merchant) -> Result<Order, Refusal> {
    let body = json(heard)?;
    let switches = world.switches();
    if switches.v3_emoji_is_refused && holds_emoji(&body) {
        let message = "请求参数中包含不支持的字符，仅支持 1-3 字节的 UTF-8 字符";
        return Err(Refusal::parameter("body", "/", Value::Null, message));
    }

    let (app_pointer, app_title) = if merchant.is_partner() {
        ("/sp_appid", "服务商公众账号ID")
    } else {
        ("/appid", "公众账号ID")
    };
    let appid = required_text(&body, app_pointer, app_title, 32)?;
    let (pointer, title) = partner::own_number(merchant);
    let mchid = required_text(&body, pointer, title, 32)?;
    let description = required_text(&body, "/description", "商品描述", 127)?;
    let out_trade_no = required_text(&body, "/out_trade_no", "商户订单号", usize::MAX)?;
    let out_trade_no = OutTradeNo::parse(&out_trade_no)
        .map_err(|_| Refusal::order_number("body", "/out_trade_no", &out_trade_no))?;
    let time_expire = text(&body, "/time_expire", "交易结束时间", 64)?;
    let attach = text(&body, "/attach", "附加数据", 128)?;
    let notify_url = required_text(&body, "/notify_url", "通知地址", 255)?;
    notify_url::check(&notify_url, switches.notify_url_must_be_public).map_err(|rule| {
        let message =
            format!("输入源“/body/notify_url”映射到值字段“通知地址”字符串规则校验失败，{rule}");
        Refusal::parameter("body", "/notify_url", notify_url.as_str().into(), message)
    })?;
    let amount = amount(&body)?;
    let device_info = text(&body, "/scene_info/device_id", "商户端设备号", 32)?;

    let direct_openid = match merchant.is_partner() {
        true => None,
        false => Some(required_text(&body, "/payer/openid", "用户标识", 128)?),
    };
    same_merchant(merchant, &mchid)?;
    let appid = bound_app(world, merchant, app_pointer, &appid)?;
    let sub = partner::sub_of_order(world, merchant, &body)?;
    let (openid_pointer, openid) = match (direct_openid, &sub) {
        (Some(openid), _) => ("/payer/openid", openid),
        (None, Some(sub)) => partner::openid(sub, &body)?,
        (None, None) => return Err(Refusal::broken()),
    };
    let its = sub.as_ref().filter(|sub| sub.payer_is_its);
    let payer_app = its.and_then(|sub| sub.appid.as_ref()).unwrap_or(&appid);
    let openid = payer(world, payer_app, openid_pointer, &openid)?;
    let now = world.now();
    Ok(Order {
        mchid: merchant.mchid.clone(),
        out_trade_no,
        appid,
        sub,
        api: Api::V3,
        sign_type: None,
        amount,
        description,
        openid,
        notify_url,
        attach,
        device_info,
        created_at: now,
        expires_at: expiry(time_expire.as_deref(), now)?,
        closed_at: None,
        transaction_id: None,
        refunded: false,
        prepays: Vec::new(),
        request: body,
    })
}

fn amount(body: &Value) -> Result<Fen, Refusal> {
    const POINTER: &str = "/amount/total";
    let given = body.pointer(POINTER).ok_or_else(|| missing(POINTER, "总金额"))?;
    let total = given.as_i64().ok_or_else(|| {
        let message = "无法将 JSON 输入源“/body/amount/total”映射到目标字段“总金额”中，此字段需要一个合法的 64 位有符号整数";
        Refusal::parameter("body", POINTER, given.clone(), message)
    })?;
    let total = Fen::new(total).filter(|total| *total > Fen::ZERO).ok_or_else(|| {
        let message =
            "输入源“/body/amount/total”映射到数值字段“总金额”规则校验失败，值低于最小值 1";
        Refusal::parameter("body", POINTER, given.clone(), message)
    })?;
    match text(body, "/amount/currency", "货币类型", 16)?.as_deref() {
        None | Some("CNY") => Ok(total),
        Some(other) => {
            let message = "输入源“/body/amount/currency”映射到值字段“货币类型”枚举校验失败，境内商户号仅支持人民币CNY";
            Err(Refusal::parameter("body", "/amount/currency", other.into(), message))
        }
    }
}

fn bound_app(
    world: &World,
    merchant: &Merchant,
    pointer: &str,
    appid: &str,
) -> Result<AppId, Refusal> {
    match world.registry.app(appid) {
        Some((known, _)) if merchant.has_app(appid) => Ok(known.clone()),
        Some(_) => {
            Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配，请检查后再试"))
        }
        None => Err(Refusal::parameter("body", pointer, appid.into(), "无效的appid")),
    }
}

fn payer(world: &World, appid: &AppId, pointer: &str, openid: &str) -> Result<OpenId, Refusal> {
    let wrong = |message: &str| Refusal::parameter("body", pointer, openid.into(), message);
    let known = OpenId::parse(openid).map_err(|_| wrong("无效的openid"))?;
    let ledger = world.ledger.lock();
    match ledger.payer(&known) {
        Some(payer) if payer.appid == *appid => Ok(known),
        Some(_) => {
            let code = &ledger.switches.v3_openid_mismatch;
            Err(wrong("appid与openid不匹配").with_code(code))
        }
        None => Err(wrong("无效的openid")),
    }
}

fn expiry(time_expire: Option<&str>, now: i64) -> Result<i64, Refusal> {
    let Some(text) = time_expire else { return Ok(now.saturating_add(USUAL_LIFE)) };
    let time = parse_rfc3339(text).ok_or_else(|| {
        let message = "输入源“/body/time_expire”映射到时间字段“交易结束时间”规则校验失败，需符合 rfc3339 格式";
        Refusal::parameter("body", "/time_expire", text.into(), message)
    })?;
    if time <= now {
        let message = "交易结束时间必须晚于当前时间";
        return Err(Refusal::parameter("body", "/time_expire", text.into(), message));
    }
    Ok(time.clamp(now.saturating_add(SOONEST), now.saturating_add(LATEST)))
}

/// Whether any text holds a character of four bytes (pay.weixin.qq.com/wiki/doc/apiv3,
/// "接口规则": one to three bytes are supported).
fn holds_emoji(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().any(|char| char.len_utf8() == 4),
        Value::Array(items) => items.iter().any(holds_emoji),
        Value::Object(members) => members.values().any(holds_emoji),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
