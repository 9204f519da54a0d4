//! What is planted in a bill.

use serde::{Deserialize, Serialize};
use suanpan_wechat::bill::Fee;
use suanpan_wechat::{Fen, MchId};

use super::{Back, Line, fee_of, given_back};
use crate::dice;

/// A difference between the bill of a day and what happened, as it is asked for and kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Planted {
    pub(crate) mchid: MchId,
    pub(crate) bill_date: String,
    plant: Word,
    out_trade_no: Option<String>,
    out_refund_no: Option<String>,
    amount: Option<Fen>,
    /// In hundred-thousandths of a yuan.
    fee: Option<i64>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    MissingPayment,
    PaymentAmount,
    Fee,
    UnknownPayment,
    MissingRefund,
    RefundAmount,
    UnknownRefund,
}

/// What is wrong with the bill.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plant<'a> {
    /// The payment of this order is not listed.
    MissingPayment { order: &'a str },
    /// It is listed with another amount.
    PaymentAmount { order: &'a str, amount: Fen },
    /// Another fee was taken for it.
    Fee { order: &'a str, fee: Fee },
    /// A payment is listed of an order that nobody placed.
    UnknownPayment { order: &'a str, amount: Fen },
    /// This refund is not listed.
    MissingRefund { refund: &'a str },
    /// It is listed with another amount.
    RefundAmount { refund: &'a str, amount: Fen },
    /// A refund is listed that nobody asked for.
    UnknownRefund { refund: &'a str, order: &'a str, amount: Fen },
}

impl Planted {
    /// What it is; `None` where it lacks a value that it needs.
    pub(crate) fn plant(&self) -> Option<Plant<'_>> {
        let (order, refund) = (self.out_trade_no.as_deref(), self.out_refund_no.as_deref());
        Some(match self.plant {
            Word::MissingPayment => Plant::MissingPayment { order: order? },
            Word::PaymentAmount => Plant::PaymentAmount { order: order?, amount: self.amount? },
            Word::Fee => Plant::Fee { order: order?, fee: Fee::new(self.fee?) },
            Word::UnknownPayment => Plant::UnknownPayment { order: order?, amount: self.amount? },
            Word::MissingRefund => Plant::MissingRefund { refund: refund? },
            Word::RefundAmount => Plant::RefundAmount { refund: refund?, amount: self.amount? },
            Word::UnknownRefund => {
                Plant::UnknownRefund { refund: refund?, order: order?, amount: self.amount? }
            }
        })
    }
}

/// Changes the lines of a day; `stranger` is what a payment looks like that nobody made.
pub(super) fn apply(plant: Plant<'_>, stranger: &Line, lines: &mut Vec<Line>) {
    // A payment that nobody made. Its numbers are the same whenever the bill is made anew.
    let unknown = |number: &str, amount: Fen| Line {
        transaction_id: format!("4200000000{}", dice::digits_of(number, 18)),
        out_trade_no: number.to_owned(),
        total: amount,
        fee: fee_of(amount),
        ..stranger.clone()
    };
    let paid = |line: &Line, number: &str| line.refund.is_none() && line.out_trade_no == number;
    let sent = |line: &Line, number: &str| {
        line.refund.as_ref().is_some_and(|back| back.out_refund_no == number)
    };
    match plant {
        Plant::MissingPayment { order } => lines.retain(|line| !paid(line, order)),
        Plant::MissingRefund { refund } => lines.retain(|line| !sent(line, refund)),
        Plant::PaymentAmount { order, amount } => {
            for line in lines.iter_mut().filter(|line| paid(line, order)) {
                (line.total, line.fee) = (amount, fee_of(amount));
            }
        }
        Plant::Fee { order, fee } => {
            for line in lines.iter_mut().filter(|line| paid(line, order)) {
                line.fee = fee;
            }
        }
        Plant::RefundAmount { refund, amount } => {
            for line in lines.iter_mut().filter(|line| sent(line, refund)) {
                line.fee = given_back(amount);
                if let Some(back) = &mut line.refund {
                    back.amount = amount;
                }
            }
        }
        Plant::UnknownPayment { order, amount } => lines.push(unknown(order, amount)),
        Plant::UnknownRefund { refund, order, amount } => {
            let known = lines.iter().find(|line| line.out_trade_no == order).cloned();
            lines.push(Line {
                total: Fen::ZERO,
                fee: given_back(amount),
                refund: Some(Back {
                    refund_id: format!("50300000000{}", dice::digits_of(refund, 18)),
                    out_refund_no: refund.to_owned(),
                    amount,
                    status: "SUCCESS",
                }),
                ..known.unwrap_or_else(|| unknown(order, amount))
            });
        }
    }
}
