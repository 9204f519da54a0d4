//! A WeChat of a few lines that misbehaves byte by byte, and a cast that pays there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use suanpan_client::wechat::{
    ApiV2Key, ApiV3Key, AppId, AppSecret, CodeToSession, Fen, LoginCode, MchId, Moment, Nonce,
    OpenId, OutTradeNo, Serial, v2, v3,
};
use suanpan_client::{Builder, Client, Outside};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const NOW: i64 = 1_767_225_600;
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const V2_KEY: &str = "8934e7d15453e97507ef794cf7b0519d";
pub(crate) const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
pub(crate) const SESSION_KEY: &str = "tiihtNczf5v6AKRyjwEUhQ==";

/// What a host does with a question.
#[derive(Clone)]
pub(crate) enum Say {
    /// Writes these bytes and closes.
    Bytes(Vec<u8>),
    /// The same, and nobody listens there any more.
    Last(Vec<u8>),
    /// Never answers.
    Nothing,
}

/// A host, and what it was asked.
pub(crate) struct Town {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Town {
    /// Answers the first question with the first of these, and the last for ever.
    pub(crate) async fn says(says: impl IntoIterator<Item = Say>) -> Self {
        let says: Vec<Say> = says.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));

        let ears = Arc::clone(&heard);
        tokio::spawn(async move {
            let mut silent = Vec::new();
            for turn in 0.. {
                let (mut socket, _) = listener.accept().await.unwrap();
                let question = question(&mut socket).await;
                ears.lock().unwrap().push(question);
                match says.get(turn).or_else(|| says.last()).unwrap().clone() {
                    Say::Bytes(bytes) => socket.write_all(&bytes).await.unwrap(),
                    Say::Last(bytes) => {
                        drop(listener);
                        return socket.write_all(&bytes).await.unwrap();
                    }
                    Say::Nothing => silent.push(socket),
                }
            }
        });
        Self { url, heard }
    }

    /// A host that refuses every connection.
    pub(crate) async fn deserted() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self { url, heard: Arc::default() }
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// Reads one whole question.
async fn question(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = socket.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if length.map_or(0, |length| length.parse().unwrap()) <= body.len() {
            return text;
        }
    }
}

