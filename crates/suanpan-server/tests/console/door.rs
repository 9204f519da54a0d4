//! Who is let in, for how long, and who is not.

use std::time::Duration;

use crate::desk::{Browser, Desk};

#[tokio::test]
async fn a_link_opens_the_console_once() {
    let desk = Desk::open().await;
    let link = desk.link().await;
    let mut browser = Browser::default();
    browser.get(&desk, &link).await.leads_to("/console");
    browser.get(&desk, "/console").await.is(200).shows("退出登录");

    let refused = Browser::default().get(&desk, &link).await;
    refused.is(401).shows("SP-SIGN-IN").shows("这个登录链接不能用了").shows("suanpan dev");
    assert!(!refused.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn whoever_is_in_stays_in_when_he_goes_back_to_his_link() {
    let desk = Desk::open().await;
    let link = desk.link().await;
    let mut browser = Browser::default();
    browser.get(&desk, &link).await.leads_to("/console");
    browser.get(&desk, &link).await.leads_to("/console");
}

#[tokio::test]
async fn a_link_lives_an_hour() {
    let desk = Desk::open().await;
    let (early, late) = (desk.link().await, desk.link().await);
    desk.clock.advance(Duration::from_secs(60 * 60 - 1));
    Browser::default().get(&desk, &early).await.leads_to("/console");
    desk.clock.advance(Duration::from_secs(1));
    Browser::default().get(&desk, &late).await.is(401).shows("SP-SIGN-IN");
}

#[tokio::test]
async fn a_made_up_link_opens_nothing() {
    let desk = Desk::open().await;
    for link in ["/console?setup=", "/console?setup=x", "/console?setup=%27%20OR%201=1"] {
        Browser::default().get(&desk, link).await.is(401).shows("SP-SIGN-IN");
    }
}

#[tokio::test]
async fn looking_ahead_does_not_use_a_link_up() {
    let desk = Desk::open().await;
    let link = desk.link().await;
    for purpose in ["prefetch", "prefetch;prerender"] {
        let mut browser = Browser::default().saying("sec-purpose", purpose);
        assert_eq!(browser.get(&desk, &link).await.status, 204);
    }
    assert_eq!(Browser::default().ask(&desk, "HEAD", &link).await.status, 204);
    Browser::default().get(&desk, &link).await.leads_to("/console");
}

#[tokio::test]
async fn without_a_session_there_is_a_page_that_says_how_to_get_one() {
    let desk = Desk::open().await;
    let order = desk.tea("tea-1").await;
    for path in
        ["/console", &format!("/console/orders/{order}"), "/console/live/stream", "/console/x"]
    {
        let page = Browser::default().get(&desk, path).await;
        page.is(401).shows("请先登录").shows("suanpan dev").shows("SP-SIGN-IN").hides("tea-1");
    }
}

#[tokio::test]
async fn a_session_lasts_twelve_hours() {
    let desk = Desk::open().await;
    let mut browser = desk.operator().await;
    desk.clock.advance(Duration::from_secs(12 * 60 * 60 - 1));
    browser.get(&desk, "/console").await.is(200);
    desk.clock.advance(Duration::from_secs(1));
    browser.get(&desk, "/console").await.is(401);
}

#[tokio::test]
async fn the_cookie_is_for_this_browser_and_this_path_only() {
    let desk = Desk::open().await;
    let page = Browser::default().get(&desk, &desk.link().await).await;
    let (session, flags) = page.header("set-cookie").split_once(';').unwrap();
    assert!(session.starts_with("suanpan_console=") && 50 < session.len(), "{session}");
    assert_eq!(flags, " Path=/console; HttpOnly; SameSite=Strict; Max-Age=43200");
}

#[tokio::test]
async fn behind_https_the_cookie_is_secure_and_of_this_host() {
    let desk = Desk::open_with("[server]\npublic_url = \"https://pay.example.com\"").await;
    let mut browser = Browser::default();
    let page = browser.get(&desk, &desk.link().await).await;
    let (session, flags) = page.header("set-cookie").split_once(';').unwrap();
    assert!(session.starts_with("__Host-suanpan_console="), "{session}");
    assert_eq!(flags, " Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=43200");
    browser.get(&desk, "/console").await.is(200);
}

#[tokio::test]
async fn from_another_site_our_own_page_leads_on() {
    let desk = Desk::open().await;
    let mut browser = Browser::default().saying("sec-fetch-site", "cross-site");
    let page = browser.get(&desk, &desk.link().await).await;
    page.is(200).shows("href=\"/console\"").hides("setup");
    assert_eq!(page.header("refresh"), "0; url=/console");
    browser.get(&desk, "/console").await.is(200);
}

#[tokio::test]
async fn only_hashes_of_links_and_sessions_are_kept() {
    let desk = Desk::open().await;
    let page = Browser::default().get(&desk, &desk.link().await).await;
    let session = page.header("set-cookie").split(['=', ';']).nth(1).unwrap();
    let kept = [
        desk.column("SELECT hash AS value FROM console_session").await,
        desk.column("SELECT hash AS value FROM console_link").await,
    ];
    for hashes in &kept {
        assert_eq!(hashes.len(), 1);
        assert!(hashes[0].len() == 64 && hashes[0].bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(hashes[0], session);
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_also_for_a_stolen_cookie() {
    let desk = Desk::open().await;
    let browser = desk.operator().await;
    let mut thief = browser.twin();
    let mut browser = browser.saying("origin", "http://pay.test");
    let page = browser.post(&desk, "/console/sign-out").await;
    page.leads_to("/console/signed-out");
    assert!(page.header("set-cookie").contains("suanpan_console=;"));
    assert!(page.header("set-cookie").contains("Max-Age=0"));

    thief.get(&desk, "/console").await.is(401);
    browser.get(&desk, "/console/signed-out").await.is(200).shows("已退出登录");
}

#[tokio::test]
async fn a_form_of_another_page_is_refused() {
    let desk = Desk::open().await;
    let operator = desk.operator().await;
    for headers in [
        &[][..],
        &[("origin", "null")],
        &[("origin", "http://evil.test")],
        &[("origin", "http://pay.test.evil.test")],
        &[("origin", "http://pay.test"), ("sec-fetch-site", "cross-site")],
        &[("origin", "http://evil.test"), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
    ] {
        let mut browser = headers
            .iter()
            .fold(operator.twin(), |browser, (name, value)| browser.saying(name, value));
        let page = browser.post(&desk, "/console/sign-out").await;
        page.is(403).shows("SP-CONSOLE-FORM");
        operator.twin().get(&desk, "/console").await.is(200);
    }
    operator.twin().get(&desk, "/console/sign-out").await.is(405);
    operator.twin().get(&desk, "/console").await.is(200);
}

#[tokio::test]
async fn a_form_of_ours_is_taken_whatever_way_the_browser_says_so() {
    let public = "[server]\npublic_url = \"http://pay.example.com\"";
    for headers in [
        &[("origin", "http://pay.test")][..],
        &[("origin", "https://PAY.test")],
        &[("origin", "http://pay.example.com")],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://pay.test")],
    ] {
        let desk = Desk::open_with(public).await;
        let mut browser = headers
            .iter()
            .fold(desk.operator().await, |browser, (name, value)| browser.saying(name, value));
        browser.post(&desk, "/console/sign-out").await.leads_to("/console/signed-out");
        browser.get(&desk, "/console").await.is(401);
    }
}
