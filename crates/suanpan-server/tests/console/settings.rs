//! Who is let in, by whom, and with which keys.

use axum::body::Body;
use axum::http::Request;
use suanpan_server::people::Role;
use suanpan_server::vals;

use crate::desk::{Browser, Desk};

const GOOD: &str = "correct horse battery";

/// The link that a page shows once: its path.
fn link(text: &str) -> String {
    let from = text.find("/console/set-up?token=").unwrap();
    text[from..].split('<').next().unwrap().to_owned()
}

/// Chooses a password by a link.
async fn accept(desk: &Desk, link: &str) -> Browser {
    let token = link.split_once("token=").unwrap().1;
    let mut browser = Browser::default();
    let fields = [("token", token), ("password", GOOD), ("again", GOOD)];
    browser.submit(desk, "/console/set-up", &fields).await.leads_to("/console/me?done=welcome");
    browser
}

async fn id_of(desk: &Desk, name: &str) -> String {
    let ids = desk.column("SELECT name || ' ' || id AS value FROM operator").await;
    let own = ids.iter().find_map(|row| row.strip_prefix(&format!("{name} ")));
    own.unwrap().to_owned()
}

#[tokio::test]
async fn only_an_admin_sees_and_changes_the_settings() {
    let desk = Desk::open().await;
    for role in [Role::Viewer, Role::Cashier, Role::Finance] {
        let mut browser = desk.person(role).await;
        browser.get(&desk, "/console/settings").await.is(403).hides("data-operator");
        let invite = [("name", "eve"), ("role", "admin")];
        let page = browser.submit(&desk, "/console/settings/operators", &invite).await;
        page.is(403).shows("SP-CONSOLE-ROLE");
        let key = [("label", "eve")];
        browser.submit(&desk, "/console/settings/keys", &key).await.is(403);
        let own = format!("/console/settings/operators/op_{role}/role");
        let raise = [("role", "admin"), ("reason", "why not")];
        browser.submit(&desk, &own, &raise).await.is(403);
    }
    assert_eq!(
        desk.column("SELECT name AS value FROM operator WHERE role = 'admin'").await.len(),
        0
    );
}

#[tokio::test]
async fn an_invitation_is_a_link_for_one_with_the_role_that_was_given() {
    let desk = Desk::open().await;
    let mut admin = desk.person(Role::Admin).await;
    let invite = [("name", "mei"), ("role", "cashier")];
    let page = admin.submit(&desk, "/console/settings/operators", &invite).await;
    page.is(200).shows("只显示这一次");
    let mut mei = accept(&desk, &link(&page.text)).await;
    mei.get(&desk, "/console/me").await.is(200).shows("收银");
    Browser::default().get(&desk, &link(&page.text)).await.is(401);

    let again = admin.submit(&desk, "/console/settings/operators", &invite).await;
    again.is(409).shows("SP-OPERATOR-NAME-TAKEN");
    for (name, role, status, code) in
        [("a b", "viewer", 422, "SP-OPERATOR-NAME"), ("hua", "root", 422, "SP-REQUEST-FIELD")]
    {
        let fields = [("name", name), ("role", role)];
        let page = admin.submit(&desk, "/console/settings/operators", &fields).await;
        page.is(status).shows(code);
    }
    let page = admin.get(&desk, "/console/settings").await;
    page.is(200).shows("data-operator=\"mei\"").hides("argon2");
    admin.get(&desk, "/console/audit").await.shows("operator.invite").shows("operator.password");
}

