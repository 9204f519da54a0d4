//! Keys that are a line of text: their form, and whether one stands in the place of another.

use std::path::Path;

use suanpan_wechat::v2::SignType;
use suanpan_wechat::{ApiV2Key, ApiV3Key, AppSecret};

use super::checks::{APP_SECRET, Check, KEY_MIXED, KEY_V2, KEY_V3, MERCHANT_API};
use super::finding::Chart;
use super::said::{Say, say};
use crate::config::{ApiVersion, AppConfig, Config, MerchantConfig, Pem, Secret};

/// A text that stands in the configuration or in a file.
#[derive(Clone, Copy)]
pub(super) struct Slot<'a> {
    pub(super) name: &'static str,
    pub(super) inline: Option<&'a Secret>,
    pub(super) file: Option<&'a Path>,
}

impl Slot<'_> {
    /// The text as it will be used, or why there is none; `None`: it is not set.
    pub(super) fn text(self, config: &Config) -> Option<Result<String, (Say, Say)>> {
        let file = match (self.inline, self.file) {
            (None, None) => return None,
            // Where both are written, `config.settings` has said so.
            (Some(text), _) => return Some(Ok(text.expose().to_owned())),
            (None, Some(file)) => file,
        };
        // As the accounts are read: blanks around the text in a file do not count.
        Some(read_text(config, file).map(|text| text.trim().to_owned()))
    }
}

/// A certificate or a key, or what is wrong with its file.
pub(super) fn read_pem(config: &Config, pem: &Pem) -> Result<String, (Say, Say)> {
    let file = match pem {
        Pem::Text(text) => return Ok(text.expose().to_owned()),
        Pem::File(file) => file,
    };
    let text = read_text(config, file)?;
    if text.contains("-----BEGIN") && text.contains("\\n") {
        let file = file.display();
        let found = say!(
            "{file} 里的换行是写出来的 \\n 两个字符",
            "the lines of {file} end in the two characters \\n"
        );
        let fix = say!(
            "重新写一次：printf '%b' \"$KEY\" > {file}",
            "write it once more: printf '%b' \"$KEY\" > {file}"
        );
        return Err((found, fix));
    }
    Ok(text)
}

/// The text of a file, or what is wrong with the file.
pub(super) fn read_text(config: &Config, file: &Path) -> Result<String, (Say, Say)> {
    let bytes = read_bytes(config, file)?;
    String::from_utf8(bytes).map_err(|_| {
        let file = file.display();
        let found = say!("{file} 不是文本文件", "{file} is no text");
        let fix = say!(
            "要的是 PEM 或一行文字；二进制的 DER 用 openssl 转成 PEM，UTF-16 的另存为 UTF-8",
            "PEM or a line of text is wanted: turn DER into PEM with openssl, save UTF-16 as UTF-8"
        );
        (found, fix)
    })
}

/// The bytes of a file, or what is wrong with the file.
pub(super) fn read_bytes(config: &Config, file: &Path) -> Result<Vec<u8>, (Say, Say)> {
    let path = config.path(file);
    std::fs::read(&path).map_err(|cause| {
        let path = path.display();
        let found = say!("读不了 {path}：{cause}", "{path} cannot be read: {cause}");
        let fix = say!(
            "看路径对不对（相对路径从配置文件所在目录算起），运行 Suanpan 的用户能不能读",
            "see that the path is right (it starts at the configuration's folder) and that Suanpan's user may read it"
        );
        (found, fix)
    })
}

/// The text keys of an account that can be used.
#[derive(Default)]
pub(super) struct TextKeys {
    pub(super) v2: Option<(ApiV2Key, SignType)>,
    pub(super) v3: Option<ApiV3Key>,
}

/// Looks at the keys of an account.
pub(super) fn of_merchant(
    config: &Config,
    merchant: &MerchantConfig,
    chart: &mut Chart,
) -> TextKeys {
    let v2 = Slot {
        name: "api_v2_key",
        inline: merchant.api_v2_key.as_ref(),
        file: merchant.api_v2_key_file.as_deref(),
    };
    let v3 = Slot {
        name: "api_v3_key",
        inline: merchant.api_v3_key.as_ref(),
        file: merchant.api_v3_key_file.as_deref(),
    };
    let needs_v3 = merchant.api == ApiVersion::V3;
    let v2 = one(config, &KEY_V2, &merchant.mchid, v2, !needs_v3, chart);
    let v3 = one(config, &KEY_V3, &merchant.mchid, v3, needs_v3, chart);
    mixed(config, merchant, (v2.as_deref(), v3.as_deref()), chart);

    let word = merchant.v2_sign_type.as_deref().unwrap_or("MD5");
    let sign_type = SignType::parse(word);
    if sign_type.is_none() {
        let found = say!("不认识 v2_sign_type {word:?}", "v2_sign_type {word:?} is unknown");
        let fix = say!("写 MD5 或 HMAC-SHA256", "write MD5 or HMAC-SHA256");
        chart.problem(&MERCHANT_API, &merchant.mchid, (found, fix));
    }
    let v2 = v2.and_then(|text| ApiV2Key::parse(&text).ok());
    TextKeys { v2: v2.zip(sign_type), v3: v3.and_then(|text| ApiV3Key::parse(&text).ok()) }
}

