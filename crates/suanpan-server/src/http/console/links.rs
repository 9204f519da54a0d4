//! Addresses inside the console.

use axum::http::Uri;
use url::form_urlencoded;

/// Where the console is.
pub(super) const HOME: &str = "/console";
/// The list of orders, where every search ends.
pub(super) const ORDERS: &str = "/console/orders";
pub(super) const ORDERS_CSV: &str = "/console/orders.csv";
pub(super) const NOTIFICATIONS: &str = "/console/notifications";
pub(super) const REFUNDS: &str = "/console/refunds";
pub(super) const RECONCILIATION: &str = "/console/reconciliation";
pub(super) const SHIPPING: &str = "/console/shipping";
pub(super) const WEBHOOKS: &str = "/console/webhooks";
pub(super) const ACCOUNTS: &str = "/console/accounts";
pub(super) const LIVE: &str = "/console/live";

/// The first value of this name in the query string.
pub(super) fn query_value(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A path with the parameters that have a value.
pub(super) fn with_query(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in query {
        if let Some(value) = value {
            text.append_pair(name, value);
        }
    }
    match text.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// The page of an order.
pub(super) fn order(id: &str) -> String {
    format!("{ORDERS}/{id}")
}

/// The page of an event.
pub(super) fn event(id: &str) -> String {
    format!("{HOME}/events/{id}")
}

/// The page of a refund that waits for a second person, or did.
pub(super) fn refund_request(id: &str) -> String {
    format!("{REFUNDS}/requests/{id}")
}

/// The page of a notification of WeChat's.
pub(super) fn notification(id: &str) -> String {
    format!("{NOTIFICATIONS}/{id}")
}

/// The page of a webhook endpoint.
pub(super) fn endpoint(id: &str) -> String {
    format!("{WEBHOOKS}/{id}")
}

/// The same page in another language. A sign-in token is not carried on: it works once.
pub(super) fn in_language(uri: &Uri, tag: &str) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    text.extend_pairs(pairs.filter(|(name, _)| name != "lang" && name != "setup"));
    text.append_pair("lang", tag);
    format!("{}?{}", uri.path(), text.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_kept_when_the_language_changes() {
        let uri = Uri::from_static("/console?q=%E8%8C%B6+1%26x&status=paid&lang=zh-CN");
        assert_eq!(query_value(&uri, "q").as_deref(), Some("茶 1&x"));
        let other = in_language(&uri, "en");
        assert_eq!(other, "/console?q=%E8%8C%B6+1%26x&status=paid&lang=en");
    }

    #[test]
    fn a_token_does_not_stay_in_a_link() {
        let uri = Uri::from_static("/console?setup=secret");
        assert_eq!(in_language(&uri, "en"), "/console?lang=en");
    }

    #[test]
    fn only_what_has_a_value_is_in_an_address() {
        let link = with_query(HOME, &[("status", None), ("q", Some("a&b=\"<"))]);
        assert_eq!(link, "/console?q=a%26b%3D%22%3C");
        assert_eq!(with_query(HOME, &[("status", None)]), "/console");
    }
}
