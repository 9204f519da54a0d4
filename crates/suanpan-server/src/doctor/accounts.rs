//! The accounts and their mini programs: numbers, and what belongs to what.

use std::collections::BTreeMap;

use suanpan_wechat::{AppId, AppSecret, MchId};

use super::certificates::{self, Proof};
use super::checks::{APP_APPID, APP_PARTNER, Check, MERCHANT_API, MERCHANT_APPS, MERCHANT_MCHID};
use super::finding::Chart;
use super::keys::{self, TextKeys};
use super::patient::Patient;
use super::platform;
use super::said::{Say, say};
use crate::config::{AppConfig, AppOwner, Config, MerchantConfig, MerchantMode};
use crate::order::PartnerIds;
use crate::shipment::ShippingPolicy;

/// An account, as far as it can be used.
pub(super) struct Examined<'a> {
    pub(super) config: &'a MerchantConfig,
    pub(super) mchid: Option<MchId>,
    pub(super) keys: TextKeys,
    pub(super) proof: Proof,
    pub(super) ring: suanpan_wechat::v3::KeyRing,
    pub(super) apps: Vec<ExaminedApp<'a>>,
}

/// A mini program, as far as it can be used.
pub(super) struct ExaminedApp<'a> {
    pub(super) given: &'a str,
    pub(super) appid: Option<AppId>,
    pub(super) secret: Option<AppSecret>,
    pub(super) partner: Option<PartnerIds>,
    pub(super) shipping: ShippingPolicy,
}

/// Looks at all accounts. `now` is in unix seconds.
pub(super) fn all<'a>(patient: &'a Patient, now: i64, chart: &mut Chart) -> Vec<Examined<'a>> {
    let config = &patient.config;
    if config.merchants.is_empty() {
        let found = say!("一个商户号也没有", "there is no merchant account");
        let fix = say!(
            "写一个 [[merchants]]，默认配置文件末尾有样子",
            "write one under [[merchants]]; the end of the default configuration shows how"
        );
        chart.problem(&MERCHANT_APPS, "", (found, fix));
    }
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    config.merchants.iter().map(|merchant| one(config, merchant, &mut owners, now, chart)).collect()
}

fn one<'a>(
    config: &Config,
    merchant: &'a MerchantConfig,
    owners: &mut BTreeMap<&'a str, &'a str>,
    now: i64,
    chart: &mut Chart,
) -> Examined<'a> {
    let keys = keys::of_merchant(config, merchant, chart);
    let proof = certificates::of_merchant(config, merchant, now, chart);
    let ring = platform::of_merchant(config, merchant, &proof, now, chart);
    let mchid = number(config, merchant, chart);
    apps(merchant, owners, chart);
    let apps = merchant.apps.iter().map(|app| self::app(config, merchant, app, chart)).collect();
    if !chart.is_bad(&MERCHANT_API, &merchant.mchid) {
        let api = merchant.api;
        chart.ok(&MERCHANT_API, &merchant.mchid, Say::same(api.to_string()));
    }
    Examined { config: merchant, mchid, keys, proof, ring, apps }
}

fn number(config: &Config, merchant: &MerchantConfig, chart: &mut Chart) -> Option<MchId> {
    let given = merchant.mchid.as_str();
    let fix = say!(
        "商户平台右上角的商户号，8 到 10 位数字",
        "the merchant number stands at the top right of the merchant platform: 8 to 10 digits"
    );
    let found = match MchId::parse(given) {
        // What was missing was named already.
        Err(_) if given.is_empty() => return None,
        Err(_) if given.starts_with("wx") => {
            say!("{given} 是 AppID，不是商户号", "{given} is an AppID and no merchant number")
        }
        Err(_) => say!("{given:?} 不是数字", "{given:?} is no number"),
        Ok(_) if !(8..=10).contains(&given.len()) => {
            let digits = given.len();
            say!(
                "{given} 是 {digits} 位，应该是 8 到 10 位",
                "{given} has {digits} digits instead of 8 to 10"
            )
        }
        Ok(_) if 1 < config.merchants.iter().filter(|other| other.mchid == given).count() => {
            say!("{given} 写了两次", "{given} stands there twice")
        }
        Ok(number) => {
            chart.ok(&MERCHANT_MCHID, given, Say::same(given));
            return Some(number);
        }
    };
    chart.problem(&MERCHANT_MCHID, given, (found, fix));
    None
}

fn apps<'a>(
    merchant: &'a MerchantConfig,
    owners: &mut BTreeMap<&'a str, &'a str>,
    chart: &mut Chart,
) {
    let mchid = merchant.mchid.as_str();
    if merchant.apps.is_empty() {
        let found = say!("没有小程序", "it has no app");
        let fix = say!(
            "在 [[merchants.apps]] 里写上绑定的小程序：appid 和 secret_file",
            "write the app that is bound to it under [[merchants.apps]]: appid and secret_file"
        );
        return chart.problem(&MERCHANT_APPS, mchid, (found, fix));
    }
    for app in &merchant.apps {
        let Some(other) = owners.insert(&app.appid, mchid) else { continue };
        let appid = &app.appid;
        let found =
            say!("{appid} 也写在商户号 {other} 下", "{appid} stands under merchant {other}, too");
        let fix = say!(
            "一个小程序只留在收款的那个商户号下",
            "keep an app under the account that takes its payments"
        );
        chart.problem(&MERCHANT_APPS, mchid, (found, fix));
    }
    if !chart.is_bad(&MERCHANT_APPS, mchid) {
        let count = merchant.apps.len();
        chart.ok(&MERCHANT_APPS, mchid, say!("{count} 个", "{count} of them"));
    }
}

