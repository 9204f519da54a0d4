//! WeChat's side of the keys: platform certificates, and the WeChat Pay public key.

use suanpan_wechat::Serial;
use suanpan_wechat::v3::{Certificate, KeyRing, PublicKey};

use super::certificates::{self, Proof};
use super::checks::{PLATFORM_CERTIFICATES, PLATFORM_PUBLIC_KEY};
use super::finding::Chart;
use super::keys::read_pem;
use super::said::{Say, say};
use crate::config::{ApiVersion, Config, MerchantConfig};

/// Looks at WeChat's keys of an account; answers those that can be used. `now` is in unix seconds.
pub(super) fn of_merchant(
    config: &Config,
    merchant: &MerchantConfig,
    proof: &Proof,
    now: i64,
    chart: &mut Chart,
) -> KeyRing {
    let ring = platform_certificates(config, merchant, proof, now, chart);
    match public_key(config, merchant, proof) {
        Ok(Some((id, key))) => {
            chart.ok(&PLATFORM_PUBLIC_KEY, &merchant.mchid, Say::same(id.to_string()));
            ring.with_key(id, key)
        }
        Ok(None) => {
            if merchant.api == ApiVersion::V3 {
                let why = if merchant.platform_certificates.is_empty() {
                    say!(
                        "没有配置：会用 APIv3 密钥下载平台证书；2024 年以后的新商户没有平台证书，要配公钥",
                        "not configured: certificates are fetched with the APIv3 key; merchants since 2024 have none, and need the public key"
                    )
                } else {
                    say!("没有配置，用平台证书", "not configured: certificates are used")
                };
                chart.skip(&PLATFORM_PUBLIC_KEY, &merchant.mchid, why);
            }
            ring
        }
        Err(said) => {
            chart.problem(&PLATFORM_PUBLIC_KEY, &merchant.mchid, said);
            ring
        }
    }
}

fn platform_certificates(
    config: &Config,
    merchant: &MerchantConfig,
    proof: &Proof,
    now: i64,
    chart: &mut Chart,
) -> KeyRing {
    let mchid = merchant.mchid.as_str();
    let mut ring = KeyRing::new();
    for pem in &merchant.platform_certificates {
        let read = read_pem(config, pem)
            .and_then(|pem| certificates::certificate(&pem, "wechatpay_….pem"))
            .and_then(|certificate| not_a_merchants(certificate, proof));
        match read {
            Ok(certificate) => {
                let serial = &certificate.serial;
                chart.ok(
                    &PLATFORM_CERTIFICATES,
                    mchid,
                    say!("序列号 {serial}", "serial number {serial}"),
                );
                certificates::expiry(mchid, &certificate, false, now, chart);
                ring = ring.with_certificate(certificate);
            }
            Err((found, fix)) => {
                let (zh, en) = (found.zh, found.en);
                let found = say!("{pem}：{zh}", "{pem}: {en}");
                chart.problem(&PLATFORM_CERTIFICATES, mchid, (found, fix));
            }
        }
    }
    ring
}

/// A merchant's certificate in the place of WeChat's verifies nothing.
fn not_a_merchants(certificate: Certificate, proof: &Proof) -> Result<Certificate, (Say, Say)> {
    let own = proof.certificate.as_ref();
    let found = if own.is_some_and(|own| own.serial == certificate.serial) {
        say!(
            "这是商户自己的证书，不是微信的平台证书",
            "this is the merchant's own certificate, and not WeChat's"
        )
    } else if let Some(other) = certificate.merchant() {
        say!(
            "这是商户号 {other} 的 API 证书，不是微信的平台证书",
            "this is the API certificate of merchant {other}, and not WeChat's"
        )
    } else {
        return Ok(certificate);
    };
    let fix = say!(
        "删掉这一项：平台证书会自动下载；新商户改用微信支付公钥",
        "take it out: platform certificates are fetched by themselves; new merchants use the public key"
    );
    Err((found, fix))
}

fn public_key(
    config: &Config,
    merchant: &MerchantConfig,
    proof: &Proof,
) -> Result<Option<(Serial, PublicKey)>, (Say, Say)> {
    let (given, pem) = match (&merchant.wechatpay_public_key_id, &merchant.wechatpay_public_key) {
        (None, None) => return Ok(None),
        (Some(id), Some(pem)) => (id, pem),
        (Some(_), None) => {
            let found = say!("有公钥 ID，没有公钥文件", "there is its id and no file");
            let fix = say!(
                "在商户平台 → API 安全下载微信支付公钥 pub_key.pem，配成 wechatpay_public_key",
                "download pub_key.pem on the merchant platform (API 安全), and name it by wechatpay_public_key"
            );
            return Err((found, fix));
        }
        (None, Some(_)) => {
            let found = say!("有公钥文件，没有公钥 ID", "there is the file and no id");
            let fix = say!(
                "把商户平台 → API 安全上 PUB_KEY_ID_ 开头的公钥 ID 配成 wechatpay_public_key_id",
                "write the id that begins with PUB_KEY_ID_ (merchant platform, API 安全) as wechatpay_public_key_id"
            );
            return Err((found, fix));
        }
    };
    let id = id(given)?;
    let pem = read_pem(config, pem)?;
    let key = PublicKey::from_pem(&pem).map_err(|cause| no_public_key(&pem, &cause))?;
    let own = proof.certificate.as_ref().map(|certificate| &certificate.public_key);
    let of_key = proof.key.as_ref().and_then(|key| key.public_key().ok());
    if own == Some(&key) || of_key.as_ref() == Some(&key) {
        let found = say!(
            "这是商户自己的公钥，不是微信支付公钥",
            "this is the merchant's own public key, and not WeChat's"
        );
        return Err((found, fetch_it()));
    }
    Ok(Some((id, key)))
}

fn id(given: &str) -> Result<Serial, (Say, Say)> {
    let fix = say!(
        "写商户平台 → API 安全上的公钥 ID，PUB_KEY_ID_ 加一串数字，原样复制",
        "copy the id from the merchant platform (API 安全): PUB_KEY_ID_ and digits"
    );
    let digits = given.strip_prefix(Serial::PUBLIC_KEY_PREFIX);
    match (digits, Serial::normalised(given)) {
        (Some(digits), Ok(id)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(id),
        (None, Ok(_)) => {
            let found =
                say!("公钥 ID 填的是证书序列号", "its id is the serial number of a certificate");
            Err((found, fix))
        }
        (_, Ok(_) | Err(_)) => {
            Err((say!("公钥 ID 的写法不对", "its id is not of the right form"), fix))
        }
    }
}

fn no_public_key(pem: &str, cause: &suanpan_wechat::Error) -> (Say, Say) {
    let found = if pem.contains("BEGIN CERTIFICATE") {
        say!("这个文件是证书，不是公钥", "this file is a certificate and no public key")
    } else if pem.contains("PRIVATE KEY-----") {
        say!("这个文件是私钥，不是公钥", "this file is a private key and no public key")
    } else {
        say!("读不懂：{cause}", "it cannot be read: {cause}")
    };
    (found, fetch_it())
}

fn fetch_it() -> Say {
    say!(
        "用商户平台 → API 安全下载的 pub_key.pem，以 -----BEGIN PUBLIC KEY----- 开头",
        "take pub_key.pem of the merchant platform (API 安全): it begins with -----BEGIN PUBLIC KEY-----"
    )
}
