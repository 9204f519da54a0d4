//! What we hold of one day, compact, and the bill that passes by it line by line.
//!
//! A number is kept as the beginning of its SHA-256, so a payment takes 48 bytes and a million of them 48 MB, however
//! long their numbers are. The bill is never in memory: each line is found here or told as a [`Finding`].

use std::hash::{DefaultHasher, Hasher as _};
use std::io::BufRead;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use suanpan_wechat::Fen;
use suanpan_wechat::bill::{BillError, Fee, TradeBill, TradeRow, TradeState, TradeTotals};

use super::fees;
use super::purse::Purse;

/// The payments and refunds that we hold of one day.
#[derive(Debug, Default)]
pub struct Book {
    payments: Side,
    refunds: Side,
}

/// What a line of the bill is that does not simply agree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Finding {
    /// A payment that is not among ours of this day.
    Payment(Billed),
    /// A refund that is not among ours of this day.
    Refund(Billed),
    /// The bill has listed it before.
    Twice(Billed),
    /// The payment is ours, and of another amount.
    Amount {
        /// What the bill says.
        billed: Billed,
        /// What we hold.
        ours: Fen,
    },
    /// The refund is ours, and of another amount.
    RefundAmount {
        /// What the bill says.
        billed: Billed,
        /// What we hold.
        ours: Fen,
    },
    /// The fee is not what the bill's own rate makes of the amount.
    Fee {
        /// What the bill says.
        billed: Billed,
        /// What the rate makes of it.
        expected: Fee,
    },
    /// A line cannot be read; those behind it were.
    Unreadable {
        /// Which line, counted from 1.
        line: u64,
        /// Why not.
        why: String,
    },
}

/// A line of the bill, without the payer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Billed {
    /// The line of the file, counted from 1.
    pub line: u64,
    /// When, in unix seconds.
    pub time: i64,
    /// The mini program.
    pub appid: String,
    /// The merchant.
    pub mchid: String,
    /// The sub-merchant; empty or `0` for a direct merchant.
    pub sub_mchid: String,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// The order's number.
    pub out_trade_no: String,
    /// `CNY`, or empty where the bill says nothing.
    pub currency: String,
    /// What was paid; zero in the line of a refund.
    pub total: Fen,
    /// What goes back, in the line of a refund.
    pub refund: Option<BilledBack>,
    /// The fee, in hundred-thousandths of a yuan.
    pub fee: i64,
    /// The rate, such as `0.60%`.
    pub rate: String,
}

/// What the line of a refund tells besides.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BilledBack {
    /// WeChat's number of it.
    pub refund_id: String,
    /// Our number of it.
    pub out_refund_no: String,
    /// What goes back.
    pub amount: Fen,
    /// How it stood when the bill was made.
    pub status: String,
}

/// The bill in sums, counted from its lines.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Theirs {
    /// The payments.
    pub payments: i64,
    /// What was paid, in fen.
    pub paid: i64,
    /// The refunds.
    pub refunds: i64,
    /// What goes back, in fen.
    pub refunded: i64,
    /// What WeChat took for it, in hundred-thousandths of a yuan.
    pub fee: i64,
    /// The lines that could not be read.
    pub unreadable: i64,
    /// What the bill itself says that its lines come to.
    pub totals: TradeTotals,
}

impl Theirs {
    /// Whether the lines come to what the bill says of them, as far as they could be read.
    pub const fn adds_up(&self) -> bool {
        let Self { totals, .. } = self;
        0 < self.unreadable
            || (self.paid == totals.total.get()
                && self.refunded == totals.refund.get()
                && self.fee == totals.fee.get())
    }
}

impl Book {
    /// A payment that we hold.
    pub fn payment(&mut self, out_trade_no: &str, transaction_id: &str, amount: Fen) {
        self.payments.put(out_trade_no, hash(transaction_id), amount);
    }

    /// A refund that we hold.
    pub fn refund(&mut self, out_refund_no: &str, amount: Fen) {
        self.refunds.put(out_refund_no, 0, amount);
    }

    /// Reads the bill once from its first line to its last, and tells of each line that does not simply agree. What should
    /// be in the purse by it is noted in `purse`.
    ///
    /// # Errors
    /// The bill is not whole, or its bytes do not come. A single line that cannot be read is a finding.
    pub fn pass<R: BufRead>(
        &mut self,
        bill: &mut TradeBill<R>,
        purse: &mut Purse,
        mut tell: impl FnMut(Finding),
    ) -> Result<Theirs, BillError> {
        self.payments.0.sort_unstable_by_key(|entry| entry.number);
        self.refunds.0.sort_unstable_by_key(|entry| entry.number);
        let mut theirs = Theirs::default();
        loop {
            match bill.next_row() {
                Ok(Some(row)) => {
                    theirs.count(&row);
                    purse.expect(&row);
                    self.line(&row, &mut tell);
                }
                Ok(None) => break,
                Err(BillError::Line { line, why }) => {
                    theirs.unreadable = theirs.unreadable.saturating_add(1);
                    tell(Finding::Unreadable { line, why });
                }
                Err(error) => return Err(error),
            }
        }
        theirs.totals = bill.totals().unwrap_or_default();
        Ok(theirs)
    }

