//! `suanpan sign`: whatever is given is recognised; right is right, wrong is named, and no key is printed.
//!
//! The signatures were made by Python (`suanpan-wechat/tests/vectors/mistakes.py`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use suanpan_wechat::v3::{PrivateKey, Signer, authorize};
use suanpan_wechat::{MchId, Moment, Nonce, Serial};

use crate::process::{Ended, Running, finish, run, suanpan, text};
use crate::secrets;

fn vectors(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../suanpan-wechat/tests/vectors").join(name)
}

fn corpus() -> Value {
    serde_json::from_slice(&fs::read(vectors("mistakes.json")).unwrap()).unwrap()
}

#[track_caller]
fn member<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// A folder with the keys of the corpus, and what is given.
struct Desk {
    folder: tempfile::TempDir,
    corpus: Value,
}

impl Desk {
    fn new() -> Self {
        let (folder, corpus) = (tempfile::tempdir().unwrap(), corpus());
        for name in ["api_v2", "api_v3", "webhook"] {
            let key = format!("{}\n", member(&corpus["keys"], name));
            fs::write(folder.path().join(name), key).unwrap();
        }
        Self { folder, corpus }
    }

    /// The message that is signed right, with its signature.
    fn right(&self, id: &str) -> (&Value, &str) {
        let right = self.corpus["right"].as_array().unwrap();
        let found = right.iter().find(|one| one["id"] == id).unwrap();
        (&found["message"], member(found, "given"))
    }

    /// A message that is signed wrong in this way.
    fn wrong(&self, id: &str) -> (&Value, &str) {
        let cases = self.corpus["cases"].as_array().unwrap();
        let found = cases.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id}"));
        (&found["message"], member(found, "given"))
    }

    /// The file of the key that signs or proves this message.
    fn key(&self, message: &Value) -> PathBuf {
        let rsa = message["sign_type"] == "RSA";
        match member(message, "kind") {
            "payment" if rsa => vectors("merchant-1.key.pem"),
            "fields" | "payment" => self.folder.path().join("api_v2"),
            "request" => vectors("merchant-1.cert.pem"),
            "answer" => vectors("platform-1.cert.pem"),
            _ => self.folder.path().join("webhook"),
        }
    }

    fn given(&self, given: &str) -> PathBuf {
        let file = self.folder.path().join("given");
        fs::write(&file, given).unwrap();
        file
    }

    fn run(&self, message: &Value, given: &str, more: &[&str]) -> Ended {
        let (given, key) = (self.given(given), self.key(message));
        run(&[&["sign", text(&given), "--key-file", text(&key)], more].concat())
    }
}

fn pairs(message: &Value, sign: &str) -> Vec<(String, String)> {
    let fields: Vec<(String, String)> = serde_json::from_value(message["fields"].clone()).unwrap();
    fields.into_iter().chain([("sign".to_owned(), sign.to_owned())]).collect()
}

fn xml(message: &Value, sign: &str) -> String {
    let field = |(name, value)| format!("<{name}><![CDATA[{value}]]></{name}>");
    let fields: Vec<_> = pairs(message, sign).into_iter().map(field).collect();
    format!("<xml>\n{}\n</xml>\n", fields.join("\n"))
}

fn authorization(message: &Value, signature: &str) -> String {
    let (nonce, time) = (member(message, "nonce"), member(message, "timestamp"));
    format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"1900000109\",nonce_str=\"{nonce}\",signature=\"{signature}\",timestamp=\"{time}\",serial_no=\"5157F09EFDC096DE15EBE81A47057A7232F1B8E1\""
    )
}

fn http(message: &Value, signature: &str) -> String {
    let (method, url, body) =
        (member(message, "method"), member(message, "url"), member(message, "body"));
    let authorization = authorization(message, signature);
    format!(
        "{method} {url} HTTP/2\r\nHost: api.mch.weixin.qq.com\r\nauthorization: {authorization}\r\nContent-Length: {}\r\n\r\n{body}\n",
        body.len()
    )
}

fn curl(message: &Value, signature: &str) -> String {
    let (url, body) = (member(message, "url"), member(message, "body"));
    let authorization = authorization(message, signature);
    let data = if body.is_empty() { String::new() } else { format!(" \\\n  --data-raw '{body}'") };
    format!(
        "$ curl -sS 'https://api.mch.weixin.qq.com{url}' \\\n  -H 'Authorization: {authorization}'{data}\n"
    )
}

