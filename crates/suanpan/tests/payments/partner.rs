//! Partner mode (服务商): one account sells for many, over both APIs.

use std::path::Path;

use serde_json::{Value, json};
use suanpan_server::Config;
use suanpan_wechat::v2::{Fields, RefundNotice, SignType};
use suanpan_wechat::{ApiV2Key, Fen, RefundStatus};

use crate::accounts::{account, public_key};
use crate::world::World;

/// The partner's place in `credentials.json`.
const PARTNER: usize = 4;

fn v3(config: &mut Config, credentials: &Value) {
    partner(config, credentials, "v3");
}

fn v2(config: &mut Config, credentials: &Value) {
    partner(config, credentials, "v2");
}

/// The partner's app sells for the first sub-merchant; the second has an app of its own.
fn partner(config: &mut Config, credentials: &Value, api: &str) {
    let entry = &credentials["merchants"][PARTNER];
    let secret = |appid: &Value| {
        let apps = credentials["apps"].as_array().unwrap();
        apps.iter().find(|app| app["appid"] == *appid).unwrap()["secret"].clone()
    };
    let (own, subs) = (&entry["apps"][0], &entry["sub_merchants"]);
    let theirs = &subs[1]["apps"][0];
    let text = format!(
        "[[merchants]]\nmchid = \"1\"\napi = \"v3\"\nmode = \"partner\"\nsp_appid = {own}\n\
         apps = [{{ appid = {own}, secret = {}, sub_mchid = {} }}, \
         {{ appid = {theirs}, secret = {}, sub_mchid = {}, owner = \"sub_merchant\" }}]\n",
        secret(own),
        subs[0]["mchid"],
        secret(theirs),
        subs[1]["mchid"],
    );
    let wanted = Config::parse(&text, Path::new("/")).unwrap().merchants.remove(0);
    let mut merchant = account(credentials, PARTNER, api, &public_key(credentials, PARTNER));
    (merchant.mode, merchant.sp_appid, merchant.apps) = (wanted.mode, wanted.sp_appid, wanted.apps);
    config.merchants.push(merchant);
}

