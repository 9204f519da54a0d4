//! The list of orders, and what every page has in common.

use std::time::Duration;

use serde_json::json;

use crate::desk::{APP, Browser, Desk};

#[tokio::test]
async fn an_empty_list_says_what_to_do() {
    let desk = Desk::open().await;
    let page = desk.operator().await.get(&desk, "/console/orders").await;
    page.is(200).shows("还没有订单").shows("/v1/orders");
}

#[tokio::test]
async fn orders_are_listed_newest_first() {
    let desk = Desk::open().await;
    let first = desk.tea("tea-1").await;
    desk.clock.advance(Duration::from_secs(61));
    let big = json!({ "reference": "tea-2", "amount": 123_456_789, "description": "一车龙井" });
    let second = desk.order(&big).await;

    let page = desk.operator().await.get(&desk, "/console/orders").await;
    page.is(200).shows("1,234,567.89").shows("9.90").shows("未支付").shows("湖心亭茶馆").shows(APP);
    page.shows("title=\"2026-01-01T00:01:01Z (UTC)\">2026-01-01 08:01:01<");
    let at = |id: &str| page.text.find(&format!("href=\"/console/orders/{id}\"")).unwrap();
    assert!(at(&second) < at(&first));
}

#[tokio::test]
async fn a_list_is_narrowed_by_status() {
    let desk = Desk::open().await;
    let (paid, owed) = (desk.tea("tea-1").await, desk.tea("tea-2").await);
    desk.write(paid.clone(), |tx, id| {
        Box::pin(async move {
            let order = tx.order(&id.parse().unwrap()).await?.unwrap();
            tx.order_paid(&order, &"4200000000000000000000000001".parse().unwrap(), 0).await
        })
    })
    .await;
    let mut browser = desk.operator().await;
    browser.get(&desk, "/console/orders?status=paid").await.is(200).shows(&paid).hides(&owed);
    browser.get(&desk, "/console/orders?status=unpaid").await.is(200).shows(&owed).hides(&paid);
    browser.get(&desk, "/console/orders?status=closed").await.is(200).shows("没有符合条件的订单");
    browser.get(&desk, "/console/orders?status=lost").await.is(422).shows("SP-REQUEST-FIELD");
}

#[tokio::test]
async fn an_order_is_found_by_its_id_and_by_its_reference() {
    let desk = Desk::open().await;
    let (wanted, other) = (desk.tea("tea-1").await, desk.tea("tea-2").await);
    let mut browser = desk.operator().await;
    browser.get(&desk, "/console/orders?q=tea-1").await.is(200).shows(&wanted).hides(&other);
    browser.get(&desk, "/console/orders?q=tea").await.is(200).shows("没有符合条件的订单");
    let page = browser.get(&desk, &format!("/console/orders?q=+{wanted}+")).await;
    page.leads_to(&format!("/console/orders/{wanted}"));
    browser
        .get(&desk, "/console/orders?q=ord_0000000000")
        .await
        .is(200)
        .shows("没有符合条件的订单");
}

#[tokio::test]
async fn a_long_list_is_read_page_by_page() {
    let desk = Desk::open().await;
    for number in 0..30 {
        desk.tea(&format!("tea-{number:02}")).await;
        desk.clock.advance(Duration::from_secs(1));
    }
    let mut browser = desk.operator().await;
    let newest = browser.get(&desk, "/console/orders?status=unpaid").await;
    newest.is(200).shows("tea-29").shows("tea-05").hides("tea-04");

    let older = newest.text.split("href=\"").find(|link| link.contains("cursor=")).unwrap();
    let older = older.split('"').next().unwrap().replace("&amp;", "&");
    assert!(older.starts_with("/console/orders?status=unpaid&cursor="), "{older}");
    let oldest = browser.get(&desk, &older).await;
    oldest
        .is(200)
        .shows("tea-04")
        .shows("tea-00")
        .hides("tea-05")
        .shows("回到最新")
        .hides("rel=\"next\"");

    browser.get(&desk, "/console/orders?cursor=nonsense").await.is(422).shows("SP-REQUEST-FIELD");
}

#[tokio::test]
async fn what_merchants_write_is_text_and_never_markup() {
    let desk = Desk::open().await;
    let evil = "<script>alert('茶')</script>\"><img src=x onerror=alert(1)>";
    let order = json!({
        "reference": evil,
        "amount": 990,
        "description": evil,
        "metadata": { "note": evil },
    });
    let id = desk.order(&order).await;
    let mut browser = desk.operator().await;
    let search = "/console/orders?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for path in ["/console/orders", search, &format!("/console/orders/{id}")] {
        let page = browser.get(&desk, path).await;
        page.is(200).shows("&lt;script&gt;").hides("<script>").hides("<img");
    }
}

#[tokio::test]
async fn nothing_from_outside_can_run_in_a_page_or_frame_it() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    let mut browser = desk.operator().await;
    let order = format!("/console/orders/{id}");
    for path in ["/console", &order, "/console/orders/x", "/console/nowhere", "/console/signed-out"]
    {
        let page = browser.get(&desk, path).await;
        assert_eq!(
            page.header("content-security-policy"),
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
             connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        page.hides(" style=").hides("onclick").hides("<style");
    }
    assert_eq!(Browser::default().get(&desk, "/console").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn style_and_script_are_served_without_a_session_and_kept() {
    let desk = Desk::open().await;
    for (name, kind) in [("console.css", "text/css"), ("console.js", "text/javascript")] {
        let page = Browser::default().get(&desk, &format!("/console/assets/{name}")).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), format!("{kind}; charset=utf-8"));
        assert_eq!(page.header("cache-control"), "public, max-age=31536000, immutable");
        let list = desk.operator().await.get(&desk, "/console").await;
        list.shows(&format!("/console/assets/{name}?v="));
    }
    Browser::default().get(&desk, "/console/assets/secret").await.is(404);
}

#[tokio::test]
async fn the_reader_chooses_the_language() {
    let desk = Desk::open().await;
    let mut browser = desk.operator().await;
    browser.get(&desk, "/console/orders").await.shows("lang=\"zh-CN\"").shows(">订单</h1>");
    let mut english = browser.twin().saying("accept-language", "en-GB,en;q=0.9");
    english.get(&desk, "/console/orders").await.shows("<html lang=\"en\"").shows(">Orders</h1>");

    browser
        .get(&desk, "/console/orders?q=tea&lang=en")
        .await
        .shows(">Orders</h1>")
        .shows("?q=tea&amp;lang=zh-CN");
    browser.get(&desk, "/console/orders").await.shows(">Orders</h1>");
    english.get(&desk, "/console/orders?lang=zh-CN").await.shows(">订单</h1>");
    english.get(&desk, "/console/orders").await.shows(">订单</h1>");
    Browser::default().get(&desk, "/console/orders?lang=en").await.is(401).shows("Please sign in");
}
