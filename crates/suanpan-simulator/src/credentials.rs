//! `DIR/credentials.json`: who there is, and with which keys.
//!
//! Made at the first start and kept afterwards; only `base_url` and the folder in
//! the paths are written anew, since the port and the folder may change. Foreign
//! programs read this file, so its members are part of the contract.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::keys::{self, Authority, Certified};
use crate::{Error, Outside, dice, files};

/// The whole file.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Credentials {
    /// Where this run is served.
    pub(crate) base_url: String,
    /// The same over TLS, where that is served: refunds of APIv2 show the merchant's certificate there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tls_url: Option<String>,
    /// What vouches for the certificate of `tls_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tls_ca_certificate: Option<PathBuf>,
    /// The merchants; the first speaks APIv3 and the second APIv2 in `suanpan.toml`.
    pub(crate) merchants: Vec<MerchantEntry>,
    /// The mini programs.
    pub(crate) apps: Vec<AppEntry>,
    /// Those who have a phone.
    pub(crate) users: Vec<String>,
}

/// A merchant.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct MerchantEntry {
    pub(crate) mchid: String,
    pub(crate) name: String,
    /// What the merchant speaks in `suanpan.toml`. The gateway takes either of each.
    pub(crate) api: Api,
    pub(crate) mode: Mode,
    pub(crate) api_v2_key: String,
    pub(crate) api_v3_key: String,
    pub(crate) merchant_serial: String,
    pub(crate) merchant_certificate: PathBuf,
    pub(crate) merchant_private_key: PathBuf,
    /// Its password is the merchant number.
    pub(crate) merchant_p12: PathBuf,
    /// None in [`Mode::PublicKey`]; two during a rotation.
    pub(crate) platform_certificates: Vec<PlatformEntry>,
    /// In [`Mode::PlatformCertificate`] there already, but nothing is signed with it.
    pub(crate) wechatpay_public_key_id: String,
    pub(crate) wechatpay_public_key: PathBuf,
    pub(crate) apps: Vec<String>,
    /// Those that a partner (服务商) asks for; none makes it a direct merchant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sub_merchants: Vec<SubMerchantEntry>,
}

/// A sub-merchant (特约商户): it has no keys, its partner signs.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SubMerchantEntry {
    pub(crate) mchid: String,
    pub(crate) name: String,
    /// Its own mini programs; the partner's are for all of its sub-merchants.
    pub(crate) apps: Vec<String>,
}

/// A platform certificate.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct PlatformEntry {
    pub(crate) serial: String,
    pub(crate) path: PathBuf,
}

/// A mini program.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AppEntry {
    pub(crate) appid: String,
    pub(crate) secret: String,
}

/// The two versions of WeChat Pay.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Api {
    V2,
    V3,
}

/// How a merchant verifies what WeChat signs in APIv3.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// New merchants: one public key that never expires.
    PublicKey,
    /// Old merchants: certificates that are fetched and rotate.
    PlatformCertificate,
    /// On the way from the second to the first: messages come signed with either.
    Migrating,
}

impl Mode {
    pub(crate) const fn has_public_key(self) -> bool {
        matches!(self, Self::PublicKey | Self::Migrating)
    }

    pub(crate) const fn has_certificates(self) -> bool {
        matches!(self, Self::PlatformCertificate | Self::Migrating)
    }
}

/// The merchants of the first start: name, API, mode, number of platform certificates.
const SEED: [(&str, Api, Mode, usize); 5] = [
    ("算盘茶馆", Api::V3, Mode::PublicKey, 0),
    ("算盘书店", Api::V2, Mode::PlatformCertificate, 1),
    // In a rotation: two certificates are listed, and either may sign.
    ("算盘花店", Api::V3, Mode::PlatformCertificate, 2),
    ("算盘面馆", Api::V2, Mode::Migrating, 1),
    (PARTNER, Api::V3, Mode::PublicKey, 0),
];

/// The partner, and its sub-merchants: name, and whether it has a mini program of its own.
const PARTNER: &str = "算盘服务商";
const SUB_MERCHANTS: [(&str, bool); 2] = [("算盘包子铺", false), ("算盘糖水铺", true)];

impl Credentials {
    /// Loads them, or makes them; then writes the file for this run.
    pub(crate) fn open(
        data: &Path,
        base_url: &str,
        tls_url: Option<String>,
        now: i64,
        outside: &dyn Outside,
    ) -> Result<Self, Error> {
        let path = path(data);
        let mut credentials = if path.exists() {
            serde_json::from_str(&files::read(&path)?)
                .map_err(|cause| Error::Content { path: path.clone(), why: cause.to_string() })?
        } else {
            Self::make(data, now, outside)?
        };
        base_url.clone_into(&mut credentials.base_url);
        credentials.tls_ca_certificate = tls_url.as_ref().map(|_| crate::tls::ca_path(data));
        credentials.tls_url = tls_url;
        for merchant in &mut credentials.merchants {
            merchant.lay(data);
        }
        credentials.save(data)?;
        Ok(credentials)
    }

