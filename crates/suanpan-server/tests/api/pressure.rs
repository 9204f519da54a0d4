//! More than the server can do: it says so at once, keeps what it has acknowledged, and takes no more memory for it.

use std::sync::mpsc;
use std::time::Duration;

use futures_util::future::{join_all, select_all};
use reqwest::Method;
use suanpan_server::Config;
use suanpan_server::store::Tx;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::backend::{Answer, Backend, send};

/// The database does nothing until the sender is dropped.
async fn stall(backend: &Backend) -> mpsc::Sender<()> {
    let (held, holds) = mpsc::channel::<()>();
    let (begun, begins) = tokio::sync::oneshot::channel();
    let holds = std::sync::Mutex::new(Some((holds, begun)));
    let store = backend.world.store().clone();
    tokio::spawn(async move {
        let stalled = store.write(holds, |tx, holds| {
            Box::pin(async move {
                // On SQLite the one writer is held; on PostgreSQL the table.
                if matches!(tx, Tx::Pg(_)) {
                    tx.exec("LOCK TABLE orders", &[]).await?;
                }
                let taken = holds.lock().unwrap().take();
                if let Some((holds, begun)) = taken {
                    begun.send(()).unwrap();
                    // Its sender says nothing, and goes.
                    assert!(holds.recv().is_err());
                }
                Ok(())
            })
        });
        stalled.await.unwrap();
    });
    begins.await.unwrap();
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_stalls_is_told_of_and_nothing_acknowledged_is_lost() {
    let backend = Backend::start_with("[server]\nmax_concurrent_requests = 20").await;
    backend.order("before", 990).await;
    let held = stall(&backend).await;
    let order = |number: usize| {
        let body = format!(r#"{{"reference":"r{number}","amount":990,"description":"tea"}}"#);
        send(backend.request(Method::POST, "/v1/orders").body(body))
    };
    // Those that find no place are answered while the others wait.
    let mut waiting: Vec<_> = (0..200).map(|number| Box::pin(order(number))).collect();
    let mut refused = 0;
    while refused < 180 {
        let (answer, _, rest): (Answer, _, _) = select_all(waiting).await;
        answer.is_problem(503, "SP-BUSY");
        assert_eq!(answer.retry_after.as_deref(), Some("1"));
        refused += 1;
        waiting = rest;
    }
    assert_eq!(backend.get("/healthz").await.status, 200);

    drop(held);
    let mut kept = 1;
    for answer in join_all(waiting).await {
        assert_eq!(answer.status, 201, "{}", answer.text);
        let id = answer.json["id"].as_str().unwrap();
        assert_eq!(backend.get(&format!("/v1/orders/{id}")).await.json["status"], "unpaid");
        kept += 1;
    }
    assert_eq!(backend.count("SELECT COUNT(*) AS n FROM orders").await, kept);
}

/// A body of a MiB that lacks its last byte.
async fn unfinished(address: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head =
        format!("POST /miniprogram/pay HTTP/1.1\r\nhost: x\r\ncontent-length: {MIB}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    // Who is refused meanwhile need not be listened to.
    drop(socket.write_all(&vec![b' '; MIB - 1]).await);
    socket
}

async fn answer_of(mut socket: TcpStream) -> (String, TcpStream) {
    let mut answer = vec![0; 4096];
    let length = socket.read(&mut answer).await.unwrap_or_default();
    (String::from_utf8_lossy(&answer[..length]).into_owned(), socket)
}

const MIB: usize = 1024 * 1024;

/// Bodies are taken in before a request has a place, since they may come slowly; so they have a limit of their own.
#[tokio::test]
async fn bodies_that_are_not_whole_take_only_so_much_memory() {
    let settings = format!("[server]\nmax_body_bytes = {MIB}");
    let backend = Backend::start_with(&settings).await;
    let address = backend.url.strip_prefix("http://").unwrap().to_owned();
    let mut waiting: Vec<_> = join_all((0..80).map(|_| unfinished(&address))).await;
    // 64 MiB are there: of 80 at least 16 are sent away, and no more than there is no room for.
    let mut reading: Vec<_> = waiting.drain(..).map(|socket| Box::pin(answer_of(socket))).collect();
    for _ in 0..16 {
        let ((answer, _), _, rest) = select_all(reading).await;
        // An answer may be lost behind what the caller goes on sending.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 503"), "{answer}");
        if !answer.is_empty() {
            assert!(answer.contains("SP-BUSY") && answer.contains("retry-after: 1"), "{answer}");
        }
        reading = rest;
    }
    // Others are not held up, as long as they have little to say.
    assert_eq!(backend.get("/v1/orders").await.status, 200);
}

/// Who asks for something, hangs up, and asks again has no more places than anybody else.
#[tokio::test]
async fn who_hangs_up_frees_no_place_before_his_work_is_done() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", silent.local_addr().unwrap());
    let one = |config: &mut Config| {
        config.server.max_concurrent_requests = 1;
        config.wechat.merchant_hosts = vec![host];
    };
    let backend = Backend::start_changed("", one).await;
    let id = backend.order("tea-1", 990).await["id"].as_str().unwrap().to_owned();
    // It is being paid, so WeChat is asked before it is closed.
    backend
        .sql("INSERT INTO attempt (id, order_id, mchid, appid, out_trade_no, openid, fingerprint, request, state, created_at)
            SELECT 'att_1', id, mchid, app, 'number-1', 'oUpF8uMuAJO', 'f', '<xml/>', 'prepaid', created_at FROM orders")
        .await;
    let path = format!("/v1/orders/{id}/close");
    let close = backend.request(Method::POST, &path).header("idempotency-key", "k").send();
    let close = tokio::spawn(close);
    let (asked, _) = silent.accept().await.unwrap();
    close.abort();
    assert!(close.await.unwrap_err().is_cancelled());
    for _ in 0..20 {
        backend.get("/v1/orders").await.is_problem(503, "SP-BUSY");
    }

    drop((asked, silent));
    let free = async { while backend.get("/v1/orders").await.status != 200 {} };
    tokio::time::timeout(Duration::from_secs(30), free).await.expect("a place is free again");
}
