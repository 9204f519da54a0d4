//! What the console says, in Chinese and in English, side by side.

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum_extra::extract::CookieJar;
use suanpan_ledger::{AttemptState, OrderStatus, RefundState, ShippingState};

use super::links::query_value;
use crate::people::Role;
use crate::timeline::Step;

/// A language of the console.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lang {
    /// Chinese: the first one, and the one of whoever says nothing.
    Zh,
    /// English.
    En,
}

/// One text in both languages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Say {
    zh: &'static str,
    en: &'static str,
}

impl Say {
    /// In Chinese: for what is not read on a page.
    pub(super) const fn zh(self) -> &'static str {
        self.zh
    }
}

impl Lang {
    /// As HTML and HTTP name it.
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The one that the switch at the top leads to.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Zh => Self::En,
            Self::En => Self::Zh,
        }
    }

    /// What it calls itself.
    pub(super) const fn own_name(self) -> &'static str {
        match self {
            Self::Zh => "中文",
            Self::En => "English",
        }
    }

    /// The text in this language.
    pub(super) const fn say(self, text: Say) -> &'static str {
        match self {
            Self::Zh => text.zh,
            Self::En => text.en,
        }
    }

    /// The language that a link or a reader asks for by its tag: `zh-Hans-CN` is Chinese.
    pub(super) fn parse(tag: &str) -> Option<Self> {
        match tag.trim().get(..2)?.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// Browsers name their languages best first; `q=0` says "not this one".
    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let accept = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        accept.split(',').find_map(|range| {
            let (tag, quality) = range.split_once(';').unwrap_or((range, ""));
            if matches!(quality.trim(), "q=0" | "q=0.0") { None } else { Self::parse(tag) }
        })
    }
}

/// `?lang=`, the cookie that remembers it, and the browser's languages choose, in this order.
impl<S: Send + Sync> FromRequestParts<S> for Lang {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, state).await?;
        let jar = CookieJar::from_headers(&parts.headers);
        let asked = query_value(&uri, "lang").as_deref().and_then(Self::parse);
        let kept = || jar.get(LANG_COOKIE).and_then(|cookie| Self::parse(cookie.value()));
        Ok(asked.or_else(kept).or_else(|| Self::accepted(&parts.headers)).unwrap_or(Self::Zh))
    }
}

/// Remembers the language.
pub(super) const LANG_COOKIE: &str = "suanpan_lang";

/// The word for where an order stands.
pub(super) const fn order_status(status: OrderStatus) -> Say {
    match status {
        OrderStatus::Unpaid => say("未支付", "Unpaid"),
        OrderStatus::Paying => say("支付中", "Paying"),
        OrderStatus::Paid => say("已支付", "Paid"),
        OrderStatus::Closed => say("已关闭", "Closed"),
    }
}

/// The word for where an attempt stands.
pub(super) const fn attempt_state(state: AttemptState) -> Say {
    match state {
        AttemptState::Created => say("等微信答复", "Waiting for WeChat"),
        AttemptState::Prepaid => say("可以支付", "Ready to pay"),
        AttemptState::Paid => say("已支付", "Paid"),
        AttemptState::Closed => say("已关闭", "Closed"),
        AttemptState::Failed => say("被微信拒绝", "Refused by WeChat"),
    }
}

/// The word for where a refund stands.
pub(super) const fn refund_state(state: RefundState) -> Say {
    match state {
        RefundState::Processing => say("退款中", "Under way"),
        RefundState::Succeeded => say("已退回", "Refunded"),
        RefundState::Closed => say("已关闭，钱没有退", "Closed: nothing went back"),
        RefundState::Abnormal => say("异常，要人处理", "Abnormal: wants a person"),
    }
}

