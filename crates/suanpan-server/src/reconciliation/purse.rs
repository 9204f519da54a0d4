//! What the trade bill says should be in the purse, beside what the fund-flow bill says was put in and taken out.
//!
//! By number and not by sums: what is paid a second before midnight is booked a second after it, in the bill of the next
//! day. Of a million lines this takes 32 MB.

use std::io::BufRead;

use suanpan_wechat::bill::{BillError, FundBill, FundRow, TradeBill, TradeRow, TradeState};

use super::book::hash;

/// The change of the purse for each line of the trade bill; kept until the fund-flow bill has passed by.
#[derive(Debug, Default)]
pub struct Purse {
    lines: Vec<Change>,
    /// What the fund-flow bill has and the trade bill has not: numbers, and what they changed.
    strangers: Vec<(String, i64)>,
    /// The lines beyond those, and what they changed.
    others: i64,
    surplus: i64,
}

#[derive(Debug)]
struct Change {
    /// The payment or the refund.
    number: u64,
    /// Unix seconds.
    time: i64,
    /// What is still to come, in hundred-thousandths of a yuan.
    open: i64,
    /// Whether the fund-flow bill has named it.
    seen: bool,
}

/// What the fund-flow bill comes to, and where it differs from the trade bill.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Flows {
    /// The lines.
    pub count: i64,
    /// What came in, in fen.
    pub came_in: i64,
    /// What went out, in fen.
    pub went_out: i64,
    /// How many payments and refunds differ.
    pub differing: i64,
    /// By how much the purse has more than the trade bill says, over all of them, in hundred-thousandths of a yuan.
    pub surplus: i64,
}

impl Purse {
    /// A line of the trade bill: what it should change.
    pub(super) fn expect(&mut self, row: &TradeRow<'_>) {
        let (number, fen) = match (&row.refund, row.state) {
            (Some(back), _) => (back.refund_id, back.settlement_amount.get().saturating_neg()),
            (None, TradeState::Success) => (row.transaction_id, row.settlement_total.get()),
            (None, TradeState::Refund | TradeState::Revoked) => return,
        };
        let open = fen.saturating_mul(PER_FEN).saturating_sub(row.fee.get());
        self.lines.push(Change { number: hash(number), time: row.time, open, seen: false });
    }

    /// Reads the fund-flow bill once, and says where the two differ. `start` and `end` are those of the day, in unix seconds.
    ///
    /// # Errors
    /// The bill is not whole or its bytes do not come. A line that cannot be read counts as one that differs.
    pub fn pass<R: BufRead>(
        &mut self,
        bill: &mut FundBill<R>,
        start: i64,
        end: i64,
    ) -> Result<Flows, BillError> {
        self.lines.sort_unstable_by_key(|change| change.number);
        let mut flows = Flows::default();
        loop {
            match bill.next_row() {
                Ok(Some(row)) => {
                    flows.count = flows.count.saturating_add(1);
                    let sum = if row.came_in { &mut flows.came_in } else { &mut flows.went_out };
                    *sum = sum.saturating_add(row.amount.get());
                    self.booked(&row, start);
                }
                Ok(None) => break,
                Err(BillError::Line { .. }) => self.others = self.others.saturating_add(1),
                Err(error) => return Err(error),
            }
        }
        let wrong = self.lines.iter().filter(|change| change.is_wrong(end));
        let (mut differing, mut surplus) = (self.others, self.surplus);
        for change in wrong {
            differing = differing.saturating_add(1);
            surplus = surplus.saturating_sub(change.open);
        }
        for (_, changed) in &self.strangers {
            differing = differing.saturating_add(1);
            surplus = surplus.saturating_add(*changed);
        }
        (flows.differing, flows.surplus) = (differing, surplus);
        Ok(flows)
    }

    fn booked(&mut self, row: &FundRow<'_>, start: i64) {
        let fen = row.amount.get().saturating_mul(PER_FEN);
        let changed = if row.came_in { fen } else { fen.saturating_neg() };
        let number = hash(row.business_id);
        if let Ok(at) = self.lines.binary_search_by_key(&number, |change| change.number) {
            if let Some(change) = self.lines.get_mut(at) {
                change.seen = true;
                change.open = change.open.saturating_sub(changed);
            }
        } else if TRADE.contains(&row.kind) && start.saturating_add(MARGIN) <= row.time {
            // What is booked within minutes of midnight was paid the day before. Only a few are remembered by name.
            let known = self.strangers.iter_mut().find(|(known, _)| known == row.business_id);
            if let Some((_, sum)) = known {
                *sum = sum.saturating_add(changed);
            } else if self.strangers.len() < EXAMPLES {
                self.strangers.push((row.business_id.to_owned(), changed));
            } else {
                self.others = self.others.saturating_add(1);
                self.surplus = self.surplus.saturating_add(changed);
            }
        }
    }

    /// WeChat's numbers of a few payments and refunds that differ; the trade bill passes by once more, for their names.
    ///
    /// # Errors
    /// As when it passed by the first time.
    pub fn examples<R: BufRead>(
        &self,
        bill: &mut TradeBill<R>,
        end: i64,
    ) -> Result<Vec<String>, BillError> {
        let mut examples: Vec<_> =
            self.strangers.iter().map(|(number, _)| number.clone()).collect();
        while examples.len() < EXAMPLES {
            let row = match bill.next_row() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(BillError::Line { .. }) => continue,
                Err(error) => return Err(error),
            };
            let number = row.refund.as_ref().map_or(row.transaction_id, |back| back.refund_id);
            let at = self.lines.binary_search_by_key(&hash(number), |change| change.number);
            let change = at.ok().and_then(|at| self.lines.get(at));
            if change.is_some_and(|change| change.is_wrong(end)) {
                examples.push(number.to_owned());
            }
        }
        Ok(examples)
    }
}

impl Change {
    /// What was paid within minutes of midnight is booked the day after.
    const fn is_wrong(&self, end: i64) -> bool {
        self.open != 0 && (self.seen || self.time < end.saturating_sub(MARGIN))
    }
}

/// Hundred-thousandths of a yuan in a fen.
const PER_FEN: i64 = 1_000;
/// Ten minutes: no payment is booked later than that.
const MARGIN: i64 = 600;
/// How many are named.
const EXAMPLES: usize = 5;
/// The kinds of lines that a trade bill has, too; the others (提现 and the like) are none of its business.
const TRADE: [&str; 3] = ["交易", "退款", "扣除交易手续费"];
