//! `POST /wxa/sec/order/is_trade_managed`, `is_trade_management_confirmation_completed`:
//! whether WeChat holds this app's money until it hears of shipments.
//!
//! Managed: shipping information must be uploaded. Completed: every merchant number
//! that is bound to the app has agreed or was unbound.
//! Source: developers.weixin.qq.com, "小程序发货信息管理服务".

use serde::{Deserialize, Serialize};

use super::{Question, read};
use crate::{AppId, Error};

/// Asks whether the app is managed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct IsTradeManaged {
    appid: AppId,
}

impl IsTradeManaged {
    /// About this app.
    pub fn of(appid: &AppId) -> Self {
        Self { appid: appid.clone() }
    }
}

/// Whether it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub struct Managed {
    /// Shipping information must be uploaded.
    pub is_trade_managed: bool,
}

/// Asks whether all merchant numbers of the app have agreed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct IsTradeConfirmed {
    appid: AppId,
}

impl IsTradeConfirmed {
    /// About this app.
    pub fn of(appid: &AppId) -> Self {
        Self { appid: appid.clone() }
    }
}

/// Whether they have.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub struct Confirmation {
    /// All have.
    pub completed: bool,
}

impl Question for IsTradeManaged {
    type Answer = Managed;
    const OPERATION: &'static str = "POST /wxa/sec/order/is_trade_managed";

    fn read(body: &[u8]) -> Result<Managed, Error> {
        read(Self::OPERATION, body)
    }
}

impl Question for IsTradeConfirmed {
    type Answer = Confirmation;
    const OPERATION: &'static str =
        "POST /wxa/sec/order/is_trade_management_confirmation_completed";

    fn read(body: &[u8]) -> Result<Confirmation, Error> {
        read(Self::OPERATION, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::tests::{heard, sent};

    #[test]
    fn both_questions_name_the_app_and_take_yes_or_no() {
        let app = AppId::parse("wx2421b1c4370ec43b").unwrap();
        let (managed, confirmed) = (IsTradeManaged::of(&app), IsTradeConfirmed::of(&app));
        for (uri, body) in [sent(&managed), sent(&confirmed)] {
            assert!(uri.starts_with("/wxa/sec/order/is_trade_manage"), "{uri}");
            assert_eq!(body, r#"{"appid":"wx2421b1c4370ec43b"}"#);
        }
        for yes in [true, false] {
            let body = format!(r#"{{"errcode":0,"errmsg":"ok","is_trade_managed":{yes}}}"#);
            assert_eq!(heard(&managed, &body).unwrap().is_trade_managed, yes);
            let body = format!(r#"{{"errcode":0,"errmsg":"ok","completed":{yes}}}"#);
            assert_eq!(heard(&confirmed, &body).unwrap().completed, yes);
        }
        // Silence is no answer: it must not read as "no".
        assert!(heard(&managed, r#"{"errcode":0}"#).is_err());
        assert!(heard(&confirmed, "{}").is_err());
    }
}
