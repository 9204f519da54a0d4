//! The database: whether it is there, up to date, whole and durable, and what waits in it.

use std::path::Path;
use std::process::Command;

use suanpan_wechat::MchId;
use suanpan_wechat::bill::BillDate;
use suanpan_wechat::time::beijing_rfc3339;

use super::checks::{
    CONFIG_START, Check, STORE_DISK, STORE_DURABLE, STORE_INTEGRITY, STORE_MIGRATIONS, STORE_REACH,
    WORK_DIFFERENCES, WORK_GIVEN_UP, WORK_NOTIFIED, WORK_OVERDUE, WORK_RECONCILED,
};
use super::finding::Chart;
use super::patient::Patient;
use super::said::{Say, say};
use crate::outside::Clock;
use crate::reconciliation::DayState;
use crate::store::{Backlog, Database, Endpoint, Health, Store, StoreError, Waits, migrate};

/// Looks at it; answers the endpoints that are registered in it.
pub(super) async fn all(patient: &Patient, clock: &dyn Clock, chart: &mut Chart) -> Vec<Endpoint> {
    let config = &patient.config;
    let all = [
        &STORE_REACH,
        &STORE_MIGRATIONS,
        &STORE_DURABLE,
        &STORE_INTEGRITY,
        &WORK_OVERDUE,
        &WORK_GIVEN_UP,
        &WORK_DIFFERENCES,
        &WORK_RECONCILED,
        &WORK_NOTIFIED,
    ];
    let Ok(database) = Database::parse(&config.database.url, &config.base) else {
        all.into_iter().for_each(|check| chart.blocked(check, "", &[&CONFIG_START]));
        return Vec::new();
    };
    if let Database::Lite(path) = &database {
        disk(path, chart);
    }
    let (standing, health) = match (migrate::check(&database).await, database.health().await) {
        (Ok(standing), Ok(health)) => (standing, health),
        (Err(error), _) | (_, Err(error)) => {
            let by = unreachable(&database, &error, chart);
            let others = all.into_iter().filter(|check| check.id != by.id);
            others.for_each(|check| chart.blocked(check, "", &[by]));
            return Vec::new();
        }
    };
    chart.ok(&STORE_REACH, "", Say::same(database.to_string()));
    if health.is_new {
        let others = all.into_iter().filter(|check| check.id != STORE_REACH.id);
        others.for_each(|check| {
            let none =
                say!("新库，第一次启动时建立", "a new database: it is made at the first start");
            chart.skip(check, "", none);
        });
        return Vec::new();
    }
    healthy(&health, chart);
    let count = standing.pending.len();
    if 0 < count {
        let found = say!("有 {count} 个升级步骤没有执行", "{count} migrations have not run");
        let fix = say!(
            "备份后执行 suanpan migrate（serve 启动时也会执行）",
            "make a backup, then run suanpan migrate; serve runs them at its start, too"
        );
        chart.warn(&STORE_MIGRATIONS, "", (found, fix));
        let others = all.into_iter().filter(|check| check.id.starts_with("work."));
        others.for_each(|check| chart.blocked(check, "", &[&STORE_MIGRATIONS]));
        return Vec::new();
    }
    let version = standing.version;
    chart.ok(&STORE_MIGRATIONS, "", say!("版本 {version}", "version {version}"));
    match work(patient, &database, clock).await {
        Ok(work) => {
            told(patient, &work, clock, chart);
            work.endpoints
        }
        Err(error) => {
            let others = all.into_iter().filter(|check| check.id.starts_with("work."));
            let why = crate::chain(&error);
            others.for_each(|check| {
                chart.skip(check, "", say!("没有看成：{why}", "not looked at: {why}"))
            });
            Vec::new()
        }
    }
}

/// Answers which check the others wait for.
fn unreachable(database: &Database, error: &StoreError, chart: &mut Chart) -> &'static Check {
    let why = crate::chain(error);
    if why.contains("malformed") {
        damaged(&why, chart);
        return &STORE_INTEGRITY;
    }
    let found = say!("{database}：{why}", "{database}: {why}");
    let fix = match database {
        Database::Lite(_) => say!(
            "看目录在不在、运行 Suanpan 的用户能不能写、是不是别的程序的文件",
            "see that the folder is there, that Suanpan's user may write in it, and that the file is ours"
        ),
        Database::Pg(_) => say!(
            "看地址、口令、防火墙和 sslrootcert；psql 用同一个地址试一下",
            "see address, password, firewall and sslrootcert; try the same address with psql"
        ),
    };
    chart.problem_of(&STORE_REACH, "", (found, fix), error.code());
    &STORE_REACH
}

