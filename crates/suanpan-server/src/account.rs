//! The merchant accounts: numbers, keys and apps, checked once at start.
//!
//! A pair of certificate and key that do not belong together, or a merchant
//! certificate where WeChat's belongs, costs a night when the first payment
//! finds it; so it is found here.

mod identity;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use suanpan_wechat::time::beijing_rfc3339;
use suanpan_wechat::v2::SignType;
use suanpan_wechat::v3::{Certificate, KeyRing, PublicKey, Signer};
use suanpan_wechat::{ApiV2Key, ApiV3Key, AppId, AppSecret, MchId, Serial, TextError, v2, v3};

use crate::Error;
use crate::config::{
    ApiVersion, AppConfig, AppOwner, Config, MerchantConfig, MerchantMode, Pem, Secret,
};
use crate::keys::{Keys, Problem};
use crate::order::PartnerIds;
use crate::shipment::ShippingPolicy;

pub(crate) use self::identity::Identity;

/// One merchant account.
#[derive(Debug)]
pub struct Account {
    /// Its number.
    pub mchid: MchId,
    /// For people; the number where it has none.
    pub name: String,
    /// Which API orders are placed by.
    pub api: ApiVersion,
    /// Its mini programs, the default first.
    pub apps: Vec<App>,
    identity: Option<Identity>,
    v2: Option<V2Keys>,
    v3: Option<V3Keys>,
}

/// A mini program of an account.
#[derive(Debug)]
pub struct App {
    /// Its id.
    pub appid: AppId,
    /// Its `AppSecret`.
    pub secret: AppSecret,
    /// Partner mode: under which ids its orders are placed.
    pub partner: Option<PartnerIds>,
    /// Who says what is shipped.
    pub shipping: ShippingPolicy,
}

#[derive(Debug)]
struct V2Keys {
    key: ApiV2Key,
    sign_type: SignType,
}

#[derive(Debug)]
struct V3Keys {
    signer: Signer,
    keys: Keys,
    api_v3_key: ApiV3Key,
    /// The merchant's own first, then WeChat's as configured.
    certificates: Vec<Certificate>,
}

/// All accounts of this server.
#[derive(Debug)]
pub struct Accounts {
    by_mchid: BTreeMap<MchId, Arc<Account>>,
    by_app: BTreeMap<AppId, Arc<Account>>,
    default_app: AppId,
}

impl Accounts {
    /// Reads and checks the accounts of the configuration.
    ///
    /// # Errors
    /// [`Error::Config`], which names the account and the setting; [`Error::Settings`] where several are wrong.
    pub fn load(config: &Config) -> Result<Self, Error> {
        let (mut by_mchid, mut by_app) = (BTreeMap::new(), BTreeMap::new());
        let (mut default_app, mut mistakes) = (None, Vec::new());
        for merchant in &config.merchants {
            let Some(account) = Account::load(config, merchant, &mut mistakes) else { continue };
            let account = Arc::new(account);
            for app in &account.apps {
                default_app.get_or_insert_with(|| app.appid.clone());
                if by_app.insert(app.appid.clone(), Arc::clone(&account)).is_some() {
                    let why = format!("app {} belongs to two accounts", app.appid);
                    mistakes.push(wrong(merchant, "apps", why));
                }
            }
            if by_mchid.insert(account.mchid.clone(), account).is_some() {
                mistakes.push(wrong(merchant, "mchid", "there are two accounts of this number"));
            }
        }
        Error::of_settings(mistakes)?;
        let default_app = default_app.ok_or_else(|| Error::Config {
            place: "merchants".to_owned(),
            why: "there is no merchant account with an app; config.default.toml shows one"
                .to_owned(),
        })?;
        Ok(Self { by_mchid, by_app, default_app })
    }

    /// The account of this number.
    pub fn of_merchant(&self, mchid: &MchId) -> Option<&Arc<Account>> {
        self.by_mchid.get(mchid)
    }

    /// The account of this app, and the app.
    pub fn of_app(&self, appid: &AppId) -> Option<(&Arc<Account>, &App)> {
        let account = self.by_app.get(appid)?;
        Some((account, account.apps.iter().find(|app| app.appid == *appid)?))
    }

    /// The app of orders that name none.
    pub const fn default_app(&self) -> &AppId {
        &self.default_app
    }

