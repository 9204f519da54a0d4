//! Whether others reach us by the public name, and we the merchant's systems.

use std::time::Duration;

use http::{HeaderName, StatusCode, header};
use reqwest::redirect::Policy;
use url::Url;

use super::checks::{PUBLIC_REACH, PUBLIC_URL, WEBHOOK_FORM, WEBHOOK_REACH};
use super::finding::Chart;
use super::patient::Patient;
use super::said::{Say, say};
use crate::config::ServerConfig;
use crate::outside::Dice;
use crate::reachable;
use crate::receivers::Receivers;
use crate::store::Endpoint;

/// Asks the running server how it is, by its public name, as WeChat would come.
pub(super) async fn public(patient: &Patient, dice: &dyn Dice, chart: &mut Chart) {
    let server = &patient.config.server;
    let Some(given) = server.public_url.as_deref() else {
        let none = say!("没有公网地址", "there is no public address");
        return chart.skip(&PUBLIC_REACH, "", none);
    };
    if chart.is_bad(&PUBLIC_URL, "") {
        return chart.blocked(&PUBLIC_REACH, "", &[&PUBLIC_URL]);
    }
    let Ok(http) = client() else {
        return chart.skip(
            &PUBLIC_REACH,
            "",
            say!("这台机器没有 CA 证书", "this machine has no CA certificates"),
        );
    };
    if !runs(&http, server).await {
        let why = say!(
            "serve 没有在这台机器上运行，启动后再跑一次",
            "serve does not run here: run this again once it does"
        );
        return chart.skip(&PUBLIC_REACH, given, why);
    }
    let name = dice.nonce();
    let url = format!("{}/healthz", given.trim_end_matches('/'));
    let asked = http.get(url).header(REQUEST_ID, name.as_str()).send().await;
    let answer = match asked {
        Ok(answer) => answer,
        Err(cause) => {
            let why = crate::chain(&cause.without_url());
            let found =
                say!("从公网名字连不到自己：{why}", "it is not reached by its public name: {why}");
            let fix = say!(
                "看 DNS、443 端口、证书链（要完整）；有的路由器不许从里面绕回来，那就换一台机器 curl -v {given}/healthz",
                "see DNS, port 443 and the certificate with its whole chain; some routers do not lead back inside: then curl -v {given}/healthz from elsewhere"
            );
            return chart.problem(&PUBLIC_REACH, given, (found, fix));
        }
    };
    let status = answer.status();
    let place = answer.headers().get(header::LOCATION).and_then(|place| place.to_str().ok());
    let place = place
        .and_then(|place| Url::parse(place).ok())
        .map(|url| url.origin().ascii_serialization());
    let is_html = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let echoed = answer
        .headers()
        .get(REQUEST_ID)
        .is_some_and(|id| id.as_bytes() == name.as_str().as_bytes());
    let body = answer.text().await.unwrap_or_default();
    match wrong(status, place, is_html, echoed, body.trim() == ALIVE) {
        Some(said) => chart.problem(&PUBLIC_REACH, given, said),
        None => chart.ok(
            &PUBLIC_REACH,
            given,
            say!("能到，请求头和正文原样", "it is, with headers and body as they are"),
        ),
    }
}

/// What stands between the public name and us.
fn wrong(
    status: StatusCode,
    place: Option<String>,
    is_html: bool,
    echoed: bool,
    is_alive: bool,
) -> Option<(Say, Say)> {
    let code = status.as_u16();
    if status.is_redirection() {
        let place = place.unwrap_or_else(|| "…".to_owned());
        let found = say!(
            "被跳转到 {place}，微信不跟跳转",
            "it redirects to {place}, and WeChat follows no redirect"
        );
        return Some((
            found,
            say!(
                "把 public_url 写成最后的地址，或去掉跳转",
                "write the last address as public_url, or take the redirect out"
            ),
        ));
    }
    if matches!(code, 401 | 403) || (is_html && !is_alive) {
        let found = say!(
            "前面有登录页或防火墙（{code}）",
            "a sign-in page or firewall stands before it ({code})"
        );
        return Some((
            found,
            say!("对 /wechat/notify/ 和 /healthz 放行", "let /wechat/notify/ and /healthz through"),
        ));
    }
    if matches!(code, 502..=504) {
        let found = say!(
            "反向代理连不到后端（{code}）",
            "the reverse proxy does not reach the backend ({code})"
        );
        return Some((
            found,
            say!(
                "看代理转发的端口是不是 server.listen",
                "see that the proxy leads to server.listen"
            ),
        ));
    }
    if code != 200 || !is_alive {
        let found = say!("答话的不是 Suanpan（{code}）", "what answers is not Suanpan ({code})");
        return Some((
            found,
            say!(
                "看域名指到哪里，代理把 / 转给谁",
                "see where the name leads, and to whom the proxy hands /"
            ),
        ));
    }
    (!echoed).then(|| {
        let found = say!("代理丢掉了请求头", "a proxy drops headers");
        let fix = say!(
            "让代理原样转发请求头：Wechatpay-* 少一个就验不了签名",
            "have it pass headers as they are: without one of Wechatpay-* no signature verifies"
        );
        (found, fix)
    })
}

