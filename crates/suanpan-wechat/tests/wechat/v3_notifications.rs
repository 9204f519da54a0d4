//! What WeChat tells under seal: payments, refunds, and its own certificates.

use http::HeaderMap;
use serde_json::{Value, json};
use suanpan_wechat::v3::{
    CertificatesAnswer, KeyRing, Notification, PaymentNotification, PublicKey, Resource,
    Transaction, sign_message,
};
use suanpan_wechat::{ApiV3Key, Error, Payment, Serial};

use crate::common::{
    PUBLIC_KEY_ID, certificate, headers, key_ring, moment, nonce, number, private_key, text,
    v3_key, vector_file, vectors,
};

const KEY: &str = "ThrowawayApiV3Key_0123456789abcd";
const NOW: i64 = 1_795_500_000;

#[test]
fn notifications_are_read_as_elsewhere() {
    let mut events = Vec::new();
    for vector in vectors(vector_file!("v3_notification.json"), 3) {
        let (headers, body) = (headers(&vector), text(&vector, "given/body").as_bytes());
        let now = number(&vector, "given/now");
        let (keys, key) = (key_ring("platform-1"), v3_key(KEY));

        let envelope = Notification::read(&headers, body, &keys, now).unwrap();
        let opened = envelope.resource.open(&key).unwrap();
        let opened: Value = serde_json::from_slice(&opened).unwrap();
        assert_eq!(opened, vector["want"]["opened"], "{}", vector["id"]);
        assert_eq!(envelope.resource.original_type, envelope.resource.associated_data);

        let payment = PaymentNotification::read(&headers, body, &keys, &key, now);
        if envelope.event_type == PaymentNotification::EVENT_TYPE {
            let payment = payment.unwrap().transaction;
            let fact = payment.payment().unwrap();
            assert!(fact.state.is_paid());
            assert_eq!(fact.success_time, Some(1_795_485_788));
            assert!(payment.other.is_empty());
        } else {
            assert_eq!(payment.unwrap_err().code(), "SP-FIELD");
        }
        assert!(Notification::read(&headers, body, &keys, now + 300).is_err());
        let wrong_key = v3_key("ThrowawayApiV3Key_0123456789abcD");
        assert!(envelope.resource.open(&wrong_key).is_err());
        events.push(envelope.event_type);
    }
    assert_eq!(events, ["TRANSACTION.SUCCESS", "TRANSACTION.SUCCESS", "REFUND.SUCCESS"]);
}

/// Seals this inside, signs the envelope, and reads it as a payment.
fn heard(event_type: &str, inside: &Value, change: fn(&mut Value)) -> Result<Transaction, Error> {
    let key = v3_key(KEY);
    let inside = inside.to_string();
    let resource = Resource::seal("transaction", &key, "N0nce-12char", inside.as_bytes()).unwrap();
    let mut envelope = json!({
        "id": "EV-1", "create_time": "2026-11-24T10:03:09+08:00", "event_type": event_type,
        "resource_type": "encrypt-resource", "summary": "支付成功", "resource": resource,
    });
    change(&mut envelope);
    let body = envelope.to_string();
    let serial = certificate("platform-1").serial;
    let nonce = nonce("n");
    let signed = moment(NOW, &nonce);
    let headers = sign_message(&private_key("platform-1"), &serial, signed, body.as_bytes());
    PaymentNotification::read(&headers, body.as_bytes(), &key_ring("platform-1"), &key, NOW)
        .map(|read| read.transaction)
}

/// The fact in it, where there is one.
fn fact(inside: &Value) -> Result<Payment, Error> {
    heard("TRANSACTION.SUCCESS", inside, |_| ())?.payment()
}

fn payment() -> Value {
    json!({
        "mchid": "1900000109", "appid": "wx8888888888888888", "out_trade_no": "SP-000001",
        "trade_state": "SUCCESS", "amount": {"total": 100, "currency": "CNY"},
    })
}

/// The name of the event does not make a payment; what is inside does.
#[test]
fn only_a_payment_is_heard_as_a_payment() {
    let as_it_is: fn(&mut Value) = |_| ();
    assert!(heard("TRANSACTION.SUCCESS", &payment(), as_it_is).is_ok());
    assert!(heard("REFUND.SUCCESS", &payment(), as_it_is).is_err());

    let refund = json!({"mchid": "1900000109", "out_trade_no": "SP-000001",
        "refund_status": "SUCCESS", "amount": {"total": 100, "refund": 100}});
    let sharing = json!({"mchid": "1900000109", "transaction_id": "4200", "order_id": "3008",
        "receiver": {"type": "MERCHANT_ID", "account": "1900000110", "amount": 1}});
    let combined = json!({"combine_mchid": "1900000109", "combine_out_trade_no": "C-000001",
        "sub_orders": [payment()]});
    for inside in [refund, sharing, combined, json!({}), json!([]), json!(1), json!(null)] {
        assert!(heard("TRANSACTION.SUCCESS", &inside, as_it_is).is_err(), "{inside}");
    }
}