/// An answer with headers, as bytes.
pub(crate) fn answer(status: u16, headers: &http::HeaderMap, body: &str) -> Say {
    let mut text = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n");
    text += "request-id: 08F5B8C2B506102C18FDDFEEA306-0\r\n";
    for (name, value) in headers {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    if status != 204 {
        text += &format!("content-length: {}\r\n", body.len());
    }
    Say::Bytes(format!("{text}\r\n{body}").into_bytes())
}

/// An answer without headers.
pub(crate) fn plain(status: u16, body: &str) -> Say {
    answer(status, &http::HeaderMap::new(), body)
}

/// An answer of APIv3.
pub(crate) fn signed(status: u16, body: &str) -> Say {
    signed_at(NOW, status, body)
}

/// The same, at another time.
pub(crate) fn signed_at(now: i64, status: u16, body: &str) -> Say {
    answer(status, &signature(now, body), body)
}

/// An answer of APIv3 that WeChat signed wrongly on purpose.
pub(crate) fn probe(body: &str) -> Say {
    let mut headers = signature(NOW, body);
    headers.insert("wechatpay-signature", "WECHATPAY/SIGNTEST/abcd".parse().unwrap());
    answer(200, &headers, body)
}

fn signature(now: i64, body: &str) -> http::HeaderMap {
    let nonce = Nonce::parse("wechats").unwrap();
    let moment = Moment { now, nonce: &nonce };
    v3::sign_message(&private_key(), &serial(), moment, body.as_bytes())
}

/// An answer of APIv2, signed.
pub(crate) fn xml(fields: &[(&str, &str)]) -> Say {
    let mut all = v2::Fields::new();
    for (name, value) in fields {
        all.set(name, value);
    }
    all.set("mch_id", "1900000109");
    let key = ApiV2Key::parse(V2_KEY).unwrap();
    plain(200, &all.signed(v2::SignType::HmacSha256, &key).to_xml())
}

/// A clock that stands still, and nonces that count: `n1`, `n2`.
#[derive(Debug)]
pub(crate) struct Still(AtomicU64);

impl Outside for Still {
    fn now(&self) -> i64 {
        NOW
    }

    fn nonce(&self) -> Nonce {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        Nonce::parse(&format!("n{count}")).unwrap()
    }
}

/// A client of these hosts; gives up a silent host soon.
pub(crate) fn builder(hosts: &[&Town]) -> Builder {
    Client::builder()
        .merchant_hosts(hosts.iter().map(|town| town.url.clone()))
        .platform_host(hosts[0].url.clone())
        .timeout(Duration::from_secs(5))
        .outside(Arc::new(Still(AtomicU64::new(1))))
}

pub(crate) fn client(hosts: &[&Town]) -> Client {
    builder(hosts).build().unwrap()
}

/// Private and public half, in base64.
pub(crate) static WECHAT: LazyLock<(String, String)> = LazyLock::new(|| {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
    (STANDARD.encode(private.as_ref()), STANDARD.encode(public.as_ref()))
});

/// Which key WeChat signs with.
pub(crate) const KEY_ID: &str = "PUB_KEY_ID_0119000001092026010100000000";

fn private_key() -> v3::PrivateKey {
    v3::PrivateKey::from_pem(&WECHAT.0).unwrap()
}

fn serial() -> Serial {
    Serial::normalised(KEY_ID).unwrap()
}

/// Everything that a call borrows.
pub(crate) struct Cast {
    pub(crate) app_id: AppId,
    pub(crate) secret: AppSecret,
    pub(crate) code: LoginCode,
    pub(crate) mchid: MchId,
    pub(crate) v2_key: ApiV2Key,
    pub(crate) v3_key: ApiV3Key,
    pub(crate) signer: v3::Signer,
    pub(crate) keys: v3::KeyRing,
    pub(crate) number: OutTradeNo,
    pub(crate) v2_order: v2::UnifiedOrder,
    pub(crate) v3_order: v3::JsapiOrder,
}

impl Cast {
    pub(crate) fn new() -> Self {
        let app_id = AppId::parse("wx2421b1c4370ec43b").unwrap();
        let mchid = MchId::parse("1900000109").unwrap();
        let number = OutTradeNo::parse("order_0001").unwrap();
        let openid = OpenId::parse(OPENID).unwrap();
        let order = serde_json::json!({
            "appid": app_id, "mchid": mchid, "description": "tea", "out_trade_no": number,
            "notify_url": "https://shop.example/n", "amount": {"total": 990},
            "payer": {"openid": OPENID},
        });
        Self {
            secret: AppSecret::parse(SECRET).unwrap(),
            code: LoginCode::parse("0b3abc").unwrap(),
            v2_key: ApiV2Key::parse(V2_KEY).unwrap(),
            v3_key: ApiV3Key::parse(SECRET).unwrap(),
            signer: v3::Signer {
                mchid: mchid.clone(),
                serial: Serial::normalised("5157F09EFDC096DE15EBE81A47057A72").unwrap(),
                key: private_key(),
            },
            keys: v3::KeyRing::new().with_key(serial(), private_key().public_key().unwrap()),
            v2_order: v2::UnifiedOrder::jsapi(
                app_id.clone(),
                openid,
                number.clone(),
                Fen::new(990).unwrap(),
                "tea".to_owned(),
                "https://shop.example/n".to_owned(),
            ),
            v3_order: serde_json::from_value(order).unwrap(),
            app_id,
            mchid,
            number,
        }
    }

    pub(crate) fn login(&self) -> CodeToSession<'_> {
        CodeToSession { app_id: &self.app_id, secret: &self.secret, code: &self.code }
    }

    pub(crate) fn place_v2(&self) -> v2::PlaceOrder<'_> {
        let account = v2::Account {
            mch_id: &self.mchid,
            key: &self.v2_key,
            sign_type: v2::SignType::HmacSha256,
        };
        v2::PlaceOrder { account, order: &self.v2_order }
    }

    pub(crate) fn account(&self) -> v3::Account<'_> {
        v3::Account { signer: &self.signer, keys: &self.keys, api_v3_key: &self.v3_key }
    }

    pub(crate) fn place_v3(&self) -> v3::Prepay<'_> {
        v3::Prepay { account: self.account(), order: &self.v3_order }
    }

    pub(crate) fn close_v3(&self) -> v3::Close<'_> {
        v3::Close { account: self.account(), out_trade_no: &self.number }
    }
}
