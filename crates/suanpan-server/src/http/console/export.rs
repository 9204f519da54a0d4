//! Orders as a file for a spreadsheet, with who took it on the first line.
//!
//! A spreadsheet makes a formula of `=…` and rounds a number of more than
//! fifteen digits, so no cell begins with what it would calculate, and long
//! numbers are told to be text.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;

use super::acts::Nothing;
use super::operator::Operator;
use super::orders::look;
use super::page::Visit;
use super::posted::Posted;
use super::search::Search;
use super::trouble::Trouble;
use super::words;
use crate::order::Order;
use crate::people::Right;
use crate::store::{Looked, Narrow, OrderFilter, StoreError};
use crate::timeline::clock;
use crate::world::World;

/// `POST /console/orders.csv`, with the query of a list: all orders that fit, newest first.
pub(super) async fn orders(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Trouble> {
    operator.may(Right::Export)?;
    let search = Search::read(&visit)?;
    let (filter, narrow) = (search.filter(BATCH)?, search.narrow());
    let query = visit.here().query().unwrap_or_default().to_owned();
    let entry =
        operator.entry("orders.export", "orders").with(serde_json::json!({ "query": query }));
    let noted = world.store.write((entry, world.now()), |tx, (entry, now)| {
        Box::pin(async move { tx.audit(entry, *now).await })
    });
    noted.await?;

    let taken_at = clock(world.now());
    let first = format!("\u{feff}{}", head(&operator.name, &taken_at, &query));
    let rest = Rest { world, filter: Some(filter), narrow };
    let lines = stream::unfold((Some(first), rest), |(first, mut rest)| async move {
        if let Some(first) = first {
            return Some((Ok::<_, std::io::Error>(Bytes::from(first)), (None, rest)));
        }
        let batch = rest.next().await.transpose()?;
        // Cut off, and so seen to be: a list that ends early would be taken for the whole.
        let batch = batch.map(Bytes::from).map_err(std::io::Error::other);
        Some((batch, (None, rest)))
    });
    let name = format!("orders-{}.csv", taken_at.get(..10).unwrap_or_default());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// The part that is not written yet.
struct Rest {
    world: Arc<World>,
    filter: Option<OrderFilter>,
    narrow: Option<Narrow>,
}

impl Rest {
    /// The next lines; `None`: that was all.
    async fn next(&mut self) -> Result<Option<String>, StoreError> {
        let Some(filter) = self.filter.take() else { return Ok(None) };
        let unit = (filter.clone(), self.narrow.clone());
        let looked = self.world.store.look(unit, |tx, (filter, narrow)| {
            Box::pin(async move { look(tx, filter, narrow.as_ref()).await })
        });
        let Looked { orders, until } = looked.await?;
        let full = i64::try_from(orders.len()).is_ok_and(|count| count == filter.limit);
        let last = orders.last().filter(|_| full);
        let before = last.map(|order| (order.created_at, order.id.to_string())).or(until);
        self.filter = before.map(|before| OrderFilter { before: Some(before), ..filter });
        Ok(Some(orders.iter().map(|order| self.line(order)).collect()))
    }

    fn line(&self, order: &Order) -> String {
        let accounts = self.world.accounts();
        let account = accounts.of_merchant(&order.mchid);
        let time = |at: Option<i64>| at.map(clock).unwrap_or_default();
        row(&[
            order.id.as_str(),
            &order.reference,
            order.transaction_id.as_ref().map_or("", |id| id.as_str()),
            words::order_status(order.status).zh(),
            &order.amount.to_string(),
            &order.amount_refunded.to_string(),
            &order.currency,
            &order.description,
            account.map_or("", |account| account.name.as_str()),
            order.mchid.as_str(),
            order.app.as_str(),
            &clock(order.created_at),
            &time(order.paid_at),
            &time(order.expires_at),
        ])
    }
}

/// Who took it and what it is, and the heads of the columns. `OrderStatus` in Chinese, as all of it.
fn head(name: &str, at: &str, query: &str) -> String {
    let query = if query.is_empty() { "全部订单" } else { query };
    let first = row(&[&format!("导出人 {name}，导出时间 {at}（北京时间），条件 {query}")]);
    let columns = [
        "订单 ID",
        "商户订单号",
        "微信支付单号",
        "状态",
        "金额（元）",
        "已退（元）",
        "币种",
        "商品描述",
        "商户",
        "商户号",
        "小程序",
        "创建时间",
        "支付时间",
        "过期时间",
    ];
    first + &row(&columns)
}

/// A line of cells.
fn row(cells: &[&str]) -> String {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let safe = cells.iter().map(|cell| safe(cell).into_bytes());
    // What is written into memory cannot fail.
    let written = writer.write_record(safe).ok().and_then(|()| writer.into_inner().ok());
    let bytes = written.unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A cell as a spreadsheet leaves it alone.
fn safe(cell: &str) -> String {
    let risky = |first: char| {
        matches!(first, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r')
    };
    let is_long_number = LONG <= cell.len() && cell.bytes().all(|byte| byte.is_ascii_digit());
    if cell.starts_with(risky) {
        format!("'{cell}")
    } else if is_long_number {
        format!("\t{cell}")
    } else {
        cell.to_owned()
    }
}

/// Orders that are read at a time.
const BATCH: i64 = 1000;
/// From so many digits on, a spreadsheet writes 4.2E+27.
const LONG: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_neither_calculated_nor_rounded() {
        for (cell, want) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1", "'＝1"),
            ("4200000000202601011234567890", "\t4200000000202601011234567890"),
            ("9.90", "9.90"),
            ("龙井，一杯", "龙井，一杯"),
        ] {
            assert_eq!(safe(cell), want);
        }
    }

    #[test]
    fn a_quote_or_a_line_stays_in_its_cell() {
        assert_eq!(row(&["a\"b", "c\nd", "e,f"]), "\"a\"\"b\",\"c\nd\",\"e,f\"\r\n");
    }
}
