//! What the pages about people say.

use maud::{Markup, html};

use super::super::page::Visit;
use super::super::words::{Say, say};
use crate::people::{Refusal, Role};

/// Says beside a form why it was not taken.
pub(super) fn complaint(visit: &Visit, refusal: Option<Refusal>) -> Markup {
    html! {
        @if let Some(refusal) = refusal {
            p.complaint role="alert" data-code=(refusal.code()) { (visit.say(self::refusal(refusal))) }
        }
    }
}

/// Why somebody cannot do it, and what he can do.
pub(in super::super) const fn refusal(refusal: Refusal) -> Say {
    match refusal {
        Refusal::OwnRequest => say(
            "自己申请的退款，自己不能批准：请财务或管理员的同事来批准。什么都没有改变。",
            "Whoever asked for a refund cannot approve it: ask a colleague of finance or an admin. Nothing was changed.",
        ),
        Refusal::Decided => say(
            "这个申请已经有人决定过了，请回到申请页查看。",
            "Somebody has decided it before: look at the request.",
        ),
        Refusal::WeakPassword => say(
            "这个密码太容易猜：至少 12 个字符、5 种不同的字符，不能包含名字。",
            "This password is easily guessed: take at least 12 characters, five of them different, without the name in it.",
        ),
        Refusal::NotKnown => say(
            "名字、密码或验证码不对。忘了密码请管理员重置，会得到一个新链接。",
            "Name, password or code is not right. If the password is forgotten, an admin resets it and gives you a new link.",
        ),
        Refusal::Mistyped => say("两次输入的密码不一样。", "The two passwords differ."),
        Refusal::WrongCode => say(
            "验证码不对，或已经用过。请等手机上出现下一个；手机的时间要准。",
            "The code is not right, or was used before. Wait for the next one; the phone's clock must be right.",
        ),
        Refusal::NameTaken => say("这个名字已经有人用了。", "Another operator has this name."),
        Refusal::BadName => say(
            "名字要 2 到 32 个文字、数字或 . - _，不能有空格。",
            "A name has 2 to 32 letters, digits, “.”, “-” or “_”.",
        ),
        Refusal::LastAdmin => say(
            "至少要有一位能登录的管理员：请先让别人成为管理员。",
            "There has to be an admin who can sign in: make somebody else one first.",
        ),
    }
}

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
        "operator.first" => say("设立第一位管理员", "Became the first admin"),
        "operator.password" => say("设置密码", "Chose a password"),
        "operator.invite" => say("邀请操作员", "Invited an operator"),
        "operator.role" => say("修改角色", "Changed a role"),
        "operator.reset" => say("重置操作员", "Reset an operator"),
        "operator.disable" => say("停用操作员", "Kept an operator out"),
        "operator.enable" => say("恢复操作员", "Let an operator in again"),
        "api-key.create" => say("新建 API 密钥", "Made an API key"),
        "api-key.revoke" => say("吊销 API 密钥", "Revoked an API key"),
        "totp.enrol" => say("启用动态验证码", "Turned codes on"),
        "totp.remove" => say("关闭动态验证码", "Turned codes off"),
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

// The door.
pub(in super::super) const SIGN_IN: Say = say("登录", "Sign in");
pub(in super::super) const NAME: Say = say("名字", "Name");
pub(in super::super) const PASSWORD: Say = say("密码", "Password");
pub(in super::super) const CODE: Say = say("动态验证码", "Code");
pub(in super::super) const CODE_HELP: Say = say(
    "启用了动态验证码才要填：手机上的 6 位数字。",
    "Only where you have turned codes on: the six digits on your phone.",
);
pub(in super::super) const SET_UP: Say = say("设立第一位管理员", "The first admin");
pub(in super::super) const SET_UP_HELP: Say = say(
    "这个链接只能用一次。之后由管理员在“设置”里邀请其他人。",
    "This link works once. Others are invited by an admin, in the settings.",
);
pub(in super::super) const CHOOSE: Say = say("设置密码", "Choose a password");
pub(in super::super) const CHOOSE_HELP: Say = say("这个链接只能用一次。", "This link works once.");
pub(in super::super) const CHOOSE_AND_ENTER: Say = say("保存并登录", "Save and sign in");
pub(in super::super) const NEW_PASSWORD: Say = say("新密码", "New password");
pub(in super::super) const AGAIN: Say = say("再输一次", "Once more");
pub(in super::super) const PASSWORD_RULE: Say = say(
    "至少 12 个字符；一句话比一串符号好记。",
    "At least 12 characters; a sentence is easier to remember than signs.",
);
pub(in super::super) const CURRENT_PASSWORD: Say = say("现在的密码", "Current password");
pub(in super::super) const CHANGE_PASSWORD: Say = say("修改密码", "Change the password");
pub(in super::super) const NO_PASSWORD: Say = say(
    "这个账号没有密码：它由 suanpan dev 的登录链接打开。",
    "This account has no password: a link of suanpan dev opens it.",
);
pub(in super::super) const TOTP: Say = say("动态验证码（两步验证）", "Codes (second factor)");
pub(in super::super) const TOTP_OFF: Say = say(
    "没有启用。启用后，登录时还要手机上的 6 位数字：密码被人知道了也进不来。",
    "Off. With it, signing in takes six digits from your phone as well: a password alone lets nobody in.",
);
pub(in super::super) const TOTP_ON: Say = say("已启用。", "On.");
pub(in super::super) const TOTP_START: Say = say("启用", "Turn on");
pub(in super::super) const TOTP_REMOVE: Say = say("关闭", "Turn off");
pub(in super::super) const TOTP_SCAN: Say = say(
    "用验证器（如 Microsoft Authenticator、Google Authenticator、腾讯身份验证器）扫这个码，再输入它显示的 6 位数字。",
    "Scan this with an authenticator app, then type the six digits that it shows.",
);
pub(in super::super) const TOTP_BY_HAND: Say = say("扫不了就手工输入：", "Or type it in by hand:");
pub(in super::super) const TOTP_PICTURE: Say =
    say("二维码，内容就是下面的密钥", "A QR code of the secret below");
