//! What people do at the console: who may, what is asked of them, and what is written down.

use suanpan_server::people::Role;

use crate::desk::{Browser, Desk};
use crate::story::paid;

const AUDIT: &str = "SELECT operator_name || ' ' || action || ' ' || object || ' ' || COALESCE(reason, '-') AS value
    FROM audit WHERE action <> 'sign-in' ORDER BY seq";

#[tokio::test]
async fn an_order_is_closed_for_a_reason_that_is_kept() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    let path = format!("/console/orders/{id}/close");
    let mut viewer = desk.person(Role::Viewer).await;
    viewer.get(&desk, &format!("/console/orders/{id}")).await.is(200).hides("/close");
    viewer.get(&desk, &path).await.is(403).shows("SP-CONSOLE-ROLE");
    viewer.submit(&desk, &path, &[("reason", "x")]).await.is(403);

    let mut cashier = desk.person(Role::Cashier).await;
    cashier.get(&desk, &format!("/console/orders/{id}")).await.is(200).shows(&path);
    cashier.get(&desk, &path).await.is(200).shows("name=\"reason\"").shows("9.90");
    cashier.submit(&desk, &path, &[("reason", " ")]).await.is(422).shows("SP-REQUEST-FIELD");
    let mut foreign = cashier.twin().saying("origin", "https://evil.example");
    foreign.submit(&desk, &path, &[("reason", "x")]).await.is(403).shows("SP-CONSOLE-FORM");
    assert_eq!(desk.column(AUDIT).await.len(), 0);

    let closed = cashier.submit(&desk, &path, &[("reason", "客人走了")]).await;
    closed.leads_to(&format!("/console/orders/{id}?done=closed"));
    let page = cashier.get(&desk, &format!("/console/orders/{id}?done=closed")).await;
    page.is(200).shows("已关闭").shows("订单已关闭。").shows("closed at the console").hides(&path);
    cashier.get(&desk, &path).await.leads_to(&format!("/console/orders/{id}"));
    assert_eq!(desk.column(AUDIT).await, [format!("cashier order.close {id} 客人走了")]);
}

#[tokio::test]
async fn asking_wechat_is_written_down_before_it_is_asked() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    let mut cashier = desk.person(Role::Cashier).await;
    let path = format!("/console/orders/{id}");
    cashier.get(&desk, &path).await.is(200).shows("/ask").hides("/close");
    let asked = cashier.submit(&desk, &format!("{path}/ask"), &[]).await;
    asked.leads_to(&format!("{path}?done=asked"));
    assert_eq!(desk.column(AUDIT).await, [format!("cashier order.ask {id} -")]);
    let mut viewer = desk.person(Role::Viewer).await;
    viewer.submit(&desk, &format!("{path}/ask"), &[]).await.is(403);
}

#[tokio::test]
async fn a_refund_is_shown_once_more_before_it_is_asked_for() {
    let desk = Desk::open_with("[refunds]\nsecond_person_above = 500").await;
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    let (order, path) = (format!("/console/orders/{id}"), format!("/console/orders/{id}/refund"));
    desk.person(Role::Viewer).await.get(&desk, &path).await.is(403);
    let mut cashier = desk.person(Role::Cashier).await;
    cashier.get(&desk, &order).await.is(200).shows(&path).shows("可退");
    let form = cashier.get(&desk, &path).await;
    form.is(200).shows("value=\"9.90\"").shows("5.00");
    let drawn = form.text.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap();

    let mut fields = vec![("id", drawn), ("amount", "6"), ("reason", "少放了糖")];
    let check = cashier.submit(&desk, &path, &fields).await;
    check.is(200).shows("data-testid=\"sure\"").shows("6.00").shows("3.90").shows("少放了糖");
    assert_eq!(desk.column(AUDIT).await.len(), 0);
    for (name, wrong) in [("amount", "9.91"), ("amount", "0"), ("amount", "x"), ("reason", " ")] {
        let mut fields = fields.clone();
        fields.iter_mut().find(|field| field.0 == name).unwrap().1 = wrong;
        cashier.submit(&desk, &path, &fields).await.is(422).shows("SP-REQUEST-FIELD");
    }

    // Above the limit: a second person decides, and the same form asks once.
    fields.push(("sure", "yes"));
    let waiting = format!("/console/refunds/requests/{drawn}");
    for _ in 0..2 {
        let asked = cashier.submit(&desk, &path, &fields).await;
        asked.leads_to(&format!("{waiting}?done=refund-waits"));
    }
    cashier.get(&desk, &waiting).await.is(200).shows("少放了糖");
    cashier.get(&desk, "/console").await.is(200).shows("1 笔退款等第二个人批准");
    cashier.get(&desk, "/console/refunds").await.is(200).shows(&waiting).shows("少放了糖");
    assert_eq!(desk.column(AUDIT).await, [format!("cashier refund.ask {id} 少放了糖")]);
}