/// The word for where a shipment stands.
pub(super) const fn shipping_state(state: ShippingState) -> Say {
    match state {
        ShippingState::Waiting => say("等发货信息", "Waiting for goods"),
        ShippingState::Uploading => say("正在上传", "Being uploaded"),
        ShippingState::Uploaded => say("已传一部分", "Part uploaded"),
        ShippingState::Shipped => say("已发货", "Shipped"),
        ShippingState::Confirmed => say("已收货", "Received"),
        ShippingState::Settled => say("已结算", "Settled"),
        ShippingState::Refunded => say("已退款", "Refunded"),
        ShippingState::NotManaged => say("微信不管发货", "Not managed by WeChat"),
        ShippingState::Refused => say("被微信拒绝", "Refused by WeChat"),
    }
}

/// The word for a step of the flow.
pub(super) const fn step(step: Step) -> Say {
    match step {
        Step::Order => say("订单", "order"),
        Step::Login => say("登录", "login"),
        Step::Prepay => say("下单", "prepay"),
        Step::SecondSign => say("再签名", "second sign"),
        Step::Notify => say("通知", "notify"),
        Step::Query => say("查单", "query"),
        Step::Bill => say("账单", "bill"),
        Step::Close => say("关单", "close"),
        Step::Refund => say("退款", "refund"),
        Step::Shipping => say("发货", "shipping"),
        Step::Webhook => say("回调", "webhook"),
    }
}

/// The word for what somebody is trusted with.
pub(super) const fn role(role: Role) -> Say {
    match role {
        Role::Viewer => say("查看", "viewer"),
        Role::Cashier => say("收银", "cashier"),
        Role::Finance => say("财务", "finance"),
        Role::Admin => say("管理员", "admin"),
    }
}

/// What we made of a notification. `verdict` is the word of the database.
pub(super) fn verdict(verdict: &str) -> Option<Say> {
    Some(match verdict {
        "moved" => say("已采纳，订单前进", "Taken: the order moved"),
        "known" => say("重复，早已知道", "Known already"),
        "asked" => say("无签名，已向微信查询", "Unsigned: WeChat was asked"),
        "unmatched" => say("对不上，请人工核对", "Does not fit: please check"),
        "refused" => say("验证不过，已拒绝", "Refused: not genuine"),
        _ => return None,
    })
}

/// A text. Each page keeps its own beside it; what several say is here.
pub(super) const fn say(zh: &'static str, en: &'static str) -> Say {
    Say { zh, en }
}

// The frame.
pub(super) const CONSOLE: Say = say("控制台", "Console");
pub(super) const BRAND: Say = say("算盘", "Suanpan");
pub(super) const SKIP: Say = say("跳到正文", "Skip to the content");
pub(super) const PAGES: Say = say("页面", "Pages");
pub(super) const MENU: Say = say("菜单", "Menu");
pub(super) const PRETEND: Say = say("仿真 · 假钱", "Play money");
pub(super) const PRETEND_HELP: Say = say(
    "微信是本机的仿真器：这里的钱都不是真的。",
    "WeChat is a simulator on this machine: no money here is real.",
);
pub(super) const SIGN_OUT: Say = say("退出登录", "Sign out");
pub(super) const LIVE: Say = say("实时更新", "Live");
pub(super) const LIVE_LOST: Say = say("已断开，正在重连", "Connection lost, trying again");
pub(super) const RELOAD: Say = say("刷新", "Reload");
pub(super) const CLOCK_NOTE: Say = say(
    "时间均为北京时间（UTC+8），鼠标悬停可看 UTC；金额单位为元。",
    "Times are Beijing time (UTC+8), with UTC in their titles; amounts are in yuan.",
);

pub(super) const LIVE_PAGE: Say = say("实时记录", "Live");
pub(super) const REFUND: Say = say("退款", "Refund");
pub(super) const REFUNDS: Say = say("退款", "Refunds");
pub(super) const SHIPPING: Say = say("发货", "Shipping");
pub(super) const WEBHOOKS: Say = say("回调", "Webhooks");
pub(super) const ACCOUNTS: Say = say("账号", "Accounts");
pub(super) const TODAY: Say = say("今天", "Today");

