//! Key files as they come from the merchant platform, and as they travel.

use serde_json::Value;
use suanpan_wechat::Serial;
use suanpan_wechat::v3::{Certificate, PrivateKey, PublicKey};

use crate::common::{certificate, optional, text, vector_file, vectors};

#[test]
fn certificates_have_the_serial_numbers_that_others_print() {
    let mut serials = 0;
    for vector in vectors(vector_file!("keys.json"), 6) {
        let Some(want) = optional(&vector, "want/serial") else { continue };
        let serial = certificate(text(&vector, "id")).serial;
        assert_eq!(serial, Serial::normalised(want).unwrap());
        assert_eq!(serial.as_str(), want.trim_start_matches('0'));
        serials += 1;
    }
    assert_eq!(serials, 5);
}

/// The three files of a key pair belong together, and PKCS#1 is the same key.
#[test]
fn the_files_of_one_key_agree() {
    for (pkcs8, pkcs1, public, cert) in [
        (
            vector_file!("merchant-1.key.pem"),
            vector_file!("merchant-1.pkcs1.pem"),
            vector_file!("merchant-1.pub.pem"),
            vector_file!("merchant-1.cert.pem"),
        ),
        (
            vector_file!("merchant-2.key.pem"),
            vector_file!("merchant-2.pkcs1.pem"),
            vector_file!("merchant-2.pub.pem"),
            vector_file!("merchant-2.cert.pem"),
        ),
        (
            vector_file!("platform-2.key.pem"),
            vector_file!("platform-2.pkcs1.pem"),
            vector_file!("platform-2.pub.pem"),
            vector_file!("platform-2.cert.pem"),
        ),
        (
            vector_file!("openssl.key.pem"),
            vector_file!("openssl.pkcs1.pem"),
            vector_file!("openssl.pub.pem"),
            vector_file!("openssl.cert.pem"),
        ),
    ] {
        let key = PrivateKey::from_pem(pkcs8).unwrap();
        let want = key.public_key().unwrap();
        assert_eq!(PrivateKey::from_pem(pkcs1).unwrap().public_key().unwrap(), want);
        assert_eq!(PublicKey::from_pem(public).unwrap(), want);
        assert_eq!(Certificate::from_pem(cert).unwrap().public_key, want);
        assert_eq!(key.sign(b"text"), PrivateKey::from_pem(pkcs1).unwrap().sign(b"text"));
    }
    let parse = |pem| PublicKey::from_pem(pem).unwrap();
    let next = PrivateKey::from_pem(vector_file!("platform-1-next.key.pem")).unwrap();
    assert_eq!(next.public_key().unwrap(), parse(vector_file!("platform-1-next.pub.pem")));
    let one = PrivateKey::from_pem(vector_file!("platform-1.key.pem")).unwrap();
    assert_eq!(one.public_key().unwrap(), parse(vector_file!("platform-1.pub.pem")));
}

/// Environment variables, copies by mail and editors do this to a file.
#[test]
fn a_key_survives_its_travels() {
    let pem = vector_file!("openssl.key.pem");
    let want = PrivateKey::from_pem(pem).unwrap().public_key().unwrap();
    let bare: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    for travelled in [
        pem.replace('\n', "\r\n"),
        pem.replace('\n', "\\n"),
        format!("\u{feff}{pem}"),
        format!("\"{}\"", pem.trim()),
        format!("'{}'", pem.replace('\n', "\\n")),
        format!("\n\n  {pem}\n"),
        bare,
    ] {
        let key = PrivateKey::from_pem(&travelled).map(|key| key.public_key().unwrap());
        assert_eq!(key.unwrap(), want, "{:?}", &travelled[..40]);
    }
}

/// The files look alike, and each is given where another is wanted.
#[test]
fn a_file_of_another_kind_is_named() {
    let (key, public, cert) = (
        vector_file!("openssl.key.pem"),
        vector_file!("openssl.pub.pem"),
        vector_file!("openssl.cert.pem"),
    );
    let why = |error: suanpan_wechat::Error| {
        assert_eq!(error.code(), "SP-KEY");
        error.to_string()
    };
    let private = |pem| why(PrivateKey::from_pem(pem).unwrap_err());
    assert!(private(cert).contains("holds a CERTIFICATE"), "{}", private(cert));
    assert!(private(public).contains("holds a PUBLIC KEY"), "{}", private(public));
    let of_public = |pem| why(PublicKey::from_pem(pem).unwrap_err());
    assert!(of_public(cert).contains("holds a CERTIFICATE"));
    assert!(of_public(key).contains("holds a PRIVATE KEY"));
    let of_cert = |pem| why(Certificate::from_pem(pem).unwrap_err());
    assert!(of_cert(key).contains("holds a PRIVATE KEY"));
    assert!(of_cert(public).contains("holds a PUBLIC KEY"));

    for nonsense in ["", "-----BEGIN", "-----BEGIN CERTIFICATE-----", "AAAA", "茶", "{}"] {
        private(nonsense);
        of_public(nonsense);
        of_cert(nonsense);
    }
}

#[test]
fn no_print_shows_a_private_key() {
    let key = PrivateKey::from_pem(vector_file!("openssl.key.pem")).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey(…)");
    let mangled = vector_file!("openssl.key.pem").replace("MII", "XII");
    let error = PrivateKey::from_pem(&mangled).unwrap_err();
    let secret: Value = mangled.lines().nth(3).unwrap().into();
    assert!(!format!("{error} {error:?}").contains(secret.as_str().unwrap()));
}
