//! `suanpan init`: answers become a configuration that `suanpan serve` takes.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use crate::process::{Ended, Running, finish, suanpan, text};
use crate::secrets;

/// A WeChat with its merchants, and what their platform would give.
struct Wechat {
    simulator: Running,
    folder: tempfile::TempDir,
    merchants: Vec<Value>,
    apps: Vec<Value>,
}

impl Wechat {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = text(folder.path());
        let simulator = Running::start(&["simulator", "--listen", "127.0.0.1:0", "--data", data]);
        let written = fs::read_to_string(simulator.says("credentials")).unwrap();
        let mut written: Value = serde_json::from_str(&written).unwrap();
        let list = |value: Value| value.as_array().unwrap().clone();
        let (merchants, apps) = (list(written["merchants"].take()), list(written["apps"].take()));
        Self { simulator, folder, merchants, apps }
    }

    fn of(&self, merchant: usize, name: &str) -> String {
        self.merchants[merchant][name].as_str().unwrap().to_owned()
    }

    fn app(&self, merchant: usize) -> (String, String) {
        let appid = self.merchants[merchant]["apps"][0].as_str().unwrap();
        let app = self.apps.iter().find(|app| app["appid"] == appid).unwrap();
        (appid.to_owned(), app["secret"].as_str().unwrap().to_owned())
    }

    /// As the merchant platform hands it out.
    fn zip(&self, merchant: usize) -> PathBuf {
        let path =
            self.folder.path().join(format!("{}_20261126_cert.zip", self.of(merchant, "mchid")));
        let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        let certificate = PathBuf::from(self.of(merchant, "merchant_certificate"));
        for name in ["apiclient_cert.p12", "apiclient_cert.pem", "apiclient_key.pem"] {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&fs::read(certificate.with_file_name(name)).unwrap()).unwrap();
        }
        zip.finish().unwrap();
        path
    }
}

