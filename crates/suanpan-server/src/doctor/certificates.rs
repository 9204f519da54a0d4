//! What proves the merchant: certificate and private key, as PEM files or as a p12.

use std::path::Path;

use suanpan_wechat::MchId;
use suanpan_wechat::time::beijing_rfc3339;
use suanpan_wechat::v3::{Certificate, PrivateKey};

use super::checks::{
    CERT_EXPIRY, CERT_MERCHANT, KEY_P12, KEY_PAIR, KEY_PRIVATE, MERCHANT_API, REFUND_CERTIFICATE,
};
use super::finding::Chart;
use super::keys::{read_bytes, read_pem};
use super::said::{Say, say};
use crate::account::Identity;
use crate::config::{ApiVersion, Config, ExtraPayment, MerchantConfig, Pem};

/// What the merchant shows and signs with, as far as it can be used.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) certificate: Option<Certificate>,
    pub(super) key: Option<PrivateKey>,
    /// Whether the two are a pair of this merchant.
    pub(super) is_whole: bool,
}

/// Looks at certificate and key of an account. `now` is in unix seconds.
pub(super) fn of_merchant(
    config: &Config,
    merchant: &MerchantConfig,
    now: i64,
    chart: &mut Chart,
) -> Proof {
    let mchid = merchant.mchid.as_str();
    let pems = (&merchant.merchant_certificate, &merchant.merchant_private_key);
    let mut proof = match (pems, &merchant.merchant_p12) {
        ((None, None), None) => return none(config, merchant, chart),
        ((None, None), Some(file)) => from_p12(config, merchant, file, chart),
        (_, Some(_)) => {
            let found = say!(
                "merchant_p12 和两个 PEM 文件都写了",
                "merchant_p12 and the PEM files are both set"
            );
            let fix = say!(
                "p12 里就是证书和私钥，留一种",
                "the p12 holds certificate and key: keep one of the two ways"
            );
            chart.problem(&MERCHANT_API, mchid, (found, fix));
            return Proof::default();
        }
        ((certificate, key), None) => Proof {
            certificate: own_certificate(config, merchant, certificate.as_ref(), chart),
            key: private_key(config, merchant, key.as_ref(), chart),
            is_whole: false,
        },
    };
    proof.is_whole = is_pair(merchant, &proof, chart) && !chart.is_bad(&CERT_MERCHANT, mchid);
    if let Some(certificate) = &proof.certificate {
        expiry(mchid, certificate, true, now, chart);
    }
    if proof.is_whole && merchant.api == ApiVersion::V2 {
        let found = say!("有，退款时出示", "there is one to show");
        chart.ok(&REFUND_CERTIFICATE, mchid, found);
    }
    proof
}

/// Nothing proves this merchant: APIv3 cannot begin, APIv2 cannot give money back.
fn none(config: &Config, merchant: &MerchantConfig, chart: &mut Chart) -> Proof {
    let mchid = merchant.mchid.as_str();
    let fix = say!(
        "商户平台 → 账户中心 → API 安全，申请商户 API 证书，把 zip 里的 apiclient_cert.pem 和 apiclient_key.pem 配成 merchant_certificate 和 merchant_private_key",
        "apply for the API certificate on the merchant platform (账户中心 → API 安全), and name apiclient_cert.pem and apiclient_key.pem of its zip by merchant_certificate and merchant_private_key"
    );
    match merchant.api {
        ApiVersion::V3 => {
            let found = say!("没有商户证书和私钥", "there is neither certificate nor private key");
            chart.problem(&MERCHANT_API, mchid, (found, fix));
        }
        ApiVersion::V2 if config.orders.extra_payment == ExtraPayment::Refund => {
            let found = say!(
                "orders.extra_payment = \"refund\" 要自动退款，却没有商户证书",
                "orders.extra_payment = \"refund\" gives money back by itself, and there is no certificate to show"
            );
            chart.problem(&REFUND_CERTIFICATE, mchid, (found, fix));
        }
        ApiVersion::V2 => {
            let found = say!(
                "没有商户证书：收款可以，退款不行",
                "there is none: payments work, refunds do not"
            );
            chart.warn(&REFUND_CERTIFICATE, mchid, (found, fix));
        }
    }
    Proof::default()
}

