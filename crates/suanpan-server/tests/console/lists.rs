//! The other lists and what they lead to: refunds, shipping, webhooks, accounts; and the search that finds any number.

use std::time::Duration;

use serde_json::json;
use suanpan_ledger::{RefundState, ShippingState};
use suanpan_server::order::{Attempt, Order};
use suanpan_server::refund::Refund;
use suanpan_server::shipment::{Shipment, ShippingPolicy};

use crate::desk::{APP, Desk, MCHID, NEW_YEAR};
use crate::story::{NUMBER, PAYER, paid};

/// A refund of an order that is paid, and its end.
pub(crate) async fn refund(desk: &Desk, id: &str, amount: i64) {
    desk.write((id.to_owned(), amount), |tx, (id, amount)| {
        Box::pin(async move {
            let order = tx.order(&id.parse().unwrap()).await?.unwrap();
            let attempt = tx.attempts(&order.id).await?.remove(0);
            let mut refund = of(&order, &attempt, *amount);
            tx.refund_put(&refund).await?;
            refund.state = RefundState::Succeeded;
            refund.refund_id = Some("50000000382019052709732678859".parse().unwrap());
            refund.succeeded_at = Some(NEW_YEAR + 60_000_000);
            tx.refund_update(&refund).await
        })
    })
    .await;
}

fn of(order: &Order, attempt: &Attempt, amount: i64) -> Refund {
    Refund {
        id: "ref_1".to_owned(),
        order_id: order.id.clone(),
        attempt_id: attempt.id.clone(),
        mchid: attempt.mchid.clone(),
        appid: attempt.appid.clone(),
        out_trade_no: attempt.out_trade_no.clone(),
        transaction_id: attempt.transaction_id.clone().unwrap(),
        out_refund_no: "RF0194a1b2c3d4e5f60718293a4b".parse().unwrap(),
        reference: Some("back-1".to_owned()),
        amount: amount.try_into().unwrap(),
        total: order.amount,
        currency: "CNY".to_owned(),
        reason: Some("少放了糖".to_owned()),
        request: "{}".to_owned(),
        state: RefundState::Processing,
        refund_id: None,
        received_account: None,
        problem: None,
        created_at: NEW_YEAR,
        accepted_at: None,
        succeeded_at: None,
        version: 0,
    }
}

#[tokio::test]
async fn refunds_are_listed_and_narrowed_by_where_they_stand() {
    let desk = Desk::open().await;
    let mut browser = desk.operator().await;
    browser.get(&desk, "/console/refunds").await.is(200).shows("还没有退款");
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    refund(&desk, &id, 300).await;
    let page = browser.get(&desk, "/console/refunds").await;
    page.is(200).shows("RF0194a1b2c3d4e5f60718293a4b").shows("少放了糖").shows("已退回");
    page.shows("back-1").shows(&format!("/console/orders/{id}"));
    browser.get(&desk, "/console/refunds?state=succeeded").await.is(200).shows("back-1");
    browser.get(&desk, "/console/refunds?state=abnormal").await.is(200).shows("没有这样的退款");
    browser
        .get(&desk, "/console/refunds?from=2026-01-01&to=2026-01-01")
        .await
        .is(200)
        .shows("back-1");
    browser.get(&desk, "/console/refunds?from=2026-01-02").await.is(200).hides("back-1");
    browser.get(&desk, "/console/refunds?to=2025-12-31").await.is(200).hides("back-1");
    browser.get(&desk, "/console/refunds?state=x").await.is(422).shows("SP-REQUEST-FIELD");
}

#[tokio::test]
async fn any_number_leads_to_what_it_belongs_to() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    refund(&desk, &id, 300).await;
    let mut browser = desk.operator().await;
    for number in [
        &*id,
        NUMBER,
        "4200000000000000000000000001",
        "ref_1",
        "RF0194a1b2c3d4e5f60718293a4b",
        "50000000382019052709732678859",
        "back-1",
    ] {
        let page = browser.get(&desk, &format!("/console/orders?q={number}")).await;
        page.leads_to(&format!("/console/orders/{id}"));
    }
    browser.get(&desk, "/console/orders?q=evt_1").await.leads_to("/console/events/evt_1");
    browser.get(&desk, "/console/orders?q=back-2").await.is(200).shows("没有符合条件的订单");
}

#[tokio::test]
async fn orders_are_narrowed_by_day_app_and_amount() {
    let desk = Desk::open().await;
    let small = desk.tea("tea-1").await;
    desk.clock.advance(Duration::from_secs(24 * 3600));
    let big = json!({ "reference": "tea-2", "amount": 123_400, "description": "一车龙井" });
    let big = desk.order(&big).await;
    let mut browser = desk.operator().await;
    let mut finds = async |query: &str, (first, second): (bool, bool)| {
        let page = browser.get(&desk, &format!("/console/orders?{query}")).await;
        page.is(200);
        assert_eq!(
            (page.text.contains(&small), page.text.contains(&big)),
            (first, second),
            "{query}"
        );
    };
    finds("to=2026-01-01", (true, false)).await;
    finds("from=2026-01-02", (false, true)).await;
    finds("from=2026-01-01&to=2026-01-02", (true, true)).await;
    finds("from=2026-01-03", (false, false)).await;
    finds("least=9.90&most=9.90", (true, false)).await;
    finds("least=1,000", (false, true)).await;
    finds("least=1000&status=unpaid", (false, true)).await;
    finds("least=1000&status=paid", (false, false)).await;
    finds(&format!("app={APP}"), (true, true)).await;
    finds("app=wx0000000000000000", (false, false)).await;
    for wrong in ["from=2026-13-01", "least=1.234", "most=-1"] {
        let page = browser.get(&desk, &format!("/console/orders?{wrong}")).await;
        page.is(422).shows("SP-REQUEST-FIELD");
    }
}

