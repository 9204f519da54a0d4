//! A day's bills: what WeChat says of it, and what it was made to say wrongly.
//!
//! Made anew whenever somebody asks, from the payments and refunds of the day, so the order of the lines is the same
//! each time. `POST /_sim/bills` plants differences, for reconciliation to find.

use serde::{Deserialize, Serialize};
use suanpan_wechat::bill::{BillDate, BillType, Fee};
use suanpan_wechat::time::beijing_spaced;
use suanpan_wechat::{Fen, MchId, RefundStatus};

use crate::dice;
use crate::ledger::{Ledger, Payment};
use crate::refund::Refund;
use crate::registry::openid;
use crate::world::World;

/// What WeChat takes of a payment, in thousandths: 0.60%.
const RATE: i64 = 6;
const RATE_SHOWN: &str = "0.60%";

/// A difference between the bill of a day and what happened.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Planted {
    pub(crate) mchid: MchId,
    pub(crate) bill_date: String,
    #[serde(flatten)]
    pub(crate) plant: Plant,
}

/// What is wrong with the bill.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "plant", rename_all = "snake_case")]
pub(crate) enum Plant {
    /// The payment of this order is not listed.
    MissingPayment { out_trade_no: String },
    /// It is listed with another amount.
    PaymentAmount { out_trade_no: String, amount: Fen },
    /// Another fee was taken for it, in hundred-thousandths of a yuan.
    Fee { out_trade_no: String, fee: i64 },
    /// A payment is listed of an order that nobody placed.
    UnknownPayment { out_trade_no: String, amount: Fen },
    /// This refund is not listed.
    MissingRefund { out_refund_no: String },
    /// It is listed with another amount.
    RefundAmount { out_refund_no: String, amount: Fen },
    /// A refund is listed that nobody asked for.
    UnknownRefund { out_refund_no: String, out_trade_no: String, amount: Fen },
}

/// Which lines are wanted, and how free text is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) mchid: &'a MchId,
    pub(crate) date: BillDate,
    pub(crate) sub_mchid: Option<&'a str>,
    pub(crate) kind: BillType,
    /// APIv3 writes `,` in free text as `\ `; APIv2 leaves it.
    pub(crate) escapes: bool,
}

/// A payment or a refund.
#[derive(Clone, Debug)]
struct Line {
    time: i64,
    appid: String,
    sub_mchid: String,
    transaction_id: String,
    out_trade_no: String,
    openid: String,
    /// Zero in the line of a refund.
    total: Fen,
    refund: Option<Back>,
    description: String,
    attach: String,
    fee: Fee,
}

/// What goes back.
#[derive(Clone, Debug)]
struct Back {
    refund_id: String,
    out_refund_no: String,
    amount: Fen,
    status: &'static str,
}

/// The trade bill of a day; `None` where nothing happened.
pub(crate) fn trade(world: &World, wanted: Wanted<'_>) -> Option<String> {
    let ledger = world.ledger.lock();
    let mut lines = lines_of(&ledger, wanted.mchid, wanted.date);
    let date = wanted.date.to_string();
    let noon = stranger(world, wanted);
    let planted = ledger.plants.iter();
    for planted in planted.filter(|plant| plant.mchid == *wanted.mchid && plant.bill_date == date) {
        apply(&planted.plant, &noon, &mut lines);
    }
    drop(ledger);
    lines.retain(|line| {
        let of_the_kind = match wanted.kind {
            BillType::All => true,
            BillType::Success => line.refund.is_none(),
            BillType::Refund => line.refund.is_some(),
        };
        of_the_kind && wanted.sub_mchid.is_none_or(|sub| sub == line.sub_mchid)
    });
    if lines.is_empty() {
        return None;
    }
    lines.sort_by(|a, b| (a.time, &a.transaction_id).cmp(&(b.time, &b.transaction_id)));
    Some(written(&lines, wanted))
}

/// The payments that were made and the refunds that were taken on a day, in no order.
fn lines_of(ledger: &Ledger, mchid: &MchId, date: BillDate) -> Vec<Line> {
    let (start, end) = (date.start(), date.tomorrow().map_or(i64::MAX, BillDate::start));
    let payments = ledger.payments.values();
    let payments = payments.filter(|paid| paid.mchid == *mchid && within(paid.paid_at, start, end));
    let refunds = ledger.refunds.values();
    let refunds =
        refunds.filter(|refund| refund.mchid == *mchid && within(refund.created_at, start, end));
    let mut lines: Vec<Line> = payments.filter_map(|paid| line_of(ledger, paid)).collect();
    lines.extend(refunds.filter_map(|refund| {
        let payment = ledger.payments.get(&refund.transaction_id)?;
        Some(Line {
            time: refund.created_at,
            total: Fen::ZERO,
            refund: Some(back(refund, end)),
            fee: Fee::new(fee_of(refund.amount).get().saturating_neg()),
            ..line_of(ledger, payment)?
        })
    }));
    lines
}