fn from_p12(config: &Config, merchant: &MerchantConfig, file: &Path, chart: &mut Chart) -> Proof {
    let mchid = merchant.mchid.as_str();
    let bytes = match read_bytes(config, file) {
        Ok(bytes) => bytes,
        Err(said) => {
            chart.problem(&KEY_P12, mchid, said);
            return Proof::default();
        }
    };
    let number = MchId::parse(mchid);
    let opened = number.ok().map(|number| Identity::open_p12(config, merchant, &number, file));
    let Some(Ok(identity)) = opened else {
        // DER begins with a sequence; anything else was never a p12.
        let (found, fix) = if bytes.first() == Some(&0x30) {
            (
                say!("打不开：密码不对", "it does not open: the password is another one"),
                say!(
                    "微信发的 p12 密码就是商户号；改过的写在 merchant_p12_password_file 里",
                    "WeChat makes the merchant number its password; a changed one stands in the file of merchant_p12_password_file"
                ),
            )
        } else {
            (
                say!("不是 p12 文件", "it is no p12 file"),
                say!("用 zip 里的 apiclient_cert.p12", "take apiclient_cert.p12 out of the zip"),
            )
        };
        chart.problem(&KEY_P12, mchid, (found, fix));
        return Proof::default();
    };
    chart.ok(&KEY_P12, mchid, say!("打得开", "it opens"));
    let certificate = identity.certificate().clone();
    whose(merchant, &certificate, chart);
    let key = PrivateKey::from_pem(identity.key_pem()).ok();
    Proof { certificate: Some(certificate), key, is_whole: false }
}

/// `apiclient_cert.pem`.
fn own_certificate(
    config: &Config,
    merchant: &MerchantConfig,
    pem: Option<&Pem>,
    chart: &mut Chart,
) -> Option<Certificate> {
    let mchid = merchant.mchid.as_str();
    let Some(pem) = pem else {
        let found = say!(
            "有私钥，没有 merchant_certificate",
            "there is a private key and no merchant_certificate"
        );
        let fix = say!(
            "把同一个 zip 里的 apiclient_cert.pem 也配上",
            "name apiclient_cert.pem of the same zip, too"
        );
        chart.problem(&CERT_MERCHANT, mchid, (found, fix));
        return None;
    };
    let read = read_pem(config, pem).and_then(|pem| certificate(&pem, "apiclient_cert.pem"));
    match read {
        Ok(certificate) => {
            whose(merchant, &certificate, chart);
            Some(certificate)
        }
        Err(said) => {
            chart.problem(&CERT_MERCHANT, mchid, said);
            None
        }
    }
}

/// Reads a certificate, or says what stands there instead.
pub(super) fn certificate(pem: &str, wanted: &str) -> Result<Certificate, (Say, Say)> {
    Certificate::from_pem(pem).map_err(|cause| {
        let fix = say!(
            "换成 {wanted}，以 -----BEGIN CERTIFICATE----- 开头",
            "put {wanted} there: it begins with -----BEGIN CERTIFICATE-----"
        );
        if pem.contains("PRIVATE KEY-----") {
            return (
                say!("这个文件是私钥，不是证书", "this file is a private key and no certificate"),
                fix,
            );
        }
        if pem.contains("PUBLIC KEY-----") {
            return (
                say!("这个文件是公钥，不是证书", "this file is a public key and no certificate"),
                fix,
            );
        }
        if let Some(said) = cut(pem) {
            return said;
        }
        (say!("读不懂：{cause}", "it cannot be read: {cause}"), fix)
    })
}

/// A PEM that was not copied whole.
fn cut(pem: &str) -> Option<(Say, Say)> {
    let is_cut = pem.contains("-----BEGIN") && !pem.contains("-----END");
    is_cut.then(|| {
        let found = say!(
            "PEM 不完整，没有 -----END 那一行",
            "the PEM is cut: its line -----END is missing"
        );
        (found, say!("重新复制整个文件", "copy the whole file again"))
    })
}

