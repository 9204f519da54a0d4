//! Where a bill lies, and the file itself.
//!
//! Sources: pay.weixin.qq.com/doc/v3/merchant/4013071227 ("申请交易账单"), 4013071246 ("申请资金账单"), 4013071238
//! ("下载账单"). The answer that names the file is signed; the file is not, so its hash is what proves it.

use http::{Method, Request};
use serde::Deserialize;

use super::Account;
use super::calls::{read, refusal, signed};
use crate::bill::{AccountType, BillDate, BillType};
use crate::{Call, Download, Error, Host, MchId, Moment, Reply};

/// Asks where the trade bill of a day lies.
///
/// `NO_STATEMENT_EXIST`: nothing happened that day. `STATEMENT_CREATING`: once more in half an hour.
#[derive(Clone, Copy, Debug)]
pub struct AskTradeBill<'a> {
    /// Whose bill.
    pub account: Account<'a>,
    /// Which day; WeChat has it from ten o'clock of the next, for three months.
    pub bill_date: BillDate,
    /// Partner mode: one sub-merchant's rows only.
    pub sub_mchid: Option<&'a MchId>,
    /// Which rows.
    pub bill_type: BillType,
}

/// Asks where the fund-flow bill of a day lies.
#[derive(Clone, Copy, Debug)]
pub struct AskFundFlowBill<'a> {
    /// Whose bill.
    pub account: Account<'a>,
    /// Which day.
    pub bill_date: BillDate,
    /// Which purse.
    pub account_type: AccountType,
}

/// Where a bill lies, for five minutes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct BillPlace {
    /// `SHA1`.
    pub hash_type: String,
    /// The digest of the plain file, also where it travels packed; lower-case hex.
    pub hash_value: String,
    /// Whoever asks there has to sign.
    pub download_url: String,
}

/// Downloads the file of a bill, packed with gzip.
#[derive(Clone, Copy, Debug)]
pub struct DownloadBill<'a> {
    /// Who asked for it; nobody else gets it.
    pub account: Account<'a>,
    /// What WeChat answered.
    pub place: &'a BillPlace,
}

impl BillPlace {
    /// Path and query of the address: the host is always WeChat's own, whatever the address says.
    fn path_and_query(&self) -> Result<&str, Error> {
        let told = || Error::holds(WHAT, "download_url", &self.download_url);
        let (_, rest) = self.download_url.split_once("://").ok_or_else(told)?;
        let start = rest.find('/').ok_or_else(told)?;
        rest.get(start..).ok_or_else(told)
    }
}

impl Call for AskTradeBill<'_> {
    type Answer = BillPlace;

    fn operation(&self) -> &'static str {
        "GET /v3/bill/tradebill"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let Self { bill_date, bill_type, .. } = self;
        let sub = self.sub_mchid.map(|mchid| format!("&sub_mchid={mchid}")).unwrap_or_default();
        let path = format!(
            "/v3/bill/tradebill?bill_date={bill_date}&bill_type={}&tar_type=GZIP{sub}",
            bill_type.as_str()
        );
        signed(self.account, Method::GET, &path, Vec::new(), moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<BillPlace, Error> {
        place(self.account, reply, now)
    }
}

impl Call for AskFundFlowBill<'_> {
    type Answer = BillPlace;

    fn operation(&self) -> &'static str {
        "GET /v3/bill/fundflowbill"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let path = format!(
            "/v3/bill/fundflowbill?bill_date={}&account_type={}&tar_type=GZIP",
            self.bill_date,
            self.account_type.v3()
        );
        signed(self.account, Method::GET, &path, Vec::new(), moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<BillPlace, Error> {
        place(self.account, reply, now)
    }
}

fn place(account: Account<'_>, reply: Reply<'_>, now: i64) -> Result<BillPlace, Error> {
    let place: BillPlace = read(WHAT, account, reply, now)?;
    if place.hash_type != "SHA1" {
        return Err(Error::holds(WHAT, "hash_type", &place.hash_type));
    }
    place.path_and_query()?;
    Ok(place)
}

impl Download for DownloadBill<'_> {
    fn operation(&self) -> &'static str {
        "GET /v3/billdownload/file"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        signed(self.account, Method::GET, self.place.path_and_query()?, Vec::new(), moment)
    }

    fn is_file(&self, status: u16, _: &[u8]) -> bool {
        status == 200
    }

    fn refused(&self, reply: Reply<'_>) -> Error {
        Error::Refused(refusal(reply, false))
    }
}

const WHAT: &str = "answer that names the bill";
