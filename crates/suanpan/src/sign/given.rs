//! What was given: it says by itself what it is.

use suanpan_server::client::wechat::PaySignType;
use suanpan_server::client::wechat::mistakes::Message;
use suanpan_server::client::wechat::v2::{Fields, SignType};

use super::http::Http;
use super::{Say, curl, json};

/// A message with its signature, and what was seen on the way.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) message: Message,
    /// As it stands there; `None` where there is none.
    pub(super) signature: Option<String>,
    /// The merchant that it names.
    pub(super) mchid: Option<String>,
    /// The app that it names.
    pub(super) appid: Option<String>,
    /// The key that it names: a certificate, or a public key of WeChat's.
    pub(super) serial: Option<String>,
    pub(super) notes: Vec<Say>,
}

impl Given {
    /// Reads it. `app` is for a second sign that names none.
    pub(super) fn read(input: &[u8], app: Option<&str>) -> Result<Self, Say> {
        let Ok(text) = std::str::from_utf8(input) else {
            return match Http::parse(input) {
                Some(http) => Self::of_http(http, app),
                None => Err(Say::new("不是 UTF-8（也许是 GBK？）", "it is not UTF-8; is it GBK?")),
            };
        };
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let first = text.split_whitespace().next().unwrap_or_default();
        let command = text.strip_prefix("$ ").unwrap_or(text);
        if command.starts_with("curl ") {
            return Self::of_http(curl::parse(command)?, app);
        }
        match text.chars().next() {
            None => Err(Say::new("是空的", "it is empty")),
            Some('{' | '[') => json::read(text, app),
            Some('<') => Self::of_xml(text.trim_end().as_bytes()),
            Some(_) if let Some(http) = Http::parse(text.as_bytes()) => Self::of_http(http, app),
            Some(_) if first.contains('=') => {
                let pairs = text.trim_end().split('&').filter_map(|pair| pair.split_once('='));
                let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
                Self::of_fields(owned.collect())
            }
            Some(_) => Err(Say::new(
                format!("开头是 {first:?}，不像 curl、HTTP、JSON、XML 或 a=1&b=2"),
                format!("it begins with {first:?}, like no curl, HTTP, JSON, XML or a=1&b=2"),
            )),
        }
    }

    /// A request, an answer, a notification or a delivery.
    pub(super) fn of_http(http: Http, app: Option<&str>) -> Result<Self, Say> {
        let header = |name: &str| http.header(name).map(str::to_owned);
        if let Some(value) =
            header("authorization").filter(|value| value.starts_with("WECHATPAY2-"))
        {
            return Self::of_request(http, &value);
        }
        if let (Some(timestamp), Some(nonce)) =
            (header("wechatpay-timestamp"), header("wechatpay-nonce"))
        {
            let (signature, serial) = (header("wechatpay-signature"), header("wechatpay-serial"));
            let mut notes = http.notes;
            if signature.as_ref().is_some_and(|text| text.starts_with("WECHATPAY/SIGNTEST/")) {
                notes.push(Say::new(
                    "这是微信的探测：签名故意是错的，拒绝它就对了",
                    "this is a probe of WeChat: its signature is wrong on purpose, and refusing it is right",
                ));
            }
            let message = Message::Answer { timestamp, nonce, body: http.body };
            return Ok(Self { serial, notes, ..Self::new(message, signature) });
        }
        if let (Some(id), Some(timestamp)) = (header("webhook-id"), header("webhook-timestamp")) {
            // Several may stand there, while a secret is replaced.
            let signatures = header("webhook-signature").unwrap_or_default();
            let signature = signatures.split(' ').next().filter(|one| !one.is_empty());
            let signature = signature.map(str::to_owned);
            let message = Message::Webhook { id, timestamp, body: http.body };
            return Ok(Self { notes: http.notes, ..Self::new(message, signature) });
        }
        let text = String::from_utf8_lossy(&http.body).into_owned();
        let mut given = match text.trim_start().chars().next() {
            Some('<') => Self::of_xml(text.trim().as_bytes()),
            Some('{') => json::members(&text, app),
            Some(_) | None => Err(Say::new(
                "没有 Authorization: WECHATPAY2-… 、Wechatpay-Signature 或 webhook-signature 头，报文体也不是 XML：不知道用什么时间戳和随机串签",
                "there is no header Authorization: WECHATPAY2-…, Wechatpay-Signature or webhook-signature, and the body is no XML: nothing says which timestamp and nonce are signed",
            )),
        }?;
        given.notes.extend(http.notes);
        Ok(given)
    }

