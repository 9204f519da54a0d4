//! What the steps decide: each is called with what one transaction read, and says what that transaction stores.
//!
//! The server calls these inside its transactions, and the model check calls the same ones in every interleaving that it
//! can think of. So a rule that is wrong here is found there.

use suanpan_wechat::TransactionId;

use crate::{AttemptEvent, AttemptState, OrderEvent, OrderStatus, Outcome, Weight, weigh};

/// Somebody wants to pay an order. What now?
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Begin {
    /// An attempt is live: it serves him, or is closed before another one begins.
    Join,
    /// None is live: store a new one, and the order's move if it is one.
    New(Option<OrderStatus>),
    /// Somebody was faster.
    AlreadyPaid,
    /// It is closed for good.
    Closed,
}

/// Whether a new attempt may begin. `live`: an attempt of the order can still be paid.
pub const fn begin(order: OrderStatus, live: bool) -> Begin {
    match (order, live) {
        (OrderStatus::Paid, _) => Begin::AlreadyPaid,
        (OrderStatus::Closed, _) => Begin::Closed,
        (OrderStatus::Unpaid | OrderStatus::Paying, true) => Begin::Join,
        (OrderStatus::Unpaid | OrderStatus::Paying, false) => {
            Begin::New(moved(order.apply(OrderEvent::Started)))
        }
    }
}

/// How a live attempt serves somebody who wants to pay.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Serve {
    /// Other parameters: it is closed first, then another number begins. So at most one sheet can take the money.
    CloseFirst,
    /// Its `prepay_id` is young: sign again, no call.
    SignAgain,
    /// Place it, or place it again unchanged.
    Place,
}

/// What to do with the live attempt. `young`: it has a `prepay_id` that is young enough.
pub const fn serve(same_parameters: bool, young: bool) -> Serve {
    match (same_parameters, young) {
        (false, _) => Serve::CloseFirst,
        (true, true) => Serve::SignAgain,
        (true, false) => Serve::Place,
    }
}

/// An attempt came to its end without money: where it and its order stand then.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ended {
    /// The attempt.
    pub attempt: AttemptState,
    /// The order, if it moves.
    pub order: Option<OrderStatus>,
}

/// `None`: it was at its end already, or has the money; nothing changes.
pub const fn end(order: OrderStatus, attempt: AttemptState, event: AttemptEvent) -> Option<Ended> {
    match moved_attempt(attempt.apply(event)) {
        // Only a live attempt ends so, and an order has one: nothing holds it in `paying` any more.
        Some(attempt) => Some(Ended { attempt, order: moved(order.apply(OrderEvent::Released)) }),
        None => None,
    }
}

/// What a payment changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Settlement {
    /// Where the attempt stands then, if it moves.
    pub attempt: Option<AttemptState>,
    /// Where the order stands then, if it moves.
    pub order: Option<OrderStatus>,
    /// Whom to tell.
    pub news: News,
}

/// What the merchant's system is told of a payment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum News {
    /// Nothing: heard before.
    Known,
    /// `order.paid`.
    Paid,
    /// `order.overpaid`: the customer paid the order twice, and this is the second time.
    Overpaid,
}

/// A genuine payment of an attempt was heard: `held` is the payment that the order has, `of_attempt` that of the attempt.
pub fn settle(
    order: OrderStatus,
    held: Option<&TransactionId>,
    attempt: AttemptState,
    of_attempt: Option<&TransactionId>,
    heard: &TransactionId,
) -> Settlement {
    let paid = moved_attempt(attempt.apply(AttemptEvent::PayerPaid));
    match weigh(held, heard) {
        Weight::First => Settlement {
            attempt: paid,
            order: moved(order.apply(OrderEvent::Paid)),
            news: News::Paid,
        },
        Weight::Again => Settlement { attempt: paid, order: None, news: News::Known },
        // The same second payment, told once more.
        Weight::Extra if of_attempt == Some(heard) => {
            Settlement { attempt: None, order: None, news: News::Known }
        }
        Weight::Extra => Settlement { attempt: paid, order: None, news: News::Overpaid },
    }
}

/// Where an order stands that is to be closed for good. `None`: not now, since it is paid, or closed already, or an
/// attempt can still be paid.
pub const fn close(order: OrderStatus, live: bool) -> Option<OrderStatus> {
    if live {
        return None;
    }
    moved(order.apply(OrderEvent::Closed))
}

const fn moved(answer: Result<Outcome<OrderStatus>, crate::Impossible>) -> Option<OrderStatus> {
    match answer {
        Ok(Outcome::Moved(status)) => Some(status),
        Ok(Outcome::Known) | Err(_) => None,
    }
}

