//! The command line: what can be typed, and what it means.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::problem::Problem;
use crate::talk;

/// 算盘：微信小程序的自托管支付后端 / a self-hosted payment backend for WeChat Mini Programs
#[derive(Debug, Parser)]
#[command(version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// 在终端里走完两笔支付 / walk two payments in the terminal, one by APIv3 and one by APIv2
    Demo(Demo),
    /// 开发环境：模拟器、后端和一间茶铺 / simulator, backend and a tea shop; stays up
    Dev(Dev),
    /// 问几个问题，写出第一份配置 / ask a few questions and write a first configuration
    Init(Init),
    /// 后端 / the backend
    Serve(Serve),
    /// 微信模拟器 / the simulator of WeChat, for a backend in any language
    Simulator(Simulator),
    /// 升级数据库，或者搬到另一个数据库 / bring the database up to date, or move to another one
    Migrate(Migrate),
    /// 把多年前的订单移到文件里 / move orders that have rested for years into files
    Archive(Archive),
    /// 把一天和微信的账单对一遍 / compare a day with WeChat's bills
    Reconcile(Reconcile),
    /// 控制台的操作员：列出、添加、重置 / the console's operators: list, add, reset
    Operators(Operators),
    /// 重放回调：一个事件，或一个接收端没收下的 / deliver webhooks once more: one event, or what an endpoint missed
    Replay(Replay),
    /// 列出接口，或输出 OpenAPI 文档 / list the endpoints, or print the OpenAPI document
    Api(Api),
    /// 解释一个错误：代码、报错原文或一行日志 / explain an error: a code, a message or a line of a log
    Explain(Explain),
    /// 体检一份配置：密钥、证书、时钟、网络、数据库 / look a configuration over: keys, certificates, clock, network, database
    Doctor(Doctor),
    /// 查签名：待签名串、正确的签名，错在哪里 / the text to sign, the right signature, and what is wrong with another
    Sign(Sign),
}

/// `suanpan demo`
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// 一笔走过三次故障的支付：丢应答、丢通知、进程被杀 / one payment that survives a lost answer, a lost notification and a crash
    #[arg(long)]
    pub(crate) faults: bool,
    /// 输出一个 JSON 对象 / print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `suanpan dev`
#[derive(Args, Debug)]
pub(crate) struct Dev {
    /// 数据目录 / where everything is kept
    #[arg(long, value_name = "DIR", default_value = ".suanpan")]
    pub(crate) data: PathBuf,
    /// 后端地址，端口 0 任选 / where the backend listens; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// 模拟器地址 / where the simulator listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9090")]
    pub(crate) simulator_listen: SocketAddr,
}

/// `suanpan init`
#[derive(Args, Debug)]
pub(crate) struct Init {
    /// 写在这个目录；已有的文件不会动 / the folder to write into; files that are there stay
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// 商户平台给的 zip、解开的目录，或 `apiclient_cert.pem` / the merchant platform's zip, its folder, or `apiclient_cert.pem`
    #[arg(long, value_name = "PATH")]
    pub(crate) certificates: Option<PathBuf>,
    /// 商户号；有证书就从证书里读 / merchant number; the certificate says it, where there is one
    #[arg(long, value_name = "MCHID")]
    pub(crate) mchid: Option<String>,
    /// 用哪一版接口 / which API
    #[arg(long, value_name = "API")]
    pub(crate) api: Option<InitApi>,
    /// 存着 `APIv3` 密钥的文件 / a file with the `APIv3` key
    #[arg(long, value_name = "FILE")]
    pub(crate) api_v3_key_file: Option<PathBuf>,
    /// 存着 `APIv2` 密钥的文件 / a file with the `APIv2` key
    #[arg(long, value_name = "FILE")]
    pub(crate) api_v2_key_file: Option<PathBuf>,
    /// 微信支付公钥 ID / id of the WeChat Pay public key
    #[arg(long, value_name = "ID", requires = "public_key")]
    pub(crate) public_key_id: Option<String>,
    /// 微信支付公钥 `pub_key.pem` / the WeChat Pay public key
    #[arg(long, value_name = "FILE", requires = "public_key_id")]
    pub(crate) public_key: Option<PathBuf>,
    /// 小程序 appid / the mini program's appid
    #[arg(long, value_name = "APPID")]
    pub(crate) appid: Option<String>,
    /// 存着 `AppSecret` 的文件 / a file with its `AppSecret`
    #[arg(long, value_name = "FILE")]
    pub(crate) app_secret_file: Option<PathBuf>,
    /// 微信访问我们的地址 / how WeChat reaches us
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// 不提问，只用上面给的 / ask nothing, take what is given above
    #[arg(long)]
    pub(crate) yes: bool,
    /// 输出一个 JSON 对象 / print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which API a merchant account will speak.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum InitApi {
    /// XML, MD5 or HMAC-SHA256.
    V2,
    /// JSON, RSA.
    V3,
}

