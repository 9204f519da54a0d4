//! The configuration: `config.default.toml` says what there is and what it means.
//!
//! Defaults first, then the file, then `SUANPAN_*`. A name that nobody knows is
//! an error, since a setting that is silently ignored costs a night; all
//! mistakes are told at once, each with its line. Secrets are masked in every
//! print.
//!
//! ```text
//! load.rs ── value.rs        the text as a tree that knows where each value stands
//!    │   └── environment.rs  the variables over it
//!    ├────── reader.rs       from the tree to these types
//!    ├────── mistake.rs      what is wrong, where, and what was perhaps meant
//!    └────── range.rs        what no type can say
//! ```

mod environment;
mod load;
mod mistake;
mod network;
mod pem;
mod people;
mod range;
mod reader;
mod secret;
mod telemetry;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub(crate) use self::load::Settings;
pub use self::load::settings;
pub use self::mistake::{Mistake, Mistakes, Place};
pub use self::network::{Network, NoNetwork};
pub use self::pem::Pem;
pub use self::people::{ConsoleConfig, RefundsConfig};
pub use self::secret::Secret;
pub use self::telemetry::TelemetryConfig;
use crate::Error;
use crate::shipment::ShippingPolicy;

/// The defaults, which are the documentation too.
pub const DEFAULTS: &str = include_str!("config.default.toml");

/// All settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How we are reached.
    pub server: ServerConfig,
    /// Where rows are kept.
    pub database: DatabaseConfig,
    /// What is written to the log.
    pub log: LogConfig,
    /// Traces for a collector.
    pub telemetry: TelemetryConfig,
    /// How WeChat is reached.
    pub wechat: WechatConfig,
    /// The rules of orders.
    pub orders: OrdersConfig,
    /// How the merchant's systems are told.
    pub webhooks: WebhooksConfig,
    /// How often one address may ask.
    pub limits: LimitsConfig,
    /// How the days are compared with WeChat's bills.
    pub reconciliation: ReconciliationConfig,
    /// What is kept for how long.
    pub retention: RetentionConfig,
    /// The operators' console.
    pub console: ConsoleConfig,
    /// Money that goes back.
    pub refunds: RefundsConfig,
    /// The merchant accounts.
    #[serde(default)]
    pub merchants: Vec<MerchantConfig>,
    /// Where relative paths start: the directory of the file.
    #[serde(skip)]
    pub base: PathBuf,
    /// What was set, to compare with what is set later.
    #[serde(skip)]
    pub(crate) settings: Settings,
}

/// How we are reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Scheme, host and port by which WeChat reaches us.
    pub public_url: Option<String>,
    /// Web origins that may call `/miniprogram/*`.
    pub cors_origins: Vec<String>,
    /// The longest request body.
    pub max_body_bytes: usize,
    /// The longest time for one request.
    pub request_timeout_seconds: u64,
    /// The most requests at a time.
    pub max_concurrent_requests: usize,
    /// The most connections at a time.
    pub max_connections: usize,
    /// The reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// The longest time to finish after a signal.
    pub shutdown_seconds: u64,
}

/// Where rows are kept.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:PATH`, or `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub url: String,
    /// The file that holds it, since it may hold a password.
    pub url_file: Option<PathBuf>,
}

/// Without the password.
impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = crate::store::without_password(&self.url);
        f.debug_struct("DatabaseConfig").field("url", &url).finish()
    }
}

/// What is written to the log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// For people or for machines.
    pub format: LogFormat,
    /// A filter such as `info` or `suanpan_server=debug`.
    pub level: String,
}

/// For whom the log is written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line a step.
    Human,
    /// One JSON object a line.
    Json,
}