/// The text of a key whose form is right.
fn one(
    config: &Config,
    check: &'static Check,
    mchid: &str,
    slot: Slot<'_>,
    is_needed: bool,
    chart: &mut Chart,
) -> Option<String> {
    let name = slot.name;
    let text = match slot.text(config) {
        None if is_needed => {
            let found = say!("没有 {name}", "there is no {name}");
            let fix = say!(
                "商户平台 → 账户中心 → API 安全，设置密钥，填到 {name}_file 指的文件里",
                "set the key on the merchant platform (账户中心 → API 安全) and write it into the file of {name}_file"
            );
            chart.problem(check, mchid, (found, fix));
            return None;
        }
        None => {
            chart.skip(check, mchid, say!("没有配置，用不着", "not configured, and not needed"));
            return None;
        }
        Some(Err(said)) => {
            chart.problem(check, mchid, said);
            return None;
        }
        Some(Ok(text)) => text,
    };
    match wrong_form(&text, name) {
        Some(said) => {
            chart.problem(check, mchid, said);
            None
        }
        None => {
            let tail = tail(&text);
            chart.ok(
                check,
                mchid,
                say!("32 个字符，尾号 {tail}", "32 characters, ending in {tail}"),
            );
            Some(text)
        }
    }
}

/// What is wrong with the form of an API key: 32 letters or digits, and nothing around them.
fn wrong_form(text: &str, name: &str) -> Option<(Say, Say)> {
    if let Some(said) = wrapped(text) {
        return Some(said);
    }
    let count = text.chars().count();
    let set_anew = say!(
        "从商户平台重新设置一个 32 位、只有字母和数字的密钥，两边都换",
        "set a new one of 32 letters and digits on the merchant platform, and here"
    );
    if text.starts_with("PUB_KEY_ID_") {
        let found = say!("这是微信支付公钥 ID", "this is the id of the WeChat Pay public key");
        return Some((
            found,
            say!("它属于 wechatpay_public_key_id", "it belongs to wechatpay_public_key_id"),
        ));
    }
    if text.starts_with("wx") && count == 18 {
        let found = say!("这是 AppID", "this is an AppID");
        return Some((found, set_anew));
    }
    if count == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let found = say!(
            "40 位十六进制：这是证书序列号",
            "40 hexadecimal digits: the serial number of a certificate"
        );
        let fix = say!(
            "序列号不用填，会从证书里读；这里填 {name}",
            "serial numbers are read from the certificate; here {name} is wanted"
        );
        return Some((found, fix));
    }
    if count != 32 {
        let found = say!("{count} 个字符，应该是 32 个", "{count} characters instead of 32");
        let fix = if count < 32 {
            say!(
                "多半没有复制完整；对照当初保存的密钥",
                "it was hardly copied whole: compare it with what you saved"
            )
        } else {
            say!(
                "多半粘贴了两次或带了别的字；只留密钥本身",
                "something else was pasted with it: keep the key alone"
            )
        };
        return Some((found, fix));
    }
    let odd = text.char_indices().find(|(_, char)| !char.is_ascii_alphanumeric());
    odd.map(|(at, _)| {
        let at = at.saturating_add(1);
        let found =
            say!("第 {at} 个字符不是字母或数字", "character {at} is neither letter nor digit");
        (found, set_anew)
    })
}