fn told(first: &str, message: &Value, signature: &str) -> String {
    let (nonce, time) = (member(message, "nonce"), member(message, "timestamp"));
    let body = member(message, "body");
    format!(
        "{first}\nWechatpay-Timestamp: {time}\nWechatpay-Nonce: {nonce}\nWechatpay-Serial: 2F5B1A9C7D3E4F60718293A4B5C6D7E8F9012345\nWechatpay-Signature: {signature}\n\n{body}\n"
    )
}

fn five(message: &Value, signature: &str) -> String {
    json!({
        "timeStamp": message["time_stamp"], "nonceStr": message["nonce_str"], "package": message["package"],
        "signType": message["sign_type"], "paySign": signature,
    })
    .to_string()
}

fn delivery(message: &Value, signature: &str) -> String {
    format!(
        "POST /hook HTTP/1.1\nhost: shop\nwebhook-id: {}\nwebhook-timestamp: {}\nwebhook-signature: {signature} v1,b3RoZXI=\n\n{}",
        member(message, "id"),
        member(message, "timestamp"),
        member(message, "body")
    )
}

#[test]
fn every_form_is_recognised_and_what_is_right_is_right() {
    let desk = Desk::new();
    let check = |id: &str, kind: &str, form: &dyn Fn(&Value, &str) -> String, more: &[&str]| {
        let (message, signature) = desk.right(id);
        let ended = desk.run(message, &form(message, signature), &[&["--json"], more].concat());
        let said = ended.json();
        assert_eq!(
            (&said["verdict"], &said["kind"]),
            (&json!("right"), &json!(kind)),
            "{id}: {said}"
        );
        assert_eq!(ended.code, Some(0));
        said
    };
    let object = |message: &Value, sign: &str| {
        let members = pairs(message, sign).into_iter().map(|(name, value)| (name, json!(value)));
        Value::Object(members.collect()).to_string()
    };
    let said = check("fields", "v2", &xml, &[]);
    assert_eq!(said["signature"], said["given"]);
    check("fields-hmac", "v2", &xml, &[]);
    check("fields", "v2", &object, &[]);
    check("request", "v3_request", &http, &[]);
    check("request", "v3_request", &curl, &[]);
    check("request-get", "v3_request", &curl, &[]);
    let entry = |message: &Value, signature: &str| {
        let headers = json!({ "Authorization": authorization(message, signature) });
        json!({ "method": "post", "url": format!("https://h{}", member(message, "url")), "headers": headers, "data": message["body"] })
            .to_string()
    };
    check("request", "v3_request", &entry, &[]);
    check(
        "answer",
        "v3_answer",
        &|message, signature| told("HTTP/1.1 200 OK", message, signature),
        &[],
    );
    check(
        "answer",
        "v3_answer",
        &|message, signature| told("POST /n HTTP/1.1", message, signature),
        &[],
    );
    let app = ["--app", "wx8888888888888888"];
    check("payment", "request_payment", &five, &app);
    let said = check("payment-rsa", "request_payment", &five, &app);
    assert_eq!(said["signature"], said["given"], "the private key signs it, too");
    check("webhook", "webhook", &delivery, &[]);
}

#[test]
fn a_message_of_apiv2_can_be_a_line_of_names_and_values() {
    let desk = Desk::new();
    let given = "appid=wx1&mch_id=1900000109&nonce_str=n&sign=00000000000000000000000000000000";
    let ended = desk.run(desk.right("fields").0, given, &["--json"]);
    let said = ended.json();
    assert_eq!(said["text"], "appid=wx1&mch_id=1900000109&nonce_str=n&key=***");
    // The same as a signature of its own.
    let sign = member(&said, "signature");
    let again = desk.run(desk.right("fields").0, given, &["--json", "--against", sign]);
    assert_eq!((&again.json()["verdict"], again.code), (&json!("right"), Some(0)));
}