/// How WeChat is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatConfig {
    /// The hosts of WeChat Pay, the first choice first.
    pub merchant_hosts: Vec<String>,
    /// The host of the mini program platform.
    pub platform_host: String,
    /// How long a host may take to accept a connection.
    pub connect_timeout_seconds: u64,
    /// How long a host may take to answer.
    pub timeout_seconds: u64,
    /// Plain http beyond loopback.
    pub allow_plain_http: bool,
    /// Further certificate authorities to trust.
    pub ca_certificates: Vec<PathBuf>,
}

/// The rules of orders.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrdersConfig {
    /// How long a `prepay_id` is signed again.
    pub prepay_seconds: i64,
    /// What becomes of money that is more than what is owed.
    pub extra_payment: ExtraPayment,
}

/// What becomes of a second payment of one order, and of a payment after its close. It is kept and told in any case.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum ExtraPayment {
    /// It goes back in full, at once and by itself.
    Refund,
    /// It stays until a person or the merchant's system decides.
    Hold,
}

/// How the merchant's systems are told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Whether private and loopback addresses may be called.
    pub allow_private_networks: bool,
    /// How long one delivery may take.
    pub timeout_seconds: u64,
    /// Endpoints that are always there.
    #[serde(default)]
    pub endpoints: Vec<EndpointConfig>,
}

/// How often one address may ask, where asking costs a call to WeChat.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// `POST /miniprogram/pay`.
    pub pay_per_minute: NonZeroU32,
    /// `POST /miniprogram/orders/{id}/confirm`.
    pub confirm_per_minute: NonZeroU32,
    /// Login codes that WeChat does not take.
    pub failed_logins_per_minute: NonZeroU32,
}

/// How the days are compared with WeChat's bills.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconciliationConfig {
    /// Whether each day is compared by itself.
    pub enabled: bool,
    /// From which hour of the next day on, in Beijing.
    pub hour: u8,
}

/// What is kept for how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionConfig {
    /// Notifications as they came.
    pub inbox_days: i64,
    /// Deliveries with their tries, and other work that is done.
    pub deliveries_days: i64,
    /// WeChat's bills as they came; what was found in them stays.
    pub bills_days: i64,
    /// Orders that have come to rest, before `suanpan archive` moves them; `None`: for ever.
    pub orders_days: Option<i64>,
    /// Where it moves them.
    pub archive_folder: Option<PathBuf>,
}

/// An endpoint that is always there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Where to deliver.
    pub url: String,
    /// The key that signs, `whsec_…`.
    pub secret: Option<Secret>,
    /// The file that holds the key.
    pub secret_file: Option<PathBuf>,
    /// Which events; absent: all.
    pub events: Option<Vec<String>>,
}

/// A merchant account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MerchantConfig {
    /// The merchant number.
    pub mchid: String,
    /// For people.
    pub name: Option<String>,
    /// Which API orders are placed by.
    pub api: ApiVersion,
    /// The APIv2 key.
    pub api_v2_key: Option<Secret>,
    /// The file that holds it.
    pub api_v2_key_file: Option<PathBuf>,
    /// `MD5` or `HMAC-SHA256`.
    pub v2_sign_type: Option<String>,
    /// The APIv3 key.
    pub api_v3_key: Option<Secret>,
    /// The file that holds it.
    pub api_v3_key_file: Option<PathBuf>,
    /// `apiclient_cert.pem`.
    pub merchant_certificate: Option<Pem>,
    /// `apiclient_key.pem`.
    pub merchant_private_key: Option<Pem>,
    /// `apiclient_cert.p12`: both of them in one file.
    pub merchant_p12: Option<PathBuf>,
    /// Its password; absent: the merchant number.
    pub merchant_p12_password: Option<Secret>,
    /// The file that holds it.
    pub merchant_p12_password_file: Option<PathBuf>,
    /// `PUB_KEY_ID_…`.
    pub wechatpay_public_key_id: Option<String>,
    /// `pub_key.pem`.
    pub wechatpay_public_key: Option<Pem>,
    /// WeChat's platform certificates.
    #[serde(default)]
    pub platform_certificates: Vec<Pem>,
    /// Whether it sells itself, or for sub-merchants (服务商).
    #[serde(default)]
    pub mode: MerchantMode,
    /// The partner's own app, for apps that are the sub-merchants'.
    pub sp_appid: Option<String>,
    /// The mini programs bound to it.
    pub apps: Vec<AppConfig>,
}

