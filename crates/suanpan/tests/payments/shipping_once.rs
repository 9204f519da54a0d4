//! What is shipped is said once under its `Idempotency-Key`, however late the same request comes again.

use serde_json::{Value, json};

use crate::shipping::{UPLOAD, ships_by_express, zto};
use crate::world::{Answer, World};

impl World {
    async fn ship_once(&self, order: &str, key: &str, goods: &Value) -> Answer {
        self.merchant_once(&format!("/v1/orders/{order}/shipping"), key, goods).await
    }

    /// Changes the database behind the server's back.
    async fn sql(&mut self, sql: &'static str) {
        let store = self.store().await;
        let done = store.write((), move |tx, ()| Box::pin(async move { tx.exec(sql, &[]).await }));
        done.await.unwrap();
    }

    /// From now on an effect is durable and its answer is not, as when the process is killed between them.
    async fn cut(&mut self) {
        // One answer may be stored, and is: both engines refuse the second one.
        let the_one = "INSERT INTO idempotency (api_key_id, key, fingerprint, status, created_at)
            VALUES ('cut', 'cut', 'cut', 0, 9000000000000000)";
        self.sql(the_one).await;
        let no_other = "CREATE UNIQUE INDEX cut ON idempotency ((status IS NOT NULL))
            WHERE status IS NOT NULL";
        self.sql(no_other).await;
    }

    /// No more, and what died is known to be dead.
    async fn mend(&mut self) {
        self.sql("DROP INDEX cut").await;
        self.sql("DELETE FROM idempotency WHERE key = 'cut'").await;
        self.advance(60);
    }
}

fn numbers(shipping: &Value) -> Vec<&str> {
    let parcels = shipping["parcels"].as_array().unwrap().iter();
    parcels.map(|parcel| parcel["tracking_no"].as_str().unwrap()).collect()
}

/// The first request died before its answer, and the merchant's clerk has corrected the number since.
#[tokio::test]
async fn a_late_repeat_does_not_upload_over_a_correction() {
    let mut world = World::open_with(ships_by_express).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.advance(60);
    world.cut().await;
    assert_eq!(world.ship_once(&order, "key-1", &zto("ZTO1")).await.status, 500);
    world.mend().await;
    let corrected = world.ship(&order, zto("ZTO2")).await;
    assert_eq!((corrected.status, numbers(&corrected.json)), (200, vec!["ZTO2"]));

    let again = world.ship_once(&order, "key-1", &zto("ZTO1")).await;
    assert_eq!((again.status, numbers(&again.json)), (200, vec!["ZTO2"]), "{}", again.json);
    assert_eq!(numbers(&world.shipping(&order).await), ["ZTO2"]);
    assert_eq!(world.asked(UPLOAD).await, 2);
    let third = world.ship_once(&order, "key-1", &zto("ZTO1")).await;
    assert_eq!(third.json, again.json);
}

/// What was said before makes nothing new, and is as much said as what does.
#[tokio::test]
async fn a_late_repeat_of_what_was_said_before_does_not_upload_over_a_correction() {
    let mut world = World::open_with(ships_by_express).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.advance(60);
    assert_eq!(world.ship(&order, zto("ZTO1")).await.status, 200);
    world.cut().await;
    assert_eq!(world.ship_once(&order, "key-1", &zto("ZTO1")).await.status, 500);
    world.mend().await;
    assert_eq!(world.ship(&order, zto("ZTO2")).await.status, 200);

    let again = world.ship_once(&order, "key-1", &zto("ZTO1")).await;
    assert_eq!((again.status, numbers(&again.json)), (200, vec!["ZTO2"]), "{}", again.json);
    assert_eq!(world.asked(UPLOAD).await, 2);
}

#[tokio::test]
async fn a_late_repeat_of_a_reminder_is_answered_as_done() {
    let mut world = World::open_with(ships_by_express).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.advance(60);
    assert_eq!(world.ship(&order, zto("ZTO1")).await.status, 200);
    world.advance(3600);
    let path = format!("/v1/orders/{order}/shipping/remind");
    world.cut().await;
    assert_eq!(world.merchant_once(&path, "key-1", &json!({})).await.status, 500);
    world.mend().await;

    let again = world.merchant_once(&path, "key-1", &json!({})).await;
    assert_eq!(
        (again.status, again.json["reminded_at"].is_string()),
        (200, true),
        "{}",
        again.json
    );
    // Another request is another matter.
    world.remind(&order).await.is_problem(409, "SP-SHIPPING-REMINDED");
}
