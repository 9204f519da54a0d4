//! Accepts connections: so many at a time, and none that keeps us waiting for its head.
//!
//! `axum::serve` has neither limit, and a payment server must not fall to a few
//! hundred sockets that say nothing.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

/// Serves until `stopped`; then takes no new connection, and finishes the requests under way.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    most: usize,
    stopped: impl Future<Output = ()>,
) {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    // All that its peer may have us keep for one connection of HTTP/2.
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_connection_window_size(WINDOW)
        .initial_stream_window_size(WINDOW)
        .max_send_buf_size(BUFFER)
        .keep_alive_interval(HEAD)
        .keep_alive_timeout(HEAD);
    let (places, graceful) = (Arc::new(Semaphore::new(most)), GracefulShutdown::new());
    let mut stopped = pin!(stopped);
    loop {
        let next = async {
            // A connection that finds no place waits in the system's queue.
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            Some((place, accept(&listener).await))
        };
        let (place, (stream, peer)) = tokio::select! {
            biased;
            () = &mut stopped => break,
            Some(next) = next => next,
            else => break,
        };
        let service = router.clone().map_request(move |mut request: Request<_>| {
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
            request
        });
        let connection = http
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
            .into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A caller that breaks off is its own affair.
            drop(connection.await);
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// The next connection, whatever happens to those before it.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(cause) => {
                // Mostly no file handle is free: others must end before it helps to try again.
                tracing::warn!(%cause, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The longest that a connection may take for the head of its request, and stay idle between two.
const HEAD: Duration = Duration::from_secs(15);
/// Bytes that a connection may have waiting on either side; a head that is longer is refused.
const BUFFER: usize = 64 * 1024;
/// Bytes that a peer of HTTP/2 may send before they are read.
const WINDOW: u32 = 256 * 1024;
/// Requests at a time on one connection of HTTP/2.
const STREAMS: u32 = 64;
const PAUSE: Duration = Duration::from_millis(50);
