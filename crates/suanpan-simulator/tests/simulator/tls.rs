//! The port that speaks TLS: refunds of APIv2 show the merchant's certificate, with real handshakes.

use suanpan_wechat::v2::{self, Fields, SignType};
use suanpan_wechat::{Fen, OutRefundNo};

use crate::common::Sim;
use crate::merchant::{Merchant, NOWHERE, number};

/// A client that trusts the port, and shows these files where it is asked.
fn client(sim: &Sim, identity: Option<String>) -> reqwest::Client {
    let ca = std::fs::read(sim.credentials["tls_ca_certificate"].as_str().unwrap()).unwrap();
    let ca = reqwest::Certificate::from_pem(&ca).unwrap();
    let builder = reqwest::Client::builder().no_proxy().tls_certs_only([ca]);
    match identity {
        None => builder,
        Some(pem) => builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap()),
    }
    .build()
    .unwrap()
}

/// The merchant's own certificate and key.
fn identity(merchant: &Merchant) -> String {
    let read = |name: &str| std::fs::read_to_string(merchant.entry[name].as_str().unwrap());
    [read("merchant_certificate").unwrap(), read("merchant_private_key").unwrap()].concat()
}

fn refund(sim: &Sim, merchant: &Merchant) -> Vec<u8> {
    let order = v2::RefundOrder {
        appid: merchant.appid.clone(),
        sub_appid: None,
        sub_mch_id: None,
        transaction_id: None,
        out_trade_no: Some(number("order_0001")),
        out_refund_no: OutRefundNo::parse("R-order_0001").unwrap(),
        total_fee: Fen::new(990).unwrap(),
        refund_fee: Fen::new(990).unwrap(),
        refund_fee_type: None,
        refund_desc: None,
        refund_account: None,
        notify_url: None,
    };
    let call = v2::PlaceRefund { account: merchant.v2(SignType::Md5), order: &order };
    sim.question(&call).into_body()
}

async fn ask(
    sim: &Sim,
    client: &reqwest::Client,
    path: &str,
    body: Vec<u8>,
) -> reqwest::Result<(u16, String)> {
    let url = format!("{}{path}", sim.credentials["tls_url"].as_str().unwrap());
    let answer = client.post(url).body(body).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

#[tokio::test]
async fn a_refund_is_granted_to_who_shows_the_merchants_certificate() {
    let sim = Sim::start().await;
    let (merchant, other) = (sim.merchant(1), sim.merchant(3));
    merchant.sell_v2(&sim, "order_0001", NOWHERE, SignType::Md5).await;
    let body = refund(&sim, &merchant);
    const REFUND: &str = "/secapi/pay/refund";

    // Whoever shows none hears the web server; all else is open to them, as with WeChat.
    let nobody = client(&sim, None);
    let (status, page) = ask(&sim, &nobody, REFUND, body.clone()).await.unwrap();
    assert_eq!((status, page.contains("No required SSL certificate was sent")), (400, true));
    let (status, xml) = ask(&sim, &nobody, "/pay/refundquery", body.clone()).await.unwrap();
    assert_eq!((status, xml.contains("REFUNDNOTEXIST")), (200, true), "{xml}");

    // Another merchant's is genuine, and not the one that asks.
    let theirs = client(&sim, Some(identity(&other)));
    let (_, xml) = ask(&sim, &theirs, REFUND, body.clone()).await.unwrap();
    assert_eq!(Fields::parse(xml.as_bytes()).unwrap().get("err_code"), Some("CERT_ERROR"));

    // A certificate that WeChat never issued ends the handshake.
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::new(["1900000109".to_owned()]).unwrap();
    let made = made.self_signed(&key).unwrap().pem() + &key.serialize_pem();
    assert!(ask(&sim, &client(&sim, Some(made)), REFUND, body.clone()).await.is_err());
    assert_eq!(sim.ledger().await["refunds"].as_array().map(Vec::len), Some(0));

    let own = client(&sim, Some(identity(&merchant)));
    let (_, xml) = ask(&sim, &own, REFUND, body).await.unwrap();
    assert_eq!(Fields::parse(xml.as_bytes()).unwrap().get("result_code"), Some("SUCCESS"), "{xml}");
    assert_eq!(sim.ledger().await["refunds"].as_array().map(Vec::len), Some(1));
}

/// The merchant's certificate is public: who has it and not its key has nothing.
#[tokio::test]
async fn a_certificate_without_its_key_is_nothing() {
    let sim = Sim::start().await;
    let (merchant, other) = (sim.merchant(1), sim.merchant(3));
    let read = |merchant: &Merchant, name: &str| {
        std::fs::read_to_string(merchant.entry[name].as_str().unwrap()).unwrap()
    };
    let mixed = read(&merchant, "merchant_certificate") + &read(&other, "merchant_private_key");
    let ca = std::fs::read(sim.credentials["tls_ca_certificate"].as_str().unwrap()).unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(&ca).unwrap()])
        .identity(reqwest::Identity::from_pem(mixed.as_bytes()).unwrap())
        .build();
    // The client's own library sees that they are no pair; one that did not would fail in the handshake.
    let refused = match client {
        Err(_) => true,
        Ok(client) => {
            ask(&sim, &client, "/secapi/pay/refund", refund(&sim, &merchant)).await.is_err()
        }
    };
    assert!(refused);
}

/// A caller that connects and says nothing holds up nobody.
#[tokio::test]
async fn a_silent_caller_holds_up_nobody() {
    let sim = Sim::start().await;
    let address = sim.credentials["tls_url"].as_str().unwrap().trim_start_matches("https://");
    let silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let merchant = sim.merchant(1);
    let asked = ask(&sim, &client(&sim, None), "/pay/refundquery", refund(&sim, &merchant)).await;
    assert_eq!(asked.unwrap().0, 200);
    drop(silent);
}
