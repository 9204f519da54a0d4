//! Who there is, with keys that are read: merchants, their apps, and payers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use suanpan_wechat::v3::{Certificate, PrivateKey, PublicKey};
use suanpan_wechat::{ApiV2Key, ApiV3Key, AppId, AppSecret, MchId, OpenId, Serial};

use crate::credentials::{Credentials, MerchantEntry, Mode, wechat_key};
use crate::world::Shared;
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
    pub(crate) apps: Vec<AppId>,
    pub(crate) api_v2_key: ApiV2Key,
    pub(crate) api_v3_key: ApiV3Key,
    /// Of the API certificate.
    pub(crate) serial: Serial,
    /// Proves the merchant's requests.
    pub(crate) public_key: PublicKey,
    /// The WeChat Pay public key.
    pub(crate) wechatpay: Arc<SigningKey>,
    /// Those that it asks for as a partner; none makes it a direct merchant.
    pub(crate) subs: Vec<SubMerchant>,
    /// What signs towards it: changes while the simulator runs.
    keys: Shared<Keys>,
}

/// A sub-merchant of a partner.
#[derive(Debug)]
pub(crate) struct SubMerchant {
    pub(crate) mchid: MchId,
    pub(crate) apps: Vec<AppId>,
}

impl SubMerchant {
    /// Its own app of this id.
    pub(crate) fn app(&self, appid: &str) -> Option<&AppId> {
        self.apps.iter().find(|app| app.as_str() == appid)
    }
}

/// What signs for WeChat towards one merchant.
#[derive(Debug)]
struct Keys {
    mode: Mode,
    /// Oldest first.
    certificates: Vec<Arc<Platform>>,
}

/// A platform certificate with its key.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) pem: String,
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) signing: Arc<SigningKey>,
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
        let own = Certificate::from_pem(&files::read(&entry.merchant_certificate)?).map_err(key)?;
        let apps = |apps: &[String]| {
            apps.iter().map(|app| AppId::parse(app)).collect::<Result<_, _>>().map_err(text)
        };
        let subs = entry.sub_merchants.iter().map(|sub| {
            let mchid = MchId::parse(&sub.mchid).map_err(text)?;
            Ok::<_, Error>(SubMerchant { mchid, apps: apps(&sub.apps)? })
        });
        Ok(Self {
            mchid: MchId::parse(&entry.mchid).map_err(text)?,
            name: entry.name.clone(),
            apps: apps(&entry.apps)?,
            api_v2_key: ApiV2Key::parse(&entry.api_v2_key).map_err(text)?,
            api_v3_key: ApiV3Key::parse(&entry.api_v3_key).map_err(text)?,
            serial: own.serial,
            public_key: own.public_key,
            wechatpay: signing(data, &entry.wechatpay_public_key_id)?,
            subs: subs.collect::<Result<_, _>>()?,
            keys: Shared::new(Keys::read(data, entry)?),
        })
    }

    /// Reads anew what signs towards the merchant.
    pub(crate) fn reread(&self, data: &Path, entry: &MerchantEntry) -> Result<(), Error> {
        *self.keys.lock() = Keys::read(data, entry)?;
        Ok(())
    }

    /// Whether it asks for others.
    pub(crate) const fn is_partner(&self) -> bool {
        !self.subs.is_empty()
    }

    /// The sub-merchant of this number.
    pub(crate) fn sub(&self, mchid: &str) -> Option<&SubMerchant> {
        self.subs.iter().find(|sub| sub.mchid.as_str() == mchid)
    }

    /// How it verifies what WeChat signs.
    pub(crate) fn mode(&self) -> Mode {
        self.keys.lock().mode
    }

    /// The platform certificates, oldest first.
    pub(crate) fn certificates(&self) -> Vec<Arc<Platform>> {
        self.keys.lock().certificates.clone()
    }

    /// Whether the app is bound to the merchant.
    pub(crate) fn has_app(&self, appid: &str) -> bool {
        self.apps.iter().any(|app| app.as_str() == appid)
    }

    /// What signs an answer: the key that the request named in `Wechatpay-Serial`,
    /// as far as the merchant's mode has it.
    pub(crate) fn key_for_answer(&self, asked: Option<&Serial>) -> Arc<SigningKey> {
        let keys = self.signing();
        let asked = asked.and_then(|name| keys.iter().find(|key| key.serial == *name));
        asked.or_else(|| keys.first()).map_or_else(|| Arc::clone(&self.wechatpay), Arc::clone)
    }

    /// What signs the n-th try of a notification. The merchant cannot choose it:
    /// during a migration or a rotation old and new take turns.
    pub(crate) fn key_for_notice(&self, turn: usize) -> Arc<SigningKey> {
        let keys = self.signing();
        let key = turn.checked_rem(keys.len()).and_then(|place| keys.get(place));
        key.map_or_else(|| Arc::clone(&self.wechatpay), Arc::clone)
    }

    /// Everything that signs for WeChat towards this merchant, what it signs with by default
    /// first: the newest certificate, then the public key, then the older certificates.
    fn signing(&self) -> Vec<Arc<SigningKey>> {
        let keys = self.keys.lock();
        let certificates = keys.certificates.iter().map(|platform| Arc::clone(&platform.signing));
        let mut certificates = certificates.rev().filter(|_| keys.mode.has_certificates());
        let newest = certificates.next();
        let public = Some(Arc::clone(&self.wechatpay)).filter(|_| keys.mode.has_public_key());
        newest.into_iter().chain(public).chain(certificates).collect()
    }
}

impl Keys {
    fn read(data: &Path, entry: &MerchantEntry) -> Result<Self, Error> {
        let mut certificates = Vec::new();
        for platform in &entry.platform_certificates {
            let pem = files::read(&platform.path)?;
            let certificate =
                Certificate::from_pem(&pem).map_err(|cause| unfit(data, cause.to_string()))?;
            certificates.push(Arc::new(Platform {
                pem,
                not_before: certificate.not_before,
                not_after: certificate.not_after,
                signing: signing(data, &platform.serial)?,
            }));
        }
        if entry.mode.has_certificates() && certificates.is_empty() {
            let why = format!("merchant {} has no platform certificate", entry.mchid);
            return Err(unfit(data, why));
        }
        Ok(Self { mode: entry.mode, certificates })
    }
}

/// WeChat's half of the key of this name.
fn signing(data: &Path, name: &str) -> Result<Arc<SigningKey>, Error> {
    let pem = files::read(&wechat_key(data, name))?;
    let serial = Serial::normalised(name).map_err(|cause| unfit(data, cause.to_string()))?;
    let key = PrivateKey::from_pem(&pem).map_err(|cause| unfit(data, cause.to_string()))?;
    Ok(Arc::new(SigningKey { serial, key }))
}

fn unfit(data: &Path, why: String) -> Error {
    Error::Content { path: crate::credentials::path(data), why }
}

/// The payer as this app knows them: 28 characters that begin with `o`, always
/// the same for the same user and app, and different between apps.
pub(crate) fn openid(appid: &AppId, user: &str) -> OpenId {
    let hash = digest(&SHA256, format!("openid of {user} for {appid}").as_bytes());
    let text: String = URL_SAFE_NO_PAD.encode(hash).chars().take(27).collect();
    #[expect(clippy::expect_used, reason = "28 characters of base64 for URLs are an openid")]
    OpenId::parse(&format!("o{text}")).expect("an openid")
}