/// What stands around or instead of a line of text: quotes, blanks, marks of an encoding, a whole PEM.
fn wrapped(text: &str) -> Option<(Say, Say)> {
    if text.is_empty() {
        return Some((say!("是空的", "it is empty"), say!("填上密钥", "write the key")));
    }
    if text.contains("-----BEGIN") {
        let found = say!("这里是一段 PEM 证书或私钥", "here stands a certificate or key in PEM");
        let fix = say!(
            "PEM 文件填到 merchant_private_key 等文件路径里，这里只填那一行密钥",
            "name PEM files by merchant_private_key and the like; here stands the one line of the key"
        );
        return Some((found, fix));
    }
    let only = say!("只留密钥本身", "keep the key alone");
    if text.starts_with('\u{feff}') {
        let found = say!(
            "开头有 BOM（看不见的三个字节）",
            "it begins with a BOM, three bytes that nobody sees"
        );
        return Some((found, say!("存成不带 BOM 的 UTF-8", "save it as UTF-8 without a BOM")));
    }
    if text.ends_with("\\n") || text.ends_with("\\r") {
        let found = say!("末尾有写出来的 \\n", "a written-out \\n stands at its end");
        return Some((found, only));
    }
    let quotes = ['"', '\'', '“', '”', '‘', '’', '`'];
    if text.starts_with(quotes) || text.ends_with(quotes) {
        return Some((say!("引号成了密钥的一部分", "quotes are part of it"), only));
    }
    if text != text.trim() {
        let what = if text.ends_with('\n') || text.ends_with('\r') {
            say!("末尾有换行", "it ends in a line break")
        } else {
            say!("前后有空格", "there are blanks around it")
        };
        return Some((what, only));
    }
    let inner = text.chars().any(char::is_whitespace);
    inner.then(|| (say!("中间有空格或换行", "there are blanks in it"), only))
}

/// Keys that stand in the place of each other.
fn mixed(
    config: &Config,
    merchant: &MerchantConfig,
    (v2, v3): (Option<&str>, Option<&str>),
    chart: &mut Chart,
) {
    let mchid = merchant.mchid.as_str();
    let mut is_good = true;
    for app in &merchant.apps {
        let Some(Ok(secret)) = secret_of(app).text(config) else { continue };
        for (name, key) in [("api_v2_key", v2), ("api_v3_key", v3)] {
            if key == Some(secret.as_str()) {
                let appid = &app.appid;
                let found = say!(
                    "{name} 填的是 {appid} 的 AppSecret",
                    "{name} holds the AppSecret of {appid}"
                );
                let fix = say!(
                    "{name} 在商户平台（pay.weixin.qq.com）的 API 安全里设置，AppSecret 在小程序后台，不是一个东西",
                    "{name} is set on the merchant platform (pay.weixin.qq.com, API 安全); the AppSecret is the mini program's"
                );
                chart.problem(&KEY_MIXED, mchid, (found, fix));
                is_good = false;
            }
        }
    }
    if v2.is_some() && v2 == v3 {
        let found =
            say!("api_v2_key 和 api_v3_key 是同一个", "api_v2_key and api_v3_key are the same");
        let fix = say!(
            "它们在商户平台上分开设置；如果真设成了一样的，换掉一个",
            "they are set apart on the merchant platform; if they really are the same there, change one"
        );
        chart.warn(&KEY_MIXED, mchid, (found, fix));
        is_good = false;
    }
    if is_good {
        chart.ok(&KEY_MIXED, mchid, say!("各在各的位置", "each is in its place"));
    }
}

fn secret_of(app: &AppConfig) -> Slot<'_> {
    Slot { name: "secret", inline: app.secret.as_ref(), file: app.secret_file.as_deref() }
}

/// Looks at an app's secret.
pub(super) fn of_app(config: &Config, app: &AppConfig, chart: &mut Chart) -> Option<AppSecret> {
    let appid = app.appid.as_str();
    let reset = say!(
        "在小程序后台（mp.weixin.qq.com → 开发管理 → 开发设置）重置并复制 AppSecret",
        "reset and copy the AppSecret in the mini program's back office (mp.weixin.qq.com, 开发管理)"
    );
    let text = match secret_of(app).text(config) {
        None => {
            chart.problem(&APP_SECRET, appid, (say!("没有 AppSecret", "there is none"), reset));
            return None;
        }
        Some(Err(said)) => {
            chart.problem(&APP_SECRET, appid, said);
            return None;
        }
        Some(Ok(text)) => text,
    };
    if let Some(said) = wrapped(&text) {
        chart.problem(&APP_SECRET, appid, said);
        return None;
    }
    let count = text.chars().count();
    if count != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let found = say!(
            "AppSecret 是 32 位十六进制，这里是 {count} 个字符",
            "an AppSecret is 32 hexadecimal digits; here are {count} characters"
        );
        chart.problem(&APP_SECRET, appid, (found, reset));
        return None;
    }
    let tail = tail(&text);
    chart.ok(&APP_SECRET, appid, say!("32 位，尾号 {tail}", "32 digits, ending in {tail}"));
    AppSecret::parse(&text).ok()
}

/// The last four characters: enough to tell two apart, too little to be one.
fn tail(text: &str) -> String {
    let cut = text.len().saturating_sub(4);
    format!("…{}", text.get(cut..).unwrap_or_default())
}
