//! Values that the `openssl` command made; the command stands beside each.
//!
//! The key is `tests/vectors/openssl.key.pem`, thrown away on the day it was made:
//! `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out openssl.key.pem`.

use suanpan_wechat::v2::{Fields, SignType, open_req_info};
use suanpan_wechat::v3::{
    KeyRing, PublicKey, Signer, authorize, message, open, request_message, seal, sign_message,
    verify_message,
};
use suanpan_wechat::{AppId, MchId, PrepayId, Serial, second_sign_v2, second_sign_v3};

use crate::common::{certificate, moment, nonce, private_key, v2_key, v3_key, vector_file};

/// `K=Suanpan0ApiV2Key0ForTestsOnly000` of the commands.
const V2_KEY: &str = "Suanpan0ApiV2Key0ForTestsOnly000";
const NOW: i64 = 1_795_500_000;

/// `T=…` of the commands.
const SIGNED_TEXT: &str = "Z=capital&appid=wx2421b1c4370ec43b&attach=a=b&c 茶\
    &body=算盘 <杯> & 盘&mch_id=10000100&nonce_str=N0nce&out_trade_no=SP-2026_11|24*\
    &total_fee=990&zero=0";

fn fields() -> Fields {
    Fields::from_iter([
        ("appid", "wx2421b1c4370ec43b"),
        ("mch_id", "10000100"),
        ("nonce_str", "N0nce"),
        ("body", "算盘 <杯> & 盘"),
        ("attach", "a=b&c 茶"),
        ("detail", ""),
        ("out_trade_no", "SP-2026_11|24*"),
        ("total_fee", "990"),
        ("zero", "0"),
        ("Z", "capital"),
        ("sign", "not signed"),
    ])
}

#[test]
fn api_v2_messages() {
    let (fields, key) = (fields(), v2_key(V2_KEY));
    assert_eq!(fields.canonical(), SIGNED_TEXT);
    // printf '%s' "$T&key=$K" | openssl md5
    assert_eq!(fields.sign(SignType::Md5, &key), "8DF3BA0E217B8A8646EF69ABDFBB1E02");
    // printf '%s' "$T&key=$K" | openssl dgst -sha256 -hmac $K
    assert_eq!(
        fields.sign(SignType::HmacSha256, &key),
        "A1F996A3400FE77652929994565C3EE477B6A7D22F692FC7625A9EFE1B8FED76"
    );
    // What is escaped on the wire is signed as it reads.
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let signed = fields.clone().signed(sign_type, &key);
        let xml = signed.to_xml();
        Fields::parse(xml.as_bytes()).unwrap().verify(sign_type, &key).unwrap();
    }
}

#[test]
fn api_v2_second_sign() {
    let app_id = AppId::parse("wx2421b1c4370ec43b").unwrap();
    let prepay_id = PrepayId::parse("wx24112610000000000000000000000000").unwrap();
    let (nonce, key) = (nonce("N0nce"), v2_key(V2_KEY));
    let pay_sign =
        |kind| second_sign_v2(&app_id, &prepay_id, moment(NOW, &nonce), kind, &key).pay_sign;
    // P='appId=wx2421b1c4370ec43b&nonceStr=N0nce&package=prepay_id=wx24112610000000000000000000000000'
    // printf '%s' "$P&signType=MD5&timeStamp=1795500000&key=$K" | openssl md5
    assert_eq!(pay_sign(SignType::Md5), "BF70C75CB463D22268CC3ED6C294DDB7");
    // printf '%s' "$P&signType=HMAC-SHA256&timeStamp=1795500000&key=$K" |
    //     openssl dgst -sha256 -hmac $K
    assert_eq!(
        pay_sign(SignType::HmacSha256),
        "B16D1D7D58EF6412AEAFB4F8C9194EAA065E5ADB52DC2874372DE53403DDB56F"
    );
}

