//! What is sealed: AES-256-GCM under the APIv3 key, RSA-OAEP to a key.

use suanpan_wechat::ApiV3Key;
use suanpan_wechat::v3::{open, seal};

use crate::common::{
    PUBLIC_KEY_ID, certificate, optional, private_key, text, vector_file, vectors,
};

#[test]
fn resources_are_opened_and_sealed_as_elsewhere() {
    let mut refused = Vec::new();
    for vector in vectors(vector_file!("v3_aead.json"), 7) {
        let [nonce, associated_data, ciphertext] =
            ["nonce", "associated_data", "ciphertext"].map(|name| text(&vector["given"], name));
        let Ok(key) = ApiV3Key::parse(text(&vector, "given/api_v3_key")) else {
            refused.push(text(&vector, "want/refused").to_owned());
            continue;
        };
        let opened = open(&key, nonce, associated_data, ciphertext);
        if let Some(why) = optional(&vector, "want/refused") {
            assert_eq!(opened.unwrap_err().code(), "SP-DECRYPT");
            refused.push(why.to_owned());
            continue;
        }
        let want = text(&vector, "want/text");
        assert_eq!(String::from_utf8_lossy(&opened.unwrap()), want, "{}", vector["id"]);
        let sealed = seal(&key, nonce, associated_data, want.as_bytes()).unwrap();
        assert_eq!(sealed, ciphertext, "{}", vector["id"]);
    }
    assert_eq!(refused, ["authentication failed", "authentication failed", "key length"]);
}

#[test]
fn personal_fields_are_opened_by_the_key_that_they_were_encrypted_to() {
    for vector in vectors(vector_file!("v3_oaep.json"), 6) {
        let (name, ciphertext) = (text(&vector, "given/key"), text(&vector, "given/ciphertext"));
        let key = private_key(name);
        let want = text(&vector, "want/text");
        assert_eq!(key.decrypt_oaep(ciphertext).unwrap(), want.as_bytes(), "{}", vector["id"]);
        let other = if name == "merchant-1" { "merchant-2" } else { "merchant-1" };
        assert!(private_key(other).decrypt_oaep(ciphertext).is_err());
        if let Some(serial) = optional(&vector, "want/serial") {
            let of_key = match name {
                "wechatpay-1" => PUBLIC_KEY_ID.to_owned(),
                name => certificate(name).serial.wire(),
            };
            assert_eq!(of_key, serial);
        }

        // The way up: random each time, and it comes back.
        let public = key.public_key().unwrap();
        let [one, two] = [(); 2].map(|()| public.encrypt_oaep(want.as_bytes()).unwrap());
        assert_ne!(one, two);
        assert_eq!(key.decrypt_oaep(&one).unwrap(), want.as_bytes());
        assert!(public.encrypt_oaep(&[b'x'; 214]).is_ok());
        assert!(public.encrypt_oaep(&[b'x'; 215]).is_err());
    }
}
