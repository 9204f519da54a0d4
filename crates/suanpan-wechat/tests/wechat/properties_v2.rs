//! What holds for every message of APIv2.

use proptest::prelude::*;
use suanpan_wechat::v2::{Fields, PaymentNotice, SignType};

use crate::common::v2_key;

const KEY: &str = "8934e7d15453e97507ef794cf7b0519d";

/// Whether XML 1.0 has a spelling for it (`Char` of the recommendation).
fn is_xml_char(char: char) -> bool {
    matches!(u32::from(char), 0x9 | 0xa | 0xd | 0x20..=0xd7ff | 0xe000..=0xfffd | 0x1_0000..)
}

/// Texts in all of Unicode, dense where XML is awkward.
fn any_text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        "]]>",
        "]]",
        "]",
        ">",
        "<",
        "&",
        "&amp;",
        "&#13;",
        "\r",
        "\n",
        "\r\n",
        "\t",
        " ",
        "=",
        "<![CDATA[",
        "<!--",
        "\"",
        "'",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "🍵",
        "茶",
        "\u{0}",
        "\u{1}",
        "\u{fffe}",
        "\u{7f}",
    ]);
    let part = prop_oneof![awkward.prop_map(str::to_owned), any::<char>().prop_map(String::from)];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn xml_text() -> impl Strategy<Value = String> {
    any_text().prop_map(|text| text.chars().filter(|char| is_xml_char(*char)).collect())
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z_][a-zA-Z0-9_.-]{0,12}".prop_filter("`sign` is not signed", |name| name != "sign")
}

fn sign_type() -> impl Strategy<Value = SignType> {
    prop::sample::select(vec![SignType::Md5, SignType::HmacSha256])
}

fn message() -> impl Strategy<Value = Fields> {
    prop::collection::btree_map(name(), xml_text(), 1..12).prop_map(Fields::from_iter)
}

proptest! {
    #[test]
    fn what_xml_can_carry_comes_back_and_verifies(fields in message(), sign_type in sign_type()) {
        let key = v2_key(KEY);
        prop_assert!(fields.check().is_ok());
        let signed = fields.signed(sign_type, &key);
        let read = Fields::parse(signed.to_xml().as_bytes()).unwrap();
        prop_assert_eq!(&read, &signed);
        prop_assert!(read.verify(sign_type, &key).is_ok());
    }

    #[test]
    fn what_xml_cannot_carry_is_refused_by_both_sides(name in name(), text in any_text()) {
        let fields = Fields::from_iter([(name, text.clone())]);
        let carried = text.chars().all(is_xml_char);
        prop_assert_eq!(fields.check().is_ok(), carried);
        match Fields::parse(fields.to_xml().as_bytes()) {
            Ok(read) => prop_assert!(carried && read == fields),
            Err(_) => prop_assert!(!carried),
        }
    }

    #[test]
    fn what_is_signed_is_sorted_by_bytes_without_empty_values(fields in message()) {
        let mut pairs: Vec<(&str, &str)> =
            fields.iter().filter(|(_, value)| !value.is_empty()).collect();
        pairs.sort_by_key(|(name, _)| name.as_bytes());
        let text: Vec<String> =
            pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        prop_assert_eq!(fields.canonical(), text.join("&"));
    }

    /// One value, one name or the signature itself changed: nothing verifies any more.
    #[test]
    fn a_changed_field_breaks_the_signature(
        fields in message(), sign_type in sign_type(), which in any::<prop::sample::Index>(),
        text in xml_text(),
    ) {
        let key = v2_key(KEY);
        let signed = fields.signed(sign_type, &key);
        let (name, value) = which.get(&signed.iter().collect::<Vec<_>>()).to_owned();
        let mut changed = signed.clone();
        changed.set(name, &text);
        prop_assume!(changed.canonical() != signed.canonical() || (name == "sign" && value != text));
        prop_assert!(changed.verify(sign_type, &key).is_err());
    }

    #[test]
    fn an_unknown_field_is_signed_over(name in name(), value in xml_text(), more in xml_text()) {
        let key = v2_key(KEY);
        let name = format!("x_{name}");
        let mut wire = notice();
        wire.set(&name, &value);
        let signed = wire.signed(SignType::Md5, &key);
        let read = PaymentNotice::read(signed.to_xml().as_bytes(), &key).unwrap();
        prop_assert_eq!(read.other.get(&name), Some(value.as_str()).filter(|text| !text.is_empty()));

        let mut changed = signed.clone();
        changed.set(&name, &more);
        let read = PaymentNotice::read(changed.to_xml().as_bytes(), &key);
        prop_assert_eq!(read.is_ok(), changed == signed);
    }

    /// Any bit of the message as it travels. What still verifies says the same.
    #[test]
    fn a_flipped_bit_is_noticed(which in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let key = v2_key(KEY);
        let signed = notice().signed(SignType::HmacSha256, &key);
        let mut xml = signed.to_xml().into_bytes();
        let byte = which.get_mut(&mut xml);
        *byte ^= 1 << bit;
        if let Ok(read) = PaymentNotice::read(&xml, &key) {
            prop_assert_eq!(read.fields().canonical(), without_envelope(&signed).canonical());
        }
    }

    #[test]
    fn the_reader_takes_any_bytes_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Fields::parse(&bytes);
    }

    /// Markup at random: what is read can be written and read again, unchanged.
    #[test]
    fn what_was_read_is_written_the_same(parts in prop::collection::vec(markup(), 0..24)) {
        for body in [parts.concat(), format!("<xml>{}</xml>", parts.concat())] {
            if let Ok(fields) = Fields::parse(body.as_bytes()) {
                prop_assert!(fields.check().is_ok());
                prop_assert_eq!(Fields::parse(fields.to_xml().as_bytes()).unwrap(), fields);
            }
        }
    }

    #[test]
    fn a_dtd_is_refused_wherever_it_stands(before in "[ \t\r\n]{0,4}", text in "[a-z \"\\[\\]%;]{0,24}") {
        let body = format!("{before}<!DOCTYPE {text}><xml><a>1</a></xml>");
        prop_assert!(Fields::parse(body.as_bytes()).is_err());
    }
}

fn markup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<a>",
        "</a>",
        "<b>",
        "</b>",
        "<a/>",
        "<c>1</c>",
        "<d><![CDATA[x]]></d>",
        "<e>&amp;</e>",
        "<xml>",
        "</xml>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?xml version=\"1.0\"?>",
        "<?p?>",
        "&lt;",
        "&#65;",
        "&x;",
        "&",
        "<",
        ">",
        "=",
        " ",
        "\r\n",
        "茶",
        "\u{feff}",
        "<f=1&g>",
        "</f=1&g>",
        "<>",
        "</>",
        "< a>",
        "<a x='1'>",
        "<!DOCTYPE x>",
    ]);
    prop_oneof![4 => piece.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)]
}

fn notice() -> Fields {
    Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", "wx2421b1c4370ec43b"),
        ("mch_id", "10000100"),
        ("nonce_str", "N0nce"),
        ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
        ("trade_type", "JSAPI"),
        ("bank_type", "OTHERS"),
        ("total_fee", "990"),
        ("cash_fee", "990"),
        ("transaction_id", "4200000000202611240000000001"),
        ("out_trade_no", "SP-000001"),
        ("time_end", "20261124203133"),
    ])
}

fn without_envelope(fields: &Fields) -> Fields {
    let mut fields = fields.clone();
    for name in ["nonce_str", "sign"] {
        fields.remove(name);
    }
    fields
}