#[test]
fn api_v3_request() {
    // printf 'POST\n/v3/pay/transactions/jsapi?x=%%7C\n1795500000\nN0nce\n{"description":"算盘"}\n' |
    //     openssl dgst -sha256 -sign openssl.key.pem | openssl base64 -A
    const WANT: &str = "SAaCJYkrPaBv/bIDU1JfJqgBc9uzyGbhaCjPh62yRfBreiTacIq2z0pSjSG7KCVF0r1/99J19JG2\
        UKwQnIHQyMPqtgPyzNd7wwtrCQLkOxSAmkIkwQi6cu0FM+VX0uj1fHRLl3tMJSMIf3HS5OqlkRtF\
        2qN7ODgZVnNeGmVgK16cL9/Ta6VBsU7gVQeMehG1nKvh65yxu4PNzM6+UltPk5f0MU0jDQuslPQS\
        TsNqZFMifT0NJRaSgdhWZBDSpreIhf5tNQaWRtnfD7z8z4qwZlO69gPVoRA5q8/ARKUVsWBuJgOM\
        TkKEnuHwUzBgrZEbDf3ALr2ca0u4i4F5I6RDKA==";
    let (path, body) = ("/v3/pay/transactions/jsapi?x=%7C", "{\"description\":\"算盘\"}");
    let signed_text = request_message("POST", path, NOW, "N0nce", body.as_bytes());
    let key = private_key("openssl");
    assert_eq!(key.sign(&signed_text), WANT);
    key.public_key().unwrap().verify("request", &signed_text, WANT).unwrap();
}

#[test]
fn api_v3_second_sign() {
    // printf 'wx2421b1c4370ec43b\n1795500000\nN0nce\nprepay_id=wx24112610000000000000000000000000\n' |
    //     openssl dgst -sha256 -sign openssl.key.pem | openssl base64 -A
    const WANT: &str = "FPXefGYPgRTvLHfyfotzOqU1KsDxPXOYIJvr8kb8pnrCVOHpzydqgVxYV97WIKP5uoWlljBntdaj\
        zP/6b4bFJ9TtwWk+596po5T7sasafIAEvniIKFTyxZO+BbT3aQsQi7oB/goofBALwcsycW9G2oBR\
        h5eDjp4WkhIlVc0C52/SUG/mEQV0Ir3N/+aFI7yO4jNUNs+A9DZ1O8ZFkB1Wa3VO5nY5wMRGoHwy\
        sgYJb2TNbhGiwU/ReFXXOneoKxwYan5DgFq1qYcmXjc3F4oBZiP08YeLZsEdIg7PEuIzhBEEtfLx\
        820bCB0V9t7O403TQTwuBphv+JW2qWIbeR9ClQ==";
    let app_id = AppId::parse("wx2421b1c4370ec43b").unwrap();
    let prepay_id = PrepayId::parse("wx24112610000000000000000000000000").unwrap();
    let nonce = nonce("N0nce");
    let key = private_key("openssl");
    let signed = second_sign_v3(&app_id, &prepay_id, moment(NOW, &nonce), &key);
    assert_eq!(signed.pay_sign, WANT);
}

#[test]
fn api_v3_message() {
    // printf '1795500000\nN0nce\n{"prepay_id":"wx24"}\n' |
    //     openssl dgst -sha256 -sign openssl.key.pem | openssl base64 -A
    const WANT: &str = "cT+alzH6vXo1TtX9K0JopQQMQZDy4DIF8yAt73VXI0UbWsNk/n2NcoZyDerV4NRE+wrhMRkd3Yy/\
        XwOcFtu3UP5fm8aA5UYkDD94RDb8goBOl3v3VlsQ9q3ZyOuDTE3ksrqLY/aVD2FEpIsWxXtLrehJ\
        t+wRLr6BzcS7tqCI9diR6/0mL1vkW2MKh9KqRHq8e4CTz+btA3egJp9gEZvjBX4gF/bVPg0/iLlG\
        ngPl4EgHKNKy28deTUesu46fxxj9JKDlzginJTi3f9N7mb6094jROg7fA9uwJgJa9L2cgzSDo72F\
        PzadQf7XcuftqF5221rdb8zbjwP9zYrBk0cBAQ==";
    let body = b"{\"prepay_id\":\"wx24\"}";
    let (key, serial) = (private_key("openssl"), certificate("openssl").serial);
    assert_eq!(key.sign(&message("1795500000", "N0nce", body)), WANT);

    let headers = sign_message(&key, &serial, moment(NOW, &nonce("N0nce")), body);
    assert_eq!(headers["wechatpay-signature"], WANT);
    let keys = KeyRing::new().with_certificate(certificate("openssl"));
    verify_message(&headers, body, &keys, NOW).unwrap();
}

