//! What people paste, and what they must be told first.

use suanpan_server::explain;

/// Each with the code of the entry that must come first.
const CASES: &[(&str, &str)] = &[
    // Logging in.
    ("40029", "40029"),
    ("invalid code, rid: 608d5803-66b84dfc-005383b1", "40029"),
    ("{\"errcode\":40029,\"errmsg\":\"invalid code, hints: [ req_id: Cf9aaPpe-kAlyA ]\"}", "40029"),
    ("40163 code been used", "40163"),
    ("code been used, rid: 6", "40163"),
    ("errMsg: the code is a mock one", "code-mock"),
    ("40013", "40013"),
    ("errcode 40125 invalid appsecret", "40125"),
    ("40226", "40226"),
    ("高风险用户", "40226"),
    ("{\"errcode\":-1,\"errmsg\":\"system error\"}", "-1"),
    ("-1", "-1"),
    ("45011 api minute-quota reach limit mustslower retry next minute", "45011"),
    ("40164 invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist", "40164"),
    ("ip白名单", "40164"),
    ("40001 invalid credential, access_token is invalid or not latest", "40001"),
    ("不在以下 request 合法域名列表中", "request-domain"),
    ("url not in domain list", "request-domain"),
    ("session_key is not existd or expired", "87007"),
    // Ordering.
    (
        "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[签名错误，请检查后再试]]></return_msg></xml>",
        "SIGNERROR",
    ),
    ("签名错误", "SIGNERROR"),
    ("{\"code\":\"SIGN_ERROR\",\"message\":\"签名错误\"}", "SIGN_ERROR"),
    ("SIGN_ERROR 错误的签名，验签失败", "SIGN_ERROR"),
    (
        "{\"code\":\"SIGN_ERROR\",\"message\":\"商户证书序列号有误。请使用签名私钥匹配的证书序列号\"}",
        "sign-serial",
    ),
    ("商户证书序列号有误", "sign-serial"),
    ("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》", "sign-authorization"),
    ("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟", "sign-timestamp"),
    ("商户未设置APIv3密钥。", "sign-no-apiv3-key"),
    ("商户证书已作废", "sign-certificate-state"),
    ("Http头缺少Accept或User-Agent", "header-user-agent"),
    ("HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)", "header-serial"),
    ("http header中的mchid与post payload中的mchid不匹配", "mchid-differs"),
    ("APPID_MCHID_NOT_MATCH", "APPID_MCHID_NOT_MATCH"),
    ("appid和mch_id不匹配，请检查后再试", "APPID_MCHID_NOT_MATCH"),
    ("{\"code\":\"PARAM_ERROR\",\"message\":\"无效的openid\"}", "openid-invalid"),
    ("appid和openid不匹配", "openid-invalid"),
    ("INVALID_REQUEST 201 商户订单号重复", "OUT_TRADE_NO_USED"),
    ("OUT_TRADE_NO_USED", "OUT_TRADE_NO_USED"),
    (
        "<err_code><![CDATA[ORDERPAID]]></err_code><err_code_des><![CDATA[该订单已支付]]></err_code_des>",
        "ORDERPAID",
    ),
    ("该订单已支付", "ORDERPAID"),
    ("ORDERCLOSED", "ORDERCLOSED"),
    ("NO_AUTH 商户号该产品权限未开通", "NOAUTH"),
    ("收款功能已被限制", "NOAUTH"),
    ("<err_code>NOAUTH</err_code>", "NOAUTH"),
    (
        "{\"code\":\"PARAM_ERROR\",\"message\":\"输入源“/body/amount/total”映射到数值字段“总金额”规则校验失败，值低于最小值 1\"}",
        "amount-invalid",
    ),
    ("JSAPI支付必须传openid", "openid-missing"),
    ("LACK_PARAMS 缺少参数", "LACK_PARAMS"),
    ("XML格式错误", "XML_FORMAT_ERROR"),
    ("不是UTF8", "NOT_UTF8"),
    ("time_expire时间过短", "time-expire"),
    ("SYSTEMERROR", "SYSTEMERROR"),
    ("{\"code\":\"SYSTEM_ERROR\",\"message\":\"系统异常，请稍后重试\"}", "SYSTEMERROR"),
    ("FREQUENCY_LIMITED 1个月之前的订单请降低申请频率再重试", "FREQUENCY_LIMITED"),
    ("RATELIMIT_EXCEEDED", "FREQUENCY_LIMITED"),
    ("sub_mch_id与sub_appid不匹配", "sub-appid-mismatch"),
    // The front end.
    ("支付验证签名失败", "pay-sign"),
    ("err_desc: \"支付验证签名失败\"", "pay-sign"),
    ("调用支付JSAPI缺少参数: total_fee", "pay-missing-total-fee"),
    ("缺少参数 total_fee", "pay-missing-total-fee"),
    (
        "requestPayment:fail parameter error: parameter.timeStamp should be String instead of Number;",
        "pay-timestamp-type",
    ),
    ("requestPayment:fail cancel", "pay-cancelled"),
    ("{\"errMsg\":\"requestPayment:fail cancel\"}", "pay-cancelled"),
    ("requestPayment:fail jsapi has been banned", "pay-banned"),
    ("{\"errMsg\":\"requestPayment:fail banned\",\"errno\":102}", "pay-banned"),
    ("下单账号与支付账号不一致", "pay-other-account"),
    ("requestPayment:fail no permission", "pay-failed"),
    // Answers and notifications.
    ("应答的微信支付签名验证失败", "SP-SIGNATURE"),
    ("javax.crypto.AEADBadTagException: Tag mismatch!", "SP-DECRYPT"),
    ("GET /v3/certificates 404 {\"code\":\"RESOURCE_NOT_EXISTS\"}", "certificates-404"),
    ("无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。", "certificates-404"),
    ("收不到通知", "notify-missing"),
    ("通知反复来", "notify-repeated"),
    ("Wechatpay-Signature: WECHATPAY/SIGNTEST/AbC", "SP-SIGNTEST"),
    // Refunds and bills.
    ("NOTENOUGH", "NOTENOUGH"),
    ("基本账户余额不足，请充值后重新发起", "NOTENOUGH"),
    ("订单金额或退款金额与之前请求不一致，请核实后再试", "REFUND_FEE_MISMATCH"),
    ("<html><head><title>400 No required SSL certificate was sent</title></head>", "CERT_ERROR"),
    (
        "<return_msg><![CDATA[No Bill Exist]]></return_msg><error_code><![CDATA[20002]]></error_code>",
        "NO_STATEMENT_EXIST",
    ),
    ("NO_STATEMENT_EXIST", "NO_STATEMENT_EXIST"),
    ("Bill Creating", "STATEMENT_CREATING"),
    ("退款成功但没到账", "refund-not-arrived"),
    ("余额不足没有回调", "failure-not-notified"),
    ("{\"trade_state\":\"REFUND\",\"trade_state_desc\":\"订单发生过退款\"}", "REFUND"),
    // Our own, as they are read in a problem, a terminal and a log.
    ("sp-order-paid", "SP-ORDER-PAID"),
    ("error[SP-CONFIG]: the configuration is wrong at server.port: no such setting", "SP-CONFIG"),
    ("10:24:02 warn        refused status=503 code=SP-BUSY request_id=0192", "SP-BUSY"),
    (
        "{\"type\":\"about:blank\",\"title\":\"Bad Gateway\",\"status\":502,\"code\":\"SP-WECHAT-REFUSED\",\"detail\":\"WeChat refused POST /v3/pay/transactions/jsapi\",\"wechat\":{\"code\":\"APPID_MCHID_NOT_MATCH\",\"message\":\"appid和mch_id不匹配\"}}",
        "APPID_MCHID_NOT_MATCH",
    ),
    ("{\"code\":\"SP-WECHAT-REFUSED\"}", "SP-WECHAT-REFUSED"),
];

