//! Partner mode (服务商): what differs where somebody asks for sub-merchants.
//!
//! Source: pay.weixin.qq.com/doc/v3/partner/4012709253. Other paths, `sp_` and
//! `sub_` members instead of `appid`, `mchid` and `openid`; the partner signs.

use serde_json::Value;
use suanpan_wechat::AppId;

use super::super::{Heard, Operation};
use super::Refusal;
use super::refusal::{missing, required_text, text};
use crate::ledger::Sub;
use crate::registry::Merchant;
use crate::world::World;

/// Direct merchants and partners have different products: neither may ask on the other's paths.
pub(super) fn may_ask(operation: Operation, merchant: &Merchant) -> Result<(), Refusal> {
    let partner = match operation {
        Operation::V3PartnerJsapi
        | Operation::V3PartnerQueryByNumber
        | Operation::V3PartnerQueryById
        | Operation::V3PartnerClose => true,
        Operation::V3Jsapi
        | Operation::V3QueryByNumber
        | Operation::V3QueryById
        | Operation::V3Close => false,
        Operation::Login
        | Operation::Platform(_)
        | Operation::V3Certificates
        | Operation::V3Refund
        | Operation::V3RefundQuery
        | Operation::V3AbnormalRefund
        | Operation::V2Refund
        | Operation::V2RefundQuery
        | Operation::V2UnifiedOrder
        | Operation::V2OrderQuery
        | Operation::V2CloseOrder
        | Operation::V3TradeBill
        | Operation::V3FundFlowBill
        | Operation::V3BillFile
        | Operation::V2DownloadBill
        | Operation::V2DownloadFundFlow => return Ok(()),
    };
    if partner == merchant.is_partner() {
        return Ok(());
    }
    let words = "商户号该产品权限未开通，请前往商户平台>产品中心检查后重试";
    Err(Refusal::new(403, "NO_AUTH", words))
}

/// Where the one who asks is named in a body, and what WeChat calls it.
pub(super) const fn own_number(merchant: &Merchant) -> (&'static str, &'static str) {
    if merchant.is_partner() {
        ("/sp_mchid", "服务商户号")
    } else {
        ("/mchid", "直连商户号")
    }
}

/// The number at the end of a path: partners have one part more before it.
pub(super) fn last_segment(heard: &Heard, merchant: &Merchant) -> String {
    heard.segment(if merchant.is_partner() { 5 } else { 4 })
}

/// The sub-merchant that a body names; none for a direct merchant.
pub(super) fn sub_in_body(
    world: &World,
    merchant: &Merchant,
    body: &Value,
) -> Result<Option<String>, Refusal> {
    if !merchant.is_partner() {
        return Ok(None);
    }
    let mchid = required_text(body, "/sub_mchid", "特约商户号", 32)?;
    bound(world, merchant, &mchid).map(|()| Some(mchid))
}

/// The sub-merchant that a query names; none for a direct merchant.
pub(super) fn sub_in_query(
    world: &World,
    merchant: &Merchant,
    heard: &Heard,
) -> Result<Option<String>, Refusal> {
    if !merchant.is_partner() {
        return Ok(None);
    }
    let mchid = heard.query_value("sub_mchid").filter(|mchid| !mchid.is_empty());
    let mchid = mchid.ok_or_else(|| {
        let message =
            "输入源“/query/sub_mchid”映射到字段“特约商户号”必填性规则校验失败，此字段为必填项";
        Refusal::parameter("query", "sub_mchid", "".into(), message)
    })?;
    bound(world, merchant, &mchid).map(|()| Some(mchid))
}

/// The sub-merchant of an order, with its own app where the order names one.
pub(super) fn sub_of_order(
    world: &World,
    merchant: &Merchant,
    body: &Value,
) -> Result<Option<Sub>, Refusal> {
    let Some(mchid) = sub_in_body(world, merchant, body)? else { return Ok(None) };
    let sub = merchant.sub(&mchid).ok_or_else(Refusal::broken)?;
    let appid = text(body, "/sub_appid", "特约商户公众账号ID", 32)?;
    let appid = appid.filter(|appid| !appid.is_empty());
    let appid = appid.map(|appid| bound_app(world, sub.app(&appid), &appid)).transpose()?;
    let payer_is_its = body.pointer("/payer/sub_openid").is_some_and(|openid| !openid.is_null());
    Ok(Some(Sub { mchid: sub.mchid.clone(), appid, payer_is_its }))
}

/// The payer that an order names: of `sp_openid` and `sub_openid` exactly one.
pub(super) fn openid(sub: &Sub, body: &Value) -> Result<(&'static str, String), Refusal> {
    let given = |pointer, title| {
        text(body, pointer, title, 128).map(|openid| openid.filter(|openid| !openid.is_empty()))
    };
    let of_partner = given(SP_OPENID, "用户服务标识")?;
    let of_sub = given(SUB_OPENID, "用户子标识")?;
    match (of_partner, of_sub) {
        (Some(openid), None) => Ok((SP_OPENID, openid)),
        (None, Some(openid)) if sub.appid.is_some() => Ok((SUB_OPENID, openid)),
        (None, Some(_)) => Err(missing("/sub_appid", "特约商户公众账号ID")),
        (None, None) => Err(missing(SP_OPENID, "用户服务标识")),
        (Some(openid), Some(_)) => {
            let message = "sp_openid和sub_openid二选一，不能同时传入";
            Err(Refusal::parameter("body", SP_OPENID, openid.into(), message))
        }
    }
}

/// Who may be asked for: only those that are bound to the partner.
fn bound(world: &World, merchant: &Merchant, sub_mchid: &str) -> Result<(), Refusal> {
    if merchant.sub(sub_mchid).is_some() {
        return Ok(());
    }
    let code = world.switches().v3_unbound_sub_merchant;
    let words = "特约子商户商户号未授权服务商的产品权限";
    let status = if code == "NO_AUTH" { 403 } else { 400 };
    Err(Refusal::new(status, &code, words))
}

fn bound_app(world: &World, own: Option<&AppId>, appid: &str) -> Result<AppId, Refusal> {
    match (own, world.registry.app(appid)) {
        (Some(own), _) => Ok(own.clone()),
        (None, Some(_)) => {
            let words = "sub_appid和sub_mchid不匹配，请检查后再试";
            Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", words))
        }
        (None, None) => {
            Err(Refusal::parameter("body", "/sub_appid", appid.into(), "无效的sub_appid"))
        }
    }
}

const SP_OPENID: &str = "/payer/sp_openid";
const SUB_OPENID: &str = "/payer/sub_openid";
