//! Order shipping information: what may be uploaded, when, and how it is told.

use serde_json::{Value, json};

use crate::common::Sim;
use crate::merchant::{Merchant, NOWHERE};
use crate::tokens;

const UPLOAD: &str = "upload_shipping_info";

/// A shop with one paid order that shipping management knows.
struct Shop {
    sim: Sim,
    merchant: Merchant,
    token: String,
    transaction_id: String,
    openid: String,
}

impl Shop {
    async fn open() -> Self {
        let sim = Sim::start().await;
        let merchant = sim.merchant(0);
        merchant.sell_v3(&sim, "order_0001", NOWHERE).await;
        sim.advance(10).await;
        let order = sim.ledger().await["orders"][0].clone();
        let text = |name: &str| order[name].as_str().unwrap().to_owned();
        Self {
            token: tokens::token(&sim, &merchant).await,
            transaction_id: text("transaction_id"),
            openid: text("openid"),
            merchant,
            sim,
        }
    }

    async fn call(&self, name: &str, body: Value) -> Value {
        let path = format!("/wxa/sec/order/{name}?access_token={}", self.token);
        self.sim.post(&path, body).await.json()
    }

    async fn code(&self, name: &str, body: Value) -> i64 {
        self.call(name, body).await["errcode"].as_i64().unwrap()
    }

    /// A parcel by express, by now.
    fn parcel(&self, seconds: i64) -> Value {
        json!({
            "order_key": { "order_number_type": 2, "transaction_id": self.transaction_id },
            "logistics_type": 1,
            "delivery_mode": 1,
            "shipping_list": [
                { "tracking_no": "ZTO1", "express_company": "ZTO", "item_desc": "龙井" },
            ],
            "upload_time": format!("2026-01-01T08:01:{seconds:02}.000+08:00"),
            "payer": { "openid": self.openid },
        })
    }

    /// So much of the payment goes back.
    async fn refund(&self, number: &str, amount: i64) {
        let body = json!({
            "transaction_id": self.transaction_id,
            "out_refund_no": number,
            "amount": { "refund": amount, "total": 990, "currency": "CNY" },
        });
        let path = "/v3/refund/domestic/refunds";
        let body = body.to_string();
        let question = self.merchant.v3_question(&self.sim, "POST", path, body.as_bytes());
        let said = self.sim.send(question).await;
        assert_eq!(said.status, 200, "{said:?}");
    }

    async fn order(&self) -> Value {
        let asked = json!({ "transaction_id": self.transaction_id });
        self.call("get_order", asked).await["order"].clone()
    }
}

#[tokio::test]
async fn a_parcel_is_shipped_corrected_once_and_confirmed() {
    let shop = Shop::open().await;
    let order = shop.order().await;
    assert_eq!((&order["order_state"], &order["paid_amount"]), (&json!(1), &json!(990)));
    let told = shop.sim.ledger().await["orders"][0]["shipping"].clone();
    assert_eq!(
        (&told["order_state"], &told["ship_by"]),
        (&json!(1), &json!("2026-01-03T08:00:00+08:00"))
    );

    assert_eq!(shop.code(UPLOAD, shop.parcel(1)).await, 0);
    let order = shop.order().await;
    assert_eq!((&order["order_state"], &order["description"]), (&json!(2), &json!("龙井")));
    assert_eq!(order["shipping"]["finish_shipping_count"], 1);
    assert_eq!(order["shipping"]["shipping_list"][0]["tracking_no"], "ZTO1");

    assert_eq!(shop.code(UPLOAD, shop.parcel(2)).await, 10_060_023, "nothing has changed");
    shop.sim.switch("shipping_repeated_code", json!(10_060_002)).await;
    assert_eq!(shop.code(UPLOAD, shop.parcel(2)).await, 10_060_002);

    let mut corrected = shop.parcel(2);
    corrected["shipping_list"][0]["tracking_no"] = "ZTO2".into();
    assert_eq!(shop.code(UPLOAD, corrected.clone()).await, 0);
    corrected["shipping_list"][0]["tracking_no"] = "ZTO3".into();
    corrected["upload_time"] = "2026-01-01T08:01:03+08:00".into();
    assert_eq!(shop.code(UPLOAD, corrected.clone()).await, 10_060_003);
    assert_eq!(shop.order().await["shipping"]["shipping_list"][0]["tracking_no"], "ZTO2");

    let receipt = json!({ "transaction_id": shop.transaction_id });
    shop.sim.control("confirm-receipt", receipt.clone()).await;
    assert_eq!(shop.order().await["order_state"], 3);
    assert_eq!(shop.code(UPLOAD, corrected).await, 10_060_004);
    assert_eq!(shop.sim.post("/_sim/confirm-receipt", receipt).await.status, 404);

    let before = shop.sim.ledger().await;
    assert_eq!(shop.sim.restart().await.ledger().await, before, "it survives");
}

