//! The calls that are compared.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use suanpan_server::outside::{Clock as _, SystemClock};

use crate::common::node::cpu_micros_of_database;
use crate::common::shop::{Shop, text};
use crate::common::{Failure, number, option, quantile};
use crate::{Filled, Side};

/// So many calls are under way at a time.
const AT_A_TIME: usize = 4;

/// What one series has cost, per call and in microseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    server: u64,
    database: u64,
    median: u64,
    p99: u64,
}

/// Where order number `n` of a database is asked for.
type Path = fn(&Filled, i64) -> String;
type Costs = BTreeMap<(usize, &'static str), BTreeMap<&'static str, Vec<Cost>>>;

/// Makes all calls to both sides in turns, and prints what they cost.
pub(crate) async fn compare(shop: &Shop, sides: &[Side]) -> Result<(), Failure> {
    let mut costs = Costs::new();
    for pass in 0..=number("--passes", 3_usize) {
        let mut of_pass = Costs::new();
        // Who is first in this pass is second in the next one.
        for at in 0..sides.len() {
            let side = &sides[(at + pass) % sides.len()];
            looks(shop, side, &mut of_pass).await?;
            if option("--only").is_none() {
                payments(shop, side, pass, &mut of_pass).await?;
            }
        }
        // The first one opens connections and warms up.
        if 0 < pass {
            for (call, sides) in of_pass {
                for (side, mut of_side) in sides {
                    costs.entry(call).or_default().entry(side).or_default().append(&mut of_side);
                }
            }
        }
    }
    print(&costs, sides);
    Ok(())
}

/// Questions about the history, each about another part of it.
async fn looks(shop: &Shop, side: &Side, costs: &mut Costs) -> Result<(), Failure> {
    let calls: [(&'static str, Path); 31] = [
        ("GET /v1/orders/{id}", |it, n| format!("/v1/orders/{}", order(it, n))),
        ("GET /miniprogram/orders/{id}", |it, n| format!("/miniprogram/orders/{}", order(it, n))),
        ("… /timeline", |it, n| format!("/v1/orders/{}/timeline", order(it, n))),
        ("GET /v1/orders: newest", |_, _| "/v1/orders".to_owned()),
        ("GET /v1/orders: from anywhere", |it, n| format!("/v1/orders?cursor={}", behind(it, n))),
        ("GET /v1/orders: paid, from anywhere", |it, n| {
            format!("/v1/orders?status=paid&cursor={}", behind(it, n))
        }),
        ("GET /v1/orders: closed, newest", |_, _| "/v1/orders?status=closed".to_owned()),
        ("GET /v1/orders: by reference", |it, n| {
            format!("/v1/orders?reference=order-{:012}", scrambled(paid(it, n)))
        }),
        ("GET /v1/orders: after a time, from anywhere", |it, n| {
            let after = time(it.order.1, it, n - 30).div_euclid(1_000_000);
            format!("/v1/orders?created_after={}&cursor={}", rfc3339(after), behind(it, n))
        }),
        ("GET /v1/events: newest", |_, _| "/v1/events".to_owned()),
        ("GET /v1/events: from anywhere", |it, n| {
            format!("/v1/events?cursor={}", cursor(time(it.event.1, it, n), &event(it, n)))
        }),
        ("GET /v1/events/{id}", |it, n| format!("/v1/events/{}", event(it, n))),
        ("deliveries of an endpoint: from anywhere", |it, n| {
            let from = cursor(time(it.event.1, it, n), "due_");
            format!("/v1/webhook-endpoints/{}/deliveries?cursor={from}", it.endpoint)
        }),
        ("GET /v1/shipping", |_, _| "/v1/shipping".to_owned()),
        ("console: today", |_, _| "/console".to_owned()),
        ("console: orders", |_, _| "/console/orders".to_owned()),
        ("console: paid orders, from anywhere", |it, n| {
            format!("/console/orders?status=paid&cursor={}", behind(it, n))
        }),
        ("console: orders of a day", |it, n| {
            let day = rfc3339(time(it.order.1, it, n).div_euclid(1_000_000));
            let day = day.get(..10).unwrap_or_default();
            format!("/console/orders?from={day}&to={day}")
        }),
        ("console: an order by number", |it, n| format!("/console/orders?q={}", order(it, n))),
        ("console: an order", |it, n| format!("/console/orders/{}", order(it, n))),
        ("console: refunds", |_, _| "/console/refunds".to_owned()),
        ("console: webhooks", |_, _| "/console/webhooks".to_owned()),
        ("console: an endpoint", |it, _| format!("/console/webhooks/{}", it.endpoint)),
        ("console: an event", |it, n| format!("/console/events/{}", event(it, n))),
        ("console: reconciliation", |_, _| "/console/reconciliation".to_owned()),
        ("console: live", |_, _| "/console/live".to_owned()),
        ("console: accounts", |_, _| "/console/accounts".to_owned()),
        ("console: shipping", |_, _| "/console/shipping".to_owned()),
        ("console: settings", |_, _| "/console/settings".to_owned()),
        ("console: audit log", |_, _| "/console/audit".to_owned()),
        ("GET /metrics", |_, _| "/metrics".to_owned()),
    ];
    for (at, (name, path)) in calls.into_iter().enumerate() {
        series(side, costs, (100 + at, name), number("--calls", 1000), |call| {
            let n = scrambled(i64::try_from(call).unwrap_or(0)) % side.filled.count;
            let url = format!("{}{}", side.node.url, path(&side.filled, n));
            Box::pin(async move { shop.look(&url, &side.key, &side.cookie).await })
        })
        .await?;
    }
    Ok(())
}

/// Payments, one part after the other.
async fn payments(shop: &Shop, side: &Side, pass: usize, costs: &mut Costs) -> Result<(), Failure> {
    let count = number("--flows", 200_usize);
    // The same database can be measured again: the merchant's own numbers are never the same.
    let run = SystemClock::new().now_micros();
    let server = (side.node.url.as_str(), side.key.as_str());
    for (api, app) in ["v3", "v2"].into_iter().zip(&shop.apps) {
        let offset = if api == "v3" { 0 } else { 10 };
        let named = |v3: &'static str, v2: &'static str| if api == "v3" { v3 } else { v2 };
        let orders = series(
            side,
            costs,
            (offset, named("v3: POST /v1/orders", "v2: POST /v1/orders")),
            count,
            |call| {
                let reference = format!("{api}-{run}-{pass}-{call}");
                Box::pin(async move { shop.order(server, app, &reference).await })
            },
        )
        .await?;
        let sheets =
            series(side, costs, (offset + 1, named("v3: pay", "v2: pay")), count, |call| {
                let order = &orders[call];
                Box::pin(async move { shop.pay(server.0, app, order).await })
            })
            .await?;
        series(side, costs, (offset + 2, named("v3: confirm", "v2: confirm")), count, |call| {
            let url = format!("{}/miniprogram/orders/{}/confirm", server.0, orders[call]);
            Box::pin(async move { shop.call(Method::POST, &url, "", None).await })
        })
        .await?;
        let name = named("v3: notify and webhook", "v2: notify and webhook");
        series(side, costs, (offset + 3, name), count, |call| {
            let (order, sheet) = (&orders[call], sheets[call].clone());
            Box::pin(async move { shop.settle(app, order, sheet).await })
        })
        .await?;
        if api == "v3" {
            let refunds =
                series(side, costs, (20, "POST /v1/orders/{id}/refunds"), count, |call| {
                    let url = format!("{}/v1/orders/{}/refunds", server.0, orders[call]);
                    let body = json!({ "amount": 90, "reason": "cold" });
                    Box::pin(async move {
                        text(&shop.call(Method::POST, &url, server.1, Some(body)).await?, "id")
                    })
                })
                .await?;
            series(side, costs, (21, "GET /v1/refunds/{id}"), count, |call| {
                let url = format!("{}/v1/refunds/{}", server.0, refunds[call]);
                Box::pin(async move { shop.call(Method::GET, &url, server.1, None).await })
            })
            .await?;
        }
        series(
            side,
            costs,
            (offset + 4, named("v3: whole flows", "v2: whole flows")),
            count,
            |call| {
                let reference = format!("{api}-{run}-{pass}-{call}-whole");
                Box::pin(async move { shop.flow(server, app, &reference).await })
            },
        )
        .await?;
    }
    Ok(())
}

/// Makes so many calls, a few at a time, and notes what they cost.
async fn series<'a, T>(
    side: &'a Side,
    costs: &mut Costs,
    name: (usize, &'static str),
    count: usize,
    call: impl Fn(usize) -> BoxFuture<'a, Result<T, Failure>>,
) -> Result<Vec<T>, Failure> {
    let clock = SystemClock::new();
    let before = (side.node.cpu_micros(), cpu_micros_of_database(&side.database));
    let calls = stream::iter(0..count).map(|at| {
        let (call, clock) = (call(at), &clock);
        async move {
            let began = clock.monotonic_micros();
            let answer = call.await?;
            Ok::<_, Failure>((answer, clock.monotonic_micros() - began))
        }
    });
    let answers: Vec<(T, i64)> = calls.buffered(AT_A_TIME).try_collect().await?;
    let per_call = |all: u64| all.div_euclid(u64::try_from(count).unwrap_or(1).max(1));
    let mut waited: Vec<u64> =
        answers.iter().map(|(_, micros)| u64::try_from(*micros).unwrap_or(0)).collect();
    let cost = Cost {
        server: per_call(side.node.cpu_micros() - before.0),
        database: per_call(cpu_micros_of_database(&side.database).saturating_sub(before.1)),
        median: quantile(&mut waited, 500),
        p99: quantile(&mut waited, 990),
    };
    costs.entry(name).or_default().entry(side.name).or_default().push(cost);
    Ok(answers.into_iter().map(|(answer, _)| answer).collect())
}

fn print(costs: &Costs, sides: &[Side]) {
    println!(
        "CPU of the server + of its database connections, then p50 and p99 of the wait, in microseconds per call"
    );
    for ((_, name), of_sides) in costs {
        let of = |side: &Side, part: fn(&Cost) -> u64| {
            let values = of_sides.get(side.name).into_iter().flatten().map(part);
            quantile(&mut values.collect::<Vec<_>>(), 500)
        };
        let cells = sides.iter().map(|side| {
            let (server, database) = (of(side, |cost| cost.server), of(side, |cost| cost.database));
            let (p50, p99) = (of(side, |cost| cost.median), of(side, |cost| cost.p99));
            (
                server + database,
                format!("{}: {server:>5} + {database:>5}, {p50:>6} {p99:>7}", side.name),
            )
        });
        let cells: Vec<_> = cells.collect();
        let ratio = match cells.as_slice() {
            [(few, _), (many, _)] => many * 100 / (*few).max(1),
            _ => 100,
        };
        let texts: Vec<_> = cells.into_iter().map(|(_, text)| text).collect();
        println!("{name:<44} {} | CPU x {}.{:02}", texts.join(" | "), ratio / 100, ratio % 100);
    }
}

impl Shop {
    /// Looks a page up, as the merchant's system and as the operator at once.
    async fn look(&self, url: &str, key: &str, cookie: &str) -> Result<Value, Failure> {
        self.call_with(Method::GET, url, key, cookie, None).await
    }
}

/// The next order at or before `n` that is like the first of the real ones, and has all its rows.
fn paid(filled: &Filled, n: i64) -> i64 {
    let n = n.clamp(0, filled.count - 1);
    let n = n - n / 100 % filled.whole * 100;
    n - (n % 100 - 59).max(0)
}

/// Its id.
fn order(filled: &Filled, n: i64) -> String {
    copy(&filled.order.0, paid(filled, n))
}

fn event(filled: &Filled, n: i64) -> String {
    copy(&filled.event.0, paid(filled, n))
}

/// The id of copy `n`: `fill.rs` puts its number where the time was.
fn copy(id: &str, n: i64) -> String {
    let (prefix, rest) = id.split_at(4);
    format!("{prefix}{n:012}{}", rest.get(12..).unwrap_or_default())
}

/// When copy `n` of something was made.
fn time(made: i64, filled: &Filled, n: i64) -> i64 {
    made + (n - filled.count) * filled.step()
}

fn behind(filled: &Filled, n: i64) -> String {
    cursor(time(filled.order.1, filled, n), "ord_")
}

/// A cursor, as the server makes them.
fn cursor(at: i64, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{at} {id}"))
}

/// The numbers of `fill.rs` that are in no order.
const fn scrambled(n: i64) -> i64 {
    n * 2_654_435_761 % 1_000_000_000_000
}

fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |at| at.to_string())
}
