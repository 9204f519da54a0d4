//! `POST /cgi-bin/express/delivery/open_msg/get_delivery_list`: some of the companies.
//!
//! The real list has more than a thousand; these are the ids that Chinese shops use most.

use serde_json::{Map, Value, json};

const COMPANIES: [(&str, &str); 12] = [
    ("SF", "顺丰速运"),
    ("ZTO", "中通快递"),
    ("YTO", "圆通速递"),
    ("STO", "申通快递"),
    ("YD", "韵达速递"),
    ("JTSD", "极兔速递"),
    ("JD", "京东快递"),
    ("EMS", "邮政EMS"),
    ("YZPY", "邮政快递包裹"),
    ("DBL", "德邦快递"),
    ("HTKY", "百世快递"),
    ("DHL", "DHL"),
];

/// Whether there is such a company.
pub(super) fn is_known(id: &str) -> bool {
    COMPANIES.iter().any(|(known, _)| *known == id)
}

/// All of them.
pub(super) fn list() -> Map<String, Value> {
    let one = |(id, name): &(&str, &str)| json!({ "delivery_id": id, "delivery_name": name });
    let list: Vec<_> = COMPANIES.iter().map(one).collect();
    let count = list.len();
    Map::from_iter([("delivery_list".to_owned(), json!(list)), ("count".to_owned(), json!(count))])
}
