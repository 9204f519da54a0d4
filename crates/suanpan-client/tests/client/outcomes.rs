//! What WeChat says, and what the client makes of it.

use crate::common::*;
use suanpan_client::Outcome;
use suanpan_client::wechat::Call;

/// `outcome code`, and WeChat's code where it gave one.
fn verdict<T>(outcome: &Outcome<T>) -> String {
    let word = match outcome {
        Outcome::Done(_) => "done",
        Outcome::Rejected(_) => "rejected",
        Outcome::Unknown(_) => "unknown",
    };
    let code = outcome.error().map_or("", |error| error.code());
    format!("{word} {code} {}", outcome.wechat_code().unwrap_or_default()).trim_end().to_owned()
}

#[track_caller]
fn same(got: &str, want: &str) {
    assert_eq!(got, want);
}

async fn check<C: Call>(call: &C, says: Say, want: &str) {
    let town = Town::says([says]).await;
    let outcome = client(&[&town]).call(call).await;
    same(&verdict(&outcome), want);
    assert_eq!(outcome.trace().tries, 1, "{want}");
    assert_eq!(town.heard().len(), 1, "{want}");
}

#[tokio::test]
async fn a_login() {
    let cast = Cast::new();
    let call = cast.login();
    let session = format!(r#"{{"openid":"{OPENID}","session_key":"{SESSION_KEY}"}}"#);
    check(&call, plain(200, &session), "done").await;

    let no = r#"{"errcode":40029,"errmsg":"invalid code, rid: 608d-66b8"}"#;
    check(&call, plain(200, no), "rejected SP-REFUSED 40029").await;
    let often = r#"{"errcode":45011,"errmsg":"api minute-quota reach limit"}"#;
    check(&call, plain(200, often), "rejected SP-REFUSED 45011").await;

    let busy = r#"{"errcode":-1,"errmsg":"system error"}"#;
    check(&call, plain(200, busy), "unknown SP-REFUSED -1").await;
    check(&call, plain(200, "<html>"), "unknown SP-JSON").await;
    check(&call, plain(502, "<html>"), "unknown SP-REFUSED HTTP_502").await;
    check(&call, plain(403, "<html>"), "unknown SP-REFUSED HTTP_403").await;
}

#[tokio::test]
async fn an_order_of_apiv2() {
    let cast = Cast::new();
    let call = cast.place_v2();
    let yes = [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", "wx2421b1c4370ec43b"),
        ("trade_type", "JSAPI"),
        ("prepay_id", "wx201410272009395522657a690389285100"),
    ];
    check(&call, xml(&yes), "done").await;

    let no = |code| xml(&[("return_code", "SUCCESS"), ("result_code", "FAIL"), ("err_code", code)]);
    check(&call, no("NOTENOUGH"), "rejected SP-REFUSED NOTENOUGH").await;
    check(&call, no("SYSTEMERROR"), "unknown SP-REFUSED SYSTEMERROR").await;

    let bare = "<xml><return_code>FAIL</return_code><return_msg>签名失败</return_msg></xml>";
    check(&call, plain(200, bare), "rejected SP-REFUSED FAIL").await;
    let forged =
        "<xml><return_code>SUCCESS</return_code><mch_id>1900000109</mch_id><sign>00</sign></xml>";
    check(&call, plain(200, forged), "unknown SP-SIGNATURE").await;
    check(&call, plain(200, "<!DOCTYPE x><xml/>"), "unknown SP-XML").await;
    check(&call, plain(500, ""), "unknown SP-REFUSED HTTP_500").await;
}

const PREPAID: &str = r#"{"prepay_id":"wx201410272009395522657a690389285100"}"#;

#[tokio::test]
async fn an_order_of_apiv3() {
    let cast = Cast::new();
    let call = cast.place_v3();
    check(&call, signed(200, PREPAID), "done").await;
    check(&cast.close_v3(), signed(204, ""), "done").await;

    let no = r#"{"code":"OUT_TRADE_NO_USED","message":"商户订单号重复"}"#;
    check(&call, signed(403, no), "rejected SP-REFUSED OUT_TRADE_NO_USED").await;
    let unsigned = r#"{"code":"SIGN_ERROR","message":"错误的签名"}"#;
    check(&call, plain(401, unsigned), "rejected SP-REFUSED SIGN_ERROR").await;

    let busy = r#"{"code":"SYSTEM_ERROR","message":"系统异常"}"#;
    check(&call, signed(500, busy), "unknown SP-REFUSED SYSTEM_ERROR").await;
    check(&call, plain(502, "<html>"), "unknown SP-REFUSED HTTP_502").await;
    check(&call, signed(202, ""), "unknown SP-REFUSED HTTP_202").await;
    check(&call, plain(200, PREPAID), "unknown SP-HEADER").await;
    check(&call, signed(200, "{}"), "unknown SP-JSON").await;

    let Say::Bytes(mut forged) = signed(200, PREPAID) else { unreachable!() };
    let last = forged.len() - 4;
    forged[last] ^= 1;
    check(&call, Say::Bytes(forged), "unknown SP-SIGNATURE").await;
}

#[tokio::test]
async fn the_name_of_the_request_is_kept_for_wechats_support() {
    let cast = Cast::new();
    let town = Town::says([signed(200, PREPAID)]).await;
    let outcome = client(&[&town]).call(&cast.place_v3()).await;
    let id = outcome.trace().request_id.as_deref();
    assert_eq!(id, Some("08F5B8C2B506102C18FDDFEEA306-0"));
    assert_eq!(outcome.trace().status, Some(200));

    // The platform has no header for it.
    let body = r#"{"errcode":40029,"errmsg":"invalid code, rid: 608d-66b8"}"#;
    let bytes = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}");
    let town = Town::says([Say::Bytes(bytes.into_bytes())]).await;
    let outcome = client(&[&town]).call(&cast.login()).await;
    assert_eq!(outcome.trace().request_id.as_deref(), Some("608d-66b8"));
}

