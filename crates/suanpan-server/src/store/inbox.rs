//! The inbox: every notification as it arrived, with its verdict.

use suanpan_wechat::MchId;

use super::{Row, StoreError, Tx};
use crate::ids::OrderId;
use crate::vals;

/// A notification as it arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its id, `ntf_…`.
    pub id: String,
    /// The merchant number in the path that it came by.
    pub mchid: MchId,
    /// When, in unix microseconds.
    pub received_at: i64,
    /// The headers that matter, JSON.
    pub headers: String,
    /// The body, as it came.
    pub body: Vec<u8>,
}

/// What we made of a notification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It moved an order.
    Moved,
    /// It told what was known already.
    Known,
    /// It proves nothing, and made us ask WeChat.
    Asked,
    /// It is genuine, and does not fit any attempt or fits it badly; a person must look.
    Unmatched,
    /// It is not genuine, or cannot be read.
    Refused,
}

impl Verdict {
    /// The word for it, in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Known => "known",
            Self::Asked => "asked",
            Self::Unmatched => "unmatched",
            Self::Refused => "refused",
        }
    }
}

/// What is said of a notification beside its verdict.
#[derive(Clone, Debug, Default)]
pub struct Remark<'a> {
    /// Names what it tells; repeats have the same.
    pub dedupe_key: Option<&'a str>,
    /// The code of what is wrong with it.
    pub problem: Option<&'a str>,
    /// The order that it is about.
    pub order_id: Option<&'a OrderId>,
}

/// A notification in a list.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its id, `ntf_…`.
    pub id: String,
    /// When, in unix microseconds.
    pub received_at: i64,
    /// The word for its verdict.
    pub verdict: String,
    /// The code of what is wrong with it.
    pub problem: Option<String>,
}

impl Tx {
    /// Keeps a notification with its verdict.
    pub async fn inbox_put(
        &mut self,
        arrival: &Arrival,
        verdict: Verdict,
        remark: &Remark<'_>,
    ) -> Result<(), StoreError> {
        let args = vals![
            &arrival.id,
            arrival.mchid.as_str(),
            arrival.received_at,
            remark.dedupe_key,
            &arrival.headers,
            arrival.body.as_slice(),
            verdict.as_str(),
            remark.problem,
            remark.order_id.map(OrderId::as_str),
        ];
        self.exec(PUT, &args).await.map(drop)
    }

    /// The notifications about an order, oldest first.
    pub async fn inbox_of(&mut self, order: &OrderId) -> Result<Vec<Received>, StoreError> {
        self.rows(OF_ORDER, &vals![order.as_str()]).await?.iter().map(Received::read).collect()
    }
}

impl Tx {
    /// The notifications to an account with this verdict, newest first, at most `limit`.
    pub async fn inbox_with(
        &mut self,
        mchid: &MchId,
        verdict: Verdict,
        limit: i64,
    ) -> Result<Vec<Received>, StoreError> {
        let args = vals![mchid.as_str(), verdict.as_str(), limit];
        self.rows(WITH_VERDICT, &args).await?.iter().map(Received::read).collect()
    }

    /// A notification as it came, what was made of it, and the order that it is about.
    pub async fn inbox_one(
        &mut self,
        id: &str,
    ) -> Result<Option<(Arrival, Received, Option<OrderId>)>, StoreError> {
        let Some(row) = self.row(ONE, &vals![id]).await? else { return Ok(None) };
        let arrival = Arrival {
            id: row.text("id")?,
            mchid: row.parse("mchid")?,
            received_at: row.int("received_at")?,
            headers: row.text("headers")?,
            body: row.blob("body")?,
        };
        Ok(Some((arrival, Received::read(&row)?, row.opt_parse("order_id")?)))
    }
}

impl Received {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            received_at: row.int("received_at")?,
            verdict: row.text("verdict")?,
            problem: row.opt_text("problem")?,
        })
    }
}

const PUT: &str = "INSERT INTO inbox (id, mchid, received_at, dedupe_key, headers, body, verdict, problem, order_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const OF_ORDER: &str = "SELECT id, received_at, verdict, problem FROM inbox WHERE order_id = $1 ORDER BY received_at, id";
const WITH_VERDICT: &str = "SELECT id, received_at, verdict, problem FROM inbox
    WHERE mchid = $1 AND verdict = $2 ORDER BY received_at DESC LIMIT $3";
const ONE: &str = "SELECT * FROM inbox WHERE id = $1";