// The list of orders.
pub(super) const ORDERS: Say = say("订单", "Orders");
pub(super) const ALL: Say = say("全部", "All");
pub(super) const STATUS_FILTER: Say = say("按状态筛选", "Filter by status");
pub(super) const SEARCH_ALL: Say = say("按号码查找", "Find by number");
pub(super) const SEARCH: Say = say("搜索", "Search");
pub(super) const SEARCH_HINT: Say =
    say("订单号、微信支付单号、退款单号、事件 ID", "Any number: order, payment, refund, event");
pub(super) const CLEAR: Say = say("清除条件", "Clear");
pub(super) const ORDER_ID: Say = say("订单 ID", "Order id");
pub(super) const REFERENCE: Say = say("商户订单号", "Reference");
pub(super) const DESCRIPTION: Say = say("商品描述", "Description");
pub(super) const AMOUNT: Say = say("金额", "Amount");
pub(super) const STATUS: Say = say("状态", "Status");
pub(super) const MERCHANT: Say = say("商户 / 小程序", "Merchant / app");
pub(super) const CREATED_AT: Say = say("创建时间", "Created");
pub(super) const REFUNDED: Say = say("已退", "refunded");
pub(super) const FROM: Say = say("从", "From");
pub(super) const TO: Say = say("到", "To");
pub(super) const FILTER: Say = say("筛选", "Filter");
pub(super) const PAGES_OF_LIST: Say = say("翻页", "More of the list");
pub(super) const OLDER: Say = say("更早的订单", "Older orders");
pub(super) const NEWEST: Say = say("回到最新", "Back to the newest");
pub(super) const NO_ORDERS: Say = say("还没有订单", "No orders yet");
pub(super) const NO_ORDERS_HELP: Say = say(
    "让商户系统调用下面的接口，第一笔订单马上就会出现在这里。在 suanpan dev 里，也可以打开手机页面直接买一杯茶。",
    "Call the endpoint below from the merchant's system, and the first order shows up here. With suanpan dev you can also buy a tea on the phone page.",
);
pub(super) const NOTHING_FOUND: Say = say("没有符合条件的订单", "No order fits");
pub(super) const NOTHING_FOUND_HELP: Say = say(
    "请核对号码是否完整：这里按整个号码查找，不做模糊匹配。也可以换一个状态，或清除条件。",
    "Check that the number is complete: a search takes whole numbers only. Or choose another status, or clear the search.",
);
pub(super) const NOTHING_OLDER: Say = say("没有更早的订单了", "There are no older orders");

pub(super) const BACK: Say = say("返回", "Back");
pub(super) const ABOUT: Say = say("基本信息", "Facts");

// An order.
pub(super) const ORDER: Say = say("订单", "Order");
pub(super) const ALL_ORDERS: Say = say("全部订单", "All orders");
pub(super) const FACTS: Say = say("订单信息", "Facts");
pub(super) const MERCHANT_NAME: Say = say("商户", "Merchant");
pub(super) const MCHID: Say = say("商户号", "Merchant number");
pub(super) const APP: Say = say("小程序", "App");
pub(super) const TRADE_TYPE: Say = say("交易类型", "Trade type");
pub(super) const CURRENCY: Say = say("币种", "Currency");
pub(super) const AMOUNT_REFUNDED: Say = say("已退金额", "Refunded");
pub(super) const PAYER: Say = say("指定付款人", "Payer");
pub(super) const ANYBODY: Say = say("不限", "anybody");
pub(super) const TRANSACTION_ID: Say = say("微信支付单号", "Transaction id");
pub(super) const PAID_AT: Say = say("支付时间", "Paid");
pub(super) const EXPIRES_AT: Say = say("过期时间", "Expires");
pub(super) const NEVER: Say = say("不过期", "never");
pub(super) const EXPIRED: Say = say("已过期", "expired");
pub(super) const METADATA: Say = say("附加数据", "Metadata");
pub(super) const TIMELINE: Say = say("时间线", "Timeline");
pub(super) const NO_TIMELINE: Say = say("还没有记录。", "Nothing has happened yet.");
pub(super) const ATTEMPTS: Say = say("支付尝试", "Attempts");
pub(super) const NO_ATTEMPTS: Say = say(
    "还没有人尝试支付。付款人在小程序里点“支付”后，这里会出现一个 out_trade_no。",
    "Nobody has tried to pay yet. An out_trade_no appears here once a payer presses “pay” in the mini program.",
);
pub(super) const PREPAY: Say = say("prepay_id", "prepay_id");
pub(super) const PREPAY_YOUNG: Say = say("前取得，可再次调起", "old, can be signed again");
pub(super) const PREPAY_OLD: Say =
    say("前取得，已过期，下次会换新的", "old, expired: the next try gets a new one");
