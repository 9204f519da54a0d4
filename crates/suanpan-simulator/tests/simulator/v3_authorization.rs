//! APIv3: who asks. The gateway's order of checks, and its words.

use serde_json::{Value, json};
use suanpan_wechat::v3::{self, JsapiOrder, Prepay};
use suanpan_wechat::{Moment, OpenId};

use crate::common::{Said, Sim};
use crate::merchant::Merchant;

const JSAPI: &str = "/v3/pay/transactions/jsapi";
const CERTIFICATES: &str = "/v3/certificates";

/// What is said before the signature is believed carries none.
#[track_caller]
fn check(said: &Said, status: u16, code: &str, message: &str) {
    let answer = said.json();
    assert_eq!(
        (said.status, &answer["code"], &answer["message"]),
        (status, &json!(code), &json!(message))
    );
    assert!(!said.headers.keys().any(|name| name.as_str().starts_with("wechatpay-")), "{said:?}");
}

async fn with(sim: &Sim, path: &str, authorization: Option<&str>) -> Said {
    let method = if path == JSAPI { "POST" } else { "GET" };
    let mut question = http::Request::builder()
        .method(method)
        .uri(path)
        .header("user-agent", "test")
        .header("accept", "application/json");
    if let Some(authorization) = authorization {
        question = question.header("authorization", authorization);
    }
    sim.send(question.body(Vec::new()).unwrap()).await
}

/// The header of an empty question, before a test spoils it.
fn header(sim: &Sim, merchant: &Merchant, method: &str, path: &str, now: i64) -> String {
    let nonce = sim.nonce();
    v3::authorize(&merchant.signer, method, path, b"", Moment { now, nonce: &nonce })
}

#[tokio::test]
async fn an_absent_or_foreign_header_is_refused_in_two_ways() {
    let sim = Sim::start().await;
    for authorization in [None, Some("Bearer abc")] {
        check(&with(&sim, JSAPI, authorization).await, 401, "SIGN_ERROR", "签名信息错误，验签失败");
    }
    let malformed = "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》";
    check(&with(&sim, CERTIFICATES, None).await, 401, "SIGN_ERROR", malformed);
    let half = "WECHATPAY2-SHA256-RSA2048 mchid=\"1\"";
    check(&with(&sim, CERTIFICATES, Some(half)).await, 401, "SIGN_ERROR", malformed);
    let foreign = "HTTP头Authorization认证类型不正确";
    check(&with(&sim, CERTIFICATES, Some("Bearer abc")).await, 401, "SIGN_ERROR", foreign);

    let merchant = sim.merchant(1);
    let spaced = header(&sim, &merchant, "GET", CERTIFICATES, sim.now()).replace(',', ", ");
    check(&with(&sim, CERTIFICATES, Some(&spaced)).await, 401, "SIGN_ERROR", malformed);
    sim.switch("v3_blanks_in_authorization", json!(true)).await;
    assert_eq!(with(&sim, CERTIFICATES, Some(&spaced)).await.status, 200);
}

#[tokio::test]
async fn user_agent_and_accept_are_wanted_but_not_by_payments() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(1);
    let bare = |method: &str, path: &str| {
        let mut question = merchant.v3_question(&sim, method, path, b"");
        question.headers_mut().insert("user-agent", "".parse().unwrap());
        question
    };
    let said = sim.send(bare("GET", CERTIFICATES)).await;
    check(&said, 400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent");
    assert_eq!(sim.send(bare("POST", JSAPI)).await.refusal().1, "PARAM_ERROR");
}

#[tokio::test]
async fn the_clock_is_checked_before_the_signature_and_the_certificate_too() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(1);
    let late = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟";
    for (off, refused) in [(-301, true), (-300, false), (300, false), (301, true)] {
        let value = header(&sim, &merchant, "GET", CERTIFICATES, sim.now() + off);
        let said = with(&sim, CERTIFICATES, Some(&value)).await;
        if refused {
            check(&said, 401, "SIGN_ERROR", late);
        } else {
            assert_eq!(said.status, 200, "{off}");
        }
    }
    let extreme = header(&sim, &merchant, "GET", CERTIFICATES, i64::MIN);
    check(&with(&sim, CERTIFICATES, Some(&extreme)).await, 401, "SIGN_ERROR", late);

    let right = header(&sim, &merchant, "GET", CERTIFICATES, sim.now());
    let serial = merchant.signer.serial.as_str();
    let other = right.replace(serial, sim.merchant(0).signer.serial.as_str());
    let words = "商户证书序列号有误。请使用签名私钥匹配的证书序列号";
    check(&with(&sim, CERTIFICATES, Some(&other)).await, 401, "SIGN_ERROR", words);
    let nobody = right.replace(merchant.mchid.as_str(), "1999999999");
    check(&with(&sim, CERTIFICATES, Some(&nobody)).await, 401, "SIGN_ERROR", "商户未申请过证书。");
    let small = right.replace(serial, &serial.to_lowercase());
    assert_eq!(with(&sim, CERTIFICATES, Some(&small)).await.status, 200);
}

