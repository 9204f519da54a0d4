//! Whether WeChat Pay takes our signatures and we its: asked about a number that no order has.

use suanpan_client::{Client, Error, Outcome};
use suanpan_wechat::v2::{self, SubMerchant};
use suanpan_wechat::v3::{
    self, DownloadCertificates, KeyRing, PartnerQueryByOutTradeNo, PrivateKey, QueryByOutTradeNo,
    Signer,
};
use suanpan_wechat::{ApiV3Key, Error as WechatError, OutTradeNo, Refusal};

use super::accounts::{Examined, ExaminedApp};
use super::checks::{
    APP_PARTNER, CERT_EXPIRY, CERT_MERCHANT, Check, KEY_P12, KEY_PAIR, KEY_PRIVATE, KEY_V2, KEY_V3,
    MERCHANT_API, MERCHANT_APPS, MERCHANT_MCHID, NET_CLOCK, NET_REACH, PLATFORM_CERTIFICATES,
    PLATFORM_PUBLIC_KEY, WECHAT_BINDING, WECHAT_V2_SIGN, WECHAT_V3_ANSWER, WECHAT_V3_KEY,
    WECHAT_V3_SIGN,
};
use super::finding::Chart;
use super::net::Reached;
use super::said::say;
use super::wechat::{of_refusal, refused, unknown};
use crate::config::ApiVersion;
use crate::outside::Dice;

/// Asks in the name of each account.
pub(super) async fn accounts(
    client: &Client,
    dice: &dyn Dice,
    accounts: Vec<Examined<'_>>,
    reached: Reached,
    chart: &mut Chart,
) {
    // Nobody can have placed it: it is made now.
    let number = format!("doctor_{}", dice.nonce().as_str().get(..24).unwrap_or_default());
    let Ok(number) = OutTradeNo::parse(&number) else { return };
    for mut account in accounts {
        let asks_v3 = account.config.api == ApiVersion::V3 || account.keys.v3.is_some();
        if asks_v3 {
            v3(client, &mut account, &number, reached, chart).await;
        }
        let asks_v2 = account.config.api == ApiVersion::V2 || account.keys.v2.is_some();
        if asks_v2 {
            v2(client, &account, &number, reached, chart).await;
        }
    }
}

async fn v3(
    client: &Client,
    account: &mut Examined<'_>,
    number: &OutTradeNo,
    reached: Reached,
    chart: &mut Chart,
) {
    let subject = account.config.mchid.as_str();
    let all = [&WECHAT_V3_KEY, &WECHAT_V3_SIGN, &WECHAT_V3_ANSWER];
    let signer = match signer(account, reached, chart) {
        Ok(signer) => signer,
        Err(by) => return all.into_iter().for_each(|check| chart.blocked(check, subject, &by)),
    };
    let ring = std::mem::take(&mut account.ring);
    let ring = key(client, account, &signer, ring, chart).await;
    let api_v3_key = account.keys.v3.clone().or_else(no_key);
    let Some(api_v3_key) = api_v3_key else { return };
    let asks = v3::Account { signer: &signer, keys: &ring, api_v3_key: &api_v3_key };

    let partners: Vec<_> =
        account.apps.iter().filter_map(|app| Some((app, app.partner.as_ref()?))).collect();
    let Some((first, rest)) = partners.split_first() else {
        let outcome = client.call(&QueryByOutTradeNo { account: asks, out_trade_no: number }).await;
        for app in &account.apps {
            // The question names no app.
            let why = say!(
                "v3 查单不带 AppID：第一笔预下单成功才算证明",
                "a query of v3 names no app: the first order that is placed proves it"
            );
            chart.skip(&WECHAT_BINDING, app.given, why);
        }
        return answered(account, outcome.error(), chart);
    };
    for (position, (app, partner)) in std::iter::once(first).chain(rest).enumerate() {
        let sub_mchid = &partner.sub_mchid;
        let call = PartnerQueryByOutTradeNo { account: asks, sub_mchid, out_trade_no: number };
        let outcome = client.call(&call).await;
        if position == 0 {
            answered(account, outcome.error(), chart);
        }
        bound(app, outcome.error(), chart);
    }
}

