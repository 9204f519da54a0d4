//! The first `suanpan.toml`: what was answered, with a word on each line.

use suanpan_server::client::wechat::time::beijing_rfc3339;

use super::Answered;
use crate::cli::InitApi;

/// The names of the files beside it.
pub(super) const APP_SECRET: &str = "app.secret";
pub(super) const CERTIFICATE: &str = "apiclient_cert.pem";
pub(super) const PRIVATE_KEY: &str = "apiclient_key.pem";
pub(super) const PUBLIC_KEY: &str = "pub_key.pem";

impl InitApi {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }

    pub(super) fn read(word: &str) -> Result<Self, String> {
        match word {
            "v2" => Ok(Self::V2),
            "v3" => Ok(Self::V3),
            _ => Err("v3 或 v2 / v3 or v2".to_owned()),
        }
    }

    /// The setting of its key.
    pub(super) const fn key_name(self) -> &'static str {
        match self {
            Self::V2 => "api_v2_key",
            Self::V3 => "api_v3_key",
        }
    }

    /// The file of its key.
    pub(super) const fn key_file(self) -> &'static str {
        match self {
            Self::V2 => "api_v2.key",
            Self::V3 => "api_v3.key",
        }
    }
}

/// The text. All that is quoted was parsed: digits, letters, `_`, `-` and the signs of an address.
pub(super) fn of(answered: &Answered) -> String {
    let Answered { proof, mchid, api, wechatpay, appid, public_url, .. } = answered;
    let public_url = public_url.as_deref().map_or_else(
        || "# public_url = \"https://pay.example.com\"".to_owned(),
        |url| format!("public_url = \"{url}\""),
    );
    let mut text = format!(
        r#"# suanpan init 写的第一份配置。没写的都是默认值：config.default.toml 里有全部的项和说明。
# The first configuration, written by `suanpan init`. config.default.toml has all settings and what they mean.
# 改完先检查，再让服务重读：/ After a change, have it checked, then have the server read it again:
#   suanpan doctor --config suanpan.toml && systemctl reload suanpan

[server]
listen = "127.0.0.1:8080"
# 微信访问我们的地址，https；通知地址是它加上 /wechat/notify/{mchid}。/ How WeChat reaches us.
{public_url}
# 前面有 nginx 就写上它的地址。/ With nginx in front, its address.
# trusted_proxies = ["127.0.0.1", "::1"]

[database]
url = "sqlite:suanpan.db"

[[merchants]]
mchid = "{mchid}"
api = "{word}"
{word_of_key}_file = "{key_file}"
"#,
        word = api.word(),
        word_of_key = api.key_name(),
        key_file = api.key_file(),
    );
    if let Some(proof) = proof {
        let certificate = &proof.certificate;
        text.push_str(&format!(
            "# 序列号 / serial {}, 有效到 / valid until {}\nmerchant_certificate = \"{CERTIFICATE}\"\nmerchant_private_key = \"{PRIVATE_KEY}\"\n",
            certificate.serial,
            beijing_rfc3339(certificate.not_after),
        ));
    }
    if let Some((id, _)) = wechatpay {
        text.push_str(&format!(
            "wechatpay_public_key_id = \"{id}\"\nwechatpay_public_key = \"{PUBLIC_KEY}\"\n"
        ));
    } else if *api == InitApi::V3 {
        text.push_str(
            "# 没有公钥：平台证书会自动下载。/ No public key: platform certificates are fetched.\n",
        );
    }
    text.push_str(&format!(
        "\n  [[merchants.apps]]\n  appid = \"{appid}\"\n  secret_file = \"{APP_SECRET}\"\n"
    ));
    text
}