#[tokio::test]
async fn every_mistake_has_its_number() {
    let shop = Shop::open().await;
    let good = shop.parcel(1);
    let long = "茶".repeat(121);
    for (pointer, value, code) in [
        ("/order_key/order_number_type", json!(3), 268_485_194),
        ("/order_key/transaction_id", json!(""), 268_485_195),
        ("/order_key/order_number_type", json!(1), 268_485_196),
        ("/order_key", json!({ "order_number_type": 1, "mchid": "1" }), 268_485_197),
        ("/order_key/transaction_id", json!("4200000000000000000000000000"), 10_060_001),
        ("/logistics_type", json!(5), 10_060_005),
        ("/delivery_mode", json!(0), 268_485_224),
        ("/delivery_mode", json!("UNIFIED_DELIVERY"), 47001),
        ("/delivery_mode", json!(2), 10_060_007),
        ("/shipping_list", json!([]), 268_485_228),
        ("/shipping_list", json!({}), 47001),
        ("/shipping_list/0/tracking_no", json!(""), 268_485_226),
        ("/shipping_list/0/tracking_no", json!("1".repeat(129)), 10_060_026),
        ("/shipping_list/0/express_company", json!(""), 268_485_227),
        ("/shipping_list/0/express_company", json!("Z".repeat(129)), 10_060_025),
        ("/shipping_list/0/express_company", json!("中通"), 10_060_014),
        ("/shipping_list/0/express_company", json!("SF"), 10_060_014),
        ("/shipping_list/0/item_desc", json!(""), 10_060_008),
        ("/shipping_list/0/item_desc", json!(long), 10_060_009),
        ("/upload_time", json!("2026-01-01 08:01:00"), 268_485_216),
        ("/upload_time", json!("2026-01-01T08:01:00"), 268_485_216),
        ("/payer/openid", json!("oSomebodyElse"), 10_060_031),
    ] {
        let mut asked = good.clone();
        *asked.pointer_mut(pointer).unwrap() = value;
        assert_eq!(shop.code(UPLOAD, asked.clone()).await, code, "{pointer}: {asked}");
    }
    let mut split = good.clone();
    split["delivery_mode"] = 2.into();
    split["is_all_delivered"] = true.into();
    split["logistics_type"] = 3.into();
    assert_eq!(shop.code(UPLOAD, split.clone()).await, 10_060_006);
    split["logistics_type"] = 1.into();
    split["shipping_list"] = vec![good["shipping_list"][0].clone(); 16].into();
    assert_eq!(shop.code(UPLOAD, split.clone()).await, 10_060_024);
    split["shipping_list"] = json!([{ "item_desc": "" }, { "item_desc": "" }]);
    assert_eq!(shop.code(UPLOAD, split).await, 10_060_020);
    assert_eq!(shop.order().await["order_state"], 1, "none of these has shipped anything");
    assert_eq!(shop.code(UPLOAD, good).await, 0);
}

#[tokio::test]
async fn sf_wants_a_masked_telephone() {
    let shop = Shop::open().await;
    let mut asked = shop.parcel(1);
    asked["shipping_list"][0]["express_company"] = "SF".into();
    for (contact, code) in [
        (json!({}), 10_060_014),
        (json!({ "receiver_contact": "18912341234" }), 10_060_014),
        (json!({ "receiver_contact": "189****123*" }), 10_060_014),
        (json!({ "consignor_contact": "189****1234" }), 0),
    ] {
        asked["shipping_list"][0]["contact"] = contact;
        assert_eq!(shop.code(UPLOAD, asked.clone()).await, code, "{asked}");
    }
}