    fn make(data: &Path, now: i64, outside: &dyn Outside) -> Result<Self, Error> {
        let authority = Authority::new(now)?;
        let mut made = Self {
            base_url: String::new(),
            tls_url: None,
            tls_ca_certificate: None,
            merchants: Vec::new(),
            apps: Vec::new(),
            users: users(),
        };
        for (name, api, mode, certificates) in SEED {
            let app = AppEntry::make(outside);
            let platform = (0..certificates).map(|_| authority.platform(outside));
            let platform = platform.collect::<Result<Vec<_>, _>>()?;
            let mchid = format!("16{}", dice::digits(outside, 8));
            let own = authority.merchant(outside, &mchid, name)?;

            let mut merchant = MerchantEntry {
                name: name.to_owned(),
                api,
                mode,
                api_v2_key: dice::alphanumeric(outside, 32),
                api_v3_key: dice::alphanumeric(outside, 32),
                merchant_serial: own.serial.clone(),
                merchant_certificate: PathBuf::new(),
                merchant_private_key: PathBuf::new(),
                merchant_p12: PathBuf::new(),
                platform_certificates: platform
                    .iter()
                    .map(|made| PlatformEntry { serial: made.serial.clone(), path: PathBuf::new() })
                    .collect(),
                wechatpay_public_key_id: format!(
                    "PUB_KEY_ID_0{mchid}{}",
                    dice::digits(outside, 23)
                ),
                wechatpay_public_key: PathBuf::new(),
                apps: vec![app.appid.clone()],
                sub_merchants: Vec::new(),
                mchid,
            };
            merchant.lay(data);
            merchant.write(data, &own, &platform)?;
            made.merchants.push(merchant);
            made.apps.push(app);
        }
        made.make_sub_merchants(outside);
        Ok(made)
    }

    fn make_sub_merchants(&mut self, outside: &dyn Outside) {
        let Some(partner) = self.merchants.iter_mut().find(|one| one.name == PARTNER) else {
            return;
        };
        for (name, has_app) in SUB_MERCHANTS {
            let own = has_app.then(|| AppEntry::make(outside));
            partner.sub_merchants.push(SubMerchantEntry {
                mchid: format!("16{}", dice::digits(outside, 8)),
                name: name.to_owned(),
                apps: own.iter().map(|app| app.appid.clone()).collect(),
            });
            self.apps.extend(own);
        }
    }

    /// Writes the file.
    pub(crate) fn save(&self, data: &Path) -> Result<(), Error> {
        let path = path(data);
        let text = serde_json::to_string_pretty(self)
            .map_err(|cause| Error::Content { path: path.clone(), why: cause.to_string() })?;
        files::write_private(&path, format!("{text}\n").as_bytes())
    }
}

impl AppEntry {
    fn make(outside: &dyn Outside) -> Self {
        Self {
            appid: format!("wx{}", dice::hexadecimal(outside, 8)),
            secret: dice::hexadecimal(outside, 16),
        }
    }
}

impl MerchantEntry {
    /// Where the files lie, in this folder.
    fn lay(&mut self, data: &Path) {
        let folder = absolute(data).join("keys").join(&self.mchid);
        self.merchant_certificate = folder.join("apiclient_cert.pem");
        self.merchant_private_key = folder.join("apiclient_key.pem");
        self.merchant_p12 = folder.join("apiclient_cert.p12");
        self.wechatpay_public_key = folder.join("pub_key.pem");
        for platform in &mut self.platform_certificates {
            platform.path = folder.join(format!("wechatpay_{}.pem", platform.serial));
        }
    }

    /// Adds a new platform certificate, and writes its files.
    pub(crate) fn certify(&mut self, data: &Path, made: &Certified) -> Result<(), Error> {
        let serial = made.serial.clone();
        self.platform_certificates.push(PlatformEntry { serial, path: PathBuf::new() });
        self.lay(data);
        if let Some(entry) = self.platform_certificates.last() {
            files::write_private(&entry.path, made.certificate.as_bytes())?;
        }
        files::write_private(&wechat_key(data, &made.serial), made.private_key.as_bytes())
    }

    /// Writes the merchant's files, and WeChat's half of the keys.
    fn write(&self, data: &Path, own: &Certified, platform: &[Certified]) -> Result<(), Error> {
        if let Some(folder) = self.merchant_certificate.parent() {
            files::make_folder(folder)?;
        }
        files::make_folder(&data.join("wechat"))?;
        files::write_private(&self.merchant_certificate, own.certificate.as_bytes())?;
        files::write_private(&self.merchant_private_key, own.private_key.as_bytes())?;
        files::write_private(&self.merchant_p12, &own.p12)?;
        for (made, entry) in platform.iter().zip(&self.platform_certificates) {
            files::write_private(&entry.path, made.certificate.as_bytes())?;
            files::write_private(&wechat_key(data, &made.serial), made.private_key.as_bytes())?;
        }
        let pair = keys::pair()?;
        files::write_private(&self.wechatpay_public_key, pair.public_key.as_bytes())?;
        let private = wechat_key(data, &self.wechatpay_public_key_id);
        files::write_private(&private, pair.private_key.as_bytes())
    }
}

/// The file.
pub(crate) fn path(data: &Path) -> PathBuf {
    absolute(data).join("credentials.json")
}

/// What WeChat signs with under this name. Nobody but WeChat reads these.
pub(crate) fn wechat_key(data: &Path, serial: &str) -> PathBuf {
    data.join("wechat").join(format!("{serial}.pem"))
}

/// Paths are read from other folders than ours.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn users() -> Vec<String> {
    ["alice", "bob"].map(str::to_owned).to_vec()
}
