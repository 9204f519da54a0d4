//! Asks WeChat Pay in the API that the account or the attempt speaks.
//!
//! Above this file nobody knows whether XML or JSON goes out. An attempt keeps
//! the very request that it was placed with, so it is always repeated by the
//! same API with the same parameters.

pub(crate) mod bills;

use suanpan_client::{Outcome, Rejection};
use suanpan_wechat as wechat;
use suanpan_wechat::time::{beijing_compact, beijing_rfc3339};
use suanpan_wechat::v2::{self, Fields, UnifiedOrder};
use suanpan_wechat::v3::{self, JsapiOrder, PartnerJsapiOrder};
use suanpan_wechat::{MchId, Moment, OpenId, OutTradeNo, Payment, PrepayId, RequestPayment};
use suanpan_wechat::{second_sign_v2, second_sign_v3};

use crate::Error;
use crate::account::Account;
use crate::config::ApiVersion;
use crate::keys;
use crate::order::{Attempt, Order, PartnerIds};
use crate::refund::Refund;
use crate::repair::refund::RescueError;
use crate::world::World;

/// An order as WeChat is asked to take it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Placement {
    V2(Box<UnifiedOrder>),
    V3(Box<JsapiOrder>),
    V3Partner(Box<PartnerJsapiOrder>),
}

/// Who owes what to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parties<'a> {
    pub(crate) order: &'a Order,
    pub(crate) payer: &'a OpenId,
    /// Partner mode: the sub-merchant.
    pub(crate) partner: Option<&'a PartnerIds>,
}

impl Placement {
    /// The order for this payer, by the API of the account.
    pub(crate) fn new(
        account: &Account,
        parties: Parties<'_>,
        out_trade_no: &OutTradeNo,
        notify_url: String,
    ) -> Self {
        let Parties { order, payer: openid, partner } = parties;
        let (app, openid, number) = (order.app.clone(), openid.clone(), out_trade_no.clone());
        let (total, description) = (order.amount, order.description.clone());
        let expires = order.expires_at.map(|at| at.div_euclid(1_000_000));
        match account.api {
            ApiVersion::V2 => {
                let mut placed =
                    UnifiedOrder::jsapi(app, openid, number, total, description, notify_url);
                placed.time_expire = expires.map(beijing_compact);
                if let Some(PartnerIds { sp_appid, sub_mchid }) = partner {
                    placed.sub_mch_id = Some(sub_mchid.clone());
                    if placed.appid != *sp_appid {
                        // The app is the sub-merchant's own, and so is the name of the payer.
                        placed.sub_appid = Some(placed.appid);
                        placed.sub_openid = placed.openid.take();
                        placed.appid = sp_appid.clone();
                    }
                }
                Self::V2(Box::new(placed))
            }
            ApiVersion::V3 => {
                let mchid = account.mchid.clone();
                if let Some(PartnerIds { sp_appid, sub_mchid }) = partner {
                    let sub_app = Some(app).filter(|app| app != sp_appid);
                    let mut placed = PartnerJsapiOrder::new(
                        (mchid, sp_appid.clone()),
                        (sub_mchid.clone(), sub_app),
                        openid,
                        number,
                        total,
                        description,
                        notify_url,
                    );
                    placed.time_expire = expires.map(beijing_rfc3339);
                    return Self::V3Partner(Box::new(placed));
                }
                let mut placed =
                    JsapiOrder::new(app, mchid, openid, number, total, description, notify_url);
                placed.time_expire = expires.map(beijing_rfc3339);
                Self::V3(Box::new(placed))
            }
        }
    }

    /// The text that an attempt keeps.
    pub(crate) fn to_text(&self) -> Result<String, Error> {
        match self {
            Self::V2(order) => Ok(order.fields().to_xml()),
            Self::V3(order) => serde_json::to_string(order).map_err(|_| Error::Broken),
            Self::V3Partner(order) => serde_json::to_string(order).map_err(|_| Error::Broken),
        }
    }

