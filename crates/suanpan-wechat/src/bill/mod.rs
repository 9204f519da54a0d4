//! WeChat's bills: what it holds to have happened on one day, for reconciliation.
//!
//! ```text
//! heading        交易时间,公众账号ID,商户号,…
//! rows           `2026-11-23 10:03:08,`wx8888888888888888,`1900000109,…
//! heading        总交易单数,应结订单总金额,…
//! totals         `1,`1.00,…
//! ```
//!
//! Both APIs give the same files. The columns differ by type of bill, by year and by merchant, so a value is found by
//! the heading of its column and never by its place. Reading takes memory for one line, whatever the bill's length:
//! hand in any [`BufRead`](std::io::BufRead), such as one that unpacks a file on the disk.
//!
//! Sources: pay.weixin.qq.com/doc/v3/merchant/4013071227 (trade bill), 4013071246 (fund-flow bill), and
//! pay.weixin.qq.com/doc/v2, "下载交易账单", "下载资金账单".

mod error;
mod fee;
mod fund;
mod hash;
mod kind;
mod sheet;
mod trade;

pub use error::BillError;
pub use fee::Fee;
pub use fund::{FundBill, FundRow, FundTotals};
pub use hash::BillHash;
pub use kind::{AccountType, BillDate, BillType};
pub use trade::{BilledRefund, TradeBill, TradeRow, TradeState, TradeTotals};
