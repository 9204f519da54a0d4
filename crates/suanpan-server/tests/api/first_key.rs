//! The first API key of a database: one, however many nodes start on it at once.

use std::sync::Arc;

use futures_util::future::join_all;
use suanpan_server::outside::{ManualClock, SystemDice};
use suanpan_server::{Config, Seams, Server};

use crate::backend::{MERCHANTS, NEW_YEAR};
use crate::database;

async fn node(folder: &std::path::Path) -> Server {
    let mut config = Config::parse(MERCHANTS, folder).unwrap();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    config.database.url = database::url(folder);
    let clock = Arc::new(ManualClock::at(NEW_YEAR));
    let seams = Seams { clock, dice: Arc::new(SystemDice), wire: None };
    Server::open(config, seams).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_at_once_on_an_empty_database_make_one_key() {
    for _ in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let starts = (0..4).map(|_| {
            let folder = folder.path().to_owned();
            tokio::spawn(async move { node(&folder).await })
        });
        let nodes: Vec<_> = join_all(starts.collect::<Vec<_>>()).await;
        let nodes: Vec<_> = nodes.into_iter().map(Result::unwrap).collect();
        let keys: Vec<_> = nodes.iter().filter_map(Server::first_api_key).collect();
        assert_eq!(keys.len(), 1, "{} nodes show a key", keys.len());
        let count = nodes[0].world().store().look((), |tx, ()| {
            Box::pin(async move { tx.row("SELECT COUNT(*) AS n FROM api_key", &[]).await })
        });
        assert_eq!(count.await.unwrap().unwrap().int("n").unwrap(), 1);
    }
}