    /// Reads the text of an attempt back.
    fn of(attempt: &Attempt) -> Result<Self, Error> {
        let text = attempt.request.as_str();
        let broken = |source| suanpan_wechat::Error::Json { what: "stored order", source };
        let read = if text.starts_with('<') {
            Fields::parse(text.as_bytes())
                .and_then(UnifiedOrder::from_fields)
                .map(|order| Self::V2(Box::new(order)))
        } else if attempt.partner.is_some() {
            serde_json::from_str(text).map(|order| Self::V3Partner(Box::new(order))).map_err(broken)
        } else {
            serde_json::from_str(text).map(|order| Self::V3(Box::new(order))).map_err(broken)
        };
        read.map_err(|cause| Error::Unwritable {
            operation: "the stored order",
            cause: std::sync::Arc::new(cause.into()),
        })
    }

    /// The same order under another number.
    pub(crate) fn numbered(mut self, number: OutTradeNo) -> Self {
        match &mut self {
            Self::V2(order) => order.out_trade_no = number,
            Self::V3(order) => order.out_trade_no = number,
            Self::V3Partner(order) => order.out_trade_no = number,
        }
        self
    }
}

/// Which API an attempt was placed by.
pub(crate) fn api_of(attempt: &Attempt) -> ApiVersion {
    if attempt.request.starts_with('<') { ApiVersion::V2 } else { ApiVersion::V3 }
}

/// Places an attempt, or places it again unchanged.
pub(crate) async fn place(
    world: &World,
    account: &Account,
    attempt: &Attempt,
) -> Result<Outcome<PrepayId>, Error> {
    Ok(match Placement::of(attempt)? {
        Placement::V2(order) => {
            let call = v2::PlaceOrder { account: v2_keys(account)?, order: &order };
            world.ask(&world.client, &call).await.map(|answer| answer.prepay_id)
        }
        Placement::V3(order) => {
            let call = v3::Prepay { account: v3_keys(account)?, order: &order };
            keys::ask(world, account, &call).await
        }
        Placement::V3Partner(order) => {
            let call = v3::PartnerPrepay { account: v3_keys(account)?, order: &order };
            keys::ask(world, account, &call).await
        }
    })
}

/// Asks how an attempt stands.
pub(crate) async fn query(
    world: &World,
    account: &Account,
    attempt: &Attempt,
) -> Result<Outcome<Payment>, Error> {
    let out_trade_no = &attempt.out_trade_no;
    Ok(match api_of(attempt) {
        ApiVersion::V2 => {
            let (account, app_id) = (v2_keys(account)?, attempt.own_app());
            let call = v2::QueryOrder { account, app_id, sub: sub_of(attempt), out_trade_no };
            world.ask(&world.client, &call).await.map(|answer| answer.payment)
        }
        ApiVersion::V3 => {
            let keys = v3_keys(account)?;
            let told = match attempt.sub_mchid() {
                None => {
                    let call = v3::QueryByOutTradeNo { account: keys, out_trade_no };
                    keys::ask(world, account, &call).await
                }
                Some(sub_mchid) => {
                    let call =
                        v3::PartnerQueryByOutTradeNo { account: keys, sub_mchid, out_trade_no };
                    keys::ask(world, account, &call).await
                }
            };
            // Merchant, app and number are promised; without them nobody can tell what this is.
            told.try_map(|answer| answer.payment())
        }
    })
}

/// Closes an attempt at WeChat.
pub(crate) async fn close(
    world: &World,
    account: &Account,
    attempt: &Attempt,
) -> Result<Outcome<()>, Error> {
    let out_trade_no = &attempt.out_trade_no;
    Ok(match api_of(attempt) {
        ApiVersion::V2 => {
            let (account, app_id) = (v2_keys(account)?, attempt.own_app());
            let call = v2::CloseOrder { account, app_id, sub: sub_of(attempt), out_trade_no };
            world.ask(&world.client, &call).await
        }
        ApiVersion::V3 => {
            let keys = v3_keys(account)?;
            match attempt.sub_mchid() {
                None => keys::ask(world, account, &v3::Close { account: keys, out_trade_no }).await,
                Some(sub_mchid) => {
                    let call = v3::PartnerClose { account: keys, sub_mchid, out_trade_no };
                    keys::ask(world, account, &call).await
                }
            }
        }
    })
}