    /// All accounts, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.by_mchid.values()
    }
}

impl Account {
    /// The keys of APIv2, where it has them.
    pub fn v2(&self) -> Option<v2::Account<'_>> {
        let V2Keys { key, sign_type } = self.v2.as_ref()?;
        Some(v2::Account { mch_id: &self.mchid, key, sign_type: *sign_type })
    }

    /// The keys of APIv3, where it has them.
    pub fn v3(&self) -> Option<v3::Account<'_>> {
        let V3Keys { signer, keys, api_v3_key, .. } = self.v3.as_ref()?;
        Some(v3::Account { signer, keys: keys.ring(), api_v3_key })
    }

    /// What it shows to WeChat, where APIv2 gives money back.
    pub(crate) const fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// WeChat's keys, where it has the keys of APIv3.
    pub(crate) fn keys(&self) -> Option<&Keys> {
        self.v3.as_ref().map(|v3| &v3.keys)
    }

    /// The certificates that are configured: the merchant's own first, then WeChat's.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        let of_v2 = self.v3.is_none().then_some(self.identity.as_ref()).flatten();
        let of_v3 = self.v3.iter().flat_map(|v3| &v3.certificates);
        of_v2.map(Identity::certificate).into_iter().chain(of_v3)
    }

    /// The certificates that are configured and expire within thirty days. `now` is in unix seconds.
    pub(crate) fn expiring(&self, now: i64) -> Vec<Problem> {
        let soon =
            self.certificates().filter(|one| one.not_after < now.saturating_add(EXPIRES_SOON));
        soon.map(|certificate| Problem {
            mchid: self.mchid.clone(),
            code: "SP-CERT-EXPIRES",
            detail: format!(
                "certificate {} ({}) is valid until {}",
                certificate.serial,
                certificate.subject,
                beijing_rfc3339(certificate.not_after)
            ),
            remedy: "get the new one from the merchant platform (API 安全) and configure it",
        })
        .collect()
    }

    /// `None` where something is wrong: then it is among the mistakes, with all else that is wrong with this account.
    fn load(config: &Config, merchant: &MerchantConfig, mistakes: &mut Vec<Error>) -> Option<Self> {
        let before = mistakes.len();
        let mut keep = Keep(mistakes);
        let apps: Vec<_> = merchant
            .apps
            .iter()
            .filter_map(|app| keep.good(App::load(config, merchant, app)))
            .collect();
        let v2 = keep.good(V2Keys::load(config, merchant));
        let mchid = keep.good(MchId::parse(&merchant.mchid).map_err(text(merchant, "mchid")));
        let identity = mchid.as_ref().map(|mchid| Identity::load(config, merchant, mchid));
        let identity = identity.and_then(|read| keep.good(read));
        let v3 = mchid
            .as_ref()
            .zip(identity.as_ref())
            .map(|(mchid, identity)| V3Keys::load(config, merchant, mchid, identity.as_ref()));
        let v3 = v3.and_then(|read| keep.good(read));
        // What could not be read was named already, and is not missing.
        keep.good(whole(
            merchant,
            v2.as_ref().map(Option::is_some),
            v3.as_ref().map(Option::is_some),
        ));
        if before < mistakes.len() {
            return None;
        }
        let mchid = mchid?;
        Some(Self {
            name: merchant.name.clone().unwrap_or_else(|| mchid.to_string()),
            api: merchant.api,
            apps,
            v2: v2?,
            v3: v3?,
            identity: identity?,
            mchid,
        })
    }
}

/// What can be used, and a note of what cannot.
struct Keep<'a>(&'a mut Vec<Error>);

impl Keep<'_> {
    fn good<T>(&mut self, read: Result<T, Error>) -> Option<T> {
        read.map_err(|mistake| self.0.push(mistake)).ok()
    }
}

/// Whether the account has what its API needs. `None`: its keys could not be read.
fn whole(merchant: &MerchantConfig, v2: Option<bool>, v3: Option<bool>) -> Result<(), Error> {
    if merchant.mode == MerchantMode::Direct && merchant.sp_appid.is_some() {
        return Err(wrong(merchant, "sp_appid", "it is of mode = \"partner\" only"));
    }
    match merchant.api {
        ApiVersion::V2 if v2 == Some(false) => {
            Err(wrong(merchant, "api_v2_key", "it is needed with api = \"v2\""))
        }
        ApiVersion::V3 if v3 == Some(false) => {
            let why = "it is needed with api = \"v3\", or merchant_p12";
            Err(wrong(merchant, "merchant_private_key", why))
        }
        _ if merchant.apps.is_empty() => Err(wrong(merchant, "apps", "at least one is needed")),
        ApiVersion::V2 | ApiVersion::V3 => Ok(()),
    }
}

