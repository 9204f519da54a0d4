//! WeChat's checklist for the quality of an integration (接入质量检查清单): how each line is met.

use super::checks::{
    Check, QUALITY_AMOUNT, QUALITY_BILLS, QUALITY_CLIENT, QUALITY_NOTIFY, QUALITY_QUERY,
    QUALITY_REFUSE, QUALITY_REQUEST_ID, QUALITY_RETRY, QUALITY_SENSITIVE, QUALITY_VERIFY,
    WECHAT_V2_SIGN, WECHAT_V3_ANSWER, WORK_OVERDUE,
};
use super::finding::{Chart, Mark};
use super::patient::Patient;
use super::said::say;

/// Goes through the list, after all else was looked at.
pub(super) fn all(patient: &Patient, chart: &mut Chart) {
    let proven =
        [&WECHAT_V3_ANSWER, &WECHAT_V2_SIGN].into_iter().any(|check| is_proven(check, chart));
    if proven {
        chart.ok(&QUALITY_VERIFY, "", say!("没有验签的消息在类型上就进不了业务；刚才也验过微信的应答", "what is not verified cannot reach the business by its type, and an answer of WeChat's was verified just now"));
    } else {
        chart.skip(&QUALITY_VERIFY, "", say!("代码里没有不验签的路；这份配置要联网跑过 wechat.v3_answer 或 wechat.v2_sign 才算证明", "the code knows no other way; wechat.v3_answer or wechat.v2_sign proves it for this configuration, online"));
    }
    chart.ok(&QUALITY_REFUSE, "", say!("验签失败答 401，探测流量（SIGNTEST）也一样，只是不算告警", "a signature that fails is answered with 401, and so are WeChat's probes, which raise no alarm"));
    chart.ok(&QUALITY_AMOUNT, "", say!("金额、商户号来自后端的订单，付款人来自微信的登录；前端只给 code 和 orderId", "amount and merchant are the order's, the payer is WeChat's answer; the front end gives code and orderId alone"));
    chart.skip(&QUALITY_CLIENT, "", say!("接口不给前端任何密钥；小程序代码里有没有，要人搜一遍：密钥、AppSecret、session_key", "the API gives the front end no key; whether the mini program's own code holds one a person has to look: keys, AppSecret, session_key"));
    chart.ok(
        &QUALITY_SENSITIVE,
        "",
        say!(
            "用到的接口没有要加密的字段；请求都带 Wechatpay-Serial",
            "no interface in use has such a field; each request carries Wechatpay-Serial"
        ),
    );
    chart.ok(
        &QUALITY_RETRY,
        "",
        say!(
            "重试总用同一个 out_trade_no、out_refund_no，先存后发",
            "a repeat carries the same out_trade_no or out_refund_no, stored before it is sent"
        ),
    );
    chart.ok(&QUALITY_NOTIFY, "", say!("同一条通知再来不改变任何东西：收件表、状态的比较并设置、唯一键", "the same notification again changes nothing: an inbox, compare-and-set on states, unique keys"));
    if chart.findings.iter().any(|one| one.check.id == WORK_OVERDUE.id && one.result == Mark::Warn)
    {
        chart.blocked(&QUALITY_QUERY, "", &[&WORK_OVERDUE]);
    } else {
        chart.ok(&QUALITY_QUERY, "", say!("每笔支付和退款从存下起就按时间表查单，直到有结果", "each payment and refund is asked after on a schedule from the moment it is stored, until it is final"));
    }
    chart.ok(
        &QUALITY_REQUEST_ID,
        "",
        say!("微信的 Request-ID 写进日志和流水", "WeChat's Request-ID is in log and journal"),
    );
    if patient.config.reconciliation.enabled {
        chart.ok(
            &QUALITY_BILLS,
            "",
            say!(
                "金额只用整数分；每天 10 点后对昨天的账单",
                "amounts are whole fen; yesterday's bill is compared each day"
            ),
        );
    } else {
        let found =
            say!("金额只用整数分，但对账关着", "amounts are whole fen, and reconciliation is off");
        chart.warn(
            &QUALITY_BILLS,
            "",
            (found, say!("打开 reconciliation.enabled", "turn reconciliation.enabled on")),
        );
    }
}

fn is_proven(check: &Check, chart: &Chart) -> bool {
    chart.findings.iter().any(|one| one.check.id == check.id && one.result == Mark::Ok)
}
