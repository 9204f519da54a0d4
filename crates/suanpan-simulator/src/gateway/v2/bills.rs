//! Bills: the file at once, or XML that says why not.
//!
//! Source: pay.weixin.qq.com/doc/v2, "下载交易账单", "下载资金账单". The trade bill says no by `return_code`, the
//! fund-flow bill by `result_code`; neither signs a file.

use suanpan_wechat::bill::{BillDate, BillType};
use suanpan_wechat::v2::{Fields, SignType};

use super::super::bills::{self, NoBill};
use super::super::{Answer, Operation, Said};
use super::{Asked, complete, refusal};
use crate::bill::{self, Wanted};
use crate::world::World;

/// What is wrong with a question for a bill: `error_code` of the trade bill, `err_code` of the other, words.
type No = (&'static str, &'static str, &'static str);

/// Answers a question that is signed by whom it names.
pub(super) fn answer<'w>(world: &World, operation: Operation, asked: &Asked<'w>) -> Answer<'w> {
    let fund = operation == Operation::V2DownloadFundFlow;
    let text = if fund { fund_flow(world, asked) } else { trade(world, asked) };
    match text {
        Ok(text) => {
            let gzip = asked.fields.get("tar_type") == Some("GZIP");
            Answer { said: Said::File { bytes: bills::packed(&text, gzip) }, mismatch: None }
        }
        Err((_, code, words)) if fund => complete(world, asked, refusal(code, words)),
        Err((code, _, words)) => {
            let mut fields = Fields::new();
            fields.set("return_code", "FAIL");
            fields.set("return_msg", words);
            fields.set("error_code", code);
            Answer::xml(fields, None)
        }
    }
}

fn trade(world: &World, asked: &Asked<'_>) -> Result<String, No> {
    let kind = match asked.fields.get("bill_type") {
        None | Some("ALL") => BillType::All,
        Some("SUCCESS") => BillType::Success,
        Some("REFUND") => BillType::Refund,
        Some(_) => return Err(("20001", "PARAM_ERROR", "invalid bill_type")),
    };
    let (mchid, date) = (&asked.merchant.mchid, date(world, asked)?);
    let sub_mchid = asked.fields.get("sub_mch_id");
    let wanted = Wanted { mchid, date, sub_mchid, kind, escapes: false };
    bill::trade(world, wanted).ok_or_else(|| no(NoBill::Empty))
}

fn fund_flow(world: &World, asked: &Asked<'_>) -> Result<String, No> {
    if asked.sign_type != SignType::HmacSha256 {
        return Err(("20001", "PARAM_ERROR", "签名类型错误，仅支持HMAC-SHA256"));
    }
    let date = date(world, asked)?;
    match asked.fields.get("account_type") {
        Some("Basic") => bill::fund_flow(world, &asked.merchant.mchid, date, ['（', '）'])
            .ok_or_else(|| no(NoBill::Empty)),
        Some("Operation" | "Fees") => Err(no(NoBill::Empty)),
        Some(_) | None => Err(("20001", "PARAM_ERROR", "不支持的流水类型")),
    }
}

fn date(world: &World, asked: &Asked<'_>) -> Result<BillDate, No> {
    let given = asked.fields.get("bill_date").unwrap_or_default();
    let parts = (given.get(..4), given.get(4..6), given.get(6..));
    let date = match parts {
        (Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}").parse().ok(),
        _ => None,
    };
    let date = date.ok_or(("20001", "PARAM_ERROR", "data format error"))?;
    bills::made(world, date).map(|()| date).map_err(no)
}

const fn no(no: NoBill) -> No {
    match no {
        NoBill::OutOfReach => ("20001", "PARAM_ERROR", "invalid bill_date"),
        NoBill::Creating => ("20003", "BILL_CREATING", "Bill Creating"),
        NoBill::Empty => ("20002", "NO_BILL_EXIST", "No Bill Exist"),
    }
}
