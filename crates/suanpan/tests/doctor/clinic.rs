//! A configuration against a real simulator, in which one thing at a time is spoiled.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use suanpan_server::doctor::{Finding, Mark, Report, Wish, examine};
use suanpan_server::outside::{Clock as _, ManualClock, SystemClock};
use suanpan_server::{Config, Seams, World};
use suanpan_simulator::{Options, Simulator};
use toml::{Table, Value as Toml};

/// Where the merchants stand in `credentials.json`.
pub(crate) const V3: usize = 0;
pub(crate) const V2: usize = 1;
pub(crate) const CERTIFICATES: usize = 2;
pub(crate) const PARTNER: usize = 4;

pub(crate) struct Clinic {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) credentials: Value,
    pub(crate) simulator: String,
    /// The configuration, healthy until a test spoils it.
    pub(crate) toml: Table,
    pub(crate) seams: Seams,
    http: reqwest::Client,
}

/// What one thing that was spoiled should lead to.
pub(crate) struct Wanted<'a> {
    /// The checks that speak, and no others: `problem key.v3`.
    pub(crate) speak: &'a [&'a str],
    /// Words of what the first of them says, in Chinese.
    pub(crate) zh: &'a str,
    /// The same in English.
    pub(crate) en: &'a str,
}

pub(crate) const fn wanted<'a>(speak: &'a [&'a str], zh: &'a str, en: &'a str) -> Wanted<'a> {
    Wanted { speak, zh, en }
}

impl Clinic {
    /// These merchants of the simulator, in this order.
    pub(crate) async fn open(merchants: &[usize]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new(folder.path(), "127.0.0.1:0".parse().unwrap());
        crate::seeded::lay(&options, include_str!("clinic.rs")).await;
        let simulator = Simulator::open(options).await.unwrap();
        let text = std::fs::read_to_string(simulator.credentials_path()).unwrap();
        let credentials: Value = serde_json::from_str(&text).unwrap();
        let url = simulator.base_url().to_owned();
        tokio::spawn(simulator.serve(std::future::pending()));
        let configured = merchants.iter().map(|nth| merchant(&credentials, *nth)).collect();
        let mut toml: Table = toml::from_str(
            "[webhooks]\nallow_private_networks = true\n[server]\nlisten = \"127.0.0.1:0\"\n",
        )
        .unwrap();
        toml.insert("merchants".to_owned(), Toml::Array(configured));
        let mut wechat = Table::new();
        wechat.insert("merchant_hosts".to_owned(), Toml::Array(vec![url.clone().into()]));
        wechat.insert("platform_host".to_owned(), url.clone().into());
        toml.insert("wechat".to_owned(), Toml::Table(wechat));
        let mut clinic = Self {
            folder,
            credentials,
            simulator: url,
            toml,
            seams: Seams::default(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        };
        let database = crate::database::url(clinic.folder.path());
        clinic.set("database.url", database);
        clinic
    }

    /// The same merchants at the real WeChat, which nobody here asks.
    pub(crate) async fn open_real(merchants: &[usize]) -> Self {
        let mut clinic = Self::open(merchants).await;
        clinic.toml.remove("wechat");
        clinic.toml.remove("webhooks");
        clinic.set("server.public_url", "https://pay.example.com");
        clinic.set("server.trusted_proxies", vec![Toml::from("127.0.0.1")]);
        clinic
    }

    /// Sets a value: `merchants.0.api_v3_key`.
    pub(crate) fn set(&mut self, place: &str, value: impl Into<Toml>) {
        let (last, path) = place.rsplit_once('.').map_or((place, ""), |(path, last)| (last, path));
        let table = self.table(path);
        table.insert(last.to_owned(), value.into());
    }

    /// Takes a value out.
    pub(crate) fn unset(&mut self, place: &str) {
        let (path, last) = place.rsplit_once('.').unwrap();
        assert!(self.table(path).remove(last).is_some(), "{place}");
    }

    /// A text of it.
    pub(crate) fn get(&mut self, place: &str) -> String {
        let (path, last) = place.rsplit_once('.').unwrap();
        self.table(path)[last].as_str().unwrap().to_owned()
    }

    fn table(&mut self, path: &str) -> &mut Table {
        let mut at = &mut self.toml;
        let mut parts = path.split('.').filter(|part| !part.is_empty());
        while let Some(part) = parts.next() {
            let found = at.entry(part).or_insert_with(|| Toml::Table(Table::new()));
            let found = if found.is_array() {
                &mut found[parts.next().unwrap().parse::<usize>().unwrap()]
            } else {
                found
            };
            at = found.as_table_mut().unwrap();
        }
        at
    }

    /// Writes a file beside the configuration, for its owner alone.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        private(&path);
        path
    }

    /// A file of the n-th merchant, by its name in `credentials.json`.
    pub(crate) fn key_file(&self, nth: usize, name: &str) -> PathBuf {
        self.credentials["merchants"][nth][name].as_str().unwrap().into()
    }

    pub(crate) fn pem(&self, nth: usize, name: &str) -> String {
        std::fs::read_to_string(self.key_file(nth, name)).unwrap()
    }

    /// A text of the n-th merchant in `credentials.json`.
    pub(crate) fn of(&self, nth: usize, name: &str) -> String {
        self.credentials["merchants"][nth][name].as_str().unwrap().to_owned()
    }

    /// A clock that is so many seconds off.
    pub(crate) fn clock_off(&mut self, seconds: i64) {
        let now = SystemClock::new().now_micros();
        self.seams.clock =
            Arc::new(ManualClock::at(now.saturating_add(seconds.saturating_mul(1_000_000))));
    }

    /// The simulator's control.
    pub(crate) async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_sim/{path}", self.simulator);
        let sent = self.http.post(url).json(&body).send().await.unwrap();
        let (status, text) = (sent.status(), sent.text().await.unwrap());
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Writes the configuration.
    pub(crate) fn write(&self) -> PathBuf {
        self.file("doctor.toml", toml::to_string(&self.toml).unwrap())
    }

    pub(crate) async fn examine(&self, offline: bool) -> Report {
        let wish = Wish { offline, ..Wish::default() };
        self.examine_text(&toml::to_string(&self.toml).unwrap(), &wish).await
    }

    /// Examines this text, and holds that no secret is said, and that nothing is well that `serve` refuses.
    pub(crate) async fn examine_text(&self, text: &str, wish: &Wish) -> Report {
        let file = self.file("doctor.toml", text);
        let report = examine(&file, wish, &self.seams).await.unwrap();
        let said = serde_json::to_string(&report).unwrap();
        for secret in self.secrets() {
            assert!(!said.contains(&secret), "a secret is said: {said}");
        }
        if let Err(refused) = opens(&file).await {
            assert!(0 < report.summary.problem, "serve refuses, the doctor does not: {refused}");
        }
        report
    }

    /// Whatever must never be said.
    fn secrets(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let merchants = self.credentials["merchants"].as_array().unwrap();
        let keys =
            merchants.iter().flat_map(|one| [text(&one["api_v2_key"]), text(&one["api_v3_key"])]);
        let apps = self.credentials["apps"].as_array().unwrap().iter();
        let pems = (0..merchants.len()).map(|nth| {
            let pem = self.pem(nth, "merchant_private_key");
            pem.lines().nth(2).unwrap().to_owned()
        });
        let whole: Vec<_> = keys.chain(apps.map(|app| text(&app["secret"]))).chain(pems).collect();
        // Half of one is too much as well.
        whole.into_iter().map(|secret| secret[..12].to_owned()).collect()
    }

    /// Examines what was spoiled.
    #[track_caller]
    pub(crate) fn check(&self, what: &str, report: &Report, wanted: &Wanted<'_>) {
        let speak: BTreeSet<_> = speaking(report).map(mark).collect();
        let want: BTreeSet<_> = wanted.speak.iter().map(|one| (*one).to_owned()).collect();
        assert_eq!(speak, want, "{what}: {}", shown(report));
        let Some(first) = wanted.speak.first() else { return };
        let first = speaking(report).filter(|one| mark(one) == **first);
        let said: Vec<_> = first
            .map(|one| {
                let fix = one.fix.as_ref().unwrap();
                (format!("{} {}", one.found.zh, fix.zh), format!("{} {}", one.found.en, fix.en))
            })
            .collect();
        let is_said = said.iter().any(|(zh, en)| zh.contains(wanted.zh) && en.contains(wanted.en));
        assert!(is_said, "{what}: {said:?}");
    }
}

/// Whether a server would open with this configuration.
async fn opens(file: &Path) -> Result<(), String> {
    let config = Config::load(file).map_err(|error| error.to_string())?;
    let world = World::open(&config, Seams::default()).await.map_err(|error| error.to_string())?;
    world.store().close().await;
    Ok(())
}

/// Whether the tests run on PostgreSQL.
pub(crate) fn on_postgres() -> bool {
    std::env::var_os("SUANPAN_TEST_DATABASE").is_some()
}

/// A server that is started for tests does not wait for its disk, which the doctor says each time; `store.rs` asks for it.
fn speaking(report: &Report) -> impl Iterator<Item = &Finding> {
    let of_tests = |one: &Finding| on_postgres() && one.check.id == "store.durable";
    let speaks = |one: &Finding| matches!(one.result, Mark::Warn | Mark::Problem);
    report.checks.iter().filter(move |one| speaks(one) && !of_tests(one))
}

fn mark(finding: &Finding) -> String {
    let mark = if finding.result == Mark::Warn { "warn" } else { "problem" };
    format!("{mark} {}", finding.check.id)
}

fn shown(report: &Report) -> String {
    let said = |one: &Finding| {
        format!("\n  {:?} {} {} {}", one.result, one.check.id, one.subject, one.found.en)
    };
    report.checks.iter().map(said).collect()
}

/// The marks of one check, by subject.
pub(crate) fn marks(report: &Report, id: &str) -> Vec<(String, Mark)> {
    let of = report.checks.iter().filter(|one| one.check.id == id);
    of.map(|one| (one.subject.clone(), one.result)).collect()
}

/// A merchant of the simulator as a configuration names it.
fn merchant(credentials: &Value, nth: usize) -> Toml {
    let given = &credentials["merchants"][nth];
    let text = |name: &str| given[name].as_str().unwrap();
    let mut merchant = json!({
        "mchid": text("mchid"), "name": text("name"), "api": text("api"),
        "api_v2_key": text("api_v2_key"), "api_v3_key": text("api_v3_key"),
        "merchant_certificate": text("merchant_certificate"),
        "merchant_private_key": text("merchant_private_key"),
        "apps": [],
    });
    if text("mode") != "platform_certificate" {
        merchant["wechatpay_public_key_id"] = json!(text("wechatpay_public_key_id"));
        merchant["wechatpay_public_key"] = json!(text("wechatpay_public_key"));
    }
    let platform = given["platform_certificates"].as_array().unwrap();
    if !platform.is_empty() {
        let paths: Vec<_> = platform.iter().map(|one| one["path"].clone()).collect();
        merchant["platform_certificates"] = json!(paths);
    }
    let secret = |appid: &Value| {
        let apps = credentials["apps"].as_array().unwrap();
        apps.iter().find(|app| app["appid"] == *appid).unwrap()["secret"].clone()
    };
    let own = &given["apps"][0];
    let mut apps = vec![json!({ "appid": own, "secret": secret(own) })];
    if let Some(subs) = given["sub_merchants"].as_array() {
        merchant["mode"] = json!("partner");
        merchant["sp_appid"] = own.clone();
        apps[0]["sub_mchid"] = subs[0]["mchid"].clone();
        let theirs = &subs[1]["apps"][0];
        apps.push(json!({
            "appid": theirs, "secret": secret(theirs),
            "sub_mchid": subs[1]["mchid"], "owner": "sub_merchant",
        }));
    }
    for app in &mut apps {
        // WeChat wants to hear of every app's shipments, in the simulator.
        app["shipping"] = json!("virtual");
    }
    merchant["apps"] = json!(apps);
    Toml::try_from(merchant).unwrap()
}

#[cfg(unix)]
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &Path) {}
