//! Events of one order have an order, whatever the clocks of the nodes say.

use suanpan_server::store::Event;
use suanpan_server::vals;

use crate::units::{NEW_YEAR, open};

#[tokio::test]
async fn whoever_commits_later_tells_later() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    // The second was received before the first was decided; the third is another order's.
    for (id, order, at) in [("evt_b", "ord_1", 10), ("evt_a", "ord_1", 5), ("evt_c", "ord_2", 5)] {
        let event = Event {
            id: id.to_owned(),
            order_id: Some(order.to_owned()),
            kind: "order.closed".to_owned(),
            body: "{}".to_owned(),
            created_at: NEW_YEAR + at,
        };
        let put =
            store.write(event, |tx, event| Box::pin(async move { tx.event_put(event).await }));
        put.await.unwrap();
    }
    let look = store.look((), |tx, ()| {
        Box::pin(async move {
            let rows = tx.rows("SELECT id, created_at FROM event ORDER BY id", &vals![]).await?;
            let read = |row: &suanpan_server::store::Row| row.int("created_at");
            rows.iter().map(read).collect::<Result<Vec<_>, _>>()
        })
    });
    assert_eq!(look.await.unwrap(), [NEW_YEAR + 11, NEW_YEAR + 10, NEW_YEAR + 5]);
    store.close().await;
}
