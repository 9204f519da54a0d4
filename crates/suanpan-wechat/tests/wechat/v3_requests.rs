//! How our requests of APIv3 are signed.

use suanpan_wechat::v3::{Authorization, authorize, request_message};

use crate::common::{
    certificate, moment, nonce, number, optional, signer, text, vector_file, vectors,
};

#[test]
fn requests_are_signed_as_elsewhere() {
    let mut whole_headers = 0;
    for vector in vectors(vector_file!("v3_request.json"), 12) {
        let given = &vector["given"];
        let [merchant, method, path, body] =
            ["merchant", "method", "path", "body"].map(|name| text(given, name));
        let (now, nonce) = (number(given, "timestamp"), nonce(text(given, "nonce")));
        let signed_text = request_message(method, path, now, nonce.as_str(), body.as_bytes());
        assert_eq!(String::from_utf8_lossy(&signed_text), text(&vector, "want/signed_text"));

        let signer = signer(merchant);
        let header = authorize(&signer, method, path, body.as_bytes(), moment(now, &nonce));
        if let Some(want) = optional(&vector, "want/authorization") {
            assert_eq!(header, want, "{}", vector["id"]);
            whole_headers += 1;
        }

        let read = Authorization::parse(&header).unwrap();
        assert_eq!(read.signature, text(&vector, "want/signature"));
        assert_eq!((read.mchid.as_str(), read.timestamp), (signer.mchid.as_str(), now));
        assert_eq!(read.serial_no, certificate(merchant).serial);
        let key = certificate(merchant).public_key;
        read.verify(method, path, body.as_bytes(), &key).unwrap();
        assert!(read.verify(method, &format!("{path}?"), body.as_bytes(), &key).is_err());
    }
    assert_eq!(whole_headers, 7);
}

/// Of an upload, only the part that says what it is gets signed.
#[test]
fn an_upload_is_signed_without_its_file() {
    let vectors = vectors(vector_file!("v3_request.json"), 12);
    let upload = vectors.iter().find(|vector| vector["id"] == "media-upload").unwrap();
    let (sent, signed) = (text(upload, "given/sent_body"), text(upload, "given/body"));
    assert!(sent.contains(signed) && signed.len() < sent.len());
}

#[test]
fn the_header_is_read_in_one_form_only() {
    let good = "WECHATPAY2-SHA256-RSA2048 mchid=\"1\",nonce_str=\"n\",timestamp=\"5\",\
                serial_no=\"0a\",signature=\"c2ln=\"";
    let read = Authorization::parse(good).unwrap();
    assert_eq!((read.serial_no.as_str(), read.signature.as_str()), ("A", "c2ln="));
    let turned = "WECHATPAY2-SHA256-RSA2048 signature=\"c2ln=\",timestamp=\"5\",\
                  mchid=\"1\",serial_no=\"A\",nonce_str=\"n\"";
    assert_eq!(Authorization::parse(turned).unwrap(), read);

    for (from, to) in [
        ("WECHATPAY2-SHA256-RSA2048", "Bearer"),
        ("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3"),
        ("WECHATPAY2-SHA256-RSA2048 ", "WECHATPAY2-SHA256-RSA2048"),
        ("mchid=\"1\",", ""),
        ("mchid=\"1\",", "mchid=\"1\",mchid=\"2\","),
        ("mchid=\"1\",", "mchid=\"1\",other=\"2\","),
        ("mchid=\"1\",", "mchid=\"1\", "),
        ("mchid=\"1\"", "mchid=1"),
        ("mchid=\"1\"", "mchid=\"\""),
        ("timestamp=\"5\"", "timestamp=\"soon\""),
        ("serial_no=\"0a\"", "serial_no=\"not hex\""),
        ("c2ln=\"", "c2ln=\","),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert!(Authorization::parse(&bad).is_err(), "{bad}");
    }
}
