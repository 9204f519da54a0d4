//! Step 4: the phone opens the sheet only where all five texts are right.

use serde_json::{Value, json};
use suanpan_wechat::v2::{Fields, SignType};
use suanpan_wechat::{pay_sign_text_v2, pay_sign_text_v3};

use crate::common::Sim;
use crate::merchant::{Merchant, NOWHERE, pays};

/// The phone refuses: `why` begins with the field.
async fn refused(sim: &Sim, object: &Value, field: &str, words: &str) -> Value {
    let reply = sim.control("request-payment", object.clone()).await;
    let heard = reply["errMsg"].as_str().unwrap();
    assert!(heard.starts_with("requestPayment:fail "), "{reply}");
    let why = reply["why"].as_str().unwrap_or_else(|| panic!("{object} is taken"));
    assert!(why.starts_with(&format!("{field}: ")) && why.contains(words), "{field}: {reply}");
    assert_eq!(reply["field"], field);
    reply
}

/// Changes one member, and signs nothing anew.
fn with(object: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut object = object.clone();
    object[name] = value.into();
    object
}

#[tokio::test]
async fn all_five_must_be_texts() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let prepay_id = merchant.place_v3(&sim, "order_0001", NOWHERE).await;
    let good = merchant.sign_v3(&sim, &prepay_id);
    let reply =
        refused(&sim, &with(&good, "timeStamp", 1_767_225_600), "timeStamp", "is Number").await;
    assert_eq!(
        reply["errMsg"],
        "requestPayment:fail parameter error: parameter.timeStamp should be String instead of Number;"
    );
    for (name, value, kind) in [
        ("nonceStr", Value::Null, "Null"),
        ("package", json!({}), "Object"),
        ("signType", json!([]), "Array"),
        ("paySign", json!(true), "Boolean"),
    ] {
        refused(&sim, &with(&good, name, value), name, kind).await;
    }
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("paySign");
    refused(&sim, &without, "paySign", "Undefined").await;
    pays(&sim, good).await;
}

#[tokio::test]
async fn each_field_is_named_where_it_is_wrong() {
    let sim = Sim::start().await;
    let (merchant, other) = (sim.merchant(0), sim.merchant(2));
    let prepay_id = merchant.place_v3(&sim, "order_0001", NOWHERE).await;
    let good = merchant.sign_v3(&sim, &prepay_id);
    for (name, value, words) in [
        ("appId", json!(other.appid), "the order was placed for"),
        ("timeStamp", json!("1767225600000"), "unix seconds"),
        ("timeStamp", json!("now"), "unix seconds"),
        ("nonceStr", json!("n".repeat(33)), "32 characters"),
        ("package", json!(prepay_id), "should be `prepay_id=`"),
        ("package", json!("prepay_id=wx0"), "no order has"),
        ("signType", json!("MD5"), "should be RSA"),
    ] {
        refused(&sim, &with(&good, name, value), name, words).await;
    }
    refused(&sim, &with(&good, "user", "bob"), "user", "another payer").await;
    // signType may be left out, and is MD5 then.
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("signType");
    refused(&sim, &without, "signType", "should be RSA").await;
    pays(&sim, good).await;
}

#[tokio::test]
async fn a_wrong_signature_of_v3_names_what_was_signed() {
    let sim = Sim::start().await;
    let (merchant, other) = (sim.merchant(0), sim.merchant(2));
    let prepay_id = merchant.place_v3(&sim, "order_0001", NOWHERE).await;
    let good = merchant.sign_v3(&sim, &prepay_id);
    let [time, nonce, package] =
        ["timeStamp", "nonceStr", "package"].map(|name| good[name].as_str().unwrap());
    let app = merchant.appid.as_str();
    let right = pay_sign_text_v3(app, time, nonce, package);
    let sign = |merchant: &Merchant, text: &str| merchant.signer.key.sign(text.as_bytes());
    for (pay_sign, field, words) in [
        (
            sign(&merchant, &pay_sign_text_v3(other.appid.as_str(), time, nonce, package)),
            "appId",
            "is signed as wx",
        ),
        (
            sign(&merchant, &pay_sign_text_v3(app, time, nonce, prepay_id.as_str())),
            "package",
            "without `prepay_id=`",
        ),
        (sign(&merchant, right.trim_end()), "paySign", "line feed"),
        (sign(&merchant, &right.replace('\n', "\r\n")), "paySign", "CR LF"),
        (sign(&merchant, &right.replace('\n', "\\n")), "paySign", "written out"),
        (sign(&merchant, &pay_sign_text_v3(app, nonce, time, package)), "paySign", "another order"),
        (
            sign(&merchant, &pay_sign_text_v2(app, time, nonce, package, "RSA").canonical()),
            "paySign",
            "the APIv2 way",
        ),
        (sign(&other, &right), "paySign", "the private key is that of merchant"),
        (sign(&merchant, "nonsense"), "paySign", "fits nothing"),
        ("not base64".to_owned(), "paySign", "fits nothing"),
    ] {
        let reply = refused(&sim, &with(&good, "paySign", pay_sign), field, words).await;
        assert_eq!(reply["expected"], right);
    }
}

