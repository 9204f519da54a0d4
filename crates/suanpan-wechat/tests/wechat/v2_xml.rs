//! The XML of APIv2: what is read, and what is refused before anything is believed.

use suanpan_wechat::Error;
use suanpan_wechat::v2::{Fields, MAX_BYTES, MAX_FIELDS};

use crate::common::{fields, text, vector_file, vectors};

#[test]
fn messages_are_read_or_refused_as_elsewhere() {
    let mut refused = 0;
    for vector in vectors(vector_file!("v2_xml.json"), 8) {
        let got = Fields::parse(text(&vector, "given/xml").as_bytes());
        if vector["want"] == "refused" {
            assert!(got.is_err(), "{}", vector["id"]);
            refused += 1;
        } else {
            assert_eq!(got.unwrap(), fields(&vector, "want/fields"), "{}", vector["id"]);
        }
    }
    assert_eq!(refused, 5);
}

/// Refused as XML, with this word in the reason.
#[track_caller]
fn refused(body: impl AsRef<[u8]>, why: &str) {
    let Err(Error::Xml { why: got }) = Fields::parse(body.as_ref()) else {
        panic!("read: {}", String::from_utf8_lossy(body.as_ref()));
    };
    assert!(got.contains(why), "{got} instead of {why}");
}

#[track_caller]
fn reads(body: &str, name: &str, value: &str) {
    let fields = Fields::parse(body.as_bytes()).unwrap();
    assert_eq!(fields.iter().collect::<Vec<_>>(), [(name, value)]);
}

#[test]
fn a_dtd_is_refused_whatever_is_in_it() {
    for dtd in [
        r#"<!DOCTYPE xml>"#,
        r#"<!DOCTYPE xml [<!ENTITY a "x">]>"#,
        r#"<!DOCTYPE xml SYSTEM "http://attacker.example/x.dtd">"#,
        r#"<!DOCTYPE xml [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>"#,
        r#"<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>"#,
    ] {
        refused(format!("{dtd}<xml><a>&a;</a></xml>"), "DTD");
        refused(format!("<?xml version=\"1.0\"?>\n<!-- -->{dtd}<xml><a>1</a></xml>"), "DTD");
        refused(format!("<xml>{dtd}<a>1</a></xml>"), "DTD");
        refused(format!("<xml><a>{dtd}</a></xml>"), "DTD");
    }
}

#[test]
fn only_the_five_entities_and_numbers_are_known() {
    reads("<xml><a>&lt;&gt;&amp;&apos;&quot;&#65;&#x42;</a></xml>", "a", "<>&'\"AB");
    for entity in ["nbsp", "a", "AMP", "xxe", "#", "#x", "#x110000", "#xD800", "#-1", "#0"] {
        refused(format!("<xml><a>&{entity};</a></xml>"), "");
    }
    for entity in ["#1", "#x1F", "#xFFFE"] {
        refused(format!("<xml><a>&{entity};</a></xml>"), "it holds");
    }
    refused("<xml><a>fish & chips</a></xml>", "");
    refused("<xml>&amp;</xml>", "never sends");
}

#[test]
fn a_field_stands_there_once_and_flat() {
    refused("<xml><a>1</a><a>1</a></xml>", "twice");
    refused("<xml><a/><a>1</a></xml>", "twice");
    refused("<xml><a><b>1</b></a></xml>", "flat");
    refused("<xml><a><b/></a></xml>", "flat");
    refused("<xml><a x='1'>1</a></xml>", "attributes");
    refused("<xml x='1'><a>1</a></xml>", "attributes");
    refused("<xml xmlns='urn:x'><a>1</a></xml>", "attributes");
    refused("<xml><a>1</a></xml><xml><a>1</a></xml>", "flat");
    refused("<xml>text<a>1</a></xml>", "never sends");
    refused("<xml><?run this?><a>1</a></xml>", "never sends");
    refused("<xml><a>1</b></xml>", "");
    refused("<xml><a>1</a>", "too early");
    refused("<a>1", "");
    refused("", "too early");
    let deep = format!("{}{}", "<x>".repeat(1000), "</x>".repeat(1000));
    refused(deep, "flat");
}

