//! The endpoints: those of the API, and those of the configuration.

use suanpan_server::flow::endpoints::{
    create_endpoint, delete_endpoint, list_endpoints, rotate_secret,
};
use suanpan_server::store::Once;

use crate::receiver::{Mood, Receiver};
use crate::shop::{OPEN, Shop};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_KEY: &str = "whsec_plJ3nmyCDGBKInavdOK15jsl7nAfWvSD";

fn configured(url: &str, key: &str, events: &str) -> String {
    format!("{OPEN}\n[[webhooks.endpoints]]\nurl = \"{url}\"\nsecret = \"{key}\"\n{events}")
}

async fn lines(shop: &Shop) -> Vec<String> {
    let endpoints = list_endpoints(&shop.world, None, 100).await.unwrap();
    let line = |endpoint: suanpan_server::store::Endpoint| {
        let events = endpoint.events.map_or_else(|| "all".to_owned(), |events| events.join(" "));
        format!("{} {} {events}", endpoint.source, endpoint.url)
    };
    endpoints.into_iter().map(line).collect()
}

#[tokio::test]
async fn an_endpoint_is_made_listed_given_a_new_key_and_deleted() {
    let shop = Shop::open().await;
    let events = Some(vec!["order.paid".to_owned(), "refund.succeeded".to_owned()]);
    let made =
        create_endpoint(&shop.world, " https://shop.example.com/a ", events, &Once::default())
            .await
            .unwrap();
    assert!(made.id.starts_with("whe_") && made.secret.starts_with("whsec_"));
    assert!(!format!("{made:?}").contains(&made.secret));
    assert_eq!(lines(&shop).await, ["api https://shop.example.com/a order.paid refund.succeeded"]);

    let rotated = rotate_secret(&shop.world, &made.id, None, &Once::default()).await.unwrap();
    assert_eq!((&rotated.id, &rotated.url), (&made.id, &made.url));
    let listed = list_endpoints(&shop.world, None, 100).await.unwrap();
    assert_eq!(listed[0].secret, rotated.secret);

    delete_endpoint(&shop.world, &made.id, &Once::default()).await.unwrap();
    assert!(lines(&shop).await.is_empty());
    for error in [
        delete_endpoint(&shop.world, &made.id, &Once::default()).await.unwrap_err(),
        rotate_secret(&shop.world, &made.id, None, &Once::default()).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), "SP-NOT-FOUND");
    }
}

#[tokio::test]
async fn only_events_that_there_are_can_be_wanted() {
    let shop = Shop::open().await;
    for (events, says) in [
        (vec![], "`events` must name one at least; leave it out for all"),
        (vec!["order.payed"], "`events` must not name \"order.payed\"; there are order.paid, "),
        (vec!["order.paid", "*"], "`events` must not name \"*\"; "),
        (vec!["a\n"], "`events` must not name \"a\\n\"; "),
    ] {
        let events = events.into_iter().map(str::to_owned).collect();
        let made = create_endpoint(
            &shop.world,
            "https://shop.example.com/",
            Some(events),
            &Once::default(),
        )
        .await;
        let error = made.unwrap_err();
        assert!(error.to_string().starts_with(says), "{error}");
    }
    assert!(lines(&shop).await.is_empty());
}

#[tokio::test]
async fn the_configuration_is_followed_at_each_start() {
    let (a, b) = ("https://a.example.com/", "https://b.example.com/");
    let first = Shop::open_with(&configured(a, KEY, "")).await.unwrap();
    first.endpoint("https://c.example.com/").await;
    assert_eq!(lines(&first).await.len(), 2);
    let id = |endpoints: Vec<suanpan_server::store::Endpoint>| {
        endpoints.into_iter().find(|endpoint| endpoint.source == "config").unwrap().id
    };
    let before = id(list_endpoints(&first.world, None, 100).await.unwrap());

    // Another key and other events: the same endpoint.
    let changed = configured(a, OTHER_KEY, "events = [\"order.paid\"]");
    let second = first.node(&changed, 2).await.unwrap();
    let endpoints = list_endpoints(&second.world, None, 100).await.unwrap();
    assert!(endpoints.iter().any(|endpoint| endpoint.secret == OTHER_KEY));
    assert_eq!(id(endpoints), before);
    let mut now = lines(&second).await;
    now.sort_unstable();
    assert_eq!(now, ["api https://c.example.com/ all", "config https://a.example.com/ order.paid"]);

    // Another address: the old one is taken out of use; that of the API stays.
    let third = first.node(&configured(b, KEY, ""), 3).await.unwrap();
    let mut now = lines(&third).await;
    now.sort_unstable();
    assert_eq!(now, ["api https://c.example.com/ all", "config https://b.example.com/ all"]);

    // And back again.
    let fourth = first.node(&configured(a, KEY, ""), 4).await.unwrap();
    assert_eq!(id(list_endpoints(&fourth.world, None, 100).await.unwrap()), before);
}

