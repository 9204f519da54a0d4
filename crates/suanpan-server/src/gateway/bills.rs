//! The bills of a day, by the API that the account speaks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use suanpan_client::{Error as ClientError, Outcome, Rejection};
use suanpan_wechat::bill::{AccountType, BillDate, BillHash, BillType};
use suanpan_wechat::{AppId, Download, v2, v3};
use tokio::io::AsyncWrite;

use super::{refusal_code, v2_keys, v3_keys};
use crate::Error;
use crate::account::Account;
use crate::config::ApiVersion;
use crate::error::chain;
use crate::keys;
use crate::reconciliation::unpacked;
use crate::store::BillKind;
use crate::world::World;

/// What WeChat has of a day.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The file as it came; its hash is right, where there is one.
    File(Vec<u8>),
    /// Nothing happened that day.
    Nothing,
    /// It is not made yet.
    Creating,
    /// This account cannot ask for it, or is refused.
    Refused(String),
    /// Nobody can tell; once more, later.
    Lost(String),
}

/// Asks for a bill, and takes it into memory.
///
/// # Errors
/// [`Error::Config`] where the account has no keys.
pub(crate) async fn bill(
    world: &World,
    account: &Account,
    day: BillDate,
    kind: BillKind,
) -> Result<Asked, Error> {
    match account.api {
        ApiVersion::V2 => of_v2(world, account, day, kind).await,
        ApiVersion::V3 => of_v3(world, account, day, kind).await,
    }
}

async fn of_v3(
    world: &World,
    account: &Account,
    day: BillDate,
    kind: BillKind,
) -> Result<Asked, Error> {
    let keys = v3_keys(account)?;
    let placed = match kind {
        BillKind::Trade => {
            let call = v3::AskTradeBill {
                account: keys,
                bill_date: day,
                sub_mchid: None,
                bill_type: BillType::All,
            };
            keys::ask(world, account, &call).await
        }
        BillKind::FundFlow => {
            let call = v3::AskFundFlowBill {
                account: keys,
                bill_date: day,
                account_type: AccountType::Basic,
            };
            keys::ask(world, account, &call).await
        }
    };
    let place = match placed {
        Outcome::Done(done) => done.answer,
        Outcome::Rejected(no) => return Ok(refused(&no)),
        Outcome::Unknown(doubt) => return Ok(Asked::Lost(chain(&doubt.error))),
    };
    let asked =
        download(world, &world.client, &v3::DownloadBill { account: keys, place: &place }).await;
    let Asked::File(bytes) = asked else { return Ok(asked) };
    // To unpack some hundred megabytes would hold up all that shares this thread.
    let hashed = tokio::task::spawn_blocking(move || hash(&bytes).map(|hash| (bytes, hash)));
    Ok(match hashed.await {
        Ok(Ok((bytes, hash))) if hash == place.hash_value => Asked::File(bytes),
        Ok(Ok((_, hash))) => Asked::Lost(format!(
            "the file has the hash {hash}, and WeChat named {}",
            place.hash_value
        )),
        Ok(Err(cause)) => Asked::Lost(format!("the file cannot be unpacked: {cause}")),
        Err(_) => return Err(Error::Broken),
    })
}

async fn of_v2(
    world: &World,
    account: &Account,
    day: BillDate,
    kind: BillKind,
) -> Result<Asked, Error> {
    let (keys, app_id) = (v2_keys(account)?, own_app(account)?);
    match kind {
        BillKind::Trade => {
            let bill_type = BillType::All;
            let call = v2::DownloadBill {
                account: keys,
                app_id,
                sub_mch_id: None,
                bill_date: day,
                bill_type,
            };
            Ok(download(world, &world.client, &call).await)
        }
        BillKind::FundFlow => {
            let Ok(client) = world.certified(&account.mchid) else {
                let why = "APIv2 gives it only over a connection that shows the merchant's certificate, and none is configured";
                return Ok(Asked::Refused(why.to_owned()));
            };
            let account_type = AccountType::Basic;
            let call = v2::DownloadFundFlow { account: keys, app_id, bill_date: day, account_type };
            Ok(download(world, &client, &call).await)
        }
    }
}

async fn download(world: &World, client: &suanpan_client::Client, call: &impl Download) -> Asked {
    let mut sink = Sink(Vec::new());
    let outcome = client.download(call, &mut sink).await;
    world.metrics.asked(call.host(), &outcome);
    match outcome {
        Outcome::Done(_) => Asked::File(sink.0),
        Outcome::Rejected(no) => refused(&no),
        Outcome::Unknown(doubt) => Asked::Lost(chain(&doubt.error)),
    }
}

/// What a no means.
fn refused(no: &Rejection) -> Asked {
    match refusal_code(no) {
        "NO_STATEMENT_EXIST" => return Asked::Nothing,
        "STATEMENT_CREATING" => return Asked::Creating,
        _ => {}
    }
    if let ClientError::WeChat(error) = &no.error {
        if v2::is_no_bill(error) {
            return Asked::Nothing;
        }
        if v2::is_bill_creating(error) {
            return Asked::Creating;
        }
    }
    if no.refusal().is_some_and(suanpan_wechat::Refusal::is_too_often) {
        return Asked::Lost(chain(&no.error));
    }
    Asked::Refused(chain(&no.error))
}

/// Any mini program of the merchant; of a partner one of its own.
fn own_app(account: &Account) -> Result<&AppId, Error> {
    let app = account.apps.first().ok_or(Error::Broken)?;
    Ok(app.partner.as_ref().map_or(&app.appid, |partner| &partner.sp_appid))
}

/// The digest of the plain text.
fn hash(bytes: &[u8]) -> io::Result<String> {
    let (mut hash, mut plain) = (BillHash::new(), unpacked(bytes));
    loop {
        let some = plain.fill_buf()?;
        if some.is_empty() {
            return Ok(hash.finish());
        }
        hash.update(some);
        let taken = some.len();
        plain.consume(taken);
    }
}

/// A file in memory, as long as it has room there: ten million lines, packed.
struct Sink(Vec<u8>);

impl AsyncWrite for Sink {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        some: &[u8],
    ) -> Poll<io::Result<usize>> {
        if LONGEST.saturating_sub(self.0.len()) < some.len() {
            return Poll::Ready(Err(io::Error::other("the bill is longer than 512 MiB, packed")));
        }
        self.0.extend_from_slice(some);
        Poll::Ready(Ok(some.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// In bytes.
const LONGEST: usize = 512 << 20;
