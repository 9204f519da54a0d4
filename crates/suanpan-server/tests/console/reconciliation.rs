//! Reconciliation at the console: the calendar, a day, a difference, and who may say what it is.

use serde_json::json;
use suanpan_server::client::wechat::MchId;
use suanpan_server::client::wechat::bill::BillDate;
use suanpan_server::people::Role;
use suanpan_server::reconciliation::{Carried, Day, DayState, DifferenceKind, Found, Ours, Purses};
use suanpan_server::store::{Bill, BillKind};

use crate::desk::{Desk, MCHID, NEW_YEAR};

const DAY: &str = "2025-12-31";
const PAGE: &str = "/console/reconciliation/2025-12-31?account=1900000109";
const DIFFERENCE: &str = "/console/reconciliation/differences/dif_1";
const AUDIT: &str = "SELECT operator_name || ' ' || action || ' ' || object || ' ' || COALESCE(reason, '-') AS value
    FROM audit WHERE action <> 'sign-in' ORDER BY seq";
const BILL: &str = "交易时间,微信订单号\r\n";

fn mchid() -> MchId {
    MchId::parse(MCHID).unwrap()
}

fn day(state: DayState) -> Day {
    Day {
        mchid: mchid(),
        day: DAY.parse().unwrap(),
        state,
        problem: None,
        trade_bill: Some("bil_1".to_owned()),
        fund_bill: None,
        ours: Ours { payments: 2, paid: 1_980, refunds: 0, refunded: 0 },
        theirs: Purses { payments: 3, paid: 12_345_600, fee: 12_345, ..Purses::default() },
        more: 0,
        carried: Carried::default(),
        run: 1,
        checked_at: Some(NEW_YEAR),
    }
}

/// A day with an open difference, and its bill.
async fn compared(desk: &Desk) {
    let billed = json!({
        "line": 7, "time": 1_767_150_000, "appid": "wx1", "mchid": MCHID, "sub_mchid": "0",
        "transaction_id": "4200001", "out_trade_no": "nobody_0001", "currency": "CNY", "total": 100,
        "refund": null, "fee": 1_000, "rate": "0.60%",
    });
    let found = Found {
        kind: DifferenceKind::UnknownPayment,
        subject: "nobody_0001".to_owned(),
        order_id: None,
        refund_id: None,
        ours: None,
        theirs: Some(100),
        detail: json!({ "billed": billed, "why": null }).as_object().unwrap().clone(),
        repaired: false,
    };
    let bill = Bill {
        id: "bil_1".to_owned(),
        mchid: mchid(),
        day: DAY.parse().unwrap(),
        kind: BillKind::Trade,
        sha256: "x".to_owned(),
        length: i64::try_from(BILL.len()).unwrap(),
        fetched_at: NEW_YEAR,
    };
    desk.write((day(DayState::Done), found, bill), |tx, (day, found, bill)| {
        Box::pin(async move {
            tx.reconciliation_put(day).await?;
            tx.difference_found("dif_1", (&day.mchid, day.day, 1), found, NEW_YEAR).await?;
            tx.bill_coming(bill).await?;
            tx.bill_parts_put(&bill.id, 0, &[BILL.as_bytes().to_vec()]).await?;
            tx.bill_kept(bill).await
        })
    })
    .await;
}

#[tokio::test]
async fn the_calendar_says_how_each_day_stands() {
    let desk = Desk::open().await;
    let mut viewer = desk.person(Role::Viewer).await;
    let empty = viewer.get(&desk, "/console/reconciliation?month=2025-12").await;
    empty.is(200).shows("2025-12").shows("未对").shows("湖心亭茶馆").hides("平");
    compared(&desk).await;
    let page = viewer.get(&desk, "/console/reconciliation?month=2025-12").await;
    page.is(200).shows(&PAGE.replace('&', "&amp;")).shows("差 1").shows("123,456.00");
    page.shows("month=2025-11").shows("month=2026-01");
    let english = viewer.get(&desk, "/console/reconciliation?month=2025-12&lang=en").await;
    english.is(200).shows("Reconciliation").shows("Differs: 1");
    viewer.get(&desk, "/console/reconciliation?month=x").await.is(422).shows("SP-REQUEST-FIELD");
    viewer.get(&desk, "/console/reconciliation?lang=zh-CN").await.is(200).shows("2026-01");
    // Today wants a person for it.
    viewer.get(&desk, "/console").await.is(200).shows("处对账差异没有处理");
    desk.write(day(DayState::Waiting), |tx, day| Box::pin(tx.reconciliation_put(day))).await;
    viewer.get(&desk, "/console/reconciliation?month=2025-12").await.is(200).shows("等账单");
}

