//! A partner (服务商) asks for its sub-merchants, in both APIs.

use serde_json::{Value, json};
use suanpan_wechat::v2::{self, Fields, RefundNotice, SignType};
use suanpan_wechat::v3::{
    self, PartnerClose, PartnerJsapiOrder, PartnerPrepay, PartnerQueryByOutTradeNo,
    RefundNotification,
};
use suanpan_wechat::{AppId, Error, Fen, MchId, OpenId, OutRefundNo, PrepayId};

use crate::common::Sim;
use crate::merchant::{Merchant, NOWHERE, number, pays};
use crate::receiver::{Receiver, Told};

/// The partner's place in `credentials.json`.
const PARTNER: usize = 4;

struct Partner {
    sim: Sim,
    merchant: Merchant,
    /// Without an app of its own, and with one.
    subs: [MchId; 2],
}

impl Partner {
    async fn start() -> Self {
        let sim = Sim::start().await;
        let merchant = sim.merchant(PARTNER);
        let sub = |nth: usize| {
            let mchid = &merchant.entry["sub_merchants"][nth]["mchid"];
            MchId::parse(mchid.as_str().unwrap()).unwrap()
        };
        let subs = [0, 1].map(sub);
        Self { sim, merchant, subs }
    }

    fn own_app(&self, nth: usize) -> AppId {
        let app = &self.merchant.entry["sub_merchants"][nth]["apps"][0];
        AppId::parse(app.as_str().unwrap()).unwrap()
    }

    fn order(&self, nth: usize, name: &str, openid: OpenId, url: &str) -> PartnerJsapiOrder {
        PartnerJsapiOrder::new(
            (self.merchant.mchid.clone(), self.merchant.appid.clone()),
            (self.subs[nth].clone(), None),
            openid,
            number(name),
            Fen::new(990).unwrap(),
            "包子".to_owned(),
            url.to_owned(),
        )
    }

    async fn place(&self, nth: usize, name: &str, url: &str) -> Result<PrepayId, Error> {
        let openid = self.sim.openid(&self.merchant, "alice").await;
        let order = self.order(nth, name, openid, url);
        self.sim.ask(&PartnerPrepay { account: self.merchant.v3(), order: &order }).await
    }

    /// Alice pays an order of this sub-merchant in the partner's app.
    async fn sell(&self, nth: usize, name: &str, url: &str) {
        let prepay_id = self.place(nth, name, url).await.unwrap();
        pays(&self.sim, self.merchant.sign_v3(&self.sim, &prepay_id)).await;
    }

    async fn refund_v3(&self, sub: Option<&MchId>, name: &str, url: &str) -> Result<(), Error> {
        let order = v3::RefundOrder {
            sub_mchid: sub.cloned(),
            transaction_id: None,
            out_trade_no: Some(number(name)),
            out_refund_no: refund_number(name),
            reason: None,
            notify_url: Some(url.to_owned()),
            funds_account: None,
            amount: v3::RefundOrderAmount {
                refund: Fen::new(990).unwrap(),
                from: Vec::new(),
                total: Fen::new(990).unwrap(),
                currency: "CNY".to_owned(),
            },
            goods_detail: Vec::new(),
        };
        let call = v3::CreateRefund { account: self.merchant.v3(), order: &order };
        self.sim.ask(&call).await.map(drop)
    }

    async fn refund_v2(&self, sub: Option<&MchId>, name: &str, url: &str) -> Result<(), Error> {
        let order = v2::RefundOrder {
            appid: self.merchant.appid.clone(),
            sub_appid: None,
            sub_mch_id: sub.cloned(),
            transaction_id: None,
            out_trade_no: Some(number(name)),
            out_refund_no: refund_number(name),
            total_fee: Fen::new(990).unwrap(),
            refund_fee: Fen::new(990).unwrap(),
            refund_fee_type: None,
            refund_desc: None,
            refund_account: None,
            notify_url: Some(url.to_owned()),
        };
        let account = self.merchant.v2(SignType::Md5);
        self.sim.ask(&v2::PlaceRefund { account, order: &order }).await.map(drop)
    }
}

fn refund_number(name: &str) -> OutRefundNo {
    OutRefundNo::parse(&format!("R-{name}")).unwrap()
}

fn code(call: Result<impl std::fmt::Debug, Error>) -> String {
    let Err(Error::Refused(refusal)) = call else { panic!("{call:?}") };
    assert!(refusal.verified, "{refusal}");
    refusal.code
}