/// The settings that a command works by.
#[derive(Args, Debug)]
pub(crate) struct Setup {
    /// 配置文件 / the configuration; config.default.toml says what there is
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// 数据库，代替 database.url / the database, in place of database.url: sqlite:PATH, postgres://…
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
}

/// `suanpan serve`
#[derive(Args, Debug)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) setup: Setup,
    /// 监听地址，代替 server.listen / where to listen, in place of server.listen
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
}

/// `suanpan simulator`
#[derive(Args, Debug)]
pub(crate) struct Simulator {
    /// 监听地址，端口 0 任选 / where to listen; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9090")]
    pub(crate) listen: SocketAddr,
    /// 另开一个 TLS 端口，v2 退款在那里要出示商户证书 / a port with TLS, where refunds of APIv2 show the certificate
    #[arg(long, value_name = "ADDR")]
    pub(crate) tls_listen: Option<SocketAddr>,
    /// 数据目录：credentials.json 和 suanpan.toml 写在这里 / where credentials.json and suanpan.toml are written
    #[arg(long, value_name = "DIR", default_value = ".suanpan-simulator")]
    pub(crate) data: PathBuf,
}

/// `suanpan migrate`
#[derive(Args, Debug)]
pub(crate) struct Migrate {
    /// 配置文件 / the configuration
    #[arg(long, value_name = "FILE", required_unless_present = "from")]
    pub(crate) config: Option<PathBuf>,
    /// 数据库，代替 database.url / the database, in place of database.url: sqlite:PATH, postgres://…
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// 只看不改；有待执行的就以 1 退出 / only look; exit with 1 if something is pending
    #[arg(long)]
    pub(crate) check: bool,
    /// 搬家：从这个库；中断了再跑一次，接着搬 / move the business from this database; run again, it goes on where it was
    #[arg(
        long,
        value_name = "URL",
        requires = "to",
        env = "SUANPAN_MOVE_FROM",
        hide_env_values = true
    )]
    #[arg(conflicts_with_all = ["config", "database", "check"])]
    pub(crate) from: Option<String>,
    /// 搬到这个库，一个新的 / to this one, which is new
    #[arg(
        long,
        value_name = "URL",
        requires = "from",
        env = "SUANPAN_MOVE_TO",
        hide_env_values = true
    )]
    pub(crate) to: Option<String>,
    /// 不搬了，原来的库照常用 / give the move up; the source is open again
    #[arg(long, requires = "from")]
    pub(crate) abandon: bool,
    /// 输出一个 JSON 对象 / print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `suanpan archive`
#[derive(Args, Debug)]
pub(crate) struct Archive {
    #[command(flatten)]
    pub(crate) setup: Setup,
    /// 这一天（北京时间）之前就没有动静的订单，至少 380 天前；不写就按 `retention.orders_days` / orders that have rested since
    /// before this day in Beijing, 380 days ago at least; left out: `retention.orders_days`
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) before: Option<String>,
    /// 文件放在这个目录；不写就是 `retention.archive_folder` / the folder of the files; left out: `retention.archive_folder`
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
    /// 只数不动 / only count
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// 输出一个 JSON 对象 / print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `suanpan reconcile`
#[derive(Args, Debug)]
pub(crate) struct Reconcile {
    #[command(flatten)]
    pub(crate) setup: Setup,
    /// 哪一天（北京时间）；微信次日 10 点起有账单，留三个月 / which day, in Beijing; WeChat has its bill from ten o'clock of the
    /// next, for three months
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) date: String,
    /// 只对这个商户号；不写就是全部 / this merchant account only; left out: all of them
    #[arg(long, value_name = "MCHID")]
    pub(crate) account: Option<String>,
    /// 输出一个 JSON 对象 / print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `suanpan operators`
