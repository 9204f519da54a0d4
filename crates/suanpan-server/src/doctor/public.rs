//! The address by which WeChat reaches us, as it is written.

use std::net::IpAddr;

use url::{Host, Url};

use super::checks::PUBLIC_URL;
use super::finding::Chart;
use super::patient::Patient;
use super::said::{Say, say};
use crate::receivers::is_public;
use crate::world::is_here;

/// Looks at `server.public_url`.
pub(super) fn url(patient: &Patient, chart: &mut Chart) {
    let config = &patient.config;
    let given = config.server.public_url.as_deref();
    if is_here(&config.wechat) && given.is_none() {
        let found = say!(
            "接的是本机的模拟器，用监听地址",
            "WeChat is a simulator here: the address listened on will do"
        );
        return chart.ok(&PUBLIC_URL, "", found);
    }
    let Some(given) = given else {
        let found = say!(
            "没有 server.public_url，微信会把通知发到监听地址",
            "there is no server.public_url: WeChat would notify the address that is listened on"
        );
        let fix = say!(
            "写上公网地址，例如 public_url = \"https://pay.example.com\"",
            "write the public address, such as public_url = \"https://pay.example.com\""
        );
        return chart.problem(&PUBLIC_URL, "", (found, fix));
    };
    let longest = config.merchants.iter().map(|merchant| merchant.mchid.len()).max();
    let length = given.trim_end_matches('/').len().saturating_add(NOTIFY.len());
    let length = length.saturating_add(longest.unwrap_or_default());
    match wrong(given, is_here(&config.wechat)) {
        Some(said) => chart.problem(&PUBLIC_URL, "", said),
        None if LONGEST < length => {
            let found = say!(
                "通知地址有 {length} 个字符，微信最多收 {LONGEST} 个",
                "the notify URL has {length} characters, and WeChat takes {LONGEST}"
            );
            let fix = say!("换一个短一点的域名或路径", "take a shorter name or path");
            chart.problem(&PUBLIC_URL, "", (found, fix));
        }
        None => chart.ok(&PUBLIC_URL, "", Say::same(given.trim_end_matches('/'))),
    }
}

fn wrong(given: &str, is_pretend: bool) -> Option<(Say, Say)> {
    let example = say!(
        "写成 https:// 加公网域名，例如 https://pay.example.com",
        "write https:// and a public name, such as https://pay.example.com"
    );
    if given.trim() != given {
        return Some((say!("前后有空格", "there are blanks around it"), example));
    }
    let Ok(url) = Url::parse(given) else {
        return Some((say!("不是网址", "it is no address"), example));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some((say!("带着用户名或密码", "it names a user or a password"), example));
    }
    if url.query().is_some() || url.fragment().is_some() {
        let found = say!("带着 ? 或 #，微信不收", "it has a ? or #, which WeChat does not take");
        return Some((found, say!("去掉 ? 和 # 后面的", "take out what follows ? and #")));
    }
    if url.path().contains("/wechat/notify") {
        let found = say!("写的是通知地址本身", "it is the notify URL itself");
        let fix = say!(
            "只写到域名：/wechat/notify/商户号 会自动加上",
            "write it up to the host: /wechat/notify/MCHID is added"
        );
        return Some((found, fix));
    }
    let inner = match url.host() {
        Some(Host::Domain(name)) => is_inner_name(name),
        Some(Host::Ipv4(ip)) => !is_public(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => !is_public(IpAddr::V6(ip)),
        None => true,
    };
    if is_pretend {
        return None;
    }
    if inner {
        let host = url.host_str().unwrap_or_default();
        let found = say!(
            "{host} 不在公网上，微信连不到",
            "{host} is not on the internet: WeChat cannot reach it"
        );
        return Some((found, example));
    }
    match url.scheme() {
        "https" if matches!(url.host(), Some(Host::Domain(_))) => None,
        "https" => {
            let found = say!(
                "是 IP 地址，浏览器和微信认的证书一般只发给域名",
                "it is a bare address, for which certificates that WeChat accepts are hardly issued"
            );
            Some((found, example))
        }
        _ => Some((say!("不是 https，微信不收", "it is not https, which WeChat wants"), example)),
    }
}

/// A name that only this machine or this network knows.
fn is_inner_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let inner = ["localhost", "local", "internal", "lan", "home", "intranet", "test", "invalid"];
    !name.contains('.') || name.rsplit('.').next().is_some_and(|last| inner.contains(&last))
}

const NOTIFY: &str = "/wechat/notify/";
/// `notify_url` of both APIs.
const LONGEST: usize = 255;