fn damaged(what: &str, chart: &mut Chart) {
    let found = say!("文件坏了：{what}", "the file is damaged: {what}");
    let fix = say!(
        "停下服务，先复制现场，再从备份恢复（docs/operations/deploy.md），缺的日子用对账补",
        "stop the server, keep a copy, restore the backup (docs/operations/deploy.md), and reconcile the days that are missing"
    );
    chart.problem(&STORE_INTEGRITY, "", (found, fix));
}

fn healthy(health: &Health, chart: &mut Chart) {
    if health.not_durable.is_empty() {
        chart.ok(&STORE_DURABLE, "", say!("提交了就不丢", "what is committed is kept"));
    } else {
        let settings = health.not_durable.join(", ");
        let found = say!(
            "断电会丢已经确认的付款：{settings}",
            "a power cut loses payments that were acknowledged: {settings}"
        );
        let fix = say!(
            "SQLite 放在本机磁盘上（不要 NFS）；PostgreSQL 打开 fsync、full_page_writes、synchronous_commit，并连主库",
            "keep SQLite on a disk of this machine, not NFS; with PostgreSQL turn fsync, full_page_writes and synchronous_commit on, and use the primary"
        );
        chart.problem(&STORE_DURABLE, "", (found, fix));
    }
    match &health.damage {
        None => chart.skip(
            &STORE_INTEGRITY,
            "",
            say!(
                "没有整个看：库很大，或者由 PostgreSQL 自己看",
                "not looked through: it is large, or PostgreSQL sees to it"
            ),
        ),
        Some(damage) if damage.is_empty() => {
            chart.ok(&STORE_INTEGRITY, "", say!("完好", "it is whole"))
        }
        Some(damage) => damaged(&damage.join("; "), chart),
    }
}

/// Asks `df`, which every Unix has.
fn disk(path: &Path, chart: &mut Chart) {
    let folder = path.parent().filter(|folder| folder.is_dir()).unwrap_or_else(|| Path::new("."));
    let said = Command::new("df").arg("-Pk").arg(folder).output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let free = said
        .ok()
        .and_then(|said| said.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok());
    let Some(kib) = free else {
        return chart.skip(
            &STORE_DISK,
            "",
            say!("这个系统上看不了", "not looked at on this system"),
        );
    };
    let mib = kib.div_euclid(1024);
    let found = say!("还有 {mib} MiB", "{mib} MiB are free");
    let fix = say!(
        "腾出空间，或者用 suanpan archive 把旧订单移走",
        "make room, or move old orders out with suanpan archive"
    );
    if mib < FATAL_MIB {
        chart.problem(&STORE_DISK, "", (found, fix));
    } else if mib < LITTLE_MIB {
        chart.warn(&STORE_DISK, "", (found, fix));
    } else {
        chart.ok(&STORE_DISK, "", found);
    }
}

/// What waits, and what was heard.
struct Work {
    waits: Waits,
    backlog: Vec<Backlog>,
    differences: i64,
    accounts: Vec<Signs>,
    endpoints: Vec<Endpoint>,
}

/// What was last heard of an account; times are unix microseconds.
struct Signs {
    mchid: MchId,
    yesterday: Option<DayState>,
    paid: Option<i64>,
    heard: Option<i64>,
}

async fn work(
    patient: &Patient,
    database: &Database,
    clock: &dyn Clock,
) -> Result<Work, StoreError> {
    let now = clock.now_micros();
    let merchants = patient.config.merchants.iter();
    let merchants: Vec<_> = merchants.filter_map(|one| MchId::parse(&one.mchid).ok()).collect();
    let yesterday = BillDate::of(clock.now_seconds()).and_then(BillDate::yesterday);
    let store = Store::open(database, now).await?;
    let looked = store.look((merchants, now, yesterday), |tx, (merchants, now, yesterday)| {
        Box::pin(async move {
            let mut accounts = Vec::new();
            for mchid in merchants {
                let day = match yesterday {
                    Some(day) => tx.reconciliation(mchid, *day).await?.map(|day| day.state),
                    None => None,
                };
                let (paid, heard) = tx.last_signs(mchid).await?;
                accounts.push(Signs { mchid: mchid.clone(), yesterday: day, paid, heard });
            }
            Ok(Work {
                waits: tx.waits(merchants, *now, i64::MIN, *now).await?,
                backlog: tx.due_backlog().await?,
                differences: tx.differences_open().await?,
                accounts,
                endpoints: tx.endpoints().await?,
            })
        })
    });
    let looked = looked.await;
    store.close().await;
    looked
}

