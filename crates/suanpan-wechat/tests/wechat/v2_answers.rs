//! How the answers of APIv2 are read: `return_code`, signature, `result_code`, fields.

use http::HeaderMap;
use suanpan_wechat::v2::{
    Account, CloseOrder, Fields, PlaceOrder, QueryOrder, SignType, UnifiedOrder, acknowledge,
};
use suanpan_wechat::{
    ApiV2Key, AppId, Call, Error, Fen, MchId, OpenId, OutTradeNo, Reply, TradeState,
};

use crate::common::{moment, nonce, v2_key};

struct World {
    key: ApiV2Key,
    mch_id: MchId,
    app_id: AppId,
    number: OutTradeNo,
}

impl World {
    fn new() -> Self {
        Self {
            key: v2_key("8934e7d15453e97507ef794cf7b0519d"),
            mch_id: MchId::parse("10000100").unwrap(),
            app_id: AppId::parse("wx2421b1c4370ec43b").unwrap(),
            number: OutTradeNo::parse("SP-2026_11|24*").unwrap(),
        }
    }

    fn account(&self, sign_type: SignType) -> Account<'_> {
        Account { mch_id: &self.mch_id, key: &self.key, sign_type }
    }

    fn query(&self, fields: &Fields) -> Result<(TradeState, Option<i64>), Error> {
        let account = self.account(SignType::Md5);
        let call =
            QueryOrder { account, app_id: &self.app_id, sub: None, out_trade_no: &self.number };
        let answer = call.answer(reply(fields.to_xml().as_bytes()), 0)?;
        Ok((answer.payment.state, answer.payment.success_time))
    }
}

fn reply(body: &[u8]) -> Reply<'_> {
    static HEADERS: std::sync::LazyLock<HeaderMap> = std::sync::LazyLock::new(HeaderMap::new);
    Reply { status: 200, headers: &HEADERS, body }
}

fn paid() -> Fields {
    Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", "wx2421b1c4370ec43b"),
        ("mch_id", "10000100"),
        ("nonce_str", "N0nce"),
        ("out_trade_no", "SP-2026_11|24*"),
        ("trade_state", "SUCCESS"),
        ("time_end", "20261124203133"),
    ])
}

#[test]
fn an_answer_is_believed_only_with_the_digest_that_was_asked_with() {
    let world = World::new();
    let (md5, hmac) = (SignType::Md5, SignType::HmacSha256);
    let signed = paid().signed(md5, &world.key);
    assert_eq!(world.query(&signed).unwrap(), (TradeState::Success, Some(1_795_523_493)));
    let other_digest = paid().signed(hmac, &world.key);
    assert_eq!(world.query(&other_digest).unwrap_err().code(), "SP-SIGNATURE");
    assert_eq!(world.query(&paid()).unwrap_err().code(), "SP-SIGNATURE");
}

#[test]
fn an_answer_of_another_merchant_number_or_time_is_refused() {
    let world = World::new();
    let query = |name: &str, value: &str| {
        let mut fields = paid();
        fields.set(name, value);
        world.query(&fields.signed(SignType::Md5, &world.key))
    };
    for (name, value) in [
        ("mch_id", "10000101"),
        ("out_trade_no", "SP-000002"),
        ("time_end", "yesterday"),
        ("trade_state", ""),
        ("appid", ""),
    ] {
        assert_eq!(query(name, value).map_err(|error| error.code()), Err("SP-FIELD"), "{name}");
    }
    assert_eq!(query("trade_state", "TOMORROW").unwrap().0, TradeState::Other("TOMORROW".into()));
}

#[test]
fn a_refusal_says_whether_it_was_signed() {
    let world = World::new();
    let refusal = |fields: &Fields| {
        let Err(Error::Refused(refusal)) = world.query(fields) else { panic!("{fields:?}") };
        (refusal.code, refusal.verified)
    };
    let mut no = paid();
    no.set("result_code", "FAIL");
    no.set("err_code", "ORDERNOTEXIST");
    let no = no.signed(SignType::Md5, &world.key);
    assert_eq!(refusal(&no), ("ORDERNOTEXIST".to_owned(), true));

    let unsigned = Fields::from_iter([("return_code", "FAIL"), ("return_msg", "签名错误")]);
    assert_eq!(refusal(&unsigned), ("FAIL".to_owned(), false));
    let mut altered = no;
    altered.set("err_code", "ORDERPAID");
    assert_eq!(world.query(&altered).unwrap_err().code(), "SP-SIGNATURE");
}

#[test]
fn what_is_no_answer_is_never_a_yes() {
    let world = World::new();
    let account = world.account(SignType::Md5);
    let call =
        CloseOrder { account, app_id: &world.app_id, sub: None, out_trade_no: &world.number };
    for body in ["", "<html>", "{}", "<xml></xml>", "<xml><return_code>OK</return_code></xml>"] {
        assert!(call.answer(reply(body.as_bytes()), 0).is_err(), "{body}");
    }
    let yes = paid().signed(SignType::Md5, &world.key).to_xml();
    let headers = HeaderMap::new();
    for status in [302, 404, 500, 502] {
        let reply = Reply { status, headers: &headers, body: yes.as_bytes() };
        assert_eq!(call.answer(reply, 0).unwrap_err().code(), "SP-REFUSED", "{status}");
    }
    assert!(call.answer(reply(yes.as_bytes()), 0).is_ok());
}

#[test]
fn what_xml_cannot_carry_is_refused_before_it_is_sent() {
    let world = World::new();
    let order = |body: &str| {
        UnifiedOrder::jsapi(
            world.app_id.clone(),
            OpenId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").unwrap(),
            world.number.clone(),
            Fen::new(990).unwrap(),
            body.to_owned(),
            "https://pay.example.com/wechat/notify/10000100".to_owned(),
        )
    };
    let nonce = nonce("N0nce");
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let send = |order: &UnifiedOrder| {
            PlaceOrder { account: world.account(sign_type), order }.request(moment(0, &nonce))
        };
        let request = send(&order("茶 <杯> ]]> & \r\n🍵")).unwrap();
        let sent = Fields::parse(request.body()).unwrap();
        sent.verify(sign_type, &world.key).unwrap();
        assert_eq!(sent.get("body"), Some("茶 <杯> ]]> & \r\n🍵"));
        assert_eq!(sent.declared_sign_type().unwrap(), sign_type);

        assert_eq!(send(&order("tea\0")).unwrap_err().code(), "SP-XML");
        assert_eq!(send(&order("\u{1b}[31m")).unwrap_err().code(), "SP-XML");
        assert_eq!(send(&order("\u{ffff}")).unwrap_err().code(), "SP-XML");
        let mut named = order("tea");
        named.other = Fields::from_iter([("a=1&b", "2")]);
        assert_eq!(send(&named).unwrap_err().code(), "SP-XML");
    }
}

#[test]
fn the_acknowledgement_is_a_message_that_says_success() {
    let fields = Fields::parse(acknowledge().as_bytes()).unwrap();
    assert_eq!(fields.get("return_code"), Some("SUCCESS"));
    assert_eq!(acknowledge().trim(), acknowledge());
}