/// `a=1&b` as a name is signed like the two fields `a` and `b`.
#[test]
fn a_name_cannot_pretend_to_be_two_fields() {
    refused("<xml><a=1&b>2</a=1&b></xml>", "");
    refused("<xml><a=1>2</a=1></xml>", "name");
    refused("<xml><名>2</名></xml>", "name");
    refused("<xml><1a>2</1a></xml>", "name");
    reads("<xml><coupon_fee_0>2</coupon_fee_0></xml>", "coupon_fee_0", "2");

    for name in ["", "a b", "a=1&b", "a>", "名", "1a"] {
        let fields = Fields::from_iter([(name, "1")]);
        assert!(fields.check().is_err(), "{name:?}");
    }
}

#[test]
fn bytes_that_are_no_plain_utf_8_are_refused() {
    let message = "<xml><a>1</a></xml>";
    let utf_16 = |bytes: fn(u16) -> [u8; 2], mark: &[u8]| {
        let bytes = message.encode_utf16().flat_map(bytes);
        mark.iter().copied().chain(bytes).collect::<Vec<u8>>()
    };
    refused(utf_16(u16::to_le_bytes, &[0xff, 0xfe]), "UTF-8");
    refused(utf_16(u16::to_be_bytes, &[0xfe, 0xff]), "UTF-8");
    refused(utf_16(u16::to_le_bytes, &[]), "it holds '\\0'");
    refused(utf_16(u16::to_be_bytes, &[]), "it holds '\\0'");
    refused(format!("\u{feff}{message}"), "byte order mark");
    refused("<xml><a>\0</a></xml>", "it holds '\\0'");
    refused("<xml><a>1</a></xml>\0", "it holds '\\0'");
    refused(b"<xml><a>\xff</a></xml>", "UTF-8");
    refused(b"<xml><a>\xc0\x80</a></xml>", "UTF-8");
    refused(b"<xml><a>\xed\xa0\x80</a></xml>", "UTF-8");

    for (encoding, read) in [("UTF-8", true), ("utf-8", true), ("UTF-16", false), ("GBK", false)] {
        let body = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>{message}");
        assert_eq!(Fields::parse(body.as_bytes()).is_ok(), read, "{encoding}");
    }
}

#[test]
fn size_is_limited_before_anything_is_read() {
    let value = |length| format!("<xml><a>{}</a></xml>", "x".repeat(length));
    let frame = value(0).len();
    assert!(Fields::parse(value(MAX_BYTES - frame).as_bytes()).is_ok());
    refused(value(MAX_BYTES - frame + 1), "bytes");
    refused(vec![b'<'; 10_000_000], "bytes");

    let many = |count| {
        let fields: String = (0..count).map(|n| format!("<f{n}>1</f{n}>")).collect();
        format!("<xml>{fields}</xml>")
    };
    assert!(Fields::parse(many(MAX_FIELDS).as_bytes()).is_ok());
    refused(many(MAX_FIELDS + 1), "256 fields");
    refused(many(100_000), "bytes");
}

#[test]
fn a_value_is_taken_as_it_stands() {
    reads("<xml><a> two  words </a></xml>", "a", " two  words ");
    reads("<xml><a><![CDATA[<b>&amp;]]></a></xml>", "a", "<b>&amp;");
    reads("<xml><a>1<![CDATA[2]]>3<!-- 4 -->5</a></xml>", "a", "1235");
    reads("<xml><a>\u{1f375}\u{feff}</a></xml>", "a", "\u{1f375}\u{feff}");
    let empty = Fields::parse(b"<xml><a></a><b/><c><![CDATA[]]></c></xml>").unwrap();
    assert_eq!(empty.canonical(), "");
    assert_eq!(empty.iter().count(), 3);
    assert!(["a", "b", "c"].iter().all(|name| empty.get(name).is_none()));
}

/// A reader that follows the recommendation turns a bare carriage return into a line
/// feed, and the signature would no longer match.
#[test]
fn no_bare_carriage_return_is_written() {
    for value in ["\r", "a\r\nb", "]]>\r", "\r&"] {
        let fields = Fields::from_iter([("a", value)]);
        let xml = fields.to_xml();
        assert!(!xml.contains('\r') && xml.contains("&#13;"), "{xml:?}");
        assert_eq!(Fields::parse(xml.as_bytes()).unwrap(), fields);
    }
}