pub(super) const NOTIFICATIONS: Say = say("微信通知", "Notifications from WeChat");
pub(super) const NO_NOTIFICATIONS: Say = say(
    "微信还没有为这笔订单发来通知。",
    "WeChat has not sent a notification about this order yet.",
);
pub(super) const RECEIVED_AT: Say = say("收到时间", "Received");
pub(super) const VERDICT: Say = say("判定", "Verdict");
pub(super) const PROBLEM: Say = say("问题", "Problem");
pub(super) const EVENTS: Say = say("事件与回调", "Events and webhooks");
pub(super) const NO_EVENTS: Say = say(
    "还没有事件。订单支付或关闭后，会在这里通知商户系统。",
    "No events yet. When the order is paid or closed, the merchant's system is told from here.",
);
pub(super) const NO_DELIVERIES: Say = say(
    "还没有投递。若没有接收端，用 POST /v1/webhook-endpoints 添加一个。",
    "Not delivered yet. If there is no endpoint, add one with POST /v1/webhook-endpoints.",
);
pub(super) const TRIED_AT: Say = say("投递时间", "Tried");
pub(super) const ENDPOINT: Say = say("接收端", "Endpoint");
pub(super) const ENDPOINT_GONE: Say = say("（已删除）", "(deleted)");
pub(super) const ANSWER: Say = say("应答", "Answer");
pub(super) const NO_ANSWER: Say = say("无应答", "no answer");
pub(super) const LATENCY: Say = say("耗时", "Latency");
pub(super) const NEXT_TRY: Say = say("等待投递", "Next try");
pub(super) const GAVE_UP: Say = say("已放弃", "Given up");

// Doors and errors.
pub(super) const NO_SESSION: Say = say("请先登录", "Please sign in");
pub(super) const NO_SESSION_HELP: Say = say(
    "这个浏览器还没有登录，或者太久没有操作，或登录已满 12 小时。",
    "This browser is not signed in, was left alone too long, or signed in 12 hours ago.",
);
pub(super) const LINK_USED: Say = say("这个登录链接不能用了", "This sign-in link does not work");
pub(super) const LINK_USED_HELP: Say = say(
    "每个链接只能用一次，而且有时限。它可能已被用过、已过期，或属于另一个服务器。",
    "A link works once and not for long. This one is used up, too old, or of another server.",
);
pub(super) const HOW_TO_SIGN_IN: Say = say("没有密码？", "No password?");
pub(super) const LINK_FROM_DEV: Say = say(
    "开发时：suanpan dev 每次启动都会打印一个新链接（console）。",
    "On your machine: suanpan dev prints a new one (console) at each start.",
);
pub(super) const LINK_FROM_OPERATOR: Say = say(
    "正式环境：请管理员在“设置”里邀请或重置你，会得到一个一次性链接；没有管理员能登录时，在服务器上运行 suanpan operators。",
    "In production: an admin invites or resets you in the settings, which makes a one-time link; where no admin can sign in, run suanpan operators on the server.",
);
pub(super) const REFUSED: Say = say("这样不行", "That does not work");
pub(super) const TOO_OFTEN: Say = say("试得太频繁了", "Too many tries");
pub(super) const TOO_OFTEN_HELP: Say = say(
    "为了安全，同一个地址或同一个名字短时间内只能试几次。请等一会儿再试。",
    "For safety an address, or a name, has a few tries only. Wait a moment and try again.",
);
pub(super) const NOT_ALLOWED: Say = say("你没有这个权限", "You may not do this");
pub(super) const NOT_ALLOWED_HELP: Say = say(
    "什么都没有改变。需要的话，请管理员在“设置 → 操作员”里给你更高的角色，或请有权限的同事来做。",
    "Nothing was changed. If you need it, ask an admin for another role (Settings → Operators), or a colleague who may.",
);
pub(super) const ROLE_NEEDED: Say = say("需要的角色", "Role needed");
pub(super) const YOUR_ROLE: Say = say("你的角色", "Your role");
pub(super) const FOREIGN: Say = say("请求不是从控制台发出的", "This did not come from the console");
pub(super) const FOREIGN_HELP: Say = say(
    "为了安全，只接受控制台页面自己提交的表单。请打开控制台再试一次。",
    "For safety only forms of the console's own pages are taken. Open the console and try again.",
);
pub(super) const NOT_FOUND: Say = say("没有这笔订单", "There is no such order");
pub(super) const NOT_FOUND_HELP: Say = say(
    "请核对订单 ID；别的服务器或数据库里的订单在这里查不到。",
    "Check the id; orders of another server or database are not known here.",
);
pub(super) const NO_PAGE: Say = say("没有这个页面", "There is no such page");
pub(super) const NO_PAGE_HELP: Say =
    say("请检查地址，或回到首页。", "Check the address, or go back to the first page.");