#[tokio::test]
async fn several_parcels_are_shipped_when_the_last_one_is() {
    let shop = Shop::open().await;
    let mut asked = shop.parcel(1);
    asked["delivery_mode"] = 2.into();
    asked["is_all_delivered"] = false.into();
    assert_eq!(shop.code(UPLOAD, asked.clone()).await, 0);
    assert_eq!(shop.order().await["order_state"], 1);
    asked["shipping_list"][0]["tracking_no"] = "ZTO2".into();
    asked["is_all_delivered"] = true.into();
    assert_eq!(shop.code(UPLOAD, asked.clone()).await, 10_060_014, "not later than the last");
    asked["upload_time"] = "2026-01-01T08:02:00+08:00".into();
    assert_eq!(shop.code(UPLOAD, asked).await, 0);
    let order = shop.order().await;
    assert_eq!((&order["order_state"], &order["description"]), (&json!(2), &json!("龙井;龙井")));
    assert_eq!(order["shipping"]["shipping_list"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_payment_is_known_after_some_seconds_to_its_own_app_if_that_is_managed() {
    let shop = Shop::open().await;
    shop.sim.switch("shipping_payment_known_after_seconds", json!(60)).await;
    assert_eq!(shop.code(UPLOAD, shop.parcel(1)).await, 10_060_001);
    shop.sim.advance(50).await;

    let app = json!({ "appid": shop.merchant.appid });
    assert_eq!(shop.call("is_trade_managed", app.clone()).await["is_trade_managed"], true);
    let confirmed = "is_trade_management_confirmation_completed";
    assert_eq!(shop.call(confirmed, app.clone()).await["completed"], true);
    shop.sim.switch("trade_unmanaged_apps", json!([shop.merchant.appid])).await;
    assert_eq!(shop.call("is_trade_managed", app).await["is_trade_managed"], false);
    assert_eq!(shop.code(UPLOAD, shop.parcel(1)).await, 10_060_001);
    assert_eq!(shop.sim.ledger().await["orders"][0]["shipping"], Value::Null);
    shop.sim.switch("trade_unmanaged_apps", json!([])).await;

    let other = shop.sim.merchant(1);
    assert_eq!(shop.code("is_trade_managed", json!({ "appid": other.appid })).await, 61003);
    assert_eq!(shop.code("is_trade_managed", json!({ "appid": "wx0" })).await, 40013);
    let stranger = tokens::token(&shop.sim, &other).await;
    let mine = shop.parcel(1);
    let theirs = Shop { token: stranger, ..shop };
    assert_eq!(theirs.code(UPLOAD, mine).await, 10_060_001, "it was paid in another app");
}

#[tokio::test]
async fn a_reminder_goes_out_once_for_what_is_shipped_by_express() {
    let shop = Shop::open().await;
    let remind =
        |received: i64| json!({ "transaction_id": shop.transaction_id, "received_time": received });
    let later = shop.sim.now() + 3600;
    let name = "notify_confirm_receive";
    assert_eq!(shop.code(name, remind(later)).await, 10_060_028);
    assert_eq!(shop.code(UPLOAD, shop.parcel(1)).await, 0);
    assert_eq!(shop.code(name, remind(1)).await, 10_060_029);
    assert_eq!(shop.code(name, remind(later)).await, 0);
    assert_eq!(shop.code(name, remind(later)).await, 10_060_030);

    let mut virtually = shop.parcel(2);
    virtually["logistics_type"] = 3.into();
    virtually["shipping_list"] = json!([{ "item_desc": "会员" }]);
    assert_eq!(shop.code(UPLOAD, virtually).await, 0, "a change of the way is the one correction");
    assert_eq!(shop.code(name, remind(later)).await, 10_060_032);
}

#[tokio::test]
async fn a_list_is_narrowed_and_comes_in_pages() {
    let shop = Shop::open().await;
    shop.merchant.sell_v3(&shop.sim, "order_0002", NOWHERE).await;
    shop.sim.advance(10).await;
    assert_eq!(shop.code(UPLOAD, shop.parcel(1)).await, 0);

    let numbers = |page: &Value| -> Vec<String> {
        let orders = page["order_list"].as_array().unwrap().iter();
        orders.map(|order| order["merchant_trade_no"].as_str().unwrap().to_owned()).collect()
    };
    let page = shop.call("get_order_list", json!({ "page_size": 1 })).await;
    assert_eq!((numbers(&page), &page["has_more"]), (vec!["order_0001".to_owned()], &json!(true)));
    let next = json!({ "page_size": 1, "last_index": page["last_index"] });
    let page = shop.call("get_order_list", next).await;
    assert_eq!((numbers(&page), &page["has_more"]), (vec!["order_0002".to_owned()], &json!(false)));
    for (narrowed, expected) in [
        (json!({ "order_state": 2 }), vec!["order_0001"]),
        (json!({ "openid": "oNobody" }), vec![]),
        (json!({ "pay_time_range": { "begin_time": shop.sim.now() + 5 } }), vec!["order_0002"]),
        (json!({ "pay_time_range": { "end_time": shop.sim.now() + 5 } }), vec!["order_0001"]),
    ] {
        assert_eq!(
            numbers(&shop.call("get_order_list", narrowed.clone()).await),
            expected,
            "{narrowed}"
        );
    }
    assert_eq!(shop.code("get_order_list", json!({ "last_index": "x" })).await, 10_060_011);
    let by_number =
        json!({ "merchant_id": shop.merchant.mchid, "merchant_trade_no": "order_0002" });
    assert_eq!(shop.call("get_order", by_number).await["order"]["order_state"], 1);
}

#[tokio::test]
async fn parts_of_a_combined_order_are_shipped_together_or_not_at_all() {
    let shop = Shop::open().await;
    let whole = shop.parcel(1);
    let mut part = whole.clone();
    let members = part.as_object_mut().unwrap();
    members.retain(|name, _| !["upload_time", "payer"].contains(&name.as_str()));
    let mut broken = part.clone();
    broken["shipping_list"][0]["item_desc"] = "".into();
    let combined = |parts: Value| {
        json!({
            "order_key": whole["order_key"],
            "sub_orders": parts,
            "upload_time": whole["upload_time"],
            "payer": whole["payer"],
        })
    };
    let name = "upload_combined_shipping_info";
    assert_eq!(shop.code(name, combined(json!([]))).await, 10_060_014);
    assert_eq!(shop.code(name, combined(json!([part, broken]))).await, 10_060_008);
    assert_eq!(shop.order().await["order_state"], 1);
    assert_eq!(shop.code(name, combined(json!([part]))).await, 0);
    assert_eq!(shop.order().await["order_state"], 2);
}

#[tokio::test]
async fn what_went_back_as_a_whole_is_not_shipped_any_more() {
    let shop = Shop::open().await;
    assert_eq!(shop.code(UPLOAD, shop.parcel(1)).await, 0);

    shop.refund("refund_0001", 400).await;
    shop.sim.advance(2).await;
    assert_eq!(shop.order().await["order_state"], 2, "a part of it went back");

    shop.refund("refund_0002", 590).await;
    assert_eq!(shop.order().await["order_state"], 2, "the rest is on its way");
    shop.sim.advance(2).await;
    assert_eq!(shop.order().await["order_state"], 5);
    assert_eq!(shop.sim.ledger().await["orders"][0]["shipping"]["order_state"], 5);
    let list = shop.call("get_order_list", json!({ "order_state": 5 })).await;
    assert_eq!(list["order_list"].as_array().unwrap().len(), 1);

    let mut corrected = shop.parcel(2);
    corrected["shipping_list"][0]["tracking_no"] = "ZTO2".into();
    assert_eq!(shop.code(UPLOAD, corrected).await, 10_060_004);
    let later = shop.sim.now() + 3600;
    let reminder = json!({ "transaction_id": shop.transaction_id, "received_time": later });
    assert_eq!(shop.code("notify_confirm_receive", reminder).await, 10_060_028);
    let receipt = json!({ "transaction_id": shop.transaction_id });
    assert_eq!(shop.sim.post("/_sim/confirm-receipt", receipt).await.status, 404);
}
