//! One address before all nodes: a connection goes to the next node that takes it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Opens it; answers its address.
pub(crate) async fn open(nodes: [SocketAddr; 2]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let turn = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            let first = turn.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                for node in nodes.iter().cycle().skip(first % 2).take(2) {
                    if let Ok(mut node) = TcpStream::connect(node).await {
                        // Who dies breaks it off, and the other side sees it.
                        drop(copy_bidirectional(&mut caller, &mut node).await);
                        return;
                    }
                }
            });
        }
    });
    url
}
