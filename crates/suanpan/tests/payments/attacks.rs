//! What anybody can post to our notify URL, and what WeChat might get wrong: nothing moves, nothing is lost.

use serde_json::json;
use suanpan_wechat::ApiV2Key;
use suanpan_wechat::v2::{Fields, SignType};

use crate::world::World;

#[tokio::test]
async fn a_notification_that_is_forged_or_for_another_moves_nothing() {
    let world = World::open().await;
    for nth in [0, 1] {
        for fault in ["forge", "wrong_amount", "other_merchant"] {
            let app = world.app(nth);
            let order = world.order(&format!("{fault}-{nth}"), &app).await;
            // WeChat tells it wrong the first time, and right at the first repeat.
            world.fault("notify", fault, json!({ "times": 1 })).await;
            world.alice_pays(&app, &order).await;
            world
                .until_ledger("refused", |ledger| {
                    let last = ledger["notifications"].as_array().unwrap().last().cloned();
                    last.is_some_and(|last| {
                        let status = last["tries"][0]["status"].as_i64();
                        status.is_some_and(|status| (400..500).contains(&status))
                    })
                })
                .await;
            assert_eq!(world.status(&order).await, "paying", "{fault}");
            let alarmed = world.timeline(&order).await.contains("ALARM");
            assert_eq!(
                alarmed,
                fault == "wrong_amount",
                "{fault}: {}",
                world.timeline(&order).await
            );

            world.advance(15);
            world.until_status(&order, "paid").await;
        }
    }
}

/// A genuine-looking notice of APIv2 for this order, signed with this key.
fn notice(world: &World, out_trade_no: &str, change: impl Fn(&mut Fields), key: &str) -> String {
    let mut fields = Fields::new();
    let (appid, mch_id) = (world.app(1), world.mchid(1));
    for (name, value) in [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", appid.as_str()),
        ("mch_id", mch_id.as_str()),
        ("nonce_str", "n1"),
        ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
        ("trade_type", "JSAPI"),
        ("bank_type", "OTHERS"),
        ("total_fee", "990"),
        ("cash_fee", "990"),
        ("transaction_id", "4200000000202601010000000001"),
        ("out_trade_no", out_trade_no),
        ("time_end", "20260101080000"),
    ] {
        fields.set(name, value);
    }
    change(&mut fields);
    fields.signed(SignType::Md5, &ApiV2Key::parse(key).unwrap()).to_xml()
}

#[tokio::test]
async fn only_the_notice_that_fits_in_everything_counts() {
    let world = World::open().await;
    let app = world.app(1);
    let order = world.order("tea-1", &app).await;
    assert_eq!(world.pay("alice", &app, &order).await.status, 200);
    let ledger = world.control("ledger", None).await;
    let number = ledger["orders"][0]["out_trade_no"].as_str().unwrap().to_owned();
    let key = world.credentials["merchants"][1]["api_v2_key"].as_str().unwrap().to_owned();
    let other_key = world.credentials["merchants"][0]["api_v2_key"].as_str().unwrap();
    let (mchid, other) = (world.mchid(1), world.mchid(0));

    let post = async |mchid: &str, body: String| {
        let url = format!("{}/wechat/notify/{mchid}", world.url);
        let response = reqwest::Client::new().post(url).body(body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let as_is = |_: &mut Fields| {};
    let cases = [
        ("another key", mchid.as_str(), notice(&world, &number, as_is, other_key), "SP-SIGNATURE"),
        ("another's path", other.as_str(), notice(&world, &number, as_is, &key), "SP-SIGNATURE"),
        (
            "a fen less",
            &mchid,
            notice(&world, &number, |f| f.set("total_fee", "989"), &key),
            "SP-NOTIFY-MISMATCH",
        ),
        (
            "dollars",
            &mchid,
            notice(&world, &number, |f| f.set("fee_type", "USD"), &key),
            "SP-NOTIFY-MISMATCH",
        ),
        (
            "another app",
            &mchid,
            notice(&world, &number, |f| f.set("appid", "wx0000000000000000"), &key),
            "SP-NOTIFY-MISMATCH",
        ),
        (
            "another merchant",
            &mchid,
            notice(&world, &number, |f| f.set("mch_id", "1"), &key),
            "SP-NOTIFY-UNMATCHED",
        ),
        ("an unknown number", &mchid, notice(&world, "999999", as_is, &key), "SP-NOTIFY-UNMATCHED"),
        (
            "a failure",
            &mchid,
            notice(&world, &number, |f| f.set("result_code", "FAIL"), &key),
            "SP-FIELD",
        ),
        (
            "a sub-merchant's",
            &mchid,
            notice(&world, &number, |f| f.set("sub_mch_id", &other), &key),
            "SP-NOTIFY-MISMATCH",
        ),
        ("lower case", &mchid, lower_sign(&notice(&world, &number, as_is, &key)), "SP-SIGNATURE"),
        (
            "no signature",
            &mchid,
            without_sign(&notice(&world, &number, as_is, &key)),
            "SP-SIGNATURE",
        ),
    ];
    for (name, mchid, body, code) in cases {
        let (status, text) = post(mchid, body).await;
        assert!((400..500).contains(&status), "{name}: {status} {text}");
        assert!(text.contains(code), "{name}: {text}");
        assert_eq!(world.status(&order).await, "paying", "{name}");
    }
    assert!(world.events().await.is_empty());

    // All of them were for nothing, and the right one still counts: a hundred times at once, and moves once.
    // Some of WeChat's messages name a direct merchant twice.
    let right = notice(&world, &number, |f| f.set("sub_mch_id", &mchid), &key);
    let posts = (0..100).map(|_| post(&mchid, right.clone()));
    for (status, text) in futures_util::future::join_all(posts).await {
        assert_eq!((status, text.as_str()), (200, suanpan_wechat::v2::acknowledge()));
    }
    assert_eq!(world.status(&order).await, "paid");
    assert_eq!(world.events().await, ["order.paid"]);
}

fn lower_sign(xml: &str) -> String {
    let mut fields = Fields::parse(xml.as_bytes()).unwrap();
    let sign = fields.get("sign").unwrap().to_lowercase();
    fields.set("sign", &sign);
    fields.to_xml()
}

fn without_sign(xml: &str) -> String {
    let mut fields = Fields::parse(xml.as_bytes()).unwrap();
    fields.remove("sign");
    fields.to_xml()
}

#[tokio::test]
async fn who_posts_long_headers_fills_no_disk() {
    let world = World::open().await;
    let url = format!("{}/wechat/notify/{}", world.url, world.mchid(0));
    let post = reqwest::Client::new().post(url).body("{}");
    let post =
        post.header("wechatpay-x", "x".repeat(20_000)).header("user-agent", "x".repeat(20_000));
    let status = post.send().await.unwrap().status().as_u16();
    assert!((400..500).contains(&status), "{status}");
    let store = world.look_into().await;
    let longest = store.look((), |tx, ()| {
        Box::pin(async move {
            let row = tx.row("SELECT MAX(LENGTH(headers)) AS longest FROM inbox", &[]).await?;
            row.unwrap().int("longest")
        })
    });
    assert!(longest.await.unwrap() < 1_000);
    store.close().await;
}
