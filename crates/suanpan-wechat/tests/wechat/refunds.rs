//! How refunds are asked for and asked about, and which answers are held to be about them.

use http::HeaderMap;
use suanpan_wechat::v2::{self, Fields, SignType};
use suanpan_wechat::v3::{self, KeyRing, RefundResource, Signer, sign_message};
use suanpan_wechat::{ApiV3Key, AppId, Call, Fen, Host, MchId, OutRefundNo, Reply};

use crate::common::{certificate, key_ring, moment, nonce, private_key, signer, v2_key, v3_key};

const NOW: i64 = 1_795_500_000;
const V2_KEY: &str = "8934e7d15453e97507ef794cf7b0519d";

fn number() -> OutRefundNo {
    OutRefundNo::parse("R|1@shop").unwrap()
}

struct Keys {
    signer: Signer,
    ring: KeyRing,
    key: ApiV3Key,
}

impl Keys {
    fn new() -> Self {
        let key = v3_key("ThrowawayApiV3Key_0123456789abcd");
        Self { signer: signer("merchant-1"), ring: key_ring("platform-1"), key }
    }

    fn account(&self) -> v3::Account<'_> {
        v3::Account { signer: &self.signer, keys: &self.ring, api_v3_key: &self.key }
    }
}

fn signed(body: &str) -> HeaderMap {
    let serial = certificate("platform-1").serial;
    sign_message(&private_key("platform-1"), &serial, moment(NOW, &nonce("n")), body.as_bytes())
}

#[test]
fn v3_asks_by_number_and_believes_only_an_answer_about_it() {
    let (keys, number) = (Keys::new(), number());
    let (account, out_refund_no) = (keys.account(), &number);
    let call = v3::QueryRefund { account, out_refund_no, sub_mchid: None };
    let request = call.request(moment(NOW, &nonce("n"))).unwrap();
    assert_eq!(request.uri(), "/v3/refund/domestic/refunds/R%7C1%40shop");
    assert!(!call.shows_certificate());

    // The answer of the API page, its number ours (pay.weixin.qq.com/doc/v3/merchant/4013071041).
    let body = r#"{"refund_id":"50000000382019052709732678859","out_refund_no":"R|1@shop",
        "transaction_id":"1217752501201407033233368018","out_trade_no":"1217752501201407033233368018",
        "channel":"ORIGINAL","user_received_account":"招商银行信用卡0403",
        "success_time":"2020-12-01T16:18:12+08:00","create_time":"2020-12-01T16:18:12+08:00",
        "status":"SUCCESS","funds_account":"UNSETTLED","amount":{"total":100,"refund":99,
        "from":[{"account":"AVAILABLE","amount":99}],"payer_total":90,"payer_refund":90,
        "settlement_refund":100,"settlement_total":100,"discount_refund":10,"currency":"CNY",
        "refund_fee":0},"promotion_detail":[{"promotion_id":"109519","scope":"SINGLE",
        "type":"DISCOUNT","amount":5,"refund_amount":100}],"later":1}"#;
    let answer = |body: &str| {
        let headers = signed(body);
        call.answer(Reply { status: 200, headers: &headers, body: body.as_bytes() }, NOW)
    };
    let told = answer(body).unwrap();
    let fact = told.refund().unwrap();
    assert_eq!((fact.refund.get(), fact.total.get()), (99, 100));
    // TZ=Asia/Shanghai date -d '2020-12-01 16:18:12' +%s
    assert_eq!(fact.success_time, Some(1_606_810_692));
    assert_eq!(told.promotion_detail[0].kind, "DISCOUNT");
    assert!(told.other.contains_key("later"));

    assert!(answer(&body.replace("R|1@shop", "R|2@shop")).is_err());
    assert!(answer(&body.replace("\"status\":\"SUCCESS\",", "")).is_err());
    let unsigned = Reply { status: 200, headers: &HeaderMap::new(), body: body.as_bytes() };
    assert!(call.answer(unsigned, NOW).is_err());
}

#[test]
fn a_notification_says_refund_status_and_less() {
    let told: RefundResource = serde_json::from_str(
        r#"{"mchid":"1900000100","out_trade_no":"20150806125346","transaction_id":"1008450740201411110005820873",
        "out_refund_no":"7752501201407033233368018","refund_id":"50200207182018070300011301001",
        "refund_status":"ABNORMAL","user_received_account":"招商银行信用卡0403",
        "amount":{"total":999,"refund":998,"payer_total":999,"payer_refund":998}}"#,
    )
    .unwrap();
    let fact = told.refund().unwrap();
    assert_eq!((fact.status.as_str(), fact.currency.as_str()), ("ABNORMAL", "CNY"));
    assert_eq!(fact.success_time, None);
}

