//! What an address must be that WeChat shall notify.

use std::net::IpAddr;

/// The rule as the gateway prints it.
const RULE: &str = r"字符串必须匹配正则表达式“^https?://([^\s/?#\[\]\@]+\@)?([^\s/?#\@:]+)(?::\d{2,5})?([^\s?#\[\]]*)$”";

/// Checks an address; `public` wants https and a name that others can reach.
///
/// The pages want that always; the gateway itself takes http and checks the form
/// only, which is what lets a simulator notify a backend on the same machine.
pub(crate) fn check(url: &str, public: bool) -> Result<(), &'static str> {
    let secure = url.strip_prefix("https://");
    let rest = secure.or_else(|| url.strip_prefix("http://")).ok_or(RULE)?;
    let strange = |char: char| char.is_whitespace() || matches!(char, '?' | '#' | '[' | ']');
    let authority = rest.split('/').next().unwrap_or_default();
    let address = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match address.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (address, None),
    };
    let port_fits = port.is_none_or(|port| {
        (2..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    if rest.contains(strange) || host.is_empty() || !port_fits {
        return Err(RULE);
    }
    let reachable = host != "localhost" && host.contains('.') && host.parse::<IpAddr>().is_err();
    if public && (secure.is_none() || !reachable) {
        return Err("必须为外网可访问的https地址");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_both(url: &str, form: bool, public: bool) {
        assert_eq!((check(url, false).is_ok(), check(url, true).is_ok()), (form, public), "{url}");
    }

    #[test]
    fn the_form_is_checked_and_more_where_it_must_be_public() {
        check_both("https://shop.example/wechat/notify/16", true, true);
        check_both("http://shop.example/n", true, false);
        check_both("http://127.0.0.1:8080/n", true, false);
        check_both("https://localhost/n", true, false);
        for url in [
            "",
            "shop.example/n",
            "ftp://shop.example",
            "https://",
            "https://:80/",
            "https://shop.example/n?a=1",
            "https://shop.example/n m",
            "http://h:port/",
        ] {
            check_both(url, false, false);
        }
    }
}