/// A start is no reason to call a receiver again that said it was gone.
#[tokio::test]
async fn a_start_calls_nobody_again_that_said_it_was_gone() {
    let receiver = Receiver::open(Mood::Answers(410)).await;
    let (here, elsewhere) = (receiver.url.as_str(), "https://b.example.com/");
    let first = Shop::open_with(&configured(here, KEY, "")).await.unwrap();
    let worker = first.work();
    first.happens(&first.order("tea-1").await, "order.paid").await;
    first.quiet().await;
    worker.stop().await;

    let mut seed = 1;
    for (what, webhooks, is_disabled) in [
        ("the same", configured(here, KEY, ""), true),
        ("other events", configured(here, KEY, "events = [\"order.paid\"]"), true),
        ("another key", configured(here, OTHER_KEY, ""), false),
    ] {
        seed += 1;
        let next = first.node(&webhooks, seed).await.unwrap();
        let disabled = list_endpoints(&next.world, None, 100).await.unwrap().remove(0).disabled;
        let reason = disabled.map(|(_, reason)| reason);
        let wanted = is_disabled.then(|| "answered 410 Gone".to_owned());
        assert_eq!(reason, wanted, "{what}");
    }

    // Out of the file and in again is a wish, too.
    let id = list_endpoints(&first.world, None, 100).await.unwrap().remove(0).id;
    let put = first.world.store().write(id, |tx, id| {
        Box::pin(async move { tx.endpoint_disable(id, 1, "answered 410 Gone").await })
    });
    assert!(put.await.unwrap());
    first.node(&configured(elsewhere, KEY, ""), 8).await.unwrap();
    let last = first.node(&configured(here, OTHER_KEY, ""), 9).await.unwrap();
    let endpoints = list_endpoints(&last.world, None, 100).await.unwrap();
    assert_eq!(endpoints.len(), 1);
    assert!(endpoints[0].disabled.is_none());
}

#[tokio::test]
async fn an_endpoint_of_the_configuration_is_changed_there_only() {
    let shop = Shop::open_with(&configured("https://a.example.com/", KEY, "")).await.unwrap();
    let id = list_endpoints(&shop.world, None, 100).await.unwrap().remove(0).id;
    for error in [
        delete_endpoint(&shop.world, &id, &Once::default()).await.unwrap_err(),
        rotate_secret(&shop.world, &id, None, &Once::default()).await.unwrap_err(),
    ] {
        let says = "`id` names an endpoint of the configuration; change it there";
        assert_eq!(error.to_string(), says);
    }
    assert_eq!(list_endpoints(&shop.world, None, 100).await.unwrap()[0].secret, KEY);
}

#[tokio::test]
async fn a_mistake_in_the_configuration_is_named_where_it_stands() {
    let url = "https://a.example.com/";
    let twice = configured(url, KEY, "") + &configured(url, KEY, "").replace(OPEN, "");
    for (webhooks, says) in [
        (configured("https://me:hunter2@a.test/", KEY, ""), "webhooks.endpoints[0].url"),
        (configured("nowhere", KEY, ""), "webhooks.endpoints[0].url"),
        (configured(url, "hunter2", ""), "webhooks.endpoints[0].secret"),
        (configured(url, KEY, "events = [\"order\"]"), "webhooks.endpoints[0].events"),
        (configured(url, KEY, "secret_file = \"key\""), "not both"),
        (format!("[[webhooks.endpoints]]\nurl = \"{url}\""), "webhooks.endpoints[0].secret: is"),
        (configured("http://127.0.0.1/", KEY, "").replace("true", "false"), "only https is called"),
        (twice, "webhooks.endpoints: an address stands there twice"),
        ("[webhooks]\ntimeout_seconds = 60".to_owned(), "1 to 50"),
    ] {
        let Err(error) = Shop::open_with(&webhooks).await else { panic!("{webhooks}") };
        assert!(error.to_string().contains(says), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_key_may_stand_in_a_file_of_its_own() {
    let mut receiver = Receiver::open(Mood::Answers(200)).await;
    let empty = Shop::open().await;
    std::fs::write(empty.path().join("webhook.key"), format!("{KEY}\n")).unwrap();
    let webhooks = configured(&receiver.url, "", "secret_file = \"webhook.key\"");
    let shop = empty.node(&webhooks.replace("secret = \"\"\n", ""), 2).await.unwrap();
    let _worker = shop.work();
    shop.happens(&shop.order("tea-1").await, "order.paid").await;
    receiver.next().await.check_signature(KEY);
}
