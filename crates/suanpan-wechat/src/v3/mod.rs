//! WeChat Pay APIv3: JSON, signed with RSA. (Lands with its own commit.)

/// Stand-in until the module lands.
pub struct PrivateKey;
impl PrivateKey {
    /// Stand-in.
    pub fn sign(&self, _: &[u8]) -> String {
        String::new()
    }
}
