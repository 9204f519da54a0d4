//! Raw HTTP, as it is captured: a request or an answer, with or without carriage returns.

use super::Say;

/// A message of HTTP.
#[derive(Debug, Default)]
pub(super) struct Http {
    /// Of a request; an answer has none.
    pub(super) method: Option<String>,
    /// Path and query.
    pub(super) url: String,
    pub(super) host: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) notes: Vec<Say>,
}

impl Http {
    /// Reads it; `None` where it is no HTTP.
    pub(super) fn parse(input: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(input);
        let line = text.lines().next()?;
        let mut http = match line.split(' ').collect::<Vec<_>>()[..] {
            [version, ..] if version.starts_with("HTTP/") => Self::default(),
            [method, target, version] if version.starts_with("HTTP/") => {
                let (host, url) = split_url(target);
                Self { method: Some(method.to_owned()), url, host, ..Self::default() }
            }
            _ => return None,
        };
        // The version may be one that has no such text, HTTP/2: only what is below the first line is parsed.
        let below = input.iter().position(|byte| *byte == b'\n')?.saturating_add(1);
        let rest = input.get(below..).unwrap_or_default();
        // Without a body, an editor leaves the blank line out.
        let ended = [rest, b"\n\n"].concat();
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let httparse::Status::Complete((length, headers)) =
            httparse::parse_headers(&ended, &mut headers).ok()?
        else {
            return None;
        };
        for header in headers {
            let value = String::from_utf8_lossy(header.value).into_owned();
            http.headers.push((header.name.to_owned(), value));
        }
        http.host = http.header("host").map(str::to_owned).or(http.host);
        http.body = rest.get(length..).unwrap_or_default().to_vec();
        http.cut();
        Some(http)
    }

    /// A header, whatever its case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Takes away what an editor left behind the body.
    fn cut(&mut self) {
        let length = self.header("content-length").and_then(|text| text.parse::<usize>().ok());
        if let Some(length) = length
            && length < self.body.len()
        {
            self.body.truncate(length);
            return;
        }
        let feed =
            self.body.strip_suffix(b"\n").map(|body| body.strip_suffix(b"\r").unwrap_or(body));
        if length.is_none()
            && let Some(body) = feed
        {
            self.body = body.to_vec();
            self.notes.push(Say::new(
                "文件末尾的换行没有算进报文体（没有 Content-Length）",
                "the line feed at the end of the file is not taken for a part of the body, since there is no Content-Length",
            ));
        } else if let Some(length) = length
            && length > self.body.len()
        {
            self.notes.push(Say::new(
                format!("Content-Length 是 {length}，手上的报文体只有 {} 字节", self.body.len()),
                format!(
                    "Content-Length is {length}, and the body in hand has {} bytes",
                    self.body.len()
                ),
            ));
        }
    }
}

/// Host, and path with query.
pub(super) fn split_url(url: &str) -> (Option<String>, String) {
    let url = url.split('#').next().unwrap_or_default();
    let Some((_, rest)) = url.split_once("://") else { return (None, url.to_owned()) };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    (Some(host.to_owned()), path)
}

const MOST_HEADERS: usize = 128;
