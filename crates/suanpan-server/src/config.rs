//! The configuration: `config.default.toml` says what there is and what it means.
//!
//! Read once, at start: defaults, then the file, then `SUANPAN_*`. A name that
//! nobody knows is an error, since a setting that is silently ignored costs a
//! night. Secrets are masked in every print.

mod people;
mod secret;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::{Actual, Kind};
use figment::providers::{Env, Format, Toml};
use serde::Deserialize;

pub use self::people::{ConsoleConfig, RefundsConfig};
pub use self::secret::Secret;
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
    pub trusted_proxies: Vec<IpAddr>,
    /// The longest time to finish after a signal.
    pub shutdown_seconds: u64,
}

/// Where rows are kept.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:PATH`, or `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub url: String,
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
    pub merchant_certificate: Option<PathBuf>,
    /// `apiclient_key.pem`.
    pub merchant_private_key: Option<PathBuf>,
    /// `apiclient_cert.p12`: both of them in one file.
    pub merchant_p12: Option<PathBuf>,
    /// Its password; absent: the merchant number.
    pub merchant_p12_password: Option<Secret>,
    /// The file that holds it.
    pub merchant_p12_password_file: Option<PathBuf>,
    /// `PUB_KEY_ID_…`.
    pub wechatpay_public_key_id: Option<String>,
    /// `pub_key.pem`.
    pub wechatpay_public_key: Option<PathBuf>,
    /// WeChat's platform certificates.
    #[serde(default)]
    pub platform_certificates: Vec<PathBuf>,
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
    /// Reads defaults, file and environment.
    ///
    /// # Errors
    /// [`Error::Config`], which names the setting and where it came from.
    pub fn load(file: &Path) -> Result<Self, Error> {
        if !file.is_file() {
            let why = "there is no such file".to_owned();
            return Err(Error::Config { place: file.display().to_string(), why });
        }
        let layers = Figment::from(Toml::string(DEFAULTS))
            .merge(Toml::file_exact(file))
            // Only names of a setting: SUANPAN_LOG and SUANPAN_BIN are for others.
            .merge(
                Env::prefixed("SUANPAN_").filter(|name| name.as_str().contains("__")).split("__"),
            );
        Self::extract(&layers, file.parent().unwrap_or_else(|| Path::new(".")))
    }

    /// Reads defaults and this text, as if it were a file in `base`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, base: &Path) -> Result<Self, Error> {
        Self::extract(&Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(text)), base)
    }

    fn extract(layers: &Figment, base: &Path) -> Result<Self, Error> {
        let mut config: Self = layers.extract().map_err(|error| {
            let source = error.metadata.as_ref().map(|from| from.name.to_string());
            let place = [source, Some(error.path.join("."))].into_iter().flatten();
            let place: Vec<_> = place.filter(|part| !part.is_empty()).collect();
            Error::Config { place: place.join(", "), why: without_values(&error.kind) }
        })?;
        base.clone_into(&mut config.base);
        config.in_range()?;
        Ok(config)
    }

    /// A server that takes no request, or waits for none, would start and do nothing.
    fn in_range(&self) -> Result<(), Error> {
        let bytes = u64::try_from(self.server.max_body_bytes).unwrap_or(u64::MAX);
        let requests = u64::try_from(self.server.max_concurrent_requests).unwrap_or(u64::MAX);
        let connections = u64::try_from(self.server.max_connections).unwrap_or(u64::MAX);
        let ranges = [
            ("server.max_body_bytes", bytes, 1024, 16 * 1024 * 1024),
            ("server.max_concurrent_requests", requests, 1, 65_536),
            ("server.max_connections", connections, 1, 1_048_576),
            // An Idempotency-Key is free again after a minute: no request may run as long.
            ("server.request_timeout_seconds", self.server.request_timeout_seconds, 1, 50),
            ("server.shutdown_seconds", self.server.shutdown_seconds, 1, 3600),
            ("wechat.connect_timeout_seconds", self.wechat.connect_timeout_seconds, 1, 20),
            ("wechat.timeout_seconds", self.wechat.timeout_seconds, 1, 20),
            // WeChat makes no bill earlier.
            ("reconciliation.hour", u64::from(self.reconciliation.hour), 10, 23),
        ];
        for (place, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                let why = format!("must be {least} to {most}");
                return Err(Error::Config { place: place.to_owned(), why });
            }
        }
        if let Some(origin) =
            self.server.cors_origins.iter().find(|origin| !is_origin(origin.as_str()))
        {
            let why = format!("{origin:?} is not an origin such as https://shop.example.com");
            return Err(Error::Config { place: "server.cors_origins".to_owned(), why });
        }
        Ok(())
    }

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

/// What is wrong with a setting, without the setting: it may be a secret.
fn without_values(kind: &Kind) -> String {
    // The parser shows the line that it stumbled over, marked by `|`.
    if let Kind::Message(text) = kind {
        let shown = text.lines().filter(|line| !line.contains('|') && !line.trim().is_empty());
        return shown.collect::<Vec<_>>().join(": ");
    }
    if let Kind::InvalidType(found, wanted) = kind {
        return format!("it is {}, and should be {wanted}", form(found));
    }
    if let Kind::InvalidValue(_, wanted) = kind {
        return format!("it should be {wanted}");
    }
    kind.to_string()
}

/// The kind of a value.
const fn form(found: &Actual) -> &'static str {
    if matches!(found, Actual::Str(_) | Actual::Char(_)) {
        "a text"
    } else if matches!(found, Actual::Unsigned(_) | Actual::Signed(_)) {
        "a number"
    } else {
        "something else"
    }
}

/// Scheme, host and port, and nothing behind them: what a browser sends as `Origin`.
fn is_origin(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| url.origin().is_tuple() && url.origin().ascii_serialization() == text)
}