#[test]
fn v2_asks_over_mutual_tls_and_reads_the_entry_that_it_asked_about() {
    let (mch_id, key, app_id) = (
        MchId::parse("10000100").unwrap(),
        v2_key(V2_KEY),
        AppId::parse("wx2421b1c4370ec43b").unwrap(),
    );
    let account = v2::Account { mch_id: &mch_id, key: &key, sign_type: SignType::Md5 };
    let order = v2::RefundOrder {
        appid: app_id.clone(),
        sub_appid: None,
        sub_mch_id: None,
        transaction_id: Some("4200000001".parse().unwrap()),
        out_trade_no: None,
        out_refund_no: number(),
        total_fee: Fen::new(990).unwrap(),
        refund_fee: Fen::new(495).unwrap(),
        refund_fee_type: None,
        refund_desc: Some("茶 & <水>".to_owned()),
        refund_account: None,
        notify_url: Some("https://pay.example.com/n".to_owned()),
    };
    let call = v2::PlaceRefund { account, order: &order };
    assert!(call.shows_certificate() && call.host() == Host::Merchant);
    let request = call.request(moment(NOW, &nonce("n"))).unwrap();
    assert_eq!(request.uri(), "/secapi/pay/refund");
    let sent = Fields::parse(request.body()).unwrap();
    sent.verify(SignType::Md5, &key).unwrap();
    assert_eq!(v2::RefundOrder::from_fields(&sent).unwrap(), order);

    let out_refund_no = &order.out_refund_no;
    let query = v2::QueryRefund { account, app_id: &app_id, sub: None, out_refund_no };
    let answer = |status: &str, own: &str| {
        let fields: Fields = [
            ("return_code", "SUCCESS"),
            ("result_code", "SUCCESS"),
            ("mch_id", "10000100"),
            ("out_trade_no", "20150806125346"),
            ("transaction_id", "4200000001"),
            ("total_fee", "990"),
            ("out_refund_no_0", "another"),
            ("refund_status_0", "PROCESSING"),
            ("out_refund_no_1", own),
            ("refund_id_1", "503001"),
            ("refund_fee_1", "495"),
            ("refund_status_1", status),
            ("refund_recv_accout_1", "支付用户零钱"),
            ("refund_success_time_1", "2018-06-08 10:34:56"),
        ]
        .into_iter()
        .collect();
        let body = fields.signed(SignType::Md5, &key).to_xml();
        let headers = HeaderMap::new();
        query.answer(Reply { status: 200, headers: &headers, body: body.as_bytes() }, NOW)
    };
    let fact = answer("CHANGE", "R|1@shop").unwrap().refund;
    assert_eq!((fact.status.as_str(), fact.refund.get()), ("ABNORMAL", 495));
    assert_eq!(fact.success_time, Some(1_528_425_296));
    assert!(answer("SUCCESS", "somebody-elses").is_err());
}

/// The partner asks, signs and is answered; the money is the sub-merchant's.
#[test]
fn a_partner_names_the_sub_merchant_in_both_apis() {
    let (keys, out_refund_no) = (Keys::new(), &number());
    let sub_mchid = MchId::parse("1900000109").unwrap();
    let call =
        v3::QueryRefund { account: keys.account(), out_refund_no, sub_mchid: Some(&sub_mchid) };
    let request = call.request(moment(NOW, &nonce("n"))).unwrap();
    assert_eq!(request.uri(), "/v3/refund/domestic/refunds/R%7C1%40shop?sub_mchid=1900000109");

    let (mch_id, key) = (MchId::parse("10000100").unwrap(), v2_key(V2_KEY));
    let account = v2::Account { mch_id: &mch_id, key: &key, sign_type: SignType::Md5 };
    let app_id = &AppId::parse("wx2421b1c4370ec43b").unwrap();
    let sub_app = &AppId::parse("wxd678efh567hg6787").unwrap();
    let sub = v2::SubMerchant { mch_id: &sub_mchid, app_id: Some(sub_app) };
    let query = v2::QueryRefund { account, app_id, sub: Some(sub), out_refund_no };
    let request = query.request(moment(NOW, &nonce("n"))).unwrap();
    let sent = Fields::parse(request.body()).unwrap();
    let named = ["mch_id", "appid", "sub_mch_id", "sub_appid"].map(|name| sent.get(name).unwrap());
    assert_eq!(named, ["10000100", app_id.as_str(), "1900000109", sub_app.as_str()]);

    // A notification tells whose money it is, so that it can be compared.
    let told = r#"{"sp_mchid":"10000100","sub_mchid":"1900000109","out_trade_no":"20150806125346",
        "transaction_id":"4200000001","out_refund_no":"R|1@shop","refund_id":"503001",
        "refund_status":"SUCCESS","success_time":"2020-12-01T16:18:12+08:00",
        "amount":{"total":990,"refund":495,"payer_total":990,"payer_refund":495}}"#;
    let told: RefundResource = serde_json::from_str(told).unwrap();
    assert_eq!(told.refund().unwrap().sub_mchid, Some(sub_mchid));
}
