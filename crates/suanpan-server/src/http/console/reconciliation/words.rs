//! What the pages of reconciliation say, Chinese first.

use crate::reconciliation::{DifferenceKind, DifferenceState};
use crate::store::BillKind;

pub(super) use super::super::words::Say;
use super::super::words::say;

/// The name of a side.
pub(super) type Side = Say;

pub(super) const TITLE: Say = say("对账", "Reconciliation");
pub(super) const TITLE_HELP: Say = say(
    "每天 10 点以后下载微信前一天的账单，逐笔和我们的订单、退款对一遍。",
    "From ten o'clock WeChat's bill of the day before is downloaded, and each line compared with our orders and refunds.",
);
pub(super) const CALENDAR: Say = say("月历", "Calendar");
pub(super) const MONTHS: Say = say("其他月份", "Other months");
pub(super) const DAYS: Say = say("其他日子", "Other days");
pub(super) const WEEKDAYS: &[Say] = &[
    say("一", "Mon"),
    say("二", "Tue"),
    say("三", "Wed"),
    say("四", "Thu"),
    say("五", "Fri"),
    say("六", "Sat"),
    say("日", "Sun"),
];

pub(super) const NOT_COMPARED: Say = say("未对", "Not compared");
pub(super) const NOT_COMPARED_HELP: Say = say(
    "这一天还没有对过。超过三个月的账单微信不再给。",
    "This day was not compared yet. WeChat gives no bill that is older than three months.",
);
pub(super) const WAITING: Say = say("等账单", "Waiting");
pub(super) const FAILED: Say = say("没对成", "Failed");
pub(super) const DIFFERENT: Say = say("差", "Differs:");
pub(super) const BALANCED: Say = say("平", "Balanced");

pub(super) const SUMS: Say = say("两边合计", "The sums of both sides");
pub(super) const SIDE: Say = say("谁的账", "Whose book");
pub(super) const WECHAT: Say = say("微信", "WeChat");
pub(super) const OURS: Say = say("我们", "Ours");
pub(super) const PAID: Say = say("收款", "Paid");
pub(super) const REFUNDED: Say = say("退款", "Refunded");
pub(super) const FEE: Say = say("手续费", "Fee");
pub(super) const COUNT: Say = say("笔", "lines");
pub(super) const PURSE: Say = say("资金账单：", "The fund-flow bill:");
pub(super) const CAME_IN: Say = say("收入", "came in");
pub(super) const WENT_OUT: Say = say("支出", "went out");
pub(super) const COMPARED_AT: Say = say("上次对账", "Compared at");
pub(super) const AGAIN: Say = say("再对一遍", "Compare again");
pub(super) const MORE: Say = say("更多差异", "More differences");
pub(super) const NOT_LISTED: Say =
    say("差异太多，另有没列出的：", "Too many differences; not listed:");
pub(super) const DIFFERENCES: Say = say("差异", "Differences");
pub(super) const WHAT: Say = say("差在哪里", "What differs");

pub(super) const BOTH_SIDES: Say = say("两边各怎么说", "What each side says");
pub(super) const STORY: Say = say("怎么回事", "What happened");
pub(super) const ADVICE: Say = say("建议：", "What to do:");
pub(super) const EXAMPLES: Say = say("例如这些微信单号：", "Such as these numbers of WeChat's:");
pub(super) const MADE_OF_IT: Say = say("处理", "What was made of it");
pub(super) const MOVE_TO: Say = say("改为", "Move to");
pub(super) const NOTE: Say = say("说明", "Note");
pub(super) const MOVED_BY: Say = say("谁处理的", "Moved by");
pub(super) const SAVE: Say = say("保存", "Save");
pub(super) const FINANCE_ONLY: Say =
    say("财务和管理员可以写说明、改状态。", "Finance and admins may write a note and move it.");
pub(super) const REFUND: Say = say("退款", "Refund");
pub(super) const LINE: Say = say("账单第几行", "Line of the bill");
pub(super) const BILLED_AT: Say = say("账单上的时间", "Time in the bill");
pub(super) const OUT_TRADE_NO: Say = say("商户订单号", "out_trade_no");
pub(super) const TRANSACTION_ID: Say = say("微信订单号", "transaction_id");
pub(super) const OUT_REFUND_NO: Say = say("商户退款单号", "out_refund_no");
pub(super) const REFUND_ID: Say = say("微信退款单号", "refund_id");
pub(super) const FOUND_AT: Say = say("何时发现", "Found at");
pub(super) const GONE_AT: Say = say("何时不再有", "Gone since");

pub(super) const LISTED_TWICE: Say =
    say("账单把同一笔列了两次。", "The bill lists the same one twice.");
pub(super) const CLOSED_HERE: Say = say(
    "我们记的是这笔退款没有成，账单说钱已经退了。",
    "We hold that this refund came to nothing; the bill says that the money went back.",
);
pub(super) const ARCHIVED: Say =
    say("这个订单已经归档到文件里。", "The order was archived into a file.");

/// The button that takes a bill away.
pub(super) const fn take(kind: BillKind) -> Say {
    match kind {
        BillKind::Trade => say("下载交易账单", "Download the trade bill"),
        BillKind::FundFlow => say("下载资金账单", "Download the fund-flow bill"),
    }
}

/// What people made of a difference.
pub(super) const fn state(state: DifferenceState) -> Say {
    match state {
        DifferenceState::Open => say("待处理", "Open"),
        DifferenceState::Explained => say("已说明", "Explained"),
        DifferenceState::Repaired => say("已修复", "Repaired"),
    }
}

