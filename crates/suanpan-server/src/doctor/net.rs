//! The way to WeChat: names, connections, TLS, and the clocks at both ends.

use jiff::fmt::rfc2822;
use suanpan_client::{Client, Error, Knock};
use url::Url;

use super::checks::{NET_CLOCK, NET_REACH};
use super::finding::Chart;
use super::said::{Say, say};
use crate::outside::Clock;

/// Which of WeChat's houses answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached {
    pub(super) merchant: bool,
    pub(super) platform: bool,
    /// Whether our clock is near enough for signatures.
    pub(super) is_in_time: bool,
}

/// Knocks at all hosts. `platform` is the configured host of the mini program platform.
pub(super) async fn knock(
    client: &Client,
    platform: &str,
    clock: &dyn Clock,
    chart: &mut Chart,
) -> Reached {
    let knocks = client.knock().await;
    let now = clock.now_seconds();
    for knock in &knocks {
        reach(knock, chart);
    }
    let platform = Url::parse(platform).map(|url| url.origin().ascii_serialization());
    let answers = |is_platform: bool| {
        let of =
            |knock: &&Knock| platform.as_ref().is_ok_and(|host| *host == knock.host) == is_platform;
        knocks.iter().filter(of).any(|knock| knock.answer.is_ok())
    };
    // One address may be both houses: a simulator.
    let is_one = knocks.len() == 1;
    let merchant = answers(false) || (is_one && answers(true));
    Reached { merchant, platform: answers(true), is_in_time: compare(&knocks, now, chart) }
}

fn reach(knock: &Knock, chart: &mut Chart) {
    let host = knock.host.as_str();
    let cause = match &knock.answer {
        Ok(greeting) => {
            let elapsed = greeting.elapsed.as_millis();
            return chart.ok(&NET_REACH, host, say!("{elapsed} 毫秒", "{elapsed} ms"));
        }
        Err(cause) => cause,
    };
    chart.problem_of(&NET_REACH, host, unreachable(host, cause), cause.code());
}

/// At which step it failed, and what to do about that.
fn unreachable(host: &str, cause: &Error) -> (Say, Say) {
    let why = crate::chain(cause);
    let small = why.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| small.contains(word));
    let fix = if has(&["dns", "lookup", "resolve"]) {
        say!(
            "域名解析不了：看 /etc/resolv.conf，用 getent hosts 试一下",
            "its name cannot be resolved: look at /etc/resolv.conf, and try getent hosts"
        )
    } else if has(&["certificate", "tls", "handshake", "unknownissuer", "corrupt message"]) {
        say!(
            "TLS 握手不过：装上 ca-certificates；公司出口有代理时把它的 CA 写进 wechat.ca_certificates；再看时钟",
            "TLS fails: install ca-certificates; name the CA of a proxy on the way out in wechat.ca_certificates; see the clock"
        )
    } else if has(&["refused"]) {
        say!(
            "连接被拒绝：看 {host} 的端口、防火墙，模拟器有没有在运行",
            "the connection is refused: see the port of {host}, the firewall, and whether the simulator runs"
        )
    } else {
        say!(
            "放行到 {host} 的出站 443；要走代理就设 HTTPS_PROXY",
            "let this machine out to {host}, port 443; set HTTPS_PROXY where a proxy is needed"
        )
    };
    (say!("连不上：{why}", "it cannot be reached: {why}"), fix)
}

/// Our clock beside WeChat's. Answers whether signatures are taken. `now` is in unix seconds.
fn compare(knocks: &[Knock], now: i64, chart: &mut Chart) -> bool {
    let dates = knocks.iter().filter_map(|knock| knock.answer.as_ref().ok()?.date.as_deref());
    let parsed = dates.filter_map(|date| rfc2822::parse(date).ok());
    let Some(theirs) = parsed.map(|date| date.timestamp().as_second()).next() else {
        chart.blocked(&NET_CLOCK, "", &[&NET_REACH]);
        return true;
    };
    let ahead = now.saturating_sub(theirs);
    let off = ahead.saturating_abs();
    let found = if 0 <= ahead {
        say!("本机比微信快 {off} 秒", "this machine is {off} s ahead of WeChat")
    } else {
        say!("本机比微信慢 {off} 秒", "this machine is {off} s behind WeChat")
    };
    let fix = say!(
        "打开时间同步：timedatectl set-ntp true（容器看宿主机）",
        "synchronise the clock: timedatectl set-ntp true (a container has its host's)"
    );
    if FATAL < off {
        chart.problem_of(&NET_CLOCK, "", (found, fix), "SP-CLOCK");
        return false;
    }
    if TOLERABLE < off {
        chart.warn(&NET_CLOCK, "", (found, fix));
    } else {
        chart.ok(&NET_CLOCK, "", found);
    }
    true
}

/// Seconds that nobody minds.
const TOLERABLE: i64 = 60;
/// Seconds from which on WeChat refuses our signatures, and we WeChat's.
const FATAL: i64 = 300;
