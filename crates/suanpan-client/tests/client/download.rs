//! Files: whole, refused, or cut.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use suanpan_client::Outcome;
use suanpan_client::wechat::v3;
use tokio::io::AsyncWrite;

use crate::common::*;

const FILE: &str = "交易时间,商户订单号\r\n`2026-01-01 08:00:00,`tea-1\r\n";

fn place() -> v3::BillPlace {
    v3::BillPlace {
        hash_type: "SHA1".to_owned(),
        hash_value: String::new(),
        download_url: "https://api.mch.weixin.qq.com/v3/billdownload/file?token=abc".to_owned(),
    }
}

#[tokio::test]
async fn a_file_goes_to_the_sink_as_it_comes_and_the_question_is_signed() {
    let (cast, place) = (Cast::new(), place());
    let (first, spare) = (Town::deserted().await, Town::says([plain(200, FILE)]).await);
    let call = v3::DownloadBill { account: cast.account(), place: &place };
    let mut sink = Vec::new();
    let outcome = client(&[&first, &spare]).download(&call, &mut sink).await;

    assert_eq!(outcome.trace().tries, 2, "the spare host");
    assert_eq!(outcome.done(), u64::try_from(FILE.len()).ok());
    assert_eq!(sink, FILE.as_bytes());
    let heard = &spare.heard()[0];
    assert!(heard.starts_with("GET /v3/billdownload/file?token=abc HTTP/1.1"), "{heard}");
    assert!(heard.contains("WECHATPAY2-SHA256-RSA2048"), "{heard}");
}

#[tokio::test]
async fn a_refusal_is_no_file() {
    let (cast, place) = (Cast::new(), place());
    let refusal = r#"{"code":"INVALID_REQUEST","message":"expired"}"#;
    let town = Town::says([plain(400, refusal)]).await;
    let call = v3::DownloadBill { account: cast.account(), place: &place };
    let mut sink = Vec::new();
    let outcome = client(&[&town]).download(&call, &mut sink).await;
    assert_eq!(outcome.wechat_code(), Some("INVALID_REQUEST"));
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert!(sink.is_empty());
}

#[tokio::test]
async fn a_file_that_is_cut_is_not_done() {
    let (cast, place) = (Cast::new(), place());
    let Say::Bytes(whole) = plain(200, FILE) else { unreachable!() };
    for missing in [1, FILE.len() / 2, FILE.len()] {
        let town = Town::says([Say::Bytes(whole[..whole.len() - missing].to_vec())]).await;
        let call = v3::DownloadBill { account: cast.account(), place: &place };
        let outcome = client(&[&town]).download(&call, &mut Vec::new()).await;
        let Outcome::Unknown(doubt) = outcome else { panic!("{outcome:?}") };
        assert_eq!(doubt.code(), "SP-CUT", "{missing}");
    }
}

/// A disk without room.
struct Full;

impl AsyncWrite for Full {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::StorageFull.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_full_disk_is_named() {
    let (cast, place) = (Cast::new(), place());
    let town = Town::says([plain(200, FILE)]).await;
    let call = v3::DownloadBill { account: cast.account(), place: &place };
    let outcome = client(&[&town]).download(&call, &mut Full).await;
    let Outcome::Unknown(doubt) = outcome else { panic!("{outcome:?}") };
    assert_eq!(doubt.code(), "SP-SINK");
    assert!(doubt.remedy().contains("room"));
}