/// The pains of `pains.md`, as somebody who has one would say it.
const PAINS: &[(u8, &str, &str)] = &[
    (1, "签名错误，官方校验工具说没问题", "SIGNERROR"),
    (2, "支付验证签名失败", "pay-sign"),
    (3, "含中文签名失败", "chinese-signature"),
    (4, "无可用的平台证书", "SP-KEYS-PUBLIC"),
    (5, "切换公钥后应答验签失败", "key-mode-migration"),
    (6, "平台证书过期", "platform-certificate-expired"),
    (7, "把 apiclient_cert.pem 当平台证书", "merchant-certificate-as-platform"),
    (8, "Tag mismatch", "SP-DECRYPT"),
    (9, "@RequestBody 重新序列化后回调验签失败", "notify-altered"),
    (10, "伪造通知", "notify-forged"),
    (11, "WECHATPAY/SIGNTEST/", "SP-SIGNTEST"),
    (12, "重复通知被处理了两次", "notify-repeated"),
    (13, "收不到回调", "notify-missing"),
    (14, "掉单", "order-lost"),
    (15, "201 商户订单号重复", "OUT_TRADE_NO_USED"),
    (16, "ORDERPAID", "ORDERPAID"),
    (17, "同一订单付了两次", "paid-twice"),
    (18, "金额变成 980.0000000000001", "float-money"),
    (19, "code been used", "40163"),
    (20, "openid与appid不匹配", "openid-invalid"),
    (21, "session_key过期，解密手机号失败", "87007"),
    (22, "多个服务抢access_token", "shared-token"),
    (23, "资金被冻结，未上传发货信息", "funds-frozen"),
    (24, "暂不支持使用升级前功能", "transfer-batches-closed"),
    (25, "XXE", "SP-XML"),
];