#[tokio::test]
async fn a_wrong_signature_is_answered_with_what_wechat_signed() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let mut question = merchant.v3_question(&sim, "POST", JSAPI, b"{\"appid\":\"wx1\"}");
    *question.body_mut() = b"{\"appid\":\"wx2\"}".to_vec();
    let said = sim.send(question).await;
    check(&said, 401, "SIGN_ERROR", "签名错误");
    assert!(said.headers.get("request-id").is_none());
    let detail = &said.json()["detail"];
    assert_eq!(detail["detail"]["issue"], "sign not match");
    let information = &detail["sign_information"];
    assert_eq!((&information["method"], &information["url"]), (&json!("POST"), &json!(JSAPI)));
    let shown = information["truncated_sign_message"].as_str().unwrap();
    assert!(shown.starts_with("POST\n/v3/pay/transactions/jsapi\n1767225600\n"), "{shown}");
    assert!(shown.ends_with("\n{\"appid\"\n"), "{shown}");
}

/// Signs a text of one's own, sends the right question, and reads the log.
async fn explanation(
    sim: &Sim,
    merchant: &Merchant,
    path: &str,
    body: &str,
    text: impl Fn(i64, &str) -> String,
) -> Value {
    let method = if body.is_empty() { "GET" } else { "POST" };
    let mut question = merchant.v3_question(sim, method, path, body.as_bytes());
    let nonce = sim.nonce();
    let signature = merchant.signer.key.sign(text(sim.now(), nonce.as_str()).as_bytes());
    let value = format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",signature=\"{signature}\",timestamp=\"{}\",serial_no=\"{}\"",
        merchant.mchid,
        sim.now(),
        merchant.signer.serial
    );
    question.headers_mut().insert("authorization", value.parse().unwrap());
    assert_eq!(sim.send(question).await.status, 401);
    sim.last_request().await["signature"].clone()
}

