//! The text of a trade bill.

use suanpan_wechat::Fen;
use suanpan_wechat::bill::{BillType, Fee};
use suanpan_wechat::time::beijing_spaced;

use super::{Back, Line, Wanted};

/// What WeChat takes of a payment.
const RATE_SHOWN: &str = "0.60%";

/// Heading, lines, totals.
pub(super) fn written(lines: &[Line], wanted: Wanted<'_>) -> String {
    let columns = match wanted.kind {
        BillType::All => ALL,
        BillType::Success => SUCCESS,
        BillType::Refund => REFUND,
    };
    let mut text = format!("\u{feff}{columns}\r\n");
    let (mut total, mut refund, mut fee) = (0_i64, 0_i64, 0_i64);
    for line in lines {
        let back = line.refund.as_ref();
        total = total.saturating_add(line.total.get());
        refund = refund.saturating_add(back.map_or(0, |back| back.amount.get()));
        fee = fee.saturating_add(line.fee.get());
        let values = columns.split(',').map(|column| value(line, column, wanted));
        let values: Vec<String> = values.map(|value| format!("`{value}")).collect();
        text.push_str(&values.join(","));
        text.push_str("\r\n");
    }
    let yuan = |fen| Fen::new(fen).unwrap_or_default();
    let (count, total, refund, fee) = (lines.len(), yuan(total), yuan(refund), Fee::new(fee));
    text.push_str(&format!(
        "{TOTALS}\r\n`{count},`{total},`{refund},`0.00,`{fee},`{total},`{refund}\r\n"
    ));
    text
}

/// What stands in a column.
fn value(line: &Line, column: &str, wanted: Wanted<'_>) -> String {
    let back = line.refund.as_ref();
    let free = |text: &str| {
        let text = text.replace('\n', if wanted.escapes { "\\n" } else { " " });
        if wanted.escapes { text.replace(',', "\\ ") } else { text }
    };
    let of_refund =
        |read: fn(&Back) -> String, none: &str| back.map_or_else(|| none.to_owned(), read);
    match column {
        "交易时间" => beijing_spaced(line.time),
        "公众账号ID" => line.appid.clone(),
        "商户号" => wanted.mchid.to_string(),
        "特约商户号" => line.sub_mchid.clone(),
        "微信订单号" => line.transaction_id.clone(),
        "商户订单号" => line.out_trade_no.clone(),
        "用户标识" => line.openid.clone(),
        "交易类型" => "JSAPI".to_owned(),
        "交易状态" => if back.is_some() { "REFUND" } else { "SUCCESS" }.to_owned(),
        "付款银行" => "OTHERS".to_owned(),
        "货币种类" => "CNY".to_owned(),
        "应结订单金额" | "订单金额" => line.total.to_string(),
        "代金券金额" | "充值券退款金额" => "0.00".to_owned(),
        "退款申请时间" | "退款成功时间" => beijing_spaced(line.time),
        "微信退款单号" => of_refund(|back| back.refund_id.clone(), "0"),
        "商户退款单号" => of_refund(|back| back.out_refund_no.clone(), "0"),
        "退款金额" | "申请退款金额" => of_refund(|back| back.amount.to_string(), "0.00"),
        "退款类型" => of_refund(|_| "ORIGINAL".to_owned(), ""),
        "退款状态" => of_refund(|back| back.status.to_owned(), ""),
        "商品名称" => free(&line.description),
        "商户数据包" => free(&line.attach),
        "手续费" => line.fee.to_string(),
        "费率" => RATE_SHOWN.to_owned(),
        // 设备号, 费率备注: nothing to say.
        _ => String::new(),
    }
}

const ALL: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const SUCCESS: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注";
const REFUND: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
