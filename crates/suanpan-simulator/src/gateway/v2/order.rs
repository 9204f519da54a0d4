//! `POST /pay/unifiedorder`: what an order may hold.
//!
//! Source: pay.weixin.qq.com/doc/v2/merchant/4011940985.

use serde_json::Value;
use suanpan_wechat::time::parse_beijing_compact;
use suanpan_wechat::{AppId, Fen, OpenId, OutTradeNo};

use super::super::book::USUAL_LIFE;
use super::{Asked, ENVELOPE, Refused, lacks};
use crate::credentials::Api;
use crate::ledger::{Order, Sub};
use crate::notify_url;
use crate::world::World;

/// Fields with a length; counted in characters.
const LENGTHS: [(&str, usize); 12] = [
    ("body", 128),
    ("detail", 6144),
    ("attach", 127),
    ("device_info", 32),
    ("fee_type", 16),
    ("spbill_create_ip", 64),
    ("goods_tag", 32),
    ("notify_url", 256),
    ("limit_pay", 32),
    ("openid", 128),
    ("sub_openid", 128),
    ("scene_info", 256),
];

/// Reads and checks an order, in the gateway's order.
pub(super) fn read(
    world: &World,
    asked: &Asked<'_>,
    (appid, sub): (AppId, Option<Sub>),
) -> Result<Order, Refused> {
    let fields = &asked.fields;
    let wrong = |words: &str| ("PARAM_ERROR", words.to_owned());
    let given = |name: &'static str| fields.get(name).ok_or_else(|| lacks(name));
    let switches = world.switches();

    let description = given("body")?;
    let out_trade_no =
        OutTradeNo::parse(given("out_trade_no")?).map_err(|_| wrong("out_trade_no参数格式错误"))?;
    let total_fee = Fen::parse_count(given("total_fee")?)
        .filter(|total| *total > Fen::ZERO)
        .ok_or_else(|| wrong("total_fee参数格式错误，必须为大于0的整数"))?;
    given("spbill_create_ip")?;
    let notify_url = given("notify_url")?;
    let trade_type = given("trade_type")?;
    let too_long = LENGTHS
        .into_iter()
        .find(|(name, most)| fields.get(name).is_some_and(|text| text.chars().count() > *most));
    if let Some((name, most)) = too_long {
        return Err(("PARAM_ERROR", format!("{name}长度超过{most}")));
    }
    if !matches!(fields.get("fee_type"), None | Some("CNY")) {
        return Err(wrong("fee_type参数错误，仅支持CNY"));
    }
    notify_url::check(notify_url, switches.notify_url_must_be_public)
        .map_err(|_| wrong("notify_url参数格式错误"))?;
    match trade_type {
        "JSAPI" => {}
        "NATIVE" | "APP" | "MWEB" => return Err(("NOAUTH", "商户无此接口权限".to_owned())),
        _ => return Err(wrong("trade_type参数错误")),
    }
    let its = sub.as_ref().filter(|sub| sub.payer_is_its);
    let openid = match its {
        None => payer(world, &appid, given("openid")?)?,
        Some(sub) => {
            let app = sub.appid.as_ref().ok_or_else(|| lacks("sub_appid"))?;
            payer(world, app, given("sub_openid")?)?
        }
    };

    let now = world.now();
    Ok(Order {
        mchid: asked.merchant.mchid.clone(),
        out_trade_no,
        appid,
        sub,
        api: Api::V2,
        sign_type: Some(asked.sign_type.as_str().to_owned()),
        request: request(asked),
        amount: total_fee,
        description: description.to_owned(),
        openid,
        notify_url: notify_url.to_owned(),
        attach: fields.get("attach").map(str::to_owned),
        device_info: fields.get("device_info").map(str::to_owned),
        created_at: now,
        expires_at: expiry(asked, now)?,
        closed_at: None,
        transaction_id: None,
        refunded: false,
        prepays: Vec::new(),
    })
}

/// All that the merchant decided: an order that comes again must have the same.
fn request(asked: &Asked<'_>) -> Value {
    let decided = asked.fields.iter().filter(|(name, _)| !ENVELOPE.contains(name));
    decided.map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

fn payer(world: &World, appid: &AppId, openid: &str) -> Result<OpenId, Refused> {
    let known = OpenId::parse(openid).ok();
    let ledger = world.ledger.lock();
    match known.as_ref().and_then(|openid| ledger.payer(openid)) {
        Some(payer) if payer.appid == *appid => {}
        Some(_) => return Err(("PARAM_ERROR", "appid与openid不匹配".to_owned())),
        None => return Err(("PARAM_ERROR", "无效的openid".to_owned())),
    }
    known.ok_or_else(|| ("PARAM_ERROR", "无效的openid".to_owned()))
}

fn expiry(asked: &Asked<'_>, now: i64) -> Result<i64, Refused> {
    let wrong = |name: &str| ("PARAM_ERROR", format!("{name}参数格式错误"));
    let time = |name: &str| match asked.fields.get(name) {
        None => Ok(None),
        Some(text) => parse_beijing_compact(text).map(Some).ok_or_else(|| wrong(name)),
    };
    let start = time("time_start")?;
    match time("time_expire")? {
        None => Ok(now.saturating_add(USUAL_LIFE)),
        Some(expire) if start.is_some_and(|start| expire <= start) => {
            Err(("PARAM_ERROR", "time_expire时间过短，刷卡至少1分钟，其他5分钟".to_owned()))
        }
        // The page: at least one minute ahead.
        Some(expire) if expire < now.saturating_add(60) => {
            Err(("PARAM_ERROR", "time_expire时间过短，至少1分钟".to_owned()))
        }
        Some(expire) => Ok(expire),
    }
}
