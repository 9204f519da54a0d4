//! `suanpan reconcile`: compares a day with WeChat's bills, beside the nodes that may run.

use serde_json::{Value, json};
use suanpan_server::client::wechat::bill::{BillDate, Fee};
use suanpan_server::client::wechat::{Fen, MchId};
use suanpan_server::reconciliation::{Day, Difference, DifferenceState};
use suanpan_server::repair::reconcile::{Reconciled, differences, reconcile};
use suanpan_server::{Error, Seams, World};

use crate::cli::Reconcile;
use crate::problem::Problem;
use crate::{Verdict, serve, talk};

/// Compares the day of each account, and says what differs; a problem while a difference is open, or a bill is lacking.
pub(crate) async fn run(arguments: &Reconcile) -> Result<Verdict, Problem> {
    let day: BillDate = arguments.date.parse().map_err(|_| {
        Problem::usage(format!("{:?} is not a day such as 2026-01-31", arguments.date))
    })?;
    let config = serve::load(&arguments.setup.config, arguments.setup.database.as_deref())?;
    let world = World::open(&config, Seams::default()).await;
    let world = world.map_err(|error| Problem::server_setup(&error))?;
    let compared = all(&world, day, arguments).await;
    world.store().close().await;
    let (reports, verdict) = compared?;
    if arguments.json {
        talk::json(&json!({ "date": day.to_string(), "accounts": reports }));
    }
    Ok(verdict)
}

async fn all(
    world: &World,
    day: BillDate,
    arguments: &Reconcile,
) -> Result<(Vec<Value>, Verdict), Problem> {
    let one = arguments.account.as_deref();
    let mut accounts = world.merchants();
    accounts.retain(|(mchid, _)| one.is_none_or(|one| one == mchid.as_str()));
    if accounts.is_empty() {
        return Err(Problem::usage(format!(
            "no account {:?} is configured",
            one.unwrap_or_default()
        )));
    }
    let (mut reports, mut verdict) = (Vec::new(), Verdict::Good);
    for (mchid, name) in &accounts {
        let report = match reconcile(world, mchid, day).await.map_err(|error| problem(&error))? {
            Reconciled::NotYet(why) => Report::NotYet(why),
            Reconciled::Done(day) => {
                let found = differences(world, mchid, day.day).await;
                Report::Done(day, found.map_err(|error| problem(&error))?)
            }
        };
        if !report.is_good() {
            verdict = Verdict::Bad;
        }
        if arguments.json {
            reports.push(report.json(mchid));
        } else {
            report.print(mchid, name);
        }
    }
    Ok((reports, verdict))
}

/// A day that is not over is a mistake of whoever typed it.
fn problem(error: &Error) -> Problem {
    if matches!(error, Error::Field { .. }) {
        return Problem::server_setup(error);
    }
    Problem::server(error)
}

enum Report {
    NotYet(String),
    Done(Box<Day>, Vec<Difference>),
}

impl Report {
    fn is_good(&self) -> bool {
        match self {
            Self::NotYet(_) => false,
            Self::Done(day, found) => day.more == 0 && !found.iter().any(is_open),
        }
    }

    fn json(&self, mchid: &MchId) -> Value {
        let (day, found) = match self {
            Self::NotYet(why) => return json!({ "mchid": mchid, "state": "waiting", "why": why }),
            Self::Done(day, found) => (day, found),
        };
        let (theirs, ours) = (day.theirs, day.ours);
        let differences: Vec<_> = found.iter().map(difference).collect();
        json!({
            "mchid": mchid,
            "state": if self.is_good() { "balanced" } else { "different" },
            "problem": day.problem,
            "wechat": {
                "payments": theirs.payments, "paid": theirs.paid,
                "refunds": theirs.refunds, "refunded": theirs.refunded,
                "fee": Fee::new(theirs.fee).to_string(),
                "came_in": theirs.came_in, "went_out": theirs.went_out,
            },
            "ours": {
                "payments": ours.payments, "paid": ours.paid,
                "refunds": ours.refunds, "refunded": ours.refunded,
            },
            "differences": differences,
            "not_listed": day.more,
        })
    }

    fn print(&self, mchid: &MchId, name: &str) {
        let paint = talk::Paint::stdout();
        let (day, found) = match self {
            Self::NotYet(why) => {
                let title = paint.yellow("还没有账单 / no bill yet");
                return talk::out(format_args!("{title} {mchid} {name}: {why}"));
            }
            Self::Done(day, found) => (day, found),
        };
        let title = if self.is_good() {
            paint.green("平 / balanced")
        } else {
            paint.red("有差异 / different")
        };
        talk::out(format_args!("{title} {mchid} {name} {}", day.day));
        let (theirs, ours) = (day.theirs, day.ours);
        let wechat = [theirs.payments, theirs.paid, theirs.refunds, theirs.refunded];
        let fee = Fee::new(theirs.fee);
        talk::out(format_args!("{}  手续费 fee {fee}", side("微信 WeChat", wechat)));
        talk::out(side("我们 ours", [ours.payments, ours.paid, ours.refunds, ours.refunded]));
        found.iter().for_each(|one| talk::out(line(one)));
        if 0 < day.more {
            talk::out(format_args!("  另有 {} 条没有列出 / {0} more are not listed", day.more));
        }
        if let Some(problem) = &day.problem {
            talk::err(format_args!("  {problem}"));
        }
    }
}

fn side(who: &str, [payments, paid, refunds, refunded]: [i64; 4]) -> String {
    let yuan = |fen| Fen::new(fen).unwrap_or_default();
    format!(
        "  {} 收款 paid {payments} = {}  退款 refunded {refunds} = {}",
        talk::padded(who, 14),
        yuan(paid),
        yuan(refunded)
    )
}

fn line(one: &Difference) -> String {
    let amount =
        |count: Option<i64>| count.map_or_else(|| "-".to_owned(), |count| one.amount(count));
    format!(
        "  {} {} {}  微信 WeChat {}  我们 ours {}  {}",
        talk::padded(one.state.as_str(), 10),
        talk::padded(one.found.kind.as_str(), 22),
        one.found.subject,
        amount(one.found.theirs),
        amount(one.found.ours),
        one.found.order_id.as_deref().unwrap_or(""),
    )
}

fn is_open(difference: &Difference) -> bool {
    difference.state == DifferenceState::Open
}

fn difference(one: &Difference) -> Value {
    json!({
        "id": one.id,
        "kind": one.found.kind.as_str(),
        "subject": one.found.subject,
        "state": one.state.as_str(),
        "order_id": one.found.order_id,
        "refund_id": one.found.refund_id,
        "ours": one.found.ours,
        "theirs": one.found.theirs,
        "note": one.note,
    })
}
