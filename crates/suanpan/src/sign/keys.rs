//! The keys at hand: of a configuration, of files, of variables. None is ever printed.

use std::path::Path;
use std::sync::Arc;

use suanpan_server::account::{Account, Accounts};
use suanpan_server::client::wechat::mistakes::{self, KeyKind, Keys, Message};
use suanpan_server::client::wechat::v3::{Certificate, PrivateKey, PublicKey};
use suanpan_server::config::Config;

use super::Say;
use super::given::Given;
use crate::cli::Sign;
use crate::problem::Problem;
use crate::serve;

/// A configuration with its accounts.
pub(super) struct Configured {
    config: Config,
    accounts: Accounts,
}

/// The keys for one message.
pub(super) struct AtHand {
    pub(super) keys: Keys,
    /// The right signature, where the key that makes it is at hand.
    pub(super) signature: Option<String>,
    /// The merchant whose keys were taken.
    pub(super) mchid: Option<String>,
}

/// The accounts of a configuration.
pub(super) fn accounts(file: &Path) -> Result<Configured, Problem> {
    let config = serve::load(file, None)?;
    let accounts = Accounts::load(&config).map_err(|error| Problem::server_setup(&error))?;
    Ok(Configured { config, accounts })
}

/// The app of a second sign that names none.
pub(super) fn default_app(configured: &Configured) -> Option<String> {
    Some(configured.accounts.default_app().to_string())
}

impl AtHand {
    /// Those of the files and variables first, then those of the configuration.
    pub(super) fn find(
        arguments: &Sign,
        configured: Option<&Configured>,
        given: &mut Given,
    ) -> Result<Self, Problem> {
        let mut at_hand = Self { keys: Keys::new(), signature: None, mchid: None };
        for file in &arguments.key_file {
            let text = std::fs::read_to_string(file).map_err(|cause| {
                Problem::machine(format!("the key file {} cannot be read", file.display()), &cause)
            })?;
            at_hand.add(&text, &file.display().to_string(), given)?;
        }
        for name in &arguments.key_env {
            let text = std::env::var(name)
                .map_err(|_| Problem::usage(format!("the variable {name} is not set")))?;
            at_hand.add(&text, name, given)?;
        }
        if let Some(configured) = configured {
            at_hand.add_configured(configured, arguments.account.as_deref(), given)?;
        }
        let secret = mistakes::sign(&given.message, &at_hand.keys);
        at_hand.signature = at_hand.signature.or(secret);
        Ok(at_hand)
    }

    /// The signature by a private key; the first that comes is the right one.
    fn sign(&mut self, key: &PrivateKey, given: &Given) {
        let text = mistakes::text_to_sign(&given.message, "");
        self.signature.get_or_insert_with(|| key.sign(&text));
    }

    /// A key that somebody gave: its text says what it is.
    fn add(&mut self, text: &str, of: &str, given: &Given) -> Result<(), Problem> {
        let wanted = given.message.signed_by();
        let rsa = if wanted == KeyKind::Platform { KeyKind::Platform } else { KeyKind::Merchant };
        let broken = |cause: &dyn std::fmt::Display| Problem {
            cause: Some(cause.to_string()),
            ..Problem::usage(format!("the key of {of} cannot be used"))
        };
        if text.contains("PRIVATE KEY") {
            let key = PrivateKey::from_pem(text).map_err(|cause| broken(&cause))?;
            self.keys.public(rsa, of, key.public_key().map_err(|cause| broken(&cause))?);
            if wanted == rsa {
                self.sign(&key, given);
            }
        } else if text.contains("CERTIFICATE") {
            let certificate = Certificate::from_pem(text).map_err(|cause| broken(&cause))?;
            let kind = match certificate.merchant() {
                Some(_) => KeyKind::Merchant,
                None if certificate.subject.contains("Tenpay.com") => KeyKind::Platform,
                // It does not say: then it is what is wanted.
                None => rsa,
            };
            self.keys.public(kind, certificate.serial.as_str(), certificate.public_key);
        } else if text.contains("PUBLIC KEY") {
            self.keys.public(rsa, of, PublicKey::from_pem(text).map_err(|cause| broken(&cause))?);
        } else if matches!(wanted, KeyKind::Merchant | KeyKind::Platform)
            && !matches!(given.message, Message::Payment { .. })
        {
            let what = "apiclient_key.pem, a certificate or pub_key.pem";
            return Err(broken(&format!(
                "it is no PEM, and this message is signed with RSA: give {what}"
            )));
        } else {
            let kind = if wanted == KeyKind::Webhook { wanted } else { KeyKind::ApiV2 };
            // As a file ends, not as a key does.
            self.keys.secret(kind, of, text.trim_end_matches(['\r', '\n']));
        }
        Ok(())
    }