#[tokio::test]
async fn an_export_says_who_took_it_and_holds_no_formula() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    let evil = serde_json::json!({ "reference": "=1+1", "amount": 100, "description": "@SUM(A1)" });
    desk.order(&evil).await;
    let mut finance = desk.person(Role::Finance).await;
    finance.get(&desk, "/console/orders").await.is(200).shows("/console/orders.csv");
    let file = finance.submit(&desk, "/console/orders.csv", &[]).await;
    assert_eq!(file.status, 200, "{}", file.text);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"orders-2026-01-01.csv\""
    );
    let lines: Vec<_> = file.text.split("\r\n").collect();
    assert!(
        lines[0].starts_with("\u{feff}\"导出人 finance，导出时间 2026-01-01 08:00:00"),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with("\"订单 ID\",\"商户订单号\",\"微信支付单号\""), "{}", lines[1]);
    file.shows("\"'=1+1\"").shows("\"'@SUM(A1)\"").shows("\"\t4200000000000000000000000001\"");
    file.shows("\"已支付\",\"9.90\"").hides("oUpF8");
    assert_eq!(lines.len(), 5);

    let paid_only = finance.submit(&desk, "/console/orders.csv?status=paid&least=9", &[]).await;
    paid_only.shows(&id).hides("=1+1").shows("条件 status=paid&least=9");
    assert_eq!(desk.column(AUDIT).await, ["finance orders.export orders -"; 2]);
    desk.person(Role::Cashier).await.submit(&desk, "/console/orders.csv", &[]).await.is(403);
    // A link cannot take it.
    finance.get(&desk, "/console/orders.csv").await.is(405);
}

#[tokio::test]
async fn a_long_list_is_exported_whole() {
    let desk = Desk::open().await;
    for number in 0..1_005 {
        desk.tea(&format!("tea-{number}")).await;
    }
    let file = desk.person(Role::Finance).await.submit(&desk, "/console/orders.csv", &[]).await;
    assert_eq!(file.text.matches("\"tea-").count(), 1_005);
    file.shows("\"tea-0\"").shows("\"tea-1004\"");
}

