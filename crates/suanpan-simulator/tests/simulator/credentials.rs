//! What the first start leaves in the folder.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use suanpan_simulator::{Options, Simulator};
use suanpan_wechat::Serial;
use suanpan_wechat::v3::{Certificate, PrivateKey, PublicKey};

use crate::seeded;

/// Lays what a first start leaves, by the clock and the dice of the machine.
pub(crate) async fn seed(folder: &Path) {
    seeded::lay(&Options::new(folder, "127.0.0.1:0".parse().unwrap()), "").await;
}

async fn open(folder: &Path) -> Simulator {
    let options = Options::new(folder, "127.0.0.1:0".parse().unwrap());
    Simulator::open(options).await.unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn the_first_start_makes_credentials_that_belong_together() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = open(&folder.path().join("deep/down")).await;
    let path = simulator.credentials_path();
    assert!(path.is_absolute() && path.ends_with("deep/down/credentials.json"));
    let credentials = json(path);
    assert_eq!(credentials["base_url"], simulator.base_url());
    assert_eq!(credentials["users"], serde_json::json!(["alice", "bob"]));

    let merchants = credentials["merchants"].as_array().unwrap();
    let mode = |index: usize| merchants[index]["mode"].as_str().unwrap();
    assert_eq!(
        [0, 1, 2, 3, 4].map(mode),
        ["public_key", "platform_certificate", "platform_certificate", "migrating", "public_key"]
    );
    assert_eq!([0, 1].map(|index| &merchants[index]["api"]), ["v3", "v2"]);
    let mut names = BTreeSet::new();
    for merchant in merchants {
        names.extend(["mchid", "api_v2_key", "api_v3_key"].map(|name| merchant[name].to_string()));
        belong_together(merchant, &credentials["apps"]);
    }
    assert_eq!(names.len(), 15);
}

#[track_caller]
fn belong_together(merchant: &Value, apps: &Value) {
    let text = |name: &str| merchant[name].as_str().unwrap();
    let pem = |path: &str| std::fs::read_to_string(path).unwrap();
    let certificate = Certificate::from_pem(&pem(text("merchant_certificate"))).unwrap();
    assert_eq!(certificate.serial, Serial::normalised(text("merchant_serial")).unwrap());
    assert_eq!(text("merchant_serial").len(), 40);
    assert!(certificate.issuer.contains("Tenpay.com Root CA"), "{}", certificate.issuer);
    let key = PrivateKey::from_pem(&pem(text("merchant_private_key"))).unwrap();
    assert_eq!(key.public_key().unwrap(), certificate.public_key);

    let p12 = std::fs::read(text("merchant_p12")).unwrap();
    let policy = p12_keystore::Pkcs12ImportPolicy::Relaxed;
    let open = |password| p12_keystore::KeyStore::from_pkcs12(&p12, password, policy);
    assert!(open(text("mchid")).unwrap().private_key_chain().is_some());
    assert!(open("0").is_err());

    PublicKey::from_pem(&pem(text("wechatpay_public_key"))).unwrap();
    let digits = text("wechatpay_public_key_id").strip_prefix("PUB_KEY_ID_").unwrap();
    assert_eq!(digits.len(), 34);
    for platform in merchant["platform_certificates"].as_array().unwrap() {
        let serial = platform["serial"].as_str().unwrap();
        let certificate = Certificate::from_pem(&pem(platform["path"].as_str().unwrap())).unwrap();
        assert_eq!(certificate.serial.as_str(), serial);
    }
    let appid = merchant["apps"][0].as_str().unwrap();
    assert!(appid.len() == 18 && appid.starts_with("wx"));
    assert!(apps.as_array().unwrap().iter().any(|app| app["appid"] == appid));
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_a_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).await);
    let mut folders = vec![folder.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let mode = path.metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files > 20, "{files}");
}

