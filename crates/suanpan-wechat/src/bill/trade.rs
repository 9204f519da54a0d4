//! The trade bill: each payment and each refund of a day.

use std::io::BufRead;

use super::sheet::{Heading, Line, Row, Sheet, whole};
use super::{BillError, Fee};
use crate::Fen;
use crate::time::parse_beijing_spaced;

/// A trade bill, row by row.
///
/// ```
/// use suanpan_wechat::bill::TradeBill;
///
/// let text = "交易时间,微信订单号,商户订单号,交易状态,订单金额\r\n\
///     `2026-11-23 10:03:08,`4200001234,`tea-1,`SUCCESS,`9.90\r\n\
///     总交易单数,订单总金额\r\n`1,`9.90\r\n";
/// let mut bill = TradeBill::open(text.as_bytes())?;
/// let row = bill.next_row()?.unwrap();
/// assert_eq!((row.out_trade_no, row.total.get()), ("tea-1", 990));
/// assert!(bill.next_row()?.is_none());
/// assert_eq!(bill.totals().unwrap().count, 1);
/// # Ok::<(), suanpan_wechat::bill::BillError>(())
/// ```
#[derive(Debug)]
pub struct TradeBill<R> {
    sheet: Sheet<R>,
    columns: Columns,
    totals: Option<TradeTotals>,
}

/// A payment or a refund, as it stood when the bill was made. Texts are empty where the bill says nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TradeRow<'a> {
    /// The line of the file, counted from 1.
    pub line: u64,
    /// `交易时间`: when it was paid, or when the refund was taken; in unix seconds.
    pub time: i64,
    /// `公众账号ID`.
    pub appid: &'a str,
    /// `商户号`.
    pub mchid: &'a str,
    /// `特约商户号`: empty or `0` for a direct merchant.
    pub sub_mchid: &'a str,
    /// `微信订单号`.
    pub transaction_id: &'a str,
    /// `商户订单号`.
    pub out_trade_no: &'a str,
    /// `用户标识`.
    pub openid: &'a str,
    /// `交易类型`: `JSAPI` and others.
    pub trade_type: &'a str,
    /// `交易状态`: what kind of row this is.
    pub state: TradeState,
    /// `付款银行`.
    pub bank: &'a str,
    /// `货币种类`: `CNY`.
    pub currency: &'a str,
    /// `订单金额`; of old merchants, whose bills lack that column, `总金额`. Zero in the row of a refund.
    pub total: Fen,
    /// `应结订单金额`: what of it comes to the merchant.
    pub settlement_total: Fen,
    /// Of the row of a refund, what goes back.
    pub refund: Option<BilledRefund<'a>>,
    /// `商品名称`.
    pub description: &'a str,
    /// `商户数据包`.
    pub attach: &'a str,
    /// `手续费`; below zero where a refund gives it back.
    pub fee: Fee,
    /// `费率`: `0.60%`.
    pub rate: &'a str,
}

/// What the row of a refund tells besides.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BilledRefund<'a> {
    /// `微信退款单号`.
    pub refund_id: &'a str,
    /// `商户退款单号`.
    pub out_refund_no: &'a str,
    /// `申请退款金额`, the amount of the refund; of old merchants, whose bills lack that column, `退款金额`.
    pub amount: Fen,
    /// `退款金额`: what of it the merchant pays; the rest of it are vouchers that others paid for.
    pub settlement_amount: Fen,
    /// `退款类型`: `ORIGINAL`, `BALANCE` and others.
    pub kind: &'a str,
    /// `退款状态`: `SUCCESS`, `PROCESSING`, `FAIL`, `CHANGE`. As it was when the refund was taken; not brought up to date.
    pub status: &'a str,
}

/// What kind of row it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TradeState {
    /// It was paid.
    Success,
    /// Money went back.
    Refund,
    /// The payment was undone at the till.
    Revoked,
}

/// The sums of a bill.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TradeTotals {
    /// `总交易单数`: the rows.
    pub count: u64,
    /// `订单总金额`; of old merchants `总金额`.
    pub total: Fen,
    /// `申请退款总金额`; of old merchants `退款总金额`.
    pub refund: Fen,
    /// `手续费总金额`.
    pub fee: Fee,
}

impl<R: BufRead> TradeBill<R> {
    /// Reads the heading.
    ///
    /// # Errors
    /// The bytes do not come, or this is no trade bill.
    pub fn open(reader: R) -> Result<Self, BillError> {
        let sheet = Sheet::open(reader)?;
        let columns = Columns::of(sheet.heading())?;
        Ok(Self { sheet, columns, totals: None })
    }

    /// The next row; `None` behind the last one, and only if the bill is whole.
    ///
    /// # Errors
    /// [`BillError::Line`] is about this row alone: go on with the next. The other errors are the end.
    pub fn next_row(&mut self) -> Result<Option<TradeRow<'_>>, BillError> {
        if self.totals.is_some() {
            return Ok(None);
        }
        let rows = self.sheet.rows();
        match self.sheet.next()? {
            Line::Row(row) => self.columns.read(&row).map(Some),
            Line::Totals(heading, values) => {
                let totals = TradeTotals::read(&heading, &values)?;
                whole(rows, totals.count)?;
                self.totals = Some(totals);
                Ok(None)
            }
        }
    }

    /// What the bill says that its rows come to; there once [`next_row`](Self::next_row) has answered `None`.
    pub const fn totals(&self) -> Option<TradeTotals> {
        self.totals
    }
}

