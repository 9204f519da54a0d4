//! Mistakes in texts of lines, and in any text as a whole.

use super::draft::{Charset, Draft, Edit, KeyPlace, Shape};
use super::message::Message;
use super::search::Change;
use super::table::Mistake;

/// For a text of lines.
pub(super) fn changes(message: &Message, right: &Draft) -> Vec<Change> {
    let shape = |id: &'static str, about: &str, end: &'static str, last: bool| {
        Change::new(Mistake::about(id, about), move |draft| {
            draft.shape = Shape::Lines { end, last, names: false };
        })
    };
    let names: Vec<String> = right.parts.iter().map(|(name, _)| name.clone()).collect();
    let mut changes = Vec::new();
    for name in &names {
        let (blank, out) = (name.clone(), name.clone());
        changes.push(Change::new(of_part("lines.blank", name), move |draft| draft.set(&blank, "")));
        changes.push(Change::new(of_part("lines.left-out", name), move |draft| draft.remove(&out)));
    }
    let webhook = matches!(message, Message::Webhook { .. });
    if webhook {
        changes.push(shape("lines.joined", "\\n", "\n", false));
        changes.push(shape("lines.joined", "\\n", "\n", true));
    } else {
        changes.extend([
            shape("lines.last-feed", "", "\n", false),
            shape("lines.crlf", "", "\r\n", true),
            shape("lines.crlf", "", "\r\n", false),
            shape("lines.literal", "", "\\n", true),
            shape("lines.literal", "", "\\n", false),
            shape("lines.cr", "", "\r", true),
            shape("lines.joined", " ", " ", false),
            shape("lines.joined", ".", ".", false),
        ]);
        changes.push(edit("lines.more-feed", |text| format!("{text}\n")));
        changes.push(edit("lines.scheme", |text| format!("WECHATPAY2-SHA256-RSA2048\n{text}")));
        changes.push(edit("lines.trailing", |text| text.replace('\n', " \n")));
    }
    changes.extend([
        shape("lines.run-on", "", "", false),
        shape("lines.joined", "&", "&", false),
        shape("lines.joined", ",", ",", false),
        Change::new(Mistake::new("lines.names"), |draft| {
            draft.shape = Shape::Lines { end: "\n", last: true, names: true };
        }),
        Change::new(Mistake::new("lines.names"), |draft| {
            draft.shape = Shape::Lines { end: "&", last: false, names: true };
        }),
    ]);
    changes.extend(whole_text());
    changes.extend(orders(names.len()).into_iter().map(|order| {
        let named: Vec<_> =
            order.iter().filter_map(|place| names.get(*place)).map(|name| &**name).collect();
        let mistake = Mistake::about("lines.order", named.join(", "));
        Change::alone(mistake, move |draft| {
            let parts = std::mem::take(&mut draft.parts);
            draft.parts = order.iter().filter_map(|place| parts.get(*place).cloned()).collect();
        })
    }));
    changes
}

/// What is done to any text.
pub(super) fn whole_text() -> Vec<Change> {
    let charset = |id, charset| Change::new(Mistake::new(id), move |draft| draft.charset = charset);
    vec![
        charset("text.gbk", Charset::Gbk),
        charset("text.mojibake", Charset::Mojibake),
        charset("text.ascii", Charset::Ascii),
        charset("text.utf16", Charset::Utf16),
        edit("text.bom", |text| format!("\u{feff}{text}")),
        edit("text.blank", |text| format!("{text} ")),
        edit("text.lower", str::to_lowercase),
        edit("text.upper", str::to_uppercase),
        edit("text.url", |text| super::pairs::escaped(text, "")),
        edit("text.base64", |text| {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(text)
        }),
    ]
}

/// For a text of names and values: the ends.
pub(super) fn ends() -> Vec<Change> {
    let mut changes = whole_text();
    changes.push(edit("text.feed", |text| format!("{text}\n")));
    changes.push(edit("text.and", |text| format!("&{text}")));
    changes.push(Change::new(Mistake::new("text.and"), |draft| {
        if let Shape::Pairs { key: key @ KeyPlace::Behind("&key="), .. } = &mut draft.shape {
            *key = KeyPlace::Behind("&&key=");
        }
    }));
    changes
}

pub(super) fn edit(id: &'static str, edit: Edit) -> Change {
    Change::new(Mistake::new(id), move |draft| draft.edits.push(edit))
}

/// A mistake in a part: in a field of `wx.requestPayment`, where it is one.
pub(super) fn of_part(id: &'static str, name: &str) -> Mistake {
    let mistake = Mistake::about(id, name);
    match ["appId", "timeStamp", "nonceStr", "package", "signType"]
        .iter()
        .find(|field| **field == name)
    {
        Some(field) => mistake.within(field),
        None => mistake,
    }
}

/// All orders of so many lines but the right one.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for line in 0..count {
        let longer = |order: Vec<usize>| {
            (0..=order.len()).map(move |place| {
                let mut order = order.clone();
                order.insert(place, line);
                order
            })
        };
        orders = orders.into_iter().flat_map(longer).collect();
    }
    orders.retain(|order| !order.is_sorted());
    orders
}
