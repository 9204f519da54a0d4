//! The line that says: from now on you can use me.

use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{Error, cannot_listen};

/// Prints `{"ready":true,…}` on standard output, as one line, at once.
pub(crate) fn say(mut members: serde_json::Map<String, serde_json::Value>) {
    let mut line = serde_json::Map::new();
    line.insert("ready".to_owned(), true.into());
    line.append(&mut members);
    let mut out = std::io::stdout().lock();
    // Whoever started us may have closed the pipe: that is no reason to stop serving.
    let _ = writeln!(out, "{}", serde_json::Value::Object(line)).and_then(|()| out.flush());
}

/// Listens, and says where: the port is known only now where 0 was asked for.
pub(crate) async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let listener = TcpListener::bind(addr).await.map_err(|cause| cannot_listen(addr, &cause))?;
    let addr = listener.local_addr().map_err(|cause| cannot_listen(addr, &cause))?;
    Ok((listener, addr))
}

/// Ends with the first SIGINT or SIGTERM.
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    let handler = |kind| {
        signal(kind).map_err(|cause| {
            Error::found("SP-SIGNAL", "cannot wait for signals", "report this to the project")
                .because(&cause)
        })
    };
    let mut terminate = handler(SignalKind::terminate())?;
    let mut interrupt = handler(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
