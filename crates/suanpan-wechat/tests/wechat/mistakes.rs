//! Signatures that others made wrong on purpose: each is named by its mistake.

use proptest::prelude::*;
use serde_json::Value;
use suanpan_wechat::mistakes::{
    Examined, KeyKind, Keys, Message, Verdict, examine, signs, text_to_sign,
};
use suanpan_wechat::v2::SignType;
use suanpan_wechat::{PaySignType, mistakes};

use crate::common::{certificate, number, optional, private_key, text, vector_file};

fn corpus() -> Value {
    serde_json::from_str(vector_file!("mistakes.json")).unwrap()
}

/// The right key of each kind first, and those that somebody may have taken.
fn keys(corpus: &Value) -> Keys {
    let key = |name: &str| corpus["keys"][name].as_str().unwrap();
    let mut keys = Keys::new();
    keys.secret(KeyKind::ApiV2, "1900000109", key("api_v2"));
    keys.secret(KeyKind::ApiV2, "1900009191", key("other_api_v2"));
    keys.secret(KeyKind::ApiV3, "1900000109", key("api_v3"));
    keys.secret(KeyKind::AppSecret, key("app"), key("app_secret"));
    keys.secret(KeyKind::Webhook, "whe_1", key("webhook"));
    keys.secret(KeyKind::Webhook, "whe_2", key("other_webhook"));
    for (kind, name) in [
        (KeyKind::Merchant, "merchant-1"),
        (KeyKind::Merchant, "merchant-2"),
        (KeyKind::Platform, "platform-1"),
        (KeyKind::Platform, "platform-2"),
    ] {
        keys.public(kind, name, certificate(name).public_key);
    }
    keys.app(key("app"));
    keys.app(key("other_app"));
    keys
}

fn message(given: &Value) -> Message {
    let member = |name| text(given, name).to_owned();
    let body = || member("body").into_bytes();
    match text(given, "kind") {
        "fields" => Message::Fields {
            fields: serde_json::from_value(given["fields"].clone()).unwrap(),
            sign_type: SignType::parse(text(given, "sign_type")).unwrap(),
        },
        "request" => Message::Request {
            method: member("method"),
            url: member("url"),
            host: Some(member("host")),
            timestamp: member("timestamp"),
            nonce: member("nonce"),
            body: body(),
        },
        "answer" => {
            Message::Answer { timestamp: member("timestamp"), nonce: member("nonce"), body: body() }
        }
        "payment" => Message::Payment {
            app_id: member("app_id"),
            time_stamp: member("time_stamp"),
            nonce_str: member("nonce_str"),
            package: member("package"),
            sign_type: PaySignType::parse(text(given, "sign_type")).unwrap(),
        },
        "webhook" => {
            Message::Webhook { id: member("id"), timestamp: member("timestamp"), body: body() }
        }
        kind => panic!("{kind}"),
    }
}

/// The mistakes of each explanation, sorted; none where the signature is right or fits nothing.
fn named(verdict: &Verdict) -> Vec<Vec<&'static str>> {
    let Verdict::Found(found) = verdict else { return Vec::new() };
    let ids = found.iter().map(|found| {
        let mut ids: Vec<_> = found.mistakes.iter().map(|mistake| mistake.id).collect();
        ids.sort_unstable();
        ids
    });
    ids.collect()
}

/// No key is in what is printed, and where a text is said to be wrong it is another one than the right one.
#[track_caller]
fn is_shown_well(case: &Value, message: &Message, examined: &Examined, keys: &Value) {
    let printed = format!("{examined:?}").to_lowercase();
    for key in ["api_v2", "other_api_v2", "api_v3", "app_secret", "webhook", "other_webhook"] {
        assert!(!printed.contains(&text(keys, key).to_lowercase()), "{}: {printed}", case["id"]);
    }
    let Verdict::Found(found) = &examined.verdict else { return };
    let right = text_to_sign(message, "***");
    for one in found {
        let of_text = |id: &str| {
            let kinds = ["pairs.", "lines.", "body.", "text.", "request.", "time.", "payment."];
            kinds.iter().any(|kind| id.starts_with(kind))
        };
        let signed = one.signed("***");
        if one.mistakes.iter().any(|mistake| of_text(mistake.id)) {
            assert!(signed.is_some_and(|signed| signed != right), "{}", case["id"]);
        }
    }
}