#[tokio::test]
async fn an_order_is_the_sub_merchants_and_nobody_elses() {
    let world = Partner::start().await;
    let Partner { sim, merchant, subs } = &world;
    world.sell(0, "order_0001", NOWHERE).await;
    let name = &number("order_0001");
    let query = |sub_mchid| {
        let call =
            PartnerQueryByOutTradeNo { account: merchant.v3(), sub_mchid, out_trade_no: name };
        async move { sim.ask(&call).await }
    };
    let told = query(&subs[0]).await.unwrap().payment().unwrap();
    assert_eq!((&told.mchid, told.sub_mchid.as_ref()), (&merchant.mchid, Some(&subs[0])));
    assert_eq!(code(query(&subs[1]).await), "ORDER_NOT_EXIST");
    // Another merchant of WeChat's, which is not bound to the partner.
    let stranger = sim.merchant(0).mchid;
    assert_eq!(code(query(&stranger).await), "NO_AUTH");

    // The wrong one cannot close it either: of such an order nothing is known.
    world.place(0, "order_0002", NOWHERE).await.unwrap();
    let name = &number("order_0002");
    for (sub_mchid, state) in [(&subs[1], "NOTPAY"), (&subs[0], "CLOSED")] {
        let call = PartnerClose { account: merchant.v3(), sub_mchid, out_trade_no: name };
        sim.ask(&call).await.unwrap();
        let ledger = sim.ledger().await;
        let orders = ledger["orders"].as_array().unwrap();
        let order = orders.iter().find(|order| order["out_trade_no"] == json!(name)).unwrap();
        assert_eq!(order["trade_state"], state, "{order}");
    }
}

#[tokio::test]
async fn the_payer_is_named_by_the_partners_app_or_by_the_sub_merchants() {
    let world = Partner::start().await;
    let Partner { sim, merchant, .. } = &world;
    let openid = sim.openid(merchant, "alice").await;
    let mut order = world.order(1, "order_0001", openid, NOWHERE);
    let ask = |order: PartnerJsapiOrder| async move {
        sim.ask(&PartnerPrepay { account: merchant.v3(), order: &order }).await
    };
    // Its own app is named, and the payer as the partner's app knows them: WeChat takes it.
    order.sub_appid = Some(world.own_app(1));
    ask(order.clone()).await.unwrap();
    // The partner's openid under the sub-merchant's name.
    order.payer.sub_openid = order.payer.sp_openid.take();
    order.out_trade_no = number("order_0002");
    assert_eq!(code(ask(order.clone()).await), "PARAM_ERROR");
    // An app of another sub-merchant.
    order.sub_mchid = world.subs[0].clone();
    assert_eq!(code(ask(order).await), "APPID_MCHID_NOT_MATCH");
}

#[tokio::test]
async fn direct_merchants_and_partners_have_paths_of_their_own() {
    let world = Partner::start().await;
    let Partner { sim, merchant, .. } = &world;
    let openid = sim.openid(merchant, "alice").await;
    let order = merchant.v3_order(&openid, "order_0001").to_string();
    let ask = async |merchant: &Merchant, path: &str| {
        sim.send(merchant.v3_question(sim, "POST", path, order.as_bytes())).await.refusal()
    };
    let no = (403, "NO_AUTH".to_owned());
    assert_eq!(ask(merchant, "/v3/pay/transactions/jsapi").await, no);
    assert_eq!(ask(&sim.merchant(0), "/v3/pay/partner/transactions/jsapi").await, no);

    // APIv2 has the same paths for both, so who signs decides.
    let place = async |merchant: &Merchant, sub: Option<&MchId>| {
        let openid = sim.openid(merchant, "alice").await;
        let mut fields = merchant.v2_order(&openid, "order_0001");
        fields.set_optional("sub_mch_id", sub.map(MchId::as_str));
        let signed = fields.signed(SignType::Md5, &merchant.v2_key).to_xml();
        let answer = Fields::parse(&sim.post("/pay/unifiedorder", signed).await.body).unwrap();
        answer.get("err_code").map(str::to_owned)
    };
    assert_eq!(place(merchant, None).await.as_deref(), Some("LACK_PARAMS"));
    assert_eq!(place(&sim.merchant(1), Some(&world.subs[0])).await.as_deref(), Some("NOAUTH"));
    assert_eq!(place(merchant, Some(&world.subs[0])).await, None);
}

