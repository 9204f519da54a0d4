//! Partner mode: paths, bodies and facts, as pay.weixin.qq.com/doc/v3/partner/4012709253 has them.

use http::HeaderMap;
use serde_json::json;
use suanpan_wechat::v3::{
    Account, Authorization, KeyRing, PartnerClose, PartnerJsapiOrder, PartnerPrepay,
    PartnerQueryById, PartnerQueryByOutTradeNo, Signer, Transaction, sign_message,
};
use suanpan_wechat::{
    ApiV3Key, AppId, Call, Error, Fen, MchId, OpenId, OutTradeNo, Reply, TransactionId,
};

use crate::common::{
    PUBLIC_KEY_ID, certificate, key_ring, moment, nonce, private_key, signer, v3_key,
};

const NOW: i64 = 1_795_500_000;

struct World {
    signer: Signer,
    keys: KeyRing,
    key: ApiV3Key,
    sub: MchId,
    number: OutTradeNo,
    id: TransactionId,
}

impl World {
    fn new() -> Self {
        Self {
            signer: signer("merchant-1"),
            keys: key_ring("platform-1"),
            key: v3_key("ThrowawayApiV3Key_0123456789abcd"),
            sub: MchId::parse("1900000222").unwrap(),
            number: OutTradeNo::parse("SP-2026_11|24*").unwrap(),
            id: TransactionId::parse("4200001234202611240000000001").unwrap(),
        }
    }

    fn account(&self) -> Account<'_> {
        Account { signer: &self.signer, keys: &self.keys, api_v3_key: &self.key }
    }

    fn order(&self, sub_appid: Option<&str>) -> PartnerJsapiOrder {
        PartnerJsapiOrder::new(
            (self.signer.mchid.clone(), AppId::parse("wx8888888888888888").unwrap()),
            (self.sub.clone(), sub_appid.map(|app| AppId::parse(app).unwrap())),
            OpenId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").unwrap(),
            self.number.clone(),
            Fen::new(990).unwrap(),
            "茶".to_owned(),
            "https://pay.example.com/wechat/notify/1900000109".to_owned(),
        )
    }
}

