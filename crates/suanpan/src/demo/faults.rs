//! `suanpan demo --faults`: one payment that survives a lost answer, a lost notification and a crash.
//!
//! Simulator and shop are in this process. The backend is a process of its own,
//! on a database of its own, and is killed between the payment and our knowledge
//! of it. Nobody helps the order afterwards: what saves it was stored before
//! WeChat was asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use suanpan_server::client::wechat::Fen;
use suanpan_server::{Config, config::ApiVersion};
use suanpan_simulator::{Options, Simulator};
use tokio::sync::broadcast::Receiver;

use super::books::{self, Book};
use super::child::Backend;
use super::losses::{Outside, until_paid, until_told};
use super::screen::{Screen, Step};
use crate::caller::{Answer, Caller};
use crate::problem::Problem;
use crate::shop::{self, Heard, NewOrder, Shop, Stall};
use crate::stop::Stop;

/// What came of it, for a machine.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Paid once, booked once, told once.
    pub(super) ok: bool,
    order_id: String,
    steps: Vec<Step>,
    timeline: Vec<String>,
    books: Vec<Book>,
    /// The ids of the events that the merchant was told of this order.
    events: Vec<String>,
    /// Empty if all is well.
    differences: Vec<String>,
}

/// Tells the whole story, in this folder.
pub(super) async fn run(folder: &Path, screen: &Screen, stop: &Stop) -> Result<Report, Problem> {
    screen.title(&format!("算盘 suanpan {} · demo --faults", env!("CARGO_PKG_VERSION")));
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let simulator = Simulator::open(Options::new(folder.to_owned(), anywhere)).await;
    let simulator = simulator.map_err(|error| Problem::simulator_setup(&error))?;
    let config = simulator.config_path().to_owned();
    let outside =
        Outside { caller: Caller::new(None)?, simulator: simulator.base_url().to_owned() };
    let ended = Stop::new();
    let served = tokio::spawn(simulator.serve(ended.wait()));

    let told = tokio::select! {
        told = story(folder, &config, outside, screen, &ended) => told,
        () = stop.wait() => Err(super::interrupted()),
    };
    ended.now();
    drop(served.await);
    let report = told?;
    screen.survived(report.ok);
    Ok(report)
}

async fn story(
    folder: &Path,
    config: &Path,
    outside: Outside,
    screen: &Screen,
    ended: &Stop,
) -> Result<Report, Problem> {
    let stalls =
        shop::stalls(&Config::load(config).map_err(|error| Problem::server_setup(&error))?);
    let stall = stalls.into_iter().find(|stall| stall.api == ApiVersion::V3);
    let stall = stall.ok_or_else(|| Problem::bug("no merchant speaks APIv3"))?;
    let child = Backend::start(config, "127.0.0.1:0").await?;
    let url = child.url.clone();
    let key = child.api_key.clone().ok_or_else(|| Problem::bug("a new database has no key"))?;
    let backend = shop::Backend::new(Caller::new(None)?, url.clone(), &key);
    let state = folder.join("shop.json");
    let (shop, listener) = Shop::open(Vec::new(), backend.clone(), &state).await?;
    tokio::spawn(shop.clone().serve(listener, Vec::new(), ended.clone()));
    shop.settle(&state).await?;

    let mut teller = Teller { screen, steps: Vec::new() };
    screen.payment(&stall);
    teller.tell(
        "start",
        "后端是一个独立的进程 / the backend is a process of its own",
        vec![format!("suanpan serve · 进程 / process {} · {url}", child.id())],
    );
    let walk = Walk { outside, backend, shop, stall, url };
    let mut news = walk.shop.listen();
    let order_id = walk.order(&mut teller).await?;
    let sheet = walk.lost_answer(&order_id, &mut teller).await?;
    walk.lost_notification(&order_id, &sheet, &mut teller).await?;
    let child = walk.crash(child, config, &mut teller).await?;
    let report = walk.end(order_id, &mut news, teller).await;
    drop(child);
    report
}

struct Teller<'a> {
    screen: &'a Screen,
    steps: Vec<Step>,
}

impl Teller<'_> {
    fn tell(&mut self, step: &'static str, title: &'static str, says: Vec<String>) {
        let step = Step { step, number: None, title, says, wire: Vec::new() };
        self.screen.step(&step);
        self.steps.push(step);
    }
}

struct Walk {
    outside: Outside,
    backend: shop::Backend,
    shop: Shop,
    stall: Stall,
    url: String,
}

impl Walk {
    async fn order(&self, teller: &mut Teller<'_>) -> Result<String, Problem> {
        let order = NewOrder {
            reference: "demo-faults".to_owned(),
            amount: PRICE,
            description: "龙井一杯".to_owned(),
            app: self.stall.app.clone(),
        };
        let order = self.backend.create_order(&order).await?;
        let id = Answer::text(&order, "id")?;
        let title = "下单：商户系统用 API 密钥 / the merchant's system creates an order";
        teller.tell("create", title, vec![format!("{PRICE} 元 / CNY · {id}")]);
        Ok(id)
    }

