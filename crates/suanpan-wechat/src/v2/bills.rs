//! The file of a bill: `POST /pay/downloadbill` and `POST /pay/downloadfundflow`.
//!
//! Source: pay.weixin.qq.com/doc/v2, "下载交易账单", "下载资金账单". The file is not signed, and comes with no hash:
//! its totals are what shows that it is whole.

use http::Request;

use super::answer::{self, unsigned_refusal};
use super::{Account, Fields, SignType};
use crate::bill::{AccountType, BillDate, BillType};
use crate::{AppId, Download, Error, Host, MchId, Moment, Reply};

/// Downloads the trade bill of a day, packed with gzip.
///
/// `No Bill Exist` in the words of the refusal: nothing happened that day ([`is_no_bill`]).
#[derive(Clone, Copy, Debug)]
pub struct DownloadBill<'a> {
    /// Whose bill.
    pub account: Account<'a>,
    /// Any mini program of this merchant.
    pub app_id: &'a AppId,
    /// Partner mode: one sub-merchant's rows only.
    pub sub_mch_id: Option<&'a MchId>,
    /// Which day; WeChat has it from ten o'clock of the next, for three months.
    pub bill_date: BillDate,
    /// Which rows.
    pub bill_type: BillType,
}

/// Downloads the fund-flow bill of a day, packed with gzip, over a connection that shows the merchant's certificate.
/// WeChat takes HMAC-SHA256 only here, whatever the account signs with elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct DownloadFundFlow<'a> {
    /// Whose bill.
    pub account: Account<'a>,
    /// Any mini program of this merchant.
    pub app_id: &'a AppId,
    /// Which day.
    pub bill_date: BillDate,
    /// Which purse.
    pub account_type: AccountType,
}

/// Whether WeChat says that nothing happened that day.
pub fn is_no_bill(error: &Error) -> bool {
    says(error, &["no bill exist", "no_bill_exist"])
}

/// Whether WeChat says that the bill is not made yet.
pub fn is_bill_creating(error: &Error) -> bool {
    says(error, &["bill creating", "bill_creating"])
}

/// The trade bill's refusals have no code, and not always the same letters.
fn says(error: &Error, words: &[&str]) -> bool {
    let Error::Refused(refusal) = error else { return false };
    words.iter().any(|word| {
        refusal.message.eq_ignore_ascii_case(word) || refusal.code.eq_ignore_ascii_case(word)
    })
}

impl Download for DownloadBill<'_> {
    fn operation(&self) -> &'static str {
        "POST /pay/downloadbill"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let mut fields = Fields::new();
        fields.set("appid", self.app_id.as_str());
        fields.set_optional("sub_mch_id", self.sub_mch_id.map(MchId::as_str));
        fields.set("bill_date", &self.bill_date.compact());
        fields.set("bill_type", self.bill_type.as_str());
        fields.set("tar_type", "GZIP");
        answer::post("/pay/downloadbill", self.account, fields, moment)
    }

    fn is_file(&self, status: u16, start: &[u8]) -> bool {
        is_file(status, start)
    }

    fn refused(&self, reply: Reply<'_>) -> Error {
        unsigned_refusal(reply)
    }
}

impl Download for DownloadFundFlow<'_> {
    fn operation(&self) -> &'static str {
        "POST /pay/downloadfundflow"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn shows_certificate(&self) -> bool {
        true
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let account = Account { sign_type: SignType::HmacSha256, ..self.account };
        let mut fields = Fields::new();
        fields.set("appid", self.app_id.as_str());
        fields.set("bill_date", &self.bill_date.compact());
        fields.set("account_type", self.account_type.v2());
        fields.set("tar_type", "GZIP");
        answer::post("/pay/downloadfundflow", account, fields, moment)
    }

    fn is_file(&self, status: u16, start: &[u8]) -> bool {
        is_file(status, start)
    }

    fn refused(&self, reply: Reply<'_>) -> Error {
        unsigned_refusal(reply)
    }
}

/// A refusal is XML; neither a packed file nor a heading begins so.
fn is_file(status: u16, start: &[u8]) -> bool {
    status == 200 && start.first() != Some(&b'<')
}
