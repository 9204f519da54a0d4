//! What the merchant platform gives: `1900000109_20260101_cert.zip`, its folder, or the PEM file beside the key.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use suanpan_server::client::wechat::v3::{Certificate, PrivateKey, PublicKey};

/// The merchant's certificate and its key, which are a pair.
pub(super) struct Proof {
    pub(super) certificate: Certificate,
    /// PEM. Secret.
    pub(super) private_key: String,
}

impl Proof {
    /// Reads them; the error says in both languages what is wrong.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let (certificate, key) = if path.is_dir() {
            (text(&path.join(CERTIFICATE))?, text(&path.join(KEY))?)
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
            (zipped(path, CERTIFICATE)?, zipped(path, KEY)?)
        } else {
            let key = path.with_file_name(KEY);
            (text(path)?, text(&key)?)
        };
        Self::pair(&certificate, key)
    }

    fn pair(certificate: &str, private_key: String) -> Result<Self, String> {
        let certificate = Certificate::from_pem(certificate)
            .map_err(|error| format!("{CERTIFICATE}: {error}"))?;
        let key = PrivateKey::from_pem(&private_key).map_err(|error| format!("{KEY}: {error}"))?;
        if certificate.merchant().is_none() {
            return Err(format!(
                "这不是商户 API 证书 / this is no merchant's API certificate: {}",
                certificate.subject
            ));
        }
        if certificate.public_key.verify("probe", PROBE, &key.sign(PROBE)).is_err() {
            return Err("证书和私钥不是一对 / certificate and key are not a pair".to_owned());
        }
        Ok(Self { certificate, private_key })
    }
}

/// The text of a public key.
pub(super) fn public_key(path: &Path) -> Result<String, String> {
    let pem = text(path)?;
    PublicKey::from_pem(&pem).map(|_| pem).map_err(|error| error.to_string())
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path)
        .map_err(|cause| format!("读不了 / cannot read {}: {cause}", path.display()))
}

/// A file of the archive, in whichever folder of it.
fn zipped(path: &Path, name: &str) -> Result<String, String> {
    let wrong = |cause: &dyn std::fmt::Display| format!("{}: {cause}", path.display());
    let file = fs::File::open(path).map_err(|cause| wrong(&cause))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|cause| wrong(&cause))?;
    let entry = archive.file_names().find_map(|entry| {
        let entry = entry.ok()?.into_owned();
        (entry.rsplit('/').next() == Some(name)).then_some(entry)
    });
    let entry = entry.ok_or_else(|| wrong(&format!("里面没有 / there is no {name} in it")))?;
    let entry = archive.by_name(&entry).map_err(|cause| wrong(&cause))?;
    let mut text = String::new();
    // Such files have a few kilobytes; a bomb has more.
    entry.take(LONGEST).read_to_string(&mut text).map_err(|cause| wrong(&cause))?;
    Ok(text)
}

const CERTIFICATE: &str = "apiclient_cert.pem";
const KEY: &str = "apiclient_key.pem";
const PROBE: &[u8] = b"suanpan";
/// In bytes.
const LONGEST: u64 = 64 * 1024;
