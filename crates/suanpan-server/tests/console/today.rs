//! The page of today: sums, steps, and what wants a person.

use std::time::Duration;

use suanpan_server::store::{Arrival, Remark, Verdict};

use crate::desk::{Desk, MCHID, NEW_YEAR};
use crate::lists::refund;
use crate::story::paid;

#[tokio::test]
async fn a_quiet_day_says_so() {
    let desk = Desk::open().await;
    let mut browser = desk.operator().await;
    let page = browser.get(&desk, "/console").await;
    page.is(200).shows("今天").shows("2026-01-01").shows("没有。一切正常。");
    page.shows("这一天还没有收款。").shows("仿真 · 假钱").hides("<svg viewBox=\"0 0 720");
    let english = browser.get(&desk, "/console?lang=en").await;
    english.is(200).shows("Money in").shows("Nothing. All is well.").shows("Play money");
}

#[tokio::test]
async fn money_in_and_back_is_summed_by_the_day_in_beijing() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    desk.tea("tea-2").await;
    paid(&desk, &id).await;
    refund(&desk, &id, 300).await;
    let mut browser = desk.operator().await;

    let page = browser.get(&desk, "/console").await;
    page.is(200).shows("</span>9.90</span>").shows("1 笔收款").shows("</span>3.00</span>");
    page.shows("1 笔退款").shows("100 %").shows("50 %").shows("viewBox=\"0 0 720 190\"");
    // The table says what the picture shows: eight in the morning.
    page.shows("<th scope=\"row\">8:00</th>").shows(&format!("/console/orders/{id}"));

    let before = browser.get(&desk, "/console?date=2025-12-31").await;
    before.is(200).shows("2025-12-31").shows("0 笔收款").shows("这一天还没有收款。");
    desk.clock.advance(Duration::from_secs(16 * 3600));
    let next = browser.twin().get(&desk, "/console?date=2026-01-02").await;
    next.is(401);
    let mut browser = desk.operator().await;
    let next = browser.get(&desk, "/console").await;
    next.is(200).shows("2026-01-02").shows("0 笔收款").shows("1 笔收款");
    browser.get(&desk, "/console?date=yesterday").await.is(422).shows("SP-REQUEST-FIELD");
}

#[tokio::test]
async fn what_wants_a_person_is_named_with_the_way_there() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    refund(&desk, &id, 300).await;
    desk.write(id, |tx, id| {
        Box::pin(async move {
            let order = tx.order(&id.parse().unwrap()).await?.unwrap();
            let mut refund = tx.refunds(&order.id).await?.remove(0);
            refund.state = "abnormal".parse().unwrap();
            tx.refund_update(&refund).await?;
            let arrival = Arrival {
                id: "ntf_9".to_owned(),
                mchid: MCHID.parse().unwrap(),
                received_at: NEW_YEAR,
                headers: "{}".to_owned(),
                body: Vec::new(),
            };
            tx.inbox_put(&arrival, Verdict::Unmatched, &Remark::default()).await?;
            tx.endpoint_disable("whe_1", NEW_YEAR, "410 Gone").await.map(drop)
        })
    })
    .await;
    // Its webhook was due at eight, and nobody delivers here.
    desk.clock.advance(Duration::from_secs(3600));
    let page = desk.operator().await.get(&desk, "/console").await;
    page.is(200).hides("一切正常").shows("1 笔退款异常").shows("/console/refunds?state=abnormal");
    page.shows("1 条微信通知对不上").shows("接收端已停用").shows("/console/webhooks/whe_1");
    page.shows("后台任务积压").hides("token=hush");
}