#[test]
fn an_order_names_both_merchants_and_one_payer() {
    let world = World::new();
    insta::assert_json_snapshot!(world.order(None), @r#"
    {
      "sp_appid": "wx8888888888888888",
      "sp_mchid": "1900000109",
      "sub_mchid": "1900000222",
      "description": "茶",
      "out_trade_no": "SP-2026_11|24*",
      "notify_url": "https://pay.example.com/wechat/notify/1900000109",
      "amount": {
        "total": 990,
        "currency": "CNY"
      },
      "payer": {
        "sp_openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
      }
    }
    "#);
    assert_eq!(world.order(None).payer_app().as_str(), "wx8888888888888888");

    let own = world.order(Some("wx2222222222222222"));
    let wire = serde_json::to_value(&own).unwrap();
    assert_eq!(wire["sub_appid"], "wx2222222222222222");
    assert_eq!(wire["payer"], json!({ "sub_openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" }));
    // Where the payer is known to the sub-merchant's app, that app opens the sheet.
    assert_eq!(own.payer_app().as_str(), "wx2222222222222222");
    assert_eq!(serde_json::from_value::<PartnerJsapiOrder>(wire).unwrap(), own);
}

#[test]
fn the_partner_signs_and_names_the_sub_merchant() {
    let world = World::new();
    let (account, sub_mchid, out_trade_no) = (world.account(), &world.sub, &world.number);
    let nonce = nonce("N0nce");
    let asked = moment(NOW, &nonce);
    let order = world.order(None);
    let requests = [
        PartnerPrepay { account, order: &order }.request(asked),
        PartnerQueryByOutTradeNo { account, sub_mchid, out_trade_no }.request(asked),
        PartnerQueryById { account, sub_mchid, transaction_id: &world.id }.request(asked),
        PartnerClose { account, sub_mchid, out_trade_no }.request(asked),
    ]
    .map(Result::unwrap);
    let paths = requests.each_ref().map(|request| request.uri().to_string());
    insta::assert_json_snapshot!(paths, @r#"
    [
      "/v3/pay/partner/transactions/jsapi",
      "/v3/pay/partner/transactions/out-trade-no/SP-2026_11%7C24*?sp_mchid=1900000109&sub_mchid=1900000222",
      "/v3/pay/partner/transactions/id/4200001234202611240000000001?sp_mchid=1900000109&sub_mchid=1900000222",
      "/v3/pay/partner/transactions/out-trade-no/SP-2026_11%7C24*/close"
    ]
    "#);
    assert_eq!(requests[3].body(), br#"{"sp_mchid":"1900000109","sub_mchid":"1900000222"}"#);
    for request in requests {
        let header = request.headers()["authorization"].to_str().unwrap();
        let read = Authorization::parse(header).unwrap();
        let path = request.uri().path_and_query().unwrap().as_str();
        let key = certificate("merchant-1").public_key;
        read.verify(request.method().as_str(), path, request.body(), &key).unwrap();
        assert_eq!(request.headers()["wechatpay-serial"], PUBLIC_KEY_ID);
    }
}

fn transaction() -> serde_json::Value {
    json!({
        "sp_appid": "wx8888888888888888",
        "sp_mchid": "1900000109",
        "sub_appid": "wx2222222222222222",
        "sub_mchid": "1900000222",
        "out_trade_no": "SP-2026_11|24*",
        "transaction_id": "4200001234202611240000000001",
        "trade_state": "SUCCESS",
        "success_time": "2026-11-24T10:03:08+08:00",
        "payer": {
            "sp_openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6p",
            "sub_openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6q",
        },
        "amount": { "total": 990, "payer_total": 980, "currency": "CNY" },
    })
}

#[test]
fn the_fact_carries_partner_and_sub_merchant() {
    let read = |value| serde_json::from_value::<Transaction>(value).unwrap();
    let fact = read(transaction()).payment().unwrap();
    assert_eq!(fact.appid.as_str(), "wx8888888888888888");
    assert_eq!(fact.mchid.as_str(), "1900000109");
    assert_eq!(fact.sub_mchid.unwrap().as_str(), "1900000222");
    assert_eq!(fact.sub_appid.unwrap().as_str(), "wx2222222222222222");
    assert_eq!(fact.openid.unwrap().as_str(), "oUpF8uMuAJO_M2pxb1Q9zNjWeS6q");

    for (lacking, told) in
        [("sp_appid", "sp_appid"), ("sp_mchid", "appid"), ("sub_mchid", "sub_mchid")]
    {
        let mut partial = transaction();
        partial.as_object_mut().unwrap().remove(lacking);
        let error = read(partial).payment().unwrap_err();
        assert!(matches!(error, Error::Field { field, .. } if field == told), "{error}");
    }
}

#[test]
fn an_answer_about_another_order_is_not_believed() {
    let world = World::new();
    let (account, sub_mchid) = (world.account(), &world.sub);
    let by_number = PartnerQueryByOutTradeNo { account, sub_mchid, out_trade_no: &world.number };
    let by_id = PartnerQueryById { account, sub_mchid, transaction_id: &world.id };
    let sign = |body: &str| -> HeaderMap {
        let serial = certificate("platform-1").serial;
        let nonce = nonce("n");
        sign_message(&private_key("platform-1"), &serial, moment(NOW, &nonce), body.as_bytes())
    };
    let body = transaction().to_string();
    let headers = sign(&body);
    let reply = Reply { status: 200, headers: &headers, body: body.as_bytes() };
    assert!(by_number.answer(reply, NOW).is_ok() && by_id.answer(reply, NOW).is_ok());

    let body = body.replace("24*", "25*").replace("0001\"", "0002\"");
    let headers = sign(&body);
    let reply = Reply { status: 200, headers: &headers, body: body.as_bytes() };
    assert_eq!(by_number.answer(reply, NOW).unwrap_err().code(), "SP-FIELD");
    assert_eq!(by_id.answer(reply, NOW).unwrap_err().code(), "SP-FIELD");
}
