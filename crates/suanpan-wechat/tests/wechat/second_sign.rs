//! The second sign: what the payer's client checks before it shows the sheet.

use serde_json::Value;
use suanpan_wechat::v2::{self, SignType};
use suanpan_wechat::{
    AppId, MchId, PaySignType, PrepayId, RequestPayment, pay_sign_text_v2, pay_sign_text_v3,
    second_sign_v2, second_sign_v3, v3,
};

use crate::common::{
    fields, moment, nonce, optional, private_key, text, v2_key, vector_file, vectors,
};

/// The five texts must be those of the vector.
#[track_caller]
fn check(signed: &RequestPayment, given: &Value, pay_sign: &str) {
    assert_eq!(signed.time_stamp, text(given, "timeStamp"));
    assert_eq!(signed.nonce_str, text(given, "nonceStr"));
    assert_eq!(signed.package, text(given, "package"));
    assert_eq!(signed.sign_type, text(given, "signType"));
    assert_eq!(signed.pay_sign, pay_sign);
}

#[test]
fn mini_program_of_api_v2() {
    for vector in vectors(vector_file!("v2_second_sign.json"), 2) {
        let given = &vector["given"]["fields"];
        let word = text(given, "signType");
        let sign_type = SignType::parse(word).unwrap();
        let key = v2_key(text(&vector, "given/api_key"));
        let package = text(given, "package");
        let prepay_id = PrepayId::parse(package.strip_prefix("prepay_id=").unwrap()).unwrap();

        let nonce = nonce(text(given, "nonceStr"));
        let moment = moment(text(given, "timeStamp").parse().unwrap(), &nonce);
        let app_id = AppId::parse(text(given, "appId")).unwrap();
        let signed = second_sign_v2(&app_id, &prepay_id, moment, sign_type, &key);
        check(&signed, given, text(&vector, &format!("want/{word}")));

        let RequestPayment { time_stamp, nonce_str, package, .. } = &signed;
        let fields = pay_sign_text_v2(app_id.as_str(), time_stamp, nonce_str, package, word);
        let signed_text = format!("{}&key={}", fields.canonical(), key.expose());
        assert_eq!(signed_text, text(&vector, "want/signed_text"));
    }
}

#[test]
fn app_of_api_v2() {
    for vector in vectors(vector_file!("v2_app_sign.json"), 1) {
        let given = &vector["given"]["fields"];
        let key = v2_key(text(&vector, "given/api_key"));
        let nonce = nonce(text(given, "noncestr"));
        for sign_type in [SignType::Md5, SignType::HmacSha256] {
            let signed = v2::app_sign(
                &AppId::parse(text(given, "appid")).unwrap(),
                &MchId::parse(text(given, "partnerid")).unwrap(),
                &PrepayId::parse(text(given, "prepayid")).unwrap(),
                moment(text(given, "timestamp").parse().unwrap(), &nonce),
                sign_type,
                &key,
            );
            assert_eq!(signed, text(&vector, &format!("want/{}", sign_type.as_str())));
        }
        let signed_text =
            format!("{}&key={}", fields(&vector, "given/fields").canonical(), key.expose());
        assert_eq!(signed_text, text(&vector, "want/signed_text"));
    }
}

#[test]
fn mini_program_of_api_v3() {
    for vector in vectors(vector_file!("v3_second_sign.json"), 3) {
        let given = &vector["given"];
        assert_eq!(text(given, "signType"), PaySignType::Rsa.as_str());
        let key = private_key(text(given, "merchant"));
        let want = text(&vector, "want/signature");

        let [app_id, time_stamp, nonce_str, package] =
            ["appId", "timeStamp", "nonceStr", "package"].map(|name| text(given, name));
        let signed_text = pay_sign_text_v3(app_id, time_stamp, nonce_str, package);
        assert_eq!(signed_text, text(&vector, "want/signed_text"));
        assert_eq!(key.sign(signed_text.as_bytes()), want);

        // The smallest one has no `prepay_id`, which cannot be built here.
        let prepay_id = package.strip_prefix("prepay_id=").unwrap();
        let Ok(prepay_id) = PrepayId::parse(prepay_id) else {
            assert_eq!(vector["id"], "more-smallest");
            continue;
        };
        let nonce = nonce(nonce_str);
        let moment = moment(time_stamp.parse().unwrap(), &nonce);
        let signed = second_sign_v3(&AppId::parse(app_id).unwrap(), &prepay_id, moment, &key);
        check(&signed, given, want);
    }
}

#[test]
fn app_of_api_v3() {
    for vector in vectors(vector_file!("v3_app_sign.json"), 1) {
        let given = &vector["given"];
        let nonce = nonce(text(given, "noncestr"));
        let signed = v3::app_sign(
            &AppId::parse(text(given, "appid")).unwrap(),
            &PrepayId::parse(text(given, "prepayid")).unwrap(),
            moment(text(given, "timestamp").parse().unwrap(), &nonce),
            &private_key(text(given, "merchant")),
        );
        assert_eq!(signed, text(&vector, "want/signature"));
        let key = private_key(text(given, "merchant"));
        assert_eq!(key.sign(text(&vector, "want/signed_text").as_bytes()), signed);
        assert_eq!(optional(given, "package"), Some("Sign=WXPay"));
    }
}
