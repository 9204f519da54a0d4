//! `suanpan init`: asks what a first configuration needs, and writes it.
//!
//! ```text
//! answers.rs       one question after the other: a flag, a line of standard input, or a person
//! certificates.rs  what the merchant platform gave: a zip, a folder or the PEM file
//! text.rs          suanpan.toml
//! ```
//!
//! All of it is read back, as `suanpan serve` reads it, before any file stands
//! under its name; and no file that is there is touched.

mod answers;
mod certificates;
mod text;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;
use suanpan_server::Config;
use suanpan_server::account::Accounts;
use suanpan_server::client::wechat::{ApiV2Key, ApiV3Key, AppId, AppSecret, MchId, Serial};

use self::answers::{Answers, Question};
use self::certificates::Proof;
use crate::cli::{Init, InitApi};
use crate::problem::Problem;
use crate::{private_file, talk};

/// What was answered.
struct Answered {
    proof: Option<Proof>,
    mchid: MchId,
    api: InitApi,
    /// Of the API that is chosen.
    key: String,
    /// `PUB_KEY_ID_…` and the PEM text.
    wechatpay: Option<(String, String)>,
    appid: AppId,
    secret: String,
    public_url: Option<String>,
}

/// Asks, writes, and says how to go on.
pub(crate) fn run(arguments: &Init) -> Result<(), Problem> {
    private_file::make_folder(&arguments.dir)?;
    let config = arguments.dir.join(CONFIG);
    if config.exists() {
        return Err(there_already(&config));
    }
    let answered = ask(arguments, &mut Answers::new(arguments.yes))?;
    let files = write(&arguments.dir, &answered)?;

    let config = config.display().to_string();
    let next =
        [format!("suanpan doctor --config {config}"), format!("suanpan serve --config {config}")];
    if arguments.json {
        let serial = answered.proof.as_ref().map(|proof| proof.certificate.serial.to_string());
        let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        talk::json(&json!({
            "config": config,
            "files": files,
            "mchid": answered.mchid.as_str(),
            "api": answered.api.word(),
            "serial": serial,
            "next": next,
        }));
        return Ok(());
    }
    for file in &files {
        talk::out(format_args!("已写 / written: {}", file.display()));
    }
    if answered.public_url.is_none() {
        talk::out(
            "还没有 server.public_url：微信的通知到不了这里 / server.public_url is left out: WeChat's notifications cannot come here",
        );
    }
    talk::out("接下来 / next:");
    for command in &next {
        talk::out(format_args!("  {command}"));
    }
    Ok(())
}

fn ask(arguments: &Init, answers: &mut Answers) -> Result<Answered, Problem> {
    let place = Question::new(
        "certificates",
        "商户 API 证书：商户平台给的 zip、解开的目录或 apiclient_cert.pem；只用 v2 又不退款可以留空",
        "merchant certificate: the zip of the merchant platform, its folder or apiclient_cert.pem; empty: APIv2 without refunds",
    );
    let given = arguments.certificates.as_ref().map(|path| path.display().to_string());
    let proof = answers.ask(&place.optional(), given, |path| Proof::read(Path::new(path)))?;
    let own = proof.as_ref().and_then(|proof| proof.certificate.merchant());
    if let (Some(proof), Some(own)) = (&proof, &own) {
        talk::err(format_args!(
            "  商户号 / merchant {own}, 证书序列号 / serial {}",
            proof.certificate.serial
        ));
    }
    let mchid = match (own, &arguments.mchid) {
        (Some(own), Some(given)) if own.as_str() != given => {
            return Err(Problem::usage(format!(
                "--mchid is {given}, and the certificate is merchant {own}'s"
            )));
        }
        (Some(own), _) => own,
        (None, given) => {
            let question = Question::new("mchid", "商户号", "merchant number");
            let parse = |text: &str| MchId::parse(text).map_err(|error| error.to_string());
            answers.must(&question, given.clone(), parse)?
        }
    };
    let api = match (&proof, arguments.api) {
        (None, Some(InitApi::V3)) => {
            return Err(Problem::usage(
                "APIv3 signs with the merchant's certificate: give --certificates".to_owned(),
            ));
        }
        (None, _) => InitApi::V2,
        (Some(_), Some(api)) => api,
        (Some(_), None) => {
            let question = Question::new(
                "api",
                "用哪一版接口，v3 还是 v2；新的商户用 v3",
                "which API, v3 or v2; new merchants take v3",
            );
            answers.ask(&question.otherwise("v3"), None, InitApi::read)?.unwrap_or(InitApi::V3)
        }
    };
    let key = key(arguments, answers, api)?;
    let wechatpay = if api == InitApi::V3 { public_key(arguments, answers)? } else { None };
    let appid = answers.must(
        &Question::new("appid", "小程序 appid", "the mini program's appid"),
        arguments.appid.clone(),
        |text| AppId::parse(text).map_err(|error| error.to_string()),
    )?;
    let secret = answers.must(
        &Question::new(
            "app-secret-file",
            "小程序的 AppSecret（小写十六进制 32 位，不显示）",
            "its AppSecret (32 hex digits, not shown)",
        )
        .secret(),
        read_secret(arguments.app_secret_file.as_deref())?,
        app_secret,
    )?;
    let public_url = answers.ask(
        &Question::new(
            "public-url",
            "微信访问我们的地址，https:// 开头；还没有就留空",
            "how WeChat reaches us, https://…; empty: later",
        )
        .optional(),
        arguments.public_url.clone(),
        reachable,
    )?;
    Ok(Answered { proof, mchid, api, key, wechatpay, appid, secret, public_url })
}