#[test]
fn certificate_and_its_serial_number() {
    // openssl req -x509 -new -key openssl.key.pem -subj '/O=Suanpan/CN=throwaway test key' \
    //     -set_serial 0x000A1B2C3D4E5F60718293A4B5C6D7E8F9 -days 3650 -out openssl.cert.pem
    let read = certificate("openssl");
    // openssl x509 -in openssl.cert.pem -noout -serial
    assert_eq!(read.serial.wire(), "0A1B2C3D4E5F60718293A4B5C6D7E8F9");
    assert_eq!(read.serial.as_str(), "A1B2C3D4E5F60718293A4B5C6D7E8F9");
    // openssl x509 -in openssl.cert.pem -noout -startdate -enddate, then `date +%s -d …`
    assert_eq!((read.not_before, read.not_after), (1_795_642_339, 2_111_002_339));
    // openssl x509 -in openssl.cert.pem -noout -subject
    assert_eq!(read.subject, "O=Suanpan, CN=throwaway test key");
    // openssl pkey -in openssl.key.pem -pubout -out openssl.pub.pem
    let public = PublicKey::from_pem(vector_file!("openssl.pub.pem")).unwrap();
    assert_eq!(read.public_key, public);
}

/// A serial number goes out as `openssl` prints it, whole bytes: the gateway need
/// not know that `A1B…` and `0A1B…` are one number.
#[test]
fn a_serial_number_keeps_its_first_zero_on_the_wire() {
    const PRINTED: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F9";
    let signer = Signer {
        mchid: MchId::parse("1900000109").unwrap(),
        serial: Serial::normalised(PRINTED).unwrap(),
        key: private_key("openssl"),
    };
    let nonce = nonce("N0nce");
    let header = authorize(&signer, "GET", "/", b"", moment(NOW, &nonce));
    assert!(header.contains(&format!("serial_no=\"{PRINTED}\"")), "{header}");
    let headers = sign_message(&signer.key, &signer.serial, moment(NOW, &nonce), b"");
    assert_eq!(headers["wechatpay-serial"], PRINTED);
    assert_eq!(Serial::parse("PUB_KEY_ID_011").unwrap().wire(), "PUB_KEY_ID_011");
}

#[test]
fn oaep() {
    // printf '张三 6222' | openssl pkeyutl -encrypt -pubin -inkey openssl.pub.pem \
    //     -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha1 | openssl base64 -A
    const SEALED: &str = "Nx6YW+iPgfJ79xMCqGw5kJ6VKGezRemEnB1/1/Gp3AGS/SKXGdnvMgrejqJc8r8hADFyfwfNhoYk\
        kCp8/+SFy/ULe2pKsGyqLcdZKbL3mUEvqbZJWfJ2KSM8yCwmpAc8MoBCPik/rjgjhQGKPlhwuIwm\
        lwbYLZxePDXITlQ+XE2yM7TyT5wsXkIe8FgwST/hsWUB21qKE9Yo4Uo61CKybzIcVC5xXSsjSJyN\
        5C3UQM7i9bcehX9VT2XQpVCsIDBe5Xoh1IczFRYfg03kug3JYwxbRYKHf03JiaWbvrkxCN8POWJS\
        4Y2C2zi8azNhrMvwx+7lHTlsVLFj4AfIkqUnjA==";
    let opened = private_key("openssl").decrypt_oaep(SEALED).unwrap();
    assert_eq!(opened, "张三 6222".as_bytes());
}

#[test]
fn api_v2_refund_notice() {
    // M=$(printf '%s' $K | openssl md5 -r | cut -c1-32)
    // printf '<root><refund_status>SUCCESS</refund_status></root>' |
    //     openssl enc -aes-256-ecb -K $(printf '%s' $M | od -An -tx1 | tr -d ' \n') -base64 -A
    let sealed =
        "9Lv5fzUf/qnHzyJrj/1kzYf7SZ/X3iOc4kJpFBme1lwGkolRfw7XlLMyGaDugm9ACmvS50GjoBP9RKqBNyg6Jw==";
    let opened = open_req_info(sealed, &v2_key(V2_KEY)).unwrap();
    assert_eq!(opened, b"<root><refund_status>SUCCESS</refund_status></root>");
}

#[test]
fn aes_256_gcm() {
    // The command line of openssl has no GCM; its library does, from Python:
    // from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    // base64.b64encode(AESGCM(b'Suanpan0ApiV3Key-ForTestsOnly-00').encrypt(
    //     b'N0nce-12char', b'{"trade_state":"SUCCESS"}', b'transaction'))
    let sealed = "/wKjLj0LiJTaCZTNYfAh8/ICBqO5P4drizd+5WYiH/0NKVXwYJ3P0Qo=";
    let key = v3_key("Suanpan0ApiV3Key-ForTestsOnly-00");
    let (nonce, text) = ("N0nce-12char", b"{\"trade_state\":\"SUCCESS\"}");
    assert_eq!(open(&key, nonce, "transaction", sealed).unwrap(), text);
    assert_eq!(seal(&key, nonce, "transaction", text).unwrap(), sealed);
}
