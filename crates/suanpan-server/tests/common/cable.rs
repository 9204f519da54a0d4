//! A cable to the PostgreSQL server of the tests that can break: after a commit went through and before its answer did.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The cable, whole at first.
pub(crate) struct Cable {
    server: String,
    here: String,
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Whole,
    /// It breaks at the next commit of a transaction that writes.
    Worn,
    Broken,
}

impl Cable {
    /// `None` where the tests run on SQLite, which has none.
    pub(crate) async fn lay() -> Option<Self> {
        let address = std::env::var("SUANPAN_TEST_DATABASE").ok()?;
        let place = address.split_once("://").unwrap().1;
        let server = place.rsplit_once('@').map_or(place, |(_, server)| server).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap().to_string();
        let state = Arc::new(watch::Sender::new(State::Whole));
        let (far, states) = (server.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if *states.borrow() == State::Broken {
                    continue;
                }
                let far = TcpStream::connect(&far).await.unwrap();
                tokio::spawn(carry(near, far, Arc::clone(&states)));
            }
        });
        Some(Self { server, here, state })
    }

    /// The same address by way of the cable.
    pub(crate) fn through(&self, url: &str) -> String {
        url.replace(&self.server, &self.here)
    }

    /// Has it break at the next commit: that is done, and nobody hears of it.
    pub(crate) fn wear(&self) {
        self.state.send_replace(State::Worn);
    }

    pub(crate) fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

/// Carries one connection until it ends or breaks.
async fn carry(mut near: TcpStream, mut far: TcpStream, state: Arc<watch::Sender<State>>) {
    let mut states = state.subscribe();
    let (mut asked, mut told) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut writes = false;
    loop {
        tokio::select! {
            () = async { drop(states.wait_for(|state| *state == State::Broken).await) } => return,
            Ok(length) = near.read(&mut asked) => {
                let sent = &asked[..length];
                if length == 0 || far.write_all(sent).await.is_err() {
                    return;
                }
                let has = |word: &[u8]| sent.windows(word.len()).any(|part| part == word);
                writes = has(b"READ WRITE") || (writes && !has(b"READ ONLY"));
                if writes && has(b"COMMIT\0") && *state.borrow() == State::Worn {
                    // Its answer: now it is done.
                    assert_ne!(far.read(&mut told).await.unwrap(), 0);
                    state.send_replace(State::Broken);
                    return;
                }
            }
            Ok(length) = far.read(&mut told) => {
                if length == 0 || near.write_all(&told[..length]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}
