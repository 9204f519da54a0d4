//! What it takes to compare a long day: so many lines of a bill, and as many orders of ours.
//! `cargo bench -p suanpan --bench reconcile -- --folder DIR [--lines 1000000]`.
//!
//! A file of SQLite is filled with paid orders of one day, a bill is made of them with some differences, and a small server
//! gives it as APIv2 does. Then `suanpan reconcile` runs as a process of its own, whose time and memory are measured.

#![expect(clippy::print_stdout, reason = "a bench talks")]
#![expect(clippy::arithmetic_side_effects, reason = "a bench counts, and nobody's money")]

#[path = "common/args.rs"]
mod args;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use flate2::Compression;
use flate2::write::GzEncoder;
use suanpan_server::outside::{Clock as _, SystemClock};
use suanpan_server::store::{Database, Store, StoreError};
use suanpan_server::vals;

use args::{number, option, quantile};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const DAY: &str = "2026-11-01";
/// Its first second in Beijing.
const START: i64 = 1_793_462_400;
const MCHID: &str = "1900000109";
const APP: &str = "wx2421b1c4370ec43b";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder: PathBuf = option("--folder").ok_or("--folder: an empty one")?.into();
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let lines = number("--lines", 1_000_000_i64);
    fill(&folder, lines).await?;
    let bill = Bytes::from(bill(lines)?);
    println!("{lines} orders in the database; the bill has {} KiB, packed", bill.len() / 1024);

    let give = move || {
        let bill = bill.clone();
        async move { bill }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let wechat = format!("http://{}", listener.local_addr()?);
    let router = Router::new().route("/pay/downloadbill", post(give));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = folder.join("suanpan.toml");
    std::fs::write(&config, configuration(&wechat))?;

    let (mut times, mut most) = (Vec::new(), 0);
    for run in 1..=3 {
        let config = config.clone();
        let measured = tokio::task::spawn_blocking(move || reconcile(&config));
        let (micros, kib, said) = measured.await??;
        println!("run {run}: {} ms, {} MiB at most; {said}", micros / 1000, kib / 1024);
        times.push(micros);
        most = most.max(kib);
    }
    println!("median {} ms, {} MiB at most", quantile(&mut times, 500) / 1000, most / 1024);
    Ok(())
}

/// One run of the command: its time in microseconds, the most memory that it had in KiB, and what it found.
fn reconcile(config: &Path) -> Result<(u64, u64, String), Failure> {
    let binary = option("--binary").unwrap_or_else(|| env!("CARGO_BIN_EXE_suanpan").to_owned());
    let clock = SystemClock::new();
    let began = clock.monotonic_micros();
    let mut process = Command::new(binary)
        .args(["reconcile", "--json", "--date", DAY, "--config"])
        .arg(config)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut most = 0;
    while process.try_wait()?.is_none() {
        most = most.max(peak_kib(process.id()));
        std::thread::sleep(Duration::from_millis(5));
    }
    let micros = u64::try_from(clock.monotonic_micros() - began)?;
    let output = process.wait_with_output()?;
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let number =
        |place: &str| said.pointer(place).and_then(serde_json::Value::as_i64).unwrap_or(-1);
    let (theirs, ours) =
        (number("/accounts/0/wechat/payments"), number("/accounts/0/ours/payments"));
    let found = said.pointer("/accounts/0/differences").and_then(serde_json::Value::as_array);
    let found = found.map_or(0, Vec::len);
    Ok((micros, most, format!("WeChat {theirs}, ours {ours}, differences {found}")))
}

fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// Paid orders of the day, each with its attempt.
async fn fill(folder: &Path, lines: i64) -> Result<(), Failure> {
    let database = Database::parse("sqlite:suanpan.db", folder)?;
    let store = Store::open(&database, SystemClock::new().now_micros()).await?;
    for sql in [ORDERS, ATTEMPTS] {
        let filled = store.write((sql, lines), |tx, (sql, lines)| {
            Box::pin(async move {
                tx.exec(sql, &vals![MCHID, APP, START, *lines]).await?;
                Ok::<_, StoreError>(())
            })
        });
        filled.await?;
    }
    store.close().await;
    Ok(())
}

/// The bill of the day, packed: ten payments are missing, ten have another amount, and ten are nobody's.
fn bill(lines: i64) -> Result<Vec<u8>, Failure> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(format!("{HEADING}\r\n").as_bytes())?;
    let step = (lines / 40).max(1);
    let (mut count, mut total, mut fees) = (0_i64, 0_i64, 0_i64);
    for n in 0..lines {
        let (at, place) = (n / step, n % step);
        let mut amount = 100 + n % 9_000;
        let mut number = format!("{n:032}");
        match (place, at) {
            (0, 0..10) => continue,
            (0, 10..20) => amount += 1,
            (0, 20..30) => number = format!("nobody-{n}"),
            _ => {}
        }
        let fee = (amount * 6 + 500) / 1000;
        (count, total, fees) = (count + 1, total + amount, fees + fee);
        let second = n % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let (yuan, cents) = (amount / 100, amount % 100);
        let line = format!(
            "`{DAY} {hour:02}:{minute:02}:{second:02},`{APP},`{MCHID},`0,`,`4200{n:024},`{number},`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`JSAPI,`SUCCESS,`OTHERS,`CNY,`{yuan}.{cents:02},`0.00,`0,`0,`0.00,`0.00,`,`,`龙井, 一杯,`,`{}.{:02}000,`0.60%,`{yuan}.{cents:02},`0.00,`\r\n",
            fee / 100,
            fee % 100,
        );
        packed.write_all(line.as_bytes())?;
    }
    let (yuan, cents) = (total / 100, total % 100);
    let totals = format!(
        "{TOTALS}\r\n`{count},`{yuan}.{cents:02},`0.00,`0.00,`{}.{:02}000,`{yuan}.{cents:02},`0.00\r\n",
        fees / 100,
        fees % 100,
    );
    packed.write_all(totals.as_bytes())?;
    Ok(packed.finish()?)
}

fn configuration(wechat: &str) -> String {
    format!(
        "[log]\nlevel = \"error\"\n[wechat]\nmerchant_hosts = [{wechat:?}]\nplatform_host = {wechat:?}\n\
         [database]\nurl = \"sqlite:suanpan.db\"\n\
         [[merchants]]\nmchid = \"{MCHID}\"\napi = \"v2\"\napi_v2_key = \"8934e7d15453e97507ef794cf7b0519d\"\n\
         [[merchants.apps]]\nappid = \"{APP}\"\nsecret = \"bcd5f9c4c1f2f5a6d7e8f90a1b2c3d4e\"\n"
    )
}

const ORDERS: &str = "WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < $4)
    INSERT INTO orders (id, reference, mchid, app, amount, currency, description, status, trade_type, created_at, paid_at,
        transaction_id)
    SELECT printf('ord_%032d', n), 'tea-' || n, $1, $2, 100 + n % 9000, 'CNY', 'tea', 'paid', 'JSAPI',
        ($3 + n % 86400) * 1000000, ($3 + n % 86400) * 1000000, printf('4200%024d', n) FROM n";
const ATTEMPTS: &str = "WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < $4)
    INSERT INTO attempt (id, order_id, mchid, appid, out_trade_no, fingerprint, request, state, created_at, paid_at,
        transaction_id)
    SELECT printf('att_%032d', n), printf('ord_%032d', n), $1, $2, printf('%032d', n), 'f', '<xml></xml>', 'paid',
        ($3 + n % 86400) * 1000000, ($3 + n % 86400) * 1000000, printf('4200%024d', n) FROM n";
const HEADING: &str = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
