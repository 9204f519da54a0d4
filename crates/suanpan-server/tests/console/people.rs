//! What each may do, what is written down of it, and how a session ends.

use std::time::Duration;

use suanpan_server::audit::check;
use suanpan_server::people::Role;
use suanpan_server::vals;

use crate::desk::{Browser, Desk};

#[tokio::test]
async fn who_may_not_is_told_who_may() {
    let desk = Desk::open().await;
    let roles = [(Role::Cashier, 403), (Role::Finance, 200), (Role::Admin, 200)];
    for (role, status) in roles {
        let mut browser = desk.person(role).await;
        let page = browser.get(&desk, "/console/audit").await;
        page.is(status);
        if status == 403 {
            page.shows("SP-CONSOLE-ROLE").shows("需要的角色").shows("财务").hides("data-seq");
        }
    }
    let english = desk.person(Role::Viewer).await.get(&desk, "/console/audit?lang=en").await;
    english.is(403).shows("Role needed").shows("finance").shows("viewer");
}

#[tokio::test]
async fn a_session_without_a_password_does_not_time_out_and_one_with_a_password_does() {
    let desk = Desk::open().await;
    let mut developer = desk.operator().await;
    let mut viewer = desk.person(Role::Viewer).await;
    give_password(&desk, "op_viewer").await;
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    // Whoever does something stays in; a page that keeps itself up to date is nobody.
    desk.clock.advance(minutes(29));
    viewer.get(&desk, "/console/orders").await.is(200);
    desk.clock.advance(minutes(29));
    let mut script = viewer.twin().saying("sec-fetch-dest", "empty");
    script.get(&desk, "/console/orders").await.is(200);
    desk.clock.advance(minutes(1));
    viewer.get(&desk, "/console/orders").await.is(200);
    desk.clock.advance(minutes(29));
    script.get(&desk, "/console/orders").await.is(200);
    desk.clock.advance(minutes(2));
    viewer.get(&desk, "/console/orders").await.is(401).shows("SP-SIGN-IN");
    developer.get(&desk, "/console/orders").await.is(200);
}

#[tokio::test]
async fn the_idle_time_is_the_configured_one() {
    let desk = Desk::open_with("[console]\nidle_minutes = 5").await;
    let mut viewer = desk.person(Role::Viewer).await;
    give_password(&desk, "op_viewer").await;
    desk.clock.advance(Duration::from_secs(5 * 60));
    viewer.get(&desk, "/console/orders").await.is(200);
    desk.clock.advance(Duration::from_secs(5 * 60 + 1));
    viewer.get(&desk, "/console/orders").await.is(401);
}

#[tokio::test]
async fn who_is_disabled_is_out_at_once_and_his_link_lets_nobody_in() {
    let desk = Desk::open().await;
    let mut viewer = desk.person(Role::Viewer).await;
    desk.write((), |tx, ()| {
        Box::pin(async move {
            let sql = "UPDATE operator SET disabled_at = $1 WHERE id = 'op_viewer'";
            tx.exec(sql, &vals![1]).await?;
            tx.exec("UPDATE console_link SET used_at = NULL WHERE expires_at > $1", &vals![1])
                .await
                .map(drop)
        })
    })
    .await;
    viewer.get(&desk, "/console/orders").await.is(401);
    Browser::default().get(&desk, "/console?setup=viewer").await.is(401).shows("SP-SIGN-IN");
}

#[tokio::test]
async fn all_sessions_of_one_end_together_and_those_of_others_stay() {
    let desk = Desk::open().await;
    let (mut one, mut two) = (desk.operator().await, desk.operator().await);
    let mut other = desk.person(Role::Viewer).await;
    one.get(&desk, "/console/me").await.is(200).shows("data-testid=\"sessions\"");
    let foreign = [("origin", "http://evil.test")];
    let mut forged = foreign.iter().fold(one.twin(), |one, (name, value)| one.saying(name, value));
    forged.submit(&desk, "/console/me/sign-out-everywhere", &[]).await.is(403);
    two.get(&desk, "/console/me").await.is(200);

    let page = one.submit(&desk, "/console/me/sign-out-everywhere", &[]).await;
    page.leads_to("/console/signed-out?done=sessions-ended");
    one.get(&desk, page.header("location")).await.is(200).shows("所有会话都已退出");
    one.get(&desk, "/console/me").await.is(401);
    two.get(&desk, "/console/me").await.is(401);
    other.get(&desk, "/console/me").await.is(200);
}

#[tokio::test]
async fn a_link_cannot_put_words_into_our_mouth() {
    let desk = Desk::open().await;
    let mut browser = desk.operator().await;
    let page = browser.get(&desk, "/console/me?done=%3Cb%3Epay+mallory").await;
    page.is(200).hides("data-testid=\"done\"").hides("<b>pay");
}

#[tokio::test]
async fn what_was_done_is_found_by_person_and_by_object() {
    let desk = Desk::open().await;
    desk.person(Role::Viewer).await;
    let mut finance = desk.person(Role::Finance).await;
    let all = finance.get(&desk, "/console/audit").await;
    all.is(200).shows("data-seq=\"1\"").shows("data-seq=\"2\"").shows("哈希链完整").shows("登录");
    let one = finance.get(&desk, "/console/audit?who=viewer").await;
    one.shows("data-seq=\"1\"").hides("data-seq=\"2\"");
    let one = finance.get(&desk, "/console/audit?object=op_finance").await;
    one.hides("data-seq=\"1\"").shows("data-seq=\"2\"");
    let none = finance.get(&desk, "/console/audit?object=op_finance&who=viewer").await;
    none.shows("没有符合条件的记录");
    let older = finance.get(&desk, "/console/audit?before=2").await;
    older.shows("data-seq=\"1\"").hides("data-seq=\"2\"");
}

#[tokio::test]
async fn a_line_that_was_changed_or_taken_out_shows() {
    for harm in [
        "UPDATE audit SET reason = 'nothing' WHERE seq = $1",
        "UPDATE audit SET operator_name = 'somebody else' WHERE seq = $1",
        "DELETE FROM audit WHERE seq = $1",
    ] {
        let desk = Desk::open().await;
        for _ in 0..5 {
            desk.operator().await;
        }
        let mut operator = desk.operator().await;
        let whole = check(desk.store(), true).await.unwrap();
        assert_eq!((whole.lines, whole.whole, whole.broken_at), (6, true, None));
        desk.write(harm, |tx, harm| {
            Box::pin(async move { tx.exec(harm, &vals![3]).await.map(drop) })
        })
        .await;
        let broken = check(desk.store(), true).await.unwrap().broken_at;
        assert_eq!(broken, Some(if harm.starts_with("DELETE") { 4 } else { 3 }), "{harm}");
        operator.get(&desk, "/console/audit").await.is(200).shows("哈希链断开");
    }
}

/// From now on he has one; nobody knows it.
async fn give_password(desk: &Desk, id: &'static str) {
    desk.write(id, |tx, id| {
        Box::pin(async move {
            let sql = "UPDATE operator SET password = 'x' WHERE id = $1";
            tx.exec(sql, &vals![*id]).await.map(drop)
        })
    })
    .await;
}