impl App {
    fn load(config: &Config, merchant: &MerchantConfig, app: &AppConfig) -> Result<Self, Error> {
        let place = format!("merchants[{}].apps[{}].secret", merchant.mchid, app.appid);
        let secret = config.secret(&place, app.secret.as_ref(), app.secret_file.as_deref())?;
        let secret = secret.ok_or_else(|| wrong(merchant, "apps.secret", "it is missing"))?;
        let appid = AppId::parse(&app.appid).map_err(text(merchant, "apps.appid"))?;
        Ok(Self {
            partner: partner_ids(merchant, app, &appid)?,
            appid,
            secret: AppSecret::parse(secret.expose()).map_err(text(merchant, "apps.secret"))?,
            shipping: app.shipping,
        })
    }
}

/// Under which ids the orders of an app are placed; none for a direct merchant.
fn partner_ids(
    merchant: &MerchantConfig,
    app: &AppConfig,
    appid: &AppId,
) -> Result<Option<PartnerIds>, Error> {
    let sub_mchid = match (merchant.mode, &app.sub_mchid) {
        (MerchantMode::Direct, None) if app.owner == AppOwner::Partner => return Ok(None),
        (MerchantMode::Direct, None) => {
            return Err(wrong(merchant, "apps.owner", "it is of mode = \"partner\" only"));
        }
        (MerchantMode::Direct, Some(_)) => {
            return Err(wrong(merchant, "apps.sub_mchid", "it is of mode = \"partner\" only"));
        }
        (MerchantMode::Partner, None) => {
            let why = "it is needed with mode = \"partner\": whose orders are paid in this app?";
            return Err(wrong(merchant, "apps.sub_mchid", why));
        }
        (MerchantMode::Partner, Some(sub_mchid)) => {
            MchId::parse(sub_mchid).map_err(text(merchant, "apps.sub_mchid"))?
        }
    };
    let sp_appid = match (app.owner, &merchant.sp_appid) {
        (AppOwner::Partner, _) => appid.clone(),
        (AppOwner::SubMerchant, Some(sp_appid)) => {
            AppId::parse(sp_appid).map_err(text(merchant, "sp_appid"))?
        }
        (AppOwner::SubMerchant, None) => {
            let why =
                "it is needed with owner = \"sub_merchant\": orders name an app of the partner too";
            return Err(wrong(merchant, "sp_appid", why));
        }
    };
    Ok(Some(PartnerIds { sp_appid, sub_mchid }))
}

impl V2Keys {
    fn load(config: &Config, merchant: &MerchantConfig) -> Result<Option<Self>, Error> {
        let (inline, file) = (merchant.api_v2_key.as_ref(), merchant.api_v2_key_file.as_deref());
        let Some(key) = secret(config, merchant, "api_v2_key", inline, file)? else {
            return Ok(None);
        };
        let word = merchant.v2_sign_type.as_deref().unwrap_or("MD5");
        Ok(Some(Self {
            key: ApiV2Key::parse(key.expose()).map_err(text(merchant, "api_v2_key"))?,
            sign_type: SignType::parse(word)
                .ok_or_else(|| wrong(merchant, "v2_sign_type", "write MD5 or HMAC-SHA256"))?,
        }))
    }
}

