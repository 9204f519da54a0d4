//! WeChat will not place a number that lives already: it is asked how that one stands, and nobody pays twice.

use insta::assert_snapshot;
use serde_json::json;
use suanpan_wechat::ApiV2Key;
use suanpan_wechat::v2::{Fields, SignType};

use crate::world::World;

const CLOSE: [&str; 2] =
    ["POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close", "POST /pay/closeorder"];

/// No `prepay_id` is signed twice: each time the same number is placed again.
async fn placing_again() -> World {
    World::open_with(|config, _| {
        config.orders.prepay_seconds = 0;
    })
    .await
}

/// The same, where WeChat does not answer at all.
async fn impatient() -> World {
    World::open_with(|config, _| {
        config.orders.prepay_seconds = 0;
        config.wechat.timeout_seconds = 2;
    })
    .await
}

impl World {
    /// What WeChat answered last when this was asked.
    async fn last_code(&self, path: &str) -> String {
        let requests = self.control("requests", None).await;
        let requests = requests["requests"].as_array().unwrap();
        let of_it = |request: &&serde_json::Value| request["path"] == path;
        let answer = &requests.iter().rev().find(of_it).unwrap()["answer"];
        answer["body"].as_str().unwrap().to_owned()
    }
}

const PLACE: [&str; 2] = ["/v3/pay/transactions/jsapi", "/pay/unifiedorder"];