#[derive(Args, Debug)]
pub(crate) struct Operators {
    /// 配置文件 / the configuration
    #[arg(long, value_name = "FILE", global = true, default_value = "suanpan.toml")]
    pub(crate) config: PathBuf,
    /// 数据库，代替 database.url / the database, in place of database.url: sqlite:PATH, postgres://…
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) database: Option<String>,
    /// 输出一个 JSON 对象 / print one JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: OperatorsCommand,
}

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum OperatorsCommand {
    /// 列出 / who there is
    List,
    /// 添加，输出一次性链接 / add one; prints a one-time link
    Add {
        /// 名字 / the name
        name: String,
        /// 角色 / the role: viewer, cashier, finance, admin
        #[arg(long, value_name = "ROLE")]
        role: String,
    },
    /// 密码和验证码作废，输出新的一次性链接 / take password and codes away; prints a new one-time link
    Reset {
        /// 名字 / the name
        name: String,
    },
}

/// `suanpan replay`
#[derive(Args, Debug)]
pub(crate) struct Replay {
    /// 事件号 / the event's id
    #[arg(value_name = "EVENT")]
    pub(crate) event: Option<String>,
    /// 接收端号 / the endpoint's id
    #[arg(long, value_name = "ID")]
    pub(crate) endpoint: Option<String>,
    /// 从这个时间起（RFC 3339），配合 --endpoint / what happened from this time on (RFC 3339), with --endpoint
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// 运行中的后端的地址 / the address of the running backend
    #[arg(long, value_name = "URL", env = "SUANPAN_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// 存有 API 密钥的文件；不写就用环境变量 `SUANPAN_API_KEY` / a file with the API key; left out: the variable `SUANPAN_API_KEY`
    #[arg(long, value_name = "FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// 输出一个 JSON 对象 / print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `suanpan api`
#[derive(Args, Debug)]
pub(crate) struct Api {
    /// 输出 OpenAPI 文档 / print the OpenAPI document
    #[arg(long)]
    pub(crate) json: bool,
}

/// `suanpan explain`
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// 代码、报错原文、应答或一行日志；`-` 从标准输入读 / a code, a message, an answer or a line of a log; `-` reads standard input
    #[arg(value_name = "TEXT", allow_negative_numbers = true)]
    #[arg(required_unless_present_any = ["list", "markdown"], conflicts_with_all = ["list", "markdown"])]
    pub(crate) text: Vec<String>,
    /// 列出全部 / list all of them
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) list: bool,
    /// 全部写成一页 Markdown，就是 docs/errors.md / all of them as a page of Markdown, which is docs/errors.md
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    /// 语言 / the language
    #[arg(long, value_enum, default_value = "zh")]
    pub(crate) lang: Lang,
    /// 输出一个 JSON 对象，两种语言都有 / print one JSON object, with both languages
    #[arg(long)]
    pub(crate) json: bool,
}

/// `suanpan doctor`
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// 配置文件 / the configuration
    #[arg(long, value_name = "FILE", required_unless_present = "markdown")]
    pub(crate) config: Option<PathBuf>,
    /// 只看这些检查，可以只写点号前面的部分 / only these checks, by id or by the part before its dot
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// 不问这台机器以外的任何人 / ask nobody beyond this machine
    #[arg(long)]
    pub(crate) offline: bool,
    /// 再过一遍微信的接入质量检查清单 / go through WeChat's checklist for the quality of an integration, too
    #[arg(long)]
    pub(crate) quality: bool,
    /// 全部检查写成一页 Markdown，就是 docs/operations/doctor.md / all checks as a page of Markdown, docs/operations/doctor.md
    #[arg(long, conflicts_with_all = ["config", "json"])]
    pub(crate) markdown: bool,
    /// 语言 / the language
    #[arg(long, value_enum, default_value = "zh")]
    pub(crate) lang: Lang,
    /// 输出一个 JSON 对象，两种语言都有 / print one JSON object, with both languages
    #[arg(long)]
    pub(crate) json: bool,
}