const fn moved_attempt(
    answer: Result<Outcome<AttemptState>, crate::Impossible>,
) -> Option<AttemptState> {
    match answer {
        Ok(Outcome::Moved(state)) => Some(state),
        Ok(Outcome::Known) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn word<T: std::fmt::Display>(moved: Option<T>) -> String {
        moved.map_or_else(|| "=".to_owned(), |moved| moved.to_string())
    }

    #[test]
    fn who_may_begin_and_when_an_order_closes() {
        let mut table = String::new();
        for order in OrderStatus::ALL {
            for live in [false, true] {
                let begins = format!("{:?}", begin(order, live));
                let live_word = if live { "live" } else { "none live" };
                let closes = word(close(order, live));
                table += &format!("{order:6} {live_word:9} | {begins:18} | {closes}\n");
            }
        }
        assert_snapshot!(table, @r"
        unpaid none live | New(Some(Paying))  | closed
        unpaid live      | Join               | =
        paying none live | New(None)          | closed
        paying live      | Join               | =
        paid none live | AlreadyPaid        | =
        paid live      | AlreadyPaid        | =
        closed none live | Closed             | =
        closed live      | Closed             | =
        ");
    }

    #[test]
    fn how_the_live_attempt_serves() {
        assert_eq!(serve(false, true), Serve::CloseFirst);
        assert_eq!(serve(false, false), Serve::CloseFirst);
        assert_eq!(serve(true, true), Serve::SignAgain);
        assert_eq!(serve(true, false), Serve::Place);
    }

    #[test]
    fn an_end_without_money() {
        let mut table = String::new();
        for attempt in AttemptState::ALL {
            for order in OrderStatus::ALL {
                for event in [AttemptEvent::Refused, AttemptEvent::Closed] {
                    let Some(ended) = end(order, attempt, event) else { continue };
                    let (event, to, moves) = (event.as_str(), ended.attempt, word(ended.order));
                    table += &format!("{attempt:7} of {order:6} {event:7} | {to:6} | {moves}\n");
                }
            }
        }
        assert_snapshot!(table, @r"
        created of unpaid refused | failed | =
        created of unpaid closed  | closed | =
        created of paying refused | failed | unpaid
        created of paying closed  | closed | unpaid
        created of paid refused | failed | =
        created of paid closed  | closed | =
        created of closed refused | failed | =
        created of closed closed  | closed | =
        prepaid of unpaid closed  | closed | =
        prepaid of paying closed  | closed | unpaid
        prepaid of paid closed  | closed | =
        prepaid of closed closed  | closed | =
        ");
    }

    #[test]
    fn a_payment_by_what_is_held() {
        let [one, two] = ["4200000001", "4200000002"].map(|id| TransactionId::parse(id).unwrap());
        let mut table = String::new();
        let cases = [("none", None), ("this", Some(&one)), ("another", Some(&two))];
        for (what, held) in cases {
            for order in OrderStatus::ALL {
                if held.is_some() != (order == OrderStatus::Paid) {
                    continue;
                }
                for attempt in AttemptState::ALL {
                    let of_attempt = (attempt == AttemptState::Paid).then_some(&one);
                    let moves = settle(order, held, attempt, of_attempt, &one);
                    let (to, order_to) = (word(moves.attempt), word(moves.order));
                    let news = moves.news;
                    table += &format!(
                        "{order:6} holds {what:7} {attempt:7} | {to:4} | {order_to:4} | {news:?}\n"
                    );
                }
            }
        }
        assert_snapshot!(table, @r"
        unpaid holds none    created | paid | paid | Paid
        unpaid holds none    prepaid | paid | paid | Paid
        unpaid holds none    paid | =    | paid | Paid
        unpaid holds none    closed | paid | paid | Paid
        unpaid holds none    failed | paid | paid | Paid
        paying holds none    created | paid | paid | Paid
        paying holds none    prepaid | paid | paid | Paid
        paying holds none    paid | =    | paid | Paid
        paying holds none    closed | paid | paid | Paid
        paying holds none    failed | paid | paid | Paid
        closed holds none    created | paid | paid | Paid
        closed holds none    prepaid | paid | paid | Paid
        closed holds none    paid | =    | paid | Paid
        closed holds none    closed | paid | paid | Paid
        closed holds none    failed | paid | paid | Paid
        paid holds this    created | paid | =    | Known
        paid holds this    prepaid | paid | =    | Known
        paid holds this    paid | =    | =    | Known
        paid holds this    closed | paid | =    | Known
        paid holds this    failed | paid | =    | Known
        paid holds another created | paid | =    | Overpaid
        paid holds another prepaid | paid | =    | Overpaid
        paid holds another paid | =    | =    | Known
        paid holds another closed | paid | =    | Overpaid
        paid holds another failed | paid | =    | Overpaid
        ");
    }
}
