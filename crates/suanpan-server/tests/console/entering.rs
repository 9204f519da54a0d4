//! Passwords, codes, set-up and how often one may knock.

use std::time::Duration;

use suanpan_server::access;
use suanpan_server::outside::Clock as _;
use suanpan_server::people::Role;
use suanpan_server::vals;
use totp_rs::{Builder, Secret};

use crate::desk::{Browser, Desk, Page};

const GOOD: &str = "correct horse battery";

/// The token of a link that makes the first admin.
async fn first_link(desk: &Desk) -> String {
    let link = desk.set_up_link().await.unwrap();
    link.split_once("/console/set-up?token=").unwrap().1.to_owned()
}

/// The first admin, signed in.
async fn first_admin(desk: &Desk) -> Browser {
    let token = first_link(desk).await;
    let mut browser = Browser::default();
    let page = choose(desk, &mut browser, &token, "lan", GOOD, GOOD).await;
    page.leads_to("/console/me?done=welcome");
    browser
}

async fn choose(
    desk: &Desk,
    browser: &mut Browser,
    token: &str,
    name: &str,
    password: &str,
    again: &str,
) -> Page {
    let fields = [("token", token), ("name", name), ("password", password), ("again", again)];
    browser.submit(desk, "/console/set-up", &fields).await
}

async fn knock(desk: &Desk, name: &str, password: &str, code: &str) -> (Page, Browser) {
    let mut browser = Browser::default();
    let fields = [("name", name), ("password", password), ("code", code)];
    let page = browser.submit(desk, "/console/sign-in", &fields).await;
    (page, browser)
}

#[tokio::test]
async fn the_first_link_makes_the_first_admin_once() {
    let desk = Desk::open().await;
    let (token, other) = (first_link(&desk).await, first_link(&desk).await);
    let address = format!("/console/set-up?token={token}");
    // Looking does not use it up.
    for _ in 0..2 {
        Browser::default().get(&desk, &address).await.is(200).shows("设立第一位管理员");
    }
    let mut browser = Browser::default();
    for (name, password, again, code) in [
        ("l", GOOD, GOOD, "SP-OPERATOR-NAME"),
        ("lan", "short", "short", "SP-PASSWORD-WEAK"),
        ("lan", "lan lan lan lan!", "lan lan lan lan!", "SP-PASSWORD-WEAK"),
        ("lan", GOOD, "correct horse batteries", "SP-PASSWORD-MISTYPED"),
    ] {
        let page = choose(&desk, &mut browser, &token, name, password, again).await;
        page.is(422).shows(code);
    }
    let page = choose(&desk, &mut browser, &token, "lan", GOOD, GOOD).await;
    page.leads_to("/console/me?done=welcome");
    let page = browser.get(&desk, "/console/me?done=welcome").await;
    page.is(200).shows("lan").shows("管理员").shows("密码已设好");
    browser.get(&desk, "/console/audit").await.is(200).shows("operator.first");

    // Neither the same nor the other one makes a second.
    for token in [&token, &other] {
        Browser::default().get(&desk, &format!("/console/set-up?token={token}")).await.is(401);
        let page = choose(&desk, &mut Browser::default(), token, "eve", GOOD, GOOD).await;
        page.is(401).shows("SP-SIGN-IN");
    }
    assert_eq!(desk.set_up_link().await, None);
    assert_eq!(desk.column("SELECT name AS value FROM operator").await, ["lan"]);
}

#[tokio::test]
async fn a_set_up_link_lives_a_day_and_is_no_sign_in_link() {
    let desk = Desk::open().await;
    let token = first_link(&desk).await;
    Browser::default().get(&desk, &format!("/console?setup={token}")).await.is(401);
    desk.clock.advance(Duration::from_secs(24 * 60 * 60));
    Browser::default().get(&desk, &format!("/console/set-up?token={token}")).await.is(401);
    // And a sign-in link chooses no password.
    let link = access::new_console_link(desk.world()).await.unwrap();
    Browser::default().get(&desk, &format!("/console/set-up?token={link}")).await.is(401);
}