/// Where each column is.
#[derive(Debug)]
struct Columns {
    time: usize,
    transaction_id: usize,
    out_trade_no: usize,
    state: usize,
    total: usize,
    appid: Option<usize>,
    mchid: Option<usize>,
    sub_mchid: Option<usize>,
    openid: Option<usize>,
    trade_type: Option<usize>,
    bank: Option<usize>,
    currency: Option<usize>,
    settlement_total: Option<usize>,
    refund_id: Option<usize>,
    out_refund_no: Option<usize>,
    refund: Option<usize>,
    settlement_refund: Option<usize>,
    refund_kind: Option<usize>,
    refund_status: Option<usize>,
    description: Option<usize>,
    attach: Option<usize>,
    fee: Option<usize>,
    rate: Option<usize>,
}

impl Columns {
    fn of(heading: &Heading) -> Result<Self, BillError> {
        let at = |name| heading.position(name);
        Ok(Self {
            time: heading.needed(&["交易时间"])?,
            transaction_id: heading.needed(&["微信订单号"])?,
            out_trade_no: heading.needed(&["商户订单号"])?,
            state: heading.needed(&["交易状态"])?,
            total: heading.needed(&["订单金额", "总金额", "应结订单金额"])?,
            appid: at("公众账号ID"),
            mchid: at("商户号"),
            sub_mchid: heading.any(&["特约商户号", "子商户号"]),
            openid: at("用户标识"),
            trade_type: at("交易类型"),
            bank: at("付款银行"),
            currency: at("货币种类"),
            settlement_total: heading.any(&["应结订单金额", "总金额"]),
            refund_id: at("微信退款单号"),
            out_refund_no: at("商户退款单号"),
            refund: heading.any(&["申请退款金额", "退款金额"]),
            settlement_refund: heading.any(&["退款金额", "申请退款金额"]),
            refund_kind: at("退款类型"),
            refund_status: at("退款状态"),
            description: at("商品名称"),
            attach: at("商户数据包"),
            fee: at("手续费"),
            rate: at("费率"),
        })
    }

    fn read<'a>(&self, row: &Row<'a>) -> Result<TradeRow<'a>, BillError> {
        let needed = |position: usize, what: &str| {
            row.read(Some(position), what, |text| (!text.is_empty()).then_some(()))?;
            Ok::<_, BillError>(row.get(Some(position)))
        };
        let state = row.read(Some(self.state), "交易状态", TradeState::parse)?;
        Ok(TradeRow {
            line: row.line,
            time: row.read(Some(self.time), "交易时间", parse_beijing_spaced)?,
            appid: row.get(self.appid),
            mchid: row.get(self.mchid),
            sub_mchid: row.get(self.sub_mchid),
            transaction_id: needed(self.transaction_id, "微信订单号")?,
            out_trade_no: row.get(Some(self.out_trade_no)),
            openid: row.get(self.openid),
            trade_type: row.get(self.trade_type),
            state,
            bank: row.get(self.bank),
            currency: row.get(self.currency),
            total: row.read(Some(self.total), "订单金额", yuan)?,
            settlement_total: row.read(self.settlement_total, "应结订单金额", yuan_or_none)?,
            refund: match state {
                TradeState::Refund => Some(self.refund(row)?),
                TradeState::Success | TradeState::Revoked => None,
            },
            description: row.get(self.description),
            attach: row.get(self.attach),
            fee: row.read(self.fee, "手续费", fee_or_none)?,
            rate: row.get(self.rate),
        })
    }

    fn refund<'a>(&self, row: &Row<'a>) -> Result<BilledRefund<'a>, BillError> {
        row.read(self.refund_id, "微信退款单号", |text| (!text.is_empty()).then_some(()))?;
        Ok(BilledRefund {
            refund_id: row.get(self.refund_id),
            out_refund_no: row.get(self.out_refund_no),
            amount: row.read(self.refund, "申请退款金额", yuan)?,
            settlement_amount: row.read(self.settlement_refund, "退款金额", yuan)?,
            kind: row.get(self.refund_kind),
            status: row.get(self.refund_status),
        })
    }
}

impl TradeState {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "SUCCESS" => Some(Self::Success),
            "REFUND" => Some(Self::Refund),
            "REVOKED" => Some(Self::Revoked),
            _ => None,
        }
    }

    /// WeChat's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Refund => "REFUND",
            Self::Revoked => "REVOKED",
        }
    }
}

impl TradeTotals {
    fn read(heading: &Heading, values: &[String]) -> Result<Self, BillError> {
        let value = |names: &[&'static str]| {
            heading.any(names).and_then(|at| values.get(at)).map_or("", String::as_str)
        };
        let unread = |what: &str, text: &str| BillError::Cut {
            why: format!("{what} of its totals is {text:?}"),
        };
        let sum = |names: &[&'static str]| {
            let text = value(names);
            let what = names.first().copied().unwrap_or_default();
            yuan_or_none(text).ok_or_else(|| unread(what, text))
        };
        let (count, fee) = (value(&["总交易单数"]), value(&["手续费总金额"]));
        Ok(Self {
            count: super::fund::count(count).ok_or_else(|| unread("总交易单数", count))?,
            total: sum(&["订单总金额", "总金额", "总交易额", "应结订单总金额"])?,
            refund: sum(&["申请退款总金额", "退款总金额", "总退款金额"])?,
            fee: fee_or_none(fee).ok_or_else(|| unread("手续费总金额", fee))?,
        })
    }
}

fn yuan(text: &str) -> Option<Fen> {
    text.parse().ok()
}

fn yuan_or_none(text: &str) -> Option<Fen> {
    if text.is_empty() { Some(Fen::ZERO) } else { yuan(text) }
}

fn fee_or_none(text: &str) -> Option<Fee> {
    if text.is_empty() { Some(Fee::ZERO) } else { Fee::parse(text) }
}
