//! APIv2 gives money back over mutual TLS only: real certificates, real handshakes, from PEM files and from a p12.

use serde_json::{Value, json};
use suanpan_server::Config;

use crate::world::World;

/// The merchant that speaks APIv2.
const BOOKS: usize = 1;

/// Everything goes to the simulator's TLS port, which its own authority vouches for.
fn over_tls(config: &mut Config, credentials: &Value) {
    let text = |name: &str| credentials[name].as_str().unwrap();
    config.wechat.merchant_hosts = vec![text("tls_url").to_owned()];
    config.wechat.ca_certificates = vec![text("tls_ca_certificate").into()];
}

/// As WeChat hands it out; the password is the merchant number.
fn with_p12(config: &mut Config, credentials: &Value) {
    over_tls(config, credentials);
    let file = credentials["merchants"][BOOKS]["merchant_p12"].as_str().unwrap();
    let merchant = &mut config.merchants[BOOKS];
    (merchant.merchant_certificate, merchant.merchant_private_key) = (None, None);
    merchant.merchant_p12 = Some(file.into());
}

fn without_identity(config: &mut Config, credentials: &Value) {
    over_tls(config, credentials);
    let merchant = &mut config.merchants[BOOKS];
    (merchant.merchant_certificate, merchant.merchant_private_key) = (None, None);
}

fn with_another_authority(config: &mut Config, credentials: &Value) {
    over_tls(config, credentials);
    config.wechat.ca_certificates.clear();
}

#[tokio::test]
async fn money_goes_back_where_the_certificate_is_shown() {
    for configure in [over_tls, with_p12] {
        let world = World::open_with(configure).await;
        // APIv3 is asked over TLS too, and shows nothing there.
        for nth in [0, BOOKS] {
            let order = world.paid(&format!("tea-{nth}"), &world.app(nth)).await;
            let made = world.refund(&order, json!({})).await;
            assert_eq!((made.status, &made.json["problem"]), (201, &Value::Null), "{}", made.json);
            world.advance(2);
            world.until_told(&order, "processing → succeeded").await;
        }
        let refunds = world.refunds_at_wechat().await;
        let apis: Vec<_> = refunds.iter().map(|refund| refund["api"].as_str().unwrap()).collect();
        assert_eq!(apis, ["v3", "v2"]);
    }
}

#[tokio::test]
async fn without_a_certificate_nothing_is_asked_for_and_the_setting_is_named() {
    let world = World::open_with(without_identity).await;
    let order = world.paid("book-1", &world.app(BOOKS)).await;
    let made = world.refund(&order, json!({})).await;
    made.is_problem(500, "SP-CONFIG");
    assert_eq!(world.refunds_at_wechat().await, Vec::<Value>::new());
    assert_eq!(world.asked("/secapi/pay/refund").await, 0);
}

/// A host whose certificate nobody vouches for is never told an order.
#[tokio::test]
async fn a_host_that_nobody_vouches_for_is_told_nothing() {
    let world = World::open_with(with_another_authority).await;
    let order = world.order("book-1", &world.app(BOOKS)).await;
    let paid = world.pay("alice", &world.app(BOOKS), &order).await;
    assert_eq!(paid.status, 503, "{}", paid.json);
    assert_eq!(world.asked("/pay/unifiedorder").await, 0);
}