pub(super) const BACK_HOME: Say = say("回到首页", "Back to the first page");
pub(super) const NOTHING_THERE: Say = say("没有找到", "Not found");
pub(super) const NOTHING_THERE_HELP: Say = say(
    "请核对地址里的编号；它可能已被删除，或在别的服务器上。",
    "Check the id in the address; it may be deleted, or of another server.",
);
pub(super) const CANNOT: Say = say("不能这样做", "This cannot be done");
pub(super) const CANNOT_HELP: Say = say(
    "什么都没有改动。原因在下面；请返回上一页，改好再提交。",
    "Nothing was changed. The reason is below: go back a page, put it right, and try again.",
);
pub(super) const FAILED: Say = say("出错了", "Something went wrong");
pub(super) const FAILED_HELP: Say = say(
    "请稍后再试；如果一直如此，请把下面的代码告诉管理员。",
    "Try again in a moment; if it stays, tell the code below to whoever runs this server.",
);
pub(super) const SIGNED_OUT: Say = say("已退出登录", "Signed out");
pub(super) const SIGNED_OUT_HELP: Say =
    say("下次用新的登录链接打开控制台。", "Use a new sign-in link to come back.");
pub(super) const SIGNED_IN: Say = say("已登录", "Signed in");
pub(super) const SIGNED_IN_HELP: Say = say("马上打开控制台。", "The console opens in a moment.");
pub(super) const OPEN_CONSOLE: Say = say("打开控制台", "Open the console");

// Spans of time.
pub(super) const SECONDS: Say = say("秒", "s");
pub(super) const MINUTES: Say = say("分钟", "min");
pub(super) const HOURS: Say = say("小时", "h");
pub(super) const DAYS: Say = say("天", "days");

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(accept: &str, want: Option<Lang>) {
        let headers = HeaderMap::from_iter([(
            header::ACCEPT_LANGUAGE,
            HeaderValue::from_str(accept).unwrap(),
        )]);
        assert_eq!(Lang::accepted(&headers), want, "{accept}");
    }

    #[test]
    fn a_browser_gets_the_first_of_its_languages_that_we_speak() {
        check("zh-CN,zh;q=0.9,en;q=0.8", Some(Lang::Zh));
        check("en-GB,en;q=0.9,zh;q=0.1", Some(Lang::En));
        check("de-DE, de;q=0.9, en;q=0.8", Some(Lang::En));
        check("zh-Hant-TW", Some(Lang::Zh));
        check("en;q=0, zh", Some(Lang::Zh));
        check("de, *;q=0.5", None);
        check("", None);
    }
}
