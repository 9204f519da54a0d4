//! Due work: claimed under a lease by one, in order per lane, and never twice.

use suanpan_server::store::{Claim, NewDue, Store};

use crate::units::{NEW_YEAR, open};

const SECOND: i64 = 1_000_000;
const LEASE: i64 = 60 * SECOND;

async fn put(store: &Store, key: &str, lane: Option<&str>, due_at: i64) -> bool {
    let input = (key.to_owned(), lane.map(str::to_owned), due_at);
    let put = store.write(input, |tx, (key, lane, due_at)| {
        Box::pin(async move {
            tx.due_put(&NewDue {
                id: &format!("due_{key}"),
                kind: "test",
                key,
                pool: "test",
                lane: lane.as_deref(),
                body: "{}",
                order_id: None,
                due_at: *due_at,
                created_at: *due_at,
            })
            .await
        })
    });
    put.await.unwrap()
}

async fn claim(store: &Store, holder: &str, now: i64, limit: i64) -> Vec<Claim> {
    let claims = store.write((holder.to_owned(), now, limit), |tx, (holder, now, limit)| {
        Box::pin(async move {
            tx.due_claim(holder, "test", *now, now.saturating_add(LEASE), *limit).await
        })
    });
    claims.await.unwrap()
}

async fn done(store: &Store, claim: &Claim) -> bool {
    let done =
        store.write(claim.clone(), |tx, claim| Box::pin(async move { tx.due_done(claim).await }));
    done.await.unwrap()
}

async fn retry(store: &Store, claim: &Claim, at: i64) -> bool {
    let retry = store.write((claim.clone(), at), |tx, (claim, at)| {
        Box::pin(async move { tx.due_retry(claim, *at, "not yet").await })
    });
    retry.await.unwrap()
}

async fn give_back(store: &Store, holder: &str) -> u64 {
    let given = store.write(holder.to_owned(), |tx, holder| {
        Box::pin(async move { tx.due_give_back(holder).await })
    });
    given.await.unwrap()
}

fn keys(claims: &[Claim]) -> Vec<&str> {
    claims.iter().map(|claim| claim.key.as_str()).collect()
}

#[tokio::test]
async fn work_is_claimed_when_it_is_due_by_one_and_up_to_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for number in 0..5 {
        assert!(put(&store, &format!("k{number}"), None, NEW_YEAR + number * SECOND).await);
    }
    assert!(!put(&store, "k0", None, NEW_YEAR).await, "the same key is the same work");

    assert_eq!(keys(&claim(&store, "a", NEW_YEAR + 2 * SECOND, 2).await), ["k0", "k1"]);
    assert_eq!(keys(&claim(&store, "b", NEW_YEAR + 2 * SECOND, 9).await), ["k2"]);
    assert!(claim(&store, "c", NEW_YEAR + 2 * SECOND, 9).await.is_empty());
}

#[tokio::test]
async fn who_holds_a_lease_past_its_end_has_nothing_to_say_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    put(&store, "k", None, NEW_YEAR).await;
    let stale = claim(&store, "a", NEW_YEAR, 1).await.remove(0);
    assert!(claim(&store, "b", NEW_YEAR + LEASE - 1, 1).await.is_empty());
    let fresh = claim(&store, "b", NEW_YEAR + LEASE, 1).await.remove(0);
    assert_eq!((stale.attempt, fresh.attempt), (1, 2));

    assert!(!done(&store, &stale).await);
    assert!(!retry(&store, &stale, NEW_YEAR).await);
    assert!(done(&store, &fresh).await);
    assert!(!done(&store, &fresh).await, "done is done");
    assert!(claim(&store, "c", i64::MAX - LEASE, 1).await.is_empty());
}

#[tokio::test]
async fn a_lane_goes_one_after_the_other_and_waits_for_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for (key, lane) in [("a1", "a"), ("a2", "a"), ("b1", "b")] {
        put(&store, key, Some(lane), NEW_YEAR).await;
    }
    let first = claim(&store, "w", NEW_YEAR, 9).await;
    assert_eq!(keys(&first), ["a1", "b1"]);
    assert!(done(&store, &first[1]).await);
    assert!(retry(&store, &first[0], NEW_YEAR + 5 * SECOND).await);
    assert!(claim(&store, "w", NEW_YEAR + SECOND, 9).await.is_empty(), "a2 waits for a1");

    let again = claim(&store, "w", NEW_YEAR + 5 * SECOND, 9).await;
    assert_eq!(keys(&again), ["a1"]);
    assert!(done(&store, &again[0]).await);
    assert_eq!(keys(&claim(&store, "w", NEW_YEAR + 5 * SECOND, 9).await), ["a2"]);
}

#[tokio::test]
async fn many_workers_share_the_work_and_do_none_of_it_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (open(&folder).await, open(&folder).await);
    for number in 0..200 {
        put(&one, &format!("k{number:03}"), None, NEW_YEAR).await;
    }
    let work = |store: Store, holder: &'static str| async move {
        let mut mine = Vec::new();
        loop {
            let claims = claim(&store, holder, NEW_YEAR, 7).await;
            if claims.is_empty() {
                return mine;
            }
            mine.extend(claims.iter().map(|claim| claim.key.clone()));
        }
    };
    let (mut all, other) = tokio::join!(work(one, "a"), work(two, "b"));
    all.extend(other);
    all.sort();
    let wanted: Vec<_> = (0..200).map(|number| format!("k{number:03}")).collect();
    assert_eq!(all, wanted);
}

#[tokio::test]
async fn what_was_claimed_and_never_begun_is_free_at_once_and_counts_no_try() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for key in ["a", "b"] {
        put(&store, key, None, NEW_YEAR).await;
    }
    let begun = claim(&store, "one_1", NEW_YEAR, 1).await;
    let unheard = claim(&store, "one_2", NEW_YEAR, 1).await;
    assert_eq!((keys(&begun), keys(&unheard)), (vec!["a"], vec!["b"]));
    assert_eq!(give_back(&store, "one_2").await, 1);

    let again = claim(&store, "two_1", NEW_YEAR, 9).await;
    assert_eq!((keys(&again), again[0].attempt), (vec!["b"], 1));
    assert!(!done(&store, &unheard[0]).await, "it is not that holder's any more");
    assert!(done(&store, &begun[0]).await && done(&store, &again[0]).await);
}