#[tokio::test]
async fn another_role_a_reset_and_a_closed_door_end_sessions_at_once() {
    let desk = Desk::open().await;
    let mut admin = desk.person(Role::Admin).await;
    let invite = [("name", "mei"), ("role", "admin")];
    let page = admin.submit(&desk, "/console/settings/operators", &invite).await;
    let mut mei = accept(&desk, &link(&page.text)).await;
    let at = format!("/console/settings/operators/{}", id_of(&desk, "mei").await);
    admin.get(&desk, &at).await.is(200).shows("mei");

    // She is the only one who could sign in again.
    let lower = [("role", "viewer"), ("reason", "moved on")];
    let page = admin.submit(&desk, &format!("{at}/role"), &lower).await;
    page.is(409).shows("SP-OPERATOR-LAST-ADMIN");
    let why = [("reason", "moved on")];
    admin.submit(&desk, &format!("{at}/disable"), &why).await.is(409);
    admin.submit(&desk, &format!("{at}/reset"), &[]).await.is(409);
    mei.get(&desk, "/console/settings").await.is(200);

    give_password(&desk).await;
    admin
        .submit(&desk, &format!("{at}/role"), &[("role", "viewer"), ("reason", " ")])
        .await
        .is(422);
    let page = admin.submit(&desk, &format!("{at}/role"), &lower).await;
    page.leads_to("/console/settings?done=role-changed");
    mei.get(&desk, "/console/me").await.is(401);
    let (mut mei, sign_in) = (Browser::default(), [("name", "mei"), ("password", GOOD)]);
    mei.submit(&desk, "/console/sign-in", &sign_in).await.leads_to("/console");
    mei.get(&desk, "/console/settings").await.is(403);

    let page = admin.submit(&desk, &format!("{at}/reset"), &[]).await;
    page.is(200);
    mei.get(&desk, "/console/me").await.is(401);
    mei.submit(&desk, "/console/sign-in", &sign_in).await.is(401);
    let mut mei = accept(&desk, &link(&page.text)).await;

    let page = admin.submit(&desk, &format!("{at}/disable"), &why).await;
    page.leads_to("/console/settings?done=operator-disabled");
    mei.get(&desk, "/console/me").await.is(401);
    mei.submit(&desk, "/console/sign-in", &sign_in).await.is(401);
    admin
        .submit(&desk, &format!("{at}/enable"), &why)
        .await
        .leads_to("/console/settings?done=operator-enabled");
    mei.submit(&desk, "/console/sign-in", &sign_in).await.leads_to("/console");
    admin.get(&desk, "/console/audit").await.shows("moved on").shows("operator.disable");
}

#[tokio::test]
async fn a_key_is_shown_once_works_and_is_revoked() {
    let desk = Desk::open().await;
    let mut admin = desk.person(Role::Admin).await;
    let page = admin.submit(&desk, "/console/settings/keys", &[("label", "till 2")]).await;
    page.is(200);
    let from = page.text.find("sk_").unwrap();
    let key = page.text[from..].split('<').next().unwrap().to_owned();
    let status = |key: String| {
        let request = Request::get("/v1/orders").header("authorization", format!("Bearer {key}"));
        let request = request.body(Body::empty()).unwrap();
        async { desk.send(request).await.status().as_u16() }
    };
    assert_eq!(status(key.clone()).await, 200);
    let list = admin.get(&desk, "/console/settings").await;
    list.shows("till 2").shows(&key[..8]).hides(&key);

    let ids = desk.column("SELECT id AS value FROM api_key WHERE label = 'till 2'").await;
    let revoke = format!("/console/settings/keys/{}/revoke", ids[0]);
    admin.submit(&desk, &revoke, &[("reason", "")]).await.is(422);
    assert_eq!(status(key.clone()).await, 200);
    let page = admin.submit(&desk, &revoke, &[("reason", "the till was stolen")]).await;
    page.leads_to("/console/settings?done=key-revoked");
    assert_eq!(status(key.clone()).await, 401);
    admin.submit(&desk, &revoke, &[("reason", "again")]).await.is(404);
    let audit = admin.get(&desk, "/console/audit").await;
    audit.shows("api-key.create").shows("the till was stolen").hides(&key);
}

/// From now on the admin of the test could sign in, too.
async fn give_password(desk: &Desk) {
    desk.write((), |tx, ()| {
        Box::pin(async move {
            let sql = "UPDATE operator SET password = 'x' WHERE id = $1";
            tx.exec(sql, &vals!["op_admin"]).await.map(drop)
        })
    })
    .await;
}
