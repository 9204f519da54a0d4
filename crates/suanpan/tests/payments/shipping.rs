//! What is shipped is told to WeChat: by itself or by the merchant, once, and before the deadline.

use insta::assert_snapshot;
use serde_json::{Value, json};
use suanpan_server::shipment::ShippingPolicy;
use suanpan_server::store::{Row, Store};
use suanpan_server::{Config, vals};

use crate::world::{Answer, World};

pub(crate) const UPLOAD: &str = "/wxa/sec/order/upload_shipping_info";
pub(crate) const GET_ORDER: &str = "/wxa/sec/order/get_order";
pub(crate) const MANAGED: &str = "/wxa/sec/order/is_trade_managed";
const REMIND: &str = "/wxa/sec/order/notify_confirm_receive";

fn ships(config: &mut Config, policy: ShippingPolicy) {
    let apps = config.merchants.iter_mut().flat_map(|merchant| &mut merchant.apps);
    apps.for_each(|app| app.shipping = policy);
}

pub(crate) fn ships_virtually(config: &mut Config, _: &Value) {
    ships(config, ShippingPolicy::Virtual);
}

pub(crate) fn ships_by_express(config: &mut Config, _: &Value) {
    ships(config, ShippingPolicy::Express);
}

pub(crate) fn zto(number: &str) -> Value {
    json!({ "express_company": "ZTO", "tracking_no": number })
}

impl World {
    /// An order of 9.90 that Alice has paid.
    pub(crate) async fn bought(&self, reference: &str, app: &str) -> String {
        let order = self.order(reference, app).await;
        self.alice_pays(app, &order).await;
        self.until_status(&order, "paid").await;
        order
    }

    pub(crate) async fn ship(&self, order: &str, goods: Value) -> Answer {
        self.merchant("POST", &format!("/v1/orders/{order}/shipping"), Some(goods)).await
    }

    pub(crate) async fn remind(&self, order: &str) -> Answer {
        self.merchant("POST", &format!("/v1/orders/{order}/shipping/remind"), None).await
    }

    pub(crate) async fn shipping(&self, order: &str) -> Value {
        self.merchant("GET", &format!("/v1/orders/{order}/shipping"), None).await.json
    }

    pub(crate) async fn until_shipping(&self, order: &str, state: &str) {
        self.until_told(order, &format!("→ {state}")).await;
        assert_eq!(self.shipping(order).await["state"], state);
    }