/// In what way the two sides differ.
pub(super) const fn kind(kind: DifferenceKind) -> Say {
    match kind {
        DifferenceKind::OpenHere => say("微信已收，我们未付", "Paid there, open here"),
        DifferenceKind::MissingThere => say("我们已付，账单没有", "Paid here, missing there"),
        DifferenceKind::Amount => say("金额不同", "The amounts differ"),
        DifferenceKind::UnknownPayment => say("不认识的收款", "An unknown payment"),
        DifferenceKind::RefundMissingHere => {
            say("账单有退款，我们没有", "A refund is missing here")
        }
        DifferenceKind::RefundMissingThere => {
            say("我们有退款，账单没有", "A refund is missing there")
        }
        DifferenceKind::RefundAmount => say("退款金额不同", "The refunded amounts differ"),
        DifferenceKind::UnknownRefund => say("不认识的退款", "An unknown refund"),
        DifferenceKind::Fee => say("手续费不对", "The fee is not right"),
        DifferenceKind::FundFlow => say("资金账单对不上", "The fund-flow bill does not agree"),
        DifferenceKind::Totals => say("账单合计不对", "The totals of the bill are not right"),
        DifferenceKind::Unreadable => say("账单有一行读不懂", "A line cannot be read"),
    }
}

/// What a difference means, and what can be done about it.
pub(super) const fn story(kind: DifferenceKind) -> (Say, Say) {
    match kind {
        DifferenceKind::OpenHere => (
            say(
                "微信收到了这笔钱，通知和查单都没有到我们这里。商户、应用、单号、金额都对得上的，已经自动记为已付并通知了商户系统。",
                "WeChat holds this money, and neither a notification nor a query told us. Where merchant, app, number and amount fit, it was booked by itself and the merchant's system told.",
            ),
            say(
                "已修复的不用管。还开着的，比较两边是哪一项不同，再决定退款还是改单。",
                "Nothing where it is repaired. Where it is open, see what differs, and refund or correct the order.",
            ),
        ),
        DifferenceKind::MissingThere => (
            say(
                "我们记了已付，当天的账单里没有这笔。",
                "We hold it as paid, and the bill of the day does not list it.",
            ),
            say(
                "在订单页查询微信；微信说没付，就找微信支付客服，先不要发货。",
                "Ask WeChat on the page of the order; if it says unpaid, call WeChat Pay's support, and hold the goods.",
            ),
        ),
        DifferenceKind::Amount => (
            say(
                "同一笔付款，两边的金额不一样。",
                "The same payment, and the two sides say different amounts.",
            ),
            say(
                "看订单的经过和账单那一行，差额要么退回，要么向微信查询。",
                "Compare the story of the order with the line; give the rest back, or ask WeChat's support.",
            ),
        ),
        DifferenceKind::UnknownPayment => (
            say(
                "账单里有这笔收款，我们没有这个订单号。",
                "The bill has this payment, and no order here has this number.",
            ),
            say(
                "多半是另一个系统用同一个商户号收的；确认是谁的，写进说明。",
                "Most likely another system takes money with the same merchant number: find out whose it is, and note that.",
            ),
        ),
        DifferenceKind::RefundMissingHere => (
            say(
                "账单里有这笔退款，付款是我们的订单，退款不是从这里发起的。",
                "The bill has a refund of an order of ours, and it was not asked for here.",
            ),
            say(
                "多半是在商户平台上手工退的；确认是谁退的，写进说明，订单的可退金额因此比这里显示的少。",
                "Most likely somebody refunded on the merchant platform: note who. Less is left to refund than is shown here.",
            ),
        ),
        DifferenceKind::RefundMissingThere => (
            say(
                "微信受理过这笔退款，当天的账单里没有。",
                "WeChat took this refund, and the bill of the day does not list it.",
            ),
            say(
                "在订单页查询微信，看退款到哪一步了。",
                "Ask WeChat on the page of the order how the refund stands.",
            ),
        ),
        DifferenceKind::RefundAmount => (
            say(
                "同一笔退款，两边的金额不一样。",
                "The same refund, and the two sides say different amounts.",
            ),
            say(
                "向微信支付客服核实实际退了多少。",
                "Ask WeChat Pay's support how much really went back.",
            ),
        ),
        DifferenceKind::UnknownRefund => (
            say(
                "账单里有这笔退款，退的也不是我们的订单。",
                "The bill has this refund, and what was paid is none of our orders.",
            ),
            say(
                "多半是另一个系统的；确认后写进说明。",
                "Most likely another system's: find out, and note it.",
            ),
        ),
        DifferenceKind::Fee => (
            say(
                "账单上写的费率和金额算出来的手续费，不是账单上收的那么多。",
                "The fee in the bill is not what its own rate makes of the amount.",
            ),
            say(
                "和微信支付核对费率，有优惠的写进说明。",
                "Check the rate with WeChat Pay; note it where there is a discount.",
            ),
        ),
        DifferenceKind::FundFlow => (
            say(
                "交易账单说应该进出账户的钱，和资金账单实际的进出不一样。",
                "What the trade bill says should move in the purse is not what the fund-flow bill says did.",
            ),
            say("按下面的微信单号在两份账单里各找一遍。", "Look for these numbers in both bills."),
        ),
        DifferenceKind::Totals => (
            say(
                "账单末尾的合计，不等于各行相加。",
                "The totals at the end of the bill are not the sums of its lines.",
            ),
            say(
                "再对一遍；还是不对就找微信支付客服。",
                "Compare again; if it stays, call WeChat Pay's support.",
            ),
        ),
        DifferenceKind::Unreadable => (
            say(
                "这一行的格式没见过，其他行都对过了。",
                "The line has a form that is not known; all others were compared.",
            ),
            say(
                "下载账单看这一行；微信改了格式就报告给本项目。",
                "Look at the line in the bill; if WeChat changed its form, report it to the project.",
            ),
        ),
    }
}