#[tokio::test]
async fn the_log_says_what_was_signed_instead() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let body = r#"{"b":"茶","a":1}"#;
    let path = "/v3/pay/transactions/out-trade-no/order_0001?mchid=1";
    let post =
        |now: i64, nonce: &str, body: &str| format!("POST\n{JSAPI}\n{now}\n{nonce}\n{body}\n");
    type Text<'a> = Box<dyn Fn(i64, &str) -> String + 'a>;
    let mistakes: [(&str, &str, Text<'_>, &str); 9] = [
        (
            JSAPI,
            body,
            Box::new(|now, nonce| post(now, nonce, body).trim_end().to_owned()),
            "line feed after the last line",
        ),
        (
            path,
            "",
            Box::new(|now, nonce| {
                format!("GET\n/v3/pay/transactions/out-trade-no/order_0001\n{now}\n{nonce}\n\n")
            }),
            "query is not signed",
        ),
        (
            path,
            "",
            Box::new(|now, nonce| {
                format!("GET\nhttps://api.mch.weixin.qq.com{path}\n{now}\n{nonce}\n\n")
            }),
            "WeChat's host",
        ),
        (JSAPI, body, Box::new(|now, nonce| post(now, nonce, "")), "body is not signed"),
        (
            JSAPI,
            body,
            Box::new(|now, nonce| post(now, nonce, r#"{"b": "茶", "a": 1}"#)),
            "blanks that were not sent",
        ),
        (
            JSAPI,
            body,
            Box::new(|now, nonce| post(now, nonce, r#"{"b": "\u8336", "a": 1}"#)),
            "\\u escapes",
        ),
        (
            JSAPI,
            body,
            Box::new(|now, nonce| post(now, nonce, r#"{"a":1,"b":"茶"}"#)),
            "serialised twice",
        ),
        (
            JSAPI,
            body,
            Box::new(|now, nonce| format!("POST\n{JSAPI}\n{nonce}\n{now}\n{body}\n")),
            "in another order: method, url, nonce_str, timestamp, body",
        ),
        (
            JSAPI,
            body,
            Box::new(|now, nonce| format!("{now}\n{nonce}\nPOST\n{JSAPI}\n{body}\n")),
            "in another order: timestamp, nonce_str, method",
        ),
    ];
    for (path, body, text, want) in mistakes {
        let found = explanation(&sim, &merchant, path, body, text).await;
        assert!(found["explanation"].as_str().unwrap().contains(want), "{want}: {found}");
        let [expected, yours] =
            ["expected", "yours"].map(|name| found[name].as_str().unwrap().as_bytes().to_vec());
        let at = usize::try_from(found["first_difference"].as_u64().unwrap()).unwrap();
        assert_eq!(expected[..at], yours[..at]);
        assert_ne!(expected.get(at), yours.get(at));
    }

    let unknown = explanation(&sim, &merchant, JSAPI, body, |_, _| "nonsense".to_owned()).await;
    assert_eq!(unknown["yours"], Value::Null);
    assert!(unknown["explanation"].as_str().unwrap().contains("none of the usual mistakes"));
}

#[tokio::test]
async fn another_merchants_key_is_recognised() {
    let sim = Sim::start().await;
    let mut merchant = sim.merchant(0);
    merchant.signer.key = sim.merchant(1).signer.key;
    assert_eq!(sim.send(merchant.v3_question(&sim, "POST", JSAPI, b"{}")).await.status, 401);
    let found = &sim.last_request().await["signature"];
    let words = format!("the private key is that of merchant {}", sim.merchant(1).mchid);
    assert!(found["explanation"].as_str().unwrap().contains(&words), "{found}");
    assert_eq!(found["first_difference"], Value::Null);
}

#[tokio::test]
async fn a_nonce_may_come_twice_unless_the_switch_says_no() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(1);
    let value = header(&sim, &merchant, "GET", CERTIFICATES, sim.now());
    for _ in 0..2 {
        assert_eq!(with(&sim, CERTIFICATES, Some(&value)).await.status, 200);
    }
    sim.switch("v3_repeated_nonce_is_refused", json!(true)).await;
    assert_eq!(with(&sim, CERTIFICATES, Some(&value)).await.status, 200);
    assert_eq!(with(&sim, CERTIFICATES, Some(&value)).await.status, 401);
}

#[tokio::test]
async fn an_answer_is_signed_with_the_key_that_was_asked_for() {
    let sim = Sim::start().await;
    for (nth, asked, want) in [
        // Public key mode: whatever is asked for.
        (0, None, "public"),
        (0, Some("certificate"), "public"),
        // Certificates only: whatever is asked for.
        (1, Some("public"), "certificate"),
        (1, None, "certificate"),
        // On the way: as asked.
        (3, Some("public"), "public"),
        (3, Some("certificate"), "certificate"),
        (3, None, "certificate"),
    ] {
        let merchant = sim.merchant(nth);
        let named = |which: &str| match which {
            "public" => merchant.entry["wechatpay_public_key_id"].as_str().unwrap().to_owned(),
            _ => merchant.entry["platform_certificates"][0]["serial"]
                .as_str()
                .unwrap_or("5157F0")
                .to_owned(),
        };
        let mut question = merchant.v3_question(&sim, "POST", JSAPI, b"{}");
        if let Some(asked) = asked {
            question.headers_mut().insert("wechatpay-serial", named(asked).parse().unwrap());
        }
        let said = sim.send(question).await;
        assert_eq!(
            said.headers["wechatpay-serial"].to_str().unwrap(),
            named(want),
            "{nth} {asked:?}"
        );
        v3::verify_message(&said.headers, &said.body, &merchant.keys, sim.now()).unwrap();
    }
}

#[tokio::test]
async fn certificates_come_sealed_and_not_at_all_in_public_key_mode() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(2);
    let said = sim.send(merchant.v3_question(&sim, "GET", CERTIFICATES, b"")).await;
    let opened =
        v3::CertificatesAnswer::open(&said.headers, &said.body, &merchant.v3_key, sim.now());
    let serials: Vec<_> = opened.unwrap().into_iter().map(|each| each.serial.to_string()).collect();
    let listed = merchant.entry["platform_certificates"].as_array().unwrap();
    let listed: Vec<_> = listed.iter().map(|each| each["serial"].as_str().unwrap()).collect();
    assert_eq!(serials, listed);
    assert_eq!(serials.len(), 2);

    let merchant = sim.merchant(0);
    let said = sim.send(merchant.v3_question(&sim, "GET", CERTIFICATES, b"")).await;
    assert_eq!(said.refusal(), (404, "RESOURCE_NOT_EXISTS".to_owned()));
    assert!(said.headers.contains_key("request-id"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_without_a_word() {
    let sim = Sim::start().await;
    for (method, path, status) in [
        ("GET", "/v3/nothing", 404),
        ("GET", "/pay", 404),
        ("GET", JSAPI, 405),
        ("POST", "/v3/certificates", 405),
    ] {
        let question = http::Request::builder().method(method).uri(path).body(Vec::new()).unwrap();
        let said = sim.send(question).await;
        assert_eq!((said.status, said.text()), (status, ""), "{method} {path}");
        assert_eq!(sim.last_request().await["path"], path);
    }
}

#[tokio::test]
async fn a_body_of_more_than_a_megabyte_is_not_read() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let said =
        sim.send(merchant.v3_question(&sim, "POST", JSAPI, &vec![b' '; 1024 * 1024 + 1])).await;
    assert_eq!(said.status, 413);
    let openid = OpenId::parse("o").unwrap();
    let order: JsapiOrder =
        serde_json::from_value(merchant.v3_order(&openid, "order_0001")).unwrap();
    assert!(sim.ask(&Prepay { account: merchant.v3(), order: &order }).await.is_err());
}
