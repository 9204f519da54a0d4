//! Fetching platform certificates, and replacing a key ring that is in use.

use http::HeaderMap;
use suanpan_wechat::v3::{Account, DownloadCertificates, KeyRing, sign_message};
use suanpan_wechat::{Call as _, Error, Reply, Serial};

use crate::common::{certificate, key_ring, moment, nonce, private_key, signer, v3_key};

const NOW: i64 = 1_795_500_000;
const KEY: &str = "ThrowawayApiV3Key_0123456789abcd";

/// What a merchant without any key of WeChat's makes of an answer: how many certificates, or the code.
#[track_caller]
fn check(status: u16, headers: &HeaderMap, body: &str, want: Result<usize, &str>) {
    let (signer, keys, key) = (signer("merchant-1"), KeyRing::new(), v3_key(KEY));
    let account = Account { signer: &signer, keys: &keys, api_v3_key: &key };
    let reply = Reply { status, headers, body: body.as_bytes() };
    let got = match (DownloadCertificates { account }).answer(reply, NOW) {
        Ok(certificates) => Ok(certificates.len()),
        Err(Error::Refused(refusal)) => Err(refusal.code),
        Err(error) => Err(error.code().to_owned()),
    };
    assert_eq!(got, want.map_err(str::to_owned), "{body}");
}

#[test]
fn a_merchant_without_certificates_is_told_so_whatever_signs_it() {
    let none = HeaderMap::new();
    check(200, &none, r#"{"data":[]}"#, Ok(0));
    let no = r#"{"code":"RESOURCE_NOT_EXISTS","message":"无可用的平台证书"}"#;
    check(404, &none, no, Err("RESOURCE_NOT_EXISTS"));
    // Signed with the public key that the merchant has yet to configure.
    let id: Serial = crate::common::PUBLIC_KEY_ID.parse().unwrap();
    let nonce = nonce("n");
    let signed = sign_message(&private_key("wechatpay-1"), &id, moment(NOW, &nonce), no.as_bytes());
    check(404, &signed, no, Err("RESOURCE_NOT_EXISTS"));
    check(502, &none, "<html>", Err("HTTP_502"));
    check(202, &none, "", Err("HTTP_202"));
    check(200, &none, "{}", Err("SP-JSON"));
}

#[test]
fn a_ring_that_is_in_use_is_replaced_for_everyone_who_holds_it() {
    let held = key_ring("platform-1");
    let old = certificate("platform-1").serial;
    let new = certificate("platform-2");
    let serial = new.serial.clone();
    let (first, second) = (&held, &held);
    let borrowed = first.find(&old).unwrap();
    assert_eq!(first.find(&serial).unwrap_err().code(), "SP-SERIAL");

    first.replace(KeyRing::new().with_certificate(new));
    assert!(second.find(&serial).is_ok());
    assert_eq!(second.preferred(), Some(&serial));
    assert_eq!(second.serials().count(), 1);
    // What went is not found any more; what was borrowed stays where it is.
    assert!(second.find(&old).is_err());
    assert_eq!(*borrowed, certificate("platform-1").public_key);

    let third = held.clone().with_certificate(certificate("platform-1"));
    assert!(third.find(&serial).is_ok() && third.find(&old).is_ok());
    held.replace(KeyRing::new());
    assert_eq!(held.preferred(), None);
    assert!(third.preferred().is_some(), "a copy goes its own way");
}