    fn of_request(http: Http, authorization: &str) -> Result<Self, Say> {
        let mut notes = http.notes;
        let (scheme, members) = authorization.split_once(' ').unwrap_or((authorization, ""));
        if scheme != "WECHATPAY2-SHA256-RSA2048" {
            notes.push(Say::new(
                format!("认证类型是 {scheme}；RSA 商户用 WECHATPAY2-SHA256-RSA2048"),
                format!("the scheme is {scheme}; merchants with RSA use WECHATPAY2-SHA256-RSA2048"),
            ));
        }
        let spaced = members.split(',').any(|member| member.trim() != member);
        if spaced {
            notes.push(Say::new(
                "Authorization 的逗号后面有空格；微信按“逗号直接连接”解析，去掉空格",
                "there are blanks behind the commas of Authorization; leave them out",
            ));
        }
        let member = |wanted: &str| {
            let found = members.split(',').filter_map(|member| member.split_once('='));
            let mut found = found.filter(|(name, _)| name.trim() == wanted);
            let (_, value) = found.next()?;
            Some(value.trim().trim_matches('"').to_owned())
        };
        let lacks = |name: &str| {
            Say::new(
                format!("Authorization 里没有 {name}"),
                format!("`{name}` is missing in Authorization"),
            )
        };
        let timestamp = member("timestamp").ok_or_else(|| lacks("timestamp"))?;
        let nonce = member("nonce_str").ok_or_else(|| lacks("nonce_str"))?;
        let host = http.host;
        let message = Message::Request {
            method: http.method.unwrap_or_else(|| "GET".to_owned()),
            url: http.url,
            host,
            timestamp,
            nonce,
            body: http.body,
        };
        let (mchid, serial) = (member("mchid"), member("serial_no"));
        Ok(Self { mchid, serial, notes, ..Self::new(message, member("signature")) })
    }

    /// A message of APIv2.
    fn of_xml(body: &[u8]) -> Result<Self, Say> {
        let fields = Fields::in_order(body).map_err(|cause| {
            Say::new(format!("XML 读不了：{cause}"), format!("the XML cannot be read: {cause}"))
        })?;
        Self::of_fields(fields)
    }

    /// Names and values of APIv2.
    pub(super) fn of_fields(fields: Vec<(String, String)>) -> Result<Self, Say> {
        let value = |wanted: &str| {
            let found = fields.iter().find(|(name, value)| name == wanted && !value.is_empty());
            found.map(|(_, value)| value.clone())
        };
        if fields.is_empty() {
            return Err(Say::new("里面没有字段", "there are no fields in it"));
        }
        let (signature, mut notes) = (value("sign"), Vec::new());
        if signature.is_none() && value("req_info").is_some() {
            notes.push(Say::new(
                "v2 的退款通知不签名，而是加密（req_info）：能用密钥解开就是微信发的",
                "refund notifications of APIv2 are not signed but sealed (req_info): what opens under the key is WeChat's",
            ));
        }
        let word = value("sign_type");
        let declared = word.as_deref().and_then(SignType::parse);
        if let (Some(word), None) = (&word, declared) {
            notes.push(Say::new(
                format!("sign_type 是 {word:?}；只能是 MD5 或 HMAC-SHA256"),
                format!("sign_type is {word:?}; it can be MD5 or HMAC-SHA256"),
            ));
        }
        // WeChat signs its answers as the question was, and does not say how.
        let told = value("return_code").is_some();
        let long = signature.as_ref().is_some_and(|sign| sign.len() == 64);
        let sign_type = match declared {
            Some(declared) => declared,
            None if told && long => SignType::HmacSha256,
            None => SignType::Md5,
        };
        let (mchid, appid) = (value("mch_id"), value("appid"));
        let message = Message::Fields { fields, sign_type };
        Ok(Self { mchid, appid, notes, ..Self::new(message, signature) })
    }

