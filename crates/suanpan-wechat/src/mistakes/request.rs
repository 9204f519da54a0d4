//! Mistakes in a request of APIv3: method, URL, nonce; and in the time of anything that has one.

use super::message::Message;
use super::search::Change;
use super::table::Mistake;

/// For a request, and for the time of another message.
pub(super) fn changes(message: &Message) -> Vec<Change> {
    match message {
        Message::Request { method, url, host, timestamp, nonce, body } => {
            let mut changes = of_url(method, url, host.as_deref());
            changes.extend(of_method(method));
            changes.extend(
                [nonce.to_uppercase(), nonce.to_lowercase()]
                    .map(|other| set(Mistake::new("request.nonce-case"), "nonce_str", other)),
            );
            if body.is_empty()
                && let Some((path, query)) = url.split_once('?')
            {
                let (path, query) = (path.to_owned(), query.to_owned());
                changes.push(Change::new(Mistake::new("request.query-body"), move |draft| {
                    draft.set("url", path.clone());
                    draft.set("body", query.clone());
                }));
            }
            changes.push(Change::new(Mistake::new("request.as-answer"), |draft| {
                draft.remove("method");
                draft.remove("url");
            }));
            changes.extend(of_time("timestamp", timestamp));
            changes
        }
        Message::Payment { time_stamp, .. } => of_time("timeStamp", time_stamp),
        Message::Webhook { timestamp, .. } => of_time("timestamp", timestamp),
        // WeChat has no two clocks.
        Message::Answer { .. } | Message::Fields { .. } => Vec::new(),
    }
}

fn set(mistake: Mistake, name: &'static str, value: impl Into<String>) -> Change {
    let value = value.into();
    Change::new(mistake, move |draft| draft.set(name, value.clone()))
}

fn of_method(method: &str) -> Vec<Change> {
    let others = ["GET", "POST", "PUT", "DELETE"].into_iter().filter(|other| *other != method);
    let lower = set(Mistake::new("request.method-lower"), "method", method.to_lowercase());
    let others = others.map(|other| set(Mistake::about("request.method", other), "method", other));
    std::iter::once(lower).chain(others).collect()
}

fn of_url(method: &str, url: &str, host: Option<&str>) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut other = |id: &'static str, about: &str, text: String| {
        if text != url {
            changes.push(set(Mistake::about(id, about), "url", text));
        }
    };
    let (path, query) =
        url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let behind = query.map(|query| format!("?{query}")).unwrap_or_default();
    other("request.query", "", path.to_owned());
    for host in [host.unwrap_or(WECHAT), WECHAT] {
        let id = if host == WECHAT { "request.wechat-host" } else { "request.host" };
        for before in ["https://", "http://", "", "//"] {
            other(id, &format!("{before}{host}"), format!("{before}{host}{url}"));
        }
        other(id, host, format!("https://{host}{path}"));
    }
    other("request.decoded", "", percent_decoded(url));
    other("request.encoded", "", super::pairs::escaped(url, "/?=&%"));
    other("request.encoded", "", super::pairs::escaped(url, "/?=&"));
    other("request.encoded", "", super::pairs::escaped(url, "/"));
    other("request.encoded", "", super::pairs::escaped(url, ""));
    other("request.escape-case", "", with_escapes(url, str::to_lowercase));
    other("request.escape-case", "", with_escapes(url, str::to_uppercase));
    let end = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
    other("request.slash", "", end + &behind);
    other("request.no-slash", "", url.trim_start_matches('/').to_owned());
    other("request.no-prefix", "", url.strip_prefix("/v3").unwrap_or(url).to_owned());
    if let Some(query) = query {
        let mut sorted: Vec<_> = query.split('&').collect();
        sorted.sort_unstable();
        other("request.query-order", "", format!("{path}?{}", sorted.join("&")));
        sorted.reverse();
        other("request.query-order", "", format!("{path}?{}", sorted.join("&")));
        let backwards: Vec<_> = query.split('&').rev().collect();
        other("request.query-order", "", format!("{path}?{}", backwards.join("&")));
    } else if method == "GET" {
        other("request.query-mark", "", format!("{url}?"));
    }
    changes
}

/// A time that was read twice, or in another unit.
fn of_time(name: &'static str, sent: &str) -> Vec<Change> {
    let within =
        |mistake: Mistake| if name == "timeStamp" { mistake.within(name) } else { mistake };
    let Ok(time) = sent.parse::<i64>() else { return Vec::new() };
    let mut changes = Vec::new();
    if sent.len() == 13 {
        let seconds = sent.get(..10).unwrap_or(sent);
        changes.push(set(within(Mistake::new("time.seconds")), name, seconds));
    }
    for float in [format!("{sent}.0"), format!("{sent}.000")] {
        changes.push(set(within(Mistake::about("time.float", float.clone())), name, float));
    }
    changes.push(set(
        within(Mistake::about("time.milliseconds", format!("{sent}000"))),
        name,
        format!("{sent}000"),
    ));
    let mut alone = |id: &'static str, other: String| {
        let mistake = within(Mistake::about(id, other.clone()));
        changes.push(Change::alone(mistake, move |draft| draft.set(name, other.clone())));
    };
    for milliseconds in 1..1000 {
        alone("time.milliseconds", format!("{sent}{milliseconds:03}"));
    }
    for apart in 1..=TWICE {
        alone("time.twice", time.saturating_sub(apart).to_string());
        alone("time.twice", time.saturating_add(apart).to_string());
    }
    changes
}

/// A text without its percent signs; a plus stays one.
pub(super) fn percent_decoded(text: &str) -> String {
    let form = format!("p={}", text.replace('+', "%2B").replace('&', "%26"));
    let mut pairs = form_urlencoded::parse(form.as_bytes());
    pairs.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Changes the two digits behind each percent sign.
pub(super) fn with_escapes(url: &str, edit: fn(&str) -> String) -> String {
    let mut parts = url.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |url, part| {
        let (escape, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        format!("{url}%{}{rest}", edit(escape))
    })
}

const WECHAT: &str = "api.mch.weixin.qq.com";
/// How many seconds may lie between two looks at one clock, in a request that waits for something.
const TWICE: i64 = 120;