/// Whether a server of ours answers where this configuration listens.
async fn runs(http: &reqwest::Client, server: &ServerConfig) -> bool {
    let url = format!("http://{}/healthz", reachable(server.listen));
    let Ok(answer) = http.get(url).send().await else { return false };
    answer.text().await.is_ok_and(|body| body.trim() == ALIVE)
}

fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .user_agent(concat!("suanpan/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Knocks at each endpoint: those of the configuration, and those of the database.
pub(super) async fn webhooks(patient: &Patient, registered: &[Endpoint], chart: &mut Chart) {
    let Ok(receivers) = Receivers::new(&patient.config.webhooks) else { return };
    let configured = patient.config.webhooks.endpoints.iter().enumerate();
    let configured = configured.map(|(position, one)| {
        (format!("#{}", position.saturating_add(1)), one.url.as_str(), None)
    });
    let of_api = registered.iter().filter(|one| one.source != "config");
    let of_api = of_api.map(|one| (one.id.clone(), one.url.as_str(), one.disabled.as_ref()));
    let all: Vec<_> = configured.chain(of_api).collect();
    if all.is_empty() {
        let none =
            say!("一个也没有：付款后没有人知道", "there is none: nobody is told of a payment");
        return chart.skip(&WEBHOOK_REACH, "", none);
    }
    for (subject, url, disabled) in all {
        if chart.is_bad(&WEBHOOK_FORM, &subject) {
            chart.blocked(&WEBHOOK_REACH, subject, &[&WEBHOOK_FORM]);
            continue;
        }
        if let Some((_, reason)) = disabled {
            let found = say!("已停用：{reason}", "it is disabled: {reason}");
            let fix = say!(
                "修好后在控制台启用，再补发",
                "enable it in the console once it is right, then replay"
            );
            chart.warn(&WEBHOOK_REACH, subject, (found, fix));
            continue;
        }
        let Ok(url) = receivers.address(url) else {
            let found = say!("地址现在不许用了", "its address is not allowed any more");
            chart.problem(
                &WEBHOOK_REACH,
                subject,
                (found, say!("换一个公网 https 地址", "take a public https address")),
            );
            continue;
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        match receivers.knock(&url).await {
            Ok(status) if (300..400).contains(&status) => {
                let found = say!(
                    "{host} 跳转（{status}），回调不跟跳转",
                    "{host} redirects ({status}), and deliveries follow none"
                );
                chart.problem(
                    &WEBHOOK_REACH,
                    subject,
                    (found, say!("写最后的地址", "write the last address")),
                );
            }
            Ok(status) if 502 <= status => {
                let found = say!(
                    "{host} 答 {status}：后面的服务没有起来",
                    "{host} answers {status}: the service behind it is down"
                );
                chart.warn(
                    &WEBHOOK_REACH,
                    subject,
                    (found, say!("启动接收端", "start the receiver")),
                );
            }
            Ok(status) => chart.ok(
                &WEBHOOK_REACH,
                subject,
                say!("{host} 连得上（{status}）", "{host} is reached ({status})"),
            ),
            Err(why) => {
                let found = say!("连不上 {host}：{why}", "{host} is not reached: {why}");
                let fix = say!(
                    "看 DNS、端口、证书；接收端在运行吗",
                    "see DNS, port and certificate, and whether the receiver runs"
                );
                chart.problem(&WEBHOOK_REACH, subject, (found, fix));
            }
        }
    }
}

const ALIVE: &str = "{\"status\":\"ok\"}";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