#[tokio::test]
async fn an_endpoint_is_made_and_its_secret_shown_once() {
    let desk = Desk::open_with("[webhooks]\nallow_private_networks = true").await;
    let mut admin = desk.person(Role::Admin).await;
    admin.get(&desk, "/console/webhooks/new").await.is(200).shows("order.paid");
    let made = admin
        .submit(
            &desk,
            "/console/webhooks",
            &[("url", "http://127.0.0.1:9/hook"), ("events", "order.paid")],
        )
        .await;
    made.is(200).shows("whsec_").shows("127.0.0.1:9/hook");
    let [id] = &desk.column("SELECT id AS value FROM webhook_endpoint").await[..] else { panic!() };
    let path = format!("/console/webhooks/{id}");
    admin.get(&desk, &path).await.is(200).shows("order.paid").hides("whsec_");

    let before = made.text.split("whsec_").nth(1).unwrap().split('<').next().unwrap();
    let rotated = admin.submit(&desk, &format!("{path}/rotate"), &[]).await;
    rotated.is(200).shows("whsec_").hides(before);

    admin.get(&desk, &format!("{path}/disable")).await.is(200).shows("name=\"reason\"");
    let disabled =
        admin.submit(&desk, &format!("{path}/disable"), &[("reason", "maintenance")]).await;
    disabled.leads_to(&format!("{path}?done=endpoint-disabled"));
    admin.get(&desk, &path).await.is(200).shows("已停用").shows("maintenance").hides("/rotate");
    let enabled = admin.submit(&desk, &format!("{path}/enable"), &[]).await;
    enabled.leads_to(&format!("{path}?done=endpoint-enabled"));
    let deleted = admin.submit(&desk, &format!("{path}/delete"), &[("reason", "old")]).await;
    deleted.leads_to("/console/webhooks?done=endpoint-deleted");
    admin.get(&desk, &path).await.is(404);

    let lines = desk.column(AUDIT).await;
    let wanted = [
        "admin endpoint.create 127.0.0.1:9/hook -".to_owned(),
        format!("admin endpoint.rotate {id} -"),
        format!("admin endpoint.disable {id} maintenance"),
        format!("admin endpoint.enable {id} -"),
        format!("admin endpoint.delete {id} old"),
    ];
    assert_eq!(lines, wanted);
    admin.submit(&desk, "/console/webhooks", &[("url", "ftp://x")]).await.is(422);
    assert_eq!(desk.column(AUDIT).await, wanted, "what was refused was not done");
}

#[tokio::test]
async fn events_are_delivered_again_by_whoever_may() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    desk.write((), |tx, ()| {
        Box::pin(async move {
            let sql = "UPDATE due SET state = 'dead' WHERE kind = 'webhook'";
            tx.exec(sql, &[]).await.map(drop)
        })
    })
    .await;
    let mut cashier = desk.person(Role::Cashier).await;
    cashier.get(&desk, "/console/webhooks/whe_1").await.is(200).hides("/replay").hides("/rotate");
    cashier.submit(&desk, "/console/events/evt_1/replay", &[]).await.is(403);

    let mut finance = desk.person(Role::Finance).await;
    finance.get(&desk, "/console/events/evt_1").await.is(200).shows("/replay").shows("没有送到");
    let again = finance.submit(&desk, "/console/events/evt_1/replay", &[]).await;
    again.leads_to("/console/events/evt_1?done=delivering");
    finance.get(&desk, "/console/events/evt_1").await.is(200).shows("等待投递");
    let missed =
        finance.submit(&desk, "/console/webhooks/whe_1/replay", &[("since", "2026-01-01")]).await;
    missed.leads_to("/console/webhooks/whe_1?done=delivering");
    finance.submit(&desk, "/console/webhooks/whe_1/replay", &[("since", "then")]).await.is(422);
    let test = finance.submit(&desk, "/console/webhooks/whe_1/test", &[]).await;
    assert_eq!(test.status, 303, "{}", test.text);
    finance.get(&desk, test.header("location")).await.is(200).shows("webhook.test");
    let lines = desk.column(AUDIT).await;
    assert_eq!(
        lines,
        [
            "finance event.replay evt_1 -",
            "finance endpoint.replay whe_1 -",
            "finance endpoint.test whe_1 -"
        ]
    );
}

#[tokio::test]
async fn a_notification_is_shown_as_it_came_without_its_payer() {
    let desk = Desk::open().await;
    let id = desk.tea("tea-1").await;
    paid(&desk, &id).await;
    let mut viewer = Browser::default();
    viewer.get(&desk, "/console/notifications/ntf_1").await.is(401);
    let mut viewer = desk.person(Role::Viewer).await;
    viewer.get(&desk, "/console/notifications").await.is(200).shows("没有这样的通知");
    viewer.get(&desk, "/console/notifications?verdict=moved").await.is(200).shows("ntf_1");
    let page = viewer.get(&desk, "/console/notifications/ntf_1").await;
    page.is(200).shows("&lt;xml&gt;").shows("已采纳").shows(&format!("/console/orders/{id}"));
    viewer.get(&desk, "/console/notifications/ntf_9").await.is(404).shows("SP-NOT-FOUND");
    viewer.get(&desk, "/console/notifications?verdict=x").await.is(422);
}