#[tokio::test]
async fn a_later_start_keeps_all_but_the_address_and_the_folder() {
    let first = tempfile::tempdir().unwrap();
    seed(first.path()).await;
    let before = json(open(first.path()).await.credentials_path());

    let second = tempfile::tempdir().unwrap();
    seeded::copy(first.path(), second.path());
    let simulator = open(second.path()).await;
    let after = json(simulator.credentials_path());
    assert_eq!(after["base_url"], simulator.base_url());
    let keys = |file: &Value| file["merchants"][2]["api_v3_key"].clone();
    assert_eq!(keys(&before), keys(&after));
    let path = after["merchants"][2]["platform_certificates"][1]["path"].as_str().unwrap();
    assert!(Path::new(path).starts_with(second.path()) && Path::new(path).exists(), "{path}");
}

#[tokio::test]
async fn the_configuration_of_a_server_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    seed(folder.path()).await;
    let simulator = open(folder.path()).await;
    let path = simulator.config_path();
    assert_eq!(path.parent(), simulator.credentials_path().parent());
    let credentials = json(simulator.credentials_path());
    let config: toml::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();

    assert_eq!(config["server"]["listen"].as_str(), Some("127.0.0.1:8080"));
    let url = Some(simulator.base_url());
    assert_eq!(config["server"]["cors_origins"][0].as_str(), url);
    assert_eq!(config["wechat"]["merchant_hosts"][0].as_str(), url);
    assert_eq!(config["wechat"]["platform_host"].as_str(), url);
    assert_eq!(config["database"]["url"].as_str(), Some("sqlite:suanpan.db"));
    assert_eq!(config["webhooks"]["allow_private_networks"].as_bool(), Some(true));

    let merchants = config["merchants"].as_array().unwrap();
    assert_eq!(merchants.len(), 2);
    for (merchant, api, key, certificates) in
        [(&merchants[0], "v3", true, false), (&merchants[1], "v2", false, true)]
    {
        assert_eq!(merchant["api"].as_str(), Some(api));
        assert_eq!(merchant.get("wechatpay_public_key_id").is_some(), key);
        assert_eq!(merchant.get("wechatpay_public_key").is_some(), key);
        assert_eq!(merchant.get("platform_certificates").is_some(), certificates);
        let file = merchant["merchant_private_key"].as_str().unwrap();
        assert!(folder.path().join(file).exists(), "{file}");
        let secret = merchant["apps"][0]["secret"].as_str().unwrap();
        assert!(credentials["apps"].to_string().contains(secret));
    }
}

#[tokio::test]
async fn the_backend_may_listen_elsewhere_and_the_port_is_the_one_that_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    seed(folder.path()).await;
    let backend_listen = Some("127.0.0.1:9999".parse().unwrap());
    let listen = "127.0.0.1:0".parse().unwrap();
    let options = Options { backend_listen, ..Options::new(folder.path(), listen) };
    let simulator = Simulator::open(options).await.unwrap();
    let config = std::fs::read_to_string(simulator.config_path()).unwrap();
    assert!(config.contains("listen = \"127.0.0.1:9999\""), "{config}");

    let taken = simulator.base_url().trim_start_matches("http://").parse().unwrap();
    let error = Simulator::open(Options::new(folder.path(), taken)).await.unwrap_err();
    assert_eq!(error.code(), "SP-SIM-LISTEN");
}

#[tokio::test]
async fn a_broken_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("credentials.json"), "{}").unwrap();
    let options = Options::new(folder.path(), "127.0.0.1:0".parse().unwrap());
    let error = Simulator::open(options.clone()).await.unwrap_err();
    assert_eq!(error.code(), "SP-SIM-CONTENT");
    assert!(error.to_string().contains("credentials.json"), "{error}");
    assert!(error.remedy().contains("--data"));

    let file = folder.path().join("credentials.json");
    let options = Options { data: file.join("below a file"), ..options };
    assert_eq!(Simulator::open(options).await.unwrap_err().code(), "SP-SIM-FILE");
}
