//! Shipments: read, put in, moved, and listed by their deadlines.

use serde::de::DeserializeOwned;
use suanpan_ledger::ShippingState;

use super::{Row, StoreError, Tx};
use crate::ids::OrderId;
use crate::shipment::Shipment;
use crate::vals;

/// Which shipments a list shows, the earliest deadline first.
#[derive(Clone, Debug, Default)]
pub struct ShipmentFilter {
    /// Only these; `None`: those that WeChat still waits for.
    pub state: Option<ShippingState>,
    /// Only those with a deadline before this time, unix microseconds.
    pub due_before: Option<i64>,
    /// Only those behind this one: its deadline and order.
    pub after: Option<(i64, String)>,
    /// At most so many.
    pub limit: i64,
}

impl Tx {
    /// Puts a new shipment in; `false`: the order has one already.
    pub async fn shipment_put(&mut self, shipment: &Shipment) -> Result<bool, StoreError> {
        let args = vals![
            shipment.order_id.as_str(),
            &shipment.attempt_id,
            shipment.policy.as_str(),
            shipment.automatic,
            shipment.state.as_str(),
            goods(shipment),
            parcels(shipment),
            shipment.paid_at,
            shipment.deadline,
            shipment.created_at,
        ];
        Ok(self.exec(PUT, &args).await? == 1)
    }

    /// The shipment of an order.
    pub async fn shipment(&mut self, order: &OrderId) -> Result<Option<Shipment>, StoreError> {
        let row = self.row(SHIPMENT, &vals![order.as_str()]).await?;
        row.as_ref().map(Shipment::read).transpose()
    }

    /// Shipments, the earliest deadline first.
    pub async fn shipments(
        &mut self,
        filter: &ShipmentFilter,
    ) -> Result<Vec<Shipment>, StoreError> {
        let (at, id) = filter.after.clone().unwrap_or((i64::MIN, String::new()));
        let before = filter.due_before.unwrap_or(i64::MAX);
        let rows = match filter.state {
            Some(state) => {
                let args = vals![before, at, id, filter.limit, state.as_str()];
                self.rows(IN_STATE, &args).await?
            }
            None => self.rows(OPEN, &vals![before, at, id, filter.limit]).await?,
        };
        rows.iter().map(Shipment::read).collect()
    }

    /// Stores how a shipment stands now, if it is still as we saw it.
    pub async fn shipment_update(&mut self, shipment: &Shipment) -> Result<(), StoreError> {
        let args = vals![
            shipment.order_id.as_str(),
            shipment.version,
            shipment.state.as_str(),
            goods(shipment),
            parcels(shipment),
            shipment.serial,
            shipment.tries,
            shipment.upload_time,
            shipment.order_state,
            shipment.problem.as_deref(),
            shipment.shipped_at,
            shipment.reminded_at,
            shipment.asked_at,
        ];
        match self.exec(UPDATE, &args).await? {
            1 => Ok(()),
            _ => Err(StoreError::Stale { what: "shipment" }),
        }
    }
}

impl Shipment {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let goods = row.opt_text("goods")?;
        Ok(Self {
            order_id: row.parse("order_id")?,
            attempt_id: row.text("attempt_id")?,
            policy: row.parse("policy")?,
            automatic: row.int("automatic")? != 0,
            state: row.parse("state")?,
            goods: goods.map(|text| json("goods", &text)).transpose()?,
            parcels: json("parcels", &row.text("parcels")?)?,
            serial: row.int("serial")?,
            tries: row.int("tries")?,
            upload_time: row.int("upload_time")?,
            order_state: row.opt_int("order_state")?,
            problem: row.opt_text("problem")?,
            paid_at: row.int("paid_at")?,
            deadline: row.int("deadline")?,
            shipped_at: row.opt_int("shipped_at")?,
            reminded_at: row.opt_int("reminded_at")?,
            asked_at: row.opt_int("asked_at")?,
            created_at: row.int("created_at")?,
            version: row.int("version")?,
        })
    }
}

fn json<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, StoreError> {
    let read = serde_json::from_str(text);
    read.map_err(|why| StoreError::Unreadable { column: column.to_owned(), why: why.to_string() })
}

/// Nothing in it can fail to be written as JSON.
fn goods(shipment: &Shipment) -> Option<String> {
    shipment.goods.as_ref().and_then(|goods| serde_json::to_string(goods).ok())
}

fn parcels(shipment: &Shipment) -> String {
    serde_json::to_string(&shipment.parcels).unwrap_or_else(|_| "[]".to_owned())
}

const PUT: &str =
    "INSERT INTO shipment (order_id, attempt_id, policy, automatic, state, goods, parcels, paid_at,
        deadline, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (order_id) DO NOTHING";
const SHIPMENT: &str = "SELECT * FROM shipment WHERE order_id = $1";
// One text for each index: those that are settled are many, and stay for ever.
const OPEN: &str = "SELECT * FROM shipment
    WHERE state IN ('waiting', 'uploading', 'uploaded', 'refused')
      AND deadline < $1 AND (deadline, order_id) > ($2, $3)
    ORDER BY deadline, order_id LIMIT $4";
const IN_STATE: &str = "SELECT * FROM shipment
    WHERE state = $5 AND deadline < $1 AND (deadline, order_id) > ($2, $3)
    ORDER BY deadline, order_id LIMIT $4";
const UPDATE: &str = "UPDATE shipment SET state = $3, goods = $4, parcels = $5, serial = $6,
        tries = $7, upload_time = $8, order_state = $9, problem = $10, shipped_at = $11,
        reminded_at = $12, asked_at = $13, version = version + 1
    WHERE order_id = $1 AND version = $2";