#[tokio::test]
async fn a_foreign_form_sets_nothing_up_and_signs_nobody_in() {
    let desk = Desk::open().await;
    let token = first_link(&desk).await;
    let mut foreign = Browser::default().saying("origin", "http://evil.test");
    choose(&desk, &mut foreign, &token, "eve", GOOD, GOOD).await.is(403).shows("SP-CONSOLE-FORM");
    first_admin(&desk).await;
    let fields = [("name", "lan"), ("password", GOOD)];
    let page = foreign.submit(&desk, "/console/sign-in", &fields).await;
    page.is(403).shows("SP-CONSOLE-FORM");
    assert!(!page.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn a_password_opens_a_new_session_and_leads_on() {
    let desk = Desk::open().await;
    let mut first = first_admin(&desk).await;
    let page = first.get(&desk, "/console/sign-in?next=/console/orders").await;
    page.is(200).shows("value=\"/console/orders\"");
    let old = first.twin();
    let fields = [("name", "lan"), ("password", GOOD), ("next", "/console/orders?q=1")];
    let page = first.submit(&desk, "/console/sign-in", &fields).await;
    page.leads_to("/console/orders?q=1");
    first.get(&desk, "/console/me").await.is(200);
    // The session that the browser had is over: a cookie that was planted is worth nothing.
    let mut old = old;
    old.get(&desk, "/console/me").await.is(401);
    for next in ["https://evil.test", "//evil.test", "/v1/orders"] {
        let fields = [("name", "lan"), ("password", GOOD), ("next", next)];
        first.submit(&desk, "/console/sign-in", &fields).await.leads_to("/console");
    }
}

#[tokio::test]
async fn who_is_not_known_is_answered_like_who_mistypes() {
    let desk = Desk::open().await;
    first_admin(&desk).await;
    let mut pages = Vec::new();
    for (name, password) in [("lan", "wrong horse battery"), ("nobody", GOOD), ("lan", "")] {
        let (page, mut browser) = knock(&desk, name, password, "").await;
        page.is(401).shows("SP-SIGN-IN-WRONG").hides(GOOD).hides("wrong horse");
        browser.get(&desk, "/console/me").await.is(401);
        pages.push(page.text);
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "the answers differ");
    let kept = desk.column("SELECT password AS value FROM operator").await;
    assert!(kept[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept:?}");
}

#[tokio::test]
async fn knocking_has_an_end_and_begins_again() {
    let desk = Desk::open().await;
    first_admin(&desk).await;
    let mut last = None;
    for _ in 0..20 {
        let (page, _) = knock(&desk, "lan", "wrong horse battery", "").await;
        if page.status == 429 {
            last = Some(page);
            break;
        }
        page.is(401);
    }
    let page = last.unwrap();
    page.shows("试得太频繁了").shows("SP-TOO-OFTEN");
    let wait: u64 = page.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // The right password does not get in either, until the time is over.
    assert_eq!(knock(&desk, "lan", GOOD, "").await.0.status, 429);
    desk.clock.advance(Duration::from_secs(60));
    knock(&desk, "lan", GOOD, "").await.0.leads_to("/console");
}

#[tokio::test]
async fn a_changed_password_ends_all_other_sessions() {
    let desk = Desk::open().await;
    let mut one = first_admin(&desk).await;
    let (_, mut two) = knock(&desk, "lan", GOOD, "").await;
    let stolen = one.twin();
    let other = "another fine sentence";
    let change = |current: &'static str, again: &'static str| {
        [("current", current), ("password", other), ("again", again)]
    };
    let page = one.submit(&desk, "/console/me/password", &change("wrong", other)).await;
    page.is(422).shows("SP-SIGN-IN-WRONG");
    let page = one.submit(&desk, "/console/me/password", &change(GOOD, "typed wrongly")).await;
    page.is(422).shows("SP-PASSWORD-MISTYPED");
    two.get(&desk, "/console/me").await.is(200);

    let page = one.submit(&desk, "/console/me/password", &change(GOOD, other)).await;
    page.leads_to("/console/me?done=password-changed");
    one.get(&desk, "/console/me").await.is(200);
    two.get(&desk, "/console/me").await.is(401);
    let mut stolen = stolen;
    stolen.get(&desk, "/console/me").await.is(401);
    knock(&desk, "lan", GOOD, "").await.0.is(401);
    knock(&desk, "lan", other, "").await.0.leads_to("/console");
}

#[tokio::test]
async fn a_code_is_asked_for_once_it_was_confirmed_and_works_once() {
    let desk = Desk::open().await;
    let mut browser = first_admin(&desk).await;
    browser.submit(&desk, "/console/me/totp", &[("current", "wrong")]).await.is(422);
    let page = browser.submit(&desk, "/console/me/totp", &[("current", GOOD)]).await;
    page.leads_to("/console/me?done=totp-offered");
    let secret = desk.column("SELECT totp_new AS value FROM operator").await.remove(0);
    let page = browser.get(&desk, "/console/me").await;
    page.is(200).shows(&secret).shows("<svg class=\"qr\"");
    // It does not count before it was confirmed.
    knock(&desk, "lan", GOOD, "").await.0.leads_to("/console");

    let wrong = browser.submit(&desk, "/console/me/totp/confirm", &[("code", "000000")]).await;
    wrong.is(422).shows("SP-TOTP-WRONG");
    let code = code(&desk, &secret);
    let page = browser.submit(&desk, "/console/me/totp/confirm", &[("code", &code)]).await;
    page.leads_to("/console/me?done=totp-on");
    browser.get(&desk, "/console/me").await.is(200).hides(&secret).shows("已启用");

    // The code that confirmed is used up, as is each that let somebody in.
    for used in ["", "000000", &code] {
        knock(&desk, "lan", GOOD, used).await.0.is(401).shows("SP-SIGN-IN-WRONG");
    }
    desk.clock.advance(Duration::from_secs(300));
    let next = self::code(&desk, &secret);
    assert_ne!(next, code);
    knock(&desk, "lan", "wrong horse battery", &next).await.0.is(401);
    knock(&desk, "lan", GOOD, &next).await.0.leads_to("/console");
    knock(&desk, "lan", GOOD, &next).await.0.is(401);

    desk.clock.advance(Duration::from_secs(300));
    let (page, mut browser) = knock(&desk, "lan", GOOD, &self::code(&desk, &secret)).await;
    page.leads_to("/console");
    browser
        .submit(&desk, "/console/me/totp/remove", &[("current", GOOD)])
        .await
        .leads_to("/console/me?done=totp-off");
    knock(&desk, "lan", GOOD, "").await.0.leads_to("/console");
    let audit = browser.get(&desk, "/console/audit").await;
    audit.shows("totp.enrol").shows("totp.remove").hides(&secret);
}

#[tokio::test]
async fn who_is_disabled_does_not_get_in_with_his_password() {
    let desk = Desk::open().await;
    first_admin(&desk).await;
    desk.write((), |tx, ()| {
        Box::pin(async move {
            tx.exec("UPDATE operator SET disabled_at = $1", &vals![1]).await.map(drop)
        })
    })
    .await;
    knock(&desk, "lan", GOOD, "").await.0.is(401).shows("SP-SIGN-IN-WRONG");
}

#[tokio::test]
async fn who_has_no_password_has_none_to_change() {
    let desk = Desk::open().await;
    let mut viewer = desk.person(Role::Viewer).await;
    viewer.get(&desk, "/console/me").await.is(200).hides("name=\"current\"");
    let fields = [("current", ""), ("password", GOOD), ("again", GOOD)];
    viewer.submit(&desk, "/console/me/password", &fields).await.is(422).shows("SP-SIGN-IN-WRONG");
}

/// The code that an app shows now.
fn code(desk: &Desk, secret: &str) -> String {
    let app = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap());
    let app = app.with_account_name("lan").build().unwrap();
    app.generate(desk.clock.now_seconds().try_into().unwrap()).to_string()
}

#[tokio::test]
async fn whoever_has_to_sign_in_first_goes_on_to_a_page_and_never_to_a_form() {
    let desk = Desk::open().await;
    let mut nobody = Browser::default();
    let page = nobody.get(&desk, "/console/orders?status=paid").await;
    page.is(401).shows(r#"name="next" value="/console/orders?status=paid""#);
    let page = nobody.submit(&desk, "/console/orders/ord_1/ask", &[]).await;
    page.is(401).shows(r#"name="next" value="/console""#);
}
