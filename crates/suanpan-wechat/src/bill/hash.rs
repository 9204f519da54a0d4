//! Whether a file is the one that WeChat named.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

/// The digest of a file while it comes: SHA-1, WeChat's choice for bills, of the plain text.
///
/// Against accidents, not against forgers: whoever could forge the file would have to break TLS first.
#[derive(Clone)]
pub struct BillHash(Context);

impl BillHash {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(Context::new(&SHA1_FOR_LEGACY_USE_ONLY))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all of them in lower-case hex, as `hash_value` writes it.
    pub fn finish(self) -> String {
        hex::encode(self.0.finish())
    }
}

impl Default for BillHash {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for BillHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BillHash")
    }
}