/// Whoever can sign, or what has to be put right first.
fn signer(
    account: &mut Examined<'_>,
    reached: Reached,
    chart: &Chart,
) -> Result<Signer, Vec<&'static Check>> {
    let subject = account.config.mchid.as_str();
    let local = [
        &MERCHANT_MCHID,
        &MERCHANT_API,
        &CERT_MERCHANT,
        &KEY_PRIVATE,
        &KEY_P12,
        &KEY_PAIR,
        &CERT_EXPIRY,
    ];
    let mut by: Vec<_> = local.into_iter().filter(|check| chart.is_bad(check, subject)).collect();
    if !reached.merchant {
        by.push(&NET_REACH);
    }
    if !reached.is_in_time {
        by.push(&NET_CLOCK);
    }
    let parts = (&account.mchid, &account.proof.certificate, account.proof.key.take());
    match parts {
        (Some(mchid), Some(certificate), Some(key)) if by.is_empty() => {
            let (mchid, serial) = (mchid.clone(), certificate.serial.clone());
            Ok(Signer { mchid, serial, key })
        }
        (_, _, None::<PrivateKey>) if by.is_empty() => Err(vec![&KEY_PRIVATE]),
        _ if by.is_empty() => Err(vec![&MERCHANT_MCHID]),
        _ => Err(by),
    }
}

/// Stands in where the key cannot be used: what is asked here is not sealed.
fn no_key() -> Option<ApiV3Key> {
    ApiV3Key::parse(&"0".repeat(32)).ok()
}

/// Opens WeChat's platform certificates, which are sealed under the APIv3 key; answers the ring with them in it.
async fn key(
    client: &Client,
    account: &Examined<'_>,
    signer: &Signer,
    ring: KeyRing,
    chart: &mut Chart,
) -> KeyRing {
    let subject = account.config.mchid.as_str();
    let Some(api_v3_key) = &account.keys.v3 else {
        chart.blocked(&WECHAT_V3_KEY, subject, &[&KEY_V3]);
        return ring;
    };
    let asks = v3::Account { signer, keys: &ring, api_v3_key };
    match client.call(&DownloadCertificates { account: asks }).await {
        Outcome::Done(done) if !done.answer.is_empty() => {
            let count = done.answer.len();
            chart.ok(
                &WECHAT_V3_KEY,
                subject,
                say!("解开了 {count} 张平台证书", "it opens {count} platform certificates"),
            );
            return done.answer.into_iter().fold(ring, KeyRing::with_certificate);
        }
        Outcome::Rejected(no) if no.refusal().is_none_or(|no| no.code != NO_CERTIFICATES) => {
            // A signature that is not taken is the next check's.
            let why = say!("微信没有给平台证书", "WeChat gave no platform certificates");
            chart.skip(&WECHAT_V3_KEY, subject, why);
        }
        Outcome::Done(_) | Outcome::Rejected(_) => {
            let why = say!(
                "公钥模式没有平台证书可解：第一笔付款通知解得开，才算证明",
                "in public key mode there is no certificate to open: the first notification proves it"
            );
            chart.skip(&WECHAT_V3_KEY, subject, why);
        }
        Outcome::Unknown(doubt)
            if matches!(doubt.error, Error::WeChat(WechatError::Decrypt { .. })) =>
        {
            let found = say!(
                "解不开微信的平台证书：不是这个商户号的 APIv3 密钥",
                "it does not open WeChat's platform certificates: it is not the APIv3 key of this merchant"
            );
            let fix = say!(
                "商户平台 → API 安全，重新设置 APIv3 密钥，两边一起换",
                "set the APIv3 key anew on the merchant platform (API 安全), and here"
            );
            chart.problem_of(&WECHAT_V3_KEY, subject, (found, fix), "SP-DECRYPT");
        }
        // What the answer's signature has to do with is the check of the answer.
        Outcome::Unknown(doubt) if is_about_keys(&doubt.error) => {
            chart.skip(
                &WECHAT_V3_KEY,
                subject,
                say!("应答验不过，没有看", "the answer does not verify, so it was not opened"),
            );
        }
        Outcome::Unknown(doubt) => unknown(&WECHAT_V3_KEY, subject, &doubt.error, chart),
    }
    ring
}

const fn is_about_keys(error: &Error) -> bool {
    matches!(
        error,
        Error::WeChat(
            WechatError::UnknownSerial { .. }
                | WechatError::Signature { .. }
                | WechatError::Stale { .. }
        )
    )
}

