//! Nothing that the client prints, logs or throws shows a secret; the observer sees all.

use std::io;
use std::sync::{Arc, Mutex};

use crate::common::*;
use suanpan_client::{Exchange, Wire};
use tracing_subscriber::fmt::MakeWriter;

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[track_caller]
fn hides(text: &str) {
    for secret in [SECRET, V2_KEY, OPENID, SESSION_KEY, "0b3abc", "js_code"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn no_log_no_error_and_no_print_shows_a_secret() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
    let _guard = tracing::subscriber::set_default(subscriber.with_ansi(false).finish());

    let cast = Cast::new();
    let session = format!(r#"{{"openid":"{OPENID}","session_key":"{SESSION_KEY}"}}"#);
    let Say::Bytes(whole) = plain(200, &session) else { unreachable!() };
    let cut = Say::Bytes(whole[..whole.len() - 2].to_vec());
    for says in [Say::Bytes(whole), cut, plain(200, "<html>"), Say::Nothing] {
        let town = Town::says([says]).await;
        let client = builder(&[&town]).timeout(std::time::Duration::from_millis(300));
        hides(&format!("{client:?}"));
        let client = client.build().unwrap();
        hides(&format!("{client:?}"));

        let outcome = client.call(&cast.login()).await;
        hides(&format!("{outcome:?}"));
        let mut error = outcome.error().map(|error| -> &dyn std::error::Error { error });
        while let Some(cause) = error {
            hides(&cause.to_string());
            error = cause.source();
        }
        let _ = client.call(&cast.place_v2()).await;
    }
    let _ = client(&[&Town::deserted().await]).call(&cast.login()).await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    hides(&text);
    assert!(text.contains(r#"wechat.operation="GET /sns/jscode2session""#), "{text}");
    assert!(text.contains("error.code=\"SP-UNREACHABLE\""), "{text}");
}

/// Keeps what it saw, in one line.
#[derive(Debug, Default)]
struct Watcher(Mutex<Vec<String>>);

impl Wire for Watcher {
    fn saw(&self, exchange: &Exchange<'_>) {
        let Exchange { operation, method, path_and_query, .. } = exchange;
        let asked = format!("{operation} | {method} {path_and_query}");
        let sent = String::from_utf8_lossy(exchange.request_body);
        let agent = exchange.request_headers["user-agent"].to_str().unwrap();
        let came = match exchange.reply {
            Ok(reply) => format!("{} {}", reply.status, String::from_utf8_lossy(reply.body)),
            Err(error) => error.code().to_owned(),
        };
        self.0.lock().unwrap().push(format!("{asked} | {agent} | {sent} | {came}"));
    }
}

#[tokio::test]
async fn the_observer_sees_what_was_sent_and_what_came() {
    let cast = Cast::new();
    let watcher = Arc::new(Watcher::default());
    let town = Town::says([plain(200, r#"{"errcode":40029}"#), signed(204, "")]).await;
    let client = builder(&[&town]).wire(watcher.clone()).build().unwrap();
    let _ = client.call(&cast.login()).await;
    let _ = client.call(&cast.close_v3()).await;

    let agent = concat!("suanpan/", env!("CARGO_PKG_VERSION"));
    let login = format!(
        "/sns/jscode2session?appid=wx2421b1c4370ec43b&secret={SECRET}&js_code=0b3abc&grant_type=authorization_code"
    );
    assert_eq!(
        *watcher.0.lock().unwrap(),
        [
            format!(
                "GET /sns/jscode2session | GET {login} | {agent} |  | 200 {{\"errcode\":40029}}"
            ),
            format!(
                "POST /v3/pay/transactions/out-trade-no/{{out_trade_no}}/close | POST /v3/pay/transactions/out-trade-no/order_0001/close | {agent} | {{\"mchid\":\"1900000109\"}} | 204 "
            ),
        ]
    );
}