fn app_secret(text: &str) -> Result<String, String> {
    // WeChat says no more of it than that it is invalid; this is what all of them look like.
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("AppSecret 是 32 位十六进制 / an AppSecret is 32 hex digits".to_owned());
    }
    AppSecret::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn key(arguments: &Init, answers: &mut Answers, api: InitApi) -> Result<String, Problem> {
    match api {
        InitApi::V3 => answers.must(
            &Question::new(
                "api-v3-key-file",
                "APIv3 密钥（32 位，不显示）",
                "APIv3 key (32 characters, not shown)",
            )
            .secret(),
            read_secret(arguments.api_v3_key_file.as_deref())?,
            |text| {
                ApiV3Key::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
            },
        ),
        InitApi::V2 => answers.must(
            &Question::new(
                "api-v2-key-file",
                "APIv2 密钥（32 位，不显示）",
                "APIv2 key (32 characters, not shown)",
            )
            .secret(),
            read_secret(arguments.api_v2_key_file.as_deref())?,
            |text| {
                ApiV2Key::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
            },
        ),
    }
}

/// The WeChat Pay public key with its id; none: platform certificates are fetched.
fn public_key(
    arguments: &Init,
    answers: &mut Answers,
) -> Result<Option<(String, String)>, Problem> {
    let id = answers.ask(
        &Question::new(
            "public-key-id",
            "微信支付公钥 ID（PUB_KEY_ID_…）；还在用平台证书就留空，会自动下载",
            "id of the WeChat Pay public key (PUB_KEY_ID_…); empty: platform certificates, which are fetched",
        )
        .optional(),
        arguments.public_key_id.clone(),
        |text| match Serial::normalised(text) {
            Ok(id) if id.is_public_key() => Ok(id.to_string()),
            Ok(_) => Err("公钥 ID 以 PUB_KEY_ID_ 开头 / it begins with PUB_KEY_ID_".to_owned()),
            Err(error) => Err(error.to_string()),
        },
    )?;
    let Some(id) = id else { return Ok(None) };
    let pem = answers.must(
        &Question::new("public-key", "微信支付公钥文件 pub_key.pem", "its file, pub_key.pem"),
        arguments.public_key.as_ref().map(|path| path.display().to_string()),
        |path| certificates::public_key(Path::new(path)),
    )?;
    Ok(Some((id, pem)))
}

fn read_secret(file: Option<&Path>) -> Result<Option<String>, Problem> {
    let Some(file) = file else { return Ok(None) };
    let text = fs::read_to_string(file);
    let text =
        text.map_err(|cause| Problem::usage(format!("cannot read {}: {cause}", file.display())))?;
    Ok(Some(text.trim().to_owned()))
}

/// What WeChat takes as the beginning of a notify URL.
fn reachable(text: &str) -> Result<String, String> {
    let wrong = "以 https:// 开头，只有域名，没有问号 / it begins with https:// and a host, without a query";
    let host = text.strip_prefix("https://").unwrap_or_default().trim_end_matches('/');
    let plain = |char: char| char.is_ascii_alphanumeric() || "-._:/".contains(char);
    if host.is_empty() || !host.chars().all(plain) || host.starts_with(['/', ':', '.']) {
        return Err(wrong.to_owned());
    }
    Ok(format!("https://{host}"))
}

/// Writes all files, or none.
fn write(folder: &Path, answered: &Answered) -> Result<Vec<PathBuf>, Problem> {
    let mut files = vec![
        (answered.api.key_file(), format!("{}\n", answered.key)),
        (text::APP_SECRET, format!("{}\n", answered.secret)),
    ];
    if let Some(proof) = &answered.proof {
        files.push((text::CERTIFICATE, proof.certificate.pem.clone()));
        files.push((text::PRIVATE_KEY, proof.private_key.clone()));
    }
    if let Some((_, pem)) = &answered.wechatpay {
        files.push((text::PUBLIC_KEY, pem.clone()));
    }
    // The last one: whoever finds it finds the others.
    files.push((CONFIG, text::of(answered)));

    let machine = |cause: &io::Error| {
        Problem::machine(format!("cannot write into {}", folder.display()), cause)
    };
    let beside = tempfile::Builder::new().prefix(".init-").tempdir_in(folder);
    let beside = beside.map_err(|cause| machine(&cause))?;
    for (name, text) in &files {
        private_file::write(&beside.path().join(name), text)?;
    }
    read_back(beside.path(), &text::of(answered))?;

    let mut written = Vec::new();
    for (name, _) in &files {
        let file = folder.join(name);
        // A link, unlike a rename, takes no other file's place.
        if let Err(cause) = fs::hard_link(beside.path().join(name), &file) {
            for file in &written {
                drop(fs::remove_file(file));
            }
            return Err(if cause.kind() == io::ErrorKind::AlreadyExists {
                there_already(&file)
            } else {
                machine(&cause)
            });
        }
        written.push(file);
    }
    Ok(written)
}

/// As `suanpan serve` reads it, without what this machine's environment says.
fn read_back(folder: &Path, text: &str) -> Result<(), Problem> {
    let read = Config::parse(text, folder).and_then(|config| Accounts::load(&config).map(drop));
    read.map_err(|error| Problem::server_setup(&error))
}

fn there_already(file: &Path) -> Problem {
    Problem {
        remedy: "choose another folder with --dir, or move the file away: nothing is overwritten"
            .to_owned(),
        ..Problem::usage(format!("{} is there already", file.display()))
    }
}

const CONFIG: &str = "suanpan.toml";