#[tokio::test]
async fn a_day_shows_both_sides_and_each_difference() {
    let desk = Desk::open().await;
    compared(&desk).await;
    let mut viewer = desk.person(Role::Viewer).await;
    let page = viewer.get(&desk, PAGE).await;
    page.is(200).shows("123,456.00").shows("19.80").shows("¥0.12345");
    page.shows("不认识的收款").shows("nobody_0001").shows(DIFFERENCE).shows("待处理");
    page.hides("/again").hides("/bill");
    let one = viewer.get(&desk, DIFFERENCE).await;
    one.is(200).shows("4200001").shows("账单第几行").shows("同一个商户号").hides("<textarea");
    viewer.get(&desk, "/console/reconciliation/2025-12-30").await.is(200).shows("还没有对过");
    viewer.get(&desk, "/console/reconciliation/yesterday").await.is(404);
    viewer.get(&desk, "/console/reconciliation/2025-12-31?account=1").await.is(404);
    viewer.get(&desk, "/console/reconciliation/differences/dif_9").await.is(404);
}

#[tokio::test]
async fn finance_says_what_a_difference_is_and_nobody_else() {
    let desk = Desk::open().await;
    compared(&desk).await;
    let explained = [("version", "0"), ("state", "explained"), ("note", "收银台的另一套系统")];
    for role in [Role::Viewer, Role::Cashier] {
        let mut other = desk.person(role).await;
        other.submit(&desk, DIFFERENCE, &explained).await.is(403).shows("SP-CONSOLE-ROLE");
    }
    let mut finance = desk.person(Role::Finance).await;
    finance.get(&desk, DIFFERENCE).await.is(200).shows("<textarea");
    let empty = [("version", "0"), ("state", "explained"), ("note", "  ")];
    finance.submit(&desk, DIFFERENCE, &empty).await.is(422);
    let odd = [("version", "0"), ("state", "gone"), ("note", "x")];
    finance.submit(&desk, DIFFERENCE, &odd).await.is(422);
    assert_eq!(desk.column(AUDIT).await.len(), 0);
    let moved = finance.submit(&desk, DIFFERENCE, &explained).await;
    moved.leads_to(&format!("{DIFFERENCE}?done=difference-moved"));
    let page = finance.get(&desk, &format!("{DIFFERENCE}?done=difference-moved")).await;
    page.is(200)
        .shows("差异的状态和说明已保存。")
        .shows("已说明")
        .shows("收银台的另一套系统")
        .shows("finance");
    assert_eq!(desk.column(AUDIT).await, ["finance difference.move dif_1 收银台的另一套系统"]);
    // Whoever has the page from before overwrites nothing.
    let late = finance.submit(&desk, DIFFERENCE, &explained).await;
    assert!(late.status.is_client_error() || late.status.is_server_error(), "{}", late.text);
    assert_eq!(desk.column(AUDIT).await.len(), 1);
    finance.get(&desk, "/console/reconciliation?month=2025-12").await.is(200).shows("平");
}

#[tokio::test]
async fn a_bill_is_taken_away_as_it_came_and_a_day_compared_again() {
    let desk = Desk::open().await;
    compared(&desk).await;
    let path = "/console/reconciliation/2025-12-31/bill";
    let wanted = [("account", MCHID), ("kind", "trade")];
    let mut cashier = desk.person(Role::Cashier).await;
    cashier.submit(&desk, path, &wanted).await.is(403);
    let mut finance = desk.person(Role::Finance).await;
    finance.get(&desk, PAGE).await.is(200).shows(path).hides("value=\"fund_flow\"");
    let file = finance.submit(&desk, path, &wanted).await;
    assert_eq!((file.status.as_u16(), file.text.as_str()), (200, BILL));
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"1900000109-2025-12-31-trade.csv\""
    );
    finance.submit(&desk, path, &[("account", MCHID), ("kind", "fund_flow")]).await.is(404);
    finance.submit(&desk, path, &[("account", "1"), ("kind", "trade")]).await.is(404);

    let again = "/console/reconciliation/2025-12-31/again";
    cashier.submit(&desk, again, &[("account", MCHID)]).await.is(403);
    let asked = finance.submit(&desk, again, &[("account", MCHID)]).await;
    asked.leads_to("/console/reconciliation/2025-12-31?done=comparing");
    let due = "SELECT body AS value FROM due WHERE kind = 'reconcile' AND state = 'ready'";
    let day: BillDate = DAY.parse().unwrap();
    assert_eq!(desk.column(due).await, [format!(r#"{{"day":"{day}","mchid":"{MCHID}"}}"#)]);
    assert_eq!(
        desk.column(AUDIT).await,
        [
            "finance bill.export bil_1 -".to_owned(),
            format!("finance reconciliation.again {MCHID} {DAY} -")
        ]
    );
}