/// For whom a merchant account sells.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum MerchantMode {
    /// For itself.
    #[default]
    Direct,
    /// For the sub-merchants that its apps name.
    Partner,
}

/// Whose a mini program is, in partner mode.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum AppOwner {
    /// The partner's: payers are known as `sp_openid`.
    #[default]
    Partner,
    /// The sub-merchant's own: payers are known as `sub_openid`.
    SubMerchant,
}

/// A mini program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// Its id.
    pub appid: String,
    /// Partner mode: the sub-merchant whose orders are paid in it.
    pub sub_mchid: Option<String>,
    /// Partner mode: whose it is.
    #[serde(default)]
    pub owner: AppOwner,
    /// Its `AppSecret`.
    pub secret: Option<Secret>,
    /// The file that holds it.
    pub secret_file: Option<PathBuf>,
    /// Who says what is shipped for a paid order.
    #[serde(default)]
    pub shipping: ShippingPolicy,
}

/// Which API a merchant account speaks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum ApiVersion {
    /// XML, MD5 or HMAC-SHA256.
    V2,
    /// JSON, RSA.
    V3,
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V2 => "v2",
            Self::V3 => "v3",
        })
    }
}

impl Config {
    /// The folder of archived orders.
    pub fn archive_folder(&self) -> Option<PathBuf> {
        self.retention.archive_folder.as_deref().map(|folder| self.path(folder))
    }

    /// A path of the configuration, from where it is meant.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// The bytes of a file that the configuration names.
    pub(crate) fn read_bytes(&self, place: &str, file: &Path) -> Result<Vec<u8>, Error> {
        let path = self.path(file);
        std::fs::read(&path).map_err(|cause| Error::Config {
            place: place.to_owned(),
            why: format!("{}: {cause}", path.display()),
        })
    }

    /// A certificate or a key, from its file where it is in one.
    pub(crate) fn pem(&self, place: &str, pem: &Pem) -> Result<String, Error> {
        let file = match pem {
            Pem::Text(text) => return Ok(text.expose().to_owned()),
            Pem::File(file) => file,
        };
        let text = self.read(place, file)?;
        // `echo "$KEY" > key.pem` leaves them so, and no parser says why it finds nothing.
        if text.trim_start().starts_with("-----BEGIN") && text.contains("\\n") {
            return Err(Error::Config {
                place: place.to_owned(),
                why: format!(
                    "{}: its lines end in the two characters \\n; write it once more by printf '%b' \"$KEY\" > FILE",
                    self.path(file).display()
                ),
            });
        }
        Ok(text)
    }

    /// A secret that is written here or in a file.
    pub(crate) fn secret(
        &self,
        place: &str,
        text: Option<&Secret>,
        file: Option<&Path>,
    ) -> Result<Option<Secret>, Error> {
        match (text, file) {
            (Some(_), Some(_)) => Err(Error::Config {
                place: place.to_owned(),
                why: format!("write {place} or {place}_file, not both"),
            }),
            (Some(text), None) => Ok(Some(text.clone())),
            (None, Some(file)) => {
                self.read(place, file).map(|text| Some(Secret::new(text.trim().to_owned())))
            }
            (None, None) => Ok(None),
        }
    }

    /// The text of a file that the configuration names.
    pub(crate) fn read(&self, place: &str, file: &Path) -> Result<String, Error> {
        let path = self.path(file);
        std::fs::read_to_string(&path).map_err(|cause| Error::Config {
            place: place.to_owned(),
            why: format!("{}: {cause}", path.display()),
        })
    }
}