const fn within(time: i64, start: i64, end: i64) -> bool {
    start <= time && time < end
}

fn line_of(ledger: &Ledger, payment: &Payment) -> Option<Line> {
    let order = ledger.orders.get(&(payment.mchid.clone(), payment.out_trade_no.clone()))?;
    let sub = order.sub.as_ref().map(|sub| sub.mchid.to_string());
    Some(Line {
        time: payment.paid_at,
        appid: order.appid.to_string(),
        sub_mchid: sub.unwrap_or_else(|| "0".to_owned()),
        transaction_id: payment.transaction_id.to_string(),
        out_trade_no: payment.out_trade_no.to_string(),
        openid: openid(&order.appid, &payment.user).as_str().to_owned(),
        total: payment.amount,
        refund: None,
        description: order.description.clone(),
        attach: order.attach.clone().unwrap_or_default(),
        fee: fee_of(payment.amount),
    })
}

fn back(refund: &Refund, end: i64) -> Back {
    let status = match refund.status(end) {
        RefundStatus::Success => "SUCCESS",
        RefundStatus::Closed => "FAIL",
        RefundStatus::Abnormal => "CHANGE",
        _ => "PROCESSING",
    };
    Back {
        refund_id: refund.refund_id.to_string(),
        out_refund_no: refund.out_refund_no.to_string(),
        amount: refund.amount,
        status,
    }
}

/// Whole fen, rounded, as WeChat takes it.
fn fee_of(amount: Fen) -> Fee {
    let fen = amount.get().saturating_mul(RATE).saturating_add(500).div_euclid(1000);
    Fee::new(fen.saturating_mul(1000))
}

fn apply(plant: &Plant, stranger: &Line, lines: &mut Vec<Line>) {
    // A payment that nobody made. Its numbers are the same whenever the bill is made anew.
    let unknown = |number: &str, amount: Fen| Line {
        transaction_id: format!("4200000000{}", dice::digits_of(number, 18)),
        out_trade_no: number.to_owned(),
        total: amount,
        fee: fee_of(amount),
        ..stranger.clone()
    };
    let paid = |line: &Line, number: &str| line.refund.is_none() && line.out_trade_no == number;
    let sent = |line: &Line, number: &str| {
        line.refund.as_ref().is_some_and(|back| back.out_refund_no == number)
    };
    match plant {
        Plant::MissingPayment { out_trade_no } => lines.retain(|line| !paid(line, out_trade_no)),
        Plant::MissingRefund { out_refund_no } => lines.retain(|line| !sent(line, out_refund_no)),
        Plant::PaymentAmount { out_trade_no, amount } => {
            for line in lines.iter_mut().filter(|line| paid(line, out_trade_no)) {
                (line.total, line.fee) = (*amount, fee_of(*amount));
            }
        }
        Plant::Fee { out_trade_no, fee } => {
            for line in lines.iter_mut().filter(|line| paid(line, out_trade_no)) {
                line.fee = Fee::new(*fee);
            }
        }
        Plant::RefundAmount { out_refund_no, amount } => {
            for line in lines.iter_mut().filter(|line| sent(line, out_refund_no)) {
                line.fee = Fee::new(fee_of(*amount).get().saturating_neg());
                if let Some(back) = &mut line.refund {
                    back.amount = *amount;
                }
            }
        }
        Plant::UnknownPayment { out_trade_no, amount } => {
            lines.push(unknown(out_trade_no, *amount));
        }
        Plant::UnknownRefund { out_refund_no, out_trade_no, amount } => {
            let known = lines.iter().find(|line| line.out_trade_no == *out_trade_no).cloned();
            let payment = known.unwrap_or_else(|| unknown(out_trade_no, *amount));
            lines.push(Line {
                total: Fen::ZERO,
                fee: Fee::new(fee_of(*amount).get().saturating_neg()),
                refund: Some(Back {
                    refund_id: format!("50300000000{}", dice::digits_of(out_refund_no, 18)),
                    out_refund_no: out_refund_no.clone(),
                    amount: *amount,
                    status: "SUCCESS",
                }),
                ..payment
            });
        }
    }
}