/// What the answer to the question proves: that WeChat takes our signature, and that we verify WeChat's.
fn answered(account: &Examined<'_>, error: Option<&Error>, chart: &mut Chart) {
    let subject = account.config.mchid.as_str();
    let taken = || say!("微信认我们的签名", "WeChat takes our signature");
    let keys: Vec<_> = [&PLATFORM_PUBLIC_KEY, &PLATFORM_CERTIFICATES]
        .into_iter()
        .filter(|check| chart.is_bad(check, subject))
        .collect();
    match error {
        Some(Error::WeChat(WechatError::Refused(no))) if is_signature(no) => {
            chart.problem_of(&WECHAT_V3_SIGN, subject, signature(account, no), &no.code);
            chart.blocked(&WECHAT_V3_ANSWER, subject, &[&WECHAT_V3_SIGN]);
        }
        Some(Error::WeChat(WechatError::Refused(no))) if no.verified => {
            chart.ok(&WECHAT_V3_SIGN, subject, taken());
            chart.ok(&WECHAT_V3_ANSWER, subject, say!("应答验过了", "its answer verifies"));
        }
        Some(Error::WeChat(WechatError::Refused(no))) if no.code == "ORDER_NOT_EXIST" => {
            chart.ok(&WECHAT_V3_SIGN, subject, taken());
            chart.skip(
                &WECHAT_V3_ANSWER,
                subject,
                say!("应答没有签名", "its answer is not signed"),
            );
        }
        // What is signed was written after our own signature had been taken.
        Some(error) if is_about_keys(error) => {
            chart.ok(&WECHAT_V3_SIGN, subject, taken());
            if keys.is_empty() {
                let said = unverified(error);
                chart.problem_of(&WECHAT_V3_ANSWER, subject, said, error.code());
            } else {
                chart.blocked(&WECHAT_V3_ANSWER, subject, &keys);
            }
        }
        Some(error) => {
            if error.refusal().is_some_and(|no| !no.is_doubt() && !no.code.starts_with("HTTP_")) {
                refused(&WECHAT_V3_SIGN, subject, error, chart);
            } else {
                unknown(&WECHAT_V3_SIGN, subject, error, chart);
            }
            chart.blocked(&WECHAT_V3_ANSWER, subject, &[&WECHAT_V3_SIGN]);
        }
        // An order of this number: nobody placed it, and yet it verifies.
        None => {
            chart.ok(&WECHAT_V3_SIGN, subject, taken());
            chart.ok(&WECHAT_V3_ANSWER, subject, say!("应答验过了", "its answer verifies"));
        }
    }
}

fn is_signature(no: &Refusal) -> bool {
    matches!(no.code.as_str(), "SIGN_ERROR" | "SIGNERROR")
        || (no.code == "FAIL" && no.message.contains("签名"))
}

/// WeChat's words say which of serial number, merchant and key it is.
fn signature(account: &Examined<'_>, no: &Refusal) -> (super::Say, super::Say) {
    let message = no.message.as_str();
    let mchid = account.config.mchid.as_str();
    let found = say!("微信不认签名：{message}", "WeChat does not take the signature: {message}");
    let fix = if message.contains("序列号") {
        say!(
            "这张证书已经不是商户号 {mchid} 在用的：到商户平台 → API 安全下载现在的证书，证书和私钥一起换",
            "this certificate is not in use for merchant {mchid} any more: get the present one on the merchant platform (API 安全), with its key"
        )
    } else if message.contains("未申请过证书") {
        say!(
            "商户号 {mchid} 没有申请过 API 证书，或者商户号写错了",
            "merchant {mchid} has no API certificate, or the number is wrong"
        )
    } else {
        say!(
            "证书和私钥是一对，但不是商户号 {mchid} 的；确认商户号，到商户平台 → API 安全重新下载一套",
            "certificate and key are a pair, but not that of merchant {mchid}: see that the number is right, and get both anew (API 安全)"
        )
    };
    (found, fix)
}

fn unverified(error: &Error) -> (super::Say, super::Say) {
    if let Error::WeChat(WechatError::UnknownSerial { serial, known }) = error {
        let found = say!(
            "微信用 {serial} 签名，这里只有 {known}",
            "WeChat signs with {serial}, and here is {known}"
        );
        let fix = if serial.starts_with("PUB_KEY_ID_") {
            say!(
                "这个商户号用微信支付公钥：到商户平台 → API 安全下载 pub_key.pem，配 wechatpay_public_key，wechatpay_public_key_id = \"{serial}\"",
                "this merchant verifies by the WeChat Pay public key: download pub_key.pem (merchant platform, API 安全), set wechatpay_public_key, and wechatpay_public_key_id = \"{serial}\""
            )
        } else {
            say!(
                "这是平台证书的序列号：删掉过期的 platform_certificates 让它自动下载，并检查 APIv3 密钥",
                "this is a platform certificate: take outdated platform_certificates out, so that they are fetched, and see the APIv3 key"
            )
        };
        return (found, fix);
    }
    if let Error::WeChat(WechatError::Stale { seconds }) = error {
        let found = say!(
            "微信的应答和本机时钟差 {seconds} 秒",
            "WeChat's answer is {seconds} s off our clock"
        );
        return (
            found,
            say!(
                "打开时间同步：timedatectl set-ntp true",
                "synchronise the clock: timedatectl set-ntp true"
            ),
        );
    }
    let found = say!(
        "应答的签名验不过：公钥或平台证书的内容不是这个 ID 的",
        "its signature does not verify: the key is not the one of that id"
    );
    let fix = say!(
        "重新下载 pub_key.pem（或删掉 platform_certificates 让它自动下载）",
        "download pub_key.pem anew (or take platform_certificates out, so that they are fetched)"
    );
    (found, fix)
}