#[tokio::test]
async fn who_paid_unnoticed_and_presses_again_has_paid() {
    let world = placing_again().await;
    world.fault("notify", "lose", json!({})).await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.alice_pays(&app, &order).await;
        assert_eq!(world.status(&order).await, "paying");
        let again = world.pay("alice", &app, &order).await;
        assert_eq!((again.status, &again.json), (200, &json!({ "alreadyPaid": true })));
        let said = world.last_code(PLACE[nth]).await;
        assert!(said.contains("ORDERPAID") || said.contains("ORDER_PAID"), "{said}");
        world.until_told(&order, "order.paid →").await;
        if nth == 0 {
            assert_snapshot!(world.story(&order).await, @r"
            2026-01-01 08:00:00 order        created: 9.90 CNY, tea-0
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO by APIv3
            2026-01-01 08:00:00 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
            2026-01-01 08:00:00 second_sign  RSA paySign for prepay_id=PREPAY_ID
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 query        asked for OUT_TRADE_NO: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:00 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        } else {
            assert_snapshot!(world.story(&order).await, @r"
            2026-01-01 08:00:00 order        created: 9.90 CNY, tea-1
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO by APIv2
            2026-01-01 08:00:00 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
            2026-01-01 08:00:00 second_sign  MD5 paySign for prepay_id=PREPAY_ID
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 query        asked for OUT_TRADE_NO: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:00 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        }
    }
}

#[tokio::test]
async fn an_attempt_that_was_closed_unnoticed_is_followed_by_another() {
    let world = impatient().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        assert_eq!(world.pay("alice", &app, &order).await.status, 200);
        // Bob's sheet wants hers closed, and it is; the answer is lost.
        world.fault(CLOSE[nth], "timeout_after", json!({ "times": 1 })).await;
        world.pay("bob", &app, &order).await.is_problem(503, "SP-WECHAT-UNKNOWN");
        world.alice_pays(&app, &order).await;
        let placed = world.control("requests", None).await.to_string();
        assert!(placed.contains("ORDERCLOSED") || placed.contains("ORDER_CLOSED"));
        world.until_told(&order, "order.paid →").await;
        if nth == 0 {
            assert_snapshot!(world.story(&order).await, @r"
            2026-01-01 08:00:00 order        created: 9.90 CNY, tea-0
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO by APIv3
            2026-01-01 08:00:00 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
            2026-01-01 08:00:00 second_sign  RSA paySign for prepay_id=PREPAY_ID
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 query        asked for OUT_TRADE_NO: NOTPAY
            2026-01-01 08:00:00 query        OUT_TRADE_NO: the answer to the close is not known; asking soon
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 close        OUT_TRADE_NO: CLOSED
            2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO-2 by APIv3
            2026-01-01 08:00:00 prepay       PREPAY_ID-2 for OUT_TRADE_NO-2, N ms
            2026-01-01 08:00:00 second_sign  RSA paySign for prepay_id=PREPAY_ID-2
            2026-01-01 08:00:00 notify       verified by KEY_ID: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:00 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        } else {
            assert_snapshot!(world.story(&order).await, @r"
            2026-01-01 08:00:01 order        created: 9.90 CNY, tea-1
            2026-01-01 08:00:01 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:01 prepay       attempt OUT_TRADE_NO by APIv2
            2026-01-01 08:00:01 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
            2026-01-01 08:00:01 second_sign  MD5 paySign for prepay_id=PREPAY_ID
            2026-01-01 08:00:01 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:01 query        asked for OUT_TRADE_NO: NOTPAY
            2026-01-01 08:00:01 query        OUT_TRADE_NO: the answer to the close is not known; asking soon
            2026-01-01 08:00:01 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:01 close        OUT_TRADE_NO: CLOSED
            2026-01-01 08:00:01 prepay       attempt OUT_TRADE_NO-2 by APIv2
            2026-01-01 08:00:01 prepay       PREPAY_ID-2 for OUT_TRADE_NO-2, N ms
            2026-01-01 08:00:01 second_sign  MD5 paySign for prepay_id=PREPAY_ID-2
            2026-01-01 08:00:01 notify       verified by the APIv2 key: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:01 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        }
        world.advance(1);
    }
    let ledger = world.control("ledger", None).await;
    assert_eq!(ledger["payments"].as_array().unwrap().len(), 2, "{ledger:#}");
}

/// Somebody else of the merchant's places this number with another amount.
async fn squat(world: &World, number: &str) {
    let key = world.credentials["merchants"][1]["api_v2_key"].as_str().unwrap();
    let code = world.login("bob", &world.app(1)).await;
    let app = world.credentials["apps"].as_array().unwrap();
    let app = app.iter().find(|app| app["appid"] == world.app(1).as_str()).unwrap();
    let secret = app["secret"].as_str().unwrap();
    let session = format!(
        "{}/sns/jscode2session?appid={}&secret={secret}&js_code={code}&grant_type=authorization_code",
        world.simulator,
        world.app(1)
    );
    let openid = world.call("GET", session, None).await.json["openid"].clone();
    let mut fields = Fields::new();
    for (name, value) in [
        ("appid", world.app(1).as_str()),
        ("mch_id", world.mchid(1).as_str()),
        ("nonce_str", "n1"),
        ("body", "another"),
        ("out_trade_no", number),
        ("total_fee", "1"),
        ("spbill_create_ip", "127.0.0.1"),
        ("notify_url", &format!("{}/wechat/notify/{}", world.url, world.mchid(1))),
        ("trade_type", "JSAPI"),
        ("openid", openid.as_str().unwrap()),
    ] {
        fields.set(name, value);
    }
    let body = fields.signed(SignType::Md5, &ApiV2Key::parse(key).unwrap()).to_xml();
    let url = format!("{}/pay/unifiedorder", world.simulator);
    let said = reqwest::Client::new().post(url).body(body).send().await.unwrap();
    let said = said.text().await.unwrap();
    assert!(said.contains("prepay_id"), "{said}");
}

#[tokio::test]
async fn a_number_that_stands_for_something_else_is_closed_and_left() {
    let world = impatient().await;
    let app = world.app(1);
    let order = world.order("tea-1", &app).await;
    world.fault("POST /pay/unifiedorder", "timeout_before", json!({ "times": 1 })).await;
    world.pay("alice", &app, &order).await.is_problem(503, "SP-WECHAT-UNKNOWN");
    let timeline = world.merchant("GET", &format!("/v1/orders/{order}/timeline"), None).await.json;
    let entries = timeline["entries"].as_array().unwrap();
    let number = entries.iter().find_map(|entry| entry["detail"]["out_trade_no"].as_str()).unwrap();
    squat(&world, number).await;

    world.alice_pays(&app, &order).await;
    world.until_told(&order, "order.paid →").await;
    let requests = world.control("requests", None).await.to_string();
    assert!(requests.contains("OUT_TRADE_NO_USED") || requests.contains("INVALID_REQUEST"));
    assert_snapshot!(world.story(&order).await, @r"
    2026-01-01 08:00:00 order        created: 9.90 CNY, tea-1
    2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
    2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO by APIv2
    2026-01-01 08:00:00 query        OUT_TRADE_NO: the answer is not known: https://wechat did not answer in time; asking soon
    2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
    2026-01-01 08:00:00 query        asked for OUT_TRADE_NO: NOTPAY
    2026-01-01 08:00:00 close        OUT_TRADE_NO: closed at WeChat
    2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO-2 by APIv2
    2026-01-01 08:00:00 prepay       PREPAY_ID for OUT_TRADE_NO-2, N ms
    2026-01-01 08:00:00 second_sign  MD5 paySign for prepay_id=PREPAY_ID
    2026-01-01 08:00:00 notify       verified by the APIv2 key: 9.90 by TRANSACTION_ID, paying → paid
    2026-01-01 08:00:00 webhook      order.paid → 127.0.0.1 200, N ms
    ");
}
