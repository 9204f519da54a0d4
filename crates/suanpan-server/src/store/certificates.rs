//! WeChat's platform certificates, as any of the nodes fetched them.

use suanpan_wechat::MchId;
use suanpan_wechat::v3::Certificate;

use super::{Row, StoreError, Tx};
use crate::vals;

/// A platform certificate that was fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fetched {
    /// The file.
    pub pem: String,
    /// When WeChat listed it last, in unix microseconds.
    pub fetched_at: i64,
}

impl Tx {
    /// Keeps a certificate, or notes that it is still in force.
    pub async fn certificate_put(
        &mut self,
        mchid: &MchId,
        certificate: &Certificate,
        now: i64,
    ) -> Result<(), StoreError> {
        let args = vals![
            mchid.as_str(),
            certificate.serial.as_str(),
            &certificate.pem,
            certificate.not_before,
            certificate.not_after,
            now,
        ];
        self.exec(PUT, &args).await.map(drop)
    }

    /// Until when the newest certificate of each merchant is valid, in unix seconds.
    pub async fn certificates_until(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = self.rows(UNTIL, &[]).await?;
        rows.iter().map(|row| Ok((row.text("mchid")?, row.int("until")?))).collect()
    }

    /// The certificates of a merchant that have not expired, oldest first. `now` is in unix seconds.
    pub async fn certificates(
        &mut self,
        mchid: &MchId,
        now: i64,
    ) -> Result<Vec<Fetched>, StoreError> {
        self.rows(IN_FORCE, &vals![mchid.as_str(), now]).await?.iter().map(Fetched::read).collect()
    }
}

impl Fetched {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { pem: row.text("pem")?, fetched_at: row.int("fetched_at")? })
    }
}

const PUT: &str =
    "INSERT INTO platform_certificate (mchid, serial, pem, not_before, not_after, fetched_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (mchid, serial) DO UPDATE SET fetched_at = $6";
const UNTIL: &str =
    "SELECT mchid, MAX(not_after) AS until FROM platform_certificate GROUP BY mchid";
const IN_FORCE: &str = "SELECT pem, fetched_at FROM platform_certificate
    WHERE mchid = $1 AND not_after >= $2 ORDER BY not_before, fetched_at, serial";
