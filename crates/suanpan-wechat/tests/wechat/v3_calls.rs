//! How the calls of APIv3 are asked, and how far their answers are believed.

use http::HeaderMap;
use suanpan_wechat::v3::{
    Account, Authorization, Close, JsapiOrder, KeyRing, Prepay, QueryByOutTradeNo, Signer,
    sign_message,
};
use suanpan_wechat::{ApiV3Key, AppId, Call, Error, Fen, MchId, OpenId, OutTradeNo, Reply};

use crate::common::{
    PUBLIC_KEY_ID, certificate, key_ring, moment, nonce, private_key, signer, v3_key,
};

const NOW: i64 = 1_795_500_000;

struct World {
    signer: Signer,
    keys: KeyRing,
    key: ApiV3Key,
    number: OutTradeNo,
}

impl World {
    fn new() -> Self {
        Self {
            signer: signer("merchant-1"),
            keys: key_ring("platform-1"),
            key: v3_key("ThrowawayApiV3Key_0123456789abcd"),
            number: OutTradeNo::parse("SP-2026_11|24*").unwrap(),
        }
    }

    fn account(&self) -> Account<'_> {
        Account { signer: &self.signer, keys: &self.keys, api_v3_key: &self.key }
    }

    fn query(&self) -> QueryByOutTradeNo<'_> {
        QueryByOutTradeNo { account: self.account(), out_trade_no: &self.number }
    }

    fn close(&self) -> Close<'_> {
        Close { account: self.account(), out_trade_no: &self.number }
    }
}

fn signed(body: &str) -> HeaderMap {
    let serial = certificate("platform-1").serial;
    sign_message(&private_key("platform-1"), &serial, moment(NOW, &nonce("n")), body.as_bytes())
}

/// `ok`, or the code of the error, WeChat's too, and whether that was signed.
#[track_caller]
fn check(call: &impl Call, status: u16, headers: &HeaderMap, body: &str, want: &str) {
    let reply = Reply { status, headers, body: body.as_bytes() };
    let got = match call.answer(reply, NOW) {
        Ok(_) => "ok".to_owned(),
        Err(Error::Refused(refusal)) => format!(
            "{} {}{}",
            refusal.code,
            if refusal.verified { "signed" } else { "unsigned" },
            if refusal.is_doubt() { " doubt" } else { "" }
        ),
        Err(error) => error.code().to_owned(),
    };
    assert_eq!(got, want, "{status} {body}");
}

#[test]
fn what_is_signed_is_what_is_sent() {
    let world = World::new();
    let mut order = JsapiOrder::new(
        AppId::parse("wx8888888888888888").unwrap(),
        MchId::parse("1900000109").unwrap(),
        OpenId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").unwrap(),
        world.number.clone(),
        Fen::new(990).unwrap(),
        "茶 \"杯\" </script> \u{2028}".to_owned(),
        "https://pay.example.com/wechat/notify/1900000109".to_owned(),
    );
    order.other.insert("tomorrow".to_owned(), "x".into());
    let nonce = nonce("N0nce");
    let asked = moment(NOW, &nonce);
    let prepay = Prepay { account: world.account(), order: &order };
    let requests =
        [prepay.request(asked), world.query().request(asked), world.close().request(asked)]
            .map(Result::unwrap);
    let paths = requests.each_ref().map(|request| request.uri().to_string());
    let number = "/v3/pay/transactions/out-trade-no/SP-2026_11%7C24*";
    assert_eq!(paths[0], "/v3/pay/transactions/jsapi");
    assert_eq!(paths[1], format!("{number}?mchid=1900000109"));
    assert_eq!(paths[2], format!("{number}/close"));
    assert_eq!(requests[2].body(), b"{\"mchid\":\"1900000109\"}");
    assert_eq!(serde_json::from_slice::<JsapiOrder>(requests[0].body()).unwrap(), order);

    for request in requests {
        let header = request.headers()["authorization"].to_str().unwrap();
        let read = Authorization::parse(header).unwrap();
        let path = request.uri().path_and_query().unwrap().as_str();
        let key = certificate("merchant-1").public_key;
        read.verify(request.method().as_str(), path, request.body(), &key).unwrap();
        // The key that we ask WeChat to answer with, on every request.
        assert_eq!(request.headers()["wechatpay-serial"], PUBLIC_KEY_ID);
        assert!(request.headers().contains_key("user-agent"));
        assert_eq!(request.headers()["accept"], "application/json");
    }
}

#[test]
fn a_yes_is_believed_only_when_it_is_signed() {
    let (world, none) = (World::new(), HeaderMap::new());
    let close = world.close();
    check(&close, 204, &signed(""), "", "ok");
    check(&close, 204, &none, "", "SP-HEADER");
    check(&close, 204, &signed("x"), "", "SP-SIGNATURE");
    check(&close, 202, &signed(""), "", "HTTP_202 signed doubt");

    let paid = r#"{"out_trade_no":"SP-2026_11|24*","trade_state":"SUCCESS"}"#;
    check(&world.query(), 200, &signed(paid), paid, "ok");
    check(&world.query(), 200, &none, paid, "SP-HEADER");
    check(&world.query(), 200, &signed("{}"), paid, "SP-SIGNATURE");
    let other = paid.replace("24*", "25*");
    check(&world.query(), 200, &signed(&other), &other, "SP-FIELD");
    check(&world.query(), 200, &signed("<html>"), "<html>", "SP-JSON");
}

#[test]
fn an_error_in_the_clothes_of_a_success_is_an_error() {
    let world = World::new();
    let body = r#"{"code":"ORDER_PAID","message":"该订单已支付"}"#;
    check(&world.close(), 200, &signed(body), body, "ORDER_PAID signed");
    check(&world.query(), 200, &signed(body), body, "ORDER_PAID signed");
}

#[test]
fn a_no_says_whether_it_was_signed() {
    let (world, none) = (World::new(), HeaderMap::new());
    let no = r#"{"code":"ORDER_NOT_EXIST","message":"订单不存在","detail":[1]}"#;
    let query = world.query();
    check(&query, 404, &signed(no), no, "ORDER_NOT_EXIST signed");
    check(&query, 404, &none, no, "ORDER_NOT_EXIST unsigned");
    check(&query, 404, &signed("x"), no, "SP-SIGNATURE");
    check(&query, 404, &none, "", "HTTP_404 unsigned");
    check(&query, 500, &none, r#"{"code":"SYSTEM_ERROR"}"#, "SYSTEM_ERROR unsigned doubt");
    check(&query, 502, &none, "<html>", "HTTP_502 unsigned doubt");

    let mut probe = signed(no);
    probe.insert("wechatpay-signature", "WECHATPAY/SIGNTEST/AAAA".parse().unwrap());
    check(&query, 404, &probe, no, "SP-SIGNTEST");
    check(&query, 200, &probe, no, "SP-SIGNTEST");
}