fn app<'a>(
    config: &Config,
    merchant: &MerchantConfig,
    app: &'a AppConfig,
    chart: &mut Chart,
) -> ExaminedApp<'a> {
    let appid = appid(&app.appid, &APP_APPID, chart);
    let secret = keys::of_app(config, app, chart);
    let partner = partner(merchant, app, appid.as_ref(), chart);
    ExaminedApp { given: &app.appid, appid, secret, partner, shipping: app.shipping }
}

/// `wx` and 16 hexadecimal digits.
fn appid(given: &str, check: &'static Check, chart: &mut Chart) -> Option<AppId> {
    let digits = given.strip_prefix("wx").unwrap_or_default();
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if digits.len() == 16 && digits.bytes().all(lower) {
        chart.ok(check, given, Say::same(given));
        return AppId::parse(given).ok();
    }
    if given.is_empty() {
        return None;
    }
    let found = if given.starts_with("gh_") {
        say!("这是小程序的原始 ID，不是 AppID", "this is the app's original id, and not its AppID")
    } else if given.bytes().all(|byte| byte.is_ascii_digit()) {
        say!("这是一串数字，像是商户号", "these are digits, as of a merchant number")
    } else if given.trim() != given {
        say!("前后有空格", "there are blanks around it")
    } else {
        say!(
            "应该是 wx 加 16 位小写十六进制",
            "it should be wx and 16 hexadecimal digits in small letters"
        )
    };
    let fix = say!(
        "在小程序后台（mp.weixin.qq.com → 开发管理 → 开发设置）复制 AppID",
        "copy the AppID in the mini program's back office (mp.weixin.qq.com, 开发管理)"
    );
    chart.problem(check, given, (found, fix));
    None
}

fn partner(
    merchant: &MerchantConfig,
    app: &AppConfig,
    appid: Option<&AppId>,
    chart: &mut Chart,
) -> Option<PartnerIds> {
    let given = app.appid.as_str();
    let sub = match (merchant.mode, &app.sub_mchid) {
        (MerchantMode::Direct, None) if app.owner == AppOwner::Partner => {
            if merchant.sp_appid.is_some() {
                let found = say!("sp_appid 只有服务商才写", "sp_appid is a partner's");
                chart.problem(&APP_PARTNER, given, (found, one_of_two()));
            }
            return None;
        }
        (MerchantMode::Direct, _) => {
            let found = say!(
                "写了 sub_mchid 或 owner，商户号却不是 mode = \"partner\"",
                "sub_mchid or owner is set, and the account is not of mode = \"partner\""
            );
            chart.problem(&APP_PARTNER, given, (found, one_of_two()));
            return None;
        }
        (MerchantMode::Partner, None) => {
            let found = say!("服务商模式下没有 sub_mchid", "there is no sub_mchid in partner mode");
            let fix = say!(
                "写上这个小程序收款的特约商户号",
                "write the sub-merchant whose orders are paid in this app"
            );
            chart.problem(&APP_PARTNER, given, (found, fix));
            return None;
        }
        (MerchantMode::Partner, Some(sub)) => sub,
    };
    let sub_mchid = MchId::parse(sub).ok().filter(|_| (8..=10).contains(&sub.len()));
    let Some(sub_mchid) = sub_mchid.filter(|_| *sub != merchant.mchid) else {
        let found = if *sub == merchant.mchid {
            say!("sub_mchid 填的是服务商自己", "sub_mchid is the partner itself")
        } else {
            say!("sub_mchid 不是商户号", "sub_mchid is no merchant number")
        };
        let fix = say!(
            "写特约商户的商户号，8 到 10 位数字",
            "write the sub-merchant's number: 8 to 10 digits"
        );
        chart.problem(&APP_PARTNER, given, (found, fix));
        return None;
    };
    let sp_appid = match (app.owner, &merchant.sp_appid) {
        (AppOwner::Partner, _) => appid.cloned(),
        (AppOwner::SubMerchant, Some(sp_appid)) => AppId::parse(sp_appid).ok(),
        (AppOwner::SubMerchant, None) => None,
    };
    let Some(sp_appid) = sp_appid else {
        if app.owner == AppOwner::SubMerchant {
            let found = say!(
                "小程序是特约商户的，却没有服务商自己的 sp_appid",
                "the app is the sub-merchant's, and there is no sp_appid of the partner"
            );
            let fix = say!("在商户号下写 sp_appid", "write sp_appid under the account");
            chart.problem(&APP_PARTNER, given, (found, fix));
        }
        return None;
    };
    chart.ok(&APP_PARTNER, given, say!("特约商户 {sub_mchid}", "sub-merchant {sub_mchid}"));
    Some(PartnerIds { sp_appid, sub_mchid })
}

fn one_of_two() -> Say {
    say!(
        "服务商写 mode = \"partner\"；普通商户删掉 sub_mchid、owner、sp_appid",
        "a partner writes mode = \"partner\"; others take sub_mchid, owner and sp_appid out"
    )
}