/// A refund as WeChat is asked for it, by the API that the order was placed by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum RefundRequest {
    V2(Box<v2::RefundOrder>),
    V3(Box<v3::RefundOrder>),
}

impl RefundRequest {
    /// The refund of what an attempt was paid with.
    pub(crate) fn new(attempt: &Attempt, refund: &Refund, notify_url: &str) -> Self {
        let sub_mchid = attempt.sub_mchid().cloned();
        let number = refund.out_refund_no.clone();
        let transaction_id = Some(refund.transaction_id.clone());
        let (reason, notify_url) = (refund.reason.clone(), Some(notify_url.to_owned()));
        match api_of(attempt) {
            ApiVersion::V2 => Self::V2(Box::new(v2::RefundOrder {
                appid: attempt.own_app().clone(),
                sub_appid: attempt.sub_app().cloned(),
                sub_mch_id: sub_mchid,
                transaction_id,
                out_trade_no: None,
                out_refund_no: number,
                total_fee: refund.total,
                refund_fee: refund.amount,
                refund_fee_type: None,
                refund_desc: reason,
                refund_account: None,
                notify_url,
            })),
            ApiVersion::V3 => Self::V3(Box::new(v3::RefundOrder {
                sub_mchid,
                transaction_id,
                out_trade_no: None,
                out_refund_no: number,
                reason,
                notify_url,
                funds_account: None,
                amount: v3::RefundOrderAmount {
                    refund: refund.amount,
                    from: Vec::new(),
                    total: refund.total,
                    currency: refund.currency.clone(),
                },
                goods_detail: Vec::new(),
            })),
        }
    }

    /// The text that a refund keeps. Nothing in it can fail to be written as JSON.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::V2(order) => order.fields().to_xml(),
            Self::V3(order) => serde_json::to_string(order).unwrap_or_default(),
        }
    }

    /// Partner mode: the sub-merchant whose money it is.
    pub(crate) const fn sub_mchid(&self) -> Option<&MchId> {
        match self {
            Self::V2(order) => order.sub_mch_id.as_ref(),
            Self::V3(order) => order.sub_mchid.as_ref(),
        }
    }

    /// Reads the text back.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let read = if text.starts_with('<') {
            Fields::parse(text.as_bytes())
                .and_then(|fields| v2::RefundOrder::from_fields(&fields))
                .map(|order| Self::V2(Box::new(order)))
        } else {
            serde_json::from_str(text)
                .map(|order| Self::V3(Box::new(order)))
                .map_err(|source| suanpan_wechat::Error::Json { what: "stored refund", source })
        };
        read.map_err(|cause| Error::Unwritable {
            operation: "the stored refund",
            cause: std::sync::Arc::new(cause.into()),
        })
    }
}

/// Asks for a refund, or asks for it again unchanged.
pub(crate) async fn refund(
    world: &World,
    account: &Account,
    refund: &Refund,
) -> Result<Outcome<wechat::Refund>, Error> {
    Ok(match RefundRequest::parse(&refund.request)? {
        RefundRequest::V2(order) => {
            let client = world.certified(&account.mchid)?;
            let call = v2::PlaceRefund { account: v2_keys(account)?, order: &order };
            world.ask(&client, &call).await.map(|answer| answer.refund)
        }
        RefundRequest::V3(order) => {
            let call = v3::CreateRefund { account: v3_keys(account)?, order: &order };
            // Safe to be asked again at once: the number is the same.
            keys::ask(world, account, &call).await.try_map(|answer| answer.refund())
        }
    })
}

/// Asks how a refund stands.
pub(crate) async fn query_refund(
    world: &World,
    account: &Account,
    refund: &Refund,
) -> Result<Outcome<wechat::Refund>, Error> {
    let out_refund_no = &refund.out_refund_no;
    Ok(match RefundRequest::parse(&refund.request)? {
        RefundRequest::V2(order) => {
            let (account, app_id) = (v2_keys(account)?, &order.appid);
            let sub_app = order.sub_appid.as_ref();
            let sub = order.sub_mch_id.as_ref();
            let sub = sub.map(|mch_id| v2::SubMerchant { mch_id, app_id: sub_app });
            let call = v2::QueryRefund { account, app_id, sub, out_refund_no };
            world.ask(&world.client, &call).await.map(|answer| answer.refund)
        }
        RefundRequest::V3(order) => {
            let (keys, sub_mchid) = (v3_keys(account)?, order.sub_mchid.as_ref());
            let call = v3::QueryRefund { account: keys, out_refund_no, sub_mchid };
            keys::ask(world, account, &call).await.try_map(|answer| answer.refund())
        }
    })
}

