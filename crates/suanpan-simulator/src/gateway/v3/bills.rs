//! Bills: where the file lies, then the file.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4013071227 and its neighbours.

use http::StatusCode;
use serde_json::json;
use suanpan_wechat::bill::{BillDate, BillType};

use super::super::bills::{self, NoBill};
use super::super::{Answer, Heard, Said};
use super::{Granted, Refusal};
use crate::bill::{self, Wanted};
use crate::registry::Merchant;
use crate::world::World;

pub(super) fn trade(world: &World, heard: &Heard, merchant: &Merchant) -> Result<Granted, Refusal> {
    let date = date(world, heard)?;
    let kind = match heard.query_value("bill_type").as_deref() {
        None | Some("ALL") => BillType::All,
        Some("SUCCESS") => BillType::Success,
        Some("REFUND") => BillType::Refund,
        Some(other) => return Err(bad("bill_type", other)),
    };
    let sub_mchid = heard.query_value("sub_mchid");
    let sub_mchid = sub_mchid.as_deref();
    if let Some(sub) = sub_mchid.filter(|sub| merchant.sub(sub).is_none()) {
        return Err(bad("sub_mchid", sub));
    }
    let wanted = Wanted { mchid: &merchant.mchid, date, sub_mchid, kind, escapes: true };
    place(world, heard, merchant, bill::trade(world, wanted))
}

pub(super) fn fund_flow(
    world: &World,
    heard: &Heard,
    merchant: &Merchant,
) -> Result<Granted, Refusal> {
    let date = date(world, heard)?;
    let text = match heard.query_value("account_type").as_deref() {
        None | Some("BASIC") => bill::fund_flow(world, &merchant.mchid, date, ['(', ')']),
        Some("OPERATION" | "FEES") => None,
        Some(other) => return Err(bad("account_type", other)),
    };
    place(world, heard, merchant, text)
}

/// Keeps the file, and says where it lies.
fn place(
    world: &World,
    heard: &Heard,
    merchant: &Merchant,
    text: Option<String>,
) -> Result<Granted, Refusal> {
    let text = text.ok_or_else(|| refusal(NoBill::Empty))?;
    let gzip = match heard.query_value("tar_type").as_deref() {
        None => false,
        Some("GZIP") => true,
        Some(other) => return Err(bad("tar_type", other)),
    };
    let bytes = bills::packed(&text, gzip);
    let token = world.bills.lock().keep(world, &merchant.mchid, bytes);
    let packed = if gzip { "&tartype=gzip" } else { "" };
    let body = json!({
        "hash_type": "SHA1",
        "hash_value": bills::hash(&text),
        "download_url": format!("{}/v3/billdownload/file?token={token}{packed}", world.base_url),
    });
    Ok((StatusCode::OK, body.to_string()))
}

/// The file itself: bytes, and no signature.
pub(super) fn file<'w>(
    world: &World,
    heard: &Heard,
    merchant: &Merchant,
) -> Result<Answer<'w>, Refusal> {
    let token = heard.query_value("token").unwrap_or_default();
    let file = world.bills.lock().file(world, &token);
    let file = file.ok_or_else(|| {
        Refusal::new(400, "INVALID_REQUEST", "下载链接无效或已过期，请重新申请账单")
    })?;
    if file.mchid != merchant.mchid {
        return Err(Refusal::new(403, "NO_AUTH", "商户号无权下载该账单"));
    }
    Ok(Answer { said: Said::File { bytes: file.bytes }, mismatch: None })
}

fn date(world: &World, heard: &Heard) -> Result<BillDate, Refusal> {
    let given = heard.query_value("bill_date").unwrap_or_default();
    let date: BillDate = given.parse().map_err(|_| bad("bill_date", &given))?;
    bills::made(world, date).map(|()| date).map_err(refusal)
}

fn refusal(no: NoBill) -> Refusal {
    match no {
        NoBill::OutOfReach => Refusal::new(400, "INVALID_REQUEST", "账单日期超出可查询的范围"),
        NoBill::Creating => Refusal::new(400, "STATEMENT_CREATING", "账单正在生成中，请稍后再试"),
        NoBill::Empty => Refusal::new(400, "NO_STATEMENT_EXIST", "账单不存在"),
    }
}

fn bad(field: &str, given: &str) -> Refusal {
    let message = format!("输入源“/query/{field}”规则校验失败");
    Refusal::parameter("query", field, given.into(), message)
}