#[test]
fn planted_mistakes_are_named() {
    let corpus = corpus();
    let keys = keys(&corpus);
    let cases = corpus["cases"].as_array().unwrap();
    let (mut unnamed, mut wrong) = (Vec::new(), Vec::new());
    for case in cases {
        let mut want: Vec<&str> =
            case["want"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        want.sort_unstable();
        let message = message(&case["message"]);
        let examined = examine(&message, &keys, text(case, "given"));
        is_shown_well(case, &message, &examined, &corpus["keys"]);
        let found = named(&examined.verdict);
        match found.first() {
            None if want.is_empty() => {}
            None => unnamed.push(text(case, "id")),
            Some(first) if *first == want => {}
            // The same bytes by another way are no error, but the usual way comes first.
            Some(_) => wrong.push((text(case, "id"), found)),
        }
    }
    assert!(wrong.is_empty(), "named wrongly: {wrong:#?}");
    assert!(unnamed.is_empty(), "not named: {unnamed:#?}");
    assert!(cases.len() >= 210, "{} planted", cases.len());
}

#[test]
fn right_signatures_are_said_to_be_right() {
    let corpus = corpus();
    let keys = keys(&corpus);
    let right = corpus["right"].as_array().unwrap();
    assert_eq!(right.len(), 8);
    for one in right {
        let (name, given) = (text(one, "id"), text(one, "given"));
        let message = message(&one["message"]);
        let verdict = examine(&message, &keys, given).verdict;
        assert!(matches!(verdict, Verdict::Right), "{name}: {verdict:?}");
        assert!(signs(&text_to_sign(&message, "***"), &message, &keys, given), "{name}");
        assert!(!signs(b"another text", &message, &keys, given), "{name}");
        if let Some(ours) = mistakes::sign(&message, &keys) {
            assert_eq!(ours, given, "{name}");
        }
    }
}

#[test]
fn a_private_key_that_is_right_is_said_to_be() {
    let corpus = corpus();
    let keys = keys(&corpus);
    let right = corpus["right"].as_array().unwrap();
    let request = right.iter().find(|one| one["id"] == "request").unwrap();
    let message = message(&request["message"]);
    let other = private_key("merchant-1").sign(b"something else");
    let verdict = examine(&message, &keys, &other).verdict;
    assert!(matches!(verdict, Verdict::Unknown { key_is_right: true }), "{verdict:?}");
}

#[test]
fn a_body_that_is_no_text_is_verified_and_not_guessed_about() {
    let corpus = corpus();
    let keys = keys(&corpus);
    let body = b"\xff\xfe\x00".to_vec();
    let answer = Message::Answer { timestamp: "1".into(), nonce: "n".into(), body: body.clone() };
    let mut signed = b"1\nn\n".to_vec();
    signed.extend_from_slice(&body);
    let other = private_key("platform-1").sign(&signed);
    signed.push(b'\n');
    let right = private_key("platform-1").sign(&signed);
    assert!(matches!(examine(&answer, &keys, &right).verdict, Verdict::Right));
    let another = private_key("platform-2").sign(&signed);
    assert_eq!(named(&examine(&answer, &keys, &another).verdict), [["rsa.other-platform"]]);
    assert!(matches!(examine(&answer, &keys, &other).verdict, Verdict::Unknown { .. }));
}

/// Nobody waits: what is large is compared under each key, and searched for less.
#[test]
fn a_large_body_is_not_searched_for_pairs() {
    let corpus = corpus();
    let keys = keys(&corpus);
    let body = "x".repeat(128 * 1024);
    let answer = |body: &str| Message::Answer {
        timestamp: "1".into(),
        nonce: "n".into(),
        body: body.to_owned().into_bytes(),
    };
    let sign = |key: &str, text: &str| private_key(key).sign(text.as_bytes());
    let small = examine(&answer("x"), &keys, &sign("platform-1", "other"));
    let large = examine(&answer(&body), &keys, &sign("platform-1", "other"));
    assert!(large.tried * 2 < small.tried, "{} and {}", large.tried, small.tried);

    let feed = examine(
        &answer(&format!("{body}\n")),
        &keys,
        &sign("platform-1", &format!("1\nn\n{body}\n")),
    );
    assert_eq!(named(&feed.verdict)[0], ["kept.feed"]);
    let other = examine(&answer(&body), &keys, &sign("platform-2", &format!("1\nn\n{body}\n")));
    assert_eq!(named(&other.verdict), [["rsa.other-platform"]]);
}

/// The vectors of the other tests here, as messages: all of them are right.
#[test]
fn the_vectors_are_said_to_be_right() {
    let read = |json: &str| serde_json::from_str::<Vec<Value>>(json).unwrap();
    let mut count = 0;
    let mut check = |vector: &Value, message: &Message, keys: &Keys, given: &str| {
        let verdict = examine(message, keys, given).verdict;
        assert!(matches!(verdict, Verdict::Right), "{}: {verdict:?}", vector["id"]);
        count += 1;
    };
    for vector in read(vector_file!("v2_sign.json")) {
        let mut keys = Keys::new();
        keys.secret(KeyKind::ApiV2, "1", text(&vector, "given/api_key"));
        for sign_type in [SignType::Md5, SignType::HmacSha256] {
            let Some(given) = optional(&vector, &format!("want/{}", sign_type.as_str())) else {
                continue;
            };
            let members = vector["given"]["fields"].as_object().unwrap().iter();
            let fields =
                members.map(|(name, value)| (name.clone(), value.as_str().unwrap().into()));
            check(&vector, &Message::Fields { fields: fields.collect(), sign_type }, &keys, given);
        }
    }
    let of = |vector: &Value, name: &str| {
        let mut keys = Keys::new();
        let kind = if name.starts_with("merchant") { KeyKind::Merchant } else { KeyKind::Platform };
        keys.public(kind, text(vector, "id"), certificate(name).public_key);
        keys
    };
    for vector in read(vector_file!("v3_request.json")) {
        let request = Message::Request {
            method: text(&vector, "given/method").into(),
            url: text(&vector, "given/path").into(),
            host: None,
            timestamp: number(&vector, "given/timestamp").to_string(),
            nonce: text(&vector, "given/nonce").into(),
            body: text(&vector, "given/body").into(),
        };
        let keys = of(&vector, text(&vector, "given/merchant"));
        check(&vector, &request, &keys, text(&vector, "want/signature"));
    }
    for vector in read(vector_file!("v3_second_sign.json")) {
        let member = |name: &str| text(&vector, &format!("given/{name}")).to_owned();
        let payment = Message::Payment {
            app_id: member("appId"),
            time_stamp: member("timeStamp"),
            nonce_str: member("nonceStr"),
            package: member("package"),
            sign_type: PaySignType::Rsa,
        };
        let keys = of(&vector, text(&vector, "given/merchant"));
        check(&vector, &payment, &keys, text(&vector, "want/signature"));
    }
    assert!(count >= 20, "{count}");
}

#[test]
fn each_mistake_that_has_words_is_planted_somewhere() {
    let corpus = corpus();
    let planted: Vec<&str> = corpus["cases"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|case| case["want"].as_array().unwrap())
        .map(|id| id.as_str().unwrap())
        .collect();
    let missing: Vec<_> = mistakes::all().filter(|id| !planted.contains(id)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever comes in, nothing breaks, and nothing that is no signature is one.
    #[test]
    fn nothing_breaks(texts in prop::collection::vec("\\PC{0,12}", 8), given in "[ -~]{0,90}", body in any::<Vec<u8>>()) {
        let corpus = corpus();
        let keys = keys(&corpus);
        let [a, b, c, d, ..] = &texts[..] else { unreachable!() };
        let (a, b, c, d) = (a.clone(), b.clone(), c.clone(), d.clone());
        for message in [
            Message::Answer { timestamp: a.clone(), nonce: b.clone(), body: body.clone() },
            Message::Webhook { id: a.clone(), timestamp: "1".into(), body: d.clone().into_bytes() },
            Message::Payment { app_id: a.clone(), time_stamp: b.clone(), nonce_str: c.clone(), package: d.clone(), sign_type: PaySignType::Md5 },
            Message::Request { method: a.clone(), url: b.clone(), host: None, timestamp: c.clone(), nonce: d.clone(), body },
            Message::Fields { fields: vec![(a, b), (c, d), ("total_fee".into(), "1".into())], sign_type: SignType::HmacSha256 },
        ] {
            for given in [given.as_str(), &"0".repeat(32), &"A".repeat(344)] {
                let verdict = examine(&message, &keys, given).verdict;
                prop_assert!(!matches!(verdict, Verdict::Right), "{verdict:?}");
            }
        }
    }
}
