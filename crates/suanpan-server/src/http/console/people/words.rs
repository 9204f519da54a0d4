//! What the pages about people say.

use super::super::words::{Say, say};

/// The words for something in the audit log.
pub(in super::super) fn action(action: &str) -> Option<Say> {
    Some(match action {
        "sign-in" => say("登录", "Signed in"),
        "order.ask" => say("向微信查询", "Asked WeChat"),
        "order.close" => say("关闭订单", "Closed an order"),
        "orders.export" => say("导出订单", "Exported orders"),
        "endpoint.create" => say("新建接收端", "Made an endpoint"),
        "endpoint.rotate" => say("换接收端密钥", "Rotated an endpoint's secret"),
        "endpoint.disable" => say("停用接收端", "Disabled an endpoint"),
        "endpoint.enable" => say("启用接收端", "Enabled an endpoint"),
        "endpoint.delete" => say("删除接收端", "Deleted an endpoint"),
        "endpoint.test" => say("发测试事件", "Sent a test event"),
        "endpoint.replay" => say("重放没送到的事件", "Replayed what was missed"),
        "event.replay" => say("重新投递事件", "Delivered an event again"),
        "session.end-all" => say("退出所有会话", "Ended all sessions"),
        "refund.ask" => say("申请退款", "Asked for a refund"),
        "refund.approve" => say("批准退款", "Approved a refund"),
        "refund.decline" => say("拒绝退款", "Declined a refund"),
        _ => return None,
    })
}

// The audit log.
pub(in super::super) const AUDIT: Say = say("审计日志", "Audit log");
pub(in super::super) const AUDIT_NOTHING: Say = say("没有符合条件的记录", "No line fits");
pub(in super::super) const WHO: Say = say("谁", "Who");
pub(in super::super) const WHEN: Say = say("何时", "When");
pub(in super::super) const WHAT: Say = say("做了什么", "What");
pub(in super::super) const OBJECT: Say = say("对象", "Object");
pub(in super::super) const WHY: Say = say("原因", "Why");
pub(in super::super) const FILTER: Say = say("筛选", "Filter");
pub(in super::super) const CLEAR: Say = say("清除条件", "Clear");
pub(in super::super) const OLDER: Say = say("更早的", "Older");
pub(in super::super) const NEWEST: Say = say("回到最新", "Back to the newest");
pub(in super::super) const LINES: Say = say("条", "lines");
pub(in super::super) const CHAIN_WHOLE: Say =
    say("哈希链完整：核对了", "The hash chain is whole: verified");
pub(in super::super) const CHAIN_BROKEN: Say = say(
    "哈希链断开：有人改过这一条，或删了它前面的",
    "The hash chain is broken: this line was changed, or one before it taken out:",
);
pub(in super::super) const CHAIN_BROKEN_HELP: Say = say(
    "控制台自己从不修改或删除记录。请保留数据库现状，与以前导出的文件比对，并检查谁能写数据库。",
    "The console never changes or deletes a line. Keep the database as it is, compare it with an export that was taken before, and find out who can write to it.",
);
pub(in super::super) const CHAIN_LAST: Say = say(
    "最新一条的哈希（可抄存在别处，以后比对）：",
    "Hash of the newest line (keep it elsewhere to compare later):",
);
pub(in super::super) const CHAIN_ALL: Say = say("核对整条链", "Verify the whole chain");

// Oneself.
pub(in super::super) const ME: Say = say("我的账号", "My account");
pub(in super::super) const SESSIONS: Say = say("登录中的会话", "Sessions");
pub(in super::super) const SEEN: Say = say("最近操作", "last active");
pub(in super::super) const SIGN_OUT_EVERYWHERE: Say =
    say("全部退出（包括这个浏览器）", "Sign out everywhere, here too");

// A refund that waits for a second person.
pub(in super::super) const REQUEST: Say = say("退款申请", "Refund request");
pub(in super::super) const REQUESTS_WAITING: Say =
    say("等待第二个人批准的退款", "Refunds that wait for a second person");
pub(in super::super) const THE_ORDER: Say = say("订单", "Order");
pub(in super::super) const ASKED_FOR: Say = say("申请", "Asked for");
pub(in super::super) const ASKED_BY: Say = say("申请人", "By");
pub(in super::super) const AMOUNT: Say = say("金额", "Amount");
pub(in super::super) const REASON: Say = say("原因（付款人会看到）", "Reason (the payer reads it)");
pub(in super::super) const DECISION: Say = say("决定", "Decision");
pub(in super::super) const DECIDED_BY: Say = say("决定人", "By");
pub(in super::super) const NOTE: Say = say("说明（记入审计日志）", "Note (kept in the audit log)");
pub(in super::super) const REFUND_ID: Say = say("退款号", "Refund id");
pub(in super::super) const APPROVED: Say = say("已批准", "Approved");
pub(in super::super) const DECLINED: Say = say("已拒绝", "Declined");
pub(in super::super) const APPROVE: Say = say("批准退款", "Approve");
pub(in super::super) const DECLINE: Say = say("拒绝", "Decline");
pub(in super::super) const TAKE_BACK: Say = say("撤回申请", "Take it back");
pub(in super::super) const REQUEST_OWN: Say = say(
    "这是你自己的申请：要由另一位财务或管理员批准。你可以撤回。",
    "You asked for it yourself: somebody else of finance, or an admin, has to approve it. You can take it back.",
);
pub(in super::super) const REQUEST_NOT_YOURS: Say =
    say("等财务或管理员批准。", "It waits for somebody of finance or an admin.");
