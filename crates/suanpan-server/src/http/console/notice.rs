//! What a page says first after a form was done: `?done=KEY`.
//!
//! The address holds a key and never a text, so that nobody can put words into
//! our mouth by a link. A form answers [`done`]; the frame of every page shows it.

use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::links::{query_value, with_query};
use super::page::Visit;
use super::words::{Say, say};

/// Each of them once: name, key, Chinese, English.
macro_rules! notices {
    ($($name:ident $key:literal $zh:literal $en:literal;)*) => {
        /// Something that was done.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Notice {
            $(#[doc = $en] $name,)*
        }

        impl Notice {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name),*];

            const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            const fn words(self) -> Say {
                match self { $(Self::$name => say($zh, $en),)* }
            }

            fn read(key: &str) -> Option<Self> {
                match key { $($key => Some(Self::$name),)* _ => None }
            }
        }
    };
}

notices! {
    Asked "asked" "已向微信查询，结果在时间线里。" "WeChat was asked; the timeline says what it answered.";
    EndpointDisabled "endpoint-disabled" "接收端已停用。" "The endpoint is disabled.";
    EndpointEnabled "endpoint-enabled" "接收端已启用；期间错过的可以重放。" "The endpoint is enabled; what it missed can be replayed.";
    EndpointDeleted "endpoint-deleted" "接收端已删除。" "The endpoint is deleted.";
    Delivering "delivering" "正在投递，结果见下面。" "It is being delivered; the result is below.";
    RefundAsked "refund-asked" "已向微信申请退款，结果在下面。" "WeChat was asked for the refund; how it stands is below.";
    RefundWaits "refund-waits" "退款申请已提交，等第二个人批准。" "The request waits for a second person.";
    Closed "closed" "订单已关闭。" "The order is closed.";
    RefundApproved "refund-approved" "退款已批准，并已向微信提交。" "The refund is approved, and WeChat was asked for it.";
    RefundDeclined "refund-declined" "退款申请已拒绝，钱没有动。" "The request is declined; no money moved.";
    Comparing "comparing" "正在对账，稍后刷新。" "The day is being compared; reload in a moment.";
    DifferenceMoved "difference-moved" "差异的状态和说明已保存。" "The difference and its note were saved.";
    Welcome "welcome" "密码已设好，你已登录。建议在下面启用动态验证码。" "Your password is set, and you are signed in. It is wise to turn codes on below.";
    PasswordChanged "password-changed" "密码已修改，其他浏览器都已退出。" "The password is changed; all other browsers are signed out.";
    TotpOffered "totp-offered" "请扫码，再输入验证码确认。" "Scan the code, then confirm with the digits that the app shows.";
    TotpOn "totp-on" "动态验证码已启用，下次登录起要用。" "Codes are on; they are asked for from the next sign-in on.";
    TotpOff "totp-off" "动态验证码已关闭。" "Codes are off.";
    RoleChanged "role-changed" "角色已修改，他要重新登录。" "The role is changed; he has to sign in again.";
    OperatorDisabled "operator-disabled" "已停用，他的会话都已退出。" "He is kept out, and signed out everywhere.";
    OperatorEnabled "operator-enabled" "已恢复，他可以再登录。" "He may come in again.";
    KeyRevoked "key-revoked" "密钥已吊销，从现在起不能用。" "The key is revoked: nobody gets in with it any more.";
    AllSessionsEnded "sessions-ended" "所有会话都已退出。" "All sessions were ended.";
}

/// Leads to a page of ours that says what was done.
pub(super) fn done(path: &str, notice: Notice) -> Response {
    Redirect::to(&with_query(path, &[("done", Some(notice.key()))])).into_response()
}

/// What was done, if the address says that something was.
pub(super) fn shown(visit: &Visit) -> Markup {
    let notice = query_value(visit.here(), "done").and_then(|key| Notice::read(&key));
    html! {
        @if let Some(notice) = notice {
            p.done role="status" data-testid="done" { (visit.say(notice.words())) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_leads_back_to_its_notice() {
        for notice in Notice::ALL {
            assert_eq!(Notice::read(notice.key()), Some(*notice));
        }
        assert_eq!(Notice::read("<b>"), None);
    }

    #[test]
    fn the_address_has_the_key_only() {
        let response = done("/console/me", Notice::AllSessionsEnded);
        assert_eq!(response.headers()["location"], "/console/me?done=sessions-ended");
    }
}