#[tokio::test]
async fn a_page_says_what_its_orders_come_to() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    desk.tea("tea-2").await;
    paid(&desk, &id).await;
    let page = desk.operator().await.get(&desk, "/console/orders").await;
    let foot = page.text.split("<tfoot>").nth(1).unwrap();
    assert!(foot.contains("2 笔") && foot.contains("已支付") && foot.contains("9.90"), "{foot}");
}

#[tokio::test]
async fn an_endpoint_shows_how_it_takes_events_and_hides_its_secret() {
    let desk = Desk::open().await;
    let mut browser = desk.operator().await;
    browser.get(&desk, "/console/webhooks").await.is(200).shows("还没有接收端");
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    let list = browser.get(&desk, "/console/webhooks").await;
    list.is(200).shows("shop.example.com/hook").shows("/console/webhooks/whe_1").shows("0 / 1");
    let one = browser.get(&desk, "/console/webhooks/whe_1").await;
    one.is(200).shows("/console/events/evt_1").shows("no route to host").shows("等待投递");
    let event = browser.get(&desk, "/console/events/evt_1").await;
    event.is(200).shows("order.paid").shows("503").shows("1.2 s").shows("no route to host");
    event.shows(&format!("/console/orders/{id}")).shows("/console/webhooks/whe_1");
    for page in [list, one, event] {
        page.hides("whsec_").hides("token=hush");
    }
    for path in ["/console/webhooks/whe_2", "/console/events/evt_2"] {
        browser.get(&desk, path).await.is(404).shows("SP-NOT-FOUND");
    }
}

#[tokio::test]
async fn an_account_shows_what_it_speaks_and_none_of_its_keys() {
    let desk = Desk::open().await;
    let mut browser = desk.operator().await;
    let page = browser.get(&desk, "/console/accounts").await;
    page.is(200).shows("湖心亭茶馆").shows(MCHID).shows(APP).shows("APIv2").shows("APIv2 密钥");
    page.shows(&format!("/wechat/notify/{MCHID}")).hides("8934e7d1").hides("PRIVATE KEY");
    page.shows("证书：配置的").shows("还剩");
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    desk.clock.advance(Duration::from_secs(600));
    let page = browser.get(&desk, "/console/accounts").await;
    page.is(200).shows("2026-01-01 08:00:00").shows("10 分钟 前").shows("2026-01-01 08:00:01");
}

#[tokio::test]
async fn shipping_lists_the_earliest_deadline_first() {
    let desk = Desk::open().await;
    let mut browser = desk.operator().await;
    browser.get(&desk, "/console/shipping").await.is(200).shows("没有要发货的订单");
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    desk.write(id.clone(), |tx, id| {
        Box::pin(async move {
            let order = tx.order(&id.parse().unwrap()).await?.unwrap();
            let attempt = tx.attempts(&order.id).await?.remove(0);
            let shipment = Shipment {
                order_id: order.id,
                attempt_id: attempt.id,
                policy: ShippingPolicy::Express,
                automatic: false,
                state: ShippingState::Waiting,
                goods: None,
                parcels: Vec::new(),
                serial: 0,
                tries: 0,
                upload_time: 0,
                order_state: None,
                problem: None,
                paid_at: NEW_YEAR,
                deadline: NEW_YEAR + 10 * 3_600_000_000,
                shipped_at: None,
                reminded_at: None,
                asked_at: None,
                created_at: NEW_YEAR,
                version: 0,
            };
            tx.shipment_put(&shipment).await.map(drop)
        })
    })
    .await;
    let page = browser.get(&desk, "/console/shipping").await;
    page.is(200).shows("2026-01-01 18:00:00").shows("10 小时").shows("等发货信息");
    page.shows(&format!("/console/orders/{id}"));
    browser.get(&desk, "/console").await.is(200).shows("1 笔订单要在 24 小时内");
    browser.get(&desk, &format!("/console/orders/{id}")).await.is(200).shows("2026-01-01 18:00:00");
    browser.get(&desk, "/console/shipping?state=settled").await.is(200).hides(&id);
    desk.clock.advance(Duration::from_secs(11 * 3600));
    desk.operator().await.get(&desk, "/console/shipping").await.is(200).shows("已逾期");
    desk.operator().await.get(&desk, "/console/shipping?state=x").await.is(422);
}

#[tokio::test]
async fn the_newest_lines_of_all_orders_are_on_one_page() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    let mut browser = desk.operator().await;
    let page = browser.get(&desk, "/console/live").await;
    page.is(200).shows("unpaid → paid").shows("console.js").hides(PAYER);
    let paused = browser.get(&desk, "/console/live?pause=1").await;
    paused.is(200).shows("继续").hides("console.js");
    let notified = browser.get(&desk, "/console/live?step=notify").await;
    notified.is(200).shows("unpaid → paid").hides("created: 9.90");
    browser.get(&desk, "/console/live?step=x").await.is(422).shows("SP-REQUEST-FIELD");
}
