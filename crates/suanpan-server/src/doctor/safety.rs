//! Settings that work and are not safe.

use url::Url;

use super::checks::{SAFE_LISTEN, SAFE_PLAIN_HTTP, SAFE_PRIVATE_NETWORKS, SAFE_PROXIES};
use super::finding::Chart;
use super::patient::Patient;
use super::said::{Say, say};
use crate::world::is_here;

/// Looks at each of them.
pub(super) fn all(patient: &Patient, chart: &mut Chart) {
    listen(patient, chart);
    proxies(patient, chart);
    plain_http(patient, chart);
    private_networks(patient, chart);
}

fn listen(patient: &Patient, chart: &mut Chart) {
    let server = &patient.config.server;
    let address = server.listen;
    let is_open = !address.ip().is_loopback() && server.trusted_proxies.is_empty();
    if !is_open || is_here(&patient.config.wechat) {
        return chart.ok(&SAFE_LISTEN, "", Say::same(address.to_string()));
    }
    let found = say!(
        "{address} 直接对外监听明文 http，前面没有写反向代理",
        "{address} is open to others in plain http, and no reverse proxy is named"
    );
    let fix = say!(
        "改成 listen = \"127.0.0.1:8080\"，前面放 nginx 或 Caddy 做 https；代理在别的机器上就把它的地址写进 trusted_proxies",
        "write listen = \"127.0.0.1:8080\" behind nginx or Caddy with https; name a proxy on another machine in trusted_proxies"
    );
    chart.warn(&SAFE_LISTEN, "", (found, fix));
}

fn proxies(patient: &Patient, chart: &mut Chart) {
    let server = &patient.config.server;
    if let Some(wide) = server.trusted_proxies.iter().find(|ip| ip.is_unspecified()) {
        let found = say!("trusted_proxies 里有 {wide}", "trusted_proxies has {wide} in it");
        let fix = say!(
            "只写自己的代理的地址，例如 [\"127.0.0.1\", \"::1\"]",
            "name the addresses of your own proxies only, such as [\"127.0.0.1\", \"::1\"]"
        );
        return chart.problem(&SAFE_PROXIES, "", (found, fix));
    }
    let is_behind = server.listen.ip().is_loopback() && server.public_url.is_some();
    if is_behind && server.trusted_proxies.is_empty() && !is_here(&patient.config.wechat) {
        let found = say!(
            "有公网地址，监听在本机，却没有写反向代理的地址",
            "there is a public address, it listens to this machine, and no reverse proxy is named"
        );
        let fix = say!(
            "代理在本机就写 trusted_proxies = [\"127.0.0.1\", \"::1\"]",
            "with the proxy on this machine, write trusted_proxies = [\"127.0.0.1\", \"::1\"]"
        );
        return chart.warn(&SAFE_PROXIES, "", (found, fix));
    }
    let count = server.trusted_proxies.len();
    chart.ok(&SAFE_PROXIES, "", say!("{count} 个", "{count} of them"));
}

fn plain_http(patient: &Patient, chart: &mut Chart) {
    let wechat = &patient.config.wechat;
    let hosts = wechat.merchant_hosts.iter().chain([&wechat.platform_host]);
    let urls: Vec<_> = hosts.filter_map(|host| Url::parse(host).ok()).collect();
    let is_wechats = |url: &&Url| {
        url.host_str().is_some_and(|host| host == "qq.com" || host.ends_with(".qq.com"))
    };
    let take_out = say!("删掉 allow_plain_http", "take allow_plain_http out");
    if let Some(url) = urls.iter().filter(is_wechats).find(|url| url.scheme() == "http") {
        let host = url.host_str().unwrap_or_default();
        let found = say!("{host} 走的是明文 http", "{host} is asked over plain http");
        let fix = say!("改成 https://{host}", "write https://{host}");
        chart.problem(&SAFE_PLAIN_HTTP, "", (found, fix));
    } else if wechat.allow_plain_http && urls.iter().any(|url| is_wechats(&url)) {
        let found = say!(
            "接的是真的微信，却允许明文 http",
            "this is the real WeChat, and plain http is allowed"
        );
        chart.problem(&SAFE_PLAIN_HTTP, "", (found, take_out));
    } else if wechat.allow_plain_http && !is_here(wechat) {
        let found = say!(
            "允许明文 http：只能用于另一个容器里的模拟器",
            "plain http is allowed, which is for a simulator in another container only"
        );
        chart.warn(&SAFE_PLAIN_HTTP, "", (found, take_out));
    } else {
        chart.ok(&SAFE_PLAIN_HTTP, "", say!("不允许明文", "none"));
    }
}

fn private_networks(patient: &Patient, chart: &mut Chart) {
    let config = &patient.config;
    if !config.webhooks.allow_private_networks {
        return chart.ok(&SAFE_PRIVATE_NETWORKS, "", say!("不进内网", "they do"));
    }
    if is_here(&config.wechat) {
        let found = say!("允许进内网，接的是模拟器", "allowed; WeChat is a simulator here");
        return chart.ok(&SAFE_PRIVATE_NETWORKS, "", found);
    }
    let found = say!(
        "接的是真的微信，却允许回调内网和明文地址",
        "this is the real WeChat, and webhooks may go to private and plain addresses"
    );
    let fix = say!(
        "给接收端一个 https 公网地址，删掉 allow_private_networks；接收端只在内网时，管好谁有 API 密钥",
        "give the receiver a public https address and take allow_private_networks out; if it must be inside, mind who holds an API key"
    );
    chart.warn(&SAFE_PRIVATE_NETWORKS, "", (found, fix));
}
