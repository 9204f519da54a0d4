//! What WeChat's own codes mean for a login, a token and a notification; and an error with its causes in one line.

use suanpan_wechat as wechat;

use super::Kind;

pub(super) fn login_code(refusal: &wechat::Refusal) -> &'static str {
    match refusal.code.as_str() {
        "40029" => "SP-LOGIN-CODE-INVALID",
        "40163" => "SP-LOGIN-CODE-USED",
        "40013" | "40125" | "40164" => "SP-LOGIN-APP",
        "40226" => "SP-LOGIN-RISK",
        _ if refusal.is_too_often() => "SP-LOGIN-TOO-OFTEN",
        _ => "SP-LOGIN-REFUSED",
    }
}

pub(super) fn login_remedy(refusal: &wechat::Refusal) -> &'static str {
    match refusal.code.as_str() {
        "40029" => {
            "call wx.login again and send its code at once, from the mini program that the order belongs to: a code lives five minutes and is of one app"
        }
        "40163" => "call wx.login again before each payment: a code works once",
        "40013" | "40125" => "check appid and AppSecret of this app in the configuration",
        "40164" => "add this server's address to the app's IP allow-list",
        "40226" => "WeChat blocks this user for risk; they cannot log in",
        _ if refusal.is_too_often() => "wait a minute: WeChat limits logins of one user",
        _ => "look up WeChat's code, given in `wechat`",
    }
}

pub(super) fn token_remedy(refusal: &wechat::Refusal) -> &'static str {
    match refusal.code.as_str() {
        "40001" | "40013" | "40125" => "check appid and AppSecret of this app in the configuration",
        "40164" | "89503" | "89506" | "89507" => {
            "add this server's address to the app's IP allow-list, or have an administrator confirm it"
        }
        "40243" | "50004" | "50007" => {
            "the app or its AppSecret is frozen or has no right to tokens: see the mini program's console"
        }
        _ if refusal.is_too_often() => {
            "nothing to do: it is asked again when WeChat's limit allows"
        }
        _ => "look up WeChat's code, given in `wechat`",
    }
}

pub(super) fn notification_kind(cause: &wechat::Error) -> Kind {
    use wechat::Error::{Field, Json, Xml};
    let unreadable = matches!(cause, Xml { .. } | Json { .. } | Field { .. });
    if unreadable { Kind::Malformed } else { Kind::Unauthorized }
}

/// The error and its causes in one line, for a log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let more = source.to_string();
        // A transparent cause says the same again.
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = source.source();
    }
    text
}
