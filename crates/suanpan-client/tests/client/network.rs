//! What the network does, and what the client makes of it.

use std::time::Duration;

use crate::common::*;
use suanpan_client::{Doubt, Error, Outcome};

const PREPAID: &str = r#"{"prepay_id":"wx201410272009395522657a690389285100"}"#;

#[track_caller]
fn doubt<T>(outcome: Outcome<T>) -> Doubt {
    let Outcome::Unknown(doubt) = outcome else { panic!("not unknown: {:?}", outcome.error()) };
    doubt
}

#[tokio::test]
async fn a_host_that_refuses_is_passed_over_and_the_spare_gets_a_new_signature() {
    let cast = Cast::new();
    let (first, spare) = (Town::deserted().await, Town::says([signed(200, PREPAID)]).await);
    let outcome = client(&[&first, &spare]).call(&cast.place_v3()).await;

    assert!(outcome.error().is_none(), "{outcome:?}");
    assert_eq!((outcome.trace().tries, outcome.trace().host.as_str()), (2, spare.url.as_str()));
    assert!(spare.heard()[0].contains("nonce_str=\"n2\""));
}

#[tokio::test]
async fn where_no_host_can_be_reached_nothing_was_sent() {
    let cast = Cast::new();
    let (first, spare) = (Town::deserted().await, Town::deserted().await);
    let doubt = doubt(client(&[&first, &spare]).call(&cast.place_v3()).await);
    assert!(!doubt.maybe_sent && doubt.error.is_retryable());
    assert_eq!((doubt.code(), doubt.trace.tries), ("SP-UNREACHABLE", 2));
}

#[tokio::test]
async fn a_silent_host_may_have_read_it_so_the_spare_is_not_asked() {
    let cast = Cast::new();
    let (first, spare) = (Town::says([Say::Nothing]).await, Town::says([Say::Nothing]).await);
    let client = builder(&[&first, &spare]).timeout(Duration::from_millis(300)).build().unwrap();
    let doubt = doubt(client.call(&cast.place_v3()).await);

    assert!(doubt.maybe_sent);
    assert_eq!((doubt.code(), doubt.trace.tries), ("SP-TIMEOUT", 1));
    assert_eq!((first.heard().len(), spare.heard().len()), (1, 0));
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_doubt_and_the_spare_is_not_asked() {
    let cast = Cast::new();
    let Say::Bytes(whole) = signed(200, PREPAID) else { unreachable!() };
    for length in [0, 9, whole.len() / 2, whole.len() - 1] {
        let first = Town::says([Say::Bytes(whole[..length].to_vec())]).await;
        let spare = Town::says([Say::Nothing]).await;
        let doubt = doubt(client(&[&first, &spare]).call(&cast.place_v3()).await);

        assert!(doubt.maybe_sent, "{length}");
        assert_eq!((doubt.code(), doubt.trace.tries), ("SP-CUT", 1), "{length}");
        assert_eq!((first.heard().len(), spare.heard().len()), (1, 0), "{length}");
    }
}

#[tokio::test]
async fn a_host_that_vanishes_after_a_probe_has_been_asked_already() {
    let cast = Cast::new();
    let Say::Bytes(bytes) = probe(PREPAID) else { unreachable!() };
    let town = Town::says([Say::Last(bytes)]).await;
    let doubt = doubt(client(&[&town]).call(&cast.place_v3()).await);
    assert!(doubt.maybe_sent);
    assert_eq!((doubt.code(), doubt.trace.tries), ("SP-UNREACHABLE", 2));
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let cast = Cast::new();
    let long = "x".repeat(2000);
    let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n{long}\r\n");
    for says in [plain(200, &long), Say::Bytes(chunked.into_bytes())] {
        let town = Town::says([says]).await;
        let client = builder(&[&town]).max_answer(1999).build().unwrap();
        let doubt = doubt(client.call(&cast.place_v3()).await);
        assert!(matches!(doubt.error, Error::TooLong { limit: 1999, .. }), "{doubt}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let cast = Cast::new();
    let elsewhere = Town::says([signed(200, PREPAID)]).await;
    let headers = [(http::header::LOCATION, elsewhere.url.parse().unwrap())].into_iter().collect();
    let town = Town::says([answer(307, &headers, "")]).await;
    let doubt = doubt(client(&[&town]).call(&cast.place_v3()).await);
    assert_eq!(doubt.refusal().unwrap().code, "HTTP_307");
    assert_eq!(elsewhere.heard().len(), 0);
}