#[tokio::test]
async fn money_goes_back_in_the_sub_merchants_name_only() {
    let world = Partner::start().await;
    let mut receiver = Receiver::start().await;
    let [own, other] = &world.subs;
    world.sell(0, "order_0001", NOWHERE).await;
    let refund = async |sub| world.refund_v3(sub, "order_0001", &receiver.url).await;
    assert_eq!(code(refund(None).await), "PARAM_ERROR");
    assert_eq!(code(refund(Some(other)).await), "RESOURCE_NOT_EXISTS");
    refund(Some(own)).await.unwrap();

    let Partner { sim, merchant, .. } = &world;
    let out_refund_no = &refund_number("order_0001");
    let query = async |sub_mchid| {
        sim.ask(&v3::QueryRefund { account: merchant.v3(), out_refund_no, sub_mchid }).await
    };
    assert_eq!(code(query(None).await), "PARAM_ERROR");
    assert_eq!(code(query(Some(other)).await), "RESOURCE_NOT_EXISTS");
    assert_eq!(query(Some(own)).await.unwrap().status.as_deref(), Some("PROCESSING"));

    sim.advance(2).await;
    let Told { headers, body } = receiver.next().await;
    let envelope = v3::Notification::read(&headers, &body, &merchant.keys, sim.now()).unwrap();
    let told = RefundNotification::open(envelope, &merchant.v3_key).unwrap().refund;
    assert_eq!((told.mchid, told.sp_mchid.as_ref()), (None, Some(&merchant.mchid)));
    assert_eq!(told.sub_mchid.as_ref(), Some(own));
}

#[tokio::test]
async fn an_abnormal_refund_is_rescued_in_the_sub_merchants_name_only() {
    let world = Partner::start().await;
    let Partner { sim, merchant, subs: [own, other] } = &world;
    world.sell(0, "order_0001", NOWHERE).await;
    sim.switch("refund_ends", json!("ABNORMAL")).await;
    world.refund_v3(Some(own), "order_0001", NOWHERE).await.unwrap();
    sim.advance(2).await;
    let held = sim.ledger().await["refunds"][0].clone();
    assert_eq!((&held["status"], &held["sub_mchid"]), (&json!("ABNORMAL"), &json!(own)));
    let refund_id = held["refund_id"].as_str().unwrap().parse().unwrap();
    let rescue = async |sub: Option<&MchId>| {
        let order = v3::AbnormalRefund {
            sub_mchid: sub.cloned(),
            out_refund_no: refund_number("order_0001"),
            kind: "MERCHANT_BANK_CARD".to_owned(),
            bank_type: None,
            bank_account: None,
            real_name: None,
        };
        let call = v3::ApplyAbnormalRefund {
            account: merchant.v3(),
            refund_id: &refund_id,
            order: &order,
        };
        sim.ask(&call).await
    };
    assert_eq!(code(rescue(None).await), "PARAM_ERROR");
    assert_eq!(code(rescue(Some(other)).await), "RESOURCE_NOT_EXISTS");
    assert_eq!(rescue(Some(own)).await.unwrap().status.as_deref(), Some("PROCESSING"));
}

#[tokio::test]
async fn apiv2_gives_back_in_the_sub_merchants_name_only() {
    let world = Partner::start().await;
    let mut receiver = Receiver::start().await;
    let Partner { sim, merchant, subs: [own, other] } = &world;
    // One book for both APIs: what was ordered by the one may be refunded by the other.
    world.sell(0, "order_0001", NOWHERE).await;
    let refund = async |sub| world.refund_v2(sub, "order_0001", &receiver.url).await;
    assert_eq!(code(refund(None).await), "LACK_PARAMS");
    assert_eq!(code(refund(Some(other)).await), "ORDERNOTEXIST");
    refund(Some(own)).await.unwrap();

    let (account, out_refund_no) = (merchant.v2(SignType::Md5), &refund_number("order_0001"));
    let query = async |mch_id| {
        let sub = Some(v2::SubMerchant { mch_id, app_id: None });
        sim.ask(&v2::QueryRefund { account, app_id: &merchant.appid, sub, out_refund_no }).await
    };
    assert_eq!(code(query(other).await), "REFUNDNOTEXIST");
    assert_eq!(query(own).await.unwrap().refund.sub_mchid.as_ref(), Some(own));

    sim.advance(2).await;
    let told = Fields::parse(&receiver.next().await.body).unwrap();
    let told = RefundNotice::open(&told, &merchant.v2_key).unwrap();
    assert_eq!((&told.mch_id, told.sub_mch_id.as_ref()), (&merchant.mchid, Some(own)));
    assert_eq!(sim.ledger().await["refunds"].as_array().map(Vec::len), Some(1));
}

/// What the ledger says is what tests of a backend compare with.
#[tokio::test]
async fn the_ledger_says_whose_an_order_is() {
    let world = Partner::start().await;
    world.sell(0, "order_0001", NOWHERE).await;
    let order = world.sim.ledger().await["orders"][0].clone();
    assert_eq!(order["sub_mchid"], json!(world.subs[0]));
    assert_eq!((&order["sub_appid"], &order["user"]), (&Value::Null, &json!("alice")));
}