/// Runs it with these lines on standard input.
fn init(dir: &Path, arguments: &[&str], lines: &[&str]) -> Ended {
    let answers = dir.with_extension("answers");
    fs::write(&answers, lines.iter().flat_map(|line| [line, "\n"]).collect::<String>()).unwrap();
    let mut command = suanpan(&["init", "--dir", text(dir)]);
    command.args(arguments).stdin(Stdio::from(fs::File::open(answers).unwrap()));
    finish(command)
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_person_answers_and_a_payment_works() {
    let wechat = Wechat::open();
    let dir = wechat.folder.path().join("shop");
    let (appid, secret) = wechat.app(0);
    let key = wechat.of(0, "api_v3_key");
    let zip = wechat.zip(0);
    let ended = init(
        &dir,
        &[],
        &[
            "/nowhere/cert.zip",
            text(&zip),
            "",
            "too short",
            &key,
            &wechat.of(0, "wechatpay_public_key_id"),
            &wechat.of(0, "wechatpay_public_key"),
            &appid,
            &secret.replace(char::is_numeric, "Z"),
            &secret,
            "http://pay.example.com",
            "https://pay.example.com/",
        ],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mchid = wechat.of(0, "mchid");
    assert!(ended.stderr.contains(&format!(
        "merchant {mchid}, 证书序列号 / serial {}",
        wechat.of(0, "merchant_serial")
    )));
    assert_eq!(ended.stderr.matches("不行 / no: ").count(), 4, "{}", ended.stderr);
    let config = dir.join("suanpan.toml");
    assert!(
        ended.stdout.contains(&format!("suanpan doctor --config {}", config.display())),
        "{ended:?}"
    );
    assert!(
        ended.stdout.contains(&format!("suanpan serve --config {}", config.display())),
        "{ended:?}"
    );

    let names = [
        "api_v3.key",
        "apiclient_cert.pem",
        "apiclient_key.pem",
        "app.secret",
        "pub_key.pem",
        "suanpan.toml",
    ];
    assert_eq!(files(&dir), names);
    for name in names {
        let mode = fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    let written = fs::read_to_string(&config).unwrap();
    assert!(written.contains("public_url = \"https://pay.example.com\"\n"), "{written}");
    for secret in secrets::of_folder(wechat.folder.path()) {
        assert!(!written.contains(&secret), "{secret} is in {written}");
        assert!(!(ended.stdout.clone() + &ended.stderr).contains(&secret), "{secret} was said");
    }

    // Towards the simulator, by variables alone.
    let simulator = wechat.simulator.says("url");
    let mut serve = suanpan(&["serve", "--config", text(&config), "--listen", "127.0.0.1:0"]);
    serve.env("SUANPAN_WECHAT__MERCHANT_HOSTS", &simulator);
    serve.env("SUANPAN_WECHAT__PLATFORM_HOST", &simulator);
    let backend = Running::start_command(serve);
    let order = json!({ "reference": "tea-1", "amount": 990, "description": "龙井一杯" });
    let order =
        post(&format!("{}/v1/orders", backend.says("url")), &backend.says("api_key"), &order).await;
    let code = json!({ "appid": appid, "user": "alice" });
    let code = post(&format!("{simulator}/_sim/login"), "", &code).await;
    let pay = json!({ "code": code["code"], "orderId": order["id"] });
    let sheet = post(&format!("{}/miniprogram/pay", backend.says("url")), "", &pay).await;
    assert_eq!(
        (&sheet["signType"], sheet["paySign"].as_str().is_some()),
        (&json!("RSA"), true),
        "{sheet}"
    );
    assert_eq!(backend.end("-TERM").code, Some(0));
    wechat.simulator.end("-TERM");
}

async fn post(url: &str, key: &str, body: &Value) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = http.post(url).bearer_auth(key).json(body).send().await.unwrap();
    response.json().await.unwrap()
}

#[test]
fn flags_answer_for_a_machine_and_nothing_is_overwritten() {
    let wechat = Wechat::open();
    let dir = wechat.folder.path().join("shop");
    let (appid, secret) = wechat.app(0);
    let (key, app_secret) = (wechat.folder.path().join("key"), wechat.folder.path().join("secret"));
    fs::write(&key, wechat.of(0, "api_v3_key") + "\n").unwrap();
    fs::write(&app_secret, secret).unwrap();
    let certificate = wechat.of(0, "merchant_certificate");
    let flags = [
        "--json",
        "--yes",
        "--certificates",
        &certificate,
        "--api-v3-key-file",
        text(&key),
        "--app-secret-file",
        text(&app_secret),
        "--appid",
        &appid,
    ];
    let ended = init(&dir, &flags, &[]);
    assert_eq!((ended.code, ended.stderr.is_empty()), (Some(0), false), "{ended:?}");
    let told = ended.json();
    assert_eq!((&told["mchid"], &told["api"]), (&json!(wechat.of(0, "mchid")), &json!("v3")));
    assert_eq!(told["serial"], wechat.of(0, "merchant_serial"));
    assert_eq!(told["files"].as_array().unwrap().len(), 5);

    let again = init(&dir, &flags, &[]);
    assert_eq!((again.code, &again.json()["code"]), (Some(2), &json!("SP-USAGE")), "{again:?}");
    // A file of ours is in the way: then none is written.
    fs::remove_file(dir.join("suanpan.toml")).unwrap();
    let before = files(&dir);
    let again = init(&dir, &flags, &[]);
    assert!(again.json()["detail"].as_str().unwrap().contains("is there already"), "{again:?}");
    assert_eq!(files(&dir), before);

    let elsewhere = wechat.folder.path().join("elsewhere");
    let wrong = |flags: &[&str], says: &str| {
        let ended = init(&elsewhere, &[&["--json", "--yes"], flags].concat(), &[]);
        let detail = ended.json()["detail"].as_str().unwrap().to_owned();
        assert!(ended.code == Some(2) && detail.contains(says), "{says}: {ended:?}");
        assert!(files(&elsewhere).is_empty(), "{says}");
    };
    wrong(
        &["--certificates", &certificate, "--mchid", "1900000109"],
        "the certificate is merchant",
    );
    wrong(&["--certificates", &certificate], "--api-v3-key-file is needed");
    wrong(&["--mchid", "1900000109", "--api", "v3"], "give --certificates");
    wrong(&["--certificates", &wechat.of(0, "merchant_private_key")], "--certificates: ");
    let platform = wechat.merchants[2]["platform_certificates"][0]["path"].as_str().unwrap();
    fs::copy(&certificate, wechat.folder.path().join("apiclient_cert.pem")).unwrap();
    fs::copy(wechat.of(2, "merchant_private_key"), wechat.folder.path().join("apiclient_key.pem"))
        .unwrap();
    wrong(&["--certificates", text(wechat.folder.path())], "not a pair");
    wrong(&["--certificates", platform], "no merchant's API certificate");
    wechat.simulator.end("-TERM");
}

#[test]
fn an_account_of_apiv2_needs_no_certificate() {
    let wechat = Wechat::open();
    let dir = wechat.folder.path().join("shop");
    let (appid, secret) = wechat.app(1);
    let (mchid, key) = (wechat.of(1, "mchid"), wechat.of(1, "api_v2_key"));
    let ended = init(&dir, &[], &["", &mchid, &key, &appid, &secret, ""]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("server.public_url"), "{}", ended.stdout);
    assert_eq!(files(&dir), ["api_v2.key", "app.secret", "suanpan.toml"]);
    let short = init(&wechat.folder.path().join("elsewhere"), &[], &["", &mchid]);
    assert_eq!(short.code, Some(2), "{short:?}");
    assert!(short.stderr.contains("the answers end before: APIv2 key"), "{}", short.stderr);
    wechat.simulator.end("-TERM");
}