/// Mistyped or said otherwise: the nearest entries, the right one among them.
const NEAR: &[(&str, &str)] = &[
    ("40O29", "40029"),
    ("SIGN_EROR", "SIGN_ERROR"),
    ("SP-CONFG", "SP-CONFIG"),
    ("sp-store-", "SP-STORE-BUSY"),
    ("签名不符合", "SIGNERROR"),
    ("收不着通知", "notify-missing"),
    ("ORDER_PAYED", "ORDERPAID"),
];

#[test]
fn what_people_paste_is_told_first() {
    let mut wrong = Vec::new();
    for (text, code) in CASES {
        let found = explain::find(text);
        let first = found.entries.first().map_or("nothing", |entry| entry.code());
        if first != *code {
            wrong.push(format!("{text:?} gives {first}, not {code}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_pain_is_reached_by_its_words() {
    let numbers: Vec<_> = PAINS.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (1..=25).collect::<Vec<_>>());
    for (number, words, code) in PAINS {
        let found = explain::find(words);
        let first = found.entries.first().map(|entry| entry.code());
        assert_eq!(first, Some(*code), "{number}: {words}");
    }
}

#[test]
fn what_is_not_known_has_neighbours_and_nonsense_has_none() {
    for (text, code) in NEAR {
        let found = explain::find(text);
        assert!(found.entries.is_empty(), "{text} is known as {}", found.entries[0].code());
        let near: Vec<_> = found.near.iter().map(|entry| entry.code()).collect();
        assert!(near.contains(code) && near.len() <= 3, "{text} is near {near:?}");
    }
    for text in ["", "   ", "zzzzzzzzzzzzzzzz", "🫖", "\u{0}"] {
        let found = explain::find(text);
        assert!(found.entries.is_empty() && found.near.is_empty(), "{text:?}: {found:?}");
    }
}

#[test]
fn a_text_of_any_length_is_read() {
    let log = "10:24:01 login ord_0192 ok\n".repeat(1_000);
    assert!(explain::find(&log).entries.is_empty());
    let found = explain::find(&format!("{log}errmsg: code been used\n{log}"));
    assert_eq!(found.entries[0].code(), "40163");
}