    /// What `wx.requestPayment` takes.
    pub(super) fn of_payment(
        value: impl Fn(&str) -> Option<String>,
        app: Option<&str>,
    ) -> Result<Self, Say> {
        let lacks = |name: &str| {
            Say::new(
                format!("wx.requestPayment 的字段 {name} 没有"),
                format!("the field {name} of wx.requestPayment is missing"),
            )
        };
        let need = |name: &str| value(name).ok_or_else(|| lacks(name));
        let app_id = value("appId").or_else(|| value("appid")).or_else(|| app.map(str::to_owned));
        let app_id = app_id.ok_or_else(|| {
            Say::new(
                "不知道是哪个小程序：appId 参与签名却不在五个字段里；加上 \"appId\"，或用 --app、--config",
                "which app is it for? `appId` is signed and not among the five: add \"appId\", or use --app or --config",
            )
        })?;
        let (word, mut notes) = (value("signType"), Vec::new());
        let sign_type = word.as_deref().map(PaySignType::parse);
        if let Some(None) = sign_type {
            notes.push(Say::new(
                "signType 只能是 MD5、HMAC-SHA256 或 RSA；按 MD5 看",
                "signType can be MD5, HMAC-SHA256 or RSA; it is taken for MD5",
            ));
        }
        let message = Message::Payment {
            app_id: app_id.clone(),
            time_stamp: need("timeStamp")?,
            nonce_str: need("nonceStr")?,
            package: need("package")?,
            sign_type: sign_type.flatten().unwrap_or(PaySignType::Md5),
        };
        Ok(Self { appid: Some(app_id), notes, ..Self::new(message, value("paySign")) })
    }

    const fn new(message: Message, signature: Option<String>) -> Self {
        Self { message, signature, mchid: None, appid: None, serial: None, notes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: [&str; 6] = [
        "<xml><appid>wx1</appid><mch_id>1</mch_id><body><![CDATA[茶]]></body><sign>0A</sign></xml>",
        "curl -sX POST 'http://h/v3/a?b=1' -H 'Authorization: WECHATPAY2-SHA256-RSA2048 mchid=\"1\",nonce_str=\"n\",timestamp=\"1\",serial_no=\"A\",signature=\"s\"' --data-raw $'{\"a\":\"\\u8336\"}'",
        "POST /n HTTP/1.1\r\nWechatpay-Timestamp: 1\r\nWechatpay-Nonce: n\r\nContent-Length: 5\r\n\r\n{\"茶\"}",
        "HTTP/2 200\nwebhook-id: 1\nwebhook-timestamp: 2\nwebhook-signature: v1,a\n\n{}",
        r#"{"requests":[{"method":"GET","path":"/a","headers":[["a","b"]],"body":"","signature":{}}]}"#,
        r#"{"appId":"wx1","timeStamp":"1","nonceStr":"n","package":"prepay_id=1","signType":"MD5","paySign":"s"}"#,
    ];

    /// Whatever is pasted, cut short or damaged: it is read or refused, and nothing breaks.
    #[test]
    fn damaged_input_breaks_nothing() {
        for sample in SAMPLES {
            let bytes = sample.as_bytes();
            for at in 0..bytes.len() {
                drop(Given::read(&bytes[..at], None));
                for byte in [b'\'', b'"', b'\\', b'\n', b'<', b'{', b' ', b'%', 0, 0xFF] {
                    let mut damaged = bytes.to_vec();
                    damaged[at] = byte;
                    drop(Given::read(&damaged, Some("wx1")));
                }
            }
        }
    }

    #[test]
    fn undamaged_samples_are_understood() {
        for sample in [SAMPLES[0], SAMPLES[1], SAMPLES[2], SAMPLES[3], SAMPLES[5]] {
            Given::read(sample.as_bytes(), None).unwrap_or_else(|why| panic!("{sample}: {why:?}"));
        }
    }
}
