//! Every field that WeChat documents for an order and a notification of APIv2 has
//! its place in the types, and what has none survives.

use suanpan_wechat::v2::{Fields, PaymentNotice, SignType, TradeType, UnifiedOrder};

use crate::common::v2_key;

const KEY: &str = "8934e7d15453e97507ef794cf7b0519d";

/// pay.weixin.qq.com/doc/v2/merchant/4011940985, with partner mode and real-name payment.
const ORDER: &[(&str, &str)] = &[
    ("appid", "wx2421b1c4370ec43b"),
    ("sub_mch_id", "10000101"),
    ("sub_appid", "wx8888888888888888"),
    ("device_info", "WEB"),
    ("version", "1.0"),
    ("body", "算盘小店-茶"),
    ("detail", r#"{"goods_detail":[{"goods_id":"茶","quantity":1,"price":990}]}"#),
    ("attach", "a=b&c"),
    ("out_trade_no", "SP-2026_11|24*"),
    ("fee_type", "CNY"),
    ("total_fee", "990"),
    ("spbill_create_ip", "2001:db8::1"),
    ("time_start", "20261124202500"),
    ("time_expire", "20261124222500"),
    ("goods_tag", "TEA"),
    ("notify_url", "https://pay.example.com/wechat/notify/10000100"),
    ("trade_type", "JSAPI"),
    ("product_id", "12235413214070356458058"),
    ("limit_pay", "no_credit"),
    ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
    ("sub_openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6p"),
    ("receipt", "Y"),
    ("profit_sharing", "N"),
    ("scene_info", r#"{"store_info":{"id":"SZTX001"}}"#),
    ("user_type", "IDCARD"),
    ("user_creid", "110101199001011234"),
    ("user_truename", "张三"),
];

#[test]
fn an_order_has_a_place_for_every_field() {
    let wire = Fields::from_iter(ORDER.iter().copied());
    let order = UnifiedOrder::from_fields(wire.clone()).unwrap();
    assert_eq!(order.other, Fields::new());
    assert_eq!(order.fields(), wire);

    let print = format!("{order:?}");
    for personal in ["M2pxb1Q9", "19900101", "张三"] {
        assert!(!print.contains(personal), "{print}");
    }
}

#[test]
fn an_order_keeps_what_it_does_not_know_and_drops_what_is_empty() {
    let mut wire = Fields::from_iter(ORDER.iter().copied());
    wire.set("tomorrow", "x");
    let order = UnifiedOrder::from_fields(wire.clone()).unwrap();
    assert_eq!(order.other.get("tomorrow"), Some("x"));
    assert_eq!(order.fields(), wire);

    let with_empty = ORDER.iter().copied().chain([("nothing", ""), ("nonce_str", "n")]);
    let with_empty = UnifiedOrder::from_fields(Fields::from_iter(with_empty)).unwrap();
    assert_eq!(with_empty, UnifiedOrder { other: Fields::new(), ..order });
}

#[test]
fn an_order_without_a_required_field_is_refused() {
    let required = ["appid", "body", "out_trade_no", "total_fee", "spbill_create_ip"];
    for name in required.into_iter().chain(["notify_url", "trade_type"]) {
        let without = ORDER.iter().copied().filter(|(field, _)| *field != name);
        assert!(UnifiedOrder::from_fields(Fields::from_iter(without)).is_err(), "{name}");
    }
    for (name, bad) in [
        ("total_fee", "9.90"),
        ("total_fee", "-1"),
        ("total_fee", "+1"),
        ("total_fee", "1e2"),
        ("total_fee", "9223372036854775808"),
        ("out_trade_no", "short"),
        ("trade_type", "jsapi"),
        ("openid", "not an openid"),
    ] {
        let mut wire = Fields::from_iter(ORDER.iter().copied());
        wire.set(name, bad);
        assert!(UnifiedOrder::from_fields(wire).is_err(), "{name} {bad}");
    }
    for word in [TradeType::Jsapi, TradeType::Native, TradeType::App, TradeType::Mweb] {
        assert_eq!(TradeType::parse(word.as_str()), Some(word));
    }
}

/// pay.weixin.qq.com/doc/v2/merchant/4011937248, with partner mode and two coupons.
const NOTICE: &[(&str, &str)] = &[
    ("return_code", "SUCCESS"),
    ("result_code", "SUCCESS"),
    ("appid", "wx2421b1c4370ec43b"),
    ("mch_id", "10000100"),
    ("sub_appid", "wx8888888888888888"),
    ("sub_mch_id", "10000101"),
    ("sub_openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6p"),
    ("sub_is_subscribe", "N"),
    ("device_info", "WEB"),
    ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
    ("is_subscribe", "Y"),
    ("trade_type", "JSAPI"),
    ("bank_type", "CMB_DEBIT"),
    ("total_fee", "990"),
    ("settlement_total_fee", "980"),
    ("fee_type", "CNY"),
    ("cash_fee", "970"),
    ("cash_fee_type", "CNY"),
    ("coupon_fee", "20"),
    ("coupon_count", "2"),
    ("coupon_id_0", "10000"),
    ("coupon_type_0", "CASH"),
    ("coupon_fee_0", "10"),
    ("coupon_id_1", "10001"),
    ("coupon_type_1", "NO_CASH"),
    ("coupon_fee_1", "10"),
    ("transaction_id", "4200000000202611240000000001"),
    ("out_trade_no", "SP-2026_11|24*"),
    ("attach", "a=b&c"),
    ("time_end", "20261124203133"),
    ("promotion_detail", r#"{"promotion_detail":[]}"#),
];

#[track_caller]
fn read(change: &[(&str, &str)]) -> Result<PaymentNotice, suanpan_wechat::Error> {
    let mut wire = Fields::from_iter(NOTICE.iter().copied());
    wire.set("nonce_str", "N0nce");
    for (name, value) in change {
        wire.set(name, value);
    }
    let key = v2_key(KEY);
    PaymentNotice::read(wire.signed(SignType::Md5, &key).to_xml().as_bytes(), &key)
}

#[test]
fn a_notice_has_a_place_for_every_field() {
    let notice = read(&[("return_msg", "OK"), ("sign_type", "MD5")]).unwrap();
    assert_eq!(notice.other, Fields::new());
    assert_eq!(notice.fields(), Fields::from_iter(NOTICE.iter().copied()));
    assert_eq!(notice.coupons.len(), 2);
    assert!(!format!("{notice:?}").contains("M2pxb1Q9"));
}

#[test]
fn a_notice_keeps_what_it_does_not_know() {
    let notice = read(&[("tomorrow", "x"), ("err_code", "0")]).unwrap();
    assert_eq!(notice.other, Fields::from_iter([("err_code", "0"), ("tomorrow", "x")]));
    // A count without its coupons, and coupons without their count.
    let more = read(&[("coupon_count", "3")]).unwrap();
    assert_eq!(more.fields().get("coupon_count"), Some("3"));
    let less = read(&[("coupon_count", "")]).unwrap();
    assert_eq!(less.coupons, more.coupons);
}

#[test]
fn a_notice_of_no_payment_or_with_a_broken_field_is_refused() {
    let required = ["appid", "mch_id", "openid", "trade_type", "bank_type", "total_fee"];
    let required = required.into_iter().chain(["cash_fee", "transaction_id", "out_trade_no"]);
    for name in required.chain(["time_end", "return_code", "result_code"]) {
        assert!(read(&[(name, "")]).is_err(), "{name}");
    }
    for (name, bad) in [
        ("return_code", "FAIL"),
        ("result_code", "FAIL"),
        ("return_code", "success"),
        ("total_fee", "9.9"),
        ("cash_fee", "-1"),
        ("coupon_fee_1", "ten"),
        ("time_end", "2026-11-24 20:31:33"),
        ("mch_id", "wx10000100"),
        ("sign_type", "md5"),
        ("sign_type", "HMAC-SHA256"),
    ] {
        assert!(read(&[(name, bad)]).is_err(), "{name} {bad}");
    }
}
