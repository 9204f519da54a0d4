//! The token of the platform: one for all nodes, renewed ahead of its end, replaced once where WeChat refuses it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use suanpan_server::client::Outcome;
use suanpan_server::client::wechat::AppId;
use suanpan_server::client::wechat::platform::GetDeliveryList;
use suanpan_server::store::TokenRow;
use suanpan_server::{Error, World as Node, token};

use crate::database;
use crate::world::{NEW_YEAR, World};

const TOKEN: &str = "/cgi-bin/stable_token";
const LIST: &str = "/cgi-bin/express/delivery/open_msg/get_delivery_list";
const SECOND: i64 = 1_000_000;

impl World {
    fn first_app(&self) -> AppId {
        AppId::parse(&self.app(0)).unwrap()
    }

    /// A node of its own, with its own store on the same file.
    async fn another(&mut self) -> Arc<Node> {
        Arc::clone(self.idle_node().await.world())
    }

    /// Asks anything that needs a token; answers WeChat's code where it says no.
    async fn ask(&self, node: &Node) -> Result<Option<String>, Error> {
        ask(node, &self.first_app()).await
    }

    /// What the database holds.
    async fn row(&self, node: &Node) -> TokenRow {
        let row = node
            .store()
            .look(self.first_app(), |tx, app| Box::pin(async move { tx.token(app).await }));
        row.await.unwrap().unwrap()
    }

    /// Another system that shares the app kills the token that is out.
    async fn another_system_forces(&self) {
        self.token_of(0, true).await;
    }

    /// The token of the n-th app, as any system that knows the secret may ask for it.
    async fn token_of(&self, nth: usize, force: bool) -> String {
        let app = &self.credentials["apps"][nth];
        let body = json!({
            "grant_type": "client_credential", "appid": app["appid"], "secret": app["secret"],
            "force_refresh": force,
        });
        let said = self.call("POST", format!("{}{TOKEN}", self.simulator), Some(body)).await;
        said.json["access_token"].as_str().unwrap().to_owned()
    }

