//! `DIR/suanpan.toml`: a server that is set up against this simulator.
//!
//! Written anew at each start, since the port may have changed: change a copy.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::credentials::{Api, Credentials, MerchantEntry, Mode};
use crate::{Error, files};

const HEAD: &str = "\
# A Suanpan server against this simulator: `suanpan serve --config suanpan.toml`.
# Written anew whenever the simulator starts; to change it, make a copy.
# `server.public_url` is left out: http:// and the address that is listened on.

";

/// Only the first merchants: one of each API.
const MERCHANTS: usize = 2;

#[derive(Serialize)]
struct File<'a> {
    server: Server<'a>,
    database: Database,
    wechat: Wechat<'a>,
    webhooks: Webhooks,
    merchants: Vec<Merchant<'a>>,
}

#[derive(Serialize)]
struct Server<'a> {
    listen: String,
    /// The phone calls the server from its own page.
    cors_origins: [&'a str; 1],
}

#[derive(Serialize)]
struct Database {
    url: &'static str,
}

#[derive(Serialize)]
struct Wechat<'a> {
    merchant_hosts: [&'a str; 1],
    platform_host: &'a str,
}

#[derive(Serialize)]
struct Webhooks {
    allow_private_networks: bool,
}

#[derive(Serialize)]
struct Merchant<'a> {
    mchid: &'a str,
    name: &'a str,
    api: Api,
    api_v2_key: &'a str,
    api_v3_key: &'a str,
    merchant_certificate: PathBuf,
    merchant_private_key: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    wechatpay_public_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wechatpay_public_key: Option<PathBuf>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    platform_certificates: Vec<PathBuf>,
    apps: Vec<App<'a>>,
}

#[derive(Serialize)]
struct App<'a> {
    appid: &'a str,
    secret: &'a str,
}

/// The file.
pub(crate) fn path(data: &Path) -> PathBuf {
    crate::credentials::path(data).with_file_name("suanpan.toml")
}

/// Writes it. Paths in it are relative to the file, so that the folder can be moved.
pub(crate) fn write(
    data: &Path,
    listen: SocketAddr,
    credentials: &Credentials,
) -> Result<(), Error> {
    let path = path(data);
    let base_url = credentials.base_url.as_str();
    let file = File {
        server: Server { listen: listen.to_string(), cors_origins: [base_url] },
        database: Database { url: "sqlite:suanpan.db" },
        wechat: Wechat { merchant_hosts: [base_url], platform_host: base_url },
        webhooks: Webhooks { allow_private_networks: true },
        merchants: credentials
            .merchants
            .iter()
            .take(MERCHANTS)
            .map(|entry| merchant(entry, credentials))
            .collect(),
    };
    let text = toml::to_string(&file)
        .map_err(|cause| Error::Content { path: path.clone(), why: cause.to_string() })?;
    files::write_private(&path, format!("{HEAD}{text}").as_bytes())
}

fn merchant<'a>(entry: &'a MerchantEntry, credentials: &'a Credentials) -> Merchant<'a> {
    let relative = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        Path::new("keys").join(&entry.mchid).join(name)
    };
    let key = Some(entry).filter(|entry| Mode::has_public_key(entry.mode));
    let apps = credentials.apps.iter().filter(|app| entry.apps.contains(&app.appid));
    let certificates = entry.platform_certificates.iter();
    Merchant {
        mchid: &entry.mchid,
        name: &entry.name,
        api: entry.api,
        api_v2_key: &entry.api_v2_key,
        api_v3_key: &entry.api_v3_key,
        merchant_certificate: relative(&entry.merchant_certificate),
        merchant_private_key: relative(&entry.merchant_private_key),
        wechatpay_public_key_id: key.map(|entry| entry.wechatpay_public_key_id.as_str()),
        wechatpay_public_key: key.map(|entry| relative(&entry.wechatpay_public_key)),
        platform_certificates: certificates.map(|platform| relative(&platform.path)).collect(),
        apps: apps.map(|app| App { appid: &app.appid, secret: &app.secret }).collect(),
    }
}
