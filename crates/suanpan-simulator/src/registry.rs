//! Who there is, with keys that are read: merchants, their apps, and payers.

use std::collections::BTreeMap;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use suanpan_wechat::v3::{Certificate, PrivateKey, PublicKey};
use suanpan_wechat::{ApiV2Key, ApiV3Key, AppId, AppSecret, MchId, OpenId, Serial};

use crate::credentials::{Credentials, MerchantEntry, Mode, wechat_key};
use crate::{Error, files};

/// Everyone that the simulator was seeded with.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) merchants: Vec<Merchant>,
    pub(crate) apps: BTreeMap<AppId, AppSecret>,
    pub(crate) users: Vec<String>,
}

/// A merchant as WeChat knows it.
#[derive(Debug)]
pub(crate) struct Merchant {
    pub(crate) mchid: MchId,
    pub(crate) name: String,
    pub(crate) mode: Mode,
    pub(crate) apps: Vec<AppId>,
    pub(crate) api_v2_key: ApiV2Key,
    pub(crate) api_v3_key: ApiV3Key,
    /// Of the API certificate.
    pub(crate) serial: Serial,
    /// Proves the merchant's requests.
    pub(crate) public_key: PublicKey,
    /// Oldest first.
    pub(crate) certificates: Vec<Platform>,
    /// The WeChat Pay public key.
    pub(crate) wechatpay: SigningKey,
}

/// A platform certificate with its key.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) pem: String,
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) signing: SigningKey,
}

/// What WeChat signs with, and the name that messages give it.
#[derive(Debug)]
pub(crate) struct SigningKey {
    pub(crate) serial: Serial,
    pub(crate) key: PrivateKey,
}

impl Registry {
    /// Reads the keys that the file names.
    pub(crate) fn read(data: &Path, credentials: &Credentials) -> Result<Self, Error> {
        let file = crate::credentials::path(data);
        let unfit = |cause: suanpan_wechat::TextError| Error::Content {
            path: file.clone(),
            why: cause.to_string(),
        };
        let merchants = credentials.merchants.iter().map(|entry| Merchant::read(data, entry));
        let mut apps = BTreeMap::new();
        for entry in &credentials.apps {
            let appid = AppId::parse(&entry.appid).map_err(unfit)?;
            apps.insert(appid, AppSecret::parse(&entry.secret).map_err(unfit)?);
        }
        let merchants = merchants.collect::<Result<_, _>>()?;
        Ok(Self { merchants, apps, users: credentials.users.clone() })
    }

    /// The merchant of this number.
    pub(crate) fn merchant(&self, mchid: &str) -> Option<&Merchant> {
        self.merchants.iter().find(|merchant| merchant.mchid.as_str() == mchid)
    }

    /// Whether there is such a mini program.
    pub(crate) fn app(&self, appid: &str) -> Option<(&AppId, &AppSecret)> {
        self.apps.iter().find(|(known, _)| known.as_str() == appid)
    }
}

impl Merchant {
    fn read(data: &Path, entry: &MerchantEntry) -> Result<Self, Error> {
        let file = crate::credentials::path(data);
        let unfit = |why: String| Error::Content { path: file.clone(), why };
        let text = |cause: suanpan_wechat::TextError| unfit(cause.to_string());
        let key = |cause: suanpan_wechat::Error| unfit(cause.to_string());
        let signing = |name: &str| {
            let pem = files::read(&wechat_key(data, name))?;
            let serial = Serial::normalised(name).map_err(text)?;
            Ok::<_, Error>(SigningKey { serial, key: PrivateKey::from_pem(&pem).map_err(key)? })
        };

        let own = Certificate::from_pem(&files::read(&entry.merchant_certificate)?).map_err(key)?;
        let mut certificates = Vec::new();
        for platform in &entry.platform_certificates {
            let pem = files::read(&platform.path)?;
            let certificate = Certificate::from_pem(&pem).map_err(key)?;
            certificates.push(Platform {
                pem,
                not_before: certificate.not_before,
                not_after: certificate.not_after,
                signing: signing(&platform.serial)?,
            });
        }
        if entry.mode.has_certificates() && certificates.is_empty() {
            return Err(unfit(format!("merchant {} has no platform certificate", entry.mchid)));
        }
        let apps = entry.apps.iter().map(|app| AppId::parse(app));
        Ok(Self {
            mchid: MchId::parse(&entry.mchid).map_err(text)?,
            name: entry.name.clone(),
            mode: entry.mode,
            apps: apps.collect::<Result<_, _>>().map_err(text)?,
            api_v2_key: ApiV2Key::parse(&entry.api_v2_key).map_err(text)?,
            api_v3_key: ApiV3Key::parse(&entry.api_v3_key).map_err(text)?,
            serial: own.serial,
            public_key: own.public_key,
            certificates,
            wechatpay: signing(&entry.wechatpay_public_key_id)?,
        })
    }

    /// Whether the app is bound to the merchant.
    pub(crate) fn has_app(&self, appid: &str) -> bool {
        self.apps.iter().any(|app| app.as_str() == appid)
    }

    /// What signs an answer: the key that the request named in `Wechatpay-Serial`,
    /// as far as the merchant's mode has it.
    pub(crate) fn key_for_answer(&self, asked: Option<&Serial>) -> &SigningKey {
        let by_name = |serial: &Serial| self.keys().find(|key| key.serial == *serial);
        asked.and_then(by_name).unwrap_or_else(|| self.key_by_default())
    }

    /// What signs the n-th try of a notification. The merchant cannot choose it:
    /// during a migration or a rotation old and new take turns.
    pub(crate) fn key_for_notice(&self, turn: usize) -> &SigningKey {
        let keys: Vec<_> = self.keys().collect();
        let default = keys.iter().position(|key| key.serial == self.key_by_default().serial);
        let place = default.unwrap_or_default().saturating_add(turn).checked_rem(keys.len());
        let key = place.and_then(|place| keys.get(place).copied());
        key.unwrap_or_else(|| self.key_by_default())
    }

    /// The newest certificate, or the public key where there are no certificates.
    fn key_by_default(&self) -> &SigningKey {
        match self.certificates.last() {
            Some(platform) if self.mode.has_certificates() => &platform.signing,
            Some(_) | None => &self.wechatpay,
        }
    }

    /// Everything that signs for WeChat towards this merchant.
    fn keys(&self) -> impl Iterator<Item = &SigningKey> {
        let certificates = self.certificates.iter().map(|platform| &platform.signing);
        let certificates = certificates.filter(|_| self.mode.has_certificates());
        certificates.chain(Some(&self.wechatpay).filter(|_| self.mode.has_public_key()))
    }
}

/// The payer as this app knows them: 28 characters that begin with `o`, always
/// the same for the same user and app, and different between apps.
pub(crate) fn openid(appid: &AppId, user: &str) -> OpenId {
    let hash = digest(&SHA256, format!("openid of {user} for {appid}").as_bytes());
    let text: String = URL_SAFE_NO_PAD.encode(hash).chars().take(27).collect();
    #[expect(clippy::expect_used, reason = "28 characters of base64 for URLs are an openid")]
    OpenId::parse(&format!("o{text}")).expect("an openid")
}
