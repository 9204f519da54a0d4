//! The fund-flow bill: what came into the purse, and what went out of it.

use suanpan_wechat::bill::BillDate;
use suanpan_wechat::time::beijing_spaced;
use suanpan_wechat::{Fen, MchId};

use super::{Line, lines_of};
use crate::dice;
use crate::world::World;

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