#[test]
fn a_payment_without_its_essentials_is_no_fact() {
    for member in ["mchid", "appid", "out_trade_no", "trade_state"] {
        let mut inside = payment();
        inside.as_object_mut().unwrap().remove(member);
        assert_eq!(fact(&inside).unwrap_err().code(), "SP-FIELD");
    }
    for (member, bad) in [
        ("amount", json!({"total": 1.0})),
        ("amount", json!({"total": "100"})),
        ("amount", json!({"total": -1})),
        ("amount", json!({"total": 9_223_372_036_854_775_808_u64})),
        ("out_trade_no", json!("short")),
        ("success_time", json!("yesterday")),
    ] {
        let mut inside = payment();
        inside[member] = bad;
        assert!(fact(&inside).is_err(), "{inside}");
    }
}

#[test]
fn what_may_be_absent_may_be_null_and_new_members_may_come() {
    let mut inside = payment();
    for member in ["attach", "payer", "promotion_detail", "scene_info", "success_time"] {
        inside[member] = Value::Null;
    }
    inside["a_member_of_tomorrow"] = json!({"x": [1, 2]});
    assert!(fact(&inside).is_ok());
    let bare = |envelope: &mut Value| {
        envelope["summary"] = Value::Null;
        envelope["tomorrow"] = json!(1);
        envelope["resource"]["original_type"] = Value::Null;
        envelope["resource"]["tomorrow"] = json!(1);
    };
    assert!(heard("TRANSACTION.SUCCESS", &payment(), bare).is_ok());
}

#[test]
fn a_resource_that_is_altered_or_of_another_kind_is_refused() {
    let code = |change| heard("TRANSACTION.SUCCESS", &payment(), change).unwrap_err().code();
    assert_eq!(code(|it| it["resource"]["algorithm"] = json!("AEAD_SM4_GCM")), "SP-FIELD");
    assert_eq!(code(|it| it["resource"]["associated_data"] = json!("refund")), "SP-DECRYPT");
    assert_eq!(code(|it| it["resource"]["associated_data"] = json!(null)), "SP-DECRYPT");
    assert_eq!(code(|it| it["resource"]["nonce"] = json!("N0nce-12chaR")), "SP-DECRYPT");
    assert_eq!(code(|it| it["resource"]["nonce"] = json!("short")), "SP-DECRYPT");
    assert_eq!(code(|it| it["resource"]["ciphertext"] = json!("AAAA")), "SP-DECRYPT");
    assert_eq!(code(|it| it["resource"] = json!(null)), "SP-JSON");
}

/// The first answer is proven by what is inside of it.
#[test]
fn certificates_are_read_as_elsewhere() {
    for vector in vectors(vector_file!("v3_certificates.json"), 1) {
        let (headers, body) = (headers(&vector), text(&vector, "given/body").as_bytes());
        let now = number(&vector, "given/now");
        let opened = CertificatesAnswer::open(&headers, body, &v3_key(KEY), now).unwrap();
        let serials: Vec<&Serial> = opened.iter().map(|one| &one.serial).collect();
        let want = [certificate("platform-1").serial, certificate("platform-1-next").serial];
        assert_eq!(serials, [&want[0], &want[1]]);
        assert!(opened[0].is_valid_at(now) && !opened[1].is_valid_at(now));

        let other = v3_key("ThrowawayApiV3Key_0123456789abcD");
        assert!(CertificatesAnswer::open(&headers, body, &other, now).is_err());
        assert!(CertificatesAnswer::open(&headers, body, &v3_key(KEY), now + 300).is_err());
        assert!(CertificatesAnswer::open(&HeaderMap::new(), body, &v3_key(KEY), now).is_err());
    }
}

/// While a merchant migrates, the answer is signed with the public key that it holds.
#[test]
fn certificates_may_be_signed_with_a_key_that_is_known() {
    let vector = &vectors(vector_file!("v3_certificates.json"), 1)[0];
    let body = text(vector, "given/body");
    let id: Serial = PUBLIC_KEY_ID.parse().unwrap();
    let known = PublicKey::from_pem(vector_file!("wechatpay-1.pub.pem")).unwrap();
    let known = KeyRing::new().with_key(id.clone(), known);
    let open = |body: &str, keys: &KeyRing, key: &ApiV3Key| {
        let nonce = nonce("n");
        let signed = moment(NOW, &nonce);
        let headers = sign_message(&private_key("wechatpay-1"), &id, signed, body.as_bytes());
        CertificatesAnswer::open_knowing(keys, &headers, body.as_bytes(), key, NOW)
    };
    assert_eq!(open(body, &known, &v3_key(KEY)).unwrap().len(), 2);
    assert!(open(body, &KeyRing::new(), &v3_key(KEY)).is_err());
    assert!(open("{\"data\":[]}", &known, &v3_key(KEY)).unwrap().is_empty());

    let other_cipher = body.replace("AEAD_AES_256_GCM", "AEAD_SM4_GCM");
    assert_eq!(open(&other_cipher, &known, &v3_key(KEY)).unwrap_err().code(), "SP-FIELD");
}