    /// All keys of a configuration, those of the account that is meant first.
    fn add_configured(
        &mut self,
        configured: &Configured,
        account: Option<&str>,
        given: &mut Given,
    ) -> Result<(), Problem> {
        let all: Vec<&Arc<Account>> = configured.accounts.iter().collect();
        let of = |mchid: &str| all.iter().find(|one| one.mchid.as_str() == mchid);
        let meant = match (account, &given.mchid, &given.appid) {
            (Some(account), _, _) => Some(of(account).ok_or_else(|| {
                let known: Vec<_> = all.iter().map(|one| one.mchid.as_str()).collect();
                Problem::usage(format!(
                    "there is no account {account}; configured are {}",
                    known.join(", ")
                ))
            })?),
            (None, Some(mchid), _) => of(mchid),
            (None, None, Some(appid)) => {
                all.iter().find(|one| one.apps.iter().any(|app| app.appid.as_str() == appid))
            }
            // An answer names no merchant, but a key that one of them has.
            (None, None, None) => all.iter().find(|one| has_key(one, given.serial.as_deref())),
        };
        let answer = matches!(given.message, Message::Answer { .. });
        if let (true, Some(serial), true) = (answer, &given.serial, self.keys.is_empty())
            && !all.iter().any(|one| has_key(one, Some(serial)))
        {
            given.notes.push(Say::new(
                format!("报文头里的 Wechatpay-Serial（{serial}）不在配置的密钥里：用 --key-file 给出那把公钥或证书"),
                format!("Wechatpay-Serial names {serial}, which is not configured: give that public key or certificate by --key-file"),
            ));
        }
        if let (None, Some(mchid)) = (meant, &given.mchid) {
            given.notes.push(Say::new(
                format!("配置里没有商户 {mchid}：下面用的是别的商户的密钥"),
                format!("merchant {mchid} is not configured: the keys below are those of others"),
            ));
        }
        let first = meant.or_else(|| all.first());
        self.mchid = first.map(|one| one.mchid.to_string());
        let others = all.iter().filter(|one| first.is_none_or(|first| first.mchid != one.mchid));
        for one in first.into_iter().chain(others) {
            self.add_account(one, given)?;
        }
        for endpoint in &configured.config.webhooks.endpoints {
            let file = || {
                std::fs::read_to_string(configured.config.base.join(endpoint.secret_file.as_ref()?))
                    .ok()
            };
            let secret =
                endpoint.secret.as_ref().map(|secret| secret.expose().to_owned()).or_else(file);
            if let Some(secret) = secret {
                self.keys.secret(KeyKind::Webhook, &endpoint.url, secret.trim());
            }
        }
        Ok(())
    }

    fn add_account(&mut self, account: &Account, given: &mut Given) -> Result<(), Problem> {
        let mchid = account.mchid.as_str();
        if let Some(v2) = account.v2() {
            self.keys.secret(KeyKind::ApiV2, mchid, v2.key.expose());
        }
        if let Some(v3) = account.v3() {
            self.keys.secret(KeyKind::ApiV3, mchid, v3.api_v3_key.expose());
            let own =
                v3.signer.key.public_key().map_err(|error| Problem::bug(error.to_string()))?;
            self.keys.public(KeyKind::Merchant, mchid, own);
            let is_own = self.mchid.as_deref() == Some(mchid);
            if is_own && given.message.signed_by() == KeyKind::Merchant {
                self.sign(&v3.signer.key, given);
            }
            let named = |serial: &str| {
                given.serial.as_deref().is_some_and(|named| named.eq_ignore_ascii_case(serial))
            };
            let mut serials: Vec<_> = v3.keys.serials().collect();
            serials.sort_by_key(|serial| !named(serial.as_str()));
            for serial in serials {
                if let Ok(key) = v3.keys.find(serial) {
                    self.keys.public(KeyKind::Platform, serial.as_str(), key.clone());
                }
            }
            let ours = v3.signer.serial.as_str();
            if is_own
                && matches!(given.message, Message::Request { .. })
                && given.serial.is_some()
                && !named(ours)
            {
                given.notes.push(Say::new(
                    format!("serial_no 不是配置里商户证书的序列号（{ours}）：签名对了微信也会拒绝"),
                    format!("serial_no is not that of the configured certificate ({ours}): WeChat refuses it, even with a right signature"),
                ));
            }
        }
        for app in &account.apps {
            self.keys.app(app.appid.as_str());
            self.keys.secret(KeyKind::AppSecret, app.appid.as_str(), app.secret.expose());
        }
        Ok(())
    }
}

/// Whether WeChat's key of this name is one of the account's.
fn has_key(account: &Account, serial: Option<&str>) -> bool {
    let is = |known: &str| serial.is_some_and(|serial| serial.eq_ignore_ascii_case(known));
    account.v3().is_some_and(|v3| v3.keys.serials().any(|known| is(known.as_str())))
}