fn told(patient: &Patient, work: &Work, clock: &dyn Clock, chart: &mut Chart) {
    let now = clock.now_micros();
    let late = work.waits.oldest_due.map_or(0, |at| now.saturating_sub(at)).div_euclid(SECOND);
    if late < LATE {
        chart.ok(&WORK_OVERDUE, "", say!("没有拖着的", "nothing is late"));
    } else {
        let minutes = late.div_euclid(60);
        let found = say!("最久的一件拖了 {minutes} 分钟", "the oldest is {minutes} minutes late");
        let fix = say!(
            "serve 在运行吗？在的话看日志里反复失败的那一件",
            "does serve run? If so, look in its log for what fails again and again"
        );
        chart.warn(&WORK_OVERDUE, "", (found, fix));
    }
    let dead = work.backlog.iter().filter(|one| one.state == "dead");
    let given_up: i64 = dead.map(|one| one.count).fold(0, i64::saturating_add);
    if given_up == 0 {
        chart.ok(&WORK_GIVEN_UP, "", say!("没有", "nothing"));
    } else {
        let found = say!(
            "{given_up} 件试到头放弃了，多半是回调",
            "{given_up} were given up, most likely webhooks"
        );
        let fix = say!(
            "修好接收端，再 suanpan replay --endpoint ID --since TIME 补发",
            "put the receiver right, then suanpan replay --endpoint ID --since TIME"
        );
        chart.warn(&WORK_GIVEN_UP, "", (found, fix));
    }
    let open = work.differences;
    if open == 0 {
        chart.ok(&WORK_DIFFERENCES, "", say!("没有", "none"));
    } else {
        let found = say!("{open} 条对账差异没有人处理", "nobody has dealt with {open} differences");
        let fix =
            say!("在控制台 → 对账里逐条看", "look at each of them in the console (reconciliation)");
        chart.warn(&WORK_DIFFERENCES, "", (found, fix));
    }
    let is_compared = patient.config.reconciliation.enabled;
    for Signs { mchid, yesterday, paid, heard } in &work.accounts {
        reconciled(mchid, *yesterday, is_compared, chart);
        notified(mchid, *paid, *heard, chart);
    }
}

fn reconciled(mchid: &MchId, day: Option<DayState>, is_on: bool, chart: &mut Chart) {
    let subject = mchid.as_str();
    let by_hand = say!(
        "suanpan reconcile --date 那一天，看它说什么",
        "suanpan reconcile --date DAY, and see what it says"
    );
    match day {
        Some(DayState::Done) => {
            chart.ok(&WORK_RECONCILED, subject, say!("昨天对过了", "yesterday was compared"))
        }
        Some(DayState::Failed) => {
            chart.warn(
                &WORK_RECONCILED,
                subject,
                (say!("昨天的账单没有拿到", "yesterday's bill could not be had"), by_hand),
            );
        }
        Some(DayState::Waiting) => chart.skip(
            &WORK_RECONCILED,
            subject,
            say!("在等微信的账单", "WeChat's bill is awaited"),
        ),
        None if is_on => chart.skip(
            &WORK_RECONCILED,
            subject,
            say!("昨天还没有对", "yesterday was not compared yet"),
        ),
        None => {
            let fix = say!(
                "打开 reconciliation.enabled，或者每天跑 suanpan reconcile",
                "turn reconciliation.enabled on, or run suanpan reconcile each day"
            );
            chart.warn(&WORK_RECONCILED, subject, (say!("对账关着", "it is turned off"), fix));
        }
    }
}

/// A payment that nobody told us of was found by asking: it works, and says that the notify URL does not.
fn notified(mchid: &MchId, paid: Option<i64>, heard: Option<i64>, chart: &mut Chart) {
    let subject = mchid.as_str();
    let at = |micros: i64| beijing_rfc3339(micros.div_euclid(SECOND));
    match (paid, heard) {
        (None, _) => {
            chart.skip(&WORK_NOTIFIED, subject, say!("还没有付款", "nothing was paid yet"))
        }
        (Some(paid), Some(heard)) if paid.saturating_sub(heard) < DAY => {
            let at = at(heard);
            chart.ok(&WORK_NOTIFIED, subject, say!("最近一次 {at}", "the last at {at}"));
        }
        (Some(paid), _) => {
            let at = at(paid);
            let found = say!(
                "{at} 还收到过付款，却是查单才知道的：通知没有到",
                "there was a payment at {at}, found by asking: its notification never came"
            );
            let fix = say!(
                "看 public.url 和 public.reach：证书、跳转、登录页、防火墙",
                "see public.url and public.reach: certificate, redirect, sign-in page, firewall"
            );
            chart.warn(&WORK_NOTIFIED, subject, (found, fix));
        }
    }
}

/// In microseconds.
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Seconds after which due work is late.
const LATE: i64 = 600;
const FATAL_MIB: u64 = 100;
const LITTLE_MIB: u64 = 1024;