    /// The order's lines about its shipping.
    pub(crate) async fn shipping_story(&self, order: &str) -> String {
        let story = self.timeline(order).await.replace(&self.simulator, "SIMULATOR");
        let lines = story.lines().filter(|line| line.contains(" shipping "));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// How WeChat holds the n-th order.
    pub(crate) async fn shipping_at_wechat(&self, nth: usize) -> Value {
        self.control("ledger", None).await["orders"][nth]["shipping"].clone()
    }

    pub(crate) async fn switch(&self, name: &str, value: Value) {
        self.control("switches", Some(json!({ name: value }))).await;
    }

    /// A second look at the database, beside the server's.
    pub(crate) async fn store(&mut self) -> Store {
        self.idle_node().await.world().store().clone()
    }

    /// Waits until nobody works at the order's shipping, and goes on to the next try; `false`: there is none.
    pub(crate) async fn to_next_try(&self, store: &Store, order: &str) -> bool {
        loop {
            let row: Option<Row> = store.look(order.to_owned(), |tx, order| {
                Box::pin(async move {
                    tx.row(
                        "SELECT state, due_at, lease_until FROM due
                         WHERE order_id = $1 AND kind = 'shipping' ORDER BY created_at DESC, id DESC LIMIT 1",
                        &vals![order.as_str()],
                    )
                    .await
                })
            }).await.unwrap();
            let row = row.unwrap();
            if row.text("state").unwrap() != "ready" {
                return false;
            }
            let now = suanpan_server::outside::Clock::now_micros(&self.clock);
            let wait = row.int("due_at").unwrap().saturating_sub(now);
            if row.int("lease_until").unwrap() == 0 && 0 < wait {
                self.clock.advance(std::time::Duration::from_micros(wait.unsigned_abs()));
                return true;
            }
        }
    }
}

#[tokio::test]
async fn what_is_virtual_is_told_by_itself_in_both_apis() {
    let world = World::open_with(ships_virtually).await;
    for nth in [0, 1] {
        let order = world.bought(&format!("tea-{nth}"), &world.app(nth)).await;
        let waiting = world.shipping(&order).await;
        assert_eq!(
            (&waiting["state"], &waiting["automatic"], &waiting["problem"]),
            (&json!("waiting"), &json!(true), &Value::Null)
        );
        world.advance(10);
        world.until_shipping(&order, "shipped").await;
        let told = world.shipping_at_wechat(nth).await;
        assert_eq!((&told["order_state"], &told["logistics_type"]), (&json!(2), &json!(3)));
        assert_eq!(told["shipping_list"][0]["goods_desc"], "龙井一杯");
        if nth == 0 {
            assert_eq!(waiting["deadline"], "2026-01-03T00:00:00Z");
            assert_snapshot!(world.shipping_story(&order).await, @r"
            2026-01-01 08:00:00 shipping     virtual by itself; WeChat wants to know by 2026-01-03 08:00:00
            2026-01-01 08:00:10 shipping     uploaded: virtual: 龙井一杯, uploading → shipped
            ");
        }
    }
    assert_eq!((world.asked(UPLOAD).await, world.asked(GET_ORDER).await), (2, 0));
}

#[tokio::test]
async fn what_is_fetched_is_told_by_itself() {
    let world = World::open_with(|config, _| ships(config, ShippingPolicy::SelfPickup)).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.advance(10);
    world.until_shipping(&order, "shipped").await;
    assert_eq!(world.shipping_at_wechat(0).await["logistics_type"], 4);
    assert_eq!(world.shipping(&order).await["logistics_type"], "self_pickup");
}

#[tokio::test]
async fn express_waits_for_the_merchant_and_takes_one_correction() {
    let world = World::open_with(ships_by_express).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.advance(3600);
    let waiting = world.shipping(&order).await;
    assert_eq!((&waiting["state"], &waiting["automatic"]), (&json!("waiting"), &json!(false)));
    world.ship(&order, json!({})).await.is_problem(422, "SP-REQUEST-FIELD");

    let shipped = world.ship(&order, zto("ZTO1")).await;
    assert_eq!((shipped.status, &shipped.json["state"]), (200, &json!("shipped")));
    assert_eq!(shipped.json["parcels"][0]["item_desc"], "龙井一杯");
    assert_eq!(world.ship(&order, zto("ZTO1")).await.json["state"], "shipped");
    assert_eq!(world.asked(UPLOAD).await, 1, "the same again is not told again");

    let corrected = world.ship(&order, zto("ZTO2")).await;
    assert_eq!((corrected.status, &corrected.json["state"]), (200, &json!("shipped")));
    let refused = world.ship(&order, zto("ZTO3")).await;
    refused.is_problem(502, "SP-WECHAT-REFUSED");
    assert_eq!(refused.json["wechat"]["code"], "10060003");
    let now = world.shipping(&order).await;
    assert_eq!(
        (&now["state"], &now["parcels"][0]["tracking_no"]),
        (&json!("shipped"), &json!("ZTO2"))
    );
    assert!(now["problem"].as_str().unwrap().contains("10060003"), "{now}");
    assert_snapshot!(world.shipping_story(&order).await, @r"
    2026-01-01 08:00:00 shipping     express when the merchant says what; WeChat wants to know by 2026-01-03 08:00:00
    2026-01-01 09:00:00 shipping     the merchant ships express: ZTO ZTO1 龙井一杯
    2026-01-01 09:00:00 shipping     uploaded: express: ZTO ZTO1 龙井一杯, uploading → shipped
    2026-01-01 09:00:00 shipping     the merchant ships express: ZTO ZTO2 龙井一杯
    2026-01-01 09:00:00 shipping     uploaded: express: ZTO ZTO2 龙井一杯, uploading → shipped
    2026-01-01 09:00:00 shipping     the merchant ships express: ZTO ZTO3 龙井一杯
    2026-01-01 09:00:00 shipping     refused: 10060003 支付单已使用重新发货机会 (HTTP 200), uploading → shipped
    ");
}

#[tokio::test]
async fn parcels_may_go_one_after_the_other() {
    let mut world = World::open_with(ships_by_express).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.advance(60);
    let mut first = zto("ZTO1");
    first["is_all_delivered"] = json!(false);
    let some = world.ship(&order, first).await;
    assert_eq!((some.status, &some.json["state"]), (200, &json!("uploaded")));
    assert_eq!(world.shipping_at_wechat(0).await["order_state"], 1);

    let rest = json!({ "delivery_mode": "split", "parcels": [
        zto("ZTO2"),
        { "express_company": "SF", "tracking_no": "SF3", "item_desc": "茶杯", "receiver_contact": "18912341234" },
    ]});
    let all = world.ship(&order, rest).await;
    assert_eq!((all.status, &all.json["state"]), (200, &json!("shipped")), "{}", all.json);
    let numbers: Vec<_> = all.json["parcels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parcel| &parcel["tracking_no"])
        .collect();
    assert_eq!(numbers, ["ZTO1", "ZTO2", "SF3"]);
    assert_eq!(all.json["parcels"][2]["receiver_contact"], "189****1234", "it is kept masked");
    let told = world.shipping_at_wechat(0).await;
    assert_eq!(
        (&told["order_state"], told["shipping_list"].as_array().unwrap().len()),
        (&json!(2), 3)
    );

    // A look days later does not forget the parcels before.
    let store = world.store().await;
    for _ in 0..3 {
        assert!(world.to_next_try(&store, &order).await);
    }
    assert_eq!(world.asked(GET_ORDER).await, 2);
    assert_eq!(world.shipping(&order).await["parcels"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_wechat_will_not_take_is_said_and_may_be_put_right() {
    let world = World::open_with(ships_by_express).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.advance(60);
    let wrong = json!({ "express_company": "中通", "tracking_no": "1" });
    let refused = world.ship(&order, wrong).await;
    refused.is_problem(502, "SP-WECHAT-REFUSED");
    assert_eq!(refused.json["wechat"]["code"], "10060014");
    assert_eq!(world.shipping(&order).await["state"], "refused");
    let shipped = world.ship(&order, zto("ZTO1")).await;
    assert_eq!((shipped.status, &shipped.json["state"]), (200, &json!("shipped")));
    assert_eq!(shipped.json["problem"], Value::Null);
}

#[tokio::test]
async fn the_deadlines_are_listed_and_what_is_overdue_says_so() {
    let world = World::open_with(ships_by_express).await;
    let first = world.bought("tea-1", &world.app(0)).await;
    world.advance(3600);
    let second = world.bought("tea-2", &world.app(1)).await;
    world.advance(3600);
    let third = world.bought("tea-3", &world.app(0)).await;
    world.advance(60);

    let ids = |list: &Answer| -> Vec<String> {
        let data = list.json["data"].as_array().unwrap().iter();
        data.map(|one| one["order_id"].as_str().unwrap().to_owned()).collect()
    };
    let list = |query: &'static str| world.merchant("GET", query, None);
    let all = list("/v1/shipping").await;
    assert_eq!(ids(&all), [first.clone(), second.clone(), third.clone()]);
    assert_eq!(all.json["data"][1]["deadline"], "2026-01-03T01:00:00Z");
    assert_eq!(ids(&list("/v1/shipping?due_before=2026-01-03T01:00:00Z").await), [first.as_str()]);
    let page = list("/v1/shipping?limit=2").await;
    assert_eq!(ids(&page), [first.clone(), second.clone()]);
    let next =
        format!("/v1/shipping?limit=2&cursor={}", page.json["next_cursor"].as_str().unwrap());
    let last = world.merchant("GET", &next, None).await;
    assert_eq!((ids(&last), &last.json["next_cursor"]), (vec![third.clone()], &Value::Null));

    assert_eq!(world.ship(&second, zto("ZTO1")).await.json["state"], "shipped");
    assert_eq!(ids(&list("/v1/shipping").await), [first.clone(), third]);
    assert_eq!(ids(&list("/v1/shipping?state=shipped").await), [second]);
    list("/v1/shipping?state=gone").await.is_problem(422, "SP-REQUEST-FIELD");
    list("/v1/shipping?due=now").await.is_problem(422, "SP-REQUEST-FIELD");

    assert_eq!(world.shipping(&first).await["overdue"], false);
    world.advance(48 * 3600);
    assert_eq!(world.shipping(&first).await["overdue"], true);
}

#[tokio::test]
async fn what_was_refunded_is_not_shipped() {
    let world = World::open_with(ships_virtually).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    let refunds = format!("/v1/orders/{order}/refunds");
    assert_eq!(world.merchant("POST", &refunds, None).await.status, 201);
    world.advance(2);
    world.until_shipping(&order, "refunded").await;
    world.advance(3600);
    world.ship(&order, json!({})).await.is_problem(409, "SP-SHIPPING-FINAL");

    // On its way back, and nobody knows yet whether it arrives.
    world.switch("refund_ends", json!("NEVER")).await;
    let second = world.bought("tea-2", &world.app(0)).await;
    let refunds = format!("/v1/orders/{second}/refunds");
    assert_eq!(world.merchant("POST", &refunds, None).await.status, 201);
    world.advance(10);
    world.until_told(&second, "on its way back").await;
    assert_eq!(world.shipping(&second).await["state"], "waiting");
    assert_eq!(world.asked(UPLOAD).await, 0);

    // A part of it leaves the rest to be shipped.
    let third = world.bought("tea-3", &world.app(0)).await;
    let refunds = format!("/v1/orders/{third}/refunds");
    let part = world.merchant("POST", &refunds, Some(json!({ "amount": 1 }))).await;
    assert_eq!(part.status, 201);
    world.advance(10);
    world.until_shipping(&third, "shipped").await;
}

#[tokio::test]
async fn nothing_is_told_of_an_app_that_is_not_managed() {
    let world = World::open_with(ships_virtually).await;
    world.switch("trade_unmanaged_apps", json!([world.app(0)])).await;
    let orders =
        [world.bought("tea-1", &world.app(0)).await, world.bought("tea-2", &world.app(0)).await];
    world.advance(10);
    world.until_shipping(&orders[0], "not_managed").await;
    world.until_shipping(&orders[1], "not_managed").await;
    let third = world.bought("tea-3", &world.app(0)).await;
    world.advance(10);
    world.until_shipping(&third, "not_managed").await;
    assert!(world.asked(MANAGED).await <= 2, "what is known is not asked for again");
    let before = world.asked(MANAGED).await;
    world.ship(&third, json!({})).await.is_problem(409, "SP-SHIPPING-NOT-MANAGED");
    assert_eq!((world.asked(MANAGED).await, world.asked(UPLOAD).await), (before + 1, 0));
    assert_snapshot!(world.shipping_story(&third).await, @r"
    2026-01-01 08:00:10 shipping     virtual by itself; WeChat wants to know by 2026-01-03 08:00:10
    2026-01-01 08:00:20 shipping     WeChat does not manage this app; nothing is to be told, waiting → not_managed
    ");

    // WeChat takes the app in: by hand at once, by itself after a day.
    world.switch("trade_unmanaged_apps", json!([])).await;
    let shipped = world.ship(&third, json!({})).await;
    assert_eq!(
        (shipped.status, &shipped.json["state"]),
        (200, &json!("shipped")),
        "{}",
        shipped.json
    );
}

#[tokio::test]
async fn the_payer_is_reminded_once() {
    let world = World::open_with(ships_by_express).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.advance(60);
    world.remind(&order).await.is_problem(409, "SP-SHIPPING-NOT-SHIPPED");
    world.ship(&order, zto("ZTO1")).await;
    let path = format!("/v1/orders/{order}/shipping/remind");
    let early = json!({ "received_at": "2026-01-01T00:00:30Z" });
    let refused = world.merchant("POST", &path, Some(early)).await;
    refused.is_problem(502, "SP-WECHAT-REFUSED");
    assert_eq!(refused.json["wechat"]["code"], "10060029");

    world.advance(3600);
    world.fault(&format!("POST {REMIND}"), "cut", json!({ "times": 1 })).await;
    world.remind(&order).await.is_problem(503, "SP-WECHAT-UNKNOWN");
    // It was done: to ask once more is safe, and says so.
    let reminded = world.remind(&order).await;
    assert_eq!(
        (reminded.status, reminded.json["reminded_at"].is_string()),
        (200, true),
        "{}",
        reminded.json
    );
    world.remind(&order).await.is_problem(409, "SP-SHIPPING-REMINDED");
    assert_eq!(world.asked(REMIND).await, 3);
}

#[tokio::test]
async fn the_receipt_is_seen_when_it_is_asked_for_and_in_the_end_without() {
    let world = World::open_with(ships_virtually).await;
    let (first, second) =
        (world.bought("tea-1", &world.app(0)).await, world.bought("tea-2", &world.app(0)).await);
    world.advance(10);
    world.until_shipping(&first, "shipped").await;
    world.until_shipping(&second, "shipped").await;
    for order in [&first, &second] {
        let shown = world.merchant("GET", &format!("/v1/orders/{order}"), None).await.json;
        world
            .control("confirm-receipt", Some(json!({ "transaction_id": shown["transaction_id"] })))
            .await;
    }
    let path = format!("/v1/orders/{first}/shipping?refresh=true");
    let asked = world.merchant("GET", &path, None).await.json;
    assert_eq!((&asked["state"], &asked["order_state"]), (&json!("confirmed"), &json!(3)));
    world.ship(&first, json!({ "item_desc": "铁观音" })).await.is_problem(409, "SP-SHIPPING-FINAL");

    assert_eq!(world.shipping(&second).await["state"], "shipped");
    world.advance(86_400 + 8_640);
    world.until_shipping(&second, "confirmed").await;
}

#[tokio::test]
async fn an_app_that_ships_nothing_is_left_alone() {
    let world = World::open().await;
    let order = world.order("tea-1", &world.app(0)).await;
    world.ship(&order, json!({})).await.is_problem(409, "SP-ORDER-NOT-PAID");
    world.alice_pays(&world.app(0), &order).await;
    world.until_status(&order, "paid").await;
    world.advance(3600);
    let nothing = world.shipping(&order).await;
    assert_eq!((&nothing["state"], &nothing["deadline"]), (&json!("none"), &Value::Null));
    world.ship(&order, json!({})).await.is_problem(409, "SP-SHIPPING-OFF");
    world.remind(&order).await.is_problem(409, "SP-SHIPPING-NOT-SHIPPED");
    assert_eq!(world.asked("/cgi-bin/stable_token").await, 0);
    assert_eq!(world.shipping_story(&order).await, "");
}

#[tokio::test]
async fn an_order_that_was_paid_before_the_app_had_a_policy_can_be_shipped() {
    let mut world = World::open().await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.advance(3600);
    world.stop_server().await;
    world.configure = ships_by_express;
    world.start_server().await;
    assert_eq!(world.shipping(&order).await["state"], "none");
    let shipped = world.ship(&order, zto("ZTO1")).await;
    assert_eq!(
        (shipped.status, &shipped.json["state"]),
        (200, &json!("shipped")),
        "{}",
        shipped.json
    );
    assert_eq!(shipped.json["deadline"], "2026-01-03T00:00:00Z");
}