pub(in super::super) const TOTP_CONFIRM: Say = say("确认启用", "Confirm");

/// What each role may do, beyond the one before it.
pub(super) const fn role_may(role: Role) -> Say {
    match role {
        Role::Viewer => {
            say("看：订单、退款、回调、对账。", "Looks at orders, refunds, webhooks, bills.")
        }
        Role::Cashier => say(
            "以上，并可向微信再查询、关单、申请退款（超过限额要别人批准）。",
            "The same, and asks WeChat again, closes orders, asks for refunds (above the limit somebody else approves).",
        ),
        Role::Finance => say(
            "以上，并可批准退款、对账、导出、重放回调、看审计日志。",
            "The same, and approves refunds, reconciles, exports, replays webhooks, reads the audit log.",
        ),
        Role::Admin => say(
            "以上，并可管理操作员、API 密钥、接收端和设置。",
            "The same, and operators, API keys, webhook endpoints, settings.",
        ),
    }
}

// The settings.
pub(in super::super) const SETTINGS: Say = say("设置", "Settings");
pub(in super::super) const OPERATORS: Say = say("操作员", "Operators");
pub(in super::super) const ROLE: Say = say("角色", "Role");
pub(in super::super) const STANDING: Say = say("状态", "State");
pub(in super::super) const SINCE: Say = say("创建时间", "Since");
pub(in super::super) const YOU: Say = say("（你）", "(you)");
pub(in super::super) const INVITE: Say = say("邀请", "Invite");
pub(in super::super) const IS_DISABLED: Say = say("已停用", "kept out");
pub(in super::super) const IS_INVITED: Say = say("已邀请，还没有密码", "invited, no password yet");
pub(in super::super) const HAS_PASSWORD: Say = say("密码", "password");
pub(in super::super) const HAS_CODES: Say = say("密码和动态验证码", "password and codes");
pub(in super::super) const WHAT_ROLES_MAY: Say = say("每个角色可以做什么", "What each role may do");
pub(in super::super) const CHANGE_ROLE: Say = say("修改角色", "Change the role");
pub(in super::super) const RESET: Say = say("重置密码和验证码", "Reset password and codes");
pub(in super::super) const RESET_HELP: Say = say(
    "现在的密码和验证码立刻失效，所有会话退出；你会得到一个一次性链接，交给本人。",
    "Password and codes are void at once, and all sessions end; you get a one-time link to hand over.",
);
pub(in super::super) const DISABLE: Say = say("停用", "Keep out");
pub(in super::super) const ENABLE: Say = say("恢复", "Let in again");
pub(in super::super) const LINK_FOR: Say = say("一次性链接，交给", "One-time link for");
pub(in super::super) const KEY_FOR: Say = say("新的 API 密钥：", "New API key:");
pub(in super::super) const SHOWN_ONCE: Say = say(
    "只显示这一次，离开这一页就再也看不到了。链接 24 小时内有效。",
    "It is shown this once: behind this page nobody sees it again. A link is good for a day.",
);
pub(in super::super) const API_KEYS: Say = say("API 密钥", "API keys");
pub(in super::super) const API_KEYS_HELP: Say = say(
    "商户系统用它调用 /v1。数据库里只有哈希，所以忘了只能新建。",
    "The merchant's system calls /v1 with it. Only a hash is kept: who loses one makes another.",
);
pub(in super::super) const LABEL: Say = say("名称", "Label");
pub(in super::super) const PREFIX: Say = say("开头", "Begins with");
pub(in super::super) const NEW_KEY: Say = say("新建密钥", "New key");
pub(in super::super) const REVOKE: Say = say("吊销", "Revoke");
pub(in super::super) const REVOKED: Say = say("已吊销", "revoked");
pub(in super::super) const REVOKE_HELP: Say = say(
    "用这把密钥的系统马上就进不来了。先让它换上新的。",
    "Whatever uses this key is locked out at once. Give it a new one first.",
);
pub(in super::super) const POLICIES: Say = say("规则（只读）", "Policies (read only)");
pub(in super::super) const POLICIES_HELP: Say = say(
    "在配置文件里修改，重启生效。",
    "Set in the configuration file; a restart takes them over.",
);
pub(in super::super) const SECOND_PERSON: Say =
    say("退款要第二个人批准", "Refunds need a second person");
pub(in super::super) const ABOVE: Say = say("合计超过", "above a sum of");
pub(in super::super) const NEVER_NEEDED: Say = say("不需要", "never");
pub(in super::super) const EXTRA_PAYMENT: Say = say("多收的钱", "Money beyond what is owed");
pub(in super::super) const EXTRA_REFUND: Say = say("立刻自动退回", "goes back at once");
pub(in super::super) const EXTRA_HOLD: Say =
    say("留着，由人决定", "is held until somebody decides");
pub(in super::super) const IDLE: Say = say("多久不操作要重新登录", "Sign in again after");
pub(in super::super) const MINUTES: Say = say("分钟", "minutes");