/// APIv2: each app, since the question names it.
async fn v2(
    client: &Client,
    account: &Examined<'_>,
    number: &OutTradeNo,
    reached: Reached,
    chart: &mut Chart,
) {
    let subject = account.config.mchid.as_str();
    let mut by: Vec<_> = [&MERCHANT_MCHID, &KEY_V2, &MERCHANT_APPS]
        .into_iter()
        .filter(|check| chart.is_bad(check, subject))
        .collect();
    if !reached.merchant {
        by.push(&NET_REACH);
    }
    let (Some(mchid), Some((key, sign_type)), true) =
        (&account.mchid, &account.keys.v2, by.is_empty())
    else {
        return chart.blocked(&WECHAT_V2_SIGN, subject, &by);
    };
    let asks = v2::Account { mch_id: mchid, key, sign_type: *sign_type };
    let mut is_first = true;
    for app in &account.apps {
        let Some(appid) = &app.appid else { continue };
        let partner = app.partner.as_ref();
        if partner.is_none() && chart.is_bad(&APP_PARTNER, app.given) {
            continue;
        }
        let sub = partner.map(|partner| SubMerchant {
            mch_id: &partner.sub_mchid,
            app_id: Some(appid).filter(|appid| **appid != partner.sp_appid),
        });
        let app_id = partner.map_or(appid, |partner| &partner.sp_appid);
        let call = v2::QueryOrder { account: asks, app_id, sub, out_trade_no: number };
        let outcome = client.call(&call).await;
        if is_first {
            signed_v2(subject, account.config.api == ApiVersion::V2, outcome.error(), chart);
            is_first = false;
        }
        if account.config.api == ApiVersion::V2 {
            bound(app, outcome.error(), chart);
        }
    }
}

/// Whether the key of APIv2 is taken. Where orders go by APIv3 a wrong one hurts nobody yet.
fn signed_v2(subject: &str, is_needed: bool, error: Option<&Error>, chart: &mut Chart) {
    match error.and_then(Error::refusal) {
        Some(no) if is_signature(no) => {
            let message = no.message.as_str();
            let found =
                say!("微信不认签名：{message}", "WeChat does not take the signature: {message}");
            let fix = say!(
                "不是这个商户号的 APIv2 密钥：商户平台 → API 安全重新设置一个，两边一起换",
                "it is not the APIv2 key of this merchant: set it anew on the merchant platform (API 安全), and here"
            );
            if is_needed {
                chart.problem_of(&WECHAT_V2_SIGN, subject, (found, fix), "SIGNERROR");
            } else {
                chart.warn(&WECHAT_V2_SIGN, subject, (found, fix));
            }
        }
        Some(no) if no.verified => {
            chart.ok(
                &WECHAT_V2_SIGN,
                subject,
                say!(
                    "微信认我们的签名，应答也验过了",
                    "WeChat takes our signature, and its answer verifies"
                ),
            );
        }
        Some(no) if !no.is_doubt() && !no.code.starts_with("HTTP_") => {
            chart.problem_of(&WECHAT_V2_SIGN, subject, of_refusal(no), &no.code);
        }
        Some(_) | None => match error {
            Some(error) => unknown(&WECHAT_V2_SIGN, subject, error, chart),
            None => chart.ok(
                &WECHAT_V2_SIGN,
                subject,
                say!("微信认我们的签名", "WeChat takes our signature"),
            ),
        },
    }
}

/// Whether the app, or its sub-merchant, belongs to this merchant number, as far as the question shows it.
fn bound(app: &ExaminedApp<'_>, error: Option<&Error>, chart: &mut Chart) {
    match error.and_then(Error::refusal) {
        Some(no) if matches!(no.code.as_str(), "ORDER_NOT_EXIST" | "ORDERNOTEXIST") => {
            chart.ok(
                &WECHAT_BINDING,
                app.given,
                say!("属于这个商户号", "it belongs to this merchant"),
            );
        }
        Some(no) if is_signature(no) || no.is_doubt() || no.code.starts_with("HTTP_") => {
            chart.skip(&WECHAT_BINDING, app.given, say!("没有问出来", "nothing was learned"));
        }
        Some(no) => chart.problem_of(&WECHAT_BINDING, app.given, of_refusal(no), &no.code),
        None => chart.skip(&WECHAT_BINDING, app.given, say!("没有问出来", "nothing was learned")),
    }
}

/// 404 with this: the merchant is in public key mode.
const NO_CERTIFICATES: &str = "RESOURCE_NOT_EXISTS";