#[test]
fn what_is_wrong_is_named_in_both_languages() {
    let desk = Desk::new();
    let app = ["--app", "wx8888888888888888"];
    let check = |id: &str, form: &dyn Fn(&Value, &str) -> String, zh: &str, en: &str| {
        let (message, signature) = desk.wrong(id);
        let given = form(message, signature);
        let said = desk.run(message, &given, &[&["--json"], &app[..]].concat());
        let object = said.json();
        let ids: Vec<_> =
            object["mistakes"].as_array().unwrap().iter().map(|one| member(one, "id")).collect();
        assert!(id.contains(&ids.join("+")), "{id}: {object}");
        assert_eq!((said.code, &object["verdict"]), (Some(1), &json!("wrong")), "{id}");
        for (language, words) in [("zh", zh), ("en", en)] {
            let ended = desk.run(message, &given, &[&["--lang", language], &app[..]].concat());
            assert!(ended.code == Some(1) && ended.stdout.contains(words), "{id}: {ended:?}");
        }
    };
    check("fields:pairs.key-missing:0", &xml, "最后没有拼 &key=密钥", "append `&key=`");
    check("fields:pairs.order-sent:0", &xml, "没有排序", "not sorted");
    check("request:body.spaced:0", &curl, "先序列化成字符串", "serialise once");
    check(
        "request:lines.last-feed:0",
        &http,
        "最后一行后面少了换行",
        "the line feed after the last line",
    );
    check("request:rsa.sha1:0", &http, "SHA-1", "SHA256withRSA");
    check(
        "answer:kept.rewritten:0",
        &|m, s| told("HTTP/1.1 200 OK", m, s),
        "先验签再解析",
        "verify the raw bytes",
    );
    check("payment:payment.bare:0", &five, "prepay_id= 前缀", "without `prepay_id=`");
    check("webhook:hook.secret-text:0", &delivery, "base64 解码", "decode the rest");
}

#[test]
fn the_text_is_shown_with_what_nobody_sees_and_without_the_key() {
    let desk = Desk::new();
    let (message, signature) = desk.wrong("fields:pairs.trimmed:0");
    let ended = desk.run(message, &xml(message, signature), &[]);
    // The blank behind `floor/2` is what was not signed.
    for shown in ["floor/2␠&body=", "floor/2&body=", "&key=***", "应为", "怎么办"] {
        assert!(ended.stdout.contains(shown), "{shown}: {}", ended.stdout);
    }
    for id in [
        "fields:key.newline:0",
        "fields:key.lower:0",
        "fields:pairs.key-among:0",
        "fields:text.upper:0",
    ] {
        let (message, signature) = desk.wrong(id);
        let ended = desk.run(message, &xml(message, signature), &["--json"]);
        let key = member(&desk.corpus["keys"], "api_v2").to_lowercase();
        assert!(!ended.stdout.to_lowercase().contains(&key), "{id}: {}", ended.stdout);
        assert_eq!(ended.json()["verdict"], "wrong", "{id}");
    }
}

#[test]
fn a_text_of_ones_own_is_compared_byte_by_byte() {
    let desk = Desk::new();
    let (message, _) = desk.right("request");
    let mine = desk.folder.path().join("mine");
    let (time, nonce, body) =
        (member(message, "timestamp"), member(message, "nonce"), member(message, "body"));
    let right = format!("POST\n/v3/pay/transactions/jsapi\n{time}\n{nonce}\n{body}\n");
    fs::write(&mine, right.replace("jsapi", "native")).unwrap();
    let given = http(message, "AAAA");
    let said = desk.run(message, &given, &["--json", "--text", text(&mine)]).json();
    assert_eq!(said["first_difference"], "POST\n/v3/pay/transactions/".len());
    fs::write(&mine, right).unwrap();
    let said = desk.run(message, &given, &["--text", text(&mine), "--lang", "en"]);
    assert!(said.stdout.contains("is the one to sign"), "{}", said.stdout);
    assert!(said.stdout.contains("another key or digest"), "{}", said.stdout);
}

#[test]
fn without_a_key_or_a_signature_there_is_the_text() {
    let desk = Desk::new();
    let (message, signature) = desk.right("request");
    let file = desk.given(&curl(message, signature));
    let ended = run(&["sign", text(&file)]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("POST⏎") && ended.stdout.contains("--key-file"), "{ended:?}");

    let (message, _) = desk.right("fields");
    let ended = desk.run(message, &xml(message, ""), &["--json"]);
    let said = ended.json();
    assert_eq!((ended.code, &said["verdict"]), (Some(0), &json!("uncompared")), "{said}");
    assert_eq!(said["signature"], desk.right("fields").1);
}

