//! The page of one order.

use serde_json::json;
use suanpan_ledger::AttemptState;
use suanpan_server::order::Attempt;
use suanpan_server::store::{Arrival, DeliveryAttempt, Endpoint, Event, Remark, Verdict};
use suanpan_server::timeline::{Entry, Step};

use crate::desk::{APP, Desk, MCHID, NEW_YEAR};

pub(crate) const PAYER: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
pub(crate) const NUMBER: &str = "SP0194a1b2c3d4e5f60718293a4b5c6d";
const SECOND: i64 = 1_000_000;

#[tokio::test]
async fn an_order_that_nobody_tried_to_pay_says_so() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    let page = desk.operator().await.get(&desk, &format!("/console/orders/{id}")).await;
    page.is(200).shows(&id).shows("tea-1").shows("龙井一杯").shows("9.90").shows("未支付");
    page.shows("时间线").shows("data-step=\"order\"").shows("created: 9.90 CNY");
    page.shows("还没有人尝试支付").shows("微信还没有为这笔订单发来通知").shows("还没有事件");
}

#[tokio::test]
async fn the_facts_name_the_payer_without_giving_him_away() {
    let desk = Desk::open().await;
    let order = json!({
        "reference": "tea-1",
        "amount": 990,
        "description": "龙井一杯",
        "payer_openid": PAYER,
        "expires_at": "2026-01-01T00:30:00Z",
        "metadata": { "table": 7 },
    });
    let id = desk.order(&order).await;
    let page = desk.operator().await.get(&desk, &format!("/console/orders/{id}")).await;
    page.is(200).shows("oUpF…6o").hides(PAYER).shows(MCHID).shows(APP).shows("JSAPI").shows("CNY");
    page.shows("2026-01-01 08:30:00").shows("{&quot;table&quot;:7}");
}

#[tokio::test]
async fn the_whole_story_of_a_paid_order_is_on_its_page() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    let mut browser = desk.operator().await;
    let page = browser.get(&desk, &format!("/console/orders/{id}")).await;

    page.is(200).shows("已支付").shows("data-step=\"notify\"").shows("通知").shows("unpaid → paid");
    page.shows(NUMBER).shows("APIv2").hides(PAYER).hides("<xml>");
    page.shows("已采纳").shows("重复，早已知道");
    page.shows("order.paid").shows("evt_1").shows("shop.example.com/hook").hides("token=hush");
    page.shows("503").shows("1.2 s").shows("no route to host").shows("等待投递");

    let english = browser.get(&desk, &format!("/console/orders/{id}?lang=en")).await;
    english.shows("Timeline").shows(">notify<").shows(">Paid<").shows("Taken: the order moved");
    let search = browser.get(&desk, &format!("/console?q={NUMBER}")).await;
    search.leads_to(&format!("/console/orders?q={NUMBER}"));
    let found = browser.get(&desk, &format!("/console/orders?q={NUMBER}")).await;
    found.leads_to(&format!("/console/orders/{id}"));
}

#[tokio::test]
async fn an_order_that_is_not_there_is_a_page_that_says_so() {
    let desk = Desk::open().await;
    let mut browser = desk.operator().await;
    for id in ["ord_000000000000", "x", "ord_%3Cscript%3E", "..%2F.."] {
        let page = browser.get(&desk, &format!("/console/orders/{id}")).await;
        page.is(404).shows("没有这笔订单").shows("SP-NOT-FOUND").hides("<script>");
    }
    browser.get(&desk, "/console/nowhere").await.is(404).shows("没有这个页面");
}

/// What a payment leaves behind, as the steps write it.
pub(crate) async fn paid(desk: &Desk, id: &str) {
    desk.write(id.to_owned(), |tx, id| {
        Box::pin(async move {
            let order = tx.order(&id.parse().unwrap()).await?.unwrap();
            let mut attempt = Attempt {
                id: "att_1".to_owned(),
                order_id: order.id.clone(),
                mchid: MCHID.parse().unwrap(),
                appid: APP.parse().unwrap(),
                out_trade_no: NUMBER.parse().unwrap(),
                openid: Some(PAYER.parse().unwrap()),
                partner: None,
                fingerprint: "f".to_owned(),
                request: format!("<xml><openid>{PAYER}</openid></xml>"),
                state: AttemptState::Created,
                prepay_id: None,
                prepay_at: None,
                transaction_id: None,
                request_id: None,
                created_at: NEW_YEAR,
                version: 0,
            };
            tx.attempt_put(&attempt).await?;
            let prepay_id = "wx01080000000000abcdef0000000000".parse().unwrap();
            tx.attempt_prepaid(&attempt, &prepay_id, NEW_YEAR).await?;
            attempt.version = 1;
            let transaction = "4200000000000000000000000001".parse().unwrap();
            tx.attempt_paid(&attempt, &transaction, NEW_YEAR).await?;
            tx.order_paid(&order, &transaction, NEW_YEAR).await?;
            let line = Entry::new(Step::Notify, "MD5: 9.90, unpaid → paid");
            tx.journal_put(&order.id, NEW_YEAR + SECOND, &line).await?;
            for (number, verdict) in [("1", Verdict::Moved), ("2", Verdict::Known)] {
                let arrival = Arrival {
                    id: format!("ntf_{number}"),
                    mchid: MCHID.parse().unwrap(),
                    received_at: NEW_YEAR + SECOND,
                    headers: "{}".to_owned(),
                    body: b"<xml></xml>".to_vec(),
                };
                let remark = Remark { order_id: Some(&order.id), ..Remark::default() };
                tx.inbox_put(&arrival, verdict, &remark).await?;
            }
            tx.endpoint_put(&Endpoint {
                id: "whe_1".to_owned(),
                url: "https://shop.example.com/hook?token=hush".to_owned(),
                events: None,
                secret: "whsec_AAAA".to_owned(),
                created_at: NEW_YEAR,
                source: "api".to_owned(),
                disabled: None,
            })
            .await?;
            tx.event_put(&Event {
                id: "evt_1".to_owned(),
                order_id: Some(order.id.to_string()),
                kind: "order.paid".to_owned(),
                body: "{}".to_owned(),
                created_at: NEW_YEAR + SECOND,
            })
            .await?;
            let mut tried = DeliveryAttempt {
                id: "dlv_1".to_owned(),
                event_id: "evt_1".to_owned(),
                endpoint_id: "whe_1".to_owned(),
                due_id: "due_webhook:evt_1:whe_1".to_owned(),
                at: NEW_YEAR + 2 * SECOND,
                status: Some(503),
                latency_micros: 1_250_000,
                problem: None,
            };
            tx.delivery_attempt_put(&tried).await?;
            tried.id = "dlv_2".to_owned();
            (tried.status, tried.problem) = (None, Some("no route to host".to_owned()));
            tx.delivery_attempt_put(&tried).await
        })
    })
    .await;
}