    /// How often a token was forced by us.
    async fn forced(&self) -> usize {
        let requests = self.control("requests", None).await;
        let requests = requests["requests"].as_array().unwrap().iter();
        requests.filter(|request| request.to_string().contains(r#"\"force_refresh\":true"#)).count()
    }

    async fn refuse_tokens(&self, times: u32) {
        self.fault(&format!("POST {LIST}"), "stale_token", json!({ "times": times })).await;
    }
}

async fn ask(node: &Node, app: &AppId) -> Result<Option<String>, Error> {
    Ok(match token::ask(node, app, &GetDeliveryList {}).await? {
        Outcome::Done(_) => None,
        said @ (Outcome::Rejected(_) | Outcome::Unknown(_)) => {
            Some(said.wechat_code().unwrap().to_owned())
        }
    })
}

#[tokio::test]
async fn of_many_tasks_on_two_nodes_one_asks_for_the_token() {
    let mut world = World::open().await;
    let nodes = [world.another().await, world.another().await];
    let mut tasks = tokio::task::JoinSet::new();
    for turn in 0..32 {
        let (node, app) = (Arc::clone(&nodes[turn % 2]), world.first_app());
        tasks.spawn(async move { ask(&node, &app).await.unwrap() });
    }
    // Who has to wait for the other node's token looks again as the clock goes on: in steps that end no lease early.
    let clock = world.clock.clone();
    let all = async move {
        while let Some(said) = tasks.join_next().await {
            assert_eq!(said.unwrap(), None);
        }
    };
    let ticking = async move {
        loop {
            clock.advance(Duration::from_micros(50));
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = all => {}
        () = ticking => {}
    }
    assert_eq!((world.asked(TOKEN).await, world.asked(LIST).await), (1, 32));
    assert_eq!(world.row(&nodes[0]).await.epoch, 1);
}

#[tokio::test]
async fn a_node_that_was_paused_changes_nothing() {
    let mut world = World::open_with(|config, _| config.wechat.timeout_seconds = 20).await;
    let (paused, other) = (world.another().await, world.another().await);
    world.fault(&format!("POST {TOKEN}"), "slow", json!({ "times": 1, "seconds": 7_000 })).await;
    let late = {
        let (node, app) = (Arc::clone(&paused), world.first_app());
        tokio::spawn(async move { ask(&node, &app).await })
    };
    // It holds the lease, and WeChat has its question.
    while world.asked(TOKEN).await == 0 {}
    let lease = world.row(&other).await;
    assert_eq!((lease.epoch, lease.lease_until), (0, NEW_YEAR + 28 * SECOND));

    // Its lease is over, and so is the life of the token that is on its way to it.
    world.advance(6_950);
    assert_eq!(world.ask(&other).await.unwrap(), None);
    let taken_over = world.row(&other).await;
    assert_eq!((taken_over.epoch, taken_over.lease_until), (1, 0));
    assert_eq!(taken_over.expires_at, NEW_YEAR + (6_950 + 7_200) * SECOND);

    world.advance(50);
    assert_eq!(late.await.unwrap().unwrap(), None, "it asks with the token of the row");
    assert_eq!(world.row(&other).await, taken_over, "and has stored nothing");
    assert_eq!(world.asked(TOKEN).await, 2);
}

#[tokio::test]
async fn a_token_is_renewed_in_its_last_five_minutes_and_the_old_one_serves_meanwhile() {
    let mut world = World::open().await;
    let node = world.another().await;
    let asked_at = [(0, 1), (6_909, 1), (1, 2), (1, 2)];
    for (seconds, tokens) in asked_at {
        world.advance(seconds);
        assert_eq!(world.ask(&node).await.unwrap(), None);
        assert_eq!(world.asked(TOKEN).await, tokens, "after {seconds} s more");
    }

    world.fault(&format!("POST {TOKEN}"), "system_error", json!({})).await;
    world.advance(7_000);
    assert_eq!(world.ask(&node).await.unwrap(), None, "the old one is good for three minutes");
    world.advance(200);
    let error = world.ask(&node).await.unwrap_err();
    assert_eq!(error.code(), "SP-WECHAT-UNKNOWN", "{error}");
    assert_eq!(world.row(&node).await.lease_until, 0, "nobody has to wait for a lease");
    world.no_more_faults().await;
    world.advance(10);
    assert_eq!(world.ask(&node).await.unwrap(), None);

    // Not one call came with a token that was over.
    let requests = world.control("requests", None).await.to_string();
    assert!(!requests.contains("42001") && !requests.contains("40001"));
}

#[tokio::test]
async fn while_wechat_gives_no_token_it_is_asked_once_in_ten_seconds() {
    let mut world = World::open().await;
    let node = world.another().await;
    world.fault(&format!("POST {TOKEN}"), "system_error", json!({})).await;
    let many = async || {
        let tasks = (0..16).map(|_| world.ask(&node));
        for said in futures_util::future::join_all(tasks).await {
            assert_eq!(said.unwrap_err().code(), "SP-WECHAT-UNKNOWN");
        }
    };
    for (seconds, asked) in [(0, 1), (9, 1), (1, 2), (10, 3)] {
        world.advance(seconds);
        many().await;
        assert_eq!(world.asked(TOKEN).await, asked, "after {seconds} s more");
    }
    world.no_more_faults().await;
    world.advance(10);
    assert_eq!(world.ask(&node).await.unwrap(), None);

    // Where the old one is still good it serves, and WeChat is asked no more often for that.
    world.fault(&format!("POST {TOKEN}"), "system_error", json!({})).await;
    for (seconds, asked) in [(7_000, 5), (9, 5), (1, 6)] {
        world.advance(seconds);
        assert_eq!(world.ask(&node).await.unwrap(), None);
        assert_eq!(world.ask(&node).await.unwrap(), None);
        assert_eq!(world.asked(TOKEN).await, asked, "after {seconds} s more");
    }
}

#[tokio::test]
async fn who_has_a_good_token_does_not_wait_for_the_next_one() {
    let mut world = World::open().await;
    let node = world.another().await;
    assert_eq!(world.ask(&node).await.unwrap(), None);
    world.advance(6_950);
    world.fault(&format!("POST {TOKEN}"), "slow", json!({ "times": 1, "seconds": 60 })).await;
    let fetches = {
        let (node, app) = (Arc::clone(&node), world.first_app());
        tokio::spawn(async move { ask(&node, &app).await })
    };
    while world.asked(TOKEN).await < 2 {}
    assert_eq!(world.ask(&node).await.unwrap(), None);
    assert!(!fetches.is_finished(), "it waits for WeChat, alone");
    world.advance(60);
    assert_eq!(fetches.await.unwrap().unwrap(), None);
    assert_eq!((world.asked(TOKEN).await, world.row(&node).await.epoch), (2, 2));
}

#[tokio::test]
async fn a_token_that_another_system_killed_is_fetched_and_the_question_asked_again() {
    let mut world = World::open().await;
    let (node, other) = (world.another().await, world.another().await);
    assert_eq!(world.ask(&node).await.unwrap(), None);
    assert_eq!(world.ask(&other).await.unwrap(), None);
    world.another_system_forces().await;
    let before = (world.asked(TOKEN).await, world.asked(LIST).await);

    assert_eq!(world.ask(&node).await.unwrap(), None);
    assert_eq!(world.ask(&other).await.unwrap(), None);
    // One fetched, the other found the row's epoch passed; each asked its question once more.
    assert_eq!((world.asked(TOKEN).await, world.asked(LIST).await), (before.0 + 1, before.1 + 4));
    assert_eq!(world.forced().await, 1, "that was the other system's");
}

#[tokio::test]
async fn what_is_refused_once_more_is_not_asked_a_third_time() {
    let mut world = World::open().await;
    let node = world.another().await;
    assert_eq!(world.ask(&node).await.unwrap(), None);

    // WeChat answers the very token that it refuses: that one is forced, once.
    world.refuse_tokens(1).await;
    assert_eq!(world.ask(&node).await.unwrap(), None);
    assert_eq!((world.forced().await, world.asked(LIST).await), (1, 3));

    // Within half a minute it would change nothing: the refusal stands, without another try.
    world.refuse_tokens(1).await;
    assert_eq!(world.ask(&node).await.unwrap().as_deref(), Some("40001"));
    assert_eq!((world.forced().await, world.asked(LIST).await), (1, 4));

    world.advance(30);
    world.refuse_tokens(9).await;
    assert_eq!(world.ask(&node).await.unwrap().as_deref(), Some("40001"));
    assert_eq!((world.forced().await, world.asked(LIST).await), (2, 6), "one retry, not two");
    assert_eq!(world.row(&node).await.lease_until, 0);
}

#[tokio::test]
async fn nobody_forces_more_than_twenty_times_a_day() {
    let mut world = World::open().await;
    let node = world.another().await;
    world.refuse_tokens(1_000).await;
    for _ in 0..25 {
        assert_eq!(world.ask(&node).await.unwrap().as_deref(), Some("40001"));
        world.advance(30);
    }
    assert_eq!(world.forced().await, 20);
    for (hours, forced) in [(23, 20), (1, 21)] {
        world.advance(hours * 3600);
        assert_eq!(world.ask(&node).await.unwrap().as_deref(), Some("40001"));
        assert_eq!(world.forced().await, forced, "after {hours} h more");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_named_and_the_token_is_readable_nowhere() {
    let mut world = World::open_with(|config, _| {
        let Some(second) = config.merchants.get(1).map(|merchant| merchant.apps[0].clone()) else {
            return;
        };
        // The secret of another app.
        config.merchants[0].apps[0].secret.clone_from(&second.secret);
        config.merchants[0].apps[0].secret_file.clone_from(&second.secret_file);
    })
    .await;
    let node = world.another().await;
    let error = world.ask(&node).await.unwrap_err();
    assert_eq!(
        (error.code(), error.wechat().unwrap().code.as_str()),
        ("SP-TOKEN-REFUSED", "40125")
    );

    let second = AppId::parse(&world.app(1)).unwrap();
    assert_eq!(ask(&node, &second).await.unwrap(), None);
    let token = world.token_of(1, false).await;
    let sealed = node.store().look((), |tx, ()| {
        Box::pin(async move {
            tx.rows("SELECT sealed FROM access_token WHERE sealed IS NOT NULL", &[]).await
        })
    });
    let sealed = sealed.await.unwrap();
    assert!(!sealed.is_empty());
    for row in &sealed {
        let bytes = row.blob("sealed").unwrap();
        assert!(!bytes.windows(token.len()).any(|text| text == token.as_bytes()));
    }
    if !database::url(world.folder.path()).starts_with("sqlite:") {
        // Files of a server are not ours to read.
        return;
    }
    let mut files = 0;
    for file in std::fs::read_dir(world.folder.path().join("wechat")).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("suanpan.db")) {
            let bytes = std::fs::read(&path).unwrap();
            files += 1;
            assert!(!bytes.windows(token.len()).any(|text| text == token.as_bytes()), "{path:?}");
        }
    }
    assert_eq!(files, 3, "the database, its log and the index of it");
}
