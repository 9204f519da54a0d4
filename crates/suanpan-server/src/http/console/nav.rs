//! The pages of the console, as the list beside each of them names them.

use maud::{Markup, html};

use super::links;
use super::page::Visit;
use super::words::{self, Say, say};

/// A page in the list, by its address and name.
struct Entry(&'static str, Say);

const ENTRIES: &[Entry] = &[
    Entry(links::HOME, words::TODAY),
    Entry(links::ORDERS, words::ORDERS),
    Entry(links::REFUNDS, words::REFUNDS),
    Entry(links::RECONCILIATION, say("对账", "Reconciliation")),
    Entry(links::SHIPPING, words::SHIPPING),
    Entry(links::WEBHOOKS, words::WEBHOOKS),
    Entry(links::ACCOUNTS, words::ACCOUNTS),
    Entry(links::LIVE, words::LIVE_PAGE),
    Entry("/console/audit", say("审计", "Audit log")),
    Entry("/console/settings", say("设置", "Settings")),
    Entry("/console/me", say("我", "Me")),
];

/// The list. The one that the reader is on is marked, and so is the one that a page of details belongs to.
pub(super) fn list(visit: &Visit) -> Markup {
    let here = visit.here().path();
    html! {
        ul.pages-list {
            @for Entry(path, name) in ENTRIES {
                li {
                    a href=(path) aria-current=[current(path, here)] { (visit.say(*name)) }
                }
            }
        }
    }
}

fn current(path: &str, here: &str) -> Option<&'static str> {
    let below = here.strip_prefix(path)?;
    match below {
        "" | "/" => Some("page"),
        _ if below.starts_with('/') && path != links::HOME => Some("true"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_an_order_belongs_to_orders() {
        for (here, want) in [
            ("/console/orders", Some("page")),
            ("/console/orders/ord_1", Some("true")),
            ("/console/orderless", None),
            ("/console", None),
        ] {
            assert_eq!(current(links::ORDERS, here), want, "{here}");
        }
        assert_eq!(current(links::HOME, "/console"), Some("page"));
        assert_eq!(current(links::HOME, "/console/"), Some("page"));
        assert_eq!(current(links::HOME, "/console/orders"), None);
    }
}
