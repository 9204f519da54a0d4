//! The fund-flow bill: each change of what is in one of the merchant's purses.

use std::io::BufRead;

use super::BillError;
use super::sheet::{Heading, Line, Row, Sheet, whole};
use crate::Fen;
use crate::time::parse_beijing_spaced;

/// A fund-flow bill, row by row.
#[derive(Debug)]
pub struct FundBill<R> {
    sheet: Sheet<R>,
    columns: Columns,
    totals: Option<FundTotals>,
}

/// One change of a purse. Texts are empty where the bill says nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FundRow<'a> {
    /// The line of the file, counted from 1.
    pub line: u64,
    /// `记账时间`, in unix seconds.
    pub time: i64,
    /// `微信支付业务单号`: of a payment its `transaction_id`, of a refund its `refund_id`.
    pub business_id: &'a str,
    /// `资金流水单号`: the number of the change itself.
    pub flow_id: &'a str,
    /// `业务名称`.
    pub name: &'a str,
    /// `业务类型`: 交易, 退款, 扣除交易手续费, 提现 and others.
    pub kind: &'a str,
    /// `收支类型` 收入: whether the money came in.
    pub came_in: bool,
    /// `收支金额(元)`.
    pub amount: Fen,
    /// `账户结余(元)`: what was in the purse afterwards.
    pub balance: Fen,
    /// `资金变更提交申请人`.
    pub by: &'a str,
    /// `备注`.
    pub remark: &'a str,
    /// `业务凭证号`: of a refund its `out_refund_no`.
    pub voucher: &'a str,
}

/// The sums of a bill.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FundTotals {
    /// `资金流水总笔数`: the rows.
    pub count: u64,
    /// `收入笔数`.
    pub count_in: u64,
    /// `收入金额`.
    pub amount_in: Fen,
    /// `支出笔数`.
    pub count_out: u64,
    /// `支出金额`.
    pub amount_out: Fen,
}

impl<R: BufRead> FundBill<R> {
    /// Reads the heading.
    ///
    /// # Errors
    /// The bytes do not come, or this is no fund-flow bill.
    pub fn open(reader: R) -> Result<Self, BillError> {
        let sheet = Sheet::open(reader)?;
        let columns = Columns::of(sheet.heading())?;
        Ok(Self { sheet, columns, totals: None })
    }

    /// The next row; `None` behind the last one, and only if the bill is whole.
    ///
    /// # Errors
    /// [`BillError::Line`] is about this row alone: go on with the next. The other errors are the end.
    pub fn next_row(&mut self) -> Result<Option<FundRow<'_>>, BillError> {
        if self.totals.is_some() {
            return Ok(None);
        }
        let rows = self.sheet.rows();
        match self.sheet.next()? {
            Line::Row(row) => self.columns.read(&row).map(Some),
            Line::Totals(heading, values) => {
                let totals = FundTotals::read(&heading, &values)?;
                whole(rows, totals.count)?;
                self.totals = Some(totals);
                Ok(None)
            }
        }
    }

    /// What the bill says that its rows come to; there once [`next_row`](Self::next_row) has answered `None`.
    pub const fn totals(&self) -> Option<FundTotals> {
        self.totals
    }
}

/// Where each column is.
#[derive(Debug)]
struct Columns {
    time: usize,
    business_id: usize,
    flow_id: usize,
    direction: usize,
    amount: usize,
    balance: Option<usize>,
    name: Option<usize>,
    kind: Option<usize>,
    by: Option<usize>,
    remark: Option<usize>,
    voucher: Option<usize>,
}

impl Columns {
    fn of(heading: &Heading) -> Result<Self, BillError> {
        Ok(Self {
            time: heading.needed(&["记账时间"])?,
            business_id: heading.needed(&["微信支付业务单号"])?,
            flow_id: heading.needed(&["资金流水单号"])?,
            direction: heading.needed(&["收支类型"])?,
            // APIv3 writes the brackets in ASCII, APIv2 as full-width characters.
            amount: heading.needed(&["收支金额(元)", "收支金额（元）"])?,
            balance: heading.any(&["账户结余(元)", "账户结余（元）"]),
            name: heading.position("业务名称"),
            kind: heading.position("业务类型"),
            by: heading.position("资金变更提交申请人"),
            remark: heading.position("备注"),
            voucher: heading.position("业务凭证号"),
        })
    }

    fn read<'a>(&self, row: &Row<'a>) -> Result<FundRow<'a>, BillError> {
        let yuan = |text: &str| text.parse::<Fen>().ok();
        Ok(FundRow {
            line: row.line,
            time: row.read(Some(self.time), "记账时间", parse_beijing_spaced)?,
            business_id: row.get(Some(self.business_id)),
            flow_id: row.get(Some(self.flow_id)),
            name: row.get(self.name),
            kind: row.get(self.kind),
            came_in: row.read(Some(self.direction), "收支类型", |text| match text {
                "收入" => Some(true),
                "支出" => Some(false),
                _ => None,
            })?,
            amount: row.read(Some(self.amount), "收支金额", yuan)?,
            balance: match self.balance {
                Some(at) => row.read(Some(at), "账户结余", yuan)?,
                None => Fen::ZERO,
            },
            by: row.get(self.by),
            remark: row.get(self.remark),
            voucher: row.get(self.voucher),
        })
    }
}

impl FundTotals {
    fn read(heading: &Heading, values: &[String]) -> Result<Self, BillError> {
        let value = |name: &str| {
            heading.position(name).and_then(|at| values.get(at)).map_or("", String::as_str)
        };
        let unread = |what: &str| BillError::Cut {
            why: format!("{what} of its totals is {:?}", value(what)),
        };
        let number = |what: &str| count(value(what)).ok_or_else(|| unread(what));
        let sum = |what: &str| value(what).parse::<Fen>().map_err(|_| unread(what));
        Ok(Self {
            count: number("资金流水总笔数")?,
            count_in: number("收入笔数")?,
            amount_in: sum("收入金额")?,
            count_out: number("支出笔数")?,
            amount_out: sum("支出金额")?,
        })
    }
}

/// Reads a count, which bills also write as `20.0`.
pub(super) fn count(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    rest.bytes().all(|byte| byte == b'0').then(|| whole.parse().ok()).flatten()
}