/// What a payment looks like that nobody made, at noon.
fn stranger(world: &World, wanted: Wanted<'_>) -> Line {
    let merchant = world.registry.merchant(wanted.mchid.as_str());
    let app = merchant.and_then(|merchant| merchant.apps.first());
    Line {
        time: wanted.date.start().saturating_add(12 * 3600),
        appid: app.map(ToString::to_string).unwrap_or_default(),
        sub_mchid: "0".to_owned(),
        transaction_id: String::new(),
        out_trade_no: String::new(),
        openid: String::new(),
        total: Fen::ZERO,
        refund: None,
        description: "收款".to_owned(),
        attach: String::new(),
        fee: Fee::ZERO,
    }
}

fn written(lines: &[Line], wanted: Wanted<'_>) -> String {
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
    let of_refund = |read: fn(&Back) -> String, none: &str| back.map_or(none.to_owned(), read);
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

/// The fund-flow bill of a day; `None` where nothing happened. Only the purse that payers fill has any traffic here.
pub(crate) fn fund_flow(
    world: &World,
    mchid: &MchId,
    date: BillDate,
    brackets: [char; 2],
) -> Option<String> {
    let ledger = world.ledger.lock();
    let lines = lines_of(&ledger, mchid, date);
    drop(ledger);
    let mut flows: Vec<Flow> = lines.iter().flat_map(flows_of).collect();
    if flows.is_empty() {
        return None;
    }
    flows.sort_by(|a, b| (a.time, &a.flow_id).cmp(&(b.time, &b.flow_id)));
    Some(flows_written(&flows, brackets))
}

/// A change of the purse.
struct Flow {
    time: i64,
    business_id: String,
    flow_id: String,
    kind: &'static str,
    came_in: bool,
    amount: Fen,
    remark: String,
    voucher: String,
}

/// A payment comes in, and its fee goes out; what goes back is less the fee of it, which WeChat gives back.
fn flows_of(line: &Line) -> Vec<Flow> {
    let fee = Fen::new(line.fee.get().saturating_abs().div_euclid(1000)).unwrap_or_default();
    let flow = |kind, came_in, amount, number: &str, voucher: &str, remark| Flow {
        time: line.time,
        business_id: number.to_owned(),
        flow_id: dice::digits_of(&format!("{number}{kind}"), 19),
        kind,
        came_in,
        amount,
        remark,
        voucher: voucher.to_owned(),
    };
    match &line.refund {
        None => {
            let paid = flow(
                "交易",
                true,
                line.total,
                &line.transaction_id,
                &line.out_trade_no,
                String::new(),
            );
            let taken = (fee != Fen::ZERO).then(|| {
                flow(
                    "扣除交易手续费",
                    false,
                    fee,
                    &line.transaction_id,
                    &line.out_trade_no,
                    String::new(),
                )
            });
            std::iter::once(paid).chain(taken).collect()
        }
        Some(back) => {
            let remark = format!("退款总金额{}元;含手续费{fee}元", back.amount);
            let amount = back.amount.checked_sub(fee).unwrap_or(back.amount);
            vec![flow("退款", false, amount, &back.refund_id, &back.out_refund_no, remark)]
        }
    }
}

fn flows_written(flows: &[Flow], [open, close]: [char; 2]) -> String {
    let mut text = format!(
        "\u{feff}记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额{open}元{close},账户结余{open}元{close},资金变更提交申请人,备注,业务凭证号\r\n"
    );
    // Whatever was in the purse before, nobody knows: enough.
    let mut balance = 100_000_000_i64;
    let (mut counts, mut sums) = ([0_usize; 2], [0_i64; 2]);
    for flow in flows {
        let ([count_out, count_in], [sum_out, sum_in]) = (&mut counts, &mut sums);
        let (count, sum) = if flow.came_in { (count_in, sum_in) } else { (count_out, sum_out) };
        *count = count.saturating_add(1);
        *sum = sum.saturating_add(flow.amount.get());
        let change =
            if flow.came_in { flow.amount.get() } else { flow.amount.get().saturating_neg() };
        balance = balance.saturating_add(change);
        let shown = Fen::new(balance).unwrap_or_default();
        let direction = if flow.came_in { "收入" } else { "支出" };
        text.push_str(&format!(
            "`{},`{},`{},`{},`{},`{direction},`{},`{shown},`system,`{},`{}\r\n",
            beijing_spaced(flow.time),
            flow.business_id,
            flow.flow_id,
            flow.kind,
            flow.kind,
            flow.amount,
            flow.remark,
            flow.voucher
        ));
    }
    let [count_out, count_in] = counts;
    let [sum_out, sum_in] = sums.map(|sum| Fen::new(sum).unwrap_or_default());
    text.push_str(&format!(
        "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`{},`{count_in},`{sum_in},`{count_out},`{sum_out}\r\n",
        flows.len()
    ));
    text
}

const ALL: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const SUCCESS: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注";
const REFUND: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