    fn line(&mut self, row: &TradeRow<'_>, tell: &mut impl FnMut(Finding)) {
        let back = row.refund.as_ref();
        if let Some(expected) =
            fees::wrong(row.settlement_total, back.map(|back| back.amount), row.fee, row.rate)
        {
            tell(Finding::Fee { billed: Billed::of(row), expected });
        }
        match (row.state, back) {
            (TradeState::Success, _) => {
                let entry = self.payments.find(row.out_trade_no);
                match entry.filter(|entry| entry.transaction == hash(row.transaction_id)) {
                    None => tell(Finding::Payment(Billed::of(row))),
                    Some(entry) if entry.listed => tell(Finding::Twice(Billed::of(row))),
                    Some(entry) => {
                        entry.listed = true;
                        if entry.amount != row.total {
                            tell(Finding::Amount { billed: Billed::of(row), ours: entry.amount });
                        }
                    }
                }
            }
            (TradeState::Refund, Some(back)) => match self.refunds.find(back.out_refund_no) {
                None => tell(Finding::Refund(Billed::of(row))),
                Some(entry) if entry.listed => tell(Finding::Twice(Billed::of(row))),
                Some(entry) => {
                    entry.listed = true;
                    if entry.amount != back.amount {
                        tell(Finding::RefundAmount { billed: Billed::of(row), ours: entry.amount });
                    }
                }
            },
            // Undone at the till: nothing was paid. A refund always says what goes back.
            (TradeState::Revoked, _) | (TradeState::Refund, None) => {}
        }
    }

    /// Whether the bill that passed by has listed this payment of ours.
    pub fn lists_payment(&self, out_trade_no: &str) -> bool {
        self.payments.lists(out_trade_no)
    }

    /// Whether the bill that passed by has listed this refund of ours.
    pub fn lists_refund(&self, out_refund_no: &str) -> bool {
        self.refunds.lists(out_refund_no)
    }

    /// Whether it has listed all that we hold.
    pub fn is_all_listed(&self) -> bool {
        self.payments.0.iter().chain(&self.refunds.0).all(|entry| entry.listed)
    }
}

/// The payments, or the refunds; in the order of their numbers once the bill passes by.
#[derive(Debug, Default)]
struct Side(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    number: u128,
    /// Of a payment; a refund has its own number alone.
    transaction: u64,
    amount: Fen,
    listed: bool,
}

impl Side {
    fn put(&mut self, number: &str, transaction: u64, amount: Fen) {
        self.0.push(Entry { number: name(number), transaction, amount, listed: false });
    }

    fn find(&mut self, number: &str) -> Option<&mut Entry> {
        let at = self.0.binary_search_by_key(&name(number), |entry| entry.number).ok()?;
        self.0.get_mut(at)
    }

    fn lists(&self, number: &str) -> bool {
        let at = self.0.binary_search_by_key(&name(number), |entry| entry.number);
        at.ok().and_then(|at| self.0.get(at)).is_some_and(|entry| entry.listed)
    }
}

impl Theirs {
    fn count(&mut self, row: &TradeRow<'_>) {
        self.fee = self.fee.saturating_add(row.fee.get());
        match &row.refund {
            Some(back) => {
                self.refunds = self.refunds.saturating_add(1);
                self.refunded = self.refunded.saturating_add(back.amount.get());
            }
            None if row.state == TradeState::Success => {
                self.payments = self.payments.saturating_add(1);
                self.paid = self.paid.saturating_add(row.total.get());
            }
            None => {}
        }
    }
}

impl Billed {
    fn of(row: &TradeRow<'_>) -> Self {
        Self {
            line: row.line,
            time: row.time,
            appid: row.appid.to_owned(),
            mchid: row.mchid.to_owned(),
            sub_mchid: row.sub_mchid.to_owned(),
            transaction_id: row.transaction_id.to_owned(),
            out_trade_no: row.out_trade_no.to_owned(),
            currency: row.currency.to_owned(),
            total: row.total,
            refund: row.refund.as_ref().map(|back| BilledBack {
                refund_id: back.refund_id.to_owned(),
                out_refund_no: back.out_refund_no.to_owned(),
                amount: back.amount,
                status: back.status.to_owned(),
            }),
            fee: row.fee.get(),
            rate: row.rate.to_owned(),
        }
    }

    /// The number that it is known by: of a refund its own, of a payment the order's.
    pub fn number(&self) -> &str {
        self.refund.as_ref().map_or(&self.out_trade_no, |back| &back.out_refund_no)
    }
}

/// Sixteen bytes of a number that stand for it: no two of ours will ever share them.
fn name(number: &str) -> u128 {
    let digest = digest(&SHA256, number.as_bytes());
    let first = digest.as_ref().first_chunk::<16>();
    first.map_or(0, |bytes| u128::from_be_bytes(*bytes))
}

/// Tells two transactions of one order number apart.
pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests;