/// Where the money of an abnormal refund goes instead. It has no `Debug`: whose card it is is nobody's business.
pub(crate) enum Destination {
    /// The merchant's own card.
    Merchant,
    /// The payer's.
    User { bank_type: String, bank_account: String, real_name: String },
}

/// Sends the money of an abnormal refund elsewhere. Once: asked again, WeChat would call it no longer abnormal.
pub(crate) async fn rescue(
    world: &World,
    account: &Account,
    refund: &Refund,
    to: &Destination,
) -> Result<Outcome<wechat::Refund>, Error> {
    let request = RefundRequest::parse(&refund.request)?;
    let RefundRequest::V3(order) = request else { return Err(RescueError::ByHand.into()) };
    let Some(refund_id) = &refund.refund_id else {
        return Err(RescueError::NotAbnormal(refund.state).into());
    };
    let keys = v3_keys(account)?;
    let mut body = v3::AbnormalRefund {
        sub_mchid: order.sub_mchid.clone(),
        out_refund_no: refund.out_refund_no.clone(),
        kind: "MERCHANT_BANK_CARD".to_owned(),
        bank_type: None,
        bank_account: None,
        real_name: None,
    };
    if let Destination::User { bank_type, bank_account, real_name } = to {
        // The key that the request names in `Wechatpay-Serial`.
        let key = keys.keys.preferred().ok_or_else(|| no_keys(account, "wechatpay_public_key"))?;
        let key = keys.keys.find(key).map_err(|_| no_keys(account, "wechatpay_public_key"))?;
        let sealed = |text: &str| key.encrypt_oaep(text.as_bytes()).map_err(|_| Error::Broken);
        body.kind = "USER_BANK_CARD".to_owned();
        body.bank_type = Some(bank_type.clone());
        body.bank_account = Some(sealed(bank_account)?);
        body.real_name = Some(sealed(real_name)?);
    }
    let call = v3::ApplyAbnormalRefund { account: keys, refund_id, order: &body };
    Ok(world.ask(&world.client, &call).await.try_map(|answer| answer.refund()))
}

/// Signs what `wx.requestPayment` takes, by the API that the attempt was placed by.
pub(crate) fn second_sign(
    account: &Account,
    attempt: &Attempt,
    prepay_id: &PrepayId,
    moment: Moment<'_>,
) -> Result<RequestPayment, Error> {
    Ok(match api_of(attempt) {
        ApiVersion::V2 => {
            let keys = v2_keys(account)?;
            second_sign_v2(&attempt.appid, prepay_id, moment, keys.sign_type, keys.key)
        }
        ApiVersion::V3 => {
            second_sign_v3(&attempt.appid, prepay_id, moment, &v3_keys(account)?.signer.key)
        }
    })
}

/// WeChat's own word, where it refused.
pub(crate) fn refusal_code(no: &Rejection) -> &str {
    no.refusal().map_or("", |refusal| refusal.code.as_str())
}

/// Partner mode in APIv2: for whom is asked.
fn sub_of(attempt: &Attempt) -> Option<v2::SubMerchant<'_>> {
    let mch_id = attempt.sub_mchid()?;
    Some(v2::SubMerchant { mch_id, app_id: attempt.sub_app() })
}

fn v2_keys(account: &Account) -> Result<v2::Account<'_>, Error> {
    account.v2().ok_or_else(|| no_keys(account, "api_v2_key"))
}

fn v3_keys(account: &Account) -> Result<v3::Account<'_>, Error> {
    account.v3().ok_or_else(|| no_keys(account, "merchant_private_key"))
}

fn no_keys(account: &Account, name: &str) -> Error {
    Error::Config {
        place: format!("merchants[{}].{name}", account.mchid),
        why: "an order of this account was placed with it, and it is gone".to_owned(),
    }
}
