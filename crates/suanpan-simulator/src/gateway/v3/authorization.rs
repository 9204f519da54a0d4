//! Who asks: the `Authorization` header, its clock, its certificate, its signature.
//!
//! The order and the words are those of requests to the live gateway without
//! credentials; the page is pay.weixin.qq.com/doc/v3/merchant/4012365336.

use serde_json::json;
use suanpan_wechat::mistakes::Message;
use suanpan_wechat::v3::{Authorization, request_message};

use super::super::{Heard, Operation};
use super::Refusal;
use crate::explain;
use crate::registry::Merchant;
use crate::requests::Mismatch;
use crate::world::World;

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";
/// How far the merchant's clock may be off, in seconds.
const WINDOW: u64 = 300;
/// How much of a body is shown in a refusal.
const SHOWN: usize = 8;

/// Boxed, since it is large and rare.
type Refused = Box<(Refusal, Option<Mismatch>)>;

/// The merchant whose signature matches.
pub(super) fn who_asks<'w>(
    world: &'w World,
    operation: Operation,
    heard: &Heard,
) -> Result<&'w Merchant, Refused> {
    let no = |message| Box::new((Refusal::sign_error(message), None));
    let payments = is_payment(operation);
    let there = |name| heard.header(name).is_some_and(|value| !value.is_empty());
    // Payments do not look at these two.
    let introduced = there("user-agent") && there("accept");
    if !payments && !introduced {
        let refusal = Refusal::new(400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent");
        return Err(Box::new((refusal, None)));
    }

    let authorization = parse(world, heard).ok_or_else(|| {
        let value = heard.header("authorization").unwrap_or_default();
        let scheme = value.split(' ').next().unwrap_or_default();
        if payments {
            no("签名信息错误，验签失败")
        } else if scheme != SCHEME && !scheme.is_empty() {
            no("HTTP头Authorization认证类型不正确")
        } else {
            no("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
        }
    })?;
    if world.clock.signing_now().abs_diff(authorization.timestamp) > WINDOW {
        return Err(no("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"));
    }
    let merchant = world.registry.merchant(&authorization.mchid);
    let merchant = merchant.ok_or_else(|| no("商户未申请过证书。"))?;
    if merchant.serial != authorization.serial_no {
        return Err(no("商户证书序列号有误。请使用签名私钥匹配的证书序列号"));
    }

    let url = heard.path_and_query();
    authorization
        .verify(&heard.method, &url, &heard.body, &merchant.public_key)
        .map_err(|_| mismatch(world, heard, &authorization, merchant))?;
    if world.switches().v3_repeated_nonce_is_refused && !is_fresh(world, &authorization) {
        return Err(no("签名信息错误，nonce_str重复使用"));
    }
    Ok(merchant)
}

/// Whether it is a call of `/v3/pay/`, which is answered by other machines than the rest.
pub(super) const fn is_payment(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::V3Jsapi
            | Operation::V3QueryByNumber
            | Operation::V3QueryById
            | Operation::V3Close
    )
}

fn parse(world: &World, heard: &Heard) -> Option<Authorization> {
    let value = heard.header("authorization")?;
    if world.switches().v3_blanks_in_authorization {
        return Authorization::parse(&value.replace(", ", ",")).ok();
    }
    Authorization::parse(value).ok()
}

/// `签名错误`, with what WeChat signed over: its body is cut after a few bytes.
fn mismatch(
    world: &World,
    heard: &Heard,
    authorization: &Authorization,
    merchant: &Merchant,
) -> Refused {
    let url = heard.path_and_query();
    let Authorization { timestamp, nonce_str, .. } = authorization;
    let whole = request_message(&heard.method, &url, *timestamp, nonce_str, &heard.body);
    let start = heard.body.get(..SHOWN).unwrap_or(&heard.body);
    let cut = request_message(&heard.method, &url, *timestamp, nonce_str, start);
    let detail = json!({
        "detail": { "issue": "sign not match" },
        "field": "signature",
        "location": "authorization",
        "sign_information": {
            "method": heard.method,
            "sign_message_length": whole.len(),
            "truncated_sign_message": String::from_utf8_lossy(&cut),
            "url": url,
        },
    });
    let message = Message::Request {
        method: heard.method.clone(),
        url,
        host: heard.header("host").map(str::to_owned),
        timestamp: timestamp.to_string(),
        nonce: nonce_str.clone(),
        body: heard.body.to_vec(),
    };
    let found = explain::mismatch(&world.registry, merchant, &message, &authorization.signature);
    Box::new((Refusal::sign_error("签名错误").with_detail(detail), Some(found)))
}

/// Whether the nonce was not used within the window.
fn is_fresh(world: &World, authorization: &Authorization) -> bool {
    let now = world.clock.signing_now();
    let mut nonces = world.nonces.lock();
    nonces.retain(|_, used_at| now.abs_diff(*used_at) <= WINDOW.saturating_mul(2));
    let nonce = (authorization.mchid.clone(), authorization.nonce_str.clone());
    nonces.insert(nonce, now).is_none()
}
