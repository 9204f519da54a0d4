//! A line of curl, as people paste it.

use super::Say;
use super::http::{Http, split_url};

/// Reads the command. Files that `-d @FILE` names are read.
pub(super) fn parse(command: &str) -> Result<Http, Say> {
    let words = shlex::split(&without_ansi(command)).ok_or_else(|| {
        Say::new("curl 命令的引号没有配对", "the quotes of the command do not match")
    })?;
    let mut words = words.into_iter().skip(1);
    let (mut http, mut url, mut data) = (Http::default(), None, None::<Vec<u8>>);
    while let Some(word) = words.next() {
        let Some((option, value)) = option(&word, &mut words) else {
            url = url.or(Some(word));
            continue;
        };
        match &*option {
            "-X" | "--request" => http.method = Some(value),
            "-H" | "--header" => {
                let (name, value) = value.split_once(':').unwrap_or((&value, ""));
                http.headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            "-d" | "--data" | "--data-ascii" | "--data-binary" | "--data-raw" | "--json" => {
                let more = body(&option, &value)?;
                data = Some(match data {
                    Some(before) if option != "--json" => [before, more].join(&b'&'),
                    Some(before) => [before, more].concat(),
                    None => more,
                });
            }
            "--url" => url = Some(value),
            _ => {}
        }
    }
    let url =
        url.ok_or_else(|| Say::new("curl 命令里没有 URL", "there is no URL in the command"))?;
    // curl takes a host without a scheme.
    let url = if url.contains("://") { url } else { format!("http://{url}") };
    (http.host, http.url) = split_url(&url);
    let method = if data.is_some() { "POST" } else { "GET" };
    http.method.get_or_insert_with(|| method.to_owned());
    http.body = data.unwrap_or_default();
    Ok(http)
}

/// An option with its value; an empty value for one that has none. `None` for a word that is no option.
fn option(word: &str, rest: &mut impl Iterator<Item = String>) -> Option<(String, String)> {
    if word.starts_with("--") {
        if FLAGS.contains(&word) {
            return Some((word.to_owned(), String::new()));
        }
        return Some((word.to_owned(), rest.next().unwrap_or_default()));
    }
    let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty())?;
    // `-sSX POST`: flags, and at the end one that takes a value, which may stick to it.
    let Some(at) = letters.find(WITH_VALUE) else { return Some((word.to_owned(), String::new())) };
    let (_, from) = letters.split_at_checked(at)?;
    let (letter, stuck) = from.split_at_checked(1)?;
    let value = if stuck.is_empty() { rest.next().unwrap_or_default() } else { stuck.to_owned() };
    Some((format!("-{letter}"), value))
}

fn body(option: &str, value: &str) -> Result<Vec<u8>, Say> {
    let Some(file) = value.strip_prefix('@').filter(|_| option != "--data-raw") else {
        return Ok(value.as_bytes().to_vec());
    };
    let bytes = std::fs::read(file).map_err(|cause| {
        Say::new(format!("{file} 读不了：{cause}"), format!("{file} cannot be read: {cause}"))
    })?;
    if matches!(option, "--data-binary" | "--json") {
        return Ok(bytes);
    }
    // What curl does with `-d @FILE`, and a mistake of many.
    Ok(bytes.into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect())
}

/// `$'it\'s'`, as browsers copy it, in plain quotes.
fn without_ansi(command: &str) -> String {
    let mut parts = command.split(" $'");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (mut text, mut chars) = (String::new(), part.chars());
        while let Some(char) = chars.next() {
            match char {
                '\'' => break,
                '\\' => text.push_str(&escape(&mut chars)),
                char => text.push(char),
            }
        }
        plain = format!("{plain} '{}'{}", text.replace('\'', r"'\''"), chars.as_str());
    }
    plain
}

fn escape(chars: &mut std::str::Chars<'_>) -> String {
    match chars.next() {
        Some('n') => "\n".to_owned(),
        Some('r') => "\r".to_owned(),
        Some('t') => "\t".to_owned(),
        Some('u') => {
            let digits: String = chars.clone().take(4).collect();
            let char = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
            chars.by_ref().take(4).for_each(drop);
            char.map(String::from).unwrap_or_default()
        }
        Some(char) => char.to_string(),
        None => String::new(),
    }
}

/// Letters whose option takes a value.
const WITH_VALUE: [char; 16] =
    ['X', 'H', 'd', 'o', 'A', 'b', 'c', 'e', 'u', 'm', 'x', 'E', 'w', 'F', 'T', 'Y'];
/// Long options that take none; of another one a value is expected.
const FLAGS: [&str; 14] = [
    "--compressed",
    "--insecure",
    "--silent",
    "--show-error",
    "--verbose",
    "--include",
    "--location",
    "--fail",
    "--http1.1",
    "--http2",
    "--globoff",
    "--no-buffer",
    "--fail-with-body",
    "--path-as-is",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, method: &str, url: &str, body: &str) -> Http {
        let http = parse(command).unwrap();
        assert_eq!(
            (http.method.as_deref(), &*http.url, &*http.body),
            (Some(method), url, body.as_bytes()),
            "{command}"
        );
        http
    }

    #[test]
    fn a_command_is_read_as_curl_reads_it() {
        check("curl https://api.mch.weixin.qq.com/v3/certificates", "GET", "/v3/certificates", "");
        check(
            "curl -sS localhost:9090/pay/orderquery -d '<xml/>'",
            "POST",
            "/pay/orderquery",
            "<xml/>",
        );
        check("curl -sXPUT --url http://h/a?b=1#c --data-raw '@x'", "PUT", "/a?b=1", "@x");
        check("curl -d a=1 -d b=2 http://h", "POST", "/", "a=1&b=2");
        check("curl http://h/a \\\n  --compressed \\\n  --max-time 3 -k -o out", "GET", "/a", "");
        let http = check(
            "curl 'http://h/a' -H 'Host: pay' -H \"X: it's\" --data-raw $'{\"a\":\"\\u8336\\'s\\u0021\"}'",
            "POST",
            "/a",
            "{\"a\":\"茶's!\"}",
        );
        assert_eq!((http.header("host"), http.header("x")), (Some("pay"), Some("it's")));
    }

    #[test]
    fn what_is_no_command_is_an_error() {
        assert!(parse("curl -d 'open http://h").is_err());
        assert!(parse("curl -s").is_err());
        assert!(parse("curl http://h -d @/nowhere/at/all").is_err());
    }
}