#[tokio::test]
async fn a_wrong_signature_of_v2_names_what_was_signed() {
    let sim = Sim::start().await;
    let (merchant, other) = (sim.merchant(1), sim.merchant(2));
    let prepay_id = merchant.place_v2(&sim, "order_0001", NOWHERE, SignType::Md5).await;
    let good = merchant.sign_v2(&sim, &prepay_id, SignType::Md5);
    let fields = |change: &dyn Fn(&str, &str) -> (String, String)| {
        let [time, nonce, package] =
            ["timeStamp", "nonceStr", "package"].map(|name| good[name].as_str().unwrap());
        let right = pay_sign_text_v2(merchant.appid.as_str(), time, nonce, package, "MD5");
        right.iter().map(|(name, value)| change(name, value)).collect::<Fields>()
    };
    let same = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let rename = |from: &'static str, to: &'static str| {
        fields(&|name, value| same(if name == from { to } else { name }, value))
    };
    let value = |of: &'static str, new: &str| {
        fields(&|name, value| same(name, if name == of { new } else { value }))
    };
    let right = fields(&same);
    let mut without = right.clone();
    without.remove("signType");
    let key = &merchant.v2_key;
    let md5 = |fields: &Fields| fields.sign(SignType::Md5, key);
    for (pay_sign, field, words) in [
        (md5(&rename("appId", "appid")), "appId", "appId -> appid"),
        (md5(&rename("timeStamp", "timestamp")), "timeStamp", "timeStamp -> timestamp"),
        (md5(&rename("nonceStr", "nonce_str")), "nonceStr", "nonceStr -> nonce_str"),
        (md5(&value("package", prepay_id.as_str())), "package", "without `prepay_id=`"),
        (md5(&value("appId", other.appid.as_str())), "appId", "is signed as wx"),
        (md5(&without), "signType", "sent and not signed"),
        (right.sign(SignType::HmacSha256, key), "signType", "signed with HMAC-SHA256"),
        (
            value("signType", "HMAC-SHA256").sign(SignType::HmacSha256, key),
            "signType",
            "signed with HMAC-SHA256",
        ),
        (md5(&right).to_lowercase(), "paySign", "small letters"),
        (right.sign(SignType::Md5, &other.v2_key), "paySign", "APIv2 key of"),
        (merchant.signer.key.sign(right.canonical().as_bytes()), "paySign", "private key"),
        ("0".repeat(32), "paySign", "fits nothing"),
    ] {
        let reply = refused(&sim, &with(&good, "paySign", pay_sign), field, words).await;
        assert!(!reply.to_string().contains(key.expose()), "{reply}");
    }
    pays(&sim, good).await;
}

#[tokio::test]
async fn the_sign_type_is_that_of_the_order() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(1);
    let prepay_id = merchant.place_v2(&sim, "order_0001", NOWHERE, SignType::HmacSha256).await;
    let md5 = merchant.sign_v2(&sim, &prepay_id, SignType::Md5);
    refused(&sim, &md5, "signType", "should be HMAC-SHA256").await;
    refused(&sim, &merchant.sign_v3(&sim, &prepay_id), "signType", "should be HMAC-SHA256").await;
    pays(&sim, merchant.sign_v2(&sim, &prepay_id, SignType::HmacSha256)).await;
}

#[tokio::test]
async fn the_payer_decides() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let prepay_id = merchant.place_v3(&sim, "order_0001", NOWHERE).await;
    let good = merchant.sign_v3(&sim, &prepay_id);
    for (outcome, heard) in [
        ("cancel", "requestPayment:fail cancel"),
        ("insufficient", "requestPayment:fail (余额不足)"),
        ("leave", ""),
    ] {
        let reply = sim.control("request-payment", with(&good, "outcome", outcome)).await;
        assert_eq!(reply, json!({ "errMsg": heard }));
        assert_eq!(sim.ledger().await["payments"], json!([]));
    }
    pays(&sim, good.clone()).await;
    let ledger = sim.ledger().await;
    assert_eq!(ledger["payments"][0]["amount"], 990);
    assert_eq!(ledger["payments"][0]["user"], "alice");
    assert_eq!(ledger["orders"][0]["transaction_id"], ledger["payments"][0]["transaction_id"]);
    refused(&sim, &good, "package", "paid already").await;
    assert_eq!(sim.ledger().await["payments"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_sheet_does_not_open_for_what_is_over() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let prepay_id = merchant.place_v3(&sim, "order_0001", NOWHERE).await;
    let good = merchant.sign_v3(&sim, &prepay_id);
    sim.machine.pass(7200);
    refused(&sim, &good, "package", "older than two hours").await;

    let body = json!({ "mchid": merchant.mchid }).to_string();
    let path = "/v3/pay/transactions/out-trade-no/order_0001/close";
    sim.send(merchant.v3_question(&sim, "POST", path, body.as_bytes())).await;
    refused(&sim, &good, "package", "is closed").await;

    let prepay_id = merchant.place_v3(&sim, "order_0002", NOWHERE).await;
    let good = merchant.sign_v3(&sim, &prepay_id);
    sim.machine.pass(8 * 24 * 3600);
    refused(&sim, &good, "package", "time_expire is over").await;
}

#[tokio::test]
async fn what_is_no_question_at_all_is_an_error() {
    let sim = Sim::start().await;
    for body in
        ["", "[]", "{}", r#"{"user":"alice","outcome":"steal"}"#, r#"{"user":"alice","outcome":1}"#]
    {
        let said = sim.post("/_sim/request-payment", body).await;
        assert_eq!(said.refusal(), (400, "SIM_BAD_REQUEST".to_owned()), "{body}");
        assert!(said.json()["remedy"].as_str().unwrap().contains("paySign"));
    }
}