#[tokio::test]
async fn a_probe_is_asked_for_once_more_signed_anew() {
    let cast = Cast::new();
    let town = Town::says([probe(PREPAID), signed(200, PREPAID)]).await;
    let outcome = client(&[&town]).call(&cast.place_v3()).await;
    same(&verdict(&outcome), "done");
    assert_eq!(outcome.trace().tries, 2);
    let heard = town.heard();
    assert!(heard[0].contains("nonce_str=\"n1\"") && heard[1].contains("nonce_str=\"n2\""));

    let town = Town::says([probe(PREPAID)]).await;
    let outcome = client(&[&town]).call(&cast.place_v3()).await;
    same(&verdict(&outcome), "unknown SP-SIGNTEST");
    assert_eq!(town.heard().len(), 2);
}

#[tokio::test]
async fn a_question_that_cannot_be_written_is_rejected_and_not_sent() {
    let mut cast = Cast::new();
    cast.v2_order.body = "tea\u{0}".to_owned();
    let town = Town::says([Say::Nothing]).await;
    let outcome = client(&[&town]).call(&cast.place_v2()).await;
    same(&verdict(&outcome), "rejected SP-XML");
    assert_eq!(town.heard().len(), 0);
}

#[tokio::test]
async fn an_outcome_is_an_error_that_keeps_the_difference() {
    let cast = Cast::new();
    let town = Town::says([plain(401, r#"{"code":"SIGN_ERROR","message":"错误的签名"}"#)]).await;
    let client = client(&[&town]);
    let error = client.call(&cast.place_v3()).await.map(|_| ()).into_result().unwrap_err();
    assert_eq!(error.code(), "SP-REFUSED");
    assert_eq!(error.to_string(), "rejected: WeChat refused: SIGN_ERROR 错误的签名 (HTTP 401)");
    assert!(client.call(&cast.place_v3()).await.done().is_none());
}