#[test]
fn a_key_comes_from_a_variable_and_a_message_from_standard_input() {
    let desk = Desk::new();
    let (message, signature) = desk.right("fields");
    let file = fs::File::open(desk.given(&xml(message, signature))).unwrap();
    let mut command = suanpan(&["sign", "-", "--key-env", "MY_KEY"]);
    command.stdin(file).env("MY_KEY", member(&desk.corpus["keys"], "api_v2"));
    let ended = finish(command);
    assert!(ended.code == Some(0) && ended.stdout.contains("✓ 签名正确"), "{ended:?}");
}

#[test]
fn what_is_not_understood_ends_with_2() {
    let desk = Desk::new();
    let check = |given: &str, says: &str| {
        let file = desk.given(given);
        let ended = run(&["sign", text(&file), "--lang", "en"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{given}: {ended:?}");
        let said = ended.stderr;
        assert!(
            said.contains("SP-SIGN-INPUT") && said.contains(says) && said.contains("help: "),
            "{given}: {said}"
        );
    };
    check("", "empty");
    check("hello", "like no curl");
    check("<xml><a>1</b></xml>", "XML");
    check("{\"a\":", "JSON");
    check("{\"a\":1}", "paySign");
    check("curl http://h/v3/certificates", "Authorization");
    check("GET /v3/certificates HTTP/1.1\nHost: h\n", "Authorization");
    check("curl 'http://h", "quotes");
    check(r#"{"timeStamp":"1","nonceStr":"n","package":"p","paySign":"s"}"#, "--app");
    check("GET / HTTP/1.1\nAuthorization: WECHATPAY2-SHA256-RSA2048 mchid=\"1\"\n\n", "timestamp");
    assert_eq!(run(&["sign", "/nowhere/at/all"]).code, Some(2));
    let file = desk.given("<xml><a>1</a></xml>");
    assert_eq!(run(&["sign", text(&file), "--key-file", "/nowhere"]).code, Some(2));
    assert_eq!(run(&["sign", text(&file), "--key-env", "SUANPAN_NO_SUCH_VARIABLE"]).code, Some(2));
    assert_eq!(run(&["sign", text(&file), "--account", "1900000109"]).code, Some(2));
}

/// What a merchant of the simulator signs with.
fn signer(merchant: &Value) -> Signer {
    let pem = fs::read_to_string(member(merchant, "merchant_private_key")).unwrap();
    Signer {
        mchid: MchId::parse(member(merchant, "mchid")).unwrap(),
        serial: Serial::parse(member(merchant, "merchant_serial")).unwrap(),
        key: PrivateKey::from_pem(&pem).unwrap(),
    }
}

/// A simulator, its address, what it seeded, and its clock.
async fn simulator(folder: &Path) -> (Running, String, Value, i64) {
    let started = Running::start(&["simulator", "--listen", "127.0.0.1:0", "--data", text(folder)]);
    let url = started.says("url");
    let credentials = fs::read(folder.join("credentials.json")).unwrap();
    let clock: Value =
        reqwest::get(format!("{url}/_sim/clock")).await.unwrap().json().await.unwrap();
    let now = clock["unix"].as_i64().unwrap();
    (started, url, serde_json::from_slice(&credentials).unwrap(), now)
}

const QUERY: &str = "/v3/pay/transactions/out-trade-no/order_0001";

/// The command that a developer pastes is run as it is, and then given to `sign` with the configuration.
#[tokio::test]
async fn a_line_of_curl_that_a_simulator_refused_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, url, credentials, now) = simulator(folder.path()).await;
    let signer = signer(&credentials["merchants"][0]);
    let nonce = Nonce::parse("5K8264ILTKCH16CQ2502SI8ZNMTM67VS").unwrap();
    // The query is sent and not signed.
    let authorization = authorize(&signer, "GET", QUERY, b"", Moment { now, nonce: &nonce });
    let line = format!(
        "curl -sS -H 'Authorization: {authorization}' -H 'Accept: application/json' '{url}{QUERY}?mchid={}'",
        signer.mchid
    );
    let answer = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(String::from_utf8_lossy(&answer.stdout).contains("SIGN_ERROR"), "{answer:?}");

    let config = folder.path().join("suanpan.toml");
    let check = |given: &str| {
        let file = folder.path().join("given");
        fs::write(&file, given).unwrap();
        let ended = run(&["sign", text(&file), "--config", text(&config), "--json"]);
        let said = ended.json();
        assert_eq!(
            (ended.code, &said["mistakes"][0]["id"]),
            (Some(1), &json!("request.query")),
            "{said}"
        );
        assert_eq!((member(&said, "mchid"), &said["notes"]), (signer.mchid.as_str(), &json!([])));
        for secret in secrets::of_folder(folder.path()) {
            assert!(!ended.stdout.contains(&secret), "{secret} in {}", ended.stdout);
        }
    };
    check(&line);
    check(&reqwest::get(format!("{url}/_sim/requests")).await.unwrap().text().await.unwrap());
}

/// An answer names no merchant: whose it is, is found by the key that it names.
#[tokio::test]
async fn an_answer_is_verified_by_the_key_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, url, credentials, now) = simulator(folder.path()).await;
    let config = folder.path().join("suanpan.toml");
    let file = folder.path().join("given");
    let verdict = |given: &str| {
        fs::write(&file, given).unwrap();
        run(&["sign", text(&file), "--config", text(&config), "--json"]).json()
    };
    for merchant in &credentials["merchants"].as_array().unwrap()[..2] {
        let signer = signer(merchant);
        let nonce = Nonce::parse(signer.mchid.as_str()).unwrap();
        let path = format!("{QUERY}?mchid={}", signer.mchid);
        let authorization = authorize(&signer, "GET", &path, b"", Moment { now, nonce: &nonce });
        let asked = reqwest::Client::new().get(format!("{url}{path}"));
        let asked =
            asked.header("accept", "application/json").header("authorization", authorization);
        let answer = asked.send().await.unwrap();
        let headers = answer.headers().iter();
        let headers = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let headers = headers.collect::<Vec<_>>().join("\r\n");
        let body = answer.text().await.unwrap();
        let raw = format!("HTTP/1.1 404 Not Found\r\n{headers}\r\n\r\n{body}");
        let said = verdict(&raw);
        assert_eq!((&said["verdict"], &said["notes"]), (&json!("right"), &json!([])), "{said}");
        assert_eq!(said["mchid"], signer.mchid.as_str());

        // Another message of that length.
        let said = verdict(&raw.replace("ORDER_NOT_EXIST", "ORDER_NOT_EXITS"));
        assert_eq!(said["verdict"], "unknown", "{said}");
    }
    let (message, signature) = (corpus()["right"][4]["message"].clone(), "A".repeat(344));
    let said = verdict(&told("HTTP/1.1 200 OK", &message, &signature));
    assert_eq!(said["mistakes"][0]["id"], "rsa.unknown-platform", "{said}");
    assert!(
        said["notes"].to_string().contains("2F5B1A9C7D3E4F60718293A4B5C6D7E8F9012345"),
        "{said}"
    );
}

/// The pages about signatures are run to the letter.
#[test]
fn the_page_shows_what_is_printed() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/how-to");
    let binary = Path::new(env!("CARGO_BIN_EXE_suanpan")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    for (page, more) in [("signature.md", ""), ("signature.en.md", " --lang en")] {
        let page = fs::read_to_string(docs.join(page)).unwrap();
        let mut blocks = page.split("```").skip(1).step_by(2);
        let commands = blocks.find(|block| block.contains("cat > pay.json")).unwrap();
        let commands = format!("{}{more}", commands.trim_start_matches("sh").trim_end());
        let shown = blocks.next().unwrap().trim_start_matches("text").trim();
        let folder = tempfile::tempdir().unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", &commands]).current_dir(&folder).env("PATH", &path);
        let ended = shell.output().unwrap();
        assert_eq!(String::from_utf8(ended.stdout).unwrap().trim(), shown);
        assert_eq!(ended.status.code(), Some(1));
    }
}
