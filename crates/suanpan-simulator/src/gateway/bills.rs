//! What both APIs have in common about bills: which days there are, and how a file travels.

use std::collections::HashMap;
use std::io::Write as _;

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use suanpan_wechat::MchId;
use suanpan_wechat::bill::{BillDate, BillHash};

use crate::dice;
use crate::world::World;

/// How long APIv3 keeps a file for whoever asked, in seconds.
const KEPT: i64 = 300;
/// When the bills of a day are made: ten o'clock of the next.
const MADE_AFTER: i64 = 10 * 3600;
/// How far back bills go, in seconds: three months.
const REACH: i64 = 92 * 86_400;

/// Why there is no bill of a day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoBill {
    /// The day is not over, or too long ago.
    OutOfReach,
    /// It will be made.
    Creating,
    /// Nothing happened.
    Empty,
}

/// The files that APIv3 has named, by token.
#[derive(Debug, Default)]
pub(crate) struct Lodged(HashMap<String, File>);

/// A file for one merchant.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) mchid: MchId,
    pub(super) bytes: Bytes,
    until: i64,
}

impl Lodged {
    /// Keeps a file for a while; answers the token for it.
    pub(super) fn keep(&mut self, world: &World, mchid: &MchId, bytes: Bytes) -> String {
        let now = world.clock.signing_now();
        self.0.retain(|_, file| now < file.until);
        let token = dice::alphanumeric(&*world.outside, 64);
        let until = now.saturating_add(KEPT);
        self.0.insert(token.clone(), File { mchid: mchid.clone(), bytes, until });
        token
    }

    /// The file of a token that is still good.
    pub(super) fn file(&self, world: &World, token: &str) -> Option<File> {
        let now = world.clock.signing_now();
        self.0.get(token).filter(|file| now < file.until).cloned()
    }
}

/// Whether there can be a bill of this day now.
pub(super) fn made(world: &World, date: BillDate) -> Result<(), NoBill> {
    let (now, end) = (world.now(), date.tomorrow().map_or(i64::MAX, BillDate::start));
    if now < end || date.start().saturating_add(REACH) < now {
        Err(NoBill::OutOfReach)
    } else if now < end.saturating_add(MADE_AFTER) {
        Err(NoBill::Creating)
    } else {
        Ok(())
    }
}

/// The file as it travels.
pub(super) fn packed(text: &str, gzip: bool) -> Bytes {
    if !gzip {
        return text.to_owned().into();
    }
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    let packed = packer.write_all(text.as_bytes()).and_then(|()| packer.finish());
    // Memory takes everything.
    packed.unwrap_or_default().into()
}

/// The digest of the plain text.
pub(super) fn hash(text: &str) -> String {
    let mut hash = BillHash::new();
    hash.update(text.as_bytes());
    hash.finish()
}