/// `suanpan sign`
#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// curl 命令、HTTP 原文、XML、JSON；`-` 或不写从标准输入读 / a line of curl, raw HTTP, XML, JSON; `-` or nothing reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// 配置文件，密钥从这里来 / the configuration that has the keys
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// 用哪个商户号的密钥；不写就看内容 / whose keys; left out: the message says it
    #[arg(long, value_name = "MCHID", requires = "config")]
    pub(crate) account: Option<String>,
    /// 密钥文件：PEM，或一行密钥；可以写几次 / a file with a key: PEM, or the key in a line; may be there several times
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Vec<PathBuf>,
    /// 存有密钥的环境变量的名字 / the name of a variable with a key
    #[arg(long, value_name = "NAME")]
    pub(crate) key_env: Vec<String>,
    /// 小程序的 appId，wx.requestPayment 的五个字段里没有它 / the appId, which is not among the five fields of wx.requestPayment
    #[arg(long, value_name = "APPID")]
    pub(crate) app: Option<String>,
    /// 要比较的签名，代替内容里的 / the signature to compare, in place of the one in the message
    #[arg(long, value_name = "SIGNATURE")]
    pub(crate) against: Option<String>,
    /// 你签的那段文字的文件，逐字节比较 / a file with the text that you signed, to be compared byte by byte
    #[arg(long, value_name = "FILE")]
    pub(crate) text: Option<PathBuf>,
    /// 语言 / the language
    #[arg(long, value_enum, default_value = "zh")]
    pub(crate) lang: Lang,
    /// 输出一个 JSON 对象，两种语言都有 / print one JSON object, with both languages
    #[arg(long)]
    pub(crate) json: bool,
}

/// A language.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

impl Command {
    /// Whether the answer is for a machine.
    pub(crate) const fn is_json(&self) -> bool {
        match self {
            Self::Demo(Demo { json, .. })
            | Self::Migrate(Migrate { json, .. })
            | Self::Archive(Archive { json, .. })
            | Self::Reconcile(Reconcile { json, .. })
            | Self::Init(Init { json, .. })
            | Self::Operators(Operators { json, .. })
            | Self::Replay(Replay { json, .. })
            | Self::Api(Api { json })
            | Self::Explain(Explain { json, .. })
            | Self::Doctor(Doctor { json, .. })
            | Self::Sign(Sign { json, .. }) => *json,
            Self::Dev(_) | Self::Serve(_) | Self::Simulator(_) => false,
        }
    }
}

/// Reads the command line. The error is the exit code; everything is said by then.
pub(crate) fn read() -> Result<Command, ExitCode> {
    let error = match Cli::try_parse() {
        Ok(cli) => return Ok(cli.command),
        Err(error) => error,
    };
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        talk::out(error.to_string().trim_end());
        return Err(ExitCode::SUCCESS);
    }
    // Nothing was understood, so whether it was for a machine is found out by looking.
    if std::env::args().any(|argument| argument == "--json") {
        talk::problem(&usage(&error), true);
    } else if talk::Paint::stderr().is_on() {
        talk::err(error.render().ansi());
    } else {
        talk::err(error.render());
    }
    Err(ExitCode::from(Problem::SETUP))
}

fn usage(error: &clap::Error) -> Problem {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    Problem::usage(first.trim_start_matches("error: ").to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn there_are_these_commands() {
        let names: Vec<_> =
            Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        assert_eq!(
            names,
            [
                "demo",
                "dev",
                "init",
                "serve",
                "simulator",
                "migrate",
                "archive",
                "reconcile",
                "operators",
                "replay",
                "api",
                "explain",
                "doctor",
                "sign"
            ]
        );
    }
}