impl V3Keys {
    fn load(
        config: &Config,
        merchant: &MerchantConfig,
        mchid: &MchId,
        identity: Option<&Identity>,
    ) -> Result<Option<Self>, Error> {
        let Some(identity) = identity else { return Ok(None) };
        let sealed = merchant.api_v3_key.is_some() || merchant.api_v3_key_file.is_some();
        if merchant.api == ApiVersion::V2 && !sealed {
            // Certificate and key are there for the refunds of APIv2 alone.
            return Ok(None);
        }
        let (key, certificate) = (identity.private_key(merchant)?, identity.certificate.clone());

        let (inline, file) = (merchant.api_v3_key.as_ref(), merchant.api_v3_key_file.as_deref());
        let api_v3_key = secret(config, merchant, "api_v3_key", inline, file)?;
        let why = "it is needed beside merchant_private_key";
        let api_v3_key = api_v3_key.ok_or_else(|| wrong(merchant, "api_v3_key", why))?;
        let (ring, platform) = key_ring(config, merchant, &certificate.serial)?;
        // A merchant with the public key alone has none to fetch, unless a message says otherwise.
        let certified = !platform.is_empty() || ring.preferred().is_none();
        let scheduled = merchant.api == ApiVersion::V3 && certified;
        let serial = certificate.serial.clone();
        Ok(Some(Self {
            keys: Keys::new(ring, scheduled),
            signer: Signer { mchid: mchid.clone(), serial, key },
            certificates: std::iter::once(certificate).chain(platform).collect(),
            api_v3_key: ApiV3Key::parse(api_v3_key.expose())
                .map_err(text(merchant, "api_v3_key"))?,
        }))
    }
}

/// WeChat's keys: platform certificates, the WeChat Pay public key, both, or none yet: then the
/// certificates are fetched.
fn key_ring(
    config: &Config,
    merchant: &MerchantConfig,
    own_serial: &Serial,
) -> Result<(KeyRing, Vec<Certificate>), Error> {
    let (mut keys, mut platform) = (KeyRing::new(), Vec::new());
    for pem in &merchant.platform_certificates {
        let certificate = read_certificate(config, merchant, "platform_certificates", pem)?;
        let whose = match certificate.merchant() {
            _ if certificate.serial == *own_serial => Some("the merchant's own".to_owned()),
            Some(other) => Some(format!("merchant {other}'s API")),
            None => None,
        };
        if let Some(whose) = whose {
            let why = format!(
                "{pem} is {whose} certificate; WeChat's platform certificate belongs here, or nothing: it is fetched"
            );
            return Err(wrong(merchant, "platform_certificates", why));
        }
        platform.push(certificate.clone());
        keys = keys.with_certificate(certificate);
    }
    match (&merchant.wechatpay_public_key_id, &merchant.wechatpay_public_key) {
        (Some(id), Some(pem)) => {
            let id = Serial::normalised(id).map_err(text(merchant, "wechatpay_public_key_id"))?;
            let pem = read(config, merchant, "wechatpay_public_key", pem)?;
            let key = PublicKey::from_pem(&pem).map_err(of(merchant, "wechatpay_public_key"))?;
            keys = keys.with_key(id, key);
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            let why = "wechatpay_public_key and wechatpay_public_key_id go together";
            return Err(wrong(merchant, "wechatpay_public_key", why));
        }
    }
    Ok((keys, platform))
}

fn secret(
    config: &Config,
    merchant: &MerchantConfig,
    name: &str,
    inline: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<Secret>, Error> {
    config.secret(&format!("merchants[{}].{name}", merchant.mchid), inline, file)
}

fn read(
    config: &Config,
    merchant: &MerchantConfig,
    name: &str,
    pem: &Pem,
) -> Result<String, Error> {
    config.pem(&format!("merchants[{}].{name}", merchant.mchid), pem)
}

fn read_certificate(
    config: &Config,
    merchant: &MerchantConfig,
    name: &'static str,
    pem: &Pem,
) -> Result<Certificate, Error> {
    let pem = read(config, merchant, name, pem)?;
    Certificate::from_pem(&pem).map_err(of(merchant, name))
}

fn wrong(merchant: &MerchantConfig, name: &str, why: impl Into<String>) -> Error {
    Error::Config { place: format!("merchants[{}].{name}", merchant.mchid), why: why.into() }
}

fn text<'a>(
    merchant: &'a MerchantConfig,
    name: &'static str,
) -> impl FnOnce(TextError) -> Error + 'a {
    move |error| wrong(merchant, name, error.to_string())
}

fn of<'a>(
    merchant: &'a MerchantConfig,
    name: &'static str,
) -> impl FnOnce(suanpan_wechat::Error) -> Error + 'a {
    move |error| wrong(merchant, name, error.to_string())
}

/// Thirty days, in seconds.
const EXPIRES_SOON: i64 = 30 * 24 * 3600;

#[cfg(test)]
mod tests;