/// Whether the certificate is the merchant's own, and this merchant's.
fn whose(merchant: &MerchantConfig, certificate: &Certificate, chart: &mut Chart) {
    let mchid = merchant.mchid.as_str();
    let fix = say!(
        "换成商户号 {mchid} 的 apiclient_cert.pem（在商户平台下载的 zip 里）",
        "put apiclient_cert.pem of merchant {mchid} there; it is in the zip of the merchant platform"
    );
    match certificate.merchant() {
        Some(other) if other.as_str() != mchid => {
            let found =
                say!("这是商户号 {other} 的证书", "this is the certificate of merchant {other}");
            chart.problem(&CERT_MERCHANT, mchid, (found, fix));
        }
        None if certificate.subject.contains("Tenpay.com sign") => {
            let found = say!(
                "这是微信支付平台证书，不是商户证书",
                "this is WeChat's platform certificate, and not the merchant's"
            );
            chart.problem(&CERT_MERCHANT, mchid, (found, fix));
        }
        Some(_) | None => {
            let serial = &certificate.serial;
            chart.ok(&CERT_MERCHANT, mchid, say!("序列号 {serial}", "serial number {serial}"));
        }
    }
}

/// `apiclient_key.pem`.
fn private_key(
    config: &Config,
    merchant: &MerchantConfig,
    pem: Option<&Pem>,
    chart: &mut Chart,
) -> Option<PrivateKey> {
    let mchid = merchant.mchid.as_str();
    let Some(pem) = pem else {
        let found = say!(
            "有证书，没有 merchant_private_key",
            "there is a certificate and no merchant_private_key"
        );
        let fix = say!(
            "把同一个 zip 里的 apiclient_key.pem 也配上",
            "name apiclient_key.pem of the same zip, too"
        );
        chart.problem(&KEY_PRIVATE, mchid, (found, fix));
        return None;
    };
    let pem = match read_pem(config, pem) {
        Ok(pem) => pem,
        Err(said) => {
            chart.problem(&KEY_PRIVATE, mchid, said);
            return None;
        }
    };
    match PrivateKey::from_pem(&pem) {
        Ok(key) => {
            let form = if pem.contains("BEGIN RSA PRIVATE KEY") { "PKCS#1" } else { "PKCS#8" };
            chart.ok(&KEY_PRIVATE, mchid, say!("读得懂（{form}）", "it can be read ({form})"));
            Some(key)
        }
        Err(cause) => {
            chart.problem(&KEY_PRIVATE, mchid, no_key(&pem, &cause));
            None
        }
    }
}

/// What stands in the place of the private key.
fn no_key(pem: &str, cause: &suanpan_wechat::Error) -> (Say, Say) {
    let fix = say!(
        "换成 apiclient_key.pem，以 -----BEGIN PRIVATE KEY----- 开头",
        "put apiclient_key.pem there: it begins with -----BEGIN PRIVATE KEY-----"
    );
    if pem.contains("ENCRYPTED") {
        let found = say!("私钥有密码保护", "the key is protected by a password");
        let fix = say!(
            "去掉密码：openssl pkcs8 -in 旧文件 -out apiclient_key.pem，再 chmod 600",
            "take the password off: openssl pkcs8 -in OLD -out apiclient_key.pem, then chmod 600"
        );
        return (found, fix);
    }
    if pem.contains("BEGIN CERTIFICATE") {
        return (
            say!("这个文件是证书，不是私钥", "this file is a certificate and no private key"),
            fix,
        );
    }
    if pem.contains("PUBLIC KEY-----") {
        return (
            say!("这个文件是公钥，不是私钥", "this file is a public key and no private key"),
            fix,
        );
    }
    if pem.contains("BEGIN EC PRIVATE KEY") {
        return (
            say!(
                "这是椭圆曲线密钥，微信支付只用 RSA",
                "this is a key of an elliptic curve, and WeChat Pay takes RSA alone"
            ),
            fix,
        );
    }
    cut(pem).unwrap_or_else(|| (say!("读不懂：{cause}", "it cannot be read: {cause}"), fix))
}