    /// Fault 1: WeChat places the order, and its answer never comes.
    async fn lost_answer(&self, id: &str, teller: &mut Teller<'_>) -> Result<Value, Problem> {
        self.outside.fault("POST /v3/pay/transactions/jsapi", "timeout_after", Some(1)).await?;
        let first = self.pay(id).await?;
        let code = first.body.get("code").and_then(Value::as_str).unwrap_or("-").to_owned();
        let placed = self.outside.held("orders").await?.len();
        teller.tell("lost_answer", "故障一：预下单成功了，应答丢了 / fault 1: placed at WeChat, but the answer is lost", vec![
            format!("手机得到 / the phone hears: {} {code}", first.status),
            format!("微信账本 / WeChat's ledger: {placed} 张订单 / order; 我们不知道 / we cannot know"),
            "存疑就是待定：单号留着，不换号 / a doubt means pending: the number is kept".to_owned(),
        ]);
        let second = self.pay(id).await?;
        let status = second.status;
        let sheet = second.good()?;
        let placed = self.outside.held("orders").await?.len();
        teller.tell("retry", "付款人再按一次：原号重下，微信给同一张单 / pressed again: the same number, the same order", vec![
            format!("手机得到 / the phone hears: {status}, paySign"),
            format!("微信账本 / WeChat's ledger: {placed} 张订单 / order"),
        ]);
        Ok(sheet)
    }

    /// Fault 2: the payer pays, and the notification is lost.
    async fn lost_notification(
        &self,
        id: &str,
        sheet: &Value,
        teller: &mut Teller<'_>,
    ) -> Result<(), Problem> {
        // WeChat will repeat it, and each time it is lost: nobody tells us.
        self.outside.fault("notify", "lose", None).await?;
        let mut body = json!({ "user": PAYER, "appId": self.stall.app, "outcome": "pay" });
        if let (Some(body), Some(sheet)) = (body.as_object_mut(), sheet.as_object()) {
            body.extend(sheet.clone());
        }
        let said = self.outside.control("request-payment", body).await?;
        self.outside.until_lost().await?;
        let paid = self.outside.held("payments").await?.len();
        let order = self.backend.order(id).await?;
        let said = Answer::text(&said, "errMsg")?;
        teller.tell(
            "lost_notification",
            "故障二：钱付了，通知丢了 / fault 2: the money is paid, the notification is lost",
            vec![
                format!("手机得到 / the phone hears: {said}"),
                format!("微信账本 / WeChat's ledger: {paid} 笔付款 / payment"),
                format!("我们的订单 / our order: {}", Answer::text(&order, "status")?),
            ],
        );
        Ok(())
    }

    /// Fault 3: the backend is killed before it knows, and starts again on the same database.
    async fn crash(
        &self,
        child: Backend,
        config: &Path,
        teller: &mut Teller<'_>,
    ) -> Result<Backend, Problem> {
        let id = child.id();
        let how = child.kill()?;
        teller.tell("crash", "故障三：此刻后端被杀 / fault 3: at this moment the backend is killed", vec![
            format!("kill -9 {id} · {how}"),
            "没有收尾，没有存盘的机会 / no farewell, nothing is saved now that was not saved before".to_owned(),
        ]);
        let listen = self.url.trim_start_matches("http://");
        let again = Backend::start(config, listen).await?;
        teller.tell(
            "restart",
            "同一个数据库，重新启动 / started again on the same database",
            vec![format!("suanpan serve · 进程 / process {} · {}", again.id(), again.url)],
        );
        Ok(again)
    }

    /// Nobody helps: the watch that was stored with the attempt asks WeChat.
    async fn end(
        &self,
        order_id: String,
        news: &mut Receiver<Heard>,
        mut teller: Teller<'_>,
    ) -> Result<Report, Problem> {
        let order = until_paid(&self.backend, &order_id).await?;
        let text = until_told(&self.backend, &order_id).await?;
        teller.tell("found", "查单计划是和那次尝试一起存下的：它去问微信 / the watch was stored with the attempt: it asks WeChat", vec![
            format!("我们的订单 / our order: {}", Answer::text(&order, "status")?),
        ]);
        let mut heard = Vec::new();
        while let Ok(one) = news.try_recv() {
            if one.order.get("id").and_then(Value::as_str) == Some(&order_id) {
                heard.push(one);
            }
        }
        let events: Vec<_> =
            heard.iter().map(|heard| format!("{} {}", heard.kind, heard.event_id)).collect();
        teller.tell(
            "webhook",
            "商户系统只听到一件事 / the merchant's system hears of one event",
            events.clone(),
        );

        teller.screen.timeline(&text);
        let (wechat, mut differences) = books::paid_once(&self.outside.held("payments").await?);
        let placed = self.outside.held("orders").await?.len();
        if placed != 1 {
            differences.push(format!("WeChat holds {placed} orders, not one"));
        }
        if heard.len() != 1 {
            differences.push(format!("the merchant was told {} events, not one", heard.len()));
        }
        let told = heard.first().map_or(Value::Null, |heard| heard.order.clone());
        let books = vec![
            wechat,
            books::order("订单 order", "order", &order),
            books::order("回调 webhook", "webhook", &told),
        ];
        differences.extend(books::differences(PRICE, &order_id, &books));
        teller.screen.books(&books, &differences);
        let ok = differences.is_empty();
        let timeline = text.lines().map(str::to_owned).collect();
        Ok(Report { ok, order_id, steps: teller.steps, timeline, books, events, differences })
    }

    /// The mini program logs in and asks for the sheet.
    async fn pay(&self, id: &str) -> Result<Answer, Problem> {
        let login = json!({ "appid": self.stall.app, "user": PAYER });
        let login = self.outside.control("login", login).await?;
        let body = json!({ "code": Answer::text(&login, "code")?, "orderId": id });
        self.outside.post(format!("{}/miniprogram/pay", self.url), body).await
    }
}

/// 9.90 yuan.
const PRICE: Fen = match Fen::new(990) {
    Some(price) => price,
    None => Fen::ZERO,
};
const PAYER: &str = "alice";
