//! The mini program platform beyond login: tokens, and order shipping information.
//!
//! | file        | what                                                   |
//! |-------------|--------------------------------------------------------|
//! | `token`     | `stable_token`, and what every other call must show     |
//! | `upload`    | the goods are on their way; checks in WeChat's order     |
//! | `shipments` | how it is looked up, confirmed and told                  |
//! | `companies` | the express companies that are known                     |

mod companies;
mod shipments;
mod token;
mod upload;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Answer, Heard};
use crate::login::refusal;
use crate::world::World;

pub(crate) use shipments::{Shipment, confirm_receipt, told_shipping};
pub(crate) use token::Tokens;

/// `errcode`, and the words before the trace.
pub(super) type No = (i32, String);

/// What can be asked of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    StableToken,
    Upload,
    UploadCombined,
    GetOrder,
    GetOrderList,
    NotifyConfirmReceive,
    IsTradeManaged,
    IsTradeConfirmed,
    GetDeliveryList,
}

impl Call {
    pub(crate) const ALL: [Self; 9] = [
        Self::StableToken,
        Self::Upload,
        Self::UploadCombined,
        Self::GetOrder,
        Self::GetOrderList,
        Self::NotifyConfirmReceive,
        Self::IsTradeManaged,
        Self::IsTradeConfirmed,
        Self::GetDeliveryList,
    ];

    /// Method and path.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::StableToken => "POST /cgi-bin/stable_token",
            Self::Upload => "POST /wxa/sec/order/upload_shipping_info",
            Self::UploadCombined => "POST /wxa/sec/order/upload_combined_shipping_info",
            Self::GetOrder => "POST /wxa/sec/order/get_order",
            Self::GetOrderList => "POST /wxa/sec/order/get_order_list",
            Self::NotifyConfirmReceive => "POST /wxa/sec/order/notify_confirm_receive",
            Self::IsTradeManaged => "POST /wxa/sec/order/is_trade_managed",
            Self::IsTradeConfirmed => {
                "POST /wxa/sec/order/is_trade_management_confirmation_completed"
            }
            Self::GetDeliveryList => "POST /cgi-bin/express/delivery/open_msg/get_delivery_list",
        }
    }

    /// The path alone.
    pub(crate) fn path(self) -> &'static str {
        self.name().strip_prefix("POST ").unwrap_or_default()
    }
}

/// Answers everything here.
pub(crate) fn answer<'w>(world: &World, call: Call, heard: &Heard) -> Answer<'w> {
    match done(world, call, heard) {
        Ok(mut told) => {
            // A token's answer has no errcode, all others have one.
            if call != Call::StableToken {
                told.insert("errcode".to_owned(), json!(0));
                told.insert("errmsg".to_owned(), json!("ok"));
            }
            Answer::platform(Value::Object(told))
        }
        Err((errcode, words)) => refusal(world, errcode, &words),
    }
}

/// Does not take a token, whichever it is.
pub(crate) fn stale_token<'w>(world: &World) -> Answer<'w> {
    let (errcode, words) = token::not_latest();
    refusal(world, errcode, &words)
}

fn done(world: &World, call: Call, heard: &Heard) -> Result<Map<String, Value>, No> {
    if heard.method != "POST" {
        return Err(no(43002, "require POST method"));
    }
    if call == Call::StableToken {
        return token::stable_token(world, heard);
    }
    let appid = token::app_of(world, heard)?;
    match call {
        Call::Upload => upload::one(world, &appid, heard),
        Call::UploadCombined => upload::combined(world, &appid, heard),
        Call::GetOrder => shipments::get(world, &appid, heard),
        Call::GetOrderList => shipments::list(world, &appid, heard),
        Call::NotifyConfirmReceive => shipments::remind(world, &appid, heard),
        Call::IsTradeManaged => shipments::is_managed(world, &appid, heard),
        Call::IsTradeConfirmed => shipments::is_confirmed(world, &appid, heard),
        Call::StableToken | Call::GetDeliveryList => Ok(companies::list()),
    }
}

/// A refusal.
fn no(errcode: i32, words: impl Into<String>) -> No {
    (errcode, words.into())
}

/// Reads a body: 44002 where there is none, 47001 where it is not what is documented.
fn read<T: DeserializeOwned>(heard: &Heard) -> Result<T, No> {
    if heard.body.is_empty() {
        return Err(no(44002, "empty post data"));
    }
    serde_json::from_slice(&heard.body)
        .map_err(|cause| no(47001, format!("data format error hint: [{cause}]")))
}