fn is_pair(merchant: &MerchantConfig, proof: &Proof, chart: &mut Chart) -> bool {
    let mchid = merchant.mchid.as_str();
    let (Some(certificate), Some(key)) = (&proof.certificate, &proof.key) else {
        let by =
            [(&CERT_MERCHANT, proof.certificate.is_none()), (&KEY_PRIVATE, proof.key.is_none())];
        if !chart.is_bad(&KEY_P12, mchid) {
            let by: Vec<_> =
                by.into_iter().filter_map(|(check, lacks)| lacks.then_some(check)).collect();
            chart.blocked(&KEY_PAIR, mchid, &by);
        }
        return false;
    };
    // A certificate that is not the merchant's at all is named as such.
    if chart.is_bad(&CERT_MERCHANT, mchid) {
        chart.blocked(&KEY_PAIR, mchid, &[&CERT_MERCHANT]);
        return false;
    }
    if key.public_key().is_ok_and(|public| public == certificate.public_key) {
        chart.ok(&KEY_PAIR, mchid, say!("是一对", "they are"));
        return true;
    }
    let serial = &certificate.serial;
    let found = say!(
        "证书 {serial} 不是这把私钥的",
        "certificate {serial} is not that of this private key"
    );
    let fix = say!(
        "把同一个 zip 里的 apiclient_cert.pem 和 apiclient_key.pem 一起放过来；换过证书就两个都换",
        "put apiclient_cert.pem and apiclient_key.pem of one and the same zip there; after a renewal replace both"
    );
    chart.problem(&KEY_PAIR, mchid, (found, fix));
    false
}

/// How long a certificate is valid. `now` is in unix seconds.
pub(super) fn expiry(
    mchid: &str,
    certificate: &Certificate,
    is_own: bool,
    now: i64,
    chart: &mut Chart,
) {
    let (zh, en) = if is_own {
        ("商户证书", "the merchant's certificate")
    } else {
        ("平台证书", "the platform certificate")
    };
    let until = beijing_rfc3339(certificate.not_after);
    let days = certificate.not_after.saturating_sub(now).div_euclid(DAY);
    let serial = &certificate.serial;
    let fix = say!(
        "在商户平台 → API 安全更换证书，把新文件配上（旧的到期前两张都能用）",
        "renew it on the merchant platform (API 安全) and configure the new files; both work until the old one ends"
    );
    if now < certificate.not_before {
        let from = beijing_rfc3339(certificate.not_before);
        let found =
            say!("{zh} {serial} 从 {from} 起才有效", "{en} {serial} is valid from {from} only");
        let fix =
            say!("先看这台机器的时钟对不对", "first see that the clock of this machine is right");
        chart.problem(&CERT_EXPIRY, mchid, (found, fix));
    } else if certificate.not_after < now {
        let found = say!("{zh} {serial} 已于 {until} 过期", "{en} {serial} expired at {until}");
        if !is_own {
            let fix = say!("删掉这一项，新的会自动下载", "take it out: the new one is fetched");
            return chart.warn(&CERT_EXPIRY, mchid, (found, fix));
        }
        chart.problem_of(&CERT_EXPIRY, mchid, (found, fix), "SP-CERT-EXPIRES");
    } else if days < SOON {
        let found = say!(
            "{zh} {serial} 还有 {days} 天过期（{until}）",
            "{en} {serial} expires in {days} days ({until})"
        );
        chart.warn(&CERT_EXPIRY, mchid, (found, fix));
    } else {
        chart.ok(&CERT_EXPIRY, mchid, say!("{zh}还有 {days} 天", "{en} has {days} days left"));
    }
}

/// In seconds.
const DAY: i64 = 24 * 3600;
/// From how many days on an end is near.
const SOON: i64 = 30;
