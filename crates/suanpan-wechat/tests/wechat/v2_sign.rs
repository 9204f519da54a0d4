//! The signature of APIv2, and the refund notice that has none.

use suanpan_wechat::ApiV2Key;
use suanpan_wechat::v2::{
    Fields, PaymentNotice, RefundNotice, SignType, open_req_info, seal_req_info,
};

use crate::common::{fields, number, optional, text, v2_key, vector_file, vectors};

const BOTH: [SignType; 2] = [SignType::Md5, SignType::HmacSha256];

#[test]
fn messages_are_signed_as_elsewhere() {
    let mut digests = 0;
    for vector in vectors(vector_file!("v2_sign.json"), 5) {
        let (fields, key) = (fields(&vector, "given/fields"), text(&vector, "given/api_key"));
        let signed_text = text(&vector, "want/signed_text");
        assert_eq!(format!("{}&key={key}", fields.canonical()), signed_text);

        // One published vector has a key of three letters, which no merchant can have;
        // its digests are checked inside the crate.
        let Ok(key) = ApiV2Key::parse(key) else {
            assert_eq!(vector["id"], "tiny-abc");
            continue;
        };
        for sign_type in BOTH {
            let Some(want) = optional(&vector, &format!("want/{}", sign_type.as_str())) else {
                continue;
            };
            assert_eq!(fields.sign(sign_type, &key), want, "{}", vector["id"]);
            fields.clone().signed(sign_type, &key).verify(sign_type, &key).unwrap();
            digests += 1;
        }
    }
    assert_eq!(digests, 6);
}

#[test]
fn a_payment_notice_of_either_digest_is_read_with_all_that_is_signed() {
    for vector in vectors(vector_file!("v2_notice.json"), 1) {
        let (xml, key) = (text(&vector, "given/xml"), v2_key(text(&vector, "given/api_key")));
        let mut got = Fields::parse(xml.as_bytes()).unwrap();
        got.remove("sign");
        assert_eq!(got, fields(&vector, "want/fields"));
        assert_eq!(
            format!("{}&key={}", got.canonical(), key.expose()),
            text(&vector, "want/signed_text")
        );

        for sign_type in BOTH {
            let sign = text(&vector, &format!("want/{}", sign_type.as_str()));
            let mut signed = got.clone();
            signed.set("sign", sign);
            let notice = PaymentNotice::read(signed.to_xml().as_bytes(), &key).unwrap();
            assert_eq!(notice.total_fee.get(), 100);
            assert_eq!(notice.cash_fee.get(), 90);
            assert_eq!(notice.coupons.len(), 1);
            assert_eq!(notice.other.get("unknown_future_field"), Some("x"));
            assert_eq!(notice.payment().success_time, Some(1_795_523_493));
        }
        assert!(PaymentNotice::read(xml.as_bytes(), &key).is_ok());
        let other_key = v2_key("0934e7d15453e97507ef794cf7b0519d");
        assert!(PaymentNotice::read(xml.as_bytes(), &other_key).is_err());
    }
}

#[test]
fn a_refund_notice_opens_under_the_digest_of_the_key() {
    for vector in vectors(vector_file!("v2_refund_notice.json"), 2) {
        let (sealed, key) = (text(&vector, "given/req_info"), text(&vector, "given/api_key"));
        let opened = open_req_info(sealed, &v2_key(key)).unwrap();
        assert_eq!(String::from_utf8_lossy(&opened), text(&vector, "want/text"));
        assert_eq!(opened.len().to_string(), number(&vector, "want/bytes").to_string());

        // ECB proves nothing, but another key does not give a clean padding here.
        assert!(open_req_info(sealed, &v2_key("00000000000000000000000000000000")).is_err());
        assert!(open_req_info(&sealed[4..], &v2_key(key)).is_err());
    }
    // The long one as a whole notice.
    let vector = &vectors(vector_file!("v2_refund_notice.json"), 2)[0];
    let key = v2_key(text(vector, "given/api_key"));
    let mut outer = Fields::new();
    for (name, value) in [
        ("return_code", "SUCCESS"),
        ("appid", "wx2421b1c4370ec43b"),
        ("mch_id", "10000100"),
        ("req_info", text(vector, "given/req_info")),
    ] {
        outer.set(name, value);
    }
    assert!(RefundNotice::is_told_by(&outer));
    let notice = RefundNotice::open(&outer, &key).unwrap();
    let told = notice.refund();
    assert_eq!((told.refund.get(), told.total.get()), (3960, 3960));
    assert_eq!(told.status.as_str(), "SUCCESS");
    // TZ=Asia/Shanghai date -d '2018-11-19 16:24:13' +%s
    assert_eq!(told.success_time, Some(1_542_615_853));
    assert_eq!(told.received_account.as_deref(), Some("支付用户零钱"));
    assert_eq!(told.out_refund_no.as_str(), "131811191610442717309");
    // Written by us and read again it is the same; ECB seals one text one way.
    assert_eq!(RefundNotice::open(&notice.fields(&key), &key).unwrap(), notice);
    let sealed = seal_req_info(text(vector, "want/text").as_bytes(), &key);
    assert_eq!(sealed.as_deref(), Some(text(vector, "given/req_info")));
    // The inside of the long one is a message like any other.
    let vector = &vectors(vector_file!("v2_refund_notice.json"), 2)[0];
    let inside = Fields::parse(text(vector, "want/text").as_bytes()).unwrap();
    assert_eq!(inside.get("refund_status"), Some("SUCCESS"));
    assert_eq!(inside.get("refund_recv_accout"), Some("支付用户零钱"));
}

/// A message and its right sign, of which then one thing is wrong.
#[test]
fn what_is_not_the_signature_is_refused() {
    let key = v2_key("8934e7d15453e97507ef794cf7b0519d");
    let unsigned = Fields::from_iter([("a", "1"), ("b", "2")]);
    for (ours, other) in [(BOTH[0], BOTH[1]), (BOTH[1], BOTH[0])] {
        let sign = unsigned.sign(ours, &key);
        let with = |sign: &str| {
            let mut fields = unsigned.clone();
            fields.set("sign", sign);
            fields
        };
        with(&sign).verify(ours, &key).unwrap();
        assert!(with(&sign).verify(other, &key).is_err(), "the other digest");
        for wrong in ["", " ", &sign.to_lowercase(), &format!(" {sign}"), &sign[1..], &sign[..31]] {
            assert!(with(wrong).verify(ours, &key).is_err(), "{wrong:?}");
        }
    }
}