/// The app in which orders of this sub-merchant are paid, and the sub-merchant.
fn shop(world: &World, nth: usize) -> (String, String) {
    let entry = &world.credentials["merchants"][PARTNER];
    let sub = &entry["sub_merchants"][nth];
    let app = if nth == 0 { &entry["apps"][0] } else { &sub["apps"][0] };
    (app.as_str().unwrap().to_owned(), sub["mchid"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_order_is_paid_to_its_sub_merchant() {
    for configure in [v3, v2] {
        let world = World::open_with(configure).await;
        for nth in [0, 1] {
            let (app, sub_mchid) = shop(&world, nth);
            let order = world.order(&format!("bun-{nth}"), &app).await;
            world.alice_pays(&app, &order).await;
            world.until_status(&order, "paid").await;

            let ledger = world.control("ledger", None).await;
            let placed = ledger["orders"].as_array().unwrap();
            let placed = placed.iter().find(|placed| placed["sub_mchid"] == sub_mchid).unwrap();
            assert_eq!(placed["mchid"], world.mchid(PARTNER), "{placed}");
            assert_eq!(placed["appid"], world.app(PARTNER), "{placed}");
            assert_eq!(placed["sub_appid"].as_str(), (nth == 1).then_some(app.as_str()));
        }
    }
}

#[tokio::test]
async fn a_lost_notification_and_another_payer_ask_and_close_for_the_sub_merchant() {
    for configure in [v3, v2] {
        let world = World::open_with(configure).await;
        for nth in [0, 1] {
            let (app, sub_mchid) = shop(&world, nth);
            let order = world.order(&format!("bun-{nth}"), &app).await;
            // Bob looked first: his attempt is closed at WeChat before alice gets hers.
            assert_eq!(world.pay("bob", &app, &order).await.status, 200);
            world.fault("notify", "lose", json!({ "times": 1 })).await;
            world.alice_pays(&app, &order).await;
            let ledger = world.control("ledger", None).await;
            let attempts = ledger["orders"].as_array().unwrap().iter();
            let own = attempts.filter(|placed| placed["sub_mchid"] == sub_mchid);
            let mut states: Vec<_> = own.map(|own| own["trade_state"].as_str().unwrap()).collect();
            states.sort_unstable();
            assert_eq!(states, ["CLOSED", "SUCCESS"]);

            assert_eq!(world.status(&order).await, "paying");
            assert_eq!(world.confirm(&order).await.json["status"], "paid");
        }
    }
}

/// A genuine notice for the right number, to the wrong sub-merchant: the money is another's.
#[tokio::test]
async fn money_of_another_sub_merchant_moves_nothing() {
    let world = World::open_with(v2).await;
    let ((app, sub_mchid), (_, other)) = (shop(&world, 0), shop(&world, 1));
    let order = world.order("bun-1", &app).await;
    assert_eq!(world.pay("alice", &app, &order).await.status, 200);
    let ledger = world.control("ledger", None).await;
    let placed = &ledger["orders"][0];
    let text = |name: &str| placed[name].as_str().unwrap().to_owned();
    let key = world.credentials["merchants"][PARTNER]["api_v2_key"].as_str().unwrap();
    let notice = |sub: Option<&str>| {
        let mut fields = Fields::new();
        for (name, value) in [
            ("return_code", "SUCCESS"),
            ("result_code", "SUCCESS"),
            ("appid", text("appid").as_str()),
            ("mch_id", text("mchid").as_str()),
            ("nonce_str", "n1"),
            ("openid", text("openid").as_str()),
            ("trade_type", "JSAPI"),
            ("bank_type", "OTHERS"),
            ("total_fee", "990"),
            ("cash_fee", "990"),
            ("transaction_id", "4200000000202601010000000001"),
            ("out_trade_no", text("out_trade_no").as_str()),
            ("time_end", "20260101080000"),
        ] {
            fields.set(name, value);
        }
        fields.set_optional("sub_mch_id", sub);
        fields.signed(SignType::Md5, &ApiV2Key::parse(key).unwrap()).to_xml()
    };
    for sub in [None, Some(other.as_str())] {
        let answer =
            world.notice(&world.mchid(PARTNER), &[("content-type", "text/xml")], notice(sub)).await;
        answer.is_problem(409, "SP-NOTIFY-MISMATCH");
        assert_eq!(world.status(&order).await, "paying");
    }
    assert!(world.timeline(&order).await.contains("for another sub-merchant"));

    let right = notice(Some(&sub_mchid));
    let answer = world.notice(&world.mchid(PARTNER), &[("content-type", "text/xml")], right).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(world.status(&order).await, "paid");
}

#[tokio::test]
async fn money_goes_back_for_its_sub_merchant() {
    for configure in [v3, v2] {
        let world = World::open_with(configure).await;
        for nth in [0, 1] {
            let (app, sub_mchid) = shop(&world, nth);
            let order = world.paid(&format!("bun-{nth}"), &app).await;
            let made = world.refund(&order, json!({ "amount": 490 })).await;
            assert_eq!(made.status, 201, "{}", made.json);
            assert_eq!(made.json["problem"], Value::Null, "{}", made.json);
            // Told by the notification.
            world.advance(2);
            world.until_told(&order, "processing → succeeded").await;

            // This one's is lost, so the question has to name the sub-merchant too.
            world.advance(60);
            world.fault("notify", "lose", json!({ "times": 1 })).await;
            let made = world.refund(&order, json!({})).await;
            assert_eq!(made.status, 201, "{}", made.json);
            world.advance(60);
            let id = made.json["id"].clone();
            world
                .until("succeeded", async || world.refund_now(&id).await["status"] == "succeeded")
                .await;
            let refunds = world.refunds_at_wechat().await;
            let own = refunds.iter().filter(|refund| refund["sub_mchid"] == sub_mchid);
            assert_eq!(own.map(|refund| refund["amount"].as_i64()).sum::<Option<i64>>(), Some(990));
        }
    }
}

/// WeChat's own key signs it, and the numbers are ours: but the money was another sub-merchant's.
#[tokio::test]
async fn a_refund_of_another_sub_merchant_moves_nothing() {
    let world = World::open_with(v2).await;
    let ((app, sub_mchid), (_, other)) = (shop(&world, 0), shop(&world, 1));
    let order = world.paid("bun-1", &app).await;
    world.control("switches", Some(json!({ "refund_ends": "NEVER" }))).await;
    let made = world.refund(&order, json!({})).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let held = world.refunds_at_wechat().await.remove(0);
    let key =
        ApiV2Key::parse(world.credentials["merchants"][PARTNER]["api_v2_key"].as_str().unwrap());
    let text = |name: &str| held[name].as_str().unwrap().to_owned();
    let notice = |sub: &str| {
        let notice = RefundNotice {
            appid: text("appid").parse().unwrap(),
            mch_id: text("mchid").parse().unwrap(),
            sub_appid: None,
            sub_mch_id: Some(sub.parse().unwrap()),
            transaction_id: text("transaction_id").parse().unwrap(),
            out_trade_no: text("out_trade_no").parse().unwrap(),
            refund_id: text("refund_id").parse().unwrap(),
            out_refund_no: text("out_refund_no").parse().unwrap(),
            total_fee: Fen::new(990).unwrap(),
            settlement_total_fee: None,
            refund_fee: Fen::new(990).unwrap(),
            settlement_refund_fee: None,
            cash_refund_fee: None,
            refund_status: RefundStatus::Success,
            success_time: None,
            received_account: None,
            refund_account: None,
            refund_request_source: None,
        };
        notice.fields(key.as_ref().unwrap()).to_xml()
    };
    let to = world.mchid(PARTNER);
    let answer = world.notice(&to, &[("content-type", "text/xml")], notice(&other)).await;
    answer.is_problem(409, "SP-NOTIFY-MISMATCH");
    assert!(world.timeline(&order).await.contains("sub-merchant"));

    let answer = world.notice(&to, &[("content-type", "text/xml")], notice(&sub_mchid)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    // A notice of APIv2 proves nothing: WeChat was asked, and the refund is as it was.
    assert_eq!(world.refund_now(&made.json["id"]).await["status"], "processing");
}
