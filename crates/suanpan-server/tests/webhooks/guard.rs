//! Addresses that must not be called: attack A41, at creation and at delivery.

use insta::assert_snapshot;
use suanpan_server::flow::endpoints::create_endpoint;
use suanpan_server::store::Once;

use crate::receiver::{Mood, Receiver};
use crate::shop::{OPEN, Shop};

#[tokio::test]
async fn an_endpoint_with_an_inner_address_is_not_made() {
    let shop = Shop::open_with("").await.unwrap();
    let mut lines = Vec::new();
    for url in [
        "http://169.254.169.254/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://127.1/",
        "https://0x7f000001:8443/hook?token=hunter2",
        "https://10.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://me:hunter2@shop.example.com/",
        "http://shop.example.com/",
        "gopher://shop.example.com/",
    ] {
        let error = create_endpoint(&shop.world, url, None, &Once::default()).await.unwrap_err();
        assert_eq!(error.code(), "SP-WEBHOOK-ADDRESS", "{url}");
        lines.push(error.to_string());
    }
    for url in ["", "shop.example.com", "https://", "https://shop example.com/"] {
        let error = create_endpoint(&shop.world, url, None, &Once::default()).await.unwrap_err();
        assert_eq!(error.code(), "SP-REQUEST-FIELD", "{url}");
        lines.push(error.to_string());
    }
    assert_snapshot!(lines.join("\n"), @r"
    http://169.254.169.254 must not be called: only https is called
    https://169.254.169.254 must not be called: the address is not of the public internet
    https://[::1] must not be called: the address is not of the public internet
    https://127.0.0.1 must not be called: the address is not of the public internet
    https://127.0.0.1:8443 must not be called: the address is not of the public internet
    https://10.0.0.1 must not be called: the address is not of the public internet
    https://[::ffff:a00:1] must not be called: the address is not of the public internet
    https://shop.example.com must not be called: an address with a password in it ends up in logs
    http://shop.example.com must not be called: only https is called
    gopher://shop.example.com must not be called: an endpoint's address begins with https://
    `url` is not an address: relative URL without a base
    `url` is not an address: relative URL without a base
    `url` is not an address: empty host
    `url` is not an address: invalid international domain name
    ");
    assert!(
        create_endpoint(&shop.world, "https://shop.example.com/hook", None, &Once::default())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_name_of_an_inner_address_is_a_failed_try() {
    let mut receiver = Receiver::open(Mood::Answers(200)).await;
    let port = receiver.url.split(['/', ':']).nth(4).unwrap();
    let shop = Shop::open_with("").await.unwrap();
    shop.endpoint(&format!("https://localhost:{port}/hook?token=hunter2")).await;
    let worker = shop.work();
    let order = shop.order("tea-1").await;
    shop.happens(&order, "order.paid").await;
    shop.quiet().await;
    worker.stop().await;
    assert!(receiver.all().is_empty());
    assert_snapshot!(shop.story(&order).await, @r"
    2026-01-01 08:00:00 order        created: 9.90 CNY, tea-1
    2026-01-01 08:00:00 webhook      order.paid → localhost: it has no address of the public internet; try 2 in 5 s
    ");
}

#[tokio::test]
async fn an_endpoint_of_looser_times_is_not_called_either() {
    let mut receiver = Receiver::open(Mood::Answers(200)).await;
    let loose = Shop::open_with(OPEN).await.unwrap();
    loose.endpoint(&receiver.url).await;
    loose.endpoint(&receiver.url.replace("http:", "https:")).await;
    let strict = loose.node("", 2).await.unwrap();
    let worker = strict.work();
    let event = strict.happens(&strict.order("tea-1").await, "order.paid").await;
    strict.quiet().await;
    worker.stop().await;

    assert!(receiver.all().is_empty());
    let tries = strict.tries(&event).await;
    let mut problems: Vec<_> = tries.iter().filter_map(|tried| tried.problem.as_deref()).collect();
    problems.sort_unstable();
    assert_eq!(problems, ["only https is called", "the address is not of the public internet"]);
}
